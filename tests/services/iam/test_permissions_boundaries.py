"""Permissions boundaries of users and roles."""

import pytest

READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"


class Bounded:
    """The boundary operations of a user or role."""

    def __init__(self, iam, kind, name):
        self.iam, self.kind, self.name = iam, kind, {f"{kind.capitalize()}Name": name}

    def put(self, policy_arn):
        getattr(self.iam, f"put_{self.kind}_permissions_boundary")(**self.name, PermissionsBoundary=policy_arn)

    def delete(self):
        getattr(self.iam, f"delete_{self.kind}_permissions_boundary")(**self.name)

    def shown(self):
        answer = getattr(self.iam, f"get_{self.kind}")(**self.name)
        return answer[self.kind.capitalize()].get("PermissionsBoundary")


@pytest.fixture(params=["user", "role"])
def entity(request, iam, world):
    """ann and the role app, which have a boundary."""
    return Bounded(iam, request.param, {"user": "ann", "role": "app"}[request.param])


def test_a_boundary_is_set_replaced_and_taken_away(entity, world, refused):
    assert entity.shown() == {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": world.policy_arn}
    entity.put(READ_ONLY)
    assert entity.shown() == {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": READ_ONLY}
    entity.delete()
    assert entity.shown() is None
    with refused("NoSuchEntity"):
        entity.delete()


def test_a_boundary_must_be_a_managed_policy(entity, arn_of, refused):
    missing = arn_of("policy/none")
    with refused("NoSuchEntity", f"Scope ARN: {missing} does not exist or is not attachable."):
        entity.put(missing)
    for wrong in ("this-is-not-an-arn-at-all", arn_of("not_a_policy/invalid")):
        with refused("InvalidInput", f"ARN {wrong} is not valid."):
            entity.put(wrong)
    with refused("PolicyNotAttachable"):
        entity.put("arn:aws:iam::aws:policy/aws-service-role/AutoScalingServiceRolePolicy")


@pytest.mark.parametrize("kind", ["user", "role"])
def test_the_entity_must_exist(iam, refused, kind):
    missing = Bounded(iam, kind, "none")
    message = f"The {kind} with name none cannot be found."
    with refused("NoSuchEntity", message):
        missing.put(READ_ONLY)
    with refused("NoSuchEntity", message):
        missing.delete()


def test_a_boundary_limits_what_policies_grant(aws, iam, refused):
    client = aws.client("iam", aws.user("ann", {"Effect": "Allow", "Action": "*", "Resource": "*"}))
    iam.put_user_permissions_boundary(UserName="ann", PermissionsBoundary="arn:aws:iam::aws:policy/IAMReadOnlyAccess")
    client.get_user()
    with refused("AccessDenied"):
        client.create_user(UserName="bob")
    iam.delete_user_permissions_boundary(UserName="ann")
    client.create_user(UserName="bob")


def test_who_makes_users_can_be_held_to_a_boundary(aws, iam, refused):
    """IAM User Guide, "Permissions boundaries for IAM entities": iam:PermissionsBoundary of the request."""
    allow = {
        "Effect": "Allow",
        "Action": ["iam:CreateUser", "iam:PutUserPermissionsBoundary"],
        "Resource": "*",
        "Condition": {"StringEquals": {"iam:PermissionsBoundary": READ_ONLY}},
    }
    client = aws.client("iam", aws.user("ann", allow))
    with refused("AccessDenied"):
        client.create_user(UserName="bob")
    client.create_user(UserName="bob", PermissionsBoundary=READ_ONLY)
    with refused("AccessDenied"):
        client.put_user_permissions_boundary(
            UserName="bob", PermissionsBoundary="arn:aws:iam::aws:policy/AdministratorAccess"
        )
    client.put_user_permissions_boundary(UserName="bob", PermissionsBoundary=READ_ONLY)


def test_who_gives_policies_can_be_held_to_users_with_a_boundary(aws, iam, refused):
    """The key holds the boundary that the user has, where the request sets none."""
    allow = {
        "Effect": "Allow",
        "Action": ["iam:AttachUserPolicy", "iam:DeleteUser"],
        "Resource": "*",
        "Condition": {"StringEquals": {"iam:PermissionsBoundary": READ_ONLY}},
    }
    client = aws.client("iam", aws.user("ann", allow))
    iam.create_user(UserName="free")
    iam.create_user(UserName="bound", PermissionsBoundary=READ_ONLY)
    client.attach_user_policy(UserName="bound", PolicyArn=READ_ONLY)
    with refused("AccessDenied"):
        client.attach_user_policy(UserName="free", PolicyArn=READ_ONLY)
    iam.detach_user_policy(UserName="bound", PolicyArn=READ_ONLY)
    with refused("AccessDenied"):
        client.delete_user(UserName="bound")
