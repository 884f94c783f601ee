"""What requests to Lambda are decided on: functions by every name, with their qualifier; layers; code; the role passed.

AWS: Lambda Developer Guide, "Fine-tuning the Resources and Conditions sections of policies" (lambda-api-permissions-ref);
Lambda API Reference, "FunctionName".
"""

import pytest
from gateway.condition_keys import Caller, Key, check
from gateway.parameters import ACCOUNT, FUNCTION, REGION, ROLE

PLACE = f"arn:aws:lambda:{REGION}:{ACCOUNT}"
LAYER, LAYER_VERSION = f"{PLACE}:layer:lay", f"{PLACE}:layer:lay:3"
THEIRS = f"arn:aws:lambda:{REGION}:111122223333:layer:shared:7"
CREATE = {"FunctionName": "fn", "Role": ROLE, "Runtime": "python3.12", "Handler": "a.b", "Code": {"ZipFile": b"zip"}}
PASSED = [("iam:PassRole", ROLE)]
SIGNING = f"{PLACE}:code-signing-config:csc-0123456789abcdef0"


def on(resource, *actions):
    return [(f"lambda:{action}", resource) for action in actions]


CASES = [
    # A function by each of its names, and its versions and aliases.
    *[
        ("Invoke", {"FunctionName": name}, on(FUNCTION, "InvokeFunction"))
        for name in ("fn", FUNCTION, f"{ACCOUNT}:function:fn", "function:fn")
    ],
    *[
        ("Invoke", given, on(f"{FUNCTION}:live", "InvokeFunction"))
        for given in (
            {"FunctionName": "fn", "Qualifier": "live"},
            {"FunctionName": "fn:live"},
            {"FunctionName": f"{FUNCTION}:live"},
            {"FunctionName": f"{FUNCTION}:live", "Qualifier": "live"},
        )
    ],
    ("Invoke", {"FunctionName": "fn", "Qualifier": "$LATEST"}, on(f"{FUNCTION}:$LATEST", "InvokeFunction")),
    ("InvokeWithResponseStream", {"FunctionName": "fn", "Qualifier": "3"}, on(f"{FUNCTION}:3", "InvokeFunction")),
    ("GetFunction", {"FunctionName": "fn"}, on(FUNCTION, "GetFunction")),
    ("GetFunction", {"FunctionName": "fn", "Qualifier": "3"}, on(f"{FUNCTION}:3", "GetFunction")),
    ("DeleteFunction", {"FunctionName": "fn", "Qualifier": "3"}, on(f"{FUNCTION}:3", "DeleteFunction")),
    ("GetPolicy", {"FunctionName": "fn", "Qualifier": "live"}, on(f"{FUNCTION}:live", "GetPolicy")),
    # The function itself where aliases and versions are its parts.
    ("CreateAlias", {"FunctionName": "fn", "Name": "live", "FunctionVersion": "3"}, on(FUNCTION, "CreateAlias")),
    ("GetAlias", {"FunctionName": "fn", "Name": "live"}, on(FUNCTION, "GetAlias")),
    ("PublishVersion", {"FunctionName": "fn"}, on(FUNCTION, "PublishVersion")),
    # What a function is made of.
    ("CreateFunction", CREATE, [*on(FUNCTION, "CreateFunction"), *PASSED]),
    (
        "CreateFunction",
        {**CREATE, "Layers": [LAYER_VERSION], "Tags": {"team": "blue"}},
        [*on(FUNCTION, "CreateFunction", "TagResource"), *on(LAYER_VERSION, "GetLayerVersion"), *PASSED],
    ),
    (
        "CreateFunction",
        {**CREATE, "Code": {"S3Bucket": "bkt", "S3Key": "code.zip"}},
        [*on(FUNCTION, "CreateFunction"), ("s3:GetObject", "arn:aws:s3:::bkt/code.zip"), *PASSED],
    ),
    (
        "CreateFunction",
        {**CREATE, "Code": {"S3Bucket": "bkt", "S3Key": "code.zip", "S3ObjectVersion": "v"}},
        [*on(FUNCTION, "CreateFunction"), ("s3:GetObjectVersion", "arn:aws:s3:::bkt/code.zip"), *PASSED],
    ),
    ("UpdateFunctionConfiguration", {"FunctionName": "fn"}, on(FUNCTION, "UpdateFunctionConfiguration")),
    (
        "UpdateFunctionConfiguration",
        {"FunctionName": "fn", "Role": ROLE, "Layers": [LAYER_VERSION]},
        [*on(FUNCTION, "UpdateFunctionConfiguration"), *on(LAYER_VERSION, "GetLayerVersion"), *PASSED],
    ),
    ("UpdateFunctionCode", {"FunctionName": "fn", "ZipFile": b"zip"}, on(FUNCTION, "UpdateFunctionCode")),
    (
        "UpdateFunctionCode",
        {"FunctionName": "fn", "S3Bucket": "bkt", "S3Key": "code.zip"},
        [*on(FUNCTION, "UpdateFunctionCode"), ("s3:GetObject", "arn:aws:s3:::bkt/code.zip")],
    ),
    (
        "PutFunctionCodeSigningConfig",
        {"FunctionName": "fn", "CodeSigningConfigArn": SIGNING},
        [*on(FUNCTION, "PutFunctionCodeSigningConfig"), *on(SIGNING, "PutFunctionCodeSigningConfig")],
    ),
    # Layers.
    (
        "PublishLayerVersion",
        {"LayerName": "lay", "Content": {"S3Bucket": "bkt", "S3Key": "layer.zip"}},
        [*on(LAYER, "PublishLayerVersion"), ("s3:GetObject", "arn:aws:s3:::bkt/layer.zip")],
    ),
    ("GetLayerVersion", {"LayerName": "lay", "VersionNumber": 3}, on(LAYER_VERSION, "GetLayerVersion")),
    ("GetLayerVersion", {"LayerName": LAYER, "VersionNumber": 3}, on(LAYER_VERSION, "GetLayerVersion")),
    ("GetLayerVersionByArn", {"Arn": LAYER_VERSION}, on(LAYER_VERSION, "GetLayerVersion")),
    # Permissions of a version, mappings, tags, lists.
    (
        "AddPermission",
        {"FunctionName": "fn", "Qualifier": "live", "StatementId": "s", "Action": "lambda:InvokeFunction",
         "Principal": "s3.amazonaws.com"},
        on(f"{FUNCTION}:live", "AddPermission"),
    ),
    ("CreateEventSourceMapping", {"FunctionName": "fn"}, on("*", "CreateEventSourceMapping")),
    ("TagResource", {"Resource": FUNCTION, "Tags": {"team": "blue"}}, on(FUNCTION, "TagResource")),
    ("ListFunctions", {}, on("*", "ListFunctions")),
]  # fmt: skip


