"""Where settings come from, what is wrong with them in words, and which of them don't go together."""

import ipaddress
import re
import typing
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import msgspec

from iamd import backend_settings, endpoint_settings
from iamd.arn import REGION
from iamd.backend_settings import BackendSettings, is_url
from iamd.endpoint_settings import EndpointSettings
from iamd.settings import (
    ELSEWHERE,
    ENVIRONMENT_PREFIX,
    FILE_ONLY,
    LOOPBACK,
    NAMES,
    Settings,
    SettingsError,
    suggestion,
)


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
    # Imported here: a server that starts without a file of settings holds nothing that reads one.
    import tomllib  # noqa: PLC0415

    try:
        content = tomllib.loads(path.read_text())
    except OSError as error:
        raise SettingsError(f"cannot read `{path}`: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"`{path}` is not TOML: {error}") from error
    for name in content:
        if name not in NAMES:
            raise SettingsError(f"unknown setting `{name}` in `{path}`{suggestion(name, NAMES)}")
    tables = content.get("backends")
    if isinstance(tables, Mapping):
        content["backends"] = {name: backend_settings.with_preset(name, table) for name, table in tables.items()}
    return content


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for variable, text in environment.items():
        if not variable.startswith(ENVIRONMENT_PREFIX):
            continue
        name = variable.removeprefix(ENVIRONMENT_PREFIX).lower()
        if name in ELSEWHERE:
            continue
        if name not in NAMES or name in FILE_ONLY:
            known = [ENVIRONMENT_PREFIX + n.upper() for n in (*NAMES, *ELSEWHERE) if n not in FILE_ONLY]
            raise SettingsError(f"unknown variable `{variable}`{suggestion(variable, known)}")
        given[name] = tuple(text.split(",")) if name in LISTS else text
    return {**_enforce_iam(environment), **given}


LISTS = frozenset({"trusted_proxies", "federation_hosts", "integration_hosts"})
"""Settings of several values, which a variable has with commas between them."""


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
    # An empty path would be the working directory.
    if kind is Path and isinstance(value, str) and value:
        return Path(value)
    raise TypeError(kind)


def _worded(error: msgspec.ValidationError, given: Mapping[str, Any]) -> str:
    """What is wrong, in words: the library's own name Python's types."""
    words, _, place = str(error).partition(" - at `$")
    path = place.rstrip("`").lstrip(".")
    name = path.partition(".")[0].partition("[")[0]
    if name == "vpc_endpoints":
        return _worded_endpoint(given.get("vpc_endpoints"))
    if name == "backends" or name not in given:
        return _worded_backend(words, given.get("backends"))
    # SECURITY: what was given for a secret is not repeated.
    got = "" if "secret" in name else f", got `{given[name]}`"
    return f"wrong value for `{name}`: {wanted(name)}{got}"


def _worded_backend(words: str, given: Any) -> str:
    """What is wrong with the tables of backends."""
    known = BackendSettings.__struct_fields__
    for table, values in given.items() if isinstance(given, Mapping) else ():
        if not isinstance(values, Mapping):
            break
        for key in values:
            if key not in known:
                return f"unknown setting `backends.{table}.{key}`{suggestion(key, known)}"
        if "url" not in values:
            return f"`[backends.{table}]` has no `url`"
        for key, value in values.items():
            wrong = _wrong_in_table(key, value)
            if wrong is not None:
                return f"wrong value for `backends.{table}.{key}`: {wrong}"
    return "backends are tables: `[backends.<name>]` with a `url`"


def _wrong_in_table(key: str, value: Any) -> str | None:
    """What a key of a backend takes, when it was not given that."""
    kind = typing.get_type_hints(BackendSettings)[key]
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        if key == "accounts":
            # SECURITY: the library's words name the key that is wrong, never what was given for it.
            return f"a table of accounts, each with its credentials: {_NAMED.sub('', str(error))}"
        return wanted_by_backend(key)
    return None


_NAMED = re.compile(r" - at `\$`?")


def wanted_by_backend(key: str) -> str:
    """What a key of a backend takes, in words."""
    kind = typing.get_type_hints(BackendSettings)[key]
    if typing.get_origin(kind) is Literal:
        return " or ".join(f"`{choice}`" for choice in typing.get_args(kind))
    return _BACKEND_WANTED.get(key) or _KINDS.get(kind, "a text")


_BACKEND_WANTED = {
    "services": "a list of services' names",
    "only_accounts": "a list of account numbers",
    "only_regions": "a list of Regions",
    "accounts": "a table of accounts",
    "headers": "a table of texts",
}


def _worded_endpoint(given: Any) -> str:
    """What is wrong with the tables of VPC endpoints."""
    known = EndpointSettings.__struct_fields__
    for table, values in given.items() if isinstance(given, Mapping) else ():
        if not isinstance(values, Mapping):
            break
        for key, value in values.items():
            if key not in known:
                return f"unknown setting `vpc_endpoints.{table}.{key}`{suggestion(key, known)}"
            try:
                msgspec.convert(value, typing.get_type_hints(EndpointSettings)[key])
            except msgspec.ValidationError:
                return f"wrong value for `vpc_endpoints.{table}.{key}`: {wanted_by_endpoint(key)}"
        for key in ("account", "sources"):
            if key not in values:
                return f"`[vpc_endpoints.{table}]` has no `{key}`"
    return "VPC endpoints are tables: `[vpc_endpoints.<name>]` with an `account` and `sources`"


def wanted_by_endpoint(key: str) -> str:
    """What a key of a VPC endpoint takes, in words."""
    kind = typing.get_type_hints(EndpointSettings)[key]
    if typing.get_origin(kind) is Literal:
        return " or ".join(f"`{choice}`" for choice in typing.get_args(kind))
    return {"sources": "a list of addresses", "hosts": "a list of hosts", "services": "a list of services"}.get(
        key, "a text"
    )


def wanted(name: str) -> str:
    """What a setting takes, in words."""
    kind = typing.get_type_hints(Settings)[name]
    if typing.get_origin(kind) is Literal:
        return " or ".join(f"`{choice}`" for choice in typing.get_args(kind))
    return _KINDS.get(kind, "a text")


_KINDS: Mapping[Any, str] = {
    int: "a whole number",
    float: "a number",
    float | None: "a number",
    bool: "true or false",
    Path: "a path",
    Path | None: "a path",
    tuple[str, ...]: "addresses",
}


def _checked(settings: Settings) -> Settings:
    if not (settings.account.isascii() and settings.account.isdigit() and len(settings.account) == 12):
        raise SettingsError(f"wrong value for `account`: an account number has 12 digits, got `{settings.account}`")
    _check_texts(settings)
    _check_numbers(settings)
    _check_administrator(settings)
    loopback = settings.host in LOOPBACK
    if settings.dev and not loopback:
        raise SettingsError(f"`--dev` binds loopback only, got `--host {settings.host}`")
    if not loopback and not settings.allow_plain_http:
        raise SettingsError(f"plain HTTP on `{settings.host}`: put TLS in front and give `--allow-plain-http`")
    if settings.store and settings.store.startswith("postgresql"):
        raise SettingsError("PostgreSQL is not built yet: leave `--store` out to use SQLite in the data folder")
    if settings.store:
        raise SettingsError(f"unknown kind of store `{settings.store}`: leave `--store` out to use SQLite")
    if settings.issuer_url is not None and not is_url(settings.issuer_url):
        raise SettingsError(
            f"wrong value for `issuer_url`: `https://host:port` without a path, got `{settings.issuer_url}`"
        )
    _check_metadata(settings)
    _check_backends(settings)
    return replace(
        settings,
        trusted_proxies=tuple(map(_proxy, settings.trusted_proxies)),
        federation_hosts=tuple(_host("federation_hosts", one) for one in settings.federation_hosts),
        integration_hosts=tuple(_host("integration_hosts", one) for one in settings.integration_hosts),
        issuer_url=settings.issuer_url.rstrip("/") if settings.issuer_url else None,
        vpc_endpoints=endpoint_settings.checked(settings.vpc_endpoints, settings.region),
    )


def _check_texts(settings: Settings) -> None:
    """No text holds what no file name, address or line of a file can hold."""
    for name in NAMES:
        value = getattr(settings, name)
        if isinstance(value, str | Path) and not str(value).isprintable() and "secret" not in name:
            raise SettingsError(f"wrong value for `{name}`: {wanted(name)} of printable characters, got {str(value)!a}")
    # It stands in the CLI's configuration and in ARNs.
    if not REGION.fullmatch(settings.region):
        raise SettingsError(f"wrong value for `region`: a region as `us-east-1`, got `{settings.region}`")


RANGES: Mapping[str, tuple[float, float]] = {
    "port": (0, 65535),
    "workers": (1, 64),
    "audit_retention_days": (1, 36500),
    "max_staleness_seconds": (0, 3600),
    "workload_session_seconds": (2, 43200),
    "functions_concurrency": (1, 1000),
    "connections": (1, 1_000_000),
    "refusals_per_second": (1, 1_000_000),
    "backend_connect_seconds": (0.01, 3600),
    "backend_response_seconds": (0.01, 86400),
    "backend_idle_seconds": (0.01, 86400),
    "header_seconds": (0.01, 3600),
    "idle_seconds": (0.01, 86400),
}
"""The least and the most that a number may be."""


def _check_numbers(settings: Settings) -> None:
    for name, (least, most) in RANGES.items():
        value = getattr(settings, name)
        if not least <= value <= most:
            raise SettingsError(f"wrong value for `{name}`: {least} to {most}, got `{value}`")


def _check_administrator(settings: Settings) -> None:
    key, secret = settings.admin_access_key_id, settings.admin_secret_access_key
    if (key is None) != (secret is None):
        raise SettingsError("give both `admin_access_key_id` and `admin_secret_access_key`, or neither")
    if key is not None and not _ACCESS_KEY_ID.fullmatch(key):
        raise SettingsError("wrong value for `admin_access_key_id`: 16 to 128 letters and digits")
    # SECURITY: the words never hold what was given: it may be a secret with a slip in it.
    if secret is not None and not _SECRET.fullmatch(secret):
        raise SettingsError("wrong value for `admin_secret_access_key`: 16 or more visible ASCII characters")


# IAM API Reference, "AccessKey": an access key id has 16 to 128 characters of \w.
_ACCESS_KEY_ID = re.compile(r"[A-Za-z0-9_]{16,128}", re.ASCII)
_SECRET = re.compile(r"[!-~]{16,256}")


def _check_metadata(settings: Settings) -> None:
    given, instance = settings.metadata, settings.metadata_instance
    if given is not None and not _ADDRESS.fullmatch(given):
        raise SettingsError(f"wrong value for `metadata`: `host:port`, got `{given}`")
    host, port = settings.metadata_address
    if port > 65535:
        raise SettingsError(f"wrong value for `metadata`: a port is at most 65535, got `{given}`")
    # SECURITY: whoever reaches the listener has its instance's credentials.
    if host not in LOOPBACK and not settings.allow_plain_http:
        raise SettingsError(
            f"instance metadata on `{host}` gives credentials to whoever reaches it: give `--allow-plain-http` for that"
        )
    if instance is not None and not _INSTANCE.fullmatch(instance):
        raise SettingsError(
            f"wrong value for `metadata_instance`: an instance's id as `i-0123456789abcdef0`, got `{instance}`"
        )


_ADDRESS = re.compile(r"(?:[A-Za-z0-9.-]+|\[[0-9a-fA-F:.]+\]):[0-9]{1,5}", re.ASCII)
_INSTANCE = re.compile(r"i-(?:[0-9a-f]{8}|[0-9a-f]{17})")


def _proxy(text: str) -> str:
    """The address of a proxy, spelt as a connection's is."""
    try:
        found = ipaddress.ip_address(text)
    except ValueError as error:
        raise SettingsError(f"wrong value for `trusted_proxies`: an IP address, got `{text}`") from error
    return str(getattr(found, "ipv4_mapped", None) or found)


def _host(name: str, text: str) -> str:
    """A host in a setting of this name, in lower case as URLs are compared."""
    if _HOST.fullmatch(text) is None:
        raise SettingsError(f"wrong value for `{name}`: `host` or `host:port`, got `{text}`")
    return text.lower()


_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[1-9][0-9]{0,4})?", re.ASCII)


def _check_backends(settings: Settings) -> None:
    if settings.backend not in {"moto", "none"} and not is_url(settings.backend):
        raise SettingsError(
            f"unknown backend `{settings.backend}`: give `moto`, `none` or a URL without a path, as `http://host:port`"
        )
    for name, table in settings.backends.items():
        backend_settings.check(name, table)
    backend_settings.check_together(settings.backends)
