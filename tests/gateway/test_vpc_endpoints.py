"""Requests that come through VPC endpoints: the endpoint's policy, the keys of the network, access points of a VPC, events.

AWS: PrivateLink Guide, "Control access to VPC endpoints using endpoint policies" (vpc-endpoints-access); IAM User Guide,
reference_policies_condition-keys, "Properties of the network".
"""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from botocore.exceptions import ClientError
from gateway.two_accounts import OTHER, code_of, error_of
from gateway.wire import Wire
from running import ACCOUNT, AWS, Server, allow, deny

OPEN, VPC = "vpce-0a0a0a0a0a0a0a0a0", "vpc-0a0a0a0a0a0a0a0a0"
NARROW, GATEWAY, AT_HOST, OTHERS = (f"vpce-{letter * 17}" for letter in "bcde")
INTERNAL = "queues.internal"
HOST = f"{AT_HOST}-x1y2.sqs.us-east-1.vpce.amazonaws.com"
NARROW_POLICY = json.dumps(
    {
        "Statement": [
            {"Effect": "Allow", "Principal": "*", "Action": ["s3:Get*", "s3:List*", "iam:*"], "Resource": "*"},
            {"Effect": "Deny", "Principal": "*", "Action": "iam:ListUsers", "Resource": "*"},
        ]
    }
)
ACCOUNTS_POLICY = json.dumps(
    {"Statement": [{"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "*", "Resource": "*"}]}
)
TABLES = f"""
trusted_proxies = ["127.0.0.1"]

[vpc_endpoints.{OPEN}]
account = "{ACCOUNT}"
vpc = "{VPC}"
services = ["s3", "com.amazonaws.iam", "sts", "com.amazonaws.us-east-1.sqs", "cloudformation"]
sources = ["10.0.1.0/24"]

[vpc_endpoints.{NARROW}]
account = "{ACCOUNT}"
vpc = "vpc-{"b" * 17}"
services = ["s3", "iam", "sts"]
sources = ["10.0.2.7", "fd00::/64"]
policy = '{NARROW_POLICY}'

[vpc_endpoints.{GATEWAY}]
account = "{ACCOUNT}"
vpc = "vpc-{"c" * 17}"
services = ["s3"]
sources = ["10.0.3.0/24"]
type = "Gateway"
policy = '{ACCOUNTS_POLICY}'

[vpc_endpoints.{AT_HOST}]
account = "{ACCOUNT}"
vpc = "vpc-{"d" * 17}"
services = ["sqs"]
sources = ["10.0.4.0/24"]
hosts = ["{HOST}", "{INTERNAL}"]

[vpc_endpoints.{OTHERS}]
account = "{OTHER}"
vpc = "vpc-{"e" * 17}"
services = ["s3"]
sources = ["10.0.6.0/24"]
policy_file = "POLICY"

[vpc_endpoints.app]
account = "{ACCOUNT}"
sources = ["10.0.5.0/24"]
"""
OUTSIDE = "203.0.113.9"


class Network(AWS):
    """An iamd behind a proxy that says where clients come from."""

    def client_at(self, address, service, credentials=None, host=None, **settings):
        """A client whose requests come from an address, and name a host where it is given."""
        client = self.client(service, credentials, user_agent_extra=f"{address}/{host}", **settings)

        def sent(request, **_):
            request.headers["X-Forwarded-For"] = address

        client.meta.events.register_last("before-send", sent, unique_id=address)
        if host is not None:
            client.meta.events.register_first(
                "before-sign", lambda request, **_: request.headers.__setitem__("Host", host), unique_id=host
            )
        return client


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    folder = tmp_path_factory.mktemp("endpoints")
    (folder / "policy.json").write_text(NARROW_POLICY)
    (folder / "iamd.toml").write_text(TABLES.replace("POLICY", str(folder / "policy.json")))
    with Server.serving(folder / "data", "--backend", "moto", "--dev", "--config", str(folder / "iamd.toml")) as server:
        yield Network(server)


@pytest.fixture
def cloud(running):
    with running.reset() as cloud:
        yield cloud


@pytest.fixture
def s3(cloud):
    owner = cloud.client("s3")
    owner.create_bucket(Bucket="files")
    owner.put_object(Bucket="files", Key="a", Body=b"data")
    return owner


def policy_of(cloud, bucket, *statements):
    told = [{**one, "Principal": "*"} for one in statements]
    cloud.client("s3").put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Statement": told}))


def keys_of(cloud, refusal, credentials=None):
    """The condition keys of a request that was refused."""
    return cloud.explain(refusal.response["ResponseMetadata"]["RequestId"], credentials)["Decisions"][-1]["Context"]


def may_call(call, **parameters):
    """Whether a call is allowed; every error but a denial is raised."""
    try:
        call(**parameters)
    except ClientError as error:
        if error.response["Error"]["Code"] != "AccessDenied":
            raise
        return False
    return True


def refusal_of(call, **parameters):
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    return caught.value


def test_what_comes_through_an_endpoint_has_its_keys_and_no_source_ip(cloud, s3):
    nobody = cloud.user("nobody")
    refusal = refusal_of(cloud.client_at("10.0.1.8", "s3", nobody).get_object, Bucket="files", Key="a")
    keys = keys_of(cloud, refusal)
    assert "aws:sourceip" not in keys
    expected = {
        "aws:sourcevpce": [OPEN],
        "aws:sourcevpc": [VPC],
        "aws:vpcsourceip": ["10.0.1.8"],
        "aws:vpceaccount": [ACCOUNT],
        "aws:sourcevpcarn": [f"arn:aws:ec2:us-east-1:{ACCOUNT}:vpc/{VPC}"],
    }
    assert {key: keys.get(key) for key in expected} == expected


def test_what_comes_otherwise_has_a_source_ip_and_no_keys_of_endpoints(cloud, s3):
    nobody = cloud.user("nobody")
    keys = keys_of(cloud, refusal_of(cloud.client_at(OUTSIDE, "s3", nobody).get_object, Bucket="files", Key="a"))
    assert keys["aws:sourceip"] == [OUTSIDE]
    assert not {key for key in keys if "vpc" in key}


def test_keys_that_a_service_does_not_have_are_not_there(cloud):
    """SQS has aws:VpceOrgID, and neither aws:VpceAccount nor aws:SourceVpcArn."""
    nobody = cloud.user("nobody")
    refusal = refusal_of(cloud.client_at("10.0.1.8", "sqs", nobody).create_queue, QueueName="q")
    keys = keys_of(cloud, refusal)
    assert keys["aws:sourcevpce"] == [OPEN]
    assert not {"aws:vpceaccount", "aws:sourcevpcarn", "aws:vpceorgid"} & keys.keys()


def test_the_endpoints_organization_is_told(cloud, s3):
    organization = cloud.client("organizations").create_organization(FeatureSet="ALL")["Organization"]
    root = cloud.client("organizations").list_roots()["Roots"][0]["Id"]
    nobody = cloud.user("nobody")
    keys = keys_of(cloud, refusal_of(cloud.client_at("10.0.1.8", "s3", nobody).get_object, Bucket="files", Key="a"))
    assert keys["aws:vpceorgid"] == [organization["Id"]]
    assert keys["aws:vpceorgpaths"] == [f"{organization['Id']}/{root}/"]


def test_a_bucket_can_be_kept_to_an_endpoint(cloud, s3):
    policy_of(cloud, "files", deny("s3:GetObject", "arn:aws:s3:::files/*", StringNotEquals={"aws:SourceVpce": OPEN}))
    assert error_of(cloud.client_at(OUTSIDE, "s3").get_object, Bucket="files", Key="a")
    assert cloud.client_at("10.0.1.8", "s3").get_object(Bucket="files", Key="a")["Body"].read() == b"data"


def test_an_endpoints_policy_must_allow(cloud, s3):
    near = cloud.client_at("10.0.2.7", "s3")
    assert near.get_object(Bucket="files", Key="a")["Body"].read() == b"data"
    refusal = refusal_of(near.put_object, Bucket="files", Key="b", Body=b"")
    assert refusal.response["Error"]["Message"].endswith(
        "because no VPC endpoint policy allows the s3:PutObject action"
    )
    decision = cloud.explain(refusal.response["ResponseMetadata"]["RequestId"])["Decisions"][-1]
    assert decision["Layer"] == "VPC endpoint policy"
    layers = {one["Layer"]: one for one in decision["Layers"]}
    assert layers["VPC endpoint policy"]["Policies"] == [f"VPC endpoint policy of {NARROW}"]


def test_addresses_of_version_6_are_sources_too(cloud, s3):
    assert code_of(cloud.client_at("fd00::9", "s3").put_object, Bucket="files", Key="b", Body=b"") == "AccessDenied"


def test_it_binds_requests_to_iamds_own_services(cloud):
    near = cloud.client_at("10.0.2.7", "iam")
    near.list_groups()
    refusal = refusal_of(near.list_users)
    assert refusal.response["Error"]["Message"].endswith("with an explicit deny in a VPC endpoint policy")
    writing = cloud.client_at("10.0.2.7", "sts")
    role = cloud.client("iam").create_role(
        RoleName="r",
        AssumeRolePolicyDocument=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"},
            }
        ),
    )["Role"]["Arn"]
    assumed = {"RoleArn": role, "RoleSessionName": "session"}
    assert error_of(writing.assume_role, **assumed)["Message"].endswith(
        "because no VPC endpoint policy allows the sts:AssumeRole action"
    )
    assert cloud.client_at("10.0.1.7", "sts").assume_role(**assumed)


def test_a_service_that_the_endpoint_is_not_for_is_reached_past_it(cloud):
    assert cloud.client_at("10.0.2.7", "sqs").create_queue(QueueName="q")


def test_another_region_is_reached_past_it_but_not_a_bucket_of_the_endpoints(cloud, s3):
    """Whoever signs for another Region reaches the bucket where it is, and by the endpoint that is before it."""
    far = cloud.client_at("10.0.2.7", "s3", region="eu-west-1")
    assert code_of(far.put_object, Bucket="files", Key="b", Body=b"") == "AccessDenied"
    far.create_bucket(Bucket="afar", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    assert far.put_object(Bucket="afar", Key="b", Body=b"")


def test_of_a_gateway_endpoint_an_account_means_its_root_user(cloud, s3):
    """AWS: PrivateLink Guide, "Principals for gateway endpoints"."""
    user = cloud.user("reader", allow("s3:*"))
    assert code_of(cloud.client_at("10.0.3.1", "s3", user).get_object, Bucket="files", Key="a") == "AccessDenied"
    assert cloud.client_at(OUTSIDE, "s3", user).get_object(Bucket="files", Key="a")


def test_deletions_of_many_keys_are_held_to_it_one_by_one(cloud, s3):
    told = cloud.client_at("10.0.2.7", "s3").delete_objects(Bucket="files", Delete={"Objects": [{"Key": "a"}]})
    assert [one["Code"] for one in told["Errors"]] == ["AccessDenied"]


def test_a_host_is_needed_beside_the_address_and_shows_nothing_alone(cloud):
    cloud.client("sqs").create_queue(QueueName="q")
    kept = allow("sqs:*", StringEquals={"aws:SourceVpce": AT_HOST})
    user = cloud.user("kept", kept)
    for address, host, may in [
        ("10.0.4.4", HOST, True),
        ("10.0.4.4", f"anything.{HOST}", True),
        ("10.0.4.4", None, False),
        (OUTSIDE, HOST, False),
    ]:
        client = cloud.client_at(address, "sqs", user, host=host)
        assert may_call(client.get_queue_url, QueueName="q") is may, (address, host)


def test_names_of_endpoints_lead_to_buckets(cloud, s3):
    """AWS: S3 User Guide, "AWS PrivateLink for Amazon S3"."""
    wire = Wire(cloud.server)
    for before, target in [("files.bucket.", "/a"), ("bucket.", "/files/a")]:
        host = f"{before}{OPEN}-x1y2.s3.us-east-1.vpce.amazonaws.com"
        assert wire.send("s3", "GET", target, host=host).body == b"data"
    wire.close()


def test_who_did_not_sign_is_held_to_it_too(cloud, s3):
    s3.delete_public_access_block(Bucket="files")
    policy_of(cloud, "files", allow("s3:*", "arn:aws:s3:::files/*"))
    wire = Wire(cloud.server)
    sent = [("host", "localhost"), ("x-forwarded-for", "10.0.2.7")]
    assert wire.send_unsigned("GET", "/files/a", sent).status == 200
    assert wire.send_unsigned("DELETE", "/files/a", sent).status == 403
    assert wire.send_unsigned("DELETE", "/files/a", sent[:1]).status == 204
    wire.close()


@pytest.mark.parametrize(
    ("service", "region", "host"),
    [("s3", "us-east-1", INTERNAL), ("sqs", "eu-west-1", INTERNAL), ("s3", "us-east-1", HOST)],
)
def test_what_is_sent_to_an_endpoint_reaches_no_other_service_and_region(cloud, service, region, host):
    near = cloud.client_at("10.0.4.4", service, host=host, region=region)
    call = near.list_buckets if service == "s3" else near.list_queues
    assert code_of(call) == "SignatureDoesNotMatch"


def test_a_point_of_a_vpc_is_open_to_what_comes_from_there(cloud, s3):
    control = cloud.client("s3control")
    named = {"AccountId": ACCOUNT, "Name": "inner"}
    alias = control.create_access_point(**named, Bucket="files", VpcConfiguration={"VpcId": VPC})["Alias"]
    assert cloud.client_at("10.0.1.8", "s3").get_object(Bucket=alias, Key="a")["Body"].read() == b"data"
    for elsewhere in (OUTSIDE, "10.0.2.7"):
        assert code_of(cloud.client_at(elsewhere, "s3").get_object, Bucket=alias, Key="a") == "AccessDenied"


def test_events_tell_of_the_endpoint(cloud, s3):
    cloud.client_at("10.0.6.3", "s3").get_bucket_acl(Bucket="files")
    cloud.client_at("10.0.1.8", "iam").list_groups()
    cloud.client("iam").list_roles()
    found = {one["eventName"]: one for one in cloud.events()}
    told = [
        (found[name].get("vpcEndpointId"), found[name].get("vpcEndpointAccountId"), found[name]["sourceIPAddress"])
        for name in ("GetBucketAcl", "ListGroups", "ListRoles")
    ]
    assert told == [(OTHERS, OTHER, "10.0.6.3"), (OPEN, ACCOUNT, "10.0.1.8"), (None, None, "127.0.0.1")]


def test_statements_of_another_accounts_endpoint_are_not_told(cloud, s3):
    refusal = refusal_of(cloud.client_at("10.0.6.3", "s3").put_object, Bucket="files", Key="b", Body=b"")
    decision = cloud.explain(refusal.response["ResponseMetadata"]["RequestId"])["Decisions"][-1]
    assert decision["Message"].endswith("because no VPC endpoint policy allows the s3:PutObject action")
    assert "VPC endpoint policy" not in [one["Layer"] for one in decision["Layers"]]


def test_what_a_service_asks_for_somebody_has_left_the_endpoint_behind(cloud):
    """AWS: IAM User Guide, aws:SourceVpce: "the source VPC endpoint of the initial request is not preserved"."""
    template = {"Resources": {"Q": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "made"}}}}
    user = cloud.user("maker", allow("cloudformation:*"), allow("sqs:*"))
    stacks = cloud.client_at("10.0.1.8", "cloudformation", user)
    stacks.create_stack(StackName="s", TemplateBody=json.dumps(template))
    stacks.get_waiter("stack_create_complete").wait(StackName="s", WaiterConfig={"Delay": 0.1, "MaxAttempts": 100})
    found = {one["eventName"]: one for one in cloud.events()}
    assert found["CreateStack"]["vpcEndpointId"] == OPEN
    assert "vpcEndpointId" not in found["CreateQueue"]


