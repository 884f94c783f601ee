"""Policy text to compiled Policy and Statement: `validate` when one is stored, `load` when one is decided on."""

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Final

from iamd.policy import syntax
from iamd.policy.conditions import Condition, condition
from iamd.policy.elements import EVERYTHING, Actions, Pattern, actions, is_action, patterns
from iamd.policy.kinds import WITHOUT_PRINCIPAL, PolicyType
from iamd.policy.malformed import SYNTAX, check
from iamd.policy.principals import MEMBERS, NOBODY, Principals, principals
from iamd.policy.syntax import RawDocument, RawStatement, SyntaxProblem
from iamd.policy.values import MalformedPolicy

__all__ = ["Effect", "MalformedPolicy", "Policy", "PolicyType", "Statement", "load", "read", "validate"]

CACHED_POLICIES = 2048
CACHED_SERVICES = 256
OWN_SERVICE = "iamd"
"""The prefix of the actions that AWS does not have."""
VARIABLES_SINCE = "2012-10-17"
VERSIONS = frozenset({VARIABLES_SINCE, "2008-10-17"})
ELEMENTS = frozenset(
    {"Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"},
)


class Effect(StrEnum):
    """What a statement does to the requests it applies to."""

    ALLOW = "Allow"
    DENY = "Deny"


class Statement:
    """One statement; it stands at text[start:end] of its policy. What no action asks for is not compiled.

    `principals` is None where everyone is meant. `defective` marks a statement with an element that should never have
    been stored.
    """

    __slots__ = (
        "_conditions", "_patterns", "_raw_conditions", "_raw_resources", "actions", "defective", "effect", "end",
        "index", "kind", "principals", "sid", "start", "substitute",
    )  # fmt: skip

    def __init__(
        self,
        *,
        index: int,
        sid: str | None,
        effect: Effect,
        actions: Actions,
        resources: tuple[list[str], bool] | None,
        principals: Principals | None,
        conditions: list[tuple[str, str, list[str]]],
        kind: PolicyType,
        substitute: bool,
        defective: bool,
        start: int,
        end: int,
    ) -> None:
        self.index = index
        self.sid = sid
        self.effect = effect
        self.actions = actions
        self.principals = principals
        self.kind = kind
        self.substitute = substitute
        self.defective = defective
        self.start = start
        self.end = end
        self._raw_resources = resources
        self._raw_conditions = conditions
        self._patterns: tuple[Pattern, ...] | None = None
        self._conditions: tuple[Condition, ...] | None = None

    @property
    def patterns(self) -> tuple[Pattern, ...]:
        """What it is for: one pattern must match; a trust policy's statement is for its role."""
        if self._patterns is None:
            self._patterns = self._compiled_patterns()
        return self._patterns

    def _compiled_patterns(self) -> tuple[Pattern, ...]:
        if self._raw_resources is None:
            return EVERYTHING
        texts, inverted = self._raw_resources
        return patterns(texts, self.kind, inverted=inverted, substitute=self.substitute)

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """Its conditions, all of which must hold."""
        if self._conditions is None:
            self._conditions = tuple(
                condition(operator, key, values, substitute=self.substitute)
                for operator, key, values in self._raw_conditions
            )
        return self._conditions


@dataclass(frozen=True, slots=True, eq=False)
class Policy:
    """A compiled document; `unreadable` says why it could not be read, and then its one statement denies everything."""

    kind: PolicyType
    text: str
    version: str
    id: str | None
    statements: tuple[Statement, ...]
    unreadable: str | None = None
    _by_service: dict[str, tuple[Statement, ...]] = field(default_factory=dict, repr=False)

    def fitting(self, action: str) -> Iterator[Statement]:
        """The statements whose Action element applies to `action`, which is in lower case, in the order of the text."""
        service = action.partition(":")[0]
        speaking = self._by_service.get(service)
        if speaking is None:
            if len(self._by_service) >= CACHED_SERVICES:
                self._by_service.clear()
            speaking = tuple(found for found in self.statements if _speaks_of(found, service))
            self._by_service[service] = speaking
        return (statement for statement in speaking if statement.actions.apply_to(action))


def _speaks_of(statement: Statement, service: str) -> bool:
    # SECURITY: who allows all but IAM and Organizations, as PowerUserAccess does, knows of no service of iamd's, which
    # gives passwords to root users. `*` and `iamd:...` allow it.
    if service == OWN_SERVICE and statement.actions.inverted and statement.effect is Effect.ALLOW:
        return False
    return statement.actions.may_apply_to(service)


def validate(text: str, kind: PolicyType) -> Policy:
    """The policy in `text`, which may be stored as `kind`, or MalformedPolicy in AWS's words."""
    _checked.document = check(text, kind)
    try:
        policy = load(text, kind)
    finally:
        _checked.document = None
    if policy.unreadable is not None:
        raise MalformedPolicy(SYNTAX)
    return policy


_checked: Final = threading.local()
"""Its `document` is what a thread has read of the text that it loads next: the checks of what is stored read it too."""


@lru_cache(maxsize=CACHED_POLICIES)
def load(text: str, kind: PolicyType) -> Policy:
    """The policy in `text`, compiled once for all who have the same text; one that cannot be read denies everything."""
    return _compiled(text, kind, getattr(_checked, "document", None))


def read(text: str, kind: PolicyType) -> Policy:
    """The same, kept by nobody: for texts that are not stored, as large as a request can be."""
    return _compiled(text, kind)


