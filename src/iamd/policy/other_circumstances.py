"""Whether a request that is denied would be allowed in other circumstances: with other values of condition keys.

All conditions are taken together: those of one statement, and those of every Allow and Deny, must come out as they do
for one set of values. Values are tried that make them come out in every way (trial_outcomes.py), and the decision on
those is `decide`'s. Where the values to be tried may not be all, what they may come to besides is assumed, and what
rests on that is told as not known. What a condition says of who asks, or of whose the resource is, no circumstances
change.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from iamd.policy import variables
from iamd.policy.conditions import Condition, unknown
from iamd.policy.decision import Layer
from iamd.policy.document import Effect, Statement
from iamd.policy.elements import EVERYTHING, Pattern
from iamd.policy.evaluate import Layers, Question, decide
from iamd.policy.request import UNKNOWN, Context, PrincipalKind, Request
from iamd.policy.sets import PolicySet, Read
from iamd.policy.trial_outcomes import NETWORK, TOGETHER, Atom, Setting, Test, settings
from iamd.policy.trial_values import Bound, Changed, Use, Value

FIXED: Final = frozenset(
    {
        "aws:principalarn", "aws:principalaccount", "aws:principalorgid", "aws:principalorgpaths", "aws:principaltype",
        "aws:principalisawsservice", "aws:principalservicename", "aws:principalservicenameslist", "aws:username",
        "aws:resourceaccount", "aws:resourceorgid", "aws:resourceorgpaths", "kms:calleraccount", "s3:resourceaccount",
    }
)  # fmt: skip
"""The keys whose values a principal and a resource have once and for all, as far as these are known.

