"""What a request reaches beside the one thing that it is for, which may be another account's than the work is done in.

SECURITY: the embedded backend looks these up by their ARNs, in the account of each, and no others.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from iamd import arn as arns
from iamd.arn import Arn
from iamd.authz.target import Target
from iamd.errors import AWSError
from iamd.gateway.actions.asked import Asked
from iamd.gateway.actions.given_arn import ACCOUNT
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


def _source(asked: Asked, _: Sequence[Target]) -> Sequence[str]:
    """A queue or stream that the function's role has been let poll (with-sqs-cross-account-example)."""
    found = _source_of(asked)
    return [str(found)] if found is not None else []


def _source_of(asked: Asked) -> Arn | None:
    found = arns.parse(str(asked.parameters.get("EventSourceArn") or ""))
    if found is None or (found.partition, found.region) != (asked.partition, asked.region):
        return None
    return found if ACCOUNT.fullmatch(found.account) else None


def check_polled(asked: Asked, *, runs: bool) -> None:
    """Refuse to map another account's source where no function runs: no role is asked whether it may poll that."""
    found = _source_of(asked) if asked.operation.name == "CreateEventSourceMapping" else None
    if found is not None and found.account != asked.account and not runs:
        raise NotPolled("iamd maps no other account's event source here: the setting `functions` is off.")


class NotPolled(AWSError):
    """Another account's source, which nothing would poll (Lambda API Reference, CreateEventSourceMapping: Errors)."""

    code = "InvalidParameterValueException"


_FROM: Final = "kms:ReEncryptFrom"
_TO: Final = "kms:ReEncryptTo"


def _keys(_: Asked, targets: Sequence[Target]) -> Sequence[str]:
    """The key of the ciphertext, and the new one (KMS API Reference, ReEncrypt: "Cross-account use")."""
    return [next(one.arn for one in targets if one.action == action) for action in (_FROM, _TO)]


_REACHED: Final[Mapping[tuple[str, str], Reach]] = {
    ("kms", "ReEncrypt"): _keys,
    ("lambda", "CreateEventSourceMapping"): _source,
    ("lambda", "CreateFunction"): _layers,
    ("lambda", "UpdateFunctionConfiguration"): _layers,
}
