"""The order of updates: what refers to another resource is compared with what it refers to once that is done.

AWS: CloudFormation User Guide, "Update behaviors of stack resources", and Template Reference, "DependsOn attribute":
Ref, Fn::GetAtt and Fn::Sub make one resource depend on another.
"""

import json

import pytest
from running import ACCOUNT
from services.cloudformation.conftest import IAM, body, group, status_at_last

ARN = f"arn:aws:sqs:us-east-1:{ACCOUNT}:"
ROLE = {
    "Type": "AWS::IAM::Role",
    "Properties": {
        "AssumeRolePolicyDocument": {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
            ],
        }
    },
}


def queue(name, **more):
    return {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": name}, **more}


def policy(resource, **more):
    statement = {"Effect": "Allow", "Action": "sqs:*", "Resource": resource}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    return {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": document}, **more}


def parameter(value, **more):
    return {"Type": "AWS::SSM::Parameter", "Properties": {"Name": "/p", "Type": "String", "Value": value}, **more}


@pytest.fixture
def client(cloud):
    return cloud.client("cloudformation")


@pytest.fixture
def run(client, ended):
    """`run(Logical=resource)` makes the stack, or changes it to these resources; gives its status then."""

    def done(template=None, **resources):
        given = {"StackName": "tour", "TemplateBody": template or body(**resources), **IAM}
        stacks = {one["StackName"] for one in client.describe_stacks()["Stacks"]}
        (client.update_stack if "tour" in stacks else client.create_stack)(**given)
        return ended("tour")

    return done


@pytest.fixture
def allowed(client, cloud):
    """`allowed()` is the resource of the statement that the stack's policy `Pol` has."""

    def document():
        found = client.describe_stack_resource(StackName="tour", LogicalResourceId="Pol")["StackResourceDetail"]
        iam, arn = cloud.client("iam"), found["PhysicalResourceId"]
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        found = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
        return found["Statement"][0]["Resource"]

    return document


@pytest.fixture
def steps(client):
    """`steps(status)` are the resources that came to this status, in that order."""

    def found(status):
        events = client.describe_stack_events(StackName="tour")["StackEvents"]
        return [one["LogicalResourceId"] for one in reversed(events) if one["ResourceStatus"] == status]

    return found


REFERENCES = {
    "GetAtt": {"Fn::GetAtt": ["Q", "Arn"]},
    "GetAtt as text": {"Fn::GetAtt": "Q.Arn"},
    "Sub": {"Fn::Sub": "${Q.Arn}"},
    "Sub with values": {"Fn::Sub": ["${Arn}", {"Arn": {"Fn::GetAtt": "Q.Arn"}}]},
    "Join": {"Fn::Join": ["", [ARN, {"Fn::GetAtt": "Q.QueueName"}]]},
    "Select of Split": {
        "Fn::Sub": [ARN + "${N}", {"N": {"Fn::Select": [5, {"Fn::Split": [":", {"Fn::GetAtt": "Q.Arn"}]}]}}]
    },
    "If": {"Fn::If": ["Always", {"Fn::GetAtt": "Q.Arn"}, "*"]},
}


@pytest.mark.parametrize("reference", REFERENCES.values(), ids=REFERENCES)
@pytest.mark.parametrize("comes_first", ["Pol", "Q"])
def test_a_policy_follows_the_queue_that_takes_the_place_of_another(run, allowed, cloud, steps, reference, comes_first):
    def template(name):
        resources = {"Pol": policy(reference), "Q": queue(name)}
        ordered = {comes_first: resources.pop(comes_first), **resources}
        return json.dumps({"Conditions": {"Always": {"Fn::Equals": ["a", "a"]}}, "Resources": ordered})

    assert run(template("a")) == "CREATE_COMPLETE"
    assert allowed() == f"{ARN}a"
    assert run(template("b")) == "UPDATE_COMPLETE"
    assert allowed() == f"{ARN}b"
    assert [one.rpartition("/")[2] for one in cloud.client("sqs").list_queues()["QueueUrls"]] == ["b"]
    assert steps("UPDATE_COMPLETE")[:2] == ["Q", "Pol"]


def test_a_branch_that_is_not_taken_is_not_waited_for(run, steps):
    def template(name, value):
        resources = {
            "P": parameter({"Fn::If": ["Never", {"Ref": "Q"}, value]}),
            "Q": queue(name),
        }
        return json.dumps({"Conditions": {"Never": {"Fn::Equals": ["a", "b"]}}, "Resources": resources})

    assert run(template("a", "1")) == "CREATE_COMPLETE"
    assert run(template("b", "2")) == "UPDATE_COMPLETE"
    assert steps("UPDATE_COMPLETE")[:2] == ["P", "Q"]


def test_a_parameter_follows_what_it_refers_to(run, cloud):
    def value():
        return cloud.client("ssm").get_parameter(Name="/p")["Parameter"]["Value"].rpartition("/")[2]

    topic = {"Type": "AWS::SNS::Topic"}
    assert run(P=parameter({"Ref": "Q"}), Q=queue("a", DependsOn="T"), T=topic) == "CREATE_COMPLETE"
    assert value() == "a"
    assert run(P=parameter({"Ref": "Q"}), Q=queue("b", DependsOn="T"), T=topic) == "UPDATE_COMPLETE"
    assert value() == "b"


def test_what_refers_to_what_refers_to_a_queue_follows_too(run, allowed, steps):
    resources = {
        "Pol": policy({"Fn::Sub": "arn:aws:sqs:*:*:${P.Value}"}),
        "P": parameter({"Fn::GetAtt": "Q.QueueName"}),
    }
    assert run(**resources, Q=queue("a")) == "CREATE_COMPLETE"
    assert run(**resources, Q=queue("b")) == "UPDATE_COMPLETE"
    assert allowed() == "arn:aws:sqs:*:*:b"
    assert steps("UPDATE_COMPLETE")[:3] == ["Q", "P", "Pol"]


def test_a_policy_follows_the_outputs_of_a_nested_stack(run, allowed, cloud):
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="templates")
    inner = {
        "Parameters": {"Name": {"Type": "String"}},
        "Resources": {"Q": queue({"Ref": "Name"})},
        "Outputs": {"Arn": {"Value": {"Fn::GetAtt": "Q.Arn"}}},
    }
    s3.put_object(Bucket="templates", Key="q", Body=json.dumps(inner).encode())

    def child(name):
        properties = {"TemplateURL": f"{cloud.endpoint}/templates/q", "Parameters": {"Name": name}}
        return {"Type": "AWS::CloudFormation::Stack", "Properties": properties}

    pol = policy({"Fn::GetAtt": ["Child", "Outputs.Arn"]})
    assert run(Pol=pol, Child=child("a")) == "CREATE_COMPLETE"
    assert run(Pol=pol, Child=child("b")) == "UPDATE_COMPLETE"
    assert allowed() == f"{ARN}b"
    # The stack is the same with the same properties; what stands at its address is another template.
    inner["Resources"]["Q"] = queue("c")
    s3.put_object(Bucket="templates", Key="q", Body=json.dumps(inner).encode())
    assert run(Pol=pol, Child=child("b")) == "UPDATE_COMPLETE"
    assert allowed() == f"{ARN}c"


def test_a_version_is_published_of_the_function_as_it_is_updated(run, cloud, client):
    """CDK's `currentVersion`: each change of the function has a version of its own, which the alias moves to."""

    def template(version, seconds, code):
        function = {
            "Role": {"Fn::GetAtt": ["R", "Arn"]},
            "Runtime": "python3.12",
            "Handler": "index.h",
            "FunctionName": "f",
            "Timeout": seconds,
            "Code": {"ZipFile": f"def h(e, c): return {code}"},
        }
        alias = {
            "FunctionName": {"Ref": "F"},
            "FunctionVersion": {"Fn::GetAtt": [version, "Version"]},
            "Name": "live",
        }
        return {
            "A": {"Type": "AWS::Lambda::Alias", "Properties": alias},
            version: {"Type": "AWS::Lambda::Version", "Properties": {"FunctionName": {"Ref": "F"}}},
            "F": {"DependsOn": ["Q"], "Type": "AWS::Lambda::Function", "Properties": function},
            "R": ROLE,
            "Q": {"Type": "AWS::SQS::Queue"},
        }

    functions = cloud.client("lambda")

    def live():
        [alias] = functions.list_aliases(FunctionName="f")["Aliases"]
        versions = functions.list_versions_by_function(FunctionName="f")["Versions"]
        told = functions.get_function_configuration(FunctionName="f", Qualifier="live")
        return alias["FunctionVersion"], [one["Version"] for one in versions], told["Timeout"]

    assert run(**template("Va", 3, 1)) == "CREATE_COMPLETE"
    assert live() == ("1", ["$LATEST", "1"], 3)
    assert run(**template("Vb", 4, 2)) == "UPDATE_COMPLETE"
    assert live() == ("2", ["$LATEST", "2"], 4)
    events = reversed(client.describe_stack_events(StackName="tour")["StackEvents"])
    done = [one["LogicalResourceId"] for one in events if one["ResourceStatus"].endswith("_COMPLETE")]
    assert done[-5:] == ["F", "Vb", "A", "Va", "tour"]
    assert run(**template("Vc", 5, 3)) == "UPDATE_COMPLETE"
    assert live() == ("3", ["$LATEST", "3"], 5)


def test_an_update_that_fails_goes_back_in_the_other_order(run, allowed, cloud, client):
    resources = {"Pol": policy({"Fn::GetAtt": "Q.Arn"}), "P": parameter({"Ref": "Pol"})}
    assert run(**resources, Q=queue("a")) == "CREATE_COMPLETE"
    taken = {**group("taken", DependsOn=["Pol", "P"])}
    cloud.client("iam").create_group(GroupName="taken")
    assert run(**resources, Q=queue("b"), Taken=taken) == "UPDATE_ROLLBACK_COMPLETE"
    assert allowed() == f"{ARN}a"
    assert [one.rpartition("/")[2] for one in cloud.client("sqs").list_queues()["QueueUrls"]] == ["a"]
    events = client.describe_stack_events(StackName="tour")["StackEvents"]
    names = [(one["LogicalResourceId"], one["ResourceStatus"]) for one in reversed(events)]
    back = names[names.index(("tour", "UPDATE_ROLLBACK_IN_PROGRESS")) :]
    assert [name for name, status in back if status == "UPDATE_COMPLETE"] == ["Pol", "Q"]
    assert back.index(("Q", "DELETE_COMPLETE")) > back.index(("Q", "UPDATE_COMPLETE"))
    # What was put back rests on what it rested on before.
    assert run(**resources, Q=queue("c")) == "UPDATE_COMPLETE"
    assert allowed() == f"{ARN}c"


@pytest.mark.parametrize("updates", [False, True])
def test_what_refers_to_a_resource_is_deleted_before_it(run, client, steps, updates):
    resources = {"Pol": policy({"Fn::GetAtt": "Q.Arn"}), "P": parameter({"Fn::Sub": "of ${Pol}"}), "Q": queue("a")}
    assert run(**resources) == "CREATE_COMPLETE"
    if updates:
        assert run(**resources | {"Q": queue("b")}) == "UPDATE_COMPLETE"
        assert run(**resources | {"T": {"Type": "AWS::SNS::Topic"}, "Q": queue("b")}) == "UPDATE_COMPLETE"
    stack_id = client.describe_stacks(StackName="tour")["Stacks"][0]["StackId"]
    client.delete_stack(StackName="tour")
    assert status_at_last(client, stack_id) == "DELETE_COMPLETE"
    events = reversed(client.describe_stack_events(StackName=stack_id)["StackEvents"])
    gone = [one["LogicalResourceId"] for one in events if one["ResourceStatus"] == "DELETE_COMPLETE"]
    assert [name for name in gone if name in resources][-3:] == ["P", "Pol", "Q"]


def test_nothing_goes_on_referring_to_what_is_wanted_no_more(run, allowed, reason_of, cloud):
    def template(wanted):
        resources = {"Pol": policy({"Fn::GetAtt": "Q.Arn"}), "Q": queue("a", Condition="Wanted"), "T": queue("t")}
        return json.dumps({"Conditions": {"Wanted": {"Fn::Equals": [wanted, "yes"]}}, "Resources": resources})

    assert run(template("yes")) == "CREATE_COMPLETE"
    assert run(template("no")) == "UPDATE_ROLLBACK_COMPLETE"
    assert reason_of("Pol") == "Template error: resource Pol refers to what does not exist: Q.Arn"
    assert allowed() == f"{ARN}a"
    assert {one.rpartition("/")[2] for one in cloud.client("sqs").list_queues()["QueueUrls"]} == {"a", "t"}


@pytest.fixture
def reason_of(client):
    """`reason_of(logical_id)` is why that resource failed last."""

    def found(logical_id):
        for one in client.describe_stack_events(StackName="tour")["StackEvents"]:
            if one["LogicalResourceId"] == logical_id and one["ResourceStatus"].endswith("_FAILED"):
                return one["ResourceStatusReason"]
        raise AssertionError(logical_id)

    return found


def test_a_change_set_tells_what_refers_to_what_is_replaced(run, client):
    resources = {"Pol": policy({"Fn::GetAtt": "Q.Arn"}), "P": parameter("same")}
    assert run(**resources, Q=queue("a")) == "CREATE_COMPLETE"
    client.create_change_set(StackName="tour", ChangeSetName="c", TemplateBody=body(**resources, Q=queue("b")), **IAM)
    changes = [
        one["ResourceChange"] for one in client.describe_change_set(StackName="tour", ChangeSetName="c")["Changes"]
    ]
    told = {one["LogicalResourceId"]: (one["Action"], one["Replacement"]) for one in changes}
    assert told == {"Q": ("Modify", "True"), "Pol": ("Modify", "False")}
