"""moto's services that would send something to one another hand it over to iamd instead, which decides on it."""

from iamd.backend.deliveries import (
    eventbridge,
    firehose,
    logs,
    notifications,
    schedules,
    ses,
    table_exports,
    table_imports,
    topics,
    wildcards,
)

_ALWAYS = (
    eventbridge, firehose, logs, notifications, schedules, ses, table_exports, table_imports, topics, wildcards,
)  # fmt: skip


def install() -> None:
    """Have nothing delivered by moto itself; what few need is installed when it is first asked for (`dispatch.py`)."""
    for module in _ALWAYS:
        module.install()
