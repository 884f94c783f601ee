"""What requests to ECS are decided on: what lies in a cluster by name, id and ARN; task definitions and their roles.

AWS: Amazon ECS Developer Guide, "Identity and Access Management for Amazon Elastic Container Service".
"""

import json

import pytest
from gateway.condition_keys import Caller, Key, check, refused
from gateway.counting import answer
from gateway.parameters import ACCOUNT, ECS, ROLE
from running import allow

TAGS = {"tags": [{"key": "team", "value": "blue"}]}
SERVICE, TASK = f"{ECS}:service/cls/svc", f"{ECS}:task/cls/abc"
FAMILY, THIRD = f"{ECS}:task-definition/fam:*", f"{ECS}:task-definition/fam:3"
ANY_ROLE = f"arn:aws:iam::{ACCOUNT}:role/*"


def on(resource, *actions):
    return [(f"ecs:{action}", resource) for action in actions]


UNKNOWN = [("iam:PassRole", ANY_ROLE)]
CASES = [
    ("CreateCluster", {}, on(f"{ECS}:cluster/default", "CreateCluster")),
    ("CreateCluster", {"clusterName": "cls", **TAGS}, on(f"{ECS}:cluster/cls", "CreateCluster", "TagResource")),
    ("DeleteCluster", {"cluster": f"{ECS}:cluster/cls"}, on(f"{ECS}:cluster/cls", "DeleteCluster")),
    (
        "DescribeClusters",
        {"clusters": ["a", f"{ECS}:cluster/b"]},
        [*on(f"{ECS}:cluster/a", "DescribeClusters"), *on(f"{ECS}:cluster/b", "DescribeClusters")],
    ),
    ("DeleteService", {"service": "svc"}, on(f"{ECS}:service/default/svc", "DeleteService")),
    ("DeleteService", {"service": SERVICE, "cluster": "cls"}, on(SERVICE, "DeleteService")),
    (
        "DescribeServices",
        {"cluster": "cls", "services": ["svc", f"{ECS}:service/cls/two"]},
        [*on(SERVICE, "DescribeServices"), *on(f"{ECS}:service/cls/two", "DescribeServices")],
    ),
    ("StopTask", {"cluster": "cls", "task": "abc"}, on(TASK, "StopTask")),
    ("ListTasks", {"cluster": "cls"}, on(f"{ECS}:container-instance/cls/*", "ListTasks")),
    (
        "ExecuteCommand",
        {"cluster": "cls", "task": "abc", "command": "ls", "interactive": True},
        [*on(f"{ECS}:cluster/cls", "ExecuteCommand"), *on(TASK, "ExecuteCommand")],
    ),
    ("RunTask", {"taskDefinition": "fam:3", "cluster": "cls"}, [*on(THIRD, "RunTask"), *UNKNOWN]),
    (
        "RunTask",
        {"taskDefinition": "fam", "cluster": "cls", **TAGS},
        [*on(FAMILY, "RunTask"), *on(f"{ECS}:task/cls/*", "TagResource"), *UNKNOWN],
    ),
    (
        "StartTask",
        {"taskDefinition": THIRD, "cluster": "cls", "containerInstances": ["a", "b"]},
        [*on(THIRD, "StartTask", "StartTask"), *UNKNOWN],
    ),
    ("CreateService", {"serviceName": "svc", "cluster": "cls"}, on(SERVICE, "CreateService")),
    (
        "CreateTaskSet",
        {"service": "svc", "cluster": "cls", "taskDefinition": "fam:3"},
        [*on(f"{ECS}:task-set/cls/svc/*", "CreateTaskSet"), *UNKNOWN],
    ),
    (
        "DeleteTaskSet",
        {"service": SERVICE, "cluster": "cls", "taskSet": "ecs-svc-1"},
        on(f"{ECS}:task-set/cls/svc/ecs-svc-1", "DeleteTaskSet"),
    ),
    (
        "PutAttributes",
        {"cluster": "cls", "attributes": [{"name": "a", "targetId": "i1"}, {"name": "b", "targetId": "i2"}]},
        [*on(f"{ECS}:container-instance/cls/i1", "PutAttributes"),
         *on(f"{ECS}:container-instance/cls/i2", "PutAttributes")],
    ),
    (
        "DescribeServiceRevisions",
        {"serviceRevisionArns": [f"{ECS}:service-revision/cls/svc/7"]},
        [*on(f"{ECS}:service-revision/cls/svc/7", "DescribeServiceRevisions"),
         *on(SERVICE, "DescribeServiceRevisions")],
    ),
    ("DeregisterTaskDefinition", {"taskDefinition": "fam:3"}, on("*", "DeregisterTaskDefinition")),
    ("TagResource", {"resourceArn": TASK, **TAGS}, on(TASK, "TagResource")),
    ("ListServices", {"cluster": "cls"}, on("*", "ListServices")),
]  # fmt: skip


