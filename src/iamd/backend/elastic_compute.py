"""What is put in place of moto's own for EC2."""

from iamd.backend import volumes, vpc_endpoints


def install() -> None:
    """All of it."""
    for part in (volumes, vpc_endpoints):
        part.install()
