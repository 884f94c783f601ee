"""Answers that show several policies or grants, with whom they name as AWS shows them.

AWS: IAM User Guide, "Principal" (reference_policies_elements_principal): an ARN while the entity lives, else its id.
"""

import json
import re
from collections.abc import Callable, Mapping
from functools import partial
from html import escape, unescape
from typing import Any, Final

import msgspec

from iamd.authz import kms_grants
from iamd.gateway import log_policies, named_policies, policy_principals, statement_policies
from iamd.gateway.actions.asked import Asked
from iamd.gateway.actions.given_arn import own
from iamd.gateway.resources import Facts
from iamd.services.iam import principal_ids
from iamd.store.records import Resource

Shown = Callable[[Asked, str, bytes, Facts], bytes | None]
"""The body in place of one, None for none; the ARN is that of the request's first target."""
_ENTRY: Final = re.compile(r"(<key>)(.*?)(</key>\s*<value>)(.*?)(</value>)", re.DOTALL)
_ENDPOINT: Final = re.compile(r"(<vpcEndpointId>)([^<]*)(</vpcEndpointId>)")
_DOCUMENT: Final = re.compile(r"(<policyDocument>)(.*?)(</policyDocument>)", re.DOTALL)


def retold(told: str, kept: str | None, record: Resource | None, facts: Facts) -> str:
    """A policy as a backend tells it, as AWS would tell what iamd keeps."""
    if record is None or kept is None or record.has_pending or not policy_principals.names_entities(kept):
        return told
    return policy_principals.told_as_kept(told, kept, facts.view)


def _named(asked: Asked, arn: str, body: bytes, facts: Facts) -> bytes | None:
    """Policies of a resource that has several."""
    known = dict(named_policies.named(named_policies.holder(asked, arn), facts))

    def of(name: str, told: str) -> str:
        record = known.get(name)
        return retold(told, record.policy if record is not None else None, record, facts)

    if body.lstrip().startswith(b"<"):
        text = body.decode("utf-8", "replace")
        return _ENTRY.sub(lambda one: _entry(one, of), text).encode()
    content = content_of(body)
    named_policies.changed(content, named_policies.SHOWN[asked.operation.service, asked.operation.name], of)
    return json.dumps(content).encode() if content is not None else None


def _entry(match: re.Match[str], of: Callable[[str, str], str]) -> str:
    told = unescape(match[4])
    found = of(unescape(match[2]), told)
    return match[0] if found == told else f"{match[1]}{match[2]}{match[3]}{escape(found)}{match[5]}"


def _of_logs(asked: Asked, _: str, body: bytes, facts: Facts) -> bytes | None:
    """The policies of CloudWatch Logs of an account, of which iamd keeps what is about services."""

    def of(name: str, told: str) -> str:
        record = facts.get(log_policies.arn_of(name, asked))
        return retold(told, record.facts.get(log_policies.WHOLE) if record is not None else None, record, facts)

    content = content_of(body)
    named_policies.changed(content, ("resourcePolicies", "policyName", "policyDocument"), of)
    return json.dumps(content).encode() if content is not None else None


def _of_glue(asked: Asked, _: str, body: bytes, facts: Facts) -> bytes | None:
    """The Data Catalog's policy, beside those that Resource Access Manager has set."""
    record, content = facts.get(own("glue", "catalog", asked)), content_of(body)
    if record is None or record.policy is None or content is None:
        return None
    kept = policy_principals.masked(record.policy)
    for one in content.get("GetResourcePoliciesResponseList") or ():
        told = one.get("PolicyInJson")
        if isinstance(told, str) and _is_like(policy_principals.masked(told), kept):
            one["PolicyInJson"] = retold(told, record.policy, record, facts)
    return json.dumps(content).encode()


def _is_like(one: str, other: str) -> bool:
    try:
        return bool(msgspec.json.decode(one) == msgspec.json.decode(other))
    except msgspec.DecodeError:
        return False


