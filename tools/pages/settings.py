"""docs/settings.md: every setting as option, variable and key."""

import ast
import inspect
import textwrap
import typing
from dataclasses import MISSING
from itertools import pairwise
from pathlib import Path

import platformdirs

from iamd import settings
from iamd.configuration import RANGES, wanted
from iamd.settings import ENVIRONMENT_PREFIX, FILE_ONLY, BackendSettings
from pages.markdown import code, document, table

USERS_FOLDER = Path(platformdirs.user_data_dir("iamd"))

HEAD = """A setting is an option of `iamd serve`, an `IAMD_` variable, or a key of the file that `--config` (or
`IAMD_CONFIG`) names. The command line wins over the environment, the environment over the file, the file over the
default. An option, variable or key that iamd does not know is an error that names the nearest known one, and ends the
start with exit code 2."""

VARIABLES = """`ENFORCE_IAM=1` and `ENFORCE_IAM=soft`, as LocalStack has them, stand for `--enforce strict` and
`--enforce soft`; `ENFORCE_IAM=0` is refused, for iamd always enforces. `trusted_proxies` and `federation_hosts`
are repeated as options, have commas between their values as variables, and are lists in the file."""

BACKENDS = """A `[backends.<name>]` table says where the requests of some services go and how they are signed there; the
name is yours, and stands in `/_iamd/health`. Services that no table names go to `--backend`."""

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
        "## Backends", BACKENDS, table(("key", "takes", "default", "what it says"), _backend_rows()), "An `iamd.toml`:",
        EXAMPLE,
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


def _backend_rows() -> list[tuple[str, ...]]:
    fields = BackendSettings.__struct_fields__
    defaults = (MISSING,) * (
        len(fields) - len(BackendSettings.__struct_defaults__)
    ) + BackendSettings.__struct_defaults__
    docs, hints = sentences(BackendSettings), typing.get_type_hints(BackendSettings)
    return [
        (
            code(name),
            "a list of texts" if typing.get_origin(hints[name]) is tuple else "a text",
            "must be given" if default is MISSING else _default(default),
            docs[name],
        )
        for name, default in zip(fields, defaults, strict=True)
    ]


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
