"""The CDK: `cdk bootstrap`, `cdk deploy` and `cdk destroy` of a queue and a function that may send to it.

One test, for what it begins with takes longer than all else.
"""

import shutil
import uuid

import pytest
from clients.cdk import Cdk, package
from clients.functions import called, outputs
from clients.installed import ROOT
from running import ACCOUNT, AWS, REGION, Server

SOURCE = ROOT / "tests" / "clients" / "cdk_app"
BOOTSTRAP = f"arn:aws:sts::{ACCOUNT}:assumed-role/cdk-hnb659fds-{{}}-role-{ACCOUNT}-{REGION}/"


@pytest.fixture
def cdk(tmp_path):
    """The CLI before an iamd, in the folder of the app."""
    installed = package()
    # Node looks for what an app imports in the folders above the app.
    app = shutil.copytree(SOURCE, installed / f"app-{uuid.uuid4()}")
    with Server.serving(tmp_path / "data", "--backend", "moto", "--loopback-is-secure") as server:
        yield Cdk(AWS(server), installed, app, tmp_path)
    shutil.rmtree(app)


@pytest.mark.timeout(600)
def test_the_cdk_bootstraps_deploys_changes_and_destroys(cdk):
    assert f"Environment aws://{ACCOUNT}/{REGION} bootstrapped" in cdk.bootstrap()
    cdk.synthesize()
    cdk.deploy()
    the_function_may_send_to_its_queue_and_do_nothing_else(cdk.aws)
    the_cli_worked_in_the_roles_of_the_bootstrap(cdk.aws)
    assert "no changes" in cdk.deploy()
    a_change_is_deployed(cdk)
    cdk.destroy()
    nothing_is_left_but_the_bootstrap(cdk.aws)


def the_function_may_send_to_its_queue_and_do_nothing_else(aws):
    """What queue.grantSendMessages(fn) gives."""
    made, sqs = outputs(aws, "demo"), aws.client("sqs")

    def asked(operation, queue, **parameters):
        return called(aws, made["FunctionOutput"], "sqs", operation, QueueUrl=made[queue], **parameters)

    assert asked("send_message", "QueueOutput", MessageBody="x") is None
    [message] = sqs.receive_message(QueueUrl=made["QueueOutput"])["Messages"]
    assert message["Body"] == "x"
    assert asked("send_message", "OtherOutput", MessageBody="x") == "AccessDenied"
    assert asked("receive_message", "QueueOutput") == "AccessDenied"


def the_cli_worked_in_the_roles_of_the_bootstrap(aws):
    """CDK Guide, "Bootstrapping": assets are published, stacks deployed and resources made in a role each."""

    def who(name, **chosen):
        told = [event for event in aws.events(name) if chosen.items() <= (event["requestParameters"] or {}).items()]
        return [(event["userIdentity"]["arn"], event["userIdentity"].get("invokedBy")) for event in told]

    [(deployer, invoked_by)] = who("CreateChangeSet", stackName="demo")
    assert (deployer.startswith(BOOTSTRAP.format("deploy")), invoked_by) == (True, None)
    publishers = [caller for caller, _ in who("PutObject")]
    assert publishers
    assert all(caller.startswith(BOOTSTRAP.format("file-publishing")) for caller in publishers)
    [(maker, invoked_by)] = who("CreateFunction")
    assert maker.startswith(BOOTSTRAP.format("cfn-exec"))
    assert invoked_by == "cloudformation.amazonaws.com"


def a_change_is_deployed(cdk):
    app = cdk.app / "app.mjs"
    text = app.read_text().replace('"Other")', '"Other", { visibilityTimeout: Duration.seconds(7) })')
    app.write_text(text.replace("CfnOutput,", "CfnOutput, Duration,"))
    cdk.synthesize()
    cdk.deploy()
    url = outputs(cdk.aws, "demo")["OtherOutput"]
    told = cdk.aws.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])
    assert told["Attributes"] == {"VisibilityTimeout": "7"}


def nothing_is_left_but_the_bootstrap(aws):
    assert "QueueUrls" not in aws.client("sqs").list_queues()
    assert aws.client("lambda").list_functions()["Functions"] == []
    roles = [role["RoleName"] for role in aws.client("iam").list_roles()["Roles"]]
    assert [name for name in roles if name.startswith("demo")] == []
    [left] = aws.client("cloudformation").describe_stacks()["Stacks"]
    assert left["StackName"] == "CDKToolkit"
