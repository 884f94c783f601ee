"""Access by the tags of resources (ABAC): they are asked of the backend when a decision rests on them."""

import json

import pytest
from gateway.counting import answer
from gateway.two_accounts import code_of, error_of, policy
from running import ACCOUNT, allow, deny

TEAMS = ("red", "blue")
MINE = "${aws:PrincipalTag/team}"


def when(statement, operator, key, value):
    return {**statement, "Condition": {operator: {key: value}}}


@pytest.fixture
def red(cloud):
    """A user of team red, who may do everything with what team red has."""
    user = cloud.user("red", when(allow("*"), "StringEquals", "aws:ResourceTag/team", MINE))
    cloud.client("iam").tag_user(UserName="red", Tags=[{"Key": "team", "Value": "red"}])
    return user


def pairs(team):
    return [{"Key": "team", "Value": team}]


def a_queue(cloud, team):
    url = cloud.client("sqs").create_queue(QueueName=team, tags={"team": team})["QueueUrl"]
    return "sqs", "send_message", {"QueueUrl": url, "MessageBody": "text"}


def a_topic(cloud, team):
    topic = cloud.client("sns").create_topic(Name=team, Tags=pairs(team))["TopicArn"]
    return "sns", "publish", {"TopicArn": topic, "Message": "text"}


def a_table(cloud, team, **more):
    cloud.client("dynamodb").create_table(
        TableName=team,
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
        Tags=pairs(team),
        **more,
    )
    return "dynamodb", "get_item", {"TableName": team, "Key": {"id": {"S": "1"}}}


def an_index(cloud, team):
    keys = [{"AttributeName": "id", "KeyType": "HASH"}]
    index = {"IndexName": "other", "KeySchema": keys, "Projection": {"ProjectionType": "ALL"}}
    a_table(cloud, team, GlobalSecondaryIndexes=[index])
    condition = {"KeyConditionExpression": "id = :i", "ExpressionAttributeValues": {":i": {"S": "1"}}}
    return "dynamodb", "query", {"TableName": team, "IndexName": "other", **condition}


def a_secret(cloud, team):
    cloud.client("secretsmanager").create_secret(Name=team, SecretString="x", Tags=pairs(team))
    return "secretsmanager", "get_secret_value", {"SecretId": team}


def a_key(cloud, team):
    made = cloud.client("kms").create_key(Tags=[{"TagKey": "team", "TagValue": team}])
    return "kms", "describe_key", {"KeyId": made["KeyMetadata"]["KeyId"]}


def a_log_group(cloud, team):
    cloud.client("logs").create_log_group(logGroupName=team, tags={"team": team})
    return "logs", "describe_log_streams", {"logGroupName": team}


def a_stream(cloud, team):
    kinesis, stream = cloud.client("kinesis"), f"arn:aws:kinesis:us-east-1:{ACCOUNT}:stream/{team}"
    kinesis.create_stream(StreamName=team, ShardCount=1)
    kinesis.add_tags_to_stream(StreamName=team, Tags={"team": team})
    return "kinesis", "put_record", {"StreamARN": stream, "Data": b"x", "PartitionKey": "a"}


def a_cluster(cloud, team):
    made = cloud.client("ecs").create_cluster(clusterName=team, tags=[{"key": "team", "value": team}])
    return "ecs", "list_tags_for_resource", {"resourceArn": made["cluster"]["clusterArn"]}


def a_repository(cloud, team):
    made = cloud.client("ecr").create_repository(repositoryName=team, tags=pairs(team))
    return "ecr", "list_tags_for_resource", {"resourceArn": made["repository"]["repositoryArn"]}


def a_rule(cloud, team):
    made = cloud.client("events").put_rule(Name=team, ScheduleExpression="rate(5 minutes)", Tags=pairs(team))
    return "events", "list_tags_for_resource", {"ResourceARN": made["RuleArn"]}


def a_work_group(cloud, team):
    cloud.client("athena").create_work_group(Name=team, Tags=pairs(team))
    return "athena", "get_work_group", {"WorkGroup": team}


def a_certificate(cloud, team):
    made = cloud.client("acm").request_certificate(DomainName=f"{team}.example.com", Tags=pairs(team))
    return "acm", "describe_certificate", {"CertificateArn": made["CertificateArn"]}


def a_trigger(cloud, team):
    action = {"JobName": "job"}
    cloud.client("glue").create_trigger(Name=team, Type="ON_DEMAND", Actions=[action], Tags={"team": team})
    return "glue", "get_trigger", {"Name": team}


