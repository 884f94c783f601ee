"""What commands that open files themselves have in common: which data folder, which sealing key, which passphrase."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from iamd.auth import key_file
from iamd.auth.key_file import KeyFileError
from iamd.auth.sealing import Keyring
from iamd.cli.connection import USAGE, Failure, data_folder
from iamd.configuration import load
from iamd.settings import Settings
from iamd.store.sqlite import DATABASE

LONGEST_PASSPHRASE = 4096

Command = TypeVar("Command", bound=Callable[..., Any])


def folder_options(function: Command) -> Command:
    """The options that say where the store and its sealing key are; the settings of `iamd serve` count too."""
    data = click.option("--data", type=click.Path(path_type=Path), help="Data folder; the default is the server's own.")
    key = click.option("--key-file", type=click.Path(path_type=Path), help="File of the sealing key, if not in there.")
    config = click.option("--config", type=click.Path(path_type=Path), help="File of settings, iamd.toml.")
    return data(key(config(function)))


def settings_of(data: Path | None, key_file: Path | None, config: Path | None) -> Settings:
    """The server's settings as far as files go: command line before environment before file before default."""
    options = {"data": data, "key_file": key_file, "config": config}
    given = {name: str(value) for name, value in options.items() if value is not None}
    found = load(given, os.environ)
    if found.data != Settings().data:
        return found
    return load({**given, "data": str(data_folder(None))}, os.environ)


def check_store(settings: Settings) -> None:
    """Fail when there is no store in the data folder."""
    if not (settings.data / DATABASE).is_file():
        raise Failure(f"there is no store in the data folder `{settings.data}`; name its folder with --data", USAGE)


def keyring_of(path: Path) -> Keyring:
    """The sealing keys in a file; Failure when it is not there or can't be trusted."""
    try:
        return key_file.load(path)
    except KeyFileError as error:
        raise Failure(str(error), USAGE) from error
    except OSError as error:
        raise Failure(f"cannot read the sealing key `{path}`: {error.strerror}", USAGE) from error


def passphrase_option(function: Command) -> Command:
    """The option that names the file of a passphrase: on the command line all users of a machine could read it."""
    return click.option(
        "--passphrase-file",
        type=click.Path(path_type=Path, allow_dash=True),
        help="File whose first line is the passphrase, `-` for standard input; asked for on a terminal.",
    )(function)


def passphrase_of(file: Path | None, *, confirm: bool) -> str:
    """The passphrase: a file's first line, or what is typed."""
    if file is not None:
        return _first_line(file)
    if not sys.stdin.isatty():
        raise Failure("the sealing key needs a passphrase: name its file with --passphrase-file", USAGE)
    typed: str = click.prompt("Passphrase of the sealing key", hide_input=True, confirmation_prompt=confirm, err=True)
    return typed


def _first_line(file: Path) -> str:
    try:
        if str(file) == "-":
            line = sys.stdin.readline(LONGEST_PASSPHRASE)
        else:
            with file.open(encoding="utf-8") as opened:
                line = opened.readline(LONGEST_PASSPHRASE)
    except OSError as error:
        raise Failure(f"cannot read `{file}`: {error.strerror}", USAGE) from error
    except UnicodeDecodeError as error:
        raise Failure(f"`{file}` is not UTF-8", USAGE) from error
    passphrase = line.rstrip("\r\n")
    if not passphrase:
        raise Failure(f"the passphrase in `{file}` is empty", USAGE)
    return passphrase
