"""Every operation is decided on the right resource, and is one event, whether it is allowed or denied."""

import json
import time
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError
from running import ACCOUNT, allow
from services.iam.conftest import called
from services.iam.world import Devices, build_world

from iamd.services import registry

NOUNS = (
    "access_keys",
    "account",
    "attachments",
    "context_keys",
    "groups",
    "inline_policies",
    "mfa_devices",
    "passwords",
    "permissions_boundaries",
    "service_access",
    "simulation",
    "tags",
    "users",
)
registry.load()
OPERATIONS = sorted(
    found.function.__name__
    for found in registry.registered()
    if found.service == "iam" and found.function.__module__.rsplit(".", 1)[-1] in NOUNS
)

DOCUMENT = json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}})
READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"
ANN, DEVS, APP, BOX = "user/team/ann", "group/team/devs", "role/team/app", "instance-profile/team/box"
OIDC = "oidc-provider/idp.example.com"
SAML = "saml-provider/Corp"
ANNS, DEVSS, APPS = {"UserName": "ann"}, {"GroupName": "devs"}, {"RoleName": "app"}
TAGS, TAG_KEYS = {"Tags": [{"Key": "a", "Value": "b"}]}, {"TagKeys": ["a"]}
POLICY, INLINE = {"PolicyArn": READ_ONLY}, {"PolicyName": "inline"}

ANNS_ARN = f"arn:aws:iam::{ACCOUNT}:{ANN}"

codes = Devices.codes

