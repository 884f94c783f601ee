"""`iamd role-template`: what AcquireRole makes roles of, as the operator registers it."""

from pathlib import Path
from typing import Any

import click

from iamd.cli.connection import USAGE, Failure, data_option, find
from iamd.cli.files import read_file


@click.group("role-template", help="Register role templates, and set which of their versions are used.")
def command() -> None:
    """Role templates."""


@command.command("add", help="Register a version of a template from the JSON in FILE; `-` is standard input.")
@click.argument("arn", metavar="ARN")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--minor-version", type=int, required=True, help="Number of the version; the first one is the default.")
@data_option
def add(arn: str, file: Path, minor_version: int, data: Path | None) -> None:
    """Register a version, by the members that GetRoleTemplateVersion shows."""
    asked = {"TemplateArn": arn, "MinorVersion": minor_version, "Template": read_file(file)}
    find(data).call("RegisterRoleTemplateVersion", asked)


@command.command("set", help="Set which version is the default, and from which no roles are made.")
@click.argument("arn", metavar="ARN")
@click.option("--enable/--disable", "enabled", default=None, help="Whether roles are made from the template at all.")
@click.option("--default-version", type=int, help="The version that is used where none is named.")
@click.option("--disabled-version", "disabled", type=int, multiple=True, help="A version from which no roles are made.")
@click.option("--no-disabled-versions", is_flag=True, help="Let roles be made from every version again.")
@data_option
def set_template(
    arn: str,
    enabled: bool | None,
    default_version: int | None,
    disabled: tuple[int, ...],
    no_disabled_versions: bool,
    data: Path | None,
) -> None:
    """Change a template; the versions that are named disabled are all that are."""
    if disabled and no_disabled_versions:
        raise Failure("--disabled-version and --no-disabled-versions exclude each other", USAGE)
    given: dict[str, Any] = {
        "Enabled": enabled,
        "DefaultMinorVersion": default_version,
        "DisabledMinorVersions": list(disabled) if disabled or no_disabled_versions else None,
    }
    asked = {name: value for name, value in given.items() if value is not None}
    if not asked:
        raise Failure("nothing to set: give an option", USAGE)
    find(data).call("UpdateRoleTemplate", {"TemplateArn": arn, **asked})
