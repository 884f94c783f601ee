"""What the tests of IAM's operations share: a client, refusals, and an account with one of everything."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

import pyotp
import pytest
from botocore import xform_name
from botocore.exceptions import ClientError

Refused = Callable[..., AbstractContextManager[None]]

PASSWORD = "Correct-Horse-1"
DOCUMENT = json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}})
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"},
    },
)
TAGS = [{"Key": "Team", "Value": "blue"}]


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

    The words name the resource, and the event does. With `action` another action than the operation's own is missing,
    and `*statements` are what the user has.
    """

    def expect(operation: str, resource: str, *statements: Any, action: str | None = None, **parameters: Any) -> None:
        action = action or f"iam:{operation}"
        nobody = aws.client("iam", aws.user(f"nobody-{operation}", *statements))
        with pytest.raises(ClientError) as caught:
            getattr(nobody, xform_name(operation))(**parameters)
        error = caught.value.response["Error"]
        assert error["Code"] == "AccessDenied", error
        assert (
            f"is not authorized to perform: {action} on resource: {resource} because no identity-based policy"
            in error["Message"]
        )
        [event] = [event for event in aws.events(operation) if event.get("errorCode") == "AccessDenied"]
        assert event["eventSource"] == "iam.amazonaws.com"
        asked = event["iamd"]["decisions"][-1]
        assert (asked["action"], asked["resource"]) == (action, resource)

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


class Devices:
    """Virtual MFA devices in somebody's pocket."""

    def __init__(self, iam: Any) -> None:
        self.iam = iam

    def new(self, name: str) -> tuple[str, str]:
        """A new device: serial number and seed."""
        device = self.iam.create_virtual_mfa_device(VirtualMFADeviceName=name, Path="/team/")["VirtualMFADevice"]
        return device["SerialNumber"], device["Base32StringSeed"].decode()

    def codes(self, seed: str, *, ahead: int = 0) -> dict[str, str]:
        """Two codes in a row as the device shows them now, or when its clock is some steps ahead."""
        step = int(time.time() // 30) + ahead
        shown = pyotp.HOTP(seed)
        return {"AuthenticationCode1": shown.at(step - 1), "AuthenticationCode2": shown.at(step)}

    def enable(self, user_name: str, serial_number: str, seed: str, *, ahead: int = 0) -> None:
        """Enable a device for a user."""
        self.iam.enable_mfa_device(UserName=user_name, SerialNumber=serial_number, **self.codes(seed, ahead=ahead))


@pytest.fixture
def devices(iam: Any) -> Devices:
    """Virtual MFA devices in somebody's pocket."""
    return Devices(iam)


@dataclass(frozen=True)
class World:
    """The account `world` makes: `ann` has one of everything and `bob` has nothing; both are in /team/."""

    policy_arn: str
    access_key_id: str
    phone: str
    phone_seed: str
    watch: str
    watch_seed: str


@pytest.fixture
def world(iam: Any, devices: Devices) -> World:
    """An account with one of everything that IAM knows."""
    iam.create_user(UserName="ann", Path="/team/", Tags=TAGS)
    iam.create_user(UserName="bob", Path="/team/")
    iam.create_group(GroupName="devs", Path="/team/")
    iam.create_role(RoleName="app", Path="/team/", AssumeRolePolicyDocument=TRUST, Tags=TAGS)
    iam.create_instance_profile(InstanceProfileName="box", Path="/team/", Tags=TAGS)
    policy_arn = iam.create_policy(PolicyName="send", Path="/team/", PolicyDocument=DOCUMENT)["Policy"]["Arn"]
    for kind, name in (("user", "ann"), ("group", "devs"), ("role", "app")):
        member = {f"{kind.capitalize()}Name": name}
        getattr(iam, f"put_{kind}_policy")(**member, PolicyName="inline", PolicyDocument=DOCUMENT)
        getattr(iam, f"attach_{kind}_policy")(**member, PolicyArn=policy_arn)
    iam.put_user_permissions_boundary(UserName="ann", PermissionsBoundary=policy_arn)
    iam.put_role_permissions_boundary(RoleName="app", PermissionsBoundary=policy_arn)
    iam.create_login_profile(UserName="ann", Password=PASSWORD)
    key_id = iam.create_access_key(UserName="ann")["AccessKey"]["AccessKeyId"]
    phone, phone_seed = devices.new("phone")
    watch, watch_seed = devices.new("watch")
    devices.enable("ann", phone, phone_seed)
    return World(policy_arn, key_id, phone, phone_seed, watch, watch_seed)
