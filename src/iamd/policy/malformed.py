"""What a document must be before it may be stored, and AWS's words for what is wrong with it.

Of several faults AWS names one. The order of the checks of IAM's own documents is AWS's as far as published answers
show it: shape, version, what AWS calls legacy parsing, then statement ids, actions, resources. Sizes and whether the
principals named exist are the caller's to check.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

from iamd.policy import shared_issuers, syntax, trust, values
from iamd.policy.conditions import operator_name
from iamd.policy.kinds import IAM_DOCUMENTS, WITHOUT_PRINCIPAL, PolicyType
from iamd.policy.principals import MEMBERS
from iamd.policy.syntax import RawDocument, SyntaxProblem
from iamd.policy.values import MalformedPolicy

SYNTAX = "Syntax errors in policy."
VERSION = "Policy document must be version 2012-10-17 or greater."
LEGACY = "The policy failed legacy parsing"
WITH_PRINCIPAL = "Policy document should not specify a principal."
REPEATED_SID = "Statement IDs (SID) in a single policy must be unique."
ODD_SID = (
    "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*"
)
NO_ACTIONS = "Policy statement must contain actions."
NO_RESOURCES = "Policy statement must contain resources."
ORGANIZATIONS = "The provided policy document does not meet the requirements of the specified policy type."
"""Organizations' one answer to a wrong SCP or RCP."""

VERSIONS = frozenset({"2012-10-17", "2008-10-17"})
ELEMENTS = frozenset(
    {"Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"},
)

EVERYONE: Sequence[object] = ("*", {"AWS": "*"})
"""The Principals that an RCP may have: the first by the guide's page, the second by AWS's recorded answers."""

Members = Mapping[str, object]
Taken = Callable[[str, str], bool]
"""Whether a value may stand under an operator in what is stored."""


def check(text: str, kind: PolicyType) -> RawDocument:
    """The document in `text`, or MalformedPolicy unless it may be stored as a policy of `kind`."""
    try:
        syntax.check_depth(text)
        document = syntax.read(text)
    except SyntaxProblem:
        raise MalformedPolicy(ORGANIZATIONS if kind in _ORGANIZATIONS else SYNTAX) from None
    statements = [statement.members for statement in document.statements]
    _CHECKS[kind](document.members, statements)
    return document


def check_simulated(text: str, kind: PolicyType) -> None:
    """Raise MalformedPolicy unless `text` may be simulated as a policy of `kind`: IAM's own need no Version there.

    AWS: the policies of the IAM API Reference's example of SimulateCustomPolicy have one; that others are taken is seen
    in its answers.
    """
    try:
        document = syntax.read(text)
    except SyntaxProblem:
        raise MalformedPolicy(SYNTAX) from None
    statements = [statement.members for statement in document.statements]
    if kind in WITHOUT_PRINCIPAL:
        _check_organizations(document.members, statements, kind)
    else:
        _CHECKS[kind](document.members, statements)


def _check_iam(members: Members, statements: list[dict[str, object]], taken: Taken = values.is_stored) -> None:
    _check_shape(members, statements)
    if members.get("Version") != "2012-10-17":
        raise MalformedPolicy(VERSION)
    _check_legacy_parsing(members, statements, taken)
    if any("Principal" in statement or "NotPrincipal" in statement for statement in statements):
        raise MalformedPolicy(WITH_PRINCIPAL)
    _check_sids(statements, alphanumeric=True)
    if not all(_strings(statement, "Action") for statement in statements):
        raise MalformedPolicy(NO_ACTIONS)
    _each(statements, "Resource", values.check_resource)
    _each(statements, "Action", values.check_action)
    if not all(_strings(statement, "Resource") for statement in statements):
        raise MalformedPolicy(NO_RESOURCES)


def _check_trust(members: Members, statements: list[dict[str, object]]) -> None:
    for statement in statements:
        trust.check_fields(statement)
    _check_shape(members, statements)
    _check_legacy_parsing(members, statements)
    # AWS: trust policies are IAM's own, so their ids are of letters and digits (reference_policies_elements_sid); users
    # had to rename the ids of theirs for an underscore.
    _check_sids(statements, alphanumeric=True)
    for statement in statements:
        trust.check_actions(_strings(statement, "Action"))
    _check_principals(statements)
    for statement in statements:
        shared_issuers.check(statement)


