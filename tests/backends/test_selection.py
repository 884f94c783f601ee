"""Which backend a request goes to: by service, by the account that the resource belongs to, and by Region."""

import boto3
import pytest
from backends.conftest import OTHER
from backends.recorded import plain, serving
from botocore.config import Config
from botocore.exceptions import ClientError
from running import ACCOUNT, allow

from iamd import configuration
from iamd.settings import SettingsError

TABLES = b'{"TableNames": []}'


def json_answer(_):
    return 200, {"content-type": "application/x-amz-json-1.0"}, TABLES


def client(aws, service, credentials, region):
    of = credentials or aws.server.administrator
    return boto3.client(
        service,
        endpoint_url=aws.endpoint,
        region_name=region,
        aws_access_key_id=of.access_key_id,
        aws_secret_access_key=of.secret_access_key,
        config=Config(retries={"total_max_attempts": 1}),
    )


def test_the_most_specific_backend_answers(before):
    with serving(json_answer) as rest, serving(json_answer) as tables, serving(json_answer) as european:
        aws = before(
            f'[backends.rest]\nurl = "{rest.url}"',
            f'[backends.tables]\nurl = "{tables.url}"\nservices = ["dynamodb", "dynamodbstreams"]',
            f'[backends.european]\nurl = "{european.url}"\nservices = ["dynamodb"]\nonly_regions = ["eu-west-1"]',
        )
        client(aws, "dynamodb", None, "us-east-1").list_tables()
        client(aws, "dynamodb", None, "eu-west-1").list_tables()
        client(aws, "kinesis", None, "eu-west-1").list_streams()
        assert [len(one.got) for one in (rest, tables, european)] == [1, 1, 1]


def test_it_is_the_resources_account_that_counts(before):
    with serving(json_answer) as ours, serving(json_answer) as theirs:
        aws = before(
            f'[backends.ours]\nurl = "{ours.url}"',
            f'[backends.theirs]\nurl = "{theirs.url}"\nonly_accounts = ["{OTHER}"]\naccount = "{OTHER}"',
        )
        other = aws.account()
        aws.client("dynamodb").list_tables()
        aws.client("dynamodb", other).list_tables()
        assert (len(ours.got), len(theirs.got)) == (1, 1)
        # A table of theirs is theirs whoever asks: it is decided on, and never looked for at ours.
        arn = f"arn:aws:dynamodb:us-east-1:{OTHER}:table/tbl"
        with pytest.raises(ClientError, match="AccessDenied"):
            aws.client("dynamodb").get_item(TableName=arn, Key={"id": {"S": "1"}})
        assert (len(ours.got), len(theirs.got)) == (1, 1)
        aws.client("dynamodb", other).get_item(TableName=arn, Key={"id": {"S": "1"}})
        assert (len(ours.got), len(theirs.got)) == (1, 2)


def test_a_bucket_is_asked_for_where_it_was_made(before):
    """A bucket's name tells neither account nor Region; another backend's bucket of that name is not it."""
    with serving() as here, serving() as there:
        tables = (
            f'[backends.here]\nurl = "{here.url}"\nservices = ["s3"]\naccount = "{ACCOUNT}"',
            (
                f'[backends.there]\nurl = "{there.url}"\nservices = ["s3"]\nonly_regions = ["eu-west-1"]\n'
                f'account = "{ACCOUNT}"'
            ),
        )
        aws = before(*tables)
        client(aws, "s3", None, "eu-west-1").create_bucket(
            Bucket="far", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
        )
        aws.client("s3").create_bucket(Bucket="near")
        assert (here.asked(), there.asked()) == ([("PUT", "/near")], [("PUT", "/far")])
        aws.client("s3").get_object(Bucket="far", Key="k")["Body"].read()
        assert there.asked()[-1] == ("GET", "/far/k")
        with pytest.raises(ClientError, match="several backends"):
            aws.client("s3").copy_object(Bucket="near", Key="k", CopySource="far/k")
        assert len(here.got) == 1


