"""Resources as a stack makes them, by requests of boto3 to a running iamd."""

import asyncio
import secrets
from dataclasses import dataclass, field, replace
from typing import Any

from botocore.exceptions import ClientError
from running import ACCOUNT, AWS, REGION, Credentials

from iamd.stacks import handlers
from iamd.stacks.client import RequestFailed
from iamd.stacks.handlers import Made, Wanted

STACK_ID = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/orders/4b9f1a2c-0000-4000-8000-000000000000"


@dataclass
class BotoClient:
    """The client of a stack that goes over the wire; it remembers what it called."""

    aws: AWS
    credentials: Credentials | None = None
    account: str = ACCOUNT
    region: str = REGION
    partition: str = "aws"
    called: list[str] = field(default_factory=list)

    async def call(self, service: str, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        self.called.append(f"{service}:{operation}")
        try:
            return self.aws.client(service, self.credentials)._make_api_call(operation, dict(parameters))
        except ClientError as error:
            told, status = error.response["Error"], error.response["ResponseMetadata"]["HTTPStatusCode"]
            raise RequestFailed(told["Code"], told["Message"], status, operation) from error


@dataclass(frozen=True)
class Resource:
    """A resource that was made."""

    wanted: Wanted
    made: Made

    @property
    def ref(self) -> str:
        return self.made.physical_id

    def __getitem__(self, name: str) -> Any:
        """What Fn::GetAtt gives."""
        assert name in handlers.attribute_names(self.wanted.type)
        return self.made.attributes[name]


class Stack:
    """A stack that makes, changes and removes one resource at a time."""

    def __init__(self, aws: AWS, credentials: Credentials | None = None) -> None:
        self.client = BotoClient(aws, credentials)

    def create(
        self, type: str, logical_id: str = "Thing", tags: dict[str, str] | None = None, **properties: Any
    ) -> Resource:
        handlers.check(type, properties)
        own = {"aws:cloudformation:stack-name": "orders", "aws:cloudformation:logical-id": logical_id}
        wanted = Wanted(
            logical_id=logical_id,
            type=type,
            properties=properties,
            stack_name="orders",
            stack_id=STACK_ID,
            generated_name=f"orders-{logical_id}-{secrets.token_hex(6).upper()}",
            tags={**own, **(tags or {})},
        )
        made = asyncio.run(handlers.create(wanted, self.client))
        assert made.attributes.keys() == handlers.attribute_names(type)
        return Resource(wanted, made)

    def update(self, resource: Resource, tags: dict[str, str] | None = None, **properties: Any) -> Resource:
        """Change properties; one that is None is there no more."""
        wanted = resource.wanted
        changed = {name: value for name, value in {**wanted.properties, **properties}.items() if value is not None}
        handlers.check(wanted.type, changed)
        assert not handlers.replaces(wanted.type, wanted.properties, changed)
        new = replace(wanted, properties=changed, tags=wanted.tags if tags is None else tags)
        made = asyncio.run(handlers.update(wanted, new, resource.made, self.client))
        assert made.physical_id == resource.ref
        assert made.attributes.keys() == handlers.attribute_names(wanted.type)
        return Resource(new, made)

    def delete(self, resource: Resource) -> None:
        asyncio.run(handlers.delete(resource.wanted, resource.made, self.client))
