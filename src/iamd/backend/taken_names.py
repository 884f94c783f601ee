"""What moto would make in the place of what has its name already: a name that is taken stays whose it is.

AWS refuses it by the errors that stand here, which its API References name; the words are iamd's.
"""

from collections.abc import Callable, Container, Mapping
from functools import wraps
from importlib import import_module
from typing import Any, Final, NamedTuple

from moto.core.exceptions import ServiceException

from iamd.backend.replacement import argument, replace


class _Name(NamedTuple):
    """A method of moto's with its class, where that keeps what it makes, its parameter for the name, AWS's error."""

    method: str
    kept: str
    parameter: str
    error: str


_ALREADY: Final = "AlreadyExistsException"
_CONFLICT: Final = "ConflictException"
_EXISTS: Final = "ResourceAlreadyExistsException"
_REDSHIFT: Final = "RedshiftBackend.create_cluster"
_SAGEMAKER: Final = "SageMakerModelBackend.create"
_NAMES: Final[Mapping[str, tuple[_Name, ...]]] = {
    "apigateway": (_Name("APIGatewayBackend.create_domain_name", "domain_names", "domain_name", _CONFLICT),),
    "appmesh": (_Name("AppMeshBackend.create_mesh", "meshes", "mesh_name", _CONFLICT),),
    "autoscaling": (
        _Name("AutoScalingBackend.create_auto_scaling_group", "autoscaling_groups", "name", "AlreadyExists"),
        _Name("AutoScalingBackend.create_launch_configuration", "launch_configurations", "name", "AlreadyExists"),
    ),
    "backup": (_Name("BackupBackend.create_report_plan", "report_plans", "report_plan_name", _ALREADY),),
    "cognitoidp": (
        _Name("CognitoIdpBackend.create_user_pool_domain", "user_pool_domains", "domain", "InvalidParameterException"),
    ),
    "dax": (_Name("DAXBackend.create_cluster", "clusters", "cluster_name", "ClusterAlreadyExistsFault"),),
    "ecs": (
        _Name(
            "EC2ContainerServiceBackend.create_capacity_provider", "capacity_providers", "name",
            "InvalidParameterException",
        ),
    ),
    "events": (
        _Name("EventsBackend.create_connection", "connections", "name", _EXISTS),
        _Name("EventsBackend.create_api_destination", "destinations", "name", _EXISTS),
    ),
    "glue": (
        _Name("GlueBackend.create_job", "jobs", "name", _ALREADY),
        _Name("GlueBackend.create_trigger", "triggers", "name", _ALREADY),
        _Name("GlueBackend.create_workflow", "workflows", "name", _ALREADY),
    ),
    "iot": (_Name("IoTBackend.create_job", "jobs", "job_id", _EXISTS),),
    "kinesisanalyticsv2": (
        _Name(
            "KinesisAnalyticsV2Backend.create_application", "applications", "application_name",
            "ResourceInUseException",
        ),
    ),
    "mediapackage": (
        _Name("MediaPackageBackend.create_channel", "_channels", "channel_id", "UnprocessableEntityException"),
        _Name(
            "MediaPackageBackend.create_origin_endpoint", "_origin_endpoints", "endpoint_id",
            "UnprocessableEntityException",
        ),
    ),
    "mediapackagev2": (
        _Name("MediaPackagev2Backend.create_channel_group", "channel_groups", "channel_group_name", _CONFLICT),
    ),
    "mediastore": (_Name("MediaStoreBackend.create_container", "_containers", "name", "ContainerInUseException"),),
    "opensearch": (_Name("OpenSearchServiceBackend.create_domain", "domains", "domain_name", _EXISTS),),
    "pipes": (_Name("EventBridgePipesBackend.create_pipe", "pipes", "name", _CONFLICT),),
    "rds": (
        _Name("RDSBackend.create_db_security_group", "security_groups", "group_name", "DBSecurityGroupAlreadyExists"),
        _Name("RDSBackend.create_subnet_group", "subnet_groups", "subnet_name", "DBSubnetGroupAlreadyExists"),
        _Name(
            "RDSBackend.create_global_cluster", "global_clusters", "global_cluster_identifier",
            "GlobalClusterAlreadyExistsFault",
        ),
    ),
    "redshift": (
        _Name(
            f"{_REDSHIFT}_parameter_group", "parameter_groups", "cluster_parameter_group_name",
            "ClusterParameterGroupAlreadyExists",
        ),
        _Name(
            f"{_REDSHIFT}_security_group", "security_groups", "cluster_security_group_name",
            "ClusterSecurityGroupAlreadyExists",
        ),
        _Name(
            f"{_REDSHIFT}_subnet_group", "subnet_groups", "cluster_subnet_group_name",
            "ClusterSubnetGroupAlreadyExists",
        ),
    ),
    "sagemaker": (
        _Name(f"{_SAGEMAKER}_endpoint", "endpoints", "endpoint_name", "ValidationException"),
        _Name(f"{_SAGEMAKER}_endpoint_config", "endpoint_configs", "endpoint_config_name", "ValidationException"),
        _Name(f"{_SAGEMAKER}_experiment", "experiments", "experiment_name", "ValidationException"),
        _Name(f"{_SAGEMAKER}_model", "_models", "model_name", "ValidationException"),
        _Name(
            f"{_SAGEMAKER}_model_package_group", "model_package_groups", "model_package_group_name",
            "ValidationException",
        ),
        _Name(f"{_SAGEMAKER}_processing_job", "processing_jobs", "processing_job_name", "ResourceInUse"),
        _Name(f"{_SAGEMAKER}_training_job", "training_jobs", "training_job_name", "ResourceInUse"),
        _Name(f"{_SAGEMAKER}_transform_job", "transform_jobs", "transform_job_name", "ResourceInUse"),
        _Name(f"{_SAGEMAKER}_trial", "trials", "trial_name", "ValidationException"),
        _Name(f"{_SAGEMAKER}_trial_component", "trial_components", "trial_component_name", "ValidationException"),
    ),
    "synthetics": (_Name("SyntheticsBackend.create_canary", "canaries", "name", _CONFLICT),),
    "timestreamwrite": (
        _Name("TimestreamWriteBackend.create_database", "databases", "database_name", _CONFLICT),
        _Name("TimestreamDatabase.create_table", "tables", "table_name", _CONFLICT),
    ),
}  # fmt: skip


def install(module: str) -> None:
    """SECURITY: who may make something may not end, or change, what somebody else has made."""
    # moto looks for the model of an error's service by the module of its class.
    error = type("Taken", (ServiceException,), {"__module__": f"moto.{module}.exceptions"})
    for name in _NAMES.get(module, ()):
        owner, _, method = name.method.partition(".")
        replace(getattr(import_module(f"moto.{module}.models"), owner), method, _once(name, error))


def _once(name: _Name, error: Callable[[str, str], Exception]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def guarded(original: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(original)
        def made(*given: Any, **named: Any) -> Any:
            wanted = argument(original, name.parameter, *given, **named)
            kept: Container[Any] = getattr(given[0], name.kept)
            if wanted in kept:
                raise error(name.error, f"{wanted} already exists.")
            return original(*given, **named)

        return made

    return guarded
