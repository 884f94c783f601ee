"""Lists of buckets: the owner is who asks, and of a backend that knows no accounts each account sees its own alone."""

import xml.etree.ElementTree as ET
from collections.abc import Iterator

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from iamd.authz import canonical_ids
from iamd.errors import Common, CommonError
from iamd.gateway.actions.asked import Asked
from iamd.gateway.answer import Answer
from iamd.gateway.resources import Facts
from iamd.wire.models import Operation


class BadGateway(CommonError):
    """The backend broke off or does not speak what was asked: 502."""

    status = 502


def is_list(operation: Operation) -> bool:
    """Whether an operation lists buckets of all accounts there."""
    return (operation.service, operation.name) == ("s3", "ListBuckets")


async def own(answer: Answer, asked: Asked, facts: Facts, *, is_shared: bool) -> Answer:
    """The answer of a list with the caller as the owner, and with its buckets alone where others have theirs there.

    What can't be read as a list is not passed on.
    """
    body = b"".join([piece async for piece in answer])
    if not body:
        return Answer(answer.status, answer.headers, body)
    try:
        root = fromstring(body)
    except (ET.ParseError, DefusedXmlException) as error:
        raise BadGateway(Common.UNAVAILABLE, "The backend's answer cannot be used.") from error
    namespace = root.tag.partition("}")[0].lstrip("{") if root.tag.startswith("{") else ""
    for parent, bucket in list(_buckets(root)) if is_shared else ():
        if not _is_own(_text(bucket, "Name"), asked, facts):
            parent.remove(bucket)
    for owner in [child for child in root if _name(child) == "Owner"]:
        # It is the account of iamd's own key there, or one of the backend's own making.
        _tell_owner(owner, canonical_ids.of_account(asked.account, facts.view))
    text = ET.tostring(root, encoding="utf-8", xml_declaration=True, default_namespace=namespace or None)
    headers = [pair for pair in answer.headers if pair[0] not in {b"content-length", b"content-encoding", b"etag"}]
    return Answer(200, headers, text)


def _tell_owner(owner: ET.Element, canonical_id: str) -> None:
    """AWS: an owner has an id and, since November 2025, no name (S3 API Reference, Owner)."""
    for child in list(owner):
        if _name(child) == "ID":
            child.text = canonical_id
        else:
            owner.remove(child)


def _buckets(root: ET.Element) -> Iterator[tuple[ET.Element, ET.Element]]:
    for parent in root.iter():
        for child in parent:
            if _name(child) == "Bucket":
                yield parent, child


def _is_own(name: str | None, asked: Asked, facts: Facts) -> bool:
    if not name:
        return False
    known = facts.get(f"arn:{asked.partition}:s3:::{name}")
    # SECURITY: a bucket whose owner nobody knows is nobody's.
    return facts.bucket_owner(known, asked.account) == asked.account != ""


def _name(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


def _text(element: ET.Element, name: str) -> str | None:
    return next((child.text for child in element if _name(child) == name), None)
