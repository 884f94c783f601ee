"""Container credentials, as ECS's agent and EKS's Pod Identity agent answer them.

AWS: SDKs and Tools Reference Guide, "Container credential provider" (feature-container-credentials); ECS Developer
Guide, "Amazon ECS task IAM role" (task-iam-roles); EKS User Guide, "EKS Pod Identity" (pod-id-how-it-works).
"""

import hmac
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from iamd.framing import Head
from iamd.http import HttpResponse
from iamd.metadata.temporary import Temporary, Unobtainable

TASKS: Final = b"/v2/credentials/"
PODS: Final = b"/v1/credentials"


class Container(msgspec.Struct, frozen=True):
    """One program's way to its credentials: the id in its path, and the token that it must show.

    Without a token the id is the secret, as ECS's agent has it at its own address.
    """

    id: str
    token: str | None
    credentials: Callable[[], Temporary]

    def __repr__(self) -> str:
        return f"Container({self.id})"


def is_asked(path: bytes) -> bool:
    """Whether a path is one of container credentials."""
    return path.startswith(TASKS) or path == PODS


def credentials(head: Head, container: Container) -> HttpResponse:
    """The answer to a request for a container's credentials."""
    shown = dict(head.headers).get(b"authorization", b"")
    # SECURITY: whoever reaches the port is not yet the program that the credentials are for.
    if container.token is not None and not hmac.compare_digest(shown, container.token.encode()):
        return refused("Unauthorized", "The authorization token is missing or wrong", 401)
    if head.method != "GET":
        return refused("MethodNotAllowed", "Credentials are read with GET", 405)
    is_pods = head.path == PODS and container.token is not None
    if not is_pods and not hmac.compare_digest(head.path, TASKS + container.id.encode()):
        return refused("InvalidIdInRequest", "CredentialsV2Request: ID not found", 400)
    try:
        found = container.credentials()
    except Unobtainable as error:
        return refused(error.code, error.message, error.status)
    return answer(200, _of_pod(found) if head.path == PODS else of_task(found))


def of_task(found: Temporary) -> dict[str, str]:
    """The credentials as ECS's agent gives them (ECS Developer Guide, task-iam-roles)."""
    return {
        "RoleArn": found.role_arn,
        "AccessKeyId": found.access_key_id,
        "SecretAccessKey": found.secret_access_key,
        "Token": found.session_token,
        "Expiration": found.expiration,
    }


def _of_pod(found: Temporary) -> dict[str, str]:
    """The credentials as EKS's agent gives them (EKS Auth API Reference, AssumeRoleForPodIdentity, Credentials)."""
    return {
        "AccessKeyId": found.access_key_id,
        "SecretAccessKey": found.secret_access_key,
        "Token": found.session_token,
        "AccountId": found.account_id,
        "Expiration": found.expiration,
    }


def refused(code: str, message: str, status: int) -> HttpResponse:
    """An error as ECS's agent words it."""
    return answer(status, {"code": code, "message": message, "HTTPErrorCode": status})


def answer(status: int, content: Mapping[str, Any]) -> HttpResponse:
    """A document in JSON that nobody may keep."""
    headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
    return HttpResponse(status, headers, msgspec.json.encode(content))
