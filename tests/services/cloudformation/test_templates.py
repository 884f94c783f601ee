"""Templates: what they say, what is wrong with them, and what their parameters take."""

import json

import pytest
from services.cloudformation.conftest import IAM, body, group

NAMED = {"Parameters": {"Name": {"Type": "String"}}, "Resources": {"A": group({"Ref": "Name"})}}


def test_a_template_is_shown_as_it_was_given(stacks, made, refused):
    text = "Resources:\n  A:\n    Type: AWS::IAM::Group\n    Properties:\n      GroupName: !Sub '${AWS::StackName}-a'\n"
    stack_id = stacks.create_stack(StackName="tour", TemplateBody=text, **IAM)["StackId"]
    for stage in ("Original", "Processed"):
        answer = stacks.get_template(StackName="tour", TemplateStage=stage)
        assert answer["TemplateBody"] == text
        assert answer["StagesAvailable"] == ["Original", "Processed"]
    assert stacks.get_template(StackName=stack_id)["TemplateBody"] == text
    with refused("ValidationError", "Stack with id other does not exist"):
        stacks.get_template(StackName="other")
    with refused("ValidationError", "Either StackName or ChangeSetName"):
        stacks.get_template()


def test_a_template_is_summed_up(stacks, refused):
    template = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "Two of them",
        "Metadata": {"a": 1},
        "Parameters": {
            "Size": {
                "Type": "Number",
                "Default": 1,
                "AllowedValues": [1, 2],
                "Description": "How large",
            },
            "Secret": {"Type": "String", "NoEcho": True},
        },
        "Resources": {"A": group("a"), "B": {"Type": "AWS::IAM::User"}},
    }
    summary = stacks.get_template_summary(TemplateBody=json.dumps(template))
    assert summary["ResourceTypes"] == ["AWS::IAM::Group", "AWS::IAM::User"]
    assert summary["Capabilities"] == ["CAPABILITY_NAMED_IAM"]
    assert summary["CapabilitiesReason"] == (
        "The following resource(s) require capabilities: [AWS::IAM::Group, AWS::IAM::User]"
    )
    assert (summary["Description"], summary["Version"], summary["Metadata"]) == ("Two of them", "2010-09-09", '{"a":1}')
    size, secret = summary["Parameters"]
    assert size == {
        "ParameterKey": "Size",
        "DefaultValue": "1",
        "NoEcho": False,
        "Description": "How large",
        "ParameterType": "Number",
        "ParameterConstraints": {"AllowedValues": ["1", "2"]},
    }
    assert secret["NoEcho"] is True
    validated = stacks.validate_template(TemplateBody=json.dumps(template))
    assert validated["Capabilities"] == ["CAPABILITY_NAMED_IAM"]
    assert [one["ParameterKey"] for one in validated["Parameters"]] == ["Size", "Secret"]
    warned = stacks.get_template_summary(
        TemplateBody=json.dumps(template), TemplateSummaryConfig={"TreatUnrecognizedResourceTypesAsWarnings": True}
    )
    assert warned["Warnings"] == {"UnrecognizedResourceTypes": []}
    given = [{"ParameterKey": "Secret", "ParameterValue": "x"}]
    stacks.create_stack(StackName="tour", TemplateBody=json.dumps(template), Parameters=given, **IAM)
    assert stacks.get_template_summary(StackName="tour")["Description"] == "Two of them"
    with refused("ValidationError", "Stack with id other does not exist"):
        stacks.get_template_summary(StackName="other")
    with refused("ValidationError", "Only one of StackName"):
        stacks.get_template_summary(StackName="tour", TemplateBody=json.dumps(template))
    with refused("ValidationError", "A stack set is not supported by iamd's CloudFormation."):
        stacks.get_template_summary(StackSetName="set")
    with refused("ValidationError", "A stack set is not supported by iamd's CloudFormation."):
        stacks.get_template_summary(TemplateBody=json.dumps(template), CallAs="SELF")


def with_group(**properties):
    return {"Resources": {"A": {"Type": "AWS::IAM::Group", "Properties": properties}}}