def a_scheduling_policy(cloud, team):
    made = cloud.client("batch").create_scheduling_policy(name=team, fairsharePolicy={}, tags={"team": team})
    return "batch", "list_tags_for_resource", {"resourceArn": made["arn"]}


THINGS = (
    a_queue, a_topic, a_table, an_index, a_secret, a_key, a_log_group, a_stream, a_cluster, a_repository, a_rule,
    a_work_group, a_certificate, a_trigger, a_scheduling_policy,
)  # fmt: skip


@pytest.mark.parametrize("make", THINGS)
def test_who_has_the_tag_of_a_thing_may_use_it(cloud, red, make):
    for team in TEAMS:
        service, operation, given = make(cloud, team)
        call = getattr(cloud.client(service, red), operation)
        if team == "red":
            assert call(**given)["ResponseMetadata"]["HTTPStatusCode"] == 200
        else:
            assert code_of(call, **given) in {"AccessDenied", "AccessDeniedException", "AuthorizationError"}


def test_a_function_has_tags_and_an_alias_of_it_has_none_that_are_known(cloud):
    role = cloud.client("iam").create_role(
        RoleName="app",
        AssumeRolePolicyDocument=policy(
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ),
    )["Role"]["Arn"]
    given = {"Runtime": "python3.12", "Role": role, "Handler": "a.b", "Code": {"ZipFile": b"x"}}
    owner = cloud.client("lambda")
    owner.create_function(FunctionName="work", Tags={"team": "red"}, **given)
    user = cloud.user("user", when(allow("lambda:*"), "StringEquals", "aws:ResourceTag/team", "red"))
    assert cloud.client("lambda", user).get_function(FunctionName="work")["Configuration"]["FunctionName"] == "work"
    assert code_of(cloud.client("lambda", user).get_function, FunctionName="work:1") == "AccessDeniedException"


def test_a_new_tag_counts_from_the_next_request_on(cloud, red):
    _, _, given = a_queue(cloud, "red")
    sender, owner = cloud.client("sqs", red), cloud.client("sqs")
    assert sender.send_message(**given)["MessageId"]
    owner.tag_queue(QueueUrl=given["QueueUrl"], Tags={"team": "blue"})
    assert code_of(sender.send_message, **given) == "AccessDenied"
    owner.untag_queue(QueueUrl=given["QueueUrl"], TagKeys=["team"])
    assert code_of(sender.send_message, **given) == "AccessDenied"
    owner.tag_queue(QueueUrl=given["QueueUrl"], Tags={"TEAM": "red"})
    assert sender.send_message(**given)["MessageId"]


@pytest.mark.parametrize(
    ("operator", "value", "denied"),
    [("StringEquals", "red", {"red"}), ("StringNotEquals", "red", {"blue"}), ("Null", "false", {"red", "blue"})],
)
def test_tags_deny(cloud, operator, value, denied):
    sender = cloud.user("sender", allow("sqs:*"), when(deny("sqs:*"), operator, "aws:ResourceTag/team", value))
    for team in TEAMS:
        _, _, given = a_queue(cloud, team)
        if team in denied:
            told = error_of(cloud.client("sqs", sender).send_message, **given)
            assert told["Message"].endswith("with an explicit deny in an identity-based policy")
        else:
            assert cloud.client("sqs", sender).send_message(**given)["MessageId"]


def test_the_tags_of_another_accounts_thing_count(cloud, other):
    url = cloud.client("sqs", other).create_queue(QueueName="theirs", tags={"team": "red"})["QueueUrl"]
    owner = url.split("/")[-2]
    queue = f"arn:aws:sqs:us-east-1:{owner}:theirs"
    open_to_us = allow("sqs:SendMessage", queue) | {"Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}}
    cloud.client("sqs", other).set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy(open_to_us)})
    for team in TEAMS:
        sender = cloud.user(team, when(allow("sqs:SendMessage"), "StringEquals", "aws:ResourceTag/team", team))
        send = cloud.client("sqs", sender).send_message
        if team == "red":
            assert send(QueueUrl=url, MessageBody="text")["MessageId"]
        else:
            assert code_of(send, QueueUrl=url, MessageBody="text") == "AccessDenied"


def test_a_services_own_key_for_tags_counts(cloud):
    a_secret(cloud, "red")
    for team in TEAMS:
        reader = cloud.user(
            team, when(allow("secretsmanager:*"), "StringEquals", "secretsmanager:ResourceTag/team", team)
        )
        read = cloud.client("secretsmanager", reader).get_secret_value
        if team == "red":
            assert read(SecretId="red")["SecretString"] == "x"
        else:
            assert code_of(read, SecretId="red") == "AccessDeniedException"


