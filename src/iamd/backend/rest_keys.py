"""API keys and usage plans as moto keeps them: what it lets pass of them, and what patches of them change.

AWS: API Gateway Developer Guide, "Usage plans and API keys for REST APIs" (api-gateway-api-usage-plans); API Reference,
"QuotaSettings" and "Patch operations".
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec
from moto.apigateway.exceptions import (
    ApiKeyNotFoundException,
    BadRequestException,
    ConflictException,
    NotFoundException,
    UsagePlanNotFoundException,
)
from moto.apigateway.models import APIGatewayBackend
from moto.apigateway.responses import APIGatewayResponse

from iamd.backend.replacement import always, replace
from iamd.backend.rest_patches import (
    ADD,
    ANY,
    REMOVE,
    REPLACE,
    Row,
    Table,
    integer,
    number,
    of_list,
    one_of,
    operations_of,
    setting,
    truth,
    unescaped,
)
from iamd.backend.verdict import NOT_TAKEN, Refused

_LONGEST: Final = 128
_LAST: Final[Mapping[str, int]] = {"DAY": 0, "WEEK": 6, "MONTH": 27}
"""The last day on which a period may begin (CloudFormation Template Reference, UsagePlan QuotaSettings, `Offset`)."""


def install() -> None:
    """Have keys and plans be what they are asked to be, or be refused."""
    replace(APIGatewayBackend, "create_api_key", _key_made)
    replace(APIGatewayBackend, "delete_api_key", _key_deleted)
    replace(APIGatewayResponse, "update_api_key", always(_update_key))
    replace(APIGatewayBackend, "create_usage_plan", _plan_made)
    replace(APIGatewayBackend, "delete_usage_plan", always(_delete_plan))
    replace(APIGatewayResponse, "update_usage_plan", always(_update_plan))
    replace(APIGatewayBackend, "create_usage_plan_key", _added)
    replace(APIGatewayBackend, "get_usage_plan_keys", _of_plan)
    replace(APIGatewayBackend, "delete_usage_plan_key", always(_take))


# API keys.


def _key_made(original: Callable[..., Any]) -> Callable[..., Any]:
    """Make a key, which tells the stages that it is said to be for."""

    def made(backend: Any, payload: dict[str, Any]) -> Any:
        stages = [f"{one.get('restApiId')}/{one.get('stageName')}" for one in payload.get("stageKeys") or ()]
        _check_keyed(backend, stages)
        if len(payload.get("value") or "") > _LONGEST:
            raise BadRequestException("API Key value should be at most 128 characters")
        return original(backend, {**payload, "stageKeys": stages})

    return made


def _check_keyed(backend: Any, stages: Sequence[str]) -> None:
    for one in stages:
        api_id, _, stage = one.partition("/")
        if api_id not in backend.apis or stage not in backend.apis[api_id].stages:
            raise BadRequestException("Invalid stage identifier specified")


def _key_deleted(original: Callable[..., Any]) -> Callable[..., Any]:
    def deleted(backend: Any, api_key_id: str) -> Any:
        answer = original(backend, api_key_id)
        for keys in backend.usage_plan_keys.values():
            keys.pop(api_key_id, None)
        return answer

    return deleted


def _not_taken(_: Any, __: str, ___: Sequence[str], ____: str) -> None:
    raise Refused(NOT_TAKEN, "labels of API keys")


_KEYS: Final = Table(
    Row("/customerId", [REPLACE], setting("customer_id")),
    Row("/description", [REPLACE], setting("description")),
    Row("/enabled", [REPLACE], setting("enabled", truth)),
    Row("/labels", [ADD, REMOVE], _not_taken),
    Row("/name", [REPLACE], setting("name")),
    Row("/stages", [ADD, REMOVE], of_list("stage_keys")),
)


def _update_key(response: Any) -> str:
    key = response.backend.get_api_key(response.path.split("/")[2])
    known = key.stage_keys

    def check(changed: Any) -> None:
        _check_keyed(response.backend, [one for one in changed.stage_keys if one not in known])

    _KEYS.apply(key, operations_of(response), check)
    key.last_updated_date = int(time.time())
    for keys in response.backend.usage_plan_keys.values():
        if key.id in keys:
            keys[key.id].name = key.name
    return json.dumps(key.to_json())


# Usage plans.


def _plan_made(original: Callable[..., Any]) -> Callable[..., Any]:
    """Make a plan of stages that there are, with limits that are some."""

    def made(backend: Any, payload: dict[str, Any]) -> Any:
        for one in payload.get("apiStages") or ():
            if not one.get("apiId") or not one.get("stage"):
                # AWS: its words, as clients report them (aws/aws-sdk 354), with what it means by them.
                told = f"{{api: {one.get('apiId')}, stage: {one.get('stage')}}}"
                raise BadRequestException(f"Invalid API Stage {told} specified for usageplan {payload.get('name')}")
            one["throttle"] = {_method(name): limits for name, limits in (one.get("throttle") or {}).items()}
        stages = payload.get("apiStages") or []
        _check_stages(backend, stages)
        _check_throttles(payload.get("throttle"), stages)
        _check_quota(payload.get("quota"))
        plan = original(backend, payload)
        plan.api_stages = [_stage(one) for one in stages]
        return plan

    return made


def _stage(one: Mapping[str, Any]) -> dict[str, Any]:
    throttle = {"throttle": one["throttle"]} if one.get("throttle") else {}
    return {"apiId": one["apiId"], "stage": one["stage"], **throttle}


def _method(name: str) -> str:
    """What a method is called whose throttle is set: its path and its name, `/pets/GET`; of the root `//GET`."""
    plain = unescaped(name)
    return plain if plain.startswith("/") else f"/{plain}"


def _check_stages(backend: Any, stages: Sequence[Mapping[str, Any]]) -> None:
    named = [(one["apiId"], one["stage"]) for one in stages]
    for api_id, stage in named:
        api = backend.apis.get(api_id)
        if api is None or stage not in api.stages:
            # AWS: its words, as clients report them (boto/boto3 825).
            raise NotFoundException(f"API Stage not found: {api_id}:{stage}")
        if named.count((api_id, stage)) > 1:
            raise ConflictException(f"API Stage is in the usage plan already: {api_id}:{stage}")


def _check_throttles(throttle: Mapping[str, Any] | None, stages: Sequence[Mapping[str, Any]]) -> None:
    for limits in (throttle, *(one for stage in stages for one in (stage.get("throttle") or {}).values())):
        for name, value in (limits or {}).items():
            if not isinstance(value, int | float) or value < 0:
                raise BadRequestException(f"Usage Plan throttle {name} must be a number that is not negative")


def _check_quota(quota: Mapping[str, Any] | None) -> None:
    if not quota:
        return
    period, limit, offset = str(quota.get("period")), quota.get("limit"), quota.get("offset") or 0
    if period not in _LAST:
        raise BadRequestException("Usage Plan quota period must be one of: [DAY, WEEK, MONTH]")
    if not isinstance(limit, int) or limit < 0:
        raise BadRequestException("Usage Plan quota limit must be a number that is not negative")
    last = _LAST[period]
    if not 0 <= offset <= last:
        # AWS: its words, as clients have them.
        words = f"must be between 0 and {last} inclusive" if last else "must be zero"
        raise BadRequestException(f"Usage Plan quota offset {words} in the {period} period")


def _delete_plan(backend: Any, usage_plan_id: str) -> None:
    plan = backend.get_usage_plan(usage_plan_id)
    for one in plan.api_stages:
        # AWS: its words, as clients report them (aws/aws-sdk-js 3841).
        raise BadRequestException(
            f"Cannot delete Usage Plan {usage_plan_id} because there are API Stages associated with it, including "
            f"{one['apiId']}:{one['stage']}"
        )
    backend.usage_plans.pop(usage_plan_id)
    backend.usage_plan_keys.pop(usage_plan_id, None)


def _member(attribute: str, name: str, read: Callable[[str], Any]) -> Callable[..., None]:
    def change(plan: Any, _: str, __: Sequence[str], value: str) -> None:
        setattr(plan, attribute, {**getattr(plan, attribute), name: read(value)})

    return change


def _cleared(attribute: str) -> Callable[..., None]:
    return lambda plan, _, __, ___: setattr(plan, attribute, {})


def _change_stages(plan: Any, kind: str, _: Sequence[str], value: str) -> None:
    """AWS: the value is `apiId:stage`."""
    api_id, _, stage = value.partition(":")
    if not api_id or not stage:
        raise BadRequestException("Invalid API Stage specified")
    others = [one for one in plan.api_stages if (one["apiId"], one["stage"]) != (api_id, stage)]
    if kind == REMOVE and len(others) == len(plan.api_stages):
        raise NotFoundException(f"API Stage not found: {value}")
    # What is there already is refused by the check of them all.
    plan.api_stages = others if kind == REMOVE else [*plan.api_stages, {"apiId": api_id, "stage": stage}]


def _with_throttle(plan: Any, stage: str, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    if stage not in {f"{one['apiId']}:{one['stage']}" for one in plan.api_stages}:
        raise NotFoundException(f"API Stage not found: {stage}")
    plan.api_stages = [
        _stage({**one, "throttle": change(one.get("throttle") or {})})
        if f"{one['apiId']}:{one['stage']}" == stage
        else one
        for one in plan.api_stages
    ]


def _change_throttles(plan: Any, kind: str, names: Sequence[str], value: str) -> None:
    """AWS: all of a stage's, as JSON (Developer Guide, api-gateway-create-usage-plans-with-rest-api)."""
    try:
        # The page's example is a text of JSON within one.
        found = msgspec.json.decode(value) if kind != REMOVE else {}
        found = msgspec.json.decode(found) if isinstance(found, str) else found
        told = msgspec.convert(found, dict[str, dict[str, float]])
    except (msgspec.DecodeError, msgspec.ValidationError):
        raise BadRequestException("Invalid throttle settings specified") from None
    limits = {_method(name): _limits(one) for name, one in told.items()}
    _with_throttle(plan, names[0], lambda known: {**known, **limits} if kind == ADD else limits)


