"""Web identity tokens: JWTs whose form, signature and times hold (RFC 7519, RFC 7515, RFC 8725)."""

import re
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from iamd.federation.issuers import JWK

# SECURITY: how far ahead the clock of a token's issuer may be. Nothing is forgiven behind: `exp` is exact (FED-02),
# though AWS was seen to forgive five minutes either way.
SKEW_SECONDS: Final = 60
MIN_RSA_BITS: Final = 2048
"""RFC 7518, 3.3: smaller keys must not be used."""

# SECURITY: which algorithms hold is decided here, never by the token; each is bound to one type of key (FED-01, B24).
ALGORITHMS: Final[Mapping[str, tuple[str, str | None]]] = {
    "RS256": ("RSA", None),
    "RS384": ("RSA", None),
    "RS512": ("RSA", None),
    "ES256": ("EC", "P-256"),
    "ES384": ("EC", "P-384"),
    "ES512": ("EC", "P-521"),
}
_WHOLE = re.compile(r"[0-9]{1,15}", re.ASCII)
_JWT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+", re.ASCII)
_TIMES_ARE_OURS: Final = {
    "verify_signature": True,
    **dict.fromkeys(("verify_exp", "verify_nbf", "verify_iat", "verify_aud", "verify_iss", "verify_sub"), False),
    "verify_jti": False,
}


class NotAToken(Exception):
    """The text is no JWT of a kind that can be verified."""


class WrongSignature(Exception):
    """The token was not signed with the key that it names, or that key is not for signing so."""


class WrongClaim(Exception):
    """A registered claim that every token needs is missing, or of the wrong type."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class EmptyClaim(WrongClaim):
    """A registered claim that every token needs is a list of nothing."""


class SeveralAudiences(Exception):
    """A token is for several clients and does not say to which of them it was issued."""


class WrongTime(Exception):
    """A claim that is a time can't be read as one."""


class OutOfTime(Exception):
    """The token does not hold now, by the claim that the exception holds."""

    def __init__(self, at: int) -> None:
        super().__init__(at)
        self.at = at


class Expired(OutOfTime):
    """The token's `exp` has come."""


class NotYet(OutOfTime):
    """The token's `nbf` has not come."""


class FromTheFuture(OutOfTime):
    """The token's `iat` has not come."""


@dataclass(frozen=True, slots=True)
class Unverified:
    """What a token says of itself before anything is verified: only good for finding the key (FED-03)."""

    token: str
    algorithm: str
    key_id: str | None
    issuer: str


def read(token: str) -> Unverified:
    """What a token names, or NotAToken; WrongClaim when it names no issuer."""
    # Imported here: who uses no web identity tokens starts without it, in less memory.
    import jwt  # noqa: PLC0415

    # A token comes out of a file, where many a recipe ends it with a line feed; AWS's clients send it as it is.
    token = token.rstrip(" \t\r\n")
    # SECURITY: the alphabet is checked first, for the decoder passes over what is not in it: one token, one spelling.
    if not _JWT.fullmatch(token):
        raise NotAToken
    try:
        header = jwt.get_unverified_header(token)
        claims = msgspec.json.decode(jwt.utils.base64url_decode(token.split(".")[1]))
    # RecursionError: what is nested too deeply for the parser.
    except (jwt.PyJWTError, msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise NotAToken from error
    algorithm, key_id = header.get("alg"), header.get("kid")
    # SECURITY: keys that a token brings itself (jwk, jku, x5c, x5u) are never looked at; what it calls critical is not
    # known here (RFC 7515, 4.1.11).
    if "crit" in header or not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
        raise NotAToken
    if not isinstance(key_id, str | None) or not isinstance(claims, dict):
        raise NotAToken
    issuer = claims.get("iss")
    if issuer is None:
        raise WrongClaim("iss")
    if not isinstance(issuer, str):
        raise NotAToken
    return Unverified(token, algorithm, key_id, issuer)


def unverified_claims(token: str) -> Mapping[str, Any]:
    """All that a token says before anything is verified, or NotAToken."""
    try:
        part = token.split(".")[1]
        said = b64decode(part + "=" * (-len(part) % 4), b"-_", validate=True)
        return msgspec.json.decode(said, type=dict[str, Any])
    except (IndexError, ValueError, msgspec.MsgspecError, RecursionError) as error:
        raise NotAToken from error


def verified(unverified: Unverified, key: JWK) -> Mapping[str, Any]:
    """The claims of a token that this key signed, or WrongSignature."""
    import jwt  # noqa: PLC0415 (as in `read`)
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey  # noqa: PLC0415

    key_type, curve = ALGORITHMS[unverified.algorithm]
    fits = key.get("kty") == key_type and (curve is None or key.get("crv") == curve)
    if not fits or key.get("alg", unverified.algorithm) != unverified.algorithm:
        raise WrongSignature
    try:
        public = jwt.PyJWK(dict(key), algorithm=unverified.algorithm).key
        if isinstance(public, RSAPublicKey) and public.key_size < MIN_RSA_BITS:
            raise WrongSignature
        return jwt.decode(unverified.token, public, algorithms=[unverified.algorithm], options=_TIMES_ARE_OURS)  # type: ignore[arg-type]
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError) as error:
        raise WrongSignature from error


