"""Messages are moved out of dead-letter queues by who may do all of it, and a queue takes the letters that it allows.

AWS: SQS Developer Guide, "Configuring queue permissions for dead-letter queue redrive", has what each operation needs.
"""

import json

import pytest
from gateway.two_accounts import code_of, error_of
from running import ACCOUNT, REGION, allow, asking

QUEUES = f"arn:aws:sqs:{REGION}:{ACCOUNT}:"
DEAD, JOBS, OTHER = f"{QUEUES}dead", f"{QUEUES}jobs", f"{QUEUES}other"


@pytest.fixture
def sqs(cloud):
    return cloud.client("sqs")


def made(sqs, name, **attributes):
    return sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]


def redrive(to=DEAD):
    return {"VisibilityTimeout": "0", "RedrivePolicy": json.dumps({"deadLetterTargetArn": to, "maxReceiveCount": 1})}


def bodies(sqs, url):
    """The messages of a queue, which are gone then."""
    found = []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for one in messages:
            found.append(one["Body"])
            sqs.delete_message(QueueUrl=url, ReceiptHandle=one["ReceiptHandle"])
    return sorted(found)


def killed(sqs, *names, suffix=""):
    """Queues of these names with a dead-letter queue that has a message of each."""
    dead = made(sqs, f"dead{suffix}", **({"FifoQueue": "true"} if suffix else {}))
    for name in names:
        fifo = {"FifoQueue": "true", "ContentBasedDeduplication": "true"} if suffix else {}
        url = made(sqs, f"{name}{suffix}", **redrive(f"{DEAD}{suffix}"), **fifo)
        sqs.send_message(QueueUrl=url, MessageBody=name, **({"MessageGroupId": "g"} if suffix else {}))
        for _ in range(2):
            sqs.receive_message(QueueUrl=url)
    return dead


def counted(sqs, url):
    told = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
    return int(told["Attributes"]["ApproximateNumberOfMessages"])


def test_messages_go_back_to_the_queues_that_they_came_from(sqs):
    dead = killed(sqs, "jobs", "other")
    assert counted(sqs, dead) == 2
    assert sqs.start_message_move_task(SourceArn=DEAD)["TaskHandle"]
    assert [bodies(sqs, name) for name in ("jobs", "other", "dead")] == [["jobs"], ["other"], []]
    [task] = sqs.list_message_move_tasks(SourceArn=DEAD)["Results"]
    assert (task["Status"], task["SourceArn"], "TaskHandle" in task) == ("COMPLETED", DEAD, False)
    assert (task["ApproximateNumberOfMessagesMoved"], task["ApproximateNumberOfMessagesToMove"]) == (2, 2)


def test_messages_go_to_another_queue_as_new_ones(sqs):
    dead = killed(sqs, "jobs")
    made(sqs, "other")
    old = sqs.receive_message(QueueUrl=dead, VisibilityTimeout=0)["Messages"][0]["MessageId"]
    sqs.start_message_move_task(SourceArn=DEAD, DestinationArn=OTHER)
    new = sqs.receive_message(QueueUrl="other", AttributeNames=["ApproximateReceiveCount"])["Messages"][0]
    assert (new["Body"], new["MessageId"] == old) == ("jobs", False)
    assert new["Attributes"]["ApproximateReceiveCount"] == "1"
    assert bodies(sqs, "jobs") == []


def test_fifo_messages_are_moved_to_fifo_queues_alone(sqs):
    killed(sqs, "jobs", suffix=".fifo")
    made(sqs, "other")
    given = {"SourceArn": f"{DEAD}.fifo", "DestinationArn": OTHER}
    assert code_of(sqs.start_message_move_task, **given) == "InvalidParameterValue"
    sqs.start_message_move_task(SourceArn=f"{DEAD}.fifo")
    assert bodies(sqs, "jobs.fifo") == ["jobs"]


def test_a_message_that_came_from_no_queue_ends_the_move(sqs):
    dead = killed(sqs, "jobs")
    assert bodies(sqs, dead) == ["jobs"]
    sqs.send_message(QueueUrl=dead, MessageBody="direct")
    sqs.start_message_move_task(SourceArn=DEAD)
    [task] = sqs.list_message_move_tasks(SourceArn=DEAD)["Results"]
    assert (task["Status"], task["FailureReason"]) == ("FAILED", "CouldNotDetermineMessageSource")
    assert bodies(sqs, dead) == ["direct"]


