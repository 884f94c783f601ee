"""Tests of the reference model: the frozen cases, the tables of the specification, and laws on random cases."""

from __future__ import annotations

import copy
import json
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from policy import near_misses as generate
from policy import reference
from policy.reference import (
    ALWAYS,
    BOUNDARY,
    IDENTITY,
    RCP,
    RESOURCE,
    ROOT_USER,
    SCP,
    SESSION,
    TRUST,
    VPCE,
    Scope,
    Unreadable,
    Wild,
    action_matches,
    decide,
    entry_holds,
    glob,
    lookup,
    read_document,
    resolve,
    split_arn,
    tokenise,
)

Json = Any
Map = dict[str, Any]

HOME, OTHER = "111122223333", "444455556666"
USER = f"arn:aws:iam::{HOME}:user/ana"
EVE = f"arn:aws:iam::{OTHER}:user/eve"
ROOT = f"arn:aws:iam::{HOME}:root"
ROLE = f"arn:aws:iam::{HOME}:role/app/worker"
ROLE_SESSION = f"arn:aws:sts::{HOME}:assumed-role/worker/s1"
FEDERATED = f"arn:aws:sts::{HOME}:federated-user/bob"
FEDERATED_BY = f"arn:aws:iam::{HOME}:user/bob"
TARGET_ROLE = f"arn:aws:iam::{HOME}:role/target"
KEY = f"arn:aws:kms:us-east-1:{HOME}:key/k"
OBJECT = "arn:aws:s3:::data/x"
SERVICE = "cloudtrail.amazonaws.com"
OIDC = "accounts.google.com"

CORPUS = [json.loads(line) for line in (Path(__file__).parent / "cases" / "aws.jsonl").read_text().splitlines()]


# --- Builders --------------------------------------------------------------------------------------------------------


def document(*statements: Map, version: str | None = "2012-10-17") -> Map:
    """Make a document."""
    return {**({"Version": version} if version else {}), "Statement": list(statements)}


def allow(action: Json = "*", resource: Json = "*", **more: Json) -> Map:
    """Make an Allow statement."""
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: Json = "*", resource: Json = "*", **more: Json) -> Map:
    """Make a Deny statement."""
    return {**allow(action, resource, **more), "Effect": "Deny"}


def trust(principal: Json, action: Json = "sts:AssumeRole", effect: str = "Allow", **more: Json) -> Map:
    """Make a trust policy of one statement."""
    return document({"Effect": effect, "Principal": principal, "Action": action, **more})


def case(principal: str, action: str = "s3:GetObject", on: str = OBJECT, /, **more: Json) -> Map:
    """Make a case; policies are given by their names, other keywords go to the request."""
    names = ("identity", "boundary", "session", "scp", "rcp", "resource", "vpce")
    policies = {name: more.pop(name) for name in names if name in more}
    made: Map = {"principal": principal, "action": action, "resource": on, "resource_account": HOME, "context": {}}
    if principal == ROLE_SESSION:
        made["entity"] = ROLE
    return {"request": {**made, **more}, "policies": policies}


def outcome(principal: str, action: str = "s3:GetObject", on: str = OBJECT, /, **more: Json) -> str:
    """Decide a case and give the outcome."""
    return decide(case(principal, action, on, **more)).outcome


def verdict(principal: str, action: str = "s3:GetObject", on: str = OBJECT, /, **more: Json) -> tuple[str, str]:
    """Decide a case and give outcome and layer."""
    decided = decide(case(principal, action, on, **more))
    return decided.outcome, decided.layer


def holds(operator: str, policy: Json, value: Json = None, key: str = "app:Key", **context: Json) -> reference.Truth:
    """Evaluate one condition under the new version; no value is a missing key."""
    values = tuple(reference.text_of(v) for v in (policy if isinstance(policy, list) else [policy]))
    held = {name.replace("__", ":"): text for name, text in context.items()}
    return entry_holds(operator, key, values, Scope({**held, **({} if value is None else {key: value})}, True))


ALL, NONE = document(allow()), document(allow("ec2:*"))
LEVEL_ALL, LEVEL_NONE = [{"level": "r", "policies": [ALL]}], [{"level": "r", "policies": [NONE]}]
ANY = document(allow(Principal="*"))
GRANTS = {
    "user": document(allow(Principal={"AWS": USER})),
    "role": document(allow(Principal={"AWS": ROLE})),
    "session": document(allow(Principal={"AWS": ROLE_SESSION})),
    "star": document(allow(Principal="*", Condition={"ArnEquals": {"aws:PrincipalArn": ROLE}})),
    "account": document(allow(Principal={"AWS": ROOT})),
    "federated": document(allow(Principal={"AWS": FEDERATED})),
    "federated by": document(allow(Principal={"AWS": FEDERATED_BY})),
}


# --- The frozen cases ------------------------------------------------------------------------------------------------


def complete(row: Map) -> Map:
    """Tell the role behind the corpus's one session: it is `app/worker`, which some rows say in aws:PrincipalArn."""
    if row["request"]["principal"] == ROLE_SESSION:
        return {**row, "request": {**row["request"], "entity": ROLE}}
    return row


def test_corpus_is_whole() -> None:
    """The corpus has its 269 cases."""
    assert len(CORPUS) == 269


@pytest.mark.parametrize("row", CORPUS, ids=lambda row: row["id"])
def test_corpus(row: Map) -> None:
    """Every case with a known answer is decided so."""
    assert decide(complete(row)).outcome == row["expected"]


# --- Section 9: the consequences -------------------------------------------------------------------------------------

# caller, grant, identity allows, boundary denies implicitly, session policy denies implicitly, allowed
CONSEQUENCES = [
    (USER, "user", False, True, False, True),
    (ROLE_SESSION, "role", False, False, False, True),
    (ROLE_SESSION, "role", True, True, False, False),
    (ROLE_SESSION, "role", False, False, True, False),
    (ROLE_SESSION, "session", False, True, True, True),
    (ROLE_SESSION, "star", False, True, True, True),
    (ROLE_SESSION, "account", False, False, False, False),
    (ROLE_SESSION, "account", True, False, False, True),
    (USER, "account", False, False, False, False),
    (USER, "account", True, False, False, True),
    (FEDERATED, "federated", False, True, True, True),
    (FEDERATED, "federated by", False, False, True, False),
    (FEDERATED, "federated by", True, False, True, False),
]


def consequence(caller: str, grant: str, identity: bool, boundary: bool, session: bool) -> Map:
    """Make the case of one row."""
    policies: Map = {"resource": GRANTS[grant], "identity": [ALL] if identity else []}
    if boundary:
        policies["boundary"] = [NONE]
    if session:
        policies["session"] = [NONE]
    return case(caller, context={"aws:PrincipalArn": ROLE} if caller == ROLE_SESSION else {}, **policies)


@pytest.mark.parametrize(("caller", "grant", "identity", "boundary", "session", "allowed"), CONSEQUENCES)
def test_consequences(caller: str, grant: str, identity: bool, boundary: bool, session: bool, allowed: bool) -> None:
    """The table of section 9 holds row by row."""
    decided = decide(consequence(caller, grant, identity, boundary, session)).outcome
    assert decided == ("Allowed" if allowed else "ImplicitlyDenied")


@pytest.mark.parametrize(("caller", "grant", "identity", "boundary", "session", "allowed"), CONSEQUENCES)
def test_explicit_deny_beats_every_row(
    caller: str, grant: str, identity: bool, boundary: bool, session: bool, allowed: bool
) -> None:
    """An explicit deny in any set beats every row of section 9."""
    row = consequence(caller, grant, identity, boundary, session)["policies"]
    context = {"aws:PrincipalArn": ROLE}
    hit = {"Principal": "*"}
    denials: dict[str, Map] = {
        IDENTITY: {"identity": [*row["identity"], document(deny())]},
        BOUNDARY: {"boundary": [*row.get("boundary", [ALL]), document(deny())]},
        SESSION: {"session": [*row.get("session", [ALL]), document(deny())]},
        RESOURCE: {"resource": [row["resource"], document(deny(**hit))]},
        SCP: {"scp": [*LEVEL_ALL, {"level": "a", "policies": [ALL, document(deny())]}]},
        RCP: {"rcp": [{"level": "r", "policies": [document(deny(**hit))]}]},
        VPCE: {"vpce": [ANY, document(deny(**hit))]},
    }
    for layer, denial in denials.items():
        assert verdict(caller, context=context, **{**row, **denial}) == ("ExplicitlyDenied", layer)


