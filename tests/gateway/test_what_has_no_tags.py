"""A Deny by tags denies what has them, and not what by AWS's reference has none: no type without a key for tags has any."""

import pytest
from botocore.exceptions import ClientError
from gateway.counting import answer
from gateway.two_accounts import error_of
from running import ACCOUNT, allow, deny

from iamd.gateway.actions import resource_kinds

PROD = {"StringEquals": {"aws:ResourceTag/env": "prod"}}
UNTAGGED = {"Null": {"aws:ResourceTag/env": "true"}}
EC2 = f"arn:aws:ec2:us-east-1:{ACCOUNT}"


@pytest.fixture
def careful(cloud):
    """Who may do everything but with what is tagged as production."""
    return cloud.user("careful", allow("*"), deny("*", **PROD))


def test_glues_own_catalog_has_no_tags(cloud, careful):
    glue = cloud.client("glue", careful)
    glue.create_database(DatabaseInput={"Name": "base"})
    assert glue.get_database(Name="base")["Database"]["Name"] == "base"


def test_a_new_key_has_no_tags_but_those_of_the_request(cloud, careful):
    made = cloud.client("kms", careful).create_key(Tags=[{"TagKey": "env", "TagValue": "prod"}])
    assert made["KeyMetadata"]["KeyId"]
    refusing = cloud.user("refusing", allow("*"), deny("kms:TagResource", StringEquals={"aws:RequestTag/env": "prod"}))
    told = error_of(cloud.client("kms", refusing).create_key, Tags=[{"TagKey": "env", "TagValue": "prod"}])
    assert "kms:TagResource" in told["Message"]


