"""Change sets: what a change would change, and the change."""

import json

from services.cloudformation.conftest import IAM, body, group

NEW = {"ChangeSetName": "first", "ChangeSetType": "CREATE", **IAM}
CHANGE = {"ChangeSetName": "second", "ChangeSetType": "UPDATE", **IAM}


def test_a_change_set_makes_a_stack(stacks, settled, groups, refused):
    answer = stacks.create_change_set(
        StackName="tour",
        TemplateBody=body(A=group("a")),
        Description="what comes first",
        Tags=[{"Key": "team", "Value": "blue"}],
        OnStackFailure="DO_NOTHING",
        **NEW,
    )
    assert answer["Id"].startswith("arn:aws:cloudformation:us-east-1:123456789012:changeSet/first/")
    assert stacks.describe_stacks(StackName="tour")["Stacks"][0]["StackStatus"] == "REVIEW_IN_PROGRESS"
    assert groups() == []
    assert "TemplateBody" not in stacks.get_template(StackName="tour")
    shown = stacks.describe_change_set(ChangeSetName="first", StackName="tour")
    assert (shown["Status"], shown["ExecutionStatus"]) == ("CREATE_COMPLETE", "AVAILABLE")
    assert (shown["Description"], shown["OnStackFailure"]) == ("what comes first", "DO_NOTHING")
    assert shown["Tags"] == [{"Key": "team", "Value": "blue"}]
    assert shown["Capabilities"] == ["CAPABILITY_NAMED_IAM"]
    assert [change["ResourceChange"]["Action"] for change in shown["Changes"]] == ["Add"]
    assert stacks.get_template(ChangeSetName=answer["Id"])["TemplateBody"]
    stacks.execute_change_set(ChangeSetName="first", StackName="tour", ClientRequestToken="go")
    stacks.execute_change_set(ChangeSetName="first", StackName="tour", ClientRequestToken="go")
    assert settled("tour") == "CREATE_COMPLETE"
    assert groups() == ["a"]
    [stack] = stacks.describe_stacks(StackName="tour")["Stacks"]
    assert (stack["ChangeSetId"], stack["DisableRollback"]) == (answer["Id"], True)
    with refused("InvalidChangeSetStatus", "cannot be executed in its current status"):
        stacks.execute_change_set(ChangeSetName="first", StackName="tour")
    with refused("TokenAlreadyExistsException"):
        stacks.update_stack(StackName="tour", TemplateBody=body(A=group("b")), ClientRequestToken="go", **IAM)


def test_a_change_set_tells_what_would_change(stacks, made, settled, groups):
    made("tour", Same=group("same"), Replaced=group("old"), Gone=group("gone"), Moved=group("moved"))
    moved = {"Type": "AWS::IAM::Group", "Properties": {"GroupName": "moved", "Path": "/b/"}}
    template = body(Same=group("same"), Replaced=group("new"), Added=group("added"), Moved=moved)
    stacks.create_change_set(StackName="tour", TemplateBody=template, **CHANGE)
    changes = {
        one["ResourceChange"]["LogicalResourceId"]: one["ResourceChange"]
        for one in stacks.describe_change_set(ChangeSetName="second", StackName="tour")["Changes"]
    }
    assert {name: (one["Action"], one.get("Replacement")) for name, one in changes.items()} == {
        "Added": ("Add", None),
        "Gone": ("Remove", None),
        "Moved": ("Modify", "False"),
        "Replaced": ("Modify", "True"),
    }
    assert changes["Replaced"]["PhysicalResourceId"] == "old"
    assert changes["Replaced"]["Details"] == [
        {
            "Target": {"Attribute": "Properties", "Name": "GroupName", "RequiresRecreation": "Always"},
            "Evaluation": "Static",
            "ChangeSource": "DirectModification",
        }
    ]
    assert groups() == ["gone", "moved", "old", "same"]
    stacks.execute_change_set(ChangeSetName="second", StackName="tour")
    assert settled("tour") == "UPDATE_COMPLETE"
    assert groups() == ["added", "moved", "new", "same"]


