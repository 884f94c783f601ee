"""AWS::ApiGateway::ApiKey, UsagePlan and UsagePlanKey: who may use stages of REST APIs, and how much."""

from collections.abc import Mapping
from typing import Any

from iamd.stacks import shaping
from iamd.stacks.kinds import Kind, Work
from iamd.stacks.types.apigateway import SERVICE, patch, tags

# AWS: API Gateway API Reference, "Patch operations" of an ApiKey.
_OF_KEYS: Mapping[str, str] = {
    "CustomerId": "/customerId",
    "Description": "/description",
    "Enabled": "/enabled",
}


class ApiKey(Kind):
    """A key that usage plans are for."""

    type = "AWS::ApiGateway::ApiKey"
    properties = ("GenerateDistinctId", "Name", "StageKeys", "Value", *_OF_KEYS)
    parts = (tags("apikeys/{}"),)
    attributes = ("APIKeyId",)

    async def make(self, work: Work) -> None:
        """Make the key."""
        given = work.given("GenerateDistinctId", "StageKeys", "Value", *_OF_KEYS)
        answer = await work.call(SERVICE, "CreateApiKey", name=work.name("Name", 1024), tags=work.tags, **given)
        work.made_as(answer["id"], APIKeyId=answer["id"])

    async def change(self, work: Work) -> None:
        """Set what has changed; a key that is not enabled any more by its template is not."""
        defaults = {"Enabled": False}
        steps = [
            patch(path, defaults.get(name) if work[name] is None else work[name])
            for name, path in _OF_KEYS.items()
            if work.changes(name)
        ]
        old, new = _keyed(work.before("StageKeys")), _keyed(work.after("StageKeys"))
        steps += [_step("remove", "/stages", name) for name in old if name not in new]
        steps += [_step("add", "/stages", name) for name in new if name not in old]
        if steps:
            await work.call(SERVICE, "UpdateApiKey", apiKey=work.id, patchOperations=steps)

    async def remove(self, work: Work) -> None:
        """Delete the key."""
        await work.call(SERVICE, "DeleteApiKey", apiKey=work.id)


def _keyed(given: Any) -> list[str]:
    """The stages that a key is said to be for, as patches name them."""
    return [f"{one.get('RestApiId')}/{one.get('StageName')}" for one in given or ()]


class UsagePlan(Kind):
    """A plan: stages of APIs, and what each of its keys may ask of them."""

    type = "AWS::ApiGateway::UsagePlan"
    properties = ("ApiStages", "Description", "Quota", "Throttle", "UsagePlanName")
    parts = (tags("usageplans/{}"),)
    attributes = ("Id",)

    async def make(self, work: Work) -> None:
        """Make the plan."""
        given = work.given("ApiStages", "Description", "Quota", "Throttle")
        name = work.name("UsagePlanName", 1024)
        answer = await work.call(SERVICE, "CreateUsagePlan", name=name, tags=work.tags, **given)
        work.made_as(answer["id"], Id=answer["id"])

    async def change(self, work: Work) -> None:
        """Set what has changed."""
        steps = [*_of_stages(work), *_of_limits(work, "Quota"), *_of_limits(work, "Throttle")]
        if work.changes("Description"):
            steps.append(patch("/description", work["Description"]))
        if work.changes("UsagePlanName"):
            steps.append(patch("/name", work.name("UsagePlanName", 1024)))
        if steps:
            await work.call(SERVICE, "UpdateUsagePlan", usagePlanId=work.id, patchOperations=steps)

    async def remove(self, work: Work) -> None:
        """Delete the plan; AWS: it must have no stages any more."""
        answer = await work.call(SERVICE, "GetUsagePlan", usagePlanId=work.id)
        steps = [_step("remove", "/apiStages", f"{one['apiId']}:{one['stage']}") for one in answer.get("apiStages", ())]
        if steps:
            await work.call(SERVICE, "UpdateUsagePlan", usagePlanId=work.id, patchOperations=steps)
        await work.call(SERVICE, "DeleteUsagePlan", usagePlanId=work.id)


def _step(kind: str, path: str, value: str) -> dict[str, str]:
    return {"op": kind, "path": path, "value": value}


def _of_stages(work: Work) -> list[dict[str, str]]:
    """The steps from the stages of a plan to those that it is to have, each with the throttles of its methods."""
    old, new = _stages(work.before("ApiStages")), _stages(work.after("ApiStages"))
    steps = [_step("remove", "/apiStages", name) for name in old if name not in new]
    steps += [_step("add", "/apiStages", name) for name in new if name not in old]
    for name, throttle in new.items():
        if throttle != old.get(name, {}):
            steps.append(_step("replace", f"/apiStages/{name}/throttle", shaping.text(throttle)))
    return steps


def _stages(given: Any) -> dict[str, dict[str, dict[str, Any]]]:
    """The stages of a plan as patches name them, each with the throttles of its methods as the service has them."""
    found = {}
    for one in given or ():
        throttle = shaping.parameters(SERVICE, "CreateUsagePlan", {"apiStages": [one]})["apiStages"][0].get("throttle")
        found[f"{one.get('ApiId', '')}:{one.get('Stage', '')}"] = throttle or {}
    return found


def _of_limits(work: Work, name: str) -> list[dict[str, str]]:
    """The steps from the limits of a plan to those that it is to have."""
    if not work.changes(name):
        return []
    place, given = f"/{name.lower()}", work.after(name) or {}
    values = [_step("add", f"{place}/{one[0].lower()}{one[1:]}", shaping.text(value)) for one, value in given.items()]
    return [_step("remove", place, ""), *values] if work.before(name) else values


class UsagePlanKey(Kind):
    """A key of a plan."""

    type = "AWS::ApiGateway::UsagePlanKey"
    properties = ("KeyId", "KeyType", "UsagePlanId")
    attributes = ("Id",)

    async def make(self, work: Work) -> None:
        """Add the key to the plan."""
        await work.call(SERVICE, "CreateUsagePlanKey", **work.given(*self.properties))
        # AWS: Template Reference, "Return values".
        physical_id = f"{shaping.text(work['KeyId'])}:{shaping.text(work['UsagePlanId'])}"
        work.made_as(physical_id, Id=physical_id)

    async def remove(self, work: Work) -> None:
        """Take the key out of the plan."""
        await work.call(SERVICE, "DeleteUsagePlanKey", **work.given("KeyId", "UsagePlanId"))
