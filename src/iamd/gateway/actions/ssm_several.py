"""Requests to Systems Manager that touch several things: parameters by a list, documents run on nodes."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from iamd.authz.target import Target
from iamd.gateway.actions import keys, secretsmanager, tags
from iamd.gateway.actions.asked import Asked
from iamd.gateway.actions.given_arn import own
from iamd.gateway.actions.ssm import (
    SECRET_REFERENCE,
    bucket_arn,
    document_arn,
    every_node,
    node_arn,
    parameter_arn,
    values,
)

_SESSION: Final = "SSM-SessionManagerRunShell"
"""The document of a session that names none (API Reference, StartSession)."""


def _targets(arns: Iterable[str], asked: Asked, **told: Any) -> list[Target]:
    """The operation's own action on each of these."""
    action = f"ssm:{asked.operation.name}"
    context = {**tags.of(asked.parameters), **keys.of("ssm", action, {**asked.parameters, **told})}
    return [Target(arn=arn, action=action, context=context) for arn in dict.fromkeys(arns)]


def parameters(asked: Asked) -> list[Target]:
    """The operation's own action on each parameter; `GetSecretValue` on each that refers to a secret."""
    given = asked.parameters
    names = given["Names"] if "Names" in given else [given["Name"]]
    if not names:
        raise KeyError("Names")
    named = [parameter_arn(name, asked) for name in names]
    # SECURITY: by whatever name a parameter is called that is a secret, its secret is what is read.
    referred = [arn.partition(SECRET_REFERENCE)[2] for arn in named if SECRET_REFERENCE in arn]
    secrets = [secretsmanager.secret_arn(name, asked) for name in referred]
    wanted = "secretsmanager:GetSecretValue"
    return [*_targets(named, asked), *(Target(arn=arn, action=wanted) for arn in secrets)]


def _nodes(given: Mapping[str, Any], asked: Asked) -> list[str]:
    """The nodes that a request names, and all of them for targets that name none (tags, resource groups)."""
    named = [*(given.get("InstanceIds") or []), *([given["InstanceId"]] if given.get("InstanceId") else [])]
    every = False
    for target in given.get("Targets") or []:
        if target.get("Key") == "InstanceIds" and target.get("Values") and "*" not in target["Values"]:
            named += target["Values"]
        else:
            every = True
    return [*(node_arn(name, asked) for name in named), *(every_node(asked) if every else [])]


def send_command(asked: Asked) -> list[Target]:
    """`SendCommand` on the document, on each node or all of them, and on the bucket for outputs."""
    given = asked.parameters
    found = [document_arn(given["DocumentName"], asked), *_nodes(given, asked)]
    if given.get("OutputS3BucketName"):
        found.append(bucket_arn(given["OutputS3BucketName"], asked))
    return _targets(found, asked)


def start_session(asked: Asked) -> list[Target]:
    """`StartSession` on the target, and on the document, the default one where none is named."""
    given = asked.parameters
    found = [node_arn(given["Target"], asked), document_arn(given.get("DocumentName") or _SESSION, asked)]
    return _targets(found, asked, document_check=True)


def start_automation(asked: Asked) -> list[Target]:
    """The operation's own action on `automation-execution/*`, and on each runbook as a document and as a definition."""
    given = asked.parameters
    runbooks = [given, *(given.get("Runbooks") or [])]
    found = [own("ssm", "automation-execution/*", asked)]
    versions = []
    for one in runbooks:
        document, version = document_arn(one["DocumentName"], asked), one.get("DocumentVersion") or "$DEFAULT"
        versions.append(version)
        name = document.rpartition("/")[2]
        found += [document, own("ssm", f"automation-definition/{name}:{_version(version)}", asked)]
    told = {"versions": tuple(dict.fromkeys(versions)), "auto_approve": bool(given.get("AutoApprove"))}
    return _targets(found, asked, **told)


def _version(version: str) -> str:
    return version.replace(":", "").replace("*", "").replace("/", "")


def associations(asked: Asked) -> list[Target]:
    """The operation's own action on associations, by id or all of them, on their documents and on their nodes."""
    given, found = asked.parameters, []
    if "AssociationIds" in given:
        found = [values_of(asked, identifier) for identifier in given["AssociationIds"]]
    elif given.get("AssociationId"):
        found = [values_of(asked, given["AssociationId"])]
    elif asked.operation.name != "CreateAssociationBatch":
        found = [own("ssm", "association/*", asked)]
    for entry in (given, *(given.get("Entries") or [])):
        if entry.get("Name") and asked.operation.name not in {"DeleteAssociation", "DescribeAssociation"}:
            found += [document_arn(entry["Name"], asked), *_nodes(entry, asked)]
        elif asked.operation.name == "UpdateAssociation":
            found += _nodes(entry, asked)
    if not found:
        raise KeyError("Entries" if "Entries" in given else "AssociationIds")
    if asked.operation.name == "UpdateAssociation":
        # AWS: API Reference, UpdateAssociation: who calls it must be permitted to call DescribeAssociation.
        described = Target(arn=found[0], action="ssm:DescribeAssociation")
        return [*_targets(found, asked), described]
    return _targets(found, asked)


def values_of(asked: Asked, identifier: str) -> str:
    """The ARN of the association of this id."""
    return str(values(_with(asked, {"AssociationId": identifier}))["association"])


def _with(asked: Asked, parameters: Mapping[str, Any]) -> Asked:
    return Asked(asked.operation, parameters, asked.account, asked.region)


def nodes(asked: Asked) -> list[Target]:
    """The operation's own action on each node, or on all of them."""
    found = _nodes(asked.parameters, asked)
    if not found:
        raise KeyError("InstanceIds")
    return _targets(found, asked)


def calendars(asked: Asked) -> list[Target]:
    """`GetCalendarState` on each calendar, which is a document."""
    names = asked.parameters["CalendarNames"]
    if not names:
        raise KeyError("CalendarNames")
    return _targets([document_arn(name, asked) for name in names], asked)


COMPUTED: Final[Mapping[str, Callable[[Asked], list[Target]]]] = {
    "associations": associations,
    "calendars": calendars,
    "nodes": nodes,
    "parameters": parameters,
    "send_command": send_command,
    "start_automation": start_automation,
    "start_session": start_session,
}
