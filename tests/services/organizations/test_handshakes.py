"""Handshakes: who is invited to an organization, what accepting does, and what ends an invitation."""

import json

import pytest
from running import ACCOUNT, Credentials, allow, deny

OTHER = "210987654321"
DAY = 86400


@pytest.fixture
def alone(aws):
    """The administrator of an account in no organization, with an address."""
    made = aws.iamd("CreateAccount", Name="alone", AccountId=OTHER, Email="alone@example.com")
    return Credentials.of(made)


@pytest.fixture
def invited(aws, alone):
    """Organizations as the invited account calls it."""
    return aws.client("organizations", alone)


@pytest.fixture
def invite(organizations, root_id):
    """`invite(target, **parameters)` is the handshake of a new invitation."""

    def send(target=OTHER, **parameters):
        given = {"Type": "EMAIL" if "@" in target else "ACCOUNT", "Id": target}
        return organizations.invite_account_to_organization(Target=given, **parameters)["Handshake"]

    return send


def described(client, handshake):
    return client.describe_handshake(HandshakeId=handshake["Id"])["Handshake"]


def members(organizations):
    return {one["Id"] for one in organizations.list_accounts()["Accounts"]}


def test_an_invitation_is_seen_by_who_sent_it_and_who_has_it(organizations, invited, invite):
    made = invite(Notes="join us")
    organization_id = organizations.describe_organization()["Organization"]["Id"]
    assert made["Id"].startswith("h-")
    assert made["Arn"] == f"arn:aws:organizations::{ACCOUNT}:handshake/{organization_id}/invite/{made['Id']}"
    assert (made["Action"], made["State"]) == ("INVITE", "OPEN")
    assert made["Parties"] == [
        {"Id": organization_id.removeprefix("o-"), "Type": "ORGANIZATION"},
        {"Id": OTHER, "Type": "ACCOUNT"},
    ]
    assert (made["ExpirationTimestamp"] - made["RequestedTimestamp"]).total_seconds() == 15 * DAY
    [sender, target, notes] = made["Resources"]
    assert (sender["Type"], sender["Value"]) == ("ORGANIZATION", organization_id)
    assert {"Type": "ORGANIZATION_FEATURE_SET", "Value": "ALL"} in sender["Resources"]
    assert target == {"Type": "ACCOUNT", "Value": OTHER}
    assert notes == {"Type": "NOTES", "Value": "join us"}
    for client in (organizations, invited):
        assert described(client, made) == made
    assert organizations.list_handshakes_for_organization()["Handshakes"] == [made]
    assert invited.list_handshakes_for_account()["Handshakes"] == [made]
    assert organizations.list_handshakes_for_account()["Handshakes"] == []


def test_an_account_joins_by_accepting(aws, organizations, alone, invited, invite, root_id, policy):
    made = invite(Tags=[{"Key": "team", "Value": "a"}])
    accepted = invited.accept_handshake(HandshakeId=made["Id"])["Handshake"]
    assert accepted == {**made, "State": "ACCEPTED"}
    assert members(organizations) == {ACCOUNT, OTHER}
    account = organizations.describe_account(AccountId=OTHER)["Account"]
    assert (account["JoinedMethod"], account["Status"]) == ("INVITED", "ACTIVE")
    assert organizations.list_parents(ChildId=OTHER)["Parents"] == [{"Id": root_id, "Type": "ROOT"}]
    assert organizations.list_tags_for_resource(ResourceId=OTHER)["Tags"] == [{"Key": "team", "Value": "a"}]
    [attached] = organizations.list_policies_for_target(TargetId=OTHER, Filter="SERVICE_CONTROL_POLICY")["Policies"]
    assert attached["Id"] == "p-FullAWSAccess"
    aws.client("iam", alone).get_role(RoleName="AWSServiceRoleForOrganizations")
    organizations.attach_policy(PolicyId=policy(deny("iam:ListUsers")), TargetId=OTHER)
    with pytest.raises(aws.client("iam", alone).exceptions.ClientError, match="service control policy"):
        aws.client("iam", alone).list_users()
    event = aws.events("AccountJoinedOrganization")[0]
    assert event["serviceEventDetails"]["accountId"] == OTHER
    assert event["serviceEventDetails"]["joinedMethod"] == "INVITED"


