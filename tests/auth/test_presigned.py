"""SigV4 in queries: botocore's presigned URLs verify, altered and overdue ones are refused (SIG-03, SIG-05)."""

import hashlib

import pytest
from auth.signing import NOW, REGION, TOKEN, changed, signed, verify
from botocore.utils import percent_encode, percent_encode_sequence
from hypothesis import given
from hypothesis import strategies as st

from iamd.auth.claim import Mode
from iamd.errors import Common, CommonError

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
PATHS = st.lists(TEXT, max_size=4).map(lambda segments: "/" + percent_encode("/".join(segments), safe="/~"))
QUERIES = st.dictionaries(TEXT.filter(bool), TEXT, max_size=3).map(percent_encode_sequence)


def refusal(request, **options) -> CommonError:
    with pytest.raises(CommonError) as caught:
        verify(request, **options)
    return caught.value


@given(
    path=PATHS, query=QUERIES, service=st.sampled_from(["s3", "sts"]), token=st.sampled_from([None, TOKEN]),
    method=st.sampled_from(["GET", "PUT"]), expires=st.integers(1, 604800),
)  # fmt: skip
def test_botocores_presigned_urls_verify(path, query, service, token, method, expires):
    request = signed(method, path, query, service=service, token=token, presigned=True, expires=expires)
    claim = verify(request)
    assert (claim.mode, claim.session_token, claim.expires, claim.region) == (
        Mode.PRESIGNED,
        token,
        str(expires),
        REGION,
    )


@given(data=st.data(), service=st.sampled_from(["s3", "sts"]))
def test_every_altered_byte_of_the_query_is_refused(data, service):
    request = signed("GET", "/a", "k=v", service=service, token=TOKEN, presigned=True)
    place = data.draw(st.integers(0, len(request.query) - 1))
    letter = data.draw(st.sampled_from(b"aA0&=%-;/+"))
    altered = request.query[:place] + bytes([letter]) + request.query[place + 1 :]
    if altered != request.query:
        refusal(changed(request, query=altered))


@pytest.mark.parametrize("service", ["s3", "sts"])
def test_method_path_host_and_added_parameters_are_covered(service):
    request = signed("GET", "/a", service=service, presigned=True)
    for altered in (
        changed(request, method="PUT"),
        changed(request, path=b"/b"),
        changed(request, replace={b"host": b"other"}),
        changed(request, query=request.query + b"&x=1"),
        changed(request, query=b"versionId=1&" + request.query),
        changed(request, add=[(b"x-amz-acl", b"public-read")]),
        changed(request, drop=b"host"),
    ):
        refusal(altered)


def test_a_body_is_free_for_s3_and_covered_elsewhere():
    verify(changed(signed("PUT", "/b/k", service="s3", presigned=True), body=b"anything"))
    refusal(changed(signed("POST", service="sts", presigned=True), body=b"anything"))


@pytest.mark.parametrize("expires", [1, 60, 604800])
def test_sig_05_refused_from_date_plus_expires_on(expires):
    request = signed(service="s3", presigned=True, expires=expires)
    verify(request, now=NOW + expires - 0.001)
    for late in (0, 1, 10_000):
        error = refusal(request, now=NOW + expires + late)
        assert error.kind is Common.ACCESS_DENIED
        assert error.message == "Request has expired"
        assert error.members["X-Amz-Expires"] == str(expires)


def test_sig_05_not_before_its_date():
    request = signed(service="s3", presigned=True)
    verify(request, now=NOW - 900)
    assert refusal(request, now=NOW - 901).message == "Request is not yet valid"


@pytest.mark.parametrize(
    ("expires", "words"),
    [
        (0, "at least 1"),
        (604801, "less than a week"),
        (10**30, "less than a week"),
        (-1, "must be non-negative"),
        ("1e3", "should be a number"),
        ("٣", "should be a number"),
        ("1.5", "should be a number"),
        ("+5", "should be a number"),
    ],
)
def test_sig_05_expires_is_bounded(expires, words):
    error = refusal(signed(service="s3", presigned=True, expires=expires))
    assert error.kind is Common.AUTHORIZATION_QUERY
    assert words in error.message


@pytest.mark.parametrize("expires", [0, 5, 604801, "x"])
def test_sig_05_elsewhere_the_window_counts_and_expires_does_not(expires):
    request = signed(service="sts", presigned=True, expires=expires)
    verify(request, now=NOW + 900)
    assert refusal(request, now=NOW + 901).kind is Common.SIGNATURE_TIME


@pytest.mark.parametrize(
    "name",
    ["X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature", "X-Amz-SignedHeaders", "X-Amz-Date", "X-Amz-Expires"],
)
def test_a_missing_parameter_is_named(name):
    for service in ("s3", "sts"):
        request = signed(service=service, presigned=True)
        query = b"&".join(part for part in request.query.split(b"&") if not part.startswith(name.encode() + b"="))
        without = changed(request, query=query)
        if service == "sts" and name != "X-Amz-Expires":
            message = f"AWS query-string parameters must include '{name}'. Re-examine the query-string parameters."
            assert refusal(without).message == message
        elif service == "s3" and name != "X-Amz-Credential":
            assert refusal(without).message.startswith("Query-string authentication version 4 requires the X-Amz-Alg")
        else:
            refusal(without)


@pytest.mark.parametrize("spelling", [b"X-Amz-Date", b"x-amz-date", b"X-AMZ-DATE", b"X%2DAmz-Date", b"X-Amz-Dat%65"])
def test_sig_03_a_repeated_parameter_in_any_spelling_is_refused(spelling):
    request = signed(service="s3", presigned=True)
    error = refusal(changed(request, query=request.query + b"&" + spelling + b"=20270115T080000Z"))
    assert error.kind is Common.AUTHORIZATION_QUERY
    error = refusal(changed(request, query=request.query.replace(b"X-Amz-Date", b"x-amz-date")))
    assert error.kind is Common.AUTHORIZATION_QUERY


def test_another_algorithm_is_refused():
    request = signed(service="s3", presigned=True)
    altered = changed(request, query=request.query.replace(b"AWS4-HMAC-SHA256", b"AWS4-HMAC-SHA512"))
    assert refusal(altered).message == 'X-Amz-Algorithm only supports "AWS4-HMAC-SHA256"'


@pytest.mark.parametrize("name", [b"x-amz-date", b"x-amz-security-token", b"x-amz-s3session-token"])
def test_a_header_that_contradicts_the_query_is_refused(name):
    request = signed(service="s3", presigned=True, token=TOKEN)
    error = refusal(changed(request, add=[(name, b"other")]))
    assert error.kind is Common.AUTHORIZATION_QUERY


def test_a_payload_hash_in_the_query_is_checked():
    digest = hashlib.sha256(b"body").hexdigest()
    added = f"X-Amz-Content-Sha256={digest}"
    # botocore takes the payload hash from the header when there is one; the query says the same.
    request = signed("PUT", "/b/k", added, service="sts", presigned=True, headers={"x-amz-content-sha256": digest})
    verify(changed(request, body=b"body"))
    refusal(changed(request, body=b"Body"))
