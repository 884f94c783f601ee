"""SES: which identity an operation is on, and which one a message is sent from.

AWS: SES API Reference and API v2 Reference; SES Developer Guide, "Sending emails for the identity owner for Amazon SES
sending authorization", "Actions, resources, and condition keys for Amazon SES".
"""

import re
from collections.abc import Callable, Iterator, Mapping
from email.utils import parseaddr
from typing import Any, Final, NamedTuple

from iamd import policy_places
from iamd.authz.target import Target
from iamd.data import service_reference
from iamd.errors import AWSError
from iamd.gateway.actions import by_rule, given_arn, ses_raw
from iamd.gateway.actions.asked import Asked, Value, at
from iamd.policy.request import lower

_ADDRESS: Final = re.compile(r"[^\s@<>\",;:\\()\[\]]+@[A-Za-z0-9.-]+")


class BadRequest(AWSError):
    """What is no identity (SES API v2 Reference, "Common Errors" of its operations)."""

    code = "BadRequestException"
    status = 400


class InvalidParameterValue(AWSError):
    """What is no identity (SES API Reference, "Common Errors")."""

    code = "InvalidParameterValue"
    status = 400


def identity(asked: Asked) -> str:
    """The ARN of the identity that an operation of this account is about, given by its name or, to v1, its ARN."""
    given: Any = next((asked.parameters[name] for name in _NAMES if asked.parameters.get(name)), None)
    if not isinstance(given, str):
        raise KeyError("EmailIdentity" if asked.operation.service == "sesv2" else "Identity")
    name = given
    if given.startswith("arn:"):
        found = given_arn.given(given, "ses", asked) if asked.operation.service == "ses" else None
        if found is None or found.account != asked.account:
            # AWS: to call these, "you must own the identity" (SES API Reference, PutIdentityPolicy: Identity).
            raise refused(asked, f"{given} is no identity of this account.")
        name = found.resource.removeprefix("identity/")
    if not policy_places.is_plain(name) or "*" in name or "?" in name:
        raise refused(asked, "The identity is no email address and no domain.")
    return _own(asked, name)


_NAMES: Final = ("EmailIdentity", "Identity", "EmailAddress", "Domain")


def refused(asked: Asked, words: str) -> AWSError:
    """The error of the API's version."""
    return BadRequest(words) if asked.operation.service == "sesv2" else InvalidParameterValue(words)


def _own(asked: Asked, name: str) -> str:
    """AWS: the part before the @ of an address is case-sensitive, the domain is not ("Verified identities")."""
    before, at_sign, domain = name.rpartition("@")
    return given_arn.own("ses", f"identity/{before}{at_sign}{domain.lower()}", asked)


def _of_identity(asked: Asked) -> list[Target]:
    """An operation on one identity that it names."""
    found = identity(asked)
    return [
        Target(arn=found, action=one.action, context=one.context, makes=one.makes) if ":identity/" in one.arn else one
        for one in by_rule.targets(asked)
    ]


def _send(asked: Asked) -> list[Target]:
    """A message: decided on the identities that it is sent from and that its bounces go to."""
    ruled = by_rule.targets(asked)
    senders = list(_senders(asked))
    if not senders:
        return ruled
    action = ruled[0].action
    context = {**_keys(asked, action or "", _from(asked)), **ruled[0].context}
    others = [one for one in ruled if ":identity/" not in one.arn]
    found = [Target(arn=one, action=action, context=context) for one in dict.fromkeys(senders)]
    return [*found, *others]


def _senders(asked: Asked) -> Iterator[str]:
    """The identities; nothing when it can't be told which one it is sent from."""
    given, members = asked.parameters, _MEMBERS[asked.operation.service]
    if at(given, "Content.Raw") is not None:
        # Which action AWS asks for, its pages do not say.
        return
    if asked.operation.name == "SendRawEmail":
        yield from _of_raw(asked)
        return
    found = _by(asked, given.get(members.address), given.get(members.identity))
    if found is None:
        return
    yield found
    feedback, its_identity = given.get(members.feedback), given.get(members.feedback_identity)
    if its_identity:
        yield _by(asked, feedback, its_identity) or its_identity


def _from(asked: Asked) -> str:
    """Whom a message says that it is from."""
    if asked.operation.name == "SendRawEmail":
        return ses_raw.sender(at(asked.parameters, "RawMessage.Data")) or ""
    return str(asked.parameters[_MEMBERS[asked.operation.service].address])


