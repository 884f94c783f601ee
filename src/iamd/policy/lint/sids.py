"""Checks of statement ids (IAM User Guide, reference_policies_elements_sid)."""

from collections import defaultdict
from collections.abc import Iterator

from iamd.policy.lint.finding import Note, note
from iamd.policy.lint.subject import Document, DocumentType
from iamd.policy.tree import Node, Place, Scalar

_ALPHANUMERIC = frozenset({DocumentType.IDENTITY, DocumentType.SCP})
"""The types of policy whose Sids are letters and digits; services whose resources have policies take others too.

AWS: access-analyzer-reference-policy-checks does not say of which types this is found; of an SCP people reported it.
"""


def check(document: Document) -> Iterator[Note]:
    """What is wrong with each Sid, and with all of them together."""
    places: dict[str, list[Place]] = defaultdict(list)
    for sid, node in _sids(document):
        places[sid].append(node.place)
        if not sid:
            yield note("EMPTY_SID_VALUE", node.place)
        elif document.type in _ALPHANUMERIC and not (sid.isascii() and sid.isalnum()):
            yield note("UNSUPPORTED_SID", node.place)
    for sid, found in places.items():
        if sid and len(found) > 1:
            yield note(_repeated(document), *found)


def _repeated(document: Document) -> str:
    is_services_own = document.type is DocumentType.RESOURCE and not document.is_trust
    return "UNIQUE_SIDS_RECOMMENDED" if is_services_own else "UNIQUE_SIDS_REQUIRED"


def _sids(document: Document) -> Iterator[tuple[str, Node]]:
    for statement in document.statements:
        member = statement.node.member("Sid")
        if member is not None and isinstance(member.value, Scalar) and type(member.value.value) is str:
            yield member.value.value, member.value
