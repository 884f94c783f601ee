"""SigV4 in headers: botocore's signatures verify, and every alteration of what they cover is refused (SIG-01..11)."""

import hashlib
from urllib.parse import unquote_to_bytes

import pytest
from auth.signing import KEY_ID, NOW, REGION, SECRET, TOKEN, changed, s3_code, signed, verify
from botocore.utils import percent_encode, percent_encode_sequence
from hypothesis import given
from hypothesis import strategies as st

from iamd.auth import authorization, canonical, signer, signing_key, sigv4
from iamd.auth.claim import Mode
from iamd.errors import AWSError, Common, CommonError
from iamd.http import HttpRequest

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
SEGMENTS = st.lists(TEXT | st.sampled_from(["", ".", "..", "a b", "a%2Fb", "~", "+"]), max_size=5)
ENCODED_PATHS = SEGMENTS.map(lambda segments: "/" + percent_encode("/".join(segments), safe="/~"))
RAW_PATHS = st.text("ab/.-_~!$&'()*,;=:@", max_size=15).map(lambda text: "/" + text)
PATHS = ENCODED_PATHS | RAW_PATHS
QUERIES = st.lists(st.tuples(TEXT, TEXT), max_size=4).map(percent_encode_sequence)
VALUES = st.text(st.characters(codec="ascii", min_codepoint=32, max_codepoint=126), max_size=15)
HEADERS = st.dictionaries(st.sampled_from(["X-Amz-Meta-A", "x-amz-acl", "Content-Type", "X-Other"]), VALUES, max_size=3)
SERVICES = st.sampled_from(["sts", "iam", "lambda", "s3"])
BODIES = st.binary(max_size=60)


def refusal(request: HttpRequest, **options) -> AWSError:
    with pytest.raises(AWSError) as caught:
        verify(request, **options)
    return caught.value


@given(
    method=st.sampled_from(["GET", "PUT", "POST", "DELETE"]), path=PATHS, query=QUERIES, headers=HEADERS,
    service=SERVICES, body=BODIES, token=st.sampled_from([None, TOKEN]),
)  # fmt: skip
def test_botocores_signature_verifies(method, path, query, headers, service, body, token):
    request = signed(method, path, query, service=service, headers=headers, body=body, token=token)
    claim = verify(request)
    assert (claim.mode, claim.access_key_id, claim.region, claim.service) == (Mode.HEADER, KEY_ID, REGION, service)
    assert (claim.session_token, claim.date, claim.amz_date) == (token, "20270115", "20270115T080000Z")
    assert (claim.timestamp, claim.expires) == (int(NOW), None)
    assert "host" in claim.signed_headers


@given(service=SERVICES, data=st.data())
def test_every_altered_part_is_refused(service, data):
    request = signed(
        "POST", "/a/b", "x=1&y=2", service=service, body=b"body", token=TOKEN,
        headers={"Content-Type": "text/plain", "X-Amz-Meta-A": "b"},
    )  # fmt: skip
    signed_names = [name.encode() for name in sigv4.claim(request).signed_headers]
    values = dict(request.headers)
    what = data.draw(st.sampled_from(["method", "path", "query", "body", "value", "drop", "authorization", "add"]))
    if what == "value":
        name = data.draw(st.sampled_from(signed_names))
        place = data.draw(st.integers(0, len(values[name]) - 1))
        altered = changed(request, replace={name: _flipped(values[name], place)})
    elif what == "drop":
        altered = changed(request, drop=data.draw(st.sampled_from(signed_names)))
    elif what == "authorization":
        place = data.draw(st.integers(0, len(values[b"authorization"]) - 1))
        altered = changed(request, replace={b"authorization": _flipped(values[b"authorization"], place)})
    elif what == "add":
        altered = changed(request, add=[(data.draw(st.sampled_from([b"x-amz-acl", *signed_names])), b"v")])
    else:
        new = {"method": "PUT", "path": b"/a/c", "query": b"x=1&y=3", "body": b"Body"}[what]
        altered = changed(request, **{what: new})
    verify(request)
    refusal(altered)


def _flipped(value: bytes, place: int) -> bytes:
    return value[:place] + bytes([value[place] ^ 1]) + value[place + 1 :]


