"""Tags of every kind of resource that has them."""

import pytest

FOLDED = {"user", "role"}
KINDS = [
    "user",
    "role",
    "policy",
    "instance_profile",
    "mfa_device",
    "open_id_connect_provider",
    "saml_provider",
    "server_certificate",
]


class Tagged:
    """The three tag operations of one resource."""

    def __init__(self, iam, kind, name):
        self.iam, self.kind, self.name = iam, kind, name

    def tag(self, **tags):
        given = [{"Key": key, "Value": value} for key, value in tags.items()]
        getattr(self.iam, f"tag_{self.kind}")(**self.name, Tags=given)

    def tag_raw(self, *tags):
        getattr(self.iam, f"tag_{self.kind}")(**self.name, Tags=[{"Key": key, "Value": value} for key, value in tags])

    def untag(self, *keys):
        getattr(self.iam, f"untag_{self.kind}")(**self.name, TagKeys=list(keys))

    def list(self, **parameters):
        return getattr(self.iam, f"list_{self.kind}_tags")(**self.name, **parameters)

    def tags(self):
        return {tag["Key"]: tag["Value"] for tag in self.list()["Tags"]}


NAMES = {
    "user": lambda world: {"UserName": "bob"},
    "role": lambda world: {"RoleName": "app"},
    "policy": lambda world: {"PolicyArn": world.policy_arn},
    "instance_profile": lambda world: {"InstanceProfileName": "box"},
    "mfa_device": lambda world: {"SerialNumber": world.watch},
    "saml_provider": lambda world: {"SAMLProviderArn": world.saml_arn},
    "open_id_connect_provider": lambda world: {"OpenIDConnectProviderArn": world.oidc_arn},
    "server_certificate": lambda world: {"ServerCertificateName": "site"},
}


@pytest.fixture(params=KINDS)
def resource(request, iam, world):
    """One resource of each kind, without tags."""
    tagged = Tagged(iam, request.param, NAMES[request.param](world))
    if tagged.tags():
        tagged.untag(*tagged.tags())
    return tagged


def test_tags_are_added_changed_and_taken_away(resource):
    resource.tag(Team="blue", Stage="")
    assert resource.tags() == {"Team": "blue", "Stage": ""}
    resource.tag(Team="red", Owner="ann")
    assert resource.tags() == {"Team": "red", "Stage": "", "Owner": "ann"}
    resource.untag("Stage", "Missing")
    assert resource.tags() == {"Team": "red", "Owner": "ann"}


def test_keys_of_users_and_roles_ignore_case_and_others_do_not(resource):
    """IAM User Guide, "Tags for AWS Identity and Access Management resources" (id_tags), case sensitivity."""
    resource.tag(Team="blue")
    resource.tag(team="red")
    folded = resource.kind in FOLDED
    assert resource.tags() == ({"team": "red"} if folded else {"Team": "blue", "team": "red"})
    resource.untag("TEAM")
    assert resource.tags() == ({} if folded else {"Team": "blue", "team": "red"})


def test_a_look_alike_of_a_key_is_another_key(resource):
    """KELVIN SIGN, LONG S and the like: no condition key takes them for `k` and `s`, so no tag is replaced by them."""
    resource.tag(key="1", s="1")
    resource.tag_raw(("\u212aey", "2"), ("\u017f", "2"))
    assert resource.tags() == {"key": "1", "s": "1", "\u212aey": "2", "\u017f": "2"}
    resource.untag("\u212aEY", "\u017f")
    assert resource.tags() == {"key": "1", "s": "1"} | ({} if resource.kind in FOLDED else {"\u212aey": "2"})


def test_a_request_names_a_key_once(resource, refused):
    """AWS's recorded answers (February 2026) are of roles and policies: the second sentence is of what folds keys."""
    note = " Please note that Tag keys are case insensitive." if resource.kind in FOLDED else ""
    message = f"Duplicate tag keys found.{note}"
    with refused("InvalidInput", message):
        resource.tag_raw(("Team", "a"), ("Team", "b"))
    if resource.kind in FOLDED:
        with refused("InvalidInput", message):
            resource.tag_raw(("Team", "a"), ("team", "b"))
    assert resource.tags() == {}


def test_no_tags_are_none_to_add(resource, refused):
    resource.tag(Team="blue")
    with refused("InvalidInput", "The provided tag map must not be null/empty."):
        resource.tag()
    assert resource.tags() == {"Team": "blue"}


