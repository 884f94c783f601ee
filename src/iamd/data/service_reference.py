"""What AWS's Service Authorization Reference says of each service: its actions, resource types and condition keys.

Services go by their action prefix (`s3`, `elasticloadbalancing`); each is read from the pack when first asked for.
"""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

import msgspec

from iamd.data.pack import Pack
from iamd.data.typing_errors import typing_errors

PACK = Path(__file__).with_name("service_reference.pack")

# A part of a key's name that a request fills in: `aws:RequestTag/${TagKey}`, `s3:ExistingObjectTag/<key>`.
_PLACEHOLDER = re.compile(r"\$\{[^}]*\}|<[^>]*>")

_SHORT = 8


class ActionResource(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A resource type that an action acts on; `required` is the reference's `*` beside it."""

    name: str
    required: bool
    condition_keys: tuple[str, ...]
    dependent_actions: tuple[str, ...]


class Action(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One action, as `PutObject`; the access level is the reference's: List, Read, Write, or one with Tagging
    or Permissions management before `, Write`.
    """

    name: str
    access_level: str
    resources: tuple[ActionResource, ...]
    condition_keys: tuple[str, ...]
    dependent_actions: tuple[str, ...]

    @property
    def wildcard_only(self) -> bool:
        """True when the action has no resource type: a policy can allow it on `*` alone."""
        return not self.resources

    @property
    def every_condition_key(self) -> frozenset[str]:
        """The keys of the action and of all its resource types."""
        return frozenset(self.condition_keys).union(*(resource.condition_keys for resource in self.resources))


class ResourceType(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One resource type and its ARN with placeholders, as `arn:${Partition}:s3:::${BucketName}/${ObjectName}`."""

    name: str
    arn: str
    condition_keys: tuple[str, ...]

    def names(self, arn: str) -> bool:
        """True when `arn` has this form, or one of these forms."""
        return any(_pattern(form).fullmatch(arn) for form in self.arn.split(", "))


class ConditionKey(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One condition key; the type is String, ARN, Bool, Numeric, Date, IPAddress, or ArrayOf one of these."""

    name: str
    type: str

    @property
    def multivalued(self) -> bool:
        """True when a request can carry several values of the key at once."""
        return self.type.startswith("ArrayOf")

    def names(self, key: str) -> bool:
        """True when `key`, as a request carries it, is this key; case does not matter."""
        if "${" not in self.name and "<" not in self.name:
            return key.lower() == self.name.lower()
        return _pattern(self.name).fullmatch(key) is not None


class ServiceReference(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One service; its maps go by lower-case names, because AWS's names of actions and keys have no case."""

    prefix: str
    name: str
    # Resource control policies reach this service (Organizations User Guide, orgs_manage_policies_rcps).
    resource_control_policies: bool
    actions: Mapping[str, Action]
    resource_types: Mapping[str, ResourceType]
    condition_keys: Mapping[str, ConditionKey]

    def action(self, name: str) -> Action | None:
        """The action of that name in whatever case, or None."""
        return self.actions.get(name.lower())

    def nearest(self, name: str) -> Action | None:
        """The one action that a name is with the fewest typing errors: at most two, one in a short name."""
        most = 1 if len(name) < _SHORT else 2
        errors = {known: typing_errors(name.lower(), known, most) for known in self.actions}
        fewest = min(errors.values(), default=most + 1)
        near = [known for known, number in errors.items() if number == fewest]
        return self.actions[near[0]] if fewest <= most and len(near) == 1 else None

    def resource_type(self, name: str) -> ResourceType | None:
        """The resource type of that name in whatever case, or None."""
        return self.resource_types.get(name.lower())

    def condition_key(self, key: str) -> ConditionKey | None:
        """What the reference says of a key as a request carries it, `aws:RequestTag/team` too, or None."""
        exact = self.condition_keys.get(key.lower())
        return exact or next((known for known in self.condition_keys.values() if known.names(key)), None)

    def spelling(self, key: str) -> str:
        """The key in the reference's spelling, as far as that goes: what fills a placeholder stays as it is."""
        known = self.condition_key(key)
        if known is None:
            return key
        named = _PLACEHOLDER.split(known.name)
        return known.name if len(named) == 1 else named[0] + key[len(named[0]) :]

    @property
    def wildcard_only_actions(self) -> tuple[str, ...]:
        """The names of the actions that no resource type belongs to."""
        return tuple(action.name for action in self.actions.values() if action.wildcard_only)


class Catalogue(msgspec.Struct, frozen=True, array_like=True):
    """The pack's index: when AWS's data were read, and the block of each service."""

    version: str
    blocks: dict[str, int]


def version() -> str:
    """The version of the source that the pack was built from."""
    return _pack().index.version


def prefixes() -> Mapping[str, int]:
    """Every action prefix that the reference knows, in the order of their names."""
    return MappingProxyType(_pack().index.blocks)


def service(prefix: str) -> ServiceReference | None:
    """The service of that action prefix, in whatever case, or None when the reference has none."""
    known = prefix.lower()
    return _service(known) if known in _pack().index.blocks else None


def action(prefix: str, name: str) -> Action | None:
    """The action `prefix:name`, in whatever case, or None when the reference has none."""
    reference = service(prefix)
    return reference.action(name) if reference else None


@cache
def _pack() -> Pack[Catalogue]:
    return Pack(PACK, Catalogue)


@cache
def _service(prefix: str) -> ServiceReference:
    # Only prefixes of the index come here, so that what clients send cannot fill the cache.
    content = _pack().block(_pack().index.blocks[prefix])
    return msgspec.msgpack.decode(content, type=ServiceReference)


@cache
def _pattern(name: str) -> re.Pattern[str]:
    return re.compile(".+".join(map(re.escape, _PLACEHOLDER.split(name))), re.IGNORECASE | re.DOTALL | re.ASCII)
