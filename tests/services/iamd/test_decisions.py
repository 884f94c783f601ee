"""Why a request was decided as it was, and how one would be."""

import json
import sqlite3
from contextlib import closing
from datetime import datetime
from urllib.request import Request, urlopen

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as SigningCredentials
from botocore.exceptions import ClientError
from running import ACCOUNT, AWS, Credentials, Refusal, allow, deny
from services.sts.phone import Phone

from iamd import ids
from iamd import start as starting
from iamd.settings import Settings
from iamd.store.events import Event

OTHER = "210987654321"
ANN = f"arn:aws:iam::{ACCOUNT}:user/ann"
QUEUE = f"arn:aws:sqs:us-east-1:{ACCOUNT}:orders"


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def can(aws, principal, action, resource, context=None, credentials=None):
    asked = {"PrincipalArn": principal, "Action": action, "ResourceArn": resource, "Context": context or {}}
    return aws.iamd("Can", credentials, **asked)


@pytest.mark.parametrize(
    ("action", "complaint"),
    [
        ("s3:PutObjekt", "AWS has no action `s3:PutObjekt`; did you mean `s3:PutObject`?"),
        ("S3:putobjcet", "AWS has no action `S3:putobjcet`; did you mean `s3:PutObject`?"),
        ("dynamodb:Scna", "AWS has no action `dynamodb:Scna`; did you mean `dynamodb:Scan`?"),
        ("iam:TagUsers", "AWS has no action `iam:TagUsers`; did you mean `iam:TagUser`?"),
        # Nothing that is near: a long prefix, or the same noun, makes no other action the one that was meant.
        ("cloudformation:Foo", "AWS has no action `cloudformation:Foo`$"),
        ("ec2:TagInstance", "AWS has no action `ec2:TagInstance`$"),
        ("s3:ListObjects", "AWS has no action `s3:ListObjects`$"),
        ("nope:Do", "AWS has no action `nope:Do`$"),
    ],
)
def test_nobody_can_do_what_there_is_not(aws, action, complaint):
    with pytest.raises(Refusal, match=complaint):
        can(aws, f"arn:aws:iam::{ACCOUNT}:user/admin", action, "arn:aws:s3:::files/a")


def test_a_denial_is_explained_by_the_statement_that_denied(aws):
    ann = aws.user("ann", allow("iam:*"), deny("iam:List*") | {"Sid": "NoLists"})
    with pytest.raises(ClientError) as caught:
        aws.client("iam", ann).list_users()
    told = aws.explain(caught.value.response["ResponseMetadata"]["RequestId"])
    assert (told["PrincipalArn"], told["EventName"], told["ErrorCode"]) == (ANN, "ListUsers", "AccessDenied")
    assert told["ErrorMessage"] == caught.value.response["Error"]["Message"]
    [decision] = told["Decisions"]
    assert (decision["Outcome"], decision["Layer"]) == ("ExplicitlyDenied", "identity-based policy")
    [statement] = decision["Statements"]
    assert (statement["Policy"], statement["Index"], statement["Sid"]) == (
        "test (inline policy of user ann)",
        1,
        "NoLists",
    )
    assert decision["Context"]["aws:username"] == ["ann"]


def test_what_was_allowed_is_explained_too(aws):
    answer = aws.client("iam").list_users()
    [decision] = aws.explain(answer["ResponseMetadata"]["RequestId"])["Decisions"]
    assert decision["Outcome"] == "Allowed"
    assert decision["Statements"][0]["Policy"] == "arn:aws:iam::aws:policy/AdministratorAccess"


RIGHTS = (allow("*"), deny("access-analyzer:*"))


def user(aws):
    return aws.user("ann", *RIGHTS)


def role_session(aws):
    iam = aws.client("iam")
    actions = ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]
    trust = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": actions}
    iam.create_role(RoleName="work", Path="/team/", AssumeRolePolicyDocument=document(trust))
    rights = document(*RIGHTS)
    iam.put_role_policy(RoleName="work", PolicyName="p", PolicyDocument=rights)
    asked = {"RoleArn": f"arn:aws:iam::{ACCOUNT}:role/team/work", "RoleSessionName": "one", "SourceIdentity": "ann"}
    answer = aws.client("sts").assume_role(**asked, Tags=[{"Key": "Team", "Value": "blue"}])
    return Credentials.of(answer["Credentials"])


