"""AcquireRole of a role that is there: it is given while it is as the template made it."""

import json
from contextlib import suppress

import pytest
from running import ACCOUNT, AWS, Refusal, Server, allow, deny
from services.iam.role_making import ARN, READ_ONLY, TEMPLATE, TRUST, VALUES, document, register

NAME = {"RoleName": "reader-prod"}
ROLE = f"arn:aws:iam::{ACCOUNT}:role/readers/prod/reader-prod"
OTHER = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"
READ = {**NAME, "PolicyName": "read"}
MODIFIED = "Role reader-prod has been modified since it was created and is no longer managed."
NOT_OF_IT = (
    "A role with this name already exists in the account but was not created from this template. Choose a different role "
    "name, or remove the existing role if it is no longer needed."
)
OTHERWISE = "A role with this name exists but was created with different parameters. Pass a unique roleName to create a new role."
OTHER_TRUST = document(
    {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
)


@pytest.fixture
def acquire(aws, iam):
    """`acquire()` is the role of the template's defaults; it has been made once."""
    register(aws)

    def ask(values=VALUES, **changes):
        return iam.acquire_role(**{"TemplateArn": ARN, "ReplacementValues": values} | changes)["Role"]

    ask()
    return ask


def test_the_same_is_the_same_role(iam, acquire):
    before = iam.get_role(**NAME)["Role"]
    again = acquire()
    assert again == {name: before[name] for name in again}
    assert again["RoleId"] == acquire(VALUES | {"Cost": {"Values": ["1"]}})["RoleId"]
    assert iam.get_role(**NAME)["Role"] == before


def test_description_and_duration_are_not_the_templates_alone(iam, acquire):
    iam.update_role(**NAME, Description="mine", MaxSessionDuration=3600)
    assert acquire()["Arn"] == ROLE
    role = iam.get_role(**NAME)["Role"]
    assert (role["Description"], role["MaxSessionDuration"]) == ("mine", 3600)


CHANGES = {
    "a tag more": ("tag_role", {"Tags": [{"Key": "x", "Value": "y"}]}, "untag_role", {"TagKeys": ["x"]}),
    "another tag": (
        "tag_role",
        {"Tags": [{"Key": "cost", "Value": "2"}]},
        "tag_role",
        {"Tags": [{"Key": "cost", "Value": "1"}]},
    ),
    "a policy more": ("attach_role_policy", {"PolicyArn": OTHER}, "detach_role_policy", {"PolicyArn": OTHER}),
    "a policy less": ("detach_role_policy", {"PolicyArn": READ_ONLY}, "attach_role_policy", {"PolicyArn": READ_ONLY}),
    "another trust": (
        "update_assume_role_policy",
        {"PolicyDocument": OTHER_TRUST},
        "update_assume_role_policy",
        {"PolicyDocument": TRUST},
    ),
    "no boundary": (
        "delete_role_permissions_boundary",
        {},
        "put_role_permissions_boundary",
        {"PermissionsBoundary": TEMPLATE["PermissionBoundaryArn"]},
    ),
    "another boundary": (
        "put_role_permissions_boundary",
        {"PermissionsBoundary": OTHER},
        "put_role_permissions_boundary",
        {"PermissionsBoundary": TEMPLATE["PermissionBoundaryArn"]},
    ),
    "an inline policy more": (
        "put_role_policy",
        {"PolicyName": "more", "PolicyDocument": document(allow("s3:*"))},
        "delete_role_policy",
        {"PolicyName": "more"},
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_role_that_was_changed_is_given_when_it_is_as_before(iam, refused, acquire, change):
    doing, done, undoing, undone = CHANGES[change]
    getattr(iam, doing)(**NAME, **done)
    with refused("RoleModified", MODIFIED):
        acquire()
    getattr(iam, undoing)(**NAME, **undone)
    assert acquire()["Arn"] == ROLE


def test_what_an_inline_policy_says_counts_and_not_its_form(iam, refused, acquire):
    said = iam.get_role_policy(**READ)["PolicyDocument"]
    [statement] = [said["Statement"]]
    resources = list(reversed(statement["Resource"]))
    formed = {
        "Statement": [{**statement, "Action": [statement["Action"]], "Resource": resources}],
        "Version": "2012-10-17",
    }
    iam.put_role_policy(**READ, PolicyDocument=json.dumps(formed, indent=4))
    assert acquire()["Arn"] == ROLE
    iam.put_role_policy(**READ, PolicyDocument=document({**statement, "Resource": resources[1:]}))
    with refused("RoleModified", MODIFIED):
        acquire()


def test_a_trust_policy_of_another_form_is_the_same(iam, acquire):
    trust = json.loads(TRUST)
    statement = {**trust["Statement"], "Action": ["sts:AssumeRole"], "Principal": {"Service": ["ec2.amazonaws.com"]}}
    iam.update_assume_role_policy(**NAME, PolicyDocument=json.dumps({**trust, "Statement": [statement]}))
    assert acquire()["Arn"] == ROLE


def test_other_values_are_a_conflict(iam, refused, acquire):
    with refused("NameConflict", OTHERWISE):
        acquire(VALUES | {"Cost": {"Values": ["2"]}})
    with refused("NameConflict", OTHERWISE):
        acquire({"Stage": {"Values": ["PROD"]}})
    assert acquire()["Arn"] == ROLE


def test_another_version_or_template_is_a_conflict(aws, refused, acquire):
    register(aws, 1)
    with refused("NameConflict", OTHERWISE):
        acquire(TemplateMinorVersion=1)
    other = ARN.replace("Reader", "Other")
    aws.iamd("RegisterRoleTemplateVersion", TemplateArn=other, MinorVersion=0, Template=json.dumps(TEMPLATE))
    with refused("NameConflict", NOT_OF_IT):
        acquire(TemplateArn=other)


def test_a_role_that_no_template_made_is_a_conflict(aws, iam, refused):
    register(aws, InlinePolicyTemplates=[], ParametersDefinition=_without("Buckets"), PermissionBoundaryArn=None)
    tags = [{"Key": "Stage", "Value": "prod"}, {"Key": "cost", "Value": "1"}]
    iam.create_role(**NAME, Path="/readers/prod/", AssumeRolePolicyDocument=TRUST, Tags=tags)
    iam.attach_role_policy(**NAME, PolicyArn=READ_ONLY)
    with refused("NameConflict", NOT_OF_IT):
        iam.acquire_role(TemplateArn=ARN, ReplacementValues=VALUES)


def _without(parameter):
    return [one for one in TEMPLATE["ParametersDefinition"] if one["Name"] != parameter]


def test_whoever_may_see_it_is_given_the_role_and_no_more(aws, acquire, refused):
    seeing = allow("iam:GetRole", ROLE, ArnEquals={"iam:RoleTemplateARN": ARN})
    seer = aws.client("iam", aws.user("seer", allow("iam:GetRoleTemplateVersion", ARN), seeing))
    wanted = {"TemplateArn": ARN, "ReplacementValues": VALUES}
    answer = seer.acquire_role(**wanted)
    asked = aws.explain(answer["ResponseMetadata"]["RequestId"])["Decisions"]
    assert [one["Action"] for one in asked] == ["iam:GetRoleTemplateVersion", "iam:GetRole"]
    with refused("AccessDenied"):
        seer.get_role(**NAME)
    maker = aws.client("iam", aws.user("maker", allow("iam:*"), deny("iam:GetRole", ROLE)))
    with refused("AccessDenied"):
        maker.acquire_role(**wanted)


def test_the_values_are_kept(tmp_path):
    """As the store has them, after another start."""
    for _ in range(2):
        with Server.serving(tmp_path / "data", "--backend", "none") as server:
            aws = AWS(server)
            with suppress(Refusal):
                register(aws)
            assert aws.client("iam").acquire_role(TemplateArn=ARN, ReplacementValues=VALUES)["Role"]["Arn"] == ROLE
