"""What requests to AWS Batch are decided on: queues, definitions and all else by name or ARN; containers by their keys.

AWS: Service Authorization Reference, list_awsbatch; Batch User Guide, "Grant permission to tag resources on creation".
"""

import pytest
from gateway.condition_keys import Caller, Key, check, refused
from gateway.counting import trusting
from gateway.parameters import ACCOUNT, BATCH, KEY_ID, REGION, ROLE
from running import allow, deny

QUEUE, DEFINITION = f"{BATCH}:job-queue/que", f"{BATCH}:job-definition/def"
SHARE = f"{QUEUE}/quota-share/qsh"
TAGS = {"team": "blue"}
SUBMIT = {"jobName": "job", "jobQueue": "que", "jobDefinition": "def"}
SECOND = KEY_ID.replace("0", "9")


def on(resource, *actions):
    return [(f"batch:{action}", resource) for action in actions]


def environment(name):
    return f"{BATCH}:compute-environment/{name}"


def container(**more):
    return {"jobDefinitionName": "def", "type": "container", "containerProperties": {"image": "busybox", **more}}


def logs(**options):
    named = {f"awslogs-{name.replace('_', '-')}": value for name, value in options.items()}
    return container(logConfiguration={"logDriver": "awslogs", "options": named})


def pod(**more):
    properties = {"containers": [{"image": "busybox", **more.pop("container", {})}], **more}
    return {"jobDefinitionName": "def", "type": "container", "eksProperties": {"podProperties": properties}}


CASES = [
    ("SubmitJob", SUBMIT, [*on(DEFINITION, "SubmitJob"), *on(QUEUE, "SubmitJob")]),
    (
        "SubmitJob",
        {"jobName": "job", "jobQueue": QUEUE, "jobDefinition": f"{DEFINITION}:3", "tags": TAGS},
        [*on(f"{DEFINITION}:3", "SubmitJob"), *on(QUEUE, "SubmitJob"), *on(f"{BATCH}:job/*", "TagResource")],
    ),
    (
        "SubmitJob",
        {**SUBMIT, "consumableResourcePropertiesOverride": {"consumableResourceList": [{"consumableResource": "con"}]}},
        [
            *on(DEFINITION, "SubmitJob"),
            *on(QUEUE, "SubmitJob"),
            *on(f"{BATCH}:consumable-resource/con", "SubmitJob"),
        ],
    ),
    ("RegisterJobDefinition", container(), on(DEFINITION, "RegisterJobDefinition")),
    (
        "RegisterJobDefinition",
        {**container(), "tags": TAGS},
        [*on(DEFINITION, "RegisterJobDefinition"), *on(f"{DEFINITION}:*", "TagResource")],
    ),
    ("DeregisterJobDefinition", {"jobDefinition": "def:3"}, on(f"{DEFINITION}:3", "DeregisterJobDefinition")),
    (
        "CreateJobQueue",
        {
            "jobQueueName": "que",
            "priority": 1,
            "schedulingPolicyArn": f"{BATCH}:scheduling-policy/pol",
            "computeEnvironmentOrder": [
                {"order": 1, "computeEnvironment": "one"},
                {"order": 2, "computeEnvironment": environment("two")},
            ],
            "tags": TAGS,
        },
        [
            *on(QUEUE, "CreateJobQueue"),
            *on(f"{BATCH}:scheduling-policy/pol", "CreateJobQueue"),
            *on(environment("one"), "CreateJobQueue"),
            *on(environment("two"), "CreateJobQueue"),
            *on(QUEUE, "TagResource"),
        ],
    ),
    ("UpdateJobQueue", {"jobQueue": QUEUE}, on(QUEUE, "UpdateJobQueue")),
    ("DescribeJobQueues", {"jobQueues": ["que"]}, on("*", "DescribeJobQueues")),
    ("ListJobs", {"jobQueue": "que"}, on("*", "ListJobs")),
    ("CancelJob", {"jobId": f"{KEY_ID}:7", "reason": "r"}, on(f"{BATCH}:job/{KEY_ID}:7", "CancelJob")),
    (
        "CancelJobs",
        {"jobs": [KEY_ID, SECOND, KEY_ID], "reason": "r"},
        [*on(f"{BATCH}:job/{KEY_ID}", "CancelJob"), *on(f"{BATCH}:job/{SECOND}", "CancelJob")],
    ),
    ("TerminateServiceJobs", {"jobs": [KEY_ID], "reason": "r"}, on(f"{BATCH}:service-job/{KEY_ID}", "TerminateServiceJob")),
    (
        "SubmitServiceJob",
        {
            "jobName": "job", "jobQueue": "que", "serviceRequestPayload": "{}", "serviceJobType": "SAGEMAKER_TRAINING",
            "quotaShareName": "qsh",
        },
        [
            *on(f"{BATCH}:service-job/*", "SubmitServiceJob"), *on(QUEUE, "SubmitServiceJob"),
            *on(SHARE, "SubmitServiceJob"),
        ],
    ),
    ("DescribeQuotaShare", {"quotaShareArn": SHARE}, on(SHARE, "DescribeQuotaShare")),
    ("ListTagsForResource", {"resourceArn": f"{DEFINITION}:3"}, on(f"{DEFINITION}:3", "ListTagsForResource")),
]  # fmt: skip


