"""Executions of the versions and aliases of moto's state machines.

moto finds a version and can't start it, and finds no alias. AWS: Step Functions API Reference, StartExecution,
DescribeExecution and ListExecutions; Developer Guide, "How Step Functions associates executions with a version or
alias" (execution-alias-version-associate).
"""

import random
from collections.abc import Callable
from typing import Any

from moto.core.responses import ActionResult
from moto.stepfunctions.models import Execution, StateMachineAlias, StateMachineVersion, StepFunctionBackend
from moto.stepfunctions.responses import StepFunctionResponse

from iamd.backend.replacement import always, replace
from iamd.backend.verdict import NOT_IMPLEMENTED, Refused


def install() -> None:
    """Start, describe and list them by the ARN that they were started with."""
    replace(StepFunctionBackend, "start_execution", _start)
    replace(StepFunctionResponse, "list_executions", _list)
    replace(StepFunctionResponse, "describe_execution", _describe)
    replace(StepFunctionResponse, "get_execution_history", always(_no_history))


def _no_history(_response: Any) -> ActionResult:
    """Refuse: moto runs no state machine, and tells a history that it makes up."""
    raise Refused(NOT_IMPLEMENTED, "GetExecutionHistory")


def _start(original: Callable[..., Execution]) -> Callable[..., Execution]:
    def start_execution(backend: Any, state_machine_arn: str, *given: Any, **named: Any) -> Execution:
        alias = _alias(backend, state_machine_arn)
        version = backend.describe_state_machine(_version_of(alias) if alias is not None else state_machine_arn)
        if not isinstance(version, StateMachineVersion):
            return original(backend, state_machine_arn, *given, **named)
        execution: Any = original(backend, version.source_arn, *given, **named)
        if execution not in version.executions:
            version.executions.append(execution)
            execution.iamd_arns = {"stateMachineVersionArn": version.arn}
            if alias is not None:
                execution.iamd_arns["stateMachineAliasArn"] = alias.arn
        started: Execution = execution
        return started

    return start_execution


def _list(original: Callable[[Any], ActionResult]) -> Callable[[Any], ActionResult]:
    def list_executions(response: Any) -> ActionResult:
        told: Any = original(response).result
        backend = response.stepfunction_backend
        for one in told["executions"]:
            execution = backend.describe_execution(one["executionArn"])
            one |= {"stateMachineArn": execution.state_machine_arn, **_arns(execution)}
        return ActionResult(told)

    return list_executions


def _describe(original: Callable[[Any], ActionResult]) -> Callable[[Any], ActionResult]:
    def describe_execution(response: Any) -> ActionResult:
        told: Any = original(response).result
        execution = response.stepfunction_backend.describe_execution(told["executionArn"])
        return ActionResult({**told, **_arns(execution)})

    return describe_execution


def _arns(execution: Any) -> dict[str, str]:
    """The version and alias that it was started with."""
    found: dict[str, str] = getattr(execution, "iamd_arns", {})
    return found


def _alias(backend: Any, arn: str) -> StateMachineAlias | None:
    machine_arn, _, name = arn.rpartition(":")
    machine = next((one for one in backend.state_machines if one.arn == machine_arn), None)
    return machine.aliases.get(name) if machine is not None else None


def _version_of(alias: StateMachineAlias) -> str:
    """One of its versions, as often as their weights say."""
    arns = [route["stateMachineVersionArn"] for route in alias.routing_configuration]
    weights = [route["weight"] for route in alias.routing_configuration]
    chosen: str = random.choices(arns, weights)[0]  # noqa: S311 - which version is no secret
    return chosen
