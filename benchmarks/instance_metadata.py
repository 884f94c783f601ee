"""How soon a program on an instance has its credentials: I1."""

import json
import time
import urllib.request

import servers
from rounds import Subject, measure
from signed import client

ROUNDS = 20
ALONE = 60
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"},
    ],
}
NAME = "bench"


def run(report, folder):
    """Measure, and tell the report."""
    with servers.iamd(folder, backend="moto") as server:
        _launch(server.port)
        port = _metadata_port(server.port)
        path = f"/latest/meta-data/iam/security-credentials/{NAME}"
        asked = f"GET {path} HTTP/1.1\r\nHost: 169.254.169.254\r\nX-aws-ec2-metadata-token: {_token(port)}\r\n\r\n"
        on_metadata = Subject(_At(server, port), [(asked.encode(), b'"SecretAccessKey"')], ALONE, connections=1)
        measure([on_metadata], ROUNDS)
        report.tell("I1", on_metadata.p50 / 1000)


class _At:
    """The server by another of its ports."""

    def __init__(self, server, port):
        self._server, self.port = server, port

    def cpu(self, *, tree=True):
        return self._server.cpu(tree=tree)


def _launch(port):
    """An instance with a profile, as the administrator."""
    iam, ec2 = client("iam", port, servers.ADMIN), client("ec2", port, servers.ADMIN)
    iam.create_role(RoleName=NAME, AssumeRolePolicyDocument=json.dumps(TRUST))
    iam.create_instance_profile(InstanceProfileName=NAME)
    iam.add_role_to_instance_profile(InstanceProfileName=NAME, RoleName=NAME)
    image = ec2.describe_images()["Images"][0]["ImageId"]
    ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1, IamInstanceProfile={"Name": NAME})


def _metadata_port(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/_iamd/health", timeout=30) as answer:
        told = json.load(answer)["metadata"]
    return int(json.dumps(told).split("127.0.0.1:")[1].split('"')[0].split("/")[0])


def _token(port):
    url = f"http://127.0.0.1:{port}/latest/api/token"
    asked = urllib.request.Request(url, headers={"X-aws-ec2-metadata-token-ttl-seconds": "21600"}, method="PUT")
    deadline = time.monotonic() + 30
    while True:
        try:
            with urllib.request.urlopen(asked, timeout=30) as answer:
                return answer.read().decode()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
