"""Functions that call what they are told to call, with their role."""

import json
from typing import Any

from running import AWS


def called(aws: AWS, function: str, service: str, operation: str, **parameters: Any) -> str | None:
    """The code of the error that a function's request ends with; None when it is answered."""
    return called_with(aws, function, [service, operation, parameters])


def called_with(aws: AWS, function: str, event: Any) -> Any:
    """What a function answers to an event."""
    told = aws.client("lambda", read_timeout=60).invoke(FunctionName=function, Payload=json.dumps(event))
    answer = json.load(told["Payload"])
    assert "FunctionError" not in told, answer
    return answer


def outputs(aws: AWS, stack: str) -> dict[str, str]:
    """The outputs of a stack that is whole."""
    [found] = aws.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    assert found["StackStatus"] in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}
    return {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])}
