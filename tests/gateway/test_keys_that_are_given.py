"""Firehose's and EFS' use of KMS keys for their callers.

AWS: Firehose API Reference, DeliveryStreamEncryptionConfigurationInput, InvalidKMSResourceException; EFS User Guide,
"Using AWS KMS keys for Amazon EFS" (EFSKMS).
"""

import pytest
from gateway.two_accounts import code_of, error_of
from running import ACCOUNT, REGION, allow
from services.iamd.test_workloads import trust


@pytest.fixture
def key(cloud):
    """The ARN of a customer key with the default policy."""
    return cloud.client("kms").create_key()["KeyMetadata"]["Arn"]


def test_a_delivery_stream_of_a_customer_key(cloud, key):
    cloud.client("iam").create_role(RoleName="role", AssumeRolePolicyDocument=trust("firehose.amazonaws.com"))
    role = f"arn:aws:iam::{ACCOUNT}:role/role"
    through = {"kms:ViaService": f"firehose.{REGION}.amazonaws.com"}
    plain, grants = (
        cloud.client("firehose", cloud.user(name, allow("firehose:*"), allow("iam:PassRole"), *more))
        for name, more in (("plain", []), ("grants", [allow("kms:CreateGrant", key, StringEquals=through)]))
    )
    to = {"RoleARN": role, "BucketARN": "arn:aws:s3:::files"}
    by = {"DeliveryStreamEncryptionConfigurationInput": {"KeyType": "CUSTOMER_MANAGED_CMK", "KeyARN": key}}
    given = {"DeliveryStreamName": "a", "ExtendedS3DestinationConfiguration": to}
    error = error_of(plain.create_delivery_stream, **given, **by)
    assert error["Code"] == "InvalidKMSResourceException"
    assert "is not authorized to perform: kms:CreateGrant" in error["Message"]
    grants.create_delivery_stream(**given, **by)
    plain.create_delivery_stream(**{**given, "DeliveryStreamName": "b"})
    start = {"DeliveryStreamName": "b", **by}
    assert code_of(plain.start_delivery_stream_encryption, **start) == "InvalidKMSResourceException"
    grants.start_delivery_stream_encryption(**start)
    owned = {"KeyType": "AWS_OWNED_CMK"}
    plain.start_delivery_stream_encryption(DeliveryStreamName="b", DeliveryStreamEncryptionConfigurationInput=owned)


def test_an_encrypted_file_system(cloud, key):
    needed = ["kms:DescribeKey", "kms:CreateGrant", "kms:GenerateDataKeyWithoutPlaintext", "kms:Decrypt"]
    through = {"kms:ViaService": f"elasticfilesystem.{REGION}.amazonaws.com"}

    def client(name, *actions):
        given = [allow(list(actions), key, StringEquals=through)] if actions else []
        own = (allow("elasticfilesystem:*"), allow("iam:CreateServiceLinkedRole"))
        return cloud.client("efs", cloud.user(name, *own, *given))

    given = {"CreationToken": "a", "Encrypted": True, "KmsKeyId": key}
    for missing in needed:
        lacking = client(missing.partition(":")[2], *(one for one in needed if one != missing))
        error = error_of(lacking.create_file_system, **given)
        assert error["Code"] == "AccessDeniedException"
        assert f"not authorized to perform: {missing} on" in error["Message"]
    client("whole", *needed).create_file_system(**given)
    plain = client("plain")
    assert plain.create_file_system(CreationToken="b", Encrypted=True)["Encrypted"]
    plain.create_file_system(CreationToken="c")
