"""The embedded moto reaches no other account's resource than those of the verdict: what is not in it is not there."""

import base64
import io
import json
import zipfile

import pytest
from backend.embedded_fixture import ACCOUNT, OTHER

from iamd.backend.embedded import MirroredRole

LAYER = "arn:aws:lambda:us-east-1:{}:layer:lay:1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/r"
MIRRORED = MirroredRole(ROLE, "AROAEXAMPLEEXAMPLE111", "r", "/", '{"Version":"2012-10-17","Statement":[]}')
QUEUE = "arn:aws:sqs:us-east-1:{}:que"


def archive(name):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        file.writestr(f"{name}.py", "")
    return {"ZipFile": base64.b64encode(packed.getvalue()).decode()}


def post(moto, operation, path, body, **more):
    headers = [("content-type", "application/json")]
    return moto.call("lambda", operation, "rest-json", "POST", path, json.dumps(body).encode(), headers, **more)


def error(reply):
    return json.loads(reply.body).get("__type") or reply.headers.get(b"x-amzn-errortype", b"").decode()


def make_layers(moto):
    for account in (ACCOUNT, OTHER):
        path = "/2018-10-31/layers/lay/versions"
        made = post(moto, "PublishLayerVersion", path, {"Content": archive(f"of{account}")}, account=account)
        assert made.status == 201


def make_function(moto, *layers, **more):
    given = {"FunctionName": "fn", "Role": ROLE, "Runtime": "python3.12", "Handler": "a.b",
             "Code": archive("a"), "Layers": list(layers)}  # fmt: skip
    return post(moto, "CreateFunction", "/2015-03-31/functions", given, roles=[MIRRORED], **more)


@pytest.mark.parametrize("reached", [(), (LAYER.format(ACCOUNT),)])
def test_a_layer_that_was_not_decided_on_is_none(moto, reached):
    make_layers(moto)
    made = make_function(moto, LAYER.format(OTHER), reached=reached)
    assert (made.status, error(made)) == (404, "ResourceNotFoundException")
    assert make_function(moto, LAYER.format(OTHER), reached=(LAYER.format(OTHER),)).status == 201
    update = {"Layers": [LAYER.format(OTHER)]}
    path = "/2015-03-31/functions/fn/configuration"
    headers = [("content-type", "application/json")]
    body = json.dumps(update).encode()
    for decided, status in (((), 404), ((LAYER.format(OTHER),), 200)):
        told = moto.call(
            "lambda", "UpdateFunctionConfiguration", "rest-json", "PUT", path, body, headers, reached=decided
        )
        assert told.status == status


def make_queue(moto):
    body = b'{"QueueName": "que"}'
    assert moto.json("sqs", "CreateQueue", "AmazonSQS.CreateQueue", body, account=OTHER).status == 200


@pytest.mark.parametrize("reached", [(), (QUEUE.format(ACCOUNT),), (QUEUE.format(OTHER) + "x",)])
def test_an_event_source_that_was_not_decided_on_is_none(moto, reached):
    make_queue(moto)
    assert make_function(moto).status == 201
    given = {"FunctionName": "fn", "EventSourceArn": QUEUE.format(OTHER)}
    path = "/2015-03-31/event-source-mappings"
    told = post(moto, "CreateEventSourceMapping", path, given, reached=reached)
    assert (error(told), b"Invalid EventSourceArn" in told.body) == ("ResourceNotFoundException", True)
    made = post(moto, "CreateEventSourceMapping", path, given, reached=(QUEUE.format(OTHER),))
    assert json.loads(made.body)["EventSourceArn"] == QUEUE.format(OTHER)


def kms(moto, operation, given, **more):
    answer = moto.json("kms", operation, f"TrentService.{operation}", json.dumps(given).encode(), version="1.1", **more)
    return json.loads(answer.body) if getattr(answer, "status", None) == 200 else answer


def test_re_encrypt_uses_the_keys_of_the_verdict_alone(moto):
    own, spare = (kms(moto, "CreateKey", {})["KeyMetadata"]["Arn"] for _ in range(2))
    theirs, more = (kms(moto, "CreateKey", {}, account=OTHER)["KeyMetadata"]["Arn"] for _ in range(2))
    text = base64.b64encode(b"m").decode()
    blob = kms(moto, "Encrypt", {"KeyId": theirs, "Plaintext": text}, account=OTHER)["CiphertextBlob"]
    given = {"CiphertextBlob": blob, "DestinationKeyId": own}
    for reached in ((), (own,), (own, own), (more, own), (own, theirs)):
        told = kms(moto, "ReEncrypt", given, reached=reached)
        assert not isinstance(told, dict), reached
    # Whatever the request calls the key that it encrypts by.
    told = kms(moto, "ReEncrypt", {**given, "DestinationKeyId": spare}, reached=(theirs, own))
    assert (told["SourceKeyId"], told["KeyId"]) == (theirs, own)
    assert kms(moto, "Decrypt", {"CiphertextBlob": told["CiphertextBlob"], "KeyId": own})["Plaintext"] == text
