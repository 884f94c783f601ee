"""Who else may do something than users and roles by their own policies: by grants, and whom a resource lets in."""

import json
import random

import pytest
from botocore.exceptions import ClientError
from running import ACCOUNT, Credentials, Refusal, allow, deny

OTHER = "210987654321"
QUEUE = f"arn:aws:sqs:us-east-1:{ACCOUNT}:orders"
SEND = "sqs:SendMessage"
ROOT, ADMIN = (f"arn:aws:iam::{ACCOUNT}:{name}" for name in ("root", "user/admin"))


def named(kind, name, account=ACCOUNT):
    return f"arn:aws:iam::{account}:{kind}/{name}"


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def lets(principal, action=SEND, effect="Allow", resource="*", **condition):
    made = {"Effect": effect, "Principal": principal, "Action": action, "Resource": resource}
    return made | ({"Condition": condition} if condition else {})


def who_can(aws, action, resource, credentials=None, **more):
    return aws.iamd("WhoCan", credentials, Action=action, ResourceArn=resource, **more)


def can(aws, principal, action, resource, credentials=None, context=None):
    asked = {"PrincipalArn": principal, "Action": action, "ResourceArn": resource, "Context": context or {}}
    return aws.iamd("Can", credentials, **asked)["Allowed"]


def others(answer, *, allowed=True):
    return {(one["Kind"], one["Name"]) for one in answer["Others"] if one["Allowed"] is allowed}


def other(answer, kind):
    [found] = [one for one in answer["Others"] if one["Kind"] == kind]
    return found


def own(answer, *, allowed=True):
    return {one["PrincipalArn"] for one in answer["Principals"] if one["Allowed"] is allowed}


def principal(answer, arn):
    [found] = [one for one in answer["Principals"] if one["PrincipalArn"] == arn]
    return found


@pytest.fixture
def second(cloud):
    """The administrator of another account of the server."""
    return Credentials.of(cloud.iamd("CreateAccount", Name="other", AccountId=OTHER))


@pytest.fixture
def queue(cloud):
    """Gives the queue a policy."""
    sqs = cloud.client("sqs")
    url = sqs.create_queue(QueueName="orders")["QueueUrl"]

    def set_policy(*statements):
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": document(*statements)})
        return url

    return set_policy


def user_of(cloud, credentials, name, *statements):
    """A user of another account, with its key."""
    iam = cloud.client("iam", credentials)
    iam.create_user(UserName=name)
    if statements:
        iam.put_user_policy(UserName=name, PolicyName="test", PolicyDocument=document(*statements))
    return Credentials.of(iam.create_access_key(UserName=name)["AccessKey"])


# --- grants


@pytest.fixture
def key(cloud):
    return cloud.client("kms").create_key()["KeyMetadata"]["Arn"]


def policies_of(answer, user):
    """The policies of the statements that let a user, which name the account too."""
    return [one["Policy"] for one in principal(answer, named("user", user))["Statements"]]


def may(call, **parameters):
    try:
        call(**parameters)
    except ClientError as error:
        return "AccessDenied" not in error.response["Error"]["Code"]
    return True


def test_who_may_use_a_key_by_a_grant_alone_is_listed_with_the_grant(cloud, key):
    kms, ann = cloud.client("kms"), cloud.client("kms", cloud.user("ann"))
    cloud.user("bob")
    grant = kms.create_grant(KeyId=key, GranteePrincipal=named("user", "ann"), Operations=["Encrypt"])["GrantId"]
    found = who_can(cloud, "kms:Encrypt", key)
    assert own(found) == {ROOT, ADMIN, named("user", "ann")}
    assert policies_of(found, "ann") == [f"resource-based policy of {key}", f"grant {grant} of {key}"]
    assert can(cloud, named("user", "ann"), "kms:Encrypt", key)
    assert may(ann.encrypt, KeyId=key, Plaintext=b"m")
    assert own(who_can(cloud, "kms:Decrypt", key)) == {ROOT, ADMIN}
    # A grant to grant is bound to that grant.
    kms.create_grant(KeyId=key, GranteePrincipal=named("user", "bob"), Operations=["CreateGrant"])
    assert own(who_can(cloud, "kms:CreateGrant", key)) == {ROOT, ADMIN}
    kms.revoke_grant(KeyId=key, GrantId=grant)
    assert own(who_can(cloud, "kms:Encrypt", key)) == {ROOT, ADMIN}
    assert not can(cloud, named("user", "ann"), "kms:Encrypt", key)


