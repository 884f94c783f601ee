"""Nested stacks: made, changed, put back and removed with the stack whose resource they are."""

import json

import pytest
from running import ACCOUNT, allow
from services.cloudformation.conftest import IAM, body, group

NESTED = "AWS::CloudFormation::Stack"
TEMPLATE = {
    "Parameters": {"Name": {"Type": "String"}, "Size": {"Type": "Number", "Default": 1}},
    "Resources": {
        "Group": {"Type": "AWS::IAM::Group", "Properties": {"GroupName": {"Ref": "Name"}}},
    },
    "Outputs": {"Arn": {"Value": {"Fn::GetAtt": "Group.Arn"}}, "Given": {"Value": {"Ref": "Name"}}},
}
TAKEN = {"Type": "AWS::IAM::Group", "Properties": {"GroupName": "taken"}}


@pytest.fixture
def put(cloud):
    """`put(key, content)` is the address of a template that stands in a bucket."""
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="templates")

    def stored(key, content):
        s3.put_object(Bucket="templates", Key=key, Body=json.dumps(content).encode())
        return f"{cloud.endpoint}/templates/{key}"

    return stored


@pytest.fixture
def client(cloud):
    return cloud.client("cloudformation")


@pytest.fixture
def groups(cloud):
    return lambda: sorted(one["GroupName"] for one in cloud.client("iam").list_groups()["Groups"])


def nested(url, after=None, **parameters):
    resource = {"Type": NESTED, "Properties": {"TemplateURL": url, "Parameters": parameters}}
    return resource | ({"DependsOn": after} if after else {})


def child(client, name="tour", logical_id="Child"):
    """The nested stack, as DescribeStacks shows it."""
    found = client.describe_stack_resource(StackName=name, LogicalResourceId=logical_id)["StackResourceDetail"]
    return client.describe_stacks(StackName=found["PhysicalResourceId"])["Stacks"][0]


def told(client, name, logical_id=None):
    """The statuses of a stack's events, or of a resource's, oldest first, and the reasons that there are."""
    found = client.describe_stack_events(StackName=name)["StackEvents"]
    return [
        (one["ResourceStatus"], one.get("ResourceStatusReason"))
        for one in reversed(found)
        if one["LogicalResourceId"] == (logical_id or one["StackName"])
    ]


def test_a_nested_stack_lives_and_ends_with_its_parent(client, put, groups, ended):
    url = put("child", TEMPLATE)
    user = {"Type": "AWS::IAM::User", "Properties": {"UserName": {"Fn::GetAtt": ["Child", "Outputs.Given"]}}}
    outputs = {"Arn": {"Value": {"Fn::GetAtt": "Child.Outputs.Arn"}}, "Id": {"Value": {"Ref": "Child"}}}
    first = body(outputs, Child=nested(url, Name="one"), User=user)
    root = client.create_stack(StackName="tour", TemplateBody=first, TimeoutInMinutes=5, **IAM)["StackId"]
    assert ended("tour") == "CREATE_COMPLETE"
    found = child(client)
    assert found["StackName"].startswith("tour-Child-")
    assert (found["StackStatus"], found["ParentId"], found["RootId"]) == ("CREATE_COMPLETE", root, root)
    assert found["Capabilities"] == ["CAPABILITY_NAMED_IAM"]
    assert "ParentId" not in client.describe_stacks(StackName="tour")["Stacks"][0]
    [summary] = [one for one in client.list_stacks()["StackSummaries"] if one["StackName"] != "tour"]
    assert (summary["ParentId"], summary["RootId"]) == (root, root)
    given = {
        one["OutputKey"]: one["OutputValue"] for one in client.describe_stacks(StackName="tour")["Stacks"][0]["Outputs"]
    }
    assert given == {"Arn": f"arn:aws:iam::{ACCOUNT}:group/one", "Id": found["StackId"]}
    assert groups() == ["one"]
    second = body(outputs, Child=nested(url, Name="two"), User=user)
    client.update_stack(StackName="tour", TemplateBody=second, **IAM)
    assert ended("tour") == "UPDATE_COMPLETE"
    assert child(client)["StackStatus"] == "UPDATE_COMPLETE"
    assert child(client)["StackId"] == found["StackId"]
    assert groups() == ["two"]
    client.delete_stack(StackName="tour")
    assert ended(root) == "DELETE_COMPLETE"
    assert client.describe_stacks(StackName=found["StackId"])["Stacks"][0]["StackStatus"] == "DELETE_COMPLETE"
    assert groups() == []


