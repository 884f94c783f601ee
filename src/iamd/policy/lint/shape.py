"""Checks of form: the elements that a policy and its statements must have, and the JSON types of what they hold.

AWS: IAM User Guide, "Grammar of the IAM JSON policy language" (reference_policies_grammar).
"""

from collections.abc import Iterator

from iamd.policy.document import ELEMENTS
from iamd.policy.lint.finding import Note, note
from iamd.policy.lint.subject import Document, DocumentType, Statement
from iamd.policy.tree import Array, Member, Node, Object, Scalar

VERSIONS = ("2012-10-17", "2008-10-17")
MEMBERS = frozenset({"Version", "Id", "Statement"})
OPPOSITES = (("Principal", "NotPrincipal"), ("Action", "NotAction"), ("Resource", "NotResource"))

STRING, OBJECT, STRINGS, OBJECTS = "String", "Object", "String or String Array", "Object or Object Array"
VALUES = "String, Number or Boolean, or an Array of one of these"


def check(document: Document) -> Iterator[Note]:
    """What is wrong with the form of the document and of each statement."""
    yield from _unknown(document.root, MEMBERS)
    yield from _version(document)
    yield from _strings_of(document.root, "Id")
    yield from _statements(document)
    for statement in document.statements:
        yield from _unknown(statement.node, ELEMENTS)
        yield from _strings_of(statement.node, "Sid")
        yield from _effect(statement)
        yield from _opposites(statement)
        yield from _missing(document, statement)
        yield from _empty_lists(statement)
        yield from _types(statement)


def mismatch(node: Node, data_type: str) -> Note:
    """The finding that a value has not the JSON type it must have."""
    return note("DATA_TYPE_MISMATCH", node.place, data_type=data_type)


def is_string(node: Node) -> bool:
    return isinstance(node, Scalar) and type(node.value) is str


def _unknown(node: Object, known: frozenset[str]) -> Iterator[Note]:
    for member in node.members:
        if member.name not in known:
            yield note("INVALID_POLICY_ELEMENT", member.key, element=member.name)


def _strings_of(node: Object, name: str) -> Iterator[Note]:
    member = node.member(name)
    if member is not None and not is_string(member.value):
        yield mismatch(member.value, STRING)


def _version(document: Document) -> Iterator[Note]:
    member = document.root.member("Version")
    if member is None:
        yield note("MISSING_VERSION", document.root.place)
    elif not is_string(member.value):
        yield mismatch(member.value, STRING)
    elif document.version not in VERSIONS:
        yield note("INVALID_VERSION", member.value.place, version=document.version, versions=", ".join(VERSIONS))


def _statements(document: Document) -> Iterator[Note]:
    member = document.root.member("Statement")
    if member is None:
        yield note("MISSING_STATEMENT", document.root.place)
        return
    if isinstance(member.value, Scalar):
        yield mismatch(member.value, OBJECTS)
    elif isinstance(member.value, Array):
        if not member.value.items:
            yield note("MISSING_STATEMENT", member.value.place)
        for item in member.value.items:
            if not isinstance(item, Object):
                yield mismatch(item, OBJECT)


def _effect(statement: Statement) -> Iterator[Note]:
    member = statement.node.member("Effect")
    if member is None:
        yield note("MISSING_EFFECT", statement.node.place)
    elif not is_string(member.value):
        yield mismatch(member.value, STRING)
    elif not statement.allows and not statement.denies:
        yield note("INVALID_EFFECT", member.value.place, effect=statement.effect)


def _opposites(statement: Statement) -> Iterator[Note]:
    for names in OPPOSITES:
        one, other = (statement.node.member(name) for name in names)
        if one is not None and other is not None:
            yield note("UNSUPPORTED_ELEMENT_COMBINATION", one.key, other.key, element1=names[0], element2=names[1])


def _missing(document: Document, statement: Statement) -> Iterator[Note]:
    if not statement.has("Action", "NotAction"):
        yield note("MISSING_ACTION", statement.node.place)
    # AWS: all policies but role trust policies must include it (MISSING_RESOURCE).
    if not statement.has("Resource", "NotResource") and not document.trusts(statement):
        yield note("MISSING_RESOURCE", statement.node.place)
    speaks_of_others = document.type in {DocumentType.RESOURCE, DocumentType.RCP}
    if speaks_of_others and not statement.has("Principal", "NotPrincipal"):
        yield note("MISSING_PRINCIPAL", statement.node.place)


def _empty_lists(statement: Statement) -> Iterator[Note]:
    for name in ("Action", "Resource"):
        for member in _members(statement, name, f"Not{name}"):
            if isinstance(member.value, Array) and not member.value.items:
                yield note(f"EMPTY_ARRAY_{name.upper()}", member.value.place)


def _types(statement: Statement) -> Iterator[Note]:
    for member in _members(statement, "Action", "NotAction", "Resource", "NotResource"):
        yield from string_list(member.value)
    for member in _members(statement, "Condition"):
        if isinstance(member.value, Object):
            for operator in member.value.members:
                yield from _operator(operator)
        else:
            yield mismatch(member.value, OBJECT)


def string_list(node: Node) -> Iterator[Note]:
    """What is wrong where a string, or a list of strings, must stand."""
    if isinstance(node, Array):
        for item in node.items:
            if not is_string(item):
                yield mismatch(item, STRING)
    elif not is_string(node):
        yield mismatch(node, STRINGS)


def _operator(operator: Member) -> Iterator[Note]:
    if not isinstance(operator.value, Object):
        yield mismatch(operator.value, OBJECT)
        return
    for key in operator.value.members:
        node = key.value
        for item in node.items if isinstance(node, Array) else (node,):
            if not isinstance(item, Scalar) or item.value is None:
                yield mismatch(item, VALUES)


def _members(statement: Statement, *names: str) -> Iterator[Member]:
    for name in names:
        member = statement.node.member(name)
        if member is not None:
            yield member