@pytest.mark.parametrize(("caller", "grant", "identity", "boundary", "session", "allowed"), CONSEQUENCES)
def test_organization_and_endpoint_beat_every_row(
    caller: str, grant: str, identity: bool, boundary: bool, session: bool, allowed: bool
) -> None:
    """An SCP or endpoint policy that does not allow beats every row of section 9."""
    row = consequence(caller, grant, identity, boundary, session)["policies"]
    silent: dict[str, Map] = {
        SCP: {"scp": [*LEVEL_ALL, *LEVEL_NONE]},
        VPCE: {"vpce": [document(allow("ec2:*", Principal="*"))]},
        RCP: {"rcp": []},
    }
    for layer, policies in silent.items():
        assert verdict(caller, context={"aws:PrincipalArn": ROLE}, **{**row, **policies}) == ("ImplicitlyDenied", layer)


def test_root_user() -> None:
    """The root user needs no identity policy, and obeys SCPs, RCPs, endpoints and denies of the resource."""
    assert verdict(ROOT) == ("Allowed", ROOT_USER)
    assert verdict(ROOT, identity=[document(deny())], boundary=[]) == ("Allowed", ROOT_USER)
    assert verdict(ROOT, scp=LEVEL_NONE) == ("ImplicitlyDenied", SCP)
    assert verdict(ROOT, vpce=[]) == ("ImplicitlyDenied", VPCE)
    assert verdict(ROOT, resource=document(deny(Principal={"AWS": HOME}))) == ("ExplicitlyDenied", RESOURCE)
    assert verdict(ROOT, "sts:AssumeRole", TARGET_ROLE, resource=trust("*")) == ("ImplicitlyDenied", ROOT_USER)


def test_federated_user_without_session_policy() -> None:
    """A federated session has no rights without a session policy, save by a policy that names it."""
    assert verdict(FEDERATED, identity=[ALL]) == ("ImplicitlyDenied", SESSION)
    assert outcome(FEDERATED, identity=[ALL], session=[ALL]) == "Allowed"
    assert outcome(FEDERATED, session=[ALL]) == "ImplicitlyDenied"
    assert outcome(FEDERATED, resource=GRANTS["federated"]) == "Allowed"
    assert outcome(FEDERATED, resource=GRANTS["federated by"], session=[ALL]) == "Allowed"


def test_denial_order() -> None:
    """When several types deny, one is named, in the order of section 14."""
    policies: Map = {
        "scp": [{"level": "r", "policies": [ALL, document(deny())]}],
        "rcp": [{"level": "r", "policies": [document(deny(Principal="*"))]}],
        "vpce": [document(deny(Principal="*"))],
        "resource": document(deny(Principal="*")),
        "boundary": [document(deny())],
        "session": [document(deny())],
        "identity": [document(deny())],
    }
    for name, layer in zip(list(policies), (SCP, RCP, VPCE, RESOURCE, BOUNDARY, SESSION, IDENTITY), strict=True):
        assert verdict(ROLE_SESSION, **policies) == ("ExplicitlyDenied", layer)
        del policies[name]


# --- Sections 7 and 8: sets ------------------------------------------------------------------------------------------


def test_levels() -> None:
    """Every SCP level must allow; RCP levels allow by themselves."""
    assert outcome(USER, identity=[ALL], scp=[*LEVEL_ALL, *LEVEL_ALL]) == "Allowed"
    assert outcome(USER, identity=[ALL], scp=[*LEVEL_ALL, {"level": "ou", "policies": []}]) == "ImplicitlyDenied"
    assert outcome(USER, identity=[ALL], scp=[]) == "ImplicitlyDenied"
    assert outcome(USER, identity=[ALL], scp=[{"level": "r", "policies": [NONE, ALL]}]) == "Allowed"
    assert outcome(USER, identity=[ALL], rcp=[{"level": "r", "policies": []}]) == "Allowed"


def test_empty_lists_are_in_play() -> None:
    """An empty list is a layer that allows nothing."""
    assert verdict(USER, identity=[ALL], boundary=[]) == ("ImplicitlyDenied", BOUNDARY)
    assert verdict(ROLE_SESSION, identity=[ALL], session=[]) == ("ImplicitlyDenied", SESSION)
    assert outcome(USER, identity=[ALL], vpce=[]) == "ImplicitlyDenied"
    assert outcome(USER, identity=[ALL], resource=[]) == "Allowed"


def test_session_policies_are_one_set() -> None:
    """An Allow in any session policy counts, a Deny in any of them denies."""
    assert outcome(ROLE_SESSION, identity=[ALL], session=[NONE, ALL]) == "Allowed"
    assert outcome(ROLE_SESSION, identity=[ALL], session=[ALL, document(deny())]) == "ExplicitlyDenied"


def test_gateway_endpoint() -> None:
    """On a gateway endpoint an account principal means the root user only."""
    account = [document(allow(Principal={"AWS": HOME}))]
    assert outcome(USER, identity=[ALL], vpce=account) == "Allowed"
    assert outcome(USER, identity=[ALL], vpce=account, gateway_endpoint=True) == "ImplicitlyDenied"
    assert outcome(ROOT, vpce=account, gateway_endpoint=True) == "Allowed"


# --- Section 10: other accounts and callers without one --------------------------------------------------------------


@pytest.mark.parametrize(
    ("policies", "expected"),
    [
        ({"identity": [ALL], "resource": ANY}, ("Allowed", RESOURCE)),
        ({"identity": [ALL], "resource": document(allow(Principal={"AWS": OTHER}))}, ("Allowed", RESOURCE)),
        ({"identity": [ALL]}, ("ImplicitlyDenied", RESOURCE)),
        ({"resource": document(allow(Principal={"AWS": EVE}))}, ("ImplicitlyDenied", IDENTITY)),
        ({"identity": [ALL], "resource": ANY, "boundary": [NONE]}, ("ImplicitlyDenied", BOUNDARY)),
        ({"identity": [ALL], "resource": ANY, "scp": LEVEL_NONE}, ("ImplicitlyDenied", SCP)),
        ({"identity": [ALL], "resource": document(allow(Principal={"AWS": HOME}))}, ("ImplicitlyDenied", RESOURCE)),
    ],
)
def test_across_accounts(policies: Map, expected: tuple[str, str]) -> None:
    """Both sides must allow."""
    assert verdict(EVE, **policies) == expected


def test_root_across_accounts() -> None:
    """Another account's root user needs the resource's policy only."""
    root = f"arn:aws:iam::{OTHER}:root"
    assert outcome(root, resource=document(allow(Principal={"AWS": OTHER}))) == "Allowed"
    assert outcome(root) == "ImplicitlyDenied"


def test_partitions_never_mix() -> None:
    """The same account number in another partition is another account, and out of reach."""
    assert outcome(USER, resource=ANY, identity=[ALL]) == "Allowed"
    foreign = "arn:aws-cn:s3:::data/x"
    assert decide(case(USER, "s3:GetObject", foreign, resource=ANY, identity=[ALL])).outcome == "ImplicitlyDenied"


