"""Asked: one routed and parsed request to another service, as its mapping to actions sees it."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from iamd.arn import partition_of
from iamd.auth.claim import Claim
from iamd.clock import iso
from iamd.errors import Common, CommonError
from iamd.gateway.actions.points import Through
from iamd.wire.models import Operation

Value = str | tuple[str, ...]


def nothing_known(_: str) -> Mapping[str, str]:
    """What is known of a resource that iamd has no facts of."""
    return {}


def nobody_named(_: str) -> str | None:
    """The ARN of a resource that iamd knows by no name."""
    return None


class Question(NamedTuple):
    """What the backend is asked about an id before it is known what the request is for."""

    operation: str
    parameters: Mapping[str, Any]


class Asked(msgspec.Struct, frozen=True):
    """An operation with its parameters, by the model's names, and where and by whose account it is asked.

    `account` is the caller's, empty for an anonymous one. `known` gives what iamd knows of a resource by its ARN,
    `named` the ARN of a resource that iamd knows by a name. `told` is what the backend answered to a `Question`, by
    operation; None where there is no such thing. `through` are the access points that an S3 request is made through;
    its parameters name their buckets.
    """

    operation: Operation
    parameters: Mapping[str, Any]
    account: str
    region: str
    claim: Claim | None = None
    now: float = 0.0
    known: Callable[[str], Mapping[str, str]] = nothing_known
    named: Callable[[str], str | None] = nobody_named
    told: Mapping[str, Mapping[str, Any] | None] = {}
    through: Through | None = None

    @property
    def partition(self) -> str:
        """The partition of the region."""
        return partition_of(self.region)

    @property
    def place(self) -> Mapping[str, str]:
        """What every template of a resource may name."""
        return place_of(self.region, self.account)


@lru_cache(maxsize=256)
def place_of(region: str, account: str) -> Mapping[str, str]:
    """What every template of a resource may name, for requests of an account to a Region."""
    return {"partition": partition_of(region), "region": region, "account": account}


def at(parameters: Mapping[str, Any], path: str) -> Any:
    """The parameter at a dotted path, or None."""
    found: Any = parameters
    for name in path.split(".") if "." in path else (path,):
        if not isinstance(found, (dict, Mapping)):
            return None
        found = found.get(name)
    return found


def as_text(value: Any) -> Value | None:
    """A parameter as the value of a condition key: text, or several; None when it cannot be one."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, list | tuple):
        texts = [text for item in value if isinstance(text := as_text(item), str)]
        return tuple(texts) if texts and len(texts) == len(value) else None
    return None


def invalid(message: str) -> CommonError:
    """The refusal of a request whose resources can't be told."""
    return CommonError(Common.VALIDATION, message)


def untold(named: Any) -> CommonError:
    """The refusal of a request for what the backend says nothing of; nothing is decided on half an answer."""
    return CommonError(Common.ACCESS_DENIED, f"The backend does not tell what {named} belongs to.")
