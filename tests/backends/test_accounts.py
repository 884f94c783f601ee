"""iamd's accounts and a backend's: which key signs for whom, what is refused, and what a client sees."""

import json

import pytest
from backends.conftest import OTHER
from backends.recorded import serving
from botocore.exceptions import ClientError
from gateway.two_accounts import policy, to
from running import ACCOUNT, allow

JSON = (200, {"content-type": "application/x-amz-json-1.0"}, b"{}")
THIRD = "333344445555"
BUCKETS = (
    b'<?xml version="1.0"?><ListAllMyBucketsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Owner><ID>key</ID>'
    b"</Owner><Buckets><Bucket><Name>mine</Name></Bucket><Bucket><Name>theirs</Name></Bucket>"
    b"<Bucket><Name>found</Name></Bucket></Buckets></ListAllMyBucketsResult>"
)


def signing(number, key, **more):
    given = {"access_key_id": key, "secret_access_key": f"secret-of-{key}", **more}
    return f"accounts.{number} = {{ " + ", ".join(f'{name} = "{value}"' for name, value in given.items()) + " }"


def test_each_account_is_signed_for_by_its_own_key(before):
    with serving(lambda _: JSON) as backend:
        aws = before(
            f'[backends.one]\nurl = "{backend.url}"', signing(ACCOUNT, "KEYOFTHEFIRST"), signing(OTHER, "KEYOFTHEOTHER")
        )
        other, third = aws.account(), aws.account(THIRD)
        aws.client("dynamodb").list_tables()
        aws.client("dynamodb", other).list_tables()
        assert [one.key for one in backend.got] == ["KEYOFTHEFIRST", "KEYOFTHEOTHER"]
        with pytest.raises(ClientError, match=f"holds no resources of account {THIRD}"):
            aws.client("dynamodb", third).list_tables()
        assert len(backend.got) == 2


def test_the_key_is_that_of_the_resources_owner(before):
    """A bucket of the first account that its policy opens to the other is read with the first account's key."""
    with serving() as backend:
        aws = before(
            f'[backends.one]\nurl = "{backend.url}"', signing(ACCOUNT, "KEYOFTHEFIRST"), signing(OTHER, "KEYOFTHEOTHER")
        )
        other = aws.account()
        s3 = aws.client("s3")
        s3.create_bucket(Bucket="open")
        statement = {"Principal": {"AWS": f"arn:aws:iam::{OTHER}:root"}, **allow("s3:GetObject", "arn:aws:s3:::open/*")}
        document = '{"Version": "2012-10-17", "Statement": [%s]}'
        s3.put_bucket_policy(Bucket="open", Policy=document % json.dumps(statement))
        aws.client("s3", other).get_object(Bucket="open", Key="k")
        assert backend.got[-1].path == "/open/k"
        assert backend.got[-1].key == "KEYOFTHEFIRST"


def test_each_part_of_a_batch_is_signed_for_by_its_own_accounts_key(before):
    with serving(lambda _: JSON) as backend:
        aws = before(
            f'[backends.one]\nurl = "{backend.url}"', signing(ACCOUNT, "KEYOFTHEFIRST"), signing(OTHER, "KEYOFTHEOTHER")
        )
        theirs, thirds = (f"arn:aws:dynamodb:us-east-1:{one}:table/tbl" for one in (OTHER, THIRD))
        aws.account(THIRD)
        document = policy(to({"AWS": ACCOUNT}, allow("dynamodb:BatchGetItem", theirs)))
        aws.client("dynamodb", aws.account()).put_resource_policy(ResourceArn=theirs, Policy=document)
        backend.got.clear()
        client, keys = aws.client("dynamodb"), {"Keys": [{"id": {"S": "1"}}]}
        client.batch_get_item(RequestItems={"tbl": keys, theirs: keys})
        told = [(one.key, list(json.loads(one.body)["RequestItems"])) for one in backend.got]
        assert told == [("KEYOFTHEFIRST", ["tbl"]), ("KEYOFTHEOTHER", [theirs])]
        with pytest.raises(ClientError, match="AccessDenied"):
            client.batch_get_item(RequestItems={"tbl": keys, thirds: keys})
        assert len(backend.got) == 2


def test_a_batch_that_is_for_an_account_too_many_is_not_sent(before):
    """Its policies would allow it; the backend holds nothing of that account."""
    with serving(lambda _: JSON) as backend:
        aws = before(
            f'[backends.one]\nurl = "{backend.url}"', signing(ACCOUNT, "KEYOFTHEFIRST"), options=("--enforce", "soft")
        )
        aws.account()
        keys = {"Keys": [{"id": {"S": "1"}}]}
        given = {"tbl": keys, f"arn:aws:dynamodb:us-east-1:{OTHER}:table/tbl": keys}
        with pytest.raises(ClientError, match=f"holds no resources of account {OTHER}"):
            aws.client("dynamodb").batch_get_item(RequestItems=given)
        assert backend.got == []


