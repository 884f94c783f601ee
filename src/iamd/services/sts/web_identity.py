"""AssumeRoleWithWebIdentity: a session of a role for whoever has a token of an OIDC provider that the role trusts.

AWS: STS API Reference, AssumeRoleWithWebIdentity; IAM User Guide, "OIDC federation" (id_roles_providers_oidc) and
"Pass session tags in AWS STS" (id_session-tags). The words of errors are those that AWS's clients are seen to get.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Final

from iamd import arn
from iamd.auth import cognito_tokens
from iamd.auth.identity import Identity, federated
from iamd.auth.sealing import SealError
from iamd.call import Call
from iamd.data import service_reference
from iamd.errors import AWSError
from iamd.federation import tokens
from iamd.federation.certificates import OtherThumbprint
from iamd.federation.fetching import WrongAnswer
from iamd.federation.hosts import Unreachable
from iamd.federation.issuers import JWK
from iamd.federation.proof import Federation
from iamd.federation.tokens import Unverified
from iamd.policy.request import lower
from iamd.services.iam.entities import openid_connect_provider_arn
from iamd.services.registry import Target, operation
from iamd.services.sts import federated as federation_rules
from iamd.services.sts.errors import (
    AccessDenied,
    ExpiredToken,
    IDPCommunicationError,
    IDPRejectedClaim,
    InvalidIdentityToken,
    ValidationError,
)
from iamd.store.federation_records import OpenIDConnectProvider, OutboundFederation

ACTION: Final = "sts:AssumeRoleWithWebIdentity"
DEFAULT_SECONDS: Final = 3600
USER_TYPE: Final = "WebIdentityUser"

# Providers that AWS knows by themselves, by the `iss` of their tokens. Their audiences are registered nowhere, so the
# trust policy must test one (iamd.policy.shared_issuers).
BUILT_IN: Final[Mapping[str, tuple[str, str]]] = {
    "https://accounts.google.com": ("accounts.google.com", "https://accounts.google.com"),
    "accounts.google.com": ("accounts.google.com", "https://accounts.google.com"),
    "https://cognito-identity.amazonaws.com": (
        "cognito-identity.amazonaws.com",
        "https://cognito-identity.amazonaws.com",
    ),
}
TAGS: Final = "https://aws.amazon.com/tags"
SOURCE_IDENTITY: Final = "https://aws.amazon.com/source_identity"
_SOURCE_IDENTITY = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)
ROLES: Final = "https://aws.amazon.com/roles"
_ROLE_ARN = re.compile(rf"arn:{arn.PARTITION}:iam::[0-9]{{12}}:role/[\w+=,.@/-]+", re.ASCII)

NO_KEY: Final = (
    "Couldn't retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity "
    "documentation for requirements"
)
UNVALIDATED: Final = (
    "The web identity token provided could not be validated. See the AssumeRoleWithWebIdentity documentation for "
    "requirements."
)
AMAZON: Final = "www.amazon.com"
FACEBOOK: Final = "graph.facebook.com"
OF_AMAZON: Final = "Atza|"
"""How access tokens of Login with Amazon begin."""
NOT_A_TOKEN: Final = "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)"
WRONG_THUMBPRINT: Final = "OpenIDConnect provider's HTTPS certificate doesn't match configured thumbprint"


def targets(call: Call, *, role_arn: str, **_: Any) -> list[Target]:
    """The role, for assuming it and for each thing that the session is to carry."""
    return federation_rules.targets(call, ACTION, role_arn)


async def authenticated(
    call: Call,
    *,
    role_arn: str,
    role_session_name: str,
    web_identity_token: str,
    provider_id: str | None = None,
    **_: Any,
) -> Identity:
    """The caller whom the token proves."""
    if provider_id is not None:
        raise _of_oauth(provider_id, web_identity_token)
    own = _of_iamds_pool(call, web_identity_token)
    if own is not None:
        return _caller(own, cognito_tokens.NAME, cognito_tokens.NAME, None, role_arn, role_session_name)
    try:
        unverified = tokens.read(web_identity_token)
    except tokens.NotAToken as error:
        raise InvalidIdentityToken(NOT_A_TOKEN) from error
    except tokens.WrongClaim as error:
        raise _missing(error) from error
    if call.view.shared.find(OutboundFederation, "issuer", unverified.issuer):
        # AWS: tokens of GetWebIdentityToken are for services outside, not for federation into AWS
        # (id_roles_providers_outbound_getting_started).
        raise InvalidIdentityToken("Tokens of GetWebIdentityToken can't be used to assume roles.")
    account_id = _account_of(role_arn)
    record: OpenIDConnectProvider | None
    record = call.account_of(account_id).get(OpenIDConnectProvider, unverified.issuer.partition("://")[2])
    if record is not None and record.issuer == unverified.issuer:
        name = openid_connect_provider_arn(call.account_of(account_id), record)
        claims = await _verified(call, unverified, record.issuer, record.thumbprints)
        audience = _audience(claims)
        # SECURITY: a token that was issued to another client of the same provider proves nothing here, nor does one for
        # another, which could hand it on (FED-02, B25); AWS does not look at `aud` where there is `azp`.
        if audience not in record.client_ids or {*record.client_ids}.isdisjoint(tokens.audiences(claims)):
            raise InvalidIdentityToken(UNVALIDATED)
    elif unverified.issuer in BUILT_IN:
        record, (name, published_at) = None, BUILT_IN[unverified.issuer]
        claims = await _verified(call, unverified, published_at, ())
    else:
        raise InvalidIdentityToken(f"No OpenIDConnect provider found in your account for {unverified.issuer}")
    return _caller(claims, name, record.url if record is not None else name, record, role_arn, role_session_name)


def _caller(
    claims: Mapping[str, Any],
    name: str,
    url: str,
    record: OpenIDConnectProvider | None,
    role_arn: str,
    session_name: str,
) -> Identity:
    """Whom these claims speak of, before a role."""
    audience = _audience(claims)
    is_authorized = _is_authorized(claims, role_arn)
    proof = _proof(claims, name, url, audience, record, session_name, is_authorized=is_authorized)
    return federated(proof, _account_of(role_arn), f"{name}:{audience}:{proof.name}")


def _of_iamds_pool(call: Call, token: str) -> Mapping[str, Any] | None:
    """The claims of a genuine token of an identity pool of Cognito's that iamd gave; None for all others."""
    try:
        claims = cognito_tokens.opened(token, call.keyring)
    except SealError as error:
        raise InvalidIdentityToken("Token signature is invalid") from error
    if claims is not None:
        _check_times(call, claims)
    return claims


