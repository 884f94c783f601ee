"""Bodies that cannot be read, or that say more than the model knows, are refused by name."""

import gzip
import json
import tracemalloc
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wire.requests import LOOKUP, http, iam, target

from iamd.errors import AWSError, Common, CommonError
from iamd.wire import cbor, form, parse, parse_json, route, validate


def error(sent, scope):
    with pytest.raises(CommonError) as caught:
        parse.parameters(route.operation_of(sent, scope), sent)
    return caught.value


@pytest.mark.parametrize(
    ("body", "kind", "words"),
    [
        (b"UserName=a&UserName=b", Common.VALIDATION, "Duplicate parameter: UserName"),
        (b"UserName=a&username=b", Common.VALIDATION, "Duplicate parameter: username"),
        (b"userName=a", Common.VALIDATION, "Unknown parameter: userName"),
        (b"UserName=a&Admin=true", Common.VALIDATION, "Unknown parameter: Admin"),
        (b"UserName.x=a", Common.VALIDATION, "Unknown parameter: UserName.x"),
        (b"UserName=a&UserName.x=a", Common.VALIDATION, "Duplicate parameter: UserName.x"),
        (b"UserName.x=a&UserName=a", Common.VALIDATION, "Duplicate parameter: UserName"),
        (b"Tags.1.Key=a", Common.VALIDATION, "Unknown parameter: Tags.1"),
        (b"Tags.member.Key=a", Common.VALIDATION, "Unknown parameter: Tags.Key"),
        (b"Tags.member.0.Key=a", Common.VALIDATION, "Unknown parameter: Tags.0"),
        (b"Tags.member.01.Key=a", Common.VALIDATION, "Unknown parameter: Tags.01"),
        ("Tags.member.٣.Key=a".encode(), Common.VALIDATION, "Unknown parameter: Tags.٣"),
        (b"Tags.member.1.Kind=a", Common.VALIDATION, "Unknown parameter: Tags.1.Kind"),
        (b"Tags.member.2.Key=a", Common.MALFORMED, "List indexes of Tags do not follow each other"),
        (b"Tags=a", Common.MALFORMED, "Unexpected list element termination"),
        (b"UserName=%zz", Common.MALFORMED, "Malformed percent-encoding"),
        (b"UserName=%ff", Common.MALFORMED, "Text is not UTF-8"),
        (b"a" + b".a" * 100 + b"=1", Common.VALIDATION, "Unknown parameter: a"),
    ],
)
def test_forms_are_read_strictly(body, kind, words):
    found = error(iam(b"Action=CreateUser&" + body), "iam")
    assert (found.kind, found.message) == (kind, words)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"MaxItems=ten", "STRING_VALUE can not be converted to an Integer"),
        (b"MaxItems=1.5", "STRING_VALUE can not be converted to an Integer"),
        (b"MaxItems=99999999999", "Number out of range for Integer"),
        ("MaxItems=٣".encode(), "STRING_VALUE can not be converted to an Integer"),
    ],
)
def test_numbers_of_forms_are_numbers(body, words):
    assert error(iam(b"Action=ListUsers&" + body), "iam").message == words


def test_booleans_and_dates_of_forms_are_strict():
    for text, words in (
        (b"True", "boolean must follow xsd1.1 definition"),
        (b"yes", "boolean must follow xsd1.1 definition"),
        (b"01", "boolean must follow xsd1.1 definition"),
        (b"", "missing value for boolean type"),
    ):
        found = error(iam(b"Action=UpdateAccountPasswordPolicy&RequireSymbols=" + text), "iam")
        assert found.message == words
    sent = http("GET", query=b"Action=DescribeAlarmHistory&Version=2010-08-01&StartDate=20250101T00")
    assert error(sent, "monitoring").message == "timestamp must follow ISO8601"


