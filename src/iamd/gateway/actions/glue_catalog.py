"""What of Glue's Data Catalog a request is for: a catalog, database, table, function or connection, with all above it.

AWS: Glue Developer Guide, "Specifying AWS Glue resource ARNs": an action on something in the catalog needs the right to
it on that and on all of its ancestors, and what lists or ends many on all that it may reach. The catalog is another
account's where CatalogId says so. Names of databases, tables and functions are folded to small letters.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from iamd.authz.target import Target
from iamd.errors import AWSError
from iamd.gateway.actions import tags
from iamd.gateway.actions.asked import Asked, at, invalid

# A catalog is an account's, by its number, or one within it, whose path may follow that number (S3 User Guide,
# "Prerequisites for integrating with AWS analytics services": ARNs of s3tablescatalog/bucket).
_PATH: Final = r"[A-Za-z0-9_.@-]{1,255}(?:/[A-Za-z0-9_.@-]{1,255}){0,4}"
_CATALOG: Final = re.compile(rf"(?P<account>[0-9]{{12}})(?::(?P<path>{_PATH}))?|(?P<name>{_PATH})", re.ASCII)
_NAME: Final = re.compile(r"[^\x00-\x1f\x7f*?:/]{1,255}")
_EVERY: Final = "*"
# "The public IAM action associated with this API" (Glue API Reference, GetUnfilteredTableMetadata and its like).
_ACTIONS: Final = {
    "GetUnfilteredPartitionMetadata": "GetPartition",
    "GetUnfilteredPartitionsMetadata": "GetPartitions",
    "GetUnfilteredTableMetadata": "GetTable",
}


class InvalidInput(AWSError):
    """A name or an ARN of nothing that Glue can have (Glue API Reference, InvalidInputException)."""

    code = "InvalidInputException"
    status = 400


def checked(name: Any) -> str:
    """A name that brings nothing of its own into an ARN."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise InvalidInput(f"{name} is not a valid name.")
    return name


@dataclass(frozen=True, slots=True)
class Place:
    """A catalog: how the ARNs of its account begin, and its path within the account's own, ended by a slash."""

    here: str
    path: str

    def ancestors(self) -> list[str]:
        """The account's catalog, and each catalog down to this one."""
        parts = self.path.split("/")[:-1]
        within = [f"{self.here}:catalog/{'/'.join(parts[: index + 1])}" for index in range(len(parts))]
        return [f"{self.here}:catalog", *within]

    def database(self, name: str) -> str:
        """The ARN of a database."""
        return f"{self.here}:database/{self.path}{name}"

    def within(self, kind: str, database: str, name: str) -> str:
        """The ARN of a table or a function in a database."""
        return f"{self.here}:{kind}/{self.path}{database}/{name}"


def place(catalog: Any, asked: Asked) -> Place:
    """The catalog of this id, or the caller's own without one."""
    if not catalog:
        return Place(_here(asked.account, asked), "")
    match = _CATALOG.fullmatch(catalog) if isinstance(catalog, str) else None
    if match is None:
        raise InvalidInput(f"{catalog} is not the id of a catalog.")
    path = match["path"] or match["name"]
    return Place(_here(match["account"] or asked.account, asked), f"{path}/" if path else "")


def _here(account: str, asked: Asked) -> str:
    return f"arn:{asked.partition}:glue:{asked.region}:{account}"


def root(asked: Asked) -> str:
    """The account's catalog that the request is for."""
    return place(asked.parameters.get("CatalogId"), asked).ancestors()[0]


def _place(asked: Asked) -> Place:
    parameters = asked.parameters
    return place(parameters.get("CatalogId") or parameters.get("CatalogID"), asked)


def _folded(name: Any) -> str:
    return checked(name).lower()


def _targets(arns: Iterable[str], asked: Asked, tagged: str | None = None) -> list[Target]:
    """The operation's action on each of these, and the tags that it sets at once on the last."""
    context, name = tags.of(asked.parameters), asked.operation.name
    action = f"glue:{_ACTIONS.get(name, name)}"
    found = [Target(arn=arn, action=action, context=context) for arn in dict.fromkeys(arns)]
    if tagged is not None and asked.parameters.get("Tags"):
        found.append(Target(arn=tagged, action="glue:TagResource", context=context))
    return found


def of_catalog(asked: Asked) -> list[Target]:
    """The catalog and those that it is in; a list's, every one below."""
    parameters, name = asked.parameters, asked.operation.name
    if name == "GetCatalogs":
        parent = place(parameters.get("ParentCatalogId"), asked)
        return _targets([*parent.ancestors(), f"{parent.here}:catalog/{parent.path}{_EVERY}"], asked)
    if name != "CreateCatalog":
        return _targets(place(parameters["CatalogId"], asked).ancestors(), asked)
    found = place(checked(parameters["Name"]), asked)
    made = _targets(found.ancestors(), asked, found.ancestors()[-1])
    return [*made, *_passed(at(parameters, "CatalogInput.FederatedCatalog.ConnectionName"), found.here)]


