"""moto runs what was decided or nothing, whatever a client put into its request."""

import json

import pytest
from backend.embedded_fixture import ACCOUNT, OTHER, Reply

from iamd.backend.embedded import MirroredProfile, MirroredRole
from iamd.errors import Common

LAMBDA = "/2015-03-31/functions"
ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/app"
ROLE = MirroredRole(ROLE_ARN, "AROAEXAMPLEEXAMPLE111", "app", "/", '{"Version":"2012-10-17","Statement":[]}')


@pytest.fixture
def bucket(moto):
    assert moto.s3("CreateBucket", "PUT", "/bucket").status == 200
    assert moto.s3("PutObject", "PUT", "/bucket/k", b"data").status == 200
    return moto


def refused(reply, kind):
    assert not isinstance(reply, Reply), (reply.status, reply.body)
    assert reply.kind is kind
    return True


def queue_names(moto, account=ACCOUNT, region="us-east-1"):
    reply = moto.json("sqs", "ListQueues", "AmazonSQS.ListQueues", b"{}", account=account, region=region)
    return sorted(url.rsplit("/", 1)[1] for url in json.loads(reply.body).get("QueueUrls", []))


def create_queue(moto, name="q", **more):
    return moto.json("sqs", "CreateQueue", "AmazonSQS.CreateQueue", json.dumps({"QueueName": name}).encode(), **more)


# What was decided is done


@pytest.mark.parametrize(
    "key",
    ["k", "a%2Fb/../c", "/lead", "a//b", "%20+%2B;v=1", "%E2%82%AC", "x.s3-cn-north-1.amazonaws.com/y", "..", "a/."],
)
def test_any_key_is_stored_and_read_under_its_own_name(bucket, key):
    assert bucket.s3("PutObject", "PUT", f"/bucket/{key}", key.encode()).status == 200
    assert bucket.s3("GetObject", "GET", f"/bucket/{key}").body == key.encode()


def test_form_like_data_is_stored_as_it_is(bucket):
    form = [("content-type", "application/x-www-form-urlencoded")]
    data = b"key=a&file=b&versionId=c&uploadId=d"
    assert bucket.s3("PutObject", "PUT", "/bucket/form", data, form).status == 200
    assert bucket.s3("GetObject", "GET", "/bucket/form").body == data


def test_a_bucket_in_the_host_is_the_one_decided(bucket):
    assert bucket.s3("GetObject", "GET", "/k", bucket="bucket", host="bucket.s3.localhost:4566").body == b"data"
    bucket.s3("CreateBucket", "PUT", "/s3-x.amazonaws.com")
    reply = bucket.s3(
        "ListObjectsV2", "GET", "/?list-type=2", bucket="s3-x.amazonaws.com", host="s3-x.amazonaws.com.s3.localhost"
    )
    assert b"<Name>s3-x.amazonaws.com</Name>" in reply.body


@pytest.mark.parametrize(
    "host", ["other.s3.amazonaws.com", "other.localhost", "x.s3-accesspoint.us-east-1.amazonaws.com", "www.bucket.x"]
)
def test_no_host_makes_another_bucket_of_a_path(bucket, host):
    assert bucket.s3("GetObject", "GET", "/bucket/k", host=host).body == b"data"


def test_queue_urls_name_the_address_that_the_client_used(moto):
    assert (
        json.loads(create_queue(moto, host="127.0.0.1:4566").body)["QueueUrl"] == f"http://127.0.0.1:4566/{ACCOUNT}/q"
    )


def test_the_account_is_the_verdicts(moto):
    create_queue(moto)
    create_queue(moto, "theirs", account=OTHER)
    assert queue_names(moto) == ["q"]
    assert queue_names(moto, OTHER) == ["theirs"]


def test_the_region_is_the_verdicts_whatever_agent_and_host_say(moto):
    create_queue(
        moto, region="eu-west-1", headers=[("user-agent", "x region/us-west-2")], host="sqs.us-west-2.amazonaws.com"
    )
    assert queue_names(moto, region="eu-west-1") == ["q"]
    assert queue_names(moto, region="us-west-2") == []


def test_a_bucket_policy_is_iamds_alone_to_apply(bucket):
    deny = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"}],
    }
    assert bucket.s3("PutBucketPolicy", "PUT", "/bucket?policy", json.dumps(deny).encode()).status < 300
    assert bucket.s3("GetObject", "GET", "/bucket/k").status == 200
    assert (
        bucket.s3("DeleteObjects", "POST", "/bucket?delete", b"<Delete><Object><Key>k</Key></Object></Delete>").status
        == 200
    )
    assert bucket.s3("GetObject", "GET", "/bucket/k").status == 404


