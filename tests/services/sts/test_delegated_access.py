"""GetDelegatedAccessToken: what a partner may do with the token of a request that somebody accepted."""

import json

import pytest
from botocore.exceptions import ClientError
from running import ACCOUNT, Credentials, allow, deny
from services.iam.delegating import PARTNER, Partner

TEMPLATE = {
    "Version": "2012-10-17",
    "Statement": {"Effect": "Allow", "Action": ["iam:Get*", "iam:List*", "iam:CreateRole", "sts:*"], "Resource": "*"},
}


@pytest.fixture
def partner(aws):
    return Partner.of(aws, TEMPLATE)


@pytest.fixture
def iam(aws):
    return aws.client("iam")


def ask(partner):
    return {"Permissions": {"PolicyTemplateArn": partner.template_arn}}


def refused(call, code, **parameters):
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    assert caught.value.response["Error"]["Code"] == code, caught.value
    return caught.value.response["Error"]["Message"]


def test_the_access_is_the_approvers_within_the_policy_of_the_request(aws, iam, partner):
    boss = aws.client("iam", aws.user("boss", allow(["iam:*Delegation*", "iam:ListUsers", "iam:DeleteUser"])))
    token = partner.granted(boss, **ask(partner))
    answer = partner.sts.get_delegated_access_token(TradeInToken=token)
    credentials = Credentials.of(answer["Credentials"])
    assert answer["AssumedPrincipal"] == f"arn:aws:iam::{ACCOUNT}:user/boss"
    assert 0 < answer["PackedPolicySize"] <= 100
    own = aws.client("iam", credentials)
    assert {user["UserName"] for user in own.list_users()["Users"]} == {"admin", "boss"}
    # Beyond the approver, and beyond the request.
    refused(own.list_roles, "AccessDenied")
    refused(own.delete_user, "AccessDenied", UserName="boss")
    assert aws.client("sts", credentials).get_caller_identity()["Account"] == ACCOUNT