@pytest.mark.parametrize(("name", "given", "wanted"), CASES)
def test_each_request_is_decided_on_what_it_touches(counted, name, given, wanted):
    told = counted.call("batch", name, given)
    assert told.asked == wanted
    assert told.sent > 0


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("UpdateJobQueue", {"jobQueue": "q*"}),
        ("UpdateJobQueue", {"jobQueue": environment("que")}),
        ("UpdateJobQueue", {"jobQueue": QUEUE.replace(REGION, "eu-west-1")}),
        ("SubmitJob", {**SUBMIT, "jobDefinition": "def:*"}),
        ("DeregisterJobDefinition", {"jobDefinition": "def"}),
        ("CancelJob", {"jobId": "../x", "reason": "r"}),
        ("CancelJobs", {"jobs": [KEY_ID, "*"], "reason": "r"}),
        ("DescribeQuotaShare", {"quotaShareArn": QUEUE}),
        ("DeleteSchedulingPolicy", {"arn": QUEUE}),
        ("TagResource", {"resourceArn": f"{BATCH}:job-queue/*", "tags": TAGS}),
    ],
)
def test_what_names_nothing_of_batchs_is_refused(counted, name, given):
    told = counted.call("batch", name, given)
    assert (told.status, told.code, told.sent) == (400, "ClientException", 0)


def test_what_is_anothers_is_not_reached(counted):
    told = counted.call("batch", "UpdateJobQueue", {"jobQueue": QUEUE.replace(ACCOUNT, "111122223333")})
    assert (told.status, told.code, told.sent) == (403, "AccessDeniedException", 0)


REGISTER = ("batch:RegisterJobDefinition", "RegisterJobDefinition")
KEYS = [
    Key("batch:Image", "busybox", *REGISTER, container(), container(image="other")),
    Key("batch:Privileged", "true", *REGISTER, container(privileged=True), container(privileged=False), "Bool"),
    Key("batch:User", "root", *REGISTER, container(user="root"), container(user="me")),
    Key("batch:LogDriver", "awslogs", *REGISTER, logs(), container(logConfiguration={"logDriver": "syslog"})),
    Key("batch:AWSLogsGroup", "mine", *REGISTER, logs(group="mine"), logs(group="theirs")),
    Key("batch:AWSLogsRegion", REGION, *REGISTER, logs(region=REGION), logs(region="eu-west-1")),
    Key("batch:AWSLogsStreamPrefix", "a", *REGISTER, logs(stream_prefix="a"), logs(stream_prefix="b")),
    Key("batch:AWSLogsCreateGroup", "true", *REGISTER, logs(create_group="true"), logs(create_group="false"), "Bool"),
    Key("batch:EKSImage", "busybox", *REGISTER, pod(), pod(container={"image": "other"})),
    Key("batch:EKSNamespace", "mine", *REGISTER, pod(metadata={"namespace": "mine"}), pod()),
    Key("batch:EKSServiceAccountName", "sa", *REGISTER, pod(serviceAccountName="sa"), pod(serviceAccountName="no")),
    Key("batch:EKSPrivileged", "true", *REGISTER, pod(container={"securityContext": {"privileged": True}}), pod(), "Bool"),
    Key("batch:EKSRunAsUser", "0", *REGISTER, pod(container={"securityContext": {"runAsUser": 0}}), pod(),
        "NumericEquals"),
    Key("batch:EKSRunAsGroup", "0", *REGISTER, pod(container={"securityContext": {"runAsGroup": 0}}), pod(),
        "NumericEquals"),
    Key("batch:SchedulingPriority", "5", "batch:UpdateServiceJob", "UpdateServiceJob",
        {"jobId": KEY_ID, "schedulingPriority": 5}, {"jobId": KEY_ID, "schedulingPriority": 6}, "NumericEquals"),
    Key("aws:RequestTag/team", "blue", "batch:CreateSchedulingPolicy", "CreateSchedulingPolicy",
        {"name": "pol", "tags": TAGS}, {"name": "pol"}),
]  # fmt: skip


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_a_key_has_its_value_and_decides(counted, key):
    check(Caller.new(counted, f"batch-{key.name.rpartition(':')[2].replace('/', '-')}"), "batch", key)


