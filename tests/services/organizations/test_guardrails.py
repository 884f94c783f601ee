"""SCPs in force: whom they bind, level by level, in which words, and the keys that conditions know of organizations."""

import json

import pytest
from running import ACCOUNT, REGION, Credentials, allow, deny

SCP = "SERVICE_CONTROL_POLICY"
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
FULL = "p-FullAWSAccess"


@pytest.fixture
def unit(organizations, root_id):
    """`unit("a", parent)` is the id of a new unit."""

    def make(name, parent_id=root_id):
        return organizations.create_organizational_unit(ParentId=parent_id, Name=name)["OrganizationalUnit"]["Id"]

    return make


@pytest.fixture
def moved(organizations, root_id):
    """`moved(member, unit_id)` puts a member account from the root into a unit."""

    def move(one, unit_id):
        organizations.move_account(AccountId=one.account_id, SourceParentId=root_id, DestinationParentId=unit_id)

    return move


@pytest.fixture
def arn_of(organizations):
    """`arn_of(policy_id)` is the ARN of a policy."""
    return lambda policy_id: organizations.describe_policy(PolicyId=policy_id)["Policy"]["PolicySummary"]["Arn"]


def words(one, name, reason, action="iam:CreateUser"):
    """The denial of the member's administrator, who creates a user of this name."""
    return (
        f"User: arn:aws:sts::{one.account_id}:assumed-role/OrganizationAccountAccessRole/test is not authorized to "
        f"perform: {action} on resource: arn:aws:iam::{one.account_id}:user/{name} {reason}"
    )


def test_an_explicit_deny_is_told_as_one(aws, organizations, root_id, member, policy, arn_of, refused):
    """AWS: with the ARN of the policy ("Enhanced access denied error messages with policy ARNs", its example)."""
    one = member()
    policy_id = policy(deny("iam:CreateUser"))
    organizations.attach_policy(PolicyId=policy_id, TargetId=root_id)
    iam = one.client("iam")
    reason = f"with an explicit deny in a service control policy: {arn_of(policy_id)}"
    with refused("AccessDenied", words(one, "ann", reason)):
        iam.create_user(UserName="ann")
    assert iam.create_group(GroupName="devs")["Group"]["GroupName"] == "devs"
    assert aws.client("iam").create_user(UserName="ann")["User"]["UserName"] == "ann"


def test_what_no_scp_allows_is_told_so(organizations, member, policy, refused):
    one = member()
    organizations.attach_policy(PolicyId=policy(allow(["s3:*", "iam:List*"])), TargetId=one.account_id)
    iam = one.client("iam")
    assert iam.create_user(UserName="before")["User"]
    organizations.detach_policy(PolicyId=FULL, TargetId=one.account_id)
    reason = "because no service control policy allows the iam:CreateUser action"
    with refused("AccessDenied", words(one, "ann", reason)):
        iam.create_user(UserName="ann")
    assert [user["UserName"] for user in iam.list_users()["Users"]] == ["before"]


def test_every_level_must_allow(organizations, root_id, unit, member, moved, policy, refused):
    outer = unit("outer")
    inner = unit("inner", outer)
    one = member()
    moved(one, inner)
    iam = one.client("iam")
    listing, creating = policy(allow("iam:*")), policy(allow("iam:List*"))
    for number, target_id in enumerate((root_id, outer, inner, one.account_id)):
        organizations.attach_policy(PolicyId=listing, TargetId=target_id)
        organizations.attach_policy(PolicyId=creating, TargetId=target_id)
        organizations.detach_policy(PolicyId=FULL, TargetId=target_id)
        iam.create_user(UserName=f"ann-{number}")
        organizations.detach_policy(PolicyId=listing, TargetId=target_id)
        with refused("AccessDenied"):
            iam.create_user(UserName=f"bob-{number}")
        organizations.attach_policy(PolicyId=listing, TargetId=target_id)
    assert len(iam.list_users()["Users"]) == 4


