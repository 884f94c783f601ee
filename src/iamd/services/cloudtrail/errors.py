"""CloudTrail's errors of looking events up (CloudTrail API Reference, LookupEvents, "Errors")."""

from iamd.errors import AWSError


class InvalidLookupAttributes(AWSError):
    """Lookup attributes of which there are too many, or that can't have this value."""

    code = "InvalidLookupAttributesException"


class InvalidTimeRange(AWSError):
    """A start that is after the end."""

    code = "InvalidTimeRangeException"


class InvalidNextToken(AWSError):
    """A token that this caller was not given for these parameters."""

    code = "InvalidNextTokenException"
