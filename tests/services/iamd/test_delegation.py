"""What the operator lets partners ask for, and what partners are told."""

import json

import pytest
from running import Credentials, Refusal, allow
from services.iam.delegating import PARTNER, TEMPLATE, Partner

ARN = "arn:aws:iam:::delegation-template/read-reports"
ASKED = {
    "AccountId": PARTNER,
    "RequestorName": "Example Corp",
    "TemplateName": "read-reports",
    "PolicyTemplate": json.dumps(TEMPLATE),
}
OPERATIONS = {
    "RegisterDelegationTemplate": ASKED,
    "ListDelegationTemplates": {},
    "DeregisterDelegationTemplate": {"PolicyTemplateArn": ARN},
}


@pytest.fixture
def account(aws):
    return Credentials.of(aws.iamd("CreateAccount", Name="partner", AccountId=PARTNER))


def refused(aws, operation, code, credentials=None, **parameters):
    with pytest.raises(Refusal) as caught:
        aws.iamd(operation, credentials, **parameters)
    assert caught.value.code == code, caught.value


def test_a_template_is_registered_listed_and_taken_away(aws, account):
    assert aws.iamd("RegisterDelegationTemplate", **ASKED) == {"PolicyTemplateArn": ARN}
    [listed] = aws.iamd("ListDelegationTemplates")["Templates"]
    assert listed == {
        "PolicyTemplateArn": ARN,
        "AccountId": PARTNER,
        "RequestorName": "Example Corp",
        "PolicyTemplate": json.dumps(TEMPLATE),
    }
    with pytest.raises(Refusal, match="TemplateAlreadyExists"):
        aws.iamd("RegisterDelegationTemplate", **ASKED)
    aws.iamd("DeregisterDelegationTemplate", PolicyTemplateArn=ARN)
    assert aws.iamd("ListDelegationTemplates")["Templates"] == []
    with pytest.raises(Refusal, match="NoSuchTemplate"):
        aws.iamd("DeregisterDelegationTemplate", PolicyTemplateArn=ARN)


def test_what_was_asked_for_stays_when_the_template_goes(aws):
    partner = Partner.of(aws)
    request_id = partner.ask()
    aws.iamd("DeregisterDelegationTemplate", PolicyTemplateArn=partner.template_arn)
    assert partner.notification(request_id)["State"] == "UNASSIGNED"
    iam = aws.client("iam")
    iam.associate_delegation_request(DelegationRequestId=request_id)
    assert partner.notification(request_id)["State"] == "ASSIGNED"


@pytest.mark.parametrize(
    "template",
    ["no JSON", "[]", "{}",
     '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Effect":"Allow","Action":"s3:*","Resource":"*"}]}',
     '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"@{abcde}"}]}',
     '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"@{abc}"}]}',
     '{"Version":"2012-10-17","Statement":[{"Effect":"@{effect}","Action":"s3:*","Resource":"*"}]}',
     '{"Version":"2012-10-17","Statement":[{"@If":"@{abcde}","Effect":"Allow","Action":"s3:*","Resource":"*"}]}'],
)  # fmt: skip
def test_what_is_no_template_is_refused(aws, account, template):
    with pytest.raises(Refusal, match="MalformedTemplate"):
        aws.iamd("RegisterDelegationTemplate", **(ASKED | {"PolicyTemplate": template}))
    assert aws.iamd("ListDelegationTemplates")["Templates"] == []


def test_a_partner_is_an_account_of_this_server(aws):
    with pytest.raises(Refusal, match="NoSuchAccount"):
        aws.iamd("RegisterDelegationTemplate", **ASKED)
    assert aws.iamd("ListDelegationTemplates")["Templates"] == []


def test_nobody_but_the_partner_is_told_of_a_request(aws):
    partner = Partner.of(aws)
    request_id = partner.ask()
    aws.client("iam").associate_delegation_request(DelegationRequestId=request_id)
    told = aws.iamd("GetDelegationNotification", partner.credentials, DelegationRequestId=request_id)
    assert told["State"] == "ASSIGNED"
    for credentials in (None, Credentials.of(aws.iamd("CreateAccount", Name="other"))):
        with pytest.raises(Refusal, match="NoSuchRequest"):
            aws.iamd("GetDelegationNotification", credentials, DelegationRequestId=request_id)
    with pytest.raises(Refusal, match="NoSuchRequest"):
        partner.notification("x" * 32)
    nobody = aws.user("nobody")
    with pytest.raises(Refusal, match="is not authorized to perform: iamd:GetDelegationNotification"):
        aws.iamd("GetDelegationNotification", nobody, DelegationRequestId=request_id)
    assert aws.events("GetDelegationNotification")


@pytest.mark.parametrize("operation", OPERATIONS)
def test_templates_are_the_operators(aws, account, operation):
    """Of the operations RegisterDelegationTemplate, ListDelegationTemplates and DeregisterDelegationTemplate."""
    with pytest.raises(Refusal, match=f"is not authorized to perform: iamd:{operation}"):
        aws.iamd(operation, aws.user("nobody"), **OPERATIONS[operation])
    refused(aws, operation, "AccessDeniedException", account, **OPERATIONS[operation])
    if operation == "DeregisterDelegationTemplate":
        aws.iamd("RegisterDelegationTemplate", **ASKED)
    aws.iamd(operation, aws.user("somebody", allow(f"iamd:{operation}")), **OPERATIONS[operation])
    assert {event.get("errorCode") for event in aws.events(operation)} == {None, "AccessDeniedException"}
