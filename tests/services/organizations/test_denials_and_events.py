"""Every operation is decided on the right resource, and is one event, whether it is allowed or denied."""

import json
import time

import pytest
from botocore.exceptions import ClientError
from running import ACCOUNT, allow
from services.organizations.world import World

from iamd.services import registry

registry.load()
OPERATIONS = sorted(found.function.__name__ for found in registry.registered() if found.service == "organizations")

SCP = "SERVICE_CONTROL_POLICY"
CONTENT = json.dumps({"Version": "2012-10-17", "Statement": allow("s3:*")})
BACKUP = "backup.amazonaws.com"
TAGS = {"Tags": [{"Key": "a", "Value": "b"}]}

ROOT = "root/{organization_id}/{root_id}"
UNIT = "ou/{organization_id}/{unit_id}"
POLICY = "policy/{organization_id}/service_control_policy/{policy_id}"
LOOSE = "policy/{organization_id}/service_control_policy/{loose_policy_id}"
MEMBER = "account/{organization_id}/{account_id}"
DELEGATED = "account/{organization_id}/{delegated_id}"
HANDSHAKE = "handshake/{organization_id}/invite/{handshake_id}"

CALLS = {
    "describe_organization": ({}, "*"),
    "list_roots": ({}, "*"),
    "create_account": ({"AccountName": "new", "Email": "new@example.com"}, "*"),
    "describe_create_account_status": (lambda w: {"CreateAccountRequestId": w.creation_id}, "*"),
    "list_create_account_status": ({}, "*"),
    "list_accounts": ({}, "*"),
    "describe_account": (lambda w: {"AccountId": w.account_id}, MEMBER),
    "move_account": (
        lambda w: {"AccountId": w.account_id, "SourceParentId": w.root_id, "DestinationParentId": w.unit_id},
        MEMBER,
    ),
    "list_accounts_for_parent": (lambda w: {"ParentId": w.root_id}, ROOT),
    "list_children": (lambda w: {"ParentId": w.root_id, "ChildType": "ACCOUNT"}, ROOT),
    "list_parents": (lambda w: {"ChildId": w.account_id}, MEMBER),
    "create_organizational_unit": (lambda w: {"ParentId": w.root_id, "Name": "new"}, ROOT),
    "describe_organizational_unit": (lambda w: {"OrganizationalUnitId": w.unit_id}, UNIT),
    "update_organizational_unit": (lambda w: {"OrganizationalUnitId": w.unit_id, "Name": "b"}, UNIT),
    "list_organizational_units_for_parent": (lambda w: {"ParentId": w.root_id}, ROOT),
    "create_policy": (
        {"Name": "new", "Description": "", "Type": SCP, "Content": CONTENT},
        "policy/{organization_id}/service_control_policy/p-*",
    ),
    "describe_policy": (lambda w: {"PolicyId": w.policy_id}, POLICY),
    "update_policy": (lambda w: {"PolicyId": w.policy_id, "Description": "new"}, POLICY),
    "list_policies": ({"Filter": SCP}, "*"),
    "attach_policy": (lambda w: {"PolicyId": w.policy_id, "TargetId": w.unit_id}, POLICY),
    "list_policies_for_target": (lambda w: {"TargetId": w.unit_id, "Filter": SCP}, UNIT),
    "list_targets_for_policy": (lambda w: {"PolicyId": w.policy_id}, POLICY),
    "detach_policy": (lambda w: {"PolicyId": w.policy_id, "TargetId": w.unit_id}, POLICY),
    "enable_policy_type": (lambda w: {"RootId": w.root_id, "PolicyType": "RESOURCE_CONTROL_POLICY"}, ROOT),
    "disable_policy_type": (lambda w: {"RootId": w.root_id, "PolicyType": "RESOURCE_CONTROL_POLICY"}, ROOT),
    "tag_resource": (lambda w: {"ResourceId": w.unit_id, **TAGS}, UNIT),
    "list_tags_for_resource": (lambda w: {"ResourceId": w.unit_id}, UNIT),
    "untag_resource": (lambda w: {"ResourceId": w.unit_id, "TagKeys": ["a"]}, UNIT),
    "enable_aws_service_access": ({"ServicePrincipal": BACKUP}, "*"),
    "list_aws_service_access_for_organization": ({}, "*"),
    "register_delegated_administrator": (
        lambda w: {"AccountId": w.account_id, "ServicePrincipal": BACKUP},
        MEMBER,
    ),
    "list_delegated_administrators": ({}, "*"),
    "list_delegated_services_for_account": (lambda w: {"AccountId": w.delegated_id}, DELEGATED),
    "deregister_delegated_administrator": (
        lambda w: {"AccountId": w.account_id, "ServicePrincipal": BACKUP},
        MEMBER,
    ),
    "disable_aws_service_access": ({"ServicePrincipal": BACKUP}, "*"),
    "invite_account_to_organization": (
        {"Target": {"Type": "ACCOUNT", "Id": "999999999999"}, "Notes": "join"},
        "account/{organization_id}/999999999999",
    ),
    "enable_all_features": ({}, "*"),
    "list_handshakes_for_organization": ({}, "*"),
    "list_handshakes_for_account": ({}, "*"),
    "describe_handshake": (lambda w: {"HandshakeId": w.handshake_id}, HANDSHAKE),
    "accept_handshake": (lambda w: {"HandshakeId": w.handshake_id}, HANDSHAKE),
    "decline_handshake": (lambda w: {"HandshakeId": w.handshake_id}, HANDSHAKE),
    "cancel_handshake": (lambda w: {"HandshakeId": w.handshake_id}, HANDSHAKE),
    "delete_policy": (lambda w: {"PolicyId": w.loose_policy_id}, LOOSE),
    "delete_organizational_unit": (
        lambda w: {"OrganizationalUnitId": w.empty_unit_id},
        "ou/{organization_id}/{empty_unit_id}",
    ),
    "close_account": (lambda w: {"AccountId": w.account_id}, MEMBER),
    "remove_account_from_organization": (lambda w: {"AccountId": w.delegated_id}, DELEGATED),
    "leave_organization": ({}, "*"),
    "create_organization": ({}, "*"),
    "delete_organization": ({}, "*"),
}
"""Each operation's parameters, and the resource that a denial names; they are called in this order."""

