"""AWS::IAM::*: every property, made, changed and removed; what Ref and Fn::GetAtt give.

AWS: CloudFormation Template Reference, the page of each type.
"""

import json

import pytest
from running import ACCOUNT, allow, deny
from saml import IdentityProvider
from services.iam.key_material import private_pem, rsa_key, server_material
from stacks.resources import Stack

from iamd.stacks import handlers
from iamd.stacks.client import RequestFailed
from iamd.stacks.handlers import InvalidProperties

READ = "arn:aws:iam::aws:policy/ReadOnlyAccess"
LAMBDA = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
THUMBPRINT = "a" * 40


def document(*statements):
    return {"Version": "2012-10-17", "Statement": list(statements) or [allow("s3:GetObject")]}


def trust(service="lambda.amazonaws.com"):
    return document({"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"})


@pytest.fixture
def iam(aws):
    return aws.client("iam")


@pytest.fixture
def stack(aws):
    return Stack(aws)


def attached(answer):
    return sorted(policy["PolicyArn"] for policy in answer["AttachedPolicies"])


def tags(answer):
    return {tag["Key"]: tag["Value"] for tag in answer["Tags"]}


def test_a_role_has_every_property(iam, stack):
    role = stack.create(
        "AWS::IAM::Role", tags={"env": "test", "team": "stack"},
        AssumeRolePolicyDocument=trust(), Description="works", MaxSessionDuration="7200", Path="/app/",
        ManagedPolicyArns=[READ, LAMBDA], PermissionsBoundary=READ,
        Policies=[{"PolicyName": "one", "PolicyDocument": document()}, {"PolicyName": "two", "PolicyDocument": document()}],
        Tags=[{"Key": "team", "Value": "own"}],
    )  # fmt: skip
    assert role.ref.startswith("orders-Thing-")
    found = iam.get_role(RoleName=role.ref)["Role"]
    assert role["Arn"] == found["Arn"] == f"arn:aws:iam::{ACCOUNT}:role/app/{role.ref}"
    assert role["RoleId"] == found["RoleId"]
    assert (found["Description"], found["MaxSessionDuration"]) == ("works", 7200)
    assert found["AssumeRolePolicyDocument"] == trust()
    assert found["PermissionsBoundary"]["PermissionsBoundaryArn"] == READ
    assert tags(iam.list_role_tags(RoleName=role.ref)) == {"env": "test", "team": "own"}
    assert attached(iam.list_attached_role_policies(RoleName=role.ref)) == sorted([READ, LAMBDA])
    assert iam.list_role_policies(RoleName=role.ref)["PolicyNames"] == ["one", "two"]
    role = stack.update(
        role, tags={"env": "prod"},
        AssumeRolePolicyDocument=trust("ec2.amazonaws.com"), Description=None, MaxSessionDuration=3600,
        ManagedPolicyArns=[LAMBDA], PermissionsBoundary=LAMBDA, Tags=None,
        Policies=[{"PolicyName": "two", "PolicyDocument": document(allow("s3:PutObject"))}],
    )  # fmt: skip
    found = iam.get_role(RoleName=role.ref)["Role"]
    assert (found["Description"], found["MaxSessionDuration"]) == ("", 3600)
    assert found["AssumeRolePolicyDocument"] == trust("ec2.amazonaws.com")
    assert found["PermissionsBoundary"]["PermissionsBoundaryArn"] == LAMBDA
    assert tags(iam.list_role_tags(RoleName=role.ref)) == {"env": "prod"}
    assert attached(iam.list_attached_role_policies(RoleName=role.ref)) == [LAMBDA]
    assert iam.list_role_policies(RoleName=role.ref)["PolicyNames"] == ["two"]
    changed = iam.get_role_policy(RoleName=role.ref, PolicyName="two")["PolicyDocument"]
    assert changed["Statement"][0]["Action"] == "s3:PutObject"
    role = stack.update(role, Policies=[{"PolicyName": "TWO", "PolicyDocument": document()}])
    assert iam.list_role_policies(RoleName=role.ref)["PolicyNames"] == ["two"]
    role = stack.update(role, PermissionsBoundary=None)
    assert "PermissionsBoundary" not in iam.get_role(RoleName=role.ref)["Role"]
    stack.delete(role)
    assert iam.list_roles()["Roles"] == []
    stack.delete(role)


