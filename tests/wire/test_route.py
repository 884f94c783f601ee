"""What a request names, and what is refused because it could name two things."""

import pytest
from wire.requests import FORM, JSON, LOOKUP, form, http, iam, target

from iamd.errors import AWSError, Common, CommonError
from iamd.wire import parse, route, s3
from iamd.wire.models import Protocol

CALLER = b"Action=GetCallerIdentity&Version=2011-06-15"


def refused(sent, scope, kind=Common.UNKNOWN_OPERATION):
    with pytest.raises(CommonError) as caught:
        route.operation_of(sent, scope)
    assert caught.value.kind is kind
    return caught.value.message


def named(sent, scope):
    found = route.operation_of(sent, scope)
    return found.service, found.operation.name


def test_query_is_read_from_the_body_or_from_the_query_string():
    assert named(form(CALLER), "sts") == ("sts", "GetCallerIdentity")
    assert named(http("GET", query=CALLER), "sts") == ("sts", "GetCallerIdentity")
    signed = b"&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=x&X-Amz-Signature=00"
    assert named(http("GET", query=CALLER + signed), "sts") == ("sts", "GetCallerIdentity")
    assert named(http("POST", query=CALLER), "sts") == ("sts", "GetCallerIdentity")
    assert route.operation_of(form(CALLER + b"&A=b"), "sts").form == {"A": "b"}


def test_unsigned_operations_are_found_by_action_and_version():
    sent = form(b"Action=AssumeRoleWithWebIdentity&Version=2011-06-15")
    assert named(sent, None) == ("sts", "AssumeRoleWithWebIdentity")


def test_unknown_operations_are_worded_as_the_protocol_words_them():
    words = "Could not find operation Nope for version 2010-05-08"
    assert refused(iam(b"Action=Nope"), "iam") == words
    words = "Could not find operation ListUsers for version NO_VERSION_SPECIFIED"
    assert refused(form(b"Action=ListUsers"), "iam") == words
    assert refused(form(b"Action=ListUsers&Version=2011-06-15"), "iam").endswith("for version 2011-06-15")
    assert refused(iam(b"Action=listusers"), "iam").startswith("Could not find operation listusers")
    refused(target(b"AWSOrganizationsV20161128.Nope"), "organizations")
    refused(http("GET", b"/nope"), "lambda")
    refused(http("PATCH", b"/bucket/key"), "s3")
    refused(form(CALLER), "nosuchservice")


def test_a_post_to_a_bucket_is_wanted_to_be_a_form():
    with pytest.raises(s3.PreconditionFailed):
        route.operation_of(http("POST", b"/bucket"), "s3")


def test_a_query_request_without_action_is_told_so():
    with pytest.raises(route.MissingAction):
        route.operation_of(form(b"Version=2010-05-08"), "iam")


@pytest.mark.parametrize(
    ("sent", "scope"),
    [
        (http("POST", query=b"Action=ListUsers&Version=2010-05-08", body=CALLER, headers=(FORM,)), "sts"),
        (http("POST", query=b"Version=2011-06-15", body=CALLER, headers=(FORM,)), "sts"),
        (form(CALLER + b"&Action=GetSessionToken"), "sts"),
        (form(CALLER + b"&action=GetSessionToken"), "sts"),
        (form(CALLER + b"&Version=2010-05-08"), "sts"),
        (http("GET", query=CALLER + b"&Action=GetSessionToken"), "sts"),
        (target(LOOKUP, query=b"Action=ListUsers"), "cloudtrail"),
        (http(body=b"{}", headers=(JSON, (b"x-amz-target", LOOKUP), (b"x-amz-target", LOOKUP))), "cloudtrail"),
        (http(body=CALLER, headers=(FORM, FORM)), "sts"),
        (http(body=CALLER, headers=(FORM, (b"host", b"iam.localhost"))), "sts"),
    ],
)
def test_what_names_an_operation_twice_is_refused(sent, scope):
    refused(sent, scope, Common.VALIDATION)


