"""Policies of queues, tables, secrets and functions: kept when set, decided by, gone with the resource.

AWS: SQS Developer Guide, "Basic examples of Amazon SQS policies"; DynamoDB Developer Guide, "Using resource-based
policies for DynamoDB"; Secrets Manager User Guide, "Resource-based policies"; Lambda Developer Guide, "Viewing
resource-based IAM policies in Lambda".
"""

import io
import json
import zipfile

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError
from gateway.counting import trusting
from gateway.two_accounts import OTHER, code_of, everybody, policy, to, user_of
from gateway.wire import Wire
from running import ACCOUNT, REGION, Credentials, allow, deny

QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:jobs"
TABLE = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/tbl"
FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:fn"
DENIED = {"AccessDenied", "AccessDeniedException"}
SCHEMA = {
    "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    "BillingMode": "PAY_PER_REQUEST",
}


def may(call, **parameters):
    """Whether a call is allowed; any other error than a denial is one."""
    try:
        call(**parameters)
    except ClientError as error:
        if error.response["Error"]["Code"] not in DENIED:
            raise
        return False
    return True


def test_a_policy_that_the_backend_does_not_take_is_not_in_force(cloud):
    lambdas = cloud.client("lambda")
    denied = policy(everybody(deny("lambda:*", FUNCTION)))
    with pytest.raises(ClientError, match="does not implement this operation"):
        lambdas.put_resource_policy(ResourceArn=FUNCTION, Policy=denied)
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        lambdas.get_function(FunctionName="fn")


# Queues.


@pytest.fixture
def queue(cloud):
    return cloud.client("sqs").create_queue(QueueName="jobs")["QueueUrl"]


def set_policy(cloud, queue, text):
    cloud.client("sqs").set_queue_attributes(QueueUrl=queue, Attributes={"Policy": text})


def test_a_queues_policy_lets_in_and_keeps_out(cloud, queue):
    sender = cloud.client("sqs", cloud.user("sender"))
    send = {"QueueUrl": queue, "MessageBody": "m"}
    assert not may(sender.send_message, **send)
    set_policy(
        cloud, queue, policy(to({"AWS": f"arn:aws:iam::{ACCOUNT}:user/sender"}, allow("sqs:SendMessage", QUEUE)))
    )
    assert may(sender.send_message, **send)
    assert not may(sender.receive_message, QueueUrl=queue)
    set_policy(cloud, queue, policy(everybody(deny("sqs:SendMessage", QUEUE))))
    assert not may(cloud.client("sqs").send_message, **send)
    set_policy(cloud, queue, "")
    assert may(cloud.client("sqs").send_message, **send)


def test_a_queues_policy_lets_a_federated_user_in_by_its_name_alone(cloud, queue):
    """AWS: id_credentials_temp_control-access_getfederationtoken: without session policies it has such rights only."""
    broker = cloud.client("sts", cloud.user("broker", allow(["sts:GetFederationToken", "sqs:SendMessage"])))
    session = Credentials.of(broker.get_federation_token(Name="Carol")["Credentials"])
    send = {"QueueUrl": queue, "MessageBody": "m"}
    for named, is_let in (
        (f"arn:aws:sts::{ACCOUNT}:federated-user/Carol", True),
        (f"arn:aws:sts::{ACCOUNT}:federated-user/Dave", False),
        (f"arn:aws:iam::{ACCOUNT}:user/broker", False),
        (f"arn:aws:iam::{ACCOUNT}:root", False),
    ):
        set_policy(cloud, queue, policy(to({"AWS": named}, allow("sqs:SendMessage", QUEUE))))
        assert may(cloud.client("sqs", session).send_message, **send) is is_let, named


def test_a_queue_is_made_with_its_policy_and_takes_it_along(cloud):
    text = policy(everybody(allow("sqs:SendMessage", QUEUE)))
    url = cloud.client("sqs").create_queue(QueueName="jobs", Attributes={"Policy": text})["QueueUrl"]
    sender = cloud.client("sqs", cloud.user("sender"))
    assert may(sender.send_message, QueueUrl=url, MessageBody="m")
    cloud.client("sqs").delete_queue(QueueUrl=url)
    cloud.client("sqs").create_queue(QueueName="jobs")
    assert not may(sender.send_message, QueueUrl=url, MessageBody="m")


