"""AWS::IAM::Policy, UserPolicy, GroupPolicy, RolePolicy and ManagedPolicy."""

from collections.abc import Mapping
from typing import Any, ClassVar

from iamd.clock import iso
from iamd.stacks.errors import InvalidProperties
from iamd.stacks.kinds import Items, Kind, Part, Work
from iamd.stacks.types.iam_principals import tags
from iamd.store.records import fold

_ENTITIES = {"Groups": "Group", "Roles": "Role", "Users": "User"}
# AWS: a managed policy has at most five versions (IAM User Guide, "Versioning IAM policies").
_MOST_VERSIONS = 5

_Place = tuple[str, str, str]


class _InlineEverywhere(Part):
    """One inline policy of several users, groups and roles."""

    properties = ("Groups", "PolicyDocument", "PolicyName", "Roles", "Users")
    clears = True

    async def apply(self, work: Work) -> None:
        """Put it where it is to be, then delete it where it is not."""
        old, new = _places(work.before), _places(work.after)
        changed = work.changes("PolicyDocument")
        for place, (entity, name, policy) in new.items():
            if changed or place not in old:
                document = work["PolicyDocument"]
                named = {f"{entity}Name": name, "PolicyName": policy}
                await work.call("iam", f"Put{entity}Policy", **named, PolicyDocument=document)
        for place, (entity, name, policy) in old.items():
            if place not in new:
                named = {f"{entity}Name": name, "PolicyName": policy}
                await work.call_unless_gone("iam", f"Delete{entity}Policy", **named)


def _places(read: Any) -> dict[_Place, _Place]:
    """Whose policy it is, by what is the same in every case: IAM's names are."""
    places = [(entity, name, read("PolicyName")) for key, entity in _ENTITIES.items() for name in read(key) or ()]
    return {(entity, fold(str(name)), fold(str(policy))): (entity, name, policy) for entity, name, policy in places}


class Policy(Kind):
    """An inline policy of several users, groups and roles."""

    type = "AWS::IAM::Policy"
    parts = (_InlineEverywhere(),)
    attributes = ("Id",)

    def check(self, properties: Mapping[str, Any]) -> None:
        """It has somebody whose policy it is."""
        if not any(properties.get(key) for key in _ENTITIES):
            raise InvalidProperties("At least one of [Groups,Roles,Users] must be non-empty.")

    async def make(self, work: Work) -> None:
        """There is nothing but the policy of each."""
        work.made_as(work.wanted.generated_name, Id=work.wanted.generated_name)

    async def remove(self, work: Work) -> None:
        """There was nothing but the policy of each."""


class _InlinePolicy(Kind):
    """An inline policy of one user, group or role."""

    entity: ClassVar[str]

    def check(self, properties: Mapping[str, Any]) -> None:
        """It has a document."""
        if "PolicyDocument" not in properties:
            raise InvalidProperties("#: required key [PolicyDocument] not found")

    async def make(self, work: Work) -> None:
        """Put the policy."""
        await self._put(work)
        work.made_as(f"{work['PolicyName']}|{work[f'{self.entity}Name']}")

    async def change(self, work: Work) -> None:
        """Put the policy with its new document."""
        if work.changes("PolicyDocument"):
            await self._put(work)

    async def remove(self, work: Work) -> None:
        """Delete the policy."""
        await work.call("iam", f"Delete{self.entity}Policy", **work.given(f"{self.entity}Name", "PolicyName"))

    async def _put(self, work: Work) -> None:
        given = work.given(f"{self.entity}Name", "PolicyName", "PolicyDocument")
        await work.call("iam", f"Put{self.entity}Policy", **given)


class UserPolicy(_InlinePolicy):
    """An inline policy of a user."""

    type = "AWS::IAM::UserPolicy"
    entity = "User"
    properties = ("PolicyDocument", "PolicyName", "UserName")


class GroupPolicy(_InlinePolicy):
    """An inline policy of a group."""

    type = "AWS::IAM::GroupPolicy"
    entity = "Group"
    properties = ("GroupName", "PolicyDocument", "PolicyName")


