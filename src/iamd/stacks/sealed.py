"""What stacks keep that may be secret, sealed for its stack: values of parameters, outputs, what things are made by."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from iamd.auth.sealing import Keyring
from iamd.stacks.parameters import Given

_PURPOSE: Final = "stack"


class Inside(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a thing was made by and what is known of it.

    `properties` has dynamic references as they stand in the template; `resolved` has their values, where there are any.
    """

    properties: Mapping[str, Any]
    name: str
    resolved: Mapping[str, Any] | None = None
    tags: Mapping[str, str] = {}
    attributes: Mapping[str, Any] = {}
    hidden: bool = False
    """Whether nobody is shown the attributes who has not asked for them."""

    @property
    def used(self) -> Mapping[str, Any]:
        """The properties that it was made by."""
        return self.properties if self.resolved is None else self.resolved


class Output(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An output of a stack."""

    key: str
    value: str
    description: str | None = None
    export: str | None = None


def seal(keyring: Keyring, stack_id: str, value: Any) -> str:
    """A value as sealed text."""
    return keyring.seal_text(_PURPOSE, (stack_id,), msgspec.json.encode(value))


def opened_thing(keyring: Keyring, stack_id: str, text: str) -> Inside:
    """What a thing was made by."""
    return msgspec.json.decode(keyring.open_text(_PURPOSE, (stack_id,), text), type=Inside)


def opened_outputs(keyring: Keyring, stack_id: str, text: str | None) -> list[Output]:
    """The outputs of a stack; none before it is made."""
    return msgspec.json.decode(keyring.open_text(_PURPOSE, (stack_id,), text), type=list[Output]) if text else []


def opened_parameters(keyring: Keyring, stack_id: str, text: str) -> Given:
    """The values of a stack's parameters."""
    return msgspec.json.decode(keyring.open_text(_PURPOSE, (stack_id,), text), type=Given)