@pytest.mark.parametrize(("name", "given", "wanted"), CASES)
def test_each_request_is_decided_on_what_it_touches(counted, name, given, wanted):
    told = counted.call("ecs", name, given)
    assert told.asked == wanted
    assert told.sent > 0


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("StopTask", {"cluster": "cls", "task": "*"}),
        ("StopTask", {"cluster": "*", "task": "abc"}),
        # An id is looked up in the cluster that is named, whatever else its ARN says.
        ("StopTask", {"cluster": "other", "task": TASK}),
        ("StopTask", {"task": TASK}),
        ("StopTask", {"cluster": "cls", "task": TASK.replace(ACCOUNT, "111122223333")}),
        ("StopTask", {"cluster": "cls", "task": TASK.replace("us-east-1", "eu-west-1")}),
        ("StopTask", {"cluster": "cls", "task": SERVICE}),
        ("RunTask", {"taskDefinition": "fam:*"}),
        ("RunTask", {"taskDefinition": THIRD.replace(ACCOUNT, "111122223333")}),
        ("TagResource", {"resourceArn": f"{ECS}:cluster/*", **TAGS}),
        ("RegisterTaskDefinition", {"family": "a:b", "containerDefinitions": []}),
    ],
)
def test_what_names_nothing_plainly_is_refused(counted, name, given):
    told = counted.call("ecs", name, given)
    assert (told.status, told.code, told.sent) == (400, "InvalidParameterException", 0)


def told_of(family, revision, **more):
    arn = f"{ECS}:task-definition/{family}:{revision}"
    return answer(json.dumps({"taskDefinition": {"taskDefinitionArn": arn, **more}}).encode())


def test_the_roles_of_a_task_definition_are_passed_by_whoever_runs_it(counted):
    register = {"family": "learned", "containerDefinitions": [], "taskRoleArn": ROLE}
    counted.backend.answers.append(told_of("learned", 1, taskRoleArn=ROLE))
    assert ("iam:PassRole", ROLE) in counted.call("ecs", "RegisterTaskDefinition", register).asked
    definition = f"{ECS}:task-definition/learned"
    wanted = [("iam:PassRole", ROLE)]
    assert counted.call("ecs", "RunTask", {"taskDefinition": "learned:1"}).asked[1:] == wanted
    assert counted.call("ecs", "RunTask", {"taskDefinition": "learned"}).asked == [
        *on(f"{definition}:*", "RunTask"),
        *wanted,
    ]
    service = {"serviceName": "svc", "taskDefinition": f"{definition}:1"}
    assert counted.call("ecs", "CreateService", service).asked[1:] == wanted
    runner = Caller.new(counted, "runner")
    runner.may(allow("ecs:*"))
    refused(runner.call("ecs", "RunTask", {"taskDefinition": "learned"}), "the iam:PassRole action")


