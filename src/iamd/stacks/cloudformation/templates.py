"""Templates: of stacks, and by themselves."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from iamd.call import Call
from iamd.services.registry import reading
from iamd.stacks import capabilities, entities, order, parameters, template
from iamd.stacks.cloudformation import arns
from iamd.stacks.faults import ValidationError, unsupported
from iamd.stacks.functions import text_of
from iamd.stacks.reading import content_of
from iamd.stacks.requested import template_text
from iamd.stacks.scopes import template_of
from iamd.stacks.template import SERVERLESS, Template
from iamd.store.stack_records import StackState

_PROCESSED: Final = "Processed"


@reading(on=arns.template_of)
def get_template(
    call: Call,
    *,
    stack_name: str | None = None,
    change_set_name: str | None = None,
    template_stage: str | None = None,
) -> dict[str, Any]:
    """Show the template of a stack or change set: as it was given, or with its transforms done."""
    state = _state(call, stack_name, change_set_name)
    if state is None:
        # A stack under review has no template yet.
        return {"StagesAvailable": []}
    text = state.template
    if template_stage == _PROCESSED and state.processed is not None:
        text = state.processed
    return {"TemplateBody": text, "StagesAvailable": ["Original", _PROCESSED]}


def _state(call: Call, stack_name: str | None, change_set_name: str | None) -> StackState | None:
    if change_set_name is not None:
        state = entities.named_change_set(call.account, call.region, change_set_name, stack_name).state
    elif stack_name is None:
        raise ValidationError("Either StackName or ChangeSetName must be specified.")
    else:
        found = entities.find_stack(call.account, call.region, stack_name)
        if found is None:
            raise ValidationError(f"Stack with id {stack_name} does not exist")
        state = found.state
    return state


class _Read(msgspec.Struct):
    """A template, as far as it is known without its transforms done."""

    content: Mapping[str, Any]
    template: Template | None


async def _read(call: Call, **given: Any) -> _Read | None:
    if given.get("stack_name") is not None or given.get("stack_set_name") is not None:
        return None
    text = await template_text(call, given, None)
    return await asyncio.to_thread(_parsed, text)


def _parsed(text: str) -> _Read:
    content = content_of(text)
    if SERVERLESS in template.transforms_of(content):
        # Its types are the transform's own, and what it becomes depends on values of parameters.
        return _Read(content, None)
    found = template.read(text)
    parameters.check(found)
    order.check(found)
    return _Read(content, found)


@reading(on=arns.nothing, prepare=_read)
def validate_template(
    call: Call, *, template_body: str | None = None, template_url: str | None = None
) -> dict[str, Any]:
    """Check a template as far as it can be without making a stack of it."""
    read: _Read = call.prepared
    return {"Parameters": [_parameter(name, one) for name, one in _parameters(read).items()], **_told(read)}


def _parameters(read: _Read) -> Mapping[str, Mapping[str, Any]]:
    found = read.content.get("Parameters") or {}
    if not isinstance(found, Mapping) or not all(isinstance(one, Mapping) for one in found.values()):
        raise ValidationError("Template format error: [/Parameters] every Parameters member must be an object.")
    return found


def _parameter(name: str, declared: Mapping[str, Any]) -> dict[str, Any]:
    default = {"DefaultValue": text_of(declared["Default"])} if "Default" in declared else {}
    described = {"Description": declared["Description"]} if "Description" in declared else {}
    return {"ParameterKey": name, **default, "NoEcho": parameters.is_hidden(declared), **described}


def _told(read: _Read) -> dict[str, Any]:
    """What both operations say of a template."""
    names, reason = (
        capabilities.needed(read.template) if read.template is not None else ([capabilities.AUTO_EXPAND], None)
    )
    description = read.content.get("Description")
    transforms = list(template.transforms_of(read.content))
    return {
        **({"Description": description} if description is not None else {}),
        **({"Capabilities": names} if names else {}),
        **({"CapabilitiesReason": reason} if reason is not None else {}),
        **({"DeclaredTransforms": transforms} if transforms else {}),
    }


@reading(on=arns.stack, prepare=_read)
def get_template_summary(
    call: Call,
    *,
    template_body: str | None = None,
    template_url: str | None = None,
    stack_name: str | None = None,
    stack_set_name: str | None = None,
    call_as: str | None = None,
    template_summary_config: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Tell what a template asks for and makes; of one that is given, or of a stack."""
    if stack_set_name is not None or call_as is not None:
        raise unsupported("A stack set")
    if stack_name is not None and (template_body or template_url):
        raise ValidationError("Only one of StackName, TemplateBody and TemplateURL can be specified.")
    read: _Read = call.prepared if call.prepared is not None else _of_stack(call, stack_name or "")
    resources = read.content.get("Resources") or {}
    types = [one.get("Type") for one in resources.values() if isinstance(one, Mapping)]
    metadata = read.content.get("Metadata")
    unrecognised = (template_summary_config or {}).get("TreatUnrecognizedResourceTypesAsWarnings")
    return {
        "Parameters": [_declaration(name, one) for name, one in _parameters(read).items()],
        "ResourceTypes": sorted({str(type) for type in types if type is not None}),
        **(
            {"Version": str(read.content["AWSTemplateFormatVersion"])}
            if "AWSTemplateFormatVersion" in read.content
            else {}
        ),
        **({"Metadata": msgspec.json.encode(metadata).decode()} if metadata is not None else {}),
        **({"Warnings": {"UnrecognizedResourceTypes": []}} if unrecognised else {}),
        **_told(read),
    }


def _declaration(name: str, declared: Mapping[str, Any]) -> dict[str, Any]:
    allowed = [text_of(one) for one in declared.get("AllowedValues", [])]
    constraints = {"AllowedValues": allowed} if allowed else {}
    return {**_parameter(name, declared), "ParameterType": declared["Type"], "ParameterConstraints": constraints}


def _of_stack(call: Call, stack_name: str) -> _Read:
    found = entities.find_stack(call.account, call.region, stack_name)
    if found is None or found.state is None:
        raise ValidationError(f"Stack with id {stack_name} does not exist")
    return _Read(content_of(found.state.template), template_of(found.state))
