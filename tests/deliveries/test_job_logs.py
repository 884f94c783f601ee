"""Logs of Batch's jobs; jobs need a Docker that a test can't have, so that the writing of logs is tested by itself.

AWS: Batch User Guide, "AWS Batch IAM execution role" (execution-IAM-role).
"""

from types import SimpleNamespace

import pytest

from iamd.backend.acts import Act
from iamd.backend.deliveries import job_logs
from iamd.backend.deliveries.job_logs import Logs
from iamd.backend.handover import NotDone

ARN = "arn:aws:batch:us-east-1:123456789012:job/1"
ROLE = "arn:aws:iam::123456789012:role/logs"
EVENTS = [{"timestamp": 1, "message": "hello"}]


class Asked:
    """Notes what is asked for; the log group is there already."""

    region, account = "us-east-1", "123456789012"

    def __init__(self):
        self.operations = []

    def ask(self, service, operation, target, **given):
        self.operations.append((service, operation, target, given))
        if operation == "CreateLogGroup":
            raise NotDone("ResourceAlreadyExistsException", "", 400)


def write(logs):
    logs.ensure_log_group("/aws/batch/job")
    logs.ensure_log_stream("/aws/batch/job", "s")
    logs.put_log_events("/aws/batch/job", "s", EVENTS)


def test_a_log_is_written_by_requests():
    asked = Asked()
    write(Logs(asked))
    group, place = "/aws/batch/job", {"logGroupName": "/aws/batch/job", "logStreamName": "s"}
    assert asked.operations == [
        ("logs", operation, f"arn:aws:logs:us-east-1:123456789012:log-group:{group}", given)
        for operation, given in (
            ("CreateLogGroup", {"logGroupName": group}),
            ("CreateLogStream", place),
            ("PutLogEvents", {**place, "logEvents": EVENTS}),
        )
    ]


def job(role):
    """A job as moto's class has it when it was made, of a definition with or without an execution role."""
    properties = {"executionRoleArn": role} if role else {}
    made = SimpleNamespace(arn=ARN, job_definition=SimpleNamespace(container_properties=properties))
    job_logs.with_logs(lambda job: None)(made)
    return made


@pytest.mark.parametrize(("role", "operations"), [(ROLE, 3), (None, 0)])
def test_a_job_writes_its_log_by_its_role_and_without_one_nothing(monkeypatch, role, operations):
    asked = []
    monkeypatch.setattr(Act, "ask", lambda act, *what, **given: asked.append(what))
    write(job(role)._log_backend)
    assert len(asked) == operations
