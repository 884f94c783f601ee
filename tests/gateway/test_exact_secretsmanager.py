"""What requests to Secrets Manager are decided on: secrets by name, partial ARN and ARN.

AWS: Secrets Manager User Guide, "Authentication and access control for AWS Secrets Manager", and "Required permissions"
of the operations' own pages.
"""

import json

import pytest
from gateway.condition_keys import Caller, Key, check
from gateway.counting import answer
from gateway.parameters import ACCOUNT, FUNCTION, POLICY, REGION, SECRET
from running import allow

PLACE = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret"
KNOWN, UNKNOWN = f"{PLACE}:app/db-AbCdEf", f"{PLACE}:new-??????"
EVERY = f"{PLACE}:*"


def on(resource, *actions):
    return [(f"secretsmanager:{action}", resource) for action in actions]


@pytest.fixture(scope="module", autouse=True)
def known(counted):
    """iamd has learned one secret's whole ARN from the backend; none has a policy that others' tests left."""
    assert counted.call("secretsmanager", "DeleteResourcePolicy", {"SecretId": SECRET}).status == 200
    counted.backend.answers.append(answer(json.dumps({"ARN": KNOWN, "Name": "app/db"}).encode()))
    assert counted.call("secretsmanager", "DescribeSecret", {"SecretId": "app/db"}).status == 200


CASES = [
    # A secret that is known, by each of its names; and ones that are not.
    *[
        ("GetSecretValue", {"SecretId": name}, on(KNOWN, "GetSecretValue"))
        for name in ("app/db", f"{PLACE}:app/db", KNOWN)
    ],
    ("GetSecretValue", {"SecretId": "new"}, on(UNKNOWN, "GetSecretValue")),
    ("GetSecretValue", {"SecretId": f"{PLACE}:new"}, on(UNKNOWN, "GetSecretValue")),
    ("GetSecretValue", {"SecretId": f"{PLACE}:new-AbCdEf"}, on(f"{PLACE}:new-AbCdEf", "GetSecretValue")),
    ("GetSecretValue", {"SecretId": "app"}, on(f"{PLACE}:app-??????", "GetSecretValue")),
    ("DeleteSecret", {"SecretId": "app/db"}, on(KNOWN, "DeleteSecret")),
    ("UntagResource", {"SecretId": "app/db", "TagKeys": ["a"]}, on(KNOWN, "UntagResource")),
    # What more a request needs.
    (
        "CreateSecret",
        {"Name": "new", "SecretString": "s"},
        [*on(UNKNOWN, "CreateSecret"), ("kms:GenerateDataKey", f"arn:aws:kms:{REGION}:{ACCOUNT}:key/*")],
    ),
    (
        "CreateSecret",
        {"Name": "new", "Tags": [{"Key": "a", "Value": "b"}], "AddReplicaRegions": [{"Region": "eu-west-1"}]},
        on(UNKNOWN, "CreateSecret", "TagResource", "ReplicateSecretToRegions"),
    ),
    ("RotateSecret", {"SecretId": "app/db"}, on(KNOWN, "RotateSecret")),
    (
        "ValidateResourcePolicy",
        {"SecretId": "app/db", "ResourcePolicy": "{}"},
        on(KNOWN, "ValidateResourcePolicy", "PutResourcePolicy"),
    ),
    # Several at once.
    (
        "BatchGetSecretValue",
        {"SecretIdList": ["app/db", "new"]},
        [*on("*", "BatchGetSecretValue"), *on(KNOWN, "GetSecretValue"), *on(UNKNOWN, "GetSecretValue")],
    ),
    (
        "BatchGetSecretValue",
        {"Filters": [{"Key": "name", "Values": ["app"]}]},
        [*on("*", "BatchGetSecretValue", "ListSecrets"), *on(EVERY, "GetSecretValue")],
    ),
    ("ListSecrets", {}, on("*", "ListSecrets")),
    ("GetRandomPassword", {}, on("*", "GetRandomPassword")),
]


@pytest.mark.parametrize(("name", "given", "wanted"), CASES)
def test_each_request_is_decided_on_what_it_touches(counted, name, given, wanted):
    told = counted.call("secretsmanager", name, given)
    assert told.asked == wanted
    assert told.sent > 0


def test_a_secret_whose_own_policy_denies_is_not_found_by_a_filter(counted):
    denied = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": {
                "Effect": "Deny", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:user/finds-secrets"},
                "Action": "secretsmanager:GetSecretValue", "Resource": "*",
            },
        }
    )  # fmt: skip
    caller = Caller.new(counted, "finds-secrets")
    caller.may(allow("secretsmanager:*"))
    found = {"Filters": [{"Key": "name", "Values": ["app"]}]}
    assert caller.call("secretsmanager", "BatchGetSecretValue", found).sent > 0
    assert (
        counted.call("secretsmanager", "PutResourcePolicy", {"SecretId": KNOWN, "ResourcePolicy": denied}).status == 200
    )
    told = caller.call("secretsmanager", "BatchGetSecretValue", found)
    assert (told.code, told.sent, told.asked[-1]) == (
        "AccessDeniedException", 0, ("secretsmanager:GetSecretValue", KNOWN),
    )  # fmt: skip
    counted.call("secretsmanager", "DeleteResourcePolicy", {"SecretId": KNOWN})
    assert caller.call("secretsmanager", "BatchGetSecretValue", found).sent > 0