def test_a_queue_across_accounts_needs_both_sides(cloud, queue, other):
    able = cloud.client("sqs", user_of(cloud, other, "able", allow("sqs:*")))
    plain = cloud.client("sqs", user_of(cloud, other, "plain"))
    receive = {"QueueUrl": queue}
    assert not may(able.receive_message, **receive)
    set_policy(cloud, queue, policy(to({"AWS": OTHER}, allow("sqs:ReceiveMessage", QUEUE))))
    assert (may(able.receive_message, **receive), may(plain.receive_message, **receive)) == (True, False)
    cloud.client("sqs").send_message(QueueUrl=queue, MessageBody="for the other")
    told = able.receive_message(**receive)["Messages"]
    assert [message["Body"] for message in told] == ["for the other"]


def test_a_permission_is_added_under_its_label_and_removed_by_it(cloud, queue, other):
    owner, able = cloud.client("sqs"), cloud.client("sqs", user_of(cloud, other, "able", allow("sqs:*")))
    send = {"QueueUrl": queue, "MessageBody": "m"}
    owner.add_permission(QueueUrl=queue, Label="theirs", AWSAccountIds=[OTHER], Actions=["SendMessage"])
    assert (may(able.send_message, **send), may(able.receive_message, QueueUrl=queue)) == (True, False)
    owner.remove_permission(QueueUrl=queue, Label="theirs")
    assert not may(able.send_message, **send)


def test_an_anonymous_caller_sends_only_where_the_policy_lets_everybody(cloud, queue):
    nobody = boto3.client(
        "sqs", endpoint_url=cloud.endpoint, region_name=REGION, config=Config(signature_version=UNSIGNED)
    )
    assert not may(nobody.send_message, QueueUrl=queue, MessageBody="m")
    set_policy(cloud, queue, policy(everybody(allow("sqs:SendMessage", QUEUE))))
    assert may(nobody.send_message, QueueUrl=queue, MessageBody="m")
    assert not may(nobody.receive_message, QueueUrl=queue)
    assert not may(nobody.list_queues)
    nobody.close()


def test_an_anonymous_get_at_the_queues_url_sends_too(cloud, queue):
    """SQS Developer Guide, "Making Query API requests": GET, at the queue's own URL."""
    wire, host = Wire(cloud.server), [("host", f"sqs.{REGION}.amazonaws.com")]
    target = f"/{ACCOUNT}/jobs?Action=SendMessage&Version=2012-11-05&MessageBody=m"
    assert wire.send_unsigned("GET", target, host).status == 403
    set_policy(cloud, queue, policy(everybody(allow("sqs:SendMessage", QUEUE))))
    assert b"<MessageId>" in wire.send_unsigned("GET", target, host).body
    wire.close()


@pytest.mark.parametrize(
    ("service", "operation"),
    [("dynamodb", "ListTables"), ("secretsmanager", "ListSecrets"), ("logs", "DescribeLogGroups")],
)
def test_other_services_take_nothing_unsigned(cloud, service, operation):
    nobody = boto3.client(
        service, endpoint_url=cloud.endpoint, region_name=REGION, config=Config(signature_version=UNSIGNED)
    )
    assert code_of(lambda: nobody._make_api_call(operation, {})) == "MissingAuthenticationTokenException"
    nobody.close()


# Tables.


@pytest.fixture
def table(cloud):
    dynamodb = cloud.client("dynamodb")
    dynamodb.create_table(TableName="tbl", **SCHEMA)
    return dynamodb


def get(name=TABLE):
    return {"TableName": name, "Key": {"pk": {"S": "me"}}}


def test_a_tables_policy_is_given_with_it(cloud, other):
    text = policy(to({"AWS": OTHER}, allow("dynamodb:GetItem", TABLE)))
    cloud.client("dynamodb").create_table(TableName="tbl", **SCHEMA, ResourcePolicy=text)
    able = cloud.client("dynamodb", user_of(cloud, other, "able", allow("dynamodb:*")))
    assert may(able.get_item, **get())
    assert not may(able.delete_item, **get())
    assert not may(cloud.client("dynamodb", user_of(cloud, other, "plain")).get_item, **get())


