"""Usage plans of REST APIs: how fast and how much a key may ask.

AWS: API Gateway Developer Guide, "Throttle requests to your REST APIs" (api-gateway-request-throttling), "Usage plans
and API keys for REST APIs" (api-gateway-api-usage-plans), "Gateway response types"; CloudFormation Template Reference,
UsagePlan QuotaSettings. Rates here are so small that no token comes back unless the clock is moved.
"""

from datetime import UTC, datetime, timedelta

import pytest
from functions.rest import FORBIDDEN, Rest
from functions.test_rest_validation import YES

SLOWLY = 0.001
SLOW = {"message": "Too Many Requests"}
MUCH = {"message": "Limit Exceeded"}
DAY = 86_400


class Planned:
    """A REST API whose methods ask for keys of plans."""

    def __init__(self, cloud, *stages):
        self.api = Rest(cloud)
        self.client = self.api.client
        for key in ("GET /a", "ANY /b"):
            self.method(key, apiKeyRequired=True)
        self.method("GET /open")
        self.stages = stages or ("dev",)
        for stage in self.stages:
            self.api.deploy(stage)

    def method(self, key, **given):
        self.api.method(key, integration=YES, **given)
        name, _, path = key.partition(" ")
        place = {"restApiId": self.api.id, "resourceId": self.api.resources[path], "httpMethod": name}
        self.client.put_integration_response(**place, statusCode="200")

    def plan(self, stages=None, methods=None, **given):
        named = [
            {"apiId": self.api.id, "stage": stage, **({"throttle": methods} if methods else {})}
            for stage in stages or self.stages
        ]
        return self.client.create_usage_plan(name="plan", apiStages=named, **given)["id"]

    def key(self, plan):
        key = self.client.create_api_key(name="key", enabled=True)
        self.client.create_usage_plan_key(usagePlanId=plan, keyId=key["id"], keyType="API_KEY")
        return key["value"]

    def ask(self, key, path="/dev/a", method="GET"):
        return self.api.ask(path, method, x_api_key=key)

    def statuses(self, key, count, path="/dev/a", method="GET"):
        return [self.ask(key, path, method).status for _ in range(count)]


def throttle(burst, rate=SLOWLY):
    return {"rateLimit": rate, "burstLimit": burst}


def until(moment):
    """The seconds from now to a moment, and a bit."""
    return (moment - datetime.now(UTC)).total_seconds() + 60


def midnights(count):
    """The beginnings of the next days."""
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return [today + timedelta(days=days) for days in range(1, count + 1)]


def test_a_key_asks_no_faster_than_its_plan_lets_it(cloud):
    api = Planned(cloud, "dev", "v1")
    plan = api.plan(throttle=throttle(3))
    one, two = api.key(plan), api.key(plan)
    assert api.statuses(one, 2) + api.statuses(one, 3, "/v1/b", "PUT") == [200, 200, 200, 429, 429]
    told = api.ask(one)
    assert (told.value, told.headers["x-amzn-errortype"]) == (SLOW, "TooManyRequestsException")
    # Each key has its own; what needs no key is not counted, and no other key gets anywhere.
    assert api.statuses(two, 3) == [200, 200, 200]
    assert api.statuses(one, 5, "/dev/open") == [200] * 5
    assert api.ask("other").value == FORBIDDEN
    cloud.advance(2000)
    assert api.statuses(one, 3) == [200, 200, 429]
    cloud.advance(1_000_000)
    assert api.statuses(one, 4) == [200, 200, 200, 429]


def test_a_method_has_limits_of_its_own_before_those_of_the_plan(cloud):
    api = Planned(cloud, "dev", "v1")
    methods = {"/a/GET": throttle(1), "/b/ANY": throttle(1), "/b/PUT": throttle(2)}
    plan = api.plan(methods=methods, throttle=throttle(9))
    key = api.key(plan)
    assert api.statuses(key, 2) == [200, 429]
    assert api.statuses(key, 2, "/v1/a") == [200, 429]
    assert api.statuses(key, 3, "/dev/b", "PUT") == [200, 200, 429]
    assert api.statuses(key, 2, "/dev/b", "POST") == [200, 429]
    # What one of them refuses is not taken from the other: four are left of the plan's nine.
    assert api.statuses(key, 3, "/v1/b", "PUT") == [200, 200, 429]
    assert api.statuses(key, 2, "/v1/b", "POST") == [200, 429]
    api.client.update_usage_plan(
        usagePlanId=plan, patchOperations=[{"op": "remove", "path": f"/apiStages/{api.api.id}:dev/throttle"}]
    )
    assert api.statuses(key, 2) == [200, 429]


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({"throttle": {"rateLimit": 0.0, "burstLimit": 2}}, [200, 200, 429]),
        ({"throttle": {"rateLimit": 5.0, "burstLimit": 0}}, [429, 429, 429]),
        ({"throttle": {"burstLimit": 0}}, [429, 429, 429]),
        ({"throttle": {"rateLimit": 0.0}}, [200, 200, 200]),
        ({"quota": {"limit": 0, "period": "DAY"}}, [429, 429, 429]),
        ({}, [200, 200, 200]),
    ],
)
def test_a_plan_may_have_one_limit_alone(cloud, given, wanted):
    api = Planned(cloud)
    assert api.statuses(api.key(api.plan(**given)), 3) == wanted


