"""Files of policy test cases: JSON lines or YAML, each case with the place it stands at."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import yaml

from iamd.cli.connection import USAGE, Failure
from iamd.cli.files import read_file
from iamd.settings import suggestion

YAML = frozenset({".yaml", ".yml"})
MERGE = "tag:yaml.org,2002:merge"
MOST = 5_000_000
"""How many characters and values the aliases of a file may add."""
_ENDLESS = 1 << 64


@dataclass(frozen=True, slots=True)
class Found:
    """A case as it was written, and where; `files` has the names of the files that policies stand in, by text."""

    place: str
    case: Mapping[str, Any]
    files: Mapping[str, str]


def cases(file: Path) -> list[Found]:
    """The cases in a file, the policies that they name read; Failure names the line that can't be read."""
    found = _of_yaml(file) if file.suffix in YAML else _of_lines(file)
    return [_Policies(file.parent, place).read(case) for place, case in found]


# JSON lines


def _of_lines(file: Path) -> Iterator[tuple[str, Any]]:
    for number, line in enumerate(read_file(file).split("\n"), 1):
        if line.strip():
            place = f"{file}:{number}"
            yield place, _json(line, place)


def _json(text: str, place: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise Failure(f"{place}: not JSON: {error}", USAGE) from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        # SECURITY: a second `Effect` would undo the first, and the case would test another policy than the one meant.
        raise ValueError("a name stands twice in one object")
    return members


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"`{name}` is no JSON")


# YAML


class _Loader(yaml.SafeLoader):
    """YAML in which a plain word is text: `2012-10-17` no date, `012345678901` no octal number, `no` no boolean."""


_Loader.yaml_implicit_resolvers = {
    first: [pair for pair in pairs if pair[0].rpartition(":")[2] in {"null", "merge"}]
    for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    _once([(loader.construct_object(key), None) for key, _ in node.value if key.tag != MERGE])
    # What is merged comes first then, so that a mapping's own names win (YAML's "Merge Key Language-Independent Type").
    loader.flatten_mapping(node)
    return {loader.construct_object(key): loader.construct_object(value, deep=True) for key, value in node.value}


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def _yaml(text: str) -> Any:
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        if _Size().of(node) > len(text) + MOST:
            raise ValueError("its aliases make it too large")
        return loader.construct_document(node)
    finally:
        loader.dispose()


@dataclass(frozen=True, slots=True)
class _Size:
    """How many characters and values nodes come to when each alias stands for a copy of what it names.

    SECURITY: ten aliases of ten aliases of ten make a thousand; eight lines of them fill the memory.
    """

    found: dict[yaml.Node, int] = field(default_factory=dict)

    def of(self, node: yaml.Node) -> int:
        if node not in self.found:
            self.found[node] = _ENDLESS  # should it hold itself
            self.found[node] = 1 + self._inside(node)
        return self.found[node]

    def _inside(self, node: yaml.Node) -> int:
        if isinstance(node, yaml.MappingNode):
            return sum(self.of(key) + self.of(value) for key, value in node.value)
        return sum(map(self.of, node.value)) if isinstance(node, yaml.SequenceNode) else len(node.value)


def _of_yaml(file: Path) -> Iterator[tuple[str, Any]]:
    """A list of cases, or a mapping with the list under `cases`; its other members are for anchors."""
    try:
        content = _yaml(read_file(file))
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise Failure(f"`{file}` is not YAML: {error}", USAGE) from error
    listed = content.get("cases") if isinstance(content, Mapping) else content
    if not isinstance(listed, list):
        raise Failure(f"`{file}` holds no list of cases", USAGE)
    for number, case in enumerate(listed, 1):
        yield f"{file}, case {number}", case


# What a case may say

OUTCOMES = ("Allowed", "ExplicitlyDenied", "ImplicitlyDenied", "Denied")
_MEMBERS = ("id", "title", "source", "license", "tags", "request", "policies", "expected", "layer")
_REQUEST = (
    "principal", "action", "resource", "resource_account", "context", "entity", "unique_id", "canonical_id",
    "wildcard_only_action",
)  # fmt: skip
_LISTS = ("identity", "boundary", "session", "resource", "vpce")
_LEVELS = ("scp", "rcp")


def _check(case: Mapping[str, Any], place: str) -> None:
    """Refuse a name that nobody reads: a misspelt one would leave out the policy that the case is about."""
    parts = {"a case": (case, _MEMBERS), "a request": (case.get("request"), _REQUEST)}
    for what, (part, known) in {**parts, "policies": (case.get("policies", {}), (*_LISTS, *_LEVELS))}.items():
        if not isinstance(part, Mapping):
            raise Failure(f"{place}: {what} is an object", USAGE)
        for name in part:
            if name not in known:
                raise Failure(f"{place}: {what} has no `{name}`{suggestion(str(name), known)}", USAGE)
    if case.get("expected") not in OUTCOMES:
        raise Failure(f"{place}: `expected` is one of {', '.join(OUTCOMES)}", USAGE)


# Policies that stand in files of their own


@dataclass(frozen=True, slots=True)
class _Policies:
    """Reads the policies of one case, written at `place`; files are named from `folder` on."""

    folder: Path
    place: str
    files: dict[str, str] = field(default_factory=dict)

    def read(self, case: Any) -> Found:
        """The case with the texts of the files that it names."""
        if not isinstance(case, Mapping):
            raise Failure(f"{self.place}: a case is an object", USAGE)
        _check(case, self.place)
        read: dict[str, Any] = dict(case.get("policies", {}))
        for kind in _LISTS:
            if kind in read:
                read[kind] = self._documents(read[kind])
        for kind in _LEVELS:
            if isinstance(read.get(kind), list):
                read[kind] = [self._level(level) for level in read[kind]]
        return Found(self.place, {**case, "policies": read}, self.files)

    def _level(self, level: Any) -> Any:
        if not isinstance(level, Mapping) or "policies" not in level:
            return level
        return {**level, "policies": self._documents(level["policies"])}

    def _documents(self, given: Any) -> Any:
        return [self._document(item) for item in given] if isinstance(given, list) else self._document(given)

    def _document(self, given: Any) -> Any:
        """A document as it is, or the text of the file that is named in its place."""
        if not isinstance(given, str) or given.lstrip().startswith("{"):
            return given
        file = self.folder / given
        try:
            text = file.read_text("utf-8")
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not a text"
            raise Failure(f"{self.place}: cannot read the policy `{given}`: {reason}", USAGE) from error
        self.files[text] = str(file)
        return text
