"""Batches over two accounts: each entry is decided by its own resource's policy, and done in that resource's account.

AWS: EventBridge User Guide, "Sending and receiving events between AWS accounts" (eb-cross-account); DynamoDB Developer
Guide, "Cross-account access with resource-based policies"; API References, PutEvents, BatchGetItem, BatchWriteItem.
"""

import json

import pytest
from gateway.two_accounts import OTHER, error_of, policy, to
from running import ACCOUNT, REGION, allow, deny

BUS = f"arn:aws:events:{REGION}:{OTHER}:event-bus/theirs"
TABLE = f"arn:aws:dynamodb:{REGION}:{OTHER}:table/tab"
OWN_TABLE = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/tab"
KEYS = {
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
    "BillingMode": "PAY_PER_REQUEST",
}
WRITES = ["dynamodb:BatchWriteItem", "dynamodb:BatchGetItem"]


def us(statement):
    return to({"AWS": ACCOUNT}, statement)


def entry(detail, bus=None, source="shop"):
    more = {} if bus is None else {"EventBusName": bus}
    return {"Source": source, "DetailType": "d", "Detail": json.dumps({"n": detail}), **more}


def item(value):
    return {"pk": {"S": value}}


def put(*values):
    return [{"PutRequest": {"Item": item(value)}} for value in values]


@pytest.fixture
def buses(cloud, other):
    """A bus of each account, the default one here, and what each is given: a queue there that its rule sends to."""
    theirs = cloud.client("events", other)
    theirs.create_event_bus(Name="theirs")
    queues = {}
    for name, credentials, account, bus in (("own", None, ACCOUNT, "default"), ("theirs", other, OTHER, "theirs")):
        sqs, arn = cloud.client("sqs", credentials), f"arn:aws:sqs:{REGION}:{account}:{name}"
        url = sqs.create_queue(QueueName=name)["QueueUrl"]
        text = policy(to({"Service": "events.amazonaws.com"}, allow("sqs:SendMessage", arn)))
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": text})
        events = cloud.client("events", credentials)
        events.put_rule(Name="all", EventBusName=bus, EventPattern='{"detail-type": ["d"]}')
        events.put_targets(Rule="all", EventBusName=bus, Targets=[{"Id": "1", "Arn": arn}])
        queues[name] = (sqs, url)

    def received(name, many):
        """The accounts and details of so many events that came, and that no other came."""
        sqs, url = queues[name]
        found = []
        while len(found) < many:
            told = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5, MaxNumberOfMessages=10).get("Messages")
            assert told, "no event came in time"
            found += [json.loads(one["Body"]) for one in told]
        assert "Messages" not in sqs.receive_message(QueueUrl=url)
        return sorted((one["account"], one["detail"]["n"]) for one in found)

    return theirs, received


def open_bus(theirs, *statements):
    given = statements or [us(allow("events:PutEvents", BUS))]
    text = policy(*({"Sid": f"s{n}", **one} for n, one in enumerate(given)))
    theirs.put_permission(EventBusName="theirs", Policy=text)


def test_events_go_to_the_buses_of_both_accounts_and_are_told_of_in_order(cloud, buses):
    theirs, received = buses
    open_bus(theirs)
    given = [
        entry(1, BUS),
        entry(2),
        {"Source": "shop", "DetailType": "d", "Detail": "no json"},
        entry(3, BUS),
        entry(4),
    ]
    told = cloud.client("events").put_events(Entries=given)
    assert told["FailedEntryCount"] == 1
    assert [sorted(one) for one in told["Entries"]] == [
        ["EventId"], ["EventId"], ["ErrorCode", "ErrorMessage"], ["EventId"], ["EventId"]
    ]  # fmt: skip
    assert len({one.get("EventId") for one in told["Entries"]}) == 5
    # AWS: the events are of the account that put them.
    assert received("own", 2) == [(ACCOUNT, 2), (ACCOUNT, 4)]
    assert received("theirs", 2) == [(ACCOUNT, 1), (ACCOUNT, 3)]


