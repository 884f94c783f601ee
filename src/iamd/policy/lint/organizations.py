"""Checks of resource control policies.

AWS: Organizations User Guide, "RCP syntax" (orgs_manage_policies_rcps_syntax).
"""

from collections.abc import Iterator
from typing import Final

from iamd.policy.lint.finding import Note, note
from iamd.policy.lint.principals import is_everyone
from iamd.policy.lint.subject import Document, DocumentType, Entry, Statement

OF_PRINCIPALS: Final = (
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:principalaccount",
    "aws:principalarn",
    "aws:principaltag/",
)
"""Keys of the caller that service principals lack or have otherwise (RCP_MISSING_RELATED_PRINCIPAL_CONDITION_KEY)."""

OF_SOURCES: Final = ("aws:sourceorgid", "aws:sourceorgpaths", "aws:sourceaccount", "aws:sourcearn")
"""Keys that requests of service principals alone have."""

IS_SERVICE: Final = "aws:principalisawsservice"
PRESENT: Final = frozenset({"aws:sourceaccount", "aws:sourcearn"})


def check(document: Document) -> Iterator[Note]:
    """What is wrong with an RCP besides what every policy may have wrong.

    SCPs have no rules of their own since 2025 but that they take no principals (AWS Security Blog, "AWS Organizations
    service control policy now supports full IAM language").
    """
    for statement in document.statements if document.type is DocumentType.RCP else ():
        yield from _rcp(document, statement)


def _rcp(document: Document, statement: Statement) -> Iterator[Note]:
    principal, other = statement.node.member("Principal"), statement.node.member("NotPrincipal")
    if other is not None:
        yield note("RCP_SYNTAX_ERROR_PRINCIPAL", other.key)
    if principal is not None and not is_everyone(principal):
        yield note("RCP_SYNTAX_ERROR_PRINCIPAL", principal.value.place)
    not_action = statement.node.member("NotAction")
    if not_action is not None:
        yield note("RCP_SYNTAX_ERROR_NOTACTION", not_action.key)
    if statement.allows:
        yield from _allow(statement)
    else:
        yield from _actions(document, statement)
        yield from _services(document, statement)


def _allow(statement: Statement) -> Iterator[Note]:
    """What is none of RCPFullAWSAccess, the one RCP that allows."""
    principal = statement.node.member("Principal")
    is_full = principal is not None and is_everyone(principal) and {text.value for text in statement.resources} == {"*"}
    if not is_full or statement.has("Condition", "NotResource"):
        yield note("RCP_SYNTAX_ERROR_ALLOW", statement.node.place)


def _actions(document: Document, statement: Statement) -> Iterator[Note]:
    for text in statement.actions:
        prefix, colon, _ = text.value.partition(":")
        service = document.reference.service(prefix) if colon else None
        if service is None or not service.resource_control_policies:
            yield note("RCP_SYNTAX_ERROR_ACTION", text.place)


def _services(document: Document, statement: Statement) -> Iterator[Note]:
    """Conditions that hit AWS's services, or everyone but them, without saying so."""
    about = [entry for entry in statement.conditions if entry.name.base != "Null"]
    is_service = _is_service(about)
    for entry in about:
        if entry.lower.startswith(OF_PRINCIPALS) and is_service is None:
            yield note("RCP_MISSING_RELATED_PRINCIPAL_CONDITION_KEY", entry.key.key, conditionKeyName=entry.key.name)
        if entry.lower in OF_SOURCES:
            document.work.spend(len(statement.conditions))
            yield from _sources(statement, entry, is_service=is_service)


def _sources(statement: Statement, entry: Entry, *, is_service: str | None) -> Iterator[Note]:
    name = entry.key.name
    if is_service is None:
        yield note("RCP_MISSING_RELATED_SERVICE_PRINCIPAL_CONDITION_KEY", entry.key.key, conditionKeyName=name)
    if not any(found.name.base == "Null" and found.lower in PRESENT for found in statement.conditions):
        yield note("RCP_MISSING_SERVICE_CONDITION_KEY_NULL_CHECK", entry.key.key, conditionKeyName=name)


def _is_service(entries: list[Entry]) -> str | None:
    """What the statement asks of `aws:PrincipalIsAWSService`, or None."""
    asked = [value.value for entry in entries if entry.lower == IS_SERVICE for value in entry.values]
    return asked[0] if asked else None
