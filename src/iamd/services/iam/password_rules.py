"""What a password must be: the account's password policy, or AWS's default one where the account has none."""

import string
from collections.abc import Callable, Mapping

from iamd.services.iam.errors import PasswordPolicyViolation
from iamd.store.records import AccountRecord, PasswordPolicy

# AWS: "Default password policy" and "Custom password policy options" (IAM User Guide, "Set an account password policy
# for IAM users", id_credentials_passwords_account-policy).
SYMBOLS = frozenset("!@#$%^&*()_+-=[]{}|'")
DEFAULT_MINIMUM_LENGTH = 8
DEFAULT_KINDS = 3

KINDS: Mapping[str, frozenset[str]] = {
    "uppercase letter": frozenset(string.ascii_uppercase),
    "lowercase letter": frozenset(string.ascii_lowercase),
    "number": frozenset(string.digits),
    "symbol": SYMBOLS,
}
REQUIRED: Mapping[str, Callable[[PasswordPolicy], bool]] = {
    "uppercase letter": lambda policy: policy.require_uppercase_characters,
    "lowercase letter": lambda policy: policy.require_lowercase_characters,
    "number": lambda policy: policy.require_numbers,
    "symbol": lambda policy: policy.require_symbols,
}


def check(account: AccountRecord, password: str) -> None:
    """Raise PasswordPolicyViolation unless the password may be set in this account."""
    policy = account.password_policy
    broken = _default(account, password) if policy is None else _custom(policy, password)
    if broken:
        raise PasswordPolicyViolation(", ".join(broken))


def _custom(policy: PasswordPolicy, password: str) -> list[str]:
    missing = [_rule(kind) for kind in _absent(password) if REQUIRED[kind](policy)]
    return _too_short(password, policy.minimum_password_length) + missing


def _default(account: AccountRecord, password: str) -> list[str]:
    short = _too_short(password, DEFAULT_MINIMUM_LENGTH)
    if short:
        return short
    if password in {account.name, account.email}:
        return ["Password should not be identical to your AWS account name or email address"]
    absent = _absent(password)
    wanted = DEFAULT_KINDS - (len(KINDS) - len(absent))
    if wanted <= 0:
        return []
    rules = ", ".join(_rule(kind) for kind in absent)
    return [f"Password should meet {wanted} more of the following requirements: {rules}"]


def _too_short(password: str, minimum: int) -> list[str]:
    return [f"Password should have a minimum length of {minimum}"] if len(password) < minimum else []


def _absent(password: str) -> list[str]:
    return [kind for kind, characters in KINDS.items() if characters.isdisjoint(password)]


def _rule(kind: str) -> str:
    return f"Password should have at least one {kind}"