def several(*images):
    tasks = [{"containers": [{"image": image} for image in images]}]
    return {"jobDefinitionName": "def", "type": "container", "ecsProperties": {"taskProperties": tasks}}


def nodes(*images):
    ranges = [{"targetNodes": "0:1", "container": {"image": image}} for image in images]
    properties = {"numNodes": 2, "mainNode": 0, "nodeRangeProperties": ranges}
    return {"jobDefinitionName": "def", "type": "multinode", "nodeProperties": properties}


def pods(*images):
    first, *others = [{"image": image} for image in images]
    return pod(container=first, initContainers=others)


@pytest.mark.parametrize(("make", "key"), [(several, "batch:Image"), (nodes, "batch:Image"), (pods, "batch:EKSImage")])
def test_each_container_of_a_definition_must_be_allowed(counted, make, key):
    caller = Caller.new(counted, f"batch-{make.__name__}")
    caller.may(allow("batch:*", StringEquals={key: "good"}))
    assert caller.call("batch", "RegisterJobDefinition", make("good", "good")).sent > 0
    refused(caller.call("batch", "RegisterJobDefinition", make("good", "bad")), "no identity-based policy allows")
    caller.may(allow("batch:*"), deny("batch:*", StringEquals={key: "bad"}))
    refused(caller.call("batch", "RegisterJobDefinition", make("good", "bad")), "explicit deny")


def test_an_image_that_a_job_puts_in_place_of_its_definitions_decides(counted):
    caller = Caller.new(counted, "batch-override")
    caller.may(allow("batch:*"), deny("batch:SubmitJob", StringEquals={"batch:EKSImage": "bad"}))
    for image in ("good", "bad"):
        override = {"podProperties": {"containers": [{"image": image}]}}
        told = caller.call("batch", "SubmitJob", {**SUBMIT, "eksPropertiesOverride": override})
        assert (told.sent > 0) == (image == "good")
    caller.may(allow("batch:SubmitJob", StringEquals={"batch:ShareIdentifier": "A"}))
    assert caller.call("batch", "SubmitJob", {**SUBMIT, "shareIdentifier": "A"}).sent > 0
    refused(caller.call("batch", "SubmitJob", {**SUBMIT, "shareIdentifier": "B"}), "no identity-based policy allows")


def test_the_roles_of_a_jobs_containers_are_handed_over(counted):
    counted.aws.client("iam").create_role(RoleName="job", AssumeRolePolicyDocument=trusting("ecs-tasks.amazonaws.com"))
    role = ROLE.replace("app", "job")
    in_nodes = {"numNodes": 1, "mainNode": 0}
    for given in (
        container(jobRoleArn=role),
        container(executionRoleArn=role),
        {**several("a"), "ecsProperties": {"taskProperties": [{"containers": [{"image": "a"}], "taskRoleArn": role}]}},
        {
            **nodes("a"),
            "nodeProperties": {
                **in_nodes,
                "nodeRangeProperties": [{"targetNodes": "0", "container": {"image": "a", "executionRoleArn": role}}],
            },
        },
    ):
        told = counted.call("batch", "RegisterJobDefinition", given)
        assert told.asked == [*on(DEFINITION, "RegisterJobDefinition"), ("iam:PassRole", role)]
        assert told.context("iam:PassRole")["iam:passedtoservice"] == "ecs-tasks.amazonaws.com"
    caller = Caller.new(counted, "batch-no-roles")
    caller.may(allow("batch:*"))
    refused(caller.call("batch", "RegisterJobDefinition", given), "no identity-based policy allows")
