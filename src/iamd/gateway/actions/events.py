"""The event bus, rule or other resource that a request to EventBridge is for: by name or ARN; whose events it puts.

AWS: EventBridge User Guide, "Amazon EventBridge and AWS Identity and Access Management" and "Using IAM policy
conditions in Amazon EventBridge".
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from iamd.authz.target import Target
from iamd.errors import AWSError, CommonError
from iamd.gateway.actions import keys
from iamd.gateway.actions.asked import Asked, invalid
from iamd.gateway.actions.given_arn import formed, own
from iamd.wire import parse_json

# EventBridge API Reference: names of buses (a partner's has slashes), of all else, and of partners' event sources.
_BUS: Final = re.compile(r"[/.\-_A-Za-z0-9]{1,256}", re.ASCII)
_NAME: Final = re.compile(r"[.\-_A-Za-z0-9]{1,64}", re.ASCII)
_SOURCE: Final = re.compile(r"aws\.partner(?:/[.\-_A-Za-z0-9]+){2,}", re.ASCII)
_TAGGED: Final = re.compile(r"(?:event-bus|rule)/[/.\-_A-Za-z0-9]{1,330}", re.ASCII)
_CONNECTION: Final = re.compile(r"connection/[.\-_A-Za-z0-9]{1,64}/[A-Za-z0-9-]{1,64}", re.ASCII)
_ARCHIVE: Final = re.compile(r"archive/[.\-_A-Za-z0-9]{1,48}", re.ASCII)
_DEFAULT: Final = "default"
# The kind of resource that Name is a name of, by what the operation's name ends with.
_KINDS: Final = {"ApiDestination": "api-destination", "Connection": "connection", "Endpoint": "endpoint"}
_RULES: Final = frozenset({"DeleteRule", "DescribeRule", "DisableRule", "EnableRule", "PutRule"})


class ResourceNotFound(AWSError):
    """A name or an ARN that nothing of EventBridge has."""

    code = "ResourceNotFoundException"
    status = 400


class InvalidEventPattern(AWSError):
    """A pattern that can't be read (EventBridge API Reference, PutRule)."""

    code = "InvalidEventPatternException"
    status = 400


def values(asked: Asked) -> Mapping[str, Any]:
    """The ARNs of what the request names, and what the keys tell of a rule's pattern and targets."""
    found: dict[str, Any] = {**_of_rule(asked), **_of_arns(asked)}
    name, parameters = asked.operation.name, asked.parameters
    if name.endswith("EventBus"):
        found["bus"] = bus_arn(parameters.get("Name"), asked)
    kind = next((kind for end, kind in _KINDS.items() if name.endswith(end)), None)
    if kind is not None:
        found["named"] = own("events", f"{kind}/{_checked(parameters['Name'])}", asked)
    for member, kind in (("ArchiveName", "archive"), ("ReplayName", "replay")):
        if member in parameters:
            found[kind] = own("events", f"{kind}/{_checked(parameters[member])}", asked)
    source = parameters.get("EventSourceName") if name.startswith("ListPartner") else parameters.get("Name")
    if source is not None and "EventSource" in name:
        found["event_source"] = _event_source(source, asked)
    return found


def _of_rule(asked: Asked) -> dict[str, Any]:
    """A rule, on its bus; its pattern and targets as condition keys."""
    name, parameters = asked.operation.name, asked.parameters
    rule = parameters.get("Rule") or (parameters["Name"] if name in _RULES else None)
    if rule is None:
        return {}
    found: dict[str, Any] = {"rule": _rule_arn(_checked(rule), bus_arn(parameters.get("EventBusName"), asked))}
    if "EventPattern" in parameters:
        found |= _pattern(parameters["EventPattern"])
    targets = [target.get("Arn") for target in parameters.get("Targets") or []]
    return found | ({"target_arns": targets} if targets else {})


def _rule_arn(rule: str, bus: str) -> str:
    place, _, bus_name = bus.partition(":event-bus/")
    return f"{place}:rule/{rule}" if bus_name == _DEFAULT else f"{place}:rule/{bus_name}/{rule}"


