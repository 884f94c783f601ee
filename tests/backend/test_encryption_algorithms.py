"""Keys of KMS encrypt and decrypt by an algorithm that they have (KMS API Reference, Encrypt, Decrypt and ReEncrypt)."""

import pytest
from gateway.two_accounts import code_of
from running import allow, deny

SHA_1, SHA_256, SYMMETRIC = "RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256", "SYMMETRIC_DEFAULT"


@pytest.fixture
def kms(cloud):
    return cloud.client("kms")


@pytest.fixture
def rsa(kms):
    return kms.create_key(KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT")["KeyMetadata"]["Arn"]


@pytest.fixture
def plain(kms):
    return kms.create_key()["KeyMetadata"]["Arn"]


def test_a_key_has_the_algorithm(kms, rsa, plain):
    for key, wrong in ((rsa, {}), (rsa, {"EncryptionAlgorithm": SYMMETRIC}), (plain, {"EncryptionAlgorithm": SHA_1})):
        assert code_of(kms.encrypt, KeyId=key, Plaintext=b"x", **wrong) == "InvalidKeyUsageException"
    sealed = kms.encrypt(KeyId=plain, Plaintext=b"x", EncryptionAlgorithm=SYMMETRIC)["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=sealed)["Plaintext"] == b"x"
    assert code_of(kms.generate_data_key, KeyId=rsa, KeySpec="AES_256") == "InvalidKeyUsageException"


def test_what_one_algorithm_has_encrypted_no_other_decrypts(kms, rsa, plain):
    sealed = kms.encrypt(KeyId=rsa, Plaintext=b"x", EncryptionAlgorithm=SHA_256)["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=sealed, KeyId=rsa, EncryptionAlgorithm=SHA_256)["Plaintext"] == b"x"
    refusals = {"InvalidCiphertextException", "InvalidKeyUsageException"}
    for wrong in ({"EncryptionAlgorithm": SHA_1}, {"EncryptionAlgorithm": SYMMETRIC}, {}):
        assert code_of(kms.decrypt, CiphertextBlob=sealed, KeyId=rsa, **wrong) in refusals
    for context in ({}, {"algorithm": SHA_256}):
        sealed = kms.encrypt(KeyId=plain, Plaintext=b"x", EncryptionContext=context)["CiphertextBlob"]
        assert code_of(kms.decrypt, CiphertextBlob=sealed, KeyId=plain, EncryptionAlgorithm=SHA_256) in refusals


def test_an_asymmetric_key_has_no_encryption_context(kms, rsa):
    given = {"KeyId": rsa, "EncryptionAlgorithm": SHA_256, "EncryptionContext": {"a": "b"}}
    assert code_of(kms.encrypt, Plaintext=b"x", **given) == "ValidationException"
    given["EncryptionContext"] = {"algorithm": SHA_1}
    assert code_of(kms.encrypt, Plaintext=b"x", **given) == "ValidationException"


def test_both_keys_of_reencrypt_have_their_algorithms(kms, rsa, plain):
    sealed = kms.encrypt(KeyId=plain, Plaintext=b"x")["CiphertextBlob"]
    given = {"CiphertextBlob": sealed, "SourceKeyId": plain, "DestinationKeyId": rsa}
    assert code_of(kms.re_encrypt, **given) == "InvalidKeyUsageException"
    moved = kms.re_encrypt(**given, DestinationEncryptionAlgorithm=SHA_1)["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=moved, KeyId=rsa, EncryptionAlgorithm=SHA_1)["Plaintext"] == b"x"
    back = {"CiphertextBlob": moved, "SourceKeyId": rsa, "DestinationKeyId": plain}
    assert code_of(kms.re_encrypt, **back, SourceEncryptionAlgorithm=SHA_256) == "InvalidCiphertextException"
    again = kms.re_encrypt(**back, SourceEncryptionAlgorithm=SHA_1)["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=again)["Plaintext"] == b"x"


def test_no_algorithm_stands_for_another_that_is_denied(cloud, kms, plain):
    sealed = kms.encrypt(KeyId=plain, Plaintext=b"x")["CiphertextBlob"]
    condition = {"kms:EncryptionAlgorithm": SYMMETRIC}
    mallory = cloud.client("kms", cloud.user("mallory", allow("kms:*"), deny("kms:Decrypt", StringEquals=condition)))
    assert code_of(mallory.decrypt, CiphertextBlob=sealed, KeyId=plain) == "AccessDeniedException"
    code = code_of(mallory.decrypt, CiphertextBlob=sealed, KeyId=plain, EncryptionAlgorithm=SHA_256)
    assert code in {"InvalidCiphertextException", "InvalidKeyUsageException"}