def test_a_change_set_of_no_change_fails(stacks, made, refused):
    made("tour", A=group("a"))
    stacks.create_change_set(StackName="tour", TemplateBody=body(A=group("a")), **CHANGE)
    shown = stacks.describe_change_set(ChangeSetName="second", StackName="tour")
    assert (shown["Status"], shown["ExecutionStatus"]) == ("FAILED", "UNAVAILABLE")
    assert shown["StatusReason"].startswith("The submitted information didn't contain changes.")
    with refused("InvalidChangeSetStatus"):
        stacks.execute_change_set(ChangeSetName="second", StackName="tour")


def test_a_change_set_uses_the_template_and_values_before(stacks, settled, groups):
    template = {"Parameters": {"Name": {"Type": "String"}}, "Resources": {"A": group({"Ref": "Name"})}}
    given = [{"ParameterKey": "Name", "ParameterValue": "a"}]
    stacks.create_change_set(StackName="tour", TemplateBody=json.dumps(template), Parameters=given, **NEW)
    assert stacks.describe_change_set(ChangeSetName="first", StackName="tour")["Parameters"] == given
    stacks.execute_change_set(ChangeSetName="first", StackName="tour")
    assert settled("tour") == "CREATE_COMPLETE"
    other = [{"ParameterKey": "Name", "ParameterValue": "b"}]
    stacks.create_change_set(StackName="tour", UsePreviousTemplate=True, Parameters=other, **CHANGE)
    stacks.execute_change_set(ChangeSetName="second", StackName="tour")
    assert settled("tour") == "UPDATE_COMPLETE"
    assert groups() == ["b"]


def test_what_becomes_of_a_failure_is_said_when_it_is_executed(stacks, made, settled, groups):
    failing = body(A=group("a"), B=group("a", DependsOn="A", DeletionPolicy="Retain"))
    stacks.create_change_set(StackName="one", TemplateBody=failing, **NEW)
    stacks.execute_change_set(ChangeSetName="first", StackName="one", DisableRollback=True)
    assert settled("one") == "CREATE_FAILED"
    stacks.delete_stack(StackName="one")
    retained = body(A=group("b", DeletionPolicy="Retain"), B=group("b", DependsOn="A"))
    stacks.create_change_set(StackName="two", TemplateBody=retained, **NEW)
    stacks.execute_change_set(ChangeSetName="first", StackName="two", RetainExceptOnCreate=True)
    assert settled("two") == "ROLLBACK_COMPLETE"
    assert "b" not in groups()


def test_change_sets_are_listed_and_deleted(stacks, made, refused):
    stack_id = made("tour", A=group("a"))
    ids = [
        stacks.create_change_set(
            StackName="tour", ChangeSetName=name, TemplateBody=body(A=group("b")), ClientToken=name, **IAM
        )["Id"]
        for name in ("one", "two")
    ]
    listed = stacks.list_change_sets(StackName="tour")["Summaries"]
    assert {one["ChangeSetId"] for one in listed} == set(ids)
    assert {one["StackId"] for one in listed} == {stack_id}
    again = {"ChangeSetName": "one", "TemplateBody": body(A=group("b")), "ClientToken": "one"}
    assert stacks.create_change_set(StackName="tour", **again, **IAM)["Id"] == ids[0]
    with refused("AlreadyExistsException", "ChangeSet one cannot be created"):
        stacks.create_change_set(StackName="tour", ChangeSetName="one", TemplateBody=body(A=group("c")), **IAM)
    stacks.delete_change_set(ChangeSetName=ids[0])
    stacks.delete_change_set(ChangeSetName="one", StackName="tour")
    assert [one["ChangeSetName"] for one in stacks.list_change_sets(StackName="tour")["Summaries"]] == ["two"]
    with refused("ChangeSetNotFound", "ChangeSet [one] does not exist"):
        stacks.describe_change_set(ChangeSetName="one", StackName="tour")
    with refused("ChangeSetNotFound"):
        stacks.execute_change_set(ChangeSetName="one", StackName="tour")
    with refused("ChangeSetNotFound"):
        stacks.get_template(ChangeSetName="one", StackName="tour")
    with refused("ValidationError", "StackName must be specified"):
        stacks.describe_change_set(ChangeSetName="two")
    with refused("ValidationError", "Stack [other] does not exist"):
        stacks.list_change_sets(StackName="other")


