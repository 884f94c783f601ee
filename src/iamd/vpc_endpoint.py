"""VpcEndpoint: the VPC endpoint that one request came through, as decisions and events need it."""

from typing import Final

import msgspec

FULL_ACCESS: Final = '{"Statement": [{"Action": "*", "Effect": "Allow", "Principal": "*", "Resource": "*"}]}'
"""AWS: the policy of an endpoint that was given none (PrivateLink Guide, "Control access to VPC endpoints using
endpoint policies", "Default endpoint policy").
"""


class Held(msgspec.Struct, frozen=True):
    """One policy that must allow, and whether it is a gateway endpoint's, whose Principal is read otherwise."""

    text: str
    is_gateway: bool


class VpcEndpoint(msgspec.Struct, frozen=True):
    """A VPC endpoint: whose it is, the VPC that it is in, and what must allow each request through it.

    `policies` are several while it is not known which of two is in force.
    """

    id: str
    account: str
    vpc: str
    region: str
    policies: tuple[Held, ...]
