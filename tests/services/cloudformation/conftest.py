"""What the tests of CloudFormation's operations share: clients, stacks that have come to an end, refusals, events."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError
from running import AWS

Refused = Callable[..., AbstractContextManager[None]]
IAM = {"Capabilities": ["CAPABILITY_NAMED_IAM"]}
DEADLINE = 60


def body(outputs: dict[str, Any] | None = None, **resources: Any) -> str:
    """A template of these resources."""
    return json.dumps({"Resources": resources, **({"Outputs": outputs} if outputs else {})})


def group(name: str | None = None, **more: Any) -> dict[str, Any]:
    """A group; what it has beside its name stands beside its properties."""
    return {"Type": "AWS::IAM::Group", "Properties": {"GroupName": name} if name is not None else {}, **more}


@pytest.fixture
def stacks(aws: AWS) -> Any:
    """CloudFormation as the administrator calls it, through a client that lets iamd refuse what is wrong."""
    return aws.client("cloudformation", parameter_validation=False)


@pytest.fixture
def groups(aws: AWS) -> Callable[[], list[str]]:
    """`groups()` are the names of all groups."""
    return lambda: sorted(one["GroupName"] for one in aws.client("iam").list_groups()["Groups"])


@pytest.fixture
def settled(stacks: Any) -> Callable[[str], str]:
    """`settled(name)` is the status of a stack once nothing of it is in progress."""

    return lambda name: status_at_last(stacks, name)


def status_at_last(client: Any, name: str) -> str:
    """The status of a stack once nothing of it is in progress."""
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        found: str = client.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]
        if not found.endswith("_IN_PROGRESS"):
            return found
        time.sleep(0.02)
    raise AssertionError(f"{name} is still {found}")


@pytest.fixture
def made(stacks: Any, settled: Callable[[str], str]) -> Callable[..., str]:
    """`made(name, Logical=resource)` is the id of a stack that has been made."""

    def make(name: str, outputs: dict[str, Any] | None = None, **resources: Any) -> str:
        stack_id: str = stacks.create_stack(StackName=name, TemplateBody=body(outputs, **resources), **IAM)["StackId"]
        assert settled(stack_id) == "CREATE_COMPLETE"
        return stack_id

    return make


@pytest.fixture
def told(stacks: Any) -> Callable[[str], list[tuple[str, str]]]:
    """`told(name)` are the events of a stack, oldest first: logical id and status."""

    def events(name: str) -> list[tuple[str, str]]:
        found = stacks.describe_stack_events(StackName=name)["StackEvents"]
        return [(one["LogicalResourceId"], one["ResourceStatus"]) for one in reversed(found)]

    return events


@pytest.fixture
def reason(stacks: Any) -> Callable[[str, str], str]:
    """`reason(name, logical_id)` is why that resource failed last."""

    def find(name: str, logical_id: str) -> str:
        for one in stacks.describe_stack_events(StackName=name)["StackEvents"]:
            if one["LogicalResourceId"] == logical_id and one["ResourceStatus"].endswith("_FAILED"):
                return str(one["ResourceStatusReason"])
        raise AssertionError(f"{logical_id} has not failed")

    return find


@pytest.fixture
def refused() -> Refused:
    """`with refused(code, words):` holds when the request in it is refused so; no words means any."""

    @contextmanager
    def expect(code: str, message: str | None = None) -> Iterator[None]:
        with pytest.raises(ClientError) as caught:
            yield
        error = caught.value.response["Error"]
        assert error["Code"] == code, error
        assert message is None or message in error["Message"], error

    return expect


@pytest.fixture
def ended(cloud: AWS) -> Callable[[str], str]:
    """`ended(name)` is the status of a stack of that iamd once nothing of it is in progress."""
    return lambda name: status_at_last(cloud.client("cloudformation"), name)
