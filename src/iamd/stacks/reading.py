"""Reading: the text of a template, so strictly that no other reader can see something else in it.

AWS: CloudFormation User Guide, "Template anatomy" and "CloudFormation template formats".
"""

from collections.abc import Mapping
from typing import Any, Final

import yaml

from iamd.errors import AWSError
from iamd.stacks.faults import malformed
from iamd.wire import parse_json

LONGEST: Final = 51_200
LONGEST_OF_URL: Final = 1024 * 1024
"""AWS: the longest TemplateBody, and the longest template in S3, in bytes (API Reference, CreateStack)."""

FUNCTIONS: Final = frozenset(
    {
        "And", "Base64", "Cidr", "Contains", "EachMemberEquals", "EachMemberIn", "Equals", "FindInMap", "GetAZs",
        "GetAtt", "If", "ImportValue", "Join", "Length", "Not", "Or", "Select", "Split", "Sub", "ToJsonString",
    }
)  # fmt: skip
_SCALARS: Final = frozenset(f"tag:yaml.org,2002:{name}" for name in ("bool", "float", "int", "null", "str"))
_DEEPEST: Final = 40
_MOST_NODES: Final = 65_536


def content_of(text: str) -> Mapping[str, Any]:
    """The value of a text of JSON or YAML, which is an object; AWS's ValidationError when it is none."""
    content = _json(text) if text.lstrip().startswith("{") else _Unread
    if content is _Unread:
        content = _yaml(text)
    if not isinstance(content, Mapping):
        raise malformed("unsupported structure.")
    return content


def _json(text: str) -> Any:
    """The value of a JSON text, or _Unread; YAML reads it alike, but hundreds of times as long."""
    try:
        return parse_json.decode(text.encode())
    except AWSError:
        return _Unread


class _Unread:
    """In place of a value: the text is none of this kind."""


def _yaml(text: str) -> Any:
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        return _value(node) if node is not None else None
    except (yaml.YAMLError, ValueError) as error:
        raise malformed("YAML not well-formed.") from error
    finally:
        loader.dispose()


class _Loader(yaml.SafeLoader):
    """Reads YAML that has one reading, and that is not dear to read."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = self._count = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """The next node."""
        event = self.peek_event()  # type: ignore[no-untyped-call]  # the stub has no types for it
        # SECURITY: an anchor makes one text stand in many places.
        if getattr(event, "anchor", None) is not None:
            raise malformed("YAML aliases are not allowed in CloudFormation templates")
        self._depth += 1
        self._count += 1
        # Nesting costs a reader the square of its depth.
        if self._depth > _DEEPEST or self._count > _MOST_NODES:
            raise malformed("it nests too deep, or has too many parts.")
        found = super().compose_node(parent, index)
        self._depth -= 1
        return found


def _value(node: yaml.Node) -> Any:
    if node.tag.startswith("!"):
        return _short(node)
    match node:
        case yaml.MappingNode(tag="tag:yaml.org,2002:map"):
            return _mapping(node)
        case yaml.SequenceNode(tag="tag:yaml.org,2002:seq"):
            return [_value(item) for item in node.value]
        case yaml.ScalarNode() if node.tag in _SCALARS:
            return yaml.constructor.SafeConstructor().construct_object(node)
        case yaml.ScalarNode(tag="tag:yaml.org,2002:timestamp"):
            return node.value
        case _:
            raise malformed(f"the tag {node.tag} is not supported.")


def _short(node: yaml.Node) -> Any:
    """The short form of a function: `!Sub text` is `{"Fn::Sub": text}`."""
    name = node.tag[1:]
    if name not in FUNCTIONS and name not in {"Ref", "Condition"}:
        raise malformed(f"the function !{name} is not supported.")
    plain: Any
    match node:
        case yaml.ScalarNode():
            plain = node.value.split(".", 1) if name == "GetAtt" else node.value
        case yaml.SequenceNode():
            plain = [_value(item) for item in node.value]
        case _:
            plain = _mapping(node)
    return {name if name in {"Ref", "Condition"} else f"Fn::{name}": plain}


def _mapping(node: yaml.Node) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in node.value:
        # YAML's merge key `<<` has a tag of its own, and is refused with all that is no text or number.
        if not isinstance(key, yaml.ScalarNode) or (key.tag not in _SCALARS and not key.tag.endswith(":timestamp")):
            raise malformed("every key must be text.")
        if key.value in found:
            raise malformed(f"the key {key.value} stands there twice.")
        found[key.value] = _value(value)
    return found
