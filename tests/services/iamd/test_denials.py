"""What was denied, with the statement that would allow it."""

import datetime as dt
import json

import pytest
from botocore.exceptions import ClientError
from running import ACCOUNT, AWS, Credentials, Refusal, allow, deny

ANN = f"arn:aws:iam::{ACCOUNT}:user/ann"


def refused(call, **parameters):
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    assert "AccessDenied" in caught.value.response["Error"]["Code"]
    return caught.value.response["ResponseMetadata"]["RequestId"]


def reported(aws, **parameters):
    told = aws.iamd("ReportDenials", **parameters)
    assert told["IsTruncated"] is False
    return told["Denials"]


@pytest.fixture
def ann(aws):
    return aws.user("ann", allow("iam:GetUser", ANN), deny("iam:DeleteUser") | {"Sid": "Keep"})


def test_what_a_statement_is_missing_for_is_told_with_it(aws, ann):
    iam = aws.client("iam", ann)
    for _ in range(2):
        last = refused(iam.list_users)
    refused(iam.get_user, UserName="admin")
    often, once = reported(aws)
    assert often.pop("LastTime") >= 1.7e9
    assert often == {
        "PrincipalArn": ANN,
        "Action": "iam:ListUsers",
        "Resource": f"arn:aws:iam::{ACCOUNT}:user/",
        "Kind": "Denied",
        "Count": 2,
        "LastRequestId": last,
        "Layer": "identity-based policy",
        "Reason": (
            f"User: {ANN} is not authorized to perform: iam:ListUsers on resource: arn:aws:iam::{ACCOUNT}:user/ "
            "because no identity-based policy allows the iam:ListUsers action"
        ),
        "Statement": json.dumps(
            {"Effect": "Allow", "Action": "iam:ListUsers", "Resource": f"arn:aws:iam::{ACCOUNT}:user/"}
        ),
    }
    assert (once["Action"], once["Resource"], once["Count"]) == ("iam:GetUser", f"arn:aws:iam::{ACCOUNT}:user/admin", 1)


def test_the_statement_allows_it(aws, ann):
    refused(aws.client("iam", ann).list_users)
    [told] = reported(aws)
    document = json.dumps({"Version": "2012-10-17", "Statement": [json.loads(told["Statement"])]})
    aws.client("iam").put_user_policy(UserName="ann", PolicyName="more", PolicyDocument=document)
    assert aws.client("iam", ann).list_users()["Users"]


def test_of_an_explicit_denial_the_statements_are_told_and_none_that_would_allow_it(aws, ann):
    refused(aws.client("iam", ann).delete_user, UserName="ann")
    [told] = reported(aws)
    assert "Statement" not in told
    [statement] = told["DeniedBy"]
    assert (statement["Sid"], statement["Effect"]) == ("Keep", "Deny")
    assert statement["Policy"] == "test (inline policy of user ann)"
    assert told["Reason"].endswith("with an explicit deny in an identity-based policy")


def test_a_boundary_is_told_as_what_does_not_allow(aws, ann):
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow("sqs:*")]})
    made = aws.client("iam").create_policy(PolicyName="limit", PolicyDocument=policy)["Policy"]["Arn"]
    aws.client("iam").put_user_permissions_boundary(UserName="ann", PermissionsBoundary=made)
    refused(aws.client("iam", ann).get_user, UserName="ann")
    [told] = reported(aws)
    assert told["Layer"] == "permissions boundary"
    assert json.loads(told["Statement"]) == {"Effect": "Allow", "Action": "iam:GetUser", "Resource": ANN}


def trusting(principal):
    return json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole"}],
        }
    )


def test_a_trust_policys_statement_names_whom_it_is_for(aws):
    user = aws.user("ann", allow("sts:AssumeRole"))
    admin = f"arn:aws:iam::{ACCOUNT}:user/admin"
    role = aws.client("iam").create_role(RoleName="app", AssumeRolePolicyDocument=trusting(admin))["Role"]["Arn"]
    refused(aws.client("sts", user).assume_role, RoleArn=role, RoleSessionName="session")
    [told] = reported(aws)
    assert told["Layer"] == "role trust policy"
    assert json.loads(told["Statement"])["Principal"] == {"AWS": ANN}


def test_sessions_of_a_role_count_as_the_role(aws):
    admin = f"arn:aws:iam::{ACCOUNT}:user/admin"
    role = aws.client("iam").create_role(RoleName="app", AssumeRolePolicyDocument=trusting(admin))["Role"]["Arn"]
    for name in ("one", "two"):
        given = aws.client("sts").assume_role(RoleArn=role, RoleSessionName=name)["Credentials"]
        refused(aws.client("iam", Credentials.of(given)).list_roles)
    [told] = reported(aws, PrincipalArn=role)
    assert (told["PrincipalArn"], told["Count"]) == (role, 2)


def test_it_is_of_one_principal_and_from_a_time_on(aws, ann):
    other = aws.user("other")
    refused(aws.client("iam", ann).list_users)
    refused(aws.client("iam", other).list_users)
    assert {one["PrincipalArn"] for one in reported(aws)} == {ANN, ANN.replace("ann", "other")}
    assert [one["PrincipalArn"] for one in reported(aws, PrincipalArn=ANN)] == [ANN]
    assert reported(aws, PrincipalArn=ANN.replace("ann", "nobody")) == []
    aws.advance(3600)
    refused(aws.client("iam", other).list_users)
    later = dt.datetime.now(dt.UTC).timestamp() + 1800
    assert [(one["PrincipalArn"], one["Count"]) for one in reported(aws, StartTime=later)] == [
        (ANN.replace("ann", "other"), 1)
    ]


