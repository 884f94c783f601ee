"""Kind: what one type of resource does; its parts are what is set, added and taken away once the resource is there."""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Final

from iamd.stacks import shaping
from iamd.stacks.client import Client, RequestFailed
from iamd.stacks.errors import InvalidProperties
from iamd.stacks.resources import Made, Wanted

_GONE: Final = ("NoSuch", "NotFound", "NonExistent", "DoesNotExist")
_SUFFIX: Final = 13

Step = Callable[["Work"], Coroutine[Any, Any, None]]
ItemStep = Callable[["Work", Any], Coroutine[Any, Any, None]]


def is_gone(error: RequestFailed) -> bool:
    """Whether a service says that there is no such thing."""
    return 400 <= error.status < 500 and (error.code == "404" or any(word in error.code for word in _GONE))


@dataclass(slots=True)
class Work:
    """One resource that is being made (`old` is None), changed, or removed (`new` is None)."""

    client: Client
    old: Wanted | None
    new: Wanted | None
    made: Made | None = None

    @property
    def wanted(self) -> Wanted:
        """The resource as it is to be, or as it was when it is to go."""
        found = self.new or self.old
        if found is None:
            raise TypeError("neither made nor removed")
        return found

    @property
    def id(self) -> str:
        """The physical id, once there is one."""
        if self.made is None:
            raise TypeError("not made yet")
        return self.made.physical_id

    def attribute(self, name: str) -> Any:
        """What Fn::GetAtt gives."""
        return self.made.attributes[name] if self.made is not None else None

    def made_as(self, physical_id: str, **attributes: Any) -> None:
        """Note that the resource is there."""
        self.made = Made(physical_id=physical_id, attributes=attributes)

    def learn(self, attributes: Mapping[str, Any]) -> None:
        """Note further attributes."""
        if self.made is not None:
            self.made = replace(self.made, attributes={**self.made.attributes, **attributes})

    def __getitem__(self, name: str) -> Any:
        return self.wanted.properties.get(name)

    def before(self, name: str) -> Any:
        """The property as it was; None when it was not, or there was no resource."""
        return self.old.properties.get(name) if self.old is not None else None

    def after(self, name: str) -> Any:
        """The property as it is to be; None when it is not to be."""
        return self.new.properties.get(name) if self.new is not None else None

    def changes(self, *names: str) -> bool:
        """Whether one of these properties is another than before."""
        return any(self.before(name) != self.after(name) for name in names)

    def given(self, *names: str, **renamed: str) -> dict[str, Any]:
        """Those of the properties that are there, by their own names or by the operation's (`property=parameter`)."""
        pairs = [(name, name) for name in names] + list(renamed.items())
        return {parameter: self[name] for name, parameter in pairs if self[name] is not None}

    def name(self, given: str, longest: int, *, lower: bool = False) -> str:
        """The name that a property gives, or one of stack, logical id and chance no longer than `longest`.

        `given` is empty where no property does.
        """
        named = self[given] if given else None
        if named is not None:
            return shaping.text(named)
        made = self.wanted.generated_name
        if len(made) > longest:
            # AWS: stack name and logical id are cut, what makes the name unique is not.
            made = made[: longest - _SUFFIX] + made[-_SUFFIX:]
        return made.lower() if lower else made

    async def call(self, service: str, operation: str, /, **parameters: Any) -> Mapping[str, Any]:
        """Call an operation with values of the template; those that are None are left out."""
        return await self.client.call(service, operation, shaping.parameters(service, operation, parameters))

    async def call_unless_gone(self, service: str, operation: str, /, **parameters: Any) -> None:
        """Call an operation that takes something away, which need not be there any more."""
        try:
            await self.call(service, operation, **parameters)
        except RequestFailed as error:
            if not is_gone(error):
                raise

    @property
    def tags(self) -> list[dict[str, str]] | None:
        """The tags of the resource, and the stack's that it has not itself; None when there are none."""
        return listed(tags_of(self.new)) or None

    def arn(self, service: str, resource: str) -> str:
        """An ARN in the stack's account and Region."""
        client = self.client
        return f"arn:{client.partition}:{service}:{client.region}:{client.account}:{resource}"


