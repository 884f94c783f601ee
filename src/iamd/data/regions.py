"""AWS's regions, by partition."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

import botocore

PARTITIONS = Path(botocore.__file__).parent / "data" / "partitions.json"

PSEUDO = "global"
"""How botocore's names of what stands for all regions end: `aws-global`."""


@cache
def regions() -> Mapping[str, frozenset[str]]:
    """The names of the regions of every partition, as botocore knows them."""
    partitions = json.loads(PARTITIONS.read_bytes())["partitions"]
    return MappingProxyType(
        {
            partition["id"]: frozenset(name for name in partition["regions"] if not name.endswith(PSEUDO))
            for partition in partitions
        }
    )
