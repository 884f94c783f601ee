"""Calls in the order in which Terraform's AWS provider makes them: create, read, update, read, delete, read.

A read after each step says what the step said, and waiters come to their end.
"""

import json
from typing import Any

import pytest
from running import ACCOUNT
from saml import metadata_of_nobody
from services.iam.key_material import certificate, rsa_key, ssh_line

READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"
WAITS = {"Delay": 1, "MaxAttempts": 3}


def document(action: str) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}]})


def trusting(service: str) -> str:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture
def iam(aws) -> Any:
    return aws.client("iam")


def tags(**given: str) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in given.items()]


def as_dict(found: list[dict[str, str]]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in found}


def test_a_user(iam):
    made = iam.create_user(UserName="ann", Path="/team/", Tags=tags(Name="ann"))["User"]
    iam.get_waiter("user_exists").wait(UserName="ann", WaiterConfig=WAITS)
    assert iam.get_user(UserName="ann")["User"] | {"CreateDate": None} == made | {"CreateDate": None}
    iam.update_user(UserName="ann", NewUserName="anna", NewPath="/")
    iam.tag_user(UserName="anna", Tags=tags(Name="anna", team="blue"))
    iam.untag_user(UserName="anna", TagKeys=["team"])
    read = iam.get_user(UserName="anna")["User"]
    assert (read["UserId"], read["Arn"]) == (made["UserId"], f"arn:aws:iam::{ACCOUNT}:user/anna")
    assert as_dict(read["Tags"]) == {"Name": "anna"}
    key = iam.create_access_key(UserName="anna")["AccessKey"]["AccessKeyId"]
    # force_destroy = true: what hangs on a user goes first.
    for found in iam.list_access_keys(UserName="anna")["AccessKeyMetadata"]:
        iam.delete_access_key(UserName="anna", AccessKeyId=found["AccessKeyId"])
        assert found["AccessKeyId"] == key
    assert iam.list_ssh_public_keys(UserName="anna")["SSHPublicKeys"] == []
    assert iam.list_virtual_mfa_devices(AssignmentStatus="Assigned")["VirtualMFADevices"] == []
    assert iam.list_signing_certificates(UserName="anna")["Certificates"] == []
    assert iam.list_service_specific_credentials(UserName="anna")["ServiceSpecificCredentials"] == []
    with pytest.raises(iam.exceptions.NoSuchEntityException):
        iam.delete_login_profile(UserName="anna")
    iam.delete_user(UserName="anna")
    with pytest.raises(iam.exceptions.NoSuchEntityException):
        iam.get_user(UserName="anna")


def test_a_role_with_its_policies_and_profile(iam):
    role = {"RoleName": "app"}
    made = iam.create_role(
        **role, AssumeRolePolicyDocument=trusting("ec2.amazonaws.com"), MaxSessionDuration=3600, Tags=tags(a="1")
    )["Role"]
    iam.get_waiter("role_exists").wait(**role, WaiterConfig=WAITS)
    policy = iam.create_policy(PolicyName="read", PolicyDocument=document("s3:GetObject"))["Policy"]["Arn"]
    iam.get_waiter("policy_exists").wait(PolicyArn=policy, WaiterConfig=WAITS)
    iam.put_role_policy(**role, PolicyName="inline", PolicyDocument=document("sqs:SendMessage"))
    iam.attach_role_policy(**role, PolicyArn=policy)
    iam.create_instance_profile(InstanceProfileName="app")
    iam.get_waiter("instance_profile_exists").wait(InstanceProfileName="app", WaiterConfig=WAITS)
    iam.add_role_to_instance_profile(InstanceProfileName="app", **role)
    read = iam.get_role(**role)["Role"]
    assert (read["RoleId"], read["MaxSessionDuration"]) == (made["RoleId"], 3600)
    assert read["AssumeRolePolicyDocument"] == json.loads(trusting("ec2.amazonaws.com"))
    iam.update_assume_role_policy(**role, PolicyDocument=trusting("lambda.amazonaws.com"))
    iam.update_role(**role, Description="changed", MaxSessionDuration=7200)
    iam.put_role_permissions_boundary(**role, PermissionsBoundary=READ_ONLY)
    iam.create_policy_version(PolicyArn=policy, PolicyDocument=document("s3:PutObject"), SetAsDefault=True)
    read = iam.get_role(**role)["Role"]
    assert (read["Description"], read["MaxSessionDuration"]) == ("changed", 7200)
    assert read["AssumeRolePolicyDocument"] == json.loads(trusting("lambda.amazonaws.com"))
    assert read["PermissionsBoundary"]["PermissionsBoundaryArn"] == READ_ONLY
    default = iam.get_policy(PolicyArn=policy)["Policy"]["DefaultVersionId"]
    stored = iam.get_policy_version(PolicyArn=policy, VersionId=default)["PolicyVersion"]["Document"]
    assert (default, stored) == ("v2", json.loads(document("s3:PutObject")))
    with pytest.raises(iam.exceptions.DeleteConflictException):
        iam.delete_role(**role)
    iam.remove_role_from_instance_profile(InstanceProfileName="app", **role)
    iam.delete_instance_profile(InstanceProfileName="app")
    iam.detach_role_policy(**role, PolicyArn=policy)
    iam.delete_role_policy(**role, PolicyName="inline")
    assert iam.list_instance_profiles_for_role(**role)["InstanceProfiles"] == []
    iam.delete_role(**role)
    iam.delete_policy_version(PolicyArn=policy, VersionId="v1")
    iam.delete_policy(PolicyArn=policy)
    for read_again in (lambda: iam.get_role(**role), lambda: iam.get_policy(PolicyArn=policy)):
        with pytest.raises(iam.exceptions.NoSuchEntityException):
            read_again()


