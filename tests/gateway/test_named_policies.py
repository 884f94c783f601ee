"""Resources that have several policies under names (named_policies.toml): kept one by one, and all of them count.

AWS: SES Developer Guide, "Using sending authorization with Amazon SES"; API References of SES, Rekognition, X-Ray and
CloudWatch Observability Access Manager as named_policies.toml and resource_policies.toml name them.
"""

import json

import pytest
from botocore.exceptions import ClientError
from gateway.counting import answer
from gateway.two_accounts import OTHER, code_of, everybody, policy, to, user_of
from running import ACCOUNT, REGION, allow, deny

IDENTITY = f"arn:aws:ses:{REGION}:{ACCOUNT}:identity/a.example"
ANN = f"arn:aws:iam::{ACCOUNT}:user/ann"
MAIL = {
    "Destination": {"ToAddresses": ["Bob <bob@b.example>"]},
    "Content": {"Simple": {"Subject": {"Data": "s"}, "Body": {"Text": {"Data": "t"}}}},
}
MAIL_V1 = {
    "Destination": {"ToAddresses": ["bob@b.example"]},
    "Message": {"Subject": {"Data": "s"}, "Body": {"Text": {"Data": "t"}}},
}


@pytest.fixture
def owner(cloud):
    """SES of an account that has the identity a.example."""
    client = cloud.client("sesv2")
    client.create_email_identity(EmailIdentity="a.example")
    return client


@pytest.fixture
def stranger(cloud, other):
    """A user of another account, whose own policy allows everything."""
    return user_of(cloud, other, "stranger", allow("*"))


def sending(effect=allow, principal=None, resource=IDENTITY, **condition):
    return policy(to(principal or {"AWS": OTHER}, effect("ses:SendEmail", resource, **condition)))


def send(client, sender="x@a.example", arn=IDENTITY, **given):
    """Send one message by an identity that is named; the error's code when it is refused."""
    named = {"FromEmailAddressIdentityArn": arn} if arn else {}
    try:
        client.send_email(FromEmailAddress=sender, **named, **(MAIL | given))
    except ClientError as error:
        return error.response["Error"]["Code"]
    return None


def put(client, name, text, operation="create_email_identity_policy", identity="a.example"):
    getattr(client, operation)(EmailIdentity=identity, PolicyName=name, Policy=text)


DENIED = "AccessDeniedException"


def test_each_of_an_identitys_policies_counts_for_another_account(cloud, owner, stranger, other):
    guest = cloud.client("sesv2", stranger)
    assert send(guest) == DENIED
    put(owner, "one", sending(StringEquals={"ses:FromAddress": "x@a.example"}))
    put(
        owner,
        "two",
        sending(effect=deny, principal="*", **{"ForAnyValue:StringLike": {"ses:Recipients": "*@c.example"}}),
    )
    assert send(guest) is None
    asks = {"Action": "ses:SendEmail", "ResourceArn": IDENTITY, "PrincipalArn": f"arn:aws:iam::{OTHER}:user/stranger"}
    for sender in ("x@a.example", "y@a.example"):
        told = cloud.iamd("Can", other, **asks, Context={"ses:FromAddress": [sender]})
        assert told["Allowed"] is (sender[0] == "x")
    assert send(guest, sender="y@a.example") == DENIED
    assert send(guest, Destination={"ToAddresses": ["bob@c.example"]}) == DENIED
    owner.delete_email_identity_policy(EmailIdentity="a.example", PolicyName="two")
    assert send(guest, Destination={"ToAddresses": ["bob@c.example"]}) is None
    owner.delete_email_identity_policy(EmailIdentity="a.example", PolicyName="one")
    assert send(guest) == DENIED


def test_version_one_of_the_api_sends_by_the_same_policies(cloud, owner, stranger):
    guest, arn = cloud.client("ses", stranger), {"SourceArn": IDENTITY}
    assert code_of(guest.send_email, Source="x@a.example", **arn, **MAIL_V1) == "AccessDenied"
    put(owner, "one", sending(StringEquals={"ses:ApiVersion": "1"}))
    assert guest.send_email(Source="X <x@a.example>", **arn, **MAIL_V1)["MessageId"]
    assert send(cloud.client("sesv2", stranger)) == DENIED
    # An address that is not of the identity is not sent from by its policy.
    assert code_of(guest.send_email, Source="x@b.example", **arn, **MAIL_V1) == "InvalidParameterValue"
    bounces = {"ReturnPath": "x@b.example", "ReturnPathArn": IDENTITY}
    assert code_of(guest.send_email, Source="x@a.example", **arn, **bounces, **MAIL_V1) == "InvalidParameterValue"


