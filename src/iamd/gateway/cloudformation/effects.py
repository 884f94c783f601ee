"""What a request to CloudFormation does to the facts of its stack, and of the resources that the template names."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec.structs import replace

from iamd.gateway import effects
from iamd.gateway.actions.asked import Asked
from iamd.gateway.actions.cloudformation import stack_arn
from iamd.gateway.cloudformation.stack import MOST_PENDING, PENDING, STATE, State, Work, encoded, pending
from iamd.gateway.cloudformation.template import undecided
from iamd.gateway.effect import Effect, Kind
from iamd.gateway.resources import Facts
from iamd.wire.models import service as model_of

if TYPE_CHECKING:
    from iamd.gateway.deciding import Step


def of(step: "Step") -> list[Effect]:
    """The effects of a request's work; none when it has no work."""
    work = step.work
    if work is None:
        return []
    return [*_of_resources(work, step.asked, step.facts), _of_stack(work.state, step.asked, step.facts)]


def _of_stack(state: State | None, asked: Asked, facts: Facts) -> Effect:
    arn = stack_arn(asked)
    if state is None:
        return Effect(Kind.END, arn)
    known = facts.known(arn)
    waiting = [*pending(known), state]
    if len(waiting) > MOST_PENDING:
        raise undecided(f"another change of {arn}, of which several broke off: delete the stack")
    begun = {**known, PENDING: encoded(waiting)}
    # A stack that is there already is not changed by a CreateStack that the backend refuses; all else that it refuses
    # may have been done in part.
    untouched = asked.operation.name == "CreateStack" and STATE in known
    return Effect(Kind.MAKE, arn, begun=begun, done={STATE: encoded(state)}, refused=known if untouched else begun)


def _of_resources(work: Work, asked: Asked, facts: Facts) -> Iterator[Effect]:
    for making, arn in work.made:
        yield from effects.of(making, arn, facts)
    if not facts.forgets:
        # A durable backend ends its resources in its own time, or keeps them: what is known of them stays.
        return
    for name, arn in work.ended:
        service, _, operation = (name or "").partition(":")
        ending = replace(asked, operation=model_of(service).operation(operation), parameters={})
        yield from (effect for effect in effects.of(ending, arn, facts) if effect.kind is Kind.END)
