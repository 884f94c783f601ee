"""fsck finds whatever does not fit together in a store."""

import apsw
import pytest
from store.making import ACCOUNT, KEY, account, event, open_store, user

from iamd.store.fsck import check
from iamd.store.organization_records import Membership, Organization, OrganizationalUnit, OrganizationPolicy
from iamd.store.records import (
    AccessKey,
    AccountAlias,
    Group,
    InstanceProfile,
    LoginProfile,
    ManagedPolicy,
    MFADevice,
    PolicyVersion,
    Role,
    ServerCertificate,
    ServiceSpecificCredential,
    SigningCertificate,
    SSHPublicKey,
    Tag,
)

ARN = f"arn:aws:iam::{ACCOUNT}:policy/p"
AWS_MANAGED = "arn:aws:iam::aws:policy/AdministratorAccess"


def key(number, user_id="AIDA1"):
    return AccessKey(access_key_id=f"AKIA{number}", user_id=user_id, sealed_secret=b"", created=1)


def policy(versions=("v1",), default="v1", **fields):
    made = tuple(PolicyVersion(version_id=version, document="{}", created=1) for version in versions)
    fields = {"policy_id": "ANPA1", "policy_name": "p", "arn": ARN, "created": 1, "updated": 1} | fields
    return ManagedPolicy(versions=made, default_version_id=default, last_version=9, **fields)


def group(number, name=None):
    return Group(group_name=name or f"g{number}", group_id=f"AGPA{number}", created=1)


def role(**fields):
    return Role(role_name="r", role_id="AROA1", trust_policy="{}", created=1, **fields)


def profile(role_id):
    return InstanceProfile(instance_profile_name="ip", instance_profile_id="AIPA1", created=1, role_id=role_id)


def device(number, user_id="AIDA1"):
    return MFADevice(serial_number=f"mfa{number}", sealed_seed=b"", created=1, user_id=user_id)


def ssh_key(number, user_id="AIDA1"):
    return SSHPublicKey(ssh_public_key_id=f"APKA{number}", user_id=user_id, public_key=b"", uploaded=1)


def certificate(number, user_id="AIDA1"):
    return SigningCertificate(certificate_id=f"CERT{number}", user_id=user_id, certificate_body="", uploaded=1)


def of_service(number, user_id="AIDA1", service="codecommit.amazonaws.com"):
    return ServiceSpecificCredential(
        service_specific_credential_id=f"ACCA{number}",
        user_id=user_id,
        service_name=service,
        service_user_name=f"user-{number}",
        sealed_password=b"",
        created=1,
    )


def server_certificate(number, name=None, **fields):
    return ServerCertificate(
        server_certificate_name=name or f"s{number}",
        server_certificate_id=f"ASCA{number}",
        certificate_body="",
        sealed_private_key=b"",
        uploaded=1,
        expires=2,
        **fields,
    )


SOUND = [
    account(),
    user(1, groups=("AGPA1",), attached_policies=(ARN, AWS_MANAGED), permissions_boundary=ARN),
    group(1),
    role(attached_policies=(ARN,)),
    policy(("v1", "v3"), "v3"),
    profile("AROA1"),
    key(1),
    key(2),
    key(3, None),
    LoginProfile(user_id="AIDA1", password_hash="", created=1, changed=1),
    device(1),
    device(2, "root"),
    device(3, None),
    *map(ssh_key, range(1, 6)),
    *map(certificate, (1, 2)),
    certificate(4, None),
    server_certificate(1),
    *map(of_service, (1, 2)),
    of_service(3, service="logs.amazonaws.com"),
]

