"""A trie of URI templates: which operations of a service a method and path can mean."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import AnyStr, Final

from iamd.wire import form
from iamd.wire.models import service


@dataclass(frozen=True, slots=True)
class Template:
    """One operation's template: the names of its labels in order, and what the query must hold."""

    operation: str
    labels: tuple[str, ...]
    literals: Mapping[str, str | None]
    """Query parameters the template itself names; None where any value will do."""
    required: frozenset[str]
    """Further query parameters that the operation cannot be without."""
    slash: bool
    """The template ends in a slash."""


@dataclass(frozen=True, slots=True)
class Match:
    """A template that fits, with its labels' values; `fixed` counts literal segments."""

    template: Template
    labels: Mapping[str, str]
    fixed: int
    exact: bool = True
    """The path ends in a slash where the template does."""

    @property
    def rank(self) -> tuple[int, int, int, bool]:
        """More literal segments, then more query literals and required parameters, then the same end fit better."""
        return self.fixed, len(self.template.literals), len(self.template.required), self.exact


@dataclass(slots=True)
class _Node:
    fixed: dict[str, "_Node"] = field(default_factory=dict)
    label: "_Node | None" = None
    greedy: "_Node | None" = None
    ends: dict[str, list[Template]] = field(default_factory=dict)


class Trie:
    """All templates of one service."""

    def __init__(self, templates: Iterable[tuple[str, str, Template]]) -> None:
        self._root = _Node()
        for method, path, template in templates:
            self._node(path).ends.setdefault(method, []).append(template)

    def _node(self, path: str) -> _Node:
        node = self._root
        for segment in segments(path):
            if segment.endswith("+}"):
                node.greedy = node = node.greedy or _Node()
            elif segment.startswith("{"):
                node.label = node = node.label or _Node()
            else:
                node = node.fixed.setdefault(segment, _Node())
        return node

    def matches(self, method: str, path: bytes, query: Mapping[str, str]) -> list[Match]:
        """Give the templates that fit best; more than one only where the model itself cannot tell them apart."""
        read = [form.decoded(segment) for segment in segments(path)]
        found = [match for match in _walk(self._root, read, method, (), 0) if _holds(query, match.template)]
        slash = path.endswith(b"/")
        fitting = [replace(match, exact=match.template.slash == slash) for match in found]
        best = max((match.rank for match in fitting), default=None)
        return [match for match in fitting if match.rank == best]


def segments(path: AnyStr) -> list[AnyStr]:
    """Split a path at its slashes; one slash at the end does not count, as AWS's own services read it."""
    slash = path[:1]
    inner = path.split(slash)[1:] if slash in {"/", b"/"} else [path]
    return inner if inner[-1] else inner[:-1]


def _walk(node: _Node, rest: list[str], method: str, taken: tuple[str, ...], fixed: int) -> Iterator[Match]:
    if not rest:
        for template in node.ends.get(method, ()):
            yield Match(template, dict(zip(template.labels, taken, strict=True)), fixed)
        return
    head, tail = rest[0], rest[1:]
    if head in node.fixed:
        yield from _walk(node.fixed[head], tail, method, taken, fixed + 1)
    # SECURITY: a label is never empty, `.` or `..`: a backend that normalises paths would read another one.
    if node.label is not None and head not in _NO_LABEL:
        yield from _walk(node.label, tail, method, (*taken, head), fixed)
    if node.greedy is not None and not _NO_LABEL.intersection(rest):
        for end in range(1, len(rest) + 1):
            yield from _walk(node.greedy, rest[end:], method, (*taken, "/".join(rest[:end])), fixed)


def _holds(query: Mapping[str, str], template: Template) -> bool:
    literals = all(name in query and value in {None, query[name]} for name, value in template.literals.items())
    return literals and all(name in query for name in template.required)


_NO_LABEL: Final = frozenset({"", ".", ".."})


@cache
def trie(name: str) -> Trie:
    """Give the compiled templates of a service."""
    model = service(name)
    return Trie(_template(operation, *model.http(operation)) for operation in model.operation_names)


def _template(operation: str, method: str, uri: str) -> tuple[str, str, Template]:
    path, _, query = uri.partition("?")
    labels = tuple(part.strip("{}").removesuffix("+") for part in segments(path) if part.startswith("{"))
    return method, path, Template(operation, labels, literals_of(query), frozenset(), path.endswith("/"))


def literals_of(query: str) -> dict[str, str | None]:
    """Give the query literals of a URI template; `?acl` wants the name with any value."""
    literals: dict[str, str | None] = {}
    for piece in filter(None, query.split("&")):
        name, equals, value = piece.partition("=")
        literals[name] = value if equals else None
    return literals