def raw(client, head="From: X <x@a.example>", **given):
    """Send a raw message; the error's code when it is refused."""
    data = f"{head}\r\nTo: bob@b.example\r\nSubject: s\r\n\r\nFrom: y@c.example\r\n"
    try:
        client.send_raw_email(RawMessage={"Data": data}, **{"Destinations": ["bob@b.example"], **given})
    except ClientError as error:
        return error.response["Error"]["Code"]
    return None


def test_a_raw_message_is_sent_by_the_identity_of_its_sender(cloud, owner, stranger):
    guest, arn = cloud.client("ses", stranger), {"SourceArn": IDENTITY}
    recipients = {"ForAllValues:StringLike": {"ses:Recipients": "*@b.example"}}
    conditions = {"StringEquals": {"ses:FromAddress": "x@a.example"}, **recipients}
    text = policy(to({"AWS": OTHER}, allow("ses:SendRawEmail", IDENTITY, **conditions)))
    assert raw(guest, **arn) == "AccessDenied"
    put(owner, "one", text)
    assert raw(guest, **arn) is None
    assert raw(guest, "fRoM: X\r\n <x@a.example>", FromArn=IDENTITY) is None
    assert raw(guest, "From: y@a.example", **arn) == "AccessDenied"
    assert raw(guest, Destinations=["bob@c.example"], **arn) == "AccessDenied"
    assert raw(guest, "From: x@c.example", **arn) == "InvalidParameterValue"
    assert raw(guest, Source="x@c.example", **arn) == "InvalidParameterValue"
    # Nobody can tell whose these are.
    ann = cloud.client("ses", cloud.user("ann", allow("ses:*", IDENTITY)))
    assert raw(ann) is None
    for head in (
        "From: x@a.example\r\nFrom: x@c.example",
        "From: x@a.example, x@c.example",
        "From: x@a.example\r\nSender: x@c.example",
        "From: x@a.example\r\nX-SES-FROM-ARN: arn:aws:ses:us-east-1:111122223333:identity/c.example",
        "From : x@c.example\r\nFrom: x@a.example",
        "Subject: s\x0bFrom: x@c.example\r\nFrom: x@a.example",
        "Subject: s\rFrom: x@c.example\r\nFrom: x@a.example",
    ):
        assert raw(guest, head, **arn) is not None, head
        assert raw(ann, head) == "AccessDenied", head


def test_a_policy_is_replaced_and_goes_with_its_identity(cloud, owner, other):
    owner.create_email_identity(EmailIdentity="b.example")
    for one in ("a.example", "b.example"):
        closed = sending(effect=deny, principal="*", resource=IDENTITY.replace("a.example", one))
        put(owner, "one", closed, identity=one)
        assert send(owner, f"x@{one}", None) == DENIED
    put(owner, "one", sending(), "update_email_identity_policy")
    assert send(owner, arn=None) is None
    put(owner, "one", sending(effect=deny, principal="*"), "update_email_identity_policy")
    assert send(owner) == DENIED
    cloud.client("ses").delete_identity(Identity="A.Example")
    owner.delete_email_identity(EmailIdentity="a.example")
    owner.create_email_identity(EmailIdentity="a.example")
    assert send(owner) is None
    assert send(owner, "x@b.example", None) == DENIED


def test_an_addresss_own_identity_comes_before_its_domains(cloud, owner):
    """AWS: SES Developer Guide, "Creating a sending authorization policy in Amazon SES"."""
    ann = cloud.client("sesv2", cloud.user("ann", allow("ses:SendEmail", IDENTITY)))
    assert send(ann, arn=None) is None
    cloud.client("ses").verify_email_identity(EmailAddress="x@a.example")
    assert send(ann, arn=None) == DENIED
    assert send(ann, sender="y@a.example", arn=None) is None
    put(owner, "own", sending(principal={"AWS": ANN}, resource=f"{IDENTITY[:-9]}x@a.example"), identity="x@a.example")
    assert send(ann, arn=None) is None


