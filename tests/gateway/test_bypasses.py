"""Ways past a decision that were found in the embedded moto, each by the policy that it would have got round."""

import json

import pytest
from botocore.exceptions import ClientError
from gateway.wire import Wire
from running import ACCOUNT, REGION, allow, deny

TABLE = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table"


@pytest.fixture
def wire(cloud):
    opened = Wire(cloud.server)
    yield opened
    opened.close()


@pytest.fixture
def bucket(cloud):
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="bkt")
    for key in ("mine/a", "secret"):
        s3.put_object(Bucket="bkt", Key=key, Body=key.encode())
    return s3


def code_of(call, **parameters):
    with pytest.raises(ClientError) as raised:
        call(**parameters)
    return raised.value.response["Error"]["Code"]


def test_a_bucket_is_the_same_one_however_its_name_is_escaped(cloud, bucket, wire):
    assert wire.send("s3", "GET", "/%62%6bt/mine/a").body == b"mine/a"
    assert wire.send("s3", "PUT", "/%62k%74/new", [], b"data").status == 200
    assert bucket.get_object(Bucket="bkt", Key="new")["Body"].read() == b"data"
    assert [one["Name"] for one in bucket.list_buckets()["Buckets"]] == ["bkt"]


def test_a_number_for_a_boolean_is_not_one_thing_here_and_another_there(wire):
    """AWS takes 1 and 0 in the query protocol; to moto both are false."""
    alarm = (
        b"AlarmName=hot&ComparisonOperator=GreaterThanThreshold&EvaluationPeriods=1&MetricName=m&Namespace=n&Period=60"
    )
    alarm += b"&Statistic=Sum&Threshold=1&Version=2010-08-01&ActionsEnabled="
    form = [("content-type", "application/x-www-form-urlencoded")]
    answers = [
        wire.send("monitoring", "POST", "/", form, b"Action=PutMetricAlarm&" + alarm + v) for v in (b"1", b"true")
    ]
    assert [answer.status for answer in answers] == [400, 200]
    assert b"boolean must follow xsd1.1 definition" in answers[0].body


@pytest.mark.parametrize("source", ["bkt/sec\tret", "bkt/secret\t", "bkt/\tsecret"])
def test_a_copy_source_is_not_another_object_without_its_tabs(cloud, bucket, wire, source):
    caller = cloud.user("caller", allow("s3:*"), deny("s3:GetObject", "arn:aws:s3:::bkt/secret"))
    reply = wire.send("s3", "PUT", "/bkt/mine/copy", [("x-amz-copy-source", source)], credentials=caller)
    assert reply.status in {400, 403}
    assert code_of(bucket.get_object, Bucket="bkt", Key="mine/copy") == "NoSuchKey"


def test_a_question_mark_in_a_copy_sources_key_names_no_version(cloud, bucket):
    """`secret%3FversionId=null` is the key `secret?versionId=null`."""
    caller = cloud.user("caller", allow("s3:*"), deny("s3:GetObject*", "arn:aws:s3:::bkt/secret"))
    copy = cloud.client("s3", caller).copy_object
    assert code_of(copy, Bucket="bkt", Key="mine/copy", CopySource="bkt/secret%3FversionId=null") == "NoSuchKey"


def test_an_upload_in_parts_is_its_own_keys(cloud, bucket):
    upload = bucket.create_multipart_upload(Bucket="bkt", Key="secret")["UploadId"]
    part = bucket.upload_part(Bucket="bkt", Key="secret", UploadId=upload, PartNumber=1, Body=b"part")
    caller = cloud.client("s3", cloud.user("caller", allow("s3:*", "arn:aws:s3:::bkt/mine/*")))
    named = {"Bucket": "bkt", "Key": "mine/a", "UploadId": upload}
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    assert code_of(caller.upload_part, **named, PartNumber=1, Body=b"mine") == "NoSuchUpload"
    assert code_of(caller.complete_multipart_upload, **named, MultipartUpload=parts) == "NoSuchUpload"
    assert code_of(caller.list_parts, **named) == "NoSuchUpload"
    assert code_of(caller.abort_multipart_upload, **named) == "NoSuchUpload"
    bucket.complete_multipart_upload(Bucket="bkt", Key="secret", UploadId=upload, MultipartUpload=parts)
    assert bucket.get_object(Bucket="bkt", Key="secret")["Body"].read() == b"part"


