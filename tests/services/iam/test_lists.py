"""Pages of every list of IAM: each item once, and markers that fit nowhere but where they came from."""

from typing import Any

import pytest
from botocore.exceptions import ClientError
from running import allow
from saml import metadata_of_nobody
from services.iam.key_material import certificate, rsa_key, server_material, ssh_line
from services.iam.world import DOCUMENT, TRUST, Devices

from iamd.services import registry

READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"
TAGS = [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]
ANN, DEVS, APP, BOX = {"UserName": "ann"}, {"GroupName": "devs"}, {"RoleName": "app"}, {"InstanceProfileName": "box"}

LISTS = {
    "get_account_authorization_details": ("UserDetailList", {"Filter": ["User"]}),
    "get_group": ("Users", DEVS),
    "list_access_keys": ("AccessKeyMetadata", ANN),
    "list_attached_group_policies": ("AttachedPolicies", DEVS),
    "list_attached_role_policies": ("AttachedPolicies", APP),
    "list_attached_user_policies": ("AttachedPolicies", ANN),
    "list_entities_for_policy": ("PolicyUsers", {"PolicyArn": READ_ONLY, "EntityFilter": "User"}),
    "list_group_policies": ("PolicyNames", DEVS),
    "list_groups": ("Groups", {}),
    "list_groups_for_user": ("Groups", ANN),
    "list_instance_profile_tags": ("Tags", BOX),
    "list_instance_profiles": ("InstanceProfiles", {}),
    "list_instance_profiles_for_role": ("InstanceProfiles", APP),
    "list_mfa_device_tags": ("Tags", {"SerialNumber": "arn:aws:iam::123456789012:mfa/phone"}),
    "list_mfa_devices": ("MFADevices", ANN),
    "list_open_id_connect_provider_tags": (
        "Tags",
        {"OpenIDConnectProviderArn": "arn:aws:iam::123456789012:oidc-provider/idp.example.com"},
    ),
    "list_policies": ("Policies", {"Scope": "Local"}),
    "list_policy_tags": ("Tags", {"PolicyArn": "arn:aws:iam::123456789012:policy/send"}),
    "list_policy_versions": ("Versions", {"PolicyArn": "arn:aws:iam::123456789012:policy/send"}),
    "list_role_policies": ("PolicyNames", APP),
    "list_role_tags": ("Tags", APP),
    "list_roles": ("Roles", {}),
    "list_saml_provider_tags": ("Tags", {"SAMLProviderArn": "arn:aws:iam::123456789012:saml-provider/Corp"}),
    "list_server_certificate_tags": ("Tags", {"ServerCertificateName": "first"}),
    "list_server_certificates": ("ServerCertificateMetadataList", {}),
    "list_service_specific_credentials": ("ServiceSpecificCredentials", ANN),
    "list_signing_certificates": ("Certificates", ANN),
    "list_ssh_public_keys": ("SSHPublicKeys", ANN),
    "list_user_policies": ("PolicyNames", ANN),
    "list_user_tags": ("Tags", ANN),
    "list_users": ("Users", {}),
    "list_virtual_mfa_devices": ("VirtualMFADevices", {}),
}
"""Each list with where its items stand, and what makes it a list of two at least."""

ONE_AT_MOST = {"list_account_aliases"}
WITHOUT_MAX_ITEMS = {"list_policies_granting_service_access"}
"""Its page is as large as the server has it; test_service_access.py has its marker."""

REPORTS = {
    "get_organizations_access_report", "get_service_last_accessed_details",
    "get_service_last_accessed_details_with_entities",
}  # fmt: skip
"""Pages of a job's report; the tests of access reports have their pages and markers."""

REQUESTS = {"list_delegation_requests"}
"""test_delegation_requests.py has its pages and markers."""

SIMULATIONS = {"simulate_custom_policy", "simulate_principal_policy"}
"""What is listed there is what the request asks for; test_simulation.py has its pages and markers."""


@pytest.fixture(scope="module")
def iam(shared_aws):
    """An account in which each list has two items at least."""
    shared_aws.server.post("/_iamd/reset")
    iam = shared_aws.client("iam")
    make(iam, Devices(iam))
    return iam


def make(iam: Any, devices: Devices) -> None:
    for name in ("ann", "bob"):
        iam.create_user(UserName=name, Tags=TAGS)
        iam.attach_user_policy(UserName=name, PolicyArn=READ_ONLY)
    for name in ("devs", "ops"):
        iam.create_group(GroupName=name)
        iam.add_user_to_group(GroupName=name, UserName="ann")
    iam.add_user_to_group(GroupName="devs", UserName="bob")
    arns = [
        iam.create_policy(PolicyName=name, PolicyDocument=DOCUMENT, Tags=TAGS)["Policy"]["Arn"]
        for name in ("send", "take")
    ]
    iam.create_policy_version(PolicyArn=arns[0], PolicyDocument=DOCUMENT)
    for name in ("app", "web"):
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST, Tags=TAGS)
    for name in ("box", "crate"):
        iam.create_instance_profile(InstanceProfileName=name, Tags=TAGS)
        iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName="app")
    for kind, named in (("user", ANN), ("group", DEVS), ("role", APP)):
        for name in ("one", "two"):
            getattr(iam, f"put_{kind}_policy")(**named, PolicyName=name, PolicyDocument=DOCUMENT)
        for arn in arns:
            getattr(iam, f"attach_{kind}_policy")(**named, PolicyArn=arn)
    for name in ("phone", "watch"):
        device = iam.create_virtual_mfa_device(VirtualMFADeviceName=name, Tags=TAGS)["VirtualMFADevice"]
        devices.enable("ann", device["SerialNumber"], device["Base32StringSeed"].decode())
    iam.create_open_id_connect_provider(Url="https://idp.example.com", ThumbprintList=["a" * 40], Tags=TAGS)
    iam.create_saml_provider(Name="Corp", SAMLMetadataDocument=metadata_of_nobody(), Tags=TAGS)
    iam.create_access_key(UserName="ann")
    iam.create_access_key(UserName="ann")
    for name in ("first", "second"):
        iam.upload_ssh_public_key(UserName="ann", SSHPublicKeyBody=ssh_line(rsa_key(name)))
        iam.upload_signing_certificate(UserName="ann", CertificateBody=certificate(name))
        iam.upload_server_certificate(ServerCertificateName=name, **server_material(name), Tags=TAGS)
        iam.create_service_specific_credential(UserName="ann", ServiceName="logs.amazonaws.com")


