"""What Lambda shows of functions' environment variables, and of their code: an error to whom may not decrypt it.

AWS: Lambda Developer Guide, "Securing Lambda environment variables" (configuration-envvars-encryption): users without
`kms:Decrypt` may manage functions and not see variables; Lambda API Reference, EnvironmentResponse: its Error.
"""

from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Final

import msgspec

from iamd.errors import AWSError
from iamd.gateway.answer import Answer
from iamd.gateway.key_uses import functions, refusals
from iamd.gateway.key_uses.answers import told_in
from iamd.gateway.key_uses.use import Use, Work

Refusal = Callable[[Use, Work], Awaitable[AWSError | None]]
_LISTS: Final = ("Functions", "Versions")


async def shown(work: Work, answer: Answer, refusal: Refusal) -> Answer:
    """The answer, with errors for the variables, and the code, that the caller may not decrypt."""
    body = answer.whole or b""
    if b'"Environment"' not in body and b'"SourceKMSKeyArn"' not in body:
        return answer
    told = dict(told_in(body))
    progress = work.step.progress
    verdicts, changed = progress.verdicts, False
    for one in _configurations(told):
        if (one.get("Environment") or {}).get("Variables"):
            use = functions.shown(one.get("KMSKeyArn") or None, str(one["FunctionArn"]), work)
            refused = await refusal(use, work)
            if refused is not None:
                code, words = refusals.function_words(refused, use)
                one["Environment"], changed = {"Error": {"ErrorCode": code, "Message": words}}, True
    code_of = told.get("Code")
    if isinstance(code_of, dict) and code_of.get("SourceKMSKeyArn"):
        use = functions.shown(str(code_of["SourceKMSKeyArn"]), str(told["Configuration"]["FunctionArn"]), work)
        refused = await refusal(use, work)
        if refused is not None:
            told["Code"], changed = _without_location(code_of, refused, use), True
    # What was refused so is no denial of the request.
    progress.verdicts = verdicts
    return Answer(answer.status, answer.headers, msgspec.json.encode(told)) if changed else answer


def _configurations(told: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The configurations of functions and versions in an answer."""
    if "FunctionArn" in told:
        yield told
    if isinstance(told.get("Configuration"), dict):
        yield told["Configuration"]
    for name in _LISTS:
        yield from told.get(name) or ()


def _without_location(code: dict[str, Any], refused: AWSError, use: Use) -> dict[str, Any]:
    kms, words = refusals.function_words(refused, use)
    kept = {name: value for name, value in code.items() if name != "Location"}
    return {**kept, "Error": {"ErrorCode": kms, "Message": words.partition(" KMS Exception: ")[2]}}
