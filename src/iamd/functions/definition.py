"""A function as its backend holds it: what runs, with which role, memory and time."""

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from iamd import arn as arns
from iamd.functions.errors import InvalidRuntime

# Lambda API Reference, CreateFunction: Runtime.
_PYTHON: Final = re.compile(r"python3\.[0-9]{1,2}")


class Code(msgspec.Struct, frozen=True):
    """A package of code by its SHA-256; its content is None where iamd has it already."""

    digest: str
    content: bytes | None


class Layer(Code, frozen=True):
    """A layer's package."""

    arn: str = ""


class Function(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a function."""

    name: str
    version: str
    account: str
    region: str
    role: str
    runtime: str
    handler: str
    package_type: str
    timeout: int
    memory: int
    variables: Mapping[str, str]
    key: str | None = None
    """The KMS key of the variables; None for Lambda's own."""
    revision: str
    state: str
    storage: int
    tracing: str
    in_vpc: bool
    reserved: int | None
    other: Mapping[str, Any]
    events: Mapping[str, Any] | None
    """How events of this version or alias are handled, where that is set."""
    code: Code
    layers: tuple[Layer, ...]
    routing: Mapping[str, float] = {}
    """The versions that an alias sends part of its invocations to, and which part."""

    @property
    def arn(self) -> str:
        """The function's ARN, without a version."""
        return f"arn:{arns.PARTITION}:lambda:{self.region}:{self.account}:function:{self.name}"

    @property
    def token(self) -> tuple[str, ...]:
        """What a process that runs it is good for: another token needs another process."""
        return (self.arn, self.version, self.revision, self.code.digest, *(layer.digest for layer in self.layers))

    @property
    def log_group(self) -> str:
        """The log group: its own, or the one of its LoggingConfig."""
        named: str | None = self.other.get("LoggingConfig", {}).get("LogGroup")
        return named or f"/aws/lambda/{self.name}"


def of(told: Mapping[str, Any]) -> Function:
    """The function as the embedded backend tells it."""
    return msgspec.convert(told, Function, strict=False)


def check_runs(function: Function) -> None:
    """A function that iamd can run; refused by name when it can't."""
    if function.package_type != "Zip":
        raise InvalidRuntime("iamd runs functions of the package type Zip, and no container images.")
    if not _PYTHON.fullmatch(function.runtime):
        raise InvalidRuntime(f"iamd runs functions of Python, and not of the runtime {function.runtime}.")
    if function.in_vpc:
        raise InvalidRuntime("iamd runs functions that are in no VPC: VpcConfig is not supported.")
    for name, value in function.other.items():
        if name in _UNSUPPORTED and value:
            raise InvalidRuntime(f"iamd runs functions without {name}.")


_UNSUPPORTED: Final = frozenset({"FileSystemConfigs", "DurableConfig", "TenancyConfig"})
