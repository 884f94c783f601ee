"""`iamd serve`: every setting is an option."""

import os
import sys
import typing
from dataclasses import fields
from pathlib import Path
from typing import Any

import click

from iamd.configuration import LISTS, load
from iamd.settings import FILE_ONLY, Settings, suggestion


class Serve(click.Command):
    """A command whose unknown options name the nearest known one."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments."""
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            known = [option for parameter in self.params for option in parameter.opts]
            message = f"unknown option `{error.option_name}`{suggestion(error.option_name, known)}"
            raise click.UsageError(message, ctx) from error


def _options() -> list[click.Option]:
    hints = typing.get_type_hints(Settings)
    options = [click.Option(["--config"], type=click.Path(path_type=Path), help="File of settings, iamd.toml.")]
    for setting in fields(Settings):
        if setting.name in FILE_ONLY:
            continue
        flag = "--" + setting.name.replace("_", "-")
        doc = setting.metadata["doc"]
        if hints[setting.name] is bool:
            options.append(click.Option([flag], is_flag=True, default=None, help=doc))
        else:
            options.append(click.Option([flag], help=doc, multiple=setting.name in LISTS))
    return options


def _serve(**given: Any) -> None:
    settings = load({name: value for name, value in given.items() if value not in {None, ()}}, os.environ)
    from iamd.run import serve

    sys.exit(serve(settings))


command = Serve("serve", params=list(_options()), callback=_serve, help="Start the server.")
