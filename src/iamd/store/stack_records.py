"""Records of CloudFormation: stacks with their resources and events, and change sets.

What a template evaluates to may hold secrets (a parameter with NoEcho, an access key): it is kept sealed.
"""

from collections.abc import Mapping
from typing import ClassVar

import msgspec

from iamd.store.records import Index, Record, Tag


class StackState(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a stack is made by: template, parameters, tags, and the outputs that came of them."""

    template: str
    """The template as it was given."""
    processed: str | None = None
    """The template that transforms have made of it, as JSON; None when there are none."""
    parameters: str
    """Values of parameters by name, as JSON, sealed."""
    tags: tuple[Tag, ...] = ()
    capabilities: tuple[str, ...] = ()
    outputs: str | None = None
    """Outputs in their order, as JSON, sealed."""


class Stack(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A stack; the key is its id, an ARN. One that was deleted is remembered for a while.

    `task` is the work that was asked for last, `running` the one that goes on; each begins with the number of the
    process that does it. `former` is what the stack was before a change of it that is not finished. `exports` and
    `imports` are names.
    """

    kind = "stack"
    stack_id: str
    name: str
    region: str
    status: str
    reason: str | None = None
    created: float
    updated: float | None = None
    deleted: float | None = None
    state: StackState | None = None
    former: StackState | None = None
    role_arn: str | None = None
    on_failure: str = "ROLLBACK"
    deletes_retained: bool = False
    """Whether a rollback deletes what the operation made, though it should be retained."""
    timeout_minutes: int | None = None
    is_protected: bool = False
    token: str | None = None
    asked: str | None = None
    """The operation that asked for the last work, with that token."""
    change_set_id: str | None = None
    exports: tuple[str, ...] = ()
    imports: tuple[str, ...] = ()
    retained: tuple[str, ...] = ()
    """Resources that the deletion leaves (RetainResources), or the rollback skips (ResourcesToSkip)."""
    task: str | None = None
    running: str | None = None
    is_cancelled: bool = False
    policy: str | None = None
    """Which of its resources an update may change."""
    update_policy: str | None = None
    """What takes the policy's place while this update goes on."""
    next_policy: str | None = None
    """What takes it for good once this update is complete."""
    parent_id: str | None = None
    root_id: str | None = None
    """The stacks whose resource it is: the one next to it, and the outermost one."""
    failure: str | None = None
    """Why the update that goes back, or has gone back, has failed."""
    is_held: bool = False
    """Whether the update that goes on is part of its parent's, and is complete when that one is."""

    indexes: ClassVar[Mapping[str, Index]] = {
        "name": lambda stack: () if stack.deleted is not None else (f"{stack.region}/{stack.name}",),
        "export": lambda stack: tuple(f"{stack.region}/{name}" for name in stack.exports),
        "parent": lambda stack: (stack.parent_id,) if stack.parent_id is not None and stack.deleted is None else (),
        "import": lambda stack: tuple(f"{stack.region}/{name}" for name in stack.imports),
    }

    @property
    def key(self) -> str:
        return self.stack_id


class Thing(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something that exists: what it was made by, and what is known of it, both sealed.

    `backend_boot` is the life of the embedded backend that it exists in; None where it outlives that.
    """

    type: str
    physical_id: str
    sealed: str
    replace_policy: str = "Delete"
    backend_boot: str | None = None


class Undo(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How a resource was before the work that goes on: `was` is None when it was not there."""

    was: Thing | None = None


class StackResource(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A resource of a stack by its logical id. `now` is what exists, `leftovers` what is to be removed at the end."""

    kind = "stack-resource"
    stack_id: str
    logical_id: str
    type: str
    status: str
    reason: str | None = None
    changed: float
    physical_id: str | None = None
    now: Thing | None = None
    undo: Undo | None = None
    leftovers: tuple[Thing, ...] = ()
    depends_on: tuple[str, ...] = ()
    deletion_policy: str = "Delete"
    is_new: bool = False
    """Whether the work that made it has not been completed yet."""

    indexes: ClassVar[Mapping[str, Index]] = {
        "stack": lambda resource: (resource.stack_id,),
        "physical": lambda resource: (resource.physical_id,) if resource.physical_id is not None else (),
    }

    @property
    def key(self) -> str:
        return f"{self.stack_id}/{self.logical_id}"


class StackEvent(Record, frozen=True, kw_only=True, omit_defaults=True):
    """One line of what happened to a stack; events of a stack are numbered."""

    kind = "stack-event"
    event_id: str
    stack_id: str
    number: int
    time: float
    logical_id: str
    physical_id: str | None = None
    type: str
    status: str
    reason: str | None = None
    token: str | None = None

    indexes: ClassVar[Mapping[str, Index]] = {"stack": lambda event: (event.stack_id,)}

    @property
    def key(self) -> str:
        return f"{self.stack_id}/{self.number}"


class ChangeSet(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A change of a stack that is not made yet; the key is its id, an ARN."""

    kind = "change-set"
    change_set_id: str
    name: str
    stack_id: str
    description: str | None = None
    token: str | None = None
    created: float
    status: str
    reason: str | None = None
    execution_status: str
    type: str
    state: StackState | None = None
    role_arn: str | None = None
    on_failure: str = "ROLLBACK"
    includes_nested: bool = False
    imports_existing: bool = False
    changes: str = "[]"
    """What it would change, as JSON in AWS's shape."""

    indexes: ClassVar[Mapping[str, Index]] = {"stack": lambda change_set: (change_set.stack_id,)}

    @property
    def key(self) -> str:
        return self.change_set_id


class Callback(Record, frozen=True, kw_only=True, omit_defaults=True):
    """An address that a resource of a stack waits for answers at; `contents` is what came, sealed."""

    kind = "stack-callback"
    callback_id: str
    stack_id: str
    logical_id: str
    expires: float
    most: int = 1
    contents: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        return self.callback_id