@pytest.mark.usefixtures("unknown_bucket")
@pytest.mark.parametrize(("name", "given", "wanted"), CASES)
def test_each_request_is_decided_on_what_it_touches(counted, name, given, wanted):
    told = counted.call("lambda", name, given)
    assert told.asked == wanted
    assert told.sent > 0


def test_a_layer_of_another_account_is_decided_on_as_its_owners(counted):
    told = counted.call("lambda", "CreateFunction", {**CREATE, "Layers": [THEIRS]})
    assert (told.status, told.sent) == (403, 0)
    assert told.asked[-1] == ("lambda:GetLayerVersion", THEIRS)
    assert "because no resource-based policy allows the lambda:GetLayerVersion action" in told.message


@pytest.mark.parametrize(
    "name", ["fn*", "fn/policy", "arn:aws:lambda:us-east-1:123456789012:function:*", "fn:a:b", "a b", "fn?x"]
)
def test_a_name_that_would_be_read_as_more_than_a_functions_is_refused(counted, name):
    told = counted.call("lambda", "GetFunction", {"FunctionName": name})
    assert (told.status, told.sent) == (400, 0)


def test_two_qualifiers_that_differ_are_refused(counted):
    told = counted.call("lambda", "Invoke", {"FunctionName": "fn:live", "Qualifier": "test"})
    assert (told.status, told.sent) == (400, 0)


MAP = {"FunctionName": "fn", "EventSourceArn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:que"}
KEYS = [
    Key("lambda:Layer", LAYER_VERSION, "lambda:CreateFunction", "CreateFunction", {**CREATE, "Layers": [LAYER_VERSION]},
        CREATE, "ForAnyValue:StringEquals"),
    Key("lambda:SubnetIds", "subnet-1", "lambda:CreateFunction", "CreateFunction",
        {**CREATE, "VpcConfig": {"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}}, CREATE,
        "ForAnyValue:StringEquals"),
    Key("lambda:SecurityGroupIds", "sg-1", "lambda:CreateFunction", "CreateFunction",
        {**CREATE, "VpcConfig": {"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}}, CREATE,
        "ForAnyValue:StringEquals"),
    Key("lambda:CodeSigningConfigArn", SIGNING, "lambda:CreateFunction", "CreateFunction",
        {**CREATE, "CodeSigningConfigArn": SIGNING}, CREATE, "ArnEquals"),
    Key("lambda:FunctionArn", FUNCTION, "lambda:CreateEventSourceMapping", "CreateEventSourceMapping", MAP,
        {**MAP, "FunctionName": "other"}, "ArnEquals"),
    Key("lambda:Principal", "s3.amazonaws.com", "lambda:AddPermission", "AddPermission",
        {"FunctionName": "fn", "StatementId": "a", "Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com"},
        {"FunctionName": "fn", "StatementId": "b", "Action": "lambda:InvokeFunction", "Principal": "*"}),
    Key("lambda:FunctionUrlAuthType", "NONE", "lambda:CreateFunctionUrlConfig", "CreateFunctionUrlConfig",
        {"FunctionName": "fn", "AuthType": "NONE"}, {"FunctionName": "fn", "AuthType": "AWS_IAM"}),
]  # fmt: skip


@pytest.fixture(scope="module")
def caller(counted):
    return Caller.new(counted, "lambda-keys")


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_a_key_has_its_value_and_decides(caller, key):
    check(caller, "lambda", key)
