"""Stack policies: which resources of a stack an update may change, replace or remove.

AWS: CloudFormation User Guide, "Prevent updates to stack resources" (protect-stack-resources). A stack without a policy
protects nothing; with one, what no statement allows is denied.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final

import msgspec

from iamd.policy import elements, syntax, wildcard
from iamd.policy.conditions import Condition, condition
from iamd.policy.elements import Actions
from iamd.policy.request import lower
from iamd.stacks.faults import ValidationError

LONGEST: Final = 16384
"""AWS: API Reference, SetStackPolicy: the length of StackPolicyBody, and of what StackPolicyURL names."""

_INVALID: Final = "Error validating stack policy: Invalid stack policy"
_DOCUMENT: Final = frozenset({"Version", "Id", "Statement"})
_STATEMENT: Final = frozenset(
    {"Sid", "Effect", "Principal", "Action", "NotAction", "Resource", "NotResource", "Condition"}
)
_PREFIX: Final = "LogicalResourceId/"
_KEY: Final = "resourcetype"
_OPERATORS: Final = frozenset({"StringEquals", "StringLike"})


class Update(StrEnum):
    """What an update does to a resource that is there."""

    MODIFY = "Update:Modify"
    REPLACE = "Update:Replace"
    DELETE = "Update:Delete"


_ACTIONS: Final = frozenset({*(lower(one) for one in Update), "update:*"})


class Denied(Exception):
    """The stack's policy does not let an update do this."""


class _Statement(msgspec.Struct, frozen=True):
    allows: bool
    actions: Actions
    resources: tuple[str, ...]
    is_inverted: bool
    conditions: tuple[Condition, ...]
    words: str
    """What a denial says of it."""

    def applies(self, update: Update, logical_id: str, type: str) -> bool:
        return (
            self.actions.apply_to(lower(update))
            and self._is_for(f"{_PREFIX}{logical_id}")
            # SECURITY: what can't be told does not hold in an Allow, and holds in a Deny.
            and all(self._holds(one.test({_KEY: type})) for one in self.conditions)
        )

    def _is_for(self, resource: str) -> bool:
        return any(wildcard.matches(pattern, resource) for pattern in self.resources) is not self.is_inverted

    def _holds(self, found: bool | None) -> bool:
        return not self.allows if found is None else found


def check(policy: str | None, update: Update, logical_id: str, type: str) -> None:
    """Raise Denied unless a stack with this policy lets an update do that to one of its resources."""
    statements = _read(policy) if policy is not None else None
    if statements is None:
        return
    for number, statement in enumerate(statements):
        if not statement.allows and statement.applies(update, logical_id, type):
            raise Denied(f"Action denied by stack policy: Statement [#{number}] does not allow {statement.words};")
    if not any(statement.allows and statement.applies(update, logical_id, type) for statement in statements):
        raise Denied("Action not allowed by stack policy")


def validate(text: str) -> None:
    """Raise ValidationError unless a text may be a stack's policy."""
    _read(text)


@lru_cache(maxsize=64)
def _read(text: str) -> tuple[_Statement, ...] | None:
    """The statements of a policy; None for one without any, which protects nothing.

    That `{}` is taken, and lets updates through, is seen in AWS's answers.
    """
    try:
        content = msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValidationError(_INVALID) from error
    if not content:
        return None
    statements = content.get("Statement")
    found = [statements] if isinstance(statements, Mapping) else statements
    if not content.keys() <= _DOCUMENT or not isinstance(found, list) or not found:
        raise ValidationError(_INVALID)
    return tuple(_statement(one) for one in found)


def _statement(raw: Any) -> _Statement:
    if not isinstance(raw, Mapping) or not raw.keys() <= _STATEMENT or raw.get("Effect") not in {"Allow", "Deny"}:
        raise ValidationError(_INVALID)
    if raw.get("Principal") != "*" or not isinstance(raw.get("Sid", ""), str):
        raise ValidationError(_INVALID)
    actions, excludes_actions = _texts(raw, "Action")
    resources, excludes = _texts(raw, "Resource")
    if not {lower(one) for one in actions} <= _ACTIONS:
        raise ValidationError(_INVALID)
    if not all(one == "*" or one.startswith(_PREFIX) for one in resources):
        raise ValidationError(_INVALID)
    return _Statement(
        allows=raw["Effect"] == "Allow",
        actions=elements.actions(actions, inverted=excludes_actions),
        resources=tuple(resources),
        is_inverted=excludes,
        conditions=tuple(_conditions(raw.get("Condition", {}))),
        words=f"[{', '.join(actions)}] for resource [{', '.join(resources)}]",
    )


def _texts(raw: Mapping[str, Any], name: str) -> tuple[list[str], bool]:
    """The strings of an element or of its opposite, and whether it is that one."""
    names = [one for one in (name, f"Not{name}") if one in raw]
    found = syntax.strings(raw[names[0]]) if len(names) == 1 else None
    if not found:
        raise ValidationError(_INVALID)
    return found, names[0] != name


def _conditions(raw: Any) -> Sequence[Condition]:
    if not isinstance(raw, Mapping) or not raw.keys() <= _OPERATORS:
        raise ValidationError(_INVALID)
    found = []
    for operator, entries in raw.items():
        if not isinstance(entries, Mapping) or {lower(key) for key in entries} != {_KEY}:
            raise ValidationError(_INVALID)
        for key, value in entries.items():
            values = syntax.strings(value)
            if not values:
                raise ValidationError(_INVALID)
            found.append(condition(operator, key, values, substitute=False))
    return found
