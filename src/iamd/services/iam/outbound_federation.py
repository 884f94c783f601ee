"""Outbound identity federation: an account's issuer, whose tokens tell services outside who calls them.

AWS: IAM User Guide, "Federating AWS identities to external services" (id_roles_providers_outbound).
"""

import re
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from msgspec.structs import replace

from iamd.call import Call
from iamd.services.iam import arns
from iamd.services.iam.errors import FeatureDisabled, FeatureEnabled, InvalidInput
from iamd.services.registry import operation, reading
from iamd.store.federation_records import OutboundFederation, OutboundKey
from iamd.store.records import GLOBAL

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

KEY_PURPOSE: Final = "web-identity-key"
PATH: Final = "/_iamd/oidc/"
RSA_BITS: Final = 2048

_HOST = re.compile(r"(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\])(?::[0-9]{1,5})?", re.ASCII)

Made = list[tuple[str, bytes, dict[str, Any]]]


def of_account(call: Call) -> OutboundFederation | None:
    """The caller's account's issuer, enabled or not, or None when it never had one."""
    return call.view.shared.one(OutboundFederation, "account", call.identity.account_id)


def made_keys(call: Call, **_: Any) -> Made:
    """A key for each algorithm, as algorithm, PEM and JWK; making them takes a while."""
    if of_account(call) is not None:
        return []
    # Imported here: who gives no web identity tokens starts without it, in less memory.
    from cryptography.hazmat.primitives.asymmetric import ec, rsa  # noqa: PLC0415
    from jwt.algorithms import ECAlgorithm, RSAAlgorithm  # noqa: PLC0415

    rsa_key = rsa.generate_private_key(65537, RSA_BITS)
    ec_key = ec.generate_private_key(ec.SECP384R1())
    return [
        ("RS256", _pem(rsa_key), RSAAlgorithm.to_jwk(rsa_key.public_key(), as_dict=True)),
        ("ES384", _pem(ec_key), ECAlgorithm.to_jwk(ec_key.public_key(), as_dict=True)),
    ]


@operation(on=arns.anything, prepare=made_keys)
def enable_outbound_web_identity_federation(call: Call) -> dict[str, Any]:
    """Let the account's principals get tokens; an issuer that was disabled comes back as it was."""
    found = of_account(call)
    if found is not None and found.enabled:
        raise FeatureEnabled(f"Outbound identity federation is already enabled for account {call.account.id}")
    enabled = replace(found, enabled=True) if found is not None else _new(call)
    call.change.put(GLOBAL, enabled)
    return {"IssuerIdentifier": enabled.issuer}


@operation(on=arns.anything)
def disable_outbound_web_identity_federation(call: Call) -> None:
    """Give no more tokens; those that were given can be verified until they expire."""
    found = of_account(call)
    if found is None or not found.enabled:
        raise FeatureDisabled(f"Outbound identity federation is already disabled for account {call.account.id}")
    call.change.put(GLOBAL, replace(found, enabled=False))


@reading(on=arns.anything)
def get_outbound_web_identity_federation_info(call: Call) -> dict[str, Any]:
    """Show the account's issuer while it gives tokens."""
    found = of_account(call)
    if found is None or not found.enabled:
        # AWS: so it answers an account that has disabled the feature, too, whatever JwtVendingEnabled is for.
        raise FeatureDisabled(f"Outbound identity federation is disabled for account {call.account.id}")
    return {"IssuerIdentifier": found.issuer, "JwtVendingEnabled": True}


def _new(call: Call) -> OutboundFederation:
    issuer_id = str(uuid4())
    base = call.issuer_url or _asked(call)
    keys = tuple(_key(call, issuer_id, *one) for one in call.prepared)
    return OutboundFederation(
        issuer_id=issuer_id,
        account_id=call.account.id,
        issuer=f"{base}{PATH}{issuer_id}",
        enabled=True,
        created=call.now,
        keys=keys,
    )


def _asked(call: Call) -> str:
    """Where this very request was sent, which its signature covers."""
    host = call.request.header(b"host")
    if host is None or not _HOST.fullmatch(host):
        raise InvalidInput("The request names no host to be the issuer's.")
    return f"{'https' if call.request.secure else 'http'}://{host.lower()}"


def _key(call: Call, issuer_id: str, algorithm: str, pem: bytes, jwk: dict[str, Any]) -> OutboundKey:
    key_id = str(uuid4())
    public = {name: str(jwk[name]) for name in ("kty", "n", "e", "crv", "x", "y") if name in jwk}
    return OutboundKey(
        key_id=key_id,
        algorithm=algorithm,
        sealed=call.keyring.seal(KEY_PURPOSE, (issuer_id, key_id), pem),
        public=public | {"kid": key_id, "alg": algorithm, "use": "sig"},
    )


def _pem(key: "RSAPrivateKey | EllipticCurvePrivateKey") -> bytes:
    from cryptography.hazmat.primitives import serialization as to  # noqa: PLC0415 (as in `made_keys`)

    return key.private_bytes(to.Encoding.PEM, to.PrivateFormat.PKCS8, to.NoEncryption())
