"""Random requests and policies, small enough that statements meet requests often."""

import copy
import json
import random
from dataclasses import replace
from functools import cache

from hypothesis import strategies as st

from iamd.policy.document import PolicyType, load
from iamd.policy.evaluate import Gate, Layers
from iamd.policy.request import ANONYMOUS, Principal, PrincipalKind, Request

HERE, THERE = "111122223333", "444455556666"
ANA = f"arn:aws:iam::{HERE}:user/ana"
ROLE = f"arn:aws:iam::{HERE}:role/app/worker"
SESSION = f"arn:aws:sts::{HERE}:assumed-role/worker/s1"
FEDERATED = f"arn:aws:sts::{HERE}:federated-user/bob"
EVE = f"arn:aws:iam::{THERE}:user/eve"
PROVIDER = f"arn:aws:iam::{HERE}:saml-provider/p"
ROOT = f"arn:aws:iam::{HERE}:root"

USER = Principal(PrincipalKind.USER, HERE, ANA, unique_id="AIDAANA")
PRINCIPALS = [
    USER,
    USER,
    Principal(PrincipalKind.ROLE_SESSION, HERE, SESSION, ROLE, "AROAWORKER"),
    Principal(PrincipalKind.ROLE_SESSION, HERE, SESSION, ROLE, "AROAWORKER"),
    Principal(PrincipalKind.FEDERATED_USER, HERE, FEDERATED, ANA, "AIDAANA"),
    Principal(PrincipalKind.ROOT, HERE, ROOT),
    Principal(PrincipalKind.USER, THERE, EVE),
    Principal(PrincipalKind.ROOT, THERE, f"arn:aws:iam::{THERE}:root"),
    Principal(PrincipalKind.SERVICE, service_names=("logs.amazonaws.com",)),
    Principal(PrincipalKind.FEDERATED, provider=PROVIDER),
    ANONYMOUS,
]
ACTIONS = ["s3:GetObject", "s3:PutObject", "sqs:SendMessage"]
RESOURCES = ["arn:aws:s3:::data/a", "arn:aws:s3:::data/b", f"arn:aws:sqs:us-east-1:{HERE}:q", "*"]

ACTION_PATTERNS = [*ACTIONS, *ACTIONS, "*", "s3:*", "S3:get*", "sqs:?endMessage", "iam:*", "s3:Get Object"]
RESOURCE_PATTERNS = [
    *RESOURCES,
    "*",
    "*",
    "arn:aws:s3:::data/*",
    "arn:aws:s3:::data/${aws:username}",
    "arn:aws:*:*:*:*",
    "arn:aws:s3",
]
AWS_ENTRIES = [ANA, ROLE, SESSION, FEDERATED, EVE, HERE, ROOT, THERE, "*", "AIDAANA", "AROAWORKER", "AIDAGONE"]
OTHER_PRINCIPALS = ["*", "*", "*", {"Service": "logs.amazonaws.com"}, {"Federated": PROVIDER}]
CONDITIONS = [
    {},
    {},
    {},
    {},
    {},
    {},
    {},
    {},
    {"StringEquals": {"aws:username": "a"}},
    {"StringNotEquals": {"aws:username": ["a", "b"]}},
    {"StringLikeIfExists": {"aws:UserName": "${aws:username}"}},
    {"ForAllValues:StringLike": {"aws:TagKeys": ["a*"]}},
    {"ForAnyValue:StringNotLike": {"aws:TagKeys": "a"}},
    {"Null": {"aws:username": "true"}},
    {"Bool": {"aws:SecureTransport": True}, "StringLike": {"aws:username": "?"}},
    {"StringMatches": {"aws:username": "a"}},
]
WITH_PRINCIPAL = {PolicyType.RESOURCE, PolicyType.ENDPOINT, PolicyType.TRUST}
POOL_SIZE = 400


def _some(chance, items):
    """One item bare, or a list of some."""
    return chance.choice(items) if chance.random() < 0.5 else chance.sample(items, chance.randint(1, 3))


def _element(chance, name):
    return name if chance.random() < 0.75 else f"Not{name}"


def _principal(chance):
    if chance.random() < 0.4:
        return chance.choice(OTHER_PRINCIPALS)
    return {"AWS": _some(chance, AWS_ENTRIES)}


