"""What users of moto's user pools prove besides the password: a seed of each user's own, and the codes that come of it.

moto has one seed for everybody and takes any code; a password alone signs in who has MFA and prefers none of its ways,
who has just changed a temporary password, and whoever an administrator signs in to a pool that demands MFA. AWS:
Cognito API Reference, AssociateSoftwareToken, VerifySoftwareToken, RespondToAuthChallenge and SetUserMFAPreference;
Cognito Developer Guide, "TOTP software token MFA". The words are those that clients meet in Cognito's answers.
"""

import json
import time
import uuid
from typing import Any, Final

from moto.cognitoidp.exceptions import CodeMismatchException, ExpiredCodeException
from moto.core.exceptions import JsonRESTError

from iamd.auth import mfa
from iamd.backend import confirmations, user_codes

TOKEN: Final = "SOFTWARE_TOKEN_MFA"
SETUP: Final = "MFA_SETUP"
MESSAGE: Final = user_codes.MESSAGE
ANSWERED: Final = frozenset({TOKEN, SETUP, MESSAGE})
"""The challenges after which nothing more is asked."""
_PENDING: Final = "software_token_pending"
_SEED: Final = "software_token"
_STEP: Final = "software_token_step"


def associated(user: Any) -> str:
    """The secret code of a new seed, which counts from when a code of it is told."""
    seed = mfa.generate_seed()
    setattr(user, _PENDING, seed)
    return mfa.base32_seed(seed).decode()


def verify(user: Any, code: str) -> None:
    """Take the seed that a code shows to have arrived."""
    seed = getattr(user, _PENDING, None) or getattr(user, _SEED, None)
    if seed is None:
        raise _not_found()
    if mfa.matching_step(seed, code, time.time()) is None:
        words = "Code mismatch and fail enable Software Token MFA"
        raise JsonRESTError(error_type="EnableSoftwareTokenMFAException", message=words)
    setattr(user, _SEED, seed)
    setattr(user, _PENDING, None)


def check(user: Any, code: str) -> None:
    """Refuse a code that is not the user's, or was used."""
    seed = getattr(user, _SEED, None)
    if seed is None:
        raise _not_found()
    step = mfa.matching_step(seed, code, time.time())
    if step is None:
        raise CodeMismatchException("Invalid code received for user")
    if step <= getattr(user, _STEP, -1):
        raise ExpiredCodeException("Your software token has already been used once.")
    setattr(user, _STEP, step)


def message_sent(user: Any) -> dict[str, str]:
    """Send a user a code to the phone, and give what is told of that."""
    user_codes.send(user, MESSAGE, user.attribute_lookup.get("phone_number", ""))
    told = confirmations.details(user, "phone_number")
    return {
        "CODE_DELIVERY_DELIVERY_MEDIUM": told["DeliveryMedium"],
        "CODE_DELIVERY_DESTINATION": told["Destination"],
    }


def check_message(user: Any, code: str) -> None:
    """Refuse a code that was not sent to the user; it is taken once."""
    user_codes.take(user, MESSAGE, code, "Invalid code or auth state for the user.")


def _not_found() -> JsonRESTError:
    words = "Software Token MFA does not exist for the user."
    return JsonRESTError(error_type="SoftwareTokenMFANotFoundException", message=words)


def asked(backend: Any, pool: Any, user: Any, answer: dict[str, Any]) -> dict[str, Any]:
    """The answer to a password: the tokens where nothing more is asked, or what is."""
    tokens, told = answer.get("AuthenticationResult"), answer.get("ChallengeName")
    challenge = _needed(pool, user) if tokens or told in ANSWERED else None
    if challenge is None:
        return answer
    if tokens:
        # SECURITY: nobody is told these, and they don't count.
        pool.refresh_tokens.pop(tokens["RefreshToken"], None)
        pool.access_tokens.pop(tokens["AccessToken"], None)
    session = answer.get("Session") or str(uuid.uuid4())
    backend.sessions[session] = user.username, pool
    ways = {"MFAS_CAN_SETUP": json.dumps(_ways(pool))} if challenge == SETUP else {}
    return {"ChallengeName": challenge, "ChallengeParameters": ways, "Session": session}


def _needed(pool: Any, user: Any) -> str | None:
    demanded = pool.mfa_config == "ON"
    if pool.mfa_config == "OFF":
        return None
    by_token = user.software_token_mfa_enabled or (demanded and user.token_verified)
    if user.sms_mfa_enabled and not (by_token and user.preferred_mfa_setting != MESSAGE):
        return MESSAGE
    if by_token:
        return TOKEN
    return SETUP if demanded else None


def _ways(pool: Any) -> list[str]:
    by_token, by_message = pool.token_mfa_config == {"Enabled": True}, bool(pool.sms_mfa_config)
    return [TOKEN] * by_token + [MESSAGE] * by_message
