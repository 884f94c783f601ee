"""An account's standing in its organization: its policies level by level, remembered, and never less than they are."""

import pytest
from msgspec.structs import replace

from iamd.auth.identity import ANONYMOUS, Identity
from iamd.authz import organizations
from iamd.authz.organizations import standing_of
from iamd.policy.document import PolicyType, load
from iamd.policy.request import PrincipalKind
from iamd.store.account import Account, Snapshot, Table
from iamd.store.change import Change
from iamd.store.organization_records import Membership, Organization, OrganizationalUnit, OrganizationPolicy
from iamd.store.records import GLOBAL, Role

MANAGEMENT, MEMBER = "111122223333", "444455556666"
SCP, RCP = "SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"
DENY = '{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"s3:*","Resource":"*"}}'
FULL = "p-FullAWSAccess"

ORGANIZATION = Organization(
    organization_id="o-1",
    management_account_id=MANAGEMENT,
    root_id="r-1",
    feature_set="ALL",
    created=1,
    policy_types=(SCP,),
    attached_policies=(FULL,),
)
OUTER = OrganizationalUnit(
    organizational_unit_id="ou-1", organization_id="o-1", parent_id="r-1", name="a", attached_policies=(FULL, "p-own")
)
INNER = OrganizationalUnit(
    organizational_unit_id="ou-2", organization_id="o-1", parent_id="ou-1", name="b", attached_policies=("p-own",)
)
OWN = OrganizationPolicy(policy_id="p-own", organization_id="o-1", type=SCP, name="own", description="", content=DENY)


def membership(account_id=MEMBER, parent_id="ou-2", organization_id="o-1"):
    return Membership(
        organization_id=organization_id,
        account_id=account_id,
        parent_id=parent_id,
        joined=1,
        joined_method="CREATED",
        attached_policies=(FULL,),
    )


def snapshot(*records):
    tables = {kind: Table.of(kind, [r for r in records if type(r) is kind]) for kind in {type(r) for r in records}}
    return Snapshot(1, {GLOBAL: Account(GLOBAL, tables)}, {})


WHOLE = (ORGANIZATION, OUTER, INNER, OWN, membership(), membership(MANAGEMENT, "r-1"))


def rcp_of(owner, action, identity, view):
    return organizations.rcp_of(standing_of(owner, view), action, identity, view)


def test_the_levels_go_from_the_root_to_the_account():
    standing = standing_of(MEMBER, snapshot(*WHOLE))
    assert standing.path == "o-1/r-1/ou-1/ou-2/"
    assert standing.scp_levels == (("ou-1", (FULL, "p-own")), ("ou-2", ("p-own",)))
    assert [level.level for level in standing.scp] == [0, 1]
    assert standing.scp[0].policies[1] is load(DENY, PolicyType.SCP)
    assert standing.rcp is None


def test_where_awss_own_policy_stands_alone_nothing_is_to_be_decided():
    only = {"attached_policies": (FULL,)}
    view = snapshot(ORGANIZATION, replace(OUTER, **only), replace(INNER, **only), membership())
    standing = standing_of(MEMBER, view)
    assert (standing.scp, standing.scp_levels) == ((), ())
    assert organizations.scp_of(Identity(PrincipalKind.ROOT, MEMBER, "", "", None), None, view) is None
    assert rcp_of(MEMBER, "s3:GetObject", ANONYMOUS, view) is None


def test_no_policy_binds_the_management_account():
    standing = standing_of(MANAGEMENT, snapshot(*WHOLE))
    assert (standing.organization_id, standing.path) == ("o-1", "o-1/r-1/")
    assert (standing.scp, standing.rcp) == (None, None)


def test_an_account_in_no_organization_has_no_standing():
    assert standing_of("777788889999", snapshot(*WHOLE)) is None


def test_a_snapshot_works_it_out_once(monkeypatch):
    view = snapshot(*WHOLE)
    first = standing_of(MEMBER, view)
    assert standing_of("777788889999", view) is None
    monkeypatch.setattr(organizations, "_standing", None)
    assert standing_of(MEMBER, view) is first
    assert standing_of("777788889999", view) is None


