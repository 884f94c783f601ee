"""SAML responses: one assertion, signed, for AWS, now; and what it says (SAML Core 2.3, 2.5, 3.2; SAML Profiles 4.1.4).

AWS: IAM User Guide, "Configure SAML assertions for the authentication response"
(id_roles_providers_create_saml_assertions).
"""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from iamd.federation import encryption, signatures
from iamd.federation.metadata import Metadata, moment
from iamd.federation.signatures import WrongSignature
from iamd.federation.xml import NotXML, found, name, parse, text_of

if TYPE_CHECKING:
    from lxml.etree import _Element

SKEW_SECONDS: Final = 60
REDEEMED_SECONDS: Final = 300
"""AWS: "Token must be redeemed within 5 minutes of issuance"."""
BEARER: Final = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
SUCCESS: Final = "urn:oasis:names:tc:SAML:2.0:status:Success"
AUDIENCE: Final = "urn:amazon:webservices"
# AWS: the sign-in endpoint, global or of a region, with the provider's id where assertions are encrypted (IAM User
# Guide, id_roles_providers_create_saml, and "AWS Sign-In endpoints").
_ENDPOINT = re.compile(r"https://(?:[a-z0-9-]+\.)?signin\.aws\.amazon\.com/saml(?:/acs/(?P<id>[A-Z0-9]+))?", re.ASCII)
# The last two bind nobody here: every assertion serves a role once (FED-08), and none is issued on its word.
CONDITIONS: Final = frozenset(name("saml", one) for one in ("AudienceRestriction", "OneTimeUse", "ProxyRestriction"))
UNSIGNED: Final = "Response (with optional signature) must contain an assertion with a mandatory signature"


class Invalid(Exception):
    """The response proves nothing; the message says why in AWS's words where these are known."""


class Unreadable(Invalid):
    """AWS's own reader of responses makes nothing of it, whatever is wrong; its words for it by default."""

    def __init__(self, words: str = "Invalid base64 SAMLResponse") -> None:
        super().__init__(words)


class NotIssued(Exception):
    """The provider itself says that nobody has signed in."""


class Expired(Exception):
    """The response's time has passed; the message is AWS's."""


class Undirected(Exception):
    """The issuer is not the one of the metadata."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assertion:
    """What a verified assertion says; times are epoch seconds.

    `session_ends` is its SessionNotOnOrAfter. `attributes` holds the values by the attributes' names.
    """

    identifier: str
    issuer: str
    subject: str | None
    subject_format: str
    recipient: str
    session_ends: float | None
    attributes: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a response is held against: the provider's metadata, id and keys, and the time."""

    metadata: Metadata
    provider_id: str
    private_keys: Sequence[bytes]
    encryption_required: bool
    now: float


def read(encoded: str, expected: Expected) -> Assertion:
    """The assertion of a base64 response; Invalid, NotIssued, Undirected or Expired when none is to be believed."""
    try:
        response = parse(base64.b64decode("".join(encoded.split()), validate=True))
    except (binascii.Error, ValueError, NotXML) as error:
        raise Unreadable from error
    try:
        return _read(response, expected)
    except (WrongSignature, encryption.Undecipherable) as error:
        raise Invalid("Response signature invalid") from error
    except NotXML as error:
        raise Invalid("Invalid SAML response") from error


def _read(response: "_Element", expected: Expected) -> Assertion:
    if response.tag != name("samlp", "Response") or response.get("Version") != "2.0":
        raise Invalid("Invalid SAML response")
    signatures.check_places(response)
    if signatures.signature_of(response) is not None:
        response = signatures.verified(response, expected.metadata.certificates)
    assertion = _assertion(response, expected)
    _check_response(response, expected)
    return _content(assertion, expected)


def _assertion(response: "_Element", expected: Expected) -> "_Element":
    """The one assertion, from bytes that it is signed by itself; a response's signature alone is not enough for AWS."""
    plain, encrypted = found(response, "saml:Assertion"), found(response, "saml:EncryptedAssertion")
    # SECURITY: a second assertion anywhere is one that somebody hopes will be read instead of the signed one.
    anywhere = found(response, "//saml:Assertion | //saml:EncryptedAssertion")
    if len(plain) + len(encrypted) != 1 or len(anywhere) != 1:
        raise Invalid("Invalid SAML response: there must be exactly one assertion")
    if encrypted:
        assertion = encryption.decrypted(encrypted[0], expected.private_keys)
        if len(found(assertion, "descendant-or-self::saml:Assertion")) != 1:
            raise Invalid("Invalid SAML response: there must be exactly one assertion")
        signatures.check_places(assertion)
    elif expected.encryption_required:
        raise Unreadable
    else:
        [assertion] = plain
    if signatures.signature_of(assertion) is None:
        raise Unreadable(UNSIGNED)
    return signatures.verified(assertion, expected.metadata.certificates)


def _check_response(response: "_Element", expected: Expected) -> None:
    codes = [one.get("Value") for one in found(response, "samlp:Status/samlp:StatusCode")]
    if codes != [SUCCESS]:
        raise NotIssued
    # SECURITY: what a response says of its Issuer is what its assertion says (FED-08; SAML Profiles, 4.1.4.2); AWS does
    # not look at it.
    for issuer in found(response, "saml:Issuer"):
        if text_of(issuer).strip() != expected.metadata.entity_id:
            raise Undirected
    destination = response.get("Destination")
    if destination and not _is_aws(destination, expected.provider_id):
        raise Invalid("Invalid SAML response: Destination is not an AWS sign-in endpoint")