def test_without_a_revision_the_newest_that_is_active_counts(counted):
    counted.backend.answers += [told_of("plain", 1, taskRoleArn=ROLE), told_of("plain", 2)]
    for _ in range(2):
        counted.call("ecs", "RegisterTaskDefinition", {"family": "plain", "containerDefinitions": []})
    run = {"taskDefinition": "plain"}
    assert [action for action, _ in counted.call("ecs", "RunTask", run).asked] == ["ecs:RunTask"]
    counted.backend.answers.append(told_of("plain", 2, status="INACTIVE"))
    counted.call("ecs", "DeregisterTaskDefinition", {"taskDefinition": "plain:2"})
    assert counted.call("ecs", "RunTask", run).asked[1:] == [("iam:PassRole", ROLE)]


RUN = ("ecs:RunTask", "RunTask")
THEN = {"taskDefinition": "fam:3"}
CLUSTER = f"{ECS}:cluster/cls"
MAKE = ("ecs:CreateService", "CreateService")
NEW = {"serviceName": "svc", "cluster": "cls"}


def within(**network):
    return {**NEW, "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-1"], **network}}}


KEYS = [
    Key("ecs:cluster", CLUSTER, *RUN, {**THEN, "cluster": "cls"}, {**THEN, "cluster": "two"}, "ArnEquals"),
    Key("ecs:enable-execute-command", "true", *RUN, {**THEN, "enableExecuteCommand": True},
        {**THEN, "enableExecuteCommand": False}),
    Key("ecs:task-definition", THIRD, *MAKE, {**NEW, "taskDefinition": "fam:3"}, {**NEW, "taskDefinition": "fam:4"},
        "ArnEquals"),
    Key("ecs:subnet", "subnet-1", *MAKE, within(), within(subnets=["subnet-2"]), "ForAnyValue:StringEquals"),
    Key("ecs:auto-assign-public-ip", "false", *MAKE, within(assignPublicIp="DISABLED"),
        within(assignPublicIp="ENABLED"), "Bool"),
    Key("ecs:privileged", "true", "ecs:RegisterTaskDefinition", "RegisterTaskDefinition",
        {"family": "fam", "containerDefinitions": [{"name": "a"}, {"name": "b", "privileged": True}]},
        {"family": "fam", "containerDefinitions": [{"name": "a"}]}),
]  # fmt: skip


@pytest.fixture(scope="module")
def caller(counted):
    return Caller.new(counted, "ecs-keys")


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_a_key_has_its_value_and_decides(caller, key):
    check(caller, "ecs", key)


def test_a_denied_container_is_denied_on_its_task_and_its_cluster(caller):
    asked = {"task": "abc", "command": "ls", "interactive": True}
    web = {"StringEquals": {"ecs:container-name": "web"}}
    caller.may(allow("*"), {**allow("ecs:ExecuteCommand", TASK.replace("cls", "default"), **web), "Effect": "Deny"})
    assert caller.call("ecs", "ExecuteCommand", {**asked, "container": "db"}).sent > 0
    refused(caller.call("ecs", "ExecuteCommand", {**asked, "container": "web"}), "explicit deny")


def test_tagging_what_is_made_tells_by_which_operation(counted):
    made = counted.call("ecs", "CreateCluster", TAGS)
    assert made.context("ecs:TagResource")["ecs:createaction"] == "CreateCluster"
    tagged = counted.call("ecs", "TagResource", {"resourceArn": TASK, **TAGS})
    assert "ecs:createaction" not in tagged.context("ecs:TagResource")


def test_each_container_instance_of_a_start_is_a_decision(counted):
    given = {"taskDefinition": "fam:3", "cluster": "cls", "containerInstances": ["a", "b"]}
    told = counted.call("ecs", "StartTask", given).decisions[:2]
    instances = [one["Context"]["ecs:container-instances"] for one in told]
    assert instances == [[f"{ECS}:container-instance/cls/{name}"] for name in "ab"]
