"""moto's Auto Scaling groups: a launch configuration that is not there is refused as on AWS.

moto fails on it, or deletes it without a word. AWS: Amazon EC2 Auto Scaling API Reference, CreateAutoScalingGroup and
UpdateAutoScalingGroup, LaunchConfigurationName; the words are those that clients of AWS look for in its answers.
"""

from collections.abc import Callable
from typing import Any

from moto.autoscaling.exceptions import ValidationError
from moto.autoscaling.models import AutoScalingBackend

from iamd.backend import scaling_policies
from iamd.backend.replacement import argument, replace


def install() -> None:
    """Look for the launch configuration before anything is done; correct the groups' scaling policies, too."""
    for name in ("create_auto_scaling_group", "update_auto_scaling_group", "delete_launch_configuration"):
        replace(AutoScalingBackend, name, _of_one_that_is_there)
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
