"""The repository that a request to CodeCommit is for: by name, pull request or comment; the branch that it writes.

AWS: CodeCommit User Guide, "CodeCommit permissions reference". Of which repositories a pull request is, the backend is
asked; comments are known of the answers that showed them.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from iamd.authz.target import Target
from iamd.errors import AWSError, Common, CommonError
from iamd.gateway.actions import keys
from iamd.gateway.actions.asked import Asked, Question, at, untold
from iamd.gateway.actions.given_arn import formed, own

# CodeCommit API Reference: repositoryName, pullRequestId, commentId.
_NAME: Final = re.compile(r"[\w.-]{1,100}", re.ASCII)
_PULL_REQUEST: Final = re.compile(r"[0-9]{1,20}", re.ASCII)
_COMMENT: Final = re.compile(r"[A-Za-z0-9:-]{1,128}", re.ASCII)
_QUESTION: Final = "GetPullRequest"
REPOSITORY: Final = "repository"
"""The fact that names the repository of a comment."""


class InvalidRepositoryName(AWSError):
    """A name that no repository can have."""

    code = "InvalidRepositoryNameException"
    status = 400


class InvalidPullRequestId(AWSError):
    """An id that no pull request can have."""

    code = "InvalidPullRequestIdException"
    status = 400


class InvalidCommentId(AWSError):
    """An id that no comment can have."""

    code = "InvalidCommentIdException"
    status = 400


class InvalidResourceArn(AWSError):
    """An ARN of no repository here."""

    code = "InvalidResourceArnException"
    status = 400


def question(asked: Asked) -> Question | None:
    """Which repositories a pull request is of; None when it is known, or there is none in the request."""
    if "pullRequestId" not in asked.parameters or _QUESTION in asked.told:
        return None
    named = asked.parameters["pullRequestId"]
    if not isinstance(named, str) or not _PULL_REQUEST.fullmatch(named):
        raise InvalidPullRequestId("The pull request ID is not valid.")
    return Question(_QUESTION, {"pullRequestId": named})


def values(asked: Asked) -> Mapping[str, Any]:
    """The repository's ARN, and the branch that the request writes."""
    parameters = asked.parameters
    found: dict[str, Any] = {}
    comment = parameters.get("commentId") or parameters.get("inReplyTo")
    named = parameters.get("repositoryName") or parameters.get("oldName")
    if named is not None:
        found["repository"] = _repository(named, asked)
    elif comment is not None:
        found["repository"] = _of_comment(comment, asked)
    if "resourceArn" in parameters:
        found["tagged"] = _whole(parameters["resourceArn"], asked)
    reference = _reference(asked)
    return found | ({"reference": reference} if reference is not None else {})


def _repository(name: Any, asked: Asked) -> str:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise InvalidRepositoryName(f"{name} is not a valid repository name.")
    return own("codecommit", name, asked)


def _whole(value: Any, asked: Asked) -> str:
    return formed(value, "codecommit", _NAME, asked, InvalidResourceArn(f"{value} is not the ARN of a repository."))


def comment_arn(comment: str, asked: Asked) -> str:
    """What iamd knows a comment by."""
    return own("codecommit", f"comment/{comment}", asked)


def _of_comment(comment: Any, asked: Asked) -> str:
    if not isinstance(comment, str) or not _COMMENT.fullmatch(comment):
        raise InvalidCommentId("The comment ID is not in a valid format.")
    repository = asked.known(comment_arn(comment, asked)).get(REPOSITORY)
    if repository is None:
        # SECURITY: no operation of CodeCommit tells where a comment is, so that nothing can be decided on.
        raise CommonError(
            Common.ACCESS_DENIED,
            "iamd does not know which repository the comment is in until it has seen it listed: "
            "GetCommentsForPullRequest and GetCommentsForComparedCommit show it.",
        )
    return _repository(repository, asked)


def _reference(asked: Asked) -> str | None:
    """The branch that the request writes, as `codecommit:References` has it."""
    parameters, name = asked.parameters, asked.operation.name
    if name.startswith("MergeBranches"):
        branch = parameters.get("targetBranch") or parameters["destinationCommitSpecifier"]
    elif name in {"CreateBranch", "CreateCommit", "DeleteBranch", "DeleteFile", "PutFile"}:
        branch = parameters["branchName"]
    else:
        return None
    return str(branch) if branch.startswith("refs/") else f"refs/heads/{branch}"


def _targets(arns: Iterable[str], asked: Asked, values: Mapping[str, Any]) -> list[Target]:
    action = f"codecommit:{asked.operation.name}"
    context = keys.of("codecommit", action, values)
    return [Target(arn=arn, action=action, context=context) for arn in dict.fromkeys(arns)]


def each_repository(asked: Asked) -> list[Target]:
    """Each repository that the request names."""
    parameters = asked.parameters
    named = parameters.get("repositoryNames") or [one["repositoryName"] for one in parameters["targets"]]
    return _targets([_repository(name, asked) for name in named], asked, {})


def of_pull_request(asked: Asked) -> list[Target]:
    """The repositories that the pull request is of, and the one that the request names, with the branch merged into."""
    pull_request = asked.told[_QUESTION]
    named = asked.parameters.get("repositoryName")
    arns = [_repository(named, asked)] if named is not None else []
    if pull_request is None:
        # What is not there is in no repository; the backend says so to whoever may ask in all of them.
        return _targets([*arns, own("codecommit", "*", asked)], asked, {})
    targets = at(pull_request, "pullRequest.pullRequestTargets")
    if not targets:
        raise untold(f"pull request {asked.parameters['pullRequestId']}")
    found: list[Target] = []
    for target in targets:
        reference = {"reference": str(target.get("destinationReference") or "")}
        found += _targets([*arns, _repository(target.get("repositoryName"), asked)], asked, reference)
    return [one for index, one in enumerate(found) if one not in found[:index]]


def comments(asked: Asked, told: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The comments that an answer shows, as the ARNs that they are known by, and the repositories that they are in."""
    for member in ("commentsForPullRequestData", "commentsForComparedCommitData"):
        for data in told.get(member) or []:
            for comment in data["comments"]:
                yield comment_arn(comment["commentId"], asked), data["repositoryName"]
    if "comment" in told:
        within = told.get("repositoryName") or _of_answered(asked)
        if within is not None:
            yield comment_arn(told["comment"]["commentId"], asked), within


def _of_answered(asked: Asked) -> str | None:
    """The repository of the comment that another one answers."""
    comment = asked.parameters.get("inReplyTo")
    return asked.known(comment_arn(comment, asked)).get(REPOSITORY) if comment is not None else None


COMPUTED: Final[Mapping[str, Callable[[Asked], list[Target]]]] = {
    "each_repository": each_repository,
    "of_pull_request": of_pull_request,
}
