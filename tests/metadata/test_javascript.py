"""The AWS SDK for JavaScript, unmodified, on an instance and in a container."""

import json
import os
import shutil
import subprocess
import sys

import pytest
from clients.test_javascript import SOURCE, package  # noqa: F401 - a fixture
from metadata.conftest import health, run_instance
from running import ACCOUNT
from services.iamd.test_workloads import TASKS, trust

SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role"


@pytest.fixture
def says(cloud, package, tmp_path):  # noqa: F811
    """`says(how, before=[...], **environment)` is what the SDK's program says, run by what stands before it."""
    program = shutil.copy(SOURCE / "roles.mjs", package / f"{tmp_path.name}.mjs")

    def run(how, before=(), **environment):
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "IAMD_"))}
        nowhere = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
        place = {"AWS_ENDPOINT_URL": cloud.endpoint, "AWS_REGION": "us-east-1"}
        ran = subprocess.run(
            [*before, "node", program, how, "{}"],
            env=clean | nowhere | place | environment,
            check=False,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert ran.returncode == 0, ran.stderr
        return json.loads(ran.stdout)

    yield run
    program.unlink()


@pytest.mark.parametrize("how", ["instance", "chain"])
def test_an_instance_is_its_role(cloud, cloud_server, says, how):
    instance = run_instance(cloud)
    address = health(cloud_server)["metadata"]["default"]
    told = says(how, AWS_EC2_METADATA_SERVICE_ENDPOINT=address)
    assert told == {"Arn": f"{SESSION}/web/{instance}", "users": 1}


def executed(cloud, *options):
    return [sys.executable, "-m", "iamd", "exec", "--data", str(cloud.server.data), *options, "--"]


@pytest.mark.parametrize("how", ["instance", "chain"])
def test_a_command_as_on_an_instance_is_the_profiles_role(cloud, says, how):
    told = says(how, executed(cloud, "--instance-profile", "web-profile"))
    assert told["Arn"].startswith(f"{SESSION}/web/i-")


@pytest.mark.parametrize("how", ["http", "chain"])
def test_a_command_as_a_task_is_the_tasks_role(cloud, says, how):
    cloud.client("iam").create_role(RoleName="worker", AssumeRolePolicyDocument=trust(TASKS))
    role = f"arn:aws:iam::{ACCOUNT}:role/worker"
    assert says(how, executed(cloud, "--task-role", role))["Arn"].startswith(f"{SESSION}/worker/")


def test_container_metadata_takes_a_token_from_the_environment(cloud, says):
    """`fromContainerMetadata` reads no file: the token that stands in one is handed on."""
    cloud.client("iam").create_role(RoleName="worker", AssumeRolePolicyDocument=trust(TASKS))
    hand_on = 'AWS_CONTAINER_AUTHORIZATION_TOKEN=$(cat "$AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") exec "$@"'
    before = [*executed(cloud, "--task-role", f"arn:aws:iam::{ACCOUNT}:role/worker"), "sh", "-c", hand_on, "sh"]
    assert says("container", before)["Arn"].startswith(f"{SESSION}/worker/")
