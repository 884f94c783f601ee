"""Stacks: made of a template, shown, deleted."""

import json
import re

import pytest
from running import ACCOUNT, allow
from services.cloudformation.conftest import IAM, body, group

ROLE = {
    "Type": "AWS::IAM::Role",
    "Properties": {
        "AssumeRolePolicyDocument": {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}],
        }
    },
}


def test_a_stack_makes_its_resources_in_the_order_of_their_dependence(stacks, settled, told, aws):
    user = {"Type": "AWS::IAM::User", "Properties": {"UserName": {"Fn::Sub": "${Role}-user"}}}
    answer = stacks.create_stack(StackName="tour", TemplateBody=body(AUser=user, Role=ROLE), **IAM)
    assert re.fullmatch(rf"arn:aws:cloudformation:us-east-1:{ACCOUNT}:stack/tour/[0-9a-f-]{{36}}", answer["StackId"])
    assert settled("tour") == "CREATE_COMPLETE"
    assert told("tour") == [
        ("tour", "CREATE_IN_PROGRESS"),
        *[("Role", f"CREATE_{status}") for status in ("IN_PROGRESS", "IN_PROGRESS", "COMPLETE")],
        *[("AUser", f"CREATE_{status}") for status in ("IN_PROGRESS", "IN_PROGRESS", "COMPLETE")],
        ("tour", "CREATE_COMPLETE"),
    ]
    [role] = [one["RoleName"] for one in aws.client("iam").list_roles()["Roles"] if one["RoleName"].startswith("tour")]
    assert re.fullmatch("tour-Role-[A-Za-z0-9]{12}", role)
    assert (
        aws.client("iam").get_user(UserName=f"{role}-user")["User"]["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/{role}-user"
    )


def test_a_stack_is_shown_with_what_it_was_made_by(stacks, settled):
    template = {
        "Description": "A group",
        "Parameters": {"Name": {"Type": "String"}, "Secret": {"Type": "String", "NoEcho": True}},
        "Resources": {"Group": group({"Ref": "Name"})},
        "Outputs": {
            "Arn": {"Value": {"Fn::GetAtt": ["Group", "Arn"]}, "Description": "Its ARN", "Export": {"Name": "group"}}
        },
    }
    given = [{"ParameterKey": "Name", "ParameterValue": "devs"}, {"ParameterKey": "Secret", "ParameterValue": "xyzzy"}]
    stacks.create_stack(
        StackName="tour",
        TemplateBody=json.dumps(template),
        Parameters=given,
        Tags=[{"Key": "team", "Value": "blue"}],
        TimeoutInMinutes=7,
        EnableTerminationProtection=True,
        RetainExceptOnCreate=True,
        OnFailure="DO_NOTHING",
        **IAM,
    )
    assert settled("tour") == "CREATE_COMPLETE"
    [shown] = stacks.describe_stacks(StackName="tour")["Stacks"]
    assert shown["Description"] == "A group"
    assert shown["Parameters"] == [given[0], {"ParameterKey": "Secret", "ParameterValue": "****"}]
    assert shown["Outputs"] == [
        {
            "OutputKey": "Arn",
            "OutputValue": f"arn:aws:iam::{ACCOUNT}:group/devs",
            "Description": "Its ARN",
            "ExportName": "group",
        }
    ]
    assert shown["Tags"] == [{"Key": "team", "Value": "blue"}]
    assert (shown["TimeoutInMinutes"], shown["EnableTerminationProtection"]) == (7, True)
    assert (shown["DisableRollback"], shown["RetainExceptOnCreate"]) == (True, True)
    assert shown["Capabilities"] == ["CAPABILITY_NAMED_IAM"]


def test_a_stack_without_its_capabilities_is_not_made(stacks, refused, groups):
    for resource, capability in ((group(), "CAPABILITY_IAM"), (group("devs"), "CAPABILITY_NAMED_IAM")):
        with refused("InsufficientCapabilitiesException", f"Requires capabilities : [{capability}]"):
            stacks.create_stack(StackName="tour", TemplateBody=body(Group=resource))
    with refused("InsufficientCapabilitiesException"):
        stacks.create_stack(StackName="tour", TemplateBody=body(Group=group("devs")), Capabilities=["CAPABILITY_IAM"])
    assert groups() == []
    stacks.create_stack(StackName="tour", TemplateBody=body(Group=group()), Capabilities=["CAPABILITY_IAM"])
    assert stacks.describe_stacks(StackName="tour")["Stacks"][0]["Capabilities"] == ["CAPABILITY_IAM"]


def test_a_name_stands_for_one_stack_at_a_time(stacks, made, settled, refused):
    first = made("tour", Group=group())
    with refused("AlreadyExistsException", "Stack [tour] already exists"):
        stacks.create_stack(StackName="tour", TemplateBody=body(Group=group()), **IAM)
    stacks.delete_stack(StackName="tour")
    assert settled(first) == "DELETE_COMPLETE"
    assert made("tour", Group=group()) != first
    with refused("ValidationError", "Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*"):
        stacks.create_stack(StackName="no_stack", TemplateBody=body(Group=group()), **IAM)


def test_a_request_that_is_sent_again_is_done_once(stacks, settled, refused):
    given = {"StackName": "tour", "TemplateBody": body(Group=group()), "ClientRequestToken": "one", **IAM}
    stack_id = stacks.create_stack(**given)["StackId"]
    assert stacks.create_stack(**given)["StackId"] == stack_id
    assert settled("tour") == "CREATE_COMPLETE"
    events = stacks.describe_stack_events(StackName="tour")["StackEvents"]
    assert {event["ClientRequestToken"] for event in events} == {"one"}
    with refused("TokenAlreadyExistsException"):
        stacks.delete_stack(StackName="tour", ClientRequestToken="one")
    with refused("TokenAlreadyExistsException"):
        stacks.update_stack(StackName="tour", TemplateBody=body(Group=group("a")), ClientRequestToken="one", **IAM)
    stacks.update_stack(StackName="tour", TemplateBody=body(Group=group("a")), ClientRequestToken="two", **IAM)
    with refused("TokenAlreadyExistsException"):
        stacks.create_stack(**{**given, "ClientRequestToken": "two"})
    settled("tour")
    stacks.delete_stack(StackName="tour", ClientRequestToken="three")
    assert settled(stack_id) == "DELETE_COMPLETE"
    assert stacks.describe_stack_events(StackName=stack_id)["StackEvents"][0]["ClientRequestToken"] == "three"


def test_only_types_that_were_named_are_made(stacks, settled, refused):
    given = {"StackName": "tour", "TemplateBody": body(Group=group()), **IAM}
    with refused("ValidationError", "Resource type AWS::IAM::Group is not allowed by parameter ResourceTypes"):
        stacks.create_stack(**given, ResourceTypes=["AWS::IAM::User", "AWS::S3::*"])
    stacks.create_stack(**given, ResourceTypes=["AWS::IAM::*"])
    assert settled("tour") == "CREATE_COMPLETE"
    changed = body(Group=group(), Role=ROLE)
    with refused("ValidationError", "Resource type AWS::IAM::Role is not allowed"):
        stacks.update_stack(StackName="tour", TemplateBody=changed, ResourceTypes=["AWS::IAM::Group"], **IAM)


def test_parameters_that_nothing_would_heed_are_refused(stacks, refused):
    given = {"StackName": "new", "TemplateBody": body(Group=group()), **IAM}
    with refused("ValidationError", "is not supported by iamd's CloudFormation"):
        stacks.create_stack(**given, RollbackConfiguration={"MonitoringTimeInMinutes": 1})
    with refused("ValidationError", "is not supported by iamd's CloudFormation"):
        stacks.create_stack(**given, NotificationARNs=["arn:aws:sns:us-east-1:123456789012:topic"])
    with refused("ValidationError", "is not supported by iamd's CloudFormation"):
        stacks.create_stack(**given, DeploymentConfig={"Mode": "EXPRESS"})
    with refused("ValidationError", "is not supported by iamd's CloudFormation"):
        stacks.create_stack(**given, DisableValidation=True)
    assert stacks.list_stacks()["StackSummaries"] == []


def test_a_failed_stack_is_rolled_back(stacks, settled, told, reason, groups):
    taken = {"Type": "AWS::IAM::Group", "Properties": {"GroupName": "first"}, "DependsOn": "First"}
    stacks.create_stack(StackName="tour", TemplateBody=body(First=group("first"), Second=taken), **IAM)
    assert settled("tour") == "ROLLBACK_COMPLETE"
    assert "Group with name first already exists." in reason("tour", "Second")
    [failed] = [one for one in told("tour") if one[1] == "ROLLBACK_IN_PROGRESS"]
    assert failed == ("tour", "ROLLBACK_IN_PROGRESS")
    assert told("tour")[-3:] == [
        ("First", "DELETE_IN_PROGRESS"),
        ("First", "DELETE_COMPLETE"),
        ("tour", "ROLLBACK_COMPLETE"),
    ]
    assert groups() == []
    [event] = [
        one
        for one in stacks.describe_stack_events(StackName="tour")["StackEvents"]
        if one["ResourceStatus"] == "ROLLBACK_IN_PROGRESS"
    ]
    assert event["ResourceStatusReason"] == (
        "The following resource(s) failed to create: [Second]. Rollback requested by user."
    )


@pytest.mark.parametrize(
    ("given", "status", "left"),
    [
        ({"OnFailure": "DO_NOTHING"}, "CREATE_FAILED", ["first"]),
        ({"DisableRollback": True}, "CREATE_FAILED", ["first"]),
        ({"DeploymentConfig": {"DisableRollback": True}}, "CREATE_FAILED", ["first"]),
        ({"OnFailure": "DELETE"}, "DELETE_COMPLETE", []),
        ({"OnFailure": "ROLLBACK"}, "ROLLBACK_COMPLETE", []),
        ({"DisableRollback": False}, "ROLLBACK_COMPLETE", []),
    ],
)
def test_what_becomes_of_a_failed_stack_is_its_makers_choice(stacks, settled, groups, given, status, left):
    template = body(First=group("first"), Second=group("first", DependsOn="First"))
    stack_id = stacks.create_stack(StackName="tour", TemplateBody=template, **IAM, **given)["StackId"]
    assert settled(stack_id) == status
    assert groups() == left


def test_a_deployment_says_whether_a_failure_is_left(stacks, settled):
    template = body(First=group("first"), Second=group("first", DependsOn="First"))
    config = {"Mode": "STANDARD", "DisableRollback": True}
    stacks.create_stack(StackName="tour", TemplateBody=template, DeploymentConfig=config, **IAM)
    assert settled("tour") == "CREATE_FAILED"
    assert stacks.describe_stacks(StackName="tour")["Stacks"][0]["DeploymentConfig"] == config
    template = body(First=group("first"), Second=group("first", DependsOn="First", Metadata={}))
    stacks.update_stack(StackName="tour", TemplateBody=template, DeploymentConfig=config, **IAM)
    assert settled("tour") == "UPDATE_FAILED"
    stacks.rollback_stack(StackName="tour", DeploymentConfig={"Mode": "STANDARD"})
    assert settled("tour") == "ROLLBACK_COMPLETE"
    stack_id = stacks.describe_stacks(StackName="tour")["Stacks"][0]["StackId"]
    stacks.delete_stack(StackName="tour", DeploymentConfig={"Mode": "STANDARD"})
    assert settled(stack_id) == "DELETE_COMPLETE"
    stacks.create_change_set(
        StackName="tour",
        ChangeSetName="first",
        ChangeSetType="CREATE",
        TemplateBody=template,
        DeploymentConfig=config,
        **IAM,
    )
    assert stacks.describe_change_set(StackName="tour", ChangeSetName="first")["DeploymentConfig"] == config
    stacks.execute_change_set(StackName="tour", ChangeSetName="first")
    assert settled("tour") == "CREATE_FAILED"


def test_onfailure_and_disablerollback_say_the_same(stacks, refused):
    with refused("ValidationError", "either DisableRollback or OnFailure"):
        stacks.create_stack(
            StackName="tour", TemplateBody=body(Group=group()), OnFailure="DELETE", DisableRollback=True, **IAM
        )
    assert stacks.list_stacks()["StackSummaries"] == []


@pytest.mark.parametrize(
    ("policy", "given", "left"),
    [
        ("Delete", {}, []),
        ("Retain", {}, ["first"]),
        ("RetainExceptOnCreate", {}, []),
        ("Retain", {"RetainExceptOnCreate": True}, []),
    ],
)
def test_what_is_to_be_retained_outlives_a_rollback(stacks, settled, groups, policy, given, left):
    first = group("first", DeletionPolicy=policy)
    template = body(First=first, Second=group("first", DependsOn="First"))
    stacks.create_stack(StackName="tour", TemplateBody=template, **IAM, **given)
    assert settled("tour") == "ROLLBACK_COMPLETE"
    assert groups() == left


def test_a_stack_that_takes_too_long_fails(aws, stacks, settled):
    many = {f"G{number}": group() for number in range(100)}
    stacks.create_stack(StackName="tour", TemplateBody=body(**many), TimeoutInMinutes=1, **IAM)
    aws.advance(61)
    assert settled("tour") == "ROLLBACK_COMPLETE"
    [failed] = [
        one
        for one in every_event(stacks, "tour")
        if one["ResourceStatus"] == "ROLLBACK_IN_PROGRESS" and one["LogicalResourceId"] == "tour"
    ]
    assert failed["ResourceStatusReason"] == (
        "Stack creation time exceeded the specified timeout. Rollback requested by user."
    )


def every_event(stacks, name):
    """The events of all pages."""
    answer = stacks.describe_stack_events(StackName=name)
    events = answer["StackEvents"]
    while "NextToken" in answer:
        answer = stacks.describe_stack_events(StackName=name, NextToken=answer["NextToken"])
        events += answer["StackEvents"]
    return events


def test_a_stack_acts_as_its_caller(aws, settled, stacks, reason, groups):
    ann = aws.user("ann", allow("cloudformation:*"), allow("iam:CreateGroup", f"arn:aws:iam::{ACCOUNT}:group/a*"))
    own = aws.client("cloudformation", ann)
    own.create_stack(StackName="tour", TemplateBody=body(A=group("a"), B=group("b", DependsOn="A")), **IAM)
    assert settled("tour") == "ROLLBACK_FAILED"
    assert (
        f"user/ann is not authorized to perform: iam:CreateGroup on resource: arn:aws:iam::{ACCOUNT}:group/b"
        in reason("tour", "B")
    )
    assert "iam:DeleteGroup" in reason("tour", "A")
    assert groups() == ["a"]


def test_a_stack_acts_as_its_role(aws, stacks, settled, groups, refused):
    trust = {"Effect": "Allow", "Principal": {"Service": "cloudformation.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    iam = aws.client("iam")
    arn = iam.create_role(RoleName="deploy", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow("iam:*")]})
    iam.put_role_policy(RoleName="deploy", PolicyName="iam", PolicyDocument=policy)
    own = aws.client("cloudformation", aws.user("ann", allow("cloudformation:*")))
    given = {"StackName": "tour", "TemplateBody": body(A=group("a")), **IAM}
    with refused("AccessDenied", f"iam:PassRole on resource: {arn}"):
        own.create_stack(**given, RoleARN=arn)
    passing = aws.client("cloudformation", aws.user("bob", allow("cloudformation:*"), allow("iam:PassRole", arn)))
    passing.create_stack(**given, RoleARN=arn)
    assert settled("tour") == "CREATE_COMPLETE"
    assert groups() == ["a"]
    assert stacks.describe_stacks(StackName="tour")["Stacks"][0]["RoleARN"] == arn
    # AWS: the role stays the stack's, also for who could not pass it (API Reference, UpdateStack, RoleARN).
    own.update_stack(StackName="tour", TemplateBody=body(A=group("a"), B=group("b")), **IAM)
    assert settled("tour") == "UPDATE_COMPLETE"
    assert groups() == ["a", "b"]
    [made] = [one for one in aws.events("CreateGroup") if one["requestParameters"]["groupName"] == "b"]
    assert made["userIdentity"]["arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/deploy/AWSCloudFormation"


def _role(aws, name, principal="cloudformation.amazonaws.com"):
    trust = {"Effect": "Allow", "Principal": {"Service": principal}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    return aws.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]


@pytest.mark.parametrize("is_there", [False, True])
def test_a_role_that_can_not_be_assumed_is_refused_at_once(aws, stacks, made, told, refused, is_there):
    """Terraform's provider asks again after exactly these words, as roles take a while on AWS."""
    arn = f"arn:aws:iam::{ACCOUNT}:role/deploy"
    if is_there:
        _role(aws, "deploy", "lambda.amazonaws.com")
    words = f"Role {arn} is invalid or cannot be assumed"
    given = {"StackName": "tour", "TemplateBody": body(A=group("a")), **IAM}
    with refused("ValidationError", words):
        stacks.create_stack(**given, RoleARN=arn)
    with refused("ValidationError", words):
        stacks.create_change_set(**given, ChangeSetName="c", ChangeSetType="CREATE", RoleARN=arn)
    assert stacks.list_stacks()["StackSummaries"] == []
    made("tour", A=group("a"))
    before = told("tour")
    changed = {**given, "TemplateBody": body(A=group("b"))}
    with refused("ValidationError", words):
        stacks.update_stack(**changed, RoleARN=arn)
    with refused("ValidationError", words):
        stacks.create_change_set(**changed, ChangeSetName="c", RoleARN=arn)
    with refused("ValidationError", words):
        stacks.delete_stack(StackName="tour", RoleARN=arn)
    assert stacks.list_change_sets(StackName="tour")["Summaries"] == []
    assert told("tour") == before
    assert "RoleARN" not in stacks.describe_stacks(StackName="tour")["Stacks"][0]


def test_a_change_set_is_not_executed_as_a_role_that_can_not_be_assumed_any_more(aws, stacks, made, told, refused):
    made("tour", A=group("a"))
    arn, iam = _role(aws, "deploy"), aws.client("iam")
    changed = {"StackName": "tour", "TemplateBody": body(A=group("b")), "ChangeSetName": "c", **IAM}
    stacks.create_change_set(**changed, RoleARN=arn)
    trust = iam.get_role(RoleName="deploy")["Role"]["AssumeRolePolicyDocument"]
    trust["Statement"][0]["Effect"] = "Deny"
    iam.update_assume_role_policy(RoleName="deploy", PolicyDocument=json.dumps(trust))
    before = told("tour")
    with refused("ValidationError", f"Role {arn} is invalid or cannot be assumed"):
        stacks.execute_change_set(StackName="tour", ChangeSetName="c")
    iam.delete_role(RoleName="deploy")
    with refused("ValidationError", f"Role {arn} is invalid or cannot be assumed"):
        stacks.execute_change_set(StackName="tour", ChangeSetName="c")
    assert told("tour") == before
    shown = stacks.describe_change_set(StackName="tour", ChangeSetName="c")
    assert shown["ExecutionStatus"] == "AVAILABLE"
    assert "RoleARN" not in stacks.describe_stacks(StackName="tour")["Stacks"][0]


def test_a_change_set_is_executed_as_its_role_by_who_may_not_pass_it(aws, stacks, made, settled, refused, groups):
    """AWS: the role is used even if the user may not pass it (API Reference, CreateChangeSet, RoleARN)."""
    made("tour", A=group("a"))
    arn = _role(aws, "deploy")
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow("iam:*")]})
    aws.client("iam").put_role_policy(RoleName="deploy", PolicyName="iam", PolicyDocument=policy)
    own = aws.client("cloudformation", aws.user("ann", allow("cloudformation:*")))
    changed = {"StackName": "tour", "TemplateBody": body(A=group("b")), "ChangeSetName": "c", **IAM}
    with refused("AccessDenied", f"iam:PassRole on resource: {arn}"):
        own.create_change_set(**changed, RoleARN=arn)
    stacks.create_change_set(**changed, RoleARN=arn)
    own.execute_change_set(StackName="tour", ChangeSetName="c")
    assert settled("tour") == "UPDATE_COMPLETE"
    assert groups() == ["b"]
    assert stacks.describe_stacks(StackName="tour")["Stacks"][0]["RoleARN"] == arn


