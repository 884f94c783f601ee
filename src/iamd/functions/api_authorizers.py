"""Functions that decide who may use a route of an HTTP API: what they are asked, and what their answers mean.

AWS: API Gateway Developer Guide, "Control access to HTTP APIs with AWS Lambda authorizers in API Gateway"
(http-api-lambda-authorizer).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from iamd.functions import url_cookies
from iamd.functions.api_answers import Refusal, broken, of_call, unsupported
from iamd.functions.api_calls import Call, Calls, Cause, NotAnswered, function_of
from iamd.functions.api_events import VERSIONS, Authorized, asked_of
from iamd.functions.api_guards import SECONDS, Kept, PolicyAnswer, decision, policy_of
from iamd.functions.api_routes import Authorizer, Found
from iamd.functions.url_payloads import headers_of, query_of
from iamd.http import HttpRequest
from iamd.runtime import Runtime

_FORBIDDEN: Final = "The authorizer does not let the request be made."


class _Simple(msgspec.Struct):
    """A plain answer."""

    isAuthorized: bool  # noqa: N815 - as functions write it
    context: dict[str, Any] | None = None


Answer = PolicyAnswer | _Simple


class LambdaAuthorizers:
    """What functions have answered, for as long as the authorizers say."""

    def __init__(self, runtime: Runtime, calls: Calls) -> None:
        self._runtime = runtime
        self._calls = calls
        self._kept = Kept[Answer]()

    def clear(self) -> None:
        """Ask each of them anew."""
        self._kept.clear()

    async def authorized(self, request: HttpRequest, found: Found, authorizer: Authorizer) -> Authorized:
        """What the function says of who asks; refused when it does not let it."""
        sources = identity_sources(request, found, authorizer.identity_source or ())
        answer = await self._answer(request, found, authorizer, sources)
        if isinstance(answer, _Simple):
            if not answer.isAuthorized:
                raise Refusal(403, _FORBIDDEN)
            return Authorized(context=answer.context, is_by_function=True)
        self._check(answer, request, found)
        return Authorized(context=answer.context, principal=answer.principalId, is_by_function=True)

    async def _answer(
        self, request: HttpRequest, found: Found, authorizer: Authorizer, sources: Sequence[str]
    ) -> Answer:
        seconds, now = authorizer.authorizer_result_ttl_in_seconds or 0, self._runtime.clock.timestamp()
        # SECURITY: an authorizer that has been changed is another one; a variable of the stage may name its function.
        key = msgspec.json.encode((found.api.arn, authorizer, found.stage, list(sources)))
        known = self._kept.get(key, now)
        if known is not None:
            return known
        answer = _read(await self._said(request, found, authorizer, sources), authorizer)
        if seconds > 0 and sources:
            self._kept.put(key, now + seconds, answer)
        return answer

    async def _said(self, request: HttpRequest, found: Found, authorizer: Authorizer, sources: Sequence[str]) -> bytes:
        """What a function has said; AWS: 500 when API Gateway can't invoke it, whatever the reason."""
        try:
            return await self._calls.invoke(self._call(request, found, authorizer, sources))
        except NotAnswered as error:
            raise (of_call(error) if error.cause is Cause.UNSUPPORTED else broken(error.why)) from error

    def _call(self, request: HttpRequest, found: Found, authorizer: Authorizer, sources: Sequence[str]) -> Call:
        version = authorizer.authorizer_payload_format_version
        if version not in VERSIONS:
            raise unsupported("an authorizer without AuthorizerPayloadFormatVersion.")
        return Call(
            function=function_of(authorizer.authorizer_uri, found.stage.variables),
            account=found.api.account,
            region=found.api.region,
            sources=[f"{found.api.arn}/authorizers/{authorizer.authorizer_id}"],
            role=authorizer.authorizer_credentials_arn,
            content=asked_of(request, found, sources, version),
            seconds=SECONDS,
        )

    def _check(self, answer: PolicyAnswer, request: HttpRequest, found: Found) -> None:
        """The policy allows the route to be invoked."""
        policy, api, now = policy_of(answer), found.api, self._runtime.clock.seconds()
        if policy.unreadable is not None:
            raise broken(f"The authorizer's policy can't be read: {policy.unreadable}")
        if not all(decision(policy, request, arn, api.account, api.region, now).allowed for arn in found.arns):
            raise Refusal(403, _FORBIDDEN)


def _read(content: bytes, authorizer: Authorizer) -> Answer:
    """What a function has answered, in the form that its authorizer asks for."""
    is_simple = authorizer.enable_simple_responses and authorizer.authorizer_payload_format_version == "2.0"
    kind: type[PolicyAnswer | _Simple] = _Simple if is_simple else PolicyAnswer
    try:
        return msgspec.json.decode(content, type=kind)
    # RecursionError: what is nested too deeply for the parser.
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise broken(f"The authorizer's answer has no form of an answer: {error}") from error


def identity_sources(request: HttpRequest, found: Found, expressions: Sequence[str]) -> list[str]:
    """The values of identity sources; 401 where a request has one of them not."""
    values = []
    for expression in expressions:
        value = _value(request, found, expression)
        if not value:
            raise Refusal(401, f"The request has no {expression}.")
        values.append(value)
    return values


def _value(request: HttpRequest, found: Found, expression: str) -> str | None:
    for prefix, of in _SOURCES.items():
        if expression.lower().startswith(prefix.lower()):
            return of(request, found).get(_named(expression, prefix))
    if expression in _CONTEXT:
        return _CONTEXT[expression](request, found)
    raise unsupported(f"the identity source {expression}.")


def _named(expression: str, prefix: str) -> str:
    """AWS: names of headers are the same in whatever capitals, those of the query are not."""
    name = expression[len(prefix) :]
    return name.lower() if prefix == _HEADER else name


def _headers(request: HttpRequest, _: Found) -> Mapping[str, str]:
    cookies = url_cookies.given(request)
    return headers_of(request) | ({"cookie": "; ".join(cookies)} if cookies else {})


def _query(request: HttpRequest, _: Found) -> Mapping[str, str]:
    told: Mapping[str, str] = query_of(request).get("queryStringParameters", {})
    return told


def _variables(_: HttpRequest, found: Found) -> Mapping[str, str]:
    return found.stage.variables


_HEADER: Final = "$request.header."
_SOURCES: Final[Mapping[str, Callable[[HttpRequest, Found], Mapping[str, str]]]] = {
    _HEADER: _headers,
    "$request.querystring.": _query,
    "$stageVariables.": _variables,
}
_CONTEXT: Final[Mapping[str, Callable[[HttpRequest, Found], str]]] = {
    "$context.accountId": lambda _, found: found.api.account,
    "$context.apiId": lambda _, found: found.api.id,
    "$context.httpMethod": lambda request, _: request.method,
    "$context.identity.sourceIp": lambda request, _: request.source_ip,
    "$context.path": lambda _, found: found.whole_path,
    "$context.routeKey": lambda _, found: found.route.route_key,
    "$context.stage": lambda _, found: found.stage.name,
}
