"""Delegation requests: who may do what with one, and where it goes from state to state."""

import json

import pytest
from running import ACCOUNT, Credentials, allow, deny
from services.iam.delegating import PARAMETERS, PARTNER, POLICY, Partner

DAY = 24 * 60 * 60
STATES = {
    "UNASSIGNED": (),
    "ASSIGNED": ("associate_delegation_request",),
    "PENDING_APPROVAL": ("associate_delegation_request", "update_delegation_request"),
    "ACCEPTED": ("associate_delegation_request", "accept_delegation_request"),
    "FINALIZED": ("associate_delegation_request", "accept_delegation_request", "send_delegation_token"),
    "REJECTED": ("associate_delegation_request", "reject_delegation_request"),
}
GOES_FROM = {
    "associate_delegation_request": {"UNASSIGNED"},
    "update_delegation_request": {"ASSIGNED", "PENDING_APPROVAL"},
    "accept_delegation_request": {"ASSIGNED", "PENDING_APPROVAL"},
    "send_delegation_token": {"ACCEPTED"},
    "reject_delegation_request": {"ASSIGNED", "PENDING_APPROVAL", "ACCEPTED"},
}
REQUEST = "delegation-request/{}"


@pytest.fixture
def partner(aws):
    return Partner.of(aws)


def show(iam, request_id):
    return iam.get_delegation_request(DelegationRequestId=request_id)["DelegationRequest"]


def test_a_request_shows_all_that_the_partner_said(iam, partner):
    made = partner.iam.create_delegation_request(
        **partner.parameters(RequestMessage="please", RedirectUrl="https://partner.example/back", OnlySendByOwner=True)
    )
    request_id = made["DelegationRequestId"]
    assert made["ConsoleDeepLink"].endswith(f"/_iamd/delegation-requests/{request_id}")
    shown = show(iam, request_id)
    assert json.loads(shown.pop("PermissionPolicy")) == POLICY
    created, updated, expires = shown.pop("CreateDate"), shown.pop("UpdatedTime"), shown.pop("ExpirationTime")
    assert created == updated
    assert (expires - created).total_seconds() == DAY
    assert shown == {
        "DelegationRequestId": request_id,
        "OwnerAccountId": ACCOUNT,
        "Description": "reads reports",
        "RequestMessage": "please",
        "Permissions": {"PolicyTemplateArn": partner.template_arn, "Parameters": PARAMETERS},
        "RolePermissionRestrictionArns": [],
        "State": "UNASSIGNED",
        "RequestorId": PARTNER,
        "RequestorName": "Example Corp",
        "SessionDuration": 3600,
        "RedirectUrl": "https://partner.example/back",
        "OnlySendByOwner": True,
    }
    assert partner.notification(request_id) == {
        "DelegationRequestId": request_id,
        "NotificationChannel": f"arn:aws:sns:us-east-1:{PARTNER}:delegations",
        "State": "UNASSIGNED",
    }


@pytest.mark.parametrize(
    "changes",
    [
        {"Permissions": {"Parameters": PARAMETERS}},
        {"Permissions": {"PolicyTemplateArn": "arn:aws:iam:::delegation-template/none", "Parameters": PARAMETERS}},
        {"Parameters": []},
        {"Parameters": [*PARAMETERS, {"Name": "other", "Values": ["x"], "Type": "string"}]},
        {"Parameters": [*PARAMETERS, PARAMETERS[0]]},
        {"Parameters": [{**PARAMETERS[0], "Values": ["a", "b"]}, PARAMETERS[1]]},
        {"Parameters": [{**PARAMETERS[0], "Type": "stringList"}, PARAMETERS[1]]},
        {"Parameters": [{"Name": "bucketName", "Values": ["a"]}, PARAMETERS[1]]},
        {"Parameters": [{**PARAMETERS[0], "Values": ["x" * 2048]}, PARAMETERS[1]]},
        {"Parameters": [PARAMETERS[0], {**PARAMETERS[1], "Values": ["no action"]}]},
        {"NotificationChannel": f"arn:aws:sqs:us-east-1:{PARTNER}:queue"},
        {"NotificationChannel": f"arn:aws:sns:us-east-1:{ACCOUNT}:delegations"},
        {"NotificationChannel": "delegations"},
    ],
)
def test_what_the_template_cannot_make_is_refused(partner, refused, changes):
    if "Parameters" in changes:
        changes = {"Permissions": {"PolicyTemplateArn": partner.template_arn, "Parameters": changes["Parameters"]}}
    with refused("InvalidInput"):
        partner.iam.create_delegation_request(**partner.parameters(**changes))


