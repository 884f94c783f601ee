"""AWS::DynamoDB::Table."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from iamd.stacks import shaping
from iamd.stacks.client import RequestFailed
from iamd.stacks.errors import InvalidProperties
from iamd.stacks.kinds import Kind, Setting, Tags, Work, is_gone

_POLL_SECONDS = 0.2
_POLLS = 1500
_CREATED = (
    "AttributeDefinitions", "BillingMode", "DeletionProtectionEnabled", "GlobalSecondaryIndexes", "KeySchema",
    "LocalSecondaryIndexes", "OnDemandThroughput", "ProvisionedThroughput", "TableClass", "WarmThroughput",
)  # fmt: skip


async def _stand(work: Work) -> Mapping[str, Any]:
    """The table once it, and each of its indexes, has come to rest."""
    for _ in range(_POLLS):
        answer = await work.call("dynamodb", "DescribeTable", TableName=work.id)
        table: Mapping[str, Any] = answer["Table"]
        indexes = table.get("GlobalSecondaryIndexes") or ()
        if table["TableStatus"] == "ACTIVE" and all(one["IndexStatus"] == "ACTIVE" for one in indexes):
            return table
        await asyncio.sleep(_POLL_SECONDS)
    raise RequestFailed("NotStabilized", f"The table {work.id} does not come to rest.", 400, "DescribeTable")


async def _put_recovery(work: Work) -> None:
    given = work["PointInTimeRecoverySpecification"] or {"PointInTimeRecoveryEnabled": False}
    named = {"TableName": work.id, "PointInTimeRecoverySpecification": given}
    await work.call("dynamodb", "UpdateContinuousBackups", **named)


async def _put_time_to_live(work: Work) -> None:
    named = {"TableName": work.id, "TimeToLiveSpecification": work["TimeToLiveSpecification"]}
    await work.call("dynamodb", "UpdateTimeToLive", **named)


async def _take_time_to_live(work: Work) -> None:
    before = {**work.before("TimeToLiveSpecification"), "Enabled": False}
    await work.call("dynamodb", "UpdateTimeToLive", TableName=work.id, TimeToLiveSpecification=before)


async def _put_insights(work: Work) -> None:
    given = work["ContributorInsightsSpecification"] or {}
    enabled = shaping.text(given.get("Enabled", False)).lower() == "true"
    mode = given.get("Mode") if enabled else None
    action = "ENABLE" if enabled else "DISABLE"
    named = {"TableName": work.id, "ContributorInsightsAction": action, "ContributorInsightsMode": mode}
    await work.call("dynamodb", "UpdateContributorInsights", **named)


async def _put_policy(work: Work) -> None:
    policy = work["ResourcePolicy"]["PolicyDocument"]
    await work.call("dynamodb", "PutResourcePolicy", ResourceArn=work.attribute("Arn"), Policy=policy)


async def _delete_policy(work: Work) -> None:
    await work.call_unless_gone("dynamodb", "DeleteResourcePolicy", ResourceArn=work.attribute("Arn"))


async def _tag(work: Work, changed: Any) -> None:
    await work.call("dynamodb", "TagResource", ResourceArn=work.attribute("Arn"), Tags=changed)


async def _untag(work: Work, keys: Any) -> None:
    await work.call("dynamodb", "UntagResource", ResourceArn=work.attribute("Arn"), TagKeys=keys)


class Table(Kind):
    """A table; each change that DynamoDB takes by itself is a request of its own."""

    type = "AWS::DynamoDB::Table"
    properties = (*_CREATED, "SSESpecification", "StreamSpecification", "TableName")
    parts = (
        Setting(("PointInTimeRecoverySpecification",), _put_recovery, _put_recovery),
        Setting(("TimeToLiveSpecification",), _put_time_to_live, _take_time_to_live),
        Setting(("ContributorInsightsSpecification",), _put_insights, _put_insights),
        Setting(("ResourcePolicy",), _put_policy, _delete_policy, on_create=False),
        Tags(_tag, _untag),
    )
    attributes = ("Arn", "StreamArn")

    def replaces(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
        """DynamoDB can't change a table's local indexes."""
        return bool(old.get("LocalSecondaryIndexes") != new.get("LocalSecondaryIndexes"))

    async def make(self, work: Work) -> None:
        """Make the table, and wait until it can be used."""
        name = work.name("TableName", 255)
        policy = work["ResourcePolicy"]
        answer = await work.call(
            "dynamodb",
            "CreateTable",
            TableName=name,
            Tags=work.tags,
            SSESpecification=_encryption(work["SSESpecification"]),
            StreamSpecification=_stream(work["StreamSpecification"]),
            ResourcePolicy=policy["PolicyDocument"] if policy is not None else None,
            **work.given(*_CREATED),
        )
        work.made_as(name, Arn=answer["TableDescription"]["TableArn"])
        _learn(work, await _stand(work))

    async def change(self, work: Work) -> None:
        """Change one thing after another: DynamoDB takes no second one before the first is done."""
        for parameters in _changes(work):
            await work.call("dynamodb", "UpdateTable", TableName=work.id, **parameters)
            _learn(work, await _stand(work))

    async def remove(self, work: Work) -> None:
        """Delete the table, and wait until it is gone."""
        await work.call("dynamodb", "DeleteTable", TableName=work.id)
        for _ in range(_POLLS):
            try:
                await work.call("dynamodb", "DescribeTable", TableName=work.id)
            except RequestFailed as error:
                if is_gone(error):
                    return
                raise
            await asyncio.sleep(_POLL_SECONDS)
        raise RequestFailed("NotStabilized", f"The table {work.id} does not go.", 400, "DescribeTable")


def _learn(work: Work, table: Mapping[str, Any]) -> None:
    work.learn({"StreamArn": table.get("LatestStreamArn", "")})


def _encryption(given: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if given is None:
        return None
    return {"Enabled" if name == "SSEEnabled" else name: value for name, value in given.items()}


def _stream(given: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if given is None:
        return None
    if "ResourcePolicy" in given:
        raise InvalidProperties("iamd does not support the policy of a table's stream yet.")
    return {"StreamEnabled": True, **given}


def _changes(work: Work) -> Sequence[dict[str, Any]]:
    """The parameters of each request that the change takes."""
    found: list[dict[str, Any]] = []
    if work.changes("BillingMode", "ProvisionedThroughput", "OnDemandThroughput"):
        mode = work["BillingMode"] or "PROVISIONED"
        found.append({"BillingMode": mode, **work.given("ProvisionedThroughput", "OnDemandThroughput")})
    if work.changes("StreamSpecification"):
        if work.before("StreamSpecification") is not None:
            found.append({"StreamSpecification": {"StreamEnabled": False}})
        if work["StreamSpecification"] is not None:
            found.append({"StreamSpecification": _stream(work["StreamSpecification"])})
    if work.changes("SSESpecification"):
        found.append({"SSESpecification": _encryption(work["SSESpecification"]) or {"Enabled": False}})
    if work.changes("TableClass"):
        found.append({"TableClass": work["TableClass"] or "STANDARD"})
    if work.changes("DeletionProtectionEnabled"):
        found.append({"DeletionProtectionEnabled": work["DeletionProtectionEnabled"] or False})
    if work.changes("WarmThroughput") and work["WarmThroughput"] is not None:
        found.append(work.given("WarmThroughput"))
    return [*found, *_index_changes(work)]


def _index_changes(work: Work) -> list[dict[str, Any]]:
    old = {one["IndexName"]: one for one in work.before("GlobalSecondaryIndexes") or ()}
    new = {one["IndexName"]: one for one in work.after("GlobalSecondaryIndexes") or ()}
    steps: list[dict[str, Any]] = []
    for name, index in new.items():
        if name not in old:
            steps.append({"Create": index})
        elif old[name] != index:
            steps.append({"Update": _changed_index(old[name], index)})
    steps += [{"Delete": {"IndexName": name}} for name in old if name not in new]
    definitions = work.given("AttributeDefinitions")
    return [{**definitions, "GlobalSecondaryIndexUpdates": [step]} for step in steps]


def _changed_index(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    changeable = ("OnDemandThroughput", "ProvisionedThroughput", "WarmThroughput")
    if any(old.get(name) != new.get(name) for name in {*old, *new} - {*changeable}):
        # AWS: the update of a table's index that is no throughput fails; give the index another name.
        raise InvalidProperties(
            f"The global secondary index {new['IndexName']} can't be changed but for its throughput."
        )
    return {name: value for name, value in new.items() if name == "IndexName" or name in changeable}
