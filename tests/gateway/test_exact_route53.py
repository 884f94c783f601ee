"""What requests to Route 53 are decided on: zones, health checks and all else by id; records by name, type and change.

AWS: Route 53 Developer Guide, "Using IAM policy conditions for fine-grained access control".
"""

import pytest
from gateway.condition_keys import Caller, Key, check, refused
from gateway.parameters import KEY_ID, REGION, ZONE
from running import allow

HOSTED = f"arn:aws:route53:::hostedzone/{ZONE}"
CHECK = f"arn:aws:route53:::healthcheck/{KEY_ID}"
POLICY = f"arn:aws:route53:::trafficpolicy/{KEY_ID}"
VPC = {"VPCRegion": REGION, "VPCId": "vpc-1"}


def on(resource, *actions):
    return [(f"route53:{action}", resource) for action in actions]


def changes(*names, action="UPSERT", kind="A"):
    """A batch that changes these records."""
    records = [{"Name": name, "Type": kind, "TTL": 60, "ResourceRecords": [{"Value": "192.0.2.1"}]} for name in names]
    batch = [{"Action": action, "ResourceRecordSet": record} for record in records]
    return {"HostedZoneId": ZONE, "ChangeBatch": {"Changes": batch}}


LOOK_AT_VPCS = [("ec2:DescribeVpcs", "*")]
CASES = [
    ("GetHostedZone", {"Id": ZONE}, on(HOSTED, "GetHostedZone")),
    ("GetHostedZone", {"Id": f"/hostedzone/{ZONE}"}, on(HOSTED, "GetHostedZone")),
    ("GetChange", {"Id": "C0123"}, on("arn:aws:route53:::change/C0123", "GetChange")),
    ("GetHealthCheck", {"HealthCheckId": KEY_ID}, on(CHECK, "GetHealthCheck")),
    ("ChangeResourceRecordSets", changes("a.example.com"), on(HOSTED, "ChangeResourceRecordSets")),
    ("ListQueryLoggingConfigs", {}, on("*", "ListQueryLoggingConfigs")),
    ("ListQueryLoggingConfigs", {"HostedZoneId": ZONE}, on(HOSTED, "ListQueryLoggingConfigs")),
    ("CreateHostedZone", {"Name": "example.com", "CallerReference": "1"}, on("*", "CreateHostedZone")),
    (
        "CreateHostedZone",
        {"Name": "example.com", "CallerReference": "1", "VPC": VPC},
        [*on("*", "CreateHostedZone"), *LOOK_AT_VPCS, ("ec2:DescribeRegions", "*")],
    ),
    (
        "AssociateVPCWithHostedZone",
        {"HostedZoneId": ZONE, "VPC": VPC},
        [*on(HOSTED, "AssociateVPCWithHostedZone"), *LOOK_AT_VPCS],
    ),
    (
        "CreateTrafficPolicyInstance",
        {"HostedZoneId": ZONE, "Name": "a", "TTL": 1, "TrafficPolicyId": KEY_ID, "TrafficPolicyVersion": 1},
        [*on(HOSTED, "CreateTrafficPolicyInstance"), *on(POLICY, "CreateTrafficPolicyInstance")],
    ),
    (
        "UpdateTrafficPolicyInstance",
        {"Id": "0123-ab", "TTL": 1, "TrafficPolicyId": KEY_ID, "TrafficPolicyVersion": 1},
        on("arn:aws:route53:::trafficpolicyinstance/0123-ab", "UpdateTrafficPolicyInstance"),
    ),
    ("ListTagsForResource", {"ResourceType": "healthcheck", "ResourceId": KEY_ID}, on(CHECK, "ListTagsForResource")),
    (
        "ListTagsForResources",
        {"ResourceType": "hostedzone", "ResourceIds": [ZONE, "Z2", ZONE]},
        [*on(HOSTED, "ListTagsForResources"), *on("arn:aws:route53:::hostedzone/Z2", "ListTagsForResources")],
    ),
]


@pytest.mark.parametrize(("name", "given", "wanted"), CASES)
def test_each_request_is_decided_on_what_it_touches(counted, name, given, wanted):
    told = counted.call("route53", name, given)
    assert told.asked == wanted
    assert told.sent > 0


