"""Where iam-simulate is known to decide otherwise: what a case must have for each, which of them says what, and why."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from iamd.policy.operators import OPERATORS
from iamd.policy.request import ALWAYS

Case = dict[str, Any]


@dataclass(frozen=True)
class Known:
    """A row of the table: a case that `has` it may be decided otherwise."""

    what: str
    oracle: str
    here: str
    has: Callable[[Case], bool]


def documents(case: Case) -> Iterator[Case]:
    """Every document of a case."""
    for held in case["policies"].values():
        for one in held if isinstance(held, list) else [held]:
            yield from one["policies"] if isinstance(one, dict) and "policies" in one else [one]


def statements(case: Case) -> Iterator[Case]:
    """Every statement of a case."""
    for document in documents(case):
        found = document["Statement"]
        yield from [found] if isinstance(found, dict) else found


def listed(value: Any) -> list[Any]:
    """A value that may stand alone, as a list."""
    return value if isinstance(value, list) else [value]


def resources(case: Case, *names: str) -> Iterator[str]:
    """The entries of the Resource and NotResource elements, or of one of them."""
    for statement in statements(case):
        for name in names or ("Resource", "NotResource"):
            yield from listed(statement.get(name, []))


def actions(case: Case) -> list[str]:
    """The entries of the Action and NotAction elements."""
    return [a for one in statements(case) for name in ("Action", "NotAction") for a in listed(one.get(name, []))]


def conditions(case: Case) -> Iterator[tuple[str, str, list[Any]]]:
    """Each condition: its operator without quantifier and IfExists, its whole name, and its values."""
    for statement in statements(case):
        for name, keys in statement.get("Condition", {}).items():
            base = name.rpartition(":")[2].removesuffix("IfExists")
            for values in keys.values():
                yield base, name, listed(values)


def values(case: Case) -> Iterator[Any]:
    """The values of the request's condition keys."""
    for value in case["request"]["context"].values():
        yield from listed(value)


def _has_session_policy(case: Case) -> bool:
    return "session" in case["policies"] and "resource" in case["policies"]


def _has_old_variables(case: Case) -> bool:
    return any(one.get("Version") != "2012-10-17" and "${" in str(one["Statement"]) for one in documents(case))


def _negates_a_variable(case: Case) -> bool:
    return any("Not" in base and "${" in str(wanted) for base, _, wanted in conditions(case))


def _has_wild_type(case: Case) -> bool:
    """A wildcard before a `/` or `:` in the last segment of an ARN."""
    lasts = (entry.split(":", 5)[5] for entry in resources(case) if entry.count(":") >= 5)
    return any(re.search(r"[*?][^/:]*[/:]", last) or last.startswith(("*", "?")) for last in lasts)


def _has_variable_in_arn(case: Case) -> bool:
    in_conditions = any(base.startswith("Arn") and "${" in str(wanted) for base, _, wanted in conditions(case))
    return in_conditions or any("${" in entry for entry in resources(case))


def _has_upper_case(case: Case) -> bool:
    return any(entry.split(":")[1:5] != entry.lower().split(":")[1:5] for entry in resources(case))


def _has_default(case: Case) -> bool:
    return re.search(r"\$\{[^},]*,(?! ')|\$\{[^},]*, '[^}]*, ", str(case["policies"])) is not None


def _is_unsigned_or_canonical(case: Case) -> bool:
    principal = case["request"]["principal"]
    is_unsigned = not principal.startswith("arn:") or "-provider/" in principal
    return is_unsigned or "CanonicalUser" in str(case["policies"])


def _has_odd_truth(case: Case) -> bool:
    return any(base == "Bool" for base, _, _ in conditions(case))


def _has_dates(case: Case) -> bool:
    return any(base.startswith("Date") for base, _, _ in conditions(case))


def _has_addresses(case: Case) -> bool:
    found = [(base, wanted) for base, _, wanted in conditions(case) if base in {"IpAddress", "NotIpAddress"}]
    in_request = any(str(value).count(":") > 1 for value in values(case))
    return any(base == "NotIpAddress" or in_request or ":" in str(wanted) for base, wanted in found)


def _negates_what_does_not_parse(case: Case) -> bool:
    return any(base in {"ArnNotEquals", "ArnNotLike"} and _is_no_arn(wanted) for base, _, wanted in conditions(case))


def _is_no_arn(wanted: list[Any]) -> bool:
    return any(str(value).count(":") < 5 for value in wanted)


def _has_odd_numbers(case: Case) -> bool:
    texts = [str(value) for value in values(case)]
    texts += [str(value) for base, _, wanted in conditions(case) if base.startswith("Numeric") for value in wanted]
    return any(base.startswith("Numeric") for base, _, _ in conditions(case)) and any(
        re.fullmatch(r"[+-]?[0-9.]+", text) is None for text in texts
    )


def _has_unknown_operator(case: Case) -> bool:
    return any(base not in OPERATORS and base != "Null" for base, _, _ in conditions(case))


def _has_empty_action(case: Case) -> bool:
    return any(action.endswith(":") or " " in action for action in actions(case))


def _is_known_otherwise(case: Case) -> bool:
    asked, told = case["request"], str(case["policies"])
    if ":assumed-role/" in asked["principal"]:
        name = re.escape(asked["principal"].split("/")[1])
        if re.search(rf":role/[^'\"]+/{name}\b", told):
            return True
    return asked.get("unique_id", "\0") in told or asked.get("entity", "").count("/") > 1


