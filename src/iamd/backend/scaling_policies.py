"""moto's scaling policies, each held to its Auto Scaling group.

moto keeps them by name alone, whatever group a request names: what was decided on one group would delete, carry out or
replace the policy of another. AWS: Amazon EC2 Auto Scaling API Reference, DeletePolicy and ExecutePolicy.
"""

from collections.abc import Callable
from typing import Any

from moto.autoscaling.exceptions import ValidationError
from moto.autoscaling.models import AutoScalingBackend
from moto.autoscaling.responses import AutoScalingResponse
from moto.core.responses import EmptyResult

from iamd.backend.replacement import always, replace


def install() -> None:
    """Keep policies by their ARNs, which name the group, and find them by group and name, or by ARN."""
    replace(AutoScalingBackend, "put_scaling_policy", _put)
    replace(AutoScalingResponse, "delete_policy", always(_delete))
    replace(AutoScalingResponse, "execute_policy", always(_execute))


def _put(original: Callable[..., Any]) -> Callable[..., Any]:
    def put_scaling_policy(backend: Any, **given: Any) -> Any:
        policy = original(backend, **given)
        del backend.policies[policy.name]
        backend.policies[policy.arn] = policy
        return policy

    return put_scaling_policy


def _delete(response: Any) -> EmptyResult:
    for arn in _named(response):
        del response.autoscaling_backend.policies[arn]
    return EmptyResult()


def _execute(response: Any) -> EmptyResult:
    named = _named(response)
    if not named:
        raise ValidationError("There is no such scaling policy.")
    for arn in named:
        response.autoscaling_backend.policies[arn].execute()
    return EmptyResult()


def _named(response: Any) -> list[str]:
    """The ARNs of the policies that a request names: of its group, or of any when it names none."""
    given = response._get_params()  # noqa: SLF001 - as moto's own handlers read them
    name, group = given.get("PolicyName"), given.get("AutoScalingGroupName")
    return [
        arn
        for arn, policy in response.autoscaling_backend.policies.items()
        if name in {arn, policy.name} and group in {None, policy.auto_scaling_group_name}
    ]
