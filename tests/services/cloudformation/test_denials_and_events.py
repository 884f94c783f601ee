"""Every operation is decided on the right resource, with CloudFormation's condition keys, and is one event."""

import pytest
from botocore.exceptions import ClientError
from running import ACCOUNT, allow, deny
from services.cloudformation.conftest import IAM, body, group

from iamd.services import registry

registry.load()
OPERATIONS = sorted(found.function.__name__ for found in registry.registered() if found.service == "cloudformation")

STACK = f"arn:aws:cloudformation:us-east-1:{ACCOUNT}:stack/tour/"
TEMPLATE = body(A=group("a"))
TOUR = {"StackName": "tour"}
CHANGE = {"ChangeSetName": "change", "StackName": "tour"}

CALLS = {
    "cancel_update_stack": (TOUR, STACK),
    "continue_update_rollback": (TOUR, STACK),
    "create_change_set": ({**TOUR, "ChangeSetName": "new", "TemplateBody": TEMPLATE, **IAM}, STACK),
    "create_stack": ({"StackName": "new", "TemplateBody": TEMPLATE, **IAM}, STACK.replace("tour/", "new/*")),
    "delete_change_set": (CHANGE, STACK),
    "delete_stack": (TOUR, STACK),
    "describe_change_set": (CHANGE, STACK),
    "describe_stack_events": (TOUR, STACK),
    "describe_stack_resource": ({**TOUR, "LogicalResourceId": "A"}, STACK),
    "describe_stack_resources": ({"PhysicalResourceId": "tour-group"}, STACK),
    "describe_stacks": (TOUR, STACK),
    "execute_change_set": (CHANGE, STACK),
    "get_stack_policy": (TOUR, STACK),
    "get_template": (TOUR, STACK),
    "get_template_summary": (TOUR, STACK),
    "list_change_sets": (TOUR, STACK),
    "list_exports": ({}, "*"),
    "list_imports": ({"ExportName": "name"}, "*"),
    "list_stack_resources": (TOUR, STACK),
    "list_stacks": ({}, "*"),
    "rollback_stack": (TOUR, STACK),
    "set_stack_policy": ({**TOUR, "StackPolicyBody": "{}"}, STACK),
    "update_stack": ({**TOUR, "TemplateBody": TEMPLATE, **IAM}, STACK),
    "update_termination_protection": ({**TOUR, "EnableTerminationProtection": True}, STACK),
    "validate_template": ({"TemplateBody": TEMPLATE}, "*"),
}
"""Each operation's parameters, and how the resource begins that a denial names."""


@pytest.fixture
def world(stacks, made):
    """A stack with a change set."""
    made("tour", A=group("tour-group"))
    stacks.create_change_set(**CHANGE, TemplateBody=TEMPLATE, **IAM)


def called(client, name, parameters):
    """The code of the error that a call ends with, its words, and its request's id."""
    try:
        answer = getattr(client, name)(**parameters)
    except ClientError as error:
        told = error.response
        return told["Error"]["Code"], told["Error"]["Message"], told["ResponseMetadata"]["RequestId"]
    return None, "", answer["ResponseMetadata"]["RequestId"]


def event_among(aws, name, request_id):
    """The event of a request among those of its operation."""
    for _ in range(100):
        for event in aws.events(name):
            if event["requestID"] == request_id:
                return event
    raise AssertionError(f"no event of {name}")


def test_every_operation_is_in_the_table():
    assert sorted(CALLS) == OPERATIONS


@pytest.mark.parametrize("name", CALLS)
def test_a_denial_names_the_resource_and_both_outcomes_are_events(aws, stacks, world, name):
    parameters, resource = CALLS[name]
    aws_name = "".join(part.capitalize() for part in name.split("_"))
    nobody = aws.client("cloudformation", aws.user("nobody"))
    code, words, request_id = called(nobody, name, parameters)
    assert code == "AccessDenied"
    where = f" on resource: {resource}" if resource != "*" else " because"
    assert f"is not authorized to perform: cloudformation:{aws_name}{where}" in words
    event = event_among(aws, aws_name, request_id)
    assert (event["errorCode"], event["eventSource"]) == ("AccessDenied", "cloudformation.amazonaws.com")
    place = f"{resource}*" if resource != "*" else "*"
    may = aws.client("cloudformation", aws.user("may", allow(f"cloudformation:{aws_name}", place)))
    code, _, request_id = called(may, name, parameters)
    assert code in {None, "ValidationError"}
    event = event_among(aws, aws_name, request_id)
    reads = name.startswith(("describe", "get", "list", "validate"))
    assert (event["readOnly"], event["userIdentity"]["userName"]) == (reads, "may")


def denied(client, call, **parameters):
    return called(client, call, parameters)[0] == "AccessDenied"


