"""Secrets Manager's and Parameter Store's use of KMS keys for their callers.

AWS: KMS Developer Guide, services-secrets-manager and services-parameter-store; Secrets Manager API Reference,
CreateSecret, UpdateSecret, GetSecretValue, BatchGetSecretValue ("Required permissions").
"""

import json
from typing import Any

import pytest
from gateway.two_accounts import OTHER, code_of, error_of, policy, to
from running import ACCOUNT, REGION, allow, deny

NOT_ALLOWED = {"Code": "AccessDeniedException", "Message": "Access to KMS is not allowed"}
PARAMETER = f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter"


@pytest.fixture
def key(cloud):
    """The ARN of a customer key with the default policy."""
    return cloud.client("kms").create_key()["KeyMetadata"]["Arn"]


def users(cloud, service: str, **statements: Any) -> list[Any]:
    """Clients of users who may do all of the service, and each what is said of it."""
    return [
        cloud.client(service, cloud.user(name, allow(f"{service}:*"), *([one] if one else [])))
        for name, one in statements.items()
    ]


def test_secrets_of_a_customer_key(cloud, key):
    generates, both = allow("kms:GenerateDataKey", key), allow(["kms:GenerateDataKey", "kms:Decrypt"], key)
    without, half, whole = users(cloud, "secretsmanager", without=None, half=generates, whole=both)
    for client in (without, half):
        # The key is tried both ways when it is set.
        assert error_of(client.create_secret, Name="app", KmsKeyId=key, SecretString="s") == NOT_ALLOWED
    arn = whole.create_secret(Name="app", KmsKeyId=key, SecretString="s")["ARN"]
    assert error_of(half.get_secret_value, SecretId="app") == NOT_ALLOWED
    half.create_secret(Name="open", SecretString="o")
    told = half.batch_get_secret_value(SecretIdList=["app", "open"])
    assert [one["SecretString"] for one in told["SecretValues"]] == ["o"]
    assert told["Errors"] == [{"SecretId": arn, "ErrorCode": NOT_ALLOWED["Code"], "Message": NOT_ALLOWED["Message"]}]
    assert whole.batch_get_secret_value(SecretIdList=["app"])["SecretValues"][0]["SecretString"] == "s"
    assert half.describe_secret(SecretId="app")["KmsKeyId"] == key
    assert error_of(without.put_secret_value, SecretId=arn, SecretString="t") == NOT_ALLOWED
    half.put_secret_value(SecretId=arn, SecretString="t")
    assert error_of(without.update_secret, SecretId=arn, SecretString="u") == NOT_ALLOWED
    without.update_secret(SecretId=arn, Description="of the app")
    assert whole.get_secret_value(SecretId=arn)["SecretString"] == "t"


def test_another_key_for_a_secret_needs_the_one_that_it_has(cloud, key):
    second = cloud.client("kms").create_key()["KeyMetadata"]["Arn"]
    thief, owner = users(cloud, "secretsmanager", thief=allow("kms:*", second), owner=allow("kms:*", [key, second]))
    owner.create_secret(Name="app", KmsKeyId=key, SecretString="s")
    assert error_of(thief.update_secret, SecretId="app", KmsKeyId=second) == NOT_ALLOWED
    owner.update_secret(SecretId="app", KmsKeyId=second)
    assert thief.get_secret_value(SecretId="app")["SecretString"] == "s"


def test_the_own_key_of_secrets_manager_is_open_to_the_account_alone(cloud, other):
    through = {"StringEquals": {"kms:ViaService": f"secretsmanager.{REGION}.amazonaws.com"}}
    plain, denied = users(cloud, "secretsmanager", plain=None, denied=deny("kms:*", **through))
    arn = plain.create_secret(Name="app", SecretString="s")["ARN"]
    assert plain.get_secret_value(SecretId="app")["SecretString"] == "s"
    assert error_of(denied.get_secret_value, SecretId="app") == NOT_ALLOWED
    assert error_of(denied.put_secret_value, SecretId="app", SecretString="t") == NOT_ALLOWED
    text = policy(to({"AWS": OTHER}, allow("secretsmanager:GetSecretValue")))
    plain.put_resource_policy(SecretId=arn, ResourcePolicy=text)
    assert error_of(cloud.client("secretsmanager", other).get_secret_value, SecretId=arn) == NOT_ALLOWED


def test_a_secret_and_a_key_can_be_shared_with_another_account(cloud, other, key):
    secrets, kms = cloud.client("secretsmanager"), cloud.client("kms")
    arn = secrets.create_secret(Name="app", SecretString="s", KmsKeyId=key)["ARN"]
    secrets.put_resource_policy(
        SecretId=arn, ResourcePolicy=policy(to({"AWS": OTHER}, allow("secretsmanager:GetSecretValue")))
    )
    theirs = cloud.client("secretsmanager", other)
    assert error_of(theirs.get_secret_value, SecretId=arn) == NOT_ALLOWED
    own = to({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, allow("kms:*"))
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=policy(own, to({"AWS": OTHER}, allow("kms:Decrypt"))))
    assert theirs.get_secret_value(SecretId=arn)["SecretString"] == "s"


