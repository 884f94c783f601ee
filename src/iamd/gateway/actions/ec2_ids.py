"""ARNs of EC2 by kind and id, and the kind that the beginning of an id tells."""

from typing import Final

from iamd.gateway.actions.asked import Asked

# AWS: the ARNs of these name no account (Service Authorization Reference, list_amazonec2, "Resource types").
_WITHOUT_ACCOUNT: Final = frozenset({"fpga-image", "image", "snapshot"})

# EC2 User Guide, "Resource IDs", and the examples of each resource's page in the API Reference.
KIND_OF_PREFIX: Final = {
    "acl": "network-acl",
    "aki": "image",
    "ami": "image",
    "ari": "image",
    "cagw": "carrier-gateway",
    "cgw": "customer-gateway",
    "cr": "capacity-reservation",
    "crf": "capacity-reservation-fleet",
    "cvpn-endpoint": "client-vpn-endpoint",
    "dopt": "dhcp-options",
    "eice": "instance-connect-endpoint",
    "eigw": "egress-only-internet-gateway",
    "eipalloc": "elastic-ip",
    "eni": "network-interface",
    "fl": "vpc-flow-log",
    "fleet": "fleet",
    "h": "dedicated-host",
    "i": "instance",
    "igw": "internet-gateway",
    "key": "key-pair",
    "lt": "launch-template",
    "nat": "natgateway",
    "pcx": "vpc-peering-connection",
    "pg": "placement-group",
    "pl": "prefix-list",
    "rtb": "route-table",
    "sfr": "spot-fleet-request",
    "sg": "security-group",
    "sgr": "security-group-rule",
    "sir": "spot-instances-request",
    "snap": "snapshot",
    "subnet": "subnet",
    "tgw": "transit-gateway",
    "tgw-attach": "transit-gateway-attachment",
    "tgw-rtb": "transit-gateway-route-table",
    "vgw": "vpn-gateway",
    "vol": "volume",
    "vpc": "vpc",
    "vpce": "vpc-endpoint",
    "vpce-svc": "vpc-endpoint-service",
    "vpn": "vpn-connection",
}


def arn_of(kind: str, identifier: str, asked: Asked) -> str:
    """The ARN of a resource of the caller's account."""
    account = "" if kind in _WITHOUT_ACCOUNT else asked.account
    return f"arn:{asked.partition}:ec2:{asked.region}:{account}:{kind}/{identifier}"


def of_kind(kind: str, asked: Asked) -> str:
    """What stands for a resource of which only the kind is known."""
    return arn_of(kind, "*", asked)


def kind_of(arn: str) -> str:
    """The kind in an ARN of EC2."""
    return arn.rpartition(":")[2].partition("/")[0]
