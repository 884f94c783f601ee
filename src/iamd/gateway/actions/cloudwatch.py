"""The alarms, dashboards and other resources that a request to CloudWatch is for, by name or ARN.

AWS: CloudWatch User Guide, "Overview of managing access permissions to your CloudWatch resources" and "Using condition
keys".
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from iamd.arn import parse
from iamd.authz.target import Target
from iamd.errors import AWSError, CommonError
from iamd.gateway.actions import keys, tags
from iamd.gateway.actions.asked import Asked
from iamd.gateway.actions.given_arn import ACCOUNT, own
from iamd.wire import parse_json

# CloudWatch API Reference: an alarm's name is any text; all other names are of these characters.
_ALARM: Final = re.compile(r"[^\x00-\x1f\x7f]{1,255}")
_NAME: Final = re.compile(r"[^\x00-\x20\x7f*?/:]{1,255}")
_KINDS: Final = (
    "alarm:",
    "alarm-mute-rule:",
    "dashboard/",
    "dataset/",
    "insight-rule/",
    "metric-stream/",
    "service/",
    "slo/",
)
_INSTEAD: Final = ("AlarmNamePrefix", "ChildrenOfAlarmName", "ParentsOfAlarmName")
"""What chooses alarms in place of their names."""
_ACTIONS: Final = ("AlarmActions", "OKActions", "InsufficientDataActions")


class InvalidParameterValue(AWSError):
    """A name or an ARN that nothing of CloudWatch has."""

    code = "InvalidParameterValue"
    status = 400


class ValidationError(AWSError):
    """A request that names nothing."""

    code = "ValidationError"
    status = 400


def values(asked: Asked) -> Mapping[str, Any]:
    """The ARN of what the request names, and what its alarms do and its rules read."""
    parameters, name = asked.parameters, asked.operation.name
    found: dict[str, Any] = {}
    for member, kind in _MEMBERS.items():
        if parameters.get(member) is not None:
            found[_VALUES[kind]] = _arn(kind, parameters[member], asked)
    if "Name" in parameters:
        kind = "metric-stream/" if "MetricStream" in name else "alarm-mute-rule:"
        found[_VALUES[kind]] = _arn(kind, parameters["Name"], asked)
    if "ResourceARN" in parameters and name.endswith(("TagResource", "TagsForResource", "UntagResource")):
        found["tagged"] = _tagged(parameters["ResourceARN"], asked)
    actions = [action for member in _ACTIONS for action in parameters.get(member) or []]
    if actions:
        found["alarm_actions"] = actions
    if name == "PutInsightRule":
        found |= _log_groups(parameters["RuleDefinition"])
    return found | _managed(asked)


def _arn(kind: str, name: Any, asked: Asked) -> str:
    text = str(name)
    if kind == "dataset/" and text.startswith("arn:"):
        return _tagged(text, asked)
    if not (_ALARM if kind == "alarm:" else _NAME).fullmatch(text):
        raise InvalidParameterValue(f"{text} is not a valid name.")
    # Dashboards are of no Region.
    if kind == "dashboard/":
        return f"arn:{asked.partition}:cloudwatch::{asked.account}:dashboard/{text}"
    return own("cloudwatch", f"{kind}{text}", asked)


def _tagged(value: Any, asked: Asked) -> str:
    found = parse(str(value))
    is_here = (
        found is not None
        and (found.partition, found.service) == (asked.partition, "cloudwatch")
        and found.region == ("" if found.resource.startswith("dashboard/") else asked.region)
        and ACCOUNT.fullmatch(found.account) is not None
    )
    kind = next((kind for kind in _KINDS if found is not None and found.resource.startswith(kind)), None)
    if found is None or kind is None or not is_here:
        raise InvalidParameterValue(f"{value} is not the ARN of a resource here.")
    if not (_ALARM if kind == "alarm:" else _NAME).fullmatch(found.resource.removeprefix(kind)):
        raise InvalidParameterValue(f"{value} is not the ARN of a resource here.")
    return str(found)


def _log_groups(text: Any) -> dict[str, Any]:
    """The log groups of a Contributor Insights rule (User Guide, "Using condition keys to limit Contributor Insights
    users' access to log groups").
    """
    try:
        rule = parse_json.decode(str(text).encode())
    except CommonError:
        rule = None
    if not isinstance(rule, dict):
        raise InvalidParameterValue("RuleDefinition is not valid JSON.")
    named = [*_texts(rule.get("LogGroupNames")), *_texts(rule.get("LogGroupARNs"))]
    return {"log_groups": named} if named else {}


def _texts(value: Any) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else []


def _managed(asked: Asked) -> dict[str, Any]:
    parameters = asked.parameters
    if asked.operation.name == "ListManagedInsightRules":
        return {"managed_arns": [parameters["ResourceARN"]]}
    rules = [rule.get("ResourceARN") for rule in parameters.get("ManagedRules") or []]
    return {"managed_arns": rules} if rules else {}


def each(asked: Asked) -> list[Target]:
    """The operation's own action on each alarm, dashboard, rule or stream that it lists."""
    for member, kind in _LISTS.items():
        if asked.parameters.get(member):
            return _targets([_arn(kind, name, asked) for name in asked.parameters[member]], asked)
    raise ValidationError("The request names no resource.")


def alarms(asked: Asked) -> list[Target]:
    """The operation's own action on each alarm that it names, or on all of them."""
    parameters = asked.parameters
    names = parameters.get("AlarmNames") or ([parameters["AlarmName"]] if parameters.get("AlarmName") else [])
    other = next((member for member in _INSTEAD if parameters.get(member)), None)
    if names and other is not None:
        # SECURITY: AWS refuses it (API Reference, DescribeAlarms); a backend could go by the other alone.
        raise ValidationError(f"{other} can't be given together with AlarmNames.")
    found = [_arn("alarm:", name, asked) for name in names]
    # By prefix, parent, child or action, any alarm may be told of.
    if not found or parameters.get("ActionPrefix"):
        found.append(own("cloudwatch", "alarm:*", asked))
    return _targets(found, asked)


def mute_rule(asked: Asked) -> list[Target]:
    """`PutAlarmMuteRule` on the rule and on each alarm that it mutes; `TagResource` on the rule with tags."""
    parameters = asked.parameters
    rule = _arn("alarm-mute-rule:", parameters["Name"], asked)
    muted = (parameters.get("MuteTargets") or {}).get("AlarmNames") or []
    found = _targets([rule, *(_arn("alarm:", name, asked) for name in muted)], asked)
    if parameters.get("Tags"):
        found.append(Target(arn=rule, action="cloudwatch:TagResource", context=tags.of(parameters)))
    return found


def _targets(arns: list[str], asked: Asked) -> list[Target]:
    action = f"cloudwatch:{asked.operation.name}"
    context = {**tags.of(asked.parameters), **keys.of("cloudwatch", action, asked.parameters)}
    return [Target(arn=arn, action=action, context=context) for arn in dict.fromkeys(arns)]


_MEMBERS: Final = {
    "AlarmName": "alarm:",
    "AlarmMuteRuleName": "alarm-mute-rule:",
    "DashboardName": "dashboard/",
    "DatasetIdentifier": "dataset/",
    "RuleName": "insight-rule/",
}
_VALUES: Final = {
    "alarm:": "alarm",
    "alarm-mute-rule:": "mute_rule",
    "dashboard/": "dashboard",
    "dataset/": "dataset",
    "insight-rule/": "insight_rule",
    "metric-stream/": "metric_stream",
}
_LISTS: Final = {
    "AlarmNames": "alarm:",
    "DashboardNames": "dashboard/",
    "Names": "metric-stream/",
    "RuleNames": "insight-rule/",
}
COMPUTED: Final[Mapping[str, Callable[[Asked], list[Target]]]] = {
    "alarms": alarms,
    "each": each,
    "mute_rule": mute_rule,
}
