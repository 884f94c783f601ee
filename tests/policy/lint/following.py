"""Where the path of a finding leads."""

from iamd.policy.lint.finding import Location
from iamd.policy.tree import Into


def follow(value: object, location: Location) -> object:
    """What stands in a JSON value at the end of a location's path."""
    for step in location.path:
        if step.into is Into.KEY:
            assert isinstance(value, dict)
            assert step.name in value
            value = step.name
        else:
            assert isinstance(value, dict if step.into is Into.VALUE else list)
            value = value[step.name]
    return value
