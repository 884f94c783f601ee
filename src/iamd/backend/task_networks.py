"""Networks and sizes of moto's ECS tasks: a container may have no memory of its own, a network no security group.

moto fails on both, which are usual with Fargate, and on networks of things that there are not. AWS: Amazon ECS API
Reference, ContainerDefinition (memory: of a task that has memory itself, containers need none), AwsVpcConfiguration
(securityGroups: the default one of the VPC where there are none), RunTask and CreateService (networkConfiguration:
needed for awsvpc); the words are seen in its answers.
"""

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any, Final

from moto.ec2.exceptions import InvalidSubnetIdError
from moto.ec2.models import ec2_backends
from moto.ecs.exceptions import InvalidParameterException
from moto.ecs.models import EC2ContainerServiceBackend, Service, Task

from iamd.backend.replacement import always, argument, replace

_MEMORY: Final = frozenset({"memory", "memoryReservation", "Memory", "MemoryReservation"})
_NETWORK: Final = "awsvpcConfiguration"
_NO_NETWORK: Final = "Network Configuration must be provided when networkMode 'awsvpc' is specified."


def install() -> None:
    """Let tasks and services have such networks, and say what is wrong with others."""
    replace(EC2ContainerServiceBackend, "_calculate_task_resource_requirements", _sized)
    replace(EC2ContainerServiceBackend, "run_task", _supported)
    replace(EC2ContainerServiceBackend, "create_service", _supported)
    replace(Task, "__init__", _connected)
    replace(Service, "_validate_network", always(_validate))


def _sized(original: Callable[..., Any]) -> Any:
    def calculate(definition: Any) -> Any:
        containers = [one if _MEMORY & one.keys() else {**one, "memory": 0} for one in definition.container_definitions]
        return original(SimpleNamespace(container_definitions=containers))

    return staticmethod(calculate)


def _supported(original: Callable[..., Any]) -> Callable[..., Any]:
    def begin(backend: Any, *given: Any, **named: Any) -> Any:
        def asked(parameter: str) -> Any:
            return argument(original, parameter, backend, *given, **named)

        backend._get_cluster(asked("cluster_str"))  # noqa: SLF001 - as moto's own do
        if asked("task_definition_str"):
            definition = backend.describe_task_definition(asked("task_definition_str"))
            if asked("launch_type") == "FARGATE" and not _fits_fargate(definition):
                raise InvalidParameterException("Task definition does not support launch_type FARGATE.")
            network = asked("network_configuration") or asked("networking_configuration")
            if definition.network_mode == "awsvpc" and not (network or {}).get(_NETWORK):
                raise InvalidParameterException(_NO_NETWORK)
        return original(backend, *given, **named)

    return begin


def _fits_fargate(definition: Any) -> bool:
    """AWS: which launch types there can be follows from the definition itself (TaskDefinition, compatibilities)."""
    is_sized = bool(definition.cpu and definition.memory)
    return "FARGATE" in definition.compatibilities or (definition.network_mode == "awsvpc" and is_sized)


def _connected(original: Callable[..., None]) -> Callable[..., None]:
    def init(task: Any, cluster: Any, task_definition: Any, *given: Any, **named: Any) -> None:
        network = named.get("networking_configuration")
        if task_definition.network_mode == "awsvpc" and network:
            found = _whole(network, named["backend"].account_id, cluster.region_name)
            named = {**named, "networking_configuration": found}
        original(task, cluster, task_definition, *given, **named)

    return init


def _validate(service: Any, network: Mapping[str, Any]) -> Mapping[str, Any]:
    place = vars(service)
    _whole(network, place["_account_id"], place["region_name"])
    return network


def _whole(network: Mapping[str, Any], account: str, region: str) -> dict[str, Any]:
    """A network with its security groups; InvalidParameterException where something of it is not there."""
    wanted, ec2 = network.get(_NETWORK), ec2_backends[account][region]
    if not wanted:
        raise InvalidParameterException(_NO_NETWORK)
    if not wanted.get("subnets"):
        raise InvalidParameterException("subnets can not be empty.")
    subnets = [_subnet(one, ec2) for one in wanted["subnets"]]
    groups = wanted.get("securityGroups") or []
    for one in groups:
        if ec2.get_security_group_from_id(one) is None:
            raise _missing("security group", one, f"The security group '{one}' does not exist", "InvalidGroup.NotFound")
    default = ec2.get_default_security_group(subnets[0].vpc_id) if not groups else None
    return {**network, _NETWORK: {**wanted, "securityGroups": [default.id] if default is not None else groups}}


def _subnet(name: str, ec2: Any) -> Any:
    try:
        return ec2.get_subnet(name)
    except InvalidSubnetIdError:
        words = f"The subnet ID '{name}' does not exist"
        raise _missing("subnet", name, words, "InvalidSubnetID.NotFound") from None


def _missing(kind: str, name: str, words: str, code: str) -> InvalidParameterException:
    return InvalidParameterException(f"Error retrieving {kind} information for [{name}]: {words} (ErrorCode: {code})")
