"""KMS keys are found by their ARNs in every operation that takes one (KMS API Reference, KeyId)."""


def test_a_key_is_disabled_and_deleted_by_its_arn(cloud):
    kms = cloud.client("kms")
    arn = kms.create_key()["KeyMetadata"]["Arn"]

    def state():
        return kms.describe_key(KeyId=arn)["KeyMetadata"]["KeyState"]

    kms.disable_key(KeyId=arn)
    assert state() == "Disabled"
    kms.enable_key(KeyId=arn)
    assert state() == "Enabled"
    kms.schedule_key_deletion(KeyId=arn, PendingWindowInDays=7)
    assert state() == "PendingDeletion"
    kms.cancel_key_deletion(KeyId=arn)
    assert state() == "Disabled"
