"""The condition keys that policies speak of: what a simulation of them needs.

AWS: IAM API Reference, GetContextKeysForCustomPolicy and GetContextKeysForPrincipalPolicy.
"""

from collections.abc import Iterable
from typing import Any

from iamd.call import Call
from iamd.policy.context_keys import context_keys
from iamd.services.iam import arns, simulated_callers, simulated_policies
from iamd.services.iam.policy_exclusions import Exclusions
from iamd.services.iam.simulated_policies import Simulated
from iamd.services.registry import reading


@reading(on=arns.anything)
def get_context_keys_for_custom_policy(_call: Call, *, policy_input_list: list[str]) -> dict[str, Any]:
    """List the keys of the policies that the request holds."""
    return _answer(simulated_policies.given(policy_input_list))


@reading(on=simulated_callers.simulated)
def get_context_keys_for_principal_policy(
    call: Call, *, policy_source_arn: str, policy_input_list: list[str] | None = None
) -> dict[str, Any]:
    """List the keys of the policies of a user, group or role, and of those that the request holds."""
    source = simulated_callers.source(call, policy_source_arn)
    attached = simulated_policies.attached(call.account, source, Exclusions(()))
    return _answer([*attached, *simulated_policies.given(policy_input_list or ())])


def _answer(policies: Iterable[Simulated]) -> dict[str, Any]:
    found = dict.fromkeys(key for one in policies for key in context_keys(one.policy))
    return {"ContextKeyNames": list(found)}
