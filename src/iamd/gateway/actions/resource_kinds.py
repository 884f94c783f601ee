"""The resource types of an action, as AWS's Service Authorization Reference has them, to tell ARNs and members by."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from iamd.data import service_reference
from iamd.gateway.actions.forms import ACCOUNT

PLACES: Final = frozenset({"partition", "region", "account"})
_PLACEHOLDER: Final = re.compile(r"\$\{([^}]*)\}")
_PLAIN: Final = re.compile(r"[^a-z0-9]")
_ARN: Final = re.compile(r"(?:arns?|arnlist)\Z")
_SHORTEST: Final = 4
"""Letters that a shortened name of a type has: `template` for `jobtemplate`."""


@dataclass(frozen=True, slots=True, eq=False)
class Form:
    """One form of a type's ARNs, split at its placeholders; the odd parts are their names, in lower case."""

    parts: tuple[str, ...]
    pattern: re.Pattern[str]

    @property
    def service(self) -> str:
        """The service in the ARN."""
        return self.parts[2].split(":")[1]

    @property
    def fixed(self) -> int:
        """How much of it does not depend on the resource."""
        return sum(map(len, self.parts[::2]))

    @property
    def leaf(self) -> str | None:
        """The placeholder at its end."""
        return self.parts[-2] if self.parts[-1] == "" and self.parts[-2] not in PLACES else None

    def of_all(self, place: Mapping[str, str]) -> str:
        """The ARN that stands for all of the kind in a place."""
        filled = (place[part] if part in PLACES else "*" for part in self.parts[1::2])
        return "".join(part for pair in zip(self.parts[::2], [*filled, ""], strict=True) for part in pair)


@dataclass(frozen=True, slots=True, eq=False)
class Kind:
    """A resource type of an action, its name in lower-case letters and digits alone."""

    name: str
    required: bool
    forms: tuple[Form, ...]

    def fits(self, arn: str) -> int:
        """How closely the ARN has a form of this kind; 0 when it has none."""
        return max((form.fixed for form in self.forms if form.pattern.fullmatch(arn)), default=0)

    def is_within(self, arn: str, place: Mapping[str, str]) -> bool:
        """Whether the ARN is of this partition and Region, and of an account, where ARNs of this kind are.

        SECURITY: a backend may look at an ARN's end alone, and no policy names what stands before it otherwise.
        """
        return any(form.pattern.fullmatch(arn) and _is_placed(form, arn, place) for form in self.forms)

    def is_called(self, member: str) -> bool:
        """Whether a member for ARNs is called by this kind, or by none (`ResourceArn`)."""
        stem = _ARN.sub("", member)
        if stem in {*OF_ANY_KIND, self.name, f"{self.name}s"}:
            return True
        return len(stem) >= _SHORTEST and self.name.endswith(stem)

    def is_spoken_of(self, member: str) -> bool:
        """Whether a member's name is that of this kind, of its names, or of several of it."""
        return _naming(self.name).search(member) is not None

    def is_made_by(self, noun: str) -> bool:
        """Whether a name speaks of one of this kind, of several, or of a sort of it: `cachecluster` of a `cluster`."""
        return any(text.endswith(name) for text in (noun, f"{noun}s") for name in (self.name, f"{self.name}s"))


OF_ANY_KIND: Final = frozenset({"", "resource"})
"""What members for ARNs of any kind are called, without the `Arn`."""


def names_any(member: str) -> bool:
    """Whether a member is for the ARN of a resource of whatever kind."""
    return _ARN.search(member) is not None and _ARN.sub("", member) in OF_ANY_KIND


def closest(arn: str, kinds: Sequence[Kind]) -> list[Kind]:
    """The kinds whose form the ARN has most closely: `bucket/a/index/b` is an index, though a bucket's form fits."""
    degrees = [kind.fits(arn) for kind in kinds]
    best = max(degrees, default=0)
    return [kind for kind, degree in zip(kinds, degrees, strict=True) if best and degree == best]


def _is_placed(form: Form, arn: str, place: Mapping[str, str]) -> bool:
    found = arn.split(":", 5)
    wanted = "".join(form.parts).split(":", 5)
    if found[1] != place["partition"] or (wanted[3] == "region" and found[3] != place["region"]):
        return False
    return wanted[4] != "account" or ACCOUNT.fullmatch(found[4]) is not None