def test_a_change_sees_what_it_has_written():
    change = Change(snapshot(*WHOLE))
    assert len(standing_of(MEMBER, change).scp) == 2
    change.put(GLOBAL, membership(parent_id="r-1"))
    assert standing_of(MEMBER, change).path == "o-1/r-1/"


def unreadable(levels):
    return [[policy.unreadable is not None for policy in level.policies] for level in levels]


DAMAGED = {
    "an absent organization": (membership(),),
    "an absent unit": (ORGANIZATION, INNER, membership()),
    "a parent of another organization": (ORGANIZATION, membership(parent_id="r-1", organization_id="o-2")),
    "units in a circle": (
        ORGANIZATION,
        OrganizationalUnit(organizational_unit_id="ou-2", organization_id="o-1", parent_id="ou-2", name="b"),
        membership(),
    ),
}


@pytest.mark.parametrize("what", DAMAGED)
def test_damaged_records_deny_everything(what):
    standing = standing_of(MEMBER, snapshot(*DAMAGED[what]))
    assert unreadable(standing.scp) == [[True]]
    assert unreadable(standing.rcp) == [[True]]


def test_a_policy_that_is_not_there_denies_everything_at_its_level():
    standing = standing_of(MEMBER, snapshot(ORGANIZATION, OUTER, INNER, membership()))
    assert unreadable(standing.scp) == [[False, True], [True]]


def test_a_level_without_any_policy_allows_nothing():
    bare = replace(membership(), attached_policies=())
    standing = standing_of(MEMBER, snapshot(ORGANIZATION, replace(OUTER, attached_policies=(FULL,)), INNER, OWN, bare))
    assert standing.scp_levels == (("ou-2", ("p-own",)), (MEMBER, ()))
    assert standing.scp[1].policies == ()


def caller(role):
    return Identity(PrincipalKind.ROLE_SESSION, MEMBER, f"arn:aws:sts::{MEMBER}:assumed-role/r/s", "id", role.role_id)


@pytest.mark.parametrize("service", [None, "config.amazonaws.com"])
def test_no_policy_binds_a_service_linked_role(service):
    """AWS: neither SCPs nor RCPs do (orgs_manage_policies_scps, orgs_manage_policies_rcps)."""
    both = replace(ORGANIZATION, policy_types=(SCP, RCP), attached_policies=("p-own", "p-rcp"))
    role = Role(role_name="r", role_id="AROA1", trust_policy="{}", created=1, service_linked=service)
    tables = {
        GLOBAL: {Organization: [both], OrganizationalUnit: [OUTER, INNER], Membership: [membership()]},
        MEMBER: {Role: [role]},
    }
    accounts = {
        account_id: Account(account_id, {kind: Table.of(kind, records) for kind, records in kinds.items()})
        for account_id, kinds in tables.items()
    }
    view = Snapshot(1, accounts, {})
    identity = caller(role)
    assert (organizations.scp_of(identity, role, view) is None) is (service is not None)
    assert (rcp_of(MEMBER, "s3:GetObject", identity, view) is None) is (service is not None)


@pytest.mark.parametrize(
    ("action", "bound"),
    [("s3:GetObject", True), ("S3:getobject", True), ("iam:ListUsers", False), ("kms:Decrypt", True),
     ("kms:RetireGrant", False), ("nothing:Known", False)],
)  # fmt: skip
def test_rcps_reach_the_services_that_support_them(action, bound):
    view = snapshot(
        *(
            replace(one, policy_types=(SCP, RCP), attached_policies=("p-rcp",)) if one is ORGANIZATION else one
            for one in WHOLE
        )
    )
    assert (rcp_of(MEMBER, action, ANONYMOUS, view) is not None) is bound
    assert rcp_of(MANAGEMENT, action, ANONYMOUS, view) is None
    assert rcp_of("777788889999", action, ANONYMOUS, view) is None
