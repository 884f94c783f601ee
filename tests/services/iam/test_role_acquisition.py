"""Who may make roles of templates: AcquireRole is decided by each of the actions that it stands for."""

from contextlib import nullcontext

import pytest
from botocore.exceptions import ClientError
from running import ACCOUNT, allow, deny
from services.iam.role_making import ARN, BOUNDARY, READ_ONLY, TEMPLATE, TRUST, VALUES, register

ROLE = f"arn:aws:iam::{ACCOUNT}:role/readers/prod/reader-prod"
READING = allow("iam:GetRoleTemplateVersion", ARN)
OF_TEMPLATE = {"ArnEquals": {"iam:RoleTemplateARN": ARN}}
MAKING = {
    "CreateRole": {
        **OF_TEMPLATE,
        "StringEquals": {"aws:RequestTag/Stage": "prod", "iam:PermissionsBoundary": BOUNDARY},
    },
    "TagRole": {**OF_TEMPLATE, "ForAllValues:StringEquals": {"aws:TagKeys": ["Stage", "cost"]}},
    "AttachRolePolicy": {"ArnEquals": {"iam:RoleTemplateARN": ARN, "iam:PolicyARN": READ_ONLY}},
    "PutRolePolicy": {**OF_TEMPLATE, "StringEquals": {"iam:PermissionsBoundary": BOUNDARY}},
    "PutRolePermissionsBoundary": {**OF_TEMPLATE, "StringEquals": {"iam:PermissionsBoundary": BOUNDARY}},
}
"""What making the role needs on it, in the order in which it is decided, with the keys that must be there."""


def making(*without):
    return [allow(f"iam:{action}", ROLE, **condition) for action, condition in MAKING.items() if action not in without]


@pytest.fixture
def template(aws):
    register(aws)


@pytest.fixture
def acquires(aws, iam):
    """`acquires(*statements)` is the answer to a user with these; a refusal leaves no role."""

    def ask(*statements):
        ann = aws.client("iam", aws.user("ann", *statements))
        try:
            return ann.acquire_role(TemplateArn=ARN, ReplacementValues=VALUES)
        except ClientError:
            assert iam.list_roles(PathPrefix="/readers/")["Roles"] == []
            raise

    return ask


@pytest.mark.usefixtures("template")
def test_whoever_may_do_all_of_it_makes_the_role(aws, acquires):
    made = acquires(READING, *making())
    asked = aws.explain(made["ResponseMetadata"]["RequestId"])["Decisions"]
    assert [(one["Action"], one["Resource"]) for one in asked] == [
        ("iam:GetRoleTemplateVersion", ARN),
        *((f"iam:{action}", ROLE) for action in MAKING),
    ]


@pytest.mark.usefixtures("template")
def test_without_reading_the_template_nobody_makes_a_role(iam, denied):
    wanted = {"TemplateArn": ARN, "ReplacementValues": VALUES}
    others = [*making(), allow("iam:AcquireRole")]
    shown = f"role template {ARN}"
    denied("AcquireRole", ARN, *others, action="iam:GetRoleTemplateVersion", shown=shown, **wanted)
    assert iam.list_roles(PathPrefix="/readers/")["Roles"] == []


@pytest.mark.parametrize("action", MAKING)
@pytest.mark.usefixtures("template")
def test_each_action_is_needed(acquires, action):
    with pytest.raises(ClientError) as caught:
        acquires(READING, *making(action), allow("iam:AcquireRole"))
    error = caught.value.response["Error"]
    assert error["Code"] == "AccessDenied"
    named = ROLE if action in {"CreateRole", "TagRole"} else f"role {ROLE.rpartition('/')[2]}"
    assert f"is not authorized to perform: iam:{action} on resource: {named} because no" in error["Message"]


@pytest.mark.parametrize(
    "guard",
    [
        deny("iam:AttachRolePolicy"),
        deny("*", Null={"iam:RoleTemplateARN": "false"}),
        deny("iam:*", ArnEquals={"iam:PolicyARN": READ_ONLY}),
        deny(
            "iam:*", StringNotEquals={"iam:PermissionsBoundary": READ_ONLY}, Null={"iam:PermissionsBoundary": "false"}
        ),
        deny("iam:TagRole", StringEquals={"aws:RequestTag/Stage": "prod"}),
        deny("iam:PutRolePolicy", StringEquals={"iam:ResourceTag/Stage": "prod"}),
        deny("iam:AttachRolePolicy", StringEquals={"aws:ResourceTag/cost": "1"}),
    ],
)
@pytest.mark.usefixtures("template")
def test_a_deny_of_any_of_it_holds(acquires, guard):
    with pytest.raises(ClientError, match="explicit deny"):
        acquires(allow("*"), guard)