@cache
def of(action: str) -> tuple[Kind, ...]:
    """The resource types of an action of the reference."""
    prefix, _, name = action.partition(":")
    reference = service_reference.service(prefix)
    entry = reference.action(name) if reference is not None else None
    if reference is None or entry is None:
        return ()
    known = ((one, reference.resource_type(one.name)) for one in entry.resources)
    return tuple(
        Kind(_PLAIN.sub("", one.name.lower()), one.required, tuple(map(_form, found.arn.split(", "))))
        for one, found in known
        if found is not None
    )


@cache
def _tagged_of(service: str) -> tuple[tuple[Kind, bool], ...]:
    """The resource types of a service, each with whether any of its tags is a condition key of it or of its actions."""
    reference = service_reference.service(service)
    if reference is None:
        return ()
    by_action: set[str] = set()
    for action in reference.actions.values():
        for one in action.resources:
            if _speak_of_tags(action.condition_keys) or _speak_of_tags(one.condition_keys):
                by_action.add(one.name.lower())
    return tuple(
        (
            Kind(one.name, False, tuple(map(_form, one.arn.split(", ")))),
            one.name.lower() in by_action or _speak_of_tags(one.condition_keys),
        )
        for one in reference.resource_types.values()
    )


def _speak_of_tags(keys: Sequence[str]) -> bool:
    return any("tag/" in key.lower() and "requesttag/" not in key.lower() for key in keys)


def has_no_tags(arn: str) -> bool:
    """Whether an ARN is of a type that has no tags: the Service Authorization Reference gives it no key for them.

    SECURITY: of an ARN that may be of several types none may have any, and of one of no known type nobody can tell.
    """
    kinds = _tagged_of(arn.split(":", 3)[2])
    found = closest(arn, [kind for kind, _ in kinds])
    return bool(found) and not any(is_tagged for kind, is_tagged in kinds if kind in found)


@cache
def made_by(action: str) -> frozenset[Kind]:
    """The kinds of which an action makes one: `CreateCacheCluster` a `cluster`.

    SECURITY: what it makes something for or of is there, as CreateGlobalReplicationGroup's `replicationgroup` is.
    """
    kinds, name = of(action), action.partition(":")[2]
    if action in _OTHERWISE:
        return frozenset(kind for kind in kinds if kind.name in _OTHERWISE[action])
    if not name.startswith("Create") or _OF_ONE.match(name):
        return frozenset()
    noun = _BEHIND.split(name.removeprefix("Create"))[0].lower()
    found = [kind for kind in kinds if kind.is_made_by(noun)]
    longest = max((len(kind.name) for kind in found), default=0)
    return frozenset(kind for kind in found if len(kind.name) == longest)


# The kinds that are made by actions whose names don't say so; AWS: Service Authorization Reference.
_OTHERWISE: Final = {
    "cassandra:Create": ("keyspace", "table"),
    "cassandra:CreateMultiRegionResource": ("keyspace", "table"),
    # A stream is made within a group that is there, and that policies of resources are about.
    "logs:CreateLogStream": (),
}
_OF_ONE: Final = re.compile("Create(?:Replica|Updated)(?=[A-Z])")
_BEHIND: Final = re.compile(r"(?<=[a-z])(?:For|From|Using)(?=[A-Z])")


def _form(template: str) -> Form:
    parts = _PLACEHOLDER.split(template)
    text = [re.escape(part) if index % 2 == 0 else _loose(part) for index, part in enumerate(parts)]
    lowered = [part if index % 2 == 0 else part.lower() for index, part in enumerate(parts)]
    return Form(tuple(lowered), re.compile("".join(text), re.DOTALL))


def _loose(placeholder: str) -> str:
    return "[^:/]*" if placeholder.lower() in PLACES else ".+"


@cache
def _naming(kind: str) -> re.Pattern[str]:
    return re.compile(rf"{re.escape(kind)}(?:e?s)?(?:names?|ids?|identifiers?|arns?|list)?(?:to[a-z]+)?\Z")