def test_whom_they_name_is_kept_by_id_and_shown_by_arn(cloud, owner, other):
    iam, _ = cloud.client("iam"), cloud.user("ann")
    gone = iam.get_user(UserName="ann")["User"]["UserId"]
    put(owner, "one", sending(principal={"AWS": ANN}))
    put(owner, "two", sending())
    iam.update_user(UserName="ann", NewUserName="anna")
    shown = owner.get_email_identity_policies(EmailIdentity="a.example")["Policies"]
    assert json.loads(shown["one"])["Statement"][0]["Principal"] == {"AWS": ANN + "a"}
    assert shown["two"] == sending()
    for key in iam.list_access_keys(UserName="anna")["AccessKeyMetadata"]:
        iam.delete_access_key(UserName="anna", AccessKeyId=key["AccessKeyId"])
    iam.delete_user(UserName="anna")
    shown = owner.get_email_identity(EmailIdentity="a.example")["Policies"]
    assert json.loads(shown["one"])["Statement"][0]["Principal"] == {"AWS": gone}
    assert send(cloud.client("sesv2", cloud.user("ann"))) == DENIED
    again = {"EmailIdentity": "a.example", "PolicyName": "one", "Policy": sending(principal={"AWS": ANN + "a"})}
    assert code_of(owner.update_email_identity_policy, **again) == "BadRequestException"


def test_limits_and_errors_of_an_identitys_policies(owner, other):
    given = {"EmailIdentity": "a.example"}
    create = owner.create_email_identity_policy
    assert code_of(create, **given, PolicyName="p", Policy='{"Statement": 1}') == "BadRequestException"
    assert code_of(create, **given, PolicyName="p", Policy=sending() + " " * 4096) == "BadRequestException"
    for number in range(20):
        put(owner, f"p{number}", sending())
    assert code_of(create, **given, PolicyName="p0", Policy=sending()) == "AlreadyExistsException"
    assert code_of(create, **given, PolicyName="p20", Policy=sending()) == "LimitExceededException"
    owner.delete_email_identity_policy(**given, PolicyName="p0")
    put(owner, "p20", sending())


def test_what_the_embedded_backend_does_not_serve_is_refused_and_counts_for_nothing(cloud, owner):
    ses, text = cloud.client("ses"), sending(effect=deny, principal="*")
    assert code_of(ses.put_identity_policy, Identity="a.example", PolicyName="p", Policy=text) == "NotImplemented"
    xray = cloud.client("xray")
    none = policy(everybody(deny("xray:GetGroups", "*")))
    assert code_of(xray.put_resource_policy, PolicyName="p", PolicyDocument=none) == "NotImplemented"
    assert send(owner) is None
    assert code_of(xray.get_groups) != DENIED


def test_version_one_sets_shows_and_deletes_them(counted):
    ann = counted.user("ann-of-named", allow("ses:SendEmail", IDENTITY))
    kept = sending(effect=deny, principal={"AWS": f"arn:aws:iam::{ACCOUNT}:user/ann-of-named"})
    for of in ("a.example", IDENTITY):
        counted.call("ses", "PutIdentityPolicy", {"Identity": of, "PolicyName": "p", "Policy": kept})
        source = {"Source": "x@a.example", "SourceArn": IDENTITY, **MAIL_V1}
        assert counted.call("ses", "SendEmail", source, ann).code == "AccessDenied"
        counted.aws.client("iam").update_user(UserName="ann-of-named", NewPath=f"/{len(of)}/")
        told = f"<entry><key>p</key><value>{kept}</value></entry>".replace('"', "&quot;")
        body = f"<R><GetIdentityPoliciesResult><Policies>{told}</Policies></GetIdentityPoliciesResult></R>"
        counted.backend.answers.append(answer(body.encode()))
        shown = counted.call("ses", "GetIdentityPolicies", {"Identity": of, "PolicyNames": ["p"]}).told
        assert f"user/{len(of)}/ann-of-named" in shown["Policies"]["p"]
        counted.call("ses", "DeleteIdentityPolicy", {"Identity": of, "PolicyName": "p"})
        assert counted.call("ses", "SendEmail", source, ann).code == ""
        counted.aws.client("iam").update_user(UserName="ann-of-named", NewPath="/")
    others = {"Identity": IDENTITY.replace(ACCOUNT, OTHER), "PolicyName": "p", "Policy": sending()}
    assert counted.call("ses", "PutIdentityPolicy", others).code == "InvalidParameterValue"