def test_anonymous() -> None:
    """Anonymous callers are let in by "*", never by an account."""
    assert outcome("anonymous", resource=ANY) == "Allowed"
    assert outcome("anonymous", resource=document(allow(Principal={"AWS": "*"}))) == "Allowed"
    assert outcome("anonymous", resource=document(allow(Principal={"AWS": HOME}))) == "ImplicitlyDenied"
    assert outcome("anonymous", resource=ANY, vpce=[]) == "ImplicitlyDenied"
    assert outcome("anonymous", "sts:AssumeRole", TARGET_ROLE, resource=trust("*")) == "ImplicitlyDenied"


def test_service_principal() -> None:
    """Services are let in by their name or "*", not by {"AWS": "*"}; no SCP or identity policy concerns them."""
    assert outcome(SERVICE, resource=document(allow(Principal={"Service": SERVICE}))) == "Allowed"
    assert outcome(SERVICE, resource=document(allow(Principal={"Service": SERVICE.upper()}))) == "ImplicitlyDenied"
    assert outcome(SERVICE, resource=ANY, scp=LEVEL_NONE, boundary=[]) == "Allowed"
    assert outcome(SERVICE, resource=document(allow(Principal={"AWS": "*"}))) == "ImplicitlyDenied"
    assert outcome(SERVICE, identity=[ALL]) == "ImplicitlyDenied"


def test_federated_caller() -> None:
    """SAML and OIDC callers are let in by a Federated entry of a trust policy only."""
    action = "sts:AssumeRoleWithWebIdentity"
    assert verdict(OIDC, action, TARGET_ROLE, resource=trust({"Federated": OIDC}, action)) == ("Allowed", TRUST)
    assert outcome(OIDC, action, TARGET_ROLE, resource=trust({"Federated": "x"}, action)) == "ImplicitlyDenied"
    assert outcome(OIDC, action, TARGET_ROLE, resource=trust("*", action)) == "ImplicitlyDenied"
    both = [trust({"Federated": OIDC}, action), trust("*", action, "Deny")]
    assert outcome(OIDC, action, TARGET_ROLE, resource=both) == "ExplicitlyDenied"
    denied = [{"level": "r", "policies": [document(deny("sts:*", Principal="*"))]}]
    assert outcome(OIDC, action, TARGET_ROLE, resource=both[0], rcp=denied) == "ExplicitlyDenied"


# --- Section 11: gates -----------------------------------------------------------------------------------------------


def test_always_allowed() -> None:
    """No policy refuses GetCallerIdentity to signed callers, nor GetSessionToken to users and root."""
    refuse: Map = {"identity": [document(deny())], "scp": LEVEL_NONE, "boundary": [], "vpce": ["not JSON"]}
    for caller in (USER, ROLE_SESSION, FEDERATED, ROOT):
        assert verdict(caller, "STS:getCallerIdentity", "*", **refuse) == ("Allowed", ALWAYS)
    assert verdict(USER, "sts:GetSessionToken", "*", **refuse) == ("Allowed", ALWAYS)
    assert verdict(ROOT, "sts:GetSessionToken", "*", **refuse) == ("Allowed", ALWAYS)
    assert outcome(ROLE_SESSION, "sts:GetSessionToken", "*", **refuse) == "ExplicitlyDenied"
    assert outcome("anonymous", "sts:GetCallerIdentity", "*") == "ImplicitlyDenied"


@pytest.mark.parametrize(
    ("caller", "policies", "expected"),
    [
        (USER, {"resource": trust({"AWS": USER})}, ("Allowed", TRUST)),
        (USER, {"resource": trust({"AWS": USER}), "boundary": [NONE]}, ("ImplicitlyDenied", BOUNDARY)),
        (ROLE_SESSION, {"resource": trust({"AWS": ROLE})}, ("Allowed", TRUST)),
        (ROLE_SESSION, {"resource": trust({"AWS": ROLE_SESSION}), "session": [NONE]}, ("ImplicitlyDenied", SESSION)),
        (USER, {"resource": trust({"AWS": HOME})}, ("ImplicitlyDenied", IDENTITY)),
        (USER, {"resource": trust({"AWS": HOME}), "identity": [ALL]}, ("Allowed", IDENTITY)),
        (USER, {"resource": trust({"AWS": OTHER}), "identity": [ALL]}, ("ImplicitlyDenied", TRUST)),
        (USER, {"identity": [ALL]}, ("ImplicitlyDenied", TRUST)),
        (EVE, {"resource": trust({"AWS": EVE})}, ("ImplicitlyDenied", IDENTITY)),
        (EVE, {"resource": trust({"AWS": EVE}), "identity": [ALL]}, ("Allowed", TRUST)),
        (SERVICE, {"resource": trust({"Service": SERVICE})}, ("Allowed", TRUST)),
        (USER, {"resource": [trust({"AWS": USER}), trust("*", effect="Deny")]}, ("ExplicitlyDenied", TRUST)),
    ],
)
def test_trust(caller: str, policies: Map, expected: tuple[str, str]) -> None:
    """A role's trust policy must allow; boundary and session policy count in every class (11.2)."""
    assert verdict(caller, "sts:AssumeRole", TARGET_ROLE, **policies) == expected


def test_trust_is_only_for_assuming() -> None:
    """A role's trust policy has no say in calls that manage the role."""
    assert outcome(USER, "iam:GetRole", TARGET_ROLE, identity=[ALL], resource=trust("*", effect="Deny")) == "Allowed"
    for action in ("sts:TagSession", "sts:SetSourceIdentity", "sts:SetContext"):
        assert outcome(USER, action, TARGET_ROLE, resource=trust({"AWS": USER})) == "ImplicitlyDenied"
        assert outcome(USER, action, TARGET_ROLE, resource=trust({"AWS": USER}, action)) == "Allowed"


@pytest.mark.parametrize(
    ("caller", "policies", "expected"),
    [
        (USER, {"identity": [ALL]}, ("ImplicitlyDenied", RESOURCE)),
        (USER, {"identity": [ALL], "resource": GRANTS["account"]}, ("Allowed", IDENTITY)),
        (USER, {"identity": [ALL], "resource": GRANTS["account"], "boundary": []}, ("ImplicitlyDenied", BOUNDARY)),
        (USER, {"resource": GRANTS["account"]}, ("ImplicitlyDenied", IDENTITY)),
        (USER, {"resource": GRANTS["user"], "boundary": [NONE]}, ("Allowed", RESOURCE)),
        (ROLE_SESSION, {"resource": GRANTS["role"]}, ("Allowed", RESOURCE)),
        (ROLE_SESSION, {"resource": GRANTS["role"], "session": [NONE]}, ("ImplicitlyDenied", SESSION)),
        (ROOT, {}, ("ImplicitlyDenied", RESOURCE)),
        (ROOT, {"resource": GRANTS["account"]}, ("Allowed", RESOURCE)),
        (EVE, {"identity": [ALL], "resource": document(allow(Principal={"AWS": OTHER}))}, ("Allowed", RESOURCE)),
    ],
)
def test_key_policy(caller: str, policies: Map, expected: tuple[str, str]) -> None:
    """Identity policies count on a KMS key only if its policy delegates to the account (11.3)."""
    assert verdict(caller, "kms:Decrypt", KEY, **policies) == expected


def test_other_kms_resources_have_no_gate() -> None:
    """Aliases and calls without a key follow the normal rules."""
    alias = f"arn:aws:kms:us-east-1:{HOME}:alias/a"
    assert outcome(USER, "kms:CreateAlias", alias, identity=[ALL]) == "Allowed"
    assert outcome(USER, "kms:CreateKey", "*", identity=[ALL]) == "Allowed"


