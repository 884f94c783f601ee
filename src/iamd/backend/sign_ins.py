"""How users sign in to moto's user pools: by the flows, the secret and the attributes of the app client, step by step.

moto looks at none of these, takes any answer to a challenge for any user's and any proof for a password's, and lets
every client use each token.
AWS: Cognito API Reference, CreateUserPoolClient (ExplicitAuthFlows, WriteAttributes, AccessTokenValidity,
IdTokenValidity, RefreshTokenValidity, TokenValidityUnits), CreateUserPool (AllowAdminCreateUserOnly), InitiateAuth,
RespondToAuthChallenge and SignUp; Cognito Developer Guide, "Computing secret hash values". The words are those that
clients meet in Cognito's answers.
"""

import hmac
import secrets
import time
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from moto.cognitoidp.exceptions import InvalidParameterException, NotAuthorizedError
from moto.cognitoidp.models import CognitoIdpBackend, CognitoIdpUserPool, CognitoIdpUserPoolAttribute
from moto.cognitoidp.responses import CognitoIdpResponse

from iamd.backend import confirmations, second_factors, srp
from iamd.backend.confirmations import pool_of
from iamd.backend.replacement import replace

_LEGACY: Final = frozenset({"ADMIN_NO_SRP_AUTH", "CUSTOM_AUTH_FLOW_ONLY", "USER_PASSWORD_AUTH"})
_USUAL: Final = frozenset({"ALLOW_CUSTOM_AUTH", "ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_SRP_AUTH"})
"""The flows of a client for which none are given."""

_ALLOWING: Final = {
    "ADMIN_NO_SRP_AUTH": {"ALLOW_ADMIN_USER_PASSWORD_AUTH", "ADMIN_NO_SRP_AUTH"},
    "ADMIN_USER_PASSWORD_AUTH": {"ALLOW_ADMIN_USER_PASSWORD_AUTH", "ADMIN_NO_SRP_AUTH"},
    "CUSTOM_AUTH": {"ALLOW_CUSTOM_AUTH", "CUSTOM_AUTH_FLOW_ONLY"},
    "REFRESH_TOKEN": {"ALLOW_REFRESH_TOKEN_AUTH", *_LEGACY},
    "REFRESH_TOKEN_AUTH": {"ALLOW_REFRESH_TOKEN_AUTH", *_LEGACY},
    "USER_PASSWORD_AUTH": {"ALLOW_USER_PASSWORD_AUTH", "USER_PASSWORD_AUTH"},
    "USER_SRP_AUTH": {"ALLOW_USER_SRP_AUTH", "ADMIN_NO_SRP_AUTH", "USER_PASSWORD_AUTH"},
}
"""What lets a client use a flow, of which the words without ALLOW_ are of an older time, and let it refresh always."""
_REFRESHING: Final = frozenset({"REFRESH_TOKEN", "REFRESH_TOKEN_AUTH"})

_UNITS: Final = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86_400}
_HOUR: Final = 3600
_MONTH: Final = 30 * 86_400
_NOT_WRITTEN: Final = frozenset({"email_verified", "phone_number_verified", "sub"})
_STANDARD: Final = frozenset(CognitoIdpUserPoolAttribute.STANDARD_SCHEMA) - _NOT_WRITTEN
"""The attributes that a client writes for which none are given."""

_WITH_SECRET: Final = (
    "confirm_forgot_password",
    "confirm_sign_up",
    "forgot_password",
    "resend_confirmation_code",
    "sign_up",
)


def install() -> None:
    """Look at the client first, and at what a session was begun for."""
    replace(CognitoIdpBackend, "initiate_auth", _begun)
    replace(CognitoIdpBackend, "admin_initiate_auth", _begun_by_administrator)
    replace(CognitoIdpBackend, "respond_to_auth_challenge", _answered)
    replace(CognitoIdpBackend, "associate_software_token", _associated)
    replace(CognitoIdpBackend, "verify_software_token", _verified)
    replace(CognitoIdpBackend, "sign_up", _signed_up)
    replace(CognitoIdpBackend, "update_user_attributes", _written)
    confirmations.install()
    for name in _WITH_SECRET:
        replace(CognitoIdpResponse, name, _with_secret)
    replace(CognitoIdpUserPool, "create_jwt", _lasting)
    replace(CognitoIdpUserPool, "create_refresh_token", _dated)


# How a sign-in begins.


