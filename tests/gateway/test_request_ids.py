"""The id that SDKs show of an answer is the one that leads to the reason, also where they read it in the body."""

import pytest
from botocore.exceptions import ClientError
from gateway.wire import Wire


@pytest.mark.parametrize(
    ("service", "call", "name"),
    [
        ("ec2", lambda client: client.describe_vpcs(), "DescribeVpcs"),
        ("sns", lambda client: client.create_topic(Name="t"), "CreateTopic"),
        ("rds", lambda client: client.describe_db_instances(), "DescribeDBInstances"),
        ("autoscaling", lambda client: client.describe_auto_scaling_groups(), "DescribeAutoScalingGroups"),
        ("sqs", lambda client: client.list_queues(), "ListQueues"),
        ("route53", lambda client: client.list_hosted_zones(), "ListHostedZones"),
    ],
)
def test_an_answers_id_leads_to_its_request(cloud, service, call, name):
    answer = call(cloud.client(service))["ResponseMetadata"]
    assert answer["RequestId"] == answer["HTTPHeaders"]["x-amzn-requestid"]
    assert cloud.explain(answer["RequestId"])["EventName"] == name


@pytest.mark.parametrize(
    ("service", "call"),
    [
        ("ec2", lambda client: client.describe_vpcs(VpcIds=["vpc-0123456789abcdef0"])),
        ("rds", lambda client: client.describe_db_instances(DBInstanceIdentifier="none")),
        ("s3", lambda client: client.get_bucket_tagging(Bucket="photos")),
        ("route53", lambda client: client.get_hosted_zone(Id="Z0123456789ABCDEFGHIJ")),
    ],
)
def test_an_errors_id_leads_to_its_request(cloud, service, call):
    cloud.client("s3").create_bucket(Bucket="photos")
    with pytest.raises(ClientError) as raised:
        call(cloud.client(service))
    told = raised.value.response["ResponseMetadata"]
    assert cloud.explain(told["RequestId"])["ErrorCode"] == raised.value.response["Error"]["Code"]


def test_ids_in_an_errors_body_are_those_of_its_headers(cloud):
    cloud.client("s3").create_bucket(Bucket="photos")
    wire = Wire(cloud.server)
    reply = wire.send("s3", "GET", "/photos/none")
    assert f"<RequestId>{reply.headers['x-amz-request-id']}</RequestId>" in reply.body.decode()
    assert reply.body.decode().count(reply.headers["x-amz-id-2"]) == reply.body.decode().count("<HostId>")
    wire.close()


def test_an_objects_own_words_stay(cloud):
    s3, words = cloud.client("s3"), b"<Log><RequestId>mine</RequestId><HostId>mine</HostId></Log>"
    s3.create_bucket(Bucket="photos")
    s3.put_object(Bucket="photos", Key="k", Body=words)
    assert s3.get_object(Bucket="photos", Key="k")["Body"].read() == words
