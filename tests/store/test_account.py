"""Tables of records and what a snapshot remembers, however many there are."""

from hypothesis import given
from hypothesis import strategies as st

from iamd.store.account import REMEMBERED, Snapshot, Table
from iamd.store.records import User

users = st.lists(
    st.builds(
        lambda number, groups, policies: User(
            user_name=f"Ana{number}",
            user_id=f"AIDA{number}",
            created=0,
            groups=groups,
            attached_policies=policies,
            permissions_boundary=policies[0] if policies else None,
        ),
        st.integers(0, 99),
        st.lists(st.sampled_from("abc"), unique=True, max_size=3).map(tuple),
        st.lists(st.sampled_from("pqr"), unique=True, max_size=3).map(tuple),
    ),
    unique_by=lambda user: user.user_id,
    max_size=20,
)


@given(users)
def test_a_table_of_records_is_the_table_that_they_are_put_into(records):
    one_by_one = Table(User)
    for record in records:
        one_by_one.put(record)
    at_once = Table.of(User, records)
    assert list(at_once.by_key.items()) == list(one_by_one.by_key.items())
    assert at_once.by_index == one_by_one.by_index


def test_what_is_remembered_of_a_snapshot_has_a_bound():
    snapshot = Snapshot(1, {}, {})
    for number in range(3 * REMEMBERED):
        snapshot.cache[str(number)] = number
        assert len(snapshot.cache) <= REMEMBERED
    assert snapshot.cache[str(3 * REMEMBERED - 1)] == 3 * REMEMBERED - 1
