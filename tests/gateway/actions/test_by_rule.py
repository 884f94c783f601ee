"""Services without a table: never decided on less than AWS asks for."""

import re

import pytest

from iamd.data import service_reference
from iamd.gateway.actions import by_rule, resource_kinds, table
from iamd.gateway.actions.asked import Asked
from iamd.own_services import OWN_SERVICES
from iamd.wire.catalog import CATALOG
from iamd.wire.models import service

ACCOUNT = "123456789012"
RULED = [
    entry.name
    for entry in CATALOG.by_name.values()
    if entry.signing_name not in OWN_SERVICES and entry.name not in table.services()
]


def arn(prefix, resource, account=ACCOUNT):
    return f"arn:aws:{prefix}:us-east-1:{account}:{resource}"


def decided(name, operation, parameters):
    asked = Asked(service(name).operation(operation), parameters, ACCOUNT, "us-east-1")
    return by_rule.targets(asked)


def names(name, operation, parameters):
    return [one.arn for one in decided(name, operation, parameters)]


ME = arn("ses", "identity/me@example.com")
EVERY_IDENTITY = arn("ses", "identity/*")
SET = arn("ses", "configuration-set/news")
VECTORS = arn("s3vectors", "bucket/a")
CAMERA = arn("kinesisvideo", "stream/a/1")
SNAPSHOT = arn("redshift", "snapshot:zz/zz")
THING, GROUP = arn("iot", "thing/a"), arn("iot", "thinggroup/a")
CASES = [
    # An ARN that is another's, or that the operation can do without, hides no name.
    ("ses", "SendEmail", {"Source": "ceo@example.com", "ReturnPathArn": ME}, [ME, EVERY_IDENTITY]),
    ("ses", "SendEmail", {"Source": "ceo@example.com", "SourceArn": ME}, [ME, EVERY_IDENTITY]),
    ("ses", "SendRawEmail", {"RawMessage": {"Data": b"From: ceo"}, "SourceArn": ME}, [ME, EVERY_IDENTITY]),
    ("sesv2", "SendEmail", {"Content": {"Raw": {}}, "FromEmailAddressIdentityArn": ME}, [ME, EVERY_IDENTITY]),
    (
        "sesv2",
        "SendEmail",
        {"FromEmailAddress": "ceo@example.com", "FeedbackForwardingEmailAddressIdentityArn": ME},
        [ME, EVERY_IDENTITY],
    ),
    # What is there beside a required type hides it neither.
    ("ses", "SendEmail", {"Source": "ceo@example.com", "ConfigurationSetName": "news"}, [SET, EVERY_IDENTITY]),
    (
        "redshift",
        "RestoreFromClusterSnapshot",
        {"ClusterIdentifier": "new", "SnapshotIdentifier": "rs", "SnapshotArn": SNAPSHOT},
        [SNAPSHOT, arn("redshift", "cluster:*"), arn("redshift", "snapshot:*/*")],
    ),
    # A type that is named twice is decided twice.
    (
        "s3vectors",
        "GetVectorBucket",
        {"vectorBucketName": "b", "vectorBucketArn": VECTORS},
        [VECTORS, arn("s3vectors", "bucket/*")],
    ),
    (
        "s3vectors",
        "GetVectors",
        {"vectorBucketName": "b", "indexName": "i", "indexArn": f"{VECTORS}/index/i", "keys": ["k"]},
        [f"{VECTORS}/index/i", arn("s3vectors", "bucket/*/index/*")],
    ),
    (
        "kinesisvideo",
        "DescribeStream",
        {"StreamName": "b", "StreamARN": CAMERA},
        [CAMERA, arn("kinesisvideo", "stream/*/*")],
    ),
    (
        "iot",
        "AddThingToThingGroup",
        {"thingName": "b", "thingArn": THING, "thingGroupName": "b", "thingGroupArn": GROUP},
        [THING, arn("iot", "thing/b"), GROUP, arn("iot", "thinggroup/b")],
    ),
    # ARNs in lists count, and those of one type do not stand for another.
    (
        "iot",
        "CreateJob",
        {"jobId": "j", "targets": [THING], "document": "{}"},
        [arn("iot", "job/j"), THING, arn("iot", "thing/*"), arn("iot", "thinggroup/*")],
    ),
    (
        "iot",
        "UpdateThingGroupsForThing",
        {"thingName": "a", "thingGroupsToAdd": ["a"]},
        [THING, arn("iot", "thinggroup/*")],
    ),
    (
        "forecast",
        "UpdateDatasetGroup",
        {"DatasetGroupArn": arn("forecast", "dataset-group/g"), "DatasetArns": [arn("forecast", "dataset/x")]},
        [arn("forecast", "dataset/x"), arn("forecast", "dataset-group/g")],
    ),
    # ARNs that no policy names so, though a backend may look at their ends alone.
    *(
        ("kinesisvideo", "DescribeStream", {"StreamARN": one}, [one, arn("kinesisvideo", "stream/*/*")])
        for one in (
            "arn:aws:kinesisvideo:us-east-1::stream/a/1",
            f"arn:aws:kinesisvideo::{ACCOUNT}:stream/a/1",
            f"arn:aws-cn:kinesisvideo:us-east-1:{ACCOUNT}:stream/a/1",
        )
    ),
    # What is surely named is not decided on more.
    ("kinesisvideo", "DescribeStream", {"StreamARN": CAMERA}, [CAMERA]),
    ("iot", "DescribeThing", {"thingName": "a"}, [THING]),
    (
        "s3vectors",
        "GetVectors",
        {"indexArn": f"{VECTORS}/index/i", "keys": ["k"]},
        [f"{VECTORS}/index/i", arn("s3vectors", "bucket/*/index/*")],
    ),
    ("opensearchserverless", "TagResource", {"resourceArn": arn("aoss", "collection/c"), "tags": []}, [
        arn("aoss", "collection/c")
    ]),
    ("iot", "ListThings", {}, ["*"]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "operation", "parameters", "wanted"), CASES)
