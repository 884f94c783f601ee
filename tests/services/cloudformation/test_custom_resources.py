"""Custom resources: what is asked of functions and topics, what their answers do, and addresses that nobody else uses."""

import json
import urllib.error
import urllib.request

import pytest
from running import ACCOUNT, allow
from services.cloudformation.conftest import IAM

SOURCE = """
import json
import boto3
import cfnresponse

def handler(event, context):
    boto3.client("sqs").send_message(QueueUrl=boto3.client("sqs").get_queue_url(QueueName="asked")["QueueUrl"],
                                     MessageBody=json.dumps(event))
    given = event["ResourceProperties"]
    if event["RequestType"] in given.get("Silent", []):
        return
    fails = event["RequestType"] in given.get("Fails", [])
    cfnresponse.send(event, context, cfnresponse.FAILED if fails else cfnresponse.SUCCESS,
                     {"Value": given.get("Value", "none"), "Part.Inner": "inner"},
                     given.get("Id"), given.get("Hides") == "true", "it was told to" if fails else None)
"""
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
SENDS = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}]}


def function(source=SOURCE):
    return {
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "AssumeRolePolicyDocument": TRUST, "Policies": [{"PolicyName": "own", "PolicyDocument": SENDS}],
            },
        },
        "Function": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Runtime": "python3.12", "Handler": "index.handler", "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                "Code": {"ZipFile": source}, "Timeout": 30,
            },
        },
    }  # fmt: skip


def custom(type="Custom::Thing", token=None, **properties):
    token = token or {"Fn::GetAtt": ["Function", "Arn"]}
    return {"Type": type, "Properties": {"ServiceToken": token, **properties}}


GIVES = {
    "Value": {"Value": {"Fn::GetAtt": "Thing.Value"}},
    "Inner": {"Value": {"Fn::GetAtt": ["Thing", "Part.Inner"]}},
    "Id": {"Value": {"Ref": "Thing"}},
}


def template(outputs=None, source=SOURCE, **resources):
    content = {"Resources": {**function(source), **resources}}
    return json.dumps(content | ({"Outputs": outputs} if outputs else {}))


@pytest.fixture
def client(cloud):
    queue = f"arn:aws:sqs:us-east-1:{ACCOUNT}:asked"
    topics = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [{**topics, "Resource": queue}]})
    cloud.client("sqs").create_queue(QueueName="asked", Attributes={"Policy": policy})
    return cloud.client("cloudformation", read_timeout=60)


@pytest.fixture
def asked(cloud):
    """`asked()` are the requests that functions were sent since the last time, by their order."""

    def take():
        sqs, found = cloud.client("sqs"), []
        url = sqs.get_queue_url(QueueName="asked")["QueueUrl"]
        while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for one in messages:
                found.append(json.loads(one["Body"]))
                sqs.delete_message(QueueUrl=url, ReceiptHandle=one["ReceiptHandle"])
        return found

    return take


def outputs(client, name="tour"):
    found = client.describe_stacks(StackName=name)["Stacks"][0].get("Outputs", [])
    return {one["OutputKey"]: one["OutputValue"] for one in found}


def reasons(client, logical_id, name="tour"):
    """The reasons of the events of a resource, oldest first, by their status."""
    events = client.describe_stack_events(StackName=name)["StackEvents"]
    found = [(one["ResourceStatus"], one.get("ResourceStatusReason")) for one in reversed(events)
             if one["LogicalResourceId"] == logical_id]  # fmt: skip
    return dict(found)