# --- Section 6: principals -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("caller", "entry", "hit"),
    [
        (USER, {"AWS": USER}, True),
        (USER, {"AWS": [EVE, USER]}, True),
        (USER, {"AWS": "AIDAEXAMPLE"}, True),
        (USER, {"AWS": "AIDAOTHER"}, False),
        (USER, {"AWS": USER.replace("ana", "Ana")}, False),
        (USER, {"AWS": USER.replace("ana", "*")}, False),
        (USER, {"AWS": USER.replace("user/", "user/p/")}, False),
        (USER, {"AWS": USER.replace("aws:", "aws-cn:")}, False),
        (USER, {"Service": USER}, False),
        (USER, {"Service": SERVICE}, False),
        (USER, {"CanonicalUser": "abc"}, True),
        (USER, {"CanonicalUser": "abd"}, False),
        (ROLE_SESSION, {"AWS": ROLE}, True),
        (ROLE_SESSION, {"AWS": ROLE.replace("app/", "")}, False),
        (ROLE_SESSION, {"AWS": ROLE_SESSION}, True),
        (ROLE_SESSION, {"AWS": ROLE_SESSION.replace("s1", "s2")}, False),
        (ROLE_SESSION, {"AWS": ROLE_SESSION.replace("worker/s1", "worker/*")}, False),
        (FEDERATED, {"AWS": FEDERATED}, True),
        (FEDERATED, {"AWS": FEDERATED_BY}, True),
    ],
)
def test_principal_forms(caller: str, entry: Map, hit: bool) -> None:
    """Each form of the Principal element names whom it should (6.1), shown by a Deny."""
    decided = outcome(
        caller,
        identity=[ALL],
        session=[ALL],
        resource=document(deny(Principal=entry)),
        unique_id="AIDAEXAMPLE",
        canonical_id="abc",
    )
    assert decided == ("ExplicitlyDenied" if hit else "Allowed")


@pytest.mark.parametrize(("caller", "listed"), [(USER, True), (ROLE_SESSION, True), (EVE, False), ("anonymous", False)])
def test_account_principal(caller: str, listed: bool) -> None:
    """An account id or root ARN names every caller of the account, and no other."""
    for entry in (HOME, ROOT):
        decided = outcome(caller, resource=[ANY, document(deny(Principal={"AWS": entry}))], identity=[ALL])
        assert decided == ("ExplicitlyDenied" if listed else "Allowed")


def test_role_without_a_known_path() -> None:
    """Without an entity the role is the one aws:PrincipalArn tells, else the one without path."""
    plain = ROLE.replace("app/", "")
    for told, named in ((ROLE, ROLE), (None, plain)):
        policy = document(allow(Principal={"AWS": named}))
        made = case(ROLE_SESSION, resource=policy, context={"aws:principalarn": told} if told else {})
        del made["request"]["entity"]
        assert decide(made).outcome == "Allowed"


@pytest.mark.parametrize(
    ("caller", "listed", "hit"),
    [
        (USER, [USER, ROOT], False),
        (USER, [USER, HOME], False),
        (USER, [USER], True),
        (USER, [ROOT], True),
        (USER, ["*"], False),
        (ROOT, [ROOT], False),
        (ROLE_SESSION, [ROLE_SESSION, ROLE, ROOT], False),
        (ROLE_SESSION, [ROLE, ROOT], True),
        (ROLE_SESSION, [ROLE_SESSION, ROOT], True),
        ("anonymous", [USER, ROOT], True),
        ("anonymous", ["*"], False),
    ],
)
def test_not_principal_deny(caller: str, listed: list[str], hit: bool) -> None:
    """A Deny with NotPrincipal spares those whose whole chain is listed (6.2)."""
    policy = [ANY, document({"Effect": "Deny", "NotPrincipal": {"AWS": listed}, "Action": "*", "Resource": "*"})]
    assert outcome(caller, identity=[ALL], resource=policy) == ("ExplicitlyDenied" if hit else "Allowed")


def test_not_principal_with_boundary() -> None:
    """A Deny with NotPrincipal hits every caller with a boundary, whatever it lists."""
    policy = document({"Effect": "Deny", "NotPrincipal": {"AWS": [USER, ROOT]}, "Action": "*", "Resource": "*"})
    assert outcome(USER, identity=[ALL], resource=policy) == "Allowed"
    assert outcome(USER, identity=[ALL], resource=policy, boundary=[ALL]) == "ExplicitlyDenied"


def test_not_principal_allow() -> None:
    """An Allow with NotPrincipal is for those of whom nothing is listed."""
    policy = document({"Effect": "Allow", "NotPrincipal": {"AWS": [ROOT]}, "Action": "*", "Resource": "*"})
    assert outcome(USER, resource=policy) == "ImplicitlyDenied"
    assert outcome("anonymous", resource=policy) == "Allowed"
    assert outcome(EVE, resource=policy, identity=[ALL]) == "Allowed"


def test_statement_without_principal_matches_nobody() -> None:
    """In a resource's policy a statement with neither Principal nor NotPrincipal is for nobody."""
    assert outcome(USER, resource=document(allow())) == "ImplicitlyDenied"
    assert outcome(USER, identity=[ALL], resource=document(deny())) == "Allowed"


# --- Section 3: actions, resources, globs ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "action", "hit"),
    [
        ("*", "s3:GetObject", True),
        ("*:*", "s3:GetObject", True),
        ("S3:getobject", "s3:GetObject", True),
        ("s3:Get?bject", "s3:GetObject", True),
        ("s3:*Object", "s3:GetObject", True),
        ("s3:Get", "s3:GetObject", False),
        ("s3*:GetObject", "s3:GetObject", False),
        ("*:GetObject", "s3:GetObject", False),
        ("s3:", "s3:GetObject", False),
        ("s3:Get Object", "s3:GetObject", False),
        (" s3:GetObject", "s3:GetObject", False),
        ("s3", "s3:GetObject", False),
        ("**", "s3:GetObject", False),
        ("s3:${*}", "s3:GetObject", False),
        ("\u212ams:Decrypt", "kms:Decrypt", False),
    ],
)
def test_action(pattern: str, action: str, hit: bool) -> None:
    """Action patterns ignore ASCII case and have wildcards in the name only (3.1)."""
    assert action_matches(pattern, IDENTITY, action) is hit


def resource_hit(
    entry: Json, resource: str, kind: str = "identity", version: str = "2012-10-17", **context: Json
) -> bool:
    """Tell whether a Resource entry covers a resource, in a policy of a type."""
    held = {name.replace("__", ":").replace("_", "/"): text for name, text in context.items()}
    statement = allow("*", entry, **({"Principal": "*"} if kind in ("resource", "vpce") else {}))
    made = document(statement, version=version)
    policies: Map = {"identity": [ALL], kind: [made]}
    if kind == "scp":
        policies["scp"] = [{"level": "r", "policies": [made]}]
    if kind == "resource":
        policies["identity"] = []
    return outcome(ROLE_SESSION, "x:Y", resource, context=held, **policies) == "Allowed"


@pytest.mark.parametrize(
    ("entry", "resource", "hit"),
    [
        ("*", "*", True),
        ("**", "*", False),
        ("arn:*", "*", False),
        ("arn:aws:s3:::data/x", OBJECT, True),
        ("arn:aws:s3:::data", OBJECT, False),
        ("arn:aws:s3:::Data/x", OBJECT, False),
        ("arn:AWS:s3:::data/x", OBJECT, False),
        ("arn:aws:s3:::*", OBJECT, True),
        ("arn:*:s?:*:*:d*/?", OBJECT, True),
        ("arn:aws:s3:::b/*/test/*", "arn:aws:s3:::b//test/o", True),
        ("arn:aws:s3:::b/*/test/*", "arn:aws:s3:::b/1-test/o", False),
        ("arn:aws:s3:::b/*", "arn:aws:s3:::b/two\nlines:x", True),
        ("arn:aws:ec2:*:*:*/*", f"arn:aws:ec2:us-east-1:{HOME}:instance/i-1", True),
        (f"arn:aws:sqs:*:{HOME}:q", f"arn:aws:sqs:us-east-1:{HOME}:q", True),
        ("arn:aws:sqs:*:q", f"arn:aws:sqs:us-east-1:{HOME}:q", False),
        ("arn:aws:sqs:*::q", f"arn:aws:sqs:us-east-1:{HOME}:q", False),
        ("arn:aws:lambda:*:*:function:*", f"arn:aws:lambda:us-east-1:{HOME}:function:f:1", True),
        ("", OBJECT, False),
    ],
)
def test_resource(entry: str, resource: str, hit: bool) -> None:
    """Resource entries are matched segment by segment (3.2)."""
    assert resource_hit(entry, resource) is hit