CALLS = {
    "delete_account_alias": ({"AccountAlias": "old-name"}, "*"),
    "create_user": ({"UserName": "new", "Path": "/team/"}, "user/team/new"),
    "get_user": (ANNS, ANN),
    "list_users": ({"PathPrefix": "/team/"}, "user/team/"),
    "update_user": ({**ANNS, "NewPath": "/team/"}, ANN),
    "create_group": ({"GroupName": "new", "Path": "/team/"}, "group/team/new"),
    "get_group": (DEVSS, DEVS),
    "list_groups": ({}, "group/"),
    "list_groups_for_user": (ANNS, ANN),
    "update_group": ({**DEVSS, "NewPath": "/team/"}, DEVS),
    "add_user_to_group": ({**DEVSS, "UserName": "bob"}, DEVS),
    "create_access_key": ({"UserName": "bob"}, "user/team/bob"),
    "list_access_keys": (ANNS, ANN),
    "update_access_key": (lambda w: {**ANNS, "AccessKeyId": w.access_key_id, "Status": "Inactive"}, ANN),
    "get_access_key_last_used": (lambda w: {"AccessKeyId": w.access_key_id}, ANN),
    "create_login_profile": ({"UserName": "bob", "Password": "Correct-Horse-1"}, "user/team/bob"),
    "get_login_profile": (ANNS, ANN),
    "update_login_profile": ({**ANNS, "Password": "Correct-Horse-2"}, ANN),
    "change_password": ({"OldPassword": "Correct-Horse-1", "NewPassword": "Correct-Horse-2"}, "user/{caller}"),
    "get_account_password_policy": ({}, "*"),
    "update_account_password_policy": ({"MinimumPasswordLength": 8}, "*"),
    "create_account_alias": ({"AccountAlias": "some-name"}, "*"),
    "list_account_aliases": ({}, "*"),
    "get_account_summary": ({}, "*"),
    "set_security_token_service_preferences": ({"GlobalEndpointTokenVersion": "v2Token"}, "*"),
    "create_virtual_mfa_device": ({"VirtualMFADeviceName": "new", "Path": "/team/"}, "mfa/team/new"),
    "enable_mfa_device": (
        lambda w: {"UserName": "bob", "SerialNumber": w.watch, **codes(w.watch_seed)},
        "user/team/bob",
    ),
    "resync_mfa_device": (lambda w: {**ANNS, "SerialNumber": w.phone, **codes(w.phone_seed, ahead=2)}, ANN),
    "get_mfa_device": (lambda w: {**ANNS, "SerialNumber": w.phone}, ANN),
    "list_mfa_devices": (ANNS, ANN),
    "list_virtual_mfa_devices": ({}, "mfa/"),
    "tag_user": ({**ANNS, **TAGS}, ANN),
    "list_user_tags": (ANNS, ANN),
    "tag_role": ({**APPS, **TAGS}, APP),
    "list_role_tags": (APPS, APP),
    "tag_policy": (lambda w: {"PolicyArn": w.policy_arn, **TAGS}, "policy/team/send"),
    "list_policy_tags": (lambda w: {"PolicyArn": w.policy_arn}, "policy/team/send"),
    "tag_instance_profile": ({"InstanceProfileName": "box", **TAGS}, BOX),
    "list_instance_profile_tags": ({"InstanceProfileName": "box"}, BOX),
    "tag_server_certificate": ({"ServerCertificateName": "site", **TAGS}, "server-certificate/team/site"),
    "list_server_certificate_tags": ({"ServerCertificateName": "site"}, "server-certificate/team/site"),
    "tag_mfa_device": (lambda w: {"SerialNumber": w.phone, **TAGS}, "mfa/team/phone"),
    "list_mfa_device_tags": (lambda w: {"SerialNumber": w.phone}, "mfa/team/phone"),
    "tag_open_id_connect_provider": (lambda w: {"OpenIDConnectProviderArn": w.oidc_arn, **TAGS}, OIDC),
    "list_open_id_connect_provider_tags": (lambda w: {"OpenIDConnectProviderArn": w.oidc_arn}, OIDC),
    "tag_saml_provider": (lambda w: {"SAMLProviderArn": w.saml_arn, **TAGS}, SAML),
    "list_saml_provider_tags": (lambda w: {"SAMLProviderArn": w.saml_arn}, SAML),
    "put_user_permissions_boundary": ({**ANNS, "PermissionsBoundary": READ_ONLY}, ANN),
    "put_role_permissions_boundary": ({**APPS, "PermissionsBoundary": READ_ONLY}, APP),
    "attach_user_policy": ({**ANNS, **POLICY}, ANN),
    "attach_group_policy": ({**DEVSS, **POLICY}, DEVS),
    "attach_role_policy": ({**APPS, **POLICY}, APP),
    "list_attached_user_policies": (ANNS, ANN),
    "list_attached_group_policies": (DEVSS, DEVS),
    "list_attached_role_policies": (APPS, APP),
    "list_entities_for_policy": (lambda w: {"PolicyArn": w.policy_arn}, "policy/team/send"),
    "put_user_policy": ({**ANNS, **INLINE, "PolicyDocument": DOCUMENT}, ANN),
    "put_group_policy": ({**DEVSS, **INLINE, "PolicyDocument": DOCUMENT}, DEVS),
    "put_role_policy": ({**APPS, **INLINE, "PolicyDocument": DOCUMENT}, APP),
    "get_user_policy": ({**ANNS, **INLINE}, ANN),
    "get_group_policy": ({**DEVSS, **INLINE}, DEVS),
    "get_role_policy": ({**APPS, **INLINE}, APP),
    "list_user_policies": (ANNS, ANN),
    "list_group_policies": (DEVSS, DEVS),
    "list_role_policies": (APPS, APP),
    "list_policies_granting_service_access": ({"Arn": ANNS_ARN, "ServiceNamespaces": ["sqs"]}, ANN),
    "simulate_custom_policy": ({"PolicyInputList": [DOCUMENT], "ActionNames": ["s3:GetObject"]}, "*"),
    "simulate_principal_policy": ({"PolicySourceArn": ANNS_ARN, "ActionNames": ["s3:GetObject"]}, ANN),
    "get_context_keys_for_custom_policy": ({"PolicyInputList": [DOCUMENT]}, "*"),
    "get_context_keys_for_principal_policy": ({"PolicySourceArn": ANNS_ARN}, ANN),
    "delete_user": ({"UserName": "old"}, "user/team/old"),
    "delete_group": ({"GroupName": "empty"}, "group/team/empty"),
    "remove_user_from_group": ({**DEVSS, "UserName": "bob"}, DEVS),
    "delete_access_key": (lambda w: {**ANNS, "AccessKeyId": w.access_key_id}, ANN),
    "delete_login_profile": (ANNS, ANN),
    "untag_user": ({**ANNS, **TAG_KEYS}, ANN),
    "untag_role": ({**APPS, **TAG_KEYS}, APP),
    "untag_policy": (lambda w: {"PolicyArn": w.policy_arn, **TAG_KEYS}, "policy/team/send"),
    "untag_instance_profile": ({"InstanceProfileName": "box", **TAG_KEYS}, BOX),
    "untag_server_certificate": ({"ServerCertificateName": "site", **TAG_KEYS}, "server-certificate/team/site"),
    "untag_mfa_device": (lambda w: {"SerialNumber": w.phone, **TAG_KEYS}, "mfa/team/phone"),
    "untag_open_id_connect_provider": (lambda w: {"OpenIDConnectProviderArn": w.oidc_arn, **TAG_KEYS}, OIDC),
    "untag_saml_provider": (lambda w: {"SAMLProviderArn": w.saml_arn, **TAG_KEYS}, SAML),
    "delete_user_permissions_boundary": (ANNS, ANN),
    "delete_role_permissions_boundary": (APPS, APP),
    "detach_user_policy": (lambda w: {**ANNS, "PolicyArn": w.policy_arn}, ANN),
    "detach_group_policy": (lambda w: {**DEVSS, "PolicyArn": w.policy_arn}, DEVS),
    "detach_role_policy": (lambda w: {**APPS, "PolicyArn": w.policy_arn}, APP),
    "delete_user_policy": ({**ANNS, **INLINE}, ANN),
    "delete_group_policy": ({**DEVSS, **INLINE}, DEVS),
    "delete_role_policy": ({**APPS, **INLINE}, APP),
    "deactivate_mfa_device": (lambda w: {**ANNS, "SerialNumber": w.phone}, ANN),
    "delete_virtual_mfa_device": (lambda w: {"SerialNumber": w.watch.replace("watch", "old")}, "mfa/team/old"),
    "delete_account_password_policy": ({}, "*"),
}


