"""The policy that is examined: its statements taken apart, each part with its place.

What has not the shape that AWS asks for is left out here; the checks of shape (`shape.py`) speak of it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from iamd.policy.conditions import OperatorName, operator_name
from iamd.policy.lint.reference import ConditionKey, Reference
from iamd.policy.lint.work import Work
from iamd.policy.request import lower
from iamd.policy.tree import Array, Member, Node, Object, Place, Scalar

VARIABLES_SINCE = "2012-10-17"
VARIABLES_LENGTH = 2_048
"""The characters that are searched for a variable's end in the time of one comparison."""


class DocumentType(StrEnum):
    """The kinds of policy that ValidatePolicy takes (Access Analyzer API Reference, API_ValidatePolicy)."""

    IDENTITY = "IDENTITY_POLICY"
    RESOURCE = "RESOURCE_POLICY"
    SCP = "SERVICE_CONTROL_POLICY"
    RCP = "RESOURCE_CONTROL_POLICY"


class AttachedTo(StrEnum):
    """The resources whose policies have checks of their own (API_ValidatePolicy, validatePolicyResourceType)."""

    BUCKET = "AWS::S3::Bucket"
    ACCESS_POINT = "AWS::S3::AccessPoint"
    MULTI_REGION_ACCESS_POINT = "AWS::S3::MultiRegionAccessPoint"
    OBJECT_LAMBDA_ACCESS_POINT = "AWS::S3ObjectLambda::AccessPoint"
    ROLE_TRUST = "AWS::IAM::AssumeRolePolicyDocument"
    TABLE = "AWS::DynamoDB::Table"


@dataclass(frozen=True, slots=True)
class Text:
    """A string of the policy."""

    value: str
    place: Place

    @property
    def lower(self) -> str:
        return lower(self.value)


@dataclass(frozen=True, slots=True)
class Principal:
    """One principal, by the member it stands under (`AWS`, `Service` ...)."""

    member: str
    value: str
    place: Place


@dataclass(frozen=True, slots=True)
class Entry:
    """One condition key under one operator; `values` are its strings, numbers and booleans as text."""

    operator: Member
    name: OperatorName
    key: Member
    known: ConditionKey | None
    values: tuple[Text, ...]

    @property
    def lower(self) -> str:
        """The key's name in lower case: names of keys have none."""
        return lower(self.key.name)

    @property
    def is_like(self) -> bool:
        """Whether `*` and `?` are wildcards in its values."""
        return self.name.base in {"StringLike", "StringNotLike"} or self.is_arn

    @property
    def is_arn(self) -> bool:
        return self.name.base.startswith("Arn")

    @property
    def is_negated(self) -> bool:
        return "Not" in self.name.base


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement; an element that is missing, or has another shape, is empty."""

    node: Object
    effect: str | None
    actions: tuple[Text, ...]
    not_actions: tuple[Text, ...]
    resources: tuple[Text, ...]
    not_resources: tuple[Text, ...]
    principals: tuple[Principal, ...]
    conditions: tuple[Entry, ...]
    # Its condition keys, in lower case.
    condition_keys: frozenset[str]

    @property
    def allows(self) -> bool:
        return self.effect == "Allow"

    @property
    def denies(self) -> bool:
        return self.effect == "Deny"

    def has(self, *elements: str) -> bool:
        """Whether it has one of these elements, whatever they hold."""
        return any(self.node.member(name) is not None for name in elements)

    def entries(self, *keys: str) -> Iterator[Entry]:
        """The conditions on these keys, which are in lower case."""
        return (entry for entry in self.conditions if entry.lower in keys)


@dataclass(frozen=True, slots=True)
class Document:
    """A policy document, what it is for, and what is known of AWS's services."""

    text: str
    type: DocumentType
    attached_to: AttachedTo | None
    root: Object
    statements: tuple[Statement, ...]
    reference: Reference
    work: Work

    @property
    def version(self) -> str | None:
        """Its Version, or None when it has none that is a string."""
        member = self.root.member("Version")
        return _string(member.value) if member is not None else None

    @property
    def substitutes(self) -> bool:
        """Whether `${...}` is a variable in it."""
        return self.version == VARIABLES_SINCE

    @property
    def is_trust(self) -> bool:
        """Whether it is said to be a role's trust policy."""
        return self.attached_to is AttachedTo.ROLE_TRUST

    def trusts(self, statement: Statement) -> bool:
        """Whether a statement is read as one of a role's trust policy.

        AWS: a resource policy of no stated type that allows actions of STS gets the findings of trust policies too (AWS
        CLI Command Reference, accessanalyzer validate-policy, the example).
        """
        if self.type is not DocumentType.RESOURCE or self.attached_to not in {None, AttachedTo.ROLE_TRUST}:
            return False
        listed = statement.actions
        return self.is_trust or (bool(listed) and all(action.lower.startswith("sts:") for action in listed))


