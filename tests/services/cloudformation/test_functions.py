"""Functions: what a template's values come to, as outputs show it."""

import json

import pytest
from botocore.exceptions import ClientError
from running import ACCOUNT
from services.cloudformation.conftest import IAM, group

from iamd.stacks import functions, template

TEMPLATE = {
    "Transform": "AWS::LanguageExtensions",
    "Parameters": {
        "Stage": {"Type": "String", "Default": "prod"},
        "List": {"Type": "CommaDelimitedList", "Default": "a, b,c"},
        "Size": {"Type": "Number", "Default": 3},
    },
    "Mappings": {"Sizes": {"prod": {"size": "large", "zones": ["x", "y"]}, "test": {"size": "small"}}},
    "Conditions": {
        "Prod": {"Fn::Equals": [{"Ref": "Stage"}, "prod"]},
        "Test": {"Fn::Not": [{"Condition": "Prod"}]},
        "Both": {"Fn::And": [{"Condition": "Prod"}, {"Condition": "Test"}]},
        "One": {"Fn::Or": [{"Condition": "Prod"}, {"Condition": "Test"}]},
    },
    "Resources": {"A": group("devs"), "B": group(Condition="Test"), "C": group("c", DependsOn="B")},
}

VALUES = {
    "a reference to a resource": ({"Ref": "A"}, "devs"),
    "an attribute": ({"Fn::GetAtt": ["A", "Arn"]}, f"arn:aws:iam::{ACCOUNT}:group/devs"),
    "an attribute in one text": ({"Fn::GetAtt": "A.Arn"}, f"arn:aws:iam::{ACCOUNT}:group/devs"),
    "a parameter": ({"Ref": "Stage"}, "prod"),
    "a number": ({"Ref": "Size"}, "3"),
    "the account": ({"Ref": "AWS::AccountId"}, ACCOUNT),
    "the region": ({"Ref": "AWS::Region"}, "us-east-1"),
    "the partition": ({"Ref": "AWS::Partition"}, "aws"),
    "the suffix": ({"Ref": "AWS::URLSuffix"}, "amazonaws.com"),
    "the stack": ({"Ref": "AWS::StackName"}, "tour"),
    "a text with places": ({"Fn::Sub": "${A}/${A.Arn}/${AWS::StackName}/${!Kept}"}, f"devs/arn:aws:iam::{ACCOUNT}:group/devs/tour/${{Kept}}"),
    "a text with own places": ({"Fn::Sub": ["${x}-${Stage}", {"x": {"Ref": "A"}}]}, "devs-prod"),
    "joined": ({"Fn::Join": ["-", ["a", {"Ref": "Size"}, True]]}, "a-3-true"),
    "a joined list": ({"Fn::Join": ["+", {"Ref": "List"}]}, "a+b+c"),
    "selected": ({"Fn::Select": ["1", {"Ref": "List"}]}, "b"),
    "split": ({"Fn::Select": [2, {"Fn::Split": ["/", {"Fn::Sub": "x/y/${A}"}]}]}, "devs"),
    "mapped": ({"Fn::FindInMap": ["Sizes", {"Ref": "Stage"}, "size"]}, "large"),
    "a mapped list": ({"Fn::Select": [1, {"Fn::FindInMap": ["Sizes", "prod", "zones"]}]}, "y"),
    "mapped by default": ({"Fn::FindInMap": ["Sizes", "none", "size", {"DefaultValue": "medium"}]}, "medium"),
    "if": ({"Fn::If": ["Prod", "yes", "no"]}, "yes"),
    "if not": ({"Fn::If": ["Test", {"Ref": "B"}, "no"]}, "no"),
    "if both": ({"Fn::If": ["Both", "yes", "no"]}, "no"),
    "if one": ({"Fn::If": ["One", "yes", "no"]}, "yes"),
    "what is left out": ({"Fn::Join": [",", ["a", {"Ref": "AWS::NoValue"}, "b"]]}, "a,b"),
    "encoded": ({"Fn::Base64": {"Fn::Sub": "hello ${A}"}}, "aGVsbG8gZGV2cw=="),
    "networks": ({"Fn::Join": [" ", {"Fn::Cidr": ["10.0.0.0/24", 3, 5]}]}, "10.0.0.0/27 10.0.0.32/27 10.0.0.64/27"),
    "a length": ({"Fn::Sub": ["${n}", {"n": {"Fn::Length": {"Ref": "List"}}}]}, "3"),
    "a text of JSON": ({"Fn::ToJsonString": {"a": [{"Ref": "A"}]}}, '{"a":["devs"]}'),
}  # fmt: skip


