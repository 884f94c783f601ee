"""DecodeAuthorizationMessage, with messages that EC2 sent; what is in them is in tests/gateway/test_denials.py."""

import json
from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError
from running import ACCOUNT, AWS, Credentials, Server, allow, deny

OTHER = "210987654321"
INVALID = "InvalidAuthorizationMessageException"
ENCODED = "Encoded authorization failure message: "


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    """An iamd with EC2 behind it; the users of its tests stay."""
    server = Server(tmp_path_factory.mktemp("cloud") / "data", "--backend", "moto", "--dev")
    yield AWS(server)
    assert server.stop() == 0


@pytest.fixture
def encoded(cloud) -> Callable[..., str]:
    """`encoded(credentials)` is the message that EC2 sends to who may not delete a volume."""

    def send(credentials: Credentials) -> str:
        with pytest.raises(ClientError) as caught:
            cloud.client("ec2", credentials).delete_volume(VolumeId="vol-0123456789abcdef0")
        message: str = caught.value.response["Error"]["Message"].partition(ENCODED)[2]
        assert message
        return message

    return send


def decode(cloud, message, credentials=None):
    answer = cloud.client("sts", credentials).decode_authorization_message(EncodedMessage=message)
    return json.loads(answer["DecodedMessage"])


def test_a_message_is_decoded_and_its_event_keeps_it(cloud, encoded):
    message = encoded(cloud.user("ann"))
    told = decode(cloud, message)
    assert (told["allowed"], told["explicitDeny"]) == (False, False)
    assert told["context"]["principal"]["arn"] == f"arn:aws:iam::{ACCOUNT}:user/ann"
    assert told["context"]["action"] == "ec2:DeleteVolume"
    [event] = cloud.events("DecodeAuthorizationMessage")
    assert (event["eventSource"], event["readOnly"]) == ("sts.amazonaws.com", True)
    assert event["requestParameters"] == {"encodedMessage": message}


def test_a_session_is_named_by_its_role_and_its_own_name(cloud, encoded):
    trust = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": trust})
    role = cloud.client("iam").create_role(RoleName="app", AssumeRolePolicyDocument=document)["Role"]
    answer = cloud.client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="one")
    principal = decode(cloud, encoded(Credentials.of(answer["Credentials"])))["context"]["principal"]
    assert principal == {
        "id": f"{role['RoleId']}:one",
        "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/app/one",
    }


def test_who_may_not_decode_is_denied(cloud, encoded):
    nobody = cloud.user("nobody")
    with pytest.raises(ClientError) as caught:
        cloud.client("sts", nobody).decode_authorization_message(EncodedMessage=encoded(nobody))
    assert caught.value.response["Error"] | {"Type": None} == {
        "Type": None,
        "Code": "AccessDenied",
        "Message": f"User: arn:aws:iam::{ACCOUNT}:user/nobody is not authorized to perform: "
        "sts:DecodeAuthorizationMessage because no identity-based policy allows the sts:DecodeAuthorizationMessage "
        "action",
    }
    decoder = cloud.user("decoder", allow("sts:DecodeAuthorizationMessage"), deny("ec2:*"))
    told = decode(cloud, encoded(decoder), decoder)
    assert told["explicitDeny"] is True


@pytest.mark.parametrize("message", ["x", "AQ", "A" * 10240, "AQ=="])
def test_what_iamd_did_not_make_is_not_valid(aws, refused, message):
    with refused(INVALID, "Message is not valid"):
        aws.client("sts").decode_authorization_message(EncodedMessage=message)


def test_a_message_that_was_altered_is_not_valid(cloud, encoded, refused):
    message = encoded(cloud.user("mallory"))
    other = "B" if message[40] == "A" else "A"
    for altered in (message[:-1], message + "A", message[:40] + other + message[41:], message[4:]):
        with refused(INVALID, "Message is not valid"):
            decode(cloud, altered)


def test_a_message_of_another_account_is_not_valid(cloud, encoded, refused):
    other = Credentials.of(cloud.iamd("CreateAccount", Name="other", AccountId=OTHER))
    message = encoded(cloud.user("alien"))
    assert decode(cloud, message)["allowed"] is False
    with refused(INVALID, "Message is not valid"):
        decode(cloud, message, other)


def test_another_sealed_text_is_not_valid(aws, refused):
    aws.user("ann")
    marker = aws.client("iam").list_users(MaxItems=1)["Marker"]
    with refused(INVALID, "Message is not valid"):
        aws.client("sts").decode_authorization_message(EncodedMessage=marker)


@pytest.mark.parametrize("length", [0, 10241])
def test_the_length_of_a_message_is_checked(aws, refused, length):
    with refused("ValidationError", "encodedMessage"):
        aws.client("sts", parameter_validation=False).decode_authorization_message(EncodedMessage="A" * length)