def _statement(chance, kind, effect):
    """A well-formed statement of a policy of this kind."""
    found = {"Effect": effect, _element(chance, "Action"): _some(chance, ACTION_PATTERNS)}
    if kind is not PolicyType.TRUST:
        found[_element(chance, "Resource")] = _some(chance, RESOURCE_PATTERNS)
    if kind in WITH_PRINCIPAL:
        found[_element(chance, "Principal")] = _principal(chance)
    if kind is PolicyType.RCP:
        found["Principal"] = chance.choice(["*", {"AWS": "*"}])
    condition = chance.choice(CONDITIONS)
    return {**found, "Condition": condition} if condition else found


# Made once from a fixed seed: drawing statements piece by piece takes Hypothesis a hundred times as long.
POOL = {
    (kind, effect): [
        _statement(random.Random(f"{kind} {effect} {number}"), kind, effect) for number in range(POOL_SIZE)
    ]
    for kind in PolicyType
    for effect in ("Allow", "Deny")
}


@cache
def statements(kind, effects=("Allow", "Allow", "Deny")):
    """A statement of a policy of this kind; each is a copy of its own."""
    return st.builds(
        lambda effect, number: copy.deepcopy(POOL[kind, effect][number]),
        st.sampled_from(effects),
        st.integers(0, POOL_SIZE - 1),
    )


@cache
def documents(kind, effects=("Allow", "Allow", "Deny")):
    return st.builds(
        lambda version, body: {"Version": version, "Statement": body},
        st.sampled_from(["2012-10-17", "2012-10-17", "2012-10-17", "2008-10-17"]),
        st.lists(statements(kind, effects), min_size=1, max_size=3),
    )


def compiled(document, kind):
    return load(document if isinstance(document, str) else json.dumps(document), kind)


KINDS = {
    "identity": PolicyType.IDENTITY,
    "boundary": PolicyType.BOUNDARY,
    "session": PolicyType.SESSION,
    "scp": PolicyType.SCP,
    "rcp": PolicyType.RCP,
    "endpoint": PolicyType.ENDPOINT,
    "resource": PolicyType.RESOURCE,
}


@cache
def worlds(effects=("Allow", "Allow", "Deny")):
    """A world: each layer's documents, where None is not in play; a boundary is one document, SCPs are levels."""

    def some(kind):
        return st.lists(documents(kind, effects), max_size=2)

    def optional(strategy):
        return st.one_of(st.none(), st.none(), strategy)

    def levels(kind):
        return st.lists(st.lists(documents(kind, effects), min_size=1, max_size=2), max_size=2)

    return st.fixed_dictionaries(
        {
            "identity": some(PolicyType.IDENTITY),
            "boundary": optional(documents(PolicyType.BOUNDARY, effects)),
            "session": optional(some(PolicyType.SESSION)),
            "scp": optional(levels(PolicyType.SCP)),
            "rcp": optional(levels(PolicyType.RCP)),
            "endpoint": optional(some(PolicyType.ENDPOINT)),
            "resource": some(PolicyType.RESOURCE),
        },
    )


gates = st.sampled_from([Gate.NONE, Gate.NONE, Gate.TRUST, Gate.KMS_KEY])


def layers(world, gate=Gate.NONE):
    """The world, compiled."""

    def all_of(name):
        return None if world[name] is None else tuple(compiled(one, KINDS[name]) for one in world[name])

    def levels(name):
        if world[name] is None:
            return None
        return tuple(tuple(compiled(one, KINDS[name]) for one in level) for level in world[name])

    return Layers(
        identity=all_of("identity"),
        boundary=None if world["boundary"] is None else compiled(world["boundary"], PolicyType.BOUNDARY),
        session=all_of("session"),
        scp=levels("scp"),
        rcp=levels("rcp"),
        endpoint=all_of("endpoint"),
        resource=all_of("resource"),
        gate=gate,
    )


contexts = st.fixed_dictionaries(
    {},
    optional={
        "aws:username": st.sampled_from(["a", "b", "*", ""]),
        "aws:tagkeys": st.sampled_from([(), ("a",), ("a", "b"), ("ab", "")]),
        "aws:securetransport": st.sampled_from(["true", "false"]),
    },
)
requests = st.builds(
    Request,
    principal=st.sampled_from(PRINCIPALS),
    action=st.sampled_from(ACTIONS),
    resource=st.sampled_from(RESOURCES),
    resource_account=st.just(HERE),
    context=contexts,
)


def with_context(request, **changes):
    return replace(request, context={**request.context, **changes})
