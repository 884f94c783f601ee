"""Versions that stay as they were published, and aliases that lead to them.

AWS: Lambda Developer Guide, "Manage Lambda function versions" (configuration-versions), "Create an alias for a Lambda
function" (configuration-aliases), "Implement Lambda canary deployments using a weighted alias" (configuring-alias-routing).
"""

import json

import pytest
from functions.conftest import ROLE, Functions, code
from functions.test_asynchronous import TRY, bodies
from functions.test_invoke import FUNCTION, refused
from functions.test_mappings import POLL
from functions.test_mappings import RELAY as TELL
from running import ACCOUNT, allow

SAY = "def handler(event, context):\n    return ['{}', context.function_version, context.invoked_function_arn]\n"


@pytest.fixture
def client(functions):
    """Lambda's client, before a function that says `one`."""
    functions.make(SAY.format("one"))
    return functions.cloud.client("lambda")


def change(client, text):
    return client.update_function_code(FunctionName="fn", ZipFile=code(SAY.format(text)))


def publish(client, **more):
    return client.publish_version(FunctionName="fn", **more)["Version"]


def routed(client, name, version, **weights):
    routing = {"AdditionalVersionWeights": {number.removeprefix("v"): weight for number, weight in weights.items()}}
    return client.create_alias(FunctionName="fn", Name=name, FunctionVersion=version, RoutingConfig=routing)


def test_a_version_is_the_function_as_it_was(functions: Functions, client):
    client.update_function_configuration(FunctionName="fn", Environment={"Variables": {"AA": "1"}}, Timeout=7)
    assert publish(client, Description="first") == "1"
    change(client, "two")
    client.update_function_configuration(FunctionName="fn", Environment={}, Timeout=9, EphemeralStorage={"Size": 1024})
    told = client.get_function_configuration(FunctionName="fn", Qualifier="1")
    assert (told["Timeout"], told["Environment"], told["Description"]) == (7, {"Variables": {"AA": "1"}}, "first")
    assert told["EphemeralStorage"] == {"Size": 512}
    latest = client.get_function_configuration(FunctionName="fn")
    assert (latest["Timeout"], latest.get("Environment"), latest["Description"]) == (9, None, "")
    assert latest["EphemeralStorage"] == {"Size": 1024}
    assert functions.invoke(Qualifier="1").value == ["one", "1", f"{FUNCTION}:1"]
    assert functions.invoke().value == ["two", "$LATEST", FUNCTION]


def test_what_has_not_changed_is_not_published_again(client):
    package = code(SAY.format("two"))
    client.update_function_code(FunctionName="fn", ZipFile=package)
    assert [publish(client), publish(client)] == ["1", "1"]
    change(client, "three")
    client.update_function_code(FunctionName="fn", ZipFile=package)
    assert publish(client) == "1"
    client.update_function_configuration(FunctionName="fn", MemorySize=256)
    assert [publish(client), publish(client)] == ["2", "2"]


def test_numbers_come_once(client, functions):
    publish(client)
    change(client, "two")
    assert publish(client) == "2"
    client.delete_function(FunctionName="fn", Qualifier="1")
    change(client, "three")
    assert publish(client) == "3"
    client.delete_function(FunctionName="fn")
    functions.make(SAY.format("new"))
    assert publish(client) == "4"


def test_code_is_published_as_it_is_updated(client):
    told = client.update_function_code(FunctionName="fn", ZipFile=code(SAY.format("two")), Publish=True)
    assert (told["Version"], told["FunctionArn"]) == ("1", f"{FUNCTION}:1")
    assert client.get_function(FunctionName="fn", Qualifier="1")["Configuration"]["RevisionId"] == told["RevisionId"]
    assert publish(client) == "1"


def test_a_dry_run_changes_nothing(client):
    known = client.get_function_configuration(FunctionName="fn")
    client.update_function_code(FunctionName="fn", ZipFile=code(SAY.format("two")), DryRun=True, Publish=True)
    told = client.get_function_configuration(FunctionName="fn")
    assert (told["RevisionId"], told["CodeSha256"]) == (known["RevisionId"], known["CodeSha256"])
    assert [one["Version"] for one in client.list_versions_by_function(FunctionName="fn")["Versions"]] == ["$LATEST"]


def test_a_revision_that_is_no_more_changes_nothing(client):
    stale = client.get_function_configuration(FunctionName="fn")["RevisionId"]
    change(client, "two")
    asked = {"FunctionName": "fn", "RevisionId": stale}
    for ask, more in (
        (client.update_function_code, {"ZipFile": code(SAY.format("three"))}),
        (client.update_function_configuration, {"Timeout": 9}),
        (client.publish_version, {}),
    ):
        refused("PreconditionFailedException", "Revision Id", ask, **asked, **more)
    current = client.get_function_configuration(FunctionName="fn")
    assert current["Timeout"] == 3
    assert publish(client, RevisionId=current["RevisionId"]) == "1"


