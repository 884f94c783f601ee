"""Records of how people sign in: their sessions in a browser, security keys, and hardware tokens nobody has yet."""

from collections.abc import Mapping
from typing import ClassVar

import msgspec

from iamd.store.records import Index, Record


class ConsoleSession(msgspec.Struct, frozen=True, kw_only=True):
    """One session that began at the sign-in page: its access key id, and when it ends at the latest."""

    access_key_id: str
    began: int
    expires: int


class ConsoleSessions(Record, frozen=True, kw_only=True, omit_defaults=True):
    """The sessions of a person that have not been ended; the key is the user's unique id, or ROOT.

    A session that is not here is over, whatever its cookie says.
    """

    kind = "console-sessions"
    user_id: str
    sessions: tuple[ConsoleSession, ...] = ()

    @property
    def key(self) -> str:
        return self.user_id


class SecurityKey(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A FIDO security key that is somebody's MFA device; the key is its serial number, an ARN.

    It answers to the relying party `rp_id` alone: the host name that it was registered at (WebAuthn Level 3, 5.1.2).
    """

    kind = "security-key"
    serial_number: str
    user_id: str
    enabled: int
    rp_id: str
    credential_id: bytes
    public_key: bytes
    """A COSE_Key (RFC 9052, 7)."""
    sign_count: int
    transports: tuple[str, ...] = ()
    certifications: tuple[tuple[str, str], ...] = ()
    """Of what and at which level the key's model was certified when it was registered."""

    indexes: ClassVar[Mapping[str, Index]] = {"user": lambda key: (key.user_id,)}

    @property
    def key(self) -> str:
        return self.serial_number


class HardwareToken(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A hardware token that the operator has registered, kept under GLOBAL; the key is its serial number.

    `account_id` is set while it is enabled in an account, whose MFADevice says for whom.
    """

    kind = "hardware-token"
    serial_number: str
    sealed_seed: bytes
    registered: int
    account_id: str | None = None

    @property
    def key(self) -> str:
        return self.serial_number
