"""EC2 instances that pass through the gateway: which runs, and which instance profile it was given by whom may pass it.

Only what a request that was decided gave an instance counts: a profile that stands in a launch template, or that the
backend gave by itself, is not known here, and nobody gets its credentials.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from iamd import arn as arns
from iamd.gateway.actions import passed_roles
from iamd.gateway.actions.asked import Asked
from iamd.gateway.answer import Answer
from iamd.gateway.resources import Facts
from iamd.store.records import Resource
from iamd.wire.models import Operation

PROFILE: Final = "profile"
"""The unique id of the instance profile; empty for none."""
STATE: Final = "state"
RUNNING: Final = "running"

_IDS: Final = re.compile(rb"<instanceId>(i-[0-9a-f]{8,17})</instanceId>")
_LARGEST: Final = 64 * 1024 * 1024
_OPTIONS: Final = ("HttpTokens", "HttpEndpoint", "InstanceMetadataTags")
_STATES: Final = {"StartInstances": RUNNING, "StopInstances": "stopped", "TerminateInstances": "terminated"}
_GIVING: Final = frozenset({"RunInstances", "AssociateIamInstanceProfile", "ReplaceIamInstanceProfileAssociation"})
_TAKING: Final = frozenset({"DisassociateIamInstanceProfile", "TerminateInstances"})
_TELLING: Final = _GIVING | _TAKING | _STATES.keys() | {"ModifyInstanceMetadataOptions"}


def may_tell(operation: Operation) -> bool:
    """Whether answers to an operation tell something of instances."""
    return operation.service == "ec2" and operation.name in _TELLING


async def whole(answer: Answer) -> Answer:
    """The answer with all of its body there, however many instances it is of."""
    if answer.whole is not None:
        return answer
    parts, size = [], 0
    async for piece in answer:
        parts.append(piece)
        size += len(piece)
        if size > _LARGEST:
            raise ConnectionError("the answer is larger than any list of instances")
    return Answer(answer.status, answer.headers, b"".join(parts))


def of(asked: Asked, answer: Answer, facts: Facts, now: int) -> list[Resource]:
    """What an answer tells of instances."""
    if not 200 <= answer.status < 300 or answer.whole is None:
        return []
    told = dict(_told(asked, facts))
    found = dict.fromkeys(match.decode() for match in _IDS.findall(answer.whole))
    return [_record(one, told, asked, facts, now) for one in found]


def doubtful(asked: Asked, facts: Facts, now: int) -> list[Resource]:
    """What is to be forgotten when nobody knows what became of a request: whatever profile it may have taken away."""
    if asked.operation.name not in _TAKING | {"ReplaceIamInstanceProfileAssociation", "StopInstances"}:
        return []
    named = asked.parameters.get("InstanceIds")
    if named:
        return [_record(one, {PROFILE: ""}, asked, facts, now) for one in named]
    # SECURITY: an association names no instance: of all that it may be of, none keeps its profile.
    return [
        _record(id_of(one), {PROFILE: ""}, asked, facts, now)
        for one in profiled(facts)
        if one.owner == asked.account and one.arn.split(":")[3] == asked.region
    ]


def _told(asked: Asked, facts: Facts) -> Iterator[tuple[str, str]]:
    name = asked.operation.name
    if name in _GIVING:
        # SECURITY: which version of a template was launched, and so whose role the instance has, nobody tells.
        profile = next((profile for _, profile in passed_roles.own_profiles(asked, facts.view)), None)
        yield PROFILE, profile.instance_profile_id if profile is not None else ""
    if name in _TAKING:
        yield PROFILE, ""
    if name == "RunInstances":
        yield STATE, RUNNING
        yield from _options(asked.parameters.get("MetadataOptions") or {})
    if name in _STATES:
        yield STATE, _STATES[name]
    if name == "ModifyInstanceMetadataOptions":
        yield from _options(asked.parameters)


def _options(given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """How the instance's metadata may be asked for (EC2 API Reference, InstanceMetadataOptionsRequest)."""
    for name in _OPTIONS:
        if name in given:
            yield name, str(given[name])


def _record(instance_id: str, told: Mapping[str, str], asked: Asked, facts: Facts, now: int) -> Resource:
    arn = f"arn:{asked.partition}:ec2:{asked.region}:{asked.account}:instance/{instance_id}"
    return Resource(arn=arn, owner=asked.account, created=now, backend_boot=facts.boot, facts=dict(told))


def profiled(facts: Facts) -> list[Resource]:
    """The running instances that have an instance profile."""
    return [one for one in facts.view.shared.find(Resource, "instance", "profiled") if one.backend_boot == facts.boot]


def named(instance_id: str, facts: Facts) -> Resource | None:
    """The instance of this id, if it runs."""
    for one in facts.view.shared.find(Resource, "instance", instance_id):
        if one.backend_boot == facts.boot and one.facts.get(STATE) == RUNNING:
            return one
    return None


def id_of(instance: Resource) -> str:
    """The instance's id."""
    parsed = arns.parse(instance.arn)
    return parsed.resource.rpartition("/")[2] if parsed is not None else ""