@pytest.mark.parametrize(
    ("body", "kind", "words"),
    [
        (b"{", Common.MALFORMED, "Unable to parse the request body as JSON"),
        (b"\xff", Common.MALFORMED, "Unable to parse the request body as JSON"),
        (b'{"MaxResults": NaN}', Common.MALFORMED, "Unable to parse the request body as JSON"),
        (b'{"MaxResults": 1} x', Common.MALFORMED, "Unable to parse the request body as JSON"),
        (b"[]", Common.MALFORMED, "Start of list found where not expected."),
        (b'"x"', Common.MALFORMED, "STRING_VALUE can not be converted to a Structure"),
        (b'{"MaxResults": 1, "MaxResults": 2}', Common.VALIDATION, "Duplicate member: MaxResults"),
        (b'{"maxResults": 1}', Common.VALIDATION, "Unknown parameter: maxResults"),
        (b'{"MaxResults": "1"}', Common.MALFORMED, "STRING_VALUE can not be converted to an Integer"),
        (b'{"MaxResults": true}', Common.MALFORMED, "TRUE_VALUE can not be converted to an Integer"),
        (b'{"MaxResults": 1.5}', Common.MALFORMED, "DECIMAL_VALUE can not be converted to an Integer"),
        (b'{"MaxResults": 99999999999}', Common.MALFORMED, "Number out of range for Integer"),
        (b'{"NextToken": 1}', Common.MALFORMED, "NUMBER_VALUE can not be converted to a String"),
        (b'{"NextToken": {}}', Common.MALFORMED, "Start of structure or map found where not expected."),
        (b'{"LookupAttributes": {}}', Common.MALFORMED, "Start of structure or map found where not expected."),
        (b'{"LookupAttributes": [null]}', Common.MALFORMED, "NULL_VALUE can not be converted to a Structure"),
        (b'{"StartTime": "x"}', Common.MALFORMED, "STRING_VALUE can not be converted to a Timestamp"),
        (b'{"StartTime": 1e300}', Common.MALFORMED, "STRING_VALUE can not be converted to a Timestamp"),
        (b'{"StartTime": 1e999}', Common.MALFORMED, "STRING_VALUE can not be converted to a Timestamp"),
        (b'{"X": ' + b"[" * 40 + b"]" * 40 + b"}", Common.MALFORMED, "The request body is nested too deeply"),
        (b"[" * 100_000, Common.MALFORMED, "Unable to parse the request body as JSON"),
        (b'{"MaxResults": 1' + b"0" * 5000 + b"}", Common.MALFORMED, "Unable to parse the request body as JSON"),
    ],
)
def test_json_is_read_strictly(body, kind, words):
    found = error(target(LOOKUP, body), "cloudtrail")
    assert (found.kind, found.message) == (kind, words)


def test_null_members_are_absent():
    sent = target(LOOKUP, b'{"MaxResults": null}')
    assert parse.parameters(route.operation_of(sent, "cloudtrail"), sent) == {}


def test_map_keys_may_differ_in_case_alone():
    body = json.dumps({"FunctionName": "f", "Environment": {"Variables": {"a": "1", "A": "2"}}}).encode()
    sent = http("PUT", b"/2015-03-31/functions/f/configuration", body=body.replace(b'"FunctionName": "f", ', b""))
    read = parse.parameters(route.operation_of(sent, "lambda"), sent)
    assert read["Environment"] == {"Variables": {"a": "1", "A": "2"}}


TAGGING = b"<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>"


@pytest.mark.parametrize(
    "body",
    [
        b"<",
        b"<Tagging>",
        b"not xml",
        b"<Other/>",
        b'<!DOCTYPE x [<!ENTITY e "boom">]>' + TAGGING.replace(b"<Key>a", b"<Key>&e;"),
        b"<!DOCTYPE x>" + TAGGING,
        TAGGING.replace(b"</Tag>", b"<More/></Tag>"),
        TAGGING.replace(b"<Key>a</Key>", b"<Key>a</Key><Key>b</Key>"),
        TAGGING.replace(b"<TagSet>", b"<TagSet>text"),
        TAGGING.replace(b"<Tag>", b"<Tog>").replace(b"</Tag>", b"</Tog>"),
        TAGGING.replace(b"a</Key>", b"<x/></Key>"),
        b"<Tagging>" + b"<TagSet>" * 5000 + b"</TagSet>" * 5000 + b"</Tagging>",
    ],
)
def test_xml_is_read_strictly(body):
    assert error(http("PUT", b"/b", b"tagging", body), "s3").kind is Common.MALFORMED


def test_xml_with_a_namespace_is_read():
    body = TAGGING.replace(
        b"<Tagging>", b'<?xml version="1.0"?><Tagging xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
    )
    sent = http("PUT", b"/b", b"tagging", body)
    read = parse.parameters(route.operation_of(sent, "s3"), sent)
    assert read["Tagging"] == {"TagSet": [{"Key": "a", "Value": "b"}]}


def parts(count):
    one = "<Part><ETag>&quot;{0:032x}&quot;</ETag><PartNumber>{0}</PartNumber><ChecksumCRC64NVME>AAAAAAAAAAA=</ChecksumCRC64NVME></Part>"
    inside = "".join(one.format(number) for number in range(1, count + 1))
    return f"<CompleteMultipartUpload>{inside}</CompleteMultipartUpload>".encode()


