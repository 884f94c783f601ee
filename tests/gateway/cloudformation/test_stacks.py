"""Stacks through the gateway: what a template makes is decided for its caller, or for the role of the stack."""

import json

import pytest
from botocore.exceptions import ClientError
from running import ACCOUNT, Credentials, allow, deny

STACK = "arn:aws:cloudformation:us-east-1:123456789012:stack/tour/*"
ANY_STACK = allow("cloudformation:*")
QUEUE = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "inbox"}}
BUCKET = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "files"}}
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "cloudformation.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
)
LAMBDA_TRUST = TRUST.replace("cloudformation", "lambda")


def body(**resources):
    return json.dumps({"Resources": resources})


def refusal(call, **parameters):
    with pytest.raises(ClientError) as raised:
        call(**parameters)
    error = raised.value.response
    return error["Error"]["Code"], error["Error"]["Message"]


def queues(cloud):
    return [url.rpartition("/")[2] for url in cloud.client("sqs").list_queues().get("QueueUrls", [])]


def maker(cloud, *statements, name="maker"):
    return cloud.client("cloudformation", cloud.user(name, ANY_STACK, *statements))


def test_a_stack_is_made_by_who_may_make_it_and_what_is_in_it(cloud):
    stacks = maker(cloud, allow("sqs:CreateQueue", f"arn:aws:sqs:us-east-1:{ACCOUNT}:inbox"))
    made = stacks.create_stack(StackName="tour", TemplateBody=body(Queue=QUEUE))
    assert made["StackId"].startswith("arn:aws:cloudformation:us-east-1:123456789012:stack/tour/")
    assert queues(cloud) == ["inbox"]
    assert stacks.describe_stacks(StackName="tour")["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE"


def test_nobody_makes_a_stack_without_the_right_to(cloud):
    nobody = cloud.client("cloudformation", cloud.user("nobody", allow("sqs:*")))
    code, message = refusal(nobody.create_stack, StackName="tour", TemplateBody=body(Queue=QUEUE))
    assert code == "AccessDenied"
    assert message.startswith(
        f"User: arn:aws:iam::{ACCOUNT}:user/nobody is not authorized to perform: cloudformation:CreateStack "
        f"on resource: {STACK} because no identity-based policy allows"
    )


def test_what_the_caller_may_not_make_a_stack_does_not_make(cloud):
    stacks = maker(cloud, allow("sqs:CreateQueue", f"arn:aws:sqs:us-east-1:{ACCOUNT}:other"))
    code, message = refusal(stacks.create_stack, StackName="tour", TemplateBody=body(Queue=QUEUE))
    assert code == "AccessDenied"
    assert f"sqs:CreateQueue on resource: arn:aws:sqs:us-east-1:{ACCOUNT}:inbox" in message
    assert queues(cloud) == []
    with pytest.raises(ClientError, match="does not exist"):
        cloud.client("cloudformation").describe_stacks(StackName="tour")


def test_every_resource_is_decided(cloud):
    stacks = maker(cloud, allow("sqs:CreateQueue"))
    _, message = refusal(stacks.create_stack, StackName="tour", TemplateBody=body(Queue=QUEUE, Bucket=BUCKET))
    assert "s3:CreateBucket" in message
    assert queues(cloud) == []


def test_a_property_may_be_an_action_of_its_own(cloud):
    stacks = maker(cloud, allow("s3:CreateBucket"))
    versioned = {**BUCKET, "Properties": {"BucketName": "files", "VersioningConfiguration": {"Status": "Enabled"}}}
    _, message = refusal(stacks.create_stack, StackName="tour", TemplateBody=body(Bucket=versioned))
    assert "s3:PutBucketVersioning" in message


def test_tags_of_a_resource_and_of_its_stack_are_condition_keys(cloud):
    tagged = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "inbox", "Tags": [{"Key": "team", "Value": "a"}]}}
    own = {"StringEquals": {"aws:RequestTag/team": "a"}, "ForAllValues:StringEquals": {"aws:TagKeys": ["team"]}}
    stacks = maker(cloud, allow(["sqs:CreateQueue", "sqs:TagQueue"], **own))
    stack_tags = [{"Key": "cost", "Value": "1"}]
    code, _ = refusal(stacks.create_stack, StackName="tour", TemplateBody=body(Queue=tagged), Tags=stack_tags)
    assert code == "AccessDenied"
    stacks.create_stack(StackName="tour", TemplateBody=body(Queue=tagged))
    assert queues(cloud) == ["inbox"]


