"""What answers in JSON tell of what has been decrypted for them."""

from collections.abc import Mapping
from typing import Any

import msgspec

from iamd.gateway.asking import NotToldError

Told = Mapping[str, Any]


def told_in(body: bytes) -> Told:
    """What an answer tells; NotToldError when it is no object, for what it shows can't be known then."""
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise NotToldError("the answer is no JSON") from error