def test_other_change_sets_of_a_stack_end_with_the_execution_of_one(stacks, made, settled):
    made("tour", A=group("a"))
    for name in ("one", "two"):
        stacks.create_change_set(StackName="tour", ChangeSetName=name, TemplateBody=body(A=group(name)), **IAM)
    stacks.execute_change_set(ChangeSetName="one", StackName="tour")
    assert settled("tour") == "UPDATE_COMPLETE"
    assert [one["ChangeSetName"] for one in stacks.list_change_sets(StackName="tour")["Summaries"]] == ["one"]


def test_change_sets_and_their_changes_come_in_pages(stacks, made):
    many = {f"G{number:03d}": group() for number in range(101)}
    stacks.create_change_set(StackName="new", TemplateBody=body(**many), **NEW)
    one = stacks.describe_change_set(ChangeSetName="first", StackName="new")
    two = stacks.describe_change_set(ChangeSetName="first", StackName="new", NextToken=one["NextToken"])
    names = [change["ResourceChange"]["LogicalResourceId"] for change in one["Changes"] + two["Changes"]]
    assert names == sorted(many)
    made("tour", A=group("a"))
    for number in range(101):
        stacks.create_change_set(StackName="tour", ChangeSetName=f"c{number}", TemplateBody=body(A=group("b")), **IAM)
    first = stacks.list_change_sets(StackName="tour")
    assert len(first["Summaries"]) == 100
    assert len(stacks.list_change_sets(StackName="tour", NextToken=first["NextToken"])["Summaries"]) == 1


def test_a_change_set_tells_values_but_no_hidden_ones(stacks, settled):
    template = {
        "Parameters": {"Path": {"Type": "String", "NoEcho": True, "Default": "/hidden/"}},
        "Resources": {
            "Group": {"Type": "AWS::IAM::Group", "Properties": {"GroupName": "old", "Path": {"Ref": "Path"}}},
            "User": {"Type": "AWS::IAM::User", "Properties": {"Groups": [{"Ref": "Group"}]}},
        },
    }
    stacks.create_stack(StackName="tour", TemplateBody=json.dumps(template), **IAM)
    assert settled("tour") == "CREATE_COMPLETE"
    template["Resources"]["Group"]["Properties"]["GroupName"] = "new"
    template["Resources"]["Other"] = {"Type": "AWS::IAM::User", "Properties": {"UserName": {"Fn::Sub": "${New}-x"}}}
    template["Resources"]["New"] = {"Type": "AWS::IAM::Group"}
    stacks.create_change_set(StackName="tour", TemplateBody=json.dumps(template), **CHANGE)
    shown = stacks.describe_change_set(StackName="tour", ChangeSetName="second", IncludePropertyValues=True)
    told = {one["ResourceChange"]["LogicalResourceId"]: one["ResourceChange"] for one in shown["Changes"]}
    assert json.loads(told["Group"]["BeforeContext"]) == {"Properties": {"GroupName": "old", "Path": "****"}}
    assert json.loads(told["Group"]["AfterContext"]) == {"Properties": {"GroupName": "new", "Path": "****"}}
    assert json.loads(told["Other"]["AfterContext"]) == {"Properties": {"UserName": "{{changeSet:KNOWN_AFTER_APPLY}}"}}
    assert "BeforeContext" not in told["Other"]


def test_what_is_there_already_is_not_imported(stacks, made, settled):
    made("other", A=group("a"))
    given = {"StackName": "tour", "TemplateBody": body(A=group("a")), **NEW}
    stacks.create_change_set(**given, ImportExistingResources=True, IncludeNestedStacks=True)
    shown = stacks.describe_change_set(StackName="tour", ChangeSetName="first")
    assert (shown["ImportExistingResources"], shown["IncludeNestedStacks"]) == (True, True)
    stacks.execute_change_set(StackName="tour", ChangeSetName="first")
    assert settled("tour") == "ROLLBACK_COMPLETE"