def _passed(connection: Any, here: str) -> list[Target]:
    """The connection that something federated is made with (Glue API Reference, CreateConnection)."""
    if not connection:
        return []
    return [Target(arn=f"{here}:connection/{checked(connection)}", action="glue:PassConnection")]


def of_database(asked: Asked) -> list[Target]:
    """The database and its catalogs; with DeleteDatabase all that is in it, with a list every database."""
    parameters, name, catalog = asked.parameters, asked.operation.name, _place(asked)
    if name == "GetDatabases":
        return _targets([*catalog.ancestors(), catalog.database(_EVERY)], asked)
    named = parameters.get("DatabaseName") or parameters.get("Name") or parameters["DatabaseInput"]["Name"]
    databases = [_folded(one) for one in (named, at(parameters, "DatabaseInput.Name")) if one]
    found = [*catalog.ancestors(), *(catalog.database(one) for one in databases)]
    if name == "DeleteDatabase":
        found += [catalog.within(kind, databases[0], _EVERY) for kind in ("table", "userDefinedFunction")]
    passed = _passed(at(parameters, "DatabaseInput.FederatedDatabase.ConnectionName"), catalog.here)
    return [*_targets(found, asked, found[-1]), *passed]


def of_table(asked: Asked) -> list[Target]:
    """The table, its database and its catalogs; with a list or a search every one that it may show."""
    parameters, catalog = asked.parameters, _place(asked)
    if parameters.get("Region") not in {None, asked.region}:
        raise invalid(f"{parameters['Region']} is not the region {asked.region}.")
    if asked.operation.name == "SearchTables":
        every = [catalog.database(_EVERY), catalog.within("table", _EVERY, _EVERY)]
        return _targets([*catalog.ancestors(), *every], asked)
    database = _folded(parameters["DatabaseName"])
    tables = [catalog.within("table", database, name) for name in _tables(asked)]
    return _targets([*catalog.ancestors(), catalog.database(database), *tables], asked, tables[0])


def _tables(asked: Asked) -> list[str]:
    parameters = asked.parameters
    if asked.operation.name == "GetTables":
        return [_EVERY]
    named = parameters.get("TablesToDelete") or [
        name
        for name in (parameters.get("TableName"), parameters.get("Name"), at(parameters, "TableInput.Name"))
        if name
    ]
    if not named:
        raise KeyError("Name")
    return [_folded(name) for name in named]


def of_table_entries(asked: Asked) -> list[Target]:
    """Each table, with its database and its catalogs."""
    return _targets(_entries(asked), asked)


def _entries(asked: Asked) -> Iterator[str]:
    for entry in asked.parameters["Entries"]:
        catalog = place(entry.get("catalogId"), asked)
        database = _folded(entry["databaseName"])
        yield from catalog.ancestors()
        yield catalog.database(database)
        yield catalog.within("table", database, _folded(entry["tableName"]))


def of_function(asked: Asked) -> list[Target]:
    """The function, its database and its catalogs; with a list every one that it may show."""
    parameters, catalog = asked.parameters, _place(asked)
    is_list = asked.operation.name == "GetUserDefinedFunctions"
    database = _EVERY if is_list and not parameters.get("DatabaseName") else _folded(parameters["DatabaseName"])
    names = [_EVERY] if is_list else [_folded(parameters["FunctionName"])]
    renamed = at(parameters, "FunctionInput.FunctionName")
    names += [_folded(renamed)] if renamed else []
    functions = [catalog.within("userDefinedFunction", database, name) for name in names]
    return _targets([*catalog.ancestors(), catalog.database(database), *functions], asked)


def of_connection(asked: Asked) -> list[Target]:
    """The connection, or each of them, and its catalog; a new one is decided on its catalog."""
    parameters, name, catalog = asked.parameters, asked.operation.name, _place(asked)
    if name == "CreateConnection":
        made = f"{catalog.here}:connection/{checked(parameters['ConnectionInput']['Name'])}"
        return _targets(catalog.ancestors(), asked, made)
    named = parameters.get("ConnectionNameList") or [parameters.get("ConnectionName") or parameters.get("Name")]
    names = [_EVERY] if named == [None] and name in {"GetConnections", "ListEntities"} else map(checked, named)
    renamed = at(parameters, "ConnectionInput.Name")
    arns = [f"{catalog.here}:connection/{one}" for one in (*names, *([checked(renamed)] if renamed else []))]
    return _targets([*catalog.ancestors(), *arns], asked)


COMPUTED: Final[Mapping[str, Callable[[Asked], list[Target]]]] = {
    "of_catalog": of_catalog,
    "of_connection": of_connection,
    "of_database": of_database,
    "of_function": of_function,
    "of_table": of_table,
    "of_table_entries": of_table_entries,
}
