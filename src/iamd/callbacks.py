"""Callbacks: addresses at iamd itself that somebody who was asked for something sends the answer to, once or more.

They stand where AWS has presigned URLs of S3: custom resources answer CloudFormation by them. An address is a secret:
it is sealed, so that nobody can guess one, and it ends.
"""

import uuid

from msgspec.structs import replace

from iamd.auth.sealing import Keyring, SealError
from iamd.http import HttpRequest
from iamd.runtime import Runtime
from iamd.store.account import Account, Snapshot
from iamd.store.change import Change
from iamd.store.stack_records import Callback

PATH = b"/_iamd/callback/"
LONGEST = 4096
"""AWS: "Custom resource response objects": the whole response can't exceed 4096 bytes. What is longer is told by its
length alone.
"""

_ADDRESS = "callback address"
_CONTENT = "callback content"


def made(stack_id: str, logical_id: str, expires: float, most: int) -> Callback:
    """A callback of a stack's resource that takes so many messages until it ends."""
    return Callback(callback_id=str(uuid.uuid4()), stack_id=stack_id, logical_id=logical_id, expires=expires, most=most)


def url_of(runtime: Runtime, account_id: str, callback: Callback) -> str:
    """The callback's address, for who is to answer."""
    opened = f"{account_id}/{callback.callback_id}".encode()
    return f"{runtime.endpoint}{PATH.decode()}{runtime.keyring.seal_text(_ADDRESS, (), opened)}"


def contents_of(keyring: Keyring, callback: Callback) -> list[bytes]:
    """What was sent so far."""
    return [keyring.open_text(_CONTENT, (callback.callback_id,), text) for text in callback.contents]


def named(keyring: Keyring, address: str) -> tuple[str, str] | None:
    """The account, and the id, of the callback that an address is one of; None for what is no address."""
    try:
        opened = keyring.open_text(_ADDRESS, (), address.rpartition("/")[2]).decode()
    except (SealError, ValueError):
        return None
    account_id, _, callback_id = opened.partition("/")
    return account_id, callback_id


async def take(runtime: Runtime, request: HttpRequest, body: bytes) -> bool:
    """Keep what was sent to an address; False for what is no address, has ended, or takes no more."""
    found = named(runtime.keyring, request.path.decode("latin-1"))
    if found is None:
        return False
    account_id, callback_id = found
    if _open(runtime, runtime.store.snapshot(), account_id, callback_id) is None:
        return False
    content = runtime.keyring.seal_text(_CONTENT, (callback_id,), body[: LONGEST + 1])

    def kept(change: Change) -> bool:
        # SECURITY: of two who answer at once, the first one has answered.
        found = _open(runtime, change, account_id, callback_id)
        if found is None:
            return False
        change.put(account_id, replace(found, contents=(*found.contents, content)))
        return True

    return await runtime.store.written(kept)


def _open(runtime: Runtime, view: Snapshot | Change, account_id: str, callback_id: str) -> Callback | None:
    found = (view.account(account_id) or Account(account_id)).get(Callback, callback_id)
    if found is None or found.expires <= runtime.clock.timestamp() or len(found.contents) >= found.most:
        return None
    return found
