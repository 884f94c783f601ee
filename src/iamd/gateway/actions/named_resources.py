"""What a request to a service without a table is for, of the resource types that its action has.

A required type is never left out: where nothing surely names it, all of its kind are decided, beside what was found.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Final, NamedTuple

from iamd.gateway.actions import resource_kinds, tags
from iamd.gateway.actions.asked import Asked
from iamd.gateway.actions.resource_kinds import PLACES, Form, Kind
from iamd.wire.models import Operation
from iamd.wire.shapes import Member

_LISTS: Final = ("Describe", "List", "Search")
_OF_WHATEVER: Final = frozenset(
    {"arn", "id", "identifier", "name", "resource", "resourceid", "resourcename", "resourcepath", "uuid"}
)
_PLAIN_NAMES: Final = frozenset({"id", "identifier", "name"})
# Members that name nothing, whatever they hold.
_SILENT: Final = re.compile(r"(?:description|comment|nexttoken|clienttoken|clientrequesttoken|marker)\Z")


class Resource(NamedTuple):
    """One thing that is decided; `any_of_kind` and `makes` are those of `Target`."""

    arn: str
    any_of_kind: bool = False
    makes: bool = False


class Given(NamedTuple):
    """A text in the request: the member that holds it, in lower case, and whether that is within another one."""

    member: str
    value: str
    within: bool

    @property
    def is_arn(self) -> bool:
        """Whether it is written as an ARN is."""
        return self.value.startswith("arn:") and self.value.count(":") >= 5


class _Name(NamedTuple):
    """An ARN of a kind, and whether it is surely what the operation acts on."""

    arn: str
    is_sure: bool


class _Filled(NamedTuple):
    """The ARNs of one form that parameters make, and their members."""

    arns: tuple[str, ...]
    members: frozenset[str]


def of(action: str, asked: Asked) -> list[Resource]:
    """What is decided, what is made first; `*` where the action has no resource type, or no required one is told."""
    return _Request(asked, action).resources()


class _Request:
    """One request, and what of it names which kind."""

    def __init__(self, asked: Asked, action: str) -> None:
        self._asked = asked
        self._kinds = kinds = resource_kinds.of(action)
        self._made = resource_kinds.made_by(action)
        self._given = list(_texts(asked.parameters))
        self._required = _required(asked.operation)
        self._filled = {form: _fill(form, self._given, asked) for kind in kinds for form in kind.forms}
        self._open = [one.member for one in self._given if self._may_name_anything(one)]

    def resources(self) -> list[Resource]:
        """All of them, each once."""
        named = {kind: self._names(kind) for kind in self._kinds}
        is_for_one = self._names_the_resource() and any(named.values())
        missing = [] if is_for_one else [kind for kind, names in named.items() if self._is_missing(kind, names)]
        found = [Resource(one.arn, makes=kind in self._made) for kind, names in named.items() for one in names]
        found += [one for kind in missing for one in self._all_of(kind)]
        if self._needs_everything([one for names in named.values() for one in names]):
            found.append(self._everything())
        return sorted(dict.fromkeys(found), key=lambda one: (not one.makes, one.any_of_kind, one.arn))

    def _is_missing(self, kind: Kind, names: Sequence[_Name]) -> bool:
        if kind.required:
            return not any(one.is_sure for one in names)
        return not names and any(kind.is_spoken_of(one.member) for one in self._given)

    def _needs_everything(self, names: Sequence[_Name]) -> bool:
        """Whether the action is on one of several types, and nothing surely names that one."""
        return not any(kind.required for kind in self._kinds) and not any(one.is_sure for one in names)

    def _everything(self) -> Resource:
        makes = bool(self._kinds) and all(kind in self._made for kind in self._kinds)
        return Resource("*", bool(self._kinds) and not makes and self._is_for_some(), makes)

    def _all_of(self, kind: Kind) -> Iterator[Resource]:
        makes = kind in self._made
        is_any = self._names_what_is_made(kind) if makes else self._is_for_some()
        for form in kind.forms:
            yield Resource(form.of_all(self._asked.place), is_any, makes)

    def _names_what_is_made(self, kind: Kind) -> bool:
        """Whether a text may be the name of what is made, under another name than its ARN has for it."""
        return any(member in _PLAIN_NAMES or kind.is_spoken_of(member) for member in self._open)

    def _is_for_some(self) -> bool:
        """Whether what the request does not tell is which one it is for.

        AWS: what lists is decided on all of a kind as such; unless a text may name one of them.
        """
        return bool(self._open) or not self._asked.operation.name.startswith(_LISTS)

    def _names(self, kind: Kind) -> list[_Name]:
        """What in the request has the form of a kind's ARNs, and what its parameters make of that."""
        found = [
            _Name(one.value, self._is_sure(kind, one)) for one in self._given if one.is_arn and kind.fits(one.value)
        ]
        for form in kind.forms:
            filled = self._filled[form]
            if filled is not None:
                is_sure = not self._is_leaf_shared(form) and self._is_told_by(filled.members, kind)
                found += [_Name(arn, is_sure) for arn in filled.arns]
        return found

    def _is_told_by(self, members: frozenset[str], kind: Kind) -> bool:
        """Whether members tell what the operation acts on: it can't do without them, or nothing else may tell it."""
        return members <= self._required or not self._may_be_renamed(kind)

    def _may_be_renamed(self, kind: Kind) -> bool:
        """Whether something else in the request may name one of this kind: what speaks of another kind does not."""
        return any(
            kind.is_spoken_of(member) or not any(one.is_spoken_of(member) for one in self._kinds)
            for member in self._open
        )

    def _is_sure(self, kind: Kind, one: Given) -> bool:
        # SECURITY: an ARN may stand for something else than what is acted on (SES's `ReturnPathArn`), or be passed over
        # for a name beside it.
        if one.within or kind not in resource_kinds.closest(one.value, self._kinds):
            return False
        if not kind.is_within(one.value, self._asked.place):
            return False
        if kind.is_called(one.member):
            return self._is_told_by(frozenset((one.member,)), kind)
        return one.member in self._required and not self._may_be_renamed(kind)

    def _is_leaf_shared(self, form: Form) -> bool:
        """Whether the parameter at the ARN's end is one (`Id`) that ends those of another required type as well."""
        if form.leaf not in _OF_WHATEVER:
            return False
        others = (other for kind in self._kinds if kind.required for other in kind.forms)
        return any(one.leaf == form.leaf and one.parts != form.parts for one in others)

    def _names_the_resource(self) -> bool:
        """Whether a `ResourceArn` is all that the operation asks for: then it is on that one, whatever its type."""
        wanted = [name for name in self._required if not tags.speaks_of_tags(name)]
        return len(wanted) == 1 and resource_kinds.names_any(wanted[0]) and not self._open

    def _may_name_anything(self, one: Given) -> bool:
        """Whether nobody can tell that a text is not another name of what the operation acts on."""
        if one.within or any(one.member in filled.members for filled in self._filled.values() if filled is not None):
            return False
        if one.is_arn:
            # An ARN of another service is of something else.
            services = {form.service for kind in self._kinds for form in kind.forms}
            is_of_kind = any(kind.fits(one.value) for kind in self._kinds)
            return not is_of_kind and one.value.split(":", 3)[2] in services
        member = _members(self._asked.operation).get(one.member)
        return member is None or not (_is_choice(member) or member.idempotency_token or _SILENT.search(one.member))


