"""The way of one signed request: who is let in, what is decided, how a refusal looks."""

import json
from datetime import timedelta
from unittest import mock
from urllib.parse import urlencode

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.compat import get_current_datetime
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from raw import Raw
from running import REGION, allow


def test_get_caller_identity_names_the_caller(aws):
    answer = aws.client("sts").get_caller_identity()
    assert answer["Arn"] == f"arn:aws:iam::{aws.account_id}:user/admin"
    assert answer["Account"] == aws.account_id


def test_a_user_without_policies_may_do_nothing(aws):
    nobody = aws.user("nobody")
    with pytest.raises(ClientError) as refusal:
        aws.client("iam", nobody).list_users()
    assert refusal.value.response["Error"]["Code"] == "AccessDenied"
    assert refusal.value.response["Error"]["Message"] == (
        f"User: arn:aws:iam::{aws.account_id}:user/nobody is not authorized to perform: iam:ListUsers "
        f"on resource: arn:aws:iam::{aws.account_id}:user/ "
        "because no identity-based policy allows the iam:ListUsers action"
    )
    assert refusal.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_a_policy_binds_the_next_request(aws):
    reader = aws.user("reader", allow("iam:ListUsers"))
    names = [user["UserName"] for user in aws.client("iam", reader).list_users()["Users"]]
    assert names == ["admin", "reader"]


def test_others_are_answered_while_something_long_is_read(aws):
    document = json.dumps({"Version": "2012-10-17", "Statement": [allow("sqs:*")]})
    names = ("SendMessage", "ReceiveMessage", "DeleteMessage", "PurgeQueue")
    queues = [f"arn:aws:sqs:us-east-1:{aws.account_id}:queue-{number}" for number in range(500)]
    simulation = [("Action", "SimulateCustomPolicy"), ("Version", "2010-05-08"), ("PolicyInputList.member.1", document)]
    simulation += [(f"ActionNames.member.{at}", f"sqs:{name}") for at, name in enumerate(names, 1)]
    simulation += [(f"ResourceArns.member.{at}", queue) for at, queue in enumerate(queues, 1)]
    with Raw(aws.endpoint) as patient, Raw(aws.endpoint) as hasty:
        patient.send(signed(aws, "iam", simulation))
        hasty.send(signed(aws, "sts", [("Action", "GetCallerIdentity"), ("Version", "2011-06-15")]))
        assert hasty.answer()[0] == 200
        # Where the long one was on its way first, and held up the other, its answer is here already.
        assert not patient.has_answer()
        assert patient.answer()[0] == 200


WINDOWS = [
    ("iam", "list_users", 15),
    ("sts", "get_caller_identity", 15),
    ("sns", "list_topics", 15),
    ("sqs", "list_queues", 15),
    ("cloudformation", "list_stacks", 5),
    ("organizations", "list_roots", 5),
    ("cloudwatch", "list_metrics", 5),
]


@pytest.mark.parametrize(("service", "operation", "minutes"), WINDOWS, ids=[service for service, *_ in WINDOWS])
def test_sig_04_how_far_off_a_clients_clock_may_be_is_each_services_own(aws, service, operation, minutes):
    client = aws.client(service)
    for seconds in (60 * minutes - 30, 30 - 60 * minutes, 60 * minutes + 30, -60 * minutes - 30):
        then = get_current_datetime() + timedelta(seconds=seconds)
        error = {"Message": ""}
        with mock.patch("botocore.auth.get_current_datetime", return_value=then):
            try:
                getattr(client, operation)()
            except ClientError as refusal:
                error = refusal.response["Error"]
        is_refused = f" {'+' if seconds > 0 else '-'} {minutes} min.)" in error["Message"]
        assert is_refused == (abs(seconds) > 60 * minutes), (seconds, error)


def signed(aws, service, form):
    """A signed request of the administrator's, as it goes over the wire."""
    administrator, body = aws.server.administrator, urlencode(form).encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Content-Length": str(len(body))}
    request = AWSRequest("POST", aws.endpoint + "/", headers, body)
    key = Credentials(administrator.access_key_id, administrator.secret_access_key)
    SigV4Auth(key, service, REGION).add_auth(request)
    lines = [
        f"Host: {aws.endpoint.removeprefix('http://')}",
        *(f"{name}: {value}" for name, value in request.headers.items()),
    ]
    return "\r\n".join(["POST / HTTP/1.1", *lines, "", ""]).encode() + body
