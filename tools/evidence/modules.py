"""The tests' modules as their text: what each defines, and what a test takes in by naming it."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

Definition = ast.FunctionDef | ast.Assign


@dataclass(frozen=True, eq=False)
class Module:
    """One file of tests, or of what tests share."""

    path: Path
    tree: ast.Module

    @cached_property
    def definitions(self) -> dict[str, Definition]:
        """Functions, methods and constants by name."""
        found: dict[str, Definition] = {}
        for node in self.tree.body:
            methods = node.body if isinstance(node, ast.ClassDef) else [node]
            found |= {part.name: part for part in methods if isinstance(part, ast.FunctionDef)}
            if isinstance(node, ast.Assign):
                found |= {target.id: node for target in node.targets if isinstance(target, ast.Name)}
        return found

    @property
    def tests(self) -> list[ast.FunctionDef]:
        """The test functions."""
        return [node for node in self.tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]


def read(path: Path) -> Module:
    """The module in a file."""
    return Module(path, ast.parse(path.read_text("utf-8")))


def taken_in(start: ast.AST, *sources: Mapping[str, Definition]) -> list[list[Definition]]:
    """Of each source the definitions that `start` names, directly or through others; the first source wins."""
    found: list[dict[str, Definition]] = [{} for _ in sources]
    waiting = list(named(start))
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        for source, kept in zip(sources, found, strict=True):
            if name in source:
                if source[name] is not start:
                    kept[name] = source[name]
                    waiting += named(source[name])
                break
    return [list(kept.values()) for kept in found]


@cache
def parts(node: ast.AST) -> tuple[ast.AST, ...]:
    """Every piece of a text; kept, for many tests take the same definitions in."""
    return tuple(ast.walk(node))


@cache
def parents(node: ast.AST) -> Mapping[ast.AST, ast.AST]:
    """The piece that each piece of a text stands in; kept as `parts` is."""
    return {part: parent for parent in parts(node) for part in ast.iter_child_nodes(parent)}


@cache
def named(node: ast.AST) -> tuple[str, ...]:
    """Every name in a piece of text that a definition may stand behind; kept as `parts` is."""
    return tuple(_named(node))


def forget() -> None:
    """Keep no text any longer."""
    for function in (parts, parents, named):
        function.cache_clear()


def _named(node: ast.AST) -> Iterator[str]:
    # Fixtures are arguments or strings.
    for part in parts(node):
        match part:
            case ast.Call(func=ast.Attribute(attr="usefixtures"), args=args):
                yield from (arg.value for arg in args if isinstance(arg, ast.Constant) and isinstance(arg.value, str))
            case ast.Name(id=name) | ast.arg(arg=name) | ast.Call(func=ast.Attribute(attr=name)):
                yield name
