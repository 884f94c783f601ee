"""AWS::IAM::User, Group, Role and InstanceProfile, and who is in a group: what is set on them is set by itself."""

from typing import Any

from iamd.stacks.kinds import Items, Kind, Part, Setting, Tags, Work
from iamd.store.records import fold


def managed_policies(entity: str) -> Part:
    """The attached managed policies of a user, group or role."""

    async def attach(work: Work, policy_arn: Any) -> None:
        await work.call("iam", f"Attach{entity}Policy", **{f"{entity}Name": work.id}, PolicyArn=policy_arn)

    async def detach(work: Work, policy_arn: Any) -> None:
        await work.call_unless_gone("iam", f"Detach{entity}Policy", **{f"{entity}Name": work.id}, PolicyArn=policy_arn)

    return Items("ManagedPolicyArns", attach, detach)


def inline_policies(entity: str) -> Part:
    """The inline policies of a user, group or role."""

    async def put(work: Work, policy: Any) -> None:
        await work.call("iam", f"Put{entity}Policy", **{f"{entity}Name": work.id}, **policy)

    async def delete(work: Work, policy: Any) -> None:
        named = {f"{entity}Name": work.id, "PolicyName": policy["PolicyName"]}
        await work.call_unless_gone("iam", f"Delete{entity}Policy", **named)

    return Items("Policies", put, delete, key=lambda policy: fold(str(policy["PolicyName"])))


def boundary(entity: str) -> Part:
    """The permissions boundary, which the operation that makes a user or role sets at once."""

    async def put(work: Work) -> None:
        named = {f"{entity}Name": work.id}
        boundary_arn = work["PermissionsBoundary"]
        await work.call("iam", f"Put{entity}PermissionsBoundary", **named, PermissionsBoundary=boundary_arn)

    async def delete(work: Work) -> None:
        await work.call_unless_gone("iam", f"Delete{entity}PermissionsBoundary", **{f"{entity}Name": work.id})

    return Setting(("PermissionsBoundary",), put, delete, on_create=False)


def tags(operation_suffix: str, parameter: str) -> Part:
    """The tags of what IAM tags by its physical id."""

    async def tag(work: Work, changed: Any) -> None:
        await work.call("iam", f"Tag{operation_suffix}", **{parameter: work.id}, Tags=changed)

    async def untag(work: Work, keys: Any) -> None:
        await work.call("iam", f"Untag{operation_suffix}", **{parameter: work.id}, TagKeys=keys)

    return Tags(tag, untag)


async def _put_login_profile(work: Work) -> None:
    is_new = work.before("LoginProfile") is None
    profile = {"PasswordResetRequired": False, **work["LoginProfile"]}
    await work.call("iam", "CreateLoginProfile" if is_new else "UpdateLoginProfile", UserName=work.id, **profile)


async def _delete_login_profile(work: Work) -> None:
    await work.call_unless_gone("iam", "DeleteLoginProfile", UserName=work.id)


async def _join(work: Work, group: Any) -> None:
    await work.call("iam", "AddUserToGroup", UserName=work.id, GroupName=group)


async def _leave(work: Work, group: Any) -> None:
    await work.call_unless_gone("iam", "RemoveUserFromGroup", UserName=work.id, GroupName=group)


class User(Kind):
    """A user, with its password, groups and policies."""

    type = "AWS::IAM::User"
    properties = ("UserName", "Path")
    parts = (
        Setting(("LoginProfile",), _put_login_profile, _delete_login_profile, clears=True),
        Items("Groups", _join, _leave, key=lambda group: fold(str(group))),
        managed_policies("User"),
        inline_policies("User"),
        boundary("User"),
        tags("User", "UserName"),
    )
    attributes = ("Arn",)

    async def make(self, work: Work) -> None:
        """Make the user."""
        name = work.name("UserName", 64)
        given = work.given("Path", "PermissionsBoundary")
        answer = await work.call("iam", "CreateUser", UserName=name, Tags=work.tags, **given)
        work.made_as(name, Arn=answer["User"]["Arn"])

    async def change(self, work: Work) -> None:
        """Move the user to another path."""
        await move(work, "UpdateUser", "UserName")

    async def remove(self, work: Work) -> None:
        """Delete the user."""
        await work.call("iam", "DeleteUser", UserName=work.id)


async def move(work: Work, operation: str, member: str) -> None:
    """Have it at the path of its properties, if that is another; its ARN goes with it."""
    if not work.changes("Path"):
        return
    path = work["Path"] or "/"
    await work.call("iam", operation, **{member: work.id}, NewPath=path)
    head, _, rest = work.attribute("Arn").partition("/")
    work.learn({"Arn": f"{head}{path}{rest.rpartition('/')[2]}"})