@pytest.mark.parametrize("statements", [[], [us(deny("events:PutEvents", BUS))]], ids=["nothing", "denied"])
def test_a_bus_that_is_not_open_denies_all_of_the_request(cloud, buses, statements):
    theirs, received = buses
    if statements:
        open_bus(theirs, us(allow("events:*", BUS)), *statements)
    error = error_of(cloud.client("events").put_events, Entries=[entry(1), entry(2, BUS)])
    assert error["Code"] == "AccessDeniedException"
    assert BUS in error["Message"]
    assert (received("own", 0), received("theirs", 0)) == ([], [])


def test_the_callers_policy_and_each_entrys_keys_decide_too(cloud, buses):
    theirs, received = buses
    open_bus(theirs, us(allow("events:PutEvents", BUS, **{"ForAllValues:StringEquals": {"events:source": "shop"}})))
    own, both = [entry(1)], [entry(1), entry(2, BUS)]
    default = f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/default"
    client = cloud.client("events", cloud.user("own", allow("events:PutEvents", default)))
    assert client.put_events(Entries=own)["FailedEntryCount"] == 0
    assert "identity-based policy" in error_of(client.put_events, Entries=both)["Message"]
    error = error_of(cloud.client("events").put_events, Entries=[*both, entry(3, BUS, source="bank")])
    assert error["Code"] == "AccessDeniedException"
    assert (received("own", 1), received("theirs", 0)) == ([(ACCOUNT, 1)], [])


def test_a_bus_that_is_gone_fails_its_entries_alone(cloud, buses):
    theirs, received = buses
    open_bus(theirs)
    own = f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/nowhere"
    told = cloud.client("events").put_events(Entries=[entry(1, own), entry(2, BUS)])
    assert told["FailedEntryCount"] == 1
    assert told["Entries"][0]["ErrorCode"] == "ResourceNotFoundException"
    assert "EventId" in told["Entries"][1]
    assert received("theirs", 1) == [(ACCOUNT, 2)]


def test_ten_events_are_the_most_whosever_buses_they_go_to(cloud, buses):
    theirs, received = buses
    open_bus(theirs)
    entries = [entry(n, BUS if n % 2 else None) for n in range(11)]
    assert error_of(cloud.client("events").put_events, Entries=entries)["Code"] == "ValidationException"
    assert (received("own", 0), received("theirs", 0)) == ([], [])


@pytest.fixture
def tables(cloud, other):
    """DynamoDB of this account and of the other one, each with a table `tab`."""
    clients = cloud.client("dynamodb"), cloud.client("dynamodb", other)
    for client in clients:
        client.create_table(TableName="tab", **KEYS)
    return clients


def open_table(theirs, *statements):
    text = policy(*(statements or [us(allow(WRITES, TABLE))]))
    theirs.put_resource_policy(ResourceArn=TABLE, Policy=text)


def items(client):
    return sorted(one["pk"]["S"] for one in client.scan(TableName="tab")["Items"])


def test_items_of_both_accounts_are_written_and_read(tables):
    own, theirs = tables
    open_table(theirs)
    told = own.batch_write_item(RequestItems={TABLE: put("a", "b"), "tab": put("c")}, ReturnConsumedCapacity="TOTAL")
    assert told["UnprocessedItems"] == {}
    assert len(told["ConsumedCapacity"]) == 2
    assert (items(own), items(theirs)) == (["c"], ["a", "b"])
    keys = {"Keys": [item("a"), item("c")]}
    told = own.batch_get_item(RequestItems={"tab": keys, TABLE: keys}, ReturnConsumedCapacity="TOTAL")
    assert told["Responses"] == {"tab": [item("c")], TABLE: [item("a")]}
    assert told["UnprocessedKeys"] == {}
    assert len(told["ConsumedCapacity"]) == 2
    own.batch_write_item(RequestItems={OWN_TABLE: [{"DeleteRequest": {"Key": item("c")}}], TABLE: put("c")})
    assert (items(own), items(theirs)) == ([], ["a", "b", "c"])