@pytest.mark.parametrize(
    ("entry", "kinds"),
    [
        ("arn:aws:s3", {"identity", "boundary", "session"}),
        ("arn:aws:s3:*", {"identity", "boundary", "session", "resource", "vpce", "scp"}),
        ("arn:*:s3", {"identity", "boundary", "session", "resource", "vpce"}),
        ("arn:*", {"identity", "boundary", "session", "resource", "vpce", "scp"}),
        ("arn:aws:sqs*", set[str]()),
    ],
)
def test_short_arns(entry: str, kinds: set[str]) -> None:
    """Short ARNs count by the policy type (3.2)."""
    every = ("identity", "boundary", "session", "resource", "vpce", "scp")
    assert {kind for kind in every if resource_hit(entry, OBJECT, kind)} == kinds


def test_not_resource() -> None:
    """NotResource covers what no entry matches; an entry without value, or a short one, matches nothing."""
    for entry, covered in (
        ("arn:aws:s3:::data/*", False),
        ("arn:aws:s3:::logs/*", True),
        ("arn:aws:s3:::data/${aws:PrincipalTag/t}", True),
        (["arn:aws:s3:::logs/*", "*"], False),
    ):
        made = document({"Effect": "Allow", "Action": "*", "NotResource": entry})
        assert (outcome(USER, identity=[made]) == "Allowed") is covered
    short = document({"Effect": "Allow", "Principal": "*", "Action": "*", "NotResource": "arn:aws:s3"})
    assert outcome(USER, resource=short) == "Allowed"
    assert outcome(USER, "ec2:DescribeInstances", "*", identity=[made]) == "ImplicitlyDenied"


def test_trailing_star_beyond_colons(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the other reading of AWS's Resource page, a star that ends a segment runs on past the colon."""
    queue, table = f"arn:aws:sqs:us-east-1:{HOME}:q", f"arn:aws:dynamodb:us-east-1:{HOME}:table/prod-x"
    crossing = [("arn:aws:sqs:us-*:q", queue), ("arn:aws:dynamodb:*:table/prod-*", table), ("arn:*:q", queue)]
    for entry, resource in crossing:
        assert resource_hit(entry, resource) is False
    monkeypatch.setattr(reference, "TRAILING_STAR_CROSSES_COLONS", True)
    for entry, resource in crossing:
        assert resource_hit(entry, resource) is True
    for entry in ("arn:aws:sqs:us-*1:q", "arn:aws:sqs:us-??????:q", "arn:aws:sqs:us-*:p", "arn:aws:sns:*:q"):
        assert resource_hit(entry, queue) is False


def regular(pattern: str) -> re.Pattern[str]:
    """Translate a glob to a regular expression."""
    return re.compile("".join({"*": ".*", "?": "."}.get(c, re.escape(c)) for c in pattern), re.DOTALL)


def test_glob_equals_regular_expressions() -> None:
    """The recursive definition agrees with regular expressions on random texts."""
    rng = random.Random(7)
    for _ in range(20_000):
        pattern = "".join(rng.choice("ab*?\n") for _ in range(rng.randrange(7)))
        text = "".join(rng.choice("ab\n*") for _ in range(rng.randrange(8)))
        pieces = [p for p in tokenise(pattern, variables=False) if not isinstance(p, reference.Variable)]
        assert glob(pieces, text) == bool(regular(pattern).fullmatch(text)), (pattern, text)


# --- Section 4: variables --------------------------------------------------------------------------------------------


def resolved(text: str, context: Map, variables: bool = True) -> str | None:
    """Resolve a text, typed wildcards shown as in the text."""
    pieces = resolve(tokenise(text, variables), context)
    return None if pieces is None else "".join(p.value if isinstance(p, Wild) else p for p in pieces)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("home/${aws:username}/x", "home/ana/x"),
        ("${AWS:UserName}", "ana"),
        ("${aws:none}", None),
        ("${aws:none, 'a, b'}", "a, b"),
        ("${aws:none,'x'}", "x"),
        ("${aws:none, ''}", ""),
        ("${aws:none, 'it's'}", "it's"),
        ("${aws:none, x}", None),
        ("${aws:username, 'x'}", "ana"),
        ("${empty}", None),
        ("${empty, 'x'}", "x"),
        ("${list}", None),
        ("${list, 'x'}", "x"),
        ("${number}-${flag}", "10-true"),
        ("a${*}b${?}c${$}{x}", "a*b?c${x}"),
        ("${", "${"),
        ("${}", "${}"),
        ("${aws:username", "${aws:username"),
        ("$aws", "$aws"),
    ],
)
def test_variables(text: str, expected: str | None) -> None:
    """Variables take the key's single value, else the default, else have no value (4.2)."""
    context = {"aws:username": "ana", "empty": "", "list": ["a"], "number": 10, "flag": True}
    assert resolved(text, context) == expected
    assert resolved(text, context, variables=False) == text


def test_substituted_text_is_literal() -> None:
    """Wildcards from a value or default do not match (4.3); those the author typed do."""
    assert holds("StringLike", "${app:V}", "anything", app__V="*") is False
    assert holds("StringLike", "${app:V}", "*", app__V="*") is True
    assert holds("StringLike", "${app:V}*", "*x", app__V="*") is True
    assert holds("StringLike", "${app:None, '*'}", "x") is False
    assert resource_hit("arn:aws:s3:::data/${aws:username}", OBJECT, aws__username="*") is False
    assert resource_hit("arn:aws:s3:::data/${aws:username}", OBJECT, aws__username="x") is True
    assert resource_hit("arn:aws:s3:::data/${aws:username}", OBJECT, version="2008-10-17", aws__username="x") is False


def test_variables_only_in_the_last_segment_of_a_resource() -> None:
    """Before the fifth colon `${...}` is plain text, and its colon does not split the ARN (4.1)."""
    queue = f"arn:aws:sqs:us-east-1:{HOME}:q"
    assert resource_hit("arn:aws:sqs:*:${aws:PrincipalAccount}:q", queue, aws__PrincipalAccount=HOME) is False
    assert len(split_arn(tokenise("arn:aws:sqs:*:${aws:PrincipalAccount}:q", variables=True))) == 6
    assert holds("ArnLike", "arn:aws:sqs:*:${aws:A}:q", queue, aws__A=HOME) is True
    assert holds("ArnLike", "arn:aws:sqs:*:${aws:A}:q", queue) is False
    assert holds("ArnNotLike", "arn:aws:sqs:*:${aws:A}:q", queue) is True


# --- Section 5: conditions -------------------------------------------------------------------------------------------

NEGATED = [name for name, operator in reference.OPERATORS.items() if operator.negated]
POSITIVE = [name for name in reference.OPERATORS if name not in NEGATED]


def test_operator_table() -> None:
    """The table has the operators of 5.7 and their negated twins, no more."""
    assert len(POSITIVE) == 18
    strings = {"StringNotEquals", "StringNotEqualsIgnoreCase", "StringNotLike"}
    assert {*NEGATED} == strings | {"NumericNotEquals", "DateNotEquals", "NotIpAddress", "ArnNotEquals", "ArnNotLike"}


@pytest.mark.parametrize("base", [*POSITIVE, *NEGATED])
def test_missing_key(base: str) -> None:
    """A missing key is false, true for negated operators and IfExists, by the quantifier for sets (5.3)."""
    missing: list[Json] = [None, []]
    for absent in missing:
        assert holds(base, "x", absent) is (base in NEGATED)
        assert holds(f"{base}IfExists", "x", absent) is True
        assert holds(f"ForAllValues:{base}", "x", absent) is True
        assert holds(f"ForAnyValue:{base}", "x", absent) is False
        assert holds(f"ForAllValues:{base}IfExists", "x", absent) is True
        assert holds(f"ForAnyValue:{base}IfExists", "x", absent) is True


