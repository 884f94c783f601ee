"""Tags of roots, organizational units, accounts and policies."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from iamd.call import Call
from iamd.data.organization_policies import ManagedOrganizationPolicy
from iamd.policy.request import lower
from iamd.services.organizations import answers, arns, entities, quotas
from iamd.services.organizations.entities import AnyTarget
from iamd.services.organizations.errors import InvalidInput, TargetNotFound
from iamd.services.organizations.pages import page
from iamd.services.registry import operation, reading
from iamd.store.organization_records import Organization, OrganizationPolicy
from iamd.store.records import GLOBAL, Tag

RESERVED_PREFIX = "aws:"

GivenTags = Sequence[Mapping[str, str]]
Tagged = AnyTarget | OrganizationPolicy


@operation(on=arns.tagged)
def tag_resource(call: Call, *, resource_id: str, tags: GivenTags) -> None:
    """Add tags to a root, unit, account or policy; one whose key is there takes its place."""
    found = _named(call, entities.managed_organization(call), resource_id)
    merged = {tag.key: tag for tag in (*found.tags, *checked_tags(tags))}
    quotas.check("MAX_TAG_LIMIT_EXCEEDED", len(merged), quotas.TAGS)
    call.change.put(GLOBAL, replace(found, tags=tuple(merged.values())))


@operation(on=arns.tagged)
def untag_resource(call: Call, *, resource_id: str, tag_keys: Sequence[str]) -> None:
    """Take tags from a root, unit, account or policy; keys that it does not have change nothing."""
    found = _named(call, entities.managed_organization(call), resource_id)
    for key in tag_keys:
        _refuse_reserved(key)
    call.change.put(GLOBAL, replace(found, tags=tuple(tag for tag in found.tags if tag.key not in tag_keys)))


@reading(on=arns.tagged)
def list_tags_for_resource(call: Call, *, resource_id: str, next_token: str | None = None) -> dict[str, Any]:
    """List the tags of a root, unit, account or policy by key."""
    found = _named(call, entities.readable_organization(call), resource_id)
    cut, more = page(call, found.tags, key=lambda tag: tag.key, next_token=next_token, query=(resource_id,))
    return {"Tags": answers.tags(tuple(cut)), **more}


def checked_tags(given: GivenTags) -> tuple[Tag, ...]:
    """The tags that a request gives, or AWS's refusal of them; their keys have a case."""
    tags = tuple(Tag(tag["Key"], tag["Value"]) for tag in given)
    for tag in tags:
        _refuse_reserved(tag.key)
    if len({tag.key for tag in tags}) < len(tags):
        raise InvalidInput("DUPLICATE_TAG_KEY", "Tag keys must be unique among the tags attached to the same entity.")
    quotas.check("MAX_TAG_LIMIT_EXCEEDED", len(tags), quotas.TAGS)
    return tags


def _refuse_reserved(key: str) -> None:
    if lower(key).startswith(RESERVED_PREFIX):
        raise InvalidInput(
            "INVALID_SYSTEM_TAGS_PARAMETER",
            "You specified a tag key that is a system tag. You can't add, edit, or delete system tag keys.",
        )


def _named(call: Call, organization: Organization, resource_id: str) -> Tagged:
    if not resource_id.startswith("p-"):
        return entities.named_target(call, organization, resource_id)
    found = entities.policy_in(call.view.shared, organization, resource_id)
    if found is None:
        raise TargetNotFound
    if isinstance(found, ManagedOrganizationPolicy):
        raise InvalidInput("TARGET_NOT_SUPPORTED", "You can't perform the specified operation on that target entity.")
    return found
