"""GetFederationToken: who a federated user is, what it may, and how it is bounded by user and session policies."""

import json
import random
import string
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError
from running import ACCOUNT, Credentials, allow, deny
from services.sts.conftest import trusting

ANN = f"arn:aws:iam::{ACCOUNT}:user/ann"
BOB = f"arn:aws:sts::{ACCOUNT}:federated-user/Bob"
READS_EVENTS = "arn:aws:iam::aws:policy/AWSCloudTrail_ReadOnlyAccess"
INVALID = ("InvalidClientTokenId", "The security token included in the request is invalid.")
CANNOT = "Cannot call {} with session credentials"


def text(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


EVENTS = text(allow("cloudtrail:*"))


@pytest.fixture
def ann(aws):
    """A user who may federate, tag, and read events."""
    return aws.user("ann", allow(["sts:*", "cloudtrail:LookupEvents", "iam:*"]))


@pytest.fixture
def federate(aws, ann):
    """`federate(**parameters)` gives the credentials of a federated user of ann's."""

    def begin(name="Bob", **parameters):
        answer = aws.client("sts", ann).get_federation_token(Name=name, **parameters)
        return Credentials.of(answer["Credentials"])

    return begin


def may(aws, credentials):
    """Whether these credentials may read events."""
    try:
        aws.client("cloudtrail", credentials).lookup_events()
    except ClientError as error:
        if error.response["Error"]["Code"] != "AccessDeniedException":
            raise
        return False
    return True


def seconds_left(answer):
    return (answer["Credentials"]["Expiration"] - datetime.now(UTC)) / timedelta(seconds=1)


def test_a_federated_user_has_the_name_it_was_given(aws, ann):
    answer = aws.client("sts", ann).get_federation_token(Name="Bob")
    assert answer["FederatedUser"] == {"FederatedUserId": f"{ACCOUNT}:Bob", "Arn": BOB}
    assert answer.keys() == {
        "Credentials", "FederatedUser", "PackedPolicySize", "SessionTokenSize", "SessionTokenUtilization",
        "ResponseMetadata",
    }  # fmt: skip
    assert answer["PackedPolicySize"] == 0
    identity = aws.client("sts", Credentials.of(answer["Credentials"])).get_caller_identity()
    assert (identity["Account"], identity["UserId"], identity["Arn"]) == (ACCOUNT, f"{ACCOUNT}:Bob", BOB)


@pytest.mark.parametrize("name", ["b", "b" * 33, "a b", "a/b", "a:b", "a*", "é" * 3])
def test_other_names_are_refused(aws, ann, refused, name):
    with refused("ValidationError", "at 'name' failed to satisfy constraint: Member must"):
        aws.client("sts", ann, parameter_validation=False).get_federation_token(Name=name)


@pytest.mark.parametrize(
    ("asked", "given"), [({}, 43200), ({"DurationSeconds": 900}, 900), ({"DurationSeconds": 129600}, 129600)]
)
def test_sts_02_it_lasts_12_hours_unless_another_time_is_asked_for(aws, ann, asked, given):
    answer = aws.client("sts", ann).get_federation_token(Name="Bob", **asked)
    assert given - 60 < seconds_left(answer) <= given + 1


@pytest.mark.parametrize(
    ("seconds", "bound"), [(899, "greater than or equal to 900"), (129601, "less than or equal to 129600")]
)
def test_sts_02_it_lasts_15_minutes_to_36_hours(aws, ann, refused, seconds, bound):
    with refused("ValidationError", f"'durationSeconds' failed to satisfy constraint: Member must have value {bound}"):
        aws.client("sts", ann, parameter_validation=False).get_federation_token(Name="Bob", DurationSeconds=seconds)


def test_a_token_is_as_long_as_is_asked_for(aws, ann, federate):
    long = aws.client("sts", ann).get_federation_token(Name="Bob", MinimumSessionTokenSize=4096)
    assert long["SessionTokenSize"] == len(long["Credentials"]["SessionToken"]) >= 4096
    assert len(federate().session_token) < 1000


@pytest.mark.parametrize(
    ("parameters", "allowed"),
    [
        pytest.param({}, False, id="none"),
        pytest.param({"Policy": EVENTS}, True, id="inline"),
        pytest.param({"PolicyArns": [{"arn": READS_EVENTS}]}, True, id="managed"),
        pytest.param({"Policy": text(allow("s3:*"))}, False, id="nothing in common"),
        pytest.param({"Policy": text(allow("s3:*")), "PolicyArns": [{"arn": READS_EVENTS}]}, True, id="either"),
        pytest.param({"Policy": text(allow("*"), deny("cloudtrail:*"))}, False, id="deny"),
    ],
)
def test_it_may_what_both_the_user_and_a_session_policy_allow(aws, federate, parameters, allowed):
    assert may(aws, federate(**parameters)) is allowed


def test_auz_05_session_policies_give_nothing_that_the_user_has_not(aws, refused):
    poor = aws.user("poor", allow("sts:GetFederationToken"))
    answer = aws.client("sts", poor).get_federation_token(Name="Bob", Policy=text(allow("*")))
    with refused("AccessDeniedException", f"User: {BOB} is not authorized to perform: cloudtrail:LookupEvents"):
        aws.client("cloudtrail", Credentials.of(answer["Credentials"])).lookup_events()


def test_sts_03_what_the_user_may_is_asked_at_every_request(aws, federate):
    bob, iam = federate(Policy=EVENTS), aws.client("iam")
    assert may(aws, bob)
    iam.put_user_permissions_boundary(UserName="ann", PermissionsBoundary="arn:aws:iam::aws:policy/AmazonS3FullAccess")
    assert not may(aws, bob)
    iam.delete_user_permissions_boundary(UserName="ann")
    iam.put_user_policy(UserName="ann", PolicyName="no", PolicyDocument=text(deny("cloudtrail:*")))
    assert not may(aws, bob)


def test_the_denial_says_that_no_session_policy_allows(aws, federate, refused):
    with refused("AccessDeniedException", "because no session policy allows the cloudtrail:LookupEvents action"):
        aws.client("cloudtrail", federate(Policy=text(allow("s3:*")))).lookup_events()


@pytest.mark.parametrize(
    ("condition", "fits"),
    [
        ({"StringEquals": {"aws:userid": f"{ACCOUNT}:Bob"}}, True),
        ({"StringEquals": {"aws:PrincipalType": "FederatedUser"}}, True),
        ({"ArnEquals": {"aws:PrincipalArn": BOB}}, True),
        ({"Null": {"aws:username": "true"}}, True),
        ({"Bool": {"aws:MultiFactorAuthPresent": "false"}}, True),
        ({"Null": {"aws:TokenIssueTime": "true"}}, False),
        ({"StringEquals": {"aws:PrincipalTag/Team": "red"}}, True),
    ],
)
def test_conditions_see_a_federated_user(aws, federate, condition, fits):
    """AWS: IAM User Guide, the table of principal key values (reference_policies_variables)."""
    aws.client("iam").tag_user(UserName="ann", Tags=[{"Key": "Team", "Value": "red"}])
    assert may(aws, federate(Policy=text(allow("cloudtrail:LookupEvents", **condition)))) is fits


def test_a_session_tag_wins_over_the_users_tag(aws, federate, refused):
    aws.client("iam").tag_user(UserName="ann", Tags=[{"Key": "Team", "Value": "red"}])
    policy = text(allow("cloudtrail:*", StringEquals={"aws:PrincipalTag/Team": "blue"}))
    assert not may(aws, federate(Policy=policy))
    assert may(aws, federate(Policy=policy, Tags=[{"Key": "team", "Value": "blue"}]))
    with refused("InvalidParameterValue", "Duplicate tag keys found."):
        federate(Tags=[{"Key": "a", "Value": "1"}, {"Key": "A", "Value": "2"}])


def test_who_passes_tags_needs_permission_for_that(aws, refused):
    blue = {"StringEquals": {"aws:RequestTag/Team": "blue"}}
    carl = aws.user("carl", allow("sts:GetFederationToken"), allow("sts:TagSession", BOB, **blue))
    sts = aws.client("sts", carl)
    sts.get_federation_token(Name="Bob", Tags=[{"Key": "Team", "Value": "blue"}])
    for name, value in (("Bob", "red"), ("Eve", "blue")):
        arn = f"arn:aws:sts::{ACCOUNT}:federated-user/{name}"
        with refused("AccessDenied", f"is not authorized to perform: sts:TagSession on resource: {arn}"):
            sts.get_federation_token(Name=name, Tags=[{"Key": "Team", "Value": value}])


def test_a_user_federates_whom_it_may(aws, refused):
    """AWS: id_credentials_temp_control-access_enable-create has this policy."""
    managers = f"arn:aws:sts::{ACCOUNT}:federated-user/Manager*"
    carl = aws.user("carl", allow("sts:GetFederationToken", managers))
    sts = aws.client("sts", carl)
    sts.get_federation_token(Name="Manager-1")
    with refused("AccessDenied", f"is not authorized to perform: sts:GetFederationToken on resource: {BOB}"):
        sts.get_federation_token(Name="Bob")
    record = aws.events("GetFederationToken")[0]
    assert (record["errorCode"], record["requestParameters"]) == ("AccessDenied", {"name": "Bob"})


def test_sts_10_it_calls_no_iam_and_of_sts_it_only_asks_who_it_is(aws, role, federate, refused):
    bob = federate(Policy=text(allow("*")))
    sts = aws.client("sts", bob)
    sts.get_caller_identity()
    with refused(*INVALID):
        aws.client("iam", bob).list_users()
    with refused("AccessDenied", CANNOT.format("AssumeRole")):
        sts.assume_role(RoleArn=role("app", trusting(ACCOUNT)), RoleSessionName="test")
    with refused("AccessDenied", CANNOT.format("GetSessionToken")):
        sts.get_session_token()
    with refused("AccessDenied", CANNOT.format("GetFederationToken")):
        sts.get_federation_token(Name="Eve")
    with refused("AccessDenied", CANNOT.format("GetAccessKeyInfo")):
        sts.get_access_key_info(AccessKeyId=bob.access_key_id)


def test_sessions_federate_nobody(aws, role, assume, ann, refused):
    """AWS decides first: a session that is not allowed to is told that."""
    may_not = assume(None, role("poor", trusting(ACCOUNT)))
    with refused("AccessDenied", "is not authorized to perform: sts:GetFederationToken on resource"):
        aws.client("sts", may_not).get_federation_token(Name="Bob")
    session = aws.client("sts", ann).get_session_token()["Credentials"]
    for who in (assume(None, role("app", trusting(ACCOUNT), allow("sts:*"))), Credentials.of(session)):
        with refused("AccessDenied", CANNOT.format("GetFederationToken")):
            aws.client("sts", who).get_federation_token(Name="Bob")


@pytest.mark.parametrize("policy", ["{", text({"Effect": "Allow", "Action": "s3:*"})])
def test_what_is_no_policy_is_malformed(federate, refused, policy):
    with refused("MalformedPolicyDocument"):
        federate(Policy=policy)


def test_policies_have_2048_characters_and_are_the_accounts(aws, ann, federate, refused, other):
    room = 2048 - len(READS_EVENTS)
    federate(Policy=EVENTS.ljust(room), PolicyArns=[{"arn": READS_EVENTS}])
    with refused("PackedPolicyTooLarge"):
        federate(Policy=EVENTS.ljust(room + 1), PolicyArns=[{"arn": READS_EVENTS}])
    with refused("ValidationError", "at 'policy' failed to satisfy constraint"):
        aws.client("sts", ann, parameter_validation=False).get_federation_token(Name="Bob", Policy=EVENTS.ljust(2049))
    theirs = aws.client("iam", other).create_policy(PolicyName="theirs", PolicyDocument=EVENTS)["Policy"]["Arn"]
    with refused("ValidationError", f"Policy {theirs} does not exist in the account of the user."):
        federate(PolicyArns=[{"arn": theirs}])


def test_the_packed_size_says_how_much_room_is_taken(aws, ann, federate, refused):
    sts = aws.client("sts", ann)
    small = sts.get_federation_token(Name="Bob", Policy=EVENTS)["PackedPolicySize"]
    tags = [{"Key": f"k{number}", "Value": word(250)} for number in range(12)]
    large = sts.get_federation_token(Name="Bob", Policy=EVENTS, Tags=tags[:4])["PackedPolicySize"]
    assert 0 < small < large <= 100
    with refused("PackedPolicyTooLarge", "Packed size of session tags consumes"):
        federate(Tags=tags)


def word(length):
    return "".join(random.choices(string.ascii_letters + string.digits, k=length))


def test_what_was_asked_and_given_is_recorded_without_secrets(aws, ann):
    answer = aws.client("sts", ann).get_federation_token(Name="Bob", Policy=EVENTS, DurationSeconds=900)
    bob = Credentials.of(answer["Credentials"])
    assert may(aws, bob)
    [record] = aws.events("GetFederationToken")
    assert record["requestParameters"] == {"name": "Bob", "policy": EVENTS, "durationSeconds": 900}
    given = record["responseElements"]
    assert given["federatedUser"] == {"federatedUserId": f"{ACCOUNT}:Bob", "arn": BOB}
    assert (record["readOnly"], given["packedPolicySize"]) == (True, answer["PackedPolicySize"])
    for secret in (bob.secret_access_key, bob.session_token):
        assert secret not in json.dumps(record)
    user_id = aws.client("iam").get_user(UserName="ann")["User"]["UserId"]
    who = next(e["userIdentity"] for e in aws.events("LookupEvents") if e["userIdentity"]["type"] == "FederatedUser")
    assert who["sessionContext"].pop("attributes")["mfaAuthenticated"] == "false"
    assert who == {
        "type": "FederatedUser",
        "principalId": f"{ACCOUNT}:Bob",
        "arn": BOB,
        "accountId": ACCOUNT,
        "accessKeyId": bob.access_key_id,
        "sessionContext": {
            "sessionIssuer": {
                "type": "IAMUser", "principalId": user_id, "arn": ANN, "accountId": ACCOUNT, "userName": "ann",
            }
        },
    }  # fmt: skip
    for name in (bob.access_key_id, BOB):
        chosen = [{"AttributeKey": "ResourceName", "AttributeValue": name}]
        [found] = aws.client("cloudtrail").lookup_events(LookupAttributes=chosen)["Events"]
        assert found["EventName"] == "GetFederationToken"


def test_a_federated_user_of_the_root_user_may_what_its_session_policies_allow(rooted):
    aws, sts = rooted.aws, rooted.aws.client("sts", rooted.credentials)
    answer = sts.get_federation_token(Name="Bob", Policy=EVENTS, DurationSeconds=129600)
    assert 3540 < seconds_left(answer) <= 3601
    assert may(aws, Credentials.of(answer["Credentials"]))
    for parameters in ({}, {"Policy": text(allow("s3:*"))}):
        assert not may(aws, Credentials.of(sts.get_federation_token(Name="Bob", **parameters)["Credentials"]))
    events = aws.events("LookupEvents")
    issuer = next(
        event["userIdentity"]["sessionContext"]["sessionIssuer"]
        for event in events
        if event["userIdentity"]["type"] == "FederatedUser"
    )
    assert (issuer["type"], issuer["arn"]) == ("Root", f"arn:aws:iam::{ACCOUNT}:root")
