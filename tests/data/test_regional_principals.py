"""Which names a service's principal has in a Region."""

import pytest

from iamd.data.regional_principals import names


@pytest.mark.parametrize(
    ("principal", "region", "found"),
    [
        ("states.amazonaws.com", "us-east-1", ["states.amazonaws.com", "states.us-east-1.amazonaws.com"]),
        ("states.eu-west-1.amazonaws.com", "eu-west-1", ["states.eu-west-1.amazonaws.com", "states.amazonaws.com"]),
        ("states.eu-west-1.amazonaws.com", "us-east-1", ["states.eu-west-1.amazonaws.com"]),
        ("states.amazonaws.com", "", ["states.amazonaws.com"]),
        ("sns.amazonaws.com", "us-east-1", ["sns.amazonaws.com"]),
        ("sns.amazonaws.com", "af-south-1", ["sns.amazonaws.com", "sns.af-south-1.amazonaws.com"]),
        ("lambda.amazonaws.com", "us-east-1", ["lambda.amazonaws.com"]),
        ("delivery.logs.amazonaws.com", "us-east-1", ["delivery.logs.amazonaws.com"]),
    ],
)
def test_a_principal_goes_by_the_name_of_its_own_region(principal, region, found):
    assert list(names(principal, region)) == found
