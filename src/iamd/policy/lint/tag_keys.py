"""Checks of `aws:ResourceTag` on actions whose resources have no tags that can be asked for.

AWS: IAM User Guide, "Control access to AWS resources using tags" (access_tags); Service Authorization Reference.
"""

from collections.abc import Iterator
from typing import Final

from iamd.policy.lint import actions
from iamd.policy.lint.finding import Note, note
from iamd.policy.lint.reference import Action, Service
from iamd.policy.lint.subject import Document, Entry, Statement, Text
from iamd.policy.request import lower
from iamd.policy.wildcard import has_wildcard

KEY: Final = "aws:resourcetag/"


def check(document: Document) -> Iterator[Note]:
    """What is said of each condition on a resource's tag."""
    for statement in document.statements:
        for entry in statement.conditions:
            if entry.lower.startswith(KEY) and entry.name.base != "Null":
                yield from _of_entry(document, statement, entry)


def _of_entry(document: Document, statement: Statement, entry: Entry) -> Iterator[Note]:
    if statement.effect not in {"Allow", "Deny"}:
        return
    effect = statement.effect.upper()
    if statement.has("NotAction"):
        code = f"{effect}_NOTACTION_WITH_UNSUPPORTED_TAG_CONDITION_KEY_FOR_SERVICE"
        yield note(code, entry.key.key, conditionKeyName=entry.key.name)
        return
    document.work.spend(len(statement.actions))
    lacking = [text for text in statement.actions if _lacks(document, text)]
    if lacking:
        names = ", ".join(sorted({text.lower.partition(":")[0] for text in lacking}))
        yield note(
            f"{effect}_WITH_UNSUPPORTED_TAG_CONDITION_KEY_FOR_SERVICE",
            *(text.place for text in lacking),
            entry.key.key,
            conditionKeyName=entry.key.name,
            serviceNames=names,
        )


def _lacks(document: Document, text: Text) -> bool:
    """Whether none of the actions that an entry names knows the tags of a resource."""
    if text.value == "*" or has_wildcard(text.value.partition(":")[0]):
        return False
    found = actions.known(document, text.value)
    return bool(found) and not any(_supports(service, action) for service, action in found)


def _supports(service: Service, action: Action) -> bool:
    if any(lower(key).startswith(KEY) for key in action.every_condition_key):
        return True
    types = (service.resource_types.get(lower(resource.name)) for resource in action.resources)
    return any(lower(key).startswith(KEY) for type in types if type is not None for key in type.condition_keys)
