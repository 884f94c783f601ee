"""Parameters and answers as records show them: CloudTrail's names and dates, and nothing secret."""

from collections.abc import Callable, Collection, Mapping
from datetime import date, datetime
from functools import lru_cache
from typing import Any, TypeVar

import msgspec

HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"
"""What CloudTrail writes in place of a value that it must not show."""

# SECURITY: these never reach an event, whatever the operation (AUD-04); compared without case.
SECRET_MEMBERS = frozenset(
    {
        "secretaccesskey", "sessiontoken", "password", "oldpassword", "newpassword", "samlassertion", "privatekey",
        "webidentitytoken", "plaintext", "tokencode", "authenticationcode1", "authenticationcode2", "qrcodepng",
        "base32stringseed", "secretstring", "secretbinary", "accesstoken", "refreshtoken", "clientsecret", "idtoken",
        "devicecode", "tradeintoken", "assertion", "code", "codeverifier", "signintoken", "addprivatekey",
        "servicepassword", "servicecredentialsecret", "subjecttoken", "actortoken", "token", "contextassertion",
        "usercode",
    }
)  # fmt: skip
# AWS leaves these out of the parameters and answers that it records: see the records of AssumeRoleWithSAML and
# AssumeRoleWithWebIdentity in IAM User Guide, cloudtrail-integration.
LEFT_OUT = frozenset({"secretaccesskey", "samlassertion", "webidentitytoken"})

MASKED = "****"
"""What stands in Organizations' events in place of names and addresses of accounts.

AWS: Organizations User Guide, "Logging and monitoring in AWS Organizations", the example of CreateAccount.
"""

MASKED_MEMBERS: Mapping[str, frozenset[str]] = {
    "organizations": frozenset({"AccountName", "Email", "MasterAccountEmail"}),
}
"""By service, the members that its events mask."""

OMITTED_MEMBERS: Mapping[str, frozenset[str]] = {"cloudformation": frozenset({"ParameterValue"})}
"""By service, the members that its events leave out.

AWS: CloudFormation User Guide, "Log AWS CloudFormation API calls with AWS CloudTrail", whose examples of CreateStack
name parameters without their values.
"""

MAPS = frozenset({"ReplacementValues"})
"""Members whose names are values that the caller chose, and stay as they are.

AWS: IAM User Guide, "Manage access to role manager", the record of AcquireRole.
"""

MAX_BYTES = 100 * 1024
"""AWS: what is larger is left out of a record (CloudTrail User Guide, "CloudTrail record contents")."""

MAX_TEXT = 1024
"""AWS: user agents and error messages are cut off after 1 KB (same page)."""


class AsWritten(dict[str, Any]):
    """A map, whose keys are the caller's own words: a record has them as they are.

    AWS: KMS Developer Guide, "Logging AWS KMS API calls with AWS CloudTrail", whose events hold encryption contexts.
    """


RENAMED: Mapping[str, Mapping[str, str]] = {"s3": {"bucket": "bucketName"}}
"""By service, parameters that its records call otherwise.

AWS: S3 User Guide, "Amazon S3 CloudTrail events", and its examples of log files.
"""


def parameters(
    given: Mapping[str, Any] | None, added: Mapping[str, Any] | None = None, service: str = ""
) -> msgspec.Raw | None:
    """The JSON of parameters as a record has them, with what was added to them.

    None when there are none, or too much of them; an error when they can't be encoded.
    """
    found = _parameters(given, service) if given else {}
    if added:
        found = {**found, **added}
    if not found:
        return None
    encoded = _ENCODER.encode(found)
    return msgspec.Raw(encoded) if len(encoded) <= MAX_BYTES else None


def _parameters(given: Mapping[str, Any], service: str) -> dict[str, Any]:
    names = _plain_names(service, tuple(given))
    if names is not None and _is_plain_text(given.values()):
        # They are as many; to say so by a keyword takes as long as all else here.
        return dict(zip(names, given.values()))  # noqa: B905
    found = _members(given)
    renamed = RENAMED.get(service, _AS_THEY_ARE)
    return {renamed.get(name, name): value for name, value in found.items()}


_ENCODER = msgspec.json.Encoder()
_AS_THEY_ARE: Mapping[str, str] = {}


@lru_cache(maxsize=4096)
def _plain_names(service: str, names: tuple[str, ...]) -> tuple[str, ...] | None:
    """What records of a service call members of these names; None when they hide or leave out one of them."""
    plain = [_plain[name] for name in names]
    renamed = RENAMED.get(service, _AS_THEY_ARE)
    return tuple(renamed.get(name, name) for name in plain) if all(plain) else None


