"""What a request to CloudFormation makes the service do: which resources it makes, changes and ends, and for whom.

AWS makes them with the caller's permissions, or with those of the service role that the stack has (CloudFormation User
Guide, "CloudFormation service role"). What iamd decided a stack by is a fact about the stack, kept until it ends.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from iamd.authz.target import Target
from iamd.gateway.actions.asked import Asked, invalid
from iamd.gateway.actions.cloudformation import change_set_name, stack_arn, stack_name
from iamd.gateway.cloudformation import resource as resources
from iamd.gateway.cloudformation import template as templates
from iamd.gateway.cloudformation.resource import Resource
from iamd.gateway.cloudformation.template import Template, undecided
from iamd.gateway.cloudformation.values import of_parameters, pseudo

STATE: Final = "state"
"""The fact that holds what a stack or a change set was decided by."""
PENDING: Final = "pending-states"
"""The same of what was asked for and is not known to be done, or was begun and broke off."""
MOST_PENDING: Final = 8


class State(msgspec.Struct, frozen=True, kw_only=True):
    """What a stack was, or is to be, made by."""

    template: str
    parameters: Mapping[str, str] = {}
    tags: tuple[tuple[str, str], ...] = ()
    role: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What is done on somebody's behalf: by `role` where one is given, else by the caller.

    `making` are the operations that make something, for the roles that they hand on. `made` and `ended` are those whose
    resource has a name that iamd can keep facts by. `state` is the stack's from then on.
    """

    targets: Sequence[Target] = ()
    making: Sequence[Asked] = ()
    made: Sequence[tuple[Asked, str]] = ()
    ended: Sequence[tuple[str | None, str]] = ()
    role: str | None = None
    state: State | None = None


def work(asked: Asked) -> Work | None:
    """The work that a request makes CloudFormation do; None when it is none. Refuses what can't be told."""
    found = _WORK.get(asked.operation.name) if asked.operation.service == "cloudformation" else None
    return found(asked) if found is not None else None


def _create(asked: Asked) -> Work:
    return _change(asked, _given_state(asked, None), [])


def _update(asked: Asked) -> Work:
    present = _states(asked)
    return _change(asked, _given_state(asked, present[-1]), present)


def _delete(asked: Asked) -> Work:
    present = _states(asked)
    ended = [resource for state in present for resource in _read(state, asked) if not resource.retained]
    role = asked.parameters.get("RoleARN") or present[-1].role
    return Work(
        targets=[target for resource in ended for target in resource.deleted],
        ended=[(resource.type.delete, resource.created[0].arn) for resource in ended if _has_facts(resource)],
        role=role,
    )


def _execute(asked: Asked) -> Work:
    name = change_set_arn(asked)
    text = asked.known(name).get(STATE) if name is not None else None
    if text is None:
        raise _unknown("change set", str(asked.parameters.get("ChangeSetName")))
    return _change(asked, _decoded(text), _states(asked, or_none=True))


def _only_read(asked: Asked) -> None:
    """Read a template that makes nothing: what a backend reads must be readable in one way only."""
    body = asked.parameters.get("TemplateBody")
    if asked.parameters.get("TemplateURL"):
        raise undecided("a TemplateURL")
    if body is not None:
        templates.read(body)


def new_change_set(asked: Asked) -> State:
    """What a change set is decided by when it is executed."""
    present = _states(asked, or_none=True)
    return _given_state(asked, present[-1] if present else None)


def _check_change_set(asked: Asked) -> None:
    """A change set makes nothing yet, but it must be one that can be decided."""
    _read(new_change_set(asked), asked)


def _given_state(asked: Asked, present: State | None) -> State:
    given = asked.parameters
    for member in ("TemplateURL", "ResourcesToImport", "ImportExistingResources", "StackPolicyURL", "NotificationARNs"):
        if given.get(member):
            raise undecided(f"a {member}")
    body = given.get("TemplateBody")
    if given.get("UsePreviousTemplate") and present is not None:
        if body is not None:
            raise invalid("Specify only one of TemplateBody and UsePreviousTemplate.")
        body = present.template
    if body is None:
        raise invalid("Either Template URL or Template Body must be specified.")
    tags = tuple((tag["Key"], tag["Value"]) for tag in given.get("Tags") or [])
    role = given.get("RoleARN") or (present.role if present is not None else None)
    if "Tags" not in given and present is not None:
        tags = present.tags
    return State(template=body, parameters=_parameters(given, present), tags=tags, role=role)


