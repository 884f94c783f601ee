"""How each protocol and service spells what can go wrong with any request: one table."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from iamd.errors import Common
from iamd.wire.models import Protocol


class Family(StrEnum):
    """Services that spell common errors alike."""

    QUERY = "query"
    EC2 = "ec2"
    S3 = "s3"
    JSON = "json"
    REST_JSON = "rest-json"


@dataclass(frozen=True, slots=True)
class Spelling:
    """The code on the wire, the HTTP status, and the words when the error brings none."""

    code: str
    status: int
    words: str = ""


def family_of(service: str | None, protocol: Protocol) -> Family:
    """Give the family of a service in a protocol; CBOR is spelt as JSON, REST-XML other than S3's as Query."""
    if service == "s3":
        return Family.S3
    return _FAMILIES[protocol]


def spelling(kind: Common, family: Family, service: str | None = None) -> Spelling:
    """Give how a family spells an error of this kind, or how this one of its services does."""
    return _OWN.get((service, kind)) or _TABLE[kind][family]


# SNS API Reference: AuthorizationError among the errors of each operation.
_OWN: Final[Mapping[tuple[str | None, Common], Spelling]] = {
    ("sns", Common.ACCESS_DENIED): Spelling("AuthorizationError", 403, "Access denied"),
}


_FAMILIES: Final[Mapping[Protocol, Family]] = {
    Protocol.QUERY: Family.QUERY,
    Protocol.EC2: Family.EC2,
    Protocol.JSON: Family.JSON,
    Protocol.CBOR: Family.JSON,
    Protocol.REST_JSON: Family.REST_JSON,
    Protocol.REST_XML: Family.QUERY,
}

# Sources: "Common error types" of the IAM, STS and SQS API References (Query); "Error Responses" of the Amazon S3 API
# Reference; "Error codes for the Amazon EC2 API" of the EC2 Developer Guide; "Error handling with DynamoDB" and the
# services' "Common Errors" pages (JSON).
_INVALID_TOKEN: Final = "The security token included in the request is invalid."
_EXPIRED: Final = "The security token included in the request is expired"
_MISMATCH: Final = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key "
    "and signing method. Consult the service documentation for details."
)
_S3_MISMATCH: Final = (
    "The request signature we calculated does not match the signature you provided. Check your key and signing method."
)
_NO_TOKEN: Final = "Missing Authentication Token"
_EC2_AUTH: Final = Spelling("AuthFailure", 401, "AWS was not able to validate the provided access credentials")
_S3_XML: Final = "The XML you provided was not well-formed or did not validate against our published schema"
_INTERNAL: Final = "The request processing has failed because of an unknown error, exception or failure."


def _row(query: Spelling, ec2: Spelling, s3: Spelling, json: Spelling, rest_status: int) -> Mapping[Family, Spelling]:
    return {
        Family.QUERY: query,
        Family.EC2: ec2,
        Family.S3: s3,
        Family.JSON: json,
        Family.REST_JSON: Spelling(json.code, rest_status, json.words),
    }


