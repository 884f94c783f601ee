"""The accounts of this server."""

import secrets
from datetime import UTC, datetime
from typing import Any

from iamd import accounts
from iamd.call import Call
from iamd.errors import AWSError
from iamd.services.iamd.equivalents import beside
from iamd.services.registry import Target, operation, reading
from iamd.store.records import AccountRecord

RANDOM_ACCOUNTS = 10**12


class AccountAlreadyExists(AWSError):
    """An account of this number is on this server."""

    code = "AccountAlreadyExists"


class NotManagementAccount(AWSError):
    """The caller is not of the account that the first start made."""

    code = "AccessDeniedException"


def nothing(_call: Call, **_parameters: Any) -> Target:
    """An operation that touches no resource."""
    return Target()


@operation(on=beside("organizations:CreateAccount"))
def create_account(call: Call, *, name: str, account_id: str | None = None, email: str = "") -> dict[str, Any]:
    """Add an account with an administrator, whose access key is shown this once."""
    check_first_account(call)
    if account_id is not None and call.view.account(account_id) is not None:
        raise AccountAlreadyExists(f"Account {account_id} is on this server already.")
    added = accounts.add_account(
        call.change, call.keyring, account_id=account_id or _free_number(call), name=name, email=email, now=call.now
    )
    return {
        "AccountId": added.account_id,
        "UserName": added.user_name,
        "AccessKeyId": added.access_key_id,
        "SecretAccessKey": added.secret_access_key,
    }


@reading(on=nothing)
def list_accounts(call: Call) -> dict[str, Any]:
    """List the accounts of this server, oldest first."""
    check_first_account(call)
    records = [call.account_of(account_id).get(AccountRecord, account_id) for account_id in call.view.account_ids()]
    known = sorted((record for record in records if record is not None), key=lambda record: record.created)
    return {"Accounts": [_shown(record) for record in known]}


def _shown(record: AccountRecord) -> dict[str, Any]:
    shown = {
        "AccountId": record.account_id,
        "Name": record.name,
        "Created": datetime.fromtimestamp(record.created, UTC),
    }
    return shown | ({"Email": record.email} if record.email else {})


def check_first_account(call: Call) -> None:
    """Raise NotManagementAccount unless the caller is of the account that the server was started with."""
    # SECURITY: an account that was added is a tenant: it may neither add accounts nor learn of the others.
    if not is_of_first_account(call):
        raise NotManagementAccount("Accounts are managed from the account that the server was started with.")


def is_of_first_account(call: Call) -> bool:
    """Whether the caller is of the account that the server was started with."""
    record = call.account.get(AccountRecord, call.identity.account_id)
    return record is not None and record.first


def _free_number(call: Call) -> str:
    while True:
        number = f"{secrets.randbelow(RANDOM_ACCOUNTS):012d}"
        if number[0] != "0" and call.view.account(number) is None:
            return number
