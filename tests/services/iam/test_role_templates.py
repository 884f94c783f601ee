"""Role templates, and the roles that AcquireRole makes of them."""

import json

import pytest
from running import ACCOUNT
from services.iam.role_making import ARN, BOUNDARY, INLINE, READ_ONLY, TEMPLATE, TRUST, VALUES, document, register


@pytest.fixture
def template(aws):
    register(aws)


@pytest.mark.usefixtures("template")
def test_a_version_is_shown_as_it_was_registered(aws, iam):
    shown = iam.get_role_template_version(TemplateArn=ARN)["RoleTemplateVersion"]
    assert len(shown.pop("TemplateVersionId")) >= 16
    assert shown.pop("CreateTimestamp") == shown.pop("UpdateTimestamp")
    assert shown.pop("AssumeRolePolicyDocumentTemplate") == json.loads(TRUST)
    assert shown.pop("InlinePolicyTemplates") == [{"PolicyName": "read", "PolicyDocument": json.loads(INLINE)}]
    parameters = [{"IsRequired": False, "Immutable": False, **one} for one in TEMPLATE["ParametersDefinition"]]
    assert shown == {
        "TemplateArn": ARN,
        "TemplateName": "Reader",
        "Description": "reads buckets",
        "MajorVersion": 1,
        "MinorVersion": 0,
        "DefaultMinorVersion": 0,
        "ManagedByType": "Service",
        "ManagedByValue": "ec2.amazonaws.com",
        "Enabled": True,
        "VersionEnabled": True,
        "RoleNamePattern": "reader-@{Stage}",
        "RolePathPattern": "/readers/@{Stage}/",
        "RoleDescriptionPattern": "Reads for @{Stage}",
        "ManagedPolicyArns": [READ_ONLY],
        "PermissionBoundaryArn": BOUNDARY,
        "ParametersDefinition": parameters,
        "RoleTagsTemplate": TEMPLATE["RoleTagsTemplate"],
        "MaxSessionDuration": 7200,
    }


def test_what_a_version_does_not_have_is_not_shown(aws, iam):
    template = {"RoleNamePattern": "plain", "AssumeRolePolicyDocumentTemplate": TRUST}
    aws.iamd("RegisterRoleTemplateVersion", TemplateArn=ARN, MinorVersion=0, Template=json.dumps(template))
    shown = iam.get_role_template_version(TemplateArn=ARN)["RoleTemplateVersion"]
    assert shown.keys().isdisjoint(
        {"Description", "RolePathPattern", "RoleDescriptionPattern", "PermissionBoundaryArn", "RoleTagsTemplate"}
        | {"InlinePolicyTemplates", "ManagedPolicyArns", "ParametersDefinition"}
    )
    assert iam.acquire_role(TemplateArn=ARN)["Role"]["Arn"] == f"arn:aws:iam::{ACCOUNT}:role/plain"
    assert iam.acquire_role(TemplateArn=ARN)["Role"]["RoleName"] == "plain"


@pytest.mark.usefixtures("template")
def test_a_role_is_made_as_the_template_says(iam):
    made = iam.acquire_role(TemplateArn=ARN, ReplacementValues=VALUES)["Role"]
    assert made["Arn"] == f"arn:aws:iam::{ACCOUNT}:role/readers/prod/reader-prod"
    assert set(made) == {"Path", "RoleName", "RoleId", "Arn", "CreateDate", "AssumeRolePolicyDocument"}
    role = iam.get_role(RoleName="reader-prod")["Role"]
    assert role["SourceRoleTemplate"] == {"TemplateArn": ARN, "TemplateMinorVersion": 0}
    assert (role["Description"], role["MaxSessionDuration"]) == ("Reads for prod", 7200)
    assert role["PermissionsBoundary"]["PermissionsBoundaryArn"] == BOUNDARY
    assert role["Tags"] == [{"Key": "Stage", "Value": "prod"}, {"Key": "cost", "Value": "1"}]
    assert role["AssumeRolePolicyDocument"] == json.loads(TRUST)
    [attached] = iam.list_attached_role_policies(RoleName="reader-prod")["AttachedPolicies"]
    assert attached["PolicyArn"] == READ_ONLY
    inline = iam.get_role_policy(RoleName="reader-prod", PolicyName="read")["PolicyDocument"]
    assert inline["Statement"]["Resource"] == ["arn:aws:s3:::a/*", "arn:aws:s3:::b/*", "arn:aws:s3:::prod/*"]


