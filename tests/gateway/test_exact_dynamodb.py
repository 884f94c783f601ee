"""What requests to DynamoDB and its streams are decided on: tables, indexes, batches, transactions, PartiQL, backups.

AWS: Service Authorization Reference, list_amazondynamodb; DynamoDB Developer Guide, "Using IAM with DynamoDB
transactions" (transaction-apis-iam), "IAM security policies with PartiQL for DynamoDB" (ql-iam) and "Using IAM with
DynamoDB backup and restore".
"""

import pytest
from gateway.parameters import ACCOUNT, POLICY, REGION, STREAM

PLACE = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}"
ONE, TWO, INDEX = f"{PLACE}:table/one", f"{PLACE}:table/two", f"{PLACE}:table/one/index/idx"
THEIRS = f"arn:aws:dynamodb:{REGION}:111122223333:table/one"
PK = {"pk": {"S": "me"}}
SCHEMA = {
    "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    "BillingMode": "PAY_PER_REQUEST",
}
QUERY = {"TableName": "one", "KeyConditionExpression": "pk = :v", "ExpressionAttributeValues": {":v": {"S": "me"}}}
RESTORED = ["BatchWriteItem", "DeleteItem", "GetItem", "PutItem", "Query", "Scan", "UpdateItem"]


def on(resource, *actions):
    return [(f"dynamodb:{action}", resource) for action in actions]


def statement(text):
    return {"Statement": text}