@pytest.mark.parametrize(
    ("constraints", "given"),
    [
        ({"EncryptionContextSubset": {"app": "shop"}}, {"kms:EncryptionContext:app": ["shop"]}),
        (
            {"EncryptionContextEquals": {"app": "shop"}},
            {"kms:EncryptionContext:app": ["shop"], "kms:EncryptionContextKeys": ["app"]},
        ),
    ],
    ids=["a part", "the whole"],
)
def test_the_constraints_of_a_grant_are_its_conditions(cloud, key, constraints, given):
    cloud.user("ann")
    grant = cloud.client("kms").create_grant(
        KeyId=key, GranteePrincipal=named("user", "ann"), Operations=["Encrypt"], Constraints=constraints
    )["GrantId"]
    found = who_can(cloud, "kms:Encrypt", key)
    assert own(found, allowed=False) == {named("user", "ann")}
    ann = principal(found, named("user", "ann"))
    [miss] = ann["NearMisses"]
    assert miss["Policy"] == f"grant {grant} of {key}"
    assert [(one["Key"], one["Values"]) for one in miss["Conditions"]] == [("kms:encryptioncontext:app", ["shop"])]
    assert ann["Example"] == {"kms:encryptioncontext:app": ["shop"]}
    found = who_can(cloud, "kms:Encrypt", key, Context=given)
    assert own(found) == {ROOT, ADMIN, named("user", "ann")}
    [*_, statement] = principal(found, named("user", "ann"))["Statements"]
    shown = {one["Key"]: one["Values"] for one in statement["Conditions"]}
    assert shown["kms:encryptioncontext:app"] == ["shop"]
    wider = given | {"kms:EncryptionContextKeys": ["app", "more"]}
    is_exact = "EncryptionContextEquals" in constraints
    assert can(cloud, named("user", "ann"), "kms:Encrypt", key, context=wider) is not is_exact


def test_a_grant_is_retired_by_whom_it_names_and_by_whom_the_account_lets(cloud, key):
    """AWS: KMS Developer Guide, "Retiring and revoking grants" (grant-delete): the key policy does not matter."""
    kms, clients = cloud.client("kms"), {}
    for name, *statements in (("retirer",), ("grantee",), ("delegate", allow("kms:RetireGrant")), ("third",)):
        clients[name] = cloud.client("kms", cloud.user(name, *statements))
    mine = lets({"AWS": named("user", "third")}, "kms:RetireGrant")
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=document(lets({"AWS": ROOT}, "kms:*"), mine))
    names = {"GranteePrincipal": named("user", "grantee"), "RetiringPrincipal": named("user", "retirer")}
    grant = kms.create_grant(KeyId=key, Operations=["Encrypt", "RetireGrant"], **names)["GrantId"]
    plain = kms.create_grant(KeyId=key, Operations=["Encrypt"], GranteePrincipal=named("user", "third"))["GrantId"]
    found = who_can(cloud, "kms:retiregrant", key)
    assert own(found) == {ROOT, ADMIN, *(named("user", name) for name in ("retirer", "grantee", "delegate"))}
    for name in ("retirer", "grantee"):
        assert policies_of(found, name) == [f"resource-based policy of {key}", f"grant {grant} of {key}"]
    listed = {name: named("user", name) in own(found) for name in clients}
    for name in clients:
        assert can(cloud, named("user", name), "kms:RetireGrant", key) is listed[name]
    assert not may(clients["third"].retire_grant, KeyId=key, GrantId=grant)
    assert may(clients["delegate"].retire_grant, KeyId=key, GrantId=plain)
    assert may(clients["retirer"].retire_grant, KeyId=key, GrantId=grant)
    assert own(who_can(cloud, "kms:RetireGrant", key)) == {ROOT, ADMIN, named("user", "delegate")}


def test_a_key_policy_that_calls_itself_a_grant_is_none(cloud, key):
    cloud.user("ann")
    forged = json.loads(document(lets({"AWS": ROOT}, "kms:*"), lets({"AWS": named("user", "ann")}, "kms:Encrypt")))
    cloud.client("kms").put_key_policy(KeyId=key, PolicyName="default", Policy=json.dumps(forged | {"Id": "grant 1"}))
    assert set(policies_of(who_can(cloud, "kms:Encrypt", key), "ann")) == {f"resource-based policy of {key}"}


