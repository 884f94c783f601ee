"""STS's errors (STS API Reference, "Common Errors" and each operation's own)."""

from iamd.errors import AWSError


class ValidationError(AWSError):
    """A parameter that no rule of the model refuses, and STS does."""

    code = "ValidationError"


class InvalidParameterValue(AWSError):
    """A parameter whose value contradicts the session it is sent with."""

    code = "InvalidParameterValue"


class MalformedPolicyDocument(AWSError):
    """A session policy that is not a policy."""

    code = "MalformedPolicyDocument"


class PackedPolicyTooLarge(AWSError):
    """Session policies and tags that take more than a session has room for."""

    code = "PackedPolicyTooLarge"


class AccessDenied(AWSError):
    """A refusal that is not a policy's."""

    code = "AccessDenied"
    status = 403


class InvalidAuthorizationMessage(AWSError):
    """An encoded message that iamd did not make, or not for the caller's account."""

    code = "InvalidAuthorizationMessageException"