def test_a_change_set_acts_as_its_role(aws, stacks, settled):
    trust = {"Effect": "Allow", "Principal": {"Service": "cloudformation.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    arn = aws.client("iam").create_role(RoleName="powerless", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    stacks.create_change_set(StackName="tour", TemplateBody=body(A=group("a")), RoleARN=arn, **NEW)
    stacks.execute_change_set(ChangeSetName="first", StackName="tour")
    assert settled("tour") == "ROLLBACK_COMPLETE"
    assert stacks.describe_stacks(StackName="tour")["Stacks"][0]["RoleARN"] == arn


def test_a_change_set_is_of_a_stack_that_it_fits(stacks, made, settled, refused):
    with refused("ValidationError", "Stack [tour] does not exist"):
        stacks.create_change_set(StackName="tour", TemplateBody=body(A=group("a")), **CHANGE)
    stack_id = made("tour", A=group("a"))
    with refused("ValidationError", "already exists and cannot be created again"):
        stacks.create_change_set(StackName="tour", TemplateBody=body(A=group("a")), **NEW)
    with refused("InsufficientCapabilitiesException"):
        stacks.create_change_set(StackName="tour", ChangeSetName="x", TemplateBody=body(A=group("b")))
    with refused("ValidationError", "Resource type AWS::IAM::Group is not allowed"):
        stacks.create_change_set(
            StackName="tour", TemplateBody=body(A=group("b")), ResourceTypes=["AWS::S3::Bucket"], **CHANGE
        )
    stacks.delete_stack(StackName="tour")
    assert settled(stack_id) == "DELETE_COMPLETE"
    with refused("ValidationError", "A change set of type IMPORT is not supported"):
        stacks.create_change_set(
            StackName="tour", ChangeSetName="i", ChangeSetType="IMPORT", TemplateBody=body(A=group("a")), **IAM
        )


IMPORTED = {"ResourceType": "a", "LogicalResourceId": "b", "ResourceIdentifier": {"c": "d"}}


def test_parameters_that_nothing_would_heed_are_refused(stacks, refused):
    given = {"StackName": "tour", "TemplateBody": body(A=group("a")), **NEW}
    with refused("ValidationError", "is not supported by iamd's CloudFormation"):
        stacks.create_change_set(**given, RollbackConfiguration={"MonitoringTimeInMinutes": 1})
    with refused("ValidationError", "is not supported by iamd's CloudFormation"):
        stacks.create_change_set(**given, NotificationARNs=["arn:aws:sns:us-east-1:123456789012:topic"])
    with refused("ValidationError", "is not supported by iamd's CloudFormation"):
        stacks.create_change_set(**given, DeploymentConfig={"Mode": "EXPRESS"})
    with refused("ValidationError", "is not supported by iamd's CloudFormation"):
        stacks.create_change_set(**given, DisableValidation=True)
    with refused("ValidationError", "is not supported by iamd's CloudFormation"):
        stacks.create_change_set(**given, ResourcesToImport=[IMPORTED])
    with refused("ValidationError", "is not supported by iamd's CloudFormation"):
        stacks.create_change_set(**given, DeploymentMode="REVERT_DRIFT")
    assert stacks.list_stacks()["StackSummaries"] == []
    stacks.create_change_set(**given, ResourceTypes=["AWS::IAM::Group"])


def test_a_reviewed_stack_is_deleted_with_its_change_sets(stacks, settled, refused):
    stack_id = stacks.create_change_set(StackName="tour", TemplateBody=body(A=group("a")), **NEW)["StackId"]
    stacks.delete_stack(StackName="tour")
    assert settled(stack_id) == "DELETE_COMPLETE"
    with refused("ChangeSetNotFound"):
        stacks.describe_change_set(ChangeSetName="first", StackName=stack_id)
