"""Where the results of Athena's queries go.

AWS: Athena User Guide, "Override client-side settings" (workgroups-settings-override) and "Specify a query result
location" (query-results-specify-location).
"""

import re
from collections.abc import Mapping
from typing import Any, Final

_ALIASES: Final = ("-s3alias", "--ol-s3")
_PLACE: Final = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/?(.*)", re.ASCII | re.DOTALL)


def settings(given: Mapping[str, Any], group: Mapping[str, Any]) -> Mapping[str, Any]:
    """The settings that hold for a query, of its own and those of its workgroup's configuration."""
    of_group: Mapping[str, Any] = group.get("ResultConfiguration") or {}
    if group.get("EnforceWorkGroupConfiguration") and of_group.get("OutputLocation"):
        return of_group
    return given if given.get("OutputLocation") else {**of_group, **given}


def is_managed(group: Mapping[str, Any]) -> bool:
    """Whether Athena itself keeps the results of a workgroup's queries."""
    return bool((group.get("ManagedQueryResultsConfiguration") or {}).get("Enabled"))


def place(location: str) -> tuple[str, str] | None:
    """The bucket and the key of a location; None when it is none, or an access point's alias instead of a bucket."""
    found = _PLACE.fullmatch(location)
    return (found[1], found[2]) if found is not None and not found[1].endswith(_ALIASES) else None
