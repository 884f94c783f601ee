"""Long-term access keys of users and of the root user."""

from typing import Any

from msgspec.structs import replace

from iamd import arn, ids
from iamd.accounts import ACCESS_KEY_PURPOSE
from iamd.call import Call
from iamd.errors import Common, CommonError
from iamd.services.iam import arns, quotas, statuses
from iamd.services.iam.entities import moment, named_or_calling_user
from iamd.services.iam.errors import NoSuchEntity
from iamd.services.paging import page
from iamd.services.registry import Target, operation, reading
from iamd.store.records import AccessKey, User

ROOT = "root"
"""What stands for the root user in the index of keys by user."""
NEVER = "N/A"


@operation(on=arns.user)
def create_access_key(call: Call, *, user_name: str | None = None) -> dict[str, Any]:
    """Create an access key for a user; its secret is in this answer and never again."""
    user = named_or_calling_user(call, user_name)
    quotas.check("AccessKeysPerUser", len(_keys(call, user)) + 1, quotas.ACCESS_KEYS_PER_USER)
    key_id = ids.access_key_id(ids.LONG_TERM_KEY, call.account.id)
    secret = ids.secret_access_key()
    key = AccessKey(
        access_key_id=key_id,
        user_id=None if user is None else user.user_id,
        sealed_secret=call.keyring.seal(ACCESS_KEY_PURPOSE, (call.account.id, key_id), secret.encode()),
        created=call.now,
    )
    call.put(key)
    return {"AccessKey": _shown(user, key) | {"SecretAccessKey": secret}}


@operation(on=arns.user)
def update_access_key(call: Call, *, access_key_id: str, status: str, user_name: str | None = None) -> None:
    """Make a key active or inactive, at once."""
    key = _key(call, named_or_calling_user(call, user_name), access_key_id)
    statuses.check_settable(status)
    call.put(replace(key, status=status))


@operation(on=arns.user)
def delete_access_key(call: Call, *, access_key_id: str, user_name: str | None = None) -> None:
    """Delete a key, at once."""
    call.delete(_key(call, named_or_calling_user(call, user_name), access_key_id))


@reading(on=arns.user)
def list_access_keys(
    call: Call, *, user_name: str | None = None, marker: str | None = None, max_items: int | None = None
) -> dict[str, Any]:
    """List a user's keys without their secrets, the oldest first."""
    user = named_or_calling_user(call, user_name)
    query = (ROOT if user is None else user.user_id,)
    cut, more = page(call, _keys(call, user), key=_age, max_items=max_items, marker=marker, query=query)
    return {"AccessKeyMetadata": [_shown(user, key) for key in cut], **more}


def _owner(call: Call, *, access_key_id: str) -> Target:
    key = call.account.get(AccessKey, access_key_id)
    if key is None:
        return Target()
    user = _user_of(call, key)
    return Target(arn=arn.root(call.account.id)) if user is None else arns.user(call, user_name=user.user_name)


@reading(on=_owner)
def get_access_key_last_used(call: Call, *, access_key_id: str) -> dict[str, Any]:
    """Show whose key this is, and when, where and for which service it was last used."""
    key = call.account.get(AccessKey, access_key_id)
    if key is None:
        # AWS answers for a key of another account, or of nobody, with a denial that names the key alone.
        raise CommonError(
            Common.ACCESS_DENIED,
            f"User: {call.identity.arn} is not authorized to perform iam:GetAccessKeyLastUsed"
            f" on resource: access key {access_key_id}",
        )
    return {**_name(_user_of(call, key)), "AccessKeyLastUsed": _last_used(call, key)}


def _last_used(call: Call, key: AccessKey) -> dict[str, Any]:
    use = call.last_used.access_key(key.access_key_id)
    if use is None:
        return {"Region": NEVER, "ServiceName": NEVER}
    seconds, region, service = use
    return {"LastUsedDate": moment(seconds), "Region": region, "ServiceName": service}


def _keys(call: Call, user: User | None) -> list[AccessKey]:
    return call.account.find(AccessKey, "user", ROOT if user is None else user.user_id)


def _key(call: Call, user: User | None, access_key_id: str) -> AccessKey:
    key = call.account.get(AccessKey, access_key_id)
    # SECURITY: a key is reached through its own user only; the decision was about that user.
    if key is None or key.user_id != (None if user is None else user.user_id):
        raise NoSuchEntity(f"The Access Key with id {access_key_id} cannot be found.")
    return key


def _user_of(call: Call, key: AccessKey) -> User | None:
    return None if key.user_id is None else call.account.get(User, key.user_id)


def _age(key: AccessKey) -> str:
    return f"{key.created:012d} {key.access_key_id}"


def _name(user: User | None) -> dict[str, str]:
    return {} if user is None else {"UserName": user.user_name}


def _shown(user: User | None, key: AccessKey) -> dict[str, Any]:
    return {
        **_name(user),
        "AccessKeyId": key.access_key_id,
        "Status": key.status,
        "CreateDate": moment(key.created),
    }
