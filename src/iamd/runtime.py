"""Runtime: what one running server holds: settings, clock, sealing keys, state, and the way to its backends."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from iamd.api_places import Place
from iamd.auth.fido_metadata import Models
from iamd.auth.sealing import Keyring
from iamd.clock import Clock
from iamd.federation.issuers import Issuers
from iamd.http import HttpRequest, HttpResponse
from iamd.notices import Notice
from iamd.refusals import Refusals
from iamd.settings import Settings
from iamd.store.records import Role
from iamd.store.report_records import RoleUsage
from iamd.store.store import Store
from iamd.vpc_endpoint import VpcEndpoint
from iamd.vpc_endpoints import Endpoints

if TYPE_CHECKING:
    from iamd.gateway.actions.asked import Asked
    from iamd.gateway.answer import Answer
    from iamd.gateway.invocation import Invocation
    from iamd.gateway.proxy import Gateway
    from iamd.gateway.resources import Facts
    from iamd.stacks.service import Stacks


class Metadata(Protocol):
    """The instance metadata that this process serves."""

    def addresses(self) -> dict[str, str]:
        """Where metadata is served: by `default`, and for single instances by their ids."""

    def endpoint(self, account_id: str, instance_id: str) -> str | None:
        """The address of a running instance's own listener; None when the account has no such instance."""

    def forget(self) -> None:
        """Give nobody what was given before."""


class Functions(Protocol):
    """The Lambda functions that this process runs."""

    async def invoke(self, invocation: "Invocation") -> "Answer":
        """Run a function, or have it run later."""

    async def serve_url(self, request: HttpRequest) -> HttpResponse:
        """Answer a request to a function's URL, its body read."""

    async def serve_api(self, request: HttpRequest, place: Place) -> HttpResponse:
        """Answer a request to an API of API Gateway, its body read."""

    async def named_with_role(self, asked: "Asked") -> tuple[str, str]:
        """The name and the execution role's ARN of the function that a request is about, as it will be after it."""
        ...

    async def mapped(self, asked: "Asked") -> "Asked":
        """A request that changes a mapping, with the source of that mapping."""
        ...

    async def check(self, asked: "Asked") -> None:
        """What a function is told to do can be done; refused when it can't."""

    def changed(self, operation: str, arn: str) -> None:
        """Run a function as it is from now on."""

    async def reset(self) -> None:
        """End all that runs or waits."""

    async def close(self) -> None:
        """End for good."""


@dataclass(slots=True, kw_only=True)
class Runtime:
    """Made once at the start; `gateway` is None with `--backend none`."""

    settings: Settings
    clock: Clock
    keyring: Keyring
    store: Store
    refusals: Refusals
    issuers: Issuers
    security_key_models: Models = field(default_factory=dict)
    """What `fido_metadata` says of security keys; nothing without it."""

    vpc_endpoints: Endpoints | None = None
    """The VPC endpoints that requests may come through; None where the settings have none."""

    worker: int = 0
    """Which of `--workers` this process is; the first one owns the embedded backend, the others follow it."""

    gateway: "Gateway | None" = None
    metadata: "Metadata | None" = None
    """The instance metadata of this process; None before it serves."""
    endpoint: str = ""
    """The URL at which this server is reached from the machine that it runs on."""

    functions: "Functions | None" = None
    """The functions of this process; None where none are run."""

    stacks: "Callable[[], Stacks] | None" = None
    """Gives what works on CloudFormation's stacks in this process; None before it serves."""

    def metadata_endpoint(self, account_id: str, instance_id: str) -> str | None:
        """The address of the metadata of an account's running instance; None when there is no such instance."""
        return self.metadata.endpoint(account_id, instance_id) if self.metadata is not None else None

    def facts_of_ec2(self) -> "Facts | None":
        """What is known of EC2's resources; None while their backend is not up, or when there is none."""
        return self.gateway.facts_of("ec2") if self.gateway is not None else None

    def vpc_endpoint(self, endpoint_id: str, label: str) -> VpcEndpoint | None:
        """The VPC endpoint of this id for a service; None when requests come through none such."""
        if self.vpc_endpoints is None:
            return None
        return self.vpc_endpoints.by_id(endpoint_id, label, self.facts_of_ec2)

    def refused_topic(self, notice: Notice) -> str | None:
        """Why nothing can be published to a topic; None when it can be, or when there is no backend for topics."""
        return self.gateway.refused_topic(notice) if self.gateway is not None else None

    async def role_usages(self, role: Role, account_id: str) -> tuple[RoleUsage, ...] | None:
        """What an account's service-linked role is still used for; None when that can't be known."""
        return await self.gateway.role_usages(role, account_id) if self.gateway is not None else ()

    async def user_codes(self, account_id: str, pool_id: str) -> list[dict[str, Any]] | None:
        """The codes that users of an account's user pool could use now; None where iamd knows of no such pool."""
        return await self.gateway.user_codes(account_id, pool_id) if self.gateway is not None else None

    def notify(self, notices: list[Notice]) -> None:
        """Publish what a durable write has to tell; nothing without a backend for topics."""
        if notices and self.gateway is not None:
            self.gateway.notify(notices)
