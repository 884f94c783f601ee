"""AWS::IAM::AccessKey, OIDCProvider, SAMLProvider, ServerCertificate, ServiceLinkedRole and VirtualMFADevice."""

import asyncio
import base64
import time
from collections.abc import Mapping
from typing import Any

from iamd.auth import mfa
from iamd.stacks.client import RequestFailed
from iamd.stacks.errors import InvalidProperties
from iamd.stacks.kinds import Items, Kind, Setting, Work
from iamd.stacks.types.iam_principals import move, tags

_POLL_SECONDS = 0.2
_POLLS = 150


async def _put_status(work: Work) -> None:
    await work.call("iam", "UpdateAccessKey", UserName=work["UserName"], AccessKeyId=work.id, Status=work["Status"])


async def _activate(work: Work) -> None:
    await work.call("iam", "UpdateAccessKey", UserName=work["UserName"], AccessKeyId=work.id, Status="Active")


class AccessKey(Kind):
    """An access key of a user; another serial number is another key."""

    type = "AWS::IAM::AccessKey"
    properties = ("Serial", "UserName")
    parts = (Setting(("Status",), _put_status, _activate),)
    attributes = ("Id", "SecretAccessKey")
    secret_attributes = ("SecretAccessKey",)

    async def make(self, work: Work) -> None:
        """Make the key."""
        answer = await work.call("iam", "CreateAccessKey", UserName=work["UserName"])
        key = answer["AccessKey"]
        work.made_as(key["AccessKeyId"], Id=key["AccessKeyId"], SecretAccessKey=key["SecretAccessKey"])

    async def remove(self, work: Work) -> None:
        """Delete the key."""
        await work.call("iam", "DeleteAccessKey", UserName=work["UserName"], AccessKeyId=work.id)


async def _put_thumbprints(work: Work) -> None:
    named = {"OpenIDConnectProviderArn": work.id, "ThumbprintList": work["ThumbprintList"]}
    await work.call("iam", "UpdateOpenIDConnectProviderThumbprint", **named)


async def _add_client(work: Work, client_id: Any) -> None:
    named = {"OpenIDConnectProviderArn": work.id, "ClientID": client_id}
    await work.call("iam", "AddClientIDToOpenIDConnectProvider", **named)


async def _remove_client(work: Work, client_id: Any) -> None:
    named = {"OpenIDConnectProviderArn": work.id, "ClientID": client_id}
    await work.call_unless_gone("iam", "RemoveClientIDFromOpenIDConnectProvider", **named)


class OIDCProvider(Kind):
    """An OpenID Connect provider."""

    type = "AWS::IAM::OIDCProvider"
    properties = ("Url",)
    parts = (
        Setting(("ThumbprintList",), _put_thumbprints, on_create=False),
        Items("ClientIdList", _add_client, _remove_client, clears=False, on_create=False),
        tags("OpenIDConnectProvider", "OpenIDConnectProviderArn"),
    )
    attributes = ("Arn",)

    async def make(self, work: Work) -> None:
        """Make the provider."""
        given = work.given("Url", "ThumbprintList", ClientIdList="ClientIDList")
        answer = await work.call("iam", "CreateOpenIDConnectProvider", Tags=work.tags, **given)
        made = answer["OpenIDConnectProviderArn"]
        work.made_as(made, Arn=made)

    async def remove(self, work: Work) -> None:
        """Delete the provider."""
        await work.call("iam", "DeleteOpenIDConnectProvider", OpenIDConnectProviderArn=work.id)


class SAMLProvider(Kind):
    """A SAML provider. A private key is added when it is made; another one makes another provider."""

    type = "AWS::IAM::SAMLProvider"
    properties = ("AddPrivateKey", "AssertionEncryptionMode", "Name", "SamlMetadataDocument")
    parts = (tags("SAMLProvider", "SAMLProviderArn"),)
    attributes = ("Arn", "SamlProviderUUID")

    async def make(self, work: Work) -> None:
        """Make the provider."""
        name = work.name("Name", 128)
        given = work.given("AddPrivateKey", "AssertionEncryptionMode", SamlMetadataDocument="SAMLMetadataDocument")
        answer = await work.call("iam", "CreateSAMLProvider", Name=name, Tags=work.tags, **given)
        made = answer["SAMLProviderArn"]
        work.made_as(made, Arn=made)
        told = await work.call("iam", "GetSAMLProvider", SAMLProviderArn=made)
        work.learn({"SamlProviderUUID": told["SAMLProviderUUID"]})

    async def change(self, work: Work) -> None:
        """Give it another metadata document, or another mode."""
        if work.changes("SamlMetadataDocument", "AssertionEncryptionMode"):
            given = work.given("AssertionEncryptionMode", SamlMetadataDocument="SAMLMetadataDocument")
            if work.changes("AssertionEncryptionMode"):
                given.setdefault("AssertionEncryptionMode", "Allowed")
            await work.call("iam", "UpdateSAMLProvider", SAMLProviderArn=work.id, **given)

    async def remove(self, work: Work) -> None:
        """Delete the provider."""
        await work.call("iam", "DeleteSAMLProvider", SAMLProviderArn=work.id)


