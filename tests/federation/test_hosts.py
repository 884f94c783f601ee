"""Which addresses may be reached that somebody else names (FED-05, B37)."""

import asyncio

import pytest

from iamd.federation.fetching import fetch
from iamd.federation.hosts import Hosts, Unreachable

LISTED = Hosts(frozenset({"idp.internal:8443", "127.0.0.1"}))


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.8.8",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1",
        "fe80::1%eth0",
        "fd00:ec2::254",
        "ff02::1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::1",
        "2002:a9fe:a9fe::1",
        "168.63.129.16",
        "::ffff:168.63.129.16",
    ],
)
def test_a_private_address_is_reached_when_its_host_is_listed_only(address):
    assert not LISTED.permits("idp.example.com", 443, address)
    assert not LISTED.permits("idp.internal", 443, address)
    assert LISTED.permits("idp.internal", 8443, address)


@pytest.mark.parametrize("name", ["a" * 64 + ".example", "a..example"])
def test_what_is_no_name_is_not_looked_up(name):
    with pytest.raises(Unreachable, match="was not found"):
        LISTED.look_up(name, 443)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "64:ff9b::808:808"])
def test_a_public_address_is_reached(address):
    assert LISTED.permits("idp.example.com", 443, address)


@pytest.mark.parametrize(
    "url",
    [
        "http://idp.example.com",
        "http://idp.internal:8443",
        "ftp://127.0.0.1",
        "file:///etc/passwd",
        "https://",
        "https://user@idp.example.com",
        "https://user:secret@127.0.0.1",
        "https://idp.example.com/#x",
        "https://idp.example.com:99999",
        "//idp.example.com",
    ],
)
def test_a_url_that_is_not_fetched(url):
    with pytest.raises(Unreachable):
        LISTED.check(url)


@pytest.mark.parametrize(
    "url", ["https://idp.example.com/x?y=z", "http://127.0.0.1:9000/x", "https://idp.internal:8443"]
)
def test_a_url_that_is_fetched(url):
    assert LISTED.check(url).geturl() == url


def test_a_host_without_a_permitted_address_is_unreachable():
    with pytest.raises(Unreachable, match="federation_hosts"):
        LISTED.look_up("localhost", 443)
    assert {address.host for address in LISTED.look_up("127.0.0.1", 443)} == {"127.0.0.1"}


@pytest.mark.parametrize("host", ["127.1", "2130706433", "1.2.3", "127.0.0.1", "[::1]", "169.254.169.254"])
def test_what_is_written_as_an_address_is_looked_at_though_nobody_looks_it_up(host):
    """SECURITY: aiohttp connects to whatever looks like an address to it, and asks no resolver."""
    with pytest.raises(Unreachable, match=r"is no address|private address"):
        asyncio.run(fetch(Hosts(frozenset({"localhost"})), f"https://{host}:1/"))
