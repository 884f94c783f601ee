"""The Principal element: who is named, and how directly."""

import pytest
from policy.worlds import ANA, FEDERATED, HERE, PROVIDER, ROLE, ROOT, SESSION, THERE

from iamd.policy.principals import Named, named, principals
from iamd.policy.request import ANONYMOUS, Principal, PrincipalKind

USER = Principal(PrincipalKind.USER, HERE, ANA, unique_id="AIDAANA", canonical_id="abc")
ROLE_SESSION = Principal(PrincipalKind.ROLE_SESSION, HERE, SESSION, ROLE, "AROAWORKER")
FEDERATED_USER = Principal(PrincipalKind.FEDERATED_USER, HERE, FEDERATED, ANA, "AIDAANA")
ROOT_USER = Principal(PrincipalKind.ROOT, HERE, ROOT)
SERVICE = Principal(PrincipalKind.SERVICE, service_names=("logs.eu-west-1.amazonaws.com", "logs.amazonaws.com"))
WEB = Principal(PrincipalKind.FEDERATED, provider=PROVIDER)
AWS_CALLERS = [USER, ROLE_SESSION, FEDERATED_USER, ROOT_USER]


def how(entries, caller, *, inverted=False, deny=False, has_boundary=False):
    pairs = (
        [("*", "*")] if entries == "*" else [("AWS", entry) if isinstance(entry, str) else entry for entry in entries]
    )
    element = principals(pairs, inverted=inverted)
    return named(element, caller, strict=not deny, deny=deny, has_boundary=has_boundary)


@pytest.mark.parametrize(
    ("entry", "caller", "expected"),
    [
        (ANA, USER, Named.DIRECT),
        (ANA.upper(), USER, Named.NOT),
        ("AIDAANA", USER, Named.DIRECT),
        ("AIDAGONE", USER, Named.NOT),
        (HERE, USER, Named.ACCOUNT),
        (ROOT, USER, Named.ACCOUNT),
        (THERE, USER, Named.NOT),
        (ROOT, ROOT_USER, Named.DIRECT),
        (HERE, ROOT_USER, Named.DIRECT),
        (ANA, ROOT_USER, Named.NOT),
        (SESSION, ROLE_SESSION, Named.DIRECT),
        (ROLE, ROLE_SESSION, Named.ENTITY),
        ("AROAWORKER", ROLE_SESSION, Named.ENTITY),
        (f"arn:aws:iam::{HERE}:role/worker", ROLE_SESSION, Named.NOT),
        (f"arn:aws:iam::{HERE}:role/*", ROLE_SESSION, Named.NOT),
        (HERE, ROLE_SESSION, Named.ACCOUNT),
        (FEDERATED, FEDERATED_USER, Named.DIRECT),
        (ANA, FEDERATED_USER, Named.ENTITY),
        ("AIDAANA", FEDERATED_USER, Named.ENTITY),
        (HERE, FEDERATED_USER, Named.ACCOUNT),
        (ROOT, ANONYMOUS, Named.NOT),
        (("CanonicalUser", "abc"), USER, Named.ACCOUNT),
        (("CanonicalUser", "abd"), USER, Named.NOT),
        (("Service", "logs.amazonaws.com"), SERVICE, Named.DIRECT),
        (("Service", "ec2.amazonaws.com"), SERVICE, Named.NOT),
        (("Service", "logs.amazonaws.com"), USER, Named.NOT),
        (("Federated", PROVIDER), WEB, Named.DIRECT),
        (("Federated", "accounts.google.com"), WEB, Named.NOT),
        (("Federated", PROVIDER), USER, Named.NOT),
    ],
)
def test_named(entry, caller, expected):
    assert how([entry], caller) is expected
    assert how([entry, THERE], caller) is expected


def test_the_most_direct_of_several_entries_counts():
    assert how([HERE, ROLE], ROLE_SESSION) is Named.ENTITY
    assert how([HERE, ROLE, SESSION], ROLE_SESSION) is Named.DIRECT


def test_everyone():
    for caller in [*AWS_CALLERS, ANONYMOUS]:
        assert how("*", caller) is how(["*"], caller) is Named.DIRECT
    assert how("*", SERVICE) is Named.DIRECT
    assert how(["*"], SERVICE) is Named.NOT
    assert how("*", WEB) is Named.NOT
    assert how("*", WEB, deny=True) is Named.DIRECT


def test_a_deny_with_not_principal_spares_only_a_whole_chain():
    def denied(entries, caller, **changes):
        return how(entries, caller, inverted=True, deny=True, **changes) is Named.DIRECT

    assert denied([ROLE], ROLE_SESSION)
    assert denied([ROLE, SESSION], ROLE_SESSION)
    assert not denied([ROLE, SESSION, ROOT], ROLE_SESSION)
    assert not denied(["AROAWORKER", SESSION, HERE], ROLE_SESSION)
    assert denied([ANA], USER)
    assert not denied([ANA, ROOT], USER)
    assert not denied([ANA, FEDERATED, ROOT], FEDERATED_USER)
    assert not denied([ROOT], ROOT_USER)
    assert denied([ANA, ROOT], ANONYMOUS)
    assert denied([ANA, ROOT], SERVICE)
    assert not denied([("Service", "logs.amazonaws.com")], SERVICE)
    assert not denied([("Federated", PROVIDER)], WEB)
    assert not denied(["*"], USER)
    assert denied([ANA, ROOT], USER, has_boundary=True)


def test_an_allow_with_not_principal_is_for_those_of_whom_nothing_is_listed():
    assert how([THERE], USER, inverted=True) is Named.DIRECT
    assert how([ROOT], USER, inverted=True) is Named.NOT
    assert how([ANA], USER, inverted=True, has_boundary=True) is Named.NOT
    assert how([ANA], ANONYMOUS, inverted=True) is Named.DIRECT
