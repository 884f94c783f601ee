"""`iamd metadata`: where an instance's metadata is, and to which addresses it is told."""

from pathlib import Path

import click

from iamd.cli.connection import USAGE, Connection, Failure, data_option, find
from iamd.cli.output import output_options, show


@click.command("metadata", help="Print the address of an instance's own metadata, or the registered source addresses.")
@click.argument("instance_id", metavar="[INSTANCE-ID]", required=False)
@click.option("--source", metavar="ADDRESS", help="Tell this address the instance's metadata at the shared listener.")
@click.option("--remove-source", metavar="ADDRESS", help="Treat an address as any other again.")
@output_options
@data_option
def command(
    instance_id: str | None,
    source: str | None,
    remove_source: str | None,
    output: str | None,
    query: str | None,
    data: Path | None,
) -> None:
    """Print an address for AWS_EC2_METADATA_SERVICE_ENDPOINT; without an instance, who is told whose metadata."""
    if remove_source is not None and (instance_id is not None or source is not None):
        raise Failure("--remove-source is given alone", USAGE)
    if source is not None and instance_id is None:
        raise Failure("--source is for an instance: give its id", USAGE)
    connection = find(data)
    if remove_source is not None:
        connection.call("DeregisterMetadataSource", {"SourceAddress": remove_source})
    elif instance_id is None:
        show(connection.call("ListMetadataSources", {}), output, query)
    elif source is None:
        _show(connection.call("GetMetadataEndpoint", {"InstanceId": instance_id})["Endpoint"], output, query)
    else:
        connection.call("RegisterMetadataSource", {"SourceAddress": source, "InstanceId": instance_id})
        _show(_shared(connection), output, query)


def _show(endpoint: str, output: str | None, query: str | None) -> None:
    """Print an address alone, as a shell puts it into a variable, unless a form is asked for."""
    if output is None and query is None:
        click.echo(endpoint)
    else:
        show({"Endpoint": endpoint}, output, query)


def _shared(connection: Connection) -> str:
    """The address of the listener that all share."""
    _, told = connection.request("GET", "/_iamd/health", b"", {})
    return str(told["metadata"]["default"])