WRONG = {
    "no resources": ({}, "At least one Resources member must be defined."),
    "a stranger": ({**NAMED, "Other": {}}, "Invalid template property or properties [Other]"),
    "another version": ({**NAMED, "AWSTemplateFormatVersion": "2020-01-01"}, "unsupported value"),
    "a type that is none": ({"Resources": {"A": {"Type": "AWS::No::Thing"}}}, "Unrecognized resource types: [AWS::No"),
    "no type": ({"Resources": {"A": {}}}, "must contain a Type member"),
    "a reference to nothing": (with_group(GroupName={"Ref": "B"}), "Unresolved resource dependencies [B] in the Resou"),
    "an output of nothing": ({**NAMED, "Outputs": {"O": {"Value": {"Ref": "B"}}}}, "[B] in the Outputs block"),
    "an attribute of nothing": (with_group(GroupName={"Fn::GetAtt": ["B", "Arn"]}), "references undefined resource B"),
    "an attribute that is none": (
        {"Resources": {"A": group(), "B": group({"Fn::GetAtt": ["A", "Colour"]})}},
        "resource A does not support attribute type Colour in Fn::GetAtt",
    ),
    "a circle": (
        {"Resources": {"A": group({"Ref": "B"}), "B": group({"Ref": "A"}), "C": group({"Ref": "A"})}},
        "Circular dependency between resources: [A, B]",
    ),
    "a dependence on nothing": ({"Resources": {"A": group(DependsOn="B")}}, "Unresolved resource dependencies [B]"),
    "a condition that is none": ({"Resources": {"A": group(Condition="C")}}, "Unresolved condition dependency C"),
    "a condition on a resource": (
        {"Conditions": {"C": {"Fn::Equals": [{"Ref": "A"}, "x"]}}, "Resources": {"A": group()}},
        "Unresolved dependencies [A]. Cannot reference resources in the Conditions block of the template",
    ),
    "conditions in a circle": (
        {"Conditions": {"C": {"Fn::Not": [{"Condition": "C"}]}}, "Resources": {"A": group()}},
        "Circular dependency between conditions",
    ),
    "a function that is none": (with_group(GroupName={"Fn::Nothing": "x"}), "Fn::Nothing is not supported"),
    "a function with company": (with_group(GroupName={"Fn::Sub": "x", "y": "z"}), "Fn::Sub must be the only key"),
    "a name with a sign": ({"Resources": {"A-b": group()}}, "Resources name A-b is non alphanumeric."),
    "a policy that is none": ({"Resources": {"A": group(DeletionPolicy="Keep")}}, "Unrecognized DeletionPolicy Keep"),
    "a snapshot": (
        {"Resources": {"A": group(DeletionPolicy="Snapshot")}},
        "DeletionPolicy Snapshot of resource A is not",
    ),
    "a policy for creations": ({"Resources": {"A": group(CreationPolicy={})}}, "CreationPolicy of resource A is not"),
    "a macro": ({**NAMED, "Transform": "Mine"}, "The transform Mine is not supported by iamd's CloudFormation."),
    "an include": (with_group(GroupName={"Fn::Transform": {"Name": "x"}}), "Fn::Transform is not supported"),
    "a loop": (
        {"Transform": "AWS::LanguageExtensions", "Resources": {"A": group({"Fn::ForEach::X": []})}},
        "Fn::ForEach is not supported",
    ),
    "a length without its transform": (with_group(GroupName={"Fn::Length": []}), "needs the transform AWS::Language"),
    "a type that is not made": (
        {"Resources": {"A": {"Type": "AWS::CloudFormation::StackSet"}}},
        "Unrecognized resource types: [AWS::CloudFormation::StackSet]",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_with_a_template_is_told(stacks, refused, name):
    template, words = WRONG[name]
    with refused("ValidationError", words):
        stacks.validate_template(TemplateBody=json.dumps(template))
    with refused("ValidationError", words):
        stacks.create_stack(StackName="tour", TemplateBody=json.dumps(template), **IAM)
    assert stacks.list_stacks()["StackSummaries"] == []


TEXTS = {
    "no text of the kind": ("Resources: [", "YAML not well-formed."),
    "a list": ("- a\n", "unsupported structure."),
    "an anchor": ("Resources: &a\n  A: *a\n", "YAML aliases are not allowed"),
    "a key twice": ("Resources:\n  A: {Type: x}\n  A: {Type: y}\n", "the key A stands there twice."),
    "a tag of Python's": ("Resources: !!python/object:os.system {}\n", "is not supported"),
    "a short form that is none": ("Resources: !Nothing x\n", "the function !Nothing is not supported."),
    "depth": ("[" * 100 + "]" * 100, "nests too deep"),
    "length": (" " * 51_201, "length less than or equal to 51200"),
}


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_that_is_no_template_is_told(stacks, refused, name):
    text, words = TEXTS[name]
    with refused("ValidationError", words):
        stacks.create_stack(StackName="tour", TemplateBody=text, **IAM)


def test_a_template_is_given_in_one_way(stacks, made, refused):
    with refused("ValidationError", "Either Template URL or Template Body must be specified."):
        stacks.create_stack(StackName="tour", **IAM)
    with refused("ValidationError", "Specify only one of TemplateBody, TemplateURL"):
        stacks.create_stack(StackName="tour", TemplateBody="{}", TemplateURL="https://s3.amazonaws.com/a/b", **IAM)
    for url in ("https://example.com/a/b", "ftp://s3.amazonaws.com/a/b", "https://s3.amazonaws.com/a"):
        with refused("ValidationError", "TemplateURL must be a supported URL."):
            stacks.create_stack(StackName="tour", TemplateURL=url, **IAM)
    made("tour", A=group("a"))
    with refused("ValidationError", "Specify only one of"):
        stacks.update_stack(StackName="tour", TemplateBody="{}", UsePreviousTemplate=True, **IAM)


@pytest.mark.parametrize(
    ("declared", "value", "words"),
    [
        ({"Type": "String", "AllowedValues": ["a", "b"]}, "c", "Parameter 'P' must be one of AllowedValues"),
        ({"Type": "String", "AllowedPattern": "[a-z]+"}, "A", "Parameter 'P' must match pattern [a-z]+"),
        ({"Type": "String", "MinLength": 2}, "a", "Parameter 'P' must contain at least 2 characters"),
        ({"Type": "String", "MaxLength": "2"}, "abc", "Parameter 'P' must contain at most 2 characters"),
        ({"Type": "Number"}, "abc", "Parameter 'P' must be a number"),
        ({"Type": "Number", "MinValue": 2}, "1", "Parameter 'P' must be a number not less than 2"),
        ({"Type": "Number", "MaxValue": 2}, "3", "Parameter 'P' must be a number not greater than 2"),
        ({"Type": "List<Number>"}, "1,b", "Parameter 'P' must be a number"),
        (
            {"Type": "String", "AllowedPattern": "[a-z]+", "ConstraintDescription": "small letters"},
            "A",
            "Parameter P failed to satisfy constraint: small letters",
        ),
        ({"Type": "String"}, None, "Parameters: [P] must have values"),
        ({"Type": "Text"}, "a", "Unrecognized parameter type: Text"),
        ({"Type": "AWS::Route53::HostedZone::Id"}, "a", "is not supported by iamd's CloudFormation"),
        ({"Type": "String", "Colour": "red"}, "a", "Invalid template parameter property 'Colour'"),
    ],
)
def test_values_of_parameters_are_as_they_are_declared(stacks, refused, declared, value, words):
    template = json.dumps({"Parameters": {"P": declared}, "Resources": {"A": group()}})
    given = [{"ParameterKey": "P", "ParameterValue": value}] if value is not None else []
    with refused("ValidationError", words):
        stacks.create_stack(StackName="tour", TemplateBody=template, Parameters=given, **IAM)


def test_only_parameters_of_the_template_are_given_and_once(stacks, refused):
    given = [{"ParameterKey": "Other", "ParameterValue": "x"}]
    with refused("ValidationError", "Parameters: [Other] do not exist in the template"):
        stacks.create_stack(StackName="tour", TemplateBody=body(A=group()), Parameters=given, **IAM)
    twice = [{"ParameterKey": "Name", "ParameterValue": "x"}] * 2
    with refused("ValidationError", "Parameters: [Name] must be named once"):
        stacks.create_stack(StackName="tour", TemplateBody=json.dumps(NAMED), Parameters=twice, **IAM)
    previous = [{"ParameterKey": "Name", "UsePreviousValue": True}]
    with refused("ValidationError", "Cannot specify usePreviousValue as true for a parameter key not in the previous"):
        stacks.create_stack(StackName="tour", TemplateBody=json.dumps(NAMED), Parameters=previous, **IAM)


def test_rules_hold(stacks, refused, settled):
    template = {
        "Parameters": {"Stage": {"Type": "String"}, "Name": {"Type": "String"}},
        "Rules": {
            "Production": {
                "RuleCondition": {"Fn::Equals": [{"Ref": "Stage"}, "prod"]},
                "Assertions": [
                    {
                        "Assert": {"Fn::Contains": [["a", "b"], {"Ref": "Name"}]},
                        "AssertDescription": "In production it is a or b",
                    }
                ],
            }
        },
        "Resources": {"A": group({"Ref": "Name"})},
    }

    def attempt(stage, name):
        given = [("Stage", stage), ("Name", name)]
        stacks.create_stack(
            StackName=f"{stage}-{name}",
            TemplateBody=json.dumps(template),
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in given],
            **IAM,
        )

    with refused("ValidationError", "In production it is a or b"):
        attempt("prod", "c")
    attempt("prod", "a")
    attempt("test", "c")
    assert settled("test-c") == "CREATE_COMPLETE"