def test_a_key_policy_is_iamds_alone_to_apply(moto):
    deny = {"Statement": [{"Effect": "Deny", "Principal": "*", "Action": "kms:*", "Resource": "*"}]}
    made = moto.json(
        "kms", "CreateKey", "TrentService.CreateKey", json.dumps({"Policy": json.dumps(deny)}).encode(), version="1.1"
    )
    key = json.dumps({"KeyId": json.loads(made.body)["KeyMetadata"]["KeyId"]}).encode()
    assert moto.json("kms", "DescribeKey", "TrentService.DescribeKey", key, version="1.1").status == 200


def test_an_unsigned_read_that_was_allowed_is_answered(bucket):
    """The client sent no Authorization; moto would answer 403 as the object's ACL is private."""
    assert bucket.s3("GetObject", "GET", "/bucket/k", headers=[]).status == 200


# Roles and instance profiles


def function(name="f", role=ROLE_ARN):
    code = "UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA=="
    return json.dumps(
        {"FunctionName": name, "Runtime": "python3.11", "Role": role, "Handler": "a.b", "Code": {"ZipFile": code}}
    ).encode()


def test_a_role_that_a_request_passes_is_found_by_moto(moto):
    create = ("lambda", "CreateFunction", "rest-json", "POST", LAMBDA, function())
    assert b"cannot be assumed" in moto.call(*create).body
    assert moto.call(*create, roles=[ROLE]).status == 201
    remade = MirroredRole(ROLE_ARN, "AROAEXAMPLEEXAMPLE222", "app", "/", ROLE.trust)
    assert (
        moto.call("lambda", "CreateFunction", "rest-json", "POST", LAMBDA, function("g"), roles=[remade]).status == 201
    )


def test_an_instance_profile_that_a_request_passes_keeps_its_id(moto):
    profile = MirroredProfile("AIPAEXAMPLEEXAMPLE111", "prof", "/", (ROLE_ARN,))
    form = b"Action=RunInstances&Version=2016-11-15&ImageId=ami-03cf127a&MinCount=1&MaxCount=1&IamInstanceProfile.Name=prof"
    kind = [("content-type", "application/x-www-form-urlencoded; charset=utf-8")]
    reply = moto.call("ec2", "RunInstances", "ec2", "POST", "/", form, kind, roles=[ROLE], profiles=[profile])
    assert reply.status == 200
    form = b"Action=DescribeIamInstanceProfileAssociations&Version=2016-11-15"
    described = moto.call("ec2", "DescribeIamInstanceProfileAssociations", "ec2", "POST", "/", form, kind)
    assert b"AIPAEXAMPLEEXAMPLE111" in described.body


# What was not decided is not done


