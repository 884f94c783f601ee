"""An instance as EC2's backend describes it (EC2 API Reference, DescribeInstances, DescribeInstanceAttribute)."""

import base64
import binascii
from typing import TYPE_CHECKING

from defusedxml import ElementTree
from msgspec.structs import replace

from iamd.metadata.instance import Instance

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element


def of(instance: Instance, described: bytes) -> Instance | None:
    """The instance with what DescribeInstances tells of it; None when it tells nothing of it."""
    for reservation in _children(_root(described), "reservationSet"):
        for item in _children(reservation, "instancesSet"):
            if _text(item, "instanceId") == instance.id:
                return _with(instance, item, _text(reservation, "reservationId"))
    return None


def with_user_data(instance: Instance, described: bytes) -> Instance:
    """The instance with its user data, of which DescribeInstanceAttribute tells in base64."""
    encoded = _text(_root(described), "userData/value")
    try:
        data = base64.b64decode(encoded, validate=True) if encoded else None
    except binascii.Error:
        data = None
    return replace(instance, user_data=data)


def _with(instance: Instance, item: "Element", reservation_id: str | None) -> Instance:
    tags = {_text(tag, "key") or "": _text(tag, "value") or "" for tag in _children(item, "tagSet")}
    groups = [_text(group, "groupName") for group in _children(item, "groupSet")]
    return replace(
        instance,
        zone=_text(item, "placement/availabilityZone"),
        image_id=_text(item, "imageId"),
        type=_text(item, "instanceType"),
        architecture=_text(item, "architecture"),
        private_ip=_text(item, "privateIpAddress"),
        private_dns=_text(item, "privateDnsName"),
        public_ip=_text(item, "ipAddress"),
        mac=_text(item, "networkInterfaceSet/item/macAddress"),
        launched=_text(item, "launchTime"),
        launch_index=_text(item, "amiLaunchIndex"),
        reservation_id=reservation_id,
        security_groups=tuple(name for name in groups if name),
        tags=tags,
    )


def _root(described: bytes) -> "Element":
    """The document without the namespace of its version."""
    root: Element = ElementTree.fromstring(described)
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    return root


def _children(element: "Element", name: str) -> "list[Element]":
    return element.findall(f"{name}/item")


def _text(element: "Element", path: str) -> str | None:
    found = element.find(path)
    return found.text if found is not None and found.text else None
