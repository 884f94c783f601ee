"""boto3 that signs with SigV4A: AWS's library for it stands beside iamd, in a process of its own."""

import json
import subprocess
import sys

import pytest
from clients.installed import ROOT, installed, run
from running import ACCOUNT, allow

LOCK = ROOT / "requirements" / "crt.txt"
CLIENT = """
import json, sys, urllib.request
import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

endpoint, key, secret = sys.argv[1:]
def client(service, secret=secret, **config):
    config["signature_version"] = "s3v4a" if service == "s3" else "v4a"
    return boto3.client(service, endpoint_url=endpoint, aws_access_key_id=key, aws_secret_access_key=secret,
                        region_name="eu-west-1", config=Config(**config))
told = {"arn": client("sts").get_caller_identity()["Arn"]}
s3 = client("s3", s3={"addressing_style": "path"})
s3.put_object(Bucket="bucket", Key="a b/c", Body=b"content")
told["content"] = s3.get_object(Bucket="bucket", Key="a b/c")["Body"].read().decode()
url = s3.generate_presigned_url("get_object", Params={"Bucket": "bucket", "Key": "a b/c"})
told["presigned"] = urllib.request.urlopen(url).read().decode()
told["algorithm"] = "X-Amz-Algorithm=AWS4-ECDSA-P256-SHA256" in url
client("sqs").create_queue(QueueName="queue")
def refused(call, **given):
    try:
        call(**given)
    except ClientError as error:
        return error.response["Error"]["Code"]
told["denied"] = refused(s3.delete_bucket, Bucket="bucket")
told["wrong"] = refused(client("sts", secret="x" * 40).get_caller_identity)
print(json.dumps(told))
"""


@pytest.fixture(scope="session")
def crt():
    """The folder of AWS's library."""

    def install(folder):
        run(sys.executable, "-m", "pip", "install", "-q", "--require-hashes", "--target", folder, "-r", LOCK)

    return installed("crt", LOCK, install)


def test_clients_that_sign_for_several_regions_are_served(cloud, crt):
    cloud.client("s3").create_bucket(Bucket="bucket")
    user = cloud.user("ann", allow(["s3:PutObject", "s3:GetObject", "sqs:CreateQueue"]))
    command = [sys.executable, "-c", CLIENT, cloud.endpoint, user.access_key_id, user.secret_access_key]
    ran = subprocess.run(
        command, env={"PYTHONPATH": str(crt)}, capture_output=True, text=True, timeout=120, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == {
        "arn": f"arn:aws:iam::{ACCOUNT}:user/ann",
        "content": "content",
        "presigned": "content",
        "algorithm": True,
        "denied": "AccessDenied",
        "wrong": "SignatureDoesNotMatch",
    }
    assert "QueueUrls" in cloud.client("sqs").list_queues()