class Group(Kind):
    """A group with its policies."""

    type = "AWS::IAM::Group"
    properties = ("GroupName", "Path")
    parts = (managed_policies("Group"), inline_policies("Group"))
    attributes = ("Arn",)

    async def make(self, work: Work) -> None:
        """Make the group."""
        name = work.name("GroupName", 128)
        answer = await work.call("iam", "CreateGroup", GroupName=name, **work.given("Path"))
        work.made_as(name, Arn=answer["Group"]["Arn"])

    async def change(self, work: Work) -> None:
        """Move the group to another path."""
        await move(work, "UpdateGroup", "GroupName")

    async def remove(self, work: Work) -> None:
        """Delete the group."""
        await work.call("iam", "DeleteGroup", GroupName=work.id)


class Role(Kind):
    """A role with its policies."""

    type = "AWS::IAM::Role"
    properties = ("AssumeRolePolicyDocument", "Description", "MaxSessionDuration", "Path", "RoleName")
    parts = (managed_policies("Role"), inline_policies("Role"), boundary("Role"), tags("Role", "RoleName"))
    attributes = ("Arn", "RoleId")

    async def make(self, work: Work) -> None:
        """Make the role."""
        name = work.name("RoleName", 64)
        given = work.given(
            "AssumeRolePolicyDocument", "Description", "MaxSessionDuration", "Path", "PermissionsBoundary"
        )
        answer = await work.call("iam", "CreateRole", RoleName=name, Tags=work.tags, **given)
        work.made_as(name, Arn=answer["Role"]["Arn"], RoleId=answer["Role"]["RoleId"])

    async def change(self, work: Work) -> None:
        """Change who may assume it, and what is said of it."""
        if work.changes("AssumeRolePolicyDocument"):
            document = work["AssumeRolePolicyDocument"]
            await work.call("iam", "UpdateAssumeRolePolicy", RoleName=work.id, PolicyDocument=document)
        if work.changes("Description", "MaxSessionDuration"):
            said = {"Description": work["Description"] or "", "MaxSessionDuration": work["MaxSessionDuration"] or 3600}
            await work.call("iam", "UpdateRole", RoleName=work.id, **said)

    async def remove(self, work: Work) -> None:
        """Delete the role."""
        await work.call("iam", "DeleteRole", RoleName=work.id)


async def _add_role(work: Work, role: Any) -> None:
    await work.call("iam", "AddRoleToInstanceProfile", InstanceProfileName=work.id, RoleName=role)


async def _remove_role(work: Work, role: Any) -> None:
    named = {"InstanceProfileName": work.id, "RoleName": role}
    await work.call_unless_gone("iam", "RemoveRoleFromInstanceProfile", **named)


class InstanceProfile(Kind):
    """An instance profile with its role, of which it can have one at a time."""

    type = "AWS::IAM::InstanceProfile"
    properties = ("InstanceProfileName", "Path")
    parts = (Items("Roles", _add_role, _remove_role, drops_first=True),)
    attributes = ("Arn",)

    async def make(self, work: Work) -> None:
        """Make the instance profile."""
        name = work.name("InstanceProfileName", 128)
        answer = await work.call("iam", "CreateInstanceProfile", InstanceProfileName=name, **work.given("Path"))
        work.made_as(name, Arn=answer["InstanceProfile"]["Arn"])

    async def remove(self, work: Work) -> None:
        """Delete the instance profile."""
        await work.call("iam", "DeleteInstanceProfile", InstanceProfileName=work.id)


class _Members(Part):
    """Users in a group, either of which may become others."""

    properties = ("GroupName", "Users")
    clears = True

    async def apply(self, work: Work) -> None:
        """Add who is to be in it, then remove who is not."""
        old, new = _members(work.before), _members(work.after)
        for member in sorted(new.keys() - old.keys()):
            await work.call("iam", "AddUserToGroup", **new[member])
        for member in sorted(old.keys() - new.keys()):
            await work.call_unless_gone("iam", "RemoveUserFromGroup", **old[member])


def _members(read: Any) -> dict[tuple[str, str], dict[str, Any]]:
    """Who is in which group, by what is the same in every case: IAM's names are."""
    group = read("GroupName")
    named = [{"GroupName": group, "UserName": user} for user in read("Users") or ()]
    return {(fold(str(group)), fold(str(one["UserName"]))): one for one in named}


class UserToGroupAddition(Kind):
    """Users that are added to a group."""

    type = "AWS::IAM::UserToGroupAddition"
    parts = (_Members(),)
    attributes = ("Id",)

    async def make(self, work: Work) -> None:
        """There is nothing but its members."""
        work.made_as(work.wanted.generated_name, Id=work.wanted.generated_name)

    async def remove(self, work: Work) -> None:
        """There was nothing but its members."""