class RolePolicy(_InlinePolicy):
    """An inline policy of a role."""

    type = "AWS::IAM::RolePolicy"
    entity = "Role"
    properties = ("PolicyDocument", "PolicyName", "RoleName")


def _attached(name: str, entity: str) -> Part:
    """Those whom a managed policy is attached to."""

    async def attach(work: Work, to: Any) -> None:
        await work.call("iam", f"Attach{entity}Policy", **{f"{entity}Name": to}, PolicyArn=work.id)

    async def detach(work: Work, to: Any) -> None:
        await work.call_unless_gone("iam", f"Detach{entity}Policy", **{f"{entity}Name": to}, PolicyArn=work.id)

    return Items(name, attach, detach, key=lambda to: fold(str(to)))


class _Counted(Part):
    """How many the policy is attached to, once it is."""

    async def apply(self, work: Work) -> None:
        """Count them."""
        work.learn({"AttachmentCount": sum(len(work.after(key) or ()) for key in _ENTITIES)})


class ManagedPolicy(Kind):
    """A managed policy, and to whom it is attached."""

    type = "AWS::IAM::ManagedPolicy"
    properties = ("Description", "ManagedPolicyName", "Path", "PolicyDocument")
    parts = (*(_attached(name, entity) for name, entity in _ENTITIES.items()), _Counted(), tags("Policy", "PolicyArn"))
    attributes = (
        "AttachmentCount", "CreateDate", "DefaultVersionId", "IsAttachable", "PermissionsBoundaryUsageCount",
        "PolicyArn", "PolicyId", "UpdateDate",
    )  # fmt: skip

    def known_properties(self) -> frozenset[str]:
        """AWS's type has no tags of its own, but takes the stack's."""
        return super().known_properties() - {"Tags"}

    async def make(self, work: Work) -> None:
        """Make the policy."""
        name = work.name("ManagedPolicyName", 128)
        given = work.given("Description", "Path", "PolicyDocument")
        answer = await work.call("iam", "CreatePolicy", PolicyName=name, Tags=work.tags, **given)
        policy = answer["Policy"]
        work.made_as(
            policy["Arn"],
            PolicyArn=policy["Arn"],
            PolicyId=policy["PolicyId"],
            DefaultVersionId=policy["DefaultVersionId"],
            IsAttachable=policy["IsAttachable"],
            PermissionsBoundaryUsageCount=policy["PermissionsBoundaryUsageCount"],
            CreateDate=iso(policy["CreateDate"]),
            UpdateDate=iso(policy["UpdateDate"]),
        )

    async def change(self, work: Work) -> None:
        """Make a new version the default one."""
        if not work.changes("PolicyDocument"):
            return
        others = await _other_versions(work)
        if len(others) + 1 >= _MOST_VERSIONS:
            await work.call("iam", "DeletePolicyVersion", PolicyArn=work.id, VersionId=others[-1])
        document = work["PolicyDocument"]
        answer = await work.call(
            "iam", "CreatePolicyVersion", PolicyArn=work.id, PolicyDocument=document, SetAsDefault=True
        )
        version = answer["PolicyVersion"]
        work.learn({"DefaultVersionId": version["VersionId"], "UpdateDate": iso(version["CreateDate"])})

    async def remove(self, work: Work) -> None:
        """Delete the policy with all its versions."""
        for version in await _other_versions(work):
            await work.call_unless_gone("iam", "DeletePolicyVersion", PolicyArn=work.id, VersionId=version)
        await work.call("iam", "DeletePolicy", PolicyArn=work.id)


async def _other_versions(work: Work) -> list[str]:
    """The versions that are not the default one, the oldest last."""
    answer = await work.call("iam", "ListPolicyVersions", PolicyArn=work.id)
    others = [one["VersionId"] for one in answer["Versions"] if not one["IsDefaultVersion"]]
    return sorted(others, key=lambda version: -int(version.removeprefix("v")))
