"""Decisions with everything known that they could rest on and that the backend tells: tags, and ACLs of objects."""

from collections.abc import Sequence

from iamd.auth.identity import Identity
from iamd.authz.authorize import Denied, Verdict
from iamd.authz.target import Target
from iamd.gateway import object_acls, resource_tags
from iamd.gateway.actions.asked import Asked
from iamd.gateway.backends import Backends
from iamd.gateway.deciding import Decider, Step
from iamd.gateway.resources import Facts
from iamd.runtime import Runtime


async def told(verdicts: Sequence[Verdict], asked: Asked, facts: Facts, backends: Backends, now: float) -> Facts | None:
    """The facts with something more that a denial among the verdicts rests on; None when nothing more can be known."""
    tagged = await resource_tags.told(verdicts, asked, facts, backends, now)
    return tagged or await object_acls.told_later(verdicts, asked, facts, backends)


async def fully_known(
    step: Step, identity: Identity, targets: Sequence[Target], decider: Decider, backends: Backends, runtime: Runtime
) -> list[Verdict]:
    """The verdicts, all of them allowing; Denied when one does not, with all known that it could rest on."""
    while True:
        try:
            return decider.verdicts(step, identity, targets)
        except Denied as denied:
            now = runtime.clock.machine_timestamp()
            known = await told(denied.verdicts, step.asked, step.facts, backends, now)
            if known is None:
                raise
            step.facts = known
