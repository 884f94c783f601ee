"""Terraform's AWS provider: its calls for buckets, queues and functions, in its order, read after each step.

The provider itself can't be installed here. Its calls are those of hashicorp/terraform-provider-aws, in
internal/service/{s3/bucket,sqs/queue,lambda/function}.go; those for IAM stand in test_life_cycles.py.
"""

import io
import json
import zipfile

import pytest
from botocore.exceptions import ClientError
from running import ACCOUNT, AWS, REGION, Server

BUCKET = {"Bucket": "orders-receipts"}
QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:orders"
WAITS = {"Delay": 1, "MaxAttempts": 10}
# What a bucket that has none of it answers: anything else stops the provider.
UNSET = {
    "get_bucket_policy": "NoSuchBucketPolicy",
    "get_bucket_cors": "NoSuchCORSConfiguration",
    "get_bucket_website": "NoSuchWebsiteConfiguration",
    "get_bucket_lifecycle_configuration": "NoSuchLifecycleConfiguration",
    "get_bucket_replication": "ReplicationConfigurationNotFoundError",
    "get_object_lock_configuration": "ObjectLockConfigurationNotFoundError",
    # The embedded moto has it not before it is set; the provider goes on without.
    "get_bucket_request_payment": "NotImplemented",
}
ALWAYS = (
    "get_bucket_acl",
    "get_bucket_encryption",
    "get_bucket_versioning",
    "get_bucket_accelerate_configuration",
    "get_bucket_logging",
    "get_bucket_location",
)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """An iamd before the embedded backend."""
    with Server.serving(tmp_path_factory.mktemp("terraform") / "data", "--backend", "moto", "--dev") as server:
        yield server


@pytest.fixture
def aws(server):
    with AWS(server).reset() as aws:
        # What the provider asks first: whose account it works in.
        assert aws.client("sts").get_caller_identity()["Account"] == ACCOUNT
        yield aws


def code_of(call, **parameters):
    """The code of the error that a call ends with."""
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    return caught.value.response["Error"]["Code"]


def read_bucket(s3, *have):
    """What the provider reads of a bucket, which has these configurations of those that it need not have."""
    s3.head_bucket(**BUCKET)
    told = {name: getattr(s3, name)(**BUCKET) for name in (*ALWAYS, *have)}
    for name, code in UNSET.items():
        if name not in have:
            assert code_of(getattr(s3, name), **BUCKET) == code
    return told


def statement(principal, action, resource):
    allowed = {"Effect": "Allow", "Principal": principal, "Action": action, "Resource": resource}
    return json.dumps({"Version": "2012-10-17", "Statement": [allowed]})


def test_a_bucket(aws):
    s3 = aws.client("s3")
    assert code_of(s3.head_bucket, **BUCKET) == "404"
    s3.create_bucket(**BUCKET)
    s3.put_bucket_tagging(**BUCKET, Tagging={"TagSet": [{"Key": "team", "Value": "blue"}]})
    told = read_bucket(s3)
    assert "Status" not in told["get_bucket_versioning"]
    assert s3.get_bucket_tagging(**BUCKET)["TagSet"] == [{"Key": "team", "Value": "blue"}]
    s3.delete_bucket_tagging(**BUCKET)
    assert code_of(s3.get_bucket_tagging, **BUCKET) == "NoSuchTagSet"
    s3.delete_bucket(**BUCKET)
    assert code_of(s3.head_bucket, **BUCKET) == "404"


