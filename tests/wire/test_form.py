"""Forms and queries are read as the standard library reads them."""

from urllib.parse import parse_qsl, unquote_to_bytes

from hypothesis import given
from hypothesis import strategies as st

from iamd.wire import form

ESCAPES = st.integers(0, 127).map(lambda code: b"%%%02x" % code)
PLAIN = st.sampled_from([b"=", b"_", b" ", b"\t", b"\n", b"\r\n", b".", b"3D", b"a", b"\xc3\xa9", b"%C3%A9"])


@given(st.lists(ESCAPES | PLAIN).map(b"".join))
def test_escapes_are_decoded_and_nothing_else(text):
    assert form.decoded(text) == unquote_to_bytes(text).decode()


@given(st.lists(ESCAPES | st.sampled_from([b"a", b"b=", b"=", b"&", b"+", b"."])).map(b"".join))
def test_pairs_are_those_of_the_form(text):
    assert form.pairs(text) == parse_qsl(text.decode(), keep_blank_values=True)
