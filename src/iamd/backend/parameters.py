"""Parameters of Parameter Store: what is secure is not told to whom does not ask for its decryption.

AWS: Systems Manager API Reference, GetParameter, WithDecryption: without it the value is what KMS has made of it.
"""

import hashlib
import secrets
from base64 import b64encode
from collections.abc import Callable
from typing import Any, Final

from moto.ssm.models import Parameter

from iamd.backend.replacement import replace

_KEY: Final = secrets.token_bytes(32)


def install() -> None:
    """Have moto hide what it would tell as it is, behind the name of the key."""
    replace(Parameter, "response_object", _hidden)


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
