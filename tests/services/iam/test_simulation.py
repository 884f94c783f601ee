"""The results of the policy simulator: what it says of a request, and why."""

import json

import pytest
from running import ACCOUNT, allow, deny
from services.iam.simulating import ANN, BUCKET, GET, KEY, LOCKED, document, ids


def test_on_all_resources(simulate):
    found = simulate([document(allow("s3:*"))])
    assert found == {
        "EvalActionName": GET,
        "EvalResourceName": "*",
        "EvalDecision": "allowed",
        "MatchedStatements": [
            {
                "SourcePolicyId": "PolicyInputList.1",
                "SourcePolicyType": "IAM Policy",
                "StartPosition": {"Line": 1, "Column": 41},
                "EndPosition": {"Line": 1, "Column": 95},
            }
        ],
        "MissingContextValues": [],
    }
    assert simulate([document(allow("s3:*"))], ResourceArns=["*"]) == found
    assert simulate([document(allow("s3:*", KEY))])["EvalDecision"] == "implicitDeny"
    assert simulate([document(allow("s3:*"), deny("s3:Get*"))])["EvalDecision"] == "explicitDeny"


def test_positions_are_lines_and_columns_of_the_text(simulate):
    text = (
        '{\n  "Version": "2012-10-17",\n  "Statement": {\n    "Effect": "Allow", "Action": "*", "Resource": "*"\n  }\n}'
    )
    [statement] = simulate([text])["MatchedStatements"]
    assert statement["StartPosition"] == {"Line": 3, "Column": 17}
    assert statement["EndPosition"] == {"Line": 5, "Column": 4}


def test_on_one_resource(simulate):
    found = simulate([document(allow("s3:*", f"{BUCKET}/*"))], ResourceArns=[KEY])
    assert (found["EvalResourceName"], found["EvalDecision"], found["EvalDecisionDetails"]) == (KEY, "allowed", {})
    assert found["ResourceSpecificResults"] == [
        {
            "EvalResourceName": KEY,
            "EvalResourceDecision": "allowed",
            "MatchedStatements": found["MatchedStatements"],
        }
    ]


def test_of_several_resources_the_most_restrictive_counts(simulate):
    policies = [document(allow("s3:*", f"{BUCKET}/*")), document(deny("s3:*", LOCKED))]
    found = simulate(policies, ResourceArns=[KEY, LOCKED, "arn:aws:s3:::other/k", KEY])
    assert (found["EvalResourceName"], found["EvalDecision"]) == (
        "arn:aws:s3:::${BucketName}/${KeyName}",
        "explicitDeny",
    )
    assert ids(found) == ["PolicyInputList.1", "PolicyInputList.2"]
    assert [one["EvalResourceDecision"] for one in found["ResourceSpecificResults"]] == [
        "allowed",
        "explicitDeny",
        "implicitDeny",
        "allowed",
    ]
    assert [ids(one) for one in found["ResourceSpecificResults"]] == [
        ["PolicyInputList.1"],
        ["PolicyInputList.2"],
        [],
        ["PolicyInputList.1"],
    ]
    found = simulate([document(allow("s3:*", KEY))], ResourceArns=[KEY, LOCKED])
    assert (found["EvalDecision"], ids(found)) == ("implicitDeny", ["PolicyInputList.1"])


def test_every_statement_that_allows_or_else_every_one_that_denies_is_told(simulate):
    policies = [document(allow("s3:*"), allow("s3:Get*"), allow("sqs:*")), document(allow("*"))]
    assert ids(simulate(policies)) == ["PolicyInputList.1", "PolicyInputList.1", "PolicyInputList.2"]
    denied = simulate([*policies, document(deny("s3:*"), deny(GET))])
    assert ids(denied) == ["PolicyInputList.3", "PolicyInputList.3"]


def test_actions_stand_in_the_order_of_the_request(iam):
    names = ["sqs:SendMessage", "S3:getobject", "nosuch:Action", "s3:*", "sqs:SendMessage"]
    answer = iam.simulate_custom_policy(PolicyInputList=[document(allow([GET, "sqs:*"]))], ActionNames=names)
    found = [(one["EvalActionName"], one["EvalDecision"]) for one in answer["EvaluationResults"]]
    assert found == list(zip(names, ["allowed", "allowed", "implicitDeny", "implicitDeny", "allowed"], strict=True))


def test_no_policies_allow_nothing(iam):
    answer = iam.simulate_custom_policy(PolicyInputList=[], ActionNames=[GET])
    assert answer["EvaluationResults"][0]["EvalDecision"] == "implicitDeny"


def test_an_action_is_denied_on_a_resource_of_another_service(simulate):
    everything = [document(allow("*"))]
    assert simulate(everything, ResourceArns=[ANN])["EvalDecision"] == "implicitDeny"
    assert simulate(everything, "iam:GetUser", ResourceArns=[ANN])["EvalDecision"] == "allowed"
    role = f"arn:aws:iam::{ACCOUNT}:role/app"
    assert simulate(everything, "sts:AssumeRole", ResourceArns=[role])["EvalDecision"] == "allowed"
    assert simulate(everything, "nosuch:Action", ResourceArns=[ANN])["EvalDecision"] == "allowed"


