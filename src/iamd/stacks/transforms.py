"""Transforms: the template that is made of one that asks for them."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from iamd.stacks import order, parameters, template
from iamd.stacks.reading import content_of
from iamd.stacks.template import SERVERLESS, Template


def done(
    text: str, entries: Sequence[Mapping[str, Any]], before: Mapping[str, str] | None, region: str
) -> tuple[Template, str | None]:
    """The template that a text is once its transforms are done, and the text of that; None when nothing changed it."""
    content = content_of(text)
    if SERVERLESS not in template.transforms_of(content):
        return _checked(template.read(text)), None
    # Imported here: the library takes long to load, and few templates need it.
    from iamd.stacks.serverless import transformed  # noqa: PLC0415

    processed = msgspec.json.encode(transformed(content, entries, before, region)).decode()
    return _checked(template.read(processed)), processed


def _checked(found: Template) -> Template:
    parameters.check(found)
    order.check(found)
    return found
