"""The calls of operations in a test's text, with their parameters, and whether each is expected to be refused."""

import ast
import builtins
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeGuard

from evidence.modules import Definition, parents, parts

OWN_SERVICE = "iamd"
REFUSING = frozenset({"raises", "refused"})
"""What a block is opened with whose request must be refused."""

PAGING = frozenset({"Marker", "MaxItems", "MaxResults", "NextToken"})
"""What boto3's paginators give."""

_HELD = "what a variable holds"


@dataclass(frozen=True)
class Call:
    """A call of an operation by boto3's name, or of iamd's own service by the operation's.

    `parameters` is every parameter that the call may have; it may name more than the operation has.
    """

    name: str
    parameters: frozenset[str]
    refused: bool
    service: str | None = None


@dataclass(frozen=True)
class Words:
    """What the text may speak of: every operation by boto3's name, every parameter, and iamd's own operations."""

    operations: frozenset[str]
    parameters: frozenset[str]
    own_operations: frozenset[str] = frozenset()

    def operations_like(self, text: ast.expr) -> list[str]:
        """The operations that a text names; what is put into it may be anything."""
        match text:
            case ast.Constant(value=str(name)):
                return [name] if name in self.operations else []
            case ast.JoinedStr():
                return _matching(text, self.operations)
        return []

    def parameters_like(self, text: ast.expr | None) -> list[str]:
        """The parameters that a text names; what is put into it may be anything."""
        match text:
            case ast.Constant(value=str(name)):
                return [name]
            case ast.JoinedStr():
                return _matching(text, self.parameters)
        return []


