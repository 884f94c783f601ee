"""Resources of many services, made by the client that stacks have: what it writes is what each service reads."""

import json

import pytest
from stacks.process import Process
from stacks.types.test_functions import SOURCE, trust
from stacks.types.test_messages import KEYS, PASS
from stacks.types.test_storage import PULL

from iamd.stacks import handlers
from iamd.stacks.handlers import Wanted

ALL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
BLOCKED = dict.fromkeys(("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), "true")
RESOURCES = {
    "AWS::S3::Bucket": {
        "BucketName": "assets",
        "BucketEncryption": {"ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]},
        "LifecycleConfiguration": {"Rules": [{"Id": "a", "Status": "Enabled", "ExpirationInDays": 3}]},
        "CorsConfiguration": {"CorsRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}]},
        "PublicAccessBlockConfiguration": BLOCKED,
        "VersioningConfiguration": {"Status": "Enabled"},
        "Tags": [{"Key": "a b/+", "Value": "ü +="}],
    },
    "AWS::SQS::Queue": {"QueueName": "q", "Tags": [{"Key": "a b", "Value": "ü"}]},
    "AWS::SNS::Topic": {"TopicName": "t", "DisplayName": "ü & b"},
    "AWS::DynamoDB::Table": {"TableName": "orders", "BillingMode": "PAY_PER_REQUEST", "KeySchema": KEYS["KeySchema"], "AttributeDefinitions": KEYS["AttributeDefinitions"][:1]},
    "AWS::ECR::Repository": {"RepositoryName": "r", "RepositoryPolicyText": PULL},
    "AWS::SSM::Parameter": {"Name": "/p", "Type": "String", "Value": "ü"},
    "AWS::KMS::Key": {"Description": "d"},
    "AWS::SecretsManager::Secret": {"Name": "s", "GenerateSecretString": {}},
    "AWS::Logs::LogGroup": {"LogGroupName": "/l", "RetentionInDays": 7},
    "AWS::Events::Rule": {"Name": "r", "EventPattern": {"source": ["a"]}},
    "AWS::CloudWatch::Alarm": {
        "AlarmName": "a", "Namespace": "N", "MetricName": "M", "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 1,
        "Threshold": 1.5, "ComparisonOperator": "GreaterThanThreshold",
    },
    "AWS::ApiGateway::RestApi": {"Name": "a"},
    "AWS::ApiGatewayV2::Api": {"Name": "a", "ProtocolType": "HTTP"},
    "AWS::IAM::ManagedPolicy": {"ManagedPolicyName": "p", "PolicyDocument": ALL},
}  # fmt: skip


@pytest.fixture(scope="module")
def process(tmp_path_factory):
    running = Process(tmp_path_factory.mktemp("resources"))
    yield running
    running.close()


def wanted(type, properties):
    handlers.check(type, properties)
    return Wanted(
        logical_id="Thing", type=type, properties=properties, stack_name="orders", stack_id="arn",
        generated_name="orders-Thing-0123456789AB", tags={"env": "ü"},
    )  # fmt: skip


def make(process, type, properties):
    one = wanted(type, properties)
    return one, process.runner.run(handlers.create(one, process.client()))


@pytest.mark.parametrize("type", RESOURCES)
def test_each_service_reads_what_is_written(process, type):
    process.reset()
    one, made = make(process, type, RESOURCES[type])
    assert made.attributes.keys() == handlers.attribute_names(type)
    process.runner.run(handlers.delete(one, made, process.client()))
    # A secret waits for its deletion, and the embedded backend fails on an API that is gone.
    if type not in {"AWS::SecretsManager::Secret", "AWS::ApiGateway::RestApi"}:
        process.runner.run(handlers.delete(one, made, process.client()))


def test_functions_and_state_machines(process):
    process.reset()
    root = process.client()
    _, role = make(process, "AWS::IAM::Role", {"RoleName": "fn", "AssumeRolePolicyDocument": trust()})
    function = {"FunctionName": "fn", "Code": {"ZipFile": SOURCE}, "Runtime": "python3.12", "Handler": "index.handler"}
    one, made = make(process, "AWS::Lambda::Function", {**function, "Role": role.attributes["Arn"]})
    found = process.call(root, "lambda", "GetFunction", FunctionName="fn")
    assert found["Configuration"]["FunctionArn"] == made.attributes["Arn"]
    assert found["Tags"] == {"env": "ü"}
    process.runner.run(handlers.delete(one, made, root))
    process.call(root, "s3", "CreateBucket", Bucket="definitions")
    process.call(root, "s3", "PutObject", Bucket="definitions", Key="m", Body=json.dumps(PASS))
    _, role = make(
        process, "AWS::IAM::Role", {"RoleName": "m", "AssumeRolePolicyDocument": trust("states.amazonaws.com")}
    )
    place = {"DefinitionS3Location": {"Bucket": "definitions", "Key": "m"}, "RoleArn": role.attributes["Arn"]}
    one, made = make(process, "AWS::StepFunctions::StateMachine", place)
    found = process.call(root, "stepfunctions", "DescribeStateMachine", stateMachineArn=made.physical_id)
    assert json.loads(found["definition"]) == PASS
