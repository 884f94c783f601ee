"""Lines of headers."""

import tracemalloc

import pytest

from iamd.framing import LONGEST_HEAD, field_lines


def test_headers_are_lines():
    assert field_lines([(b"host", b"a:1"), (b"x-empty", b""), (b"x-tab", b"a\tb\xff")]) == (
        b"host: a:1\r\nx-empty: \r\nx-tab: a\tb\xff\r\n"
    )
    assert field_lines([]) == b""


@pytest.mark.parametrize("header", [(b"a", b"b\r\nc: d"), (b"a", b"b\n"), (b"a", b"\0"), (b"", b"b"), (b"a b", b"c")])
def test_what_is_not_one_line_is_refused(header):
    for _ in range(2):
        with pytest.raises(ValueError, match="a header"):
            field_lines([(b"host", b"localhost"), header])


def test_long_names_of_a_clients_are_not_remembered():
    tracemalloc.start()
    try:
        for number in range(50):
            name = b"x-amz-meta-%d-" % number + b"a" * (LONGEST_HEAD // 2)
            assert field_lines([(name, b"value")]) == name + b": value\r\n"
        assert tracemalloc.get_traced_memory()[0] < 10 * LONGEST_HEAD
    finally:
        tracemalloc.stop()
