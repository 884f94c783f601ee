"""AWS::S3, SQS, SSM, ECR and KMS: every property that iamd supports, made, changed and removed.

AWS: CloudFormation Template Reference, the page of each type.
"""

import json

import pytest
from botocore.exceptions import ClientError
from running import ACCOUNT, REGION, allow
from stacks.resources import Stack

from iamd.stacks import handlers
from iamd.stacks.client import RequestFailed
from iamd.stacks.handlers import InvalidProperties

KEEP = {"rules": [{"rulePriority": 1, "selection": {"tagStatus": "untagged", "countType": "imageCountMoreThan", "countNumber": 1}, "action": {"type": "expire"}}]}  # fmt: skip


PULL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "ecr:BatchGetImage"}]}


def document(action, resource="*"):
    principal = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    return {"Version": "2012-10-17", "Statement": [{**allow(action, resource), "Principal": principal}]}


def tags(listed):
    return {tag["Key"]: tag["Value"] for tag in listed}


@pytest.fixture
def refused():
    """The code of an error that boto3 raises."""

    def code(function, **parameters):
        with pytest.raises(ClientError) as raised:
            function(**parameters)
        return raised.value.response["Error"]["Code"]

    return code


def test_a_bucket_is_as_cdk_bootstraps_it(cloud, stack, refused):
    s3 = cloud.client("s3")
    bucket = stack.create(
        "AWS::S3::Bucket", BucketName="assets", AccessControl="Private",
        BucketEncryption={"ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]},
        PublicAccessBlockConfiguration={"BlockPublicAcls": True, "BlockPublicPolicy": "true", "IgnorePublicAcls": True, "RestrictPublicBuckets": True},
        VersioningConfiguration={"Status": "Enabled"},
        LifecycleConfiguration={"Rules": [
            {"Id": "Cleanup", "Status": "Enabled", "NoncurrentVersionExpiration": {"NoncurrentDays": 30}},
            {"Id": "Abort", "Status": "Enabled", "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1}},
        ]},
    )  # fmt: skip
    assert bucket.ref == "assets"
    assert bucket["Arn"] == "arn:aws:s3:::assets"
    assert bucket["RegionalDomainName"] == f"assets.s3.{REGION}.amazonaws.com"
    assert bucket["WebsiteURL"] == f"http://assets.s3-website-{REGION}.amazonaws.com"
    rule = s3.get_bucket_encryption(Bucket="assets")["ServerSideEncryptionConfiguration"]["Rules"][0]
    assert rule["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    assert all(s3.get_public_access_block(Bucket="assets")["PublicAccessBlockConfiguration"].values())
    assert s3.get_bucket_versioning(Bucket="assets")["Status"] == "Enabled"
    rules = {rule["ID"]: rule for rule in s3.get_bucket_lifecycle_configuration(Bucket="assets")["Rules"]}
    assert rules["Cleanup"]["NoncurrentVersionExpiration"] == {"NoncurrentDays": 30}
    assert rules["Abort"]["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}
    policy = stack.create(
        "AWS::S3::BucketPolicy", Bucket="assets", PolicyDocument=document("s3:GetObject", "arn:aws:s3:::assets/*")
    )
    assert policy.ref == "assets"
    policy = stack.update(policy, PolicyDocument=document("s3:PutObject", "arn:aws:s3:::assets/*"))
    assert json.loads(s3.get_bucket_policy(Bucket="assets")["Policy"])["Statement"][0]["Action"] == "s3:PutObject"
    stack.delete(policy)
    assert refused(s3.get_bucket_policy, Bucket="assets") == "NoSuchBucketPolicy"
    bucket = stack.update(
        bucket, BucketEncryption=None, PublicAccessBlockConfiguration=None, VersioningConfiguration=None,
        LifecycleConfiguration=None, AccessControl=None,
    )  # fmt: skip
    assert refused(s3.get_public_access_block, Bucket="assets") == "NoSuchPublicAccessBlockConfiguration"
    assert s3.get_bucket_versioning(Bucket="assets")["Status"] == "Suspended"
    assert refused(s3.get_bucket_lifecycle_configuration, Bucket="assets") == "NoSuchLifecycleConfiguration"
    s3.put_object(Bucket="assets", Key="k", Body=b"")
    with pytest.raises(RequestFailed) as raised:
        stack.delete(bucket)
    assert raised.value.code == "BucketNotEmpty"
    for version in s3.list_object_versions(Bucket="assets")["Versions"]:
        s3.delete_object(Bucket="assets", Key="k", VersionId=version["VersionId"])
    stack.delete(bucket)
    assert s3.list_buckets()["Buckets"] == []
    stack.delete(bucket)


def test_a_bucket_has_every_other_configuration(cloud, stack, refused):
    s3 = cloud.client("s3")
    queue_arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:q"
    statement = {"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sqs:SendMessage"}
    policy = {"Version": "2012-10-17", "Statement": [{**statement, "Resource": queue_arn}]}
    cloud.client("sqs").create_queue(QueueName="q", Attributes={"Policy": json.dumps(policy)})
    bucket = stack.create(
        "AWS::S3::Bucket", "Objects", tags={"env": "test"},
        OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerPreferred"}]},
        CorsConfiguration={"CorsRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"], "ExposedHeaders": ["x"], "MaxAge": "5", "Id": "c"}]},
        WebsiteConfiguration={"IndexDocument": "index.html", "ErrorDocument": "error.html", "RoutingRules": [
            {"RedirectRule": {"HostName": "example.com"}, "RoutingRuleCondition": {"KeyPrefixEquals": "old/"}},
        ]},
        NotificationConfiguration={
            "QueueConfigurations": [{"Event": "s3:ObjectCreated:*", "Queue": queue_arn, "Filter": {"S3Key": {"Rules": [{"Name": "prefix", "Value": "in/"}]}}}],
            "EventBridgeConfiguration": {"EventBridgeEnabled": True},
        },
        AccelerateConfiguration={"AccelerationStatus": "Enabled"},
        LifecycleConfiguration={"Rules": [{
            "Id": "all", "Status": "Enabled", "Prefix": "a/", "TagFilters": [{"Key": "k", "Value": "v"}], "ObjectSizeGreaterThan": "5",
            "ExpirationInDays": 400, "Transitions": [{"StorageClass": "GLACIER", "TransitionInDays": 30}],
            "NoncurrentVersionTransitions": [{"StorageClass": "GLACIER", "TransitionInDays": 7}], "NoncurrentVersionExpirationInDays": 9,
        }]},
        Tags=[{"Key": "a", "Value": "b"}],
    )  # fmt: skip
    name = bucket.ref
    assert name.startswith("orders-objects-")
    assert name == name.lower()
    assert tags(s3.get_bucket_tagging(Bucket=name)["TagSet"]) == {"env": "test", "a": "b"}
    assert (
        s3.get_bucket_ownership_controls(Bucket=name)["OwnershipControls"]["Rules"][0]["ObjectOwnership"]
        == "BucketOwnerPreferred"
    )
    cors = s3.get_bucket_cors(Bucket=name)["CORSRules"][0]
    assert (cors["ExposeHeaders"], cors["MaxAgeSeconds"]) == (["x"], 5)
    website = s3.get_bucket_website(Bucket=name)
    assert (website["IndexDocument"], website["ErrorDocument"]) == ({"Suffix": "index.html"}, {"Key": "error.html"})
    assert website["RoutingRules"][0]["Redirect"]["HostName"] == "example.com"
    notified = s3.get_bucket_notification_configuration(Bucket=name)
    assert notified["QueueConfigurations"][0]["QueueArn"] == queue_arn
    assert notified["QueueConfigurations"][0]["Filter"]["Key"]["FilterRules"][0]["Value"] == "in/"
    assert s3.get_bucket_accelerate_configuration(Bucket=name)["Status"] == "Enabled"
    rule = s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"][0]
    assert rule["Filter"]["And"]["Prefix"] == "a/"
    assert rule["Filter"]["And"]["Tags"] == [{"Key": "k", "Value": "v"}]
    assert rule["Expiration"]["Days"] == 400
    assert rule["Transitions"] == [{"Days": 30, "StorageClass": "GLACIER"}]
    bucket = stack.update(
        bucket, tags={}, Tags=None, CorsConfiguration=None, WebsiteConfiguration=None, NotificationConfiguration=None,
        AccelerateConfiguration=None, OwnershipControls=None,
    )  # fmt: skip
    assert refused(s3.get_bucket_tagging, Bucket=name) == "NoSuchTagSet"
    assert refused(s3.get_bucket_cors, Bucket=name) == "NoSuchCORSConfiguration"
    assert refused(s3.get_bucket_website, Bucket=name) == "NoSuchWebsiteConfiguration"
    assert "QueueConfigurations" not in s3.get_bucket_notification_configuration(Bucket=name)
    assert s3.get_bucket_accelerate_configuration(Bucket=name)["Status"] == "Suspended"


def test_a_bucket_has_abac_and_its_tags_change(cloud, stack):
    s3 = cloud.client("s3")
    bucket = stack.create("AWS::S3::Bucket", AbacStatus="Enabled", Tags=[{"Key": "a", "Value": "b"}])
    assert s3.get_bucket_abac(Bucket=bucket.ref)["AbacStatus"] == {"Status": "Enabled"}
    assert tags(s3.get_bucket_tagging(Bucket=bucket.ref)["TagSet"])["a"] == "b"
    bucket = stack.update(bucket, Tags=[{"Key": "c", "Value": "d"}])
    told = tags(s3.get_bucket_tagging(Bucket=bucket.ref)["TagSet"])
    assert ("a" in told, told["c"]) == (False, "d")
    bucket = stack.update(bucket, AbacStatus=None)
    assert s3.get_bucket_abac(Bucket=bucket.ref)["AbacStatus"] == {"Status": "Disabled"}


def test_a_bucket_has_the_acl_that_its_ownership_takes(cloud, stack):
    """AWS: AWS::S3::Bucket, AccessControl and OwnershipControls."""
    s3 = cloud.client("s3")
    with pytest.raises(RequestFailed, match="BucketOwnerEnforced"):
        stack.create("AWS::S3::Bucket", BucketName="none", AccessControl="LogDeliveryWrite")
    for number, private in enumerate(("Private", "BucketOwnerFullControl", "BucketOwnerRead", "AwsExecRead")):
        plain = stack.create("AWS::S3::Bucket", BucketName=f"plain-{number}", AccessControl=private)
        stack.update(plain, AccessControl=None)
        assert len(s3.get_bucket_acl(Bucket=f"plain-{number}")["Grants"]) == 1
    bucket = stack.create(
        "AWS::S3::Bucket", BucketName="open", AccessControl="PublicRead",
        OwnershipControls={"Rules": [{"ObjectOwnership": "ObjectWriter"}]},
        PublicAccessBlockConfiguration={"BlockPublicAcls": False, "IgnorePublicAcls": "false"},
    )  # fmt: skip
    assert s3.get_bucket_acl(Bucket="open")["Grants"][1]["Permission"] == "READ"
    bucket = stack.update(bucket, AccessControl="Private")
    assert len(s3.get_bucket_acl(Bucket="open")["Grants"]) == 1
    stack.delete(bucket)


def test_a_bucket_logs_and_locks(cloud, stack):
    s3 = cloud.client("s3")
    logs = stack.create(
        "AWS::S3::Bucket",
        BucketName="logs",
        AccessControl="LogDeliveryWrite",
        OwnershipControls={"Rules": [{"ObjectOwnership": "ObjectWriter"}]},
    )
    bucket = stack.create(
        "AWS::S3::Bucket", BucketName="locked", ObjectLockEnabled=True,
        LoggingConfiguration={"DestinationBucketName": "logs", "LogFilePrefix": "l/"},
        ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 3}}},
    )  # fmt: skip
    assert s3.get_bucket_logging(Bucket="locked")["LoggingEnabled"]["TargetPrefix"] == "l/"
    locked = s3.get_object_lock_configuration(Bucket="locked")["ObjectLockConfiguration"]
    assert locked["Rule"]["DefaultRetention"].items() >= {"Mode": "GOVERNANCE", "Days": 3}.items()
    bucket = stack.update(bucket, LoggingConfiguration=None)
    assert "LoggingEnabled" not in s3.get_bucket_logging(Bucket="locked")
    stack.delete(bucket)
    # What the bucket was asked for has been logged.
    with pytest.raises(RequestFailed, match="not empty"):
        stack.delete(logs)


