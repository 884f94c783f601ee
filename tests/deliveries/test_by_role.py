"""What SageMaker and Textract do in sessions of roles that they were given.

AWS: SageMaker Developer Guide, "Asynchronous inference" (async-inference); Textract Developer Guide, "Configuring
Amazon Textract for asynchronous operations" (api-async-roles).
"""

import json
import time

import pytest
from botocore.exceptions import ClientError
from deliveries.conftest import DEADLINE, statement
from running import ACCOUNT, allow, deny

OUTPUT = "arn:aws:s3:::tour-inference"
PLACE = "s3://tour-inference"
NOTHING = deny("*")


def put(cloud, role, **output):
    sagemaker = cloud.client("sagemaker")
    sagemaker.create_model(ModelName="m", ExecutionRoleArn=role, PrimaryContainer={"Image": "image"})
    variant = {"VariantName": "v", "ModelName": "m", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    more = {"AsyncInferenceConfig": {"OutputConfig": output}} if output else {}
    sagemaker.create_endpoint_config(EndpointConfigName="c", ProductionVariants=[variant], **more)
    sagemaker.create_endpoint(EndpointName="e", EndpointConfigName="c")


def read(s3, location):
    """What is written there, once something is."""
    key = location.removeprefix(f"{PLACE}/")
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        if s3.list_objects_v2(Bucket="tour-inference", Prefix=key).get("Contents"):
            return s3.get_object(Bucket="tour-inference", Key=key)["Body"].read()
    raise AssertionError(location)


def test_an_inference_is_read_and_written_by_the_models_role(cloud, role, denied):
    s3, runtime = cloud.client("s3"), cloud.client("sagemaker-runtime")
    s3.create_bucket(Bucket="tour-inference")
    s3.put_object(Bucket="tour-inference", Key="in/1.json", Body=b"{}")
    arn = role("sagemaker.amazonaws.com", allow("s3:PutObject", f"{OUTPUT}/failed/*"))
    put(cloud, arn, S3OutputPath=f"{PLACE}/out/", S3FailurePath=f"{PLACE}/failed")
    told = runtime.invoke_endpoint_async(EndpointName="e", InputLocation=f"{PLACE}/in/1.json", InferenceId="one")
    assert told["OutputLocation"] == f"{PLACE}/out/one.out"
    event = denied("HeadObject", "sagemaker.amazonaws.com")
    assert event["userIdentity"]["type"] == "AssumedRole"
    assert b"in/1.json" in read(s3, told["FailureLocation"])
    policy = {"Version": "2012-10-17", "Statement": [allow("s3:GetObject", f"{OUTPUT}/in/*"), allow("s3:PutObject")]}
    cloud.client("iam").put_role_policy(RoleName="sender", PolicyName="own", PolicyDocument=json.dumps(policy))
    told = runtime.invoke_endpoint_async(
        EndpointName="e", InputLocation=f"{PLACE}/in/1.json", Filename="two.json", S3OutputPathExtension="a/b"
    )
    assert told["OutputLocation"] == f"{PLACE}/out/a/b/two.json"
    assert json.loads(read(s3, told["OutputLocation"])) == {"default": "response"}
    assert [one["Name"] for one in s3.list_buckets()["Buckets"]] == ["tour-inference"]


def test_only_what_is_there_and_configured_is_invoked(cloud, role):
    runtime = cloud.client("sagemaker-runtime")
    with pytest.raises(ClientError, match=f"Endpoint e of account {ACCOUNT} not found."):
        runtime.invoke_endpoint_async(EndpointName="e", InputLocation=f"{PLACE}/in")
    put(cloud, role("sagemaker.amazonaws.com", NOTHING))
    with pytest.raises(ClientError, match="not configured"):
        runtime.invoke_endpoint_async(EndpointName="e", InputLocation=f"{PLACE}/in")
    with pytest.raises(ClientError, match="Exactly one of Body and InputLocation"):
        runtime.invoke_endpoint_async(EndpointName="e", InputLocation=f"{PLACE}/in", Body=b"{}")


def test_a_pipelines_definition_is_one_that_the_caller_may_read(cloud, role):
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="tour-inference")
    s3.put_object(Bucket="tour-inference", Key="pipeline.json", Body=b'{"Version": "2020-12-01"}')
    given = {
        "PipelineName": "p", "ClientRequestToken": "0" * 32, "RoleArn": role("sagemaker.amazonaws.com", NOTHING),
        "PipelineDefinitionS3Location": {"Bucket": "tour-inference", "ObjectKey": "pipeline.json"},
    }  # fmt: skip
    ada = cloud.client("sagemaker", cloud.user("ada", allow("sagemaker:*"), allow("iam:PassRole")))
    with pytest.raises(ClientError, match=f"s3:GetObject on resource: {OUTPUT}/pipeline.json"):
        ada.create_pipeline(**given)
    cloud.client("sagemaker").create_pipeline(**given)
    with pytest.raises(ClientError, match="s3:GetObject"):
        ada.update_pipeline(
            PipelineName="p",
            PipelineDefinitionS3Location=given["PipelineDefinitionS3Location"],
            RoleArn=given["RoleArn"],
        )


def test_a_topic_is_told_of_a_job_by_the_role_of_its_channel(cloud, inbox, role, denied):
    sns, textract = cloud.client("sns"), cloud.client("textract")
    topic, queue = sns.create_topic(Name="jobs")["TopicArn"], inbox()
    queue.let("sns.amazonaws.com")
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue.arn)
    arn = role("textract.amazonaws.com", NOTHING, ArnLike={"aws:SourceArn": f"arn:aws:textract:*:{ACCOUNT}:*"})
    # Textract asks as the role alone, whatever the topic lets the service do.
    sns.set_topic_attributes(
        TopicArn=topic, AttributeName="Policy", AttributeValue=statement("textract.amazonaws.com", "sns:Publish", topic)
    )
    given = {
        "DocumentLocation": {"S3Object": {"Bucket": "documents", "Name": "one.pdf"}},
        "NotificationChannel": {"SNSTopicArn": topic, "RoleArn": arn},
    }
    textract.start_document_text_detection(**given)
    denied("Publish", "textract.amazonaws.com")
    policy = {"Version": "2012-10-17", "Statement": [allow("sns:Publish", topic)]}
    cloud.client("iam").put_role_policy(RoleName="sender", PolicyName="own", PolicyDocument=json.dumps(policy))
    job = textract.start_document_text_detection(**given)["JobId"]
    [told] = queue.read()
    message = json.loads(told["Message"])
    assert (message["JobId"], message["Status"]) == (job, "SUCCEEDED")
    assert message["DocumentLocation"] == {"S3Bucket": "documents", "S3ObjectName": "one.pdf"}
    ada = cloud.client("textract", cloud.user("ada", allow("textract:*")))
    with pytest.raises(ClientError, match="iam:PassRole"):
        ada.start_document_text_detection(**given)
