"""Hostile values in every parameter of every operation: an answer in AWS's shape, and never a failure."""

import json
import random
import urllib.error
import urllib.request

import botocore.session
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as SigningCredentials
from running import ACCOUNT, REGION

TARGET = "AWSOrganizationsV20161128"
TIMES = 600
VALUES = [
    "", "a", "Root", "\x00", "é", "\N{KELVIN SIGN}", "\U0001f600", "A" * 129, "x" * 11_000, "{}", "[]", "null", '{"a":' * 50, 0, -1,
    20, 1.5, True, None, [], {}, ["a"], {"Key": "a"}, "999999999999", ACCOUNT, "r-aaaa", "ou-aaaa-aaaaaaaa", "p-aaaaaaaa",
    "p-FullAWSAccess", "p-RCPFullAWSAccess", "rp-aaaaaaaa", "car-aaaaaaaa", "backup.amazonaws.com", "dev@example.com",
    '{"Version":"2012-10-17","Statement":[]}',
    '{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"sns:*","Resource":"*"}}',
    '{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":"sqs:*","Resource":"*"}}',
]  # fmt: skip


def ask(aws, operation, content):
    """Status and body of a signed request with this body."""
    of = aws.server.administrator
    headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": f"{TARGET}.{operation}"}
    request = AWSRequest("POST", f"{aws.endpoint}/", headers, json.dumps(content).encode())
    SigV4Auth(SigningCredentials(of.access_key_id, of.secret_access_key), "organizations", REGION).add_auth(request)
    sent = urllib.request.Request(request.url, request.data, dict(request.headers.items()), method="POST")
    try:
        with urllib.request.urlopen(sent, timeout=30) as answer:
            return answer.status, json.loads(answer.read() or b"{}")
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


class Chance(random.Random):
    """What a client sends that means no good, and here and there what exists."""

    def value(self, shape, known):
        if getattr(shape, "enum", None) and self.random() < 0.7:
            return self.choice(shape.enum)
        if shape.type_name == "list" and self.random() < 0.8:
            return [self.value(shape.member, known) for _ in range(self.choice([0, 1, 2, 60]))]
        if shape.type_name == "structure" and self.random() < 0.9:
            return {name: self.value(member, known) for name, member in shape.members.items()}
        fitting = [value for value in known if isinstance(value, str)]
        return self.choice(fitting) if self.random() < 0.4 else self.choice(VALUES)


@pytest.mark.parametrize("seed", range(2))
def test_no_parameters_make_the_server_fail(aws, organizations, member, policy, root_id, seed):
    chance = Chance(seed)
    model = botocore.session.get_session().get_service_model("organizations")
    unit = organizations.create_organizational_unit(ParentId=root_id, Name="a")["OrganizationalUnit"]["Id"]
    known = [root_id, unit, member().account_id, policy({"Effect": "Allow", "Action": "*", "Resource": "*"})]
    statuses: dict[int, int] = {}
    for _ in range(TIMES // 2):
        name = chance.choice([one for one in model.operation_names if one != "DeleteOrganization"])
        shape = model.operation_model(name).input_shape
        members = shape.members if shape else {}
        chosen = [one for one in members if one in shape.required_members or chance.random() < 0.5]
        status, body = ask(aws, name, {one: chance.value(members[one], known) for one in chosen})
        assert status in {200, 400, 501}, (name, body)
        assert status == 200 or body["__type"], body
        statuses[status] = statuses.get(status, 0) + 1
    assert statuses.keys() == {200, 400, 501}
    assert organizations.describe_organization()["Organization"]["MasterAccountId"] == ACCOUNT
    assert aws.iamd("VerifyAudit")["Intact"]
    assert "Traceback" not in aws.server.log.read_text()