@pytest.mark.parametrize(
    ("sent", "scope"),
    [
        (target(LOOKUP), "iam"),
        (target(LOOKUP), "s3"),
        (target(LOOKUP), "lambda"),
        (target(LOOKUP, path=b"/bucket/key"), "cloudtrail"),
        (target(LOOKUP, path=b"//"), "cloudtrail"),
        (http("GET", headers=(JSON, (b"x-amz-target", LOOKUP))), "cloudtrail"),
        (http(body=b"{}", headers=(FORM, (b"x-amz-target", LOOKUP))), "cloudtrail"),
        (
            http(body=b"{}", headers=(JSON, (b"x-amz-target", LOOKUP), (b"smithy-protocol", b"rpc-v2-cbor"))),
            "cloudtrail",
        ),
        (http("PUT", query=CALLER), "sts"),
        (form(CALLER, path=b"/elsewhere"), "sts"),
        (http(path=b"/service/AWSEvents/operation/PutRule", headers=((b"smithy-protocol", b"rpc-v2-cbor"),)), "logs"),
        (http(path=b"/x/service/Logs_20140328/operation/PutLogEvents", headers=((b"smithy-protocol", b"x"),)), "logs"),
    ],
)
def test_parts_that_disagree_name_no_operation(sent, scope):
    refused(sent, scope)


def test_a_body_that_is_no_form_is_not_read_as_one():
    refused(http(body=CALLER, headers=((b"content-type", b"text/plain"),)), "sts", Common.MALFORMED)


@pytest.mark.parametrize(
    "host",
    [
        b"sts.localhost:4566",
        b"sts.amazonaws.com",
        b"sts.us-east-1.amazonaws.com",
        b"vpce-1a-5e.sts.us-east-1.vpce.amazonaws.com",
        b"127.0.0.1:4566",
        b"[::1]:80",
    ],
)
def test_hosts_name_services(host):
    assert named(form(CALLER, host=host), "sts") == ("sts", "GetCallerIdentity")


def test_a_host_of_another_service_than_the_scope_is_refused():
    words = refused(form(CALLER, host=b"sts.localhost"), "iam", Common.SIGNATURE_MISMATCH)
    assert words == "Credential should be scoped to correct service: 'sts'. "


@pytest.mark.parametrize(
    ("host", "path", "bucket", "key"),
    [
        (b"localhost:4566", b"/b/k", "b", "k"),
        (b"b.s3.localhost:4566", b"/k", "b", "k"),
        (b"b.with.dots.s3.localhost", b"/k", "b.with.dots", "k"),
        (b"bucket.vpce-1a2b-5e6f.s3.us-east-1.vpce.amazonaws.com", b"/b/k", "b", "k"),
        (b"b.with.dots.bucket.vpce-1a2b-5e6f.s3.us-east-1.vpce.amazonaws.com:443", b"/k", "b.with.dots", "k"),
        (b"b.vpce-1a2b-5e6f-us-east-1a.s3.us-east-1.vpce.amazonaws.com", b"/k", "b", "k"),
        (b"b.s3.eu-west-1.amazonaws.com", b"/k/l", "b", "k/l"),
        (b"b.s3-us-west-2.amazonaws.com", b"/k", "b", "k"),
        (b"b.s3.dualstack.us-east-1.amazonaws.com", b"/k", "b", "k"),
        (b"s3.us-east-1.amazonaws.com", b"/b/k", "b", "k"),
        (b"b.s3.evil.example", b"/c/k", "c", "k"),
        (b"localhost", b"/b//k%2F%20/../x+y", "b", "/k/ /../x+y"),
    ],
)
def test_buckets_and_keys_are_read_without_normalising(host, path, bucket, key):
    found = route.operation_of(http("GET", path, host=host), "s3")
    assert (found.operation.name, found.path_parameters) == ("GetObject", {"Bucket": bucket, "Key": key})


