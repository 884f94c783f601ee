"""The root user's first password: on AWS the account's owner sets it when signing up, here the operator does."""

from typing import Any

from msgspec.structs import replace

from iamd.auth import passwords
from iamd.call import Call
from iamd.errors import AWSError
from iamd.services.iam.errors import PasswordPolicyViolation as IAMPasswordPolicyViolation
from iamd.services.iamd.accounts import check_first_account
from iamd.services.iamd.equivalents import beside_root_passwords
from iamd.services.registry import operation
from iamd.services.signin import root_passwords
from iamd.store.records import ROOT, AccountRecord, LoginProfile


class NoSuchAccount(AWSError):
    """No account of this number is on this server."""

    code = "NoSuchAccount"


class EmailInUse(AWSError):
    """The root user of another account signs in with this address, or none was given."""

    code = "EmailInUse"


class EmailMissing(AWSError):
    """The account has no address that its root user could sign in with."""

    code = "EmailMissing"


class PasswordPolicyViolation(AWSError):
    """The password is no password of a root user."""

    code = "PasswordPolicyViolation"


def _hash(_call: Call, *, password: str, **_: Any) -> str:
    return passwords.hash_password(password)


@operation(on=beside_root_passwords, prepare=_hash)
def set_root_password(
    call: Call, *, password: str, account_id: str | None = None, email: str | None = None
) -> dict[str, Any]:
    """Give the root user of an account a password, and the account an address; sessions of the root user end."""
    check_first_account(call)
    number = account_id or call.identity.account_id
    record = call.account_of(number).get(AccountRecord, number)
    if record is None:
        raise NoSuchAccount(f"No account {number} is on this server.")
    record = replace(record, email=email or record.email)
    _check_address(call, record)
    try:
        root_passwords.check(record, password)
    except IAMPasswordPolicyViolation as error:
        raise PasswordPolicyViolation(error.message) from error
    call.change.put(number, record)
    call.change.put(number, root_passwords.new_profile(call.now, call.prepared))
    return {"AccountId": number, "Email": record.email}


def _check_address(call: Call, record: AccountRecord) -> None:
    if not record.email:
        raise EmailMissing(f"Account {record.account_id} has no e-mail address; give one for its root user.")
    for number in call.view.account_ids():
        other = call.account_of(number)
        found = other.get(AccountRecord, number)
        # SECURITY: an address that two root users share would name neither.
        if (
            number != record.account_id
            and found is not None
            and found.email.lower() == record.email.lower()
            and other.get(LoginProfile, ROOT) is not None
        ):
            raise EmailInUse(f"The root user of another account signs in with {record.email}.")