@pytest.mark.usefixtures("template")
def test_values_take_the_place_of_defaults(iam):
    values = VALUES | {"Buckets": {"Values": ["arn:aws:s3:::c/*"]}, "Cost": {"Values": ["2.5"]}}
    iam.acquire_role(TemplateArn=ARN, ReplacementValues=values)
    inline = iam.get_role_policy(RoleName="reader-prod", PolicyName="read")["PolicyDocument"]
    assert inline["Statement"]["Resource"] == ["arn:aws:s3:::c/*", "arn:aws:s3:::prod/*"]
    tags = iam.list_role_tags(RoleName="reader-prod")["Tags"]
    assert {"Key": "cost", "Value": "2.5"} in tags


@pytest.mark.usefixtures("template")
def test_a_value_stays_a_part_of_a_text(iam):
    evil = 'x", "Action": "*'
    values = {"Stage": {"Values": ["prod"]}, "Buckets": {"Values": [f"arn:aws:s3:::{evil}"]}}
    iam.acquire_role(TemplateArn=ARN, ReplacementValues=values)
    statement = iam.get_role_policy(RoleName="reader-prod", PolicyName="read")["PolicyDocument"]["Statement"]
    assert (statement["Action"], statement["Resource"][0]) == ("s3:GetObject", f"arn:aws:s3:::{evil}")


@pytest.mark.parametrize(
    ("values", "code", "words"),
    [
        ({}, "InvalidInput", "Failed to render template: Parameter 'Stage' not found."),
        (
            VALUES | {"Other": {"Values": ["x"]}},
            "InvalidInput",
            "Failed to render template: Unrecognized parameter: Other",
        ),
        (
            {"Stage": {"Values": ["a", "b"]}},
            "ValidationError",
            "Stage replacement value must contain exactly one value, got 2",
        ),
        ({"Stage": {"Values": ["with blank"]}}, "InvalidInput", None),
        ({"Stage": {"Values": ["x" * 65]}}, "InvalidInput", None),
        (VALUES | {"Buckets": {"Values": ["no arn"]}}, "InvalidInput", "The parameter Buckets is of type ArnList."),
        (VALUES | {"Cost": {"Values": ["much"]}}, "InvalidInput", "The parameter Cost is of type Number."),
    ],
)
@pytest.mark.usefixtures("template")
def test_values_that_the_template_does_not_take_are_refused(iam, refused, values, code, words):
    with refused(code, words):
        iam.acquire_role(TemplateArn=ARN, ReplacementValues=values)
    assert [role["RoleName"] for role in iam.list_roles(PathPrefix="/readers/")["Roles"]] == []


def test_values_that_make_no_policy_are_refused_and_no_role_is_left(aws, iam, refused):
    bad = document({"Effect": "Allow", "Action": "@{Stage}", "Resource": "arn:aws:s3:::@{Stage}/*"})
    inline = [{"PolicyName": "read", "PolicyDocument": bad}]
    parameters = [one for one in TEMPLATE["ParametersDefinition"] if one["Name"] != "Buckets"]
    register(aws, InlinePolicyTemplates=inline, ParametersDefinition=parameters)
    with refused("MalformedPolicyDocument"):
        iam.acquire_role(TemplateArn=ARN, ReplacementValues=VALUES)
    assert iam.list_roles(PathPrefix="/readers/")["Roles"] == []


