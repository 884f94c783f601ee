"""What the tests of the policy simulator share.

Which members its answers have when, their order and their words are facts of AWS's answers, as recorded by
github.com/radkawar/stackd (testdata/aws/iam, simulation.json and simulation_inputs.json).
"""

import json
from typing import Any

from running import ACCOUNT

OTHER = "210987654321"
ANN = f"arn:aws:iam::{ACCOUNT}:user/ann"
BOB = f"arn:aws:iam::{OTHER}:user/bob"
BUCKET = "arn:aws:s3:::reports"
KEY, LOCKED = f"{BUCKET}/k", f"{BUCKET}/locked"
GET = "s3:GetObject"


def document(*statements: dict[str, Any], **further: Any) -> str:
    """A policy of these statements."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements), **further})


def for_whom(statement: dict[str, Any], principal: str) -> dict[str, Any]:
    """A statement of a resource-based policy."""
    return statement | {"Principal": {"AWS": principal}}


def entry(name: str, kind: str, *values: str) -> dict[str, Any]:
    """A context entry."""
    return {"ContextKeyName": name, "ContextKeyType": kind, "ContextKeyValues": list(values)}


def ids(found: dict[str, Any]) -> list[str]:
    """The policies of the matched statements of a result."""
    return [statement["SourcePolicyId"] for statement in found.get("MatchedStatements", [])]


def by_resource(found: dict[str, Any]) -> dict[str, str]:
    """The decision on each resource of a result."""
    return {one["EvalResourceName"]: one["EvalResourceDecision"] for one in found["ResourceSpecificResults"]}
