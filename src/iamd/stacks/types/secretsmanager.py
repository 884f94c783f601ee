"""AWS::SecretsManager::Secret."""

from collections.abc import Mapping
from typing import Any

import msgspec

from iamd.stacks import shaping
from iamd.stacks.errors import InvalidProperties
from iamd.stacks.kinds import Kind, Tags, Work


async def _tag(work: Work, changed: Any) -> None:
    await work.call("secretsmanager", "TagResource", SecretId=work.id, Tags=changed)


async def _untag(work: Work, keys: Any) -> None:
    await work.call("secretsmanager", "UntagResource", SecretId=work.id, TagKeys=keys)


async def _value(work: Work) -> str | None:
    """The secret's value: as it is given, or made; None when it has none."""
    given = work["GenerateSecretString"]
    if given is None:
        return None if work["SecretString"] is None else shaping.text(work["SecretString"])
    rules = {name: value for name, value in given.items() if name not in {"GenerateStringKey", "SecretStringTemplate"}}
    answer = await work.call("secretsmanager", "GetRandomPassword", **rules)
    password = str(answer["RandomPassword"])
    if "SecretStringTemplate" not in given:
        return password
    return shaping.text({**_template(given), str(given["GenerateStringKey"]): password})


def _template(given: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return msgspec.json.decode(shaping.text(given["SecretStringTemplate"]), type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise InvalidProperties("#/GenerateSecretString/SecretStringTemplate: must be a JSON object") from error


class Secret(Kind):
    """A secret, whose value is given or made; it is deleted with the recovery window of Secrets Manager's own."""

    type = "AWS::SecretsManager::Secret"
    properties = ("Description", "GenerateSecretString", "KmsKeyId", "Name", "SecretString")
    parts = (Tags(_tag, _untag),)
    attributes = ("Id",)

    def check(self, properties: Mapping[str, Any]) -> None:
        """A value is given or made, and what is made has a place in its template."""
        if "SecretString" in properties and "GenerateSecretString" in properties:
            raise InvalidProperties("You must specify either SecretString or GenerateSecretString, and not both.")
        made = properties.get("GenerateSecretString")
        if isinstance(made, Mapping) and ("GenerateStringKey" in made) != ("SecretStringTemplate" in made):
            raise InvalidProperties(
                "#/GenerateSecretString: GenerateStringKey and SecretStringTemplate must be specified together"
            )

    async def make(self, work: Work) -> None:
        """Make the secret."""
        name = work["Name"]
        if name is None:
            suffix = work.wanted.generated_name.rpartition("-")[2]
            name = f"{work.wanted.logical_id}-{suffix}"
        given = work.given("Description", "KmsKeyId")
        value = await _value(work)
        answer = await work.call(
            "secretsmanager", "CreateSecret", Name=name, SecretString=value, Tags=work.tags, **given
        )
        work.made_as(answer["ARN"], Id=answer["ARN"])

    async def change(self, work: Work) -> None:
        """Change what is said of it, and give it another value when that is another."""
        if work.changes("Description", "KmsKeyId"):
            given = {"Description": "", "KmsKeyId": "alias/aws/secretsmanager"}
            given |= work.given("Description", "KmsKeyId")
            changed = {name: value for name, value in given.items() if work.changes(name)}
            await work.call("secretsmanager", "UpdateSecret", SecretId=work.id, **changed)
        if work.changes("SecretString", "GenerateSecretString"):
            value = await _value(work)
            if value is not None:
                await work.call("secretsmanager", "PutSecretValue", SecretId=work.id, SecretString=value)

    async def remove(self, work: Work) -> None:
        """Schedule the secret's deletion."""
        await work.call("secretsmanager", "DeleteSecret", SecretId=work.id)
