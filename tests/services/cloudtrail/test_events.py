"""What a record says: who asked, what, of what, and what came of it."""

import json
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from botocore.exceptions import ClientError
from running import ACCOUNT, Credentials, Refusal, allow

from iamd.http import HttpRequest
from iamd.services.cloudtrail import events
from iamd.services.cloudtrail.shown import shown
from iamd.wire import models

OTHER = "210987654321"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/app"
HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"


@pytest.fixture
def iam(aws):
    """IAM as the administrator calls it."""
    return aws.client("iam")


def make_role(iam, trusted, name="app"):
    """A role that these principals may assume."""
    actions = ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]
    trust = {"Effect": "Allow", "Principal": {"AWS": trusted}, "Action": actions}
    document = json.dumps({"Version": "2012-10-17", "Statement": trust})
    return iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]


def assumed(aws, credentials=None, role_arn=ROLE, **parameters):
    """The answer of AssumeRole, and the session's credentials."""
    answer = aws.client("sts", credentials).assume_role(RoleArn=role_arn, RoleSessionName="bond", **parameters)
    return answer, Credentials.of(answer["Credentials"])


def as_shown(moment):
    """A date as records have it in parameters and answers."""
    return moment.strftime("%b %d, %Y %I:%M:%S %p").replace(" 0", " ")


def test_a_record_has_cloudtrails_members_in_cloudtrails_order(aws, iam):
    user = iam.create_user(UserName="ann", Path="/team/")["User"]
    [record] = aws.events("CreateUser")
    assert list(record) == [
        "eventVersion", "userIdentity", "eventTime", "eventSource", "eventName", "awsRegion", "sourceIPAddress",
        "userAgent", "requestParameters", "responseElements", "requestID", "eventID", "readOnly", "eventType",
        "managementEvent", "recipientAccountId", "eventCategory",
    ]  # fmt: skip
    assert record["requestParameters"] == {"userName": "ann", "path": "/team/"}
    assert record["responseElements"]["user"] == {
        "path": "/team/",
        "userName": "ann",
        "userId": user["UserId"],
        "arn": user["Arn"],
        "createDate": as_shown(user["CreateDate"]),
    }
    assert record["userAgent"].startswith("Boto3/")
    assert (record["eventType"], record["sourceIPAddress"]) == ("AwsApiCall", "127.0.0.1")
    assert (record["readOnly"], record["managementEvent"], record["eventCategory"]) == (False, True, "Management")
    assert (record["recipientAccountId"], record["awsRegion"]) == (ACCOUNT, "us-east-1")


def test_a_user_is_named_with_the_key_that_signed(aws):
    ann = aws.user("ann")
    user_id = aws.client("sts", ann).get_caller_identity()["UserId"]
    [record] = aws.events("GetCallerIdentity")
    assert record["userIdentity"] == {
        "type": "IAMUser",
        "principalId": user_id,
        "arn": f"arn:aws:iam::{ACCOUNT}:user/ann",
        "accountId": ACCOUNT,
        "accessKeyId": ann.access_key_id,
        "userName": "ann",
    }
    assert (record["requestParameters"], record["responseElements"]) == (None, None)


def test_a_session_is_named_with_the_role_and_the_source_identity_it_has(aws, iam):
    role = make_role(iam, ACCOUNT)
    _, credentials = assumed(aws, SourceIdentity="james")
    aws.client("sts", credentials).get_caller_identity()
    [record] = aws.events("GetCallerIdentity")
    assert record["userIdentity"] == {
        "type": "AssumedRole",
        "principalId": f"{role['RoleId']}:bond",
        "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/app/bond",
        "accountId": ACCOUNT,
        "accessKeyId": credentials.access_key_id,
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role",
                "principalId": role["RoleId"],
                "arn": ROLE,
                "accountId": ACCOUNT,
                "userName": "app",
            },
            "attributes": {"creationDate": aws.events("AssumeRole")[0]["eventTime"], "mfaAuthenticated": "false"},
            "sourceIdentity": "james",
        },
    }
    found = aws.client("cloudtrail").lookup_events(
        LookupAttributes=[{"AttributeKey": "AccessKeyId", "AttributeValue": credentials.access_key_id}]
    )["Events"]
    assert [event["Username"] for event in found] == ["bond"]


