"""By which keys volumes and copies of snapshots are encrypted, which moto leaves out.

AWS: EBS User Guide, "Amazon EBS encryption" ("Encryption by default"), "Encryption outcomes" of ebs-copy-snapshot; EC2
API Reference, GetEbsDefaultKmsKeyId and ResetEbsDefaultKmsKeyId.
"""

from collections.abc import Callable
from typing import Any, Final

from moto.core.responses import ActionResult
from moto.ec2.models.elastic_block_store import EBSBackend
from moto.ec2.responses.elastic_block_store import ElasticBlockStore
from moto.kms.models import kms_backends

from iamd.backend.replacement import replace

_BY_DEFAULT: Final = "ebs_encryption_by_default"
"""Where a backend of moto's, which makes images before it is whole, has that all volumes are encrypted."""


def install() -> None:
    """Have moto encrypt as EBS does, and tell of it."""
    replace(EBSBackend, "create_volume", _made)
    replace(EBSBackend, "create_snapshot", _snapshot)
    replace(ElasticBlockStore, "copy_snapshot", _copied)
    for name, function in (("get_ebs_default_kms_key_id", _get), ("reset_ebs_default_kms_key_id", _reset)):
        if not hasattr(ElasticBlockStore, name):
            setattr(ElasticBlockStore, name, function)


def _default(backend: Any) -> str:
    found: str = backend.default_kms_key_id or backend._create_default_encryption_key()  # noqa: SLF001 - as moto does
    return found


def _arn(named: str, backend: Any) -> str:
    """The ARN of a key by whatever names it."""
    parts = named.split(":") if named.startswith("arn:") else []
    account, region = (parts[4], parts[3]) if parts else (backend.account_id, backend.region_name)
    arn: str = kms_backends[account][region].describe_key(named).arn
    return arn


def _key(backend: Any, source: Any, *, encrypted: bool, named: str | None) -> str | None:
    """The key of what is made; None when it is not encrypted."""
    if named:
        return _arn(named, backend)
    is_own = source is not None and source.owner_id == backend.account_id
    if is_own and source.encrypted and source.ec2_backend is backend:
        key: str = source.kms_key_id or _default(backend)
        return key
    is_encrypted = encrypted or getattr(backend, _BY_DEFAULT, False) or (source is not None and source.encrypted)
    return _default(backend) if is_encrypted else None


def _made(original: Callable[..., Any]) -> Callable[..., Any]:
    def create_volume(
        backend: Any,
        size: int,
        zone_name: str,
        snapshot_id: str | None = None,
        encrypted: bool = False,
        kms_key_id: str | None = None,
        **named: Any,
    ) -> Any:
        source = backend.get_snapshot(snapshot_id) if snapshot_id else None
        is_wrong = bool(kms_key_id) and not encrypted
        key = kms_key_id if is_wrong else _key(backend, source, encrypted=encrypted, named=kms_key_id)
        encrypted = encrypted if is_wrong else key is not None
        return original(backend, size, zone_name, snapshot_id, encrypted, key, **named)

    return create_volume


def _snapshot(original: Callable[..., Any]) -> Callable[..., Any]:
    def create_snapshot(backend: Any, volume_id: str, *given: Any, **named: Any) -> Any:
        made = original(backend, volume_id, *given, **named)
        made.kms_key_id = backend.get_volume(volume_id).kms_key_id
        return made

    return create_snapshot


def _copied(original: Callable[..., Any]) -> Callable[..., Any]:
    def copy_snapshot(response: Any) -> Any:
        backend, told = response.ec2_backend, original(response)
        made = backend.get_snapshot(told.result["SnapshotId"])
        named, encrypted = response._get_param("KmsKeyId"), response._get_bool_param("Encrypted", False)  # noqa: SLF001
        source = _source(response)
        made.kms_key_id = _key(backend, source, encrypted=encrypted, named=named)
        made.encrypted = made.kms_key_id is not None
        return told

    return copy_snapshot


def _source(response: Any) -> Any:
    from moto.ec2.models import ec2_backends  # noqa: PLC0415 - where moto makes it

    region = response._get_param("SourceRegion") or response.ec2_backend.region_name  # noqa: SLF001
    named = response._get_param("SourceSnapshotId")  # noqa: SLF001
    return ec2_backends[response.ec2_backend.account_id][region].get_snapshot(named)


def _get(response: Any) -> Any:
    response.error_on_dryrun()
    return ActionResult({"KmsKeyId": response.ec2_backend.default_kms_key_id or "alias/aws/ebs"})


def _reset(response: Any) -> Any:
    response.error_on_dryrun()
    return ActionResult({"KmsKeyId": response.ec2_backend._create_default_encryption_key()})  # noqa: SLF001
