"""Stacks over time: a client that waits for them, a restart, a caller who goes, what is kept of what they hide."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from running import AWS, Server, allow, asking
from services.cloudformation.conftest import IAM, body, group, status_at_last

CLI = """
import sys, time
sleep = time.sleep
time.sleep = lambda seconds: sleep(seconds) if seconds < 30 else sys.exit("the stack was not done at the first look")
from awscli.clidriver import main
sys.exit(main())
"""
"""The AWS CLI, which looks at a stack every half a minute (`deployer.py`), and here once."""


def test_the_cli_deploys(cloud, tmp_path, ended):
    template = tmp_path / "template.yaml"
    administrator = cloud.server.administrator
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "AWS_ENDPOINT_URL": cloud.endpoint,
        "AWS_ACCESS_KEY_ID": administrator.access_key_id,
        "AWS_SECRET_ACCESS_KEY": administrator.secret_access_key,
        "AWS_DEFAULT_REGION": "us-east-1",
    }

    def deploy(*more):
        command = [sys.executable, "-c", CLI, "cloudformation", "deploy", "--stack-name", "tour"]
        command += ["--template-file", str(template), "--capabilities", "CAPABILITY_NAMED_IAM", *more]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    template.write_text(body(A=group("a")))
    made = deploy("--tags", "team=blue")
    assert made.returncode == 0, made.stderr
    assert "Successfully created/updated stack - tour" in made.stdout
    # The CLI names a change set by the second, and two have not the same name.
    time.sleep(1.1)
    assert "No changes to deploy" in deploy("--tags", "team=blue").stderr
    assert ended("tour") == "CREATE_COMPLETE"
    assert [one["GroupName"] for one in cloud.client("iam").list_groups()["Groups"]] == ["a"]


def test_what_was_in_progress_when_iamd_ended_has_failed_and_can_be_deleted(tmp_path):
    data = tmp_path / "data"
    server = Server(data, "--backend", "none")
    client = AWS(server).client("cloudformation")
    many = {f"G{number:03d}": group() for number in range(100)}
    client.create_stack(StackName="done", TemplateBody=body(A=group("kept")), **IAM)
    assert status_at_last(client, "done") == "CREATE_COMPLETE"
    client.create_stack(StackName="tour", TemplateBody=body(**many), **IAM)
    server.stop(signal.SIGKILL)
    with Server.serving(data, "--backend", "none") as server:
        aws = AWS(server)
        client = aws.client("cloudformation")
        [stack] = client.describe_stacks(StackName="tour")["Stacks"]
        assert (stack["StackStatus"], stack["StackStatusReason"]) == (
            "CREATE_FAILED",
            "iamd ended while this was in progress.",
        )
        assert client.describe_stacks(StackName="done")["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE"
        client.delete_stack(StackName="tour")
        assert status_at_last(client, stack["StackId"]) == "DELETE_COMPLETE"
        client.update_stack(StackName="done", TemplateBody=body(A=group("renamed")), **IAM)
        assert status_at_last(client, "done") == "UPDATE_COMPLETE"


def test_what_a_stack_had_in_the_embedded_backend_is_made_again(tmp_path):
    data = tmp_path / "data"
    bucket = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "assets"}}
    queue = {"Type": "AWS::SQS::Queue"}
    statement = {"Effect": "Allow", "Action": "sqs:*", "Resource": {"Fn::GetAtt": "Queue.Arn"}}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    policy = {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": document}}
    named = {"Type": "AWS::CDK::Metadata", "Properties": {"Analytics": "a"}}
    template = body({"Arn": {"Value": {"Fn::GetAtt": "Queue.Arn"}}}, P=policy, B=bucket, Queue=queue, Named=named)

    def described(client, name="tour"):
        told = client.list_stack_resources(StackName=name)["StackResourceSummaries"]
        [found] = client.describe_stacks(StackName=name)["Stacks"]
        return found, {one["LogicalResourceId"]: one["ResourceStatus"] for one in told}

    with Server.serving(data) as server:
        client = AWS(server).client("cloudformation")
        for name, text in (("tour", template), ("own", body(A=group("a"))), ("gone", body(Q=queue, G=group("g")))):
            client.create_stack(StackName=name, TemplateBody=text, **IAM)
            assert status_at_last(client, name) == "CREATE_COMPLETE"
        before = described(client)[0]["Outputs"][0]["OutputValue"]
    with Server.serving(data) as server:
        aws = AWS(server)
        client, iam = aws.client("cloudformation"), aws.client("iam")
        found, resources = described(client)
        assert (found["StackStatus"], found["StackStatusReason"]) == (
            "CREATE_COMPLETE",
            "Resources ended with the embedded backend; an update of the stack makes them again.",
        )
        complete, deleted = "CREATE_COMPLETE", "DELETE_COMPLETE"
        assert resources == {"P": complete, "B": deleted, "Queue": deleted, "Named": complete}
        event = client.describe_stack_events(StackName="tour")["StackEvents"][0]
        assert (event["ResourceStatus"], event[REASON]) == (deleted, "It ended with the embedded backend.")
        found, resources = described(client, "own")
        assert ("StackStatusReason" in found, resources) == (False, {"A": complete})
        client.create_change_set(StackName="tour", ChangeSetName="c", UsePreviousTemplate=True, **IAM)
        changes = client.describe_change_set(StackName="tour", ChangeSetName="c")["Changes"]
        told = {one["ResourceChange"]["LogicalResourceId"]: one["ResourceChange"]["Action"] for one in changes}
        assert told == {"P": "Modify", "B": "Add", "Queue": "Add"}
        client.execute_change_set(StackName="tour", ChangeSetName="c")
        assert status_at_last(client, "tour") == "UPDATE_COMPLETE"
        assert aws.client("s3").list_buckets()["Buckets"][0]["Name"] == "assets"
        after = described(client)[0]["Outputs"][0]["OutputValue"]
        assert after != before
        [arn] = [one["Arn"] for one in iam.list_policies(Scope="Local")["Policies"]]
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        shown = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
        assert shown["Statement"][0]["Resource"] == after
        assert described(client)[1]["Queue"] == "CREATE_COMPLETE"
        stack_id = described(client, "gone")[0]["StackId"]
        client.delete_stack(StackName="gone")
        assert status_at_last(client, stack_id) == "DELETE_COMPLETE"
        assert [one["GroupName"] for one in iam.list_groups()["Groups"]] == ["a"]


def test_a_stack_forgets_what_it_had_in_a_backend_that_ends(tmp_path):
    with Server.serving(tmp_path / "data") as server:
        client, pid = AWS(server).client("cloudformation"), server.process.pid
        template = body(Q={"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "q"}}, G=group("g"))
        client.create_stack(StackName="tour", TemplateBody=template, **IAM)
        assert status_at_last(client, "tour") == "CREATE_COMPLETE"
        [backend] = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        os.kill(int(backend), signal.SIGKILL)
        for _ in asking():
            told = client.list_stack_resources(StackName="tour")["StackResourceSummaries"]
            if "DELETE_COMPLETE" in {one["ResourceStatus"] for one in told}:
                break
        assert {one["LogicalResourceId"]: one["ResourceStatus"] for one in told} == {
            "Q": "DELETE_COMPLETE",
            "G": "CREATE_COMPLETE",
        }
        # An update that fails takes away again what it has made again.
        more = body(Q=json.loads(template)["Resources"]["Q"], G=group("g"), H=group("g", DependsOn="Q"))
        client.update_stack(StackName="tour", TemplateBody=more, **IAM)
        assert status_at_last(client, "tour") == "UPDATE_ROLLBACK_COMPLETE"
        told = client.list_stack_resources(StackName="tour")["StackResourceSummaries"]
        assert ("Q", "DELETE_COMPLETE") in {(one["LogicalResourceId"], one["ResourceStatus"]) for one in told}
        assert "QueueUrls" not in AWS(server).client("sqs").list_queues()
        client.update_stack(StackName="tour", TemplateBody=template, **IAM)
        assert status_at_last(client, "tour") == "UPDATE_COMPLETE"
        assert AWS(server).client("sqs").list_queues()["QueueUrls"][0].endswith("/q")
        # What is there is what was made in this life.
        with pytest.raises(ClientError, match="No updates are to be performed"):
            client.update_stack(StackName="tour", TemplateBody=template, **IAM)


def test_a_reset_ends_the_work_on_stacks(aws, stacks, groups, settled):
    many = {f"G{number:03d}": group() for number in range(100)}
    for _ in range(5):
        stacks.create_stack(StackName="tour", TemplateBody=body(**many), **IAM)
        while not groups():
            pass
        aws.server.post("/_iamd/reset")
        stacks.create_stack(StackName="next", TemplateBody=body(A=group("a")), **IAM)
        assert settled("next") == "CREATE_COMPLETE"
        assert groups() == ["a"]
        aws.server.post("/_iamd/reset")


def test_no_file_holds_what_a_stack_hides(tmp_path):
    data = tmp_path / "data"
    with Server.serving(data, "--backend", "none") as server:
        client = AWS(server).client("cloudformation")
        template = {
            "Parameters": {"Secret": {"Type": "String", "NoEcho": True}},
            "Resources": {
                "User": {"Type": "AWS::IAM::User", "Properties": {"UserName": "ann", "Tags": TAGS}},
                "Key": {"Type": "AWS::IAM::AccessKey", "Properties": {"UserName": {"Ref": "User"}}},
            },
            "Outputs": {"Key": {"Value": {"Fn::GetAtt": ["Key", "SecretAccessKey"]}}},
        }
        given = [{"ParameterKey": "Secret", "ParameterValue": "frotz-ozmoo"}]
        client.create_stack(StackName="tour", TemplateBody=json.dumps(template), Parameters=given, **IAM)
        assert status_at_last(client, "tour") == "CREATE_COMPLETE"
        secret = client.describe_stacks(StackName="tour")["Stacks"][0]["Outputs"][0]["OutputValue"]
    contents = b"".join(path.read_bytes() for path in data.rglob("*") if path.is_file())
    assert b"CreateStack" in contents
    assert secret.encode() not in contents
    assert b"frotz-ozmoo" not in contents


TAGS = [{"Key": "team", "Value": "blue"}]
REASON = "ResourceStatusReason"


def test_a_user_who_is_deleted_ends_the_work_of_his_stacks(cloud, ended):
    iam = cloud.client("iam")
    ann = cloud.user("ann", allow(["cloudformation:*", "iam:*"]))
    many = {f"G{number:03d}": group() for number in range(100)}
    cloud.client("cloudformation", ann).create_stack(StackName="tour", TemplateBody=body(**many), **IAM)
    iam.delete_access_key(UserName="ann", AccessKeyId=ann.access_key_id)
    assert ended("tour").startswith("ROLLBACK_")
    events = cloud.client("cloudformation").describe_stack_events(StackName="tour")["StackEvents"]
    gone = [one for one in events if "security token included in the request is invalid" in one.get(REASON, "")]
    assert gone
    assert len(iam.list_groups()["Groups"]) < len(many)
    with pytest.raises(ClientError):
        cloud.client("cloudformation", ann).describe_stacks()