def test_an_assumed_role_is_recorded_without_its_secrets(aws, iam):
    make_role(iam, ACCOUNT)
    answer, credentials = assumed(aws, Tags=[{"Key": "Team", "Value": "blue"}], TransitiveTagKeys=["Team"])
    [record] = aws.events("AssumeRole")
    assert record["responseElements"]["credentials"] == {
        "accessKeyId": credentials.access_key_id,
        "sessionToken": HIDDEN,
        "expiration": as_shown(answer["Credentials"]["Expiration"]),
    }
    assert record["responseElements"]["assumedRoleUser"] == {
        "assumedRoleId": answer["AssumedRoleUser"]["AssumedRoleId"],
        "arn": answer["AssumedRoleUser"]["Arn"],
    }
    assert record["requestParameters"] == {
        "roleArn": ROLE,
        "roleSessionName": "bond",
        "tags": [{"key": "Team", "value": "blue"}],
        "transitiveTagKeys": ["Team"],
    }
    assert record["resources"] == [{"accountId": ACCOUNT, "type": "AWS::IAM::Role", "ARN": ROLE}]
    # AWS calls AssumeRole read-only, and shows what it answers all the same.
    assert record["readOnly"] is True
    assert "sharedEventID" not in record


def test_an_assumed_role_is_found_by_key_session_and_role(aws, iam):
    make_role(iam, ACCOUNT)
    answer, credentials = assumed(aws)
    for name in (credentials.access_key_id, answer["AssumedRoleUser"]["Arn"], ROLE):
        found = aws.client("cloudtrail").lookup_events(
            LookupAttributes=[{"AttributeKey": "ResourceName", "AttributeValue": name}]
        )["Events"]
        assert [event["EventName"] for event in found] == ["AssumeRole"], name


def test_tags_that_a_chain_hands_on_stand_in_the_event(aws, iam):
    make_role(iam, ACCOUNT)
    make_role(iam, ROLE, name="next")
    _, first = assumed(aws, Tags=[{"Key": "Department", "Value": "Engineering"}], TransitiveTagKeys=["Department"])
    assumed(aws, first, f"arn:aws:iam::{ACCOUNT}:role/next")
    record = aws.events("AssumeRole")[0]
    assert record["requestParameters"]["incomingTransitiveTags"] == {"Department": "Engineering"}


def test_two_accounts_are_told_of_a_role_that_one_assumes_in_the_other(aws):
    other = Credentials.of(aws.iamd("CreateAccount", Name="other", AccountId=OTHER))
    make_role(aws.client("iam", other), ACCOUNT)
    answer, _ = assumed(aws, role_arn=f"arn:aws:iam::{OTHER}:role/app")
    [callers] = aws.events("AssumeRole")
    found = aws.client("cloudtrail", other).lookup_events(
        LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "AssumeRole"}]
    )["Events"]
    [owners] = [json.loads(event["CloudTrailEvent"]) for event in found]
    assert owners["sharedEventID"] == callers["sharedEventID"]
    assert owners["requestID"] == callers["requestID"] == answer["ResponseMetadata"]["RequestId"]
    assert len({owners["eventID"], callers["eventID"], owners["sharedEventID"]}) == 3
    assert (callers["recipientAccountId"], owners["recipientAccountId"]) == (ACCOUNT, OTHER)
    assert callers["userIdentity"]["userName"] == "admin"
    assert owners["userIdentity"] == {
        "type": "AWSAccount",
        "principalId": callers["userIdentity"]["principalId"],
        "accountId": ACCOUNT,
    }
    assert owners["resources"] == callers["resources"]
    assert {"Username", "AccessKeyId"}.isdisjoint(found[0])


def test_neither_account_learns_of_the_others_policies_by_explaining(aws):
    other = Credentials.of(aws.iamd("CreateAccount", Name="other", AccountId=OTHER))
    make_role(aws.client("iam", other), ACCOUNT)
    aws.client("iam", other).tag_role(RoleName="app", Tags=[{"Key": "Plan", "Value": "secret"}])
    answer, _ = assumed(aws, role_arn=f"arn:aws:iam::{OTHER}:role/app")
    request_id = answer["ResponseMetadata"]["RequestId"]
    [decision] = aws.explain(request_id)["Decisions"]
    assert {one["Layer"] for one in decision["Statements"]} == {"identity-based policy"}
    assert not [key for key in decision["Context"] if "resourcetag" in key]
    assert aws.explain(request_id, other)["Decisions"] == []


