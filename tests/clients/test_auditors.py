"""Auditors, unmodified: Cloudsplaining and PMapper from PyPI report on an account, and Prowler's reads are answered.

Both run in a process and an environment of their own. PMapper 1.1.5 looks for abstract classes where Python had them
before 3.10, so they are put there before it starts.
"""

import json
import sys
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from clients.installed import ROOT, installed, run
from running import ACCOUNT, Credentials, allow
from services.sts.conftest import trusting

LOCK = ROOT / "requirements" / "auditors.txt"
ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
START_PMAPPER = """
import collections, collections.abc, sys
collections.Mapping, collections.MutableMapping = collections.abc.Mapping, collections.abc.MutableMapping
from principalmapper.__main__ import main
sys.exit(main())
"""


@pytest.fixture(scope="session")
def bin_folder() -> Path:
    """Where the auditors' programs are."""

    def install(folder: Path) -> None:
        # Not a virtual environment: that has its own path in it, and is renamed.
        run(sys.executable, "-m", "pip", "install", "-q", "--require-hashes", "--target", folder, "-r", LOCK)

    return installed("auditors", LOCK, install)


@pytest.fixture
def auditor(aws, home):
    """A user with AWS's policies for auditors, and a profile of that name; ann may rise to a role that may do all."""
    iam = aws.client("iam")
    aws.user("ann", allow(["iam:PassRole", "iam:CreatePolicyVersion", "s3:GetObject"]))
    trust = json.dumps({"Version": "2012-10-17", "Statement": trusting(f"arn:aws:iam::{ACCOUNT}:user/ann")})
    iam.create_role(RoleName="boss", AssumeRolePolicyDocument=trust)
    iam.attach_role_policy(RoleName="boss", PolicyArn=ADMIN)
    iam.create_user(UserName="auditor")
    for name in ("SecurityAudit", "job-function/ViewOnlyAccess"):
        iam.attach_user_policy(UserName="auditor", PolicyArn=f"arn:aws:iam::aws:policy/{name}")
    key = Credentials.of(iam.create_access_key(UserName="auditor")["AccessKey"])
    home.key("auditor", key)
    return key


def test_cloudsplaining_reports_on_what_it_downloads(home, bin_folder, auditor):
    def splain(*arguments):
        ran = home.run(
            sys.executable, bin_folder / "bin" / "cloudsplaining", *arguments, PYTHONPATH=str(bin_folder),
            AWS_PROFILE="auditor",
        )  # fmt: skip
        assert ran.returncode == 0, ran.stdout + ran.stderr

    splain("download", "--profile", "auditor", "--output", home.folder)
    downloaded = home.folder / "auditor.json"
    assert json.loads(downloaded.read_text())["UserDetailList"]
    splain("scan", "--input-file", downloaded, "--output", home.folder, "--skip-open-report")
    results = json.loads((home.folder / "iam-results-auditor.json").read_text())
    [inline] = [found for found in results["inline_policies"].values() if found["PolicyName"] == "test"]
    escalations = {found["type"] for found in inline["PrivilegeEscalation"]["findings"]}
    assert "CreateNewPolicyVersion" in escalations
    assert (home.folder / "iam-report-auditor.html").stat().st_size > 100_000


def test_pmapper_finds_who_can_become_whom(home, bin_folder, auditor):
    def pmapper(*arguments):
        return home.run(
            sys.executable, home.write("pmapper.py", START_PMAPPER), "--profile", "auditor", *arguments,
            PYTHONPATH=str(bin_folder), PMAPPER_STORAGE=str(home.folder / "graphs"),
        )  # fmt: skip

    made = pmapper("graph", "create", "--include-regions", "us-east-1")
    assert made.returncode == 0, made.stdout + made.stderr
    assert "user/ann can access via sts:AssumeRole role/boss" in made.stdout + made.stderr
    told = pmapper("argquery", "--principal", "user/ann", "--action", "iam:CreateUser")
    assert "user/ann" in told.stdout
    assert "role/boss" in told.stdout


READS = (
    "list_roles", "list_groups", "list_users", "list_virtual_mfa_devices", "list_policies", "list_server_certificates",
    "list_saml_providers", "list_open_id_connect_providers", "list_account_aliases", "get_account_summary",
    "get_account_authorization_details", "generate_credential_report", "get_credential_report",
)  # fmt: skip
"""What Prowler's checks of IAM ask of an account (its `iam_service`); then, of each entity, READS_OF."""

READS_OF = {
    "list_users": {
        "list_attached_user_policies", "list_user_policies", "list_user_tags", "list_mfa_devices", "list_access_keys",
        "list_groups_for_user", "list_signing_certificates", "list_ssh_public_keys",
        "list_service_specific_credentials",
    },
    "list_roles": {"list_attached_role_policies", "list_role_policies", "list_role_tags", "get_role"},
    "list_groups": {"list_attached_group_policies", "list_group_policies", "get_group"},
}  # fmt: skip


def test_what_prowler_reads_is_answered_to_an_auditor(aws, auditor):
    iam = aws.client("iam", auditor)
    found = {read: getattr(iam, read)() for read in READS}
    assert found["get_credential_report"]["Content"].startswith(b"user,arn,user_creation_time")
    for read, then in READS_OF.items():
        noun = read.removeprefix("list_").removesuffix("s").capitalize()
        names = [one[f"{noun}Name"] for one in found[read][f"{noun}s"]]
        assert names or noun == "Group"
        for name in names:
            for operation in then:
                assert getattr(iam, operation)(**{f"{noun}Name": name})
    for policy in iam.list_policies(Scope="AWS", OnlyAttached=True)["Policies"]:
        version = {"PolicyArn": policy["Arn"], "VersionId": policy["DefaultVersionId"]}
        assert iam.get_policy_version(**version)["PolicyVersion"]["Document"]["Statement"]
        assert iam.list_entities_for_policy(PolicyArn=policy["Arn"])["ResponseMetadata"]["HTTPStatusCode"] == 200
    with pytest.raises(iam.exceptions.NoSuchEntityException):
        iam.get_account_password_policy()
    with pytest.raises(ClientError, match="AccessDenied"):
        iam.create_user(UserName="x")
