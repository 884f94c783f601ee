"""While it is not known whether a backend took a policy, the stricter of both decides."""

import pytest
from gateway.counting import answer
from gateway.two_accounts import everybody, policy, to
from running import ACCOUNT, REGION, allow, deny

UNKNOWN = [None, answer(b"", "500 Internal Server Error"), answer(b"", "503 Slow Down"), b"garbage\r\n\r\n"]
REFUSED = answer(b"<Error><Code>MalformedPolicy</Code></Error>", "400 Bad Request", "content-type: application/xml")
NAMES = iter(f"pending-{number}" for number in range(100))


@pytest.fixture
def bucket(counted):
    """A bucket of its own, and a reader of its name without a policy."""
    name = next(NAMES)
    assert counted.call("s3", "CreateBucket", {"Bucket": name}).status == 200
    return name, counted.aws.user(name)


def opened(name):
    reader = {"AWS": f"arn:aws:iam::{ACCOUNT}:user/{name}"}
    return policy(to(reader, allow("s3:GetObject", f"arn:aws:s3:::{name}/*")))


def shut(name):
    return policy(everybody(deny("s3:GetObject", f"arn:aws:s3:::{name}/*")))


def put(counted, name, text, told=None, *, loses=False):
    if loses or told is not None:
        counted.backend.answers.append(told)
    return counted.call("s3", "PutBucketPolicy", {"Bucket": name, "Policy": text}).status


def reads(counted, bucket):
    name, reader = bucket
    return counted.call("s3", "GetObject", {"Bucket": name, "Key": "k"}, reader).sent > 0


@pytest.mark.parametrize("told", UNKNOWN, ids=["closed", "500", "503", "garbage"])
def test_a_deny_that_may_have_been_set_denies(counted, bucket, told):
    put(counted, bucket[0], opened(bucket[0]))
    assert reads(counted, bucket)
    assert put(counted, bucket[0], shut(bucket[0]), told, loses=True) >= 500
    assert not reads(counted, bucket)
    assert put(counted, bucket[0], opened(bucket[0])) == 200
    assert reads(counted, bucket)


@pytest.mark.parametrize("told", UNKNOWN, ids=["closed", "500", "503", "garbage"])
def test_an_allow_that_may_have_been_set_allows_nothing(counted, bucket, told):
    assert put(counted, bucket[0], opened(bucket[0]), told, loses=True) >= 500
    assert not reads(counted, bucket)
    assert put(counted, bucket[0], opened(bucket[0])) == 200
    assert reads(counted, bucket)


def test_a_policy_that_the_backend_refused_decides_nothing(counted, bucket):
    put(counted, bucket[0], opened(bucket[0]))
    assert put(counted, bucket[0], shut(bucket[0]), REFUSED) == 400
    assert reads(counted, bucket)


def test_a_policy_whose_deletion_is_not_known_still_denies(counted, bucket):
    name = bucket[0]
    put(counted, name, shut(name))
    owner = {"Bucket": name, "Key": "k"}
    assert counted.call("s3", "GetObject", owner).sent == 0
    counted.backend.answers.append(None)
    counted.call("s3", "DeleteBucketPolicy", {"Bucket": name})
    assert counted.call("s3", "GetObject", owner).sent == 0
    assert counted.call("s3", "DeleteBucketPolicy", {"Bucket": name}).status == 200
    assert counted.call("s3", "GetObject", owner).sent > 0


def test_a_bucket_whose_deletion_is_not_known_keeps_its_policy(counted, bucket):
    name = bucket[0]
    put(counted, name, opened(name))
    counted.backend.answers.append(None)
    counted.call("s3", "DeleteBucket", {"Bucket": name})
    assert reads(counted, bucket)
    assert counted.call("s3", "DeleteBucket", {"Bucket": name}).status == 200
    assert not reads(counted, bucket)


def test_a_bucket_that_the_backend_says_is_not_there_has_no_policy(counted, bucket):
    name = bucket[0]
    put(counted, name, opened(name))
    counted.backend.answers.append(answer(b"<Error><Code>NoSuchBucket</Code></Error>", "404 Not Found"))
    counted.call("s3", "DeleteBucket", {"Bucket": name})
    assert not reads(counted, bucket)


def test_a_queues_policy_is_pending_alike(counted):
    reader = counted.aws.user("pending-queue")
    url = f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/pending"
    text = policy(everybody(allow("sqs:SendMessage", f"arn:aws:sqs:{REGION}:{ACCOUNT}:pending")))
    given = {"QueueUrl": url, "Attributes": {"Policy": text}}

    def sends():
        return counted.call("sqs", "SendMessage", {"QueueUrl": url, "MessageBody": "m"}, reader).sent > 0

    counted.backend.answers.append(None)
    counted.call("sqs", "SetQueueAttributes", given)
    assert not sends()
    counted.call("sqs", "SetQueueAttributes", given)
    assert sends()
