"""What the tests show of each operation of iamd's own services, and what they don't show yet.

CONTRIBUTING.md: an operation is done with tests of each parameter's effect, read back by another operation, of a denial
that names the right resource, of its event and of its main errors, through boto3. This looks for such tests in the
tests' text; whether what they assert is right is for their readers to judge.
"""

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from evidence.calls import OWN_SERVICE, Call, Text, Words
from evidence.exempt import EXEMPT, REFUSED_PARAMETERS
from evidence.modules import Definition, Module, forget, parts, read, taken_in
from iamd.services import registry
from iamd.services.registry import Registered
from iamd.wire import models
from iamd.wire.models import Operation, to_snake

TESTS = Path(__file__).resolve().parents[2] / "tests"
DENIALS = "test_denials_and_events.py"
"""The module with a table of operations: it calls each of them denied and allowed, and reads the events of both."""

EVENT_READERS = frozenset({"denied", "event_among", "event_of", "events", "found", "parameters_of"})
"""What the tests get events with."""

NOT_OF_THE_REQUEST = frozenset(
    {
        "ConcurrentModification", "ConcurrentModificationException", "EntityTemporarilyUnmodifiable",
        "FinalizingOrganizationException", "InternalServerException", "PolicyChangesInProgressException",
        "ServiceException", "ServiceFailure", "ThrottlingException", "TooManyRequestsException",
        "UnsupportedAPIEndpointException",
    }
)  # fmt: skip
"""Errors that say nothing of the request and that no test can bring about."""

QUOTA = "LimitExceeded"
ADDING = ("Add", "Attach", "Create", "Enable", "Put", "Tag", "Upload")
"""What an operation that can go beyond a quota of IAM's begins with; of others the code means too many requests."""


@dataclass(frozen=True)
class Test:
    """A test with what its module gives it; `touched` are the operations that it calls, through what it shares too."""

    calls: Sequence[Call]
    touched: frozenset[str]
    strings: Sequence[str]
    called: frozenset[str]
    checks: bool


def missing(found: Registered) -> list[str]:
    """What no test shows of an operation: `effect of Path`, `denial`, `event`, `error NoSuchEntity`."""
    operation = modelled(found)
    lacking = [f"effect of {name}" for name in parameters(operation) if not _has_effect(operation, name)]
    lacking += [] if _is_denied(operation) else ["denial"]
    lacking += [] if _is_recorded(operation) else ["event"]
    lacking += [f"error {code}" for code in main_errors(operation) if not _is_refused_with(operation, code)]
    return [what for what in lacking if what not in EXEMPT.get(action(operation), {})]


def action(operation: Operation) -> str:
    """The operation's name with its service's: `iam:CreateUser`."""
    return f"{operation.service}:{operation.name}"


def modelled(found: Registered) -> Operation:
    """The operation in the service's model, by the model's own spelling."""
    service = models.service(found.service)
    [name] = [name for name in service.operation_names if name.lower() == found.name.lower()]
    return service.operation(name)


def registered() -> list[Registered]:
    """Every operation that iamd has a function for."""
    registry.load()
    return registry.registered()


def parameters(operation: Operation) -> list[str]:
    """Every parameter of an operation."""
    return list(operation.input.members) if operation.input is not None else []


def main_errors(operation: Operation) -> list[str]:
    """The codes by which the model says that an operation refuses what is asked."""
    codes = {error.code for error in operation.errors.values()} - NOT_OF_THE_REQUEST
    return sorted(codes if operation.name.startswith(ADDING) else codes - {QUOTA})


def _has_effect(operation: Operation, parameter: str) -> bool:
    """A test gives the parameter, asks another operation too, and checks; or shows that the parameter is refused."""
    refused = parameter in REFUSED_PARAMETERS.get(action(operation), {})
    return any(
        test.checks and test.touched - {call.name} and call.refused is refused and parameter in call.parameters
        for test, call in _calls(operation)
    )


def _is_denied(operation: Operation) -> bool:
    if operation.name in _table(operation.service):
        return True
    if any(call.refused and _tells_a_denial(test, operation) for test, call in _calls(operation)):
        return True
    return any("denied" in test.called and operation.name in test.strings for test in tests())


