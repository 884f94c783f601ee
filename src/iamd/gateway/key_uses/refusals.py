"""How services tell their callers that a key can't be used, and how KMS's events do.

AWS: the words of denials are KMS's as S3 passes them on; the codes are those of the services' models and of S3's
answers (`KMS.NotFoundException`, `KMS.DisabledException`). Lambda's words are those that many met:
hashicorp/terraform-provider-aws 4633 (CreateGrant), cattle-ops/terraform-aws-gitlab-runner 1253 (invocations).
"""

from collections.abc import Mapping
from functools import cache
from typing import Final

from iamd.authz.authorize import Denied
from iamd.errors import AWSError, Common, CommonError
from iamd.gateway.actions.asked import Asked
from iamd.gateway.key_uses.use import CREATE_GRANT, DECRYPT, ENCRYPT, Use
from iamd.policy.decision import Layer

_CIPHERTEXT: Final = "on the resource associated with this ciphertext"
_NO_POLICY: Final = (
    "because the resource does not exist in this Region, no resource-based policies allow access, or a resource-based "
    "policy explicitly denies access"
)
_NOT_FOUND: Final = frozenset({"InvalidAliasNameException", "InvalidArnException", "NotFoundException"})


_OF_TABLES: Final = "ValidationException"
_CODES: Final[Mapping[str, Mapping[str, str]]] = {
    # No page of AWS's has DynamoDB's code for a key that it can't use.
    "dynamodb": dict.fromkeys(
        ("DisabledException", "InvalidKeyUsageException", "KMSInvalidStateException", "NotFoundException"), _OF_TABLES
    ),
    "dynamodbstreams": {},
    # No page of AWS's has EFS's code for a key that it can't use.
    "efs": dict.fromkeys(
        ("DisabledException", "InvalidKeyUsageException", "KMSInvalidStateException", "NotFoundException"), "BadRequest"
    ),
    "kinesis": {
        "AccessDeniedException": "KMSAccessDeniedException",
        "DisabledException": "KMSDisabledException",
        # The models of Kinesis and SNS have no error of their own for a key of another kind.
        "InvalidKeyUsageException": "KMSInvalidStateException",
        "KMSInvalidStateException": "KMSInvalidStateException",
        "NotFoundException": "KMSNotFoundException",
    },
    "s3": {
        "DisabledException": "KMS.DisabledException",
        "InvalidKeyUsageException": "KMS.InvalidKeyUsageException",
        "KMSInvalidStateException": "KMS.KMSInvalidStateException",
        "NotFoundException": "KMS.NotFoundException",
    },
    "sns": {
        "AccessDeniedException": "KMSAccessDenied",
        "DisabledException": "KMSDisabled",
        "InvalidKeyUsageException": "KMSInvalidState",
        "KMSInvalidStateException": "KMSInvalidState",
        "NotFoundException": "KMSNotFound",
    },
    "sqs": {
        "AccessDeniedException": "KmsAccessDenied",
        "DisabledException": "KmsDisabled",
        "InvalidKeyUsageException": "KmsInvalidKeyUsage",
        "KMSInvalidStateException": "KmsInvalidState",
        "NotFoundException": "KmsNotFound",
    },
    "ssm": dict.fromkeys(
        ("DisabledException", "InvalidKeyUsageException", "KMSInvalidStateException", "NotFoundException"),
        "InvalidKeyId",
    ),
}
"""The services' codes for KMS's; a denial without one is the service's own."""


@cache
def _error(code: str) -> type[AWSError]:
    """The error of a code."""
    return type(code, (AWSError,), {"code": code, "status": 400})


def unsigned(use: Use, asked: Asked) -> AWSError:
    """The refusal of a caller whom nobody knows, whatever a key's policy says: KMS serves none without a signature."""
    if asked.operation.service != "s3":
        words = f"User: anonymous is not authorized to perform: kms:{use.action}"
        return of(CommonError(Common.ACCESS_DENIED, words), use, asked)
    return _error("InvalidArgument")(
        "Requests specifying Server Side Encryption with AWS KMS managed keys require AWS Signature Version 4."
    )


def denied(use: Use, refusal: Denied) -> AWSError:
    """The denial in KMS's words: who decrypts is not told the key."""
    verdict = refusal.verdicts[-1]
    message = refusal.message
    if use.action == DECRYPT:
        who, _, why = message.partition(f" on resource: {verdict.request.resource} ")
        reason = _NO_POLICY if verdict.decision.layer is Layer.RESOURCE else why
        message = f"{who} {_CIPHERTEXT} {reason}"
    return CommonError(Common.ACCESS_DENIED, message)


def of(error: AWSError, use: Use, asked: Asked) -> AWSError:
    """KMS's error as the service tells it."""
    service = asked.operation.service
    if use.through == "s3":
        return _of_code(error, use)
    if service == "secretsmanager":
        return _of_secrets(error, use)
    if service == "logs":
        return _of_logs(error, use)
    if service == "lambda":
        return _of_functions(error, use, asked)
    if service == "firehose":
        return _error("InvalidKMSResourceException")(error.message, members={"code": _named(error)})
    if service == "ec2":
        return _of_volumes(error, asked)
    if service == "rds":
        # AWS: as CopyDBClusterSnapshot is answered (awslabs/aurora-snapshot-tool 25 and 29).
        words = (
            f"Specified KMS key [{use.key}] does not exist, is not enabled or you do not have permissions to access it."
        )
        return _error("KMSKeyNotAccessibleFault")(words)
    code = _CODES[service].get(_named(error))
    return _error(code)(error.message) if code is not None else error


