"""Codes by which users of moto's user pools show that an address is theirs: when they sign up, and forget a password.

moto confirms whoever asks for it, gives any user another password by any code, and answers the code that it makes to
whoever says to have forgotten one. AWS: Cognito API Reference, SignUp, ConfirmSignUp, ResendConfirmationCode,
ForgotPassword ("If neither a verified phone number nor a verified email exists, this API returns
InvalidParameterException"), ConfirmForgotPassword, AdminResetUserPassword; Cognito Developer Guide, "Signing up and
confirming user accounts": of both a phone number and an email address the phone number is verified.
"""

from collections.abc import Callable
from typing import Any, Final

from moto.cognitoidp.exceptions import InvalidParameterException, NotAuthorizedError, UserNotFoundError
from moto.cognitoidp.models import LEGACY_ACCOUNT_RECOVERY_MECHANISMS, CognitoIdpBackend, UserStatus
from moto.cognitoidp.responses import CognitoIdpResponse
from moto.core.exceptions import JsonRESTError
from moto.core.responses import ActionResult

from iamd.backend import user_codes
from iamd.backend.replacement import always, replace

_PHONE: Final = "phone_number"
_EMAIL: Final = "email"
_MISMATCH: Final = "Invalid verification code provided, please try again."
_OWN_HEADER: Final = "x-moto-forgot-password-confirmation-code"
Details = dict[str, str]


def install() -> None:
    """Make codes, and ask for them."""
    replace(CognitoIdpBackend, "sign_up", _signed_up)
    replace(CognitoIdpResponse, "confirm_sign_up", always(_confirm_sign_up))
    replace(CognitoIdpBackend, "forgot_password", _forgotten)
    replace(CognitoIdpResponse, "forgot_password", _without_code)
    replace(CognitoIdpBackend, "confirm_forgot_password", _remembered)
    replace(CognitoIdpBackend, "admin_reset_user_password", _reset)
    if not hasattr(CognitoIdpResponse, "resend_confirmation_code"):
        CognitoIdpResponse.resend_confirmation_code = _resend  # type: ignore[attr-defined]


def check_not_reset(user: Any) -> None:
    """Refuse to let a user sign in whose password an administrator has reset."""
    if user.status is UserStatus.RESET_REQUIRED:
        words = "Password reset required for the user"
        raise JsonRESTError(error_type="PasswordResetRequiredException", message=words)


def pool_of(backend: Any, client_id: str) -> Any:
    """The pool of an app client, None where there is none."""
    return next((pool for pool in backend.user_pools.values() if client_id in pool.clients), None)


def details(user: Any, attribute: str) -> Details:
    """Where a code goes to, as whoever asks for it may know it."""
    address = user.attribute_lookup.get(attribute, "")
    if attribute == _PHONE:
        return {"Destination": f"+*******{address[-4:]}", "DeliveryMedium": "SMS", "AttributeName": _PHONE}
    name, _, domain = address.partition("@")
    return {"Destination": f"{name[:1]}***@{domain[:1]}***", "DeliveryMedium": "EMAIL", "AttributeName": _EMAIL}


def _sent(user: Any, purpose: str, attribute: str) -> Details:
    user_codes.send(user, purpose, user.attribute_lookup[attribute])
    return details(user, attribute)


# Signing up.


def _signed_up(original: Callable[..., Any]) -> Callable[..., Any]:
    def sign_up(backend: Any, client_id: str, *given: Any, **named: Any) -> tuple[Any, Details | None]:
        user, _ = original(backend, client_id, *given, **named)
        return user, _verifying(pool_of(backend, client_id), user)

    return sign_up


def _verifying(pool: Any, user: Any) -> Details | None:
    """Send a new user a code, where the pool verifies an address that the user has given."""
    attribute = _verified_by_code(pool, user)
    return _sent(user, user_codes.SIGN_UP, attribute) if attribute is not None else None


def _verified_by_code(pool: Any, user: Any) -> str | None:
    verified = pool.extended_config.get("AutoVerifiedAttributes") or ()
    return next((name for name in (_PHONE, _EMAIL) if name in verified and user.attribute_lookup.get(name)), None)


