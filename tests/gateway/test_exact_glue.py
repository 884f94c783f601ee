"""What requests to Glue are decided on: the Data Catalog from the top down, with its policy; all else by name or ARN.

AWS: Glue Developer Guide, "Specifying AWS Glue resource ARNs" and "Resource-based policies within AWS Glue".
"""

import json

import pytest
from gateway.condition_keys import Caller, Key, check, refused
from gateway.counting import answer, trusting
from gateway.parameters import ACCOUNT, GLUE, KEY_ID, REGION, ROLE
from gateway.two_accounts import OTHER, code_of, everybody, policy, to, user_of
from running import allow, deny

CATALOG = f"{GLUE}:catalog"
TABLE = [CATALOG, f"{GLUE}:database/db", f"{GLUE}:table/db/tbl"]
IN_TABLE = {"DatabaseName": "db", "TableName": "tbl"}
NESTED = "s3tablescatalog/bucket"
CHAIN = [CATALOG, f"{GLUE}:catalog/s3tablescatalog", f"{GLUE}:catalog/{NESTED}"]
TAGS = {"team": "blue"}
REGISTRY, SCHEMA = f"{GLUE}:registry/reg", f"{GLUE}:schema/reg/sch"
JOB = {"Name": "job", "Role": ROLE, "Command": {"Name": "glueetl"}}


def on(resources, *actions):
    return [
        (f"glue:{action}", one)
        for one in ([resources] if isinstance(resources, str) else resources)
        for action in actions
    ]