def test_a_table_of_another_region_is_not_looked_for_here(before):
    with serving(json_answer) as here, serving(json_answer) as there:
        aws = before(
            f'[backends.here]\nurl = "{here.url}"',
            f'[backends.there]\nurl = "{there.url}"\nonly_regions = ["eu-west-1"]',
        )
        table = f"arn:aws:dynamodb:eu-west-1:{ACCOUNT}:table/tbl"
        with pytest.raises(ClientError, match="not in the region"):
            aws.client("dynamodb").get_item(TableName=table, Key={"id": {"S": "1"}})
        assert here.got == there.got == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            ("[backends.a]\nurl = 'http://a'\nonly_accounts = ['111122223333']\n"
            "[backends.b]\nurl = 'http://b'\nonly_regions = ['eu-west-1']"),
            "backends `a` and `b` both answer for account `111122223333` in Region `eu-west-1`",
        ),
        (
            "[backends.a]\nurl = 'http://a'\n[backends.b]\nurl = 'http://b'",
            "backends `a` and `b` both answer for all other services",
        ),
        (
            "[backends.a]\npreset = 'minoi'",
            "unknown preset `minoi` of backend `a`; did you mean `minio`?",
        ),
        ("[backends.a]\npreset = 'x'", "unknown preset `x` of backend `a`; there are aws, aws-emulator, ceph,"),
        ("[backends.a]\nurl = 'http://a'\nretries = 9", "wrong value for `backends.a.retries`: 0 to 5, got `9`"),
        ("[backends.a]\nurl = 'http://a'\nretries = 'x'", "wrong value for `backends.a.retries`: a whole number"),
        ("[backends.a]\nurl = 'http://a'\naddressing = 'host'", "`backends.a.addressing`: `as-sent` or `path` or"),
        ("[backends.a]\nurl = 'http://a'\nbase_path = 'x'", "`backends.a.base_path`: a path as `/storage`, got `x`"),
        ("[backends.a]\nurl = 'http://a'\nbase_path = '/x/../y?'", "`backends.a.base_path`: a path as"),
        ("[backends.a]\nurl = 'http://a'\nheaders = {Host = 'x'}", "`backends.a.headers`: names in lower case"),
        ("[backends.a]\nurl = 'http://a'\nheaders = {host = 'x'}", "`backends.a.headers`: names in lower case"),
        ("[backends.a]\nurl = 'http://a'\nconnect_to = 'x'", "`backends.a.connect_to`: `host:port`, got `x`"),
        ("[backends.a]\nurl = 'http://a'\nonly_accounts = ['12']", "`backends.a.only_accounts`: an account number"),
        ("[backends.a]\nurl = 'http://a'\naccount = 'x'", "`backends.a.account`: an account number has 12 digits"),
        ("[backends.a]\nurl = 'http://{endpoint}'", "wrong value for `backends.a.url`"),
        ("[backends.a]\nurl = 'https://{endpoint}'\nhealth_path = '/x'", "`backends.a.health_path`: AWS's endpoints"),
        ("[backends.a]\nurl = 'http://a'\nprofile = 'x'", "`profile` of backend `a` is one of a `credentials_file`"),
        (
            "[backends.a]\nurl = 'http://a'\nunsigned = true\naccess_key_id = 'x'\nsecret_access_key = 'the-secret'",
            "backend `a` has credentials and is `unsigned`: give one of them",
        ),
        (
            "[backends.a]\nurl = 'http://a'\naccounts.111122223333 = {access_key_id = 'x'}",
            "give both `access_key_id` and `secret_access_key` of account `111122223333` of backend `a`",
        ),
        (
            "[backends.a]\nurl = 'http://a'\naccounts.111122223333 = {acces_key_id = 'the-secret'}",
            "wrong value for `backends.a.accounts`: a table of accounts",
        ),
        (
            ("[backends.a]\nurl = 'http://a'\n"
            "accounts.111122223333 = {access_key_id = 'x', secret_access_key = 'y', account = '444455556666'}"),
            "ARNs would have that number",
        ),
    ],
)  # fmt: skip
def test_what_a_table_cannot_say_is_one_line(tmp_path, text, told):
    file = tmp_path / "iamd.toml"
    file.write_text(text)
    with pytest.raises(SettingsError) as error:
        configuration.load({"config": file}, {})
    assert told in str(error.value)
    assert "\n" not in str(error.value)
    assert "the-secret" not in str(error.value)


def test_plain_requests_of_others_are_answered_by_none(before):
    with serving(plain) as buckets:
        aws = before(f'[backends.buckets]\nurl = "{buckets.url}"\nservices = ["s3"]')
        with pytest.raises(ClientError, match="No backend is configured for sqs"):
            aws.client("sqs", aws.user("ann", allow("*"))).list_queues()
