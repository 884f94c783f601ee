"""Which resources an event is found by: those that its record lists, and those that its parameters name.

AWS: event history knows the users, roles ... of IAM's requests although their records have no `resources` (CloudTrail
User Guide, "Viewing events with CloudTrail event history", and "Resource types supported by event history").
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from iamd.store.events import EventResource

IAM_MEMBERS = {
    "UserName": "AWS::IAM::User",
    "GroupName": "AWS::IAM::Group",
    "RoleName": "AWS::IAM::Role",
    "PolicyName": "AWS::IAM::Policy",
    "PolicyArn": "AWS::IAM::Policy",
    "InstanceProfileName": "AWS::IAM::InstanceProfile",
    "AccessKeyId": "AWS::IAM::AccessKey",
    "SerialNumber": "AWS::IAM::MfaDevice",
    "VirtualMFADeviceName": "AWS::IAM::MfaDevice",
    "ServerCertificateName": "AWS::IAM::ServerCertificate",
    "SSHPublicKeyId": "AWS::IAM::SshPublicKey",
    "CertificateId": "AWS::IAM::SigningCertificate",
}


def resources_of(
    service: str,
    parameters: Mapping[str, Any] | None,
    response: Mapping[str, Any] | None,
    listed: Sequence[Mapping[str, str]],
) -> tuple[EventResource, ...]:
    """The resources by which LookupEvents finds the event of a request."""
    found = [EventResource(one.get("type", ""), one["ARN"]) for one in listed] if listed else []
    if service == "iam" and parameters:
        found += _named(parameters)
        if response:
            found += _made(response)
    elif service == "sts" and response is not None and "Credentials" in response:
        found += _session(response)
    return tuple(dict.fromkeys(found)) if found else ()


def _named(parameters: Mapping[str, Any]) -> Iterator[EventResource]:
    for member, kind in _members_of(tuple(parameters)):
        value = parameters[member]
        if isinstance(value, str):
            yield EventResource(kind, value)


@lru_cache(maxsize=1024)
def _members_of(names: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Those of IAM_MEMBERS that are among the names of an operation's parameters."""
    return tuple((member, kind) for member, kind in IAM_MEMBERS.items() if member in names)


MADE = {
    "AccessKey": ("AccessKeyId", "AWS::IAM::AccessKey"),
    "Policy": ("Arn", "AWS::IAM::Policy"),
    "Certificate": ("CertificateId", "AWS::IAM::SigningCertificate"),
    "SSHPublicKey": ("SSHPublicKeyId", "AWS::IAM::SshPublicKey"),
}


def _made(response: Mapping[str, Any]) -> Iterator[EventResource]:
    """What the answer names and the parameters could not: the id of a new access key, the ARN of a new policy."""
    if MADE.keys().isdisjoint(response):
        return
    for member, (name, kind) in MADE.items():
        made = response.get(member)
        if isinstance(made, Mapping) and name in made:
            yield EventResource(kind, made[name])


def _session(response: Mapping[str, Any]) -> Iterator[EventResource]:
    yield EventResource("AWS::IAM::AccessKey", response["Credentials"]["AccessKeyId"])
    if "AssumedRoleUser" in response:
        user = response["AssumedRoleUser"]
        yield EventResource("AWS::STS::AssumedRole", user["AssumedRoleId"])
        yield EventResource("AWS::STS::AssumedRole", user["Arn"])
    if "FederatedUser" in response:
        yield EventResource("AWS::STS::FederatedUser", response["FederatedUser"]["Arn"])
