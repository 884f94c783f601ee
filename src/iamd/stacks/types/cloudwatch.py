"""AWS::CloudWatch::Alarm."""

from typing import Any

from iamd.stacks.kinds import Kind, Tags, Work

_GIVEN = (
    "ActionsEnabled", "AlarmActions", "AlarmDescription", "ComparisonOperator", "DatapointsToAlarm", "Dimensions",
    "EvaluateLowSampleCountPercentile", "EvaluationPeriods", "ExtendedStatistic", "InsufficientDataActions",
    "MetricName", "Metrics", "Namespace", "OKActions", "Period", "Statistic", "Threshold", "ThresholdMetricId",
    "TreatMissingData", "Unit",
)  # fmt: skip


async def _tag(work: Work, changed: Any) -> None:
    await work.call("cloudwatch", "TagResource", ResourceARN=work.attribute("Arn"), Tags=changed)


async def _untag(work: Work, keys: Any) -> None:
    await work.call("cloudwatch", "UntagResource", ResourceARN=work.attribute("Arn"), TagKeys=keys)


class Alarm(Kind):
    """An alarm."""

    type = "AWS::CloudWatch::Alarm"
    properties = ("AlarmName", *_GIVEN)
    parts = (Tags(_tag, _untag),)
    attributes = ("Arn",)

    async def make(self, work: Work) -> None:
        """Put the alarm."""
        name = work.name("AlarmName", 255)
        await work.call("cloudwatch", "PutMetricAlarm", AlarmName=name, Tags=work.tags, **work.given(*_GIVEN))
        work.made_as(name, Arn=work.arn("cloudwatch", f"alarm:{name}"))

    async def change(self, work: Work) -> None:
        """Put the alarm anew, with all that it is to have."""
        if work.changes(*_GIVEN):
            await work.call("cloudwatch", "PutMetricAlarm", AlarmName=work.id, **work.given(*_GIVEN))

    async def remove(self, work: Work) -> None:
        """Delete the alarm."""
        await work.call("cloudwatch", "DeleteAlarms", AlarmNames=[work.id])
