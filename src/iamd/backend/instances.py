"""moto's instances of EC2: termination and stop protection, images that are there, and one attribute at a time.

AWS: EC2 User Guide, "Change instance termination protection" and "Enable stop protection for your EC2 instances"; EC2
API Reference, RunInstances (ImageId: in the request or in its launch template), TerminateInstances (what becomes of
several instances), ModifyInstanceAttribute ("you can specify only one attribute at a time") and "Error codes". Stop
protection keeps an instance from being terminated, too: so EC2 is seen to answer, with these words (go-to-k/cdkd,
tests/integration). Auto Scaling, Batch and fleets terminate instances whatever protects them.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final

from moto.autoscaling.models import autoscaling_backends
from moto.core.responses import EmptyResult
from moto.ec2.exceptions import EC2ClientError, InvalidAMIIdError, MalformedAMIIdError, MissingParameterError
from moto.ec2.models import EC2Backend
from moto.ec2.responses.instances import InstanceResponse
from moto.elbv2.models import elbv2_backends
from moto.ssm.models import ssm_backends

from iamd.backend.dispatch import CURRENT
from iamd.backend.replacement import replace
from iamd.backend.verdict import NOT_TAKEN, Refused

_TERMINATION: Final = "disable_api_termination"
_STOP: Final = "disable_api_stop"
_PARAMETERS: Final = {"DisableApiTermination": _TERMINATION, "DisableApiStop": _STOP}
_ATTRIBUTES: Final = {_TERMINATION: "disableApiTermination", _STOP: "disableApiStop"}

_PUBLIC_IMAGES: Final = ("/aws/service/ami-amazon-linux-latest/", "/aws/service/ecs/optimized-ami/")
"""Where moto's Parameter Store names images; its EC2 has not all of them."""

_SHUTDOWN: Final = "InstanceInitiatedShutdownBehavior"
_MODIFIED: Final = frozenset(
    {
        "BlockDeviceMappings", "DisableApiStop", "DisableApiTermination", "EbsOptimized", "Groups", "InstanceType",
        "Kernel", "SourceDestCheck", "UserData", _SHUTDOWN,
    }
)  # fmt: skip
_NOT_MODIFIED: Final = frozenset({"EnaSupport", "EnclaveOptions", "Ramdisk", "SriovNetSupport"})
_BY_NAME: Final = frozenset({"disableApiStop", "disableApiTermination", "ebsOptimized", "sourceDestCheck"})
"""What `Attribute` names with `true` or `false` as its `Value`."""


def install() -> None:
    """Keep what RunInstances, launch templates and ModifyInstanceAttribute say, and hold it."""
    replace(InstanceResponse, "run_instances", _run)
    replace(InstanceResponse, "modify_instance_attribute", _modified)
    replace(EC2Backend, "run_instances", _by_template)
    replace(EC2Backend, "terminate_instances", _terminated)
    replace(EC2Backend, "stop_instances", _stopping)


# What is run.