@pytest.mark.parametrize(
    "target",
    ["/moto-api/", "/moto-api/reset", "/moto-api/data.json", "/latest/meta-data/", "/latest/api/token", "/favicon.ico"],
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
def test_motos_own_doors_are_keys_and_nothing_else(bucket, target, method):
    operation = {"GET": "GetObject", "POST": "DeleteObjects", "PUT": "PutObject"}[method]
    reply = bucket.s3(operation, method, target, b"")
    assert not isinstance(reply, Reply) or reply.status in {404, 411}
    assert bucket.s3("GetObject", "GET", "/bucket/k").body == b"data"


@pytest.mark.parametrize(
    "service",
    [
        "iam",
        "sts",
        "moto_api",
        "instance_metadata",
        "core",
        "cloudtrail",
        "organizations",
        "sso-admin",
        "identitystore",
        "dynamodb_v20111205",
        "nothing",
        "../s3",
    ],
)
def test_services_of_iamds_own_and_what_is_no_service_are_closed(moto, service):
    form = b"Action=GetCallerIdentity&Version=2011-06-15"
    reply = moto.call(
        service,
        "GetCallerIdentity",
        "query",
        "POST",
        "/",
        form,
        [("content-type", "application/x-www-form-urlencoded")],
    )
    refused(reply, Common.NOT_IMPLEMENTED)


S3_TRICKS = [
    ("GetObject", "GET", "/bucket/k?acl"),
    ("GetObject", "GET", "/bucket/k?tagging"),
    ("GetObject", "GET", "/bucket/k?uploadId=1"),
    ("GetObjectAcl", "GET", "/bucket/k"),
    ("GetObjectTagging", "GET", "/bucket/k?acl"),
    ("GetObject", "GET", "/bucket/k?retention"),
    ("GetObjectTorrent", "GET", "/bucket/k?torrent"),
    ("GetObject", "DELETE", "/bucket/k"),
    ("GetObject", "PUT", "/bucket/k"),
    ("PutObject", "PUT", "/bucket/k?acl"),
    ("PutObject", "PUT", "/bucket/k?tagging"),
    ("PutObjectAcl", "PUT", "/bucket/k"),
    ("PutObject", "PUT", "/bucket"),
    ("PutObject", "PUT", "/bucket/"),
    ("DeleteObject", "DELETE", "/bucket"),
    ("DeleteObject", "DELETE", "/bucket/k?uploadId=1"),
    ("DeleteBucketAnalyticsConfiguration", "DELETE", "/bucket?analytics&id=1"),
    ("DeleteBucketPolicy", "DELETE", "/bucket"),
    ("PutBucketRequestPayment", "PUT", "/bucket?requestPayment"),
    ("ListObjectsV2", "GET", "/bucket?policy"),
    ("ListObjects", "GET", "/bucket?list-type=2"),
    ("GetBucketAnalyticsConfiguration", "GET", "/bucket?analytics&id=1"),
    ("ListBuckets", "GET", "/bucket"),
    ("ListObjects", "GET", "/"),
    ("HeadObject", "HEAD", "/bucket"),
    ("PutObject", "POST", "/bucket?delete"),
    ("CreateMultipartUpload", "POST", "/bucket/k?uploadId=1"),
    ("GetBucketPolicy", "PUT", "/bucket?policy"),
    ("GetObject", "OPTIONS", "/bucket/k"),
    ("GetObject", "PATCH", "/bucket/k"),
]


@pytest.mark.parametrize(("operation", "method", "target"), S3_TRICKS)
def test_s3_does_not_run_another_operation_than_the_one_decided(bucket, operation, method, target):
    body = b"<Delete><Object><Key>k</Key></Object></Delete>" if "delete" in target else b"<Tagging><TagSet/></Tagging>"
    reply = bucket.s3(operation, method, target, body if method in {"PUT", "POST"} else b"")
    assert not isinstance(reply, Reply), (reply.status, reply.body)
    assert reply.kind in {Common.NOT_IMPLEMENTED, Common.INTERNAL}
    assert bucket.s3("GetObject", "GET", "/bucket/k").body == b"data"
    assert bucket.s3("GetBucketPolicy", "GET", "/bucket?policy").status == 404


def test_a_copy_header_does_not_make_a_copy_of_a_put(bucket):
    reply = bucket.s3("PutObject", "PUT", "/bucket/new", b"", [("x-amz-copy-source", "/bucket/k")])
    refused(reply, Common.NOT_IMPLEMENTED)
    assert bucket.s3("GetObject", "GET", "/bucket/new").status == 404


def test_a_bucket_of_another_account_is_not_touched_when_iamd_thinks_it_is_ones_own(bucket):
    refused(bucket.s3("GetObject", "GET", "/bucket/k", account=OTHER), Common.INTERNAL)
    refused(bucket.s3("DeleteBucket", "DELETE", "/bucket", account=OTHER), Common.INTERNAL)
    assert bucket.s3("CreateBucket", "PUT", "/bucket", account=OTHER).status == 409


@pytest.mark.parametrize(
    ("path", "body", "headers"),
    [
        ("/", b'{"QueueName": "q&Action=DeleteQueue&QueueUrl=http://x/q&"}', []),
        ("/?Action=DeleteQueue&QueueUrl=http://x/q", b'{"QueueName": "new"}', []),
        ("/?QueueName=other", b'{"QueueName": "new"}', []),
        ("/", b'{"QueueName": "new"}', [("action", "DeleteQueue"), ("queueurl", "http://x/q")]),
        ("/", b'{"QueueName": "new"}', [("x-amz_target", "AmazonSQS.DeleteQueue")]),
        ("/", b'{"QueueName": "new"}', [("x_amz_target", "AmazonSQS.DeleteQueue")]),
        ("/", b'{"QueueName": "new"}', [("x-moto-account-id", OTHER), ("x-iamd-operation", "DeleteQueue")]),
        ("/", b'{"QueueName": "new"}', [("authorization", "AWS4-HMAC-SHA256 Credential=A/20260101/eu-west-1/iam/aws4_request")]),
    ],
)  # fmt: skip
def test_a_json_call_is_only_what_its_target_and_body_say(moto, path, body, headers):
    create_queue(moto)
    moto.json("sqs", "CreateQueue", "AmazonSQS.CreateQueue", body, path=path, headers=headers)
    assert set(queue_names(moto)) - {"new"} == {"q"}
    assert queue_names(moto, OTHER) == []


def test_a_json_body_cannot_name_a_resource_twice(moto):
    """moto would read `SecretId` out of text in the middle of the body."""
    for name in ("a", "b"):
        made = moto.json(
            "secretsmanager",
            "CreateSecret",
            "secretsmanager.CreateSecret",
            json.dumps({"Name": name, "SecretString": name}).encode(),
            version="1.1",
        )
        assert made.status == 200
    body = b'{"SecretId": "a", "VersionStage": "AWSCURRENT", "x": "&SecretId=b&"}'
    reply = moto.json(
        "secretsmanager", "GetSecretValue", "secretsmanager.GetSecretValue", body, version="1.1", path="/?SecretId=b"
    )
    assert json.loads(reply.body)["SecretString"] == "a"


def test_a_target_of_another_service_or_operation_is_not_followed(moto):
    create_queue(moto)
    moto.json("sqs", "ListQueues", "AmazonSQS.DeleteQueue", json.dumps({"QueueUrl": "http://x/q"}).encode())
    moto.json("logs", "DescribeLogGroups", "AmazonSQS.DeleteQueue", json.dumps({"QueueUrl": "http://x/q"}).encode())
    assert queue_names(moto) == ["q"]


@pytest.mark.parametrize(
    ("operation", "method", "target"),
    [
        ("ListFunctions", "DELETE", f"{LAMBDA}/f"),
        ("GetFunction", "DELETE", f"{LAMBDA}/f"),
        ("GetFunction", "GET", f"{LAMBDA}/f/policy"),
        ("ListFunctions", "GET", f"{LAMBDA}/f?Action=DeleteFunction"),
        ("GetFunction", "POST", "/2014-11-13/functions/f/invoke-async"),
    ],
)  # fmt: skip
def test_a_path_is_only_the_operation_that_the_model_gives_it(moto, operation, method, target):
    made = moto.call("lambda", "CreateFunction", "rest-json", "POST", LAMBDA, function(), roles=[ROLE])
    assert made.status == 201
    reply = moto.call("lambda", operation, "rest-json", method, target)
    assert not isinstance(reply, Reply), reply.body
    assert moto.call("lambda", "GetFunction", "rest-json", "GET", f"{LAMBDA}/f").status == 200


def test_an_action_beside_a_path_is_not_followed(moto):
    moto.call("lambda", "CreateFunction", "rest-json", "POST", LAMBDA, function(), roles=[ROLE])
    reply = moto.call(
        "lambda",
        "GetFunction",
        "rest-json",
        "GET",
        f"{LAMBDA}/f?Action=DeleteFunction",
        headers=[("action", "DeleteFunction")],
    )
    assert json.loads(reply.body)["Configuration"]["FunctionName"] == "f"


def test_a_form_runs_as_decided_and_its_version_chooses_no_other_service(moto):
    form = [("content-type", "application/x-www-form-urlencoded")]
    body = b"Action=DescribeLoadBalancers&Version=2015-12-01"
    assert moto.call("elbv2", "DescribeLoadBalancers", "query", "POST", "/", body, form).status == 200
    refused(moto.call("elb", "DescribeLoadBalancers", "query", "POST", "/", body, form), Common.INTERNAL)


def test_what_moto_does_not_have_is_not_implemented(moto):
    refused(
        moto.json("kms", "DeleteCustomKeyStore", "TrentService.DeleteCustomKeyStore", b'{"CustomKeyStoreId": "x"}'),
        Common.NOT_IMPLEMENTED,
    )


def test_what_moto_trips_over_is_an_internal_error_and_the_connection_lives(moto):
    refused(moto.json("kms", "DescribeKey", "TrentService.DescribeKey", b"[]", version="1.1"), Common.INTERNAL)
    assert create_queue(moto).status == 200
