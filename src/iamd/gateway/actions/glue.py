"""The job, crawler, schema or other resource that a request to Glue is for, by name, id or ARN.

AWS: Service Authorization Reference, list_awsglue; Glue Developer Guide, "Specifying AWS Glue resource ARNs".
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from iamd.authz.target import Target
from iamd.errors import Common, CommonError
from iamd.gateway.actions import glue_catalog, tags
from iamd.gateway.actions.asked import Asked, Question, at, untold
from iamd.gateway.actions.given_arn import formed, own
from iamd.gateway.actions.glue_catalog import InvalidInput, checked

# The member that names what an operation is about: the first that is given. A statement's Id is within a session's.
_NAMES: Final = (
    "SessionId", "TransformId", "JobName", "jobName", "BlueprintName", "CrawlerName", "EndpointName", "ConnectionType",
    "Name", "Id",
)  # fmt: skip
_LISTS: Final = {
    "Names": None, "CrawlerNames": "crawler", "DevEndpointNames": "devEndpoint", "JobNames": "job",
    "TriggerNames": "trigger",
}  # fmt: skip
_NAME: Final = r"[^\x00-\x1f\x7f*?:/]{1,255}"
# What has tags, or properties for integrations (Glue API Reference, TagResource and CreateIntegrationResourceProperty).
_TAGGED: Final = re.compile(
    rf"(?:blueprint|catalog|connection|crawler|customEntityType|dataQualityRuleset|database|devEndpoint|job|mlTransform"
    rf"|registry|schema|session|table|trigger|usageProfile|workflow|integrationresourceproperty|userDefinedFunction)"
    rf"(?:/{_NAME}){{1,4}}|(?:connectionType|integration):{_NAME}"
)
_INTEGRATION: Final = re.compile(rf"integration:{_NAME}")
_REGISTRY: Final = re.compile(rf"registry/{_NAME}")
_SCHEMA: Final = re.compile(rf"schema/(?P<registry>{_NAME})/{_NAME}")
_UUID: Final = re.compile(r"[0-9a-fA-F-]{36}", re.ASCII)
_DEFAULT_REGISTRY: Final = "default-registry"
_QUESTION: Final = "GetSchemaVersion"


def question(asked: Asked) -> Question | None:
    """Which schema a version is of that is named by its id alone."""
    named = asked.parameters.get("SchemaVersionId")
    if named is None or _QUESTION in asked.told:
        return None
    if asked.parameters.get("SchemaId"):
        # SECURITY: of two, the backend might take another than the one that was decided on.
        raise InvalidInput("Either SchemaId or SchemaVersionId must be given.")
    if not isinstance(named, str) or not _UUID.fullmatch(named):
        raise InvalidInput(f"{named} is not the id of a schema's version.")
    return Question(_QUESTION, {"SchemaVersionId": named})


def values(asked: Asked) -> Mapping[str, Any]:
    """The names, and the ARNs that names and ids stand for."""
    parameters = asked.parameters
    found: dict[str, Any] = {}
    name = next((parameters[member] for member in _NAMES if parameters.get(member)), None)
    if name is not None:
        found["name"] = checked(name)
    if "ResourceArn" in parameters and "ResourcePolicy" not in asked.operation.name:
        found["resource"] = _whole(parameters["ResourceArn"], _TAGGED, asked)
    if "IntegrationIdentifier" in parameters:
        found["integration"] = _integration(parameters["IntegrationIdentifier"], asked)
    if asked.operation.name == "GetDashboardUrl":
        found["session"] = _session(parameters, asked)
    return found | _of_catalog(asked) | _of_schema(asked)


def _whole(value: Any, pattern: re.Pattern[str], asked: Asked) -> str:
    return formed(value, "glue", pattern, asked, InvalidInput(f"{value} is not the ARN of a resource of Glue."))


def _integration(value: Any, asked: Asked) -> str:
    if isinstance(value, str) and value.startswith("arn:"):
        return _whole(value, _INTEGRATION, asked)
    return own("glue", f"integration:{checked(value)}", asked)


def _session(parameters: Mapping[str, Any], asked: Asked) -> str:
    if parameters["ResourceType"] != "SESSION":
        # The Service Authorization Reference has sessions alone, and a run's id does not tell its job.
        raise CommonError(Common.ACCESS_DENIED, "iamd decides GetDashboardUrl for sessions alone.")
    return own("glue", f"session/{checked(parameters['ResourceId'])}", asked)


def _of_catalog(asked: Asked) -> dict[str, Any]:
    """The account's catalog, whose policy is set and read without an ARN or by its own alone."""
    named = asked.parameters.get("ResourceArn") if "ResourcePolicy" in asked.operation.name else None
    catalog = glue_catalog.root(asked)
    if named is not None and named != catalog:
        raise InvalidInput(f"{named} is not the ARN of the Data Catalog.")
    connection = asked.parameters.get("ConnectionName")
    here = catalog.removesuffix(":catalog")
    return {"root": catalog} | ({"connection": f"{here}:connection/{checked(connection)}"} if connection else {})


