"""Instance metadata: session tokens, the tree, and whose credentials stand in it."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from botocore.utils import InstanceMetadataFetcher
from metadata.conftest import TOKEN, TTL, Metadata, health, run_instance
from running import ACCOUNT, IMAGE, Credentials, Refusal, allow, deny
from services.iamd.test_workloads import trust

CREDENTIALS = "meta-data/iam/security-credentials/"


def role_of(metadata):
    """The role whose credentials are there."""
    return metadata.token().get(CREDENTIALS)


def who(cloud, metadata):
    """Whose the credentials are that stand there."""
    of = metadata.token()
    told = json.loads(of.get(CREDENTIALS + of.get(CREDENTIALS)))
    assert told["Code"] == "Success", told
    key = Credentials(told["AccessKeyId"], told["SecretAccessKey"], told["Token"])
    return cloud.client("sts", key).get_caller_identity()["Arn"]


def session(role, instance_id):
    return f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{instance_id}"


@pytest.mark.parametrize("ttl", ["", "0", "21601", "-1", "x", "1.5", "999999"])
def test_a_token_is_asked_for_with_its_life(cloud, metadata, ttl):
    run_instance(cloud)
    assert metadata.ask("/latest/api/token", "PUT", **({TTL: ttl} if ttl else {})).status == 400


@pytest.mark.parametrize("ttl", ["1", "21600"])
def test_a_token_says_how_long_it_holds(cloud, metadata, ttl):
    run_instance(cloud)
    told = metadata.ask("/latest/api/token", "PUT", **{TTL: ttl})
    assert (told.status, told.headers[TTL.lower()]) == (200, ttl)
    read = metadata.ask("/latest/meta-data/instance-id", **{TOKEN: told.text})
    assert 0 < int(read.headers[TTL.lower()]) <= int(ttl)


def test_without_a_token_that_holds_nothing_is_told(cloud, metadata):
    run_instance(cloud)
    path = "/latest/meta-data/instance-id"
    of = metadata.token(60)
    assert metadata.ask(path).status == 401
    assert metadata.ask(path, **{TOKEN: "x"}).status == 401
    token = of.headers[TOKEN]
    changed = token[:20] + ("A" if token[20] != "A" else "B") + token[21:]
    assert metadata.ask(path, **{TOKEN: changed}).status == 401
    assert of.ask(path).status == 200
    cloud.advance(60)
    assert of.ask(path).status == 401


def test_a_token_is_the_instances_that_gave_it(cloud, metadata):
    run_instance(cloud)
    of = metadata.token()
    other = run_instance(cloud, None)
    elsewhere = Metadata(cloud.iamd("GetMetadataEndpoint", InstanceId=other)["Endpoint"])
    assert elsewhere.ask("/latest/meta-data/instance-id", **of.headers).status == 401
    assert elsewhere.token().get("meta-data/instance-id") == other


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/latest/api/token", {TTL: "60"}, 405),
        ("POST", "/latest/api/token", {TTL: "60"}, 405),
        ("PUT", "/latest/meta-data/instance-id", {}, 405),
        ("PUT", "/latest/api/token", {TTL: "60", "X-Forwarded-For": "10.0.0.1"}, 403),
        ("PUT", "/latest/api/token", {TTL: "60", "Origin": "http://evil.example"}, 403),
        ("PUT", "/latest/api/token", {TTL: "60", "Sec-Fetch-Mode": "cors"}, 403),
        ("PUT", "/latest/api/token", {TTL: "60", "Host": "evil.example"}, 403),
        ("PUT", "/latest/api/token", {TTL: "60", "Host": "iamd"}, 200),
        ("PUT", "/latest/api/token", {TTL: "60", "Content-Length": "3"}, 400),
    ],
)
def test_who_else_asks_is_refused(cloud, metadata, method, path, headers, status):
    run_instance(cloud)
    assert metadata.ask(path, method, **headers).status == status


def test_a_program_that_can_read_behind_a_proxy_is_refused_with_a_token_too(cloud, metadata):
    run_instance(cloud)
    assert metadata.token().ask("/latest/meta-data/instance-id", X_Forwarded_For="10.0.0.1").status == 403


def test_what_cannot_be_two_requests_is_one(cloud, metadata):
    """The listener takes no framing that the server itself refuses."""
    with socket.create_connection((urlsplit(metadata.endpoint).hostname, urlsplit(metadata.endpoint).port)) as raw:
        raw.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n")
        assert raw.recv(100).startswith(b"HTTP/1.1 400 ")


def test_the_tree_is_the_instances(cloud, metadata):
    tags = [{"Key": "Name", "Value": "front"}, {"Key": "a/b", "Value": "x"}, {"Key": "team", "Value": "blue"}]
    instance = run_instance(
        cloud,
        UserData="#!/bin/sh\necho up\n",
        TagSpecifications=[{"ResourceType": "instance", "Tags": tags}],
        MetadataOptions={"InstanceMetadataTags": "enabled"},
    )
    [described] = cloud.client("ec2").describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"]
    of = metadata.token()
    assert of.get("meta-data/instance-id") == instance
    assert of.get("meta-data/ami-id") == described["ImageId"]
    assert of.get("meta-data/instance-type") == "t3.micro"
    assert of.get("meta-data/local-ipv4") == described["PrivateIpAddress"]
    assert of.get("meta-data/placement/region") == "us-east-1"
    assert of.get("meta-data/placement/availability-zone") == described["Placement"]["AvailabilityZone"]
    assert of.get("meta-data/tags/instance/") == "Name\nteam"
    assert of.get("meta-data/tags/instance/Name") == "front"
    assert of.get("user-data") == "#!/bin/sh\necho up\n"
    document = json.loads(of.get("dynamic/instance-identity/document"))
    known = {"accountId": ACCOUNT, "region": "us-east-1", "instanceId": instance, "imageId": described["ImageId"]}
    assert document.items() >= known.items()
    assert (document["privateIp"], document["version"]) == (described["PrivateIpAddress"], "2017-09-30")


def test_folders_are_listed_with_and_without_a_slash(cloud, metadata):
    run_instance(cloud)
    of = metadata.token()
    assert of.ask("/").text == "latest"
    assert of.get("") == "dynamic\nmeta-data"
    top = of.get("meta-data/").split("\n")
    assert {"ami-id", "iam/", "instance-id", "placement/", "local-ipv4"} <= set(top)
    assert "tags/" not in top, "tags are shown where the instance's options say so"
    assert of.get("meta-data").split("\n") == top
    assert of.get("meta-data/placement/") == "availability-zone\nregion"
    assert of.get("meta-data/iam/") == "info\nsecurity-credentials/"
    for absent in ("user-data", "meta-data/none", "meta-data/instance-id/x", "meta-data/tags/instance/Name"):
        assert of.ask(f"/latest/{absent}").status == 404, absent


def test_the_profile_and_its_role_are_told(cloud, metadata):
    instance = run_instance(cloud)
    of = metadata.token()
    profile = cloud.client("iam").get_instance_profile(InstanceProfileName="web-profile")["InstanceProfile"]
    info = json.loads(of.get("meta-data/iam/info"))
    assert (info["Code"], info["InstanceProfileArn"]) == ("Success", profile["Arn"])
    assert info["InstanceProfileId"] == profile["InstanceProfileId"]
    told = json.loads(of.get(f"{CREDENTIALS}web"))
    assert (told["Type"], told["AccessKeyId"][:4]) == ("AWS-HMAC", "ASIA")
    assert sorted(told) == sorted(
        ["Code", "LastUpdated", "Type", "AccessKeyId", "SecretAccessKey", "Token", "Expiration"]
    )
    assert who(cloud, metadata) == session("web", instance)
    assert of.ask(f"/latest/{CREDENTIALS}batch").status == 404


def test_ec2_is_recorded_as_who_assumed_the_role_once(cloud, metadata):
    instance = run_instance(cloud)
    who(cloud, metadata)
    who(cloud, metadata)
    [event] = cloud.events("AssumeRole")
    assert event["userIdentity"] == {"type": "AWSService", "invokedBy": "ec2.amazonaws.com"}
    assert event["requestParameters"]["roleSessionName"] == instance
    assert event["recipientAccountId"] == ACCOUNT


def test_the_roles_trust_decides(cloud, metadata):
    run_instance(cloud)
    iam = cloud.client("iam")
    statement = {"Effect": "Deny", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    iam.update_assume_role_policy(
        RoleName="web", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": statement})
    )
    told = json.loads(metadata.token().get(f"{CREDENTIALS}web"))
    assert told["Code"] == "AssumeRoleUnauthorizedAccess"
    assert "AccessKeyId" not in told
    assert cloud.events("AssumeRole")[0]["errorCode"] == "AccessDenied"


def test_an_instance_has_no_credentials_before_its_roles_trust_lets_ec2(cloud, metadata):
    # AWS: IAM User Guide, troubleshoot_iam-ec2: such an instance starts.
    iam = cloud.client("iam")
    iam.update_assume_role_policy(RoleName="web", PolicyDocument=trust("lambda.amazonaws.com"))
    instance = run_instance(cloud)
    told = json.loads(metadata.token().get(f"{CREDENTIALS}web"))
    assert (told["Code"], "SecretAccessKey" in told) == ("AssumeRoleUnauthorizedAccess", False)
    iam.update_assume_role_policy(RoleName="web", PolicyDocument=trust("ec2.amazonaws.com"))
    assert who(cloud, metadata) == session("web", instance)


def test_a_profile_that_is_taken_away_or_replaced_is_seen_at_once(cloud, metadata):
    ec2, instance = cloud.client("ec2"), run_instance(cloud)
    assert who(cloud, metadata) == session("web", instance)
    of = {"Filters": [{"Name": "instance-id", "Values": [instance]}]}
    [association] = ec2.describe_iam_instance_profile_associations(**of)["IamInstanceProfileAssociations"]
    replaced = ec2.replace_iam_instance_profile_association(
        AssociationId=association["AssociationId"], IamInstanceProfile={"Name": "batch-profile"}
    )["IamInstanceProfileAssociation"]
    assert who(cloud, metadata) == session("batch", instance)
    ec2.disassociate_iam_instance_profile(AssociationId=replaced["AssociationId"])
    assert metadata.ask("/latest/meta-data/", **{TOKEN: "x"}).status == 404
    own = Metadata(cloud.iamd("GetMetadataEndpoint", InstanceId=instance)["Endpoint"]).token()
    assert own.ask("/latest/meta-data/iam/info").status == 404
    ec2.associate_iam_instance_profile(InstanceId=instance, IamInstanceProfile={"Name": "web-profile"})
    assert who(cloud, metadata) == session("web", instance)


def test_another_role_in_the_profile_is_seen_at_once(cloud, metadata):
    instance, iam = run_instance(cloud), cloud.client("iam")
    assert who(cloud, metadata) == session("web", instance)
    iam.remove_role_from_instance_profile(InstanceProfileName="web-profile", RoleName="web")
    assert metadata.token().ask(f"/latest/{CREDENTIALS}web").status == 404
    iam.add_role_to_instance_profile(InstanceProfileName="web-profile", RoleName="batch")
    assert who(cloud, metadata) == session("batch", instance)


def test_only_a_running_instance_has_metadata(cloud, metadata):
    ec2, instance = cloud.client("ec2"), run_instance(cloud)
    assert who(cloud, metadata) == session("web", instance)
    ec2.stop_instances(InstanceIds=[instance])
    assert metadata.ask("/latest/api/token", "PUT", **{TTL: "60"}).status == 404
    ec2.start_instances(InstanceIds=[instance])
    assert who(cloud, metadata) == session("web", instance)
    ec2.terminate_instances(InstanceIds=[instance])
    assert metadata.ask("/latest/api/token", "PUT", **{TTL: "60"}).status == 404


def test_of_two_instances_each_has_a_listener_of_its_own(cloud, metadata):
    web, batch = run_instance(cloud), run_instance(cloud, "batch-profile")
    assert metadata.ask("/latest/api/token", "PUT", **{TTL: "60"}).status == 404
    for role, instance in (("web", web), ("batch", batch)):
        endpoint = cloud.iamd("GetMetadataEndpoint", InstanceId=instance)["Endpoint"]
        assert who(cloud, Metadata(endpoint)) == session(role, instance)
        assert cloud.iamd("GetMetadataEndpoint", InstanceId=instance)["Endpoint"] == endpoint
        assert health(cloud.server)["metadata"][instance] == endpoint


def test_the_address_is_told_to_who_may_ask_for_it(cloud):
    instance = run_instance(cloud)
    asked = cloud.user("asked", allow("iamd:GetMetadataEndpoint"))
    assert cloud.iamd("GetMetadataEndpoint", asked, InstanceId=instance)["Endpoint"].startswith("http://127.0.0.1:")
    with pytest.raises(Refusal, match="nobody is not authorized to perform: iamd:GetMetadataEndpoint"):
        cloud.iamd("GetMetadataEndpoint", cloud.user("nobody"), InstanceId=instance)
    other = Credentials.of(cloud.iamd("CreateAccount", Name="other"))
    with pytest.raises(Refusal, match=f"NoSuchInstance: No instance {instance} of this account runs"):
        cloud.iamd("GetMetadataEndpoint", other, InstanceId=instance)
    with pytest.raises(Refusal, match="NoSuchInstance"):
        cloud.iamd("GetMetadataEndpoint", InstanceId="i-0123456789abcdef0")
    assert {e.get("errorCode") for e in cloud.events("GetMetadataEndpoint")} >= {None, "NoSuchInstance"}


def test_a_profile_that_nobody_was_allowed_to_pass_gives_nothing(cloud, metadata):
    """Who may not pass the role starts no instance with it, nor by a template that somebody else has made.

    AWS: EC2 User Guide, "Control access to launch templates": a profile in the template is passed by who launches.
    """
    ec2 = cloud.client("ec2")
    ec2.create_launch_template(
        LaunchTemplateName="web",
        LaunchTemplateData={
            "ImageId": IMAGE,
            "InstanceType": "t3.micro",
            "IamInstanceProfile": {"Name": "web-profile"},
        },
    )
    user = cloud.user("user", allow("ec2:*"), deny("iam:PassRole"))
    own = cloud.client("ec2", user)
    with pytest.raises(own.exceptions.ClientError, match=r"UnauthorizedOperation|AccessDenied"):
        run_instance(cloud, credentials=user)
    with pytest.raises(own.exceptions.ClientError, match=r"UnauthorizedOperation.*iam:PassRole"):
        own.run_instances(LaunchTemplate={"LaunchTemplateName": "web"}, MinCount=1, MaxCount=1)
    # Whoever may pass it: which version was launched, and so which profile, is the backend's to know.
    ec2.run_instances(LaunchTemplate={"LaunchTemplateName": "web"}, MinCount=1, MaxCount=1)
    assert metadata.ask("/latest/api/token", "PUT", **{TTL: "60"}).status == 404


def test_the_instances_options_bind_its_metadata(cloud, metadata):
    instance = run_instance(cloud, MetadataOptions={"HttpEndpoint": "disabled"})
    assert metadata.ask("/latest/api/token", "PUT", **{TTL: "60"}).status == 403
    cloud.client("ec2").modify_instance_metadata_options(InstanceId=instance, HttpEndpoint="enabled")
    assert who(cloud, metadata) == session("web", instance)


def test_credentials_are_new_before_their_end(cloud, metadata):
    run_instance(cloud)
    of = metadata.token(21600)
    first, seen = json.loads(of.get(f"{CREDENTIALS}web")), set()
    cloud.advance(20000)
    assert json.loads(of.get(f"{CREDENTIALS}web")) == first
    cloud.advance(800)
    seen.add(json.loads(of.get(f"{CREDENTIALS}web"))["AccessKeyId"])
    assert seen != {first["AccessKeyId"]}


def test_what_is_reset_gives_nothing_any_more(cloud, metadata):
    run_instance(cloud)
    assert who(cloud, metadata)
    cloud.server.post("/_iamd/reset")
    assert metadata.ask("/latest/api/token", "PUT", **{TTL: "60"}).status == 404


def environment(metadata, cloud, tmp_path):
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "IAMD_"))}
    return clean | {
        "AWS_EC2_METADATA_SERVICE_ENDPOINT": metadata.endpoint,
        "AWS_ENDPOINT_URL": cloud.endpoint,
        "AWS_DEFAULT_REGION": "us-east-1",
        "HOME": str(tmp_path),
    }


def test_boto3_and_the_aws_cli_find_the_role(cloud, metadata, tmp_path):
    instance, env = run_instance(cloud), environment(metadata, cloud, tmp_path)
    script = "import boto3; print(boto3.client('sts').get_caller_identity()['Arn'])"
    cli = [str(Path(sys.executable).parent / "aws"), "sts", "get-caller-identity", "--query", "Arn", "--output", "text"]
    for words in ([sys.executable, "-c", script], cli):
        told = subprocess.run(words, check=False, capture_output=True, text=True, env=env, timeout=60)
        assert told.stdout.strip() == session("web", instance), told.stderr


def test_botocores_fetcher_has_credentials_with_their_end(cloud, metadata):
    run_instance(cloud)
    fetcher = InstanceMetadataFetcher(config={"ec2_metadata_service_endpoint": metadata.endpoint + "/"})
    told = fetcher.retrieve_iam_role_credentials()
    key = Credentials(told["access_key"], told["secret_key"], told["token"])
    assert cloud.client("iam", key).list_users()["Users"]
    fetcher._session.close()


def test_the_command_prints_the_address(cloud, tmp_path):
    instance = run_instance(cloud)
    words = [sys.executable, "-m", "iamd", "metadata", "--data", str(cloud.server.data), instance]
    told = subprocess.run(words, check=True, capture_output=True, text=True, timeout=60)
    assert who(cloud, Metadata(told.stdout.strip())) == session("web", instance)