@given(first=PATHS, second=PATHS)
def test_s3_tells_every_two_paths_apart(first, second):
    request = signed(path=first, service="s3")
    if first.encode() != second.encode():
        altered = changed(request, path=second.encode())
        try:
            verify(altered)
        except CommonError:
            return
        # Both spell the same bytes, one of them encoded less than S3's rule says.
        assert percent_encode(_decoded(first), safe="/~") == percent_encode(_decoded(second), safe="/~")


def _decoded(path: str) -> bytes:
    return unquote_to_bytes(path)


@pytest.mark.parametrize("other", [b"/b//a", b"/b/./a", b"/b/x/../a", b"/b/a/", b"/b/%00a", b"/b\\a", b"/b%2Fa%2F"])
def test_s3_never_normalises(other):
    error = refusal(changed(signed(path="/b/a", service="s3"), path=other))
    assert error.kind is Common.SIGNATURE_MISMATCH


def test_s3_accepts_a_signature_over_the_path_as_its_rule_encodes_it():
    request = signed(path="/bucket/it%27s%20%28a%29", service="s3")
    verify(changed(request, path=b"/bucket/it's%20(a)"))


@pytest.mark.parametrize("path", [b"/bucket/%zz", b"/bucket/%", b"/bucket/%4"])
def test_a_broken_escape_is_no_path_of_another_spelling(path):
    error = refusal(changed(signed(path="/bucket/a", service="s3"), path=path))
    assert error.kind is Common.SIGNATURE_MISMATCH


@pytest.mark.parametrize(
    ("sent", "same"),
    [
        (b"a=b%20c", b"a=b+c"),
        (b"a=%7E", b"a=~"),
        (b"b=2&a=1", b"a=1&b=2"),
        (b"a", b"a="),
        (b"a=%c3%a9", b"a=%C3%A9"),
        (b"a=b%3Dc", b"a=b=c"),
    ],
)
def test_queries_that_mean_the_same_have_one_canonical_form(sent, same):
    verify(changed(signed(query="a=" if sent == b"a" else _canonical(sent)), query=same))
    verify(changed(signed(query="a=" if sent == b"a" else _canonical(sent)), query=sent))


def _canonical(query: bytes) -> str:
    return canonical.query(query).decode()


@pytest.mark.parametrize(
    "other", [b"a=b%2Bc", b"a=bc", b"a=b%20c&", b"a=b%20c&a=b%20c", b"A=b%20c", b"a=b%20%63&x=", b"a=%2"]
)
def test_queries_that_mean_something_else_are_refused(other):
    request = signed(query="a=b%20c")
    if other == b"a=b%20c&":
        verify(changed(request, query=other))
    else:
        refusal(changed(request, query=other))


def test_nothing_signed_is_anonymous():
    for query in (b"", b"list-type=2&prefix=a%2Fb", b"signature=x", b"X-Amz-Expires=5"):
        assert sigv4.claim(HttpRequest("r", "GET", b"/", query, [(b"host", b"h")], b"", "127.0.0.1")) is None


# --- SIG-01


@pytest.mark.parametrize("service", ["sts", "s3"])
def test_sig_01_an_unsigned_amz_header_is_refused(service):
    error = refusal(changed(signed(service=service), add=[(b"x-amz-acl", b"public-read")]))
    assert error.message == "There were headers present in the request which were not signed"
    assert error.kind is (Common.ACCESS_DENIED if service == "s3" else Common.SIGNATURE_MISMATCH)
    assert error.members == {"HeadersNotSigned": "x-amz-acl"}


def test_sig_01_an_unsigned_session_token_is_refused():
    error = refusal(changed(signed(), add=[(b"x-amz-security-token", TOKEN.encode())]))
    assert error.message == "There were headers present in the request which were not signed"


def test_sig_01_the_host_must_be_signed():
    request = signed()
    value = dict(request.headers)[b"authorization"].replace(b"SignedHeaders=host;", b"SignedHeaders=")
    assert "'Host'" in refusal(changed(request, replace={b"authorization": value})).message


