"""What EC2's calls do to what iamd knows of VPC endpoints: where they are, what they are for, and their policy.

AWS: EC2 API Reference, CreateVpcEndpoint, ModifyVpcEndpoint and DeleteVpcEndpoints; PrivateLink Guide, "Control access
to VPC endpoints using endpoint policies".
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from iamd.endpoint_settings import LARGEST_POLICY
from iamd.errors import AWSError
from iamd.gateway import policy_principals
from iamd.gateway.actions.asked import Asked
from iamd.gateway.actions.ec2 import InvalidParameterCombination
from iamd.gateway.effect import Effect, Kind, Learned, Of
from iamd.gateway.resources import Facts
from iamd.policy.document import MalformedPolicy, PolicyType, validate
from iamd.vpc_endpoints import DELETED, GATEWAY, SERVICE, STATE, TAG, TYPE, VPC, arn_of
from iamd.wire import endpoint_services

__all__ = ["EFFECTS", "LARGEST_POLICY", "LEARNED", "RESOURCE_IDS", "InvalidPolicyDocument"]

RESOURCE_IDS: Final = "resourceIds"
"""The ids in an answer, of what could not be deleted."""


class InvalidPolicyDocument(AWSError):
    """A policy that no endpoint can have (EC2 API Reference, "Error codes")."""

    code = "InvalidPolicyDocument"
    status = 400


def _checked(text: str) -> str:
    if len(text) > LARGEST_POLICY:
        raise InvalidPolicyDocument(f"The policy is larger than {LARGEST_POLICY} characters.")
    try:
        validate(text, PolicyType.ENDPOINT)
    except MalformedPolicy as problem:
        raise InvalidPolicyDocument(f"{problem}") from None
    return text


def _make(asked: Asked, _: str, facts: Facts) -> Effect | None:
    """CreateVpcEndpoint: only the answer tells the id, so nothing is noted before; what can't be is refused."""
    text = asked.parameters.get("PolicyDocument")
    if text:
        policy_principals.stored(_checked(str(text)), asked, facts.view)
    return None


def _modify(asked: Asked, arn: str, _: Facts) -> Effect | None:
    text, resets = asked.parameters.get("PolicyDocument"), asked.parameters.get("ResetPolicy")
    if text and resets:
        raise InvalidParameterCombination("The parameters PolicyDocument and ResetPolicy cannot be used together.")
    if resets:
        return Effect(Kind.SET_POLICY, arn, None, has_policy=True)
    return Effect(Kind.SET_POLICY, arn, _checked(str(text)), has_policy=True) if text else None


EFFECTS: Final[Mapping[tuple[str, str], Of]] = {
    ("ec2", "CreateVpcEndpoint"): _make,
    ("ec2", "ModifyVpcEndpoint"): _modify,
}


def _made(asked: Asked, told: Mapping[str, Any]) -> list[Learned]:
    """What making an endpoint tells of it: where it is, what it is for, and the name that it was given."""
    given = asked.parameters
    arn = arn_of(asked.region, asked.account, told["vpcEndpointId"])
    name = _name_tag(given)
    facts = {
        VPC: str(given["VpcId"]),
        SERVICE: endpoint_services.split(str(given["ServiceName"]))[0],
        # AWS: "Default: Gateway" (CreateVpcEndpoint, VpcEndpointType).
        TYPE: str(given.get("VpcEndpointType") or GATEWAY),
        **({TAG: name} if name else {}),
    }
    text = given.get("PolicyDocument")
    return [Learned(arn, facts, str(text) if text else None)]


def _name_tag(given: Mapping[str, Any]) -> str | None:
    for specification in given.get("TagSpecifications") or ():
        for tag in specification.get("Tags") or ():
            if tag.get("Key") == "Name":
                return str(tag.get("Value") or "")
    return None


def _deleted(asked: Asked, told: Mapping[str, Any]) -> list[Learned]:
    """The endpoints that are gone: those that were named, but for what the answer says was not deleted."""
    left = set(told[RESOURCE_IDS])
    gone = [one for one in asked.parameters["VpcEndpointIds"] if one not in left]
    return [Learned(arn_of(asked.region, asked.account, str(one)), {STATE: DELETED}) for one in gone]


LEARNED: Final[Mapping[tuple[str, str], Callable[[Asked, Mapping[str, Any]], list[Learned]]]] = {
    ("ec2", "CreateVpcEndpoint"): _made,
    ("ec2", "DeleteVpcEndpoints"): _deleted,
}
