"""Every member of every operation's input in botocore's models, to hold tables of the gateway against."""

import gzip
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import botocore
import msgspec

from iamd.wire.catalog import CATALOG, OWN, Entry

DEEPEST = 9
_MARKUP = re.compile(r"<[^>]+>")


class Member(NamedTuple):
    """A member whose value is a text, or several; `path` has `[]` behind a list and `{}` behind a map."""

    service: str
    operation: str
    path: str
    shape: str
    pattern: str
    about: str

    @property
    def name(self) -> str:
        """The service, the operation and the path, as exceptions are listed."""
        return f"{self.service}.{self.operation}:{self.path}"


Wanted = Callable[[str, str, Any, str], bool]
"""Tells by a member's own name, its shape's, the shape itself and the documentation whether it is looked for."""


def models() -> Iterator[tuple[str, Any]]:
    """Each service's model as botocore has it, its documentation included."""
    data = Path(botocore.__file__).parent / "data"
    for entry in CATALOG.by_name.values():
        if entry not in OWN:
            yield entry.name, msgspec.json.decode(gzip.decompress(_file(data, entry).read_bytes()))


def _file(data: Path, entry: Entry) -> Path:
    return data / entry.name / entry.folder / "service-2.json.gz"


def texts(service: str, model: Any, wanted: Wanted) -> Iterator[Member]:
    """The members of all operations that hold a text, or several, and are looked for."""
    shapes = model["shapes"]

    def found(member: str, reference: Any) -> _Step | None:
        step = _unwrapped(shapes, member, reference)
        if step is None or shapes[step.shape]["type"] != "string":
            return None
        return step if wanted(step.name, step.shape, shapes[step.shape], step.about) else None

    return _members(service, model, found)


def values(service: str, model: Any, kind: Callable[[Any, str, str], str | None]) -> Iterator[Member]:
    """The members of all operations, of whatever type, of which `kind` tells one; that is what is `about` them.

    It is told all shapes, the member's name and its shape's.
    """
    shapes = model["shapes"]

    def found(member: str, reference: Any) -> _Step | None:
        told = kind(shapes, member, reference["shape"])
        return None if told is None else _Step(member, reference["shape"], told)

    return _members(service, model, found)


def _members(service: str, model: Any, found: "Callable[[str, Any], _Step | None]") -> Iterator[Member]:
    seen = _Shapes(model["shapes"], found)
    for name, operation in model["operations"].items():
        if "input" in operation:
            for path, shape, about in seen.within(operation["input"]["shape"], ()):
                pattern = model["shapes"][shape].get("pattern") or ""
                yield Member(service, name, ".".join(path), shape, pattern, about)


class _Step(NamedTuple):
    """One member of a structure: its name with what it is a list or map of, that shape, and what is said of both."""

    name: str
    shape: str
    about: str


def _unwrapped(shapes: Any, member: str, reference: Any) -> _Step | None:
    """A member with what it is a list or map of in the end; None for one that holds itself."""
    step, name, about, passed = member, reference["shape"], reference.get("documentation") or "", set[str]()
    while (shape := shapes[name])["type"] in {"list", "map"}:
        if name in passed:
            return None
        passed.add(name)
        about += shape.get("documentation") or ""
        step += "[]" if shape["type"] == "list" else "{}"
        name = (shape["member"] if shape["type"] == "list" else shape["value"])["shape"]
    is_text = shape["type"] == "string"
    return _Step(step, name, _MARKUP.sub("", f"{about} {shape.get('documentation') or ''}") if is_text else "")


class _Shapes:
    """The structures of one model: which of their members are looked for, and which lead to such."""

    def __init__(self, shapes: Any, found: Callable[[str, Any], _Step | None]) -> None:
        structures = {name: shape["members"].items() for name, shape in shapes.items() if shape["type"] == "structure"}
        self._texts = {
            name: [step for member, one in members if (step := found(member, one)) is not None]
            for name, members in structures.items()
        }
        self._inner = {
            name: [
                step
                for member, one in members
                if (step := _unwrapped(shapes, member, one)) is not None and step.shape in structures
            ]
            for name, members in structures.items()
        }
        self._leading = self._leads()

    def _leads(self) -> set[str]:
        found = {name for name, texts in self._texts.items() if texts}
        while more := {
            name
            for name, inner in self._inner.items()
            if name not in found and any(one.shape in found for one in inner)
        }:
            found |= more
        return found

    def within(self, name: str, around: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str, str]]:
        """The paths in a structure, each with its text's shape and what is said of it."""
        if name in around or len(around) > DEEPEST or name not in self._leading:
            return
        for step in self._texts[name]:
            yield (step.name,), step.shape, step.about
        for step in self._inner[name]:
            for path, shape, about in self.within(step.shape, (*around, name)):
                yield (step.name, *path), shape, about


def given(path: str, value: Any) -> Any:
    """Parameters that have a value at a path."""
    for step in reversed(path.split(".")):
        name = step.rstrip("[]{}")
        for mark in reversed(re.findall(r"\[\]|\{\}", step)):
            value = [value] if mark == "[]" else {"any": value}
        value = {name: value}
    return value