_TABLE: Final[Mapping[Common, Mapping[Family, Spelling]]] = {
    Common.ACCESS_DENIED: _row(
        Spelling("AccessDenied", 403, "Access denied"),
        Spelling("UnauthorizedOperation", 403, "You are not authorized to perform this operation."),
        Spelling("AccessDenied", 403, "Access Denied"),
        Spelling("AccessDeniedException", 400, "Access denied"),
        403,
    ),
    Common.MISSING_AUTHENTICATION: _row(
        Spelling("MissingAuthenticationToken", 403, "Request is missing Authentication Token"),
        Spelling("MissingParameter", 400, "The request must contain the parameter AWSAccessKeyId"),
        Spelling("AccessDenied", 403, "Access Denied"),
        Spelling("MissingAuthenticationTokenException", 400, _NO_TOKEN),
        403,
    ),
    Common.INCOMPLETE_SIGNATURE: _row(
        Spelling("IncompleteSignature", 400, "The request signature does not conform to AWS standards."),
        _EC2_AUTH,
        Spelling("AuthorizationHeaderMalformed", 400, "The authorization header that you provided is not valid."),
        Spelling("IncompleteSignatureException", 400, "The request signature does not conform to AWS standards."),
        403,
    ),
    Common.UNKNOWN_ACCESS_KEY: _row(
        Spelling("InvalidClientTokenId", 403, _INVALID_TOKEN),
        _EC2_AUTH,
        Spelling("InvalidAccessKeyId", 403, "The AWS Access Key Id you provided does not exist in our records."),
        Spelling("UnrecognizedClientException", 400, _INVALID_TOKEN),
        403,
    ),
    Common.INVALID_SESSION_TOKEN: _row(
        Spelling("InvalidClientTokenId", 403, _INVALID_TOKEN),
        _EC2_AUTH,
        Spelling("InvalidToken", 400, "The provided token is malformed or otherwise invalid."),
        Spelling("UnrecognizedClientException", 400, _INVALID_TOKEN),
        403,
    ),
    Common.SIGNATURE_MISMATCH: _row(
        Spelling("SignatureDoesNotMatch", 403, _MISMATCH),
        _EC2_AUTH,
        Spelling("SignatureDoesNotMatch", 403, _S3_MISMATCH),
        Spelling("InvalidSignatureException", 400, _MISMATCH),
        403,
    ),
    Common.SIGNATURE_TIME: _row(
        Spelling("SignatureDoesNotMatch", 403, "Signature expired"),
        Spelling("RequestExpired", 400, "Request has expired."),
        Spelling(
            "RequestTimeTooSkewed",
            403,
            "The difference between the request time and the current time is too large.",
        ),
        Spelling("InvalidSignatureException", 400, "Signature expired"),
        403,
    ),
    Common.EXPIRED_TOKEN: _row(
        Spelling("ExpiredToken", 403, _EXPIRED),
        Spelling("RequestExpired", 400, "Request has expired."),
        Spelling("ExpiredToken", 400, "The provided token has expired."),
        Spelling("ExpiredTokenException", 400, _EXPIRED),
        403,
    ),
    Common.BODY_HASH_MISMATCH: _row(
        Spelling("SignatureDoesNotMatch", 403, _MISMATCH),
        _EC2_AUTH,
        Spelling(
            "XAmzContentSHA256Mismatch",
            400,
            "The provided 'x-amz-content-sha256' header does not match what was computed.",
        ),
        Spelling("InvalidSignatureException", 400, _MISMATCH),
        403,
    ),
    Common.AUTHORIZATION_QUERY: _row(
        Spelling("IncompleteSignature", 400, "The request signature does not conform to AWS standards."),
        _EC2_AUTH,
        Spelling("AuthorizationQueryParametersError", 400, "Error parsing the X-Amz-Credential parameter."),
        Spelling("IncompleteSignatureException", 400, "The request signature does not conform to AWS standards."),
        403,
    ),
    Common.MALFORMED: _row(
        Spelling("MalformedInput", 400, "The request could not be read."),
        Spelling("InvalidRequest", 400, "The request received was invalid."),
        Spelling("MalformedXML", 400, _S3_XML),
        Spelling("SerializationException", 400, "The request could not be read."),
        400,
    ),
    # S3: what it answers to two signatures in one request, and to a payload hash that is none.
    Common.MALFORMED_HEADER: _row(
        Spelling("MalformedInput", 400, "The request could not be read."),
        Spelling("InvalidRequest", 400, "The request received was invalid."),
        Spelling("InvalidArgument", 400, "Invalid Argument"),
        Spelling("SerializationException", 400, "The request could not be read."),
        400,
    ),
    Common.INCOMPLETE_BODY: _row(
        Spelling("MalformedInput", 400, "The request body is incomplete."),
        Spelling("InvalidRequest", 400, "The request body is incomplete."),
        Spelling(
            "IncompleteBody",
            400,
            "You did not provide the number of bytes specified by the Content-Length HTTP header.",
        ),
        Spelling("SerializationException", 400, "The request body is incomplete."),
        400,
    ),
    Common.TOO_LARGE: _row(
        Spelling("RequestEntityTooLarge", 413, "The request is too large."),
        Spelling("RequestEntityTooLarge", 413, "The request is too large."),
        Spelling("EntityTooLarge", 400, "Your proposed upload exceeds the maximum allowed size"),
        Spelling("RequestEntityTooLargeException", 413, "The request is too large."),
        413,
    ),
    Common.UNKNOWN_OPERATION: _row(
        Spelling("InvalidAction", 400, "The action or operation requested is invalid."),
        Spelling("InvalidAction", 400, "The action is not valid for this web service."),
        Spelling("MethodNotAllowed", 405, "The specified method is not allowed against this resource."),
        Spelling("UnknownOperationException", 400),
        404,
    ),
    Common.NOT_IMPLEMENTED: _row(
        Spelling("NotImplemented", 501, "This operation is not implemented."),
        Spelling("NotImplemented", 501, "This operation is not implemented."),
        Spelling("NotImplemented", 501, "This operation is not implemented."),
        Spelling("NotImplemented", 501, "This operation is not implemented."),
        501,
    ),
    Common.VALIDATION: _row(
        Spelling("ValidationError", 400, "The input fails to satisfy the constraints specified by an AWS service."),
        Spelling("UnknownParameter", 400, "An unknown or unrecognized parameter was supplied."),
        Spelling("InvalidArgument", 400, "Invalid Argument"),
        Spelling("ValidationException", 400, "The input fails to satisfy the constraints specified by an AWS service."),
        400,
    ),
    Common.INTERNAL: _row(
        Spelling("InternalFailure", 500, _INTERNAL),
        Spelling("InternalError", 500, "An internal error has occurred."),
        Spelling("InternalError", 500, "We encountered an internal error. Please try again."),
        Spelling("InternalFailure", 500, _INTERNAL),
        500,
    ),
    Common.UNAVAILABLE: _row(
        Spelling("ServiceUnavailable", 503, "The request has failed due to a temporary failure of the server."),
        Spelling("Unavailable", 503, "The server is overloaded and can't handle the request."),
        Spelling("ServiceUnavailable", 503, "Service is unable to handle request."),
        Spelling(
            "ServiceUnavailableException", 503, "The request has failed due to a temporary failure of the server."
        ),
        503,
    ),
    Common.THROTTLED: _row(
        Spelling("Throttling", 400, "Rate exceeded"),
        Spelling("RequestLimitExceeded", 503, "Request limit exceeded."),
        Spelling("SlowDown", 503, "Please reduce your request rate."),
        Spelling("ThrottlingException", 400, "Rate exceeded"),
        429,
    ),
}
