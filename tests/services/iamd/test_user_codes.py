"""The codes that users of a user pool would be sent, for who may be told them."""

import time

import pytest
from gateway.pools import PASSWORD, a_pool, unsigned
from running import ACCOUNT, Credentials, Refusal, allow


def sign_up(cloud, client, name):
    mail = [{"Name": "email", "Value": f"{name}@example.com"}]
    given = {"ClientId": client, "Username": name, "Password": PASSWORD, "UserAttributes": mail}
    unsigned(cloud, "cognito-idp").sign_up(**given)


@pytest.fixture
def pool(cloud):
    """A pool with a user who has signed up."""
    pool, client = a_pool(cloud)
    sign_up(cloud, client, "ann")
    return pool


def arn_of(pool):
    return f"arn:aws:cognito-idp:us-east-1:{ACCOUNT}:userpool/{pool}"


def test_the_codes_of_a_pool_or_of_one_user_are_told(cloud):
    pool, client = a_pool(cloud)
    sign_up(cloud, client, "ann")
    sign_up(cloud, client, "bob")
    idp = cloud.client("cognito-idp")
    told = cloud.iamd("ListUserCodes", UserPoolId=pool)["Codes"]
    assert [(one["Username"], one["Purpose"]) for one in told] == [("ann", "SIGN_UP"), ("bob", "SIGN_UP")]
    [bob] = cloud.iamd("ListUserCodes", UserPoolId=pool, Username="bob")["Codes"]
    assert bob == told[1]
    assert bob["Destination"] == "bob@example.com"
    assert bob["Code"].isdecimal()
    assert len(bob["Code"]) == 6
    assert bob["ExpirationTime"] - time.time() == pytest.approx(86400, abs=600)
    idp.admin_delete_user(UserPoolId=pool, Username="bob")
    assert cloud.iamd("ListUserCodes", UserPoolId=pool, Username="bob")["Codes"] == []


def test_who_may_not_be_told_is_not(cloud, pool):
    arn = arn_of(pool)
    assert cloud.iamd("ListUserCodes", cloud.user("reader", allow("iamd:ListUserCodes", arn)), UserPoolId=pool)["Codes"]
    nobody = cloud.user("nobody", allow("cognito-idp:*"))
    with pytest.raises(Refusal, match=f"is not authorized to perform: iamd:ListUserCodes on resource: {arn} because"):
        cloud.iamd("ListUserCodes", nobody, UserPoolId=pool)


def test_a_pool_of_another_account_or_of_none_is_not_there(cloud, aws, pool):
    other = Credentials.of(cloud.iamd("CreateAccount", Name="other", AccountId="111122223333"))
    for credentials, name in ((other, pool), (None, "us-east-1_none"), (None, "nowhere_none")):
        with pytest.raises(Refusal) as caught:
            cloud.iamd("ListUserCodes", credentials, UserPoolId=name)
        assert (caught.value.status, caught.value.code) == (400, "NoSuchUserPool")
    with pytest.raises(Refusal, match="NoSuchUserPool"):
        aws.iamd("ListUserCodes", UserPoolId=pool)


def test_the_event_tells_no_code(cloud, pool):
    told = cloud.iamd("ListUserCodes", UserPoolId=pool)["Codes"]
    [event] = cloud.events("ListUserCodes")
    assert event["requestParameters"] == {"userPoolId": pool}
    assert event["responseElements"] is None
    assert not any(one["Code"] in str(event) for one in told)
