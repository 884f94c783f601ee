"""No member of any operation that takes a role, or an instance profile, is missed: botocore's models name them all."""

import re
import tomllib
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

import pytest
from gateway import model_members
from running import ACCOUNT

from iamd.errors import CommonError
from iamd.gateway.actions import passed_roles, passed_roles_table
from iamd.gateway.actions.asked import Asked
from iamd.gateway.actions.role_settings import UntoldRole

ARN = f"arn:aws:iam::{ACCOUNT}:role/app"
NAMED = re.compile(r"role|instance_?profile", re.IGNORECASE)
# What documentation says of a member that is for a role, or for an instance profile.
TOLD = re.compile(
    r"(ARN|Amazon Resource Name|[Nn]ame|path)\)?( \(ARN\))? (of|for) (the|an|a|your|any)[^.]{0,60}"
    r"\b([Rr]oles?|instance profiles?)\b|instance profile|\bIAM (service |execution |user )?[Rr]oles?\b|RoleArn"
)
PATTERN = re.compile(r"(?<![a-z])role(?!sanywhere)|instance-profile")
# A member whose name or pattern demands an ARN takes no name.
PATTERN_OF_ARN = re.compile(r"[\^$|()?:]*arn:")
READS = re.compile(r"Get|List|Describe|Delete")
OF_IAMD = {"cloudformation", "iam", "sts"}
"""Services that iamd answers itself, or whose roles are its own."""
ONLY_ARNS = re.compile(r"arns?(\[\]|\{\})*\Z|arn(update)?\Z", re.IGNORECASE)


class Operation(NamedTuple):
    """As much of an operation as the tables look at."""

    service: str
    name: str


def pipeline(*fields):
    """A pipeline's definition whose only object has these fields."""
    return {"pipelineObjects": [{"id": "o", "name": "o", "fields": [{"key": k, "stringValue": v} for k, v in fields]}]}


def is_for_role(member, shape, described, about):
    if described.get("enum"):
        return False
    pattern = described.get("pattern") or ""
    return bool(NAMED.search(f"{member} {shape}") or PATTERN.search(pattern) or TOLD.search(about))


def found(member, value):
    """Whether a request with this value at this member hands a role over."""
    asked = Asked(
        Operation(member.service, member.operation), model_members.given(member.path, value), ACCOUNT, "us-east-1"
    )
    return [passed.arn for passed in passed_roles.of(asked, None)] == [ARN]


def takes_names(member):
    return (
        not READS.match(member.operation)
        and not ONLY_ARNS.search(member.path)
        and not PATTERN_OF_ARN.match(member.pattern)
    )


def is_told_otherwise(member):
    """Whether a row names the member as one for profiles, templates or documents, or what it is within."""
    row = passed_roles_table.table().get(member.service, {}).get(member.operation)
    told = (*row.profiles, *row.templates, *row.documents) if row is not None else ()
    return any(member.path == one or member.path.startswith((f"{one}.", f"{one}[]")) for one in told)


def exceptions(kind):
    listed = tomllib.loads(Path(__file__).with_name("no_roles.toml").read_text("utf-8"))[kind]
    assert all(one["because"] for one in listed)
    return [pattern for one in listed for pattern in one["members"]]


def is_among(member, patterns):
    return any(fnmatchcase(member.name, pattern.replace("[]", "[[]]")) for pattern in patterns)


@pytest.fixture(scope="module")
def members():
    return [
        member
        for service, model in model_members.models()
        if service not in OF_IAMD
        for member in model_members.texts(service, model, is_for_role)
    ]


def check(missed, kind):
    patterns = exceptions(kind)
    assert [one.name for one in missed if not is_among(one, patterns)] == []
    assert [one for one in patterns if not any(is_among(member, [one]) for member in missed)] == []


def test_every_member_for_a_role_is_known_as_one_or_listed_with_a_reason(members):
    check([one for one in members if not is_told_otherwise(one) and not found(one, ARN)], "none")


def test_a_role_may_be_named_wherever_no_arn_is_demanded(members):
    with_roles = [one for one in members if not is_told_otherwise(one) and found(one, ARN)]
    check([one for one in with_roles if takes_names(one) and not found(one, "app")], "no_name")


