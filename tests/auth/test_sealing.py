"""Sealed values open only where, and under the keys with which, they were sealed (SEC-01, SEC-02, STS-09)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iamd.auth.sealing import Keyring, SealError, SealingKey

KEYRING = Keyring.generate()
FIELDS = st.lists(st.text(max_size=8), max_size=4)


@given(purpose=st.text(max_size=12), fields=FIELDS, plaintext=st.binary(max_size=80))
def test_opening_gives_what_was_sealed(purpose, fields, plaintext):
    keyring = KEYRING
    assert keyring.open(purpose, fields, keyring.seal(purpose, fields, plaintext)) == plaintext
    assert keyring.open_text(purpose, fields, keyring.seal_text(purpose, fields, plaintext)) == plaintext


@given(sealed_for=FIELDS, opened_for=FIELDS)
def test_a_value_moved_to_another_row_fails(sealed_for, opened_for):
    sealed = KEYRING.seal("access-key", sealed_for, b"secret")
    if sealed_for == opened_for:
        assert KEYRING.open("access-key", opened_for, sealed) == b"secret"
    else:
        with pytest.raises(SealError):
            KEYRING.open("access-key", opened_for, sealed)


@pytest.mark.parametrize(
    ("sealed_for", "opened_for"),
    [(("ab", "c"), ("a", "bc")), (("a",), ("a", "")), ((), ("",)), (("a\0b",), ("a", "b"))],
)
def test_fields_do_not_run_into_each_other(sealed_for, opened_for):
    with pytest.raises(SealError):
        KEYRING.open("p", opened_for, KEYRING.seal("p", sealed_for, b"x"))


def test_purposes_do_not_share_a_key():
    sealed = KEYRING.seal("session-token", ("a",), b"x")
    with pytest.raises(SealError):
        KEYRING.open("marker", ("a",), sealed)


@given(data=st.data())
def test_every_altered_byte_is_refused(data):
    sealed = KEYRING.seal("p", ("row",), b"some secret of the account")
    place = data.draw(st.integers(0, len(sealed) - 1))
    bit = data.draw(st.integers(0, 7))
    altered = sealed[:place] + bytes([sealed[place] ^ (1 << bit)]) + sealed[place + 1 :]
    with pytest.raises(SealError):
        KEYRING.open("p", ("row",), altered)


def test_every_truncation_and_extension_is_refused():
    sealed = KEYRING.seal("p", (), b"")
    for cut in [*(sealed[:length] for length in range(len(sealed))), sealed + b"\0", b"\0" + sealed]:
        with pytest.raises(SealError):
            KEYRING.open("p", (), cut)


def test_text_has_one_spelling():
    text = KEYRING.seal_text("p", (), b"x")
    for other in (text + "=", text + "\n", " " + text, text[:-1], text + "A", "é" + text, text.swapcase(), ""):
        with pytest.raises(SealError):
            KEYRING.open_text("p", (), other)


def test_unused_bits_of_the_last_character_are_refused():
    text = KEYRING.seal_text("p", (), b"xx")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    for other in alphabet.replace(text[-1], ""):
        with pytest.raises(SealError):
            KEYRING.open_text("p", (), text[:-1] + other)


def test_two_seals_of_one_value_differ():
    assert KEYRING.seal("p", (), b"x") != KEYRING.seal("p", (), b"x")


def test_after_rotation_old_values_open_and_new_ones_need_the_new_key():
    old = Keyring.generate()
    new = old.rotated()
    before, after = old.seal("p", (), b"before"), new.seal("p", (), b"after")
    assert new.open("p", (), before) == b"before"
    assert new.open("p", (), after) == b"after"
    assert (new.is_current(before), new.is_current(after)) == (False, True)
    with pytest.raises(SealError):
        old.open("p", (), after)


def test_a_retired_key_is_useless():
    old = Keyring.generate()
    sealed = old.seal("p", (), b"x")
    rotated = old.rotated()
    with pytest.raises(SealError):
        rotated.without(old.newest.id).open("p", (), sealed)


def test_the_newest_key_and_an_unknown_one_cannot_be_retired():
    keyring = Keyring.generate()
    with pytest.raises(ValueError, match="newest"):
        keyring.without(keyring.newest.id)
    with pytest.raises(ValueError, match="no sealing key"):
        keyring.without(b"none")


def test_a_keyring_has_keys_of_distinct_ids():
    key = SealingKey.generate()
    with pytest.raises(ValueError, match="same id"):
        Keyring([key, SealingKey(key.id, b"k" * 32)])
    with pytest.raises(ValueError, match="needs a key"):
        Keyring([])


@pytest.mark.parametrize(("key_id", "secret"), [(b"abc", b"k" * 32), (b"abcd", b"k" * 16), (b"abcd", b"")])
def test_a_key_of_another_size_is_refused(key_id, secret):
    with pytest.raises(ValueError, match="32 bytes"):
        SealingKey(key_id, secret)


def test_no_repr_shows_a_secret():
    secret = b"CANARYCANARYCANARYCANARYCANARYCA"
    key = SealingKey(b"abcd", secret)
    for text in (repr(key), repr(Keyring([key])), str(SealError())):
        assert "CANARY" not in text


def test_a_derived_key_is_its_purposes_own_and_outlives_rotation():
    keyring = Keyring.generate()
    derived = keyring.derived_key("audit")
    assert len(derived) == 32
    assert keyring.rotated().derived_key("audit") == derived
    assert keyring.derived_key("other") != derived
    assert Keyring.generate().derived_key("audit") != derived
