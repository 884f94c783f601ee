"""Every operation is decided on the right resource, and is one event, whether it is allowed or denied."""

import json

import pytest
from botocore.exceptions import ClientError

from iamd.services import registry

NOUNS = (
    "access_keys",
    "account",
    "attachments",
    "groups",
    "inline_policies",
    "mfa_devices",
    "passwords",
    "permissions_boundaries",
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
ANNS, DEVSS, APPS = {"UserName": "ann"}, {"GroupName": "devs"}, {"RoleName": "app"}
TAGS, TAG_KEYS = {"Tags": [{"Key": "a", "Value": "b"}]}, {"TagKeys": ["a"]}
POLICY, INLINE = {"PolicyArn": READ_ONLY}, {"PolicyName": "inline"}

CALLS = {
    "create_user": ({"UserName": "new", "Path": "/team/"}, "user/team/new"),
    "get_user": (ANNS, ANN),
    "list_users": ({"PathPrefix": "/team/"}, "user/team/"),
    "update_user": ({**ANNS, "NewPath": "/team/"}, ANN),
    "delete_user": ({"UserName": "bob"}, "user/team/bob"),
    "create_group": ({"GroupName": "new", "Path": "/team/"}, "group/team/new"),
    "get_group": (DEVSS, DEVS),
    "list_groups": ({}, "group/"),
    "list_groups_for_user": (ANNS, ANN),
    "update_group": ({**DEVSS, "NewPath": "/team/"}, DEVS),
    "delete_group": ({"GroupName": "empty"}, "group/team/empty"),
    "add_user_to_group": ({**DEVSS, "UserName": "bob"}, DEVS),
    "remove_user_from_group": ({**DEVSS, "UserName": "bob"}, DEVS),
    "create_access_key": ({"UserName": "bob"}, "user/team/bob"),
    "list_access_keys": (ANNS, ANN),
    "update_access_key": (lambda w: {**ANNS, "AccessKeyId": w.access_key_id, "Status": "Inactive"}, ANN),
    "delete_access_key": (lambda w: {**ANNS, "AccessKeyId": w.access_key_id}, ANN),
    "get_access_key_last_used": (lambda w: {"AccessKeyId": w.access_key_id}, ANN),
    "create_login_profile": ({"UserName": "bob", "Password": "Correct-Horse-1"}, "user/team/bob"),
    "get_login_profile": (ANNS, ANN),
    "update_login_profile": ({**ANNS, "Password": "Correct-Horse-2"}, ANN),
    "delete_login_profile": (ANNS, ANN),
    "change_password": ({"OldPassword": "Correct-Horse-1", "NewPassword": "Correct-Horse-2"}, "user/{caller}"),
    "get_account_password_policy": ({}, "*"),
    "update_account_password_policy": ({"MinimumPasswordLength": 8}, "*"),
    "delete_account_password_policy": ({}, "*"),
    "create_account_alias": ({"AccountAlias": "some-name"}, "*"),
    "delete_account_alias": ({"AccountAlias": "old-name"}, "*"),
    "list_account_aliases": ({}, "*"),
    "get_account_summary": ({}, "*"),
    "create_virtual_mfa_device": ({"VirtualMFADeviceName": "new", "Path": "/team/"}, "mfa/team/new"),
    "delete_virtual_mfa_device": (lambda w: {"SerialNumber": w.watch}, "mfa/team/watch"),
    "enable_mfa_device": (
        lambda w, d: {"UserName": "bob", "SerialNumber": w.watch, **d.codes(w.watch_seed)},
        "user/team/bob",
    ),
    "resync_mfa_device": (lambda w, d: {**ANNS, "SerialNumber": w.phone, **d.codes(w.phone_seed, ahead=2)}, ANN),
    "deactivate_mfa_device": (lambda w: {**ANNS, "SerialNumber": w.phone}, ANN),
    "get_mfa_device": (lambda w: {**ANNS, "SerialNumber": w.phone}, ANN),
    "list_mfa_devices": (ANNS, ANN),
    "list_virtual_mfa_devices": ({}, "mfa/"),
    "tag_user": ({**ANNS, **TAGS}, ANN),
    "untag_user": ({**ANNS, **TAG_KEYS}, ANN),
    "list_user_tags": (ANNS, ANN),
    "tag_role": ({**APPS, **TAGS}, APP),
    "untag_role": ({**APPS, **TAG_KEYS}, APP),
    "list_role_tags": (APPS, APP),
    "tag_policy": (lambda w: {"PolicyArn": w.policy_arn, **TAGS}, "policy/team/send"),
    "untag_policy": (lambda w: {"PolicyArn": w.policy_arn, **TAG_KEYS}, "policy/team/send"),
    "list_policy_tags": (lambda w: {"PolicyArn": w.policy_arn}, "policy/team/send"),
    "tag_instance_profile": ({"InstanceProfileName": "box", **TAGS}, BOX),
    "untag_instance_profile": ({"InstanceProfileName": "box", **TAG_KEYS}, BOX),
    "list_instance_profile_tags": ({"InstanceProfileName": "box"}, BOX),
    "tag_mfa_device": (lambda w: {"SerialNumber": w.phone, **TAGS}, "mfa/team/phone"),
    "untag_mfa_device": (lambda w: {"SerialNumber": w.phone, **TAG_KEYS}, "mfa/team/phone"),
    "list_mfa_device_tags": (lambda w: {"SerialNumber": w.phone}, "mfa/team/phone"),
    "put_user_permissions_boundary": ({**ANNS, "PermissionsBoundary": READ_ONLY}, ANN),
    "delete_user_permissions_boundary": (ANNS, ANN),
    "put_role_permissions_boundary": ({**APPS, "PermissionsBoundary": READ_ONLY}, APP),
    "delete_role_permissions_boundary": (APPS, APP),
    "attach_user_policy": ({**ANNS, **POLICY}, ANN),
    "attach_group_policy": ({**DEVSS, **POLICY}, DEVS),
    "attach_role_policy": ({**APPS, **POLICY}, APP),
    "detach_user_policy": (lambda w: {**ANNS, "PolicyArn": w.policy_arn}, ANN),
    "detach_group_policy": (lambda w: {**DEVSS, "PolicyArn": w.policy_arn}, DEVS),
    "detach_role_policy": (lambda w: {**APPS, "PolicyArn": w.policy_arn}, APP),
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
    "delete_user_policy": ({**ANNS, **INLINE}, ANN),
    "delete_group_policy": ({**DEVSS, **INLINE}, DEVS),
    "delete_role_policy": ({**APPS, **INLINE}, APP),
    "list_user_policies": (ANNS, ANN),
    "list_group_policies": (DEVSS, DEVS),
    "list_role_policies": (APPS, APP),
}


@pytest.fixture
def account(iam, world):
    """The account `world` makes, with what only some operations need."""
    iam.create_group(GroupName="empty", Path="/team/")
    iam.update_account_password_policy()
    iam.create_account_alias(AccountAlias="old-name")
    return world


@pytest.fixture
def parameters_of(account, devices):
    """The parameters of a call in that account."""

    def given(operation):
        parameters = CALLS[operation][0]
        if not callable(parameters):
            return parameters
        return parameters(account, devices) if parameters.__code__.co_argcount == 2 else parameters(account)

    return given


def test_every_operation_stands_in_the_table():
    assert sorted(CALLS) == OPERATIONS


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_denial_names_the_resource_and_is_an_event(aws, event_of, parameters_of, operation):
    client = aws.client("iam", aws.user("nobody"))
    name = client.meta.method_to_api_mapping[operation]
    resource = CALLS[operation][1].format(caller="nobody")
    resource = resource if resource == "*" else f"arn:aws:iam::{aws.account_id}:{resource}"
    caller = f"arn:aws:iam::{aws.account_id}:user/nobody"
    words = (
        f"User: {caller} is not authorized to perform: iam:{name} on resource: {resource}"
        f" because no identity-based policy allows the iam:{name} action"
    )
    parameters = parameters_of(operation)
    with pytest.raises(ClientError) as denied:
        getattr(client, operation)(**parameters)
    assert denied.value.response["Error"]["Code"] == "AccessDenied"
    assert denied.value.response["Error"]["Message"] == words
    event = event_of(denied.value.response)
    assert (event["eventName"], event["userIdentity"]["arn"]) == (name, caller)
    assert (event["errorCode"], event["errorMessage"]) == ("AccessDenied", words)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_what_is_allowed_is_an_event_with_its_parameters(aws, iam, event_of, parameters_of, operation):
    allow = {"Effect": "Allow", "Action": "iam:*", "Resource": "*"}
    client = aws.client("iam", aws.user("worker", allow))
    if operation == "change_password":
        iam.create_login_profile(UserName="worker", Password="Correct-Horse-1")
    name = client.meta.method_to_api_mapping[operation]
    parameters = parameters_of(operation)
    event = event_of(getattr(client, operation)(**parameters))
    assert (event["eventSource"], event["eventName"]) == ("iam.amazonaws.com", name)
    assert event["userIdentity"]["userName"] == "worker"
    assert "errorCode" not in event
    recorded = event["requestParameters"] or {}
    for member in ("UserName", "GroupName", "RoleName", "PolicyName", "PathPrefix", "Status"):
        if member in parameters:
            assert recorded[member[0].lower() + member[1:]] == parameters[member]
