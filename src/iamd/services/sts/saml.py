"""AssumeRoleWithSAML: a session of a role for whoever brings a SAML assertion of a provider that the role trusts.

AWS: STS API Reference, AssumeRoleWithSAML; IAM User Guide, "Configure SAML assertions for the authentication response"
(id_roles_providers_create_saml_assertions) and "Troubleshoot SAML federation" (troubleshoot_saml), where the words of
errors are from.
"""

import asyncio
import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from iamd import arn, ids
from iamd.auth.identity import Identity, federated
from iamd.call import Call
from iamd.errors import Common, CommonError
from iamd.federation.proof import Federation
from iamd.federation.xml import SAMLMissing
from iamd.policy.request import lower
from iamd.services.iam.entities import saml_provider_in
from iamd.services.iam.saml_providers import REQUIRED, private_keys
from iamd.services.registry import Target, operation
from iamd.services.sts import federated as federation_rules
from iamd.services.sts.errors import (
    AccessDenied,
    ExpiredToken,
    IDPRejectedClaim,
    InvalidIdentityToken,
    ValidationError,
)
from iamd.store.federation_records import SAMLProvider

if TYPE_CHECKING:
    from iamd.federation.assertions import Assertion

ACTION: Final = "sts:AssumeRoleWithSAML"
DEFAULT_SECONDS: Final = 3600
USER_TYPE: Final = "SAMLUser"
ATTRIBUTES: Final = "https://aws.amazon.com/SAML/Attributes/"
TAG: Final = f"{ATTRIBUTES}PrincipalTag:"
NAME_FORMAT: Final = "urn:oasis:names:tc:SAML:2.0:nameid-format:"
SHORT_FORMATS: Final = ("persistent", "transient")
REMEMBERED_SECONDS: Final = 24 * 3600
_SESSION_NAME = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)
_SECONDS = re.compile(r"[0-9]{3,5}", re.ASCII)

# AWS: id_roles_providers_create_saml_assertions, "Mapping SAML attributes to AWS trust policy context keys".
_EDU_PERSON: Final = (
    "eduPersonAffiliation", "eduPersonNickname", "eduPersonOrgDN", "eduPersonOrgUnitDN", "eduPersonPrimaryAffiliation",
    "eduPersonPrincipalName", "eduPersonEntitlement", "eduPersonPrimaryOrgUnitDN", "eduPersonScopedAffiliation",
    "eduPersonTargetedID", "eduPersonAssurance",
)  # fmt: skip
_EDU_ORG: Final = (
    "eduOrgHomePageURI", "eduOrgIdentityAuthNPolicyURI", "eduOrgLegalName", "eduOrgSuperiorURI", "eduOrgWhitePagesURI",
)  # fmt: skip
_CLAIMS: Final = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"
KEYS: Final[Mapping[str, str]] = {
    **{f"urn:oid:1.3.6.1.4.1.5923.1.1.1.{number}": key for number, key in enumerate(_EDU_PERSON, 1)},
    **{f"urn:oid:1.3.6.1.4.1.5923.1.2.1.{number}": key for number, key in enumerate(_EDU_ORG, 2)},
    "urn:oid:2.5.4.3": "cn",
    f"{_CLAIMS}name": "name",
    "http://schemas.xmlsoap.org/claims/CommonName": "commonName",
    f"{_CLAIMS}givenname": "givenName",
    f"{_CLAIMS}surname": "surname",
    f"{_CLAIMS}emailaddress": "mail",
    "http://schemas.microsoft.com/ws/2008/06/identity/claims/primarygroupsid": "uid",
    "2.5.4.3": "commonName",
    "2.5.4.4": "surname",
    "2.4.5.42": "givenName",
    "2.5.4.45": "x500UniqueIdentifier",
    "0.9.2342.19200300100.1.1": "uid",
    "0.9.2342.19200300100.1.3": "mail",
    "0.9.2342.19200300.100.1.45": "organizationStatus",
}
"""The condition key, without `saml:`, that an attribute of this name is."""


def targets(call: Call, *, role_arn: str, **_: Any) -> list[Target]:
    """The role, for assuming it and for each thing that the session is to carry."""
    return federation_rules.targets(call, ACTION, role_arn)


