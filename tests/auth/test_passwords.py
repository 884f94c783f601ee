"""Passwords are hashed with argon2id and verified at the same cost for known and unknown users (WEB-05)."""

import pytest

from iamd.auth import passwords

HASHED = passwords.hash_password("CANARY pässword")


def test_the_right_password_verifies_and_no_other():
    assert passwords.verify("CANARY pässword", HASHED)
    for other in ("canary pässword", "CANARY pässword ", "", "CANARY passwort"):
        assert not passwords.verify(other, HASHED)


def test_hashes_are_argon2id_and_salted():
    assert HASHED.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert passwords.hash_password("CANARY pässword") != HASHED
    assert "CANARY" not in HASHED


def test_an_unknown_user_has_no_password():
    assert not passwords.verify("CANARY pässword", None)
    assert not passwords.verify("", None)


def test_an_unknown_user_costs_the_work_of_a_known_one(monkeypatch):
    seen = []
    real = passwords._HASHER.verify
    monkeypatch.setattr(type(passwords._HASHER), "verify", lambda self, h, p: seen.append(h) or real(h, p))
    passwords.verify("x", None)
    passwords.verify("x", HASHED)
    passwords.verify("x" * 200, HASHED)
    parameters = [hashed.rsplit("$", 2)[0] for hashed in seen]
    assert len(seen) == 3
    assert set(parameters) == {HASHED.rsplit("$", 2)[0]}
    assert [len(hashed) for hashed in seen] == [len(HASHED)] * 3


@pytest.mark.parametrize(
    "damaged",
    ["", "x", "$argon2id$v=19$m=1", HASHED[:-4], HASHED.replace("argon2id", "plain")],
    ids=["empty", "a letter", "cut early", "cut late", "another kind"],
)
def test_a_damaged_hash_verifies_nothing(damaged):
    assert not passwords.verify("CANARY pässword", damaged)


def test_a_password_longer_than_any_does_not_verify_by_its_beginning():
    long = "x" * passwords.LONGEST
    hashed = passwords.hash_password(long)
    assert passwords.verify(long, hashed)
    assert not passwords.verify(long + "y", hashed)


def test_earlier_passwords_are_found():
    hashes = [passwords.hash_password(text) for text in ("one", "two")]
    assert passwords.was_used("two", hashes)
    assert not passwords.was_used("three", hashes)
    assert not passwords.was_used("one", [])


def test_a_hash_of_other_parameters_asks_to_be_made_anew():
    assert not passwords.needs_rehash(HASHED)
    assert passwords.needs_rehash(HASHED.replace("t=2", "t=1"))
