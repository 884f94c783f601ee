"""Sixteen at once: what can be had a number of times is had that often, and nothing is left dangling (STO-03, PRN-06)."""

import json
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pyotp
import pytest
from botocore.exceptions import ClientError
from running import ACCOUNT, allow
from services.iam.world import DOCUMENT, TRUST, Devices

WRITERS = 16


@pytest.fixture
def at_once(aws: Any) -> Any:
    """`at_once(call, parameters for each writer)` gives how often it was done, and how often refused with which code."""
    clients = [aws.client("iam", max_pool_connections=WRITERS, user_agent_extra=f"w{n}") for n in range(WRITERS)]

    def run(operation, parameters):
        def one(number):
            try:
                getattr(clients[number], operation)(**parameters[number])
            except ClientError as error:
                return error.response["Error"]["Code"]
            return "done"

        with ThreadPoolExecutor(WRITERS) as pool:
            return Counter(pool.map(one, range(WRITERS)))

    return run


def each(**parameters):
    return [parameters] * WRITERS


def test_a_policy_gets_five_versions_of_different_numbers(iam, at_once):
    arn = iam.create_policy(PolicyName="p", PolicyDocument=DOCUMENT)["Policy"]["Arn"]
    told = at_once("create_policy_version", each(PolicyArn=arn, PolicyDocument=DOCUMENT, SetAsDefault=True))
    assert told == {"done": 4, "LimitExceeded": 12}
    versions = iam.list_policy_versions(PolicyArn=arn)["Versions"]
    assert [version["VersionId"] for version in versions] == ["v5", "v4", "v3", "v2", "v1"]
    assert [version["VersionId"] for version in versions if version["IsDefaultVersion"]] == ["v5"]


def test_a_user_gets_two_keys(iam, at_once):
    iam.create_user(UserName="ann")
    assert at_once("create_access_key", each(UserName="ann")) == {"done": 2, "LimitExceeded": 14}
    assert len(iam.list_access_keys(UserName="ann")["AccessKeyMetadata"]) == 2


@pytest.mark.parametrize(
    ("operation", "member", "more"),
    [
        ("create_user", "UserName", {}),
        ("create_group", "GroupName", {}),
        ("create_role", "RoleName", {"AssumeRolePolicyDocument": TRUST}),
        ("create_policy", "PolicyName", {"PolicyDocument": DOCUMENT}),
        ("create_instance_profile", "InstanceProfileName", {}),
    ],
)
def test_a_name_is_given_once_whatever_its_case_and_path(at_once, operation, member, more):
    spellings = [f"{'a' if n & 1 else 'A'}{'n' if n & 2 else 'N'}{'n' if n & 4 else 'N'}" for n in range(WRITERS)]
    told = at_once(operation, [{member: name, "Path": f"/p{n % 3}/", **more} for n, name in enumerate(spellings)])
    assert told == {"done": 1, "EntityAlreadyExists": 15}


def test_two_users_do_not_get_one_new_name(iam, at_once):
    for number in range(WRITERS):
        iam.create_user(UserName=f"u{number}")
    told = at_once("update_user", [{"UserName": f"u{n}", "NewUserName": "ann"} for n in range(WRITERS)])
    assert told == {"done": 1, "EntityAlreadyExists": 15}
    assert len(iam.list_users()["Users"]) == WRITERS + 1


def test_an_instance_profile_gets_one_role(iam, at_once):
    iam.create_instance_profile(InstanceProfileName="box")
    for number in range(WRITERS):
        iam.create_role(RoleName=f"r{number}", AssumeRolePolicyDocument=TRUST)
    told = at_once(
        "add_role_to_instance_profile", [{"InstanceProfileName": "box", "RoleName": f"r{n}"} for n in range(WRITERS)]
    )
    assert told == {"done": 1, "LimitExceeded": 15}


def test_a_user_gets_ten_policies_and_ten_groups(iam, at_once):
    iam.create_user(UserName="ann")
    arns = [
        iam.create_policy(PolicyName=f"p{number}", PolicyDocument=DOCUMENT)["Policy"]["Arn"]
        for number in range(WRITERS)
    ]
    for number in range(WRITERS):
        iam.create_group(GroupName=f"g{number}")
    told = at_once("attach_user_policy", [{"UserName": "ann", "PolicyArn": arn} for arn in arns])
    assert told == {"done": 10, "LimitExceeded": 6}
    told = at_once("add_user_to_group", [{"UserName": "ann", "GroupName": f"g{n}"} for n in range(WRITERS)])
    assert told == {"done": 10, "LimitExceeded": 6}
    assert len(iam.list_attached_user_policies(UserName="ann")["AttachedPolicies"]) == 10
    assert len(iam.list_groups_for_user(UserName="ann")["Groups"]) == 10