@pytest.fixture
def files(cloud):
    """A bucket with an object of each team's, in two versions of which the older one is the other team's."""
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="files")
    s3.delete_public_access_block(Bucket="files")
    s3.put_bucket_versioning(Bucket="files", VersioningConfiguration={"Status": "Enabled"})
    older = {}
    for team, before in (TEAMS, TEAMS[::-1]):
        older[team] = s3.put_object(Bucket="files", Key=f"a b/{team}", Body=b"old", Tagging=f"team={before}")
        s3.put_object(Bucket="files", Key=f"a b/{team}", Body=b"new", Tagging=f"team={team}")
    return {team: made["VersionId"] for team, made in older.items()}


@pytest.fixture
def reader(cloud):
    actions = ["s3:GetObject", "s3:GetObjectVersion", "s3:DeleteObject", "s3:DeleteObjectVersion"]
    statement = when(allow(actions, "arn:aws:s3:::files/*"), "StringEquals", "s3:ExistingObjectTag/team", "red")
    return cloud.user("reader", statement, allow("s3:PutObject"))


def test_objects_are_read_by_their_tags(cloud, files, reader):
    get = cloud.client("s3", reader).get_object
    assert get(Bucket="files", Key="a b/red")["Body"].read() == b"new"
    assert code_of(get, Bucket="files", Key="a b/blue") == "AccessDenied"
    assert code_of(get, Bucket="files", Key="a b/none") == "AccessDenied"


def test_each_version_of_an_object_has_its_own_tags(cloud, files, reader):
    get = cloud.client("s3", reader).get_object
    assert get(Bucket="files", Key="a b/blue", VersionId=files["blue"])["Body"].read() == b"old"
    assert code_of(get, Bucket="files", Key="a b/red", VersionId=files["red"]) == "AccessDenied"


def test_what_is_copied_is_read_by_its_tags(cloud, files, reader):
    copy = cloud.client("s3", reader).copy_object
    source = {"Bucket": "files", "Key": "a b/red"}
    assert copy(Bucket="files", Key="copy", CopySource=source, TaggingDirective="REPLACE")["CopyObjectResult"]
    older = {**source, "VersionId": files["red"]}
    refused = {"Bucket": "files", "Key": "copy", "TaggingDirective": "REPLACE"}
    assert code_of(copy, CopySource=older, **refused) == "AccessDenied"
    assert code_of(copy, CopySource={**source, "Key": "a b/blue"}, **refused) == "AccessDenied"


def test_a_bucket_policy_may_name_the_tags_of_objects(cloud, files):
    statement = {**allow("s3:GetObject", "arn:aws:s3:::files/*"), "Principal": "*"}
    document = policy(when(statement, "StringEquals", "s3:ExistingObjectTag/team", "red"))
    cloud.client("s3").put_bucket_policy(Bucket="files", Policy=document)
    get = cloud.client("s3", cloud.user("nobody")).get_object
    assert get(Bucket="files", Key="a b/red")["Body"].read() == b"new"
    assert code_of(get, Bucket="files", Key="a b/blue") == "AccessDenied"


def test_deleting_does_not_go_by_the_tags_of_objects(cloud, files):
    """AWS: the Service Authorization Reference has `s3:ExistingObjectTag` for reading and for tags and ACLs alone."""
    statement = when(deny("s3:*"), "StringEquals", "s3:ExistingObjectTag/team", "blue")
    cleaner = cloud.client("s3", cloud.user("cleaner", allow("s3:*"), statement))
    told = cleaner.delete_objects(Bucket="files", Delete={"Objects": [{"Key": f"a b/{team}"} for team in TEAMS]})
    assert len(told["Deleted"]) == len(TEAMS)


def test_the_explanation_shows_the_tags(cloud, red):
    service, operation, given = a_queue(cloud, "red")
    told = getattr(cloud.client(service, red), operation)(**given)
    [decided] = cloud.explain(told["ResponseMetadata"]["RequestId"])["Decisions"]
    assert decided["Context"]["aws:resourcetag/team"] == ["red"]


QUEUE = f"http://sqs.us-east-1.localhost/{ACCOUNT}/jobs"


@pytest.fixture(scope="module")
def sender(counted):
    tagged = when(allow("sqs:SendMessage"), "StringEquals", "aws:ResourceTag/team", "red")
    return counted.user("tagged-sender", tagged, allow("sqs:List*"))