@dataclass
class Text:
    """Some definitions, read together: a test, which stands first, with all that its module gives it."""

    nodes: Sequence[ast.AST]
    words: Words
    known: Mapping[str, Definition]
    """What stands behind a name that is called."""
    further: frozenset[str] = frozenset()
    """Parameters that what the test shares with others may add."""
    _parents: dict[ast.AST, ast.AST] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for node in self.nodes:
            self._parents |= parents(node)

    @cached_property
    def parts(self) -> list[ast.AST]:
        """Every piece of it."""
        return [part for node in self.nodes for part in parts(node)]

    def calls(self) -> list[Call]:
        """Every call, as far as the text tells."""
        return [call for part in self.parts for call in self._of(part)]

    def strings(self) -> list[str]:
        """Every text in it; what is put into one stands as `{}`, and an error's class as its name."""
        plain = [part.value for part in self.parts if isinstance(part, ast.Constant) and isinstance(part.value, str)]
        raised = [arg.id for part in self.parts if _is_refusal(part) for arg in part.args if isinstance(arg, ast.Name)]
        return plain + raised + [_filled(part) for part in self.parts if isinstance(part, ast.JoinedStr)]

    @cached_property
    def called(self) -> frozenset[str]:
        """Every function or method that is called, by its last name."""
        return frozenset(name for part in self.parts if isinstance(part, ast.Call) if (name := _name(part.func)))

    def checks(self) -> bool:
        """Tell whether something is asserted or expected to be refused."""
        asserts = any(isinstance(part, ast.Assert) for part in self.parts)
        return asserts or bool(self.called & {*REFUSING, "denied"})

    @cached_property
    def open_parameters(self) -> frozenset[str]:
        """Parameters that stand apart from any operation's call, and may so be handed to one."""
        found = set(self.further)
        for part in self.parts:
            match part:
                case ast.Call(func=ast.Attribute(attr=name)) if name in self.words.operations:
                    pass
                case ast.Call(keywords=keywords):
                    found |= {word.arg for word in keywords if word.arg is not None}
                case ast.Dict(keys=keys):
                    found |= {name for key in keys for name in self.words.parameters_like(key)}
        return frozenset(found)

    def _of(self, part: ast.AST) -> Iterator[Call]:
        match part:
            case ast.Attribute(attr=name) if name in self.words.operations:
                yield from self._of_method(part, name)
            case ast.Call(func=ast.Call(func=ast.Name(id="getattr"), args=[_, text])):
                for name in self.words.operations_like(text):
                    yield from self._told(name, self._parameters(part), self._contexts(part))
            case ast.Call(func=ast.Attribute(attr="get_paginator"), args=[ast.Constant(value=str(name))]):
                yield from self._told(name, self.open_parameters | PAGING, self._contexts(part))
            case ast.Call(func=ast.Attribute(attr="iamd"), args=[ast.Constant(value=str(name)), *_]):
                yield from self._told(name, self._parameters(part), self._contexts(part), OWN_SERVICE)
            case ast.Call(func=ast.Attribute(attr="iamd"), args=[ast.Name(), *_]):
                for name in sorted(self.words.own_operations.intersection(self.strings())):
                    yield from self._told(name, self._parameters(part), self._contexts(part), OWN_SERVICE)
            case ast.Call(func=ast.Attribute(attr="explain")):
                yield from self._told("Explain", frozenset({"RequestId"}), self._contexts(part), OWN_SERVICE)
            case ast.Constant(value=str(name)) if name in self.words.operations:
                yield from self._told(name, self.open_parameters, self._loose(part))

    def _told(
        self, name: str, parameters: frozenset[str], contexts: frozenset[bool], service: str | None = None
    ) -> Iterator[Call]:
        yield from (Call(name, parameters, refused, service) for refused in contexts)

    def _of_method(self, method: ast.Attribute, name: str) -> Iterator[Call]:
        """A method called (`iam.get_user(...)`), handed to a function (`paged(iam.list_users, ...)`), or kept."""
        parent = self._parents.get(method)
        if not isinstance(parent, ast.Call):
            yield from self._told(name, self.open_parameters, self._loose(method))
        elif parent.func is method:
            yield from self._told(name, self._parameters(parent), self._contexts(parent))
        else:
            contexts = frozenset({True}) if self._refuses(parent.func) else self._contexts(parent)
            yield from self._told(name, self._parameters(parent) | self.further, contexts)

    def _parameters(self, call: ast.Call) -> frozenset[str]:
        own = frozenset(word.arg for word in call.keywords if word.arg is not None)
        return own if all(word.arg is not None for word in call.keywords) else own | self.open_parameters

    def _contexts(self, part: ast.AST, seen: frozenset[str] = frozenset()) -> frozenset[bool]:
        """Whether what stands here is expected to be refused; both, when a function's callers differ."""
        up: ast.AST | None = part
        while up is not None:
            match up:
                case ast.With() if _is_refusing(up):
                    return frozenset({True})
                case ast.Lambda():
                    return self._of_what_is_held(seen)
                case ast.FunctionDef(name=name) if up is not self.nodes[0] and (sites := self._sites.get(name)):
                    return self._of_sites(sites, seen | {name}) if name not in seen else frozenset()
            up = self._parents.get(up)
        return frozenset({False})

    @cached_property
    def _sites(self) -> Mapping[str | None, list[ast.Call]]:
        """Every call, by the last name of what is called."""
        found: dict[str | None, list[ast.Call]] = {}
        for part in self.parts:
            if isinstance(part, ast.Call):
                found.setdefault(_name(part.func), []).append(part)
        return found

    def _of_sites(self, sites: Sequence[ast.Call], seen: frozenset[str]) -> frozenset[bool]:
        return frozenset[bool]().union(*(self._contexts(site, seen) for site in sites))

    def _loose(self, part: ast.AST) -> frozenset[bool]:
        return frozenset({True}) if True in self._contexts(part) else self._of_what_is_held()

    def _of_what_is_held(self, seen: frozenset[str] = frozenset()) -> frozenset[bool]:
        """Whether calls of what variables hold are expected to be refused."""
        return self._of_sites(self._held_calls, seen | {_HELD}) if _HELD not in seen else frozenset()

    @cached_property
    def _held_calls(self) -> list[ast.Call]:
        return [part for part in self.parts if isinstance(part, ast.Call) and self._is_of_held(part)]

    def _is_of_held(self, part: ast.AST) -> bool:
        match part:
            case ast.Call(func=ast.Name(id=name)):
                return name not in self.known and not hasattr(builtins, name)
            case ast.Call(func=ast.Call(func=ast.Name(id="getattr"))):
                return True
        return False

    def _refuses(self, function: ast.expr) -> bool:
        """Tell whether a function expects what it calls to be refused."""
        found = self.known.get(_name(function) or "")
        return found is not None and any(isinstance(p, ast.With) and _is_refusing(p) for p in parts(found))


def _is_refusing(block: ast.With) -> bool:
    return any(_is_refusal(item.context_expr) for item in block.items)


def _is_refusal(part: ast.AST) -> TypeGuard[ast.Call]:
    return isinstance(part, ast.Call) and _name(part.func) in REFUSING


def _name(function: ast.expr) -> str | None:
    match function:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return None


def _filled(text: ast.JoinedStr) -> str:
    return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in text.values)


def _matching(text: ast.JoinedStr, names: frozenset[str]) -> list[str]:
    parts = (re.escape(str(p.value)) if isinstance(p, ast.Constant) else "[A-Za-z_]+" for p in text.values)
    pattern = re.compile("".join(parts))
    return sorted(name for name in names if pattern.fullmatch(name))
