"""OpenID tokens that iamd gives as Cognito's identity pools do, for AssumeRoleWithWebIdentity.

They have a JWT's form, and a seal of iamd's keyring for a signature: nobody but iamd can tell whether one is genuine.
"""

import base64
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from iamd.auth.sealing import Keyring
from iamd.federation import tokens

NAME: Final = "cognito-identity.amazonaws.com"
ISSUER: Final = f"https://{NAME}"
_PURPOSE: Final = "cognito-token"


def _part(content: Mapping[str, Any]) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(content)).rstrip(b"=").decode("ascii")


_HEAD: Final = _part({"alg": "iamd", "typ": "JWT"})


def sealed(claims: Mapping[str, Any], keyring: Keyring) -> str:
    """The token that says this, as its issuer says it."""
    said = f"{_HEAD}.{_part({'iss': ISSUER, **claims})}"
    return f"{said}.{keyring.seal_text(_PURPOSE, (said,), b'')}"


def opened(token: str, keyring: Keyring) -> Mapping[str, Any] | None:
    """What a token says; None for one that is none of iamd's, SealError for one that only has the form."""
    token = token.strip()
    head, _, rest = token.partition(".")
    if head != _HEAD:
        return None
    claims, _, seal = rest.partition(".")
    # SECURITY: what is said counts for nothing before its seal holds.
    keyring.open_text(_PURPOSE, (f"{head}.{claims}",), seal)
    return tokens.unverified_claims(token)
