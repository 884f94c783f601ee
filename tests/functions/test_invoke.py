"""Functions that are invoked and waited for.

AWS: Lambda API Reference, Invoke; Lambda Developer Guide, "Define Lambda function handler in Python" (python-handler)
and "Using source function ARN to control function access behavior" (permissions-source-function-arn).
"""

import base64
import json
import os
import re
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from functions.conftest import LAMBDA, Functions, code, package
from running import ACCOUNT, AWS, REGION, allow, deny
from services.iamd.test_workloads import trust

ECHO = "def handler(event, context):\n    return {'got': event}\n"
WHO = """
import boto3

def handler(event, context):
    return boto3.client("sts").get_caller_identity()["Arn"]
"""
SEND = """
import boto3

def handler(event, context):
    return boto3.client("sqs").send_message(QueueUrl=event["url"], MessageBody="hello")["MessageId"]
"""
PROCESS = """
import os

def handler(event, context):
    return os.getpid()
"""
FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:fn"


def refused(code, words, ask, *given, **named):
    with pytest.raises(ClientError) as caught:
        ask(*given, **named)
    error = caught.value.response["Error"]
    assert (error["Code"], words in error["Message"]) == (code, True), error
    return caught.value.response


def waiting(cloud, url):
    told = cloud.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
    return int(told["Attributes"]["ApproximateNumberOfMessages"])


def test_a_function_answers_what_it_returns(functions):
    functions.make(ECHO)
    told = functions.invoke({"a": [1, "ä"]})
    assert (told.status, told.error, told.version) == (200, None, "$LATEST")
    assert told.value == {"got": {"a": [1, "ä"]}}


def test_the_data_folder_may_be_a_relative_one(start, tmp_path):
    """As `make serve` has it."""
    data = Path(os.path.relpath(tmp_path / "data"))
    functions = Functions(AWS(start("--backend", "moto", data=data)))
    functions.cloud.client("iam").create_role(RoleName="worker", AssumeRolePolicyDocument=trust(LAMBDA))
    functions.make(ECHO)
    assert functions.invoke({"a": 1}).value == {"got": {"a": 1}}


def test_without_a_payload_the_event_is_empty(functions):
    functions.make(ECHO)
    assert functions.invoke().value == {"got": {}}


def test_the_function_has_its_roles_session_named_by_its_name(functions):
    functions.make(WHO)
    assert functions.invoke().value == f"arn:aws:sts::{ACCOUNT}:assumed-role/worker/fn"


def test_a_function_that_may_send_to_one_queue_cannot_send_to_another(functions):
    (url, arn), (other, _) = functions.queue("mine"), functions.queue("other")
    functions.permit(allow("sqs:SendMessage", arn))
    functions.make(SEND)
    assert functions.invoke({"url": url}).error is None
    told = functions.invoke({"url": other})
    assert told.error == "Unhandled"
    assert "is not authorized to perform: sqs:sendmessage" in told.value["errorMessage"], told.value
    assert [waiting(functions.cloud, one) for one in (url, other)] == [1, 0]


def test_what_the_function_asks_carries_its_arn(functions):
    url, arn = functions.queue("mine")
    functions.make(SEND)
    functions.make(SEND, name="another")
    functions.permit(allow("sqs:SendMessage", arn, ArnEquals={"lambda:SourceFunctionArn": FUNCTION}))
    assert functions.invoke({"url": url}).error is None
    assert functions.invoke({"url": url}, name="another").error == "Unhandled"


def test_a_denied_invocation_runs_nothing(functions):
    url, arn = functions.queue("mine")
    functions.permit(allow("sqs:SendMessage", arn))
    functions.make(SEND)
    someone = functions.cloud.user("someone", allow("lambda:*"), deny("lambda:InvokeFunction", FUNCTION))
    for kind in ("RequestResponse", "Event", "DryRun"):
        refused(
            "AccessDeniedException",
            f"perform: lambda:InvokeFunction on resource: {FUNCTION}",
            functions.invoke,
            {"url": url},
            credentials=someone,
            InvocationType=kind,
        )
    assert waiting(functions.cloud, url) == 0


def test_a_dry_run_runs_nothing(functions):
    url, arn = functions.queue("mine")
    functions.permit(allow("sqs:SendMessage", arn))
    functions.make(SEND)
    assert functions.invoke({"url": url}, InvocationType="DryRun").status == 204
    assert waiting(functions.cloud, url) == 0
    client = functions.cloud.client("lambda")
    refused("ResourceNotFoundException", ":function:none", client.invoke, FunctionName="none", InvocationType="DryRun")