@pytest.mark.parametrize("zone", ["Z*", "Z:1", "Z?", "Z 1", "Zé"])
def test_what_is_no_id_is_refused(counted, zone):
    told = counted.call("route53", "GetHostedZone", {"Id": zone})
    assert (told.status, told.code, told.sent) == (400, "InvalidInput", 0)


def test_a_path_within_an_id_is_refused(counted):
    """botocore takes all but an id's end away; a client of another kind need not."""
    given = {"ResourceType": "hostedzone", "ResourceId": "x/../Z1"}
    told = counted.call("route53", "ListTagsForResource", given)
    assert (told.status, told.sent) == (400, 0)
    told = counted.call("route53", "ListTagsForResources", {"ResourceType": "domain", "ResourceIds": [ZONE]})
    assert (told.status, told.code, told.sent) == (400, "InvalidInput", 0)


def test_of_several_zones_each_must_be_allowed(counted):
    caller = Caller.new(counted, "route53-tags")
    caller.may(allow("route53:ListTagsForResources", HOSTED))
    given = {"ResourceType": "hostedzone", "ResourceIds": [ZONE]}
    assert caller.call("route53", "ListTagsForResources", given).sent > 0
    given["ResourceIds"].append("Z2")
    refused(caller.call("route53", "ListTagsForResources", given), "no identity-based policy allows")


CHANGE = ("route53:ChangeResourceRecordSets", "ChangeResourceRecordSets")
RECORDS = "route53:ChangeResourceRecordSetsNormalizedRecordNames"
KEYS = [
    Key(RECORDS, "a.example.com", *CHANGE, changes("A.Example.COM."), changes("b.example.com"), "ForAllValues:StringEquals"),
    Key("route53:ChangeResourceRecordSetsRecordTypes", "TXT", *CHANGE, changes("a", kind="TXT"), changes("a"),
        "ForAllValues:StringEquals"),
    Key("route53:ChangeResourceRecordSetsActions", "UPSERT", *CHANGE, changes("a"), changes("a", action="DELETE"),
        "ForAllValues:StringEquals"),
    Key("route53:VPCs", f"VPCId=vpc-1,VPCRegion={REGION}", "route53:CreateHostedZone", "CreateHostedZone",
        {"Name": "a", "CallerReference": "1", "VPC": VPC},
        {"Name": "a", "CallerReference": "1", "VPC": {**VPC, "VPCId": "vpc-2"}}),
    Key("route53:VPCs", f"VPCId=vpc-1,VPCRegion={REGION}", "route53:ListHostedZonesByVPC", "ListHostedZonesByVPC",
        VPC, {**VPC, "VPCId": "vpc-2"}),
]  # fmt: skip


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_a_key_has_its_value_and_decides(counted, key):
    name = f"route53-{key.name.rpartition(':')[2]}-{key.operation}"
    check(Caller.new(counted, name[:60]), "route53", key)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("*.example.com", r"\052.example.com"),
        (r"\052.example.com.", r"\052.example.com"),
        (r"\101b\056c.example.com", r"ab\056c.example.com"),
        ("a/b.example.com", r"a\057b.example.com"),
        (r"a\9.example.com", r"a\1349.example.com"),
        ("_é.example.com", r"_\303\251.example.com"),
    ],
)
def test_a_records_name_is_written_as_aws_writes_it(counted, name, key):
    told = counted.call("route53", "ChangeResourceRecordSets", changes(name))
    assert told.context("route53:ChangeResourceRecordSets")[RECORDS.lower()] == key


def test_one_record_beside_those_that_are_allowed_stops_the_batch(counted):
    caller = Caller.new(counted, "route53-batch")
    caller.may(allow("route53:*", **{"ForAllValues:StringEquals": {RECORDS: ["a.example.com"]}}))
    assert caller.call("route53", "ChangeResourceRecordSets", changes("a.example.com")).sent > 0
    told = caller.call("route53", "ChangeResourceRecordSets", changes("a.example.com", "b.example.com"))
    assert (told.status, told.code) == (403, "AccessDenied")
    refused(told, "no identity-based policy allows")
