"""SAM: a function with SAM's policy for one queue may send to that queue, and nothing else."""

import json
from pathlib import Path

import pytest
from clients.functions import called, outputs
from running import AWS, Server

CODE = (Path(__file__).parent / "cdk_app" / "code" / "index.py").read_text("utf-8")
BASIC = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
TEMPLATE = {
    "Transform": "AWS::Serverless-2016-10-31",
    "Resources": {
        "Queue": {"Type": "AWS::SQS::Queue"},
        "Other": {"Type": "AWS::SQS::Queue"},
        "Sender": {
            "Type": "AWS::Serverless::Function",
            "Properties": {
                "Runtime": "python3.11",
                "Handler": "index.handler",
                "InlineCode": CODE,
                "Policies": [
                    "AWSLambdaBasicExecutionRole",
                    {"SQSSendMessagePolicy": {"QueueName": {"Fn::GetAtt": ["Queue", "QueueName"]}}},
                ],
            },
        },
    },
    "Outputs": {
        "Queue": {"Value": {"Ref": "Queue"}},
        "Other": {"Value": {"Ref": "Other"}},
        "Sender": {"Value": {"Ref": "Sender"}},
        "Role": {"Value": {"Ref": "SenderRole"}},
    },
}
CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]


@pytest.fixture(scope="module")
def aws(tmp_path_factory):
    """An iamd with the stack in it."""
    with Server.serving(tmp_path_factory.mktemp("sam") / "data", "--backend", "moto") as server:
        aws = AWS(server)
        stacks = aws.client("cloudformation")
        stacks.create_stack(StackName="sam", TemplateBody=json.dumps(TEMPLATE), Capabilities=CAPABILITIES)
        stacks.get_waiter("stack_create_complete").wait(StackName="sam", WaiterConfig={"Delay": 1, "MaxAttempts": 60})
        yield aws


@pytest.fixture
def made(aws):
    return outputs(aws, "sam")


def test_the_role_has_what_sam_gives_it(aws, made):
    """SAM Developer Guide, "SQSSendMessagePolicy"."""
    iam, role = aws.client("iam"), {"RoleName": made["Role"]}
    attached = iam.list_attached_role_policies(**role)["AttachedPolicies"]
    assert [policy["PolicyArn"] for policy in attached] == [BASIC]
    [name] = iam.list_role_policies(**role)["PolicyNames"]
    [statement] = iam.get_role_policy(**role, PolicyName=name)["PolicyDocument"]["Statement"]
    queue = aws.client("sqs").get_queue_attributes(QueueUrl=made["Queue"], AttributeNames=["QueueArn"])
    assert statement == {
        "Effect": "Allow",
        "Action": ["sqs:SendMessage*"],
        "Resource": queue["Attributes"]["QueueArn"],
    }


def test_it_may_send_to_its_queue(aws, made):
    assert called(aws, made["Sender"], "sqs", "send_message", QueueUrl=made["Queue"], MessageBody="x") is None
    [message] = aws.client("sqs").receive_message(QueueUrl=made["Queue"])["Messages"]
    assert message["Body"] == "x"


@pytest.mark.parametrize(
    ("service", "operation", "parameters"),
    [
        ("sqs", "send_message", {"QueueUrl": "Other", "MessageBody": "x"}),
        ("sqs", "receive_message", {"QueueUrl": "Queue"}),
        ("sqs", "get_queue_attributes", {"QueueUrl": "Queue"}),
        ("sqs", "list_queues", {}),
        ("s3", "list_buckets", {}),
        ("iam", "list_users", {}),
    ],
)
def test_it_may_do_nothing_else(aws, made, service, operation, parameters):
    given = {name: made.get(value, value) for name, value in parameters.items()}
    assert called(aws, made["Sender"], service, operation, **given) == "AccessDenied"


def test_it_writes_its_log(aws, made):
    called(aws, made["Sender"], "sts", "get_caller_identity")
    streams = aws.client("logs").describe_log_streams(logGroupName=f"/aws/lambda/{made['Sender']}")["logStreams"]
    assert streams