def test_values_come_to_what_aws_documents(stacks, settled, groups):
    outputs = {f"O{number}": {"Value": value} for number, (value, _) in enumerate(VALUES.values())}
    outputs["Absent"] = {"Value": "x", "Condition": "Test"}
    stacks.create_stack(StackName="tour", TemplateBody=json.dumps({**TEMPLATE, "Outputs": outputs}), **IAM)
    assert settled("tour") == "CREATE_COMPLETE"
    shown = {
        one["OutputKey"]: one["OutputValue"] for one in stacks.describe_stacks(StackName="tour")["Stacks"][0]["Outputs"]
    }
    expected = {f"O{number}": value for number, (_, value) in enumerate(VALUES.values())}
    told = dict(zip(VALUES, expected.values(), strict=True))
    found = {name: shown.get(f"O{number}") for number, name in enumerate(VALUES)}
    assert found == told
    assert "Absent" not in shown
    assert groups() == ["c", "devs"]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"Fn::Select": [9, ["a"]]}, "Fn::Select cannot select nonexistent value at index 9"),
        ({"Fn::Select": ["x", ["a"]]}, "every Fn::Select object requires"),
        ({"Fn::FindInMap": ["Sizes", "none", "size"]}, "Unable to get mapping for Sizes::none::size"),
        ({"Fn::Join": ["-", "a"]}, "every Fn::Join object requires two parameters"),
        ({"Fn::Split": ["", "a"]}, "every Fn::Split object requires"),
        ({"Fn::If": ["Nothing", "a", "b"]}, "unresolved condition dependency Nothing"),
        ({"Fn::If": ["Prod"]}, "Fn::If requires a list argument"),
        ({"Fn::Sub": ["x"]}, "every Fn::Sub object requires"),
        ({"Fn::Sub": "${List}"}, "does not resolve to a string"),
        ({"Fn::Cidr": ["10.0.0.0/30", 9, 1]}, "Fn::Cidr can't divide"),
        ({"Fn::Cidr": ["10.0.0.0/30", 1]}, "requires three parameters"),
        ({"Fn::Length": "x"}, "Fn::Length needs a list"),
        ({"Fn::ToJsonString": "x"}, "Fn::ToJsonString needs"),
        ({"Fn::Equals": ["a", "b"]}, "function Fn::Equals can't stand here"),
    ],
)
def test_a_function_that_can_not_be_done_is_told(stacks, refused, value, words):
    template = {**TEMPLATE, "Resources": {"A": {"Type": "AWS::IAM::Group", "Properties": {"GroupName": value}}}}
    with refused("ValidationError", words):
        stacks.create_stack(StackName="tour", TemplateBody=json.dumps(template), **IAM)


def test_a_value_that_rests_on_what_is_not_made_fails_the_resource(stacks, settled, reason):
    template = {**TEMPLATE, "Resources": {"A": group({"Ref": "B"}), "B": group(Condition="Test")}}
    stacks.create_stack(StackName="tour", TemplateBody=json.dumps(template), **IAM)
    assert settled("tour") == "ROLLBACK_COMPLETE"
    assert "resource A refers to what does not exist: B" in reason("tour", "A")


def test_an_output_is_a_text(stacks, settled):
    template = {**TEMPLATE, "Outputs": {"O": {"Value": {"Ref": "List"}}}}
    stacks.create_stack(StackName="tour", TemplateBody=json.dumps(template), **IAM)
    assert settled("tour") == "ROLLBACK_COMPLETE"


def test_properties_that_the_type_has_not_fail_the_resource(stacks, settled, reason):
    wrong = {"Type": "AWS::IAM::Group", "Properties": {"Colour": "red"}}
    stacks.create_stack(StackName="tour", TemplateBody=json.dumps({"Resources": {"A": wrong}}), **IAM)
    assert settled("tour") == "ROLLBACK_COMPLETE"
    assert "Colour" in reason("tour", "A")


def within(levels, made, innermost):
    """A function within a function, so many times."""
    value = innermost
    for _ in range(levels):
        value = made(value)
    return value


BOMBS = {
    "a text within a text": within(10, lambda inner: {"Fn::Sub": ["${a}" * 9, {"a": inner}]}, "xxxxxxxx"),
    "joined by a long text": {"Fn::Join": ["x" * 20_000, ["y"] * 1000]},
    "a parameter in many places": {"Fn::Sub": "${Long}" * 5_000},
}


@pytest.mark.timeout(30)
@pytest.mark.parametrize("value", BOMBS.values(), ids=BOMBS)
def test_a_small_template_does_not_become_a_large_one(stacks, value):
    content = {
        "Parameters": {"Long": {"Type": "String", "Default": "y" * 4096}},
        "Resources": {"A": group(value)},
    }
    with pytest.raises(ClientError) as caught:
        stacks.create_stack(StackName="tour", TemplateBody=json.dumps(content), **IAM)
    assert "too much text" in caught.value.response["Error"]["Message"]


@pytest.mark.timeout(30)
def test_a_pattern_that_takes_for_ever_is_refused(stacks, refused):
    declared = {"Type": "String", "Default": "a" * 4000 + "b", "AllowedPattern": "(a|aa)+$"}
    content = {"Parameters": {"P": declared}, "Resources": {"A": group("devs")}}
    with refused("ValidationError", "AllowedPattern of parameter P takes too long to match"):
        stacks.create_stack(StackName="tour", TemplateBody=json.dumps(content), **IAM)


def test_what_is_not_known_yet_is_looked_at_once_or_twice(monkeypatch):
    """Each selection looks at what it selects; one within another would double that, were it done again."""
    asked = 0

    def ref(scope, name, original=functions.Scope.ref):
        nonlocal asked
        asked += 1
        return original(scope, name)

    monkeypatch.setattr(functions.Scope, "ref", ref)
    value = within(10, lambda inner: {"Fn::Select": [0, [inner]]}, {"Ref": "A"})
    text = json.dumps({"Resources": {"A": group("devs"), "B": group({"Fn::Sub": ["${a}-too", {"a": value}]})}})
    scope = functions.Scope(template.read(text), {})
    properties = scope.properties("B")
    assert not functions.is_known(properties)
    assert asked == 1