def test_a_function_makes_changes_and_removes_a_resource(client, asked, ended):
    first = template(GIVES, Thing=custom(Id="one", Value="1", Number=5, Flag=True, List=[1, {"a": False}]))
    stack_id = client.create_stack(StackName="tour", TemplateBody=first, **IAM)["StackId"]
    assert ended("tour") == "CREATE_COMPLETE"
    [request] = asked()
    token = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:"
    assert request.pop("ServiceToken").startswith(token)
    assert request.pop("ResponseURL").startswith("http://127.0.0.1:")
    assert len(request.pop("RequestId")) == 36
    assert request["ResourceProperties"].pop("ServiceToken").startswith(token)
    assert request == {
        "RequestType": "Create", "StackId": stack_id, "LogicalResourceId": "Thing", "ResourceType": "Custom::Thing",
        "ResourceProperties": {"Id": "one", "Value": "1", "Number": "5", "Flag": "true", "List": ["1", {"a": "false"}]},
    }  # fmt: skip
    [resource] = client.describe_stack_resources(StackName="tour", LogicalResourceId="Thing")["StackResources"]
    assert (resource["PhysicalResourceId"], resource["ResourceType"]) == ("one", "Custom::Thing")
    client.update_stack(StackName="tour", TemplateBody=template(GIVES, Thing=custom(Id="one", Value="2")), **IAM)
    assert ended("tour") == "UPDATE_COMPLETE"
    assert outputs(client)["Value"] == "2"
    [request] = asked()
    assert (request["RequestType"], request["PhysicalResourceId"]) == ("Update", "one")
    assert (request["ResourceProperties"]["Value"], request["OldResourceProperties"]["Value"]) == ("2", "1")
    client.delete_stack(StackName="tour")
    assert ended(stack_id) == "DELETE_COMPLETE"
    [request] = asked()
    assert (request["RequestType"], request["PhysicalResourceId"]) == ("Delete", "one")
    assert request["ResourceProperties"]["Value"] == "2"


def test_another_id_is_another_resource_and_the_former_is_removed(client, asked, ended):
    client.create_stack(StackName="tour", TemplateBody=template(GIVES, Thing=custom(Id="one")), **IAM)
    assert ended("tour") == "CREATE_COMPLETE"
    client.update_stack(StackName="tour", TemplateBody=template(GIVES, Thing=custom(Id="two", Value="2")), **IAM)
    assert ended("tour") == "UPDATE_COMPLETE"
    assert outputs(client) == {"Value": "2", "Inner": "inner", "Id": "two"}
    told = [(one["RequestType"], one.get("PhysicalResourceId"), one["ResourceProperties"]["Id"]) for one in asked()]
    assert told == [("Create", None, "one"), ("Update", "one", "two"), ("Delete", "one", "one")]


def test_what_fails_to_be_made_is_removed_again(client, asked, ended):
    client.create_stack(StackName="tour", TemplateBody=template(Thing=custom(Id="one", Fails=["Create"])), **IAM)
    assert ended("tour") == "ROLLBACK_COMPLETE"
    made, removed = asked()
    words = "Received response status [FAILED] from custom resource. Message returned: it was told to (RequestId: {})"
    assert reasons(client, "Thing")["CREATE_FAILED"] == words.format(made["RequestId"])
    assert (removed["RequestType"], removed["PhysicalResourceId"]) == ("Delete", "one")
    assert reasons(client, "tour")["ROLLBACK_IN_PROGRESS"].startswith(
        "The following resource(s) failed to create: [Thing]"
    )


def test_what_was_left_unfinished_is_made_anew(client, asked, ended):
    failing = template(Thing=custom(Id="one", Fails=["Create"]))
    client.create_stack(StackName="tour", TemplateBody=failing, OnFailure="DO_NOTHING", **IAM)
    assert ended("tour") == "CREATE_FAILED"
    client.update_stack(StackName="tour", TemplateBody=template(GIVES, Thing=custom(Id="two")), **IAM)
    assert ended("tour") == "UPDATE_COMPLETE"
    told = [(one["RequestType"], one["ResourceProperties"]["Id"]) for one in asked()]
    assert told == [("Create", "one"), ("Create", "two"), ("Delete", "one")]
    assert outputs(client)["Id"] == "two"


