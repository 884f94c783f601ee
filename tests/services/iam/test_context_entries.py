"""ContextEntries and MissingContextValues, and ResourceHandlingOption."""

import pytest
from running import allow, deny
from services.iam.simulating import GET, KEY, LOCKED, document, entry


@pytest.mark.parametrize(
    ("condition", "kind", "values", "decision"),
    [
        ({"StringEquals": {"a:key": "b"}}, "string", ["b"], "allowed"),
        ({"StringEquals": {"a:key": "b"}}, "string", ["c"], "implicitDeny"),
        ({"ForAllValues:StringEquals": {"a:key": ["b", "c"]}}, "stringList", ["c", "b"], "allowed"),
        ({"ForAllValues:StringEquals": {"a:key": ["b", "c"]}}, "stringList", ["c", "d"], "implicitDeny"),
        ({"NumericLessThan": {"a:key": "10"}}, "numeric", ["9.5"], "allowed"),
        ({"NumericLessThan": {"a:key": "10"}}, "numeric", ["1e1"], "implicitDeny"),
        ({"ForAnyValue:NumericEquals": {"a:key": "10"}}, "numericList", ["1", "10"], "allowed"),
        ({"Bool": {"a:key": "true"}}, "boolean", ["True"], "allowed"),
        ({"Bool": {"a:key": "true"}}, "boolean", ["perhaps"], "implicitDeny"),
        ({"ForAllValues:Bool": {"a:key": "true"}}, "booleanList", ["true", "false"], "implicitDeny"),
        ({"IpAddress": {"a:key": "10.0.0.0/8"}}, "ip", ["10.1.2.3"], "allowed"),
        ({"ForAnyValue:IpAddress": {"a:key": "2001:db8::/32"}}, "ipList", ["10.1.2.3", "2001:db8::1"], "allowed"),
        ({"BinaryEquals": {"a:key": "QQ=="}}, "binary", ["QQ=="], "allowed"),
        ({"ForAnyValue:BinaryEquals": {"a:key": "QQ=="}}, "binaryList", ["Qg=="], "implicitDeny"),
        ({"DateLessThan": {"a:key": "2030-01-01T00:00:00Z"}}, "date", ["2029-12-31T23:59:59Z"], "allowed"),
        ({"ForAnyValue:DateLessThan": {"a:key": "2030-01-01"}}, "dateList", ["2031-01-01"], "implicitDeny"),
        ({"Null": {"a:key": "true"}}, "string", ["b"], "implicitDeny"),
    ],
)
def test_values_of_every_type(simulate, condition, kind, values, decision):
    entries = [entry("A:Key", kind, *values)]
    own = [document(allow("s3:*", "*", **condition))]
    assert simulate(own, ContextEntries=entries)["EvalDecision"] == decision


def test_a_users_simulation_takes_them_too(aws, simulate_ann):
    aws.user("ann", allow("s3:*", "*", StringEquals={"a:key": "b"}))
    assert simulate_ann()["MissingContextValues"] == ["a:key"]
    found = simulate_ann(ContextEntries=[entry("a:key", "string", "b")])
    assert (found["EvalDecision"], found["MissingContextValues"]) == ("allowed", [])


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ([entry("a:key", "string", "b", "c")], "Context key string expected a single value, but received 2."),
        ([entry("a:key", "numeric", "0x10")], "Invalid context value for key a:key: expected numeric format."),
        (
            [entry("a:key", "numericList", "1", "NaN")],
            "Invalid context value for key a:key: expected numeric format.",
        ),
        ([entry("a:key", "date", "soon")], "Invalid context value for key a:key: expected DateTime format."),
        ([entry("a:key", "ip", "10.0.0")], "Invalid context value for key a:key: expected IP address."),
        (
            [entry("a:key", "binary", "%")],
            "Invalid context value for key a:key: expected base-64 encoded binary format.",
        ),
        ([entry("a:key", "string", "b"), entry("A:Key", "string", "b")], "Duplicate context key: A:Key."),
        ([{"ContextKeyName": "a:key", "ContextKeyValues": ["b"]}], "Context key a:key has invalid type null."),
        (
            [{"ContextKeyName": "a:key", "ContextKeyType": "string"}],
            "Context values for context key a:key cannot be null or empty.",
        ),
        ([{"ContextKeyType": "string", "ContextKeyValues": ["b"]}], "ContextKeyName cannot be null or empty."),
        (
            [entry("a:key", "string", "b" * 8193)],
            "Invalid context value for key a:key: expected at most 8192 characters.",
        ),
    ],
)
def test_entries_that_say_nothing_clear(iam, refused, entries, words):
    with refused("InvalidInput", words):
        iam.simulate_custom_policy(PolicyInputList=[], ActionNames=[GET], ContextEntries=entries)


