"""Inline policies of users, groups and roles."""

import json

import pytest

QUOTAS = {"user": 2048, "group": 5120, "role": 10240}
NAMES = {"user": "ann", "group": "devs", "role": "app"}


def document(*actions, effect="Allow"):
    """A policy's text."""
    statement = {"Effect": effect, "Action": list(actions), "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def of_size(size):
    """A policy's text that has so many characters without white space."""
    empty = len(document("").replace(" ", ""))
    return document("s3:" + "a" * (size - empty - 3))


class Bearer:
    """The inline policy operations of a user, group or role."""

    def __init__(self, iam, kind, name):
        self.iam, self.kind, self.name = iam, kind, {f"{kind.capitalize()}Name": name}

    def put(self, name, text):
        getattr(self.iam, f"put_{self.kind}_policy")(**self.name, PolicyName=name, PolicyDocument=text)

    def get(self, name):
        return getattr(self.iam, f"get_{self.kind}_policy")(**self.name, PolicyName=name)

    def delete(self, name):
        getattr(self.iam, f"delete_{self.kind}_policy")(**self.name, PolicyName=name)

    def list(self, **parameters):
        return getattr(self.iam, f"list_{self.kind}_policies")(**self.name, **parameters)


@pytest.fixture(params=["user", "group", "role"])
def bearer(request, iam, world):
    """An entity of each kind, without inline policies."""
    bearer = Bearer(iam, request.param, NAMES[request.param])
    bearer.delete("inline")
    return bearer


def test_a_policy_is_put_shown_replaced_and_deleted(bearer, refused):
    bearer.put("p", document("s3:GetObject"))
    bearer.put("p", document("s3:PutObject"))
    shown = bearer.get("p")
    assert {**shown, "ResponseMetadata": None} == {
        **bearer.name,
        "PolicyName": "p",
        "PolicyDocument": json.loads(document("s3:PutObject")),
        "ResponseMetadata": None,
    }
    assert bearer.list()["PolicyNames"] == ["p"]
    bearer.delete("p")
    assert bearer.list()["PolicyNames"] == []
    for call in (bearer.get, bearer.delete):
        with refused("NoSuchEntity", f"The {bearer.kind} policy with name p cannot be found."):
            call("p")


def test_names_that_differ_by_case_are_of_one_policy(bearer, refused):
    """AWS: recorded answers of September 2026 for users, groups and roles."""
    bearer.put("MixedName", document("s3:*"))
    bearer.put("other", document("s3:*"))
    bearer.put("mixedname", document("s3:*", effect="Deny"))
    assert bearer.list()["PolicyNames"] == ["MixedName", "other"]
    shown = bearer.get("MIXEDNAME")
    assert shown["PolicyName"] == "MIXEDNAME"
    assert shown["PolicyDocument"]["Statement"][0]["Effect"] == "Deny"
    bearer.delete("MIXEDname")
    assert bearer.list()["PolicyNames"] == ["other"]
    with refused("NoSuchEntity", f"The {bearer.kind} policy with name MixedName cannot be found."):
        bearer.get("MixedName")


def test_names_are_listed_in_pages_in_order(bearer, paged):
    for name in ("c", "a", "b"):
        bearer.put(name, document("s3:*"))
    assert paged(bearer.list, "PolicyNames") == ["a", "b", "c"]


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        document("s3:*").replace("Allow", "Maybe"),
        document("s3:*").replace("2012-10-17", "2008-10-17"),
        document("s3:*").replace('"Resource": "*"', '"Principal": "*"'),
    ],
)
def test_a_malformed_document_is_not_stored(bearer, refused, text):
    with refused("MalformedPolicyDocument"):
        bearer.put("p", text)
    assert bearer.list()["PolicyNames"] == []


def test_all_policies_of_an_entity_share_one_quota_without_white_space(bearer, refused):
    quota = QUOTAS[bearer.kind]
    whose = f"{bearer.kind} {NAMES[bearer.kind]}"
    first = of_size(quota // 2)
    bearer.put("first", first.replace(" ", " \n\t" * 20))
    bearer.put("second", of_size(quota - quota // 2))
    with refused("LimitExceeded", f"Maximum policy size of {quota} bytes exceeded for {whose}"):
        bearer.put("second", of_size(quota - quota // 2 + 1))
    with refused("LimitExceeded", f"Maximum policy size of {quota} bytes exceeded for {whose}"):
        bearer.put("third", document("s3:*"))
    assert bearer.list()["PolicyNames"] == ["first", "second"]


def test_a_document_is_url_encoded_on_the_wire(aws, iam):
    """IAM API Reference, GetUserPolicy: RFC 3986; boto3 decodes it, so the answer is read before that."""
    seen = []
    client = aws.client("iam", user_agent_extra="of-this-test-alone")
    client.meta.events.register("before-parse.iam.GetUserPolicy", lambda response_dict, **_: seen.append(response_dict))
    client.create_user(UserName="bob")
    text = document("s3:*").replace(
        '"Resource"', '"Condition": {"StringLike": {"aws:username": "a+b~é/*"}}, "Resource"'
    )
    client.put_user_policy(UserName="bob", PolicyName="p", PolicyDocument=text)
    assert client.get_user_policy(UserName="bob", PolicyName="p")["PolicyDocument"] == json.loads(text)
    body = seen[0]["body"].decode()
    assert "%22Version%22%3A%20%222012-10-17%22" in body
    assert "s3%3A%2A" in body


@pytest.mark.parametrize("kind", ["user", "group", "role"])
def test_the_entity_must_exist(iam, refused, kind):
    missing = Bearer(iam, kind, "none")
    for call in (
        lambda: missing.put("p", document("s3:*")),
        lambda: missing.get("p"),
        lambda: missing.delete("p"),
        missing.list,
    ):
        with refused("NoSuchEntity", f"The {kind} with name none cannot be found."):
            call()


def test_a_denial_under_a_name_of_another_case_takes_the_permissions_place(aws, iam, refused):
    client = aws.client("iam", aws.user("ann"))
    iam.put_user_policy(UserName="ann", PolicyName="own", PolicyDocument=document("iam:GetUser", effect="Deny"))
    iam.put_user_policy(UserName="ann", PolicyName="OWN", PolicyDocument=document("iam:GetUser"))
    client.get_user()
    iam.put_user_policy(UserName="ann", PolicyName="Own", PolicyDocument=document("iam:Get*", effect="Deny"))
    with refused("AccessDenied"):
        client.get_user()
    iam.delete_user_policy(UserName="ann", PolicyName="oWN")
    assert iam.list_user_policies(UserName="ann")["PolicyNames"] == []


def test_a_user_without_policies_may_do_nothing_and_with_one_what_it_says(aws, iam, refused):
    """Bug class B05."""
    client = aws.client("iam", aws.user("ann"))
    with refused("AccessDenied"):
        client.get_user()
    iam.put_user_policy(UserName="ann", PolicyName="p", PolicyDocument=document("iam:GetUser"))
    client.get_user()
    iam.put_user_policy(UserName="ann", PolicyName="q", PolicyDocument=document("iam:*", effect="Deny"))
    with refused("AccessDenied"):
        client.get_user()
    iam.delete_user_policy(UserName="ann", PolicyName="q")
    client.get_user()
