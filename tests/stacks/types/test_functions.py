"""AWS::Lambda and AWS::Logs: every property that iamd supports, made, changed and removed.

AWS: CloudFormation Template Reference, the page of each type.
"""

import io
import json
import zipfile

import pytest
from botocore.exceptions import ClientError
from gateway.two_accounts import policy
from running import ACCOUNT, REGION, allow

from iamd.stacks import handlers
from iamd.stacks.handlers import InvalidProperties
from iamd.stacks.types.lambda_functions import archive

SOURCE = "def handler(event, context):\n    return event\n"


def trust(service="lambda.amazonaws.com"):
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [statement]}


@pytest.fixture
def role(stack):
    return stack.create("AWS::IAM::Role", "Role", AssumeRolePolicyDocument=trust())["Arn"]


@pytest.fixture
def function(stack, role):
    return stack.create(
        "AWS::Lambda::Function", "Fn", FunctionName="fn", Code={"ZipFile": SOURCE}, Runtime="python3.12", Handler="index.handler",
        Role=role,
    )  # fmt: skip


def gone(function, **parameters):
    with pytest.raises(ClientError) as raised:
        function(**parameters)
    return raised.value.response["Error"]["Code"] == "ResourceNotFoundException"


def test_a_function_has_every_property(cloud, stack, role):
    awslambda = cloud.client("lambda")
    cloud.client("iam").put_role_policy(
        RoleName=role.rpartition("/")[2], PolicyName="dead", PolicyDocument=policy(allow("sqs:SendMessage"))
    )
    function = stack.create(
        "AWS::Lambda::Function", "Fn", tags={"env": "test"}, Code={"ZipFile": SOURCE}, Runtime="python3.12",
        Handler="index.handler", Role=role, Timeout="10", MemorySize=256, Description="d", Architectures=["arm64"],
        Environment={"Variables": {"COUNT": 1, "FLAG": True}}, EphemeralStorage={"Size": 1024}, TracingConfig={"Mode": "Active"},
        DeadLetterConfig={"TargetArn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:dead"}, ReservedConcurrentExecutions=3,
        Tags=[{"Key": "a", "Value": "b"}],
    )  # fmt: skip
    found = awslambda.get_function(FunctionName=function.ref)
    configuration = found["Configuration"]
    assert function["Arn"] == configuration["FunctionArn"]
    assert (configuration["Timeout"], configuration["MemorySize"], configuration["Description"]) == (10, 256, "d")
    assert configuration["Environment"]["Variables"] == {"COUNT": "1", "FLAG": "true"}
    assert (configuration["Architectures"], configuration["EphemeralStorage"]["Size"]) == (["arm64"], 1024)
    assert configuration["TracingConfig"]["Mode"] == "Active"
    assert found["Concurrency"]["ReservedConcurrentExecutions"] == 3
    assert found["Tags"] == {"env": "test", "a": "b"}
    before = configuration["CodeSha256"]
    function = stack.update(
        function, Code={"ZipFile": SOURCE + "# more\n"}, Timeout=None, MemorySize=512, Environment=None,
        ReservedConcurrentExecutions=None, Tags=[{"Key": "c", "Value": "d"}], Description=None,
    )  # fmt: skip
    found = awslambda.get_function(FunctionName=function.ref)
    configuration = found["Configuration"]
    assert configuration["CodeSha256"] != before
    assert (configuration["Timeout"], configuration["MemorySize"], configuration["Description"]) == (3, 512, "")
    assert configuration.get("Environment", {}).get("Variables", {}) == {}
    assert "Concurrency" not in found
    assert found["Tags"] == {"env": "test", "c": "d"}
    stack.delete(function)
    assert gone(awslambda.get_function, FunctionName=function.ref)
    stack.delete(function)


def test_code_comes_from_a_bucket(cloud, stack, role):
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="code")
    s3.put_object(Bucket="code", Key="one.zip", Body=archive({"app.py": SOURCE}))
    s3.put_object(Bucket="code", Key="two.zip", Body=archive({"app.py": SOURCE + "#\n"}))
    function = stack.create(
        "AWS::Lambda::Function", FunctionName="fn", Code={"S3Bucket": "code", "S3Key": "one.zip"}, Runtime="python3.12",
        Handler="app.handler", Role=role,
    )  # fmt: skip
    before = cloud.client("lambda").get_function_configuration(FunctionName="fn")["CodeSha256"]
    stack.update(function, Code={"S3Bucket": "code", "S3Key": "two.zip"})
    assert cloud.client("lambda").get_function_configuration(FunctionName="fn")["CodeSha256"] != before