def test_sig_01_a_signed_header_cannot_be_traded_for_an_unsigned_one():
    request = signed(headers={"my-x-amz-a": "v", "x-amz-acl": "private"})
    verify(request)
    for dropped in (b"my-x-amz-a", b"x-amz-acl"):
        refusal(changed(request, drop=dropped, add=[(b"x-amz-grant-read", b"v")]))
        refusal(changed(request, add=[(b"x-amz-grant-read", b"v")]))


def test_other_headers_may_be_unsigned():
    verify(changed(signed(), add=[(b"accept", b"*/*"), (b"x-amzn-trace-id", b"1"), (b"accept", b"x")]))


# --- SIG-02, SIG-03


def test_sig_02_header_and_query_together_are_refused():
    header, query = signed(), signed(presigned=True)
    both = changed(query, add=[(b"authorization", dict(header.headers)[b"authorization"])])
    error = refusal(both)
    assert error.kind is Common.MALFORMED_HEADER
    assert error.message.startswith("Only one auth mechanism allowed")


@pytest.mark.parametrize("value", [b"Bearer CANARY", b"Basic CANARY", b"AWS AKID:CANARY", b"AWS3 x", b"", b"CANARY"])
def test_sig_02_other_mechanisms_are_refused_without_an_echo(value):
    request = HttpRequest("r", "GET", b"/", b"", [(b"host", b"h"), (b"authorization", value)], b"", "127.0.0.1")
    error = refusal(request)
    assert error.kind is Common.INCOMPLETE_SIGNATURE
    assert "CANARY" not in error.message


def test_sig_02_an_old_signature_is_answered_as_s3_does():
    request = HttpRequest("r", "GET", b"/", b"", [(b"authorization", b"AWS AKID:sig=")], b"", "127.0.0.1")
    assert "Please use AWS4-HMAC-SHA256." in refusal(request).message


@pytest.mark.parametrize(
    "query", [b"AWSAccessKeyId=a&Signature=b&Expires=1", b"Action=x&awsaccesskeyid=a&%53ignature=b"]
)
def test_sig_02_an_old_query_signature_is_refused(query):
    request = HttpRequest("r", "GET", b"/", query, [(b"host", b"h")], b"", "127.0.0.1")
    assert refusal(request).kind is Common.INCOMPLETE_SIGNATURE


def test_sig_02_a_bearer_header_beside_a_signature_is_refused():
    request = signed(headers={"x-amz-sso_bearer_token": "t"})
    assert refusal(request).kind is Common.MALFORMED_HEADER


@pytest.mark.parametrize(
    "name",
    [b"authorization", b"host", b"content-length", b"x-amz-date", b"x-amz-security-token", b"x-amz-content-sha256",
     b"x-amz-target", b"date", b"x-amz-copy-source"],
)  # fmt: skip
def test_sig_03_a_repeated_header_is_refused(name):
    request = changed(signed(service="s3", token=TOKEN), add=[(name, b"1")])
    request = changed(request, add=[(name, dict(request.headers)[name])])
    error = refusal(request)
    assert error.kind is Common.MALFORMED_HEADER
    assert name.decode() in error.message


def test_repeated_lists_and_metadata_are_joined():
    request = signed(service="s3", headers={"x-amz-object-attributes": "ETag,Checksum", "x-amz-meta-a": "1,2"})
    split = [(b"x-amz-object-attributes", b"ETag"), (b"x-amz-object-attributes", b"Checksum")]
    split += [(b"x-amz-meta-a", b"1"), (b"x-amz-meta-a", b"2")]
    without = changed(changed(request, drop=b"x-amz-object-attributes"), drop=b"x-amz-meta-a")
    verify(changed(without, add=split))
    refusal(changed(without, add=list(reversed(split))))


# --- SIG-04


@pytest.mark.parametrize("window", [300, 900])
@pytest.mark.parametrize("service", ["sts", "s3"])
def test_sig_04_the_boundary_second_is_good_and_the_next_is_not(window, service):
    request = signed(service=service)
    for now in (NOW - window, NOW + window):
        verify(request, now=now, window=window)
    for now in (NOW - window - 1, NOW + window + 1, NOW + window + 0.001):
        assert refusal(request, now=now, window=window).kind is Common.SIGNATURE_TIME


