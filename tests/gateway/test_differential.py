"""Nothing that a client sends makes the embedded moto do something else than was decided.

Operations go through with the tricks of `tricks.py`; an observer within moto tells what it ran. What was not refused
before must be the service, operation, account, region and resource that were decided. A table that is new is compared
without being named here.
"""

import io
import re
import zipfile
from pathlib import Path
from urllib.parse import unquote

import moto
import pytest
from gateway import parameters
from gateway.counting import TRUSTED, trusting
from gateway.observed import ObservedCloud, Ran
from gateway.tricks import TRICKS, Request
from moto.core.utils import camelcase_to_underscores
from wire import samples

from iamd.gateway.actions import table as tables_of_actions

SERVICES = ("dynamodb", "dynamodbstreams", "lambda", "logs", "s3", "secretsmanager", "sqs")
TABLES = {file.stem for file in (Path(tables_of_actions.__file__).parent / "tables").glob("*.toml")}
# S3's functions in moto that are named otherwise than the operation that they do, or are a step of it.
STEPS = {
    "CopyObject": {"put_object", "put_object_tagging"},
    "CreateBucket": {"put_bucket_acl", "put_bucket_tagging"},
    "DeleteObjects": {"_bucket_response_delete_keys", "delete_object"},
    "GetBucketLifecycleConfiguration": {"get_bucket_lifecycle"},
    "GetBucketNotificationConfiguration": {"get_bucket_notification"},
    "GetBucketTagging": {"get_bucket_tags"},
    "ListBuckets": {"all_buckets"},
    "PutObject": {"put_object_tagging"},
}
READS = ("get_", "head_", "list_", "is_", "log_", "_validate", "describe_", "_get", "_truncate")
ROUTES = {"_bucket_response", "_key_response", "_bucket_response_put"}
# moto's own services that iamd names otherwise.
MODULES = {"lambda": "awslambda"}
# Arguments of moto's models that name the resource, by module.
NAMING = {
    "acm": {"arn", "certificate_arn"}, "apigateway": {"function_id", "restapi_id", "stage_name"},
    "apigatewayv2": {"api_id"}, "athena": {"work_group"}, "autoscaling": {"group_name"},
    "awslambda": {"function_name", "function_name_or_arn"}, "batch": {"compute_environment_name", "job_queue_name"},
    "bedrock": {"job_identifier", "model_identifier"}, "codecommit": {"repository_name"},
    "cognitoidentity": {"identity_pool_id"}, "cognitoidp": {"user_pool_id"}, "dynamodb": {"table_name"},
    "ecr": {"repository_name"}, "ecs": {"cluster_name", "cluster_str", "service_name", "task_definition_str"},
    "elbv2": {"listener_arn", "load_balancer_arn", "rule_arn", "target_group_arn"},
    "events": {"event_bus_name", "rule_name"}, "firehose": {"delivery_stream_name"},
    "glue": {"crawler_name", "database_name", "job_name", "registry_name", "trigger_name"},
    "kinesis": {"stream_arn", "stream_name"}, "logs": {"log_group_name"},
    "rds": {"db_cluster_identifier", "db_instance_identifier"}, "route53": {"hosted_zone_id", "id_", "zone_id"},
    "s3": set(), "scheduler": {"group_name"}, "secretsmanager": {"secret_id"}, "sns": {"topic_arn"},
    "sqs": {"queue_name"}, "stepfunctions": {"activity_arn", "execution_arn", "state_machine_arn"},
}  # fmt: skip


@pytest.fixture(scope="module")
def observed(tmp_path_factory):
    cloud = ObservedCloud(tmp_path_factory.mktemp("observed"))
    trust(cloud)
    yield cloud
    cloud.close()


def archive():
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        file.writestr("a.py", "x = 1")
    return packed.getvalue()


def trust(observed):
    """The role that the parameters pass."""
    observed.aws.client("iam").create_role(RoleName="app", AssumeRolePolicyDocument=trusting(*TRUSTED))


