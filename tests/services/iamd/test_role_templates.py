"""Role templates as the operator registers them; tests/services/iam shows what is made of them."""

import json

import pytest
from running import Credentials, Refusal, allow

ARN = "arn:aws:iam::aws:role-template/ec2.amazonaws.com/Reader:1"
TRUST = '{"Version":"2012-10-17","Statement":[]}'
TEMPLATE = {"RoleNamePattern": "reader", "AssumeRolePolicyDocumentTemplate": TRUST}
VERSION = {"TemplateArn": ARN, "MinorVersion": 0, "Template": json.dumps(TEMPLATE)}
OPERATIONS = {"RegisterRoleTemplateVersion": VERSION, "UpdateRoleTemplate": {"TemplateArn": ARN, "Enabled": True}}


def default_of(aws):
    shown = aws.client("iam").get_role_template_version(TemplateArn=ARN)["RoleTemplateVersion"]
    return shown["MinorVersion"], shown["Enabled"], shown["VersionEnabled"]


def test_the_first_version_is_the_default_until_another_is(aws):
    aws.iamd("RegisterRoleTemplateVersion", **(VERSION | {"MinorVersion": 2}))
    aws.iamd("RegisterRoleTemplateVersion", **(VERSION | {"MinorVersion": 1}))
    assert default_of(aws) == (2, True, True)
    aws.iamd("UpdateRoleTemplate", TemplateArn=ARN, DefaultMinorVersion=1)
    assert default_of(aws) == (1, True, True)
    aws.iamd("UpdateRoleTemplate", TemplateArn=ARN, Enabled=False, DisabledMinorVersions=[1])
    assert default_of(aws) == (1, False, False)
    aws.iamd("UpdateRoleTemplate", TemplateArn=ARN, Enabled=True, DisabledMinorVersions=[2])
    assert default_of(aws) == (1, True, True)


def test_a_version_is_registered_once(aws):
    aws.iamd("RegisterRoleTemplateVersion", TemplateArn=ARN, MinorVersion=0, Template=json.dumps(TEMPLATE))
    with pytest.raises(Refusal, match="TemplateAlreadyExists"):
        aws.iamd("RegisterRoleTemplateVersion", **VERSION)
    assert default_of(aws) == (0, True, True)


def test_a_version_that_is_none_is_no_default(aws):
    with pytest.raises(Refusal, match="NoSuchTemplate"):
        aws.iamd("UpdateRoleTemplate", TemplateArn=ARN, Enabled=True)
    aws.iamd("RegisterRoleTemplateVersion", **VERSION)
    for wrong in ({"DefaultMinorVersion": 7}, {"DisabledMinorVersions": [7]}):
        with pytest.raises(Refusal, match="NoSuchTemplate"):
            aws.iamd("UpdateRoleTemplate", TemplateArn=ARN, **wrong)
    assert default_of(aws) == (0, True, True)


PARAMETER = {"Name": "Stage", "Type": "String"}


@pytest.mark.parametrize(
    "changes",
    [
        {"RoleNamePattern": None},
        {"Unknown": "x"},
        {"AssumeRolePolicyDocumentTemplate": "no JSON"},
        {"InlinePolicyTemplates": [{"PolicyName": "a", "PolicyDocument": "{"}]},
        {"RoleNamePattern": "reader-@{Stage}"},
        {"ParametersDefinition": [PARAMETER]},
        {"RoleNamePattern": "reader-@{Stage}", "ParametersDefinition": [PARAMETER, PARAMETER]},
        {"RoleNamePattern": "reader-@{Stage}", "ParametersDefinition": [PARAMETER | {"Type": "Date"}]},
        {"MaxSessionDuration": 60},
    ],
)
def test_what_is_no_template_is_refused(aws, changes):
    template = {name: value for name, value in (TEMPLATE | changes).items() if value is not None}
    with pytest.raises(Refusal, match="MalformedTemplate"):
        aws.iamd("RegisterRoleTemplateVersion", **(VERSION | {"Template": json.dumps(template)}))


@pytest.mark.parametrize("operation", OPERATIONS)
def test_role_templates_are_the_operators(aws, operation):
    """Of the operations RegisterRoleTemplateVersion and UpdateRoleTemplate."""
    with pytest.raises(Refusal, match=f"is not authorized to perform: iamd:{operation}"):
        aws.iamd(operation, aws.user("nobody"), **OPERATIONS[operation])
    tenant = Credentials.of(aws.iamd("CreateAccount", Name="other"))
    with pytest.raises(Refusal, match="Accounts are managed from the account"):
        aws.iamd(operation, tenant, **OPERATIONS[operation])
    if operation == "UpdateRoleTemplate":
        aws.iamd("RegisterRoleTemplateVersion", **VERSION)
    aws.iamd(operation, aws.user("somebody", allow(f"iamd:{operation}")), **OPERATIONS[operation])
    assert {event.get("errorCode") for event in aws.events(operation)} == {None, "AccessDeniedException"}
