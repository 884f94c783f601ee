"""Records of identity providers that an account trusts, and of the issuer by which others trust an account."""

from collections.abc import Mapping
from typing import ClassVar

import msgspec

from iamd.store.records import Index, Record, Tag, fold


class OpenIDConnectProvider(Record, frozen=True, kw_only=True, omit_defaults=True):
    """An OIDC identity provider; the key is its URL without the scheme, as its ARN has it."""

    kind = "oidc-provider"
    url: str
    scheme: str = "https"
    client_ids: tuple[str, ...] = ()
    thumbprints: tuple[str, ...] = ()
    """SHA-1 of certificates in the chain that its server may show, as 40 hexadecimal digits in lower case."""
    created: int
    tags: tuple[Tag, ...] = ()

    @property
    def key(self) -> str:
        return self.url

    @property
    def issuer(self) -> str:
        """The `iss` of its tokens."""
        return f"{self.scheme}://{self.url}"


class SAMLPrivateKey(msgspec.Struct, frozen=True, kw_only=True):
    """A private key that decrypts a SAML provider's assertions."""

    key_id: str
    sealed: bytes
    created: int


class SAMLProvider(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A SAML identity provider; the key is its name. `metadata` is the document as it was given."""

    kind = "saml-provider"
    name: str
    provider_id: str
    metadata: str
    valid_until: int
    created: int
    encryption_mode: str | None = None
    private_keys: tuple[SAMLPrivateKey, ...] = ()
    tags: tuple[Tag, ...] = ()

    indexes: ClassVar[Mapping[str, Index]] = {"name": lambda provider: (fold(provider.name),)}

    @property
    def key(self) -> str:
        return self.name


class OutboundKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key that signs an account's web identity tokens; `public` is its public half as a JWK."""

    key_id: str
    algorithm: str
    sealed: bytes
    public: Mapping[str, str]


class OutboundFederation(Record, frozen=True, kw_only=True, omit_defaults=True):
    """An account's issuer of web identity tokens; the key is its id. Kept under GLOBAL, for anybody asks by that id."""

    kind = "outbound-federation"
    issuer_id: str
    account_id: str
    issuer: str
    enabled: bool
    created: int
    keys: tuple[OutboundKey, ...] = ()

    indexes: ClassVar[Mapping[str, Index]] = {
        "account": lambda issuer: (issuer.account_id,),
        "issuer": lambda issuer: (issuer.issuer,),
    }

    @property
    def key(self) -> str:
        return self.issuer_id
