"""Contexts: what the properties of a resource are before and after a change, as DescribeChangeSet shows them.

AWS: API Reference, DescribeChangeSet (IncludePropertyValues) and ResourceChange (BeforeContext, AfterContext).
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from iamd.auth.sealing import Keyring
from iamd.stacks import handlers, parameters, sealed
from iamd.stacks.functions import Scope
from iamd.stacks.handlers import Made
from iamd.stacks.scopes import scope_of, template_of
from iamd.stacks.template import function_of
from iamd.store.account import Account
from iamd.store.stack_records import StackState

UNKNOWN: Final = "{{changeSet:KNOWN_AFTER_APPLY}}"


def with_values(
    changes: list[dict[str, Any]],
    before: StackState | None,
    after: StackState | None,
    stack_id: str,
    account: Account,
    keyring: Keyring,
) -> list[dict[str, Any]]:
    """Changes with what properties were and will be; what is hidden or not known yet has no value."""
    scopes = {
        name: _scope(state, stack_id, account, keyring)
        for name, state in (("BeforeContext", before), ("AfterContext", after))
        if state is not None
    }
    return [{**one, "ResourceChange": _shown(one["ResourceChange"], scopes)} for one in changes]


def _scope(state: StackState, stack_id: str, account: Account, keyring: Keyring) -> Scope:
    """What names stand for, as far as everybody may see it."""
    found = template_of(state)
    told = sealed.opened_parameters(keyring, stack_id, state.parameters)
    scope = scope_of(found, told, stack_id, account, keyring, {})
    # SECURITY: neither a parameter with NoEcho nor a secret that a service made is shown.
    scope.values = {**scope.values, **parameters.values_of(found, told, masked=True)}
    for name, made in scope.made.items():
        hidden = handlers.secret_attributes(found.resources[name]["Type"])
        shown = {key: value for key, value in made.attributes.items() if key not in hidden and not made.hidden}
        scope.made[name] = Made(physical_id=made.physical_id, attributes=shown)
    return scope


def _shown(change: dict[str, Any], scopes: Mapping[str, Scope]) -> dict[str, Any]:
    name, action = change["LogicalResourceId"], change["Action"]
    sides = {"Add": ("AfterContext",), "Remove": ("BeforeContext",)}.get(action, ("BeforeContext", "AfterContext"))
    found = {
        side: msgspec.json.encode({"Properties": _known(scopes[side].properties(name))}).decode()
        for side in sides
        if side in scopes and name in scopes[side].template.resources
    }
    return {**change, **found}


def _known(value: Any) -> Any:
    if function_of(value) is not None:
        return UNKNOWN
    if isinstance(value, Mapping):
        return {name: _known(inner) for name, inner in value.items()}
    return [_known(inner) for inner in value] if isinstance(value, list) else value