def bus_arn(named: str | None, asked: Asked) -> str:
    """The ARN of the bus of this name or ARN, or of the default one."""
    if not named:
        return own("events", f"event-bus/{_DEFAULT}", asked)
    if not named.startswith("arn:"):
        return own("events", f"event-bus/{_checked(named, _BUS)}", asked)
    return _arn(named, re.compile(r"event-bus/" + _BUS.pattern, re.ASCII), asked)


def _checked(name: Any, pattern: re.Pattern[str] = _NAME) -> str:
    if not isinstance(name, str) or not pattern.fullmatch(name):
        raise ResourceNotFound(f"{name} does not exist.")
    return name


def _arn(value: Any, pattern: re.Pattern[str], asked: Asked) -> str:
    return formed(value, "events", pattern, asked, ResourceNotFound(f"{value} does not exist."))


def _event_source(name: Any, asked: Asked) -> str:
    return f"arn:{asked.partition}:events:{asked.region}::event-source/{_checked(name, _SOURCE)}"


def _of_arns(asked: Asked) -> dict[str, Any]:
    """What members hold as ARNs."""
    name, parameters = asked.operation.name, asked.parameters
    found: dict[str, Any] = {}
    if "ResourceARN" in parameters:
        found["tagged"] = _arn(parameters["ResourceARN"], _TAGGED, asked)
    if name == "CreateApiDestination":
        found["connection"] = _arn(parameters["ConnectionArn"], _CONNECTION, asked)
    if name == "CreateArchive":
        found["from_bus"] = bus_arn(parameters["EventSourceArn"], asked)
    if name == "StartReplay":
        found["from_archive"] = _arn(parameters["EventSourceArn"], _ARCHIVE, asked)
        found["to_bus"] = bus_arn((parameters["Destination"] or {})["Arn"], asked)
    if name.endswith("Endpoint"):
        buses = [bus.get("EventBusArn") for bus in parameters.get("EventBuses") or []]
        found |= {"endpoint_buses": buses} if buses else {}
    return found


def _pattern(text: Any) -> dict[str, Any]:
    """The keys of a rule's pattern; what is no plain value stands as its JSON, which no value in a policy equals."""
    try:
        pattern = parse_json.decode(str(text).encode())
    except CommonError:
        pattern = None
    if not isinstance(pattern, dict):
        raise InvalidEventPattern("Event pattern is not valid. Reason: it is no JSON object")
    detail = pattern.get("detail")
    found: dict[str, Any] = {
        "source": _listed(pattern.get("source")),
        "detail_type": _listed(pattern.get("detail-type")),
    }
    if isinstance(detail, dict):
        user = detail.get("userIdentity")
        found["detail_service"] = _single(detail.get("service"))
        found["detail_code"] = _single(detail.get("eventTypeCode"))
        found["detail_principal"] = _single(user.get("principalId")) if isinstance(user, dict) else None
    return {name: value for name, value in found.items() if value is not None}


def _listed(value: Any) -> list[str] | None:
    if value is None:
        return None
    return [_plain(item) for item in value] if isinstance(value, list) and value else [_plain(value)]


def _single(value: Any) -> str | None:
    listed = _listed(value)
    return listed[0] if listed is not None and len(listed) == 1 else None if listed is None else _plain(value)


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def put_events(asked: Asked) -> list[Target]:
    """`PutEvents` on each bus, once for each source and detail type of its entries."""
    parameters = asked.parameters
    if parameters.get("EndpointId"):
        raise invalid("iamd decides a request in one Region, and a global endpoint is of two: leave EndpointId out.")
    action = "events:PutEvents"
    found: dict[tuple[Any, ...], Target] = {}
    for entry in parameters["Entries"]:
        bus, told = bus_arn(entry.get("EventBusName"), asked), _of_entry(entry)
        target = Target(arn=bus, action=action, context=keys.of("events", action, told))
        found.setdefault((bus, *told.values()), target)
    if not found:
        raise KeyError("Entries")
    return list(found.values())


def _of_entry(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {"source": entry.get("Source"), "detail_type": entry.get("DetailType")}


COMPUTED: Final[Mapping[str, Callable[[Asked], list[Target]]]] = {"put_events": put_events}
