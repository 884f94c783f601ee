"""Several instances at one listener, told apart by where requests come from."""

import json
import subprocess
import sys
from dataclasses import replace

import pytest
from cli.conftest import one_line
from metadata.conftest import TTL, health, run_instance
from metadata.test_imds import session, who


@pytest.fixture
def at(metadata):
    """`at(number)` asks from 127.0.0.number."""
    return lambda number: replace(metadata, source=f"127.0.0.{number}")


@pytest.fixture
def register(cloud):
    """`register(number, instance)` has 127.0.0.number stand for an instance."""
    return lambda number, instance: cloud.iamd(
        "RegisterMetadataSource", SourceAddress=f"127.0.0.{number}", InstanceId=instance
    )


def status(metadata):
    return metadata.ask("/latest/api/token", "PUT", **{TTL: "60"}).status


def test_each_address_is_its_own_instance(cloud, at, register):
    web, batch = run_instance(cloud, "web-profile"), run_instance(cloud, "batch-profile")
    register(2, web)
    register(3, batch)
    assert who(cloud, at(2)) == session("web", web)
    assert who(cloud, at(3)) == session("batch", batch)
    assert at(2).token().get("meta-data/instance-id") == web
    assert status(at(4)) == 404


def test_a_token_of_one_address_is_none_of_another(cloud, at, register):
    web, batch = run_instance(cloud, "web-profile"), run_instance(cloud, "batch-profile")
    register(2, web)
    register(3, batch)
    shown = at(2).token().headers
    assert at(3).ask("/latest/meta-data/instance-id", **shown).status == 401


def test_an_instance_with_an_address_is_told_to_no_other_at_the_shared_listener(cloud, at, register):
    web = run_instance(cloud, "web-profile")
    assert status(at(1)) == 200
    register(2, web)
    assert (status(at(1)), status(at(2))) == (404, 200)
    batch = run_instance(cloud, "batch-profile")
    assert who(cloud, at(1)) == session("batch", batch)


def test_an_address_whose_instance_is_gone_is_told_of_no_other(cloud, at, register):
    web = run_instance(cloud, "web-profile")
    register(2, web)
    run_instance(cloud, "batch-profile")
    cloud.client("ec2").terminate_instances(InstanceIds=[web])
    assert status(at(2)) == 404
    cloud.iamd("DeregisterMetadataSource", SourceAddress="127.0.0.2")
    assert status(at(2)) == 200


def test_another_profile_is_the_addresss_next_answer(cloud, at, register):
    web = run_instance(cloud, "web-profile")
    register(2, web)
    assert who(cloud, at(2)) == session("web", web)
    ec2 = cloud.client("ec2")
    [association] = ec2.describe_iam_instance_profile_associations()["IamInstanceProfileAssociations"]
    ec2.replace_iam_instance_profile_association(
        AssociationId=association["AssociationId"], IamInstanceProfile={"Name": "batch-profile"}
    )
    assert who(cloud, at(2)) == session("batch", web)


def test_a_header_makes_no_address(cloud, at, register):
    register(2, run_instance(cloud, "web-profile"))
    for name in ("X-Forwarded-For", "Forwarded", "X-Real-IP"):
        told = at(1).ask("/latest/api/token", "PUT", **{TTL: "60", name: "127.0.0.2"})
        assert told.status in {403, 404}


def run(cloud, *words):
    command = [sys.executable, "-m", "iamd", "metadata", "--data", str(cloud.server.data), *words]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)


def test_the_command_registers_shows_and_removes_addresses(cloud, cloud_server, at):
    web = run_instance(cloud, "web-profile")
    told = json.loads(run(cloud, web, "-o", "json").stdout)
    assert told == {"Endpoint": run(cloud, web).stdout.strip()}
    assert run(cloud, web, "--source", "127.0.0.2").stdout.strip() == health(cloud_server)["metadata"]["default"]
    assert who(cloud, at(2)) == session("web", web)
    [shown] = json.loads(run(cloud, "-o", "json").stdout)["Sources"]
    assert (shown["SourceAddress"], shown["InstanceId"]) == ("127.0.0.2", web)
    assert run(cloud, "--remove-source", "127.0.0.2").returncode == 0
    assert json.loads(run(cloud, "-o", "json").stdout) == {"Sources": []}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--source", "127.0.0.2"), "give its id"),
        (("--remove-source", "127.0.0.2", "i-0123456789abcdef0"), "given alone"),
        (("--remove-source", "127.0.0.2"), "is not registered"),
        (("i-0123456789abcdef0", "--source", "here"), "is not an IP address"),
    ],
)
def test_what_cannot_be_done_is_one_line(cloud, words, said):
    assert said in one_line(run(cloud, *words), 2)