def test_no_more_are_told_than_are_asked_for(aws, ann):
    iam = aws.client("iam", ann)
    for call in (iam.list_users, iam.list_roles, iam.list_users):
        refused(call)
    told = aws.iamd("ReportDenials", MaxResults=1)
    assert [one["Action"] for one in told["Denials"]] == ["iam:ListUsers"]
    assert told["IsTruncated"] is True
    with pytest.raises(Refusal) as caught:
        aws.iamd("ReportDenials", MaxResults=1001)
    assert caught.value.code == "ValidationException"


def test_another_accounts_denials_are_not_told(aws, ann):
    refused(aws.client("iam", ann).list_users)
    other = Credentials.of(aws.iamd("CreateAccount", Name="other"))
    assert aws.iamd("ReportDenials", other)["Denials"] == []


def test_it_needs_permission_and_is_recorded(aws, ann):
    words = f"400 AccessDeniedException: User: {ANN} is not authorized to perform: iamd:ReportDenials "
    with pytest.raises(Refusal, match=words):
        aws.iamd("ReportDenials", ann)
    assert aws.events("ReportDenials")[0]["errorCode"] == "AccessDeniedException"
    [told] = reported(aws)
    assert told["Action"] == "iamd:ReportDenials"


def test_what_soft_enforcement_lets_pass_would_be_denied(start):
    aws = AWS(start("--backend", "moto", "--enforce", "soft", "--dev"))
    user = aws.user("ann", deny("sqs:PurgeQueue"))
    url = aws.client("sqs", user).create_queue(QueueName="jobs")["QueueUrl"]
    aws.client("sqs", user).purge_queue(QueueUrl=url)
    refused(aws.client("iam", user).list_users)
    queue = f"arn:aws:sqs:us-east-1:{ACCOUNT}:jobs"
    told = {one["Action"]: one for one in reported(aws, Kind="WouldBeDenied")}
    assert {action: (one["Kind"], one["Resource"]) for action, one in told.items()} == {
        "sqs:CreateQueue": ("WouldBeDenied", queue),
        "sqs:PurgeQueue": ("WouldBeDenied", queue),
    }
    assert json.loads(told["sqs:CreateQueue"]["Statement"])["Resource"] == queue
    assert told["sqs:PurgeQueue"]["DeniedBy"][0]["Effect"] == "Deny"
    assert [one["Action"] for one in reported(aws, Kind="Denied")] == ["iam:ListUsers"]


def test_all_that_soft_enforcement_would_deny_of_one_request_is_told_at_once(start):
    """Who writes the policy needs each of them, not the first and then the next."""
    aws = AWS(start("--backend", "moto", "--enforce", "soft", "--dev"))
    dynamodb = aws.client("dynamodb", aws.user("ann"))
    for name in ("first", "second"):
        dynamodb.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
    keys = {name: {"Keys": [{"id": {"S": "1"}}]} for name in ("first", "second")}
    dynamodb.batch_get_item(RequestItems=keys)
    told = [one for one in reported(aws, Kind="WouldBeDenied") if one["Action"] == "dynamodb:BatchGetItem"]
    tables = {f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/{name}" for name in keys}
    assert {one["Resource"] for one in told} == tables
    assert {json.loads(one["Statement"])["Resource"] for one in told} == tables


@pytest.mark.parametrize(
    ("service", "operation", "given", "resource"),
    [
        (
            "stepfunctions",
            "describe_execution",
            {"executionArn": f"arn:aws:states:us-east-1:{ACCOUNT}:execution:psm:4f0c-1"},
            f"arn:aws:states:us-east-1:{ACCOUNT}:execution:psm:*",
        ),
        (
            "logs",
            "create_log_stream",
            {"logGroupName": "/app", "logStreamName": "2026/11/27/[$LATEST]5c9c"},
            f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:/app:log-stream:*",
        ),
    ],
)
def test_the_statement_holds_for_what_is_made_anew(cloud, service, operation, given, resource):
    refused(getattr(cloud.client(service, cloud.user("ann")), operation), **given)
    [told] = reported(cloud)
    assert json.loads(told["Statement"])["Resource"] == resource


def test_the_statement_passes_a_role_to_one_service_alone(cloud):
    """IAM User Guide, "Grant a user permissions to pass a role to an AWS service"."""
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": trust})
    role = cloud.client("iam").create_role(RoleName="app", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    ann = cloud.client("lambda", cloud.user("ann", allow("lambda:*")))
    code = {"ZipFile": b"PK\x05\x06" + bytes(18)}
    refused(ann.create_function, FunctionName="fn", Role=role, Runtime="python3.12", Handler="a.b", Code=code)
    [told] = reported(cloud)
    condition = {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}
    wanted = {"Effect": "Allow", "Action": "iam:PassRole", "Resource": role, "Condition": condition}
    assert json.loads(told["Statement"]) == wanted
