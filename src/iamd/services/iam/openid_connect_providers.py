"""OIDC identity providers: whose tokens roles may trust, for which audiences."""

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from msgspec.structs import replace

from iamd.call import Call
from iamd.federation import certificates
from iamd.federation.hosts import Unreachable, port_of
from iamd.policy.request import lower
from iamd.services.iam import arns, quotas
from iamd.services.iam.entities import (
    check_openid_connect_provider_arn,
    given_tags,
    moment,
    named_openid_connect_provider,
    openid_connect_provider_arn,
    openid_connect_provider_in,
    shown_tags,
)
from iamd.services.iam.errors import (
    EntityAlreadyExists,
    InvalidInput,
    NoSuchEntity,
    OpenIdIdpCommunicationError,
    ValidationError,
)
from iamd.services.iam.tags import GivenTags, checked_tags
from iamd.services.registry import operation, reading
from iamd.store.federation_records import OpenIDConnectProvider

# AWS: "https://", a host name, and a path if the issuer has one; neither another port nor a query (IAM API Reference,
# CreateOpenIDConnectProvider, Url). Hosts of `federation_hosts` may have a port, and http where they are loopback.
_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?)(?P<port>:[0-9]{1,5})?"
    r"(?:/[\w.~%!$&'()+,;=:@-]*)*",
    re.ASCII,
)
_INVALID_URL = "Invalid Open ID Connect Provider URL"
_HTTPS_PORT = ":443"


def fetched_thumbprints(
    call: Call, *, url: str, thumbprint_list: Sequence[str] | None = None, **_: Any
) -> tuple[str, ...]:
    """The thumbprint of the provider's server, where the request gives none.

    AWS: "If it is not included, IAM will retrieve and use the top intermediate certificate authority (CA) thumbprint"
    (IAM API Reference, CreateOpenIDConnectProvider, ThumbprintList).
    """
    parts = urlsplit(_checked_url(call, url))
    if thumbprint_list or parts.scheme == "http":
        return ()
    try:
        chain = certificates.served_chain(call.issuers.hosts, parts.hostname or "", port_of(parts))
    except Unreachable as error:
        raise OpenIdIdpCommunicationError(f"Unable to connect to the OpenID Connect provider {url}: {error}") from error
    return (certificates.thumbprint(chain[-1]),) if chain else ()


@operation(on=arns.new_openid_connect_provider, prepare=fetched_thumbprints)
def create_open_id_connect_provider(
    call: Call,
    *,
    url: str,
    client_id_list: Sequence[str] = (),
    thumbprint_list: Sequence[str] | None = None,
    tags: GivenTags | None = None,
) -> dict[str, Any]:
    """Create a provider; its tokens are taken for the audiences in `client_id_list`."""
    scheme, _, rest = _checked_url(call, url).partition("://")
    if call.account.get(OpenIDConnectProvider, rest) is not None:
        raise EntityAlreadyExists(f"Provider with url {url} already exists.")
    quotas.check_oidc_providers(call)
    provider = OpenIDConnectProvider(
        url=rest,
        scheme=scheme,
        client_ids=_checked_client_ids(client_id_list),
        thumbprints=_checked_thumbprints(thumbprint_list) if thumbprint_list else call.prepared,
        created=call.now,
        tags=checked_tags(OpenIDConnectProvider, tags),
    )
    call.put(provider)
    return {"OpenIDConnectProviderArn": openid_connect_provider_arn(call.account, provider), **_tags(provider)}


@reading(on=arns.openid_connect_provider)
def get_open_id_connect_provider(call: Call, *, open_id_connect_provider_arn: str) -> dict[str, Any]:
    """Show a provider; AWS shows its URL without the scheme."""
    provider = named_openid_connect_provider(call, open_id_connect_provider_arn)
    return {
        "Url": provider.url,
        "ClientIDList": list(provider.client_ids),
        "ThumbprintList": list(provider.thumbprints),
        "CreateDate": moment(provider.created),
        "Tags": shown_tags(provider.tags),
    }


@reading(on=arns.anything)
def list_open_id_connect_providers(call: Call) -> dict[str, Any]:
    """List the ARNs of the account's providers; AWS's list has no pages."""
    found = sorted(call.account.all(OpenIDConnectProvider), key=lambda provider: provider.url)
    return {
        "OpenIDConnectProviderList": [
            {"Arn": openid_connect_provider_arn(call.account, provider)} for provider in found
        ]
    }


