"""moto's services that would send something to one another hand it over to iamd instead, which decides on it."""

from iamd.backend.deliveries import (
    eventbridge,
    firehose,
    logs,
    notifications,
    query_results,
    rotation,
    ses,
    table_exports,
    table_imports,
    topics,
)


def install() -> None:
    """Have nothing delivered by moto itself."""
    for module in (
        eventbridge,
        firehose,
        logs,
        notifications,
        query_results,
        rotation,
        ses,
        table_exports,
        table_imports,
        topics,
    ):
        module.install()