def _compiled(text: str, kind: PolicyType, raw: RawDocument | None = None) -> Policy:
    try:
        if raw is None:
            raw = syntax.read(text)
        version = _version(raw.members)
        compiled = tuple(
            _statement(statement, index, kind, substitute=version == VARIABLES_SINCE)
            for index, statement in enumerate(raw.statements)
        )
    except SyntaxProblem as problem:
        # SECURITY: never skip a policy that cannot be read: it may be the one that denies.
        return Policy(kind, text, "", None, (_deny_everything(len(text)),), str(problem))
    identifier = raw.members.get("Id")
    return Policy(kind, text, version, identifier if isinstance(identifier, str) else None, compiled)


def _version(members: Mapping[str, object]) -> str:
    # AWS: without a Version a policy is of 2008-10-17 ("Version", reference_policies_elements_version).
    version = members.get("Version", "2008-10-17")
    if not isinstance(version, str) or version not in VERSIONS:
        raise SyntaxProblem("the version is unknown")
    if not members.keys() <= {"Version", "Id"}:
        raise SyntaxProblem("an element is unknown")
    return version


def _deny_everything(end: int) -> Statement:
    return Statement(
        index=0,
        sid=None,
        effect=Effect.DENY,
        actions=actions(["*"], inverted=False),
        resources=None,
        principals=None,
        conditions=[],
        kind=PolicyType.IDENTITY,
        substitute=False,
        defective=True,
        start=0,
        end=end,
    )


def _statement(raw: RawStatement, index: int, kind: PolicyType, *, substitute: bool) -> Statement:
    members = raw.members
    effect = _effect(members)
    action, actions_known = _actions(members, effect)
    resource, resources_allowed = _resources(members, kind)
    principal, principals_known = _principals(members, kind, effect)
    known = members.keys() <= ELEMENTS and actions_known and resources_allowed and principals_known
    return Statement(
        index=index,
        sid=_sid(members),
        effect=effect,
        actions=action,
        resources=resource,
        principals=principal,
        conditions=_conditions(members.get("Condition", {})),
        kind=kind,
        substitute=substitute,
        defective=not known,
        start=raw.start,
        end=raw.end,
    )


def _effect(members: Mapping[str, object]) -> Effect:
    effect = members.get("Effect")
    if effect == Effect.ALLOW:
        return Effect.ALLOW
    if effect == Effect.DENY:
        return Effect.DENY
    raise SyntaxProblem("the effect is neither Allow nor Deny")


def _sid(members: Mapping[str, object]) -> str | None:
    sid = members.get("Sid")
    return sid if isinstance(sid, str) else None


def _one_of(members: Mapping[str, object], name: str) -> tuple[object, bool] | None:
    """The value of `name` or of `Not` + `name`, and whether it is the latter; None when there is neither."""
    inverted = f"Not{name}"
    if name in members and inverted in members:
        raise SyntaxProblem(f"{name} and {inverted} stand together")
    if inverted in members:
        return members[inverted], True
    return (members[name], False) if name in members else None


def _strings_of(members: Mapping[str, object], name: str) -> tuple[list[str], bool]:
    found = _one_of(members, name)
    values = syntax.strings(found[0]) if found else None
    if found is None or not values:
        raise SyntaxProblem(f"{name} is missing, or is no string or list of strings")
    return values, found[1]


def _actions(members: Mapping[str, object], effect: Effect) -> tuple[Actions, bool]:
    patterns, inverted = _strings_of(members, "Action")
    if all(map(is_action, patterns)):
        return actions(patterns, inverted=inverted), True
    # SECURITY: a Deny whose actions cannot be told denies them all.
    return (actions(["*"] if effect is Effect.DENY else [], inverted=False)), False


def _resources(members: Mapping[str, object], kind: PolicyType) -> tuple[tuple[list[str], bool] | None, bool]:
    if kind is PolicyType.TRUST:
        return None, _one_of(members, "Resource") is None
    return _strings_of(members, "Resource"), True


def _principals(members: Mapping[str, object], kind: PolicyType, effect: Effect) -> tuple[Principals | None, bool]:
    found = _one_of(members, "Principal")
    if kind in WITHOUT_PRINCIPAL:
        return None, found is None
    if found is None:
        # A statement without Principal speaks of nobody; an RCP always means everyone.
        return (None, False) if kind is PolicyType.RCP else (NOBODY, True)
    entries = principal_entries(found[0])
    if kind is PolicyType.RCP and entries == [("AWS", "*")] and not found[1]:
        # SECURITY: RCPs bind AWS's services too, whichever way everyone is written.
        return None, True
    if all(name in {*MEMBERS, "*"} for name, _ in entries):
        return principals(entries, inverted=found[1]), True
    # SECURITY: a Deny for principals of an unknown kind denies everyone.
    return (None if effect is Effect.DENY else NOBODY), False


def principal_entries(element: object) -> list[tuple[str, str]]:
    """The (member, value) pairs of a Principal element; the bare `"*"` is ("*", "*")."""
    if element == "*":
        return [("*", "*")]
    if not isinstance(element, dict) or not element:
        raise SyntaxProblem("Principal is neither `*` nor an object")
    entries: list[tuple[str, str]] = []
    for name, value in element.items():
        values = syntax.strings(value)
        if values is None:
            raise SyntaxProblem("a principal is no string or list of strings")
        entries += [(name, item) for item in values]
    return entries


def _conditions(element: object) -> list[tuple[str, str, list[str]]]:
    """The operator, key and values of each entry."""
    if not isinstance(element, dict):
        raise SyntaxProblem("Condition is no object")
    found: list[tuple[str, str, list[str]]] = []
    for operator, entries in element.items():
        if not isinstance(entries, dict):
            raise SyntaxProblem("a condition is no object")
        for key, value in entries.items():
            values = syntax.scalars(value)
            if values is None:
                raise SyntaxProblem("a condition's value is no string, number or boolean, or list of them")
            found.append((operator, key, values))
    return found
