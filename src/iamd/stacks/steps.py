"""Steps: a resource is made, changed, put in another's place, or put back as it was."""

import logging
import secrets
import string
from collections.abc import Mapping
from typing import Any, Final

from msgspec.structs import replace

from iamd.auth.sealing import Keyring
from iamd.stacks import dynamic, entities, handlers, policies, scopes, sealed
from iamd.stacks.client import Client, RequestFailed
from iamd.stacks.errors import Failed, Unfinished
from iamd.stacks.faults import ValidationError
from iamd.stacks.functions import Scope, is_known
from iamd.stacks.handlers import InvalidProperties, Made, Wanted
from iamd.stacks.journal import Journal, Page, Superseded
from iamd.stacks.order import references
from iamd.stacks.policies import Update
from iamd.stacks.sealed import Inside
from iamd.store.stack_records import Stack, StackResource, Thing, Undo

log = logging.getLogger(__name__)

_CHANCE: Final = string.ascii_letters + string.digits
_REPLACING: Final = "Requested update requires the creation of a new physical resource; hence creating one."


class StepFailed(Exception):
    """A resource could not be made or changed; `reason` is what the stack says of it."""

    def __init__(self, logical_id: str, reason: str) -> None:
        super().__init__(reason)
        self.logical_id, self.reason = logical_id, reason


def told(error: Exception) -> str:
    """Why a step failed, as its event says it."""
    if isinstance(error, RequestFailed):
        code = "AccessDenied" if error.code.startswith("AccessDenied") else error.code
        return f'Resource handler returned message: "{error}" (Operation: {error.operation}, HandlerErrorCode: {code})'
    if isinstance(error, ValidationError):
        return error.message
    if isinstance(error, policies.Denied | Failed):
        return str(error)
    if isinstance(error, InvalidProperties):
        return f"Properties validation failed for resource with message: {error}"
    log.error("a resource failed", exc_info=error)
    return "Internal Failure"


def generated_name(stack_name: str, logical_id: str) -> str:
    """The name that a resource has which is given none: AWS's have 12 characters of chance at the end."""
    return f"{stack_name}-{logical_id}-" + "".join(secrets.choice(_CHANCE) for _ in range(12))


