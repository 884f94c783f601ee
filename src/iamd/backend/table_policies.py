"""Resource policies of moto's tables: they come and go with the table, and a revision that is expected is looked at.

AWS: DynamoDB API Reference, PutResourcePolicy ("When you provide an expected revision ID, if the revision ID of the
existing policy on the resource doesn't match or if there's no policy attached to the resource, your request will be
rejected with a PolicyNotFoundException") and DeleteResourcePolicy ("an idempotent operation; running it multiple times
on the same resource doesn't result in an error response, unless you specify an ExpectedRevisionId").
"""

from collections.abc import Callable
from typing import Any, Final

from moto.dynamodb.exceptions import PolicyNotFoundException
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.responses import DynamoHandler

from iamd.backend.replacement import replace

_NONE: Final = "NO_POLICY"


def install() -> None:
    """Look at what is there before it is another."""
    replace(DynamoHandler, "create_table", _table_made)
    replace(DynamoDBBackend, "put_resource_policy", _put)
    replace(DynamoDBBackend, "delete_resource_policy", _removed)
    replace(DynamoDBBackend, "delete_table", _table_deleted)


def _put(original: Callable[..., Any]) -> Callable[..., Any]:
    def put_resource_policy(backend: Any, resource_arn: str, policy_doc: str, expected_revision_id: str | None) -> Any:
        expects = expected_revision_id not in {None, _NONE}
        if expects and _has_none(backend, resource_arn):
            raise _not_found(resource_arn)
        return original(backend, resource_arn, policy_doc, expected_revision_id)

    return put_resource_policy


def _removed(original: Callable[..., None]) -> Callable[..., None]:
    def delete_resource_policy(backend: Any, resource_arn: str, expected_revision_id: str | None) -> None:
        if not _has_none(backend, resource_arn):
            original(backend, resource_arn, expected_revision_id)
        elif expected_revision_id is not None:
            raise _not_found(resource_arn)

    return delete_resource_policy


def _has_none(backend: Any, arn: str) -> bool:
    """Whether there is the table, without a policy; of what there is no table for, moto says so."""
    return arn.rpartition("/")[2] in backend.tables and arn not in backend.resource_policies


def _not_found(arn: str) -> PolicyNotFoundException:
    return PolicyNotFoundException(f"Resource-based policy not found for the provided ResourceArn: {arn}")


def _table_made(original: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def create_table(response: Any) -> Any:
        answer, policy = original(response), response.body.get("ResourcePolicy")
        if policy:
            backend = response.dynamodb_backend
            table = backend.tables[response.body["TableName"].rpartition("/")[2]]
            backend.put_resource_policy(resource_arn=table.table_arn, policy_doc=policy, expected_revision_id=None)
        return answer

    return create_table


def _table_deleted(original: Callable[..., Any]) -> Callable[..., Any]:
    def delete_table(backend: Any, *given: Any, **named: Any) -> Any:
        deleted = original(backend, *given, **named)
        backend.resource_policies.pop(deleted.table_arn, None)
        return deleted

    return delete_table
