"""What a Host header names: a service, a region's endpoint of it, or a bucket in S3's virtual-host style."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from iamd.wire.catalog import CATALOG, Entry

# The longest that matches counts. Everything else (addresses, a container's name) names nothing.
_DOMAINS: Final = (".localhost", ".amazonaws.com", ".amazonaws.com.cn", ".api.aws", ".localhost.localstack.cloud")
_REGION: Final = re.compile(r"[a-z]{2,4}(?:-[a-z]+)+-[0-9]{1,2}", re.ASCII)
_S3: Final = re.compile(r"(?:(?P<bucket>.+)\.)?s3(?:-accelerate|-fips|-(?P<region>[a-z0-9-]+-[0-9]))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Host:
    """The services that a host names, none when it names none, and its bucket."""

    entries: tuple[Entry, ...] = ()
    bucket: str | None = None
    directory_buckets: bool = False
    """The host is S3 Express's regional endpoint, which lists directory buckets."""


_NOTHING: Final = Host()


@lru_cache(maxsize=4096)
def host_of(header: str) -> Host:
    """Give what the Host header names."""
    name = header.lower().rpartition(":")[0] if _has_port(header) else header.lower()
    for domain in sorted(_DOMAINS, key=len, reverse=True):
        if name.endswith(domain):
            return _named(name.removesuffix(domain))
    return _NOTHING


def _has_port(header: str) -> bool:
    port = header.rpartition(":")[2]
    return port.isascii() and port.isdigit()


def _named(prefix: str) -> Host:
    labels = [label for label in prefix.split(".") if label != "dualstack"]
    if len(labels) > 1 and _REGION.fullmatch(labels[-1]):
        labels.pop()
    rest = ".".join(labels)
    s3 = _S3.fullmatch(rest)
    if s3:
        return Host(CATALOG.hosted("s3"), bucket=s3["bucket"])
    if labels[-1].startswith(("s3express-", "s3express-control")):
        return Host(CATALOG.scoped("s3express"), ".".join(labels[:-1]) or None, "control" in labels[-1])
    if labels[-1] == "s3-control":
        return Host(CATALOG.hosted("s3-control"))
    return Host(CATALOG.hosted(rest.removesuffix("-fips")))
