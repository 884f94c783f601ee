"""What Lambda refuses to take because the function's execution role may not do what it needs.

AWS: Lambda Developer Guide, configuration-vpc ("Required IAM permissions"), with-sqs, services-kinesis-create, with-ddb.
"""

import json

import pytest
from functions.conftest import ROLE, Functions
from functions.relay import READ, READ_TABLE, RELAY, STREAM
from functions.streaming import start, table
from functions.test_mappings import POLL, mapped
from gateway.counting import trusting
from gateway.two_accounts import error_of, policy
from running import ACCOUNT, AWS, REGION, allow, deny

from iamd.cli.explain_command import explained

INTERFACES = ["ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DeleteNetworkInterface"]
VPC = {"SubnetIds": ["subnet-0a1b2c3d"], "SecurityGroupIds": ["sg-0a1b2c3d"]}


@pytest.fixture
def function(functions):
    functions.make(RELAY)
    functions.permit(deny("*"))
    return functions


def refused(call, **given):
    error = error_of(call, **given)
    assert error["Code"] == "InvalidParameterValueException"
    return error["Message"]


def no_right(action, service):
    return f"The provided execution role does not have permissions to call {action} on {service}"


@pytest.mark.parametrize("missing", [action.partition(":")[2] for action in POLL])
def test_a_queue_is_not_mapped_that_the_role_may_not_poll(function, missing):
    _, arn = function.queue("into")
    function.permit(allow([one for one in POLL if one != f"sqs:{missing}"], arn))
    client = function.cloud.client("lambda")
    told = refused(client.create_event_source_mapping, FunctionName="fn", EventSourceArn=arn)
    assert told == f"The function execution role does not have permissions to call {missing} on SQS"
    assert client.list_event_source_mappings(FunctionName="fn")["EventSourceMappings"] == []
    function.permit(allow(POLL, arn))
    assert mapped(function, arn, Enabled=False)["EventSourceArn"] == arn


def test_what_the_role_lacks_is_explained_and_reported_as_the_roles(function):
    cloud = function.cloud
    _, arn = function.queue("into")
    function.permit(allow("sqs:ListQueues"))
    error = error_of(cloud.client("lambda").create_event_source_mapping, FunctionName="fn", EventSourceArn=arn)
    assert error["Code"] == "InvalidParameterValueException"
    [event] = [one for one in cloud.events() if one.get("errorCode") == "InvalidParameterValueException"]
    answer = cloud.explain(event["requestID"])
    [made, lacking] = answer["Decisions"]
    text = "\n".join(explained(answer))
    assert f"Allow sqs:ReceiveMessage on this resource in an identity-based policy of {ROLE}." in text
    assert (made["Action"], made["Outcome"]) == ("lambda:CreateEventSourceMapping", "Allowed")
    assert (lacking["Action"], lacking["Resource"]) == ("sqs:ReceiveMessage", arn)
    assert lacking["Outcome"] == "ImplicitlyDenied"
    [told] = cloud.iamd("ReportDenials", PrincipalArn=ROLE)["Denials"]
    assert (told["PrincipalArn"], told["Action"], told["Resource"]) == (ROLE, "sqs:ReceiveMessage", arn)
    # What it says would allow it does, for this one.
    function.permit(allow("sqs:ListQueues"), json.loads(told["Statement"]))
    error = error_of(cloud.client("lambda").create_event_source_mapping, FunctionName="fn", EventSourceArn=arn)
    assert "ReceiveMessage" not in error["Message"]


def test_a_queues_own_policy_may_let_the_role_poll(function):
    url, arn = function.queue("into")
    function.permit(allow("sqs:ListQueues"))
    statement = {**allow(POLL, arn), "Principal": {"AWS": ROLE}}
    function.cloud.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy(statement)})
    assert mapped(function, arn, Enabled=False)["EventSourceArn"] == arn


def test_streams_are_not_mapped_that_the_role_may_not_read(function):
    cloud, words = function.cloud, "Please ensure the role can perform the GetRecords, GetShardIterator, DescribeStream"
    cloud.client("kinesis").create_stream(StreamName="s", ShardCount=1)
    function.permit(allow([one for one in READ if one != "kinesis:DescribeStream"], STREAM))
    client = cloud.client("lambda")
    given = {"FunctionName": "fn", "StartingPosition": "LATEST", "Enabled": False}
    told = refused(client.create_event_source_mapping, EventSourceArn=STREAM, **given)
    assert told.startswith(f"Cannot access stream {STREAM}. {words}")
    function.permit(allow(READ, STREAM))
    assert start(function, Enabled=False)["EventSourceArn"] == STREAM
    arn = table(function)
    function.permit(allow(READ_TABLE, arn), deny("dynamodb:GetRecords"))
    told = refused(client.create_event_source_mapping, EventSourceArn=arn, **given)
    assert told.startswith(f"Cannot access stream {arn}. {words}")


