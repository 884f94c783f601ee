"""Reads one test case, a JSON object as the public cases are written, into what the engine takes.

A case holds a request (principal, action, resource, resource_account, context), policies (identity, boundary,
session, resource, vpce as documents; scp and rcp as levels of documents), and what is expected.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from iamd.policy import syntax
from iamd.policy.document import Policy, PolicyType, load
from iamd.policy.evaluate import Gate, Layers, Levels
from iamd.policy.request import Principal, PrincipalKind, Request, lower

RCP_FULL_AWS_ACCESS = (
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}'
)
"""AWS attaches RCPFullAWSAccess to every level and lets nobody detach it, so a case need not repeat it."""

ALLOWS_NOTHING = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"none:None","Resource":"arn:"}]}'
"""What stands for a boundary that is in play without a policy."""

IMPLIED = frozenset({RCP_FULL_AWS_ACCESS, ALLOWS_NOTHING})
"""The policies that cases bring without writing them."""

_SIGNED = re.compile(
    r"arn:(?P<partition>[^:]+):(?P<service>iam|sts)::(?P<account>[^:]*):(?P<type>[^/]+)/?(?P<rest>.*)", re.DOTALL
)
_TRUST_ACTIONS = re.compile(r"sts:(assumerole.*|tagsession|setsourceidentity|setcontext)", re.DOTALL)
# SECURITY: a role or a key is one whatever its name holds, newlines too: its own policy must have its say.
_ROLE = re.compile(r"arn:[^:]+:iam::[^:]*:role/.+", re.DOTALL)
_KEY = re.compile(r"arn:[^:]+:kms:[^:]*:[^:]*:key/.+", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Case:
    """One question with its known answer; `expected` is an Outcome's name, or `Denied` for either denial."""

    id: str
    title: str
    source: str
    request: Request
    layers: Layers
    expected: str

    def agrees(self, outcome: str) -> bool:
        return outcome == self.expected or (self.expected == "Denied" and outcome.endswith("Denied"))


def read(case: Mapping[str, Any]) -> Case:
    """The case in `case`; KeyError names what it lacks, ValueError says what cannot be read."""
    asked, policies = case["request"], case.get("policies", {})
    context = _context(asked.get("context", {}))
    request = Request(
        principal=_principal(asked, context, policies),
        action=asked["action"],
        resource=asked.get("resource", "*"),
        resource_account=asked.get("resource_account", ""),
        context=context,
    )
    expected = case["expected"]
    identifier = str(case.get("id", ""))
    title, source = str(case.get("title", identifier)), str(case.get("source", ""))
    layers = _layers(request, policies, gateway_endpoint=asked.get("gateway_endpoint") is True)
    return Case(identifier, title, source, request, layers, expected)


def _context(given: Mapping[str, Any]) -> dict[str, str | tuple[str, ...]]:
    return {lower(key): _context_value(value) for key, value in given.items()}


def _context_value(value: object) -> str | tuple[str, ...]:
    if isinstance(value, (list, tuple)):
        return tuple(map(_text, value))
    return _text(value)


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _principal(asked: Mapping[str, Any], context: Mapping[str, Any], policies: Mapping[str, Any]) -> Principal:
    name = asked["principal"]
    if name == "anonymous":
        return Principal(PrincipalKind.ANONYMOUS)
    parts = _SIGNED.fullmatch(name)
    if parts is None:
        if lower(asked["action"]).startswith("sts:assumerolewith"):
            return Principal(PrincipalKind.FEDERATED, provider=name)
        return Principal(PrincipalKind.SERVICE, service_names=(name,))
    if parts["type"] in {"saml-provider", "oidc-provider"}:
        return Principal(PrincipalKind.FEDERATED, provider=name)
    kind = {
        "root": PrincipalKind.ROOT,
        "user": PrincipalKind.USER,
        "assumed-role": PrincipalKind.ROLE_SESSION,
        "federated-user": PrincipalKind.FEDERATED_USER,
    }.get(parts["type"])
    if kind is None:
        raise ValueError(f"`{name}` is no principal")
    entity = asked.get("entity") or _entity(kind, parts, context, policies)
    unique_id, canonical_id = asked.get("unique_id"), asked.get("canonical_id")
    return Principal(kind, parts["account"], name, entity, unique_id, canonical_id=canonical_id)


def _entity(kind: PrincipalKind, parts: re.Match[str], context: Mapping[str, Any], policies: object) -> str | None:
    """The role or user behind a session.

    A session's ARN does not carry its role's path (IAM User Guide, "IAM ARNs"), so unless `aws:PrincipalArn` tells it,
    it is the role of that name that the case's own policies speak of, or else one without a path.
    """
    head = f"arn:{parts['partition']}:iam::{parts['account']}"
    if kind is PrincipalKind.FEDERATED_USER:
        return f"{head}:user/{parts['rest']}"
    if kind is not PrincipalKind.ROLE_SESSION:
        return None
    role = parts["rest"].split("/")[0]
    told = [context.get("aws:principalarn"), *syntax.all_strings(policies)]
    pathed = re.compile(re.escape(f"{head}:role/") + "(?:[^*?$]*/)?" + re.escape(role))
    return next((text for text in told if isinstance(text, str) and pathed.fullmatch(text)), f"{head}:role/{role}")


def _layers(request: Request, policies: Mapping[str, Any], *, gateway_endpoint: bool) -> Layers:
    gate = _gate(request)
    return Layers(
        identity=_policies(policies.get("identity"), PolicyType.IDENTITY) or (),
        boundary=_boundary(policies),
        session=_policies(policies.get("session"), PolicyType.SESSION),
        scp=_levels(policies.get("scp"), PolicyType.SCP),
        rcp=_levels(policies.get("rcp"), PolicyType.RCP),
        endpoint=_policies(policies.get("vpce"), PolicyType.ENDPOINT),
        resource=_policies(policies.get("resource"), _resource_kind(gate)) or (),
        gate=gate,
        gateway_endpoint=gateway_endpoint,
    )


def _boundary(policies: Mapping[str, Any]) -> Policy | None:
    found = _policies(policies.get("boundary"), PolicyType.BOUNDARY)
    if found is None:
        return None
    if len(found) > 1:
        raise ValueError("a caller has one permissions boundary")
    return found[0] if found else load(ALLOWS_NOTHING, PolicyType.BOUNDARY)


def _gate(request: Request) -> Gate:
    if _TRUST_ACTIONS.fullmatch(lower(request.action)) and _ROLE.fullmatch(request.resource):
        return Gate.TRUST
    return Gate.KMS_KEY if _KEY.fullmatch(request.resource) else Gate.NONE


def _resource_kind(gate: Gate) -> PolicyType:
    return PolicyType.TRUST if gate is Gate.TRUST else PolicyType.RESOURCE


def _policies(documents: object, kind: PolicyType) -> tuple[Policy, ...] | None:
    if documents is None:
        return None
    several = documents if isinstance(documents, list) else [documents]
    return tuple(load(document if isinstance(document, str) else json.dumps(document), kind) for document in several)


def _levels(levels: Sequence[Mapping[str, Any]] | None, kind: PolicyType) -> Levels | None:
    if levels is None:
        return None
    always = (load(RCP_FULL_AWS_ACCESS, kind),) if kind is PolicyType.RCP else ()
    return tuple((*always, *(_policies(level["policies"], kind) or ())) for level in levels)
