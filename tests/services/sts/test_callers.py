"""Who is calling, and whose access key it is."""

import pytest
from botocore import UNSIGNED
from running import ACCOUNT, Credentials, allow, deny
from services.sts.conftest import trusting

OTHER = "210987654321"


def test_a_user_is_told_its_account_its_id_and_its_arn(aws):
    ann = aws.user("ann")
    aws.client("iam").update_user(UserName="ann", NewPath="/team/")
    user = aws.client("iam").get_user(UserName="ann")["User"]
    identity = aws.client("sts", ann).get_caller_identity()
    assert (identity["Account"], identity["UserId"]) == (ACCOUNT, user["UserId"])
    assert identity["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/team/ann"


@pytest.mark.parametrize("statements", [[], [deny("*")], [deny("sts:GetCallerIdentity")]])
def test_sts_13_no_policy_can_refuse_to_say_who_is_calling(aws, role, assume, statements):
    ann = aws.user("ann", *statements)
    aws.client("iam").put_user_permissions_boundary(
        UserName="ann", PermissionsBoundary="arn:aws:iam::aws:policy/AWSDenyAll"
    )
    assert aws.client("sts", ann).get_caller_identity()["Arn"].endswith(":user/ann")
    app = role("app", trusting(ACCOUNT), *statements)
    session = assume(None, app, PolicyArns=[{"arn": "arn:aws:iam::aws:policy/AWSDenyAll"}])
    assert aws.client("sts", session).get_caller_identity()["Arn"].endswith(":assumed-role/app/test")
    [record] = [event for event in aws.events("GetCallerIdentity") if event["userIdentity"]["type"] == "AssumedRole"]
    assert ("errorCode" in record, record["readOnly"]) == (False, True)


def test_who_does_not_sign_is_nobody(aws, refused):
    with refused("MissingAuthenticationToken"):
        aws.client("sts", signature_version=UNSIGNED).get_caller_identity()


def test_the_account_of_a_key_is_told_whatever_the_keys_state(aws, other, role, assume):
    sts, iam = aws.client("sts"), aws.client("iam")

    def account_of(key_id):
        return sts.get_access_key_info(AccessKeyId=key_id)["Account"]

    ann = aws.user("ann")
    assert account_of(ann.access_key_id) == ACCOUNT
    iam.update_access_key(UserName="ann", AccessKeyId=ann.access_key_id, Status="Inactive")
    assert account_of(ann.access_key_id) == ACCOUNT
    iam.delete_access_key(UserName="ann", AccessKeyId=ann.access_key_id)
    assert account_of(ann.access_key_id) == ACCOUNT
    assert account_of(other.access_key_id) == OTHER
    there = role("shared", trusting(ACCOUNT), credentials=other)
    assert account_of(assume(None, there).access_key_id) == OTHER
    assert aws.events("GetAccessKeyInfo")[-1]["requestParameters"] == {"accessKeyId": ann.access_key_id}


@pytest.mark.parametrize("key_id", ["AKIAIOSFODNN7EXAMPLE", "A" * 16, "x" * 128])
def test_a_key_of_no_account_here_is_not_valid(aws, refused, key_id):
    with refused("ValidationError", "The access key ID provided is not valid."):
        aws.client("sts").get_access_key_info(AccessKeyId=key_id)


@pytest.mark.parametrize(("statements", "is_let"), [([], False), ([allow("sts:GetAccessKeyInfo")], True)])
def test_whose_key_it_is_is_told_to_whom_it_is_allowed(aws, refused, statements, is_let):
    ann = aws.user("ann", *statements)
    sts = aws.client("sts", ann)
    if is_let:
        sts.get_access_key_info(AccessKeyId=ann.access_key_id)
    else:
        with refused("AccessDenied", "is not authorized to perform: sts:GetAccessKeyInfo because no identity-based"):
            sts.get_access_key_info(AccessKeyId=ann.access_key_id)
        assert aws.events("GetAccessKeyInfo")[0]["errorCode"] == "AccessDenied"


def test_a_key_that_is_no_key_is_an_unknown_one(aws, refused):
    for key_id in ("AKIA" + "A" * 16, "ASIA" + "A" * 16, "akia" + "A" * 16):
        with refused("InvalidClientTokenId"):
            aws.client("sts", Credentials(key_id, "x" * 40)).get_caller_identity()


def test_a_key_is_known_by_its_exact_spelling(aws, refused):
    ann = aws.user("ann")
    with refused("InvalidClientTokenId"):
        aws.client("sts", Credentials(ann.access_key_id.lower(), ann.secret_access_key)).get_caller_identity()
    with refused("IncompleteSignature"):
        look_alike = ann.access_key_id.replace("A", "\u0410")
        aws.client("sts", Credentials(look_alike, ann.secret_access_key)).get_caller_identity()
