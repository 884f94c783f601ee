"""The workgroup or other resource that a request to Athena is for: by name, by ARN, or by the id of what is in it.

AWS: Service Authorization Reference, list_amazonathena: queries, notebooks, sessions and calculations are decided on
their workgroup. Which it is, the backend is asked.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from iamd.authz.target import Target
from iamd.errors import AWSError
from iamd.gateway.actions.asked import Asked, Question, at, untold
from iamd.gateway.actions.given_arn import formed, own

# Athena API Reference: Name of CreateWorkGroup, of CreateCapacityReservation, and of CreateDataCatalog, where a slash
# leads to a catalog within another (GetDatabase: CatalogName); ids.
_NAME: Final = re.compile(r"[A-Za-z0-9._-]{1,128}", re.ASCII)
_CATALOG: Final = re.compile(r"[A-Za-z0-9_@.-]{1,256}(?:/[A-Za-z0-9_@.-]{1,256})?", re.ASCII)
_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,256}", re.ASCII)
_TAGGED: Final = re.compile(
    rf"workgroup/{_NAME.pattern}(?:/session/{_ID.pattern})?|datacatalog/{_CATALOG.pattern}"
    rf"|capacity-reservation/{_NAME.pattern}",
    re.ASCII,
)
_DEFAULT: Final = "primary"
"""The workgroup where none is named (Athena User Guide, "Manage workgroups")."""
_GROUP_IS_OPTIONAL: Final = frozenset(
    {"CreateNamedQuery", "ListNamedQueries", "ListQueryExecutions", "StartQueryExecution"}
)
# Members that hold ids, the operation that tells of them, and where in its answer the thing and its workgroup stand.
_IDS: Final = {
    "NamedQueryId": ("GetNamedQuery", "NamedQuery"),
    "QueryExecutionId": ("GetQueryExecution", "QueryExecution"),
    "NotebookId": ("GetNotebookMetadata", "NotebookMetadata"),
    "SessionId": ("GetSession", ""),
    "CalculationExecutionId": ("GetCalculationExecution", ""),
}
_LISTS: Final = {
    "NamedQueryIds": ("BatchGetNamedQuery", "NamedQueries"),
    "QueryExecutionIds": ("BatchGetQueryExecution", "QueryExecutions"),
}
# A calculation's answer names its session, and that one's its workgroup.
_SESSION: Final = "SessionId"


class InvalidRequest(AWSError):
    """A name, an ARN or an id that nothing of Athena can have (Athena API Reference, InvalidRequestException)."""

    code = "InvalidRequestException"
    status = 400


def question(asked: Asked) -> Question | None:
    """What the backend is to be asked before the workgroup is known; None when nothing is left to ask.

    Where a query's results go can stand in its workgroup.
    """
    if asked.operation.name == "StartQueryExecution" and "GetWorkGroup" not in asked.told:
        return Question("GetWorkGroup", {"WorkGroup": _checked(asked.parameters.get("WorkGroup") or _DEFAULT, _NAME)})
    for member, (operation, _) in (*_IDS.items(), *_LISTS.items()):
        if not _counts(member, asked):
            continue
        if operation not in asked.told:
            ids = asked.parameters[member]
            for one in ids if isinstance(ids, list) else [ids]:
                _checked(one, _ID)
            return Question(operation, {member: ids})
        session = (asked.told[operation] or {}).get(_SESSION) if member == "CalculationExecutionId" else None
        if session is not None and "GetSession" not in asked.told:
            return Question("GetSession", {_SESSION: session})
    return None


def _counts(member: str, asked: Asked) -> bool:
    """Whether the workgroup is to be found by this member; listing executors is decided on no resource."""
    return (
        member in asked.parameters
        and asked.operation.name != "ListExecutors"
        and not (member == "SessionId" and "NotebookId" in asked.parameters)
    )


def values(asked: Asked) -> Mapping[str, Any]:
    """The names in ARNs of what the request names."""
    parameters, name = asked.parameters, asked.operation.name
    found: dict[str, Any] = {}
    if parameters.get("WorkGroup") or name in _GROUP_IS_OPTIONAL:
        found["workgroup"] = _checked(parameters.get("WorkGroup") or _DEFAULT, _NAME)
    elif name == "CreateWorkGroup":
        found["workgroup"] = _checked(parameters["Name"], _NAME)
    else:
        group = _of_id(asked)
        found |= {"workgroup": group} if group is not None else {}
    catalog = parameters.get("CatalogName") or (parameters.get("Name") if "DataCatalog" in name else None)
    if catalog is not None:
        found["catalog"] = _checked(catalog, _CATALOG)
    if "Capacity" in name:
        named = parameters.get("CapacityReservationName") or parameters.get("Name")
        found |= {"reservation": _checked(named, _NAME)} if named is not None else {}
    if "ResourceARN" in parameters:
        found["tagged"] = _arn(parameters["ResourceARN"], asked)
    return found


def _of_id(asked: Asked) -> str | None:
    """The workgroup of the id in the request, if it has one; every workgroup when there is no such thing."""
    for member, (operation, within) in _IDS.items():
        if not _counts(member, asked):
            continue
        if asked.told[operation] is not None and member == "CalculationExecutionId":
            operation = "GetSession"  # noqa: PLW2901 (a calculation is in its session's workgroup)
        answer = asked.told.get(operation, {})
        thing = at(answer, within) if answer and within else answer
        if answer is not None and (not thing or not (within or "WorkGroup" in thing)):
            raise untold(asked.parameters[member])
        return _group(thing)
    return None


def _group(thing: Mapping[str, Any] | None) -> str:
    # What is not there is in no workgroup; the backend says so to whoever may ask in all of them.
    return "*" if thing is None else _checked(thing.get("WorkGroup") or _DEFAULT, _NAME)


def _checked(value: Any, pattern: re.Pattern[str]) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise InvalidRequest(f"{value} is not valid.")
    return value


def _arn(value: Any, asked: Asked) -> str:
    return formed(value, "athena", _TAGGED, asked, InvalidRequest(f"{value} is not the ARN of a resource of Athena."))


def batch_get(asked: Asked) -> list[Target]:
    """The workgroup of each query that is asked for; every workgroup for those that are not there."""
    for member, (operation, within) in _LISTS.items():
        if member in asked.parameters:
            things = (asked.told.get(operation) or {}).get(within) or []
            groups = [_group(thing) for thing in things]
            missing = len(things) < len(dict.fromkeys(asked.parameters[member]))
            return _targets([*groups, "*"] if missing or not groups else groups, asked)
    return []


def put_capacity_assignment(asked: Asked) -> list[Target]:
    """The capacity reservation, and each workgroup that it is assigned to."""
    parameters = asked.parameters
    assigned = [name for one in parameters["CapacityAssignments"] for name in one.get("WorkGroupNames") or []]
    reservation = own("athena", f"capacity-reservation/{_checked(parameters['CapacityReservationName'], _NAME)}", asked)
    action = f"athena:{asked.operation.name}"
    return [Target(arn=reservation, action=action), *_targets([_checked(name, _NAME) for name in assigned], asked)]


def _targets(groups: list[str], asked: Asked) -> list[Target]:
    action = f"athena:{asked.operation.name}"
    return [Target(arn=own("athena", f"workgroup/{group}", asked), action=action) for group in dict.fromkeys(groups)]


COMPUTED: Final[Mapping[str, Callable[[Asked], list[Target]]]] = {
    "batch_get": batch_get,
    "put_capacity_assignment": put_capacity_assignment,
}
