"""`iamd restore`: a new data folder from a backup."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import click

from iamd.cli.connection import USAGE, Failure
from iamd.cli.offline import folder_options, keyring_of, passphrase_of, passphrase_option, settings_of
from iamd.settings import Settings


@click.command("restore", help="Make a new data folder from a backup, all of it or nothing.")
@click.argument("file", type=click.Path(path_type=Path))
@passphrase_option
@folder_options
def command(
    file: Path, passphrase_file: Path | None, data: Path | None, key_file: Path | None, config: Path | None
) -> None:
    """Restore the store, and the sealing key when it is in the backup and nowhere else."""
    from iamd.auth import key_file as key_files
    from iamd.start import audit_key
    from iamd.store.backup import holds_key, restore

    settings = settings_of(data, key_file, config)
    path = settings.key_path()
    key, passphrase, settle = None, None, None
    if path.exists():
        key = key_files.content(keyring_of(path))
    elif holds_key(file):
        passphrase = passphrase_of(passphrase_file, confirm=False)
        settle = _key_writer(settings)
    else:
        raise Failure("the sealing key is not in the backup: name its file with --key-file", USAGE)
    restore(
        file,
        settings.data,
        key=key,
        passphrase=passphrase,
        audit_key_of=lambda content: audit_key(key_files.parsed(content)),
        settle=settle,
    )
    click.echo(f"`{settings.data}` holds the store of `{file}`; its sealing key is `{path}`")


def _key_writer(settings: Settings) -> Callable[[Path, bytes], None]:
    """What puts the key where the server looks for it, before the data folder is in its place."""
    return partial(_write_key, None if settings.key_file is None else settings.key_path(), settings.key_path().name)


def _write_key(elsewhere: Path | None, name: str, folder: Path, content: bytes) -> None:
    from iamd.auth import key_file as key_files

    key_files.save(elsewhere or folder / name, key_files.parsed(content))
