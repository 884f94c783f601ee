"""Which hosts may be reached that somebody else names: public ones, and those that a setting lists."""

import ipaddress
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_network
from urllib.parse import SplitResult, urlsplit

NAT64 = ip_network("64:ff9b::/96")
"""RFC 6052, 2.1: an IPv4 address in its last 32 bits."""
_WIRE_SERVER = IPv4Address("168.63.129.16")
"""Azure's own address within its virtual machines, public as it looks (Azure, "What is IP address 168.63.129.16?")."""
HTTPS_PORT = 443
HTTP_PORT = 80


class Unreachable(Exception):
    """An identity provider that could not be reached, or may not be; the message is for the log and the caller."""


@dataclass(frozen=True, slots=True)
class Address:
    """One place to connect to, its name already looked up."""

    family: int
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Hosts:
    """The hosts that may be reached though their addresses are private: `host:port`, or `host` for all its ports.

    `setting` is the one that lists them.
    """

    listed: frozenset[str] = frozenset()
    setting: str = "federation_hosts"

    def is_listed(self, host: str, port: int) -> bool:
        """Whether the operator lists this host, with this very port or for all its ports."""
        return host in self.listed or f"{host}:{port}" in self.listed

    def check(self, url: str) -> SplitResult:
        """The parts of a URL that may be fetched; Unreachable for one that may not, whatever its host's address."""
        try:
            parts = urlsplit(url)
            port = port_of(parts)
        except ValueError as error:
            raise Unreachable(f"{url} is no URL") from error
        host = parts.hostname
        if not host or parts.username is not None or parts.password is not None or parts.fragment:
            raise Unreachable(f"{url} is no URL of an identity provider")
        listed = self.is_listed(host, port)
        # SECURITY: plain HTTP can be answered by anybody on the way; on loopback there is nobody on the way.
        if parts.scheme != "https" and not (parts.scheme == "http" and listed and _names_loopback(host)):
            raise Unreachable(f"{url} is not fetched over https")
        return parts

    def permits(self, host: str, port: int, address: str) -> bool:
        """Whether an address that a host's name was looked up to may be connected to."""
        found = ipaddress.ip_address(address.partition("%")[0])
        mapped = _inner(found)
        # SECURITY: a provider's URL is chosen by whoever may create one: it must not reach what only this machine
        # reaches, such as metadata services and the host's own ports (FED-05, B37).
        return self.is_listed(host, port) or (mapped.is_global and not mapped.is_multicast and mapped != _WIRE_SERVER)

    def look_up(self, host: str, port: int) -> Sequence[Address]:
        """The addresses of a host that may be connected to; Unreachable when there is none. It blocks."""
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        # UnicodeError: a name of which a part is empty or too long.
        except (OSError, UnicodeError) as error:
            raise Unreachable(f"the name {host} was not found") from error
        addresses = [Address(family, str(place[0]), port) for family, _, _, _, place in found]
        permitted = [address for address in addresses if self.permits(host, port, address.host)]
        if not permitted:
            raise Unreachable(f"{host} is on a private address; list `{host}:{port}` in `{self.setting}` to allow it")
        return permitted


def _inner(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address that an IPv6 one stands for, or the address itself."""
    if isinstance(address, IPv4Address):
        return address
    if address in NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else address)


def port_of(parts: SplitResult) -> int:
    """The port of a URL; ValueError for one that is none."""
    return parts.port or (HTTP_PORT if parts.scheme == "http" else HTTPS_PORT)


def _names_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
