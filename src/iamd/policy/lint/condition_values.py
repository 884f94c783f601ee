"""Checks of condition values against the type of their operator, and against what some keys' values look like.

AWS: IAM User Guide, "Condition operators" (reference_policies_elements_condition_operators) and "AWS global condition
context keys" (reference_policies_condition-keys).
"""

import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from iamd.policy.lint.condition_operators import family
from iamd.policy.lint.finding import Note, note
from iamd.policy.lint.principals import SERVICE_FORMAT
from iamd.policy.lint.subject import Document, Entry, Text
from iamd.policy.operators import Network, moment, network, number, octets
from iamd.policy.request import lower
from iamd.policy.wildcard import has_wildcard

REGIONS: Final = frozenset({"aws:requestedregion", "ec2:region"})
SERVICES: Final = frozenset(
    {
        "aws:calledvia", "aws:calledviafirst", "aws:calledvialast", "aws:principalservicename",
        "aws:principalservicenameslist", "iam:awsservicename", "iam:passedtoservice",
    }
)  # fmt: skip
"""Keys whose values are service principals."""

VIA_SERVICE: Final = "kms:viaservice"
VIA_SERVICE_FORMAT: Final = "service-name.AWS_region.amazonaws.com"
"""AWS KMS Developer Guide, kms:ViaService."""

KMS_KEYS: Final = frozenset(
    {
        "s3:x-amz-server-side-encryption-aws-kms-key-id",
        "s3express:x-amz-server-side-encryption-aws-kms-key-id",
    }
)
"""Keys whose value is the ARN of a KMS key (S3 User Guide, "Specifying server-side encryption with AWS KMS")."""

_IDS: Final[Mapping[str, tuple[re.Pattern[str], str]]] = {
    "aws:sourcevpc": (re.compile(r"vpc-(?:[0-9A-Za-z]{8}|[0-9A-Za-z]{17})"), "INVALID_VPC_FORMAT"),
    "aws:sourcevpce": (re.compile(r"vpce-(?:[0-9A-Za-z]{8}|[0-9A-Za-z]{17})"), "INVALID_VPCE_FORMAT"),
}
_SERVICE: Final = re.compile(r"(?:[a-z0-9-]+\.)+(?:amazonaws\.com(?:\.cn)?|amazon\.com|aws\.internal)")
_KEY: Final = re.compile(r"arn:[a-z0-9*?-]+:kms:[a-z0-9*?-]+:[0-9*?]+:key/\S+")
_DIGITS: Final = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")

_PRIVATE: Final = tuple(
    ipaddress.ip_network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
)
"""RFC 1918 and RFC 4193."""


def check(document: Document) -> Iterator[Note]:
    """What is wrong with each value of each condition."""
    for statement in document.statements:
        for entry in statement.conditions:
            for value in entry.values:
                if "${" not in value.value:
                    yield from _of_type(entry, value)
                    yield from _of_key(document, entry, value)
            yield from _private(entry)
            yield from _redundant(entry)


def _of_type(entry: Entry, value: Text) -> Iterator[Note]:
    kind = "Bool" if entry.name.base == "Null" else family(entry)
    found = _TYPES.get(kind or "")
    if found is not None:
        yield from found(entry, value)


def _boolean(entry: Entry, value: Text) -> Iterator[Note]:
    if lower(value.value) not in {"true", "false"}:
        yield note("TYPE_MISMATCH_BOOLEAN", value.place, operator=entry.operator.name)


def _numeric(entry: Entry, value: Text) -> Iterator[Note]:
    if number(value.value) is None:
        yield note("TYPE_MISMATCH_NUMBER", value.place, operator=entry.operator.name)


def _binary(entry: Entry, value: Text) -> Iterator[Note]:
    if octets(value.value) is None:
        yield note("TYPE_MISMATCH_STRING", value.place, operator=entry.operator.name)


