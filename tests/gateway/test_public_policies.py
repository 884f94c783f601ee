"""Which policies let in the public, by AWS's own list.

AWS: S3 User Guide, "Blocking public access to your Amazon S3 storage", The meaning of "public".
"""

import json

import pytest

from iamd.authz.public_policies import is_public

VPC = "aws:SourceVpc"


def allowing(principal="*", **condition):
    statement = {"Effect": "Allow", "Principal": principal, "Action": "s3:GetObject", "Resource": "*"}
    if condition:
        statement["Condition"] = condition
    return statement


PUBLIC = {
    "everybody": allowing(),
    "every account": allowing({"AWS": "*"}),
    "one and everybody": allowing({"AWS": ["111122223333", "*"]}),
    "federated": allowing({"Federated": "graph.facebook.com"}),
    "a pattern": allowing(StringLike={VPC: "vpc-*"}),
    "one of two is a pattern": allowing(StringLike={VPC: ["vpc-1", "vpc-?"]}),
    "a variable": allowing(StringEquals={"aws:PrincipalArn": "${aws:PrincipalArn}"}),
    "another key": allowing(StringEquals={"aws:Referer": "x"}),
    "a negated operator": allowing(StringNotEquals={VPC: "vpc-1"}),
    "if it is there": allowing(StringEqualsIfExists={VPC: "vpc-1"}),
    "all of none": allowing(**{"ForAllValues:StringEquals": {"aws:PrincipalOrgPaths": "o-1/r-1/ou-1/"}}),
    "no address": allowing(IpAddress={"aws:SourceIp": "0.0.0.0/0"}),
    "half of all addresses": allowing(IpAddress={"aws:SourceIp": ["203.0.113.0/24", "128.0.0.0/1"]}),
    "most of IPv6": allowing(IpAddress={"aws:SourceIp": "2000::/16"}),
    "other addresses": allowing(NotIpAddress={"aws:SourceIp": "203.0.113.0/24"}),
    "all users of roles": allowing(StringLike={"aws:userid": "AROAEXAMPLE:*"}),
    "points of an account": allowing(StringLike={"s3:DataAccessPointArn": "arn:aws:s3:us-east-1:1:accesspoint/*"}),
}
CLOSED = {
    "an account": allowing({"AWS": "111122223333"}),
    "a role": allowing({"AWS": ["arn:aws:iam::111122223333:role/r"]}),
    "a service": allowing({"Service": "cloudtrail.amazonaws.com"}),
    "an organization": allowing(StringEquals={"aws:PrincipalOrgID": "o-1"}),
    "a VPC": allowing(StringEquals={VPC: "vpc-1"}),
    "one VPC among what else holds": allowing(StringEquals={"aws:Referer": "x", VPC: "vpc-1"}),
    "any of some": allowing(**{"ForAnyValue:StringEquals": {"aws:PrincipalOrgPaths": "o-1/r-1/ou-1/"}}),
    "a network": allowing(IpAddress={"aws:SourceIp": "203.0.113.0/24"}),
    "private addresses": allowing(IpAddress={"aws:SourceIp": ["10.0.0.0/8", "192.168.1.0/24", "172.16.0.0/12"]}),
    "a point": allowing(ArnEquals={"s3:DataAccessPointArn": "arn:aws:s3:us-east-1:1:accesspoint/p"}),
    "points' account": allowing(StringEquals={"S3:dataaccesspointaccount": "111122223333"}),
    "a deny": {**allowing(), "Effect": "Deny"},
}


def text(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


@pytest.mark.parametrize("name", PUBLIC)
def test_what_lets_in_the_public(name):
    assert is_public(text(PUBLIC[name]))
    assert is_public(text(*CLOSED.values(), PUBLIC[name]))


@pytest.mark.parametrize("name", CLOSED)
def test_what_lets_in_whom_it_names(name):
    assert not is_public(text(CLOSED[name]))


def test_what_cannot_be_read_is_public():
    assert is_public("{")
