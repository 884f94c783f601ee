"""Each version of a parameter or a secret has the key that it was encrypted by; keys of other kinds encrypt nothing.

AWS: Systems Manager User Guide, secure-string-parameter-kms-encryption; Secrets Manager User Guide,
manage_update-encryption-key; API Reference, UpdateSecret, ReplicateSecretToRegions; KMS API Reference, GenerateDataKey.
"""

from typing import Any

import pytest
from gateway.two_accounts import code_of, error_of
from running import AWS, allow, deny


def key(cloud: AWS, **given: str) -> str:
    return cloud.client("kms").create_key(**given)["KeyMetadata"]["Arn"]


def without(cloud: AWS, service: str, name: str, *keys: str) -> Any:
    """The client of somebody who may do everything, but nothing with these keys."""
    return cloud.client(service, cloud.user(name, allow("*"), deny("kms:*", list(keys))))


def test_versions_of_a_parameter_have_their_own_keys(cloud):
    first, second, ssm = key(cloud), key(cloud), cloud.client("ssm")
    ssm.put_parameter(Name="/p", Value="old", Type="SecureString", KeyId=first)
    ssm.put_parameter(Name="/p", Value="new", Type="SecureString", KeyId=second, Overwrite=True)
    ssm.label_parameter_version(Name="/p", ParameterVersion=1, Labels=["before"])
    one, other = without(cloud, "ssm", "one", first), without(cloud, "ssm", "other", second)
    for name in ("/p:1", "/p:before"):
        assert code_of(one.get_parameter, Name=name, WithDecryption=True) == "AccessDeniedException"
        assert code_of(one.get_parameters, Names=[name], WithDecryption=True) == "AccessDeniedException"
        assert other.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"] == "old"
    for name in ("/p", "/p:2"):
        assert one.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"] == "new"
        assert code_of(other.get_parameter, Name=name, WithDecryption=True) == "AccessDeniedException"
    # A parameter that is made anew begins anew.
    ssm.delete_parameter(Name="/p")
    ssm.put_parameter(Name="/p", Value="again", Type="SecureString", KeyId=second)
    assert one.get_parameter(Name="/p:1", WithDecryption=True)["Parameter"]["Value"] == "again"


def test_an_alias_that_means_another_key_decrypts_nothing_of_before(cloud):
    first, second, kms, ssm = key(cloud), key(cloud), cloud.client("kms"), cloud.client("ssm")
    kms.create_alias(AliasName="alias/app", TargetKeyId=first)
    ssm.put_parameter(Name="/p", Value="old", Type="SecureString", KeyId="alias/app")
    kms.update_alias(AliasName="alias/app", TargetKeyId=second)
    one, other = without(cloud, "ssm", "one", first), without(cloud, "ssm", "other", second)
    assert code_of(one.get_parameter_history, Name="/p", WithDecryption=True) == "AccessDeniedException"
    assert code_of(one.get_parameter, Name="/p", WithDecryption=True) == "AccessDeniedException"
    (version,) = other.get_parameter_history(Name="/p", WithDecryption=True)["Parameters"]
    assert version["Value"] == "old"


def test_a_secret_with_another_key_keeps_the_former_for_versions_without_labels(cloud):
    first, second, secrets = key(cloud), key(cloud), cloud.client("secretsmanager")
    oldest = secrets.create_secret(Name="s", SecretString="1", KmsKeyId=first)["VersionId"]
    former = secrets.put_secret_value(SecretId="s", SecretString="2")["VersionId"]
    secrets.put_secret_value(SecretId="s", SecretString="3")
    secrets.update_secret(SecretId="s", KmsKeyId=second)
    one, other = without(cloud, "secretsmanager", "one", first), without(cloud, "secretsmanager", "other", second)
    assert code_of(one.get_secret_value, SecretId="s", VersionId=oldest) == "AccessDeniedException"
    assert other.get_secret_value(SecretId="s", VersionId=oldest)["SecretString"] == "1"
    # AWSPREVIOUS and AWSCURRENT are encrypted anew; and what comes later is not encrypted by the former key.
    later = secrets.put_secret_value(SecretId="s", SecretString="4")["VersionId"]
    for version in (former, later):
        assert one.get_secret_value(SecretId="s", VersionId=version)["SecretString"]
        assert code_of(other.get_secret_value, SecretId="s", VersionId=version) == "AccessDeniedException"


