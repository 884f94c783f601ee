"""Stacks of buckets, queues, parameters and functions, and what their templates ask of other services."""

import json

import pytest
from running import ACCOUNT, allow
from services.cloudformation.conftest import IAM, body, group, status_at_last

YAML = """
Parameters:
  Seconds: {Type: Number, Default: 30}
Resources:
  Queue:
    Type: AWS::SQS::Queue
    Properties: {VisibilityTimeout: !Ref Seconds}
  Bucket:
    Type: AWS::S3::Bucket
    DependsOn: Queue
Outputs:
  Queue: {Value: !Ref Queue}
  Arn: {Value: !GetAtt Queue.Arn}
  Bucket: {Value: !Ref Bucket}
"""


def outputs(client, name="tour"):
    return {
        one["OutputKey"]: one["OutputValue"] for one in client.describe_stacks(StackName=name)["Stacks"][0]["Outputs"]
    }


def test_a_stack_of_a_bucket_and_a_queue_lives_and_ends(cloud):
    client, sqs, s3 = cloud.client("cloudformation"), cloud.client("sqs"), cloud.client("s3")
    client.create_stack(StackName="tour", TemplateBody=YAML)
    client.get_waiter("stack_create_complete").wait(StackName="tour", WaiterConfig={"Delay": 1})
    made = outputs(client)
    assert made["Arn"].startswith(f"arn:aws:sqs:us-east-1:{ACCOUNT}:tour-Queue-")
    attributes = {"QueueUrl": made["Queue"], "AttributeNames": ["VisibilityTimeout"]}
    assert sqs.get_queue_attributes(**attributes)["Attributes"] == {"VisibilityTimeout": "30"}
    s3.put_object(Bucket=made["Bucket"], Key="k", Body=b"x")
    changed = [{"ParameterKey": "Seconds", "ParameterValue": "60"}]
    client.update_stack(StackName="tour", UsePreviousTemplate=True, Parameters=changed)
    client.get_waiter("stack_update_complete").wait(StackName="tour", WaiterConfig={"Delay": 1})
    assert sqs.get_queue_attributes(**attributes)["Attributes"] == {"VisibilityTimeout": "60"}
    client.delete_stack(StackName="tour")
    assert status_at_last(client, "tour") == "DELETE_FAILED"
    s3.delete_object(Bucket=made["Bucket"], Key="k")
    client.delete_stack(StackName="tour")
    client.get_waiter("stack_delete_complete").wait(StackName="tour", WaiterConfig={"Delay": 1})
    assert s3.list_buckets()["Buckets"] == []
    assert "QueueUrls" not in sqs.list_queues()


def test_a_template_in_a_bucket_is_read_as_the_caller(cloud, ended, refused):
    cloud.client("s3").create_bucket(Bucket="templates")
    for name in ("a", "b"):
        cloud.client("s3").put_object(Bucket="templates", Key=f"dir/{name}", Body=body(A=group(name)).encode())
    client = cloud.client("cloudformation")
    urls = [
        f"{cloud.endpoint}/templates/dir/a",
        "https://s3.amazonaws.com/templates/dir/a",
        "https://s3.us-east-1.amazonaws.com/templates/dir/a",
        "https://templates.s3.us-east-1.amazonaws.com/dir/a",
        "https://templates.s3.amazonaws.com/dir/a",
    ]
    for url in urls:
        assert client.validate_template(TemplateURL=url)["Capabilities"] == ["CAPABILITY_NAMED_IAM"], url
        assert client.get_template_summary(TemplateURL=url)["ResourceTypes"] == ["AWS::IAM::Group"]
    client.create_stack(StackName="tour", TemplateURL=urls[0], **IAM)
    assert ended("tour") == "CREATE_COMPLETE"
    client.update_stack(StackName="tour", TemplateURL=f"{cloud.endpoint}/templates/dir/b", **IAM)
    assert ended("tour") == "UPDATE_COMPLETE"
    client.create_change_set(StackName="tour", ChangeSetName="c", TemplateURL=urls[0], **IAM)
    assert client.describe_change_set(StackName="tour", ChangeSetName="c")["Changes"]
    [stored] = client.get_template(StackName="tour", TemplateStage="Original")["TemplateBody"]["Resources"]
    assert stored == "A"
    ann = cloud.client("cloudformation", cloud.user("ann", allow(["cloudformation:*", "iam:*"])))
    with refused("ValidationError", "S3 error: "):
        ann.create_stack(StackName="other", TemplateURL=urls[0], **IAM)
    with refused("ValidationError", "S3 error: The specified key does not exist."):
        client.create_stack(StackName="other", TemplateURL=f"{cloud.endpoint}/templates/none", **IAM)