@pytest.fixture
def made(cloud):
    """EC2's client, and the id and VPC of an endpoint that it made with the name of a table."""
    ec2 = cloud.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    return ec2, make(ec2, vpc), vpc


def make(ec2, vpc, **given):
    tags = [{"ResourceType": "vpc-endpoint", "Tags": [{"Key": "Name", "Value": "app"}]}]
    name = "com.amazonaws.us-east-1.s3"
    made = ec2.create_vpc_endpoint(
        VpcId=vpc, ServiceName=name, VpcEndpointType="Interface", TagSpecifications=tags, **given
    )
    return made["VpcEndpoint"]["VpcEndpointId"]


def test_a_table_may_be_of_an_endpoint_that_the_api_makes(cloud, s3, made):
    _ec2, own_id, vpc = made
    near = cloud.client_at("10.0.5.5", "s3")
    assert near.put_object(Bucket="files", Key="b", Body=b"")
    event = next(one for one in cloud.events("PutObject") if one["sourceIPAddress"] == "10.0.5.5")
    assert (event["vpcEndpointId"], event["vpcEndpointAccountId"]) == (own_id, ACCOUNT)
    policy_of(cloud, "files", deny("s3:PutObject", "arn:aws:s3:::files/*", StringEquals={"aws:SourceVpc": vpc}))
    assert code_of(near.put_object, Bucket="files", Key="b", Body=b"") == "AccessDenied"


