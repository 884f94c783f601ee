"""Handing a role to a service needs iam:PassRole on it, wherever a request names it, and the role's trust."""

import json
import re

import pytest
from botocore.exceptions import ClientError
from botocore.session import get_session
from running import ACCOUNT, IMAGE, allow

from iamd.gateway.actions import passed_roles, passed_roles_table
from iamd.gateway.actions.asked import Asked
from iamd.wire.models import service

BOTOCORE = get_session()
"""One for all tests: a session keeps the models that it has read."""
READS = re.compile(r"(Get|List|Describe|Search|BatchGet|Head|Lookup)")
ARN = f"arn:aws:iam::{ACCOUNT}:role/app"


def trust(principal):
    statement = {"Effect": "Allow", "Principal": {"Service": principal}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def refusal(call, **parameters):
    with pytest.raises(ClientError) as raised:
        call(**parameters)
    return raised.value.response["Error"]


def shape_at(name, operation, path):
    """The shape of a member at a dotted path, or None."""
    shape = BOTOCORE.get_service_model(name).operation_model(operation).input_shape
    for part in path.split("."):
        shape = shape.members[part.removesuffix("[]")]
        shape = shape.member if part.endswith("[]") else shape
    return shape


ROWS = [(name, operation) for name, rows in passed_roles_table.table().items() for operation in rows]


@pytest.mark.parametrize(("name", "operation"), ROWS)
def test_every_row_names_members_that_the_operation_has(name, operation):
    row = passed_roles_table.table()[name][operation]
    assert bool(row.roles) == bool(row.service) or row.documents
    for path in (*row.roles, *row.others, *row.named, *row.maybe, *row.documents):
        assert shape_at(name, operation, path).type_name == "string"
    for path in row.templates:
        assert "LaunchTemplateName" in shape_at(name, operation, path).members
    for path in row.profiles:
        assert shape_at(name, operation, path).type_name in {"string", "structure"}


@pytest.mark.parametrize(
    "parameters",
    [
        {"Roles": {"authenticated": ARN}},
        {"roleMappings": [{"x": {"y": ARN}}]},
        {"a": {"ServiceRole": ARN}},
    ],
)
def test_a_role_is_found_however_deep(parameters):
    asked = Asked(service("glue").operation("CreateTrigger"), parameters, ACCOUNT, "us-east-1")
    assert [passed.arn for passed in passed_roles.of(asked, None)] == [ARN]


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("GetJob", {"RoleArn": ARN}),
        ("CreateTrigger", {"role": "admin"}),
        ("CreateTrigger", {"principal": ARN}),
        ("CreateTrigger", {"RoleArn": f"arn:aws:iam::{ACCOUNT}:user/x"}),
    ],
)
def test_what_hands_no_role_over(operation, parameters):
    asked = Asked(service("glue").operation(operation), parameters, ACCOUNT, "us-east-1")
    assert passed_roles.of(asked, None) == []


def test_a_function_is_made_only_by_who_may_pass_its_role(cloud):
    role = cloud.client("iam").create_role(RoleName="fn", AssumeRolePolicyDocument=trust("lambda.amazonaws.com"))
    arn = role["Role"]["Arn"]
    function = {
        "FunctionName": "f", "Role": arn, "Runtime": "python3.13", "Handler": "i.h", "Code": {"ZipFile": b"x"},
    }  # fmt: skip
    maker = cloud.client("lambda", cloud.user("maker", allow("lambda:*")))
    assert f"iam:PassRole on resource: {arn}" in refusal(maker.create_function, **function)["Message"]
    elsewhere = {"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}
    other = cloud.client("lambda", cloud.user("other", allow("lambda:*"), allow("iam:PassRole", arn, **elsewhere)))
    assert "iam:PassRole" in refusal(other.create_function, **function)["Message"]
    here = {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}
    passing = cloud.client("lambda", cloud.user("passing", allow("lambda:*"), allow("iam:PassRole", arn, **here)))
    assert passing.create_function(**function)["Role"] == arn


def test_a_role_must_trust_the_service_and_exist(cloud):
    cloud.client("iam").create_role(RoleName="fn", AssumeRolePolicyDocument=trust("ec2.amazonaws.com"))
    admin = cloud.client("lambda")
    function = {"FunctionName": "f", "Runtime": "python3.13", "Handler": "i.h", "Code": {"ZipFile": b"x"}}
    for name in ("fn", "none"):
        error = refusal(admin.create_function, Role=f"arn:aws:iam::{ACCOUNT}:role/{name}", **function)
        assert error["Code"] == "InvalidParameterValueException"
        assert error["Message"] == "The role defined for the function cannot be assumed by Lambda."


def test_a_role_of_another_account_is_not_passed(cloud):
    role = "arn:aws:iam::210987654321:role/fn"
    function = {"FunctionName": "f", "Runtime": "python3.13", "Handler": "i.h", "Code": {"ZipFile": b"x"}}
    error = refusal(cloud.client("lambda").create_function, Role=role, **function)
    assert error["Code"] == "AccessDeniedException"
    assert "Cross-account pass role is not allowed" in error["Message"]


def test_a_service_without_a_row_is_handed_a_role_by_rule(cloud):
    arn = cloud.client("iam").create_role(RoleName="app", AssumeRolePolicyDocument=trust("dax.amazonaws.com"))
    arn = arn["Role"]["Arn"]
    cluster = {"ClusterName": "cluster", "NodeType": "dax.t3.small", "ReplicationFactor": 1, "IamRoleArn": arn}
    maker = cloud.client("dax", cloud.user("maker", allow("dax:*")))
    assert f"iam:PassRole on resource: {arn}" in refusal(maker.create_cluster, **cluster)["Message"]
    passing = cloud.client(
        "dax", cloud.user("passing", allow("dax:*"), allow("iam:PassRole", arn), allow("iam:CreateServiceLinkedRole"))
    )
    assert passing.create_cluster(**cluster)["Cluster"]["IamRoleArn"] == arn


def test_an_instance_gets_a_profile_only_from_who_may_pass_its_role(cloud):
    iam = cloud.client("iam")
    arn = iam.create_role(RoleName="web", AssumeRolePolicyDocument=trust("ec2.amazonaws.com"))["Role"]["Arn"]
    iam.create_instance_profile(InstanceProfileName="web")
    given = {"ImageId": IMAGE, "MinCount": 1, "MaxCount": 1, "IamInstanceProfile": {"Name": "web"}}
    runner = cloud.client("ec2", cloud.user("runner", allow("ec2:*")))
    assert "has no associated IAM Roles" in refusal(runner.run_instances, **given)["Message"]
    iam.add_role_to_instance_profile(InstanceProfileName="web", RoleName="web")
    assert f"iam:PassRole on resource: {arn}" in refusal(runner.run_instances, **given)["Message"]
    passing = cloud.client("ec2", cloud.user("passing", allow("ec2:*"), allow("iam:PassRole", arn)))
    instance = passing.run_instances(**given)["Instances"][0]
    assert instance["IamInstanceProfile"]["Arn"] == f"arn:aws:iam::{ACCOUNT}:instance-profile/web"
    for named in ({"Name": "none"}, {"Name": "Web"}, {"Arn": f"arn:aws:iam::{ACCOUNT}:instance-profile/Web"}):
        unknown = {**given, "IamInstanceProfile": named}
        assert refusal(passing.run_instances, **unknown)["Code"] == "InvalidParameterValue"
