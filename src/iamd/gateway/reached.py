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
    return tuple(_REACHED[asked.operation.service, asked.operation.name](asked, targets))


def home(asked: Asked, targets: Sequence[Target], *, is_embedded: bool) -> str | None:
    """The account in which the work is done; None where all that the request is for has to be one account's.

    ReEncrypt is done in the account of the new key, by a backend that can be told of both keys; all else in that of the
    first target.
    """
    if asked.operation.service != "kms":
        return targets[0].account
    return next(one.account for one in targets if one.action == _TO) if is_embedded else None


def _layers(_: Asked, targets: Sequence[Target]) -> Sequence[str]:
    """Layers may be shared with other accounts (Lambda Developer Guide, "Granting layer access to other accounts")."""
    return [one.arn for one in targets if one.action == "lambda:GetLayerVersion"]


_FROM: Final = "kms:ReEncryptFrom"
_TO: Final = "kms:ReEncryptTo"


def _keys(_: Asked, targets: Sequence[Target]) -> Sequence[str]:
    """The key of the ciphertext, and the new one (KMS API Reference, ReEncrypt: "Cross-account use")."""
    return [next(one.arn for one in targets if one.action == action) for action in (_FROM, _TO)]


_REACHED: Final[Mapping[tuple[str, str], Reach]] = {
    ("kms", "ReEncrypt"): _keys,
    ("lambda", "CreateFunction"): _layers,
    ("lambda", "UpdateFunctionConfiguration"): _layers,
}