def test_who_changes_the_key_of_a_secret_must_encrypt_by_the_new_one(cloud):
    first, second = key(cloud), key(cloud)
    cloud.client("secretsmanager").create_secret(Name="s", SecretString="1", KmsKeyId=first)
    half = cloud.client("secretsmanager", cloud.user("half", allow("*"), deny("kms:Encrypt", second)))
    assert code_of(half.update_secret, SecretId="s", KmsKeyId=second) == "AccessDeniedException"
    half.update_secret(SecretId="s", SecretString="2")


@pytest.mark.parametrize("has_key", [False, True])
def test_a_replica_has_a_key_of_its_region(cloud, has_key):
    secrets, there = cloud.client("secretsmanager"), cloud.client("secretsmanager", region="eu-west-1")
    secrets.create_secret(Name="s", SecretString="text", KmsKeyId=key(cloud))
    own = cloud.client("kms", region="eu-west-1").create_key()["KeyMetadata"]["Arn"] if has_key else ""
    replica = {"Region": "eu-west-1", **({"KmsKeyId": own} if own else {})}
    secrets.replicate_secret_to_regions(SecretId="s", AddReplicaRegions=[replica])
    there.describe_secret(SecretId="s")
    assert there.get_secret_value(SecretId="s")["SecretString"] == "text"
    denied = cloud.client(
        "secretsmanager",
        cloud.user("one", allow("*"), deny("kms:Decrypt", own or "arn:aws:kms:eu-west-1:*:key/*")),
        region="eu-west-1",
    )
    assert code_of(denied.get_secret_value, SecretId="s") == "AccessDeniedException"


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ({"KeySpec": "RSA_2048", "KeyUsage": "SIGN_VERIFY"}, "key usage is SIGN_VERIFY which is not valid for"),
        ({"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"}, "key usage is GENERATE_VERIFY_MAC"),
        ({"KeySpec": "RSA_2048", "KeyUsage": "ENCRYPT_DECRYPT"}, "SYMMETRIC_DEFAULT is incompatible with key spec RSA"),
    ],
)
def test_keys_that_are_none_for_symmetric_encryption_encrypt_nothing(cloud, kind, words):
    wrong = key(cloud, **kind)
    s3, sqs = cloud.client("s3"), cloud.client("sqs")
    s3.create_bucket(Bucket="files")
    url = sqs.create_queue(QueueName="q", Attributes={"KmsMasterKeyId": wrong})["QueueUrl"]
    schema: dict[str, Any] = {
        "TableName": "orders",
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "BillingMode": "PAY_PER_REQUEST",
        "SSESpecification": {"Enabled": True, "KMSMasterKeyId": wrong},
    }
    sealed = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": wrong}
    for call, given, code in (
        (s3.put_object, {"Bucket": "files", "Key": "a", **sealed}, "KMS.InvalidKeyUsageException"),
        (sqs.send_message, {"QueueUrl": url, "MessageBody": "a"}, "KMS.InvalidKeyUsageException"),
        (cloud.client("dynamodb").create_table, schema, "ValidationException"),
        (
            cloud.client("secretsmanager").create_secret,
            {"Name": "s", "SecretString": "x", "KmsKeyId": wrong},
            "EncryptionFailure",
        ),
        (
            cloud.client("ssm").put_parameter,
            {"Name": "p", "Type": "SecureString", "Value": "x", "KeyId": wrong},
            "InvalidKeyId",
        ),
    ):
        error = error_of(call, **given)
        assert error["Code"] == code
        assert words in error["Message"]