def _has_list_of_one(case: Case) -> bool:
    """A list of one value, which is asked about without a set operator."""
    single = any(":" not in name for _, name, _ in conditions(case))
    return single and any(isinstance(value, list) and len(value) == 1 for value in case["request"]["context"].values())


def _folds_oddly(case: Case) -> bool:
    """Texts with letters that have more lower cases than one."""
    ignoring = any(base.endswith("IgnoreCase") for base, _, _ in conditions(case))
    return ignoring and not str(case).isascii()


def _mixes_partitions(case: Case) -> bool:
    asked = case["request"]
    found = {asked[name].split(":")[1] for name in ("principal", "resource") if asked[name].startswith("arn:")}
    return len(found) > 1


def _is_limited_trust(case: Case) -> bool:
    return "sts:" in case["request"]["action"].lower() and bool({"boundary", "session"} & case["policies"].keys())


KNOWN = (
    Known(
        "a session's own ARN is granted, and its session policy does not allow",
        "ImplicitlyDenied", "Allowed", _has_session_policy,
    ),
    Known(
        "a federated session without session policy", "identity policies decide", "nothing is allowed",
        lambda case: ":federated-user/" in case["request"]["principal"] and not case["policies"].get("session"),
    ),
    Known(
        "a root user", "needs policies", "has full access", lambda case: case["request"]["principal"].endswith(":root")
    ),
    Known("variables in a policy of 2008-10-17 or without Version", "are substituted", "are text", _has_old_variables),
    Known("a negated operator and a variable without value", "false", "true", _negates_a_variable),
    Known(
        "an entry of NotResource that is short or has a variable without value",
        "the statement does not apply", "the entry matches nothing",
        lambda case: any(entry.count(":") < 5 or "${" in entry for entry in resources(case, "NotResource")),
    ),
    Known(
        "variables elsewhere than behind the type of an ARN's resource", "match nothing", "match", _has_variable_in_arn
    ),
    Known("a wildcard in the type of an ARN's resource", "matches nothing", "matches", _has_wild_type),
    Known(
        "`ForAnyValue:...IfExists` of a key that is missing", "false", "true",
        lambda case: any(n.startswith("ForAny") and n.endswith("IfExists") for _, n, _ in conditions(case)),
    ),
    Known(
        "an empty list or text", "is a value", "counts as none",
        lambda case: any(value in ("", []) for value in case["request"]["context"].values()) or "" in values(case),
    ),
    Known("a negated ARN operator and a value that is no ARN", "true", "false", _negates_what_does_not_parse),
    Known(
        "a permissions boundary without a policy", "limits nothing", "allows nothing",
        lambda case: case["policies"].get("boundary") == [],
    ),
    Known("`${*}` in a condition", "is text", "is `*`", lambda case: "${*}" in str(list(conditions(case)))),
    Known("dates and epoch times", "are compared as seconds and milliseconds", "are instants", _has_dates),
    Known("IPv6 in other forms, NotIpAddress across families", "is text", "is an address", _has_addresses),
    Known("Bool and a value that is neither true nor false", "false", "counts as false", _has_odd_truth),
    Known("Principal in a VPC endpoint policy", "is ignored", "must match", lambda case: "vpce" in case["policies"]),
    Known(
        "NotPrincipal that lists a part of the caller's chain", "exempts", "must list all of it",
        lambda case: "NotPrincipal" in str(case["policies"]),
    ),
    Known("`10abc`, `1e3`", "are 10 and 1", "no number, and 1000", _has_odd_numbers),
    Known("text with a newline", "`*` stops there", "`*` goes on", lambda case: "\\n" in repr(case)),
    Known("upper case in partition, region or account", "matches", "does not match", _has_upper_case),
    Known("unsigned federated callers, canonical ids", "never allowed", "allowed if named", _is_unsigned_or_canonical),
    Known("the default of a variable without blank, or with `, ` in it", "is not used", "is used", _has_default),
    Known("an operator that does not exist", "may be true", "allows nothing, and denies", _has_unknown_operator),
    Known("an action without a name (`sqs:`) or with a blank", "may match", "matches nothing", _has_empty_action),
    Known(
        "a resource of stars alone (`**`), which cannot be stored", "matches `*`", "matches nothing",
        lambda case: any(len(entry) > 1 and set(entry) == {"*"} for entry in resources(case)),
    ),
    Known(
        "`arn:*` for an action whose resource is `*`", "matches", "does not match",
        lambda case: case["request"]["resource"] == "*" and any(one.startswith("arn:") for one in resources(case)),
    ),
    Known("a list of one value, without a set operator", "does not match", "is the value", _has_list_of_one),
    Known("letters with several lower cases (`Σ`) where case is ignored", "are unlike", "are alike", _folds_oddly),
    Known(
        "actions that no policy can refuse", "need an Allow", "are allowed",
        lambda case: case["request"]["action"].lower() in ALWAYS,
    ),
    Known("a resource of another partition than the caller's", "may be allowed", "is refused", _mixes_partitions),
    Known(
        "a unique id as Principal, or a role with a path behind a session", "is not compared", "is compared",
        _is_known_otherwise,
    ),
    Known("the action `*:*`", "matches nothing", "is `*`", lambda case: "*:*" in actions(case)),
    Known(
        "a trust policy names the caller, whose boundary or session policy does not allow",
        "Allowed", "ImplicitlyDenied", _is_limited_trust,
    ),
)  # fmt: skip
