"""The resource and the condition keys that each operation of IAM is decided on, held against AWS's own reference."""

import re
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore import xform_name
from botocore.exceptions import ClientError
from running import allow, deny
from saml import metadata_of_nobody
from services.iam.test_denials_and_events import ANNS, APPS, CALLS, DOCUMENT, READ_ONLY, TAGS
from services.iam.world import TRUST, build_world
from services.test_bad_input import NAMES, fitting, model

from iamd.data import service_reference
from iamd.services import registry

BOX, SITE = {"InstanceProfileName": "box"}, {"ServerCertificateName": "site"}
SSH_KEY, SIGNING = {"SSHPublicKeyId": "APKA" + "A" * 16}, {"CertificateId": "A" * 32}


def credential(world):
    return {**ANNS, "ServiceSpecificCredentialId": world.credential_id}


MORE_CALLS: dict[str, Any] = {
    "create_policy": {"PolicyName": "new", "PolicyDocument": DOCUMENT, **TAGS},
    "get_policy": lambda w: {"PolicyArn": w.policy_arn},
    "list_policies": {},
    "delete_policy": lambda w: {"PolicyArn": w.policy_arn},
    "create_policy_version": lambda w: {"PolicyArn": w.policy_arn, "PolicyDocument": DOCUMENT},
    "get_policy_version": lambda w: {"PolicyArn": w.policy_arn, "VersionId": "v1"},
    "list_policy_versions": lambda w: {"PolicyArn": w.policy_arn},
    "set_default_policy_version": lambda w: {"PolicyArn": w.policy_arn, "VersionId": "v1"},
    "delete_policy_version": lambda w: {"PolicyArn": w.policy_arn, "VersionId": "v1"},
    "create_role": {
        "RoleName": "new", "AssumeRolePolicyDocument": TRUST, "PermissionsBoundary": READ_ONLY, **TAGS,
    },
    "get_role": APPS,
    "list_roles": {},
    "update_role": {**APPS, "Description": ""},
    "update_role_description": {**APPS, "Description": ""},
    "update_assume_role_policy": {**APPS, "PolicyDocument": TRUST},
    "delete_role": APPS,
    "create_instance_profile": {"InstanceProfileName": "new", **TAGS},
    "get_instance_profile": BOX,
    "list_instance_profiles": {},
    "list_instance_profiles_for_role": APPS,
    "add_role_to_instance_profile": {**BOX, **APPS},
    "remove_role_from_instance_profile": {**BOX, **APPS},
    "delete_instance_profile": BOX,
    "create_service_linked_role": {"AWSServiceName": "autoscaling.amazonaws.com"},
    "delete_service_linked_role": APPS,
    "get_service_linked_role_deletion_status": {
        "DeletionTaskId": "task/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling/1"
    },
    "get_account_authorization_details": {},
    "create_user": {"UserName": "new", "PermissionsBoundary": READ_ONLY, **TAGS},
    "create_virtual_mfa_device": {"VirtualMFADeviceName": "new", **TAGS},
    "generate_credential_report": {},
    "get_credential_report": {},
    "upload_ssh_public_key": {**ANNS, "SSHPublicKeyBody": "none"},
    "get_ssh_public_key": {**ANNS, **SSH_KEY, "Encoding": "SSH"},
    "list_ssh_public_keys": ANNS,
    "update_ssh_public_key": {**ANNS, **SSH_KEY, "Status": "Active"},
    "delete_ssh_public_key": {**ANNS, **SSH_KEY},
    "upload_signing_certificate": {**ANNS, "CertificateBody": "none"},
    "list_signing_certificates": ANNS,
    "update_signing_certificate": {**ANNS, **SIGNING, "Status": "Active"},
    "delete_signing_certificate": {**ANNS, **SIGNING},
    "create_service_specific_credential": {
        "UserName": "bob", "ServiceName": "codecommit.amazonaws.com", "CredentialAgeDays": 1,
    },
    "list_service_specific_credentials": ANNS,
    "update_service_specific_credential": lambda w: {**credential(w), "Status": "Active"},
    "reset_service_specific_credential": credential,
    "delete_service_specific_credential": credential,
    "upload_server_certificate": {
        "ServerCertificateName": "new", "CertificateBody": "none", "PrivateKey": "none", **TAGS,
    },
    "get_server_certificate": SITE,
    "list_server_certificates": {},
    "update_server_certificate": {**SITE, "NewPath": "/"},
    "delete_server_certificate": SITE,
    "create_open_id_connect_provider": {"Url": "https://new.example.com", "ThumbprintList": ["a" * 40], **TAGS},
    "get_open_id_connect_provider": lambda w: {"OpenIDConnectProviderArn": w.oidc_arn},
    "list_open_id_connect_providers": {},
    "add_client_id_to_open_id_connect_provider": lambda w: {"OpenIDConnectProviderArn": w.oidc_arn, "ClientID": "a"},
    "remove_client_id_from_open_id_connect_provider": lambda w: {
        "OpenIDConnectProviderArn": w.oidc_arn, "ClientID": "a",
    },
    "update_open_id_connect_provider_thumbprint": lambda w: {
        "OpenIDConnectProviderArn": w.oidc_arn, "ThumbprintList": ["a" * 40],
    },
    "delete_open_id_connect_provider": lambda w: {"OpenIDConnectProviderArn": w.oidc_arn},
    "create_saml_provider": {"Name": "new", "SAMLMetadataDocument": metadata_of_nobody(), **TAGS},
    "get_saml_provider": lambda w: {"SAMLProviderArn": w.saml_arn},
    "list_saml_providers": {},
    "update_saml_provider": lambda w: {"SAMLProviderArn": w.saml_arn, "AssertionEncryptionMode": "Allowed"},
    "delete_saml_provider": lambda w: {"SAMLProviderArn": w.saml_arn},
    "enable_outbound_web_identity_federation": {},
    "disable_outbound_web_identity_federation": {},
    "get_outbound_web_identity_federation_info": {},
}  # fmt: skip
GENERATED = {
    xform_name(name): fitting(model("iam").operation_model(name).input_shape)
    for service, _, name in (one.partition(":") for one in NAMES)
    if service == "iam" and model("iam").operation_model(name).input_shape is not None
}
"""A call of each operation that is well formed: whoever may not call it is told so before anything is looked up."""