def test_the_largest_requests_of_s3_are_read():
    """S3 User Guide, "Multipart upload limits": 10,000 parts; S3 API Reference, DeleteObjects: 1,000 keys of 1,024 bytes."""
    body = parts(10_000)
    assert len(body) > 1 << 20
    sent = http("POST", b"/b/k", b"uploadId=x", body)
    read = parse.parameters(route.operation_of(sent, "s3"), sent)
    assert [part["PartNumber"] for part in read["MultipartUpload"]["Parts"]] == list(range(1, 10_001))
    keys = "".join(
        f"<Object><Key>{'&amp;' * 1024}</Key><VersionId>{number}</VersionId></Object>" for number in range(1000)
    )
    sent = http("POST", b"/b", b"delete", f"<Delete>{keys}</Delete>".encode())
    assert len(parse.parameters(route.operation_of(sent, "s3"), sent)["Delete"]["Objects"]) == 1000


@pytest.mark.parametrize(
    "body",
    [
        b"<Delete>" + b"<Object/>" * 200_000 + b"</Delete>",
        b"<Delete " + b" ".join(b'a%d="1"' % number for number in range(200_000)) + b"/>",
        '<?xml version="1.0" encoding="utf-16"?><Delete/>'.encode("utf-16"),
        b'<?xml version="1.0" encoding="cp037"?>' + b"<Delete/>",
        b"\n <?xml version=\"1.0\" encoding='iso-8859-1'?><Delete/>",
    ],
    ids=["elements", "attributes", "UTF-16", "EBCDIC", "Latin-1"],
)
def test_xml_that_would_fill_memory_or_hides_its_tags_is_refused_unread(body):
    tracemalloc.start()
    found = error(http("POST", b"/b", b"delete", body), "s3")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.kind is Common.MALFORMED
    assert peak < 10 << 20


MANY = {
    "names of a form": (iam(b"Action=CreateUser&" + b"&".join(b"a%d=" % n for n in range(100_000))), "iam"),
    "one name of a form": (iam(b"Action=CreateUser&" + b"a=&" * 300_000), "iam"),
    "one name of a query": (http("GET", b"/b", b"a&" * 9_999), "s3"),
    "names of a query": (http("GET", b"/b", b"&".join(b"a%d" % n for n in range(6_000))), "s3"),
    "items of a form": (iam(b"Action=CreateUser&UserName=a&" + b"&".join(b"Tags.member.%d.Key=a" % n for n in range(1, 9_900))), "iam"),
    "parts of a name": (iam(b"Action=CreateUser&UserName=a&Tags" + b".1" * 400_000 + b"=1"), "iam"),
    "members": (target(LOOKUP, b"{" + b",".join(b'"a%d":1' % n for n in range(90_000)) + b"}"), "cloudtrail"),
    "members and one of them twice": (target(LOOKUP, b"{" + b",".join(b'"a%d":1' % n for n in range(90_000)) + b',"a5":1}'), "cloudtrail"),
    "structures that lack a member": (target(LOOKUP, b'{"LookupAttributes":[' + b"{}," * 100_000 + b"{}]}"), "cloudtrail"),
}  # fmt: skip


def refused(sent, scope):
    found = route.operation_of(sent, scope)
    validate.validate(found.operation, parse.parameters(found, sent))


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", MANY)
def test_no_request_makes_work_beyond_its_size(name):
    """LIM-01: nothing grows with the square of a megabyte; a reader of that kind takes minutes for these."""
    with pytest.raises(AWSError):
        refused(*MANY[name])


def test_errors_are_told_up_to_a_number():
    with pytest.raises(CommonError, match=r"^100 validation errors detected: "):
        refused(*MANY["structures that lack a member"])


@pytest.mark.parametrize(
    ("query", "headers", "words"),
    [
        (b"tagKeys=a&tagKeys=b&Extra=1", (), "Unknown parameter: Extra"),
        (b"tagKeys=a&TagKeys=b", (), "Duplicate parameter: TagKeys"),
    ],
)
def test_query_strings_of_rest_services_are_read_strictly(query, headers, words):
    path = b"/2017-03-31/tags/arn%3Aaws%3Alambda%3Aus-east-1%3A123456789012%3Afunction%3Af"
    assert error(http("DELETE", path, query, headers=headers), "lambda").message == words
    sent = http("DELETE", path, b"tagKeys=a&tagKeys=b")
    assert parse.parameters(route.operation_of(sent, "lambda"), sent)["TagKeys"] == ["a", "b"]


