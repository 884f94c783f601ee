"""`iamd aws`: the AWS CLI against iamd."""

import shutil
import sys
from pathlib import Path

import click

from iamd.cli.connection import USAGE, Failure, data_option, find
from iamd.cli.exec_command import become


@click.command(
    "aws",
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
    add_help_option=False,
    help="Run the AWS CLI against iamd.",
)
@data_option
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="[ARG]...")
def command(data: Path | None, words: tuple[str, ...]) -> None:
    """Become the AWS CLI; its exit code is the caller's."""
    found = shutil.which("aws") or shutil.which("aws", path=str(Path(sys.executable).parent))
    if found is None:
        raise Failure("the AWS CLI is not installed: `pip install awscli`, or see AWS's own installer", USAGE)
    connection = find(data)
    # Version 1 of the AWS CLI overrides AWS_ENDPOINT_URL for sqs, rds, emr and three more, and would go to AWS.
    given = any(word.partition("=")[0] == "--endpoint-url" for word in words)
    become(connection, [found, *([] if given else ["--endpoint-url", connection.endpoint]), *words])
