"""The delivery stream that a request to Firehose is for, by its name.

AWS: Amazon Data Firehose Developer Guide, "Controlling access with Amazon Data Firehose".
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from iamd.errors import AWSError
from iamd.gateway.actions.asked import Asked
from iamd.gateway.actions.given_arn import own

_NAME: Final = re.compile(r"[a-zA-Z0-9_.-]{1,64}", re.ASCII)


class InvalidArgument(AWSError):
    """A name that no delivery stream has (Firehose API Reference, CreateDeliveryStream)."""

    code = "InvalidArgumentException"
    status = 400


def values(asked: Asked) -> Mapping[str, Any]:
    """The delivery stream's ARN."""
    name = asked.parameters.get("DeliveryStreamName")
    if name is None:
        return {}
    if not _NAME.fullmatch(name):
        raise InvalidArgument(f"{name} is not the name of a delivery stream.")
    return {"stream": own("firehose", f"deliverystream/{name}", asked)}