CASES = [
    ("GetTable", {"DatabaseName": "db", "Name": "tbl"}, on(TABLE, "GetTable")),
    ("GetTable", {"DatabaseName": "DB", "Name": "Tbl", "CatalogId": ACCOUNT}, on(TABLE, "GetTable")),
    (
        "GetTable",
        {"DatabaseName": "ns", "Name": "t", "CatalogId": NESTED},
        on([*CHAIN, f"{GLUE}:database/{NESTED}/ns", f"{GLUE}:table/{NESTED}/ns/t"], "GetTable"),
    ),
    ("GetPartitions", IN_TABLE, on(TABLE, "GetPartitions")),
    ("GetTables", {"DatabaseName": "db"}, on([*TABLE[:2], f"{GLUE}:table/db/*"], "GetTables")),
    ("SearchTables", {}, on([CATALOG, f"{GLUE}:database/*", f"{GLUE}:table/*/*"], "SearchTables")),
    ("CreateTable", {"DatabaseName": "db", "TableInput": {"Name": "tbl"}}, on(TABLE, "CreateTable")),
    (
        "UpdateTable",
        {"DatabaseName": "db", "Name": "tbl", "TableInput": {"Name": "new"}},
        on([*TABLE, f"{GLUE}:table/db/new"], "UpdateTable"),
    ),
    (
        "BatchDeleteTable",
        {"DatabaseName": "db", "TablesToDelete": ["tbl", "two"]},
        on([*TABLE, f"{GLUE}:table/db/two"], "BatchDeleteTable"),
    ),
    (
        "BatchGetTableOptimizer",
        {"Entries": [{"databaseName": "db", "tableName": "tbl"}, {"databaseName": "db", "tableName": "two"}]},
        on([*TABLE, f"{GLUE}:table/db/two"], "BatchGetTableOptimizer"),
    ),
    (
        "GetUnfilteredTableMetadata",
        {"CatalogId": ACCOUNT, "DatabaseName": "db", "Name": "tbl", "SupportedPermissionTypes": ["COLUMN_PERMISSION"]},
        on(TABLE, "GetTable"),
    ),
    ("GetDatabase", {"Name": "db"}, on(TABLE[:2], "GetDatabase")),
    ("GetDatabases", {}, on([CATALOG, f"{GLUE}:database/*"], "GetDatabases")),
    (
        "CreateDatabase",
        {"DatabaseInput": {"Name": "db", "FederatedDatabase": {"ConnectionName": "con"}}, "Tags": TAGS},
        [
            *on(TABLE[:2], "CreateDatabase"),
            *on(TABLE[1], "TagResource"),
            *on(f"{GLUE}:connection/con", "PassConnection"),
        ],
    ),
    (
        "DeleteDatabase",
        {"Name": "db"},
        on([*TABLE[:2], f"{GLUE}:table/db/*", f"{GLUE}:userDefinedFunction/db/*"], "DeleteDatabase"),
    ),
    (
        "GetUserDefinedFunction",
        {"DatabaseName": "db", "FunctionName": "fun"},
        on([*TABLE[:2], f"{GLUE}:userDefinedFunction/db/fun"], "GetUserDefinedFunction"),
    ),
    ("GetConnection", {"Name": "con"}, on([CATALOG, f"{GLUE}:connection/con"], "GetConnection")),
    ("GetConnections", {}, on([CATALOG, f"{GLUE}:connection/*"], "GetConnections")),
    (
        "BatchDeleteConnection",
        {"ConnectionNameList": ["a", "b"]},
        on([CATALOG, f"{GLUE}:connection/a", f"{GLUE}:connection/b"], "BatchDeleteConnection"),
    ),
    ("GetCatalog", {"CatalogId": NESTED}, on(CHAIN, "GetCatalog")),
    ("GetCatalogs", {}, on([CATALOG, f"{GLUE}:catalog/*"], "GetCatalogs")),
    ("GetResourcePolicy", {}, on(CATALOG, "GetResourcePolicy")),
    ("CreateJob", {**JOB, "Tags": TAGS}, [*on(f"{GLUE}:job/job", "CreateJob", "TagResource"), ("iam:PassRole", ROLE)]),
    ("StartJobRun", {"JobName": "job"}, on(f"{GLUE}:job/job", "StartJobRun")),
    ("ListJobs", {}, on("*", "ListJobs")),
    ("BatchGetJobs", {"JobNames": ["a", "b", "a"]}, on([f"{GLUE}:job/a", f"{GLUE}:job/b"], "BatchGetJobs")),
    ("BatchGetWorkflows", {"Names": ["a"]}, on(f"{GLUE}:workflow/a", "BatchGetWorkflows")),
    ("RunStatement", {"SessionId": "ses", "Code": "x"}, on(f"{GLUE}:session/ses", "RunStatement")),
    ("GetStatement", {"SessionId": "ses", "Id": 1}, on(f"{GLUE}:session/ses", "GetStatement")),
    ("GetMLTransforms", {}, on(f"{GLUE}:mlTransform/*", "GetMLTransforms")),
    (
        "StartDataQualityRulesetEvaluationRun",
        {"DataSource": {"GlueTable": IN_TABLE}, "Role": ROLE, "RulesetNames": ["a", "b"]},
        [
            *on([f"{GLUE}:dataQualityRuleset/{name}" for name in "ab"], "StartDataQualityRulesetEvaluationRun"),
            ("iam:PassRole", ROLE),
        ],
    ),
    ("GetDataQualityResult", {"ResultId": "r"}, on(f"{GLUE}:dataQualityRuleset/*", "GetDataQualityResult")),
    ("CreateSchema", {"SchemaName": "s", "DataFormat": "AVRO"},
     on([f"{GLUE}:registry/default-registry", f"{GLUE}:schema/default-registry/s"], "CreateSchema")),
    ("GetSchema", {"SchemaId": {"SchemaArn": SCHEMA}}, on([REGISTRY, SCHEMA], "GetSchema")),
    ("GetSchema", {"SchemaId": {"SchemaName": "sch", "RegistryName": "reg"}}, on([REGISTRY, SCHEMA], "GetSchema")),
    ("ListSchemas", {}, on(f"{GLUE}:registry/*", "ListSchemas")),
    ("ListSchemas", {"RegistryId": {"RegistryArn": REGISTRY}}, on(REGISTRY, "ListSchemas")),
    ("ModifyIntegration", {"IntegrationIdentifier": f"{GLUE}:integration:i"}, on(f"{GLUE}:integration:i", "ModifyIntegration")),
    (
        "CreateIntegration",
        {"IntegrationName": "i", "SourceArn": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/t", "TargetArn": TABLE[1]},
        on([f"{GLUE}:integration:*", TABLE[1]], "CreateIntegration"),
    ),
    ("TagResource", {"ResourceArn": f"{GLUE}:job/job", "TagsToAdd": TAGS}, on(f"{GLUE}:job/job", "TagResource")),
]  # fmt: skip


@pytest.mark.parametrize(("name", "given", "wanted"), CASES)
def test_each_request_is_decided_on_what_it_touches(counted, name, given, wanted):
    told = counted.call("glue", name, given)
    assert told.asked == wanted
    assert told.sent > 0


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("GetTable", {"DatabaseName": "d*", "Name": "t"}),
        ("GetTable", {"DatabaseName": "db/x", "Name": "t"}),
        ("GetTable", {"DatabaseName": "db", "Name": "t", "CatalogId": "12345678901:x"}),
        ("GetTable", {"DatabaseName": "db", "Name": "t", "CatalogId": f"{ACCOUNT}:"}),
        ("GetTable", {"DatabaseName": "db", "Name": "t", "CatalogId": "a/*"}),
        ("GetJob", {"JobName": "a:b"}),
        ("BatchGetJobs", {"JobNames": ["a", "*"]}),
        ("GetSchema", {"SchemaId": {"SchemaArn": SCHEMA, "SchemaName": "other"}}),
        ("GetSchema", {"SchemaId": {"SchemaArn": REGISTRY}}),
        ("GetRegistry", {"RegistryId": {"RegistryArn": REGISTRY, "RegistryName": "other"}}),
        ("GetSchemaVersion", {"SchemaId": {"SchemaArn": SCHEMA}, "SchemaVersionId": KEY_ID}),
        ("PutResourcePolicy", {"PolicyInJson": "{}", "ResourceArn": TABLE[1]}),
        ("TagResource", {"ResourceArn": f"{GLUE}:job/*", "TagsToAdd": TAGS}),
        ("TagResource", {"ResourceArn": f"{GLUE.replace(REGION, 'eu-west-1')}:job/job", "TagsToAdd": TAGS}),
    ],
)
def test_what_names_nothing_of_glues_is_refused(counted, name, given):
    told = counted.call("glue", name, given)
    assert (told.status, told.code, told.sent) == (400, "InvalidInputException", 0)


