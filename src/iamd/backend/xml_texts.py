"""What stands in the XML of a request, as it stands there: moto's reader leaves out the blanks around it.

SECURITY: what was decided of a tag or a record whose name begins with a blank would be done to another one.
"""

from collections.abc import Callable
from typing import Any, Final

import xmltodict

from iamd.backend.replacement import replace

_STRIPS: Final = "strip_whitespace"
_TEXT: Final = "#text"


def install() -> None:
    """Have the reader keep blanks, but those that stand alone."""
    replace(xmltodict, "parse", _whole)


def _whole(original: Callable[..., Any]) -> Callable[..., Any]:
    def parse(*given: Any, **named: Any) -> Any:
        if _STRIPS in named:
            return original(*given, **named)
        return _without_layout(original(*given, **{_STRIPS: False}, **named))

    return parse


def _without_layout(value: Any) -> Any:
    """What was read without the blanks that are between elements, as the reader leaves it."""
    if isinstance(value, list):
        return [_without_layout(one) for one in value]
    if isinstance(value, dict):
        found = {name: one if name.startswith("@") else _without_layout(one) for name, one in value.items()}
        if found.get(_TEXT, "") is None:
            del found[_TEXT]
        return found or None
    return None if isinstance(value, str) and not value.strip() else value
