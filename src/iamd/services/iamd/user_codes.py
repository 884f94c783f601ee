"""Codes that Cognito would send to users of a user pool: the embedded backend sends nothing, so they are told here."""

from datetime import UTC, datetime
from typing import Any

from iamd.arn import PARTITION
from iamd.call import Call
from iamd.errors import AWSError
from iamd.services.registry import Target, reading


class NoSuchUserPool(AWSError):
    """The embedded backend has no user pool of this id in the caller's account."""

    code = "NoSuchUserPool"


def pool(call: Call, *, user_pool_id: str, username: str | None = None) -> Target:
    """The user pool, whose id tells its Region."""
    del username
    region = user_pool_id.partition("_")[0]
    return Target(arn=f"arn:{PARTITION}:cognito-idp:{region}:{call.identity.account_id}:userpool/{user_pool_id}")


async def _told(call: Call, *, user_pool_id: str, username: str | None = None) -> list[dict[str, Any]]:
    found = await call.user_codes(call.identity.account_id, user_pool_id)
    if found is None:
        raise NoSuchUserPool(f"The embedded backend has no user pool {user_pool_id} in this account.")
    return [_shown(one) for one in found if username in {None, one["Username"]}]


def _shown(code: dict[str, Any]) -> dict[str, Any]:
    return {**code, "ExpirationTime": datetime.fromtimestamp(code["ExpirationTime"], UTC)}


@reading(on=pool, prepare=_told)
def list_user_codes(call: Call, *, user_pool_id: str, username: str | None = None) -> dict[str, Any]:
    """List the codes that users of a pool could use now, with what each is for and where it would be sent to.

    Whoever is told one can sign up, reset a password or sign in as its user. Raises NoSuchUserPool for a pool that the
    embedded backend does not have.
    """
    del user_pool_id, username
    codes: list[dict[str, Any]] = call.prepared
    return {"Codes": codes}
