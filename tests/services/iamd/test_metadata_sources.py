"""Addresses whose programs stand for an instance, as the operator registers them; tests/metadata shows what they get."""

import pytest
from running import Credentials, Refusal, allow

INSTANCE = "i-0123456789abcdef0"
ADDRESS = "10.0.0.7"
OPERATIONS = {
    "RegisterMetadataSource": {"SourceAddress": ADDRESS, "InstanceId": INSTANCE},
    "ListMetadataSources": {},
    "DeregisterMetadataSource": {"SourceAddress": ADDRESS},
}


@pytest.fixture
def source(aws):
    aws.iamd("RegisterMetadataSource", SourceAddress=ADDRESS, InstanceId=INSTANCE)
    return ADDRESS


def listed(aws):
    return [(one["SourceAddress"], one["InstanceId"]) for one in aws.iamd("ListMetadataSources")["Sources"]]


def refused(aws, operation, code, **parameters):
    with pytest.raises(Refusal) as caught:
        aws.iamd(operation, **parameters)
    assert caught.value.code == code


def test_addresses_are_registered_listed_and_removed(aws, source):
    aws.iamd("RegisterMetadataSource", SourceAddress="10.0.0.3", InstanceId="i-00000000000000001")
    assert listed(aws) == [("10.0.0.3", "i-00000000000000001"), (ADDRESS, INSTANCE)]
    aws.iamd("DeregisterMetadataSource", SourceAddress=ADDRESS)
    assert listed(aws) == [("10.0.0.3", "i-00000000000000001")]
    refused(aws, "DeregisterMetadataSource", "NoSuchSource", SourceAddress=ADDRESS)


@pytest.mark.parametrize(
    ("given", "shown"),
    [("::ffff:10.0.0.9", "10.0.0.9"), ("FD00:0::1", "fd00::1"), ("127.0.0.1", "127.0.0.1")],
)
def test_an_address_has_one_way_of_writing(aws, given, shown):
    aws.iamd("RegisterMetadataSource", SourceAddress=given, InstanceId=INSTANCE)
    assert listed(aws) == [(shown, INSTANCE)]
    refused(aws, "RegisterMetadataSource", "SourceAlreadyExists", SourceAddress=shown, InstanceId=INSTANCE)
    aws.iamd("DeregisterMetadataSource", SourceAddress=given)
    assert listed(aws) == []


@pytest.mark.parametrize("address", ["10.0.0", "10.0.0.0/8", "localhost", "10.0.0.1:80"])
def test_what_is_no_address_is_refused(aws, address):
    refused(aws, "RegisterMetadataSource", "InvalidSource", SourceAddress=address, InstanceId=INSTANCE)
    refused(aws, "DeregisterMetadataSource", "InvalidSource", SourceAddress=address)
    assert listed(aws) == []


def test_an_address_stands_for_one_instance(aws, source):
    refused(
        aws, "RegisterMetadataSource", "SourceAlreadyExists", SourceAddress=source, InstanceId="i-00000000000000001"
    )
    refused(aws, "RegisterMetadataSource", "ValidationException", SourceAddress="10.0.0.8", InstanceId="web")
    assert listed(aws) == [(ADDRESS, INSTANCE)]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_addresses_are_the_operators(aws, operation):
    """Of the operations RegisterMetadataSource, ListMetadataSources and DeregisterMetadataSource."""
    with pytest.raises(Refusal, match=f"is not authorized to perform: iamd:{operation}"):
        aws.iamd(operation, aws.user("nobody"), **OPERATIONS[operation])
    tenant = Credentials.of(aws.iamd("CreateAccount", Name="other"))
    with pytest.raises(Refusal, match="Accounts are managed from the account"):
        aws.iamd(operation, tenant, **OPERATIONS[operation])
    if operation == "DeregisterMetadataSource":
        aws.iamd("RegisterMetadataSource", **OPERATIONS["RegisterMetadataSource"])
    aws.iamd(operation, aws.user("somebody", allow(f"iamd:{operation}")), **OPERATIONS[operation])
    events = aws.events(operation)
    assert {event.get("errorCode") for event in events} == {None, "AccessDeniedException"}
