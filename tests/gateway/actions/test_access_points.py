"""What is asked of the bucket behind an access point."""

import pytest

from iamd.auth.identity import ANONYMOUS
from iamd.authz.target import Target
from iamd.errors import CommonError
from iamd.gateway import access_points
from iamd.gateway.actions.asked import Asked
from iamd.gateway.actions.points import Point, Through
from iamd.store.records import Resource
from iamd.wire.models import service

ACCOUNT, OTHER = "123456789012", "111122223333"
POINT = Resource(
    arn=f"arn:aws:s3:us-east-1:{ACCOUNT}:accesspoint/point",
    owner=ACCOUNT,
    created=0,
    facts={"bucket": "files", "bucket_account": ACCOUNT, "network_origin": "Internet", "blocks": "", "name": "x"},
)


def wanted(owner):
    read = service("s3").operation("GetObject")
    asked = Asked(read, {"Bucket": "files"}, ACCOUNT, "us-east-1", through=Through(Point(POINT)))
    behind = Target(arn="arn:aws:s3:::files/key", action="s3:GetObject", account=owner)
    return [one.arn for one in access_points.before([behind], asked, ANONYMOUS)]


def test_a_bucket_of_this_name_that_is_anothers_now_is_not_reached():
    assert wanted(ACCOUNT) == [f"{POINT.arn}/object/key", "arn:aws:s3:::files/key"]
    with pytest.raises(CommonError):
        wanted(OTHER)
