"""AWS's variables in definitions of APIs, which the gateway decides on and the embedded backend makes APIs of.

AWS: API Gateway Developer Guide, "AWS variables for OpenAPI import".
"""

from collections.abc import Mapping
from typing import Any


def resolved(value: Any, account: str, partition: str, region: str) -> Any:
    """A value of JSON with the variables' values in the place of their names."""
    return _resolved(value, {"AccountId": account, "Partition": partition, "Region": region})


def _resolved(value: Any, variables: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        for name, one in variables.items():
            value = value.replace(f"${{AWS::{name}}}", one)
        return value
    if isinstance(value, Mapping):
        return {_resolved(name, variables): _resolved(one, variables) for name, one in value.items()}
    return [_resolved(one, variables) for one in value] if isinstance(value, list) else value
