"""What services do with the permissions of who asks them: exports and imports of tables, results of queries.

AWS: DynamoDB Developer Guide, S3DataExport_Requesting, S3DataExport.Output and S3DataImport.Requesting; Athena User
Guide, "Access to Amazon S3" (s3-permissions); IAM User Guide, "Forward access sessions".
"""

import gzip
import json
import time

import pytest
from botocore.exceptions import ClientError
from deliveries.conftest import DEADLINE
from running import ACCOUNT, REGION, Credentials, allow, deny

TABLE = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/songs"
BUCKET = "arn:aws:s3:::tour-exports"
KEYS = {
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "N"}],
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    "BillingMode": "PAY_PER_REQUEST",
}
ITEMS = [{"id": {"N": str(number)}, "title": {"S": f"song {number}"}} for number in (1, 2)]
WRITING = ("s3:PutObject", "s3:PutObjectAcl")


def done(describe, pending):
    """What is described, once it is no longer pending."""
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        found = describe()
        if not pending(found):
            return found
    raise AssertionError(found)


def refused(call, **given):
    with pytest.raises(ClientError) as caught:
        call(**given)
    return caught.value.response["Error"]


@pytest.fixture
def bucket(cloud):
    cloud.client("s3").create_bucket(Bucket="tour-exports")
    return cloud.client("s3")


@pytest.fixture
def songs(cloud, bucket):
    tables = cloud.client("dynamodb")
    tables.create_table(TableName="songs", **KEYS)
    for item in ITEMS:
        tables.put_item(TableName="songs", Item=item)
    recovery = {"PointInTimeRecoveryEnabled": True}
    tables.update_continuous_backups(TableName="songs", PointInTimeRecoverySpecification=recovery)
    return tables


def export(tables, **given):
    told = tables.export_table_to_point_in_time(TableArn=TABLE, **{"S3Bucket": "tour-exports", **given})
    arn = told["ExportDescription"]["ExportArn"]
    return done(
        lambda: tables.describe_export(ExportArn=arn)["ExportDescription"],
        lambda found: found["ExportStatus"] == "IN_PROGRESS",
    )


def contents(s3):
    return {
        one["Key"]: s3.get_object(Bucket="tour-exports", Key=one["Key"])["Body"].read()
        for one in s3.list_objects_v2(Bucket="tour-exports").get("Contents", [])
    }


def test_a_table_is_exported_with_its_callers_permissions_alone(cloud, bucket, songs):
    ada = cloud.client("dynamodb", cloud.user("ada", allow("dynamodb:*")))
    failed = export(ada)
    assert (failed["ExportStatus"], failed["FailureCode"]) == ("FAILED", "S3AccessDenied")
    assert "not authorized to perform: s3:PutObject" in failed["FailureMessage"]
    assert contents(bucket) == {}
    for_dynamodb = {"ForAnyValue:StringEquals": {"aws:CalledVia": "dynamodb.amazonaws.com"}}
    whole = allow(list(WRITING), f"{BUCKET}/*") | {"Condition": for_dynamodb}
    grace_key = cloud.user("grace", allow("dynamodb:*"), whole)
    assert refused(cloud.client("s3", grace_key).put_object, Bucket="tour-exports", Key="k")["Code"] == "AccessDenied"
    session = Credentials.of(cloud.client("sts", grace_key).get_session_token()["Credentials"])
    found = export(cloud.client("dynamodb", session), S3Prefix="songs")
    assert (found["ExportStatus"], found["ItemCount"], found["TableArn"]) == ("COMPLETED", 2, TABLE)
    written = contents(bucket)
    place = f"songs/AWSDynamoDB/{found['ExportArn'].rpartition('/')[2]}"
    summary = json.loads(written.pop(f"{place}/manifest-summary.json"))
    assert (found["ExportManifest"], summary["itemCount"]) == (f"{place}/manifest-summary.json", 2)
    file = json.loads(written.pop(summary["manifestFilesS3Key"]))
    lines = gzip.decompress(written.pop(file["dataFileS3Key"])).splitlines()
    assert [json.loads(line) for line in lines] == [{"Item": item} for item in ITEMS]
    assert set(written) == {f"{place}/{name}" for name in ("_started", "manifest-files.md5", "manifest-summary.md5")}