def test_a_name_that_is_made_up_is_decided_by_its_known_part(cloud):
    unnamed = {"Type": "AWS::SQS::Queue"}
    mine = maker(cloud, allow("sqs:CreateQueue", f"arn:aws:sqs:us-east-1:{ACCOUNT}:tour-Queue-*"))
    mine.create_stack(StackName="tour", TemplateBody=body(Queue=unnamed))
    assert queues(cloud)[0].startswith("tour-Queue-")
    other = maker(cloud, allow("sqs:*"), deny("sqs:*", "arn:aws:sqs:*:*:prod-*"), name="other")
    assert refusal(other.create_stack, StackName="prod", TemplateBody=body(Queue=unnamed))[0] == "AccessDenied"


def test_names_of_parameters_and_functions_are_told(cloud):
    template = {
        "Parameters": {"Name": {"Type": "String", "Default": "in"}},
        "Resources": {
            "A": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": {"Fn::Sub": "${Name}box-${AWS::StackName}"}}},
            "B": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": {"Fn::Join": ["-", [{"Ref": "Name"}, "b"]]}}},
        },
    }
    stacks = maker(cloud, allow("sqs:CreateQueue", [f"arn:aws:sqs:*:*:{name}" for name in ("outbox-tour", "out-b")]))
    given = {"StackName": "tour", "TemplateBody": json.dumps(template)}
    assert "arn:aws:sqs:us-east-1:123456789012:inbox-tour" in refusal(stacks.create_stack, **given)[1]
    stacks.create_stack(**given, Parameters=[{"ParameterKey": "Name", "ParameterValue": "out"}])
    assert sorted(queues(cloud)) == ["out-b", "outbox-tour"]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ({"Fn::Select": [0, ["a", "b"]]}, "Fn::Select"),
        ({"Fn::If": ["C", "a", "b"]}, "Fn::If"),
        ({"Fn::ImportValue": "x"}, "Fn::ImportValue"),
        ({"Ref": "Missing"}, "Ref Missing"),
        ({"Fn::Sub": "${!Literal}"}, "${!Literal}"),
        ({"Fn::Sub": ["${x}", {"x": "y"}]}, "Fn::Sub"),
        ({"Ref": "Tricky"}, "${Other}"),
        ("${x}", "${x}"),
    ],
)
def test_a_name_that_is_not_known_before_is_refused(cloud, name, told):
    template = {
        "Parameters": {
            "Tricky": {"Type": "String", "Default": "${Other}"},
            "Other": {"Type": "String", "Default": "x"},
        },
        "Resources": {"Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": name}}},
    }
    code, message = refusal(
        cloud.client("cloudformation").create_stack, StackName="tour", TemplateBody=json.dumps(template)
    )
    assert code == "ValidationError"
    assert told in message
    assert queues(cloud) == []


@pytest.mark.parametrize(
    ("resource", "told"),
    [
        ({"Type": "AWS::IAM::User"}, "the resource It of type AWS::IAM::User"),
        ({"Type": "AWS::IAM::Role", "Properties": {}}, "AWS::IAM::Role"),
        ({"Type": "AWS::S3::BucketPolicy"}, "AWS::S3::BucketPolicy"),
        ({"Type": "AWS::SQS::QueuePolicy"}, "AWS::SQS::QueuePolicy"),
        ({"Type": "AWS::Lambda::Permission"}, "AWS::Lambda::Permission"),
        ({"Type": "AWS::CloudFormation::Stack"}, "AWS::CloudFormation::Stack"),
        ({"Type": "Custom::Thing"}, "Custom::Thing"),
        (
            {"Type": "AWS::S3::Bucket", "Properties": {"AccessControl": "PublicRead"}},
            "the property AccessControl of It",
        ),
        ({"Type": "AWS::DynamoDB::Table", "Properties": {"ResourcePolicy": {}}}, "the property ResourcePolicy of It"),
    ],
)
def test_types_and_properties_without_a_row_are_refused_by_name(cloud, resource, told):
    code, message = refusal(
        cloud.client("cloudformation").create_stack, StackName="tour", TemplateBody=body(It=resource)
    )
    assert code == "ValidationError"
    assert told in message


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("create_stack", {"StackName": "tour", "TemplateURL": "https://s3.amazonaws.com/b/k"}),
        ("create_stack", {"StackName": "tour", "TemplateBody": body(Q=QUEUE), "NotificationARNs": ["arn:aws:sns:::x"]}),
        ("validate_template", {"TemplateURL": "https://s3.amazonaws.com/b/k"}),
        ("validate_template", {"TemplateBody": "Resources: {Q: {Type: !!python/object/apply:os.system [id]}}"}),
        ("get_template_summary", {"TemplateBody": "a: *b"}),
        ("estimate_template_cost", {"TemplateURL": "https://s3.amazonaws.com/b/k"}),
    ],
)
def test_templates_that_are_not_at_hand_or_not_plain_are_refused(cloud, operation, parameters):
    code, _ = refusal(getattr(cloud.client("cloudformation"), operation), **parameters)
    assert code == "ValidationError"


