"""What the tests of Organizations' operations share: clients, an organization, its members, refusals."""

import itertools
import json
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError
from running import AWS
from services.organizations.world import Member, new_member

Refused = Callable[..., AbstractContextManager[None]]


@pytest.fixture
def organizations(aws: AWS) -> Any:
    """Organizations as the administrator calls it, through a client that lets iamd refuse what is wrong."""
    return aws.client("organizations", parameter_validation=False)


@pytest.fixture
def root_id(organizations: Any) -> str:
    """The root of an organization that the administrator's account manages."""
    organizations.create_organization()
    root_id: str = organizations.list_roots()["Roots"][0]["Id"]
    return root_id


@pytest.fixture
def member(aws: AWS, organizations: Any, root_id: str) -> Callable[..., Member]:
    """`member()` is a new account of the organization, with its administrator's session."""
    numbers = itertools.count(1)

    return lambda **parameters: new_member(aws, f"member-{next(numbers)}", **parameters)


@pytest.fixture
def policy(organizations: Any) -> Callable[..., str]:
    """`policy(*statements)` is the id of a new SCP of these statements; of another type when `Type` is given."""
    numbers = itertools.count(1)

    def make(*statements: dict[str, Any], **parameters: Any) -> str:
        given = {
            "Name": f"policy-{next(numbers)}",
            "Description": "",
            "Type": "SERVICE_CONTROL_POLICY",
            "Content": json.dumps({"Version": "2012-10-17", "Statement": statements}),
            **parameters,
        }
        policy_id: str = organizations.create_policy(**given)["Policy"]["PolicySummary"]["Id"]
        return policy_id

    return make


@pytest.fixture
def refused() -> Refused:
    """`with refused(code, words, Reason=...):` holds when the request in it is refused so; no words means any."""

    @contextmanager
    def expect(code: str, message: str | None = None, **members: str) -> Iterator[None]:
        with pytest.raises(ClientError) as caught:
            yield
        answer = caught.value.response
        assert answer["Error"]["Code"] == code, answer
        assert message is None or answer["Error"]["Message"] == message
        assert {name: answer.get(name) for name in members} == members

    return expect


@pytest.fixture
def event_of(aws: AWS) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """`event_of(answer)` is the event of the request that got this answer."""

    def find(answer: dict[str, Any]) -> dict[str, Any]:
        request_id = answer["ResponseMetadata"]["RequestId"]
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            for event in aws.events():
                if event.get("requestID") == request_id:
                    return event
            time.sleep(0.05)
        raise AssertionError(f"no event of request {request_id}")

    return find


@pytest.fixture
def paged() -> Callable[..., list[Any]]:
    """`paged(call, "Accounts", **parameters)` gives all items, fetched in pages of one."""

    def fetch(call: Callable[..., dict[str, Any]], member: str, **parameters: Any) -> list[Any]:
        items: list[Any] = []
        answer = call(MaxResults=1, **parameters)
        while True:
            assert len(answer[member]) <= 1
            items += answer[member]
            if "NextToken" not in answer:
                return items
            answer = call(MaxResults=1, NextToken=answer["NextToken"], **parameters)

    return fetch
