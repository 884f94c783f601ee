"""`aws:RequestTag/...` and `aws:TagKeys`, out of whatever shape a service gives its tags.

Members that are called as tags are and stand at the top are found by themselves; all others are in tags.toml.
"""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, lru_cache
from importlib import resources
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec

from iamd.auth.s3_errors import InvalidTag
from iamd.errors import AWSError, Common, CommonError
from iamd.gateway.actions.asked import Asked, Value
from iamd.policy.request import lower

# Members that hold tags, compared without case: Tags (DynamoDB), tags (SQS, Lambda), TagList (EC2's kin), TagSet.
_MEMBERS: Final = frozenset(
    {
        "tags", "taglist", "tagset", "tagstoadd", "resourcetags", "newtags", "userpooltags", "identitypooltags",
        "tagsoverride", "tagslist",
        "jobtags", "modeltags", "custommodeltags", "importedmodeltags", "targetmodeltags",
    }
)  # fmt: skip
_KEY_MEMBERS: Final = frozenset({"tagkeys", "tagkeylist", "tagstoremove", "untagkeys", "resourcetagkeys"})
_SPECIFICATIONS: Final = "tagspecifications"
_AROUND: Final = frozenset({"createbucketconfiguration", "tagging"})
_SPEAKING: Final = _MEMBERS | _KEY_MEMBERS | _AROUND | {_SPECIFICATIONS}


@cache
def elsewhere() -> Mapping[str, Mapping[str, Sequence[str]]]:
    """The members of tags.toml, by service and operation."""
    text = resources.files(__package__).joinpath("tags.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text), dict[str, dict[str, list[str]]])


class TaggedTwice(CommonError):
    """A request that gives one tag two values: it would be decided by the one, and the other could be kept."""

    def __init__(self, key: str) -> None:
        super().__init__(Common.VALIDATION, f"Duplicate tag key '{key}' specified.")


class TagException(AWSError):
    """Tags that KMS does not take (KMS API Reference, CreateKey and TagResource)."""

    code = "TagException"
    status = 400


class InvalidParameterException(AWSError):
    """Tags that Secrets Manager does not take (Secrets Manager API Reference, CreateSecret)."""

    code = "InvalidParameterException"
    status = 400


_OWN: Final[Mapping[str, type[AWSError]]] = {"kms": TagException, "secretsmanager": InvalidParameterException}


_OF_S3: Final = frozenset({"s3", "s3control"})


def worded(error: TaggedTwice, service: str) -> AWSError:
    """The error as the service has it."""
    if service in _OF_S3:
        return InvalidTag("Cannot provide multiple Tags with the same key")
    own = _OWN.get(service)
    return own(error.message) if own is not None else error


def check_once(tags: Sequence[tuple[str, str]]) -> None:
    """Refuse tags of which one has two values."""
    seen: dict[str, str] = {}
    for key, value in tags:
        if seen.setdefault(key, value) != value:
            raise TaggedTwice(key)


def of_request(asked: Asked) -> dict[str, Value]:
    """The keys of the tags in a request, wherever they stand."""
    of_service = elsewhere().get(asked.operation.service)
    members = of_service.get(asked.operation.name) if of_service is not None else None
    if members is None:
        return of(asked.parameters)
    found = [value for member in members for value in _at(asked.parameters, member.split("."))]
    plain = [pair for value in found for pair in _written(value)]
    given = [{"Key": key, "Value": value} for key, value in [*_tags(asked.parameters), *plain]]
    named = [one for value in found for one in _texts(value)] + list(_tag_keys(asked.parameters))
    return of({"Tags": given, "TagKeys": named})


def _at(value: Any, path: Sequence[str]) -> Iterator[Any]:
    """What stands at a path, in each item of a list on its way."""
    if not path:
        yield value
    elif isinstance(value, Mapping):
        inner = value.get(path[0].removesuffix("[]"))
        for one in inner if path[0].endswith("[]") and isinstance(inner, list) else (inner,):
            yield from _at(one, path[1:])


def _written(value: Any) -> Iterator[tuple[str, str]]:
    """The tags in a value; AWS IoT writes them as a query string (API Reference, CreateTopicRule)."""
    yield from of_header(value) if isinstance(value, str) else pairs(value)


def _texts(value: Any) -> Iterator[str]:
    return (one for one in value if isinstance(one, str)) if isinstance(value, list) else iter(())


def of(parameters: Mapping[str, Any]) -> dict[str, Value]:
    """The keys of the tags in these parameters; none when there are no tags.

    TaggedTwice when a tag has two values. Of keys that differ by case alone the first in byte order counts.
    """
    if not speak_of_tags(tuple(parameters)):
        return {}
    tags = list(_tags(parameters))
    check_once(tags)
    keys: dict[str, Value] = {f"aws:requesttag/{lower(key)}": value for key, value in sorted(tags, reverse=True)}
    named = [key for key, _ in tags] + list(_tag_keys(parameters))
    if named:
        keys["aws:tagkeys"] = tuple(dict.fromkeys(named))
    return keys


@lru_cache(maxsize=1024)
def speak_of_tags(names: tuple[str, ...]) -> bool:
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
        if name.lower() in _KEY_MEMBERS:
            # AWS: CloudFront wraps its lists, and CloudWatch Logs' UntagLogGroup calls the keys `tags`.
            yield from _texts(value.get("Items") if isinstance(value, Mapping) else value)
        elif name == "tags":
            yield from _texts(value)
