"""Each operation of iamd's own services is shown by tests: each parameter's effect, a denial, its event, its errors.

What counts as shown is in tools/evidence; docs/coverage.md counts by the same function.
"""

import pytest
from evidence import evidence
from evidence.exempt import EXEMPT, REFUSED_PARAMETERS

NO_TESTS = "the operation has no tests of its own yet"

MISSING = {
    "iamd:Can": dict.fromkeys(
        (
            "effect of PrincipalArn",
            "effect of Action",
            "effect of ResourceArn",
            "effect of Context",
            "denial",
            "event",
            "error NoSuchPrincipal",
        ),
        NO_TESTS,
    ),
    "iamd:CreateAccount": dict.fromkeys(("effect of Email", "denial", "error AccountAlreadyExists"), NO_TESTS),
    "iamd:Explain": dict.fromkeys(("denial", "event", "error NoSuchRequest"), NO_TESTS),
    "iamd:ListAccounts": dict.fromkeys(("denial", "event"), NO_TESTS),
    "iamd:VerifyAudit": dict.fromkeys(("denial", "event"), NO_TESTS),
    "sts:AssumeRole": dict.fromkeys(
        (
            "effect of PolicyArns",
            "effect of Policy",
            "effect of DurationSeconds",
            "effect of ExternalId",
            "effect of ProvidedContexts",
            "effect of MinimumSessionTokenSize",
            "denial",
            "error MalformedPolicyDocument",
            "error PackedPolicyTooLarge",
        ),
        NO_TESTS,
    ),
    "sts:GetAccessKeyInfo": dict.fromkeys(("effect of AccessKeyId", "denial", "event"), NO_TESTS),
}
"""What no test shows yet, with the reason. The list is exact: what is shown by now must leave it."""

OPERATIONS = {evidence.action(evidence.modelled(found)): found for found in evidence.registered()}


@pytest.mark.parametrize("name", OPERATIONS)
def test_what_is_not_shown_of_an_operation_is_listed(name):
    assert set(evidence.missing(OPERATIONS[name])) == set(MISSING.get(name, {}))


def test_nothing_is_listed_of_operations_that_are_not_there():
    assert MISSING.keys() | EXEMPT.keys() | REFUSED_PARAMETERS.keys() <= OPERATIONS.keys()


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