UNSOUND = {
    "user `user-1` is in the group AGPA9, which is none": user(1, groups=("AGPA9",)),
    "user `user-1` is in 2 groups, or in one of them twice": user(1, groups=("AGPA1", "AGPA1")),
    "user `AIDA1` has the policy `arn:x`, which is none": user(1, attached_policies=("arn:x",)),
    "user `AIDA1` has the policy `arn:y`, which is none": user(1, permissions_boundary="arn:y"),
    "role `AROA1` has the policy `arn:y`, which is none": role(permissions_boundary="arn:y"),
    "group `AGPA2` has the policy `arn:x`, which is none": Group(
        group_name="g2", group_id="AGPA2", created=1, attached_policies=("arn:x",)
    ),
    "instance profile `ip` has the role AROA9, which is none": profile("AROA9"),
    "user AIDA9 has credentials and is none": key(9, "AIDA9"),
    "user AIDA8 has credentials and is none": LoginProfile(user_id="AIDA8", password_hash="", created=1, changed=1),
    "user AIDA7 has credentials and is none": device(9, "AIDA7"),
    "user AIDA6 has credentials and is none": ssh_key(9, "AIDA6"),
    "user AIDA1 has 3 access keys": key(4),
    "user AIDA5 has credentials and is none": certificate(9, "AIDA5"),
    "user AIDA1 has 3 signing certificates": certificate(3),
    "user AIDA4 has credentials and is none": of_service(9, "AIDA4"),
    "user AIDA1 has 3 credentials for codecommit.amazonaws.com": of_service(4),
    "user AIDA1 has 6 SSH public keys": ssh_key(6),
    f"policy `{ARN}` has the default version v2, which is none": policy(("v1",), "v2"),
    f"policy `{ARN}` has 6 versions, or one of them twice": policy(tuple(f"v{n}" for n in range(1, 7))),
    "2 users are named `user-1`": user(2, "USER-1"),
    "2 groups are named `g1`": group(2, "G1"),
    "2 server-certificates are named `s1`": server_certificate(2, "S1"),
    "server-certificate `ASCA1` has 51 tags": server_certificate(1, tags=tuple(Tag(str(n), "") for n in range(51))),
    "role `AROA1` has 51 tags": role(tags=tuple(Tag(str(n), "") for n in range(51))),
}


FULL = ("p-FullAWSAccess", "p-own")


def organization(**fields):
    return Organization(
        organization_id="o-1",
        management_account_id=ACCOUNT,
        root_id="r-1",
        feature_set="ALL",
        created=1,
        attached_policies=FULL,
        **fields,
    )


def unit(organization_id="o-1", parent_id="r-1", attached_policies=FULL):
    return OrganizationalUnit(
        organizational_unit_id="ou-1",
        organization_id=organization_id,
        parent_id=parent_id,
        name="ou",
        attached_policies=attached_policies,
    )


def membership(account_id=ACCOUNT, parent_id="ou-1"):
    return Membership(
        account_id=account_id,
        organization_id="o-1",
        parent_id=parent_id,
        joined=1,
        joined_method="CREATED",
        attached_policies=FULL,
    )


SOUND_ORGANIZATION = [
    organization(),
    unit(),
    membership(),
    OrganizationPolicy(
        policy_id="p-own",
        organization_id="o-1",
        type="SERVICE_CONTROL_POLICY",
        name="own",
        description="",
        content="{}",
    ),
]

UNSOUND_ORGANIZATION = {
    "organizational-unit `ou-1` is in the organization o-9, which is none": unit("o-9"),
    "organizational-unit `ou-1` is in r-9, which is none": unit("o-1", "r-9"),
    "organizational-unit `ou-1` has the policy p-9, which is none": unit(attached_policies=("p-9",)),
    f"membership `{ACCOUNT}` is in ou-9, which is none": membership(parent_id="ou-9"),
    "membership `999999999999` is that of an account that is none": membership("999999999999"),
}


@pytest.fixture
def made(tmp_path):
    """A folder with a store of these records."""

    def make(*records, account_id=ACCOUNT):
        store = open_store(tmp_path)

        def work(change):
            for record in records:
                change.put(account_id, record)
            change.record_event(event(1))

        store.write(work).result()
        store.close()
        return tmp_path

    return make


