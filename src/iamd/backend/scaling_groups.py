"""moto's Auto Scaling groups: a launch configuration that is not there is refused, and deletion is as on AWS.

moto fails on the first, or deletes it without a word. AWS: Amazon EC2 Auto Scaling API Reference,
CreateAutoScalingGroup and UpdateAutoScalingGroup (LaunchConfigurationName), DeleteAutoScalingGroup; Amazon EC2 Auto
Scaling User Guide, "Configure deletion protection for your Amazon EC2 Auto Scaling resources". The words are those that
clients of AWS look for in its answers, and for a group that is protected iamd's.
"""

from collections.abc import Callable
from typing import Any, Final

from moto.autoscaling.exceptions import AutoscalingClientError, ValidationError
from moto.autoscaling.models import AutoScalingBackend
from moto.autoscaling.responses import AutoScalingResponse

from iamd.backend import scaling_policies
from iamd.backend.replacement import argument, replace

_UNPROTECTED: Final = "none"
_ALL: Final = "prevent-all-deletion"
_LEVELS: Final = frozenset({_UNPROTECTED, "prevent-force-deletion", _ALL})


def install() -> None:
    """Look first for the launch configuration, and for what keeps a group; correct scaling policies, too."""
    for name in ("create_auto_scaling_group", "update_auto_scaling_group", "delete_launch_configuration"):
        replace(AutoScalingBackend, name, _of_one_that_is_there)
    for name in ("create_auto_scaling_group", "update_auto_scaling_group"):
        replace(AutoScalingResponse, name, _protected)
    replace(AutoScalingResponse, "delete_auto_scaling_group", _deleted)
    scaling_policies.install()


def _of_one_that_is_there(original: Callable[..., Any]) -> Callable[..., Any]:
    parameter = (
        "launch_config_name" if original.__name__ != "delete_launch_configuration" else "launch_configuration_name"
    )

    def change(backend: Any, *given: Any, **named: Any) -> Any:
        name = argument(original, parameter, backend, *given, **named)
        if name and name not in backend.launch_configurations:
            raise ValidationError(f"Launch configuration name not found - Launch configuration {name} not found")
        return original(backend, *given, **named)

    return change


def _protected(original: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def change(response: Any) -> Any:
        given = response._get_param("DeletionProtection")  # noqa: SLF001 - moto's responses have no other way
        if given is not None and given not in _LEVELS:
            # SECURITY: moto checks no parameter by its model, and a word that is none would protect from nothing.
            raise ValidationError(f"{given} is no level of deletion protection")
        answer = original(response)
        group = response.autoscaling_backend.autoscaling_groups[response._get_param("AutoScalingGroupName")]  # noqa: SLF001
        # Answers are made of what groups have under such names.
        group.deletion_protection = given or _level(group)
        return answer

    return change


def _level(group: Any) -> str:
    level: str = getattr(group, "deletion_protection", _UNPROTECTED)
    return level


def _deleted(original: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def delete_auto_scaling_group(response: Any) -> Any:
        name, is_forced = response._get_param("AutoScalingGroupName"), response._get_bool_param("ForceDelete", False)  # noqa: SLF001
        group = response.autoscaling_backend.autoscaling_groups.get(name)
        if group is not None:
            _check_deletable(group, is_forced=is_forced)
        return original(response)

    return delete_auto_scaling_group


def _check_deletable(group: Any, *, is_forced: bool) -> None:
    level = _level(group)
    if level == _ALL or (is_forced and level != _UNPROTECTED):
        raise ValidationError(f"AutoScalingGroup {group.name} cannot be deleted: its deletion protection is {level}")
    if group.instance_states and not is_forced:
        words = "You cannot delete an AutoScalingGroup while there are instances or pending Spot instance request(s)"
        raise AutoscalingClientError("ResourceInUse", f"{words} still in the group.")