def test_x_rays_policies_are_those_of_the_account(counted):
    ann = counted.user("ann-of-x-ray", allow("xray:GetGroups"))
    arn = f"arn:aws:iam::{ACCOUNT}:user/ann-of-x-ray"

    def named(name, *statements, **more):
        given = {"PolicyName": name, "PolicyDocument": policy(*(to({"AWS": arn}, one) for one in statements)), **more}
        return counted.call("xray", "PutResourcePolicy", given)

    def uses(operation):
        return counted.call("xray", operation, {}, ann).code == ""

    assert (uses("GetGroups"), uses("GetSamplingRules")) == (True, False)
    named("one", deny("xray:GetGroups"))
    named("two", allow("xray:GetSamplingRules"))
    assert (uses("GetGroups"), uses("GetSamplingRules")) == (False, True)
    asks = {"PrincipalArn": arn, "ResourceArn": "*"}
    assert counted.aws.iamd("Can", **asks, Action="xray:GetGroups")["Allowed"] is False
    assert counted.aws.iamd("Can", **asks, Action="xray:GetSamplingRules")["Allowed"] is True
    for number in range(3):
        named(f"more{number}", allow("xray:GetSamplingRules"))
    assert named("six", allow("xray:GetSamplingRules")).code == "PolicyCountLimitExceededException"
    assert (
        named("one", allow("xray:GetGroups", f"arn:aws:xray:*:*:group/{'a' * 5200}")).code
        == "PolicySizeLimitExceededException"
    )
    whole = {"PolicyName": "one", "PolicyDocument": policy(everybody(deny("xray:PutResourcePolicy")))}
    assert counted.call("xray", "PutResourcePolicy", whole).code == "LockoutPreventionException"
    assert counted.call("xray", "PutResourcePolicy", {**whole, "BypassPolicyLockoutCheck": True}).code == ""
    for name in ("one", "two", "more0", "more1", "more2"):
        counted.call("xray", "DeleteResourcePolicy", {"PolicyName": name})
    assert (uses("GetGroups"), uses("GetSamplingRules")) == (True, False)


PROJECT = f"arn:aws:rekognition:{REGION}:{ACCOUNT}:project/p/1600000000000"
MODEL = f"arn:aws:rekognition:{REGION}:{ACCOUNT}:project/p/version/v/1600000000001"
INTO = f"arn:aws:rekognition:{REGION}:{OTHER}:project/q/1600000000002"
COPY = {
    "SourceProjectArn": PROJECT,
    "SourceProjectVersionArn": MODEL,
    "DestinationProjectArn": INTO,
    "VersionName": "v",
    "OutputConfig": {"S3Bucket": "bucket"},
}


def test_a_projects_policies_let_another_account_copy_its_models(counted):
    guest = counted.stranger()

    def named(name, *statements):
        given = {"ProjectArn": PROJECT, "PolicyName": name, "PolicyDocument": policy(*statements)}
        return counted.call("rekognition", "PutProjectPolicy", given)

    def copies(**more):
        done = counted.call("rekognition", "CopyProjectVersion", {**COPY, **more}, guest)
        return {one["Resource"]: one["Outcome"] for one in done.explain(guest)["Decisions"]}

    assert copies() == {INTO: "Allowed", MODEL: "ImplicitlyDenied"}
    named("one", to({"AWS": OTHER}, allow("rekognition:CopyProjectVersion", MODEL)))
    assert copies() == {INTO: "Allowed", MODEL: "Allowed"}
    named("two", everybody(deny("rekognition:CopyProjectVersion", MODEL)))
    assert copies()[MODEL] == "ExplicitlyDenied"
    another = {"SourceProjectArn": PROJECT.replace("/p/", "/r/")}
    assert counted.call("rekognition", "CopyProjectVersion", {**COPY, **another}, guest).code == "ValidationException"
    # A revision that is not the present one is the backend's to refuse: nothing changes.
    wrong = answer(b'{"__type": "InvalidPolicyRevisionIdException"}', "400 Bad Request")
    counted.backend.answers.append(wrong)
    counted.call("rekognition", "DeleteProjectPolicy", {"ProjectArn": PROJECT, "PolicyName": "two"})
    assert copies()[MODEL] == "ExplicitlyDenied"
    counted.call("rekognition", "DeleteProject", {"ProjectArn": PROJECT})
    assert copies()[MODEL] == "ImplicitlyDenied"