def test_a_slow_move_is_one_at_a_time_and_can_be_cancelled(sqs):
    dead = killed(sqs, "jobs")
    for number in range(20):
        sqs.send_message(QueueUrl=dead, MessageBody=str(number))
    made(sqs, "other")
    given = {"SourceArn": DEAD, "DestinationArn": OTHER, "MaxNumberOfMessagesPerSecond": 1}
    handle = sqs.start_message_move_task(**given)["TaskHandle"]
    [task] = sqs.list_message_move_tasks(SourceArn=DEAD)["Results"]
    assert (task["Status"], task["TaskHandle"], task["MaxNumberOfMessagesPerSecond"]) == ("RUNNING", handle, 1)
    assert code_of(sqs.start_message_move_task, SourceArn=DEAD) == "AWS.SimpleQueueService.UnsupportedOperation"
    assert sqs.cancel_message_move_task(TaskHandle=handle)["ApproximateNumberOfMessagesMoved"] < 21
    for _ in asking():
        if sqs.list_message_move_tasks(SourceArn=DEAD)["Results"][0]["Status"] == "CANCELLED":
            break
    assert code_of(sqs.cancel_message_move_task, TaskHandle=handle) == "ResourceNotFoundException"
    assert counted(sqs, dead) > 0
    sqs.start_message_move_task(SourceArn=DEAD, DestinationArn=OTHER)
    assert (counted(sqs, dead), counted(sqs, "other")) == (0, 21)
    assert len(sqs.list_message_move_tasks(SourceArn=DEAD, MaxResults=10)["Results"]) == 2


def test_what_can_not_be_moved_is_refused(sqs):
    killed(sqs, "jobs")
    for given, code in (
        ({"SourceArn": JOBS}, "InvalidParameterValue"),
        ({"SourceArn": f"{QUEUES}none"}, "ResourceNotFoundException"),
        ({"SourceArn": DEAD.replace(REGION, "eu-west-1")}, "ValidationError"),
        ({"SourceArn": DEAD, "DestinationArn": f"{QUEUES}none"}, "ResourceNotFoundException"),
        ({"SourceArn": DEAD, "DestinationArn": JOBS.replace(REGION, "eu-west-1")}, "ValidationError"),
        ({"SourceArn": DEAD, "DestinationArn": DEAD}, "InvalidParameterValue"),
        ({"SourceArn": DEAD, "MaxNumberOfMessagesPerSecond": 501}, "InvalidParameterValue"),
    ):
        assert code_of(sqs.start_message_move_task, **given) == code, given
    assert code_of(sqs.list_message_move_tasks, SourceArn=DEAD, MaxResults=11) == "InvalidParameterValue"


