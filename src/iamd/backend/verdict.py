"""What iamd decided about one request, and how it is told to the embedded backend beside the request."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

PRIVATE_PREFIX: Final = b"x-iamd-"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The request that was decided: its service and operation by botocore's names, whose resource, where.

    `account_id` owns the resource; for a new one it is the caller's account. `bucket_host` is the bucket when S3's
    client named it in the host instead of the path. `host` is the address that the client used, for the URLs that a
    backend puts into its answers.
    """

    service: str
    operation: str
    protocol: str
    account_id: str
    region: str
    host: str = "localhost"
    bucket_host: str | None = None


class Refused(Exception):
    """A request that the embedded backend would not run: `kind` is one of the four below."""

    def __init__(self, kind: str, detail: str = "") -> None:
        super().__init__(kind, detail)
        self.kind = kind
        self.detail = detail


MISMATCH: Final = "mismatch"
"""moto would have run something else than was decided."""
NOT_IMPLEMENTED: Final = "not-implemented"
"""moto has no such service or operation."""
FAILED: Final = "failed"
"""moto raised."""
OTHER_BOOT: Final = "other-boot"
"""The verdict was made for a backend that has since been started anew."""

_BUCKET: Final = PRIVATE_PREFIX + b"bucket"
_FIELDS: Final = ("service", "operation", "protocol", "account", "region")


def encoded(verdict: Verdict, boot: str) -> list[tuple[bytes, bytes]]:
    """Give the private headers that tell this verdict."""
    values = (verdict.service, verdict.operation, verdict.protocol, verdict.account_id, verdict.region)
    told = [(PRIVATE_PREFIX + name.encode(), value.encode()) for name, value in zip(_FIELDS, values, strict=True)]
    if verdict.bucket_host is not None:
        told.append((_BUCKET, verdict.bucket_host.encode()))
    return [*told, (PRIVATE_PREFIX + b"boot", boot.encode()), (b"x-moto-account-id", verdict.account_id.encode())]


def decoded(headers: Iterable[tuple[bytes, bytes]], boot: str) -> Verdict:
    """Read a verdict back; Refused unless each part stands there exactly once and is meant for this boot."""
    told: dict[bytes, str] = {}
    for name, value in headers:
        if name.startswith(PRIVATE_PREFIX):
            if name in told:
                raise Refused(MISMATCH, f"{name.decode()} twice")
            told[name] = value.decode()
    _check_boot(told, boot)
    values = [told.get(PRIVATE_PREFIX + name.encode(), "") for name in _FIELDS]
    if not all(values):
        raise Refused(MISMATCH, "a verdict is missing")
    service, operation, protocol, account_id, region = values
    return Verdict(service, operation, protocol, account_id, region, bucket_host=told.get(_BUCKET))


def _check_boot(told: Mapping[bytes, str], boot: str) -> None:
    if told.get(PRIVATE_PREFIX + b"boot") != boot:
        raise Refused(OTHER_BOOT)
