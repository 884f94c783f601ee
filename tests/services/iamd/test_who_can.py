"""Who of an account may do something."""

import json

import pytest
from running import ACCOUNT, Credentials, Refusal, allow, deny

OTHER = "210987654321"
QUEUE = f"arn:aws:sqs:us-east-1:{ACCOUNT}:orders"
SEND = "sqs:SendMessage"


def named(kind, name, account=ACCOUNT):
    return f"arn:aws:iam::{account}:{kind}/{name}"


ROOT = f"arn:aws:iam::{ACCOUNT}:root"
ADMIN, ANN, BOB, APP = named("user", "admin"), named("user", "ann"), named("user", "bob"), named("role", "app")


def make_role(aws, name, *statements, trusted):
    iam = aws.client("iam")
    trust = {"Effect": "Allow", "Principal": {"AWS": trusted}, "Action": "sts:AssumeRole"}
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(trust))
    iam.put_role_policy(RoleName=name, PolicyName="test", PolicyDocument=document(*statements))


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def who_can(aws, action, resource, credentials=None, **more):
    return aws.iamd("WhoCan", credentials, Action=action, ResourceArn=resource, **more)


def allowed(answer):
    return {one["PrincipalArn"] for one in answer["Principals"] if one["Allowed"]}


def test_users_roles_and_the_root_user_are_asked_for_each_by_its_policies(aws):
    aws.user("ann", allow(SEND, QUEUE) | {"Sid": "Send"})
    aws.user("bob", allow(SEND, f"{QUEUE}-of-others"))
    make_role(aws, "app", allow("sqs:*"), trusted=ROOT)
    found = who_can(aws, SEND, QUEUE)
    assert allowed(found) == {ROOT, ADMIN, ANN, APP}
    assert (found["LookedAt"], found["IsTruncated"]) == (5, False)
    ann = next(one for one in found["Principals"] if one["PrincipalArn"] == ANN)
    assert (ann["Layer"], [one["Sid"] for one in ann["Statements"]]) == ("identity-based policy", ["Send"])
    assert allowed(who_can(aws, SEND, f"{QUEUE}-of-others")) == {ROOT, ADMIN, BOB, APP}
    assert allowed(who_can(aws, "sqs:ReceiveMessage", QUEUE)) == {ROOT, ADMIN, APP}


def test_a_deny_takes_a_principal_out(aws):
    aws.user("ann", allow("*"), deny(SEND))
    assert ANN not in {one["PrincipalArn"] for one in who_can(aws, SEND, QUEUE)["Principals"]}
    assert ANN in allowed(who_can(aws, "sqs:ReceiveMessage", QUEUE))


def test_whom_conditions_alone_keep_from_it_is_listed_with_them(aws):
    aws.user("ann", allow(SEND, Bool={"aws:MultiFactorAuthPresent": "true"}) | {"Sid": "Mfa"})
    answer = who_can(aws, SEND, QUEUE)
    [ann] = [one for one in answer["Principals"] if not one["Allowed"]]
    assert (ann["PrincipalArn"], ann["MissingKeys"]) == (ANN, ["aws:multifactorauthpresent"])
    [miss] = ann["NearMisses"]
    assert (miss["Sid"], miss["Conditions"][0]["Values"]) == ("Mfa", ["true"])
    with_mfa = {"aws:MultiFactorAuthPresent": ["true"]}
    assert ANN in allowed(who_can(aws, SEND, QUEUE, Context=with_mfa))


def test_a_condition_that_held_would_not_help_where_another_layer_does_not_allow(aws):
    iam = aws.client("iam")
    aws.user("ann", allow(SEND, Bool={"aws:MultiFactorAuthPresent": "true"}))
    iam.put_user_permissions_boundary(UserName="ann", PermissionsBoundary="arn:aws:iam::aws:policy/AmazonS3FullAccess")
    assert ANN not in {one["PrincipalArn"] for one in who_can(aws, SEND, QUEUE)["Principals"]}


def test_a_resources_policy_that_does_not_hold_may_be_what_keeps_one_from_it(aws):
    aws.user("ann")
    trust = {"Effect": "Allow", "Principal": {"AWS": ANN}, "Action": "sts:AssumeRole"}
    trust["Condition"] = {"StringEquals": {"sts:ExternalId": "7"}}
    aws.client("iam").create_role(RoleName="app", AssumeRolePolicyDocument=document(trust))
    [ann] = [one for one in who_can(aws, "sts:AssumeRole", APP)["Principals"] if not one["Allowed"]]
    assert (ann["PrincipalArn"], ann["MissingKeys"]) == (ANN, ["sts:externalid"])
    assert allowed(who_can(aws, "sts:AssumeRole", APP, Context={"sts:ExternalId": ["7"]})) == {ANN}


