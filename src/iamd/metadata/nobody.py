"""Instance metadata where no instance can be: a server without a backend."""

from iamd.exchange import Client
from iamd.framing import Head
from iamd.http import HttpResponse
from iamd.metadata import guests, imds


class NoInstances:
    """The listener of a server without a backend, and what such a server says of it."""

    def __init__(self, address: str) -> None:
        self._address = address

    def addresses(self) -> dict[str, str]:
        """Where metadata is served."""
        return {"default": self._address}

    def endpoint(self, _account_id: str, _instance_id: str) -> str | None:
        """There is no instance that could have one."""
        return None

    def forget(self) -> None:
        """Nothing was ever told."""

    async def __call__(self, scope: object, receive: object, send: object) -> None:
        """Uvicorn takes nothing but ASGI applications; iamd's connections ask `begin`."""
        raise TypeError("this listener answers iamd's connections only")

    def begin(self, head: Head, _client: Client, _body: bytes | None = None) -> HttpResponse:
        """There is nothing, whatever is asked for."""
        return guests.foreign(head) or imds.error(404)
