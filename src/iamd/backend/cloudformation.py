"""moto's CloudFormation, made to read templates as texts only, and change sets by the stack that they are of."""

from collections.abc import Callable
from typing import Any

import yaml
from moto.cloudformation.responses import CloudFormationResponse

from iamd.backend.dispatch import CURRENT
from iamd.backend.replacement import always, replace


class Loader(yaml.SafeLoader):
    """A loader for which a tag is CloudFormation's short form of a function, or nothing."""


def install() -> None:
    """Replace the loader and the look-up."""
    # SECURITY: moto reads templates by a loader that calls whatever function of Python's a tag names.
    replace(yaml, "Loader", always(Loader))
    replace(yaml.loader, "Loader", always(Loader))
    replace(CloudFormationResponse, "_get_param", _of_its_stack)


def _of_its_stack(original: Callable[..., Any]) -> Callable[..., Any]:
    def get_param(response: Any, name: str, if_none: Any = None) -> Any:
        """SECURITY: moto takes the last change set of a name, of whatever stack; names are unique within a stack."""
        value = original(response, name, if_none)
        if name != "ChangeSetName" or CURRENT.get().operation == "CreateChangeSet" or str(value).startswith("arn:"):
            return value
        stack = original(response, "StackName")
        for change_set_id, found in response.cloudformation_backend.change_sets.items():
            if found.change_set_name == value and stack in {found.stack_name, found.stack_id}:
                return change_set_id
        return f"arn:aws:cloudformation:none:none:changeSet/{value}"

    return get_param