def _of_schema(asked: Asked) -> dict[str, Any]:
    """The registry and the schema, by name, by ARN, or by the id of a version."""
    parameters, name = asked.parameters, asked.operation.name
    if "SchemaVersionId" in parameters:
        return _of_version(asked)
    if "SchemaId" in parameters:
        return _of_schema_id(parameters["SchemaId"], asked)
    if name == "ListSchemas" and not parameters.get("RegistryId"):
        return {"registry": own("glue", "registry/*", asked)}
    if name == "CreateRegistry":
        return {"registry": own("glue", f"registry/{checked(parameters['RegistryName'])}", asked)}
    if name == "CreateSchema" or "RegistryId" in parameters:
        registry = _registry(parameters.get("RegistryId") or {}, asked)
        within = registry.replace(":registry/", ":schema/", 1)
        return {"registry": registry} | (
            {"schema": f"{within}/{checked(parameters['SchemaName'])}"} if name == "CreateSchema" else {}
        )
    return {}


def _registry(named: Mapping[str, Any], asked: Asked) -> str:
    if named.get("RegistryArn"):
        found = _whole(named["RegistryArn"], _REGISTRY, asked)
        if named.get("RegistryName") and not found.endswith(f":registry/{named['RegistryName']}"):
            raise InvalidInput("RegistryName and RegistryArn name two registries.")
        return found
    return own("glue", f"registry/{checked(named.get('RegistryName') or _DEFAULT_REGISTRY)}", asked)


def _of_schema_id(named: Mapping[str, Any], asked: Asked) -> dict[str, Any]:
    if named.get("SchemaArn"):
        if named.get("SchemaName") or named.get("RegistryName"):
            raise InvalidInput("A schema is named by its ARN or by its names.")
        return _of_schema_arn(named["SchemaArn"], asked)
    registry = checked(named.get("RegistryName") or _DEFAULT_REGISTRY)
    return {
        "registry": own("glue", f"registry/{registry}", asked),
        "schema": own("glue", f"schema/{registry}/{checked(named['SchemaName'])}", asked),
    }


def _of_schema_arn(arn: Any, asked: Asked) -> dict[str, Any]:
    schema = _whole(arn, _SCHEMA, asked)
    here, _, rest = schema.partition(":schema/")
    return {"registry": f"{here}:registry/{rest.partition('/')[0]}", "schema": schema}


def _of_version(asked: Asked) -> dict[str, Any]:
    told = asked.told[_QUESTION]
    if told is None:
        # What is not there is in no registry; the backend says so to whoever may ask in all of them.
        return {"registry": own("glue", "registry/*", asked), "schema": own("glue", "schema/*", asked)}
    if not told.get("SchemaArn"):
        raise untold(asked.parameters["SchemaVersionId"])
    return _of_schema_arn(told["SchemaArn"], asked)


def each_named(asked: Asked) -> list[Target]:
    """Each thing that the request names."""
    action = f"glue:{asked.operation.name}"
    for member, kind in _LISTS.items():
        if member in asked.parameters:
            within = kind or asked.operation.name.removeprefix("BatchGet").removesuffix("s").lower()
            names = dict.fromkeys(asked.parameters[member])
            return [Target(arn=own("glue", f"{within}/{checked(name)}", asked), action=action) for name in names]
    raise KeyError("Names")


def each_ruleset(asked: Asked) -> list[Target]:
    """Each ruleset that is evaluated."""
    action = f"glue:{asked.operation.name}"
    names = dict.fromkeys(asked.parameters["RulesetNames"])
    return [Target(arn=own("glue", f"dataQualityRuleset/{checked(name)}", asked), action=action) for name in names]


def create_integration(asked: Asked) -> list[Target]:
    """The integration, whose id is not known yet, and its source and target where they are Glue's."""
    parameters, context, action = asked.parameters, tags.of(asked.parameters), "glue:CreateIntegration"
    made = own("glue", "integration:*", asked)
    arns = [made]
    for member in ("SourceArn", "TargetArn"):
        if at(parameters, member) is None:
            raise KeyError(member)
        if ":glue:" in parameters[member]:
            arns.append(_of_integration(parameters[member], asked))
    found = [Target(arn=arn, action=action, context=context) for arn in arns]
    return [*found, *([Target(arn=made, action="glue:TagResource", context=context)] if parameters.get("Tags") else [])]


def _of_integration(arn: Any, asked: Asked) -> str:
    return _whole(arn, re.compile(rf"catalog|(?:catalog|connection|database)(?:/{_NAME}){{1,4}}"), asked)


COMPUTED: Final[Mapping[str, Callable[[Asked], list[Target]]]] = {
    **glue_catalog.COMPUTED,
    "create_integration": create_integration,
    "each_named": each_named,
    "each_ruleset": each_ruleset,
}