def users_session(aws):
    return Credentials.of(aws.client("sts", user(aws)).get_session_token()["Credentials"])


def federated_user(aws):
    rights = document(*RIGHTS)
    answer = aws.client("sts", aws.user("bob", allow("*"))).get_federation_token(Name="fed", Policy=rights)
    return Credentials.of(answer["Credentials"])


@pytest.mark.parametrize("of", [user, role_session, users_session, federated_user])
def test_an_allowed_request_is_explained_with_the_same_keys_as_a_denied_one(aws, of):
    caller = of(aws)
    trail, analyzer = (aws.client(name, caller, user_agent="mine") for name in ("cloudtrail", "accessanalyzer"))
    allowed = aws.explain(trail.lookup_events()["ResponseMetadata"]["RequestId"])["Decisions"][0]
    with pytest.raises(ClientError) as caught:
        analyzer.validate_policy(policyDocument=document(), policyType="IDENTITY_POLICY")
    denied = aws.explain(caught.value.response["ResponseMetadata"]["RequestId"])["Decisions"][0]
    assert (allowed["Outcome"], denied["Outcome"]) == ("Allowed", "ExplicitlyDenied")
    keys = [dict(one["Context"]) for one in (allowed, denied)]
    for one in keys:
        [current], [epoch] = one.pop("aws:currenttime"), one.pop("aws:epochtime")
        assert datetime.fromisoformat(current).timestamp() == int(epoch)
    assert keys[0] == keys[1]
    assert keys[0]["aws:useragent"][0].startswith("mine")
    assert keys[0].keys() >= {"aws:principalarn", "aws:userid", "aws:sourceip", "aws:securetransport"}


def test_what_a_record_tells_itself_is_not_stored_again_as_a_key(aws):
    number = aws.client("cloudtrail", user(aws)).lookup_events()["ResponseMetadata"]["RequestId"]
    aws.explain(number)
    with closing(sqlite3.connect(aws.server.data / "iamd.db")) as database:
        [document] = database.execute(
            "SELECT e.document FROM events e JOIN event_keys k ON k.id = e.id WHERE k.request_id = ?", (number,)
        ).fetchone()
    record = json.loads(document)
    assert document.count(record["userAgent"].encode()) == document.count(record["eventTime"].encode()) == 1
    [decision] = record["iamd"]["decisions"]
    assert decision["keys"] == {}


def test_no_key_is_lost_where_a_code_tells_anew_what_the_session_has_told(aws):
    ann, iam = user(aws), aws.client("iam")
    phone = Phone.of(iam, "ann")
    trust = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}
    role = iam.create_role(RoleName="app", AssumeRolePolicyDocument=document(trust))["Role"]["Arn"]
    session = Credentials.of(aws.client("sts", ann).get_session_token()["Credentials"])
    sts = aws.client("sts", session)
    sts.meta.events.register("before-sign", lambda request, **_: request.headers.add_header("Referer", "from here"))
    answer = sts.assume_role(RoleArn=role, RoleSessionName="one", **phone.codes())
    [decision] = aws.explain(answer["ResponseMetadata"]["RequestId"])["Decisions"]
    assert decision["Context"]["aws:referer"] == ["from here"]
    assert decision["Context"]["aws:multifactorauthpresent"] == ["true"]
    assert decision["Context"]["aws:multifactorauthage"] == ["0"]


def test_a_record_of_before_tells_the_client_of_its_decision(tmp_path, start):
    settings = Settings(data=tmp_path / "before", backend="none")
    server = start("--backend", "none", data=settings.data)
    number = AWS(server).client("iam", user_agent="mine").list_users()["ResponseMetadata"]["RequestId"]
    whole = AWS(server).explain(number)["Decisions"][0]["Context"]
    server.stop()
    before = record_of_before(settings, number, {**whole, "aws:useragent": []})
    server = start("--backend", "none", data=settings.data)
    for one in (number, before):
        assert AWS(server).explain(one)["Decisions"][0]["Context"] == whole


