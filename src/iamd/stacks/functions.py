"""Functions: what a template's values are once its functions are done.

AWS: Template Reference Guide, "Intrinsic function reference" and "Pseudo parameters reference". A value that rests on
something that is not known yet, such as the id of a resource that is not made, stays the function that it is.
"""

import base64
import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import msgspec

from iamd.stacks import dynamic
from iamd.stacks.faults import ValidationError, malformed
from iamd.stacks.handlers import Made
from iamd.stacks.template import Template, function_of, mappings_in

PLACEHOLDER: Final = re.compile(r"\$\{(!?)([^{}]*)\}")
_NO_VALUE: Final = "AWS::NoValue"
MOST_CIDRS: Final = 256
MOST_CALLS: Final = 500_000
"""Functions that are done for one stack's work; a template has 65,536 parts at most."""
MOST_CHARACTERS: Final = 16 * 1024 * 1024
"""Of all texts that these make. A small template can have functions that make much of little, one within the other."""


class _Nothing:
    """The value of AWS::NoValue: the member or element is left out."""


NOTHING: Final = _Nothing()


class NotKnown(Exception):
    """The value can't be known yet."""


def no_import(name: str) -> str:
    """Where nothing is exported."""
    raise ValidationError(f"No export named {name} found.")


@dataclass(slots=True)
class Scope:
    """What names stand for: parameters and pseudo parameters, resources that are made, exports, Availability Zones."""

    template: Template
    values: Mapping[str, Any]
    made: dict[str, Made] = field(default_factory=dict)
    imported: Callable[[str], str] = no_import
    zones: Mapping[str, Sequence[str]] = field(default_factory=dict)
    _conditions: dict[str, bool] = field(default_factory=dict)
    _calls: int = 0
    _characters: int = 0

    def of(self, value: Any) -> Any:
        """The value with its functions done, as far as they can be."""
        function = function_of(value)
        if function is not None:
            try:
                return self._done(*function)
            except NotKnown:
                return value
        if isinstance(value, Mapping):
            done = {name: self.of(inner) for name, inner in value.items()}
            return {name: inner for name, inner in done.items() if inner is not NOTHING}
        if isinstance(value, list):
            return [inner for inner in map(self.of, value) if inner is not NOTHING]
        return value

    def taken(self, value: Any) -> Any:
        """The value with the branch of each Fn::If that is taken in its place, and no other function done."""
        match function_of(value):
            case ("Fn::If", [str(name), yes, no]):
                return self.taken(yes if self.condition(name) else no)
        if isinstance(value, Mapping):
            return {name: self.taken(inner) for name, inner in value.items()}
        return [self.taken(inner) for inner in value] if isinstance(value, list) else value

    def check(self) -> None:
        """ValidationError for a resource whose functions can't be done, whatever comes of the others.

        What is made already does not count: an update may make something else of it.
        """
        before = replace(self, made={})
        for logical_id in self.wanted():
            before.properties(logical_id)

    def properties(self, logical_id: str) -> dict[str, Any]:
        """The properties of a resource."""
        found: dict[str, Any] = self.of(self.template.resources[logical_id].get("Properties", {}))
        return found

    def is_wanted(self, entry: Mapping[str, Any]) -> bool:
        """Whether the condition of a resource or output holds; without one it does."""
        name = entry.get("Condition")
        return name is None or self.condition(name)

    def wanted(self) -> list[str]:
        """The logical ids of the resources whose conditions hold."""
        return [name for name, resource in self.template.resources.items() if self.is_wanted(resource)]

    def condition(self, name: str) -> bool:
        """Whether the condition of this name holds."""
        if name not in self._conditions:
            if name not in self.template.conditions:
                raise ValidationError(f"Template error: unresolved condition dependency {name} in Fn::If")
            self._conditions[name] = self.holds(self.template.conditions[name])
        return self._conditions[name]

    def holds(self, value: Any) -> bool:
        """Whether a condition holds that stands there itself."""
        match value:
            case {"Condition": str(name)} if len(value) == 1:
                return self.condition(name)
            case {"Fn::And": list(parts)} if 2 <= len(parts) <= 10:
                return all(self.holds(part) for part in parts)
            case {"Fn::Or": list(parts)} if 2 <= len(parts) <= 10:
                return any(self.holds(part) for part in parts)
            case {"Fn::Not": [part]}:
                return not self.holds(part)
            case {"Fn::Equals": [one, other]}:
                return bool(self._compared(one) == self._compared(other))
        raise ValidationError(
            "Template error: every condition must be Fn::And, Fn::Or, Fn::Not, Fn::Equals or Condition."
        )

    def _compared(self, value: Any) -> Any:
        found = self.of(value)
        if not is_known(found):
            raise ValidationError(
                "Template error: a condition can't refer to what is not known before the stack is made."
            )
        return text_of(found) if isinstance(found, str | int | float | bool) else found

    def count(self, characters: int) -> None:
        """Take note of a text that a function makes; ValidationError when there are too many of them."""
        # SECURITY: every caller who may make a stack would hold up all others, and fill the memory.
        self._characters += characters
        if self._characters > MOST_CHARACTERS:
            raise ValidationError("Template error: the functions of the template make too much text.")

    def counted(self, text: str) -> str:
        """A text that a function makes, taken note of."""
        self.count(len(text))
        return text

    def _done(self, name: str, argument: Any) -> Any:
        self._calls += 1
        if self._calls > MOST_CALLS:
            raise ValidationError("Template error: the template has too many functions.")
        if name == "Ref":
            return self.ref(argument)
        found = _FUNCTIONS.get(name)
        if found is None:
            raise ValidationError(f"Template error: function {name} can't stand here.")
        return found(self, argument)

    def ref(self, name: Any) -> Any:
        """What a name stands for."""
        if name == _NO_VALUE:
            return NOTHING
        if not isinstance(name, str):
            raise ValidationError("Template error: Ref must be a string.")
        if name in self.values:
            return self.values[name]
        if name in self.made:
            return self.made[name].physical_id
        if name in self.template.resources:
            raise NotKnown(name)
        raise malformed(f"Unresolved resource dependencies [{name}] in the Resources block of the template")

    def attribute(self, logical_id: str, name: str) -> Any:
        """An attribute of a resource."""
        if logical_id not in self.template.resources:
            raise ValidationError(f"Template error: instance of Fn::GetAtt references undefined resource {logical_id}")
        made = self.made.get(logical_id)
        if made is None or name not in made.attributes:
            raise NotKnown(f"{logical_id}.{name}")
        return plain(made.attributes[name], f"{logical_id}.{name}")

    def argument(self, value: Any) -> Any:
        """An argument of a function, all of which must be known."""
        found = self.of(value)
        if not is_known(found):
            raise NotKnown
        return found

    def text(self, value: Any, function: str) -> str:
        """The same, which is a text."""
        return _scalar(self.argument(value), function)


