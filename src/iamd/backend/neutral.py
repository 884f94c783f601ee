"""What moto's other services would decide by themselves, or let a request decide, switched off: iamd alone decides."""

import importlib
from typing import Any, Final

from iamd.backend.replacement import always, replace

# Module and function. KMS reads key policies without their conditions and principals; SES compares an ARN with unique
# ids, so no role would ever pass.
# SECURITY: the last would take a resource's id from a tag `_custom_id_`, and with it the place of another's: a REST API
# of this id would be gone, or be found instead of another account's.
_CHECKS: Final = (
    ("moto.kms.responses", None, "validate_policy"),
    ("moto.ses.models", "SESBackend", "_validate_iam_role"),
    ("moto.utilities.id_generator", "MotoIdManager", "find_id_from_sources"),
)


def install() -> None:
    """Replace each by what finds nothing."""
    for module, owner, name in _CHECKS:
        found: Any = importlib.import_module(module)
        replace(getattr(found, owner) if owner else found, name, always(_nothing))


def _nothing(*_: Any, **__: Any) -> None:
    return