def test_a_bucket_that_can_not_be_configured_is_not_left(cloud):
    limited = Stack(cloud, cloud.user("dev", allow(["s3:CreateBucket", "s3:DeleteBucket"])))
    with pytest.raises(RequestFailed) as raised:
        limited.create("AWS::S3::Bucket", BucketName="bucket", VersioningConfiguration={"Status": "Enabled"})
    assert raised.value.code == "AccessDenied"
    assert cloud.client("s3").list_buckets()["Buckets"] == []


def test_a_queue_has_every_property(cloud, stack):
    sqs = cloud.client("sqs")
    dead = stack.create("AWS::SQS::Queue", "Dead")
    queue = stack.create(
        "AWS::SQS::Queue", tags={"env": "test"}, QueueName="q", DelaySeconds=5, MaximumMessageSize="2048",
        MessageRetentionPeriod=600, ReceiveMessageWaitTimeSeconds=2, VisibilityTimeout=45, KmsMasterKeyId="alias/aws/sqs",
        KmsDataKeyReusePeriodSeconds=600, RedrivePolicy={"deadLetterTargetArn": dead["Arn"], "maxReceiveCount": 3},
        Tags=[{"Key": "a", "Value": "b"}],
    )  # fmt: skip
    assert queue.ref == queue["QueueUrl"] == sqs.get_queue_url(QueueName="q")["QueueUrl"]
    read = lambda: sqs.get_queue_attributes(QueueUrl=queue.ref, AttributeNames=["All"])["Attributes"]  # noqa: E731
    assert read()["QueueArn"] == queue["Arn"]
    assert (read()["DelaySeconds"], read()["MaximumMessageSize"], read()["VisibilityTimeout"]) == ("5", "2048", "45")
    assert json.loads(read()["RedrivePolicy"])["deadLetterTargetArn"] == dead["Arn"]
    assert sqs.list_queue_tags(QueueUrl=queue.ref)["Tags"] == {"env": "test", "a": "b"}
    queue = stack.update(queue, VisibilityTimeout=60, DelaySeconds=None, Tags=[{"Key": "a", "Value": "c"}])
    assert (read()["DelaySeconds"], read()["VisibilityTimeout"], read()["MaximumMessageSize"]) == ("0", "60", "2048")
    assert sqs.list_queue_tags(QueueUrl=queue.ref)["Tags"] == {"env": "test", "a": "c"}
    with pytest.raises(InvalidProperties, match="MaximumMessageSize"):
        stack.update(queue, MaximumMessageSize=None)
    policy = stack.create(
        "AWS::SQS::QueuePolicy", Queues=[queue.ref], PolicyDocument=document("sqs:SendMessage", queue["Arn"])
    )
    assert "sqs:SendMessage" in read()["Policy"]
    policy = stack.update(policy, Queues=[dead.ref], PolicyDocument=document("sqs:ReceiveMessage", dead["Arn"]))
    assert "Policy" not in read()
    assert (
        "sqs:ReceiveMessage"
        in sqs.get_queue_attributes(QueueUrl=dead.ref, AttributeNames=["Policy"])["Attributes"]["Policy"]
    )
    stack.delete(policy)
    stack.delete(queue)
    stack.delete(dead)
    assert "QueueUrls" not in sqs.list_queues()
    stack.delete(policy)
    stack.delete(queue)