def test_a_grant_to_another_account_is_listed_and_needs_that_account_too(cloud, key, second):
    user_of(cloud, second, "eve", allow("kms:*"))
    user_of(cloud, second, "fay")
    for name in ("eve", "fay"):
        cloud.client("kms").create_grant(
            KeyId=key, GranteePrincipal=named("user", name, OTHER), Operations=["Encrypt", "RetireGrant"]
        )
    for action in ("kms:Encrypt", "kms:RetireGrant"):
        assert others(who_can(cloud, action, key)) == {("Principal", named("user", "eve", OTHER))}
        assert can(cloud, named("user", "eve", OTHER), action, key, second)
        assert not can(cloud, named("user", "fay", OTHER), action, key, second)


# --- whom a resource's own policy lets in


def test_another_account_may_hand_on_what_it_is_given_and_its_principals_are_decided(cloud, queue, second):
    eve = user_of(cloud, second, "eve", allow(SEND))
    user_of(cloud, second, "fay", allow(SEND), deny("sqs:*"))
    user_of(cloud, second, "gus")
    url = queue(lets({"AWS": OTHER}) | {"Sid": "Theirs"})
    found = who_can(cloud, SEND, QUEUE)
    theirs = {name: named("user", name, OTHER) for name in ("admin", "eve", "fay", "gus")}
    root = f"arn:aws:iam::{OTHER}:root"
    assert others(found) == {
        ("Account", OTHER),
        ("Principal", root),
        ("Principal", theirs["admin"]),
        ("Principal", theirs["eve"]),
    }
    account = other(found, "Account")
    assert (account["IfItsAccountAllows"], account["Layer"]) == (True, "resource-based policy")
    # What their own policies say is not told.
    for one in found["Others"]:
        assert [(each["Sid"], each["Layer"]) for each in one["Statements"]] == [("Theirs", "resource-based policy")]
    for one in (*theirs.values(), root):
        assert can(cloud, one, SEND, QUEUE, second) is (("Principal", one) in others(found))
    assert may(cloud.client("sqs", eve).send_message, QueueUrl=url, MessageBody="m")
    # Nothing of it is for the account's own principals.
    assert own(found) == {ROOT, ADMIN}


def test_one_principal_of_another_account_is_told_by_its_name(cloud, queue, second):
    user_of(cloud, second, "eve", allow(SEND))
    user_of(cloud, second, "fay", allow(SEND))
    queue(lets({"AWS": named("user", "eve", OTHER)}))
    assert others(who_can(cloud, SEND, QUEUE)) == {("Principal", named("user", "eve", OTHER))}
    cloud.client("iam", second).delete_user_policy(UserName="eve", PolicyName="test")
    assert others(who_can(cloud, SEND, QUEUE)) == set()


def test_an_account_that_was_added_is_told_nothing_of_others_but_what_its_policy_says(cloud, second):
    cloud.user("ann", allow(SEND))
    cloud.user("bob")
    sqs = cloud.client("sqs", second)
    url, arn = sqs.create_queue(QueueName="theirs")["QueueUrl"], f"arn:aws:sqs:us-east-1:{OTHER}:theirs"
    service = lets({"Service": "sns.amazonaws.com"}, resource=arn)
    policy = document(lets({"AWS": [named("user", "bob"), ACCOUNT]}, resource=arn), service)
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    found = who_can(cloud, SEND, arn, second)
    assert others(found) == {
        ("Account", ACCOUNT),
        ("Principal", named("user", "bob")),
        ("Service", "sns.amazonaws.com"),
    }
    assert all(one["IfItsAccountAllows"] for one in found["Others"] if one["Kind"] != "Service")
    # And those are told nothing of whom its policy names.
    assert who_can(cloud, SEND, arn)["Others"] == []
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": document(lets("*", resource=arn))})
    everybody = {("Anonymous", "*"), ("EveryAccount", "*"), ("EveryService", "*")}
    assert others(who_can(cloud, SEND, arn, second)) == everybody
    # Who is spared by a Deny is told by name as well.
    spared = {**lets("", effect="Deny", resource=arn), "NotPrincipal": {"AWS": [ACCOUNT, named("user", "bob")]}}
    del spared["Principal"]
    policy = document(lets("*", resource=arn), spared)
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    assert others(who_can(cloud, SEND, arn, second)) == {("Principal", named("user", "bob"))}


