import pytest

from iamd.data import service_reference
from iamd.data.pack import Pack
from iamd.data.service_reference import PACK, ConditionKey, action, prefixes, service

TYPES = {"String", "ARN", "Bool", "Numeric", "Date", "IPAddress"}


@pytest.fixture
def reads(monkeypatch):
    numbers = []
    read = Pack.block
    monkeypatch.setattr(Pack, "block", lambda self, number: numbers.append(number) or read(self, number))
    service_reference._pack.cache_clear()
    service_reference._service.cache_clear()
    return numbers


def test_put_object_acts_on_objects_and_writes():
    # AWS: Service Authorization Reference, list_amazons3.
    put = action("s3", "PutObject")
    assert put.access_level == "Write"
    assert "object" in {resource.name for resource in put.resources}
    assert not put.wildcard_only
    assert "s3:x-amz-acl" in put.every_condition_key


def test_list_all_my_buckets_is_allowed_on_everything_or_nothing():
    assert action("s3", "ListAllMyBuckets").wildcard_only
    assert "ListAllMyBuckets" in service("s3").wildcard_only_actions
    assert "PutObject" not in service("s3").wildcard_only_actions


def test_keys_of_resource_types_are_keys_of_the_action():
    assert "ec2:InstanceType" in action("ec2", "RunInstances").every_condition_key


@pytest.mark.parametrize(("prefix", "name"), [("sqs", "SendMessage"), ("SQS", "sendmessage"), ("Sqs", "SENDMESSAGE")])
def test_case_of_prefix_and_action_does_not_matter(prefix, name):
    assert action(prefix, name).name == "SendMessage"


@pytest.mark.parametrize(("prefix", "name"), [("sqs", "SendMessages"), ("nothing", "SendMessage"), ("", "")])
def test_unknown_actions_are_none(prefix, name):
    assert action(prefix, name) is None


def test_unknown_prefixes_are_none_and_fill_no_cache():
    before = service_reference._service.cache_info().currsize
    assert [service(f"unknown-{number}") for number in range(50)] == [None] * 50
    assert service_reference._service.cache_info().currsize == before


def test_a_queue_and_an_object_have_their_arn_patterns():
    queue = service("sqs").resource_type("queue")
    assert queue.arn == "arn:${Partition}:sqs:${Region}:${Account}:${QueueName}"
    assert service("s3").resource_type("Object").arn == "arn:${Partition}:s3:::${BucketName}/${ObjectName}"


def test_leading_keys_and_tag_keys_are_multivalued():
    # AWS: IAM User Guide, reference_policies_condition-single-vs-multi-valued-context-keys.
    dynamodb = service("dynamodb")
    assert dynamodb.condition_key("dynamodb:LeadingKeys").multivalued
    assert dynamodb.condition_key("dynamodb:attributes").multivalued
    assert service("sqs").condition_key("aws:tagkeys").multivalued
    assert not service("s3").condition_key("s3:prefix").multivalued


@pytest.mark.parametrize(
    ("prefix", "key", "name"),
    [
        ("sqs", "aws:RequestTag/team", "aws:RequestTag/${TagKey}"),
        ("sqs", "AWS:REQUESTTAG/a/b", "aws:RequestTag/${TagKey}"),
        ("s3", "s3:ExistingObjectTag/colour", "s3:ExistingObjectTag/<key>"),
    ],
)
def test_keys_with_a_part_of_their_own_are_found_by_what_a_request_carries(prefix, key, name):
    assert service(prefix).condition_key(key).name == name


@pytest.mark.parametrize("key", ["aws:RequestTag/", "aws:RequestTagX/team", "xaws:RequestTag/team", "s3:prefix"])
def test_keys_that_only_look_alike_are_none(key):
    assert service("sqs").condition_key(key) is None


def test_pattern_characters_in_a_key_name_stand_for_themselves():
    key = ConditionKey("codebuild:a.${name}.value", "String")
    assert key.names("codebuild:a.b.value")
    assert not key.names("codebuild:axb.value")


def test_only_the_service_that_is_asked_for_is_read(reads):
    assert len(prefixes()) > 400
    assert reads == []
    service("sqs")
    service("SQS")
    assert len(reads) == 1


def test_every_service_is_whole():
    """Each action's resource types are defined or AWS's page leaves them out; each key's type is one of AWS's."""
    missing = 0
    for prefix in prefixes():
        reference = service(prefix)
        assert reference.prefix == prefix
        assert all(name == one.name.lower() for name, one in reference.actions.items())
        names = [resource.name for one in reference.actions.values() for resource in one.resources]
        missing += sum(reference.resource_type(name) is None for name in names)
        for key in reference.condition_keys.values():
            assert key.type.removeprefix("ArrayOf") in TYPES, key
    assert missing < 100


def test_resource_control_policies_reach_s3_and_not_ec2():
    # AWS: Organizations User Guide, orgs_manage_policies_rcps.
    assert service("s3").resource_control_policies
    assert service("sts").resource_control_policies
    assert not service("ec2").resource_control_policies


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("GetObjcet", "GetObject"), ("getobjekt", "GetObject"), ("GetObjectt", "GetObject"), ("etObject", "GetObject"),
        ("GteObjekt", "GetObject"), ("GetObject", "GetObject"),
    ],
)  # fmt: skip
def test_a_name_with_typing_errors_is_near_to_the_action(typed, meant):
    assert service("s3").nearest(typed).name == meant


def test_nothing_is_near_to_what_is_another_word_or_could_be_either():
    assert service("cloudformation").nearest("Foo") is None
    assert service("s3").nearest("ListObjects") is None
    assert service("s3").nearest("") is None
    # One error from TagResource, and one from UntagResource.
    assert service("kms").nearest("UtagResource") is None
    assert service("dynamodb").nearest("Scna").name == "Scan"
    assert service("dynamodb").nearest("Scnna") is None


def test_references_cannot_be_changed():
    with pytest.raises(AttributeError):
        service("s3").name = "x"
    with pytest.raises(TypeError):
        prefixes()["x"] = 1


def test_the_pack_is_small():
    assert PACK.stat().st_size < 6 * 2**20