def test_what_a_request_is_decided_on(name, operation, parameters, wanted):
    assert sorted(names(name, operation, parameters)) == sorted(wanted)


def test_a_name_that_stands_for_any_of_a_kind_is_marked_so():
    parameters = {"Source": "ceo@example.com", "ReturnPathArn": ME}
    assert {one.arn: one.any_of_kind for one in decided("ses", "SendEmail", parameters)} == {
        ME: False,
        EVERY_IDENTITY: True,
    }


def test_what_is_made_comes_first_and_stands_for_any_if_the_request_may_name_it():
    found = decided("personalize", "CreateCampaign", {"name": "c", "solutionVersionArn": "s"})
    assert [(one.arn, one.makes, one.any_of_kind) for one in found] == [
        (arn("personalize", "campaign/*"), True, True),
        (arn("personalize", "solution/*"), False, True),
    ]
    found = decided("redshift", "CreateCluster", {"ClusterIdentifier": "c", "NodeType": "n"})
    assert [(one.arn, one.makes, one.any_of_kind) for one in found] == [(arn("redshift", "cluster:*"), True, True)]
    given = {"ClusterIdentifier": "c", "FeatureType": "spectrum", "LimitType": "time", "Amount": 1}
    assert [(one.arn, one.makes, one.any_of_kind) for one in decided("redshift", "CreateUsageLimit", given)] == [
        (arn("redshift", "usagelimit:*"), True, False),
        (arn("redshift", "cluster:*"), False, True),
    ]


@pytest.mark.parametrize(
    ("action", "made"),
    [
        ("redshift:CreateClusterSnapshot", {"snapshot"}),
        ("elasticache:CreateCacheCluster", {"cluster"}),
        ("fsx:CreateFileSystemFromBackup", {"filesystem"}),
        ("mobiletargeting:CreateJourney", {"journeys"}),
        ("cassandra:Create", {"keyspace", "table"}),
        # What something is made for, of or within is there.
        ("elasticache:CreateGlobalReplicationGroup", {"globalreplicationgroup"}),
        ("rds:CreateGlobalCluster", {"globalcluster"}),
        ("appstream:CreateThemeForStack", set()),
        ("cloudfront:CreateInvalidationForDistributionTenant", set()),
        ("workspaces:CreateUpdatedWorkspaceImage", set()),
        ("mq:CreateReplicaBroker", set()),
        ("logs:CreateLogStream", set()),
        ("redshift:ModifyCluster", set()),
    ],
)
def test_an_action_makes_what_its_name_speaks_of(action, made):
    assert {kind.name for kind in resource_kinds.made_by(action)} == made


NAMING_ACCOUNTS = {"accountId", "AwsAccountId", "CatalogId"}
"""Members that name whose resources a request is about; another account's are refused."""


def whole(operation, *, required):
    """Texts for an operation's members: of all, or of those that it can't do without."""
    shape = operation.input
    if shape is None:
        return {}
    members = {name: one.shape for name, one in shape.members.items() if name in shape.required or not required}
    texts = {name: "text" for name, one in members.items() if one.type == "string"}
    texts |= {name: ACCOUNT for name in texts if name in NAMING_ACCOUNTS}
    return texts | {
        name: ["text"] for name, one in members.items() if one.type == "list" and one.element.shape.type == "string"
    }


def with_arns(operation, parameters, arns):
    """The same, with each of the ARNs at the members that are for ARNs, one after the other."""
    found = dict(parameters)
    for index, name in enumerate(name for name in parameters if name.lower().endswith(("arn", "arns"))):
        one = arns[index % len(arns)]
        found[name] = [one] if isinstance(parameters[name], list) else one
    return found


def forms_of(action):
    """The required resource types of an action, and the ARN of one of each of its types."""
    reference = service_reference.service(action.partition(":")[0])
    entry = reference.action(action.partition(":")[2])
    types = [(one.required, reference.resource_type(one.name)) for one in entry.resources]
    arns = [PLACE.sub("1", one.arn.split(", ")[0]) for _, one in types]
    return [one for required, one in types if required], arns


PLACE = re.compile(r"\$\{[^}]*\}")


@pytest.mark.parametrize("name", RULED)
def test_no_required_type_is_left_out(name):
    model = service(name)
    for operation in map(model.operation, model.operation_names):
        action = by_rule.action_of(name, operation.name)
        if action is None:
            continue
        required, arns = forms_of(action)
        for texts in (whole(operation, required=True), whole(operation, required=False)):
            for parameters in (texts, with_arns(operation, texts, arns) if arns else texts):
                asked = Asked(operation, parameters, ACCOUNT, "us-east-1")
                found = [one.arn for one in by_rule.targets(asked)]
                assert found
                missing = [one.name for one in required if not any(one.names(name) for name in found)]
                assert not missing or is_for_one(operation, parameters), (operation, parameters, found, missing)


def is_for_one(operation, parameters):
    """Whether a `ResourceArn` is all that an operation is told: it is on one of its types."""
    wanted = {name.lower() for name in operation.input.required} - {
        "tags",
        "tagkeys",
        "taglist",
        "tagstoadd",
        "resourcetags",
        "resourcetagkeys",
    }
    return len(wanted) == 1 and wanted <= {"arn", "resourcearn"} and len(parameters) <= 2