def test_what_rests_on_what_is_not_known_is_told(aws):
    aws.user("ann", allow("*"), deny("sqs:*", StringEquals={"aws:ResourceTag/secret": "yes"}))
    [ann] = [one for one in who_can(aws, SEND, QUEUE)["Principals"] if not one["Allowed"]]
    assert (ann["PrincipalArn"], ann["UnknownKeys"]) == (ANN, ["aws:resourcetag/secret"])


def listed(answer):
    """Those who might, in other circumstances."""
    return {one["PrincipalArn"] for one in answer["Principals"] if not one["Allowed"]}


def test_whom_the_conditions_of_a_deny_keep_from_it_is_listed(aws):
    aws.user("ann", allow("*"), deny("*", BoolIfExists={"aws:MultiFactorAuthPresent": "false"}) | {"Sid": "Mfa"})
    aws.user("bob", deny("*", BoolIfExists={"aws:MultiFactorAuthPresent": "false"}))
    aws.user("cat", allow("*"), deny("*", NotIpAddress={"aws:SourceIp": "203.0.113.0/24"}), deny("sqs:Send*"))
    answer = who_can(aws, SEND, QUEUE)
    [ann] = [one for one in answer["Principals"] if not one["Allowed"]]
    assert (ann["PrincipalArn"], ann["Layer"]) == (ANN, "identity-based policy")
    assert [(one["Effect"], one["Sid"]) for one in ann["Statements"]] == [("Deny", "Mfa")]
    assert ANN in allowed(who_can(aws, SEND, QUEUE, Context={"aws:MultiFactorAuthPresent": ["true"]}))


def test_conditions_on_who_asks_never_come_to_hold(cloud):
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="bucket")
    cloud.user("ann")
    cloud.user("bob", allow("s3:*"))
    only_ann = {"StringEquals": {"aws:PrincipalArn": ANN}}
    but_ann = {"StringNotEquals": {"aws:PrincipalArn": ANN}, "Bool": {"aws:SecureTransport": "true"}}
    statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::bucket/a*"}
    denial = statement | {"Effect": "Deny", "Resource": "arn:aws:s3:::bucket/ab", "Condition": but_ann}
    s3.put_bucket_policy(Bucket="bucket", Policy=document(statement | {"Condition": only_ann}, denial))
    found = who_can(cloud, "s3:GetObject", "arn:aws:s3:::bucket/a")
    assert (allowed(found), listed(found)) == ({ROOT, ADMIN, ANN, BOB}, set())
    # A Deny by two conditions of which one may fail.
    sure = {"aws:SecureTransport": ["true"]}
    found = who_can(cloud, "s3:GetObject", "arn:aws:s3:::bucket/ab", Context=sure)
    assert (allowed(found), listed(found)) == ({ANN}, {ROOT, ADMIN, BOB})
    denial["Condition"] = {"StringNotEquals": {"aws:PrincipalArn": ANN}}
    s3.put_bucket_policy(Bucket="bucket", Policy=document(statement | {"Condition": only_ann}, denial))
    found = who_can(cloud, "s3:GetObject", "arn:aws:s3:::bucket/ab")
    assert (allowed(found), listed(found)) == ({ANN}, set())


def test_what_a_key_policy_does_not_allow_no_condition_of_the_callers_allows(cloud):
    policy = document({"Effect": "Allow", "Principal": {"AWS": ADMIN}, "Action": "kms:*", "Resource": "*"})
    key = cloud.client("kms").create_key(Policy=policy)["KeyMetadata"]["Arn"]
    own = cloud.client("kms").create_key()["KeyMetadata"]["Arn"]
    cloud.user("ann", allow("kms:Decrypt", StringEquals={"kms:EncryptionContext:app": "7"}))
    assert (allowed(who_can(cloud, "kms:Decrypt", key)), listed(who_can(cloud, "kms:Decrypt", key))) == ({ADMIN}, set())
    assert listed(who_can(cloud, "kms:Decrypt", own)) == {ANN}


