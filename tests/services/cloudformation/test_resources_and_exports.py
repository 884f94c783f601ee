"""What is told of a stack's resources and events, and what stacks export and import."""

import json

from services.cloudformation.conftest import IAM, body, group


def test_resources_are_told_by_stack_and_by_what_they_are(stacks, made, refused):
    stack_id = made("tour", A=group("a", Metadata={"why": "a test"}), B=group("b"))
    detail = stacks.describe_stack_resource(StackName="tour", LogicalResourceId="A")["StackResourceDetail"]
    assert (detail["PhysicalResourceId"], detail["ResourceType"]) == ("a", "AWS::IAM::Group")
    assert (detail["ResourceStatus"], detail["StackId"]) == ("CREATE_COMPLETE", stack_id)
    assert json.loads(detail["Metadata"]) == {"why": "a test"}
    both = stacks.describe_stack_resources(StackName="tour")["StackResources"]
    assert [one["LogicalResourceId"] for one in both] == ["A", "B"]
    [one] = stacks.describe_stack_resources(StackName=stack_id, LogicalResourceId="B")["StackResources"]
    assert one["PhysicalResourceId"] == "b"
    found = stacks.describe_stack_resources(PhysicalResourceId="b")["StackResources"]
    assert [one["LogicalResourceId"] for one in found] == ["A", "B"]
    listed = stacks.list_stack_resources(StackName="tour")["StackResourceSummaries"]
    assert [(one["LogicalResourceId"], one["ResourceStatus"]) for one in listed] == [
        ("A", "CREATE_COMPLETE"),
        ("B", "CREATE_COMPLETE"),
    ]
    with refused("ValidationError", "Resource C does not exist for stack tour"):
        stacks.describe_stack_resource(StackName="tour", LogicalResourceId="C")
    with refused("ValidationError", "Stack 'other' does not exist"):
        stacks.describe_stack_resource(StackName="other", LogicalResourceId="C")
    with refused("ValidationError", "Stack for c does not exist"):
        stacks.describe_stack_resources(PhysicalResourceId="c")
    with refused("ValidationError", "One and only one of StackName and PhysicalResourceId"):
        stacks.describe_stack_resources()
    with refused("ValidationError", "Stack with id other does not exist"):
        stacks.list_stack_resources(StackName="other")


def test_resources_and_events_come_in_pages(stacks, made):
    many = {f"G{number:03d}": group() for number in range(101)}
    made("tour", **many)
    one = stacks.list_stack_resources(StackName="tour")
    two = stacks.list_stack_resources(StackName="tour", NextToken=one["NextToken"])
    found = [entry["LogicalResourceId"] for entry in one["StackResourceSummaries"] + two["StackResourceSummaries"]]
    assert found == sorted(many)
    answer = stacks.describe_stack_events(StackName="tour")
    events = answer["StackEvents"]
    while "NextToken" in answer:
        answer = stacks.describe_stack_events(StackName="tour", NextToken=answer["NextToken"])
        events += answer["StackEvents"]
    assert len(events) == 2 + 3 * 101
    assert len({event["EventId"] for event in events}) == len(events)
    times = [event["Timestamp"] for event in events]
    assert times == sorted(times, reverse=True)


def exported(name, value="a"):
    return {"Out": {"Value": value, "Export": {"Name": name}}}


def test_what_a_stack_exports_others_import(stacks, made, settled, groups, refused):
    exporting = made("one", exported("shared-name", "from-one"), A=group("a"))
    assert stacks.list_exports()["Exports"] == [
        {"ExportingStackId": exporting, "Name": "shared-name", "Value": "from-one"}
    ]
    with refused("ValidationError", "is not imported by any stack"):
        stacks.list_imports(ExportName="shared-name")
    with refused("ValidationError", "Export 'other' does not exist."):
        stacks.list_imports(ExportName="other")
    made("two", B=group({"Fn::ImportValue": "shared-name"}))
    assert groups() == ["a", "from-one"]
    assert stacks.list_imports(ExportName="shared-name")["Imports"] == ["two"]
    with refused("ValidationError", "Export shared-name cannot be deleted as it is in use by two"):
        stacks.delete_stack(StackName="one")
    for changed in (exported("shared-name", "other"), exported("renamed", "from-one")):
        stacks.update_stack(StackName="one", TemplateBody=body(changed, A=group("a")), **IAM)
        assert settled("one") == "UPDATE_ROLLBACK_COMPLETE"
    assert [one["Value"] for one in stacks.list_exports()["Exports"]] == ["from-one"]
    second = stacks.describe_stacks(StackName="two")["Stacks"][0]["StackId"]
    stacks.delete_stack(StackName="two")
    assert settled(second) == "DELETE_COMPLETE"
    stacks.delete_stack(StackName="one")
    assert settled(exporting) == "DELETE_COMPLETE"
    assert stacks.list_exports()["Exports"] == []


def test_names_that_are_exported_are_unique(stacks, made, settled):
    made("one", exported("name"), A=group("a"))
    stacks.create_stack(StackName="two", TemplateBody=body(exported("name"), B=group("b")), **IAM)
    assert settled("two") == "ROLLBACK_COMPLETE"
    reasons = [
        one.get("ResourceStatusReason", "") for one in stacks.describe_stack_events(StackName="two")["StackEvents"]
    ]
    assert any("Export with name name is already exported by stack one." in one for one in reasons)


def test_what_nobody_exports_is_not_imported(stacks, refused):
    with refused("ValidationError", "No export named nothing found."):
        stacks.create_stack(StackName="two", TemplateBody=body(B=group({"Fn::ImportValue": "nothing"})), **IAM)
    assert stacks.list_stacks()["StackSummaries"] == []


def test_exports_and_imports_come_in_pages(stacks, made):
    outputs = {f"O{number:03d}": {"Value": "v", "Export": {"Name": f"e{number:03d}"}} for number in range(101)}
    made("one", outputs, A=group("a"))
    first = stacks.list_exports()
    second = stacks.list_exports(NextToken=first["NextToken"])
    names = [one["Name"] for one in first["Exports"] + second["Exports"]]
    assert names == [f"e{number:03d}" for number in range(101)]
    for number in range(101):
        stacks.create_stack(
            StackName=f"s{number:03d}", TemplateBody=body(B=group({"Fn::Sub": [f"g${{v}}-{number}", IMPORTED]})), **IAM
        )
    last = stacks.describe_stacks(StackName="s100")["Stacks"][0]["StackName"]
    stacks.get_waiter("stack_create_complete").wait(StackName=last, WaiterConfig={"Delay": 1})
    one = stacks.list_imports(ExportName="e000")
    two = stacks.list_imports(ExportName="e000", NextToken=one["NextToken"]) if "NextToken" in one else {"Imports": []}
    assert set(one["Imports"] + two["Imports"]) >= {"s100"}
    assert len(one["Imports"]) == 100


IMPORTED = {"v": {"Fn::ImportValue": "e000"}}