def test_sig_04_wording_of_aws():
    assert refusal(signed(), now=NOW + 1000).message == (
        "Signature expired: 20270115T080000Z is now earlier than 20270115T080140Z (20270115T081640Z - 15 min.)"
    )
    assert refusal(signed(), now=NOW - 1000, window=300).message == (
        "Signature not yet current: 20270115T080000Z is still later than 20270115T074820Z (20270115T074320Z + 5 min.)"
    )
    skewed = refusal(signed(service="s3"), now=NOW + 1000)
    assert skewed.message == "The difference between the request time and the current time is too large."
    assert skewed.members == {
        "RequestTime": "20270115T080000Z",
        "ServerTime": "2027-01-15T08:16:40Z",
        "MaxAllowedSkewMilliseconds": "900000",
    }


@pytest.mark.parametrize(
    "date",
    [b"", b"20270115", b"20270115T080000", b"20270115T080000z", b"2027-01-15T08:00:00Z", b"20270115T080000Z\n",
     b"20271315T080000Z", b"20270132T080000Z", b"20270115T250000Z", b"2027011T0800000Z", b"00000115T080000Z",
     "２０270115T080000Z".encode()],
)  # fmt: skip
def test_sig_04_a_date_of_another_form_is_refused(date):
    request = signed()
    for altered in (
        changed(request, replace={b"x-amz-date": date}),
        changed(changed(request, drop=b"x-amz-date"), add=[(b"date", date)]),
    ):
        assert refusal(altered).kind is Common.INCOMPLETE_SIGNATURE


def test_a_date_header_stands_in_for_the_amz_one():
    request = signed(headers={"Date": "now"})
    assert not any(name == b"x-amz-date" for name, _ in request.headers)
    assert verify(request).amz_date == "20270115T080000Z"
    for form in (b"Fri, 15 Jan 2027 08:00:00 GMT", b"20270115T080000Z"):
        assert sigv4.claim(changed(request, replace={b"date": form})).amz_date == "20270115T080000Z"


def test_sig_04_the_scope_must_be_of_the_same_day():
    request = changed(signed(), replace={b"x-amz-date": b"20270116T000000Z"})
    assert refusal(request, now=NOW + 57600).message == (
        "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
        "'20270115' != '20270116', from '20270116T000000Z'."
    )


def test_sig_04_the_scope_must_name_service_and_region():
    claim = verify(signed())
    sigv4.check_scope(claim, service="sts", region=REGION)
    sigv4.check_scope(claim, service="sts")
    with pytest.raises(CommonError, match="Credential should be scoped to correct service: 'iam'"):
        sigv4.check_scope(claim, service="iam")
    with pytest.raises(CommonError, match="Credential should be scoped to a valid region"):
        sigv4.check_scope(claim, service="sts", region="us-east-1")


# --- the Authorization header's form


def with_authorization(value: str, *, dated=True) -> HttpRequest:
    headers = [(b"host", b"h"), (b"authorization", value.encode())]
    if dated:
        headers.append((b"x-amz-date", b"20270115T080000Z"))
    return HttpRequest("r", "GET", b"/", b"", headers, b"", "127.0.0.1")


CREDENTIAL = f"{KEY_ID}/20270115/{REGION}/sts/aws4_request"


def test_missing_parts_are_named_in_aws_words():
    echo = "(Hashed with SHA-256 and encoded with Base64) Authorization="
    message = refusal(with_authorization("AWS4-HMAC-SHA256 Credential=" + CREDENTIAL)).message
    assert message.startswith(
        "Authorization header requires 'Signature' parameter. Authorization header requires 'SignedHeaders' parameter. "
        + echo
    )
    message = refusal(with_authorization("Bearer x", dated=False)).message
    assert message.startswith(
        "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. "
        "Authorization header requires 'SignedHeaders' parameter. "
        "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. " + echo
    )
    message = refusal(with_authorization("AWS4-HMAC-SHA256 nonsense")).message
    assert message.startswith("Invalid key=value pair (missing equal-sign) in Authorization header")


@pytest.mark.parametrize(
    "credential",
    ["", "a", "a/b/c/d", CREDENTIAL + "/x", "/20270115/r/sts/aws4_request", "a/20270115//sts/aws4_request",
     "é/20270115/r/sts/aws4_request"],
)  # fmt: skip
def test_a_malformed_credential_is_refused(credential):
    value = f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host;x-amz-date, Signature={'0' * 64}"
    assert refusal(with_authorization(value)).kind is Common.INCOMPLETE_SIGNATURE