@pytest.mark.parametrize(
    ("operator", "policy", "value", "expected"),
    [
        ("ForAllValues:StringEquals", ["a", "b"], ["a"], True),
        ("ForAllValues:StringEquals", ["a", "b"], ["a", "c"], False),
        ("ForAllValues:StringNotEquals", ["a"], ["b", "c"], True),
        ("ForAllValues:StringNotEquals", ["a"], ["a", "c"], False),
        ("ForAnyValue:StringEquals", ["a"], ["c", "a"], True),
        ("ForAnyValue:StringEquals", ["a"], ["c"], False),
        ("ForAnyValue:StringNotEquals", ["a"], ["a", "c"], True),
        ("ForAnyValue:StringNotEquals", ["a"], ["a"], False),
        ("ForAllValues:StringEquals", ["a"], ["", ""], True),
        ("ForAnyValue:StringEquals", ["", "a"], [""], False),
        ("ForAllValues:StringEquals", ["a"], ["a", ""], False),
        ("ForAllValues:StringEquals", [], ["a"], False),
        ("ForAllValues:StringNotEquals", [], ["a"], True),
        ("ForAnyValue:StringEquals", "a", "a", True),
        ("StringEquals", "a", ["a"], False),
        ("StringEquals", "a", ["a", "a"], False),
        ("StringNotEquals", "x", ["a", "b"], False),
        ("StringNotEqualsIfExists", "x", ["a", "b"], False),
        ("StringEquals", [], "a", False),
        ("StringNotEquals", [], "a", True),
        ("Null", "true", None, True),
        ("Null", "TRUE", "", True),
        ("Null", "true", [], True),
        ("Null", "true", ["", ""], True),
        ("Null", True, "x", False),
        ("Null", "False", "x", True),
        ("Null", ["true", "false"], "x", True),
        ("Null", "maybe", "x", True),
        ("ForAllValues:Null", "true", None, True),
        ("NullIfExists", "true", None, None),
        ("ForAnyValue:NullIfExists", "true", None, None),
        ("stringEquals", "a", "a", None),
        ("StringEqualsIfexists", "a", "a", None),
        ("forAllValues:StringEquals", "a", "a", None),
        ("NotBool", "true", None, None),
    ],
)
def test_sets_nulls_and_unknown_operators(operator: str, policy: Json, value: Json, expected: reference.Truth) -> None:
    """Set operators, several values, Null and unknown operators follow 5.4 to 5.7."""
    assert holds(operator, policy, value) is expected


@pytest.mark.parametrize(
    ("operator", "policy", "value", "expected"),
    [
        ("StringEquals", "a*", "a*", True),
        ("StringEquals", "a*", "ab", False),
        ("StringEquals", "e\u0301", "\u00e9", False),
        ("StringEquals", 10, "10", True),
        ("StringEquals", True, "true", True),
        ("StringEqualsIgnoreCase", "K", "\u212a", True),
        ("StringEqualsIgnoreCase", "s", "\u017f", False),
        ("StringEqualsIgnoreCase", "ss", "\u00df", False),
        ("StringEqualsIgnoreCase", "\u03a3\u03a3", "\u03c3\u03c3", False),
        ("StringEqualsIgnoreCase", "\u03a3\u03a3", "\u03c3\u03c2", True),
        ("StringEqualsIgnoreCase", "id", "\u0130d", False),
        ("StringLike", "", "", True),
        ("StringLike", "a?c", "a\nc", True),
        ("StringLike", "?", "\U0001f511", True),
        ("StringLike", "A*", "abc", False),
        ("NumericEquals", "10", "+1e1", True),
        ("NumericEquals", "10", "10.0000000000000000001", False),
        ("NumericLessThan", "-1", "-1.5", True),
        ("NumericLessThan", 10, 9, True),
        ("NumericEquals", "10", "10abc", False),
        ("NumericNotEquals", "10", "0x10", True),
        ("NumericNotEquals", ["10", "ten"], "11", True),
        ("NumericEquals", ["ten", "10"], "10", True),
        ("NumericNotEquals", "NaN", "11", True),
        ("NumericEquals", "10", "\u0661\u0660", False),
        ("NumericEquals", "10", " 10", False),
        ("DateEquals", "2020-01-01", "1577836800", True),
        ("DateEquals", "2020-01", "1577836800000", True),
        ("DateEquals", "2020-01-01T00:00Z", "2020-01-01T05:30:00+05:30", True),
        ("DateEquals", "2020-01-01T00:00:00", "2020-01-01", True),
        ("DateLessThan", "1577836800.5", "2020-01-01", True),
        ("DateEquals", "2020", "1970-01-01T00:33:40Z", True),
        ("DateGreaterThan", "2020-01-01", "99999999999", True),
        ("DateNotEquals", "2020-01-01", "2020-13-01", True),
        ("DateEquals", "2020-01-01", "2020-01-01T24:00:00Z", False),
        ("Bool", "false", "asdf", True),
        ("Bool", "TRUE", "tRue", True),
        ("Bool", "asdf", "asdf", True),
        ("Bool", "${app:Flag}", "true", True),
        ("BinaryEquals", "AAEC", "AAEC", True),
        ("BinaryEquals", "AAEC", "AAE=", False),
        ("BinaryEquals", "A", "A", False),
        ("IpAddress", "203.0.113.77/24", "203.0.113.1", True),
        ("IpAddress", "203.0.113.4/30", "203.0.113.8", False),
        ("IpAddress", "2001:DB8::/32", "2001:db8:0:0::1", True),
        ("IpAddress", "2001:db8::1", "2001:db8::2", False),
        ("IpAddress", "203.0.113.5", "::ffff:203.0.113.5", True),
        ("IpAddress", "::ffff:203.0.113.0/120", "203.0.113.9", True),
        ("IpAddress", "::/0", "::ffff:203.0.113.5", False),
        ("IpAddress", "0.0.0.0/0", "2001:db8::1", False),
        ("NotIpAddress", "203.0.113.5", "2001:db8::1", True),
        ("NotIpAddress", "203.0.113.5/33", "198.51.100.1", True),
        ("IpAddress", "203.0.113.5/255.255.255.0", "203.0.113.5", False),
        ("NotIpAddress", "203.0.113.0/24", "localhost", False),
        ("IpAddress", "fe80::/10", "fe80::1%eth0", False),
        ("ArnEquals", "arn:aws:sns:*:*:t*", "arn:aws:sns:us-east-1:1:topic", True),
        ("ArnEquals", "arn:aws:sns:us-*:t", "arn:aws:sns:us-east-1:1:t", None),
        ("ArnLike", "*", "arn:aws:sns:us-east-1:1:t", None),
        ("ArnNotLike", "*", "arn:aws:sns:us-east-1:1:t", None),
        ("ArnNotLike", "arn:aws:sns:*:*:t", "test2", False),
        ("ArnLike", "arn:aws:SNS:*:*:t", "arn:aws:sns:us-east-1:1:t", False),
        ("ArnNotEquals", "arn:aws:sqs:*:*:*", "arn:aws:sns:us-east-1:1:t", True),
    ],
)
def test_operators(operator: str, policy: Json, value: Json, expected: bool | None) -> None:
    """The operators compare as in 5.7."""
    assert holds(operator, policy, value, app__Flag="TRUE") is expected


def test_valueless_variables_in_conditions() -> None:
    """A variable without value matches nothing, so a negated operator holds (4.2)."""
    for base in ("StringEquals", "StringLike", "StringEqualsIgnoreCase"):
        assert holds(base, "${app:None}", "x") is False
        assert holds(reference_negation(base), "${app:None}", "x") is True
        assert holds(reference_negation(base), ["${app:None}", "x"], "x") is False


def reference_negation(base: str) -> str:
    """Name a String operator's negated twin."""
    return base.replace("String", "StringNot")


