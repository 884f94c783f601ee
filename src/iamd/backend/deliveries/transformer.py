"""Texts that input transformers make of an event.

AWS: EventBridge User Guide, "Amazon EventBridge input transformation" (eb-transform-target-input).
"""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from iamd import event_paths

_PLACE: Final = re.compile(r"<([A-Za-z0-9_.\-]+)>")
_ABSENT: Final = object()


def transformed(given: Mapping[str, Any], event: dict[str, Any], rule_arn: str, rule_name: str) -> str:
    """The template with its places filled in; places without a variable stay as they are.

    Within quotes a value stands without quotes of its own, elsewhere as JSON.
    """
    values: dict[str, Any] = {
        "aws.events.rule-arn": rule_arn,
        "aws.events.rule-name": rule_name,
        "aws.events.event.ingestion-time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "aws.events.event": {name: value for name, value in event.items() if name != "detail"},
        "aws.events.event.json": event,
    }
    for name, path in (given.get("InputPathsMap") or {}).items():
        values[name] = event_paths.at(path, event, _ABSENT)
    return _filled(given["InputTemplate"], values)


def _filled(template: str, values: Mapping[str, Any]) -> str:
    pieces: list[str] = []
    end, quoted = 0, False
    for place in _PLACE.finditer(template):
        before = template[end : place.start()]
        quoted ^= _quotes(before) % 2 == 1
        value = values.get(place[1], place)
        pieces += [before, place[0] if value is place else _shown(value, quoted)]
        end = place.end()
    return "".join([*pieces, template[end:]])


def _quotes(text: str) -> int:
    return len(re.findall(r'(?<!\\)"', text))


def _shown(value: Any, quoted: bool) -> str:
    if value is _ABSENT:
        return "" if quoted else '""'
    if not quoted:
        return json.dumps(value)
    return json.dumps(value if isinstance(value, str) else json.dumps(value))[1:-1]
