"""What Parameter Store takes as a value (Systems Manager User Guide, param-create-cli)."""

import pytest
from botocore.exceptions import ClientError
from gateway.two_accounts import code_of


@pytest.fixture
def ssm(cloud):
    return cloud.client("ssm")


def put(ssm, value, **more):
    return ssm.put_parameter(Name="number", Value=value, **more)


def test_a_value_is_as_the_allowed_pattern_has_it(ssm):
    given = {"Type": "String", "AllowedPattern": r"\d{1,4}"}
    for value in ("abc", "12345", "12 "):
        with pytest.raises(ClientError, match=r"cannot be validated against allowedPattern: \\d\{1,4\}$") as caught:
            put(ssm, value, **given)
        assert caught.value.response["Error"]["Code"] == "ParameterPatternMismatchException"
    assert code_of(ssm.get_parameter, Name="number") == "ParameterNotFound"
    put(ssm, "100", **given)
    # The pattern holds on, until there is another one.
    assert code_of(ssm.put_parameter, Name="number", Value="abc", Overwrite=True) == "ParameterPatternMismatchException"
    put(ssm, "200", Overwrite=True)
    assert code_of(ssm.put_parameter, Name="number", Value="abc", Overwrite=True) == "ParameterPatternMismatchException"
    put(ssm, "abc", Overwrite=True, AllowedPattern="[a-z]+")
    [history] = [one for one in ssm.get_parameter_history(Name="number")["Parameters"] if one["Version"] == 3]
    assert (history["Value"], history["AllowedPattern"]) == ("abc", "[a-z]+")


@pytest.mark.parametrize(("pattern", "value"), [("(", "a"), ("(a+)+$", "a" * 40 + "b")])
def test_a_pattern_that_is_none_or_matches_for_ever_is_refused(ssm, pattern, value):
    assert code_of(ssm.put_parameter, Name="number", Value=value, Type="String", AllowedPattern=pattern) in {
        "InvalidAllowedPatternException",
        "ParameterPatternMismatchException",
    }


def test_policies_of_parameters_are_refused_by_name(ssm):
    expiring = '[{"Type":"Expiration","Version":"1.0","Attributes":{"Timestamp":"2030-01-01T00:00:00Z"}}]'
    with pytest.raises(ClientError, match="does not implement Policies of PutParameter") as caught:
        put(ssm, "1", Type="String", Tier="Advanced", Policies=expiring)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    put(ssm, "1", Type="String", Policies="[{}]")
    assert ssm.get_parameter(Name="number")["Parameter"]["Value"] == "1"