@pytest.fixture
def tables(cloud):
    dynamodb = cloud.client("dynamodb")
    for name in ("mine", "secret"):
        dynamodb.create_table(
            TableName=name,
            AttributeDefinitions=[{"AttributeName": part, "AttributeType": "S"} for part in ("pk", "sk")],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            BillingMode="PAY_PER_REQUEST",
        )
        for owner in ("me", "you"):
            item = {"pk": owner, "sk": "1", "note": name, "salary": "9"}
            dynamodb.put_item(TableName=name, Item={key: {"S": value} for key, value in item.items()})
    return dynamodb


def items(dynamodb, table):
    found = dynamodb.scan(TableName=table)["Items"]
    return sorted(tuple(item[key]["S"] for key in ("pk", "sk", "note")) for item in found)


def answered(client, **statement):
    """The items of a statement; none when it was refused."""
    try:
        return client.execute_statement(**statement)["Items"]
    except ClientError as refused:
        if refused.response["ResponseMetadata"]["HTTPStatusCode"] in {400, 501}:
            return []
        raise


UNTOUCHED = {
    "mine": [("me", "1", "mine"), ("you", "1", "mine")],
    "secret": [("me", "1", "secret"), ("you", "1", "secret")],
}


@pytest.mark.parametrize(
    "text",
    [
        'SELECT "a FROM secret WHERE b" FROM mine',
        "SELECT note, ' FROM secret ' FROM mine",
        'SELECT * FROM "secret.idx"',
        "SELECT * FROM mine WHERE note = ' FROM secret '",
        "SELECT * FROM\tmine",
        "UPDATE mine SET note='x'' WHERE pk=''you'' AND sk=''1' WHERE pk='me' AND sk='1'",
        "DELETE FROM mine WHERE note='a'' AND pk=''you'",
    ],
)
def test_a_statement_reaches_no_other_table_or_item_by_what_stands_in_quotes(cloud, tables, text):
    own = {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["me", "a", "x"]}}
    caller = cloud.user(
        "caller", allow("dynamodb:*", f"{TABLE}/mine"), allow("dynamodb:PartiQL*", f"{TABLE}/mine", **own)
    )
    client = cloud.client("dynamodb", caller)
    found = answered(client, Statement=text)
    assert not any(item.get("note") == {"S": "secret"} for item in found)
    assert {name: items(tables, name) for name in UNTOUCHED} == UNTOUCHED


@pytest.mark.parametrize(
    "parameters",
    [
        {"Statement": "SELECT * FROM mine WHERE pk = '?' AND note = ?", "Parameters": [{"S": "you"}]},
        {"Statement": "SELECT * FROM mine WHERE note='mine' / AND pk='me'"},
        {"Statement": "UPDATE mine SET note='x' WHERE pk < 'z'"},
        {"Statement": "UPDATE mine SET pk='you' WHERE pk='me' AND sk='1'"},
        {"Statement": "DELETE FROM mine"},
        {"Statement": "DELETE FROM mine WHERE PK='me'"},
    ],
)
def test_a_statement_reaches_nobody_elses_items(cloud, tables, parameters):
    own = {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["me", "?"]}}
    client = cloud.client("dynamodb", cloud.user("caller", allow("dynamodb:*", **own)))
    found = answered(client, **parameters)
    assert not any(item.get("pk") == {"S": "you"} for item in found)
    assert items(tables, "mine") == UNTOUCHED["mine"]


def test_attributes_are_told_apart_by_case(cloud, tables):
    hidden = {"ForAnyValue:StringEquals": {"dynamodb:Attributes": ["salary"]}}
    client = cloud.client("dynamodb", cloud.user("caller", allow("dynamodb:*"), deny("dynamodb:*", **hidden)))
    read = client.execute_statement
    assert read(Statement="SELECT SALARY FROM mine WHERE pk = 'me'")["Items"] == [{}]
    assert code_of(read, Statement="SELECT salary FROM mine WHERE pk = 'me'") == "AccessDeniedException"


