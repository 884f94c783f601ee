"""What backends at URLs are asked before a service-linked role is deleted."""

import json

import pytest
from backends.recorded import serving
from running import ACCOUNT

ARN = f"arn:aws:ecs:us-east-1:{ACCOUNT}:cluster/"


def deletion(aws, service, name):
    """How the deletion of a service's role ended."""
    iam = aws.client("iam")
    iam.create_service_linked_role(AWSServiceName=service)
    task = iam.delete_service_linked_role(RoleName=name)["DeletionTaskId"]
    return iam.get_service_linked_role_deletion_status(DeletionTaskId=task)


def table(url):
    return f'[backends.one]\nurl = "{url}"\naccount = "{ACCOUNT}"\nservices = ["ecs"]\nonly_regions = ["us-east-1"]'


def told(*pages):
    left = [json.dumps(page).encode() for page in pages]
    return lambda _: (200, {"content-type": "application/x-amz-json-1.1"}, left.pop(0))


def test_every_page_is_asked_for_in_each_region_that_it_serves(before):
    pages = told({"clusterArns": [f"{ARN}a"], "nextToken": "more"}, {"clusterArns": [f"{ARN}b"]})
    with serving(pages) as backend:
        status = deletion(before(table(backend.url)), "ecs.amazonaws.com", "AWSServiceRoleForECS")
        assert [json.loads(request.body) for request in backend.got] == [{}, {"nextToken": "more"}]
    assert status["Status"] == "FAILED"
    assert status["Reason"]["RoleUsageList"] == [{"Region": "us-east-1", "Resources": [f"{ARN}a", f"{ARN}b"]}]


def test_the_role_of_a_service_that_no_backend_has_goes_at_once(before):
    with serving(told()) as backend:
        status = deletion(before(table(backend.url)), "rds.amazonaws.com", "AWSServiceRoleForRDS")
        assert backend.got == []
    assert status["Status"] == "SUCCEEDED"


@pytest.mark.parametrize("answer", [None, (400, {}, b'{"__type": "AccessDeniedException"}'), (200, {}, b"<html>")])
def test_the_role_stays_when_the_backend_does_not_tell(before, answer):
    with serving(lambda _: answer) as backend:
        aws = before(table(backend.url))
        status = deletion(aws, "ecs.amazonaws.com", "AWSServiceRoleForECS")
    assert status["Status"] == "FAILED"
    assert "could not be found out" in status["Reason"]["Reason"]
    assert "RoleUsageList" not in status["Reason"]
    assert aws.client("iam").get_role(RoleName="AWSServiceRoleForECS")