@operation(on=targets, authenticate=authenticated)
def assume_role_with_web_identity(
    call: Call,
    *,
    role_arn: str,
    role_session_name: str,
    web_identity_token: str,
    provider_id: str | None = None,
    policy_arns: Sequence[Mapping[str, str]] = (),
    policy: str | None = None,
    duration_seconds: int = DEFAULT_SECONDS,
    minimum_session_token_size: int = 0,
) -> dict[str, Any]:
    """Give temporary credentials of a role; a token is taken again and again until it expires."""
    return federation_rules.assumed(
        call,
        role_arn,
        seconds=duration_seconds,
        policy=policy,
        policy_arns=policy_arns,
        minimum_size=minimum_session_token_size,
        packs_claims=True,
    )


def _of_oauth(provider_id: str, token: str) -> AWSError:
    """What is said of OAuth 2.0 access tokens, which their providers alone can verify: they can't be asked."""
    if provider_id not in {AMAZON, FACEBOOK}:
        return AccessDenied(
            "Unrecognized OAuth provider. Do not include a provider parameter when submitting OpenIDConnect ID tokens"
        )
    if provider_id == AMAZON and not token.startswith(OF_AMAZON):
        return InvalidIdentityToken("Provided Token is not a Login With Amazon token")
    return ValidationError(f"The provider {provider_id} can't be asked: tokens must be OpenID Connect ID tokens.")


def _missing(error: tokens.WrongClaim) -> InvalidIdentityToken:
    words = "Claim is not allowed to be empty" if isinstance(error, tokens.EmptyClaim) else "Missing a required claim"
    return InvalidIdentityToken(f"{words}: {error.name}")


def _account_of(role_arn: str) -> str:
    named = arn.parse(role_arn)
    if named is None or named.service != "iam" or not named.resource.startswith("role/"):
        raise ValidationError(f"{role_arn} is invalid")
    return named.account


async def _verified(call: Call, unverified: Unverified, issuer: str, thumbprints: Sequence[str]) -> Mapping[str, Any]:
    """The claims of a genuine token that holds now."""
    key = await _key(call, unverified, issuer, thumbprints)
    try:
        claims = tokens.verified(unverified, key)
    except tokens.WrongSignature as error:
        raise InvalidIdentityToken("Token signature is invalid") from error
    _check_times(call, claims)
    return claims


