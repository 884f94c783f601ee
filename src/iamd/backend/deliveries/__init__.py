"""moto's services that would send something to one another hand it over to iamd instead, which decides on it."""

from iamd.backend.deliveries import eventbridge, firehose, logs, notifications, schedules, ses, topics, wildcards


def install() -> None:
    """Have nothing delivered by moto itself."""
    for module in (eventbridge, firehose, logs, notifications, schedules, ses, topics, wildcards):
        module.install()
