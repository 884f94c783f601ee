"""Resource policies that are made of statements, which are added and taken away one by one.

AWS: API References of Signer (AddProfilePermission), Lex V2 (CreateResourcePolicyStatement), Entity Resolution
(AddPolicyStatement) and CodeGuru Profiler (PutPermission). Revision ids are the backend's to compare.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from iamd import arn as arns
from iamd.errors import AWSError
from iamd.gateway.actions import given_arn
from iamd.gateway.actions.asked import Asked
from iamd.gateway.effect import Effect, Kind, Of, checked
from iamd.gateway.resource_policies import is_sure, not_kept
from iamd.gateway.resources import Facts

Statement = dict[str, Any]
_RESOLVES: Final = re.compile(r"(?:schemamapping|matchingworkflow|idmappingworkflow|idnamespace)/[a-zA-Z_0-9-]{1,255}")


class ValidationException(AWSError):
    """What these services take for no permission."""

    code = "ValidationException"
    status = 400


class ConflictException(AWSError):
    """A statement that there is already."""

    code = "ConflictException"
    status = 409


def statements(arn: str, facts: Facts) -> list[Statement]:
    """The statements of the policy that a resource has."""
    return listed(document(arn, facts))


def document(arn: str, facts: Facts) -> dict[str, Any]:
    """The policy that a resource has, or one without statements."""
    known = facts.get(arn)
    if known is None or known.policy is None:
        return {"Version": "2012-10-17", "Statement": []}
    found: dict[str, Any] = json.loads(known.policy)
    return {**found, "Statement": listed(found)}


def listed(policy: Mapping[str, Any]) -> list[Statement]:
    """The statements of a policy, of which one may stand by itself."""
    found = policy["Statement"]
    return found if isinstance(found, list) else [found]


def _add(named: str, of: Callable[[Mapping[str, Any]], Statement]) -> Of:
    """A statement that is added; one of its name must not be there."""

    def add(asked: Asked, arn: str, facts: Facts) -> Effect:
        holder, sid = _holder(asked, arn), asked.parameters[named]
        before = statements(holder, facts)
        if any(one.get("Sid") == sid for one in before):
            raise ConflictException(f"The statement {sid} exists already.")
        return _set(holder, facts, [*before, _stated(asked, holder, sid, of)])

    return add


def _replace(named: str, of: Callable[[Mapping[str, Any]], Statement]) -> Of:
    """A statement in the place of the one of its name."""

    def replace(asked: Asked, arn: str, facts: Facts) -> Effect:
        holder, sid = _holder(asked, arn), asked.parameters[named]
        kept = [one for one in statements(holder, facts) if one.get("Sid") != sid]
        return _set(holder, facts, [*kept, _stated(asked, holder, sid, of)])

    return replace


def _remove(named: str) -> Of:
    def remove(asked: Asked, arn: str, facts: Facts) -> Effect | None:
        holder, before = _holder(asked, arn), statements(_holder(asked, arn), facts)
        kept = [one for one in before if one.get("Sid") != asked.parameters[named]]
        # The service has its own words for a statement that is not there.
        return _set(holder, facts, kept) if len(kept) < len(before) else None

    return remove


def _stated(asked: Asked, holder: str, sid: str, of: Callable[[Mapping[str, Any]], Statement]) -> Statement:
    return {"Sid": sid, "Effect": "Allow", "Resource": holder, **of(asked.parameters)}


def _set(holder: str, facts: Facts, kept: list[Statement]) -> Effect:
    if not kept:
        return Effect(Kind.SET_POLICY, holder, None, has_policy=True)
    text = json.dumps({**document(holder, facts), "Statement": kept})
    return Effect(Kind.SET_POLICY, holder, checked(text, ValidationException), has_policy=True)


def _holder(asked: Asked, arn: str) -> str:
    """The resource whose policy it is."""
    if asked.operation.service == "entityresolution":
        return _of_resolution(asked)
    if not is_sure(asked, arn):
        raise not_kept(asked, "iamd can't tell which resource the policy is of")
    return arn


def _of_resolution(asked: Asked) -> str:
    """The resource that a request about its policy names, which is decided on `*`: of this account alone."""
    refusal = ValidationException("The ARN is of no resource of this account.")
    found = given_arn.formed(asked.parameters["arn"], "entityresolution", _RESOLVES, asked, refusal)
    # SECURITY: the decision does not see whose the resource is.
    if found.split(":", 5)[4] != asked.account:
        raise refusal
    return found


def _principal(given: str) -> Any:
    """An account, a service, or whom an ARN names."""
    if given_arn.ACCOUNT.fullmatch(given):
        return {"AWS": arns.root(given)}
    return {"AWS": given} if given.startswith("arn:") or "." not in given else {"Service": given}


def _signing(given: Mapping[str, Any]) -> Statement:
    version = given.get("profileVersion")
    within = {"Condition": {"StringEquals": {"signer:ProfileVersion": version}}} if version else {}
    return {"Principal": _principal(given["principal"]), "Action": given["action"], **within}


def _profiling(given: Mapping[str, Any]) -> Statement:
    """AWS: the one action group lets agents configure themselves and post profiles."""
    actions = ["codeguru-profiler:ConfigureAgent", "codeguru-profiler:PostAgentProfile"]
    return {"Principal": {"AWS": list(given["principals"])}, "Action": actions}


def _resolving(given: Mapping[str, Any]) -> Statement:
    condition = given.get("condition")
    return {
        "Effect": given["effect"],
        "Principal": _several([_principal(one) for one in given["principal"]]),
        "Action": list(given["action"]),
        **({"Condition": _condition(condition)} if condition else {}),
    }


def _condition(text: str) -> Any:
    try:
        found = msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.DecodeError:
        raise ValidationException("The condition is no JSON.") from None
    return found["Condition"] if found.keys() == {"Condition"} else found


def _of_lex(given: Mapping[str, Any]) -> Statement:
    named = [{"Service": one["service"]} if one.get("service") else {"AWS": one["arn"]} for one in given["principal"]]
    condition = given.get("condition")
    return {
        "Effect": given["effect"],
        "Principal": _several(named),
        "Action": list(given["action"]),
        **({"Condition": dict(condition)} if condition else {}),
    }


def _several(named: Sequence[Mapping[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for one in named:
        for member, value in one.items():
            found.setdefault(member, []).append(value)
    return found


def _put(asked: Asked, arn: str, _: Facts) -> Effect:
    text = checked(asked.parameters["policy"], ValidationException)
    return Effect(Kind.SET_POLICY, _holder(asked, arn), text, has_policy=True)


def _end(asked: Asked, arn: str, _: Facts) -> Effect | None:
    return Effect(Kind.END, arn) if is_sure(asked, arn) else None


EFFECTS: Final[Mapping[tuple[str, str], Of]] = {
    ("codeguruprofiler", "DeleteProfilingGroup"): _end,
    ("codeguruprofiler", "PutPermission"): _replace("actionGroup", _profiling),
    ("codeguruprofiler", "RemovePermission"): _remove("actionGroup"),
    ("entityresolution", "AddPolicyStatement"): _add("statementId", _resolving),
    ("entityresolution", "DeleteIdMappingWorkflow"): _end,
    ("entityresolution", "DeleteIdNamespace"): _end,
    ("entityresolution", "DeleteMatchingWorkflow"): _end,
    ("entityresolution", "DeletePolicyStatement"): _remove("statementId"),
    ("entityresolution", "DeleteSchemaMapping"): _end,
    ("entityresolution", "PutPolicy"): _put,
    ("lexv2-models", "CreateResourcePolicyStatement"): _add("statementId", _of_lex),
    ("lexv2-models", "DeleteResourcePolicyStatement"): _remove("statementId"),
    ("signer", "AddProfilePermission"): _add("statementId", _signing),
    ("signer", "RemoveProfilePermission"): _remove("statementId"),
}
REMOVES: Final = frozenset(
    {"DeletePolicyStatement", "DeleteResourcePolicyStatement", "RemovePermission", "RemoveProfilePermission"}
)
"""Operations that leave what a policy has besides, whomever it names."""
SERVICES: Final = ("codeguruprofiler", "entityresolution", "signer")
"""Those whose policies no row of resource_policies.toml has."""