def test_a_fifo_queue_has_its_ending(cloud, stack):
    queue = stack.create("AWS::SQS::Queue", "L" * 80, FifoQueue="true", ContentBasedDeduplication=True)
    assert queue["QueueName"].endswith(".fifo")
    assert len(queue["QueueName"]) == 80
    attributes = cloud.client("sqs").get_queue_attributes(QueueUrl=queue.ref, AttributeNames=["All"])["Attributes"]
    assert (attributes["FifoQueue"], attributes["ContentBasedDeduplication"]) == ("true", "true")
    assert handlers.replaces("AWS::SQS::Queue", {"FifoQueue": True}, {})


def test_a_parameter_has_every_property(cloud, stack):
    ssm = cloud.client("ssm")
    parameter = stack.create(
        "AWS::SSM::Parameter", tags={"env": "test"}, Name="/cdk/version", Type="String", Value="21", Description="d",
        AllowedPattern="^[0-9]+$", Tier="Standard", DataType="text", Tags={"a": "b"},
    )  # fmt: skip
    assert parameter.ref == "/cdk/version"
    assert (parameter["Type"], parameter["Value"]) == ("String", "21")
    assert ssm.get_parameter(Name="/cdk/version")["Parameter"]["Value"] == "21"
    listed = ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId="/cdk/version")["TagList"]
    assert tags(listed) == {"env": "test", "a": "b"}
    parameter = stack.update(parameter, Value=22, Description=None, Tags={"a": "c"})
    assert ssm.get_parameter(Name="/cdk/version")["Parameter"]["Value"] == "22"
    listed = ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId="/cdk/version")["TagList"]
    assert tags(listed) == {"env": "test", "a": "c"}
    with pytest.raises(RequestFailed) as raised:
        stack.create("AWS::SSM::Parameter", Name="/cdk/version", Type="String", Value="1")
    assert raised.value.code == "ParameterAlreadyExists"
    with pytest.raises(InvalidProperties, match="SecureString"):
        handlers.check("AWS::SSM::Parameter", {"Type": "SecureString", "Value": "v"})
    stack.delete(parameter)
    assert ssm.describe_parameters()["Parameters"] == []
    assert stack.create("AWS::SSM::Parameter", "P", Type="StringList", Value="a,b").ref.startswith("CFN-P-")


