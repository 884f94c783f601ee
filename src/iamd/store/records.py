"""Records that the store keeps, frozen; `Account` indexes them as their `indexes` say.

A record's `key` never changes while it lives: for IAM entities it is the unique id, so that a rename keeps every
reference. Names collide without regard to case (IAM User Guide, "IAM identifiers"), hence the `name` indexes hold
`fold`ed names. Times are seconds since the epoch, whole. Documents are kept as the text that was given. Fields that
come later have defaults, so that older rows can be read; a change that a default can't express is a migration.
"""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import msgspec

ROOT = "root"
"""What stands for the root user where credentials name their user."""

GLOBAL = "global"
"""The account column of records that belong to no account: what must be unique or found across accounts."""

Index = Callable[[Any], tuple[str, ...]]


def fold(name: str) -> str:
    """The form in which names collide: ASCII case is ignored, nothing else."""
    return name.lower() if name.isascii() else name


class Record(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What every record has: a kind (its column in the store), a key within account and kind, and indexes."""

    kind: ClassVar[str]
    indexes: ClassVar[Mapping[str, Index]] = {}

    @property
    def key(self) -> str:
        """The key that is unique within the account and kind."""
        raise TypeError(type(self).__name__)


class Tag(msgspec.Struct, frozen=True):
    """A tag as AWS spells it."""

    key: str
    value: str


class InlinePolicy(msgspec.Struct, frozen=True):
    """A policy embedded in a user, group or role."""

    policy_name: str
    document: str


class PasswordPolicy(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The account password policy, by the IAM API's members (UpdateAccountPasswordPolicy gives the defaults)."""

    minimum_password_length: int = 6
    require_symbols: bool = False
    require_numbers: bool = False
    require_uppercase_characters: bool = False
    require_lowercase_characters: bool = False
    allow_users_to_change_password: bool = False
    max_password_age: int | None = None
    password_reuse_prevention: int | None = None
    hard_expiry: bool | None = None


class AccountRecord(Record, frozen=True, kw_only=True, omit_defaults=True):
    """An AWS account; its key is its number."""

    kind = "account"
    account_id: str
    name: str
    created: int
    email: str = ""
    canonical_id: str = ""
    alias: str | None = None
    password_policy: PasswordPolicy | None = None
    suspended: bool = False
    first: bool = False
    """Whether this is the account that the first start made, from which accounts are managed."""
    root_password_last_used: int | None = None
    """When the root user last signed in with its password."""
    global_endpoint_token_version: int = 1
    """Of which version the account wants the tokens of STS's global endpoint to be: 1 or 2."""
    role_manager_enabled: bool = False
    """Whether IAM Role Manager is enabled: the account property RoleManager/Enabled."""

    @property
    def key(self) -> str:
        return self.account_id


class AccountAlias(Record, frozen=True, kw_only=True, omit_defaults=True):
    """An account alias, unique across all accounts; kept under GLOBAL."""

    kind = "account-alias"
    alias: str
    account_id: str

    @property
    def key(self) -> str:
        return self.alias


class Entity(Record, frozen=True, kw_only=True, omit_defaults=True):
    """What users, groups and roles share: a path, an ARN's parts, and policies."""

    path: str = "/"
    created: int
    inline_policies: tuple[InlinePolicy, ...] = ()
    attached_policies: tuple[str, ...] = ()
    """ARNs of managed policies, in the order they were attached."""


class User(Entity, frozen=True, kw_only=True, omit_defaults=True):
    """An IAM user; the key is its unique id (AIDA...)."""

    kind = "user"
    user_name: str
    user_id: str
    permissions_boundary: str | None = None
    tags: tuple[Tag, ...] = ()
    groups: tuple[str, ...] = ()
    """Unique ids of its groups, in the order it joined them."""
    password_last_used: int | None = None

    indexes = {
        "name": lambda user: (fold(user.user_name),),
        "group": lambda user: user.groups,
        "policy": lambda user: user.attached_policies,
        "boundary": lambda user: (user.permissions_boundary,) if user.permissions_boundary else (),
    }

    @property
    def key(self) -> str:
        return self.user_id


class Group(Entity, frozen=True, kw_only=True, omit_defaults=True):
    """An IAM group; the key is its unique id (AGPA...)."""

    kind = "group"
    group_name: str
    group_id: str

    indexes = {"name": lambda group: (fold(group.group_name),), "policy": lambda group: group.attached_policies}

    @property
    def key(self) -> str:
        return self.group_id


class SourceRoleTemplate(msgspec.Struct, frozen=True):
    """The version of a role template that a role was made from, and with which values of its parameters.

    `values` is None for roles of before these were kept.
    """

    template_arn: str
    template_minor_version: int
    values: tuple[tuple[str, str | tuple[str, ...]], ...] | None = None


class Role(Entity, frozen=True, kw_only=True, omit_defaults=True):
    """An IAM role; the key is its unique id (AROA...).

    `trust_policy` holds principals of users and roles as unique ids, so that a recreated namesake gains nothing.
    """

    kind = "role"
    role_name: str
    role_id: str
    trust_policy: str
    description: str | None = None
    max_session_duration: int = 3600
    permissions_boundary: str | None = None
    tags: tuple[Tag, ...] = ()
    service_linked: str | None = None
    """The service principal that a service-linked role belongs to."""
    source_template: SourceRoleTemplate | None = None
    """What AcquireRole made the role from."""

    indexes = {
        "name": lambda role: (fold(role.role_name),),
        "policy": lambda role: role.attached_policies,
        "boundary": lambda role: (role.permissions_boundary,) if role.permissions_boundary else (),
    }

    @property
    def key(self) -> str:
        return self.role_id


class PolicyVersion(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a customer managed policy."""

    version_id: str
    document: str
    created: int


class ManagedPolicy(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A customer managed policy; the key is its unique id (ANPA...)."""

    kind = "policy"
    policy_name: str
    policy_id: str
    arn: str
    path: str = "/"
    description: str | None = None
    created: int
    updated: int
    versions: tuple[PolicyVersion, ...]
    default_version_id: str
    last_version: int
    """The number of the newest version ever made; numbers are never used again."""
    tags: tuple[Tag, ...] = ()

    indexes = {"name": lambda policy: (fold(policy.policy_name),), "arn": lambda policy: (policy.arn,)}

    @property
    def key(self) -> str:
        return self.policy_id

    @property
    def document(self) -> str:
        """The text of the default version."""
        return next(v.document for v in self.versions if v.version_id == self.default_version_id)


class InstanceProfile(Record, frozen=True, kw_only=True, omit_defaults=True):
    """An instance profile; the key is its unique id (AIPA...)."""

    kind = "instance-profile"
    instance_profile_name: str
    instance_profile_id: str
    path: str = "/"
    created: int
    role_id: str | None = None
    tags: tuple[Tag, ...] = ()

    indexes = {
        "name": lambda profile: (fold(profile.instance_profile_name),),
        "role": lambda profile: (profile.role_id,) if profile.role_id else (),
    }

    @property
    def key(self) -> str:
        return self.instance_profile_id


class AccessKey(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A long-term access key of a user, or of the root user when `user_id` is None; the key is its id (AKIA...)."""

    kind = "access-key"
    access_key_id: str
    user_id: str | None
    sealed_secret: bytes
    status: str = "Active"
    created: int

    indexes = {"user": lambda key: (key.user_id or "root",)}

    @property
    def key(self) -> str:
        return self.access_key_id


class LoginProfile(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A user's console password, hashed; the key is the user's unique id, or ROOT for the root user's.

    An empty hash, which no password has, says that the root user may set one.
    """

    kind = "login-profile"
    user_id: str
    password_hash: str
    created: int
    changed: int
    reset_required: bool = False
    previous_hashes: tuple[str, ...] = ()
    """Hashes of earlier passwords, newest first, at most 24 (the largest PasswordReusePrevention)."""

    @property
    def key(self) -> str:
        return self.user_id


class MFADevice(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A device that shows one-time codes; the key is its serial number: a virtual one's ARN, or a hardware token's.

    `user_id` is ROOT for the root user's. A hardware token is here only while it is somebody's (`HardwareToken`).
    """

    kind = "mfa-device"
    serial_number: str
    path: str = "/"
    sealed_seed: bytes
    created: int
    user_id: str | None = None
    enabled: int | None = None
    drift: int = 0
    """How many steps the device's clock is ahead, as EnableMFADevice or ResyncMFADevice found it."""
    hardware: bool = False
    tags: tuple[Tag, ...] = ()

    indexes = {"user": lambda device: (device.user_id,) if device.user_id else ()}

    @property
    def key(self) -> str:
        return self.serial_number


class SSHPublicKey(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A user's SSH public key, for CodeCommit; the key is its id (APKA...)."""

    kind = "ssh-public-key"
    ssh_public_key_id: str
    user_id: str
    public_key: bytes
    """The key as SubjectPublicKeyInfo (RFC 5280, 4.1.2.7) in DER."""
    status: str = "Active"
    uploaded: int

    indexes = {"user": lambda key: (key.user_id,)}

    @property
    def key(self) -> str:
        return self.ssh_public_key_id


class SigningCertificate(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A signing certificate of a user, or of the root user when `user_id` is None; the key is its id."""

    kind = "signing-certificate"
    certificate_id: str
    user_id: str | None
    certificate_body: str
    """The certificate in PEM, as it was given."""
    status: str = "Active"
    uploaded: int

    indexes = {"user": lambda certificate: (certificate.user_id or "root",)}

    @property
    def key(self) -> str:
        return self.certificate_id


class ServiceSpecificCredential(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A user's credential for one service; the key is its id (ACCA...)."""

    kind = "service-specific-credential"
    service_specific_credential_id: str
    user_id: str
    service_name: str
    """The service's principal, in lower case."""
    service_user_name: str
    """Its public name, an API key's alias: no other credential of the account for this service has it."""
    sealed_password: bytes
    status: str = "Active"
    created: int
    expires: int | None = None

    indexes = {
        "user": lambda credential: (credential.user_id,),
        "name": lambda credential: (f"{credential.service_name} {credential.service_user_name}",),
    }

    @property
    def key(self) -> str:
        return self.service_specific_credential_id


class ServerCertificate(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A server certificate; the key is its unique id (ASCA...)."""

    kind = "server-certificate"
    server_certificate_name: str
    server_certificate_id: str
    path: str = "/"
    certificate_body: str
    certificate_chain: str | None = None
    sealed_private_key: bytes
    """PKCS#8 in DER, sealed."""
    uploaded: int
    expires: int
    tags: tuple[Tag, ...] = ()

    indexes = {"name": lambda certificate: (fold(certificate.server_certificate_name),)}

    @property
    def key(self) -> str:
        return self.server_certificate_id


class Quarantine(Record, frozen=True, kw_only=True, omit_defaults=True):
    """Something that was cut: no session that began up to `time` and derives from it is let in; kept under GLOBAL.

    `subject` is an access key id, the unique id of a user or role, or an account's number for its root user.
    """

    kind = "quarantine"
    subject: str
    account_id: str
    time: int

    @property
    def key(self) -> str:
        return self.subject


def _instance(resource: "Resource") -> tuple[str, ...]:
    """What an EC2 instance is looked up by: its id and, while it runs with an instance profile, that it does."""
    if ":instance/i-" not in resource.arn:
        return ()
    is_profiled = bool(resource.facts.get("profile")) and resource.facts.get("state") == "running"
    return (resource.arn.rpartition("/")[2], *(("profiled",) if is_profiled else ()))


class Resource(Record, frozen=True, kw_only=True, omit_defaults=True):
    """What iamd knows of a backend's resource: owner, policy, tags; kept under GLOBAL by ARN.

    `backend_boot` names the run of a backend that forgets on restart; the facts die with it (interface of the store).
    A policy that was forwarded and not yet answered is `pending`; until the outcome is known, both decide.
    """

    kind = "resource"
    arn: str
    owner: str
    created: int
    backend_boot: str | None = None
    place: str | None = None
    """The backend that a bucket was made at, by its name in the settings, where there are several for buckets."""
    policy: str | None = None
    pending_policy: str | None = None
    has_pending: bool = False
    tags: tuple[Tag, ...] = ()
    facts: Mapping[str, str] = {}
    """What decisions need beyond that: a table's partition keys by index, a secret's `name`."""

    indexes = {
        "owner": lambda resource: (resource.owner,),
        "name": lambda resource: (resource.facts["name"],) if "name" in resource.facts else (),
        "instance": _instance,
    }

    @property
    def key(self) -> str:
        return self.arn
