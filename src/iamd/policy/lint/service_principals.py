"""Checks of statements that let AWS services in: whether a condition says on whose behalf.

AWS: IAM User Guide, "The confused deputy problem" (confused-deputy).
"""

from collections.abc import Iterator
from typing import Final

from iamd.policy.lint.finding import Note, note
from iamd.policy.lint.subject import Document, DocumentType, Entry, Statement

SOURCES: Final = frozenset({"aws:sourcearn", "aws:sourceaccount", "aws:sourceorgid", "aws:sourceorgpaths"})
"""The keys that say on whose behalf a service asks."""

INSTEAD: Final = frozenset({"aws:referer", "aws:useragent"})
"""Keys that stand in the stead of those; the page names aws:Referer, and both are the caller's to choose."""

OF_IDENTITIES: Final = ("aws:principalorgid", "aws:principalorgpaths", "aws:principaltag/", "aws:username")
"""Keys that only users, roles and accounts have: their Availability, in reference_policies_condition-keys."""


def check(document: Document) -> Iterator[Note]:
    """What is said of the services that a resource's policy names; a role trusts services without a source."""
    if document.type is not DocumentType.RESOURCE:
        return
    for statement in document.statements:
        if statement.has("Principal") and not document.trusts(statement):
            yield from _of_statement(statement)


def _of_statement(statement: Statement) -> Iterator[Note]:
    services = [principal for principal in statement.principals if principal.member == "Service"]
    if not services:
        return
    if len(services) == len(statement.principals):
        yield from _of_identities(statement)
    if statement.allows and statement.condition_keys.isdisjoint(SOURCES):
        instead = [entry for entry in statement.conditions if entry.lower in INSTEAD]
        for entry in instead:
            yield _recommended(entry, services[0].value)
        if not instead:
            yield note("RESTRICT_ACCESS_TO_SERVICE_PRINCIPAL", *(service.place for service in services))


def _recommended(entry: Entry, service: str) -> Note:
    prefix = service.removesuffix(".amazonaws.com")
    return note(
        "RECOMMENDED_CONDITION_KEY_FOR_SERVICE_PRINCIPAL",
        entry.key.key,
        servicePrincipalPrefix=prefix,
        key=entry.key.name,
    )


def _of_identities(statement: Statement) -> Iterator[Note]:
    found = [entry for entry in statement.conditions if entry.lower.startswith(OF_IDENTITIES)]
    if found:
        names = ", ".join(dict.fromkeys(entry.key.name for entry in found))
        places = (entry.key.key for entry in found)
        yield note("UNSUPPORTED_CONDITION_KEY_FOR_SERVICE_PRINCIPAL", *places, conditionKeys=names)