def test_a_group_and_its_members(iam):
    iam.create_group(GroupName="devs", Path="/team/")
    iam.create_user(UserName="ann")
    iam.add_user_to_group(GroupName="devs", UserName="ann")
    iam.put_group_policy(GroupName="devs", PolicyName="p", PolicyDocument=document("s3:*"))
    iam.update_group(GroupName="devs", NewGroupName="developers", NewPath="/")
    read = iam.get_group(GroupName="developers")
    assert (read["Group"]["Path"], [user["UserName"] for user in read["Users"]]) == ("/", ["ann"])
    assert [group["GroupName"] for group in iam.list_groups_for_user(UserName="ann")["Groups"]] == ["developers"]
    assert iam.get_group_policy(GroupName="developers", PolicyName="p")["PolicyDocument"] == json.loads(
        document("s3:*")
    )
    iam.remove_user_from_group(GroupName="developers", UserName="ann")
    iam.delete_group_policy(GroupName="developers", PolicyName="p")
    iam.delete_group(GroupName="developers")
    with pytest.raises(iam.exceptions.NoSuchEntityException):
        iam.get_group(GroupName="developers")


def test_providers_of_identities(iam):
    arn = iam.create_open_id_connect_provider(
        Url="https://idp.example.com", ClientIDList=["a"], ThumbprintList=["a" * 40]
    )["OpenIDConnectProviderArn"]
    iam.update_open_id_connect_provider_thumbprint(OpenIDConnectProviderArn=arn, ThumbprintList=["b" * 40])
    iam.add_client_id_to_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID="c")
    iam.remove_client_id_from_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID="a")
    read = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    assert (read["ClientIDList"], read["ThumbprintList"]) == (["c"], ["b" * 40])
    iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    with pytest.raises(iam.exceptions.NoSuchEntityException):
        iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    arn = iam.create_saml_provider(Name="Corp", SAMLMetadataDocument=metadata_of_nobody())["SAMLProviderArn"]
    assert iam.get_saml_provider(SAMLProviderArn=arn)["SAMLMetadataDocument"]
    iam.update_saml_provider(SAMLProviderArn=arn, SAMLMetadataDocument=metadata_of_nobody())
    iam.delete_saml_provider(SAMLProviderArn=arn)
    with pytest.raises(iam.exceptions.NoSuchEntityException):
        iam.get_saml_provider(SAMLProviderArn=arn)


def test_what_a_user_signs_with(iam):
    iam.create_user(UserName="ann")
    key = iam.upload_ssh_public_key(UserName="ann", SSHPublicKeyBody=ssh_line(rsa_key()))["SSHPublicKey"]
    named = {"UserName": "ann", "SSHPublicKeyId": key["SSHPublicKeyId"]}
    iam.update_ssh_public_key(**named, Status="Inactive")
    assert iam.get_ssh_public_key(**named, Encoding="PEM")["SSHPublicKey"]["Status"] == "Inactive"
    iam.delete_ssh_public_key(**named)
    with pytest.raises(iam.exceptions.NoSuchEntityException):
        iam.get_ssh_public_key(**named, Encoding="PEM")
    found = iam.upload_signing_certificate(UserName="ann", CertificateBody=certificate())["Certificate"]
    iam.update_signing_certificate(UserName="ann", CertificateId=found["CertificateId"], Status="Inactive")
    [listed] = iam.list_signing_certificates(UserName="ann")["Certificates"]
    assert listed["Status"] == "Inactive"
    iam.delete_signing_certificate(UserName="ann", CertificateId=found["CertificateId"])
    assert iam.list_signing_certificates(UserName="ann")["Certificates"] == []


def test_what_an_account_has_one_of(iam):
    with pytest.raises(iam.exceptions.NoSuchEntityException):
        iam.get_account_password_policy()
    iam.update_account_password_policy(MinimumPasswordLength=12, RequireSymbols=True, MaxPasswordAge=90)
    read = iam.get_account_password_policy()["PasswordPolicy"]
    assert (read["MinimumPasswordLength"], read["RequireSymbols"], read["ExpirePasswords"]) == (12, True, True)
    iam.delete_account_password_policy()
    iam.create_account_alias(AccountAlias="first-name")
    iam.create_account_alias(AccountAlias="second-name")
    assert iam.list_account_aliases()["AccountAliases"] == ["second-name"]
    iam.delete_account_alias(AccountAlias="second-name")
    assert iam.list_account_aliases()["AccountAliases"] == []
