"""What a request to Systems Manager is for: parameters, documents, nodes, and whatever else has an id or a name.

AWS: Systems Manager User Guide, "Restricting access to Parameter Store parameters using IAM policies"; API Reference,
GetParametersByPath, which is decided on its path alone. Documents that AWS owns have no account in their ARNs.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from iamd.errors import AWSError
from iamd.gateway.actions.asked import Asked
from iamd.gateway.actions.given_arn import given, own

# SECURITY: no colon and no wildcard; slashes only where a name has levels.
_PARAMETER: Final = re.compile(r"[A-Za-z0-9_./-]{1,2048}", re.ASCII)
_ID: Final = re.compile(r"[A-Za-z0-9_.-]{1,128}", re.ASCII)
_LEVELS: Final = re.compile(r"[A-Za-z0-9_./-]{1,1000}", re.ASCII)
_SELECTOR: Final = re.compile(r":[A-Za-z0-9_.-]{1,100}\Z", re.ASCII)
_BUCKET: Final = re.compile(r"[a-z0-9.-]{3,63}", re.ASCII)
# Systems Manager API Reference, CreateDocument: names that begin like this are AWS's.
_OWNED_BY_AWS: Final = re.compile(r"(?:aws|amazon|amzn)", re.ASCII | re.IGNORECASE)
SECRET_REFERENCE: Final = ":parameter/aws/reference/secretsmanager/"
"""What the ARN of a parameter has that is a secret (User Guide, "Referencing AWS Secrets Manager secrets")."""
_TASK: Final = re.compile(
    r"ecs:(?P<cluster>[A-Za-z0-9_-]{1,255})_(?P<task>[A-Za-z0-9]{1,64})_[A-Za-z0-9-]{1,64}", re.ASCII
)


class ValidationException(AWSError):
    """A name or an id that nothing of Systems Manager has."""

    code = "ValidationException"
    status = 400


def values(asked: Asked) -> Mapping[str, Any]:
    """The ARN of each thing that the table's rows name, of those that the request gives."""
    parameters, operation = asked.parameters, asked.operation.name
    found: dict[str, Any] = dict(_DEFAULTS.get(operation, {}))
    found |= {key: parameters[member] for member, key in _KEYS.items() if parameters.get(member) is not None}
    for member, (value, kind) in _IDS.items():
        if parameters.get(member) is not None:
            found[value] = _of_kind(kind, parameters[member], asked)
    for member, (value, work) in _NAMES.items():
        if member in parameters and (member != "Name" or operation in _BY_NAME[value]):
            found[value] = work(parameters[member], asked)
    if "Parameter" in operation and isinstance(parameters.get("Name"), str):
        found["parameter"] = parameter_arn(parameters["Name"], asked)
    if "ResourceType" in parameters and operation in _TAGGING:
        found["tagged"] = _tagged(parameters["ResourceType"], parameters["ResourceId"], asked)
    if operation == "PutComplianceItems":
        found["node"] = node_arn(parameters["ResourceId"], asked)
    if operation == "GetResourcePolicies":
        found["shared"] = _shared(parameters["ResourceArn"], asked)
    types = [item.get("TypeName") for item in parameters.get("Items") or [] if isinstance(item, Mapping)]
    return found | ({"inventory_types": types} if operation == "PutInventory" else {})


def parameter_arn(name: Any, asked: Asked) -> str:
    """The ARN of a parameter by name or ARN, without its version or label; its first slash is the ARN's own."""
    text = _SELECTOR.sub("", str(name)) if not str(name).startswith("arn:") else str(name)
    if not text.startswith("arn:"):
        return own("ssm", f"parameter/{_checked(text, _PARAMETER).removeprefix('/')}", asked)
    arn = given(_SELECTOR.sub("", text), "ssm", asked)
    if arn is None or not arn.resource.startswith("parameter/"):
        raise ValidationException(f"{name} is not the ARN of a parameter here.")
    _checked(arn.resource.removeprefix("parameter/"), _PARAMETER)
    return str(arn)


def path_arn(path: Any, asked: Asked) -> str:
    """The ARN of a path of parameters, as it is written."""
    text = str(path)
    if not text.startswith("/") or (text != "/" and not _PARAMETER.fullmatch(text)):
        raise ValidationException("The parameter path must begin with a slash.")
    return own("ssm", f"parameter/{text[1:]}", asked)


def document_arn(name: Any, asked: Asked) -> str:
    """The ARN of a document by name or ARN."""
    text = str(name)
    if text.startswith("arn:"):
        empty = f"arn:{asked.partition}:ssm:{asked.region}::document/"
        found = text if text.startswith(empty) else str(given(text, "ssm", asked) or "")
        kind, _, rest = found.split(":", 5)[-1].partition("/")
        if not found or kind != "document":
            raise ValidationException(f"{name} is not the ARN of a document here.")
        _checked(rest, _ID)
        return found
    _checked(text, _ID)
    if _OWNED_BY_AWS.match(text):
        return f"arn:{asked.partition}:ssm:{asked.region}::document/{text}"
    return own("ssm", f"document/{text}", asked)


def node_arn(identifier: Any, asked: Asked) -> str:
    """The ARN of an EC2 instance, of a managed node (`mi-...`), or of an ECS task that a session goes to."""
    text = str(identifier)
    task = _TASK.fullmatch(text)
    if task is not None:
        return own("ecs", f"task/{task['cluster']}/{task['task']}", asked)
    _checked(text, _ID)
    return (
        own("ssm", f"managed-instance/{text}", asked)
        if text.startswith("mi-")
        else own("ec2", f"instance/{text}", asked)
    )