ELSEWHERE = {
    "accept_delegation_request", "acquire_role", "associate_delegation_request",
    "generate_organizations_access_report", "generate_service_last_accessed_details", "get_delegation_request",
    "get_human_readable_summary", "get_role_template_version", "reject_delegation_request", "send_delegation_token",
    "update_delegation_request",
}  # fmt: skip
"""What is asked with requests, templates and jobs that must be there; their own tests have resources and keys."""

ALL_CALLS = {operation: parameters for operation, parameters in GENERATED.items() if operation not in ELSEWHERE} | {
    **{operation: parameters for operation, (parameters, _) in CALLS.items()},
    **MORE_CALLS,
}

LISTED = {
    "list_groups",
    "list_instance_profiles",
    "list_policies",
    "list_roles",
    "list_server_certificates",
    "list_users",
    "list_virtual_mfa_devices",
}
"""Operations for which the reference has no resource type, and whose denials name the path that is listed."""

UNTAGGED = {
    *(operation for operation in ALL_CALLS if operation.startswith("create_")),
    "add_user_to_group", "change_password", "delete_user", "delete_virtual_mfa_device", "enable_mfa_device",
    "get_service_linked_role_deletion_status", "upload_server_certificate",
} - {"create_policy_version"}  # fmt: skip
"""Calls about bob, about the caller, or about what is not there yet: none of them has tags."""

NEVER_SENT = re.compile(r"iam:(RoleTemplateARN|RegisterSecurityKey|FIDO-.*)")
"""Keys of FIDO devices, which only pages register, and role templates, of which no request here speaks."""


@dataclass
class Asked:
    """What one operation was decided on: the resource, and the names of the condition keys."""

    resource: str
    keys: set[str]


@pytest.fixture(scope="module")
def asked(shared_aws):
    """What each operation was decided on when a user without policies called it; everything has tags and a boundary."""
    shared_aws.server.post("/_iamd/reset")
    admin = shared_aws.client("iam")
    world = build_world(admin)
    for bearer, named in (
        ("policy", {"PolicyArn": world.policy_arn}),
        ("mfa_device", {"SerialNumber": world.phone}),
        ("open_id_connect_provider", {"OpenIDConnectProviderArn": world.oidc_arn}),
        ("saml_provider", {"SAMLProviderArn": world.saml_arn}),
    ):
        getattr(admin, f"tag_{bearer}")(**named, **TAGS)
    admin.tag_mfa_device(SerialNumber=world.watch, **TAGS)
    nobody = shared_aws.user("nobody")
    return {
        operation: decided_on(shared_aws, nobody, operation, value(world) if callable(value) else value)
        for operation, value in ALL_CALLS.items()
    }


def decided_on(aws, nobody, operation, parameters):
    with pytest.raises(ClientError) as caught:
        getattr(aws.client("iam", nobody), operation)(**parameters)
    assert caught.value.response["Error"]["Code"] == "AccessDenied"
    decision = aws.explain(caught.value.response["ResponseMetadata"]["RequestId"])["Decisions"][0]
    return Asked(decision["Resource"], set(decision["Context"]))


def action_of(aws, operation):
    return service_reference.action("iam", aws.client("iam").meta.method_to_api_mapping[operation])


def test_every_operation_stands_in_the_table():
    registry.load()
    own = {found.function.__name__ for found in registry.registered() if found.service == "iam"}
    assert set(ALL_CALLS) | ELSEWHERE == own