def _limits(given: Mapping[str, float]) -> dict[str, float]:
    if not given.keys() <= {"burstLimit", "rateLimit"} or given.get("burstLimit", 0) % 1:
        raise BadRequestException("Invalid throttle settings specified")
    return {name: int(value) if name == "burstLimit" else value for name, value in given.items()}


def _change_limit(name: str, read: Callable[[str], Any]) -> Callable[..., None]:
    def change(plan: Any, _: str, names: Sequence[str], value: str) -> None:
        method, limit = _method(names[1]), read(value)
        _with_throttle(plan, names[0], lambda known: {**known, method: {**known.get(method, {}), name: limit}})

    return change


def _drop_limits(plan: Any, _: str, names: Sequence[str], __: str) -> None:
    method = _method(names[1])
    _with_throttle(plan, names[0], lambda known: {name: one for name, one in known.items() if name != method})


_SET: Final = (ADD, REPLACE)
_THROTTLE: Final = "/apiStages/{}/throttle"
_PLANS: Final = Table(
    Row("/apiStages", [ADD, REMOVE], _change_stages),
    Row(f"{_THROTTLE}/{{+}}/burstLimit", _SET, _change_limit("burstLimit", integer)),
    Row(f"{_THROTTLE}/{{+}}/rateLimit", _SET, _change_limit("rateLimit", number)),
    Row(f"{_THROTTLE}/{{+}}", [REMOVE], _drop_limits),
    Row(_THROTTLE, ANY, _change_throttles),
    Row("/description", [REPLACE], setting("description")),
    Row("/name", [REPLACE], setting("name")),
    Row("/productCode", ANY, setting("product_code")),
    Row("/quota", [REMOVE], _cleared("quota")),
    Row("/quota/limit", _SET, _member("quota", "limit", integer)),
    Row("/quota/offset", _SET, _member("quota", "offset", integer)),
    Row("/quota/period", _SET, _member("quota", "period", one_of(*_LAST))),
    Row("/throttle", [REMOVE], _cleared("throttle")),
    Row("/throttle/burstLimit", _SET, _member("throttle", "burstLimit", integer)),
    Row("/throttle/rateLimit", _SET, _member("throttle", "rateLimit", number)),
)


