"""Every setting of iamd, in one typed class: command line before environment before file before default."""

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

import msgspec
import platformdirs

ENVIRONMENT_PREFIX = "IAMD_"
DEFAULT_PORT = 4566
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class SettingsError(Exception):
    """A setting that is unknown or has a wrong value; the message is one line and names the way out."""


class StartError(Exception):
    """Why the server can't start, in one line with the way out."""


def setting(default: Any, doc: str) -> Any:
    """A field of `Settings` with the sentence that documents it."""
    return field(default=default, metadata={"doc": doc})


class BackendSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A `[backends.<name>]` table of iamd.toml: where requests of some services go, and how they are signed."""

    url: str
    services: tuple[str, ...] = ()
    """The services it answers for; none named means all that no other table names."""
    access_key_id: str | None = None
    secret_access_key: str | None = None
    session_token: str | None = None
    region: str | None = None
    account: str | None = None
    """The account that owns what is found there."""
    ca_file: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How this iamd runs; each field is an option, an `IAMD_` variable and a key of iamd.toml."""

    host: str = setting("127.0.0.1", "Address to listen on.")
    port: int = setting(DEFAULT_PORT, "Port to listen on; 0 picks a free one.")
    data: Path = setting(
        Path(platformdirs.user_data_dir("iamd")), "Folder of the database, the sealing key and the CLI's files."
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
    backend_connect_seconds: float = setting(5.0, "Longest wait for a connection to a backend.")
    backend_response_seconds: float = setting(60.0, "Longest wait for a backend to begin its answer.")
    backend_idle_seconds: float = setting(30.0, "Longest silence within a body that a backend sends or takes.")
    header_seconds: float = setting(10.0, "Longest time that a client may take to send its headers.")
    idle_seconds: float = setting(30.0, "Longest silence of a client within a request.")
    connections: int = setting(1024, "Connections served at a time; more wait or are turned away.")
    backends: Mapping[str, BackendSettings] = field(
        default_factory=dict, metadata={"doc": "Backends by name, each a `[backends.<name>]` table."}
    )

    def key_path(self) -> Path:
        """The file of the sealing key."""
        return self.key_file or self.data / "key"


NAMES = tuple(f.name for f in fields(Settings))
ELSEWHERE = frozenset({"config"})
"""Options and variables that choose where settings come from and are none themselves."""


def documented() -> list[tuple[str, str, object]]:
    """Each setting's name, its sentence and its default, in order."""
    return [(f.name, f.metadata["doc"], f.default) for f in fields(Settings)]


def load(command_line: Mapping[str, Any], environment: Mapping[str, str]) -> Settings:
    """The settings in force; `command_line` holds only what was given there."""
    config = command_line.get("config") or environment.get(ENVIRONMENT_PREFIX + "CONFIG")
    given = {
        **(_from_file(Path(config)) if config else {}),
        **_from_environment(environment),
        **{name: value for name, value in command_line.items() if name not in ELSEWHERE},
    }
    return _checked(_converted(given))


def _from_file(path: Path) -> dict[str, Any]:
    try:
        content = tomllib.loads(path.read_text())
    except OSError as error:
        raise SettingsError(f"cannot read `{path}`: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"`{path}` is not TOML: {error}") from error
    for name in content:
        if name not in NAMES:
            raise SettingsError(f"unknown setting `{name}` in `{path}`{suggestion(name, NAMES)}")
    return content


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for variable, text in environment.items():
        if not variable.startswith(ENVIRONMENT_PREFIX):
            continue
        name = variable.removeprefix(ENVIRONMENT_PREFIX).lower()
        if name in ELSEWHERE:
            continue
        if name not in NAMES or name == "backends":
            known = [ENVIRONMENT_PREFIX + n.upper() for n in (*NAMES, *ELSEWHERE)]
            raise SettingsError(f"unknown variable `{variable}`{suggestion(variable, known)}")
        given[name] = tuple(text.split(",")) if name == "trusted_proxies" else text
    return {**_enforce_iam(environment), **given}


def _enforce_iam(environment: Mapping[str, str]) -> dict[str, str]:
    """What LocalStack's variable means here; iamd cannot be told not to enforce."""
    match environment.get("ENFORCE_IAM"):
        case None:
            return {}
        case "1":
            return {"enforce": "strict"}
        case "soft":
            return {"enforce": "soft"}
        case other:
            raise SettingsError(
                f"ENFORCE_IAM=`{other}`: iamd always enforces; use `--enforce soft` to only record denials"
            )


def _converted(given: Mapping[str, Any]) -> Settings:
    try:
        return msgspec.convert(given, Settings, strict=False, dec_hook=_read)
    except msgspec.ValidationError as error:
        raise SettingsError(_worded(error, given)) from error


def _read(kind: type, value: Any) -> Any:
    if kind is Path and isinstance(value, str):
        return Path(value)
    raise TypeError(kind)


def _worded(error: msgspec.ValidationError, given: Mapping[str, Any]) -> str:
    words, _, place = str(error).partition(" - at `$.")
    name = place.rstrip("`").split(".")[0].split("[")[0]
    if name not in given:
        return f"wrong settings: {error}"
    return f"wrong value for `{name}`: {words[0].lower()}{words[1:]}, got `{given[name]}`"


def _checked(settings: Settings) -> Settings:
    if not (settings.account.isascii() and settings.account.isdigit() and len(settings.account) == 12):
        raise SettingsError(f"wrong value for `account`: an account number has 12 digits, got `{settings.account}`")
    if not 0 <= settings.port <= 65535:
        raise SettingsError(f"wrong value for `port`: 0 to 65535, got `{settings.port}`")
    if settings.workers < 1:
        raise SettingsError(f"wrong value for `workers`: at least 1, got `{settings.workers}`")
    if (settings.admin_access_key_id is None) != (settings.admin_secret_access_key is None):
        raise SettingsError("give both `admin_access_key_id` and `admin_secret_access_key`, or neither")
    loopback = settings.host in LOOPBACK
    if settings.dev and not loopback:
        raise SettingsError(f"`--dev` binds loopback only, got `--host {settings.host}`")
    if not loopback and not settings.allow_plain_http:
        raise SettingsError(f"plain HTTP on `{settings.host}`: put TLS in front and give `--allow-plain-http`")
    if settings.store and settings.store.startswith("postgresql"):
        raise SettingsError("PostgreSQL is not built yet: leave `--store` out to use SQLite in the data folder")
    if settings.store:
        raise SettingsError(f"unknown kind of store `{settings.store}`: leave `--store` out to use SQLite")
    if settings.backend not in {"moto", "none"} and not settings.backend.startswith(("http://", "https://")):
        raise SettingsError(f"unknown backend `{settings.backend}`: give `moto`, `none` or a URL")
    return settings


def suggestion(word: str, known: tuple[str, ...] | list[str]) -> str:
    """What to say after an unknown word: the nearest known one, or nothing."""
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return f"; did you mean `{near[0]}`?" if near else ""
