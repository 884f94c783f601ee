"""Policy templates of temporary delegation: policies with `@{parameters}` that a request gives values.

AWS: IAM User Guide, "Policy templates" (temporary-delegation-policy-templates). What else a template may hold there
(conditional statements) is no policy here, and refused.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from iamd.policy.document import MalformedPolicy, PolicyType, validate
from iamd.services.iam import template_values
from iamd.services.iam.errors import InvalidInput
from iamd.store.delegation_records import PolicyParameter

MAX_RENDERED = 2048
"""AWS: the longest policy that a template and its values make (same page)."""


def given_parameters(parameters: Sequence[Mapping[str, Any]]) -> tuple[PolicyParameter, ...]:
    """The parameters of a request, each with a name, a type and values that fit it; InvalidInput."""
    found = []
    for one in parameters:
        if "Name" not in one or "Type" not in one or not one.get("Values"):
            raise InvalidInput("A policy parameter has a Name, a Type and Values.")
        if one["Type"] == "string" and len(one["Values"]) != 1:
            raise InvalidInput(f"The policy parameter {one['Name']} is a string and has one value.")
        found.append(PolicyParameter(one["Name"], tuple(one["Values"]), one["Type"]))
    if len({one.name for one in found}) != len(found):
        raise InvalidInput("A policy parameter is given once.")
    return tuple(found)


def rendered(document: str, parameters: Sequence[PolicyParameter]) -> str:
    """The policy that a template makes of these values; InvalidInput when it makes none."""
    values = {one.name: one.values if one.type == "stringList" else one.values[0] for one in parameters}
    wanted = template_values.names_in(document)
    if values.keys() != wanted:
        wrong = ", ".join(sorted(values.keys() ^ wanted))
        raise InvalidInput(f"The policy template has other parameters than were given: {wrong}.")
    policy = json.dumps(template_values.filled(template_values.parsed(document), values), separators=(",", ":"))
    if len(policy) > MAX_RENDERED:
        raise InvalidInput(f"The policy of the delegation request is longer than {MAX_RENDERED} characters.")
    try:
        validate(policy, PolicyType.SESSION)
    except MalformedPolicy as error:
        raise InvalidInput(f"The policy of the delegation request is malformed: {error.message}") from error
    return policy


def boundaries_of(policy: str) -> list[str]:
    """The permissions boundaries that roles must have which the policy lets make, as its conditions name them."""
    statements = template_values.parsed(policy)["Statement"]
    found: dict[str, None] = {}
    for statement in statements if isinstance(statements, list) else [statements]:
        if statement.get("Effect") == "Allow":
            for condition in statement.get("Condition", {}).values():
                for key, named in condition.items():
                    if key.lower() == "iam:permissionsboundary":
                        found.update(dict.fromkeys(named if isinstance(named, list) else [named]))
    return list(found)
