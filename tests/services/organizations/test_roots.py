"""The root, and the policy types that are enabled in it."""

import pytest
from running import deny

SCP, RCP = "SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"


def types(organizations):
    [root] = organizations.list_roots()["Roots"]
    return [one["Type"] for one in root["PolicyTypes"] if one["Status"] == "ENABLED"]


def test_there_is_one_root(organizations, root_id, paged):
    assert [one["Id"] for one in paged(organizations.list_roots, "Roots")] == [root_id]


def test_enabling_a_type_attaches_awss_policy_everywhere(organizations, root_id, member):
    account_id = member().account_id
    unit = organizations.create_organizational_unit(ParentId=root_id, Name="a")["OrganizationalUnit"]["Id"]
    answer = organizations.enable_policy_type(RootId=root_id, PolicyType=RCP)["Root"]
    assert answer == organizations.list_roots()["Roots"][0]
    assert types(organizations) == [SCP, RCP]
    later = organizations.create_organizational_unit(ParentId=root_id, Name="b")["OrganizationalUnit"]["Id"]
    for target_id in (root_id, unit, account_id, later, member().account_id):
        for policy_type, policy_id in ((RCP, "p-RCPFullAWSAccess"), (SCP, "p-FullAWSAccess")):
            [found] = organizations.list_policies_for_target(TargetId=target_id, Filter=policy_type)["Policies"]
            assert found["Id"] == policy_id


def test_disabling_a_type_detaches_its_policies_for_good(organizations, root_id, policy):
    policy_id = policy(deny("s3:*"))
    organizations.attach_policy(PolicyId=policy_id, TargetId=root_id)
    answer = organizations.disable_policy_type(RootId=root_id, PolicyType=SCP)["Root"]
    assert answer["PolicyTypes"] == []
    assert types(organizations) == []
    assert organizations.list_policies_for_target(TargetId=root_id, Filter=SCP)["Policies"] == []
    assert organizations.list_targets_for_policy(PolicyId=policy_id)["Targets"] == []
    organizations.enable_policy_type(RootId=root_id, PolicyType=SCP)
    [found] = organizations.list_policies_for_target(TargetId=root_id, Filter=SCP)["Policies"]
    assert found["Id"] == "p-FullAWSAccess"
    assert organizations.describe_policy(PolicyId=policy_id)["Policy"]["PolicySummary"]["Id"] == policy_id


def test_a_type_is_enabled_once(organizations, root_id, refused):
    with refused("PolicyTypeAlreadyEnabledException", "The specified policy type is already enabled."):
        organizations.enable_policy_type(RootId=root_id, PolicyType=SCP)
    with refused("PolicyTypeNotEnabledException", "This operation can be performed only for enabled policy types."):
        organizations.disable_policy_type(RootId=root_id, PolicyType=RCP)
    assert types(organizations) == [SCP]


@pytest.mark.parametrize("operation", ["enable_policy_type", "disable_policy_type"])
def test_another_root_is_not_found(organizations, root_id, refused, operation):
    with refused("RootNotFoundException", "You specified a root that doesn't exist."):
        getattr(organizations, operation)(RootId="r-aaaaa", PolicyType=RCP)
    assert types(organizations) == [SCP]