@pytest.mark.parametrize(
    ("operation", "parameters", "service"),
    [
        ("sns.CreateTopic", {"Attributes": {"SQSSuccessFeedbackRoleArn": ARN}}, "sns"),
        ("sns.SetTopicAttributes", {"AttributeName": "SQSFailureFeedbackRoleArn", "AttributeValue": ARN}, "sns"),
        ("servicecatalog.CreateServiceAction", {"Definition": {"AssumeRole": ARN}}, "servicecatalog"),
        (
            "config.PutRemediationConfigurations",
            model_members.given(
                "RemediationConfigurations[].Parameters.AutomationAssumeRole.StaticValue.Values[]", ARN
            ),
            "ssm",
        ),
        (
            "ssm.UpdateServiceSetting",
            {"SettingId": "/ssm/managed-instance/default-ec2-instance-management-role", "SettingValue": "app"},
            "ssm",
        ),
        (
            "elasticbeanstalk.CreateEnvironment",
            {
                "OptionSettings": [
                    {"Namespace": "aws:elasticbeanstalk:environment", "OptionName": "ServiceRole", "Value": "app"}
                ]
            },
            "elasticbeanstalk",
        ),
        (
            "rds.ModifyOptionGroup",
            model_members.given("OptionsToInclude[].OptionSettings[]", {"Name": "IAM_ROLE_ARN", "Value": ARN}),
            "rds",
        ),
        (
            "rds.ModifyDBClusterParameterGroup",
            {"Parameters": [{"ParameterName": "aws_default_s3_role", "ParameterValue": ARN}]},
            "rds",
        ),
        ("dms.CreateEndpoint", {"ExtraConnectionAttributes": f"a=b;serviceAccessRoleArn={ARN};c=d"}, "dms"),
        ("dms.ModifyEndpoint", {"ExtraConnectionAttributes": f'{{"ServiceAccessRoleArn":"{ARN}"}}'}, "dms"),
        (
            "logs.PutAccountPolicy",
            {"policyDocument": f'{{"RoleArn":"{ARN.replace("role", chr(92) + "u0072ole")}"}}'},
            "logs",
        ),
        ("servicecatalog.CreateConstraint", {"Parameters": f'{{"RoleArn":"{ARN}","RoleArn":"x"}}'}, "servicecatalog"),
        ("servicecatalog.UpdateConstraint", {"Parameters": f'{{"RoleArn":"{ARN}"}}'}, "servicecatalog"),
        ("ssm.CreateDocument", {"Content": f"schemaVersion: '0.3'\nassumeRole: >-\n  {ARN}\n"}, "ssm"),
        (
            "osis.CreatePipeline",
            {"PipelineConfigurationBody": f"sink:\n- aws: {{sts_role_arn: {ARN}}}"},
            "osis-pipelines",
        ),
        (
            "config.PutConformancePack",
            {
                "TemplateBody": f"Resources: {{R: {{P: {{AutomationAssumeRole: {{StaticValue: {{Values: [{ARN}]}}}}}}}}}}"
            },
            "config",
        ),
        (
            "config.PutConformancePack",
            {"ConformancePackInputParameters": [{"ParameterName": "TheRole", "ParameterValue": ARN}]},
            "config",
        ),
        ("datapipeline.PutPipelineDefinition", pipeline(("role", "app")), "datapipeline"),
        ("datapipeline.ValidatePipelineDefinition", pipeline(("resourceRole", "app")), "ec2"),
        ("datapipeline.PutPipelineDefinition", pipeline(("role", "app"), ("type", "EmrCluster")), "elasticmapreduce"),
        (
            "datapipeline.PutPipelineDefinition",
            {**pipeline(("role", "#{my}")), "parameterValues": [{"id": "my", "stringValue": "app"}]},
            "datapipeline",
        ),
        (
            "datapipeline.PutPipelineDefinition",
            {
                **pipeline(("role", "#{my}")),
                "parameterObjects": [{"id": "my", "attributes": [{"key": "default", "stringValue": "app"}]}],
            },
            "datapipeline",
        ),
    ],
)
def test_a_role_among_settings_or_within_a_text_is_found(operation, parameters, service):
    asked = Asked(Operation(*operation.split(".")), parameters, ACCOUNT, "us-east-1")
    assert [(one.arn, one.service) for one in passed_roles.of(asked, None)] == [(ARN, f"{service}.amazonaws.com")]


def test_a_role_that_is_worked_out_later_is_refused():
    asked = Asked(Operation("datapipeline", "PutPipelineDefinition"), pipeline(("role", "#{my}")), ACCOUNT, "us-east-1")
    with pytest.raises(UntoldRole):
        passed_roles.of(asked, None)


def test_each_service_that_is_handed_one_role_must_be_allowed_it():
    parameters = {"taskRoleArn": ARN, "volumes": [{"managed": {"roleArn": ARN}}]}
    asked = Asked(Operation("ecs", "RegisterTaskDefinition"), parameters, ACCOUNT, "us-east-1")
    services = [one.service for one in passed_roles.of(asked, None)]
    assert services == ["ecs-tasks.amazonaws.com", "ecs.amazonaws.com"]


def test_a_role_of_another_account_that_a_member_asks_for_is_not_handed_over():
    role = "arn:aws:iam::210987654321:role/app"
    parameters = {"workflows": [{"steps": [{"crossAccountRole": role, "role": ARN}]}]}
    asked = Asked(Operation("arc-region-switch", "CreatePlan"), parameters, ACCOUNT, "us-east-1")
    assert [one.arn for one in passed_roles.of(asked, None)] == [ARN]


def passed_by_document(text):
    asked = Asked(Operation("ssm", "CreateDocument"), {"Content": text}, ACCOUNT, "us-east-1")
    return [one.arn for one in passed_roles.of(asked, None)]


def test_a_text_that_is_no_document_passes_what_it_names():
    assert passed_by_document(f"{{ assumeRole: '{ARN}'") == [ARN]
    assert passed_by_document("BEGIN:VCALENDAR\nX: [\n") == []


@pytest.mark.parametrize("text", ["[" * 20_000, "a: b\n" * 20_000, "- " * 20_000])
def test_what_cannot_be_read_is_refused(text):
    with pytest.raises(CommonError):
        passed_by_document(text)


def test_aliases_are_followed_once():
    levels = "\n".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}, *a{n - 1}]" for n in range(1, 60))
    assert passed_by_document(f"a0: &a0 [x, y]\n{levels}\nassumeRole: {ARN}") == [ARN]