def document(
    text: str,
    type: DocumentType,
    attached_to: AttachedTo | None,
    root: Object,
    reference: Reference,
    work: Work,
) -> Document:
    """The policy whose outermost object is `root`."""
    member = root.member("Statement")
    nodes = [] if member is None else _items(member.value)
    statements = tuple(_statement(node, reference, work) for node in nodes if isinstance(node, Object))
    return Document(text, type, attached_to, root, statements, reference, work)


def _items(node: Node) -> list[Node]:
    """The items of an array, or the one thing that stands in its stead."""
    return list(node.items) if isinstance(node, Array) else [node]


def _string(node: Node) -> str | None:
    return node.value if isinstance(node, Scalar) and type(node.value) is str else None


def _statement(node: Object, reference: Reference, work: Work) -> Statement:
    effect, condition = node.member("Effect"), node.member("Condition")
    entries = tuple(_entries(condition.value, reference, work)) if condition is not None else ()
    return Statement(
        node=node,
        effect=_string(effect.value) if effect is not None else None,
        actions=_texts(node.member("Action"), work),
        not_actions=_texts(node.member("NotAction"), work),
        resources=_texts(node.member("Resource"), work),
        not_resources=_texts(node.member("NotResource"), work),
        principals=tuple(_principals(node, work)),
        conditions=entries,
        condition_keys=frozenset(entry.lower for entry in entries),
    )


def _text(value: str, place: Place, work: Work) -> Text:
    # What looks like a variable and does not end is searched for its end up to the end of the text.
    work.spend(value.count("${") * (1 + len(value) // VARIABLES_LENGTH))
    return Text(value, place)


def _texts(member: Member | None, work: Work) -> tuple[Text, ...]:
    return tuple(_strings(member.value, work)) if member is not None else ()


def _strings(node: Node, work: Work) -> Iterator[Text]:
    for item in _items(node):
        value = _string(item)
        if value is not None:
            yield _text(value, item.place, work)


def _principals(node: Object, work: Work) -> Iterator[Principal]:
    for name in ("Principal", "NotPrincipal"):
        element = node.member(name)
        if element is not None and isinstance(element.value, Object):
            for member in element.value.members:
                for text in _strings(member.value, work):
                    yield Principal(member.name, text.value, text.place)


def _entries(node: Node, reference: Reference, work: Work) -> Iterator[Entry]:
    for operator in node.members if isinstance(node, Object) else ():
        name = operator_name(operator.name)
        for key in operator.value.members if isinstance(operator.value, Object) else ():
            known = reference.condition_key(key.name, work)
            yield Entry(operator, name, key, known, tuple(_values(key.value, work)))


def _values(node: Node, work: Work) -> Iterator[Text]:
    for item in _items(node):
        if isinstance(item, Scalar) and item.value is not None:
            value = str(item.value).lower() if isinstance(item.value, bool) else item.value
            yield _text(value, item.place, work)
