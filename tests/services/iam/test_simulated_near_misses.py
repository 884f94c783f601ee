"""The simulator decides random near-misses of every policy type that it takes as the engine does.

Each goes to SimulateCustomPolicy over HTTP, and to `decide` with the keys that the simulator says its caller brings.
"""

import json
import os
import sys
from collections import Counter
from dataclasses import replace
from itertools import islice

import pytest
from botocore.exceptions import ClientError
from policy.difference import near

from iamd import arn
from iamd.policy import cases
from iamd.policy.decision import Outcome
from iamd.policy.evaluate import Gate, decide
from iamd.services.iam.simulated_callers import caller

SEED, CASES = 4, int(os.environ.get("AGREEMENTS", "600"))
"""`make prove` compares more."""
DECISIONS = {
    Outcome.ALLOWED: "allowed",
    Outcome.EXPLICITLY_DENIED: "explicitDeny",
    Outcome.IMPLICITLY_DENIED: "implicitDeny",
}


def is_for_the_simulator(case):
    """Users, and the types of policies that can be simulated: no session policy, RCP or endpoint, no role's trust."""
    asked, policies = case["request"], case["policies"]
    parsed = arn.parse(asked["resource"])
    return (
        ":user/" in asked["principal"]
        and "unique_id" not in asked
        and "canonical_id" not in asked
        and not {"session", "rcp", "vpce"} & policies.keys()
        # Those of a resource are one for the simulator.
        and len(texts(policies.get("resource"))) < 2
        # A query can't say that there is a boundary without a policy.
        and policies.get("boundary") != []
        and cases.read({**case, "expected": ""}).layers.gate is not Gate.TRUST
        # The owner that an ARN names counts, whatever a case says of it.
        and (parsed is None or parsed.account in {"", asked["resource_account"]})
    )


def texts(found):
    """The policies of a list or of one, as they are sent."""
    several = found if isinstance(found, list) else [found] if found is not None else []
    return [one if isinstance(one, str) else json.dumps(one) for one in several]


def parameters(case):
    """A case as the request that simulates it."""
    asked, policies = case["request"], case["policies"]
    [resource_policy] = texts(policies.get("resource")) or [None]
    sent = {
        "PolicyInputList": texts(policies.get("identity")),
        "PermissionsBoundaryPolicyInputList": texts(policies.get("boundary")),
        "ActionNames": [asked["action"]],
        "ResourceArns": [asked["resource"]],
        "CallerArn": asked["principal"],
        "ContextEntries": [entry(key, value) for key, value in asked["context"].items()],
    }
    if "scp" in policies:
        levels = [{"ServiceControlPolicyInputList": texts(level["policies"])} for level in policies["scp"]]
        sent["OrderedOrganizationPolicyInputList"] = levels
    if asked["resource_account"]:
        sent["ResourceOwner"] = f"arn:aws:iam::{asked['resource_account']}:root"
    return sent | ({"ResourcePolicy": resource_policy} if resource_policy is not None else {})


def entry(key, value):
    kind = "stringList" if isinstance(value, list) else "string"
    values = value if isinstance(value, list) else [str(value)]
    return {"ContextKeyName": key, "ContextKeyType": kind, "ContextKeyValues": values}


def of_engine(case):
    found = cases.read({**case, "expected": ""})
    keys = caller(case["request"]["principal"]).keys | found.request.context
    return DECISIONS[decide(replace(found.request, context=keys), found.layers).outcome]


@pytest.mark.timeout(3600)
def test_near_misses_are_decided_alike(iam):
    seen: Counter[str] = Counter()
    for case in islice(filter(is_for_the_simulator, near(SEED, sys.maxsize)), CASES):
        try:
            answer = iam.simulate_custom_policy(**parameters(case))
        except ClientError as error:
            # Some policies, ARNs and empty lists of values are no input of the simulator's; letters beyond Latin-1 are none
            # of any policy that is sent to IAM (IAM API Reference, SimulateCustomPolicy: the patterns of its members).
            seen[error.response["Error"]["Code"]] += 1
            continue
        [found] = answer["EvaluationResults"]
        assert found["EvalDecision"] == of_engine(case), json.dumps(case)
        seen[found["EvalDecision"]] += 1
    # It would show little if all were decided alike, or hardly any at all.
    assert min(seen["allowed"], seen["implicitDeny"]) > 100
    assert seen["explicitDeny"] > 5
    assert seen["InvalidInput"] < seen["allowed"]
    assert seen.keys() - {"ValidationError"} == {*DECISIONS.values(), "InvalidInput"}
    assert seen["ValidationError"] < seen["InvalidInput"] / 10
