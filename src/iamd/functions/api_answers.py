"""What an HTTP API answers: what a function has said, and API Gateway's own words.

AWS: API Gateway Developer Guide, "Lambda function response format" (http-api-develop-integrations-lambda) and the
troubleshooting pages of HTTP APIs.
"""

import base64
from typing import Final

import msgspec

from iamd.functions.api_calls import Cause, NotAnswered
from iamd.functions.url_payloads import plain, safe, told_by, whole
from iamd.http import HttpRequest, HttpResponse

_WORDS: Final = {
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    413: "Request Entity Too Large",
    429: "Too Many Requests",
    500: "Internal Server Error",
    503: "Service Unavailable",
}


class Refusal(Exception):
    """A request is not answered by its function: the status, the words for the client, and why, for the event."""

    def __init__(self, status: int, why: str, *, code: str | None = None, challenge: str | None = None) -> None:
        super().__init__(why)
        self.status, self.why, self.challenge = status, why, challenge
        self.code = code or _WORDS.get(status, "NotImplemented").replace(" ", "")

    def throttled(self, why: str) -> "Refusal":
        """The refusal of one who was refused too often."""
        return Refusal(429, why)

    def answer(self) -> HttpResponse:
        """The answer; what iamd does not do is said, as AWS would do it."""
        headers = [(b"content-type", b"application/json")]
        if self.challenge is not None:
            headers.append((b"www-authenticate", safe(self.challenge)))
        words = _WORDS.get(self.status, self.why)
        return HttpResponse(self.status, headers, msgspec.json.encode({"message": words}))


def unsupported(why: str) -> Refusal:
    """What AWS does and iamd does not."""
    return Refusal(501, f"iamd does not serve this: {why}")


def broken(why: str) -> Refusal:
    """What AWS answers when an integration or an authorizer can't be asked, or says nothing that can be understood."""
    return Refusal(500, why)


_STATUSES: Final = {
    Cause.TIMED_OUT: 503,
    Cause.TOO_LARGE: 413,
    Cause.UNAVAILABLE: 503,
}
"""AWS: of what takes too long, as clients report it (serverless/serverless 11222)."""


def of_call(error: NotAnswered) -> Refusal:
    """What is answered where a function does not."""
    if error.cause is Cause.UNSUPPORTED:
        return unsupported(error.why)
    return Refusal(_STATUSES.get(error.cause, 500), error.why)


class _First(msgspec.Struct):
    """A function's answer of format 1.0."""

    statusCode: int  # noqa: N815 - as functions write it
    headers: dict[str, str | int | float | bool] | None = None
    multiValueHeaders: dict[str, list[str | int | float | bool]] | None = None  # noqa: N815 - likewise
    body: str | None = None
    isBase64Encoded: bool = False  # noqa: N815 - likewise


def answer_of(content: bytes, request: HttpRequest, below: str, version: str) -> HttpResponse:
    """The answer that a function says; its cookies are for the paths below one."""
    answer = told_by(content, request, below) if version == "2.0" else first_format(content, request, below)
    if answer is None:
        raise broken("The function's answer has no form of an answer.")
    return answer


def first_format(content: bytes, request: HttpRequest, below: str, *, decodes: bool = True) -> HttpResponse | None:
    """The answer that a function says in format 1.0; None for what is no answer.

    `decodes` says whether a body in base64 is what that stands for, or that text.
    """
    try:
        told = msgspec.json.decode(content, type=_First, strict=False)
        body = (told.body or "").encode()
        body = base64.b64decode(body, validate=True) if told.isBase64Encoded and decodes else body
        pairs = [(name, plain(value)) for name, values in (told.multiValueHeaders or {}).items() for value in values]
        known = {(name.lower(), value) for name, value in pairs}
        single = [(name, plain(value)) for name, value in (told.headers or {}).items()]
        # AWS: both make one list, in which no pair stands twice (set-up-lambda-proxy-integrations).
        pairs = [*(pair for pair in single if (pair[0].lower(), pair[1]) not in known), *pairs]
        return whole(told.statusCode, pairs, (), body, request, below)
    except (msgspec.MsgspecError, ValueError):
        return None
