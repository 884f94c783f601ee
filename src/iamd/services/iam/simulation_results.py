"""The result of one simulated action, as the IAM API has it.

AWS: IAM API Reference, EvaluationResult and ResourceSpecificResult. Which members are there when, and SourcePolicyType,
are seen in AWS's answers.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from iamd.data import service_reference
from iamd.data.service_reference import ResourceType
from iamd.policy.decision import Layer, Match
from iamd.policy.explain import LayerResult
from iamd.policy.positions import Position, simulator_span
from iamd.services.iam.simulated_requests import (
    EVERY_RESOURCE,
    Decided,
    Decision,
    Scenario,
    allows,
    decided,
    most_restrictive,
)

POLICY_TYPES: Final[Mapping[Layer, str]] = {
    Layer.IDENTITY: "IAM Policy",
    Layer.RESOURCE: "Resource Policy",
    Layer.BOUNDARY: "Permissions Boundary Policy",
}

AWS_FORMS: Final[Mapping[str, str]] = {
    "arn:aws:s3:::${BucketName}/${ObjectName}": "arn:aws:s3:::${BucketName}/${KeyName}"
}
"""The forms that AWS was seen to write otherwise than its Service Authorization Reference."""


def result(scenario: Scenario, action: str) -> dict[str, Any]:
    """The action's result: the most restrictive decision of its resources, and each by itself."""
    found = [decided(scenario, action, resource) for resource in scenario.resources]
    shown = {match: _statement(scenario, match) for match in dict.fromkeys(m for one in found for m in one.matched)}
    missing = dict.fromkeys(key for one in found for key in _missing(scenario, one))
    return {
        "EvalActionName": action,
        "EvalResourceName": _resource_name(scenario, action),
        "EvalDecision": most_restrictive([one.decision for one in found]),
        "MatchedStatements": list(shown.values()),
        "MissingContextValues": list(missing),
        **_organization(scenario, found),
        **_boundary(scenario, found),
        **_details(found),
        **_by_resource(scenario, found, shown),
    }


Shown = Mapping[Match, dict[str, Any]]
"""The statements of an action's result."""


def _by_resource(scenario: Scenario, found: Iterable[Decided], shown: Shown) -> dict[str, Any]:
    if not scenario.names_resources:
        return {}
    return {"ResourceSpecificResults": [_resource_result(scenario, one, shown) for one in found]}


def _resource_result(scenario: Scenario, one: Decided, shown: Shown) -> dict[str, Any]:
    members = {
        "EvalResourceName": one.resource,
        "EvalResourceDecision": one.decision,
        "MatchedStatements": [shown[match] for match in one.matched],
        "MissingContextValues": list(_missing(scenario, one)),
        **_details([one]),
        **_boundary(scenario, [one]),
    }
    return {name: value for name, value in members.items() if value not in ([], {})}


def _missing(scenario: Scenario, one: Decided) -> Sequence[str]:
    """The missing keys are told where they may have made the difference."""
    is_open = one.decision is Decision.IMPLICIT_DENY and not one.is_denied_by_organization
    return scenario.missing if is_open else ()


def _organization(scenario: Scenario, found: Iterable[Decided]) -> dict[str, Any]:
    if scenario.organization is None:
        return {}
    allowed = not any(one.is_denied_by_organization for one in found)
    return {"OrganizationsDecisionDetail": {"AllowedByOrganizations": allowed}}


def _boundary(scenario: Scenario, found: Iterable[Decided]) -> dict[str, Any]:
    if scenario.boundary is None:
        return {}
    allowed = all(allows(one.results, Layer.BOUNDARY) for one in found)
    return {"PermissionsBoundaryDecisionDetail": {"AllowedByPermissionsBoundary": allowed}}


def _details(found: Iterable[Decided]) -> dict[str, Any]:
    """What each type of policy says across accounts: there, but empty, within one account; of `*` there is none."""
    told = [one for one in found if one.resource != EVERY_RESOURCE and not one.is_denied_by_organization]
    if not told:
        return {}
    by_type: dict[str, list[Decision]] = {}
    for one in told:
        for layer, name in POLICY_TYPES.items():
            if one.is_cross_account and layer in one.results:
                by_type.setdefault(name, []).append(_of_layer(one.results[layer]))
    return {"EvalDecisionDetails": {name: most_restrictive(decisions) for name, decisions in by_type.items()}}


def _of_layer(layer: LayerResult) -> Decision:
    if layer.denied:
        return Decision.EXPLICIT_DENY
    return Decision.ALLOWED if layer.allowed else Decision.IMPLICIT_DENY


def _statement(scenario: Scenario, match: Match) -> dict[str, Any]:
    source = scenario.source_of(match)
    start, end = simulator_span(source.policy, match.statement)
    return {
        "SourcePolicyId": source.source_id,
        "SourcePolicyType": POLICY_TYPES[match.layer],
        "StartPosition": _place(start),
        "EndPosition": _place(end),
    }


def _place(position: Position) -> dict[str, int]:
    return {"Line": position.line, "Column": position.column}


def _resource_name(scenario: Scenario, action: str) -> str:
    """The one resource; of several the form that the action's resources have, as far as it is public."""
    if len(scenario.resources) == 1:
        return scenario.resources[0]
    prefix, _, name = action.partition(":")
    reference, known = service_reference.service(prefix), service_reference.action(prefix, name)
    if reference is None or known is None:
        return EVERY_RESOURCE
    types = [reference.resource_type(one.name) for one in sorted(known.resources, key=lambda one: not one.required)]
    return _form([one for one in types if one is not None], scenario.resources[0])


def _form(types: Sequence[ResourceType], resource: str) -> str:
    fitting = [one for one in types if one.names(resource)] or types
    if not fitting:
        return EVERY_RESOURCE
    form = fitting[0].arn.replace("${Partition}", "aws")
    return AWS_FORMS.get(form, form)
