"""What is refused of a KMS key for its state (KMS Developer Guide, "Key states of AWS KMS keys").

The embedded backend does, by these errors and words; iamd's own look at what services ask for their callers is tested
elsewhere.
"""

import pytest
from botocore import xform_name
from gateway.two_accounts import error_of

DISABLED = ("DisabledException", "is disabled.")
PENDING = ("KMSInvalidStateException", "is pending deletion.")


@pytest.fixture
def kms(cloud):
    return cloud.client("kms")


def made(kms, **options):
    return kms.create_key(**options)["KeyMetadata"]["Arn"]


def refused(told, call, **parameters):
    """That the call is refused by this error, in its words with the key's ARN before them."""
    code, ending = told
    error = error_of(call, **parameters)
    assert (error["Code"], error["Message"]) == (code, f"{parameters['KeyId']} {ending}")


def unused(kms, key, told):
    """That nothing of what uses a key for encryption is done with it."""
    for operation, given in {
        "encrypt": {"Plaintext": b"secret"},
        "generate_data_key": {"KeySpec": "AES_256"},
        "generate_data_key_without_plaintext": {"KeySpec": "AES_256"},
        "create_grant": {"GranteePrincipal": "arn:aws:iam::123456789012:user/admin", "Operations": ["Decrypt"]},
        "enable_key_rotation": {},
        "disable_key_rotation": {},
        "rotate_key_on_demand": {},
    }.items():
        refused(told, getattr(kms, operation), KeyId=key, **given)


@pytest.mark.parametrize(
    ("ended", "told"),
    [
        (lambda kms, key: kms.disable_key(KeyId=key), DISABLED),
        (lambda kms, key: kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7), PENDING),
    ],
    ids=["disabled", "pending deletion"],
)
def test_a_key_that_is_not_enabled_is_used_for_nothing(kms, ended, told):
    key, other = made(kms), made(kms)
    ciphertext = kms.encrypt(KeyId=key, Plaintext=b"secret")["CiphertextBlob"]
    from_other = kms.encrypt(KeyId=other, Plaintext=b"secret")["CiphertextBlob"]
    signing = made(kms, KeyUsage="SIGN_VERIFY", KeySpec="ECC_NIST_P256")
    hashing = made(kms, KeyUsage="GENERATE_VERIFY_MAC", KeySpec="HMAC_256")
    message = {"Message": b"message", "SigningAlgorithm": "ECDSA_SHA_256"}
    signature = kms.sign(KeyId=signing, **message)["Signature"]
    hashed = {"Message": b"message", "MacAlgorithm": "HMAC_SHA_256"}
    mac = kms.generate_mac(KeyId=hashing, **hashed)["Mac"]
    for one in (key, signing, hashing):
        ended(kms, one)

    unused(kms, key, told)
    refused(told, kms.decrypt, KeyId=key, CiphertextBlob=ciphertext)
    code, ending = told
    for call, given in (
        (kms.decrypt, {"CiphertextBlob": ciphertext}),
        (kms.re_encrypt, {"CiphertextBlob": ciphertext, "DestinationKeyId": other}),
        (kms.re_encrypt, {"CiphertextBlob": from_other, "DestinationKeyId": key}),
    ):
        error = error_of(call, **given)
        assert (error["Code"], error["Message"]) == (code, f"{key} {ending}")
    refused(told, kms.sign, KeyId=signing, **message)
    refused(told, kms.verify, KeyId=signing, Signature=signature, **message)
    refused(told, kms.get_public_key, KeyId=signing)
    refused(told, kms.generate_mac, KeyId=hashing, **hashed)
    refused(told, kms.verify_mac, KeyId=hashing, Mac=mac, **hashed)


def test_a_key_that_is_enabled_again_decrypts_what_it_has_encrypted(kms):
    key = made(kms)
    ciphertext = kms.encrypt(KeyId=key, Plaintext=b"secret")["CiphertextBlob"]
    kms.disable_key(KeyId=key)
    kms.enable_key(KeyId=key)
    assert kms.decrypt(CiphertextBlob=ciphertext)["Plaintext"] == b"secret"