def _parameters(given: Mapping[str, Any], present: State | None) -> dict[str, str]:
    before = present.parameters if present is not None else {}
    entries = given.get("Parameters") or []
    if before and not entries:
        # AWS takes the defaults, and a backend may keep what was given before.
        raise invalid(f"Parameters: [{', '.join(before)}] must have values, or UsePreviousValue.")
    found = {}
    for entry in entries:
        name, value = entry.get("ParameterKey"), entry.get("ParameterValue")
        previous = entry.get("UsePreviousValue") is True
        if name is None or name in found or previous is (value is not None):
            raise invalid(f"Invalid input for parameter key {name}: give one value once, or UsePreviousValue.")
        if previous and name in before:
            value = before[name]
        if value is not None:
            found[name] = value
    return found


def _states(asked: Asked, *, or_none: bool = False) -> list[State]:
    """What the stack may be made by now: one state, or several while the outcome of changes is not known."""
    known = asked.known(stack_arn(asked))
    found = [*pending(known), *([_decoded(known[STATE])] if STATE in known else [])]
    if not found and not or_none:
        raise _unknown("stack", stack_name(asked))
    return found


def pending(known: Mapping[str, str]) -> list[State]:
    """The states of changes whose outcome is not known, by the facts about a stack."""
    return msgspec.json.decode(known[PENDING], type=list[State]) if PENDING in known else []


def _decoded(text: str) -> State:
    return msgspec.json.decode(text, type=State)


def encoded(state: State | Sequence[State]) -> str:
    """A state, or several, as the text of a fact."""
    return msgspec.json.encode(state).decode()


def _unknown(kind: str, name: str) -> Exception:
    return invalid(f"iamd knows no {kind} {name} that was made through it, and can't tell what this would do.")


def change_set_arn(asked: Asked) -> str | None:
    """The ARN of the change set that a request names by name or ARN; None when iamd knows none."""
    name = asked.parameters["ChangeSetName"]
    if name.startswith("arn:"):
        return str(name)
    return asked.named(change_set_name(asked, name))


def _read(state: State, asked: Asked) -> list[Resource]:
    return _resources(templates.read(state.template), state, asked)


def _resources(template: Template, state: State, asked: Asked) -> list[Resource]:
    known = pseudo(asked, stack_name(asked)) | of_parameters(template.parameters, state.parameters)
    tags = [{"Key": key, "Value": value} for key, value in state.tags]
    return resources.of_template(template, known, tags, asked)


def _change(asked: Asked, new: State, present: Sequence[State]) -> Work:
    """Make what is new, change what is not as it was, end what is left out."""
    template = templates.read(new.template)
    wanted = _resources(template, new, asked)
    old = [(templates.read(state.template), state) for state in present]
    targets: list[Target] = []
    making: list[Asked] = []
    for resource in wanted:
        if old and all(_is_same(resource.logical_id, template, new, *before) for before in old):
            continue
        is_there = any(resource.logical_id in before.resources for before, _ in old)
        targets += resource.changed if is_there else resource.created
        making += [resource.making] if resource.making is not None else []
    left_out = _left_out(template, old, asked)
    return Work(
        targets=[*targets, *(target for resource in left_out for target in resource.deleted)],
        making=making,
        made=[(r.making, r.created[0].arn) for r in wanted if r.named and r.making is not None],
        ended=[(resource.type.delete, resource.created[0].arn) for resource in left_out if _has_facts(resource)],
        role=new.role,
        state=new,
    )


def _has_facts(resource: Resource) -> bool:
    """Whether facts can be kept of it: it exists, under a name that is known."""
    return resource.named and resource.type.delete is not None


def _is_same(name: str, template: Template, new: State, before: Template, old: State) -> bool:
    """Tell whether nothing of a resource changes; parameters and tags may stand anywhere in it."""
    same_stack = new.parameters == old.parameters and new.tags == old.tags and new.role == old.role
    same_parameters = template.parameters == before.parameters
    return same_stack and same_parameters and template.resources[name] == before.resources.get(name)


def _left_out(template: Template, old: Sequence[tuple[Template, State]], asked: Asked) -> list[Resource]:
    found = []
    for before, state in old:
        if before.resources.keys() - template.resources.keys():
            found += [
                resource
                for resource in _resources(before, state, asked)
                if resource.logical_id not in template.resources and resource.type.delete is not None
            ]
    return found


_WORK: Final[Mapping[str, Callable[[Asked], Work | None]]] = {
    "CreateChangeSet": _check_change_set,
    "CreateStack": _create,
    "DeleteStack": _delete,
    "EstimateTemplateCost": _only_read,
    "ExecuteChangeSet": _execute,
    "GetTemplateSummary": _only_read,
    "UpdateStack": _update,
    "ValidateTemplate": _only_read,
}
