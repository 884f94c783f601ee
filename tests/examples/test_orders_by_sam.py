"""The orders service as SAM deploys it: its tests run green as its roles; without a permission, its test fails."""

import subprocess

import pytest
from clients.conftest import BIN, Home
from examples.orders import ORDERS, TESTS, Deployed
from running import AWS, Server

CAPABILITIES = ("--capabilities", "CAPABILITY_IAM")
PERMISSIONS = [(role, action) for role, tests in TESTS.items() for action in tests]


@pytest.fixture(scope="module")
def orders(tmp_path_factory):
    """The stack, packaged by the AWS CLI and deployed by it."""
    with Server.serving(tmp_path_factory.mktemp("orders") / "data", "--backend", "moto") as server:
        aws = AWS(server)
        deploy(aws, Home(tmp_path_factory.mktemp("home"), aws.endpoint))
        yield Deployed(aws, "orders-sam")


def deploy(aws: AWS, home: Home) -> None:
    """What the README says, with a change set that is executed here: the CLI looks every half a minute only."""
    home.key("default", aws.server.administrator)
    aws.client("s3").create_bucket(Bucket="packages")
    template, packaged = ORDERS / "sam" / "template.yaml", home.folder / "packaged.yaml"
    done(home, "package", "--template-file", template, "--s3-bucket", "packages", "--output-template-file", packaged)
    named = ("--template-file", packaged, "--stack-name", "orders-sam", *CAPABILITIES)
    done(home, "deploy", *named, "--no-execute-changeset")
    stacks = aws.client("cloudformation")
    [change_set] = stacks.list_change_sets(StackName="orders-sam")["Summaries"]
    stacks.execute_change_set(ChangeSetName=change_set["ChangeSetId"])
    waits = {"Delay": 1, "MaxAttempts": 90}
    stacks.get_waiter("stack_create_complete").wait(StackName="orders-sam", WaiterConfig=waits)


def done(home: Home, *arguments: object) -> None:
    """A command of the AWS CLI for CloudFormation that ends well."""
    ended: subprocess.CompletedProcess[str] = home.run(BIN / "aws", "cloudformation", *arguments)
    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.parametrize("role", TESTS)
def test_its_tests_run_green_as_its_role(orders, role):
    failed, said = orders.tested(role)
    assert failed == set(), said


@pytest.mark.parametrize("role", TESTS)
def test_each_permission_has_its_test(orders, role):
    assert orders.permissions(role) == sorted(TESTS[role])


@pytest.mark.parametrize(("role", "action"), PERMISSIONS)
def test_without_a_permission_exactly_its_test_fails(orders, role, action):
    with orders.without(role, action):
        failed, said = orders.tested(role)
    assert failed == {TESTS[role][action]}, said


def test_an_order_is_carried_out_by_its_functions(orders):
    """The functions have the same roles: the API's takes the order, Lambda hands it to the worker's."""
    assert orders.asked(place="coffee", number="7") == {"number": "7"}
    assert orders.carried_out("7") == {"number": "7", "item": "coffee", "state": "done"}
    told = orders.asked(receipt="7")
    assert told["receipt"].startswith("7: coffee ")
    assert told["genuine"]