def test_source_is_an_archive_with_an_index():
    content = archive({"index.py": SOURCE})
    assert content == archive({"index.py": SOURCE})
    with zipfile.ZipFile(io.BytesIO(content)) as zipped:
        assert zipped.read("index.py").decode() == SOURCE


def test_source_is_for_python_and_node_only(stack, role):
    with pytest.raises(InvalidProperties, match="ZipFile"):
        stack.create("AWS::Lambda::Function", Code={"ZipFile": "x"}, Runtime="java21", Handler="a", Role=role)


def test_what_iamd_does_not_support_is_named(role):
    properties = {"Code": {"ZipFile": "x"}, "Role": "r", "TenancyConfig": {"TenantIsolationMode": "PER_TENANT"}}
    with pytest.raises(InvalidProperties, match="TenancyConfig of AWS::Lambda::Function"):
        handlers.check("AWS::Lambda::Function", properties)


def test_a_permission_is_a_statement_of_the_functions_policy(cloud, stack, function):
    awslambda = cloud.client("lambda")
    permission = stack.create(
        "AWS::Lambda::Permission", "Allow", FunctionName=function.ref, Action="lambda:InvokeFunction",
        Principal="s3.amazonaws.com", SourceAccount=ACCOUNT, SourceArn="arn:aws:s3:::b",
    )  # fmt: skip
    assert permission["Id"] == permission.ref
    policy = json.loads(awslambda.get_policy(FunctionName="fn")["Policy"])
    assert policy["Statement"][0]["Sid"] == permission.ref
    assert policy["Statement"][0]["Condition"]["ArnLike"] == {"AWS:SourceArn": "arn:aws:s3:::b"}
    assert handlers.replaces(
        "AWS::Lambda::Permission",
        permission.wanted.properties,
        {**permission.wanted.properties, "SourceArn": "arn:aws:s3:::c"},
    )
    stack.delete(permission)
    assert gone(awslambda.get_policy, FunctionName="fn")
    stack.delete(permission)


def test_versions_and_aliases(cloud, stack, function):
    awslambda = cloud.client("lambda")
    one = stack.create("AWS::Lambda::Version", "One", FunctionName="fn", Description="first")
    assert one.ref == one["FunctionArn"] == f"{function['Arn']}:1"
    function = stack.update(function, Code={"ZipFile": SOURCE + "#\n"})
    two = stack.create("AWS::Lambda::Version", "Two", FunctionName="fn")
    assert (one["Version"], two["Version"]) == ("1", "2")
    alias = stack.create(
        "AWS::Lambda::Alias", "Live", FunctionName="fn", Name="live", FunctionVersion=one["Version"], Description="d",
        RoutingConfig={"AdditionalVersionWeights": [{"FunctionVersion": "2", "FunctionWeight": 0.25}]},
    )  # fmt: skip
    assert alias.ref == alias["AliasArn"] == f"{function['Arn']}:live"
    found = awslambda.get_alias(FunctionName="fn", Name="live")
    assert (found["FunctionVersion"], found["Description"]) == ("1", "d")
    assert found["RoutingConfig"]["AdditionalVersionWeights"] == {"2": 0.25}
    alias = stack.update(alias, FunctionVersion=two["Version"], RoutingConfig=None, Description=None)
    found = awslambda.get_alias(FunctionName="fn", Name="live")
    assert (found["FunctionVersion"], found["Description"]) == ("2", "")
    assert not found.get("RoutingConfig", {}).get("AdditionalVersionWeights")
    stack.delete(alias)
    stack.delete(one)
    versions = [one["Version"] for one in awslambda.list_versions_by_function(FunctionName="fn")["Versions"]]
    assert versions == ["$LATEST", "2"]
    assert awslambda.list_aliases(FunctionName="fn")["Aliases"] == []


def test_a_url(cloud, stack, function):
    awslambda = cloud.client("lambda")
    url = stack.create(
        "AWS::Lambda::Url", TargetFunctionArn=function["Arn"], AuthType="AWS_IAM", Cors={"AllowOrigins": ["*"]}
    )
    found = awslambda.get_function_url_config(FunctionName="fn")
    assert (url["FunctionUrl"], url.ref, url["FunctionArn"]) == (found["FunctionUrl"], function["Arn"], function["Arn"])
    stack.update(url, AuthType="NONE")
    assert awslambda.get_function_url_config(FunctionName="fn")["AuthType"] == "NONE"
    stack.delete(url)
    assert gone(awslambda.get_function_url_config, FunctionName="fn")