@pytest.mark.parametrize("operation", ["create_stack_set", "create_stack_instances", "register_type", "rollback_stack"])
def test_operations_that_work_elsewhere_are_refused(cloud, operation):
    parameters = {
        "create_stack_set": {"StackSetName": "s", "TemplateBody": body(Q=QUEUE)},
        "create_stack_instances": {"StackSetName": "s", "Regions": ["us-east-1"], "Accounts": ["210987654321"]},
        "register_type": {"TypeName": "Some::Type::Name", "SchemaHandlerPackage": "s3://b/k"},
        "rollback_stack": {"StackName": "tour"},
    }
    code, message = refusal(getattr(cloud.client("cloudformation"), operation), **parameters[operation])
    assert code == "AccessDenied"
    assert "cannot be decided" in message


def test_a_function_in_a_stack_needs_its_role_to_be_passed(cloud):
    role = cloud.client("iam").create_role(RoleName="fn", AssumeRolePolicyDocument=LAMBDA_TRUST)["Role"]["Arn"]
    function = {
        "Type": "AWS::Lambda::Function",
        "Properties": {
            "FunctionName": "f",
            "Role": role,
            "Runtime": "python3.13",
            "Handler": "i.h",
            "Code": {"ZipFile": "x = '${y}'"},
        },
    }
    stacks = maker(cloud, allow("lambda:*"))
    _, message = refusal(stacks.create_stack, StackName="tour", TemplateBody=body(Fn=function))
    assert f"iam:PassRole on resource: {role}" in message
    passing = maker(cloud, allow("lambda:*"), allow("iam:PassRole", role), name="passing")
    passing.create_stack(StackName="tour", TemplateBody=body(Fn=function))
    assert cloud.client("lambda").get_function(FunctionName="f")["Configuration"]["Role"] == role