def _update_plan(response: Any) -> str:
    backend = response.backend
    plan = backend.get_usage_plan(response.path.split("/")[2])
    known = [(one["apiId"], one["stage"]) for one in plan.api_stages]

    def check(changed: Any) -> None:
        # A stage that has gone since stays until it is taken away.
        _check_stages(backend, [one for one in changed.api_stages if (one["apiId"], one["stage"]) not in known])
        pairs = [(one["apiId"], one["stage"]) for one in changed.api_stages]
        if len(set(pairs)) < len(pairs):
            raise ConflictException("API Stage is in the usage plan already")
        _check_quota(changed.quota)
        for key_id in backend.usage_plan_keys.get(plan.id, {}):
            _check_alone(backend, changed, key_id)

    _PLANS.apply(plan, operations_of(response), check)
    return json.dumps(plan.to_json())


# Keys of usage plans.


def _check_alone(backend: Any, plan: Any, key_id: str) -> None:
    """AWS: "a given API key can only be associated with one usage plan for each stage"."""
    pairs = {(one["apiId"], one["stage"]) for one in plan.api_stages}
    for other in _plans_of(backend, key_id):
        for one in other.api_stages:
            if other.id != plan.id and (one["apiId"], one["stage"]) in pairs:
                raise ConflictException(
                    f"Usage Plan {plan.id} cannot be added because API Key {key_id} cannot reference multiple Usage "
                    f"Plans with the same API stage: {one['apiId']}:{one['stage']}"
                )


