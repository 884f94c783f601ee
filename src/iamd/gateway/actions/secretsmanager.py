"""Secrets Manager: the ARN of a secret that is named by its name, part of its ARN, or its ARN.

AWS decides on the ARN with its six random characters (Secrets Manager User Guide, "Determine who has permissions to
your secrets"). iamd learns it from the answers of the backend; until then the place of those characters is held by
`??????`, which `*` and `??????` in a policy match and nothing narrower does.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from iamd import arn as arns
from iamd.authz.target import Target
from iamd.gateway.actions.asked import Asked, Question, invalid

_NAME: Final = re.compile(r"[A-Za-z0-9/_+=.@-]{1,512}", re.ASCII)
# AWS: a name should not end like this, as part of an ARN could not be told from a whole one (DescribeSecret).
_SUFFIX: Final = re.compile(r"-[A-Za-z0-9]{6}$", re.ASCII)
_FUNCTION: Final = re.compile(
    r"arn:[a-z-]+:lambda:[a-z0-9-]+:[0-9]{12}:function:[A-Za-z0-9_-]+(?::[$A-Za-z0-9_-]+)?", re.ASCII
)
UNKNOWN_SUFFIX: Final = "-??????"


def question(asked: Asked) -> Question | None:
    """What the backend is to be asked: by which function a secret is rotated where RotateSecret names none."""
    given = asked.parameters
    is_told = given.get("RotationLambdaARN") or "DescribeSecret" in asked.told
    if asked.operation.name != "RotateSecret" or is_told or not given.get("SecretId"):
        return None
    return Question("DescribeSecret", {"SecretId": given["SecretId"]})


def rotation_function(asked: Asked) -> str | None:
    """The ARN of the function that RotateSecret has rotate."""
    known = asked.told.get("DescribeSecret") or {}
    return asked.parameters.get("RotationLambdaARN") or known.get("RotationLambdaARN")


def values(asked: Asked) -> Mapping[str, Any]:
    """The secret's ARN, the replicas that are asked for, and what is said of rotation."""
    given = asked.parameters
    found: dict[str, Any] = {**_replicas(given), **_rotation(asked)}
    if asked.operation.name == "CreateSecret":
        found["secret_arn"] = _whole(given["Name"], asked.account, asked) + UNKNOWN_SUFFIX
    elif given.get("SecretId"):
        found["secret_arn"] = secret_arn(given["SecretId"], asked)
    return found


def _replicas(given: Mapping[str, Any]) -> dict[str, Any]:
    regions = [replica["Region"] for replica in given.get("AddReplicaRegions") or [] if "Region" in replica]
    return {"replica_regions": regions} if regions else {}


def _rotation(asked: Asked) -> dict[str, Any]:
    """The function that rotates, and whether the rules of rotation change."""
    rules = asked.parameters.get("RotationRules")
    found: dict[str, Any] = {"modifies_rotation": True} if rules is not None else {}
    function = rotation_function(asked)
    if function:
        if not _FUNCTION.fullmatch(function):
            raise invalid("Invalid Lambda function ARN")
        found["rotation_function"] = function
    return found


def secret_arn(identifier: str, asked: Asked) -> str:
    """The ARN of the secret that a SecretId means."""
    if not identifier.startswith("arn:"):
        return _by_name(identifier, asked.account, asked)
    parsed = arns.parse(identifier)
    kind, _, name = parsed.resource.partition(":") if parsed is not None else ("", "", "")
    if parsed is None or parsed.service != "secretsmanager" or kind != "secret" or parsed.region != asked.region:
        raise invalid("Invalid ARN")
    found = None if asked.known(identifier) else asked.named(known_name(asked.region, parsed.account, name))
    if found is None and not asked.known(identifier) and not _SUFFIX.search(name):
        return _by_name(name, parsed.account, asked)
    return found or identifier


def known_name(region: str, account: str, name: str) -> str:
    """The name by which a secret is remembered."""
    return f"secretsmanager:{region}:{account}:{name}"


def _by_name(name: str, account: str, asked: Asked) -> str:
    found = asked.named(known_name(asked.region, account, name))
    return found or _whole(name, account, asked) + UNKNOWN_SUFFIX


def _whole(name: str, account: str, asked: Asked) -> str:
    if not _NAME.fullmatch(name):
        raise invalid(
            "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!"
        )
    return f"arn:{asked.partition}:secretsmanager:{asked.region}:{account}:secret:{name}"


def batch_get_secret_value(asked: Asked) -> list[Target]:
    """`BatchGetSecretValue`, and `GetSecretValue` on each secret; by filter, `ListSecrets` and all of them."""
    named = [secret_arn(identifier, asked) for identifier in asked.parameters.get("SecretIdList") or []]
    found = [Target(action="secretsmanager:BatchGetSecretValue")]
    found += [Target(arn=arn, action="secretsmanager:GetSecretValue") for arn in named]
    if asked.parameters.get("Filters"):
        found.append(Target(action="secretsmanager:ListSecrets"))
    if asked.parameters.get("Filters") or not named:
        # SECURITY: which secrets a filter finds is not known before it is asked: the right to all of them is needed.
        every = f"arn:{asked.partition}:secretsmanager:{asked.region}:{asked.account}:secret:*"
        found.append(Target(arn=every, action="secretsmanager:GetSecretValue"))
    return found


COMPUTED: Final[Mapping[str, Callable[[Asked], list[Target]]]] = {"batch_get_secret_value": batch_get_secret_value}