def test_services_are_listed_with_the_conditions_on_whom_they_act_for(cloud, queue):
    source = {"ArnLike": {"aws:SourceArn": "arn:aws:s3:::photos"}, "StringEquals": {"aws:SourceAccount": ACCOUNT}}
    queue(lets({"Service": "sns.amazonaws.com"}), lets({"Service": "s3.amazonaws.com"}, **source))
    found = who_can(cloud, SEND, QUEUE)
    assert others(found) == {("Service", "sns.amazonaws.com")}
    [s3] = [one for one in found["Others"] if not one["Allowed"]]
    assert (s3["Kind"], s3["Name"]) == ("Service", "s3.amazonaws.com")
    conditions = [(one["Key"], one["Values"]) for one in s3["NearMisses"][0]["Conditions"]]
    assert conditions == [("aws:sourcearn", ["arn:aws:s3:::photos"]), ("aws:sourceaccount", [ACCOUNT])]
    assert s3["Example"] == {"aws:sourcearn": ["arn:aws:s3:::photos"], "aws:sourceaccount": [ACCOUNT]}
    told = who_can(cloud, SEND, QUEUE, Context=s3["Example"])
    assert others(told) == {("Service", "sns.amazonaws.com"), ("Service", "s3.amazonaws.com")}
    # What it acts for is not known, so what forbids some of it may or may not hold.
    queue(
        lets({"Service": "sns.amazonaws.com"}),
        lets("*", effect="Deny", StringNotEquals={"aws:SourceAccount": ACCOUNT}),
    )
    assert others(who_can(cloud, SEND, QUEUE), allowed=False) == {("Service", "sns.amazonaws.com")}
    queue(lets({"Service": "sns.amazonaws.com"}, StringNotEquals={"aws:SourceAccount": OTHER}))
    assert others(who_can(cloud, SEND, QUEUE), allowed=False) == {("Service", "sns.amazonaws.com")}
    queue(lets({"Service": "sns.amazonaws.com"}), lets("*", effect="Deny", Bool={"aws:PrincipalIsAWSService": "true"}))
    assert who_can(cloud, SEND, QUEUE)["Others"] == []


def test_everybody_is_listed_as_such(cloud, queue):
    queue(lets("*") | {"Sid": "Public"})
    found = who_can(cloud, SEND, QUEUE)
    assert others(found) == {("Anonymous", "*"), ("EveryAccount", "*"), ("EveryService", "*")}
    assert [one["IfItsAccountAllows"] for one in found["Others"]] == [False, True, False]
    queue(lets({"AWS": "*"}, StringEquals={"aws:PrincipalOrgID": "o-1234567890"}))
    found = who_can(cloud, SEND, QUEUE)
    # Who has signed nothing is of no organization.
    assert others(found, allowed=False) == {("EveryAccount", "*")}
    assert other(found, "EveryAccount")["Example"] == {"aws:principalorgid": ["o-1234567890"]}