@pytest.mark.parametrize(
    ("target", "action", "service"),
    [("sqs", "SendMessage", "SQS"), ("sns", "Publish", "SNS")],
)
def test_a_dead_letter_target_is_one_that_the_role_may_send_to(function, target, action, service):
    arn, client = f"arn:aws:{target}:{REGION}:{ACCOUNT}:dead", function.cloud.client("lambda")
    given = {"FunctionName": "fn", "DeadLetterConfig": {"TargetArn": arn}}
    assert refused(client.update_function_configuration, **given) == no_right(action, service)
    assert "DeadLetterConfig" not in client.get_function_configuration(FunctionName="fn")
    function.permit(allow(f"{target}:{action}", arn))
    assert client.update_function_configuration(**given)["DeadLetterConfig"] == {"TargetArn": arn}


def test_the_role_that_the_function_gets_is_the_one_that_counts(function):
    cloud, arn = function.cloud, f"arn:aws:sqs:{REGION}:{ACCOUNT}:dead"
    cloud.client("iam").create_role(RoleName="other", AssumeRolePolicyDocument=trusting("lambda.amazonaws.com"))
    function.permit(allow("sqs:SendMessage", arn))
    given = {"FunctionName": "fn", "DeadLetterConfig": {"TargetArn": arn}, "Role": f"arn:aws:iam::{ACCOUNT}:role/other"}
    client = cloud.client("lambda")
    assert refused(client.update_function_configuration, **given) == no_right("SendMessage", "SQS")
    function.permit(allow("sqs:SendMessage", arn), role="other")
    assert client.update_function_configuration(**given)["Role"].endswith(":role/other")


def test_a_destination_is_one_that_the_role_may_send_to(function):
    arn, client = f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/default", function.cloud.client("lambda")
    given = {"FunctionName": "fn", "DestinationConfig": {"OnSuccess": {"Destination": arn}}}
    assert refused(client.put_function_event_invoke_config, **given) == no_right("PutEvents", "EventBridge")
    function.permit(allow("events:PutEvents", arn))
    assert client.put_function_event_invoke_config(**given)["DestinationConfig"]["OnSuccess"]["Destination"] == arn


@pytest.mark.parametrize("missing", [action.partition(":")[2] for action in INTERFACES])
def test_a_function_in_a_vpc_needs_a_role_that_makes_its_network_interfaces(function, missing):
    client = function.cloud.client("lambda")
    function.permit(allow([one for one in INTERFACES if one != f"ec2:{missing}"]))
    given = {"FunctionName": "fn", "VpcConfig": VPC}
    assert refused(client.update_function_configuration, **given) == no_right(missing, "EC2")
    function.permit(allow(INTERFACES))
    assert client.update_function_configuration(**given)["VpcConfig"]["SubnetIds"] == VPC["SubnetIds"]


def test_where_denials_are_only_told_nothing_is_refused(start):
    cloud = AWS(start("--backend", "moto", "--enforce", "soft"))
    cloud.client("iam").create_role(RoleName="worker", AssumeRolePolicyDocument=trusting("lambda.amazonaws.com"))
    function = Functions(cloud)
    function.make(RELAY)
    given = {"FunctionName": "fn", "VpcConfig": VPC}
    told = function.cloud.client("lambda").update_function_configuration(**given)
    assert told["VpcConfig"]["SubnetIds"] == VPC["SubnetIds"]


def test_a_bucket_is_a_destination_that_the_role_may_write_to(function):
    client, arn = function.cloud.client("lambda"), "arn:aws:s3:::records"
    function.cloud.client("s3").create_bucket(Bucket="records")
    given = {"FunctionName": "fn", "DestinationConfig": {"OnFailure": {"Destination": arn}}}
    function.permit(allow("s3:PutObject", f"{arn}/other/*"))
    assert refused(client.put_function_event_invoke_config, **given) == no_right("PutObject", "S3")
    function.permit(allow("s3:PutObject", f"{arn}/aws/lambda/*"))
    client.put_function_event_invoke_config(**given)


def test_a_mapping_that_is_changed_is_one_that_the_role_may_poll_and_send_for(function):
    cloud, client = function.cloud, function.cloud.client("lambda")
    _, failed = function.queue("failed")
    cloud.client("kinesis").create_stream(StreamName="s", ShardCount=1)
    to = {"DestinationConfig": {"OnFailure": {"Destination": failed}}}
    function.permit(allow(READ, STREAM))
    given = {"FunctionName": "fn", "EventSourceArn": STREAM, "StartingPosition": "LATEST", "Enabled": False}
    assert refused(client.create_event_source_mapping, **given, **to) == no_right("SendMessage", "SQS")
    made = client.create_event_source_mapping(**given)["UUID"]
    assert refused(client.update_event_source_mapping, UUID=made, **to) == no_right("SendMessage", "SQS")
    client.update_event_source_mapping(UUID=made, BatchSize=7)
    cloud.client("iam").create_role(RoleName="other", AssumeRolePolicyDocument=trusting("lambda.amazonaws.com"))
    function.make(RELAY, name="other", Role=f"arn:aws:iam::{ACCOUNT}:role/other")
    told = refused(client.update_event_source_mapping, UUID=made, FunctionName="other")
    assert told.startswith(f"Cannot access stream {STREAM}.")
    function.permit(allow(READ, STREAM), allow("sqs:SendMessage", failed))
    client.update_event_source_mapping(UUID=made, **to)