def test_an_invited_account_may_leave_again_at_once(organizations, invited, invite):
    invited.accept_handshake(HandshakeId=invite()["Id"])
    invited.leave_organization()
    assert members(organizations) == {ACCOUNT}


def test_an_account_is_invited_by_its_address(organizations, invited, invite):
    made = invite("Alone@example.com")
    assert made["Parties"][1] == {"Id": "Alone@example.com", "Type": "EMAIL"}
    assert made["Resources"][1] == {"Type": "EMAIL", "Value": "Alone@example.com"}
    assert invited.list_handshakes_for_account()["Handshakes"] == [made]
    accepted = invited.accept_handshake(HandshakeId=made["Id"])["Handshake"]
    assert accepted["Parties"][1] == {"Id": OTHER, "Type": "ACCOUNT"}
    assert OTHER in members(organizations)


def test_an_invitation_is_declined_or_cancelled(organizations, invited, invite, refused):
    declined = invite()
    assert invited.decline_handshake(HandshakeId=declined["Id"])["Handshake"] == {**declined, "State": "DECLINED"}
    canceled = invite()
    answer = organizations.cancel_handshake(HandshakeId=canceled["Id"])["Handshake"]
    assert answer == {**canceled, "State": "CANCELED"}
    for handshake in (declined, canceled):
        with refused("InvalidHandshakeTransitionException"):
            invited.accept_handshake(HandshakeId=handshake["Id"])
    with refused("InvalidHandshakeTransitionException"):
        invited.decline_handshake(HandshakeId=canceled["Id"])
    with refused("InvalidHandshakeTransitionException"):
        organizations.cancel_handshake(HandshakeId=declined["Id"])
    with refused("HandshakeAlreadyInStateException", "The handshake is already in the requested state."):
        invited.decline_handshake(HandshakeId=declined["Id"])
    with refused("HandshakeAlreadyInStateException"):
        organizations.cancel_handshake(HandshakeId=canceled["Id"])
    assert members(organizations) == {ACCOUNT}


def test_what_was_accepted_stays_accepted(organizations, invited, invite, refused):
    made = invite()
    invited.accept_handshake(HandshakeId=made["Id"])
    with refused("InvalidHandshakeTransitionException"):
        organizations.cancel_handshake(HandshakeId=made["Id"])
    with refused("InvalidHandshakeTransitionException"):
        invited.decline_handshake(HandshakeId=made["Id"])
    with refused("HandshakeAlreadyInStateException"):
        invited.accept_handshake(HandshakeId=made["Id"])


def test_an_invitation_expires_and_is_forgotten(aws, organizations, invited, invite, refused):
    made = invite()
    aws.advance(15 * DAY)
    assert described(organizations, made)["State"] == "EXPIRED"
    with refused("InvalidHandshakeTransitionException"):
        invited.accept_handshake(HandshakeId=made["Id"])
    second = invite()
    assert len(organizations.list_handshakes_for_organization()["Handshakes"]) == 2
    aws.advance(30 * DAY)
    with refused("HandshakeNotFoundException"):
        described(organizations, made)
    assert [one["Id"] for one in invited.list_handshakes_for_account()["Handshakes"]] == [second["Id"]]
    third = invite()
    assert {one["Id"] for one in organizations.list_handshakes_for_organization()["Handshakes"]} == {
        second["Id"],
        third["Id"],
    }


