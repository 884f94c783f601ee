"""`aws:RequestTag/...` and `aws:TagKeys`, out of whatever shape a service gives its tags."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final
from urllib.parse import parse_qsl

from iamd.gateway.actions.asked import Value
from iamd.policy.request import lower

# Members that hold tags, compared without case: Tags (DynamoDB), tags (SQS, Lambda), TagList (EC2's kin), TagSet.
_MEMBERS: Final = frozenset(
    {
        "tags", "taglist", "tagset", "tagstoadd", "resourcetags", "newtags", "userpooltags", "identitypooltags",
        "tagsoverride",
        "jobtags", "modeltags", "custommodeltags", "importedmodeltags", "targetmodeltags",
    }
)  # fmt: skip
_KEY_MEMBERS: Final = frozenset({"tagkeys", "tagkeylist", "tagstoremove", "untagkeys"})
_SPECIFICATIONS: Final = "tagspecifications"
_AROUND: Final = frozenset({"createbucketconfiguration", "tagging"})
_SPEAKING: Final = _MEMBERS | _KEY_MEMBERS | _AROUND | {_SPECIFICATIONS}


def of(parameters: Mapping[str, Any]) -> dict[str, Value]:
    """The keys of the tags in these parameters; none when there are no tags."""
    if not _speak_of_tags(tuple(parameters)):
        return {}
    tags = list(_tags(parameters))
    keys: dict[str, Value] = {f"aws:requesttag/{lower(key)}": value for key, value in tags}
    named = [key for key, _ in tags] + list(_tag_keys(parameters))
    if named:
        keys["aws:tagkeys"] = tuple(dict.fromkeys(named))
    return keys


@lru_cache(maxsize=1024)
def _speak_of_tags(names: tuple[str, ...]) -> bool:
    """Whether parameters of these names may hold tags; nearly all requests have none."""
    return not _SPEAKING.isdisjoint(map(str.lower, names))


def speaks_of_tags(member: str) -> bool:
    """Tell whether a member is for tags, or for their keys."""
    return member.lower() in _SPEAKING


def of_header(text: str) -> list[tuple[str, str]]:
    """The tags in S3's `x-amz-tagging`, which are written as a query string (S3 API Reference, PutObject)."""
    return parse_qsl(text, keep_blank_values=True)


def _tags(parameters: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in parameters.items():
        folded = name.lower()
        if folded in _MEMBERS:
            yield from pairs(value)
        elif folded == _SPECIFICATIONS and isinstance(value, list):
            for specification in value:
                yield from _tags(specification)
        elif folded in _AROUND and isinstance(value, Mapping):
            yield from _tags(value)


def pairs(value: Any) -> Iterator[tuple[str, str]]:
    """The tags in one value: a map, or a list of key and value under any of the services' names for them."""
    if isinstance(value, Mapping):
        if "Items" in value:
            yield from pairs(value["Items"])
            return
        yield from ((str(key), str(item)) for key, item in value.items() if isinstance(item, str))
    elif isinstance(value, list):
        for item in value:
            if isinstance(item, Mapping):
                folded = {name.lower(): part for name, part in item.items()}
                key = folded.get("key", folded.get("tagkey"))
                if isinstance(key, str):
                    yield key, str(folded.get("value", folded.get("tagvalue")) or "")


def _tag_keys(parameters: Mapping[str, Any]) -> Iterator[str]:
    for name, value in parameters.items():
        if name.lower() in _KEY_MEMBERS and isinstance(value, list):
            yield from (str(key) for key in value if isinstance(key, str))