def test_a_user_has_every_property(iam, stack):
    for name in ("readers", "writers"):
        iam.create_group(GroupName=name)
    user = stack.create(
        "AWS::IAM::User", tags={"env": "test"},
        UserName="ann", Path="/staff/", Groups=["readers"], ManagedPolicyArns=[READ], PermissionsBoundary=READ,
        LoginProfile={"Password": "correct-Horse-1", "PasswordResetRequired": True},
        Policies=[{"PolicyName": "one", "PolicyDocument": document()}], Tags=[{"Key": "a", "Value": "b"}],
    )  # fmt: skip
    assert user.ref == "ann"
    assert user["Arn"] == iam.get_user(UserName="ann")["User"]["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/staff/ann"
    assert iam.get_login_profile(UserName="ann")["LoginProfile"]["PasswordResetRequired"] is True
    assert [group["GroupName"] for group in iam.list_groups_for_user(UserName="ann")["Groups"]] == ["readers"]
    assert tags(iam.list_user_tags(UserName="ann")) == {"env": "test", "a": "b"}
    user = stack.update(
        user, Path="/people/", Groups=["writers"], ManagedPolicyArns=None, PermissionsBoundary=None, Policies=None,
        LoginProfile={"Password": "correct-Horse-2"}, Tags=[{"Key": "a", "Value": "c"}],
    )  # fmt: skip
    assert user["Arn"] == iam.get_user(UserName="ann")["User"]["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/people/ann"
    assert iam.get_login_profile(UserName="ann")["LoginProfile"]["PasswordResetRequired"] is False
    assert [group["GroupName"] for group in iam.list_groups_for_user(UserName="ann")["Groups"]] == ["writers"]
    assert attached(iam.list_attached_user_policies(UserName="ann")) == []
    assert iam.list_user_policies(UserName="ann")["PolicyNames"] == []
    assert "PermissionsBoundary" not in iam.get_user(UserName="ann")["User"]
    assert tags(iam.list_user_tags(UserName="ann")) == {"env": "test", "a": "c"}
    user = stack.update(user, LoginProfile=None)
    with pytest.raises(iam.exceptions.NoSuchEntityException):
        iam.get_login_profile(UserName="ann")
    stack.delete(stack.update(user, LoginProfile={"Password": "correct-Horse-3"}))
    with pytest.raises(iam.exceptions.NoSuchEntityException):
        iam.get_user(UserName="ann")


def test_a_group_has_every_property(iam, stack):
    policy = [{"PolicyName": "one", "PolicyDocument": document()}]
    group = stack.create("AWS::IAM::Group", GroupName="g", Path="/a/", ManagedPolicyArns=[READ], Policies=policy)
    assert group["Arn"] == iam.get_group(GroupName="g")["Group"]["Arn"] == f"arn:aws:iam::{ACCOUNT}:group/a/g"
    assert attached(iam.list_attached_group_policies(GroupName="g")) == [READ]
    group = stack.update(group, Path=None, ManagedPolicyArns=[LAMBDA], Policies=None)
    assert group["Arn"] == iam.get_group(GroupName="g")["Group"]["Arn"] == f"arn:aws:iam::{ACCOUNT}:group/g"
    assert attached(iam.list_attached_group_policies(GroupName="g")) == [LAMBDA]
    assert iam.list_group_policies(GroupName="g")["PolicyNames"] == []
    stack.delete(group)
    assert iam.list_groups()["Groups"] == []


def test_an_inline_policy_follows_those_whose_it_is(iam, stack):
    for name in ("a", "b"):
        iam.create_user(UserName=name)
        iam.create_group(GroupName=name)
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust()))
    policy = stack.create(
        "AWS::IAM::Policy", PolicyName="p", PolicyDocument=document(), Users=["a"], Groups=["a"], Roles=["a"]
    )
    assert policy["Id"] == policy.ref
    assert iam.list_role_policies(RoleName="a")["PolicyNames"] == ["p"]
    policy = stack.update(policy, PolicyDocument=document(allow("s3:PutObject")), Users=["b"], Groups=None, Roles=["a"])
    assert iam.list_user_policies(UserName="a")["PolicyNames"] == []
    assert iam.list_user_policies(UserName="b")["PolicyNames"] == ["p"]
    assert iam.list_group_policies(GroupName="a")["PolicyNames"] == []
    found = iam.get_role_policy(RoleName="a", PolicyName="p")["PolicyDocument"]
    assert found["Statement"][0]["Action"] == "s3:PutObject"
    policy = stack.update(policy, PolicyName="q")
    assert iam.list_role_policies(RoleName="a")["PolicyNames"] == ["q"]
    policy = stack.update(policy, PolicyName="Q")
    assert iam.list_role_policies(RoleName="a")["PolicyNames"] == ["q"]
    stack.delete(policy)
    assert iam.list_role_policies(RoleName="a")["PolicyNames"] == []
    assert iam.list_user_policies(UserName="b")["PolicyNames"] == []
    with pytest.raises(InvalidProperties, match="must be non-empty"):
        handlers.check("AWS::IAM::Policy", {"PolicyName": "p", "PolicyDocument": document()})


