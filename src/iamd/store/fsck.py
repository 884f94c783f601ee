"""fsck: what is wrong with a store: its files, its records, what they refer to, their limits, its audit streams."""

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from iamd.data.organization_policies import MANAGED
from iamd.store.account import Account, Snapshot
from iamd.store.audit import verify
from iamd.store.errors import Unavailable
from iamd.store.log import Reading, State
from iamd.store.organization_records import Membership, Organization, OrganizationalUnit, OrganizationPolicy
from iamd.store.records import (
    GLOBAL,
    ROOT,
    AccessKey,
    AccountAlias,
    AccountRecord,
    Group,
    InstanceProfile,
    LoginProfile,
    ManagedPolicy,
    MFADevice,
    Record,
    Resource,
    Role,
    ServerCertificate,
    ServiceSpecificCredential,
    SigningCertificate,
    SSHPublicKey,
    User,
)
from iamd.store.sign_in_records import SecurityKey
from iamd.store.sqlite import existing_log
from iamd.store.state import record_of, snapshot_of

# IAM User Guide, "IAM and AWS STS quotas": these can't be raised.
ACCESS_KEYS_PER_USER = 2
GROUPS_PER_USER = 10
MFA_DEVICES_PER_USER = 8
SSH_PUBLIC_KEYS_PER_USER = 5
SIGNING_CERTIFICATES_PER_USER = 2
SERVICE_SPECIFIC_CREDENTIALS_PER_SERVICE = 2
VERSIONS_PER_POLICY = 5
TAGS = 50

AWS_MANAGED = "arn:aws:iam::aws:policy/"


def check(path: Path, audit_key: bytes | None) -> list[str]:
    """What is wrong with the store in a data folder or database file, one line each; the audit seals need their key.

    It may run beside a server. A file that can't be read at all is a finding like others.
    """
    try:
        log = existing_log(path)
    except Unavailable as error:
        return [f"database: {error}"]
    try:
        with log.reading() as reading:
            return findings(reading, audit_key)
    except Unavailable as error:
        return [f"database: {error}"]
    finally:
        log.close()


def findings(reading: Reading, audit_key: bytes | None) -> list[str]:
    """What is wrong with a store that can be read."""
    state = reading.everything()
    found = damage(reading, state, audit_key)
    readable = not list(_of_rows(state))
    return found + (_of_snapshot(snapshot_of(state)) if readable else [])


def damage(reading: Reading, state: State, audit_key: bytes | None) -> list[str]:
    """What iamd itself never does to a store: damaged files, records, revisions or audit streams."""
    found = [f"database: {line}" for line in reading.integrity()]
    found += [*_of_revisions(reading, state), *_of_rows(state)]
    return found + (verify(reading, audit_key) if audit_key is not None else [])


def _of_revisions(reading: Reading, state: State) -> Iterator[str]:
    newest, oldest, count = state.position.revision, reading.oldest_change(), reading.logged_revisions()
    if newest and count != newest - oldest + 1:
        yield f"revisions: {count} are logged between {oldest} and {newest}"
    if state.rows and not newest:
        yield "revisions: there are records and no revision"


def _of_rows(state: State) -> Iterator[str]:
    for row in state.rows:
        try:
            record = record_of(row)
        except Unavailable as error:
            yield f"records: {error}"
        else:
            if record.key != row.key:
                yield f"records: the {row.kind} `{row.key}` in account {row.account} says its key is `{record.key}`"


def _of_snapshot(snapshot: Snapshot) -> list[str]:
    found = list(_of_shared(snapshot))
    for account_id in snapshot.account_ids():
        account = snapshot.account(account_id) or Account(account_id)
        for test in _TESTS:
            found += [f"account {account_id}: {line}" for line in test(account)]
    return found


def _of_shared(snapshot: Snapshot) -> Iterator[str]:
    for alias in snapshot.shared.all(AccountAlias):
        account = snapshot.account(alias.account_id)
        record = account.get(AccountRecord, alias.account_id) if account is not None else None
        if record is None or record.alias != alias.alias:
            yield f"account {GLOBAL}: alias `{alias.alias}` is not that of account {alias.account_id}"
    for resource in snapshot.shared.all(Resource):
        if resource.has_pending and resource.backend_boot is None:
            yield (
                f"resource `{resource.arn}`: whether its backend took the policy that was set last is not known, and "
                "both decide; read the policy through iamd to settle it"
            )

    yield from (f"account {GLOBAL}: {line}" for line in _organizations(snapshot.shared, snapshot))


def _organizations(shared: Account, snapshot: Snapshot) -> Iterator[str]:
    parents = {organization.root_id for organization in shared.all(Organization)}
    parents |= {unit.key for unit in shared.all(OrganizationalUnit)}
    below: list[OrganizationalUnit | Membership] = [*shared.all(OrganizationalUnit), *shared.all(Membership)]
    for target in [*shared.all(Organization), *below]:
        if shared.get(Organization, target.organization_id) is None:
            yield f"{target.kind} `{target.key}` is in the organization {target.organization_id}, which is none"
        for policy_id in target.attached_policies:
            if policy_id not in MANAGED and shared.get(OrganizationPolicy, policy_id) is None:
                yield f"{target.kind} `{target.key}` has the policy {policy_id}, which is none"
    for child in below:
        if child.parent_id not in parents:
            yield f"{child.kind} `{child.key}` is in {child.parent_id}, which is none"
    for membership in shared.all(Membership):
        if snapshot.account(membership.account_id) is None:
            yield f"{membership.kind} `{membership.key}` is that of an account that is none"