@dataclass
class Asked:
    """Each operation's answer: to a user without policies, and then to one who may do everything."""

    denied: dict[str, Any]
    allowed: dict[str, Any]


@pytest.fixture(scope="module")
def asked(shared_aws):
    """Every operation called twice on one account: nobody's calls change nothing, then the worker's run in order."""
    shared_aws.server.post("/_iamd/reset")
    admin = shared_aws.client("iam")
    world = build_world(admin)
    admin.create_group(GroupName="empty", Path="/team/")
    admin.create_user(UserName="old", Path="/team/")
    admin.create_virtual_mfa_device(VirtualMFADeviceName="old", Path="/team/")
    admin.update_account_password_policy()
    admin.create_account_alias(AccountAlias="old-name")
    nobody = shared_aws.client("iam", shared_aws.user("nobody"))
    worker = shared_aws.client("iam", shared_aws.user("worker", allow("iam:*")))
    admin.create_login_profile(UserName="worker", Password="Correct-Horse-1")
    return Asked(
        {operation: answer_of(nobody, operation, world) for operation in CALLS},
        {operation: answer_of(worker, operation, world) for operation in CALLS},
    )


def answer_of(client, operation, world):
    """The answer to a call of the table, or the error."""
    parameters = CALLS[operation][0]
    try:
        return getattr(client, operation)(**(parameters(world) if callable(parameters) else parameters))
    except ClientError as error:
        return error.response


def test_every_operation_stands_in_the_table():
    assert sorted(CALLS) == OPERATIONS


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_denial_names_the_resource_and_is_an_event(shared_aws, asked, event_among, operation):
    name = shared_aws.client("iam").meta.method_to_api_mapping[operation]
    resource = CALLS[operation][1].format(caller="nobody")
    if not resource.startswith(("*", "arn:")):
        resource = f"arn:aws:iam::{shared_aws.account_id}:{resource}"
    caller = f"arn:aws:iam::{shared_aws.account_id}:user/nobody"
    words = (
        f"User: {caller} is not authorized to perform: iam:{name} on resource: {called(name, resource)}"
        f" because no identity-based policy allows the iam:{name} action"
    )
    answer = asked.denied[operation]
    assert (answer["Error"]["Code"], answer["Error"]["Message"]) == ("AccessDenied", words)
    event = event_among(name, answer)
    asked = shared_aws.explain(event["requestID"])["Decisions"][-1]
    assert (asked["Action"], asked["Resource"]) == (f"iam:{name}", resource)
    assert (event["eventName"], event["userIdentity"]["arn"]) == (name, caller)
    assert (event["errorCode"], event["errorMessage"]) == ("AccessDenied", words)


OF_SECURITY_KEYS = {"get_mfa_device"}
"""Answers for security keys alone, which a page registers (tests/web/test_security_keys.py)."""


@pytest.mark.parametrize("operation", sorted(set(OPERATIONS) - OF_SECURITY_KEYS))
def test_what_is_allowed_is_an_event_with_its_parameters(shared_aws, asked, event_among, operation):
    name = shared_aws.client("iam").meta.method_to_api_mapping[operation]
    answer = asked.allowed[operation]
    assert "Error" not in answer
    event = event_among(name, answer)
    assert (event["eventSource"], event["eventName"]) == ("iam.amazonaws.com", name)
    assert event["userIdentity"]["userName"] == "worker"
    assert "errorCode" not in event
    recorded = event["requestParameters"] or {}
    parameters = CALLS[operation][0]
    for member in ("UserName", "GroupName", "RoleName", "PolicyName", "PathPrefix", "Status"):
        if not callable(parameters) and member in parameters:
            assert recorded[member[0].lower() + member[1:]] == parameters[member]


@pytest.fixture
def event_among(shared_aws):
    """The event of a request among those of its operation, without a reset in between."""

    def find(name, answer):
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            for event in shared_aws.events(name):
                if event["requestID"] == answer["ResponseMetadata"]["RequestId"]:
                    return event
            time.sleep(0.05)
        raise AssertionError(f"no event of {name}")

    return find