def _begun(original: Callable[..., Any]) -> Callable[..., Any]:
    def initiate_auth(backend: Any, client_id: str, auth_flow: str, auth_parameters: dict[str, str]) -> Any:
        pool = pool_of(backend, client_id)
        if pool is None:
            return original(backend, client_id, auth_flow, auth_parameters)
        _check_flow(pool, client_id, auth_flow, auth_parameters, f"{auth_flow} flow not enabled for this client")
        answer = original(backend, client_id, auth_flow, auth_parameters)
        if auth_flow == "USER_SRP_AUTH":
            _begin_exchange(backend, pool, answer, auth_parameters)
        return _noted(backend, client_id, _with_factor(backend, pool, auth_flow, auth_parameters, answer))

    return initiate_auth


def _begin_exchange(backend: Any, pool: Any, answer: dict[str, Any], given: Mapping[str, str]) -> None:
    """Challenge a user to prove the password, instead of with random numbers, and by a session that is the block."""
    told, begun = answer["ChallengeParameters"], backend.sessions.pop(answer["Session"])
    password = pool._get_user(begun[0]).password or secrets.token_hex()  # noqa: SLF001 - as moto does
    exchange = srp.begun(pool.id, told["USER_ID_FOR_SRP"], password, given["SRP_A"])
    if exchange is None:
        raise InvalidParameterException("SRP_A is not valid")
    told.update(exchange.challenge)
    answer["Session"] = exchange.block
    backend.sessions[exchange.block] = begun
    _exchanges(backend)[exchange.block] = exchange


def _exchanges(backend: Any) -> dict[str, srp.Exchange]:
    if not hasattr(backend, "exchanges"):
        backend.exchanges = {}
    found: dict[str, srp.Exchange] = backend.exchanges
    return found


def _begun_by_administrator(original: Callable[..., Any]) -> Callable[..., Any]:
    def admin_initiate_auth(
        backend: Any, user_pool_id: str, client_id: str, auth_flow: str, auth_parameters: dict[str, str]
    ) -> Any:
        pool = backend.user_pools.get(user_pool_id)
        if pool is not None and client_id in pool.clients:
            _check_flow(pool, client_id, auth_flow, auth_parameters, "Auth flow not enabled for this client")
        answer = original(backend, user_pool_id, client_id, auth_flow, auth_parameters)
        return _noted(backend, client_id, _with_factor(backend, pool, auth_flow, auth_parameters, answer))

    return admin_initiate_auth


def _with_factor(backend: Any, pool: Any, flow: str, given: Mapping[str, str], answer: Any) -> Any:
    if flow in _REFRESHING or not isinstance(answer, dict):
        return answer
    user = pool._get_user(given["USERNAME"])  # noqa: SLF001 - as moto does
    if flow != "USER_SRP_AUTH":
        confirmations.check_not_reset(user)
    return second_factors.asked(backend, pool, user, answer)


def _check_flow(pool: Any, client_id: str, flow: str, given: Mapping[str, str], words: str) -> None:
    """Refuse a flow that the client does not have, without its secret, or with a token that is not its own."""
    client = pool.clients[client_id]
    allowed = frozenset(client.extended_config.get("ExplicitAuthFlows") or _USUAL)
    if flow in _ALLOWING and allowed.isdisjoint(_ALLOWING[flow]):
        raise InvalidParameterException(words)
    username = given.get("USERNAME", "")
    if flow in _REFRESHING:
        username = _check_refreshing(pool, client_id, given.get("REFRESH_TOKEN"))
    if flow in _ALLOWING:
        _check_secret(client, username, given.get("SECRET_HASH"))


def _check_refreshing(pool: Any, client_id: str, token: str | None) -> str:
    """The user of a refresh token that this client was given, and whose time is not over."""
    found = pool.refresh_tokens.get(token)
    if found is None:
        raise NotAuthorizedError("Refresh Token has been revoked")
    given_to, username, _ = found
    made = getattr(pool, "refresh_tokens_made", {}).get(token, 0.0)
    lasts = _validity(pool.clients[client_id], "RefreshToken", _MONTH, "days")
    if given_to != client_id:
        raise NotAuthorizedError("Invalid Refresh Token")
    if time.time() > made + lasts:
        raise NotAuthorizedError("Refresh Token has expired")
    return str(username)