def test_a_version_is_chosen_or_the_default_one_taken(aws, iam, refused):
    register(aws)
    register(aws, 3, RoleDescriptionPattern="Third @{Stage}")

    def shown(**which):
        return iam.get_role_template_version(TemplateArn=ARN, **which)["RoleTemplateVersion"]["MinorVersion"]

    assert (shown(), shown(MinorVersion=3)) == (0, 3)
    aws.iamd("UpdateRoleTemplate", TemplateArn=ARN, DefaultMinorVersion=3)
    assert shown() == 3
    iam.acquire_role(TemplateArn=ARN, ReplacementValues=VALUES)
    assert iam.get_role(RoleName="reader-prod")["Role"]["Description"] == "Third prod"
    iam.acquire_role(TemplateArn=ARN, TemplateMinorVersion=0, ReplacementValues={"Stage": {"Values": ["test"]}})
    role = iam.get_role(RoleName="reader-test")["Role"]
    assert (role["Description"], role["SourceRoleTemplate"]["TemplateMinorVersion"]) == ("Reads for test", 0)
    with refused("NoSuchEntity", f"Role Template {ARN} cannot be found."):
        iam.get_role_template_version(TemplateArn=ARN, MinorVersion=7)
    with refused("NoSuchEntity", f"Role template not found in repository: {ARN}"):
        iam.acquire_role(TemplateArn=ARN, TemplateMinorVersion=7, ReplacementValues=VALUES)


def test_from_what_is_disabled_no_role_is_made(aws, iam, refused):
    register(aws)
    register(aws, 1)
    aws.iamd("UpdateRoleTemplate", TemplateArn=ARN, DisabledMinorVersions=[0])
    assert iam.get_role_template_version(TemplateArn=ARN)["RoleTemplateVersion"]["VersionEnabled"] is False
    with refused("RoleTemplateDisabled"):
        iam.acquire_role(TemplateArn=ARN, ReplacementValues=VALUES)
    iam.acquire_role(TemplateArn=ARN, TemplateMinorVersion=1, ReplacementValues=VALUES)
    aws.iamd("UpdateRoleTemplate", TemplateArn=ARN, Enabled=False, DisabledMinorVersions=[])
    with refused("RoleTemplateDisabled"):
        iam.acquire_role(TemplateArn=ARN, ReplacementValues={"Stage": {"Values": ["test"]}})
    aws.iamd("UpdateRoleTemplate", TemplateArn=ARN, Enabled=True)
    iam.acquire_role(TemplateArn=ARN, ReplacementValues={"Stage": {"Values": ["test"]}})
    assert len(iam.list_roles(PathPrefix="/readers/")["Roles"]) == 2


def test_a_template_that_is_none_is_told(iam, refused):
    with refused("NoSuchEntity", f"Role Template {ARN} cannot be found."):
        iam.get_role_template_version(TemplateArn=ARN)
    with refused("NoSuchEntity", f"Role template not found in repository: {ARN}"):
        iam.acquire_role(TemplateArn=ARN)


@pytest.mark.usefixtures("template")
def test_a_denial_names_the_template(denied):
    denied("GetRoleTemplateVersion", ARN, shown=f"role-template {ARN}", TemplateArn=ARN)


@pytest.mark.usefixtures("template")
def test_both_are_recorded(aws, iam):
    iam.get_role_template_version(TemplateArn=ARN, MinorVersion=0)
    iam.acquire_role(TemplateArn=ARN, ReplacementValues=VALUES, TemplateMinorVersion=0)
    [shown] = aws.events("GetRoleTemplateVersion")
    assert shown["requestParameters"] == {"templateArn": ARN, "minorVersion": 0}
    [made] = aws.events("AcquireRole")
    assert made["requestParameters"]["replacementValues"] == {"Stage": {"values": ["prod"]}}
    assert made["responseElements"]["role"]["roleName"] == "reader-prod"