def test_a_log_stream_has_its_groups_tags(cloud, careful):
    owner, writer = cloud.client("logs"), cloud.client("logs", careful)
    for name, team in (("plain", {}), ("production", {"tags": {"env": "prod"}})):
        owner.create_log_group(logGroupName=name, **team)
        owner.create_log_stream(logGroupName=name, logStreamName="stream")
    event = {"logStreamName": "stream", "logEvents": [{"timestamp": 1_700_000_000_000, "message": "x"}]}
    assert writer.put_log_events(logGroupName="plain", **event)["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert "explicit deny" in error_of(writer.put_log_events, logGroupName="production", **event)["Message"]


def test_an_alias_of_a_key_and_a_layer_have_none(cloud, careful):
    key = cloud.client("kms").create_key()["KeyMetadata"]["KeyId"]
    kms = cloud.client("kms", careful)
    kms.create_alias(AliasName="alias/a", TargetKeyId=key)
    kms.delete_alias(AliasName="alias/a")
    layers = cloud.client("lambda", careful)
    layers.publish_layer_version(LayerName="layer", Content={"ZipFile": b"x"})
    assert layers.list_layer_versions(LayerName="layer")["LayerVersions"]


@pytest.mark.parametrize("operation", ["create_key_pair", "import_key_pair"])
def test_key_pairs_have_the_tags_of_the_request_and_keep_them(cloud, careful, operation):
    material = {"PublicKeyMaterial": public_key()} if operation == "import_key_pair" else {}
    tagged = {"TagSpecifications": [{"ResourceType": "key-pair", "Tags": [{"Key": "env", "Value": "prod"}]}]}
    maker = cloud.user("maker", allow("*"), deny("*", StringEquals={"aws:RequestTag/env": "prod"}))
    assert (
        "explicit deny"
        in error_of(getattr(cloud.client("ec2", maker), operation), KeyName="mine", **material, **tagged)["Message"]
    )
    owner = getattr(cloud.client("ec2"), operation)
    owner(KeyName="production", **material, **tagged)
    owner(KeyName="plain", **material)
    ec2 = cloud.client("ec2", careful)
    assert "explicit deny" in error_of(ec2.delete_key_pair, KeyName="production")["Message"]
    assert ec2.delete_key_pair(KeyName="plain")["ResponseMetadata"]["HTTPStatusCode"] == 200


def public_key():
    """One that can be imported."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ed25519

    forms = serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
    return ed25519.Ed25519PrivateKey.generate().public_key().public_bytes(*forms)


def test_a_stream_of_kinesis_keeps_the_tags_that_it_is_made_with(cloud, careful):
    owner = cloud.client("kinesis")
    owner.create_stream(StreamName="production", ShardCount=1, Tags={"env": "prod"})
    owner.create_stream(StreamName="plain", ShardCount=1)
    careful_one = cloud.client("kinesis", careful)
    assert "explicit deny" in error_of(careful_one.delete_stream, StreamName="production")["Message"]
    assert careful_one.delete_stream(StreamName="plain")["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_tags_under_other_names_are_the_requests(cloud):
    maker = cloud.user("maker", allow("*"), deny("*", StringEquals={"aws:RequestTag/env": "prod"}))
    backup = cloud.client("backup", maker)
    made = {"BackupVaultName": "vault", "BackupVaultTags": {"env": "prod"}}
    assert "explicit deny" in error_of(backup.create_backup_vault, **made)["Message"]
    assert (
        backup.create_backup_vault(BackupVaultName="vault", BackupVaultTags={"env": "test"})["BackupVaultName"]
        == "vault"
    )
    bundle = {
        "DirectoryId": "d-123456789a",
        "UserName": "u",
        "BundleId": "wsb-1",
        "Tags": [{"Key": "env", "Value": "prod"}],
    }
    assert (
        "explicit deny" in error_of(cloud.client("workspaces", maker).create_workspaces, Workspaces=[bundle])["Message"]
    )


@pytest.mark.parametrize(
    ("arn", "has_none"),
    [
        (f"arn:aws:glue:us-east-1:{ACCOUNT}:catalog", True),
        (f"arn:aws:glue:us-east-1:{ACCOUNT}:catalog/c", False),
        (f"arn:aws:kms:us-east-1:{ACCOUNT}:alias/a", True),
        (f"arn:aws:kms:us-east-1:{ACCOUNT}:key/a", False),
        (f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/t", False),
        (f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/t/backup/b", True),
        # The reference gives the key to the actions on a schedule.
        (f"arn:aws:scheduler:us-east-1:{ACCOUNT}:schedule/g/s", False),
        (f"arn:aws:unknown:us-east-1:{ACCOUNT}:thing/t", False),
        (f"arn:aws:glue:us-east-1:{ACCOUNT}:no-such-type/t", False),
    ],
)
def test_the_reference_tells_which_types_have_no_tags(arn, has_none):
    assert resource_kinds.has_no_tags(arn) is has_none


@pytest.fixture
def objects(cloud):
    """A bucket with an object that has tags, in a version too, and with one that has none."""
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="files")
    s3.put_bucket_versioning(Bucket="files", VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket="files", Key="plain", Body=b"x")
    return s3.put_object(Bucket="files", Key="tagged", Body=b"x", Tagging="team=red")["VersionId"]


def copy(cloud, user, source, **given):
    return cloud.client("s3", user).copy_object(
        Bucket="files", Key="copy", CopySource={"Bucket": "files", **source}, **given
    )


def test_who_copies_an_object_with_tags_must_read_and_set_them(cloud, objects):
    plain = ["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"]
    user = cloud.user("copier", allow(plain, "arn:aws:s3:::files/*"))
    assert copy(cloud, user, {"Key": "plain"})["CopyObjectResult"]
    assert copy(cloud, user, {"Key": "tagged"}, TaggingDirective="REPLACE")["CopyObjectResult"]
    for given, action in (
        ({"Key": "tagged"}, "GetObjectTagging"),
        ({"Key": "tagged", "VersionId": objects}, "GetObjectVersionTagging"),
    ):
        with pytest.raises(ClientError) as refused:
            copy(cloud, user, given)
        assert f"s3:{action} on resource" in refused.value.response["Error"]["Message"]
    reader = cloud.user("reader", allow([*plain, "s3:GetObjectTagging"], "arn:aws:s3:::files/*"))
    with pytest.raises(ClientError) as refused:
        copy(cloud, reader, {"Key": "tagged"})
    assert "s3:PutObjectTagging on resource" in refused.value.response["Error"]["Message"]
    tagger = cloud.user("tagger", allow([*plain, "s3:GetObjectTagging", "s3:PutObjectTagging"], "arn:aws:s3:::files/*"))
    assert copy(cloud, tagger, {"Key": "tagged"})["CopyObjectResult"]
    assert cloud.client("s3").get_object_tagging(Bucket="files", Key="copy")["TagSet"] == [
        {"Key": "team", "Value": "red"}
    ]


def test_where_the_backend_does_not_tell_the_tags_of_a_source_they_count_as_some(counted):
    user = counted.user("plain-copier", allow(["s3:GetObject", "s3:PutObject"]))
    # What is asked first is how the two are encrypted.
    counted.backend.answers += [answer(b"", "404 Not Found"), answer(b""), answer(b"", "403 Forbidden")]
    told = counted.call("s3", "CopyObject", {"Bucket": "untold", "Key": "k", "CopySource": "src/a"}, user)
    assert told.status == 403
    assert "s3:GetObjectTagging" in told.message
