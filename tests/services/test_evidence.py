"""Each operation of iamd's own services is shown by tests: each parameter's effect, a denial, its event, its errors.

What counts as shown is in tools/evidence; docs/coverage.md counts by the same function.
"""

import pytest
from evidence import evidence
from evidence.exempt import EXEMPT, REFUSED_PARAMETERS

OPERATIONS = {evidence.action(evidence.modelled(found)): found for found in evidence.registered()}


@pytest.mark.parametrize("name", OPERATIONS)
def test_everything_of_an_operation_is_shown(name):
    assert list(evidence.missing(OPERATIONS[name])) == []


def test_nothing_is_listed_of_operations_that_are_not_there():
    assert EXEMPT.keys() | REFUSED_PARAMETERS.keys() <= OPERATIONS.keys()


@pytest.mark.parametrize("name", EXEMPT)
def test_what_is_not_asked_for_could_be_asked_for(name):
    """A word that is not one of `missing`'s would excuse nothing, and nobody would see it."""
    operation = evidence.modelled(OPERATIONS[name])
    effects = {f"effect of {parameter}" for parameter in evidence.parameters(operation)}
    errors = {f"error {code}" for code in evidence.main_errors(operation)}
    assert EXEMPT[name].keys() <= effects | errors | {"denial", "event"}


@pytest.mark.parametrize("name", REFUSED_PARAMETERS)
def test_parameters_that_are_refused_are_parameters(name):
    assert REFUSED_PARAMETERS[name].keys() <= set(evidence.parameters(evidence.modelled(OPERATIONS[name])))
