"""EnableAllFeatures: a billing organization gets all features when every invited account has consented."""

import pytest
from running import ACCOUNT, Credentials

SCP = "SERVICE_CONTROL_POLICY"
DAY = 86400


@pytest.fixture
def billing(organizations):
    """Organizations as the management account of a billing organization calls it."""
    organizations.create_organization(FeatureSet="CONSOLIDATED_BILLING")
    return organizations


@pytest.fixture
def join(aws, billing):
    """`join(number)` is Organizations as an account calls it that was invited, and has accepted."""

    def make(account_id):
        made = Credentials.of(aws.iamd("CreateAccount", Name=account_id, AccountId=account_id))
        client = aws.client("organizations", made)
        sent = billing.invite_account_to_organization(Target={"Type": "ACCOUNT", "Id": account_id})["Handshake"]
        client.accept_handshake(HandshakeId=sent["Id"])
        return client

    return make


def features(client):
    return client.describe_organization()["Organization"]["FeatureSet"]


def asked(client):
    [found] = client.list_handshakes_for_account(Filter={"ActionType": "APPROVE_ALL_FEATURES"})["Handshakes"]
    return found


def state(client, handshake):
    return client.describe_handshake(HandshakeId=handshake["Id"])["Handshake"]["State"]


def test_all_features_are_on_when_all_have_consented_and_it_is_accepted(billing, join, refused):
    first, second = join("222222222222"), join("333333333333")
    whole = billing.enable_all_features()["Handshake"]
    organization_id = billing.describe_organization()["Organization"]["Id"]
    assert (whole["Action"], whole["State"]) == ("ENABLE_ALL_FEATURES", "REQUESTED")
    assert whole["Arn"].endswith(f"handshake/{organization_id}/enable_all_features/{whole['Id']}")
    assert whole["Parties"] == [{"Id": organization_id.removeprefix("o-"), "Type": "ORGANIZATION"}]
    assert (whole["ExpirationTimestamp"] - whole["RequestedTimestamp"]).total_seconds() == 90 * DAY
    part = asked(first)
    assert {"Type": "PARENT_HANDSHAKE", "Value": whole["Id"]} in part["Resources"]
    assert part["Parties"][1] == {"Id": "222222222222", "Type": "ACCOUNT"}
    parts = billing.list_handshakes_for_organization(Filter={"ParentHandshakeId": whole["Id"]})["Handshakes"]
    assert {one["Parties"][1]["Id"] for one in parts} == {"222222222222", "333333333333"}
    assert first.accept_handshake(HandshakeId=part["Id"])["Handshake"]["State"] == "ACCEPTED"
    with refused("InvalidHandshakeTransitionException"):
        billing.accept_handshake(HandshakeId=whole["Id"])
    assert (features(billing), state(billing, whole)) == ("CONSOLIDATED_BILLING", "REQUESTED")
    second.accept_handshake(HandshakeId=asked(second)["Id"])
    assert (features(billing), state(billing, whole)) == ("CONSOLIDATED_BILLING", "OPEN")
    assert billing.accept_handshake(HandshakeId=whole["Id"])["Handshake"]["State"] == "ACCEPTED"
    assert features(billing) == features(first) == "ALL"
    root_id = billing.list_roots()["Roots"][0]["Id"]
    billing.enable_policy_type(RootId=root_id, PolicyType=SCP)
    [attached] = billing.list_policies_for_target(TargetId="222222222222", Filter=SCP)["Policies"]
    assert attached["Id"] == "p-FullAWSAccess"


def test_accounts_that_the_organization_made_are_not_asked(billing):
    billing.create_account(AccountName="made", Email="made@example.com")
    whole = billing.enable_all_features()["Handshake"]
    assert whole["State"] == "OPEN"
    assert billing.list_handshakes_for_organization(Filter={"ParentHandshakeId": whole["Id"]})["Handshakes"] == []
    billing.accept_handshake(HandshakeId=whole["Id"])
    assert features(billing) == "ALL"


def test_who_declines_keeps_the_features_off_and_who_leaves_does_not(billing, join, refused):
    first = join("222222222222")
    whole = billing.enable_all_features()["Handshake"]
    first.decline_handshake(HandshakeId=asked(first)["Id"])
    with refused("InvalidHandshakeTransitionException"):
        billing.accept_handshake(HandshakeId=whole["Id"])
    billing.remove_account_from_organization(AccountId="222222222222")
    billing.accept_handshake(HandshakeId=whole["Id"])
    assert features(billing) == "ALL"


def test_only_one_change_is_under_way_and_nobody_is_invited_meanwhile(billing, join, refused):
    first = join("222222222222")
    whole = billing.enable_all_features()["Handshake"]
    with refused(
        "HandshakeConstraintViolationException", Reason="ORGANIZATION_IS_ALREADY_PENDING_ALL_FEATURES_MIGRATION"
    ):
        billing.enable_all_features()
    with refused("HandshakeConstraintViolationException", Reason="INVITE_DISABLED_DURING_ENABLE_ALL_FEATURES"):
        billing.invite_account_to_organization(Target={"Type": "ACCOUNT", "Id": "999999999999"})
    part = asked(first)
    assert billing.cancel_handshake(HandshakeId=whole["Id"])["Handshake"]["State"] == "CANCELED"
    assert state(first, part) == "CANCELED"
    with refused("InvalidHandshakeTransitionException"):
        first.accept_handshake(HandshakeId=part["Id"])
    assert billing.enable_all_features()["Handshake"]["Id"] != whole["Id"]


def test_a_change_that_is_not_made_in_time_is_off(aws, billing, join, refused):
    first = join("222222222222")
    whole = billing.enable_all_features()["Handshake"]
    aws.advance(90 * DAY)
    with refused("InvalidHandshakeTransitionException"):
        first.accept_handshake(HandshakeId=asked(first)["Id"])
    with refused("InvalidHandshakeTransitionException"):
        billing.accept_handshake(HandshakeId=whole["Id"])
    assert (features(billing), state(billing, whole)) == ("CONSOLIDATED_BILLING", "EXPIRED")
    billing.enable_all_features()


def test_each_consents_for_itself(billing, join, refused):
    first, second = join("222222222222"), join("333333333333")
    whole = billing.enable_all_features()["Handshake"]
    for client in (second, billing):
        with refused("AccessDeniedException"):
            client.accept_handshake(HandshakeId=asked(first)["Id"])
    with refused("AccessDeniedException"):
        first.accept_handshake(HandshakeId=whole["Id"])
    part = asked(first)
    first.leave_organization()
    with refused("AWSOrganizationsNotInUseException"):
        first.accept_handshake(HandshakeId=part["Id"])


def test_an_organization_with_all_features_has_them_already(organizations, member, refused):
    client = member().client("organizations")
    with refused(
        "HandshakeConstraintViolationException",
        "All features are already enabled on this organization.",
        Reason="ORGANIZATION_ALREADY_HAS_ALL_FEATURES",
    ):
        organizations.enable_all_features()
    with refused("AccessDeniedException", "You don't have permissions to access this resource."):
        client.enable_all_features()


def test_who_is_in_no_organization_enables_nothing(organizations, refused):
    with refused("AWSOrganizationsNotInUseException"):
        organizations.enable_all_features()


def test_it_is_an_event(billing, event_of):
    answer = billing.enable_all_features()
    event = event_of(answer)
    assert event["eventName"] == "EnableAllFeatures"
    assert event["recipientAccountId"] == ACCOUNT
    assert event["responseElements"]["handshake"]["id"] == answer["Handshake"]["Id"]