@pytest.mark.parametrize("entity", ["User", "Group", "Role"])
def test_an_inline_policy_of_one(iam, stack, entity):
    more = {"AssumeRolePolicyDocument": json.dumps(trust())} if entity == "Role" else {}
    getattr(iam, f"create_{entity.lower()}")(**{f"{entity}Name": "one"}, **more)
    read = getattr(iam, f"get_{entity.lower()}_policy")
    named = {f"{entity}Name": "one", "PolicyName": "p"}
    policy = stack.create(f"AWS::IAM::{entity}Policy", **named, PolicyDocument=document())
    assert policy.ref == "p|one"
    assert read(**named)["PolicyDocument"] == document()
    policy = stack.update(policy, PolicyDocument=document(deny("s3:*")))
    assert read(**named)["PolicyDocument"] == document(deny("s3:*"))
    other = {**policy.wanted.properties, "PolicyName": "q"}
    assert handlers.replaces(f"AWS::IAM::{entity}Policy", policy.wanted.properties, other)
    stack.delete(policy)
    with pytest.raises(iam.exceptions.NoSuchEntityException):
        read(**named)


def test_a_managed_policy_has_every_property(iam, stack):
    for name in ("a", "b"):
        iam.create_user(UserName=name)
        iam.create_group(GroupName=name)
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust()))
    policy = stack.create(
        "AWS::IAM::ManagedPolicy", tags={"env": "test"},
        ManagedPolicyName="p", Path="/x/", Description="d", PolicyDocument=document(),
        Users=["a"], Groups=["a"], Roles=["a"],
    )  # fmt: skip
    found = iam.get_policy(PolicyArn=policy.ref)["Policy"]
    assert policy.ref == policy["PolicyArn"] == f"arn:aws:iam::{ACCOUNT}:policy/x/p"
    assert policy["PolicyId"] == found["PolicyId"]
    assert policy["AttachmentCount"] == found["AttachmentCount"] == 3
    assert (policy["DefaultVersionId"], policy["IsAttachable"], found["Description"]) == ("v1", True, "d")
    assert policy["CreateDate"] == found["CreateDate"].strftime("%Y-%m-%dT%H:%M:%SZ")
    assert tags(found) == {"env": "test"}
    for number in range(6):
        policy = stack.update(policy, PolicyDocument=document(allow(f"s3:Get{number}*")), Users=["b"], Groups=None)
        assert policy["DefaultVersionId"] == f"v{number + 2}"
    found = iam.get_policy(PolicyArn=policy.ref)["Policy"]
    assert policy["AttachmentCount"] == found["AttachmentCount"] == 2
    version = iam.get_policy_version(PolicyArn=policy.ref, VersionId=found["DefaultVersionId"])["PolicyVersion"]
    assert version["Document"]["Statement"][0]["Action"] == "s3:Get5*"
    assert [one["UserName"] for one in iam.list_entities_for_policy(PolicyArn=policy.ref)["PolicyUsers"]] == ["b"]
    stack.delete(policy)
    assert iam.list_policies(Scope="Local")["Policies"] == []