def _content(assertion: "_Element", expected: Expected) -> Assertion:
    if assertion.get("Version") != "2.0" or not assertion.get("ID"):
        raise Invalid("Invalid SAML response")
    issuers = found(assertion, "saml:Issuer")
    if len(issuers) != 1 or text_of(issuers[0]).strip() != expected.metadata.entity_id:
        raise Undirected
    recipient, confirmed_until = _confirmation(assertion, expected)
    condition_ends = _check_conditions(assertion, expected)
    issued = _time(assertion.get("IssueInstant"))
    if issued > expected.now + SKEW_SECONDS:
        raise Invalid("Invalid SAML response: the assertion is from the future")
    session_ends = _session_ends(assertion)
    if expected.now >= min(confirmed_until, condition_ends, float("inf") if session_ends is None else session_ends):
        raise Expired("Response has expired")
    if expected.now >= issued + REDEEMED_SECONDS:
        raise Expired("Token must be redeemed within 5 minutes of issuance")
    subject, subject_format = _subject(assertion)
    return Assertion(
        identifier=str(assertion.get("ID")),
        issuer=expected.metadata.entity_id,
        subject=subject,
        subject_format=subject_format,
        recipient=recipient,
        session_ends=session_ends,
        attributes=_attributes(assertion),
    )


def _confirmation(assertion: "_Element", expected: Expected) -> tuple[str, float]:
    """The recipient that a bearer presents the assertion to, and until when.

    A bearer's must have no NotBefore (SAML Profiles, 4.1.4.2). One may check the Address against who presents it
    (4.1.4.3); it is the browser's, and behind a broker or another network than the provider's nobody has it.
    """
    confirmations = found(assertion, "saml:Subject/saml:SubjectConfirmation")
    data = found(assertion, "saml:Subject/saml:SubjectConfirmation/saml:SubjectConfirmationData")
    if len(confirmations) != 1 or len(data) != 1:
        raise Unreadable
    if confirmations[0].get("Method") != BEARER:
        raise Invalid("Responses must contain exactly one SubjectConfirmation with the method bearer")
    recipient, ends, begins = data[0].get("Recipient"), data[0].get("NotOnOrAfter"), data[0].get("NotBefore")
    if not recipient or not ends:
        raise Unreadable
    confirmed_until = _time(ends)
    # SECURITY: AWS takes any recipient, and any NotBefore that is a time; here neither is (FED-08, B33).
    if begins is not None:
        _time(begins)
        raise Invalid("Invalid SAML response: SubjectConfirmationData of a bearer can't have a NotBefore")
    if not _is_aws(recipient, expected.provider_id):
        raise Invalid("Invalid SAML response: Recipient is not an AWS sign-in endpoint")
    return recipient, confirmed_until


def _check_conditions(assertion: "_Element", expected: Expected) -> float:
    """Until when the conditions hold; Invalid where they don't, or hold something that is not understood."""
    conditions = found(assertion, "saml:Conditions")
    if len(conditions) != 1:
        raise Unreadable
    if any(one.tag not in CONDITIONS for one in found(conditions[0], "*")):
        raise Invalid("Invalid SAML response: its conditions can't be kept")
    restrictions = found(conditions[0], "saml:AudienceRestriction")
    if not restrictions or not all(_is_for_aws(one, expected.provider_id) for one in restrictions):
        raise Invalid("Invalid SAML response: Audience is not urn:amazon:webservices or an AWS sign-in endpoint")
    begins, ends = conditions[0].get("NotBefore"), conditions[0].get("NotOnOrAfter")
    if begins and _time(begins) > expected.now + SKEW_SECONDS:
        raise Invalid("Invalid SAML response: the assertion is from the future")
    return _time(ends) if ends else float("inf")


def _is_for_aws(restriction: "_Element", provider_id: str) -> bool:
    audiences = [text_of(one).strip() for one in found(restriction, "saml:Audience")]
    return any(one == AUDIENCE or _is_aws(one, provider_id) for one in audiences)


def _is_aws(endpoint: str, provider_id: str) -> bool:
    named = _ENDPOINT.fullmatch(endpoint)
    return named is not None and named["id"] in {None, provider_id}


def _subject(assertion: "_Element") -> tuple[str | None, str]:
    names = found(assertion, "saml:Subject/saml:NameID")
    if len(found(assertion, "saml:Subject")) != 1 or len(names) > 1:
        raise Invalid("Invalid SAML response: there must be exactly one Subject")
    if not names:
        return None, ""
    subject_format = names[0].get("Format")
    if not subject_format:
        raise Unreadable
    return text_of(names[0]).strip() or None, str(subject_format)


def _session_ends(assertion: "_Element") -> float | None:
    statements = found(assertion, "saml:AuthnStatement")
    if not statements:
        raise Unreadable
    ends = [one.get("SessionNotOnOrAfter") for one in statements]
    return min((_time(one) for one in ends if one), default=None)


def _attributes(assertion: "_Element") -> Mapping[str, tuple[str, ...]]:
    attributes: dict[str, tuple[str, ...]] = {}
    for attribute in found(assertion, "saml:AttributeStatement/saml:Attribute"):
        key = str(attribute.get("Name", ""))
        if key in attributes:
            raise Invalid(f"Invalid SAML response: the attribute {key} stands there twice")
        values = found(attribute, "saml:AttributeValue")
        attributes[key] = tuple(text_of(value).strip() for value in values if not found(value, "*"))
    return attributes


def _time(text: str | None) -> float:
    try:
        parsed: datetime = moment(text or "")
        return parsed.timestamp()
    except (ValueError, OverflowError) as error:
        raise Unreadable from error
