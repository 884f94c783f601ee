"""What ends a session before its time, of a role, of a user, and of a federated user; and what does not."""

import dataclasses
import json
from datetime import UTC, datetime

import msgspec
import pytest
from msgspec.structs import astuple, replace
from running import ACCOUNT, AWS, Credentials, allow
from services.sts.conftest import trusting

from iamd import start as starting
from iamd.auth import tokens
from iamd.settings import Settings
from iamd.store.records import AccountRecord

INVALID = ("InvalidClientTokenId", "The security token included in the request is invalid")
READS = allow("cloudtrail:LookupEvents")
MAY = [READS, allow("sts:*")]
KINDS = ["user", "federated user", "role"]


def text(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


@pytest.fixture
def ann(aws):
    """A user who may read events, and begin sessions."""
    return aws.user("ann", *MAY)


@pytest.fixture
def begin(aws, ann, role):
    """`begin(kind)` gives credentials of a session that ann begins."""
    app = role("app", trusting(ACCOUNT), READS)

    def begun(kind, who=ann):
        sts = aws.client("sts", who)
        match kind:
            case "user":
                answer = sts.get_session_token()
            case "federated user":
                answer = sts.get_federation_token(Name="Bob", Policy=text(READS))
            case "role":
                answer = sts.assume_role(RoleArn=app, RoleSessionName="test")
        return Credentials.of(answer["Credentials"])

    return begun


def reads(aws, session):
    aws.client("cloudtrail", session).lookup_events()


def delete(iam, user_name, key_id):
    iam.delete_access_key(UserName=user_name, AccessKeyId=key_id)
    iam.delete_user_policy(UserName=user_name, PolicyName="test")
    iam.delete_user(UserName=user_name)


@pytest.mark.parametrize("kind", KINDS[:2])
def test_prn_04_the_sessions_of_a_deleted_user_end_and_its_namesake_has_none(aws, ann, begin, refused, kind):
    session = begin(kind)
    reads(aws, session)
    delete(aws.client("iam"), "ann", ann.access_key_id)
    sts = aws.client("sts", session)
    with refused(*INVALID):
        sts.get_caller_identity()
    again = aws.user("ann", *MAY)
    with refused(*INVALID):
        sts.get_caller_identity()
    reads(aws, begin(kind, again))


def test_prn_04_the_sessions_of_a_deleted_role_end_and_its_namesake_has_none(aws, role, assume, refused):
    session = assume(None, role("passing", trusting(ACCOUNT)))
    sts, iam = aws.client("sts", session), aws.client("iam")
    sts.get_caller_identity()
    iam.delete_role(RoleName="passing")
    with refused(*INVALID):
        sts.get_caller_identity()
    role("passing", trusting(ACCOUNT))
    with refused(*INVALID):
        sts.get_caller_identity()


@pytest.mark.parametrize("kind", KINDS)
def test_sts_07_a_session_outlives_the_key_that_began_it(aws, ann, begin, kind):
    """Disabling permissions for temporary security credentials names the ways to end one; the key is none of them."""
    iam, session = aws.client("iam"), begin(kind)
    iam.update_access_key(UserName="ann", AccessKeyId=ann.access_key_id, Status="Inactive")
    reads(aws, session)
    iam.delete_access_key(UserName="ann", AccessKeyId=ann.access_key_id)
    reads(aws, session)


def test_a_session_of_a_user_follows_its_name(aws, begin):
    session = begin("user")
    aws.client("iam").update_user(UserName="ann", NewUserName="anna", NewPath="/team/")
    assert aws.client("sts", session).get_caller_identity()["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/team/anna"
    reads(aws, session)


@pytest.mark.parametrize("kind", KINDS)
def test_sts_03_and_06_a_permission_that_is_taken_away_is_gone_from_sessions_at_once(aws, begin, refused, kind):
    iam, session = aws.client("iam"), begin(kind)
    reads(aws, session)
    iam.put_user_policy(UserName="ann", PolicyName="test", PolicyDocument=text(allow("sts:*")))
    iam.delete_role_policy(RoleName="app", PolicyName="test")
    with refused("AccessDeniedException"):
        reads(aws, session)


@pytest.mark.parametrize("kind", KINDS)
def test_sts_04_the_policy_that_the_console_writes_revokes_what_was_begun_before_it(aws, ann, begin, refused, kind):
    """AWS: AWSRevokeOlderSessions (id_roles_use_revoke-sessions), with the milliseconds that the console gives it."""
    iam, before = aws.client("iam"), begin(kind)
    reads(aws, before)
    aws.advance(10)
    # Any answer's event tells the time by iamd's clock.
    aws.client("sts").get_caller_identity()
    now = datetime.fromisoformat(aws.events("GetCallerIdentity")[0]["eventTime"]).timestamp()
    moment = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%S.217Z")
    revoke = {"Effect": "Deny", "Action": ["*"], "Resource": ["*"]}
    document = text(revoke | {"Condition": {"DateLessThan": {"aws:TokenIssueTime": moment}}})
    holder = {"RoleName": "app"} if kind == "role" else {"UserName": "ann"}
    put = iam.put_role_policy if kind == "role" else iam.put_user_policy
    put(**holder, PolicyName="AWSRevokeOlderSessions", PolicyDocument=document)
    with refused("AccessDeniedException", "with an explicit deny in an identity-based policy"):
        reads(aws, before)
    aws.advance(2)
    reads(aws, begin(kind))
    reads(aws, ann)


def test_sts_05_a_role_session_outlives_the_session_of_a_user_that_began_it(aws, begin):
    first = aws.client("sts", begin("role")).get_caller_identity()
    assert first["Arn"].endswith(":assumed-role/app/test")
    session = begin("user")
    chained = begin("role", session)
    aws.client("iam").put_user_policy(
        UserName="ann", PolicyName="no", PolicyDocument=text({"Effect": "Deny", "Action": "*", "Resource": "*"})
    )
    reads(aws, chained)


def test_a_root_user_is_cut_with_its_keys_and_sessions(rooted, refused):
    aws = rooted.aws
    sts = aws.client("sts", rooted.credentials)
    sessions = [
        Credentials.of(sts.get_session_token()["Credentials"]),
        Credentials.of(sts.get_federation_token(Name="Bob", Policy=text(READS))["Credentials"]),
    ]
    for session in sessions:
        reads(aws, session)
    cut = aws.iamd("Quarantine", Target=f"arn:aws:iam::{ACCOUNT}:root")["Cut"]
    assert [one["Type"] for one in cut] == ["Root", "AccessKey", "Session", "Session"]
    assert {one["AccessKeyId"] for one in cut[2:]} == {session.access_key_id for session in sessions}
    for session in (rooted.credentials, *sessions):
        with refused(*INVALID):
            aws.client("sts", session).get_caller_identity()
    aws.client("sts").get_caller_identity()


def test_a_chain_without_end_is_refused(aws, role, refused):
    """It could not be cut by its beginning: docs/divergences.md."""
    app = role("app", trusting(ACCOUNT), allow("sts:AssumeRole"))
    who = aws.server.administrator
    with refused("ValidationError", "The chain of roles is too long to go on"):
        for _ in range(130):
            sts = aws.client("sts", who)
            who = Credentials.of(sts.assume_role(RoleArn=app, RoleSessionName="test")["Credentials"])
    assert aws.client("sts", who).get_caller_identity()["Arn"].endswith("assumed-role/app/test")
    cut = aws.iamd("Quarantine", aws.user("guard", allow("iamd:*")), Target=aws.server.administrator.access_key_id)
    assert len(cut["Cut"]) > 120
    with refused(*INVALID):
        aws.client("sts", who).get_caller_identity()


def test_a_token_of_before_is_refused_whose_session_says_whether_roles_were_chained(tmp_path, start, refused):
    settings = Settings(data=tmp_path / "before", backend="none")
    server = start("--backend", "none", data=settings.data)
    session = Credentials.of(AWS(server).client("sts").get_session_token()["Credentials"])
    AWS(server).client("sts", session).get_caller_identity()
    server.stop()
    before = dataclasses.replace(session, session_token=sealed_before(settings, session))
    server = start("--backend", "none", data=settings.data)
    AWS(server).client("sts", session).get_caller_identity()
    with refused(*INVALID):
        AWS(server).client("sts", before).get_caller_identity()


def sealed_before(settings, session):
    """The session's token as it was with that member, behind the ARNs of its policies."""
    with starting.data_folder(settings):
        runtime = starting.open_runtime(settings)
        members = [*astuple(tokens.open(session.session_token, session.access_key_id, runtime.keyring))]
        members.insert(tokens.Session.__struct_fields__.index("policy_arns") + 1, False)
        content = b"\x01" + msgspec.msgpack.encode(members)
        sealed = runtime.keyring.seal_text("session-token", (session.access_key_id,), content)
        runtime.store.close()
    return sealed


def test_a_suspended_accounts_keys_and_sessions_are_refused_until_it_is_no_more(tmp_path, start, refused):
    """No operation suspends an account yet: it is written to the store while no server runs."""
    settings = Settings(data=tmp_path / "suspending", backend="none")
    server = start("--backend", "none", data=settings.data)
    other = Credentials.of(AWS(server).iamd("CreateAccount", Name="other", AccountId="210987654321"))
    session = Credentials.of(AWS(server).client("sts", other).get_session_token()["Credentials"])
    for suspended in (True, False):
        server.stop()
        suspend(settings, "210987654321", suspended=suspended)
        server = start("--backend", "none", data=settings.data)
        aws = AWS(server)
        aws.client("sts").get_caller_identity()
        for who in (other, session):
            if suspended:
                with refused(*INVALID):
                    aws.client("sts", who).get_caller_identity()
            else:
                aws.client("sts", who).get_caller_identity()


def suspend(settings, account_id, *, suspended):
    with starting.data_folder(settings):
        runtime = starting.open_runtime(settings)
        account = runtime.store.snapshot().account(account_id)
        record = replace(account.get(AccountRecord, account_id), suspended=suspended)
        runtime.store.write(lambda change: change.put(account_id, record)).result()
        runtime.store.close()