@pytest.mark.parametrize(
    ("condition", "kinds"),
    [
        ({"StringEquals": {"aws:PrincipalAccount": ACCOUNT}}, []),
        ({"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/*"}}, []),
        ({"StringEquals": {"aws:PrincipalTag/team": "a"}}, ["EveryAccount"]),
        ({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/app"}}, ["EveryAccount"]),
        ({"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{OTHER}:role/*"}}, ["EveryAccount"]),
        ({"StringEquals": {"aws:SourceAccount": ACCOUNT}}, ["EveryService"]),
        ({"StringEquals": {"aws:PrincipalServiceName": "s3.amazonaws.com"}}, ["EveryService"]),
        ({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, ["Anonymous", "EveryAccount"]),
    ],
    ids=str,
)
def test_of_everybody_those_are_left_whom_a_condition_can_mean(cloud, queue, condition, kinds):
    queue(lets("*", **condition))
    found = who_can(cloud, SEND, QUEUE)
    assert (others(found), others(found, allowed=False)) == (set(), {(kind, "*") for kind in kinds})


def test_an_account_that_is_let_in_as_one_of_its_roles_is_told_so(cloud, queue, second):
    only = {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{OTHER}:role/app"}}
    queue(lets({"AWS": OTHER}, **only))
    account = other(who_can(cloud, SEND, QUEUE), "Account")
    assert account["Example"] == {"aws:principalarn": [f"arn:aws:iam::{OTHER}:role/app"]}
    for never in (
        {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/app"}},
        {"Null": {"aws:PrincipalArn": "true"}},
    ):
        queue(lets({"AWS": OTHER}, **never))
        assert who_can(cloud, SEND, QUEUE)["Others"] == []


def test_the_tags_of_another_accounts_principal_are_not_told(cloud, queue, second):
    user_of(cloud, second, "eve", allow(SEND))
    cloud.client("iam", second).tag_user(UserName="eve", Tags=[{"Key": "team", "Value": "blue"}])
    queue(lets({"AWS": named("user", "eve", OTHER)}, StringEquals={"aws:PrincipalTag/team": "red"}))
    eve = other(who_can(cloud, SEND, QUEUE), "Principal")
    assert (eve["Allowed"], eve["NearMisses"][0]["Conditions"][0]["Found"]) == (False, [])
    cloud.client("iam", second).tag_user(UserName="eve", Tags=[{"Key": "team", "Value": "red"}])
    eve = other(who_can(cloud, SEND, QUEUE), "Principal")
    assert (eve["Allowed"], eve["Statements"][0]["Conditions"][0]["Found"]) == (True, [])


def test_keys_that_tell_of_the_account_are_known(cloud):
    cloud.user("ann", allow("s3:GetObject", StringEquals={"s3:ResourceAccount": ACCOUNT}))
    cloud.client("s3").create_bucket(Bucket="mine")
    assert named("user", "ann") in own(who_can(cloud, "s3:GetObject", "arn:aws:s3:::mine/a"))
    policy = document(lets({"AWS": "*"}, "kms:*", StringEquals={"kms:CallerAccount": ACCOUNT}))
    key = cloud.client("kms").create_key(Policy=policy)["KeyMetadata"]["Arn"]
    found = who_can(cloud, "kms:Decrypt", key)
    assert (own(found), found["Others"]) == ({ROOT, ADMIN, named("user", "ann")}, [])


def test_a_key_of_many_values_has_a_list_though_of_one(cloud, queue):
    tags = {"ForAnyValue:StringEquals": {"aws:TagKeys": "b"}}
    cloud.user("ann", allow(SEND, **tags), deny(SEND, StringNotEquals={"aws:TagKeys": "a"}))
    ann = principal(who_can(cloud, SEND, QUEUE), named("user", "ann"))
    assert ann["Example"] == {"aws:tagkeys": ["b"]}
    assert can(cloud, named("user", "ann"), SEND, QUEUE, context=ann["Example"])
    cloud.user("bob", allow(SEND, StringEquals={"aws:TagKeys": "b"}))
    assert not can(cloud, named("user", "bob"), SEND, QUEUE, context={"aws:TagKeys": ["b"]})


def test_a_service_that_takes_no_unsigned_requests_has_none_from_everybody(cloud):
    policy = document(lets({"AWS": ROOT}, "kms:*"), lets("*", "kms:Decrypt"))
    key = cloud.client("kms").create_key(Policy=policy)["KeyMetadata"]["Arn"]
    assert others(who_can(cloud, "kms:Decrypt", key)) == {("EveryAccount", "*"), ("EveryService", "*")}


def test_whom_a_deny_spares_is_asked_for_by_name(cloud, queue, second):
    user_of(cloud, second, "eve", allow(SEND))
    eve = named("user", "eve", OTHER)
    denial = {**lets(None, effect="Deny"), "NotPrincipal": {"AWS": [eve, OTHER, ROOT]}}
    del denial["Principal"]
    queue(lets("*"), denial)
    assert others(who_can(cloud, SEND, QUEUE)) >= {("Principal", eve)}
    assert ("Anonymous", "*") not in others(who_can(cloud, SEND, QUEUE))
    assert can(cloud, eve, SEND, QUEUE, second)


def test_a_session_that_a_policy_names_is_listed_besides_its_role(cloud, queue):
    trust = document({"Effect": "Allow", "Principal": {"AWS": ROOT}, "Action": "sts:AssumeRole"})
    cloud.client("iam").create_role(RoleName="app", AssumeRolePolicyDocument=trust)
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/app/nightly"
    queue(lets({"AWS": session}))
    found = who_can(cloud, SEND, QUEUE)
    assert (own(found), others(found)) == ({ROOT, ADMIN}, {("Session", session)})
    assert can(cloud, session, SEND, QUEUE)


def test_whom_an_access_control_list_gives_something_is_listed(cloud, second):
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="shared", ObjectOwnership="ObjectWriter")
    s3.delete_public_access_block(Bucket="shared")
    their_id = cloud.client("s3", second).list_buckets()["Owner"]["ID"]
    s3.put_bucket_acl(Bucket="shared", GrantRead=f"id={their_id}")
    found = who_can(cloud, "s3:ListBucket", "arn:aws:s3:::shared")
    assert others(found) >= {("Account", OTHER), ("Principal", named("user", "admin", OTHER))}
    assert who_can(cloud, "s3:GetBucketAcl", "arn:aws:s3:::shared")["Others"] == []
    s3.put_bucket_acl(Bucket="shared", ACL="public-read")
    assert ("Anonymous", "*") in others(who_can(cloud, "s3:ListBucket", "arn:aws:s3:::shared"))
    s3.put_bucket_acl(Bucket="shared", ACL="authenticated-read")
    found = others(who_can(cloud, "s3:ListBucket", "arn:aws:s3:::shared"))
    assert ("EveryAccount", "*") in found
    assert ("Anonymous", "*") not in found


def test_a_bucket_that_is_closed_to_the_public_lets_nobody_in(cloud):
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="closed")
    s3.delete_public_access_block(Bucket="closed")
    policy = lets("*", "s3:GetObject", resource="arn:aws:s3:::closed/*")
    s3.put_bucket_policy(Bucket="closed", Policy=document(policy))
    assert ("Anonymous", "*") in others(who_can(cloud, "s3:GetObject", "arn:aws:s3:::closed/a"))
    s3.put_public_access_block(Bucket="closed", PublicAccessBlockConfiguration={"RestrictPublicBuckets": True})
    # AWS: "Blocking public access to your Amazon S3 storage": services may still.
    assert others(who_can(cloud, "s3:GetObject", "arn:aws:s3:::closed/a")) == {("EveryService", "*")}


def test_providers_vouch_for_callers_of_their_own_operation_alone(cloud):
    iam = cloud.client("iam")
    arn = iam.create_open_id_connect_provider(Url="https://idp.example.com/a", ThumbprintList=["0" * 40])[
        "OpenIDConnectProviderArn"
    ]
    action = ["sts:AssumeRoleWithWebIdentity", "sts:AssumeRoleWithSAML", "sts:AssumeRole"]
    bound = {"StringEquals": {"idp.example.com/a:aud": "shop"}, "StringLike": {"idp.example.com/a:sub": "repo:*"}}
    google = {"StringEquals": {"accounts.google.com:aud": "shop"}}
    trust = [
        {"Effect": "Allow", "Principal": {"Federated": arn}, "Action": action, "Condition": bound},
        {"Effect": "Allow", "Principal": {"Federated": "accounts.google.com"}, "Action": action, "Condition": google},
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"},
    ]
    iam.create_role(RoleName="web", AssumeRolePolicyDocument=document(*trust))
    role = named("role", "web")
    found = who_can(cloud, "sts:AssumeRoleWithWebIdentity", role)
    assert others(found, allowed=False) == {("Federated", "accounts.google.com"), ("Federated", arn)}
    told = who_can(cloud, "sts:AssumeRoleWithWebIdentity", role, Context={"accounts.google.com:aud": ["shop"]})
    assert others(told) == {("Federated", "accounts.google.com")}
    [bound] = [one for one in found["Others"] if one["Name"] == arn]
    assert set(bound["UnknownKeys"]) == {"idp.example.com/a:aud", "idp.example.com/a:sub"}
    assert bound["Example"] == {"idp.example.com/a:aud": ["shop"], "idp.example.com/a:sub": ["repo:x"]}
    assert who_can(cloud, "sts:AssumeRoleWithSAML", role)["Others"] == []
    assert [one["Name"] for one in who_can(cloud, "sts:AssumeRole", role)["Others"]] == ["lambda.amazonaws.com"]


def _bucket(cloud, statement):
    cloud.client("s3").create_bucket(Bucket="kept")
    policy = statement("s3:GetObject", "arn:aws:s3:::kept/*")
    cloud.client("s3").put_bucket_policy(Bucket="kept", Policy=document(policy))
    return "s3:GetObject", "arn:aws:s3:::kept/a"


def _topic(cloud, statement):
    arn = cloud.client("sns").create_topic(Name="kept")["TopicArn"]
    text = document(statement("sns:Publish", arn))
    cloud.client("sns").set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=text)
    return "sns:Publish", arn


