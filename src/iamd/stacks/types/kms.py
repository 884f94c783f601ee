"""AWS::KMS::Key and Alias."""

from typing import Any

from iamd.stacks import shaping
from iamd.stacks.client import RequestFailed
from iamd.stacks.errors import InvalidProperties
from iamd.stacks.kinds import Kind, Part, Setting, Tags, Work

_IMMUTABLE = ("KeySpec", "KeyUsage", "MultiRegion", "Origin")


async def _put_policy(work: Work) -> None:
    given = work.given("BypassPolicyLockoutSafetyCheck")
    await work.call("kms", "PutKeyPolicy", KeyId=work.id, PolicyName="default", Policy=work["KeyPolicy"], **given)


async def _put_description(work: Work) -> None:
    await work.call("kms", "UpdateKeyDescription", KeyId=work.id, Description=work["Description"] or "")


def _is_true(value: Any) -> bool:
    return value is not None and shaping.text(value).lower() == "true"


class _Rotation(Part):
    """Whether the key's material is rotated, and how often."""

    properties = ("EnableKeyRotation", "RotationPeriodInDays")

    async def apply(self, work: Work) -> None:
        """Switch it on or off."""
        if not work.changes(*self.properties) or work.new is None:
            return
        if _is_true(work["EnableKeyRotation"]):
            await work.call("kms", "EnableKeyRotation", KeyId=work.id, **work.given("RotationPeriodInDays"))
        elif _is_true(work.before("EnableKeyRotation")):
            await work.call("kms", "DisableKeyRotation", KeyId=work.id)


class _Enabled(Part):
    """Whether the key can be used; it can when nothing is said."""

    properties = ("Enabled",)

    async def apply(self, work: Work) -> None:
        """Enable or disable it."""
        if work.new is None:
            return
        before, after = (value is None or _is_true(value) for value in (work.before("Enabled"), work.after("Enabled")))
        if before != after:
            await work.call("kms", "EnableKey" if after else "DisableKey", KeyId=work.id)


async def _tag(work: Work, changed: Any) -> None:
    await work.call("kms", "TagResource", KeyId=work.id, Tags=_kms_tags(changed))


async def _untag(work: Work, keys: Any) -> None:
    await work.call("kms", "UntagResource", KeyId=work.id, TagKeys=keys)


def _kms_tags(tags: list[dict[str, str]] | None) -> list[dict[str, str]] | None:
    return None if tags is None else [{"TagKey": tag["Key"], "TagValue": tag["Value"]} for tag in tags]


class Key(Kind):
    """A key; when it is removed its deletion is scheduled."""

    type = "AWS::KMS::Key"
    properties = ("BypassPolicyLockoutSafetyCheck", "PendingWindowInDays", *_IMMUTABLE)
    parts = (
        Setting(("KeyPolicy",), _put_policy, on_create=False),
        Setting(("Description",), _put_description, _put_description, on_create=False),
        _Rotation(),
        _Enabled(),
        Tags(_tag, _untag),
    )
    attributes = ("Arn", "KeyId")

    async def make(self, work: Work) -> None:
        """Make the key."""
        given = work.given("BypassPolicyLockoutSafetyCheck", "Description", *_IMMUTABLE, KeyPolicy="Policy")
        answer = await work.call("kms", "CreateKey", Tags=_kms_tags(work.tags), **given)
        made = answer["KeyMetadata"]
        work.made_as(made["KeyId"], Arn=made["Arn"], KeyId=made["KeyId"])

    async def change(self, work: Work) -> None:
        """AWS: the change of such a property fails, lest a key be replaced by another (AWS::KMS::Key)."""
        changed = [name for name in _IMMUTABLE if work.changes(name)]
        if changed:
            raise InvalidProperties(f"The property {changed[0]} of a KMS key that is there can't be changed.")

    async def remove(self, work: Work) -> None:
        """Schedule the key's deletion."""
        try:
            await work.call("kms", "ScheduleKeyDeletion", KeyId=work.id, **work.given("PendingWindowInDays"))
        except RequestFailed as error:
            # AWS: ScheduleKeyDeletion of a key whose deletion is scheduled already.
            if error.code != "KMSInvalidStateException":
                raise


class Alias(Kind):
    """An alias of a key."""

    type = "AWS::KMS::Alias"
    properties = ("AliasName", "TargetKeyId")

    async def make(self, work: Work) -> None:
        """Make the alias."""
        await work.call("kms", "CreateAlias", **work.given("AliasName", "TargetKeyId"))
        work.made_as(work["AliasName"])

    async def change(self, work: Work) -> None:
        """Let it stand for another key."""
        if work.changes("TargetKeyId"):
            await work.call("kms", "UpdateAlias", **work.given("AliasName", "TargetKeyId"))

    async def remove(self, work: Work) -> None:
        """Delete the alias."""
        await work.call("kms", "DeleteAlias", AliasName=work.id)
