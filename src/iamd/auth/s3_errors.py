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
