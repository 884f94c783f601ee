"""What a snapshot remembers of a caller: of that identity alone, and nothing of a session."""

import msgspec
from msgspec.structs import replace

from iamd.auth.identity import Identity
from iamd.policy.request import PrincipalKind
from iamd.services.cloudtrail.user_identity import caller
from iamd.store.account import Snapshot

ANN = Identity(
    PrincipalKind.USER,
    "111122223333",
    "arn:aws:iam::111122223333:user/ann",
    "AIDAEXAMPLEEXAMPLEEXA",
    name="ann",
    access_key_id="AKIAIOSFODNN7EXAMPLE",
)


def told(identity, view):
    found = caller(identity, view)
    return msgspec.json.decode(msgspec.json.encode(found.element))["userName"], found.user_name


def test_a_snapshot_remembers_a_caller_without_a_session():
    view = Snapshot(1, {}, {})
    assert caller(ANN, view) is caller(ANN, view)
    assert caller(ANN, view) is not caller(ANN, Snapshot(2, {}, {}))


def test_another_identity_with_the_same_key_is_told_of_as_it_is():
    view = Snapshot(1, {}, {})
    assert told(ANN, view) == ("ann", "ann")
    assert told(replace(ANN, name="bob"), view) == ("bob", "bob")
    assert told(ANN, view) == ("ann", "ann")


def test_what_has_no_json_is_left_to_the_record():
    unreadable = replace(ANN, name="\ud800")
    assert caller(unreadable, Snapshot(1, {}, {})).element["userName"] == "\ud800"
