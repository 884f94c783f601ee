"""What the tests of IAM's operations share: a client, refusals, and an account with one of everything."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError
from services.iam.world import Devices, World, build_world

Refused = Callable[..., AbstractContextManager[None]]

BY_ARN = frozenset(
    {
        "CreateGroup", "CreateInstanceProfile", "CreateRole", "CreateServiceLinkedRole", "CreateUser",
        "GenerateServiceLastAccessedDetails", "GetContextKeysForPrincipalPolicy", "GetServiceLinkedRoleDeletionStatus",
        "ListPoliciesGrantingServiceAccess", "PassRole", "SimulatePrincipalPolicy", "UploadServerCertificate",
    }
)  # fmt: skip
"""Actions whose denials name the ARN of what other denials call by its kind and name."""


def called(action: str, resource: str) -> str:
    """What AWS's denial of an action of IAM calls a resource: seen in its answers."""
    kind, _, name = resource.rpartition("::")[2].partition(":")[2].partition("/")
    kind, name = kind.replace("-", " "), name.rpartition("/")[2]
    if action in BY_ARN or name in {"", "*"} or kind not in KINDS:
        return resource
    return f"{kind} {resource if kind == 'policy' and action != 'CreatePolicy' else name}"


KINDS = frozenset({"user", "role", "group", "policy", "instance profile", "server certificate"})


@pytest.fixture
def iam(aws: Any) -> Any:
    """IAM as the account's administrator calls it."""
    return aws.client("iam")


@pytest.fixture
def refused() -> Refused:
    """`with refused(code, words):` holds when the request in it is refused so; no words means any."""

    @contextmanager
    def expect(code: str, message: str | None = None) -> Iterator[None]:
        with pytest.raises(ClientError) as caught:
            yield
        error = caught.value.response["Error"]
        assert error["Code"] == code, error
        assert message is None or error["Message"] == message

    return expect


@pytest.fixture
def denied(aws: Any) -> Callable[..., None]:
    """`denied("GetRole", arn, RoleName="app")` holds when a user without policies is refused for that resource.

    The words name the resource as AWS calls it, or as `shown` says, and the event does. With `action` another action than
    the operation's own is missing, and `*statements` are what the user has.
    """

    def expect(
        operation: str,
        resource: str,
        *statements: Any,
        action: str | None = None,
        shown: str | None = None,
        **parameters: Any,
    ) -> None:
        action = action or f"iam:{operation}"
        nobody = aws.client("iam", aws.user(f"nobody-{operation}", *statements))
        with pytest.raises(ClientError) as caught:
            getattr(nobody, xform_name(operation))(**parameters)
        error = caught.value.response["Error"]
        assert error["Code"] == "AccessDenied", error
        named = shown or called(action.removeprefix("iam:"), resource)
        assert (
            f"is not authorized to perform: {action} on resource: {named} because no identity-based policy"
            in error["Message"]
        )
        [event] = [event for event in aws.events(operation) if event.get("errorCode") == "AccessDenied"]
        assert event["eventSource"] == "iam.amazonaws.com"
        asked = aws.explain(event["requestID"])["Decisions"][-1]
        assert (asked["Action"], asked["Resource"]) == (action, resource)

    return expect


@pytest.fixture
def parameters_of(aws: Any) -> Callable[[str], dict[str, Any]]:
    """`parameters_of("GetRole")` gives what the one event of a successful call says of its parameters."""

    def find(operation: str) -> dict[str, Any]:
        [event] = [event for event in aws.events(operation) if "errorCode" not in event]
        assert event["eventName"] == operation
        assert event["readOnly"] is operation.startswith(("Get", "List"))
        assert event["recipientAccountId"] == aws.account_id
        parameters: dict[str, Any] = event["requestParameters"]
        return parameters

    return find


@pytest.fixture
def arn_of(aws: Any) -> Callable[[str], str]:
    """`arn_of("user/team/ann")` is the ARN of an entity of the account."""
    return lambda resource: f"arn:aws:iam::{aws.account_id}:{resource}"


@pytest.fixture
def event_of(aws: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """`event_of(answer)` is the event of the request that got this answer, or this error."""

    def find(answer: dict[str, Any]) -> dict[str, Any]:
        request_id = answer["ResponseMetadata"]["RequestId"]
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            for event in aws.events():
                if event["requestID"] == request_id:
                    return event
            time.sleep(0.05)
        raise AssertionError(f"no event of request {request_id}")

    return find


@pytest.fixture
def paged() -> Callable[..., list[Any]]:
    """`paged(call, "Users", **parameters)` gives all items, fetched in pages of one."""

    def fetch(call: Callable[..., dict[str, Any]], member: str, **parameters: Any) -> list[Any]:
        items: list[Any] = []
        answer = call(MaxItems=1, **parameters)
        while True:
            assert len(answer[member]) == 1
            items += answer[member]
            if not answer["IsTruncated"]:
                return items
            answer = call(MaxItems=1, Marker=answer["Marker"], **parameters)

    return fetch


@pytest.fixture
def devices(iam: Any) -> Devices:
    """Virtual MFA devices in somebody's pocket."""
    return Devices(iam)


@pytest.fixture
def world(iam: Any) -> World:
    """An account with one of everything that IAM knows."""
    return build_world(iam)


@pytest.fixture
def simulate(iam: Any) -> Callable[..., dict[str, Any]]:
    """`simulate(policies, action, **parameters)` gives the one result of SimulateCustomPolicy."""

    def ask(policies: list[str], action: str = "s3:GetObject", **parameters: Any) -> dict[str, Any]:
        answer = iam.simulate_custom_policy(PolicyInputList=policies, ActionNames=[action], **parameters)
        assert answer["IsTruncated"] is False
        [found] = answer["EvaluationResults"]
        return dict(found)

    return ask


@pytest.fixture
def simulate_ann(iam: Any) -> Callable[..., dict[str, Any]]:
    """`simulate_ann(action, **parameters)` gives the one result of SimulatePrincipalPolicy of the user `ann`."""

    def ask(action: str = "s3:GetObject", **parameters: Any) -> dict[str, Any]:
        arn = iam.get_user(UserName="ann")["User"]["Arn"]
        answer = iam.simulate_principal_policy(PolicySourceArn=arn, ActionNames=[action], **parameters)
        [found] = answer["EvaluationResults"]
        return dict(found)

    return ask