EXPORTING = ("PutObject", "PutObjectAcl", "AbortMultipartUpload")
CASES = [
    # Items, on a table by name and by ARN, and on an index.
    ("GetItem", {"TableName": "one", "Key": PK}, on(ONE, "GetItem")),
    ("GetItem", {"TableName": ONE, "Key": PK}, on(ONE, "GetItem")),
    ("PutItem", {"TableName": "one", "Item": PK}, on(ONE, "PutItem")),
    ("UpdateItem", {"TableName": "one", "Key": PK}, on(ONE, "UpdateItem")),
    ("DeleteItem", {"TableName": "one", "Key": PK}, on(ONE, "DeleteItem")),
    ("Query", QUERY, on(ONE, "Query")),
    ("Query", {**QUERY, "IndexName": "idx"}, on(INDEX, "Query")),
    ("Scan", {"TableName": "one"}, on(ONE, "Scan")),
    ("Scan", {"TableName": ONE, "IndexName": "idx"}, on(INDEX, "Scan")),
    # Batches: each table once. Transactions: each item by its own action.
    (
        "BatchGetItem",
        {"RequestItems": {"one": {"Keys": [PK]}, "two": {"Keys": [PK]}}},
        [*on(ONE, "BatchGetItem"), *on(TWO, "BatchGetItem")],
    ),
    (
        "BatchWriteItem",
        {"RequestItems": {"one": [{"PutRequest": {"Item": PK}}], TWO: [{"DeleteRequest": {"Key": PK}}]}},
        [*on(ONE, "BatchWriteItem"), *on(TWO, "BatchWriteItem")],
    ),
    (
        "TransactGetItems",
        {"TransactItems": [{"Get": {"TableName": "one", "Key": PK}}, {"Get": {"TableName": "two", "Key": PK}}]},
        [*on(ONE, "GetItem"), *on(TWO, "GetItem")],
    ),
    (
        "TransactWriteItems",
        {
            "TransactItems": [
                {"ConditionCheck": {"TableName": "one", "Key": PK, "ConditionExpression": "attribute_exists(pk)"}},
                {"Put": {"TableName": "one", "Item": PK}},
                {"Update": {"TableName": "two", "Key": PK, "UpdateExpression": "REMOVE a"}},
                {"Delete": {"TableName": TWO, "Key": PK}},
            ]
        },
        [*on(ONE, "ConditionCheckItem", "PutItem"), *on(TWO, "UpdateItem", "DeleteItem")],
    ),
    # PartiQL: by what each statement does, on its table or index.
    ("ExecuteStatement", statement("SELECT * FROM one WHERE pk = 'me'"), on(ONE, "PartiQLSelect")),
    ("ExecuteStatement", statement('SELECT * FROM "one"."idx" WHERE pk = \'me\''), on(INDEX, "PartiQLSelect")),
    ("ExecuteStatement", statement("INSERT INTO one VALUE {'pk':'me'}"), on(ONE, "PartiQLInsert")),
    ("ExecuteStatement", statement("UPDATE one SET a='b' WHERE pk='me'"), on(ONE, "PartiQLUpdate")),
    ("ExecuteStatement", statement("DELETE FROM \"one\" WHERE pk = 'me'"), on(ONE, "PartiQLDelete")),
    (
        "BatchExecuteStatement",
        {"Statements": [statement("SELECT * FROM one WHERE pk = 'a'"), statement("DELETE FROM two WHERE pk = 'b'")]},
        [*on(ONE, "PartiQLSelect"), *on(TWO, "PartiQLDelete")],
    ),
    (
        "ExecuteTransaction",
        {
            "TransactStatements": [
                statement("EXISTS(SELECT * FROM one WHERE pk = 'a' AND a = 'b')"),
                statement("UPDATE two SET a='b' WHERE pk='me'"),
            ]
        },
        [*on(ONE, "PartiQLSelect"), *on(TWO, "PartiQLUpdate")],
    ),
    # Tables.
    ("CreateTable", {"TableName": "one", **SCHEMA}, on(ONE, "CreateTable")),
    (
        "CreateTable",
        {"TableName": "one", **SCHEMA, "Tags": [{"Key": "a", "Value": "b"}], "ResourcePolicy": POLICY % ONE},
        on(ONE, "CreateTable", "TagResource", "PutResourcePolicy"),
    ),
    (
        "UpdateTable",
        {"TableName": "one", "ReplicaUpdates": [{"Create": {"RegionName": "eu-west-1"}}]},
        on(ONE, "UpdateTable", "CreateTableReplica"),
    ),
    ("DescribeTable", {"TableName": ONE}, on(ONE, "DescribeTable")),
    ("ListTables", {}, on("*", "ListTables")),
    ("TagResource", {"ResourceArn": ONE, "Tags": [{"Key": "a", "Value": "b"}]}, on(ONE, "TagResource")),
    ("DescribeContributorInsights", {"TableName": "one"}, on(ONE, "DescribeContributorInsights")),
    (
        "DescribeContributorInsights",
        {"TableName": "one", "IndexName": "idx"},
        on(INDEX, "DescribeContributorInsights"),
    ),
    ("PutResourcePolicy", {"ResourceArn": STREAM, "Policy": POLICY % STREAM}, on(STREAM, "PutResourcePolicy")),
    # Backups, exports, imports.
    ("CreateBackup", {"TableName": "one", "BackupName": "bck"}, on(ONE, "CreateBackup")),
    ("DeleteBackup", {"BackupArn": f"{ONE}/backup/01"}, on(f"{ONE}/backup/01", "DeleteBackup")),
    (
        "RestoreTableFromBackup",
        {"BackupArn": f"{ONE}/backup/01", "TargetTableName": "two"},
        [*on(f"{ONE}/backup/01", "RestoreTableFromBackup"), *on(TWO, "RestoreTableFromBackup", *RESTORED)],
    ),
    (
        "RestoreTableToPointInTime",
        {"SourceTableName": "one", "TargetTableName": "two"},
        [*on(ONE, "RestoreTableToPointInTime"), *on(TWO, "RestoreTableToPointInTime", *RESTORED)],
    ),
    # What DynamoDB does for its caller behind a backend that iamd does not see into is decided beforehand.
    (
        "ExportTableToPointInTime",
        {"TableArn": ONE, "S3Bucket": "bkt", "S3Prefix": "p"},
        [
            *on(ONE, "ExportTableToPointInTime"),
            *[(f"s3:{name}", "arn:aws:s3:::bkt/p/AWSDynamoDB/*") for name in EXPORTING],
        ],
    ),
    ("ListExports", {"TableArn": ONE}, on(ONE, "ListExports")),
    ("ListExports", {}, on("*", "ListExports")),
    (
        "ImportTable",
        {
            "S3BucketSource": {"S3Bucket": "bkt", "S3KeyPrefix": "in/"},
            "InputFormat": "CSV",
            "TableCreationParameters": {"TableName": "two", **SCHEMA},
        },
        [*on(TWO, "ImportTable"), ("s3:ListBucket", "arn:aws:s3:::bkt"), ("s3:GetObject", "arn:aws:s3:::bkt/in/*")],
    ),
]
STREAMS = [
    ("DescribeStream", {"StreamArn": STREAM}, on(STREAM, "DescribeStream")),
    ("GetRecords", {"ShardIterator": f"{STREAM}|1|AAAAAAAAAAH"}, on(STREAM, "GetRecords")),
    ("ListStreams", {"TableName": "tbl"}, on("*", "ListStreams")),
]


