"""Temporary credentials of a role that are handed to a program, and had anew before they end."""

import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

import msgspec

from iamd.clock import iso

RENEWED_AHEAD: Final = 900.0
"""How long before their end credentials are had anew, in seconds: the SDKs ask for new ones that early.

AWS: new credentials are there at least five minutes before the old ones end (EC2 User Guide, "Retrieve security
credentials from instance metadata").
"""


class Temporary(msgspec.Struct, frozen=True, kw_only=True):
    """Credentials of one session of a role; `lasts` is its life in seconds."""

    access_key_id: str
    secret_access_key: str
    session_token: str
    expiration: str
    """When they end, as AWS writes it: `2026-01-31T12:00:00Z`."""
    last_updated: str
    """When they began."""
    lasts: float
    role_arn: str

    def __repr__(self) -> str:
        return f"Temporary({self.access_key_id}, {self.role_arn})"

    @property
    def account_id(self) -> str:
        """The role's account."""
        return self.role_arn.split(":")[4]

    @property
    def role_name(self) -> str:
        """The role's name."""
        return self.role_arn.rpartition("/")[2]

    @classmethod
    def of(cls, credentials: Mapping[str, Any], *, role_arn: str, began: datetime) -> "Temporary":
        """The credentials as STS answers them."""
        ends = credentials["Expiration"]
        return cls(
            access_key_id=credentials["AccessKeyId"],
            secret_access_key=credentials["SecretAccessKey"],
            session_token=credentials["SessionToken"],
            expiration=iso(ends),
            last_updated=iso(began),
            lasts=(ends - began).total_seconds(),
            role_arn=role_arn,
        )


class Unobtainable(Exception):
    """Why there are no credentials: AWS's code and words, and the HTTP status that tells them."""

    def __init__(self, code: str, message: str, status: int) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


def is_due(credentials: Temporary, age: float) -> bool:
    """Whether credentials of this age, in seconds, are to be had anew."""
    return age >= credentials.lasts - min(RENEWED_AHEAD, credentials.lasts / 2)


class Renewing:
    """The newest credentials, had anew when they are asked for and their end is near."""

    def __init__(self, obtain: Callable[[], Temporary], clock: Callable[[], float] = time.monotonic) -> None:
        self._obtain = obtain
        self._clock = clock
        self._lock = threading.Lock()
        self._current: Temporary | None = None
        self._obtained = 0.0

    def current(self) -> Temporary:
        """The credentials; Unobtainable when there are none that still hold."""
        with self._lock:
            now = self._clock()
            age = now - self._obtained
            if self._current is None or is_due(self._current, age):
                self._renew(now, age)
            if self._current is None:
                raise TypeError("nothing was obtained")
            return self._current

    def _renew(self, now: float, age: float) -> None:
        try:
            self._current, self._obtained = self._obtain(), now
        except Unobtainable:
            # What was handed out holds until its end, whoever may not have more.
            if self._current is None or age >= self._current.lasts:
                raise
