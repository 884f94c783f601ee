"""Signing in by Secure Remote Password as an application does: what it shows, and how it proves the password."""

import hashlib
import hmac
import secrets
from base64 import b64decode, b64encode
from typing import Any

PRIME = int(
    """
    FFFFFFFF FFFFFFFF C90FDAA2 2168C234 C4C6628B 80DC1CD1 29024E08 8A67CC74 020BBEA6 3B139B22 514A0879 8E3404DD
    EF9519B3 CD3A431B 302B0A6D F25F1437 4FE1356D 6D51C245 E485B576 625E7EC6 F44C42E9 A637ED6B 0BFF5CB6 F406B7ED
    EE386BFB 5A899FA5 AE9F2411 7C4B1FE6 49286651 ECE45B3D C2007CB8 A163BF05 98DA4836 1C55D39A 69163FA8 FD24CF5F
    83655D23 DCA3AD96 1C62F356 208552BB 9ED52907 7096966D 670C354E 4ABC9804 F1746C08 CA18217C 32905E46 2E36CE3B
    E39E772C 180E8603 9B2783A2 EC07A28F B5C55DF0 6F4C52C9 DE2BCBF6 95581718 3995497C EA956AE5 15D22618 98FA0510
    15728E5A 8AAAC42D AD33170D 04507A33 A85521AB DF1CBA64 ECFB8504 58DBEF0A 8AEA7157 5D060C7D B3970F85 A6E1E4C7
    ABF5AE8C DB0933D7 1E8C94E0 4A25619D CEE3D226 1AD2EE6B F12FFA06 D98A0864 D8760273 3EC86A64 521F2B18 177B200C
    BBE11757 7A615D6C 770988C0 BAD946E2 08E24FA0 74E5AB31 43DB5BFC E0FD108E 4B82D120 A93AD2CA FFFFFFFF FFFFFFFF
    """.replace(" ", "").replace("\n", ""),
    16,
)
"""RFC 3526, section 4."""
TIMESTAMP = "Fri Nov 27 19:56:46 UTC 2026"


class Prover:
    """Somebody who knows, or takes, a password to be a user's of a pool."""

    def __init__(self, pool: str, password: str) -> None:
        self.pool, self.password = pool.split("_")[1], password
        self._secret = secrets.randbits(1024)
        self.shown = pow(2, self._secret, PRIME)

    def answers(self, told: dict[str, str]) -> dict[str, Any]:
        """The answers to the challenge PASSWORD_VERIFIER, of which these are the parameters."""
        user, salt, answered = told["USER_ID_FOR_SRP"], int(told["SALT"], 16), int(told["SRP_B"], 16)
        scrambler = number(padded(self.shown) + padded(answered))
        private = number(padded(salt) + hashlib.sha256(f"{self.pool}{user}:{self.password}".encode()).digest())
        multiplier = number(padded(PRIME) + b"\x02")
        shared = pow(answered - multiplier * pow(2, private, PRIME), self._secret + scrambler * private, PRIME)
        extracted = hmac.digest(padded(scrambler), padded(shared), "sha256")
        key = hmac.digest(extracted, b"Caldera Derived Key\x01", "sha256")[:16]
        said = f"{self.pool}{user}".encode() + b64decode(told["SECRET_BLOCK"], validate=True) + TIMESTAMP.encode()
        return {
            "USERNAME": user,
            "PASSWORD_CLAIM_SECRET_BLOCK": told["SECRET_BLOCK"],
            "PASSWORD_CLAIM_SIGNATURE": b64encode(hmac.digest(key, said, "sha256")).decode(),
            "TIMESTAMP": TIMESTAMP,
        }


def number(text: bytes) -> int:
    """The number that is the hash of a text."""
    return int(hashlib.sha256(text).hexdigest(), 16)


def padded(value: int) -> bytes:
    """A number's bytes, after a zero where the first would have it negative."""
    digits = f"{value:x}"
    digits = "0" * (len(digits) % 2) + digits
    return bytes.fromhex(digits if int(digits[0], 16) < 8 else f"00{digits}")