def _accounts(account: Account) -> Iterator[str]:
    if account.get(AccountRecord, account.id) is None:
        yield "it has records and is no account"


def _names(account: Account) -> Iterator[str]:
    for kind in (User, Group, Role, ManagedPolicy, InstanceProfile, ServerCertificate):
        names = Counter(name for record in account.all(kind) for name in kind.indexes["name"](record))
        yield from (f"{times} {kind.kind}s are named `{name}`" for name, times in names.items() if times > 1)


def _groups(account: Account) -> Iterator[str]:
    for user in account.all(User):
        yield from (
            f"user `{user.user_name}` is in the group {g}, which is none" for g in _absent(account, Group, user.groups)
        )
        if len(user.groups) > GROUPS_PER_USER or len(set(user.groups)) != len(user.groups):
            yield f"user `{user.user_name}` is in {len(user.groups)} groups, or in one of them twice"


def _policies(account: Account) -> Iterator[str]:
    entities: list[User | Group | Role] = [*account.all(User), *account.all(Group), *account.all(Role)]
    for entity in entities:
        boundary = None if isinstance(entity, Group) else entity.permissions_boundary
        for arn in (*entity.attached_policies, *([boundary] if boundary else [])):
            if not arn.startswith(AWS_MANAGED) and account.one(ManagedPolicy, "arn", arn) is None:
                yield f"{entity.kind} `{entity.key}` has the policy `{arn}`, which is none"


def _versions(account: Account) -> Iterator[str]:
    for policy in account.all(ManagedPolicy):
        ids = [version.version_id for version in policy.versions]
        if policy.default_version_id not in ids:
            yield f"policy `{policy.arn}` has the default version {policy.default_version_id}, which is none"
        if len(ids) > VERSIONS_PER_POLICY or len(set(ids)) != len(ids):
            yield f"policy `{policy.arn}` has {len(ids)} versions, or one of them twice"


def _roles(account: Account) -> Iterator[str]:
    for profile in account.all(InstanceProfile):
        if profile.role_id is not None and account.get(Role, profile.role_id) is None:
            yield f"instance profile `{profile.instance_profile_name}` has the role {profile.role_id}, which is none"


def _credentials(account: Account) -> Iterator[str]:
    keys = Counter(key.user_id or ROOT for key in account.all(AccessKey))
    devices = Counter(device.user_id for device in account.all(MFADevice) if device.user_id is not None)
    devices.update(key.user_id for key in account.all(SecurityKey))
    passwords = Counter(profile.user_id for profile in account.all(LoginProfile))
    ssh_keys = Counter(key.user_id for key in account.all(SSHPublicKey))
    certificates = Counter(certificate.user_id or ROOT for certificate in account.all(SigningCertificate))
    of_services = Counter((one.user_id, one.service_name) for one in account.all(ServiceSpecificCredential))
    owners = {user_id for user_id, _ in of_services}
    for user_id in {*keys, *devices, *passwords, *ssh_keys, *certificates, *owners} - {ROOT}:
        if account.get(User, user_id) is None:
            yield f"user {user_id} has credentials and is none"
    yield from _more(keys, ACCESS_KEYS_PER_USER, "access keys")
    yield from _more(devices, MFA_DEVICES_PER_USER, "MFA devices")
    yield from _more(certificates, SIGNING_CERTIFICATES_PER_USER, "signing certificates")
    for (user_id, service), times in of_services.items():
        yield from _more(
            Counter({user_id: times}), SERVICE_SPECIFIC_CREDENTIALS_PER_SERVICE, f"credentials for {service}"
        )
    yield from _more(ssh_keys, SSH_PUBLIC_KEYS_PER_USER, "SSH public keys")


def _tags(account: Account) -> Iterator[str]:
    tagged: list[User | Role | ManagedPolicy | InstanceProfile | ServerCertificate] = [*account.all(User)]
    tagged += [*account.all(Role), *account.all(ManagedPolicy), *account.all(InstanceProfile)]
    tagged += account.all(ServerCertificate)
    for record in tagged:
        if len(record.tags) > TAGS:
            yield f"{record.kind} `{record.key}` has {len(record.tags)} tags"


def _more(counts: "Counter[str]", limit: int, what: str) -> Iterator[str]:
    return (f"user {user_id} has {count} {what}" for user_id, count in counts.items() if count > limit)


def _absent(account: Account, kind: type[Record], keys: tuple[str, ...]) -> list[str]:
    return [key for key in keys if account.get(kind, key) is None]


_TESTS: tuple[Callable[[Account], Iterator[str]], ...] = (
    _accounts,
    _names,
    _groups,
    _policies,
    _versions,
    _roles,
    _credentials,
    _tags,
)
