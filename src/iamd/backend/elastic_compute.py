"""What is put in place of moto's own for EC2."""

from iamd.backend import dry_runs, volumes, vpc_endpoints


def install() -> None:
    """All of it."""
    for part in (volumes, vpc_endpoints):
        part.install()
    dry_runs.install_ec2()