def record_of_before(settings, number, context):
    """Store a request's record once more, as it was when a decision kept all its keys but the client's."""
    with closing(sqlite3.connect(settings.data / "iamd.db")) as database:
        [document] = database.execute(
            "SELECT e.document FROM events e JOIN event_keys k ON k.id = e.id WHERE k.request_id = ?", (number,)
        ).fetchone()
    record, again = json.loads(document), ids.request_id()
    [decision] = record["iamd"]["decisions"]
    del decision["keys"]
    decision |= {"message": "", "context": context}
    moment = datetime.fromisoformat(record["eventTime"]).timestamp()
    named = record["eventName"], record["eventSource"], json.dumps({**record, "requestID": again}).encode()
    with starting.data_folder(settings):
        runtime = starting.open_runtime(settings)
        runtime.store.record_event(Event(ids.request_id(), again, moment, ACCOUNT, *named))
        runtime.store.close()
    return again


def test_an_account_has_only_its_own_requests_explained(aws):
    other = Credentials.of(aws.iamd("CreateAccount", Name="other", AccountId=OTHER))
    theirs = aws.client("iam", other).list_users()["ResponseMetadata"]["RequestId"]
    for request_id in (theirs, "00000000-0000-4000-8000-000000000000"):
        with pytest.raises(Refusal, match=f"NoSuchRequest: No request {request_id} is recorded in this account"):
            aws.explain(request_id)
    assert aws.explain(theirs, other)["EventName"] == "ListUsers"


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("Explain", {"RequestId": "x"}),
        ("Can", {"PrincipalArn": ANN, "Action": "sqs:SendMessage", "ResourceArn": QUEUE}),
        ("VerifyAudit", {}),
        ("ReportDenials", {"PrincipalArn": ANN}),
    ],
)
def test_asking_is_decided_and_recorded(aws, operation, parameters):
    ann = aws.user("ann")
    with pytest.raises(Refusal, match=f"400 AccessDeniedException: User: {ANN} is not authorized to perform: iamd:"):
        aws.iamd(operation, ann, **parameters)
    [event] = aws.events(operation)
    assert (event["eventSource"], event["errorCode"]) == ("iamd.amazonaws.com", "AccessDeniedException")
    assert (event["readOnly"], event["requestParameters"] is None) == (True, not parameters)


@pytest.mark.parametrize(
    ("action", "resource", "context", "outcome"),
    [
        ("sqs:SendMessage", QUEUE, {}, "Allowed"),
        ("SQS:sendmessage", QUEUE, {}, "Allowed"),
        ("sqs:SendMessage", QUEUE + "2", {}, "ImplicitlyDenied"),
        ("sqs:DeleteQueue", QUEUE, {}, "ExplicitlyDenied"),
        ("sqs:DeleteQueue", QUEUE, {"aws:PrincipalTag/Role": ["boss"]}, "ImplicitlyDenied"),
        ("sqs:DeleteQueue", QUEUE, {"AWS:principaltag/role": ["boss"]}, "ImplicitlyDenied"),
    ],
)
def test_a_request_that_nobody_made_is_decided(aws, action, resource, context, outcome):
    unless = {"StringNotEquals": {"aws:PrincipalTag/Role": "boss"}}
    aws.user("ann", allow("sqs:SendMessage", QUEUE), deny("sqs:DeleteQueue", **unless))
    told = can(aws, ANN, action, resource, context)
    assert told["Allowed"] is (outcome == "Allowed")
    assert told["Decision"]["Outcome"] == outcome
    assert told["Decision"].get("Message", "").startswith(f"User: {ANN}") is (outcome != "Allowed")


