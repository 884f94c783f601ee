"""AWS::Events::Rule."""

from typing import Any

from iamd.stacks.client import RequestFailed
from iamd.stacks.kinds import Items, Kind, Tags, Work

_GIVEN = ("Description", "EventPattern", "RoleArn", "ScheduleExpression", "State")


def _rule(work: Work) -> dict[str, Any]:
    """How the operations on a rule's targets name it."""
    name = str(work.attribute("Arn")).rpartition("/")[2]
    return {"Rule": name, **work.given("EventBusName")}


async def _put_target(work: Work, target: Any) -> None:
    answer = await work.call("events", "PutTargets", Targets=[target], **_rule(work))
    _check(answer, "PutTargets")


async def _remove_target(work: Work, target: Any) -> None:
    await work.call_unless_gone("events", "RemoveTargets", Ids=[target["Id"]], **_rule(work))


def _check(answer: Any, operation: str) -> None:
    """Such an operation answers well also when it has failed for an entry."""
    for failed in answer.get("FailedEntries") or ():
        code, words = str(failed.get("ErrorCode")), str(failed.get("ErrorMessage"))
        raise RequestFailed(code, words, 400, operation)


async def _tag(work: Work, changed: Any) -> None:
    await work.call("events", "TagResource", ResourceARN=work.attribute("Arn"), Tags=changed)


async def _untag(work: Work, keys: Any) -> None:
    await work.call("events", "UntagResource", ResourceARN=work.attribute("Arn"), TagKeys=keys)


class Rule(Kind):
    """A rule with its targets."""

    type = "AWS::Events::Rule"
    properties = ("EventBusName", "Name", *_GIVEN)
    parts = (Items("Targets", _put_target, _remove_target, key=lambda target: str(target["Id"])), Tags(_tag, _untag))
    attributes = ("Arn",)

    async def make(self, work: Work) -> None:
        """Make the rule."""
        name = work.name("Name", 64)
        given = work.given("EventBusName", *_GIVEN)
        answer = await work.call("events", "PutRule", Name=name, Tags=work.tags, **given)
        bus = work["EventBusName"]
        # AWS: AWS::Events::Rule: Ref of a rule of another bus than the default one is `bus|rule`.
        work.made_as(name if bus in {None, "default"} else f"{bus}|{name}", Arn=answer["RuleArn"])

    async def change(self, work: Work) -> None:
        """Put the rule anew, with all that it is to have."""
        if work.changes(*_GIVEN):
            named = _rule(work)
            name = named.pop("Rule")
            await work.call("events", "PutRule", Name=name, **named, **work.given(*_GIVEN))

    async def remove(self, work: Work) -> None:
        """Delete the rule."""
        named = _rule(work)
        await work.call("events", "DeleteRule", Name=named.pop("Rule"), **named)