def test_a_policy_that_was_put_is_not_told_of_a_table_that_is_made_again(cloud, other):
    owner, text = cloud.client("dynamodb"), policy(to({"AWS": OTHER}, allow("dynamodb:GetItem", TABLE)))
    able = cloud.client("dynamodb", user_of(cloud, other, "able", allow("dynamodb:*")))
    owner.create_table(TableName="tbl", **SCHEMA)
    owner.put_resource_policy(ResourceArn=TABLE, Policy=text)
    assert may(able.get_item, **get())
    owner.delete_table(TableName="tbl")
    owner.create_table(TableName="tbl", **SCHEMA)
    assert code_of(owner.get_resource_policy, ResourceArn=TABLE) == "PolicyNotFoundException"
    assert not may(able.get_item, **get())


def test_a_policy_that_came_with_a_table_is_told_and_removed(cloud, other):
    owner, text = cloud.client("dynamodb"), policy(to({"AWS": OTHER}, allow("dynamodb:GetItem", TABLE)))
    able = cloud.client("dynamodb", user_of(cloud, other, "able", allow("dynamodb:*")))
    owner.create_table(TableName="tbl", **SCHEMA, ResourcePolicy=text)
    assert may(able.get_item, **get())
    assert json.loads(owner.get_resource_policy(ResourceArn=TABLE)["Policy"]) == json.loads(text)
    given = {"ResourceArn": TABLE, "Policy": text, "ExpectedRevisionId": "NO_POLICY"}
    assert code_of(owner.put_resource_policy, **given) == "PolicyNotFoundException"
    owner.delete_resource_policy(ResourceArn=TABLE)
    assert not may(able.get_item, **get())


def test_a_table_that_is_gone_has_no_policy_when_it_is_made_again(cloud, other):
    text = policy(to({"AWS": OTHER}, allow("dynamodb:GetItem", TABLE)))
    owner = cloud.client("dynamodb")
    owner.create_table(TableName="tbl", **SCHEMA, ResourcePolicy=text)
    owner.delete_table(TableName="tbl")
    owner.create_table(TableName="tbl", **SCHEMA)
    assert not may(cloud.client("dynamodb", user_of(cloud, other, "able", allow("dynamodb:*"))).get_item, **get())


# Secrets.


def test_a_secrets_policy_decides_by_every_name_of_the_secret(cloud, other):
    owner = cloud.client("secretsmanager")
    # AWS: a secret of Secrets Manager's own key is its account's alone (Secrets Manager User Guide,
    # auth-and-access_examples_cross).
    root = to({"AWS": [ACCOUNT, OTHER]}, allow("kms:*"))
    key = cloud.client("kms").create_key(Policy=policy(root))["KeyMetadata"]["Arn"]
    arn = owner.create_secret(Name="app/db", SecretString="s", KmsKeyId=key)["ARN"]
    able = cloud.client("secretsmanager", user_of(cloud, other, "able", allow(["secretsmanager:*", "kms:Decrypt"])))
    reader = cloud.client("secretsmanager", cloud.user("reader", allow("kms:Decrypt")))
    assert (may(able.get_secret_value, SecretId=arn), may(reader.get_secret_value, SecretId="app/db")) == (False, False)
    principals = {"AWS": [OTHER, f"arn:aws:iam::{ACCOUNT}:user/reader"]}
    text = policy(to(principals, allow("secretsmanager:GetSecretValue")))
    owner.put_resource_policy(SecretId="app/db", ResourcePolicy=text)
    assert json.loads(owner.get_resource_policy(SecretId=arn)["ResourcePolicy"]) == json.loads(text)
    assert may(able.get_secret_value, SecretId=arn)
    assert [may(reader.get_secret_value, SecretId=name) for name in ("app/db", arn, arn[:-7])] == [True] * 3
    assert not may(reader.put_secret_value, SecretId="app/db", SecretString="x")
    owner.delete_resource_policy(SecretId="app/db")
    assert (may(able.get_secret_value, SecretId=arn), may(reader.get_secret_value, SecretId="app/db")) == (False, False)