def test_a_role_that_trusts_the_account_under_conditions_needs_permissions_too(aws):
    aws.user("ann")
    aws.user("bob", allow("sts:AssumeRole"))
    trust = {"Effect": "Allow", "Principal": {"AWS": ROOT}, "Action": "sts:AssumeRole"}
    trust["Condition"] = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
    aws.client("iam").create_role(RoleName="app", AssumeRolePolicyDocument=document(trust))
    assert listed(who_can(aws, "sts:AssumeRole", APP)) == {ADMIN, BOB}


def test_the_conditions_of_another_accounts_policies_are_not_told(aws):
    other = Credentials.of(aws.iamd("CreateAccount", Name="other", AccountId=OTHER))
    aws.user("ann", allow("sts:AssumeRole"))
    aws.user("bob", allow("sts:AssumeRole", Bool={"aws:MultiFactorAuthPresent": "true"}))
    trust = {"Effect": "Allow", "Principal": {"AWS": ROOT}, "Action": "sts:AssumeRole"}
    conditional = trust | {"Condition": {"StringEquals": {"sts:ExternalId": "7"}}}
    for name, statement in (("open", trust), ("closed", conditional)):
        aws.client("iam", other).create_role(RoleName=name, AssumeRolePolicyDocument=document(statement))
    found = who_can(aws, "sts:AssumeRole", named("role", "open", OTHER))
    assert (allowed(found), listed(found)) == ({ADMIN, ANN}, {BOB})
    for name in ("closed", "missing"):
        assert who_can(aws, "sts:AssumeRole", named("role", name, OTHER))["Principals"] == []


def test_a_roles_trust_policy_counts(aws):
    aws.user("ann", allow("sts:AssumeRole"))
    make_role(aws, "app", allow("s3:*"), trusted=ANN)
    # The root user can assume no role, and who is not named by ARN needs a permission that a policy gives.
    assert allowed(who_can(aws, "sts:AssumeRole", APP)) == {ANN}


def test_pages_look_at_so_many_principals_each(aws):
    for number in range(4):
        aws.user(f"user-{number}", *([allow(SEND)] if number % 2 else []))
    listed, looked_at, marker = set(), [], {}
    while True:
        answer = who_can(aws, SEND, QUEUE, MaxItems=2, **marker)
        listed |= allowed(answer)
        looked_at.append(answer["LookedAt"])
        if not answer["IsTruncated"]:
            break
        marker = {"Marker": answer["Marker"]}
    assert listed == {ROOT, ADMIN, named("user", "user-1"), named("user", "user-3")}
    assert looked_at == [2, 2, 2]
    with pytest.raises(Refusal, match="Invalid Marker"):
        who_can(aws, "sqs:ReceiveMessage", QUEUE, **marker)
    with pytest.raises(Refusal, match="Invalid Marker"):
        who_can(aws, SEND, QUEUE, Context={"a:b": ["c"]}, **marker)


def test_an_account_is_told_of_its_own_principals(aws):
    other = Credentials.of(aws.iamd("CreateAccount", Name="other", AccountId=OTHER))
    aws.user("ann", allow(SEND))
    theirs = who_can(aws, SEND, f"arn:aws:sqs:us-east-1:{OTHER}:orders", other)
    assert {one["PrincipalArn"].split(":")[4] for one in theirs["Principals"]} == {OTHER}
    # Another account's queue is nobody's here without a policy of its own.
    assert allowed(who_can(aws, SEND, f"arn:aws:sqs:us-east-1:{OTHER}:orders")) == set()


@pytest.mark.parametrize(
    ("action", "resource", "complaint"),
    [
        ("sqs:SendMesage", QUEUE, "AWS has no action `sqs:SendMesage`; did you mean `sqs:SendMessage`?"),
        (SEND, "orders", "InvalidResource: `orders` is no ARN, and not `[*]`"),
    ],
)
def test_what_there_is_not_is_refused(aws, action, resource, complaint):
    with pytest.raises(Refusal, match=complaint):
        who_can(aws, action, resource)


def test_who_may_not_ask_is_denied(aws):
    ann = aws.user("ann", deny("iamd:WhoCan"), allow("sqs:*"))
    with pytest.raises(Refusal, match=f"{ANN} is not authorized to perform: iamd:WhoCan with an explicit deny"):
        who_can(aws, SEND, QUEUE, ann)
    [event] = aws.events("WhoCan")
    assert (event["eventSource"], event["errorCode"], event["readOnly"]) == (
        "iamd.amazonaws.com",
        "AccessDeniedException",
        True,
    )
    assert event["requestParameters"] == {"action": SEND, "resourceArn": QUEUE}
