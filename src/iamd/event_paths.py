"""Paths to parts of an event, as rules name them: `$.detail.items[0]`.

AWS: EventBridge User Guide, "Amazon EventBridge input transformation" (eb-transform-target-input).
"""

import re
from typing import Any, Final

_ONE_STEP: Final = r"\.([^\s.\[\]'\"*()?@$]{1,256}+)|\['([^'\\]{1,256}+)'\]|\[([0-9]{1,9}+)\]"
_STEP: Final = re.compile(_ONE_STEP)
_PATH: Final = re.compile(rf"\$(?:{_ONE_STEP}){{0,100}}+")


def is_path(text: str) -> bool:
    """Whether a text is a path of names and of places in arrays.

    SECURITY: JSONPath has filters and expressions besides, by which one rule could hold up all who put events.
    """
    return _PATH.fullmatch(text) is not None


def at(path: str, event: dict[str, Any], absent: Any) -> Any:
    """What stands at a path of an event; `absent` where nothing does, or where it is no path."""
    if not is_path(path):
        return absent
    found: Any = event
    for name, quoted, index in _STEP.findall(path):
        if index and isinstance(found, list) and int(index) < len(found):
            found = found[int(index)]
        elif not index and isinstance(found, dict) and (name or quoted) in found:
            found = found[name or quoted]
        else:
            return absent
    return found