def test_a_role_is_asked_about_as_a_session_of_it(aws):
    """What a real session has, conditions see: an issue time, and that there was no MFA."""
    trust = document({"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"})
    iam = aws.client("iam")
    arn = iam.create_role(RoleName="app", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    for condition, fits in (
        ({"Null": {"aws:TokenIssueTime": "false"}}, True),
        ({"Bool": {"aws:MultiFactorAuthPresent": "false"}}, True),
        ({"Bool": {"aws:MultiFactorAuthPresent": "true"}}, False),
        ({"StringEquals": {"aws:PrincipalType": "AssumedRole"}}, True),
    ):
        statement = allow("sqs:SendMessage", **condition)
        iam.put_role_policy(RoleName="app", PolicyName="test", PolicyDocument=document(statement))
        assert can(aws, arn, "sqs:SendMessage", QUEUE)["Allowed"] is fits


def test_iam_is_asked_about_where_it_is(aws):
    """The request to iamd is signed for some region; one to IAM would be for us-east-1."""
    here = {"StringEquals": {"aws:RequestedRegion": "us-east-1"}}
    aws.user("ann", allow("*", **here))
    headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "iamd.Can"}
    for action, is_let in (("iam:ListUsers", True), ("IAM:ListUsers", True), ("sqs:ListQueues", False)):
        asked = {"PrincipalArn": ANN, "Action": action, "ResourceArn": "*"}
        request = AWSRequest("POST", aws.endpoint + "/", headers, json.dumps(asked).encode())
        admin = aws.server.administrator
        SigV4Auth(SigningCredentials(admin.access_key_id, admin.secret_access_key), "iamd", "eu-west-1").add_auth(
            request
        )
        with urlopen(Request(request.url, request.data, dict(request.headers.items())), timeout=10) as answer:
            assert json.load(answer)["Allowed"] is is_let


def test_the_root_user_may_everything_in_its_account(aws):
    root = f"arn:aws:iam::{ACCOUNT}:root"
    assert can(aws, root, "sqs:DeleteQueue", QUEUE)["Decision"]["Layer"] == "root user"


def test_a_session_is_asked_about_as_denials_name_it(aws):
    statement = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}
    aws.client("iam").create_role(RoleName="app", Path="/team/", AssumeRolePolicyDocument=document(statement))
    ends_so = {"StringLike": {"aws:userid": "*:web"}}
    may = document({"Effect": "Allow", "Action": "sqs:*", "Resource": "*", "Condition": ends_so})
    aws.client("iam").put_role_policy(RoleName="app", PolicyName="p", PolicyDocument=may)
    for session, is_let in (("web", True), ("other", False)):
        asked = can(aws, f"arn:aws:sts::{ACCOUNT}:assumed-role/app/{session}", "sqs:SendMessage", QUEUE)
        assert asked["Allowed"] is is_let


@pytest.mark.parametrize(
    "principal",
    [
        f"arn:aws:sts::{ACCOUNT}:assumed-role/nobody/x",
        f"arn:aws:sts::{ACCOUNT}:assumed-role/nobody",
        f"arn:aws:iam::{ACCOUNT}:user/nobody",
        f"arn:aws:iam::{OTHER}:user/admin",
        f"arn:aws:iam::{OTHER}:root",
    ],
)
def test_nobody_is_asked_about_who_is_not_of_the_account(aws, principal):
    aws.iamd("CreateAccount", Name="other", AccountId=OTHER)
    with pytest.raises(Refusal, match=r"NoSuchPrincipal: No principal .* is in this account"):
        can(aws, principal, "sqs:SendMessage", QUEUE)