def _of_secrets(error: AWSError, use: Use) -> AWSError:
    """AWS: Secrets Manager API Reference, the errors of CreateSecret and GetSecretValue."""
    if isinstance(error, CommonError):
        return CommonError(Common.ACCESS_DENIED, "Access to KMS is not allowed")
    if use.action == DECRYPT:
        return _error("DecryptionFailure")(f"Secrets Manager can't decrypt by the KMS key: {error.message}")
    return _error("EncryptionFailure")(f"Secrets Manager can't encrypt by the KMS key: {error.message}")


def _of_code(error: AWSError, use: Use) -> AWSError:
    """What Lambda says of code that it can't read from S3.

    AWS: Lambda Developer Guide, "Troubleshoot deployment issues in Lambda", has the words and the codes.
    """
    if isinstance(error, CommonError):
        place = use.context["aws:s3:arn"].partition(":::")[2]
        why = (
            "Your access has been denied by S3, please make sure your request credentials have permission to GetObject"
        )
        message = f"{why} for {place}. S3 Error Code: AccessDenied. S3 Error Message: {error.message}"
        return CommonError(Common.ACCESS_DENIED, message)
    code = _CODES["s3"].get(_named(error), error.code)
    message = f"Error occurred while GetObject. S3 Error Code: {code}. S3 Error Message: {error.message}"
    return _error("InvalidParameterValueException")(message)


def _of_logs(error: AWSError, use: Use) -> AWSError:
    """AWS: CloudWatch Logs API Reference, CreateLogGroup: InvalidParameterException for what is no key or disabled."""
    group = use.context["aws:logs:arn"]
    words = f"The specified KMS key does not exist or is not allowed to be used with Arn '{group}'"
    if isinstance(error, CommonError):
        return CommonError(Common.ACCESS_DENIED, words)
    return _error("InvalidParameterException")(words)


_WHY: Final[Mapping[str, str]] = {
    "AccessDeniedException": "the KMS access was denied. Please check your KMS permissions.",
    "DisabledException": "the KMS key used is disabled. Please check your KMS key settings.",
    "KMSInvalidStateException": (
        "the state of the KMS key used is not valid for {action}. Please check your KMS key settings."
    ),
    "NotFoundException": "the KMS key was not found. Please check your KMS key settings.",
}


def _of_functions(error: AWSError, use: Use, asked: Asked) -> AWSError:
    """What Lambda says of a function's key, of which it tells that it is not valid."""
    if use.action == CREATE_GRANT:
        why = "the KMS key is invalid for CreateGrant. Please check your KMS key settings."
        told = f"Lambda was unable to configure access to your environment variables because {why} {by_kms(error)}"
    elif use.itself is not None or asked.operation.name.endswith("EventSourceMapping"):
        # No page of AWS's has its words for the keys of packages and of filters.
        told = f"Lambda was unable to use the KMS key. {by_kms(error)}"
    else:
        told = function_words(error, use)[1]
    return _error("InvalidParameterValueException")(told)


def _of_volumes(error: AWSError, asked: Asked) -> AWSError:
    """What EC2 says of a volume's key.

    AWS: EC2 API Reference, "Error codes" (CustomerKeyHasBeenRevoked, UnauthorizedOperation); EC2 User Guide,
    "Troubleshoot instance launch issues" (InvalidKMSKey.InvalidState); EBS User Guide, ebs-copy-snapshot (a key that is
    not accessible).
    """
    if asked.operation.name == "AttachVolume":
        return _error("CustomerKeyHasBeenRevoked")(f"The customer master key cannot be accessed: {error.message}")
    if isinstance(error, CommonError):
        words = f"You are not authorized to perform this operation. {error.message}"
        return CommonError(Common.ACCESS_DENIED, words)
    if _named(error) == "NotFoundException":
        return _error("InvalidParameterValue")("Given key ID is not accessible")
    return _error("InvalidKMSKey.InvalidState")(f"The KMS key is in an incorrect state: {error.message}")


def function_words(error: AWSError, use: Use) -> tuple[str, str]:
    """KMS's code, and Lambda's words for what it could not do with the variables of a function."""
    kms, verb = _named(error), "encrypt" if use.action == ENCRYPT else "decrypt"
    why = _WHY.get(kms, _WHY["AccessDeniedException"]).format(action=use.action)
    return kms, f"Lambda was unable to {verb} your environment variables because {why} {by_kms(error)}"


def by_kms(error: AWSError) -> str:
    """KMS's own code and words, as Lambda tells them behind its own."""
    kms = "AccessDeniedException" if isinstance(error, CommonError) else error.code
    return f"KMS Exception: {kms} KMS Message: {error.message}"


def _named(error: AWSError) -> str:
    """KMS's code for the error, where what is no key is one that is not there."""
    if isinstance(error, CommonError):
        return "AccessDeniedException"
    return "NotFoundException" if error.code in _NOT_FOUND else error.code


def code(error: AWSError) -> str:
    """KMS's code for it, as its events have it."""
    return "AccessDenied" if isinstance(error, CommonError) else error.code