def _of_raw(asked: Asked) -> list[str]:
    """The identities of a raw message: of its `From` header, and of what the request calls its source.

    AWS: SES API Reference, SendRawEmail: SourceArn alone stands for the identity of the header as well.
    """
    given, arn, sender = asked.parameters, asked.parameters.get("SourceArn"), _from(asked)
    if not sender:
        return []
    found = [_by(asked, sender, given.get("FromArn") or arn)]
    if given.get("Source"):
        found.append(_by(asked, given["Source"], arn))
    known = [one for one in found if one is not None]
    is_all = len(known) == len(found) and {given.get("ReturnPathArn"), None} <= {*known, None}
    return known if is_all else []


class _Members(NamedTuple):
    """The members of one version of the API."""

    address: str
    feedback: str
    feedback_identity: str
    identity: str


_MEMBERS: Final[Mapping[str, _Members]] = {
    "ses": _Members("Source", "ReturnPath", "ReturnPathArn", "SourceArn"),
    "sesv2": _Members(
        "FromEmailAddress",
        "FeedbackForwardingEmailAddress",
        "FeedbackForwardingEmailAddressIdentityArn",
        "FromEmailAddressIdentityArn",
    ),
}


def _by(asked: Asked, text: Any, arn: str | None) -> str | None:
    """The identity by which mail is sent from an address; None when iamd does not know which one it is."""
    address = parseaddr(text)[1] if isinstance(text, str) else ""
    # SECURITY: what could be read as another address too is none, for the backend may read it so.
    is_plain = _ADDRESS.fullmatch(address) is not None and text.count("@") == 1
    fitting = list(_fitting(address)) if is_plain else []
    if arn is None:
        owned = [given_arn.own("ses", f"identity/{name}", asked) for name in fitting]
        # AWS: an address's own identity comes before its domain's ("Creating a sending authorization policy").
        return next((one for one in owned if asked.known(one)), None)
    found = given_arn.given(arn, "ses", asked)
    # SECURITY: the backend may look at the address alone, so the identity that is decided on must be its own.
    if found is None or found.resource not in {f"identity/{name}" for name in fitting}:
        raise refused(asked, f"{text} is not of an identity {arn} of this Region.")
    return arn


def _fitting(address: str) -> Iterator[str]:
    """The identities that an address may be sent from: itself, its domain, and those that this is in."""
    before, _, domain = address.rpartition("@")
    domain = domain.lower()
    yield f"{before}@{domain}"
    while domain:
        yield domain
        domain = domain.partition(".")[2]


def _keys(asked: Asked, action: str, sender: str) -> dict[str, Value]:
    """The condition keys of a message, as far as the reference gives them to the action."""
    given, members = asked.parameters, _MEMBERS[asked.operation.service]
    name, address = parseaddr(sender)
    feedback = given.get(members.feedback)
    found: dict[str, Value | None] = {
        "ses:ApiVersion": "2" if asked.operation.service == "sesv2" else "1",
        "ses:FromAddress": address,
        "ses:FromDisplayName": name or None,
        "ses:Recipients": tuple(_recipients(given)) or None,
        "ses:FeedbackAddress": feedback if isinstance(feedback, str) else None,
    }
    entry = service_reference.action("ses", action.partition(":")[2])
    named = entry.condition_keys if entry is not None else ()
    return {lower(key): value for key, value in found.items() if value is not None and key in named}


def _recipients(given: Mapping[str, Any]) -> Iterator[str]:
    several = given.get("Destinations") or []
    if several and isinstance(several[0], str):
        # Of a raw message, which may leave them to its headers.
        yield from (parseaddr(text)[1] or text for text in several)
        return
    for one in (given.get("Destination") or {}, *(each.get("Destination") or {} for each in several)):
        for member in ("ToAddresses", "CcAddresses", "BccAddresses"):
            for text in one.get(member) or ():
                yield parseaddr(text)[1] or text


_OF_IDENTITY: Final = (
    "CreateEmailIdentity", "CreateEmailIdentityPolicy", "DeleteEmailIdentity", "DeleteEmailIdentityPolicy",
    "GetEmailIdentity", "GetEmailIdentityPolicies", "PutEmailIdentityConfigurationSetAttributes",
    "PutEmailIdentityDkimAttributes", "PutEmailIdentityDkimSigningAttributes", "PutEmailIdentityFeedbackAttributes",
    "PutEmailIdentityMailFromAttributes", "UpdateEmailIdentityPolicy",
)  # fmt: skip
COMPUTED: Final[Mapping[tuple[str, str], Callable[[Asked], list[Target]]]] = {
    **{("sesv2", name): _of_identity for name in _OF_IDENTITY},
    ("ses", "SendBulkTemplatedEmail"): _send,
    ("ses", "SendEmail"): _send,
    ("ses", "SendRawEmail"): _send,
    ("ses", "SendTemplatedEmail"): _send,
    ("sesv2", "SendBulkEmail"): _send,
    ("sesv2", "SendEmail"): _send,
}
