"""Multi-Region keys of KMS: one id and key material in each Region (KMS Developer Guide, "Multi-Region keys in AWS KMS")."""

import re

import pytest
from gateway.two_accounts import code_of
from running import ACCOUNT, allow

ELSEWHERE = "eu-west-1"


@pytest.fixture
def kms(cloud):
    return cloud.client("kms")


@pytest.fixture
def key(kms):
    return kms.create_key(MultiRegion=True)["KeyMetadata"]["KeyId"]


def test_a_multi_region_key_has_an_id_of_aws_form(key):
    assert re.fullmatch("mrk-[0-9a-f]{32}", key)


def test_it_decrypts_what_it_has_encrypted(kms, key):
    made = kms.generate_data_key(KeyId=key, KeySpec="AES_256", EncryptionContext={"of": "orders"})
    given = {"CiphertextBlob": made["CiphertextBlob"], "EncryptionContext": {"of": "orders"}}
    assert kms.decrypt(**given)["Plaintext"] == made["Plaintext"]
    assert kms.decrypt(**given, KeyId=key)["Plaintext"] == made["Plaintext"]


def test_its_replica_decrypts_it_in_another_region(cloud, kms, key):
    ciphertext = kms.encrypt(KeyId=key, Plaintext=b"secret")["CiphertextBlob"]
    kms.replicate_key(KeyId=key, ReplicaRegion=ELSEWHERE)
    replica = cloud.client("kms", region=ELSEWHERE)
    told = replica.decrypt(CiphertextBlob=ciphertext)
    assert (told["Plaintext"], told["KeyId"]) == (b"secret", f"arn:aws:kms:{ELSEWHERE}:{ACCOUNT}:key/{key}")
    kms.disable_key(KeyId=key)
    assert code_of(kms.decrypt, CiphertextBlob=ciphertext) == "DisabledException"
    assert replica.decrypt(CiphertextBlob=ciphertext)["Plaintext"] == b"secret"


def test_decrypting_elsewhere_is_decided_on_the_replica(cloud, kms, key):
    ciphertext = kms.encrypt(KeyId=key, Plaintext=b"secret")["CiphertextBlob"]
    kms.replicate_key(KeyId=key, ReplicaRegion=ELSEWHERE)
    reader = cloud.user("reader", allow("kms:Decrypt", f"arn:aws:kms:us-east-1:{ACCOUNT}:key/{key}"))
    assert cloud.client("kms", reader).decrypt(CiphertextBlob=ciphertext)["Plaintext"] == b"secret"
    theirs = cloud.client("kms", reader, region=ELSEWHERE)
    assert code_of(theirs.decrypt, CiphertextBlob=ciphertext) == "AccessDeniedException"
    assert code_of(theirs.decrypt, CiphertextBlob=ciphertext, KeyId=key) == "AccessDeniedException"


def test_one_that_is_not_there_is_not_found(kms):
    assert code_of(kms.encrypt, KeyId="mrk-" + "0" * 32, Plaintext=b"secret") == "NotFoundException"
