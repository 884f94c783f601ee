"""Whether a caller could grant what a delegation request asks for: an estimate, as AWS's is.

AWS: IAM API Reference, GetDelegationRequest, PermissionCheckResult: the result is approximate, and UNSURE mostly where
the caller's permissions have conditions.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from iamd.authz import policies
from iamd.authz.authorize import Caller, caller_of
from iamd.call import Call
from iamd.data import service_reference
from iamd.policy import wildcard
from iamd.policy.evaluate import decide
from iamd.policy.request import Request
from iamd.services.iam import template_values

MAX_ACTIONS: Final = 1000
"""How many actions on resources are looked at; more are unsure."""


def result(call: Call, policy: str) -> str:
    """ALLOWED or DENIED, or UNSURE where it depends on what only a request would tell."""
    statements = [statement for statement in _statements(policy) if statement["Effect"] == "Allow"]
    if any("Condition" in one or "NotAction" in one or "NotResource" in one for one in statements):
        return "UNSURE"
    asked = [pair for statement in statements for pair in _asked(statement)]
    if len(asked) > MAX_ACTIONS or _has_conditions(call):
        return "UNSURE"
    caller = caller_of(call.identity, call.view, call.now)
    return "ALLOWED" if all(_may(call, caller, *pair) for pair in asked) else "DENIED"


def _may(call: Call, caller: Caller, action: str, resource: str) -> bool:
    account_id = call.identity.account_id
    return decide(Request(caller.principal, action, resource, account_id, caller.context), caller.layers).allowed


def _asked(statement: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for pattern in _listed(statement["Action"]):
        for action in _actions(pattern):
            for resource in _listed(statement["Resource"]):
                yield action, resource


def _actions(pattern: str) -> list[str]:
    """The actions that a pattern names; one of a service that nobody knows is asked for as it stands."""
    prefix, _, name = pattern.partition(":")
    service = service_reference.service(prefix.lower())
    if service is None or not wildcard.has_wildcard(name):
        return [pattern]
    matching = [one.name for lower, one in service.actions.items() if wildcard.matches(name.lower(), lower)]
    return [f"{prefix}:{one}" for one in matching]


def _has_conditions(call: Call) -> bool:
    account, entity = call.account, policies.entity_of(call.identity, call.view)
    if entity is None:
        return False
    texts = [source.text for source in policies.sources(account, entity)]
    if entity.permissions_boundary is not None:
        texts.append(policies.document_of(account, entity.permissions_boundary))
    return any("Condition" in statement for text in texts for statement in _statements(text))


def _statements(policy: str) -> list[Mapping[str, Any]]:
    found = template_values.parsed(policy)["Statement"]
    return found if isinstance(found, list) else [found]


def _listed(value: str | list[str]) -> list[str]:
    return value if isinstance(value, list) else [value]
