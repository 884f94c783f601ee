"""What the tests of Access Analyzer's operations share: clients and refusals."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError

Refused = Callable[..., AbstractContextManager[None]]


@pytest.fixture
def analyzer(aws: Any) -> Any:
    """Access Analyzer as the account's administrator calls it."""
    return aws.client("accessanalyzer")


@pytest.fixture
def iam(aws: Any) -> Any:
    """IAM as the account's administrator calls it."""
    return aws.client("iam")


@pytest.fixture
def refused() -> Refused:
    """`with refused(code, field, reason):` holds when the request in it is refused so, for that parameter."""

    @contextmanager
    def expect(code: str, field: str, reason: str = "fieldValidationFailed") -> Iterator[None]:
        with pytest.raises(ClientError) as caught:
            yield
        answer = caught.value.response
        assert answer["Error"]["Code"] == code, answer
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 400
        assert answer["reason"] == reason
        assert [one["name"] for one in answer["fieldList"]] == [field]

    return expect


@pytest.fixture
def denied(aws: Any) -> Callable[..., None]:
    """`denied("ValidatePolicy", **parameters)` holds when a user without policies is refused, as the event says too."""

    def expect(operation: str, **parameters: Any) -> None:
        nobody = aws.client("accessanalyzer", aws.user("nobody"))
        with pytest.raises(ClientError) as caught:
            getattr(nobody, xform_name(operation))(**parameters)
        answer = caught.value.response
        assert answer["Error"]["Code"] == "AccessDeniedException", answer
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 403
        action = f"access-analyzer:{operation}"
        resource = f"arn:aws:access-analyzer:{nobody.meta.region_name}:{aws.account_id}:*"
        assert answer["Error"]["Message"] == (
            f"User: arn:aws:iam::{aws.account_id}:user/nobody is not authorized to perform: {action} on resource: "
            f"{resource} because no identity-based policy allows the {action} action"
        )
        [event] = aws.events(operation)
        assert (event["eventSource"], event["errorCode"]) == ("access-analyzer.amazonaws.com", "AccessDeniedException")
        [asked] = aws.explain(event["requestID"])["Decisions"]
        assert (asked["Action"], asked["Resource"]) == (action, resource)

    return expect