def furnish(observed, service):
    """An empty backend with the things of the service in it that the parameters name."""
    observed.server.post("/_iamd/reset")
    trust(observed)
    FURNITURE[service](observed.aws)
    observed.ran()


def buckets(aws):
    for bucket, key in (("bkt", "dir/key"), ("src", "dir/old")):
        aws.client("s3").create_bucket(Bucket=bucket)
        aws.client("s3").put_object(Bucket=bucket, Key=key, Body=b"data")
    aws.client("s3control").create_access_point(AccountId=parameters.ACCOUNT, Name="pnt", Bucket="bkt")


def log_group(aws):
    aws.client("logs").create_log_group(logGroupName="/grp")
    aws.client("logs").create_log_stream(logGroupName="/grp", logStreamName="str")


def table(aws):
    keys = {name: parameters.NAMED["dynamodb"][name] for name in ("AttributeDefinitions", "KeySchema")}
    aws.client("dynamodb").create_table(TableName="tbl", BillingMode="PAY_PER_REQUEST", **keys)


def function(aws):
    queue(aws)
    aws.client("lambda").create_function(
        FunctionName="fn", Role=parameters.ROLE, Runtime="python3.12", Handler="a.b", Code={"ZipFile": archive()}
    )


def queue(aws):
    aws.client("sqs").create_queue(QueueName="que")


def secret(aws):
    aws.client("secretsmanager").create_secret(Name="sec", SecretString="s")


FURNITURE = {
    "dynamodb": table, "dynamodbstreams": table, "lambda": function, "logs": log_group, "s3": buckets,
    "secretsmanager": secret, "sqs": queue,
}  # fmt: skip


def request_of(service, name, given) -> Request:
    """The request that botocore makes of an operation."""
    model = parameters.model(service)
    made = samples.request(model.operation_model(name), given, protocol=model.resolved_protocol)
    headers = [(k.decode(), v.decode()) for k, v in made.headers if k not in {b"host", b"content-length"}]
    return Request(
        model.signing_name, made.method, made.path.decode(), made.query.decode(), tuple(headers), made.body or b""
    )


@pytest.mark.parametrize("service", SERVICES)
def test_moto_runs_what_was_decided_or_nothing(observed: ObservedCloud, service):
    # moto names S3's functions in ways of its own.
    known = parameters.operations(service) if service == "s3" else of_moto(service)
    wrong, ran_in_all = [], 0
    furnish(observed, service)
    for number, name in enumerate(parameters.operations(service)):
        plain = request_of(service, name, parameters.whole(service, name))
        before = ran_in_all
        # Of what moto has not, a third of the tricks, in turn, is to find what it would do in its place.
        for trick in TRICKS.values() if name in known else list(TRICKS.values())[number % 3 :: 3]:
            variants = list(trick(plain))
            sent = variants[number % len(variants)]
            reply, ran = observed.send(sent)
            ran_in_all += len(ran)
            told = [one for one in ran if differs(one) or strays(observed, reply, one)]
            wrong += [(name, trick.__name__, sent, reply.status, one) for one in told]
        if name.startswith("Delete") and ran_in_all > before:
            furnish(observed, service)
    assert wrong == []
    assert ran_in_all > len(parameters.operations(service)) / 2


def differs(ran: Ran) -> bool:
    """Whether moto ran another operation, or worked in another account or region, than was decided."""
    decided = ran.decided
    if (ran.account, ran.region) != (decided["account"], decided["region"]):
        return True
    if any(account not in {None, decided["account"]} for account, _, _ in ran.touched):
        return True
    if ran.module != MODULES.get(decided["service"], decided["service"].replace("-", "")):
        return True
    own = camelcase_to_underscores(decided["operation"])
    if ran.module != "s3":
        return ran.functions[0] != own
    done = {name for name in ran.functions if name not in ROUTES}
    done |= {name for _, name, _ in ran.touched if not name.startswith(READS)}
    return not done <= {own, *STEPS.get(decided["operation"], ())}


