"""iamd: the identity and access control plane that AWS users can own."""

__version__ = "0.1.0"
