"""Errors of S3 alone about a body and the headers that speak of it (S3 API Reference, "Error responses").

The codes and words that its page does not give are those that S3's own answers are known by.
"""

from iamd.errors import AWSError


class InvalidRequest(AWSError):
    """Headers that don't go together, or a checksum header that can't be one."""

    code = "InvalidRequest"
    status = 400


class InvalidDigest(AWSError):
    """A Content-MD5 that is none."""

    code = "InvalidDigest"
    status = 400


class BadDigest(AWSError):
    """A body of another checksum than the declared one."""

    code = "BadDigest"
    status = 400


class InvalidChunkSizeError(AWSError):
    """A chunk below the smallest size that is not the last."""

    code = "InvalidChunkSizeError"
    status = 403


class MalformedTrailerError(AWSError):
    """A trailer that is missing, not declared, or can't be read."""

    code = "MalformedTrailerError"
    status = 400


class MissingContentLength(AWSError):
    """S3 takes no object of unknown length."""

    code = "MissingContentLength"
    status = 411


class InvalidArgument(AWSError):
    """A parameter, header or form field that is wrong or not there."""

    code = "InvalidArgument"
    status = 400


class NotOneFile(AWSError):
    """A form with another number of files than one."""

    code = "IncorrectNumberOfFilesInPostRequest"
    status = 400


class InvalidPolicyDocument(AWSError):
    """A form's policy that is none."""

    code = "InvalidPolicyDocument"
    status = 400


class MalformedPOSTRequest(AWSError):
    """A body that is no multipart/form-data, or that two readers could read differently."""

    code = "MalformedPOSTRequest"
    status = 400


class PreDataTooLong(AWSError):
    """A form with too much before its file; the API Reference's list has the code with an `Error` at its end."""

    code = "MaxPostPreDataLengthExceeded"
    status = 400


class EntityTooLarge(AWSError):
    """An object above S3's maximum, or its form's."""

    code = "EntityTooLarge"
    status = 400


class EntityTooSmall(AWSError):
    """An object below the least size that its form allows."""

    code = "EntityTooSmall"
    status = 400


class KeyTooLong(AWSError):
    """A key of more than 1,024 bytes."""

    code = "KeyTooLongError"
    status = 400


class InvalidTag(AWSError):
    """Tags that an object can't have."""

    code = "InvalidTag"
    status = 400
