"""Tags that Kinesis streams are made with, which moto drops (Kinesis API Reference, CreateStream)."""

from collections.abc import Callable
from typing import Any

import msgspec
from moto.kinesis.responses import KinesisResponse

from iamd.backend.replacement import replace


def install() -> None:
    """Keep the tags of CreateStream."""
    replace(KinesisResponse, "create_stream", _with_tags)


def _with_tags(original: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def create_stream(response: Any) -> Any:
        told = original(response)
        asked = msgspec.json.decode(response.body)
        if asked.get("Tags"):
            response.kinesis_backend.add_tags_to_stream(None, asked["StreamName"], asked["Tags"])
        return told

    return create_stream
