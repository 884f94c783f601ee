"""Whether a request that is denied would be allowed in other circumstances: with other values of condition keys.

All conditions are taken together: those of one statement, and those of every Allow and Deny, must come out as they do
for one set of values. Values are tried that make them come out in every way (trial_values.py), and the decision on
those is `decide`'s. Where the values to be tried may not be all, what they may come to besides is assumed, and what
rests on that is told as not known. What a condition says of who asks, or of whose the resource is, no circumstances
change.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice, product
from typing import Final

from iamd.policy import variables
from iamd.policy.conditions import Condition, Quantifier, unknown
from iamd.policy.decision import Layer
from iamd.policy.document import Effect, Statement
from iamd.policy.elements import EVERYTHING, Pattern
from iamd.policy.evaluate import Layers, Question, decide
from iamd.policy.operators import moment
from iamd.policy.request import UNKNOWN, Context, PrincipalKind, Request
from iamd.policy.sets import PolicySet, Read
from iamd.policy.telling_texts import glob
from iamd.policy.trial_values import OTHER, Bound, Changed, Trials, Use, Value, iso_of, moments, of_key, written_out
from iamd.policy.wildcard import Wild

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

_CLOCK: Final = frozenset({"aws:currenttime", "aws:epochtime"})
_MFA: Final = frozenset({"aws:multifactorauthage", "aws:multifactorauthpresent", "aws:tokenissuetime"})
_NETWORK: Final = frozenset({"aws:sourceip", "aws:sourcevpc", "aws:sourcevpce", "aws:sourcevpcarn", "aws:vpcsourceip"})
_VIA: Final = frozenset({"aws:calledvia", "aws:viaawsservice"})
_WHO: Final = frozenset({"aws:principalaccount", "aws:principalarn", "kms:calleraccount"})
TOGETHER: Final = (_CLOCK, _MFA, _NETWORK, _VIA, _WHO)
"""Keys of which a request can't have any values together: `_agree` says which."""

_OF_SOURCES: Final = frozenset({"aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid", "aws:sourceorgpaths"})
"""AWS: only what a service asks for itself has these (reference_policies_condition-keys, "Availability")."""
_WITHOUT_SESSION: Final = frozenset({PrincipalKind.ANONYMOUS, PrincipalKind.FEDERATED, PrincipalKind.SERVICE})
_OF_SESSIONS: Final = ("aws:principaltag/", "aws:multifactorauth", "aws:tokenissuetime", "aws:sourceidentity")
_GOES_ALONG: Final = frozenset({"aws:multifactorauthpresent", "aws:viaawsservice"})
"""Those of them that others need beside them."""

_MOST_SETTINGS: Final = 4096
_MOST_STEPS: Final = 400
_LONGEST_PIECE: Final = 64
_MOST_ASSUMED: Final = 4
_FEW: Final = 4


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
    if key in _NETWORK and kind is PrincipalKind.SERVICE:
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


Test = Callable[[Context], bool | None]


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
class _Atom:
    """What comes out one way or another, and what that does: `helps` in an Allow, `hinders` in a Deny."""

    name: object
    test: Test
    keys: frozenset[str]
    use: Use | None
    helps: bool = False
    hinders: bool = False


@dataclass(slots=True)
class _Setting:
    """How the atoms of a group come out, and the changes that make it so; None where that is assumed."""

    truths: dict[object, bool | None]
    changes: dict[str, Value] | None


@dataclass(slots=True)
class _Group:
    """Atoms that rest on the same keys, with all ways in which they come out."""

    atoms: list[_Atom] = field(default_factory=list)
    settings: list[_Setting] = field(default_factory=list)


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


# --- what comes out one way or another


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
        group.settings = _settings(keys[of], group.atoms, request, bounds, is_pruned=not kept)
    return [group for group in groups.values() if group.atoms]


def _goes_along(key: str, request: Request) -> bool:
    """Whether what a request has of a key bears on others, though no condition asks for it."""
    if is_fixed(key, request):
        return False
    present = request.context.get(key)
    return key in _GOES_ALONG or (bool(present) and present is not UNKNOWN)


def _atoms(request: Request, layers: Layers, kept: Collection[Layer]) -> list[_Atom]:
    found: dict[object, _Atom] = {}
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


def _atom(name: object, one: Condition | None, statement: Statement, request: Request) -> _Atom:
    if one is None:
        return _Atom(name, _of_resource(statement, request), _open_keys_of_patterns(statement, request), None)
    use = Use(one, statement.substitute)
    keys = frozenset(key for key in {one.key, *use.variables()} if not is_fixed(key, request))
    return _Atom(name, one.test, keys, use)


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


# --- the ways in which a group comes out