AWS: IAM User Guide, "AWS global condition context keys", "Properties of the principal" and "Properties of the resource"
(reference_policies_condition-keys). Tags change, and `aws:userid` has a session's name in it.
"""

_OF_SOURCES: Final = frozenset({"aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid", "aws:sourceorgpaths"})
"""AWS: only what a service asks for itself has these (reference_policies_condition-keys, "Availability")."""
_WITHOUT_SESSION: Final = frozenset({PrincipalKind.ANONYMOUS, PrincipalKind.FEDERATED, PrincipalKind.SERVICE})
_OF_SESSIONS: Final = ("aws:principaltag/", "aws:multifactorauth", "aws:tokenissuetime", "aws:sourceidentity")
_GOES_ALONG: Final = frozenset({"aws:multifactorauthpresent", "aws:viaawsservice"})
"""Those of the keys that go together (`TOGETHER`) that others need beside them."""

_MOST_STEPS: Final = 400


@dataclass(frozen=True, slots=True)
class Circumstances:
    """Other circumstances that allow a request; `changes` are None where it is not known whether there are any.

    A changed key without a value is one that the request must lack.
    """

    changes: Mapping[str, Value] | None


NO_BOUNDS: Final[Mapping[str, Bound]] = {}
_NOT_KNOWN: Final = Circumstances(None)


def allowing(
    request: Request, layers: Layers, kept: Collection[Layer] = (), bounds: Mapping[str, Bound] = NO_BOUNDS
) -> Circumstances | None:
    """Circumstances that allow a request, or None where none do.

    The layers that are `kept` are not looked into: they must allow it as it is and as it becomes. `bounds` say what is
    known of keys whose values are not.
    """
    if not decide(request, layers.changed(_assuming({}, kept, request))).allowed:
        return None
    search = _Search(request, layers, kept, _groups(request, layers, kept, bounds))
    return search.below(0, {}, {})


def _assuming(
    truths: "Mapping[object, bool | None]", kept: Collection[Layer], request: Request
) -> Callable[[PolicySet], PolicySet]:
    """The policies of a layer where the conditions come out so."""

    def read(policies: PolicySet) -> PolicySet:
        if policies.layer in kept:
            return policies
        return Read(
            policies,
            lambda statement: _may_count(statement, truths, request),
            lambda statement: _closed_conditions(statement, request),
            lambda statement: _closed_patterns(statement, request),
        )

    return read


def is_fixed(key: str, request: Request) -> bool:
    """Whether no circumstances change what the request has of a key."""
    kind = request.principal.kind
    if key == "aws:userid" and kind is not PrincipalKind.ROLE_SESSION:
        return request.context.get(key) is not UNKNOWN
    if key in _OF_SOURCES:
        return kind is not PrincipalKind.SERVICE
    if key in NETWORK and kind is PrincipalKind.SERVICE:
        # AWS: what a service asks for itself comes from no network (aws:SourceIp, "Availability").
        return True
    if kind in _WITHOUT_SESSION and key.startswith(_OF_SESSIONS):
        return True
    if kind is PrincipalKind.ROOT and key.startswith("aws:principaltag/"):
        # Nothing tags a root user.
        return True
    if key == "aws:requestedregion":
        # What is in a Region is asked for there.
        parts = request.resource.split(":", 5)
        return len(parts) == 6 and bool(parts[3])
    return key in FIXED and request.context.get(key) is not UNKNOWN


def _may_count(statement: Statement, truths: "Mapping[object, bool | None]", request: Request) -> bool:
    """Whether an Allow may apply, or a Deny must, where the conditions come out so; of others as a caller likes."""
    tests = [test for test, _ in _tests(statement, request)]
    if statement.effect is Effect.ALLOW:
        return all(truths.get(test, True) is True for test in tests)
    return all(truths.get(test, False) is not False for test in tests)


def _closed_conditions(statement: Statement, request: Request) -> list[Condition]:
    return [one for one in statement.conditions if not _is_open(one, statement, request)]


def _closed_patterns(statement: Statement, request: Request) -> tuple[Pattern, ...]:
    return EVERYTHING if _open_keys_of_patterns(statement, request) else statement.patterns


def _is_open(one: Condition, statement: Statement, request: Request) -> bool:
    """Whether circumstances can change how a condition comes out."""
    if one.test is unknown:
        return False
    return any(not is_fixed(key, request) for key in {one.key, *Use(one, statement.substitute).variables()})


def _open_keys_of_patterns(statement: Statement, request: Request) -> frozenset[str]:
    """The keys that circumstances can change and on which it rests whether a statement is for the resource."""
    if not statement.substitute:
        return frozenset()
    texts = [one.text for pattern in statement.patterns for one in (pattern.listed or (pattern,))]
    named = frozenset[str]().union(*(variables.keys(variables.parse(text)) for text in texts if "${" in text))
    return frozenset(key for key in named if not is_fixed(key, request))


def _tests(statement: Statement, request: Request) -> Iterator[tuple[object, Condition | None]]:
    """What of a statement circumstances can change: the tests of its conditions, and itself for its resources."""
    for one in statement.conditions:
        if _is_open(one, statement, request):
            yield one.test, one
    if _open_keys_of_patterns(statement, request):
        yield statement, None


@dataclass(slots=True)
class _Group:
    """Atoms that rest on the same keys, with all ways in which they come out."""

    atoms: list[Atom] = field(default_factory=list)
    settings: list[Setting] = field(default_factory=list)


class _Search:
    """The way through the groups, one after another; what can't be allowed any more is left at once."""

    def __init__(self, request: Request, layers: Layers, kept: Collection[Layer], groups: Sequence[_Group]) -> None:
        self._request = request
        self._layers = layers
        self._kept = kept
        self._groups = groups
        self._steps = 0

    def below(
        self, number: int, truths: dict[object, bool | None], changes: dict[str, Value] | None
    ) -> Circumstances | None:
        self._steps += 1
        if self._steps > _MOST_STEPS:
            return _NOT_KNOWN
        assumed = self._layers.changed(_assuming(truths, self._kept, self._request))
        if not decide(self._request, assumed).allowed:
            return None
        if number == len(self._groups):
            return self._checked(changes)
        found: Circumstances | None = None
        for setting in self._groups[number].settings:
            farther = None if changes is None or setting.changes is None else {**changes, **setting.changes}
            one = self.below(number + 1, {**truths, **setting.truths}, farther)
            if one is not None and one.changes is not None:
                return one
            found = found or one
        return found

    def _checked(self, changes: dict[str, Value] | None) -> Circumstances | None:
        if changes is None:
            return _NOT_KNOWN
        asked = self._request
        context = Changed(asked.context, changes)
        changed = Request(
            asked.principal, asked.action, asked.resource, asked.resource_account, context, asked.any_of_kind
        )
        if not decide(changed, self._layers).allowed:
            return None
        return Circumstances({key: value for key, value in changes.items() if not _has(asked.context, key, value)})