@pytest.mark.parametrize("missing", TABLE)
def test_a_table_needs_all_that_is_above_it(counted, missing):
    caller = Caller.new(counted, f"glue-{missing.rpartition(':')[2].replace('/', '-')}")
    caller.may(allow("glue:GetTable", [one for one in TABLE if one != missing]))
    given = {"DatabaseName": "db", "Name": "tbl"}
    refused(caller.call("glue", "GetTable", given), "no identity-based policy allows")
    caller.may(allow("glue:GetTable", TABLE))
    assert caller.call("glue", "GetTable", given).sent > 0
    caller.may(allow("glue:*"), deny("glue:*", missing))
    refused(caller.call("glue", "GetTable", given), "explicit deny")


def test_a_version_of_a_schema_is_asked_of_the_backend(counted):
    counted.backend.answers = [answer(json.dumps({"SchemaArn": SCHEMA}).encode())]
    told = counted.call("glue", "GetSchemaVersion", {"SchemaVersionId": KEY_ID})
    assert told.asked == on([REGISTRY, SCHEMA], "GetSchemaVersion")
    assert json.loads(counted.backend.raw.bodies[-2]) == {"SchemaVersionId": KEY_ID}
    counted.backend.answers = [answer(b"{}")]
    told = counted.call("glue", "GetSchemaVersion", {"SchemaVersionId": KEY_ID})
    assert (told.status, told.code) == (400, "AccessDeniedException")
    counted.backend.answers = [answer(b'{"__type":"EntityNotFoundException"}', "400 Bad Request")]
    told = counted.call("glue", "GetSchemaVersion", {"SchemaVersionId": KEY_ID})
    assert told.asked == on([f"{GLUE}:registry/*", f"{GLUE}:schema/*"], "GetSchemaVersion")