def sent(counted, sender):
    return counted.call("sqs", "SendMessage", {"QueueUrl": QUEUE, "MessageBody": "text"}, sender)


def told_tags(tags):
    return answer(json.dumps({"Tags": tags}).encode(), "200 OK", "content-type: application/x-amz-json-1.0")


def test_a_backend_at_a_url_is_asked_with_its_own_signature(counted, sender):
    counted.backend.answers = [told_tags({"team": "red"})]
    assert sent(counted, sender).status == 200
    raw, named = counted.backend.raw, b"x-amz-target: AmazonSQS.ListQueueTags"
    head, body = next(one for one in zip(raw.heads[::-1], raw.bodies[::-1], strict=True) if named in one[0])
    assert b"Credential=AKIABACKENDBACKEND01/" in head
    assert json.loads(body)["QueueUrl"].endswith(f"/{ACCOUNT}/jobs")


@pytest.mark.parametrize(
    "told",
    [
        pytest.param(answer(b"{}", "501 Not Implemented"), id="it does not know the operation"),
        pytest.param(answer(b'{"__type":"AccessDenied"}', "403 Forbidden"), id="it refuses"),
        pytest.param(answer(b"{}", "503 Service Unavailable"), id="it is down"),
        pytest.param(answer(b"<html>", "200 OK"), id="it answers something else"),
        pytest.param(None, id="it breaks off"),
    ],
)
def test_tags_that_a_backend_does_not_tell_allow_nothing(counted, sender, told):
    # A read whose kept connection closes is sent once more.
    counted.backend.answers = [told, told] if told is None else [told]
    refused = sent(counted, sender)
    counted.backend.answers = []
    assert (refused.status, refused.code) == (400, "AccessDenied")
    assert refused.decisions[0]["UnknownKeys"] == ["aws:resourcetag/team"]


@pytest.mark.parametrize("told", [b"", b"<html></html>", b"{}", b"<Tagging><TagSet>"])
def test_what_is_no_list_of_tags_is_not_one_without_tags(counted, told):
    reader = counted.user(
        f"reader-{len(told)}", allow("s3:*"), when(deny("s3:*"), "StringEquals", "s3:ExistingObjectTag/team", "red")
    )
    counted.backend.answers = [answer(told)]
    refused = counted.call("s3", "GetObject", {"Bucket": "bucket", "Key": "key"}, reader)
    assert (refused.status, refused.code) == (403, "AccessDenied")
    none = b'<Tagging xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><TagSet/></Tagging>'
    counted.backend.answers = [answer(none)]
    assert counted.call("s3", "GetObject", {"Bucket": "bucket", "Key": "key"}, reader).status == 200


def test_what_is_not_there_has_no_tags(counted, sender):
    gone = b'{"__type":"com.amazonaws.sqs#QueueDoesNotExist"}'
    counted.backend.answers = [
        answer(gone, "400 Bad Request", "x-amzn-query-error: AWS.SimpleQueueService.NonExistentQueue;Sender")
    ]
    refused = sent(counted, sender)
    assert (refused.status, refused.code) == (400, "AccessDenied")
    assert refused.decisions[0]["UnknownKeys"] == []


def test_of_a_thing_whose_arn_is_not_known_nothing_is_known(counted):
    """A proxy's name is not in its ARN: what stands for all proxies has no tags, and that says nothing of this one."""
    user = counted.user("proxies", allow("rds:*"), when(deny("rds:*"), "StringEquals", "aws:ResourceTag/team", "red"))
    result = "<ListTagsForResourceResult><TagList/></ListTagsForResourceResult>"
    told = f"<ListTagsForResourceResponse>{result}</ListTagsForResourceResponse>"
    counted.backend.answers = [answer(told.encode())]
    refused = counted.call("rds", "DeleteDBProxy", {"DBProxyName": "front"}, user)
    counted.backend.answers = []
    assert (refused.status, refused.code, refused.sent) == (403, "AccessDenied", 0)
    assert refused.decisions[0]["UnknownKeys"] == ["aws:resourcetag/team"]


def test_nothing_is_asked_where_no_tag_matters(counted, sender):
    before = len(counted.backend.raw.heads)
    assert counted.call("sqs", "ListQueues", {}, sender).status == 200
    assert counted.call("sqs", "PurgeQueue", {"QueueUrl": QUEUE}, sender).status == 400
    assert len(counted.backend.raw.heads) == before + 1