def test_a_value_cannot_be_more_than_a_text(iam, partner):
    evil = 'x/*", "arn:aws:s3:::*'
    values = [{**PARAMETERS[0], "Values": [evil]}, PARAMETERS[1]]
    request_id = partner.ask(Permissions={"PolicyTemplateArn": partner.template_arn, "Parameters": values})
    [first, _] = json.loads(show(iam, request_id)["PermissionPolicy"])["Statement"]
    assert first["Resource"] == f"arn:aws:s3:::{evil}/*"


def test_a_workflow_has_one_request(partner, refused):
    partner.ask()
    with refused("EntityAlreadyExists", "A delegation request with workflow id workflow-1 already exists."):
        partner.iam.create_delegation_request(**partner.parameters())
    partner.ask(RequestorWorkflowId="workflow-2")


def test_a_partner_has_so_many_requests_and_no_more(aws, iam, partner, refused):
    """The quota is iamd's; AWS's is not public."""
    for number in range(100):
        partner.ask(RequestorWorkflowId=f"workflow-{number}")
    with refused("LimitExceeded", "Cannot exceed quota for DelegationRequestsPerAccount: 100"):
        partner.iam.create_delegation_request(**partner.parameters(RequestorWorkflowId="one-more"))
    aws.advance(9 * DAY)
    last = partner.ask(RequestorWorkflowId="one-more")
    assert show(iam, last)["State"] == "UNASSIGNED"


def test_an_account_that_is_no_partner_asks_for_nothing(iam, partner, refused):
    with refused("AccessDenied", "Account is not onboarded to create delegation requests."):
        iam.create_delegation_request(**partner.parameters())


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("step", GOES_FROM)
def test_a_request_goes_only_where_it_can(iam, partner, refused, state, step):
    """IAM User Guide, "Understanding the Request Lifecycle"."""
    request_id = partner.ask()
    for before in STATES[state]:
        getattr(iam, before)(DelegationRequestId=request_id)
    assert show(iam, request_id)["State"] == state
    if state in GOES_FROM[step]:
        getattr(iam, step)(DelegationRequestId=request_id)
        return
    with refused("InvalidInput"):
        getattr(iam, step)(DelegationRequestId=request_id)
    assert show(iam, request_id)["State"] == state


@pytest.mark.parametrize(("state", "days"), [("UNASSIGNED", 1), ("ASSIGNED", 7), ("ACCEPTED", 7), ("REJECTED", 7)])
def test_a_request_expires_in_every_state(aws, iam, partner, refused, state, days):
    request_id = partner.ask()
    for before in STATES[state]:
        getattr(iam, before)(DelegationRequestId=request_id)
    aws.advance(days * DAY - 60)
    assert show(iam, request_id)["State"] == state
    aws.advance(60)
    assert show(iam, request_id)["State"] == "EXPIRED"
    for step in GOES_FROM:
        with refused("InvalidInput"):
            getattr(iam, step)(DelegationRequestId=request_id)