def test_an_instance_profile_has_its_role(iam, stack):
    for name in ("a", "b"):
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust("ec2.amazonaws.com")))
    profile = stack.create("AWS::IAM::InstanceProfile", Path="/p/", Roles=["a"])
    found = iam.get_instance_profile(InstanceProfileName=profile.ref)["InstanceProfile"]
    assert profile["Arn"] == found["Arn"]
    profile = stack.update(profile, Roles=["b"])
    found = iam.get_instance_profile(InstanceProfileName=profile.ref)["InstanceProfile"]
    assert [role["RoleName"] for role in found["Roles"]] == ["b"]
    stack.delete(profile)
    assert iam.list_instance_profiles()["InstanceProfiles"] == []


def test_an_access_key(aws, iam, stack):
    iam.create_user(UserName="ann")
    key = stack.create("AWS::IAM::AccessKey", UserName="ann", Serial=1, Status="Active")
    assert key.ref == key["Id"]
    assert len(key["SecretAccessKey"]) == 40
    assert handlers.secret_attributes("AWS::IAM::AccessKey") == {"SecretAccessKey"}
    key = stack.update(key, Status="Inactive")
    assert iam.list_access_keys(UserName="ann")["AccessKeyMetadata"][0]["Status"] == "Inactive"
    key = stack.update(key, Status=None)
    assert iam.list_access_keys(UserName="ann")["AccessKeyMetadata"][0]["Status"] == "Active"
    assert handlers.replaces("AWS::IAM::AccessKey", {"UserName": "ann", "Serial": 1}, {"UserName": "ann", "Serial": 2})
    stack.delete(key)
    assert iam.list_access_keys(UserName="ann")["AccessKeyMetadata"] == []


def test_users_are_added_to_a_group(iam, stack):
    for name in ("a", "b"):
        iam.create_user(UserName=name)
        iam.create_group(GroupName=name)
    added = stack.create("AWS::IAM::UserToGroupAddition", GroupName="a", Users=["a"])
    assert added["Id"] == added.ref
    added = stack.update(added, Users=["a", "b"])
    assert [user["UserName"] for user in iam.get_group(GroupName="a")["Users"]] == ["a", "b"]
    added = stack.update(added, GroupName="A", Users=["A", "b"])
    assert [user["UserName"] for user in iam.get_group(GroupName="a")["Users"]] == ["a", "b"]
    added = stack.update(added, GroupName="b", Users=["b"])
    assert iam.get_group(GroupName="a")["Users"] == []
    assert [user["UserName"] for user in iam.get_group(GroupName="b")["Users"]] == ["b"]
    stack.delete(added)
    assert iam.get_group(GroupName="b")["Users"] == []


