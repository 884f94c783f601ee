"""What REST APIs answer of their own accord: gateway responses, in AWS's words or as an API has them.

AWS: API Gateway Developer Guide, "Gateway response types" (supported-gateway-response-types) and "Gateway responses in
API Gateway" (api-gateway-gatewayResponse-definition); the words are seen in its answers.
"""

import json
import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from iamd.authz.authorize import Denied
from iamd.functions import url_cookies
from iamd.functions.api_answers import Refusal
from iamd.functions.api_callers import UNSIGNED, NotSigned
from iamd.functions.api_calls import Cause, NotAnswered
from iamd.functions.rest_routes import GatewayResponse
from iamd.functions.url_payloads import safe, whole
from iamd.http import HttpRequest, HttpResponse
from iamd.policy.decision import Decision, Outcome


class Kind(NamedTuple):
    """A gateway response: its name, the default of its status, the name of the error, and its words; None is null."""

    name: str
    status: int
    error: str
    message: str | None


_BROKEN_WORDS: Final = "Internal server error"
ACCESS_DENIED: Final = Kind("ACCESS_DENIED", 403, "AccessDeniedException", "Forbidden")
API_BROKEN: Final = Kind("API_CONFIGURATION_ERROR", 500, "InternalServerErrorException", _BROKEN_WORDS)
AUTHORIZER_BROKEN: Final = Kind("AUTHORIZER_CONFIGURATION_ERROR", 500, "AuthorizerConfigurationException", None)
BAD_ANSWER: Final = Kind("INTEGRATION_FAILURE", 502, "InternalServerErrorException", _BROKEN_WORDS)
BAD_BODY: Final = Kind("BAD_REQUEST_BODY", 400, "BadRequestException", "Invalid request body")
BAD_PARAMETERS: Final = Kind("BAD_REQUEST_PARAMETERS", 400, "BadRequestException", None)
EXPIRED_TOKEN: Final = Kind("EXPIRED_TOKEN", 403, "ExpiredTokenException", None)
INVALID_API_KEY: Final = Kind("INVALID_API_KEY", 403, "ForbiddenException", "Forbidden")
INVALID_SIGNATURE: Final = Kind("INVALID_SIGNATURE", 403, "InvalidSignatureException", None)
MISSING_TOKEN: Final = Kind(
    "MISSING_AUTHENTICATION_TOKEN", 403, "MissingAuthenticationTokenException", "Missing Authentication Token"
)
NOWHERE: Final = Kind("", 403, "ForbiddenException", "Forbidden")
"""AWS: of a stage or an API that is not there, before it is known whose gateway responses would count."""
QUOTA_EXCEEDED: Final = Kind("QUOTA_EXCEEDED", 429, "LimitExceededException", "Limit Exceeded")
THROTTLED: Final = Kind("THROTTLED", 429, "TooManyRequestsException", "Too Many Requests")
TIMED_OUT: Final = Kind("INTEGRATION_TIMEOUT", 504, "InternalServerErrorException", "Endpoint request timed out")
TOO_LARGE: Final = Kind("REQUEST_TOO_LARGE", 413, "RequestEntityTooLargeException", "Request Too Long")
UNAUTHORIZED: Final = Kind("UNAUTHORIZED", 401, "UnauthorizedException", "Unauthorized")
UNAVAILABLE: Final = Kind("", 503, "ServiceUnavailableException", "Service Unavailable")
UNREACHED: Final = Kind(
    "INTEGRATION_FAILURE", 504, "InternalServerErrorException", "Network error communicating with endpoint"
)
UNSUPPORTED_TYPE: Final = Kind("UNSUPPORTED_MEDIA_TYPE", 415, "BadRequestException", "Unsupported Media Type")
_UNSUPPORTED: Final = Kind("", 501, "NotImplemented", None)

_CAUSES: Final = {
    Cause.BROKEN: API_BROKEN,
    Cause.FAILED: BAD_ANSWER,
    Cause.TIMED_OUT: TIMED_OUT,
    Cause.TOO_LARGE: TOO_LARGE,
    # AWS: a function that is throttled is an error of the API's, as its Knowledge Center has it.
    Cause.UNAVAILABLE: API_BROKEN,
}
_SIGNATURES: Final = {"ExpiredTokenException": EXPIRED_TOKEN, "InvalidSignatureException": INVALID_SIGNATURE}
_ACCOUNT: Final = re.compile(r"(arn:[^:]*:execute-api:[^:]*:)[0-9]{8}([0-9]{4}:)")
_JSON: Final = "application/json"


