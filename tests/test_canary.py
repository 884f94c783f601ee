"""AUD-04: after a session that uses every kind of secret, none stands in the database, the log, an event or an error."""

import base64
import io
import json
import re
import secrets
import time
import urllib.parse
import zipfile
from contextlib import suppress

import pyotp
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as SigningCredentials
from botocore.exceptions import ClientError
from raw import Raw
from running import ACCOUNT, AWS, Credentials, Server, allow

FORM = "application/x-www-form-urlencoded"


class Canaries:
    """The secrets that were used, by name, and everything that the server said when it refused."""

    def __init__(self):
        self.values: dict[str, str] = {}
        self.refusals: list[str] = []

    def new(self, name: str) -> str:
        return self.keep(name, f"Canary-{name}-{secrets.token_hex(6)}A1!")

    def keep(self, name: str, value: str) -> str:
        assert self.values.setdefault(name, value) == value
        assert len(value) >= 12
        return value

    def tried(self, call, **parameters):
        """The answer of a call; a refusal is kept, for it must not hold a secret either."""
        try:
            return call(**parameters)
        except ClientError as error:
            self.refusals.append(json.dumps(error.response, default=str))
            return None

    def forms(self):
        """Each secret as it may be written: plain, in base64, or percent-encoded."""
        for name, value in self.values.items():
            yield name, value.encode()
            yield name, base64.b64encode(value.encode()).rstrip(b"=")
            yield name, urllib.parse.quote(value, safe="").encode()

    def found_in(self, content: bytes) -> set[str]:
        return {name for name, form in self.forms() if form in content}


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    """A session with every kind of secret; what is left of it: the folder, the log, refusals, and all events."""
    canaries = Canaries()
    secret = canaries.keep("administrator", f"canary{secrets.token_hex(17)}")
    given = {"IAMD_ADMIN_ACCESS_KEY_ID": "AKIACANARYCANARY0000", "IAMD_ADMIN_SECRET_ACCESS_KEY": secret}
    server = Server(tmp_path_factory.mktemp("canary") / "data", "--dev", environment=given)
    aws = AWS(server)
    identities(aws, canaries)
    forwarded(aws, canaries)
    malformed(aws, canaries)
    time.sleep(0.3)
    pages = aws.client("cloudtrail").get_paginator("lookup_events").paginate()
    events = [event for page in pages for event in page["Events"]]
    explained = [aws.explain(json.loads(event["CloudTrailEvent"])["requestID"]) for event in events[::20]]
    assert server.stop() == 0
    return canaries, server, events, explained


def watched(aws, canaries, service, credentials=None):
    """A client whose signatures are canaries too."""
    client = aws.client(service, credentials)

    def note(request, **_):
        sent = request.headers.get("Authorization", b"")
        found = re.search(r"Signature=([0-9a-f]{64})", sent if isinstance(sent, str) else sent.decode())
        if found:
            canaries.keep(f"signature {len(canaries.values)}", found[1])

    client.meta.events.register("before-send", note, unique_id="canary")
    return client


