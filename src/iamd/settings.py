"""Every setting of iamd, in one typed class: command line before environment before file before default."""

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from iamd.backend_settings import BackendSettings
from iamd.endpoint_settings import EndpointSettings
from iamd.wrong_settings import SettingsError, suggestion

__all__ = ["BackendSettings", "Settings", "SettingsError", "StartError", "suggestion"]

ENVIRONMENT_PREFIX = "IAMD_"
DEFAULT_PORT = 4566
DEFAULT_METADATA_PORT = 4567
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class StartError(Exception):
    """Why the server can't start, in one line with the way out."""


def setting(default: Any, doc: str) -> Any:
    """A field of `Settings` with the sentence that documents it."""
    return field(default=default, metadata={"doc": doc})


def _data_folder() -> Path:
    """Where a user's data is kept when no folder is given."""
    # Imported here: who gives a folder has no use for all that it imports in its turn.
    import platformdirs  # noqa: PLC0415

    return Path(platformdirs.user_data_dir("iamd"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How this iamd runs; each field is an option, an `IAMD_` variable and a key of iamd.toml."""

    host: str = setting("127.0.0.1", "Address to listen on.")
    port: int = setting(DEFAULT_PORT, "Port to listen on; 0 picks a free one.")
    data: Path = field(
        default_factory=_data_folder, metadata={"doc": "Folder of the database, the sealing key and the CLI's files."}
    )
    account: str = setting("123456789012", "Number of the account that a first start makes.")
    store: str | None = setting(None, "Database URL; the default is SQLite in the data folder.")
    backend: str = setting("moto", "Where requests to other services go: `moto` (embedded), a URL, or `none`.")
    enforce: Literal["strict", "soft"] = setting(
        "strict", "`soft` lets pass what the gateway would deny, and records it."
    )
    dev: bool = setting(False, "Development doors: `POST /_iamd/reset` and `POST /_iamd/clock`.")
    workers: int = setting(1, "Server processes that share the port and the data folder.")
    region: str = setting("us-east-1", "Region written into the CLI's configuration.")
    key_file: Path | None = setting(
        None, "File of the key that seals secrets; the default is `key` in the data folder."
    )
    admin_access_key_id: str | None = setting(
        None, "Access key id of the administrator that a first start makes; random by default."
    )
    admin_secret_access_key: str | None = setting(None, "Secret of that access key; both or neither are given.")
    audit_retention_days: int = setting(90, "Days for which audit events are kept.")
    max_staleness_seconds: int = setting(60, "How long decisions go on from memory while the database is down.")
    allow_plain_http: bool = setting(False, "Serve plain HTTP on an address other than loopback.")
    trusted_proxies: tuple[str, ...] = setting((), "Addresses whose X-Forwarded-For is believed.")
    loopback_is_secure: bool = setting(
        False,
        "Tell policies that what came over loopback came over TLS (`aws:SecureTransport`): buckets of `cdk bootstrap` "
        "deny all else.",
    )
    federation_hosts: tuple[str, ...] = setting(
        (),
        "Identity providers' hosts that are reached though their addresses are private, as `host:port` or, for all "
        "ports, `host`; those on loopback may speak plain HTTP.",
    )
    integration_hosts: tuple[str, ...] = setting(
        (),
        "Hosts of HTTP integrations of APIs that are reached though their addresses are private, as `host:port` or, "
        "for all ports, `host`.",
    )
    fido_metadata: Path | None = setting(
        None,
        "File of the FIDO Alliance's metadata, as `curl -o FILE https://mds3.fidoalliance.org/` writes it, by which "
        "security keys are known to be certified.",
    )
    issuer_url: str | None = setting(
        None,
        "URL that tokens of GetWebIdentityToken name as their issuer's; the default is where "
        "EnableOutboundWebIdentityFederation was sent.",
    )
    metadata: str | None = setting(
        None,
        "Address of the instance metadata service, as `host:port`; the default is 127.0.0.1:4567, or a free port when "
        "that one is taken or with `--port 0`.",
    )
    metadata_instance: str | None = setting(
        None, "Instance whose metadata is served there; the default is the only running one with an instance profile."
    )
    metadata_v1: bool = setting(False, "Answer version 1 of instance metadata too, which asks for no session token.")
    workload_session_seconds: int = setting(
        21600, "How long the credentials last that instances and containers are given; new ones are there before that."
    )
    functions: Literal["auto", "run", "off"] = setting(
        "auto",
        "Whether Lambda functions of the embedded backend are run, as processes of this user: `auto` runs them when "
        "iamd listens on loopback alone.",
    )
    functions_concurrency: int = setting(10, "Processes of Lambda functions at a time, those that wait included.")
    backend_connect_seconds: float = setting(5.0, "Longest wait for a connection to a backend.")
    backend_response_seconds: float = setting(60.0, "Longest wait for a backend to begin its answer.")
    backend_idle_seconds: float = setting(30.0, "Longest silence within a body that a backend sends or takes.")
    header_seconds: float = setting(10.0, "Longest time that a client may take to send its headers.")
    idle_seconds: float = setting(30.0, "Longest silence of a client within a request.")
    connections: int = setting(1024, "Connections served at a time; more wait or are turned away.")
    refusals_per_second: int = setting(
        500, "Requests of unknown callers that one address may have refused in a second before it is throttled."
    )
    backends: Mapping[str, BackendSettings] = field(
        default_factory=dict, metadata={"doc": "Backends by name, each a `[backends.<name>]` table."}
    )

    vpc_endpoints: Mapping[str, EndpointSettings] = field(
        default_factory=dict,
        metadata={"doc": "VPC endpoints that requests come through, each a `[vpc_endpoints.<name>]` table."},
    )

    @property
    def has_backend(self) -> bool:
        """Whether requests to other services go anywhere."""
        return self.backend != "none" or bool(self.backends)

    @property
    def runs_functions(self) -> bool:
        """Whether Lambda functions are run."""
        return self.backend == "moto" and (
            self.functions == "run" or (self.functions == "auto" and self.host in LOOPBACK)
        )

    @property
    def metadata_address(self) -> tuple[str, int]:
        """Host and port of the instance metadata service; the port may be 0, for a free one."""
        if self.metadata is None:
            return "127.0.0.1", DEFAULT_METADATA_PORT if self.port else 0
        host, _, port = self.metadata.rpartition(":")
        return host.strip("[]"), int(port)

    def key_path(self) -> Path:
        """The file of the sealing key."""
        return self.key_file or self.data / "key"


NAMES = tuple(f.name for f in fields(Settings))
ELSEWHERE = frozenset({"config"})
"""Options and variables that choose where settings come from and are none themselves."""
FILE_ONLY = frozenset({"backends", "vpc_endpoints"})
"""Settings that stand in iamd.toml only."""


def documented() -> list[tuple[str, str, object]]:
    """Each setting's name, its sentence and its default, in order."""
    made = {f.name: f.default_factory() for f in fields(Settings) if f.default_factory is not MISSING}
    return [(f.name, f.metadata["doc"], made.get(f.name, f.default)) for f in fields(Settings)]