def test_templates_tell_a_backend_the_account(before):
    with serving(lambda _: JSON) as backend:
        aws = before(
            f'[backends.one]\nurl = "{backend.url}"\naccess_key_id = "{{account}}"\nsecret_access_key = "any-secret"\n'
            'headers = { x-account = "of {account}" }'
        )
        aws.client("dynamodb", aws.account()).list_tables()
        assert backend.got[-1].key == OTHER
        assert backend.got[-1].headers["x-account"] == f"of {OTHER}"
        assert "x-account" in backend.got[-1].headers["authorization"]


def test_a_backend_without_accounts_holds_those_of_one(before):
    with serving(lambda _: JSON) as backend:
        aws = before(f'[backends.one]\nurl = "{backend.url}"\naccount = "{OTHER}"')
        aws.client("dynamodb", aws.account()).list_tables()
        for call in (
            aws.client("dynamodb").list_tables,
            lambda: aws.client("dynamodb").get_item(TableName="tbl", Key={"id": {"S": "1"}}),
            aws.client("sqs").list_queues,
        ):
            with pytest.raises(ClientError, match=f"holds no resources of account {ACCOUNT}"):
                call()
        assert len(backend.got) == 1
        assert backend.got[0].key is None


def test_a_url_as_the_backend_holds_the_first_accounts_things(before):
    with serving(lambda _: JSON) as backend:
        aws = before(backend=backend.url)
        aws.client("dynamodb").list_tables()
        with pytest.raises(ClientError, match="holds no resources"):
            aws.client("dynamodb", aws.account()).list_tables()
        assert len(backend.got) == 1


def test_buckets_are_listed_for_their_owners(before):
    """Of a backend that knows no accounts; what nobody made through iamd is the configured account's."""
    with serving(lambda got: (200, {}, BUCKETS if got.path == "/" else b"")) as backend:
        aws = before(f'[backends.one]\nurl = "{backend.url}"\naccount = "{ACCOUNT}"')
        other, third = aws.account(), aws.account(THIRD)
        aws.client("s3").create_bucket(Bucket="mine")
        aws.client("s3", other).create_bucket(Bucket="theirs")
        assert names(aws.client("s3")) == ["mine", "found"]
        assert names(aws.client("s3", other)) == ["theirs"]
        assert names(aws.client("s3", third)) == []
        owners = [aws.client("s3", one).list_buckets()["Owner"]["ID"] for one in (None, other, third)]
        # The backend's own one is none of them.
        assert len({*owners, "key"}) == 4
        backend.answer = lambda _: (200, {}, b"<ListAllMyBucketsResult><Buckets><Bucket><Name>mine</Name>")
        with pytest.raises(ClientError) as caught:
            aws.client("s3", other).list_buckets()
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 502


def names(s3):
    return [one["Name"] for one in s3.list_buckets()["Buckets"]]


def test_the_owner_that_a_client_expects_is_iamds_to_check(before):
    with serving() as backend:
        aws = before(
            f'[backends.one]\nurl = "{backend.url}"\nservices = ["s3"]',
            signing(ACCOUNT, "KEYOFTHEFIRST", account="999900001111"),
        )
        s3 = aws.client("s3")
        s3.create_bucket(Bucket="mine")
        s3.get_object(Bucket="mine", Key="k", ExpectedBucketOwner=ACCOUNT)
        assert "x-amz-expected-bucket-owner" not in backend.got[-1].headers
        with pytest.raises(ClientError, match="Access Denied"):
            s3.get_object(Bucket="mine", Key="k", ExpectedBucketOwner=OTHER)
        assert len(backend.got) == 2


def write(path, key):
    text = f"[work]\naws_access_key_id = {key}\naws_secret_access_key = a%b-{key}\naws_session_token = token-{key}\n"
    part = path.with_suffix(".part")
    part.write_text(text)
    part.replace(path)


def test_credentials_are_read_again_when_their_file_changes(before, tmp_path):
    file = tmp_path / "credentials"
    write(file, "KEYNUMBERONE")
    with serving(lambda _: JSON) as backend:
        aws = before(f'[backends.one]\nurl = "{backend.url}"\ncredentials_file = "{file}"\nprofile = "work"')
        call = aws.client("dynamodb").list_tables
        call()
        write(file, "KEYNUMBERTWO")
        call()
        assert [one.key for one in backend.got] == ["KEYNUMBERONE", "KEYNUMBERTWO"]
        assert [one.headers["x-amz-security-token"] for one in backend.got] == [
            "token-KEYNUMBERONE",
            "token-KEYNUMBERTWO",
        ]
        # Without its keys nothing goes out unsigned.
        file.unlink()
        with pytest.raises(ClientError, match="credentials cannot be read"):
            call()
        file.write_text("[another]\naws_access_key_id = x\n[one]\n")
        with pytest.raises(ClientError, match="credentials cannot be read"):
            call()
        assert len(backend.got) == 2
        write(file, "KEYNUMBERONE")
        call()
        assert backend.got[-1].key == "KEYNUMBERONE"