def _settings(
    keys: Sequence[str],
    atoms: Sequence[_Atom],
    request: Request,
    bounds: Mapping[str, Bound],
    *,
    is_pruned: bool,
) -> list[_Setting]:
    choices, is_whole = _choices(keys, atoms, request, bounds)
    tried: dict[tuple[bool | None, ...], _Setting] = {}
    ways = product(*choices)
    for way in islice(ways, _MOST_SETTINGS):
        changes = {key: value for part in way for key, value in part.items()}
        context = Changed(request.context, changes)
        if not _agree(context, keys):
            continue
        truths = {atom.name: atom.test(context) for atom in atoms}
        tried.setdefault(tuple(truths.values()), _Setting(truths, changes))
    found = list(tried.values())
    if is_pruned and len(found) > _FEW:
        found = [found[0], *(one for one in found[1:] if not any(_is_better(by, one, atoms) for by in found))]
    if not is_whole or next(ways, None) is not None:
        found += _assumed(atoms, tried)
    return found


def _is_better(one: _Setting, other: _Setting, atoms: Iterable[_Atom]) -> bool:
    """Whether a setting does all for a caller that another does, and more."""
    is_more = False
    for atom in atoms:
        mine, others = one.truths[atom.name], other.truths[atom.name]
        helps = (mine is True) - (others is True) if atom.helps else 0
        spares = (mine is False) - (others is False) if atom.hinders else 0
        if helps < 0 or spares < 0:
            return False
        is_more = is_more or helps > 0 or spares > 0
    return is_more


def _assumed(atoms: Sequence[_Atom], tried: Collection[tuple[bool | None, ...]]) -> Iterator[_Setting]:
    """What may come out besides: the best for a caller, with each way in which an atom of both kinds may."""
    both = [atom for atom in atoms if atom.helps and atom.hinders]
    sure = {atom.name: atom.helps for atom in atoms if not (atom.helps and atom.hinders)}
    if len(both) > _MOST_ASSUMED:
        yield _Setting({**sure}, None)
        return
    for way in product((True, False), repeat=len(both)):
        truths: dict[object, bool | None] = {**sure, **dict(zip((atom.name for atom in both), way, strict=True))}
        if tuple(truths[atom.name] for atom in atoms) not in tried:
            yield _Setting(truths, None)


def _choices(
    keys: Sequence[str], atoms: Sequence[_Atom], request: Request, bounds: Mapping[str, Bound]
) -> tuple[list[list[dict[str, Value]]], bool]:
    """For each key, or keys that go together, what they may have; and whether nothing else comes to anything else."""
    uses = [atom.use for atom in atoms if atom.use is not None]
    of_keys = {key: [use for use in uses if use.condition.key == key] for key in keys}
    bound = {key: bounds.get(key) or _own_bound(key, request) for key in keys}
    trials = {key: of_key(key, of_keys[key], request.context, bound[key]) for key in keys}
    is_whole = all(one.is_whole or not of_keys[key] for key, one in trials.items())
    # Of ARNs none may be tried whose account is the one that is tried.
    is_whole = is_whole and not {"aws:principalaccount", "aws:principalarn"} <= set(keys)
    if any(len(atom.keys) > 1 or atom.use is None or atom.use.condition.key not in atom.keys for atom in atoms):
        trials, is_whole = _linked(keys, atoms, trials, request)
    clock = sorted(_CLOCK.intersection(keys))
    choices: list[list[dict[str, Value]]] = [
        [{key: value} for value in one.values] for key, one in trials.items() if key not in clock
    ]
    if clock:
        choices.append(_moments([use for key in clock for use in of_keys[key]], clock, request.context))
    return choices, is_whole


def _own_bound(key: str, request: Request) -> Bound | None:
    """What every value of a key is like, as the caller tells; None for all that are not bound."""
    if key == "aws:userid" and request.principal.kind is PrincipalKind.ROLE_SESSION and request.principal.unique_id:
        return Bound(glob([f"{request.principal.unique_id}:", Wild.ONE, Wild.RUN]))
    return None


def _moments(uses: Sequence[Use], clock: Sequence[str], context: Context) -> list[dict[str, Value]]:
    """The moments to try, from that of the request on: none comes again."""
    present = [
        found for key in clock if isinstance(text := context.get(key), str) and (found := moment(text)) is not None
    ]
    now = max(present, default=None)
    bounds = moments(uses)
    later = [now, *(one for one in bounds if one > now)] if now is not None else bounds or [0]
    return [{key: iso_of(one) if key == "aws:currenttime" else _seconds(one) for key in clock} for one in later]


def _seconds(milliseconds: int) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    return f"{seconds}.{rest:03d}" if rest and milliseconds > 0 else f"{seconds}"