REFUSED_HERE = frozenset(
    {
        "remove_account_from_organization", "leave_organization", "create_organization", "delete_organization",
        "accept_handshake", "decline_handshake", "enable_all_features",
    }
)  # fmt: skip
"""What the state that is left at the end refuses; the policies have allowed it."""


@pytest.fixture
def world(organizations, member, policy, root_id):
    """An organization with one of everything."""
    described = organizations.describe_organization()["Organization"]
    account_id, delegated_id = member().account_id, member().account_id
    units = [
        organizations.create_organizational_unit(ParentId=root_id, Name=name)["OrganizationalUnit"]["Id"]
        for name in ("a", "empty")
    ]
    organizations.enable_aws_service_access(ServicePrincipal="config.amazonaws.com")
    organizations.register_delegated_administrator(AccountId=delegated_id, ServicePrincipal="config.amazonaws.com")
    creations = organizations.list_create_account_status()["CreateAccountStatuses"]
    return World(
        organization_id=described["Id"],
        root_id=root_id,
        unit_id=units[0],
        empty_unit_id=units[1],
        policy_id=policy(allow("*")),
        loose_policy_id=policy(allow("*")),
        account_id=account_id,
        delegated_id=delegated_id,
        creation_id=creations[0]["Id"],
        handshake_id=organizations.invite_account_to_organization(Target={"Type": "EMAIL", "Id": "a@example.com"})[
            "Handshake"
        ]["Id"],
    )


def test_every_operation_is_in_the_table():
    assert sorted(CALLS) == OPERATIONS


def parameters_of(call, world):
    return call(world) if callable(call) else call


def answer_to(client, name, parameters):
    try:
        return getattr(client, name)(**parameters)
    except ClientError as error:
        return error.response


def events_by_request(aws, ids):
    """The events of these requests, found in pages."""
    found, deadline = {}, time.monotonic() + 10
    while len(found) < len(ids) and time.monotonic() < deadline:
        pages = aws.client("cloudtrail").get_paginator("lookup_events").paginate()
        for page in pages:
            records = (json.loads(event["CloudTrailEvent"]) for event in page["Events"])
            found |= {record["requestID"]: record for record in records if record.get("requestID") in ids}
    return found


def test_each_denial_names_its_resource_and_each_request_is_one_event(aws, organizations, world):
    nobody = aws.client("organizations", aws.user("nobody"))
    denied, allowed = {}, {}
    for name, (call, resource) in CALLS.items():
        parameters = parameters_of(call, world)
        answer = answer_to(nobody, name, parameters)
        denied[answer["ResponseMetadata"]["RequestId"]] = (name, resource, answer["Error"])
        answer = answer_to(organizations, name, parameters)
        assert ("Error" in answer) is (name in REFUSED_HERE), answer
        allowed[answer["ResponseMetadata"]["RequestId"]] = (name, parameters)
    events = events_by_request(aws, denied.keys() | allowed.keys())
    for request_id, (name, resource, error) in denied.items():
        event = events[request_id]
        arn = resource.format(**vars(world))
        arn = arn if arn == "*" else f"arn:aws:organizations::{ACCOUNT}:{arn}"
        action = f"organizations:{event['eventName']}"
        assert error["Code"] == "AccessDeniedException", name
        assert error["Message"] == (
            f"User: arn:aws:iam::{ACCOUNT}:user/nobody is not authorized to perform: {action} on resource: {arn} "
            f"because no identity-based policy allows the {action} action"
        )
        assert event["errorCode"] == "AccessDenied", name
        assert event["eventName"].lower() == name.replace("_", "")
    for request_id, (name, parameters) in allowed.items():
        event = events[request_id]
        assert event["eventSource"] == "organizations.amazonaws.com"
        assert event["awsRegion"] == "us-east-1"
        assert event["eventName"].lower() == name.replace("_", "")
        assert event["readOnly"] is name.startswith(("describe_", "list_"))
        assert set(event["requestParameters"] or {}) == {key[0].lower() + key[1:] for key in parameters}
        assert ("errorCode" in event) is (name in REFUSED_HERE)
