"""What a service answers when it is handed a role that it can't assume: role_refusals.toml.

Of a service whose answer is not known the words are iamd's own, and the code is one that its model has for what is
wrong with a parameter.
"""

import tomllib
from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from importlib import resources
from itertools import chain
from typing import Final

import msgspec

from iamd.errors import AWSError
from iamd.gateway.actions.asked import Asked
from iamd.wire.models import Operation, Protocol


class Refusal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One row: of which requests, and of roles for whom, a service says what."""

    service: str
    code: str
    words: str
    operations: tuple[str, ...] = ()
    assumed_by: str = ""

    def fits(self, operation: Operation, principal: str) -> bool:
        """Whether it is said of a role that a request for this operation hands to this principal."""
        if self.service != operation.service or (self.operations and operation.name not in self.operations):
            return False
        return self.assumed_by in {"", principal}


_WORDS: Final = "The role {role} cannot be assumed by {service}."
_CODES: Final = (
    "InvalidParameterValueException", "InvalidParameterValue", "InvalidParameterException", "ValidationException",
    "ValidationError", "InvalidArgumentException", "InvalidInputException", "InvalidRequestException",
    "BadRequestException", "InvalidParameter", "InvalidRoleException", "ClientException", "ValidatorException",
)  # fmt: skip
_UNMODELLED: Final[Mapping[Protocol, str]] = {
    Protocol.EC2: "InvalidParameterValue",
    Protocol.QUERY: "InvalidParameterValue",
    Protocol.REST_XML: "InvalidRequest",
}
"""The codes of services whose models have none: those that AWS's pages on their common errors have."""


@cache
def table() -> tuple[Refusal, ...]:
    """The rows of role_refusals.toml."""
    content = tomllib.loads(resources.files(__package__).joinpath("role_refusals.toml").read_text("utf-8"))
    return msgspec.convert(content["refusals"], tuple[Refusal, ...])


def refusal(asked: Asked, role: str, principal: str) -> AWSError:
    """The service's error for a role that this principal can't assume."""
    operation = asked.operation
    found = next((one for one in table() if one.fits(operation, principal)), None)
    code, words = (found.code, found.words) if found is not None else (neutral_code(operation), _WORDS)
    told = {"role": role, "name": role.rpartition("/")[2], "service": principal}
    return _error(code)(words.format_map(defaultdict(str, {**asked.parameters, **told})))


def neutral_code(operation: Operation) -> str:
    """A code for what is wrong with a parameter: of those that the operation has, else of those of its service."""
    own = (operation.errors.get(code) for code in _CODES)
    of_service = (operation.error(code) for code in _CODES)
    modelled = next((shape for shape in chain(own, of_service) if shape is not None), None)
    return modelled.code if modelled is not None else _UNMODELLED.get(operation.protocol, "ValidationException")


@cache
def _error(named: str) -> type[AWSError]:
    class RoleError(AWSError):
        """A role that can't be assumed."""

        code = named
        status = 400

    return RoleError