def test_a_role_that_is_not_assumed_is_told_to_the_caller_alone(aws):
    other = Credentials.of(aws.iamd("CreateAccount", Name="other", AccountId=OTHER))
    make_role(aws.client("iam", other), OTHER)
    with pytest.raises(ClientError):
        assumed(aws, role_arn=f"arn:aws:iam::{OTHER}:role/app")
    [record] = aws.events("AssumeRole")
    assert (record["errorCode"], record["recipientAccountId"]) == ("AccessDenied", ACCOUNT)
    assert "is not authorized to perform: sts:AssumeRole" in record["errorMessage"]
    assert record["responseElements"] is None
    names = [event["EventName"] for event in aws.client("cloudtrail", other).lookup_events()["Events"]]
    assert names == ["CreateRole"]


def test_an_unsigned_request_is_an_event(aws):
    body = b"Action=ListUsers&Version=2010-05-08"
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Host": "iam.localhost", "User-Agent": "nobody"}
    with pytest.raises(HTTPError) as caught:
        urlopen(Request(aws.endpoint + "/", body, headers), timeout=10)
    with caught.value as answer:
        assert answer.status == 403
        request_id = answer.headers["x-amzn-RequestId"]
    [record] = aws.events("ListUsers")
    assert record["requestID"] == request_id
    assert record["errorCode"] == "MissingAuthenticationToken"
    assert record["userIdentity"] == {"type": "AWSAccount", "principalId": "", "accountId": "anonymous"}
    assert record["userAgent"] == "nobody"


@pytest.mark.parametrize("known", [True, False], ids=["wrong-secret", "unknown-key"])
def test_a_request_whose_signature_does_not_hold_is_an_event_of_the_key_it_named(aws, known):
    key_id = aws.user("ann").access_key_id if known else "AKIAIOSFODNN7EXAMPLE"
    thief = Credentials(key_id, "wrong" * 8)
    with pytest.raises(ClientError) as caught:
        aws.client("iam", thief).list_users()
    [record] = aws.events("ListUsers")
    assert record["errorCode"] == caught.value.response["Error"]["Code"]
    assert record["errorCode"] == ("SignatureDoesNotMatch" if known else "InvalidClientTokenId")
    assert record["userIdentity"] == {"type": "Unknown", "principalId": "", "accessKeyId": key_id}
    found = aws.client("cloudtrail").lookup_events(
        LookupAttributes=[{"AttributeKey": "AccessKeyId", "AttributeValue": key_id}]
    )["Events"]
    assert [event["EventName"] for event in found] == ["ListUsers"]


def test_what_was_pasted_in_place_of_a_key_id_is_not_kept(aws):
    secret = "wJalrXUtnFEMI+K7MDENG+bPxRfiCYEXAMPLEKEY"
    with pytest.raises(ClientError):
        aws.client("iam", Credentials(secret, "x" * 40)).list_users()
    [record] = aws.events("ListUsers")
    assert secret not in json.dumps(record)


def test_attempts_with_another_accounts_key_are_told_to_that_account(aws):
    other = Credentials.of(aws.iamd("CreateAccount", Name="other", AccountId=OTHER))
    with pytest.raises(ClientError):
        aws.client("iam", Credentials(other.access_key_id, "wrong" * 8)).list_groups()
    assert aws.client("cloudtrail", other).lookup_events()["Events"][0]["EventName"] == "ListGroups"
    assert "ListGroups" not in [event["eventName"] for event in aws.events()]


def test_a_refused_request_says_what_was_asked(aws):
    with pytest.raises(ClientError):
        aws.client("iam", aws.user("ann", allow("sqs:*"))).create_user(UserName="bob")
    refusals = [record for record in aws.events("CreateUser") if "errorCode" in record]
    assert [record["requestParameters"] for record in refusals] == [{"userName": "bob"}]
    assert refusals[0]["userIdentity"]["userName"] == "ann"


def test_parameters_beyond_100_kilobytes_are_left_out(aws, iam):
    tags = [{"Key": f"key{number}", "Value": "x" * 250} for number in range(500)]
    with pytest.raises(ClientError):
        iam.create_user(UserName="ann", Tags=tags)
    [record] = aws.events("CreateUser")
    assert record["requestParameters"] is None


def test_a_user_agent_is_kept_up_to_a_kilobyte(aws):
    aws.client("iam", user_agent_extra="x" * 3000).list_users()
    [record] = aws.events("ListUsers")
    assert len(record["userAgent"]) == 1024