def test_a_failed_creation_is_not_rolled_back_as_a_role_that_can_not_be_assumed(aws, stacks, settled, refused, groups):
    template = body(First=group("first"), Second=group("first", DependsOn="First"))
    stacks.create_stack(StackName="tour", TemplateBody=template, OnFailure="DO_NOTHING", **IAM)
    assert settled("tour") == "CREATE_FAILED"
    arn = _role(aws, "deploy", "lambda.amazonaws.com")
    own = aws.client("cloudformation", aws.user("ann", allow("cloudformation:*")))
    with refused("AccessDenied", f"iam:PassRole on resource: {arn}"):
        own.rollback_stack(StackName="tour", RoleARN=arn)
    for role in (arn, f"{arn}-none"):
        with refused("ValidationError", f"Role {role} is invalid or cannot be assumed"):
            stacks.rollback_stack(StackName="tour", RoleARN=role)
    assert stacks.describe_stacks(StackName="tour")["Stacks"][0]["StackStatus"] == "CREATE_FAILED"
    own.rollback_stack(StackName="tour")
    assert settled("tour") == "ROLLBACK_FAILED"
    assert groups() == ["first"]


def test_a_stack_whose_role_is_gone_needs_another_one(aws, stacks, settled, refused, groups):
    iam = aws.client("iam")
    arn, other = _role(aws, "deploy"), _role(aws, "other")
    for name in ("deploy", "other"):
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allow("iam:*")]})
        iam.put_role_policy(RoleName=name, PolicyName="iam", PolicyDocument=policy)
    stack_id = stacks.create_stack(StackName="tour", TemplateBody=body(A=group("a")), RoleARN=arn, **IAM)["StackId"]
    assert settled("tour") == "CREATE_COMPLETE"
    iam.delete_role_policy(RoleName="deploy", PolicyName="iam")
    iam.delete_role(RoleName="deploy")
    with refused("ValidationError", f"Role {arn} is invalid or cannot be assumed"):
        stacks.update_stack(StackName="tour", TemplateBody=body(A=group("b")), **IAM)
    with refused("ValidationError", f"Role {arn} is invalid or cannot be assumed"):
        stacks.delete_stack(StackName="tour")
    stacks.delete_stack(StackName="tour", RoleARN=other)
    assert settled(stack_id) == "DELETE_COMPLETE"
    assert groups() == []


