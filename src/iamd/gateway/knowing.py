"""Decisions with every tag known that they could rest on."""

from collections.abc import Sequence

from iamd.auth.identity import Identity
from iamd.authz.authorize import Denied, Verdict
from iamd.authz.target import Target
from iamd.gateway import resource_tags
from iamd.gateway.backends import Backends
from iamd.gateway.deciding import Decider, Step
from iamd.runtime import Runtime


async def with_tags(
    step: Step, identity: Identity, targets: Sequence[Target], decider: Decider, backends: Backends, runtime: Runtime
) -> list[Verdict]:
    """The verdicts, all of them allowing; Denied when one does not, with every tag known that it could rest on."""
    while True:
        try:
            return decider.verdicts(step, identity, targets)
        except Denied as denied:
            now = runtime.clock.machine_timestamp()
            known = await resource_tags.told(denied.verdicts, step.asked, step.facts, backends, now)
            if known is None:
                raise
            step.facts = known