def test_each_of_an_exports_requests_is_an_event_of_its_caller(cloud, bucket, songs):
    grace = cloud.user("grace", allow("dynamodb:*"), allow("s3:PutObject", f"{BUCKET}/*"))
    failed = export(cloud.client("dynamodb", grace))
    assert "s3:PutObjectAcl" in failed["FailureMessage"]
    named = [{"AttributeKey": "EventName", "AttributeValue": "PutObject"}]
    deadline, events = time.monotonic() + DEADLINE, []
    while not events and time.monotonic() < deadline:
        events = cloud.client("cloudtrail").lookup_events(LookupAttributes=named)["Events"]
    event = json.loads(events[0]["CloudTrailEvent"])
    assert event["userIdentity"]["userName"] == "grace"
    assert event["userIdentity"]["invokedBy"] == event["sourceIPAddress"] == "dynamodb.amazonaws.com"
    assert event["errorCode"] == "AccessDenied"


def test_another_accounts_bucket_is_named_with_its_owner(cloud, other, songs):
    theirs = cloud.client("s3", other)
    theirs.create_bucket(Bucket="their-exports")
    found = export(songs, S3Bucket="their-exports", S3BucketOwner="111122223333")
    assert (found["ExportStatus"], found["FailureCode"]) == ("FAILED", "S3AccessDenied")
    statement = {
        "Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": list(WRITING),
        "Resource": "arn:aws:s3:::their-exports/*",
    }  # fmt: skip
    theirs.put_bucket_policy(
        Bucket="their-exports", Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    )
    assert export(songs, S3Bucket="their-exports")["FailureCode"] == "S3AccessDenied"
    found = export(songs, S3Bucket="their-exports", S3BucketOwner="111122223333")
    assert found["ExportStatus"] == "COMPLETED", found
    assert len(theirs.list_objects_v2(Bucket="their-exports")["Contents"]) == 6
    assert export(songs, S3Bucket="nobodys-exports")["FailureCode"] == "S3NoSuchBucket"


def test_an_export_is_made_once_for_a_token_and_of_the_present_alone(songs):
    given = {"TableArn": TABLE, "S3Bucket": "tour-exports", "ClientToken": "once"}
    first = songs.export_table_to_point_in_time(**given)["ExportDescription"]["ExportArn"]
    assert songs.export_table_to_point_in_time(**given)["ExportDescription"]["ExportArn"] == first
    other = refused(songs.export_table_to_point_in_time, **given, S3Prefix="p")
    assert other["Code"] == "ExportConflictException"
    for more in (
        {"ExportFormat": "ION"}, {"ExportType": "INCREMENTAL_EXPORT"}, {"ExportTime": 1},
        {"FilterSpecification": {"FilterExpression": "attribute_exists(id)"}},
    ):  # fmt: skip
        told = refused(songs.export_table_to_point_in_time, TableArn=TABLE, S3Bucket="tour-exports", **more)
        assert (told["Code"], next(iter(more)) in told["Message"]) == ("ValidationException", True)
    later = refused(songs.export_table_to_point_in_time, TableArn=TABLE, S3Bucket="tour-exports", ExportTime=4102444800)
    assert later["Code"] == "InvalidExportTimeException"
    gone = f"{TABLE}/export/01700000000000-00000000"
    assert refused(songs.describe_export, ExportArn=gone)["Code"] == "ExportNotFoundException"


def imported(tables, name="copy", **given):
    told = tables.import_table(
        **{"S3BucketSource": {"S3Bucket": "tour-exports"}, "InputFormat": "DYNAMODB_JSON"} | given,
        TableCreationParameters={"TableName": name, **KEYS},
    )
    arn = told["ImportTableDescription"]["ImportArn"]
    return done(
        lambda: tables.describe_import(ImportArn=arn)["ImportTableDescription"],
        lambda found: found["ImportStatus"] == "IN_PROGRESS",
    )


def test_a_table_is_imported_with_its_callers_permissions_alone(cloud, bucket):
    lines = "".join(json.dumps({"Item": item}) + "\n" for item in ITEMS)
    bucket.put_object(Bucket="tour-exports", Key="in/one.json.gz", Body=gzip.compress(lines.encode()))
    given = {"S3BucketSource": {"S3Bucket": "tour-exports", "S3KeyPrefix": "in/"}, "InputCompressionType": "GZIP"}
    listing = cloud.user("ada", allow("dynamodb:*"), allow("s3:ListBucket", BUCKET))
    failed = imported(cloud.client("dynamodb", listing), **given)
    assert (failed["ImportStatus"], failed["FailureCode"]) == ("FAILED", "S3AccessDenied")
    assert "not authorized to perform: s3:GetObject" in failed["FailureMessage"]
    assert cloud.client("dynamodb").list_tables()["TableNames"] == []
    reading = cloud.user(
        "grace", allow("dynamodb:*"), allow("s3:ListBucket", BUCKET), allow("s3:GetObject", f"{BUCKET}/in/*")
    )
    found = imported(cloud.client("dynamodb", reading), **given)
    assert (found["ImportStatus"], found["ImportedItemCount"]) == ("COMPLETED", 2)
    assert cloud.client("dynamodb", reading).get_item(TableName="copy", Key={"id": {"N": "2"}})["Item"] == ITEMS[1]
    bucket.put_object(Bucket="tour-exports", Key="another.json", Body=lines.encode())
    more = {"S3BucketSource": {"S3Bucket": "tour-exports", "S3KeyPrefix": "another"}}
    assert imported(cloud.client("dynamodb", reading), name="all", **more)["FailureCode"] == "S3AccessDenied"