def test_it_is_for_its_service_alone(cloud, made):
    user = cloud.user("lister", allow("sqs:*", StringEquals={"aws:SourceVpce": made[1]}))
    assert not may_call(cloud.client_at("10.0.5.5", "sqs", user).list_queues)


def test_its_policy_is_what_the_api_was_told(cloud, s3, made):
    ec2, own_id, _vpc = made
    near = cloud.client_at("10.0.5.5", "s3")
    put = {"Bucket": "files", "Key": "b", "Body": b""}
    ec2.modify_vpc_endpoint(VpcEndpointId=own_id, PolicyDocument=NARROW_POLICY)
    assert error_of(near.put_object, **put)["Message"].endswith(
        "because no VPC endpoint policy allows the s3:PutObject action"
    )
    assert near.get_object(Bucket="files", Key="a")
    ec2.modify_vpc_endpoint(VpcEndpointId=own_id, ResetPolicy=True)
    assert near.put_object(**put)
    shown = ec2.describe_vpc_endpoints(VpcEndpointIds=[own_id])["VpcEndpoints"][0]["PolicyDocument"]
    assert json.loads(shown)["Statement"][0]["Action"] == "*"


def test_an_endpoint_is_made_with_its_policy(cloud, s3, made):
    ec2, own_id, vpc = made
    ec2.delete_vpc_endpoints(VpcEndpointIds=[own_id])
    policy_of(cloud, "files", deny("s3:GetObject", "arn:aws:s3:::files/*", Null={"aws:SourceVpce": "true"}))
    near = cloud.client_at("10.0.5.5", "s3")
    assert code_of(near.get_object, Bucket="files", Key="a") == "AccessDenied"
    make(ec2, vpc, PolicyDocument=NARROW_POLICY)
    assert near.get_object(Bucket="files", Key="a")
    assert code_of(near.put_object, Bucket="files", Key="b", Body=b"") == "AccessDenied"


