"""The services that iamd answers itself, and how long a request to them may be."""

from typing import Final

OWN_SERVICES: Final = frozenset(
    {
        "iam", "sts", "cloudtrail", "cloudformation", "organizations", "sso", "sso-oauth", "identitystore",
        "rolesanywhere", "access-analyzer", "signin", "awsssoportal", "awsssooidc", "iamd",
    }
)  # fmt: skip
"""Signing names of the services that iamd answers itself: never forwarded, never answered by a backend."""

MAX_BODY: Final = 1024 * 1024
"""Longest body, in bytes, of a request to iamd's own services (invariant LIM-01)."""
