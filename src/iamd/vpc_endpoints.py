"""Through which VPC endpoint a request comes: by the address that it is from, its host, its service and its Region.

The settings say from where requests come through an endpoint; what else there is to know of it stands there too, or is
what EC2's API was told through the gateway.
"""

import ipaddress
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from iamd.endpoint_settings import EndpointSettings, Network, is_at
from iamd.errors import Common, CommonError
from iamd.http import HttpRequest
from iamd.store.records import Resource
from iamd.vpc_endpoint import FULL_ACCESS, Held, VpcEndpoint
from iamd.wire import endpoint_services
from iamd.wire.catalog import CATALOG

if TYPE_CHECKING:
    from iamd.gateway.resources import Facts

VPC: Final = "vpc"
SERVICE: Final = "service"
TYPE: Final = "type"
TAG: Final = "name_tag"
STATE: Final = "state"
"""What iamd knows of an endpoint that the API made, beside its policy, by the names of the facts of a resource."""

GATEWAY: Final = "Gateway"
DELETED: Final = "deleted"

FactsOf = Callable[[], "Facts | None"]
"""Gives what is known of EC2's resources; None while their backend is not up, or when there is none."""


def arn_of(region: str, account: str, endpoint_id: str) -> str:
    """The ARN of an endpoint."""
    return f"{_beginning(region, account)}{endpoint_id}"


def _beginning(region: str, account: str) -> str:
    partition = "aws-cn" if region.startswith("cn-") else "aws-us-gov" if region.startswith("us-gov-") else "aws"
    return f"arn:{partition}:ec2:{region}:{account}:vpc-endpoint/"


class Endpoints:
    """The endpoints of the settings."""

    def __init__(self, tables: Mapping[str, EndpointSettings]) -> None:
        self._tables = [_Table(name, table) for name, table in tables.items()]
        # Bounded: anybody may come from anywhere.
        self._at = lru_cache(maxsize=4096)(self._tables_at)

    def _tables_at(self, address: str) -> tuple["_Table", ...]:
        try:
            found = ipaddress.ip_address(address)
        except ValueError:
            return ()
        unmapped = getattr(found, "ipv4_mapped", None) or found
        return tuple(table for table in self._tables if table.has_source(unmapped))

    def of(self, request: HttpRequest, service: str, region: str, facts_of: FactsOf) -> VpcEndpoint | None:
        """The endpoint that a request to a service, as botocore names it, comes through; None when it comes otherwise.

        SECURITY: nothing that a client says makes its request come through an endpoint whose sources it is not among.
        """
        near = self._at(request.source_ip)
        name = endpoint_services.name_of(service) if near else None
        if name is None:
            return None
        host = (request.header(b"host") or "").lower().partition(":")[0]
        at_host = [table for table in near if table.settings.hosts and is_at(host, table.settings.hosts)]
        tables = at_host or [table for table in near if not table.settings.hosts]
        found = [one for table in tables for one in table.endpoints(name, region, facts_of)]
        if not found and at_host:
            # AWS: what is sent to an endpoint reaches its service, which knows no other and no other Region.
            raise CommonError(
                Common.SIGNATURE_MISMATCH, "Credential should be scoped to the service and region of the VPC endpoint. "
            )
        return _joined(found) if found else None

    def by_id(self, endpoint_id: str, label: str, facts_of: FactsOf) -> VpcEndpoint | None:
        """The endpoint of this id where it is one for a service, which hosts or actions name so."""
        names = {endpoint_services.name_of(entry.name) for entry in CATALOG.hosted(label)}
        for name in sorted(name for name in names if name is not None):
            for table in self._tables:
                for one in table.endpoints(name, str(table.settings.region), facts_of):
                    if one.id == endpoint_id:
                        return one
        return None


def _joined(found: list[VpcEndpoint]) -> VpcEndpoint:
    """One of several endpoints that a request may have come through; the policies of all must allow."""
    first = found[0]
    if len(found) == 1:
        return first
    policies = tuple(dict.fromkeys(policy for one in found for policy in one.policies))
    return VpcEndpoint(first.id, first.account, first.vpc, first.region, policies)


class _Table:
    """One table of the settings."""

    def __init__(self, name: str, settings: EndpointSettings) -> None:
        self.settings = settings
        self._name = name
        self._networks: list[Network] = [ipaddress.ip_network(text) for text in settings.sources]

    def has_source(self, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
        """Whether who comes from an address comes through the endpoint."""
        return any(address in network for network in self._networks)

    def endpoints(self, service: str, region: str, facts_of: FactsOf) -> Iterator[VpcEndpoint]:
        """The endpoints of the table for a service in a Region: one, or several that were made with one name."""
        if region != self.settings.region:
            return
        if self.settings.is_made:
            facts = facts_of()
            yield from self._made(service, region, facts) if facts is not None else ()
        elif service in self.settings.services:
            found = self._given(service, region, facts_of)
            if found is not None:
                yield found

    def _given(self, service: str, region: str, facts_of: FactsOf) -> VpcEndpoint | None:
        """The endpoint as the table has it, with the API's policy where the table has none."""
        settings = self.settings
        is_gateway = settings.type == GATEWAY
        policies: tuple[Held, ...] = (Held(settings.policy or FULL_ACCESS, is_gateway),)
        facts = facts_of() if settings.policy is None else None
        known = facts.get(arn_of(region, settings.account, self._name)) if facts is not None else None
        if known is not None:
            if known.facts.get(STATE) == DELETED:
                # Nothing leads through it any more.
                return None
            policies = _policies(known, is_gateway=is_gateway)
        return _endpoint(self._name, settings.account, str(settings.vpc), region, service, policies)

    def _made(self, service: str, region: str, facts: "Facts") -> Iterator[VpcEndpoint]:
        account = self.settings.account
        for record in _made_in(facts, account, region):
            told, own_id = record.facts, record.arn.rpartition("/")[2]
            if self._name not in {own_id, told.get(TAG)} or told.get(SERVICE) != service or VPC not in told:
                continue
            if told.get(STATE) != DELETED:
                policies = _policies(record, is_gateway=told.get(TYPE) == GATEWAY)
                yield _endpoint(own_id, account, told[VPC], region, service, policies)


def _endpoint(
    own_id: str, account: str, vpc: str, region: str, service: str, policies: tuple[Held, ...]
) -> VpcEndpoint:
    if service in endpoint_services.WITHOUT_POLICIES:
        policies = (Held(FULL_ACCESS, is_gateway=False),)
    return VpcEndpoint(own_id, account, vpc, region, policies)


def _policies(record: Resource, *, is_gateway: bool) -> tuple[Held, ...]:
    """The policies that must allow: both while it is not known which is in force."""
    texts = [record.policy, record.pending_policy] if record.has_pending else [record.policy]
    return tuple(dict.fromkeys(Held(text or FULL_ACCESS, is_gateway) for text in texts))


def _made_in(facts: "Facts", account: str, region: str) -> tuple[Resource, ...]:
    """The endpoints that an account has made in a Region, as long as their backend lives; a snapshot remembers them."""
    key = f"VPC endpoints of {account} in {region} at {facts.boot}"
    known = facts.view.cache.get(key)
    if not isinstance(known, tuple):
        beginning = _beginning(region, account)
        known = facts.view.cache[key] = tuple(
            record
            for record in facts.view.shared.find(Resource, "owner", account)
            if record.arn.startswith(beginning) and record.backend_boot == facts.boot
        )
    return known
