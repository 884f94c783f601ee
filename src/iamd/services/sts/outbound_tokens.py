"""GetWebIdentityToken: a token of the account's own issuer, that tells a service outside who calls it.

AWS: STS API Reference, GetWebIdentityToken; IAM User Guide, "Understanding token claims"
(id_roles_providers_outbound_token_claims).
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from uuid import uuid4

import msgspec

from iamd import arn
from iamd.authz.context import principal_arn
from iamd.authz.policies import entity_of
from iamd.call import Call
from iamd.clock import iso_of
from iamd.policy.request import lower
from iamd.services.iam.outbound_federation import KEY_PURPOSE, of_account
from iamd.services.registry import Target, operation
from iamd.services.sts import session_tags
from iamd.services.sts.errors import (
    JWTPayloadSizeExceeded,
    OutboundWebIdentityFederationDisabled,
    SessionDurationEscalation,
    ValidationError,
)
from iamd.store.federation_records import OutboundKey

DEFAULT_SECONDS: Final = 300
ALGORITHMS: Final = frozenset({"RS256", "ES384"})
MAX_PAYLOAD_BYTES: Final = 14_984
"""What AWS was seen to take in September 2026, and not a byte more; its pages keep the limit to themselves."""
NAMESPACE: Final = "https://sts.amazonaws.com/"

Tags = Sequence[Mapping[str, str]]


def targets(
    call: Call,
    *,
    audience: Sequence[str],
    signing_algorithm: str,
    duration_seconds: int = DEFAULT_SECONDS,
    tags: Tags = (),
) -> list[Target]:
    """Whoever asks, as AWS's denials call it; tags that become claims need a permission of their own."""
    keys: dict[str, str | tuple[str, ...]] = {
        "sts:identitytokenaudience": tuple(audience),
        "sts:durationseconds": str(duration_seconds),
        "sts:signingalgorithm": signing_algorithm,
    }
    actions = ["sts:GetWebIdentityToken", *(["sts:TagGetWebIdentityToken"] if tags else [])]
    itself = arn.caller_itself(call.identity.account_id)
    return [Target(arn=itself, action=action, context=keys) for action in actions]


@operation(on=targets)
def get_web_identity_token(
    call: Call,
    *,
    audience: Sequence[str],
    signing_algorithm: str,
    duration_seconds: int = DEFAULT_SECONDS,
    tags: Tags = (),
) -> dict[str, Any]:
    """Give a signed token that says who calls, for these audiences."""
    # AWS: in this order, as accounts without the feature were seen to be answered.
    if signing_algorithm not in ALGORITHMS:
        raise ValidationError(
            "Requested SigningAlgorithm is not supported. See the GetWebIdentityToken documentation for supported "
            "algorithms"
        )
    session_tags.check_keys([tag["Key"] for tag in tags])
    expires = call.now + duration_seconds
    session = call.identity.session
    if session is not None and expires > session.expires:
        # SECURITY: a token must not outlive the session that it was made with (B29).
        raise SessionDurationEscalation(
            "Requested token expiry time must be before the original session's expiry time."
        )
    federation = of_account(call)
    if federation is None or not federation.enabled:
        raise OutboundWebIdentityFederationDisabled("OutboundWebIdentityFederation is disabled.")
    key = next(one for one in federation.keys if one.algorithm == signing_algorithm)
    claims = {
        "iss": federation.issuer,
        "aud": audience[0] if len(audience) == 1 else list(audience),
        "sub": principal_arn(call.identity),
        "iat": call.now,
        "exp": expires,
        "jti": str(uuid4()),
        NAMESPACE: _identity(call, tags),
    }
    if len(msgspec.json.encode(claims)) > MAX_PAYLOAD_BYTES:
        raise JWTPayloadSizeExceeded("JWT payload exceeds maximum allowed size")
    return {
        "WebIdentityToken": _signed(call, federation.issuer_id, key, claims),
        "Expiration": datetime.fromtimestamp(expires, UTC),
    }


def _identity(call: Call, tags: Tags) -> dict[str, Any]:
    """What AWS says of the caller beyond the registered claims; what it has not is left out."""
    session = call.identity.session
    own_tags = _principal_tags(call)
    claims: dict[str, Any] = {
        "aws_account": call.identity.account_id,
        "source_region": call.region,
        "principal_id": principal_arn(call.identity),
    }
    if own_tags:
        claims["principal_tags"] = own_tags
    if tags:
        claims["request_tags"] = {tag["Key"]: tag["Value"] for tag in tags}
    if session is not None:
        claims["original_session_exp"] = iso_of(session.expires)
        given = {"source_identity": session.source_identity, "federated_provider": session.federated_provider}
        claims |= {name: value for name, value in given.items() if value is not None}
    return claims


def _principal_tags(call: Call) -> dict[str, str]:
    """The caller's tags as they are spelt: the user's or role's, under the session's own."""
    entity, session = entity_of(call.identity, call.view), call.identity.session
    given = [(tag.key, tag.value) for tag in entity.tags] if entity is not None else []
    given += session.tags.items() if session is not None else []
    return dict({lower(key): (key, value) for key, value in given}.values())


def _signed(call: Call, issuer_id: str, key: OutboundKey, claims: dict[str, Any]) -> str:
    # Imported here: who gives no web identity tokens starts without it, in less memory.
    import jwt  # noqa: PLC0415

    pem = call.keyring.open(KEY_PURPOSE, (issuer_id, key.key_id), key.sealed)
    return jwt.encode(claims, pem, algorithm=key.algorithm, headers={"kid": key.key_id})