@pytest.mark.parametrize(
    ("resources", "wrong"),
    [(["reports"], "reports"), (["arn:aws:s3:::b"[:-3]], "arn:aws:s3:"), ([KEY, "*"], "*")],
)
def test_resources_that_are_no_arns(iam, refused, resources, wrong):
    with refused("InvalidInput", f"ResourceNames are not in a valid ARN format: {wrong}."):
        iam.simulate_custom_policy(PolicyInputList=[], ActionNames=[GET], ResourceArns=resources)


def test_an_action_without_a_service(iam, refused):
    with refused("InvalidInput", "The action is invalid since it is missing names"):
        iam.simulate_custom_policy(PolicyInputList=[], ActionNames=[GET, "GetObject"])


NAMES = tuple(f"s3:Action{number}" for number in range(5))


def names_of(answer):
    return [one["EvalActionName"] for one in answer["EvaluationResults"]]


def test_results_come_in_pages_of_actions(aws, iam):
    aws.user("ann", allow("s3:*"))
    of_custom = {"PolicyInputList": [document(allow("*"))], "ActionNames": list(NAMES), "MaxItems": 2}
    of_ann = {"PolicySourceArn": ANN, "ActionNames": list(NAMES), "MaxItems": 2}
    custom, own = iam.simulate_custom_policy(**of_custom), iam.simulate_principal_policy(**of_ann)
    for wanted in (NAMES[:2], NAMES[2:4]):
        assert (names_of(custom), custom["IsTruncated"]) == (list(wanted), True)
        assert (names_of(own), own["IsTruncated"]) == (list(wanted), True)
        custom = iam.simulate_custom_policy(**of_custom, Marker=custom["Marker"])
        own = iam.simulate_principal_policy(**of_ann, Marker=own["Marker"])
    assert names_of(custom) == names_of(own) == list(NAMES[4:])
    assert (custom["IsTruncated"], own["IsTruncated"]) == (False, False)
    assert not {"Marker"} & (custom.keys() | own.keys())


def test_there_are_a_hundred_results_without_max_items(iam):
    names = [f"s3:Action{number}" for number in range(101)]
    answer = iam.simulate_custom_policy(PolicyInputList=[], ActionNames=names)
    assert (len(answer["EvaluationResults"]), answer["IsTruncated"]) == (100, True)


def test_a_marker_of_something_else(aws, iam, refused):
    aws.user("ann")
    asked = {"PolicyInputList": [], "ActionNames": list(NAMES)}
    marker = iam.simulate_custom_policy(**asked, MaxItems=1)["Marker"]
    users = iam.list_users(MaxItems=1)["Marker"]
    for wrong in ("x", users, marker[:-1]):
        with refused("InvalidInput", "Invalid marker for pagination."):
            iam.simulate_custom_policy(**asked, Marker=wrong)
    with refused("InvalidInput", "Invalid marker for pagination."):
        iam.simulate_principal_policy(PolicySourceArn=ANN, ActionNames=list(NAMES), Marker=marker)


def test_much_work_takes_more_pages_and_too_much_is_refused(iam, refused):
    policy = document(*[allow("s3:*", f"arn:aws:s3:::b{number}/*") for number in range(100)])
    resources = [f"arn:aws:s3:::b1/{number}" for number in range(100)]
    asked = {"PolicyInputList": [policy], "ActionNames": list(NAMES)}
    answer = iam.simulate_custom_policy(**asked, ResourceArns=resources)
    assert answer["IsTruncated"] is True
    assert 0 < len(answer["EvaluationResults"]) < len(NAMES)
    with refused("InvalidInput", "The policies, resources and context entries are too many for one simulation."):
        iam.simulate_custom_policy(**asked, ResourceArns=resources * 10)


def test_long_values_are_work_and_are_not_put_in_without_end(iam, refused):
    entry = {"ContextKeyName": "aws:x", "ContextKeyValues": ["a" * 8190], "ContextKeyType": "string"}
    many = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}

    def asked(values):
        statement = {**many, "Condition": {"StringLike": {"aws:x": values}}}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]}, separators=(",", ":"))
        return iam.simulate_custom_policy(
            PolicyInputList=[policy], ActionNames=["s3:GetObject"], ContextEntries=[entry]
        )

    assert asked("${aws:x}" * 16_000)["EvaluationResults"][0]["EvalDecision"] == "implicitDeny"
    assert asked(["${aws:x}"] * 100)["EvaluationResults"][0]["EvalDecision"] == "allowed"
    with refused("InvalidInput", "The policies, resources and context entries are too many for one simulation."):
        asked([f"*?{number}" for number in range(4_000)])
