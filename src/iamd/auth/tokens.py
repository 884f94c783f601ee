"""Session tokens: all that STS says about a session, sealed into the token itself, so that no state is kept."""

import zlib
from enum import StrEnum

import msgspec

from iamd.auth.sealing import Keyring, SealError
from iamd.errors import Common, CommonError

_PURPOSE = "session-token"
_PLAIN, _PACKED = b"\x01", b"\x02"
_WORTH_PACKING = 256
"""A session without policies and tags is shorter: packing it would take longer than sealing it."""
_LONGEST_TOKEN = 64 * 1024
_LARGEST = 256 * 1024
_MEMO_SIZE = 2048
_MEMO_LENGTH = 8 * 1024


class SessionKind(StrEnum):
    """What kind of session temporary credentials stand for."""

    ROLE = "role"
    """AssumeRole, AssumeRoleWithSAML, AssumeRoleWithWebIdentity: `principal_id` is the role's."""
    USER = "user"
    """GetSessionToken: `principal_id` is the user's, or the account's number for the root user."""
    FEDERATED = "federated"
    """GetFederationToken: `principal_id` is that of the user who called it, `session_name` the federated user."""
    ROOT = "root"
    """AssumeRoot: `principal_id` is the number of the account."""
    DELEGATED = "delegated"
    """GetDelegatedAccessToken: `principal_id` is that of the user, role or root user who accepted the request."""


class Session(msgspec.Struct, frozen=True, array_like=True, omit_defaults=True):
    """One session, as its token holds it; times are epoch seconds. New fields go to the end and have defaults.
    Members are known by their place: none is taken out unless tokens that have it are refused for it.

    `name` and `path` are the role's or user's when the session began. `policy` is the inline session policy's text and
    `policy_arns` the managed ones. `source_account` and `assumed_by` say who asked for the session: account and ARN.
    """

    kind: SessionKind
    access_key_id: str
    secret_access_key: str
    account: str
    principal_id: str
    issued: int
    expires: int
    session_name: str = ""
    name: str = ""
    path: str = "/"
    mfa_time: int | None = None
    source_identity: str | None = None
    tags: dict[str, str] = {}
    transitive_tag_keys: tuple[str, ...] = ()
    policy: str | None = None
    policy_arns: tuple[str, ...] = ()
    federated_provider: str | None = None
    assumed_by: str | None = None
    source_account: str | None = None
    federated_claims: dict[str, str | tuple[str, ...]] = {}
    """Condition keys that the identity provider asserted, by lower-case name (`saml:sub`, `...:aud`), or that the
    service says of its own session (`ec2:roledelivery`).
    """
    padding: bytes = b""
    """What makes the token as long as AssumeRole's MinimumSessionTokenSize asks; it says nothing."""
    ancestors: tuple[str, ...] = ()
    """All that the session derives from: access key ids, and the unique ids of users and roles (for a root user the
    account's number)."""

    def __repr__(self) -> str:
        """Name the session without its secret, policy and tags."""
        return f"Session({self.kind}, {self.access_key_id}, {self.account}, {self.principal_id}, {self.session_name!r})"


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Session).decode


def seal(session: Session, keyring: Keyring) -> str:
    """Give the token of a session: text of letters, digits, `-` and `_` that opens only beside its access key id."""
    encoded = _encode(session)
    packed = _packed(encoded) if len(encoded) > _WORTH_PACKING else encoded
    content = _PACKED + packed if len(packed) < len(encoded) else _PLAIN + encoded
    return keyring.seal_text(_PURPOSE, (session.access_key_id,), content)


def _packed(encoded: bytes) -> bytes:
    # A window of 4 KiB: clearing the usual one of 32 KiB takes longer than all the rest of a token.
    deflate = zlib.compressobj(9, zlib.DEFLATED, 12, 4)
    return deflate.compress(encoded) + deflate.flush()


def open(token: str, access_key_id: str, keyring: Keyring) -> Session:
    """Give the session of a token that belongs to this access key id; whether it has expired is for the caller to ask.

    Every token that is not genuine gives the same error, whatever is wrong with it.
    """
    # SECURITY: the memo lives in the keyring and dies with it, so a token under a retired key is refused at once.
    known = keyring.opened_tokens.get((token, access_key_id))
    if isinstance(known, Session):
        return known
    session = _open(token, access_key_id, keyring)
    if len(token) <= _MEMO_LENGTH:
        if len(keyring.opened_tokens) >= _MEMO_SIZE:
            keyring.opened_tokens.clear()
        keyring.opened_tokens[token, access_key_id] = session
    return session


def _open(token: str, access_key_id: str, keyring: Keyring) -> Session:
    try:
        if len(token) > _LONGEST_TOKEN:
            raise SealError
        content = keyring.open_text(_PURPOSE, (access_key_id,), token)
        session = _decode(_unpacked(content))
    except (SealError, zlib.error, msgspec.MsgspecError):
        raise _invalid() from None
    if session.access_key_id != access_key_id:
        raise _invalid()
    return session


def _unpacked(content: bytes) -> bytes:
    if content[:1] == _PLAIN:
        return content[1:]
    if content[:1] != _PACKED:
        raise SealError
    inflate = zlib.decompressobj()
    data = inflate.decompress(content[1:], _LARGEST)
    if not inflate.eof:
        raise SealError
    return data


def _invalid() -> CommonError:
    return CommonError(Common.INVALID_SESSION_TOKEN)
