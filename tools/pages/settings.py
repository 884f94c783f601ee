"""docs/settings.md: every setting as option, variable and key."""

import ast
import inspect
import json
import textwrap
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import msgspec
import platformdirs
from msgspec import NODEFAULT
from msgspec.structs import FieldInfo
from msgspec.structs import fields as fields_of

from iamd import backend_settings, settings
from iamd.backend_settings import AccountSettings, BackendSettings
from iamd.configuration import RANGES, wanted, wanted_by_backend, wanted_by_endpoint
from iamd.endpoint_settings import EndpointSettings
from iamd.settings import ENVIRONMENT_PREFIX, FILE_ONLY
from pages.markdown import code, document, table

USERS_FOLDER = Path(platformdirs.user_data_dir("iamd"))

HEAD = """A setting is an option of `iamd serve`, an `IAMD_` variable, or a key of the file that `--config` (or
`IAMD_CONFIG`) names. The command line wins over the environment, the environment over the file, the file over the
default. An option, variable or key that iamd does not know is an error that names the nearest known one, and ends the
start with exit code 2."""

VARIABLES = """`ENFORCE_IAM=1` and `ENFORCE_IAM=soft`, as LocalStack has them, stand for `--enforce strict` and
`--enforce soft`; `ENFORCE_IAM=0` is refused, for iamd always enforces. `trusted_proxies`, `federation_hosts`
and `integration_hosts` are repeated as options, have commas between their values as variables, and are lists in the
file."""

BACKENDS = """A `[backends.<name>]` table says where the requests of some services go and how they are signed there; the
name is yours, and stands in `/_iamd/health` and `iamd status` with how the backend is. Of two tables that answer for a
request the one that is for less wins; where neither is, the start fails. What no table answers for goes to
`--backend`."""

ENDPOINTS = """A `[vpc_endpoints.<name>]` table says whose requests come through a VPC endpoint; the name is the
endpoint's id, or the `Name` tag of one that EC2's CreateVpcEndpoint makes
([how requests come through one](how-to/vpc-endpoints.md))."""

ACCOUNTS = """An account in `accounts` is a table of these keys, as in `accounts.111122223333.access_key_id`. A backend
that is told no account, neither by `accounts` nor by `{account}`, holds the things of `account` alone (the first
account's by default), and requests for other accounts' are refused; buckets, whose ARNs have no account, it may hold of
all accounts, and iamd keeps whose each is."""

PRESETS = """`preset = "minio"` lets a table begin with the keys below; its own keys come first.
[How to add one](how-to/add-a-backend.md)."""

EXAMPLE = """```toml
port = 4566
enforce = "strict"
trusted_proxies = ["10.0.0.7"]

[backends.objects]
url = "https://minio.example.com:9000"
services = ["s3"]
access_key_id = "AKIAIOSFODNN7EXAMPLE"
secret_access_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
region = "eu-west-1"
account = "123456789012"
ca_file = "/etc/ssl/minio.pem"
```"""


def page() -> str:
    """The page."""
    return document(
        "Settings", HEAD, table(("option", "variable", "key", "takes", "default", "what it says"), _rows()), VARIABLES,
        "## Backends", BACKENDS, table(_COLUMNS, _backend_rows(BackendSettings, wanted_by_backend)), ACCOUNTS,
        table(_COLUMNS, _backend_rows(AccountSettings, lambda _: "a text")), "An `iamd.toml`:", EXAMPLE,
        "## VPC endpoints", ENDPOINTS, table(_COLUMNS, _backend_rows(EndpointSettings, wanted_by_endpoint)),
        "## Presets", PRESETS, table(("preset", "what it is", "its keys"), _preset_rows()),
    )  # fmt: skip


def _rows() -> list[tuple[str, ...]]:
    return [
        (
            code("--" + name.replace("_", "-")),
            code(ENVIRONMENT_PREFIX + name.upper()),
            code(name),
            _takes(name),
            _default(default),
            doc,
        )
        for name, doc, default in settings.documented()
        if name not in FILE_ONLY
    ]


def _takes(name: str) -> str:
    least_and_most = RANGES.get(name)
    return wanted(name) + (f", {least_and_most[0]} to {least_and_most[1]}" if least_and_most else "")


def _default(value: object) -> str:
    match value:
        case None | ():
            return "none"
        case bool():
            return str(value).lower()
        case Path() if value == USERS_FOLDER:
            # It differs from machine to machine, and from user to user.
            return "`iamd` in the platform's folder for users' data"
    return code(value)


_COLUMNS = ("key", "takes", "default", "what it says")


def _backend_rows(kind: type[msgspec.Struct], wanted_by: Callable[[str], str]) -> list[tuple[str, ...]]:
    docs = sentences(kind)
    return [(code(f.name), _with_range(f.name, wanted_by), _begins_with(f), docs[f.name]) for f in fields_of(kind)]


def _with_range(name: str, wanted_by: Callable[[str], str]) -> str:
    least_and_most = backend_settings.RANGES.get(name)
    return wanted_by(name) + (f", {least_and_most[0]} to {least_and_most[1]}" if least_and_most else "")


def _begins_with(field: FieldInfo) -> str:
    if field.required:
        return "must be given"
    return "none" if field.default_factory is not NODEFAULT or field.default == "" else _default(field.default)


def _preset_rows() -> list[tuple[str, ...]]:
    return [
        (
            code(name),
            str(keys["about"]),
            " ".join(code(f"{key} = {_toml(keys[key])}") for key in keys if key != "about"),
        )
        for name, keys in sorted(backend_settings.presets().items())
    ]


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(item)}" for key, item in value.items()) + " }"
    return json.dumps(value)


def sentences(kind: type) -> dict[str, str]:
    """The docstring below each field of a class, in its source."""
    [found] = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    body = found.body if isinstance(found, ast.ClassDef) else []
    told = {}
    for field, after in pairwise(body):
        match field, after:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                told[name] = " ".join(text.split())
    return told
