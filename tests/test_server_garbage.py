"""What is left of a request goes at once: no cycle holds it until the collector of garbage stops everything."""

import json
import time
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from running import AWS, Server, allow

TIMES = 20
OF_A_REQUEST = {"Asked", "Chunks", "Claim", "HttpRequest", "Progress", "Step", "Verdict", "Work"}
"""Classes of which a request has objects of its own."""

TELLS = """
import gc, json, os, threading, time

GONE = f"{os.path.dirname(__file__)}/{os.getpid()}"

def tell():
    while True:
        time.sleep(0.02)
        if os.path.exists(f"{GONE}.asked"):
            gc.collect()
            with open(f"{GONE}.new", "w") as file:
                json.dump([type(one).__name__ for one in gc.garbage], file)
            gc.garbage.clear()
            os.unlink(f"{GONE}.asked")
            os.rename(f"{GONE}.new", f"{GONE}.told")

gc.set_debug(gc.DEBUG_SAVEALL)
threading.Thread(target=tell, daemon=True).start()
"""
"""What Python runs first in the server: it keeps what only the collector finds, and says of which classes it is."""


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    folder = tmp_path_factory.mktemp("garbage")
    (folder / "sitecustomize.py").write_text(TELLS)
    server = Server(folder / "data", "--backend", "moto", environment={"PYTHONPATH": str(folder)})
    aws = AWS(server)
    aws.client("s3").create_bucket(Bucket="garbage")
    aws.client("s3").put_object(Bucket="garbage", Key="key", Body=b"content")
    aws.client("iam").create_user(UserName="ada")
    yield aws, aws.user("bob", allow("sqs:*"))
    assert server.stop() == 0


def only_found_by_the_collector(aws):
    """The classes of what the collector finds in the server, once its events are stored."""
    time.sleep(0.3)
    of = aws.server.data.parent / str(aws.server.process.pid)
    told, asked = Path(f"{of}.told"), Path(f"{of}.asked")
    asked.touch()
    deadline = time.monotonic() + 30
    while not told.exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    found = set(json.loads(told.read_text()))
    told.unlink()
    return found


REQUESTS = {
    "GetObject": lambda aws, _: aws.client("s3").get_object(Bucket="garbage", Key="key")["Body"].read(),
    "PutObject": lambda aws, _: aws.client("s3").put_object(Bucket="garbage", Key="put", Body=b"content"),
    "DeleteObjects": lambda aws, _: aws.client("s3").delete_objects(
        Bucket="garbage", Delete={"Objects": [{"Key": "none"}]}
    ),
    "ListQueues": lambda aws, _: aws.client("sqs").list_queues(),
    "GetUser": lambda aws, _: aws.client("iam").get_user(UserName="ada"),
    "PutUserPolicy": lambda aws, _: aws.client("iam").put_user_policy(
        UserName="ada", PolicyName="policy", PolicyDocument=POLICY
    ),
}
REFUSED = {
    "GetObject, denied": lambda aws, bob: aws.client("s3", bob).get_object(Bucket="garbage", Key="key"),
    "GetObject of none": lambda aws, _: aws.client("s3").get_object(Bucket="garbage", Key="none"),
    "ListUsers, denied": lambda aws, bob: aws.client("iam", bob).list_users(),
    "GetUser of none": lambda aws, _: aws.client("iam").get_user(UserName="nobody"),
}
POLICY = json.dumps({"Version": "2012-10-17", "Statement": [allow("s3:*")]})


@pytest.mark.parametrize("name", [*REQUESTS, *REFUSED])
def test_nothing_of_a_request_is_left_to_the_collector(running, name):
    aws, bob = running

    def ask():
        if name in REQUESTS:
            REQUESTS[name](aws, bob)
            return
        with pytest.raises(ClientError, match=r"AccessDenied|NoSuch"):
            REFUSED[name](aws, bob)

    ask()
    only_found_by_the_collector(aws)
    for _ in range(TIMES):
        ask()
    assert not only_found_by_the_collector(aws) & OF_A_REQUEST
