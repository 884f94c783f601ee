"""A template is read in one way only; what could be read otherwise, or makes what iamd can't decide, is refused."""

import json

import pytest

from iamd.errors import AWSError
from iamd.gateway.cloudformation import template

QUEUE = {"Resources": {"Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "inbox"}}}}


def refusal(text):
    with pytest.raises(AWSError) as raised:
        template.read(text)
    return raised.value.message


def test_json_and_yaml_say_the_same():
    yaml = """
Resources:
  Queue:
    Type: AWS::SQS::Queue
    Properties: {QueueName: inbox}
"""
    assert template.read(yaml) == template.read(json.dumps(QUEUE)) == template.read(json.dumps(QUEUE, indent="\t"))


def test_short_forms_are_functions():
    text = """
Parameters: {Name: {Type: String}}
Resources:
  Queue:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: !Sub "${AWS::StackName}-x"
      Tags: [{Key: a, Value: !Ref Name}, {Key: b, Value: !GetAtt Other.Arn}, {Key: c, Value: !Join ["-", [a, !Ref Name]]}]
"""
    properties = template.read(text).resources["Queue"]["Properties"]
    assert properties["QueueName"] == {"Fn::Sub": "${AWS::StackName}-x"}
    assert [tag["Value"] for tag in properties["Tags"]] == [
        {"Ref": "Name"},
        {"Fn::GetAtt": ["Other", "Arn"]},
        {"Fn::Join": ["-", ["a", {"Ref": "Name"}]]},
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "unsupported structure"),
        ("[]", "unsupported structure"),
        ("Resources: {}", "At least one Resources member"),
        ("Resources: {Q: {Type: A, Type: B}}", "the key Type stands there twice"),
        (
            '{"Resources": {"Q": {"Type": "A"}}, "Resources": {"Q": {"Type": "B"}}}',
            "the key Resources stands there twice",
        ),
        ("Resources: {Q: &q {Type: A}, R: *q}", "YAML aliases are not allowed"),
        ("Resources: {Q: {Type: A, <<: {Properties: {}}}}", "every key must be text"),
        ("Resources: {Q: {Type: !!python/object/apply:os.system [id]}}", "python/object/apply:os.system"),
        ("%TAG ! tag:yaml.org,2002:python/\n---\nResources: {Q: {Type: !name:os.system ''}}", "is not supported"),
        ("Resources: {Q: {Type: !Transform {Name: x}}}", "the function !Transform is not supported"),
        ("Resources: {Q: {Type: !!binary aGk=}}", "is not supported"),
        ("a: b: c", "Template format error"),
        ("Resources: {Q: {Type: A}}\n---\nResources: {Q: {Type: B}}", "YAML not well-formed"),
        ("Resource: {}", "Invalid template property or properties [Resource]"),
        ("Resources: {Q: {Typ: A}}", "Invalid template resource property 'Typ'"),
        ("Resources: {Q: {Properties: {}}}", "[/Resources/Q/Type] must be a text"),
        ("Resources: {Q: {Type: A, Properties: []}}", "[/Resources/Q/Properties] must be an object"),
        ("Resources: {Q: []}", "every member must be an object"),
        ("Resources: {'a-b': {Type: A}}", "not alphanumeric"),
        ("Parameters: {Q: {Type: String}}\nResources: {Q: {Type: A}}", "the name Q is not unique"),
        ("Mappings: {Q: {}}\nResources: {Q: {Type: A}}", "the name Q is not unique"),
        ("Transform: AWS::Serverless-2016-10-31\nResources: {Q: {Type: A}}", "a template with Transform"),
        ("Hooks: {}\nResources: {Q: {Type: A}}", "a template with Hooks"),
        ("Mappings: {M: {'Fn::Transform': {}}}\nResources: {Q: {Type: A}}", "Fn::Transform"),
        ("Resources: {Q: {Type: A, Properties: {x: '{{resolve:ssm:/a}}'}}}", "a dynamic reference"),
        ("Parameters: {P: {Type: 'AWS::SSM::Parameter::Value<String>'}}\nResources: {Q: {Type: A}}", "the parameter P"),
        ("Resources: " + "[" * 200 + "]" * 200, "nests too deep"),
        ("Resources: " + "[" * 20_000 + "]" * 20_000, "nests too deep"),
        ("Resources: " + '{"a":' * 40 + "1" + "}" * 40, "nests too deep"),
        ("#" * 60_000, "more than 51200 bytes"),
    ],
)
def test_what_has_no_one_reading_is_refused(text, told):
    assert told in refusal(text)


def test_a_template_of_the_greatest_length_is_read():
    text = json.dumps(QUEUE)
    assert template.read(text + " " * (51_200 - len(text))).resources.keys() == {"Queue"}