@operation(on=arns.openid_connect_provider)
def update_open_id_connect_provider_thumbprint(
    call: Call, *, open_id_connect_provider_arn: str, thumbprint_list: Sequence[str]
) -> None:
    """Set the thumbprints, one at least, in place of those that a provider has."""
    provider = named_openid_connect_provider(call, open_id_connect_provider_arn)
    # AWS's recorded answer.
    if not thumbprint_list:
        raise InvalidInput("Thumbprint list must contain at least one entry.")
    call.put(replace(provider, thumbprints=_checked_thumbprints(thumbprint_list)))


@operation(on=arns.openid_connect_provider)
def add_client_id_to_open_id_connect_provider(call: Call, *, open_id_connect_provider_arn: str, client_id: str) -> None:
    """Add an audience; one that is there stays (IAM API Reference: the operation is idempotent)."""
    provider = named_openid_connect_provider(call, open_id_connect_provider_arn)
    call.put(replace(provider, client_ids=_checked_client_ids((*provider.client_ids, client_id))))


@operation(on=arns.openid_connect_provider)
def remove_client_id_from_open_id_connect_provider(
    call: Call, *, open_id_connect_provider_arn: str, client_id: str
) -> None:
    """Take an audience away; one that is not there changes nothing (IAM API Reference: it is idempotent)."""
    provider = named_openid_connect_provider(call, open_id_connect_provider_arn)
    call.put(replace(provider, client_ids=tuple(one for one in provider.client_ids if one != client_id)))


@operation(on=arns.openid_connect_provider)
def delete_open_id_connect_provider(call: Call, *, open_id_connect_provider_arn: str) -> None:
    """Delete a provider; roles go on naming it, and nobody can assume them by it.

    AWS: the API Reference has "it does not fail or return an error if you call the operation for a provider that does
    not exist" (DeleteOpenIDConnectProvider); recorded answers (February and September 2026) refuse it in these words.
    """
    check_openid_connect_provider_arn(open_id_connect_provider_arn)
    provider = openid_connect_provider_in(call.account, open_id_connect_provider_arn)
    if provider is None:
        raise NoSuchEntity(f"OpenId connect Provider {open_id_connect_provider_arn} cannot be found.")
    call.delete(provider)


def _checked_url(call: Call, url: str) -> str:
    """The URL as the issuer of tokens will spell it, or AWS's refusal."""
    # AWS's recorded answers (February and September 2026).
    if "?" in url or "#" in url:
        raise InvalidInput("Unknown")
    found = _URL.fullmatch(url)
    if found is None:
        raise ValidationError(_INVALID_URL)
    # SECURITY: an issuer's name begins condition keys: none may read as the keys of AWS (`aws:`, `saml:`, `sts:`).
    is_public = found["scheme"] == "https" and "." in found["host"]
    if is_public and found["port"] is None:
        return url
    try:
        parts = call.issuers.hosts.check(url)
        is_listed = call.issuers.hosts.is_listed(parts.hostname or "", port_of(parts))
    except (Unreachable, ValueError):
        is_listed = False
    if is_listed:
        return url
    # AWS's recorded answer: the port that HTTPS has anyway is left out.
    if is_public and found["port"] == _HTTPS_PORT:
        return url.replace(_HTTPS_PORT, "", 1)
    raise ValidationError(_INVALID_URL)


def _checked_client_ids(given: Sequence[str]) -> tuple[str, ...]:
    client_ids = tuple(dict.fromkeys(given))
    quotas.check("ClientIdsPerOpenIdConnectProvider", len(client_ids), quotas.CLIENT_IDS_PER_PROVIDER)
    return client_ids


def _checked_thumbprints(given: Sequence[str]) -> tuple[str, ...]:
    # AWS: five may be given (IAM API Reference, CreateOpenIDConnectProvider, ThumbprintList), whatever the words say;
    # they are kept as they are given but for case, whether they are hexadecimal or not (recorded answers).
    if len(given) > quotas.THUMBPRINTS_PER_PROVIDER:
        raise InvalidInput(f"Thumbprint list must contain fewer than {quotas.THUMBPRINTS_PER_PROVIDER} entries.")
    return tuple(map(lower, given))


def _tags(provider: OpenIDConnectProvider) -> dict[str, Any]:
    return {"Tags": given_tags(provider.tags)} if provider.tags else {}
