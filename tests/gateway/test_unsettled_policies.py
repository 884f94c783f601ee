"""A policy whose setting was not answered: both decide until the backend says which one it has."""

import json
import sqlite3
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from botocore.exceptions import ClientError
from running import ACCOUNT, AWS, Credentials, Server, allow, deny

from iamd.store.fsck import check
from iamd.store.sqlite import DATABASE

BUCKET = "arn:aws:s3:::files"
NOBODY = {"AWS": f"arn:aws:iam::{ACCOUNT}:user/nobody"}
OPEN = json.dumps(
    {"Version": "2012-10-17", "Statement": [{**allow("s3:GetObject", f"{BUCKET}/*"), "Principal": NOBODY}]}
)
CLOSED = json.dumps({"Version": "2012-10-17", "Statement": [{**deny("s3:GetObject", f"{BUCKET}/*"), "Principal": "*"}]})


class Storage(BaseHTTPRequestHandler):
    """A bucket's policy and objects; `loses` says that setting a policy is not answered as done."""

    policy: str | None = None
    loses = False
    takes = True

    def answer(self, status, body=b""):
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_PUT(self):
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        if "policy" in self.path and Storage.takes:
            Storage.policy = body.decode()
        self.answer(500 if Storage.loses and "policy" in self.path else 200)

    def do_GET(self):
        if "policy" not in self.path:
            self.answer(200, b"content")
        elif Storage.policy is None:
            self.answer(404, b"<Error><Code>NoSuchBucketPolicy</Code></Error>")
        else:
            # Another spelling of the same policy.
            self.answer(200, json.dumps(json.loads(Storage.policy), indent=1).encode())

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def aws(tmp_path):
    storage = ThreadingHTTPServer(("127.0.0.1", 0), Storage)
    threading.Thread(target=storage.serve_forever, daemon=True).start()
    Storage.policy, Storage.loses, Storage.takes = None, False, True
    config = tmp_path / "iamd.toml"
    url = f"http://127.0.0.1:{storage.server_address[1]}"
    config.write_text(f'[backends.storage]\nurl = "{url}"\nservices = ["s3"]\naccount = "{ACCOUNT}"\n')
    server = Server(tmp_path / "data", "--backend", "none", "--config", str(config))
    running = AWS(server)
    running.client("s3").create_bucket(Bucket="files")
    yield running
    assert running.server.stop() == 0
    storage.shutdown()
    storage.server_close()


def reads(aws, who):
    try:
        return aws.client("s3", who).get_object(Bucket="files", Key="k")["Body"].read() == b"content"
    except aws.client("s3").exceptions.ClientError as error:
        if error.response["Error"]["Code"] != "AccessDenied":
            raise
        return False


def lose(aws, policy, *, taken):
    """Set a policy, and have the backend fail after or before it took it."""
    Storage.loses, Storage.takes = True, taken
    with pytest.raises(ClientError):
        aws.client("s3").put_bucket_policy(Bucket="files", Policy=policy)
    Storage.loses, Storage.takes = False, True


@pytest.mark.parametrize("taken", [True, False])
def test_the_stricter_decides_until_the_policy_is_read(aws, taken):
    nobody = aws.user("nobody")
    aws.client("s3").put_bucket_policy(Bucket="files", Policy=OPEN)
    assert reads(aws, nobody)
    lose(aws, CLOSED, taken=taken)
    assert not reads(aws, nobody)
    told = aws.client("s3").get_bucket_policy(Bucket="files")["Policy"]
    assert json.loads(told) == json.loads(CLOSED if taken else OPEN)
    assert reads(aws, nobody) is not taken
    # It is settled: iamd answers by its own text from now on.
    assert aws.client("s3").get_bucket_policy(Bucket="files")["Policy"] == (CLOSED if taken else OPEN)


