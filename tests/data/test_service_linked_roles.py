import json
import re

import pytest

from iamd.data.managed_policies import catalogue
from iamd.data.service_linked_roles import POLICY_PATH, service_linked_role, service_linked_roles

ROLES = service_linked_roles()


def test_auto_scaling_has_the_role_and_policy_of_its_guide():
    # AWS: Amazon EC2 Auto Scaling User Guide, "Service-linked roles" (autoscaling-service-linked-role).
    role = service_linked_role("autoscaling.amazonaws.com")
    assert role.name() == "AWSServiceRoleForAutoScaling"
    assert role.name("team") == "AWSServiceRoleForAutoScaling_team"
    assert role.custom_suffix
    assert role.path == "/aws-service-role/autoscaling.amazonaws.com/"
    assert role.policy_arn == "arn:aws:iam::aws:policy/aws-service-role/AutoScalingServiceRolePolicy"


def test_the_trust_policy_names_the_service_alone():
    trust = json.loads(service_linked_role("ecs.amazonaws.com").trust_policy())
    assert trust["Statement"] == [
        {"Effect": "Allow", "Principal": {"Service": ["ecs.amazonaws.com"]}, "Action": ["sts:AssumeRole"]}
    ]


@pytest.mark.parametrize("service_name", ["sqs.amazonaws.com", "Autoscaling.amazonaws.com", "autoscaling", ""])
def test_other_names_have_no_role(service_name):
    assert service_linked_role(service_name) is None


def test_every_policy_is_in_the_catalogue_under_its_own_path():
    assert len(ROLES) >= 60
    for role in ROLES.values():
        assert role.policy_arn in catalogue(), role
        assert catalogue()[role.policy_arn].path == POLICY_PATH


def test_names_fit_what_iam_allows():
    for role in ROLES.values():
        assert re.fullmatch(r"[a-z0-9.-]+\.amazonaws\.com", role.service_name)
        assert re.fullmatch(r"AWSServiceRoleFor[\w-]+", role.role_name)
        assert len(role.role_name) <= 64, "role names have 64 characters at most"


def test_no_two_services_share_a_role_name_or_a_policy():
    assert len({role.role_name for role in ROLES.values()}) == len(ROLES)
    assert len({role.policy_name for role in ROLES.values()}) == len(ROLES)


def test_role_arns_in_aws_own_policies_agree_with_the_table():
    """AWS's policies name service-linked roles by ARN; where one names a service of the table, the role agrees."""
    agreed = 0
    for role in ROLES.values():
        names = _named_roles().get(role.service_name, set())
        agreed += any(re.fullmatch(name.replace("*", ".*"), role.role_name) for name in names)
    assert agreed > 100


def test_suffixes_are_where_aws_pages_show_them():
    assert {role.service_name.split(".amazonaws")[0] for role in ROLES.values() if role.custom_suffix} == {
        "autoscaling",
        "channels.lexv2",
        "connect",
        "lexv2",
        "profile",
        "replication.lexv2",
        "scraper.aps",
    }


def _named_roles(found={}):  # noqa: B006 - read once for all roles
    if not found:
        from iamd.data.managed_policies import _pack

        for policy in catalogue().values():
            version = policy.version(policy.default_version_id)
            text = _pack().block(version.block).decode()
            for service, name in re.findall(r'role/aws-service-role/([^/"*]+)/(AWS[^"]+)"', text):
                found.setdefault(service, set()).add(name)
    return found
