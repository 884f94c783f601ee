"""Records of instance metadata: which addresses it is told to as whose."""

from collections.abc import Mapping
from typing import ClassVar

from iamd.store.records import Index, Record


class MetadataSource(Record, frozen=True, kw_only=True, omit_defaults=True):
    """An address whose programs stand for an instance, kept under GLOBAL; the key is the address."""

    kind = "metadata-source"
    source_address: str
    instance_id: str
    registered: int

    indexes: ClassVar[Mapping[str, Index]] = {"instance": lambda source: (source.instance_id,)}

    @property
    def key(self) -> str:
        return self.source_address
