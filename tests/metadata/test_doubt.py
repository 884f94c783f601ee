"""A backend that leaves open what became of a request that takes a profile away: nobody has its credentials then."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs

import pytest
from metadata.conftest import TTL, Metadata, health
from running import AWS
from services.iamd.test_workloads import trust

INSTANCES = ("i-00000000000000001", "i-00000000000000002")
NOTHING = {"DescribeInstances": "<reservationSet/>", "DescribeInstanceAttribute": "<userData/>"}
"""What answers that know nothing of an instance hold."""
_EC2 = 'xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"'


class Backend(ThreadingHTTPServer):
    """An EC2 that starts the first instance, then the second; `broken` breaks off whatever else it is asked."""

    daemon_threads = True

    def __init__(self) -> None:
        self.waiting = list(INSTANCES)
        self.broken = True
        super().__init__(("127.0.0.1", 0), Handler)


class Handler(BaseHTTPRequestHandler):
    server: Backend

    def do_POST(self) -> None:
        asked = parse_qs(self.rfile.read(int(self.headers["content-length"])).decode())
        [action] = asked["Action"]
        if action == "RunInstances":
            items = f"<item><instanceId>{self.server.waiting.pop(0)}</instanceId></item>"
            self._answer(f"<RunInstancesResponse {_EC2}><instancesSet>{items}</instancesSet></RunInstancesResponse>")
        elif self.server.broken:
            self.close_connection = True
        else:
            self._answer(f"<{action}Response {_EC2}>{NOTHING[action]}</{action}Response>")

    def _answer(self, text: str) -> None:
        self.send_response(200)
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def backend() -> Iterator[Backend]:
    serving = Backend()
    Thread(target=serving.serve_forever, daemon=True).start()
    yield serving
    serving.shutdown()
    serving.server_close()


@pytest.fixture
def aws(start, backend: Backend) -> AWS:
    aws = AWS(start("--backend", f"http://127.0.0.1:{backend.server_address[1]}"))
    iam = aws.client("iam")
    iam.create_role(RoleName="web", AssumeRolePolicyDocument=trust("ec2.amazonaws.com"))
    iam.create_instance_profile(InstanceProfileName="web-profile")
    iam.add_role_to_instance_profile(InstanceProfileName="web-profile", RoleName="web")
    return aws


def start_one(aws: AWS) -> None:
    aws.client("ec2").run_instances(ImageId="ami-1", MinCount=1, MaxCount=1, IamInstanceProfile={"Name": "web-profile"})


def has_credentials(aws: AWS, instance: str) -> bool:
    of = Metadata(aws.iamd("GetMetadataEndpoint", InstanceId=instance)["Endpoint"]).token()
    told = of.ask("/latest/meta-data/iam/security-credentials/web")
    return told.status == 200 and json.loads(told.text)["Code"] == "Success"


def broken(aws: AWS, operation: str, **parameters: object) -> None:
    ec2 = aws.client("ec2")
    with pytest.raises(ec2.exceptions.ClientError) as caught:
        getattr(ec2, operation)(**parameters)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 502


def test_an_association_that_may_be_gone_takes_all_profiles_it_may_be_of(aws):
    for instance in INSTANCES:
        start_one(aws)
        assert has_credentials(aws, instance)
    broken(aws, "disassociate_iam_instance_profile", AssociationId="iip-assoc-0123456789abcdef0")
    assert [has_credentials(aws, instance) for instance in INSTANCES] == [False, False]


def test_of_instances_that_may_have_ended_those_that_were_named_lose_theirs(aws):
    for _ in INSTANCES:
        start_one(aws)
    broken(aws, "terminate_instances", InstanceIds=[INSTANCES[0]])
    assert [has_credentials(aws, instance) for instance in INSTANCES] == [False, True]


def test_what_takes_nothing_away_leaves_them(aws):
    start_one(aws)
    broken(aws, "start_instances", InstanceIds=[INSTANCES[0]])
    assert has_credentials(aws, INSTANCES[0])


def test_what_the_backend_does_not_describe_is_not_made_up(aws, backend):
    """Its own facts are iamd's; of the rest there is nothing, or that it cannot be had now."""
    start_one(aws)
    of = Metadata(health(aws.server)["metadata"]["default"])
    assert of.ask("/latest/api/token", "PUT", **{TTL: "60"}).status == 200
    of = of.token()
    assert of.ask("/latest/meta-data/instance-id").status == 503
    backend.broken = False
    assert of.get("meta-data/instance-id") == INSTANCES[0]
    assert of.ask("/latest/meta-data/ami-id").status == 404
    assert of.ask("/latest/user-data").status == 404
