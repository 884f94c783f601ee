"""Secure Remote Password, by which moto's user pools prove that a user knows a password without being told it.

moto takes any proof. RFC 5054, "Using the Secure Remote Password (SRP) Protocol for TLS Authentication", has the
arithmetic, RFC 3526 the group (3072 bits); the hash is SHA-256, and key and proof are those that AWS's own clients make
(aws-amplify/amplify-js, AuthenticationHelper). AWS: Cognito API Reference, RespondToAuthChallenge, PASSWORD_VERIFIER.
"""

import hashlib
import hmac
import secrets
from base64 import b64decode, b64encode
from dataclasses import dataclass
from functools import cache
from typing import Final

_BITS: Final = 3072
_GENERATOR: Final = 2
_SECRET_BITS: Final = 1024
_SALT: Final = 2**127
"""The least salt: clients differ over the zeros that a smaller one begins with."""
_KEY_BYTES: Final = 16
_INFO: Final = b"Caldera Derived Key\x01"


@dataclass(frozen=True, slots=True)
class Exchange:
    """What is said and kept of one sign-in: `challenge` is told, `verifier` and `secret` are not."""

    pool: str
    user: str
    salt: int
    shown: int
    answered: int
    verifier: int
    secret: int
    block: str

    @property
    def challenge(self) -> dict[str, str]:
        """The parameters of the challenge PASSWORD_VERIFIER."""
        return {"SALT": f"{self.salt:x}", "SRP_B": f"{self.answered:x}", "SECRET_BLOCK": self.block}


def begun(pool_id: str, user: str, password: str, shown: str) -> Exchange | None:
    """The exchange with somebody who has shown SRP_A; None where that is no number that may be shown."""
    try:
        number = int(shown, 16)
    except ValueError:
        return None
    if number % prime() == 0 or number < 0:
        # SECURITY: with a multiple of the prime, the key is known to whoever does not know the password.
        return None
    pool, salt, secret = pool_id.partition("_")[2], _SALT + secrets.randbelow(_SALT), secrets.randbits(_SECRET_BITS)
    verifier = pow(_GENERATOR, _private(pool, user, password, salt), prime())
    answered = (_multiplier() * verifier + pow(_GENERATOR, secret, prime())) % prime()
    block = b64encode(secrets.token_bytes(48)).decode()
    return Exchange(pool, user, salt, number, answered, verifier, secret, block)


def holds(exchange: Exchange, signature: str, timestamp: str) -> bool:
    """Tell whether a proof is that of somebody who knows the password."""
    scrambler = _number(_padded(exchange.shown) + _padded(exchange.answered))
    if scrambler == 0:
        return False
    prime_ = prime()
    shared = pow(exchange.shown * pow(exchange.verifier, scrambler, prime_), exchange.secret, prime_)
    key = hmac.digest(hmac.digest(_padded(scrambler), _padded(shared), "sha256"), _INFO, "sha256")[:_KEY_BYTES]
    message = f"{exchange.pool}{exchange.user}".encode() + b64decode(exchange.block, validate=True) + timestamp.encode()
    expected = b64encode(hmac.digest(key, message, "sha256")).decode()
    return hmac.compare_digest(signature.encode(), expected.encode())


@cache
def prime() -> int:
    """The prime of RFC 3526, section 4."""
    return (1 << _BITS) - (1 << (_BITS - 64)) - 1 + (_pi(_BITS - 130) + 1_690_314 << 64)


def _pi(bits: int) -> int:
    """The whole part of 2 to this power times pi, by Machin's formula."""
    guard = 64
    one = 1 << (bits + guard)
    return (16 * _arctan(5, one) - 4 * _arctan(239, one)) >> guard


def _arctan(inverse: int, one: int) -> int:
    term, total, divisor, sign = one // inverse, 0, 1, 1
    while term:
        total += sign * (term // divisor)
        term, divisor, sign = term // (inverse * inverse), divisor + 2, -sign
    return total


@cache
def _multiplier() -> int:
    return _number(_padded(prime()) + bytes([_GENERATOR]))


def _private(pool: str, user: str, password: str, salt: int) -> int:
    inner = hashlib.sha256(f"{pool}{user}:{password}".encode()).digest()
    return _number(_padded(salt) + inner)


def _number(text: bytes) -> int:
    return int.from_bytes(hashlib.sha256(text).digest(), "big")


def _padded(number: int) -> bytes:
    """The bytes of a positive number, whose first bit is that of its sign."""
    return number.to_bytes(number.bit_length() // 8 + 1, "big")
