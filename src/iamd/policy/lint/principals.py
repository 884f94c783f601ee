"""Checks of Principal and NotPrincipal.

AWS: IAM User Guide, "Principal" (reference_policies_elements_principal).
"""

import re
from collections.abc import Iterator
from typing import Final

from iamd.policy import trust
from iamd.policy.lint.finding import Note, note
from iamd.policy.lint.shape import OBJECT, is_string, mismatch, string_list
from iamd.policy.lint.subject import Document, DocumentType, Principal, Statement
from iamd.policy.principals import MEMBERS
from iamd.policy.tree import Array, Member, Object, Scalar
from iamd.policy.values import MalformedPolicy
from iamd.policy.wildcard import has_wildcard

SERVICE_FORMAT: Final = "service-name.amazonaws.com"

_ORIGIN_ACCESS_IDENTITY: Final = re.compile(
    r"arn:[a-z0-9-]+:iam::cloudfront:user/CloudFront Origin Access Identity [A-Z0-9]+"
)
"""CloudFront's own users in bucket policies (CloudFront Developer Guide, "Restrict access to an Amazon S3 origin")."""


def check(document: Document) -> Iterator[Note]:
    """What is wrong with the principals of each statement; RCPs have their own check."""
    for statement in document.statements:
        for name in ("Principal", "NotPrincipal"):
            member = statement.node.member(name)
            if member is not None:
                yield from _element(document, statement, member)


def _element(document: Document, statement: Statement, member: Member) -> Iterator[Note]:
    match document.type:
        case DocumentType.IDENTITY:
            yield note("UNSUPPORTED_PRINCIPAL", member.key, policy_type=document.type)
        case DocumentType.SCP:
            yield note("SCP_SYNTAX_ERROR_PRINCIPAL", member.key)
        case DocumentType.RESOURCE:
            yield from _shape(member)
            if member.name == "NotPrincipal" and document.is_trust:
                yield note("ROLE_TRUST_POLICY_SYNTAX_ERROR_NOTPRINCIPAL", member.key)
            elif member.name == "NotPrincipal" and statement.allows:
                yield note("ALLOW_WITH_NOT_PRINCIPAL", member.key)
            yield from _everyone(document, member)
            for principal in statement.principals:
                yield from _principal(document, statement, principal)


def is_everyone(member: Member) -> bool:
    """Whether the element is the bare `"*"`."""
    return isinstance(member.value, Scalar) and member.value.value == "*"


def _everyone(document: Document, member: Member) -> Iterator[Note]:
    if document.is_trust and is_everyone(member):
        yield note("ROLE_TRUST_POLICY_UNSUPPORTED_WILDCARD_IN_PRINCIPAL", member.value.place)


def _shape(element: Member) -> Iterator[Note]:
    if not isinstance(element.value, Object):
        if is_string(element.value) and not is_everyone(element):
            yield note("INVALID_PRINCIPAL_FORMAT", element.value.place)
        elif not is_string(element.value):
            yield mismatch(element.value, OBJECT)
        return
    if not element.value.members:
        yield note("EMPTY_OBJECT_PRINCIPAL", element.value.place)
    for member in element.value.members:
        if member.name not in MEMBERS:
            yield note("INVALID_PRINCIPAL_KEY", member.key, principal_key=member.name)
        if isinstance(member.value, Array) and not member.value.items:
            yield note("EMPTY_ARRAY_PRINCIPAL", member.value.place)
        yield from string_list(member.value)


def _principal(document: Document, statement: Statement, principal: Principal) -> Iterator[Note]:
    if principal.member not in MEMBERS or "${" in principal.value:
        return
    if has_wildcard(principal.value):
        if principal.member != "AWS" or principal.value != "*":
            yield note("UNSUPPORTED_WILDCARD_IN_PRINCIPAL", principal.place, principal_key=principal.member)
    elif principal.member == "Federated" and not document.trusts(statement):
        yield note("FEDERATED_PRINCIPAL_NOT_SUPPORTED", principal.place)
    elif not _has_form(principal):
        yield _odd(principal)
    elif trust.UNIQUE_ID.fullmatch(principal.value):
        yield _unique_id(principal)


def _has_form(principal: Principal) -> bool:
    if principal.member == "AWS" and _ORIGIN_ACCESS_IDENTITY.fullmatch(principal.value):
        return True
    try:
        trust.check_principal(principal.member, principal.value)
    except MalformedPolicy:
        return False
    return True


def _odd(principal: Principal) -> Note:
    match principal.member:
        case "Service":
            return note("INVALID_SERVICE_PRINCIPAL_FORMAT", principal.place, expectedFormat=SERVICE_FORMAT)
        case "Federated":
            return note("INVALID_FEDERATED_PRINCIPAL_SYNTAX_IN_ROLE_TRUST_POLICY", principal.place)
        case _:
            return note("INVALID_PRINCIPAL_FORMAT", principal.place)


def _unique_id(principal: Principal) -> Note:
    """A principal that was named by ARN and deleted since shows as its id, too."""
    if principal.value.startswith("AROA"):
        return note("INVALID_ROLE_REFERENCE", principal.place, roleid=principal.value)
    return note("INVALID_USER_REFERENCE", principal.place, userid=principal.value)