def _secret(cloud, statement):
    arn = cloud.client("secretsmanager").create_secret(Name="kept", SecretString="s")["ARN"]
    text = document(statement("secretsmanager:GetSecretValue", "*"))
    cloud.client("secretsmanager").put_resource_policy(SecretId=arn, ResourcePolicy=text)
    return "secretsmanager:GetSecretValue", arn


def _key(cloud, statement):
    policy = document(lets({"AWS": ROOT}, "kms:*"), statement("kms:Decrypt", "*"))
    return "kms:Decrypt", cloud.client("kms").create_key(Policy=policy)["KeyMetadata"]["Arn"]


def _bus(cloud, statement):
    arn = cloud.client("events").create_event_bus(Name="kept")["EventBusArn"]
    text = document({**statement("events:PutRule", f"{arn.replace('event-bus', 'rule')}/*"), "Sid": "s"})
    cloud.client("events").put_permission(EventBusName="kept", Policy=text)
    return "events:PutRule", f"{arn.replace('event-bus', 'rule')}/some"


def _table(cloud, statement):
    arn = cloud.client("dynamodb").create_table(
        TableName="kept",
        KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )["TableDescription"]["TableArn"]
    text = document(statement("dynamodb:Query", [arn, f"{arn}/index/*"]))
    cloud.client("dynamodb").put_resource_policy(ResourceArn=arn, Policy=text)
    return "dynamodb:Query", f"{arn}/index/some"


