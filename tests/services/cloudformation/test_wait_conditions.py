"""Wait conditions: which signals a stack waits for, and what ends it."""

import json
import urllib.error
import urllib.request

import pytest
from services.cloudformation.conftest import IAM, body, group

HANDLE = {"Type": "AWS::CloudFormation::WaitConditionHandle"}


def condition(**properties):
    given = {"Handle": {"Ref": "Handle"}, "Timeout": "300", **properties}
    return {"Type": "AWS::CloudFormation::WaitCondition", "Properties": given}


OUTPUTS = {"Data": {"Value": {"Fn::GetAtt": ["Waits", "Data"]}}}


def put(address, said):
    content = said if isinstance(said, bytes) else json.dumps(said).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(address, content, method="PUT")) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def signal(id="one", status="SUCCESS", **more):
    return {"Status": status, "UniqueId": id, **more}


@pytest.fixture
def waiting(stacks):
    """`waiting(...)` is the address that a stack waits for signals at, with these properties of its condition."""

    def begin(**properties):
        after = group("after", DependsOn="Waits")
        content = body(OUTPUTS, Handle=HANDLE, Waits=condition(**properties), After=after)
        stacks.create_stack(StackName="tour", TemplateBody=content, OnFailure="DO_NOTHING", **IAM)
        while True:
            found = stacks.describe_stack_resources(StackName="tour")["StackResources"]
            ids = {one["LogicalResourceId"]: one.get("PhysicalResourceId") for one in found}
            if "Waits" in ids:
                return ids["Handle"]

    return begin


def data(stacks):
    [output] = stacks.describe_stacks(StackName="tour")["Stacks"][0]["Outputs"]
    return json.loads(output["OutputValue"])


def test_a_signal_ends_the_waiting(stacks, waiting, settled, groups):
    address = waiting()
    assert groups() == []
    assert stacks.describe_stacks(StackName="tour")["Stacks"][0]["StackStatus"] == "CREATE_IN_PROGRESS"
    assert put(address, signal("Signal1", Reason="done", Data="Application has completed configuration.")) == 200
    assert settled("tour") == "CREATE_COMPLETE"
    assert data(stacks) == {"Signal1": "Application has completed configuration."}
    assert groups() == ["after"]
    stack_id = stacks.describe_stacks(StackName="tour")["Stacks"][0]["StackId"]
    stacks.delete_stack(StackName="tour")
    assert settled(stack_id) == "DELETE_COMPLETE"
    assert put(address, signal()) == 403


def test_so_many_signals_are_waited_for_each_with_an_id_of_its_own(stacks, waiting, settled):
    address = waiting(Count="2")
    for said in (
        signal("a", Data="1"),
        signal("a", Data="2"),
        b"no JSON",
        b"[]",
        signal("b", "DONE"),
        {"Status": "SUCCESS"},
    ):
        assert put(address, said) == 200
    assert stacks.describe_stacks(StackName="tour")["Stacks"][0]["StackStatus"] == "CREATE_IN_PROGRESS"
    put(address, signal("b", Data="3"))
    assert settled("tour") == "CREATE_COMPLETE"
    assert data(stacks) == {"a": "1", "b": "3"}


def test_a_signal_of_failure_fails_the_stack(waiting, settled, reason, groups):
    put(waiting(Count=2), signal("i-1", "FAILURE", Reason="no disk"))
    assert settled("tour") == "CREATE_FAILED"
    assert reason("tour", "Waits") == "WaitCondition received failed message: 'no disk' for uniqueId: i-1"
    assert groups() == []


def test_the_time_has_an_end(aws, waiting, settled, reason):
    address = waiting(Count=3, Timeout=60)
    put(address, signal())
    aws.advance(61)
    assert settled("tour") == "CREATE_FAILED"
    assert reason("tour", "Waits") == "WaitCondition timed out. Received 1 conditions when expecting 3"


