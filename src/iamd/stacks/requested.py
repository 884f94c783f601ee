"""What a request asks a stack to be made by: its template read, its parameters' values found, all of it checked.

A template may stand in S3, and values in Systems Manager: they are asked for before the write begins.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from iamd.call import Call
from iamd.stacks import capabilities, order, parameters, policies, rules, sealed, transforms
from iamd.stacks.client import Client
from iamd.stacks.faults import ValidationError, unsupported
from iamd.stacks.functions import Scope
from iamd.stacks.locations import body_of
from iamd.stacks.outside import resolved_parameters, zones_for
from iamd.stacks.parameters import Given
from iamd.stacks.reading import LONGEST, LONGEST_OF_URL
from iamd.stacks.scopes import scope_of
from iamd.stacks.service import stacks_of
from iamd.stacks.template import Template
from iamd.store.records import Tag
from iamd.store.stack_records import Stack, StackState
from iamd.wire.models import to_snake

_REFUSED = (
    "notification_arns", "resources_to_import", "rollback_configuration", "disable_validation", "deployment_mode",
)  # fmt: skip


class Requested(msgspec.Struct, kw_only=True):
    """What a stack is to be made by, and who asks other services for it."""

    stack_id: str
    state: StackState
    template: Template
    scope: Scope
    client: Client
    role_arn: str | None
    policy: str | None
    update_policy: str | None
    """The stack's policy from now on, and the one that holds for this update alone, where they are given."""


def refuse(given: Mapping[str, Any]) -> None:
    """What is not done is refused by its name."""
    for name in _REFUSED:
        if given.get(name):
            raise unsupported("The parameter " + "".join(part.capitalize() for part in name.split("_")))
    disables_rollback(given.get("deployment_config"), given.get("disable_rollback"))


def disables_rollback(config: Mapping[str, Any] | None, is_disabled: bool | None = None) -> bool:
    """Whether what fails is left as it is; the mode EXPRESS, which does not wait for anything, is refused."""
    found = config or {}
    if found.get("Mode", "STANDARD") != "STANDARD":
        raise unsupported(f"The mode {found['Mode']} of DeploymentConfig")
    return bool(found.get("DisableRollback") or is_disabled)


async def requested(
    call: Call, given: Mapping[str, Any], stack_id: str, present: Stack | None, *, expands: bool
) -> Requested:
    """What a request asks for, checked."""
    refuse(given)
    before = present.state if present is not None else None
    role_arn = given.get("role_arn") or (present.role_arn if present is not None else None)
    client = await stacks_of(call).able_client(call, role_arn, stack_id)
    # AWS: a template's URL is read with the permissions of the caller, whatever role the stack has.
    text = await template_text(call, given, before.template if before is not None else None)
    told = sealed.opened_parameters(call.keyring, stack_id, before.parameters) if before is not None else None
    entries = given.get("parameters") or ()
    found, processed = await asyncio.to_thread(
        transforms.done, text, entries, told.values if told is not None else None, call.region
    )
    given_capabilities = tuple(given.get("capabilities") or ())
    capabilities.check(found, given_capabilities, expands=expands and processed is not None)
    capabilities.check_types(found, given.get("resource_types"))
    values = parameters.given(found, entries, told.values if told is not None else None)
    resolved = Given(values, await resolved_parameters(found, values, client))
    scope = scope_of(found, resolved, stack_id, call.account, call.keyring, await zones_for(found, client))
    rules.check(scope)
    scope.check()
    order.dependencies(found, scope.wanted(), scope)
    state = StackState(
        template=text,
        processed=processed,
        parameters=sealed.seal(call.keyring, stack_id, resolved),
        tags=tags(given.get("tags"), before),
        capabilities=given_capabilities,
    )
    return Requested(
        stack_id=stack_id,
        state=state,
        template=found,
        scope=scope,
        client=client,
        role_arn=role_arn,
        policy=await policy_text(call, given, "StackPolicy"),
        update_policy=await policy_text(call, given, "StackPolicyDuringUpdate"),
    )


async def policy_text(call: Call, given: Mapping[str, Any], name: str) -> str | None:
    """The stack policy that a request gives or names, by parameters whose names begin so; None where there is none."""
    body, url = given.get(f"{to_snake(name)}_body"), given.get(f"{to_snake(name)}_url")
    if body and url:
        # AWS: the words are seen in its answers.
        raise ValidationError(f"You cannot specify both {name}URL and {name}Body")
    if url:
        body = await body_of(url, stacks_of(call).client(call, None, ""), _host(call), f"{name}URL")
    if body is None:
        return None
    if len(body.encode()) > policies.LONGEST:
        raise ValidationError(f"A stack policy may not exceed {policies.LONGEST} bytes in size.")
    policies.validate(body)
    return str(body)


async def template_text(call: Call, given: Mapping[str, Any], before: str | None) -> str:
    """The text of the template that a request gives, names, or says to be the one before."""
    body, url, previous = given.get("template_body"), given.get("template_url"), given.get("use_previous_template")
    if sum(map(bool, (body, url, previous))) > 1:
        raise ValidationError("Specify only one of TemplateBody, TemplateURL and UsePreviousTemplate.")
    if previous:
        if before is None:
            raise ValidationError("UsePreviousTemplate cannot be used: the stack has no template yet.")
        return before
    if body:
        if len(body.encode()) > LONGEST:
            raise ValidationError(
                f"1 validation error detected: Value at 'templateBody' failed to satisfy constraint: Member must have "
                f"length less than or equal to {LONGEST}"
            )
        return str(body)
    if not url:
        raise ValidationError("Either Template URL or Template Body must be specified.")
    found = await body_of(url, stacks_of(call).client(call, None, ""), _host(call))
    if len(found.encode()) > LONGEST_OF_URL:
        raise ValidationError(f"Template may not exceed {LONGEST_OF_URL} bytes in size.")
    return found


def _host(call: Call) -> str:
    return call.request.header(b"host") or ""


def tags(given: Sequence[Mapping[str, str]] | None, before: StackState | None) -> tuple[Tag, ...]:
    """The tags of a stack: as given, or as they were where none are."""
    if given is None:
        return before.tags if before is not None else ()
    keys = [tag["Key"] for tag in given]
    if len(set(keys)) < len(keys):
        raise ValidationError("Duplicate tag keys are not allowed.")
    if any(key.lower().startswith("aws:") for key in keys):
        raise ValidationError("aws: prefixed tag key names are not allowed for external use.")
    return tuple(Tag(tag["Key"], tag["Value"]) for tag in given)