def test_a_failed_update_is_taken_back(client, asked, ended):
    client.create_stack(StackName="tour", TemplateBody=template(GIVES, Thing=custom(Id="one", Value="1")), **IAM)
    assert ended("tour") == "CREATE_COMPLETE"
    asked()
    failing = template(GIVES, Thing=custom(Id="one", Value="2", Fails=["Update"]))
    client.update_stack(StackName="tour", TemplateBody=failing, **IAM)
    assert ended("tour") == "UPDATE_ROLLBACK_COMPLETE"
    there, back = asked()
    assert (there["ResourceProperties"]["Value"], there["OldResourceProperties"]["Value"]) == ("2", "1")
    assert (back["ResourceProperties"]["Value"], back["OldResourceProperties"]["Value"]) == ("1", "2")
    assert outputs(client)["Value"] == "1"


def test_a_failed_removal_fails_the_deletion(client, ended):
    thing = template(Thing={**custom(Id="one", Fails=["Delete"]), "Version": "1.0"})
    stack_id = client.create_stack(StackName="tour", TemplateBody=thing, **IAM)["StackId"]
    assert ended("tour") == "CREATE_COMPLETE"
    client.delete_stack(StackName="tour")
    assert ended(stack_id) == "DELETE_FAILED"
    assert "Received response status [FAILED]" in reasons(client, "Thing")["DELETE_FAILED"]
    client.delete_stack(StackName="tour", RetainResources=["Thing"])
    assert ended(stack_id) == "DELETE_COMPLETE"


def test_who_does_not_answer_in_time_has_failed(cloud, client, waiting, ended):
    request = waiting()
    assert client.describe_stacks(StackName="tour")["Stacks"][0]["StackStatus"] == "CREATE_IN_PROGRESS"
    cloud.advance(3601)
    assert ended("tour") == "CREATE_FAILED"
    assert reasons(client, "Thing")["CREATE_FAILED"] == (
        "CloudFormation did not receive a response from your Custom Resource. "
        f"Please check your logs for requestId [{request['RequestId']}]."
    )
    assert put(request["ResponseURL"], answer(request)) == 403


def test_a_time_may_be_set(cloud, client, asked, ended):
    silent = template(Thing=custom(Id="one", Silent=["Create"], ServiceTimeout="60"))
    client.create_stack(StackName="tour", TemplateBody=silent, **IAM)
    while not (requests := asked()):
        pass
    assert requests[0]["ResourceProperties"]["ServiceTimeout"] == "60"
    cloud.advance(61)
    assert ended("tour") == "ROLLBACK_COMPLETE"
    # It may be there: it is removed under the id that CloudFormation has for it.
    [removed] = asked()
    assert removed["PhysicalResourceId"].startswith("tour-Thing-")


def put(address, body, method="PUT"):
    try:
        with urllib.request.urlopen(urllib.request.Request(address, body, method=method)) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        with error:
            return error.code


@pytest.fixture
def waiting(cloud, client):
    """`waiting()` is the request for a resource that a stack waits for, whose provider listens to a topic."""
    sns, sqs = cloud.client("sns"), cloud.client("sqs")

    def begin():
        topic = sns.create_topic(Name="provider")["TopicArn"]
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=f"arn:aws:sqs:us-east-1:{ACCOUNT}:asked")
        content = {"Resources": {"Thing": custom(token=topic)}, "Outputs": GIVES}
        client.create_stack(StackName="tour", TemplateBody=json.dumps(content), OnFailure="DO_NOTHING")
        return heard()

    def heard():
        url, messages = sqs.get_queue_url(QueueName="asked")["QueueUrl"], []
        for _ in range(30):
            if messages:
                break
            messages = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1).get("Messages", [])
        sqs.delete_message(QueueUrl=url, ReceiptHandle=messages[0]["ReceiptHandle"])
        return json.loads(json.loads(messages[0]["Body"])["Message"])

    begin.heard = heard
    return begin


def answer(request, **changed):
    said = {"Status": "SUCCESS", "PhysicalResourceId": "x", "Data": {"Value": "v", "Part.Inner": "i"}}
    said |= {name: request[name] for name in ("StackId", "RequestId", "LogicalResourceId")}
    return json.dumps({name: one for name, one in (said | changed).items() if one is not None}).encode()