class Maker:
    """Makes and changes the resources of one stack."""

    def __init__(self, journal: Journal, keyring: Keyring, client: Client) -> None:
        self._journal, self._keyring, self._client = journal, keyring, client

    async def ensure(self, scope: Scope, logical_id: str, rests_on: tuple[str, ...]) -> None:
        """The resource is as the template has it; StepFailed when it can't be."""
        entry = entities.resource_of(self._journal.account(), self._journal.stack(), logical_id)
        declared = scope.template.resources[logical_id]
        entry = replace(
            entry or self._new(logical_id, declared["Type"]),
            depends_on=rests_on,
            deletion_policy=declared.get("DeletionPolicy", "Delete"),
        )
        step = _Step(self, entry, declared)
        try:
            inside = self._inside(scope, logical_id)
            handlers.check(declared["Type"], inside.properties)
        except (ValidationError, InvalidProperties) as error:
            raise await step.failed(error) from error
        made = await step.done(inside)
        scope.made[logical_id] = made

    async def check_removals(self, wanted: frozenset[str]) -> None:
        """What an update's template does not have any more may be removed by it; StepFailed when it may not."""
        stack = self._journal.stack()
        for entry in entities.resources_of(self._journal.account(), stack):
            if entry.logical_id not in wanted and entry.now is not None:
                try:
                    policies.check(policy_of(stack), Update.DELETE, entry.logical_id, entry.type)
                except policies.Denied as denied:
                    raise await _Step(self, entry, {}).failed(denied) from denied

    def _new(self, logical_id: str, type: str) -> StackResource:
        return StackResource(
            stack_id=self._journal.stack_id,
            logical_id=logical_id,
            type=type,
            status="CREATE_IN_PROGRESS",
            changed=0.0,
            is_new=True,
        )

    def _inside(self, scope: Scope, logical_id: str) -> Inside:
        stack = self._journal.stack()
        properties = scope.properties(logical_id)
        if not is_known(properties):
            raise ValidationError(_not_there(scope, logical_id, properties, stack.stack_id))
        tags = stack.state.tags if stack.state is not None else ()
        return Inside(
            properties=properties,
            name=generated_name(stack.name, logical_id),
            tags=scopes.tags_of(stack.stack_id, stack.name, logical_id, tags),
        )

    async def undo(self, entry: StackResource, stack: Stack) -> bool:
        """Put a resource back as it was before the update; whether it could be."""
        undo = entry.undo
        if undo is None:
            return True
        if entry.logical_id in stack.retained:
            return await self._put_back(entry, undo, "ResourcesToSkip")
        if undo.was is None or entry.now in (None, undo.was) or is_other(entry.now, undo.was):
            return await self._put_back(entry, undo, None)
        step = _Step(self, replace(entry, type=undo.was.type), {})
        return await step.restored(undo.was)

    async def _put_back(self, entry: StackResource, undo: Undo, reason: str | None) -> bool:
        """What was there is still there: it takes its place again, and what took its place is removed later."""
        left = (*entry.leftovers, *([entry.now] if entry.now is not None and is_other(entry.now, undo.was) else []))
        status = "UPDATE_COMPLETE" if undo.was is not None else entry.status if entry.is_new else "DELETE_COMPLETE"
        put_back = replace(
            entry,
            type=undo.was.type if undo.was is not None else entry.type,
            now=undo.was,
            physical_id=undo.was.physical_id if undo.was is not None else entry.physical_id,
            leftovers=left,
            undo=None,
            status=status,
            reason=reason,
        )

        def written(page: Page, stack: Stack) -> None:
            if undo.was is not None:
                page.resource(stack, put_back)
            else:
                page.put(put_back)

        await self._journal.write(written)
        return True

    def wanted(self, entry: StackResource, inside: Inside, type: str | None = None) -> Wanted:
        """A resource as those who make it take it."""
        name = self._journal.stack_id.split("/")[1]
        return Wanted(
            logical_id=entry.logical_id,
            type=type or entry.type,
            properties=inside.used,
            stack_name=name,
            stack_id=self._journal.stack_id,
            generated_name=inside.name,
            tags=inside.tags,
        )

    def opened(self, thing: Thing) -> Inside:
        """What a thing was made by."""
        return sealed.opened_thing(self._keyring, self._journal.stack_id, thing.sealed)

    def thing(self, type: str, made: Made, inside: Inside, replace_policy: str) -> Thing:
        """A thing to be remembered."""
        known = replace(inside, attributes=dict(made.attributes), hidden=made.hidden)
        text = sealed.seal(self._keyring, self._journal.stack_id, known)
        return Thing(
            type=type,
            physical_id=made.physical_id,
            sealed=text,
            replace_policy=replace_policy,
            backend_boot=self._client.boot_of(type),
        )

    async def resolved(self, inside: Inside, type: str) -> Inside:
        """The same with the values of dynamic references."""
        if not dynamic.has_any(inside.properties):
            return inside
        return replace(inside, resolved=await dynamic.resolved(inside.properties, type, self._client))

    @property
    def client(self) -> Client:
        """What asks other services."""
        return self._client

    @property
    def journal(self) -> Journal:
        """What is written of the stack."""
        return self._journal


def _not_there(scope: Scope, logical_id: str, properties: Mapping[str, Any], stack_id: str) -> str:
    """What is said of properties that rest on what does not exist, though all that they rest on is made."""
    found = sorted({(name, attribute or "") for name, attribute in references(properties)})
    for name, attribute in found:
        made = scope.made.get(name)
        is_missing = made is not None and attribute and attribute not in made.attributes
        if is_missing and handlers.is_custom(scope.template.resources[name]["Type"]):
            return (
                f"CustomResource attribute error: Vendor response doesn't contain {attribute} attribute in object "
                f"{stack_id}|{name}"
            )
    names = [f"{name}.{attribute}" if attribute else name for name, attribute in found]
    return f"Template error: resource {logical_id} refers to what does not exist: {', '.join(names)}"


