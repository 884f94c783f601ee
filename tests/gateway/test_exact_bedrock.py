"""What control calls to Amazon Bedrock are decided on: models, jobs and guardrails, by ARN, id and name; all models named.

AWS: Service Authorization Reference, list_amazonbedrock; Bedrock API Reference.
"""

import json

import pytest
from gateway.condition_keys import Caller, Key, check, refused
from gateway.counting import answer
from gateway.parameters import BEDROCK, REGION, ROLE, TITAN
from gateway.two_accounts import policy, to
from running import ACCOUNT, allow, deny

CUSTOM = f"{BEDROCK}:custom-model/amazon.titan-text-express-v1:0:8k/abcdefghijkl"
JOB = f"{BEDROCK}:model-customization-job/amazon.titan-text-express-v1:0:8k/abcdefghijkl"
PROFILE = f"{BEDROCK}:inference-profile/us.amazon.titan-v1:0"
GUARDRAIL = f"{BEDROCK}:guardrail/abc"
TAGS = [{"key": "team", "value": "blue"}]
CUSTOMIZE = {
    "jobName": "job", "customModelName": "mine", "roleArn": ROLE, "baseModelIdentifier": TITAN,
    "trainingDataConfig": {"s3Uri": "s3://b/t"}, "outputDataConfig": {"s3Uri": "s3://b/o"},
}  # fmt: skip
WORDS = {"name": "g", "blockedInputMessaging": "no", "blockedOutputsMessaging": "no"}
PASS = ("iam:PassRole", ROLE)


def on(resource, *actions):
    return [(f"bedrock:{action}", resource) for action in actions]


def evaluation(*models):
    return {
        "jobName": "job", "roleArn": ROLE, "outputDataConfig": {"s3Uri": "s3://b/o"},
        "evaluationConfig": {"automated": {
            "datasetMetricConfigs": [{"taskType": "Summarization", "dataset": {"name": "d"}, "metricNames": ["m"]}],
            "evaluatorModelConfig": {"bedrockEvaluatorModels": [{"modelIdentifier": models[0]}]},
        }},
        "inferenceConfig": {"models": [{"bedrockModel": {"modelIdentifier": model}} for model in models[1:]]},
    }  # fmt: skip


CASES = [
    ("GetFoundationModel", {"modelIdentifier": "amazon.titan-text-express-v1"}, on(TITAN, "GetFoundationModel")),
    ("GetFoundationModel", {"modelIdentifier": TITAN}, on(TITAN, "GetFoundationModel")),
    ("DeleteCustomModel", {"modelIdentifier": CUSTOM}, on(CUSTOM, "DeleteCustomModel")),
    ("GetGuardrail", {"guardrailIdentifier": "abc"}, on(GUARDRAIL, "GetGuardrail")),
    ("GetGuardrail", {"guardrailIdentifier": GUARDRAIL}, on(GUARDRAIL, "GetGuardrail")),
    ("ListGuardrails", {}, on("*", "ListGuardrails")),
    ("CreateGuardrail", WORDS, on("*", "CreateGuardrail")),
    (
        "UpdateGuardrail",
        {**WORDS, "guardrailIdentifier": "abc", "crossRegionConfig": {"guardrailProfileIdentifier": "us.guardrail.v1:0"}},
        [*on(GUARDRAIL, "UpdateGuardrail"), *on(f"{BEDROCK}:guardrail-profile/us.guardrail.v1:0", "UpdateGuardrail")],
    ),
    ("StopModelInvocationJob", {"jobIdentifier": "abcdefghijkl"},
     on(f"{BEDROCK}:model-invocation-job/abcdefghijkl", "StopModelInvocationJob")),
    (
        "CreateModelCustomizationJob",
        {**CUSTOMIZE, "jobTags": TAGS},
        [
            *on(TITAN, "CreateModelCustomizationJob"),
            *on(f"{BEDROCK}:custom-model/*", "CreateModelCustomizationJob"),
            *on(f"{BEDROCK}:model-customization-job/*", "TagResource"),
            PASS,
        ],
    ),
    (
        "CreateEvaluationJob",
        evaluation(TITAN, CUSTOM, TITAN),
        [*on(TITAN, "CreateEvaluationJob"), *on(CUSTOM, "CreateEvaluationJob"), PASS],
    ),
    (
        "CreateInferenceProfile",
        {"inferenceProfileName": "p", "modelSource": {"copyFrom": PROFILE}},
        [
            *on(PROFILE, "CreateInferenceProfile"),
            *on(f"{BEDROCK}:application-inference-profile/*", "CreateInferenceProfile"),
        ],
    ),
    (
        "BatchDeleteEvaluationJob",
        {"jobIdentifiers": [f"{BEDROCK}:evaluation-job/abcdefghijkl", "mnopqrstuvwx"]},
        [("bedrock:BatchDeleteEvaluationJob", f"{BEDROCK}:evaluation-job/{one}") for one in ("abcdefghijkl", "mnopqrstuvwx")],
    ),
    ("ListTagsForResource", {"resourceARN": GUARDRAIL}, on(GUARDRAIL, "ListTagsForResource")),
]  # fmt: skip


@pytest.mark.parametrize(("name", "given", "wanted"), CASES)
def test_each_request_is_decided_on_what_it_touches(counted, name, given, wanted):
    told = counted.call("bedrock", name, given)
    assert told.asked == wanted
    assert told.sent > 0


def says(counted, *told):
    """Let the backend say this, one after the other."""
    counted.backend.answers = [answer(json.dumps(one).encode()) for one in told]


