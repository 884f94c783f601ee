"""The access control list that a request of S3 names: canned, in headers, or in its body.

AWS: S3 User Guide, "Access control list (ACL) overview", "Canned ACL" and "Who is a grantee?"; S3 API Reference,
PutBucketAcl, PutObjectAcl and "Error responses". The words of refusals are those that others have recorded.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from iamd.authz import canonical_ids
from iamd.authz.acls import (
    ALL_USERS,
    AUTHENTICATED_USERS,
    FULL_CONTROL,
    GROUPS,
    LOG_DELIVERY,
    PERMISSIONS,
    Acl,
    Grant,
    private,
)
from iamd.errors import AWSError, Common, CommonError
from iamd.gateway.actions.asked import Asked

BUCKET_OWNER_FULL_CONTROL: Final = "bucket-owner-full-control"
_HEADERS: Final[Mapping[str, str]] = {
    "GrantFullControl": FULL_CONTROL,
    "GrantRead": "READ",
    "GrantReadACP": "READ_ACP",
    "GrantWrite": "WRITE",
    "GrantWriteACP": "WRITE_ACP",
}
_MEMBERS: Final = frozenset({"ACL", "AccessControlPolicy", *_HEADERS})
_MOST_GRANTS: Final = 100
_ID: Final = re.compile(r"[0-9a-f]{64}")
_GRANTEE: Final = re.compile(r'\s*(?P<kind>id|uri|emailAddress)\s*=\s*(?:"(?P<quoted>[^"]*)"|(?P<plain>[^",\s]+))\s*')
_CANNED: Final[Mapping[str, tuple[Grant, ...]]] = {
    "private": (),
    "public-read": (Grant("READ", ALL_USERS),),
    "public-read-write": (Grant("READ", ALL_USERS), Grant("WRITE", ALL_USERS)),
    "authenticated-read": (Grant("READ", AUTHENTICATED_USERS),),
    # It gives EC2 what it needs to read an AMI; here no EC2 reads any.
    "aws-exec-read": (),
}
_OF_BUCKETS: Final = {"log-delivery-write": (Grant("WRITE", LOG_DELIVERY), Grant("READ_ACP", LOG_DELIVERY))}
_OF_OBJECTS: Final = {"bucket-owner-read": "READ", BUCKET_OWNER_FULL_CONTROL: FULL_CONTROL}
"""What these give to the bucket's owner; AWS takes no notice of them where a bucket is made."""


class InvalidArgument(AWSError):
    """A list that names what there is not (S3 API Reference, "Error responses")."""

    code = "InvalidArgument"
    status = 400


class InvalidRequest(AWSError):
    """A request that names its list in two ways."""

    code = "InvalidRequest"
    status = 400


class UnexpectedContent(AWSError):
    """A list in the body of a request that names one in its headers."""

    code = "UnexpectedContent"
    status = 400


class MissingSecurityHeader(AWSError):
    """A request to set a list that names none."""

    code = "MissingSecurityHeader"
    status = 400


class MalformedACL(AWSError):
    """A list in a body that is none."""

    code = "MalformedACLError"
    status = 400


class MethodNotAllowed(AWSError):
    """A grantee by its e-mail address (S3 API Reference, PutBucketAcl: since October 2025)."""

    code = "MethodNotAllowed"
    status = 405


def names_acl(parameters: Mapping[str, Any]) -> bool:
    """Whether a request names a list."""
    return not _MEMBERS.isdisjoint(parameters)


def read(asked: Asked, owner: str, bucket_owner: str) -> Acl | None:
    """The list that a request names, for what these own, by their canonical user ids; None where it names none."""
    given = asked.parameters
    headers = {member: given[member] for member in _HEADERS if member in given}
    body = given.get("AccessControlPolicy")
    if "ACL" in given and headers:
        raise InvalidRequest("Specifying both Canned ACLs and Header Grants is not allowed")
    if body is not None and ("ACL" in given or headers):
        raise UnexpectedContent("This request does not support content")
    if "ACL" in given:
        return _canned(given["ACL"], owner, bucket_owner, of_bucket="Key" not in given)
    if headers:
        found = [Grant(_HEADERS[one], name) for one, text in headers.items() for name in _listed(text)]
        return Acl(owner, _checked(found))
    return Acl(owner, _checked(list(_in_body(body, owner)))) if body is not None else None


def required(acl: Acl | None) -> Acl:
    """The list of a request that must name one."""
    if acl is None:
        raise MissingSecurityHeader(
            "Your request was missing a required header", members={"MissingHeaderName": "x-amz-acl"}
        )
    return acl


def _canned(name: Any, owner: str, bucket_owner: str, *, of_bucket: bool) -> Acl:
    plain = private(owner)
    if name in _OF_OBJECTS:
        if of_bucket or owner == bucket_owner:
            return plain
        return Acl(owner, (*plain.grants, Grant(_OF_OBJECTS[name], bucket_owner)))
    grants = _CANNED.get(name) or (_OF_BUCKETS.get(name) if of_bucket else None)
    if grants is None and name not in _CANNED:
        raise InvalidArgument("", members={"ArgumentName": "x-amz-acl", "ArgumentValue": str(name)})
    return Acl(owner, (*plain.grants, *(grants or ())))


def _listed(text: str) -> Iterator[str]:
    """The grantees of a header (S3 API Reference, PutObjectAcl: type=value pairs, separated by commas)."""
    place = 0
    while True:
        match = _GRANTEE.match(text, place)
        if match is None:
            raise InvalidArgument("Argument format not recognized")
        _check_no_email(match["kind"] == "emailAddress")
        value = match["quoted"] if match["quoted"] is not None else match["plain"]
        if (match["kind"] == "uri") is not (value in GROUPS):
            raise InvalidArgument("Invalid group uri" if match["kind"] == "uri" else "Invalid id")
        yield value
        place = match.end()
        if place == len(text):
            return
        if text[place] != ",":
            raise InvalidArgument("Argument format not recognized")
        place += 1


def _in_body(body: Any, owner: str) -> Iterator[Grant]:
    named = (body.get("Owner") or {}).get("ID")
    if named is None:
        raise _malformed()
    if named != owner:
        # AWS: nobody gives away what is theirs by a list.
        raise CommonError(Common.ACCESS_DENIED, "Access Denied")
    for one in body.get("Grants") or ():
        grantee, permission = one.get("Grantee") or {}, one.get("Permission")
        _check_no_email("EmailAddress" in grantee)
        identifier, group = grantee.get("ID"), grantee.get("URI")
        if permission not in PERMISSIONS or (identifier is None) is (group is None):
            raise _malformed()
        if group is not None and group not in GROUPS:
            raise InvalidArgument("Invalid group uri")
        if identifier in GROUPS:
            raise InvalidArgument("Invalid id")
        yield Grant(permission, str(identifier or group))


def _checked(grants: list[Grant]) -> tuple[Grant, ...]:
    """The grants, each of them to what may be an account; of which account this server has none, nobody gets in."""
    if len(grants) > _MOST_GRANTS:
        raise _malformed()
    for one in grants:
        if one.grantee not in GROUPS and one.grantee != canonical_ids.ANONYMOUS and not _ID.fullmatch(one.grantee):
            raise InvalidArgument("Invalid id")
    return tuple(dict.fromkeys(grants))


def _check_no_email(is_email: object) -> None:
    if is_email:
        raise MethodNotAllowed("The specified method is not allowed against this resource.")


def _malformed() -> MalformedACL:
    return MalformedACL("The XML you provided was not well-formed or did not validate against our published schema")
