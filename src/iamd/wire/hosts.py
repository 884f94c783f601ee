"""What a Host header names: a service, a region's endpoint of it, or S3's bucket or access point."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

from iamd.wire.catalog import CATALOG, Entry

# The longest that matches counts. Everything else (addresses, a container's name) names nothing.
_DOMAINS: Final = (".localhost", ".amazonaws.com", ".amazonaws.com.cn", ".api.aws", ".localhost.localstack.cloud")
_REGION: Final = re.compile(r"[a-z]{2,4}(?:-[a-z]+)+-[0-9]{1,2}", re.ASCII)
_S3: Final = re.compile(r"(?:(?P<bucket>.+)\.)?s3(?:-accelerate|-fips|-(?P<region>[a-z0-9-]+-[0-9]))?", re.ASCII)
# AWS: S3 User Guide, "Referencing access points with ARNs, access point aliases, or virtual-hosted-style URIs":
# name-account.s3-accesspoint.region.amazonaws.com. At an endpoint of its own a client puts name-account before that.
_POINT: Final = re.compile(
    r"(?P<name>[a-z0-9][a-z0-9-]{1,48}[a-z0-9])-(?P<account>[0-9]{12})(?P<domain>\.[a-z0-9.-]+)", re.ASCII
)
# AWS: S3 User Guide, "AWS PrivateLink for Amazon S3": `my-bucket.bucket.vpce-1a2b3c4d-5e6f.s3.us-east-1.vpce...`,
# `my-point-123456789012.accesspoint.vpce-...`, `control.vpce-...`; of other services (PrivateLink Guide, "DNS
# hostnames"): `vpce-1a2b3c4d-5e6f.sqs.us-east-1.vpce.amazonaws.com`, before its first dot with a zone too.
_ENDPOINTS: Final = ".vpce.amazonaws.com"
_POINTS: Final = (".s3-accesspoint", ".s3-accesspoint-fips")
_OTHER_POINTS: Final = (".s3-object-lambda", ".s3-object-lambda-fips", ".accesspoint.s3-global")


class Point(NamedTuple):
    """The access point that a host names; empty names are those of a host that names none rightly.

    The region is None where the host does not tell it.
    """

    name: str
    account: str
    region: str | None


class ApiHost(NamedTuple):
    """The API of API Gateway that a host is of; the Region is None where the host does not tell it."""

    id: str
    region: str | None


@dataclass(frozen=True, slots=True)
class Host:
    """The services that a host names, none when it names none, and its bucket or access point."""

    entries: tuple[Entry, ...] = ()
    bucket: str | None = None
    point: Point | None = None
    other_points: bool = False
    """The host is of S3's access points of several regions, or of Object Lambda's."""
    directory_buckets: bool = False
    """The host is S3 Express's regional endpoint, which lists directory buckets."""
    api: ApiHost | None = None
    """The API that the host is of, which is no service's."""


_NOTHING: Final = Host()


@lru_cache(maxsize=4096)
def host_of(header: str) -> Host:
    """Give what the Host header names."""
    name = header.lower().rpartition(":")[0] if _has_port(header) else header.lower()
    if name.endswith(_ENDPOINTS):
        return _of_endpoint(name.removesuffix(_ENDPOINTS)) or _NOTHING
    for domain in sorted(_DOMAINS, key=len, reverse=True):
        if name.endswith(domain):
            prefix = name.removesuffix(domain)
            return _of_points(prefix) or _of_api(prefix) or _named(prefix) or _bare(name)
    return _bare(name)


def _has_port(header: str) -> bool:
    port = header.rpartition(":")[2]
    return port.isascii() and port.isdigit()


def _of_endpoint(prefix: str) -> Host | None:
    """What the host of a VPC endpoint names: its service, and before that, of S3, a bucket or an access point."""
    before, _, rest = f".{prefix}".rpartition(".vpce-")
    own_id, _, named = rest.partition(".")
    if not own_id or not named:
        return None
    before = before.removeprefix(".")
    found = _named(named)
    if found is None or found.entries != CATALOG.hosted("s3") or not before:
        return found
    name, _, kind = before.rpartition(".")
    if kind == "control":
        return Host(CATALOG.hosted("s3-control"))
    if kind == "accesspoint" and name:
        point = _POINT.fullmatch(f"{name}.vpce")
        return Host(found.entries, point=Point(point["name"], point["account"], None) if point else _NO_POINT)
    # What is not `bucket.vpce-...` is a bucket before the endpoint itself.
    bucket = name if kind in {"bucket", "accesspoint"} else before
    return Host(found.entries, bucket=bucket or None)


def _of_points(prefix: str) -> Host | None:
    """What AWS's own hosts of access points name; None for all others."""
    rest, _, region = prefix.rpartition(".")
    if not _REGION.fullmatch(region):
        rest, region = prefix, ""
    rest = rest.removesuffix(".dualstack")
    entries = CATALOG.hosted("s3")
    if rest.endswith(_OTHER_POINTS):
        return Host(entries, other_points=True)
    if not rest.endswith(_POINTS):
        return None
    found = _POINT.fullmatch(rest)
    # SECURITY: a host of access points never falls back to a bucket in the path.
    return Host(entries, point=Point(found["name"], found["account"], region or None) if found else _NO_POINT)


_NO_POINT: Final = Point("", "", None)
# AWS: API Gateway Developer Guide, "Invoke REST APIs in API Gateway" and "Invoke URLs of HTTP APIs" (http-api-publish):
# api-id.execute-api.region.amazonaws.com.
_API: Final = re.compile(r"(?P<id>[a-z0-9]{1,64})\.execute-api(?:\.(?P<region>[a-z0-9-]+))?", re.ASCII)


def _of_api(prefix: str) -> Host | None:
    """The API that a host is of; None for a host that is of none."""
    found = _API.fullmatch(prefix)
    if found is None or (found["region"] is not None and not _REGION.fullmatch(found["region"])):
        return None
    return Host(api=ApiHost(found["id"], found["region"]))


def _bare(name: str) -> Host:
    """What a host names that names no service: an access point, before an endpoint of somebody's own."""
    found = _POINT.fullmatch(name)
    return Host(point=Point(found["name"], found["account"], None)) if found else _NOTHING


def _named(prefix: str) -> Host | None:
    """The service or bucket that a host of AWS's domains names; None when it names none."""
    labels = [label for label in prefix.split(".") if label != "dualstack"]
    if len(labels) > 1 and _REGION.fullmatch(labels[-1]):
        labels.pop()
    rest = ".".join(labels)
    s3 = _S3.fullmatch(rest)
    if s3:
        return Host(CATALOG.hosted("s3"), bucket=s3["bucket"])
    if labels[-1].startswith(("s3express-", "s3express-control")):
        return Host(
            CATALOG.scoped("s3express"), ".".join(labels[:-1]) or None, directory_buckets="control" in labels[-1]
        )
    if labels[-1] == "s3-control":
        return Host(CATALOG.hosted("s3-control"))
    entries = CATALOG.hosted(rest.removesuffix("-fips"))
    return Host(entries) if entries else None