def test_parameters_of_systems_manager_are_looked_up(cloud, ended, refused):
    ssm, client = cloud.client("ssm"), cloud.client("cloudformation")
    ssm.put_parameter(Name="/group", Type="String", Value="from-ssm")
    ssm.put_parameter(Name="/secret", Type="SecureString", Value="hidden")
    template = {
        "Parameters": {"Name": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/group"}},
        "Resources": {"A": group({"Ref": "Name"})},
    }
    client.create_stack(StackName="tour", TemplateBody=json.dumps(template), **IAM)
    assert ended("tour") == "CREATE_COMPLETE"
    assert [one["GroupName"] for one in cloud.client("iam").list_groups()["Groups"]] == ["from-ssm"]
    [shown] = client.describe_stacks(StackName="tour")["Stacks"][0]["Parameters"]
    assert shown == {"ParameterKey": "Name", "ParameterValue": "/group", "ResolvedValue": "from-ssm"}
    for value, words in (("/none", "Unable to fetch parameters [/none]"), ("/secret", "types not supported")):
        with refused("ValidationError", words):
            client.create_stack(
                StackName="other",
                TemplateBody=json.dumps(template),
                Parameters=[{"ParameterKey": "Name", "ParameterValue": value}],
                **IAM,
            )


def test_values_of_aws_types_are_there(cloud, refused, ended):
    template = json.dumps(
        {"Parameters": {"Vpc": {"Type": "AWS::EC2::VPC::Id"}}, "Resources": {"A": group({"Ref": "Vpc"})}}
    )
    client = cloud.client("cloudformation")
    given = {"StackName": "tour", "TemplateBody": template, **IAM}
    with refused("ValidationError", "parameter value vpc-12345678 for parameter name Vpc does not exist"):
        client.create_stack(**given, Parameters=[{"ParameterKey": "Vpc", "ParameterValue": "vpc-12345678"}])
    vpc = cloud.client("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    client.create_stack(**given, Parameters=[{"ParameterKey": "Vpc", "ParameterValue": vpc}])
    assert ended("tour") == "CREATE_COMPLETE"


def test_availability_zones_are_those_of_the_region(cloud, ended):
    template = {
        "Resources": {"A": group()},
        "Outputs": {"Zones": {"Value": {"Fn::Join": [",", {"Fn::GetAZs": ""}]}}},
    }
    client = cloud.client("cloudformation")
    client.create_stack(StackName="tour", TemplateBody=json.dumps(template), **IAM)
    assert ended("tour") == "CREATE_COMPLETE"
    assert outputs(client)["Zones"].startswith("us-east-1a,us-east-1b")


def test_dynamic_references_have_the_values_of_when_a_resource_is_made(cloud, ended, refused):
    ssm, client, iam = cloud.client("ssm"), cloud.client("cloudformation"), cloud.client("iam")
    ssm.put_parameter(Name="/path", Type="String", Value="team")
    ssm.put_parameter(Name="/password", Type="SecureString", Value="Corr3ct-horse!battery")
    cloud.client("secretsmanager").create_secret(Name="names", SecretString='{"group": "from-secret"}')
    user = {
        "Type": "AWS::IAM::User",
        "Properties": {
            "UserName": "ann",
            "Path": {"Fn::Sub": "/{{resolve:ssm:/path}}/${AWS::StackName}/"},
            "LoginProfile": {"Password": "{{resolve:ssm-secure:/password:1}}"},
        },
    }
    template = body(User=user, Group=group("{{resolve:secretsmanager:names:SecretString:group}}"))
    client.create_stack(StackName="tour", TemplateBody=template, **IAM)
    assert ended("tour") == "CREATE_COMPLETE"
    assert iam.get_user(UserName="ann")["User"]["Path"] == "/team/tour/"
    assert iam.get_login_profile(UserName="ann")
    assert [one["GroupName"] for one in iam.list_groups()["Groups"]] == ["from-secret"]
    cloud.client("secretsmanager").update_secret(SecretId="names", SecretString='{"group": "other"}')
    # AWS: what stands in the template is what is compared, not what it refers to.
    with refused("ValidationError", "No updates are to be performed."):
        client.update_stack(StackName="tour", TemplateBody=template, **IAM)


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        ("{{resolve:ssm:/none}}", "Could not resolve {{resolve:ssm:/none}}"),
        ("{{resolve:ssm:/password}}", "ssm does not take secure strings"),
        (
            "{{resolve:ssm-secure:/password}}",
            "SSM Secure reference is not supported in: [AWS::IAM::Group/Properties/Gr",
        ),
        ("{{resolve:secretsmanager:none}}", "Could not resolve"),
        ("{{resolve:secretsmanager:names:SecretString:none}}", "Could not find a value associated with JSONKey"),
        ("{{resolve:secretsmanager:names:SecretBinary}}", "Incorrect format"),
        ("{{resolve:elsewhere:x}}", "Dynamic reference to elsewhere is not supported."),
    ],
)
def test_a_reference_without_a_value_fails_the_resource(cloud, ended, reference, words):
    client = cloud.client("cloudformation")
    cloud.client("ssm").put_parameter(Name="/password", Type="SecureString", Value="x")
    cloud.client("secretsmanager").create_secret(Name="names", SecretString="{}")
    client.create_stack(StackName="tour", TemplateBody=body(A=group(reference)), **IAM)
    assert ended("tour") == "ROLLBACK_COMPLETE"
    events = client.describe_stack_events(StackName="tour")["StackEvents"]
    assert any(words in one.get("ResourceStatusReason", "") for one in events), events


