"""Commands run the document that is asked for (Systems Manager API Reference, SendCommand)."""

import hashlib
import json

import pytest
from gateway.two_accounts import code_of


@pytest.fixture
def ssm(cloud):
    """Systems Manager with a document of two versions, the first of which is the default."""
    client = cloud.client("ssm")
    client.create_document(Name="doc", DocumentType="Command", Content=content("one"))
    client.update_document(Name="doc", Content=content("two"), DocumentVersion="$LATEST")
    return client


def content(what):
    step = {"action": "aws:runShellScript", "name": "run", "inputs": {"runCommand": [f"echo {what}"]}}
    return json.dumps({"schemaVersion": "2.2", "mainSteps": [step]})


def digest(what):
    return hashlib.sha256(content(what).encode()).hexdigest()


def send(ssm, **more):
    return ssm.send_command(DocumentName="doc", InstanceIds=["i-0123456789abcdef0"], **more)["Command"]


def refused(ssm, **more):
    return code_of(ssm.send_command, **{"DocumentName": "doc", "InstanceIds": ["i-0123456789abcdef0"], **more})


def test_a_version_is_one_that_there_is_and_is_told(ssm):
    for version in ("1", "2", "$LATEST", "$DEFAULT"):
        command = send(ssm, DocumentVersion=version)
        assert command["DocumentVersion"] == version
        [listed] = ssm.list_commands(CommandId=command["CommandId"])["Commands"]
        assert listed["DocumentVersion"] == version
    assert send(ssm)["DocumentVersion"] == "$DEFAULT"
    assert refused(ssm, DocumentVersion="7") == "InvalidDocumentVersion"
    assert len(ssm.list_commands()["Commands"]) == 5


@pytest.mark.parametrize(
    ("version", "ours", "other"), [(None, "one", "two"), ("1", "one", "two"), ("$LATEST", "two", "one")]
)
def test_a_document_has_the_hash_that_is_expected(ssm, version, ours, other):
    given = {"DocumentVersion": version} if version else {}
    assert ssm.describe_document(Name="doc", **given)["Document"]["Hash"] == digest(ours)
    send(ssm, DocumentHash=digest(ours), DocumentHashType="Sha256", **given)
    assert refused(ssm, DocumentHash=digest(other), **given) == "InvalidDocument"
    assert len(ssm.list_commands()["Commands"]) == 1


def test_what_is_not_known_of_a_document_is_refused(ssm):
    assert refused(ssm, DocumentHash=digest("one"), DocumentHashType="Sha1") == "NotImplemented"
    aws = {"DocumentName": "AWS-RunShellScript"}
    assert refused(ssm, **aws, DocumentHash=digest("one")) == "NotImplemented"
    assert refused(ssm, **aws, DocumentVersion="1") == "NotImplemented"
    assert ssm.send_command(**aws, InstanceIds=["i-0123456789abcdef0"], DocumentVersion="$LATEST")