def _check_resource(members: Members, statements: list[dict[str, object]]) -> None:
    for statement in statements:
        _require(statement, "Effect", "Principal", "Action", "Resource")
    _check_shape(members, statements)
    _check_legacy_parsing(members, statements)
    _check_sids(statements, alphanumeric=False)
    _each(statements, "Action", values.check_action)
    _each(statements, "Resource", values.check_arn_format)
    _check_principals(statements)


def _check_scp(members: Members, statements: list[dict[str, object]]) -> None:
    _check_new(members)
    try:
        _check_organizations(members, statements, PolicyType.SCP)
        for resource in _all(statements, "Resource"):
            values.check_long_or_open_arn(resource)
    except MalformedPolicy:
        raise MalformedPolicy(ORGANIZATIONS) from None


def _check_rcp(members: Members, statements: list[dict[str, object]]) -> None:
    # AWS: a customer's RCP only denies, names everyone, and has neither NotAction nor `*` for its actions
    # (orgs_manage_policies_rcps_syntax). Which services they are of is the caller's to check.
    for statement in statements:
        if statement.get("Effect") != "Deny" or statement.get("Principal") not in EVERYONE or "NotAction" in statement:
            raise MalformedPolicy(ORGANIZATIONS)
    if "*" in _all(statements, "Action"):
        raise MalformedPolicy(ORGANIZATIONS)
    try:
        _check_organizations(members, statements, PolicyType.RCP)
        for resource in _all(statements, "Resource"):
            values.check_long_arn(resource)
    except MalformedPolicy:
        raise MalformedPolicy(ORGANIZATIONS) from None


def _check_new(members: Members) -> None:
    # AWS: every SCP must have the Version 2012-10-17 (orgs_manage_policies_scps_syntax). The page of RCPs says it of
    # them too, and AWS was seen to take others.
    # SECURITY: in an older one a variable is plain text, and what it seems to deny it does not.
    if members.get("Version") != "2012-10-17":
        raise MalformedPolicy(ORGANIZATIONS)


def _check_organizations(members: Members, statements: list[dict[str, object]], kind: PolicyType) -> None:
    _check_shape(members, statements)
    for statement in statements:
        if kind in WITHOUT_PRINCIPAL and ("Principal" in statement or "NotPrincipal" in statement):
            raise MalformedPolicy(WITH_PRINCIPAL)
        _require(statement, "Action", "Resource")
    _check_legacy_parsing(members, statements)
    # AWS: a Sid is a friendly name of which no characters are asked (Organizations User Guide,
    # orgs_manage_policies_scps_syntax and orgs_manage_policies_rcps_syntax). IAM's page, to which the second leads, has
    # letters and digits, and leaves it to other services to ask for more (reference_policies_elements_sid).
    _check_sids(statements, alphanumeric=False)
    _each(statements, "Action", values.check_action)


_ORGANIZATIONS = frozenset({PolicyType.SCP, PolicyType.RCP})
_CHECKS: Mapping[PolicyType, Callable[[Members, list[dict[str, object]]], None]] = {
    **dict.fromkeys(IAM_DOCUMENTS, _check_iam),
    PolicyType.SESSION: partial(_check_iam, taken=values.is_passed),
    PolicyType.TRUST: _check_trust,
    PolicyType.RESOURCE: _check_resource,
    PolicyType.ENDPOINT: _check_resource,
    PolicyType.SCP: _check_scp,
    PolicyType.RCP: _check_rcp,
}


def _require(statement: Members, *names: str) -> None:
    for name in names:
        if name not in statement and f"Not{name}" not in statement:
            raise MalformedPolicy(f"Missing required field {name}")


def _check_shape(members: Members, statements: list[dict[str, object]]) -> None:
    """Raise unless every member is known, of its JSON type, and not beside its opposite."""
    fits = (
        members.keys() <= {"Version", "Id"}
        and _is_version(members.get("Version", "2008-10-17"))
        and type(members.get("Id", "")) is str
        and all(map(_has_shape, statements))
    )
    if not fits:
        raise MalformedPolicy(SYNTAX)


def _is_version(element: object) -> bool:
    return isinstance(element, str) and element in VERSIONS


