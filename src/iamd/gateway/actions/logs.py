"""The log group, or other resource, that a request to CloudWatch Logs is for: by name, ARN or identifier."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from iamd import arn as arns
from iamd.authz.target import Target
from iamd.errors import AWSError, CommonError
from iamd.gateway.actions import keys, tags
from iamd.gateway.actions.asked import Asked, invalid
from iamd.wire import parse_json

# CloudWatch Logs API Reference, CreateLogGroup and CreateLogStream.
# SECURITY: no colon and no wildcard, so that each name is one part of one ARN.
_GROUP: Final = re.compile(r"[.\-_/#A-Za-z0-9]{1,512}", re.ASCII)
_STREAM: Final = re.compile(r"[^:*]{1,512}", re.DOTALL)
_NAME: Final = re.compile(r"[^:*?/\s]{1,512}")
_ROLE: Final = re.compile(r"arn:[a-z-]+:iam::[0-9]{12}:role/[A-Za-z0-9_+=,.@/-]+", re.ASCII)
_ACCOUNT: Final = re.compile(r"[0-9]{12}", re.ASCII)
# Resources that are named by a whole ARN; a log group's has no `:*` at its end there.
_RESOURCE: Final = re.compile(
    r"(?:log-group:[.\-_/#A-Za-z0-9]{1,512}"
    r"|(?:anomaly-detector|delivery|delivery-destination|delivery-source|destination|lookup-table|scheduled-query)"
    r":[A-Za-z0-9_.-]{1,512}|query-result:\*)",
    re.ASCII,
)
_ARN_MEMBERS: Final = (
    "resourceArn",
    "resourceIdentifier",
    "anomalyDetectorArn",
    "lookupTableArn",
    "deliveryDestinationArn",
    "identifier",
)
_NAME_MEMBERS: Final = (
    "destinationName",
    "deliverySourceName",
    "deliveryDestinationName",
    "lookupTableName",
    "id",
    "name",
)
_GROUP_MEMBERS: Final = ("logGroupName", "logGroupIdentifier")
_LIST_MEMBERS: Final = ("logGroupNames", "logGroupIdentifiers", "logGroupArnList")
# Operations that their template of a resource names by one of _ARN_MEMBERS or _NAME_MEMBERS.
_FREE_NAMES: Final = frozenset({"PutQueryDefinition", "CreateScheduledQuery"})
_FREE_RESOURCES: Final = frozenset({"PutDeliverySource", "DescribeResourcePolicies"})
# CloudWatch Logs User Guide, "CloudWatch Logs Insights language query syntax": commands that choose log groups, and
# the one that shows masked data.
_CHOOSES_GROUPS: Final = re.compile(r"(?:\A|\|)\s*source\b|\bsource\s*=|\bloggroups\s*\(", re.IGNORECASE)
_UNMASKS: Final = re.compile(r"unmask", re.IGNORECASE)


class InvalidParameter(AWSError):
    """A parameter that names nothing that CloudWatch Logs can have."""

    code = "InvalidParameterException"
    status = 400


def values(asked: Asked) -> Mapping[str, Any]:
    """The group's ARN without an end, the resource that is named by an ARN, and checks of what the templates name."""
    given, operation = asked.parameters, asked.operation.name
    _check_policies(given, operation)
    found: dict[str, Any] = {"group": _group(asked), "resource": None, "to_destination": None}
    if "logStreamName" in given and not _matches(_STREAM, given["logStreamName"]):
        raise InvalidParameter("1 validation error detected: the log stream's name is not valid.")
    if operation not in _FREE_NAMES:
        _check_names(given)
    if operation not in _FREE_RESOURCES:
        found["resource"] = _resource(asked)
    if operation == "PutAccountPolicy":
        _check_role(given.get("policyDocument"))
    if _is_destination(given.get("destinationArn"), asked):
        found["to_destination"] = "true"
    return {name: value for name, value in found.items() if value is not None}


def _matches(pattern: re.Pattern[str], value: Any) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _check_policies(given: Mapping[str, Any], operation: str) -> None:
    # SECURITY: a group's own policy would be part of each decision on it, and iamd does not keep these yet.
    if operation in {"PutResourcePolicy", "DeleteResourcePolicy"} and given.get("resourceArn"):
        raise invalid("iamd does not keep policies of single log groups: leave resourceArn out.")


def _check_names(given: Mapping[str, Any]) -> None:
    for member in _NAME_MEMBERS:
        if member in given and not _matches(_NAME, given[member]):
            raise InvalidParameter(f"The value of {member} is not valid.")


