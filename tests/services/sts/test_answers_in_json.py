"""STS answers in JSON whoever asks for it, as aws-iam-authenticator does of every EKS cluster's callers."""

import json
import time
import urllib.error
import urllib.request

import pytest
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as Signing
from running import ACCOUNT, REGION, Credentials
from services.sts.conftest import trusting

JSON = {"Accept": "application/json"}


def signing(credentials):
    return Signing(credentials.access_key_id, credentials.secret_access_key, credentials.session_token)


def sent(url, headers, body=None):
    """Status, content type and body of the answer."""
    request = urllib.request.Request(url, data=body, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers["Content-Type"], error.read()


@pytest.fixture
def ask(aws):
    """`ask(credentials, Action=..., ...)` sends a form that is signed, and gives status and JSON of the answer."""

    def call(credentials, service="sts", version="2011-06-15", accept="application/json", **parameters):
        request = AWSRequest("POST", aws.endpoint, data={**parameters, "Version": version}, headers={"Accept": accept})
        SigV4Auth(signing(credentials), service, REGION).add_auth(request)
        prepared = request.prepare()
        status, kind, body = sent(aws.endpoint, dict(prepared.headers), prepared.body.encode())
        return status, json.loads(body) if kind == "application/json" else body.decode()

    return call


def test_a_cluster_learns_who_is_calling(aws):
    """kubernetes-sigs/aws-iam-authenticator, pkg/token: the caller presigns, the cluster asks, and reads JSON alone."""
    ann = aws.user("ann")
    url = f"{aws.endpoint}/?Action=GetCallerIdentity&Version=2011-06-15"
    request = AWSRequest("GET", url, headers={"x-k8s-aws-id": "blue"})
    SigV4QueryAuth(signing(ann), "sts", REGION, expires=60).add_auth(request)
    status, kind, body = sent(request.url, {"x-k8s-aws-id": "blue", **JSON})
    told = json.loads(body)
    identity = aws.client("sts", ann).get_caller_identity()
    assert (status, kind) == (200, "application/json")
    assert told["GetCallerIdentityResponse"]["GetCallerIdentityResult"] == {
        "UserId": identity["UserId"], "Account": ACCOUNT, "Arn": f"arn:aws:iam::{ACCOUNT}:user/ann",
    }  # fmt: skip
    assert told["GetCallerIdentityResponse"]["ResponseMetadata"]["RequestId"]
    status, kind, body = sent(request.url, {"x-k8s-aws-id": "green", **JSON})
    error = json.loads(body)
    assert (status, kind) == (403, "application/json")
    assert error["Error"]["Code"] == "SignatureDoesNotMatch"
    assert error["Error"]["Type"] == "Sender"
    assert error.keys() == {"Error", "RequestId"}


def test_dates_are_numbers_and_what_is_not_there_is_null(aws, ask, role):
    ann = aws.user("ann", {"Effect": "Allow", "Action": "sts:*", "Resource": "*"})
    status, told = ask(ann, Action="GetSessionToken", DurationSeconds="900")
    result = told["GetSessionTokenResponse"]["GetSessionTokenResult"]
    assert status == 200
    assert 880 < result["Credentials"]["Expiration"] - time.time() < 920
    arn = role("app", trusting(ACCOUNT))
    status, told = ask(ann, Action="AssumeRole", RoleArn=arn, RoleSessionName="json")
    result = told["AssumeRoleResponse"]["AssumeRoleResult"]
    assert (result["PackedPolicySize"], result["SourceIdentity"]) == (None, None)
    made = result["Credentials"]
    session = Credentials(made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"])
    assert aws.client("sts", session).get_caller_identity()["Arn"] == result["AssumedRoleUser"]["Arn"]


def test_errors_of_every_step_are_in_json(aws, ask):
    ann = aws.user("ann")
    status, told = ask(ann, Action="AssumeRole", RoleArn=f"arn:aws:iam::{ACCOUNT}:role/none", RoleSessionName="json")
    assert (status, told["Error"]["Code"], told["Error"]["Type"]) == (403, "AccessDenied", "Sender")
    assert told["Error"]["Message"].startswith(f"User: arn:aws:iam::{ACCOUNT}:user/ann is not authorized to perform")
    status, told = ask(ann, Action="AssumeRole", RoleSessionName="json")
    assert (status, told["Error"]["Code"]) == (400, "ValidationError")
    status, told = ask(ann, Action="NoSuchThing")
    assert (status, told["Error"]["Code"]) == (400, "InvalidAction")
    status, told = ask(Credentials("AKIAIOSFODNN7EXAMPLE", "x" * 40), Action="GetCallerIdentity")
    assert (status, told["Error"]["Code"]) == (403, "InvalidClientTokenId")


@pytest.mark.parametrize("accept", ["*/*", "text/xml", "text/xml, application/json"])
def test_others_get_xml(aws, ask, accept):
    status, told = ask(aws.user("ann"), Action="GetCallerIdentity", accept=accept)
    assert status == 200
    assert told.startswith("<GetCallerIdentityResponse xmlns=")


def test_iam_answers_in_xml(aws, ask):
    status, told = ask(aws.server.administrator, "iam", "2010-05-08", Action="GetUser")
    assert status == 200
    assert told.startswith("<GetUserResponse xmlns=")