def test_a_deny_binds_what_is_below_and_nothing_beside(organizations, unit, member, moved, policy, refused):
    upper, beside = unit("upper"), unit("beside")
    lower = unit("lower", upper)
    below, other = member(), member()
    moved(below, lower)
    moved(other, beside)
    policy_id = policy(deny("iam:CreateUser"))
    organizations.attach_policy(PolicyId=policy_id, TargetId=upper)
    with refused("AccessDenied"):
        below.client("iam").create_user(UserName="ann")
    other.client("iam").create_user(UserName="ann")
    organizations.move_account(AccountId=below.account_id, SourceParentId=lower, DestinationParentId=beside)
    below.client("iam").create_user(UserName="ann")
    organizations.move_account(AccountId=other.account_id, SourceParentId=beside, DestinationParentId=lower)
    with refused("AccessDenied"):
        other.client("iam").create_user(UserName="bob")
    organizations.detach_policy(PolicyId=policy_id, TargetId=upper)
    other.client("iam").create_user(UserName="bob")


def test_a_policys_new_content_binds_at_once(organizations, root_id, member, policy, refused):
    iam = member().client("iam")
    policy_id = policy(deny("s3:*"))
    organizations.attach_policy(PolicyId=policy_id, TargetId=root_id)
    iam.create_user(UserName="ann")
    content = {"Version": "2012-10-17", "Statement": [deny("iam:*")]}
    organizations.update_policy(PolicyId=policy_id, Content=json.dumps(content))
    with refused("AccessDenied"):
        iam.create_user(UserName="bob")
    organizations.disable_policy_type(RootId=root_id, PolicyType=SCP)
    iam.create_user(UserName="bob")


def test_users_and_the_root_user_of_a_member_are_bound(aws, organizations, root_id, member, policy, refused):
    one = member()
    user = one.user("ann", ADMINISTRATOR)
    organizations.attach_policy(PolicyId=policy(deny("iam:ListUsers")), TargetId=root_id)
    with refused("AccessDenied"):
        aws.client("iam", user).list_users()
    verdict = aws.iamd(
        "Can",
        one.credentials,
        PrincipalArn=f"arn:aws:iam::{one.account_id}:root",
        Action="iam:ListUsers",
        ResourceArn="*",
    )
    assert (verdict["Allowed"], verdict["Decision"]["Layer"]) == (False, "service control policy")


def test_nobody_of_the_management_account_is_bound(aws, organizations, root_id, member, policy):
    member()
    organizations.attach_policy(PolicyId=policy(deny("*")), TargetId=root_id)
    organizations.attach_policy(PolicyId=policy(deny("*"), Name="own"), TargetId=ACCOUNT)
    assert aws.client("iam").list_users()["Users"]
    user = aws.user("ann", allow("iam:ListUsers"))
    assert aws.client("iam", user).list_users()["Users"]


def test_an_account_outside_is_not_bound(aws, organizations, root_id, policy):
    organizations.attach_policy(PolicyId=policy(deny("*")), TargetId=root_id)
    added = aws.iamd("CreateAccount", Name="alone")
    alone = Credentials(added["AccessKeyId"], added["SecretAccessKey"])
    assert aws.client("iam", alone).list_users()["Users"]


def test_the_callers_account_decides_not_the_roles(aws, organizations, root_id, member, policy, arn_of, refused):
    """AWS: an SCP binds the principals of its accounts, whoever's role they assume."""
    one = member()
    role = f"arn:aws:iam::{one.account_id}:role/OrganizationAccountAccessRole"
    policy_id = policy(deny("sts:AssumeRole"))
    organizations.attach_policy(PolicyId=policy_id, TargetId=one.account_id)
    assert aws.client("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    trust = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": one.account_id}, "Action": "sts:AssumeRole"}
    ]}  # fmt: skip
    aws.client("iam").create_role(RoleName="open", AssumeRolePolicyDocument=json.dumps(trust))
    with refused(
        "AccessDenied",
        f"User: arn:aws:sts::{one.account_id}:assumed-role/OrganizationAccountAccessRole/test is not authorized to "
        f"perform: sts:AssumeRole on resource: arn:aws:iam::{ACCOUNT}:role/open "
        f"with an explicit deny in a service control policy: {arn_of(policy_id)}",
    ):
        one.client("sts").assume_role(RoleArn=f"arn:aws:iam::{ACCOUNT}:role/open", RoleSessionName="test")
    assert one.client("sts").get_caller_identity()["Account"] == one.account_id