async def authenticated(call: Call, *, role_arn: str, principal_arn: str, saml_assertion: str, **_: Any) -> Identity:
    """The caller whom the assertion proves."""
    named, role = arn.parse(principal_arn), arn.parse(role_arn)
    if role is None or role.service != "iam" or not role.resource.startswith("role/"):
        raise ValidationError(f"{role_arn} is invalid")
    if named is None or named.service != "iam" or not named.resource.startswith("saml-provider/"):
        raise ValidationError(f"{principal_arn} is invalid")
    provider = saml_provider_in(call.account_of(named.account), principal_arn)
    if provider is None:
        raise InvalidIdentityToken(
            _of_discovery("Specified provider doesn't exist", "AuthSamlManifestNotFoundException")
        )
    if named.account != role.account:
        # SECURITY: a provider vouches in its own account only (FED-08).
        raise AccessDenied(f"Not authorized to perform {ACTION}")
    # XML and signatures are milliseconds of work that must not hold up others.
    assertion = await asyncio.to_thread(_read, call, named.account, provider, saml_assertion)
    proof = _proof(call, assertion, provider, principal_arn, role_arn)
    return federated(proof, named.account, f"{proof.identity_provider}:{proof.name}")


@operation(on=targets, authenticate=authenticated)
def assume_role_with_saml(
    call: Call,
    *,
    role_arn: str,
    principal_arn: str,
    saml_assertion: str,
    policy_arns: Sequence[Mapping[str, str]] = (),
    policy: str | None = None,
    duration_seconds: int = DEFAULT_SECONDS,
    minimum_session_token_size: int = 0,
) -> dict[str, Any]:
    """Give temporary credentials of a role; an assertion is taken once for each role."""
    return federation_rules.assumed(
        call,
        role_arn,
        seconds=duration_seconds,
        policy=policy,
        policy_arns=policy_arns,
        minimum_size=minimum_session_token_size,
    )


def _of_discovery(words: str, code: str) -> str:
    """Words that AWS hands on from the service that knows its providers, with that service's own code."""
    return (
        f"{words} (Service: AWSOpenIdDiscoveryService; Status Code: 400; Error Code: {code}; "
        f"Request ID: {ids.request_id()}; Proxy: null)"
    )


def _read(call: Call, account_id: str, provider: SAMLProvider, encoded: str) -> "Assertion":
    # Imported here: a server without SAML has no use for it.
    from iamd.federation import assertions, metadata  # noqa: PLC0415

    # The provider and its users keep the machine's time, as signatures do.
    now = call.clock.machine_timestamp()
    if now >= provider.valid_until:
        raise InvalidIdentityToken("The metadata of the identity provider has expired.")
    try:
        expected = assertions.Expected(
            metadata=metadata.read(provider.metadata),
            provider_id=provider.provider_id,
            private_keys=private_keys(call, account_id, provider),
            encryption_required=provider.encryption_mode == REQUIRED,
            now=now,
        )
        return assertions.read(encoded, expected)
    except SAMLMissing as error:
        raise CommonError(Common.NOT_IMPLEMENTED, str(error)) from error
    except assertions.Unreadable as error:
        raise InvalidIdentityToken(_of_discovery(str(error), "AuthSamlInvalidSamlResponseException")) from error
    except assertions.Invalid as error:
        raise InvalidIdentityToken(str(error)) from error
    except assertions.Undirected as error:
        raise InvalidIdentityToken(
            _of_discovery("Issuer not present in specified provider", "AuthSamlInvalidSamlResponseException")
        ) from error
    except assertions.NotIssued as error:
        raise IDPRejectedClaim("The identity provider reported that authentication failed.") from error
    except assertions.Expired as error:
        raise ExpiredToken(str(error)) from error