@pytest.mark.parametrize(
    "query",
    [
        {"KeyConditionExpression": "pk = you AND :v = pk", "ExpressionAttributeNames": {":v": "sk"},
         "ExpressionAttributeValues": {":v": {"S": "me"}, "pk": {"S": "1"}}},
        {"KeyConditionExpression": "pk = you AND sk = :v", "ExpressionAttributeValues": {":v": {"S": "1"}}},
        {"KeyConditionExpression": "pk = :v AND pk = :w",
         "ExpressionAttributeValues": {":v": {"S": "me"}, ":w": {"S": "you"}}},
    ],
)  # fmt: skip
def test_a_key_condition_names_nobody_elses_items(cloud, tables, query):
    own = {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["me"]}}
    client = cloud.client("dynamodb", cloud.user("caller", allow("dynamodb:*", **own)))
    assert code_of(client.query, TableName="mine", **query) in {"AccessDeniedException", "ValidationException"}


def test_a_line_end_in_a_key_condition_is_a_blank(cloud, tables):
    query = {"KeyConditionExpression": "pk =\n\t:v\n AND sk = :s"}
    values = {":v": {"S": "me"}, ":s": {"S": "1"}}
    assert tables.query(TableName="mine", **query, ExpressionAttributeValues=values)["Count"] == 1


def test_a_name_that_is_no_placeholder_hides_no_attribute(cloud, tables):
    """moto would take `note[0]` for `salary` by this map."""
    get = {"TableName": "mine", "Key": {"pk": {"S": "me"}, "sk": {"S": "1"}}, "ProjectionExpression": "note[0]"}
    assert code_of(tables.get_item, **get, ExpressionAttributeNames={"note[0]": "salary"}) == "ValidationException"


@pytest.mark.parametrize(("key", "value"), [(" team", "red"), ("team", "red\n"), ("team", "\tred")])
def test_a_tag_is_no_other_one_without_its_blanks(cloud, bucket, wire, key, value):
    """Policies go by the tag as it stands in the request's XML."""
    of_object = deny("s3:PutObjectTagging", StringEquals={"s3:RequestObjectTag/team": "red"})
    caller = cloud.user("caller", allow("s3:*"), of_object)
    text = f"<Tagging>\n  <TagSet>\n <Tag><Key>{key}</Key><Value>{value}</Value></Tag>\n </TagSet>\n</Tagging>"
    assert wire.send("s3", "PUT", "/bkt/mine/a?tagging", [], text.encode(), credentials=caller).status == 200
    assert bucket.get_object_tagging(Bucket="bkt", Key="mine/a")["TagSet"] == [{"Key": key, "Value": value}]
    plain = text.replace(key, "team").replace(value, "red")
    assert wire.send("s3", "PUT", "/bkt/mine/a?tagging", [], plain.encode(), credentials=caller).status == 403


def test_a_bucket_is_tagged_as_its_request_says(cloud, bucket, wire):
    text = b"<Tagging><TagSet><Tag><Key> team</Key><Value>red </Value></Tag></TagSet></Tagging>"
    assert wire.send("s3", "PUT", "/bkt?tagging", [], text).status in {200, 204}
    assert bucket.get_bucket_tagging(Bucket="bkt")["TagSet"] == [{"Key": " team", "Value": "red "}]


def test_a_table_is_not_restored_from_another_one_than_that_which_was_decided_on(cloud, tables):
    recovery = {"PointInTimeRecoveryEnabled": True}
    for name in ("mine", "secret"):
        tables.update_continuous_backups(TableName=name, PointInTimeRecoverySpecification=recovery)
    caller = cloud.client("dynamodb", cloud.user("caller", allow("dynamodb:*", [f"{TABLE}/mine", f"{TABLE}/new"])))
    restoring = {"TargetTableName": "new", "UseLatestRestorableTime": True}
    for one, another in (("mine", "secret"), ("secret", "mine")):
        named = {"SourceTableArn": f"{TABLE}/{one}", "SourceTableName": another}
        assert code_of(caller.restore_table_to_point_in_time, **restoring, **named) == "ValidationException"
    assert "new" not in tables.list_tables()["TableNames"]
    caller.restore_table_to_point_in_time(**restoring, SourceTableArn=f"{TABLE}/mine", SourceTableName="mine")