def _of_endpoints(asked: Asked, _: str, body: bytes, facts: Facts) -> bytes | None:
    """The policies of VPC endpoints: each stands behind the id of its endpoint."""
    first, *rest = _ENDPOINT.split(body.decode("utf-8", "replace"))
    found = [first]
    for before, name, after, text in zip(rest[::4], rest[1::4], rest[2::4], rest[3::4], strict=True):
        record = facts.get(own("ec2", f"vpc-endpoint/{name}", asked))
        found += [before, name, after, _DOCUMENT.sub(partial(_document, record=record, facts=facts), text)]
    return "".join(found).encode()


def _document(match: re.Match[str], record: Resource | None, facts: Facts) -> str:
    told = unescape(match[2])
    found = retold(told, record.policy if record is not None else None, record, facts)
    return match[0] if found == told else f"{match[1]}{escape(found)}{match[3]}"


def _buses(_: Asked, __: str, body: bytes, facts: Facts) -> bytes | None:
    content = content_of(body)
    for bus in (content or {}).get("EventBuses") or ():
        record = facts.get(bus.get("Arn") or "")
        if bus.get("Policy"):
            bus["Policy"] = retold(bus["Policy"], record.policy if record is not None else None, record, facts)
    return json.dumps(content).encode() if content is not None else None


def _grants(asked: Asked, _: str, body: bytes, facts: Facts) -> bytes | None:
    """Grants of keys: whom they let in and who may retire them, by what iamd keeps of them."""
    content, changed = content_of(body), False
    for grant in (content or {}).get("Grants") or ():
        known = facts.known(_key(grant.get("KeyId") or asked.parameters.get("KeyId") or "", asked))
        statement = known.get(f"{kms_grants.GRANT}{grant.get('GrantId')}")
        kept = msgspec.json.decode(statement)["Principal"].get("AWS") if statement is not None else None
        retiring = kms_grants.retiring(grant.get("GrantId"), known)
        named = {"GranteePrincipal": kept or retiring.grantee, "RetiringPrincipal": retiring.principal}
        for member, value in named.items():
            if isinstance(value, str) and principal_ids.UNIQUE_ID.fullmatch(value):
                grant[member] = principal_ids.shown(facts.view, value)
                changed = True
    return json.dumps(content).encode() if changed else None


def _key(identifier: str, asked: Asked) -> str:
    return identifier if identifier.startswith("arn:") else own("kms", f"key/{identifier}", asked)


def _of_resolution(asked: Asked, _: str, body: bytes, facts: Facts) -> bytes | None:
    """The policy of a resource of Entity Resolution, which the request alone names."""
    record, content = facts.get(str(asked.parameters.get("arn"))), content_of(body)
    told = (content or {}).get("policy")
    if content is None or record is None or not isinstance(told, str):
        return None
    return json.dumps({**content, "policy": retold(told, record.policy, record, facts)}).encode()


def _permissions(_: Asked, arn: str, body: bytes, facts: Facts) -> bytes | None:
    """Whom a signing profile's permissions are for, each known by its statement."""
    content, changed = content_of(body), False
    kept = {one.get("Sid"): one["Principal"] for one in statement_policies.statements(arn, facts)}
    for permission in (content or {}).get("permissions") or ():
        principal = kept.get(permission.get("statementId"))
        named = principal.get("AWS") if isinstance(principal, dict) else None
        if isinstance(named, str) and principal_ids.UNIQUE_ID.fullmatch(named):
            permission["principal"] = principal_ids.shown(facts.view, named)
            changed = True
    return json.dumps(content).encode() if changed else None


def content_of(body: bytes) -> dict[str, Any] | None:
    """The members of an answer in JSON; None for what is none."""
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except msgspec.DecodeError:
        return None


LISTS: Final[Mapping[tuple[str, str], Shown]] = {
    **dict.fromkeys(named_policies.SHOWN, _named),
    ("ec2", "DescribeVpcEndpoints"): _of_endpoints,
    ("entityresolution", "GetPolicy"): _of_resolution,
    ("events", "ListEventBuses"): _buses,
    ("glue", "GetResourcePolicies"): _of_glue,
    ("kms", "ListGrants"): _grants,
    ("kms", "ListRetirableGrants"): _grants,
    ("logs", "DescribeResourcePolicies"): _of_logs,
    ("signer", "ListProfilePermissions"): _permissions,
}
