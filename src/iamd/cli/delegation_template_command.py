"""`iamd delegation-template`: what partners may ask accounts for, as the operator registers it."""

from pathlib import Path

import click

from iamd.cli.connection import data_option, find
from iamd.cli.files import read_file
from iamd.cli.output import output_options, show


@click.group("delegation-template", help="Register, list and remove policy templates of partners.")
def command() -> None:
    """Policy templates of partners."""


@command.command("add", help="Let an account ask for what the policy template in FILE says; `-` is standard input.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--account", "account_id", required=True, help="Number of the partner's account.")
@click.option("--requestor", "requestor_name", required=True, help="The partner, as those who are asked see it.")
@click.option("--name", "template_name", required=True, help="Name of the template.")
@output_options
@data_option
def add(
    file: Path,
    account_id: str,
    requestor_name: str,
    template_name: str,
    output: str | None,
    query: str | None,
    data: Path | None,
) -> None:
    """Print the template's ARN, which CreateDelegationRequest names it by."""
    asked = {
        "AccountId": account_id,
        "RequestorName": requestor_name,
        "TemplateName": template_name,
        "PolicyTemplate": read_file(file),
    }
    show(find(data).call("RegisterDelegationTemplate", asked), output, query)


@command.command("remove", help="Let nobody ask for it any more; what was asked for stays.")
@click.argument("arn", metavar="ARN")
@data_option
def remove(arn: str, data: Path | None) -> None:
    """Forget a template."""
    find(data).call("DeregisterDelegationTemplate", {"PolicyTemplateArn": arn})


@command.command("list", help="List the templates, with the accounts that may ask for them.")
@output_options
@data_option
def list_templates(output: str | None, query: str | None, data: Path | None) -> None:
    """Print the templates."""
    show(find(data).call("ListDelegationTemplates", {}), output, query)
