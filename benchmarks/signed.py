"""Users on a server, and requests that they signed; botocore is the signer, so every server is asked by AWS's own."""

from datetime import UTC, datetime
from urllib.parse import quote

import boto3
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

REGION = "us-east-1"
USERS = 8
REQUESTS_PER_USER = 8
AGENT = "Boto3/1.44.5 md/Botocore#1.44.5 ua/2.1 os/linux#6.1 md/arch#x86_64 lang/python#3.11.7"
POLICY = (
    '{"Version":"2012-10-17","Statement":['
    '{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":"arn:aws:s3:::bucket/*"},'
    '{"Effect":"Allow","Action":"sqs:*","Resource":"arn:aws:sqs:us-east-1:*:team-*"},'
    '{"Effect":"Deny","Action":"s3:*","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}}}]}'
)


def client(service, port, key):
    """A boto3 client of a server; `key` is an access key id and its secret."""
    config = Config(region_name=REGION, retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})
    return boto3.client(
        service, endpoint_url=f"http://127.0.0.1:{port}", config=config,
        aws_access_key_id=key[0], aws_secret_access_key=key[1],
    )  # fmt: skip


def users(port, admin):
    """Make users with a policy and an access key each; gives their names and keys."""
    iam = client("iam", port, admin)
    made = {}
    for number in range(USERS):
        name = f"bench-{number}"
        iam.create_user(UserName=name)
        iam.put_user_policy(UserName=name, PolicyName="work", PolicyDocument=POLICY)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        made[name] = (key["AccessKeyId"], key["SecretAccessKey"])
    return made


def caller_identity(port, keys):
    """GetCallerIdentity of each user in turn, and the name that each answer must hold."""
    body = "Action=GetCallerIdentity&Version=2011-06-15"
    turns = [name for _ in range(REQUESTS_PER_USER) for name in keys]
    return [(signed(port, keys[name], "sts", body=body), f":user/{name}<".encode()) for name in turns]


def get_object(port, keys, path="/bucket/object-{}", wanted=b"xxxxxxxx"):
    """GetObject of one of 8 objects by each user in turn."""
    turns = [(name, number) for number in range(REQUESTS_PER_USER) for name in keys]
    return [(signed(port, keys[name], "s3", "GET", path.format(number)), wanted) for name, number in turns]


def put_user_policy(port, key, count):
    """PutUserPolicy, a different one each time."""
    document = quote(POLICY, safe="")
    form = "Action=PutUserPolicy&Version=2010-05-08&UserName=bench-{}&PolicyName=p{}&PolicyDocument={}"
    made = []
    for number in range(count):
        body = form.format(number % USERS, number // USERS % 4, document + "%20" * (number % 9))
        made.append((signed(port, key, "iam", body=body), b"<PutUserPolicyResponse"))
    return made


def signed(port, key, service, method="POST", path="/", *, body="", size=None):
    """The bytes of a request; with `size`, of a head whose body of that many bytes is sent apart, unsigned."""
    host = f"127.0.0.1:{port}"
    headers = {"Host": host, "User-Agent": AGENT, "Accept-Encoding": "identity"}
    if body:
        headers["Content-Type"] = "application/x-www-form-urlencoded; charset=utf-8"
    request = AWSRequest(method, f"http://{host}{path}", headers=headers, data=body.encode())
    if size is not None:
        request.context["payload_signing_enabled"] = False
        request.headers["X-Amz-Content-SHA256"] = "UNSIGNED-PAYLOAD"
    auth = S3SigV4Auth if service == "s3" else SigV4Auth
    auth(Credentials(*key), service, REGION).add_auth(request)
    lines = [f"{name}: {value}" for name, value in request.headers.items() if name.lower() != "content-length"]
    if method != "GET":
        lines.append(f"Content-Length: {len(body) if size is None else size}")
    return ("\r\n".join([f"{method} {path} HTTP/1.1", *lines]) + "\r\n\r\n" + body).encode()


def today():
    """When this is, for the head of the table."""
    return datetime.now(UTC).strftime("%Y-%m-%d")
