"""Managed policies attached to users, groups and roles."""

import pytest

from iamd.data import managed_policies

READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"
SERVICE_ROLE = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
SERVICE_LINKED = "arn:aws:iam::aws:policy/aws-service-role/AutoScalingServiceRolePolicy"
NAMES = {"user": "bob", "group": "empty", "role": "idle"}
TRUST = (
    '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},'
    '"Action":"sts:AssumeRole"}}'
)


class Bearer:
    """The attachment operations of a user, group or role."""

    def __init__(self, iam, kind, name):
        self.iam, self.kind, self.name = iam, kind, {f"{kind.capitalize()}Name": name}

    def attach(self, policy_arn):
        getattr(self.iam, f"attach_{self.kind}_policy")(**self.name, PolicyArn=policy_arn)

    def detach(self, policy_arn):
        getattr(self.iam, f"detach_{self.kind}_policy")(**self.name, PolicyArn=policy_arn)

    def list(self, **parameters):
        return getattr(self.iam, f"list_attached_{self.kind}_policies")(**self.name, **parameters)

    def arns(self, **parameters):
        return [policy["PolicyArn"] for policy in self.list(**parameters)["AttachedPolicies"]]


@pytest.fixture(params=["user", "group", "role"])
def bearer(request, iam, world):
    """An entity of each kind, without policies."""
    kind = request.param
    if kind == "group":
        iam.create_group(GroupName=NAMES[kind])
    if kind == "role":
        iam.create_role(RoleName=NAMES[kind], AssumeRolePolicyDocument=TRUST)
    return Bearer(iam, kind, NAMES[kind])


def test_policies_of_both_owners_are_attached_and_detached(bearer, world):
    bearer.attach(READ_ONLY)
    bearer.attach(world.policy_arn)
    bearer.attach(READ_ONLY)
    assert bearer.list()["AttachedPolicies"] == [
        {"PolicyName": "ReadOnlyAccess", "PolicyArn": READ_ONLY},
        {"PolicyName": "send", "PolicyArn": world.policy_arn},
    ]
    bearer.detach(READ_ONLY)
    assert bearer.arns() == [world.policy_arn]


def test_attached_policies_are_listed_by_path_and_in_pages(bearer, world, paged):
    for policy_arn in (READ_ONLY, SERVICE_ROLE, world.policy_arn):
        bearer.attach(policy_arn)
    assert bearer.arns(PathPrefix="/service-role/") == [SERVICE_ROLE]
    assert bearer.arns(PathPrefix="/team/") == [world.policy_arn]
    listed = paged(bearer.list, "AttachedPolicies")
    assert [policy["PolicyArn"] for policy in listed] == [SERVICE_ROLE, READ_ONLY, world.policy_arn]


def test_a_policy_that_is_not_there_is_not_attached(bearer, arn_of, refused):
    for missing in (
        arn_of("policy/none"),
        "arn:aws:iam::aws:policy/NoSuchPolicy",
        "arn:aws:iam::999999999999:policy/p",
    ):
        with refused("NoSuchEntity", f"Policy {missing} does not exist or is not attachable."):
            bearer.attach(missing)
    with refused("ValidationError", "ARN this-is-not-an-arn-at-all is not valid."):
        bearer.attach("this-is-not-an-arn-at-all")
    assert bearer.arns() == []


def test_a_policy_of_service_linked_roles_is_attached_to_nothing_else(bearer, refused):
    with refused("PolicyNotAttachable", "Cannot attach a Service Role Policy to a Customer Role."):
        bearer.attach(SERVICE_LINKED)


def test_a_deprecated_policy_is_attached_to_nobody_else(bearer, refused):
    """IAM User Guide, "Deprecated AWS managed policies" (access_policies_managed-deprecated)."""
    deprecated = next(policy.arn for policy in managed_policies.catalogue().values() if policy.deprecated)
    with refused("NoSuchEntity", f"Policy {deprecated} does not exist or is not attachable."):
        bearer.attach(deprecated)


def test_a_policy_that_is_not_attached_is_not_detached(bearer, refused):
    with refused("NoSuchEntity", f"Policy {READ_ONLY} was not found."):
        bearer.detach(READ_ONLY)


def test_ten_policies_are_attached_at_most(bearer, iam, refused):
    scope = iam.list_policies(Scope="AWS", PathPrefix="/job-function/", MaxItems=20)["Policies"]
    more = iam.list_policies(Scope="AWS", PathPrefix="/service-role/", MaxItems=20)["Policies"]
    policies = [policy["Arn"] for policy in (*scope, *more)][:11]
    assert len(policies) == 11
    for policy_arn in policies[:10]:
        bearer.attach(policy_arn)
    bearer.attach(policies[0])
    with refused("LimitExceeded", f"Cannot exceed quota for PoliciesPer{bearer.kind.capitalize()}: 10"):
        bearer.attach(policies[10])


@pytest.mark.parametrize("kind", ["user", "group", "role"])
def test_the_entity_must_exist(iam, refused, kind):
    missing = Bearer(iam, kind, "none")
    for call in (lambda: missing.attach(READ_ONLY), lambda: missing.detach(READ_ONLY), missing.list):
        with refused("NoSuchEntity", f"The {kind} with name none cannot be found."):
            call()


