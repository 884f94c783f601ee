"""Ids that do not say what they belong to: the backend is asked before anything is decided, and nothing is kept.

A query of Athena's belongs to a workgroup, a pull request of CodeCommit's to repositories; policies name those. What a
service asks of its ids stands in its module of `actions`.
"""

from collections.abc import Mapping
from typing import Any, Final

from msgspec.structs import replace

from iamd.errors import Common, CommonError
from iamd.gateway.actions.asked import Asked
from iamd.gateway.actions.mapping import QUESTIONS
from iamd.gateway.asking import NotToldError, ask
from iamd.gateway.backend import Backend

SERVICES: Final = frozenset(QUESTIONS)
_MOST: Final = 3
"""Questions about one request; no id is further than that from what it belongs to."""


async def told(asked: Asked, backend: Backend, now: float) -> Asked:
    """The request with what the backend tells of its ids; nothing is asked where none of them needs it."""
    question = QUESTIONS[asked.operation.service]
    for _ in range(_MOST):
        found = question(asked)
        if found is None:
            return asked
        answer = await _answer(found.operation, found.parameters, asked, backend, now)
        asked = replace(asked, told={**asked.told, found.operation: answer})
    return asked


async def _answer(
    operation: str, parameters: Mapping[str, Any], asked: Asked, backend: Backend, now: float
) -> Mapping[str, Any] | None:
    service = asked.operation.service
    try:
        return await ask(backend, service, operation, parameters, account=asked.account, region=asked.region, now=now)
    except NotToldError as error:
        # SECURITY: what can't be known is not decided on.
        raise CommonError(
            Common.ACCESS_DENIED,
            f"The backend does not tell by {service}:{operation} what the request is for, so it cannot be decided.",
        ) from error