def test_a_disabled_key_is_found_by_its_alias_too(kms):
    key = made(kms)
    kms.create_alias(AliasName="alias/orders", TargetKeyId=key)
    kms.disable_key(KeyId=key)
    assert error_of(kms.encrypt, KeyId="alias/orders", Plaintext=b"secret")["Code"] == "DisabledException"


def test_a_key_is_used_for_nothing_but_what_it_is_there_for(kms):
    encrypting = made(kms)
    assert kms.describe_key(KeyId=encrypting)["KeyMetadata"]["KeyUsage"] == "ENCRYPT_DECRYPT"
    signing = made(kms, KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")
    mac = made(kms, KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")
    given = {
        "Encrypt": {"Plaintext": b"secret"},
        "GenerateDataKey": {"KeySpec": "AES_256"},
        "GenerateMac": {"Message": b"order", "MacAlgorithm": "HMAC_SHA_256"},
        "Sign": {"Message": b"order", "SigningAlgorithm": "RSASSA_PSS_SHA_256"},
        "Verify": {"Message": b"order", "Signature": b"x", "SigningAlgorithm": "RSASSA_PSS_SHA_256"},
        "VerifyMac": {"Message": b"order", "Mac": b"x", "MacAlgorithm": "HMAC_SHA_256"},
    }
    for key, usage, others in (
        (encrypting, "ENCRYPT_DECRYPT", ("GenerateMac", "Sign", "Verify", "VerifyMac")),
        (signing, "SIGN_VERIFY", ("Encrypt", "GenerateDataKey", "GenerateMac", "VerifyMac")),
        (mac, "GENERATE_VERIFY_MAC", ("Encrypt", "GenerateDataKey", "Sign", "Verify")),
    ):
        for operation in others:
            words = f"key usage is {usage} which is not valid for {operation}."
            call = getattr(kms, xform_name(operation))
            refused(("InvalidKeyUsageException", words), call, KeyId=key, **given[operation])


def test_a_key_that_is_going_to_be_deleted_is_not_changed(kms):
    key, other = made(kms), made(kms)
    kms.create_alias(AliasName="alias/orders", TargetKeyId=other)
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    for call, given in (
        (kms.enable_key, {}),
        (kms.disable_key, {}),
        (kms.schedule_key_deletion, {"PendingWindowInDays": 7}),
        (kms.tag_resource, {"Tags": [{"TagKey": "team", "TagValue": "red"}]}),
        (kms.untag_resource, {"TagKeys": ["team"]}),
        (kms.update_key_description, {"Description": "orders"}),
    ):
        refused(PENDING, call, KeyId=key, **given)
    for call, name in ((kms.create_alias, "alias/more"), (kms.update_alias, "alias/orders")):
        error = error_of(call, AliasName=name, TargetKeyId=key)
        assert (error["Code"], error["Message"]) == ("KMSInvalidStateException", f"{key} is pending deletion.")
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "PendingDeletion"


def test_only_a_deletion_that_is_scheduled_is_cancelled(kms):
    key = made(kms)
    refused(("KMSInvalidStateException", "is not pending deletion."), kms.cancel_key_deletion, KeyId=key)
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    kms.cancel_key_deletion(KeyId=key)
    refused(DISABLED, kms.encrypt, KeyId=key, Plaintext=b"secret")


def test_a_ciphertext_of_another_key_is_not_decrypted(kms):
    key, other = made(kms), made(kms)
    ciphertext = kms.encrypt(KeyId=key, Plaintext=b"secret")["CiphertextBlob"]
    error = error_of(kms.decrypt, KeyId=other, CiphertextBlob=ciphertext)
    assert error["Code"] == "IncorrectKeyException"
    assert error["Message"] == "The key ID in the request does not identify a CMK that can perform this operation."
