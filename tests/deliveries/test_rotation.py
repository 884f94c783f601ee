"""Secrets are rotated by functions, each step of which Secrets Manager has to be let take.

AWS: Secrets Manager User Guide, "Rotation by Lambda function" (rotate-secrets_lambda), "Lambda function rotation
permissions" (rotating-secrets-required-permissions-function); API Reference, RotateSecret and CancelRotateSecret.
"""

import time
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError
from deliveries.conftest import DEADLINE
from functions.conftest import Functions
from running import ACCOUNT, REGION, allow
from services.iamd.test_workloads import trust

FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:rotating"
ROTATING = """
import boto3, json, os, time

def handler(event, context):
    secrets, sqs = boto3.client("secretsmanager"), boto3.client("sqs")
    token, secret, step = event["ClientRequestToken"], event["SecretId"], event["Step"]
    known = secrets.describe_secret(SecretId=secret)
    sqs.send_message(QueueUrl=os.environ["QUEUE"], MessageBody=json.dumps([step, known["VersionIdsToStages"][token]]))
    if step == os.environ.get("CLOSES"):
        boto3.client("lambda").remove_permission(FunctionName="rotating", StatementId="rotation")
    if step == os.environ.get("FAILS"):
        time.sleep(float(os.environ.get("SLEEPS", 0)))
        raise RuntimeError(step)
    if step == "createSecret":
        secrets.put_secret_value(
            SecretId=secret, ClientRequestToken=token, SecretString="fresh", VersionStages=["AWSPENDING"]
        )
    if step == "finishSecret":
        [current] = [key for key, stages in known["VersionIdsToStages"].items() if "AWSCURRENT" in stages]
        secrets.update_secret_version_stage(
            SecretId=secret, VersionStage="AWSCURRENT", MoveToVersionId=token, RemoveFromVersionId=current
        )
"""
CANNOT_INVOKE = {
    "Code": "AccessDeniedException",
    "Message": "Secrets Manager cannot invoke the specified Lambda function. Ensure that the function policy grants "
    "access to the principal secretsmanager.amazonaws.com.",
}
UNFINISHED = {
    "Code": "InvalidRequestException",
    "Message": "A previous rotation isn't complete. That rotation will be reattempted.",
}


@pytest.fixture
def secret(cloud):
    return cloud.client("secretsmanager").create_secret(Name="app/db", SecretString="stale")["ARN"]


@pytest.fixture
def steps(cloud, inbox, secret):
    """The queue that is told of each step, with a function that rotates."""
    queue = inbox("steps")
    cloud.client("iam").create_role(RoleName="worker", AssumeRolePolicyDocument=trust("lambda.amazonaws.com"))
    functions = Functions(cloud)
    closing = allow("lambda:RemovePermission", FUNCTION)
    functions.permit(allow("secretsmanager:*", secret), allow("sqs:SendMessage", queue.arn), closing)
    functions.make(ROTATING, name="rotating", Environment={"Variables": {"QUEUE": queue.url}})
    return queue


def let(cloud, secret, account=ACCOUNT):
    cloud.client("lambda").add_permission(
        FunctionName="rotating", StatementId="rotation", Action="lambda:InvokeFunction",
        Principal="secretsmanager.amazonaws.com", SourceArn=secret, SourceAccount=account,
    )  # fmt: skip


def rotate(cloud, **given):
    return cloud.client("secretsmanager").rotate_secret(SecretId="app/db", **given)


def refused(cloud, **given):
    with pytest.raises(ClientError) as caught:
        rotate(cloud, **given)
    return caught.value.response["Error"]


def described(cloud, until):
    """The secret, once it is so."""
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        known = cloud.client("secretsmanager").describe_secret(SecretId="app/db")
        if until(known):
            return known
    raise AssertionError(known)


def midnight(moment):
    return moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def value(cloud, **version):
    return cloud.client("secretsmanager").get_secret_value(SecretId="app/db", **version)["SecretString"]


