"""docs/cli.md: every command with its arguments and options, out of the commands themselves."""

from collections.abc import Iterator

import click

from iamd.cli.commands import COMMANDS, iamd
from pages.markdown import code, document, table

HEAD = """`--help`, alone or after a command, says the same. Exit codes: 0 done, or allowed; 1 denied, or something was
found; 2 wrong usage, or it cannot start; 3 the server cannot be reached. `iamd exec` and `iamd aws` end with the exit
code of what they ran."""

CONNECTION = """Commands that ask a server are calls of its service `iamd`, signed, decided and recorded like all others
(`iamd:Can`, `iamd:Explain`, `iamd:CreateAccount` ...). They find the server and an access key

1. in the folder that `--data` names: in its `aws/config` and `aws/credentials`;
2. else in the environment, when `AWS_ENDPOINT_URL`, `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY` are set;
3. else in the folder that `IAMD_DATA` names, in `.iamd` where the command runs, or in the user's own."""


def page() -> str:
    """The page."""
    parts = [part for path, command in documented() for part in _command(path, command)]
    return document("The command line", HEAD, CONNECTION, *parts)


def documented() -> Iterator[tuple[str, click.Command]]:
    """Every command, with what is typed for it."""
    context = click.Context(iamd)
    for name in COMMANDS:
        command = iamd.get_command(context, name)
        if command is not None:
            yield from _within(f"iamd {name}", command)


def _within(path: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            yield from _within(f"{path} {name}", inner)
    else:
        yield path, command


def _command(path: str, command: click.Command) -> Iterator[str]:
    context = click.Context(command, parent=click.Context(iamd, **iamd.context_settings))
    yield f"## {path}"
    yield command.get_short_help_str(200)
    yield f"    {path} {' '.join(command.collect_usage_pieces(context))}".rstrip()
    if path == "iamd serve":
        yield "Every option is a setting: [settings.md](settings.md) has their variables, keys and defaults."
    options = [option for option in command.get_params(context) if isinstance(option, click.Option)]
    records = [record for option in options if (record := option.get_help_record(context))]
    yield table(("option", "what it says"), [(code(name), text) for name, text in records])