def test_roles_are_handed_over_by_name_and_by_arn(counted):
    counted.aws.client("iam").create_role(RoleName="etl", AssumeRolePolicyDocument=trusting("glue.amazonaws.com"))
    role = ROLE.replace("app", "etl")
    given = {
        "CreateJob": {**JOB, "Role": "etl"},
        "UpdateJob": {"JobName": "job", "JobUpdate": {"Role": role}},
        "CreateCrawler": {"Name": "c", "Role": "etl", "Targets": {}},
        "UpdateCrawler": {"Name": "c", "Role": role},
        "CreateSession": {"Id": "s", "Role": role, "Command": {}},
        "UpdateMLTransform": {"TransformId": "t", "Role": "etl"},
        "StartBlueprintRun": {"BlueprintName": "b", "RoleArn": role},
        "StartColumnStatisticsTaskRun": {**IN_TABLE, "Role": "etl"},
        "CreateTableOptimizer": {
            **IN_TABLE, "CatalogId": ACCOUNT, "Type": "compaction", "TableOptimizerConfiguration": {"roleArn": role},
        },
    }  # fmt: skip
    for name, parameters in given.items():
        told = counted.call("glue", name, parameters)
        assert told.asked[-1] == ("iam:PassRole", role), name
        assert told.context("iam:PassRole")["iam:passedtoservice"] == "glue.amazonaws.com"
    caller = Caller.new(counted, "glue-no-roles")
    caller.may(allow("glue:*"))
    refused(caller.call("glue", "CreateJob", given["CreateJob"]), "no identity-based policy allows")


def test_a_tag_of_a_request_decides(counted):
    key = Key("aws:RequestTag/team", "blue", "glue:CreateTrigger", "CreateTrigger",
              {"Name": "t", "Type": "ON_DEMAND", "Actions": [], "Tags": TAGS},
              {"Name": "t", "Type": "ON_DEMAND", "Actions": []})  # fmt: skip
    check(Caller.new(counted, "glue-tag"), "glue", key)


def test_where_a_job_would_run_is_not_known(counted):
    caller = Caller.new(counted, "glue-vpc")
    network = {"ForAnyValue:StringEquals": {"glue:VpcIds": ["vpc-1"]}}
    caller.may(allow("*"), deny("glue:CreateJob", **network))
    refused(caller.call("glue", "CreateJob", JOB), "explicit deny")


# The Data Catalog's own policy, before the embedded backend.


@pytest.fixture
def glue(cloud):
    client = cloud.client("glue")
    client.create_database(DatabaseInput={"Name": "db"})
    client.create_table(DatabaseName="db", TableInput={"Name": "tbl"})
    return client


DENIED = "AccessDeniedException"


def test_the_catalogs_policy_lets_in_and_keeps_out(cloud, glue):
    reader = cloud.client("glue", cloud.user("reader"))
    read = {"DatabaseName": "db", "Name": "tbl"}
    assert code_of(reader.get_table, **read) == DENIED
    named = {"AWS": f"arn:aws:iam::{ACCOUNT}:user/reader"}
    glue.put_resource_policy(PolicyInJson=policy(to(named, allow("glue:GetTable", TABLE))))
    assert reader.get_table(**read)["Table"]["Name"] == "tbl"
    assert code_of(reader.get_database, Name="db") == DENIED
    glue.put_resource_policy(PolicyInJson=policy(everybody(deny("glue:GetTable", TABLE[2]))))
    assert code_of(cloud.client("glue").get_table, **read) == DENIED
    glue.delete_resource_policy()
    assert cloud.client("glue").get_table(**read)["Table"]["Name"] == "tbl"


def test_another_accounts_catalog_needs_both_sides(cloud, glue, other):
    able = cloud.client("glue", user_of(cloud, other, "able", allow("glue:*")))
    read = {"CatalogId": ACCOUNT, "DatabaseName": "db", "Name": "tbl"}
    assert code_of(able.get_table, **read) == DENIED
    theirs = {"AWS": f"arn:aws:iam::{OTHER}:root"}
    glue.put_resource_policy(PolicyInJson=policy(to(theirs, allow("glue:GetTable", [f"{GLUE}:*"]))))
    assert able.get_table(**read)["Table"]["Name"] == "tbl"
    plain = cloud.client("glue", user_of(cloud, other, "plain"))
    assert code_of(plain.get_table, **read) == DENIED
    assert code_of(able.delete_table, **read) == DENIED


def test_a_policy_that_glue_does_not_take_is_refused_and_changes_nothing(cloud, glue):
    text = '{"Version": "2012-10-17", "Statement": [{"Effect": "Perhaps"}]}'
    assert code_of(glue.put_resource_policy, PolicyInJson=text) == "InvalidInputException"
    assert glue.get_database(Name="db")["Database"]["Name"] == "db"