def test_what_is_a_resource_of_its_own_beside_a_bucket(aws):
    """aws_s3_bucket_versioning, _public_access_block, _ownership_controls, _server_side_encryption_configuration, _policy."""
    s3 = aws.client("s3")
    s3.create_bucket(**BUCKET)
    s3.put_bucket_versioning(**BUCKET, VersioningConfiguration={"Status": "Enabled"})
    assert s3.get_bucket_versioning(**BUCKET)["Status"] == "Enabled"
    block = dict.fromkeys(("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), True)
    s3.put_public_access_block(**BUCKET, PublicAccessBlockConfiguration=block)
    assert s3.get_public_access_block(**BUCKET)["PublicAccessBlockConfiguration"] == block
    rules = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    s3.put_bucket_ownership_controls(**BUCKET, OwnershipControls=rules)
    assert s3.get_bucket_ownership_controls(**BUCKET)["OwnershipControls"] == rules
    encryption = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]}
    s3.put_bucket_encryption(**BUCKET, ServerSideEncryptionConfiguration=encryption)
    [rule] = s3.get_bucket_encryption(**BUCKET)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    policy = statement({"AWS": ACCOUNT}, "s3:GetObject", "arn:aws:s3:::orders-receipts/*")
    s3.put_bucket_policy(**BUCKET, Policy=policy)
    told = read_bucket(s3, "get_bucket_policy", "get_bucket_encryption")
    assert json.loads(told["get_bucket_policy"]["Policy"])["Statement"]
    s3.delete_bucket_policy(**BUCKET)
    s3.delete_bucket_encryption(**BUCKET)
    s3.delete_bucket_ownership_controls(**BUCKET)
    assert code_of(s3.get_bucket_ownership_controls, **BUCKET) == "OwnershipControlsNotFoundError"
    s3.delete_public_access_block(**BUCKET)
    assert code_of(s3.get_public_access_block, **BUCKET) == "NoSuchPublicAccessBlockConfiguration"
    s3.put_bucket_versioning(**BUCKET, VersioningConfiguration={"Status": "Suspended"})
    read_bucket(s3)
    s3.delete_bucket(**BUCKET)


