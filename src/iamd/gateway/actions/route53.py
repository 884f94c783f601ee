"""What a request to Route 53 is for, by its ids; the names, types and changes of records, and VPCs, as its keys.

AWS: Route 53 Developer Guide, "Using IAM policy conditions for fine-grained access control".
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from iamd.authz.target import Target
from iamd.errors import AWSError
from iamd.gateway.actions.asked import Asked

# Route 53 API Reference: ids are letters and digits (zones, sets, changes) or UUIDs (all else).
_ID: Final = re.compile(r"[A-Za-z0-9-]{1,64}", re.ASCII)
# The members that may hold the id of each kind of thing; the first that is given counts, and `Id` is whatever the
# operation is about.
_NAMED_BY: Final = {
    "zone": ("HostedZoneId", "Id"),
    "check": ("HealthCheckId",),
    "collection": ("CollectionId", "Id"),
    "policy": ("TrafficPolicyId", "Id"),
    "delegation_set": ("DelegationSetId", "Id"),
    "id": ("Id",),
}
_TAGGED: Final = frozenset({"healthcheck", "hostedzone"})
_PLAIN: Final = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789-_.")
_CHARACTER: Final = re.compile(rb"\\([0-3][0-7]{2})|(.)", re.DOTALL)


class InvalidInput(AWSError):
    """An id that nothing of Route 53 can have (Route 53 API Reference, "Common Errors" of its operations)."""

    code = "InvalidInput"
    status = 400


def values(asked: Asked) -> Mapping[str, Any]:
    """The ids that the request names things by, and what its keys are."""
    parameters = asked.parameters
    found: dict[str, Any] = {}
    for name, members in _NAMED_BY.items():
        member = next((member for member in members if parameters.get(member)), None)
        if member is not None:
            found[name] = _checked(parameters[member])
    if "ResourceId" in parameters:
        found["tagged"] = _tagged(parameters["ResourceType"], parameters["ResourceId"])
    return found | _of_changes(parameters) | _of_vpc(parameters)


def _checked(value: Any) -> str:
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise InvalidInput(f"{value} is not an id.")
    return value


def _tagged(kind: Any, value: Any) -> str:
    if kind not in _TAGGED:
        raise InvalidInput(f"{kind} is not a type of resource that has tags.")
    return f"{kind}/{_checked(value)}"


def _of_vpc(parameters: Mapping[str, Any]) -> dict[str, Any]:
    vpc = parameters.get("VPC", parameters if "VPCRegion" in parameters else None)
    if vpc is None:
        return {}
    return {"vpcs": f"VPCId={vpc.get('VPCId', '').lower()},VPCRegion={vpc.get('VPCRegion', '').lower()}"}


def _of_changes(parameters: Mapping[str, Any]) -> dict[str, Any]:
    if "ChangeBatch" not in parameters:
        return {}
    changes = parameters["ChangeBatch"]["Changes"]
    return {
        "change_actions": [change["Action"].upper() for change in changes],
        "record_names": [normalized(change["ResourceRecordSet"]["Name"]) for change in changes],
        "record_types": [change["ResourceRecordSet"]["Type"].upper() for change in changes],
    }


def normalized(name: str) -> str:
    r"""A record's name as the key has it: small letters, no dot at its end, all else as `\052`."""
    octets = [(int(code, 8), True) if code else (plain[0], False) for code, plain in _CHARACTER.findall(name.encode())]
    text = "".join(_written(octet, escaped=escaped) for octet, escaped in octets)
    return text.removesuffix(".")


def _written(octet: int, *, escaped: bool) -> str:
    small = ord(chr(octet).lower()) if octet < 128 else octet
    # SECURITY: a dot that is escaped belongs to its label and ends none.
    return chr(small) if small in _PLAIN and not (escaped and small == ord(".")) else f"\\{octet:03o}"


def list_tags_for_resources(asked: Asked) -> list[Target]:
    """Each hosted zone or health check whose tags are listed."""
    kind, named = asked.parameters["ResourceType"], asked.parameters["ResourceIds"]
    return [
        Target(arn=f"arn:{asked.partition}:route53:::{_tagged(kind, one)}", action="route53:ListTagsForResources")
        for one in dict.fromkeys(named)
    ]


COMPUTED: Final[Mapping[str, Callable[[Asked], list[Target]]]] = {"list_tags_for_resources": list_tags_for_resources}
