import json
import re
from datetime import UTC, datetime

import pytest

from iamd.data import managed_policies
from iamd.data.managed_policies import PACK, catalogue, document
from iamd.data.pack import Pack

ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"


@pytest.fixture
def reads(monkeypatch):
    """The blocks that are read while a test runs, from an empty cache."""
    numbers = []
    read = Pack.block
    monkeypatch.setattr(Pack, "block", lambda self, number: numbers.append(number) or read(self, number))
    for cached in (managed_policies._pack, managed_policies._catalogue, document):
        cached.cache_clear()
    return numbers


def statement(arn):
    policy = catalogue()[arn]
    return json.loads(document(arn, policy.default_version_id))["Statement"]


def test_administrator_access_is_as_aws_publishes_it():
    policy = catalogue()[ADMINISTRATOR]
    assert policy.policy_name == "AdministratorAccess"
    assert policy.path == "/"
    # AWS's own id, shown in the IAM API Reference's examples of attached policies and by every account.
    assert (policy.policy_id, policy.id_is_aws) == ("ANPAIWMBCKSKIEE64ZLYK", True)
    assert policy.create_date == datetime(2015, 2, 6, 18, 39, 46, tzinfo=UTC)
    assert policy.default_version_id == "v1"
    assert json.loads(document(ADMINISTRATOR, "v1")) == {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
    }


def test_lambda_basic_execution_role_has_the_path_service_role():
    policy = catalogue()["arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"]
    assert policy.path == "/service-role/"
    assert statement(policy.arn) == [
        {
            "Effect": "Allow",
            "Action": ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": "*",
        }
    ]


def test_s3_read_only_access_reads_and_never_writes():
    allowed = statement("arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess")[0]
    assert {"s3:Get*", "s3:List*"} <= set(allowed["Action"])
    assert not any("Put" in action or "Delete" in action or action.endswith(":*") for action in allowed["Action"])


def test_read_only_access_has_its_history_newest_first():
    policy = catalogue()[READ_ONLY]
    numbers = [int(version.version_id[1:]) for version in policy.versions]
    assert len(numbers) > 100
    assert numbers == sorted(numbers, reverse=True)
    assert policy.default_version_id == f"v{numbers[0]}"
    assert document(READ_ONLY, "v100") != document(READ_ONLY, "v99")


def test_policies_that_aws_lists_no_more_are_marked():
    assert catalogue()["arn:aws:iam::aws:policy/AWSOpsWorks_FullAccess"].deprecated
    assert not catalogue()[ADMINISTRATOR].deprecated
    deprecated = sum(policy.deprecated for policy in catalogue().values())
    assert 0 < deprecated < len(catalogue()) / 10


def test_catalogue_is_full_and_its_keys_are_the_arns():
    assert len(catalogue()) > 1000
    for arn, policy in catalogue().items():
        assert arn == policy.arn == f"arn:aws:iam::aws:policy{policy.path}{policy.policy_name}"
        assert re.fullmatch(r"/([\w-]+/)*", policy.path), arn
        assert policy.create_date <= policy.update_date, arn


def test_unique_ids_are_unique_and_of_aws_form():
    ids = [policy.policy_id for policy in catalogue().values()]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch("ANPA[A-Z2-7]{17}", policy_id) for policy_id in ids)
    assert sum(policy.id_is_aws for policy in catalogue().values()) > 900
    assert len({policy.policy_id for policy in catalogue().values()}) == len(catalogue())


def test_every_policy_has_the_text_of_its_default_version():
    for policy in catalogue().values():
        assert policy.version(policy.default_version_id) is not None, policy.arn


def test_dates_follow_the_numbers_of_versions_and_end_with_the_update():
    unknown = 0
    for policy in catalogue().values():
        dates = [version.create_date for version in policy.versions]
        known = [date for date in dates if date]
        assert known == sorted(known, reverse=True), policy.arn
        assert policy.version(policy.default_version_id).create_date == policy.update_date, policy.arn
        unknown += len(dates) - len(known)
    assert unknown < 2000


def test_every_version_of_every_policy_is_a_json_policy():
    for policy in catalogue().values():
        blocks = {}
        for version in policy.versions:
            block = blocks.setdefault(version.block, None) or managed_policies._pack().block(version.block)
            blocks[version.block] = block
            text = json.loads(block[version.offset : version.offset + version.length])
            assert next(iter(text)) == "Version", (policy.arn, version.version_id)
            assert text["Version"] in {"2012-10-17", "2008-10-17"}
            assert text["Statement"], (policy.arn, version.version_id)


def test_the_index_is_loaded_without_any_document(reads):
    assert len(catalogue()) > 1000
    assert reads == []


def test_a_document_is_one_small_read_and_then_none(reads):
    policy = catalogue()[READ_ONLY]
    text = document(policy.arn, policy.default_version_id)
    assert document(policy.arn, policy.default_version_id) == text
    assert len(reads) == 1
    assert managed_policies._pack()._lengths[reads[0]][1] == len(text.encode()), "the default version is alone"


def test_older_versions_are_read_in_blocks_of_bounded_size():
    assert max(full for _, full in managed_policies._pack()._lengths) <= 2**20


def test_the_document_cache_is_bounded():
    assert document.cache_info().maxsize <= 128


@pytest.mark.parametrize(("arn", "version_id"), [("arn:aws:iam::aws:policy/Nobody", "v1"), (ADMINISTRATOR, "v2")])
def test_unknown_policies_and_versions_raise_key_error(arn, version_id):
    with pytest.raises(KeyError):
        document(arn, version_id)


def test_the_catalogue_cannot_be_changed():
    with pytest.raises(TypeError):
        catalogue()["x"] = None
    with pytest.raises(AttributeError):
        catalogue()[ADMINISTRATOR].policy_name = "x"


def test_the_pack_is_small():
    assert PACK.stat().st_size < 6 * 2**20
    assert managed_policies._pack()._starts[0] < 300_000, "what is read to load the index"