def test_no_tag_and_no_inline_policy_is_lost(iam, at_once):
    iam.create_user(UserName="ann")
    tags = [{"UserName": "ann", "Tags": [{"Key": f"k{n}", "Value": str(n)}]} for n in range(WRITERS)]
    assert at_once("tag_user", tags) == {"done": WRITERS}
    small = json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "a:b", "Resource": "*"}})
    policies = [{"UserName": "ann", "PolicyName": f"p{n}", "PolicyDocument": small} for n in range(WRITERS)]
    assert at_once("put_user_policy", policies) == {"done": WRITERS}
    assert len(iam.list_user_tags(UserName="ann")["Tags"]) == WRITERS
    assert len(iam.list_user_policies(UserName="ann")["PolicyNames"]) == WRITERS


def test_an_alias_and_a_login_profile_are_given_once(iam, at_once):
    iam.create_user(UserName="ann")
    told = at_once("create_login_profile", each(UserName="ann", Password="Correct-Horse-1"))
    assert told == {"done": 1, "EntityAlreadyExists": 15}
    assert at_once("create_account_alias", each(AccountAlias="acme")) == {"done": 1, "EntityAlreadyExists": 15}


def test_a_device_is_enabled_for_one_of_many_users(iam, at_once):
    device, seed = Devices(iam).new("phone")
    for number in range(WRITERS):
        iam.create_user(UserName=f"u{number}")
    asked = {"SerialNumber": device, **Devices.codes(seed)}
    told = at_once("enable_mfa_device", [{"UserName": f"u{n}", **asked} for n in range(WRITERS)])
    assert told["done"] == 1
    assert set(told) <= {"done", "EntityAlreadyExists", "InvalidAuthenticationCode"}


def test_prn_04_what_is_deleted_while_it_is_used_leaves_nothing_dangling(iam, at_once):
    """Half of the writers delete what the other half use: either it is gone and nobody has it, or it is there."""
    iam.create_user(UserName="ann")
    for number in range(4):
        arn = iam.create_policy(PolicyName=f"p{number}", PolicyDocument=DOCUMENT)["Policy"]["Arn"]
        with ThreadPoolExecutor(2) as pool:
            attached = pool.submit(at_once, "attach_user_policy", each(UserName="ann", PolicyArn=arn))
            deleted = pool.submit(at_once, "delete_policy", each(PolicyArn=arn))
        gone = deleted.result()["done"]
        assert gone == (0 if attached.result()["done"] else 1)
        held = [one["PolicyArn"] for one in iam.list_attached_user_policies(UserName="ann")["AttachedPolicies"]]
        assert (arn in held) is not gone
        assert set(attached.result()) <= {"done", "NoSuchEntity"}
        assert set(deleted.result()) <= {"done", "NoSuchEntity", "DeleteConflict"}


def test_prn_04_a_user_that_is_deleted_gets_no_key(iam, at_once):
    for number in range(4):
        name = f"u{number}"
        iam.create_user(UserName=name)
        with ThreadPoolExecutor(2) as pool:
            made = pool.submit(at_once, "create_access_key", each(UserName=name))
            deleted = pool.submit(at_once, "delete_user", each(UserName=name))
        assert (deleted.result()["done"], bool(made.result()["done"])) in {(1, False), (0, True)}


def test_sig_11_one_code_opens_one_session(aws, iam):
    ann = aws.user("ann", allow("sts:AssumeRole"))
    devices = Devices(iam)
    serial, seed = devices.new("phone")
    devices.enable("ann", serial, seed)
    trust = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": trust})
    arn = iam.create_role(RoleName="app", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    code = pyotp.HOTP(seed).at(int(time.time() // 30) + 1)
    sts = aws.client("sts", ann, max_pool_connections=WRITERS)

    def assume(_):
        try:
            sts.assume_role(RoleArn=arn, RoleSessionName="test", SerialNumber=serial, TokenCode=code)
        except ClientError as error:
            return error.response["Error"]["Code"]
        return "done"

    with ThreadPoolExecutor(WRITERS) as pool:
        assert Counter(pool.map(assume, range(WRITERS))) == {"done": 1, "AccessDenied": WRITERS - 1}
