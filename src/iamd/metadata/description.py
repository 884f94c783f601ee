"""An instance as EC2's backend describes it (EC2 API Reference, DescribeInstances, DescribeInstanceAttribute)."""

import base64
import binascii
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from iamd.clock import iso
from iamd.metadata.instance import Instance

Told = Mapping[str, Any]


def of(instance: Instance, described: Told | None) -> Instance | None:
    """The instance with what DescribeInstances tells of it; None when it tells nothing of it."""
    for reservation in (described or {}).get("Reservations", ()):
        for item in reservation.get("Instances", ()):
            if item.get("InstanceId") == instance.id:
                return _with(instance, item, reservation.get("ReservationId"))
    return None


def with_user_data(instance: Instance, described: Told | None) -> Instance:
    """The instance with its user data, of which DescribeInstanceAttribute tells in base64."""
    encoded = (described or {}).get("UserData", {}).get("Value")
    try:
        data = base64.b64decode(encoded, validate=True) if encoded else None
    except binascii.Error:
        data = None
    return replace(instance, user_data=data)


def _with(instance: Instance, item: Told, reservation_id: str | None) -> Instance:
    interfaces, launched, index = (
        item.get("NetworkInterfaces") or [{}],
        item.get("LaunchTime"),
        item.get("AmiLaunchIndex"),
    )
    return replace(
        instance,
        zone=item.get("Placement", {}).get("AvailabilityZone"),
        image_id=item.get("ImageId"),
        type=item.get("InstanceType"),
        architecture=item.get("Architecture"),
        private_ip=item.get("PrivateIpAddress"),
        private_dns=item.get("PrivateDnsName"),
        public_ip=item.get("PublicIpAddress"),
        mac=interfaces[0].get("MacAddress"),
        launched=iso(launched) if isinstance(launched, datetime) else None,
        launch_index=str(index) if index is not None else None,
        reservation_id=reservation_id,
        security_groups=tuple(group["GroupName"] for group in item.get("SecurityGroups", ()) if group.get("GroupName")),
        tags={tag.get("Key", ""): tag.get("Value", "") for tag in item.get("Tags", ())},
    )