def test_a_service_role_makes_what_its_caller_may_not(cloud):
    iam = cloud.client("iam")
    role = iam.create_role(RoleName="stacks", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    stacks = maker(cloud, allow("iam:PassRole", role))
    given = {"StackName": "tour", "TemplateBody": body(Queue=QUEUE), "RoleARN": role}
    _, message = refusal(stacks.create_stack, **given)
    assert message.startswith(f"User: arn:aws:sts::{ACCOUNT}:assumed-role/stacks/AWSCloudFormation is not authorized")
    policy = {"Version": "2012-10-17", "Statement": [allow("sqs:*")]}
    iam.put_role_policy(RoleName="stacks", PolicyName="queues", PolicyDocument=json.dumps(policy))
    stacks.create_stack(**given)
    assert queues(cloud) == ["inbox"]
    # The stack keeps its role: it is deleted by it too.
    stacks.delete_stack(StackName="tour")
    assert queues(cloud) == []


def test_a_service_role_must_be_passed_and_trust_cloudformation(cloud):
    iam = cloud.client("iam")
    role = iam.create_role(RoleName="stacks", AssumeRolePolicyDocument=LAMBDA_TRUST)["Role"]["Arn"]
    given = {"StackName": "tour", "TemplateBody": body(Queue=QUEUE), "RoleARN": role}
    assert "iam:PassRole" in refusal(maker(cloud, allow("sqs:*")).create_stack, **given)[1]
    assert "cannot be assumed" in refusal(cloud.client("cloudformation").create_stack, **given)[1]


def test_calls_for_the_caller_are_via_the_service(cloud):
    via = {
        "StringEquals": {"aws:CalledViaFirst": "cloudformation.amazonaws.com"},
        "Bool": {"aws:ViaAWSService": "true"},
    }
    who = cloud.user("maker", ANY_STACK, allow("sqs:CreateQueue", **via))
    assert refusal(cloud.client("sqs", who).create_queue, QueueName="inbox")[0].endswith("AccessDenied")
    cloud.client("cloudformation", who).create_stack(StackName="tour", TemplateBody=body(Queue=QUEUE))
    assert queues(cloud) == ["inbox"]


def test_the_callers_address_is_not_the_services(cloud):
    here = {"IpAddress": {"aws:SourceIp": "127.0.0.1"}}
    stacks = maker(cloud, allow("sqs:CreateQueue", **here))
    assert refusal(stacks.create_stack, StackName="tour", TemplateBody=body(Queue=QUEUE))[0] == "AccessDenied"


def test_a_deletion_is_decided_on_what_the_stack_made(cloud):
    stacks = maker(cloud, allow("sqs:CreateQueue"))
    stacks.create_stack(StackName="tour", TemplateBody=body(Queue=QUEUE))
    _, message = refusal(stacks.delete_stack, StackName="tour")
    assert f"sqs:DeleteQueue on resource: arn:aws:sqs:us-east-1:{ACCOUNT}:inbox" in message
    assert queues(cloud) == ["inbox"]
    cloud.client("cloudformation").delete_stack(StackName="tour")
    assert queues(cloud) == []


def test_what_is_retained_need_not_be_deleted(cloud):
    stacks = maker(cloud, allow("sqs:CreateQueue"))
    stacks.create_stack(StackName="tour", TemplateBody=body(Queue={**QUEUE, "DeletionPolicy": "Retain"}))
    stacks.delete_stack(StackName="tour")
    assert queues(cloud) == ["inbox"]


def test_a_stack_that_iamd_does_not_know_is_not_touched(cloud):
    code, message = refusal(cloud.client("cloudformation").delete_stack, StackName="unknown")
    assert code == "ValidationError"
    assert "iamd knows no stack unknown" in message
    assert refusal(cloud.client("cloudformation").update_stack, StackName="unknown", TemplateBody=body(Q=QUEUE))


def test_an_update_is_decided_on_what_changes(cloud):
    stacks = maker(cloud, allow("sqs:CreateQueue"))
    stacks.create_stack(StackName="tour", TemplateBody=body(Queue=QUEUE))
    slower = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "inbox", "DelaySeconds": 5}}
    other = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "other"}}
    update = stacks.update_stack
    assert "sqs:SetQueueAttributes" in refusal(update, StackName="tour", TemplateBody=body(Queue=slower))[1]
    assert "sqs:DeleteQueue" in refusal(update, StackName="tour", TemplateBody=body(Other=other))[1]
    update(StackName="tour", TemplateBody=body(Queue=QUEUE, Other=other))
    assert sorted(queues(cloud)) == ["inbox", "other"]


def test_an_update_keeps_the_template_and_parameters_it_is_told_to_keep(cloud):
    template = json.dumps(
        {
            "Parameters": {"Name": {"Type": "String"}, "Delay": {"Type": "String", "Default": "1"}},
            "Resources": {
                "Q": {
                    "Type": "AWS::SQS::Queue",
                    "Properties": {"QueueName": {"Ref": "Name"}, "DelaySeconds": {"Ref": "Delay"}},
                }
            },
        }
    )
    admin = cloud.client("cloudformation")
    admin.create_stack(
        StackName="tour", TemplateBody=template, Parameters=[{"ParameterKey": "Name", "ParameterValue": "inbox"}]
    )
    every = f"arn:aws:sqs:us-east-1:{ACCOUNT}:inbox"
    stacks = maker(cloud, allow("sqs:*", every))
    kept = {"ParameterKey": "Name", "UsePreviousValue": True}
    slower = {"ParameterKey": "Delay", "ParameterValue": "7"}
    given = {"StackName": "tour", "UsePreviousTemplate": True}
    assert refusal(stacks.update_stack, **given)[0] == "ValidationError"
    assert refusal(stacks.update_stack, **given, TemplateBody=template, Parameters=[kept])[0] == "ValidationError"
    renamed = {"ParameterKey": "Name", "ParameterValue": "other"}
    assert ":other" in refusal(stacks.update_stack, **given, Parameters=[renamed])[1]
    stacks.update_stack(**given, Parameters=[kept, slower])
    told = admin.describe_stacks(StackName="tour")["Stacks"][0]["Parameters"]
    assert {one["ParameterKey"]: one["ParameterValue"] for one in told} == {"Name": "inbox", "Delay": "7"}