def test_a_secrets_policy_for_everybody_is_refused_where_that_is_blocked(cloud):
    """AWS: Secrets Manager API Reference, PutResourcePolicy, BlockPublicPolicy."""
    secrets = cloud.client("secretsmanager")
    secrets.create_secret(Name="app", SecretString="s")
    broad = policy(everybody(allow("secretsmanager:GetSecretValue")))
    given = {"SecretId": "app", "ResourcePolicy": broad}
    assert code_of(secrets.put_resource_policy, **given, BlockPublicPolicy=True) == "PublicPolicyException"
    assert "ResourcePolicy" not in secrets.get_resource_policy(SecretId="app")
    secrets.put_resource_policy(**given, BlockPublicPolicy=False)
    own = policy(to({"AWS": ACCOUNT}, allow("secretsmanager:GetSecretValue")))
    secrets.put_resource_policy(SecretId="app", ResourcePolicy=own, BlockPublicPolicy=True)


# Functions.


@pytest.fixture
def function(cloud):
    cloud.client("iam").create_role(RoleName="app", AssumeRolePolicyDocument=trusting("lambda.amazonaws.com"))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        file.writestr("a.py", "x = 1")
    lambda_ = cloud.client("lambda")
    lambda_.create_function(
        FunctionName="fn",
        Role=f"arn:aws:iam::{ACCOUNT}:role/app",
        Runtime="python3.12",
        Handler="a.b",
        Code={"ZipFile": packed.getvalue()},
    )
    return lambda_


def test_a_permission_of_a_function_is_for_its_qualifier(cloud, function, other):
    able = cloud.client("lambda", user_of(cloud, other, "able", allow("lambda:*")))
    assert not may(able.get_function, FunctionName=FUNCTION)
    function.add_permission(FunctionName="fn", StatementId="theirs", Action="lambda:GetFunction", Principal=OTHER)
    assert may(able.get_function, FunctionName=FUNCTION)
    assert not may(able.get_function, FunctionName=FUNCTION, Qualifier="$LATEST")
    assert not may(able.delete_function, FunctionName=FUNCTION)
    function.remove_permission(FunctionName="fn", StatementId="theirs")
    assert not may(able.get_function, FunctionName=FUNCTION)


def test_a_function_that_is_made_again_has_none_of_the_old_ones_permissions(cloud, function, other):
    able = cloud.client("lambda", user_of(cloud, other, "able", allow("lambda:*")))
    function.add_permission(FunctionName="fn", StatementId="theirs", Action="lambda:GetFunction", Principal=OTHER)
    code = {"ZipFile": function.get_function(FunctionName="fn") and b"PK\x05\x06" + bytes(18)}
    function.delete_function(FunctionName="fn")
    function.create_function(
        FunctionName="fn", Role=f"arn:aws:iam::{ACCOUNT}:role/app", Runtime="python3.12", Handler="a.b", Code=code
    )
    assert not may(able.get_function, FunctionName=FUNCTION)


# Roles that are handed over.


def test_a_function_gets_a_role_from_who_may_pass_it_and_only_one_that_trusts_lambda(cloud):
    iam = cloud.client("iam")
    for name, service in (("app", "lambda.amazonaws.com"), ("web", "ec2.amazonaws.com")):
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=trusting(service))
    maker = cloud.client("lambda", cloud.user("maker", allow("lambda:*")))
    passed = {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}
    passer = cloud.client("lambda", cloud.user("passer", allow("lambda:*"), allow("iam:PassRole", **passed)))
    given = {
        "FunctionName": "fn",
        "Runtime": "python3.12",
        "Handler": "a.b",
        "Code": {"ZipFile": b"PK\x05\x06" + bytes(18)},
    }
    app, web = f"arn:aws:iam::{ACCOUNT}:role/app", f"arn:aws:iam::{ACCOUNT}:role/web"
    assert not may(maker.create_function, Role=app, **given)
    assert code_of(passer.create_function, Role=web, **given) == "InvalidParameterValueException"
    assert code_of(passer.create_function, Role=f"{app}2", **given) == "InvalidParameterValueException"
    assert not may(passer.create_function, Role=app.replace(ACCOUNT, OTHER), **given)
    assert may(passer.create_function, Role=app, **given)
