"""Passwords, hashed with argon2id (RFC 9106)."""

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

# The library's defaults are RFC 9106's second recommended option: 3 passes over 64 MiB in 4 lanes, 16 bytes of salt.
_HASHER = PasswordHasher()


def hashed(password: str) -> str:
    """A salted hash of the password, in the PHC string format. Slow by intent: call it in an operation's `prepare`."""
    return _HASHER.hash(password)


def matches(password_hash: str, password: str) -> bool:
    """Whether the password is the one that was hashed; a hash that is damaged raises argon2's error."""
    try:
        return _HASHER.verify(password_hash, password)
    except VerifyMismatchError:
        return False
