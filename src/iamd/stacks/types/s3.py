"""AWS::S3::Bucket and BucketPolicy: a bucket is made, and all else of it set by an operation of its own."""

from collections.abc import Callable, Mapping
from typing import Any

from iamd.stacks.errors import InvalidProperties
from iamd.stacks.kinds import Kind, Part, Setting, Tags, Work, listed, tags_of
from iamd.stacks.types import s3_configurations as configurations

# AWS: S3 User Guide, "Website endpoints": older Regions have a dash before their name, newer ones a dot.
_DASHED = frozenset(
    {
        "us-east-1", "us-west-1", "us-west-2", "ap-southeast-1", "ap-southeast-2", "ap-northeast-1", "eu-west-1",
        "sa-east-1", "us-gov-west-1",
    }
)  # fmt: skip
# AWS: S3 User Guide, "Canned ACL", and their names in CloudFormation (AWS::S3::Bucket, AccessControl).
_CANNED = {
    "AuthenticatedRead": "authenticated-read",
    "AwsExecRead": "aws-exec-read",
    "BucketOwnerFullControl": "bucket-owner-full-control",
    "BucketOwnerRead": "bucket-owner-read",
    "LogDeliveryWrite": "log-delivery-write",
    "Private": "private",
    "PublicRead": "public-read",
    "PublicReadWrite": "public-read-write",
}
_PRIVATE = "private"
_OF_OBJECTS = frozenset({"aws-exec-read", "bucket-owner-full-control", "bucket-owner-read"})
"""What gives nobody anything where it is a bucket's."""


def _set(
    property: str, operation: str, parameter: str, written: Callable[[Any], Any], unset: str | Mapping[str, Any]
) -> Part:
    """A configuration: `unset` is the operation that deletes it, or the configuration that is none."""

    async def put(work: Work) -> None:
        await work.call("s3", operation, Bucket=work.id, **{parameter: written(work[property])})

    async def delete(work: Work) -> None:
        if isinstance(unset, str):
            await work.call_unless_gone("s3", unset, Bucket=work.id)
        else:
            await work.call("s3", operation, Bucket=work.id, **{parameter: unset})

    return Setting((property,), put, delete)


def _same(value: Any) -> Any:
    return value


async def _put_acl(work: Work) -> None:
    acl = _canned(work.after("AccessControl"))
    # What is private stays so, in buckets without ACLs too.
    if acl != _canned(work.before("AccessControl")):
        await work.call("s3", "PutBucketAcl", Bucket=work.id, ACL=acl)


def _canned(name: str | None) -> str:
    found = _CANNED.get(name or "Private")
    if found is None:
        raise InvalidProperties(f"#/AccessControl: {name} is not a valid enum value")
    return _PRIVATE if found in _OF_OBJECTS else found


def _acl_of_new(work: Work) -> str | None:
    """The ACL with which a bucket is made: one for which it would need OwnershipControls is refused as S3 refuses it.

    Any other is set when ownership and what blocks public access are.
    """
    acl = _canned(work["AccessControl"])
    return acl if acl != _PRIVATE and work["OwnershipControls"] is None else None


async def _put_lifecycle(work: Work) -> None:
    given = work["LifecycleConfiguration"]
    await work.call(
        "s3",
        "PutBucketLifecycleConfiguration",
        Bucket=work.id,
        LifecycleConfiguration=configurations.lifecycle(given),
        TransitionDefaultMinimumObjectSize=given.get("TransitionDefaultMinimumObjectSize"),
    )


async def _delete_lifecycle(work: Work) -> None:
    await work.call_unless_gone("s3", "DeleteBucketLifecycle", Bucket=work.id)


async def _put_logging(work: Work) -> None:
    status = configurations.logging(work["LoggingConfiguration"], work.id)
    await work.call("s3", "PutBucketLogging", Bucket=work.id, BucketLoggingStatus=status)


async def _put_no_logging(work: Work) -> None:
    await work.call("s3", "PutBucketLogging", Bucket=work.id, BucketLoggingStatus={})


# AWS: CloudFormation makes buckets with their tags, and uses TagResource and UntagResource (S3 User Guide, "Creating
# general purpose buckets with tags" and "Enabling ABAC in general purpose buckets").
async def _tag(work: Work, changed: Any) -> None:
    account, arn = work.client.account, work.attribute("Arn")
    await work.call("s3control", "TagResource", AccountId=account, ResourceArn=arn, Tags=changed)


async def _untag(work: Work, keys: Any) -> None:
    account, arn = work.client.account, work.attribute("Arn")
    await work.call("s3control", "UntagResource", AccountId=account, ResourceArn=arn, TagKeys=keys)


