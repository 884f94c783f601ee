"""ValidateResourcePolicy of Secrets Manager tells what is wrong with a policy, and sets none.

AWS: Secrets Manager API Reference, ValidateResourcePolicy, has the three checks.
"""

import pytest
from gateway.two_accounts import code_of, error_of, everybody, policy, to
from running import ACCOUNT, allow, deny

READ = "secretsmanager:GetSecretValue"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"


@pytest.fixture
def secrets(cloud):
    client = cloud.client("secretsmanager")
    client.create_secret(Name="word", SecretString="x")
    return client


def found(secrets, *statements, secret="word"):
    given = {"SecretId": secret} if secret else {}
    told = secrets.validate_resource_policy(ResourcePolicy=policy(*statements), **given)
    names = [one["CheckName"] for one in told["ValidationErrors"]]
    assert told["PolicyValidationPassed"] is not bool(names)
    assert all(one["ErrorMessage"] for one in told["ValidationErrors"])
    return names


@pytest.mark.parametrize("secret", ["word", None])
def test_a_policy_for_fixed_principals_passes_and_is_not_set(secrets, secret):
    assert found(secrets, to({"AWS": ROOT}, allow(READ)), secret=secret) == []
    assert "ResourcePolicy" not in secrets.get_resource_policy(SecretId="word")


def test_a_policy_that_gives_broad_access_does_not_pass(secrets):
    assert found(secrets, everybody(allow(READ))) == ["BROAD_ACCESS"]
    within = allow(READ, StringEquals={"aws:PrincipalAccount": ACCOUNT})
    assert found(secrets, everybody(within)) == []


def test_a_policy_that_locks_out_its_caller_does_not_pass(cloud, secrets):
    changing = deny("secretsmanager:PutResourcePolicy")
    assert found(secrets, everybody(changing)) == ["LOCKOUT"]
    assert found(secrets, everybody(deny("secretsmanager:*")), everybody(allow(READ))) == ["BROAD_ACCESS", "LOCKOUT"]
    cloud.user("ann")
    ann = f"arn:aws:iam::{ACCOUNT}:user/ann"
    assert found(secrets, to({"AWS": ann}, changing)) == []


def test_what_is_no_policy_is_refused(secrets):
    call = secrets.validate_resource_policy
    assert code_of(call, SecretId="word", ResourcePolicy="{") == "MalformedPolicyDocumentException"
    nobody = policy(to({"AWS": f"arn:aws:iam::{ACCOUNT}:user/nobody"}, allow(READ)))
    refused = error_of(call, SecretId="word", ResourcePolicy=nobody)
    assert refused["Code"] == "MalformedPolicyDocumentException"


def test_a_policy_of_no_secret_is_not_validated(secrets):
    given = {"SecretId": "none", "ResourcePolicy": policy(to({"AWS": ROOT}, allow(READ)))}
    assert code_of(secrets.validate_resource_policy, **given) == "ResourceNotFoundException"


@pytest.mark.parametrize("missing", ["secretsmanager:ValidateResourcePolicy", "secretsmanager:PutResourcePolicy"])
def test_who_validates_may_set_it_too(cloud, secrets, missing):
    ann = cloud.client("secretsmanager", cloud.user("ann", allow("secretsmanager:*"), deny(missing)))
    given = {"SecretId": "word", "ResourcePolicy": policy(to({"AWS": ROOT}, allow(READ)))}
    error = error_of(ann.validate_resource_policy, **given)
    assert (error["Code"], missing in error["Message"]) == ("AccessDeniedException", True)
