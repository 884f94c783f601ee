"""A `[vpc_endpoints.<name>]` table of iamd.toml: who comes through a VPC endpoint, and what it lets through."""

import ipaddress
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal

import msgspec
from msgspec.structs import replace

from iamd.arn import REGION
from iamd.wrong_settings import SettingsError, suggestion

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

LARGEST_POLICY: Final = 20_480
"""AWS: characters, white space included (PrivateLink Guide, "Control access to VPC endpoints using endpoint policies").
"""

_ACCOUNT: Final = re.compile(r"[0-9]{12}", re.ASCII)
_ENDPOINT: Final = re.compile(r"vpce-(?:[0-9a-f]{8}|[0-9a-f]{17})", re.ASCII)
_VPC: Final = re.compile(r"vpc-(?:[0-9a-f]{8}|[0-9a-f]{17})", re.ASCII)
_HOST: Final = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,250}[a-z0-9])?", re.ASCII)


class EndpointSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A `[vpc_endpoints.<name>]` table of iamd.toml: who comes through an endpoint, and what it lets through."""

    account: str
    """Account that owns the endpoint."""
    sources: tuple[str, ...]
    """Addresses, or networks as `10.0.1.0/24`, from which requests come through it: the client's own, or what a trusted
    proxy says of the client."""
    hosts: tuple[str, ...] = ()
    """Hosts that such a request must be sent to, as `vpce-...-....s3.us-east-1.vpce.amazonaws.com`, with all that end
    in them; none named means any."""
    vpc: str | None = None
    """VPC that it is in. Without `vpc` and `services` the table is of an endpoint that EC2's CreateVpcEndpoint makes:
    of the one that has the table's name as its id, or had it as its `Name` tag when it was made."""
    services: tuple[str, ...] = ()
    """The services that it is for, as `s3` or `com.amazonaws.us-east-1.s3`."""
    region: str | None = None
    """Region of the endpoint; the default is the setting `region`."""
    type: Literal["Interface", "Gateway"] = "Interface"
    """What kind of endpoint it is; `Gateway` is for `s3` and `dynamodb` alone."""
    policy: str | None = None
    """Its policy, in JSON; the default is what was set by EC2's API, or else one that allows everything."""
    policy_file: str | None = None
    """File of its policy."""

    @property
    def is_made(self) -> bool:
        """Whether the endpoint is one that the API makes, of which the table tells only who comes through it."""
        return self.vpc is None


def checked(tables: Mapping[str, EndpointSettings], region: str) -> dict[str, EndpointSettings]:
    """The tables with their services' names, Regions and policies; SettingsError for what can't be."""
    found = {name: _checked(name, table, region) for name, table in tables.items()}
    _check_together(found)
    return found


def _checked(name: str, table: EndpointSettings, region: str) -> EndpointSettings:
    if not name or not name.isprintable():
        raise SettingsError("a table of `vpc_endpoints` has a name: the endpoint's id, or its `Name` tag")
    if not _ACCOUNT.fullmatch(table.account):
        raise _wrong(name, "account", f"an account number has 12 digits, got `{table.account}`")
    # SECURITY: a host is what the client says; without an address anybody could say it.
    if not table.sources:
        raise _wrong(name, "sources", "at least one address: whoever names a host has shown nothing by that")
    sources = tuple(str(_network(name, text)) for text in table.sources)
    hosts = tuple(text.lower() for text in table.hosts)
    for host in hosts:
        if not _HOST.fullmatch(host):
            raise _wrong(name, "hosts", f"a host without a port, got `{host}`")
    if table.region is not None and not REGION.fullmatch(table.region):
        raise _wrong(name, "region", f"a region as `us-east-1`, got `{table.region}`")
    found = replace(table, sources=sources, hosts=hosts, region=table.region or region)
    return _of_made(name, found) if table.vpc is None and not table.services else _of_table(name, found)


def _network(name: str, text: str) -> Network:
    try:
        found = ipaddress.ip_network(text)
    except ValueError as error:
        raise _wrong(name, "sources", f"an address, or a network as `10.0.1.0/24`, got `{text}`") from error
    if isinstance(found, ipaddress.IPv6Network) and found.subnet_of(_MAPPED):
        # Connections from such addresses are IPv4's.
        raise _wrong(name, "sources", f"an IPv4 address in its own form, got `{text}`")
    return found


_MAPPED: Final = ipaddress.IPv6Network("::ffff:0:0/96")