def test_a_repository_has_every_property(cloud, stack, refused):
    ecr = cloud.client("ecr")
    repository = stack.create(
        "AWS::ECR::Repository", RepositoryName="assets", ImageTagMutability="IMMUTABLE", EmptyOnDelete=True,
        ImageScanningConfiguration={"ScanOnPush": "true"}, EncryptionConfiguration={"EncryptionType": "AES256"},
        LifecyclePolicy={"LifecyclePolicyText": json.dumps(KEEP)}, RepositoryPolicyText=PULL,
        Tags=[{"Key": "a", "Value": "b"}],
    )  # fmt: skip
    found = ecr.describe_repositories()["repositories"][0]
    assert repository.ref == found["repositoryName"] == "assets"
    assert repository["Arn"] == found["repositoryArn"]
    assert repository["RepositoryUri"] == found["repositoryUri"]
    assert (found["imageTagMutability"], found["imageScanningConfiguration"]["scanOnPush"]) == ("IMMUTABLE", True)
    assert "ecr:BatchGetImage" in ecr.get_repository_policy(repositoryName="assets")["policyText"]
    assert ecr.get_lifecycle_policy(repositoryName="assets")["lifecyclePolicyText"] == json.dumps(KEEP)
    repository = stack.update(
        repository, ImageTagMutability=None, ImageScanningConfiguration={"ScanOnPush": False}, LifecyclePolicy=None,
        RepositoryPolicyText=None, Tags=[{"Key": "c", "Value": "d"}],
    )  # fmt: skip
    found = ecr.describe_repositories()["repositories"][0]
    assert (found["imageTagMutability"], found["imageScanningConfiguration"]["scanOnPush"]) == ("MUTABLE", False)
    assert refused(ecr.get_repository_policy, repositoryName="assets") == "RepositoryPolicyNotFoundException"
    assert refused(ecr.get_lifecycle_policy, repositoryName="assets") == "LifecyclePolicyNotFoundException"
    assert tags(ecr.list_tags_for_resource(resourceArn=repository["Arn"])["tags"]) == {"c": "d"}
    changed = {"EncryptionConfiguration": {"EncryptionType": "KMS"}}
    assert handlers.replaces(
        "AWS::ECR::Repository", repository.wanted.properties, {**repository.wanted.properties, **changed}
    )
    stack.delete(repository)
    assert ecr.describe_repositories()["repositories"] == []


