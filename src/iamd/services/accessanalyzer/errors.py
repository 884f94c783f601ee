"""Access Analyzer's errors (Access Analyzer API Reference, ValidatePolicy, "Errors")."""

from iamd.errors import AWSError


class ValidationException(AWSError):
    """A parameter that can't have this value; `reason` is one of ValidationExceptionReason's.

    `words` are AWS's own where they are known; they name no parameter.
    """

    code = "ValidationException"

    def __init__(
        self, field: str, message: str, *, reason: str = "fieldValidationFailed", words: str | None = None
    ) -> None:
        fields = [{"name": field, "message": message}]
        super().__init__(words or message, members={"reason": reason, "fieldList": fields})