def test_assuming_a_role_is_asked_about_with_its_trust_policy(aws):
    """Another account's trust policy says yes or no, and not which of its statements did."""
    other = Credentials.of(aws.iamd("CreateAccount", Name="other", AccountId=OTHER))
    aws.user("ann", allow("sts:AssumeRole"))
    here, there = aws.client("iam"), aws.client("iam", other)
    wanted = {"StringEquals": {"sts:ExternalId": "x1"}}
    statement = {"Sid": "Mine", "Effect": "Allow", "Principal": {"AWS": ANN}, "Action": "sts:AssumeRole"}
    own = here.create_role(RoleName="app", AssumeRolePolicyDocument=document(statement))["Role"]["Arn"]
    shared = document(
        statement | {"Condition": wanted},
        statement | {"Effect": "Deny", "Condition": {"Bool": {"aws:SecureTransport": "true"}}, "Sid": "Secret"},
    )
    foreign = there.create_role(RoleName="app", AssumeRolePolicyDocument=shared)["Role"]["Arn"]
    decision = can(aws, ANN, "sts:AssumeRole", own)["Decision"]
    assert [(one["Layer"], one["Sid"]) for one in decision["Statements"]] == [
        ("role trust policy", "Mine"),
        ("identity-based policy", ""),
    ]
    assert can(aws, ANN, "sts:AssumeRole", foreign)["Allowed"] is False
    assert can(aws, ANN, "sts:AssumeRole", foreign, {"sts:ExternalId": ["x1"]})["Allowed"] is True
    secure = {"sts:ExternalId": ["x1"], "aws:SecureTransport": ["true"]}
    denied = can(aws, ANN, "sts:AssumeRole", foreign, secure)["Decision"]
    assert (denied["Outcome"], denied["Statements"], denied["NearMisses"]) == ("ExplicitlyDenied", [], [])
    assert [one["Layer"] for one in denied["Layers"]] == ["identity-based policy"]


def test_an_explanation_names_policy_statement_and_place_and_what_nearly_applied(aws):
    """Every statement that determines the outcome, and what the request had where a condition failed."""
    iam = aws.client("iam")
    pretty = json.dumps(json.loads(document(allow("sqs:*") | {"Sid": "All"})), indent=2)
    managed = iam.create_policy(PolicyName="queues", Path="/team/", PolicyDocument=pretty)["Policy"]["Arn"]
    limit = iam.create_policy(PolicyName="limit", PolicyDocument=document(allow("sqs:SendMessage")))["Policy"]["Arn"]
    team = {"StringEquals": {"aws:PrincipalTag/Team": ["red", "blue"]}}
    aws.user("ann", allow("sqs:SendMessage", QUEUE), deny("sqs:SendMessage", **team) | {"Sid": "NotThem"})
    iam.attach_user_policy(UserName="ann", PolicyArn=managed)
    iam.put_user_permissions_boundary(UserName="ann", PermissionsBoundary=limit)
    iam.tag_user(UserName="ann", Tags=[{"Key": "Team", "Value": "green"}])
    decision = can(aws, ANN, "sqs:SendMessage", QUEUE)["Decision"]
    inline = "test (inline policy of user ann)"
    assert [(one["Layer"], one["Policy"], one["Index"], one["Sid"]) for one in decision["Statements"]] == [
        ("permissions boundary", limit, 0, ""),
        ("identity-based policy", inline, 0, ""),
        ("identity-based policy", managed, 0, "All"),
    ]
    assert [(one["Effect"], one["Line"], one["Column"]) for one in decision["Statements"]] == [
        ("Allow", 1, 41),
        ("Allow", 1, 41),
        ("Allow", 4, 5),
    ]
    [near] = decision["NearMisses"]
    assert (near["Policy"], near["Index"], near["Sid"], near["Effect"], near["Line"]) == (
        inline,
        1,
        "NotThem",
        "Deny",
        1,
    )
    assert near["Conditions"] == [
        {
            "Operator": "StringEquals",
            "Key": "aws:principaltag/team",
            "Values": ["red", "blue"],
            "Found": ["green"],
        }
    ]
    assert decision["MissingKeys"] == []
    assert {one["Layer"]: (one["Outcome"], one["Policies"]) for one in decision["Layers"]} == {
        "identity-based policy": ("Allowed", [inline, managed]),
        "permissions boundary": ("Allowed", [limit]),
    }
    iam.untag_user(UserName="ann", TagKeys=["Team"])
    untagged = can(aws, ANN, "sqs:SendMessage", QUEUE)["Decision"]
    assert (untagged["NearMisses"][0]["Conditions"][0]["Found"], untagged["MissingKeys"]) == (
        [],
        ["aws:principaltag/team"],
    )
    iam.tag_user(UserName="ann", Tags=[{"Key": "Team", "Value": "red"}])
    denied = can(aws, ANN, "sqs:SendMessage", QUEUE)["Decision"]
    assert [(one["Sid"], one["Effect"]) for one in denied["Statements"]] == [("NotThem", "Deny")]
    assert {one["Layer"]: one["Outcome"] for one in denied["Layers"]}["identity-based policy"] == "ExplicitlyDenied"


