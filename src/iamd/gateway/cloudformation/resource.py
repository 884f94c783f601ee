"""Resource: one resource of a template as the operations that make, change and end it, with what they touch."""

import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from iamd.authz.target import Target
from iamd.gateway.actions import mapping
from iamd.gateway.actions.asked import Asked, at, invalid
from iamd.gateway.cloudformation import types
from iamd.gateway.cloudformation.template import Template, undecided
from iamd.gateway.cloudformation.types import Type
from iamd.gateway.cloudformation.values import Untold, Values
from iamd.wire.models import service as model_of


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource. `created` are the targets of its creation; `named` says that the template names it itself."""

    logical_id: str
    type: Type
    making: Asked | None
    created: tuple[Target, ...]
    named: bool
    retained: bool = False
    """It stays when its stack is deleted (CloudFormation User Guide, "DeletionPolicy attribute")."""

    @property
    def deleted(self) -> tuple[Target, ...]:
        """What its deletion is decided on."""
        if self.type.delete is None:
            return ()
        return (Target(arn=self.created[0].arn, action=self.type.delete),)

    @property
    def changed(self) -> tuple[Target, ...]:
        """What a change is decided on: it may be a replacement, which makes and ends as well."""
        updates = [Target(arn=self.created[0].arn, action=f"{self.type.service}:{name}") for name in self.type.update]
        return (*updates, *self.created, *self.deleted)


def of_template(
    template: Template, known: Mapping[str, str], tags: list[dict[str, str]], asked: Asked
) -> list[Resource]:
    """The resources of a template, with `known` for its parameters and the tags that its stack gives to all."""
    return list(_Reader(template, dict(known), tags, asked).read())


class _Reader:
    """Reads resources in the order of their names' dependence: a name may be made of other resources' names."""

    def __init__(self, template: Template, known: dict[str, str], tags: list[dict[str, str]], asked: Asked) -> None:
        self._template, self._known, self._tags, self._asked = template, known, tags, asked
        self._stack = known["AWS::StackName"]

    def read(self) -> Iterator[Resource]:
        waiting = dict(self._template.resources)
        while waiting:
            found = [self._try(name, resource) for name, resource in waiting.items()]
            told = [resource for resource in found if isinstance(resource, Resource)]
            if not told:
                raise next(error for error in found if not isinstance(error, Resource))
            yield from told
            for resource in told:
                del waiting[resource.logical_id]

    def _try(self, logical_id: str, resource: Mapping[str, Any]) -> Resource | Exception:
        """The resource, or what is not known of it yet."""
        row = types.of(resource["Type"])
        if row is None:
            raise undecided(f"the resource {logical_id} of type {resource['Type']}")
        properties = resource.get("Properties", {})
        strangers = row.strangers(properties)
        if strangers:
            raise undecided(f"the property {strangers[0]} of {logical_id}, of type {resource['Type']}")
        if row.create is None:
            return Resource(logical_id, row, None, (), named=False)
        try:
            parameters = dict(self._parameters(row, properties))
        except Untold as untold:
            return invalid(
                f"iamd can't tell what the resource {logical_id} is: {untold} is not known before it is made."
            )
        return self._told(logical_id, row, properties, parameters)

    def _parameters(self, row: Type, properties: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        values = Values(self._known)
        for path, parameter in row.given.items():
            value = at(properties, path)
            if parameter.rpartition(".")[2].lower() == "tags":
                value = [*(value or []), *self._tags] or None
            if value is not None:
                yield parameter, values.of(value)

    def _told(self, logical_id: str, row: Type, properties: Mapping[str, Any], given: dict[str, Any]) -> Resource:
        named = row.name is None or row.name in properties
        if row.name is not None and not named:
            given[row.given[row.name]] = self._made_name(logical_id, row)
        making = replace(self._asked, operation=_operation(row.create or ""), parameters=_nested(given), claim=None)
        created = mapping.targets(making)
        created += self._further(row, properties, created[0].arn)
        if row.ref and row.name is not None:
            self._known[logical_id] = given[row.given[row.name]]
        if row.arn:
            self._known[f"{logical_id}.Arn"] = created[0].arn
        retained = self._template.resources[logical_id].get("DeletionPolicy") == "Retain"
        return Resource(logical_id, row, making, tuple(created), named, retained)

    def _made_name(self, logical_id: str, row: Type) -> str:
        # The characters of chance are not known before: only a policy with a wildcard in their place can match.
        name = f"{self._stack}-{logical_id}-{secrets.token_hex(6).upper()}"
        return name.lower() if row.lower else name

    def _further(self, row: Type, properties: Mapping[str, Any], arn: str) -> Iterator[Target]:
        for path, text in row.also.items():
            if at(properties, path) is not None:
                action, _, resource = text.partition(" on ")
                yield Target(arn=resource or arn, action=f"{row.service}:{action}")


def _operation(text: str) -> Any:
    service, _, name = text.partition(":")
    return model_of(service).operation(name)


def _nested(given: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters whose names are dotted paths, as the operation has them."""
    found: dict[str, Any] = {}
    for path, value in given.items():
        *outer, last = path.split(".")
        inside = found
        for name in outer:
            inside = inside.setdefault(name, {})
        inside[last] = value
    return found