def test_no_keys_are_none_to_take_away(resource, refused):
    """AWS's recorded answers: refused of providers and server certificates, and taken of users."""
    resource.tag(Team="blue")
    if resource.kind in {"open_id_connect_provider", "saml_provider", "server_certificate"}:
        with refused("InvalidInput", "The provided tag keys must not be null/empty."):
            resource.untag()
    else:
        resource.untag()
    assert resource.tags() == {"Team": "blue"}


@pytest.mark.parametrize("key", ["aws:team", "AWS:team"])
def test_the_prefix_of_keys_is_awss(resource, refused, key):
    with refused("InvalidInput", "Tag keys beginning with aws: are reserved for system use."):
        resource.tag_raw((key, "a"))
    assert resource.tags() == {}


def test_a_value_may_begin_as_awss_keys_do(resource):
    resource.tag(team="aws:a", owner="AWS:b")
    assert resource.tags() == {"team": "aws:a", "owner": "AWS:b"}


def test_a_resource_has_fifty_tags_at_most(resource, refused):
    """AWS's recorded answer (February 2026) is of an OIDC provider."""
    resource.tag(**{f"key{number}": "" for number in range(50)})
    resource.tag(key7="again")
    with refused("LimitExceeded", "The number of tags has reached the maximum limit."):
        resource.tag(one_more="")
    assert len(resource.tags()) == 50


def test_tags_are_listed_in_pages_by_key(resource, paged):
    resource.tag(b="2", c="3", a="1")
    listed = paged(resource.list, "Tags")
    assert [tag["Key"] for tag in listed] == ["a", "b", "c"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_resource_must_exist(iam, arn_of, refused, kind):
    missing = {
        "user": {"UserName": "none"},
        "role": {"RoleName": "none"},
        "policy": {"PolicyArn": arn_of("policy/none")},
        "instance_profile": {"InstanceProfileName": "none"},
        "mfa_device": {"SerialNumber": arn_of("mfa/none")},
        "saml_provider": {"SAMLProviderArn": arn_of("saml-provider/none")},
        "open_id_connect_provider": {"OpenIDConnectProviderArn": arn_of("oidc-provider/none.example.com")},
        "server_certificate": {"ServerCertificateName": "none"},
    }[kind]
    tagged = Tagged(iam, kind, missing)
    for call in (lambda: tagged.tag(a="b"), lambda: tagged.untag("a"), tagged.list):
        with refused("NoSuchEntity"):
            call()


def test_policies_of_aws_get_no_tags(iam, refused):
    with refused("AccessDenied"):
        iam.tag_policy(PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess", Tags=[{"Key": "a", "Value": "b"}])


@pytest.mark.parametrize("prefix", ["aws", "iam"])
def test_the_tags_of_a_user_decide_who_may_touch_it(aws, iam, refused, prefix):
    """`aws:ResourceTag/...` and `iam:ResourceTag/...`, whatever the key's case."""
    allow = {
        "Effect": "Allow",
        "Action": "iam:GetUser",
        "Resource": "*",
        "Condition": {"StringEquals": {f"{prefix}:ResourceTag/TEAM": "blue"}},
    }
    client = aws.client("iam", aws.user("ann", allow))
    iam.create_user(UserName="bob", Tags=[{"Key": "Team", "Value": "blue"}])
    client.get_user(UserName="bob")
    iam.tag_user(UserName="bob", Tags=[{"Key": "team", "Value": "red"}])
    with refused("AccessDenied"):
        client.get_user(UserName="bob")


def test_the_tags_of_a_request_decide_too(aws, iam, refused):
    allow = {
        "Effect": "Allow",
        "Action": "iam:TagUser",
        "Resource": "*",
        "Condition": {
            "ForAllValues:StringEquals": {"aws:TagKeys": ["Team"]},
            "StringEquals": {"aws:RequestTag/Team": "blue"},
        },
    }
    client = aws.client("iam", aws.user("ann", allow))
    client.tag_user(UserName="ann", Tags=[{"Key": "Team", "Value": "blue"}])
    with refused("AccessDenied"):
        client.tag_user(UserName="ann", Tags=[{"Key": "Team", "Value": "red"}])
    with refused("AccessDenied"):
        client.tag_user(UserName="ann", Tags=[{"Key": "Team", "Value": "blue"}, {"Key": "Stage", "Value": "x"}])
