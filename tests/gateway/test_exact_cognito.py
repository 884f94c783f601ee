"""What requests to Cognito are decided on: pools by id and ARN, in their own region alone, and the roles they get."""

import pytest
from gateway.condition_keys import Caller, Key, check, refused
from gateway.parameters import ACCOUNT, REGION, ROLE
from running import allow

POOL = f"arn:aws:cognito-idp:{REGION}:{ACCOUNT}:userpool/us-east-1_abc"
IDENTITIES = f"arn:aws:cognito-identity:{REGION}:{ACCOUNT}:identitypool/us-east-1:0-1"
IDP, IDENTITY = "cognito-idp", "cognito-identity"
SMS = {"PoolName": "p", "SmsConfiguration": {"SnsCallerArn": ROLE}}
CASES = [
    (IDP, "DescribeUserPool", {"UserPoolId": "us-east-1_abc"}, [("cognito-idp:DescribeUserPool", POOL)]),
    (IDP, "AdminGetUser", {"UserPoolId": "us-east-1_abc", "Username": "ann"}, [("cognito-idp:AdminGetUser", POOL)]),
    (IDP, "TagResource", {"ResourceArn": POOL, "Tags": {"a": "b"}}, [("cognito-idp:TagResource", POOL)]),
    (IDP, "CreateUserPool", {"PoolName": "p"}, [("cognito-idp:CreateUserPool", "*")]),
    (IDP, "CreateUserPool", SMS, [("cognito-idp:CreateUserPool", "*"), ("iam:PassRole", ROLE)]),
    (IDP, "ListUserPools", {"MaxResults": 1}, [("cognito-idp:ListUserPools", "*")]),
    (
        IDENTITY,
        "DescribeIdentityPool",
        {"IdentityPoolId": "us-east-1:0-1"},
        [("cognito-identity:DescribeIdentityPool", IDENTITIES)],
    ),
    (
        IDENTITY,
        "SetIdentityPoolRoles",
        {"IdentityPoolId": "us-east-1:0-1", "Roles": {"authenticated": ROLE}},
        [("cognito-identity:SetIdentityPoolRoles", "*"), ("iam:PassRole", ROLE)],
    ),
]


@pytest.mark.parametrize(("service", "name", "given", "wanted"), CASES)
def test_each_request_is_decided_on_what_it_touches(counted, service, name, given, wanted):
    told = counted.call(service, name, given)
    assert told.asked == wanted
    assert told.sent > 0


@pytest.mark.parametrize(
    ("service", "name", "given"),
    [
        (IDP, "DescribeUserPool", {"UserPoolId": "eu-west-1_abc"}),
        (IDP, "DescribeUserPool", {"UserPoolId": "us-east-1_*"}),
        (IDP, "ListTagsForResource", {"ResourceArn": POOL.replace("aws:", "aws-cn:")}),
        (IDENTITY, "DescribeIdentityPool", {"IdentityPoolId": "eu-west-1:0-1"}),
        (IDENTITY, "ListTagsForResource", {"ResourceArn": POOL}),
    ],
)
def test_what_names_no_pool_plainly_is_refused(counted, service, name, given):
    told = counted.call(service, name, given)
    assert (told.status, told.code, told.sent) == (400, "InvalidParameterException", 0)


@pytest.mark.parametrize(
    ("service", "key"),
    [
        (IDP, Key("aws:RequestTag/team", "blue", "cognito-idp:CreateUserPool", "CreateUserPool",
                  {"PoolName": "p", "UserPoolTags": {"team": "blue"}}, {"PoolName": "p"})),
        (IDENTITY, Key("aws:RequestTag/team", "blue", "cognito-identity:CreateIdentityPool", "CreateIdentityPool",
                       {"IdentityPoolName": "p", "AllowUnauthenticatedIdentities": False,
                        "IdentityPoolTags": {"team": "blue"}},
                       {"IdentityPoolName": "p", "AllowUnauthenticatedIdentities": False})),
    ],
)  # fmt: skip
def test_a_key_has_its_value_and_decides(counted, service, key):
    check(Caller.new(counted, f"{service}-keys"), service, key)


def test_a_pool_gets_no_role_from_whoever_may_not_pass_it(counted):
    maker = Caller.new(counted, "pools")
    maker.may(allow("cognito-idp:*"))
    refused(maker.call(IDP, "CreateUserPool", SMS), "the iam:PassRole action")