@pytest.mark.parametrize(
    ("credential", "words"),
    [
        (f"{KEY_ID}/20270115/r/sts/aws4_requesT", "valid terminator: 'aws4_request', not 'aws4_requesT'"),
        (f"{KEY_ID}/2027011/r/sts/aws4_request", "Date in Credential scope does not match"),
        (f"{KEY_ID}/2027-1-15/r/sts/aws4_request", "Date in Credential scope does not match"),
    ],
)
def test_a_wrong_scope_is_a_wrong_signature(credential, words):
    value = f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host;x-amz-date, Signature={'0' * 64}"
    error = refusal(with_authorization(value))
    assert error.kind is Common.SIGNATURE_MISMATCH
    assert words in error.message


@pytest.mark.parametrize(
    "names", ["Host;x-amz-date", "host;host", "host;", ";host", "host;a b", "host;%b", "host;é", "host,x"]
)
def test_malformed_signed_headers_are_refused(names):
    value = f"AWS4-HMAC-SHA256 Credential={CREDENTIAL}, SignedHeaders={names}, Signature={'0' * 64}"
    assert refusal(with_authorization(value)).kind is Common.INCOMPLETE_SIGNATURE


def test_parts_may_stand_in_any_order_and_spacing_and_only_once():
    request = signed()
    value = dict(request.headers)[b"authorization"].decode()
    parts = value.removeprefix("AWS4-HMAC-SHA256 ").split(", ")
    for order in (",".join(parts), " ,  ".join(reversed(parts)), " ".join([parts[2], parts[0], parts[1]])):
        verify(changed(request, replace={b"authorization": f"AWS4-HMAC-SHA256 {order}".encode()}))
        verify(request)
    for twice in (value + ", " + parts[2], value + ", Other=1", value + ", " + parts[1]):
        refusal(changed(request, replace={b"authorization": twice.encode()}))


@pytest.mark.parametrize("length", [0, 1, 63, 65, 128])
def test_a_signature_of_another_length_is_refused(length):
    request = signed()
    verify(request)
    value = dict(request.headers)[b"authorization"]
    refusal(changed(request, replace={b"authorization": value[:-64] + b"0" * length}))
    refusal(changed(request, replace={b"authorization": value[:-64] + value[-64:].upper()}))


# --- SIG-07


def test_sig_07_a_declared_hash_must_be_the_bodys():
    request = signed("PUT", "/b/k", service="s3", body=b"body")
    verify(request)
    verify(changed(request, body=None))
    verify(changed(request, body=None), body_sha256=hashlib.sha256(b"body").hexdigest())
    error = refusal(changed(request, body=None), body_sha256=hashlib.sha256(b"Body").hexdigest())
    assert error.kind is Common.BODY_HASH_MISMATCH
    assert error.message == "The provided 'x-amz-content-sha256' header does not match what was computed."
    assert refusal(changed(request, body=b"Body")).kind is Common.BODY_HASH_MISMATCH
    other = signed(
        "POST", service="sts", body=b"body", headers={"x-amz-content-sha256": hashlib.sha256(b"body").hexdigest()}
    )
    verify(other)
    assert refusal(changed(other, body=b"Body")).kind is Common.SIGNATURE_MISMATCH


def test_sig_07_s3_must_declare_a_hash():
    request = signed(service="s3")
    error = refusal(changed(request, drop=b"x-amz-content-sha256"))
    assert error.message == "Missing required header for this request: x-amz-content-sha256"
    assert s3_code(error) == "InvalidRequest"


def test_sig_07_an_unsigned_payload_only_where_it_is_allowed():
    s3 = {"x-amz-content-sha256": "UNSIGNED-PAYLOAD"}
    refusal(signed("POST", service="sts", body=b"x", headers=s3))
    verify(signed("POST", service="sts", body=b"x", headers=s3), unsigned_payload=True)
    request = _s3_declaring("UNSIGNED-PAYLOAD")
    verify(request)
    verify(changed(request, body=b"anything"))
    refusal(request, unsigned_payload=False)