def every_node(asked: Asked) -> list[str]:
    """What a target stands for that names no node."""
    return [own("ec2", "instance/*", asked), own("ssm", "managed-instance/*", asked)]


def bucket_arn(name: Any, asked: Asked) -> str:
    """The ARN of a bucket for outputs."""
    return f"arn:{asked.partition}:s3:::{_checked(name, _BUCKET)}"


def _of_kind(kind: str, value: Any, asked: Asked) -> str:
    """The ARN of a resource by its id, or by its ARN where a member takes one."""
    text = str(value)
    if not text.startswith("arn:"):
        return own("ssm", f"{kind}/{_checked(text.removeprefix('/'), _LEVELS if kind in _WITH_LEVELS else _ID)}", asked)
    arn = given(text, "ssm", asked)
    if arn is None or not arn.resource.startswith(f"{kind}/"):
        raise ValidationException(f"{value} is not the ARN of a resource here.")
    _checked(arn.resource.removeprefix(f"{kind}/"), _LEVELS)
    return str(arn)


def _role(name: Any, asked: Asked) -> str:
    text = str(name)
    if text.startswith("arn:"):
        return text
    return (
        f"arn:{asked.partition}:iam::{asked.account}:role/{_checked(text, re.compile(r'[A-Za-z0-9_+=,.@/-]{1,577}'))}"
    )


def _shared(value: Any, asked: Asked) -> str:
    """The ARN of a parameter, a document or the group of OpsItems, which can be shared with other accounts."""
    if ":opsitemgroup/" in str(value):
        return _of_kind("opsitemgroup", value, asked)
    return parameter_arn(value, asked) if ":parameter/" in str(value) else document_arn(value, asked)


def _tagged(kind: str, identifier: str, asked: Asked) -> str:
    if kind == "Parameter":
        return parameter_arn(identifier, asked)
    if kind == "Document":
        return document_arn(identifier, asked)
    if kind == "ManagedInstance":
        return node_arn(identifier, asked)
    found = _TAGGED_KINDS.get(kind)
    if found is None:
        raise ValidationException(f"{kind} is not a type of resource that has tags.")
    return _of_kind(found, identifier, asked)


def _checked(name: Any, pattern: re.Pattern[str]) -> str:
    if not isinstance(name, str) or not pattern.fullmatch(name):
        raise ValidationException(f"{name} is not a valid name.")
    return name


_WITH_LEVELS: Final = frozenset({"opsmetadata", "servicesetting"})
_TAGGING: Final = frozenset({"AddTagsToResource", "ListTagsForResource", "RemoveTagsFromResource"})
_TAGGED_KINDS: Final = {
    "Association": "association",
    "Automation": "automation-execution",
    "CloudConnector": "cloud-connector",
    "MaintenanceWindow": "maintenancewindow",
    "OpsItem": "opsitem",
    "OpsMetadata": "opsmetadata",
    "PatchBaseline": "patchbaseline",
}
# Members that hold an id, the table's name for what it is of, and what stands before the id in its ARN.
_IDS: Final = {
    "AccessRequestId": ("opsitem", "opsitem"),
    "AssociationId": ("association", "association"),
    "AutomationExecutionId": ("automation", "automation-execution"),
    "BaselineId": ("baseline", "patchbaseline"),
    "CloudConnectorId": ("connector", "cloud-connector"),
    "OpsItemId": ("opsitem", "opsitem"),
    "OpsMetadataArn": ("opsmetadata", "opsmetadata"),
    "SessionId": ("session", "session"),
    "SettingId": ("setting", "servicesetting"),
    "SyncName": ("sync", "resource-data-sync"),
    "WindowId": ("window", "maintenancewindow"),
    "WindowTargetId": ("window_target", "windowtarget"),
    "WindowTaskId": ("window_task", "windowtask"),
}
_BY_NAME: Final = {
    "document": frozenset(
        {
            "CreateDocument", "DeleteDocument", "DescribeDocument", "DescribeDocumentPermission", "GetDocument",
            "ListDocumentMetadataHistory", "ListDocumentVersions", "ModifyDocumentPermission",
            "UpdateAssociationStatus", "UpdateDocument", "UpdateDocumentDefaultVersion", "UpdateDocumentMetadata",
        }
    ),
}  # fmt: skip
_NAMES: Final[Mapping[str, tuple[str, Callable[[Any, Asked], str]]]] = {
    "Name": ("document", document_arn),
    "InstanceId": ("node", node_arn),
    "Path": ("path", path_arn),
    "Target": ("node", node_arn),
    "IamRole": ("role", _role),
}
# What the condition keys call members.
_KEYS: Final = {
    "AutoApprove": "auto_approve",
    "Overwrite": "overwrite",
    "Recursive": "recursive",
    "SyncType": "sync_type",
}
_DEFAULTS: Final[Mapping[str, Mapping[str, Any]]] = {
    "CreateResourceDataSync": {"sync_type": "SyncToDestination"},
    "DeleteResourceDataSync": {"sync_type": "SyncToDestination"},
    "GetParametersByPath": {"recursive": "false"},
    "PutParameter": {"overwrite": "false"},
}