def _check_times(call: Call, claims: Mapping[str, Any]) -> None:
    """A token holds now; the provider and its clients keep the machine's time, as signatures do."""
    now = call.clock.machine_timestamp()
    try:
        tokens.check_times(claims, now)
    except tokens.WrongTime as error:
        raise InvalidIdentityToken("Invalid timestamp in token claims.") from error
    except tokens.WrongClaim as error:
        raise _missing(error) from error
    except tokens.OutOfTime as error:
        raise _out_of_time(error, int(now)) from error


def _out_of_time(error: tokens.OutOfTime, now: int) -> AWSError:
    """AWS's words, in which it tells the moment that its tolerance leads to; here it is the current time."""
    match error:
        case tokens.Expired():
            return ExpiredToken(
                f"Token expired: current date/time {now} must be before the expiration date/time {error.at}"
            )
        case tokens.FromTheFuture():
            return InvalidIdentityToken(f"Token issued in the future: {error.at}")
        case _:
            return InvalidIdentityToken(
                f"Token not yet valid: current date/time {now} must be after or equal to the not-before date/time "
                f"{error.at}"
            )


async def _key(call: Call, unverified: Unverified, issuer: str, thumbprints: Sequence[str]) -> JWK:
    try:
        key = await call.issuers.key(issuer, thumbprints, unverified.key_id)
    except Unreachable as error:
        raise IDPCommunicationError(f"The identity provider {issuer} could not be reached.") from error
    except OtherThumbprint as error:
        raise InvalidIdentityToken(WRONG_THUMBPRINT) from error
    except WrongAnswer as error:
        raise InvalidIdentityToken(NO_KEY) from error
    if key is None:
        raise InvalidIdentityToken(NO_KEY)
    return key


def _audience(claims: Mapping[str, Any]) -> str:
    try:
        found = tokens.audience(claims)
    except tokens.SeveralAudiences as error:
        raise InvalidIdentityToken(
            "Token audience contains more than one audience while authorized party is not present"
        ) from error
    except tokens.WrongClaim as error:
        raise _missing(error) from error
    if not found:
        raise InvalidIdentityToken(UNVALIDATED)
    return found


def _proof(
    claims: Mapping[str, Any],
    name: str,
    url: str,
    audience: str,
    record: OpenIDConnectProvider | None,
    session_name: str,
    *,
    is_authorized: bool,
) -> Federation:
    try:
        subject = tokens.subject(claims)
    except tokens.WrongClaim as error:
        raise _missing(error) from error
    prefix = lower(url)
    kept: dict[str, str | tuple[str, ...]] = {f"{prefix}:aud": audience, f"{prefix}:sub": subject}
    methods = claims.get("amr")
    if isinstance(methods, list) and methods and all(isinstance(one, str) for one in methods):
        kept[f"{prefix}:amr"] = tuple(methods)
    given, transitive = _tags(claims)
    federation_rules.check_tags(given, transitive)
    return Federation(
        user_type=USER_TYPE,
        provider=name,
        record=record,
        identity_provider=name,
        name=subject,
        session_name=session_name,
        context={
            **_further_keys(prefix, claims),
            "sts:roleauthorizedbyidp": "true" if is_authorized else "false",
            **kept,
        },
        session_context=kept,
        answer={"SubjectFromWebIdentityToken": subject, "Provider": name, "Audience": audience},
        federated_provider=name,
        source_identity=_source_identity(claims),
        tags=dict(given),
        transitive_tag_keys=transitive,
    )


def _is_authorized(claims: Mapping[str, Any], role_arn: str) -> bool:
    """Whether the token names the roles that it is for, this one among them; InvalidIdentityToken for another one.

    SECURITY: what a provider has kept to some roles is good for no other, whatever their trust policies say. AWS: as it
    was seen to answer in September 2026; the key is `sts:RoleAuthorizedByIdp` (reference_policies_iam-condition-keys).
    """
    match claims.get(ROLES):
        case None:
            return False
        case str() as text:
            listed: list[object] = list(text.split(";"))
        case list() as listed:
            pass
        case _:
            raise InvalidIdentityToken("The roles claim is not in a supported format")
    named = {one.strip() for one in listed if isinstance(one, str) and _ROLE_ARN.fullmatch(one.strip())}
    if not named:
        raise InvalidIdentityToken("The roles claim contains no valid role ARNs")
    if role_arn not in named:
        raise InvalidIdentityToken("The target role ARN is not present in the roles claim of the identity token")
    return True