def test_an_oidc_provider_has_every_property(iam, stack):
    provider = stack.create(
        "AWS::IAM::OIDCProvider", Url="https://token.example.com", ClientIdList=["a", "b"], ThumbprintList=[THUMBPRINT],
        Tags=[{"Key": "k", "Value": "v"}],
    )  # fmt: skip
    assert provider.ref == provider["Arn"] == f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.example.com"
    found = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=provider.ref)
    assert (found["ClientIDList"], found["ThumbprintList"], tags(found)) == (["a", "b"], [THUMBPRINT], {"k": "v"})
    provider = stack.update(provider, ClientIdList=["b", "c"], ThumbprintList=["b" * 40], Tags=None)
    found = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=provider.ref)
    assert sorted(found["ClientIDList"]) == ["b", "c"]
    assert (found["ThumbprintList"], found["Tags"]) == (["b" * 40], [])
    stack.delete(provider)
    assert iam.list_open_id_connect_providers()["OpenIDConnectProviderList"] == []


def test_a_server_certificate_has_every_property(iam, stack):
    made = stack.create(
        "AWS::IAM::ServerCertificate", **server_material(), Path="/a/",
        ServerCertificateName="web", Tags=[{"Key": "k", "Value": "v"}],
    )  # fmt: skip
    assert made.ref == "web"
    found = iam.get_server_certificate(ServerCertificateName="web")["ServerCertificate"]
    assert made["Arn"] == found["ServerCertificateMetadata"]["Arn"]
    made = stack.update(made, Path="/b/", Tags=[{"Key": "k", "Value": "w"}])
    found = iam.get_server_certificate(ServerCertificateName="web")["ServerCertificate"]
    assert (
        made["Arn"] == found["ServerCertificateMetadata"]["Arn"] == f"arn:aws:iam::{ACCOUNT}:server-certificate/b/web"
    )
    assert tags(found) == {"k": "w"}
    stack.delete(made)
    assert iam.list_server_certificates()["ServerCertificateMetadataList"] == []


def test_a_service_linked_role(iam, stack):
    role = stack.create(
        "AWS::IAM::ServiceLinkedRole", AWSServiceName="autoscaling.amazonaws.com", CustomSuffix="x", Description="d"
    )
    assert role.ref == role["RoleName"] == "AWSServiceRoleForAutoScaling_x"
    role = stack.update(role, Description="e")
    assert iam.get_role(RoleName=role.ref)["Role"]["Description"] == "e"
    stack.delete(role)
    assert iam.list_roles()["Roles"] == []


def test_a_virtual_mfa_device_is_enabled_for_its_user(iam, stack):
    iam.create_user(UserName="ann")
    device = stack.create(
        "AWS::IAM::VirtualMFADevice", Users=["ann"], VirtualMfaDeviceName="phone", Path="/p/",
        Tags=[{"Key": "k", "Value": "v"}],
    )  # fmt: skip
    assert device.ref == device["SerialNumber"] == f"arn:aws:iam::{ACCOUNT}:mfa/p/phone"
    assert [one["SerialNumber"] for one in iam.list_mfa_devices(UserName="ann")["MFADevices"]] == [device.ref]
    device = stack.update(device, Tags=[{"Key": "k", "Value": "w"}])
    assert tags(iam.list_mfa_device_tags(SerialNumber=device.ref)) == {"k": "w"}
    assert handlers.replaces("AWS::IAM::VirtualMFADevice", {"Users": ["ann"]}, {"Users": ["bob"]})
    stack.delete(device)
    assert iam.list_virtual_mfa_devices()["VirtualMFADevices"] == []


def test_what_was_begun_is_undone(aws, iam):
    limited = Stack(
        aws,
        aws.user("dev", allow(["iam:CreateRole", "iam:DeleteRole", "iam:AttachRolePolicy", "iam:DetachRolePolicy"])),
    )
    with pytest.raises(RequestFailed, match="iam:PutRolePolicy") as raised:
        limited.create(
            "AWS::IAM::Role", AssumeRolePolicyDocument=trust(), ManagedPolicyArns=[READ],
            Policies=[{"PolicyName": "p", "PolicyDocument": document()}],
        )  # fmt: skip
    assert raised.value.code == "AccessDenied"
    assert iam.list_roles()["Roles"] == []