def test_stacks_nest_within_nested_ones(client, put, groups, ended):
    inner = put("inner", TEMPLATE)
    middle = {
        "Parameters": {"Name": {"Type": "String"}},
        "Resources": {"Inner": nested(inner, Name={"Ref": "Name"})},
        "Outputs": {"Arn": {"Value": {"Fn::GetAtt": "Inner.Outputs.Arn"}}},
    }
    outer = put("middle", middle)
    root = client.create_stack(StackName="tour", TemplateBody=body(Child=nested(outer, Name="a")), **IAM)["StackId"]
    assert ended("tour") == "CREATE_COMPLETE"
    found = child(client)
    innermost = child(client, found["StackId"], "Inner")
    assert (innermost["ParentId"], innermost["RootId"]) == (found["StackId"], root)
    # What is made of an update at every depth goes back when something fails at the top.
    changed = body(Child=nested(outer, Name="b"), Fails={**TAKEN, "DependsOn": "Child"}, Taken=TAKEN)
    client.update_stack(StackName="tour", TemplateBody=changed, **IAM)
    assert ended("tour") == "UPDATE_ROLLBACK_COMPLETE"
    assert (child(client)["StackStatus"], groups()) == ("UPDATE_ROLLBACK_COMPLETE", ["a"])
    assert child(client, found["StackId"], "Inner")["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    client.update_stack(StackName="tour", TemplateBody=body(Child=nested(outer, Name="c")), **IAM)
    assert ended("tour") == "UPDATE_COMPLETE"
    assert child(client, found["StackId"], "Inner")["StackStatus"] == "UPDATE_COMPLETE"
    assert groups() == ["c"]
    client.delete_stack(StackName="tour")
    assert ended(root) == "DELETE_COMPLETE"
    assert groups() == []


def test_a_template_that_nests_itself_has_an_end(cloud, client, put, ended):
    url = f"{cloud.endpoint}/templates/endless"
    put("endless", {"Resources": {"Child": nested(url)}})
    client.create_stack(StackName="tour", TemplateURL=url)
    assert ended("tour") == "ROLLBACK_COMPLETE"
    stacks = client.list_stacks()["StackSummaries"]
    assert {one["StackStatus"] for one in stacks if one["StackName"] != "tour"} == {"DELETE_COMPLETE"}
    assert len(stacks) == 11


def test_a_nested_stack_that_fails_fails_its_parent(client, put, groups, ended):
    url = put("failing", {"Resources": {"First": group("first"), "Taken": group("taken", DependsOn="First")}})
    failing = body(Taken=TAKEN, Child=nested(url, after="Taken"))
    client.create_stack(StackName="tour", TemplateBody=failing, OnFailure="DO_NOTHING", **IAM)
    assert ended("tour") == "CREATE_FAILED"
    found = child(client)
    # What there is of it stays, as the rest does.
    assert (found["StackStatus"], groups()) == ("CREATE_FAILED", ["first", "taken"])
    status, words = told(client, "tour", "Child")[-1]
    assert status == "CREATE_FAILED"
    assert words == (
        f"Embedded stack {found['StackId']} was not successfully created: "
        "The following resource(s) failed to create: [Taken]."
    )
    client.rollback_stack(StackName="tour")
    assert ended("tour") == "ROLLBACK_COMPLETE"
    assert ended(found["StackId"]) == "DELETE_COMPLETE"
    assert groups() == []


def test_a_failed_nested_stack_is_made_anew_by_an_update(client, put, groups, ended):
    url = put("failing", {"Resources": {"First": group("first"), "Taken": group("taken", DependsOn="First")}})
    failing = body(Taken=TAKEN, Child=nested(url, after="Taken"))
    client.create_stack(StackName="tour", TemplateBody=failing, OnFailure="DO_NOTHING", **IAM)
    assert ended("tour") == "CREATE_FAILED"
    former = child(client)
    good = body(Taken=TAKEN, Child=nested(put("good", TEMPLATE), after="Taken", Name="good"))
    client.update_stack(StackName="tour", TemplateBody=good, **IAM)
    assert ended("tour") == "UPDATE_COMPLETE"
    assert ended(former["StackId"]) == "DELETE_COMPLETE"
    assert child(client)["StackId"] != former["StackId"]
    assert groups() == ["good", "taken"]


def test_a_failed_update_of_a_nested_stack_is_told(client, put, groups, ended):
    url = put("child", TEMPLATE)
    client.create_stack(StackName="tour", TemplateBody=body(Taken=TAKEN, Child=nested(url, Name="a")), **IAM)
    assert ended("tour") == "CREATE_COMPLETE"
    client.update_stack(StackName="tour", TemplateBody=body(Taken=TAKEN, Child=nested(url, Name="taken")), **IAM)
    assert ended("tour") == "UPDATE_ROLLBACK_COMPLETE"
    found = child(client)
    assert (found["StackStatus"], groups()) == ("UPDATE_ROLLBACK_COMPLETE", ["a", "taken"])
    [(_, words)] = [one for one in told(client, "tour", "Child") if one[0] == "UPDATE_FAILED"]
    assert words.startswith(
        f"Embedded stack {found['StackId']} was not successfully updated. Currently in UPDATE_ROLLBACK_"
    )
    assert words.endswith(" with reason: The following resource(s) failed to update: [Group].")


def test_what_was_changed_in_place_goes_back_too(client, put, groups, ended):
    """The address of the template stays the same, so that nothing of the parent tells the change."""
    url = put("child", {"Resources": {"A": group("a")}})
    client.create_stack(StackName="tour", TemplateBody=body(Child=nested(url)), **IAM)
    assert ended("tour") == "CREATE_COMPLETE"
    put("child", {"Resources": {"A": group("b"), "New": group("new")}})
    fails = body(Child=nested(url), Taken=TAKEN, Fails={**TAKEN, "DependsOn": ["Child", "Taken"]})
    client.update_stack(StackName="tour", TemplateBody=fails, **IAM)
    assert ended("tour") == "UPDATE_ROLLBACK_COMPLETE"
    assert child(client)["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert groups() == ["a"]
    client.update_stack(StackName="tour", TemplateBody=body(Child=nested(url)), **IAM)
    assert ended("tour") == "UPDATE_COMPLETE"
    assert groups() == ["b", "new"]
    # Nothing is left to be done, which only the nested stack could tell.
    client.update_stack(StackName="tour", TemplateBody=body(Child=nested(url)), **IAM)
    assert ended("tour") == "UPDATE_COMPLETE"
    assert told(client, "tour", "Child")[-1] == ("UPDATE_COMPLETE", None)


def test_what_failed_without_going_back_goes_back_when_asked(client, put, groups, ended):
    url = put("child", TEMPLATE)
    client.create_stack(StackName="tour", TemplateBody=body(Taken=TAKEN, Child=nested(url, Name="a")), **IAM)
    assert ended("tour") == "CREATE_COMPLETE"
    fails = body(Taken=TAKEN, Child=nested(url, Name="b"), Fails={**TAKEN, "DependsOn": ["Child", "Taken"]})
    client.update_stack(StackName="tour", TemplateBody=fails, DisableRollback=True, **IAM)
    assert ended("tour") == "UPDATE_FAILED"
    assert ended(child(client)["StackId"]) == "UPDATE_COMPLETE"
    client.rollback_stack(StackName="tour")
    assert ended("tour") == "UPDATE_ROLLBACK_COMPLETE"
    assert groups() == ["a", "taken"]
    inside = body(Taken=TAKEN, Child=nested(url, Name="taken"))
    client.update_stack(StackName="tour", TemplateBody=inside, DisableRollback=True, **IAM)
    assert ended("tour") == "UPDATE_FAILED"
    assert child(client)["StackStatus"] == "UPDATE_FAILED"
    client.rollback_stack(StackName="tour")
    assert ended("tour") == "UPDATE_ROLLBACK_COMPLETE"
    assert (child(client)["StackStatus"], groups()) == ("UPDATE_ROLLBACK_COMPLETE", ["a", "taken"])


def test_tags_of_the_parent_are_tags_of_the_nested_stack(cloud, client, put, ended):
    url = put("child", {"Resources": {"A": {"Type": "AWS::IAM::User", "Properties": {"UserName": "ann"}}}})
    resource = nested(url)
    resource["Properties"]["Tags"] = [{"Key": "own", "Value": "1"}]
    given = {"StackName": "tour", **IAM}
    client.create_stack(**given, TemplateBody=body(Child=resource), Tags=[{"Key": "team", "Value": "blue"}])
    assert ended("tour") == "CREATE_COMPLETE"

    def tags():
        found = {one["Key"]: one["Value"] for one in child(client)["Tags"]}
        users = cloud.client("iam").list_user_tags(UserName="ann")["Tags"]
        assert {one["Key"]: one["Value"] for one in users} == found
        return found

    assert tags() == {"own": "1", "team": "blue"}
    del resource["Properties"]["Tags"]
    client.update_stack(**given, TemplateBody=body(Child=resource), Tags=[])
    assert ended("tour") == "UPDATE_COMPLETE"
    assert tags() == {}


def test_a_nested_stack_is_made_as_whom_its_parent_acts_for(cloud, client, put, ended):
    url = put("child", TEMPLATE)
    rights = [
        allow("iam:*"),
        allow("s3:GetObject"),
        allow("cloudformation:*", "arn:aws:cloudformation:*:*:stack/tour/*"),
    ]
    ann = cloud.client("cloudformation", cloud.user("ann", *rights))
    ann.create_stack(StackName="tour", TemplateBody=body(Child=nested(url, Name="a")), **IAM)
    assert ended("tour") == "ROLLBACK_COMPLETE"
    [(_, words)] = [one for one in told(client, "tour", "Child") if one[0] == "CREATE_FAILED"]
    assert "not authorized to perform: cloudformation:CreateStack on resource: arn:aws:cloudformation:" in words
    bob = cloud.client("cloudformation", cloud.user("bob", *rights, allow("cloudformation:CreateStack")))
    bob.create_stack(StackName="other", TemplateBody=body(Child=nested(url, Name="a")), **IAM)
    assert ended("other") == "CREATE_COMPLETE"


def test_a_template_is_read_as_whom_the_stack_acts_for(cloud, client, put, ended):
    url = put("child", TEMPLATE)
    ann = cloud.client("cloudformation", cloud.user("ann", allow(["cloudformation:*", "iam:*"])))
    ann.create_stack(StackName="tour", TemplateBody=body(Child=nested(url, Name="a")), **IAM)
    assert ended("tour") == "ROLLBACK_COMPLETE"
    [(_, words)] = [one for one in told(client, "tour", "Child") if one[0] == "CREATE_FAILED"]
    assert "S3 error: " in words


def test_a_nested_stack_has_the_service_role_of_its_parent(cloud, client, put, groups, ended):
    trust = {"Effect": "Allow", "Principal": {"Service": "cloudformation.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    iam = cloud.client("iam")
    arn = iam.create_role(RoleName="stacks", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    rights = [allow(["iam:*Group", "cloudformation:*", "s3:GetObject"])]
    own = json.dumps({"Version": "2012-10-17", "Statement": rights})
    iam.put_role_policy(RoleName="stacks", PolicyName="own", PolicyDocument=own)
    url = put("child", TEMPLATE)
    ann = cloud.client("cloudformation", cloud.user("ann", allow("cloudformation:*"), allow("iam:PassRole", arn)))
    parent = ann.create_stack(StackName="tour", TemplateBody=body(Child=nested(url, Name="a")), RoleARN=arn, **IAM)
    assert ended("tour") == "CREATE_COMPLETE"
    assert child(client)["RoleARN"] == arn
    # Nobody has to hand it the role once more, whoever deletes it.
    bob = cloud.client("cloudformation", cloud.user("bob", allow("cloudformation:*")))
    bob.delete_stack(StackName="tour")
    assert ended(parent["StackId"]) == "DELETE_COMPLETE"
    assert groups() == []


def test_a_nested_stack_is_deleted_as_the_role_that_its_parent_is_deleted_as(cloud, client, put, groups, ended):
    trust = {"Effect": "Allow", "Principal": {"Service": "cloudformation.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    iam, arns = cloud.client("iam"), {}
    for name in ("first", "second"):
        arns[name] = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
        own = json.dumps({"Version": "2012-10-17", "Statement": [allow("*")]})
        iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=own)
    template = body(Child=nested(put("child", TEMPLATE), Name="a"))
    parent = client.create_stack(StackName="tour", TemplateBody=template, RoleARN=arns["first"], **IAM)["StackId"]
    assert ended("tour") == "CREATE_COMPLETE"
    iam.delete_role_policy(RoleName="first", PolicyName="own")
    iam.delete_role(RoleName="first")
    client.delete_stack(StackName="tour", RoleARN=arns["second"])
    assert ended(parent) == "DELETE_COMPLETE"
    assert groups() == []


def test_capabilities_are_acknowledged_for_nested_stacks_too(client, put, ended):
    url = put("child", TEMPLATE)
    client.create_stack(StackName="tour", TemplateBody=body(Child=nested(url, Name="a")))
    assert ended("tour") == "ROLLBACK_COMPLETE"
    [(_, words)] = [one for one in told(client, "tour", "Child") if one[0] == "CREATE_FAILED"]
    assert "Requires capabilities : [CAPABILITY_NAMED_IAM]" in words


def test_macros_of_nested_stacks_are_acknowledged(client, put, ended):
    serverless = {"Transform": "AWS::Serverless-2016-10-31", "Resources": {"A": group("a")}}
    url = put("child", serverless)
    client.create_stack(StackName="tour", TemplateBody=body(Child=nested(url)), **IAM)
    assert ended("tour") == "ROLLBACK_COMPLETE"
    [(_, words)] = [one for one in told(client, "tour", "Child") if one[0] == "CREATE_FAILED"]
    assert "Requires capabilities : [CAPABILITY_AUTO_EXPAND]" in words
    both = ["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
    client.create_stack(StackName="other", TemplateBody=body(Child=nested(url)), Capabilities=both)
    assert ended("other") == "CREATE_COMPLETE"


def test_an_update_that_is_cancelled_is_cancelled_within(client, put, groups, ended):
    url = put("child", TEMPLATE)
    client.create_stack(StackName="tour", TemplateBody=body(Child=nested(url, Name="a")), **IAM)
    assert ended("tour") == "CREATE_COMPLETE"
    stack_id = child(client)["StackId"]
    handle = {"Type": "AWS::CloudFormation::WaitConditionHandle"}
    waits = {
        "Type": "AWS::CloudFormation::WaitCondition", "DependsOn": "Group",
        "Properties": {"Handle": {"Ref": "Handle"}, "Timeout": "3000"},
    }  # fmt: skip
    waiting = put("waiting", {**TEMPLATE, "Resources": {**TEMPLATE["Resources"], "Handle": handle, "Waits": waits}})
    client.update_stack(StackName="tour", TemplateBody=body(Child=nested(waiting, Name="b")), **IAM)
    while ("CREATE_IN_PROGRESS", None) not in told(client, stack_id, "Waits"):
        pass
    assert groups() == ["a", "b"]
    client.cancel_update_stack(StackName="tour")
    assert ended("tour") == "UPDATE_ROLLBACK_COMPLETE"
    assert (child(client)["StackStatus"], groups()) == ("UPDATE_ROLLBACK_COMPLETE", ["a"])
    assert ("UPDATE_FAILED", "Resource update cancelled") in told(client, "tour", "Child")
    assert ("UPDATE_ROLLBACK_IN_PROGRESS", "User Initiated") in told(client, stack_id)


def test_an_application_of_sam_is_a_nested_stack(client, put, groups, ended):
    url = put("child", TEMPLATE)
    application = {"Type": "AWS::Serverless::Application", "Properties": {"Location": url, "Parameters": {"Name": "a"}}}
    template = json.dumps({"Transform": "AWS::Serverless-2016-10-31", "Resources": {"Child": application}})
    both = ["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
    client.create_stack(StackName="tour", TemplateBody=template, Capabilities=both)
    assert ended("tour") == "CREATE_COMPLETE"
    assert child(client)["StackStatus"] == "CREATE_COMPLETE"
    assert groups() == ["a"]


def test_a_nested_stack_may_be_changed_and_deleted_by_itself(client, put, groups, ended):
    url = put("child", TEMPLATE)
    root = client.create_stack(StackName="tour", TemplateBody=body(Child=nested(url, Name="a")), **IAM)["StackId"]
    assert ended("tour") == "CREATE_COMPLETE"
    stack_id = child(client)["StackId"]
    renamed = [{"ParameterKey": "Name", "ParameterValue": "b"}]
    client.update_stack(StackName=stack_id, UsePreviousTemplate=True, Parameters=renamed, **IAM)
    assert ended(stack_id) == "UPDATE_COMPLETE"
    assert groups() == ["b"]
    client.delete_stack(StackName=stack_id)
    assert ended(stack_id) == "DELETE_COMPLETE"
    client.delete_stack(StackName="tour")
    assert ended(root) == "DELETE_COMPLETE"


def test_the_protection_of_the_root_is_that_of_nested_stacks(client, put, refused, ended):
    given = {"TemplateBody": body(Child=nested(put("child", TEMPLATE), Name="a")), **IAM}
    root = client.create_stack(StackName="tour", EnableTerminationProtection=True, **given)["StackId"]
    assert ended("tour") == "CREATE_COMPLETE"
    found = child(client)
    assert found["EnableTerminationProtection"] is True
    with refused("ValidationError", "cannot be deleted while TerminationProtection is enabled"):
        client.delete_stack(StackName=found["StackId"])
    with refused("ValidationError", "is that of its root stack"):
        client.update_termination_protection(StackName=found["StackId"], EnableTerminationProtection=False)
    # An update of the root may remove it all the same.
    client.update_stack(StackName="tour", TemplateBody=body(A=group("a2")), **IAM)
    assert ended("tour") == "UPDATE_COMPLETE"
    assert ended(found["StackId"]) == "DELETE_COMPLETE"
    assert ended(root) == "UPDATE_COMPLETE"


def test_a_deletion_that_fails_within_fails_outside(cloud, client, put, ended):
    url = put("child", {"Resources": {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "filled"}}}})
    root = client.create_stack(StackName="tour", TemplateBody=body(Child=nested(url)))["StackId"]
    assert ended("tour") == "CREATE_COMPLETE"
    cloud.client("s3").put_object(Bucket="filled", Key="k", Body=b"x")
    client.delete_stack(StackName="tour")
    assert ended(root) == "DELETE_FAILED"
    assert child(client)["StackStatus"] == "DELETE_FAILED"
    assert told(client, root, "Child")[-1][1].endswith("The following resource(s) failed to delete: [Bucket].")
    cloud.client("s3").delete_object(Bucket="filled", Key="k")
    client.delete_stack(StackName="tour")
    assert ended(root) == "DELETE_COMPLETE"


def test_change_sets_tell_that_a_nested_stack_may_change(client, put, refused, ended):
    url = put("child", TEMPLATE)
    given = {"StackName": "tour", "TemplateBody": body(Child=nested(url, Name="a")), **IAM}
    client.create_stack(**given)
    assert ended("tour") == "CREATE_COMPLETE"
    client.create_change_set(**given, ChangeSetName="c")
    [change] = client.describe_change_set(StackName="tour", ChangeSetName="c")["Changes"]
    assert change["ResourceChange"]["Action"] == "Modify"
    assert change["ResourceChange"]["Details"][0]["Evaluation"] == "Dynamic"
    client.execute_change_set(StackName="tour", ChangeSetName="c")
    assert ended("tour") == "UPDATE_COMPLETE"
    with refused("ValidationError", "IncludeNestedStacks for a template with nested stacks is not supported"):
        client.create_change_set(**given, ChangeSetName="d", IncludeNestedStacks=True)


def test_a_policy_protects_nested_stacks(client, put, groups, ended):
    url = put("child", TEMPLATE)
    denied = {"Effect": "Deny", "Action": "Update:*", "Principal": "*", "Resource": "*",
              "Condition": {"StringEquals": {"ResourceType": [NESTED]}}}  # fmt: skip
    allowed = {"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*"}
    policy = json.dumps({"Statement": [denied, allowed]})
    given = {"StackName": "tour", **IAM}
    client.create_stack(**given, TemplateBody=body(Child=nested(url, Name="a")), StackPolicyBody=policy)
    assert ended("tour") == "CREATE_COMPLETE"
    client.update_stack(**given, TemplateBody=body(Child=nested(url, Name="b")))
    assert ended("tour") == "UPDATE_ROLLBACK_COMPLETE"
    client.update_stack(**given, TemplateBody=body(Child=nested(url, Name="a"), New=group("new")))
    assert ended("tour") == "UPDATE_COMPLETE"
    assert (child(client)["StackStatus"], groups()) == ("CREATE_COMPLETE", ["a", "new"])


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"TemplateURL": "https://elsewhere.example/t"}, "TemplateURL must be a supported URL."),
        ({"Parameters": {"Name": ["a", "b"]}}, "every value must be a string"),
        ({"Parameters": {"Name": "a", "Other": "b"}}, "Parameters: [Other] do not exist in the template"),
        ({"Parameters": {}}, "Parameters: [Name] must have values"),
        ({"NotificationARNs": []}, "iamd does not support the property NotificationARNs"),
    ],
)
def test_what_is_wrong_with_a_nested_stack_is_told(client, put, ended, changed, words):
    resource = nested(put("child", TEMPLATE), Name="a")
    resource["Properties"] |= changed
    client.create_stack(StackName="tour", TemplateBody=body(Child=resource), OnFailure="DO_NOTHING", **IAM)
    assert ended("tour") == "CREATE_FAILED"
    assert words in told(client, "tour", "Child")[-1][1]
    assert [one["StackName"] for one in client.list_stacks()["StackSummaries"]] == ["tour"]


def test_the_time_of_a_nested_stack_is_set_once(client, put, ended):
    resource = nested(put("child", TEMPLATE), Name="a")
    resource["Properties"]["TimeoutInMinutes"] = "5"
    client.create_stack(StackName="tour", TemplateBody=body(Child=resource), **IAM)
    assert ended("tour") == "CREATE_COMPLETE"
    assert child(client)["TimeoutInMinutes"] == 5
    resource["Properties"]["TimeoutInMinutes"] = "6"
    client.update_stack(StackName="tour", TemplateBody=body(Child=resource), **IAM)
    assert ended("tour") == "UPDATE_ROLLBACK_COMPLETE"
    assert "#/TimeoutInMinutes: updates are not supported" in told(client, "tour", "Child")[-2][1]


def test_outputs_that_are_not_there_are_told(client, put, refused, ended):
    user = {"Type": "AWS::IAM::User", "Properties": {"UserName": {"Fn::GetAtt": ["Child", "Outputs.Else"]}}}
    content = body(Child=nested(put("child", TEMPLATE), Name="a"), User=user)
    client.create_stack(StackName="tour", TemplateBody=content, **IAM)
    assert ended("tour") == "ROLLBACK_COMPLETE"
    [words] = [why for status, why in told(client, "tour", "User") if status == "CREATE_FAILED"]
    assert words.endswith("refers to what does not exist: Child.Outputs.Else")
    user["Properties"]["UserName"] = {"Fn::GetAtt": ["Child", "Arn"]}
    with refused("ValidationError", "resource Child does not support attribute type Arn in Fn::GetAtt"):
        client.validate_template(TemplateBody=body(Child=nested("x"), User=user))


def test_events_say_who_made_the_nested_stack(cloud, client, put, ended):
    client.create_stack(StackName="tour", TemplateBody=body(Child=nested(put("child", TEMPLATE), Name="a")), **IAM)
    assert ended("tour") == "CREATE_COMPLETE"
    lookup = [{"AttributeKey": "EventName", "AttributeValue": "CreateStack"}]
    events = cloud.client("cloudtrail").lookup_events(LookupAttributes=lookup)["Events"]
    inner, outer = [json.loads(one["CloudTrailEvent"])["userIdentity"].get("invokedBy") for one in events]
    assert (inner, outer) == ("cloudformation.amazonaws.com", None)
