"""What requests to KMS are decided on: keys by id, ARN, alias and ciphertext; key policies and grants.

AWS: KMS Developer Guide, "AWS KMS permissions", "Key policies in AWS KMS", "Grants in AWS KMS".
"""

import json

import pytest
from botocore.exceptions import ClientError
from gateway.condition_keys import Caller, Key, check
from gateway.counting import answer
from gateway.parameters import ACCOUNT, KEY, KEY_ID, REGION, ROLE
from gateway.two_accounts import OTHER, code_of, error_of, policy, to, user_of
from running import allow, deny

NEW_ID = "11111111-2222-3333-4444-555555555555"
NEW = KEY.replace(KEY_ID, NEW_ID)
ALIAS, ALIAS_ARN = "alias/app", f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/app"
EVERY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/*"
THEIRS = KEY.replace(ACCOUNT, "111122223333")
BLOB = KEY_ID.encode() + b"iv and tag and text"
METADATA = {
    "Arn": KEY, "KeyId": KEY_ID, "KeySpec": "SYMMETRIC_DEFAULT", "KeyUsage": "ENCRYPT_DECRYPT", "Origin": "AWS_KMS",
    "MultiRegion": False,
}  # fmt: skip


def on(resource, *actions):
    return [(f"kms:{action}", resource) for action in actions]


@pytest.fixture(scope="module", autouse=True)
def known(counted):
    """iamd has seen one key described, and an alias of it made."""
    counted.backend.answers.append(answer(json.dumps({"KeyMetadata": METADATA}).encode()))
    assert counted.call("kms", "DescribeKey", {"KeyId": KEY_ID}).status == 200
    assert counted.call("kms", "CreateAlias", {"AliasName": ALIAS, "TargetKeyId": KEY}).status == 200


CASES = [
    *[("Encrypt", {"KeyId": name, "Plaintext": b"m"}, on(KEY, "Encrypt")) for name in (KEY_ID, KEY, ALIAS, ALIAS_ARN)],
    ("Decrypt", {"KeyId": NEW, "CiphertextBlob": b"anything"}, on(NEW, "Decrypt")),
    ("Decrypt", {"CiphertextBlob": BLOB}, on(KEY, "Decrypt")),
    (
        "ReEncrypt",
        {"CiphertextBlob": BLOB, "DestinationKeyId": NEW},
        [*on(KEY, "ReEncryptFrom"), *on(NEW, "ReEncryptTo")],
    ),
    (
        "ReEncrypt",
        {"CiphertextBlob": b"anything", "SourceKeyId": NEW_ID, "DestinationKeyId": ALIAS},
        [*on(NEW, "ReEncryptFrom"), *on(KEY, "ReEncryptTo")],
    ),
    (
        "UpdateAlias",
        {"AliasName": ALIAS, "TargetKeyId": KEY},
        [*on(ALIAS_ARN, "UpdateAlias"), *on(KEY, "UpdateAlias")],
    ),
    ("CreateKey", {}, on("*", "CreateKey")),
    (
        "CreateKey",
        {"Tags": [{"TagKey": "team", "TagValue": "blue"}]},
        [*on("*", "CreateKey"), *on(EVERY, "TagResource")],
    ),
    ("ReplicateKey", {"KeyId": KEY, "ReplicaRegion": "eu-west-1"}, [*on(KEY, "ReplicateKey"), *on("*", "CreateKey")]),
    ("ListAliases", {"KeyId": KEY}, on("*", "ListAliases")),
    ("ListRetirableGrants", {"RetiringPrincipal": ROLE}, on(ROLE, "ListRetirableGrants")),
    ("GenerateRandom", {"NumberOfBytes": 8}, on("*", "GenerateRandom")),
]


@pytest.mark.parametrize(("name", "given", "wanted"), CASES)
def test_each_request_is_decided_on_what_it_touches(counted, name, given, wanted):
    told = counted.call("kms", name, given)
    assert told.asked == wanted
    assert told.sent > 0


def test_an_alias_is_followed_to_the_key_that_it_has_now(counted):
    more = {"AliasName": "alias/more"}
    arn = ALIAS_ARN.replace("app", "more")
    for name, given, wanted in (
        ("CreateAlias", {**more, "TargetKeyId": NEW_ID}, [*on(arn, "CreateAlias"), *on(NEW, "CreateAlias")]),
        (
            "UpdateAlias",
            {**more, "TargetKeyId": KEY},
            [*on(arn, "UpdateAlias"), *on(NEW, "UpdateAlias"), *on(KEY, "UpdateAlias")],
        ),
        ("DescribeKey", {"KeyId": "alias/more"}, on(KEY, "DescribeKey")),
        ("DeleteAlias", more, [*on(arn, "DeleteAlias"), *on(KEY, "DeleteAlias")]),
        ("DescribeKey", {"KeyId": "alias/more"}, on(EVERY, "DescribeKey")),
    ):
        told = counted.call("kms", name, given)
        assert told.asked == wanted
        assert told.sent > 0


def test_a_key_of_another_account_is_decided_on_as_its_owners(counted):
    for name, given in (
        ("Encrypt", {"Plaintext": b"m"}),
        ("CreateGrant", {"GranteePrincipal": ROLE, "Operations": []}),
    ):
        told = counted.call("kms", name, {"KeyId": THEIRS, **given})
        assert (told.asked, told.sent) == (on(THEIRS, name), 0)
        assert f"because no resource-based policy allows the kms:{name} action" in told.message


@pytest.mark.parametrize(
    ("identifier", "code"),
    [("*", "NotFoundException"), ("a/b", "NotFoundException"), ("alias/none", "NotFoundException"),
     ("alias/a*", "InvalidAliasNameException"), (f"{KEY}*", "InvalidArnException"),
     (KEY.replace(REGION, "eu-west-1"), "InvalidArnException"), (KEY.replace(":kms:", ":s3:"), "InvalidArnException"),
     (f"arn:aws:kms:{REGION}:{ACCOUNT}:key/", "InvalidArnException")],
)  # fmt: skip
def test_an_identifier_that_names_no_key_here_is_refused(counted, identifier, code):
    told = counted.call("kms", "Encrypt", {"KeyId": identifier, "Plaintext": b"m"})
    assert (told.status, told.code, told.sent) == (400, code, 0)


@pytest.mark.parametrize(
    "blob", [b"opaque", NEW_ID.encode() + b"of a key that nobody saw", KEY_ID.encode()[:-1] + b"*"]
)
def test_a_ciphertext_that_names_no_known_key_is_refused(counted, blob):
    told = counted.call("kms", "Decrypt", {"CiphertextBlob": blob})
    assert (told.status, told.code, told.sent) == (400, "ValidationException", 0)


def test_a_grant_is_retired_by_its_names_not_by_a_token(counted):
    told = counted.call("kms", "RetireGrant", {"GrantToken": "token"})
    assert (told.status, told.code, told.sent) == (400, "ValidationException", 0)


CONTEXT = {"EncryptionContext": {"app": "shop"}}
ENCRYPT = ("kms:Encrypt", "Encrypt")
PLAIN = {"KeyId": KEY, "Plaintext": b"m"}
GRANT = {"KeyId": KEY, "GranteePrincipal": ROLE, "Operations": ["Decrypt"]}
KEYS = [
    Key("kms:EncryptionContext:app", "shop", *ENCRYPT, PLAIN | CONTEXT, PLAIN),
    Key("kms:EncryptionContextKeys", "app", *ENCRYPT, PLAIN | CONTEXT, PLAIN, "ForAnyValue:StringEquals"),
    Key("kms:EncryptionContext:app", "shop", "kms:ReEncryptFrom", "ReEncrypt",
        {"CiphertextBlob": BLOB, "DestinationKeyId": NEW, "SourceEncryptionContext": {"app": "shop"}},
        {"CiphertextBlob": BLOB, "DestinationKeyId": NEW, "DestinationEncryptionContext": {"app": "shop"}}),
    Key("kms:ReEncryptOnSameKey", "true", "kms:ReEncryptTo", "ReEncrypt",
        {"CiphertextBlob": BLOB, "DestinationKeyId": KEY}, {"CiphertextBlob": BLOB, "DestinationKeyId": NEW}, "Bool"),
    Key("kms:EncryptionAlgorithm", "SYMMETRIC_DEFAULT", *ENCRYPT, PLAIN,
        PLAIN | {"EncryptionAlgorithm": "RSAES_OAEP_SHA_256"}),
    Key("kms:RequestAlias", ALIAS, *ENCRYPT, PLAIN | {"KeyId": ALIAS_ARN}, PLAIN),
    Key("kms:KeySpec", "RSA_2048", "kms:CreateKey", "CreateKey", {"KeySpec": "RSA_2048"}, {}),
    Key("kms:KeyUsage", "ENCRYPT_DECRYPT", "kms:CreateKey", "CreateKey", {}, {"KeyUsage": "SIGN_VERIFY"}),
    Key("kms:MultiRegion", "true", "kms:CreateKey", "CreateKey", {"MultiRegion": True}, {}, "Bool"),
    Key("kms:BypassPolicyLockoutSafetyCheck", "true", "kms:CreateKey", "CreateKey",
        {"BypassPolicyLockoutSafetyCheck": True}, {}, "Bool"),
    Key("kms:GrantOperations", "Decrypt", "kms:CreateGrant", "CreateGrant", GRANT, GRANT | {"Operations": ["Encrypt"]},
        "ForAllValues:StringEquals"),
    Key("kms:GrantConstraintType", "EncryptionContextSubset", "kms:CreateGrant", "CreateGrant",
        GRANT | {"Constraints": {"EncryptionContextSubset": {"a": "b"}}}, GRANT),
    Key("kms:ScheduleKeyDeletionPendingWindowInDays", "30", "kms:ScheduleKeyDeletion", "ScheduleKeyDeletion",
        {"KeyId": KEY}, {"KeyId": KEY, "PendingWindowInDays": 7}, "NumericEquals"),
    Key("kms:ReplicaRegion", "eu-west-1", "kms:ReplicateKey", "ReplicateKey",
        {"KeyId": KEY, "ReplicaRegion": "eu-west-1"}, {"KeyId": KEY, "ReplicaRegion": "eu-west-2"}),
    Key("aws:RequestTag/team", "blue", "kms:TagResource", "TagResource",
        {"KeyId": KEY, "Tags": [{"TagKey": "team", "TagValue": "blue"}]},
        {"KeyId": KEY, "Tags": [{"TagKey": "team", "TagValue": "red"}]}),
]  # fmt: skip


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_a_key_has_its_value_and_decides(counted, key):
    name = f"kms-{key.name.replace(':', '-').replace('/', '-')[-40:]}-{key.operation}"
    check(Caller.new(counted, name), "kms", key)


def test_the_callers_account_is_a_key_of_each_request(counted):
    assert counted.call("kms", "Encrypt", PLAIN).context("kms:Encrypt")["kms:calleraccount"] == ACCOUNT


def test_what_a_key_is_counts_once_it_was_seen_and_allows_nothing_before(counted):
    caller = Caller.new(counted, "kms-of-key")
    caller.may(allow("kms:Encrypt", StringEquals={"kms:KeySpec": "SYMMETRIC_DEFAULT"}))
    assert caller.call("kms", "Encrypt", PLAIN).sent > 0
    assert caller.call("kms", "Encrypt", {**PLAIN, "KeyId": NEW}).sent == 0
    caller.may(allow("kms:*"), deny("kms:Encrypt", StringEquals={"kms:KeySpec": "RSA_2048"}))
    assert caller.call("kms", "Encrypt", PLAIN).sent > 0
    assert caller.call("kms", "Encrypt", {**PLAIN, "KeyId": NEW}).sent == 0


# Key policies, before the embedded backend.

ROOT = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}


def user_arn(name):
    return {"AWS": f"arn:aws:iam::{ACCOUNT}:user/{name}"}


def may(call, **parameters):
    """Whether KMS lets it; any other error than a denial is one."""
    try:
        call(**parameters)
    except ClientError as error:
        if error.response["Error"]["Code"] != "AccessDeniedException":
            raise
        return False
    return True


@pytest.fixture
def kms(cloud):
    return cloud.client("kms")


def test_the_default_policy_leaves_it_to_identity_policies(cloud, kms):
    key = kms.create_key()["KeyMetadata"]["Arn"]
    able, plain = cloud.client("kms", cloud.user("able", allow("kms:*"))), cloud.client("kms", cloud.user("plain"))
    encrypt = {"KeyId": key, "Plaintext": b"m"}
    assert (may(able.encrypt, **encrypt), may(plain.encrypt, **encrypt)) == (True, False)


def test_without_the_accounts_statement_identity_policies_allow_nothing(cloud, kms):
    """AWS: "Allows access to the AWS account and enables IAM policies" (key-policy-default)."""
    named = to(user_arn("named"), allow("kms:*", "*"))
    cloud.user("named")
    key = cloud.client("kms").create_key(Policy=policy(named), BypassPolicyLockoutSafetyCheck=True)
    encrypt = {"KeyId": key["KeyMetadata"]["KeyId"], "Plaintext": b"m"}
    assert not may(kms.encrypt, **encrypt)
    assert not may(kms.put_key_policy, KeyId=encrypt["KeyId"], PolicyName="default", Policy=policy(named))


def test_a_key_policy_that_names_a_user_is_enough_for_that_user(cloud, kms):
    caller = cloud.client("kms", cloud.user("named"))
    text = policy(to(ROOT, allow("kms:*", "*")), to(user_arn("named"), allow("kms:Encrypt", "*")))
    key = kms.create_key(Policy=text)["KeyMetadata"]["KeyId"]
    assert may(caller.encrypt, KeyId=key, Plaintext=b"m")
    assert not may(caller.describe_key, KeyId=key)
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=policy(to(ROOT, allow("kms:*", "*"))))
    assert not may(caller.encrypt, KeyId=key, Plaintext=b"m")


def test_a_key_across_accounts_needs_both_sides(cloud, kms, other):
    key = kms.create_key()["KeyMetadata"]["Arn"]
    able = cloud.client("kms", user_of(cloud, other, "able", allow("kms:*")))
    plain = cloud.client("kms", user_of(cloud, other, "plain"))
    encrypt = {"KeyId": key, "Plaintext": b"m"}
    assert not may(able.encrypt, **encrypt)
    text = policy(to(ROOT, allow("kms:*", "*")), to({"AWS": OTHER}, allow("kms:Encrypt", "*")))
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=text)
    assert (may(able.encrypt, **encrypt), may(plain.encrypt, **encrypt)) == (True, False)
    assert not may(able.describe_key, KeyId=key)


def test_a_policy_that_shuts_its_caller_out_is_refused_unless_that_is_wanted(cloud, kms):
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    shut = {"KeyId": key, "PolicyName": "default", "Policy": policy(to(user_arn("admin"), allow("kms:Get*", "*")))}
    assert code_of(kms.put_key_policy, **shut) == "MalformedPolicyDocumentException"
    assert code_of(kms.create_key, Policy=shut["Policy"]) == "MalformedPolicyDocumentException"
    assert code_of(kms.create_key, Policy="{}") == "MalformedPolicyDocumentException"
    kms.put_key_policy(**shut, BypassPolicyLockoutSafetyCheck=True)
    assert not may(kms.describe_key, KeyId=key)
    assert may(kms.get_key_policy, KeyId=key, PolicyName="default")


def test_an_alias_and_a_ciphertext_lead_to_the_keys_policy(cloud, kms):
    caller = cloud.client("kms", cloud.user("caller", allow("kms:Decrypt")))
    first, second = (kms.create_key()["KeyMetadata"]["KeyId"] for _ in range(2))
    text = policy(to(ROOT, allow("kms:*", "*")), to(user_arn("caller"), deny("kms:Decrypt", "*")))
    kms.put_key_policy(KeyId=second, PolicyName="default", Policy=text)
    kms.create_alias(AliasName="alias/it", TargetKeyId=first)
    blobs = {key: kms.encrypt(KeyId=key, Plaintext=b"m")["CiphertextBlob"] for key in (first, second)}
    assert [may(caller.decrypt, CiphertextBlob=blobs[key]) for key in (first, second)] == [True, False]
    assert may(caller.decrypt, CiphertextBlob=blobs[first], KeyId="alias/it")
    kms.update_alias(AliasName="alias/it", TargetKeyId=second)
    assert not may(caller.decrypt, CiphertextBlob=blobs[second], KeyId="alias/it")


def test_a_grant_lets_its_grantee_within_its_constraints_until_it_is_revoked(cloud, kms):
    caller = cloud.client("kms", cloud.user("grantee"))
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    encrypt = {"KeyId": key, "Plaintext": b"m"}
    grant = kms.create_grant(
        KeyId=key,
        GranteePrincipal=user_arn("grantee")["AWS"],
        Operations=["Encrypt", "CreateGrant"],
        Constraints={"EncryptionContextSubset": {"app": "shop"}},
    )["GrantId"]
    assert not may(caller.encrypt, **encrypt)
    assert may(caller.encrypt, **encrypt, EncryptionContext={"app": "shop", "more": "x"})
    assert not may(caller.describe_key, KeyId=key)
    again = {"KeyId": key, "GranteePrincipal": user_arn("other")["AWS"], "Operations": ["Encrypt"]}
    assert not may(caller.create_grant, **again)
    kms.revoke_grant(KeyId=key, GrantId=grant)
    assert not may(caller.encrypt, **encrypt, EncryptionContext={"app": "shop"})


def test_a_grant_is_retired_by_whom_it_names_and_by_the_keys_account(cloud, kms):
    """AWS: KMS Developer Guide, "Retiring and revoking grants" (grant-delete)."""
    iam, users = cloud.client("iam"), {}
    for name in ("retirer", "grantee", "delegate", "other"):
        users[name] = cloud.client("kms", cloud.user(name, *([allow("kms:RetireGrant")] if name == "delegate" else [])))
    # A key policy says nothing of it.
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    whole = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "kms:*", "Resource": "*"}
    theirs = {**whole, "Principal": user_arn("other"), "Action": "kms:RetireGrant"}
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=policy(whole, theirs))

    def granted(*operations):
        names = {"GranteePrincipal": user_arn("grantee")["AWS"], "RetiringPrincipal": user_arn("retirer")["AWS"]}
        return {
            "KeyId": key,
            "GrantId": kms.create_grant(KeyId=key, Operations=["Encrypt", *operations], **names)["GrantId"],
        }

    plain = granted()
    assert not may(users["grantee"].retire_grant, **plain)
    assert not may(users["other"].retire_grant, **plain)
    assert not may(users["retirer"].retire_grant, **{**plain, "GrantId": "0" * 64})
    assert may(users["retirer"].retire_grant, **plain)
    assert kms.list_grants(KeyId=key)["Grants"] == []
    assert may(users["grantee"].retire_grant, **granted("RetireGrant"))
    assert may(users["delegate"].retire_grant, **granted())
    assert may(kms.retire_grant, **granted())
    denied = granted()
    iam.put_user_policy(UserName="retirer", PolicyName="p", PolicyDocument=policy(deny("kms:RetireGrant")))
    assert not may(users["retirer"].retire_grant, **denied)
    # Both are shown as they are called today.
    iam.update_user(UserName="retirer", NewUserName="renamed")
    for grants in (kms.list_grants(KeyId=key), kms.list_retirable_grants(RetiringPrincipal=user_arn("retirer")["AWS"])):
        (grant,) = grants["Grants"]
        assert grant["RetiringPrincipal"] == user_arn("renamed")["AWS"]


def test_a_grant_for_one_context_is_for_no_wider_one(cloud, kms):
    caller = cloud.client("kms", cloud.user("grantee"))
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    exact = {"EncryptionContextEquals": {"app": "shop"}}
    named = {"GranteePrincipal": user_arn("grantee")["AWS"], "Operations": ["Encrypt"]}
    kms.create_grant(KeyId=key, **named, Constraints=exact)
    encrypt = {"KeyId": key, "Plaintext": b"m"}
    assert may(caller.encrypt, **encrypt, EncryptionContext={"app": "shop"})
    assert not may(caller.encrypt, **encrypt, EncryptionContext={"app": "shop", "more": "x"})


def test_an_aws_managed_key_is_described_and_not_used_by_its_account(cloud, kms):
    """AWS: such a key's policy lets it be used through its service alone ("AWS managed keys")."""
    described = kms.describe_key(KeyId="alias/aws/s3")["KeyMetadata"]["Arn"]
    for name in (described, "alias/aws/s3"):
        assert may(kms.describe_key, KeyId=name)
        assert not may(kms.encrypt, KeyId=name, Plaintext=b"m")


@pytest.mark.parametrize("operation", ["create_alias", "update_alias"])
def test_a_name_of_awss_own_keys_is_given_to_none(cloud, kms, operation):
    """AWS: KMS API Reference, CreateAlias and UpdateAlias: alias/aws/ is reserved for AWS managed keys."""
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    given = {"AliasName": "alias/aws/sqs", "TargetKeyId": key}
    assert code_of(getattr(kms, operation), **given) == "NotAuthorizedException"
    assert code_of(kms.delete_alias, AliasName="alias/aws/sqs") == "NotAuthorizedException"
    assert not [one for one in kms.list_aliases(KeyId=key)["Aliases"] if one["AliasName"].startswith("alias/aws")]


def test_a_key_that_was_not_made_through_iamd_is_none(cloud):
    """Not even whether one may use it is decided, as its policy is not known."""
    plain = cloud.client("kms", cloud.user("plain"))
    assert code_of(plain.encrypt, KeyId=NEW_ID, Plaintext=b"m") == "NotFoundException"


def key_for(kms, cloud, *statements):
    """A key of the caller's account, whose policy lets that account and these."""
    own = {"AWS": kms.create_key()["KeyMetadata"]["AWSAccountId"]}
    return kms.create_key(Policy=policy(to(own, allow("kms:*", "*")), *statements))["KeyMetadata"]["Arn"]


def test_a_ciphertext_of_another_accounts_key_leads_to_that_keys_policy(cloud, kms, other):
    """AWS: KMS API Reference, Decrypt: a symmetric ciphertext tells its key."""
    theirs = cloud.client("kms", other)
    shared = key_for(theirs, cloud, to(ROOT, allow("kms:Decrypt", "*", StringEquals={"kms:EncryptionContext:a": "b"})))
    kept = key_for(theirs, cloud)
    blobs = {
        key: theirs.encrypt(KeyId=key, Plaintext=b"m", EncryptionContext={"a": "b"})["CiphertextBlob"]
        for key in (shared, kept)
    }
    told = kms.decrypt(CiphertextBlob=blobs[shared], EncryptionContext={"a": "b"})
    assert (told["Plaintext"], told["KeyId"]) == (b"m", shared)
    error = error_of(kms.decrypt, CiphertextBlob=blobs[shared])
    assert error["Code"] == "AccessDeniedException"
    # Whose key it is is not told.
    assert "kms:Decrypt on the resource associated with this ciphertext because" in error["Message"]
    assert OTHER not in error["Message"]
    assert not may(kms.decrypt, CiphertextBlob=blobs[kept], EncryptionContext={"a": "b"})
    # The caller's own policies count too.
    plain, able = (
        cloud.client("kms", cloud.user(name, *given))
        for name, given in (("plain", []), ("able", [allow("kms:Decrypt", shared)]))
    )
    given = {"CiphertextBlob": blobs[shared], "EncryptionContext": {"a": "b"}}
    assert (may(plain.decrypt, **given), may(able.decrypt, **given)) == (False, True)
    # A text that only begins like a ciphertext of the key is none.
    assert code_of(kms.decrypt, **{**given, "CiphertextBlob": blobs[shared][:40] + blobs[kept][40:]}) == (
        "InvalidCiphertextException"
    )


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("theirs_is", ["source", "destination", "both"])
def test_re_encrypt_is_decided_on_both_keys_whoevers_they_are(cloud, kms, other, named, theirs_is):
    """AWS: KMS API Reference, ReEncrypt: "Cross-account use: Yes. The source KMS key and destination KMS key can be in
    different AWS accounts"."""
    theirs = cloud.client("kms", other)
    sides = {
        "source": (theirs if theirs_is != "destination" else kms),
        "destination": (theirs if theirs_is != "source" else kms),
    }
    actions = {"source": "kms:ReEncryptFrom", "destination": "kms:ReEncryptTo"}
    keys = {side: key_for(one, cloud, to(ROOT, allow(actions[side], "*"))) for side, one in sides.items()}
    blob = sides["source"].encrypt(KeyId=keys["source"], Plaintext=b"m", EncryptionContext={"a": "b"})["CiphertextBlob"]
    given = {
        "CiphertextBlob": blob, "SourceEncryptionContext": {"a": "b"}, "DestinationKeyId": keys["destination"],
        **({"SourceKeyId": keys["source"]} if named else {}),
    }  # fmt: skip
    told = kms.re_encrypt(**given)
    assert (told["SourceKeyId"], told["KeyId"]) == (keys["source"], keys["destination"])
    back = sides["destination"].decrypt(CiphertextBlob=told["CiphertextBlob"], KeyId=keys["destination"])
    assert back["Plaintext"] == b"m"
    for side in ("source", "destination"):
        user = f"not-{side}"
        other_side = "destination" if side == "source" else "source"
        caller = cloud.client("kms", cloud.user(user, allow(actions[other_side])))
        assert actions[side] in error_of(caller.re_encrypt, **given)["Message"]
        key, owner = keys[side], {"AWS": OTHER if sides[side] is theirs else ROOT["AWS"]}
        sides[side].put_key_policy(
            KeyId=key, PolicyName="default",
            Policy=policy(to(owner, allow("kms:*", "*")), to(ROOT, deny(actions[side], "*"))),
        )  # fmt: skip
        assert actions[side] in error_of(kms.re_encrypt, **given)["Message"]
        sides[side].put_key_policy(
            KeyId=key, PolicyName="default",
            Policy=policy(to(owner, allow("kms:*", "*")), to(ROOT, allow(actions[side], "*"))),
        )  # fmt: skip
    assert may(kms.re_encrypt, **given)


def test_re_encrypt_decrypts_by_no_other_key_than_it_names(cloud, kms, other):
    theirs, own = cloud.client("kms", other), key_for(kms, cloud)
    for client in (kms, theirs):
        secret = key_for(client, cloud)
        blob = client.encrypt(KeyId=secret, Plaintext=b"m")["CiphertextBlob"]
        caller = cloud.client("kms", cloud.user(f"of-{secret[-12:]}", allow("kms:ReEncrypt*", own)))
        given = {"CiphertextBlob": blob, "DestinationKeyId": own}
        assert code_of(caller.re_encrypt, **given, SourceKeyId=own) == "IncorrectKeyException"
        assert code_of(caller.re_encrypt, **given) == "AccessDeniedException"


def test_re_encrypt_between_accounts_is_for_the_embedded_backend_alone(counted):
    """What signs for one of them at another backend is not what was decided for the other."""
    text = policy(to(ROOT, allow("kms:*", "*")))
    counted.backend.answers.append(answer(json.dumps({"KeyMetadata": {**METADATA, "Arn": THEIRS}}).encode()))
    assert counted.call("kms", "CreateKey", {"Policy": text}).status == 200
    given = {"CiphertextBlob": b"x", "SourceKeyId": THEIRS, "DestinationKeyId": NEW}
    told = counted.call("kms", "ReEncrypt", given)
    assert (told.status, told.code, told.sent) == (400, "ValidationException", 0)
    assert "several accounts" in told.message
