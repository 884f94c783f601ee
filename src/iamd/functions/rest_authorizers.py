"""Functions that decide who may use a method of a REST API: what they are asked, and what their answers mean.

AWS: API Gateway Developer Guide, "Use API Gateway Lambda authorizers" (apigateway-use-lambda-authorizer), "Input to an
API Gateway Lambda authorizer" (api-gateway-lambda-authorizer-input) and "Output from an API Gateway Lambda authorizer"
(api-gateway-lambda-authorizer-output).
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from iamd.functions import rest_sources
from iamd.functions.api_calls import Call, Calls, Cause, NotAnswered, function_of
from iamd.functions.api_guards import SECONDS, Kept, PolicyAnswer
from iamd.functions.rest_answers import (
    AUTHORIZER_BROKEN,
    UNAUTHORIZED,
    GatewayRefusal,
    of_call,
)
from iamd.functions.rest_events import request_asked, token_asked
from iamd.functions.rest_routes import Authorizer, Found
from iamd.http import HttpRequest
from iamd.runtime import Runtime

_LONGEST_SECONDS: Final = 3600
"""AWS: API Reference, "Authorizer", `authorizerResultTtlInSeconds`: at most an hour, 300 seconds by default."""
_DEFAULT_SECONDS: Final = 300


class Guard(msgspec.Struct, frozen=True):
    """What a function has answered, and in which account it is."""

    answer: PolicyAnswer
    account: str


class RestAuthorizers:
    """What functions have answered, for as long as the authorizers say."""

    def __init__(self, runtime: Runtime, calls: Calls) -> None:
        self._runtime = runtime
        self._calls = calls
        self._kept = Kept[Guard]()

    def clear(self) -> None:
        """Ask each of them anew."""
        self._kept.clear()

    async def guarded(self, request: HttpRequest, found: Found, authorizer: Authorizer) -> Guard:
        """What the function says of a request; refused when it is not asked, or does not say it.

        What it says holds for every method of the stage that it guards: its policy is evaluated for each request.
        """
        seconds = authorizer.authorizer_result_ttl_in_seconds
        seconds = _DEFAULT_SECONDS if seconds is None else min(seconds, _LONGEST_SECONDS)
        asked, identity = _asked(request, found, authorizer, seconds)
        now = self._runtime.clock.timestamp()
        # SECURITY: an authorizer that has been changed is another one; a variable of the stage may name its function.
        key = msgspec.json.encode((found.api.arn, found.stage.name, found.stage.variables, authorizer, identity))
        known = self._kept.get(key, now)
        if known is not None:
            return known
        guard = await self._said(found, authorizer, asked)
        if seconds > 0 and identity:
            self._kept.put(key, now + seconds, guard)
        return guard

    async def _said(self, found: Found, authorizer: Authorizer, asked: bytes) -> Guard:
        """What a function has said; AWS: 401 where it fails in this one word, else 500, whatever the reason."""
        try:
            function = function_of(authorizer.authorizer_uri, found.stage.variables)
            call = Call(
                function=function,
                account=found.api.account,
                region=found.api.region,
                sources=[f"{found.api.arn}/authorizers/{authorizer.id}"],
                role=authorizer.authorizer_credentials,
                content=asked,
                seconds=SECONDS,
            )
            content = await self._calls.invoke(call)
        except NotAnswered as error:
            if error.cause is Cause.FAILED and _words(error.content) == "Unauthorized":
                raise GatewayRefusal(UNAUTHORIZED, "The authorizer says: Unauthorized.") from error
            raise of_call(error) if error.cause is Cause.UNSUPPORTED else _broken(error.why) from error
        try:
            answer = msgspec.json.decode(content, type=PolicyAnswer)
        # RecursionError: what is nested too deeply for the parser.
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise _broken(f"The authorizer's answer has no form of an answer: {error}") from error
        return Guard(answer, function.split(":")[4])


def _asked(request: HttpRequest, found: Found, authorizer: Authorizer, seconds: int) -> tuple[bytes, list[list[str]]]:
    """What a function is asked, and what its answer is kept for; refused where the request has not what it needs."""
    if authorizer.type == "TOKEN":
        token = rest_sources.token(request, authorizer)
        if not token or not rest_sources.fits(authorizer, token):
            raise GatewayRefusal(UNAUTHORIZED, "The request has no token, several, or none that fits.")
        return token_asked(found, token), [[token]]
    identity = rest_sources.values(request, found, authorizer)
    if identity is None and seconds > 0:
        # AWS: where answers are not kept, nothing is looked at before the function is asked.
        raise GatewayRefusal(UNAUTHORIZED, "The request has not all identity sources.")
    return request_asked(request, found), identity or []


def _broken(why: str) -> GatewayRefusal:
    return GatewayRefusal(AUTHORIZER_BROKEN, why)


def _words(content: bytes) -> Any:
    """What a function that has failed says of it."""
    try:
        told = msgspec.json.decode(content)
    except (msgspec.MsgspecError, RecursionError):
        return None
    return told.get("errorMessage") if isinstance(told, dict) else None


def context_of(answer: PolicyAnswer) -> Mapping[str, Any]:
    """What functions are told of an answer: AWS has each value as a text, and neither lists nor objects."""
    told: dict[str, Any] = {}
    for name, value in (answer.context or {}).items():
        if not isinstance(value, str | int | float | bool):
            raise _broken(f"The authorizer's context has {name}, which is no text, number or truth value.")
        told[name] = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return {**told, "principalId": answer.principalId}
