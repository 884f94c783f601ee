"""Profiles of the AWS CLI and of boto3: roles by way of other profiles, with MFA, an external id, a process, a token."""

import json
import os
import sys
import time
from contextlib import closing

import boto3
import pyotp
import pytest
from botocore.exceptions import ClientError
from issuer import Issuer
from running import ACCOUNT, allow
from services.sts.conftest import trusting
from services.sts.phone import Phone

ASSUMES = allow("sts:AssumeRole")


@pytest.fixture
def session(home, monkeypatch):
    """`session(profile)` is a boto3 session that reads this configuration; `code` answers its question for a code."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in home.environment.items():
        monkeypatch.setenv(name, value)

    def of(profile, code=None):
        found = boto3.Session(profile_name=profile)
        if code is not None:
            providers = found._session.get_component("credential_provider")
            providers.get_provider("assume-role")._prompter = lambda _: code
        return found

    return of


def arn_of(session):
    return session.client("sts").get_caller_identity()["Arn"]


@pytest.fixture
def ann(aws, home):
    """A user who may assume roles, with a profile of her name."""
    home.key("ann", aws.user("ann", ASSUMES))
    return f"arn:aws:iam::{ACCOUNT}:user/ann"


def test_a_profile_assumes_its_role_with_anothers_key(aws, home, role, ann, session):
    deploy = role("deploy", trusting(ann), allow("iam:ListUsers"))
    home.profile("deploy", role_arn=deploy, source_profile="ann", role_session_name="release", duration_seconds="900")
    assert arn_of(session("deploy")) == f"arn:aws:sts::{ACCOUNT}:assumed-role/deploy/release"
    assert session("deploy").client("iam").list_users()["Users"]
    with pytest.raises(ClientError, match="AccessDenied"):
        session("ann").client("iam").list_users()
    told = home.aws_cli("sts", "get-caller-identity", "--query", "Arn", "--profile", "deploy")
    assert told.stdout.strip() == f"arn:aws:sts::{ACCOUNT}:assumed-role/deploy/release"
    denied = home.aws_cli("iam", "create-user", "--user-name", "x", "--profile", "deploy")
    assert denied.returncode == 255
    assert "assumed-role/deploy/release is not authorized to perform: iam:CreateUser" in denied.stderr


def test_a_profile_with_a_wrong_external_id_assumes_nothing(home, role, ann, session):
    partner = role("partner", trusting(ann, StringEquals={"sts:ExternalId": "4711"}))
    home.profile("right", role_arn=partner, source_profile="ann", external_id="4711")
    home.profile("wrong", role_arn=partner, source_profile="ann", external_id="4712")
    home.profile("none", role_arn=partner, source_profile="ann")
    assert ":assumed-role/partner/" in arn_of(session("right"))
    for name in ("wrong", "none"):
        with pytest.raises(ClientError, match="AccessDenied"):
            arn_of(session(name))


def test_a_profile_with_mfa_asks_for_the_code_that_the_device_shows(aws, home, role, ann, session):
    phone = Phone.of(aws.client("iam"), "ann")
    admin = role("admin", trusting(ann, Bool={"aws:MultiFactorAuthPresent": "true"}))
    home.profile("admin", role_arn=admin, source_profile="ann", mfa_serial=phone.serial)
    home.profile("without", role_arn=admin, source_profile="ann")
    code = pyotp.HOTP(phone.seed).at(int(time.time() // 30) + 1)
    assert ":assumed-role/admin/" in arn_of(session("admin", code))
    with pytest.raises(ClientError, match="invalid MFA one time pass code"):
        arn_of(session("admin", code))
    with pytest.raises(ClientError, match="AccessDenied"):
        arn_of(session("without"))


def test_profiles_are_chained_and_each_role_is_a_step(home, role, ann, session):
    first = role("first", trusting(ann), ASSUMES)
    second = role("second", trusting(first), allow("iam:ListRoles"))
    home.profile("first", role_arn=first, source_profile="ann")
    home.profile("second", role_arn=second, source_profile="first", role_session_name="far")
    home.profile("long", role_arn=second, source_profile="first", duration_seconds="7200")
    assert arn_of(session("second")) == f"arn:aws:sts::{ACCOUNT}:assumed-role/second/far"
    assert session("second").client("iam").list_roles()["Roles"]
    told = home.aws_cli("sts", "get-caller-identity", "--query", "Arn", "--profile", "second")
    assert told.stdout.strip().endswith(":assumed-role/second/far")
    with pytest.raises(ClientError, match="1 hour session limit for roles assumed by role chaining"):
        arn_of(session("long"))


def test_a_process_gives_credentials_and_is_asked_again_when_they_end(aws, home, role, session):
    worker = role("worker", trusting(ACCOUNT))
    given = aws.client("sts").assume_role(RoleArn=worker, RoleSessionName="given", DurationSeconds=900)["Credentials"]
    told = {"Version": 1, **given, "Expiration": given["Expiration"].isoformat()}
    script = home.write("process.py", f"print({json.dumps(json.dumps(told))})")
    home.profile("process", credential_process=f"{sys.executable} {script}")
    assert arn_of(session("process")) == f"arn:aws:sts::{ACCOUNT}:assumed-role/worker/given"
    answer = home.aws_cli("sts", "get-caller-identity", "--query", "Arn", "--profile", "process")
    assert answer.stdout.strip() == f"arn:aws:sts::{ACCOUNT}:assumed-role/worker/given"
    aws.advance(901)
    with pytest.raises(ClientError, match="ExpiredToken"):
        arn_of(session("process"))


def test_a_web_identity_token_in_a_file_is_read_anew_each_time(aws, home, role, session):
    with closing(Issuer()) as issuer:
        provider = aws.client("iam").create_open_id_connect_provider(Url=issuer.url, ClientIDList=["app"])
        pod = role(
            "pod", trusting({"Federated": provider["OpenIDConnectProviderArn"]}, "sts:AssumeRoleWithWebIdentity")
        )
        file = home.write("token", issuer.token(aud="app"))
        home.profile("pod", role_arn=pod, web_identity_token_file=str(file), role_session_name="one")
        assert arn_of(session("pod")) == f"arn:aws:sts::{ACCOUNT}:assumed-role/pod/one"
        told = home.aws_cli(
            "sts", "get-caller-identity", "--query", "Arn",
            AWS_ROLE_ARN=pod, AWS_WEB_IDENTITY_TOKEN_FILE=str(file), AWS_ROLE_SESSION_NAME="two",
        )  # fmt: skip
        assert told.stdout.strip() == f"arn:aws:sts::{ACCOUNT}:assumed-role/pod/two"
        file.write_text(issuer.token(aud="other"))
        with pytest.raises(ClientError, match="could not be validated"):
            arn_of(session("pod"))
