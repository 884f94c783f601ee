"""Policies of an organization, and what they are attached to."""

import json
import re

import pytest
from running import ACCOUNT, allow, deny

from iamd.services.organizations import quotas

SCP, RCP = "SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"
TAGS = [{"Key": "team", "Value": "blue"}]
CONTENT = json.dumps({"Version": "2012-10-17", "Statement": [deny("s3:*")]})
EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
RCP_CONTENT = json.dumps({"Version": "2012-10-17", "Statement": [{"Principal": "*", **deny("s3:*")}]})
GIVEN = {"Name": "no-s3", "Description": "Keeps S3 away", "Type": SCP, "Content": CONTENT}


def sized(length):
    """An SCP of so many characters."""
    empty = json.dumps({"Version": "2012-10-17", "Statement": [deny("s3:*") | {"Sid": ""}]})
    return empty.replace('"Sid": ""', f'"Sid": "{"a" * (length - len(empty))}"')


def test_a_policy_is_shown_as_it_was_made(organizations, root_id):
    made = organizations.create_policy(**GIVEN, Tags=TAGS)["Policy"]
    policy_id = made["PolicySummary"]["Id"]
    organization_id = organizations.describe_organization()["Organization"]["Id"]
    assert re.fullmatch(r"p-[0-9a-z]{8,128}", policy_id)
    assert made == {
        "PolicySummary": {
            "Id": policy_id,
            "Arn": f"arn:aws:organizations::{ACCOUNT}:policy/{organization_id}/service_control_policy/{policy_id}",
            "Name": "no-s3",
            "Description": "Keeps S3 away",
            "Type": SCP,
            "AwsManaged": False,
        },
        "Content": CONTENT,
    }
    assert organizations.describe_policy(PolicyId=policy_id)["Policy"] == made
    assert organizations.list_tags_for_resource(ResourceId=policy_id)["Tags"] == TAGS
    listed = organizations.list_policies(Filter=SCP)["Policies"]
    assert made["PolicySummary"] in listed