def _linked(
    keys: Sequence[str], atoms: Sequence[_Atom], trials: Mapping[str, Trials], request: Request
) -> tuple[dict[str, Trials], bool]:
    """The values of keys that stand for one another in variables: each may have what any of them has, and parts of it.

    Where texts are only compared for being the same, as many others as there are keys will do.
    """
    pieces = list(_pieces(request.resource)) if any(atom.use is None for atom in atoms) else []
    common = [value for one in trials.values() for value in one.values if isinstance(value, str)]
    named = {key for atom in atoms if atom.use is not None for key in {atom.use.condition.key, *atom.use.variables()}}
    common += [value for key in sorted(named) if isinstance(value := request.context.get(key), str)]
    common += [text for atom in atoms if atom.use is not None for text in _static(atom.use)]
    others = [OTHER if number == 0 else f"{OTHER}-{number + 1}" for number in range(len(keys))]
    common = list(dict.fromkeys([*common, *others]))
    made = [text for atom in atoms if atom.use is not None for text in _put_in(atom.use, common, request.context)]
    usual = _for_resource(OTHER, keys, atoms, request)
    fitting = [piece for piece in pieces if _for_resource(piece, keys, atoms, request) != usual]
    found = {
        key: Trials(tuple(dict.fromkeys([*one.values[:1], *fitting, *common, *made, *one.values])), one.is_whole)
        for key, one in trials.items()
    }
    is_short = len(request.resource.split(":", 5)[-1]) <= _LONGEST_PIECE
    of_one = len(keys) == 1 and is_short and all(atom.use is None for atom in atoms)
    return found, of_one or all(map(_compares_only, atoms))


def _static(use: Use) -> Iterator[str]:
    """The values of a condition that hold no variables."""
    for template in use.templates():
        text = variables.text_of(template, {}) if variables.is_static(template) else None
        if text is not None:
            yield written_out(text)


def _compares_only(atom: _Atom) -> bool:
    use = atom.use
    if use is None or use.name.quantifier is not Quantifier.NONE:
        return False
    if use.name.base == "Null":
        return True
    plain = all(variables.is_static(one) for one in use.templates())
    single = len(use.condition.values) == 1 and variables.only_key(use.templates()[0]) is not None
    return use.name.base in {"StringEquals", "StringNotEquals"} and (plain or single)


def _pieces(resource: str) -> Iterator[str]:
    """All parts of the last segment of an ARN, the longest first; of a very long one, of its beginning."""
    last = resource.split(":", 5)[-1][:_LONGEST_PIECE]
    for length in range(len(last), 0, -1):
        for start in range(len(last) - length + 1):
            yield last[start : start + length]


def _for_resource(text: str, keys: Sequence[str], atoms: Sequence[_Atom], request: Request) -> tuple[bool | None, ...]:
    """Which statements are for the resource where the keys have this text."""
    context = Changed(request.context, dict.fromkeys(keys, text))
    return tuple(atom.test(context) for atom in atoms if atom.use is None)


def _put_in(use: Use, texts: Sequence[str], context: Context) -> Iterator[str]:
    """What the values of a condition become with these texts for their variables."""
    for template in use.templates():
        named = variables.keys(template)
        for text in texts if named else ():
            made = variables.text_of(template, Changed(context, dict.fromkeys(named, text)))
            if made is not None:
                yield written_out(made)


def _agree(context: Context, keys: Collection[str]) -> bool:
    """Whether a request can have these keys together.

    AWS: IAM User Guide, reference_policies_condition-keys: `aws:SourceIp` is not there for what comes through a VPC
    endpoint; `aws:MultiFactorAuthPresent` comes with temporary credentials, as `aws:TokenIssueTime` does, and with the
    `aws:MultiFactorAuthAge` of who has used MFA; whoever is called by a service has `aws:ViaAWSService`.
    """
    if context.get("aws:sourceip") and any(context.get(key) for key in _NETWORK if key != "aws:sourceip"):
        return False
    account = context.get("aws:principalaccount")
    if isinstance(account, str) and not _is_of(account, context):
        return False
    mfa, issued = context.get("aws:multifactorauthpresent"), context.get("aws:tokenissuetime")
    if context.get("aws:multifactorauthage") and mfa != "true":
        return False
    if "aws:tokenissuetime" in keys and bool(mfa) is not bool(issued):
        return False
    return not context.get("aws:calledvia") or context.get("aws:viaawsservice") == "true"


def _is_of(account: str, context: Context) -> bool:
    """Whether what else tells of the caller's account tells of this one."""
    of_kms, named = context.get("kms:calleraccount"), context.get("aws:principalarn")
    segments = named.split(":", 5) if isinstance(named, str) else ()
    is_named = len(segments) < 6 or segments[4] == account
    return is_named and (not isinstance(of_kms, str) or of_kms == account)
