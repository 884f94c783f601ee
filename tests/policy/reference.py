"""A slow, readable reference model of AWS IAM policy evaluation.

`decide(case)` takes one request with the policies that were collected for it and answers whether it is allowed,
and which type of policy decided. The file reads from the bottom: `decide` is the flow chart, everything above it
explains one of its boxes. Nothing is cached or compiled; every definition is the shortest that can be checked
against the rule it implements.

Comments name the section of the specification ("3.2") and AWS's page by the short names of its section 17 (EVAL,
XACC, OPS, VAR, PRIN ...). [I] marks what is inferred, [U] what is uncertain; each uncertain point is one constant
or one function of the first part.
"""

from __future__ import annotations

import base64
import ipaddress
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import Enum, IntEnum
from fractions import Fraction
from math import floor
from typing import Any, Final, Literal

Json = Any
Outcome = Literal["Allowed", "ExplicitlyDenied", "ImplicitlyDenied"]
Truth = bool | None  # None is the third value, "unknown" (5.7)

# The policy types, by the names AWS uses in its error messages (14, DENY).
IDENTITY: Final = "identity-based policy"
RESOURCE: Final = "resource-based policy"
BOUNDARY: Final = "permissions boundary"
SESSION: Final = "session policy"
SCP: Final = "service control policy"
RCP: Final = "resource control policy"
VPCE: Final = "VPC endpoint policy"
TRUST: Final = "role trust policy"
ROOT_USER: Final = "root user"
ALWAYS: Final = "always allowed"


@dataclass(frozen=True)
class Verdict:
    """The answer to one request."""

    outcome: Outcome
    layer: str


class Unreadable(Exception):
    """A policy document that cannot be understood (2.1; AUZ-14)."""


# --- Uncertain points: each is one line here -------------------------------------------------------------------------

# 14 [U]: AWS names one policy type when several deny and does not say which (DENY).
DENIAL_ORDER: Final = (SCP, RCP, VPCE, TRUST, RESOURCE, BOUNDARY, SESSION, IDENTITY)

# 3.1 [U]: `*:*` is every action, like `*`.
EVERY_ACTION: Final = frozenset({"*", "*:*"})

# 3.2 against the present RES page, which lets a `*` that ends a segment run on past the colon: the specification
# and its corpus say that a wildcard stays in its segment.
TRAILING_STAR_CROSSES_COLONS: Final = False

# 4.1 [U]: VAR excludes Bool from variables, OPS includes it.
BOOL_TAKES_VARIABLES: Final = True

# 4.2 [U]: the blank between a variable's comma and its default is optional. The default runs to the last quote.
VARIABLE: Final = r"\$\{(?:([^},']+), *'([^}]*)'|([^}]+))\}"

# 4.2 [I]: a key that holds a list gives a variable no value, even when the list has one element.
LISTS_GIVE_VARIABLES_NO_VALUE: Final = True

# 5.3 [I]: IfExists makes a missing key true under a set operator too. (A published run on AWS says false for
# ForAnyValue.)
IF_EXISTS_BEATS_SET_OPERATORS: Final = True

# 5.4 [U]: AWS defines no ForAllValues:Null or ForAnyValue:Null; the prefix is dropped.
SET_OPERATOR_ON_NULL_IS_IGNORED: Final = True

# 5.5, seen on AWS: a multivalued key that is present without a set operator makes the condition false, positive or
# negated, even with one value.
MULTIVALUED_WITHOUT_SET_OPERATOR: Final[Truth] = False

# 5.7, seen on AWS: a value that does not parse equals nothing, so that NumericNotEquals and DateNotEquals hold; of the
# request it makes every operator of addresses and ARNs false. A policy value that is no ARN leaves the condition
# unknown where no other one matches. (AWS goes through them in their order, and stops there: AUZ-11 wants no order.)
DIFFERS_FROM_WHAT_DOES_NOT_PARSE: Final = ("Numeric", "Date")

# 5.7 [U]: numbers may have an exponent.
NUMBER: Final = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")

# 5.7 [U]: digits alone are seconds since 1970, even four of them; from 10^11 on they are milliseconds.
EPOCH: Final = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")
FIRST_EPOCH_IN_MILLISECONDS: Final = 10**11

# 5.7: an operator that is not in the table is unknown. An unknown condition keeps an Allow from applying and lets
# a Deny apply.
UNKNOWN: Final[Truth] = None

# AUZ-14: a document that cannot be read refuses the request, as if it held a Deny for everything.
UNREADABLE_DOCUMENT_DENIES: Final = True

# 6.1 [U]: service principals are matched by "*" but not by {"AWS": "*"}.
AWS_STAR_INCLUDES_SERVICES: Final = False

# 10.1 [I] against the table of 6.1: only a Federated entry lets a SAML or OIDC caller in, "*" does not.
STAR_TRUSTS_FEDERATED_CALLERS: Final = False

# 11.2 [D]: the root user cannot assume roles. Read as: nor pass tags or a source identity to them.
ROOT_MAY_ASSUME_ROLES: Final = False

# 10.1 [I]: roles and keys refuse unsigned requests before any policy is read.
GATES_REFUSE_ANONYMOUS: Final = True

# 7: an SCP or RCP list without any level is in play and allows nothing.
NO_LEVELS_ALLOW: Final = False


def short_arn_counts(pattern: Sequence[Piece], kind: str) -> bool:
    """Tell whether a Resource of fewer than six segments counts, its missing segments being `*` (3.2 [U])."""
    if kind in (IDENTITY, BOUNDARY, SESSION):
        return True
    if kind == SCP:
        return bool(pattern) and pattern[-1] is Wild.STAR
    if kind == RCP:
        return False
    return Wild.STAR in pattern


def not_resource_applies(matched: bool) -> bool:
    """Invert the match of a NotResource list; a short ARN that does not count matches nothing, too (3.2 [U])."""
    return not matched


def fold_action(text: str, kind: str) -> str:
    """Ignore the case of actions in every policy type; the pages on SCPs call them case sensitive (3.1 [U])."""
    return lower(text)


def operator_spelling(name: str) -> str:
    """Take an operator's name by its exact case (5.7 [U])."""
    return name


def not_principal_denies(chain: Sequence[Link], listed: Sequence[bool], everyone: bool, boundary: bool) -> bool:
    """Tell whether a Deny with NotPrincipal hits the caller: unless its whole chain is listed (6.2 [U], NPRIN)."""
    if boundary:  # a caller with a permissions boundary is always hit (BOUND)
        return True
    return not (everyone or (bool(chain) and all(listed)))


# --- Text ------------------------------------------------------------------------------------------------------------