def test_an_address_takes_one_answer_and_is_known_to_nobody_else(client, waiting, ended):
    request = waiting()
    address = request["ResponseURL"]
    head, _, secret = address.rpartition("/")
    flipped = secret[:20] + ("A" if secret[20] != "A" else "B") + secret[21:]
    for wrong in (f"{head}/", f"{head}/{flipped}", f"{head}/{request['RequestId']}", f"{address}/more", f"{head}/%ff"):
        assert put(wrong, answer(request)) == 403, wrong
    assert put(address, answer(request), "POST") == 405
    assert put(address, answer(request)) == 200
    assert put(address, answer(request, Status="FAILED")) == 403
    assert ended("tour") == "CREATE_COMPLETE"
    assert outputs(client)["Value"] == "v"
    assert put(address, answer(request)) == 403


WRONG = {
    "no JSON": (lambda _: b"ok", "Invalid response object: "),
    "a list": (lambda _: b"[]", "Invalid response object: "),
    "another stack": (lambda request: answer(request, StackId="x"), "it answers another request"),
    "another request": (lambda request: answer(request, RequestId="x"), "it answers another request"),
    "another resource": (lambda request: answer(request, LogicalResourceId="x"), "it answers another request"),
    "no id": (lambda request: answer(request, PhysicalResourceId=None), "Invalid PhysicalResourceId"),
    "an empty id": (lambda request: answer(request, PhysicalResourceId=""), "Invalid PhysicalResourceId"),
    "a long id": (lambda request: answer(request, PhysicalResourceId="x" * 1025), "Invalid PhysicalResourceId"),
    "a long answer": (lambda request: answer(request, Data={"a": "x" * 4096}), "Response object is too long."),
    "another status": (lambda request: answer(request, Status="DONE"), "Received response status [DONE]"),
    "no status": (lambda request: answer(request, Status=None), "Invalid response object: "),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_answer_is_a_failure(client, waiting, ended, name):
    said, words = WRONG[name]
    request = waiting()
    assert put(request["ResponseURL"], said(request)) == 200
    assert ended("tour") == "CREATE_FAILED"
    assert words in reasons(client, "Thing")["CREATE_FAILED"]


def test_a_topic_is_asked_as_well(cloud, client, waiting, ended):
    request = waiting()
    topic = request["ServiceToken"]
    assert topic == f"arn:aws:sns:us-east-1:{ACCOUNT}:provider"
    assert (request["RequestType"], request["ResourceProperties"]) == ("Create", {"ServiceToken": topic})
    assert put(request["ResponseURL"], answer(request)) == 200
    assert ended("tour") == "CREATE_COMPLETE"
    client.delete_stack(StackName="tour")
    removal = waiting.heard()
    assert (removal["RequestType"], removal["PhysicalResourceId"]) == ("Delete", "x")
    assert put(removal["ResponseURL"], answer(removal)) == 200
    assert ended(request["StackId"]) == "DELETE_COMPLETE"


def test_a_stack_is_deleted_while_its_resource_waits(client, waiting, ended):
    request = waiting()
    client.delete_stack(StackName="tour")
    removal = waiting.heard()
    assert removal["RequestType"] == "Delete"
    assert removal["PhysicalResourceId"].startswith("tour-Thing-")
    assert put(request["ResponseURL"], answer(request)) == 403
    assert put(removal["ResponseURL"], answer(removal)) == 200
    assert ended(request["StackId"]) == "DELETE_COMPLETE"
    assert reasons(client, "Thing", request["StackId"])["CREATE_FAILED"] == "Resource creation cancelled"


def test_an_update_is_cancelled_while_its_resource_waits(client, asked, ended):
    client.create_stack(StackName="tour", TemplateBody=template(Thing=custom(Id="one")), **IAM)
    assert ended("tour") == "CREATE_COMPLETE"
    asked()
    silent = custom(Id="one", Silent=["Update"], Value="2")
    client.update_stack(StackName="tour", TemplateBody=template(Thing=silent), **IAM)
    while not asked():
        pass
    client.cancel_update_stack(StackName="tour")
    assert ended("tour") == "UPDATE_ROLLBACK_COMPLETE"
    assert reasons(client, "Thing")["UPDATE_FAILED"] == "Resource update cancelled"


def test_the_function_is_invoked_as_whom_the_stack_acts_for(cloud, client, ended, asked):
    arn = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:*"
    rights = [allow(["cloudformation:*", "iam:*"]), allow(["lambda:CreateFunction", "lambda:*Get*", "lambda:Delete*"])]
    ann = cloud.client("cloudformation", cloud.user("ann", *rights))
    ann.create_stack(StackName="tour", TemplateBody=template(Thing=custom(Id="one")), **IAM)
    assert ended("tour") == "ROLLBACK_COMPLETE"
    assert "lambda:InvokeFunction on resource: arn:aws:lambda:" in reasons(client, "Thing")["CREATE_FAILED"]
    # Who was not asked has nothing to remove.
    assert asked() == []
    bob = cloud.client("cloudformation", cloud.user("bob", *rights, allow("lambda:InvokeFunction", arn)))
    bob.create_stack(StackName="other", TemplateBody=template(Thing=custom(Id="one")), **IAM)
    assert ended("other") == "CREATE_COMPLETE"


def test_what_is_hidden_is_not_shown_by_change_sets(client, ended):
    group = {"Type": "AWS::IAM::Group", "Properties": {"GroupName": {"Fn::GetAtt": "Thing.Value"}}}
    resources = {"Thing": custom(Id="one", Value="secret", Hides=True), "Group": group}
    client.create_stack(StackName="tour", TemplateBody=template(**resources), **IAM)
    assert ended("tour") == "CREATE_COMPLETE"
    resources["Group"] = {"Type": "AWS::IAM::Group", "Properties": {"GroupName": "x"}}
    client.create_change_set(StackName="tour", ChangeSetName="c", TemplateBody=template(**resources), **IAM)
    shown = client.describe_change_set(StackName="tour", ChangeSetName="c", IncludePropertyValues=True)["Changes"]
    [change] = [one["ResourceChange"] for one in shown if one["ResourceChange"]["LogicalResourceId"] == "Group"]
    assert json.loads(change["BeforeContext"])["Properties"]["GroupName"] == "{{changeSet:KNOWN_AFTER_APPLY}}"


def test_an_attribute_that_was_not_answered_is_told(client, ended):
    group = {"Type": "AWS::IAM::Group", "Properties": {"GroupName": {"Fn::GetAtt": "Thing.Else"}}}
    client.create_stack(StackName="tour", TemplateBody=template(Thing=custom(Id="one"), Group=group), **IAM)
    assert ended("tour") == "ROLLBACK_COMPLETE"
    words = reasons(client, "Group")["CREATE_FAILED"]
    assert words.startswith("CustomResource attribute error: Vendor response doesn't contain Else attribute in object ")


def test_whom_to_ask_and_the_type_stay_the_same(client, ended):
    other = {"Other": function()["Function"]}
    client.create_stack(StackName="tour", TemplateBody=template(Thing=custom(Id="one"), **other), **IAM)
    assert ended("tour") == "CREATE_COMPLETE"
    moved = custom(token={"Fn::GetAtt": ["Other", "Arn"]}, Id="one")
    client.update_stack(StackName="tour", TemplateBody=template(Thing=moved, **other), **IAM)
    assert ended("tour") == "UPDATE_ROLLBACK_COMPLETE"
    assert reasons(client, "Thing")["UPDATE_FAILED"] == "Modifying service token is not allowed."
    client.update_stack(StackName="tour", TemplateBody=template(Thing=custom("Custom::Else", Id="one"), **other), **IAM)
    assert ended("tour") == "UPDATE_ROLLBACK_COMPLETE"
    assert reasons(client, "Thing")["UPDATE_FAILED"] == (
        "Update of resource type is not permitted. The new template modifies resource type of the following "
        "resources: [Thing]"
    )


@pytest.mark.parametrize(
    ("properties", "words"),
    [
        ({"ServiceToken": "arn:aws:sqs:us-east-1:123456789012:queue"}, "must be the ARN of a Lambda function or SNS"),
        ({"ServiceToken": f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:f"}, "in the stack's Region"),
        ({"ServiceTimeout": 60}, "required key [ServiceToken] not found"),
        ({"ServiceToken": "arn:aws:lambda:us-east-1:123456789012:function:f", "ServiceTimeout": 3601}, "from 1 to 3600"),
        ({"ServiceToken": "arn:aws:lambda:us-east-1:123456789012:function:f", "ServiceTimeout": "0"}, "from 1 to 3600"),
    ],
)  # fmt: skip
def test_what_can_not_be_asked_is_told(client, ended, properties, words):
    body = json.dumps({"Resources": {"Thing": {"Type": "Custom::Thing", "Properties": properties}}})
    client.create_stack(StackName="tour", TemplateBody=body, OnFailure="DO_NOTHING")
    assert ended("tour") == "CREATE_FAILED"
    assert words in reasons(client, "Thing")["CREATE_FAILED"]


@pytest.mark.parametrize("type", ["Custom::", "Custom::A B", "Custom::" + "x" * 61, "custom::A", "Custom::A::B"])
def test_a_custom_type_has_a_name(client, refused, type):
    with refused("ValidationError", f"Unrecognized resource types: [{type}]"):
        client.validate_template(TemplateBody=json.dumps({"Resources": {"A": {"Type": type}}}))


def test_source_without_the_import_has_no_module_beside_it(cloud, client, ended):
    source = "from importlib import import_module\ndef handler(event, context):\n    import_module('cfnresponse')\n"
    client.create_stack(StackName="tour", TemplateBody=template(source=source), **IAM)
    assert ended("tour") == "CREATE_COMPLETE"
    [name] = [one["FunctionName"] for one in cloud.client("lambda").list_functions()["Functions"]]
    told = cloud.client("lambda", read_timeout=60).invoke(FunctionName=name)
    assert json.loads(told["Payload"].read())["errorType"] == "ModuleNotFoundError"


NOTIFIES = """
import json
import urllib.request

import boto3

s3 = boto3.client("s3")


def handler(event, context):
    status, reason = "SUCCESS", ""
    given = event["ResourceProperties"]
    wanted = {} if event["RequestType"] == "Delete" else given["NotificationConfiguration"]
    try:
        s3.put_bucket_notification_configuration(Bucket=given["BucketName"], NotificationConfiguration=wanted)
    except Exception as error:
        status, reason = "FAILED", f"{error}. See the log {context.log_stream_name}"
    answer = {name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")}
    answer |= {"Status": status, "Reason": reason, "Data": {}, "NoEcho": False,
               "PhysicalResourceId": event.get("PhysicalResourceId", event["LogicalResourceId"])}
    body = json.dumps(answer).encode("utf-8")
    headers = {"content-type": "", "content-length": str(len(body))}
    urllib.request.urlopen(urllib.request.Request(event["ResponseURL"], data=body, headers=headers, method="PUT"))
"""


def notifying(policy):
    """A bucket that notifies a queue, as the template has it that CDK makes of such an application."""
    from_bucket = {"ArnLike": {"aws:SourceArn": {"Fn::GetAtt": ["Bucket", "Arn"]}}}
    sends = {
        "Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sqs:SendMessage",
        "Resource": {"Fn::GetAtt": ["Queue", "Arn"]}, "Condition": from_bucket,
    }  # fmt: skip
    handler = function(NOTIFIES)
    handler["Role"]["Properties"] = {
        "AssumeRolePolicyDocument": TRUST,
        "ManagedPolicyArns": [
            {
                "Fn::Join": [
                    "",
                    ["arn:", {"Ref": "AWS::Partition"}, ":iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"],
                ]
            }
        ],
    }
    rights = {
        "Type": "AWS::IAM::Policy",
        "Properties": {"PolicyName": "rights", "Roles": [{"Ref": "Role"}], "PolicyDocument": policy},
    }
    handler["Function"] |= {"DependsOn": ["Rights", "Role"]}
    queue_policy = {
        "Type": "AWS::SQS::QueuePolicy",
        "Properties": {"Queues": [{"Ref": "Queue"}], "PolicyDocument": {"Version": "2012-10-17", "Statement": [sends]}},
    }
    configuration = {
        "QueueConfigurations": [{"Events": ["s3:ObjectCreated:*"], "QueueArn": {"Fn::GetAtt": ["Queue", "Arn"]}}]
    }
    wanted = {"BucketName": {"Ref": "Bucket"}, "Managed": True, "SkipDestinationValidation": False}
    notifications = custom("Custom::S3BucketNotifications", NotificationConfiguration=configuration, **wanted)
    return {
        **handler, "Rights": rights, "Queue": {"Type": "AWS::SQS::Queue"}, "QueuePolicy": queue_policy,
        "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "notifies"}},
        "Notifications": {**notifications, "DependsOn": ["QueuePolicy"]},
    }  # fmt: skip


def test_a_bucket_of_cdk_notifies_a_queue(cloud, client, ended):
    allowed = {"Effect": "Allow", "Action": "s3:PutBucketNotification", "Resource": "*"}
    resources = notifying({"Version": "2012-10-17", "Statement": [allowed]})
    stack_id = client.create_stack(StackName="tour", TemplateBody=json.dumps({"Resources": resources}), **IAM)[
        "StackId"
    ]
    assert ended("tour") == "CREATE_COMPLETE"
    found = cloud.client("s3").get_bucket_notification_configuration(Bucket="notifies")["QueueConfigurations"]
    assert [(one["Events"], one["QueueArn"].split(":")[:5]) for one in found] == [
        (["s3:ObjectCreated:*"], ["arn", "aws", "sqs", "us-east-1", ACCOUNT])
    ]
    client.delete_stack(StackName="tour")
    assert ended(stack_id) == "DELETE_COMPLETE"


def test_a_handler_without_the_right_says_so(client, ended):
    allowed = {"Effect": "Allow", "Action": "s3:PutBucketNotification", "Resource": "arn:aws:s3:::other"}
    resources = notifying({"Version": "2012-10-17", "Statement": [allowed]})
    resources["Bucket"]["Properties"]["BucketName"] = "unnotified"
    given = {"StackName": "tour", "TemplateBody": json.dumps({"Resources": resources}), **IAM}
    client.create_stack(**given, OnFailure="DO_NOTHING")
    assert ended("tour") == "CREATE_FAILED"
    assert "not authorized to perform: s3:PutBucketNotification" in reasons(client, "Notifications")["CREATE_FAILED"]


SECRET = "{{resolve:secretsmanager:prod}}"


@pytest.mark.parametrize("reference", [SECRET, "{{resolve:ssm-secure:/prod:1}}"])
def test_nobody_is_asked_with_a_secret(cloud, client, asked, ended, reference):
    """AWS: "Dynamic references for secure values aren't currently supported in custom resources"."""
    cloud.client("secretsmanager").create_secret(Name="prod", SecretString="hidden")
    client.create_stack(StackName="tour", TemplateBody=template(Thing=custom(Value=reference)), **IAM)
    assert ended("tour") == "ROLLBACK_COMPLETE"
    assert "not supported in custom resources" in reasons(client, "Thing")["CREATE_FAILED"]
    assert "hidden" not in json.dumps(asked())


def test_an_answer_has_no_reference_resolved(cloud, client, asked, ended):
    """It would be with the rights of whoever makes the stack, and not of whoever answers."""
    cloud.client("secretsmanager").create_secret(Name="prod", SecretString="hidden")
    user = {"Type": "AWS::IAM::Group", "Properties": {"GroupName": {"Fn::GetAtt": ["Thing", "Value"]}}}
    # Written out, it would be resolved in the source.
    source = SOURCE.replace('given.get("Value", "none")', f"'{{' + {SECRET[1:]!r}")
    content = template(source=source, Thing=custom(), Group=user)
    client.create_stack(StackName="tour", TemplateBody=content, **IAM)
    assert ended("tour") == "ROLLBACK_COMPLETE"
    words = reasons(client, "Group")["CREATE_FAILED"]
    assert words == "Template error: the value of Thing.Value has a dynamic reference"
