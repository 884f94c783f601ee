"""Each operation's function is what the service's model says: its name, its parameters, which of them must be given."""

import inspect

import pytest
from evidence import evidence

from iamd.wire.models import to_snake

OPERATIONS = {evidence.action(evidence.modelled(found)): found for found in evidence.registered()}


def parameters_of(function):
    """The parameters after the call, with whether each must be given."""
    found = list(inspect.signature(function).parameters.values())[1:]
    assert {parameter.kind for parameter in found} <= {inspect.Parameter.KEYWORD_ONLY}
    return {parameter.name: parameter.default is inspect.Parameter.empty for parameter in found}


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_function_has_every_parameter_of_its_operation(name):
    shape = evidence.modelled(OPERATIONS[name]).input
    expected = {to_snake(member): member in shape.required for member in shape.members} if shape is not None else {}
    assert parameters_of(OPERATIONS[name].function) == expected


@pytest.mark.parametrize("name", OPERATIONS)
def test_what_an_operation_touches_is_asked_with_the_same_parameters(name):
    found = OPERATIONS[name]
    given = parameters_of(found.function)
    for function in (found.on, found.prepare, found.authenticate):
        if function is not None:
            inspect.signature(function).bind(None, **given)


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_function_is_named_as_its_operation(name):
    assert OPERATIONS[name].function.__name__ == to_snake(evidence.modelled(OPERATIONS[name]).name)