def test_a_change_set_makes_nothing_until_it_is_executed(cloud):
    stacks = maker(cloud)
    made = stacks.create_change_set(
        StackName="tour", ChangeSetName="first", ChangeSetType="CREATE", TemplateBody=body(Queue=QUEUE)
    )
    assert queues(cloud) == []
    by_name = {"StackName": "tour", "ChangeSetName": "first"}
    for given in (by_name, {"ChangeSetName": made["Id"]}):
        _, message = refusal(stacks.execute_change_set, **given)
        assert f"sqs:CreateQueue on resource: arn:aws:sqs:us-east-1:{ACCOUNT}:inbox" in message
    executing = maker(cloud, allow("sqs:CreateQueue"), name="executing")
    executing.execute_change_set(**by_name)
    assert queues(cloud) == ["inbox"]
    assert "sqs:DeleteQueue" in refusal(stacks.delete_stack, StackName="tour")[1]


def test_change_sets_of_one_name_belong_to_their_stacks(cloud):
    admin = cloud.client("cloudformation")
    other = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "other"}}
    for stack, resource in (("one", QUEUE), ("two", other)):
        admin.create_change_set(
            StackName=stack, ChangeSetName="deploy", ChangeSetType="CREATE", TemplateBody=body(Queue=resource)
        )
    mine = maker(cloud, allow("sqs:CreateQueue", f"arn:aws:sqs:us-east-1:{ACCOUNT}:inbox"))
    assert mine.describe_change_set(StackName="one", ChangeSetName="deploy")["StackName"] == "one"
    assert ":other" in refusal(mine.execute_change_set, StackName="two", ChangeSetName="deploy")[1]
    mine.execute_change_set(StackName="one", ChangeSetName="deploy")
    assert queues(cloud) == ["inbox"]


def test_a_change_set_of_undecided_types_is_refused_when_it_is_made(cloud):
    code, message = refusal(
        cloud.client("cloudformation").create_change_set,
        StackName="tour",
        ChangeSetName="first",
        ChangeSetType="CREATE",
        TemplateBody=body(User={"Type": "AWS::IAM::User"}),
    )
    assert (code, "AWS::IAM::User" in message) == ("ValidationError", True)


def test_a_bucket_of_a_stack_belongs_to_its_maker(cloud):
    cloud.client("cloudformation").create_stack(StackName="tour", TemplateBody=body(Bucket=BUCKET))
    other = Credentials.of(cloud.iamd("CreateAccount", Name="other"))
    assert refusal(cloud.client("s3", other).list_objects_v2, Bucket="files")[0] == "AccessDenied"
    code, _ = refusal(
        cloud.client("cloudformation", other).create_stack, StackName="t", TemplateBody=body(Bucket=BUCKET)
    )
    assert code == "BucketAlreadyExists"


def test_one_event_tells_what_was_decided(cloud):
    stacks = maker(cloud, allow("sqs:CreateQueue", "arn:aws:sqs:*:*:other"))
    refusal(stacks.create_stack, StackName="tour", TemplateBody=body(Queue=QUEUE))
    (event,) = cloud.events("CreateStack")
    assert event["errorCode"] == "AccessDenied"
    assert event["requestParameters"]["stackName"] == "tour"
    told = cloud.explain(event["requestID"])
    assert [decision["Action"] for decision in told["Decisions"]] == ["cloudformation:CreateStack", "sqs:CreateQueue"]


def test_cloud_control_makes_nothing(cloud):
    code, _ = refusal(
        cloud.client("cloudcontrol").create_resource, TypeName="AWS::IAM::User", DesiredState='{"UserName":"x"}'
    )
    assert code == "AccessDeniedException"