def test_a_denied_request_is_explained_with_what_nearly_allowed_it(aws):
    ann = aws.user("ann", allow("iam:ListUsers", Bool={"aws:SecureTransport": "true"}) | {"Sid": "Safe"})
    with pytest.raises(ClientError) as caught:
        aws.client("iam", ann).list_users()
    [decision] = aws.explain(caught.value.response["ResponseMetadata"]["RequestId"])["Decisions"]
    assert (decision["Outcome"], decision["Statements"]) == ("ImplicitlyDenied", [])
    [near] = decision["NearMisses"]
    assert (near["Sid"], near["Index"], near["Line"], near["Column"]) == ("Safe", 0, 1, 41)
    [failed] = near["Conditions"]
    assert (failed["Key"], failed["Values"], failed["Found"]) == ("aws:securetransport", ["true"], ["false"])
    inline = "test (inline policy of user ann)"
    assert decision["Layers"] == [
        {"Layer": "identity-based policy", "Outcome": "ImplicitlyDenied", "Policies": [inline]}
    ]


def test_of_what_was_allowed_a_statement_of_each_layer_is_named(aws):
    iam = aws.client("iam")
    ann = aws.user("ann", allow("iam:ListUsers"))
    limit = iam.create_policy(PolicyName="limit", PolicyDocument=document(allow("iam:*")))["Policy"]["Arn"]
    iam.put_user_permissions_boundary(UserName="ann", PermissionsBoundary=limit)
    answer = aws.client("iam", ann).list_users()
    [decision] = aws.explain(answer["ResponseMetadata"]["RequestId"])["Decisions"]
    assert {(one["Layer"], one["Policy"], one["Line"]) for one in decision["Statements"]} == {
        ("identity-based policy", "test (inline policy of user ann)", 1),
        ("permissions boundary", limit, 1),
    }
    assert "NearMisses" not in decision


def test_what_iamd_knows_of_a_resource_counts(aws):
    iam = aws.client("iam")
    iam.create_user(UserName="tagged", Tags=[{"Key": "secret", "Value": "yes"}])
    tagged = f"arn:aws:iam::{ACCOUNT}:user/tagged"
    secret = {"StringEquals": {"aws:ResourceTag/secret": "yes"}}
    aws.user("ann", allow("*"), deny("iam:GetUser", **secret))
    assert can(aws, ANN, "iam:GetUser", tagged)["Decision"]["Outcome"] == "ExplicitlyDenied"
    assert can(aws, ANN, "iam:GetUser", ANN)["Allowed"]
    # A role that is not there lets nobody in.
    assert not can(aws, ANN, "sts:AssumeRole", f"arn:aws:iam::{ACCOUNT}:role/nobody")["Allowed"]


def test_tags_that_a_backend_has_are_not_known(aws):
    aws.user("ann", allow("*"), deny("sqs:*", StringEquals={"aws:ResourceTag/secret": "yes"}))
    found = can(aws, ANN, "sqs:SendMessage", QUEUE)
    assert (found["Allowed"], found["Decision"]["UnknownKeys"]) == (False, ["aws:resourcetag/secret"])
    assert can(aws, ANN, "sqs:SendMessage", QUEUE, {"aws:ResourceTag/secret": ["no"]})["Allowed"]
    assert can(aws, ANN, "sqs:ListQueues", "*")["Allowed"]


def test_a_name_is_no_principal_and_the_refusal_shows_what_is(aws):
    words = f"NoSuchPrincipal: `ann` is no ARN, as `arn:aws:iam::{ACCOUNT}:user/NAME` is one."
    with pytest.raises(Refusal, match=words):
        can(aws, "ann", "sqs:SendMessage", QUEUE)


def test_what_is_no_resource_is_refused(aws):
    aws.user("ann", allow("*"))
    with pytest.raises(Refusal) as caught:
        can(aws, ANN, "s3:GetObject", "not-an-arn")
    assert caught.value.code == "InvalidResource"