def strays(observed: ObservedCloud, reply, ran: Ran) -> bool:
    """Whether a name reached moto's models that is not the one of a decided resource."""
    named = {"bucket_name", "key_name"} if ran.module == "s3" else NAMING.get(ran.module, set())
    names = {(key, value) for _, _, names in ran.touched for key, value in names.items() if key in named}
    if not names:
        return False
    resources = [resource for _, resource in observed.decided(reply)]
    if "*" in resources:
        return False
    return not all(any(_names(resource, key, value) for resource in resources) for key, value in names)


def _names(resource, key, value):
    if key in {"bucket_name", "key_name"}:
        bucket, _, inner = resource.split(":", 5)[5].removeprefix("bucket/").partition("/")
        return value == (bucket if key == "bucket_name" else inner) or resource.startswith("arn:aws:s3express:")
    inner = resource.split(":", 5)[5]
    # moto leaves some of what stands in a path as it is written there.
    return unquote(value) in {resource, inner.partition("/")[2], *inner.split(":"), *inner.split(":")[0].split("/")}


# Classic Load Balancers have no table, and moto decides by the version which of the two it is asked for. The embedded
# moto has no keyspaces, and resources by Cloud Control are iamd's own.
OTHERS = sorted({"elb", *TABLES} - {"cloudcontrol", "keyspaces", *SERVICES})
# What moto would tell at length.
NARROWED = {
    ("ec2", "DescribeImages"): {"ImageIds": ["ami-12c6146b"]},
    ("ec2", "DescribeInstanceTypes"): {"InstanceTypes": ["t3.nano"]},
    ("ec2", "DescribeSnapshotTierStatus"): {"Filters": [{"Name": "snapshot-id", "Values": ["snap-1"]}]},
    ("ec2", "DescribeSnapshots"): {"SnapshotIds": ["snap-1"]},
    ("ec2", "DescribeSpotPriceHistory"): {"InstanceTypes": ["t3.nano"]},
    ("ec2", "DescribeVpcEndpointServices"): {"ServiceNames": ["com.amazonaws.us-east-1.s3"]},
}
# iamd finds no keys but those that it has seen made, and these have ids of moto's own.
FEW = {"kms": 4}


def of_moto(service):
    """The operations of a service that moto has a function for, by the names in its source."""
    folder = Path(moto.__file__).parent / MODULES.get(service, service.replace("-", ""))
    sources = [folder / "responses.py", *folder.glob("responses/*.py")]
    defined = "".join(source.read_text() for source in sources if source.exists()).replace("_", "").lower()
    names = set(re.findall(r"def (\w+)\(", defined))
    return [name for name in parameters.operations(service) if name.lower() in names]


@pytest.mark.parametrize("service", OTHERS)
def test_moto_runs_what_was_decided_of_other_services_too(observed: ObservedCloud, service):
    """Each operation as it is, and with one of the tricks: over the operations of a service, all of them."""
    wrong, ran_plain, names = [], 0, of_moto(service)
    tricks = [trick for name, trick in TRICKS.items() if name != "plain"]
    for number, name in enumerate(names):
        plain = request_of(service, name, {**parameters.whole(service, name), **NARROWED.get((service, name), {})})
        variants = list(tricks[number % len(tricks)](plain))
        for sent in (plain, variants[number // len(tricks) % len(variants)]):
            reply, ran = observed.send(sent)
            ran_plain += bool(ran) and sent is plain
            told = [one for one in ran if differs_by_path(service, one) or strays(observed, reply, one)]
            wrong += [(name, sent, reply.status, one) for one in told]
    assert wrong == []
    assert ran_plain > FEW.get(service, len(names) / 2)


def test_moto_runs_nothing_of_a_service_with_handlers_of_its_own(observed: ObservedCloud):
    for name in parameters.operations("es")[::6]:
        plain = request_of("es", name, parameters.whole("es", name))
        for trick in ("plain", "target", "action", "headers", "path"):
            assert observed.send(list(TRICKS[trick](plain))[-1])[1] == []


def differs_by_path(service, ran: Ran) -> bool:
    # moto's Batch has a function for each path, named by it.
    return differs(ran) and not (service == "batch" and ran.functions[0] == ran.decided["operation"].lower())
