"""moto's access control lists of S3: it keeps those that iamd tells it, with their owners, and makes none itself."""

from collections.abc import Callable
from typing import Any, Final

from moto.s3.exceptions import MissingKey, MissingVersion
from moto.s3.models import FakeAcl, FakeGrant, FakeGrantee, get_canned_acl
from moto.s3.responses import S3Response

from iamd.backend.dispatch import CURRENT
from iamd.backend.replacement import always, replace

_GROUP: Final = "http://"


class ToldAcl(FakeAcl):
    """A list as iamd tells it: its owner, and its grants."""

    def __init__(self, text: str) -> None:
        self.owner, *grants = text.split("|")
        super().__init__([_grant(*one.split("=", 1)) for one in grants])


def _grant(permission: str, grantee: str) -> Any:
    named = {"uri": grantee} if grantee.startswith(_GROUP) else {"grantee_id": grantee}
    return FakeGrant([FakeGrantee(**named)], [permission])


def install() -> None:
    """Have moto keep what iamd tells it, and tell that when it is asked."""
    replace(S3Response, "_acl_from_headers", always(lambda _response, _headers: _told()))
    replace(S3Response, "_acl_from_body", always(lambda _response: _told()))
    replace(S3Response, "put_object_acl", always(_put_object_acl))
    replace(S3Response, "_acl_to_dict", _with_owner)


def _told() -> Any:
    text = CURRENT.get().acl
    # What is told of no list is its bucket's owner's alone.
    return ToldAcl(text) if text is not None else get_canned_acl("private")


def _put_object_acl(response: S3Response) -> Any:
    """PutObjectAcl, of versions too; without a list that counts, the object keeps what it has."""
    name, version = response.parse_key_name(), response.querystring.get("versionId", [None])[0]
    bucket = response.bucket_name
    key = response.backend.get_object(bucket, name, version_id=version)
    if key is None:
        raise MissingVersion(key=name, version_id=version) if version else MissingKey(key=name)
    acl = _told() if CURRENT.get().acl is not None else key.acl
    if version:
        key.set_acl(acl)
    else:
        response.backend.put_object_acl(bucket, name, acl)
    return 200, {}, ""


def _with_owner(original: Callable[[Any], dict[str, Any]]) -> Any:
    def acl_to_dict(acl: Any) -> dict[str, Any]:
        told = original(acl)
        return {**told, "Owner": {"ID": acl.owner}} if isinstance(acl, ToldAcl) else told

    return staticmethod(acl_to_dict)
