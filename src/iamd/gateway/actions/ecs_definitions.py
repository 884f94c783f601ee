"""Task definitions of ECS: by family, revision or ARN; what they say for condition keys; and the roles in them.

AWS: whoever runs a task or makes a service hands the roles of its task definition on (ECS Developer Guide, "Amazon ECS
task execution IAM role" and "IAM roles for Amazon ECS"). iamd learns them from the answers to RegisterTaskDefinition;
of a definition that it does not know any role may be one.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from iamd.gateway.actions.asked import Asked, at
from iamd.gateway.actions.forms import InvalidParameter

_FAMILY: Final = "[A-Za-z0-9_-]{1,255}"
_DEFINITION: Final = re.compile(
    r"(?:arn:(?P<partition>[a-z-]+):ecs:(?P<region>[a-z0-9-]+):(?P<account>[0-9]{12}):task-definition/)?"
    rf"(?P<family>{_FAMILY})(?::(?P<revision>[1-9][0-9]{{0,9}}))?",
    re.ASCII,
)
_HANDING: Final = frozenset({"CreateService", "CreateTaskSet", "RunTask", "StartTask", "UpdateService"})
INACTIVE: Final = "-"
"""What is known of a revision that no task can be started from any more."""


def definition(asked: Asked) -> dict[str, Any]:
    """The task definition that is named, or those; of a family without a revision, `*` stands for that."""
    given, found = asked.parameters, dict[str, Any]()
    if asked.operation.name == "RegisterTaskDefinition":
        found["definition"] = _arn(asked, f"{_family(given['family'])}:*")
    elif asked.operation.name == "RegisterDaemonTaskDefinition":
        family = _family(given["family"])
        found["daemon_definition"] = _arn(asked, f"{family}:*").replace(":task-definition/", ":daemon-task-definition/")
    elif given.get("taskDefinition"):
        found |= _named(str(given["taskDefinition"]), asked)
    elif given.get("taskDefinitions"):
        found["definitions"] = [_named(str(one), asked)["definition"] for one in given["taskDefinitions"]]
    if given.get("daemonTaskDefinition"):
        named = str(given["daemonTaskDefinition"]).replace(":daemon-task-definition/", ":task-definition/")
        whole = str(_named(named, asked)["definition"])
        found["daemon_definition"] = whole.replace(":task-definition/", ":daemon-task-definition/")
    return found


def _family(family: Any) -> str:
    if not re.fullmatch(_FAMILY, str(family), re.ASCII):
        raise InvalidParameter(f"Family contains invalid characters: {family}")
    return str(family)


def _arn(asked: Asked, definition: str) -> str:
    return f"arn:{asked.partition}:ecs:{asked.region}:{asked.account}:task-definition/{definition}"


def _named(named: str, asked: Asked) -> dict[str, Any]:
    match = _DEFINITION.fullmatch(named)
    if match is None:
        raise InvalidParameter(f"Invalid identifier: {named}")
    if match["account"] and (match["partition"], match["region"], match["account"]) != (
        asked.partition,
        asked.region,
        asked.account,
    ):
        raise InvalidParameter("Invalid identifier: the task definition is of another account or Region.")
    whole = _arn(asked, f"{match['family']}:{match['revision'] or '*'}")
    # A condition on a task definition is not decided by a revision that nobody knows.
    return {"definition": whole, "known_definition": whole if match["revision"] else None}


def has_unknown_roles(asked: Asked, found: Mapping[str, Any]) -> bool:
    """Whether the request hands on the roles of a task definition that iamd does not know."""
    return asked.operation.name in _HANDING and "definition" in found and _roles(asked, found["definition"]) is None


def roles(asked: Asked) -> list[str]:
    """The roles of the task definition that a request makes ECS use, as far as they are known."""
    if asked.operation.name not in _HANDING or not asked.parameters.get("taskDefinition"):
        return []
    return _roles(asked, str(definition(asked)["definition"])) or []


def _roles(asked: Asked, named: str) -> list[str] | None:
    family, _, revision = named.rpartition(":")
    known = asked.known(family)
    if revision == "*":
        active = [int(number) for number, told in known.items() if told != INACTIVE]
        revision = str(max(active)) if active else "0"
    told = known.get(revision)
    return told.split() if told not in {None, INACTIVE} else None


def told_of(described: Mapping[str, Any]) -> tuple[str, Mapping[str, str]]:
    """What an answer tells of a task definition: under its family's ARN the roles of the revision."""
    family, _, revision = described["taskDefinitionArn"].rpartition(":")
    named = [described.get("taskRoleArn"), described.get("executionRoleArn")]
    is_active = described.get("status", "ACTIVE") == "ACTIVE"
    return family, {revision: " ".join(filter(None, named)) if is_active else INACTIVE}


def definition_keys(given: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """What is said of privileges, of CPU units and of MiB of memory."""
    if "containerDefinitions" in given:
        yield "privileged", any(one.get("privileged") for one in given["containerDefinitions"])
    for member in ("cpu", "memory"):
        size = given.get(member) or at(given, f"overrides.{member}")
        # AWS: `1 vCPU` and `2 GB` are converted (API Reference, RegisterTaskDefinition); such a size counts as unknown.
        if isinstance(size, str) and size.isascii() and size.isdigit():
            yield member, size
