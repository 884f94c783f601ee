"""Lambda's own errors of an invocation (Lambda API Reference, Invoke: Errors)."""

from iamd.errors import AWSError


class InvalidRuntime(AWSError):
    """A function of a kind that is not run."""

    code = "InvalidRuntimeException"


class InvalidZipFile(AWSError):
    """Code that can't be unpacked."""

    code = "InvalidZipFileException"


class InvalidRequestContent(AWSError):
    """A payload that is no JSON, or a header that can't be read."""

    code = "InvalidRequestContentException"


class InvalidParameterValue(AWSError):
    """A parameter that the function has no use for."""

    code = "InvalidParameterValueException"


class RequestTooLarge(AWSError):
    """A payload that is longer than its kind of invocation takes."""

    code = "RequestTooLargeException"


class ResourceNotFound(AWSError):
    """No such function, version or alias."""

    code = "ResourceNotFoundException"


class AccessDenied(AWSError):
    """The execution role can't be assumed."""

    code = "AccessDeniedException"
    status = 403


class TooManyRequests(AWSError):
    """As many invocations run as may."""

    code = "TooManyRequestsException"


class ServiceFault(AWSError):
    """What is Lambda's own fault."""

    code = "ServiceException"
    status = 500