def _further_keys(prefix: str, claims: Mapping[str, Any]) -> dict[str, str | tuple[str, ...]]:
    """The keys that only the trust policy sees: those that every provider has, and those of the best-known ones.

    AWS: Service Authorization Reference, AWS Security Token Service, AssumeRoleWithWebIdentity.
    """
    keys: dict[str, str | tuple[str, ...]] = {f"{prefix}:oaud": _one_or_all(tokens.audiences(claims))}
    for claim in ("email", *_claims_of(prefix)):
        value = _value(claims, claim)
        if value is not None:
            keys[f"{prefix}:{lower(claim)}"] = value
    return keys


def _one_or_all(values: tuple[str, ...]) -> str | tuple[str, ...]:
    return values[0] if len(values) == 1 else values


def _value(claims: Mapping[str, Any], claim: str) -> str | tuple[str, ...] | None:
    """A claim as a condition key has it; `google/organization_number` is a member of the claim `google`."""
    found = claims.get(claim)
    outer, slash, inner = claim.partition("/")
    if found is None and slash and isinstance(claims.get(outer), dict):
        found = claims[outer].get(inner)
    match found:
        case bool():
            return "true" if found else "false"
        case str() | int():
            return str(found)
        case list() if found and all(isinstance(one, str) for one in found):
            return tuple(found)
        case _:
            return None


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    """Each provider's own claims that are condition keys, with the form of the provider's URL."""
    action = service_reference.action("sts", "AssumeRoleWithWebIdentity")
    found: list[tuple[re.Pattern[str], str]] = []
    for key in action.condition_keys if action is not None else ():
        provider, _, claim = key.partition(":")
        if "." in provider:
            parts = re.split(r"\$\{\w+\}", lower(provider), flags=re.ASCII)
            found.append((re.compile(r"[^:]+".join(map(re.escape, parts))), claim))
    return tuple(found)


def _claims_of(prefix: str) -> Iterator[str]:
    return (claim for pattern, claim in _patterns() if pattern.fullmatch(prefix))


def _tags(claims: Mapping[str, Any]) -> tuple[list[tuple[str, str]], tuple[str, ...]]:
    """The session tags of a token and which of them are transitive, in the nested form and in the flattened one."""
    nested = claims.get(TAGS, {})
    if not isinstance(nested, dict) or not nested.keys() <= {"principal_tags", "transitive_tag_keys"}:
        raise IDPRejectedClaim(f"The claim {TAGS} is invalid.")
    inner = nested.get("principal_tags", {})
    if not isinstance(inner, dict) or not all(map(_is_single, inner.values())):
        raise InvalidIdentityToken("principal_tags passed in claim is not in correct format.")
    flat_prefix = f"{TAGS}/principal_tags/"
    given = [(key, values[0]) for key, values in inner.items()]
    given += [(key.removeprefix(flat_prefix), _single(v)) for key, v in claims.items() if key.startswith(flat_prefix)]
    transitive = [
        *_texts(nested.get("transitive_tag_keys", [])),
        *_texts(claims.get(f"{TAGS}/transitive_tag_keys", [])),
    ]
    return given, tuple(transitive)


def _is_single(values: object) -> bool:
    """AWS: "You must pass a single value for each session tag", in an array (id_session-tags)."""
    return isinstance(values, list) and len(values) == 1 and isinstance(values[0], str)


def _single(value: object) -> str:
    """AWS: "You must pass a single value for each session tag" (id_session-tags)."""
    found = value[0] if isinstance(value, list) and len(value) == 1 else value
    if not isinstance(found, str):
        raise IDPRejectedClaim("A session tag has a single value, which is a text.")
    return found


def _texts(value: object) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise IDPRejectedClaim("Transitive tag keys are a list of texts.")
    return value


def _source_identity(claims: Mapping[str, Any]) -> str | None:
    found = claims.get(SOURCE_IDENTITY)
    if found is None:
        return None
    if not isinstance(found, str) or not _SOURCE_IDENTITY.fullmatch(found) or lower(found).startswith("aws:"):
        raise InvalidIdentityToken('Source Identity must match [a-zA-Z_0-9+=,.@-]{2,64} and not begin with "aws:"')
    return found
