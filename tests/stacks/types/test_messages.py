"""AWS::SNS, DynamoDB, SecretsManager, Events, StepFunctions and CloudWatch: made, changed and removed.

AWS: CloudFormation Template Reference, the page of each type.
"""

import json

import pytest
from running import ACCOUNT, REGION, allow
from stacks.types.test_functions import trust

from iamd.stacks import handlers
from iamd.stacks.handlers import InvalidProperties


def tags(listed):
    return {tag["Key"]: tag["Value"] for tag in listed}


def document(action, resource):
    return {"Version": "2012-10-17", "Statement": [{**allow(action, resource), "Principal": {"AWS": ACCOUNT}}]}


@pytest.fixture
def queue(stack):
    return stack.create("AWS::SQS::Queue", "Queue", QueueName="q")


def test_a_topic_has_every_property(cloud, stack, queue):
    sns = cloud.client("sns")
    topic = stack.create(
        "AWS::SNS::Topic", tags={"env": "test"}, TopicName="t", DisplayName="d", KmsMasterKeyId="alias/aws/sns",
        SignatureVersion=2, Subscription=[{"Endpoint": queue["Arn"], "Protocol": "sqs"}], Tags=[{"Key": "a", "Value": "b"}],
    )  # fmt: skip
    assert topic.ref == topic["TopicArn"] == f"arn:aws:sns:{REGION}:{ACCOUNT}:t"
    assert topic["TopicName"] == "t"
    read = lambda: sns.get_topic_attributes(TopicArn=topic.ref)["Attributes"]  # noqa: E731
    assert (read()["DisplayName"], read()["KmsMasterKeyId"]) == ("d", "alias/aws/sns")
    assert [one["Endpoint"] for one in sns.list_subscriptions_by_topic(TopicArn=topic.ref)["Subscriptions"]] == [
        queue["Arn"]
    ]
    assert tags(sns.list_tags_for_resource(ResourceArn=topic.ref)["Tags"]) == {"env": "test", "a": "b"}
    topic = stack.update(
        topic, DisplayName="e", SignatureVersion=None, Subscription=None, Tags=[{"Key": "a", "Value": "c"}]
    )
    assert read()["DisplayName"] == "e"
    assert sns.list_subscriptions_by_topic(TopicArn=topic.ref)["Subscriptions"] == []
    assert tags(sns.list_tags_for_resource(ResourceArn=topic.ref)["Tags"]) == {"env": "test", "a": "c"}
    policy = stack.create(
        "AWS::SNS::TopicPolicy", Topics=[topic.ref], PolicyDocument=document("sns:Publish", topic.ref)
    )
    assert json.loads(read()["Policy"]) == document("sns:Publish", topic.ref)
    policy = stack.update(policy, PolicyDocument=document("sns:Subscribe", topic.ref))
    assert json.loads(read()["Policy"]) == document("sns:Subscribe", topic.ref)
    stack.delete(policy)
    assert json.loads(read()["Policy"])["Statement"][0]["Condition"] == {"StringEquals": {"AWS:SourceOwner": ACCOUNT}}
    stack.delete(topic)
    assert sns.list_topics()["Topics"] == []
    stack.delete(topic)
    stack.delete(policy)


def test_a_fifo_topic_has_its_ending(stack):
    assert stack.create("AWS::SNS::Topic", FifoTopic=True, ContentBasedDeduplication="true").ref.endswith(".fifo")


def test_a_subscription_has_every_property(cloud, stack, queue):
    sns = cloud.client("sns")
    topic = stack.create("AWS::SNS::Topic", "Topic")
    subscription = stack.create(
        "AWS::SNS::Subscription", TopicArn=topic.ref, Protocol="sqs", Endpoint=queue["Arn"], RawMessageDelivery=True,
        FilterPolicy={"kind": ["a"]}, FilterPolicyScope="MessageBody",
    )  # fmt: skip
    assert subscription.ref == subscription["Arn"]
    read = lambda: sns.get_subscription_attributes(SubscriptionArn=subscription.ref)["Attributes"]  # noqa: E731
    assert json.loads(read()["FilterPolicy"]) == {"kind": ["a"]}
    assert (read()["RawMessageDelivery"], read()["FilterPolicyScope"]) == ("true", "MessageBody")
    subscription = stack.update(subscription, RawMessageDelivery=None, FilterPolicy={"kind": ["b"]})
    assert json.loads(read()["FilterPolicy"]) == {"kind": ["b"]}
    assert read()["RawMessageDelivery"] == "false"
    assert handlers.replaces(
        "AWS::SNS::Subscription", subscription.wanted.properties, {**subscription.wanted.properties, "Endpoint": "x"}
    )
    stack.delete(subscription)
    assert sns.list_subscriptions()["Subscriptions"] == []
    stack.delete(subscription)


