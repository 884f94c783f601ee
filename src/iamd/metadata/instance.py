"""What is known of an instance, as its metadata shows it.

AWS: EC2 User Guide, "Access instance metadata for an EC2 instance" (ec2-instance-metadata): the categories; "Instance
identity documents" (instance-identity-documents).
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from iamd.metadata.temporary import Temporary, Unobtainable

Tree = Mapping[str, "str | Tree"]
"""Texts by name, and folders of them."""

CREDENTIALS: Final = ("iam", "security-credentials")


class Profile(msgspec.Struct, frozen=True):
    """The instance profile that an instance has, and its role, where it has one."""

    arn: str
    id: str
    role_arn: str | None
    updated: str
    role_id: str = ""

    @property
    def role_name(self) -> str | None:
        """The role's name."""
        return self.role_arn.rpartition("/")[2] if self.role_arn is not None else None


class Options(msgspec.Struct, frozen=True):
    """How the metadata of an instance may be asked for (EC2 API Reference, InstanceMetadataOptionsRequest)."""

    is_enabled: bool = True
    allows_v1: bool = False
    shows_tags: bool = False


class Instance(msgspec.Struct, frozen=True, kw_only=True):
    """An instance; what is None or empty is not known, and is not shown."""

    id: str
    account_id: str
    region: str
    zone: str | None = None
    image_id: str | None = None
    type: str | None = None
    architecture: str | None = None
    private_ip: str | None = None
    private_dns: str | None = None
    public_ip: str | None = None
    mac: str | None = None
    launched: str | None = None
    launch_index: str | None = None
    reservation_id: str | None = None
    security_groups: tuple[str, ...] = ()
    tags: Mapping[str, str] = {}
    user_data: bytes | None = None

    @property
    def arn(self) -> str:
        """The instance's ARN."""
        return f"arn:aws:ec2:{self.region}:{self.account_id}:instance/{self.id}"


def meta_data(instance: Instance, profile: Profile | None, options: Options) -> Tree:
    """What stands under `meta-data`."""
    found: dict[str, str | Tree | None] = {
        "ami-id": instance.image_id,
        "ami-launch-index": instance.launch_index,
        "hostname": instance.private_dns,
        "iam": _iam(profile) if profile is not None else None,
        "instance-action": "none",
        "instance-id": instance.id,
        "instance-life-cycle": "on-demand",
        "instance-type": instance.type,
        "local-hostname": instance.private_dns,
        "local-ipv4": instance.private_ip,
        "mac": instance.mac,
        "placement": _present({"availability-zone": instance.zone, "region": instance.region}),
        "public-ipv4": instance.public_ip,
        "reservation-id": instance.reservation_id,
        "security-groups": "\n".join(instance.security_groups),
        "services": {"domain": "amazonaws.com", "partition": "aws"},
        "tags": {"instance": _tags(instance)} if options.shows_tags else None,
    }
    return _present(found)


def _present(found: Mapping[str, "str | Tree | None"]) -> Tree:
    return {name: value for name, value in found.items() if value}


def _tags(instance: Instance) -> Tree:
    # AWS: with a slash, a space or only dots no tag can be shown ("View tags for your EC2 instances using instance
    # metadata", work-with-tags-in-IMDS).
    return {k: v for k, v in instance.tags.items() if "/" not in k and " " not in k and k.strip(".")}


def _iam(profile: Profile) -> Tree:
    info = {
        "Code": "Success",
        "LastUpdated": profile.updated,
        "InstanceProfileArn": profile.arn,
        "InstanceProfileId": profile.id,
    }
    role = profile.role_name
    # The credentials themselves are had when they are asked for.
    return {"info": document(info)} | ({"security-credentials": {role: ""}} if role is not None else {})


def identity_document(instance: Instance) -> str:
    """The instance identity document, which nobody signs here."""
    return document(
        {
            "accountId": instance.account_id,
            "architecture": instance.architecture,
            "availabilityZone": instance.zone,
            "billingProducts": None,
            "devpayProductCodes": None,
            "marketplaceProductCodes": None,
            "imageId": instance.image_id,
            "instanceId": instance.id,
            "instanceType": instance.type,
            "kernelId": None,
            "pendingTime": instance.launched,
            "privateIp": instance.private_ip,
            "ramdiskId": None,
            "region": instance.region,
            "version": "2017-09-30",
        }
    )


def credentials_document(found: Temporary) -> str:
    """The credentials of the instance's role (EC2 User Guide, instance-metadata-security-credentials)."""
    return document(
        {
            "Code": "Success",
            "LastUpdated": found.last_updated,
            "Type": "AWS-HMAC",
            "AccessKeyId": found.access_key_id,
            "SecretAccessKey": found.secret_access_key,
            "Token": found.session_token,
            "Expiration": found.expiration,
        }
    )


def failure_document(why: Unobtainable) -> str:
    """Why there are no credentials (IAM User Guide, "Troubleshoot IAM and Amazon EC2", troubleshoot_iam-ec2)."""
    code = "AssumeRoleUnauthorizedAccess" if why.status == 403 else why.code
    return document({"Code": code, "Message": why.message})


def document(content: Mapping[str, Any]) -> str:
    """JSON as people read it."""
    return msgspec.json.format(msgspec.json.encode(content), indent=2).decode()