def test_only_the_code_that_is_meant_is_published(client):
    digest = client.get_function_configuration(FunctionName="fn")["CodeSha256"]
    change(client, "two")
    refused("InvalidParameterValueException", digest, client.publish_version, FunctionName="fn", CodeSha256=digest)
    digest = client.get_function_configuration(FunctionName="fn")["CodeSha256"]
    assert publish(client, CodeSha256=digest) == "1"


def test_versions_can_not_be_changed(client, functions):
    publish(client)
    words = "permitted on Lambda functions only"
    for ask, more in (
        (client.update_function_code, {"ZipFile": code(SAY.format("two"))}),
        (client.update_function_configuration, {"Timeout": 9}),
        (client.put_function_concurrency, {"ReservedConcurrentExecutions": 0}),
        (client.publish_version, {}),
    ):
        refused("InvalidParameterValueException", words, ask, FunctionName="fn:1", **more)
    assert functions.invoke(Qualifier="1").value[0] == "one"


def test_every_form_of_a_name_is_the_function_that_was_decided_on(client, functions):
    functions.make(SAY.format("number"), name=ACCOUNT)
    functions.make(SAY.format("own"), name=f"{FUNCTION}2")
    assert functions.invoke(name="fn2").value[0] == "own"
    client.publish_version(FunctionName=ACCOUNT)
    client.create_alias(FunctionName=ACCOUNT, Name="fn", FunctionVersion="1")
    for name in (f"{ACCOUNT}:fn", f"{ACCOUNT}:function:fn", FUNCTION, "function:fn"):
        change_of = {"FunctionName": name, "ZipFile": code(SAY.format(name))}
        assert client.update_function_code(**change_of)["FunctionArn"] == FUNCTION
        assert client.get_function(FunctionName=name)["Configuration"]["FunctionArn"] == FUNCTION
        assert functions.invoke(name=name).value[0] == name
    assert functions.invoke(name=ACCOUNT).value[0] == "number"
    make = client.create_event_source_mapping
    _, queue = functions.queue("q")
    other = FUNCTION.replace(ACCOUNT, "111111111111")
    refused("ResourceNotFoundException", other, make, FunctionName=other, EventSourceArn=queue)


def test_what_aliases_lead_to_and_the_latest_are_not_deleted(client):
    publish(client)
    change(client, "two")
    publish(client)
    routed(client, "live", "1", v2=0.5)
    delete = client.delete_function
    for version in ("1", "2"):
        refused("ResourceConflictException", "live", delete, FunctionName="fn", Qualifier=version)
    refused("InvalidParameterValueException", "$LATEST", delete, FunctionName="fn", Qualifier="$LATEST")
    refused("InvalidParameterValueException", "aliases", delete, FunctionName="fn", Qualifier="live")
    client.update_alias(FunctionName="fn", Name="live", RoutingConfig={"AdditionalVersionWeights": {}})
    delete(FunctionName="fn", Qualifier="2")
    versions = client.list_versions_by_function(FunctionName="fn")["Versions"]
    assert [one["Version"] for one in versions] == ["$LATEST", "1"]


def test_an_alias_leads_to_its_version(client, functions):
    publish(client)
    change(client, "two")
    publish(client)
    made = client.create_alias(FunctionName="fn", Name="live", FunctionVersion="1")
    told = functions.invoke(Qualifier="live")
    assert (told.value, told.version) == (["one", "1", f"{FUNCTION}:live"], "1")
    changed = client.update_alias(FunctionName="fn", Name="live", FunctionVersion="2", RevisionId=made["RevisionId"])
    assert functions.invoke(name="fn:live").value == ["two", "2", f"{FUNCTION}:live"]
    stale = {"FunctionName": "fn", "Name": "live", "RevisionId": made["RevisionId"]}
    refused("PreconditionFailedException", "Revision Id", client.update_alias, FunctionVersion="1", **stale)
    assert client.get_alias(FunctionName="fn", Name="live")["RevisionId"] == changed["RevisionId"]
    shown = client.get_function_configuration(FunctionName="fn", Qualifier="live")
    assert (shown["FunctionArn"], shown["Version"]) == (f"{FUNCTION}:live", "2")
    client.create_alias(FunctionName="fn", Name="other", FunctionVersion="1")
    found = client.list_aliases(FunctionName="fn", FunctionVersion="1")["Aliases"]
    assert [one["Name"] for one in found] == ["other"]


def test_a_weighted_alias_sends_to_both(client, functions):
    publish(client)
    change(client, "two")
    publish(client)
    routed(client, "all", "1", v2=1.0)
    assert functions.invoke(Qualifier="all").version == "2"
    client.update_alias(FunctionName="fn", Name="all", RoutingConfig={"AdditionalVersionWeights": {"2": 0.0}})
    assert functions.invoke(Qualifier="all").version == "1"
    client.update_alias(FunctionName="fn", Name="all", RoutingConfig={"AdditionalVersionWeights": {"2": 0.5}})
    seen = set()
    while seen != {"1", "2"}:
        seen.add(functions.invoke(Qualifier="all").version)