def test_the_steps_of_a_request_refuse_what_they_cannot_do(iam, partner, refused):
    """InvalidInput and NoSuchEntity of each step by its own name, and nothing is changed."""
    request_id = partner.ask()
    nobody = "x" * 32
    with refused("NoSuchEntity", f"Delegation request {nobody} cannot be found."):
        iam.associate_delegation_request(DelegationRequestId=nobody)
    with refused("NoSuchEntity"):
        iam.accept_delegation_request(DelegationRequestId=nobody)
    with refused("NoSuchEntity"):
        iam.update_delegation_request(DelegationRequestId=nobody)
    with refused("NoSuchEntity"):
        iam.reject_delegation_request(DelegationRequestId=nobody)
    with refused("NoSuchEntity"):
        iam.send_delegation_token(DelegationRequestId=nobody)
    with refused("NoSuchEntity"):
        iam.get_delegation_request(DelegationRequestId=nobody)
    with refused("InvalidInput"):
        iam.update_delegation_request(DelegationRequestId=request_id)
    with refused("InvalidInput"):
        iam.reject_delegation_request(DelegationRequestId=request_id)
    with refused("InvalidInput"):
        iam.send_delegation_token(DelegationRequestId=request_id)
    iam.associate_delegation_request(DelegationRequestId=request_id)
    with refused("InvalidInput"):
        iam.associate_delegation_request(DelegationRequestId=request_id)
    assert show(iam, request_id)["State"] == "ASSIGNED"


def test_who_associates_a_request_owns_it(aws, iam, partner):
    request_id = partner.ask(OwnerAccountId=None)
    assert "OwnerAccountId" not in show(iam, request_id)
    iam.associate_delegation_request(DelegationRequestId=request_id)
    shown = show(iam, request_id)
    assert (shown["OwnerAccountId"], shown["OwnerId"]) == (ACCOUNT, f"arn:aws:iam::{ACCOUNT}:user/admin")
    assert [one["DelegationRequestId"] for one in iam.list_delegation_requests()["DelegationRequests"]] == [request_id]


def test_notes_go_with_the_request(iam, partner):
    request_id = partner.ask()
    iam.associate_delegation_request(DelegationRequestId=request_id)
    iam.update_delegation_request(DelegationRequestId=request_id, Notes="please look at this")
    shown = show(iam, request_id)
    assert (shown["State"], shown["Notes"]) == ("PENDING_APPROVAL", "please look at this")
    iam.reject_delegation_request(DelegationRequestId=request_id, Notes="too much")
    shown = show(iam, request_id)
    assert (shown["State"], shown["RejectionReason"], shown["Notes"]) == (
        "REJECTED",
        "too much",
        "please look at this",
    )


def test_who_accepts_a_request_is_its_approver(aws, iam, partner):
    request_id = partner.ask()
    iam.associate_delegation_request(DelegationRequestId=request_id)
    boss = aws.client("iam", aws.user("boss", allow("iam:AcceptDelegationRequest")))
    boss.accept_delegation_request(DelegationRequestId=request_id)
    assert show(iam, request_id)["ApproverId"] == f"arn:aws:iam::{ACCOUNT}:user/boss"


def test_only_the_owner_sends_the_token_where_the_partner_asks_so(aws, iam, partner, refused):
    boss = aws.client("iam", aws.user("boss", allow("iam:*")))
    for only, number in ((True, "number-1"), (False, "number-2")):
        request_id = partner.ask(OnlySendByOwner=only, RequestorWorkflowId=number)
        iam.associate_delegation_request(DelegationRequestId=request_id)
        boss.accept_delegation_request(DelegationRequestId=request_id)
        if only:
            with refused("AccessDenied", "Only the owner of this delegation request can send its token."):
                boss.send_delegation_token(DelegationRequestId=request_id)
            iam.send_delegation_token(DelegationRequestId=request_id)
        else:
            boss.send_delegation_token(DelegationRequestId=request_id)
        assert show(iam, request_id)["State"] == "FINALIZED"