def _date(entry: Entry, value: Text) -> Iterator[Note]:
    if _DIGITS.fullmatch(value.value):
        # AWS: a recorded answer says so of `2021` too. aws:EpochTime is told in seconds.
        if entry.lower != "aws:epochtime":
            yield note("INVALID_DATE_VALUE", value.place, date=value.value)
    elif moment(value.value) is None:
        yield note("TYPE_MISMATCH_DATE", value.place)


def _ip_range(entry: Entry, value: Text) -> Iterator[Note]:
    found = network(value.value)
    if found is None:
        yield note("TYPE_MISMATCH_IP_RANGE", value.place, operator=entry.operator.name)
        return
    address = ipaddress.ip_address(value.value.partition("/")[0])
    if "/" in value.value and found.version == address.version and address != found.network_address:
        # AWS: the address alone stands in a recorded answer, without its mask.
        yield note("IMPROVE_IP_RANGE", value.place, addr=found.network_address)


_TYPES: Final[Mapping[str, Callable[[Entry, Text], Iterator[Note]]]] = {
    "Bool": _boolean,
    "Numeric": _numeric,
    "Date": _date,
    "Binary": _binary,
    "IPAddress": _ip_range,
}


def _of_key(document: Document, entry: Entry, value: Text) -> Iterator[Note]:
    if family(entry) not in {"String", "ARN"}:
        return
    has_pattern = has_wildcard(value.value)
    if entry.lower in REGIONS:
        if not _is_region(document, value.value):
            yield note("INVALID_REGION", value.place, region=value.value)
    elif entry.lower in SERVICES or entry.lower == VIA_SERVICE:
        yield from _service(entry, value)
    elif entry.lower in _IDS and not has_pattern:
        form, code = _IDS[entry.lower]
        if not form.fullmatch(value.value):
            yield note(code, value.place)
    elif entry.lower in KMS_KEYS and value.value != "*" and not _KEY.fullmatch(value.value):
        yield note("INVALID_KMS_KEY_VALUE", value.place, key=entry.key.name)


def _is_region(document: Document, pattern: str) -> bool:
    reference = document.reference
    return any(reference.has_region(pattern, partition, document.work) for partition in reference.regions)


def _service(entry: Entry, value: Text) -> Iterator[Note]:
    is_via = entry.lower == VIA_SERVICE
    # What a wildcard stands for may have the form.
    fits = has_wildcard(value.value) or _SERVICE.fullmatch(value.value) is not None
    if is_via and fits and not has_wildcard(value.value):
        fits = value.value.count(".") > 2
    if not fits:
        expected = VIA_SERVICE_FORMAT if is_via else SERVICE_FORMAT
        yield note("INVALID_SERVICE_PRINCIPAL_FORMAT", value.place, expectedFormat=expected)


def _private(entry: Entry) -> Iterator[Note]:
    """Private addresses under aws:SourceIp, which a request from one never has."""
    if entry.lower != "aws:sourceip" or family(entry) != "IPAddress":
        return
    found = [(value, network(value.value)) for value in entry.values]
    private = [value.place for value, range in found if range is not None and _is_private(range)]
    if private:
        name = "PRIVATE_NOT_IP_ADDRESS" if entry.is_negated else "PRIVATE_IP_ADDRESS"
        yield note(name if len(private) == len(found) else f"{name}_SUBSET", *private)


def _is_private(range: Network) -> bool:
    return any(range.version == private.version and range.subnet_of(private) for private in _PRIVATE)  # type: ignore[arg-type]


def _redundant(entry: Entry) -> Iterator[Note]:
    """Several bounds of which one says all."""
    base = entry.name.base
    if len(entry.values) < 2 or not base.startswith(("NumericLessThan", "NumericGreaterThan")):
        return
    which = "greatest" if "Less" in base else "least"
    yield note(
        "REDUNDANT_CONDITION_VALUE_NUM",
        entry.key.value.place,
        operator=entry.operator.name,
        which=which,
        key=entry.key.name,
    )