def _run(original: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def run_instances(response: Any) -> Any:
        told = original(response)
        _protect(told.result.instances, {name: response._get_param(name) for name in _PARAMETERS})  # noqa: SLF001
        return told

    return run_instances


def _by_template(original: Callable[..., Any]) -> Callable[..., Any]:
    def run_instances(backend: Any, image_id: str | None, *given: Any, **named: Any) -> Any:
        template = named.get("launch_template")
        said = backend._get_template_from_args(template).data if template else {}  # noqa: SLF001 - as moto does
        image = image_id or said.get("ImageId")
        if CURRENT.get().operation == "RunInstances":
            _check_image(backend, image)
        made = original(backend, image, *given, **named)
        _protect(made.instances, said)
        return made

    return run_instances


def _check_image(backend: Any, image: str | None) -> None:
    if image is None:
        raise MissingParameterError("ImageId")
    if not image.startswith("ami-"):
        raise MalformedAMIIdError([image])
    if image not in backend.amis and image not in _public_images(backend):
        raise InvalidAMIIdError([image])


def _public_images(backend: Any) -> set[str]:
    """The images that Parameter Store's public parameters name in this Region."""
    store = ssm_backends[backend.account_id][backend.region_name]
    listed = store._parameters.get_keys_beginning_with  # noqa: SLF001 - all pages of its GetParametersByPath
    named = [name for path in _PUBLIC_IMAGES for name in list(listed(path, recursive=True))]
    found = [store.get_parameter(name) for name in named]
    return {one.value for one in found if one is not None and isinstance(one.value, str)}


def _protect(instances: Iterable[Any], said: dict[str, Any]) -> None:
    """Have instances be protected as is said, and as before where nothing is."""
    for parameter, attribute in _PARAMETERS.items():
        value = said.get(parameter)
        if value is not None:
            for instance in instances:
                setattr(instance, attribute, _is_on(value))


def _is_on(value: Any) -> bool:
    # SECURITY: values come as they were written, too, and what is not the word for no protects.
    return str(value).lower() != "false"


# What is changed.


def _modified(original: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def modify_instance_attribute(response: Any) -> Any:
        given = sorted(name for name in _MODIFIED | _NOT_MODIFIED if response._get_param(name) is not None)  # noqa: SLF001
        named = response._get_param("Attribute")  # noqa: SLF001
        if len(given) + (named is not None) > 1:
            # moto takes the first, and drops the others.
            words = "Fields for multiple attribute types specified: "
            raise EC2ClientError(
                "InvalidParameterCombination", words + ", ".join([*given, *([named] if named else [])])
            )
        if given and given[0] in _NOT_MODIFIED:
            # SECURITY: moto would take what it does not know for an empty list of security groups.
            raise Refused(NOT_TAKEN, given[0])
        if given == [_SHUTDOWN]:
            behavior = response._get_param(_SHUTDOWN)  # noqa: SLF001
            return _set(response, "instance_initiated_shutdown_behavior", behavior["Value"])
        return original(response) if named is None else _by_name(response, named)

    return modify_instance_attribute


def _by_name(response: Any, named: str) -> Any:
    """Set the attribute that the request names, of which moto would set whatever its instances have."""
    value = response._get_param("Value")  # noqa: SLF001
    if named not in _BY_NAME or value is None:
        raise Refused(NOT_TAKEN, f"Attribute {named}")
    attributes = {"ebsOptimized": "ebs_optimized", "sourceDestCheck": "source_dest_check"}
    attributes |= {wire: attribute for attribute, wire in _ATTRIBUTES.items()}
    return _set(response, attributes[named], _is_on(value))


def _set(response: Any, attribute: str, value: Any) -> Any:
    response.ec2_backend.modify_instance_attribute(response._get_param("InstanceId"), attribute, value)  # noqa: SLF001
    return EmptyResult()


# What is ended.


def _terminated(original: Callable[..., Any]) -> Callable[..., Any]:
    def terminate_instances(backend: Any, instance_ids: list[str]) -> Any:
        found = backend.get_multi_instances_by_id(instance_ids) if instance_ids else []
        if CURRENT.get().operation != "TerminateInstances":
            return [(instance, instance.terminate()) for instance in found]
        kept = [one for one in found if one.disable_api_termination or one.disable_api_stop]
        if not kept:
            return original(backend, instance_ids)
        zones = {one.availability_zone for one in kept}
        _terminate(backend, [one for one in found if one.availability_zone not in zones])
        attribute = _TERMINATION if kept[0].disable_api_termination else _STOP
        raise _refused(kept[0], "terminated", attribute)

    return terminate_instances


def _terminate(backend: Any, instances: list[Any]) -> None:
    """End those of other Availability Zones, and tell whom moto tells when all are ended."""
    for instance in instances:
        instance.terminate()
    for others in (autoscaling_backends, elbv2_backends):
        others[backend.account_id][backend.region_name].notify_terminate_instances([one.id for one in instances])


def _stopping(original: Callable[..., Any]) -> Callable[..., Any]:
    def stop_instances(backend: Any, instance_ids: list[str]) -> Any:
        for instance in backend.get_multi_instances_by_id(instance_ids):
            if instance.disable_api_stop:
                raise _refused(instance, "stopped", _STOP)
        return original(backend, instance_ids)

    return stop_instances


def _refused(instance: Any, done: str, attribute: str) -> EC2ClientError:
    words = f"The instance '{instance.id}' may not be {done}. "
    return EC2ClientError(
        "OperationNotPermitted", f"{words}Modify its '{_ATTRIBUTES[attribute]}' instance attribute and try again."
    )
