"""Requests with resource-based policies: what the gateway decides on them is what the simulator says of them.

The same for identity and boundary policies is in tests/services/iam/test_simulation_agrees.py.
"""

import json

import pytest
from botocore.exceptions import ClientError
from running import ACCOUNT, Credentials, allow, deny

OTHER = "210987654321"
QUEUE = f"arn:aws:sqs:us-east-1:{ACCOUNT}:jobs"
DECISIONS = {"Allowed": "allowed", "ExplicitlyDenied": "explicitDeny", "ImplicitlyDenied": "implicitDeny"}
SEND, NOTHING = "sqs:SendMessage", "sqs:ListQueues"


def statement(effect, principal, action=SEND, **condition):
    make = {"Allow": allow, "Deny": deny}[effect]
    return make(action, QUEUE, **condition) | {"Principal": principal if principal == "*" else {"AWS": principal}}


def ann(account):
    return f"arn:aws:iam::{account}:user/ann"


def new_user(cloud, admin, own, boundary):
    """The user `ann` of an administrator's account."""
    iam = cloud.client("iam", admin)
    iam.create_user(UserName="ann")
    document = json.dumps({"Version": "2012-10-17", "Statement": own})
    iam.put_user_policy(UserName="ann", PolicyName="own", PolicyDocument=document)
    if boundary is not None:
        document = json.dumps({"Version": "2012-10-17", "Statement": boundary})
        made = iam.create_policy(PolicyName="boundary", PolicyDocument=document)["Policy"]["Arn"]
        iam.put_user_permissions_boundary(UserName="ann", PermissionsBoundary=made)
    return Credentials.of(iam.create_access_key(UserName="ann")["AccessKey"])


def enforced(cloud, caller, admin, url):
    """What was decided on a message to the queue, as the caller's account is told."""
    try:
        answer = cloud.client("sqs", caller).send_message(QueueUrl=url, MessageBody="hello")
    except ClientError as error:
        answer = error.response
    [decided] = cloud.explain(answer["ResponseMetadata"]["RequestId"], admin)["Decisions"]
    return decided


def simulated(cloud, admin, account, policy, decided):
    entries = [
        {"ContextKeyName": key, "ContextKeyType": "string", "ContextKeyValues": values}
        for key, values in decided["Context"].items()
    ]
    answer = cloud.client("iam", admin).simulate_principal_policy(
        PolicySourceArn=ann(account),
        ActionNames=[decided["Action"]],
        ResourceArns=[decided["Resource"]],
        ResourcePolicy=policy,
        ContextEntries=entries,
    )
    return answer["EvaluationResults"][0]


WITHIN = [
    ([allow(NOTHING)], None, [statement("Allow", ann(ACCOUNT))], "allowed"),
    ([allow(NOTHING)], None, [statement("Allow", f"arn:aws:iam::{ACCOUNT}:root")], "implicitDeny"),
    ([allow(SEND)], None, [statement("Allow", f"arn:aws:iam::{ACCOUNT}:user/bob")], "allowed"),
    ([allow(SEND)], None, [statement("Deny", "*")], "explicitDeny"),
    ([deny(SEND)], None, [statement("Allow", "*")], "explicitDeny"),
    ([allow(SEND)], [allow(NOTHING)], [statement("Allow", f"arn:aws:iam::{ACCOUNT}:user/bob")], "implicitDeny"),
    ([allow(NOTHING)], [allow(NOTHING)], [statement("Allow", ann(ACCOUNT))], "allowed"),
    ([allow(SEND)], [deny(SEND)], [statement("Allow", ann(ACCOUNT))], "explicitDeny"),
    ([allow(NOTHING)], None, [statement("Allow", "*", Bool={"aws:SecureTransport": "true"})], "implicitDeny"),
    ([allow(NOTHING)], None, [statement("Allow", "*", StringEquals={"aws:username": "ann"})], "allowed"),
]
ACROSS = [
    ([allow(SEND)], None, [statement("Allow", ann(OTHER))], "allowed"),
    ([allow(SEND)], None, [statement("Allow", OTHER)], "allowed"),
    ([allow(NOTHING)], None, [statement("Allow", ann(OTHER))], "implicitDeny"),
    ([allow(SEND)], None, [statement("Allow", ann(ACCOUNT))], "implicitDeny"),
    ([allow(SEND)], [allow(NOTHING)], [statement("Allow", ann(OTHER))], "implicitDeny"),
    ([allow(SEND)], None, [statement("Allow", OTHER), statement("Deny", ann(OTHER))], "explicitDeny"),
]


@pytest.mark.parametrize(
    ("account", "own", "boundary", "of_queue", "decision"),
    [(ACCOUNT, *row) for row in WITHIN] + [(OTHER, *row) for row in ACROSS],
)
def test_what_is_enforced_is_what_is_simulated(cloud, account, own, boundary, of_queue, decision):
    admin = None if account == ACCOUNT else Credentials.of(cloud.iamd("CreateAccount", Name="other", AccountId=OTHER))
    cloud.user("bob")
    if account == OTHER:
        cloud.user("ann")
    caller = new_user(cloud, admin, own, boundary)
    policy = json.dumps({"Version": "2012-10-17", "Statement": of_queue})
    url = cloud.client("sqs").create_queue(QueueName="jobs", Attributes={"Policy": policy})["QueueUrl"]
    decided = enforced(cloud, caller, admin, url)
    found = simulated(cloud, admin, account, policy, decided)
    assert DECISIONS[decided["Outcome"]] == found["EvalDecision"] == decision
