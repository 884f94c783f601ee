"""Updates: what changes, what is replaced, what is left as it is, and how one is undone."""

import json

import pytest
from running import ACCOUNT
from services.cloudformation.conftest import IAM, body, group

DOCUMENT = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}


def user(name=None, **properties):
    return {"Type": "AWS::IAM::User", "Properties": {**({"UserName": name} if name else {}), **properties}}


def resource_ids(stacks, name="tour"):
    found = stacks.list_stack_resources(StackName=name)["StackResourceSummaries"]
    return {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in found}


def test_an_update_changes_makes_and_removes_and_nothing_else(stacks, made, settled, told, aws, groups):
    stack_id = made("tour", Same=group("same"), Gone=group("gone"), Ann=user("ann", Path="/a/"))
    before = len(told("tour"))
    template = body(Same=group("same"), New=group("new"), Ann=user("ann", Path="/b/"))
    answer = stacks.update_stack(StackName="tour", TemplateBody=template, **IAM)
    assert answer["StackId"] == stack_id
    assert settled("tour") == "UPDATE_COMPLETE"
    assert groups() == ["new", "same"]
    assert aws.client("iam").get_user(UserName="ann")["User"]["Path"] == "/b/"
    steps = told("tour")[before:]
    assert steps[0] == ("tour", "UPDATE_IN_PROGRESS")
    assert "Same" not in {name for name, _ in steps}
    assert [status for name, status in steps if name == "Ann"] == ["UPDATE_IN_PROGRESS", "UPDATE_COMPLETE"]
    assert steps[-4:] == [
        ("tour", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"),
        ("Gone", "DELETE_IN_PROGRESS"),
        ("Gone", "DELETE_COMPLETE"),
        ("tour", "UPDATE_COMPLETE"),
    ]
    assert set(resource_ids(stacks)) == {"Same", "New", "Ann"}


def test_a_resource_that_can_not_be_changed_is_replaced(stacks, made, settled, told, groups, aws):
    policy = {
        "Type": "AWS::IAM::Policy",
        "Properties": {"PolicyName": "p", "PolicyDocument": DOCUMENT, "Groups": [{"Ref": "Group"}]},
    }
    made("tour", Group=group("old"), Policy=policy)
    stacks.update_stack(StackName="tour", TemplateBody=body(Group=group("new"), Policy=policy), **IAM)
    assert settled("tour") == "UPDATE_COMPLETE"
    assert groups() == ["new"]
    # What refers to it follows it.
    assert aws.client("iam").list_group_policies(GroupName="new")["PolicyNames"] == ["p"]
    steps = told("tour")
    assert steps.index(("Group", "UPDATE_COMPLETE")) < steps.index(("Policy", "UPDATE_COMPLETE"))
    assert steps[-3:] == [("Group", "DELETE_IN_PROGRESS"), ("Group", "DELETE_COMPLETE"), ("tour", "UPDATE_COMPLETE")]


def test_what_is_replaced_may_be_kept(stacks, made, settled, groups, told):
    made("tour", Group=group("old", UpdateReplacePolicy="Retain"))
    stacks.update_stack(StackName="tour", TemplateBody=body(Group=group("new")), **IAM)
    assert settled("tour") == "UPDATE_COMPLETE"
    assert groups() == ["new", "old"]
    assert ("Group", "DELETE_SKIPPED") in told("tour")


def test_what_is_left_out_may_be_kept(stacks, made, settled, groups):
    made("tour", A=group("a", DeletionPolicy="Retain"), B=group("b"))
    stacks.update_stack(StackName="tour", TemplateBody=body(B=group("b")), **IAM)
    assert settled("tour") == "UPDATE_COMPLETE"
    assert groups() == ["a", "b"]
    assert set(resource_ids(stacks)) == {"B"}


def test_an_update_of_nothing_is_refused(stacks, made, refused):
    made("tour", Group=group("a"))
    with refused("ValidationError", "No updates are to be performed."):
        stacks.update_stack(StackName="tour", TemplateBody=body(Group=group("a")), **IAM)
    with refused("ValidationError", "No updates are to be performed."):
        stacks.update_stack(StackName="tour", UsePreviousTemplate=True, **IAM)
    assert stacks.describe_stacks(StackName="tour")["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE"


def test_the_template_before_is_used_with_other_parameters(stacks, settled, groups, refused):
    template = {
        "Parameters": {"One": {"Type": "String"}, "Two": {"Type": "String", "Default": "two"}},
        "Resources": {"A": group({"Ref": "One"}), "B": group({"Ref": "Two"})},
    }
    given = [{"ParameterKey": "One", "ParameterValue": "one"}]
    stacks.create_stack(StackName="tour", TemplateBody=json.dumps(template), Parameters=given, **IAM)
    assert settled("tour") == "CREATE_COMPLETE"
    with refused("ValidationError", "Parameters: [One] must have values"):
        stacks.update_stack(StackName="tour", UsePreviousTemplate=True, **IAM)
    changed = [{"ParameterKey": "One", "UsePreviousValue": True}, {"ParameterKey": "Two", "ParameterValue": "other"}]
    stacks.update_stack(StackName="tour", UsePreviousTemplate=True, Parameters=changed, **IAM)
    assert settled("tour") == "UPDATE_COMPLETE"
    assert groups() == ["one", "other"]


def test_tags_of_a_stack_are_tags_of_its_resources(stacks, settled, aws):
    given = {"StackName": "tour", "TemplateBody": body(Ann=user("ann", Tags=[{"Key": "own", "Value": "1"}])), **IAM}
    stack_id = stacks.create_stack(**given, Tags=[{"Key": "team", "Value": "blue"}])["StackId"]
    assert settled("tour") == "CREATE_COMPLETE"

    def tags():
        return {tag["Key"]: tag["Value"] for tag in aws.client("iam").list_user_tags(UserName="ann")["Tags"]}

    assert {key: value for key, value in tags().items() if not key.startswith("aws:")} == {"own": "1", "team": "blue"}
    stacks.update_stack(**given, Tags=[{"Key": "team", "Value": "red"}])
    assert settled("tour") == "UPDATE_COMPLETE"
    assert tags()["team"] == "red"
    assert stacks.describe_stacks(StackName=stack_id)["Stacks"][0]["Tags"] == [{"Key": "team", "Value": "red"}]


@pytest.mark.parametrize(
    ("tags", "words"),
    [
        ([{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}], "Duplicate tag keys"),
        ([{"Key": "aws:a", "Value": "1"}], "aws: prefixed tag key names"),
        ([{"Key": str(number), "Value": "1"} for number in range(51)], "length less than or equal to 50"),
    ],
)
def test_tags_are_of_the_form_that_tags_have(stacks, refused, tags, words):
    with refused("ValidationError", words):
        stacks.create_stack(StackName="tour", TemplateBody=body(A=group()), Tags=tags, **IAM)


def test_a_failed_update_is_undone(stacks, made, settled, told, aws, groups):
    made("tour", Ann=user("ann", Path="/a/"), Group=group("old"))
    before = len(told("tour"))
    template = body(
        Ann=user("ann", Path="/b/"),
        Group=group("new"),
        Extra=group("extra"),
        Taken=group("new", DependsOn=["Ann", "Group", "Extra"]),
    )
    stacks.update_stack(StackName="tour", TemplateBody=template, **IAM)
    assert settled("tour") == "UPDATE_ROLLBACK_COMPLETE"
    assert groups() == ["old"]
    assert aws.client("iam").get_user(UserName="ann")["User"]["Path"] == "/a/"
    assert set(resource_ids(stacks)) == {"Ann", "Group"}
    assert resource_ids(stacks)["Group"] == "old"
    statuses = [status for name, status in told("tour")[before:] if name == "tour"]
    assert statuses == [
        "UPDATE_IN_PROGRESS",
        "UPDATE_ROLLBACK_IN_PROGRESS",
        "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
        "UPDATE_ROLLBACK_COMPLETE",
    ]
    stacks.update_stack(StackName="tour", TemplateBody=body(Ann=user("ann", Path="/c/"), Group=group("old")), **IAM)
    assert settled("tour") == "UPDATE_COMPLETE"


def test_what_an_update_made_and_is_to_be_retained_outlives_its_undoing(stacks, made, settled, groups):
    def attempt(**given):
        template = body(
            A=group("a"), Extra=group("extra", DeletionPolicy="Retain"), Taken=group("a", DependsOn=["A", "Extra"])
        )
        stacks.update_stack(StackName="tour", TemplateBody=template, **IAM, **given)
        assert settled("tour") == "UPDATE_ROLLBACK_COMPLETE"
        return groups()

    made("tour", A=group("a"))
    assert attempt(RetainExceptOnCreate=True) == ["a"]
    assert attempt() == ["a", "extra"]


def test_a_failed_update_may_be_left_as_it_is(stacks, made, settled, groups, refused):
    made("tour", Group=group("old"))
    template = body(Group=group("new"), Taken=group("new", DependsOn="Group"))
    stacks.update_stack(StackName="tour", TemplateBody=template, DisableRollback=True, **IAM)
    assert settled("tour") == "UPDATE_FAILED"
    assert groups() == ["new", "old"]
    stacks.update_stack(StackName="tour", TemplateBody=body(Group=group("new"), Other=group("other")), **IAM)
    assert settled("tour") == "UPDATE_COMPLETE"
    assert groups() == ["new", "other"]
    with refused("ValidationError", "is in UPDATE_COMPLETE state and can not be rolled back."):
        stacks.rollback_stack(StackName="tour")


def test_a_failed_update_is_rolled_back_when_it_is_asked_for(stacks, made, settled, groups, refused):
    made("tour", Group=group("old"))
    template = body(Group=group("new"), Taken=group("new", DependsOn="Group"))
    stacks.update_stack(StackName="tour", TemplateBody=template, DisableRollback=True, **IAM)
    assert settled("tour") == "UPDATE_FAILED"
    with refused("ValidationError", "is not supported by iamd's CloudFormation"):
        stacks.rollback_stack(StackName="tour", DeploymentConfig={"Mode": "EXPRESS"})
    answer = stacks.rollback_stack(StackName="tour", ClientRequestToken="back")
    assert stacks.rollback_stack(StackName="tour", ClientRequestToken="back")["StackId"] == answer["StackId"]
    assert settled("tour") == "UPDATE_ROLLBACK_COMPLETE"
    assert groups() == ["old"]
    with refused("TokenAlreadyExistsException"):
        stacks.update_stack(StackName="tour", TemplateBody=template, ClientRequestToken="back", **IAM)
    stacks.update_stack(StackName="tour", TemplateBody=body(Group=group("b")), ClientRequestToken="on", **IAM)
    with refused("TokenAlreadyExistsException"):
        stacks.rollback_stack(StackName="tour", ClientRequestToken="on")
    assert settled("tour") == "UPDATE_COMPLETE"
    assert groups() == ["b"]


def test_a_failed_creation_is_rolled_back_to_nothing_when_it_is_asked_for(stacks, settled, groups):
    first = group("first", DeletionPolicy="Retain")
    template = body(First=first, Second=group("first", DependsOn="First"))
    stacks.create_stack(StackName="tour", TemplateBody=template, OnFailure="DO_NOTHING", **IAM)
    assert settled("tour") == "CREATE_FAILED"
    stacks.rollback_stack(StackName="tour", RetainExceptOnCreate=True)
    assert settled("tour") == "ROLLBACK_COMPLETE"
    assert groups() == []


def test_a_stack_of_which_nothing_is_left_is_only_deleted(stacks, settled, refused):
    template = body(First=group("first"), Second=group("first", DependsOn="First"))
    stack_id = stacks.create_stack(StackName="tour", TemplateBody=template, **IAM)["StackId"]
    assert settled("tour") == "ROLLBACK_COMPLETE"
    with refused("ValidationError", f"Stack:{stack_id} is in ROLLBACK_COMPLETE state and can not be updated."):
        stacks.update_stack(StackName="tour", TemplateBody=body(First=group("first")), **IAM)
    stacks.delete_stack(StackName="tour")
    assert settled(stack_id) == "DELETE_COMPLETE"
    with refused("ValidationError", "Stack [tour] does not exist"):
        stacks.update_stack(StackName="tour", TemplateBody=body(First=group("first")), **IAM)


def test_an_update_can_be_cancelled(stacks, made, settled, groups, refused, told):
    made("tour", A=group("a"))
    with refused("ValidationError", "CancelUpdateStack cannot be called from current stack status"):
        stacks.cancel_update_stack(StackName="tour")
    many = {f"G{number}": group() for number in range(100)}
    given = {"StackName": "tour", "TemplateBody": body(A=group("a"), **many), "ClientRequestToken": "up", **IAM}
    stacks.update_stack(**given)
    with refused("ValidationError", "is in UPDATE_IN_PROGRESS state and can not be updated."):
        stacks.update_stack(**{**given, "ClientRequestToken": "again"})
    with refused("ValidationError", "Stack [tour] cannot be deleted while in status UPDATE_IN_PROGRESS"):
        stacks.delete_stack(StackName="tour")
    with refused("TokenAlreadyExistsException"):
        stacks.cancel_update_stack(StackName="tour", ClientRequestToken="up")
    stacks.cancel_update_stack(StackName="tour", ClientRequestToken="stop")
    stacks.cancel_update_stack(StackName="tour", ClientRequestToken="stop")
    assert settled("tour") == "UPDATE_ROLLBACK_COMPLETE"
    assert groups() == ["a"]
    assert told("tour")[-1] == ("tour", "UPDATE_ROLLBACK_COMPLETE")


@pytest.fixture
def stuck(aws, stacks, made, settled):
    """A stack whose update could not be undone: its role may put Ann into a group, and not take her out again."""
    made("tour", B=group("b"), Ann=user("ann", Groups=[]))
    iam = aws.client("iam")
    trust = {"Effect": "Allow", "Principal": {"Service": "cloudformation.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    arn = iam.create_role(RoleName="once", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    once = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "iam:*", "Resource": "*"},
            {"Effect": "Deny", "Action": "iam:RemoveUserFromGroup", "Resource": f"arn:aws:iam::{ACCOUNT}:group/b"},
        ],
    }
    iam.put_role_policy(RoleName="once", PolicyName="p", PolicyDocument=json.dumps(once))
    template = body(Ann=user("ann", Groups=["b"]), B=group("b"), Taken=group("b", DependsOn="Ann"))
    stacks.update_stack(StackName="tour", TemplateBody=template, RoleARN=arn, **IAM)
    assert settled("tour") == "UPDATE_ROLLBACK_FAILED"
    return arn


def test_an_undoing_that_failed_goes_on_as_another_role(aws, stacks, stuck, settled, refused):
    iam = aws.client("iam")
    assert len(iam.list_groups_for_user(UserName="ann")["Groups"]) == 1
    policy = json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iam:*", "Resource": "*"}]}
    )
    trust = iam.get_role(RoleName="once")["Role"]["AssumeRolePolicyDocument"]
    arn = iam.create_role(RoleName="able", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    iam.put_role_policy(RoleName="able", PolicyName="p", PolicyDocument=policy)
    with refused("ValidationError", "is not supported by iamd's CloudFormation"):
        stacks.continue_update_rollback(StackName="tour", ForceRollback=True)
    stacks.continue_update_rollback(StackName="tour", RoleARN=arn, ClientRequestToken="on")
    stacks.continue_update_rollback(StackName="tour", RoleARN=arn, ClientRequestToken="on")
    assert settled("tour") == "UPDATE_ROLLBACK_COMPLETE"
    assert iam.list_groups_for_user(UserName="ann")["Groups"] == []
    with refused("ValidationError", "can not continue rollback"):
        stacks.continue_update_rollback(StackName="tour")
    stacks.delete_stack(StackName="other", ClientRequestToken="x")
    stacks.update_stack(StackName="tour", TemplateBody=body(B=group("c")), ClientRequestToken="up", **IAM)
    with refused("TokenAlreadyExistsException"):
        stacks.continue_update_rollback(StackName="tour", ClientRequestToken="up")


def test_an_undoing_does_not_go_on_as_a_role_that_can_not_be_assumed(aws, stacks, stuck, refused):
    iam = aws.client("iam")
    other = f"{stuck}-other"
    own = aws.client(
        "cloudformation", aws.user("eve", {"Effect": "Allow", "Action": "cloudformation:*", "Resource": "*"})
    )
    with refused("AccessDenied", f"iam:PassRole on resource: {other}"):
        own.continue_update_rollback(StackName="tour", RoleARN=other)
    with refused("ValidationError", f"Role {other} is invalid or cannot be assumed"):
        stacks.continue_update_rollback(StackName="tour", RoleARN=other)
    iam.delete_role_policy(RoleName="once", PolicyName="p")
    iam.delete_role(RoleName="once")
    with refused("ValidationError", f"Role {stuck} is invalid or cannot be assumed"):
        stacks.continue_update_rollback(StackName="tour")
    [stack] = stacks.describe_stacks(StackName="tour")["Stacks"]
    assert (stack["StackStatus"], stack["RoleARN"]) == ("UPDATE_ROLLBACK_FAILED", stuck)


def test_an_undoing_that_failed_goes_on_without_what_failed(aws, stacks, stuck, settled, refused):
    with refused("ValidationError", "[B] are not in UPDATE_FAILED state"):
        stacks.continue_update_rollback(StackName="tour", ResourcesToSkip=["B"])
    stacks.continue_update_rollback(StackName="tour", ResourcesToSkip=["Ann"])
    assert settled("tour") == "UPDATE_ROLLBACK_COMPLETE"
    assert len(aws.client("iam").list_groups_for_user(UserName="ann")["Groups"]) == 1


def test_parameters_that_nothing_would_heed_are_refused(stacks, made, refused):
    made("tour", A=group("a"))
    given = {"StackName": "tour", "TemplateBody": body(A=group("b")), **IAM}
    with refused("ValidationError", "is not supported by iamd's CloudFormation"):
        stacks.update_stack(**given, RollbackConfiguration={"MonitoringTimeInMinutes": 1})
    with refused("ValidationError", "is not supported by iamd's CloudFormation"):
        stacks.update_stack(**given, NotificationARNs=["arn:aws:sns:us-east-1:123456789012:topic"])
    with refused("ValidationError", "is not supported by iamd's CloudFormation"):
        stacks.update_stack(**given, DeploymentConfig={"Mode": "EXPRESS"})
    with refused("ValidationError", "is not supported by iamd's CloudFormation"):
        stacks.update_stack(**given, DisableValidation=True)
    assert resource_ids(stacks) == {"A": "a"}


def test_only_types_that_were_named_are_changed(stacks, made, settled, refused):
    made("tour", A=group("a"))
    given = {"StackName": "tour", "TemplateBody": body(A=group("b")), **IAM}
    with refused("ValidationError", "Resource type AWS::IAM::Group is not allowed by parameter ResourceTypes"):
        stacks.update_stack(**given, ResourceTypes=["AWS::IAM::User"])
    stacks.update_stack(**given, ResourceTypes=["AWS::IAM::Group"])
    assert settled("tour") == "UPDATE_COMPLETE"
    assert resource_ids(stacks) == {"A": "b"}


def test_a_failed_update_is_rolled_back_as_the_role_that_is_given(aws, stacks, made, settled):
    made("tour", Ann=user("ann", Path="/a/"))
    template = body(Ann=user("ann", Path="/b/"), Taken={**user("ann"), "DependsOn": "Ann"})
    stacks.update_stack(StackName="tour", TemplateBody=template, DisableRollback=True, **IAM)
    assert settled("tour") == "UPDATE_FAILED"
    trust = {"Effect": "Allow", "Principal": {"Service": "cloudformation.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    arn = aws.client("iam").create_role(RoleName="powerless", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    stacks.rollback_stack(StackName="tour", RoleARN=arn)
    assert settled("tour") == "UPDATE_ROLLBACK_FAILED"
    assert stacks.describe_stacks(StackName="tour")["Stacks"][0]["RoleARN"] == arn


def test_a_change_of_capabilities_alone_is_acknowledged_anew(stacks, made, refused):
    made("tour", A=group("a"))
    with refused("InsufficientCapabilitiesException", "Requires capabilities : [CAPABILITY_NAMED_IAM]"):
        stacks.update_stack(StackName="tour", TemplateBody=body(A=group("b")))
    assert resource_ids(stacks) == {"A": "a"}
