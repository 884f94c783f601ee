"""Errors as botocore reads them: codes, words, members and statuses in every protocol."""

import json

import pytest
from wire.samples import Samples, model, parsed

from iamd.errors import AWSError, Common, CommonError
from iamd.wire import faults, models
from iamd.wire.models import Protocol

OWN = ("iam", "sts", "cloudtrail", "organizations", "sso-admin", "identitystore", "sso", "rolesanywhere")
OWN += ("accessanalyzer", "signin", "sso-oidc")


def an_error(code, message="It went wrong.", **members):
    return type(code, (AWSError,), {"code": code})(message, members=members)


@pytest.mark.parametrize("name", OWN)
def test_every_modelled_error_is_read_back_with_its_members(name):
    described, service = model(name), models.service(name)
    operation = service.operation(service.operation_names[0])
    for shape in described.error_shapes:
        members = Samples(1, plain=True).structure(shape)
        members = {key: value for key, value in members.items() if key.lower() != "message"}
        modelled = service.errors[shape.name]
        response = faults.fault(an_error(modelled.code, **members), name, operation, service.protocol, "an-id")
        read = parsed(described.operation_model(operation.name), response, protocol=described.protocol)
        assert read["Error"]["Code"] in {shape.error_code, shape.name}
        assert response.status == shape.metadata.get("error", {}).get("httpStatusCode", modelled.status)
        assert read["ResponseMetadata"]["RequestId"] == "an-id"
        again = parsed(None, response, protocol=described.protocol, shape=shape)
        wanted = dict(members)
        if described.protocol != "query":
            # Query writes Message with a capital letter, where IAM's model has none.
            wanted.update({key: "It went wrong." for key in shape.members if key.lower() == "message"})
        assert {key: again[key] for key in wanted} == wanted


def test_a_query_error_has_the_form_of_iam():
    operation = models.service("iam").operation("GetUser")
    error = an_error("NoSuchEntity", "The user with name <bond> cannot be found.")
    response = faults.fault(error, "iam", operation, Protocol.QUERY, "abc")
    assert response.status == 404
    assert response.body == (
        b'<ErrorResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><Error><Type>Sender</Type>'
        b"<Code>NoSuchEntity</Code><Message>The user with name &lt;bond&gt; cannot be found.</Message></Error>"
        b"<RequestId>abc</RequestId></ErrorResponse>"
    )
    assert (b"x-amzn-requestid", b"abc") in response.headers


COMMON = [
    ("sts", Protocol.QUERY, Common.UNKNOWN_ACCESS_KEY, "InvalidClientTokenId", 403),
    ("sts", Protocol.QUERY, Common.SIGNATURE_MISMATCH, "SignatureDoesNotMatch", 403),
    ("sts", Protocol.QUERY, Common.EXPIRED_TOKEN, "ExpiredToken", 403),
    ("sts", Protocol.QUERY, Common.INCOMPLETE_SIGNATURE, "IncompleteSignature", 400),
    ("sts", Protocol.QUERY, Common.MISSING_AUTHENTICATION, "MissingAuthenticationToken", 403),
    ("iam", Protocol.QUERY, Common.ACCESS_DENIED, "AccessDenied", 403),
    ("iam", Protocol.QUERY, Common.UNKNOWN_OPERATION, "InvalidAction", 400),
    ("iam", Protocol.QUERY, Common.VALIDATION, "ValidationError", 400),
    ("iam", Protocol.QUERY, Common.NOT_IMPLEMENTED, "NotImplemented", 501),
    ("iam", Protocol.QUERY, Common.INTERNAL, "InternalFailure", 500),
    ("iam", Protocol.QUERY, Common.UNAVAILABLE, "ServiceUnavailable", 503),
    ("iam", Protocol.QUERY, Common.TOO_LARGE, "RequestEntityTooLarge", 413),
    ("dynamodb", Protocol.JSON, Common.UNKNOWN_ACCESS_KEY, "UnrecognizedClientException", 400),
    ("dynamodb", Protocol.JSON, Common.SIGNATURE_MISMATCH, "InvalidSignatureException", 400),
    ("dynamodb", Protocol.JSON, Common.EXPIRED_TOKEN, "ExpiredTokenException", 400),
    ("cloudtrail", Protocol.JSON, Common.ACCESS_DENIED, "AccessDeniedException", 400),
    ("cloudtrail", Protocol.JSON, Common.UNKNOWN_OPERATION, "UnknownOperationException", 400),
    ("cloudtrail", Protocol.JSON, Common.MALFORMED, "SerializationException", 400),
    ("lambda", Protocol.REST_JSON, Common.SIGNATURE_MISMATCH, "InvalidSignatureException", 403),
    ("lambda", Protocol.REST_JSON, Common.ACCESS_DENIED, "AccessDeniedException", 403),
    ("s3", Protocol.REST_XML, Common.UNKNOWN_ACCESS_KEY, "InvalidAccessKeyId", 403),
    ("s3", Protocol.REST_XML, Common.SIGNATURE_TIME, "RequestTimeTooSkewed", 403),
    ("s3", Protocol.REST_XML, Common.INCOMPLETE_SIGNATURE, "AuthorizationHeaderMalformed", 400),
    ("s3", Protocol.REST_XML, Common.AUTHORIZATION_QUERY, "AuthorizationQueryParametersError", 400),
    ("s3", Protocol.REST_XML, Common.BODY_HASH_MISMATCH, "XAmzContentSHA256Mismatch", 400),
    ("s3", Protocol.REST_XML, Common.EXPIRED_TOKEN, "ExpiredToken", 400),
    ("s3", Protocol.REST_XML, Common.ACCESS_DENIED, "AccessDenied", 403),
    ("s3", Protocol.REST_XML, Common.INTERNAL, "InternalError", 500),
    ("ec2", Protocol.EC2, Common.ACCESS_DENIED, "UnauthorizedOperation", 403),
    ("ec2", Protocol.EC2, Common.UNKNOWN_ACCESS_KEY, "AuthFailure", 401),
    ("ec2", Protocol.EC2, Common.MISSING_AUTHENTICATION, "MissingParameter", 400),
    ("ec2", Protocol.EC2, Common.SIGNATURE_TIME, "RequestExpired", 400),
    ("cloudwatch", Protocol.CBOR, Common.THROTTLED, "Throttling", 400),
    ("cloudfront", Protocol.REST_XML, Common.ACCESS_DENIED, "AccessDenied", 403),
]