def test_no_more_of_a_user_agent_is_remembered_than_a_record_has():
    """What a process keeps of clients' names is a few hundred kilobytes, however long these are."""
    events._agent.cache_clear()
    for tail in (b"one", b"another"):
        agent = b"agent " + b"\xe9" * 30_000 + tail
        request = HttpRequest("id", "GET", b"/", b"", [(b"user-agent", agent)], b"", "127.0.0.1")
        told = events.Outcome(request, 0, "iam", "iam.amazonaws.com", "ListUsers", "us-east-1", None, read_only=True)
        assert json.loads(events.event_of(told).document)["userAgent"] == "agent " + "\xe9" * 1018
    assert events._agent.cache_info().currsize == 1


def test_an_error_is_named_by_its_exception_and_a_denial_by_its_code(aws, iam):
    """As CloudTrail's records of IAM have it: `NoSuchEntityException` for what the wire calls `NoSuchEntity`."""
    iam.create_group(GroupName="devs")
    document = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow"}]})
    nobody = aws.client("iam", aws.user("nobody"))
    refused = [
        (lambda: iam.get_group(GroupName="none"), "GetGroup", "NoSuchEntity", "NoSuchEntityException"),
        (
            lambda: iam.create_group(GroupName="devs"),
            "CreateGroup",
            "EntityAlreadyExists",
            "EntityAlreadyExistsException",
        ),
        (
            lambda: iam.create_policy(PolicyName="p", PolicyDocument=document),
            "CreatePolicy",
            "MalformedPolicyDocument",
            "MalformedPolicyDocumentException",
        ),
        (nobody.list_users, "ListUsers", "AccessDenied", "AccessDenied"),
        (lambda: iam.list_roles(Marker="x"), "ListRoles", "ValidationError", "ValidationError"),
    ]
    for call, name, code, recorded in refused:
        with pytest.raises(ClientError) as caught:
            call()
        error = caught.value.response["Error"]
        record = aws.events(name)[0]
        assert error["Code"] == code
        assert (record["errorCode"], record["errorMessage"]) == (recorded, error["Message"])


@pytest.mark.parametrize(
    ("service", "operation", "source"),
    [
        ("cloudwatch", "list_metrics", "monitoring"),
        ("sesv2", "list_email_identities", "ses"),
        ("stepfunctions", "list_state_machines", "states"),
    ],
)
def test_the_source_of_an_event_is_the_service_as_its_requests_are_signed(aws, service, operation, source):
    """CloudTrail User Guide, "CloudTrail record contents": CloudWatch is `monitoring.amazonaws.com`."""
    with pytest.raises(ClientError):
        getattr(aws.client(service, aws.user("nobody")), operation)()
    [record] = aws.events(operation.title().replace("_", ""))
    assert record["eventSource"] == f"{source}.amazonaws.com"


def test_a_refused_reading_is_a_reading(aws):
    nobody = aws.user("nobody")
    asked = {"VerifyAudit": {}, "Explain": {"RequestId": "x"}, "ListAccounts": {}, "CreateAccount": {"Name": "x"}}
    for operation, parameters in asked.items():
        with pytest.raises(Refusal):
            aws.iamd(operation, nobody, **parameters)
        assert aws.events(operation)[0]["readOnly"] is (operation != "CreateAccount")


@pytest.mark.parametrize("service", ["iam", "sts", "sso", "sso-oidc", "signin"])
def test_no_member_that_a_model_calls_sensitive_is_shown(service):
    """Operations that are not there yet are recorded with their parameters too."""
    model = models.service(service)
    for name in model.operation_names:
        for shape in (model.operation(name).input, model.operation(name).output):
            for member in sensitive_members(shape):
                assert shown({member: "canary"}) in ({member[:1].lower() + member[1:]: HIDDEN}, {})


def sensitive_members(shape, inside=()):
    """The names of all members in a shape that the model calls sensitive."""
    if shape is None or shape in inside:
        return
    for name, member in shape.members.items():
        if member.shape.sensitive and member.shape.type == "string":
            yield name
        element = member.shape.element.shape if member.shape.type == "list" else member.shape
        yield from sensitive_members(element, (*inside, shape))


def test_a_private_key_is_not_recorded_by_an_operation_that_is_refused(aws, iam):
    with pytest.raises(ClientError, match="Could not parse metadata"):
        iam.create_saml_provider(Name="idp", SAMLMetadataDocument="<x/>" * 300, AddPrivateKey="-----BEGIN canary")
    [record] = aws.events("CreateSAMLProvider")
    assert record["requestParameters"]["addPrivateKey"] == HIDDEN


def test_an_operation_that_is_not_there_yet_is_an_event_too(aws):
    with pytest.raises(ClientError):
        aws.client("cloudtrail").describe_trails()
    [record] = aws.events("DescribeTrails")
    assert record["errorCode"] == "NotImplemented"
