"""GW-04: where a request comes from is the socket's word, or that of a proxy that was named."""

import json
from urllib.request import Request, urlopen

import pytest
from running import AWS, allow

ADDRESS = "203.0.113.9"


@pytest.fixture(scope="module")
def behind(tmp_path_factory):
    """An iamd that believes 127.0.0.1, and one that believes another proxy."""
    from running import Server

    started = {
        trusted: Server(
            tmp_path_factory.mktemp("proxied") / "data", "--backend", "none", "--dev", "--trusted-proxies", given
        )
        for trusted, given in ((True, "::ffff:127.0.0.1"), (False, "192.0.2.1"))
    }
    yield {trusted: AWS(server) for trusted, server in started.items()}
    for server in started.values():
        assert server.stop() == 0


def client(aws, credentials, **headers):
    """A client of STS whose requests have these headers too, unsigned, as a proxy adds them."""
    made = aws.client("sts", credentials, user_agent_extra=json.dumps(headers, sort_keys=True).replace(" ", ""))

    def add(request, **_):
        for name, value in headers.items():
            request.headers[name.replace("_", "-")] = value

    made.meta.events.register("before-send.sts", add)
    return made


def seen(aws, **headers):
    """Where a request with these headers came from, by its event."""
    answer = client(aws, None, **headers).get_caller_identity()
    request_id = answer["ResponseMetadata"]["RequestId"]
    events = aws.client("cloudtrail").lookup_events()["Events"]
    found = next(json.loads(event["CloudTrailEvent"]) for event in events if request_id in event["CloudTrailEvent"])
    return found["sourceIPAddress"]


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        (ADDRESS, ADDRESS),
        (f"10.0.0.1, {ADDRESS}", ADDRESS),
        (f"::ffff:{ADDRESS}", ADDRESS),
        ("2001:DB8::0001", "2001:db8::1"),
        # What is no address would fit every NotIpAddress: the proxy's own address counts.
        ("junk", "127.0.0.1"),
        (f"{ADDRESS}:1234", "127.0.0.1"),
        ("", "127.0.0.1"),
    ],
)
def test_a_named_proxy_is_believed_about_the_last_hop(behind, forwarded, address):
    assert seen(behind[True], X_Forwarded_For=forwarded) == address


@pytest.mark.parametrize("name", ["X_Forwarded_For", "Forwarded", "X_Real_IP", "True_Client_IP"])
def test_nobody_else_is_believed(behind, name):
    assert seen(behind[False], **{name: ADDRESS}) == "127.0.0.1"
    if name != "X_Forwarded_For":
        assert seen(behind[True], **{name: ADDRESS}) == "127.0.0.1"


@pytest.mark.parametrize("trusted", [True, False])
def test_policies_see_the_address_and_the_transport_that_a_named_proxy_tells(behind, trusted):
    aws = behind[trusted]
    aws.server.post("/_iamd/reset")
    here = allow(
        "sts:GetAccessKeyInfo", IpAddress={"aws:SourceIp": f"{ADDRESS}/32"}, Bool={"aws:SecureTransport": "true"}
    )
    user = aws.user("ann", here)
    told = {"X_Forwarded_For": ADDRESS, "X_Forwarded_Proto": "https"}

    def allowed(**headers):
        sts = client(aws, user, **headers)
        try:
            sts.get_access_key_info(AccessKeyId=user.access_key_id)
        except sts.exceptions.ClientError as error:
            return error.response["Error"]["Code"]
        return True

    assert allowed(**told) == (trusted or "AccessDenied")
    assert allowed(X_Forwarded_For=ADDRESS, X_Forwarded_Proto="http") == "AccessDenied"
    assert allowed(X_Forwarded_For=ADDRESS) == "AccessDenied"
    assert allowed(X_Forwarded_For="10.0.0.1", X_Forwarded_Proto="https") == "AccessDenied"


@pytest.mark.parametrize(
    ("options", "is_secure"),
    [
        ((), False),
        (("--loopback-is-secure",), True),
        # A proxy that is named says itself what its clients came over.
        (("--loopback-is-secure", "--trusted-proxies", "127.0.0.1"), False),
    ],
)
def test_policies_are_told_that_loopback_is_secure_when_a_setting_says_so(start, options, is_secure):
    aws = AWS(start("--backend", "none", *options))
    over_tls = allow("iam:ListUsers", Bool={"aws:SecureTransport": "true"})
    iam = aws.client("iam", aws.user("ann", over_tls, allow("iam:ListRoles", Bool={"aws:SecureTransport": "false"})))
    allowed, denied = (iam.list_users, iam.list_roles) if is_secure else (iam.list_roles, iam.list_users)
    allowed()
    with pytest.raises(iam.exceptions.ClientError, match="AccessDenied"):
        denied()


def test_the_host_that_a_client_names_stands_in_no_answer(behind):
    request = Request(
        behind[True].endpoint + "/?Action=Foo", headers={"Host": "evil.example", "X-Forwarded-Host": "evil.example"}
    )
    try:
        answer = urlopen(request, timeout=10)
    except OSError as error:
        answer = error
    with answer:
        assert b"evil.example" not in answer.read()
        assert "evil.example" not in str(answer.headers)
