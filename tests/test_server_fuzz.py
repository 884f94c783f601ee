"""Hostile values in every parameter of every operation of IAM and STS: an answer in AWS's shape, and never a failure."""

import random
import urllib.parse

import botocore.session
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as SigningCredentials
from raw import Raw

TIMES = 1500
VALUES = [
    "", "a", "A" * 65, "ann", "admin", "role", "/", "//", "/a/", "*", "?", "${aws:username}", "..", "%", "\x00", "\n", "\t", " ", "é",
    "ſ", "\N{KELVIN SIGN}", "\U0001f600", "\ud800", "arn:", "arn:aws:iam::123456789012:user/ann", "arn:aws:iam::123456789012:role/role",
    "arn:aws:iam::aws:policy/AdministratorAccess", "arn:aws:iam::999999999999:role/x", "arn:aws:iam::123456789012:mfa/x", "-1", "0",
    "1", "1001", "3600", "43201", "99999999999999999999", "1e5", "NaN", "true", "True", "null", "{}", "[]", '{"a":' * 50,
    '{"Version":"2012-10-17","Statement":[]}',
    '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}',
    '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}}',
    "2020-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "v1", "v0", "v99999", "AKIAIOSFODNN7EXAMPLE", "123456",
    "Active", "x" * 2000, "AWSServiceRoleForAutoScaling", "autoscaling.amazonaws.com", "us-east-1", "root",
]  # fmt: skip


class Chance(random.Random):
    """What a client sends that means no good."""

    def form(self, shape, prefix):
        """Parameters of a shape as a form has them."""
        if shape.type_name == "structure":
            chosen = [name for name in shape.members if name in shape.required_members or self.random() < 0.75]
            named = {name: shape.members[name].serialization.get("name", name) for name in chosen}
            dot = f"{prefix}." if prefix else ""
            return {k: v for name in chosen for k, v in self.form(shape.members[name], dot + named[name]).items()}
        if shape.type_name == "list":
            items = [self.form(shape.member, f"{prefix}.member.{n}") for n in range(1, self.choice([2, 2, 3, 12]))]
            return {k: v for item in items for k, v in item.items()}
        return {prefix: self.value(shape)}

    def value(self, shape):
        """A hostile value, or one that gets a little further."""
        if getattr(shape, "enum", None) and self.random() < 0.6:
            return self.choice(shape.enum)
        if shape.type_name == "integer" and self.random() < 0.6:
            return self.choice(["1", "900", "3600"])
        return self.choice(VALUES)


@pytest.fixture
def target(aws):
    aws.user("ann")
    return aws


def ask(aws, service, parameters):
    """Status and body of a signed request with this form."""
    pairs = (f"{quoted(name)}={quoted(value)}" for name, value in parameters.items())
    of = aws.server.administrator
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Host": aws.endpoint.removeprefix("http://")}
    request = AWSRequest("POST", f"{aws.endpoint}/", headers, "&".join(pairs).encode())
    SigV4Auth(SigningCredentials(of.access_key_id, of.secret_access_key), service, "us-east-1").add_auth(request)
    lines = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
    with Raw(aws.endpoint) as raw:
        raw.send(f"POST / HTTP/1.1\r\n{lines}Content-Length: {len(request.data)}\r\n\r\n".encode() + request.data)
        status, _, body = raw.answer()
    return status, body


def quoted(text):
    return urllib.parse.quote(text.encode("utf-8", "surrogatepass"), safe="")


@pytest.mark.parametrize("seed", range(2))
def test_no_parameters_make_the_server_fail(target, seed):
    chance = Chance(seed)
    models = {name: botocore.session.get_session().get_service_model(name) for name in ("iam", "sts")}
    operations = [(name, operation) for name, model in models.items() for operation in model.operation_names]
    statuses: dict[int, int] = {}
    for _ in range(TIMES // 2):
        service, name = chance.choice(operations)
        model = models[service]
        shape = model.operation_model(name).input_shape
        parameters = chance.form(shape, "") if shape else {}
        status, body = ask(target, service, {"Action": name, "Version": model.api_version, **parameters})
        assert status != 500, (name, parameters, body)
        assert status == 200 or (b"<Code>" in body and b"<RequestId>" in body), body
        statuses[status] = statuses.get(status, 0) + 1
    assert {200, 400, 404} <= statuses.keys()
    assert target.client("sts").get_caller_identity()["Account"]
    assert target.iamd("VerifyAudit")["Intact"]
    assert "Traceback" not in target.server.log.read_text()
