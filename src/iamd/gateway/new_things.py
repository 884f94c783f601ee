"""What a request makes: that has no owner, no policy and no tags yet, and no policy can name what AWS will call it.

SECURITY: what is there is never taken for new, since its tags and its policy would not count. In doubt it is there.
"""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, Final

from iamd.authz.target import Target
from iamd.data import service_reference
from iamd.data.service_reference import Action, ResourceType
from iamd.gateway import bucket_tags, resources
from iamd.gateway.actions.asked import Asked
from iamd.gateway.actions.table import table
from iamd.gateway.resources import Facts

_VERB: Final = "Create"
_NO_LETTER: Final = re.compile(r"[^a-z0-9]")
# AWS: Service Authorization Reference; the resource types that its actions call otherwise.
_OTHERWISE: Final = {
    ("cassandra", "Create"): ("keyspace", "table"),
    ("cassandra", "CreateMultiRegionResource"): ("keyspace", "table"),
    ("elasticache", "CreateCacheCluster"): ("cluster",),
    ("elasticache", "CreateCacheParameterGroup"): ("parametergroup",),
    ("elasticache", "CreateCacheSecurityGroup"): ("securitygroup",),
    ("elasticache", "CreateCacheSubnetGroup"): ("subnetgroup",),
    ("es", "CreateElasticsearchDomain"): ("domain",),
    # A stream is made within a group that is there, and that policies of resources are about.
    ("logs", "CreateLogStream"): (),
}


def made(targets: Sequence[Target], asked: Asked, own_action: str, facts: Facts) -> frozenset[str]:
    """The ARNs of what a request makes: as its service's table or the rule tells, else by the service reference."""
    found = table(asked.operation.service)
    if found is not None and found.tells_new and found.has(asked.operation.name):
        return frozenset(target.arn for target in targets if target.makes)
    if not own_action.partition(":")[2].startswith(_VERB):
        return _NOTHING
    if asked.operation.service == "s3":
        # An upload or a session begins on a bucket that is there. AWS: who asks for a bucket that is another's is told
        # that it is taken, if they may make buckets.
        return frozenset(target.arn for target in targets) if bucket_tags.makes(asked.operation) else _NOTHING
    is_by_rule = found is None or not found.has(asked.operation.name)
    given = frozenset(_texts(asked.parameters))
    return frozenset(
        target.arn
        for target in targets
        if target.arn not in given
        and (target.makes if is_by_rule else _is_of_kind_made(target.action or own_action, target.arn))
        and facts.get(resources.holder(target.arn)) is None
    )


_NOTHING: Final[frozenset[str]] = frozenset()


def _texts(value: Any) -> Iterator[str]:
    """The ARNs that a request names: nobody knows the one of what is to come."""
    if isinstance(value, str):
        if value.startswith("arn:"):
            yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)


def _is_of_kind_made(action: str, arn: str) -> bool:
    """Tell whether an action makes what this ARN is of: its name is the resource type's after the verb.

    Of an ARN that may be of several of the action's types each must be made; `*` may be of any.
    """
    prefix, _, name = action.partition(":")
    entry = service_reference.action(prefix, name)
    if entry is None or not name.startswith(_VERB):
        return False
    kinds = [kind for kind in _kinds(prefix, entry) if arn == "*" or kind.names(arn)]
    if not kinds:
        # An action without types is decided on nothing that is there.
        return arn == "*"
    return all(_is_noun(prefix, name, kind.name) for kind in kinds)


@cache
def _is_noun(prefix: str, name: str, kind: str) -> bool:
    otherwise = _OTHERWISE.get((prefix, name))
    if otherwise is not None:
        return kind in otherwise
    noun, called = name.removeprefix(_VERB).lower(), _NO_LETTER.sub("", kind.lower())
    return called in {noun, f"{noun}s"}


def _kinds(prefix: str, entry: Action) -> list[ResourceType]:
    reference = service_reference.service(prefix)
    found = [reference.resource_type(one.name) for one in entry.resources] if reference is not None else []
    return [kind for kind in found if kind is not None]