def test_a_bucket_with_an_acl(aws):
    """aws_s3_bucket_ownership_controls, _public_access_block and _acl, in the order in which they depend on each other.

    AWS: without the controls an ACL is refused; the provider names grantees by aws_canonical_user_id, from ListBuckets.
    """
    s3, acl = aws.client("s3"), {"ACL": "public-read"}
    s3.create_bucket(**BUCKET)
    assert code_of(s3.put_bucket_acl, **BUCKET, **acl) == "AccessControlListNotSupported"
    rules = {"Rules": [{"ObjectOwnership": "BucketOwnerPreferred"}]}
    s3.put_bucket_ownership_controls(**BUCKET, OwnershipControls=rules)
    assert s3.get_bucket_ownership_controls(**BUCKET)["OwnershipControls"] == rules
    assert code_of(s3.put_bucket_acl, **BUCKET, **acl) == "AccessDenied"
    block = dict.fromkeys(("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), False)
    s3.put_public_access_block(**BUCKET, PublicAccessBlockConfiguration=block)
    s3.put_bucket_acl(**BUCKET, **acl)
    owner = s3.list_buckets()["Owner"]
    own = {"Grantee": {**owner, "Type": "CanonicalUser"}, "Permission": "FULL_CONTROL"}
    everyone = {"Type": "Group", "URI": "http://acs.amazonaws.com/groups/global/AllUsers"}
    told = read_bucket(s3)["get_bucket_acl"]
    assert (told["Owner"], told["Grants"]) == (owner, [own, {"Grantee": everyone, "Permission": "READ"}])
    s3.put_bucket_acl(**BUCKET, AccessControlPolicy={"Owner": owner, "Grants": [own]})
    s3.delete_bucket_ownership_controls(**BUCKET)
    s3.delete_bucket(**BUCKET)


def test_a_queue(aws):
    sqs = aws.client("sqs")
    created = {
        "DelaySeconds": "0",
        "MaximumMessageSize": "262144",
        "MessageRetentionPeriod": "345600",
        "ReceiveMessageWaitTimeSeconds": "0",
        "VisibilityTimeout": "30",
    }
    url = sqs.create_queue(QueueName="orders", Attributes=created, tags={"team": "blue"})["QueueUrl"]

    def read():
        return sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]

    # The provider takes the name from the URL, and waits until it reads what it wrote.
    assert url.split("/")[3:] == [ACCOUNT, "orders"]
    assert created.items() <= read().items()
    assert read()["QueueArn"] == QUEUE
    assert sqs.list_queue_tags(QueueUrl=url)["Tags"] == {"team": "blue"}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "60"})
    assert read()["VisibilityTimeout"] == "60"
    policy = statement({"AWS": ACCOUNT}, "sqs:SendMessage", QUEUE)
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    assert json.loads(read()["Policy"])["Statement"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": ""})
    assert not read().get("Policy")
    sqs.tag_queue(QueueUrl=url, Tags={"team": "red"})
    sqs.untag_queue(QueueUrl=url, TagKeys=["team"])
    assert sqs.list_queue_tags(QueueUrl=url).get("Tags", {}) == {}
    sqs.delete_queue(QueueUrl=url)
    assert code_of(read) == "AWS.SimpleQueueService.NonExistentQueue"


def package(text):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("index.py", text)
    return made.getvalue()


def role(aws):
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    return aws.client("iam").create_role(RoleName="worker", AssumeRolePolicyDocument=document)["Role"]["Arn"]


def test_a_function(aws):
    function, named = aws.client("lambda"), {"FunctionName": "worker"}
    made = function.create_function(
        **named,
        Runtime="python3.11",
        Handler="index.handler",
        Role=role(aws),
        Code={"ZipFile": package("def handler(event, context): return 1")},
        MemorySize=128,
        Timeout=3,
        Environment={"Variables": {"QUEUE": "orders"}},
        Tags={"team": "blue"},
    )
    function.get_waiter("function_active_v2").wait(**named, WaiterConfig=WAITS)

    def read():
        told = function.get_function(**named)
        [latest] = function.list_versions_by_function(**named)["Versions"]
        assert latest["Version"] == "$LATEST"
        assert not function.get_function_code_signing_config(**named).get("CodeSigningConfigArn")
        return told

    told = read()
    assert told["Tags"] == {"team": "blue"}
    assert told["Configuration"]["CodeSha256"] == made["CodeSha256"]
    function.update_function_configuration(**named, Timeout=7, Environment={"Variables": {}})
    function.get_waiter("function_updated_v2").wait(**named, WaiterConfig=WAITS)
    function.update_function_code(**named, ZipFile=package("def handler(event, context): return 2"))
    function.get_waiter("function_updated_v2").wait(**named, WaiterConfig=WAITS)
    told = read()["Configuration"]
    assert told["Timeout"] == 7
    assert told["CodeSha256"] != made["CodeSha256"]
    function.put_function_concurrency(**named, ReservedConcurrentExecutions=2)
    assert read()["Concurrency"] == {"ReservedConcurrentExecutions": 2}
    function.delete_function_concurrency(**named)
    assert "Concurrency" not in read()
    function.tag_resource(Resource=made["FunctionArn"], Tags={"team": "red"})
    assert read()["Tags"] == {"team": "red"}
    function.delete_function(**named)
    assert code_of(function.get_function, **named) == "ResourceNotFoundException"


def test_what_is_a_resource_of_its_own_beside_a_function(aws):
    """aws_lambda_permission and aws_lambda_event_source_mapping."""
    function, named = aws.client("lambda"), {"FunctionName": "worker"}
    archive = package("def handler(event, context): return 1")
    function.create_function(
        **named, Runtime="python3.11", Handler="index.handler", Role=role(aws), Code={"ZipFile": archive}
    )
    function.add_permission(**named, StatementId="topic", Action="lambda:InvokeFunction", Principal="sns.amazonaws.com")
    [allowed] = json.loads(function.get_policy(**named)["Policy"])["Statement"]
    assert (allowed["Sid"], allowed["Principal"]) == ("topic", {"Service": "sns.amazonaws.com"})
    function.remove_permission(**named, StatementId="topic")
    assert code_of(function.get_policy, **named) == "ResourceNotFoundException"
    iam = aws.client("iam")
    reads = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
    granted = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": reads, "Resource": QUEUE}]}
    iam.put_role_policy(RoleName="worker", PolicyName="queue", PolicyDocument=json.dumps(granted))
    aws.client("sqs").create_queue(QueueName="orders")
    made = function.create_event_source_mapping(**named, EventSourceArn=QUEUE, BatchSize=5)
    read = function.get_event_source_mapping(UUID=made["UUID"])
    assert (read["EventSourceArn"], read["BatchSize"], read["State"]) == (QUEUE, 5, "Enabled")
    function.update_event_source_mapping(UUID=made["UUID"], Enabled=False)
    assert function.get_event_source_mapping(UUID=made["UUID"])["State"] == "Disabled"
    function.delete_event_source_mapping(UUID=made["UUID"])
    assert code_of(function.get_event_source_mapping, UUID=made["UUID"]) == "ResourceNotFoundException"
