"""Every kind of record by the name that the store has for it, and records as the store's documents."""

from collections.abc import Mapping

import msgspec

from iamd.store.delegation_records import DelegationRequest, DelegationTemplate
from iamd.store.federation_records import OpenIDConnectProvider, OutboundFederation, SAMLProvider
from iamd.store.metadata_records import MetadataSource
from iamd.store.organization_records import (
    AccountCreation,
    Handshake,
    Membership,
    Organization,
    OrganizationalUnit,
    OrganizationPolicy,
)
from iamd.store.records import (
    AccessKey,
    AccountAlias,
    AccountRecord,
    Group,
    InstanceProfile,
    LoginProfile,
    ManagedPolicy,
    MFADevice,
    Quarantine,
    Record,
    Resource,
    Role,
    ServerCertificate,
    ServiceSpecificCredential,
    SigningCertificate,
    SSHPublicKey,
    User,
)
from iamd.store.report_records import AccessReport, CredentialReport, DeletionTask
from iamd.store.role_template_records import RoleTemplate
from iamd.store.sign_in_records import ConsoleSessions, HardwareToken, SecurityKey
from iamd.store.stack_records import Callback, ChangeSet, Stack, StackEvent, StackResource

KINDS: Mapping[str, type[Record]] = {
    record.kind: record
    for record in (
        AccountRecord,
        AccountAlias,
        User,
        Group,
        Role,
        ManagedPolicy,
        InstanceProfile,
        AccessKey,
        LoginProfile,
        MFADevice,
        OpenIDConnectProvider,
        SAMLProvider,
        OutboundFederation,
        SSHPublicKey,
        SigningCertificate,
        ServiceSpecificCredential,
        ServerCertificate,
        CredentialReport,
        AccessReport,
        DeletionTask,
        Quarantine,
        Resource,
        Organization,
        OrganizationalUnit,
        Membership,
        OrganizationPolicy,
        AccountCreation,
        Handshake,
        ConsoleSessions,
        DelegationRequest,
        DelegationTemplate,
        HardwareToken,
        MetadataSource,
        RoleTemplate,
        SecurityKey,
        Stack,
        StackResource,
        StackEvent,
        ChangeSet,
        Callback,
    )
}
"""Kinds by the name in the store's `kind` column; one that stands there and not here is newer than this iamd."""


_ENCODER = msgspec.json.Encoder()
_DECODERS = {kind: msgspec.json.Decoder(record) for kind, record in KINDS.items()}


def encode(record: Record) -> bytes:
    """The record as the store's document."""
    return _ENCODER.encode(record)


def decode(kind: str, document: bytes) -> Record:
    """The record in a stored document; KeyError for a kind that is not known, msgspec's error for a damaged one."""
    return _DECODERS[kind].decode(document)
