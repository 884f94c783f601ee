"""Tags by the Resource Groups Tagging API: each resource's own service is asked as well.

AWS: Resource Groups Tagging API Reference, TagResources and UntagResources, "Minimum permissions".
"""

from collections.abc import Callable, Mapping
from typing import Final

from iamd import arn as arns
from iamd.authz.target import Target
from iamd.data import service_reference
from iamd.gateway.actions import tags
from iamd.gateway.actions.asked import Asked, Value, invalid
from iamd.gateway.actions.by_rule import Unmapped

# Of services that have several, the first; the reference says which a service has.
_PAIRS: Final = (
    ("TagResource", "UntagResource"),
    ("AddTagsToResource", "RemoveTagsFromResource"),
    ("CreateTags", "DeleteTags"),
    ("AddTags", "RemoveTags"),
    ("TagQueue", "UntagQueue"),
)
# Services whose resources of this API are tagged by others.
_OTHERS: Final[Mapping[str, tuple[str, str]]] = {
    "acm": ("AddTagsToCertificate", "RemoveTagsFromCertificate"),
    "autoscaling": ("CreateOrUpdateTags", "DeleteTags"),
    "kinesis": ("AddTagsToStream", "RemoveTagsFromStream"),
    "route53": ("ChangeTagsForResource", "ChangeTagsForResource"),
}
_BUCKET: Final = ("PutBucketTagging", "PutBucketTagging")


def tagged(asked: Asked) -> list[Target]:
    """The right to tag by this API, and for each resource its service's to tag it."""
    listed, context = asked.parameters["ResourceARNList"], tags.of(asked.parameters)
    own = Target(action=f"tag:{asked.operation.name}", context=context)
    return [own, *(_of(one, asked, context) for one in listed)]


def _of(text: str, asked: Asked, context: Mapping[str, Value]) -> Target:
    found = arns.parse(text)
    if found is None or not found.resource:
        raise invalid(f"{text} is not a valid ARN.")
    if found.account not in {"", asked.account}:
        # SECURITY: the backend works in the caller's account, whatever account was decided on.
        raise invalid(f"{text} is not a resource of this account.")
    pair = _pair(found.service, text, asked)
    if pair is None:
        raise Unmapped(f"tag:{asked.operation.name}", f"how {found.service} tags its resources is not known")
    action = pair[asked.operation.name == "UntagResources"]
    return Target(arn=text, action=f"{found.service}:{action}", context=context)


def _pair(service: str, text: str, asked: Asked) -> tuple[str, str] | None:
    if service in _OTHERS:
        return _OTHERS[service]
    # AWS: the tags of a bucket with ABAC are set by TagResource (S3 User Guide, "Enabling ABAC").
    if service == "s3" and asked.known(text).get("abac") != "Enabled":
        return _BUCKET
    known = service_reference.service(service)
    if known is None:
        return None
    return next((pair for pair in _PAIRS if all(known.action(name) is not None for name in pair)), None)


COMPUTED: Final[Mapping[str, Callable[[Asked], list[Target]]]] = {"tagged": tagged}
