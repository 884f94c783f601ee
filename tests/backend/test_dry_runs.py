"""Dry runs of EC2 and KMS change nothing and tell whether the request would have succeeded.

AWS: EC2 API Reference, "Common query parameters" (DryRun); KMS Developer Guide, "Testing your permissions".
"""

import pytest
from gateway.two_accounts import code_of, error_of
from running import allow

ADMIN = "arn:aws:iam::123456789012:user/admin"


@pytest.fixture
def ec2(cloud):
    return cloud.client("ec2")


@pytest.fixture
def kms(cloud):
    return cloud.client("kms")


@pytest.fixture
def key(kms):
    return kms.create_key()["KeyMetadata"]["KeyId"]


def test_a_dry_run_of_ec2_makes_and_deletes_nothing(ec2):
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    here = [{"Name": "vpc-id", "Values": [vpc]}]
    acl = ec2.describe_network_acls(Filters=here)["NetworkAcls"][0]
    entry = {"RuleNumber": 7, "Protocol": "-1", "RuleAction": "allow", "Egress": False, "CidrBlock": "0.0.0.0/0"}
    for call, given in (
        (ec2.create_network_acl_entry, {"NetworkAclId": acl["NetworkAclId"], **entry}),
        (ec2.delete_route_table, {"RouteTableId": table}),
        (ec2.describe_network_acls, {}),
        (ec2.create_security_group, {"GroupName": "orders", "Description": "orders", "VpcId": vpc}),
    ):
        error = error_of(call, **given, DryRun=True)
        assert error["Code"] == "DryRunOperation"
        assert error["Message"] == "Request would have succeeded, but DryRun flag is set."
    assert ec2.describe_network_acls(Filters=here)["NetworkAcls"] == [acl]
    assert ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"]


def test_a_dry_run_that_is_not_allowed_is_refused(cloud, ec2):
    caller = cloud.client("ec2", cloud.user("reader", allow("ec2:Describe*")))
    assert code_of(caller.delete_route_table, RouteTableId="rtb-1", DryRun=True) == "UnauthorizedOperation"
    assert code_of(caller.describe_route_tables, DryRun=True) == "DryRunOperation"


def test_a_request_that_says_that_it_is_no_dry_run_is_none(ec2):
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16", DryRun=False)["Vpc"]["VpcId"]
    assert ec2.create_route_table(VpcId=vpc, DryRun=False)["RouteTable"]
    assert ec2.create_security_group(GroupName="orders", Description="orders", VpcId=vpc, DryRun=False)["GroupId"]


def test_a_dry_run_of_kms_makes_and_ends_no_grant(kms, key):
    granted = {"KeyId": key, "GranteePrincipal": ADMIN, "Operations": ["Decrypt"]}
    assert code_of(kms.create_grant, **granted, DryRun=True) == "DryRunOperationException"
    assert kms.list_grants(KeyId=key)["Grants"] == []
    grant = kms.create_grant(**granted, RetiringPrincipal=ADMIN)["GrantId"]
    arn = kms.describe_key(KeyId=key)["KeyMetadata"]["Arn"]
    assert code_of(kms.revoke_grant, KeyId=key, GrantId=grant, DryRun=True) == "DryRunOperationException"
    assert code_of(kms.retire_grant, KeyId=arn, GrantId=grant, DryRun=True) == "DryRunOperationException"
    assert [one["GrantId"] for one in kms.list_grants(KeyId=key)["Grants"]] == [grant]


def test_a_grant_of_a_dry_run_lets_nobody_in(cloud, kms, key):
    reader = cloud.user("reader")
    given = {"KeyId": key, "GranteePrincipal": "arn:aws:iam::123456789012:user/reader", "Operations": ["Encrypt"]}
    assert code_of(kms.create_grant, **given, DryRun=True) == "DryRunOperationException"
    theirs = cloud.client("kms", reader)
    assert code_of(theirs.encrypt, KeyId=key, Plaintext=b"secret") == "AccessDeniedException"


def test_a_dry_run_of_kms_hands_out_nothing(kms, key):
    ciphertext = kms.encrypt(KeyId=key, Plaintext=b"secret")["CiphertextBlob"]
    hashing = kms.create_key(KeyUsage="GENERATE_VERIFY_MAC", KeySpec="HMAC_256")["KeyMetadata"]["KeyId"]
    signing = kms.create_key(KeyUsage="SIGN_VERIFY", KeySpec="ECC_NIST_P256")["KeyMetadata"]["KeyId"]
    hashed = {"KeyId": hashing, "Message": b"message", "MacAlgorithm": "HMAC_SHA_256"}
    message = {"KeyId": signing, "Message": b"message", "SigningAlgorithm": "ECDSA_SHA_256"}
    for call, given in (
        (kms.encrypt, {"KeyId": key, "Plaintext": b"secret"}),
        (kms.decrypt, {"CiphertextBlob": ciphertext}),
        (kms.re_encrypt, {"CiphertextBlob": ciphertext, "DestinationKeyId": key}),
        (kms.generate_data_key, {"KeyId": key, "KeySpec": "AES_256"}),
        (kms.generate_data_key_without_plaintext, {"KeyId": key, "KeySpec": "AES_256"}),
        (kms.generate_mac, hashed),
        (kms.verify_mac, {**hashed, "Mac": kms.generate_mac(**hashed)["Mac"]}),
        (kms.sign, message),
        (kms.verify, {**message, "Signature": kms.sign(**message)["Signature"]}),
    ):
        assert code_of(call, **given, DryRun=True) == "DryRunOperationException"


def test_a_dry_run_of_kms_tells_of_a_key_that_can_not_be_used(kms, key):
    kms.disable_key(KeyId=key)
    granted = {"KeyId": key, "GranteePrincipal": ADMIN, "Operations": ["Decrypt"]}
    assert code_of(kms.create_grant, **granted, DryRun=True) == "DisabledException"
    assert code_of(kms.encrypt, KeyId=key, Plaintext=b"secret", DryRun=True) == "DisabledException"


def test_a_dry_run_that_the_backend_would_carry_out_is_refused(cloud):
    kinesis = cloud.client("kinesis")
    kinesis.create_stream(StreamName="orders", ShardCount=1)
    shard = {"StreamName": "orders", "ShardId": "shardId-000000000000", "ShardIteratorType": "TRIM_HORIZON"}
    record = {"StreamName": "orders", "Data": b"data", "PartitionKey": "a"}
    assert code_of(kinesis.put_record, **record, DryRun=True) == "NotImplemented"
    iterator = kinesis.get_shard_iterator(**shard, DryRun=False)["ShardIterator"]
    assert kinesis.get_records(ShardIterator=iterator)["Records"] == []
    support = cloud.client("support")
    case = {"subject": "orders", "communicationBody": "late"}
    assert code_of(support.create_case, **case, dryRun=True) == "NotImplemented"
    assert support.describe_cases()["cases"] == []
    domains = cloud.client("opensearch")
    domains.create_domain(DomainName="orders")
    change = {"DomainName": "orders", "ClusterConfig": {"InstanceCount": 3}}
    assert code_of(domains.update_domain_config, **change, DryRun=True) == "NotImplemented"
    assert domains.describe_domain(DomainName="orders")["DomainStatus"]["ClusterConfig"]["InstanceCount"] == 1
