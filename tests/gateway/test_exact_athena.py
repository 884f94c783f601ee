"""What requests to Athena are decided on: workgroups by name and by the ids of what is in them, catalogs, reservations.

AWS: Service Authorization Reference, list_amazonathena.
"""

import json

import pytest
from gateway.condition_keys import Caller, Key, check, refused
from gateway.counting import answer, trusting
from gateway.parameters import ACCOUNT, KEY_ID, REGION, ROLE
from running import allow, deny

HERE = f"arn:aws:athena:{REGION}:{ACCOUNT}"
GROUP, OTHER, PRIMARY = f"{HERE}:workgroup/wg", f"{HERE}:workgroup/other", f"{HERE}:workgroup/primary"
EVERY = f"{HERE}:workgroup/*"
SECOND = KEY_ID.replace("0", "9")
TAGS = [{"Key": "team", "Value": "blue"}]
QUERY = {"QueryString": "SELECT 1"}


def on(resource, *actions):
    return [(f"athena:{action}", resource) for action in actions]


CASES = [
    ("StartQueryExecution", QUERY, on(PRIMARY, "StartQueryExecution")),
    ("StartQueryExecution", {**QUERY, "WorkGroup": "wg"}, on(GROUP, "StartQueryExecution")),
    ("ListQueryExecutions", {}, on(PRIMARY, "ListQueryExecutions")),
    ("ListWorkGroups", {}, on("*", "ListWorkGroups")),
    ("CreateWorkGroup", {"Name": "wg"}, on(GROUP, "CreateWorkGroup")),
    ("CreateWorkGroup", {"Name": "wg", "Tags": TAGS}, on(GROUP, "CreateWorkGroup", "TagResource")),
    ("GetDataCatalog", {"Name": "cat"}, on(f"{HERE}:datacatalog/cat", "GetDataCatalog")),
    ("ListDatabases", {"CatalogName": "s3tables/b"}, on(f"{HERE}:datacatalog/s3tables/b", "ListDatabases")),
    ("GetCapacityReservation", {"Name": "res"}, on(f"{HERE}:capacity-reservation/res", "GetCapacityReservation")),
    (
        "PutCapacityAssignmentConfiguration",
        {"CapacityReservationName": "res", "CapacityAssignments": [{"WorkGroupNames": ["wg", "other", "wg"]}]},
        [
            *on(f"{HERE}:capacity-reservation/res", "PutCapacityAssignmentConfiguration"),
            *on(GROUP, "PutCapacityAssignmentConfiguration"),
            *on(OTHER, "PutCapacityAssignmentConfiguration"),
        ],
    ),
    (
        "TagResource",
        {"ResourceARN": f"{GROUP}/session/{KEY_ID}", "Tags": TAGS},
        on(f"{GROUP}/session/{KEY_ID}", "TagResource"),
    ),
]


@pytest.mark.parametrize(("name", "given", "wanted"), CASES)
def test_each_request_is_decided_on_what_it_touches(counted, name, given, wanted):
    told = counted.call("athena", name, given)
    assert told.asked == wanted
    assert told.sent > 0


def says(counted, *told):
    """Let the backend say this, one after the other."""
    counted.backend.answers = [answer(json.dumps(one).encode()) for one in told]


IN_GROUP = {"WorkGroup": "wg"}
BY_ID = [
    ("GetQueryResults", {"QueryExecutionId": KEY_ID}, "GetQueryExecution", {"QueryExecution": IN_GROUP}),
    ("StopQueryExecution", {"QueryExecutionId": KEY_ID}, "GetQueryExecution", {"QueryExecution": IN_GROUP}),
    ("DeleteNamedQuery", {"NamedQueryId": KEY_ID}, "GetNamedQuery", {"NamedQuery": IN_GROUP}),
    ("ExportNotebook", {"NotebookId": KEY_ID}, "GetNotebookMetadata", {"NotebookMetadata": IN_GROUP}),
    ("TerminateSession", {"SessionId": KEY_ID}, "GetSession", IN_GROUP),
]


@pytest.mark.parametrize(("name", "given", "question", "told"), BY_ID)
def test_the_workgroup_of_an_id_is_asked_of_the_backend(counted, name, given, question, told):
    says(counted, told)
    assert counted.call("athena", name, given).asked == on(GROUP, name)
    assert f"AmazonAthena.{question}".encode() in counted.backend.raw.heads[-2]
    assert json.loads(counted.backend.raw.bodies[-2]) == given


