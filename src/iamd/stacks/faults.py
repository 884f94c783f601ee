"""CloudFormation's errors, and their words."""

from iamd.errors import AWSError


class ValidationError(AWSError):
    """What was asked for can't be done as it stands; most of CloudFormation's refusals are this one."""

    code = "ValidationError"


class AlreadyExists(AWSError):
    """A stack or change set of this name is there."""

    code = "AlreadyExistsException"


class LimitExceeded(AWSError):
    """There are as many as there may be."""

    code = "LimitExceededException"


class InsufficientCapabilities(AWSError):
    """The template needs capabilities that were not acknowledged."""

    code = "InsufficientCapabilitiesException"

    def __init__(self, names: list[str]) -> None:
        super().__init__(f"Requires capabilities : [{', '.join(names)}]")


class ChangeSetNotFound(AWSError):
    """No change set of this name."""

    code = "ChangeSetNotFound"

    def __init__(self, name: str) -> None:
        super().__init__(f"ChangeSet [{name}] does not exist")


class InvalidChangeSetStatus(AWSError):
    """The change set can't be executed or deleted now."""

    code = "InvalidChangeSetStatus"


class TokenAlreadyExists(AWSError):
    """The token was used for another operation."""

    code = "TokenAlreadyExistsException"


def malformed(words: str) -> ValidationError:
    """A template that is none."""
    return ValidationError(f"Template format error: {words}")


def unsupported(what: str) -> ValidationError:
    """The refusal of what iamd's CloudFormation does not do, by its name."""
    return ValidationError(f"{what} is not supported by iamd's CloudFormation.")