def test_who_may_not_read_a_secret_does_not_have_a_stack_read_it(cloud, ended):
    cloud.client("secretsmanager").create_secret(Name="names", SecretString="secret-name")
    ann = cloud.client("cloudformation", cloud.user("ann", allow(["cloudformation:*", "iam:*"])))
    ann.create_stack(StackName="tour", TemplateBody=body(A=group("{{resolve:secretsmanager:names}}")), **IAM)
    assert ended("tour") == "ROLLBACK_COMPLETE"
    assert cloud.client("iam").list_groups()["Groups"] == []


SAM = """
Transform: AWS::Serverless-2016-10-31
Parameters:
  Secret: {Type: String, NoEcho: true, Default: plugh-xyzzy}
Resources:
  Queue:
    Type: AWS::SQS::Queue
  Function:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.12
      Handler: index.handler
      InlineCode: "def handler(event, context): return 1"
      Environment: {Variables: {SECRET: !Ref Secret}}
      Policies:
        - AWSLambdaBasicExecutionRole
        - SQSSendMessagePolicy: {QueueName: !GetAtt Queue.QueueName}
Outputs:
  Role: {Value: !Ref FunctionRole}
  Queue: {Value: !GetAtt Queue.QueueName}
"""


def test_sam_makes_a_function_whose_role_may_send_to_its_queue_and_nothing_else(cloud, ended, refused):
    client = cloud.client("cloudformation")
    with refused("InsufficientCapabilitiesException", "Requires capabilities : [CAPABILITY_AUTO_EXPAND]"):
        client.create_stack(StackName="tour", TemplateBody=SAM, Capabilities=["CAPABILITY_IAM"])
    assert client.validate_template(TemplateBody=SAM)["DeclaredTransforms"] == ["AWS::Serverless-2016-10-31"]
    given = [{"ParameterKey": "Secret", "ParameterValue": "frotz-ozmoo"}]
    client.create_stack(
        StackName="tour",
        TemplateBody=SAM,
        Parameters=given,
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
    )
    assert ended("tour") == "CREATE_COMPLETE", client.describe_stack_events(StackName="tour")["StackEvents"]
    made = outputs(client)
    role = cloud.client("iam").get_role(RoleName=made["Role"])["Role"]["Arn"]
    queue = f"arn:aws:sqs:us-east-1:{ACCOUNT}:{made['Queue']}"

    def decided(action, resource):
        answer = cloud.client("iam").simulate_principal_policy(
            PolicySourceArn=role, ActionNames=[action], ResourceArns=[resource]
        )
        return answer["EvaluationResults"][0]["EvalDecision"]

    assert decided("sqs:SendMessage", queue) == "allowed"
    assert decided("sqs:SendMessage", queue + "-other") == "implicitDeny"
    assert decided("sqs:ReceiveMessage", queue) == "implicitDeny"
    processed = client.get_template(StackName="tour", TemplateStage="Processed")["TemplateBody"]
    assert processed["Resources"]["Function"]["Type"] == "AWS::Lambda::Function"
    assert "frotz-ozmoo" not in json.dumps(processed)
    assert client.get_template(StackName="tour", TemplateStage="Original")["TemplateBody"].strip() == SAM.strip()


def test_what_sam_refuses_is_told(cloud, refused):
    client = cloud.client("cloudformation")
    wrong = SAM.replace("Handler: index.handler", "Nothing: x")
    with refused("ValidationError", "Transform AWS::Serverless-2016-10-31 failed with"):
        client.create_stack(
            StackName="tour", TemplateBody=wrong, Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
        )
    nested = {"Transform": "AWS::Serverless-2016-10-31", "Resources": {"A": {"Type": "AWS::Serverless::Application"}}}
    words = (
        "The type AWS::Serverless::Application of resource A, unless its Location is a template's URL, is not supported"
    )
    with refused("ValidationError", words):
        client.create_stack(
            StackName="tour", TemplateBody=json.dumps(nested), Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
        )