def test_a_calculation_is_in_the_workgroup_of_its_session(counted):
    says(counted, {"SessionId": SECOND}, IN_GROUP)
    told = counted.call("athena", "StopCalculationExecution", {"CalculationExecutionId": KEY_ID})
    assert told.asked == on(GROUP, "StopCalculationExecution")
    assert json.loads(counted.backend.raw.bodies[-2]) == {"SessionId": SECOND}


def test_a_query_without_a_workgroup_is_in_the_primary_one(counted):
    says(counted, {"QueryExecution": {"Query": "SELECT 1"}})
    assert counted.call("athena", "GetQueryResults", {"QueryExecutionId": KEY_ID}).asked == on(
        PRIMARY, "GetQueryResults"
    )


def test_results_are_written_and_read_with_the_callers_permissions(counted):
    caller = Caller.new(counted, "athena-results")
    via = {"Condition": {"StringEquals": {"aws:CalledViaFirst": "athena.amazonaws.com"}}}
    caller.may(allow("athena:*"), allow(["s3:GetBucketLocation", "s3:PutObject"]) | via)
    of_group = {"ResultConfiguration": {"OutputLocation": "s3://of-group/r"}, "EnforceWorkGroupConfiguration": True}
    given = {**QUERY, "WorkGroup": "wg", "ResultConfiguration": {"OutputLocation": "s3://of-query"}}
    for configuration, bucket, objects in (
        (of_group, "of-group", "of-group/r/*"),
        (of_group | {"EnforceWorkGroupConfiguration": False}, "of-query", "of-query/*"),
    ):
        says(counted, {"WorkGroup": {"Configuration": configuration}})
        told = caller.call("athena", "StartQueryExecution", given)
        written = [("s3:GetBucketLocation", f"arn:aws:s3:::{bucket}"), ("s3:PutObject", f"arn:aws:s3:::{objects}")]
        assert told.asked == [*on(GROUP, "StartQueryExecution"), *written]
        assert told.sent > 0
    for location in ("s3://of-query-s3alias/r", "s3://Of-Query/r", "of-query/r"):
        says(counted, {"WorkGroup": {"Configuration": {}}})
        told = caller.call(
            "athena", "StartQueryExecution", {**given, "ResultConfiguration": {"OutputLocation": location}}
        )
        assert (told.code, told.message) == ("InvalidRequestException", "outputLocation is not a valid S3 path.")
    says(counted, {"WorkGroup": {"Configuration": {"ManagedQueryResultsConfiguration": {"Enabled": True}}}})
    assert caller.call("athena", "StartQueryExecution", given).asked == on(GROUP, "StartQueryExecution")
    query = {**IN_GROUP, "ResultConfiguration": {"OutputLocation": "s3://of-group/r/1.csv"}}
    says(counted, {"QueryExecution": query})
    told = caller.call("athena", "GetQueryResults", {"QueryExecutionId": KEY_ID})
    assert (told.status, told.code) == (400, "AccessDeniedException")
    assert told.asked == [*on(GROUP, "GetQueryResults"), ("s3:GetObject", "arn:aws:s3:::of-group/r/1.csv")]


def test_what_is_in_another_workgroup_is_not_reached_by_its_id(counted):
    caller = Caller.new(counted, "athena-group")
    caller.may(allow("athena:*", GROUP))
    says(counted, {"QueryExecution": IN_GROUP})
    assert caller.call("athena", "GetQueryResults", {"QueryExecutionId": KEY_ID}).status == 200
    caller.may(allow("athena:*"), deny("athena:*", OTHER))
    says(counted, {"QueryExecution": {"WorkGroup": "other"}})
    told = caller.call("athena", "GetQueryResults", {"QueryExecutionId": KEY_ID})
    assert (told.status, told.code, told.asked) == (400, "AccessDeniedException", on(OTHER, "GetQueryResults"))
    assert b"AmazonAthena.GetQueryExecution" in counted.backend.raw.heads[-1]


def test_of_several_queries_each_workgroup_must_be_allowed(counted):
    given = {"QueryExecutionIds": [KEY_ID, SECOND]}
    says(counted, {"QueryExecutions": [IN_GROUP, {"WorkGroup": "other"}]})
    told = counted.call("athena", "BatchGetQueryExecution", given)
    assert told.asked == [*on(GROUP, "BatchGetQueryExecution"), *on(OTHER, "BatchGetQueryExecution")]
    says(counted, {"QueryExecutions": [IN_GROUP]})
    told = counted.call("athena", "BatchGetQueryExecution", given)
    assert told.asked == [*on(GROUP, "BatchGetQueryExecution"), *on(EVERY, "BatchGetQueryExecution")]


