"""Parameters of the Query and EC2 protocols: flat names as a tree, and the tree by the model."""

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final

from iamd.errors import Common, CommonError
from iamd.wire.models import Operation, Protocol
from iamd.wire.scalars import from_text, wrong
from iamd.wire.shapes import Member, Shape

# A name's node is its value, or the nodes below it.
Tree = dict[str, Any]
_DEPTH: Final = 32
_INDEX: Final = re.compile(r"[1-9][0-9]{0,5}", re.ASCII)


def parameters(operation: Operation, form: Mapping[str, str], *, forwarded: bool = False) -> dict[str, Any]:
    """Give the parameters of a form without Action and Version, by the model's member names.

    In one that is `forwarded` booleans are words: what a backend takes a number for, nobody knows.
    """
    if not form:
        return {}
    if operation.input is None:
        raise _unknown(next(iter(form)))
    reader = _EC2 if operation.protocol is Protocol.EC2 else _FORWARDED if forwarded else _QUERY
    found = reader.structure(_tree(form), operation.input, "")
    if operation.service == "sts":
        # AWS: an empty list (`Audience=`) is none at all, as GetWebIdentityToken's answer has it.
        return {name: value for name, value in found.items() if value != []}
    return found


def _tree(form: Mapping[str, str]) -> Tree:
    root: Tree = {}
    for name, value in form.items():
        if "." not in name:
            if name in root:
                raise _conflict(name)
            root[name] = value
            continue
        *above, last = name.split(".", _DEPTH)
        node = root
        for part in above:
            node = node.setdefault(part, {})
            if not isinstance(node, dict):
                raise _conflict(name)
        if last in node:
            raise _conflict(name)
        node[last] = value
    return root


def _conflict(name: str) -> CommonError:
    return CommonError(Common.VALIDATION, f"Duplicate parameter: {name}")


def _unknown(name: str) -> CommonError:
    return CommonError(Common.VALIDATION, f"Unknown parameter: {name}")


class _Reader:
    def __init__(self, *, ec2: bool, booleans: Mapping[str, bool]) -> None:
        self._is_ec2 = ec2
        self._booleans = booleans
        self._names = _ec2_names if ec2 else _query_names
        self._element_name = _no_element_name if ec2 else _element_name
        self._kinds: Mapping[str, Callable[[Any, Member, str], Any]] = {
            "structure": lambda node, member, path: self.structure(node, member.shape, path),
            "list": self._list,
            "map": self._map,
        }

    def structure(self, node: Any, shape: Shape, path: str) -> dict[str, Any]:
        if not isinstance(node, dict):
            raise wrong("Unexpected complex element termination")
        members, found = _by_name(shape, self._names), {}
        for name, given in node.items():
            member = members.get(name)
            if member is None or member.name in found:
                raise _unknown(path + name)
            found[member.name] = self._value(given, member, f"{path}{name}.")
        return found

    def _value(self, node: Any, member: Member, path: str) -> Any:
        reader = self._kinds.get(member.shape.type)
        if reader is not None:
            return reader(node, member, path)
        if isinstance(node, dict):
            raise _unknown(path + next(iter(node)))
        if member.shape.type == "string":
            return node
        if member.shape.type == "boolean" and not self._is_ec2:
            return self._boolean(node)
        return from_text(node, member, "iso8601")

    def _boolean(self, text: str) -> bool:
        found = self._booleans.get(text)
        if found is None:
            raise wrong("boolean must follow xsd1.1 definition" if text else "missing value for boolean type")
        return found

    def _list(self, node: Any, member: Member, path: str) -> list[Any]:
        if node == "":
            return []
        element = member.shape.element
        inner = None if member.flattened else self._element_name(element)
        items = self._numbered(self._only(node, inner, path), path)
        return [self._value(item, element, f"{path}{index}.") for index, item in enumerate(items, 1)]

    def _map(self, node: Any, member: Member, path: str) -> dict[str, Any]:
        if node == "":
            return {}
        items = self._numbered(self._only(node, None if member.flattened else "entry", path), path)
        key, value = member.shape.key, member.shape.value
        found: dict[str, Any] = {}
        for item in items:
            names = {key.location_name or "key", value.location_name or "value"}
            if not isinstance(item, dict) or item.keys() != names:
                raise wrong("Unexpected map element")
            name = self._value(item[key.location_name or "key"], key, path)
            if name in found:
                raise CommonError(Common.VALIDATION, f"Duplicate key: {path}{name}")
            found[name] = self._value(item[value.location_name or "value"], value, path)
        return found

    @staticmethod
    def _only(node: Any, name: str | None, path: str) -> Any:
        if name is None:
            return node
        if not isinstance(node, dict):
            raise wrong("Unexpected list element termination")
        strangers = [other for other in node if other != name]
        if strangers:
            raise _unknown(path + strangers[0])
        return node[name]

    @staticmethod
    def _numbered(node: Any, path: str) -> list[Any]:
        if not isinstance(node, dict):
            raise wrong("Unexpected list element termination")
        strangers = [index for index in node if not _INDEX.fullmatch(index)]
        if strangers:
            raise _unknown(path + strangers[0])
        ordered = sorted(node, key=int)
        if int(ordered[-1]) != len(ordered):
            raise wrong(f"List indexes of {path.rstrip('.')} do not follow each other")
        return [node[index] for index in ordered]


@cache
def _by_name(shape: Shape, names: Callable[[Member], tuple[str, ...]]) -> dict[str, Member]:
    """The members of a structure by each name that they may be given under."""
    found: dict[str, Member] = {}
    for member in shape.members.values():
        for name in names(member):
            found.setdefault(name, member)
    return found


@cache
def _query_names(member: Member) -> tuple[str, ...]:
    """A flattened list stands under its element's name where that has one, as SQS's do, or under its own."""
    if member.flattened and member.shape.type == "list" and member.shape.element.location_name:
        return member.shape.element.location_name, member.wire_name
    return (member.wire_name,)


@cache
def _ec2_names(member: Member) -> tuple[str, ...]:
    """A name for queries is taken as it is, any other with a capital letter (Smithy, AWS EC2 query protocol)."""
    if member.query_name:
        return (member.query_name,)
    name = member.wire_name
    capital = name[0].upper() + name[1:]
    return (capital,) if member.location_name else (member.name, capital)


def _element_name(element: Member) -> str | None:
    return element.location_name or "member"


def _no_element_name(element: Member) -> None:
    """EC2's lists have their numbers right behind their own name."""


_WORDS: Final = {"true": True, "false": False}
# AWS: booleans are those of XML Schema, in these letters alone, as SES was seen to answer in September 2026
# (floci-io/floci, pull request 3075) and Auto Scaling in 2011 (boto/boto, issue 309).
_XSD: Final = _WORDS | {"1": True, "0": False}

_QUERY: Final = _Reader(ec2=False, booleans=_XSD)
# SECURITY: what is decided with a 1 for true must not be done by a backend to which it is false.
_FORWARDED: Final = _Reader(ec2=False, booleans=_WORDS)
_EC2: Final = _Reader(ec2=True, booleans=_WORDS)