@pytest.mark.parametrize(
    "literal", ["", "unsigned-payload", "STREAMING", "x" * 64, "A" * 64, "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD"]
)
def test_sig_07_other_literals_are_refused(literal):
    assert refusal(_s3_declaring(literal)).kind is Common.MALFORMED_HEADER


@pytest.mark.parametrize("literal", sorted(sigv4.STREAMING_PAYLOADS))
def test_sig_12_streaming_is_for_s3_headers_only(literal):
    verify(_s3_declaring(literal))
    refusal(signed("POST", service="sts", body=b"x", headers={"x-amz-content-sha256": literal}), unsigned_payload=True)
    presigned = signed("PUT", "/b/k", f"X-Amz-Content-Sha256={literal}", service="s3", presigned=True)
    refusal(presigned)


def _s3_declaring(literal: str) -> HttpRequest:
    added = signer.sign(
        "PUT", b"/b/k", b"", [(b"host", b"s3")], literal,
        access_key_id=KEY_ID, secret_access_key=SECRET, session_token=None, region=REGION, service="s3", now=NOW,
    )  # fmt: skip
    return HttpRequest("r", "PUT", b"/b/k", b"", [(b"host", b"s3"), *added], b"", "127.0.0.1")


# --- SIG-06 and the caches


def test_a_changed_secret_is_never_answered_from_a_cache():
    request = signed()
    verify(request)
    assert signing_key.cached(SECRET, "20270115", REGION, "sts") is not None
    assert refusal(request, secret=SECRET + "new").kind is Common.SIGNATURE_MISMATCH
    renewed = signed(secret="another")
    verify(renewed, secret="another")
    refusal(renewed)
    verify(request)


def test_what_is_missing_is_named_the_same_before_a_header_is_known_and_after():
    request = signed(headers={"x-amz-meta-fresh": "x"})
    undated = changed(request, drop=b"x-amz-date")
    before = refusal(undated).message
    verify(request)
    assert refusal(undated).message == before
    assert "requires existence of either a 'X-Amz-Date' or a 'Date' header." in before


def test_strangers_fill_no_cache():
    before = (len(signing_key._keys), len(authorization._scopes))
    for number in range(20):
        refusal(signed(secret=f"wrong{number}", headers={f"x-amz-meta-{number}": "x"}))
    assert (len(signing_key._keys), len(authorization._scopes)) == before


def test_caches_are_bounded(monkeypatch):
    monkeypatch.setattr(signing_key, "_CACHE_SIZE", 3)
    monkeypatch.setattr(authorization, "_MEMO_SIZE", 3)
    for number in range(10):
        verify(signed(secret=f"s{number}", headers={f"x-amz-meta-{number}": "x"}), secret=f"s{number}")
    assert len(signing_key._keys) <= 3
    assert len(authorization._scopes) <= 3


def test_values_are_canonical_one_by_one_and_all_at_once():
    plain = (b"a", b"b c", b"d")
    assert canonical.values(plain) == plain
    for odd in (b" a", b"a ", b"a  b", b"a\tb", b"", b" "):
        for values in ((odd,), (odd, b"x"), (b"x", odd), (b"x", odd, b"y")):
            assert canonical.values(values) == tuple(b" ".join(value.split()) for value in values)


@pytest.mark.parametrize("request_", [signed(), signed(presigned=True), signed(at=NOW - 9000)])
def test_sig_06_an_unknown_key_gives_one_answer(request_):
    error = sigv4.check_unknown_key(sigv4.claim(request_), request_, NOW, 900)
    assert error.kind is Common.UNKNOWN_ACCESS_KEY
    assert error.message == "The security token included in the request is invalid."


def test_sig_06_s3_says_which_key_is_unknown():
    request = signed(service="s3")
    error = sigv4.check_unknown_key(sigv4.claim(request), request, NOW, 900)
    assert error.members == {"AWSAccessKeyId": KEY_ID}


def test_no_repr_shows_a_signature_or_token():
    request = signed(token="CANARY")
    claim = verify(request)
    assert "CANARY" not in repr(claim)
    assert claim.signature.decode() not in repr(claim)
    key = signing_key.derive("CANARY", "20270115", REGION, "sts")
    assert "CANARY" not in repr(key)
