"""`iamd fsck`: what is wrong with a store."""

import sys
from pathlib import Path

import click

from iamd.auth import key_file as key_files
from iamd.auth.key_file import KeyFileError
from iamd.cli.connection import DENIED
from iamd.cli.offline import check_store, folder_options, settings_of
from iamd.cli.output import output_options, show
from iamd.cli.text import plain
from iamd.settings import Settings


@click.command("fsck", help="Check the store: files, records, limits, audit streams; exit code 1 when one is wrong.")
@output_options
@folder_options
def command(
    output: str | None, query: str | None, data: Path | None, key_file: Path | None, config: Path | None
) -> None:
    """Print what is wrong, one line each; a server may run meanwhile."""
    settings = settings_of(data, key_file, config)
    check_store(settings)
    findings = _findings(settings)
    if output is not None or query is not None:
        show({"Sound": not findings, "Findings": findings}, output, query)
    else:
        for finding in findings or ["the store is sound"]:
            click.echo(plain(finding))
    sys.exit(DENIED if findings else 0)


def _findings(settings: Settings) -> list[str]:
    from iamd.start import audit_key
    from iamd.store.fsck import check

    path = settings.key_path()
    try:
        key = audit_key(key_files.load(path))
    except KeyFileError as error:
        return [f"key: {error}", *check(settings.data, None)]
    except OSError as error:
        return [f"key: cannot read the sealing key `{path}`: {error.strerror}", *check(settings.data, None)]
    return check(settings.data, key)