def test_a_key_asks_no_more_than_its_quota_in_a_day(cloud):
    api = Planned(cloud, "dev", "v1")
    plan = api.plan(quota={"limit": 2, "period": "DAY"})
    one, two = api.key(plan), api.key(plan)
    cloud.advance(until(midnights(1)[0]))
    assert api.statuses(one, 1) + api.statuses(one, 1, "/v1/b", "PUT") == [200, 200]
    refused = api.ask(one)
    assert (refused.status, refused.value) == (429, MUCH)
    assert refused.headers["x-amzn-errortype"] == "LimitExceededException"
    assert api.statuses(two, 2) == [200, 200]
    cloud.advance(DAY)
    assert api.statuses(one, 3) == [200, 200, 429]
    patches = [{"op": "replace", "path": "/quota/limit", "value": "3"}]
    api.client.update_usage_plan(usagePlanId=plan, patchOperations=patches)
    assert api.statuses(one, 2) == [200, 429]


@pytest.mark.parametrize("offset", range(7))
def test_a_week_begins_on_the_day_that_the_offset_says(cloud, offset):
    """An offset of 0 is Sunday, one of 2 Tuesday."""
    api = Planned(cloud)
    key = api.key(api.plan(quota={"limit": 1, "period": "WEEK", "offset": offset}))
    # From the next day of that name on, which is seven days long.
    cloud.advance(until(next(day for day in midnights(7) if day.isoweekday() % 7 == offset)))
    assert api.statuses(key, 2) == [200, 429]
    cloud.advance(6 * DAY)
    assert api.statuses(key, 1) == [429]
    cloud.advance(DAY)
    assert api.statuses(key, 2) == [200, 429]


@pytest.mark.parametrize("offset", [0, 14, 27])
def test_a_month_begins_on_the_day_that_the_offset_says(cloud, offset):
    api = Planned(cloud)
    key = api.key(api.plan(quota={"limit": 1, "period": "MONTH", "offset": offset}))
    first, second, *_ = [day for day in midnights(95) if day.day == offset + 1]
    cloud.advance(until(first))
    assert api.statuses(key, 2) == [200, 429]
    cloud.advance((second - first).total_seconds() - DAY)
    assert api.statuses(key, 1) == [429]
    cloud.advance(DAY)
    assert api.statuses(key, 2) == [200, 429]


def test_what_is_throttled_is_not_of_the_quota(cloud):
    api = Planned(cloud)
    key = api.key(api.plan(throttle=throttle(1), quota={"limit": 2, "period": "MONTH"}))
    cloud.advance(until(next(day for day in midnights(31) if day.day == 1)))
    assert api.ask(key).status == 200
    assert [api.ask(key).value for _ in range(2)] == [SLOW, SLOW]
    cloud.advance(1500)
    assert api.ask(key).status == 200
    cloud.advance(1500)
    assert api.ask(key).value == MUCH
    # What the quota refuses takes no token.
    assert api.ask(key).value == MUCH


def test_gateway_responses_say_it_as_the_api_has_it(cloud):
    api = Planned(cloud)
    for kind, status in (("THROTTLED", "420"), ("QUOTA_EXCEEDED", "402")):
        api.client.put_gateway_response(restApiId=api.api.id, responseType=kind, statusCode=status)
    api.api.deploy()
    slow = api.key(api.plan(throttle=throttle(0)))
    assert api.ask(slow).status == 420
    assert api.ask(api.key(api.plan(quota={"limit": 0, "period": "WEEK"}))).status == 402


def test_what_a_plan_refuses_is_not_looked_at(cloud):
    """Who asks too often is not told what is wrong with a request."""
    api = Planned(cloud)
    validator = api.client.create_request_validator(restApiId=api.api.id, name="v", validateRequestParameters=True)[
        "id"
    ]
    wanted = {"method.request.querystring.q": True}
    api.method("GET /checked", apiKeyRequired=True, requestValidatorId=validator, requestParameters=wanted)
    api.api.deploy()
    key = api.key(api.plan(throttle=throttle(1)))
    assert api.statuses(key, 2, "/dev/checked") == [400, 429]
