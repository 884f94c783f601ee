"""EC2's use of KMS keys for its callers: volumes, copies of snapshots and images, instances, encryption by default.

AWS: EBS User Guide, how-ebs-encryption-works, ebs-encryption-requirements, ebs-copy-snapshot; KMS Developer Guide,
services-ebs, ct-ec2two; EC2 User Guide, AMIEncryption; EC2 API Reference, "Error codes".
"""

import pytest
from gateway.two_accounts import code_of, error_of
from running import REGION, allow, deny

ZONE = {"AvailabilityZone": f"{REGION}a", "Size": 1}
THROUGH = {"kms:ViaService": f"ec2.{REGION}.amazonaws.com"}
IMAGE = "ami-12c6146b"
DENIED = "UnauthorizedOperation"


@pytest.fixture
def key(cloud):
    """The ARN of a customer key with the default policy."""
    return cloud.client("kms").create_key()["KeyMetadata"]["Arn"]


@pytest.fixture
def second(cloud):
    """The ARN of another."""
    return cloud.client("kms").create_key()["KeyMetadata"]["Arn"]


@pytest.fixture
def user(cloud):
    """Makes a client of EC2 for a user who may do all of EC2, and of KMS what is said, through EC2 alone."""

    def make(name, *keys):
        given = [allow([f"kms:{one}" for one in actions], key, StringEquals=THROUGH) for key, *actions in keys]
        return cloud.client("ec2", cloud.user(name, allow("ec2:*"), *given))

    return make


def test_a_volume_of_a_customer_key(cloud, user, key):
    plain, generates = user("plain"), user("generates", (key, "GenerateDataKeyWithoutPlaintext"))
    given = {**ZONE, "Encrypted": True, "KmsKeyId": key}
    error = error_of(plain.create_volume, **given)
    assert error["Code"] == DENIED
    assert f"is not authorized to perform: kms:GenerateDataKeyWithoutPlaintext on resource: {key} " in error["Message"]
    made = generates.create_volume(**given)
    assert (made["Encrypted"], made["KmsKeyId"]) == (True, key)
    plain.create_volume(**ZONE)
    event = cloud.events("GenerateDataKeyWithoutPlaintext")[0]
    assert event["requestParameters"] == {"keyId": key, "numberOfBytes": 64}
    cloud.client("kms").disable_key(KeyId=key)
    assert code_of(generates.create_volume, **given) == "InvalidKMSKey.InvalidState"
    gone = key[:-12] + "0" * 12
    assert (
        error_of(generates.create_volume, **{**given, "KmsKeyId": gone})["Message"] == "Given key ID is not accessible"
    )