def test_the_context_of_a_secret(cloud, key):
    secrets = cloud.client("secretsmanager")
    made = secrets.create_secret(Name="app", SecretString="s", KmsKeyId=key)
    context = {
        "kms:EncryptionContext:SecretARN": made["ARN"],
        "kms:EncryptionContext:SecretVersionId": made["VersionId"],
    }
    (client,) = users(cloud, "secretsmanager", client=allow("kms:*", key, StringEquals=context))
    assert client.get_secret_value(SecretId="app")["SecretString"] == "s"
    secrets.put_secret_value(SecretId="app", SecretString="t")
    assert error_of(client.get_secret_value, SecretId="app") == NOT_ALLOWED
    (told, *_) = cloud.events("Decrypt")
    assert told["requestParameters"]["encryptionContext"]["secretARN"] == made["ARN"]
    assert told["userIdentity"]["invokedBy"] == "secretsmanager.amazonaws.com"


def test_secrets_of_keys_that_cannot_be_used(cloud, key):
    secrets, kms = cloud.client("secretsmanager"), cloud.client("kms")
    secrets.create_secret(Name="app", SecretString="s", KmsKeyId=key)
    kms.disable_key(KeyId=key)
    assert code_of(secrets.get_secret_value, SecretId="app") == "DecryptionFailure"
    assert code_of(secrets.put_secret_value, SecretId="app", SecretString="t") == "EncryptionFailure"
    assert code_of(secrets.create_secret, Name="b", SecretString="t", KmsKeyId="alias/none") == "EncryptionFailure"


def test_secure_strings_are_encrypted_by_tier_and_decrypted(cloud, key):
    encrypts, generates = allow("kms:Encrypt", key), allow("kms:GenerateDataKey", key)
    without, standard, advanced, reader = users(
        cloud, "ssm", without=None, standard=encrypts, advanced=generates, reader=allow("kms:Decrypt", key)
    )
    given = {"Type": "SecureString", "Value": "hidden", "KeyId": key}
    message = error_of(without.put_parameter, Name="/app/a", **given)["Message"]
    assert f"is not authorized to perform: kms:Encrypt on resource: {key}" in message
    assert code_of(advanced.put_parameter, Name="/app/a", **given) == "AccessDeniedException"
    standard.put_parameter(Name="/app/a", **given)
    assert code_of(standard.put_parameter, Name="/app/b", Tier="Advanced", **given) == "AccessDeniedException"
    advanced.put_parameter(Name="/app/b", Tier="Advanced", **given)
    for operation, named in (
        ("get_parameter", {"Name": "/app/a"}),
        ("get_parameters", {"Names": ["/app/a", "/app/b"]}),
        ("get_parameters_by_path", {"Path": "/app"}),
        ("get_parameter_history", {"Name": "/app/a"}),
    ):
        error = error_of(getattr(standard, operation), WithDecryption=True, **named)
        assert error["Code"] == "AccessDeniedException"
        assert "kms:Decrypt on the resource associated with this ciphertext" in error["Message"]
        assert '"hidden"' in json.dumps(getattr(reader, operation)(WithDecryption=True, **named), default=str)
        # Nobody sees it without decryption.
        assert "hidden" not in json.dumps(getattr(reader, operation)(**named), default=str)


def test_a_parameter_that_refers_to_a_secret_needs_the_secrets_key(cloud, key):
    cloud.client("secretsmanager").create_secret(Name="app", KmsKeyId=key, SecretString="s")
    reads = allow(["ssm:GetParameter", "secretsmanager:GetSecretValue"])
    through = {"StringEquals": {"kms:ViaService": f"secretsmanager.{REGION}.amazonaws.com"}}
    without, whole = (
        cloud.client("ssm", cloud.user(name, reads, *more))
        for name, more in (("without", []), ("whole", [allow("kms:Decrypt", key, **through)]))
    )
    given = {"Name": "/aws/reference/secretsmanager/app", "WithDecryption": True}
    assert code_of(without.get_parameter, **given) == "AccessDeniedException"
    assert whole.get_parameter(**given)["Parameter"]["Value"] == "s"


def test_a_secure_string_that_is_overwritten_needs_its_new_key(cloud, key):
    admin = cloud.client("ssm")
    (client,) = users(cloud, "ssm", client=None)
    admin.put_parameter(Name="a", Type="SecureString", Value="hidden", KeyId=key)
    assert code_of(client.put_parameter, Name="a", Value="new", KeyId=key, Overwrite=True) == "AccessDeniedException"
    # Without a key it is the service's own, which is open to the account.
    client.put_parameter(Name="a", Value="new", Overwrite=True, Type="SecureString")
    assert client.get_parameter(Name="a", WithDecryption=True)["Parameter"]["Value"] == "new"
    context = {"kms:EncryptionContext:PARAMETER_ARN": f"{PARAMETER}/a"}
    (denied,) = users(cloud, "ssm", denied=deny("kms:Decrypt", StringEquals=context))
    assert code_of(denied.get_parameter, Name="a", WithDecryption=True) == "AccessDeniedException"
    cloud.client("kms").disable_key(KeyId=key)
    error = error_of(admin.put_parameter, Name="b", Type="SecureString", Value="hidden", KeyId=key)
    assert error == {"Code": "InvalidKeyId", "Message": f"{key} is disabled."}