def plain(value: Any, name: str) -> Any:
    """A value that stands in no template and no parameter; ValidationError for one with a dynamic reference."""
    # SECURITY: it would be resolved as whoever works on the stack, and whoever the value comes from may not.
    if dynamic.has_any(value):
        raise ValidationError(f"Template error: the value of {name} has a dynamic reference")
    return value


def is_known(value: Any) -> bool:
    """Whether nothing within a value is still to be evaluated."""
    return all(function_of(mapping) is None for mapping in mappings_in(value))


def _scalar(value: Any, function: str) -> str:
    if not isinstance(value, str | int | float | bool):
        raise ValidationError(f"Template error: every value in {function} must be a string.")
    return text_of(value)


def text_of(value: Any) -> str:
    """A scalar as text: `true` and not `True`."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _get_att(scope: Scope, argument: Any) -> Any:
    match argument.split(".", 1) if isinstance(argument, str) else argument:
        case [str(logical_id), name]:
            return scope.attribute(logical_id, scope.text(name, "Fn::GetAtt"))
    raise ValidationError("Template error: every Fn::GetAtt object requires two non-empty parameters.")


def _sub(scope: Scope, argument: Any) -> Any:
    own: Mapping[str, Any] = {}
    match argument:
        case str(text):
            pass
        case [str(text), dict(own)]:
            pass
        case _:
            raise ValidationError(
                "Template error: every Fn::Sub object requires a string, or a list of a string and a map of values."
            )
    # Once for all places that name it: what stands within it may do the same.
    names = _names(text)
    values = {name: scope.text(value, "Fn::Sub") for name, value in own.items() if name in names}
    return PLACEHOLDER.sub(lambda match: scope.counted(_placed(scope, match, values)), text)


def _names(text: str) -> frozenset[str]:
    return frozenset(match[2].strip() for match in PLACEHOLDER.finditer(text) if not match[1])


def _placed(scope: Scope, match: re.Match[str], own: Mapping[str, str]) -> str:
    is_literal, name = match[1], match[2].strip()
    if is_literal:
        return "${" + match[2] + "}"
    if name in own:
        return own[name]
    value = _get_att(scope, name) if "." in name else scope.ref(name)
    if isinstance(value, list | Mapping | _Nothing):
        raise ValidationError(f"Template error: variable {name} in Fn::Sub expression does not resolve to a string")
    return text_of(value)


def _join(scope: Scope, argument: Any) -> str:
    match argument:
        case [str(between), parts]:
            found = scope.argument(parts)
            if isinstance(found, list):
                texts = [scope.counted(_scalar(part, "Fn::Join")) for part in found]
                scope.count(len(between) * len(texts))
                return between.join(texts)
    raise ValidationError(
        "Template error: every Fn::Join object requires two parameters, (1) a string delimiter and (2) a list of "
        "strings to be joined or a function that returns a list of strings (such as Fn::GetAZs) to be joined."
    )


def _select(scope: Scope, argument: Any) -> Any:
    match argument:
        case [index, values]:
            number = scope.text(index, "Fn::Select")
            # One element may be known though another is not.
            found = [one for one in map(scope.of, values) if one is not NOTHING] if isinstance(values, list) else None
            found = scope.argument(values) if found is None else found
            if number.isascii() and number.isdigit() and isinstance(found, list):
                if int(number) >= len(found):
                    raise ValidationError(
                        f"Template error: Fn::Select cannot select nonexistent value at index {number}"
                    )
                # It is done already: doing it again would double the work with each function within.
                if not is_known(found[int(number)]):
                    raise NotKnown
                return found[int(number)]
    raise ValidationError("Template error: every Fn::Select object requires two non-empty parameters.")


def _split(scope: Scope, argument: Any) -> list[str]:
    match argument:
        case [str(between), text] if between:
            return scope.counted(scope.text(text, "Fn::Split")).split(between)
    raise ValidationError("Template error: every Fn::Split object requires two parameters, a delimiter and a string.")


def _if(scope: Scope, argument: Any) -> Any:
    match argument:
        case [str(name), yes, no]:
            return scope.of(yes if scope.condition(name) else no)
    raise ValidationError("Template error: Fn::If requires a list argument with three members.")


def _find_in_map(scope: Scope, argument: Any) -> Any:
    default: Any = None
    match argument:
        case [name, top, second]:
            pass
        case [name, top, second, {"DefaultValue": default}]:
            pass
        case _:
            raise ValidationError("Template error: every Fn::FindInMap object requires three parameters.")
    keys = [scope.text(key, "Fn::FindInMap") for key in (name, top, second)]
    found: Any = scope.template.mappings.get(keys[0], {}).get(keys[1], {}).get(keys[2])
    if found is None and default is not None:
        return scope.of(default)
    if found is None:
        shown = "::".join(keys)
        raise ValidationError(f"Template error: Unable to get mapping for {shown}")
    return found


def _import_value(scope: Scope, argument: Any) -> str:
    name = scope.text(argument, "Fn::ImportValue")
    return str(plain(scope.imported(name), name))


def _base64(scope: Scope, argument: Any) -> str:
    return scope.counted(base64.b64encode(scope.text(argument, "Fn::Base64").encode()).decode())


def _cidr(scope: Scope, argument: Any) -> list[str]:
    match argument:
        case [_, _, _]:
            block, count, bits = [scope.text(value, "Fn::Cidr") for value in argument]
        case _:
            raise ValidationError("Template error: every Fn::Cidr object requires three parameters.")
    try:
        return _cut(ipaddress.ip_network(block), int(count), int(bits))
    except ValueError as error:
        raise ValidationError(f"Template error: Fn::Cidr can't divide {block}: {error}") from error


def _cut(network: ipaddress.IPv4Network | ipaddress.IPv6Network, count: int, bits: int) -> list[str]:
    # AWS: cidrBits is the number of subnet bits, the inverse of the mask (Template Reference, "Fn::Cidr").
    if not 1 <= count <= MOST_CIDRS:
        raise ValueError("the count must be from 1 to 256")
    length = network.max_prefixlen - bits
    if not network.prefixlen <= length <= network.max_prefixlen or count > 2 ** (length - network.prefixlen):
        raise ValueError("it has not so many parts")
    subnets = network.subnets(new_prefix=length)
    return [str(next(subnets)) for _ in range(count)]


def _get_azs(scope: Scope, argument: Any) -> list[str]:
    region = scope.text(argument, "Fn::GetAZs") or scope.values["AWS::Region"]
    if region not in scope.zones:
        raise ValidationError(f"Template error: Fn::GetAZs can't tell the Availability Zones of {region}")
    return list(scope.zones[region])


def _length(scope: Scope, argument: Any) -> int:
    found = scope.argument(argument)
    if not isinstance(found, list):
        raise ValidationError("Template error: Fn::Length needs a list.")
    return len(found)


def _to_json_string(scope: Scope, argument: Any) -> str:
    found = scope.argument(argument)
    if not isinstance(found, list | Mapping):
        raise ValidationError("Template error: Fn::ToJsonString needs an object or a list.")
    return scope.counted(msgspec.json.encode(found).decode())


_FUNCTIONS: Final[Mapping[str, Callable[[Scope, Any], Any]]] = {
    "Fn::Base64": _base64,
    "Fn::Cidr": _cidr,
    "Fn::FindInMap": _find_in_map,
    "Fn::GetAZs": _get_azs,
    "Fn::GetAtt": _get_att,
    "Fn::If": _if,
    "Fn::ImportValue": _import_value,
    "Fn::Join": _join,
    "Fn::Length": _length,
    "Fn::Select": _select,
    "Fn::Split": _split,
    "Fn::Sub": _sub,
    "Fn::ToJsonString": _to_json_string,
}