def _of_made(name: str, table: EndpointSettings) -> EndpointSettings:
    """A table of an endpoint that the API makes, which says what else there is to know."""
    if table.policy is not None or table.policy_file is not None or table.type != "Interface":
        raise SettingsError(
            f"`[vpc_endpoints.{name}]` has no `vpc` and `services`: the policy and the type of an endpoint that "
            "CreateVpcEndpoint makes are set there"
        )
    return table


def _of_table(name: str, table: EndpointSettings) -> EndpointSettings:
    if table.vpc is None or not table.services:
        raise SettingsError(f"give both `vpc` and `services` of `[vpc_endpoints.{name}]`, or neither")
    if not _ENDPOINT.fullmatch(name):
        raise SettingsError(
            f"`[vpc_endpoints.{name}]` has a `vpc`: its name is the endpoint's id, as `vpce-1a2b3c4d5e6f7a8b9`"
        )
    if not _VPC.fullmatch(table.vpc):
        raise _wrong(name, "vpc", f"a VPC's id as `vpc-1a2b3c4d5e6f7a8b9`, got `{table.vpc}`")
    services = tuple(_service(name, table, given) for given in table.services)
    return replace(table, services=services, policy=_policy(name, table), policy_file=None)


def _service(name: str, table: EndpointSettings, given: str) -> str:
    # Imported here: who has no endpoints has no use for the names of all services.
    from iamd.wire import endpoint_services  # noqa: PLC0415

    short, region = endpoint_services.split(given)
    found = endpoint_services.canonical(short)
    if found is None:
        raise _wrong(name, "services", f"no service `{given}`{suggestion(short, sorted(endpoint_services.names()))}")
    if region not in {None, table.region}:
        raise _wrong(name, "services", f"`{given}` is not in the endpoint's region `{table.region}`")
    if table.type == "Gateway" and found not in endpoint_services.GATEWAYS:
        raise _wrong(name, "services", f"gateway endpoints are for `dynamodb` and `s3`, got `{given}`")
    return found


def _policy(name: str, table: EndpointSettings) -> str | None:
    if table.policy is not None and table.policy_file is not None:
        raise SettingsError(f"give `policy` or `policy_file` of `[vpc_endpoints.{name}]`, not both")
    if table.policy is not None:
        return _valid(name, "policy", table.policy)
    if table.policy_file is None:
        return None
    path = Path(table.policy_file).expanduser()
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise _wrong(name, "policy_file", f"cannot read `{path}`: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise _wrong(name, "policy_file", f"`{path}` is not text") from error
    return _valid(name, "policy_file", text)


def _valid(name: str, key: str, text: str) -> str:
    # Imported here: the commands that only read settings need no policies.
    from iamd.policy.document import MalformedPolicy, PolicyType, validate  # noqa: PLC0415

    if len(text) > LARGEST_POLICY:
        raise _wrong(name, key, f"a policy of at most {LARGEST_POLICY} characters")
    try:
        validate(text, PolicyType.ENDPOINT)
    except MalformedPolicy as problem:
        raise _wrong(name, key, f"an endpoint policy: {problem}") from None
    return text


def _check_together(tables: Mapping[str, EndpointSettings]) -> None:
    """SettingsError when it is not plain which of two endpoints a request comes through."""
    named = [(name, table) for name, table in tables.items() if not table.is_made]
    for index, (name, table) in enumerate(named):
        for other_name, other in named[index + 1 :]:
            if table.region == other.region and set(table.services) & set(other.services) and _meet(table, other):
                raise SettingsError(
                    f"requests to `{min(set(table.services) & set(other.services))}` could come through both "
                    f"`{name}` and `{other_name}`: give them other `sources`, or `hosts`"
                )


def _meet(one: EndpointSettings, other: EndpointSettings) -> bool:
    # What is sent to a host of one comes through that, and not through another without hosts.
    if bool(one.hosts) != bool(other.hosts):
        return False
    if one.hosts and not (_any_at(one.hosts, other.hosts) or _any_at(other.hosts, one.hosts)):
        return False
    networks = [ipaddress.ip_network(text) for text in other.sources]
    return any(_overlap(ipaddress.ip_network(text), network) for text in one.sources for network in networks)


def _any_at(some: tuple[str, ...], others: tuple[str, ...]) -> bool:
    return any(is_at(host, others) for host in some)


def is_at(host: str, hosts: tuple[str, ...]) -> bool:
    """Whether a host is one of these, or has one of them at its end."""
    return any(host == one or host.endswith(f".{one}") for one in hosts)


def _overlap(one: Network, other: Network) -> bool:
    return one.version == other.version and one.overlaps(other)


def _wrong(name: str, key: str, words: str) -> SettingsError:
    return SettingsError(f"wrong value for `vpc_endpoints.{name}.{key}`: {words}")
