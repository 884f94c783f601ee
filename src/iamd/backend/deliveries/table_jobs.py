"""What exports and imports of tables have in common."""

from collections.abc import Iterable, Mapping
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.dynamodb.exceptions import ERROR_TYPE_PREFIX

from iamd.backend.handover import NotDone


def error(code: str, message: str) -> JsonRESTError:
    """An error of DynamoDB's."""
    return JsonRESTError(ERROR_TYPE_PREFIX + code, message)


def failure(refused: NotDone) -> dict[str, str]:
    """Why a job failed that S3 let go no further."""
    return {"FailureCode": f"S3{refused.code}", "FailureMessage": refused.message}


def of_token(jobs: Iterable[Any], given: Mapping[str, Any], conflict: str) -> Any:
    """The job that a request with this token began before; None when there is none.

    Another request with the token is refused.
    """
    token = given.get("ClientToken")
    found = next((job for job in jobs if token and job.given.get("ClientToken") == token), None)
    if found is not None and found.given != given:
        raise error(conflict, "The client token was used for another request.")
    return found
