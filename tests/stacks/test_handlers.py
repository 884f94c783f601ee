"""What types of resources refuse, and that their rows fit CloudFormation's own descriptions."""

import pytest
from stacks.resources import BotoClient, Stack

from iamd.data import resource_types
from iamd.stacks import handlers, registry, shaping
from iamd.stacks.client import RequestFailed
from iamd.stacks.handlers import InvalidProperties

# AWS: CloudFormation Template Reference, Fn::GetAtt of these types: properties that can be read too.
READ_TOO = {
    "AWS::CloudFormation::Stack": {"Outputs/OutputName"},
    "AWS::SNS::Topic": {"TopicName"},
    "AWS::SQS::Queue": {"QueueName"},
    "AWS::SSM::Parameter": {"Type", "Value"},
}
ROLE = {"AssumeRolePolicyDocument": {"Statement": []}}


@pytest.mark.parametrize("type", registry.names())
def test_properties_and_attributes_are_those_of_the_type(type):
    described = resource_types.find(type)
    kind = registry.named(type)
    if described is None:
        assert kind.known_properties() == frozenset()
        return
    readable = {*described.read_only, *READ_TOO.get(type, ())}
    assert kind.known_properties() <= described.properties.keys() - set(described.read_only)
    assert {name.replace(".", "/") for name in kind.attributes} <= readable
    assert described.required == () or set(described.required) <= kind.known_properties()


def test_types_are_supported_or_refused_by_name():
    assert handlers.supported("AWS::IAM::Role")
    assert not handlers.supported("AWS::EC2::VPC")
    with pytest.raises(InvalidProperties, match="resources of type AWS::EC2::VPC"):
        handlers.check("AWS::EC2::VPC", {})


@pytest.mark.parametrize(
    ("properties", "words"),
    [
        ({}, "#: required key [AssumeRolePolicyDocument] not found"),
        (ROLE | {"Rolename": "r"}, "#: extraneous key [Rolename] is not permitted"),
        (ROLE | {"Arn": "a"}, "#: extraneous key [Arn] is not permitted"),
        (ROLE | {"MaxSessionDuration": "long"}, "#/MaxSessionDuration: expected type: Integer, found: String"),
        (ROLE | {"MaxSessionDuration": 3600.5}, "#/MaxSessionDuration: expected type: Integer, found: Number"),
        (ROLE | {"Path": ["/"]}, "#/Path: expected type: String, found: JSONArray"),
        (ROLE | {"ManagedPolicyArns": "arn"}, "#/ManagedPolicyArns: expected type: JSONArray, found: String"),
        (ROLE | {"Policies": [{"PolicyName": "p"}]}, "#/Policies/0: required key [PolicyDocument] not found"),
        (ROLE | {"Tags": [{"Key": "k", "Value": "v", "X": 1}]}, "#/Tags/0: extraneous key [X] is not permitted"),
    ],
)  # fmt: skip
def test_what_does_not_fit_the_type_is_refused(properties, words):
    with pytest.raises(InvalidProperties) as raised:
        handlers.check("AWS::IAM::Role", properties)
    assert str(raised.value) == words


def test_functions_are_not_judged():
    function = {"Fn::If": ["c", 1, 2]}
    handlers.check(
        "AWS::IAM::Role",
        {
            "AssumeRolePolicyDocument": {"Ref": "document"},
            "MaxSessionDuration": function,
            "ManagedPolicyArns": [{"Ref": "a"}, function],
            "Tags": function,
            "Policies": [{"PolicyName": {"Fn::Sub": "p"}, "PolicyDocument": function}],
        },
    )
    handlers.check("AWS::S3::Bucket", {"VersioningConfiguration": {"Status": function}})


@pytest.mark.parametrize("value", [3600, "3600", 3600.0])
def test_numbers_are_written_as_text_too(value):
    handlers.check("AWS::IAM::Role", ROLE | {"MaxSessionDuration": value})
    shaped = shaping.parameters("iam", "UpdateRole", {"RoleName": 5, "MaxSessionDuration": value})
    assert shaped == {"RoleName": "5", "MaxSessionDuration": 3600}


@pytest.mark.parametrize("value", ["NaN", "inf", "1" * 5000, "3600.5", "٣٦٠٠x", True, "", [1], {"a": 1}])
def test_what_is_no_number_is_refused(value):
    with pytest.raises(InvalidProperties) as raised:
        shaping.parameters("iam", "UpdateRole", {"RoleName": "r", "MaxSessionDuration": value})
    assert "must be a" in str(raised.value)


@pytest.mark.parametrize(("value", "truth"), [("true", True), ("False", False), (True, True)])
def test_truth_is_written_as_text_too(value, truth):
    assert shaping.parameters("kms", "CreateKey", {"MultiRegion": value}) == {"MultiRegion": truth}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"MultiRegion": "maybe"}, "must be true or false"),
        ({"Tags": {"TagKey": "k"}}, "must be a list"),
        ({"Tags": ["k"]}, "must be an object"),
        ({"Tags": [{"TagKey": "k", "Name": "n"}]}, "extraneous key [Name]"),
    ],
)
def test_what_an_operation_can_not_take_is_refused_before_it_is_asked(given, words):
    with pytest.raises(InvalidProperties) as raised:
        shaping.parameters("kms", "CreateKey", given)
    assert words in str(raised.value)


def test_documents_become_text_and_names_any_capitals():
    shaped = shaping.parameters("ecr", "SetRepositoryPolicy", {"RepositoryName": "r", "policyText": {"a": [1, True]}})
    assert shaped == {"repositoryName": "r", "policyText": '{"a":[1,true]}'}


def test_a_change_that_nothing_is_to_be_done_for_asks_nothing(cloud, stack):
    role = stack.create("AWS::IAM::Role", **ROLE | {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ]}})  # fmt: skip
    stack.client = BotoClient(cloud)
    stack.update(role)
    assert stack.client.called == []


def test_names_are_replaced_by_new_resources():
    assert handlers.replaces("AWS::IAM::Role", ROLE, ROLE | {"RoleName": "r"})
    assert not handlers.replaces("AWS::IAM::Role", ROLE, ROLE | {"Description": "d"})


def test_no_resource_has_tags_of_cloudformation_itself(cloud, stack):
    queue = stack.create("AWS::SQS::Queue", tags={"team": "a"})
    assert any(key.startswith("aws:") for key in queue.wanted.tags)
    assert cloud.client("sqs").list_queue_tags(QueueUrl=queue.ref)["Tags"] == {"team": "a"}


def test_who_may_not_make_a_resource_makes_nothing(cloud):
    limited = Stack(cloud, cloud.user("dev"))
    with pytest.raises(RequestFailed, match="not authorized"):
        limited.create("AWS::SQS::Queue", QueueName="q")
    assert "QueueUrls" not in cloud.client("sqs").list_queues()
