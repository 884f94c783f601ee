"""Tags that Kinesis streams are made with, which moto drops (Kinesis API Reference, CreateStream)."""

from collections.abc import Callable
from typing import Any

from moto.kinesis.responses import KinesisResponse

from iamd.backend.replacement import replace


def install() -> None:
    """Keep the tags of CreateStream."""
    replace(KinesisResponse, "create_stream", _with_tags)


def _with_tags(original: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def create_stream(response: Any) -> Any:
        told = original(response)
        # moto's own way, which reads JSON and CBOR.
        given = response._get_param  # noqa: SLF001
        if given("Tags"):
            response.kinesis_backend.add_tags_to_stream(None, given("StreamName"), given("Tags"))
        return told

    return create_stream
