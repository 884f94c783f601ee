"""Nothing that a client sends makes the embedded moto do something else than was decided.

Each operation goes through with each trick of `tricks.py`; an observer within moto tells what it ran. What was not
refused before must be the service, operation, account, region and resource that were decided.
"""

import io
import zipfile

import pytest
from gateway import parameters
from gateway.counting import TRUSTED, trusting
from gateway.observed import ObservedCloud, Ran
from gateway.tricks import TRICKS, Request
from moto.core.utils import camelcase_to_underscores
from wire import samples

SERVICES = ("dynamodb", "dynamodbstreams", "lambda", "logs", "s3", "secretsmanager", "sqs")
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
    "sqs": {"queue_name"}, "dynamodb": {"table_name"}, "secretsmanager": {"secret_id"}, "logs": {"log_group_name"},
    "awslambda": {"function_name", "function_name_or_arn"}, "s3": set(),
}  # fmt: skip


@pytest.fixture(scope="module")
def observed(tmp_path_factory):
    cloud = ObservedCloud(tmp_path_factory.mktemp("observed"))
    yield cloud
    cloud.close()


def archive():
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        file.writestr("a.py", "x = 1")
    return packed.getvalue()


def furnish(observed):
    """An empty backend with the things in it that the parameters name."""
    aws = observed.aws
    observed.server.post("/_iamd/reset")
    aws.client("iam").create_role(RoleName="app", AssumeRolePolicyDocument=trusting(*TRUSTED))
    for bucket, key in (("bkt", "dir/key"), ("src", "dir/old")):
        aws.client("s3").create_bucket(Bucket=bucket)
        aws.client("s3").put_object(Bucket=bucket, Key=key, Body=b"data")
    aws.client("s3control").create_access_point(AccountId=parameters.ACCOUNT, Name="pnt", Bucket="bkt")
    aws.client("sqs").create_queue(QueueName="que")
    aws.client("secretsmanager").create_secret(Name="sec", SecretString="s")
    aws.client("logs").create_log_group(logGroupName="/grp")
    aws.client("logs").create_log_stream(logGroupName="/grp", logStreamName="str")
    aws.client("dynamodb").create_table(TableName="tbl", BillingMode="PAY_PER_REQUEST", **{
        name: parameters.NAMED["dynamodb"][name] for name in ("AttributeDefinitions", "KeySchema")
    })  # fmt: skip
    aws.client("lambda").create_function(
        FunctionName="fn", Role=parameters.ROLE, Runtime="python3.12", Handler="a.b", Code={"ZipFile": archive()}
    )
    observed.ran()


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
    wrong, ran_in_all = [], 0
    furnish(observed)
    for number, name in enumerate(parameters.operations(service)):
        plain = request_of(service, name, parameters.whole(service, name))
        for trick in TRICKS.values():
            variants = list(trick(plain))
            sent = variants[number % len(variants)]
            reply, ran = observed.send(sent)
            ran_in_all += len(ran)
            told = [one for one in ran if differs(one) or strays(observed, reply, one)]
            wrong += [(name, trick.__name__, sent, reply.status, one) for one in told]
        if name.startswith("Delete"):
            furnish(observed)
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
    parts = resource.split(":", 5)[5].split(":")
    return value == resource or value in parts or value == parts[0].partition("/")[2].partition("/")[0]


OTHERS = ("cloudwatch", "ec2", "ecr", "ecs", "elbv2", "events", "glue", "kinesis", "kms", "rds", "route53", "sns", "ssm",
          "stepfunctions", "apigateway", "batch", "elb", "es", "scheduler")  # fmt: skip


@pytest.mark.parametrize("service", OTHERS)
def test_moto_runs_what_was_decided_for_services_without_a_table_too(observed: ObservedCloud, service):
    wrong = []
    for name in parameters.operations(service)[:: 40 if service == "ec2" else 6]:
        plain = request_of(service, name, parameters.of(service, name))
        for trick in ("plain", "target", "action", "headers", "path"):
            sent = list(TRICKS[trick](plain))[-1]
            reply, ran = observed.send(sent)
            wrong += [(name, trick, sent, reply.status, one) for one in ran if differs_by_path(service, one)]
    assert wrong == []


def differs_by_path(service, ran: Ran) -> bool:
    # moto's Batch has a function for each path, named by it.
    return differs(ran) and not (service == "batch" and ran.functions[0] == ran.decided["operation"].lower())
