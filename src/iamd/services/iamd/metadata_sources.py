"""Addresses whose programs stand for an instance: the operator registers them, and metadata is told to them as its own.

On EC2 the network tells who asks; here several instances can share one listener, told apart by where requests come
from.
"""

import ipaddress
from datetime import UTC, datetime
from typing import Any

from iamd.call import Call
from iamd.errors import AWSError
from iamd.services.iamd.accounts import check_first_account, nothing
from iamd.services.iamd.equivalents import beside
from iamd.services.registry import operation, reading
from iamd.store.metadata_records import MetadataSource
from iamd.store.records import GLOBAL


class InvalidSource(AWSError):
    """What was given is no address that requests come from."""

    code = "InvalidSource"


class SourceAlreadyExists(AWSError):
    """The address is registered."""

    code = "SourceAlreadyExists"


class NoSuchSource(AWSError):
    """The address is not registered."""

    code = "NoSuchSource"


@operation(on=beside("iam:PassRole", "ec2:AssociateIamInstanceProfile"))
def register_metadata_source(call: Call, *, source_address: str, instance_id: str) -> None:
    """Tell an address the metadata of this instance while it runs, and of no other; others are told nothing of it."""
    check_first_account(call)
    address = _address(source_address)
    if call.view.shared.get(MetadataSource, address) is not None:
        raise SourceAlreadyExists(f"Address {address} is registered already.")
    source = MetadataSource(source_address=address, instance_id=instance_id, registered=call.now)
    call.change.put(GLOBAL, source)


@operation(on=beside("ec2:DisassociateIamInstanceProfile"))
def deregister_metadata_source(call: Call, *, source_address: str) -> None:
    """Treat an address as any other again."""
    check_first_account(call)
    address = _address(source_address)
    source = call.view.shared.get(MetadataSource, address)
    if source is None:
        raise NoSuchSource(f"Address {address} is not registered.")
    call.change.delete(GLOBAL, source)


@reading(on=nothing)
def list_metadata_sources(call: Call) -> dict[str, Any]:
    """List the registered addresses with their instances."""
    check_first_account(call)
    sources = sorted(call.view.shared.all(MetadataSource), key=lambda source: source.source_address)
    return {"Sources": [_shown(source) for source in sources]}


def _shown(source: MetadataSource) -> dict[str, Any]:
    return {
        "SourceAddress": source.source_address,
        "InstanceId": source.instance_id,
        "Registered": datetime.fromtimestamp(source.registered, UTC),
    }


def _address(text: str) -> str:
    """An address as the listener sees it: IPv4 in IPv6 form as IPv4, and one way of writing each."""
    try:
        found = ipaddress.ip_address(text)
    except ValueError as error:
        raise InvalidSource(f"{text} is not an IP address.") from error
    return str(getattr(found, "ipv4_mapped", None) or found)
