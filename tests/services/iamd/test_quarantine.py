"""Quarantine: a key, a user or a role is cut with everything that derives from it, and nothing else is."""

import json
import threading
import time

import pytest
from botocore.exceptions import ClientError
from running import ACCOUNT, AWS, Credentials, Refusal, allow, deny

OTHER = "210987654321"
ANN = f"arn:aws:iam::{ACCOUNT}:user/ann"
MAY = [allow(["cloudtrail:LookupEvents", "sts:*"])]
READS = json.dumps({"Version": "2012-10-17", "Statement": MAY})


def make_role(aws, name, principal=ACCOUNT, credentials=None):
    """A role that who is named may assume, with the same permissions as ann."""
    iam = aws.client("iam", credentials)
    trust = {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": trust})
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
    iam.put_role_policy(RoleName=name, PolicyName="test", PolicyDocument=READS)
    return arn


@pytest.fixture
def ann(aws):
    """A user who may begin every kind of session."""
    return aws.user("ann", *MAY)


@pytest.fixture
def app(aws):
    """A role of the account."""
    return make_role(aws, "app")


def assume(aws, credentials, role_arn, name="test"):
    answer = aws.client("sts", credentials).assume_role(RoleArn=role_arn, RoleSessionName=name)
    return Credentials.of(answer["Credentials"])


def sessions_by(aws, credentials, app):
    """A session of each kind, and one that derives from another."""
    sts = aws.client("sts", credentials)
    own = Credentials.of(sts.get_session_token()["Credentials"])
    bob = Credentials.of(sts.get_federation_token(Name="Bob", Policy=READS)["Credentials"])
    role = assume(aws, credentials, app)
    return [own, bob, role, assume(aws, own, app, "from-own"), assume(aws, role, app, "chained")]


def is_let(aws, credentials):
    try:
        aws.client("cloudtrail", credentials).lookup_events()
    except ClientError as error:
        if error.response["Error"]["Code"] not in {"UnrecognizedClientException", "InvalidClientTokenId"}:
            raise
        return False
    return True


def keys_of(answer, kind="Session"):
    return [one["AccessKeyId"] for one in answer["Cut"] if one["Type"] == kind]


def test_a_key_is_cut_with_all_that_derives_from_it_and_the_users_other_key_is_not(aws, ann, app):
    second = Credentials.of(aws.client("iam").create_access_key(UserName="ann")["AccessKey"])
    cut, kept = sessions_by(aws, ann, app), sessions_by(aws, second, app)
    assert all(is_let(aws, session) for session in [ann, second, *cut, *kept])
    answer = aws.iamd("Quarantine", Target=ann.access_key_id)
    assert [is_let(aws, session) for session in [ann, *cut]] == [False] * 6
    assert [is_let(aws, session) for session in [second, *kept]] == [True] * 6
    assert answer["Cut"][0] == {
        "Type": "AccessKey", "AccessKeyId": ann.access_key_id, "Arn": ANN, "Status": "Inactive",
    }  # fmt: skip
    assert sorted(keys_of(answer)) == sorted(session.access_key_id for session in cut)
    assert "Truncated" not in answer
    statuses = {
        key["AccessKeyId"]: key["Status"]
        for key in aws.client("iam").list_access_keys(UserName="ann")["AccessKeyMetadata"]
    }
    assert statuses == {ann.access_key_id: "Inactive", second.access_key_id: "Active"}


def test_what_is_shown_of_a_session(aws, ann, app):
    session = assume(aws, ann, app)
    [shown] = [one for one in aws.iamd("Quarantine", Target=ann.access_key_id)["Cut"] if one["Type"] == "Session"]
    assert (shown["AccessKeyId"], shown["Expires"] - shown["Began"]) == (session.access_key_id, 3600)
    assert shown["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/app/test"


def test_a_user_is_cut_with_every_key_and_session(aws, ann, app):
    iam = aws.client("iam")
    second = Credentials.of(iam.create_access_key(UserName="ann")["AccessKey"])
    cut = [*sessions_by(aws, ann, app), *sessions_by(aws, second, app)]
    bob = aws.user("bob", *MAY)
    kept = sessions_by(aws, bob, app)
    iam.delete_access_key(UserName="ann", AccessKeyId=second.access_key_id)
    answer = aws.iamd("Quarantine", Target=ANN)
    assert not any(is_let(aws, session) for session in [ann, *cut])
    assert all(is_let(aws, session) for session in [bob, *kept])
    assert answer["Cut"][0] == {"Type": "User", "Arn": ANN}
    assert keys_of(answer, "AccessKey") == [ann.access_key_id]
    assert sorted(keys_of(answer)) == sorted(session.access_key_id for session in cut)


def test_a_role_is_cut_with_its_sessions_and_can_be_assumed_again(aws, ann, app):
    next_role = make_role(aws, "next", app)
    one = assume(aws, ann, app)
    chained, own = assume(aws, one, next_role), assume(aws, None, next_role.replace("next", "app"))
    answer = aws.iamd("Quarantine", Target=app)
    assert not any(is_let(aws, session) for session in (one, chained, own))
    assert sorted(keys_of(answer)) == sorted(session.access_key_id for session in (one, chained, own))
    assert is_let(aws, ann)
    aws.advance(2)
    assert is_let(aws, assume(aws, ann, app))


def test_a_session_is_cut_by_its_key_with_what_it_began_and_not_what_it_came_from(aws, ann, app):
    first = assume(aws, ann, app)
    second = assume(aws, first, app)
    third, sibling = assume(aws, second, app), assume(aws, first, app)
    answer = aws.iamd("Quarantine", Target=second.access_key_id)
    assert [is_let(aws, session) for session in (first, second, third, sibling)] == [True, False, False, True]
    assert keys_of(answer) == [third.access_key_id]


def test_sessions_in_another_account_that_derive_from_it_are_cut_too(aws, ann):
    other = Credentials.of(aws.iamd("CreateAccount", Name="other", AccountId=OTHER))
    shared, inner = make_role(aws, "shared", ACCOUNT, other), make_role(aws, "inner", OTHER, other)
    there = assume(aws, ann, shared)
    further = assume(aws, there, inner)
    assert is_let(aws, further)
    answer = aws.iamd("Quarantine", Target=ann.access_key_id)
    assert not is_let(aws, there)
    assert not is_let(aws, further)
    # What the other account's roles did among themselves is the other account's to know.
    assert keys_of(answer) == [there.access_key_id]
    assert is_let(aws, other)


def test_it_is_idempotent_and_what_begins_after_a_key_is_active_again_is_let(aws, ann, app):
    iam, session = aws.client("iam"), assume(aws, ann, app)
    first, second = (aws.iamd("Quarantine", Target=ann.access_key_id) for _ in range(2))
    assert first == second
    iam.update_access_key(UserName="ann", AccessKeyId=ann.access_key_id, Status="Active")
    aws.advance(2)
    assert not is_let(aws, session)
    assert is_let(aws, ann)
    assert is_let(aws, assume(aws, ann, app))


def test_an_expired_session_is_not_shown_and_what_it_began_is(aws, ann, app):
    answer = aws.client("sts", ann).assume_role(RoleArn=app, RoleSessionName="test", DurationSeconds=900)
    short = Credentials.of(answer["Credentials"])
    aws.advance(800)
    chained = assume(aws, short, app)
    aws.advance(200)
    cut = aws.iamd("Quarantine", Target=ann.access_key_id)
    assert keys_of(cut) == [chained.access_key_id]
    assert not is_let(aws, chained)


def test_a_namesake_has_nothing_of_what_was_cut(aws, ann):
    aws.iamd("Quarantine", Target=ANN)
    iam = aws.client("iam")
    iam.delete_access_key(UserName="ann", AccessKeyId=ann.access_key_id)
    iam.delete_user_policy(UserName="ann", PolicyName="test")
    iam.delete_user(UserName="ann")
    again = aws.user("ann", *MAY)
    assert is_let(aws, Credentials.of(aws.client("sts", again).get_session_token()["Credentials"]))


def test_nobody_cuts_itself(aws, ann, app):
    iam = aws.client("iam")
    everything = json.dumps({"Version": "2012-10-17", "Statement": allow("*")})
    iam.put_user_policy(UserName="ann", PolicyName="all", PolicyDocument=everything)
    iam.put_role_policy(RoleName="app", PolicyName="all", PolicyDocument=everything)
    session = assume(aws, ann, app)
    for who, target in ((ann, ANN), (ann, ann.access_key_id), (session, ann.access_key_id), (session, app)):
        with pytest.raises(Refusal, match="CutsItself: The credentials that this is asked with would be cut"):
            aws.iamd("Quarantine", who, Target=target)
    assert is_let(aws, session)
    second = Credentials.of(iam.create_access_key(UserName="ann")["AccessKey"])
    aws.iamd("Quarantine", second, Target=ann.access_key_id)
    assert (is_let(aws, session), is_let(aws, ann), is_let(aws, second)) == (False, False, True)


@pytest.mark.parametrize(
    ("target", "code"),
    [
        (f"arn:aws:iam::{ACCOUNT}:user/nobody", "NoSuchPrincipal"),
        (f"arn:aws:iam::{ACCOUNT}:user/Ann", "NoSuchPrincipal"),
        (f"arn:aws:iam::{ACCOUNT}:user/team/ann", "NoSuchPrincipal"),
        (f"arn:aws:iam::{ACCOUNT}:group/ann", "NoSuchPrincipal"),
        (f"arn:aws:iam::{OTHER}:root", "NoSuchPrincipal"),
        (f"arn:aws:sts::{ACCOUNT}:assumed-role/app/test", "NoSuchPrincipal"),
        ("AKIAIOSFODNN7EXAMPLE", "NoSuchAccessKey"),
        ("ASIAIOSFODNN7EXAMPLE", "NoSuchAccessKey"),
    ],
)
def test_what_is_not_there_is_not_cut(aws, ann, target, code):
    with pytest.raises(Refusal, match=f"{code}: No .* {target} is in this account."):
        aws.iamd("Quarantine", Target=target)
    assert is_let(aws, ann)


def test_another_accounts_keys_and_users_are_not_reached(aws, ann):
    other = Credentials.of(aws.iamd("CreateAccount", Name="other", AccountId=OTHER))
    session = Credentials.of(aws.client("sts", ann).get_session_token()["Credentials"])
    for target, code in (
        (ANN, "NoSuchPrincipal"), (ann.access_key_id, "NoSuchAccessKey"), (session.access_key_id, "NoSuchAccessKey"),
    ):  # fmt: skip
        with pytest.raises(Refusal, match=code):
            aws.iamd("Quarantine", other, Target=target)
    assert is_let(aws, session)


def test_it_is_decided_on_the_user_or_role_also_of_a_key(aws, ann, app):
    guard = aws.user("guard", allow("iamd:Quarantine"), deny("iamd:Quarantine", [ANN, app]))
    session = assume(aws, ann, app)
    for target, arn in ((ANN, ANN), (ann.access_key_id, ANN), (app, app)):
        words = f"is not authorized to perform: iamd:Quarantine on resource: {arn} with an explicit deny"
        with pytest.raises(Refusal, match=words):
            aws.iamd("Quarantine", guard, Target=target)
    assert is_let(aws, session)
    [record] = [event for event in aws.events("Quarantine") if event["requestParameters"] == {"target": app}]
    assert record["errorCode"] == "AccessDeniedException"
    aws.iamd("Quarantine", guard, Target=session.access_key_id)
    assert not is_let(aws, session)


def test_what_was_cut_is_recorded(aws, ann, app):
    session = assume(aws, ann, app)
    aws.iamd("Quarantine", Target=ann.access_key_id)
    [record] = aws.events("Quarantine")
    assert (record["eventSource"], record["readOnly"]) == ("iamd.amazonaws.com", False)
    assert record["requestParameters"] == {"target": ann.access_key_id}
    assert [one["accessKeyId"] for one in record["responseElements"]["cut"]] == [
        ann.access_key_id,
        session.access_key_id,
    ]


def test_what_a_refused_session_did_is_an_event_without_a_name(aws, ann, app):
    session = assume(aws, ann, app)
    aws.iamd("Quarantine", Target=app)
    assert not is_let(aws, session)
    failed = [event for event in aws.events("LookupEvents") if "errorCode" in event]
    assert failed[0]["userIdentity"] == {"type": "Unknown", "principalId": "", "accessKeyId": session.access_key_id}


def test_sts_06_whatever_began_while_it_was_cut_is_cut(aws, ann, app):
    begun, stopped = [], threading.Event()

    def begin():
        sts = aws.client("sts", ann)
        while not stopped.is_set():
            try:
                answer = sts.assume_role(RoleArn=app, RoleSessionName="test")
            except ClientError:
                return
            begun.append(Credentials.of(answer["Credentials"]))

    aws.client("sts", ann).get_caller_identity()
    threads = [threading.Thread(target=begin) for _ in range(4)]
    for thread in threads:
        thread.start()
    while len(begun) < 20:
        time.sleep(0.01)
    aws.iamd("Quarantine", Target=ann.access_key_id)
    for thread in threads:
        thread.join(10)
    stopped.set()
    assert not any(thread.is_alive() for thread in threads)
    assert not any(is_let(aws, session) for session in [*begun[:5], *begun[-5:]])


def test_it_holds_in_every_worker_and_after_a_restart(start, tmp_path):
    server = start("--backend", "none", "--workers", "2", data=tmp_path / "several")
    aws = AWS(server)
    ann = aws.user("ann", *MAY)
    session = Credentials.of(aws.client("sts", ann).get_session_token()["Credentials"])
    aws.iamd("Quarantine", Target=ANN)
    assert not any(is_let(AWS(server), session) for _ in range(12))
    server.stop()
    assert not is_let(AWS(start("--backend", "none", data=tmp_path / "several")), session)