def test_what_can_not_be_undone_is_told(aws, iam):
    limited = Stack(aws, aws.user("dev", allow(["iam:CreateRole"])))
    with pytest.raises(
        RequestFailed, match=r"iam:AttachRolePolicy.* \(orders-Thing-.* could not be removed again: .*iam:"
    ):
        limited.create("AWS::IAM::Role", AssumeRolePolicyDocument=trust(), ManagedPolicyArns=[READ])
    assert len(iam.list_roles()["Roles"]) == 1


def test_what_is_made_with_tags_needs_the_action_of_tagging(aws, iam):
    limited = Stack(aws, aws.user("dev", allow(["iam:CreateRole", "iam:DeleteRole"])))
    with pytest.raises(RequestFailed, match="iam:TagRole"):
        limited.create("AWS::IAM::Role", AssumeRolePolicyDocument=trust(), Tags=[{"Key": "k", "Value": "v"}])
    assert iam.list_roles()["Roles"] == []
    limited.create("AWS::IAM::Role", AssumeRolePolicyDocument=trust())


def test_names_are_cut_to_what_a_type_takes(iam, stack):
    role = stack.create("AWS::IAM::Role", "L" * 80, AssumeRolePolicyDocument=trust())
    assert len(role.ref) == 64
    assert role.ref[-13:] == role.wanted.generated_name[-13:]


def test_iam_needs_a_capability():
    assert handlers.needs_capability("AWS::IAM::Role", {}) == "CAPABILITY_IAM"
    assert handlers.needs_capability("AWS::IAM::Role", {"RoleName": "r"}) == "CAPABILITY_NAMED_IAM"
    assert (
        handlers.needs_capability("AWS::IAM::ManagedPolicy", {"ManagedPolicyName": {"Ref": "n"}})
        == "CAPABILITY_NAMED_IAM"
    )
    assert handlers.needs_capability("AWS::IAM::Policy", {"PolicyName": "p"}) == "CAPABILITY_IAM"
    assert (
        handlers.needs_capability("AWS::IAM::InstanceProfile", {"InstanceProfileName": "p"}) == "CAPABILITY_NAMED_IAM"
    )
    assert handlers.needs_capability("AWS::S3::Bucket", {"BucketName": "b"}) is None


def test_a_saml_provider_has_every_property(iam, stack):
    pytest.importorskip("lxml")
    idp = IdentityProvider()
    key = private_pem(rsa_key())
    provider = stack.create(
        "AWS::IAM::SAMLProvider", Name="corp", SamlMetadataDocument=idp.metadata(), AddPrivateKey=key,
        AssertionEncryptionMode="Required", Tags=[{"Key": "k", "Value": "v"}],
    )  # fmt: skip
    assert provider.ref == provider["Arn"] == f"arn:aws:iam::{ACCOUNT}:saml-provider/corp"
    found = iam.get_saml_provider(SAMLProviderArn=provider.ref)
    assert provider["SamlProviderUUID"] == found["SAMLProviderUUID"]
    assert (found["AssertionEncryptionMode"], tags(found)) == ("Required", {"k": "v"})
    assert len(found["PrivateKeyList"]) == 1
    other = IdentityProvider().metadata()
    provider = stack.update(provider, SamlMetadataDocument=other, AssertionEncryptionMode=None)
    found = iam.get_saml_provider(SAMLProviderArn=provider.ref)
    assert (found["SAMLMetadataDocument"], found["AssertionEncryptionMode"]) == (other, "Allowed")
    for unsupported in ("PrivateKeyList", "RemovePrivateKey"):
        value = ["a"] if unsupported == "PrivateKeyList" else "a" * 32
        with pytest.raises(InvalidProperties, match=unsupported):
            handlers.check("AWS::IAM::SAMLProvider", {"SamlMetadataDocument": other, unsupported: value})
    stack.delete(provider)
    assert iam.list_saml_providers()["SAMLProviderList"] == []
