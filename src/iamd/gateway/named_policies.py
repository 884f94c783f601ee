"""Policies that a resource has several of, each under a name: the rows of named_policies.toml.

Each is a record of its own, which `Facts.policies_at` finds by the place of its resource: all of them count.
"""

import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import resources
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from iamd import policy_places
from iamd.auth.identity import Identity
from iamd.authz.authorize import caller_of
from iamd.authz.policies import EVERYTHING
from iamd.authz.target import Target
from iamd.errors import AWSError
from iamd.gateway.actions import ses
from iamd.gateway.actions.asked import Asked
from iamd.gateway.effect import Effect, Kind, Of, checked
from iamd.gateway.resource_policies import is_sure, not_kept
from iamd.gateway.resources import Facts
from iamd.policy.document import PolicyType, load
from iamd.policy.evaluate import Layers, decide
from iamd.policy.request import Request
from iamd.policy.trust import InvalidPrincipal
from iamd.store.account import Snapshot
from iamd.store.records import Resource

_IS_IDENTITY: Final = {"type": "identity"}


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The operations about one service's policies; named_policies.toml explains the members."""

    service: str
    error: str
    put: Mapping[str, str]
    clear: tuple[str, ...]
    name: str
    largest: int
    too_large: str
    most: int
    too_many: str
    shown: Mapping[str, tuple[str, ...]]
    creates: tuple[str, ...] = ()
    exists: str = ""
    end: tuple[str, ...] = ()
    makes: tuple[str, ...] = ()

    @property
    def refusal(self) -> type[AWSError]:
        """The error for what is no policy."""
        return _error(self.error)


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    policy: tuple[Row, ...]


def _error(code: str) -> type[AWSError]:
    return type(code, (AWSError,), {"code": code})


