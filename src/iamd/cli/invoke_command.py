"""`iamd invoke`: a local handler, run once as Lambda runs functions."""

import re
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from iamd.cli.connection import DENIED, USAGE, Connection, Failure, data_option, exit_code, find
from iamd.cli.role_arn import role_arn

if TYPE_CHECKING:
    from iamd.functions.environment import Result
    from iamd.functions.local import Handler
    from iamd.metadata.temporary import Temporary

SECONDS = 3600
_NO_NAME = re.compile(r"[^A-Za-z0-9_-]")


@click.command("invoke", help="Run a local Python handler once, as Lambda runs functions.")
@click.option("--role", metavar="ARN", callback=role_arn, help="Its role, which you assume; else you.")
@click.option("--event", metavar="FILE", default=None, help="Its event, `-` for standard input, else `{}`.")
@click.option("--handler", "named", metavar="MODULE.FUNCTION", default=None, help="The handler, when CODE is a folder.")
@click.option("--timeout", type=click.IntRange(1, 900), default=3, show_default=True, help="Seconds that it may take.")
@click.option(
    "--memory", type=click.IntRange(128, 10240), default=128, show_default=True, help="Megabytes that it may use."
)
@data_option
@click.argument("code", metavar="FILE.py:HANDLER|FOLDER")
def command(
    code: str, role: str | None, event: str | None, named: str | None, timeout: int, memory: int, data: Path | None
) -> int:
    """Print what it answers, and its log on standard error; the code is 1 when it failed."""
    folder, handler = _code(code, named)
    content = _event(event)
    connection = find(data)
    # Imported here: who mistypes need not wait for it.
    from iamd.functions.local import Handler

    module = _NO_NAME.sub("-", handler.partition(".")[0])[:64]
    # A session's name has two characters at least.
    name = module if len(module) > 1 else f"function-{module}"
    wanted = Handler(folder=folder, handler=handler, name=name, memory=memory, timeout=timeout)
    result, log = _ran(wanted, connection, _credentials(connection, role, name), content)
    click.echo(log.decode("utf-8", "replace"), err=True, nl=False)
    click.echo(result.content.decode("utf-8", "replace"))
    return 0 if result.failure is None else DENIED


def _ran(wanted: "Handler", connection: Connection, credentials: "Temporary", content: bytes) -> "tuple[Result, bytes]":
    import asyncio

    from iamd.cli.companion import hide
    from iamd.functions import local
    from iamd.functions.libraries import Missing
    from iamd.functions.variables import Server

    if sys.platform != "linux":
        raise Failure("running a function needs Linux", USAGE)
    # SECURITY: the handler runs as the same user; the caller's keys are in this process's memory and environment.
    hide()
    server = Server(connection.endpoint, connection.region)
    try:
        return asyncio.run(local.run(wanted, server, credentials, content, time.time()))
    except Missing as error:
        raise Failure(f"running a function needs `{error}`: install iamd[functions]", USAGE) from error


def _code(code: str, named: str | None) -> tuple[Path, str]:
    """The folder and the handler that are meant."""
    path, _, function = code.partition(":")
    if named is None:
        file = Path(path)
        if not function or file.suffix != ".py":
            raise Failure("give FILE.py:HANDLER, or a folder and --handler MODULE.FUNCTION", USAGE)
        if not file.is_file():
            raise Failure(f"there is no file `{path}`", USAGE)
        return file.resolve().parent, f"{file.stem}.{function}"
    if not Path(code).is_dir():
        raise Failure(f"there is no folder `{code}`", USAGE)
    return Path(code).resolve(), named


def _event(event: str | None) -> bytes:
    if event is None:
        return b"{}"
    content = sys.stdin.buffer.read() if event == "-" else Path(event).read_bytes()
    try:
        msgspec.json.decode(content)
    except msgspec.DecodeError as error:
        raise Failure(f"the event is no JSON: {error}", USAGE) from error
    return content


def _credentials(connection: Connection, role: str | None, name: str) -> "Temporary":
    from iamd.cli.assuming import assume_role
    from iamd.metadata.temporary import Temporary, Unobtainable

    if role is None:
        return Temporary(
            access_key_id=connection.access_key_id,
            secret_access_key=connection.secret_access_key,
            session_token=connection.session_token or "",
            expiration="",
            last_updated="",
            lasts=SECONDS,
            role_arn=_own_arn(connection),
        )
    try:
        return assume_role(connection, role, name, SECONDS)
    except Unobtainable as error:
        raise Failure(error.message, exit_code(error.status, error.code)) from error


def _own_arn(connection: Connection) -> str:
    """The root user of the caller's account, whose number stands in the key."""
    from iamd import arn, ids

    return arn.root(ids.account_of_key(connection.access_key_id) or "0" * 12)