def first_page(iam: Any, operation: str) -> Any:
    member, parameters = LISTS[operation]
    answer = getattr(iam, operation)(MaxItems=1, **parameters)
    assert len(answer[member]) == 1
    assert answer["IsTruncated"] is True
    return answer


def refuses(iam: Any, operation: str, marker: str, **parameters: Any) -> bool:
    try:
        getattr(iam, operation)(Marker=marker, **parameters)
    except ClientError as error:
        told = error.response["Error"]
        words = "Marker and Filter do not match" if "Filter" in parameters else "Invalid Marker."
        assert (told["Code"], told["Message"]) == ("ValidationError", words)
        return True
    return False


def test_every_list_that_has_a_marker_stands_in_the_table(iam):
    registry.load()
    own = {found.function.__name__ for found in registry.registered() if found.service == "iam"}
    assert {name for name in own if takes_a_marker(iam, name)} == {
        *LISTS, *ONE_AT_MOST, *WITHOUT_MAX_ITEMS, *SIMULATIONS, *REPORTS, *REQUESTS,
    }  # fmt: skip


def takes_a_marker(iam: Any, operation: str) -> bool:
    shape = iam.meta.service_model.operation_model(iam.meta.method_to_api_mapping[operation]).input_shape
    return shape is not None and "Marker" in shape.members


@pytest.mark.parametrize("operation", LISTS)
def test_pages_of_one_hold_every_item_once(iam, operation):
    member, parameters = LISTS[operation]
    call = getattr(iam, operation)
    whole = call(**parameters)
    assert whole["IsTruncated"] is False
    assert "Marker" not in whole
    assert len(whole[member]) >= 2
    pages, answer = [], call(MaxItems=1, **parameters)
    while answer["IsTruncated"]:
        pages += answer[member]
        answer = call(MaxItems=1, Marker=answer["Marker"], **parameters)
    assert [*pages, *answer[member]] == whole[member]


@pytest.mark.parametrize("operation", LISTS)
def test_a_marker_fits_only_its_list_and_nothing_may_be_altered(iam, operation):
    marker = first_page(iam, operation)["Marker"]
    assert not refuses(iam, operation, marker, **LISTS[operation][1])
    for other, (_, parameters) in LISTS.items():
        assert refuses(iam, other, marker, **parameters) is (other != operation)
    assert refuses(iam, operation, marker[:-1], **LISTS[operation][1])
    assert refuses(iam, operation, marker[:-1] + ("A" if marker[-1] != "A" else "B"), **LISTS[operation][1])


OTHERS = {
    "UserName": "bob", "GroupName": "ops", "RoleName": "web", "InstanceProfileName": "crate",
    "PolicyArn": "arn:aws:iam::123456789012:policy/take", "SerialNumber": "arn:aws:iam::123456789012:mfa/watch",
    "OpenIDConnectProviderArn": None, "SAMLProviderArn": None, "ServerCertificateName": "second",
    "Filter": ["User", "Role"], "EntityFilter": "Role", "PolicyUsageFilter": "PermissionsPolicy", "Scope": "All",
    "OnlyAttached": True, "PathPrefix": "/x/", "AssignmentStatus": "Assigned", "AllUsers": None,
    "ServiceName": "logs.amazonaws.com",
}  # fmt: skip
"""For each parameter that chooses what is listed another value than that of LISTS; None where there is none."""


@pytest.mark.parametrize("operation", LISTS)
def test_a_marker_fits_only_the_parameters_it_came_with(iam, operation):
    """What a marker goes on with is what was asked for, and not the rest of something else."""
    marker, parameters = first_page(iam, operation)["Marker"], LISTS[operation][1]
    shape = iam.meta.service_model.operation_model(iam.meta.method_to_api_mapping[operation]).input_shape
    for name in shape.members.keys() - {"Marker", "MaxItems"}:
        if OTHERS[name] is not None:
            assert refuses(iam, operation, marker, **{**parameters, name: OTHERS[name]}), name


def test_a_marker_of_another_caller_is_refused(shared_aws, iam):
    other = shared_aws.client("iam", shared_aws.user("other", allow("iam:*")))
    for operation, (_, parameters) in LISTS.items():
        assert refuses(other, operation, first_page(iam, operation)["Marker"], **parameters)
    iam.list_users(Marker=first_page(iam, "list_users")["Marker"], MaxItems=1000)


def test_the_one_alias_is_a_page(iam):
    iam.create_account_alias(AccountAlias="acme")
    answer = iam.list_account_aliases(MaxItems=1)
    assert (answer["AccountAliases"], answer["IsTruncated"]) == (["acme"], False)
    assert refuses(iam, "list_account_aliases", first_page(iam, "list_users")["Marker"])


@pytest.mark.parametrize("marker", ["x", " ", "é", "A" * 320, "../../etc", "%00"])
def test_what_was_never_a_marker_is_refused(iam, marker):
    assert refuses(iam, "list_users", marker)
