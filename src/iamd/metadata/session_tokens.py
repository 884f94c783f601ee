"""The session tokens of instance metadata, version 2: what a program shows that could send a PUT and read its answer.

AWS: EC2 User Guide, "How Instance Metadata Service Version 2 works" (instance-metadata-v2-how-it-works): a token holds
for the instance that gave it and for as long as was asked, six hours at most.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
import struct
from collections.abc import Callable
from typing import Final

LONGEST_SECONDS: Final = 21600
_FORM: Final = struct.Struct(">Q16s")
_BYTES: Final = _FORM.size + 32


class SessionTokens:
    """Gives and checks the tokens of one instance; they carry their end, and nothing is kept of them."""

    def __init__(self, key: bytes, instance: str, clock: Callable[[], float]) -> None:
        self._key = hmac.new(key, instance.encode(), hashlib.sha256).digest()
        self._clock = clock

    def issue(self, seconds: int) -> str:
        """A token that holds for so long."""
        content = _FORM.pack(int(self._clock()) + seconds, secrets.token_bytes(16))
        return base64.urlsafe_b64encode(content + self._seal(content)).decode()

    def remaining(self, token: bytes) -> int | None:
        """For how many seconds a token still holds; None for one that does not."""
        try:
            content = base64.b64decode(token, altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            return None
        if len(content) != _BYTES or not hmac.compare_digest(self._seal(content[: _FORM.size]), content[_FORM.size :]):
            return None
        ends, _ = _FORM.unpack(content[: _FORM.size])
        left: int = ends - int(self._clock())
        return left if left > 0 else None

    def _seal(self, content: bytes) -> bytes:
        return hmac.new(self._key, content, hashlib.sha256).digest()