BY_NAME = [
    ("GetModelCustomizationJob", {"jobIdentifier": "mine"}, {"jobArn": JOB}, JOB),
    ("StopModelCustomizationJob", {"jobIdentifier": "mine"}, {"jobArn": JOB}, JOB),
    ("DeleteCustomModel", {"modelIdentifier": "mine"}, {"modelArn": CUSTOM}, CUSTOM),
    ("GetInferenceProfile", {"inferenceProfileIdentifier": "us.amazon.titan-v1:0"}, {"inferenceProfileArn": PROFILE}, PROFILE),
    ("CreateProvisionedModelThroughput", {"modelUnits": 1, "provisionedModelName": "p", "modelId": "mine"},
     {"modelArn": CUSTOM}, CUSTOM),
]  # fmt: skip


@pytest.mark.parametrize(("name", "given", "told", "wanted"), BY_NAME)
def test_the_arn_of_a_name_is_asked_of_the_backend(counted, name, given, told, wanted):
    before = len(counted.backend.raw.heads)
    says(counted, told)
    assert counted.call("bedrock", name, given).asked == on(wanted, name)
    assert len(counted.backend.raw.heads) == before + 2
    assert counted.backend.raw.heads[before].startswith(b"GET /")


@pytest.mark.parametrize("told", [{}, {"modelArn": GUARDRAIL}, {"modelArn": f"{BEDROCK}:custom-model/*"}])
def test_where_the_backend_does_not_tell_the_request_is_refused(counted, told):
    before = len(counted.backend.raw.heads)
    says(counted, told)
    refusal = counted.call("bedrock", "DeleteCustomModel", {"modelIdentifier": "mine"})
    assert refusal.status in {400, 403}
    assert len(counted.backend.raw.heads) == before + 1


def test_a_custom_model_is_not_reached_by_its_name(counted):
    caller = Caller.new(counted, "bedrock-name")
    caller.may(allow("bedrock:*"), deny("bedrock:*", CUSTOM))
    says(counted, {"modelArn": CUSTOM})
    told = caller.call("bedrock", "DeleteCustomModel", {"modelIdentifier": "mine"})
    assert (told.status, told.code, told.asked) == (403, "AccessDeniedException", on(CUSTOM, "DeleteCustomModel"))


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("DeleteCustomModel", {"modelIdentifier": f"{BEDROCK}:custom-model/*"}),
        ("DeleteCustomModel", {"modelIdentifier": TITAN}),
        ("DeleteCustomModel", {"modelIdentifier": CUSTOM.replace(REGION, "eu-west-1")}),
        ("GetFoundationModel", {"modelIdentifier": TITAN.replace("::", f":{ACCOUNT}:")}),
        ("GetGuardrail", {"guardrailIdentifier": "abc*"}),
        ("CreateEvaluationJob", evaluation(TITAN, "mine")),
        ("ListTagsForResource", {"resourceARN": GUARDRAIL.replace(":bedrock:", ":lambda:")}),
    ],
)
def test_what_names_nothing_of_bedrocks_is_refused(counted, name, given):
    told = counted.call("bedrock", name, given)
    assert (told.status, told.code, told.sent) == (400, "ValidationException", 0)


def test_each_model_of_an_evaluation_must_be_allowed(counted):
    caller = Caller.new(counted, "bedrock-models")
    caller.may(allow("bedrock:CreateEvaluationJob", TITAN), allow("iam:PassRole"))
    assert caller.call("bedrock", "CreateEvaluationJob", evaluation(TITAN, TITAN)).sent > 0
    told = caller.call("bedrock", "CreateEvaluationJob", evaluation(TITAN, CUSTOM))
    refused(told, "no identity-based policy allows")


def test_the_role_of_a_job_is_handed_over(counted):
    told = counted.call("bedrock", "CreateModelCustomizationJob", CUSTOMIZE)
    assert told.context("iam:PassRole")["iam:passedtoservice"] == "bedrock.amazonaws.com"
    caller = Caller.new(counted, "bedrock-no-roles")
    caller.may(allow("bedrock:*"))
    refused(caller.call("bedrock", "CreateModelCustomizationJob", CUSTOMIZE), "no identity-based policy allows")


KEYS = [
    Key("bedrock:DataRetentionMode", "none", "bedrock:PutAccountDataRetention", "PutAccountDataRetention",
        {"mode": "none"}, {"mode": "default"}),
    Key("aws:RequestTag/team", "blue", "bedrock:CreateCustomModel", "CreateCustomModel",
        {"modelName": "m", "modelTags": TAGS}, {"modelName": "m"}),
]  # fmt: skip


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_a_key_has_its_value_and_decides(counted, key):
    check(Caller.new(counted, f"bedrock-{key.operation}"), "bedrock", key)


def test_a_guardrails_policy_lets_in_until_it_is_deleted(counted):
    named = {"AWS": f"arn:aws:iam::{ACCOUNT}:user/bedrock-guarded"}
    caller = Caller.new(counted, "bedrock-guarded")
    read = {"guardrailIdentifier": GUARDRAIL}
    refused(caller.call("bedrock", "GetGuardrail", read), "no identity-based policy allows")
    text = policy(to(named, allow("bedrock:GetGuardrail", GUARDRAIL)))
    counted.call("bedrock", "PutResourcePolicy", {"resourceArn": GUARDRAIL, "resourcePolicy": text})
    assert caller.call("bedrock", "GetGuardrail", read).sent > 0
    counted.call("bedrock", "DeleteResourcePolicy", {"resourceArn": GUARDRAIL})
    refused(caller.call("bedrock", "GetGuardrail", read), "no identity-based policy allows")