def test_what_is_not_there_is_for_those_who_may_ask_everywhere(counted):
    gone = answer(b'{"__type":"ResourceNotFoundException"}', "400 Bad Request")
    caller = Caller.new(counted, "athena-gone")
    caller.may(allow("athena:*", GROUP))
    counted.backend.answers = [gone]
    told = caller.call("athena", "GetNotebookMetadata", {"NotebookId": KEY_ID})
    assert (told.code, told.asked) == ("AccessDeniedException", on(EVERY, "GetNotebookMetadata"))
    caller.may(allow("athena:*"))
    counted.backend.answers = [gone, gone]
    assert caller.call("athena", "GetNotebookMetadata", {"NotebookId": KEY_ID}).code == "ResourceNotFoundException"


@pytest.mark.parametrize(
    "told",
    [answer(b"{}"), answer(b"<html>"), answer(b"{}", "503 Service Unavailable"), answer(b'{"QueryExecution":{}}'),
     answer(b'{"QueryExecution":{"WorkGroup":"*"}}'), answer(b'{"__type":"AccessDenied"}', "403 Forbidden"), None],
)  # fmt: skip
def test_where_the_backend_does_not_tell_the_request_is_refused(counted, told):
    counted.backend.answers = [told]
    before = len(counted.backend.raw.heads)
    refusal = counted.call("athena", "GetQueryResults", {"QueryExecutionId": KEY_ID})
    assert refusal.status == 400
    # A read whose kept connection closes is sent once more.
    assert len(counted.backend.raw.heads) - before in ({1, 2} if told is None else {1})


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("GetWorkGroup", {"WorkGroup": "w*"}),
        ("GetDataCatalog", {"Name": "a:b"}),
        ("GetDataCatalog", {"Name": "a/b/c"}),
        ("GetQueryResults", {"QueryExecutionId": "../x"}),
        ("GetCapacityReservation", {"Name": "?"}),
        ("TagResource", {"ResourceARN": GROUP.replace(REGION, "eu-west-1"), "Tags": TAGS}),
        ("TagResource", {"ResourceARN": EVERY, "Tags": TAGS}),
    ],
)
def test_what_names_nothing_of_athenas_is_refused(counted, name, given):
    told = counted.call("athena", name, given)
    assert (told.status, told.code, told.sent) == (400, "InvalidRequestException", 0)


def test_an_execution_role_is_handed_over(counted):
    role = ROLE.replace("app", "spark")
    counted.aws.client("iam").create_role(RoleName="spark", AssumeRolePolicyDocument=trusting("athena.amazonaws.com"))
    for name, given in (
        ("CreateWorkGroup", {"Name": "wg", "Configuration": {"ExecutionRole": role}}),
        ("UpdateWorkGroup", {"WorkGroup": "wg", "ConfigurationUpdates": {"ExecutionRole": role}}),
        ("StartSession", {"WorkGroup": "wg", "EngineConfiguration": {}, "ExecutionRole": role}),
    ):
        told = counted.call("athena", name, given)
        assert told.asked == [*on(GROUP, name), ("iam:PassRole", role)]
        assert told.context("iam:PassRole")["iam:passedtoservice"] == "athena.amazonaws.com"
    caller = Caller.new(counted, "athena-no-roles")
    caller.may(allow("athena:*"))
    refused(caller.call("athena", name, given), "no identity-based policy allows")


def test_a_tag_of_a_request_decides(counted):
    key = Key("aws:RequestTag/team", "blue", "athena:CreateWorkGroup", "CreateWorkGroup", {"Name": "wg", "Tags": TAGS},
              {"Name": "wg"})  # fmt: skip
    check(Caller.new(counted, "athena-tag"), "athena", key)


def test_a_query_of_the_embedded_backend_is_in_its_workgroup(cloud):
    owner = cloud.client("athena")
    owner.create_work_group(Name="wg", Configuration={"ResultConfiguration": {"OutputLocation": "s3://out/"}})
    reader = cloud.client("athena", cloud.user("reader", allow("athena:*", GROUP), allow("s3:*")))
    mine = reader.start_query_execution(**QUERY, WorkGroup="wg")["QueryExecutionId"]
    theirs = owner.start_query_execution(**QUERY, ResultConfiguration={"OutputLocation": "s3://out/"})
    assert reader.get_query_execution(QueryExecutionId=mine)["QueryExecution"]["WorkGroup"] == "wg"
    with pytest.raises(reader.exceptions.ClientError) as denied:
        reader.get_query_execution(QueryExecutionId=theirs["QueryExecutionId"])
    assert denied.value.response["Error"]["Code"] == "AccessDeniedException"
    assert f"on resource: {PRIMARY}" in denied.value.response["Error"]["Message"]