def _loaded() -> Sequence[Row]:
    text = resources.files(__package__).joinpath("named_policies.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text), _Table).policy


ROWS: Final = _loaded()


def holder(asked: Asked, arn: str) -> str:
    """What has the policies that a request is about; refused when that is not sure."""
    match asked.operation.service:
        case "ses" | "sesv2":
            return ses.identity(asked)
        case "xray":
            return place_of_xray(asked)
    if not is_sure(asked, arn) or not policy_places.is_plain(arn):
        raise not_kept(asked, "iamd can't tell which resource the policy is of")
    return arn


def place_of_xray(asked: Asked) -> str:
    """The place of X-Ray's policies of the caller's account."""
    return policy_places.of_account("xray", asked.region, asked.account)


def named(holder_arn: str, facts: Facts) -> Iterator[tuple[str, Resource]]:
    """The policies that a resource is known to have, by their names."""
    before = policy_places.beginning(holder_arn)
    for one in facts.all_named(policy_places.place(holder_arn)):
        if one.arn.startswith(before):
            yield one.arn.removeprefix(before), one


def over_account(targets: list[Target], asked: Asked, facts: Facts) -> list[Target]:
    """The targets of a request to X-Ray with the policies of its account."""
    sets = facts.policies_at(place_of_xray(asked))
    return [replace(one, account=asked.account, policies=texts) for one in targets for texts in sets]


def check_lockout(asked: Asked, identity: Identity, view: Snapshot, now: int) -> None:
    """A new policy must let its caller change it again, unless the caller wants it otherwise.

    AWS: X-Ray API Reference, PutResourcePolicy: BypassPolicyLockoutCheck.
    """
    given = asked.parameters
    if (asked.operation.service, asked.operation.name) != ("xray", "PutResourcePolicy"):
        return
    text = given.get("PolicyDocument")
    if text is None or given.get("BypassPolicyLockoutCheck"):
        return
    malformed = _error("MalformedPolicyDocumentException")
    try:
        checked(text, malformed)
    except InvalidPrincipal:
        raise malformed("Invalid principal in policy") from None
    caller = caller_of(identity, view, now)
    request = Request(caller.principal, "xray:PutResourcePolicy", "*", asked.account, caller.context)
    everything = (load(EVERYTHING, PolicyType.IDENTITY),)
    layers = Layers(identity=everything, resource=(load(text, PolicyType.RESOURCE),))
    if not decide(request, layers).allowed:
        raise _error("LockoutPreventionException")("The policy would keep its caller from changing it again.")


def _put(row: Row, member: str) -> Of:
    def put(asked: Asked, arn: str, facts: Facts) -> Effect:
        of, name = holder(asked, arn), _name(row, asked)
        text = asked.parameters[member]
        if len(text.encode()) > row.largest:
            raise _error(row.too_large)(f"The policy is larger than {row.largest} bytes.")
        checked(text, row.refusal)
        known = {one for one, record in named(of, facts) if record.policy or record.pending_policy}
        if asked.operation.name in row.creates and name in known:
            raise _error(row.exists)(f"Policy {name} already exists.")
        if name not in known and len(known) >= row.most:
            raise _error(row.too_many)(f"There can be no more than {row.most} policies.")
        place = {"name": policy_places.place(of)}
        return Effect(Kind.SET_POLICY, policy_places.key(of, name), text, has_policy=True, begun=place, done=place)

    return put


def _clear(row: Row) -> Of:
    def clear(asked: Asked, arn: str, facts: Facts) -> Effect | None:
        of, name = holder(asked, arn), _name(row, asked)
        if name not in dict(named(of, facts)):
            return None
        return Effect(Kind.SET_POLICY, policy_places.key(of, name), None, has_policy=True)

    return clear


def _name(row: Row, asked: Asked) -> str:
    name = str(asked.parameters[row.name])
    if not policy_places.is_plain(name):
        raise row.refusal(f"{row.name} is no name of a policy.")
    return name


def _end(asked: Asked, arn: str, _: Facts) -> Effect | None:
    of = holder(asked, arn)
    return Effect(Kind.END, of, within=policy_places.beginning(of))


def _make(asked: Asked, arn: str, _: Facts) -> Effect:
    return Effect(Kind.MAKE, holder(asked, arn), done=_IS_IDENTITY)


def _effects() -> Mapping[tuple[str, str], Of]:
    found: dict[tuple[str, str], Of] = {}
    for row in ROWS:
        found |= {(row.service, name): _put(row, member) for name, member in row.put.items()}
        found |= {(row.service, name): _clear(row) for name in row.clear}
        found |= {(row.service, name): _end for name in row.end}
        found |= {(row.service, name): _make for name in row.makes}
    return found


EFFECTS: Final = _effects()
SHOWN: Final = {(row.service, name): path for row in ROWS for name, path in row.shown.items()}
"""The operations whose answers tell policies, and where."""


def changed(content: Any, path: Sequence[str], of: Callable[[str, str], str]) -> None:
    """Put what a function makes of a name and a policy in the place of each policy in an answer."""
    found = content.get(path[0]) if isinstance(content, dict) else None
    if len(path) == 1 and isinstance(found, dict):
        for name, text in found.items():
            if isinstance(text, str):
                found[name] = of(name, text)
    elif len(path) > 1 and isinstance(found, list):
        for one in found:
            if isinstance(one, dict) and isinstance(one.get(path[1]), str) and isinstance(one.get(path[2]), str):
                one[path[2]] = of(one[path[1]], one[path[2]])


def told(asked: Asked, arn: str, content: Any, facts: Facts) -> dict[str, str | None]:
    """What an answer tells of policies whose setting is not settled, by what they are kept under; None for none."""
    of, path = holder(asked, arn), SHOWN[asked.operation.service, asked.operation.name]
    texts: dict[str, str | None] = {}

    def note(name: str, text: str) -> str:
        texts[name] = text
        return text

    changed(content, path, note)
    # A map has all of them; a list may go on elsewhere.
    is_whole = len(path) == 1 and isinstance(content.get(path[0]), dict)
    pending = [(name, one) for name, one in named(of, facts) if one.has_pending and (is_whole or name in texts)]
    return {one.arn: texts.get(name) for name, one in pending}
