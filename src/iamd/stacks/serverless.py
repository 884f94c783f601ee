"""Serverless: the transform of SAM, by AWS's own package for it (`aws-sam-translator`, the extra `sam` of iamd).

AWS: SAM Developer Guide, "AWS SAM transform". Nothing is asked over the network: managed policies are those that iamd
has, and applications of the Serverless Application Repository are refused: those of a template's URL are nested stacks.
"""

import json
import logging
import threading
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final

import msgspec

from iamd.data import managed_policies
from iamd.stacks.faults import ValidationError, unsupported
from iamd.stacks.functions import text_of
from iamd.stacks.parameters import is_hidden
from iamd.stacks.template import SERVERLESS, function_of

_APPLICATION: Final = "AWS::Serverless::Application"
# The package keeps the Region in a place that all share.
_lock = threading.Lock()


def transformed(
    content: Mapping[str, Any], entries: Sequence[Mapping[str, Any]], before: Mapping[str, str] | None, region: str
) -> dict[str, Any]:
    """The template that SAM makes of one; ValidationError with SAM's words for what is none of its."""
    resources = content.get("Resources")
    for name, resource in resources.items() if isinstance(resources, Mapping) else ():
        if isinstance(resource, Mapping) and resource.get("Type") == _APPLICATION and not _is_template(resource):
            # SECURITY: the package would ask for it over the network, with credentials of this machine.
            raise unsupported(f"The type {_APPLICATION} of resource {name}, unless its Location is a template's URL,")
    # The package changes what it is given.
    copied = msgspec.json.decode(msgspec.json.encode(content), type=dict[str, Any])
    hidden = _hide(copied)
    values = {name: value for name, value in _values(entries, before).items() if name not in hidden}
    with _lock:
        found = _translated(copied, values, region)
    _date_policies(found)
    found["Parameters"] = {**found.get("Parameters", {}), **hidden}
    left = [name for name in _listed(content.get("Transform")) if name != SERVERLESS]
    found.pop("Transform", None)
    return {**found, "Transform": left} if left else found


def _is_template(resource: Mapping[str, Any]) -> bool:
    """Whether an application is a template that stands in S3: a nested stack."""
    properties = resource.get("Properties")
    return isinstance(properties, Mapping) and isinstance(properties.get("Location"), str)


def _date_policies(found: Mapping[str, Any]) -> None:
    """Give the policies of roles that SAM writes without a version the one that IAM takes here.

    They have no policy variables, so both versions say the same (docs/divergences.md).
    """
    for resource in found.get("Resources", {}).values():
        if resource.get("Type") != "AWS::IAM::Role":
            continue
        for policy in resource.get("Properties", {}).get("Policies", []):
            document = policy.get("PolicyDocument") if isinstance(policy, dict) else None
            if isinstance(document, dict) and function_of(document) is None:
                document.setdefault("Version", "2012-10-17")


def _hide(content: dict[str, Any]) -> dict[str, Any]:
    """Take the defaults of parameters with NoEcho out; gives those parameters as they were.

    SECURITY: the package writes values of parameters into the template, which is kept as it is.
    """
    declared = content.get("Parameters")
    found = {
        name: dict(one)
        for name, one in (declared.items() if isinstance(declared, dict) else ())
        if isinstance(one, dict) and is_hidden(one)
    }
    for name in found:
        content["Parameters"][name].pop("Default", None)
    return found


def _translated(content: dict[str, Any], values: dict[str, str], region: str) -> dict[str, Any]:
    try:
        from boto3 import Session  # noqa: PLC0415 (part of the extra)
        from samtranslator.model.exceptions import InvalidDocumentException  # noqa: PLC0415
        from samtranslator.parser.parser import Parser  # noqa: PLC0415
        from samtranslator.translator.translator import Translator  # noqa: PLC0415
    except ImportError as error:
        raise ValidationError(
            f"The transform {SERVERLESS} needs the package aws-sam-translator: pip install 'iamd[sam]'."
        ) from error
    # What it says of its own metrics and features is no business of whoever runs the server.
    logging.getLogger("samtranslator").setLevel(logging.ERROR)
    translator = Translator(None, Parser(), boto_session=Session(region_name=region))
    try:
        found: dict[str, Any] = translator.translate(
            content, parameter_values=values, get_managed_policy_map=_managed_policies
        )
    except InvalidDocumentException as error:
        causes = " ".join(str(cause.message) for cause in error.causes)
        raise ValidationError(f"Transform {SERVERLESS} failed with: {error.message} {causes}") from error
    # The package has kinds of text and of objects of its own, which msgspec does not write.
    return msgspec.json.decode(json.dumps(found), type=dict[str, Any])


@cache
def _managed_policies() -> dict[str, str]:
    """The ARNs of managed policies by their names."""
    return {policy.policy_name: arn for arn, policy in managed_policies.catalogue().items()}


def _values(entries: Sequence[Mapping[str, Any]], before: Mapping[str, str] | None) -> dict[str, str]:
    """The values that parameters are given; defaults are found by the package."""
    found = {}
    for entry in entries:
        name, value = str(entry.get("ParameterKey")), entry.get("ParameterValue")
        if value is None and entry.get("UsePreviousValue"):
            value = (before or {}).get(name)
        if value is not None:
            found[name] = text_of(value)
    return found


def _listed(declared: Any) -> list[Any]:
    return declared if isinstance(declared, list) else [declared]