def test_other_accounts_learn_nothing_of_a_request(aws, iam, partner, refused):
    request_id = partner.ask()
    other = aws.client("iam", Credentials.of(aws.iamd("CreateAccount", Name="other")))
    for client in (other, partner.iam):
        for step in [*GOES_FROM, "get_delegation_request"]:
            with refused("NoSuchEntity", f"Delegation request {request_id} cannot be found."):
                getattr(client, step)(DelegationRequestId=request_id)
        with refused("NoSuchEntity"):
            client.get_human_readable_summary(EntityArn=f"arn:aws:iam::{ACCOUNT}:delegation-request/{request_id}")
    anybodys = partner.ask(OwnerAccountId=None, RequestorWorkflowId="anybodys")
    assert show(other, anybodys)["State"] == "UNASSIGNED"
    iam.associate_delegation_request(DelegationRequestId=anybodys)
    with refused("NoSuchEntity"):
        show(other, anybodys)


def test_the_owner_sees_and_hands_on_its_request_without_any_policy(aws, iam, partner, refused):
    """IAM API Reference, GetDelegationRequest, UpdateDelegationRequest, GetHumanReadableSummary."""
    ann = aws.client("iam", aws.user("ann", allow("iam:AssociateDelegationRequest")))
    request_id = partner.ask()
    with refused("AccessDenied"):
        show(ann, request_id)
    ann.associate_delegation_request(DelegationRequestId=request_id)
    assert show(ann, request_id)["OwnerId"].endswith("user/ann")
    arn = f"arn:aws:iam::{ACCOUNT}:delegation-request/{request_id}"
    assert ann.get_human_readable_summary(EntityArn=arn)["SummaryState"] == "AVAILABLE"
    ann.update_delegation_request(DelegationRequestId=request_id, Notes="please")
    for step in ("accept_delegation_request", "reject_delegation_request", "send_delegation_token"):
        with refused("AccessDenied"):
            getattr(ann, step)(DelegationRequestId=request_id)
    bob = aws.client("iam", aws.user("bob"))
    with refused("AccessDenied"):
        show(bob, request_id)


def test_an_explicit_deny_keeps_the_owner_out(aws, iam, partner, refused):
    statements = allow("iam:AssociateDelegationRequest"), deny("iam:GetDelegationRequest")
    ann = aws.client("iam", aws.user("ann", *statements))
    request_id = partner.ask()
    ann.associate_delegation_request(DelegationRequestId=request_id)
    with refused("AccessDenied"):
        show(ann, request_id)


def test_a_recreated_namesake_owns_nothing(aws, iam, partner, refused):
    ann = aws.client("iam", aws.user("ann", allow("iam:AssociateDelegationRequest")))
    request_id = partner.ask()
    ann.associate_delegation_request(DelegationRequestId=request_id)
    [key] = iam.list_access_keys(UserName="ann")["AccessKeyMetadata"]
    iam.delete_access_key(UserName="ann", AccessKeyId=key["AccessKeyId"])
    iam.delete_user_policy(UserName="ann", PolicyName="test")
    iam.delete_user(UserName="ann")
    again = aws.client("iam", aws.user("ann"))
    with refused("AccessDenied"):
        show(again, request_id)


def test_requests_are_listed_by_their_owners(aws, iam, partner, refused):
    ann = aws.client("iam", aws.user("ann", allow("iam:AssociateDelegationRequest")))
    ids = [partner.ask(RequestorWorkflowId=f"workflow-{number}") for number in range(4)]
    for client, request_id in ((iam, ids[0]), (iam, ids[1]), (ann, ids[2])):
        client.associate_delegation_request(DelegationRequestId=request_id)

    def listed(**parameters):
        answer = iam.list_delegation_requests(**parameters)
        return [one["DelegationRequestId"] for one in answer["DelegationRequests"]]

    assert sorted(listed()) == sorted(ids[:3])
    assert listed(OwnerId=f"arn:aws:iam::{ACCOUNT}:user/ann") == [ids[2]]
    assert listed(OwnerId=f"arn:aws:iam::{ACCOUNT}:user/nobody") == []
    with refused("ValidationError", "Invalid Marker."):
        iam.list_delegation_requests(Marker="none")
    first = iam.list_delegation_requests(MaxItems=2)
    assert first["isTruncated"] is True
    rest = iam.list_delegation_requests(MaxItems=2, Marker=first["Marker"])
    assert rest["isTruncated"] is False
    both = [one["DelegationRequestId"] for page in (first, rest) for one in page["DelegationRequests"]]
    assert sorted(both) == sorted(ids[:3])
    assert partner.iam.list_delegation_requests()["DelegationRequests"] == []