def test_an_attached_policy_of_aws_is_enforced(aws, iam, refused):
    client = aws.client("iam", aws.user("ann"))
    with refused("AccessDenied"):
        client.list_users()
    iam.attach_user_policy(UserName="ann", PolicyArn="arn:aws:iam::aws:policy/IAMReadOnlyAccess")
    client.list_users()
    with refused("AccessDenied"):
        client.create_user(UserName="bob")
    iam.detach_user_policy(UserName="ann", PolicyArn="arn:aws:iam::aws:policy/IAMReadOnlyAccess")
    with refused("AccessDenied"):
        client.list_users()


def test_which_policies_one_may_attach_can_be_limited(aws, iam, refused):
    """The key iam:PolicyARN."""
    allow = {
        "Effect": "Allow",
        "Action": "iam:AttachUserPolicy",
        "Resource": "*",
        "Condition": {"ArnEquals": {"iam:PolicyARN": READ_ONLY}},
    }
    client = aws.client("iam", aws.user("ann", allow))
    client.attach_user_policy(UserName="ann", PolicyArn=READ_ONLY)
    with refused("AccessDenied"):
        client.attach_user_policy(UserName="ann", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")


def names(answer):
    """Who stands in an answer of ListEntitiesForPolicy."""
    return {
        kind: [entity[f"{kind}Name"] for entity in answer[f"Policy{kind}s"]]
        for kind in ("User", "Group", "Role")
        if answer[f"Policy{kind}s"]
    }


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({}, {"User": ["ann", "cid"], "Group": ["devs"], "Role": ["app"]}),
        ({"EntityFilter": "User"}, {"User": ["ann", "cid"]}),
        ({"EntityFilter": "Group"}, {"Group": ["devs"]}),
        ({"EntityFilter": "Role"}, {"Role": ["app"]}),
        ({"EntityFilter": "LocalManagedPolicy"}, {}),
        ({"EntityFilter": "AWSManagedPolicy"}, {}),
        ({"PathPrefix": "/lead/"}, {"User": ["cid"]}),
        ({"PathPrefix": "/team/"}, {"User": ["ann"], "Group": ["devs"], "Role": ["app"]}),
        ({"PolicyUsageFilter": "PermissionsPolicy"}, {"User": ["ann"], "Group": ["devs"], "Role": ["app"]}),
        ({"PolicyUsageFilter": "PermissionsBoundary"}, {"User": ["ann", "cid"], "Role": ["app"]}),
        ({"PolicyUsageFilter": "PermissionsBoundary", "EntityFilter": "Role"}, {"Role": ["app"]}),
    ],
)
def test_who_uses_a_policy_is_found_by_every_filter(iam, world, parameters, expected):
    iam.create_user(UserName="cid", Path="/lead/", PermissionsBoundary=world.policy_arn)
    assert names(iam.list_entities_for_policy(PolicyArn=world.policy_arn, **parameters)) == expected


def test_who_uses_a_policy_is_listed_in_pages_with_ids(iam, world):
    found = {}
    marker = {}
    while True:
        answer = iam.list_entities_for_policy(PolicyArn=world.policy_arn, MaxItems=1, **marker)
        page = [*answer["PolicyUsers"], *answer["PolicyGroups"], *answer["PolicyRoles"]]
        assert len(page) == 1
        found |= {tuple(page[0].values()): None}
        if not answer["IsTruncated"]:
            break
        marker = {"Marker": answer["Marker"]}
    ids = {
        ("ann", iam.get_user(UserName="ann")["User"]["UserId"]),
        ("devs", iam.get_group(GroupName="devs")["Group"]["GroupId"]),
        ("app", iam.get_role(RoleName="app")["Role"]["RoleId"]),
    }
    assert {tuple(sorted(pair)) for pair in found} == {tuple(sorted(pair)) for pair in ids}


def test_the_policy_must_exist(iam, arn_of, refused):
    missing = arn_of("policy/none")
    with refused("NoSuchEntity", f"Policy {missing} was not found."):
        iam.list_entities_for_policy(PolicyArn=missing)


def test_protected_roles_keep_their_policies(iam, refused):
    iam.create_service_linked_role(AWSServiceName="autoscaling.amazonaws.com")
    words = (
        "Cannot perform the operation on the protected role 'AWSServiceRoleForAutoScaling' - this role is only"
        " modifiable by AWS"
    )
    role = {"RoleName": "AWSServiceRoleForAutoScaling"}
    attached = iam.list_attached_role_policies(**role)["AttachedPolicies"][0]["PolicyArn"]
    policy = '{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}'
    for call in (
        lambda: iam.attach_role_policy(**role, PolicyArn=READ_ONLY),
        lambda: iam.detach_role_policy(**role, PolicyArn=attached),
        lambda: iam.put_role_policy(**role, PolicyName="p", PolicyDocument=policy),
        lambda: iam.delete_role_policy(**role, PolicyName="p"),
        lambda: iam.put_role_permissions_boundary(**role, PermissionsBoundary=READ_ONLY),
        lambda: iam.delete_role_permissions_boundary(**role),
    ):
        with refused("UnmodifiableEntity", words):
            call()