def masked(service: str, value: Any) -> Any:
    """A value of a service's parameters or answers with what the service's events mask."""
    members, omitted = MASKED_MEMBERS.get(service, _NONE), OMITTED_MEMBERS.get(service, _NONE)
    return _masked(value, members, omitted) if members or omitted else value


_NONE: frozenset[str] = frozenset()
MASKING = MASKED_MEMBERS.keys() | OMITTED_MEMBERS.keys()
"""The services whose events mask something."""


def _masked(value: Any, members: frozenset[str], omitted: frozenset[str]) -> Any:
    if isinstance(value, Mapping):
        kept = {key: item for key, item in value.items() if key not in omitted}
        return {key: MASKED if key in members else _masked(item, members, omitted) for key, item in kept.items()}
    if isinstance(value, list):
        return [_masked(item, members, omitted) for item in value]
    return value


def shown(value: Any, name: str = "") -> Any:
    """A value as a record has it: names begin with a small letter, secrets are hidden."""
    if isinstance(value, str):
        return HIDDEN if _names[name][1] else legible(value)
    if isinstance(value, AsWritten):
        return {legible(key): HIDDEN if _names[key][1] else shown(item) for key, item in value.items()}
    if isinstance(value, (dict, Mapping)):
        return _members(value)
    if _names[name][1]:
        return HIDDEN
    if isinstance(value, list | tuple):
        return [shown(item, name) for item in value]
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes | bytearray):
        return HIDDEN
    return value


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def moment(value: datetime) -> str:
    """A date within parameters and answers: `Jul 18, 2014 4:07:39 PM` (IAM User Guide, cloudtrail-integration)."""
    hour = value.hour
    half = "PM" if hour > 11 else "AM"
    month = _MONTHS[value.month - 1]
    return f"{month} {value.day}, {value.year} {hour % 12 or 12}:{value.minute:02}:{value.second:02} {half}"


def cut(text: str) -> str:
    """A text that a client or an error may make long, at the length that a record has room for."""
    return legible(text)[:MAX_TEXT]


def _is_plain_text(values: Collection[Any]) -> bool:
    """Whether records have these values as they are."""
    return _TEXT.issuperset(map(type, values)) and all(map(str.isascii, values))


def _members(value: Mapping[str, Any]) -> dict[str, Any]:
    names, items = list(map(_plain.__getitem__, value)), value.values()
    if all(names) and _is_plain_text(items):
        # What most requests and answers are: plain text under names that hide nothing.
        return dict(zip(names, items, strict=True))
    found: dict[str, Any] = {}
    for name, item in value.items():
        camel, is_hidden, is_left_out = _names[name]
        if item is None or is_left_out:
            continue
        if type(item) is str:
            found[camel] = HIDDEN if is_hidden else legible(item)
        elif name in MAPS and isinstance(item, Mapping):
            found[camel] = {legible(key): shown(value) for key, value in item.items()}
        else:
            found[camel] = shown(item, name)
    return found


_TEXT = frozenset({str})
LONGEST_REMEMBERED = 128
MOST_REMEMBERED = 4096
Named = TypeVar("Named")


class _Remembered(dict[str, Named]):
    """What was read of names."""

    def __init__(self, read: Callable[[str], Named]) -> None:
        super().__init__()
        self._read = read

    def __missing__(self, name: str) -> Named:
        found = self._read(name)
        # Maps have names of the client's choice: long ones are not remembered.
        if len(name) <= LONGEST_REMEMBERED:
            if len(self) >= MOST_REMEMBERED:
                self.clear()
            self[name] = found
        return found


def _read(name: str) -> tuple[str, bool, bool]:
    """A name as records have it, and whether its value is hidden, and left out altogether."""
    # CloudTrail lowers the first letter and no more: its records say `userName`, and `aWSServiceName` too.
    camel = legible(name[:1].lower() + name[1:])
    return camel, name.lower() in SECRET_MEMBERS, name.lower() in LEFT_OUT


def _read_plain(name: str) -> str:
    """A name as records have it; empty for one whose value is hidden or left out."""
    camel, is_hidden, is_left_out = _read(name)
    return "" if is_hidden or is_left_out else camel


_names = _Remembered(_read)
_plain = _Remembered(_read_plain)


def legible(text: str) -> str:
    """Text with lone surrogates spelled out, which JSON can't hold: what a client sends must not keep an event away."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")
