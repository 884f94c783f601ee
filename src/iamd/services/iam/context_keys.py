"""The condition keys that policies speak of: what a simulation of them needs.

AWS: IAM API Reference, GetContextKeysForCustomPolicy and GetContextKeysForPrincipalPolicy. What a policy must be for it
is less than what IAM stores: recorded answers (September 2026) take one without actions, resources or statements, and
with principals, and refuse unknown elements and operators and a statement without an effect.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from iamd.call import Call
from iamd.policy import syntax, variables
from iamd.policy.conditions import operator_name
from iamd.policy.context_keys import context_keys
from iamd.policy.document import ELEMENTS, VARIABLES_SINCE, VERSIONS, Policy, PolicyType
from iamd.policy.syntax import SyntaxProblem
from iamd.policy.variables import Literal
from iamd.services.iam import arns, simulated_callers, simulated_policies
from iamd.services.iam.errors import InvalidInput
from iamd.services.iam.policy_exclusions import Exclusions
from iamd.services.registry import reading
from iamd.store.records import Group

_MEMBERS: Final = frozenset({"Version", "Id", "Statement"})
_UNVERSIONED: Final = "2008-10-17"
_TEXTS: Final = frozenset({"Action", "NotAction", "Resource", "NotResource"})


@reading(on=arns.anything)
def get_context_keys_for_custom_policy(_call: Call, *, policy_input_list: list[str]) -> dict[str, Any]:
    """List the keys of the policies that the request holds."""
    return _answer(_given(policy_input_list))


@reading(on=simulated_callers.simulated)
def get_context_keys_for_principal_policy(
    call: Call, *, policy_source_arn: str, policy_input_list: list[str] | None = None
) -> dict[str, Any]:
    """List the keys of the policies of a user, group or role, its boundary's too, and of those in the request."""
    source, nothing = simulated_callers.source(call, policy_source_arn), Exclusions(())
    found = simulated_policies.attached(call.account, source, nothing)
    # AWS: recorded answers have the keys of a user's boundary.
    boundary = (
        None if isinstance(source, Group) else simulated_policies.attached_boundary(call.account, source, nothing)
    )
    stored = [one.policy for one in (*found, *([boundary] if boundary is not None else []))]
    return _answer([*stored, *_given(policy_input_list or ())])


def _answer(policies: Iterable[Policy]) -> dict[str, Any]:
    # AWS: each policy's keys once for each spelling; those of two policies are listed twice (recorded answers).
    return {"ContextKeyNames": [key for policy in policies for key in _keys(policy)]}


def _keys(policy: Policy) -> list[str]:
    """A policy's keys, and the characters that it escapes: AWS calls those keys too (recorded answers)."""
    return list(dict.fromkeys([*context_keys(policy), *_escaped(policy)]))


def _escaped(policy: Policy) -> Iterator[str]:
    if policy.version != VARIABLES_SINCE or not any(escape in policy.text for escape in ("${*}", "${?}", "${$}")):
        return
    try:
        statements = syntax.read(policy.text).statements
    except SyntaxProblem:  # there are no statements
        return
    for statement in statements:
        elements = [statement.members.get(name) for name in ("Resource", "NotResource", "Condition")]
        for text in syntax.all_strings(elements):
            yield from (part.text for part in variables.parse(text) if isinstance(part, Literal))


def _given(texts: Iterable[str]) -> list[Policy]:
    return [_read(text, number) for number, text in enumerate(texts, 1)]


def _read(text: str, number: int) -> Policy:
    try:
        version = _checked_version(text)
    except (ValueError, RecursionError):
        raise InvalidInput(f"Policy input list item {number} has invalid content") from None
    return Policy(PolicyType.IDENTITY, text, version, None, ())


def _checked_version(text: str) -> str:
    """The version of what can be a policy, or ValueError."""
    syntax.check_depth(text)
    document, end = syntax.value_at(text, syntax.skip(text, 0))
    if syntax.skip(text, end) != len(text) or not isinstance(document, dict) or not document.keys() <= _MEMBERS:
        raise ValueError("no policy")
    for string in syntax.all_strings(document):
        string.encode()  # half of a surrogate pair is no character
    given = document.get("Statement", [])
    statements = given if isinstance(given, list) else [given]
    version = document.get("Version", _UNVERSIONED)
    if not isinstance(version, str) or version not in VERSIONS or not all(map(_is_statement, statements)):
        raise ValueError("no policy")
    return version


def _is_statement(statement: object) -> bool:
    return (
        isinstance(statement, dict)
        and statement.keys() <= ELEMENTS
        and str(statement.get("Effect")).lower() in {"allow", "deny"}
        and all(syntax.strings(statement[name]) is not None for name in _TEXTS & statement.keys())
        and _is_condition(statement.get("Condition", {}))
    )


def _is_condition(condition: object) -> bool:
    return isinstance(condition, dict) and all(
        isinstance(entries, dict)
        and (not entries or operator_name(operator).may_be_stored)
        and all(syntax.scalars(value) is not None for value in entries.values())
        for operator, entries in condition.items()
    )