@pytest.mark.parametrize("taken", [True, False])
def test_which_of_two_it_is_shows_in_whom_they_name(aws, taken):
    """A backend tells the ARNs that it was given; iamd keeps whom they mean."""
    nobody, other = aws.user("nobody"), aws.user("other")
    named = OPEN.replace("user/nobody", "user/other")
    aws.client("s3").put_bucket_policy(Bucket="files", Policy=OPEN)
    lose(aws, named, taken=taken)
    assert (reads(aws, nobody), reads(aws, other)) == (False, False)
    told = aws.client("s3").get_bucket_policy(Bucket="files")["Policy"]
    assert json.loads(told) == json.loads(named if taken else OPEN)
    assert (reads(aws, nobody), reads(aws, other)) == (not taken, taken)


def test_a_name_that_is_told_may_be_a_namesakes(aws):
    nobody, other = aws.user("nobody"), aws.user("other")
    aws.client("s3").put_bucket_policy(Bucket="files", Policy=OPEN)
    lose(aws, OPEN.replace("user/nobody", "user/other"), taken=False)
    delete(aws, "nobody")
    nobody = aws.user("nobody")
    aws.client("s3").get_bucket_policy(Bucket="files")
    assert (reads(aws, nobody), reads(aws, other)) == (False, False)


def test_a_policy_that_was_not_taken_grants_nothing(aws):
    nobody = aws.user("nobody")
    lose(aws, OPEN, taken=False)
    assert not reads(aws, nobody)
    with pytest.raises(ClientError, match="NoSuchBucketPolicy"):
        aws.client("s3").get_bucket_policy(Bucket="files")
    assert not reads(aws, nobody)


def test_what_was_kept_by_arns_is_for_those_who_were_there_when_the_server_was_started(aws, tmp_path):
    """A data folder of an iamd that kept policies as they were written."""
    two = {"AWS": [f"arn:aws:iam::{ACCOUNT}:user/{name}" for name in ("nobody", "other")]}
    text = json.dumps(
        {"Version": "2012-10-17", "Statement": [{**allow("s3:GetObject", f"{BUCKET}/*"), "Principal": two}]}
    )
    ids = {}
    for name in ("nobody", "other"):
        aws.user(name)
        ids[name] = aws.client("iam").get_user(UserName=name)["User"]["UserId"]
    aws.client("s3").put_bucket_policy(Bucket="files", Policy=text)
    delete(aws, "other")
    assert aws.server.stop() == 0
    with sqlite3.connect(aws.server.data / DATABASE) as database:
        (document,) = database.execute("SELECT document FROM records WHERE kind = 'resource'").fetchone()
        for name, unique_id in ids.items():
            assert unique_id.encode() in document
            document = document.replace(unique_id.encode(), f"arn:aws:iam::{ACCOUNT}:user/{name}".encode())
        database.execute("UPDATE records SET document = ? WHERE kind = 'resource'", (document,))
    again = Server(aws.server.data, "--backend", "none", "--config", str(tmp_path / "iamd.toml"))
    aws.server, aws._clients = again, {}
    running = AWS(again)
    other = running.user("other")
    nobody = Credentials.of(running.client("iam").create_access_key(UserName="nobody")["AccessKey"])
    assert (reads(running, nobody), reads(running, other)) == (True, False)
    delete(running, "nobody")
    assert not reads(running, running.user("nobody"))


def delete(aws, name):
    iam = aws.client("iam")
    for found in iam.list_access_keys(UserName=name)["AccessKeyMetadata"]:
        iam.delete_access_key(UserName=name, AccessKeyId=found["AccessKeyId"])
    iam.delete_user(UserName=name)


def test_fsck_names_what_is_not_settled(aws):
    aws.user("nobody")
    aws.client("s3").put_bucket_policy(Bucket="files", Policy=OPEN)
    assert check(aws.server.data, None) == []
    lose(aws, CLOSED, taken=True)
    (finding,) = check(aws.server.data, None)
    assert finding.startswith(f"resource `{BUCKET}`: ")
    aws.client("s3").get_bucket_policy(Bucket="files")
    assert check(aws.server.data, None) == []
