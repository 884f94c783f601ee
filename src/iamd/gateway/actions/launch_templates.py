"""Launch templates in requests: which one is meant, and what launching instances from it is decided on.

AWS: whoever makes a service launch from a template needs `ec2:RunInstances` on all that it would touch, and
`iam:PassRole` on the role in its instance profile (EC2 Auto Scaling User Guide, "Launch template support"; EC2 User
Guide, "Control access to launch templates with IAM permissions"). What a template says is known as far as it was made
through iamd; the rest is asked for on everything of its kind.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

from iamd.authz.target import Target
from iamd.gateway.actions.asked import Asked, Value, at
from iamd.gateway.actions.forms import InvalidParameterValue

PROFILES: Final = "profiles"
"""The fact that iamd has seen a template being made, and each version of it since."""

_PROFILE: Final = "profile:"
_TAGGED: Final = "tagged"
"""The fact that says, in words with blanks between them, of what the versions of such a template are tags."""
_TAGGABLE: Final = ("instance", "network-interface", "spot-instances-request", "volume")
"""What a template can give tags to (EC2 API Reference, LaunchTemplateTagSpecificationRequest, as far as it is made)."""

_ID: Final = re.compile(r"lt-[0-9a-z]{1,32}", re.ASCII)
_NAME: Final = re.compile(r"[a-zA-Z0-9().\-/_]{3,128}", re.ASCII)
# AWS: what an instance is made of (EC2 User Guide, "Example policies to control access to the Amazon EC2 API",
# "Launch instances (RunInstances)").
_TOUCHED: Final = ("instance/*", "network-interface/*", "security-group/*", "volume/*")

_MADE: Final = (":instance/*", ":network-interface/*", ":volume/*")


def known_name(asked: Asked, name: str) -> str:
    """The name by which a template is remembered."""
    return f"ec2:{asked.region}:{asked.account}:launch-template/{name}"


def arn_of(named: Mapping[str, Any], asked: Asked) -> str:
    """The ARN of the template that is named by its id or its name; of a name that is not known, that of any."""
    identifier, name = named.get("LaunchTemplateId"), named.get("LaunchTemplateName")
    if bool(identifier) == bool(name):
        raise InvalidParameterValue("Either a launch template ID or a launch template name must be specified.")
    if identifier:
        if not _ID.fullmatch(str(identifier)):
            raise InvalidParameterValue(f"The launch template ID '{identifier}' is not valid.")
        return _arn(asked, f"launch-template/{identifier}")
    if not _NAME.fullmatch(str(name)):
        raise InvalidParameterValue(f"The launch template name '{name}' is not valid.")
    return asked.named(known_name(asked, str(name))) or _arn(asked, "launch-template/*")


def _arn(asked: Asked, resource: str) -> str:
    account = "" if resource.startswith("image/") else asked.account
    return f"arn:{asked.partition}:ec2:{asked.region}:{account}:{resource}"


def launching(named: list[Mapping[str, Any]], subnets: list[str], asked: Asked) -> Iterator[Target]:
    """`ec2:RunInstances` on all that a service touches that launches instances from these templates."""
    for template in dict.fromkeys(arn_of(one, asked) for one in named):
        keys = {"ec2:launchtemplate": template, "ec2:region": asked.region}
        touched = [_arn(asked, one) for one in ("image/*", *_TOUCHED, *(f"subnet/{one}" for one in subnets or ["*"]))]
        for arn in [template, *touched]:
            yield Target(arn=arn, action="ec2:RunInstances", context=keys, makes=arn.endswith(_MADE))
        yield from tagging(template, asked)
        if not profiles_are_known(template, asked):
            yield passing_any(asked)


def tagging(template: str, asked: Asked, but: Collection[str] = ()) -> Iterator[Target]:
    """`ec2:CreateTags` on what is made with the tags of a template, but for the kinds that a request gives its own.

    AWS: EC2 User Guide, "Grant permission to tag Amazon EC2 resources during creation" (supported-iam-actions-tagging):
    for tags in a launch template as well.
    """
    context: dict[str, Value] = {"ec2:createaction": "RunInstances", "ec2:region": asked.region}
    for kind in _tagged(template, asked):
        if kind not in but:
            yield Target(arn=_arn(asked, f"{kind}/*"), action="ec2:CreateTags", context=context, makes=True)


def may_tag(asked: Asked) -> bool:
    """Whether a template that a request launches from may have tags: which they are is not known."""
    return any(_tagged(arn_of(one, asked), asked) for one in _named(asked.parameters))


def _named(given: Any) -> Iterator[Mapping[str, Any]]:
    """The templates that are named anywhere in parameters."""
    if isinstance(given, Mapping):
        if "LaunchTemplateId" in given or "LaunchTemplateName" in given:
            yield given
        for value in given.values():
            yield from _named(value)
    elif isinstance(given, list):
        for value in given:
            yield from _named(value)


def _tagged(template: str, asked: Asked) -> Sequence[str]:
    """Of what a template may have tags."""
    known = asked.known(template).get(_TAGGED)
    return _TAGGABLE if known is None else known.split()


def passing_any(asked: Asked) -> Target:
    """`iam:PassRole` on every role, where nobody can tell which one a template hands over."""
    arn = f"arn:{asked.partition}:iam::{asked.account}:role/*"
    return Target(arn=arn, action="iam:PassRole", context={"iam:passedtoservice": "ec2.amazonaws.com"})


def profiles_are_known(template: str, asked: Asked) -> bool:
    """Whether iamd has seen all that was ever in this template."""
    return PROFILES in asked.known(template)


def profiles(template: str, asked: Asked) -> list[str]:
    """The instance profiles in any version of a template that is known."""
    return [fact.removeprefix(_PROFILE) for fact in asked.known(template) if fact.startswith(_PROFILE)]


def told_of(identifier: str, asked: Asked) -> tuple[str, dict[str, str]] | None:
    """What making a template, or a version of one that is known, tells of it."""
    template = _arn(asked, f"launch-template/{identifier}")
    is_new = asked.operation.name == "CreateLaunchTemplate"
    if not is_new and not profiles_are_known(template, asked):
        return None
    profile = at(asked.parameters, "LaunchTemplateData.IamInstanceProfile") or {}
    named = profile.get("Arn") or profile.get("Name")
    told = {PROFILES: "", **({f"{_PROFILE}{named}": ""} if named else {})}
    known = "" if is_new else asked.known(template).get(_TAGGED)
    if known is not None:
        tagged = [one.get("ResourceType") for one in at(asked.parameters, "LaunchTemplateData.TagSpecifications") or ()]
        told[_TAGGED] = " ".join(sorted({*known.split(), *(str(kind) for kind in tagged)}))
    return template, {**told, "name": known_name(asked, asked.parameters["LaunchTemplateName"])} if is_new else told
