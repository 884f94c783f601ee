"""What events tell of requests holds no secret, whether the models call it one or not."""

import json

import pytest

from iamd.gateway import events
from iamd.wire import models

SECRET = "s3cr3t-of-somebody"
KEYED = {"ComparisonOperator": "EQ", "AttributeValueList": [{"S": SECRET}]}
VARIABLE = [{"name": "A", "value": SECRET}]
CALLS = [
    ("apigateway", "CreateApiKey", {"name": "k", "value": SECRET}),
    ("autoscaling", "CreateLaunchConfiguration", {"LaunchConfigurationName": "l", "UserData": SECRET}),
    ("batch", "SubmitJob", {"jobName": "j", "containerOverrides": {"environment": VARIABLE}}),
    ("dynamodb", "DeleteItem", {"TableName": "t", "Expected": {"b": {"Value": {"S": SECRET}}}}),
    ("dynamodb", "PutItem", {"TableName": "t", "Item": {"a": {"S": SECRET}}}),
    ("dynamodb", "Query", {"TableName": "t", "KeyConditions": {"a": KEYED}, "QueryFilter": {"b": KEYED}}),
    ("dynamodb", "Scan", {"TableName": "t", "ScanFilter": {"a": KEYED}}),
    ("dynamodb", "UpdateItem", {"TableName": "t", "AttributeUpdates": {"a": {"Value": {"S": SECRET}}}}),
    ("ec2", "RunInstances", {"ImageId": "i", "UserData": SECRET}),
    ("ecs", "RunTask", {"overrides": {"containerOverrides": [{"name": "c", "environment": VARIABLE}]}}),
    ("elasticache", "CreateReplicationGroup", {"ReplicationGroupId": "r", "AuthToken": SECRET}),
    ("events", "PutTargets", {"Rule": "r", "Targets": [{"Id": "i", "Arn": "a", "Input": SECRET}]}),
    ("lambda", "CreateFunction", {"FunctionName": "f", "Environment": {"Variables": {"A": SECRET}}}),
    ("rds", "CreateDBInstance", {"DBInstanceIdentifier": "d", "MasterUserPassword": SECRET}),
    ("scheduler", "CreateSchedule", {"Name": "s", "Target": {"Arn": "a", "RoleArn": "r", "Input": SECRET}}),
    ("secretsmanager", "CreateSecret", {"Name": "s", "SecretString": SECRET}),
    ("sns", "CreatePlatformApplication", {"Name": "a", "Attributes": {"PlatformCredential": SECRET, "Other": "x"}}),
    ("sns", "Publish", {"TopicArn": "t", "Message": SECRET}),
    ("ssm", "PutParameter", {"Name": "p", "Type": "SecureString", "Value": SECRET}),
    ("stepfunctions", "StartExecution", {"stateMachineArn": "m", "input": SECRET}),
]


@pytest.mark.parametrize(("service", "operation", "given"), CALLS)
def test_a_secret_is_hidden_and_the_rest_is_told(service, operation, given):
    shown = events.shown(models.service(service).operation(operation), given)
    assert SECRET not in json.dumps(shown)
    told = {name: value for name, value in given.items() if SECRET not in json.dumps(value)}
    assert shown.items() >= told.items()
    assert shown.keys() == given.keys()


def test_keys_of_maps_are_recorded_as_they_were_written(cloud):
    """AWS: KMS Developer Guide, "Logging AWS KMS API calls with AWS CloudTrail": the keys of an encryption context."""
    kms = cloud.client("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.encrypt(
        KeyId=key, Plaintext=b"x", EncryptionContext={"Department": "IT", "PARAMETER_ARN": "p", "Password": "no"}
    )
    (event,) = cloud.events("Encrypt")
    expected = {"Department": "IT", "PARAMETER_ARN": "p", "Password": events.HIDDEN}
    assert event["requestParameters"]["encryptionContext"] == expected


def test_s3_calls_a_bucket_by_its_name(cloud):
    """AWS: S3 User Guide, "Amazon S3 CloudTrail events": `bucketName`, also of what is refused."""
    cloud.client("s3").create_bucket(Bucket="photos")
    assert cloud.events("CreateBucket")[0]["requestParameters"]["bucketName"] == "photos"
    nobody = cloud.client("s3", cloud.user("ann"))
    with pytest.raises(nobody.exceptions.ClientError):
        nobody.get_object(Bucket="photos", Key="k")
    parameters = cloud.events("GetObject")[0]["requestParameters"]
    assert (parameters["bucketName"], parameters["key"]) == ("photos", "k")