def lower(text: str) -> str:
    """Lower the ASCII letters only (AUZ-17): the KELVIN SIGN is not a k in an action or a key name."""
    return text.lower() if text.isascii() else "".join(c.lower() if c.isascii() else c for c in text)


def text_of(value: Json) -> str:
    """Give the string form of a JSON scalar: a number or boolean equals its string form (2.1, GRAM)."""
    if isinstance(value, str):
        return value
    if isinstance(value, (bool, int, float)):
        return json.dumps(value)
    raise Unreadable(f"not a string, number or boolean: {value!r}")


# --- Documents (section 2) -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Statement:
    """One statement, its one-element lists and bare values made alike (2.1)."""

    effect: str
    actions: tuple[str, ...]
    not_action: bool
    resources: tuple[str, ...] | None  # None: a trust policy, which has no Resource
    not_resource: bool
    principal: Principals | None  # None: no Principal element
    not_principal: bool
    conditions: tuple[tuple[str, str, tuple[str, ...]], ...]  # operator, key, values


@dataclass(frozen=True)
class Principals:
    """A Principal element: "*" or the entries of its map."""

    everyone: bool
    entries: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Document:
    """One readable policy document."""

    kind: str
    variables: bool
    statements: tuple[Statement, ...]


# 2.2 [D: VER, VAR]: an absent Version is the old one, in which `${...}` is plain text.
VERSIONS: Final = {"2012-10-17": True, "2008-10-17": False}
OLD_VERSION: Final = "2008-10-17"
DOCUMENT_ELEMENTS: Final = frozenset({"Version", "Id", "Statement"})
STATEMENT_ELEMENTS: Final = frozenset(
    {"Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Principal", "NotPrincipal", "Condition"}
)
PRINCIPAL_TYPES: Final = frozenset({"AWS", "Service", "Federated", "CanonicalUser"})

# 2.3, a row for each policy type: what a statement must not hold.
WITHOUT_PRINCIPAL: Final = frozenset({"Principal", "NotPrincipal"})
FORBIDDEN: Final = {
    IDENTITY: WITHOUT_PRINCIPAL,
    BOUNDARY: WITHOUT_PRINCIPAL,
    SESSION: WITHOUT_PRINCIPAL,
    SCP: WITHOUT_PRINCIPAL,
    RCP: frozenset({"NotPrincipal", "NotAction"}),
    TRUST: frozenset({"NotPrincipal", "Resource", "NotResource"}),
    RESOURCE: frozenset[str](),
    VPCE: frozenset[str](),
}


def read_document(raw: Json, kind: str) -> Document:
    """Read a document by the grammar (2.1, GRAM) and the rules of its policy type (2.3)."""
    data = parse_json(raw) if isinstance(raw, str) else raw
    check_elements(data, DOCUMENT_ELEMENTS)
    version = data.get("Version", OLD_VERSION)
    if not isinstance(version, str) or version not in VERSIONS:
        raise Unreadable(f"unknown Version {version!r}")
    text_of(data.get("Id", ""))
    statements = data.get("Statement")
    if isinstance(statements, dict):
        statements = [statements]
    if not isinstance(statements, list):
        raise Unreadable("no Statement")
    return Document(kind, VERSIONS[version], tuple(read_statement(s, kind) for s in statements))


def parse_json(text: str) -> Json:
    """Parse a JSON text, refusing duplicate keys and the constants JSON does not have (2.1)."""
    try:
        return json.loads(text, object_pairs_hook=unique_keys, parse_constant=refuse_constant)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"bad JSON: {error}") from error