def test_rows_are_items_whose_keys_have_their_type(cloud, bucket):
    tables = cloud.client("dynamodb")
    bucket.put_object(Bucket="tour-exports", Key="one.csv", Body=b"id;title\n1;song 1\n2;song 2\n")
    options = {"Csv": {"Delimiter": ";"}}
    found = imported(tables, InputFormat="CSV", InputFormatOptions=options)
    assert found["ImportedItemCount"] == 2
    assert sorted(tables.scan(TableName="copy")["Items"], key=str) == ITEMS
    options["Csv"]["HeaderList"] = ["id", "name"]
    found = imported(tables, name="named", InputFormat="CSV", InputFormatOptions=options)
    assert (found["ImportedItemCount"], found["ErrorCount"]) == (2, 1)
    for more in ({"InputFormat": "ION"}, {"InputCompressionType": "ZSTD"}):
        with pytest.raises(ClientError, match=next(iter(more))):
            imported(tables, name="none", **more)
    with pytest.raises(ClientError, match="ResourceInUseException"):
        imported(tables)


def queried(athena, **given):
    query = athena.start_query_execution(QueryString="SELECT 1", **given)["QueryExecutionId"]
    return done(
        lambda: athena.get_query_execution(QueryExecutionId=query)["QueryExecution"],
        lambda found: found["Status"]["State"] in {"QUEUED", "RUNNING"},
    )


def test_results_go_to_buckets_that_the_caller_may_write(cloud, bucket):
    to = {"ResultConfiguration": {"OutputLocation": "s3://tour-exports/results/"}}
    nobody = cloud.client("athena", cloud.user("ada", allow("athena:*")))
    assert refused(nobody.start_query_execution, QueryString="SELECT 1", **to) == {
        "Code": "InvalidRequestException", "Message": "Unable to verify/create output bucket tour-exports",
    }  # fmt: skip
    seeing = cloud.client("athena", cloud.user("bob", allow("athena:*"), allow("s3:GetBucketLocation", BUCKET)))
    failed = queried(seeing, **to)
    place = failed["ResultConfiguration"]["OutputLocation"]
    assert failed["Status"]["State"] == "FAILED"
    assert failed["Status"]["StateChangeReason"].startswith(f"Access denied when writing output to url: {place}.")
    assert contents(bucket) == {}
    told = refused(seeing.get_query_results, QueryExecutionId=failed["QueryExecutionId"])
    assert "s3:GetObject" in told["Message"]
    via = {"Condition": {"StringEquals": {"aws:CalledViaLast": "athena.amazonaws.com"}}}
    all_of_it = allow(["s3:GetBucketLocation", "s3:PutObject", "s3:GetObject"]) | via
    writing = cloud.client("athena", cloud.user("grace", allow("athena:*"), all_of_it))
    found = queried(writing, **to)
    assert found["Status"]["State"] == "SUCCEEDED"
    assert list(contents(bucket)) == [f"results/{found['QueryExecutionId']}.csv"]
    assert writing.get_query_results(QueryExecutionId=found["QueryExecutionId"])["ResultSet"]["Rows"] == []
    told = refused(writing.get_query_results, QueryExecutionId=failed["QueryExecutionId"])
    assert told["Message"] == "Query did not finish successfully. Final query state: FAILED"


def test_a_workgroup_says_where_results_go(cloud, bucket):
    athena = cloud.client("athena")
    told = refused(athena.start_query_execution, QueryString="SELECT 1")
    assert told["Message"].startswith("No output location provided.")
    athena.create_work_group(
        Name="wg", Configuration={"ResultConfiguration": {"OutputLocation": "s3://tour-exports/of-group/"}}
    )
    elsewhere = {"ResultConfiguration": {"OutputLocation": "s3://tour-exports/mine/"}}
    found = queried(athena, WorkGroup="wg", **elsewhere)
    assert list(contents(bucket)) == [f"of-group/{found['QueryExecutionId']}.csv"]
    ada = cloud.client("athena", cloud.user("ada", allow("athena:*"), allow("s3:*"), deny("s3:Get*", BUCKET)))
    told = refused(ada.start_query_execution, QueryString="SELECT 1", WorkGroup="wg")
    assert told["Message"] == "Unable to verify/create output bucket tour-exports"
