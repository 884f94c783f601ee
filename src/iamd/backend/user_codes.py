"""Codes that moto's user pools would send to their users: each is for one purpose, for a time, and taken once.

Nothing is sent: `told` tells them to who may be told, in place of the mail or the message (ListUserCodes of iamd's own
service). AWS: Cognito Developer Guide, "Quotas in Amazon Cognito": how long codes hold; the words are those that
clients meet in Cognito's answers. How many wrong ones there may be is not public.
"""

import hmac
import secrets
import threading
import time
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from moto.cognitoidp.exceptions import CodeMismatchException, ExpiredCodeException
from moto.cognitoidp.models import cognitoidp_backends
from moto.core.exceptions import JsonRESTError

SIGN_UP: Final = "SIGN_UP"
PASSWORD: Final = "FORGOT_PASSWORD"
MESSAGE: Final = "SMS_MFA"
_HOUR: Final = 3600.0
_SECONDS: Final[Mapping[str, float]] = {SIGN_UP: 24 * _HOUR, PASSWORD: _HOUR, MESSAGE: 180.0}
_MOST_WRONG: Final = 5
"""Wrong codes for a purpose within an hour; of so few no code is guessed."""
_DIGITS: Final = 6
_TAKING: Final = threading.Lock()
_CODES: Final = "user_codes"
_WRONG: Final = "wrong_user_codes"
_ENDED: Final = "Invalid code provided, please request a code again."


class Code(msgspec.Struct, frozen=True):
    """A code, where it would be sent to, and until when it holds."""

    code: str
    destination: str
    until: float


def send(user: Any, purpose: str, destination: str) -> None:
    """Make a code, which takes the place of an earlier one for the same purpose."""
    code = f"{secrets.randbelow(10**_DIGITS):0{_DIGITS}}"
    _of(user, _CODES)[purpose] = Code(code, destination, time.time() + _SECONDS[purpose])


def take(user: Any, purpose: str, told: str, words: str) -> None:
    """Take a code for good; refuse, with these words where it is another one, what is not the user's or is over."""
    now = time.time()
    # SECURITY: of two requests at a time with one code the second finds none, and no wrong one is left uncounted.
    with _TAKING:
        codes, wrong = _of(user, _CODES), _of(user, _WRONG)
        recent = [at for at in wrong.get(purpose, ()) if now - at < _HOUR]
        if len(recent) >= _MOST_WRONG:
            # SECURITY: whoever tries all codes has found none before they are over.
            refusal = "Attempt limit exceeded, please try after some time."
            raise JsonRESTError(error_type="LimitExceededException", message=refusal)
        found = codes.get(purpose)
        if found is None or now > found.until:
            raise ExpiredCodeException(_ENDED)
        if not hmac.compare_digest(found.code.encode(), told.encode()):
            wrong[purpose] = [*recent, now]
            raise CodeMismatchException(words)
        del codes[purpose]
        wrong.pop(purpose, None)


def _of(user: Any, name: str) -> dict[str, Any]:
    if not hasattr(user, name):
        setattr(user, name, {})
    found: dict[str, Any] = getattr(user, name)
    return found


def told(given: Mapping[str, str]) -> dict[str, Any]:
    """The codes that a pool's users could use now; None when there is no such pool in this account."""
    pool_id, backends = given["user_pool_id"], list(cognitoidp_backends[given["account_id"]].values())
    pools = [backend.user_pools[pool_id] for backend in backends if pool_id in backend.user_pools]
    return {"codes": _codes(pools[0]) if pools else None}


def _codes(pool: Any) -> list[dict[str, Any]]:
    now = time.time()
    return [
        {
            "Username": user.username,
            "Purpose": purpose,
            "Code": code.code,
            "Destination": code.destination,
            "ExpirationTime": int(code.until),
        }
        for user in list(pool.users.values())
        for purpose, code in sorted(_of(user, _CODES).items())
        if now <= code.until
    ]