def test_a_key_has_every_property(cloud, stack):
    kms = cloud.client("kms")
    policy = document("kms:*")
    key = stack.create(
        "AWS::KMS::Key", tags={"env": "test"}, Description="d", KeyPolicy=policy, EnableKeyRotation=True,
        PendingWindowInDays=7, Tags=[{"Key": "a", "Value": "b"}],
    )  # fmt: skip
    found = kms.describe_key(KeyId=key.ref)["KeyMetadata"]
    assert (key["KeyId"], key["Arn"]) == (key.ref, found["Arn"])
    assert (found["Description"], found["Enabled"]) == ("d", True)
    assert kms.get_key_rotation_status(KeyId=key.ref)["KeyRotationEnabled"] is True
    assert json.loads(kms.get_key_policy(KeyId=key.ref, PolicyName="default")["Policy"]) == policy
    changed = document(["kms:*", "kms:Decrypt"])
    key = stack.update(key, Description=None, KeyPolicy=changed, EnableKeyRotation=False, Enabled=False, Tags=None)
    found = kms.describe_key(KeyId=key.ref)["KeyMetadata"]
    assert (found["Description"], found["Enabled"]) == ("", False)
    assert kms.get_key_rotation_status(KeyId=key.ref)["KeyRotationEnabled"] is False
    assert json.loads(kms.get_key_policy(KeyId=key.ref, PolicyName="default")["Policy"]) == changed
    assert [tag["TagKey"] for tag in kms.list_resource_tags(KeyId=key.ref)["Tags"]] == ["env"]
    key = stack.update(key, Enabled=None)
    assert kms.describe_key(KeyId=key.ref)["KeyMetadata"]["Enabled"] is True
    with pytest.raises(InvalidProperties, match="KeySpec"):
        stack.update(key, KeySpec="RSA_2048")
    other = stack.create("AWS::KMS::Key", "Other")
    alias = stack.create("AWS::KMS::Alias", AliasName="alias/own", TargetKeyId=key.ref)
    assert alias.ref == "alias/own"
    alias = stack.update(alias, TargetKeyId=other["Arn"])
    assert kms.describe_key(KeyId="alias/own")["KeyMetadata"]["KeyId"] == other.ref
    stack.delete(alias)
    assert "alias/own" not in [one["AliasName"] for one in kms.list_aliases()["Aliases"]]
    stack.delete(key)
    assert kms.describe_key(KeyId=key.ref)["KeyMetadata"]["KeyState"] == "PendingDeletion"
    stack.delete(key)
