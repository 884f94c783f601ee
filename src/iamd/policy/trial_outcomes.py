"""The ways in which conditions that rest on the same keys come out together, for the values that are tried.

All of their keys have one value at a time. Where the values to be tried (trial_values.py) may not be all, what may come
out besides is assumed, the best for a caller.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, product
from typing import Final

from iamd.policy import variables
from iamd.policy.conditions import Quantifier
from iamd.policy.operators import moment
from iamd.policy.request import Context, PrincipalKind, Request
from iamd.policy.telling_texts import glob
from iamd.policy.trial_values import OTHER, Bound, Changed, Trials, Use, Value, iso_of, moments, of_key, written_out
from iamd.policy.wildcard import Wild

_CLOCK: Final = frozenset({"aws:currenttime", "aws:epochtime"})
_MFA: Final = frozenset({"aws:multifactorauthage", "aws:multifactorauthpresent", "aws:tokenissuetime"})
NETWORK: Final = frozenset({"aws:sourceip", "aws:sourcevpc", "aws:sourcevpce", "aws:sourcevpcarn", "aws:vpcsourceip"})
_VIA: Final = frozenset({"aws:calledvia", "aws:viaawsservice"})
_WHO: Final = frozenset({"aws:principalaccount", "aws:principalarn", "kms:calleraccount"})
TOGETHER: Final = (_CLOCK, _MFA, NETWORK, _VIA, _WHO)
"""Keys of which a request can't have any values together: `_agree` says which."""

_MOST_SETTINGS: Final = 4096
_LONGEST_PIECE: Final = 64
_MOST_ASSUMED: Final = 4
_FEW: Final = 4

Test = Callable[[Context], bool | None]


@dataclass(slots=True)
class Atom:
    """What comes out one way or another, and what that does: `helps` in an Allow, `hinders` in a Deny."""

    name: object
    test: Test
    keys: frozenset[str]
    use: Use | None
    helps: bool = False
    hinders: bool = False


@dataclass(slots=True)
class Setting:
    """How the atoms of a group come out, and the changes that make it so; None where that is assumed."""

    truths: dict[object, bool | None]
    changes: dict[str, Value] | None


def settings(
    keys: Sequence[str],
    atoms: Sequence[Atom],
    request: Request,
    bounds: Mapping[str, Bound],
    *,
    is_pruned: bool,
) -> list[Setting]:
    """All ways in which the atoms come out; pruned, those alone that are not worse for a caller than another."""
    choices, is_whole = _choices(keys, atoms, request, bounds)
    tried: dict[tuple[bool | None, ...], Setting] = {}
    ways = product(*choices)
    for way in islice(ways, _MOST_SETTINGS):
        changes = {key: value for part in way for key, value in part.items()}
        context = Changed(request.context, changes)
        if not _agree(context, keys):
            continue
        truths = {atom.name: atom.test(context) for atom in atoms}
        tried.setdefault(tuple(truths.values()), Setting(truths, changes))
    found = list(tried.values())
    if is_pruned and len(found) > _FEW:
        found = [found[0], *(one for one in found[1:] if not any(_is_better(by, one, atoms) for by in found))]
    if not is_whole or next(ways, None) is not None:
        found += _assumed(atoms, tried)
    return found


def _is_better(one: Setting, other: Setting, atoms: Iterable[Atom]) -> bool:
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


def _assumed(atoms: Sequence[Atom], tried: Collection[tuple[bool | None, ...]]) -> Iterator[Setting]:
    """What may come out besides: the best for a caller, with each way in which an atom of both kinds may."""
    both = [atom for atom in atoms if atom.helps and atom.hinders]
    sure = {atom.name: atom.helps for atom in atoms if not (atom.helps and atom.hinders)}
    if len(both) > _MOST_ASSUMED:
        yield Setting({**sure}, None)
        return
    for way in product((True, False), repeat=len(both)):
        truths: dict[object, bool | None] = {**sure, **dict(zip((atom.name for atom in both), way, strict=True))}
        if tuple(truths[atom.name] for atom in atoms) not in tried:
            yield Setting(truths, None)


def _choices(
    keys: Sequence[str], atoms: Sequence[Atom], request: Request, bounds: Mapping[str, Bound]
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
    keys: Sequence[str], atoms: Sequence[Atom], trials: Mapping[str, Trials], request: Request
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


def _compares_only(atom: Atom) -> bool:
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


def _for_resource(text: str, keys: Sequence[str], atoms: Sequence[Atom], request: Request) -> tuple[bool | None, ...]:
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
    if context.get("aws:sourceip") and any(context.get(key) for key in NETWORK if key != "aws:sourceip"):
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
