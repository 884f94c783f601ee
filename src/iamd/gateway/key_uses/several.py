"""BatchGetSecretValue: what may not be decrypted is told beside what may.

AWS: Secrets Manager API Reference, BatchGetSecretValue: Errors has the secrets that could not be retrieved.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from iamd.errors import AWSError, CommonError
from iamd.gateway.answer import Answer
from iamd.gateway.key_uses import secrets
from iamd.gateway.key_uses.answers import told_in
from iamd.gateway.key_uses.use import Use, Work

Decide = Callable[[Use, Work], Awaitable[None]]


async def shown(work: Work, answer: Answer, decide: Decide) -> Answer:
    """The answer without the values that the caller may not decrypt."""
    told = told_in(answer.whole or b"")
    values: list[Any] = []
    errors: list[Any] = list(told.get("Errors") or [])
    for one in told.get("SecretValues") or []:
        refusal = await _refusal(one, work, decide)
        if refusal is None:
            values.append(one)
        else:
            errors.append({"SecretId": one.get("ARN"), "ErrorCode": _code(refusal), "Message": refusal.message})
    if len(values) == len(told.get("SecretValues") or []):
        return answer
    body = msgspec.json.encode({**told, "SecretValues": values, "Errors": errors})
    headers = [pair for pair in answer.headers if pair[0] != b"content-length"]
    return Answer(answer.status, [*headers, (b"content-length", str(len(body)).encode())], body)


def _code(refusal: AWSError) -> str:
    return "AccessDeniedException" if isinstance(refusal, CommonError) else refusal.code


async def _refusal(told: Any, work: Work, decide: Decide) -> AWSError | None:
    try:
        for use in await secrets.shown(told, work):
            await decide(use, work)
    except AWSError as error:
        return error
    return None