def test_who_may_not_pass_a_role_learns_nothing_of_it(aws, refused):
    own = aws.client("cloudformation", aws.user("ann", allow("cloudformation:*")))
    arn = f"arn:aws:iam::{ACCOUNT}:role/none"
    with refused("AccessDenied", f"iam:PassRole on resource: {arn}"):
        own.create_stack(StackName="tour", TemplateBody=body(A=group("a")), RoleARN=arn, **IAM)
    assert aws.events("AssumeRole") == []


def test_a_role_of_another_account_is_not_passed(stacks, refused):
    with refused("ValidationError", "Cross-account pass role is not allowed."):
        stacks.create_stack(
            StackName="tour", TemplateBody=body(A=group()), RoleARN="arn:aws:iam::999999999999:role/deploy", **IAM
        )
    with refused("ValidationError", "is invalid or cannot be assumed"):
        stacks.create_stack(
            StackName="tour", TemplateBody=body(A=group()), RoleARN="arn:aws:iam::999999999999:user/deploy", **IAM
        )
    assert stacks.list_stacks()["StackSummaries"] == []


def test_a_stack_is_deleted_with_its_resources_in_the_other_order(stacks, made, settled, told, groups, refused):
    stack_id = made("tour", A=group("a"), B=group("b", DependsOn="A"))
    stacks.delete_stack(StackName="tour")
    assert settled(stack_id) == "DELETE_COMPLETE"
    assert groups() == []
    assert told(stack_id)[-6:] == [
        ("tour", "DELETE_IN_PROGRESS"),
        ("B", "DELETE_IN_PROGRESS"),
        ("B", "DELETE_COMPLETE"),
        ("A", "DELETE_IN_PROGRESS"),
        ("A", "DELETE_COMPLETE"),
        ("tour", "DELETE_COMPLETE"),
    ]
    with refused("ValidationError", "Stack with id tour does not exist"):
        stacks.describe_stacks(StackName="tour")
    assert stacks.describe_stacks(StackName=stack_id)["Stacks"][0]["DeletionTime"]
    stacks.delete_stack(StackName="tour")
    stacks.delete_stack(StackName="never-there")


