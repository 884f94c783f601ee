"""Records of AWS Organizations: organizations, their units, members and policies, and what waits for consent."""

from collections.abc import Mapping
from typing import ClassVar

import msgspec

from iamd.store.records import Index, Record, Tag


class PolicyTarget(Record, frozen=True, kw_only=True, omit_defaults=True):
    """What policies of an organization can be attached to: its root, an organizational unit, or an account."""

    organization_id: str
    attached_policies: tuple[str, ...] = ()
    """Ids of the policies that are attached to it, of every type, in the order they were attached."""
    tags: tuple[Tag, ...] = ()


class TrustedService(msgspec.Struct, frozen=True):
    """A service with access to an organization, or one that an account administers, and since when."""

    service_principal: str
    enabled: int


class Organization(PolicyTarget, frozen=True, kw_only=True, omit_defaults=True):
    """An organization with its one root, kept under GLOBAL; the key is its id (o-...).

    `attached_policies` and `tags` are the root's.
    """

    kind = "organization"
    management_account_id: str
    root_id: str
    feature_set: str
    created: int
    policy_types: tuple[str, ...] = ()
    """The policy types that are enabled in the root."""
    trusted_services: tuple[TrustedService, ...] = ()
    root_access_features: tuple[str, ...] = ()
    """What IAM lets administrators do as member accounts' root users: RootCredentialsManagement, RootSessions."""

    indexes: ClassVar[Mapping[str, Index]] = {"root": lambda organization: (organization.root_id,)}

    @property
    def key(self) -> str:
        return self.organization_id


class OrganizationalUnit(PolicyTarget, frozen=True, kw_only=True, omit_defaults=True):
    """An organizational unit, kept under GLOBAL; the key is its id (ou-...). `parent_id` is the root's or a unit's."""

    kind = "organizational-unit"
    organizational_unit_id: str
    parent_id: str
    name: str

    indexes: ClassVar[Mapping[str, Index]] = {
        "organization": lambda unit: (unit.organization_id,),
        "parent": lambda unit: (unit.parent_id,),
        "policy": lambda unit: unit.attached_policies,
    }

    @property
    def key(self) -> str:
        return self.organizational_unit_id


class Membership(PolicyTarget, frozen=True, kw_only=True, omit_defaults=True):
    """An account's place in an organization, kept under GLOBAL by the account's number; the management account's too.

    `closed` is when the account was closed through the organization.
    """

    kind = "membership"
    account_id: str
    parent_id: str
    joined: int
    joined_method: str
    closed: int | None = None
    delegated_services: tuple[TrustedService, ...] = ()
    """The services that the account is a delegated administrator of."""

    indexes: ClassVar[Mapping[str, Index]] = {
        "organization": lambda membership: (membership.organization_id,),
        "parent": lambda membership: (membership.parent_id,),
        "policy": lambda membership: membership.attached_policies,
    }

    @property
    def key(self) -> str:
        return self.account_id


class OrganizationPolicy(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A policy of an organization, kept under GLOBAL; the key is its id (p-...)."""

    kind = "organization-policy"
    policy_id: str
    organization_id: str
    type: str
    name: str
    description: str
    content: str
    tags: tuple[Tag, ...] = ()

    indexes: ClassVar[Mapping[str, Index]] = {"organization": lambda policy: (policy.organization_id,)}

    @property
    def key(self) -> str:
        return self.policy_id


class AccountCreation(Record, frozen=True, kw_only=True, omit_defaults=True):
    """What became of a CreateAccount request, kept under GLOBAL; the key is the request's id (car-...)."""

    kind = "account-creation"
    request_id: str
    organization_id: str
    account_name: str
    state: str
    requested: int
    account_id: str | None = None
    failure_reason: str | None = None

    indexes: ClassVar[Mapping[str, Index]] = {"organization": lambda creation: (creation.organization_id,)}

    @property
    def key(self) -> str:
        return self.request_id


class Handshake(Record, frozen=True, kw_only=True, omit_defaults=True):
    """An invitation to join an organization, or a question about its features, kept under GLOBAL; the key is its id.

    `target` is whom it is for, by number or address, `account_id` the account that took it. The names and the feature
    set are the organization's when it was made. `parent` is the handshake that it is part of.
    """

    kind = "handshake"
    handshake_id: str
    organization_id: str
    management_account_id: str
    management_email: str
    management_name: str
    feature_set: str
    target_type: str
    target: str
    requested: int
    expires: int
    state: str = "OPEN"
    ended: int | None = None
    account_id: str | None = None
    notes: str | None = None
    tags: tuple[Tag, ...] = ()
    action: str = "INVITE"
    parent: str | None = None

    indexes: ClassVar[Mapping[str, Index]] = {
        "organization": lambda handshake: (handshake.organization_id,),
        "target": lambda handshake: (
            handshake.target.lower(),
            *([handshake.account_id] if handshake.account_id else []),
        ),
    }

    @property
    def key(self) -> str:
        return self.handshake_id