def test_the_function_takes_four_steps_once_it_lets_the_service_in(cloud, secret, steps):
    assert refused(cloud, RotationLambdaARN=FUNCTION) == CANNOT_INVOKE
    let(cloud, f"{secret}-of-another")
    assert refused(cloud, RotationLambdaARN=FUNCTION) == CANNOT_INVOKE
    assert "RotationEnabled" not in cloud.client("secretsmanager").describe_secret(SecretId="app/db")
    cloud.client("lambda").remove_permission(FunctionName="rotating", StatementId="rotation")
    let(cloud, secret)
    [before] = cloud.client("secretsmanager").describe_secret(SecretId="app/db")["VersionIdsToStages"]
    told = rotate(
        cloud, RotationLambdaARN=FUNCTION, RotationRules={"ScheduleExpression": "rate(10 days)", "Duration": "3h"}
    )
    version = told["VersionId"]
    pending = ["AWSPENDING"]
    assert steps.read(4) == [[step, pending] for step in ("createSecret", "setSecret", "testSecret", "finishSecret")]
    known = described(cloud, lambda known: "LastRotatedDate" in known)
    assert {key: sorted(stages) for key, stages in known["VersionIdsToStages"].items()} == {
        before: ["AWSPREVIOUS"], version: ["AWSCURRENT", "AWSPENDING"],
    }  # fmt: skip
    assert (known["RotationEnabled"], known["RotationLambdaARN"]) == (True, FUNCTION)
    assert known["RotationRules"] == {
        "AutomaticallyAfterDays": 10, "ScheduleExpression": "rate(10 days)", "Duration": "3h",
    }  # fmt: skip
    # AWS: the window of a rate in days opens at midnight, and the date is when it closes.
    assert known["NextRotationDate"] == midnight(known["LastRotatedDate"]) + timedelta(days=10, hours=3)
    assert (value(cloud), value(cloud, VersionStage="AWSPREVIOUS")) == ("fresh", "stale")


def test_a_step_that_fails_leaves_the_value_and_is_taken_again(cloud, secret, steps):
    let(cloud, secret)
    lambdas = cloud.client("lambda")
    environment = {"QUEUE": steps.url, "FAILS": "setSecret"}
    lambdas.update_function_configuration(FunctionName="rotating", Environment={"Variables": environment})
    token = str(uuid.uuid4())
    assert rotate(cloud, RotationLambdaARN=FUNCTION, ClientRequestToken=token)["VersionId"] == token
    assert [step for step, _ in steps.read(2)] == ["createSecret", "setSecret"]
    assert value(cloud) == "stale"
    lambdas.update_function_configuration(FunctionName="rotating", Environment={"Variables": {"QUEUE": steps.url}})
    deadline = time.monotonic() + DEADLINE
    while not steps.waiting() and time.monotonic() < deadline:
        assert refused(cloud) == UNFINISHED
    assert [step for step, _ in steps.read(4)] == ["createSecret", "setSecret", "testSecret", "finishSecret"]
    described(cloud, lambda known: "AWSCURRENT" in known["VersionIdsToStages"][token])
    assert value(cloud) == "fresh"
    # The function that the secret has counts as one that is named.
    ada = cloud.client("secretsmanager", cloud.user("ada", allow("secretsmanager:*")))
    with pytest.raises(ClientError, match="lambda:InvokeFunction"):
        ada.rotate_secret(SecretId="app/db")
    lambdas.remove_permission(FunctionName="rotating", StatementId="rotation")
    assert refused(cloud) == CANNOT_INVOKE
    assert steps.waiting() == 0


def test_each_step_is_decided_when_it_is_taken(cloud, secret, steps, denied):
    let(cloud, secret)
    environment = {"QUEUE": steps.url, "CLOSES": "createSecret"}
    cloud.client("lambda").update_function_configuration(
        FunctionName="rotating", Environment={"Variables": environment}
    )
    rotate(cloud, RotationLambdaARN=FUNCTION)
    assert denied("Invoke", "secretsmanager.amazonaws.com")["userIdentity"]["type"] == "AWSService"
    assert [step for step, _ in steps.read()] == ["createSecret"]
    assert value(cloud) == "stale"


