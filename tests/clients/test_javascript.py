"""The AWS SDK for JavaScript, from npm and unmodified: its providers of credentials of roles."""

import json
import shutil
import time
from contextlib import closing
from pathlib import Path

import pyotp
import pytest
from clients.installed import installed_by_npm
from issuer import Issuer
from running import ACCOUNT, allow
from services.sts.conftest import trusting
from services.sts.phone import Phone

SOURCE = Path(__file__).parent / "javascript"


@pytest.fixture(scope="session")
def package() -> Path:
    """The folder with the SDK in it."""
    return installed_by_npm("javascript", SOURCE)


@pytest.fixture
def asked(home, package, ann):
    """`asked(how, **parameters)` is what the SDK's program says, as the user ann."""
    # Node looks for what a program imports beside the program.
    program = shutil.copy(SOURCE / "roles.mjs", package / f"{home.folder.name}.mjs")

    def ask(how, **parameters):
        ran = home.run("node", program, how, json.dumps(parameters), AWS_PROFILE="ann")
        assert ran.returncode == 0, ran.stderr
        return json.loads(ran.stdout)

    yield ask
    program.unlink()


@pytest.fixture
def ann(aws, home):
    home.key("ann", aws.user("ann", allow("sts:AssumeRole")))
    return f"arn:aws:iam::{ACCOUNT}:user/ann"


def test_a_users_key_is_its_own_and_a_denial_is_an_error_of_its_name(asked):
    told = asked("chain")
    assert told["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/ann"
    assert told["users"].startswith(f"AccessDenied: User: arn:aws:iam::{ACCOUNT}:user/ann is not authorized to perform")


def test_temporary_credentials_are_the_roles(aws, role, ann, asked):
    app = role("app", trusting(ann), allow("iam:ListUsers"))
    told = asked("temporary", params={"RoleArn": app, "RoleSessionName": "js"})
    assert told == {"Arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/app/js", "users": 2}
    [event] = aws.events("AssumeRole")
    assert "aws-sdk-js/3" in event["userAgent"]


def test_temporary_credentials_by_way_of_another_role(role, ann, asked):
    first = role("first", trusting(ann), allow("sts:AssumeRole"))
    second = role("second", trusting(first), allow("iam:ListUsers"))
    told = asked(
        "temporary",
        params={"RoleArn": second, "RoleSessionName": "far"},
        through={"RoleArn": first, "RoleSessionName": "near"},
    )
    assert told == {"Arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/second/far", "users": 2}


def test_a_code_of_the_device_opens_a_role_once(aws, role, ann, asked):
    phone = Phone.of(aws.client("iam"), "ann")
    admin = role("admin", trusting(ann, Bool={"aws:MultiFactorAuthPresent": "true"}), allow("iam:ListUsers"))
    code = pyotp.HOTP(phone.seed).at(int(time.time() // 30) + 1)
    params = {"RoleArn": admin, "RoleSessionName": "js", "SerialNumber": phone.serial}
    assert asked("temporary", params=params, code=code)["users"] == 2
    assert asked("temporary", params=params, code=code)["error"] == "AccessDenied"
    assert asked("temporary", params={"RoleArn": admin, "RoleSessionName": "js"})["error"] == "AccessDenied"


def test_a_profile_that_assumes_a_role(home, role, ann, asked):
    app = role("app", trusting(ann, StringEquals={"sts:ExternalId": "4711"}), allow("iam:ListUsers"))
    home.profile("app", role_arn=app, source_profile="ann", external_id="4711", role_session_name="ini")
    assert asked("profile", profile="app")["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/app/ini"


def test_a_token_in_a_file(aws, home, role, asked):
    with closing(Issuer()) as issuer:
        provider = aws.client("iam").create_open_id_connect_provider(Url=issuer.url, ClientIDList=["app"])
        trust = trusting({"Federated": provider["OpenIDConnectProviderArn"]}, "sts:AssumeRoleWithWebIdentity")
        pod = role("pod", trust, allow("iam:ListUsers"))
        file = home.write("token", issuer.token(aud="app"))
        parameters = {"webIdentityTokenFile": str(file), "roleArn": pod, "roleSessionName": "js"}
        assert asked("token", **parameters) == {"Arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/pod/js", "users": 2}
        file.write_text(issuer.token(aud="other"))
        assert asked("token", **parameters)["error"] == "InvalidIdentityTokenException"
