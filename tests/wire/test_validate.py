"""The words of AWS's validation errors."""

import gzip
import json
import re
import warnings
from pathlib import Path
from time import thread_time

import botocore
import pytest

from iamd.errors import Common, CommonError
from iamd.wire import models, patterns
from iamd.wire.validate import validate

OWN = ("iam", "sts", "cloudtrail", "organizations", "sso-admin", "identitystore", "sso", "sso-oidc", "rolesanywhere")
OWN += ("accessanalyzer", "signin")


def error(service, operation, parameters):
    with pytest.raises(CommonError) as caught:
        validate(models.service(service).operation(operation), parameters)
    assert caught.value.kind is Common.VALIDATION
    return caught.value


def words(service, operation, **parameters):
    return error(service, operation, parameters).message


def test_a_pattern_that_does_not_match():
    assert words("sts", "AssumeRole", RoleArn="a" * 20, RoleSessionName="a b") == (
        "1 validation error detected: Value 'a b' at 'roleSessionName' failed to satisfy constraint: "
        "Member must satisfy regular expression pattern: [\\w+=,.@-]*"
    )


NAMES = "It must contain only alphanumeric characters and/or the following: +=,.@_-"
PATHS = "It must begin and end with / and contain only alphanumeric characters and/or / characters."
PREFIXES = "It must begin with the / character and contain only alphanumeric characters and/or / characters."


@pytest.mark.parametrize(
    ("operation", "parameters", "member", "said"),
    [
        ("CreateUser", {"UserName": "a b"}, "userName", NAMES),
        ("CreateGroup", {"GroupName": "a", "Path": "test/"}, "path", PATHS),
        ("UpdateUser", {"UserName": "a", "NewPath": "/a"}, "newPath", PATHS),
        ("ListPolicies", {"PathPrefix": "/foo"}, "pathPrefix", PREFIXES),
    ],
)
def test_iam_has_words_of_its_own_for_names_and_paths(operation, parameters, member, said):
    """As users of IAM quote its answers: aws/aws-cli issue 5860, aws-cloudformation/cfn-lint issue 722."""
    assert words("iam", operation, **parameters) == f"The specified value for {member} is invalid. {said}"


def test_iam_says_the_usual_when_more_is_wrong_than_a_name():
    found = words("iam", "CreateUser", UserName="a b", Path="x")
    assert found.startswith("2 validation errors detected: Value at 'path' failed to satisfy constraint: Member")


def test_a_text_that_is_too_long():
    assert words("iam", "CreateUser", UserName="a" * 65) == (
        "1 validation error detected: Value at 'userName' failed to satisfy constraint: "
        "Member must have length less than or equal to 64"
    )


def test_what_is_missing_is_null():
    assert words("sts", "AssumeRole", RoleArn="arn:aws:iam::123456789012:role/r") == (
        "1 validation error detected: Value null at 'roleSessionName' failed to satisfy constraint: "
        "Member must not be null"
    )


def test_several_errors_are_joined():
    """The words and order of an empty name are those recorded from DynamoDB by its client libraries' tests."""
    assert words("iam", "CreateUser", UserName="") == (
        "2 validation errors detected: Value at 'userName' failed to satisfy constraint: "
        "Member must satisfy regular expression pattern: [\\w+=,.@-]+; "
        "Value at 'userName' failed to satisfy constraint: Member must have length greater than or equal to 1"
    )


def test_members_of_lists_have_numbers_in_their_path():
    found = words("iam", "CreateUser", UserName="a", Tags=[{"Key": "k", "Value": "v"}, {"Key": "#", "Value": "v"}])
    assert found.startswith("1 validation error detected: Value at 'tags.2.member.key' failed")
    found = words("sts", "AssumeRole", RoleArn="a" * 20, RoleSessionName="ab", Tags=[{"Value": "v"}])
    assert found.startswith("1 validation error detected: Value null at 'tags.1.member.key' failed")


def test_iam_says_which_member_is_wrong_and_not_what_it_was_as_sts_does():
    """IAM's answers recorded in February and September 2026, a missing member's too; STS's repeat the value."""
    assert words("iam", "PutAccountProperties") == (
        "1 validation error detected: Value at 'properties' failed to satisfy constraint: Member must not be null"
    )
    assert words("iam", "ListUsers", MaxItems=1001) == (
        "1 validation error detected: Value at 'maxItems' failed to satisfy constraint: "
        "Member must have value less than or equal to 1000"
    )
    assert words("sts", "GetSessionToken", DurationSeconds=1).startswith("1 validation error detected: Value '1' at")