def test_key_names() -> None:
    """Key names ignore ASCII case; the exact spelling wins, then the first in byte order (5.8)."""
    context = {"aws:ResourceTag/env": "b", "aws:ResourceTag/ENV": "a", "AWS:ResourceTag/Env": "c"}
    assert lookup(context, "aws:ResourceTag/env") == "b"
    assert lookup(context, "aws:ResourceTag/Env") == "c"
    assert lookup(context, "aws:resourcetag/eNv") == "c"
    assert lookup({"aws:ResourceTag/\u212a": "x"}, "aws:ResourceTag/k") is None


def test_combining() -> None:
    """Operators and keys AND; an empty Condition is true; unknown fails closed unless another condition is false."""
    tagged = {"app:A": "a", "app:B": "b"}

    def both(effect: str, condition: Map) -> str:
        made = document({**allow(), "Effect": effect, "Condition": condition})
        return outcome(USER, identity=[made] if effect == "Allow" else [ALL, made], context=tagged)

    assert both("Allow", {}) == "Allowed"
    assert both("Allow", {"StringEquals": {"app:A": "a", "app:B": "b"}}) == "Allowed"
    assert both("Allow", {"StringEquals": {"app:A": "a", "app:B": "x"}}) == "ImplicitlyDenied"
    assert both("Allow", {"Strange": {"app:A": "a"}}) == "ImplicitlyDenied"
    assert both("Deny", {"Strange": {"app:A": "a"}}) == "ExplicitlyDenied"
    assert both("Deny", {"StrangeIfExists": {"app:None": "a"}}) == "ExplicitlyDenied"
    assert both("Deny", {"Strange": {"app:A": "a"}, "StringEquals": {"app:A": "x"}}) == "Allowed"


# --- Section 2: documents --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "[]",
        "{",
        '{"Statement": NaN}',
        '{"Statement": [], "Statement": []}',
        '{"Statement": {"Effect": "Allow", "Effect": "Deny", "Action": "*", "Resource": "*"}}',
        {"Version": "2012-10-17"},
        {"Version": "2012-10-18", "Statement": []},
        {"Version": None, "Statement": []},
        {"statement": []},
        {"Statement": ["x"]},
        document({**allow(), "Effect": "allow"}),
        document({**allow(), "Foo": 1}),
        document({**allow(), "NotAction": "*"}),
        document({**allow(), "NotResource": "*"}),
        document({"Effect": "Allow", "Action": "*"}),
        document({"Effect": "Allow", "Resource": "*"}),
        document(allow(Principal="*")),
        document(allow(1)),
        document(allow(Condition={"StringEquals": "x"})),
        document(allow(Condition={"StringEquals": {"k": None}})),
        document(allow(Condition={"StringEquals": {"k": [["x"]]}})),
        document(allow(Condition=[])),
    ],
)
def test_unreadable_documents(raw: Json) -> None:
    """A document that cannot be read refuses every request, whatever else allows it (AUZ-14)."""
    with pytest.raises(Unreadable):
        read_document(raw, IDENTITY)
    assert verdict(USER, identity=[ALL, raw], resource=GRANTS["user"]) == ("ExplicitlyDenied", IDENTITY)


@pytest.mark.parametrize(
    ("kind", "statement"),
    [
        (RCP, {**deny(), "Principal": {"AWS": HOME}}),
        (RCP, {"Effect": "Deny", "NotAction": "*", "Resource": "*", "Principal": "*"}),
        (TRUST, {**allow(), "Principal": "*"}),
        (TRUST, {"Effect": "Allow", "NotPrincipal": "*", "Action": "sts:AssumeRole"}),
        (RESOURCE, {**allow(), "Principal": "x"}),
        (RESOURCE, {**allow(), "Principal": {"aws": "*"}}),
        (RESOURCE, {**allow(), "Principal": "*", "NotPrincipal": "*"}),
        (SCP, {**allow(), "Principal": "*"}),
    ],
)
def test_rules_of_the_types(kind: str, statement: Map) -> None:
    """Each policy type has its own grammar (2.3)."""
    with pytest.raises(Unreadable):
        read_document(document(statement), kind)


def test_forms_that_are_alike() -> None:
    """JSON text, single statements, bare values and element order make no difference."""
    plain = document(allow(["s3:*"], ["*"]))
    single = {"Statement": {"Resource": "*", "Action": "s3:*", "Effect": "Allow"}, "Version": "2012-10-17"}
    assert (
        read_document(plain, IDENTITY) == read_document(single, IDENTITY) == read_document(json.dumps(plain), IDENTITY)
    )


def test_request_resource() -> None:
    """An action without resource type is covered by `*` only."""
    star, named = document(allow()), document(allow("*", "arn:aws:s3:::*"))
    assert outcome(USER, "s3:ListAllMyBuckets", OBJECT, identity=[star], wildcard_only_action=True) == "Allowed"
    assert (
        outcome(USER, "s3:ListAllMyBuckets", OBJECT, identity=[named], wildcard_only_action=True) == "ImplicitlyDenied"
    )


# --- Section 15: laws on random cases --------------------------------------------------------------------------------

RANDOM = list(islice(generate.cases(2024), 2000))


def documents(made: Map) -> Iterator[tuple[str, list[Json]]]:
    """List the document lists of a case by their names; a single resource policy becomes a list."""
    policies = made["policies"]
    for name, held in policies.items():
        if name in ("scp", "rcp"):
            for level in held:
                yield name, level["policies"]
        else:
            if isinstance(held, (dict, str)):
                policies[name] = [held]
            yield name, policies[name]


def readable(made: Map) -> bool:
    """Tell whether every document is one of the grammar, and JSON texts become objects."""
    for name, held in documents(made):
        for index, raw in enumerate(held):
            try:
                held[index] = json.loads(raw) if isinstance(raw, str) else raw
            except ValueError:
                return False
            kind = {
                "identity": IDENTITY,
                "boundary": BOUNDARY,
                "session": SESSION,
                "scp": SCP,
                "rcp": RCP,
                "vpce": VPCE,
            }
            trusting = made["request"]["resource"].partition(":role/")[1] and name == "resource"
            try:
                read_document(raw, kind.get(name, TRUST if trusting else RESOURCE))
            except Unreadable:
                return False
    return True


READABLE = [made for made in copy.deepcopy(RANDOM) if readable(made)]


def statements(made: Map) -> Iterator[Map]:
    """List all statements of a readable case."""
    for _, held in documents(made):
        for raw in held:
            yield from raw["Statement"] if isinstance(raw["Statement"], list) else [raw["Statement"]]


def extra(made: Map, name: str, effect: str) -> Map:
    """Make a document for everything, in the grammar of a policy type."""
    statement: Map = {"Effect": effect, "Action": "*"}
    if name != "resource" or ":role/" not in made["request"]["resource"]:
        statement["Resource"] = "*"
    if name in ("resource", "vpce", "rcp"):
        statement["Principal"] = "*"
    return document(statement)


def changed(made: Map, change: Callable[[Map], None]) -> tuple[reference.Verdict, reference.Verdict]:
    """Decide a case before and after a change of its copy."""
    other = copy.deepcopy(made)
    change(other)
    return decide(made), decide(other)


def test_most_random_cases_are_readable() -> None:
    """Malformed documents are rare."""
    assert len(READABLE) > 0.95 * len(RANDOM)


def test_adding_a_deny_never_allows() -> None:
    """A further Deny statement turns no refusal into Allowed, and denies where it applies."""
    for made in copy.deepcopy(RANDOM):
        for name in {name for name, _ in documents(made)}:

            def add(other: Map, name: str = name) -> None:
                next(held for found, held in documents(other) if found == name).append(extra(other, name, "Deny"))

            if any(name == found for found, _ in documents(made)):
                before, after = changed(made, add)
                assert after.outcome != "Allowed" or before.outcome == "Allowed"