def test_how_events_are_invoked(cloud, stack, function):
    awslambda = cloud.client("lambda")
    config = stack.create(
        "AWS::Lambda::EventInvokeConfig", FunctionName="fn", Qualifier="$LATEST", MaximumRetryAttempts=1
    )
    assert config.ref == "fn|$LATEST"
    assert awslambda.get_function_event_invoke_config(FunctionName="fn")["MaximumRetryAttempts"] == 1
    stack.update(config, MaximumRetryAttempts=0)
    # moto puts another configuration beside the one that is there, and shows the first.
    assert stack.client.called.count("lambda:PutFunctionEventInvokeConfig") == 2
    stack.delete(config)
    assert gone(awslambda.get_function_event_invoke_config, FunctionName="fn")


def test_an_event_source_mapping(cloud, stack, role):
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}]}
    stack.create("AWS::IAM::RolePolicy", RoleName=role.rpartition("/")[2], PolicyName="p", PolicyDocument=policy)
    function = stack.create(
        "AWS::Lambda::Function", Code={"ZipFile": SOURCE}, Runtime="python3.12", Handler="index.handler", Role=role
    )
    queue = stack.create("AWS::SQS::Queue", QueueName="q")
    mapping = stack.create(
        "AWS::Lambda::EventSourceMapping",
        FunctionName=function.ref,
        EventSourceArn=queue["Arn"],
        BatchSize="5",
        Enabled=True,
    )
    awslambda = cloud.client("lambda")
    found = awslambda.get_event_source_mapping(UUID=mapping.ref)
    assert mapping["Id"] == mapping.ref
    assert mapping["EventSourceMappingArn"].endswith(mapping.ref)
    assert (found["BatchSize"], found["EventSourceArn"]) == (5, queue["Arn"])
    mapping = stack.update(mapping, BatchSize=7, Enabled="false")
    found = awslambda.get_event_source_mapping(UUID=mapping.ref)
    assert (found["BatchSize"], found["State"]) == (7, "Disabled")
    with pytest.raises(InvalidProperties, match="BatchSize"):
        stack.update(mapping, BatchSize=None)
    assert handlers.replaces("AWS::Lambda::EventSourceMapping", {"EventSourceArn": "a"}, {"EventSourceArn": "b"})
    stack.delete(mapping)
    assert awslambda.list_event_source_mappings()["EventSourceMappings"] == []


def test_a_layer(cloud, stack):
    s3, awslambda = cloud.client("s3"), cloud.client("lambda")
    s3.create_bucket(Bucket="code")
    s3.put_object(Bucket="code", Key="layer.zip", Body=archive({"python/x.py": ""}))
    layer = stack.create(
        "AWS::Lambda::LayerVersion", "Layer", Content={"S3Bucket": "code", "S3Key": "layer.zip"}, Description="d",
        CompatibleRuntimes=["python3.12"], LicenseInfo="MIT",
    )  # fmt: skip
    assert layer.ref == layer["LayerVersionArn"] == f"arn:aws:lambda:{REGION}:{ACCOUNT}:layer:Layer:1"
    assert awslambda.get_layer_version(LayerName="Layer", VersionNumber=1)["Description"] == "d"
    stack.delete(layer)
    assert awslambda.list_layer_versions(LayerName="Layer")["LayerVersions"] == []


def test_a_log_group_has_every_property(cloud, stack):
    logs = cloud.client("logs")
    key = stack.create("AWS::KMS::Key", "Key")
    group = stack.create(
        "AWS::Logs::LogGroup",
        LogGroupName="/app",
        RetentionInDays="7",
        KmsKeyId=key["Arn"],
        Tags=[{"Key": "a", "Value": "b"}],
    )
    found = logs.describe_log_groups()["logGroups"][0]
    assert (group.ref, group["Arn"]) == ("/app", found["arn"])
    assert (found["retentionInDays"], found["kmsKeyId"]) == (7, key["Arn"])
    arn = group["Arn"].removesuffix(":*")
    assert logs.list_tags_for_resource(resourceArn=arn)["tags"] == {"a": "b"}
    group = stack.update(group, RetentionInDays=14, Tags=[{"Key": "c", "Value": "d"}])
    assert logs.describe_log_groups()["logGroups"][0]["retentionInDays"] == 14
    assert logs.list_tags_for_resource(resourceArn=arn)["tags"] == {"c": "d"}
    group = stack.update(group, RetentionInDays=None)
    assert "retentionInDays" not in logs.describe_log_groups()["logGroups"][0]
    stack.delete(group)
    assert logs.describe_log_groups()["logGroups"] == []
    stack.delete(group)


def test_what_makes_nothing_makes_nothing(stack):
    one = stack.create("AWS::CDK::Metadata", "Nothing", Analytics="v2")
    assert one.ref == one.wanted.generated_name
    stack.delete(stack.update(one))
    assert stack.client.called == []
