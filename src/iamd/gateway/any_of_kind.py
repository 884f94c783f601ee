"""Which targets stand for any of a kind, because the request does not tell which thing that is there it is for."""

from collections.abc import Collection, Sequence
from typing import Final

from msgspec.structs import replace

from iamd.authz.target import Target
from iamd.data import service_reference
from iamd.gateway.actions.asked import Asked
from iamd.gateway.actions.table import table

WITH_STARS: Final = frozenset({"s3", "logs"})
"""Services with things that have a star in their ARNs."""
# AWS: the rows of these tables are of whoever asks (Keyspaces Developer Guide, "Amazon Keyspaces identity-based policy
# examples").
_SYSTEM_TABLES: Final = ":/keyspace/system_schema_mcs/"
_LISTS: Final = ("Describe", "List", "Search")
_MAKES: Final = ("Create", "Import", "Request", "Submit")


def marked(targets: Sequence[Target], made: Collection[str], asked: Asked, action: str) -> Sequence[Target]:
    """The targets, those marked that stand for any of a kind; `action` is the operation's own.

    `made` are the ARNs of what the request makes: their `*` is an id that nobody knows yet, and no policy can name.
    """
    for target in targets:
        if "*" in target.arn:
            return _marked(targets, made, asked, action)
    return targets


def _marked(targets: Sequence[Target], made: Collection[str], asked: Asked, action: str) -> Sequence[Target]:
    return [
        replace(one, any_of_kind=True) if _is_any(one, made, asked, one.action or action) else one for one in targets
    ]


def _is_any(target: Target, made: Collection[str], asked: Asked, action: str) -> bool:
    arn = target.arn
    name = action.partition(":")[2]
    if "*" not in arn or target.makes or arn in made or name.startswith(_LISTS):
        # AWS: lists are decided on `*`, or on all of a kind, whatever the things are that there are.
        return False
    operation = asked.operation
    found = table(operation.service)
    if found is not None and not found.has(operation.name):
        # It is decided by rule.
        found = None
    if arn == "*":
        return found is None and _has_resources(action)
    if arn.split(":", 3)[2] in WITH_STARS or _SYSTEM_TABLES in arn:
        return False
    return found is None or found.tells_new or not operation.name.startswith(_MAKES)


def _has_resources(action: str) -> bool:
    known = service_reference.action(*action.split(":", 1))
    return known is not None and not known.wildcard_only
