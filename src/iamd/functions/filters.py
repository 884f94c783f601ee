"""The filters of event source mappings: which records a function is given.

AWS: Lambda Developer Guide, "Control which events Lambda sends to your function" (invocation-eventfiltering), and for
each source with-sqs-filtering, with-kinesis-filtering and with-ddb-filtering.
"""

import asyncio
import base64
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

from iamd.functions.errors import InvalidParameterValue
from iamd.functions.patterns import Malformed, Pattern, Rule, pattern_of, read

Record = Mapping[str, Any]
Keeps = Callable[[Record], bool]
Thing = TypeVar("Thing")

MOST: Final = 5
"""AWS: a mapping has five filters by default."""
_DATA: Final = {"sqs": "body", "kinesis": "data", "dynamodb": "dynamodb"}
"""The field of each source that holds the data."""
_readers: Final = ThreadPoolExecutor(1, "filters")
_PLAIN: Final = "plain text"
_JSON: Final = "JSON"


def check(patterns: Sequence[str], service: str) -> None:
    """Filters that records of this source can be matched with; refused when they can't."""
    if len(patterns) > MOST:
        raise InvalidParameterValue(f"An event source mapping can have at most {MOST} filters.")
    for text in patterns:
        try:
            _form(pattern_of(text), service)
        except Malformed as error:
            raise InvalidParameterValue(f"Invalid filter pattern definition. {error}.") from error


def keeper(patterns: Sequence[str], service: str) -> Keeps | None:
    """Whether a record, as functions are given it, is kept by one of the filters; None where there is none."""
    if not patterns:
        return None
    known = [pattern_of(text) for text in patterns]
    tests = [(pattern, _form(pattern, service)) for pattern in known]

    def keeps(record: Record) -> bool:
        form, document = _document(record, service)
        return any(wanted in {None, form} and pattern.matches(document) for pattern, wanted in tests)

    return keeps


async def kept(keeps: Keeps | None, things: Sequence[Thing], record_of: Callable[[Thing], Record]) -> list[Thing]:
    """Of things that are records, or stand for them, those that are kept."""
    if keeps is None or not things:
        return list(things)

    def chosen() -> list[Thing]:
        return [one for one in things if keeps(record_of(one))]

    # SECURITY: who sends a record says how long it takes to read, and others are not to wait for it.
    return await asyncio.get_running_loop().run_in_executor(_readers, chosen)


def _form(pattern: Pattern, service: str) -> str | None:
    """What a pattern takes the data for; None when it asks nothing of it."""
    forms = {_JSON if isinstance(part, Pattern) else _PLAIN for part in _parts(pattern, _DATA[service])}
    if len(forms) > 1:
        raise Malformed(f"the field {_DATA[service]} can't be plain text and JSON at once")
    if _PLAIN in forms and service != "sqs":
        raise Malformed(f"the pattern of the field {_DATA[service]} must be JSON")
    return next(iter(forms), None)


def _parts(pattern: Pattern, name: str) -> Iterator[Pattern | tuple[Rule, ...]]:
    if name in pattern.fields:
        yield pattern.fields[name]
    for one in pattern.either:
        yield from _parts(one, name)


def _document(record: Record, service: str) -> tuple[str, dict[str, Any]]:
    """What patterns are matched with: the record with its data read, and whether that is JSON or plain text."""
    if service == "dynamodb":
        return _JSON, read(json.dumps(record))
    if service == "kinesis":
        # AWS: partitionKey and data stand beside what is told of the record (with-kinesis-filtering).
        inner = record["kinesis"]
        data = base64.b64decode(inner["data"], validate=True)
        plain = {name: value for name, value in record.items() if name != "kinesis"} | inner
        return _with(plain, "data", data)
    return _with(record, "body", record["body"])


def _with(record: Record, name: str, data: str | bytes) -> tuple[str, dict[str, Any]]:
    document = read(json.dumps(record))
    try:
        return _JSON, {**document, name: read(data)}
    except Malformed:
        return _PLAIN, document