KEYS = {
    "AttributeDefinitions": [
        {"AttributeName": "id", "AttributeType": "S"},
        {"AttributeName": "at", "AttributeType": "N"},
    ],
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
}
BY_TIME = {
    "IndexName": "by-time",
    "KeySchema": [{"AttributeName": "at", "KeyType": "HASH"}],
    "Projection": {"ProjectionType": "ALL"},
}


def test_a_table_has_every_property(cloud, stack):
    dynamodb = cloud.client("dynamodb")
    table = stack.create(
        "AWS::DynamoDB::Table", tags={"env": "test"}, TableName="orders", BillingMode="PAY_PER_REQUEST", **KEYS,
        GlobalSecondaryIndexes=[BY_TIME], StreamSpecification={"StreamViewType": "NEW_IMAGE"},
        SSESpecification={"SSEEnabled": True}, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True},
        TimeToLiveSpecification={"AttributeName": "ttl", "Enabled": True}, Tags=[{"Key": "a", "Value": "b"}],
    )  # fmt: skip
    read = lambda: dynamodb.describe_table(TableName="orders")["Table"]  # noqa: E731
    assert (table.ref, table["Arn"], table["StreamArn"]) == ("orders", read()["TableArn"], read()["LatestStreamArn"])
    assert read()["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    assert [one["IndexName"] for one in read()["GlobalSecondaryIndexes"]] == ["by-time"]
    assert read()["SSEDescription"]["Status"] == "ENABLED"
    backups = dynamodb.describe_continuous_backups(TableName="orders")["ContinuousBackupsDescription"]
    assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"
    alive = dynamodb.describe_time_to_live(TableName="orders")["TimeToLiveDescription"]
    assert (alive["AttributeName"], alive["TimeToLiveStatus"]) == ("ttl", "ENABLED")
    assert tags(dynamodb.list_tags_of_resource(ResourceArn=table["Arn"])["Tags"]) == {"env": "test", "a": "b"}
    table = stack.update(
        table, BillingMode="PROVISIONED", ProvisionedThroughput={"ReadCapacityUnits": "3", "WriteCapacityUnits": 4},
        GlobalSecondaryIndexes=None, StreamSpecification=None, PointInTimeRecoverySpecification=None,
        TimeToLiveSpecification=None, DeletionProtectionEnabled=True, Tags=None,
    )  # fmt: skip
    assert read()["ProvisionedThroughput"]["ReadCapacityUnits"] == 3
    assert not read().get("GlobalSecondaryIndexes")
    assert not read().get("StreamSpecification", {}).get("StreamEnabled")
    assert read()["DeletionProtectionEnabled"] is True
    backups = dynamodb.describe_continuous_backups(TableName="orders")["ContinuousBackupsDescription"]
    assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "DISABLED"
    assert dynamodb.describe_time_to_live(TableName="orders")["TimeToLiveDescription"]["TimeToLiveStatus"] == "DISABLED"
    assert tags(dynamodb.list_tags_of_resource(ResourceArn=table["Arn"])["Tags"]) == {"env": "test"}
    throughput = {"ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}}
    table = stack.update(table, DeletionProtectionEnabled=None, GlobalSecondaryIndexes=[BY_TIME | throughput])
    assert [one["IndexName"] for one in read()["GlobalSecondaryIndexes"]] == ["by-time"]
    with pytest.raises(InvalidProperties, match="by-time"):
        stack.update(table, GlobalSecondaryIndexes=[{**BY_TIME, "Projection": {"ProjectionType": "KEYS_ONLY"}}])
    properties = table.wanted.properties
    other = [{"AttributeName": "at", "KeyType": "HASH"}]
    assert handlers.replaces("AWS::DynamoDB::Table", properties, {**properties, "KeySchema": other})
    assert handlers.replaces("AWS::DynamoDB::Table", properties, {**properties, "LocalSecondaryIndexes": [BY_TIME]})
    stack.delete(table)
    assert dynamodb.list_tables()["TableNames"] == []
    stack.delete(table)


def test_a_secret_is_given_or_made(cloud, stack):
    secrets = cloud.client("secretsmanager")
    secret = stack.create(
        "AWS::SecretsManager::Secret", tags={"env": "test"}, Name="db", Description="d",
        GenerateSecretString={"SecretStringTemplate": '{"user":"admin"}', "GenerateStringKey": "password", "PasswordLength": "24", "ExcludeCharacters": '"@/\\'},
        Tags=[{"Key": "a", "Value": "b"}],
    )  # fmt: skip
    found = secrets.describe_secret(SecretId="db")
    assert secret.ref == secret["Id"] == found["ARN"]
    assert (found["Description"], tags(found["Tags"])) == ("d", {"env": "test", "a": "b"})
    read = lambda: secrets.get_secret_value(SecretId="db")["SecretString"]  # noqa: E731
    made = json.loads(read())
    assert made["user"] == "admin"
    assert len(made["password"]) == 24
    secret = stack.update(secret, Description="e", Tags=[{"Key": "a", "Value": "c"}])
    assert json.loads(read()) == made
    found = secrets.describe_secret(SecretId="db")
    assert (found["Description"], tags(found["Tags"])) == ("e", {"env": "test", "a": "c"})
    secret = stack.update(secret, GenerateSecretString=None, SecretString="given")
    assert read() == "given"
    stack.delete(secret)
    assert "DeletedDate" in secrets.describe_secret(SecretId="db")
    both = {"SecretString": "a", "GenerateSecretString": {}}
    with pytest.raises(InvalidProperties, match="not both"):
        handlers.check("AWS::SecretsManager::Secret", both)
    with pytest.raises(InvalidProperties, match="together"):
        handlers.check("AWS::SecretsManager::Secret", {"GenerateSecretString": {"GenerateStringKey": "k"}})


def test_a_rule_has_its_targets(cloud, stack, queue):
    events = cloud.client("events")
    rule = stack.create(
        "AWS::Events::Rule", tags={"env": "test"}, Name="r", Description="d", ScheduleExpression="rate(5 minutes)", State="ENABLED",
        Targets=[{"Id": "one", "Arn": queue["Arn"], "Input": '{"a":1}'}, {"Id": "two", "Arn": queue["Arn"]}],
    )  # fmt: skip
    found = events.describe_rule(Name="r")
    assert (rule.ref, rule["Arn"], found["ScheduleExpression"]) == ("r", found["Arn"], "rate(5 minutes)")
    assert tags(events.list_tags_for_resource(ResourceARN=rule["Arn"])["Tags"]) == {"env": "test"}
    rule = stack.update(
        rule, ScheduleExpression=None, EventPattern={"source": ["orders"]}, State="DISABLED",
        Targets=[{"Id": "two", "Arn": queue["Arn"], "Input": '"b"'}],
    )  # fmt: skip
    found = events.describe_rule(Name="r")
    assert (json.loads(found["EventPattern"]), found["State"]) == ({"source": ["orders"]}, "DISABLED")
    assert events.list_targets_by_rule(Rule="r")["Targets"] == [{"Id": "two", "Arn": queue["Arn"], "Input": '"b"'}]
    stack.delete(rule)
    assert events.list_rules()["Rules"] == []
    stack.delete(rule)
    events.create_event_bus(Name="bus")
    other = stack.create(
        "AWS::Events::Rule",
        Name="s",
        EventBusName="bus",
        EventPattern={"source": ["a"]},
        Targets=[{"Id": "one", "Arn": queue["Arn"]}],
    )
    assert other.ref == "bus|s"
    assert len(events.list_targets_by_rule(Rule="s", EventBusName="bus")["Targets"]) == 1
    stack.delete(other)
    assert events.list_rules(EventBusName="bus")["Rules"] == []


PASS = {"StartAt": "P", "States": {"P": {"Type": "Pass", "Result": "${word}", "End": True}}}


def test_a_state_machine_has_every_property(cloud, stack):
    states = cloud.client("stepfunctions")
    role = stack.create("AWS::IAM::Role", "Role", AssumeRolePolicyDocument=trust("states.amazonaws.com"))
    machine = stack.create(
        "AWS::StepFunctions::StateMachine", tags={"env": "test"}, StateMachineName="m", RoleArn=role["Arn"],
        Definition=PASS, DefinitionSubstitutions={"word": "hello"}, StateMachineType="STANDARD",
        TracingConfiguration={"Enabled": True},
    )  # fmt: skip
    read = lambda: states.describe_state_machine(stateMachineArn=machine.ref)  # noqa: E731
    assert (machine["Arn"], machine["Name"]) == (machine.ref, "m")
    assert json.loads(read()["definition"])["States"]["P"]["Result"] == "hello"
    assert (read()["roleArn"], read()["tracingConfiguration"]["enabled"]) == (role["Arn"], True)
    assert states.list_tags_for_resource(resourceArn=machine.ref)["tags"] == [{"key": "env", "value": "test"}]
    machine = stack.update(
        machine, tags={"env": "prod"}, Definition=None, DefinitionString=json.dumps(PASS),
        DefinitionSubstitutions={"word": "bye"}, TracingConfiguration=None,
    )  # fmt: skip
    assert json.loads(read()["definition"])["States"]["P"]["Result"] == "bye"
    assert read()["tracingConfiguration"]["enabled"] is False
    assert states.list_tags_for_resource(resourceArn=machine.ref)["tags"] == [{"key": "env", "value": "prod"}]
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="definitions")
    s3.put_object(Bucket="definitions", Key="m.json", Body=json.dumps(PASS).replace("${word}", "object"))
    machine = stack.update(
        machine, DefinitionString=None, DefinitionS3Location={"Bucket": "definitions", "Key": "m.json"}
    )
    assert json.loads(read()["definition"])["States"]["P"]["Result"] == "object"
    with pytest.raises(InvalidProperties, match="exactly one"):
        handlers.check("AWS::StepFunctions::StateMachine", {"RoleArn": "r"})
    stack.delete(machine)
    assert states.list_state_machines()["stateMachines"] == []


def test_an_alarm_has_every_property(cloud, stack):
    cloudwatch = cloud.client("cloudwatch")
    alarm = stack.create(
        "AWS::CloudWatch::Alarm", tags={"env": "test"}, AlarmName="a", AlarmDescription="d", Namespace="N", MetricName="M",
        Statistic="Sum", Period="60", EvaluationPeriods=2, Threshold="1.5", ComparisonOperator="GreaterThanThreshold",
        Dimensions=[{"Name": "n", "Value": 5}], TreatMissingData="ignore", ActionsEnabled=False, Unit="Count",
        AlarmActions=[f"arn:aws:sns:{REGION}:{ACCOUNT}:t"], DatapointsToAlarm=1,
    )  # fmt: skip
    read = lambda: cloudwatch.describe_alarms(AlarmNames=["a"])["MetricAlarms"][0]  # noqa: E731
    assert (alarm.ref, alarm["Arn"]) == ("a", read()["AlarmArn"])
    assert (read()["Threshold"], read()["Period"], read()["ActionsEnabled"]) == (1.5, 60, False)
    assert read()["Dimensions"] == [{"Name": "n", "Value": "5"}]
    assert tags(cloudwatch.list_tags_for_resource(ResourceARN=alarm["Arn"])["Tags"]) == {"env": "test"}
    alarm = stack.update(alarm, tags={"env": "prod"}, Threshold=3, AlarmDescription=None)
    assert read()["Threshold"] == 3
    assert not read().get("AlarmDescription")
    assert tags(cloudwatch.list_tags_for_resource(ResourceARN=alarm["Arn"])["Tags"]) == {"env": "prod"}
    stack.delete(alarm)
    assert cloudwatch.describe_alarms()["MetricAlarms"] == []
