"""`iamd metadata`: where an instance's metadata is."""

from pathlib import Path

import click

from iamd.cli.connection import data_option, find


@click.command("metadata", help="Print the address of an instance's own metadata.")
@click.argument("instance_id", metavar="INSTANCE-ID")
@data_option
def command(instance_id: str, data: Path | None) -> None:
    """Print the address, for AWS_EC2_METADATA_SERVICE_ENDPOINT."""
    click.echo(find(data).call("GetMetadataEndpoint", {"InstanceId": instance_id})["Endpoint"])
