"""Requests that name the account whose resources they are about: another's are not reached, nor taken for one's own."""

import pytest
from gateway.two_accounts import OTHER
from running import ACCOUNT

REQUESTS = {
    "glacier": ("ListVaults", {}, "accountId"),
    "quicksight": ("ListDashboards", {}, "AwsAccountId"),
    "lakeformation": ("GetDataLakeSettings", {}, "CatalogId"),
}


@pytest.mark.parametrize("service", REQUESTS)
def test_another_accounts_resources_are_refused(counted, service):
    operation, given, member = REQUESTS[service]
    outcome = counted.call(service, operation, given | {member: OTHER})
    assert (outcome.code, outcome.sent) == ("AccessDeniedException", 0)
    assert OTHER in outcome.message


@pytest.mark.parametrize("service", REQUESTS)
def test_ones_own_are_reached_by_the_accounts_number(counted, service):
    operation, given, member = REQUESTS[service]
    assert counted.call(service, operation, given | {member: ACCOUNT}).sent > 0


def test_what_names_no_account_is_ones_own(counted):
    assert counted.call("glacier", "ListVaults", {"accountId": "-"}).sent > 0
    assert counted.call("lakeformation", "GetDataLakeSettings", {}).sent > 0