def tags_of(wanted: Wanted | None) -> dict[str, str]:
    """The tags of a resource by their keys.

    AWS puts aws:cloudformation:* tags on resources by itself; no service takes them from a request.
    """
    if wanted is None:
        return {}
    own = wanted.properties.get("Tags") or ()
    pairs = own.items() if isinstance(own, Mapping) else [(tag["Key"], tag["Value"]) for tag in own]
    found = {key: value for key, value in wanted.tags.items() if not key.lower().startswith("aws:")}
    return found | {shaping.text(key): shaping.text(value) for key, value in pairs}


def listed(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Tags as most services have them."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


class Part:
    """Something of a resource that is set, changed and taken away by requests of its own."""

    properties: tuple[str, ...] = ()
    clears = False
    """It is in the way of the resource's deletion, and taken away before."""

    async def apply(self, work: Work) -> None:
        """Make it what it is to be."""


class Setting(Part):
    """A value, or several that are set together; what has no way of being unset can only be set to something else.

    Without `on_create` the operation that makes the resource sets it.
    """

    def __init__(
        self,
        properties: tuple[str, ...],
        put: Step,
        unset: Step | None = None,
        *,
        clears: bool = False,
        on_create: bool = True,
    ) -> None:
        self.properties = properties
        self.clears = clears
        self._put, self._unset, self._on_create = put, unset, on_create

    async def apply(self, work: Work) -> None:
        """Set it when it is there and another than before; unset it when it is there no more."""
        if not work.changes(*self.properties) or (work.old is None and not self._on_create):
            return
        if any(work.after(name) is not None for name in self.properties):
            await self._put(work)
        elif self._unset is not None:
            await self._unset(work)
        elif work.new is not None:
            raise InvalidProperties(f"iamd can't take the property {self.properties[0]} away again; set it anew.")


class Items(Part):
    """A list whose items are added and dropped one by one; `key` tells which of two lists' items are the same one."""

    def __init__(
        self,
        name: str,
        add: ItemStep,
        drop: ItemStep,
        *,
        key: Callable[[Any], str] = shaping.text,
        clears: bool = True,
        on_create: bool = True,
        drops_first: bool = False,
    ) -> None:
        self.properties = (name,)
        self._name, self._add, self._drop, self._key = name, add, drop, key
        self.clears, self._on_create, self._drops_first = clears, on_create, drops_first

    async def apply(self, work: Work) -> None:
        """Add what is new or changed, drop what is there no more."""
        if work.old is None and not self._on_create:
            return
        old = {self._key(item): item for item in work.before(self._name) or ()}
        new = {self._key(item): item for item in work.after(self._name) or ()}
        added = [self._add(work, item) for key, item in new.items() if old.get(key) != item]
        dropped = [self._drop(work, item) for key, item in old.items() if key not in new]
        steps = [*dropped, *added] if self._drops_first else [*added, *dropped]
        await in_turn(steps)


class Tags(Part):
    """The tags of a resource that is there: its own and its stack's.

    With `on_create` they are no part of the operation that makes the resource.
    """

    properties = ("Tags",)

    def __init__(self, tag: ItemStep, untag: ItemStep, *, on_create: bool = False) -> None:
        self._tag, self._untag, self._on_create = tag, untag, on_create

    async def apply(self, work: Work) -> None:
        """Tag what is new or changed, untag what is there no more."""
        if work.new is None or (work.old is None and not self._on_create):
            return
        old, new = tags_of(work.old), tags_of(work.new)
        changed = {key: value for key, value in new.items() if old.get(key) != value}
        if changed:
            await self._tag(work, listed(changed))
        gone = [key for key in old if key not in new]
        if gone:
            await self._untag(work, gone)


class Kind:
    """One type of resource. `properties` are those that `make` and `change` read; each part names its own.

    A subclass has `make`, which notes what it made as soon as it is there, `change` for what needs no new resource, and
    `remove`.
    """

    type: ClassVar[str]
    properties: ClassVar[tuple[str, ...]] = ()
    parts: ClassVar[Sequence[Part]] = ()
    attributes: ClassVar[tuple[str, ...]] = ()
    secret_attributes: ClassVar[tuple[str, ...]] = ()
    takes_any: ClassVar[bool] = False
    """It takes whatever properties."""
    is_described: ClassVar[bool] = True
    """Its properties are those of CloudFormation's description of the type."""
    changes_type: ClassVar[bool] = True
    """An update may make something of another type of it."""
    always_changes: ClassVar[bool] = False
    """Every update of its stack changes it, as far as it knows itself what there is to change."""

    async def make(self, work: Work) -> None:
        """Make the resource."""
        raise NotImplementedError

    async def change(self, work: Work) -> None:
        """Change what is no part."""

    async def remove(self, work: Work) -> None:
        """Remove the resource."""
        raise NotImplementedError

    def check(self, properties: Mapping[str, Any]) -> None:
        """Raise InvalidProperties for what only this type refuses."""

    def replaces(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
        """Whether the change needs a new resource for a reason of this type's own."""
        return False

    def has_attribute(self, name: str) -> bool:
        """Whether Fn::GetAtt may ask for an attribute."""
        return name in self.attributes

    def service_of(self, type: str) -> str | None:
        """The service that has such resources, by botocore's name; None for what is nowhere."""
        return type.split("::")[1].lower()

    def known_properties(self) -> frozenset[str]:
        """Every property that works."""
        return frozenset(self.properties).union(*(part.properties for part in self.parts))

    async def create(self, wanted: Wanted, client: Client) -> Made:
        """Make the resource with all its parts, or nothing of it."""
        work = Work(client, None, wanted)
        begun: list[Part] = []
        try:
            await self.make(work)
            for part in self.parts:
                begun.append(part)
                await part.apply(work)
        except (RequestFailed, InvalidProperties) as error:
            if work.made is not None:
                await self._undo(Work(client, wanted, None, work.made), begun, error)
            raise
        return _of(work)

    async def _undo(self, work: Work, begun: list[Part], error: Exception) -> None:
        """Take away again what was made; the last of the parts is what failed, and may be there in part."""
        try:
            if begun and begun[-1].clears:
                with suppress(RequestFailed):
                    await begun[-1].apply(work)
            await self._removed(work, begun[:-1])
        except RequestFailed as failed:
            # What broke it is told first; what could not be undone must not be kept from who has to clear it away.
            words = f"{error} ({work.id} could not be removed again: {failed})"
            if isinstance(error, RequestFailed):
                raise RequestFailed(error.code, words, error.status, error.operation) from failed
            raise InvalidProperties(words) from failed

    async def update(self, old: Wanted, new: Wanted, made: Made, client: Client) -> Made:
        """Change the resource and its parts."""
        work = Work(client, old, new, made)
        await self.change(work)
        for part in self.parts:
            await part.apply(work)
        return _of(work)

    async def restore(self, old: Wanted, new: Wanted, made: Made, client: Client) -> Made:
        """Change the resource and its parts back to what they were before an update."""
        return await self.update(old, new, made, client)

    async def delete(self, old: Wanted, made: Made, client: Client) -> None:
        """Remove the resource; nothing is amiss when it is gone already."""
        await self._removed(Work(client, old, None, made), self.parts)

    async def _removed(self, work: Work, parts: Sequence[Part]) -> None:
        steps = [part.apply for part in reversed(parts) if part.clears]
        for step in (*steps, self.remove):
            try:
                await step(work)
            except RequestFailed as error:
                if not is_gone(error):
                    raise


async def in_turn(steps: Sequence[Coroutine[Any, Any, None]]) -> None:
    """Take the steps one after another; those after one that fails are not taken."""
    left = list(steps)
    try:
        while left:
            await left.pop(0)
    finally:
        for step in left:
            step.close()


def _of(work: Work) -> Made:
    if work.made is None:
        raise TypeError("nothing was made")
    return work.made