def test_an_encrypted_volume_is_attached_by_a_grant(cloud, user, key):
    admin = cloud.client("ec2")
    instance = admin.run_instances(ImageId=IMAGE, MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
    volume = admin.create_volume(**ZONE, Encrypted=True, KmsKeyId=key)["VolumeId"]
    plain, grants = user("plain"), user("grants", (key, "CreateGrant"))
    given = {"InstanceId": instance, "VolumeId": volume, "Device": "/dev/sdf"}
    assert code_of(plain.attach_volume, **given) == "CustomerKeyHasBeenRevoked"
    grants.attach_volume(**given)
    constraints = cloud.events("CreateGrant")[0]["requestParameters"]["constraints"]
    assert constraints == {"encryptionContextSubset": {"aws:ebs:id": volume}}
    # A snapshot is encrypted as its volume is, and nothing is asked for it.
    snapshot = plain.create_snapshot(VolumeId=volume)["SnapshotId"]
    assert admin.describe_snapshots(SnapshotIds=[snapshot])["Snapshots"][0]["KmsKeyId"] == key


def test_what_is_made_of_an_encrypted_snapshot(cloud, user, key, second):
    admin = cloud.client("ec2")
    volume = admin.create_volume(**ZONE, Encrypted=True, KmsKeyId=key)["VolumeId"]
    snapshot = admin.create_snapshot(VolumeId=volume)["SnapshotId"]
    made = "GenerateDataKeyWithoutPlaintext"
    reads = user("reads", (key, "ReEncryptFrom", "ReEncryptTo", made))
    moves = user("moves", (key, "ReEncryptFrom"), (second, "ReEncryptTo", made))
    thief = user("thief", (second, "ReEncrypt*", made, "CreateGrant", "DescribeKey", "Decrypt"))
    given = {"AvailabilityZone": f"{REGION}a", "SnapshotId": snapshot}
    assert reads.create_volume(**given)["KmsKeyId"] == key
    again = {**given, "Encrypted": True, "KmsKeyId": second}
    assert code_of(reads.create_volume, **again) == DENIED
    assert moves.create_volume(**again)["KmsKeyId"] == second
    assert "kms:ReEncryptFrom" in error_of(thief.create_volume, **again)["Message"]
    copy = {"SourceRegion": REGION, "SourceSnapshotId": snapshot, "Encrypted": True, "KmsKeyId": second}
    assert "kms:ReEncryptFrom" in error_of(thief.copy_snapshot, **copy)["Message"]
    assert code_of(moves.copy_snapshot, **copy) == DENIED
    copies = user("copies", (key, "ReEncryptFrom"), (second, "ReEncryptTo", made, "CreateGrant", "DescribeKey"))
    copied = copies.copy_snapshot(**copy)["SnapshotId"]
    assert admin.describe_snapshots(SnapshotIds=[copied])["Snapshots"][0]["KmsKeyId"] == second
    # AWS: who copies an encrypted snapshot must not be denied to describe the account's default key.
    only = {"Effect": "Deny", "Action": "kms:DescribeKey", "NotResource": second}
    denied = cloud.user("denied", allow("ec2:*"), allow("kms:*", [key, second]), only)
    assert "kms:DescribeKey" in error_of(cloud.client("ec2", denied).copy_snapshot, **copy)["Message"]


def test_a_snapshot_of_another_region_is_read_by_its_key_there(cloud, user, key):
    there = "eu-west-1"
    far = cloud.client("kms", region=there).create_key()["KeyMetadata"]["Arn"]
    admin = cloud.client("ec2", region=there)
    given = {"AvailabilityZone": f"{there}a", "Size": 1, "Encrypted": True, "KmsKeyId": far}
    snapshot = admin.create_snapshot(VolumeId=admin.create_volume(**given)["VolumeId"])["SnapshotId"]
    made = (key, "ReEncryptTo", "GenerateDataKeyWithoutPlaintext", "CreateGrant", "DescribeKey")
    copy = {"SourceRegion": there, "SourceSnapshotId": snapshot, "Encrypted": True, "KmsKeyId": key}
    thief = user("thief", made)
    assert f"kms:ReEncryptFrom on resource: {far} " in error_of(thief.copy_snapshot, **copy)["Message"]
    through = {"kms:ViaService": f"ec2.{there}.amazonaws.com"}
    reads = allow("kms:ReEncryptFrom", far, StringEquals=through)
    writes = allow([f"kms:{one}" for one in made[1:]], key, StringEquals=THROUGH)
    copies = cloud.client("ec2", cloud.user("copies", allow("ec2:*"), reads, writes))
    copied = copies.copy_snapshot(**copy)["SnapshotId"]
    assert cloud.client("ec2").describe_snapshots(SnapshotIds=[copied])["Snapshots"][0]["KmsKeyId"] == key
    # AWS: without a key of one's own the copy has the account's default one here.
    thief_and_reader = cloud.client("ec2", cloud.user("reader", allow("ec2:*"), reads))
    plain = thief_and_reader.copy_snapshot(SourceRegion=there, SourceSnapshotId=snapshot)["SnapshotId"]
    assert cloud.client("ec2").describe_snapshots(SnapshotIds=[plain])["Snapshots"][0]["KmsKeyId"] not in {far, key}


def test_what_is_made_of_an_unencrypted_snapshot(cloud, user, key):
    admin = cloud.client("ec2")
    snapshot = admin.create_snapshot(VolumeId=admin.create_volume(**ZONE)["VolumeId"])["SnapshotId"]
    half = user("half", (key, "GenerateDataKeyWithoutPlaintext", "CreateGrant"))
    whole = user("whole", (key, "GenerateDataKeyWithoutPlaintext", "CreateGrant", "Decrypt", "DescribeKey"))
    given = {"AvailabilityZone": f"{REGION}a", "SnapshotId": snapshot, "Encrypted": True, "KmsKeyId": key}
    assert code_of(half.create_volume, **given) == DENIED
    assert whole.create_volume(**given)["KmsKeyId"] == key
    copy = {"SourceRegion": REGION, "SourceSnapshotId": snapshot}
    half.copy_snapshot(**copy)
    assert code_of(half.copy_snapshot, **copy, Encrypted=True, KmsKeyId=key) == DENIED
    whole.copy_snapshot(**copy, Encrypted=True, KmsKeyId=key)


def test_instances_with_encrypted_volumes(cloud, user, key):
    plain = user("plain")
    generates = user("generates", (key, "GenerateDataKeyWithoutPlaintext"))
    whole = user("whole", (key, "GenerateDataKeyWithoutPlaintext", "CreateGrant"))
    device = {"DeviceName": "/dev/sdb", "Ebs": {"VolumeSize": 1, "Encrypted": True, "KmsKeyId": key}}
    given = {"ImageId": IMAGE, "MinCount": 1, "MaxCount": 1}
    assert code_of(plain.run_instances, **given, BlockDeviceMappings=[device]) == DENIED
    assert "kms:CreateGrant" in error_of(generates.run_instances, **given, BlockDeviceMappings=[device])["Message"]
    whole.run_instances(**given, BlockDeviceMappings=[device])
    plain.run_instances(**given)
    data = {"ImageId": IMAGE, "BlockDeviceMappings": [device]}
    cloud.client("ec2").create_launch_template(LaunchTemplateName="template", LaunchTemplateData=data)
    launch = {"MinCount": 1, "MaxCount": 1, "LaunchTemplate": {"LaunchTemplateName": "template"}}
    assert code_of(plain.run_instances, **launch) == DENIED
    whole.run_instances(**launch)
    assert code_of(generates.copy_image, Name="copy", SourceRegion=REGION, SourceImageId=IMAGE, Encrypted=True,
                   KmsKeyId=key) == DENIED  # fmt: skip


def test_encryption_by_default(cloud, user, key):
    admin, plain = cloud.client("ec2"), user("plain")
    whole = user("whole", (key, "GenerateDataKeyWithoutPlaintext", "CreateGrant", "Decrypt"))
    nothing = cloud.client("ec2", cloud.user("nothing", allow("ec2:*"), deny("kms:*")))
    admin.enable_ebs_encryption_by_default()
    # EBS's own key needs no permissions and can be denied.
    assert plain.create_volume(**ZONE)["Encrypted"]
    assert code_of(nothing.create_volume, **ZONE) == DENIED
    admin.modify_ebs_default_kms_key_id(KmsKeyId=key)
    assert admin.get_ebs_default_kms_key_id()["KmsKeyId"] == key
    assert code_of(plain.create_volume, **ZONE) == DENIED
    assert code_of(plain.run_instances, ImageId=IMAGE, MinCount=1, MaxCount=1) == DENIED
    assert whole.create_volume(**ZONE)["KmsKeyId"] == key
    whole.run_instances(ImageId=IMAGE, MinCount=1, MaxCount=1)
    admin.reset_ebs_default_kms_key_id()
    assert plain.create_volume(**ZONE)["KmsKeyId"] != key
    admin.disable_ebs_encryption_by_default()
    assert not nothing.create_volume(**ZONE)["Encrypted"]