def _has(context: Context, key: str, value: Value) -> bool:
    present = context.get(key)
    if present is UNKNOWN:
        return False
    return present == value or (value is None and present in {None, ()})


def _groups(request: Request, layers: Layers, kept: Collection[Layer], bounds: Mapping[str, Bound]) -> list[_Group]:
    """The atoms of the statements that count for this caller and resource, those with common keys together."""
    atoms = _atoms(request, layers, kept)
    root = {key: key for atom in atoms for key in atom.keys}
    for together in TOGETHER:
        if not together.isdisjoint(root):
            root |= {key: key for key in together if key not in root and _goes_along(key, request)}

    def top(key: str) -> str:
        while root[key] != key:
            key = root[key]
        return key

    for linked in [*(atom.keys for atom in atoms), *(together.intersection(root) for together in TOGETHER)]:
        first, *others = [*linked] or [""]
        for other in others:
            root[top(other)] = top(first)
    keys: dict[str, list[str]] = {}
    for key in sorted(root):
        keys.setdefault(top(key), []).append(key)
    groups = {of: _Group() for of in keys}
    for atom in atoms:
        groups[top(next(iter(atom.keys)))].atoms.append(atom)
    for of, group in groups.items():
        group.settings = settings(keys[of], group.atoms, request, bounds, is_pruned=not kept)
    return [group for group in groups.values() if group.atoms]


def _goes_along(key: str, request: Request) -> bool:
    """Whether what a request has of a key bears on others, though no condition asks for it."""
    if is_fixed(key, request):
        return False
    present = request.context.get(key)
    return key in _GOES_ALONG or (bool(present) and present is not UNKNOWN)


def _atoms(request: Request, layers: Layers, kept: Collection[Layer]) -> list[Atom]:
    found: dict[object, Atom] = {}
    question = Question(request, layers)
    for policies in question.sets():
        if policies.layer in kept:
            continue
        for match in policies.fitting(request.action):
            statement = match.statement
            if not _may_matter(statement, request) or not question.names(statement, policies):
                continue
            for name, one in _tests(statement, request):
                atom = found.setdefault(name, _atom(name, one, statement, request))
                atom.helps |= statement.effect is Effect.ALLOW
                atom.hinders |= statement.effect is Effect.DENY
    return list(found.values())


def _atom(name: object, one: Condition | None, statement: Statement, request: Request) -> Atom:
    if one is None:
        return Atom(name, _of_resource(statement, request), _open_keys_of_patterns(statement, request), None)
    use = Use(one, statement.substitute)
    keys = frozenset(key for key in {one.key, *use.variables()} if not is_fixed(key, request))
    return Atom(name, one.test, keys, use)


def _of_resource(statement: Statement, request: Request) -> Test:
    def test(context: Context) -> bool | None:
        found = {pattern.test(request.resource, context) for pattern in statement.patterns}
        return True if True in found else None if None in found else False

    return test


def _may_matter(statement: Statement, request: Request) -> bool:
    """Whether a statement may apply, as far as circumstances don't change that."""
    is_deny = statement.effect is Effect.DENY
    if statement.defective and not is_deny:
        return False
    fits = [pattern.test(request.resource, request.context) for pattern in statement.patterns]
    if not (True in fits or (is_deny and None in fits) or _open_keys_of_patterns(statement, request)):
        return False
    held = [one.test(request.context) for one in statement.conditions if not _is_open(one, statement, request)]
    return False not in held if is_deny else all(one is True for one in held)
