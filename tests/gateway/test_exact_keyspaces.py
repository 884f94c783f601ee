"""What the control calls of Amazon Keyspaces are decided on: keyspaces, tables, and the system keyspace for reads.

AWS: Service Authorization Reference, list_keyspaces, "API operations defined by Amazon Keyspaces"; Keyspaces API Reference.
"""

import pytest
from gateway.condition_keys import Caller, Key, check, refused
from gateway.parameters import ACCOUNT, KEYSPACE, REGION
from running import allow, deny

TABLE = f"{KEYSPACE}table/tbl"
SYSTEM = f"arn:aws:cassandra:{REGION}:{ACCOUNT}:/keyspace/system_schema_mcs/table/*"
TAGS = [{"key": "team", "value": "blue"}]
NAMED = {"keyspaceName": "ks", "tableName": "tbl"}
COLUMNS = {"schemaDefinition": {"allColumns": [{"name": "a", "type": "int"}], "partitionKeys": [{"name": "a"}]}}
REGIONS = {"replicationSpecification": {"replicationStrategy": "MULTI_REGION", "regionList": [REGION, "eu-west-1"]}}
REPLICAS = {"replicaSpecifications": [{"region": "eu-west-1"}]}


def on(resource, *actions):
    return [(f"cassandra:{action}", resource) for action in actions]


CASES = [
    ("CreateKeyspace", {"keyspaceName": "ks"}, on(KEYSPACE, "Create")),
    (
        "CreateKeyspace",
        {"keyspaceName": "ks", **REGIONS, "tags": TAGS},
        on(KEYSPACE, "Create", "CreateMultiRegionResource", "TagResource", "TagMultiRegionResource"),
    ),
    ("CreateTable", {**NAMED, **COLUMNS}, on(TABLE, "Create")),
    (
        "CreateTable",
        {**NAMED, **COLUMNS, **REPLICAS, "tags": TAGS},
        on(TABLE, "Create", "CreateMultiRegionResource", "TagResource", "TagMultiRegionResource"),
    ),
    ("GetTable", NAMED, [*on(TABLE, "Select"), *on(SYSTEM, "Select")]),
    ("GetKeyspace", {"keyspaceName": "ks"}, on(SYSTEM, "Select")),
    ("UpdateTable", NAMED, on(TABLE, "Alter")),
    ("UpdateTable", {**NAMED, **REPLICAS}, on(TABLE, "Alter", "AlterMultiRegionResource")),
    ("DeleteKeyspace", {"keyspaceName": "ks"}, [*on(KEYSPACE, "Drop"), *on(f"{KEYSPACE}table/*", "Drop")]),
    ("DeleteTable", NAMED, on(TABLE, "Drop")),
    ("ListTagsForResource", {"resourceArn": TABLE}, [*on(TABLE, "Select"), *on(SYSTEM, "Select")]),
    ("TagResource", {"resourceArn": KEYSPACE, "tags": TAGS}, on(KEYSPACE, "TagResource")),
    (
        "RestoreTable",
        {
            "sourceKeyspaceName": "ks", "sourceTableName": "tbl", "targetKeyspaceName": "ks", "targetTableName": "new",
            "tagsOverride": TAGS,
        },
        [*on(TABLE, "Restore", "Select"), *on(f"{KEYSPACE}table/new", "Restore", "Create", "TagResource")],
    ),
    (
        "GetTableAutoScalingSettings",
        NAMED,
        [(f"application-autoscaling:Describe{name}", "*") for name in ("ScalableTargets", "ScalingPolicies")],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("name", "given", "wanted"), CASES)
def test_each_request_is_decided_on_what_it_touches(counted, name, given, wanted):
    told = counted.call("keyspaces", name, given)
    assert told.asked == wanted
    assert told.sent > 0


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("GetTable", {**NAMED, "tableName": "t/x"}),
        ("DeleteKeyspace", {"keyspaceName": "k*"}),
        ("TagResource", {"resourceArn": f"{KEYSPACE}table/*", "tags": TAGS}),
        ("TagResource", {"resourceArn": TABLE.replace(REGION, "eu-west-1"), "tags": TAGS}),
        ("TagResource", {"resourceArn": TABLE.replace("/keyspace/ks", "/keyspace/ks/../x"), "tags": TAGS}),
    ],
)
def test_what_names_nothing_of_keyspaces_is_refused(counted, name, given):
    told = counted.call("keyspaces", name, given)
    assert (told.status, told.code, told.sent) == (400, "ValidationException", 0)


def test_a_table_is_read_with_the_system_keyspace(counted):
    """The policy is the one of AWS's guide: a table and `system*`."""
    caller = Caller.new(counted, "keyspaces-read")
    caller.may(allow("cassandra:Select", TABLE))
    refused(caller.call("keyspaces", "GetTable", NAMED), "no identity-based policy allows")
    system = f"arn:aws:cassandra:{REGION}:{ACCOUNT}:/keyspace/system*"
    caller.may(allow("cassandra:Select", [TABLE, system]))
    assert caller.call("keyspaces", "GetTable", NAMED).sent > 0
    caller.may(allow("cassandra:*"), deny("cassandra:Select", TABLE))
    told = caller.call("keyspaces", "GetTable", NAMED)
    assert (told.status, told.code) == (403, "AccessDeniedException")
    refused(told, "explicit deny")


def test_a_tag_of_a_request_decides(counted):
    key = Key("aws:RequestTag/team", "blue", "cassandra:Create", "CreateKeyspace", {"keyspaceName": "ks", "tags": TAGS},
              {"keyspaceName": "ks"})  # fmt: skip
    check(Caller.new(counted, "keyspaces-tag"), "keyspaces", key)
