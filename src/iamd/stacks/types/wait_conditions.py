"""AWS::CloudFormation::WaitConditionHandle and WaitCondition: a stack waits for signals from outside.

AWS: CloudFormation User Guide, "Create wait conditions in a template" (using-cfn-waitcondition).
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from iamd.stacks import shaping
from iamd.stacks.client import Client, Stopped
from iamd.stacks.errors import Failed, InvalidProperties
from iamd.stacks.kinds import Kind, Work

_HANDLE_SECONDS: Final = 86400
_MOST_SECONDS: Final = 43200
_MOST_SIGNALS: Final = 100
"""Of one handle, all of which stand in one record; more can't be waited for."""


class _Signal(msgspec.Struct, rename="pascal"):
    status: str
    unique_id: str
    reason: str = ""
    data: Any = ""


class WaitConditionHandle(Kind):
    """An address that signals are sent to; it is the handle's physical id."""

    type = "AWS::CloudFormation::WaitConditionHandle"

    async def make(self, work: Work) -> None:
        """Open the address."""
        wanted = work.wanted
        callback_id, address = await work.client.opened(
            wanted.stack_id, wanted.logical_id, _HANDLE_SECONDS, _MOST_SIGNALS
        )
        work.made_as(address, CallbackId=callback_id)

    async def remove(self, work: Work) -> None:
        """Close it."""
        # Handles of earlier versions were names.
        if work.made is not None and "CallbackId" in work.made.attributes:
            await work.client.closed(work.made.attributes["CallbackId"])


class WaitCondition(Kind):
    """It is there once so many signals of success have come."""

    type = "AWS::CloudFormation::WaitCondition"
    properties = ("Count", "Handle", "Timeout")
    attributes = ("Data",)

    def check(self, properties: Mapping[str, Any]) -> None:
        """It names a handle and a time: iamd has no creation policies that could stand for them."""
        for name in ("Handle", "Timeout"):
            if name not in properties:
                raise InvalidProperties(f"#: required key [{name}] not found")
        _check_number(properties["Timeout"], "Timeout", _MOST_SECONDS)
        _check_number(properties.get("Count", 1), "Count", _MOST_SIGNALS)

    def replaces(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
        """Nothing of it can be changed."""
        if old != new:
            raise Failed(f"Update to resource type {self.type} is not supported.")
        return False

    async def make(self, work: Work) -> None:
        """Wait for the signals."""
        client, stack_id = work.client, work.wanted.stack_id
        callback_id = client.callback_of(stack_id, shaping.text(work["Handle"]))
        if callback_id is None:
            raise InvalidProperties("#/Handle: must refer to a wait condition handle of the stack")
        count = int(work["Count"]) if work["Count"] is not None else 1
        ends = client.timestamp() + int(work["Timeout"])
        while len(found := _successes(client.messages(stack_id, callback_id))) < count:
            if client.timestamp() >= ends:
                raise Failed(f"WaitCondition timed out. Received {len(found)} conditions when expecting {count}")
            await _pause(client, stack_id)
        work.made_as(work.wanted.generated_name, Data=msgspec.json.encode(found).decode())

    async def remove(self, work: Work) -> None:
        """There is nothing that waits."""


def _check_number(value: Any, name: str, most: int) -> None:
    text = str(value)
    if isinstance(value, bool) or not (text.isascii() and text.isdigit() and 1 <= int(text) <= most):
        raise InvalidProperties(f"#/{name}: must be a number from 1 to {most}")


async def _pause(client: Client, stack_id: str) -> None:
    try:
        await client.pause(stack_id)
    except Stopped as stopped:
        raise Failed("Resource creation cancelled") from stopped


def _successes(messages: Sequence[bytes]) -> dict[str, Any]:
    """The data of signals of success, by their ids; Failed when another one has come.

    AWS: a signal with an id that has come before is the same one, sent again.
    """
    found: dict[str, Any] = {}
    for message in messages:
        signal = _read(message)
        if signal is None or signal.unique_id in found:
            continue
        if signal.status == "FAILURE":
            raise Failed(f"WaitCondition received failed message: '{signal.reason}' for uniqueId: {signal.unique_id}")
        found[signal.unique_id] = signal.data
    return found


def _read(message: bytes) -> _Signal | None:
    """The signal; None for what is none, and counts for nothing."""
    try:
        found = msgspec.json.decode(message, type=_Signal)
    except (msgspec.DecodeError, RecursionError):
        return None
    return found if found.status in {"SUCCESS", "FAILURE"} else None