def test_what_is_to_be_retained_outlives_its_stack(stacks, made, settled, told, groups):
    kept = {name: group(name, DeletionPolicy=policy) for name, policy in KEPT.items()}
    stack_id = made("tour", C=group("c"), **{name.upper(): one for name, one in kept.items()})
    stacks.delete_stack(StackName="tour")
    assert settled(stack_id) == "DELETE_COMPLETE"
    assert groups() == ["a", "b"]
    assert ("A", "DELETE_SKIPPED") in told(stack_id)


KEPT = {"a": "Retain", "b": "RetainExceptOnCreate"}


def test_what_can_not_be_deleted_fails_the_deletion_and_can_be_left(aws, stacks, made, settled, reason, refused):
    stack_id = made("tour", A=group("a"), B=group("b"))
    aws.client("iam").add_user_to_group(GroupName="a", UserName="admin")
    with refused("ValidationError", "RetainResources"):
        stacks.delete_stack(StackName="tour", RetainResources=["A"])
    stacks.delete_stack(StackName="tour")
    assert settled("tour") == "DELETE_FAILED"
    assert "Cannot delete entity" in reason("tour", "A")
    assert stacks.describe_stacks(StackName="tour")["Stacks"][0]["StackStatusReason"] == (
        "The following resource(s) failed to delete: [A]. "
    )
    with refused("ValidationError", "Resources [Other] do not exist"):
        stacks.delete_stack(StackName="tour", RetainResources=["Other"])
    stacks.delete_stack(StackName="tour", RetainResources=["A"], DeletionMode="STANDARD")
    assert settled(stack_id) == "DELETE_COMPLETE"