def identities(aws, canaries):
    """Keys, passwords, MFA devices, sessions."""
    iam = watched(aws, canaries, "iam")
    ann = aws.user("ann", allow(["iam:ChangePassword", "sts:*"]))
    canaries.keep("secret access key", ann.secret_access_key)
    for name in ("password", "second password"):
        canaries.tried(iam.create_login_profile, UserName="ann", Password=canaries.new(name))
    canaries.tried(iam.create_login_profile, UserName="nobody", Password=canaries.new("long password") * 20)
    canaries.tried(iam.update_login_profile, UserName="ann", Password=canaries.new("third password"))
    own = watched(aws, canaries, "iam", ann)
    old = canaries.values["third password"]
    canaries.tried(
        own.change_password, OldPassword=canaries.new("wrong password"), NewPassword=canaries.new("new password")
    )
    canaries.tried(own.change_password, OldPassword=old, NewPassword="short")
    canaries.tried(own.change_password, OldPassword=old, NewPassword=canaries.new("newer password"))
    device = iam.create_virtual_mfa_device(VirtualMFADeviceName="phone")["VirtualMFADevice"]
    seed = canaries.keep("seed", device["Base32StringSeed"].decode())
    canaries.keep("raw seed", base64.b32decode(seed + "=" * (-len(seed) % 8)).hex())
    step = int(time.time() // 30)
    codes = {f"AuthenticationCode{n}": pyotp.HOTP(seed).at(step - 2 + n) for n in (1, 2)}
    canaries.tried(iam.enable_mfa_device, UserName="ann", SerialNumber=device["SerialNumber"], **codes)
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:user/ann"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": trust})
    role = iam.create_role(RoleName="role", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    held = watched(aws, canaries, "sts", ann).assume_role(RoleArn=role, RoleSessionName="session")["Credentials"]
    canaries.keep("session's secret", held["SecretAccessKey"])
    token = canaries.keep("session token", held["SessionToken"])
    wrong = Credentials(
        held["AccessKeyId"], held["SecretAccessKey"], canaries.keep("altered token", token[:-3] + "AAA")
    )
    pasted = [Credentials(canaries.new(f"pasted {n}").replace(" ", ""), "x") for n in (1, 2)]
    for of in (Credentials.of(held), wrong, Credentials(held["AccessKeyId"], held["SecretAccessKey"]), *pasted):
        canaries.tried(watched(aws, canaries, "sts", of).get_caller_identity)
        canaries.tried(watched(aws, canaries, "s3", of).list_buckets)
    canaries.values = {name: value.replace(" ", "") for name, value in canaries.values.items()}
    canaries.keep("administrator of another account", aws.iamd("CreateAccount", Name="two")["SecretAccessKey"])


def forwarded(aws, canaries):
    """What requests to other services carry."""
    new, tried = canaries.new, canaries.tried

    def client(service):
        return watched(aws, canaries, service)

    s3, sse = client("s3"), canaries.keep("customer's key", secrets.token_hex(16))
    s3.create_bucket(Bucket="bucket")
    tried(
        s3.put_object, Bucket="bucket", Key="k", Body=new("object"), SSECustomerAlgorithm="AES256", SSECustomerKey=sse
    )
    tried(s3.get_object, Bucket="missing", Key="k", SSECustomerAlgorithm="AES256", SSECustomerKey=sse)
    presigning = aws.client("s3", signature_version="s3v4")
    url = presigning.generate_presigned_url("get_object", Params={"Bucket": "bucket", "Key": "k"})
    signature = re.search(r"X-Amz-Signature=([0-9a-f]+)", url)[1]
    canaries.keep("presigned", signature)
    # S3 tells a wrong signature back, beside what else it compared; never the right one.
    wrong = url.replace(signature, signature[::-1])
    for path in (url.removeprefix(aws.endpoint), wrong.removeprefix(aws.endpoint)):
        refused(aws, canaries, "GET", path, {"Host": aws.endpoint.removeprefix("http://")})
    manager = client("secretsmanager")
    for name in ("secret", "same secret"):
        tried(manager.create_secret, Name="s", SecretString=new(name))
    tried(manager.put_secret_value, SecretId="s", SecretBinary=new("binary secret").encode())
    tried(manager.get_secret_value, SecretId="s")
    for name in ("parameter", "same parameter"):
        tried(client("ssm").put_parameter, Name="p", Value=new(name), Type="SecureString")
    tried(client("ssm").get_parameter, Name="p", WithDecryption=True)
    kms = client("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    sealed = kms.encrypt(KeyId=key, Plaintext=new("plaintext").encode())["CiphertextBlob"]
    tried(kms.decrypt, CiphertextBlob=sealed)
    data_key = kms.generate_data_key(KeyId=key, KeySpec="AES_256")["Plaintext"]
    canaries.keep("data key", base64.b64encode(data_key).decode())
    database = {
        "DBInstanceIdentifier": "db",
        "DBInstanceClass": "db.t3.micro",
        "Engine": "postgres",
        "AllocatedStorage": 20,
    }
    tried(client("rds").create_db_instance, **database, MasterUsername="u", MasterUserPassword=new("database password"))
    tried(
        client("redshift").create_cluster,
        ClusterIdentifier="c",
        NodeType="x",
        MasterUsername="u",
        MasterUserPassword=new("cluster password"),
    )
    cognito = client("cognito-idp")
    pool = cognito.create_user_pool(PoolName="p")["UserPool"]["Id"]
    tried(cognito.admin_create_user, UserPoolId=pool, Username="u", TemporaryPassword=new("temporary password"))
    tried(cognito.admin_set_user_password, UserPoolId=pool, Username="u", Password=new("user password"), Permanent=True)
    sign_up(cognito, pool, canaries)
    pair = client("ec2").create_key_pair(KeyName="k")["KeyMaterial"]
    canaries.keep("private key", pair.splitlines()[3])
    tried(client("ec2").run_instances, ImageId="ami-1", MinCount=1, MaxCount=1, UserData=new("user data"))
    messages(client, canaries)


def sign_up(cognito, pool, canaries):
    """What a user of an application's has: none of it is signed."""
    new, keep = canaries.new, canaries.keep
    given = {"ClientName": "app", "ExplicitAuthFlows": ["ALLOW_USER_PASSWORD_AUTH"]}
    app = cognito.create_user_pool_client(UserPoolId=pool, **given)["UserPoolClient"]["ClientId"]
    password, mail = new("sign-up password"), [{"Name": "email", "Value": f"{new('mail')}@example.com"}]
    cognito.sign_up(ClientId=app, Username="w", Password=password, UserAttributes=mail)
    canaries.tried(cognito.confirm_sign_up, ClientId=app, Username="w", ConfirmationCode=new("confirmation code"))
    cognito.admin_confirm_sign_up(UserPoolId=pool, Username="w")
    given = {"USERNAME": "w", "PASSWORD": password}
    answer = cognito.initiate_auth(ClientId=app, AuthFlow="USER_PASSWORD_AUTH", AuthParameters=given)
    tokens = answer["AuthenticationResult"]
    keep("ID token", tokens["IdToken"])
    keep("access token of a user", tokens["AccessToken"])
    cognito.get_user(AccessToken=tokens["AccessToken"])


def messages(client, canaries):
    """Data on its way: messages, items, code."""
    new, tried = canaries.new, canaries.tried
    queue = client("sqs").create_queue(QueueName="q")["QueueUrl"]
    attributes = {"a": {"DataType": "String", "StringValue": new("message attribute")}}
    tried(client("sqs").send_message, QueueUrl=queue, MessageBody=new("message"), MessageAttributes=attributes)
    entries = [{"Id": "1", "MessageBody": new("message of a batch"), "MessageAttributes": attributes}]
    tried(client("sqs").send_message_batch, QueueUrl=queue, Entries=entries)
    topic = client("sns").create_topic(Name="t")["TopicArn"]
    tried(
        client("sns").publish,
        TopicArn=topic,
        Message=new("notification"),
        Subject=new("subject"),
        MessageAttributes=attributes,
    )
    table = client("dynamodb")
    keys = {
        "AttributeDefinitions": [{"AttributeName": "k", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "k", "KeyType": "HASH"}],
    }
    tried(table.create_table, TableName="table", BillingMode="PAY_PER_REQUEST", **keys)
    tried(table.put_item, TableName="table", Item={"k": {"S": "1"}, "v": {"S": new("item")}})
    update = {"UpdateExpression": "SET v = :v", "ExpressionAttributeValues": {":v": {"S": new("updated")}}}
    tried(table.update_item, TableName="table", Key={"k": {"S": "1"}}, **update)
    literal = f"INSERT INTO \"table\" VALUE {{'k': '2', 'v': '{new('literal')}'}}"
    parameter = {
        "Statement": "UPDATE \"table\" SET v = ? WHERE k = '1'",
        "Parameters": [{"S": new("parameter of a statement")}],
    }
    tried(table.execute_statement, Statement=literal)
    tried(table.execute_statement, Statement=f'SELECT * FROM "table" WHERE v = \'{new("cut literal")}')
    tried(table.batch_execute_statement, Statements=[parameter, {"Statement": literal}])
    tried(table.execute_transaction, TransactStatements=[parameter])
    logs = client("logs")
    tried(logs.create_log_group, logGroupName="g")
    tried(logs.create_log_stream, logGroupName="g", logStreamName="s")
    line = {"timestamp": int(time.time() * 1000), "message": new("log line")}
    tried(logs.put_log_events, logGroupName="g", logStreamName="s", logEvents=[line])
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("a.py", new("code"))
    variables = {"Variables": {"DB_PASSWORD": new("environment")}}
    described = {
        "FunctionName": "f",
        "Runtime": "python3.11",
        "Role": f"arn:aws:iam::{ACCOUNT}:role/role",
        "Handler": "a.b",
    }
    tried(client("lambda").create_function, **described, Code={"ZipFile": code.getvalue()}, Environment=variables)
    tried(client("lambda").invoke, FunctionName="f", Payload=json.dumps({"x": new("payload")}))


def malformed(aws, canaries):
    """Secrets in the wrong place, in requests that can't be read, and from nobody."""
    basic = base64.b64encode(f"user:{canaries.new('basic')}".encode()).decode()
    for value in (
        f"Bearer {canaries.new('bearer')}",
        f"Basic {canaries.keep('basic header', basic)}",
        f"AWS AKIA:{canaries.new('SigV2')}",
        f"AWS4-HMAC-SHA256 {canaries.new('junk')}",
        f"AWS4-HMAC-SHA256 Credential={canaries.new('credential')}, SignedHeaders=a, Signature={canaries.new('value')}",
    ):
        target = {"Host": "dynamodb.localhost", "X-Amz-Target": "DynamoDB_20120810.ListTables"}
        for headers in ({"Host": "iam.localhost"}, {"Host": "s3.localhost"}, target):
            refused(aws, canaries, "POST", "/", {**headers, "Authorization": value})
    query = f"X-Amz-Algorithm=x&X-Amz-Credential=a&X-Amz-Signature={canaries.new('in-query')}&X-Amz-Security-Token={canaries.new('token-in-query')}"
    refused(aws, canaries, "GET", f"/bucket?{query}", {"Host": "localhost"})
    profile = "Action=CreateLoginProfile&Version=2010-05-08&UserName=a"
    refused(
        aws,
        canaries,
        "POST",
        "/",
        {"Host": "iam.localhost", "Content-Type": FORM},
        f"{profile}&Password={canaries.new('unsigned')}",
    )
    for form in (
        f"{profile}&Password={canaries.new('first')}&Password={canaries.new('second')}",
        f"{profile}&password={canaries.new('lower')}",
        f"{profile}&Password.x={canaries.new('deep')}",
        f"{profile}&Password=%zz{canaries.new('escape')}",
        f"Action=ChangePassword&Version=2010-05-08&NewPassword={canaries.new('alone')}",
        f"Action=Unheard&Version=2010-05-08&Password={canaries.new('unheard')}",
    ):
        refused(aws, canaries, "POST", "/", *signed(aws, "iam", form, {"Content-Type": FORM}))
    json_headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "secretsmanager.CreateSecret"}
    for body in (
        f'{{"SecretString": "{canaries.new("unread")}", }}',
        f'{{"Name": "x", "SecretString": ["{canaries.new("listed")}"]}}',
        f'{{"Name": "x", "SecretStrin": "{canaries.new("misspelt")}"}}',
        f'{{"Name": "x", "SecretString": "{canaries.new("twice")}", "SecretString": "{canaries.new("again")}"}}',
    ):
        refused(aws, canaries, "POST", "/", *signed(aws, "secretsmanager", body, json_headers))


def signed(aws, service, body, headers):
    of = aws.server.administrator
    request = AWSRequest(
        "POST", f"{aws.endpoint}/", {**headers, "Host": aws.endpoint.removeprefix("http://")}, body.encode()
    )
    SigV4Auth(SigningCredentials(of.access_key_id, of.secret_access_key), service, "us-east-1").add_auth(request)
    return dict(request.headers.items()), body


def refused(aws, canaries, method, path, headers, body=""):
    """Send what no SDK would, and keep the whole answer."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in {**headers, "Content-Length": len(body.encode())}.items())
    with Raw(aws.endpoint) as raw, suppress(ConnectionError):
        raw.send(f"{method} {path} HTTP/1.1\r\n{lines}\r\n{body}".encode())
        status, answered, content = raw.answer()
    assert status < 500, content
    if status >= 400:
        canaries.refusals.append(json.dumps(answered) + content.decode("utf-8", "replace"))


def test_the_session_was_one(session):
    """Else nothing would be proven: requests were made and answered, secrets were used, much was refused."""
    canaries, _, events, _ = session
    assert len(canaries.values) > 110
    assert len(canaries.refusals) > 40
    seen = {json.loads(event["CloudTrailEvent"])["eventName"] for event in events}
    assert {"CreateLoginProfile", "AssumeRole", "PutItem", "CreateSecret", "Encrypt", "GetObject"} <= seen


def test_no_secret_is_in_an_event(session):
    canaries, _, events, explained = session
    assert canaries.found_in(json.dumps([events, explained], default=str).encode()) == set()


def test_no_secret_is_in_the_database_in_the_clear(session):
    """Events, records, one-use rows: the whole file, read as bytes (SEC-02)."""
    canaries, server, _, _ = session
    content = b"".join(path.read_bytes() for path in server.data.glob("iamd.db*"))
    assert b"CreateLoginProfile" in content
    assert canaries.found_in(content) == set()
    key = (server.data / "key").read_bytes().split()[1]
    assert key not in content
    assert base64.b64decode(key) not in content


def test_no_secret_is_in_the_log(session):
    canaries, server, _, _ = session
    log = server.log.read_bytes()
    assert canaries.found_in(log) == set()
    assert b"Traceback" not in log


def test_no_secret_is_in_an_error(session):
    canaries, _, _, _ = session
    assert {name for text in canaries.refusals for name in canaries.found_in(text.encode())} == set()
