"""Each error of IAM comes with the HTTP status that the IAM API Reference gives it, in IAM's envelope."""

from typing import Any

import pytest
from botocore.exceptions import ClientError
from services.iam.world import TRUST

READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"
SERVICE_ROLE = "arn:aws:iam::aws:policy/aws-service-role/AutoScalingServiceRolePolicy"
TWICE = {"AuthenticationCode1": "000000", "AuthenticationCode2": "000000"}


@pytest.fixture(scope="module")
def iam(shared_aws: Any) -> Any:
    """An account in which every error can be had."""
    shared_aws.server.post("/_iamd/reset")
    iam = shared_aws.client("iam", parameter_validation=False)
    iam.create_user(UserName="ann")
    iam.attach_user_policy(UserName="ann", PolicyArn=READ_ONLY)
    for _ in range(2):
        iam.create_access_key(UserName="ann")
    iam.create_virtual_mfa_device(VirtualMFADeviceName="phone")
    iam.create_service_linked_role(AWSServiceName="autoscaling.amazonaws.com")
    return iam


PHONE = {"UserName": "ann", "SerialNumber": "arn:aws:iam::123456789012:mfa/phone"}
LINKED = {"RoleName": "AWSServiceRoleForAutoScaling"}
CASES = {
    "NoSuchEntity": (404, "get_user", {"UserName": "nobody"}),
    "EntityAlreadyExists": (409, "create_user", {"UserName": "ANN"}),
    "DeleteConflict": (409, "delete_user", {"UserName": "ann"}),
    "LimitExceeded": (409, "create_access_key", {"UserName": "ann"}),
    "MalformedPolicyDocument": (400, "create_policy", {"PolicyName": "p", "PolicyDocument": "{}"}),
    "InvalidInput": (400, "detach_user_policy", {"UserName": "ann", "PolicyArn": "not an arn, however long"}),
    "PolicyNotAttachable": (400, "attach_user_policy", {"UserName": "ann", "PolicyArn": SERVICE_ROLE}),
    "UnmodifiableEntity": (400, "update_assume_role_policy", {**LINKED, "PolicyDocument": TRUST}),
    "PasswordPolicyViolation": (400, "create_login_profile", {"UserName": "ann", "Password": "short"}),
    "InvalidAuthenticationCode": (403, "enable_mfa_device", {**PHONE, **TWICE}),
    "ValidationError": (400, "create_user", {"UserName": "a b"}),
    "MalformedInput": (400, "list_users", {"MaxItems": "many"}),
}


@pytest.mark.parametrize("code", CASES)
def test_an_error_has_the_status_of_its_code(iam, code):
    status, operation, parameters = CASES[code]
    with pytest.raises(ClientError) as caught:
        getattr(iam, operation)(**parameters)
    told = caught.value.response
    assert (told["Error"]["Code"], told["ResponseMetadata"]["HTTPStatusCode"]) == (code, status)
    assert told["Error"]["Type"] == "Sender"
    assert told["ResponseMetadata"]["RequestId"]


def test_a_denial_is_403(shared_aws, iam):
    with pytest.raises(ClientError) as caught:
        shared_aws.client("iam", shared_aws.user("bob")).list_users()
    told = caught.value.response
    assert (told["Error"]["Code"], told["ResponseMetadata"]["HTTPStatusCode"]) == ("AccessDenied", 403)


def test_what_was_refused_was_not_done(iam):
    assert [user["UserName"] for user in iam.list_users()["Users"] if user["UserName"] in {"ann", "ANN"}] == ["ann"]
    assert iam.list_policies(Scope="Local")["Policies"] == []
    assert [one["PolicyArn"] for one in iam.list_attached_user_policies(UserName="ann")["AttachedPolicies"]] == [
        READ_ONLY
    ]
    trust = iam.get_role(**LINKED)["Role"]["AssumeRolePolicyDocument"]
    assert trust["Statement"][0]["Principal"] == {"Service": "autoscaling.amazonaws.com"}
