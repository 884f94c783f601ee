"""Rules: what a template says of its parameters' values together.

AWS: CloudFormation User Guide, "Rules syntax", and Template Reference, "Rule-specific intrinsic functions".
"""

from collections.abc import Mapping
from typing import Any

from iamd.stacks.faults import ValidationError, malformed, unsupported
from iamd.stacks.functions import Scope


def check(scope: Scope) -> None:
    """Every rule holds; ValidationError with what it says otherwise."""
    for name, rule in scope.template.rules.items():
        if "RuleCondition" in rule and not _holds(scope, rule["RuleCondition"]):
            continue
        assertions = rule.get("Assertions")
        if not isinstance(assertions, list) or not all(isinstance(one, Mapping) for one in assertions):
            raise malformed(f"[/Rules/{name}] every Rules object must contain Assertions.")
        for assertion in assertions:
            if not _holds(scope, assertion.get("Assert")):
                told = assertion.get("AssertDescription", f"An assertion of rule {name} does not hold")
                raise ValidationError(f"Template error: {told}")


def _holds(scope: Scope, value: Any) -> bool:
    match value:
        case {"Fn::And": list(parts)}:
            return all(_holds(scope, part) for part in parts)
        case {"Fn::Or": list(parts)}:
            return any(_holds(scope, part) for part in parts)
        case {"Fn::Not": [part]}:
            return not _holds(scope, part)
        case {"Fn::Contains": [among, one]}:
            return scope.of(one) in scope.of(among)
        case {"Fn::EachMemberEquals": [members, one]}:
            return all(member == scope.of(one) for member in scope.of(members))
        case {"Fn::EachMemberIn": [members, among]}:
            return all(member in scope.of(among) for member in scope.of(members))
        case {"Fn::Equals": _}:
            return scope.holds(value)
    raise unsupported(f"The rule function {next(iter(value), '') if isinstance(value, Mapping) else value}")
