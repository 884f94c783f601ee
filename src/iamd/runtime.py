"""Runtime: what one running server holds: settings, clock, sealing keys, state, and the way to its backends."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from iamd.auth.sealing import Keyring
from iamd.clock import Clock
from iamd.federation.issuers import Issuers
from iamd.refusals import Refusals
from iamd.settings import Settings
from iamd.store.store import Store

if TYPE_CHECKING:
    from iamd.gateway.proxy import Gateway
    from iamd.stacks.service import Stacks


class Metadata(Protocol):
    """The instance metadata that this process serves."""

    def addresses(self) -> dict[str, str]:
        """Where metadata is served: by `default`, and for single instances by their ids."""

    def endpoint(self, account_id: str, instance_id: str) -> str | None:
        """The address of a running instance's own listener; None when the account has no such instance."""

    def forget(self) -> None:
        """Give nobody what was given before."""


@dataclass(slots=True, kw_only=True)
class Runtime:
    """Made once at the start; `gateway` is None with `--backend none`."""

    settings: Settings
    clock: Clock
    keyring: Keyring
    store: Store
    refusals: Refusals
    issuers: Issuers
    worker: int = 0
    """Which of `--workers` this process is; the first one owns the embedded backend, the others follow it."""

    gateway: "Gateway | None" = None
    metadata: "Metadata | None" = None
    """The instance metadata of this process; None before it serves."""

    stacks: "Stacks | None" = None
    """What works on CloudFormation's stacks in this process; None before it serves."""

    def metadata_endpoint(self, account_id: str, instance_id: str) -> str | None:
        """The address of the metadata of an account's running instance; None when there is no such instance."""
        return self.metadata.endpoint(account_id, instance_id) if self.metadata is not None else None
