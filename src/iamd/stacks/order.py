"""Order: what each resource rests on, checked against what the template has, and the order in which they are made."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from iamd.stacks import handlers
from iamd.stacks.faults import ValidationError, malformed
from iamd.stacks.functions import PLACEHOLDER, Scope
from iamd.stacks.template import Template, depends_on, function_of

PSEUDO: Final = frozenset(
    f"AWS::{name}"
    for name in (
        "AccountId", "NoValue", "NotificationARNs", "Partition", "Region", "StackId", "StackName", "URLSuffix",
    )
)  # fmt: skip


def check(template: Template) -> None:
    """Every name stands for something: ValidationError in AWS's words otherwise."""
    named = template.resources.keys() | template.parameters.keys() | PSEUDO
    for section, content in (("Resources", template.resources), ("Outputs", template.outputs)):
        referred = set(references(content))
        missing = sorted({name for name, attribute in referred if attribute is None} - named)
        if missing:
            raise malformed(
                f"Unresolved resource dependencies [{', '.join(missing)}] in the {section} block of the template"
            )
        for name, attribute in sorted((name, found) for name, found in referred if found is not None):
            _check_attribute(template, name, attribute)
        _check_conditions(template, section, content)
    _check_condition_references(template)
    for resource in template.resources.values():
        for other in depends_on(resource):
            if other not in template.resources:
                raise malformed(f"Unresolved resource dependencies [{other}] in the Resources block of the template")
    dependencies(template, list(template.resources))


def _check_attribute(template: Template, name: str, attribute: str) -> None:
    resource = template.resources.get(name)
    if resource is None:
        raise ValidationError(f"Template error: instance of Fn::GetAtt references undefined resource {name}")
    if attribute and not handlers.has_attribute(resource["Type"], attribute):
        raise ValidationError(
            f"Template error: resource {name} does not support attribute type {attribute} in Fn::GetAtt"
        )


def _check_conditions(template: Template, section: str, content: Mapping[str, Mapping[str, Any]]) -> None:
    for name, entry in content.items():
        condition = entry.get("Condition")
        if condition is not None and condition not in template.conditions:
            raise malformed(
                f"Unresolved condition dependency {condition} in the {section} block of the template: {name}"
            )


def _check_condition_references(template: Template) -> None:
    known = template.parameters.keys() | PSEUDO
    for name, attribute in references(template.conditions):
        if attribute is not None or name not in known:
            raise malformed(
                f"Unresolved dependencies [{name}]. Cannot reference resources in the Conditions block of the template"
            )
    for name in template.conditions:
        _walk_conditions(template, name, ())


def _walk_conditions(template: Template, name: str, path: tuple[str, ...]) -> None:
    if name in path:
        raise malformed(f"Circular dependency between conditions: [{', '.join(sorted(path))}]")
    if name not in template.conditions:
        raise malformed(f"Unresolved condition dependency {name} in the Conditions block of the template")
    for other in _conditions_in(template.conditions[name]):
        _walk_conditions(template, other, (*path, name))


def _conditions_in(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        if value.keys() == {"Condition"} and isinstance(value["Condition"], str):
            yield value["Condition"]
        else:
            for inner in value.values():
                yield from _conditions_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _conditions_in(inner)


def references(value: Any) -> Iterator[tuple[str, str | None]]:
    """The names that a value refers to: each with None for `Ref`, or the attribute (empty when not known yet)."""
    match function_of(value):
        case ("Ref", str(name)):
            yield name, None
        case ("Fn::GetAtt", argument):
            yield from _of_attribute(argument)
        case ("Fn::Sub", argument):
            yield from _of_text(argument)
        case _:
            inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
            for one in inner:
                yield from references(one)


def _of_attribute(argument: Any) -> Iterator[tuple[str, str | None]]:
    match argument.split(".", 1) if isinstance(argument, str) else argument:
        case [str(name), str(attribute)]:
            yield name, attribute
        case [str(name), other]:
            yield name, ""
            yield from references(other)
        case _:
            raise ValidationError("Template error: every Fn::GetAtt object requires two non-empty parameters.")


def _of_text(argument: Any) -> Iterator[tuple[str, str | None]]:
    text, own = (argument, {}) if isinstance(argument, str) else (argument[0], argument[1:]) if argument else ("", {})
    names = own[0].keys() if isinstance(own, list) and own and isinstance(own[0], Mapping) else ()
    for is_literal, placed in PLACEHOLDER.findall(text) if isinstance(text, str) else ():
        name, dot, attribute = placed.strip().partition(".")
        if not is_literal and placed.strip() not in names:
            yield name, attribute if dot else None
    yield from references(list(own) if isinstance(own, list) else [])


def dependencies(template: Template, wanted: list[str], scope: Scope | None = None) -> dict[str, tuple[str, ...]]:
    """What each wanted resource rests on, in an order in which they can be made; ValidationError names a circle."""
    among = set(wanted)
    rests = {name: _rests_on(template.resources[name], among, scope) for name in wanted}
    ordered: dict[str, tuple[str, ...]] = {}
    waiting = dict(rests)
    while waiting:
        ready = [name for name, on in waiting.items() if on <= ordered.keys()]
        if not ready:
            raise ValidationError(f"Circular dependency between resources: [{', '.join(_circle(waiting))}]")
        for name in ready:
            ordered[name] = tuple(sorted(waiting.pop(name)))
    return ordered


def _circle(waiting: Mapping[str, frozenset[str]]) -> list[str]:
    """The resources of the circles: those that nothing but what rests on them rests on are left out."""
    left = dict(waiting)
    while True:
        needed = {other for on in left.values() for other in on}
        outside = [name for name in left if name not in needed]
        if not outside:
            return sorted(left)
        for name in outside:
            del left[name]


def _rests_on(resource: Mapping[str, Any], among: set[str], scope: Scope | None) -> frozenset[str]:
    properties = resource.get("Properties", {})
    # A branch of Fn::If that is not taken rests on nothing. What is referred to counts though its value is known, as it
    # is in an update: the other resource is changed first, and may be another one then.
    taken = scope.taken(properties) if scope is not None else properties
    named = {name for name, _ in references(taken)} | set(depends_on(resource))
    return frozenset(named & among)
