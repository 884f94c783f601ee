"""What policies of functions and layers tell (Lambda API Reference, AddPermission, AddLayerVersionPermission)."""

import io
import json
import zipfile

import pytest
from gateway.two_accounts import code_of, policy
from running import ACCOUNT


@pytest.fixture
def lambda_(cloud):
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = cloud.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=policy(trust))["Role"]["Arn"]
    client = cloud.client("lambda")
    given = {"Runtime": "python3.11", "Role": role, "Handler": "m.h", "Code": {"ZipFile": code()}}
    client.create_function(FunctionName="f", **given)
    return client


def code():
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("m.py", "def h(event, context): return 1")
    return packed.getvalue()


def permit(lambda_, **given):
    told = lambda_.add_permission(FunctionName="f", StatementId="s", Action="lambda:InvokeFunction", **given)
    [kept] = json.loads(lambda_.get_policy(FunctionName="f")["Policy"])["Statement"]
    assert json.loads(told["Statement"]) == kept
    return kept


@pytest.mark.parametrize(
    ("given", "condition"),
    [
        (
            {"Principal": "alexa-appkit.amazon.com", "EventSourceToken": "token"},
            {"StringEquals": {"lambda:EventSourceToken": "token"}},
        ),
        (
            {"Principal": "*", "InvokedViaFunctionUrl": True},
            {"Bool": {"lambda:InvokedViaFunctionUrl": "true"}},
        ),
        (
            {"Principal": "s3.amazonaws.com", "SourceAccount": ACCOUNT, "EventSourceToken": "token"},
            {"StringEquals": {"AWS:SourceAccount": ACCOUNT, "lambda:EventSourceToken": "token"}},
        ),
    ],
)
def test_a_permission_is_told_with_its_conditions(lambda_, given, condition):
    kept = permit(lambda_, **given)
    assert kept["Condition"] == condition
    assert kept.keys() == {"Sid", "Effect", "Principal", "Action", "Resource", "Condition"}


def test_a_layers_permission_is_told_with_its_organization_at_its_revision(lambda_):
    lambda_.publish_layer_version(LayerName="l", Content={"ZipFile": code()})
    named = {"LayerName": "l", "VersionNumber": 1}
    given = {**named, "Action": "lambda:GetLayerVersion", "Principal": "*"}
    lambda_.add_layer_version_permission(**given, StatementId="one", OrganizationId="o-abcdefghij")
    told = lambda_.get_layer_version_policy(**named)
    [statement] = json.loads(told["Policy"])["Statement"]
    assert statement["Condition"] == {"StringEquals": {"aws:PrincipalOrgID": "o-abcdefghij"}}
    assert "OrganizationId" not in statement
    more = {**given, "StatementId": "two"}
    refused = code_of(lambda_.add_layer_version_permission, **more, RevisionId="other")
    assert refused == "PreconditionFailedException"
    assert lambda_.get_layer_version_policy(**named) | {"ResponseMetadata": 0} == told | {"ResponseMetadata": 0}
    lambda_.add_layer_version_permission(**more, RevisionId=told["RevisionId"])
    assert len(json.loads(lambda_.get_layer_version_policy(**named)["Policy"])["Statement"]) == 2