def _check_secret(client: Any, username: str, told: str | None) -> None:
    if not client.generate_secret:
        return
    if told is None:
        raise NotAuthorizedError(f"Client {client.id} is configured with secret but SECRET_HASH was not received")
    expected = _secret_hash(client, username)
    if not hmac.compare_digest(told.encode(), expected.encode()):
        raise NotAuthorizedError(f"Unable to verify secret hash for client {client.id}")


def _secret_hash(client: Any, username: str) -> str:
    return b64encode(hmac.digest(client.secret.encode(), f"{username}{client.id}".encode(), "sha256")).decode()


# How it goes on.


def _noted(backend: Any, client_id: str, answer: Any) -> Any:
    """The answer, with which challenge its session is for, and where the code for that one goes to."""
    session = answer.get("Session") if isinstance(answer, dict) else None
    if session is not None:
        _challenges(backend)[session] = client_id, answer["ChallengeName"]
        if answer["ChallengeName"] == second_factors.MESSAGE:
            username, pool = backend.sessions[session]
            answer["ChallengeParameters"] = second_factors.message_sent(pool._get_user(username))  # noqa: SLF001
    return answer


def _challenges(backend: Any) -> dict[str, tuple[str, str]]:
    if not hasattr(backend, "challenges"):
        backend.challenges = {}
    found: dict[str, tuple[str, str]] = backend.challenges
    return found


def _answered(original: Callable[..., Any]) -> Callable[..., Any]:
    def respond_to_auth_challenge(
        backend: Any, session: str, client_id: str, challenge_name: str, challenge_responses: dict[str, str]
    ) -> Any:
        given = challenge_responses or {}
        begun = given.get("PASSWORD_CLAIM_SECRET_BLOCK", "") if challenge_name == "PASSWORD_VERIFIER" else session
        client, user = _check_session(backend, begun, client_id, challenge_name, given.get("USERNAME"))
        _check_secret(client, given.get("USERNAME", ""), given.get("SECRET_HASH"))
        if challenge_name == "PASSWORD_VERIFIER":
            _check_proof(backend, begun, given)
            confirmations.check_not_reset(user)
        # Clients name the user as the challenge does, which may be by what moto does not find.
        given = {**given, "USERNAME": user.username}
        if client.generate_secret:
            given["SECRET_HASH"] = _secret_hash(client, user.username)
        if challenge_name == second_factors.TOKEN:
            second_factors.check(user, given.get("SOFTWARE_TOKEN_MFA_CODE", ""))
        if challenge_name == second_factors.MESSAGE:
            second_factors.check_message(user, given.get("SMS_MFA_CODE", ""))
        answer = original(backend, session, client_id, challenge_name, given)
        _challenges(backend).pop(begun, None)
        if challenge_name not in second_factors.ANSWERED:
            answer = second_factors.asked(backend, pool_of(backend, client_id), user, answer)
        if answer.get("Session") != begun:
            backend.sessions.pop(begun, None)
        return _noted(backend, client_id, answer)

    return respond_to_auth_challenge


def _check_session(backend: Any, session: Any, client_id: str, challenge: str, username: str | None) -> tuple[Any, Any]:
    """The client and the user of a session; refuse the answer to a challenge that was not made, or not to these.

    SECURITY: moto takes the user's name out of the answer, and a password for it, by anybody's session.
    """
    refusal = NotAuthorizedError("Invalid session for the user.")
    if _challenges(backend).get(session) != (client_id, challenge) or session not in backend.sessions:
        raise refusal
    of, pool = backend.sessions[session]
    user = pool._get_user(of)  # noqa: SLF001 - as moto does
    named = pool._get_user(username) if username is not None else None  # noqa: SLF001
    if named is None and username is not None:
        named = next((one for one in pool.users.values() if one.id == username), None)
    is_set_up = challenge != "MFA_SETUP" or (user is not None and user.token_verified)
    if user is None or named is not user or not is_set_up:
        raise refusal
    return pool.clients[client_id], user


def _check_proof(backend: Any, block: str, given: Mapping[str, str]) -> None:
    exchange = _exchanges(backend).pop(block, None)
    signature, timestamp = given.get("PASSWORD_CLAIM_SIGNATURE", ""), given.get("TIMESTAMP", "")
    if exchange is None or not srp.holds(exchange, signature, timestamp):
        # SECURITY: one try for each exchange.
        backend.sessions.pop(block, None)
        raise NotAuthorizedError("Incorrect username or password.")


def _associated(original: Callable[..., Any]) -> Callable[..., Any]:
    def associate_software_token(backend: Any, access_token: str, session: str) -> Any:
        user = _setting_up(backend, access_token, session)
        return {**original(backend, access_token, session), "SecretCode": second_factors.associated(user)}

    return associate_software_token