def test_whether_rules_of_rotation_change_is_a_key(counted):
    caller = Caller.new(counted, "secrets-rules")
    caller.may(allow("secretsmanager:RotateSecret", Bool={"secretsmanager:ModifyRotationRules": "true"}))
    rules = {"RotationRules": {"AutomaticallyAfterDays": 30}}
    assert caller.call("secretsmanager", "RotateSecret", {"SecretId": "app/db", **rules}).status == 200
    told = caller.call("secretsmanager", "RotateSecret", {"SecretId": "app/db"})
    assert (told.code, told.asked) == ("AccessDeniedException", on(KNOWN, "RotateSecret"))
    # The backend was only asked which function rotates the secret.
    assert b"secretsmanager.DescribeSecret" in counted.backend.raw.heads[-1]


def test_a_function_rotates_that_its_caller_and_the_service_may_invoke(counted):
    # Other tests let others invoke the function that they share.
    function = f"{FUNCTION}-rotating"
    given = {"SecretId": "app/db", "RotationLambdaARN": function}
    refused = counted.call("secretsmanager", "RotateSecret", given)
    assert (refused.code, refused.sent) == ("AccessDeniedException", 0)
    let = {"StatementId": "rotation", "Action": "lambda:InvokeFunction", "Principal": "secretsmanager.amazonaws.com"}
    counted.call("lambda", "AddPermission", {"FunctionName": function, "SourceArn": KNOWN, **let})
    told = counted.call("secretsmanager", "RotateSecret", given)
    assert told.asked == [*on(KNOWN, "RotateSecret"), ("lambda:InvokeFunction", function)]
    assert told.sent > 0


@pytest.mark.parametrize("name", ["*", "a?b", "arn:aws:secretsmanager:eu-west-1:123456789012:secret:a-AbCdEf",
                                  "arn:aws:s3:us-east-1:123456789012:secret:a", f"{PLACE}:a*"])  # fmt: skip
def test_a_name_that_would_be_read_as_more_than_a_secrets_is_refused(counted, name):
    told = counted.call("secretsmanager", "GetSecretValue", {"SecretId": name})
    assert (told.status, told.sent) == (400, 0)


def test_until_its_suffix_is_known_a_secret_is_matched_by_what_matches_every_suffix(counted):
    caller = Caller.new(counted, "secrets-by-pattern")
    for resource, sent in ((f"{PLACE}:new-??????", True), (f"{PLACE}:new-*", True), (f"{PLACE}:new-AbCdEf", False)):
        caller.may(allow("secretsmanager:GetSecretValue", resource))
        assert (caller.call("secretsmanager", "GetSecretValue", {"SecretId": "new"}).sent > 0) is sent


KEYS = [
    Key("secretsmanager:Name", "new", "secretsmanager:CreateSecret", "CreateSecret", {"Name": "new"}, {"Name": "other"}),
    Key("secretsmanager:AddReplicaRegions", "eu-west-1", "secretsmanager:ReplicateSecretToRegions",
        "ReplicateSecretToRegions", {"SecretId": "app/db", "AddReplicaRegions": [{"Region": "eu-west-1"}]},
        {"SecretId": "app/db", "AddReplicaRegions": [{"Region": "eu-west-2"}]}, "ForAnyValue:StringEquals"),
    Key("secretsmanager:SecretId", KNOWN, "secretsmanager:GetSecretValue", "GetSecretValue", {"SecretId": "app/db"},
        {"SecretId": "new"}, "ArnEquals"),
    Key("secretsmanager:VersionStage", "AWSPENDING", "secretsmanager:GetSecretValue", "GetSecretValue",
        {"SecretId": "app/db", "VersionStage": "AWSPENDING"}, {"SecretId": "app/db", "VersionStage": "AWSCURRENT"}),
    Key("secretsmanager:ForceDeleteWithoutRecovery", "true", "secretsmanager:DeleteSecret", "DeleteSecret",
        {"SecretId": "app/db", "ForceDeleteWithoutRecovery": True}, {"SecretId": "app/db"}, "Bool"),
    Key("secretsmanager:RecoveryWindowInDays", "7", "secretsmanager:DeleteSecret", "DeleteSecret",
        {"SecretId": "app/db", "RecoveryWindowInDays": 7}, {"SecretId": "app/db", "RecoveryWindowInDays": 30},
        "NumericLessThanEquals"),
    Key("secretsmanager:BlockPublicPolicy", "true", "secretsmanager:PutResourcePolicy", "PutResourcePolicy",
        {"SecretId": "x", "ResourcePolicy": POLICY % "*", "BlockPublicPolicy": True},
        {"SecretId": "x", "ResourcePolicy": POLICY % "*", "BlockPublicPolicy": False}, "Bool"),
]  # fmt: skip


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_a_key_has_its_value_and_decides(counted, key):
    check(Caller.new(counted, f"secrets-{key.name.partition(':')[2]}"), "secretsmanager", key)
