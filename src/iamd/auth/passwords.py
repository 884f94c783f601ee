"""Passwords: hashed with argon2id, and verified at the same cost whether the user exists or not."""

import base64
import secrets
from collections.abc import Iterable

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

LONGEST = 128
"""AWS: the longest password of an IAM user (IAM User Guide, "IAM and AWS STS quotas")."""

# OWASP Password Storage Cheat Sheet: argon2id with 19 MiB, two passes, one lane; also what one login may cost us.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1, hash_len=32, salt_len=16)


def _nobodys_hash() -> str:
    """Give a hash of the same cost that no password has: made up, for computing one would slow down each start."""
    salt, digest = [base64.b64encode(secrets.token_bytes(size)).rstrip(b"=").decode("ascii") for size in (16, 32)]
    return f"$argon2id$v=19$m={_HASHER.memory_cost},t={_HASHER.time_cost},p={_HASHER.parallelism}${salt}${digest}"


_NOBODYS_HASH = _nobodys_hash()


def hash_password(password: str) -> str:
    """Give the argon2id hash of a password, with its salt and parameters inside."""
    return _HASHER.hash(password.encode())


def verify(password: str, hashed: str | None) -> bool:
    """Tell whether a password is the hashed one; without a hash the same work is done in vain (WEB-05)."""
    known = hashed is not None and len(password) <= LONGEST
    try:
        _HASHER.verify(hashed if hashed is not None and known else _NOBODYS_HASH, password[:LONGEST].encode())
    except (VerificationError, InvalidHashError):
        return False
    return known


def needs_rehash(hashed: str) -> bool:
    """Tell whether a hash was made with other parameters than today's."""
    return _HASHER.check_needs_rehash(hashed)


def was_used(password: str, hashes: Iterable[str]) -> bool:
    """Tell whether a password is one of the earlier ones; every hash is looked at, so the time does not tell which."""
    return True in [verify(password, hashed) for hashed in hashes]
