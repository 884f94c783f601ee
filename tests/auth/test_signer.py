"""iamd's own signer gives botocore's signatures, and iamd verifies them."""

import hashlib

from auth.signing import KEY_ID, NOW, REGION, SECRET, TOKEN, signed, verify
from botocore.utils import percent_encode, percent_encode_sequence
from hypothesis import given
from hypothesis import strategies as st

from iamd.auth import signer
from iamd.http import HttpRequest

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
PATHS = st.lists(TEXT, max_size=4).map(lambda segments: "/" + percent_encode("/".join(segments), safe="/~"))
QUERIES = st.lists(st.tuples(TEXT, TEXT), max_size=3).map(percent_encode_sequence)
VALUES = st.text(st.characters(codec="ascii", min_codepoint=32, max_codepoint=126), max_size=15)
HEADERS = st.dictionaries(
    st.sampled_from(["x-amz-acl", "content-type", "range", "user-agent", "te"]), VALUES, max_size=3
)


@given(
    path=PATHS, query=QUERIES, headers=HEADERS, body=st.binary(max_size=40),
    service=st.sampled_from(["s3", "sqs"]), token=st.sampled_from([None, TOKEN]),
)  # fmt: skip
def test_the_signature_is_botocores(path, query, headers, body, service, token):
    theirs = signed("PUT", path, query, service=service, headers=headers, body=body, token=token)
    mine = [header for header in theirs.headers if header[0] == b"host" or header[0].decode() in headers]
    added = signer.sign(
        "PUT", theirs.path, theirs.query, mine, hashlib.sha256(body).hexdigest(),
        access_key_id=KEY_ID, secret_access_key=SECRET, session_token=token, region=REGION, service=service, now=NOW,
    )  # fmt: skip
    assert set(added) == set(theirs.headers) - set(mine)
    verify(HttpRequest("r", "PUT", theirs.path, theirs.query, [*mine, *added], body, "127.0.0.1"))


def test_an_unsigned_payload_is_named_for_every_service():
    added = signer.sign(
        "PUT", b"/", b"", [(b"host", b"h")], "UNSIGNED-PAYLOAD",
        access_key_id=KEY_ID, secret_access_key=SECRET, session_token=None, region=REGION, service="lex", now=NOW,
    )  # fmt: skip
    assert dict(added)[b"x-amz-content-sha256"] == b"UNSIGNED-PAYLOAD"
    request = HttpRequest("r", "PUT", b"/", b"", [(b"host", b"h"), *added], b"x", "127.0.0.1")
    verify(request, unsigned_payload=True)


def test_no_secret_stands_in_what_is_added():
    added = signer.sign(
        "GET", b"/", b"", [(b"host", b"h")], hashlib.sha256(b"").hexdigest(),
        access_key_id=KEY_ID, secret_access_key="CANARY", session_token=None, region=REGION, service="sqs", now=NOW,
    )  # fmt: skip
    assert b"CANARY" not in b"".join(value for _, value in added)