@pytest.mark.parametrize(
    "text",
    [
        "{",
        json.dumps({"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}),
        json.dumps({"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]})
        + " " * 20480,
        json.dumps(
            {
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:user/nobody"},
                        "Action": "*",
                        "Resource": "*",
                    }
                ]
            }
        ),
    ],
)
def test_what_is_no_endpoint_policy_is_refused(cloud, made, text):
    ec2, own_id, vpc = made
    assert code_of(ec2.modify_vpc_endpoint, VpcEndpointId=own_id, PolicyDocument=text) == "InvalidPolicyDocument"
    given = {"VpcId": vpc, "ServiceName": "com.amazonaws.us-east-1.s3", "PolicyDocument": text}
    assert code_of(ec2.create_vpc_endpoint, **given) == "InvalidPolicyDocument"


@pytest.mark.parametrize("how", ["made", "modified"])
def test_whom_its_policy_names_is_no_namesake(cloud, s3, made, how):
    ec2, own_id, vpc = made
    everything, named = allow("s3:*"), {"AWS": f"arn:aws:iam::{ACCOUNT}:user/ann"}
    ann = cloud.client_at("10.0.5.5", "s3", cloud.user("ann", everything))
    text = json.dumps({"Statement": [{"Effect": "Allow", "Principal": named, "Action": "*", "Resource": "*"}]})
    if how == "made":
        ec2.delete_vpc_endpoints(VpcEndpointIds=[own_id])
        make(ec2, vpc, PolicyDocument=text)
    else:
        ec2.modify_vpc_endpoint(VpcEndpointId=own_id, PolicyDocument=text)
    assert ann.get_object(Bucket="files", Key="a")
    iam = cloud.client("iam")
    iam.delete_user_policy(UserName="ann", PolicyName=iam.list_user_policies(UserName="ann")["PolicyNames"][0])
    (found,) = iam.list_access_keys(UserName="ann")["AccessKeyMetadata"]
    iam.delete_access_key(UserName="ann", AccessKeyId=found["AccessKeyId"])
    iam.delete_user(UserName="ann")
    again = cloud.client_at("10.0.5.5", "s3", cloud.user("ann", everything))
    assert code_of(again.get_object, Bucket="files", Key="a") == "AccessDenied"


def test_who_may_not_modify_an_endpoint_leaves_its_policy_as_it_was(cloud, s3, made):
    _ec2, own_id, _vpc = made
    stranger = cloud.client("ec2", cloud.user("stranger", allow("ec2:Describe*")))
    assert code_of(stranger.modify_vpc_endpoint, VpcEndpointId=own_id, PolicyDocument=NARROW_POLICY)
    assert cloud.client_at("10.0.5.5", "s3").put_object(Bucket="files", Key="b", Body=b"")


def can(cloud, action, resource, **context):
    user = f"arn:aws:iam::{ACCOUNT}:user/asked"
    named = {f"aws:{key}": [value] for key, value in context.items()}
    told = cloud.iamd("Can", PrincipalArn=user, Action=action, ResourceArn=resource, Context=named)
    return told["Decision"]


def test_what_would_be_is_told_with_the_endpoints_policy_and_keys(cloud, s3):
    cloud.user("asked", allow(["s3:*", "sqs:*"]))
    decision = can(cloud, "s3:PutObject", "arn:aws:s3:::files/a", SourceVpce=NARROW)
    assert (decision["Outcome"], decision["Layer"]) == ("ImplicitlyDenied", "VPC endpoint policy")
    keys = decision["Context"]
    assert (keys["aws:sourcevpc"], keys["aws:vpceaccount"]) == ([f"vpc-{'b' * 17}"], [ACCOUNT])
    assert "aws:sourceip" not in keys
    assert can(cloud, "s3:GetObject", "arn:aws:s3:::files/a", SourceVpce=NARROW)["Outcome"] == "Allowed"
    # An endpoint that is not for the service, and one that is not the account's, have no say in the answer.
    queue = f"arn:aws:sqs:us-east-1:{ACCOUNT}:q"
    assert can(cloud, "sqs:SendMessage", queue, SourceVpce=NARROW)["Outcome"] == "Allowed"
    assert can(cloud, "s3:PutObject", "arn:aws:s3:::files/a", SourceVpce=OTHERS)["Outcome"] == "Allowed"


class Losing(BaseHTTPRequestHandler):
    """A backend that fails once: nobody knows what it did."""

    statuses = (500, 200)
    body = b"<Response><return>true</return></Response>"

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        status, *Losing.statuses = Losing.statuses
        self.send_response(status)
        self.send_header("content-length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def losing(tmp_path):
    """An iamd with one endpoint, whose policy its table does not tell, before a backend that fails."""
    backend = ThreadingHTTPServer(("127.0.0.1", 0), Losing)
    threading.Thread(target=backend.serve_forever, daemon=True).start()
    (tmp_path / "iamd.toml").write_text(
        f'[vpc_endpoints.{OPEN}]\naccount = "{ACCOUNT}"\nvpc = "{VPC}"\nservices = ["iam"]\nsources = ["127.0.0.1"]\n'
    )
    url = f"http://127.0.0.1:{backend.server_port}"
    with Server.serving(tmp_path / "data", "--backend", url, "--config", str(tmp_path / "iamd.toml")) as server:
        yield Network(server)
    backend.shutdown()
    backend.server_close()


def test_while_it_is_not_known_which_policy_an_endpoint_has_both_decide(losing):
    iam, ec2 = losing.client("iam"), losing.client("ec2")
    assert may_call(iam.list_users)
    refusal_of(ec2.modify_vpc_endpoint, VpcEndpointId=OPEN, PolicyDocument=NARROW_POLICY)
    assert not may_call(iam.list_users)
    assert may_call(iam.list_groups)
    ec2.modify_vpc_endpoint(VpcEndpointId=OPEN, ResetPolicy=True)
    assert may_call(iam.list_users)
