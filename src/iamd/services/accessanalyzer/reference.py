"""What the checks of policies ask about AWS, from the data that iamd has."""

from functools import cache

from iamd.data import service_reference
from iamd.data.action_prefixes import action_prefix
from iamd.data.regions import regions
from iamd.policy.lint.reference import Reference
from iamd.wire.catalog import CATALOG


@cache
def aws() -> Reference:
    """AWS's services, their other names, and its regions."""
    return Reference(service_reference, regions(), _names())


def _names() -> dict[str, str]:
    """Action prefixes by the names that endpoints and SDKs have for services, where no action has such a prefix."""
    found: dict[str, str] = {}
    known = service_reference.prefixes()
    for entry in CATALOG.by_name.values():
        prefix = action_prefix(entry.name, entry.signing_name)
        for name in (entry.name, entry.endpoint_prefix, entry.signing_name):
            if prefix is not None and name not in known:
                found[name] = prefix
    return found