def test_each_side_does_what_is_its_own(aws, organizations, invited, invite, member, refused):
    made = invite()
    for call in (organizations.accept_handshake, organizations.decline_handshake, invited.cancel_handshake):
        with refused("AccessDeniedException", "You don't have permissions to access this resource."):
            call(HandshakeId=made["Id"])
    inside = member().client("organizations")
    for call in (inside.describe_handshake, inside.cancel_handshake, inside.accept_handshake):
        with refused("AccessDeniedException"):
            call(HandshakeId=made["Id"])
    stranger = aws.client("organizations", Credentials.of(aws.iamd("CreateAccount", Name="stranger")))
    for name in ("describe", "accept", "decline", "cancel"):
        with refused("HandshakeNotFoundException", "You specified a handshake that doesn't exist."):
            getattr(stranger, f"{name}_handshake")(HandshakeId=made["Id"])
    assert described(organizations, made)["State"] == "OPEN"


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ({"Type": "ACCOUNT", "Id": "bad"}, "INVALID_PATTERN"),
        ({"Type": "EMAIL", "Id": "invalid"}, "INVALID_EMAIL_ADDRESS_TARGET"),
        ({"Type": "ORGANIZATION", "Id": OTHER}, "INVALID_PARTY_TYPE_TARGET"),
    ],
)
def test_who_can_not_be_invited(organizations, root_id, refused, target, reason):
    with refused("InvalidInputException", Reason=reason):
        organizations.invite_account_to_organization(Target=target)
    assert organizations.list_handshakes_for_organization()["Handshakes"] == []


def test_nobody_is_invited_twice_or_who_is_there(organizations, invite, member, refused):
    invite()
    with refused(
        "DuplicateHandshakeException",
        "A handshake with the specified type and parameters already exists for the given parties.",
    ):
        organizations.invite_account_to_organization(Target={"Type": "ACCOUNT", "Id": OTHER})
    for account_id in (member().account_id, ACCOUNT):
        with refused("HandshakeConstraintViolationException", Reason="ALREADY_IN_AN_ORGANIZATION"):
            organizations.invite_account_to_organization(Target={"Type": "ACCOUNT", "Id": account_id})


def test_tags_of_an_invitation_are_checked(organizations, invite, refused):
    twice = [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]
    with refused("InvalidInputException", Reason="DUPLICATE_TAG_KEY"):
        invite(Tags=twice)
    many = [{"Key": f"k{number}", "Value": ""} for number in range(51)]
    with refused("ConstraintViolationException", Reason="MAX_TAG_LIMIT_EXCEEDED"):
        organizations.invite_account_to_organization(Target={"Type": "ACCOUNT", "Id": OTHER}, Tags=many)


def test_tagging_an_invited_account_needs_permission(aws, root_id, refused):
    asker = aws.user("asker", allow("organizations:InviteAccountToOrganization"))
    client = aws.client("organizations", asker)
    target = {"Type": "ACCOUNT", "Id": OTHER}
    with refused("AccessDeniedException"):
        client.invite_account_to_organization(Target=target, Tags=[{"Key": "a", "Value": "b"}])
    assert client.invite_account_to_organization(Target=target)["Handshake"]["State"] == "OPEN"


def test_lists_are_filtered_and_paged(organizations, invited, invite, paged, refused):
    invite("a@example.com")
    invite("b@example.com")
    mine = invite()
    organizations.cancel_handshake(HandshakeId=mine["Id"])
    invite()
    for call, count in (
        (organizations.list_handshakes_for_organization, 4),
        (invited.list_handshakes_for_account, 2),
    ):
        assert len(paged(call, "Handshakes")) == count
        assert len(paged(call, "Handshakes", Filter={"ActionType": "INVITE"})) == count
        assert call(Filter={"ActionType": "ENABLE_ALL_FEATURES"})["Handshakes"] == []
        assert call(Filter={"ParentHandshakeId": "h-00000000"})["Handshakes"] == []
        with refused("InvalidInputException", Reason="MAX_LIMIT_EXCEEDED_FILTER"):
            call(Filter={"ActionType": "INVITE", "ParentHandshakeId": "h-00000000"})


def test_a_member_of_another_organization_leaves_it(aws, organizations, alone, invited, invite, refused):
    made = invite()
    invited.create_organization()
    with refused("MasterCannotLeaveOrganizationException"):
        invited.accept_handshake(HandshakeId=made["Id"])
    first = Credentials.of(aws.iamd("CreateAccount", Name="third", AccountId="333333333333"))
    third = aws.client("organizations", first)
    sent = invited.invite_account_to_organization(Target={"Type": "ACCOUNT", "Id": "333333333333"})["Handshake"]
    third.accept_handshake(HandshakeId=sent["Id"])
    assert "333333333333" in members(invited)
    wanted = invite("333333333333")
    third.accept_handshake(HandshakeId=wanted["Id"])
    assert members(invited) == {OTHER}
    assert "333333333333" in members(organizations)
    with refused("HandshakeAlreadyInStateException"):
        third.accept_handshake(HandshakeId=wanted["Id"])