@pytest.mark.parametrize(
    ("method", "path", "query", "headers", "name"),
    [
        ("GET", b"/", b"", (), "ListBuckets"),
        ("GET", b"/b", b"", (), "ListObjects"),
        ("GET", b"/b/", b"", (), "ListObjects"),
        ("GET", b"/b", b"list-type=2&prefix=x", (), "ListObjectsV2"),
        ("GET", b"/b", b"versions", (), "ListObjectVersions"),
        ("GET", b"/b", b"uploads", (), "ListMultipartUploads"),
        ("GET", b"/b/k", b"uploadId=1", (), "ListParts"),
        ("GET", b"/b/k", b"versionId=1", (), "GetObject"),
        ("GET", b"/b/k", b"x-id=GetObject", (), "GetObject"),
        ("GET", b"/b/k", b"partNumber=1", (), "GetObject"),
        ("PUT", b"/b/k", b"", (), "PutObject"),
        ("PUT", b"/b/k", b"", ((b"x-amz-copy-source", b"c/l"),), "CopyObject"),
        ("PUT", b"/b/k", b"partNumber=1&uploadId=2", (), "UploadPart"),
        ("PUT", b"/b/k", b"partNumber=1&uploadId=2", ((b"x-amz-copy-source", b"c/l"),), "UploadPartCopy"),
        ("POST", b"/b/k", b"uploads", (), "CreateMultipartUpload"),
        ("POST", b"/b/k", b"uploadId=2", (), "CompleteMultipartUpload"),
        ("DELETE", b"/b/k", b"uploadId=2", (), "AbortMultipartUpload"),
        ("DELETE", b"/b/k", b"versionId=2", (), "DeleteObject"),
        ("POST", b"/b", b"delete", (), "DeleteObjects"),
        ("POST", b"/b", b"delete=", (), "DeleteObjects"),
        ("GET", b"/b", b"analytics", (), "ListBucketAnalyticsConfigurations"),
        ("GET", b"/b", b"analytics&id=1", (), "GetBucketAnalyticsConfiguration"),
        ("POST", b"/b/k", b"select&select-type=2", (), "SelectObjectContent"),
        ("HEAD", b"/b", b"", (), "HeadBucket"),
        ("GET", b"/v20180820/tags/x", b"", (), "GetObject"),
    ],
)
@pytest.mark.parametrize("scope", ["s3", None])
def test_sub_resources_choose_the_operation_of_s3(method, path, query, headers, name, scope):
    assert named(http(method, path, query, headers=headers), scope) == ("s3", name)


@pytest.mark.parametrize(
    ("method", "query", "headers"),
    [
        ("GET", b"acl&tagging", ()),
        ("GET", b"uploadId=1&acl", ()),
        ("PUT", b"partNumber=1", ()),
        ("PUT", b"versionId=1", ()),
        ("PUT", b"acl", ((b"x-amz-copy-source", b"c/l"),)),
        ("GET", b"x-id=PutObject", ()),
        ("PUT", b"x-amz-copy-source=c%2Fl", ()),
        ("DELETE", b"policy", ()),
        ("GET", b"uploads", ()),
        ("GET", b"Action=ListUsers", ()),
    ],
)
def test_s3_refuses_what_does_not_belong_to_the_operation(method, query, headers):
    with pytest.raises(AWSError):
        route.operation_of(http(method, b"/b/k", query, headers=headers), "s3")


@pytest.mark.parametrize("path", [b"/b/%", b"/b/%zz", b"/b/%ff", b"/b/%00", b"b/k", b"//k"])
def test_paths_of_s3_that_cannot_be_read_are_refused(path):
    with pytest.raises(AWSError, match="Couldn't parse"):
        route.operation_of(http("GET", path), "s3")


def test_s3_control_is_told_from_s3_by_its_account():
    sent = http("GET", b"/v20180820/accesspoint", headers=((b"x-amz-account-id", b"123456789012"),))
    assert named(sent, "s3") == ("s3control", "ListAccessPoints")


@pytest.mark.parametrize("path", [b"/2015-03-31/functions/../functions", b"/2015-03-31//functions", b"/2015-03-31"])
def test_paths_of_rest_services_are_not_normalised(path):
    refused(http("GET", path), "lambda")
    refused(http("GET", b"/2015-03-31/functions/%2e%2e"), "lambda")


def test_labels_are_decoded_after_the_path_is_split():
    found = route.operation_of(http("GET", b"/2015-03-31/functions/a%2Fb"), "lambda")
    assert (found.operation.name, found.path_parameters) == ("GetFunction", {"FunctionName": "a/b"})


@pytest.mark.parametrize(
    ("sent", "name"),
    [
        (http("POST", b"/token", headers=((b"content-type", b"application/json"),)), ("sso-oidc", "CreateToken")),
        (
            http("GET", b"/assignment/accounts", headers=((b"x-amz-sso_bearer_token", b"t"),)),
            ("sso", "ListAccounts"),
        ),
        (http("GET", b"/assignment/accounts"), ("s3", "GetObject")),
        (http("PUT", b"/token"), ("s3", "CreateBucket")),
    ],
)
def test_unsigned_paths_are_sso_only_with_their_proof_and_s3_otherwise(sent, name):
    assert named(sent, None) == name


def test_an_unsigned_operation_that_wants_a_signature_is_not_sso():
    json = ((b"content-type", b"application/json"),)
    with pytest.raises(AWSError):
        route.operation_of(http("POST", b"/token", b"aws_iam=t", headers=json), None)


