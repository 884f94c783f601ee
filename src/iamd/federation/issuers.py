"""What the issuers of web identity tokens publish: discovery document and keys, remembered for some minutes.

OpenID Connect Discovery 1.0, section 4; RFC 7517 for the keys.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from iamd.federation.certificates import OtherThumbprint
from iamd.federation.fetching import WrongAnswer, fetch
from iamd.federation.hosts import Hosts, Unreachable

DISCOVERY: Final = "/.well-known/openid-configuration"
KEPT_SECONDS: Final = 240.0
"""FED-05: a key that its issuer has taken away stops working within five minutes."""
BETWEEN_SECONDS: Final = 5.0
"""How often an issuer is asked anew at most, whatever key ids tokens name."""
MAX_ISSUERS: Final = 256
MAX_KEYS: Final = 200
KEY_TYPES: Final = frozenset({"RSA", "EC"})
UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What reading JSON of anybody's raises; the last for what is nested too deeply."""

JWK = Mapping[str, Any]
Failure = Unreachable | OtherThumbprint | WrongAnswer


class _Discovery(msgspec.Struct, frozen=True):
    issuer: str
    jwks_uri: str


class _KeySet(msgspec.Struct, frozen=True):
    keys: list[dict[str, Any]]


@dataclass(slots=True)
class Published:
    """What one issuer published, and when it was asked; by the machine's monotonic clock."""

    keys: Mapping[str, JWK] = field(default_factory=dict)
    fetched: float | None = None
    asked: float | None = None
    failure: Failure | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    def of(self, key_id: str | None) -> JWK | None:
        """The key of this id; without one, the only key."""
        if key_id is not None:
            return self.keys.get(key_id)
        return next(iter(self.keys.values())) if len(self.keys) == 1 else None

    def is_fresh(self, now: float) -> bool:
        """Whether the keys may still be used."""
        return self.fetched is not None and now - self.fetched < KEPT_SECONDS

    def may_be_asked(self, now: float) -> bool:
        """Whether the issuer was not asked just now."""
        return self.asked is None or now - self.asked >= BETWEEN_SECONDS


@dataclass(slots=True)
class Issuers:
    """The issuers that this server has asked, the latest used last; it forgets those that are used least."""

    hosts: Hosts
    _published: OrderedDict[tuple[str, tuple[str, ...]], Published] = field(default_factory=OrderedDict)

    def forget(self) -> None:
        """Ask every issuer anew."""
        self._published.clear()

    async def key(self, issuer: str, thumbprints: Sequence[str], key_id: str | None) -> JWK | None:
        """The issuer's key of this id, or its only one for a token that names none; None when there is no such key.

        Unreachable, OtherThumbprint or WrongAnswer when it can't be told.
        """
        published = self._of(issuer, tuple(thumbprints))
        async with published.lock:
            now = time.monotonic()
            if not published.is_fresh(now) or published.of(key_id) is None:
                await self._ask(published, issuer, thumbprints, now)
            # SECURITY: a failure is never success: keys that are too old are not used because none came since.
            if not published.is_fresh(now) and published.failure is not None:
                raise published.failure
            return published.of(key_id)

    def _of(self, issuer: str, thumbprints: tuple[str, ...]) -> Published:
        name = (issuer, thumbprints)
        published = self._published.pop(name, None) or Published()
        self._published[name] = published
        if len(self._published) > MAX_ISSUERS:
            self._published.popitem(last=False)
        return published

    async def _ask(self, published: Published, issuer: str, thumbprints: Sequence[str], now: float) -> None:
        if not published.may_be_asked(now):
            return
        published.asked = now
        try:
            published.keys = await self._fetched(issuer, thumbprints)
        except (Unreachable, OtherThumbprint, WrongAnswer) as failure:
            published.failure = failure
        else:
            published.fetched, published.failure = now, None

    async def _fetched(self, issuer: str, thumbprints: Sequence[str]) -> Mapping[str, JWK]:
        body = await fetch(self.hosts, issuer.removesuffix("/") + DISCOVERY, thumbprints)
        try:
            found = msgspec.json.decode(body, type=_Discovery)
        except UNREADABLE as error:
            raise WrongAnswer(f"the discovery document of {issuer} is none: {error}") from error
        # SECURITY: OpenID Connect Discovery 4.3: a document of another issuer's must not give this one's keys.
        if found.issuer != issuer:
            raise WrongAnswer(f"the discovery document of {issuer} is of {found.issuer}")
        return keys_of(await fetch(self.hosts, found.jwks_uri, thumbprints))


def keys_of(body: bytes) -> Mapping[str, JWK]:
    """The signing keys of a key set by their ids; an id that two of them have stands for neither."""
    try:
        given = msgspec.json.decode(body, type=_KeySet).keys
    except UNREADABLE as error:
        raise WrongAnswer(f"the key set is none: {error}") from error
    if len(given) > MAX_KEYS:
        raise WrongAnswer(f"the key set has more than {MAX_KEYS} keys")
    signing = [key for key in given if key.get("kty") in KEY_TYPES and key.get("use", "sig") == "sig"]
    ids = [key["kid"] for key in signing if isinstance(key.get("kid"), str)]
    return {key["kid"]: key for key in signing if isinstance(key.get("kid"), str) and ids.count(key["kid"]) == 1}
