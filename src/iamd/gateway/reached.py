"""What a request reaches beside the one thing that it is for, which may be another account's than the work is done in.

SECURITY: the embedded backend looks these up by their ARNs, in the account of each, and no others.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from iamd.authz.target import Target
from iamd.gateway.actions.asked import Asked
from iamd.wire.models import Operation

Reach = Callable[[Asked, Sequence[Target]], Sequence[str]]


def reaches(operation: Operation) -> bool:
    """Whether requests for an operation may reach something of another account's."""
    return (operation.service, operation.name) in _REACHED


def of(asked: Asked, targets: Sequence[Target]) -> tuple[str, ...]:
    """The ARNs of all that is decided and looked up beside what the request is for."""
    return tuple(dict.fromkeys(_REACHED[asked.operation.service, asked.operation.name](asked, targets)))


def home(targets: Sequence[Target]) -> str | None:
    """The account in which the work is done: that of what the request is for, the first of its targets."""
    return targets[0].account


def _layers(_: Asked, targets: Sequence[Target]) -> Sequence[str]:
    """Layers may be shared with other accounts (Lambda Developer Guide, "Granting layer access to other accounts")."""
    return [one.arn for one in targets if one.action == "lambda:GetLayerVersion"]


_REACHED: Final[Mapping[tuple[str, str], Reach]] = {
    ("lambda", "CreateFunction"): _layers,
    ("lambda", "UpdateFunctionConfiguration"): _layers,
}