def test_who_may_not_leave_joins_no_other_organization(aws, organizations, invited, invite, refused, policy):
    third = Credentials.of(aws.iamd("CreateAccount", Name="third", AccountId="333333333333"))
    client = aws.client("organizations", third)
    wanted = invite("333333333333")
    invited.create_organization()
    sent = invited.invite_account_to_organization(Target={"Type": "ACCOUNT", "Id": "333333333333"})["Handshake"]
    client.accept_handshake(HandshakeId=sent["Id"])
    content = json.dumps({"Version": "2012-10-17", "Statement": deny("organizations:LeaveOrganization")})
    made = invited.create_policy(Name="stay", Description="", Type="SERVICE_CONTROL_POLICY", Content=content)
    invited.attach_policy(PolicyId=made["Policy"]["PolicySummary"]["Id"], TargetId="333333333333")
    with refused("AccessDeniedException"):
        client.accept_handshake(HandshakeId=wanted["Id"])
    assert "333333333333" in members(invited)
    assert "333333333333" not in members(organizations)


def test_who_administers_a_service_leaves_no_organization(aws, invited, invite, refused):
    third = Credentials.of(aws.iamd("CreateAccount", Name="third", AccountId="333333333333"))
    client = aws.client("organizations", third)
    wanted = invite("333333333333")
    invited.create_organization()
    sent = invited.invite_account_to_organization(Target={"Type": "ACCOUNT", "Id": "333333333333"})["Handshake"]
    client.accept_handshake(HandshakeId=sent["Id"])
    invited.enable_aws_service_access(ServicePrincipal="backup.amazonaws.com")
    invited.register_delegated_administrator(AccountId="333333333333", ServicePrincipal="backup.amazonaws.com")
    with refused("ConstraintViolationException", Reason="CANNOT_REMOVE_DELEGATED_ADMINISTRATOR_FROM_ORG"):
        client.accept_handshake(HandshakeId=wanted["Id"])


def test_a_member_can_not_accept_again(organizations, invited, invite, refused):
    by_address, by_number = invite("alone@example.com"), invite()
    invited.accept_handshake(HandshakeId=by_number["Id"])
    with refused("HandshakeConstraintViolationException", Reason="ALREADY_IN_AN_ORGANIZATION"):
        invited.accept_handshake(HandshakeId=by_address["Id"])
    assert described(organizations, by_address)["State"] == "OPEN"


def test_accepting_needs_the_right_to_make_the_role(aws, alone, invite, refused):
    iam = aws.client("iam", alone)
    iam.create_user(UserName="ann")
    key = Credentials.of(iam.create_access_key(UserName="ann")["AccessKey"])
    document = json.dumps({"Version": "2012-10-17", "Statement": allow("organizations:*")})
    iam.put_user_policy(UserName="ann", PolicyName="p", PolicyDocument=document)
    made = invite()
    with refused("AccessDeniedForDependencyException"):
        aws.client("organizations", key).accept_handshake(HandshakeId=made["Id"])
    with refused("NoSuchEntity"):
        iam.get_role(RoleName="AWSServiceRoleForOrganizations")


def test_a_deleted_organizations_invitations_are_gone(organizations, invited, invite, refused):
    made = invite()
    organizations.delete_organization()
    with refused("HandshakeNotFoundException"):
        invited.accept_handshake(HandshakeId=made["Id"])
    assert invited.list_handshakes_for_account()["Handshakes"] == []


def test_who_is_in_no_organization_invites_nobody(invited, refused):
    for call, parameters in (
        (invited.invite_account_to_organization, {"Target": {"Type": "ACCOUNT", "Id": ACCOUNT}}),
        (invited.list_handshakes_for_organization, {}),
    ):
        with refused("AWSOrganizationsNotInUseException"):
            call(**parameters)