def test_a_process_is_used_again_until_the_code_or_the_configuration_changes(functions):
    functions.make(PROCESS)
    first = functions.invoke().value
    assert functions.invoke().value == first
    client = functions.cloud.client("lambda")
    client.update_function_configuration(FunctionName="fn", Description="other")
    second = functions.invoke().value
    assert second != first
    client.update_function_code(FunctionName="fn", ZipFile=code("def handler(event, context):\n    return 'new'\n"))
    assert functions.invoke().value == "new"
    for process in (first, second):
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)


def test_versions_and_aliases_run_what_was_published(functions):
    functions.make("def handler(event, context):\n    return context.invoked_function_arn, context.function_version\n")
    client = functions.cloud.client("lambda")
    client.publish_version(FunctionName="fn")
    client.create_alias(FunctionName="fn", Name="live", FunctionVersion="1")
    client.update_function_code(FunctionName="fn", ZipFile=code("def handler(event, context):\n    return 'new'\n"))
    assert functions.invoke().value == "new"
    for qualifier in ("1", "live"):
        told = functions.invoke(Qualifier=qualifier)
        assert (told.version, told.value) == ("1", [f"{FUNCTION}:{qualifier}", "1"])
    assert functions.invoke(name=f"{FUNCTION}:live").version == "1"
    refused("ResourceNotFoundException", "fn:other", functions.invoke, Qualifier="other")


def test_an_alias_sends_a_part_of_its_invocations_to_another_version(functions):
    functions.make("def handler(event, context):\n    return context.function_version\n")
    client = functions.cloud.client("lambda")
    client.publish_version(FunctionName="fn")
    client.update_function_code(FunctionName="fn", ZipFile=code("def handler(event, context):\n    return 'two'\n"))
    client.publish_version(FunctionName="fn")
    weights = {"AdditionalVersionWeights": {"2": 1.0}}
    client.create_alias(FunctionName="fn", Name="live", FunctionVersion="1", RoutingConfig=weights)
    told = functions.invoke(Qualifier="live")
    assert (told.version, told.value) == ("2", "two")


def test_the_context_is_the_invocations(functions):
    functions.make(
        "def handler(event, context):\n"
        "    return [context.function_name, context.memory_limit_in_mb, context.log_group_name,"
        " context.aws_request_id, context.get_remaining_time_in_millis(), context.client_context.custom]\n",
        Timeout=7,
        MemorySize=256,
    )
    context = base64.b64encode(json.dumps({"custom": {"a": "b"}}).encode()).decode()
    client = functions.cloud.client("lambda")
    told = client.invoke(FunctionName="fn", ClientContext=context)
    name, memory, group, request_id, left, custom = json.loads(told["Payload"].read())
    assert (name, memory, group, custom) == ("fn", "256", "/aws/lambda/fn", {"a": "b"})
    assert request_id == told["ResponseMetadata"]["RequestId"]
    assert 0 < left <= 7000


@pytest.mark.parametrize(
    ("code", "words", "given"),
    [
        ("InvalidRequestContentException", "Could not parse request body into json", {"Payload": b"{"}),
        ("InvalidRequestContentException", "Client context", {"ClientContext": "e30"}),
        ("InvalidRequestContentException", "Client context", {"ClientContext": "W10="}),
        ("RequestTooLargeException", "smaller than 6291456 bytes", {"Payload": b'"%b"' % (b"x" * 6291455)}),
        (
            "RequestTooLargeException",
            "smaller than 1048576 bytes",
            {"Payload": b'"%b"' % (b"x" * 1048575), "InvocationType": "Event"},
        ),
        ("InvalidParameterValueException", "TenantId", {"TenantId": "blue"}),
        ("InvalidParameterValueException", "DurableExecutionName", {"DurableExecutionName": "one"}),
        ("ValidationException", "invocationType", {"InvocationType": "Sometimes"}),
    ],
)
def test_what_can_not_be_meant_is_refused(functions, code, words, given):
    functions.make(ECHO)
    client = functions.cloud.client("lambda", parameter_validation=False)
    refused(code, words, client.invoke, FunctionName="fn", **given)


def test_only_python_in_zip_files_is_run(functions):
    functions.make(ECHO, Runtime="nodejs22.x")
    told = refused("InvalidRuntimeException", "nodejs22.x", functions.invoke)
    assert told["ResponseMetadata"]["HTTPStatusCode"] == 502
    functions.make(
        ECHO,
        name="shared",
        FileSystemConfigs=[
            {
                "Arn": f"arn:aws:elasticfilesystem:{REGION}:{ACCOUNT}:access-point/fsap-0123456789abcdef0",
                "LocalMountPath": "/mnt/a",
            }
        ],
    )
    refused("InvalidRuntimeException", "FileSystemConfigs", functions.invoke, name="shared")