def _has_shape(statement: Members) -> bool:
    effect, sid = statement.get("Effect"), statement.get("Sid", "")
    return (
        statement.keys() <= ELEMENTS
        and isinstance(effect, str)
        and effect.lower() in {"allow", "deny"}
        and type(sid) is str
        and all(_has_one_list(statement, name) for name in ("Action", "Resource"))
        and not ("Principal" in statement and "NotPrincipal" in statement)
        and all(_is_principal(statement[name]) for name in ("Principal", "NotPrincipal") if name in statement)
        and _is_condition(statement.get("Condition", {}))
    )


def _has_one_list(statement: Members, name: str) -> bool:
    if name in statement and f"Not{name}" in statement:
        return False
    return (
        syntax.strings(statement.get(name, [])) is not None
        and syntax.strings(statement.get(f"Not{name}", [])) is not None
    )


def _is_principal(element: object) -> bool:
    if element == "*":
        return True
    return (
        isinstance(element, dict)
        and bool(element)
        and element.keys() <= set(MEMBERS)
        and all(syntax.strings(value) for value in element.values())
    )


def _is_condition(element: object) -> bool:
    return isinstance(element, dict) and all(_is_operator(name, entries) for name, entries in element.items())


def _is_operator(name: str, entries: object) -> bool:
    if not isinstance(entries, dict):
        return False
    if not all(syntax.scalars(value) is not None for value in entries.values()):
        return False
    # AWS accepts any name in front of an empty object: it tests nothing.
    return not entries or operator_name(name).may_be_stored


def _check_legacy_parsing(
    members: Members, statements: list[dict[str, object]], taken: Taken = values.is_dated
) -> None:
    # AWS: under 2008-10-17 a `${` is plain text.
    substitute = members.get("Version") == "2012-10-17"
    if not all(_passes_legacy_parsing(statement, taken, substitute=substitute) for statement in statements):
        raise MalformedPolicy(LEGACY)


def _passes_legacy_parsing(statement: Members, taken: Taken, *, substitute: bool) -> bool:
    return (
        statement.get("Effect") in {"Allow", "Deny"}
        and all(taken(base, value) for base, value in _compared(statement))
        and all(map(values.is_whole_arn, _strings(statement, "Resource")))
        and not (substitute and any(not values.has_variables_in_order(text) for text in _texts(statement)))
    )


def _compared(statement: Members) -> Iterator[tuple[str, str]]:
    """Each value of a condition, with its operator."""
    for name, entries in _conditions(statement):
        base = operator_name(name).base
        for value in entries.values():
            for text in syntax.scalars(value) or ():
                yield base, text


def _texts(statement: Members) -> Iterator[str]:
    """The texts that may hold variables."""
    yield from _strings(statement, "Resource")
    for name, entries in _conditions(statement):
        if operator_name(name).base.startswith(("String", "Arn")):
            for value in entries.values():
                yield from syntax.scalars(value) or ()


def _conditions(statement: Members) -> Iterator[tuple[str, dict[str, object]]]:
    element = statement.get("Condition", {})
    if isinstance(element, dict):
        yield from element.items()


def _check_sids(statements: list[dict[str, object]], *, alphanumeric: bool) -> None:
    sids = [str(statement["Sid"]) for statement in statements if statement.get("Sid")]
    if alphanumeric and any(not (sid.isascii() and sid.isalnum()) for sid in sids):
        raise MalformedPolicy(ODD_SID)
    if len(set(sids)) != len(sids):
        raise MalformedPolicy(REPEATED_SID)


def _strings(statement: Members, name: str) -> list[str]:
    """The strings of the element `name` or of its opposite."""
    return syntax.strings(statement.get(name, statement.get(f"Not{name}", []))) or []


def _all(statements: list[dict[str, object]], name: str) -> Iterator[str]:
    for statement in statements:
        yield from _strings(statement, name)


def _each(statements: list[dict[str, object]], name: str, check_one: Callable[[str], None]) -> None:
    for value in _all(statements, name):
        check_one(value)


def _check_principals(statements: list[dict[str, object]]) -> None:
    for statement in statements:
        element = statement.get("Principal", statement.get("NotPrincipal"))
        if isinstance(element, dict):
            for member, value in element.items():
                for principal in syntax.strings(value) or ():
                    trust.check_principal(member, principal)
