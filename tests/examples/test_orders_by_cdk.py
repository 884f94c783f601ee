"""The orders service as the CDK deploys it: its tests run green as its roles, which have the permissions SAM gives.

One test, for what it begins with takes longer than all else.
"""

import shutil
import uuid

import pytest
from clients.cdk import Cdk, package
from examples.orders import ORDERS, TESTS, Deployed
from running import AWS, Server


@pytest.fixture
def cdk(tmp_path):
    """The CLI before an iamd, in the folder of the app."""
    installed = package()
    # Node looks for what an app imports in the folders above the app.
    folder = installed / f"orders-{uuid.uuid4()}"
    shutil.copytree(ORDERS, folder, ignore=shutil.ignore_patterns("node_modules", "cdk.out", "__pycache__"))
    with Server.serving(tmp_path / "data", "--backend", "moto", "--loopback-is-secure") as server:
        yield Cdk(AWS(server), installed, folder / "cdk", tmp_path)
    shutil.rmtree(folder)


@pytest.mark.timeout(600)
def test_the_service_is_deployed_does_its_work_and_is_destroyed(cdk):
    cdk.bootstrap()
    cdk.synthesize()
    cdk.deploy()
    orders = Deployed(cdk.aws, "orders-cdk")
    for role, tests in TESTS.items():
        failed, said = orders.tested(role)
        assert failed == set(), said
        # Each of them is taken away where SAM deploys the service.
        assert orders.permissions(role) == sorted(tests)
    orders.asked(place="coffee", number="7")
    assert orders.carried_out("7")["item"] == "coffee"
    assert orders.asked(receipt="7")["genuine"]
    empty(cdk.aws, orders.variables["ORDERS_BUCKET"])
    cdk.destroy()
    stacks = cdk.aws.client("cloudformation").describe_stacks()["Stacks"]
    assert [stack["StackName"] for stack in stacks] == ["CDKToolkit"]
    assert cdk.aws.client("dynamodb").list_tables()["TableNames"] == []


def empty(aws, bucket):
    """A bucket with anything in it is not deleted."""
    s3 = aws.client("s3")
    for found in s3.list_objects_v2(Bucket=bucket)["Contents"]:
        s3.delete_object(Bucket=bucket, Key=found["Key"])