def test_conditions_of_an_scp_count(organizations, root_id, member, policy, refused):
    one = member()
    role = f"arn:aws:iam::{one.account_id}:role/OrganizationAccountAccessRole"
    exempt = {"ArnNotEquals": {"aws:PrincipalArn": role}}
    elsewhere = {"StringNotEquals": {"aws:RequestedRegion": REGION}}
    organizations.attach_policy(PolicyId=policy(deny("iam:*", **exempt), deny("iam:*", **elsewhere)), TargetId=root_id)
    user = one.user("ann", ADMINISTRATOR)
    with refused("AccessDenied"):
        one.aws.client("iam", user).list_users()


def test_an_scp_grants_nothing(aws, organizations, root_id, member, policy, refused):
    one = member()
    organizations.attach_policy(PolicyId=policy(allow("iam:*")), TargetId=root_id)
    with refused(
        "AccessDenied",
        f"User: arn:aws:iam::{one.account_id}:user/ann is not authorized to perform: iam:ListUsers on resource: "
        f"arn:aws:iam::{one.account_id}:user/ because no identity-based policy allows the iam:ListUsers action",
    ):
        aws.client("iam", one.user("ann")).list_users()


def asked(aws, one, action="iam:CreateUser", resource=None):
    """The decision on what the member's administrator might do, as iamd tells it."""
    return aws.iamd(
        "Can",
        one.credentials,
        PrincipalArn=f"arn:aws:iam::{one.account_id}:role/OrganizationAccountAccessRole",
        Action=action,
        ResourceArn=resource or f"arn:aws:iam::{one.account_id}:user/ann",
    )["Decision"]


def test_explain_names_the_policy_and_its_level(aws, organizations, root_id, unit, member, moved, policy, arn_of):
    one, unit_id = member(), unit("a")
    moved(one, unit_id)
    policy_id = policy(deny("iam:CreateUser") | {"Sid": "NoUsers"})
    places = {f"root {root_id}": root_id, f"organizational unit {unit_id}": unit_id}
    places[f"account {one.account_id}"] = one.account_id
    for place, target_id in places.items():
        organizations.attach_policy(PolicyId=policy_id, TargetId=target_id)
        decision = asked(aws, one)
        name = f"{arn_of(policy_id)} (attached to {place})"
        assert decision["Statements"] == [
            {"Layer": "service control policy", "Policy": name, "Index": 0, "Sid": "NoUsers"}
            | {"Effect": "Deny", "Line": 1, "Column": 41}
        ]
        assert decision["Message"].endswith(f"with an explicit deny in a service control policy: {arn_of(policy_id)}")
        [layer] = [layer for layer in decision["Layers"] if layer["Layer"] == "service control policy"]
        assert layer["Policies"] == [f"{arn_of(FULL)} (attached to {place})", name]
        organizations.detach_policy(PolicyId=policy_id, TargetId=target_id)


def test_every_level_that_allows_is_told(aws, organizations, root_id, member, policy, arn_of):
    one = member()
    policy_id = policy(allow("*"))
    for target_id in (root_id, one.account_id):
        organizations.attach_policy(PolicyId=policy_id, TargetId=target_id)
        organizations.detach_policy(PolicyId=FULL, TargetId=target_id)
    told = [statement["Policy"] for statement in asked(aws, one)["Statements"]]
    places = (f"root {root_id}", f"account {one.account_id}")
    assert [name for name in told if "organizations" in name] == [
        f"{arn_of(policy_id)} (attached to {place})" for place in places
    ]


def test_another_accounts_rcps_stay_its_own(aws, organizations, root_id, member, rcp, arn_of):
    one, other = member(), member()
    rcp_id = rcp(deny("sts:AssumeRole") | {"Sid": "Hidden"})
    organizations.attach_policy(PolicyId=rcp_id, TargetId=other.account_id)
    decision = asked(aws, one, "sts:AssumeRole", f"arn:aws:iam::{other.account_id}:role/OrganizationAccountAccessRole")
    assert decision["Layer"] == "resource control policy"
    assert decision["Message"].endswith(f"with an explicit deny in a resource control policy: {arn_of(rcp_id)}")
    assert [one["Layer"] for one in decision["Layers"]] == ["identity-based policy"]
    assert decision["Statements"] == []
    assert not any(key.startswith("aws:resourceorg") for key in decision["Context"])


