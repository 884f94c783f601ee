"""Accounts of this server: the one that a first start makes, and those that are added later."""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from iamd import ids
from iamd.auth.sealing import Keyring
from iamd.store.change import Change
from iamd.store.records import AccessKey, AccountRecord, User

ADMINISTRATOR_ACCESS = "arn:aws:iam::aws:policy/AdministratorAccess"
ADMINISTRATOR_NAME = "admin"
ACCESS_KEY_PURPOSE = "access-key"


@dataclass(frozen=True, slots=True)
class Administrator:
    """The administrator of a new account, with the key that is shown once."""

    account_id: str
    user_name: str
    access_key_id: str
    secret_access_key: str

    def __repr__(self) -> str:
        return f"Administrator({self.account_id}, {self.user_name}, {self.access_key_id})"


def add_account(
    change: Change,
    keyring: Keyring,
    *,
    account_id: str,
    name: str,
    now: int,
    email: str = "",
    access_key_id: str | None = None,
    secret_access_key: str | None = None,
) -> Administrator:
    """Write a new account with an IAM user `admin` that has AdministratorAccess and an access key."""
    change.put(
        account_id,
        AccountRecord(
            account_id=account_id,
            name=name,
            email=email,
            created=now,
            canonical_id=secrets.token_hex(32),
            first=not change.account_ids(),
        ),
    )
    user = User(
        user_name=ADMINISTRATOR_NAME,
        user_id=ids.unique_id(ids.USER),
        created=now,
        attached_policies=(ADMINISTRATOR_ACCESS,),
    )
    change.put(account_id, user)
    administrator = Administrator(
        account_id,
        user.user_name,
        access_key_id or ids.access_key_id(ids.LONG_TERM_KEY, account_id),
        secret_access_key or ids.secret_access_key(),
    )
    change.put(account_id, access_key(keyring, administrator, user.user_id, now))
    return administrator


def access_key(keyring: Keyring, of: Administrator, user_id: str | None, now: int) -> AccessKey:
    """The record of an administrator's access key, its secret sealed to account and key id."""
    sealed = keyring.seal(ACCESS_KEY_PURPOSE, (of.account_id, of.access_key_id), of.secret_access_key.encode())
    return AccessKey(access_key_id=of.access_key_id, user_id=user_id, sealed_secret=sealed, created=now)


def write_client_credentials(folder: Path, administrator: Administrator) -> None:
    """Write `credentials` as the AWS CLI reads it, readable by its owner alone."""
    key = {
        "aws_access_key_id": administrator.access_key_id,
        "aws_secret_access_key": administrator.secret_access_key,
    }
    _write(folder / "credentials", _section("default", key))


def write_client_config(folder: Path, *, endpoint: str, region: str) -> None:
    """Write `config` anew: the endpoint may have another port at each start."""
    _write(folder / "config", _section("default", {"region": region, "endpoint_url": endpoint, "output": "json"}))


def _section(profile: str, values: Mapping[str, str]) -> str:
    return "\n".join([f"[{profile}]", *(f"{name} = {value}" for name, value in values.items()), ""])


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = path.with_suffix(".new")
    beside.unlink(missing_ok=True)
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
