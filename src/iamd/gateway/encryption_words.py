"""What S3 refuses of how a request wants its object, or a bucket its objects, encrypted.

AWS: S3 API Reference, PutObject (x-amz-server-side-encryption and x-amz-server-side-encryption-customer-algorithm),
PutBucketEncryption; of the errors, which these pages do not have, what S3 is seen to answer.
"""

from collections.abc import Mapping
from typing import Any, Final

from iamd.auth.s3_errors import InvalidArgument
from iamd.errors import AWSError
from iamd.gateway.actions.asked import Asked, at
from iamd.gateway.key_uses.defaults import BY_KMS
from iamd.wire.models import Operation

_ALGORITHMS: Final = frozenset({"AES256", *BY_KMS})
"""All but that of file systems (aws:fsx), of which iamd has none."""
_OF_CUSTOMER: Final = ("SSECustomerAlgorithm", "SSECustomerKey", "SSECustomerKeyMD5")
_CUSTOMERS: Final = ("SSECustomerAlgorithm", "CopySourceSSECustomerAlgorithm")
_WRITING: Final = frozenset({"CopyObject", "CreateMultipartUpload", "PutObject", "UploadPart", "UploadPartCopy"})
_DEFAULT: Final = "PutBucketEncryption"


class InvalidEncryptionAlgorithm(AWSError):
    """A customer's key for an algorithm that there is not."""

    code = "InvalidEncryptionAlgorithmError"
    status = 400


class MalformedXML(AWSError):
    """A bucket's encryption that can't be."""

    code = "MalformedXML"
    status = 400


def may_say(operation: Operation) -> bool:
    """Whether requests may say how something is to be encrypted."""
    return operation.service == "s3" and (operation.name in _WRITING or operation.name == _DEFAULT)


def check(asked: Asked) -> None:
    """Refuse what says how something is to be encrypted in words that S3 does not know, or that contradict."""
    if asked.operation.name == _DEFAULT:
        _check_default(asked.parameters)
    else:
        _check_object(asked.parameters)


def _check_object(given: Mapping[str, Any]) -> None:
    # SECURITY: a Deny of one algorithm is not to be passed by another way of writing it.
    algorithm = given.get("ServerSideEncryption")
    if algorithm is not None and algorithm not in _ALGORITHMS:
        raise InvalidArgument("The encryption method specified is not supported", members=_argument(algorithm))
    if any(given.get(name, "AES256") != "AES256" for name in _CUSTOMERS):
        raise InvalidEncryptionAlgorithm("The encryption request you specified is not valid. Supported value: AES256.")
    if algorithm is not None and any(name in given for name in _OF_CUSTOMER):
        raise InvalidArgument(
            "Server Side Encryption with Customer provided key is incompatible with the encryption method specified",
            members=_argument(algorithm),
        )


def _argument(value: str) -> dict[str, str]:
    return {"ArgumentName": "x-amz-server-side-encryption", "ArgumentValue": value}


def _check_default(given: Mapping[str, Any]) -> None:
    rules = at(given, "ServerSideEncryptionConfiguration.Rules") or []
    named = [rule.get("ApplyServerSideEncryptionByDefault") or {} for rule in rules]
    if len(rules) != 1 or named[0].get("SSEAlgorithm") not in _ALGORITHMS:
        raise MalformedXML("The XML you provided was not well-formed or did not validate against our published schema")
    if named[0].get("KMSMasterKeyID") and named[0]["SSEAlgorithm"] not in BY_KMS:
        raise InvalidArgument(
            "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse"
        )