class ServerCertificate(Kind):
    """A server certificate."""

    type = "AWS::IAM::ServerCertificate"
    properties = ("CertificateBody", "CertificateChain", "Path", "PrivateKey", "ServerCertificateName")
    parts = (tags("ServerCertificate", "ServerCertificateName"),)
    attributes = ("Arn",)

    async def make(self, work: Work) -> None:
        """Upload the certificate."""
        name = work.name("ServerCertificateName", 128)
        given = work.given("CertificateBody", "CertificateChain", "Path", "PrivateKey")
        answer = await work.call("iam", "UploadServerCertificate", ServerCertificateName=name, Tags=work.tags, **given)
        work.made_as(name, Arn=answer["ServerCertificateMetadata"]["Arn"])

    async def change(self, work: Work) -> None:
        """Move the certificate to another path."""
        await move(work, "UpdateServerCertificate", "ServerCertificateName")

    async def remove(self, work: Work) -> None:
        """Delete the certificate."""
        await work.call("iam", "DeleteServerCertificate", ServerCertificateName=work.id)


async def _put_description(work: Work) -> None:
    await work.call("iam", "UpdateRoleDescription", RoleName=work.id, Description=work["Description"] or "")


class ServiceLinkedRole(Kind):
    """A service-linked role."""

    type = "AWS::IAM::ServiceLinkedRole"
    properties = ("AWSServiceName", "CustomSuffix")
    parts = (Setting(("Description",), _put_description, _put_description, on_create=False),)
    attributes = ("RoleName",)

    async def make(self, work: Work) -> None:
        """Make the role."""
        given = work.given("AWSServiceName", "CustomSuffix", "Description")
        answer = await work.call("iam", "CreateServiceLinkedRole", **given)
        name = answer["Role"]["RoleName"]
        work.made_as(name, RoleName=name)

    async def remove(self, work: Work) -> None:
        """Delete the role, and wait until it is."""
        answer = await work.call("iam", "DeleteServiceLinkedRole", RoleName=work.id)
        task, words = answer["DeletionTaskId"], f"The service-linked role {work.id} was not deleted."
        for _ in range(_POLLS):
            told = await work.call("iam", "GetServiceLinkedRoleDeletionStatus", DeletionTaskId=task)
            if told["Status"] == "SUCCEEDED":
                return
            if told["Status"] == "FAILED":
                words += f" {told['Reason']['Reason']}"
                break
            await asyncio.sleep(_POLL_SECONDS)
        raise RequestFailed("GeneralServiceException", words, 400, "DeleteServiceLinkedRole")


class VirtualMFADevice(Kind):
    """A virtual MFA device of a user, for whom it is enabled by codes of its own."""

    type = "AWS::IAM::VirtualMFADevice"
    properties = ("Path", "Users", "VirtualMfaDeviceName")
    parts = (tags("MFADevice", "SerialNumber"),)
    attributes = ("SerialNumber",)

    def check(self, properties: Mapping[str, Any]) -> None:
        """It has one user."""
        users = properties["Users"]
        if isinstance(users, list) and len(users) != 1:
            raise InvalidProperties("#/Users: a virtual MFA device has one user")

    def replaces(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
        """Nobody keeps the seed that codes for another user would be made of."""
        return bool(old.get("Users") != new.get("Users"))

    async def make(self, work: Work) -> None:
        """Make the device, and enable it."""
        name = work.name("VirtualMfaDeviceName", 226)
        given = work.given("Path")
        answer = await work.call("iam", "CreateVirtualMFADevice", VirtualMFADeviceName=name, Tags=work.tags, **given)
        device = answer["VirtualMFADevice"]
        work.made_as(device["SerialNumber"], SerialNumber=device["SerialNumber"])
        seed = base64.b32decode(device["Base32StringSeed"])
        step = mfa.step_of(time.time())
        await work.call(
            "iam",
            "EnableMFADevice",
            UserName=work["Users"][0],
            SerialNumber=work.id,
            AuthenticationCode1=mfa.code_at(seed, step - 1),
            AuthenticationCode2=mfa.code_at(seed, step),
        )

    async def remove(self, work: Work) -> None:
        """Take the device from its user, and delete it."""
        await work.call_unless_gone("iam", "DeactivateMFADevice", UserName=work["Users"][0], SerialNumber=work.id)
        await work.call("iam", "DeleteVirtualMFADevice", SerialNumber=work.id)
