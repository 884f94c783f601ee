"""Presets of servers that no package has: a request as iamd sends it to them, and their answers as they are recorded.

MinIO, Versity's gateway, RustFS and Ceph's say `Server: ...` and their own ids; SignatureDoesNotMatch and region errors
are theirs to find, so what is looked at is the key, the scope, the path and what stays at iamd. AWS Emulator User
Guide, "Local files" and "How the emulator handles credentials and HTTPS": keys, certificate and their folder.
"""

import json
from hashlib import sha256

import pytest
from backends.recorded import certificate, serving
from botocore.exceptions import ClientError
from running import ACCOUNT, allow

from iamd import configuration
from iamd.backend_settings import presets

EMPTY = b'<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>reports</Name><Prefix></Prefix><KeyCount>0</KeyCount><MaxKeys>1</MaxKeys></ListBucketResult>'
MISSING = b"<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message><Key>no</Key></Error>"
HEALTH = {"minio": "/minio/health/live", "rustfs": "/health"}
OBJECT_STORES = {
    "minio": {
        "Server": "MinIO",
        "X-Amz-Request-Id": "17A1B2C3D4E5F607",
        "X-Amz-Id-2": "dd9025bab4ad464b049177c95eb6ebf3",
    },
    "versitygw": {"Server": "VERSITYGW"},
    "rustfs": {"x-request-id": "5f2c3a9e-8f0e-4b5c-9d0b-1b2c3d4e5f60"},
    "ceph": {"x-amz-request-id": "tx00000a1b2c3d4e5f6-0065f1a2b3-1092-default", "Bucket": "reports"},
}


def answering(headers):
    def answer(got):
        if got.method == "GET" and got.path.startswith("/reports?"):
            return 200, {**headers, "content-type": "application/xml"}, EMPTY
        if got.path == "/reports/no":
            return 404, {**headers, "content-type": "application/xml"}, MISSING
        if got.method == "GET":
            return 200, {**headers, "etag": f'"{sha256(b"content").hexdigest()[:32]}"'}, b"content"
        return 200, headers, b""

    return answer


def test_every_preset_is_a_table(tmp_path):
    """Its keys are a backend's, and no preset but AWS Emulator's has files of its own."""
    for name, keys in presets().items():
        assert keys["about"]
        file = tmp_path / f"{name}.toml"
        mine = f'ca_file = "{file}"' if "ca_file" in keys else ""
        file.write_text(f'[backends.a]\npreset = "{name}"\n{mine}\n')
        found = configuration.load({"config": file}, {}).backends["a"]
        assert found.url == keys["url"]


@pytest.mark.parametrize("preset", OBJECT_STORES)
def test_object_stores(before, preset):
    with serving(answering(OBJECT_STORES[preset])) as store:
        aws = before(
            f'[backends.store]\npreset = "{preset}"\nurl = "{store.url}"\naccount = "{ACCOUNT}"\n'
            'access_key_id = "STOREKEY"\nsecret_access_key = "store-secret"'
        )
        s3 = aws.client("s3")
        s3.create_bucket(Bucket="reports")
        assert s3.get_object(Bucket="reports", Key="a/b c")["Body"].read() == b"content"
        with pytest.raises(s3.exceptions.NoSuchKey):
            s3.get_object(Bucket="reports", Key="no")
        ann = aws.user("ann")
        statement = {
            "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:user/ann"},
            **allow("s3:GetObject", "arn:aws:s3:::reports/*"),
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        s3.put_bucket_policy(Bucket="reports", Policy=policy)
        assert aws.client("s3", ann).get_object(Bucket="reports", Key="k")["Body"].read() == b"content"
        sent = [one for one in store.got if one.path not in HEALTH.values()]
        assert all(one.key == "STOREKEY" and one.scope[1] == "s3" for one in sent)
        assert {one.scope[0] for one in sent} == {"us-east-1"}
        # The policy is iamd's to keep: the store would not know who is in it.
        assert not any("policy" in one.path or b"Principal" in one.body for one in store.got)
        assert aws.states() == {"store": "up"}
        if preset in HEALTH:
            assert HEALTH[preset] in {one.path for one in store.got}


def test_localemu_is_told_the_account_by_the_access_key(before):
    """LocalEmu's package is of Python 3.12 and later, so the shape of its health and of an answer stand for it."""
    answer = 200, {"content-type": "application/x-amz-json-1.0"}, b'{"TableNames": []}'
    with serving(lambda _: answer) as localemu:
        aws = before(f'[backends.local]\npreset = "localemu"\nurl = "{localemu.url}"')
        aws.client("dynamodb", aws.account("222233334444")).list_tables()
        aws.client("dynamodb").list_tables()
        sent = [one for one in localemu.got if one.path != "/_localemu/health"]
        assert [one.key for one in sent] == ["222233334444", ACCOUNT]
        assert any(one.path == "/_localemu/health" for one in localemu.got)


def write_run(folder, made, key):
    """What AWS Emulator writes at its start."""
    (folder / "emulator_credentials").write_text(
        f"[default]\naws_access_key_id = {key}\naws_secret_access_key = secret-{key}\n"
    )
    (folder / "ca.pem").write_bytes(made.ca.read_bytes())


def test_aws_emulators_keys_and_certificate_are_those_of_its_present_run(before, tmp_path):
    folder = tmp_path / "9297"
    folder.mkdir()
    first, second = certificate(tmp_path, "first"), certificate(tmp_path, "second")
    write_run(folder, first, "FIRSTRUNSKEY")
    answer = 200, {"content-type": "application/x-amz-json-1.0", "connection": "close"}, b'{"TableNames": []}'
    with serving(lambda _: answer, first) as emulator:
        aws = before(
            f'[backends.emulator]\npreset = "aws-emulator"\nurl = "{emulator.url}"\nbreaker_failures = 0\n'
            f'credentials_file = "{folder}/emulator_credentials"\nca_file = "{folder}/ca.pem"',
            options=("--account", "000000000000"),
        )
        call = aws.client("dynamodb").list_tables
        call()
        emulator.certify(second)
        with pytest.raises(ClientError) as caught:
            call()
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503
        write_run(folder, second, "SECONDRUNSKEY")
        call()
        assert [one.key for one in emulator.got] == ["FIRSTRUNSKEY", "SECONDRUNSKEY"]
        other = aws.account("222233334444")
        with pytest.raises(ClientError, match="holds no resources of account 222233334444"):
            aws.client("dynamodb", other).list_tables()