@pytest.mark.usefixtures("unknown_bucket")
@pytest.mark.parametrize(("name", "given", "wanted"), CASES)
def test_each_request_is_decided_on_what_it_touches(counted, name, given, wanted):
    told = counted.call("dynamodb", name, given)
    assert told.asked == wanted
    assert told.sent > 0


@pytest.mark.parametrize(("name", "given", "wanted"), STREAMS)
def test_each_request_for_a_stream_is_decided_on_it(counted, name, given, wanted):
    told = counted.call("dynamodbstreams", name, given)
    assert told.asked == wanted
    assert told.sent > 0


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * FROM one, two",
        "SELECT * FROM one JOIN two",
        "SELECT * FROM one AS a WHERE pk = 'me'",
        "SELECT * FROM one WHERE pk = 'me' WHERE pk = 'you'",
        "UPDATE one, two SET a = 'b' WHERE pk = 'me'",
        "DELETE FROM one, two WHERE pk = 'me'",
        "INSERT INTO one, two VALUE {'pk':'me'}",
        "SELECT * FROM (SELECT * FROM two)",
        "SELECT * FROM one WHERE pk IN (SELECT pk FROM two)",
        "SELECT * FROM one; DELETE FROM two WHERE pk='a'",
        "INSERT INTO one SELECT * FROM two",
        "SELECT * FROM one -- FROM two",
        "SELECT * FROM one.two",
        "SELECT * FROM 'one'",
        "DROP TABLE one",
        "",
    ],
)
def test_a_statement_that_is_not_plainly_one_on_one_table_is_refused(counted, text):
    told = counted.call("dynamodb", "ExecuteStatement", {"Statement": text or " "})
    assert (told.status, told.code, told.sent) == (400, "ValidationException", 0)


@pytest.mark.parametrize("name", ["*", "one/index/idx", "a b", f"{PLACE}:table/*", f"{PLACE}:table/one/../two", "ab"])
def test_a_name_that_would_be_read_as_more_than_a_tables_is_refused(counted, name):
    told = counted.call("dynamodb", "GetItem", {"TableName": name, "Key": PK})
    assert (told.status, told.code, told.sent) == (400, "ValidationException", 0)


@pytest.mark.parametrize("entry", [{}, {"DeleteRequest": {"Key": {"pk": {"S": "you"}}}, "PutRequest": {"Item": PK}}])
def test_an_entry_of_a_batch_that_is_not_one_request_is_refused(counted, entry):
    """Of two the condition keys would tell of one, and the backend could do the other."""
    told = counted.call("dynamodb", "BatchWriteItem", {"RequestItems": {"one": [entry]}})
    assert (told.status, told.code, told.sent) == (400, "ValidationException", 0)


def test_a_table_of_another_account_is_decided_on_as_its_owners(counted):
    for name, given in (
        ("ExecuteStatement", statement(f'SELECT a FROM "{THEIRS}"')),
        ("GetItem", {"TableName": THEIRS, "Key": PK}),
    ):
        told = counted.call("dynamodb", name, given)
        assert (told.code, told.sent) == ("AccessDeniedException", 0)
        assert "because no resource-based policy allows" in told.message
        assert told.asked == on(THEIRS, "PartiQLSelect" if name == "ExecuteStatement" else "GetItem")


def test_a_table_of_another_region_is_refused(counted):
    elsewhere = f"arn:aws:dynamodb:eu-west-1:{ACCOUNT}:table/one"
    told = counted.call("dynamodb", "GetItem", {"TableName": elsewhere, "Key": PK})
    assert (told.status, told.code, told.sent) == (400, "ValidationException", 0)
