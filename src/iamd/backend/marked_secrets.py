"""What may be done with a secret of moto's that is marked for deletion: nothing but to restore, delete and describe it.

AWS: Secrets Manager API Reference, the InvalidRequestException of each operation ("The secret is scheduled for
deletion"); Secrets Manager User Guide, "Delete an AWS Secrets Manager secret". moto lets it have other values, tags and
policies.
"""

from collections.abc import Callable
from typing import Any, Final

from moto.secretsmanager.exceptions import InvalidRequestException
from moto.secretsmanager.responses import SecretsManagerResponse

from iamd.backend.replacement import replace

_REFUSED: Final = (
    "cancel_rotate_secret",
    "delete_resource_policy",
    "get_resource_policy",
    "get_secret_value",
    "put_resource_policy",
    "put_secret_value",
    "remove_regions_from_replication",
    "replicate_secret_to_regions",
    "rotate_secret",
    "tag_resource",
    "untag_resource",
    "update_secret",
    "update_secret_version_stage",
)


def install() -> None:
    """Look at the secret first."""
    for name in _REFUSED:
        replace(SecretsManagerResponse, name, _unmarked)


def _unmarked(original: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def asked(response: Any) -> Any:
        named = response._get_param("SecretId") or ""  # noqa: SLF001 - moto's responses have no other way
        secret = response.backend.secrets.get(named)
        if secret is not None and secret.is_deleted():
            words = "You can't perform this operation on the secret because it was marked for deletion."
            raise InvalidRequestException(words)
        return original(response)

    return asked
