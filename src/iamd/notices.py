"""Notices: what iamd's own services tell people through a topic of SNS, when what they did is durable."""

import msgspec


class Notice(msgspec.Struct, frozen=True):
    """A message to a topic, from a service that acts for an account."""

    topic_arn: str
    service: str
    account_id: str
    message: str
