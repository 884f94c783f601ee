"""Versions of managed policies: up to five, one of them in force, their numbers never used again."""

from datetime import datetime
from typing import Any, NamedTuple

from msgspec.structs import replace

from iamd.call import Call
from iamd.data import managed_policies
from iamd.services.iam import arns, entities, quotas
from iamd.services.iam.entities import AnyPolicy, check_arn, moment, named_customer_policy, named_policy, policy_in
from iamd.services.iam.errors import DeleteConflict, LimitExceeded, NoSuchEntity
from iamd.services.iam.policy_documents import check_managed
from iamd.services.paging import page
from iamd.services.registry import operation, reading
from iamd.store.records import ManagedPolicy, PolicyVersion

MAX_VERSION_NUMBER = 9_999_999


class Version(NamedTuple):
    """What is shown of a version, whoever owns the policy."""

    version_id: str
    is_default: bool
    created: datetime | None


@operation(on=arns.changed_policy)
def create_policy_version(
    call: Call, *, policy_arn: str, policy_document: str, set_as_default: bool = False
) -> dict[str, Any]:
    """Add a version to a customer managed policy, and with `set_as_default` put it in force."""
    policy = named_customer_policy(call, policy_arn)
    check_managed(policy_document)
    if len(policy.versions) >= quotas.VERSIONS_PER_POLICY:
        raise LimitExceeded(
            f"A managed policy can have up to {quotas.VERSIONS_PER_POLICY} versions. Before you create a new version, "
            "you must delete an existing version."
        )
    number = policy.last_version + 1
    version = PolicyVersion(version_id=f"v{number}", document=policy_document, created=call.now)
    call.put(
        replace(
            policy,
            versions=(*policy.versions, version),
            last_version=number,
            updated=call.now,
            default_version_id=version.version_id if set_as_default else policy.default_version_id,
        )
    )
    return {"PolicyVersion": listed_version(Version(version.version_id, set_as_default, moment(version.created)))}


@reading(on=arns.policy)
def get_policy_version(call: Call, *, policy_arn: str, version_id: str) -> dict[str, Any]:
    """Show a version of a managed policy, AWS's or the customer's, with its document."""
    check_arn(policy_arn)
    policy = policy_in(call.account, policy_arn)
    if policy is None:
        raise _no_version(policy_arn, version_id)
    version = next((version for version in versions(policy) if version.version_id == version_id), None)
    if version is None:
        raise _no_version(policy_arn, version_id)
    return {"PolicyVersion": shown_version(policy, version)}


@reading(on=arns.policy)
def list_policy_versions(
    call: Call, *, policy_arn: str, marker: str | None = None, max_items: int | None = None
) -> dict[str, Any]:
    """List the versions of a managed policy, the newest first, without their documents."""
    found = versions(named_policy(call, policy_arn))
    cut, more = page(call, found, key=_newest_first, max_items=max_items, marker=marker, query=(policy_arn,))
    return {"Versions": [listed_version(version) for version in cut], **more}


@operation(on=arns.changed_policy)
def set_default_policy_version(call: Call, *, policy_arn: str, version_id: str) -> None:
    """Put a version of a customer managed policy in force for everybody who has the policy."""
    policy = _customer_policy(call, policy_arn, version_id)
    _own_version(policy, version_id)
    call.put(replace(policy, default_version_id=version_id))


@operation(on=arns.changed_policy)
def delete_policy_version(call: Call, *, policy_arn: str, version_id: str) -> None:
    """Delete a version of a customer managed policy that is not in force."""
    policy = _customer_policy(call, policy_arn, version_id)
    version = _own_version(policy, version_id)
    if version_id == policy.default_version_id:
        raise DeleteConflict("Cannot delete the default version of a policy.")
    call.put(replace(policy, versions=tuple(other for other in policy.versions if other is not version)))


def versions(policy: AnyPolicy) -> list[Version]:
    """The versions of a managed policy, the newest first."""
    default = policy.default_version_id
    if isinstance(policy, ManagedPolicy):
        own = reversed(policy.versions)
        return [Version(one.version_id, one.version_id == default, moment(one.created)) for one in own]
    return [Version(one.version_id, one.version_id == default, one.create_date) for one in policy.versions]


def listed_version(version: Version) -> dict[str, Any]:
    """A version without its document, as AWS lists and creates it."""
    dated = {} if version.created is None else {"CreateDate": version.created}
    return {"VersionId": version.version_id, "IsDefaultVersion": version.is_default} | dated


def shown_version(policy: AnyPolicy, version: Version) -> dict[str, Any]:
    """A version with its document."""
    return {"Document": entities.shown_document(_text(policy, version.version_id))} | listed_version(version)


def _newest_first(version: Version) -> str:
    return f"{MAX_VERSION_NUMBER - int(version.version_id[1:]):07}"


def _text(policy: AnyPolicy, version_id: str) -> str:
    if isinstance(policy, ManagedPolicy):
        return _own_version(policy, version_id).document
    return managed_policies.document(policy.arn, version_id)


def _customer_policy(call: Call, policy_arn: str, version_id: str) -> ManagedPolicy:
    """The account's own policy of this ARN; AWS: without one it is the version that does not exist (recorded, 2026)."""
    check_arn(policy_arn)
    policy = call.account.one(ManagedPolicy, "arn", policy_arn)
    if policy is None:
        raise _no_version(policy_arn, version_id)
    return policy


def _own_version(policy: ManagedPolicy, version_id: str) -> PolicyVersion:
    for version in policy.versions:
        if version.version_id == version_id:
            return version
    raise _no_version(policy.arn, version_id)


def _no_version(policy_arn: str, version_id: str) -> NoSuchEntity:
    return NoSuchEntity(f"Policy {policy_arn} version {version_id} does not exist or is not attachable.")