def _vectors(cloud, statement):
    cloud.client("s3vectors").create_vector_bucket(vectorBucketName="kept")
    arn = f"arn:aws:s3vectors:us-east-1:{ACCOUNT}:bucket/kept"
    text = document(statement("s3vectors:QueryVectors", f"{arn}/index/*"))
    cloud.client("s3vectors").put_vector_bucket_policy(vectorBucketName="kept", policy=text)
    return "s3vectors:QueryVectors", f"{arn}/index/some"


@pytest.mark.parametrize(
    "make", [_bucket, _topic, _secret, _key, _bus, _table, _vectors], ids=lambda make: make.__name__[1:]
)
def test_every_kind_of_resource_tells_whom_it_lets_in(cloud, second, make):
    action, arn = make(cloud, lambda action, resource: lets({"AWS": OTHER}, action, resource=resource))
    admin = named("user", "admin", OTHER)
    assert others(who_can(cloud, action, arn)) >= {("Account", OTHER), ("Principal", admin)}
    assert can(cloud, admin, action, arn, second)


def test_a_log_group_tells_which_services_write_to_it(cloud):
    statement = lets({"Service": "es.amazonaws.com"}, "logs:PutLogEvents")
    cloud.client("logs").put_resource_policy(policyName="p", policyDocument=document(statement))
    group = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:g:log-stream:s"
    assert others(who_can(cloud, "logs:PutLogEvents", group)) == {("Service", "es.amazonaws.com")}


