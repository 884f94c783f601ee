"""Dry runs of EC2 and KMS, which moto carries out where it does not look at `DryRun`: it makes and deletes.

AWS: EC2 API Reference, "Common query parameters" (DryRun); KMS Developer Guide, "Testing your permissions".
"""

import inspect
from collections.abc import Callable
from typing import Any, Final

from moto.core.exceptions import JsonRESTError
from moto.core.utils import camelcase_to_underscores

from iamd.backend import key_states
from iamd.backend.dispatch import CURRENT
from iamd.backend.replacement import replace

_WORDS: Final = "The request would have succeeded, but the DryRun option is set."
"""Of KMS, whose pages tell the code alone."""
_TRIED: Final = (
    "decrypt", "encrypt", "generate_data_key", "generate_mac", "re_encrypt", "sign", "verify", "verify_mac",
)  # fmt: skip
"""What changes nothing: it is done, and told of as a dry run when it succeeds."""
_NOT_TRIED: Final = ("create_grant", "retire_grant", "revoke_grant")
"""What changes something; a grant can be made for a key alone that can be used."""


def install_ec2() -> None:
    """Have every operation of EC2 end before it begins when it is a dry run."""
    # Not above: moto's EC2 takes a while to import, and most servers never use it.
    from moto.ec2.exceptions import DryRunClientError  # noqa: PLC0415
    from moto.ec2.responses import EC2Response  # noqa: PLC0415

    for name, function in inspect.getmembers(EC2Response, inspect.isfunction):
        if not name.startswith("_") and not function.__module__.startswith("moto.core"):
            replace(EC2Response, name, _ending(name, DryRunClientError))


def _ending(name: str, ended: type[Exception]) -> Callable[..., Any]:
    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        def ending(response: Any, *given: Any, **named: Any) -> Any:
            is_it = camelcase_to_underscores(CURRENT.get().operation) == name
            if is_it and response._get_param("DryRun", False):  # noqa: SLF001 - as below
                raise ended
            return original(response, *given, **named)

        return ending

    return make


def install_kms() -> None:
    """Have KMS's operations do nothing on a dry run but tell whether they would have succeeded."""
    from moto.kms.responses import KmsResponse  # noqa: PLC0415

    for name in _TRIED:
        replace(KmsResponse, name, _tried)
    for name in _NOT_TRIED:
        replace(KmsResponse, name, _not_tried)


def _tried(original: Callable[[Any], str]) -> Callable[[Any], str]:
    def tried(response: Any) -> str:
        told = original(response)
        _end(response)
        return told

    return tried


def _not_tried(original: Callable[[Any], str]) -> Callable[[Any], str]:
    def not_tried(response: Any) -> str:
        if CURRENT.get().operation == "CreateGrant":
            key_states.usable(response.kms_backend.describe_key(response._get_param("KeyId")))  # noqa: SLF001 - as below
        _end(response)
        return original(response)

    return not_tried


def _end(response: Any) -> None:
    if response._get_param("DryRun"):  # noqa: SLF001 - moto's responses have no other way
        raise JsonRESTError("DryRunOperationException", _WORDS)
