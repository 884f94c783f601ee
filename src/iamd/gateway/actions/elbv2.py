"""Elastic Load Balancing (version 2): forms of its ARNs, and the ARNs of what a request makes."""

from collections.abc import Mapping
from typing import Any, Final

from iamd.gateway.actions import s3
from iamd.gateway.actions.asked import Asked, at, invalid
from iamd.gateway.actions.forms import Form, arn, check, name

_SERVICE: Final = "elasticloadbalancing"
_KIND: Final = {"application": "app", "network": "net", "gateway": "gwy"}
_PART: Final = "[A-Za-z0-9-]{1,64}"
_BALANCER: Final = arn(_SERVICE, rf"loadbalancer/(?:(?:app|net|gwy)/{_PART}/{_PART}|{_PART})")
_LISTENER: Final = arn(_SERVICE, rf"listener/(?:app|net|gwy)/{_PART}/{_PART}/{_PART}")
_RULE: Final = arn(_SERVICE, rf"listener-rule/(?:app|net)/{_PART}/{_PART}/{_PART}/{_PART}")
_TARGETS: Final = arn(_SERVICE, rf"targetgroup/{_PART}/{_PART}")
_STORE: Final = arn(_SERVICE, rf"truststore/{_PART}/{_PART}")
_ANY: Final = arn(_SERVICE, "|".join(form.pattern.pattern for form in (_BALANCER, _LISTENER, _RULE, _TARGETS, _STORE)))
_FORMS: Final[Mapping[str, Form]] = {
    "LoadBalancerArn": _BALANCER,
    "ListenerArn": _LISTENER,
    "RuleArn": _RULE,
    "TargetGroupArn": _TARGETS,
    "TrustStoreArn": _STORE,
    "ResourceArns": _ANY,
    "Name": name(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,30}[A-Za-z0-9])?"),
}
# DescribeListeners and its like take none, as they are decided on `*`; these two name a trust store by another member.
_OF_STORES: Final = frozenset({"GetResourcePolicy"})


def values(asked: Asked) -> Mapping[str, Any]:
    """The kind of a new load balancer, what a listener or rule is made in, and what keys say."""
    check(asked, _FORMS, _refused)
    given, operation = asked.parameters, asked.operation.name
    found: dict[str, Any] = {"subnets": _subnets(given)}
    if operation == "CreateLoadBalancer":
        found["kind"] = _kind(given)
        found["scheme"] = given.get("Scheme") or ("internet-facing" if found["kind"] != "gwy" else None)
    if operation in _OF_STORES:
        check(asked, {"ResourceArn": _STORE}, _refused)
    if operation.startswith("Create"):
        found["create_action"] = operation
    if operation == "SetRulePriorities":
        found["rules"] = _rules(asked)
    if operation == "CreateListener":
        found["in_balancer"] = str(given["LoadBalancerArn"]).replace(":loadbalancer/", ":listener/")
    if operation == "CreateRule":
        found["in_listener"] = str(given["ListenerArn"]).replace(":listener/", ":listener-rule/")
    found |= _bundle(given)
    return {key: value for key, value in found.items() if value not in ([], None)}


def _refused(member: str, value: str) -> Exception:
    if member == "Name":
        return invalid(
            f"The name '{value}' can only contain characters that are alphanumeric characters and hyphens(-), and "
            "cannot begin or end with a hyphen"
        )
    kind = {"LoadBalancerArn": "load balancer", "ListenerArn": "listener", "RuleArn": "listener rule"}.get(member)
    kind = kind or {"TargetGroupArn": "target group", "TrustStoreArn": "trust store"}.get(member, "resource")
    return invalid(f"'{value}' is not a valid {kind} ARN")


def _kind(given: Mapping[str, Any]) -> str:
    kind = given.get("Type") or "application"
    if kind not in _KIND:
        raise invalid(f"'{kind}' is not a type of load balancers")
    return _KIND[kind]


def _subnets(given: Mapping[str, Any]) -> list[str]:
    mapped = [one["SubnetId"] for one in given.get("SubnetMappings") or [] if "SubnetId" in one]
    return [*(given.get("Subnets") or []), *mapped]


def _rules(asked: Asked) -> list[str]:
    rules = [one["RuleArn"] for one in asked.parameters["RulePriorities"]]
    for rule in rules:
        if not _RULE.fits(rule, asked):
            raise _refused("RuleArn", str(rule))
    return rules


def _bundle(given: Mapping[str, Any]) -> dict[str, Any]:
    """The object that a trust store's certificates are read from, with the caller's right to read it.

    SECURITY: it is read for the caller, so that nobody makes a trust store of what they may not read.
    """
    bucket, version = given.get("CaCertificatesBundleS3Bucket"), given.get("CaCertificatesBundleS3ObjectVersion")
    if bucket is None or at(given, "CaCertificatesBundleS3Key") is None:
        return {}
    s3.check_bucket(bucket)
    return {"bundle_bucket": bucket, "versioned_bundle" if version else "plain_bundle": bucket}
