"""The orders service of examples/orders, deployed: its outputs, and its own tests, run as a role by `iamd exec`."""

import json
import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from clients.functions import called_with
from clients.installed import ROOT
from running import AWS, REGION

ORDERS = ROOT / "examples" / "orders"
TESTS = {
    "api": {
        "dynamodb:PutItem": "test_an_order_is_written_down",
        "dynamodb:GetItem": "test_an_order_is_found",
        "sqs:SendMessage": "test_the_worker_is_told",
        "s3:GetObject": "test_a_receipt_is_read",
        "secretsmanager:GetSecretValue": "test_a_forged_receipt_is_seen",
    },
    "worker": {
        "sqs:GetQueueAttributes": "test_the_queue_is_measured",
        "sqs:ReceiveMessage": "test_orders_are_taken_from_the_queue",
        "sqs:DeleteMessage": "test_only_a_message_that_was_taken_is_finished",
        "dynamodb:UpdateItem": "test_an_order_is_marked_as_done",
        "s3:PutObject": "test_a_receipt_is_filed",
        "secretsmanager:GetSecretValue": "test_a_receipt_is_signed",
    },
}
"""The test of the service's own that needs a permission, by role and permission."""
_OUTCOME = re.compile(r"^(PASSED|FAILED|ERROR) tests/\w+\.py::(\w+)", re.MULTILINE)
_DEADLINE = 60


@dataclass
class Deployed:
    """A stack of the orders service."""

    aws: AWS
    stack: str

    @cached_property
    def variables(self) -> dict[str, str]:
        """What the README's line puts into the shell; an order is there for the tests from then on."""
        key = self.aws.server.administrator
        told = self._run(
            [sys.executable, ORDERS / "deployed.py", self.stack, "--sample"],
            AWS_ENDPOINT_URL=self.aws.endpoint,
            AWS_DEFAULT_REGION=REGION,
            AWS_ACCESS_KEY_ID=key.access_key_id,
            AWS_SECRET_ACCESS_KEY=key.secret_access_key,
        )
        assert told.returncode == 0, told.stderr
        lines = [shlex.split(line)[1].partition("=") for line in told.stdout.splitlines()]
        return {name: value for name, _, value in lines}

    def tested(self, role: str) -> tuple[set[str], str]:
        """The tests of a role that failed when they were run as that role, and what they printed."""
        command = [Path(sys.executable).parent / "iamd", "exec", "--data", self.aws.server.data]
        command += ["--role", self.variables[f"{role.upper()}_ROLE"], "--"]
        command += [sys.executable, "-m", "pytest", "-q", "-rA", "--tb=line", f"tests/test_{role}.py"]
        ended = self._run(command, **self.variables)
        outcomes = {name: outcome for outcome, name in _OUTCOME.findall(ended.stdout)}
        assert outcomes.keys() == set(TESTS[role].values()), ended.stdout + ended.stderr
        return {name for name, outcome in outcomes.items() if outcome != "PASSED"}, ended.stdout

    def _run(self, command: list[Any], **variables: str) -> subprocess.CompletedProcess[str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "IAMD_", "PYTEST_"))}
        return subprocess.run(
            [str(part) for part in command],
            cwd=ORDERS,
            env={**clean, "PYTHONDONTWRITEBYTECODE": "1", **variables},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def policy(self, role: str) -> tuple[dict[str, str], dict[str, Any]]:
        """The one inline policy of a role: how it is named, and what it says."""
        iam, name = self.aws.client("iam"), self.variables[f"{role.upper()}_ROLE"].rpartition("/")[2]
        [policy] = iam.list_role_policies(RoleName=name)["PolicyNames"]
        named = {"RoleName": name, "PolicyName": policy}
        return named, iam.get_role_policy(**named)["PolicyDocument"]

    def permissions(self, role: str) -> list[str]:
        """The actions that a role is allowed, each on a resource of the service's."""
        statements = self.policy(role)[1]["Statement"]
        assert all("*" not in one["Resource"].removesuffix("/receipts/*") for one in statements)
        return sorted(action for one in statements for action in listed(one["Action"]))

    @contextmanager
    def without(self, role: str, action: str) -> Iterator[None]:
        """The role without this permission, for the block."""
        iam, (named, document) = self.aws.client("iam"), self.policy(role)
        kept = [
            {**one, "Action": left}
            for one in document["Statement"]
            if (left := [name for name in listed(one["Action"]) if name != action])
        ]
        iam.put_role_policy(**named, PolicyDocument=json.dumps({**document, "Statement": kept}))
        yield
        iam.put_role_policy(**named, PolicyDocument=json.dumps(document))

    def asked(self, **request: str) -> Any:
        """What the function of the API answers."""
        return called_with(self.aws, self.variables["API_FUNCTION"], request)

    def carried_out(self, number: str) -> Any:
        """An order once it was carried out: by then the worker's function has had its message."""
        deadline = time.monotonic() + _DEADLINE
        while time.monotonic() < deadline:
            order = self.asked(find=number)
            if order["state"] == "done":
                return order
            time.sleep(0.2)
        raise AssertionError(f"order {number} is still {order}")


def listed(value: str | list[str]) -> list[str]:
    """One or several, as a list."""
    return [value] if isinstance(value, str) else value