def _proof(call: Call, assertion: "Assertion", provider: SAMLProvider, principal_arn: str, role_arn: str) -> Federation:
    if assertion.subject is None:
        # AWS: so it answers a response without a NameID (troubleshoot_saml).
        raise AccessDenied(f"Not authorized to perform {ACTION}")
    account_id = principal_arn.split(":")[4]
    _check_role(assertion, role_arn, principal_arn)
    qualifier = _name_qualifier(assertion.issuer, account_id, provider.name)
    subject_type = assertion.subject_format
    for short in SHORT_FORMATS:
        subject_type = short if subject_type == NAME_FORMAT + short else subject_type
    kept: dict[str, str | tuple[str, ...]] = {"saml:namequalifier": qualifier, "saml:sub": assertion.subject}
    if subject_type:
        kept["saml:sub_type"] = subject_type
    tags = [
        (key.removeprefix(TAG), _single(key, values))
        for key, values in assertion.attributes.items()
        if key.startswith(TAG)
    ]
    transitive = assertion.attributes.get(f"{ATTRIBUTES}TransitiveTagKeys", ())
    federation_rules.check_tags(tags, transitive)
    session_name = _session_name(assertion)
    return Federation(
        user_type=USER_TYPE,
        provider=principal_arn,
        record=provider,
        identity_provider=qualifier,
        name=assertion.subject,
        session_name=session_name,
        context={
            **_attribute_keys(assertion),
            "saml:aud": assertion.recipient,
            "saml:iss": assertion.issuer,
            "saml:doc": f"{account_id}/{provider.name}",
            **kept,
        },
        session_context=kept,
        answer={
            "Subject": assertion.subject,
            "SubjectType": subject_type,
            "Issuer": assertion.issuer,
            "Audience": assertion.recipient,
            "NameQualifier": qualifier,
        },
        longest_seconds=_longest_seconds(assertion, call.clock.machine_timestamp()),
        once=(f"{assertion.issuer}\0{assertion.identifier}", call.now + REMEMBERED_SECONDS),
        told={"sAMLAssertionID": assertion.identifier, "roleSessionName": session_name},
        source_identity=_source_identity(assertion),
        tags=dict(tags),
        transitive_tag_keys=transitive,
    )


def _check_role(assertion: "Assertion", role_arn: str, principal_arn: str) -> None:
    """AWS: the attribute Role has pairs of role and provider, in either order."""
    pairs = [
        frozenset(part.strip() for part in value.split(","))
        for value in assertion.attributes.get(f"{ATTRIBUTES}Role", ())
        if value.count(",") == 1
    ]
    if frozenset({role_arn, principal_arn}) not in pairs:
        raise InvalidIdentityToken("SAML Assertion doesn't contain the requested Role and Metadata in the attributes")


def _session_name(assertion: "Assertion") -> str:
    values = assertion.attributes.get(f"{ATTRIBUTES}RoleSessionName", ())
    if not values or values == ("",):
        raise InvalidIdentityToken("RoleSessionName is required in AuthnResponse")
    if len(values) != 1 or not _SESSION_NAME.fullmatch(values[0]):
        raise InvalidIdentityToken("RoleSessionName in AuthnResponse must match [a-zA-Z_0-9+=,.@-]{2,64}")
    return values[0]


def _source_identity(assertion: "Assertion") -> str | None:
    values = assertion.attributes.get(f"{ATTRIBUTES}SourceIdentity")
    if values is None:
        return None
    if len(values) != 1 or not _SESSION_NAME.fullmatch(values[0]) or lower(values[0]).startswith("aws:"):
        raise InvalidIdentityToken('Source Identity must match [a-zA-Z_0-9+=,.@-]{2,64} and not begin with "aws:"')
    return values[0]


def _longest_seconds(assertion: "Assertion", now: float) -> int | None:
    """How long the provider lets a session be; the shorter of SessionDuration and SessionNotOnOrAfter counts."""
    bounds = []
    values = assertion.attributes.get(f"{ATTRIBUTES}SessionDuration")
    if values is not None:
        if len(values) != 1 or not _SECONDS.fullmatch(values[0]) or not 900 <= int(values[0]) <= 43200:
            raise InvalidIdentityToken("SessionDuration in AuthnResponse must be between 900 and 43200 seconds")
        bounds.append(int(values[0]))
    if assertion.session_ends is not None:
        bounds.append(max(1, int(assertion.session_ends - now)))
    return min(bounds, default=None)


def _single(key: str, values: tuple[str, ...]) -> str:
    if len(values) != 1:
        raise IDPRejectedClaim(f"The attribute {key} has not exactly one value.")
    return values[0]


def _name_qualifier(issuer: str, account_id: str, provider_name: str) -> str:
    """AWS: `BASE64 ( SHA1 ( issuer + account + "/" + provider ) )` (STS API Reference, AssumeRoleWithSAML)."""
    text = f"{issuer}{account_id}/{provider_name}"
    return base64.b64encode(hashlib.sha1(text.encode(), usedforsecurity=False).digest()).decode()


def _attribute_keys(assertion: "Assertion") -> dict[str, str | tuple[str, ...]]:
    keys: dict[str, str | tuple[str, ...]] = {}
    for attribute, values in assertion.attributes.items():
        key = KEYS.get(attribute)
        if key is not None and values:
            keys.setdefault(f"saml:{lower(key)}", values[0] if len(values) == 1 else values)
    return keys
