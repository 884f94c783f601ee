"""Access keys: two per user, at once usable, at once inactive, at once gone."""

import base64
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError
from running import Credentials


@pytest.fixture
def ann(aws):
    """A user who may do everything with access keys, with a key."""
    return aws.user("ann", {"Effect": "Allow", "Action": ["iam:*AccessKey*", "sts:*"], "Resource": "*"})


def client_of(aws, key):
    """STS as the owner of a key calls it."""
    return aws.client("sts", Credentials.of(key))


def test_a_new_key_works_and_its_secret_is_shown_once(aws, iam):
    iam.create_user(UserName="bob")
    key = iam.create_access_key(UserName="bob")["AccessKey"]
    assert (key["UserName"], key["Status"]) == ("bob", "Active")
    assert key["AccessKeyId"].startswith("AKIA")
    assert len(key["AccessKeyId"]) == 20
    assert len(base64.b64decode(key["SecretAccessKey"])) == 30
    assert client_of(aws, key).get_caller_identity()["Arn"].endswith(":user/bob")
    listed = iam.list_access_keys(UserName="bob")["AccessKeyMetadata"]
    assert listed == [{name: key[name] for name in ("UserName", "AccessKeyId", "Status", "CreateDate")}]


def test_without_a_name_the_keys_are_the_callers(aws, ann):
    client = aws.client("iam", ann)
    key = client.create_access_key()["AccessKey"]
    assert key["UserName"] == "ann"
    assert key["AccessKeyId"] in {k["AccessKeyId"] for k in client.list_access_keys()["AccessKeyMetadata"]}
    client.update_access_key(AccessKeyId=key["AccessKeyId"], Status="Inactive")
    client.delete_access_key(AccessKeyId=key["AccessKeyId"])
    assert len(client.list_access_keys()["AccessKeyMetadata"]) == 1


def test_no_event_holds_a_secret(iam, event_of):
    iam.create_user(UserName="bob")
    answer = iam.create_access_key(UserName="bob")
    event = str(event_of(answer))
    assert answer["AccessKey"]["AccessKeyId"] in event
    assert answer["AccessKey"]["SecretAccessKey"] not in event


def test_a_third_key_is_refused(iam, refused):
    iam.create_user(UserName="bob")
    first = iam.create_access_key(UserName="bob")["AccessKey"]["AccessKeyId"]
    iam.create_access_key(UserName="bob")
    with refused("LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: 2"):
        iam.create_access_key(UserName="bob")
    iam.delete_access_key(UserName="bob", AccessKeyId=first)
    iam.create_access_key(UserName="bob")


def test_many_at_once_make_two_keys(iam):
    """Invariant PRN-06: keys are counted where they are written."""
    iam.create_user(UserName="bob")

    def create(_):
        try:
            return iam.create_access_key(UserName="bob")["AccessKey"]["AccessKeyId"]
        except ClientError as error:
            return error.response["Error"]["Code"]

    with ThreadPoolExecutor(8) as threads:
        outcomes = list(threads.map(create, range(50)))
    assert outcomes.count("LimitExceeded") == 48
    made = {outcome for outcome in outcomes if outcome != "LimitExceeded"}
    assert made == {key["AccessKeyId"] for key in iam.list_access_keys(UserName="bob")["AccessKeyMetadata"]}


def test_an_inactive_key_is_refused_until_it_is_active_again(aws, iam, refused):
    iam.create_user(UserName="bob")
    key = iam.create_access_key(UserName="bob")["AccessKey"]
    sts = client_of(aws, key)
    iam.update_access_key(UserName="bob", AccessKeyId=key["AccessKeyId"], Status="Inactive")
    assert iam.list_access_keys(UserName="bob")["AccessKeyMetadata"][0]["Status"] == "Inactive"
    with refused("InvalidClientTokenId"):
        sts.get_caller_identity()
    iam.update_access_key(UserName="bob", AccessKeyId=key["AccessKeyId"], Status="Active")
    sts.get_caller_identity()
    iam.delete_access_key(UserName="bob", AccessKeyId=key["AccessKeyId"])
    with refused("InvalidClientTokenId"):
        sts.get_caller_identity()


def test_a_key_cannot_be_made_expired(iam, world, refused):
    with refused("InvalidInput"):
        iam.update_access_key(UserName="ann", AccessKeyId=world.access_key_id, Status="Expired")


@pytest.mark.parametrize("operation", ["update_access_key", "delete_access_key"])
def test_a_key_is_reached_through_its_own_user_only(iam, world, refused, operation):
    status = {"Status": "Inactive"} if operation == "update_access_key" else {}
    with refused("NoSuchEntity", f"The Access Key with id {world.access_key_id} cannot be found."):
        getattr(iam, operation)(UserName="bob", AccessKeyId=world.access_key_id, **status)
    with refused("NoSuchEntity", f"The Access Key with id {world.access_key_id} cannot be found."):
        getattr(iam, operation)(AccessKeyId=world.access_key_id, **status)
    assert iam.list_access_keys(UserName="ann")["AccessKeyMetadata"][0]["Status"] == "Active"


def test_keys_are_listed_in_pages_the_oldest_first(aws, iam, paged):
    iam.create_user(UserName="bob")
    first = iam.create_access_key(UserName="bob")["AccessKey"]["AccessKeyId"]
    aws.advance(60)
    second = iam.create_access_key(UserName="bob")["AccessKey"]["AccessKeyId"]
    listed = paged(iam.list_access_keys, "AccessKeyMetadata", UserName="bob")
    assert [key["AccessKeyId"] for key in listed] == [first, second]


def test_the_last_use_of_a_key_says_when_where_and_for_what(aws, iam):
    iam.create_user(UserName="bob")
    key = iam.create_access_key(UserName="bob")["AccessKey"]
    never = iam.get_access_key_last_used(AccessKeyId=key["AccessKeyId"])
    assert (never["UserName"], never["AccessKeyLastUsed"]) == ("bob", {"Region": "N/A", "ServiceName": "N/A"})
    client_of(aws, key).get_caller_identity()
    used = iam.get_access_key_last_used(AccessKeyId=key["AccessKeyId"])["AccessKeyLastUsed"]
    assert (used["ServiceName"], used["Region"]) == ("sts", "us-east-1")
    assert used["LastUsedDate"] >= key["CreateDate"]


def test_the_last_use_of_a_key_that_is_not_the_accounts_is_denied(aws, iam, refused):
    """AWS's words, recorded in February 2026: there is no colon before the action."""
    with refused(
        "AccessDenied",
        f"User: {aws.client('sts').get_caller_identity()['Arn']} is not authorized to perform iam:GetAccessKeyLastUsed on resource: access key "
        "AKIAIOSFODNN7EXAMPLE",
    ):
        iam.get_access_key_last_used(AccessKeyId="AKIAIOSFODNN7EXAMPLE")


@pytest.mark.parametrize("operation", ["create_access_key", "list_access_keys"])
def test_the_user_must_exist(iam, refused, operation):
    with refused("NoSuchEntity", "The user with name nobody cannot be found."):
        getattr(iam, operation)(UserName="nobody")


def test_permission_on_ones_own_keys_is_not_permission_on_anothers(aws, iam, refused):
    """Bug class B02: a key for somebody else is decided on that user."""
    iam.create_user(UserName="bob")
    own = {"Effect": "Allow", "Action": "iam:CreateAccessKey", "Resource": "arn:aws:iam::*:user/${aws:username}"}
    client = aws.client("iam", aws.user("ann", own))
    client.create_access_key(UserName="ann")
    with refused("AccessDenied"):
        client.create_access_key(UserName="bob")
