"""Encoded authorization messages: the details of a denial, sealed so that only its account can have them decoded.

AWS: STS API Reference, DecodeAuthorizationMessage. The members are those of messages that AWS decoded: the statements
that deny (none of an implicit denial), and as context who asked what, with the keys of the service and its resource.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from iamd import arn
from iamd.auth.sealing import Keyring
from iamd.authz import explanations
from iamd.authz.authorize import Verdict
from iamd.data import service_reference
from iamd.policy import syntax
from iamd.policy.decision import Layer, Match, Outcome
from iamd.policy.document import principal_entries
from iamd.policy.explain import determining, explain
from iamd.policy.request import Context, PrincipalKind, lower
from iamd.policy.syntax import SyntaxProblem

PURPOSE: Final = "authorization message"

MAX_CHARACTERS: Final = 10240
"""AWS: the longest EncodedMessage that DecodeAuthorizationMessage takes (STS API Reference)."""

BLOCK: Final = 256
"""The text is filled up to a multiple of this, so that a message's length tells little of the policies in it."""

WITHOUT_PREFIX: Final = frozenset({"ec2:RunInstances"})
"""The actions that a decoded message names without their service's prefix.

AWS: STS API Reference and AWS CLI, decode-authorization-message, the example's `"action":"RunInstances"`.
"""

_OF_TAGS: Final = ("aws:requesttag/", "aws:resourcetag/", "aws:tagkeys")

Items = dict[str, list[Any]]


def encoded(verdict: Verdict, keyring: Keyring) -> str | None:
    """The details of a denial, for the caller's account; None when not even the shortest fit into a message."""
    statements, keys = list(_statements(verdict)), _keys(verdict)
    for details in (_details(verdict, statements, keys), _details(verdict, statements, {}), _details(verdict, (), {})):
        text = json.dumps(details, separators=(",", ":"), ensure_ascii=False).encode()
        # SECURITY: no compression: the caller chooses parts of the text, and the length would tell of the others.
        filled = text.ljust(-(-len(text) // BLOCK) * BLOCK)
        sealed = keyring.seal_text(PURPOSE, [verdict.identity.account_id], filled)
        if len(sealed) <= MAX_CHARACTERS:
            return sealed
    return None


def decoded(message: str, account_id: str, keyring: Keyring) -> str:
    """The JSON text of a message that was encoded for this account; SealError for anything else."""
    return keyring.open_text(PURPOSE, [account_id], message).decode().rstrip(" ")


def _details(
    verdict: Verdict, statements: Iterable[Mapping[str, Any]], keys: Mapping[str, Iterable[str]]
) -> dict[str, Any]:
    return {
        "allowed": verdict.decision.allowed,
        "explicitDeny": verdict.decision.outcome is Outcome.EXPLICITLY_DENIED,
        "matchedStatements": _items(statements),
        "failures": _items(()),
        "context": {
            "principal": _principal(verdict),
            "action": _action(verdict.request.action),
            "resource": verdict.request.resource,
            "conditions": _conditions(keys),
        },
    }


def _items(found: Iterable[Any]) -> Items:
    return {"items": list(found)}


def _values(found: Iterable[str]) -> Items:
    return _items({"value": value} for value in found)


def _conditions(found: Mapping[str, Iterable[str]]) -> Items:
    return _items({"key": key, "values": _values(values)} for key, values in found.items())


def _principal(verdict: Verdict) -> dict[str, str]:
    identity = verdict.identity
    named = {"name": identity.name} if identity.kind is PrincipalKind.USER and identity.name is not None else {}
    return {"id": identity.user_id, **named, "arn": identity.arn}


def _action(action: str) -> str:
    return action.partition(":")[2] if action in WITHOUT_PREFIX else action


def _statements(verdict: Verdict) -> Iterator[dict[str, Any]]:
    if verdict.decision.outcome is not Outcome.EXPLICITLY_DENIED:
        return
    found = determining(explain(verdict.request, verdict.layers))
    for match in explanations.shown_matches(verdict, found):
        yield _statement(verdict, match)


def _statement(verdict: Verdict, match: Match) -> dict[str, Any]:
    written = _written(verdict, match)
    return {
        "statementId": match.statement.sid or "",
        "effect": match.statement.effect.upper(),
        "principals": _values(_principals(verdict, match, written)),
        "principalGroups": _items(()),
        "actions": _values(_strings(written, "Action", "NotAction")),
        "resources": _values(_strings(written, "Resource", "NotResource")),
        "conditions": _conditions(_tested(written)),
    }


def _written(verdict: Verdict, match: Match) -> Mapping[str, Any]:
    """The statement as it was written; nothing of a policy that cannot be read, which denies everything."""
    try:
        return syntax.read(verdict.layers.policy_of(match).text).statements[match.statement.index].members
    except SyntaxProblem:
        return {}


def _strings(written: Mapping[str, Any], *names: str) -> list[str]:
    return [value for name in names for value in syntax.strings(written.get(name, [])) or ()]


def _principals(verdict: Verdict, match: Match, written: Mapping[str, Any]) -> list[str]:
    """Whom the statement speaks of: of a policy without Principal the user or role that has it, by its id."""
    if match.layer not in explanations.OWNERS_LAYERS | {Layer.ENDPOINT}:
        return [verdict.identity.entity_id or verdict.identity.account_id]
    element = written.get("Principal", written.get("NotPrincipal"))
    return [value for _, value in principal_entries(element)] if element is not None else []


def _tested(written: Mapping[str, Any]) -> dict[str, list[str]]:
    """The keys of the Condition element, each with its values of all operators."""
    found: dict[str, list[str]] = {}
    for entries in written.get("Condition", {}).values():
        for key, value in entries.items():
            found.setdefault(key, []).extend(syntax.scalars(value) or ())
    return found


def _keys(verdict: Verdict) -> dict[str, list[str]]:
    """The keys that AWS shows: the resource's parts, and those of the request that are the service's own or tags."""
    request = verdict.request
    service = lower(request.action).partition(":")[0]
    shown = explanations.shown_keys(verdict)
    own = {key: value for key, value in shown.items() if key.startswith((f"{service}:", *_OF_TAGS))}
    return _of_resource(request.resource) | _spelled(own, service)


def _spelled(keys: Context, service: str) -> dict[str, list[str]]:
    """The keys as AWS spells them; the names of tags stay as they are known here, in lower case."""
    reference = service_reference.service(service)
    return {
        reference.spelling(key) if reference is not None else key: [value] if isinstance(value, str) else list(value)
        for key, value in sorted(keys.items())
    }


def _of_resource(resource: str) -> dict[str, list[str]]:
    parsed = arn.parse(resource)
    if parsed is None:
        return {}
    parts = {
        "aws:Region": parsed.region,
        "aws:Service": parsed.service,
        "aws:Resource": parsed.resource,
        "aws:Type": parsed.resource.partition("/")[0],
        "aws:Account": parsed.account,
        "aws:ARN": resource,
    }
    return {key: [value] for key, value in parts.items() if value}
