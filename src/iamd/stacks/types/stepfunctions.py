"""AWS::StepFunctions::StateMachine."""

import re
from collections.abc import Mapping
from typing import Any

from iamd.stacks import shaping
from iamd.stacks.errors import InvalidProperties
from iamd.stacks.kinds import Kind, Tags, Work

_DEFINITIONS = ("Definition", "DefinitionS3Location", "DefinitionString")
_PLACEHOLDER = re.compile(r"\$\{([A-Za-z0-9_.-]+)\}")


async def _definition(work: Work) -> str:
    """The definition with its substitutions, wherever it stands."""
    place = work["DefinitionS3Location"]
    if place is None:
        given = work["DefinitionString"] if work["Definition"] is None else work["Definition"]
        text = shaping.text(given)
    else:
        named = {"Bucket": place["Bucket"], "Key": place["Key"], "VersionId": place.get("Version")}
        answer = await work.call("s3", "GetObject", **named)
        body = answer["Body"]
        text = (body if isinstance(body, bytes) else body.read()).decode()
    substitutions = work["DefinitionSubstitutions"] or {}
    # AWS: AWS::StepFunctions::StateMachine, DefinitionSubstitutions: `${key}`; what is no key stays as it is.
    return _PLACEHOLDER.sub(lambda match: shaping.text(substitutions.get(match[1], match[0])), text)


async def _tag(work: Work, changed: Any) -> None:
    await work.call("stepfunctions", "TagResource", resourceArn=work.id, tags=changed)


async def _untag(work: Work, keys: Any) -> None:
    await work.call("stepfunctions", "UntagResource", resourceArn=work.id, tagKeys=keys)


class StateMachine(Kind):
    """A state machine."""

    type = "AWS::StepFunctions::StateMachine"
    properties = (
        *_DEFINITIONS, "DefinitionSubstitutions", "EncryptionConfiguration", "LoggingConfiguration", "RoleArn",
        "StateMachineName", "StateMachineType", "TracingConfiguration",
    )  # fmt: skip
    parts = (Tags(_tag, _untag),)
    attributes = ("Arn", "Name", "StateMachineRevisionId")

    def check(self, properties: Mapping[str, Any]) -> None:
        """It has one definition."""
        if sum(name in properties for name in _DEFINITIONS) != 1:
            raise InvalidProperties(f"#: required exactly one of [{', '.join(_DEFINITIONS)}]")

    async def make(self, work: Work) -> None:
        """Make the state machine."""
        name = work.name("StateMachineName", 80)
        given = work.given(
            "EncryptionConfiguration", "LoggingConfiguration", "RoleArn", "TracingConfiguration",
            StateMachineType="type",
        )  # fmt: skip
        definition = await _definition(work)
        answer = await work.call(
            "stepfunctions", "CreateStateMachine", name=name, definition=definition, tags=work.tags, **given
        )
        # AWS: a state machine that was never updated has the revision INITIAL (DescribeStateMachine, revisionId).
        work.made_as(
            answer["stateMachineArn"], Arn=answer["stateMachineArn"], Name=name, StateMachineRevisionId="INITIAL"
        )

    async def change(self, work: Work) -> None:
        """Change what can be changed."""
        changed = [name for name in self.properties if work.changes(name)]
        if not changed:
            return
        given = work.given("EncryptionConfiguration", "LoggingConfiguration", "RoleArn", "TracingConfiguration")
        off = {
            "EncryptionConfiguration": {"type": "AWS_OWNED_KEY"},
            "LoggingConfiguration": {"level": "OFF"},
            "TracingConfiguration": {"enabled": False},
        }
        given |= {name: value for name, value in off.items() if name in changed and work[name] is None}
        definition = await _definition(work)
        answer = await work.call(
            "stepfunctions", "UpdateStateMachine", stateMachineArn=work.id, definition=definition, **given
        )
        if "revisionId" in answer:
            work.learn({"StateMachineRevisionId": answer["revisionId"]})

    async def remove(self, work: Work) -> None:
        """Delete the state machine."""
        await work.call("stepfunctions", "DeleteStateMachine", stateMachineArn=work.id)
