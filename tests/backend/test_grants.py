"""Grants of KMS: one for each name, and those that are asked for (KMS API Reference, CreateGrant and ListGrants)."""

import pytest
from gateway.two_accounts import code_of
from running import ACCOUNT

SERVICE = "backup.amazonaws.com"
SOURCE = {"SourceArn": f"arn:aws:backup:us-east-1:{ACCOUNT}:backup-vault:v"}


@pytest.fixture
def kms(cloud):
    return cloud.client("kms")


@pytest.fixture
def ann(cloud):
    return user(cloud, "ann")


def user(cloud, name):
    cloud.user(name)
    return f"arn:aws:iam::{ACCOUNT}:user/{name}"


@pytest.fixture
def key(kms):
    return kms.create_key()["KeyMetadata"]["Arn"]


def ids(kms, key, **more):
    return {one["GrantId"] for one in kms.list_grants(KeyId=key, **more)["Grants"]}


def test_a_grant_is_made_once_for_its_name(kms, key, ann):
    given = {"KeyId": key, "GranteePrincipal": ann, "Operations": ["Decrypt", "Encrypt"], "Name": "mine"}
    first = kms.create_grant(**given)
    again = kms.create_grant(**{**given, "Operations": ["Encrypt", "Decrypt"]})
    assert again["GrantId"] == first["GrantId"]
    assert ids(kms, key) == {first["GrantId"]}
    # With anything else it is another grant, and so is one without a name.
    others = [
        kms.create_grant(**{**given, "Operations": ["Decrypt"]}),
        kms.create_grant(**given, Constraints={"EncryptionContextSubset": {"a": "b"}}),
        kms.create_grant(**given, RetiringPrincipal=ann),
        kms.create_grant(**{**given, "Name": "other"}),
    ]
    del given["Name"]
    others += [kms.create_grant(**given), kms.create_grant(**given)]
    assert len(ids(kms, key)) == 7
    assert len({one["GrantId"] for one in others}) == 6
    kms.revoke_grant(KeyId=key, GrantId=first["GrantId"])
    assert first["GrantId"] not in ids(kms, key)


def test_grants_are_those_of_whom_is_asked_for(cloud, kms, key, ann):
    bob = user(cloud, "bob")
    of_ann = kms.create_grant(KeyId=key, GranteePrincipal=ann, Operations=["Decrypt"])["GrantId"]
    of_bob = kms.create_grant(KeyId=key, GranteePrincipal=bob, Operations=["Decrypt"])["GrantId"]
    given = {"KeyId": key, "GranteeServicePrincipal": SERVICE, "Operations": ["Decrypt"], "RetiringPrincipal": ann}
    of_service = kms.create_grant(**given, Constraints=SOURCE)["GrantId"]
    assert ids(kms, key) == {of_ann, of_bob, of_service}
    assert ids(kms, key, GranteePrincipal=ann) == {of_ann}
    assert ids(kms, key, GranteeServicePrincipal=SERVICE) == {of_service}
    [told] = kms.list_grants(KeyId=key, GrantId=of_service)["Grants"]
    assert (told["GranteeServicePrincipal"], told.get("GranteePrincipal")) == (SERVICE, None)
    assert told["Constraints"] == SOURCE


def test_a_grant_is_for_a_principal_or_for_a_service_that_is_bound(kms, key, ann):
    base = {"KeyId": key, "Operations": ["Decrypt"]}
    service = {"GranteeServicePrincipal": SERVICE, "RetiringPrincipal": ann, "Constraints": SOURCE}
    wrong = [
        {},
        {**service, "GranteePrincipal": ann},
        {**service, "Constraints": {"EncryptionContextSubset": {"a": "b"}}},
        {name: value for name, value in service.items() if name != "RetiringPrincipal"},
    ]
    for one in wrong:
        assert code_of(kms.create_grant, **base, **one) == "ValidationException"
    assert ids(kms, key) == set()