def test_a_role_that_accepts_is_the_access_too(aws, iam, partner):
    trust = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": trust})
    role = iam.create_role(RoleName="boss", Path="/team/", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    iam.attach_role_policy(RoleName="boss", PolicyArn="arn:aws:iam::aws:policy/IAMFullAccess")
    answer = aws.client("sts").assume_role(RoleArn=role, RoleSessionName="work")
    session = aws.client("iam", Credentials.of(answer["Credentials"]))
    credentials, told = partner.exchange(partner.granted(session, **ask(partner)))
    assert told["AssumedPrincipal"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/boss/work"
    own = aws.client("iam", credentials)
    assert own.get_role(RoleName="boss")["Role"]["Arn"] == role
    refused(own.delete_role, "AccessDenied", RoleName="boss")
    narrow = aws.client("sts").assume_role(
        RoleArn=role, RoleSessionName="narrow", Policy=json.dumps({"Version": "2012-10-17", "Statement": allow("*")})
    )
    session = aws.client("iam", Credentials.of(narrow["Credentials"]))
    request_id = partner.ask(RequestorWorkflowId="second", **ask(partner))
    session.associate_delegation_request(DelegationRequestId=request_id)
    refused(session.accept_delegation_request, "AccessDenied", DelegationRequestId=request_id)


def test_the_approvers_permissions_count_as_they_are_now(aws, iam, partner):
    boss = aws.client("iam", aws.user("boss", allow("iam:*")))
    credentials, _ = partner.exchange(partner.granted(boss, **ask(partner)))
    own = aws.client("iam", credentials)
    own.list_users()
    document = json.dumps({"Version": "2012-10-17", "Statement": deny("iam:ListUsers")})
    iam.put_user_policy(UserName="boss", PolicyName="no", PolicyDocument=document)
    refused(own.list_users, "AccessDenied")


def test_a_resource_policy_that_names_the_approver_lets_nobody_out_of_the_request(aws, iam, partner):
    """A trust policy that names the user, and a request that says nothing of roles."""
    narrow = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "iam:ListUsers", "Resource": "*"}}
    template = aws.iamd(
        "RegisterDelegationTemplate",
        AccountId=PARTNER,
        RequestorName="Example Corp",
        TemplateName="narrow",
        PolicyTemplate=json.dumps(narrow),
    )
    key = aws.user("boss", allow(["iam:*", "sts:*"]))
    trust = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:user/boss"},
        "Action": "sts:AssumeRole",
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": trust})
    role = iam.create_role(RoleName="vault", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    aws.client("sts", key).assume_role(RoleArn=role, RoleSessionName="work")
    asked = {"Permissions": {"PolicyTemplateArn": template["PolicyTemplateArn"]}}
    credentials, _ = partner.exchange(partner.granted(aws.client("iam", key), **asked))
    refused(aws.client("sts", credentials).assume_role, "AccessDenied", RoleArn=role, RoleSessionName="work")
    # Nor what the user may do without any policy, as the owner of another request.
    boss = aws.client("iam", key)
    owned = partner.ask(RequestorWorkflowId="owned", **asked)
    boss.associate_delegation_request(DelegationRequestId=owned)
    own = aws.client("iam", credentials)
    refused(own.update_delegation_request, "AccessDenied", DelegationRequestId=owned)
    refused(own.get_delegation_request, "AccessDenied", DelegationRequestId=owned)


def test_a_delegated_session_begins_no_other_one(aws, partner):
    boss = aws.client("iam", aws.user("boss", allow("*")))
    credentials, _ = partner.exchange(partner.granted(boss, **ask(partner)))
    sts = aws.client("sts", credentials)
    refused(sts.get_session_token, "AccessDenied")
    refused(sts.get_federation_token, "AccessDenied", Name="other")


def test_the_access_ends_when_the_request_says_however_late_it_began(aws, partner):
    boss = aws.client("iam", aws.user("boss", allow("iam:*")))
    token = partner.granted(boss, SessionDuration=1800, **ask(partner))
    aws.advance(1200)
    credentials, answer = partner.exchange(token)
    own = aws.client("iam", credentials)
    own.list_users()
    aws.advance(601)
    refused(own.list_users, "ExpiredToken")
    words = refused(partner.sts.get_delegated_access_token, "ExpiredTradeInTokenException", TradeInToken=token)
    assert words == "The trade-in token has expired."
    assert answer["Credentials"]["Expiration"]


ENDS = {
    "the approver was deleted": lambda aws, iam: delete_boss(iam),
    "the approver was quarantined": lambda aws, iam: aws.iamd("Quarantine", Target=f"arn:aws:iam::{ACCOUNT}:user/boss"),
    "the approver's key was quarantined": lambda aws, iam: aws.iamd(
        "Quarantine", Target=iam.list_access_keys(UserName="boss")["AccessKeyMetadata"][0]["AccessKeyId"]
    ),
}


def delete_boss(iam):
    for key in iam.list_access_keys(UserName="boss")["AccessKeyMetadata"]:
        iam.delete_access_key(UserName="boss", AccessKeyId=key["AccessKeyId"])
    iam.delete_user_policy(UserName="boss", PolicyName="test")
    iam.delete_user(UserName="boss")


@pytest.mark.parametrize("what", ENDS)
def test_the_access_ends_when(aws, iam, partner, what):
    boss = aws.client("iam", aws.user("boss", allow("iam:*")))
    token = partner.granted(boss, **ask(partner))
    credentials, _ = partner.exchange(token)
    own = aws.client("iam", credentials)
    own.list_users()
    ENDS[what](aws, iam)
    refused(own.list_users, "InvalidClientTokenId")
    if "deleted" in what:
        refused(partner.sts.get_delegated_access_token, "AccessDenied", TradeInToken=token)


def test_a_token_is_the_partners_alone(aws, iam, partner):
    boss = aws.client("iam", aws.user("boss", allow("iam:*")))
    token = partner.granted(boss, **ask(partner))
    words = refused(aws.client("sts").get_delegated_access_token, "AccessDenied", TradeInToken=token)
    assert words == "The trade-in token is not valid."
    for wrong in ("x", token[:-1], token + "A", "A" * 2000):
        refused(partner.sts.get_delegated_access_token, "AccessDenied", TradeInToken=wrong)


def test_a_partner_has_no_token_before_it_is_sent(aws, iam, partner):
    request_id = partner.ask(**ask(partner))
    iam.associate_delegation_request(DelegationRequestId=request_id)
    iam.accept_delegation_request(DelegationRequestId=request_id)
    assert "TradeInToken" not in partner.notification(request_id)
    iam.send_delegation_token(DelegationRequestId=request_id)
    assert partner.notification(request_id)["State"] == "FINALIZED"


def test_only_a_partners_user_with_permission_exchanges_a_token(aws, partner):
    boss = aws.client("iam", aws.user("boss", allow("iam:*")))
    token = partner.granted(boss, **ask(partner))
    partner.iam.create_user(UserName="nobody")
    key = Credentials.of(partner.iam.create_access_key(UserName="nobody")["AccessKey"])
    with pytest.raises(ClientError) as caught:
        aws.client("sts", key).get_delegated_access_token(TradeInToken=token)
    assert "is not authorized to perform: sts:GetDelegatedAccessToken" in str(caught.value)
    assert "because no identity-based policy allows the sts:GetDelegatedAccessToken action" in str(caught.value)
    partner.exchange(token)
    found = aws.client("cloudtrail", partner.credentials).lookup_events(
        LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "GetDelegatedAccessToken"}]
    )["Events"]
    events = [json.loads(event["CloudTrailEvent"]) for event in found]
    assert {event.get("errorCode") for event in events} == {None, "AccessDenied"}
    # Asking for what is not there by name would wait for it.
    assert "GetDelegatedAccessToken" not in {event["eventName"] for event in aws.events()}
    assert token not in str(events)