@pytest.mark.parametrize(("key_is_asked_for", "expected"), [(True, False), (False, True)])
@pytest.mark.usefixtures("template")
def test_that_the_template_is_read_has_no_key_of_the_template(acquires, refused, key_is_asked_for, expected):
    """As recorded at AWS, against an example of the User Guide's."""
    reading = allow("iam:GetRoleTemplateVersion", ARN, **(OF_TEMPLATE if key_is_asked_for else {}))
    with nullcontext() if expected else refused("AccessDenied"):
        acquires(reading, *making())


@pytest.mark.parametrize(
    ("left_out", "members", "parameter"),
    [
        ("TagRole", {"RoleTagsTemplate": []}, "Cost"),
        ("AttachRolePolicy", {"ManagedPolicyArns": []}, None),
        ("PutRolePolicy", {"InlinePolicyTemplates": []}, "Buckets"),
        ("PutRolePermissionsBoundary", {"PermissionBoundaryArn": None}, None),
    ],
)
def test_what_the_template_does_not_have_is_not_asked_for(aws, acquires, left_out, members, parameter):
    used = [one for one in TEMPLATE["ParametersDefinition"] if one["Name"] != parameter]
    register(aws, **members, ParametersDefinition=used)
    others = [allow(f"iam:{action}", ROLE, **OF_TEMPLATE) for action in MAKING if action != left_out]
    assert acquires(READING, *others)["Role"]["Arn"] == ROLE


@pytest.mark.parametrize("account", ["639982225848", "aws", ACCOUNT])
@pytest.mark.usefixtures("template")
def test_a_template_is_of_an_account_of_awss(aws, acquires, refused, account):
    """As recorded at AWS: neither the caller's, nor what stands in the ARN."""
    reading = allow("iam:GetRoleTemplateVersion", StringEquals={"aws:ResourceAccount": account})
    making_own = [allow("iam:*", ROLE, StringEquals={"aws:ResourceAccount": ACCOUNT})]
    user = f"arn:aws:iam::{ACCOUNT}:user/ann"
    with nullcontext() if account == "639982225848" else refused("AccessDenied"):
        acquires(reading, *making_own)
    can = aws.iamd("Can", PrincipalArn=user, Action="iam:GetRoleTemplateVersion", ResourceArn=ARN)
    assert can["Allowed"] is (account == "639982225848")


def test_every_policy_is_decided(aws, acquires, refused):
    register(aws, ManagedPolicyArns=[READ_ONLY, "arn:aws:iam::aws:policy/AdministratorAccess"])
    with refused("AccessDenied"):
        acquires(READING, *making())


@pytest.mark.usefixtures("template")
def test_outside_of_a_template_no_action_has_its_key(aws, refused):
    ann = aws.client("iam", aws.user("ann", allow("iam:*", **OF_TEMPLATE)))
    with refused("AccessDenied"):
        ann.create_role(RoleName="plain", AssumeRolePolicyDocument=TRUST)
    with refused("AccessDenied"):
        ann.get_role(RoleName="reader-prod")


@pytest.mark.usefixtures("template")
def test_of_a_role_that_is_there_the_right_to_see_it_is_asked_for(aws, iam, refused):
    iam.create_role(RoleName="Reader-prod", Path="/x/", AssumeRolePolicyDocument=TRUST)
    there = f"arn:aws:iam::{ACCOUNT}:role/x/Reader-prod"
    ann = aws.client("iam", aws.user("ann", READING, *making()))
    with pytest.raises(ClientError, match="iam:GetRole on resource: role Reader-prod because"):
        ann.acquire_role(TemplateArn=ARN, ReplacementValues=VALUES)
    ben = aws.client("iam", aws.user("ben", READING, allow("iam:GetRole", there, **OF_TEMPLATE)))
    with refused("NameConflict"):
        ben.acquire_role(TemplateArn=ARN, ReplacementValues=VALUES)


@pytest.mark.usefixtures("template")
def test_what_makes_no_role_is_told_to_those_who_may_read_the_template(aws, refused):
    nobody, reader = aws.client("iam", aws.user("nobody")), aws.client("iam", aws.user("reader", READING))
    with refused("AccessDenied"):
        nobody.acquire_role(TemplateArn=ARN, ReplacementValues={})
    with refused("InvalidInput"):
        reader.acquire_role(TemplateArn=ARN, ReplacementValues={})
