"""What is put in place of moto's own for EC2."""

from iamd.backend import dry_runs, instances, volumes, vpc_endpoints


def install() -> None:
    """All of it."""
    for part in (instances, volumes, vpc_endpoints):
        part.install()
    dry_runs.install_ec2()