def test_the_time_of_the_stack_has_an_end_too(aws, stacks, settled, reason, groups):
    content = body(Handle=HANDLE, Waits=condition(), After=group("after", DependsOn="Waits"))
    stacks.create_stack(StackName="tour", TemplateBody=content, TimeoutInMinutes=1, OnFailure="DO_NOTHING", **IAM)
    while len(stacks.describe_stack_resources(StackName="tour")["StackResources"]) < 2:
        pass
    aws.advance(61)
    assert settled("tour") == "CREATE_FAILED"
    assert reason("tour", "Waits") == "Resource creation cancelled"
    assert reason("tour", "tour") == "Stack creation time exceeded the specified timeout. "
    assert groups() == []


def test_a_stack_is_deleted_while_it_waits(stacks, waiting, settled, reason):
    waiting()
    stack_id = stacks.describe_stacks(StackName="tour")["Stacks"][0]["StackId"]
    stacks.delete_stack(StackName="tour")
    assert settled(stack_id) == "DELETE_COMPLETE"
    assert reason(stack_id, "Waits") == "Resource creation cancelled"


def test_nothing_of_a_condition_can_be_changed(stacks, waiting, settled, reason):
    put(waiting(), signal())
    assert settled("tour") == "CREATE_COMPLETE"
    after = group("after", DependsOn="Waits")
    given = {"StackName": "tour", **IAM}
    template = body(OUTPUTS, Handle=HANDLE, Waits=condition(), After=after)
    stacks.update_stack(**given, TemplateBody=template, Tags=[{"Key": "team", "Value": "blue"}])
    assert settled("tour") == "UPDATE_COMPLETE"
    stacks.update_stack(**given, TemplateBody=body(Handle=HANDLE, Waits=condition(Timeout="301"), After=after))
    assert settled("tour") == "UPDATE_ROLLBACK_COMPLETE"
    words = "Update to resource type AWS::CloudFormation::WaitCondition is not supported."
    assert reason("tour", "Waits") == words


@pytest.mark.parametrize(
    ("properties", "words"),
    [
        (
            {"Handle": "http://127.0.0.1/_iamd/callback/x"},
            "#/Handle: must refer to a wait condition handle of the stack",
        ),
        ({"Timeout": "0"}, "#/Timeout: must be a number from 1 to 43200"),
        ({"Timeout": 43201}, "#/Timeout: must be a number from 1 to 43200"),
        ({"Count": 0}, "#/Count: must be a number from 1 to 100"),
        ({"Count": 101}, "#/Count: must be a number from 1 to 100"),
        ({"Timeout": {"Ref": "AWS::NoValue"}}, "required key [Timeout] not found"),
        ({"Handle": {"Ref": "AWS::NoValue"}}, "required key [Handle] not found"),
    ],
)
def test_what_can_not_be_waited_for_is_told(stacks, settled, reason, properties, words):
    content = body(Handle=HANDLE, Waits=condition(**properties))
    stacks.create_stack(StackName="tour", TemplateBody=content, OnFailure="DO_NOTHING")
    assert settled("tour") == "CREATE_FAILED"
    assert words in reason("tour", "Waits")


def test_the_handle_of_another_stack_is_none(stacks, waiting, settled, reason):
    address = waiting()
    content = body(Waits=condition(Handle=address))
    stacks.create_stack(StackName="other", TemplateBody=content, OnFailure="DO_NOTHING")
    assert settled("other") == "CREATE_FAILED"
    assert "must refer to a wait condition handle of the stack" in reason("other", "Waits")
    put(address, signal())
    assert settled("tour") == "CREATE_COMPLETE"


def test_a_handle_has_an_end(aws, stacks, made):
    made("tour", Handle=HANDLE)
    [resource] = stacks.describe_stack_resources(StackName="tour")["StackResources"]
    assert put(resource["PhysicalResourceId"], signal()) == 200
    aws.advance(86401)
    assert put(resource["PhysicalResourceId"], signal("other")) == 403