@pytest.mark.parametrize("operation", ALL_CALLS)
def test_the_resource_is_of_a_type_that_the_reference_has(shared_aws, asked, operation):
    action = action_of(shared_aws, operation)
    resource = asked[operation].resource
    if action.wildcard_only:
        assert resource == "*" or operation in LISTED
        return
    types = [service_reference.service("iam").resource_type(one.name) for one in action.resources]
    patterns = [
        "arn:aws:iam::123456789012:" + re.escape(one.arn.split(":")[5].partition("/")[0]) + "/.+" for one in types
    ]
    assert any(re.fullmatch(pattern, resource) for pattern in patterns), resource


@pytest.mark.parametrize("operation", ALL_CALLS)
def test_the_condition_keys_are_those_of_the_reference(shared_aws, asked, operation):
    action = action_of(shared_aws, operation)
    iam = service_reference.service("iam")
    wanted = {key.lower() for key in action.every_condition_key if not NEVER_SENT.fullmatch(key)}
    if operation not in UNTAGGED:
        wanted |= {key.lower() for one in action.resources for key in iam.resource_type(one.name).condition_keys}
    own = {key for key in asked[operation].keys if key.startswith(("iam:", "aws:requesttag/", "aws:resourcetag/"))}
    own |= asked[operation].keys & {"aws:tagkeys"}
    assert {re.sub(r"tag/.*", "tag/${tagkey}", key) for key in own} == wanted


def test_the_boundary_of_an_entity_is_a_key_of_every_change_of_it(aws):
    iam = aws.client("iam")
    held = {"ArnEquals": {"iam:PermissionsBoundary": READ_ONLY}}
    helper = aws.client("iam", aws.user("helper", allow("iam:*Role*", **held)))
    iam.create_role(RoleName="held", AssumeRolePolicyDocument=TRUST, PermissionsBoundary=READ_ONLY)
    iam.create_role(RoleName="free", AssumeRolePolicyDocument=TRUST)
    for call, parameters in (
        (helper.get_role, {}),
        (helper.update_role, {"Description": "held"}),
        (helper.update_role_description, {"Description": "held"}),
        (helper.update_assume_role_policy, {"PolicyDocument": TRUST}),
        (helper.delete_role, {}),
    ):
        call(RoleName="held", **parameters)
        with pytest.raises(ClientError, match="on resource: role free because no identity-based policy"):
            call(RoleName="free", **parameters)


def test_of_tag_keys_that_differ_by_case_a_condition_sees_the_same_in_request_and_resource(aws, refused):
    """AWS: such keys are two tags of a policy and one condition key, of which one counts (id_tags, "Naming tags")."""
    iam = aws.client("iam")
    tagged = {"StringEquals": {"aws:RequestTag/env": "dev"}}
    owning = {"StringEquals": {"aws:ResourceTag/env": "dev"}}
    statements = [
        allow("iam:CreatePolicy", **tagged),
        allow("iam:TagPolicy", **tagged),
        allow("iam:GetPolicy", **owning),
    ]
    maker = aws.client("iam", aws.user("maker", *statements))
    both = [{"Key": "env", "Value": "dev"}, {"Key": "ENV", "Value": "prod"}]
    for tags in (both, both[::-1]):
        with refused("AccessDenied"):
            maker.create_policy(PolicyName="app", PolicyDocument=DOCUMENT, Tags=tags)
    tags = [{"Key": "env", "Value": "prod"}, {"Key": "ENV", "Value": "dev"}]
    arn = maker.create_policy(PolicyName="app", PolicyDocument=DOCUMENT, Tags=tags)["Policy"]["Arn"]
    maker.get_policy(PolicyArn=arn)
    assert len(iam.list_policy_tags(PolicyArn=arn)["Tags"]) == 2


def in_ireland(aws, service, credentials):
    return boto3.client(
        service,
        endpoint_url=aws.endpoint,
        region_name="eu-west-1",
        aws_access_key_id=credentials.access_key_id,
        aws_secret_access_key=credentials.secret_access_key,
    )


def test_iam_is_in_us_east_1_wherever_a_client_signs_for(aws, refused):
    """AWS: reference_policies_condition-keys, aws:RequestedRegion, on services with a single endpoint."""
    here = {"StringNotEquals": {"aws:RequestedRegion": "us-east-1"}}
    user = aws.user("ann", allow("*"), deny("*", **here))
    iam, sts = in_ireland(aws, "iam", user), in_ireland(aws, "sts", user)
    iam.get_user()
    assert aws.events("GetUser")[0]["awsRegion"] == "us-east-1"
    used = iam.get_access_key_last_used(AccessKeyId=user.access_key_id)["AccessKeyLastUsed"]
    assert (used["Region"], used["ServiceName"]) == ("us-east-1", "iam")
    with refused("AccessDenied"):
        sts.get_access_key_info(AccessKeyId=user.access_key_id)
    assert aws.events("GetAccessKeyInfo")[0]["awsRegion"] == "eu-west-1"