def test_alarms_are_chosen_by_their_names_alone_where_they_are_named(cloud):
    cloudwatch = cloud.client("cloudwatch")
    for name in ("mine", "secret"):
        cloudwatch.put_metric_alarm(
            AlarmName=name, MetricName="m", Namespace="n", Period=60, EvaluationPeriods=1, Threshold=1,
            ComparisonOperator="GreaterThanThreshold", Statistic="Sum", AlarmActions=[f"arn:aws:sns:{REGION}:{ACCOUNT}:t"],
        )  # fmt: skip
    caller = cloud.client(
        "cloudwatch", cloud.user("caller", allow("cloudwatch:*", "arn:aws:cloudwatch:*:*:alarm:mine"))
    )
    told = caller.describe_alarms(AlarmNames=["mine"])["MetricAlarms"]
    assert [one["AlarmName"] for one in told] == ["mine"]
    for member in ("AlarmNamePrefix", "ChildrenOfAlarmName", "ParentsOfAlarmName"):
        assert code_of(caller.describe_alarms, AlarmNames=["mine"], **{member: "secret"}) == "ValidationError"
    assert code_of(caller.describe_alarms, AlarmNames=["mine"], ActionPrefix="arn:") == "AccessDenied"


def test_a_domain_name_is_no_other_one_by_an_id_that_the_backend_does_not_know(cloud):
    api = cloud.client("apigateway")
    api.create_domain_name(
        domainName="api.example.com", certificateName="c", certificateBody="b", certificatePrivateKey="k",
        certificateChain="c",
    )  # fmt: skip
    place = f"arn:aws:apigateway:{REGION}::/domainnames/api.example.com"
    caller = cloud.client("apigateway", cloud.user("caller", allow("apigateway:*"), deny("apigateway:*", f"{place}*")))
    lax = cloud.client("apigateway", cloud.user("lax", allow("apigateway:*"), deny("apigateway:*", place)))
    named = {"domainName": "api.example.com", "domainNameId": "abcdef"}
    for call in ("get_domain_name", "delete_domain_name", "get_base_path_mappings"):
        assert code_of(getattr(lax, call), **named) == "NotImplemented", call
        assert code_of(getattr(caller, call), domainName="api.example.com") == "AccessDeniedException", call
    assert api.get_domain_name(domainName="api.example.com")["domainName"] == "api.example.com"


def test_databases_are_told_of_as_they_are_asked_for(cloud):
    rds, arn = cloud.client("rds"), f"arn:aws:rds:{REGION}:{ACCOUNT}"
    cloud.client("s3").create_bucket(Bucket="bkt")
    trust = {"Effect": "Allow", "Principal": {"Service": "export.rds.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = cloud.client("iam").create_role(RoleName="app", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    key = cloud.client("kms").create_key()["KeyMetadata"]["Arn"]
    for name in ("mine", "secret"):
        rds.create_global_cluster(GlobalClusterIdentifier=name, Engine="aurora-mysql")
        rds.create_db_instance(
            DBInstanceIdentifier=name, DBInstanceClass="db.t3.micro", Engine="mysql", AllocatedStorage=20,
            MasterUsername="admin", MasterUserPassword="Secret-12345",
        )  # fmt: skip
        rds.create_db_snapshot(DBInstanceIdentifier=name, DBSnapshotIdentifier=name)
        rds.start_export_task(
            ExportTaskIdentifier=name, SourceArn=f"{arn}:snapshot:{name}", S3BucketName="bkt", IamRoleArn=role,
            KmsKeyId=key,
        )  # fmt: skip
    own = [f"arn:aws:rds::{ACCOUNT}:global-cluster:mine", f"{arn}:snapshot:mine", f"{arn}:auto-backup:mine"]
    caller = cloud.client("rds", cloud.user("caller", allow("rds:*", own)))
    clusters = caller.describe_global_clusters(GlobalClusterIdentifier="mine")["GlobalClusters"]
    assert [one["GlobalClusterIdentifier"] for one in clusters] == ["mine"]
    assert code_of(rds.describe_global_clusters, GlobalClusterIdentifier="none") == "GlobalClusterNotFoundFault"
    assert len(rds.describe_global_clusters()["GlobalClusters"]) == 2
    exports = caller.describe_export_tasks(SourceArn=f"{arn}:snapshot:mine")["ExportTasks"]
    assert [one["ExportTaskIdentifier"] for one in exports] == ["mine"]
    assert len(rds.describe_export_tasks()["ExportTasks"]) == 2
    backup = {"DBInstanceAutomatedBackupsArn": f"{arn}:auto-backup:mine"}
    assert code_of(caller.describe_db_instance_automated_backups, **backup) == "NotImplemented"