def _plans_of(backend: Any, key_id: str) -> Iterator[Any]:
    for plan in list(backend.usage_plans.values()):
        if key_id in backend.usage_plan_keys.get(plan.id, {}):
            yield plan


def _added(original: Callable[..., Any]) -> Callable[..., Any]:
    """Add a key to a plan that there is, once."""

    def added(backend: Any, usage_plan_id: str, payload: dict[str, Any]) -> Any:
        plan, key_id = backend.get_usage_plan(usage_plan_id), payload.get("keyId") or ""
        if payload.get("keyType") != "API_KEY":
            raise BadRequestException(f"Invalid key type specified: {payload.get('keyType')}")
        if key_id not in backend.keys:
            raise ApiKeyNotFoundException
        if key_id in backend.usage_plan_keys.get(usage_plan_id, {}):
            raise ConflictException("The API Key is in the Usage Plan already")
        _check_alone(backend, plan, key_id)
        return original(backend, usage_plan_id, payload)

    return added


def _of_plan(original: Callable[..., Any]) -> Callable[..., Any]:
    def keys(backend: Any, usage_plan_id: str, name: str | None = None) -> Any:
        backend.get_usage_plan(usage_plan_id)
        return original(backend, usage_plan_id, name)

    return keys


def _take(backend: Any, usage_plan_id: str, key_id: str) -> None:
    backend.get_usage_plan(usage_plan_id)
    if backend.usage_plan_keys.get(usage_plan_id, {}).pop(key_id, None) is None:
        raise UsagePlanNotFoundException
