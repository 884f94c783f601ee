"""What requests for keys of KMS say is done or refused by its name, and replicas are keys of their own."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from gateway.two_accounts import code_of, error_of
from running import allow, deny

ELSEWHERE = "eu-west-1"


@pytest.fixture
def kms(cloud):
    return cloud.client("kms")


def made(kms, **options):
    return kms.create_key(**options)["KeyMetadata"]["KeyId"]


@pytest.mark.parametrize("given", [{}, {"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"}])
def test_a_symmetric_key_has_no_public_key_and_one_that_is_no_such_is_not_rotated(kms, given):
    key = made(kms, **given)
    assert code_of(kms.get_public_key, KeyId=key) == "UnsupportedOperationException"


def test_a_key_that_does_not_encrypt_symmetrically_is_not_rotated(kms):
    key = made(kms, KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")
    assert code_of(kms.enable_key_rotation, KeyId=key) == "UnsupportedOperationException"
    usual = made(kms)
    kms.enable_key_rotation(KeyId=usual)
    assert kms.get_key_rotation_status(KeyId=usual)["KeyRotationEnabled"] is True


def test_a_key_is_rotated_in_its_period(kms):
    key = made(kms)
    before = kms.get_key_rotation_status(KeyId=key)
    assert (before["KeyId"], before["KeyRotationEnabled"]) == (key, False)
    assert {"RotationPeriodInDays", "NextRotationDate"}.isdisjoint(before)
    for given, period in (({"RotationPeriodInDays": 90}, 90), ({}, 365)):
        kms.enable_key_rotation(KeyId=key, **given)
        told = kms.get_key_rotation_status(KeyId=key)
        assert told["RotationPeriodInDays"] == period
        ahead = told["NextRotationDate"] - datetime.now(UTC)
        assert timedelta(days=period - 1) < ahead <= timedelta(days=period)
    # What is less botocore does not send.
    assert code_of(kms.enable_key_rotation, KeyId=key, RotationPeriodInDays=2561) == "ValidationException"
    assert kms.get_key_rotation_status(KeyId=key)["RotationPeriodInDays"] == 365
    kms.disable_key_rotation(KeyId=key)
    assert "RotationPeriodInDays" not in kms.get_key_rotation_status(KeyId=key)


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"Origin": "EXTERNAL"}, "Origin"),
        ({"Origin": "AWS_CLOUDHSM", "CustomKeyStoreId": "cks-1234567890abcdef0"}, "CustomKeyStoreId"),
        ({"Origin": "EXTERNAL_KEY_STORE", "XksKeyId": "key"}, "Origin"),
    ],
)
def test_a_key_whose_material_would_be_elsewhere_is_not_made(kms, given, name):
    error = error_of(kms.create_key, **given)
    words = f"The embedded backend does not implement {name} of CreateKey."
    assert (error["Code"], error["Message"]) == ("NotImplemented", words)
    assert kms.list_keys()["Keys"] == []


def test_what_is_for_an_enclave_is_not_told_to_its_caller(kms):
    key = made(kms)
    ciphertext = kms.encrypt(KeyId=key, Plaintext=b"secret")["CiphertextBlob"]
    enclave = {"Recipient": {"KeyEncryptionAlgorithm": "RSAES_OAEP_SHA_256", "AttestationDocument": b"document"}}
    for call, given in (
        (kms.decrypt, {"CiphertextBlob": ciphertext}),
        (kms.generate_data_key, {"KeyId": key, "KeySpec": "AES_256"}),
        (kms.generate_random, {"NumberOfBytes": 16}),
    ):
        assert error_of(call, **given, **enclave)["Message"] == "The embedded backend does not implement Recipient."


@pytest.mark.parametrize("days", [6, 31])
def test_a_key_is_deleted_within_a_week_and_a_month(kms, days):
    key = made(kms)
    assert code_of(kms.schedule_key_deletion, KeyId=key, PendingWindowInDays=days) == "ValidationException"
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "Enabled"


def test_one_encryption_context_is_not_another(kms):
    """A policy that rests on `kms:EncryptionContext:ab` is not met by who knows what is encrypted with `a`."""
    key = made(kms)
    ciphertext = kms.encrypt(KeyId=key, Plaintext=b"secret", EncryptionContext={"a": "bc", "d": "e"})["CiphertextBlob"]
    for other in ({"ab": "c", "d": "e"}, {"a": "bcde"}, {"a": "bc"}, {}):
        given = {"CiphertextBlob": ciphertext, "EncryptionContext": other}
        assert code_of(kms.decrypt, **given) == "InvalidCiphertextException"
    same = {"CiphertextBlob": ciphertext, "EncryptionContext": {"d": "e", "a": "bc"}}
    assert kms.decrypt(**same)["Plaintext"] == b"secret"


@pytest.fixture
def replicated(cloud, kms):
    """A multi-Region key, and the KMS where its replica is to be."""
    return made(kms, MultiRegion=True, Description="orders"), cloud.client("kms", region=ELSEWHERE)


def test_a_replica_has_the_tags_policy_and_description_that_it_was_given(kms, replicated):
    key, elsewhere = replicated
    policy = json.dumps({"Version": "2012-10-17", "Statement": [{**allow("kms:*"), "Principal": "*"}]})
    tags = [{"TagKey": "team", "TagValue": "red"}]
    told = kms.replicate_key(KeyId=key, ReplicaRegion=ELSEWHERE, Policy=policy, Description="copy", Tags=tags)
    assert (told["ReplicaPolicy"], told["ReplicaTags"]) == (policy, tags)
    assert elsewhere.list_resource_tags(KeyId=key)["Tags"] == tags
    assert json.loads(elsewhere.get_key_policy(KeyId=key)["Policy"]) == json.loads(policy)
    assert elsewhere.describe_key(KeyId=key)["KeyMetadata"]["Description"] == "copy"
    assert kms.list_resource_tags(KeyId=key)["Tags"] == []
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["Description"] == "orders"


def test_a_denial_by_the_tags_of_a_replica_holds(cloud, kms, replicated):
    key, _ = replicated
    kms.replicate_key(KeyId=key, ReplicaRegion=ELSEWHERE, Tags=[{"TagKey": "team", "TagValue": "red"}])
    red = deny("kms:Encrypt", StringEquals={"aws:ResourceTag/team": "red"})
    ann = cloud.user("ann", allow("kms:*"), red)
    theirs = cloud.client("kms", ann, region=ELSEWHERE)
    assert code_of(theirs.encrypt, KeyId=key, Plaintext=b"secret") == "AccessDeniedException"
    assert cloud.client("kms", ann).encrypt(KeyId=key, Plaintext=b"secret")["KeyId"].endswith(key)


def test_a_replica_shares_no_grants_and_aliases_with_its_primary_key(cloud, kms, replicated):
    key, elsewhere = replicated
    kms.replicate_key(KeyId=key, ReplicaRegion=ELSEWHERE)
    elsewhere.create_alias(AliasName="alias/orders", TargetKeyId=key)
    ann = cloud.client("iam").create_user(UserName="ann")["User"]["Arn"]
    elsewhere.create_grant(KeyId=key, GranteePrincipal=ann, Operations=["Decrypt"])
    assert kms.list_aliases(KeyId=key)["Aliases"] == []
    assert kms.list_grants(KeyId=key)["Grants"] == []
    assert len(elsewhere.list_grants(KeyId=key)["Grants"]) == 1


def kind(kms, key):
    return kms.describe_key(KeyId=key)["KeyMetadata"]["MultiRegionConfiguration"]["MultiRegionKeyType"]


def test_a_primary_key_and_its_replica_are_told_apart(cloud, kms, replicated):
    key, elsewhere = replicated
    made = kms.replicate_key(KeyId=key, ReplicaRegion=ELSEWHERE)["ReplicaKeyMetadata"]
    assert made["MultiRegionConfiguration"]["MultiRegionKeyType"] == "REPLICA"
    assert (kind(elsewhere, key), kind(kms, key)) == ("REPLICA", "PRIMARY")
    primary = allow("kms:Encrypt", StringEquals={"kms:MultiRegionKeyType": "PRIMARY"})
    ann = cloud.user("ann", primary)
    cloud.client("kms", ann).encrypt(KeyId=key, Plaintext=b"secret")
    theirs = cloud.client("kms", ann, region=ELSEWHERE)
    assert code_of(theirs.encrypt, KeyId=key, Plaintext=b"secret") == "AccessDeniedException"


def test_a_replica_that_is_there_is_not_replaced(kms, replicated):
    key, elsewhere = replicated
    kms.replicate_key(KeyId=key, ReplicaRegion=ELSEWHERE)
    elsewhere.disable_key(KeyId=key)
    assert code_of(kms.replicate_key, KeyId=key, ReplicaRegion=ELSEWHERE) == "AlreadyExistsException"
    assert elsewhere.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "Disabled"


def test_what_is_no_multi_region_primary_key_is_not_replicated(kms, replicated):
    key, elsewhere = replicated
    kms.replicate_key(KeyId=key, ReplicaRegion=ELSEWHERE)
    given = {"KeyId": key, "ReplicaRegion": "eu-central-1"}
    assert code_of(elsewhere.replicate_key, **given) == "UnsupportedOperationException"
    assert code_of(kms.replicate_key, **{**given, "KeyId": made(kms)}) == "UnsupportedOperationException"
