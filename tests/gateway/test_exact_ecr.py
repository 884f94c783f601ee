"""What requests to ECR are decided on: repositories in the caller's registry and another's, and their own policies.

AWS: Amazon ECR User Guide, "Private repository policies in Amazon ECR".
"""

import json

import pytest
from botocore.exceptions import ClientError
from gateway.condition_keys import Caller, Key, check
from gateway.parameters import ACCOUNT, REGION
from gateway.two_accounts import OTHER
from running import allow

PLACE = f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository"
REPOSITORY = f"{PLACE}/app/api"
NAMED = {"repositoryName": "app/api"}
TAGS = {"tags": [{"Key": "team", "Value": "blue"}]}


def on(resource, *actions):
    return [(f"ecr:{action}", resource) for action in actions]


CASES = [
    ("BatchGetImage", {**NAMED, "imageIds": [{"imageTag": "1"}]}, on(REPOSITORY, "BatchGetImage")),
    ("CreateRepository", NAMED, on(REPOSITORY, "CreateRepository")),
    ("CreateRepository", {**NAMED, **TAGS}, on(REPOSITORY, "CreateRepository", "TagResource")),
    ("DescribeRepositories", {}, on(f"{PLACE}/*", "DescribeRepositories")),
    (
        "DescribeRepositories",
        {"repositoryNames": ["app/api", "web"]},
        [*on(REPOSITORY, "DescribeRepositories"), *on(f"{PLACE}/web", "DescribeRepositories")],
    ),
    ("ListTagsForResource", {"resourceArn": REPOSITORY}, on(REPOSITORY, "ListTagsForResource")),
    ("GetAuthorizationToken", {}, on("*", "GetAuthorizationToken")),
]


@pytest.mark.parametrize(("name", "given", "wanted"), CASES)
def test_each_request_is_decided_on_what_it_touches(counted, name, given, wanted):
    told = counted.call("ecr", name, given)
    assert told.asked == wanted
    assert told.sent > 0


def test_a_repository_of_another_registry_is_decided_on_as_its_owners(counted):
    told = counted.call("ecr", "ListImages", {**NAMED, "registryId": "111122223333"})
    assert (told.asked, told.sent) == (on(REPOSITORY.replace(ACCOUNT, "111122223333"), "ListImages"), 0)
    assert "because no resource-based policy allows the ecr:ListImages action" in told.message


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("ListImages", {"repositoryName": "app/*"}),
        ("ListImages", {"repositoryName": "App"}),
        ("ListImages", {**NAMED, "registryId": "1"}),
        ("BatchGetRepositoryScanningConfiguration", {"repositoryNames": ["app", "a:b"]}),
        ("TagResource", {"resourceArn": f"{PLACE}/*", **TAGS}),
        ("TagResource", {"resourceArn": REPOSITORY.replace(REGION, "eu-west-1"), **TAGS}),
        ("SetRepositoryPolicy", {**NAMED, "policyText": "{}"}),
        ("SetRepositoryPolicy", {**NAMED, "policyText": json.dumps({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": "*", "Action": "ecr:*", "Resource": "*"}]})}),
        ("SetRepositoryPolicy", {**NAMED, "policyText": " " * 10_241}),
    ],
)  # fmt: skip
def test_what_names_nothing_plainly_or_is_no_policy_is_refused(counted, name, given):
    told = counted.call("ecr", name, given)
    assert (told.status, told.code, told.sent) == (400, "InvalidParameterException", 0)


def test_policies_that_iamd_would_not_decide_by_are_refused(counted):
    told = counted.call("ecr", "PutRegistryPolicy", {"policyText": "{}"})
    assert (told.code, told.sent) == ("AccessDeniedException", 0)
    given = {"prefix": "app", "appliedFor": ["REPLICATION"], "repositoryPolicy": "{}"}
    told = counted.call("ecr", "CreateRepositoryCreationTemplate", given)
    assert (told.status, told.sent) == (400, 0)


KEYS = [
    Key("aws:RequestTag/team", "blue", "ecr:CreateRepository", "CreateRepository", {**NAMED, **TAGS}, NAMED),
    Key("ecr:AccountSetting", "BASIC", "ecr:GetAccountSetting", "GetAccountSetting", {"name": "BASIC"}, {"name": "X"}),
]


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_a_key_has_its_value_and_decides(counted, key):
    check(Caller.new(counted, f"ecr-{key.operation}"), "ecr", key)


def policy(effect, principal, action):
    statement = {"Sid": "one", "Effect": effect, "Principal": principal, "Action": action}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def code_of(call, **given):
    with pytest.raises(ClientError) as raised:
        call(**given)
    return raised.value.response["Error"]["Code"], raised.value.response["Error"]["Message"]


def test_a_policy_opens_a_repository_to_another_account_until_it_is_deleted(cloud, other):
    owner, theirs = cloud.client("ecr"), cloud.client("ecr", other)
    owner.create_repository(repositoryName="app/api")
    asked = {"registryId": ACCOUNT, "repositoryName": "app/api"}
    assert code_of(theirs.list_images, **asked)[0] == "AccessDeniedException"
    opened = policy("Allow", {"AWS": f"arn:aws:iam::{OTHER}:root"}, ["ecr:ListImages"])
    owner.set_repository_policy(repositoryName="app/api", policyText=opened)
    assert theirs.list_images(**asked)["imageIds"] == []
    assert json.loads(owner.get_repository_policy(repositoryName="app/api")["policyText"]) == json.loads(opened)
    assert code_of(theirs.describe_images, **asked)[0] == "AccessDeniedException"
    owner.delete_repository_policy(repositoryName="app/api")
    assert code_of(theirs.list_images, **asked)[0] == "AccessDeniedException"


def test_a_policy_that_denies_binds_whoever_else_may_and_ends_with_its_repository(cloud):
    owner, ann = cloud.client("ecr"), cloud.client("ecr", cloud.user("ann", allow("ecr:*")))
    owner.create_repository(repositoryName="api")
    assert ann.list_images(repositoryName="api")["imageIds"] == []
    owner.set_repository_policy(repositoryName="api", policyText=policy("Deny", "*", "ecr:ListImages"))
    assert "explicit deny in a resource-based policy" in code_of(ann.list_images, repositoryName="api")[1]
    owner.delete_repository(repositoryName="api", force=True)
    owner.create_repository(repositoryName="api")
    assert ann.list_images(repositoryName="api")["imageIds"] == []
