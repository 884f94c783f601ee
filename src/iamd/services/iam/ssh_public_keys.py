"""SSH public keys of users, by which CodeCommit knows them.

Words and codes of refusals are those of AWS's recorded answers (September 2026), where no page has them.
"""

from typing import Any

from msgspec.structs import replace

from iamd import ids
from iamd.auth import ssh_keys
from iamd.call import Call
from iamd.services.iam import arns, quotas, statuses
from iamd.services.iam.entities import moment, named_or_calling_iam_user, named_user
from iamd.services.iam.errors import (
    DuplicateSSHPublicKey,
    InvalidPublicKey,
    NoSuchEntity,
    UnrecognizedPublicKeyEncoding,
)
from iamd.services.paging import page
from iamd.services.registry import operation, reading
from iamd.store.records import SSHPublicKey, User

ENCODINGS = {"SSH": ssh_keys.openssh, "PEM": ssh_keys.pem}


def _read(call: Call, *, ssh_public_key_body: str, **_: Any) -> bytes:
    try:
        return ssh_keys.read(ssh_public_key_body)
    except ssh_keys.UnreadableKeyError as error:
        raise UnrecognizedPublicKeyEncoding("Invalid public key uploaded.") from error
    except ssh_keys.UnusableKeyError as error:
        raise InvalidPublicKey("Invalid body for public key") from error


@operation(on=arns.user, prepare=_read)
def upload_ssh_public_key(call: Call, *, user_name: str, ssh_public_key_body: str) -> dict[str, Any]:
    """Give a user an SSH public key, which no other key of the user's may equal."""
    user = named_user(call, user_name)
    public_key: bytes = call.prepared
    held = _keys(call, user)
    if any(key.public_key == public_key for key in held):
        raise DuplicateSSHPublicKey("Duplicate SSH public key uploaded.")
    quotas.check("SSHPublicKeysPerUser", len(held) + 1, quotas.SSH_PUBLIC_KEYS_PER_USER)
    key = SSHPublicKey(
        ssh_public_key_id=ids.access_key_id(ids.PUBLIC_KEY, call.account.id),
        user_id=user.user_id,
        public_key=public_key,
        uploaded=call.now,
    )
    call.put(key)
    return {"SSHPublicKey": _shown(user, key, ssh_public_key_body)}


@reading(on=arns.user)
def get_ssh_public_key(call: Call, *, user_name: str, ssh_public_key_id: str, encoding: str) -> dict[str, Any]:
    """Show a user's key in one of two encodings, without the comment that it came with."""
    user = named_user(call, user_name)
    key = _key(call, user, ssh_public_key_id)
    return {"SSHPublicKey": _shown(user, key, ENCODINGS[encoding](key.public_key))}


@reading(on=arns.user)
def list_ssh_public_keys(
    call: Call, *, user_name: str | None = None, marker: str | None = None, max_items: int | None = None
) -> dict[str, Any]:
    """List a user's keys by their ids."""
    user = named_or_calling_iam_user(call, user_name)
    cut, more = page(call, _keys(call, user), key=_id, max_items=max_items, marker=marker, query=(user.user_id,))
    return {"SSHPublicKeys": [_listed(user, key) for key in cut], **more}


@operation(on=arns.user)
def update_ssh_public_key(call: Call, *, user_name: str, ssh_public_key_id: str, status: str) -> None:
    """Make a key active or inactive."""
    key = _key(call, named_user(call, user_name), ssh_public_key_id)
    statuses.check_settable(status)
    call.put(replace(key, status=status))


@operation(on=arns.user)
def delete_ssh_public_key(call: Call, *, user_name: str, ssh_public_key_id: str) -> None:
    """Delete a key."""
    call.delete(_key(call, named_user(call, user_name), ssh_public_key_id))


def _keys(call: Call, user: User) -> list[SSHPublicKey]:
    return call.account.find(SSHPublicKey, "user", user.user_id)


def _key(call: Call, user: User, ssh_public_key_id: str) -> SSHPublicKey:
    key = call.account.get(SSHPublicKey, ssh_public_key_id)
    # SECURITY: a key is reached through its own user only; the decision was about that user.
    if key is None or key.user_id != user.user_id:
        raise NoSuchEntity(f"The Public Key with id {ssh_public_key_id} cannot be found.")
    return key


def _id(key: SSHPublicKey) -> str:
    return key.ssh_public_key_id


def _listed(user: User, key: SSHPublicKey) -> dict[str, Any]:
    return {
        "UserName": user.user_name,
        "SSHPublicKeyId": key.ssh_public_key_id,
        "Status": key.status,
        "UploadDate": moment(key.uploaded),
    }


def _shown(user: User, key: SSHPublicKey, body: str) -> dict[str, Any]:
    return _listed(user, key) | {"SSHPublicKeyBody": body, "Fingerprint": ssh_keys.fingerprint(key.public_key)}
