"""Users on a server, and the requests that boto3 sends for them, as bytes on the wire."""

from itertools import count
from urllib.parse import urlsplit

import boto3
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

REGION = "us-east-1"
USERS = 8
REQUESTS_PER_USER = 8
BUCKET = "bucket"
ROLE = "bench-role"
POLICY = """{
 "Version": "2012-10-17",
 "Statement": [
  {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": "arn:aws:s3:::bucket/*"},
  {"Effect": "Allow", "Action": "sqs:*", "Resource": "arn:aws:sqs:us-east-1:*:team-*"},
  {"Effect": "Allow", "Action": ["iam:Get*", "iam:PutUserPolicy"], "Resource": "arn:aws:iam::*:user/bench-*"},
  {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "arn:aws:iam::*:role/bench-*"},
  {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}}
 ]
}"""
WRITTEN = (
    '{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"sqs:SendMessage",'
    '"Resource":"arn:aws:sqs:us-east-1:*:queue-{}"}}]}}'
)
TRUST = (
    '{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"{}"}},"Action":"sts:AssumeRole"}}]}}'
)


class Caught(Exception):
    """The request that boto3 was about to send."""

    def __init__(self, request):
        super().__init__(request)
        self.request = request


def client(service, port, key):
    """A boto3 client of a server; `key` is an access key id, its secret and, of a session, its token."""
    config = Config(region_name=REGION, retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})
    return boto3.client(
        service,
        endpoint_url=f"http://127.0.0.1:{port}",
        config=config,
        **dict(zip(("aws_access_key_id", "aws_secret_access_key", "aws_session_token"), key, strict=False)),
    )


class Callers:
    """A server's users, each with a policy and an access key, and a role that they may assume."""

    def __init__(self, port, admin):
        self.port = port
        self.admin = admin
        iam = client("iam", port, admin)
        made = [self._user(iam, f"bench-{number}") for number in range(USERS)]
        self.account = made[0][0].split(":")[4]
        self.keys = {arn.rpartition("/")[2]: key for arn, key in made}
        trust = TRUST.format(f"arn:aws:iam::{self.account}:root")
        self.role = iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=trust)["Role"]["Arn"]

    def _user(self, iam, name):
        arn = iam.create_user(UserName=name)["User"]["Arn"]
        iam.put_user_policy(UserName=name, PolicyName="work", PolicyDocument=POLICY)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return arn, (key["AccessKeyId"], key["SecretAccessKey"])

    def caller_identity(self):
        """GetCallerIdentity of each user in turn, with what each answer must hold."""
        return self._requests("sts", "get_caller_identity", lambda name, _: ({}, f":user/{name}<"))

    def assume_role(self):
        """AssumeRole of each user in turn, each for a session of its own name."""

        def one(name, number):
            session = f"{name}-{number}"
            return {"RoleArn": self.role, "RoleSessionName": session}, f":assumed-role/{ROLE}/{session}<"

        return self._requests("sts", "assume_role", one)

    def get_user(self):
        """GetUser of each user in turn, of themselves."""
        return self._requests("iam", "get_user", lambda name, _: ({"UserName": name}, f"<UserName>{name}</UserName>"))

    def put_user_policy(self):
        """PutUserPolicy of each user in turn for themselves: two policies, and something new each time."""
        numbers = count()

        def one(name, number):
            document = WRITTEN.format(next(numbers))
            given = {"UserName": name, "PolicyName": f"written-{number % 2}", "PolicyDocument": document}
            return given, "<PutUserPolicyResponse"

        return self._requests("iam", "put_user_policy", one, each=4 * REQUESTS_PER_USER)

    def get_object(self):
        """GetObject of 8 objects of 1 KiB by each user in turn."""
        return self._requests("s3", "get_object", lambda _, number: (_object(number), "x" * 1024))

    def put_objects(self):
        """Make the bucket and the objects that `get_object` asks for, as the administrator."""
        s3 = client("s3", self.port, self.admin)
        s3.create_bucket(Bucket=BUCKET)
        for number in range(REQUESTS_PER_USER):
            s3.put_object(**_object(number), Body=b"x" * 1024)

    def _requests(self, service, operation, one, each=REQUESTS_PER_USER):
        clients = {name: client(service, self.port, key) for name, key in self.keys.items()}
        made = []
        for number in range(each):
            for name in self.keys:
                parameters, wanted = one(name, number)
                made.append((caught(clients[name], operation, parameters), wanted.encode()))
        return made


def _object(number):
    return {"Bucket": BUCKET, "Key": f"folder/object-{number}"}


def caught(asked, operation, parameters):
    """The bytes that boto3 would send."""

    def stop(request, **_):
        raise Caught(request)

    asked.meta.events.register_first("before-send", stop)
    try:
        getattr(asked, operation)(**parameters)
    except Caught as caught:
        return _bytes(caught.request)
    finally:
        asked.meta.events.unregister("before-send", stop)
    raise TypeError("boto3 sent the request")


def _bytes(request):
    url, body = urlsplit(request.url), request.body or b""
    target = f"{url.path or '/'}?{url.query}" if url.query else url.path or "/"
    # Host and Accept-Encoding are http.client's part.
    headers = {"Host": url.netloc, "Accept-Encoding": "identity"}
    for name, value in request.headers.items():
        headers[name] = value.decode() if isinstance(value, bytes) else value
    return head(request.method, target, headers) + (body.encode() if isinstance(body, str) else body)


def head(method, target, headers):
    """A request line and headers."""
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def upload(port, key, path, size, sha256):
    """The head of a PUT whose body of `size` bytes is sent apart; `sha256` is its hash, or UNSIGNED-PAYLOAD."""
    request = AWSRequest("PUT", f"http://127.0.0.1:{port}{path}", headers={"Host": f"127.0.0.1:{port}"})
    signer = S3SigV4Auth(Credentials(*key), "s3", REGION)
    signer.payload = lambda _: sha256
    signer.add_auth(request)
    return head("PUT", path, {**request.headers, "Content-Length": size})
