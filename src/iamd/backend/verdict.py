"""What iamd decided about one request, and how it is told to the embedded backend beside the request."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Final
from urllib.parse import quote, unquote

import msgspec

from iamd.delivery import Forwarded

PRIVATE_PREFIX: Final = b"x-iamd-"


class Origin(msgspec.Struct, frozen=True):
    """Where a request comes from and when, as notifications of what it does tell it; times are iamd's.

    `service` is the service that asks, or through which somebody asks; `form` says that an object came in a form.
    """

    request_id: str = ""
    account_id: str = ""
    user_id: str = ""
    source_ip: str = ""
    time: str = ""
    service: str = ""
    form: str = ""


class Verdict(msgspec.Struct, frozen=True):
    """The request that was decided: its service and operation by botocore's names, whose resource, where.

    `account_id` owns the resource; for a new one it is the caller's account. `bucket_host` is the bucket when S3's
    client named it in the host instead of the path. `host` is the address that the client used, for the URLs that a
    backend puts into its answers. `origin` is told where notifications can come of the request, `caller` where the
    service goes on with the caller's permissions. `acl` is the list that S3 keeps with what it makes. `reached` are the
    ARNs of all that is looked up by its ARN for the request, whoever owns it: layers of a function, keys of ReEncrypt.
    `principals` are the users and roles that the policy of an API names, each ARN followed by the unique id of its own.
    """

    service: str
    operation: str
    protocol: str
    account_id: str
    region: str
    host: str = "localhost"
    bucket_host: str | None = None
    origin: Origin | None = None
    caller: Forwarded | None = None
    acl: str | None = None
    reached: tuple[str, ...] = ()
    principals: tuple[str, ...] = ()


class Refused(Exception):
    """A request that the embedded backend would not run: `kind` is one of the five below."""

    def __init__(self, kind: str, detail: str = "") -> None:
        super().__init__(kind, detail)
        self.kind = kind
        self.detail = detail


MISMATCH: Final = "mismatch"
"""moto would have run something else than was decided."""
NOT_IMPLEMENTED: Final = "not-implemented"
"""moto has no such service or operation."""
NOT_TAKEN: Final = "not-taken"
"""moto would pass over what the detail names."""
FAILED: Final = "failed"
"""moto raised."""
OTHER_BOOT: Final = "other-boot"
"""The verdict was made for a backend that has since been started anew."""

_HEADER: Final = PRIVATE_PREFIX + b"verdict"
_NONE: Final = "-"
_ACL: Final = "acl:"
_REACHED: Final = "reached:"
_PRINCIPALS: Final = "principals:"
_PLAIN: Final = 7
_OF_CALLER: Final = _PLAIN + len(Forwarded.__struct_fields__)
_LENGTHS: Final = frozenset({_PLAIN, _OF_CALLER, _PLAIN + len(Origin.__struct_fields__)})


def encoded(verdict: Verdict, boot: str) -> tuple[tuple[bytes, bytes], ...]:
    """Give the private headers that tell this verdict."""
    is_common = verdict.origin is None and verdict.caller is None and verdict.acl is None and not verdict.reached
    is_common = is_common and not verdict.principals
    return _encoded(verdict, boot) if is_common else _encoded.__wrapped__(verdict, boot)


@lru_cache(maxsize=4096)
def _encoded(verdict: Verdict, boot: str) -> tuple[tuple[bytes, bytes], ...]:
    parts = [boot, verdict.service, verdict.operation, verdict.protocol, verdict.account_id, verdict.region]
    parts.append(verdict.bucket_host or _NONE)
    for more in (verdict.origin, verdict.caller):
        if more is not None:
            parts += [part or _NONE for part in msgspec.structs.astuple(more)]
    if verdict.acl is not None:
        parts.append(_ACL + verdict.acl)
    for beginning, listed in ((_REACHED, verdict.reached), (_PRINCIPALS, verdict.principals)):
        if listed:
            # SECURITY: a blank or a comma within an ARN would be the beginning of another one.
            parts.append(beginning + ",".join(quote(arn, safe=":/") for arn in listed))
    return ((_HEADER, " ".join(parts).encode()), (b"x-moto-account-id", verdict.account_id.encode()))


def decoded(headers: Iterable[tuple[bytes, bytes]], boot: str) -> Verdict:
    """Read a verdict back; Refused unless it stands there exactly once, is whole, and is meant for this boot."""
    told = [value.decode() for name, value in headers if name.startswith(PRIVATE_PREFIX)]
    parts = told[0].split(" ") if len(told) == 1 else []
    principals = parts.pop().removeprefix(_PRINCIPALS) if parts and parts[-1].startswith(_PRINCIPALS) else ""
    reached = parts.pop().removeprefix(_REACHED) if parts and parts[-1].startswith(_REACHED) else ""
    acl = parts.pop().removeprefix(_ACL) if parts and parts[-1].startswith(_ACL) else None
    if len(parts) not in _LENGTHS or not all(parts):
        raise Refused(MISMATCH, "not one whole verdict")
    meant_for, service, operation, protocol, account_id, region, bucket, *more = parts
    if meant_for != boot:
        raise Refused(OTHER_BOOT)
    more = ["" if part == _NONE else part for part in more]
    has_caller = len(parts) == _OF_CALLER
    return Verdict(
        service,
        operation,
        protocol,
        account_id,
        region,
        bucket_host=bucket if bucket != _NONE else None,
        origin=Origin(*more) if more and not has_caller else None,
        caller=Forwarded(*more) if has_caller else None,
        acl=acl,
        reached=_listed(reached),
        principals=_listed(principals),
    )


def _listed(text: str) -> tuple[str, ...]:
    return tuple(map(unquote, text.split(","))) if text else ()