def _group(asked: Asked) -> str | None:
    named = [asked.parameters[member] for member in _GROUP_MEMBERS if asked.parameters.get(member) is not None]
    keyed = asked.parameters.get("resourceIdentifier")
    if isinstance(keyed, str) and ":log-group:" in keyed:
        # AssociateKmsKey names a log group by its ARN here, and a log group is decided on in one way.
        named.append(keyed)
    if len(named) > 1:
        # AWS: one or the other, not both (API Reference, FilterLogEvents).
        raise InvalidParameter("LogGroup name and LogGroup identifier cannot be used at the same time.")
    return group_arn(named[0], asked) if named else None


def group_arn(identifier: Any, asked: Asked) -> str:
    """The ARN, without an end, of the log group of this name or ARN."""
    if _matches(_GROUP, identifier):
        return f"arn:{asked.partition}:logs:{asked.region}:{asked.account}:log-group:{identifier}"
    text = _arn(identifier, asked)
    if not _matches(_GROUP, text.split(":", 6)[-1]) or not text.split(":", 5)[5].startswith("log-group:"):
        raise InvalidParameter("The specified log group identifier is not valid.")
    return text


def _arn(value: Any, asked: Asked) -> str:
    """An ARN of this service, partition and region.

    SECURITY: the backend serves one region and looks at an ARN's end alone, so the rest must be this place's.
    """
    found = arns.parse(value) if isinstance(value, str) else None
    place = (asked.partition, "logs", asked.region)
    if (
        found is None
        or (found.partition, found.service, found.region) != place
        or not _ACCOUNT.fullmatch(found.account)
    ):
        raise InvalidParameter("The ARN is not that of a CloudWatch Logs resource in this Region.")
    return str(found)


def _resource(asked: Asked) -> str | None:
    for member in _ARN_MEMBERS:
        value = asked.parameters.get(member)
        if value is None:
            continue
        text = _arn(value, asked)
        if not _matches(_RESOURCE, text.split(":", 5)[5]):
            raise InvalidParameter(f"The value of {member} is not the ARN of a CloudWatch Logs resource.")
        return text
    return None


def _is_destination(value: Any, asked: Asked) -> bool:
    """Whether a subscription goes to a destination of CloudWatch Logs, whose right is needed too."""
    found = arns.parse(value) if isinstance(value, str) else None
    if found is None or found.service != "logs":
        return False
    return _arn(value, asked) == value and _matches(_RESOURCE, found.resource)


def _check_role(document: Any) -> None:
    """The role in the text of a policy that subscribes to every group must be one (API Reference, PutAccountPolicy)."""
    try:
        told = parse_json.decode(str(document).encode())
    except CommonError:
        # SECURITY: what is not plain JSON could hand a role over that nobody has seen.
        raise InvalidParameter("The policy document is not valid JSON.") from None
    role = told.get("RoleArn") if isinstance(told, dict) else None
    if role is not None and not _matches(_ROLE, role):
        raise InvalidParameter("RoleArn is not the ARN of a role.")


def on_groups(asked: Asked) -> list[Target]:
    """The operation's own action on each log group that it lists."""
    return _each(f"logs:{asked.operation.name}", _groups(asked), asked)


def _groups(asked: Asked) -> list[str]:
    found = [] if (one := _group(asked)) is None else [one]
    for member in _LIST_MEMBERS:
        found += [group_arn(identifier, asked) for identifier in asked.parameters.get(member) or []]
    if not found:
        raise KeyError("logGroupIdentifiers")
    return list(dict.fromkeys(found))


def _each(action: str, groups: list[str], asked: Asked) -> list[Target]:
    context = {**tags.of(asked.parameters), **keys.of("logs", action, asked.parameters)}
    return [Target(arn=f"{group}:log-stream:", action=action, context=context) for group in groups]


def start_query(asked: Asked) -> list[Target]:
    """StartQuery on each group, and Unmask on each when the query shows masked data."""
    text = str(asked.parameters["queryString"])
    if asked.parameters.get("queryLanguage") == "SQL" or _CHOOSES_GROUPS.search(text):
        raise invalid("iamd does not decide queries that name log groups in their text: name them in the parameters.")
    groups = _groups(asked)
    found = _each("logs:StartQuery", groups, asked)
    return found + _each("logs:Unmask", groups, asked) if _UNMASKS.search(text) else found


COMPUTED: Final[Mapping[str, Callable[[Asked], list[Target]]]] = {"on_groups": on_groups, "start_query": start_query}
