"""Parameters of Parameter Store, where moto is too open: what is secure is told as it is, and any value is taken.

AWS: Systems Manager API Reference, GetParameter, WithDecryption: without it the value is what KMS has made of it;
Systems Manager User Guide, "Creating Parameter Store parameters using the AWS CLI" (param-create-cli): a value is as
the allowed pattern has it, as a whole, and a pattern holds until another one is given.
"""

import hashlib
import secrets
from base64 import b64encode
from collections.abc import Callable
from typing import Any, Final

import regex
from moto.core.exceptions import JsonRESTError
from moto.ssm.models import Parameter, SimpleSystemManagerBackend

from iamd.backend import commands
from iamd.backend.replacement import replace
from iamd.backend.verdict import NOT_TAKEN, Refused

_KEY: Final = secrets.token_bytes(32)


def install() -> None:
    """Have moto hide what it would tell as it is, behind the name of the key."""
    replace(Parameter, "response_object", _hidden)
    commands.install()
    replace(SimpleSystemManagerBackend, "put_parameter", _fitting)


def _fitting(original: Callable[..., Parameter]) -> Callable[..., Parameter]:
    def put_parameter(
        backend: Any, name: str, description: str, value: str, kind: str, pattern: str | None, *given: Any, **named: Any
    ) -> Parameter:
        if (named.get("policies") or "").strip() not in _NO_POLICIES:
            # SECURITY: what was to expire would stay.
            raise Refused(NOT_TAKEN, "Policies of PutParameter")
        versions = backend._parameters.get(name)  # noqa: SLF001 - moto has no other way
        allowed = pattern or (versions[-1].allowed_pattern if versions else None)
        if allowed:
            _check(value or "", allowed)
        return original(backend, name, description, value, kind, allowed, *given, **named)

    return put_parameter


_NO_POLICIES: Final = frozenset({"", "[]", "{}", "[{}]"})
"""What says that a parameter has none. AWS: PutParameter, Policies."""
_MATCH_SECONDS: Final = 0.1


def _check(value: str, pattern: str) -> None:
    try:
        fits = regex.fullmatch(pattern, value, timeout=_MATCH_SECONDS) is not None
    except (regex.error, TimeoutError) as error:
        words = "The request doesn't meet the regular expression requirement."
        raise JsonRESTError(error_type="InvalidAllowedPatternException", message=words) from error
    if not fits:
        words = f"Parameter value, cannot be validated against allowedPattern: {pattern}"
        raise JsonRESTError(error_type="ParameterPatternMismatchException", message=words)


def _hidden(original: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    def response_object(parameter: Parameter, decrypt: bool = False, region: str | None = None) -> dict[str, Any]:
        told = original(parameter, decrypt, region)
        if parameter.parameter_type == "SecureString" and not decrypt:
            told["Value"] = _ciphertext(parameter)
        return told

    return response_object


def _ciphertext(parameter: Parameter) -> str:
    """What stands for the encrypted value: the same for one version, and of no use to anybody."""
    text = f"{parameter.name}:{parameter.version}:{parameter.value}".encode()
    return b64encode(hashlib.blake2b(text, key=_KEY).digest()).decode()
