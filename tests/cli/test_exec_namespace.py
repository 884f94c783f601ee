"""`iamd exec --ecs-address 169.254.170.2`: clients as they are, where that address is: in a network namespace."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from clients.test_javascript import SOURCE, package  # noqa: F401 - a fixture
from running import ACCOUNT

TESTS = Path(__file__).parents[1]
ADDRESS = "169.254.170.2"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/worker"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/worker/"
# The server and all that asks it are in the namespace: nothing of the machine's network is there.
INSIDE = """
import json, subprocess, sys
from pathlib import Path
from running import AWS, Server
from services.iamd.test_workloads import TASKS, trust

folder, commands, role, address = Path(sys.argv[1]), json.loads(sys.argv[2]), sys.argv[3], sys.argv[4]
with Server.serving(folder / "data", "--backend", "none") as server:
    AWS(server).client("iam").create_role(RoleName="worker", AssumeRolePolicyDocument=trust(TASKS))
    task = ["--task-role", role, "--ecs-address", address]
    given = [sys.executable, "-m", "iamd", "exec", "--data", str(server.data), *task, "--"]
    ran = [subprocess.run([*given, *command], capture_output=True, text=True, timeout=60) for command in commands]
    print(json.dumps([[one.stdout, one.stderr] for one in ran]))
"""


@pytest.fixture(scope="module")
def namespace():
    """What runs a command where the address is the machine's own."""
    name = f"iamd-{os.getpid()}"
    for words in (
        ("netns", "add", name),
        ("-n", name, "link", "set", "lo", "up"),
        ("-n", name, "addr", "add", f"{ADDRESS}/32", "dev", "lo"),
    ):
        try:
            made = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
            why = made.stderr.strip() if made.returncode else None
        except FileNotFoundError:
            why = "there is no `ip`"
        if why is not None:
            subprocess.run(["sh", "-c", f"ip netns delete {name} 2>/dev/null"], check=False)
            pytest.skip(f"no network namespace can be made here: {why}")
    yield ["ip", "netns", "exec", name]
    subprocess.run(["ip", "netns", "delete", name], check=True)


def test_clients_find_the_address_that_is_wired_into_them(namespace, tmp_path, package):  # noqa: F811
    program = package / f"{tmp_path.name}.mjs"
    program.write_text((SOURCE / "roles.mjs").read_text())
    who = "import boto3; print(boto3.client('sts').get_caller_identity()['Arn'])"
    cli = ["sts", "get-caller-identity", "--query", "Arn", "--output", "text"]
    commands = [
        [sys.executable, "-c", who],
        [str(Path(sys.executable).parent / "aws"), *cli],
        ["node", str(program), "container", "{}"],
        ["node", str(program), "chain", "{}"],
    ]
    try:
        ran = subprocess.run(
            [*namespace, sys.executable, "-c", INSIDE, str(tmp_path), json.dumps(commands), ROLE, ADDRESS],
            env={**os.environ, "PYTHONPATH": str(TESTS)},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    finally:
        program.unlink()
    assert ran.returncode == 0, ran.stderr
    (boto3, _), (aws, _), (javascript, complaint), (chain, _) = json.loads(ran.stdout)
    assert boto3.startswith(SESSION)
    assert aws.startswith(SESSION)
    assert json.loads(javascript)["Arn"].startswith(SESSION), complaint
    assert json.loads(chain)["Arn"].startswith(SESSION)