def test_a_stack_that_is_being_made_can_be_deleted(stacks, settled, groups):
    many = {f"G{number}": group() for number in range(100)}
    stack_id = stacks.create_stack(StackName="tour", TemplateBody=body(**many), **IAM)["StackId"]
    stacks.delete_stack(StackName="tour")
    assert settled(stack_id) == "DELETE_COMPLETE"
    assert groups() == []


def test_a_stack_is_deleted_as_the_role_that_is_given(aws, stacks, made, settled, reason):
    trust = {"Effect": "Allow", "Principal": {"Service": "cloudformation.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    arn = aws.client("iam").create_role(RoleName="powerless", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    made("tour", A=group("a"))
    stacks.delete_stack(StackName="tour", RoleARN=arn)
    assert settled("tour") == "DELETE_FAILED"
    assert "assumed-role/powerless/AWSCloudFormation is not authorized to perform: iam:" in reason("tour", "A")


def test_no_deletion_is_forced(stacks, made, refused):
    made("tour", A=group("a"))
    with refused("ValidationError", "The DeletionMode FORCE_DELETE_STACK is not supported"):
        stacks.delete_stack(StackName="tour", DeletionMode="FORCE_DELETE_STACK")
    with refused("ValidationError", "is not supported by iamd's CloudFormation"):
        stacks.delete_stack(StackName="tour", DeploymentConfig={"Mode": "EXPRESS"})
    assert stacks.describe_stacks(StackName="tour")["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE"


def test_a_protected_stack_is_not_deleted(stacks, made, settled, refused, groups):
    stack_id = made("tour", A=group("a"))
    told = stacks.update_termination_protection(StackName="tour", EnableTerminationProtection=True)
    assert told["StackId"] == stack_id
    with refused("ValidationError", "Stack [tour] cannot be deleted while TerminationProtection is enabled"):
        stacks.delete_stack(StackName="tour")
    assert groups() == ["a"]
    stacks.update_termination_protection(StackName=stack_id, EnableTerminationProtection=False)
    stacks.delete_stack(StackName="tour")
    assert settled(stack_id) == "DELETE_COMPLETE"
    with refused("ValidationError", "Stack [tour] does not exist"):
        stacks.update_termination_protection(StackName="tour", EnableTerminationProtection=True)


def test_stacks_are_listed_the_newest_first_in_pages(stacks, made, settled):
    first = made("first", A=group())
    names = [f"stack-{number:03d}" for number in range(101)]
    for name in names:
        stacks.create_change_set(
            StackName=name, ChangeSetName="c", ChangeSetType="CREATE", TemplateBody=body(A=group()), **IAM
        )
    stacks.delete_stack(StackName="first")
    assert settled(first) == "DELETE_COMPLETE"
    for call, member, expected in (
        (stacks.describe_stacks, "Stacks", names),
        (stacks.list_stacks, "StackSummaries", ["first", *names]),
    ):
        one = call()
        assert len(one[member]) == 100
        two = call(NextToken=one["NextToken"])
        assert "NextToken" not in two
        assert [stack["StackName"] for stack in one[member] + two[member]] == expected[::-1]
    [deleted] = stacks.list_stacks(StackStatusFilter=["DELETE_COMPLETE"])["StackSummaries"]
    assert deleted["StackId"] == first


def test_deleted_stacks_are_forgotten_after_90_days(aws, stacks, made, settled, refused):
    stack_id = made("tour", A=group())
    stacks.delete_stack(StackName="tour")
    assert settled(stack_id) == "DELETE_COMPLETE"
    aws.advance(91 * 86400)
    made("other", A=group())
    with refused("ValidationError", f"Stack [{stack_id}] does not exist"):
        stacks.describe_stack_events(StackName=stack_id)
    assert [one["StackName"] for one in stacks.list_stacks()["StackSummaries"]] == ["other"]


def test_stacks_of_another_region_or_account_are_not_seen(aws, stacks, made, refused):
    stack_id = made("tour", A=group())
    other = stack_id.replace("us-east-1", "eu-west-1")
    with refused("ValidationError", f"Stack with id {other} does not exist"):
        stacks.describe_stacks(StackName=other)
