"""What requests to Elastic Load Balancing are decided on: whole ARNs, and what is made in what.

AWS: Elastic Load Balancing User Guide, "Elastic Load Balancing API permissions".
"""

import pytest
from gateway.condition_keys import Caller, Key, check
from gateway.parameters import BALANCER, ELB, LISTENER, RULE, STORE, TARGETS

TAGS = {"Tags": [{"Key": "team", "Value": "blue"}]}
FORWARD = [{"Type": "forward", "TargetGroupArn": TARGETS}]


def on(resource, *actions):
    return [(f"elasticloadbalancing:{action}", resource) for action in actions]


NEW_LISTENER = BALANCER.replace(":loadbalancer/", ":listener/") + "/*"
NEW_RULE = LISTENER.replace(":listener/", ":listener-rule/") + "/*"
BUNDLE = {"Name": "ts", "CaCertificatesBundleS3Bucket": "bkt", "CaCertificatesBundleS3Key": "ca.pem"}
CASES = [
    ("DeleteLoadBalancer", {"LoadBalancerArn": BALANCER}, on(BALANCER, "DeleteLoadBalancer")),
    ("CreateLoadBalancer", {"Name": "lb"}, on(f"{ELB}:loadbalancer/app/lb/*", "CreateLoadBalancer")),
    (
        "CreateLoadBalancer",
        {"Name": "lb", "Type": "network", **TAGS},
        on(f"{ELB}:loadbalancer/net/lb/*", "CreateLoadBalancer", "AddTags"),
    ),
    (
        "CreateListener",
        {"LoadBalancerArn": BALANCER, "DefaultActions": FORWARD, **TAGS},
        [*on(BALANCER, "CreateListener"), *on(NEW_LISTENER, "AddTags")],
    ),
    (
        "CreateRule",
        {"ListenerArn": LISTENER, "Conditions": [], "Priority": 1, "Actions": FORWARD, **TAGS},
        [*on(LISTENER, "CreateRule"), *on(NEW_RULE, "AddTags")],
    ),
    ("CreateTargetGroup", {"Name": "tg"}, on(f"{ELB}:targetgroup/tg/*", "CreateTargetGroup")),
    ("RegisterTargets", {"TargetGroupArn": TARGETS, "Targets": [{"Id": "i-1"}]}, on(TARGETS, "RegisterTargets")),
    ("AddTags", {"ResourceArns": [BALANCER, TARGETS], **TAGS}, [*on(BALANCER, "AddTags"), *on(TARGETS, "AddTags")]),
    ("SetRulePriorities", {"RulePriorities": [{"RuleArn": RULE, "Priority": 1}]}, on(RULE, "SetRulePriorities")),
    ("DescribeListeners", {"LoadBalancerArn": BALANCER}, on("*", "DescribeListeners")),
    ("GetResourcePolicy", {"ResourceArn": STORE}, on(STORE, "GetResourcePolicy")),
    (
        "CreateTrustStore",
        BUNDLE,
        [*on(f"{ELB}:truststore/ts/*", "CreateTrustStore"), ("s3:GetObject", "arn:aws:s3:::bkt/ca.pem")],
    ),
    (
        "CreateTrustStore",
        {**BUNDLE, "CaCertificatesBundleS3ObjectVersion": "v"},
        [*on(f"{ELB}:truststore/ts/*", "CreateTrustStore"), ("s3:GetObjectVersion", "arn:aws:s3:::bkt/ca.pem")],
    ),
]


@pytest.mark.usefixtures("unknown_bucket")
@pytest.mark.parametrize(("name", "given", "wanted"), CASES)
def test_each_request_is_decided_on_what_it_touches(counted, name, given, wanted):
    told = counted.call("elbv2", name, given)
    assert told.asked == wanted
    assert told.sent > 0


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("DeleteLoadBalancer", {"LoadBalancerArn": "lb"}),
        ("DeleteLoadBalancer", {"LoadBalancerArn": f"{ELB}:loadbalancer/app/*/1"}),
        ("DeleteLoadBalancer", {"LoadBalancerArn": BALANCER.replace("us-east-1", "eu-west-1")}),
        ("DeleteLoadBalancer", {"LoadBalancerArn": BALANCER.replace("arn:aws:", "arn:aws-cn:")}),
        ("DeleteTargetGroup", {"TargetGroupArn": BALANCER}),
        ("CreateTargetGroup", {"Name": "a*"}),
        ("SetRulePriorities", {"RulePriorities": [{"RuleArn": LISTENER, "Priority": 1}]}),
    ],
)
def test_what_names_nothing_plainly_is_refused(counted, name, given):
    told = counted.call("elbv2", name, given)
    assert (told.status, told.code, told.sent) == (400, "ValidationError", 0)


MAKE = ("elasticloadbalancing:CreateLoadBalancer", "CreateLoadBalancer")
KEYS = [
    Key("aws:RequestTag/team", "blue", *MAKE, {"Name": "lb", **TAGS}, {"Name": "lb"}),
    Key("elasticloadbalancing:Scheme", "internet-facing", *MAKE, {"Name": "lb"}, {"Name": "lb", "Scheme": "internal"}),
    Key("elasticloadbalancing:Subnet", ["subnet-1", "subnet-2"], *MAKE,
        {"Name": "lb", "Subnets": ["subnet-1"], "SubnetMappings": [{"SubnetId": "subnet-2"}]},
        {"Name": "lb", "Subnets": ["subnet-3"]}, "ForAllValues:StringEquals"),
    Key("elasticloadbalancing:ListenerProtocol", "HTTPS", "elasticloadbalancing:CreateListener", "CreateListener",
        {"LoadBalancerArn": BALANCER, "DefaultActions": FORWARD, "Protocol": "HTTPS"},
        {"LoadBalancerArn": BALANCER, "DefaultActions": FORWARD, "Protocol": "HTTP"}, "ForAnyValue:StringEquals"),
]  # fmt: skip


@pytest.fixture(scope="module")
def caller(counted):
    return Caller.new(counted, "elbv2-keys")


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_a_key_has_its_value_and_decides(caller, key):
    check(caller, "elbv2", key)


def test_tagging_what_is_made_tells_by_which_operation(counted):
    made = counted.call("elbv2", "CreateTargetGroup", {"Name": "tg", **TAGS})
    key = "elasticloadbalancing:createaction"
    assert made.context("elasticloadbalancing:AddTags")[key] == "CreateTargetGroup"
    tagged = counted.call("elbv2", "AddTags", {"ResourceArns": [TARGETS], **TAGS})
    assert key not in tagged.context("elasticloadbalancing:AddTags")
