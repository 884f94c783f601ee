"""What the issuers of web identity tokens publish: their keys."""

from dataclasses import dataclass

from iamd.federation.hosts import Hosts


@dataclass(slots=True)
class Issuers:
    """The issuers that this server has asked."""

    hosts: Hosts
