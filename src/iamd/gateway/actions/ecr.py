"""Amazon ECR: the repositories that a request names, in the caller's registry or another's."""

from collections.abc import Mapping
from typing import Any, Final

from iamd.gateway.actions.asked import Asked, invalid
from iamd.gateway.actions.forms import ACCOUNT, Form, InvalidParameter, arn, check, name

# API Reference, CreateRepository.
_REPOSITORY: Final = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*"
_FORMS: Final[Mapping[str, Form]] = {
    "repositoryName": name(_REPOSITORY),
    "repositoryNames": name(_REPOSITORY),
    "registryId": Form(ACCOUNT),
    "resourceArn": arn("ecr", f"repository/{_REPOSITORY}"),
}


def values(asked: Asked) -> Mapping[str, Any]:
    """The registry, which is the caller's unless another is named."""
    check(asked, _FORMS, _refused)
    if asked.parameters.get("repositoryPolicy"):
        # SECURITY: the policy would be that of repositories which iamd does not see being made.
        raise invalid("iamd does not keep policies of repository creation templates: leave repositoryPolicy out.")
    return {"registry": asked.parameters.get("registryId") or asked.account}


def _refused(member: str, value: str) -> Exception:
    return InvalidParameter(
        f"Invalid parameter at '{member}' failed to satisfy constraint: '{value}' is not of the form that it must have"
    )