def policy_of(stack: Stack) -> str | None:
    """The policy that holds for the update that goes on; making a stack and going back from an update have none."""
    return (stack.update_policy or stack.policy) if stack.status == "UPDATE_IN_PROGRESS" else None


def is_other(one: Thing, other: Thing | None) -> bool:
    """Whether two things are not the same one at two times."""
    return other is None or one.physical_id != other.physical_id or one.type != other.type


class _Step:
    """One resource on its way from what it is to what it is wanted to be."""

    def __init__(self, maker: Maker, entry: StackResource, declared: Mapping[str, Any]) -> None:
        self._maker = maker
        self._entry = entry
        self._type: str = declared.get("Type", entry.type)
        self._replace_policy: str = declared.get("UpdateReplacePolicy", "Delete")

    async def done(self, inside: Inside) -> Made:
        """Make it, change it, or leave it as it is."""
        if self._entry.now is not None and self._entry.status == "CREATE_FAILED":
            # What was not made whole is made anew.
            left = (*self._entry.leftovers, self._entry.now)
            self._entry = replace(self._entry, now=None, leftovers=left)
        now = self._entry.now
        if now is None:
            return await self._create(inside, "CREATE")
        before = self._maker.opened(now)
        is_same = now.type == self._type and before.properties == inside.properties and before.tags == inside.tags
        if is_same and not (handlers.always_changes(self._type) and self._may_change(now)):
            return await self._kept(now, before)
        try:
            found = await self._maker.resolved(inside, self._type)
            replaces = handlers.replaces_type(now.type, self._type, self._entry.logical_id) or handlers.replaces(
                self._type, before.used, found.used
            )
            self._check_policy(Update.REPLACE if replaces else Update.MODIFY, now)
        except (ValidationError, InvalidProperties, RequestFailed, policies.Denied, Failed) as error:
            raise await self.failed(error) from error
        if replaces:
            return await self._create(found, "UPDATE")
        return await self._update(now, before, replace(found, name=before.name))

    def _may_change(self, now: Thing) -> bool:
        """Whether the stack's policy lets the update change it: what is protected is not asked to."""
        try:
            self._check_policy(Update.MODIFY, now)
        except policies.Denied:
            return False
        return True

    def _check_policy(self, update: Update, now: Thing) -> None:
        journal = self._maker.journal
        policies.check(policy_of(journal.stack()), update, self._entry.logical_id, now.type)

    async def _kept(self, now: Thing, before: Inside) -> Made:
        kept = replace(self._entry, now=replace(now, replace_policy=self._replace_policy))
        stored = entities.resource_of(self._maker.journal.account(), self._maker.journal.stack(), kept.logical_id)
        if kept != stored:
            await self._maker.journal.write(lambda page, _: page.put(kept))
        return Made(physical_id=now.physical_id, attributes=before.attributes, hidden=before.hidden)

    async def _create(self, inside: Inside, verb: str) -> Made:
        entry = self._entry
        undo = entry.undo or Undo(was=entry.now)
        if entry.now is not None and is_other(entry.now, undo.was):
            # Made by a work that was not completed, and to be replaced once more.
            entry = replace(entry, leftovers=(*entry.leftovers, entry.now))
        reason = _REPLACING if verb == "UPDATE" else None
        self._entry = replace(entry, type=self._type, status=f"{verb}_IN_PROGRESS", reason=reason, undo=undo)
        await self._write(self._entry)
        try:
            found = await self._maker.resolved(inside, self._type)
            made = await handlers.create(self._maker.wanted(self._entry, found), self._maker.client)
        except Unfinished as error:
            self._unfinished(error.made, found)
            raise await self.failed(error) from error
        except Exception as error:
            raise await self.failed(error) from error
        await self._completed(made, found, f"{verb}_COMPLETE", "Resource creation Initiated")
        return made

    def _unfinished(self, made: Made, inside: Inside) -> None:
        """Remember what there is of a resource, to be removed."""
        thing = self._maker.thing(self._type, made, inside, self._replace_policy)
        if self._entry.now is None:
            self._entry = replace(self._entry, now=thing, physical_id=thing.physical_id)
        else:
            self._entry = replace(self._entry, leftovers=(*self._entry.leftovers, thing))

    async def _update(self, now: Thing, before: Inside, inside: Inside) -> Made:
        made = Made(physical_id=now.physical_id, attributes=before.attributes, hidden=before.hidden)
        # What is tried is written first: whatever comes of it, that is what it is put back from.
        tried = self._maker.thing(self._type, made, inside, self._replace_policy)
        tried = replace(tried, backend_boot=now.backend_boot)
        undo = self._entry.undo or Undo(was=now)
        self._entry = replace(self._entry, now=tried, undo=undo, status="UPDATE_IN_PROGRESS", reason=None)
        await self._write(self._entry)
        try:
            made = await handlers.update(
                self._maker.wanted(self._entry, before),
                self._maker.wanted(self._entry, inside),
                made,
                self._maker.client,
            )
        except Exception as error:
            raise await self.failed(error) from error
        if now.physical_id not in {made.physical_id, undo.was.physical_id if undo.was is not None else None}:
            # It took the place of what a work made that was not completed.
            self._entry = replace(self._entry, leftovers=(*self._entry.leftovers, now))
        await self._completed(made, inside, "UPDATE_COMPLETE", None)
        return made

    async def restored(self, was: Thing) -> bool:
        """Change it back to what it was."""
        entry = self._entry
        if entry.now is None:
            return True
        tried, before = self._maker.opened(entry.now), self._maker.opened(was)
        made = Made(physical_id=was.physical_id, attributes=tried.attributes, hidden=tried.hidden)
        await self._write(replace(entry, status="UPDATE_IN_PROGRESS", reason=None))
        try:
            made = await handlers.restore(
                self._maker.wanted(entry, tried), self._maker.wanted(entry, before), made, self._maker.client
            )
        except Exception as error:  # noqa: BLE001 (as above)
            await self._write(replace(entry, status="UPDATE_FAILED", reason=told(error)))
            return False
        thing = self._maker.thing(was.type, made, before, was.replace_policy)
        await self._write(
            replace(entry, now=thing, physical_id=thing.physical_id, undo=None, status="UPDATE_COMPLETE", reason=None)
        )
        return True

    async def _completed(self, made: Made, inside: Inside, status: str, begun: str | None) -> None:
        thing = self._maker.thing(self._type, made, inside, self._replace_policy)
        completed = replace(self._entry, now=thing, physical_id=made.physical_id, status=status, reason=None)

        def written(page: Page, stack: Stack) -> None:
            if begun is not None:
                page.step(stack, completed, status.replace("COMPLETE", "IN_PROGRESS"), begun, made.physical_id)
            page.resource(stack, completed)

        # It is there, whatever else was asked for meanwhile.
        await self._maker.journal.note(written)

    async def failed(self, error: Exception) -> Exception:
        """Tell that it failed; gives what stops the stack."""
        if isinstance(error, Superseded):
            return error
        is_new = self._entry.now is None or self._entry.status == "CREATE_IN_PROGRESS"
        verb = "CREATE" if is_new else "UPDATE"
        undo = self._entry.undo or Undo(was=self._entry.now)
        failed = replace(self._entry, status=f"{verb}_FAILED", reason=told(error), undo=undo)
        await self._maker.journal.note(lambda page, stack: page.resource(stack, failed))
        return StepFailed(
            failed.logical_id, f"The following resource(s) failed to {verb.lower()}: [{failed.logical_id}]. "
        )

    async def _write(self, entry: StackResource) -> None:
        await self._maker.journal.write(lambda page, stack: page.resource(stack, entry))
