"""ListPoliciesGrantingServiceAccess: the policies that let a user, group or role use a service."""

import json

import pytest
from running import ACCOUNT, allow, deny

from iamd.data import service_reference

ANN = f"arn:aws:iam::{ACCOUNT}:user/team/ann"
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"},
    }
)


def text(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


@pytest.fixture
def ann(iam):
    """A user with two kinds of policies, and a boundary, in a group that has some of its own."""
    iam.create_user(UserName="ann", Path="/team/")
    iam.create_group(GroupName="devs")
    iam.add_user_to_group(GroupName="devs", UserName="ann")
    iam.put_user_policy(UserName="ann", PolicyName="own", PolicyDocument=text(allow("sqs:SendMessage")))
    iam.put_group_policy(GroupName="devs", PolicyName="shared", PolicyDocument=text(allow(["sqs:*", "sns:Publish"])))
    managed = iam.create_policy(PolicyName="objects", PolicyDocument=text(allow("s3:GetObject")))["Policy"]["Arn"]
    iam.attach_user_policy(UserName="ann", PolicyArn=managed)
    iam.attach_group_policy(GroupName="devs", PolicyArn="arn:aws:iam::aws:policy/AmazonSQSReadOnlyAccess")
    iam.put_user_permissions_boundary(UserName="ann", PermissionsBoundary="arn:aws:iam::aws:policy/ReadOnlyAccess")
    return ANN


def granting(iam, arn, *namespaces):
    """By service, in the order of the answer."""
    answer = iam.list_policies_granting_service_access(Arn=arn, ServiceNamespaces=list(namespaces))
    assert answer["IsTruncated"] is False
    return {entry["ServiceNamespace"]: entry["Policies"] for entry in answer["PoliciesGrantingServiceAccess"]}


def inline(name, kind, entity):
    return {"PolicyName": name, "PolicyType": "INLINE", "EntityType": kind, "EntityName": entity}


READ_QUEUES = {
    "PolicyName": "AmazonSQSReadOnlyAccess",
    "PolicyType": "MANAGED",
    "PolicyArn": "arn:aws:iam::aws:policy/AmazonSQSReadOnlyAccess",
}


def test_a_users_policies_are_its_own_and_its_groups(iam, ann):
    assert granting(iam, ann, "sqs", "sns", "s3", "ec2") == {
        "sqs": [READ_QUEUES, inline("own", "USER", "ann"), inline("shared", "GROUP", "devs")],
        "sns": [inline("shared", "GROUP", "devs")],
        "s3": [
            {
                "PolicyName": "objects",
                "PolicyType": "MANAGED",
                "PolicyArn": f"arn:aws:iam::{ACCOUNT}:policy/objects",
            }
        ],
        "ec2": [],
    }


@pytest.mark.usefixtures("ann")
def test_a_groups_policies_are_its_own(iam):
    found = granting(iam, f"arn:aws:iam::{ACCOUNT}:group/devs", "sqs", "s3")
    assert found == {"sqs": [READ_QUEUES, inline("shared", "GROUP", "devs")], "s3": []}


def test_a_roles_policies_are_its_own_and_its_trust_policy_is_none(iam):
    role = iam.create_role(RoleName="app", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    iam.put_role_policy(RoleName="app", PolicyName="own", PolicyDocument=text(allow("s3:*")))
    assert granting(iam, role, "s3", "sts") == {"s3": [inline("own", "ROLE", "app")], "sts": []}


@pytest.mark.parametrize(
    ("statements", "grants"),
    [
        ([allow("*")], True),
        ([allow("SQS:send*")], True),
        ([allow("sqs:NoSuchAction")], False),
        ([deny("sqs:*")], False),
        ([allow("s3:*"), deny("sqs:*")], False),
        ([allow("sqs:*", "arn:aws:sqs:us-east-1:123456789012:jobs")], True),
        ([{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}], True),
        ([{"Effect": "Allow", "NotAction": "sqs:*", "Resource": "*"}], False),
        ([{"Effect": "Deny", "NotAction": "iam:*", "Resource": "*"}], False),
    ],
)
def test_a_policy_grants_what_one_of_its_statements_allows(iam, ann, statements, grants):
    iam.put_user_policy(UserName="ann", PolicyName="some", PolicyDocument=text(*statements))
    assert (inline("some", "USER", "ann") in granting(iam, ann, "sqs")["sqs"]) is grants


def test_services_come_in_the_order_they_are_asked_for_and_once(iam, ann):
    assert list(granting(iam, ann, "sqs", "ec2", "s3", "ec2")) == ["sqs", "ec2", "s3"]


def test_a_hundred_services_are_a_page(iam, ann, refused):
    names = list(service_reference.prefixes())[150:300]
    first = iam.list_policies_granting_service_access(Arn=ann, ServiceNamespaces=names)
    assert (first["IsTruncated"], len(first["PoliciesGrantingServiceAccess"])) == (True, 100)
    marker = first["Marker"]
    rest = iam.list_policies_granting_service_access(Arn=ann, ServiceNamespaces=names, Marker=marker)
    listed = first["PoliciesGrantingServiceAccess"] + rest["PoliciesGrantingServiceAccess"]
    assert [entry["ServiceNamespace"] for entry in listed] == names
    assert rest["IsTruncated"] is False
    with refused("ValidationError", "Invalid Marker."):
        iam.list_policies_granting_service_access(Arn=ann, ServiceNamespaces=["sqs"], Marker=marker)


@pytest.mark.parametrize("namespace", ["nosuch", "SQS", "monitoring"])
def test_what_is_no_namespace_is_refused(iam, ann, refused, namespace):
    with refused("InvalidInput", f"Invalid service namespace: [{namespace}]"):
        iam.list_policies_granting_service_access(Arn=ann, ServiceNamespaces=["sqs", namespace])


@pytest.mark.usefixtures("ann")
@pytest.mark.parametrize("entity", ["user/bob", "user/ann", "user/team/Ann", "group/team/devs", "role/app"])
def test_an_entity_that_is_not_there_has_no_policies(iam, refused, entity):
    with refused("NoSuchEntity", "Unable to retrieve specified IAM entity."):
        iam.list_policies_granting_service_access(Arn=f"arn:aws:iam::{ACCOUNT}:{entity}", ServiceNamespaces=["sqs"])


@pytest.mark.parametrize(
    "arn", ["not-an-arn-but-long-enough", f"arn:aws:iam::{ACCOUNT}:root", f"arn:aws:iam::{ACCOUNT}:policy/objects"]
)
def test_what_is_no_entitys_arn_is_refused(iam, refused, arn):
    with refused("InvalidInput", f"Invalid ARN provided in the request: {arn}"):
        iam.list_policies_granting_service_access(Arn=arn, ServiceNamespaces=["sqs"])


def test_another_accounts_entities_are_not_seen(iam, refused):
    message = (
        f"Invalid Policy Source Arn: caller's account {ACCOUNT} does not have access to policies in account"
        " 210987654321."
    )
    with refused("InvalidInput", message):
        iam.list_policies_granting_service_access(Arn="arn:aws:iam::210987654321:user/ann", ServiceNamespaces=["sqs"])