def test_awss_own_policies_are_shown_and_stay(organizations, root_id, refused):
    shown = organizations.describe_policy(PolicyId="p-FullAWSAccess")["Policy"]
    assert json.loads(shown["Content"]) == EVERYTHING
    assert shown["PolicySummary"]["AwsManaged"] is True
    assert shown["PolicySummary"]["Arn"] == ("arn:aws:organizations::aws:policy/service_control_policy/p-FullAWSAccess")
    rcp = organizations.describe_policy(PolicyId="p-RCPFullAWSAccess")["Policy"]
    [statement] = json.loads(rcp["Content"])["Statement"]
    assert statement == {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
    with refused("InvalidInputException", Reason="IMMUTABLE_POLICY"):
        organizations.update_policy(PolicyId="p-FullAWSAccess", Name="mine")
    with refused("InvalidInputException", Reason="IMMUTABLE_POLICY"):
        organizations.delete_policy(PolicyId="p-FullAWSAccess")
    assert organizations.describe_policy(PolicyId="p-FullAWSAccess")["Policy"] == shown


def test_policies_are_listed_by_type_in_pages(organizations, root_id, policy, paged):
    scp = policy(deny("s3:*"))
    rcp = policy(Type=RCP, Content=RCP_CONTENT)
    assert {one["Id"] for one in paged(organizations.list_policies, "Policies", Filter=SCP)} == {
        "p-FullAWSAccess",
        scp,
    }
    assert {one["Id"] for one in organizations.list_policies(Filter=RCP)["Policies"]} == {"p-RCPFullAWSAccess", rcp}
    assert organizations.list_policies(Filter="TAG_POLICY")["Policies"] == []


def test_names_are_of_one_policy(organizations, root_id, policy, refused):
    first, second = policy(deny("s3:*"), Name="a"), policy(deny("s3:*"), Name="b")
    with refused("DuplicatePolicyException", "A policy with the same name already exists."):
        organizations.create_policy(**GIVEN | {"Name": "a"})
    with refused("DuplicatePolicyException"):
        organizations.create_policy(**GIVEN | {"Name": "FullAWSAccess"})
    with refused("DuplicatePolicyException"):
        organizations.update_policy(PolicyId=second, Name="a")
    organizations.update_policy(PolicyId=first, Name="a")
    assert len(organizations.list_policies(Filter=SCP)["Policies"]) == 3


def test_an_update_changes_what_is_given(organizations, root_id, policy):
    policy_id = policy(deny("s3:*"), Name="a", Description="before")
    before = organizations.describe_policy(PolicyId=policy_id)["Policy"]
    assert organizations.update_policy(PolicyId=policy_id)["Policy"] == before
    organizations.update_policy(PolicyId=policy_id, Description="")
    organizations.update_policy(PolicyId=policy_id, Name="b")
    organizations.update_policy(PolicyId=policy_id, Content=CONTENT)
    after = organizations.describe_policy(PolicyId=policy_id)["Policy"]
    assert after["PolicySummary"] == before["PolicySummary"] | {"Name": "b", "Description": ""}
    assert after["Content"] == CONTENT


MALFORMED = {
    "no JSON": "{",
    "an empty object": "{}",
    "a principal": json.dumps({"Version": "2012-10-17", "Statement": [{"Principal": "*", **deny("s3:*")}]}),
    "no action": json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Resource": "*"}]}),
    "no version": json.dumps({"Statement": [deny("s3:*")]}),
    "the old version": json.dumps({"Version": "2008-10-17", "Statement": [deny("s3:*")]}),
    "an unknown element": json.dumps({"Version": "2012-10-17", "Statement": [{"Why": "so", **deny("s3:*")}]}),
}


@pytest.mark.parametrize("what", MALFORMED)
def test_a_malformed_scp_is_not_stored(organizations, root_id, policy, refused, what):
    words = "The provided policy document does not meet the requirements of the specified policy type."
    policy_id = policy(deny("s3:*"))
    with refused("MalformedPolicyDocumentException", words):
        organizations.create_policy(**GIVEN | {"Content": MALFORMED[what]})
    before = organizations.describe_policy(PolicyId=policy_id)
    with refused("MalformedPolicyDocumentException", words):
        organizations.update_policy(PolicyId=policy_id, Content=MALFORMED[what])
    assert organizations.describe_policy(PolicyId=policy_id)["Policy"] == before["Policy"]


@pytest.mark.parametrize(
    "statement",
    [
        deny("s3:*"),
        {"Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, **deny("s3:*")},
        {"Principal": "*", **allow("s3:*")},
        {"Principal": "*", "Effect": "Deny", "NotAction": "s3:*", "Resource": "*"},
        {"Principal": ["*"], **deny("s3:*")},
        {"NotPrincipal": "*", **deny("s3:*")},
        {"Principal": "*", **deny("*")},
        {"Principal": "*", **deny("iam:CreateUser")},
        {"Principal": "*", **deny("sns:*")},
        {"Principal": "*", **deny("es:*")},
        {"Principal": "*", **deny("nosuch:Read")},
        {"Principal": "*", **deny(["s3:GetObject", "iam:CreateUser"])},
    ],
)
def test_a_malformed_rcp_is_not_stored(organizations, root_id, policy, refused, statement):
    """AWS's recorded answers, and the services that support RCPs (orgs_manage_policies_rcps)."""
    words = "The provided policy document does not meet the requirements of the specified policy type."
    content = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    with refused("MalformedPolicyDocumentException", words):
        organizations.create_policy(**GIVEN | {"Type": RCP, "Content": content})
    assert len(organizations.list_policies(Filter=RCP)["Policies"]) == 1
    policy_id = policy(Type=RCP, Content=RCP_CONTENT)
    with refused("MalformedPolicyDocumentException", words):
        organizations.update_policy(PolicyId=policy_id, Content=content)


@pytest.mark.parametrize(("kind", "principal"), [(SCP, {}), (RCP, {"Principal": "*"})])
def test_a_statement_id_is_any_text_that_the_policy_has_once(organizations, root_id, policy, refused, kind, principal):
    """AWS names no characters for it (orgs_manage_policies_scps_syntax and orgs_manage_policies_rcps_syntax, "Sid")."""

    def content(*sids):
        statements = [{"Sid": sid, **principal, **deny("s3:*")} for sid in sids]
        return json.dumps({"Version": "2012-10-17", "Statement": statements})

    taken = content("Deny S3", "deny_s3", "deny-s3", "é", "DenyS3", "denyS3", "", "")
    policy_id = policy(Type=kind, Content=taken)
    with refused("MalformedPolicyDocumentException"):
        organizations.update_policy(PolicyId=policy_id, Content=content("DenyS3", "DenyS3"))
    assert organizations.describe_policy(PolicyId=policy_id)["Policy"]["Content"] == taken


@pytest.mark.parametrize(
    "statement",
    [
        {"Principal": {"AWS": "*"}, **deny("sqs:SendMessage")},
        {"Principal": "*", **deny("SQS:SendMessage")},
        {"Principal": "*", **deny("sqs:NoSuchAction")},
        {"Principal": "*", **deny(["sts:*", "opensearch:*"])},
        {
            "Principal": "*",
            "Effect": "Deny",
            "Action": "sqs:*",
            "NotResource": "arn:aws:sqs:us-east-1:222222222222:jobs",
        },
    ],
)
@pytest.mark.parametrize("version", [{"Version": "2012-10-17"}, {"Version": "2008-10-17"}, {}])
def test_an_rcp_that_aws_takes_is_stored(organizations, root_id, policy, statement, version):
    """AWS's recorded answers."""
    content = json.dumps({**version, "Statement": statement})
    policy_id = policy(Type=RCP, Content=content)
    assert organizations.describe_policy(PolicyId=policy_id)["Policy"]["Content"] == content


def test_a_policy_has_a_maximum_size(organizations, root_id, policy, refused):
    policy_id = policy(Content=sized(quotas.POLICY_SIZE[SCP]))
    with refused("ConstraintViolationException", Reason="POLICY_CONTENT_LIMIT_EXCEEDED"):
        organizations.create_policy(**GIVEN | {"Content": sized(10_241)})
    with refused("ConstraintViolationException", Reason="POLICY_CONTENT_LIMIT_EXCEEDED"):
        organizations.update_policy(PolicyId=policy_id, Content=sized(10_241))
    with refused("ConstraintViolationException", Reason="POLICY_CONTENT_LIMIT_EXCEEDED"):
        organizations.create_policy(**GIVEN | {"Type": RCP, "Content": RCP_CONTENT + " " * 5_120})
    assert len(organizations.describe_policy(PolicyId=policy_id)["Policy"]["Content"]) == 10_240


@pytest.mark.parametrize(("policy_type", "quota"), [(SCP, 10_000), (RCP, 1_000)])
def test_an_organization_has_a_quota_of_policies(policy_type, quota):
    with pytest.raises(quotas.ConstraintViolation) as caught:
        quotas.check("POLICY_NUMBER_LIMIT_EXCEEDED", quota + 1, quotas.POLICIES[policy_type])
    assert caught.value.members == {"Reason": "POLICY_NUMBER_LIMIT_EXCEEDED"}


def test_other_policy_types_are_not_available(organizations, root_id, refused):
    with refused("PolicyTypeNotAvailableForOrganizationException"):
        organizations.create_policy(**GIVEN | {"Type": "TAG_POLICY", "Content": '{"tags":{}}'})
    with refused("PolicyTypeNotAvailableForOrganizationException"):
        organizations.enable_policy_type(RootId=root_id, PolicyType="TAG_POLICY")
    [enabled] = organizations.list_roots()["Roots"][0]["PolicyTypes"]
    assert enabled["Type"] == SCP


def test_an_unknown_policy_is_not_found(organizations, root_id, refused):
    absent = {"PolicyId": "p-aaaaaaaa"}
    for operation in (
        organizations.describe_policy,
        organizations.update_policy,
        organizations.delete_policy,
        organizations.list_targets_for_policy,
    ):
        with refused("PolicyNotFoundException", "You specified a policy that doesn't exist."):
            operation(**absent)
    for operation in (organizations.attach_policy, organizations.detach_policy):
        with refused("PolicyNotFoundException"):
            operation(TargetId=root_id, **absent)


def test_what_policies_are_attached_to(organizations, root_id, policy, member, paged):
    unit = organizations.create_organizational_unit(ParentId=root_id, Name="unit")["OrganizationalUnit"]
    account_id = member(AccountName="dev").account_id
    policy_id = policy(deny("s3:*"))
    for target_id in (root_id, unit["Id"], account_id):
        organizations.attach_policy(PolicyId=policy_id, TargetId=target_id)
        attached = paged(organizations.list_policies_for_target, "Policies", TargetId=target_id, Filter=SCP)
        assert [one["Id"] for one in attached] == sorted(["p-FullAWSAccess", policy_id])
        assert organizations.list_policies_for_target(TargetId=target_id, Filter=RCP)["Policies"] == []
    targets = paged(organizations.list_targets_for_policy, "Targets", PolicyId=policy_id)
    organization_id = organizations.describe_organization()["Organization"]["Id"]
    assert {one["TargetId"]: (one["Name"], one["Type"], one["Arn"]) for one in targets} == {
        root_id: ("Root", "ROOT", f"arn:aws:organizations::{ACCOUNT}:root/{organization_id}/{root_id}"),
        unit["Id"]: ("unit", "ORGANIZATIONAL_UNIT", unit["Arn"]),
        account_id: ("dev", "ACCOUNT", f"arn:aws:organizations::{ACCOUNT}:account/{organization_id}/{account_id}"),
    }
    organizations.detach_policy(PolicyId=policy_id, TargetId=root_id)
    assert len(organizations.list_targets_for_policy(PolicyId=policy_id)["Targets"]) == 2


def test_what_can_not_be_attached(organizations, root_id, policy, refused):
    policy_id, rcp = policy(deny("s3:*")), policy(Type=RCP, Content=RCP_CONTENT)
    organizations.attach_policy(PolicyId=policy_id, TargetId=root_id)
    with refused("DuplicatePolicyAttachmentException"):
        organizations.attach_policy(PolicyId=policy_id, TargetId=root_id)
    with refused("PolicyTypeNotEnabledException"):
        organizations.attach_policy(PolicyId=rcp, TargetId=root_id)
    with refused("TargetNotFoundException", "You specified a target that doesn't exist."):
        organizations.attach_policy(PolicyId=policy_id, TargetId="999999999999")
    with refused("TargetNotFoundException"):
        organizations.detach_policy(PolicyId=policy_id, TargetId="999999999999")
    with refused("TargetNotFoundException"):
        organizations.list_policies_for_target(TargetId="999999999999", Filter=SCP)
    assert len(organizations.list_targets_for_policy(PolicyId=policy_id)["Targets"]) == 1


@pytest.mark.parametrize(("policy_type", "quota"), [(SCP, 10), (RCP, 5)])
def test_a_node_has_a_quota_of_policies(organizations, root_id, policy, refused, policy_type, quota):
    if policy_type == RCP:
        organizations.enable_policy_type(RootId=root_id, PolicyType=RCP)
    content = {SCP: CONTENT, RCP: RCP_CONTENT}[policy_type]
    made = [policy(Type=policy_type, Content=content) for _ in range(quota)]
    for policy_id in made[:-1]:
        organizations.attach_policy(PolicyId=policy_id, TargetId=root_id)
    with refused(
        "ConstraintViolationException",
        "You have attached the maximum number of policies to the specified target.",
        Reason="MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED",
    ):
        organizations.attach_policy(PolicyId=made[-1], TargetId=root_id)
    attached = organizations.list_policies_for_target(TargetId=root_id, Filter=policy_type)["Policies"]
    assert len(attached) == quota


def test_the_last_scp_and_awss_rcp_stay(organizations, root_id, policy, refused):
    with refused(
        "ConstraintViolationException",
        "You cannot remove the last policy attached to the specified target. "
        "You must have at least one attached at all times.",
        Reason="MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED",
    ):
        organizations.detach_policy(PolicyId="p-FullAWSAccess", TargetId=root_id)
    organizations.attach_policy(PolicyId=policy(allow("s3:*")), TargetId=root_id)
    organizations.detach_policy(PolicyId="p-FullAWSAccess", TargetId=root_id)
    with refused("PolicyNotAttachedException"):
        organizations.detach_policy(PolicyId="p-FullAWSAccess", TargetId=root_id)
    organizations.enable_policy_type(RootId=root_id, PolicyType=RCP)
    with refused("InvalidInputException", Reason="NON_DETACHABLE_POLICY"):
        organizations.detach_policy(PolicyId="p-RCPFullAWSAccess", TargetId=root_id)
    [left] = organizations.list_policies_for_target(TargetId=root_id, Filter=RCP)["Policies"]
    assert left["Id"] == "p-RCPFullAWSAccess"


def test_a_policy_in_use_is_not_deleted(organizations, root_id, policy, refused):
    policy_id = policy(deny("s3:*"))
    organizations.attach_policy(PolicyId=policy_id, TargetId=root_id)
    with refused("PolicyInUseException"):
        organizations.delete_policy(PolicyId=policy_id)
    organizations.detach_policy(PolicyId=policy_id, TargetId=root_id)
    organizations.delete_policy(PolicyId=policy_id)
    with refused("PolicyNotFoundException"):
        organizations.describe_policy(PolicyId=policy_id)


def test_the_policy_type_is_a_condition_key(aws, organizations, root_id, policy, refused):
    scps = {"StringEquals": {"organizations:PolicyType": SCP}}
    keeper = aws.client("organizations", aws.user("keeper", allow("organizations:*", **scps)))
    scp, rcp = policy(deny("s3:*")), policy(Type=RCP, Content=RCP_CONTENT)
    keeper.create_policy(**GIVEN)
    keeper.describe_policy(PolicyId=scp)
    keeper.update_policy(PolicyId=scp, Description="mine")
    keeper.attach_policy(PolicyId=scp, TargetId=root_id)
    keeper.detach_policy(PolicyId=scp, TargetId=root_id)
    keeper.list_targets_for_policy(PolicyId=scp)
    keeper.list_policies(Filter=SCP)
    keeper.list_policies_for_target(TargetId=root_id, Filter=SCP)
    keeper.delete_policy(PolicyId=scp)
    for operation, parameters in {
        keeper.create_policy: GIVEN | {"Name": "other", "Type": RCP, "Content": RCP_CONTENT},
        keeper.describe_policy: {"PolicyId": rcp},
        keeper.update_policy: {"PolicyId": rcp, "Description": "mine"},
        keeper.attach_policy: {"PolicyId": rcp, "TargetId": root_id},
        keeper.detach_policy: {"PolicyId": rcp, "TargetId": root_id},
        keeper.list_targets_for_policy: {"PolicyId": rcp},
        keeper.list_policies: {"Filter": RCP},
        keeper.list_policies_for_target: {"TargetId": root_id, "Filter": RCP},
        keeper.enable_policy_type: {"RootId": root_id, "PolicyType": RCP},
        keeper.delete_policy: {"PolicyId": rcp},
    }.items():
        with refused("AccessDeniedException"):
            operation(**parameters)


def test_attaching_needs_the_policy_and_the_target(aws, organizations, root_id, policy, refused):
    policy_id = policy(deny("s3:*"))
    arn = organizations.describe_policy(PolicyId=policy_id)["Policy"]["PolicySummary"]["Arn"]
    root = organizations.list_roots()["Roots"][0]["Arn"]
    half = aws.client("organizations", aws.user("half", allow("organizations:AttachPolicy", arn)))
    with refused(
        "AccessDeniedException",
        f"User: arn:aws:iam::{ACCOUNT}:user/half is not authorized to perform: organizations:AttachPolicy on "
        f"resource: {root} because no identity-based policy allows the organizations:AttachPolicy action",
    ):
        half.attach_policy(PolicyId=policy_id, TargetId=root_id)
    whole = aws.client("organizations", aws.user("whole", allow("organizations:AttachPolicy", [arn, root])))
    whole.attach_policy(PolicyId=policy_id, TargetId=root_id)