def _texts(parameters: Mapping[str, Any]) -> Iterator[Given]:
    """Every text of a request but those of tags; items of a list are their member's."""
    for name, value in parameters.items():
        if not tags.speaks_of_tags(name):
            yield from _within(name.lower(), value, within=False)


def _within(member: str, value: Any, *, within: bool) -> Iterator[Given]:
    if isinstance(value, str) and value:
        yield Given(member, value, within)
    elif isinstance(value, list):
        for item in value:
            yield from _within(member, item, within=within)
    elif isinstance(value, Mapping):
        for name, item in value.items():
            yield from _within(str(name).lower(), item, within=True)


def _fill(form: Form, given: Sequence[Given], asked: Asked) -> _Filled | None:
    """The ARNs when each placeholder is a parameter of the same name; of at most one a list."""
    names = [part for part in form.parts[1::2] if part not in PLACES]
    values = {name: [one.value for one in given if one.member == name and not one.within] for name in names}
    if any(not texts or any(text.startswith("arn:") for text in texts) for texts in values.values()):
        return None
    if sum(len(texts) > 1 for texts in values.values()) > 1:
        return None
    count = max(map(len, values.values()), default=1)
    arns = []
    for index in range(count):
        chosen = {**asked.place, **{name: texts[index % len(texts)] for name, texts in values.items()}}
        arns.append("".join(part if place % 2 == 0 else chosen[part] for place, part in enumerate(form.parts)))
    return _Filled(tuple(arns), frozenset(names))


def _is_choice(member: Member) -> bool:
    shape = member.shape
    return bool(shape.enum or (shape.type == "list" and shape.element.shape.enum))


@cache
def _members(operation: Operation) -> Mapping[str, Member]:
    shape = operation.input
    return {name.lower(): member for name, member in shape.members.items()} if shape is not None else {}


@cache
def _required(operation: Operation) -> frozenset[str]:
    shape = operation.input
    return frozenset(map(str.lower, shape.required)) if shape is not None else frozenset()
