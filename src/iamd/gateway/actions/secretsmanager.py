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
from iamd.gateway.actions.asked import Asked, invalid

_NAME: Final = re.compile(r"[A-Za-z0-9/_+=.@-]{1,512}", re.ASCII)
# AWS: a name should not end like this, as part of an ARN could not be told from a whole one (DescribeSecret).
_SUFFIX: Final = re.compile(r"-[A-Za-z0-9]{6}$", re.ASCII)
UNKNOWN_SUFFIX: Final = "-??????"


def values(asked: Asked) -> Mapping[str, Any]:
    """The secret's ARN."""
    given = asked.parameters
    if asked.operation.name == "CreateSecret":
        return {"secret_arn": _whole(given["Name"], asked.account, asked) + UNKNOWN_SUFFIX}
    return {"secret_arn": secret_arn(given["SecretId"], asked)} if given.get("SecretId") else {}


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
    """`BatchGetSecretValue`, and `GetSecretValue` on each secret; by filter, on all of them."""
    named = [secret_arn(identifier, asked) for identifier in asked.parameters.get("SecretIdList") or []]
    found = [Target(action="secretsmanager:BatchGetSecretValue")]
    found += [Target(arn=arn, action="secretsmanager:GetSecretValue") for arn in named]
    if asked.parameters.get("Filters") or len(found) == 1:
        # SECURITY: which secrets a filter finds is not known before it is asked: the right to all of them is needed.
        every = f"arn:{asked.partition}:secretsmanager:{asked.region}:{asked.account}:secret:*"
        found.append(Target(arn=every, action="secretsmanager:GetSecretValue"))
    return found


COMPUTED: Final[Mapping[str, Callable[[Asked], list[Target]]]] = {"batch_get_secret_value": batch_get_secret_value}
