"""What moto's DynamoDB passes over of how items are read and deleted: it would show attributes that nobody asked for.

AWS: DynamoDB API Reference, GetItem, Query, Scan (AttributesToGet), TransactGetItems (ProjectionExpression), DeleteItem
(Expected).
"""

from collections.abc import Callable, Sequence
from typing import Any

from moto.dynamodb.comparisons import get_expected
from moto.dynamodb.exceptions import ConditionalCheckFailed
from moto.dynamodb.responses import (
    DynamoHandler,
    DynamoResult,
    ProjectionExpressionParser,
    validate_attributes_used,
)

from iamd.backend.replacement import replace


def install() -> None:
    """Have moto give what is asked for alone, and delete only what is as expected."""
    for name in ("get_item", "query", "scan"):
        replace(DynamoHandler, name, _reading)
    replace(DynamoHandler, "transact_get_items", _reading_together)
    replace(DynamoHandler, "delete_item", _deleting)


def _reading(original: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def read(response: Any) -> Any:
        told, wanted = original(response), response.body.get("AttributesToGet")
        if wanted is not None:
            # SECURITY: dynamodb:Attributes was decided by what the request names; nothing else may be told.
            if "Item" in told.result:
                told.result["Item"] = _only(told.result["Item"], wanted)
            if "Items" in told.result:
                told.result["Items"] = [_only(item, wanted) for item in told.result["Items"]]
        return told

    return read


def _only(item: dict[str, Any], wanted: Sequence[str]) -> dict[str, Any]:
    return {name: value for name, value in item.items() if name in wanted}


def _reading_together(original: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def transact_get_items(response: Any) -> Any:
        told = original(response)
        for place, asked in enumerate(response.body["TransactItems"]):
            if asked["Get"].get("ProjectionExpression") is not None:
                told.result["Responses"][place] = _projected(response.dynamodb_backend, asked["Get"])
        return told

    return transact_get_items


def _projected(backend: Any, asked: dict[str, Any]) -> Any:
    names = asked.get("ExpressionAttributeNames") or {}
    parser = ProjectionExpressionParser(asked["ProjectionExpression"], names)
    paths = parser.parse()
    validate_attributes_used(names, parser.expr_attr_names_found, validation_error_prefix=False)
    item = backend.get_item(asked["TableName"], asked["Key"], paths)
    return DynamoResult(item.describe_attrs(attributes=None)).result if item else {}


def _deleting(original: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def delete_item(response: Any) -> Any:
        expected = response.body.get("Expected")
        if expected:
            item = response.dynamodb_backend.get_item(response.body["TableName"], response.body["Key"])
            if not get_expected(expected).expr(item):
                raise ConditionalCheckFailed
        return original(response)

    return delete_item
