from iamd.data.regions import regions
from iamd.policy.values import PARTITIONS


def test_each_partition_has_its_regions():
    assert {"us-east-1", "eu-west-3", "ap-southeast-2"} <= regions()["aws"]
    assert regions()["aws-cn"] == {"cn-north-1", "cn-northwest-1"}
    assert {"us-gov-east-1", "us-gov-west-1"} == regions()["aws-us-gov"]


def test_what_stands_for_all_regions_is_none():
    assert not any("global" in name for names in regions().values() for name in names)


def test_every_partition_that_policies_may_name_is_there():
    assert regions().keys() >= set(PARTITIONS)
