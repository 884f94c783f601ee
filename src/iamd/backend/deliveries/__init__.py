"""moto's services that would send something to one another hand it over to iamd instead, which decides on it."""

from iamd.backend.deliveries import (
    eventbridge,
    firehose,
    logs,
    notifications,
    ses,
    table_exports,
    table_imports,
    topics,
    wildcards,
)


def install() -> None:
    """Have nothing delivered by moto itself; what few need is installed when it is first asked for (`dispatch.py`)."""
    for module in (eventbridge, firehose, logs, notifications, ses, table_exports, table_imports, topics, wildcards):
        module.install()