def test_a_type_that_there_is_not(iam, refused):
    with refused("ValidationError"):
        iam.simulate_custom_policy(PolicyInputList=[], ActionNames=[GET], ContextEntries=[entry("a:key", "text", "b")])


def test_missing_keys_are_all_that_the_policies_speak_of(simulate):
    """Also of statements for other actions, also those that the simulator fills in by it"""
    own = document(
        allow("sqs:*", "*", StringEquals={"a:one": "${aws:username}", "A:One": "x"}),
        deny("s3:*", "*", Null={"aws:userid": "true"}),
    )
    boundary = document(allow("*", "arn:aws:s3:::${a:two}"))
    found = simulate([own], PermissionsBoundaryPolicyInputList=[boundary])
    assert found["EvalDecision"] == "implicitDeny"
    assert found["MissingContextValues"] == ["a:one", "aws:username", "A:One", "aws:userid", "a:two"]
    given = [entry("a:ONE", "string", "x"), entry("aws:username", "string", "x")]
    found = simulate([own], PermissionsBoundaryPolicyInputList=[boundary], ContextEntries=given, ResourceArns=[KEY])
    assert found["MissingContextValues"] == ["aws:userid", "a:two"]
    assert found["ResourceSpecificResults"][0]["MissingContextValues"] == ["aws:userid", "a:two"]


def test_missing_keys_are_told_of_implicit_denials_alone(simulate):
    conditional = allow("s3:*", "*", StringEquals={"a:one": "x"})
    assert simulate([document(conditional, allow("s3:*"))])["MissingContextValues"] == []
    assert simulate([document(conditional, deny("s3:*"))])["MissingContextValues"] == []
    found = simulate([document(conditional, allow("s3:*", KEY))], ResourceArns=[KEY, LOCKED])
    [allowed, denied] = found["ResourceSpecificResults"]
    assert ("MissingContextValues" in allowed, denied["MissingContextValues"]) == (False, ["a:one"])
    assert found["MissingContextValues"] == ["a:one"]


IMAGE = "arn:aws:ec2:us-east-1::image/ami-1"


def test_it_is_for_run_instances(simulate, refused):
    own = [document(allow("*"))]
    found = simulate(own, "ec2:RunInstances", ResourceArns=[IMAGE], ResourceHandlingOption="EC2-VPC-EBS")
    assert found["EvalDecision"] == "allowed"
    words = (
        "Invalid input resource handling options. Action does not support resource handling options: s3:GetObject. "
        "Please refer to the documentation for more details: "
        "https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulateCustomPolicy.html"
    )
    for option in ("EC2-VPC-EBS", "nonsense"):
        with refused("InvalidInput", words):
            simulate(own, ResourceArns=[KEY], ResourceHandlingOption=option)
    with refused("InvalidInput"):
        simulate(own, "ec2:RunInstances", ResourceArns=[IMAGE], ResourceHandlingOption="nonsense")


def test_of_a_user_and_without_resources(aws, simulate_ann, refused):
    aws.user("ann", allow("*"))
    assert simulate_ann(ResourceHandlingOption="EC2-VPC-EBS")["EvalDecision"] == "allowed"
    with refused("InvalidInput"):
        simulate_ann(ResourceArns=[KEY], ResourceHandlingOption="EC2-VPC-EBS")