def test_members_leave_the_organization_alone_when_an_scp_says_so(
    organizations, root_id, member, policy, arn_of, refused
):
    one = member()
    policy_id = policy(deny("organizations:*"))
    organizations.attach_policy(PolicyId=policy_id, TargetId=root_id)
    action = "organizations:DescribeOrganization"
    with refused(
        "AccessDeniedException",
        f"User: arn:aws:sts::{one.account_id}:assumed-role/OrganizationAccountAccessRole/test is not authorized to "
        f"perform: {action} on resource: * with an explicit deny in a service control policy: {arn_of(policy_id)}",
    ):
        one.client("organizations").describe_organization()


@pytest.mark.parametrize(
    ("key", "value", "fits"),
    [
        ("aws:PrincipalOrgID", "{organization_id}", True),
        ("aws:PrincipalOrgID", "o-another000", False),
        ("aws:PrincipalOrgPaths", "{organization_id}/{root_id}/{unit_id}/", True),
        ("aws:PrincipalOrgPaths", "{organization_id}/{root_id}/*", True),
        ("aws:PrincipalOrgPaths", "{organization_id}/{root_id}/", False),
    ],
)
def test_a_trust_policy_knows_its_callers_organization(
    aws, organizations, root_id, unit, member, moved, refused, key, value, fits
):
    one, unit_id = member(), unit("unit")
    moved(one, unit_id)
    organization_id = organizations.describe_organization()["Organization"]["Id"]
    wanted = value.format(organization_id=organization_id, root_id=root_id, unit_id=unit_id)
    operator = "ForAnyValue:StringLike" if key.endswith("Paths") else "StringEquals"
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::" + one.account_id + ":root"},
        "Action": "sts:AssumeRole",
        "Condition": {operator: {key: wanted}},
    }
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    aws.client("iam").create_role(RoleName="open", AssumeRolePolicyDocument=trust)
    role = f"arn:aws:iam::{ACCOUNT}:role/open"
    if fits:
        assert one.client("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    else:
        with refused("AccessDenied"):
            one.client("sts").assume_role(RoleArn=role, RoleSessionName="test")


@pytest.mark.parametrize("key", ["aws:ResourceOrgID", "aws:ResourceOrgPaths"])
def test_an_identity_policy_knows_the_resources_organization(aws, organizations, root_id, member, refused, key):
    one = member()
    organization_id = organizations.describe_organization()["Organization"]["Id"]
    operator, value = {
        "aws:ResourceOrgID": ("StringEquals", organization_id),
        "aws:ResourceOrgPaths": ("ForAnyValue:StringEquals", f"{organization_id}/{root_id}/"),
    }[key]
    ann = aws.user("ann", allow("sts:AssumeRole", **{operator: {key: value}}))
    within = f"arn:aws:iam::{one.account_id}:role/OrganizationAccountAccessRole"
    assert aws.client("sts", ann).assume_role(RoleArn=within, RoleSessionName="test")["Credentials"]
    added = aws.iamd("CreateAccount", Name="alone")
    outside = aws.client("iam", Credentials(added["AccessKeyId"], added["SecretAccessKey"]))
    trust = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}
    outside.create_role(
        RoleName="open", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    )
    with refused("AccessDenied"):
        aws.client("sts", ann).assume_role(
            RoleArn=f"arn:aws:iam::{added['AccountId']}:role/open", RoleSessionName="test"
        )


def test_the_owners_place_in_its_organization_stays_its_own(aws, member):
    """Another account's explanation shows neither the id nor the paths of the resource's organization."""
    one = member()
    added = aws.iamd("CreateAccount", Name="alone")
    alone = Credentials(added["AccessKeyId"], added["SecretAccessKey"])
    role = f"arn:aws:iam::{one.account_id}:role/OrganizationAccountAccessRole"
    sts = aws.client("sts", alone)
    with pytest.raises(sts.exceptions.ClientError) as caught:
        sts.assume_role(RoleArn=role, RoleSessionName="test")
    explained = aws.explain(caught.value.response["ResponseMetadata"]["RequestId"], alone)
    [decision] = explained["Decisions"]
    assert decision["Resource"] == role
    assert not [key for key in decision["Context"] if "org" in key.lower()]