@pytest.mark.parametrize(("name", "protocol", "kind", "code", "status"), COMMON)
def test_common_errors_are_spelt_as_each_service_spells_them(name, protocol, kind, code, status):
    response = faults.fault(CommonError(kind), name, None, protocol, "an-id", "/bucket/key")
    read = parsed(None, response, protocol=str(protocol), shape=model(name).shape_for(any_shape(name)))
    assert (read["Error"]["Code"], response.status) == (code, status)
    assert read["Error"]["Message"] or code == "UnknownOperationException"
    assert read["ResponseMetadata"]["RequestId"] == "an-id"
    # CloudWatch and SQS give their clients the code of Query too, and botocore prefers it.
    assert name == "cloudwatch" or faults.told(CommonError(kind), name, protocol)[0] == code


def any_shape(name):
    described = model(name)
    return next(
        operation.output_shape.name
        for operation in map(described.operation_model, described.operation_names)
        if operation.output_shape
    )


@pytest.mark.parametrize("protocol", list(Protocol))
@pytest.mark.parametrize("kind", list(Common))
def test_every_common_error_has_a_spelling_in_every_protocol(kind, protocol):
    for name in (None, "s3"):
        response = faults.fault(CommonError(kind, "Words."), name, None, protocol, "an-id")
        assert 400 <= response.status < 600
        silent = faults.told(CommonError(kind), name, protocol)[0] in {"AuthFailure", "RequestExpired"}
        assert silent != (b"Words." in response.body)


def test_s3_names_the_resource_and_both_ids_and_nothing_to_head():
    operation = models.service("s3").operation("GetObject")
    error = CommonError(Common.ACCESS_DENIED)
    response = faults.fault(error, "s3", operation, Protocol.REST_XML, "abc", "/b/<k>")
    assert (
        b"<Code>AccessDenied</Code><Message>Access Denied</Message><Resource>/b/&lt;k&gt;</Resource>" in response.body
    )
    assert b"<RequestId>abc</RequestId><HostId>" in response.body
    assert dict(response.headers)[b"x-amz-request-id"] == b"abc"
    head = models.service("s3").operation("HeadObject")
    assert faults.fault(error, "s3", head, Protocol.REST_XML, "abc").body == b""


def test_sqs_tells_old_clients_the_code_of_query():
    operation = models.service("sqs").operation("SendMessage")
    denied = faults.fault(CommonError(Common.ACCESS_DENIED), "sqs", operation, Protocol.JSON, "abc")
    assert dict(denied.headers)[b"x-amzn-query-error"] == b"AccessDenied;Sender"
    assert json.loads(denied.body)["__type"] == "com.amazon.coral.service#AccessDeniedException"
    query = models.service("sqs").operation("SendMessage", Protocol.QUERY)
    answer = faults.fault(CommonError(Common.ACCESS_DENIED), "sqs", query, Protocol.QUERY, "abc")
    assert b"<Code>AccessDenied</Code>" in answer.body
    assert b"x-amzn-query-error" not in dict(answer.headers)


def test_members_of_other_kinds_do_not_break_the_answer():
    response = faults.fault(CommonError(Common.MALFORMED, "\x00 & \ud800"), "iam", None, Protocol.QUERY, "abc")
    assert b"<Message>\xef\xbf\xbd &amp; \xef\xbf\xbd</Message>" in response.body


@pytest.mark.parametrize(
    ("name", "protocol", "kind", "words"),
    [
        ("sts", Protocol.QUERY, Common.EXPIRED_TOKEN, "The security token included in the request is expired"),
        ("s3", Protocol.REST_XML, Common.EXPIRED_TOKEN, "The provided token has expired."),
        (
            "s3",
            Protocol.REST_XML,
            Common.INVALID_SESSION_TOKEN,
            "The provided token is malformed or otherwise invalid.",
        ),
        (
            "ec2",
            Protocol.EC2,
            Common.SIGNATURE_MISMATCH,
            "AWS was not able to validate the provided access credentials",
        ),
    ],
)
def test_the_words_of_an_error_are_the_services_own(name, protocol, kind, words):
    """EC2 says nothing of what is wrong with a signature, whatever the error brings."""
    message = "How the signature differs." if name == "ec2" else ""
    error = CommonError(kind, message)
    assert faults.told(error, name, protocol)[1] == words
    assert words.encode() in faults.fault(error, name, None, protocol, "an-id").body


def test_a_status_that_an_error_brings_counts():
    class Late(CommonError):
        status = 504

    assert faults.fault(Late(Common.UNAVAILABLE), "s3", None, Protocol.REST_XML, "an-id").status == 504