def test_a_policy_may_name_the_owner_whose_requests_are_listed(aws, iam, partner, refused):
    """Service Authorization Reference: iam:DelegationRequestOwner."""
    own = f"arn:aws:iam::{ACCOUNT}:user/ann"
    condition = {"ArnEquals": {"iam:DelegationRequestOwner": own}}
    ann = aws.client("iam", aws.user("ann", allow(["iam:ListDelegationRequests", "iam:Associate*"])))
    bob = aws.client("iam", aws.user("bob", allow("iam:ListDelegationRequests", **condition)))
    ann.associate_delegation_request(DelegationRequestId=partner.ask())
    assert len(bob.list_delegation_requests(OwnerId=own)["DelegationRequests"]) == 1
    with refused("AccessDenied"):
        bob.list_delegation_requests()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("iam:TemplateArn", "arn:aws:iam:::delegation-template/read-reports"),
        ("iam:DelegationDuration", "3600"),
        ("iam:NotificationChannel", f"arn:aws:sns:us-east-1:{PARTNER}:delegations"),
    ],
)
def test_what_is_asked_for_are_condition_keys(aws, partner, refused, key, value):
    """Service Authorization Reference, CreateDelegationRequest."""
    partner.iam.create_user(UserName="sales")
    document = {"Version": "2012-10-17", "Statement": allow("iam:CreateDelegationRequest", StringEquals={key: value})}
    partner.iam.put_user_policy(UserName="sales", PolicyName="ask", PolicyDocument=json.dumps(document))
    sales = aws.client("iam", Credentials.of(partner.iam.create_access_key(UserName="sales")["AccessKey"]))
    sales.create_delegation_request(**partner.parameters())
    document["Statement"]["Condition"]["StringEquals"][key] = "else"
    partner.iam.put_user_policy(UserName="sales", PolicyName="ask", PolicyDocument=json.dumps(document))
    with refused("AccessDenied"):
        sales.create_delegation_request(**partner.parameters(RequestorWorkflowId="second"))


CHECKS = {
    "ALLOWED": [allow("*")],
    "DENIED": [allow("iam:*")],
    "UNSURE": [allow("*", Bool={"aws:SecureTransport": "true"})],
}


@pytest.mark.parametrize("wanted", CHECKS)
def test_whether_the_caller_could_grant_it_is_told(aws, iam, partner, wanted):
    own = aws.client("iam", aws.user("ann", allow("iam:*"), *CHECKS[wanted]))
    request_id = partner.ask()
    iam.associate_delegation_request(DelegationRequestId=request_id)
    checked = own.get_delegation_request(DelegationRequestId=request_id, DelegationPermissionCheck=True)
    assert (checked["PermissionCheckStatus"], checked["PermissionCheckResult"]) == ("COMPLETE", wanted)
    assert "PermissionCheckStatus" not in own.get_delegation_request(
        DelegationRequestId=request_id, DelegationPermissionCheck=False
    )


