"""AWS::Logs::LogGroup."""

from typing import Any

from iamd.stacks.errors import InvalidProperties
from iamd.stacks.kinds import Kind, Setting, Tags, Work


async def _put_retention(work: Work) -> None:
    await work.call("logs", "PutRetentionPolicy", logGroupName=work.id, **work.given("RetentionInDays"))


async def _delete_retention(work: Work) -> None:
    await work.call_unless_gone("logs", "DeleteRetentionPolicy", logGroupName=work.id)


async def _put_key(work: Work) -> None:
    await work.call("logs", "AssociateKmsKey", logGroupName=work.id, **work.given("KmsKeyId"))


async def _take_key(work: Work) -> None:
    await work.call_unless_gone("logs", "DisassociateKmsKey", logGroupName=work.id)


async def _put_protection(work: Work) -> None:
    document = work["DataProtectionPolicy"]
    await work.call("logs", "PutDataProtectionPolicy", logGroupIdentifier=work.id, policyDocument=document)


async def _delete_protection(work: Work) -> None:
    await work.call_unless_gone("logs", "DeleteDataProtectionPolicy", logGroupIdentifier=work.id)


def _arn(work: Work) -> str:
    # AWS: the tagging operations name a log group by its ARN without the `:*` that Fn::GetAtt gives.
    return str(work.attribute("Arn")).removesuffix(":*")


async def _tag(work: Work, changed: Any) -> None:
    await work.call("logs", "TagResource", resourceArn=_arn(work), tags=changed)


async def _untag(work: Work, keys: Any) -> None:
    await work.call("logs", "UntagResource", resourceArn=_arn(work), tagKeys=keys)


class LogGroup(Kind):
    """A log group."""

    type = "AWS::Logs::LogGroup"
    properties = ("LogGroupClass", "LogGroupName")
    parts = (
        Setting(("RetentionInDays",), _put_retention, _delete_retention),
        Setting(("KmsKeyId",), _put_key, _take_key, on_create=False),
        Setting(("DataProtectionPolicy",), _put_protection, _delete_protection),
        Tags(_tag, _untag),
    )
    attributes = ("Arn",)

    async def make(self, work: Work) -> None:
        """Make the log group."""
        name = work.name("LogGroupName", 512)
        given = work.given("KmsKeyId", "LogGroupClass")
        await work.call("logs", "CreateLogGroup", logGroupName=name, tags=work.tags, **given)
        work.made_as(name, Arn=f"{work.arn('logs', f'log-group:{name}')}:*")

    async def change(self, work: Work) -> None:
        """Its class is a log group's for good."""
        if work.changes("LogGroupClass"):
            raise InvalidProperties("The LogGroupClass of a log group that is there can't be changed.")

    async def remove(self, work: Work) -> None:
        """Delete the log group."""
        await work.call("logs", "DeleteLogGroup", logGroupName=work.id)