@pytest.mark.parametrize("statements", [[], [us(deny(WRITES, TABLE))]], ids=["nothing", "denied"])
def test_a_table_that_is_not_open_denies_all_of_the_request(tables, statements):
    own, theirs = tables
    if statements:
        open_table(theirs, us(allow(WRITES, TABLE)), *statements)
    for call, given in (
        (own.batch_write_item, {"tab": put("a"), TABLE: put("b")}),
        (own.batch_get_item, {"tab": {"Keys": [item("a")]}, TABLE: {"Keys": [item("a")]}}),
    ):
        error = error_of(call, RequestItems=given)
        assert error["Code"] == "AccessDeniedException"
        assert TABLE in error["Message"]
    assert (items(own), items(theirs)) == ([], [])


def test_the_keys_of_each_tables_items_decide(cloud, tables):
    own, theirs = tables
    leading = {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": "a"}}
    open_table(theirs, us(allow(WRITES, TABLE, **leading)))
    own.batch_write_item(RequestItems={"tab": put("b"), TABLE: put("a")})
    assert error_of(own.batch_write_item, RequestItems={"tab": put("a"), TABLE: put("b")})["Code"] == (
        "AccessDeniedException"
    )
    caller = cloud.client("dynamodb", cloud.user("own", allow("dynamodb:*", OWN_TABLE)))
    error = error_of(caller.batch_get_item, RequestItems={n: {"Keys": [item("a")]} for n in ("tab", TABLE)})
    assert "identity-based policy" in error["Message"]
    assert (items(own), items(theirs)) == (["b"], ["a"])


def test_as_many_items_are_taken_as_of_one_account(tables):
    own, theirs = tables
    open_table(theirs)
    most = [str(n) for n in range(13)]
    assert error_of(own.batch_write_item, RequestItems={"tab": put(*most), TABLE: put(*most)})["Code"] == (
        "ValidationException"
    )
    keys = {"Keys": [item(str(n)) for n in range(51)]}
    assert error_of(own.batch_get_item, RequestItems={"tab": keys, TABLE: keys})["Code"] == "ValidationException"
    assert (items(own), items(theirs)) == ([], [])


def test_a_table_that_is_not_there_fails_the_request(tables):
    own, theirs = tables
    open_table(theirs)
    error = error_of(own.batch_get_item, RequestItems={n: {"Keys": [item("a")]} for n in (TABLE, "nowhere")})
    assert error["Code"] == "ResourceNotFoundException"


def test_a_transaction_is_of_one_account(tables):
    own, theirs = tables
    open_table(theirs, us(allow("dynamodb:*Item", TABLE)))
    given = [{"Put": {"TableName": name, "Item": item("a")}} for name in ("tab", TABLE)]
    error = error_of(own.transact_write_items, TransactItems=given)
    assert (error["Code"], error["Message"]) == (
        "ValidationException",
        "iamd does no transaction over tables of several accounts.",
    )
    gets = [{"Get": {"TableName": name, "Key": item("a")}} for name in ("tab", TABLE)]
    assert "transaction" in error_of(own.transact_get_items, TransactItems=gets)["Message"]
    assert (items(own), items(theirs)) == ([], [])


def test_the_key_of_each_table_is_used_by_the_caller(cloud, other, tables):
    """AWS: KMS Developer Guide, services-dynamodb: DynamoDB asks KMS with its caller's permissions."""
    own, theirs = tables
    kms = cloud.client("kms", other)
    key = kms.create_key()["KeyMetadata"]["Arn"]
    sealed = TABLE.removesuffix("tab") + "sealed"
    theirs.create_table(
        TableName="sealed", **KEYS, SSESpecification={"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": key}
    )
    theirs.put_resource_policy(ResourceArn=sealed, Policy=policy(us(allow(WRITES, sealed))))
    given = {"tab": put("a"), sealed: put("b")}
    assert "kms:Decrypt" in error_of(own.batch_write_item, RequestItems=given)["Message"]
    assert items(own) == []
    root = to({"AWS": OTHER}, allow("kms:*"))
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=policy(root, us(allow("kms:Decrypt"))))
    own.batch_write_item(RequestItems=given)
    assert items(own) == ["a"]
    assert theirs.scan(TableName="sealed")["Items"] == [item("b")]


def test_one_event_tells_of_the_whole_request(cloud, buses):
    open_bus(buses[0])
    cloud.client("events").put_events(Entries=[entry(1), entry(2, BUS)])
    # Each rule's queue is sent to as well, in requests of another name.
    assert len(cloud.events("PutEvents")) == 1