def test_a_summary_says_what_is_asked_for(iam, partner, refused):
    request_id = partner.ask()
    iam.associate_delegation_request(DelegationRequestId=request_id)
    arn = f"arn:aws:iam::{ACCOUNT}:delegation-request/{request_id}"
    answer = iam.get_human_readable_summary(EntityArn=arn, Locale="en-GB")
    assert (answer["Locale"], answer["SummaryState"]) == ("en-GB", "AVAILABLE")
    for words in ("Example Corp", PARTNER, "1 h 0 min", "s3:GetObject", "arn:aws:s3:::reports/*"):
        assert words in answer["SummaryContent"]
    spoken = iam.get_human_readable_summary(EntityArn=arn, Locale="de")
    assert spoken["SummaryState"] == "NOT_SUPPORTED"
    assert "SummaryContent" not in spoken
    with refused("InvalidInput"):
        iam.get_human_readable_summary(EntityArn=f"arn:aws:iam::{ACCOUNT}:user/admin")
    with refused("NoSuchEntity"):
        iam.get_human_readable_summary(EntityArn=f"arn:aws:iam::{ACCOUNT}:delegation-request/{'x' * 32}")


def test_boundaries_of_roles_that_would_be_made_are_shown(aws, iam):
    boundary = f"arn:aws:iam::{ACCOUNT}:policy/limit"
    condition = {"StringEquals": {"iam:PermissionsBoundary": boundary}}
    template = {
        "Version": "2012-10-17",
        "Statement": {"Effect": "Allow", "Action": "iam:CreateRole", "Resource": "*", "Condition": condition},
    }
    partner = Partner.of(aws, template)
    request_id = partner.ask(Permissions={"PolicyTemplateArn": partner.template_arn})
    assert show(iam, request_id)["RolePermissionRestrictionArns"] == [boundary]


DENIALS = {
    "AssociateDelegationRequest": {},
    "AcceptDelegationRequest": {},
    "RejectDelegationRequest": {},
    "SendDelegationToken": {},
    "UpdateDelegationRequest": {},
    "GetDelegationRequest": {},
}


@pytest.mark.parametrize("operation", DENIALS)
def test_a_denial_names_the_request(denied, partner, arn_of, operation):
    """Of "AssociateDelegationRequest", "AcceptDelegationRequest", "RejectDelegationRequest", "SendDelegationToken",
    "UpdateDelegationRequest" and "GetDelegationRequest"."""
    request_id = partner.ask()
    denied(operation, arn_of(f"delegation-request/{request_id}"), DelegationRequestId=request_id)


def test_denials_of_the_others_name_what_they_touch(denied, partner, arn_of):
    request_id = partner.ask()
    resource = arn_of(f"delegation-request/{request_id}")
    denied("GetHumanReadableSummary", resource, EntityArn=resource)
    denied("ListDelegationRequests", "*")
    denied("CreateDelegationRequest", arn_of("delegation-request/*"), **partner.parameters())


def test_each_step_is_recorded(aws, iam, partner):
    request_id = partner.ask()
    iam.associate_delegation_request(DelegationRequestId=request_id)
    iam.update_delegation_request(DelegationRequestId=request_id, Notes="x")
    iam.accept_delegation_request(DelegationRequestId=request_id)
    iam.send_delegation_token(DelegationRequestId=request_id)
    iam.get_delegation_request(DelegationRequestId=request_id)
    iam.list_delegation_requests()
    iam.get_human_readable_summary(EntityArn=f"arn:aws:iam::{ACCOUNT}:delegation-request/{request_id}")
    rejected = partner.ask(RequestorWorkflowId="second")
    iam.associate_delegation_request(DelegationRequestId=rejected)
    iam.reject_delegation_request(DelegationRequestId=rejected, Notes="no")
    for operation in (
        "UpdateDelegationRequest",
        "AcceptDelegationRequest",
        "SendDelegationToken",
        "GetDelegationRequest",
        "ListDelegationRequests",
        "GetHumanReadableSummary",
        "RejectDelegationRequest",
    ):
        [event] = aws.events(operation)
        assert event["eventSource"] == "iam.amazonaws.com"
    assert len(aws.events("AssociateDelegationRequest")) == 2
    token = partner.notification(request_id)["TradeInToken"]
    assert token not in str(aws.events())
    partners = aws.client("cloudtrail", partner.credentials).lookup_events(
        LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "CreateDelegationRequest"}]
    )["Events"]
    assert len(partners) == 2
