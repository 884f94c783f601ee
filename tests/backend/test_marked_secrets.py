"""A secret that is marked for deletion is not used until it is restored (Secrets Manager, InvalidRequestException)."""

import json

import pytest
from gateway.two_accounts import error_of
from running import ACCOUNT

VERSION = "a" * 32
POLICY = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Principal": {"AWS": ACCOUNT},
            "Action": "secretsmanager:GetSecretValue",
            "Resource": "*",
        },
    }
)
ASKED = [
    ("get_secret_value", {}),
    ("put_secret_value", {"SecretString": "other"}),
    ("update_secret", {"SecretString": "other"}),
    ("update_secret_version_stage", {"VersionStage": "mine", "MoveToVersionId": VERSION}),
    ("get_resource_policy", {}),
    ("put_resource_policy", {"ResourcePolicy": POLICY}),
    ("delete_resource_policy", {}),
    ("replicate_secret_to_regions", {"AddReplicaRegions": [{"Region": "eu-west-1"}]}),
    ("remove_regions_from_replication", {"RemoveReplicaRegions": ["eu-west-1"]}),
    ("tag_resource", {"Tags": [{"Key": "a", "Value": "b"}]}),
    ("untag_resource", {"TagKeys": ["a"]}),
]


@pytest.mark.parametrize("by", ["name", "arn"])
@pytest.mark.parametrize(("name", "given"), ASKED, ids=[name for name, _ in ASKED])
def test_a_secret_that_is_marked_is_not_used(cloud, name, given, by):
    secrets = cloud.client("secretsmanager")
    arn = secrets.create_secret(Name="key", SecretString="first", ClientRequestToken=VERSION)["ARN"]
    secrets.delete_secret(SecretId="key")
    error = error_of(getattr(secrets, name), SecretId="key" if by == "name" else arn, **given)
    words = "You can't perform this operation on the secret because it was marked for deletion."
    assert (error["Code"], error["Message"]) == ("InvalidRequestException", words)
    assert "DeletedDate" in secrets.describe_secret(SecretId="key")
    secrets.restore_secret(SecretId="key")
    assert secrets.get_secret_value(SecretId="key")["SecretString"] == "first"
    assert "Tags" not in secrets.describe_secret(SecretId="key")
