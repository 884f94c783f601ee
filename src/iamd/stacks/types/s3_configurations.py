"""A bucket's configurations, from CloudFormation's form to S3's.

AWS: CloudFormation Template Reference, AWS::S3::Bucket and its property types; S3 API Reference, the operations' own.
"""

from collections.abc import Mapping
from typing import Any

Given = Mapping[str, Any]


def _renamed(given: Given, **names: str) -> dict[str, Any]:
    """The members by S3's names where those are others."""
    return {names.get(name, name): value for name, value in given.items()}


def encryption(given: Given) -> dict[str, Any]:
    """BucketEncryption."""
    rules = given["ServerSideEncryptionConfiguration"]
    return {
        "Rules": [_renamed(one, ServerSideEncryptionByDefault="ApplyServerSideEncryptionByDefault") for one in rules]
    }


def cors(given: Given) -> dict[str, Any]:
    """CorsConfiguration."""
    names = {"Id": "ID", "ExposedHeaders": "ExposeHeaders", "MaxAge": "MaxAgeSeconds"}
    return {"CORSRules": [_renamed(rule, **names) for rule in given["CorsRules"]]}


def website(given: Given) -> dict[str, Any]:
    """WebsiteConfiguration."""
    found: dict[str, Any] = {}
    if "IndexDocument" in given:
        found["IndexDocument"] = {"Suffix": given["IndexDocument"]}
    if "ErrorDocument" in given:
        found["ErrorDocument"] = {"Key": given["ErrorDocument"]}
    if "RedirectAllRequestsTo" in given:
        found["RedirectAllRequestsTo"] = given["RedirectAllRequestsTo"]
    if "RoutingRules" in given:
        names = {"RedirectRule": "Redirect", "RoutingRuleCondition": "Condition"}
        found["RoutingRules"] = [_renamed(rule, **names) for rule in given["RoutingRules"]]
    return found


def logging(given: Given, bucket: str) -> dict[str, Any]:
    """LoggingConfiguration; a bucket that is not told where logs to itself."""
    enabled = _renamed(given, DestinationBucketName="TargetBucket", LogFilePrefix="TargetPrefix")
    return {"LoggingEnabled": {"TargetBucket": bucket, "TargetPrefix": "", **enabled}}


def notification(given: Given) -> dict[str, Any]:
    """NotificationConfiguration."""
    found: dict[str, Any] = {}
    if given.get("EventBridgeConfiguration") is not None:
        # AWS: EventBridgeEnabled is true unless it is told otherwise, and then there is no such configuration.
        enabled = given["EventBridgeConfiguration"].get("EventBridgeEnabled", True)
        if str(enabled).lower() == "true":
            found["EventBridgeConfiguration"] = {}
    for kind, to, parameter in (
        ("LambdaConfigurations", "Function", "LambdaFunctionConfigurations"),
        ("QueueConfigurations", "Queue", "QueueConfigurations"),
        ("TopicConfigurations", "Topic", "TopicConfigurations"),
    ):
        if given.get(kind):
            found[parameter] = [_notified(one, to) for one in given[kind]]
    return found


def _notified(given: Given, to: str) -> dict[str, Any]:
    arn = {"Function": "LambdaFunctionArn", "Queue": "QueueArn", "Topic": "TopicArn"}[to]
    found: dict[str, Any] = {arn: given[to], "Events": [given["Event"]]}
    if "Filter" in given:
        found["Filter"] = {"Key": {"FilterRules": given["Filter"]["S3Key"]["Rules"]}}
    return found


def lifecycle(given: Given) -> dict[str, Any]:
    """LifecycleConfiguration."""
    return {"Rules": [_rule(rule) for rule in given["Rules"]]}


def _rule(given: Given) -> dict[str, Any]:
    found: dict[str, Any] = {"Status": given["Status"], "Filter": _filter(given)}
    if "Id" in given:
        found["ID"] = given["Id"]
    if "AbortIncompleteMultipartUpload" in given:
        found["AbortIncompleteMultipartUpload"] = given["AbortIncompleteMultipartUpload"]
    names = {
        "ExpirationDate": "Date",
        "ExpirationInDays": "Days",
        "ExpiredObjectDeleteMarker": "ExpiredObjectDeleteMarker",
    }
    expiration = {names[name]: given[name] for name in names if name in given}
    if expiration:
        found["Expiration"] = expiration
    return found | _transitions(given) | _noncurrent(given)


def _filter(given: Given) -> dict[str, Any]:
    """The objects that a rule is for; more than one condition stand in an `And`."""
    sizes = {name: given[name] for name in ("ObjectSizeGreaterThan", "ObjectSizeLessThan") if name in given}
    tags = list(given.get("TagFilters") or ())
    prefix = {"Prefix": given["Prefix"]} if "Prefix" in given else {}
    if len(tags) + len(sizes) + len(prefix) > 1:
        return {"And": prefix | sizes | ({"Tags": tags} if tags else {})}
    if tags:
        return {"Tag": tags[0]}
    return prefix or sizes or {"Prefix": ""}


def _transitions(given: Given) -> dict[str, Any]:
    each = [*([given["Transition"]] if "Transition" in given else []), *(given.get("Transitions") or ())]
    names = {"TransitionDate": "Date", "TransitionInDays": "Days"}
    return {"Transitions": [_renamed(one, **names) for one in each]} if each else {}


def _noncurrent(given: Given) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if "NoncurrentVersionExpirationInDays" in given:
        found["NoncurrentVersionExpiration"] = {"NoncurrentDays": given["NoncurrentVersionExpirationInDays"]}
    if "NoncurrentVersionExpiration" in given:
        found["NoncurrentVersionExpiration"] = given["NoncurrentVersionExpiration"]
    one = given.get("NoncurrentVersionTransition")
    each = [*([one] if one is not None else []), *(given.get("NoncurrentVersionTransitions") or ())]
    if each:
        found["NoncurrentVersionTransitions"] = [_renamed(item, TransitionInDays="NoncurrentDays") for item in each]
    return found
