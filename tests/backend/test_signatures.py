"""What keys of KMS sign holds by their public keys, and what does not hold is an error (KMS API Reference, Verify)."""

import hashlib

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.serialization import load_der_public_key
from gateway.two_accounts import error_of

MESSAGE = b"order"


@pytest.fixture
def kms(cloud):
    return cloud.client("kms")


def made(kms, spec):
    return kms.create_key(KeySpec=spec, KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]


def checks(kms, key, algorithm):
    """A check of a signature by whoever has the public key."""
    public = load_der_public_key(kms.get_public_key(KeyId=key)["PublicKey"])
    hashed = {"256": hashes.SHA256, "384": hashes.SHA384, "512": hashes.SHA512}[algorithm[-3:]]()
    if algorithm.startswith("ECDSA"):
        return lambda signature: public.verify(signature, MESSAGE, ec.ECDSA(hashed))
    # AWS: the salt is as long as the hash (KMS Developer Guide, "Asymmetric key specs").
    pss = padding.PSS(padding.MGF1(hashed), padding.PSS.DIGEST_LENGTH)
    return lambda signature: public.verify(
        signature, MESSAGE, pss if "PSS" in algorithm else padding.PKCS1v15(), hashed
    )


@pytest.mark.parametrize(
    ("spec", "algorithm"),
    [
        ("ECC_NIST_P256", "ECDSA_SHA_256"),
        ("ECC_NIST_P384", "ECDSA_SHA_384"),
        ("RSA_2048", "RSASSA_PSS_SHA_512"),
        ("RSA_2048", "RSASSA_PKCS1_V1_5_SHA_256"),
    ],
)
def test_a_message_and_its_digest_have_signatures_that_hold(kms, spec, algorithm):
    key = made(kms, spec)
    digest = hashlib.new(f"sha{algorithm[-3:]}", MESSAGE).digest()
    whole, hashed = {"Message": MESSAGE}, {"Message": digest, "MessageType": "DIGEST"}
    for given in (whole, hashed):
        signature = kms.sign(KeyId=key, SigningAlgorithm=algorithm, **given)["Signature"]
        checks(kms, key, algorithm)(signature)
        for same in (whole, hashed):
            told = kms.verify(KeyId=key, SigningAlgorithm=algorithm, Signature=signature, **same)
            assert told["SignatureValid"] is True


def test_a_signature_that_does_not_hold_is_an_error(kms):
    key = made(kms, "ECC_NIST_P256")
    signature = kms.sign(KeyId=key, Message=MESSAGE, SigningAlgorithm="ECDSA_SHA_256")["Signature"]
    given = {"KeyId": key, "Message": b"another order", "SigningAlgorithm": "ECDSA_SHA_256", "Signature": signature}
    assert error_of(kms.verify, **given)["Code"] == "KMSInvalidSignatureException"


def test_what_is_no_digest_of_the_algorithm_is_not_signed(kms):
    key = made(kms, "ECC_NIST_P256")
    given = {"KeyId": key, "Message": MESSAGE, "MessageType": "DIGEST", "SigningAlgorithm": "ECDSA_SHA_256"}
    error = error_of(kms.sign, **given)
    words = "Digest is invalid length for algorithm ECDSA_SHA_256."
    assert (error["Code"], error["Message"]) == ("ValidationException", words)
    assert error_of(kms.sign, **{**given, "MessageType": "EXTERNAL_MU"})["Code"] == "NotImplemented"
