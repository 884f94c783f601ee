"""An account with one of everything that IAM knows, and the MFA devices in its users' pockets."""

import json
import time
from dataclasses import dataclass
from typing import Any

import pyotp
from saml import metadata_of_nobody
from services.iam.key_material import certificate, rsa_key, server_material, ssh_line

PASSWORD = "Correct-Horse-1"
DOCUMENT = json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}})
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"},
    },
)
TAGS = [{"Key": "Team", "Value": "blue"}]


class Devices:
    """Virtual MFA devices in somebody's pocket."""

    def __init__(self, iam: Any) -> None:
        self.iam = iam

    def new(self, name: str) -> tuple[str, str]:
        """A new device: serial number and seed."""
        device = self.iam.create_virtual_mfa_device(VirtualMFADeviceName=name, Path="/team/")["VirtualMFADevice"]
        return device["SerialNumber"], device["Base32StringSeed"].decode()

    @staticmethod
    def codes(seed: str, *, ahead: int = 0) -> dict[str, str]:
        """Two codes in a row as the device shows them now, or when its clock is some steps ahead."""
        step = int(time.time() // 30) + ahead
        shown = pyotp.HOTP(seed)
        return {"AuthenticationCode1": shown.at(step - 1), "AuthenticationCode2": shown.at(step)}

    def enable(self, user_name: str, serial_number: str, seed: str, *, ahead: int = 0) -> None:
        """Enable a device for a user."""
        self.iam.enable_mfa_device(UserName=user_name, SerialNumber=serial_number, **self.codes(seed, ahead=ahead))


@dataclass(frozen=True)
class World:
    """The account `world` makes: `ann` has one of everything and `bob` has nothing; both are in /team/."""

    policy_arn: str
    access_key_id: str
    phone: str
    phone_seed: str
    watch: str
    watch_seed: str
    oidc_arn: str
    saml_arn: str
    credential_id: str


def build_world(iam: Any) -> World:
    """Make an account with one of everything that IAM knows."""
    devices = Devices(iam)
    iam.create_user(UserName="ann", Path="/team/", Tags=TAGS)
    iam.create_user(UserName="bob", Path="/team/")
    iam.create_group(GroupName="devs", Path="/team/")
    iam.create_role(RoleName="app", Path="/team/", AssumeRolePolicyDocument=TRUST, Tags=TAGS)
    iam.create_instance_profile(InstanceProfileName="box", Path="/team/", Tags=TAGS)
    policy_arn = iam.create_policy(PolicyName="send", Path="/team/", PolicyDocument=DOCUMENT)["Policy"]["Arn"]
    for kind, name in (("user", "ann"), ("group", "devs"), ("role", "app")):
        member = {f"{kind.capitalize()}Name": name}
        getattr(iam, f"put_{kind}_policy")(**member, PolicyName="inline", PolicyDocument=DOCUMENT)
        getattr(iam, f"attach_{kind}_policy")(**member, PolicyArn=policy_arn)
    iam.put_user_permissions_boundary(UserName="ann", PermissionsBoundary=policy_arn)
    iam.put_role_permissions_boundary(RoleName="app", PermissionsBoundary=policy_arn)
    iam.create_login_profile(UserName="ann", Password=PASSWORD)
    key_id = iam.create_access_key(UserName="ann")["AccessKey"]["AccessKeyId"]
    phone, phone_seed = devices.new("phone")
    watch, watch_seed = devices.new("watch")
    devices.enable("ann", phone, phone_seed)
    oidc_arn = iam.create_open_id_connect_provider(Url="https://idp.example.com", ThumbprintList=["a" * 40])[
        "OpenIDConnectProviderArn"
    ]
    saml_arn = iam.create_saml_provider(Name="Corp", SAMLMetadataDocument=metadata_of_nobody())["SAMLProviderArn"]
    credential = iam.create_service_specific_credential(UserName="ann", ServiceName="codecommit.amazonaws.com")
    credential_id = credential["ServiceSpecificCredential"]["ServiceSpecificCredentialId"]
    iam.upload_ssh_public_key(UserName="ann", SSHPublicKeyBody=ssh_line(rsa_key()))
    iam.upload_signing_certificate(UserName="ann", CertificateBody=certificate())
    iam.upload_server_certificate(ServerCertificateName="site", Path="/team/", **server_material(), Tags=TAGS)
    return World(policy_arn, key_id, phone, phone_seed, watch, watch_seed, oidc_arn, saml_arn, credential_id)
