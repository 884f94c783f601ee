"""Resource policies of the streams of DynamoDB's tables, which moto has of tables alone.

AWS: DynamoDB API Reference, PutResourcePolicy: "The resources you can specify include tables and streams".
"""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, Final

from moto.dynamodb.models import DynamoDBBackend

from iamd.backend.replacement import replace
from iamd.backend.table_streams import has_stream

_OPERATIONS: Final = ("put_resource_policy", "get_resource_policy", "delete_resource_policy")


def install() -> None:
    """Let them have one each."""
    for name in _OPERATIONS:
        replace(DynamoDBBackend, name, _of_stream)


def _of_stream(original: Callable[..., Any]) -> Callable[..., Any]:
    def of_resource(backend: Any, resource_arn: str, **given: Any) -> Any:
        # moto takes the last part of the ARN for the table's name.
        table, is_stream, label = resource_arn.partition(":table/")[2].partition("/stream/")
        if not is_stream:
            return original(backend, resource_arn=resource_arn, **given)
        found = backend.tables.get(table)
        has_it = found is not None and has_stream(found, label)
        view = SimpleNamespace(tables={label: found} if has_it else {}, resource_policies=backend.resource_policies)
        return original(view, resource_arn=resource_arn, **given)

    return of_resource
