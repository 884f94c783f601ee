"""AWS::SSM::Parameter."""

from collections.abc import Mapping
from typing import Any

from iamd.stacks.errors import InvalidProperties
from iamd.stacks.kinds import Kind, Tags, Work

_GIVEN = ("AllowedPattern", "DataType", "Description", "Policies", "Tier", "Type", "Value")


async def _tag(work: Work, changed: Any) -> None:
    await work.call("ssm", "AddTagsToResource", ResourceType="Parameter", ResourceId=work.id, Tags=changed)


async def _untag(work: Work, keys: Any) -> None:
    await work.call("ssm", "RemoveTagsFromResource", ResourceType="Parameter", ResourceId=work.id, TagKeys=keys)


class Parameter(Kind):
    """A parameter of Systems Manager."""

    type = "AWS::SSM::Parameter"
    properties = ("Name", *_GIVEN)
    parts = (Tags(_tag, _untag),)
    attributes = ("Type", "Value")

    def check(self, properties: Mapping[str, Any]) -> None:
        """AWS: CloudFormation can't make a SecureString (AWS::SSM::Parameter, Type)."""
        if properties["Type"] == "SecureString":
            raise InvalidProperties("#/Type: SecureString is not a valid enum value")

    async def make(self, work: Work) -> None:
        """Put the parameter, which must not be there."""
        name = work["Name"]
        if name is None:
            suffix = work.wanted.generated_name.rpartition("-")[2]
            name = f"CFN-{work.wanted.logical_id}-{suffix}"
        await work.call("ssm", "PutParameter", Name=name, Tags=work.tags, **work.given(*_GIVEN))
        work.made_as(name, Type=work["Type"], Value=work["Value"])

    async def change(self, work: Work) -> None:
        """Put it over the one that is there."""
        if not work.changes(*_GIVEN):
            return
        for name in ("AllowedPattern", "DataType", "Policies", "Tier"):
            if work[name] is None and work.before(name) is not None:
                raise InvalidProperties(f"iamd can't take the property {name} away again; set it anew.")
        given = {"Description": "", **work.given(*_GIVEN)}
        await work.call("ssm", "PutParameter", Name=work.id, Overwrite=True, **given)
        work.learn({"Type": work["Type"], "Value": work["Value"]})

    async def remove(self, work: Work) -> None:
        """Delete the parameter."""
        await work.call("ssm", "DeleteParameter", Name=work.id)
