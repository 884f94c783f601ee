"""XML bodies, read without DTD or entities, and their elements by the model."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from iamd.errors import Common, CommonError
from iamd.wire.scalars import from_text, wrong
from iamd.wire.shapes import Member, Shape

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_DEPTH: Final = 32
_MOST: Final = 120_000
"""How many tags and attributes a body may have: CompleteMultipartUpload names ten thousand parts by four tags each."""

# S3's XML is UTF-8. Python's reader takes every 8-bit encoding, in which a tag could begin with another byte.
_ENCODING: Final = re.compile(rb"\s*<\?xml[^>]*?encoding\s*=\s*[\"']([^\"'>]*)")
_XSI: Final = "{http://www.w3.org/2001/XMLSchema-instance}"


def malformed() -> CommonError:
    """Give the error for XML that is not well-formed or not of its schema; the words are each protocol's."""
    return CommonError(Common.MALFORMED)


def body(text: bytes, member: Member) -> dict[str, Any]:
    """Give the members of the structure at the root, which has the member's or shape's name."""
    root = _root(text)
    if _local(root.tag) not in {member.wire_name, member.shape.name}:
        raise malformed()
    return structure(root, member.shape, _DEPTH)


def _root(text: bytes) -> Element:
    # A server that is sent no XML does without the readers, which take a MiB.
    from xml.etree.ElementTree import ParseError  # noqa: PLC0415

    from defusedxml import DefusedXmlException  # noqa: PLC0415
    from defusedxml.ElementTree import fromstring  # noqa: PLC0415

    try:
        if text.count(b"<") > _MOST or text.count(b"=") > _MOST or not _is_utf8(text):
            raise malformed()
        root: Element = fromstring(text, forbid_dtd=True, forbid_entities=True, forbid_external=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError):
        raise malformed() from None
    return root


def _is_utf8(text: bytes) -> bool:
    declared = _ENCODING.match(text.removeprefix(b"\xef\xbb\xbf"))
    return b"\x00" not in text and (declared is None or declared[1].lower() in {b"utf-8", b"us-ascii"})


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def structure(element: Element, shape: Shape, depth: int) -> dict[str, Any]:
    """Give a structure's members by the model's names; unknown and repeated elements are refused."""
    if depth == 0 or (element.text or "").strip():
        raise malformed()
    children = _by_name(element)
    found = {}
    for member in shape.members.values():
        if member.xml_attribute:
            value = _attribute(element, member)
            if value is not None:
                found[member.name] = value
        elif member.location is None and (given := _children(children, member)) is not None:
            found[member.name] = _read(given, member, depth - 1)
    if children:
        raise CommonError(Common.MALFORMED, f"Unknown element: {next(iter(children))}")
    return found


def _by_name(element: Element) -> dict[str, list[Element]]:
    children: dict[str, list[Element]] = {}
    for child in element:
        children.setdefault(_local(child.tag), []).append(child)
    return children


def _attribute(element: Element, member: Member) -> str | None:
    prefix, _, name = member.wire_name.rpartition(":")
    return element.get(f"{_XSI if prefix == 'xsi' else ''}{name}")


def _children(children: dict[str, list[Element]], member: Member) -> list[Element] | None:
    """A flattened list stands under its own name or, as older models have it, under its element's."""
    if member.flattened and member.shape.type == "list" and member.wire_name not in children:
        return children.pop(member.shape.element.location_name or member.wire_name, None)
    return children.pop(member.wire_name, None)


def _read(given: list[Element], member: Member, depth: int) -> Any:
    shape = member.shape
    if shape.type == "list":
        items = given if member.flattened else _inside(given, shape.element.location_name or "member")
        return [_one(item, shape.element, depth) for item in items]
    if shape.type == "map":
        return _map(given if member.flattened else _inside(given, "entry"), shape, depth)
    if len(given) > 1:
        raise CommonError(Common.MALFORMED, f"Duplicate element: {_local(given[0].tag)}")
    return _one(given[0], member, depth)


def _inside(given: list[Element], name: str) -> list[Element]:
    if len(given) > 1 or (given[0].text or "").strip() or any(_local(child.tag) != name for child in given[0]):
        raise malformed()
    return list(given[0])


def _one(element: Element, member: Member, depth: int) -> Any:
    if member.shape.type == "structure":
        return structure(element, member.shape, depth)
    if member.shape.type in {"list", "map"}:
        return _read([element], member, depth)
    if len(element):
        raise wrong("")
    return from_text(element.text or "", member, "iso8601")


def _map(entries: Iterable[Element], shape: Shape, depth: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    names = (shape.key.location_name or "key", shape.value.location_name or "value")
    for entry in entries:
        parts = _by_name(entry)
        if set(parts) != set(names):
            raise malformed()
        key = _read(parts[names[0]], shape.key, depth - 1)
        if key in found:
            raise CommonError(Common.MALFORMED, "Duplicate key")
        found[key] = _read(parts[names[1]], shape.value, depth - 1)
    return found