def test_of_several_members_iam_tells_in_the_order_of_a_hash_map():
    """AWS's answers to CreateOpenIDConnectProvider and UpdateAccountPasswordPolicy, recorded in February 2026."""
    found = words(
        "iam", "CreateOpenIDConnectProvider", Url="u" * 256, ClientIDList=["c" * 256], ThumbprintList=["t" * 41]
    )
    assert found == (
        "3 validation errors detected: Value at 'clientIDList' failed to satisfy constraint: Member must satisfy "
        "constraint: [Member must have length less than or equal to 255, Member must have length greater than or equal "
        "to 1]; Value at 'thumbprintList' failed to satisfy constraint: Member must satisfy constraint: [Member must "
        "have length less than or equal to 40, Member must have length greater than or equal to 40]; Value at 'url' "
        "failed to satisfy constraint: Member must have length less than or equal to 255"
    )
    found = words(
        "iam", "UpdateAccountPasswordPolicy", MinimumPasswordLength=129, MaxPasswordAge=1096, PasswordReusePrevention=25
    )
    assert found == (
        "3 validation errors detected: Value at 'minimumPasswordLength' failed to satisfy constraint: Member must have "
        "value less than or equal to 128; Value at 'passwordReusePrevention' failed to satisfy constraint: Member must "
        "have value less than or equal to 24; Value at 'maxPasswordAge' failed to satisfy constraint: Member must have "
        "value less than or equal to 1095"
    )


def test_keys_of_tags_must_not_be_null_either():
    """AWS's answers to UntagPolicy and UntagRole, recorded in February 2026."""
    found = words("iam", "UntagRole", RoleName="r", TagKeys=["#"])
    assert found.endswith("Member must satisfy regular expression pattern: [\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]+, "
                          "Member must not be null]")  # fmt: skip


def test_lists_of_texts_are_told_as_a_whole():
    """AWS's answer, recorded in September 2026: the order of the values is its own."""
    assert words("iam", "GetAccountAuthorizationDetails", Filter=["User", "Nobody"]) == (
        "1 validation error detected: Value at 'filter' failed to satisfy constraint: "
        "Member must satisfy constraint: [Member must satisfy enum value set: "
        "[LocalManagedPolicy, User, AWSManagedPolicy, Role, Group]]"
    )


def test_numbers_have_a_range_and_enums_a_set():
    assert words("iam", "ListUsers", MaxItems=0).endswith("Member must have value greater than or equal to 1")
    assert words("iam", "ListUsers", MaxItems=1001).endswith("Member must have value less than or equal to 1000")
    found = words("iam", "UpdateAccessKey", AccessKeyId="AKIA" * 5, Status="On")
    assert found.endswith("Value at 'status' failed to satisfy constraint: "
                          "Member must satisfy enum value set: [Active, Inactive, Expired]")  # fmt: skip


def test_secrets_are_not_repeated():
    found = words("iam", "CreateLoginProfile", UserName="a", Password="é\x00" * 100)
    assert found.startswith("2 validation errors detected: Value at 'password' failed to satisfy constraint: Member")
    found = words(
        "iam",
        "EnableMFADevice",
        UserName="a",
        SerialNumber="a" * 9,
        AuthenticationCode1="12x456",
        AuthenticationCode2="123456",
    )
    assert "12x456" not in found
    assert "Value at 'authenticationCode1'" in found
    assert "12x456" not in words("sts", "GetSessionToken", SerialNumber="a" * 9, TokenCode="12x456")


def test_length_counts_as_java_does():
    """Java's strings count UTF-16 units: a character beyond the basic plane is two."""
    assert "less than or equal to 256" in words(
        "iam", "CreateUser", UserName="a", Tags=[{"Key": "k", "Value": "𝕏" * 129}]
    )
    validate(
        models.service("iam").operation("CreateUser"), {"UserName": "a", "Tags": [{"Key": "k", "Value": "𝕏" * 128}]}
    )