def _verified(original: Callable[..., Any]) -> Callable[..., Any]:
    def verify_software_token(
        backend: Any, access_token: str, session: str, user_code: str, friendly_device_name: str
    ) -> Any:
        second_factors.verify(_setting_up(backend, access_token, session), user_code)
        answer = original(backend, access_token, session, user_code, friendly_device_name)
        if session:
            _challenges(backend)[answer["Session"]] = _challenges(backend).pop(session)
            backend.sessions.pop(session)
        return answer

    return verify_software_token


def _setting_up(backend: Any, access_token: str, session: str) -> Any:
    """The user whose device is set up.

    SECURITY: by a session that asks for a code, whoever knows the password alone would put a device of their own in
    the place of the user's.
    """
    if session:
        if _challenges(backend).get(session, ("", ""))[1] != second_factors.SETUP or session not in backend.sessions:
            raise NotAuthorizedError("Invalid session for the user.")
        username, pool = backend.sessions[session]
        return pool._get_user(username)  # noqa: SLF001 - as moto does
    for pool in backend.user_pools.values():
        if access_token in pool.access_tokens:
            return pool._get_user(pool.access_tokens[access_token][1])  # noqa: SLF001
    raise NotAuthorizedError("Invalid Access Token")


# What tokens say.


def _validity(client: Any, kind: str, otherwise: int, unit: str) -> int:
    """How many seconds a token of a client lasts."""
    config = client.extended_config
    number, units = config.get(f"{kind}Validity"), config.get("TokenValidityUnits") or {}
    return int(number) * _UNITS[units.get(kind) or unit] if number else otherwise


def _lasting(original: Callable[..., tuple[str, int]]) -> Callable[..., tuple[str, int]]:
    def create_jwt(
        pool: Any, client_id: str, username: str, token_use: str, extra_data: dict[str, Any] | None = None
    ) -> tuple[str, int]:
        kind = "AccessToken" if token_use == "access" else "IdToken"
        lasts = _validity(pool.clients[client_id], kind, _HOUR, "hours")
        return original(pool, client_id, username, token_use, expires_in=lasts, extra_data=extra_data)

    return create_jwt


def _dated(original: Callable[..., tuple[str, str]]) -> Callable[..., tuple[str, str]]:
    def create_refresh_token(pool: Any, client_id: str, username: str) -> tuple[str, str]:
        made = original(pool, client_id, username)
        if not hasattr(pool, "refresh_tokens_made"):
            pool.refresh_tokens_made = {}
        pool.refresh_tokens_made[made[0]] = time.time()
        return made

    return create_refresh_token


# What users say of themselves.


def _signed_up(original: Callable[..., Any]) -> Callable[..., Any]:
    def sign_up(backend: Any, client_id: str, username: str, password: str, attributes: Any) -> Any:
        pool = pool_of(backend, client_id)
        if pool is not None:
            if (pool.extended_config.get("AdminCreateUserConfig") or {}).get("AllowAdminCreateUserOnly"):
                raise NotAuthorizedError("SignUp is not permitted for this user pool")
            _check_written(pool, client_id, attributes)
        return original(backend, client_id, username, password, attributes)

    return sign_up


def _written(original: Callable[..., None]) -> Callable[..., None]:
    def update_user_attributes(backend: Any, access_token: str, attributes: list[dict[str, str]]) -> None:
        for pool in backend.user_pools.values():
            if access_token in pool.access_tokens:
                _check_written(pool, pool.access_tokens[access_token][0], attributes)
        original(backend, access_token, attributes)

    return update_user_attributes


def _check_written(pool: Any, client_id: str, attributes: Iterable[Mapping[str, str]] | None) -> None:
    allowed = frozenset(pool.clients[client_id].extended_config.get("WriteAttributes") or _STANDARD)
    if not {one["Name"] for one in attributes or ()} <= allowed:
        # SECURITY: an application trusts what its users can't write.
        raise NotAuthorizedError("A client attempted to write unauthorized attribute")


def _with_secret(original: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def asked(response: Any) -> Any:
        given = response._get_param  # noqa: SLF001 - moto's responses have no other way
        client_id = given("ClientId")
        pool = pool_of(response.backend, client_id)
        if pool is not None:
            _check_secret(pool.clients[client_id], given("Username"), given("SecretHash"))
        return original(response)

    return asked
