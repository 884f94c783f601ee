"""Values as XML by the model: one writer per use of a shape, compiled when it is first needed."""

import base64
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import cache
from typing import Any, Final

from iamd.wire.scalars import epoch_number, float_text, iso_text, rfc822_text
from iamd.wire.shapes import Member, Shape

Out = list[str]
Writer = Callable[[Any, Out], None]
Text = Callable[[Any], str]

# What must not stand in XML text as it is; the last range cannot stand in XML 1.0 at all.
_SPECIAL: Final = re.compile('[&<>"\r\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]')
_ESCAPES: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\r": "&#xD;"}
_XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"


def escaped(text: str) -> str:
    """Give text that may stand in an element or an attribute; what XML cannot hold becomes U+FFFD."""
    if _SPECIAL.search(text) is None:
        return text
    return _SPECIAL.sub(lambda found: _ESCAPES.get(found[0], "\ufffd"), text)


@cache
def members_writer(shape: Shape) -> Writer:
    """Give what writes the members of a structure, in the model's order, without an element around them."""
    inside = [member for member in shape.members.values() if member.location is None and not member.xml_attribute]
    steps = [(member.name, *_tags(member, member.wire_name), _step(member)) for member in inside]
    known, is_special = frozenset(shape.members), _SPECIAL.search

    def write(value: Mapping[str, Any], out: Out) -> None:
        if not known.issuperset(value):
            refuse_strangers(shape, known, value)
        get = value.get
        for name, start, end, step in steps:
            given = get(name)
            if given is None:
                continue
            if step is None:
                out.append(f"{start}{given if is_special(given) is None else escaped(given)}{end}")
            else:
                step(given, out)

    return write


def _step(member: Member) -> Writer | None:
    """What writes a member; None for text, which most members are: a call for each would cost more than the text."""
    is_scalar = member.shape.type not in {"structure", "list", "map"}
    return None if is_scalar and text_writer(member) is escaped else element_writer(member)


def refuse_strangers(shape: Shape, known: frozenset[str], value: Mapping[str, Any]) -> None:
    """Stop at a result that the model does not know: a fault of an operation, not of a client."""
    if not known.issuperset(value):
        raise TypeError(f"{shape.name} has no member {min(value.keys() - known)}")


@cache
def element_writer(member: Member, name: str | None = None) -> Writer:
    """Give what writes a value with its element; lists and maps by the model's traits."""
    name = name or member.wire_name
    match member.shape.type:
        case "structure":
            return _structure(member, name)
        case "list":
            return _list(member, name)
        case "map":
            return _map(member, name)
        case _:
            return _scalar(member, name)


def _scalar(member: Member, name: str) -> Writer:
    (start, end), text = _tags(member, name), text_writer(member)

    def write(value: Any, out: Out) -> None:
        out.append(f"{start}{text(value)}{end}")

    return write


def _tags(member: Member, name: str) -> tuple[str, str]:
    return f"<{name}{_namespace(member)}>", f"</{name}>"


def _structure(member: Member, name: str) -> Writer:
    # A structure that holds itself: its writer is asked for when it is first used, not while it is made.
    shape, end, namespace = member.shape, f"</{name}>", _namespace(member)
    attributes = [(m.name, m.wire_name) for m in shape.members.values() if m.xml_attribute]
    start = f"<{name}{namespace}>"

    def write(value: Mapping[str, Any], out: Out) -> None:
        if not attributes:
            out.append(start)
            members_writer(shape)(value, out)
            out.append(end)
            return
        given = [f' {wire}="{escaped(value[n])}"' for n, wire in attributes if value.get(n) is not None]
        out.append(f"<{name}{namespace}{''.join(given)}>")
        members_writer(shape)(value, out)
        out.append(end)

    return write


def _list(member: Member, name: str) -> Writer:
    element = member.shape.element
    if member.flattened:
        return _each(element, element.location_name or name)
    inner, namespace = _each(element, element.location_name or "member"), _namespace(member)

    def write(value: Iterable[Any], out: Out) -> None:
        out.append(f"<{name}{namespace}>")
        inner(value, out)
        out.append(f"</{name}>")

    return write


def _each(element: Member, name: str) -> Writer:
    def write(value: Iterable[Any], out: Out) -> None:
        step = element_writer(element, name)
        for item in value:
            step(item, out)

    return write


def _map(member: Member, name: str) -> Writer:
    key, value = member.shape.key, member.shape.value
    names = (key.location_name or "key", value.location_name or "value")
    entry = name if member.flattened else "entry"

    def entries(given: Mapping[str, Any], out: Out) -> None:
        steps = element_writer(key, names[0]), element_writer(value, names[1])
        for one, other in given.items():
            out.append(f"<{entry}>")
            steps[0](one, out)
            steps[1](other, out)
            out.append(f"</{entry}>")

    def write(given: Mapping[str, Any], out: Out) -> None:
        out.append(f"<{name}>")
        entries(given, out)
        out.append(f"</{name}>")

    return entries if member.flattened else write


def _namespace(member: Member) -> str:
    if member.xml_namespace is None:
        return ""
    prefix = member.xml_namespace.get("prefix")
    return f' xmlns{":" + prefix if prefix else ""}="{member.xml_namespace["uri"]}"'


def text_writer(member: Member, timestamps: str = "iso8601") -> Text:
    """Give what writes a scalar as escaped text."""
    if member.shape.type == "timestamp":
        return _DATES[member.timestamp_format or timestamps]
    return _TEXTS[member.shape.type]


def _blob(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")


def _boolean(value: bool) -> str:
    return "true" if value else "false"


def _epoch_text(moment: datetime) -> str:
    return str(epoch_number(moment))


_DATES: Final[Mapping[str, Text]] = {"iso8601": iso_text, "rfc822": rfc822_text, "unixtimestamp": _epoch_text}
_TEXTS: Final[Mapping[str, Text]] = {
    "string": escaped,
    "character": escaped,
    "integer": str,
    "long": str,
    "float": float_text,
    "double": float_text,
    "boolean": _boolean,
    "blob": _blob,
}