def test_the_members_of_a_validation_exception_are_given():
    found = error("accessanalyzer", "GetAnalyzer", {"analyzerName": "1"})
    assert found.members["reason"] == "fieldValidationFailed"
    assert found.members["fieldList"][0]["name"] == "analyzerName"


@pytest.mark.parametrize("name", ["éé", "a\n", "a b", "ſſ", "٣٣"])
def test_words_are_ascii_and_the_whole_text_counts(name):
    found = words("sts", "AssumeRole", RoleArn="a" * 20, RoleSessionName=name)
    assert found.endswith("Member must satisfy regular expression pattern: [\\w+=,.@-]*")


def test_what_keeps_the_model_passes():
    validate(models.service("sts").operation("GetCallerIdentity"), {})
    tags = [{"Key": "Ünï 語", "Value": ""}]
    validate(models.service("iam").operation("CreateUser"), {"UserName": "james.bond@mi6", "Path": "/a/", "Tags": tags})


def test_every_pattern_of_own_services_is_read_without_a_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name in (*OWN, "sqs", "dynamodb", "lambda", "glue", "budgets", "fsx", "rbin", "connecthealth", "sagemaker"):
            found = {raw.pattern for raw in models.service(name)._raw.shapes.values() if raw.pattern}
            for pattern in found:
                assert patterns.fits(pattern)("") in {True, False}


@pytest.mark.parametrize(
    ("pattern", "good", "bad"),
    [
        ("^a$", "a", "a\n"),
        ("[\\p{L}\\p{N}]+", "é語3", "é!"),
        ("[^\\p{L}]", "1", "a"),
        ("\\P{L}", "1", "é"),
        ("[\\w-.]+", "a-.", "a+"),
        ("[\\u0020-\\uD7FF\\uD800\\uDC00-\\uDBFF\\uDFFF]+", "a𝕏", "\ufffd"),
        ("(?!(?i)AWS_)[a-zA-Z_]+", "a_aws", "aWs_x"),
        ("[a-z[0-9]+", "a[9", "A"),
        ("\\p{Print}+", "a b", "é"),
        ("(a|b)${1,3}", "a", "ab"),
        ("a*+b", "aab", "aa"),
        ("[]a]+", "]a", "b"),
    ],
)
def test_javas_patterns_mean_the_same(pattern, good, bad):
    assert patterns.fits(pattern)(good)
    assert not patterns.fits(pattern)(bad)


PUMPED = [
    start + part * 400 + "\0!"
    for start in ("", "arn:aws:s3:", "https://", "x@")
    for part in ("a", "1", "a ", "a-", "a/.")
]


def every_pattern():
    data = Path(botocore.__file__).parent / "data"
    for path in data.glob("*/*/service-2.json.gz"):
        yield from map(json.loads, re.findall(rb'"pattern":("(?:[^"\\]|\\.)*+")', gzip.decompress(path.read_bytes())))


@pytest.mark.timeout(120)
def test_no_pattern_of_any_model_keeps_the_server_busy():
    patterns_of_all = set(every_pattern())
    assert len(patterns_of_all) > 4000
    for pattern in patterns_of_all:
        fits = patterns.fits(pattern)
        began = thread_time()
        with patterns.at_most():
            for text in PUMPED:
                fits(text)
        assert thread_time() - began < 10 * patterns.SECONDS, pattern


@pytest.mark.timeout(60)
def test_all_values_of_a_request_together_are_matched_in_a_bounded_time():
    fits, slow = patterns.fits(r"[a-z]+[-\w]*[a-z]+[-\w]*[a-z]+"), "a" * 3000 + "!"
    began = thread_time()
    with patterns.at_most():
        assert not any(fits(slow) for _ in range(100))  # each alone would take a second
    assert thread_time() - began < 10 * patterns.SECONDS
    assert fits("a-b-c")  # another request has its own time


def test_a_value_that_hardly_fails_is_refused_as_any_other():
    header = {"HeaderParameters": {"h": "a " * 200 + "\1"}}
    targets = [{"Id": "1", "Arn": "arn:aws:sqs:us-east-1:1:q", "HttpParameters": header}] * 100
    assert "regular expression" in words("events", "PutTargets", Rule="r", Targets=targets)
