"""`iamd backup`: the store in one file."""

from pathlib import Path

import click

from iamd.cli.offline import check_store, folder_options, keyring_of, passphrase_of, passphrase_option, settings_of


@click.command("backup", help="Copy the store into one new file; a server may go on writing.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--include-key", is_flag=True, help="Put the sealing key in too, sealed by a passphrase.")
@passphrase_option
@folder_options
def command(
    file: Path,
    include_key: bool,
    passphrase_file: Path | None,
    data: Path | None,
    key_file: Path | None,
    config: Path | None,
) -> None:
    """Write a backup that holds all that was acknowledged before."""
    from iamd.auth import key_file as key_files
    from iamd.store.backup import backup

    settings = settings_of(data, key_file, config)
    check_store(settings)
    key, passphrase = None, None
    if include_key:
        key = key_files.content(keyring_of(settings.key_path()))
        passphrase = passphrase_of(passphrase_file, confirm=True)
    backup(settings.data, file, key=key, passphrase=passphrase)
    click.echo(f"`{file}` holds the store in `{settings.data}`")
    if not include_key:
        click.echo(f"the sealing key `{settings.key_path()}` is not in it, and a restore needs both", err=True)