def test_sound_store_has_no_findings(made):
    assert check(made(*SOUND), KEY) == []


@pytest.mark.parametrize("finding", UNSOUND)
def test_each_fault_is_the_one_finding(made, finding):
    assert check(made(*SOUND, UNSOUND[finding]), KEY) == [f"account {ACCOUNT}: {finding}"]


def test_sound_organization_has_no_findings(made):
    made(account())
    assert check(made(*SOUND_ORGANIZATION, account_id="global"), KEY) == []


@pytest.mark.parametrize("finding", UNSOUND_ORGANIZATION)
def test_each_fault_of_an_organization_is_the_one_finding(made, finding):
    made(account())
    folder = made(*SOUND_ORGANIZATION, UNSOUND_ORGANIZATION[finding], account_id="global")
    assert check(folder, KEY) == [f"account global: {finding}"]


def test_group_and_device_limits_are_checked(made):
    groups = [group(number) for number in range(11)]
    member = user(1, groups=tuple(record.group_id for record in groups))
    devices = [device(number) for number in range(9)]
    assert check(made(account(), member, *groups, *devices), KEY) == [
        f"account {ACCOUNT}: user `user-1` is in 11 groups, or in one of them twice",
        f"account {ACCOUNT}: user AIDA1 has 9 MFA devices",
    ]


def test_records_of_no_account_are_found(made):
    assert check(made(user(1)), KEY) == [f"account {ACCOUNT}: it has records and is no account"]


def test_alias_of_another_account_is_found(made):
    made(account())
    folder = made(AccountAlias(alias="acme", account_id=ACCOUNT), account_id="global")
    assert check(folder, KEY) == [f"account global: alias `acme` is not that of account {ACCOUNT}"]


@pytest.mark.parametrize(
    ("sql", "finding"),
    [
        (
            "UPDATE records SET document = x'7b' WHERE kind = 'user'",
            "records: the user `AIDA1` in the database can't be",
        ),
        (
            "UPDATE records SET kind = 'quantum' WHERE kind = 'user'",
            "records: the database holds records of the kind `qua",
        ),
        (
            "UPDATE records SET key = 'AIDA2' WHERE kind = 'user'",
            "records: the user `AIDA2` in account 111111111111 says",
        ),
        ("DELETE FROM changes WHERE revision = 2", "revisions: 2 are logged between 1 and 3"),
        ("DELETE FROM changes", "revisions: there are records and no revision"),
        ("UPDATE events SET hash = x'00'", "audit: stream 1: event 1 is not what was written"),
    ],
)
def test_damage_behind_the_stores_back_is_found(made, sql, finding):
    for _ in range(3):
        folder = made(*SOUND)
    connection = apsw.Connection(str(folder / "iamd.db"))
    connection.execute(sql)
    connection.close()
    assert any(found.startswith(finding) for found in check(folder, KEY)), check(folder, KEY)


def test_damaged_index_is_found(made):
    folder = made(*SOUND)
    connection = apsw.Connection(str(folder / "iamd.db"))
    connection.execute("PRAGMA writable_schema=ON")
    connection.execute(
        "UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema WHERE name = 'first_records')"
        " WHERE name = 'records'"
    )
    connection.close()
    assert any(found.startswith("database: ") for found in check(folder, KEY))


def test_missing_or_foreign_file_is_one_finding(tmp_path):
    assert check(tmp_path, KEY) == [f"database: there is no database at `{tmp_path / 'iamd.db'}`"]
    (tmp_path / "iamd.db").write_text("something else " * 100)
    assert check(tmp_path, KEY) == ["database: the database is damaged or no database of iamd: file is not a database"]


def test_store_is_checked_while_it_is_written_to(tmp_path):
    store = open_store(tmp_path)
    store.write(lambda change: [change.put(ACCOUNT, record) for record in SOUND]).result()
    store.record_event(event(1))
    store.flush()
    assert check(tmp_path, KEY) == []
    store.close()
