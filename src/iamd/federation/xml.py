"""XML from identity providers: read by one parser, without document types, entities, instructions or any fetching.

lxml is the extra `saml`; SAMLMissing is raised where it is not installed.
"""

import codecs
from functools import cache
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from lxml.etree import _Element

MAX_DEPTH: Final = 64
NAMESPACES: Final = {
    "ds": "http://www.w3.org/2000/09/xmldsig#",
    "md": "urn:oasis:names:tc:SAML:2.0:metadata",
    "saml": "urn:oasis:names:tc:SAML:2.0:assertion",
    "samlp": "urn:oasis:names:tc:SAML:2.0:protocol",
    "xenc": "http://www.w3.org/2001/04/xmlenc#",
}


class SAMLMissing(Exception):
    """The libraries that read SAML are not installed."""

    def __init__(self) -> None:
        super().__init__("SAML needs libraries that are not installed here: pip install 'iamd[saml]'")


class NotXML(Exception):
    """The text is no XML that is read here."""


def parse(data: bytes) -> "_Element":
    """The root of a document, or NotXML."""
    etree = _lxml()
    # SECURITY: FED-07: with a DTD one document is read in two ways, and it can make itself very large.
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data or data.startswith(codecs.BOM_UTF8):
        raise NotXML("a document type or a byte order mark is not allowed")
    try:
        data.decode("utf-8")
        root: _Element = etree.fromstring(data, _parser())
    except (UnicodeDecodeError, etree.LxmlError, ValueError) as error:
        raise NotXML(str(error)) from error
    info: Any = root.getroottree().docinfo
    if info.doctype or info.encoding not in {None, "UTF-8", "utf-8"}:
        raise NotXML("a document type, or an encoding other than UTF-8, is not allowed")
    _check(root, etree)
    return root


def found(element: "_Element", path: str) -> "list[_Element]":
    """The elements at an XPath that names elements."""
    result: list[Any] = element.xpath(path, namespaces=NAMESPACES)  # type: ignore[assignment]
    return result


def text_of(element: "_Element") -> str:
    """All the text of an element that has no elements in it: a comment between does not end it (B32)."""
    if found(element, "*"):
        raise NotXML(f"{element.tag} holds elements where it should hold text")
    parts: list[str] = [str(part) for part in element.xpath("text()")]  # type: ignore[union-attr]
    return "".join(parts)


def lxml_error() -> type[Exception]:
    """What lxml's errors have in common."""
    error: type[Exception] = _lxml().LxmlError
    return error


def name(prefix: str, local: str) -> str:
    """An element's name as lxml has it."""
    return f"{{{NAMESPACES[prefix]}}}{local}"


def _check(root: "_Element", etree: Any) -> None:
    depth = 0
    for event, node in etree.iterwalk(root, events=("start", "end", "pi", "comment")):
        if event == "pi" or node.tag is etree.Entity:
            raise NotXML("processing instructions and entities are not allowed")
        if event in {"start", "end"}:
            depth += 1 if event == "start" else -1
        if depth > MAX_DEPTH:
            raise NotXML("the elements are nested too deeply")
    if any(node.tag is etree.Entity for node in root.iter(etree.Entity)):
        raise NotXML("entities are not allowed")
    before, after = root.getprevious(), root.getnext()
    for node in (before, after):
        if node is not None and node.tag is etree.PI:
            raise NotXML("processing instructions are not allowed")


@cache
def _lxml() -> Any:
    try:
        from lxml import etree  # noqa: PLC0415
    except ImportError as error:
        raise SAMLMissing from error
    return etree


def _parser() -> Any:
    return _lxml().XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        huge_tree=False,
        remove_blank_text=False,
        remove_comments=False,
        remove_pis=False,
        strip_cdata=True,
        recover=False,
    )