def _asked(response: Any) -> tuple[Any, Any]:
    """The pool and the user that a request names."""
    asked = response._get_param  # noqa: SLF001 - moto's responses have no other way
    pool = pool_of(response.backend, asked("ClientId"))
    user = pool._get_user(asked("Username")) if pool is not None else None  # noqa: SLF001 - as moto does
    if user is None:
        raise UserNotFoundError("User does not exist.")
    return pool, user


def _confirm_sign_up(response: Any) -> ActionResult:
    pool, user = _asked(response)
    if user.status is not UserStatus.UNCONFIRMED:
        raise NotAuthorizedError(f"User cannot be confirmed. Current status is {user.status.value}")
    user_codes.take(user, user_codes.SIGN_UP, response._get_param("ConfirmationCode") or "", _MISMATCH)  # noqa: SLF001
    user.status = UserStatus.CONFIRMED
    attribute = _verified_by_code(pool, user)
    if attribute is not None:
        user.update_attributes([{"Name": f"{attribute}_verified", "Value": "true"}])
    return ActionResult({})


def _resend(response: Any) -> ActionResult:
    pool, user = _asked(response)
    if user.status is not UserStatus.UNCONFIRMED:
        raise InvalidParameterException("User is already confirmed.")
    told = _verifying(pool, user)
    if told is None:
        raise InvalidParameterException("Auto verification not turned on.")
    return ActionResult({"CodeDeliveryDetails": told})


# Passwords that are forgotten.


def _forgotten(original: Callable[..., Any]) -> Callable[..., Any]:
    def forgot_password(backend: Any, client_id: str, username: str) -> tuple[None, dict[str, Any]]:
        # Whether there is such a user is not told: moto's answer is the same as for one.
        _, answer = original(backend, client_id, username)
        pool = pool_of(backend, client_id)
        user = pool._get_user(username)  # noqa: SLF001 - as moto does
        if user is not None:
            if not user.enabled:
                raise NotAuthorizedError("User is disabled.")
            if user.status is UserStatus.FORCE_CHANGE_PASSWORD:
                raise NotAuthorizedError("User password cannot be reset in the current state.")
            answer = {"CodeDeliveryDetails": _recovering(pool, user)}
        return None, answer

    return forgot_password


def _recovering(pool: Any, user: Any) -> Details:
    """Send a user a code to the first of the pool's ways of recovery that is verified."""
    setting = (pool.extended_config.get("AccountRecoverySetting") or {}).get("RecoveryMechanisms")
    ways = sorted(setting or LEGACY_ACCOUNT_RECOVERY_MECHANISMS, key=lambda way: int(way["Priority"]))
    for way in ways:
        attribute = str(way["Name"]).removeprefix("verified_")
        if user.attribute_lookup.get(f"{attribute}_verified") == "true" and user.attribute_lookup.get(attribute):
            return _sent(user, user_codes.PASSWORD, attribute)
    raise InvalidParameterException(
        "Cannot reset password for the user as there is no registered/verified email or phone_number"
    )


def _without_code(original: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def forgot_password(response: Any) -> Any:
        answer = original(response)
        # SECURITY: who asks need not be the user.
        response.response_headers.pop(_OWN_HEADER, None)
        return answer

    return forgot_password


def _remembered(original: Callable[..., None]) -> Callable[..., None]:
    def confirm_forgot_password(
        backend: Any, client_id: str, username: str, password: str, confirmation_code: str
    ) -> None:
        pool = pool_of(backend, client_id)
        user = pool._get_user(username) if pool is not None else None  # noqa: SLF001 - as moto does
        if user is not None:
            backend._validate_password(pool.id, password)  # noqa: SLF001
            user_codes.take(user, user_codes.PASSWORD, confirmation_code or "", _MISMATCH)
        original(backend, client_id, username, password, confirmation_code)
        if user is not None and user.status is UserStatus.RESET_REQUIRED:
            user.status = UserStatus.CONFIRMED

    return confirm_forgot_password


def _reset(original: Callable[..., None]) -> Callable[..., None]:
    def admin_reset_user_password(backend: Any, user_pool_id: str, username: str) -> None:
        original(backend, user_pool_id, username)
        _recovering(backend.user_pools[user_pool_id], backend.admin_get_user(user_pool_id, username))

    return admin_reset_user_password
