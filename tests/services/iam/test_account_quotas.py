"""How many users, roles, policies and so on an account has at most; the operations run on a state, not a server."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from iamd.auth.sealing import Keyring
from iamd.services.iam import instance_profiles, mfa_devices, policies, roles, service_linked_roles, users
from iamd.services.iam.errors import LimitExceeded
from iamd.store.account import Account, Snapshot
from iamd.store.change import Change
from iamd.store.records import AccountRecord, InstanceProfile, ManagedPolicy, MFADevice, PolicyVersion, Role, User

ACCOUNT = "123456789012"
KEYRING = Keyring.generate()
POLICY = json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}})
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"},
    },
)


def call_on(change: Change) -> Any:
    """What these operations use of a Call."""
    return SimpleNamespace(
        view=change,
        account=change.draft(ACCOUNT),
        now=0,
        put=lambda record: change.put(ACCOUNT, record),
        identity=SimpleNamespace(account_id=ACCOUNT),
        keyring=KEYRING,
    )


def user(number: int) -> User:
    return User(user_name=f"u{number}", user_id=f"AIDA{number:017}", created=0)


def device(number: int) -> MFADevice:
    return MFADevice(serial_number=f"arn:aws:iam::{ACCOUNT}:mfa/d{number}", sealed_seed=b"", created=0)


def role(number: int) -> Role:
    return Role(role_name=f"r{number}", role_id=f"AROA{number:017}", created=0, trust_policy=TRUST)


def policy(number: int) -> ManagedPolicy:
    return ManagedPolicy(
        policy_name=f"p{number}",
        policy_id=f"ANPA{number:017}",
        arn=f"arn:aws:iam::{ACCOUNT}:policy/p{number}",
        created=0,
        updated=0,
        versions=(PolicyVersion(version_id="v1", document=POLICY, created=0),),
        default_version_id="v1",
        last_version=1,
    )


def profile(number: int) -> InstanceProfile:
    return InstanceProfile(instance_profile_name=f"i{number}", instance_profile_id=f"AIPA{number:017}", created=0)


@pytest.mark.parametrize(
    ("record", "quota", "name", "create"),
    [
        (user, 5000, "UsersPerAccount", lambda call: users.create_user(call, user_name="new")),
        (device, 5000, "VirtualMFADevicesPerAccount", lambda call: mfa_devices.create_virtual_mfa_device(
            call, virtual_mfa_device_name="new")),
        (role, 1000, "RolesPerAccount", lambda call: roles.create_role(
            call, role_name="new", assume_role_policy_document=TRUST)),
        (role, 1000, "RolesPerAccount", lambda call: service_linked_roles.create_service_linked_role(
            call, aws_service_name="ecs.amazonaws.com")),
        (policy, 1500, "PoliciesPerAccount", lambda call: policies.create_policy(
            call, policy_name="new", policy_document=POLICY)),
        (profile, 1000, "InstanceProfilesPerAccount", lambda call: instance_profiles.create_instance_profile(
            call, instance_profile_name="new")),
    ],
)  # fmt: skip
def test_a_quota_is_reached_and_not_passed(record, quota, name, create):
    records = [record(number) for number in range(quota)]
    almost_full = holding(records[1:])
    create(call_on(almost_full))
    assert almost_full.draft(ACCOUNT).count(type(records[0])) == quota
    with pytest.raises(LimitExceeded, match=f"Cannot exceed quota for {name}: {quota}"):
        create(call_on(holding(records)))


def holding(records: list[Any]) -> Change:
    change = Change(Snapshot(0, {ACCOUNT: Account(ACCOUNT)}, {}))
    change.put(ACCOUNT, AccountRecord(account_id=ACCOUNT, name="iamd", created=0))
    for one in records:
        change.put(ACCOUNT, one)
    return change
