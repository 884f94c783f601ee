"""Layers of functions, found in the account that their ARN names, and kept for functions that have them.

moto looks for a layer's name among those of the function's account, whosever the ARN says it is: it would take another
layer than the one that was decided on.

AWS: Lambda API Reference, DeleteLayerVersion: "a copy of the version remains in Lambda until no functions refer to it".
"""

from collections.abc import Callable
from typing import Any, Final

from moto.awslambda.models import LambdaBackend, Layer, lambda_backends

from iamd import arn as arns
from iamd.backend.dispatch import CURRENT
from iamd.backend.replacement import always, replace

_DELETED: Final = "iamd_deleted"


def install() -> None:
    """Have a function that is made or changed take the layers that were decided on."""
    replace(LambdaBackend, "layers_versions_by_arn", always(_decided))
    replace(Layer, "delete_version", _kept)


def _decided(_: Any, layer_version_arn: str) -> Any:
    # SECURITY: of another account's layers those alone that the caller may use.
    if layer_version_arn not in CURRENT.get().reached:
        return None
    layer, number = _found(layer_version_arn)
    return layer.layer_versions.get(number) if layer is not None else None


def _kept(original: Callable[..., None]) -> Callable[..., None]:
    def delete_version(layer: Any, layer_version: Any) -> None:
        number = str(layer_version)
        if number in layer.layer_versions:
            vars(layer).setdefault(_DELETED, {})[number] = layer.layer_versions[number]
        original(layer, layer_version)

    return delete_version


def version(arn: str) -> Any:
    """The layer version that a function has, deleted since or not."""
    layer, number = _found(arn)
    if layer is None:
        return None
    return layer.layer_versions.get(number) or vars(layer).get(_DELETED, {}).get(number)


def _found(arn: str) -> tuple[Any, str]:
    """The layer of an ARN, None when there is none, and the number of the version."""
    found = arns.parse(arn)
    if found is None:
        return None, ""
    _, name, number = found.resource.split(":")
    layers = lambda_backends[found.account][found.region]._layers._layers  # noqa: SLF001 - moto has no other way
    return layers.get(name), number