NEEDED = ["sqs:StartMessageMoveTask", "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]


@pytest.mark.parametrize("missing", [*NEEDED, "sqs:SendMessage", None])
def test_who_moves_may_do_all_that_it_takes(cloud, sqs, missing):
    killed(sqs, "jobs")
    made(sqs, "other")
    on_dead = allow([one for one in NEEDED if one != missing], DEAD)
    on_other = allow("sqs:GetQueueUrl" if missing == "sqs:SendMessage" else "sqs:SendMessage", OTHER)
    mover = cloud.client("sqs", cloud.user("mover", on_dead, on_other))
    if missing is None:
        mover.start_message_move_task(SourceArn=DEAD, DestinationArn=OTHER)
        assert bodies(sqs, "other") == ["jobs"]
    else:
        error = error_of(mover.start_message_move_task, SourceArn=DEAD, DestinationArn=OTHER)
        assert (error["Code"], missing.lower() in error["Message"].lower()) == ("AccessDenied", True)
        assert counted(sqs, "dead") == 1


def test_who_looks_at_moves_needs_no_more_than_to_list_them(cloud, sqs):
    killed(sqs, "jobs")
    looking = ["sqs:ListMessageMoveTasks", "sqs:GetQueueAttributes"]
    viewer = cloud.client("sqs", cloud.user("viewer", allow(looking, DEAD)))
    assert viewer.list_message_move_tasks(SourceArn=DEAD).get("Results", []) == []
    assert code_of(viewer.list_message_move_tasks, SourceArn=JOBS) == "AccessDenied"


def key(cloud):
    return cloud.client("kms").create_key()["KeyMetadata"]["Arn"]


@pytest.mark.parametrize("named", [True, False])
def test_moving_uses_the_keys_of_both_queues(cloud, sqs, named):
    dead_key, jobs_key = key(cloud), key(cloud)
    killed(sqs, "jobs")
    sqs.set_queue_attributes(QueueUrl="dead", Attributes={"KmsMasterKeyId": dead_key})
    sqs.set_queue_attributes(QueueUrl="jobs", Attributes={"KmsMasterKeyId": jobs_key})
    given = {"SourceArn": DEAD, **({"DestinationArn": JOBS} if named else {})}
    uses = {
        "none": [],
        "dead": [allow("kms:Decrypt", dead_key)],
        "half": [allow("kms:Decrypt", dead_key), allow("kms:Decrypt", jobs_key)],
        "both": [allow("kms:Decrypt", dead_key), allow(["kms:Decrypt", "kms:GenerateDataKey"], jobs_key)],
    }
    for name, statements in uses.items():
        mover = cloud.client("sqs", cloud.user(name, allow("sqs:*"), *statements))
        if name != "both":
            assert code_of(mover.start_message_move_task, **given) == "KMS.AccessDeniedException", name
            assert counted(sqs, "dead") == 1
        else:
            mover.start_message_move_task(**given)
            assert bodies(sqs, "jobs") == ["jobs"]


def test_cancelling_uses_the_key_of_the_dead_letter_queue(cloud, sqs):
    dead_key = key(cloud)
    dead = killed(sqs, "jobs")
    sqs.set_queue_attributes(QueueUrl="dead", Attributes={"KmsMasterKeyId": dead_key})
    for number in range(5):
        sqs.send_message(QueueUrl=dead, MessageBody=str(number))
    given = {"SourceArn": DEAD, "DestinationArn": JOBS, "MaxNumberOfMessagesPerSecond": 1}
    handle = sqs.start_message_move_task(**given)["TaskHandle"]
    stranger = cloud.client("sqs", cloud.user("stranger", allow("sqs:*")))
    assert code_of(stranger.cancel_message_move_task, TaskHandle=handle) == "KMS.AccessDeniedException"
    holder = cloud.client("sqs", cloud.user("holder", allow("sqs:*"), allow("kms:Decrypt", dead_key)))
    holder.cancel_message_move_task(TaskHandle=handle)


def allowed(**policy):
    return {"RedriveAllowPolicy": json.dumps(policy)}


def test_a_queue_takes_the_dead_letters_of_the_queues_that_it_allows(sqs):
    made(sqs, "dead", **allowed(redrivePermission="byQueue", sourceQueueArns=[JOBS]))
    assert code_of(sqs.create_queue, QueueName="other", Attributes=redrive()) == "InvalidParameterValue"
    made(sqs, "other")
    refused = {"QueueUrl": "other", "Attributes": redrive()}
    assert code_of(sqs.set_queue_attributes, **refused) == "InvalidParameterValue"
    told = sqs.get_queue_attributes(QueueUrl="other", AttributeNames=["All"])["Attributes"]
    assert "RedrivePolicy" not in told
    made(sqs, "jobs", **redrive())
    sqs.set_queue_attributes(QueueUrl="dead", Attributes=allowed(redrivePermission="denyAll"))
    assert code_of(sqs.set_queue_attributes, **refused) == "InvalidParameterValue"
    for open_again in (allowed(redrivePermission="allowAll"), {"RedriveAllowPolicy": ""}):
        sqs.set_queue_attributes(QueueUrl="dead", Attributes=open_again)
        sqs.set_queue_attributes(**refused)


def test_a_redrive_allow_policy_is_told_and_read(sqs):
    policy = allowed(redrivePermission="denyAll")
    made(sqs, "dead", **policy)
    told = sqs.get_queue_attributes(QueueUrl="dead", AttributeNames=["RedriveAllowPolicy"])["Attributes"]
    assert told == policy
    for wrong in (
        {"RedriveAllowPolicy": "no"},
        allowed(redrivePermission="some"),
        allowed(redrivePermission="byQueue"),
        allowed(redrivePermission="denyAll", sourceQueueArns=[JOBS]),
        allowed(redrivePermission="byQueue", sourceQueueArns=[f"{QUEUES}{number}" for number in range(11)]),
    ):
        assert code_of(sqs.set_queue_attributes, QueueUrl="dead", Attributes=wrong) == "InvalidParameterValue"
    assert sqs.get_queue_attributes(QueueUrl="dead", AttributeNames=["RedriveAllowPolicy"])["Attributes"] == policy
