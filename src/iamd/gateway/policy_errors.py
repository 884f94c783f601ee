"""What services say of a resource policy that they do not take, or that names whom there is not."""

from iamd.errors import AWSError


class InvalidPolicy(AWSError):
    """A bucket's policy, or that of a service without words of its own (S3 API Reference, "Error responses")."""

    code = "MalformedPolicy"
    status = 400


class MalformedPolicyDocument(AWSError):
    """A secret's policy (Secrets Manager API Reference, PutResourcePolicy and ValidateResourcePolicy)."""

    code = "MalformedPolicyDocumentException"
    status = 400


class InvalidAttributeValue(AWSError):
    """A queue's policy (SQS API Reference, SetQueueAttributes)."""

    code = "InvalidAttributeValue"
    status = 400


class InvalidParameter(AWSError):
    """A topic's policy (SNS API Reference, SetTopicAttributes)."""

    code = "InvalidParameter"
    status = 400


class InvalidArgument(AWSError):
    """A stream's or consumer's policy (Kinesis API Reference, PutResourcePolicy)."""

    code = "InvalidArgumentException"
    status = 400


class InvalidParameterValue(AWSError):
    """A statement that can't be added to a queue's policy or removed (SQS API Reference, AddPermission)."""

    code = "InvalidParameterValue"
    status = 400


class InvalidParameterValueException(AWSError):
    """A function's policy (Lambda API Reference, AddPermission)."""

    code = "InvalidParameterValueException"
    status = 400
