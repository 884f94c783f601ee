"""The policy simulator: what policies would say to requests that nobody makes, decided by the engine itself.

AWS: IAM API Reference, SimulateCustomPolicy and SimulatePrincipalPolicy; IAM User Guide, "IAM policy testing with the
IAM policy simulator" (access_policies_testing-policies).
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from iamd import arn
from iamd.auth.sealing import SealError
from iamd.call import Call
from iamd.policy.context_keys import context_keys
from iamd.policy.evaluate import Levels
from iamd.policy.request import Context, lower
from iamd.services.iam import arns, simulated_callers, simulated_policies
from iamd.services.iam.context_entries import context_of
from iamd.services.iam.errors import InvalidInput
from iamd.services.iam.policy_exclusions import Exclusions
from iamd.services.iam.simulated_callers import Caller
from iamd.services.iam.simulated_policies import Simulated
from iamd.services.iam.simulated_requests import EVERY_RESOURCE, Scenario
from iamd.services.iam.simulation_results import result
from iamd.services.paging import DEFAULT_MAX_ITEMS
from iamd.services.registry import reading

WORK: Final = 100_000
"""The comparisons of one answer.

SECURITY: an answer is made at once, and others wait for it; what would take longer goes to the next page.
"""

RUN_INSTANCES: Final = "ec2:runinstances"
SCENARIOS: Final = frozenset(
    {"EC2-VPC-InstanceStore", "EC2-VPC-InstanceStore-Subnet", "EC2-VPC-EBS", "EC2-VPC-EBS-Subnet"}
    | {"EC2-Classic-InstanceStore", "EC2-Classic-EBS"}
)
"""The values of ResourceHandlingOption."""


@reading(on=arns.anything, is_long=True)
def simulate_custom_policy(
    call: Call,
    *,
    policy_input_list: list[str],
    action_names: list[str],
    permissions_boundary_policy_input_list: list[str] | None = None,
    ordered_organization_policy_input_list: list[dict[str, Any]] | None = None,
    resource_arns: list[str] | None = None,
    resource_policy: str | None = None,
    resource_owner: str | None = None,
    caller_arn: str | None = None,
    context_entries: list[dict[str, Any]] | None = None,
    resource_handling_option: str | None = None,
    max_items: int | None = None,
    marker: str | None = None,
) -> dict[str, Any]:
    """Simulate requests under policies that the request holds."""
    if resource_policy is not None and caller_arn is None:
        raise InvalidInput("Invalid caller - Caller cannot be null or empty.")
    scenario = _scenario(
        call,
        identity=simulated_policies.given(policy_input_list),
        boundary=simulated_policies.given_boundary(permissions_boundary_policy_input_list or ()),
        organization=simulated_policies.given_organization(ordered_organization_policy_input_list),
        caller=simulated_callers.caller(caller_arn) if caller_arn is not None else None,
        resource_policy=resource_policy,
        resource_owner=resource_owner,
        resources=resource_arns,
        entries=context_entries,
    )
    _check_handling(resource_handling_option, action_names, scenario)
    return _page(call, scenario, action_names, max_items, marker)


@reading(on=simulated_callers.simulated, is_long=True)
def simulate_principal_policy(
    call: Call,
    *,
    policy_source_arn: str,
    action_names: list[str],
    policy_input_list: list[str] | None = None,
    permissions_boundary_policy_input_list: list[str] | None = None,
    policy_exclusion_list: list[dict[str, Any]] | None = None,
    resource_arns: list[str] | None = None,
    resource_policy: str | None = None,
    resource_owner: str | None = None,
    caller_arn: str | None = None,
    context_entries: list[dict[str, Any]] | None = None,
    resource_handling_option: str | None = None,
    max_items: int | None = None,
    marker: str | None = None,
) -> dict[str, Any]:
    """Simulate requests under the policies of a user, group or role, with those that the request holds.

    AWS: where the account is a member of an organization, its SCPs count, too (IAM API Reference,
    OrganizationsDecisionDetail).
    """
    source = simulated_callers.source(call, policy_source_arn)
    exclusions = Exclusions(policy_exclusion_list or ())
    given = simulated_policies.given_boundary(permissions_boundary_policy_input_list or ())
    scenario = _scenario(
        call,
        identity=[
            *simulated_policies.attached(call.account, source, exclusions),
            *simulated_policies.given(policy_input_list or ()),
        ],
        boundary=given or simulated_policies.attached_boundary(call.account, source, exclusions),
        organization=None if exclusions.organization else simulated_policies.attached_organization(call, source),
        caller=simulated_callers.caller(caller_arn)
        if caller_arn is not None
        else simulated_callers.caller_from(call.account, source),
        resource_policy=resource_policy,
        resource_owner=resource_owner,
        resources=resource_arns,
        entries=context_entries,
    )
    _check_handling(resource_handling_option, action_names, scenario)
    return _page(call, scenario, action_names, max_items, marker)


def _scenario(
    call: Call,
    *,
    identity: Sequence[Simulated],
    boundary: Simulated | None,
    organization: Levels | None,
    caller: Caller | None,
    resource_policy: str | None,
    resource_owner: str | None,
    resources: Sequence[str] | None,
    entries: Sequence[Mapping[str, Any]] | None,
) -> Scenario:
    given = context_of(entries or ())
    of_resource = simulated_policies.given_resource_policy(resource_policy)
    account = call.identity.account_id
    scenario = Scenario(
        identity=identity,
        boundary=boundary,
        resource_policy=of_resource,
        organization=organization,
        caller=caller,
        owner=_owner(resource_owner, caller.account if caller is not None else account),
        resources=_resources(resources or ()),
        context=(caller.keys if caller is not None else simulated_callers.keys_of_nobody(account)) | given,
        missing=_missing([*identity, boundary, of_resource], given),
    )
    _check_resource_policy(scenario)
    return scenario


def _owner(resource_owner: str | None, otherwise: str) -> str:
    if resource_owner is None:
        return otherwise
    parsed = arn.parse(resource_owner)
    if parsed is None or parsed.service != "iam" or not simulated_callers.is_account(parsed.account):
        raise InvalidInput(f"'{resource_owner}' is not a valid as a Resource Owner.")
    return parsed.account


def _resources(resource_arns: Sequence[str]) -> Sequence[str]:
    if list(resource_arns) in ([], [EVERY_RESOURCE]):
        return (EVERY_RESOURCE,)
    for resource in resource_arns:
        if arn.parse(resource) is None:
            raise InvalidInput(f"ResourceNames are not in a valid ARN format: {resource}.")
    return resource_arns


def _missing(policies: Sequence[Simulated | None], given: Context) -> Sequence[str]:
    """The keys that the policies speak of and no entry gives, those too that AWS fills in by itself."""
    named = dict.fromkeys(key for one in policies if one is not None for key in context_keys(one.policy))
    return [key for key in named if lower(key) not in given]


def _check_resource_policy(scenario: Scenario) -> None:
    """Refuse a resource-based policy without resources that it is for.

    AWS: it "must be applicable to all of the resources included in the simulation" (IAM API Reference, ResourceArns).
    """
    if scenario.resource_policy is None:
        return
    if not scenario.names_resources:
        raise InvalidInput(f"Invalid Entity Arn: {EVERY_RESOURCE} does not clearly define entity type and name.")
    simulated_policies.check_resources(scenario.resource_policy)
    patterns = [one for statement in scenario.resource_policy.policy.statements for one in statement.patterns]
    for resource in scenario.resources:
        if not any(one.test(resource, scenario.context) or "${" in one.text for one in patterns):
            raise InvalidInput(f"The resource policy is not applicable to the resource: {resource}.")


def _check_handling(option: str | None, actions: Sequence[str], scenario: Scenario) -> None:
    """Refuse a ResourceHandlingOption that is for none of the actions; without ARNs it is for nothing, as on AWS."""
    if option is None or not scenario.names_resources:
        return
    others = [action for action in actions if lower(action) != RUN_INSTANCES or option not in SCENARIOS]
    if others:
        raise InvalidInput(
            "Invalid input resource handling options. Action does not support resource handling options: "
            f"{others[0]}. Please refer to the documentation for more details: "
            "https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulateCustomPolicy.html"
        )


def _page(
    call: Call, scenario: Scenario, actions: Sequence[str], max_items: int | None, marker: str | None
) -> dict[str, Any]:
    """The results of as many actions as one answer has room for; AWS, too, may give fewer than MaxItems."""
    _check_actions(actions)
    each = scenario.effort * len(scenario.resources)
    if each > WORK:
        raise InvalidInput("The policies, resources and context entries are too many for one simulation.")
    start = _opened(call, marker)
    end = min(len(actions), start + min(max_items or DEFAULT_MAX_ITEMS, WORK // each))
    results = [result(scenario, action) for action in actions[start:end]]
    if end >= len(actions):
        return {"EvaluationResults": results, "IsTruncated": False}
    sealed = call.keyring.seal_text("marker", _bound(call), str(end).encode())
    return {"EvaluationResults": results, "IsTruncated": True, "Marker": sealed}


def _check_actions(actions: Sequence[str]) -> None:
    if not all(prefix and name for prefix, _, name in (action.partition(":") for action in actions)):
        raise InvalidInput("The action is invalid since it is missing names")


def _bound(call: Call) -> Sequence[str]:
    return (call.identity.account_id, call.identity.user_id, call.service, call.operation)


def _opened(call: Call, marker: str | None) -> int:
    """Where the marker goes on: a place in the list of actions, which AWS, too, does not bind to what is simulated."""
    if marker is None:
        return 0
    try:
        return int(call.keyring.open_text("marker", _bound(call), marker))
    except SealError:
        raise InvalidInput("Invalid marker for pagination.") from None