@pytest.mark.parametrize(
    ("sent", "scope", "wanted"),
    [
        (form(b"Action=Nope"), "iam", ("iam", Protocol.QUERY)),
        (form(b"Action=Nope"), None, (None, Protocol.QUERY)),
        (form(b"Action=Nope"), "sqs", ("sqs", Protocol.QUERY)),
        (form(b"Action=Nope"), "monitoring", ("cloudwatch", Protocol.QUERY)),
        (form(b"Action=Nope"), "ses", ("ses", Protocol.QUERY)),
        (http("GET", query=b"Action=Nope"), "sqs", ("sqs", Protocol.QUERY)),
        (form(b"Action=Nope"), "ec2", ("ec2", Protocol.EC2)),
        (form(b"Action=Nope"), "lambda", ("lambda", Protocol.REST_JSON)),
        (http(), "sqs", ("sqs", Protocol.JSON)),
        (target(LOOKUP + b"x"), "cloudtrail", ("cloudtrail", Protocol.JSON)),
        (http("PATCH", b"/b"), None, ("s3", Protocol.REST_XML)),
        (http("GET", b"/x"), "lambda", ("lambda", Protocol.REST_JSON)),
        (http("GET", b"/x"), "nosuch", ("s3", Protocol.REST_XML)),
        (http(headers=((b"smithy-protocol", b"rpc-v2-cbor"),)), "monitoring", ("cloudwatch", Protocol.CBOR)),
    ],
)
def test_a_request_that_names_nothing_is_answered_in_its_dialect(sent, scope, wanted):
    found = route.dialect(sent, scope)
    assert (found.service, found.protocol) == wanted


OTHERWISE = {
    "another scope": (form(CALLER), "iam"),
    "another host": (form(CALLER, host=b"iam.amazonaws.com"), "sts"),
    "another content type": (http(body=CALLER, headers=((b"content-type", b"text/plain"),)), "sts"),
    "an encoding": (http(body=CALLER, headers=(FORM, (b"content-encoding", b"br"))), "sts"),
    "a target": (http(body=CALLER, headers=(FORM, (b"x-amz-target", LOOKUP))), "sts"),
    "a protocol": (http(body=CALLER, headers=(FORM, (b"smithy-protocol", b"rpc-v2-cbor"))), "sts"),
    "two hosts": (http(body=CALLER, headers=(FORM, (b"host", b"iam.amazonaws.com"))), "sts"),
    "another path": (form(CALLER, path=b"/x"), "sts"),
    "a query": (form(CALLER, query=b"Action=GetSessionToken"), "sts"),
    "another method": (form(CALLER, method="PUT"), "sts"),
}


@pytest.mark.parametrize("how", OTHERWISE)
def test_a_form_that_was_read_before_is_read_anew_when_anything_else_decides(how):
    assert named(form(CALLER), "sts") == ("sts", "GetCallerIdentity")
    with pytest.raises(CommonError):
        route.operation_of(*OTHERWISE[how])
    assert route.operation_of(form(CALLER), "sts") is route.operation_of(form(CALLER), "sts")


def test_a_form_that_may_hold_a_secret_is_not_remembered():
    sent = b"Action=ChangePassword&Version=2010-05-08&OldPassword=canary-1&NewPassword=canary-2"
    assert named(form(sent), "iam") == ("iam", "ChangePassword")
    assert route.operation_of(form(sent), "iam") is not route.operation_of(form(sent), "iam")
    assert b"canary" not in b"".join(key[3] for key in route._forms)


def test_a_form_without_its_operations_secrets_is_remembered_and_one_with_them_is_not():
    plain = b"Action=AssumeRole&Version=2011-06-15&RoleArn=arn&RoleSessionName=remembered"
    route.operation_of(form(plain), "sts")
    # No account's number has these digits: forms of other tests are kept in the same process.
    route.operation_of(form(plain + b"&TokenCode=314159"), "sts")
    kept = [key[3] for key in route._forms]
    assert plain in kept
    assert not any(b"314159" in body for body in kept)


def test_parameters_of_a_remembered_form_are_not_those_that_another_request_got():
    body = b"Action=GetUser&Version=2010-05-08&UserName=ann"
    first = route.operation_of(form(body), "iam")
    parse.parameters(first, form(body))["UserName"] = "bob"
    again = route.operation_of(form(body), "iam")
    assert again is first
    assert parse.parameters(again, form(body)) == {"UserName": "ann"}