def unique_keys(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    """Make an object of its pairs unless a key comes twice."""
    if len({key for key, _ in pairs}) < len(pairs):
        raise Unreadable("duplicate key")
    return dict(pairs)


def refuse_constant(name: str) -> Json:
    """Refuse NaN and Infinity."""
    raise Unreadable(f"not JSON: {name}")


def check_elements(data: Json, known: frozenset[str]) -> None:
    """Refuse what is not an object or has an unknown element; names are case sensitive (2.1)."""
    if not isinstance(data, dict) or not known.issuperset(data):
        raise Unreadable("unknown element")


def read_statement(data: Json, kind: str) -> Statement:
    """Read one statement: exactly one of each pair in use (2.1), nothing its policy type forbids (2.3)."""
    check_elements(data, STATEMENT_ELEMENTS)
    if not FORBIDDEN[kind].isdisjoint(data):
        raise Unreadable(f"element not allowed in a {kind}")
    if data.get("Effect") not in ("Allow", "Deny"):
        raise Unreadable("bad Effect")
    text_of(data.get("Sid", ""))
    action = one_of(data, "Action", "NotAction")
    resource = one_of(data, "Resource", "NotResource")
    principal = one_of(data, "Principal", "NotPrincipal")
    if action is None or (resource is None and kind != TRUST):
        raise Unreadable("Action or Resource missing")
    if kind == RCP and data.get("Principal") == {"AWS": "*"}:  # 2.3 [V]: another way to write everyone
        data = {**data, "Principal": "*"}
    if kind == RCP and data.get("Principal") != "*":  # RCPSYN
        raise Unreadable("the Principal of a resource control policy is *")
    return Statement(
        effect=data["Effect"],
        actions=strings(data[action]),
        not_action=action == "NotAction",
        resources=None if resource is None else strings(data[resource]),
        not_resource=resource == "NotResource",
        principal=None if principal is None else read_principals(data[principal]),
        not_principal=principal == "NotPrincipal",
        conditions=tuple(read_conditions(data.get("Condition", {}))),
    )


def one_of(data: dict[str, Json], positive: str, negative: str) -> str | None:
    """Tell which element of a pair is used; both are too many."""
    if positive in data and negative in data:
        raise Unreadable(f"{positive} and {negative}")
    return positive if positive in data else negative if negative in data else None


def strings(value: Json) -> tuple[str, ...]:
    """Read a string or a list of strings."""
    items = value if isinstance(value, list) else [value]
    if not all(isinstance(item, str) for item in items):
        raise Unreadable("not a string")
    return tuple(items)


def read_principals(value: Json) -> Principals:
    """Read "*" or a map of principal types to their entries (6.1, PRIN)."""
    if value == "*":
        return Principals(everyone=True, entries=())
    check_elements(value, PRINCIPAL_TYPES)
    return Principals(False, tuple((kind, entry) for kind, listed in value.items() for entry in strings(listed)))


def read_conditions(block: Json) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Read a Condition block; values may be strings, numbers and booleans (2.1, GRAM)."""
    if not isinstance(block, dict):
        raise Unreadable("Condition is not an object")
    for operator, keys in block.items():
        if not isinstance(keys, dict):
            raise Unreadable("a condition operator without keys")
        for key, values in keys.items():
            yield operator, key, tuple(text_of(v) for v in (values if isinstance(values, list) else [values]))


# --- Requests and callers (sections 1, 6, 12) ------------------------------------------------------------------------


class CallerKind(Enum):
    """What kind of principal makes the request (12)."""

    ROOT = "root user"
    USER = "user"
    ROLE_SESSION = "role session"
    FEDERATED_USER = "federated user"
    SERVICE = "service principal"
    FEDERATED = "SAML or OIDC caller"
    ANONYMOUS = "anonymous"


@dataclass(frozen=True)
class Caller:
    """The principal of a request."""

    kind: CallerKind
    name: str
    partition: str | None = None
    account: str | None = None  # None: the caller belongs to no account (10.1)
    entity: str | None = None  # the role of a role session, the user of a federated one
    unique_id: str | None = None
    canonical_id: str | None = None


@dataclass(frozen=True)
class Request:
    """One caller, one action, one resource, one context (1)."""

    caller: Caller
    action: str
    resource: str
    resource_account: str | None
    context: Mapping[str, Json]
    gateway_endpoint: bool


CALLER_ARN: Final = re.compile(
    r"arn:(?P<partition>[^:]+):(?:iam|sts)::(?P<account>[0-9]*):"
    r"(?:(?P<root>root)|(?P<user>user/.+)|assumed-role/(?P<role>[^/]+)/[^/]+|federated-user/(?P<federated>.+)"
    r"|(?P<provider>(?:saml-provider|oidc-provider)/.+))",
    re.DOTALL,
)
UNSIGNED_ASSUME: Final = frozenset({"sts:assumerolewithsaml", "sts:assumerolewithwebidentity"})


def read_request(data: Mapping[str, Json]) -> Request:
    """Read the request of a case; an action without resource type has the resource `*` (1.2)."""
    context = {key: value for key, value in data.get("context", {}).items() if value is not None}
    caller = read_caller(data, context)
    resource = "*" if data.get("wildcard_only_action") else data["resource"]
    account = data.get("resource_account") or caller.account
    return Request(caller, data["action"], resource, account, context, bool(data.get("gateway_endpoint")))


def read_caller(data: Mapping[str, Json], context: Mapping[str, Json]) -> Caller:
    """Recognise the caller by its ARN or name (12)."""
    name = data["principal"]
    if name == "anonymous":
        return Caller(CallerKind.ANONYMOUS, name)
    arn = CALLER_ARN.fullmatch(name)
    if arn is None and name.startswith("arn:"):
        raise ValueError(f"not the ARN of a caller: {name}")
    if arn is None:
        federated = lower(data["action"]) in UNSIGNED_ASSUME or "amazonaws.com" not in name
        return Caller(CallerKind.FEDERATED if federated else CallerKind.SERVICE, name)
    if arn["provider"]:
        return Caller(CallerKind.FEDERATED, name)
    home = {"partition": arn["partition"], "account": arn["account"]}
    ids = {"unique_id": data.get("unique_id"), "canonical_id": data.get("canonical_id")}
    if arn["root"]:
        return Caller(CallerKind.ROOT, name, **home, **ids)
    if arn["user"]:
        return Caller(CallerKind.USER, name, **home, **ids)
    kind = CallerKind.ROLE_SESSION if arn["role"] else CallerKind.FEDERATED_USER
    return Caller(kind, name, entity=entity_of(arn, data.get("entity"), context), **home, **ids)


def entity_of(arn: re.Match[str], told: str | None, context: Mapping[str, Json]) -> str:
    """Tell the role or user behind a session, which the session's ARN names without its path (6.1, 12)."""
    if told:
        return told
    prefix = f"arn:{arn['partition']}:iam::{arn['account']}:"
    if arn["federated"]:
        return f"{prefix}user/{arn['federated']}"
    principal_arn = lookup(context, "aws:PrincipalArn")
    if isinstance(principal_arn, str) and re.fullmatch(r"arn:[^:]+:iam::[0-9]*:role/.+", principal_arn):
        return principal_arn
    return f"{prefix}role/{arn['role']}"


def lookup(context: Mapping[str, Json], key: str) -> Json:
    """Find a key's value: names ignore case; the exact spelling first, then the first in byte order (5.8 [I])."""
    if key in context:
        return context[key]
    wanted = lower(key)
    spellings = [name for name in context if lower(name) == wanted]
    return context[min(spellings, key=str.encode)] if spellings else None


# --- Patterns and variables (sections 3.3, 4) ------------------------------------------------------------------------


class Wild(Enum):
    """A wildcard that the author of the policy typed."""

    STAR = "*"
    ANY = "?"


@dataclass(frozen=True)
class Variable:
    """A `${...}` of the policy text."""

    source: str
    name: str
    default: str | None


Piece = str | Wild | Variable
Pattern = Sequence[Piece]
Resolved = Sequence[str | Wild]  # no variables left; text that came from one is literal (4.3)

WILDCARDS: Final = re.compile(r"[*?]")
WILDCARDS_AND_VARIABLES: Final = re.compile(rf"{VARIABLE}|[*?]")
ESCAPES: Final = frozenset("*?$")


def tokenise(text: str, variables: bool) -> list[Piece]:
    """Cut a policy value into literal text, wildcards and, under the new version, variables (2.2, 4.1)."""
    # An unterminated `${` and an empty `${}` are plain text (4.2 [I]).
    pieces: list[Piece] = []
    end = 0
    for found in (WILDCARDS_AND_VARIABLES if variables else WILDCARDS).finditer(text):
        if found.start() > end:
            pieces.append(text[end : found.start()])
        if len(found[0]) == 1:
            pieces.append(Wild(found[0]))
        else:
            name, default, bare = found.groups()
            pieces.append(Variable(found[0], bare or name, default))
        end = found.end()
    if end < len(text):
        pieces.append(text[end:])
    return pieces


def resolve(pattern: Pattern, context: Mapping[str, Json]) -> Resolved | None:
    """Put the variables' values in; None when one of them has no value (4.2)."""
    resolved: list[str | Wild] = []
    for piece in pattern:
        if isinstance(piece, Variable):
            value = variable_value(piece, context)
            if value is None:
                return None
            resolved.append(value)
        else:
            resolved.append(piece)
    return resolved


def variable_value(variable: Variable, context: Mapping[str, Json]) -> str | None:
    """Tell a variable's value: the escaped character, the key's single value, else the default (4.2, VAR)."""
    if variable.name in ESCAPES:
        return variable.name
    value = lookup(context, variable.name)
    if isinstance(value, list) and not LISTS_GIVE_VARIABLES_NO_VALUE and len(value) == 1:
        value = value[0]
    if value is None or value == "" or isinstance(value, list):  # [I] for the empty string
        return variable.default
    return text_of(value)


def glob(pattern: Resolved, text: str) -> bool:
    """Match the whole text: `*` is any run of characters, `?` exactly one, both of any kind (3.3)."""
    if not pattern:
        return text == ""
    head, rest = pattern[0], pattern[1:]
    if head is Wild.STAR:
        if not rest or rest[0] is Wild.STAR:
            return not rest or glob(rest, text)
        return any(glob(rest, text[start:]) for start in range(len(text) + 1))
    if head is Wild.ANY:
        return text != "" and glob(rest, text[1:])
    assert isinstance(head, str)
    return text.startswith(head) and glob(rest, text[len(head) :])


def split_arn(pattern: Pattern) -> list[list[Piece]]:
    """Split a pattern on the first five colons that were typed; a variable is not split (3.2, 4.1)."""
    segments: list[list[Piece]] = [[]]
    for piece in pattern:
        if not isinstance(piece, str):
            segments[-1].append(piece)
            continue
        first, *more = piece.split(":", 6 - len(segments))
        segments[-1].extend([first] if first else [])
        segments.extend([part] if part else [] for part in more)
    return segments


def arn_matches(segments: Sequence[Resolved], arn: str) -> bool:
    """Match an ARN segment by segment: no wildcard crosses one of the first five colons (3.2, OPS)."""
    parts = arn.split(":", 5)
    return len(parts) == len(segments) == 6 and all(glob(p, t) for p, t in zip(segments, parts, strict=True))


def running_on(segments: Sequence[Resolved], text: str) -> bool:
    """Match as the present RES page has it: a `*` that ends a segment may run on past colons."""
    if len(segments) == 1:
        return glob(segments[0], text)
    return any(
        running_on(segments[1:], text[colon + 1 :])
        for colon in (i for i, c in enumerate(text) if c == ":")
        if glob(segments[0], text[:colon])
        and (":" not in text[:colon] or (bool(segments[0]) and segments[0][-1] is Wild.STAR))
    )


# --- Statement match: action and resource (sections 3.1, 3.2) --------------------------------------------------------


def action_applies(statement: Statement, kind: str, action: str) -> bool:
    """Tell whether the statement covers the action; NotAction covers all others, in every service (3.1, ACT)."""
    return any(action_matches(pattern, kind, action) for pattern in statement.actions) != statement.not_action


def action_matches(pattern: str, kind: str, action: str) -> bool:
    """Match `prefix:name` without regard to case; wildcards are for the name only (3.1)."""
    if pattern in EVERY_ACTION:
        return True
    prefix, _, name = fold_action(pattern, kind).partition(":")
    service, _, operation = fold_action(action, kind).partition(":")
    if name == "" or any(c.isspace() for c in pattern):  # [I] accepted by AWS, matches nothing
        return False
    return prefix == service and glob(literal(tokenise(name, variables=False)), operation)


def literal(pattern: Pattern) -> Resolved:
    """Take `${...}` as the text it is, where variables do not work."""
    return [piece.source if isinstance(piece, Variable) else piece for piece in pattern]


def resource_applies(statement: Statement, document: Document, request: Request) -> bool:
    """Tell whether the statement covers the resource; NotResource covers what no entry matches (3.2, RES)."""
    if statement.resources is None:
        return True  # 2.3: a trust policy is about its role
    matched = any(resource_entry_matches(entry, document, request) for entry in statement.resources)
    return not_resource_applies(matched) if statement.not_resource else matched


def resource_entry_matches(entry: str, document: Document, request: Request) -> bool:
    """Match one Resource entry; one whose variable has no value matches nothing (3.2, 4.2, VAR)."""
    if entry == "*":
        return True
    if request.resource == "*":
        return False  # [I] an action without resource type needs `*`
    pattern = tokenise(entry, document.variables)
    typed = split_arn(pattern)
    last = resolve(typed[5], request.context) if len(typed) == 6 else []
    if last is None:
        return False
    segments = [*(literal(segment) for segment in typed[:5]), *([last] if len(typed) == 6 else [])]
    if TRAILING_STAR_CROSSES_COLONS and running_on(segments, request.resource):
        return True
    if len(typed) < 6 and not short_arn_counts(pattern, document.kind):
        return False
    return arn_matches([*segments, *[[Wild.STAR]] * (6 - len(typed))], request.resource)


# --- Conditions (section 5) ------------------------------------------------------------------------------------------


class Special(Enum):
    """Policy and request values that cannot be compared."""

    UNPARSEABLE = 1  # 5.7
    NULL = 2  # 4.2: holds a variable without value


@dataclass(frozen=True)
class Scope:
    """What a condition is evaluated in: the request's context, and whether `${...}` are variables."""

    context: Mapping[str, Json]
    variables: bool


@dataclass(frozen=True)
class Operator:
    """A row of the operator table (5.7): how both sides are read, when they match, whether the result is turned."""

    read_value: Callable[[str], Any]
    read_policy: Callable[[str, Scope], Any]
    match: Callable[[Any, Any], bool]
    negated: bool = False
    unparseable_request_value: bool = False  # what the operator says of one
    strict: bool = False  # a policy value that does not parse leaves unknown what no other one matches


def conditions_hold(statement: Statement, document: Document, request: Request) -> Truth:
    """Combine all entries by AND (5.1, MULTI): false if one is false, else unknown if one is unknown (5.7)."""
    scope = Scope(request.context, document.variables)
    return conjunction([entry_holds(operator, key, values, scope) for operator, key, values in statement.conditions])


def conjunction(truths: list[Truth]) -> Truth:
    """Combine by AND: false if one is false, else unknown if one is unknown."""
    if False in truths:
        return False
    return UNKNOWN if UNKNOWN in truths else True


def disjunction(truths: list[Truth]) -> Truth:
    """Combine by OR: true if one is true, else unknown if one is unknown."""
    if True in truths:
        return True
    return UNKNOWN if UNKNOWN in truths else False


def entry_holds(name: str, key: str, policy: tuple[str, ...], scope: Scope) -> Truth:
    """Evaluate one entry: (set?) operator (IfExists?) on a key (5.2)."""
    quantifier, base, if_exists = split_operator(name)
    values = request_values(scope.context, key)
    if base == "Null" and not if_exists and (quantifier is None or SET_OPERATOR_ON_NULL_IS_IGNORED):
        return null_test(values, policy)
    if base not in OPERATORS:
        return UNKNOWN
    operator = OPERATORS[base]
    if values is None and if_exists and (quantifier is None or IF_EXISTS_BEATS_SET_OPERATORS):
        return True  # OPS
    if quantifier == "ForAllValues":  # 5.4, MV: also true for the null dataset
        return nullish(values) or conjunction([holds(operator, value, policy, scope) for value in values or []])
    if quantifier == "ForAnyValue":
        return not nullish(values) and disjunction([holds(operator, value, policy, scope) for value in values or []])
    if values is None:
        return operator.negated  # 5.3, OPS
    if isinstance(lookup(scope.context, key), list):
        return MULTIVALUED_WITHOUT_SET_OPERATOR
    return holds(operator, values[0], policy, scope)


def split_operator(name: str) -> tuple[str | None, str, bool]:
    """Split `ForAllValues:StringLikeIfExists` in three; names are taken by their exact case (5.7 [U])."""
    name, quantifier = operator_spelling(name), None
    for prefix in ("ForAllValues", "ForAnyValue"):
        if name.startswith(f"{prefix}:"):
            quantifier, name = prefix, name.removeprefix(f"{prefix}:")
            break
    return quantifier, name.removesuffix("IfExists"), name.endswith("IfExists")


def request_values(context: Mapping[str, Json], key: str) -> list[str] | None:
    """List the values of a key; None when it is absent or an empty list (5.2)."""
    value = lookup(context, key)
    if value is None or value == []:
        return None
    return [text_of(item) for item in value] if isinstance(value, list) else [text_of(value)]


def nullish(values: list[str] | None) -> bool:
    """Tell the null dataset: absent, empty, or nothing but empty strings (5.4, MV)."""
    return values is None or all(value == "" for value in values)


def null_test(values: list[str] | None, policy: tuple[str, ...]) -> bool:
    """Evaluate Null: "true" holds for an absent or null key, "false" for another (5.6, OPS)."""
    return nullish(values) in [lower(wanted) == "true" for wanted in policy]


def holds(operator: Operator, value: str, policy: tuple[str, ...], scope: Scope) -> Truth:
    """Compare one request value with the policy's: OR, or NOR when negated (5.1, 5.2, 5.7)."""
    read = operator.read_value(value)
    if read is Special.UNPARSEABLE:
        return operator.unparseable_request_value
    wanted = [operator.read_policy(text, scope) for text in policy]
    if any(operator.match(read, w) for w in wanted if not isinstance(w, Special)):
        return not operator.negated
    return UNKNOWN if operator.strict and Special.UNPARSEABLE in wanted else operator.negated


def as_is(value: str) -> str:
    """Read a string."""
    return value


def string_policy(text: str, scope: Scope) -> str | Special:
    """Read the policy's side of StringEquals: wildcards are ordinary characters, `${*}` is one too (4.2, 5.7)."""
    resolved = resolve(tokenise(text, scope.variables), scope.context)
    if resolved is None:
        return Special.NULL
    return "".join(piece.value if isinstance(piece, Wild) else piece for piece in resolved)


def lower_policy(text: str, scope: Scope) -> str | Special:
    """Read the policy's side of StringEqualsIgnoreCase."""
    value = string_policy(text, scope)
    return value if isinstance(value, Special) else value.lower()


def glob_policy(text: str, scope: Scope) -> Resolved | Special:
    """Read the policy's side of StringLike."""
    resolved = resolve(tokenise(text, scope.variables), scope.context)
    return Special.NULL if resolved is None else resolved


def arn_value(value: str) -> str | Special:
    """Read an ARN: six segments, the first of them "arn" (5.7 [S])."""
    return value if value.startswith("arn:") and value.count(":") >= 5 else Special.UNPARSEABLE


def arn_policy(text: str, scope: Scope) -> list[Resolved] | Special:
    """Read an ARN pattern: six segments (5.7 [T]), variables in any of them (4.1 [I])."""
    segments = split_arn(tokenise(text, scope.variables))
    if len(segments) < 6:
        return Special.UNPARSEABLE
    resolved = [resolve(segment, scope.context) for segment in segments]
    return Special.NULL if None in resolved else [segment for segment in resolved if segment is not None]


def bool_value(value: str) -> bool:
    """Read a boolean: everything but "true" is false (5.7 [S: PMAP])."""
    return lower(value) == "true"


def bool_policy(text: str, scope: Scope) -> bool | Special:
    """Read the policy's side of Bool: "true" in any case, and all else is false (seen on AWS)."""
    value = string_policy(text, scope) if BOOL_TAKES_VARIABLES else text
    return value if isinstance(value, Special) else lower(value) == "true"


BASE64: Final = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")


def binary(value: str) -> bytes | Special:
    """Read base64 (5.7), of which no bytes have two forms (seen on AWS)."""
    if not BASE64.fullmatch(value) or base64.b64encode(base64.b64decode(value)).decode() != value:
        return Special.UNPARSEABLE
    return base64.b64decode(value)


def number(value: str) -> Decimal | Special:
    """Read a decimal number (5.7)."""
    try:
        return Decimal(value) if NUMBER.fullmatch(value) else Special.UNPARSEABLE
    except InvalidOperation:
        return Special.UNPARSEABLE


ISO_DATE: Final = re.compile(
    r"([0-9]{4})-([0-9]{2})(?:-([0-9]{2})(?:T([0-9]{2}):([0-9]{2})(?::([0-9]{2}(?:\.[0-9]+)?))?"
    r"(?:Z|([+-])([0-9]{2}):([0-9]{2}))?)?)?"
)


def instant(value: str) -> int | Special:
    """Read a date as whole milliseconds since 1970 (seen on AWS)."""
    seconds = seconds_since_1970(value)
    return seconds if isinstance(seconds, Special) else floor(seconds * 1000)


def seconds_since_1970(value: str) -> Fraction | Special:
    """Read a date: epoch, or the W3C forms of ISO 8601 (5.7, OPS)."""
    if EPOCH.fullmatch(value):
        seconds = Fraction(value)
        return seconds / 1000 if abs(seconds) >= FIRST_EPOCH_IN_MILLISECONDS else seconds
    found = ISO_DATE.fullmatch(value)
    if found is None:
        return Special.UNPARSEABLE
    year, month, _day, hour, minute, second, sign, offset_hours, offset_minutes = (
        group or "0" for group in found.groups()
    )
    try:
        days = date(int(year), int(month), int(found[3] or "1")).toordinal() - date(1970, 1, 1).toordinal()
    except ValueError:
        return Special.UNPARSEABLE
    if (
        int(hour) > 23
        or int(minute) > 59
        or Fraction(second) >= 60
        or int(offset_hours) > 23
        or int(offset_minutes) > 59
    ):
        return Special.UNPARSEABLE
    offset = (int(offset_hours) * 60 + int(offset_minutes)) * (-1 if sign == "-" else 1)
    return days * 86400 + (int(hour) * 60 + int(minute) - offset) * 60 + Fraction(second)


@dataclass(frozen=True)
class Range:
    """The addresses of one family (32 or 128 bits) that share a prefix."""

    bits: int
    prefix: int
    address: int

    def holds(self, other: Range) -> bool:
        """Tell whether an address lies in the range: families never match each other (5.7 [I])."""
        shift = self.bits - self.prefix
        return self.bits == other.bits and self.address >> shift == other.address >> shift


def ip_value(value: str) -> Range | Special:
    """Read one address."""
    return Special.UNPARSEABLE if "/" in value else ip_range(value)


def ip_range(value: str) -> Range | Special:
    """Read an address or CIDR: bare is /32 or /128, host bits do not count, `::ffff:a.b.c.d` is IPv4 (5.7)."""
    text, slash, suffix = value.partition("/")
    # Seen on AWS: zeros before a digit say nothing, where they could not say that a number is octal.
    plain = (
        re.sub(r"(?<![0-9])0{1,2}(?=[0-7](?![0-9]))", "", text) if text.count(".") == 3 and ":" not in text else text
    )
    try:
        address = ipaddress.ip_address(plain)
    except ValueError:
        return Special.UNPARSEABLE
    bits = address.max_prefixlen
    if "%" in text or (slash and not re.fullmatch(r"\+?[0-9]{1,3}", suffix)) or int(suffix or 0) > bits:
        return Special.UNPARSEABLE
    prefix = int(suffix) if slash else bits
    if bits == 128 and int(address) >> 32 == 0xFFFF and prefix >= 96:
        return Range(32, prefix - 96, int(address) & 0xFFFFFFFF)
    return Range(bits, prefix, int(address))


def without_variables(read: Callable[[str], Any]) -> Callable[[str, Scope], Any]:
    """Make a reader of policy values that knows no variables (4.1, VAR)."""
    return lambda text, scope: read(text)


def negation(operator: Operator) -> Operator:
    """Make an operator's negated twin."""
    return replace(operator, negated=True)


def equal(value: Any, wanted: Any) -> bool:
    """Match equal values."""
    return bool(value == wanted)


def ordered(family: str, read: Callable[[str], Any]) -> dict[str, Operator]:
    """Make the six operators of a family that has an order."""
    matches: dict[str, Callable[[Any, Any], bool]] = {
        "Equals": equal,
        "LessThan": lambda value, wanted: bool(value < wanted),
        "LessThanEquals": lambda value, wanted: bool(value <= wanted),
        "GreaterThan": lambda value, wanted: bool(value > wanted),
        "GreaterThanEquals": lambda value, wanted: bool(value >= wanted),
    }
    operators = {family + name: Operator(read, without_variables(read), match) for name, match in matches.items()}
    differs = family in DIFFERS_FROM_WHAT_DOES_NOT_PARSE
    twin = replace(operators[f"{family}Equals"], negated=True, unparseable_request_value=differs)
    return {**operators, f"{family}NotEquals": twin}


STRING_EQUALS: Final = Operator(as_is, string_policy, equal)
STRING_EQUALS_IGNORE_CASE: Final = Operator(str.lower, lower_policy, equal)
STRING_LIKE: Final = Operator(as_is, glob_policy, lambda value, wanted: glob(wanted, value))
ARN_LIKE: Final = Operator(arn_value, arn_policy, lambda value, wanted: arn_matches(wanted, value), strict=True)
IP_ADDRESS: Final = Operator(ip_value, without_variables(ip_range), lambda value, wanted: wanted.holds(value))

# 5.7, OPS. There is no BinaryNotEquals and no NotBool.
OPERATORS: Final[Mapping[str, Operator]] = {
    "StringEquals": STRING_EQUALS,
    "StringNotEquals": negation(STRING_EQUALS),
    "StringEqualsIgnoreCase": STRING_EQUALS_IGNORE_CASE,
    "StringNotEqualsIgnoreCase": negation(STRING_EQUALS_IGNORE_CASE),
    "StringLike": STRING_LIKE,
    "StringNotLike": negation(STRING_LIKE),
    **ordered("Numeric", number),
    **ordered("Date", instant),
    "Bool": Operator(bool_value, bool_policy, equal),
    "BinaryEquals": Operator(binary, without_variables(binary), equal),
    "IpAddress": IP_ADDRESS,
    "NotIpAddress": negation(IP_ADDRESS),
    "ArnEquals": ARN_LIKE,
    "ArnLike": ARN_LIKE,
    "ArnNotEquals": negation(ARN_LIKE),
    "ArnNotLike": negation(ARN_LIKE),
}


# --- Principals (section 6) ------------------------------------------------------------------------------------------


class Grant(IntEnum):
    """How closely a policy names the caller, the best last (6.1, 8)."""

    NONE = 0
    ACCOUNT = 1  # the caller's account: delegates to its identity policies
    ENTITY = 2  # the role or user behind the session
    DIRECT = 3  # the caller itself, or everyone


@dataclass(frozen=True)
class Link:
    """One element of the caller's chain: the entries that name it, and the class of a match."""

    spellings: frozenset[tuple[str, str]]
    grant: Grant


def chain(caller: Caller, action: str) -> list[Link]:
    """List what names the caller: account, then user, or role and session; or service or provider (6.1, 6.2)."""
    if caller.kind is CallerKind.ANONYMOUS:
        return []
    if caller.kind is CallerKind.SERVICE:
        return [Link(frozenset({("Service", caller.name)}), Grant.DIRECT)]
    if caller.kind is CallerKind.FEDERATED:
        return [Link(frozenset({("Federated", caller.name)}), Grant.DIRECT)]
    account = account_link(caller, action)
    if caller.kind is CallerKind.ROOT:
        return [account]
    identifier = {("AWS", caller.unique_id.partition(":")[0])} if caller.unique_id else set[tuple[str, str]]()
    if caller.kind is CallerKind.USER:
        return [account, Link(frozenset({("AWS", caller.name), *identifier}), Grant.DIRECT)]
    entity = Link(frozenset({("AWS", str(caller.entity)), *identifier}), Grant.ENTITY)
    return [account, entity, Link(frozenset({("AWS", caller.name)}), Grant.DIRECT)]


def account_link(caller: Caller, action: str) -> Link:
    """Name the account: its id and root ARN mean all of it (PRIN), the canonical id too, in S3 only (6.1 [I])."""
    spellings = {("AWS", str(caller.account)), ("AWS", f"arn:{caller.partition}:iam::{caller.account}:root")}
    if caller.canonical_id and lower(action).startswith("s3:"):
        spellings.add(("CanonicalUser", caller.canonical_id))
    return Link(frozenset(spellings), Grant.DIRECT if caller.kind is CallerKind.ROOT else Grant.ACCOUNT)


def everyone_listed(principals: Principals, caller: Caller) -> bool:
    """Tell whether "*" or {"AWS": "*"} covers the caller (6.1, PRIN)."""
    aws_star = ("AWS", "*") in principals.entries
    return principals.everyone or (aws_star and (caller.kind is not CallerKind.SERVICE or AWS_STAR_INCLUDES_SERVICES))


def principal_grant(statement: Statement, kind: str, request: Request, has_boundary: bool) -> Grant:
    """Tell how closely the statement's Principal or NotPrincipal names the caller (6)."""
    if kind in (IDENTITY, BOUNDARY, SESSION, SCP):
        return Grant.DIRECT
    if statement.principal is None:
        return Grant.NONE  # 2.3 [I]
    caller = request.caller
    links = chain(caller, request.action)
    everyone = everyone_listed(statement.principal, caller)
    listed = [not link.spellings.isdisjoint(statement.principal.entries) for link in links]
    if statement.not_principal and statement.effect == "Deny":
        return Grant.DIRECT if not_principal_denies(links, listed, everyone, has_boundary) else Grant.NONE
    if statement.not_principal:  # 6.2 [I]: for those of whom nothing is listed, anonymous callers too
        return Grant.NONE if everyone or any(listed) else Grant.DIRECT
    if everyone:
        return everyone_grant(statement, kind, caller)
    return max(
        (link.grant for link, hit in zip(links, listed, strict=True) if hit and counts(link, kind, request)),
        default=Grant.NONE,
    )


def everyone_grant(statement: Statement, kind: str, caller: Caller) -> Grant:
    """Tell the class of "*": DIRECT, but it does not trust SAML and OIDC callers (10.1 [I])."""
    unsigned = caller.kind is CallerKind.FEDERATED and kind == TRUST and statement.effect == "Allow"
    return Grant.NONE if unsigned and not STAR_TRUSTS_FEDERATED_CALLERS else Grant.DIRECT


def counts(link: Link, kind: str, request: Request) -> bool:
    """Leave the account out on gateway endpoints, where it means the root user only (7, VPCE)."""
    return not (kind == VPCE and request.gateway_endpoint and link.grant is Grant.ACCOUNT)


# --- Results of a set of policies (section 8) ------------------------------------------------------------------------


@dataclass(frozen=True)
class Result:
    """What the policies of one type say: an explicit deny, and the best class among the applying Allows."""

    denies: bool = False
    grant: Grant = Grant.NONE

    @property
    def allows(self) -> bool:
        """Tell whether any Allow applies."""
        return self.grant > Grant.NONE


NOTHING: Final = Result()


def evaluate(documents: Iterable[Json], kind: str, request: Request, has_boundary: bool = False) -> Result:
    """Evaluate a set: any applying Deny denies, any applying Allow allows (8)."""
    denies, grant = False, Grant.NONE
    for raw in documents:
        try:
            document = read_document(raw, kind)
        except Unreadable:
            denies = denies or UNREADABLE_DOCUMENT_DENIES
            continue
        for statement in document.statements:
            match = statement_grant(statement, document, request, has_boundary)
            if statement.effect == "Deny":
                denies = denies or match > Grant.NONE
            else:
                grant = max(grant, match)
    return Result(denies, grant)


def statement_grant(statement: Statement, document: Document, request: Request, has_boundary: bool) -> Grant:
    """Tell the class with which a statement applies: principal AND action AND resource AND conditions (3)."""
    covered = action_applies(statement, document.kind, request.action)
    if not covered or not resource_applies(statement, document, request):
        return Grant.NONE
    grant = principal_grant(statement, document.kind, request, has_boundary)
    truth = conditions_hold(statement, document, request) if grant > Grant.NONE else False
    applies = truth is True or (truth is UNKNOWN and statement.effect == "Deny")  # 5.7: fail closed
    return grant if applies else Grant.NONE


def evaluate_levels(levels: Sequence[Mapping[str, Json]], kind: str, request: Request) -> Result:
    """Evaluate SCP or RCP levels: a deny at any level denies, every level must allow (8, SCPEV)."""
    # Every level of resource control policies carries RCPFullAWSAccess, which allows everything (7, RCP).
    results = [evaluate(level["policies"], kind, request) for level in levels]
    allowed = (kind == RCP or all(r.allows for r in results)) if results else NO_LEVELS_ALLOW
    return Result(any(r.denies for r in results), Grant.DIRECT if allowed else Grant.NONE)


class Gate(Enum):
    """The services that do not accept an identity policy alone (11)."""

    NONE = 0
    TRUST = 1
    KMS = 2


ROLE_ARN: Final = re.compile(r"arn:[^:]*:iam::[^:]*:role/.+", re.DOTALL)
KMS_KEY_ARN: Final = re.compile(r"arn:[^:]*:kms:[^:]*:[^:]*:key/.*", re.DOTALL)
TRUST_ACTIONS: Final = frozenset({"sts:tagsession", "sts:setsourceidentity", "sts:setcontext"})


def gate_of(request: Request) -> Gate:
    """Tell which gate the request passes (11.2, 11.3)."""
    action = lower(request.action)
    if ROLE_ARN.fullmatch(request.resource) and (action.startswith("sts:assumerole") or action in TRUST_ACTIONS):
        return Gate.TRUST
    return Gate.KMS if KMS_KEY_ARN.fullmatch(request.resource) else Gate.NONE


@dataclass(frozen=True)
class Sets:
    """The results of all policies in play, by type; a type that is missing is not in play (7)."""

    results: Mapping[str, Result]
    gate: Gate
    caller: Caller = field(repr=False)

    @property
    def resource_layer(self) -> str:
        """Name the policy of the resource."""
        return TRUST if self.gate is Gate.TRUST else RESOURCE

    @property
    def grant(self) -> Grant:
        """Tell how closely the resource's policy grants."""
        return self.results.get(self.resource_layer, NOTHING).grant

    @property
    def identity_allows(self) -> bool:
        """Tell whether an identity policy allows; none in play is an empty one (7)."""
        return self.results.get(IDENTITY, NOTHING).allows

    @property
    def boundary_ok(self) -> bool:
        """Tell whether there is no boundary, or it allows (9)."""
        return BOUNDARY not in self.results or self.results[BOUNDARY].allows

    @property
    def session_ok(self) -> bool:
        """Tell whether session policies let it through: a federated session needs one that allows (9, GFT)."""
        if self.caller.kind is CallerKind.FEDERATED_USER:
            return self.results.get(SESSION, NOTHING).allows
        if self.caller.kind is CallerKind.ROLE_SESSION:
            return SESSION not in self.results or self.results[SESSION].allows
        return True

    def missing(self, granted: bool) -> str | None:
        """Name the first type on the caller's side that does not allow, in the order of EVAL's chart."""
        if not granted:
            return IDENTITY
        if not self.boundary_ok:
            return BOUNDARY
        return None if self.session_ok else SESSION


def collect(policies: Mapping[str, Json], request: Request) -> Sets:
    """Evaluate the policies in play, which depend on who calls (7)."""
    caller, gate = request.caller, gate_of(request)
    has_boundary = "boundary" in policies and caller.kind is not CallerKind.ROOT and caller.account is not None
    results = {}
    if caller.account is not None and caller.kind is not CallerKind.ROOT:  # AUZ-08; 10.1
        for name, kind in (("identity", IDENTITY), ("boundary", BOUNDARY), ("session", SESSION)):
            if name in policies:
                results[kind] = evaluate(policies[name], kind, request)
    if "scp" in policies and caller.account is not None:  # 10.1: only accounts have SCPs
        results[SCP] = evaluate_levels(policies["scp"], SCP, request)
    if "rcp" in policies:
        results[RCP] = evaluate_levels(policies["rcp"], RCP, request)
    if "vpce" in policies:
        results[VPCE] = evaluate(policies["vpce"], VPCE, request, has_boundary)
    if "resource" in policies and (gate is Gate.TRUST or not ROLE_ARN.fullmatch(request.resource)):
        owned = policies["resource"] if isinstance(policies["resource"], list) else [policies["resource"]]
        kind = TRUST if gate is Gate.TRUST else RESOURCE
        results[kind] = evaluate(owned, kind, request, has_boundary)
    return Sets(results, gate, caller)


# --- The flow chart (sections 9 to 11) -------------------------------------------------------------------------------


def decide(case: Mapping[str, Json]) -> Verdict:
    """Decide one case."""
    request = read_request(case["request"])
    # 9, step 0: calls no policy controls.
    if always_allowed(request):
        return Verdict("Allowed", ALWAYS)
    sets = collect(case["policies"], request)
    # Step 1: an explicit deny anywhere decides (EVAL, AUZ-02).
    for layer in DENIAL_ORDER:
        if layer in sets.results and sets.results[layer].denies:
            return Verdict("ExplicitlyDenied", layer)
    # Steps 2-4: organization and endpoint policies that do not allow.
    for layer in (RCP, SCP, VPCE):
        if layer in sets.results and not sets.results[layer].allows:
            return implicit(layer)
    # Steps 5-10, by where the caller comes from.
    if request.caller.account is None:
        return decide_without_account(sets)
    if crosses_accounts(request):
        return decide_across_accounts(request, sets)
    if sets.gate is Gate.TRUST:
        return decide_trust(sets)
    if sets.gate is Gate.KMS:
        return decide_key(sets)
    return decide_within_account(sets)


def implicit(layer: str) -> Verdict:
    """Deny because a type does not allow."""
    return Verdict("ImplicitlyDenied", layer)


def always_allowed(request: Request) -> bool:
    """Tell the calls that policies cannot refuse (11.1, STS API page, GST)."""
    action, kind = lower(request.action), request.caller.kind
    if action == "sts:getcalleridentity":
        return request.caller.account is not None
    return action == "sts:getsessiontoken" and kind in (CallerKind.USER, CallerKind.ROOT)


def crosses_accounts(request: Request) -> bool:
    """Tell whether the resource belongs to another account; partitions are worlds of their own (10)."""
    return request.caller.account != request.resource_account or not same_partition(request)


def same_partition(request: Request) -> bool:
    """Tell whether caller and resource are in one partition (10)."""
    parts = request.resource.split(":", 5)
    return len(parts) < 6 or parts[1] == request.caller.partition


def decide_within_account(sets: Sets) -> Verdict:
    """Decide in the caller's own account (9, EVAL; the classes [V: KEHOE])."""
    # Step 6: the root user has full access.
    if sets.caller.kind is CallerKind.ROOT:
        return Verdict("Allowed", ROOT_USER)
    # Step 7: the resource's policy names the caller itself.
    if sets.grant is Grant.DIRECT:
        return Verdict("Allowed", RESOURCE)
    # Steps 8 and 9: it names the role or user behind the session, or an identity policy allows.
    missing = sets.missing(granted=sets.identity_allows or sets.grant is Grant.ENTITY)
    if missing:
        return implicit(missing)
    return Verdict("Allowed", RESOURCE if sets.grant is Grant.ENTITY else IDENTITY)


def decide_trust(sets: Sets) -> Verdict:
    """Decide an AssumeRole in the role's account: the trust policy must allow (11.2, UPTRUST)."""
    if sets.caller.kind is CallerKind.ROOT and not ROOT_MAY_ASSUME_ROLES:
        return implicit(ROOT_USER)
    if sets.grant is Grant.NONE:
        return implicit(TRUST)
    # The account alone delegates to identity policies; boundary and session policy count in every class.
    delegated = sets.grant is Grant.ACCOUNT
    missing = sets.missing(granted=sets.identity_allows or not delegated)
    return implicit(missing) if missing else Verdict("Allowed", IDENTITY if delegated else TRUST)


def decide_key(sets: Sets) -> Verdict:
    """Decide on a KMS key in the caller's account: identity policies count only if the key policy says so (11.3)."""
    if sets.grant is Grant.NONE:
        return implicit(RESOURCE)  # the root user too
    if sets.grant is Grant.DIRECT:
        return Verdict("Allowed", RESOURCE)
    delegated = sets.grant is Grant.ACCOUNT
    missing = sets.missing(granted=sets.identity_allows or not delegated)
    return implicit(missing) if missing else Verdict("Allowed", IDENTITY if delegated else RESOURCE)


def decide_across_accounts(request: Request, sets: Sets) -> Verdict:
    """Decide on another account's resource: both sides must allow, no class goes around the caller's (10, XACC)."""
    root = sets.caller.kind is CallerKind.ROOT
    if root and sets.gate is Gate.TRUST and not ROOT_MAY_ASSUME_ROLES:
        return implicit(ROOT_USER)
    missing = sets.missing(granted=root or sets.identity_allows)
    if missing:
        return implicit(missing)
    if sets.grant is Grant.NONE or not same_partition(request):
        return implicit(sets.resource_layer)
    return Verdict("Allowed", sets.resource_layer)


def decide_without_account(sets: Sets) -> Verdict:
    """Decide for callers that belong to no account: only the resource's policy lets them in (10.1)."""
    kind = sets.caller.kind
    refused = (kind is CallerKind.ANONYMOUS and sets.gate is not Gate.NONE and GATES_REFUSE_ANONYMOUS) or (
        kind is CallerKind.FEDERATED and sets.gate is not Gate.TRUST
    )
    if refused or sets.grant is Grant.NONE:
        return implicit(sets.resource_layer)
    return Verdict("Allowed", sets.resource_layer)