def test_which_policy_a_project_has_is_told_by_its_list(counted):
    """One whose setting was not answered."""
    ann = counted.user("ann-of-projects", allow("rekognition:DescribeProjectVersions"))
    project = PROJECT.replace("/p/", "/unsettled/")
    text = policy(everybody(deny("rekognition:DescribeProjectVersions", project)))
    uses = {"ProjectArn": project}
    counted.backend.answers.append(answer(b"{}", "500 Internal Server Error"))
    counted.call("rekognition", "PutProjectPolicy", {**uses, "PolicyName": "one", "PolicyDocument": text})
    assert counted.call("rekognition", "DescribeProjectVersions", uses, ann).code == DENIED
    listed = [{"PolicyName": "one", "PolicyDocument": policy(everybody(allow("rekognition:Nothing", project)))}]
    counted.backend.answers.append(answer(json.dumps({"ProjectPolicies": listed}).encode()))
    counted.call("rekognition", "ListProjectPolicies", uses)
    assert counted.call("rekognition", "DescribeProjectVersions", uses, ann).code == ""


SINK = f"arn:aws:oam:{REGION}:{ACCOUNT}:sink/0a1b2c3d-1111-2222-3333-444455556666"


def test_a_sinks_policy_lets_other_accounts_link_to_it(counted):
    guest = counted.stranger()
    link = {"SinkIdentifier": SINK, "LabelTemplate": "l", "ResourceTypes": ["AWS::Logs::LogGroup"]}

    def links(*types):
        done = counted.call("oam", "CreateLink", {**link, "ResourceTypes": list(types)}, guest)
        (decision,) = done.explain(guest)["Decisions"]
        assert decision["Resource"] == SINK
        return decision["Outcome"] == "Allowed"

    assert not links("AWS::Logs::LogGroup")
    of_logs = {"ForAllValues:StringEquals": {"oam:ResourceTypes": "AWS::Logs::LogGroup"}}
    text = policy(to({"AWS": OTHER}, allow(["oam:CreateLink", "oam:UpdateLink"], "*", **of_logs)))
    counted.call("oam", "PutSinkPolicy", {"SinkIdentifier": SINK, "Policy": text})
    assert links("AWS::Logs::LogGroup")
    assert not links("AWS::Logs::LogGroup", "AWS::XRay::Trace")
    counted.call("oam", "DeleteSink", {"Identifier": SINK})
    assert not links("AWS::Logs::LogGroup")


def test_a_build_projects_policy_goes_with_it(counted):
    """DeleteProject has the project by its name; AWS: CodeBuild API Reference."""
    ann = counted.user("ann-of-builds", allow("codebuild:*"))
    arn = f"arn:aws:codebuild:{REGION}:{ACCOUNT}:project/films"
    text = policy(everybody(deny("codebuild:UpdateProject", arn)))
    counted.call("codebuild", "PutResourcePolicy", {"resourceArn": arn, "policy": text})
    update = {"name": "films", "description": "d"}
    assert counted.call("codebuild", "UpdateProject", update, ann).code == DENIED
    assert counted.call("codebuild", "DeleteProject", {"name": "films"}).asked == [("codebuild:DeleteProject", arn)]
    assert counted.call("codebuild", "UpdateProject", update, ann).code == ""
    assert counted.call("codebuild", "DeleteProject", {"name": "films*"}).code == "InvalidInputException"
