"""How AWS Organizations tells that parameters do not keep the model's constraints: in an error of its own.

AWS: InvalidInputException with a Reason (Organizations API Reference, InvalidInputException); the words for patterns
are those that its clients report, the others those of the reference.
"""

from collections.abc import Mapping
from typing import Final

from iamd.errors import AWSError

_REASONS: Final[Mapping[str, tuple[str, str]]] = {
    "Member must not be null": ("INPUT_REQUIRED", "You must include a value for all required parameters."),
    "Member must satisfy enum": ("INVALID_ENUM", "You specified an invalid value."),
    "Member must satisfy regular": (
        "INVALID_PATTERN",
        "You provided a value that does not match the required pattern.",
    ),
    "Member must have length less": (
        "MAX_LENGTH_EXCEEDED",
        "You provided a string parameter that is longer than allowed.",
    ),
    "Member must have length": (
        "MIN_LENGTH_EXCEEDED",
        "You provided a string parameter that is shorter than allowed.",
    ),
    "Member must have value less": (
        "MAX_VALUE_EXCEEDED",
        "You provided a numeric parameter that has a larger value than allowed.",
    ),
    "Member must have value": (
        "MIN_VALUE_EXCEEDED",
        "You provided a numeric parameter that has a smaller value than allowed.",
    ),
    "Member must satisfy constraint": (
        "INVALID_LIST_MEMBER",
        "You provided a list to a parameter that contains at least one invalid value.",
    ),
}


class InvalidInput(AWSError):
    """Parameters that Organizations does not take; `reason` is its own name for what is wrong with them."""

    code = "InvalidInputException"

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message, members={"Reason": reason})


def organizations_error(sentence: str) -> InvalidInput:
    """The error for the first constraint that does not hold, from the sentence about it."""
    words = sentence.rpartition("failed to satisfy constraint: ")[2]
    return InvalidInput(*next(told for start, told in _REASONS.items() if words.startswith(start)))
