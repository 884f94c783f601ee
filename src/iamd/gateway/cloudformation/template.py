"""Template: what a CloudFormation template says, read so strictly that no other reader can see something else in it.

AWS: CloudFormation User Guide, "Template anatomy" and "Intrinsic function reference".
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import yaml

from iamd.errors import AWSError
from iamd.gateway.actions.asked import invalid
from iamd.wire import parse_json

LONGEST: Final = 51_200
"""AWS: the longest TemplateBody, in bytes (CloudFormation API Reference, CreateStack)."""

_SECTIONS: Final = frozenset(
    {
        "AWSTemplateFormatVersion", "Conditions", "Description", "Mappings", "Metadata", "Outputs", "Parameters",
        "Resources", "Rules",
    }
)  # fmt: skip
_FUNCTIONS: Final = frozenset(
    {
        "And", "Base64", "Cidr", "Equals", "FindInMap", "GetAZs", "GetAtt", "If", "ImportValue", "Join", "Not", "Or",
        "Select", "Split", "Sub", "ToJsonString",
    }
)  # fmt: skip
_SCALARS: Final = frozenset(f"tag:yaml.org,2002:{name}" for name in ("bool", "float", "int", "null", "str"))
_RESOURCE_MEMBERS: Final = frozenset(
    {
        "Condition", "CreationPolicy", "DeletionPolicy", "DependsOn", "Metadata", "Properties", "Type", "UpdatePolicy",
        "UpdateReplacePolicy",
    }
)  # fmt: skip
_DEEPEST: Final = 32
_MOST_NODES: Final = 16_384


@dataclass(frozen=True, slots=True)
class Template:
    """The parts of a template that decide anything: its resources and its parameters, both by name."""

    resources: Mapping[str, Mapping[str, Any]]
    parameters: Mapping[str, Mapping[str, Any]]


def read(text: str) -> Template:
    """The template in a text of JSON or YAML; AWS's ValidationError when it is none, or says what iamd can't decide."""
    if len(text.encode()) > LONGEST:
        raise invalid(f"1 validation error detected: Value at 'templateBody' has more than {LONGEST} bytes")
    content = _json(text) if text.lstrip().startswith("{") else _Unread
    if content is _Unread:
        content = _yaml(text)
    if not isinstance(content, Mapping):
        raise _malformed("unsupported structure.")
    return _checked(content)


def _malformed(words: str) -> AWSError:
    return invalid(f"Template format error: {words}")


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
    except yaml.YAMLError as error:
        raise _malformed("YAML not well-formed.") from error
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
            raise _malformed("YAML aliases are not allowed in CloudFormation templates")
        self._depth += 1
        self._count += 1
        # Nesting costs a reader the square of its depth.
        if self._depth > _DEEPEST or self._count > _MOST_NODES:
            raise _malformed("it nests too deep, or has too many parts.")
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
            raise _malformed(f"the tag {node.tag} is not supported.")


def _short(node: yaml.Node) -> Any:
    """The short form of a function: `!Sub text` is `{"Fn::Sub": text}`."""
    name = node.tag[1:]
    if name not in _FUNCTIONS and name not in {"Ref", "Condition"}:
        raise _malformed(f"the function !{name} is not supported.")
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
        if not isinstance(key, yaml.ScalarNode) or key.tag not in _SCALARS:
            raise _malformed("every key must be text.")
        if key.value in found:
            raise _malformed(f"the key {key.value} stands there twice.")
        found[key.value] = _value(value)
    return found


def _checked(content: Mapping[str, Any]) -> Template:
    strangers = content.keys() - _SECTIONS
    if strangers & {"Transform", "Hooks"}:
        raise undecided(f"a template with {min(strangers)}")
    if strangers:
        raise _malformed(f"Invalid template property or properties [{', '.join(sorted(strangers))}]")
    for text in _texts(content):
        if "{{resolve:" in text:
            # It would be read by whoever makes the stack, and nobody has asked whether he may.
            raise undecided("a dynamic reference")
        if text == "Fn::Transform" or text.startswith("Fn::ForEach"):
            raise undecided(text)
    resources, parameters = _named(content, "Resources"), _named(content, "Parameters")
    if not resources:
        raise _malformed("At least one Resources member must be defined.")
    _check_names(resources, parameters, _named(content, "Mappings"))
    for name, resource in resources.items():
        _check_resource(name, resource)
    for name, parameter in parameters.items():
        if str(parameter.get("Type", "")).startswith("AWS::SSM::"):
            raise undecided(f"the parameter {name} of type {parameter['Type']}")
    return Template(resources, parameters)


def undecided(what: str) -> AWSError:
    """The refusal of what iamd does not decide yet, by its name."""
    return invalid(f"iamd does not decide {what} in CloudFormation yet, so the request is refused.")


def _texts(value: Any) -> Iterator[str]:
    """Every text in a value, keys included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield key
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def _named(content: Mapping[str, Any], section: str) -> Mapping[str, Mapping[str, Any]]:
    found = content.get(section, {})
    if not isinstance(found, Mapping) or not all(isinstance(entry, Mapping) for entry in found.values()):
        raise _malformed(f"[/{section}] every member must be an object.")
    return found


def _check_names(*sections: Mapping[str, Any]) -> None:
    """SECURITY: a name that stands for two things is looked up by readers in different orders."""
    names = [name for section in sections for name in section]
    for name in names:
        if names.count(name) > 1 or not (name.isascii() and name.isalnum()):
            raise _malformed(f"the name {name} is not unique, or not alphanumeric.")


def _check_resource(name: str, resource: Mapping[str, Any]) -> None:
    strangers = resource.keys() - _RESOURCE_MEMBERS
    if strangers:
        raise _malformed(f"Invalid template resource property '{min(strangers)}'")
    if not isinstance(resource.get("Type"), str):
        raise _malformed(f"[/Resources/{name}/Type] must be a text.")
    if not isinstance(resource.get("Properties", {}), Mapping):
        raise _malformed(f"[/Resources/{name}/Properties] must be an object.")
