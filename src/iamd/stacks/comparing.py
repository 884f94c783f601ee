"""Comparing: what a change of a stack would change."""

from collections.abc import Iterator, Mapping
from typing import Any

from iamd.auth.sealing import Keyring
from iamd.stacks import entities, handlers, order, scopes, sealed
from iamd.stacks.errors import Failed
from iamd.stacks.faults import ValidationError
from iamd.stacks.functions import Scope, is_known
from iamd.stacks.handlers import InvalidProperties
from iamd.stacks.sealed import Inside
from iamd.store.account import Account
from iamd.store.stack_records import Stack, StackResource, StackState, Thing

_ATTRIBUTES = ("DeletionPolicy", "UpdateReplacePolicy", "Metadata", "DependsOn")


def is_same(scope: Scope, state: StackState, present: Stack, account: Account, keyring: Keyring) -> bool:
    """Whether nothing would be changed by an update."""
    before = present.state
    if before is None or not present.status.endswith("_COMPLETE") or state.tags != before.tags:
        return False
    if next(changes(scope, state, present, account, keyring), None) is not None:
        return False
    former = scopes.template_of(before)
    if any(
        scope.template.resources[name].get(member) != former.resources.get(name, {}).get(member)
        for name in scope.wanted()
        for member in _ATTRIBUTES
    ):
        return False
    try:
        outputs = scopes.outputs_of(scope)
    except ValidationError:
        return False
    return outputs == sealed.opened_outputs(keyring, present.stack_id, before.outputs)


def changes(
    scope: Scope, state: StackState, present: Stack | None, account: Account, keyring: Keyring
) -> Iterator[dict[str, Any]]:
    """The changes of resources, as DescribeChangeSet shows them."""
    entries = {one.logical_id: one for one in entities.resources_of(account, present)} if present is not None else {}
    wanted = order.dependencies(scope.template, scope.wanted(), scope)
    for name in wanted:
        entry = entries.get(name)
        type = scope.template.resources[name]["Type"]
        if entry is None or entry.now is None:
            yield _change("Add", name, type, None)
            continue
        found = _modified(scope, state, entry, entry.now, keyring)
        if found is not None:
            yield found
    for name, entry in entries.items():
        if name not in wanted and entry.now is not None:
            yield _change("Remove", name, entry.type, entry.physical_id)


def _change(action: str, name: str, type: str, physical_id: str | None, **more: Any) -> dict[str, Any]:
    physical = {"PhysicalResourceId": physical_id} if physical_id is not None else {}
    inner = {"Action": action, "LogicalResourceId": name, **physical, "ResourceType": type, "Scope": [], "Details": []}
    return {"Type": "Resource", "ResourceChange": {**inner, **more}}


def _modified(
    scope: Scope, state: StackState, entry: StackResource, now: Thing, keyring: Keyring
) -> dict[str, Any] | None:
    name = entry.logical_id
    inside = sealed.opened_thing(keyring, entry.stack_id, now.sealed)
    type = scope.template.resources[name]["Type"]
    properties = scope.properties(name)
    tags = scopes.tags_of(entry.stack_id, entry.stack_id.split("/")[1], name, state.tags)
    if type == now.type and properties == inside.properties and tags == inside.tags:
        return _changes_itself(name, type, now) if handlers.always_changes(type) else None
    replacement = _replacement(type, now, inside, properties)
    if replacement != "False":
        # What refers to it changes too, by values that are not known yet.
        scope.made.pop(name, None)
    members = [key for key in {**properties, **inside.properties} if properties.get(key) != inside.properties.get(key)]
    details = [_detail(key, replacement) for key in members]
    details += [_detail(None, "False")] if tags != inside.tags else []
    return _change(
        "Modify",
        name,
        type,
        now.physical_id,
        Replacement=replacement,
        Scope=[*(["Properties"] if members else []), *(["Tags"] if tags != inside.tags else [])],
        Details=details,
    )


def _changes_itself(name: str, type: str, now: Thing) -> dict[str, Any]:
    """What is asked to change though nothing of it is known to: a stack whose template may be another one."""
    target = {"Attribute": "Properties", "RequiresRecreation": "Never"}
    detail = {"Target": target, "Evaluation": "Dynamic", "ChangeSource": "Automatic"}
    more = {"Replacement": "False", "Scope": ["Properties"], "Details": [detail]}
    return _change("Modify", name, type, now.physical_id, **more)


def _replacement(type: str, now: Thing, inside: Inside, properties: Mapping[str, Any]) -> str:
    if type != now.type:
        return "True"
    try:
        replaces = handlers.replaces(type, inside.properties, properties)
    except (InvalidProperties, Failed):
        return "Conditional"
    if not replaces:
        return "False"
    return "True" if is_known(properties) else "Conditional"


def _detail(name: str | None, replacement: str) -> dict[str, Any]:
    recreation = {"True": "Always", "Conditional": "Conditionally"}.get(replacement, "Never")
    target = {"Attribute": "Tags", "RequiresRecreation": "Never"}
    if name is not None:
        target = {"Attribute": "Properties", "Name": name, "RequiresRecreation": recreation}
    return {"Target": target, "Evaluation": "Static", "ChangeSource": "DirectModification"}