def test_adding_an_allow_never_denies() -> None:
    """A further Allow statement turns no Allowed into a refusal."""
    for made in READABLE:
        for name in {name for name, _ in documents(made)} - {"rcp"}:

            def add(other: Map, name: str = name) -> None:
                next(held for found, held in documents(other) if found == name).append(extra(other, name, "Allow"))

            before, after = changed(made, add)
            assert before.outcome != "Allowed" or after.outcome == "Allowed"


def test_removing_an_allow_never_allows() -> None:
    """Allow statements that go away turn no refusal into Allowed (AUZ-04)."""
    for made in READABLE:

        def remove(other: Map) -> None:
            for _, held in documents(other):
                for raw in held:
                    listed = raw["Statement"] if isinstance(raw["Statement"], list) else [raw["Statement"]]
                    raw["Statement"] = [s for s in listed if s["Effect"] != "Allow"]

        before, after = changed(made, remove)
        assert after.outcome != "Allowed" or before.outcome == "Allowed"


@pytest.mark.parametrize("name", ["boundary", "session", "scp", "rcp", "vpce"])
def test_removing_a_limit_never_denies(name: str) -> None:
    """A limiting type that goes away turns no Allowed into a refusal; a federated session lives by its policy."""
    for made in RANDOM:
        federated = name == "session" and ":federated-user/" in made["request"]["principal"]
        if name in made["policies"] and not federated:
            before, after = changed(made, lambda other: other["policies"].pop(name))
            assert before.outcome != "Allowed" or after.outcome == "Allowed"


def reverse_lists(value: Json, key: str = "") -> Json:
    """Turn every list of a policy and the order of all elements round."""
    if isinstance(value, dict):
        return {name: reverse_lists(held, name) for name, held in reversed(value.items())}
    return [reverse_lists(held) for held in reversed(value)] if isinstance(value, list) else value


def test_order_changes_nothing() -> None:
    """Policies, statements, list items and JSON keys come in any order (AUZ-11)."""
    for made in READABLE:
        before, after = changed(made, lambda other: other.update(policies=reverse_lists(other["policies"])))
        assert before == after


def test_repetition_changes_nothing() -> None:
    """Policies, statements and list items may come twice (AUZ-11)."""

    def repeat(other: Map) -> None:
        for statement in statements(other):
            for name in ("Action", "NotAction", "Resource", "NotResource"):
                if name in statement:
                    held = statement[name]
                    statement[name] = [held, held] if isinstance(held, str) else held * 2
        for _, documents_held in documents(other):
            documents_held += list(documents_held)

    for made in READABLE:
        before, after = changed(made, repeat)
        assert before == after


def test_spelling_changes_nothing() -> None:
    """Lists or bare values, Sids and the case of actions and keys make no difference."""

    def respell(other: Map) -> None:
        for number, statement in enumerate(statements(other)):
            statement["Sid"] = f"S{number}"
            for name in ("Action", "NotAction"):
                if name in statement:
                    held = [statement[name]] if isinstance(statement[name], str) else statement[name]
                    statement[name] = [text.upper() if text.isascii() else text for text in held]
            for name in ("Resource", "NotResource"):
                if isinstance(statement.get(name), str):
                    statement[name] = [statement[name]]

    for made in READABLE:
        before, after = changed(made, respell)
        assert before == after


def test_statements_split_by_action() -> None:
    """One statement with n actions is n statements with one each (AUZ-12)."""

    def split(other: Map) -> None:
        for _, held in documents(other):
            for raw in held:
                listed = raw["Statement"] if isinstance(raw["Statement"], list) else [raw["Statement"]]
                raw["Statement"] = [
                    {**statement, "Action": action} if action else statement
                    for statement in listed
                    for action in (statement["Action"] if isinstance(statement.get("Action"), list) else [None])
                ]

    for made in READABLE:
        before, after = changed(made, split)
        assert before == after


def test_not_elements_are_complements() -> None:
    """NotAction and NotResource cover exactly what Action and Resource do not."""
    for made in READABLE:
        request = reference.read_request(made["request"])
        for name, held in documents(made):
            if name != "identity":
                continue
            for raw in held:
                read = read_document(raw, IDENTITY)
                for statement in read.statements:
                    flipped = reference.Statement(
                        **{**vars(statement), "not_action": not statement.not_action},
                    )
                    other = reference.Statement(**{**vars(statement), "not_resource": not statement.not_resource})
                    action, resource = request.action, (read, request)
                    assert reference.action_applies(statement, IDENTITY, action) != reference.action_applies(
                        flipped, IDENTITY, action
                    )
                    assert reference.resource_applies(statement, *resource) != reference.resource_applies(
                        other, *resource
                    )


def test_string_not_like_is_not_string_like() -> None:
    """For a key with one value the negated operator is the negation, variables without value included."""
    for made in READABLE:
        context = {key: value for key, value in made["request"]["context"].items() if not isinstance(value, list)}
        for statement in statements(made):
            for keys in statement.get("Condition", {}).values():
                for key, values in keys.items():
                    wanted = tuple(reference.text_of(v) for v in (values if isinstance(values, list) else [values]))
                    if lookup(context, key) is not None:
                        like, unlike = (entry_holds(o, key, wanted, Scope(context, True)) for o in STRING_TWINS)
                        assert like is not unlike


STRING_TWINS = ("StringLike", "StringNotLike")


def test_versions_differ_only_by_variables() -> None:
    """A policy without `${` decides under 2008-10-17 as under 2012-10-17."""

    def older(other: Map) -> None:
        for _, held in documents(other):
            for raw in held:
                if "${" not in json.dumps(raw):
                    raw["Version"] = "2008-10-17" if raw.get("Version") == "2012-10-17" else "2012-10-17"

    for made in READABLE:
        before, after = changed(made, older)
        assert before == after


def test_direct_grants_ignore_other_allows() -> None:
    """Within an account a DIRECT grant needs no allow of identity, boundary or session policy."""

    def silence(other: Map) -> None:
        for name, held in documents(other):
            if name in ("identity", "boundary", "session"):
                for raw in held:
                    listed = raw["Statement"] if isinstance(raw["Statement"], list) else [raw["Statement"]]
                    raw["Statement"] = [s for s in listed if s["Effect"] == "Deny"]

    seen = 0
    for made in READABLE:
        request = reference.read_request(made["request"])
        sets = reference.collect(made["policies"], request)
        within = request.caller.account is not None and not reference.crosses_accounts(request)
        root = request.caller.kind is reference.CallerKind.ROOT
        if within and not root and sets.gate is not reference.Gate.TRUST and sets.grant is reference.Grant.DIRECT:
            before, after = changed(made, silence)
            assert before == after
            seen += 1
    assert seen > 50


# --- The generator ---------------------------------------------------------------------------------------------------


def test_generator_is_repeatable() -> None:
    """The same seed makes the same cases, another seed others; cases are JSON and are not changed by decide."""
    first, again, other = (json.dumps(list(islice(generate.cases(seed), 200))) for seed in (5, 5, 6))
    assert first == again != other
    made = json.loads(first)
    for one in made:
        decide(one)
    assert json.dumps(made) == first


def test_generator_covers() -> None:
    """About half of the cases are allowed, every type decides some, every kind of caller comes."""
    layers: Counter[str] = Counter()
    outcomes: Counter[str] = Counter()
    callers: Counter[str] = Counter()
    count = 8000
    for made in islice(generate.cases(3), count):
        decided = decide(made)
        layers[decided.layer] += 1
        outcomes[decided.outcome] += 1
        callers[generate.caller_kind(made)] += 1
    every = {IDENTITY, RESOURCE, BOUNDARY, SESSION, SCP, RCP, VPCE, TRUST, ROOT_USER, ALWAYS}
    assert set(layers) == every
    assert min(layers.values()) >= 0.005 * count
    assert 0.35 * count <= outcomes["Allowed"] <= 0.6 * count
    assert len(callers) == 9
