"""Keys of KMS by their ARNs, which moto takes for some operations and not for these.

AWS: KMS API Reference, the KeyId of each: "Specify the key ID or key ARN of the KMS key".
"""

from collections.abc import Callable
from typing import Any, Final

from moto.kms.models import KmsBackend

from iamd.backend.replacement import replace

_BY_ID: Final = ("enable_key", "disable_key", "schedule_key_deletion", "cancel_key_deletion")


def install() -> None:
    """Have them find a key by its ARN too."""
    for name in _BY_ID:
        replace(KmsBackend, name, _by_id)


def _by_id(original: Callable[..., Any]) -> Callable[..., Any]:
    def change(backend: Any, key_id: str, *given: Any, **named: Any) -> Any:
        return original(backend, backend.get_key_id(key_id), *given, **named)

    return change
