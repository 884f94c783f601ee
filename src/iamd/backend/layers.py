"""Layers of functions, found in the account that their ARN names.

moto looks for a layer's name among those of the function's account, whosever the ARN says it is: it would take another
layer than the one that was decided on.
"""

from typing import Any

from moto.awslambda.models import LambdaBackend, lambda_backends

from iamd import arn as arns
from iamd.backend.dispatch import CURRENT
from iamd.backend.replacement import always, replace


def install() -> None:
    """Have a function that is made or changed take the layers that were decided on."""
    replace(LambdaBackend, "layers_versions_by_arn", always(_decided))


def _decided(_: Any, layer_version_arn: str) -> Any:
    # SECURITY: of another account's layers those alone that the caller may use.
    return version(layer_version_arn) if layer_version_arn in CURRENT.get().reached else None


def version(arn: str) -> Any:
    """The layer version of an ARN, None when there is none; whoever asks has it in a function already."""
    found = arns.parse(arn)
    if found is None:
        return None
    storage = lambda_backends[found.account][found.region]._layers  # noqa: SLF001 - moto has no other way
    return storage.get_layer_version_by_arn(arn)
