"""Session tokens hold the session, belong to one access key, and open under the keyring's keys only (STS-08, STS-09)."""

import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from iamd.auth import tokens
from iamd.auth.sealing import Keyring
from iamd.auth.tokens import Session, SessionKind
from iamd.errors import Common, CommonError

KEYRING = Keyring.generate()
KEY_ID = "ASIAQABCDEFGHIJKLMNO"


def session(**changes) -> Session:
    return Session(
        **{
            "kind": SessionKind.ROLE,
            "access_key_id": KEY_ID,
            "secret_access_key": "CANARYsecretCANARYsecretCANARYsecret1234",
            "account": "123456789012",
            "principal_id": "AROAABCDEFGHIJKLMNOPQ",
            "issued": 1_800_000_000,
            "expires": 1_800_003_600,
            "session_name": "james.bond",
        }
        | changes
    )


TEXT = st.text(max_size=20)
SESSIONS = st.builds(
    session,
    kind=st.sampled_from(SessionKind),
    name=TEXT,
    path=TEXT,
    mfa_time=st.none() | st.integers(0, 2**40),
    source_identity=st.none() | TEXT,
    tags=st.dictionaries(TEXT, TEXT, max_size=5),
    transitive_tag_keys=st.lists(TEXT, max_size=3).map(tuple),
    policy=st.none() | st.text(max_size=3000),
    policy_arns=st.lists(TEXT, max_size=3).map(tuple),
    federated_provider=st.none() | TEXT,
    assumed_by=st.none() | TEXT,
    source_account=st.none() | TEXT,
    federated_claims=st.dictionaries(TEXT, TEXT, max_size=3),
)


def refused(token: str, key_id: str = KEY_ID, keyring: Keyring = KEYRING) -> None:
    with pytest.raises(CommonError) as caught:
        tokens.open(token, key_id, keyring)
    assert caught.value.kind is Common.INVALID_SESSION_TOKEN
    # The words are each service's own: the error brings none.
    assert caught.value.message == ""


@given(SESSIONS)
def test_a_token_opens_to_its_session(one):
    token = tokens.seal(one, KEYRING)
    assert tokens.open(token, KEY_ID, KEYRING) == one
    assert re.fullmatch("[A-Za-z0-9_-]+", token)


def test_a_second_opening_gives_the_same_session():
    token = tokens.seal(session(), KEYRING)
    assert tokens.open(token, KEY_ID, KEYRING) is tokens.open(token, KEY_ID, KEYRING)


def test_a_token_beside_another_key_is_refused_also_after_it_was_opened():
    token = tokens.seal(session(), KEYRING)
    refused(token, "ASIAQABCDEFGHIJKLMNP")
    tokens.open(token, KEY_ID, KEYRING)
    refused(token, "ASIAQABCDEFGHIJKLMNP")
    refused(token, KEY_ID.lower())


def test_a_token_under_an_unknown_key_is_refused():
    refused(tokens.seal(session(), Keyring.generate()))


def test_rotation_keeps_tokens_and_retirement_ends_them_at_once():
    old = Keyring.generate()
    token = tokens.seal(session(), old)
    rotated = old.rotated()
    assert tokens.open(token, KEY_ID, rotated) == session()
    refused(token, keyring=rotated.without(old.newest.id))


@given(st.data())
def test_an_altered_token_is_refused(data):
    token = tokens.seal(session(policy="{}" * 200), KEYRING)
    place = data.draw(st.integers(0, len(token) - 1))
    letter = data.draw(st.sampled_from("ABCxyz09-_=+/ \né"))
    altered = token[:place] + letter + token[place + 1 :]
    if altered != token:
        refused(altered)


@given(st.text(max_size=60))
def test_text_that_is_no_token_is_refused(text):
    refused(text)


def test_a_cut_long_or_foreign_token_is_refused():
    token = tokens.seal(session(), KEYRING)
    for other in (token[:-1], token[:40], token + "A", token * 2, "", "A" * 70_000):
        refused(other)
    refused(KEYRING.seal_text("marker", (KEY_ID,), b"x"))


@pytest.mark.parametrize("content", [b"", b"\x00", b"\x03abc", b"\x01\x90", b"\x02junk", b"\x01\xc1"])
def test_sealed_content_of_another_form_is_refused(content):
    refused(KEYRING.seal_text("session-token", (KEY_ID,), content))


def test_a_session_of_another_key_inside_is_refused():
    inner = tokens._encode(session(access_key_id="ASIAOTHER"))
    refused(KEYRING.seal_text("session-token", (KEY_ID,), b"\x01" + inner))


@pytest.mark.parametrize("chained", [False, True])
@given(one=SESSIONS)
def test_a_token_that_says_whether_roles_were_chained_is_refused(chained, one):
    """Sessions said so after their policies' ARNs; the members behind it are not taken for others."""
    members = list(msgspec.structs.astuple(one))
    members.insert(Session.__struct_fields__.index("policy_arns") + 1, chained)
    content = b"\x01" + msgspec.msgpack.encode(members)
    refused(KEYRING.seal_text("session-token", (KEY_ID,), content))


def test_usual_tokens_stay_below_4_kib():
    policy = '{"Version":"2012-10-17","Statement":[' + ",".join(
        f'{{"Effect":"Allow","Action":"s3:Get{n}","Resource":"arn:aws:s3:::bucket-{n}/*"}}' for n in range(25)
    )
    policy += "]}"
    assert len(policy) > 1800
    assert len(tokens.seal(session(), KEYRING)) < 400
    assert len(tokens.seal(session(policy=policy, tags={f"key{n}": "v" * 20 for n in range(20)}), KEYRING)) < 4096


def test_the_memo_is_bounded(monkeypatch):
    monkeypatch.setattr(tokens, "_MEMO_SIZE", 3)
    keyring = Keyring.generate()
    for _ in range(10):
        tokens.open(tokens.seal(session(), keyring), KEY_ID, keyring)
        assert len(keyring.opened_tokens) <= 3


def test_no_repr_and_no_error_shows_a_secret():
    assert "CANARY" not in repr(session(policy="CANARY", tags={"a": "CANARY"}))
    with pytest.raises(CommonError) as caught:
        tokens.open("CANARY", KEY_ID, KEYRING)
    assert "CANARY" not in str(caught.value)