def test_what_is_not_rotated_at_once_is_only_tested(cloud, secret, steps):
    let(cloud, secret)
    rules = {"AutomaticallyAfterDays": 30}
    rotate(cloud, RotationLambdaARN=FUNCTION, RotationRules=rules, RotateImmediately=False)
    assert steps.read() == [["testSecret", ["AWSPENDING"]]]
    known = described(cloud, lambda known: len(known["VersionIdsToStages"]) == 1)
    assert (known["RotationEnabled"], known["RotationRules"], value(cloud)) == (True, rules, "stale")
    cloud.client("secretsmanager").cancel_rotate_secret(SecretId="app/db")
    known = described(cloud, lambda known: not known["RotationEnabled"])
    assert (known["RotationRules"], known["RotationLambdaARN"]) == (rules, FUNCTION)
    assert "NextRotationDate" not in known


def test_a_secret_is_rotated_when_it_is_due(cloud, secret, steps):
    let(cloud, secret)
    lambdas, rules = cloud.client("lambda"), {"AutomaticallyAfterDays": 10}
    rotate(cloud, RotationLambdaARN=FUNCTION, RotationRules=rules, RotateImmediately=False)
    steps.read()
    known = described(cloud, lambda known: len(known["VersionIdsToStages"]) == 1)
    ten, closes = timedelta(days=10), timedelta(hours=23, minutes=59, seconds=59)
    assert known["NextRotationDate"] == midnight(datetime.now(UTC)) + ten + closes
    environment = {"QUEUE": steps.url, "FAILS": "setSecret", "SLEEPS": "2"}
    lambdas.update_function_configuration(FunctionName="rotating", Environment={"Variables": environment})
    cloud.advance(ten.total_seconds())
    [(step, _), _] = steps.read(2)
    pending = described(cloud, lambda known: known["NextRotationDate"] > midnight(datetime.now(UTC)) + 2 * ten)
    [left] = [key for key, stages in pending["VersionIdsToStages"].items() if stages == ["AWSPENDING"]]
    assert (step, "LastRotatedDate" in pending, value(cloud)) == ("createSecret", False, "stale")
    lambdas.update_function_configuration(FunctionName="rotating", Environment={"Variables": {"QUEUE": steps.url}})
    # It goes on with what it has left, once, though it was due twice, as soon as the step that fails has ended.
    cloud.advance(2 * ten.total_seconds())
    assert [step for step, _ in steps.read(4)] == ["createSecret", "setSecret", "testSecret", "finishSecret"]
    known = described(cloud, lambda known: "LastRotatedDate" in known)
    assert "AWSCURRENT" in known["VersionIdsToStages"][left]
    assert known["NextRotationDate"] == midnight(known["LastRotatedDate"]) + ten + closes
    assert known["LastRotatedDate"] > datetime.now(UTC) + 2 * ten
    # A value that is put is as good as a rotation.
    cloud.advance(timedelta(days=3).total_seconds())
    cloud.client("secretsmanager").put_secret_value(SecretId="app/db", SecretString="by hand")
    moved = described(cloud, lambda known: True)["NextRotationDate"]
    assert moved == known["NextRotationDate"] + timedelta(days=3)
    assert steps.waiting() == 0


def test_rules_that_say_nothing_are_refused(cloud, secret, steps):
    let(cloud, secret)
    for rules, words in (
        ({"AutomaticallyAfterDays": 30, "ScheduleExpression": "rate(30 days)"}, "but not both"),
        ({"ScheduleExpression": "rate(3 hours)"}, "ScheduleExpression is not valid"),
        ({"ScheduleExpression": "at(2030-01-01)"}, "ScheduleExpression is not valid"),
        ({"AutomaticallyAfterDays": 30, "Duration": "25h"}, "Duration is not valid"),
    ):
        told = refused(cloud, RotationLambdaARN=FUNCTION, RotationRules=rules)
        assert told["Code"] == "InvalidParameterException"
        assert words in told["Message"]
    assert "RotationEnabled" not in cloud.client("secretsmanager").describe_secret(SecretId="app/db")


def test_a_secret_without_a_function_is_not_rotated(cloud, secret):
    assert refused(cloud) == {
        "Code": "InvalidRequestException",
        "Message": "No Lambda rotation function ARN is associated with this secret.",
    }