@pytest.mark.parametrize(
    ("version", "weights", "code", "words"),
    [
        ("1", {"77": 0.5}, "ResourceNotFoundException", f"{FUNCTION}:77"),
        ("1", {"1": 0.5}, "InvalidParameterValueException", "already included"),
        ("1", {"2": 0.2, "3": 0.2}, "InvalidParameterValueException", "greater than 1"),
        ("$LATEST", {"1": 0.5}, "InvalidParameterValueException", "$LATEST is not supported"),
        ("1", {"$LATEST": 0.5}, "ValidationException", "additionalVersionWeights"),
        ("1", {"2": 1.5}, "ValidationException", "additionalVersionWeights"),
        ("live", {}, "ValidationException", "functionVersion"),
        ("9", {}, "ResourceNotFoundException", f"{FUNCTION}:9"),
    ],
)
def test_an_alias_that_leads_nowhere_is_refused(client, version, weights, code, words):
    publish(client)
    change(client, "two")
    publish(client)
    client.create_alias(FunctionName="fn", Name="live", FunctionVersion="1")
    given = {"FunctionName": "fn", "FunctionVersion": version, "RoutingConfig": {"AdditionalVersionWeights": weights}}
    refused(code, words, client.create_alias, Name="new", **given)
    refused(code, words, client.update_alias, Name="live", **given)


def test_snapshots_are_refused(client):
    given = {"SnapStart": {"ApplyOn": "PublishedVersions"}}
    words = "SnapStart is not supported"
    refused("InvalidParameterValueException", words, client.update_function_configuration, FunctionName="fn", **given)


def test_each_alias_has_events_handled_its_own_way(functions):
    client = functions.cloud.client("lambda")
    (tries, _), (failed, arn) = functions.queue("tries"), functions.queue("failed")
    functions.permit(allow("sqs:SendMessage"))
    functions.make(TRY)
    publish(client)
    client.create_alias(FunctionName="fn", Name="live", FunctionVersion="1")
    put = client.put_function_event_invoke_config
    put(FunctionName="fn", Qualifier="live", MaximumRetryAttempts=0,
        DestinationConfig={"OnFailure": {"Destination": arn}})  # fmt: skip
    put(FunctionName="fn", MaximumEventAgeInSeconds=60)
    told = client.list_function_event_invoke_configs(FunctionName="fn")["FunctionEventInvokeConfigs"]
    assert [one["FunctionArn"] for one in told] == [f"{FUNCTION}:$LATEST", f"{FUNCTION}:live"]
    event = {"url": tries, "fails": True}
    functions.invoke(event, Qualifier="live", InvocationType="Event")
    context = json.loads(bodies(functions, failed)[0])["requestContext"]
    assert (context["functionArn"], context["approximateInvokeCount"]) == (f"{FUNCTION}:live", 1)
    client.delete_function_event_invoke_config(FunctionName="fn", Qualifier="live")
    get = client.get_function_event_invoke_config
    refused("ResourceNotFoundException", f"{FUNCTION}:live doesn't have", get, FunctionName="fn", Qualifier="live")
    assert get(FunctionName="fn")["MaximumEventAgeInSeconds"] == 60
    update = client.update_function_event_invoke_config
    for qualifier in ("live", "nobody"):
        refused("ResourceNotFoundException", qualifier, update, FunctionName="fn", Qualifier=qualifier)


def test_a_mapping_to_an_alias_follows_it(functions):
    client = functions.cloud.client("lambda")
    (into, into_arn), (out, out_arn) = functions.queue("into"), functions.queue("out")
    functions.permit(allow(POLL, into_arn), allow("sqs:SendMessage", out_arn))
    relay = TELL.replace('event["Records"])', "context.invoked_function_arn + context.function_version)")
    functions.make(relay, Environment={"Variables": {"OUT": out}})
    client.publish_version(FunctionName="fn")
    client.create_alias(FunctionName="fn", Name="live", FunctionVersion="1")
    made = client.create_event_source_mapping(FunctionName=f"{FUNCTION}:live", EventSourceArn=into_arn)
    assert made["FunctionArn"] == f"{FUNCTION}:live"
    assert client.list_event_source_mappings(FunctionName="fn")["EventSourceMappings"] == []
    [found] = client.list_event_source_mappings(FunctionName="fn:live")["EventSourceMappings"]
    assert found["UUID"] == made["UUID"]
    send = functions.cloud.client("sqs").send_message
    send(QueueUrl=into, MessageBody="a")
    assert bodies(functions, out) == [json.dumps(f"{FUNCTION}:live1")]
    client.update_function_configuration(FunctionName="fn", Timeout=9, Role=ROLE)
    client.publish_version(FunctionName="fn")
    client.update_alias(FunctionName="fn", Name="live", FunctionVersion="2")
    send(QueueUrl=into, MessageBody="b")
    assert bodies(functions, out) == [json.dumps(f"{FUNCTION}:live2")]
