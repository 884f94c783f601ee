"""Runtime: what one running server holds: settings, clock, sealing keys, state, and the way to its backends."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from iamd.auth.sealing import Keyring
from iamd.clock import Clock
from iamd.federation.issuers import Issuers
from iamd.refusals import Refusals
from iamd.settings import Settings
from iamd.store.store import Store

if TYPE_CHECKING:
    from iamd.gateway.proxy import Gateway


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