def test_headers_that_are_members_stand_once():
    twice = ((b"x-amz-acl", b"private"), (b"x-amz-acl", b"public-read"))
    assert error(http("PUT", b"/b", headers=twice), "s3").message == "Duplicate parameter: x-amz-acl"
    both = http("PUT", b"/b", b"X-Amz-Acl=public-read", headers=twice[:1])
    assert "both a header and a query parameter" in error(both, "s3").message
    hoisted = http("PUT", b"/b", b"X-Amz-Acl=public-read")
    assert parse.parameters(route.operation_of(hoisted, "s3"), hoisted)["ACL"] == "public-read"


def test_operations_without_input_take_no_body_or_parameters():
    assert error(http("GET", b"/2016-08-19/account-settings", b"x=1"), "lambda").kind is Common.VALIDATION
    assert error(http("GET", b"/b/k", body=b"<x/>"), "s3").kind is Common.MALFORMED
    assert error(iam(b"Action=GetAccountSummary&X=1"), "iam").message == "Unknown parameter: X"


def test_a_body_that_streams_leaves_its_member_out():
    sent = http("PUT", b"/b/k", body=None)
    assert parse.parameters(route.operation_of(sent, "s3"), sent) == {"Bucket": "b", "Key": "k"}


def test_compressed_bodies_are_unpacked_up_to_a_size():
    packed = (b"content-encoding", b"gzip")
    text = b'{"MaxResults": 5}'

    def lookup(body, encoding=packed):
        headers = ((b"content-type", b"application/x-amz-json-1.1"), (b"x-amz-target", LOOKUP), encoding)
        return http(body=body, headers=headers)

    sent = lookup(gzip.compress(text))
    assert parse.parameters(route.operation_of(sent, "cloudtrail"), sent) == {"MaxResults": 5}
    assert error(lookup(text), "cloudtrail").kind is Common.MALFORMED
    assert error(lookup(gzip.compress(text)[:-3]), "cloudtrail").kind is Common.MALFORMED
    assert error(lookup(gzip.compress(text) + b"x"), "cloudtrail").kind is Common.MALFORMED
    assert error(lookup(gzip.compress(b" " * (1 << 24))), "cloudtrail").kind is Common.TOO_LARGE
    assert error(lookup(text, (b"content-encoding", b"br")), "cloudtrail").kind is Common.MALFORMED


METRIC = b"/service/GraniteServiceVersion20100801/operation/ListMetrics"


@pytest.mark.parametrize(
    "body",
    [
        b"\xa1",
        b"\xff",
        b"\xa0\x00",
        b"\xa1\x01\x01",
        b"\xa2aaaaaa"[:3],
        b"\xa2\x61a\x01\x61a\x02",
        b"\xbf\x61a\xff",
        b"\x9f",
        b"\x81" * 100 + b"\x00",
        b"\xba\xff\xff\xff\xff",
        b"\x9b" + b"\xff" * 8,
        b"\xa1\x61\xff\x01",
        b"\xc2\x01",
        b"\xf9\x7e\x00",
        b"\xa1\x61a\xff",
        b"\x5f\x61a\xff",
        b"\xf8\x20",
        b"\x1f",
    ],
)
def test_cbor_is_read_strictly(body):
    headers = ((b"smithy-protocol", b"rpc-v2-cbor"), (b"content-type", b"application/cbor"))
    assert error(http("POST", METRIC, body=body, headers=headers), "monitoring").kind in {
        Common.MALFORMED,
        Common.VALIDATION,
    }


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.text()
    | st.binary()
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


@given(VALUES)
def test_cbor_reads_what_it_writes(value):
    out = bytearray()
    cbor.encode(value, out)
    assert cbor.decode(bytes(out)) == value


def test_cbor_reads_indefinite_lengths():
    assert cbor.decode(b"\xbf\x61a\x9f\x01\xff\x61b\x7f\x61c\x61d\xff\xff") == {"a": [1], "b": "cd"}


@given(st.binary(max_size=60))
@settings(max_examples=300)
def test_no_bytes_break_a_reader_otherwise_than_by_refusal(data):
    for read in (cbor.decode, parse_json.decode, form.parameters):
        with suppress(CommonError):
            read(data)
    tagging, path = http("PUT", b"/b", b"tagging", data), http("GET", b"/" + data, data)
    for sent, scope in ((tagging, "s3"), (path, "s3"), (path, "lambda"), (iam(data), "iam"), (target(data), "logs")):
        with suppress(AWSError):
            parse.parameters(route.operation_of(sent, scope), sent)
