"""Who sends a raw message of SES: its `From` header, where the header can be read in one way alone.

AWS: SES API Reference, SendRawEmail: Source, SourceArn, FromArn, and the headers that stand for them.
"""

import re
from typing import Any, Final

_END: Final = re.compile(rb"\r?\n\r?\n")
_LINES: Final = re.compile(rb"\r?\n")
_FIELD: Final = re.compile(rb"([!-9;-~]+):[ \t]*(.*)", re.DOTALL)
_CONTROLS: Final = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_LARGEST: Final = 65_536
# What names another sender, or another identity for the sender.
_OTHERS: Final = (b"resent-", b"return-path", b"sender", b"x-ses-")


def sender(data: Any) -> str | None:
    """The one sender of a message; None for a message that may have another one for whoever reads it otherwise."""
    if not isinstance(data, (bytes, bytearray)):
        return None
    head = _END.split(bytes(data[:_LARGEST]), maxsplit=1)
    if len(head) == 1 or _CONTROLS.search(head[0]):
        return None
    fields: list[tuple[bytes, bytes]] = []
    for line in _LINES.split(head[0]):
        match = _FIELD.fullmatch(line)
        if match is not None and b"\r" not in line:
            fields.append((match[1].lower(), match[2]))
        elif fields and line[:1] in {b" ", b"\t"} and b"\r" not in line:
            fields[-1] = (fields[-1][0], fields[-1][1] + line)
        else:
            # SECURITY: what is no field and goes on with none is read in more than one way.
            return None
    return _of(fields)


def _of(fields: list[tuple[bytes, bytes]]) -> str | None:
    if any(name.startswith(_OTHERS) for name, _ in fields):
        return None
    senders = [value for name, value in fields if name == b"from"]
    if len(senders) != 1 or not senders[0].isascii() or b"=?" in senders[0]:
        return None
    return senders[0].strip().decode("ascii")