def test_a_role_that_lambda_may_not_assume_has_no_credentials(functions):
    functions.make(WHO)
    iam = functions.cloud.client("iam")
    iam.update_assume_role_policy(RoleName="worker", PolicyDocument=trust("ec2.amazonaws.com"))
    refused("AccessDeniedException", "The role defined for the function cannot be assumed by Lambda.", functions.invoke)
    iam.update_assume_role_policy(
        RoleName="worker", PolicyDocument=trust(LAMBDA, ArnEquals={"aws:SourceArn": FUNCTION})
    )
    assert functions.invoke().error is None


def test_no_process_outlives_its_credentials(functions):
    functions.make(PROCESS)
    first = functions.invoke().value
    functions.cloud.advance(21600 - 900)
    assert functions.invoke().value != first


def test_layers_are_there(functions):
    client = functions.cloud.client("lambda")
    content = package({"python/shared.py": "NAME = 'layer'\n", "bin/tool": "", "python/app.py": "raise SystemExit\n"})
    arn = client.publish_layer_version(LayerName="lay", Content={"ZipFile": content})["LayerVersionArn"]
    functions.make("import shared\n\ndef handler(event, context):\n    return shared.NAME\n", Layers=[arn])
    assert functions.invoke().value == "layer"


SEEN = """
import os, pathlib, sys

def handler(event, context):
    home = pathlib.Path.home()
    tmp = pathlib.Path(os.environ["TMPDIR"])
    (tmp / "mine").write_text("x")
    return {
        "environment": dict(os.environ), "home": [one.name for one in home.iterdir()], "cwd": os.getcwd(),
        "stdin": sys.stdin.read(), "path": sys.path, "iamd": __import__("importlib").util.find_spec("iamd") is not None,
    }
"""


def test_the_function_sees_its_own_environment_and_nothing_of_the_servers(functions):
    variables = {"QUEUE": "mine", "AWS_REGION": "eu-north-1", "LANG": "C.UTF-8", "AWS_ACCESS_KEY_ID": "mine"}
    functions.make(SEEN, Environment={"Variables": variables}, Handler="app.handler")
    told = functions.invoke().value
    seen = told["environment"]
    assert (seen["QUEUE"], seen["LANG"], seen["AWS_REGION"], seen["_HANDLER"]) == (
        "mine",
        "C.UTF-8",
        REGION,
        "app.handler",
    )
    assert seen["AWS_ENDPOINT_URL"] == functions.cloud.endpoint
    assert seen["AWS_EXECUTION_ENV"] == "AWS_Lambda_python3.12"
    assert seen["AWS_ACCESS_KEY_ID"].startswith("ASIA")
    assert re.fullmatch(r"\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}", seen["AWS_LAMBDA_LOG_STREAM_NAME"])
    assert (told["home"], told["stdin"], told["iamd"]) == ([], "", False)
    assert "poison" not in json.dumps(seen).lower()
    assert not [name for name in seen if name.startswith("IAMD_")]
    assert functions.cloud.server.administrator.access_key_id not in json.dumps(seen)


def test_reserved_concurrency_bounds_what_runs(functions):
    functions.make(ECHO)
    client = functions.cloud.client("lambda")
    client.put_function_concurrency(FunctionName="fn", ReservedConcurrentExecutions=0)
    told = refused("TooManyRequestsException", "Rate Exceeded.", functions.invoke)
    assert told["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    assert told["ResponseMetadata"]["HTTPStatusCode"] == 429
    client.delete_function_concurrency(FunctionName="fn")
    assert functions.invoke().error is None


def test_code_that_can_not_be_unpacked_is_refused(functions):
    functions.make("", Code={"ZipFile": package({"../../outside.py": "x"})})
    refused("InvalidZipFileException", "leads out", functions.invoke)


def test_the_code_can_lie_in_a_bucket(functions):
    s3 = functions.cloud.client("s3")
    s3.create_bucket(Bucket="code")
    s3.put_object(Bucket="code", Key="fn.zip", Body=code(ECHO))
    functions.make("", Code={"S3Bucket": "code", "S3Key": "fn.zip"})
    assert functions.invoke({"a": 1}).value == {"got": {"a": 1}}


def test_another_accounts_function_is_run_in_its_account(functions):
    cloud = functions.cloud
    functions.make(WHO)
    other = cloud.iamd("CreateAccount", Name="other", AccountId="222222222222")
    from running import Credentials

    theirs = Credentials.of(other)
    refused("AccessDeniedException", "lambda:InvokeFunction", functions.invoke, name=FUNCTION, credentials=theirs)
    cloud.client("lambda").add_permission(
        FunctionName="fn", StatementId="s", Action="lambda:InvokeFunction", Principal="222222222222"
    )
    told = functions.invoke(name=FUNCTION, credentials=theirs)
    assert told.value == f"arn:aws:sts::{ACCOUNT}:assumed-role/worker/fn"
