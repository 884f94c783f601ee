"""Scopes: what the names in a stack's template stand for, by what is known of the stack."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from iamd import arn as arns
from iamd.auth.sealing import Keyring
from iamd.stacks import parameters, sealed, template
from iamd.stacks.faults import ValidationError
from iamd.stacks.functions import Scope
from iamd.stacks.handlers import Made
from iamd.stacks.parameters import Given
from iamd.stacks.template import Template
from iamd.store.account import Account
from iamd.store.records import Tag
from iamd.store.stack_records import Stack, StackResource, StackState, Thing

_PREFIX: Final = "aws:cloudformation:"


def template_of(state: StackState) -> Template:
    """The template of a stack with its transforms done."""
    return template.read(state.template if state.processed is None else state.processed)


def pseudo(stack_id: str) -> dict[str, Any]:
    """The pseudo parameters (Template Reference, "Pseudo parameters reference")."""
    _, partition, _, region, account, resource = stack_id.split(":", 5)
    return {
        "AWS::AccountId": account,
        "AWS::NotificationARNs": [],
        "AWS::Partition": partition,
        "AWS::Region": region,
        "AWS::StackId": stack_id,
        "AWS::StackName": resource.split("/")[1],
        "AWS::URLSuffix": "amazonaws.com.cn" if arns.PARTITION == "aws-cn" else "amazonaws.com",
    }


class Imports:
    """What other stacks of the account and Region export; `used` are the names that were asked for."""

    def __init__(self, account: Account, region: str, keyring: Keyring) -> None:
        self._account, self._region, self._keyring = account, region, keyring
        self.used: set[str] = set()

    def __call__(self, name: str) -> str:
        """The value that is exported by a name; ValidationError when there is none."""
        self.used.add(name)
        stack = self._account.one(Stack, "export", f"{self._region}/{name}")
        if stack is not None and stack.state is not None:
            for output in sealed.opened_outputs(self._keyring, stack.stack_id, stack.state.outputs):
                if output.export == name:
                    return output.value
        raise ValidationError(f"No export named {name} found.")


def scope_of(
    found: Template,
    told: Given,
    stack_id: str,
    account: Account,
    keyring: Keyring,
    zones: Mapping[str, Sequence[str]],
) -> Scope:
    """What names stand for in a template, with these values of its parameters, in a stack as it is now."""
    scope = Scope(
        found,
        {**parameters.values_of(found, told), **pseudo(stack_id)},
        imported=Imports(account, stack_id.split(":")[3], keyring),
        zones=zones,
    )
    wanted = frozenset(scope.wanted())
    for resource in account.find(StackResource, "stack", stack_id):
        # SECURITY: what is wanted no more is removed at the end, and nothing may go on referring to it.
        if resource.now is not None and resource.logical_id in wanted:
            scope.made[resource.logical_id] = made_of(resource.now, stack_id, keyring)
    return scope


def made_of(thing: Thing, stack_id: str, keyring: Keyring) -> Made:
    """What is known of a thing that exists."""
    inside = sealed.opened_thing(keyring, stack_id, thing.sealed)
    return Made(physical_id=thing.physical_id, attributes=inside.attributes, hidden=inside.hidden)


def tags_of(stack_id: str, stack_name: str, logical_id: str, tags: Sequence[Tag]) -> dict[str, str]:
    """The tags of a resource: those of its stack, and CloudFormation's own.

    AWS: CloudFormation User Guide, "Resource tag" (aws-properties-resource-tags).
    """
    own = {f"{_PREFIX}stack-name": stack_name, f"{_PREFIX}stack-id": stack_id, f"{_PREFIX}logical-id": logical_id}
    return {**{tag.key: tag.value for tag in tags}, **own}


def outputs_of(scope: Scope) -> list[sealed.Output]:
    """The outputs whose conditions hold; ValidationError for a value that is no text."""
    found = []
    for key, output in scope.template.outputs.items():
        if not scope.is_wanted(output):
            continue
        export = output.get("Export")
        found.append(
            sealed.Output(
                key=key,
                value=_text(scope, key, output["Value"]),
                description=output.get("Description"),
                export=_text(scope, key, export["Name"]) if export is not None else None,
            )
        )
    return found


def _text(scope: Scope, key: str, value: Any) -> str:
    found = scope.of(value)
    if isinstance(found, str | int | float | bool):
        return found if isinstance(found, str) else msgspec.json.encode(found).decode()
    raise ValidationError(
        f"Template format error: Output {key} is malformed. The Value field of every Outputs member must evaluate to a "
        "String."
    )