def test_a_function_tells_which_services_invoke_it_for_whom(cloud):
    awslambda = cloud.client("lambda")
    trust = document({"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"})
    role = cloud.client("iam").create_role(RoleName="run", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    code = {"ZipFile": b"PK\x05\x06" + b"\0" * 18}
    arn = awslambda.create_function(FunctionName="kept", Runtime="python3.12", Role=role, Handler="a.b", Code=code)[
        "FunctionArn"
    ]
    invoke = {"FunctionName": "kept", "Action": "lambda:InvokeFunction"}
    awslambda.add_permission(
        **invoke, StatementId="s3", Principal="s3.amazonaws.com", SourceArn="arn:aws:s3:::b", SourceAccount=ACCOUNT
    )
    s3 = other(who_can(cloud, "lambda:InvokeFunction", arn), "Service")
    assert (s3["Name"], s3["Allowed"]) == ("s3.amazonaws.com", False)
    assert {one["Key"] for one in s3["NearMisses"][0]["Conditions"]} == {"aws:sourcearn", "aws:sourceaccount"}


def test_pages_go_on_from_the_accounts_principals_to_others(cloud, queue, second):
    queue(lets({"AWS": OTHER}), lets({"Service": "sns.amazonaws.com"}))
    whole = who_can(cloud, SEND, QUEUE)
    found, looked_at, marker = {"Principals": [], "Others": []}, 0, {}
    for _ in range(10):
        answer = who_can(cloud, SEND, QUEUE, MaxItems=1, **marker)
        assert len(answer["Principals"]) + len(answer["Others"]) <= 1
        found = {name: found[name] + answer[name] for name in found}
        looked_at += answer["LookedAt"]
        if not answer["IsTruncated"]:
            break
        marker = {"Marker": answer["Marker"]}
    assert (found, looked_at) == ({name: whole[name] for name in found}, whole["LookedAt"])


# --- the answer agrees with `can` of each


CONDITIONS = [
    {},
    {},
    {"Bool": {"aws:SecureTransport": "true"}},
    {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}},
    {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}},
    {"NotIpAddress": {"aws:SourceIp": "10.0.0.0/9"}, "Bool": {"aws:SecureTransport": "true"}},
    {"StringEquals": {"aws:PrincipalTag/team": "a"}, "StringNotEquals": {"aws:PrincipalTag/team": "a"}},
    {"StringLike": {"aws:PrincipalTag/team": "a*"}},
    {"StringNotLike": {"aws:PrincipalTag/team": "ab*"}},
    {"StringEquals": {"aws:PrincipalAccount": OTHER}},
    {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:user/*"}},
    {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
    {"ForAnyValue:StringEquals": {"aws:TagKeys": ["a", "b"]}, "ForAllValues:StringEquals": {"aws:TagKeys": ["b", "c"]}},
    {"DateGreaterThan": {"aws:CurrentTime": "2090-01-01T00:00:00Z"}},
    {"Null": {"aws:PrincipalTag/team": "true"}},
]
CONTEXTS = {
    "aws:SecureTransport": [["true"], ["false"]],
    "aws:MultiFactorAuthPresent": [["true"], ["false"], []],
    "aws:SourceIp": [["10.0.0.1"], ["10.200.0.1"], ["192.0.2.1"], []],
    "aws:PrincipalTag/team": [["a"], ["ab"], ["b"], []],
    "aws:TagKeys": [["a", "b"], ["b", "c"], ["b"], []],
    "aws:CurrentTime": [["2091-01-01T00:00:00Z"]],
}


@pytest.mark.parametrize("seed", [*range(12), 29, 76])
def test_the_answer_agrees_with_can_of_each(cloud, queue, second, seed):
    chance = random.Random(seed)

    def some(**more):
        effect = chance.choice(["Allow", "Allow", "Deny"])
        made = {"Effect": effect, "Action": SEND, "Resource": "*", **more}
        return made | ({"Condition": condition} if (condition := chance.choice(CONDITIONS)) else {})

    mine, theirs = ("ann", "bob", "cat"), ("eve", "fay")
    for name in mine:
        cloud.user(name, *(some() for _ in range(chance.randint(1, 3))))
    for name in theirs:
        user_of(cloud, second, name, *(some() for _ in range(chance.randint(1, 2))))
    trust = document({"Effect": "Allow", "Principal": {"AWS": ROOT}, "Action": "sts:AssumeRole"})
    cloud.client("iam").create_role(RoleName="app", AssumeRolePolicyDocument=trust)
    cloud.client("iam").put_role_policy(RoleName="app", PolicyName="p", PolicyDocument=document(some(), some()))
    people = [*(named("user", name) for name in mine), *(named("user", name, OTHER) for name in theirs)]
    people += [named("role", "app"), "*", OTHER]
    queue(*(some(Principal={"AWS": chance.choice(people)}) for _ in range(3)))
    found = who_can(cloud, SEND, QUEUE)
    listed = {one["PrincipalArn"]: one for one in found["Principals"]}
    listed |= {one["Name"]: one for one in found["Others"] if one["Kind"] == "Principal"}
    for arn in [ROOT, ADMIN, *people[:-2], named("user", "admin", OTHER)]:
        credentials = second if OTHER in arn else None
        one = listed.get(arn)
        assert can(cloud, arn, SEND, QUEUE, credentials) is bool(one and one["Allowed"])
        if one is None:
            for _ in range(12):
                context = {key: chance.choice(values) for key, values in CONTEXTS.items()}
                if arn == ROOT:
                    # Nothing tags a root user.
                    context["aws:PrincipalTag/team"] = []
                is_kept = OTHER in arn or can(cloud, arn, SEND, QUEUE, credentials, context)
                # Of another account's principals its own conditions stay as they are.
                assert OTHER in arn or not is_kept
        elif not one["Allowed"]:
            assert can(cloud, arn, SEND, QUEUE, credentials, one["Example"])


def test_who_is_not_of_the_account_is_told_to_nobody_by_can(cloud, second):
    with pytest.raises(Refusal, match="NoSuchPrincipal"):
        can(cloud, named("user", "admin", OTHER), SEND, QUEUE)
