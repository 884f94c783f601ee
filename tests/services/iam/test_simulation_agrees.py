"""The simulator and enforcement are one engine: equal requests get equal decisions through both.

Each request goes over HTTP first. What iamd says it decided on, its condition keys included, is then simulated.
"""

import json
import os
import random

import pytest
from botocore.exceptions import ClientError
from running import ACCOUNT, Credentials, allow, deny
from services.iam.simulating import ANN, BUCKET, KEY, LOCKED, OTHER, document, entry, for_whom

BOB = f"arn:aws:iam::{ACCOUNT}:user/team/bob"
APP = f"arn:aws:iam::{ACCOUNT}:role/app"
DECISIONS = {"Allowed": "allowed", "ExplicitlyDenied": "explicitDeny", "ImplicitlyDenied": "implicitDeny"}

SEEDS = range(max(8, int(os.environ.get("AGREEMENTS", "0")) // 16))
"""Of so many worlds, each for sixteen requests at least; `make prove` compares more."""
REQUESTS = [
    ("iam", "get_user", {"UserName": "bob"}),
    ("iam", "get_user", {"UserName": "ann"}),
    ("iam", "list_users", {"PathPrefix": "/team/"}),
    ("iam", "list_user_tags", {"UserName": "bob"}),
    ("iam", "tag_user", {"UserName": "bob", "Tags": [{"Key": "Stage", "Value": "test"}]}),
    ("iam", "attach_user_policy", {"UserName": "bob", "PolicyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}),
    ("iam", "get_account_summary", {}),
    ("sts", "get_access_key_info", {"AccessKeyId": "AKIAIOSFODNN7EXAMPLE"}),
]

CONDITIONS = [
    {},
    {"StringEquals": {"aws:ResourceTag/Team": "blue"}},
    {"StringEquals": {"aws:ResourceTag/Team": "${aws:PrincipalTag/Team}"}},
    {"StringNotEquals": {"iam:ResourceTag/Team": "blue"}},
    {"StringLike": {"aws:PrincipalArn": "arn:aws:iam::*:user/a*"}},
    {"ForAllValues:StringEquals": {"aws:TagKeys": ["Stage", "Team"]}},
    {"ForAnyValue:StringLike": {"aws:TagKeys": "St*"}},
    {"StringEqualsIfExists": {"aws:RequestTag/Stage": "prod"}},
    {"ArnLike": {"iam:PolicyARN": "arn:aws:iam::aws:policy/Read*"}},
    {"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}},
    {"NotIpAddress": {"aws:SourceIp": "127.0.0.0/8"}},
    {"Bool": {"aws:SecureTransport": "true"}},
    {"Null": {"aws:TokenIssueTime": "true"}},
    {"DateGreaterThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}},
    {"NumericLessThan": {"aws:EpochTime": "1000000000"}},
]
ACTIONS = ["*", "iam:*", "iam:Get*", "iam:*User*", "iam:ListUsers", "sts:*", ["iam:TagUser", "iam:AttachUserPolicy"]]
RESOURCES = ["*", "arn:aws:iam::*:user/team/*", BOB, f"arn:aws:iam::{ACCOUNT}:user/${{aws:username}}", "arn:aws:s3:::*"]


def statements(choice, *, of_deny):
    """Some statements; about one in three denies where they may."""
    made = []
    for _ in range(choice.randint(1, 4)):
        make = deny if of_deny and choice.random() < 0.3 else allow
        made.append(make(choice.choice(ACTIONS), choice.choice(RESOURCES), **choice.choice(CONDITIONS)))
    return made


def build(aws, choice):
    """A user and a role with policies of every kind, at random; the credentials and the source ARN of each."""
    iam = aws.client("iam")
    iam.create_user(UserName="bob", Path="/team/", Tags=[{"Key": "Team", "Value": choice.choice(["blue", "red"])}])
    ann = aws.user("ann", *statements(choice, of_deny=True))
    iam.tag_user(UserName="ann", Tags=[{"Key": "Team", "Value": "blue"}])
    trust = document({"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"})
    iam.create_role(RoleName="app", AssumeRolePolicyDocument=trust)
    iam.put_role_policy(RoleName="app", PolicyName="own", PolicyDocument=document(*statements(choice, of_deny=True)))
    iam.create_group(GroupName="devs")
    iam.put_group_policy(GroupName="devs", PolicyName="own", PolicyDocument=document(*statements(choice, of_deny=True)))
    shared = iam.create_policy(PolicyName="shared", PolicyDocument=document(*statements(choice, of_deny=False)))
    iam.attach_role_policy(RoleName="app", PolicyArn=shared["Policy"]["Arn"])
    iam.attach_group_policy(GroupName="devs", PolicyArn=shared["Policy"]["Arn"])
    if choice.random() < 0.6:
        iam.add_user_to_group(GroupName="devs", UserName="ann")
    if choice.random() < 0.7:
        boundary = iam.create_policy(PolicyName="boundary", PolicyDocument=document(*statements(choice, of_deny=True)))
        iam.put_user_permissions_boundary(UserName="ann", PermissionsBoundary=boundary["Policy"]["Arn"])
        iam.put_role_permissions_boundary(RoleName="app", PermissionsBoundary=boundary["Policy"]["Arn"])
    session = aws.client("sts").assume_role(RoleArn=APP, RoleSessionName="one")["Credentials"]
    return [(ann, ANN), (Credentials.of(session), APP)]


def enforced(aws, credentials, service, operation, parameters):
    """What iamd decided on a request over HTTP."""
    try:
        answer = getattr(aws.client(service, credentials), operation)(**parameters)
    except ClientError as error:
        answer = error.response
    return aws.explain(answer["ResponseMetadata"]["RequestId"])["Decisions"]


def simulated(aws, source, decided):
    """What the simulator says of the same."""
    entries = [
        entry(key, "string" if len(values) == 1 and key != "aws:tagkeys" else "stringList", *values)
        for key, values in decided["Context"].items()
    ]
    answer = aws.client("iam").simulate_principal_policy(
        PolicySourceArn=source,
        ActionNames=[decided["Action"]],
        ResourceArns=[decided["Resource"]],
        ContextEntries=entries,
    )
    return answer["EvaluationResults"][0]


def check(decided, found):
    """The same decision, by as many statements that deny."""
    assert found["EvalDecision"] == DECISIONS[decided["Outcome"]], decided
    denies = [one for one in decided["Statements"] if one["Effect"] == "Deny"]
    assert len(found["MatchedStatements"]) == len(denies) or not denies
    assert bool(found["MatchedStatements"]) is (found["EvalDecision"] != "implicitDeny")


@pytest.mark.timeout(3600)
def test_what_is_enforced_is_what_is_simulated(aws):
    seen = set()
    for seed in SEEDS:
        aws.hang_up()
        aws.server.post("/_iamd/reset")
        for credentials, source in build(aws, random.Random(seed)):
            for request in REQUESTS:
                for decided in enforced(aws, credentials, *request):
                    check(decided, simulated(aws, source, decided))
                    seen.add((decided["Outcome"], decided["Layer"]))
    # It would show little if the requests were all decided alike.
    assert seen >= {
        ("Allowed", "identity-based policy"),
        ("ExplicitlyDenied", "identity-based policy"),
        ("ExplicitlyDenied", "permissions boundary"),
        ("ImplicitlyDenied", "identity-based policy"),
        ("ImplicitlyDenied", "permissions boundary"),
    }


def custom_and_own(iam, text, **parameters):
    """The results of policies that are given, and of a user who has the same."""
    iam.put_user_policy(UserName="ann", PolicyName="own", PolicyDocument=text)
    asked = {"ActionNames": ["s3:GetObject", "s3:PutObject"], **parameters}
    own = iam.simulate_principal_policy(PolicySourceArn=ANN, **asked)["EvaluationResults"]
    asked.setdefault("CallerArn", ANN)
    custom = iam.simulate_custom_policy(PolicyInputList=[text], **asked)["EvaluationResults"]
    return custom, own


def unnamed(results):
    """Results without the names of the policies, which differ."""
    told = json.dumps(results)
    return json.loads(told.replace("user_ann_own", "PolicyInputList.1"))


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"ResourceArns": [KEY, LOCKED]},
        {"ResourceArns": [KEY], "ResourceOwner": f"arn:aws:iam::{OTHER}:root"},
        {"ResourceArns": [KEY], "ResourcePolicy": document(for_whom(allow("s3:*", KEY), ANN))},
        {"ResourceArns": [KEY, LOCKED], "CallerArn": f"arn:aws:iam::{ACCOUNT}:user/bob"},
        {"ContextEntries": [entry("s3:prefix", "string", "x")]},
        {"PermissionsBoundaryPolicyInputList": [document(allow("s3:Get*"), deny("s3:*", LOCKED))]},
        {"ResourceHandlingOption": "EC2-VPC-EBS"},
        {"MaxItems": 1},
    ],
)
def test_given_policies_say_what_a_users_own_say(iam, parameters):
    iam.create_user(UserName="ann")
    for text in (
        document(allow("s3:*")),
        document(allow("s3:Get*", f"{BUCKET}/k"), deny("s3:Put*", LOCKED)),
        document(allow("s3:*", "*", StringEquals={"s3:prefix": "x"})),
        document(allow("s3:*", f"{BUCKET}/${{aws:username}}")),
    ):
        custom, own = custom_and_own(iam, text, **parameters)
        assert unnamed(own) == custom