def check_times(claims: Mapping[str, Any], now: float) -> None:
    """Raise OutOfTime, WrongTime or WrongClaim unless a token holds now; it holds as often as one likes (FED-06)."""
    expires, issued = _moment(claims, "exp"), _moment(claims, "iat")
    begins = _moment(claims, "nbf") if "nbf" in claims else None
    if now >= expires:
        raise Expired(expires)
    if issued > now + SKEW_SECONDS:
        raise FromTheFuture(issued)
    if begins is not None and begins > now + SKEW_SECONDS:
        raise NotYet(begins)


def subject(claims: Mapping[str, Any]) -> str:
    """Whom a token speaks of; WrongClaim when nobody. AWS takes a number as the text of it.

    SECURITY: an empty text is nobody, though AWS takes it (FED-02).
    """
    found = claims.get("sub")
    if isinstance(found, bool) or not isinstance(found, str | int) or found == "":
        raise WrongClaim("sub")
    return str(found)


def audiences(claims: Mapping[str, Any]) -> tuple[str, ...]:
    """Whom a token is meant for; WrongClaim when nobody."""
    found = claims.get("aud")
    if found == []:
        raise EmptyClaim("aud")
    listed = [found] if isinstance(found, str) else found
    if not isinstance(listed, list) or not all(isinstance(one, str) for one in listed):
        raise WrongClaim("aud")
    return tuple(listed)


def audience(claims: Mapping[str, Any]) -> str:
    """The client that a token was issued to: `azp` where it is set, or else the only `aud`; empty when it names nobody.

    AWS: the key `<issuer>:aud` is the claim `azp`, and `aud` where there is none (IAM User Guide,
    reference_policies_iam-condition-keys, "Available keys for AWS OIDC federation"). Of several audiences without `azp`
    none is the one (OpenID Connect Core 1.0, 3.1.3.7).
    """
    listed, party = audiences(claims), claims.get("azp")
    if party is not None:
        return party if isinstance(party, str) else ""
    if len(listed) != 1:
        raise SeveralAudiences
    return listed[0]


def _moment(claims: Mapping[str, Any], name: str) -> int:
    """A time in whole seconds, which may be a text, as AWS takes it; WrongTime for any other."""
    if name not in claims:
        raise WrongClaim(name)
    found = claims[name]
    if isinstance(found, str) and _WHOLE.fullmatch(found):
        return int(found)
    if isinstance(found, bool) or not isinstance(found, int) or not 0 <= found < 10**15:
        raise WrongTime
    return found
