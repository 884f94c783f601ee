"""Stack policies: what they let an update do, who may set them, and what is none."""

import json

import pytest
from running import allow
from services.cloudformation.conftest import IAM, body, group

EVERYTHING = {"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*"}
NOTHING = {**EVERYTHING, "Effect": "Deny"}
KEPT = "Action denied by stack policy: Statement [#1] does not allow [{}] for resource [{}];"


def policy(*statements):
    return json.dumps({"Statement": list(statements)})


def denying(action="Update:*", resource="*", **more):
    return policy(EVERYTHING, {**NOTHING, "Action": action, "Resource": resource, **more})


def user(path):
    return {"Type": "AWS::IAM::User", "Properties": {"UserName": "ann", "Path": path}}


@pytest.fixture
def tour(made):
    """A stack of a group and a user."""
    return made("tour", Group=group("a"), Ann=user("/a/"))


REPLACED = {"Group": group("b"), "Ann": user("/a/")}
MODIFIED = {"Group": group("a"), "Ann": user("/b/")}
REMOVED = {"Ann": user("/a/")}
WITH_TYPE = {"Condition": {"StringEquals": {"ResourceType": ["AWS::S3::Bucket", "AWS::IAM::Group"]}}}
WITH_TYPES = {"Condition": {"StringLike": {"ResourceType": "AWS::IAM::Gr*"}}}
DECISIONS = {
    "everything allowed": (policy(EVERYTHING), REPLACED, None),
    "nothing said": ("{}", REPLACED, None),
    "replacements denied": (
        denying("Update:Replace"), REPLACED, ("Group", KEPT.format("Update:Replace", "*")),
    ),
    "modifications denied": (
        denying(["Update:Modify", "Update:Delete"]), MODIFIED, ("Ann", KEPT.format("Update:Modify, Update:Delete", "*")),
    ),
    "replacements denied and nothing replaced": (denying("Update:Replace"), MODIFIED, None),
    "removals denied": (denying("Update:Delete"), REMOVED, ("Group", KEPT.format("Update:Delete", "*"))),
    "removals denied and nothing removed": (denying("Update:Delete"), REPLACED, None),
    "one resource denied": (
        denying(resource="LogicalResourceId/Gr*"), REPLACED, ("Group", KEPT.format("Update:*", "LogicalResourceId/Gr*")),
    ),
    "another resource denied": (denying(resource=["LogicalResourceId/Group"]), MODIFIED, None),
    "a denial first": (
        policy(NOTHING, EVERYTHING), REPLACED, ("Group", KEPT.format("Update:*", "*").replace("#1", "#0")),
    ),
    "a type denied": (denying(**WITH_TYPE), REPLACED, ("Group", KEPT.format("Update:*", "*"))),
    "types denied": (denying(**WITH_TYPES), REPLACED, ("Group", KEPT.format("Update:*", "*"))),
    "another type denied": (denying(**WITH_TYPE), MODIFIED, None),
    "not allowed": (
        policy({**EVERYTHING, "Resource": "LogicalResourceId/Ann"}), REPLACED,
        ("Group", "Action not allowed by stack policy"),
    ),
    "another action allowed": (
        policy({"Effect": "Allow", "NotAction": "Update:Replace", "Principal": "*", "Resource": "*"}), REPLACED,
        ("Group", "Action not allowed by stack policy"),
    ),
    "all resources but one allowed": (
        policy({"Effect": "Allow", "Action": "Update:*", "Principal": "*", "NotResource": "LogicalResourceId/Group"}),
        REPLACED, ("Group", "Action not allowed by stack policy"),
    ),
    "all actions but another allowed": (
        policy({"Effect": "Allow", "NotAction": "update:delete", "Principal": "*", "Resource": "*"}), REPLACED, None,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", DECISIONS)
def test_a_policy_decides_what_an_update_may_do(stacks, tour, settled, reason, groups, aws, name):
    document, changed, denied = DECISIONS[name]
    stacks.set_stack_policy(StackName="tour", StackPolicyBody=document)
    assert stacks.get_stack_policy(StackName=tour)["StackPolicyBody"] == document
    stacks.update_stack(StackName="tour", TemplateBody=body(**changed), **IAM)
    if denied is None:
        assert settled("tour") == "UPDATE_COMPLETE"
        assert groups() == [one["Properties"]["GroupName"] for id, one in changed.items() if id == "Group"]
        return
    assert settled("tour") == "UPDATE_ROLLBACK_COMPLETE"
    assert reason("tour", denied[0]) == denied[1]
    # Nothing was done to it.
    assert groups() == ["a"]
    assert aws.client("iam").get_user(UserName="ann")["User"]["Path"] == "/a/"
    statuses = {
        one["LogicalResourceId"]: one["ResourceStatus"]
        for one in stacks.describe_stack_resources(StackName="tour")["StackResources"]
    }
    assert statuses[denied[0]] == "UPDATE_COMPLETE"


def test_a_policy_is_for_updates_alone(stacks, settled, groups):
    stacks.create_stack(StackName="tour", TemplateBody=body(A=group("a")), StackPolicyBody=policy(NOTHING), **IAM)
    assert settled("tour") == "CREATE_COMPLETE"
    assert stacks.get_stack_policy(StackName="tour")["StackPolicyBody"] == policy(NOTHING)
    stacks.update_stack(StackName="tour", TemplateBody=body(A=group("a"), New=group("b")), **IAM)
    # What is new was not there to be protected.
    assert settled("tour") == "UPDATE_COMPLETE"
    stack_id = stacks.describe_stacks(StackName="tour")["Stacks"][0]["StackId"]
    stacks.delete_stack(StackName="tour")
    assert settled(stack_id) == "DELETE_COMPLETE"
    assert groups() == []


def test_a_change_set_is_bound_by_the_policy(stacks, tour, settled, groups):
    stacks.set_stack_policy(StackName="tour", StackPolicyBody=policy(NOTHING))
    stacks.create_change_set(StackName="tour", ChangeSetName="c", TemplateBody=body(**REPLACED), **IAM)
    stacks.execute_change_set(StackName="tour", ChangeSetName="c")
    assert settled("tour") == "UPDATE_ROLLBACK_COMPLETE"
    assert groups() == ["a"]


def test_a_policy_of_the_update_holds_while_it_goes_on(stacks, tour, settled, groups):
    stacks.set_stack_policy(StackName="tour", StackPolicyBody=policy(NOTHING))
    given = {"StackName": "tour", "TemplateBody": body(**REPLACED), **IAM}
    stacks.update_stack(**given, StackPolicyDuringUpdateBody=policy(EVERYTHING))
    assert settled("tour") == "UPDATE_COMPLETE"
    assert groups() == ["b"]
    assert stacks.get_stack_policy(StackName="tour")["StackPolicyBody"] == policy(NOTHING)
    stacks.update_stack(**{**given, "TemplateBody": body(**MODIFIED)})
    assert settled("tour") == "UPDATE_ROLLBACK_COMPLETE"


def test_a_policy_that_comes_with_an_update_holds_from_its_end_on(stacks, tour, settled, groups):
    given = {"StackName": "tour", **IAM}
    stacks.update_stack(**given, TemplateBody=body(**REPLACED), StackPolicyBody=policy(NOTHING))
    assert settled("tour") == "UPDATE_COMPLETE"
    assert stacks.get_stack_policy(StackName="tour")["StackPolicyBody"] == policy(NOTHING)
    stacks.update_stack(**given, TemplateBody=body(**MODIFIED), StackPolicyBody=policy(EVERYTHING))
    assert settled("tour") == "UPDATE_ROLLBACK_COMPLETE"
    # The update that was to bring it has failed.
    assert stacks.get_stack_policy(StackName="tour")["StackPolicyBody"] == policy(NOTHING)
    assert groups() == ["b"]


def test_policies_stand_in_buckets_too(cloud, ended, refused):
    s3, client = cloud.client("s3"), cloud.client("cloudformation")
    s3.create_bucket(Bucket="policies")
    for name, text in (("none", policy(NOTHING)), ("all", policy(EVERYTHING)), ("wrong", "x"), ("long", " " * 16385)):
        s3.put_object(Bucket="policies", Key=name, Body=text.encode())
    url = f"{cloud.endpoint}/policies/"
    given = {"StackName": "tour", **IAM}
    client.create_stack(**given, TemplateBody=body(A=group("a")), StackPolicyURL=f"{url}none")
    assert ended("tour") == "CREATE_COMPLETE"
    assert client.get_stack_policy(StackName="tour")["StackPolicyBody"] == policy(NOTHING)
    client.update_stack(**given, TemplateBody=body(A=group("b")), StackPolicyDuringUpdateURL=f"{url}all")
    assert ended("tour") == "UPDATE_COMPLETE"
    client.set_stack_policy(StackName="tour", StackPolicyURL=f"{url}all")
    assert client.get_stack_policy(StackName="tour")["StackPolicyBody"] == policy(EVERYTHING)
    client.update_stack(**given, TemplateBody=body(A=group("c")), StackPolicyURL=f"{url}none")
    assert ended("tour") == "UPDATE_COMPLETE"
    assert client.get_stack_policy(StackName="tour")["StackPolicyBody"] == policy(NOTHING)
    with refused("ValidationError", "Error validating stack policy: Invalid stack policy"):
        client.set_stack_policy(StackName="tour", StackPolicyURL=f"{url}wrong")
    with refused("ValidationError", "A stack policy may not exceed 16384 bytes in size."):
        client.set_stack_policy(StackName="tour", StackPolicyURL=f"{url}long")
    with refused("ValidationError", "StackPolicyURL must be a supported URL."):
        client.set_stack_policy(StackName="tour", StackPolicyURL="https://elsewhere.example/policy")
    ann = cloud.client("cloudformation", cloud.user("ann", allow("cloudformation:*")))
    with refused("ValidationError", "S3 error: "):
        ann.set_stack_policy(StackName="tour", StackPolicyURL=f"{url}all")


WRONG = {
    "no JSON": "policy",
    "a list": "[]",
    "no statements": '{"Statement": []}',
    "another element": '{"Statement": [], "Else": 1}',
    "no effect": policy({"Action": "Update:*", "Principal": "*", "Resource": "*"}),
    "another principal": policy({**NOTHING, "Principal": "ann"}),
    "an account": policy({**NOTHING, "Principal": {"AWS": "*"}}),
    "another action": policy({**NOTHING, "Action": "Delete:*"}),
    "an action of another service": policy({**NOTHING, "Action": "s3:*"}),
    "no action": policy({"Effect": "Deny", "Principal": "*", "Resource": "*"}),
    "two kinds of actions": policy({**NOTHING, "NotAction": "Update:Delete"}),
    "no resource": policy({"Effect": "Deny", "Action": "Update:*", "Principal": "*"}),
    "a resource's name alone": policy({**NOTHING, "Resource": "Group"}),
    "another key": policy({**NOTHING, "Condition": {"StringEquals": {"aws:SourceIp": "1.2.3.4"}}}),
    "another operator": policy({**NOTHING, "Condition": {"StringNotEquals": {"ResourceType": "AWS::S3::Bucket"}}}),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_policy_is_refused(stacks, tour, refused, name):
    with refused("ValidationError", "Error validating stack policy: Invalid stack policy"):
        stacks.set_stack_policy(StackName="tour", StackPolicyBody=WRONG[name])
    assert "StackPolicyBody" not in stacks.get_stack_policy(StackName="tour")


def test_a_policy_stands_in_one_place(stacks, tour, refused):
    both = {"StackPolicyBody": "{}", "StackPolicyURL": "https://s3.amazonaws.com/a/b"}
    with refused("ValidationError", "You cannot specify both StackPolicyURL and StackPolicyBody"):
        stacks.set_stack_policy(StackName="tour", **both)
    with refused("ValidationError", "You cannot specify both StackPolicyURL and StackPolicyBody"):
        stacks.create_stack(StackName="new", TemplateBody=body(A=group("a")), **both, **IAM)
    during = {"StackPolicyDuringUpdateBody": "{}", "StackPolicyDuringUpdateURL": "https://s3.amazonaws.com/a/b"}
    words = "You cannot specify both StackPolicyDuringUpdateURL and StackPolicyDuringUpdateBody"
    with refused("ValidationError", words):
        stacks.update_stack(StackName="tour", TemplateBody=body(**REPLACED), **during, **IAM)
    with refused("ValidationError", "Either StackPolicyURL or StackPolicyBody must be specified."):
        stacks.set_stack_policy(StackName="tour")
    with refused("ValidationError", "Stack [other] does not exist"):
        stacks.set_stack_policy(StackName="other", StackPolicyBody="{}")
    with refused("ValidationError", "Stack [other] does not exist"):
        stacks.get_stack_policy(StackName="other")


def test_policies_of_updates_need_the_right_to_set_one(aws, tour, refused, settled):
    ann = aws.client("cloudformation", aws.user("ann2", allow(["cloudformation:UpdateStack", "iam:*"])))
    given = {"StackName": "tour", "TemplateBody": body(**REPLACED), **IAM}
    with refused("AccessDenied", "is not authorized to perform: cloudformation:SetStackPolicy on resource: " + tour):
        ann.update_stack(**given, StackPolicyDuringUpdateBody=policy(EVERYTHING))
    with refused("AccessDenied", "is not authorized to perform: cloudformation:SetStackPolicy on resource: " + tour):
        ann.update_stack(**given, StackPolicyBody=policy(EVERYTHING))
    ann.update_stack(**given)
    assert settled("tour") == "UPDATE_COMPLETE"


def test_the_place_of_a_policy_of_the_update_is_a_condition_key(aws, tour, refused):
    ours = {"StringLike": {"cloudformation:StackPolicyUrl": "https://s3.amazonaws.com/ours/*"}}
    rights = [allow("cloudformation:UpdateStack"), allow("cloudformation:SetStackPolicy", **ours)]
    bob = aws.client("cloudformation", aws.user("bob", *rights))
    given = {"StackName": "tour", "TemplateBody": body(**REPLACED), **IAM}
    for more in (
        {"StackPolicyDuringUpdateURL": "https://s3.amazonaws.com/theirs/p"},
        {"StackPolicyDuringUpdateBody": "{}", "StackPolicyURL": "https://s3.amazonaws.com/ours/p"},
    ):
        with refused("AccessDenied", "cloudformation:SetStackPolicy"):
            bob.update_stack(**given, **more)
    # It is decided and then read, as its caller, who may read nothing.
    with refused("ValidationError"):
        bob.update_stack(**given, StackPolicyDuringUpdateURL="https://s3.amazonaws.com/ours/p")