def _tells_a_denial(test: Test, operation: Operation) -> bool:
    """The words of a denial name the action, and its resource or that it has none; or Explain tells the resource."""
    if operation.service == OWN_SERVICE:
        # None of these has a resource.
        return any(f"authorized to perform: {OWN_SERVICE}:" in text for text in test.strings)
    denied = action(operation)
    words = [text for text in test.strings if denied in text]
    if any("on resource" in text or f"{denied} because" in text for text in words):
        return True
    return "Resource" in test.strings and any(
        f"authorized to perform: {denied}" in text or f"Not authorized to perform {denied}" in text for text in words
    )


def _is_recorded(operation: Operation) -> bool:
    if operation.name in _table(operation.service):
        return True
    named = any(test.called & EVENT_READERS and operation.name in test.strings for test in tests())
    return named or any("event_of" in test.called for test, _ in _calls(operation))


def _is_refused_with(operation: Operation, code: str) -> bool:
    return any(
        call.refused and any(text == code or text.startswith(f"{code}:") for text in test.strings)
        for test, call in _calls(operation)
    )


def _calls(operation: Operation) -> Iterator[tuple[Test, Call]]:
    own = operation.service == OWN_SERVICE
    name, service = (operation.name, OWN_SERVICE) if own else (to_snake(operation.name), None)
    for test in tests():
        for call in test.calls:
            if (call.name, call.service) == (name, service):
                yield test, call


@cache
def tests() -> Sequence[Test]:
    """Every test of the services."""
    shared = _definitions(TESTS / "conftest.py", TESTS / "running.py")
    found: list[Test] = []
    for folder in sorted(path for path in (TESTS / "services").iterdir() if path.is_dir()):
        of_folder = _definitions(*(path for path in sorted(folder.glob("*.py")) if not path.name.startswith("test_")))
        for path in sorted(path for path in folder.glob("test_*.py") if path.name != DENIALS):
            module = read(path)
            found += [_test(node, module, {**shared, **of_folder}) for node in module.tests]
    forget()
    return found


def _definitions(*paths: Path) -> dict[str, Definition]:
    found: dict[str, Definition] = {}
    for path in paths:
        found |= read(path).definitions if path.exists() else {}
    return found


def _test(node: ast.FunctionDef, module: Module, shared: Mapping[str, Definition]) -> Test:
    own, others = taken_in(node, module.definitions, shared)
    known = {**shared, **module.definitions}
    called = Text([node, *own], words(), known).called
    doing = [one for one in others if isinstance(one, ast.FunctionDef) and one.name in called and _asks(one)]
    further = Text([one for one in others if one not in doing], words(), known)
    text = Text([node, *own, *doing], words(), known, further.open_parameters)
    calls = text.calls()
    asked = [*calls, *further.calls()]
    return Test(
        calls, frozenset(call.name for call in asked if not call.refused), text.strings(), text.called, text.checks()
    )


def _asks(function: ast.FunctionDef) -> bool:
    """Tell whether a function calls operations."""
    return any(isinstance(p, ast.Attribute) and p.attr in words().operations for p in parts(function))


@cache
def words() -> Words:
    """Every operation that iamd has a function for, and every parameter of theirs."""
    found = [modelled(one) for one in registered() if one.service != OWN_SERVICE]
    return Words(
        frozenset(to_snake(operation.name) for operation in found),
        frozenset(name for operation in found for name in parameters(operation)),
        frozenset(modelled(one).name for one in registered() if one.service == OWN_SERVICE),
    )


@cache
def _table(service: str) -> frozenset[str]:
    """The operations in a service's table of denials and events, by the model's names."""
    path = TESTS / "services" / service / DENIALS
    table = read(path).definitions.get("CALLS") if path.exists() else None
    if not isinstance(table, ast.Assign) or not isinstance(table.value, ast.Dict):
        return frozenset()
    keys = {key.value for key in table.value.keys if isinstance(key, ast.Constant)}
    return frozenset(name for name in models.service(service).operation_names if to_snake(name) in keys)