@pytest.mark.parametrize(
    ("key", "value", "given", "other"),
    [
        ("cloudformation:TemplateUrl", "https://s3.amazonaws.com/ours/*", None, "https://s3.amazonaws.com/theirs/t"),
        ("cloudformation:RoleArn", "arn:aws:iam::123456789012:role/ours", None, "arn:aws:iam::123456789012:role/x"),
        ("cloudformation:StackPolicyUrl", "https://ours/*", None, "https://theirs/x"),
    ],
)
def test_condition_keys_of_the_request_are_those_of_the_service(aws, key, value, given, other):
    parameter = {"TemplateUrl": "TemplateURL", "RoleArn": "RoleARN", "StackPolicyUrl": "StackPolicyURL"}[key[15:]]
    ann = aws.user("ann", allow("cloudformation:*", StringLike={key: value}), allow("iam:PassRole"))
    client = aws.client("cloudformation", ann)
    template = {} if parameter == "TemplateURL" else {"TemplateBody": TEMPLATE}
    assert denied(client, "create_stack", StackName="new", **{parameter: other}, **template, **IAM)
    assert denied(client, "create_stack", StackName="new", **{"TemplateBody": TEMPLATE, **IAM})
    allowed = value.replace("*", "template")
    assert not denied(client, "create_stack", StackName="new", **{parameter: allowed}, **template, **IAM)


def test_types_and_change_sets_and_tags_are_condition_keys(aws, stacks, made, world):
    types = {"ForAllValues:StringEquals": {"cloudformation:ResourceTypes": ["AWS::IAM::Group"]}}
    null = {"Null": {"cloudformation:ResourceTypes": "false"}}
    ann = aws.client("cloudformation", aws.user("ann", allow("cloudformation:CreateStack", **types, **null)))
    given = {"StackName": "new", "TemplateBody": TEMPLATE, **IAM}
    assert denied(ann, "create_stack", **given)
    assert denied(ann, "create_stack", **given, ResourceTypes=["AWS::IAM::User"])
    assert not denied(ann, "create_stack", **given, ResourceTypes=["AWS::IAM::Group"])
    named = {"StringEquals": {"cloudformation:ChangeSetName": "change"}}
    bob = aws.client("cloudformation", aws.user("bob", allow("cloudformation:*ChangeSet", **named)))
    assert denied(bob, "create_change_set", StackName="tour", ChangeSetName="x", TemplateBody=TEMPLATE, **IAM)
    assert not denied(bob, "describe_change_set", **CHANGE)
    change_set = stacks.describe_change_set(**CHANGE)["ChangeSetId"]
    assert not denied(bob, "describe_change_set", ChangeSetName=change_set)


def test_tags_are_given_by_who_may_tag(aws, stacks, settled):
    tags = [{"Key": "team", "Value": "blue"}]
    given = {"StackName": "new", "TemplateBody": TEMPLATE, **IAM}
    ann = aws.client("cloudformation", aws.user("ann", allow("cloudformation:CreateStack")))
    assert denied(ann, "create_stack", **given, Tags=tags)
    created = {"StringEquals": {"cloudformation:CreateAction": "CreateStack", "aws:RequestTag/team": "blue"}}
    bob = aws.user("bob", allow("cloudformation:CreateStack"), allow("cloudformation:TagResource", **created))
    client = aws.client("cloudformation", bob)
    assert denied(client, "create_stack", **given, Tags=[{"Key": "team", "Value": "red"}])
    assert not denied(client, "create_stack", **given, Tags=tags)
    settled("new")
    own = {"StringEquals": {"aws:ResourceTag/team": "blue"}}
    carol = aws.client("cloudformation", aws.user("carol", allow("cloudformation:*", **own)))
    assert not denied(carol, "describe_stacks", StackName="new")
    stacks.create_stack(StackName="other", TemplateBody=TEMPLATE, **IAM)
    assert denied(carol, "describe_stacks", StackName="other")
    dave = aws.user("dave", allow("cloudformation:*"), deny("cloudformation:TagResource"))
    client = aws.client("cloudformation", dave)
    assert denied(client, "update_stack", StackName="new", TemplateBody=TEMPLATE, Tags=tags, **IAM)


def test_events_name_parameters_without_their_values(aws, stacks):
    template = (
        '{"Parameters": {"Secret": {"Type": "String", "NoEcho": true}}, "Resources": {"A": {"Type": "AWS::IAM::User"}}}'
    )
    given = [{"ParameterKey": "Secret", "ParameterValue": "xyzzy-plugh"}]
    stacks.create_stack(StackName="new", TemplateBody=template, Parameters=given, **IAM)
    [event] = aws.events("CreateStack")
    assert event["requestParameters"]["parameters"] == [{"parameterKey": "Secret"}]
    assert "xyzzy-plugh" not in str(event)