RCP = "RESOURCE_CONTROL_POLICY"


@pytest.fixture
def rcp(organizations, root_id, policy):
    """`rcp(statement)` is the id of a new RCP, after the type has been enabled."""
    organizations.enable_policy_type(RootId=root_id, PolicyType=RCP)

    def make(statement):
        content = json.dumps({"Version": "2012-10-17", "Statement": [{"Principal": "*", **statement}]})
        return policy(Type=RCP, Content=content)

    return make


def test_an_rcp_binds_whoever_uses_a_members_role(aws, organizations, root_id, member, rcp, arn_of, refused):
    one = member()
    role = f"arn:aws:iam::{one.account_id}:role/OrganizationAccountAccessRole"
    sts = aws.client("sts")
    assert sts.assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    rcp_id = rcp(deny("sts:AssumeRole"))
    organizations.attach_policy(PolicyId=rcp_id, TargetId=one.account_id)
    with refused(
        "AccessDenied",
        f"User: arn:aws:iam::{ACCOUNT}:user/admin is not authorized to perform: sts:AssumeRole on resource: {role} "
        f"with an explicit deny in a resource control policy: {arn_of(rcp_id)}",
    ):
        sts.assume_role(RoleArn=role, RoleSessionName="test")
    organizations.detach_policy(PolicyId=rcp_id, TargetId=one.account_id)
    assert sts.assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]


def test_an_rcp_does_not_bind_the_management_accounts_resources(aws, organizations, root_id, member, rcp, refused):
    trust = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}
    aws.client("iam").create_role(
        RoleName="open", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    )
    one = member()
    organizations.attach_policy(PolicyId=rcp(deny("sts:AssumeRole")), TargetId=root_id)
    sts = aws.client("sts")
    assert sts.assume_role(RoleArn=f"arn:aws:iam::{ACCOUNT}:role/open", RoleSessionName="test")["Credentials"]
    with refused("AccessDenied"):
        sts.assume_role(
            RoleArn=f"arn:aws:iam::{one.account_id}:role/OrganizationAccountAccessRole", RoleSessionName="test"
        )


def test_everyone_may_be_written_in_two_ways(organizations, root_id, member, rcp, aws, refused):
    one = member()
    role = f"arn:aws:iam::{one.account_id}:role/OrganizationAccountAccessRole"
    organizations.attach_policy(PolicyId=rcp(deny("sts:*") | {"Principal": {"AWS": "*"}}), TargetId=root_id)
    with refused("AccessDenied"):
        aws.client("sts").assume_role(RoleArn=role, RoleSessionName="test")
    assert one.client("iam").list_roles()["Roles"]


def test_an_rcps_conditions_know_the_caller(aws, organizations, root_id, member, rcp, refused):
    organization_id = organizations.describe_organization()["Organization"]["Id"]
    one = member()
    added = aws.iamd("CreateAccount", Name="alone")
    foreign = {"StringNotEquals": {"aws:PrincipalOrgID": organization_id}}
    role = f"arn:aws:iam::{one.account_id}:role/open"
    statement = {"Effect": "Allow", "Principal": {"AWS": added["AccountId"]}, "Action": "sts:AssumeRole"}
    one.client("iam").create_role(
        RoleName="open", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    )
    alone = aws.client("sts", Credentials(added["AccessKeyId"], added["SecretAccessKey"]))
    assert alone.assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    organizations.attach_policy(PolicyId=rcp(deny("sts:AssumeRole", **foreign)), TargetId=root_id)
    # AWS tells a policy's ARN within an account or organization only.
    words = (
        f"User: arn:aws:iam::{added['AccountId']}:user/admin is not authorized to perform: sts:AssumeRole on resource: "
    )
    with refused("AccessDenied", f"{words}{role} with an explicit deny in a resource control policy"):
        alone.assume_role(RoleArn=role, RoleSessionName="test")
    within = f"arn:aws:iam::{one.account_id}:role/OrganizationAccountAccessRole"
    assert aws.client("sts").assume_role(RoleArn=within, RoleSessionName="test")["Credentials"]