class Bucket(Kind):
    """A bucket; it is deleted only when it is empty."""

    type = "AWS::S3::Bucket"
    properties = ("BucketName", "ObjectLockEnabled")
    parts = (
        Tags(_tag, _untag),
        _set("AbacStatus", "PutBucketAbac", "AbacStatus", lambda status: {"Status": status}, {"Status": "Disabled"}),
        _set(
            "PublicAccessBlockConfiguration", "PutPublicAccessBlock", "PublicAccessBlockConfiguration", _same,
            "DeletePublicAccessBlock",
        ),
        _set(
            "OwnershipControls", "PutBucketOwnershipControls", "OwnershipControls", _same,
            "DeleteBucketOwnershipControls",
        ),
        Setting(("AccessControl",), _put_acl, _put_acl),
        _set(
            "BucketEncryption", "PutBucketEncryption", "ServerSideEncryptionConfiguration", configurations.encryption,
            "DeleteBucketEncryption",
        ),
        _set(
            "VersioningConfiguration", "PutBucketVersioning", "VersioningConfiguration", _same,
            {"Status": "Suspended"},
        ),
        _set(
            "ObjectLockConfiguration", "PutObjectLockConfiguration", "ObjectLockConfiguration", _same,
            {"ObjectLockEnabled": "Enabled"},
        ),
        Setting(("LifecycleConfiguration",), _put_lifecycle, _delete_lifecycle),
        _set("CorsConfiguration", "PutBucketCors", "CORSConfiguration", configurations.cors, "DeleteBucketCors"),
        _set(
            "WebsiteConfiguration", "PutBucketWebsite", "WebsiteConfiguration", configurations.website,
            "DeleteBucketWebsite",
        ),
        Setting(("LoggingConfiguration",), _put_logging, _put_no_logging),
        _set(
            "AccelerateConfiguration", "PutBucketAccelerateConfiguration", "AccelerateConfiguration",
            lambda given: {"Status": given["AccelerationStatus"]}, {"Status": "Suspended"},
        ),
        _set(
            "NotificationConfiguration", "PutBucketNotificationConfiguration", "NotificationConfiguration",
            configurations.notification, {},
        ),
    )  # fmt: skip
    attributes = ("Arn", "DomainName", "DualStackDomainName", "RegionalDomainName", "WebsiteURL")

    async def make(self, work: Work) -> None:
        """Make the bucket."""
        name = work.name("BucketName", 63, lower=True)
        region, partition = work.client.region, work.client.partition
        # AWS: CreateBucket: us-east-1 is no location constraint.
        place: dict[str, Any] = {"LocationConstraint": region} if region != "us-east-1" else {}
        tags = tags_of(work.new)
        if tags:
            place["Tags"] = listed(tags)
        await work.call(
            "s3",
            "CreateBucket",
            Bucket=name,
            CreateBucketConfiguration=place or None,
            ObjectLockEnabledForBucket=work["ObjectLockEnabled"],
            ACL=_acl_of_new(work),
        )
        between = "-" if region in _DASHED else "."
        work.made_as(
            name,
            Arn=f"arn:{partition}:s3:::{name}",
            DomainName=f"{name}.s3.amazonaws.com",
            DualStackDomainName=f"{name}.s3.dualstack.{region}.amazonaws.com",
            RegionalDomainName=f"{name}.s3.{region}.amazonaws.com",
            WebsiteURL=f"http://{name}.s3-website{between}{region}.amazonaws.com",
        )

    async def change(self, work: Work) -> None:
        """Whether objects can be locked is a bucket's for good, but for its being switched on."""
        if work.changes("ObjectLockEnabled"):
            raise InvalidProperties("iamd can't change ObjectLockEnabled of a bucket that is there.")

    async def remove(self, work: Work) -> None:
        """Delete the bucket."""
        await work.call("s3", "DeleteBucket", Bucket=work.id)


class BucketPolicy(Kind):
    """The policy of a bucket."""

    type = "AWS::S3::BucketPolicy"
    properties = ("Bucket", "PolicyDocument")

    async def make(self, work: Work) -> None:
        """Put the policy."""
        await self._put(work)
        work.made_as(work["Bucket"])

    async def change(self, work: Work) -> None:
        """Put the other policy."""
        if work.changes("PolicyDocument"):
            await self._put(work)

    async def remove(self, work: Work) -> None:
        """Delete the policy."""
        await work.call("s3", "DeleteBucketPolicy", Bucket=work["Bucket"])

    async def _put(self, work: Work) -> None:
        await work.call("s3", "PutBucketPolicy", Bucket=work["Bucket"], Policy=work["PolicyDocument"])
