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


class InvalidIdentityToken(AWSError):
    """A web identity token or SAML assertion that does not prove what it says."""

    code = "InvalidIdentityToken"


class IDPRejectedClaim(AWSError):
    """A token or assertion that is genuine, and whose claims can't be what a session carries."""

    code = "IDPRejectedClaim"


class IDPCommunicationError(AWSError):
    """An identity provider could not be reached to verify a token; it may be later."""

    code = "IDPCommunicationError"


class ExpiredToken(AWSError):
    """A token or assertion whose time has passed."""

    code = "ExpiredTokenException"


class OutboundWebIdentityFederationDisabled(AWSError):
    """The account gives no tokens to its principals."""

    code = "OutboundWebIdentityFederationDisabledException"


class SessionDurationEscalation(AWSError):
    """A token that would be valid longer than the session that asks for it."""

    code = "SessionDurationEscalationException"


class JWTPayloadSizeExceeded(AWSError):
    """A token that says too much."""

    code = "JWTPayloadSizeExceededException"


class ExpiredTradeInToken(AWSError):
    """A trade-in token whose access has ended."""

    code = "ExpiredTradeInTokenException"
