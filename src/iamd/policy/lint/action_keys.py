"""Checks of a service's condition keys against the actions that they stand beside.

AWS: UNSUPPORTED_ACTION_FOR_CONDITION_KEY in access-analyzer-reference-policy-checks, which leaves out actions with
wildcards; Service Authorization Reference. Recorded answers have the finding for resource policies, and none for
identity policies that mix such actions.
"""

from collections.abc import Iterator

from iamd.policy.lint import actions
from iamd.policy.lint.finding import Note, note
from iamd.policy.lint.global_keys import global_key
from iamd.policy.lint.reference import Action, ConditionKey, Service
from iamd.policy.lint.subject import Document, DocumentType, Entry, Statement, Text
from iamd.policy.request import lower


def check(document: Document) -> Iterator[Note]:
    """The actions of each statement that do not know one of its condition keys."""
    for statement in document.statements if document.type is DocumentType.RESOURCE else ():
        for entry in statement.conditions:
            if global_key(entry.lower) is None and not entry.lower.startswith("aws:"):
                yield from _of_entry(document, statement, entry)


def _of_entry(document: Document, statement: Statement, entry: Entry) -> Iterator[Note]:
    key = entry.known
    if key is None:
        return
    listed = actions.exact(statement)
    document.work.spend(len(listed))
    lacking = [text for text in listed if _lacks(document, text, key)]
    if lacking:
        names = ", ".join(text.value for text in lacking)
        places = (text.place for text in lacking)
        yield note(
            "UNSUPPORTED_ACTION_FOR_CONDITION_KEY",
            *places,
            entry.key.value.place,
            actions=names,
            key=entry.key.name,
        )


def _lacks(document: Document, text: Text, key: ConditionKey) -> bool:
    found = actions.known(document, text.value)
    return bool(found) and not any(_supports(service, action, key) for service, action in found)


def _supports(service: Service, action: Action, key: ConditionKey) -> bool:
    if key.name in action.every_condition_key:
        return True
    types = (service.resource_types.get(lower(resource.name)) for resource in action.resources)
    return any(key.name in type.condition_keys for type in types if type is not None)