class GatewayRefusal(Refusal):
    """A request to a REST API that its integration does not answer."""

    def __init__(
        self, kind: Kind, why: str, *, message: str | None = None, code: str | None = None, member: str = "message"
    ) -> None:
        super().__init__(kind.status, why, code=code or kind.error.removesuffix("Exception"))
        self.kind = kind
        self.message = message if message is not None else kind.message
        self.error = code or kind.error
        self._member = member

    def throttled(self, why: str) -> Refusal:
        """The refusal of one who was refused too often."""
        return GatewayRefusal(THROTTLED, why)

    def answer(self) -> HttpResponse:
        """The answer as it is where an API has no gateway response of its own."""
        words = json.dumps(self.message)
        # AWS: of integrations alone with a blank.
        blank = " " if self.message in {_BROKEN_WORDS, TIMED_OUT.message, UNREACHED.message} else ""
        body = f'{{"{self._member}":{blank}{words}}}'.encode()
        plain = [(b"content-type", safe(_JSON)), (b"x-amzn-errortype", safe(self.error))]
        return HttpResponse(self.status, plain, body)

    def answered(self, own: Sequence[GatewayResponse], request: HttpRequest, below: str) -> HttpResponse:
        """The answer, as an API has it in its own gateway responses; their cookies are for the paths below one."""
        found = _of(own, self.kind)
        if found is None:
            return self.answer()
        try:
            kind, body = self._body(found, request)
            headers = {"content-type": kind, "x-amzn-errortype": self.error, **_headers(found, request)}
            return whole(int(found.status_code or self.status), list(headers.items()), (), body, request, below)
        except ValueError as error:
            return unsupported(f"a gateway response: {error}.").answer()

    def _body(self, found: GatewayResponse, request: HttpRequest) -> tuple[str, bytes]:
        templates = {kind: text or "" for kind, text in (found.response_templates or {}).items()}
        if not templates:
            return _JSON, self.answer().body
        accepted = (request.header(b"accept") or "").partition(",")[0].strip()
        kind = accepted if accepted in templates else _JSON if _JSON in templates else next(iter(templates))
        return kind, _TEMPLATED.sub(lambda match: self._value(match[0], request), templates[kind]).encode()

    def _value(self, variable: str, request: HttpRequest) -> str:
        match variable:
            case "$context.error.messageString":
                return json.dumps(self.message)
            case "$context.error.message":
                return self.message or ""
            case "$context.error.responseType":
                return self.kind.name
            case "$context.requestId" | "$context.extendedRequestId":
                return request.id
            case "$context.httpMethod":
                return request.method
            case _:
                raise ValueError(f"the template has {variable}")


_TEMPLATED: Final = re.compile(r"\$(?:\{[^}]*\}?|[A-Za-z_][A-Za-z0-9_.-]*|.?)", re.DOTALL)


def _of(own: Sequence[GatewayResponse], kind: Kind) -> GatewayResponse | None:
    """The gateway response of a kind, or that of all of its status."""
    named = {one.response_type: one for one in own}
    if not kind.name:
        return None
    return named.get(kind.name) or named.get(f"DEFAULT_{kind.status // 100}XX")


_HEADER: Final = "gatewayresponse.header."


def _headers(found: GatewayResponse, request: HttpRequest) -> dict[str, str]:
    headers = {}
    for name, value in (found.response_parameters or {}).items():
        if not name.startswith(_HEADER):
            raise ValueError(f"{name} is set")
        told = _mapped(value, request)
        if told is not None:
            headers[name.removeprefix(_HEADER).lower()] = told
    return headers


def _mapped(value: str, request: HttpRequest) -> str | None:
    """A value as a mapping says it: a text between quotes, or a header of the request."""
    text = static(value)
    if text is not None:
        return text
    prefix = "method.request.header."
    if value.startswith(prefix):
        name = value.removeprefix(prefix).lower()
        # SECURITY: what is answered is for everybody's scripts at this host to read.
        if name == "cookie":
            return "; ".join(url_cookies.given(request)) or None
        return request.header(name.encode("latin-1", "replace"))
    raise ValueError(f"{value} is mapped")


def static(value: str) -> str | None:
    """The text between the quotes of a mapping (api-gateway-integration-settings-integration-response); else None."""
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] == "'" else None


def unsupported(why: str) -> GatewayRefusal:
    """What AWS does and iamd does not."""
    message = f"iamd does not serve this: {why}"
    return GatewayRefusal(_UNSUPPORTED, message, message=message)


def of_call(error: NotAnswered) -> GatewayRefusal:
    """What is answered where a function does not."""
    if error.cause is Cause.UNSUPPORTED:
        return unsupported(error.why)
    return GatewayRefusal(_CAUSES[error.cause], error.why)


def of_signature(error: NotSigned) -> GatewayRefusal:
    """What is answered to a request that is not signed, or not as it must be."""
    if error.code == UNSIGNED:
        return GatewayRefusal(MISSING_TOKEN, error.message)
    kind = _SIGNATURES.get(error.code, Kind("ACCESS_DENIED", 403, error.code, None))
    return GatewayRefusal(kind, error.message, message=error.message, code=error.code)


def denied(error: Denied) -> GatewayRefusal:
    """What is answered where policies deny; AWS: all but the last digits of the account are hidden."""
    message = _ACCOUNT.sub(r"\1********\2", error.message)
    return GatewayRefusal(ACCESS_DENIED, error.message, message=message, member="Message")


def not_let_in(decision: Decision) -> GatewayRefusal:
    """What is answered where the policy of an authorizer denies, or does not allow."""
    is_explicit = decision.outcome is Outcome.EXPLICITLY_DENIED
    end = " with an explicit deny in an identity-based policy" if is_explicit else ""
    message = f"User is not authorized to access this resource{end}"
    return GatewayRefusal(ACCESS_DENIED, message, message=message, member="Message")
