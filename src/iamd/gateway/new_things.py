"""What a request makes: that has no owner, no policy and no tags yet, and no policy can name what AWS will call it.

SECURITY: what is there is never taken for new, since its tags and its policy would not count. In doubt it is there.
"""

from collections.abc import Sequence
from typing import Final

from iamd import policy_places
from iamd.authz.target import Target
from iamd.data import service_reference
from iamd.gateway import bucket_tags
from iamd.gateway.actions import resource_kinds
from iamd.gateway.actions.asked import Asked
from iamd.gateway.actions.table import table
from iamd.gateway.resources import Facts
from iamd.policy import syntax
from iamd.wire.models import Operation

_VERB: Final = "Create"


def may_make(operation: Operation) -> bool:
    """Whether requests of an operation may make something, as far as the operation tells."""
    if _tells(operation):
        return True
    # An upload or a session of S3 begins on a bucket that is there.
    return operation.name.startswith(_VERB) and (operation.service != "s3" or bucket_tags.makes(operation))


def _tells(operation: Operation) -> bool:
    """Whether the service's table tells what requests of an operation make."""
    found = table(operation.service)
    return found is not None and found.tells_new and found.has(operation.name)


def made(targets: Sequence[Target], asked: Asked, own_action: str, facts: Facts) -> frozenset[str]:
    """The ARNs of what a request makes that may make something: as its service's table or the rule tells, else by the
    service reference.
    """
    if _tells(asked.operation):
        return frozenset(target.arn for target in targets if target.makes)
    if asked.operation.service == "s3":
        # AWS: who asks for a bucket that is another's is told that it is taken, if they may make buckets.
        return frozenset(target.arn for target in targets)
    found = table(asked.operation.service)
    is_by_rule = found is None or not found.has(asked.operation.name)
    # Nobody knows the ARN of what is to come.
    given = frozenset(syntax.all_strings(asked.parameters))
    return frozenset(
        target.arn
        for target in targets
        if target.arn not in given
        and (target.makes if is_by_rule else _is_of_kind_made(target.action or own_action, target.arn))
        and facts.get(policy_places.holder(target.arn)) is None
    )


NOTHING: Final[frozenset[str]] = frozenset()


def _is_of_kind_made(action: str, arn: str) -> bool:
    """Tell whether an action makes what this ARN is of.

    Of an ARN that may be of several of the action's types each must be made; `*` may be of any.
    """
    kinds = [kind for kind in resource_kinds.of(action) if arn == "*" or kind.fits(arn)]
    if not kinds:
        # An action without types is decided on nothing that is there.
        return (
            arn == "*"
            and action.partition(":")[2].startswith(_VERB)
            and service_reference.action(*action.split(":", 1)) is not None
        )
    return resource_kinds.made_by(action).issuperset(kinds)
