"""What every database must do for the store: a test class per database inherits this and says how one is opened."""

import json
import threading
import time
from concurrent.futures import Future

import pytest
from msgspec.structs import replace
from store.making import ACCOUNT, KEY, account, event, put, resource, user, users

from iamd.store.audit import verify
from iamd.store.errors import Conflict, Unavailable
from iamd.store.log import Access, Query, Use
from iamd.store.records import AccessKey, AccountRecord, User


class Conformance:
    """`store` is an empty store; `reopened(store)` closes it and opens the same one anew, where that can be done."""

    def test_empty_store_has_no_accounts_at_revision_0(self, store):
        assert store.snapshot().revision == 0
        assert store.snapshot().account_ids() == []

    def test_write_gives_its_result_and_the_next_revision(self, store):
        assert store.write(put(account())).result() == 0
        assert store.write(put(user(1))).result() == 1
        assert store.snapshot().revision == 2
        assert users(store) == ["user-1"]

    def test_snapshot_never_changes(self, store):
        store.write(put(user(1))).result()
        before = store.snapshot()
        store.write(put(user(1, "renamed"))).result()
        assert before.account(ACCOUNT).get(User, "AIDA1").user_name == "user-1"
        assert store.snapshot().account(ACCOUNT).get(User, "AIDA1").user_name == "renamed"

    def test_reading_reads_the_last_write(self, store):
        for number in range(20):
            store.write(put(user(number))).result()
            assert f"user-{number}" in users(store)

    def test_keys_differ_by_case_and_accents(self, store):
        names = ["key", "KEY", "kéy", "ke\u0301y", "kéy ", "ſ", "s", "ß", "ss", "İ", "i", "I", "\U0001f511"]
        for number, name in enumerate(names):
            store.write(put(User(user_name=f"u{number}", user_id=name, created=number))).result()
        store = self.reopened(store)
        found = store.snapshot().account(ACCOUNT)
        assert [record.user_id for record in found.all(User)] == names
        assert all(found.get(User, name).created == number for number, name in enumerate(names))

    def test_names_come_back_as_they_were_written(self, store):
        names = ["Ünïcode", "a\u0000b", "'; DROP TABLE records; --", "%_", "\u202e", "x" * 5000]
        for number, name in enumerate(names):
            store.write(put(user(number, name))).result()
        assert users(self.reopened(store)) == names

    def test_records_stay_in_the_order_they_were_made(self, store):
        for number in (3, 1, 2):
            store.write(put(user(number))).result()
        store.write(put(user(3, "again"))).result()
        assert users(store) == ["again", "user-1", "user-2"]
        assert users(self.reopened(store)) == ["again", "user-1", "user-2"]

    def test_deleted_record_is_gone_for_good(self, store):
        store.write(put(user(1))).result()
        store.write(put(user(2))).result()
        store.write(lambda change: change.delete(ACCOUNT, user(1))).result()
        assert users(store) == ["user-2"]
        assert users(self.reopened(store)) == ["user-2"]

    def test_account_without_records_is_no_account(self, store):
        store.write(put(user(1))).result()
        store.write(lambda change: change.delete(ACCOUNT, user(1))).result()
        assert store.snapshot().account(ACCOUNT) is None
        assert self.reopened(store).snapshot().account(ACCOUNT) is None

    def test_failed_work_leaves_nothing_and_gives_its_own_error(self, store):
        store.write(put(user(1))).result()

        def work(change):
            change.put(ACCOUNT, user(2))
            change.record_event(event(1))
            change.use_once("totp", "1", 10)
            raise Conflict("no")

        with pytest.raises(Conflict, match="no"):
            store.write(work).result()
        assert store.snapshot().revision == 1
        assert users(store) == ["user-1"]
        assert store.by_request_id("request-1") == []
        assert store.write(lambda change: change.use_once("totp", "1", 10)).result()

    def test_works_that_wait_together_stand_or_fall_alone(self, store):
        """They share commits, and each still has a revision of its own, in order, without a gap."""
        futures = together(store, [put(user(number)) if number % 3 else failing(number) for number in range(600)])
        outcomes = [future.exception() or future.result() for future in futures]
        assert [str(o) for n, o in enumerate(outcomes) if n % 3 == 0] == [str(n) for n in range(0, 600, 3)]
        assert [o for n, o in enumerate(outcomes) if n % 3] == list(range(400))
        assert store.snapshot().revision == 400

    def test_works_that_wait_together_write_the_same_records_in_turn(self, store):
        """What one deletes another writes anew in the same commit, and the first state is the first one's alone."""

        def delete(number):
            return lambda change: change.delete(ACCOUNT, user(number))

        works = [
            put(account()),
            put(user(1)),
            put(user(2)),
            delete(1),
            put(user(2, path="/b/")),
            put(user(1)),
            delete(2),
        ]
        for future in together(store, works):
            future.result()
        store = self.reopened(store)
        assert (users(store), store.snapshot().revision) == (["user-1"], 7)
        store.reset()
        assert users(store) == []
        assert store.snapshot().account(ACCOUNT).get(AccountRecord, ACCOUNT) == account()

    def test_work_sees_what_works_before_it_wrote(self, store):
        futures = together(store, [append_name(str(number)) for number in range(100)])
        assert [future.result() for future in futures] == list(range(100))

    def test_work_that_writes_no_record_makes_no_revision(self, store):
        store.write(put(account())).result()
        store.write(lambda change: change.record_event(event(1))).result()
        store.write(lambda change: change.use_once("totp", "1", 10)).result()
        assert store.snapshot().revision == 1
        assert len(store.by_request_id("request-1")) == 1

    def test_16_writers_lose_no_update(self, store):
        """STO-03: each adds its own to one record, and the limit of that record holds."""
        store.write(put(account(""))).result()

        def add(name):
            def work(change):
                record = change.account(ACCOUNT).get(AccountRecord, ACCOUNT)
                if len(record.name) >= 100:
                    raise Conflict("full")
                change.put(ACCOUNT, account(record.name + name))

            return work

        def writer(name):
            for _ in range(10):
                try:
                    store.write(add(name)).result()
                except Conflict:
                    refused.append(name)

        refused = []
        in_threads([lambda name=name: writer(name) for name in "ABCDEFGHIJKLMNOP"])
        name = store.snapshot().account(ACCOUNT).get(AccountRecord, ACCOUNT).name
        assert len(name) == 100
        assert len(refused) == 60
        assert store.snapshot().revision == 101

    def test_one_use_row_is_used_once(self, store):
        def use(change):
            return change.use_once("totp", "device/123", 2**40)

        futures = together(store, [use] * 5)
        assert [future.result() for future in futures] == [True, False, False, False, False]
        assert not self.reopened(store).write(use).result()

    def test_one_use_row_can_be_deleted(self, store):
        def work(change):
            seen = [change.use_once("totp", "1", 10), change.use_once("totp", "1", 10)]
            change.delete_used("totp", "1")
            return [*seen, change.use_once("totp", "1", 10)]

        assert store.write(work).result() == [True, False, True]
        store.write(lambda change: change.delete_used("totp")).result()
        assert store.write(lambda change: change.use_once("totp", "1", 10)).result()

    def test_discarded_change_keeps_its_events_and_what_was_used(self, store):
        def work(change):
            change.use_once("totp", "1", 2**40)
            change.put(ACCOUNT, user(1))
            change.discard()
            change.record_event(event(1))

        store.write(work).result()
        assert store.snapshot().revision == 0
        assert len(store.by_request_id("request-1")) == 1
        assert not store.write(lambda change: change.use_once("totp", "1", 10)).result()

    def test_event_of_a_write_is_there_when_the_write_is(self, store):
        def work(change):
            change.put(ACCOUNT, user(1))
            change.record_event(event(1))

        store.write(work).result()
        assert [found.document for found in store.by_request_id("request-1")] == [b'{"number":1}']

    def test_recorded_event_is_committed_within_200_ms(self, store):
        """One of three, for the machine may be busy with something else."""
        found = []
        for number in range(3):
            store.record_event(event(number))
            time.sleep(0.2)
            found += store.by_request_id(f"request-{number}")
        assert found

    def test_events_stand_in_the_order_they_were_recorded(self, store):
        """Also across reads and writes: an event recorded before a write stands before the write's own."""
        for number in range(0, 100, 2):
            store.record_event(event(number, time=5.0))
            store.write(lambda change, n=number: change.record_event(event(n + 1, time=5.0))).result()
        found = store.look_up(Query(account=ACCOUNT, equal={}, newest_first=False, limit=1000))
        assert [f.facts.event_id for f in found] == [f"event-{n}" for n in range(100)]
        assert [f.id for f in found] == list(range(found[0].id, found[0].id + 100))

    def test_event_that_cannot_be_written_down_leaves_a_record(self, store):
        def broken():
            raise RuntimeError("a bug")

        store.record_event(
            event(1, name="\ud800", resources=(resource("AWS::IAM::User", "\udfff"),), time=float("nan"))
        )
        store.record_event(event_with(2, broken))
        store.record_event(event_with(3, {"name": "\ud800"}))
        store.flush()
        assert [b"InternalFailure" in store.by_request_id(f"request-{n}")[0].document for n in (1, 2, 3)] == [
            False,
            True,
            True,
        ]
        assert audit(store) == []

    def test_write_whose_event_cannot_be_written_down_fails(self, store):
        """AUD-02: the record commits with the change or the change fails."""

        def work(change):
            change.put(ACCOUNT, user(1))
            change.record_event(event_with(1, {"name": "\ud800"}))

        with pytest.raises(UnicodeEncodeError):
            store.write(work).result()
        assert store.snapshot().revision == 0

    def test_events_are_found_by_each_attribute(self, store):
        fill_events(store)
        for field, value in {
            "event_id": "event-3",
            "name": "DeleteUser",
            "source": "sts.amazonaws.com",
            "user_name": "bond",
            "access_key_id": "AKIA1",
            "read_only": True,
        }.items():
            found = store.look_up(Query(account=ACCOUNT, equal={field: value}))
            assert [f.facts.event_id for f in found] == ["event-3"], field

    def test_events_are_found_by_resource(self, store):
        fill_events(store)
        assert ids(store, resource_type="AWS::IAM::User") == ["event-3", "event-2"]
        assert ids(store, resource_name="bond") == ["event-3"]
        assert ids(store, resource_name="Bond") == []
        # Both must hold for one resource: `M` is a user, and only a role is at `arn`.
        assert ids(store, resource_type="AWS::IAM::User", resource_name="arn") == []

    def test_events_are_found_in_a_span_of_time(self, store):
        fill_events(store)
        assert ids(store, start=2.0, end=4.0) == ["event-4", "event-3", "event-2"]
        assert ids(store, start=2.0, end=4.0, newest_first=False) == ["event-2", "event-3", "event-4"]
        assert ids(store, account="222222222222") == []

    def test_pages_of_events_meet_without_gap_or_overlap(self, store):
        for number in range(30):
            store.record_event(event(number, time=float(number // 7)))
        store.flush()
        for newest_first in (True, False):
            pages, after = [], None
            while page := store.look_up(
                Query(account=ACCOUNT, equal={}, newest_first=newest_first, after=after, limit=4)
            ):
                pages += [found.facts.event_id for found in page]
                after = (page[-1].facts.time, page[-1].id)
            expected = [f"event-{n}" for n in range(30)]
            assert pages == (expected[::-1] if newest_first else expected)

    def test_unknown_attribute_is_refused(self, store):
        with pytest.raises(ValueError, match="document"):
            store.look_up(Query(account=ACCOUNT, equal={"document": "x"}))

    def test_accesses_are_the_last_of_each_action_of_each_principal(self, store):
        role = {"principalId": "AROA1:s", "sessionContext": {"sessionIssuer": {"principalId": "AROA1"}}}
        get, put = [{"action": "s3:GetObject"}], [{"action": "s3:PutObject"}, {"action": "kms:Decrypt"}]
        asked = [
            (1, {"principalId": "AIDA1"}, get, "us-east-1"),
            (3, {"principalId": "AIDA1"}, get, "eu-west-1"),
            (2, {"principalId": "AIDA1"}, get, "us-west-2"),
            (4, {"principalId": "AIDA1"}, put, "us-east-1"),
            (5, role, get, "us-east-1"),
            (6, {"principalId": "AIDA2"}, [], "us-east-1"),
            (7, {"type": "Unknown"}, get, "us-east-1"),
        ]
        for number, who, decisions, region in asked:
            record = {"userIdentity": who, "awsRegion": region, "iamd": {"decisions": decisions}}
            store.record_event(replace(event(number), document=record))
        store.record_event(replace(event(9, account="222222222222"), document={"userIdentity": {}}))
        store.flush()
        assert sorted(store.accesses(ACCOUNT, 0)) == [
            Access("AIDA1", "s3:GetObject", 3, "eu-west-1"),
            Access("AIDA1", "s3:PutObject", 4, "us-east-1"),
            Access("AROA1", "s3:GetObject", 5, "us-east-1"),
        ]
        assert sorted(store.accesses(ACCOUNT, 4)) == [
            Access("AIDA1", "s3:PutObject", 4, "us-east-1"),
            Access("AROA1", "s3:GetObject", 5, "us-east-1"),
        ]

    def test_denials_are_counted_by_who_asked_for_what_on_which(self, store):
        user, role = {"arn": "ann"}, {"arn": "s", "sessionContext": {"sessionIssuer": {"arn": "app"}}}
        get, put = (self._decided(action, "ImplicitlyDenied") for action in ("s3:GetObject", "s3:PutObject"))
        asked = [
            (1, user, [get], {"errorCode": "AccessDenied"}),
            (5, user, [get], {"errorCode": "AccessDenied"}),
            (5, user, [get, put], {}),
            (6, role, [self._decided("kms:Decrypt", "Allowed"), put], {"errorCode": "AccessDenied"}),
            (7, {"type": "Unknown"}, [put], {"errorCode": "AccessDenied"}),
            (8, user, [self._decided("s3:GetObject", "Allowed")], {}),
        ]
        for number, (when, who, decisions, error) in enumerate(asked):
            record = {"userIdentity": who, "iamd": {"decisions": decisions}, **error}
            store.record_event(replace(event(number), time=when, document=record))
        store.record_event(replace(event(9, account="222222222222"), document=record))
        store.flush()
        found = store.denials(ACCOUNT, 0)
        assert [(one.who, one.action, one.is_only_told, one.times, one.time) for one in found] == [
            ("ann", "s3:GetObject", False, 2, 5),
            ("", "s3:PutObject", False, 1, 7),
            ("app", "s3:PutObject", False, 1, 6),
            ("ann", "s3:GetObject", True, 1, 5),
            ("ann", "s3:PutObject", True, 1, 5),
        ]
        assert found[0].request_id == event(1).request_id
        assert json.loads(found[0].decision) == get
        assert [one.times for one in store.denials(ACCOUNT, 4)] == [1] * 5

    @staticmethod
    def _decided(action, outcome):
        return {"action": action, "resource": "*", "outcome": outcome}

    def test_last_use_is_the_newest_one(self, store):
        assert store.last_used(ACCOUNT, "role", "AROA1") is None
        store.note_use(ACCOUNT, "role", "AROA1", Use(5, "us-east-1", "s3"))
        assert store.last_used(ACCOUNT, "role", "AROA1") == Use(5, "us-east-1", "s3")
        store = self.reopened(store)
        assert store.last_used(ACCOUNT, "role", "AROA1") == Use(5, "us-east-1", "s3")
        store.note_use(ACCOUNT, "role", "AROA1", Use(6, "eu-west-1", "sqs"))
        assert store.last_used(ACCOUNT, "role", "AROA1").time == 6

    def test_reset_goes_back_to_the_first_state(self, store):
        store.write(lambda change: [change.put(ACCOUNT, record) for record in (account(), user(1))]).result()
        fill_events(store)
        store.note_use(ACCOUNT, "role", "AROA1", Use(5, "", ""))
        store.write(lambda change: change.use_once("totp", "1", 2**40)).result()
        store.write(put(user(2))).result()
        store.write(lambda change: change.delete(ACCOUNT, user(1))).result()
        before = store.snapshot().revision
        store.reset()
        assert users(store) == ["user-1"]
        assert store.snapshot().revision == before + 1
        assert ids(store) == []
        assert store.last_used(ACCOUNT, "role", "AROA1") is None
        assert store.write(lambda change: change.use_once("totp", "1", 2**40)).result()
        store.record_event(event(9))
        store.flush()
        assert ids(store) == ["event-9"]
        assert audit(store) == []
        assert users(self.reopened(store)) == ["user-1"]

    def test_reset_goes_back_to_the_state_that_was_marked(self, store):
        store.write(put(account())).result()
        store.write(put(user(1))).result()
        store.mark_first_state()
        store.write(put(user(2))).result()
        store.reset()
        assert users(store) == ["user-1"]

    def test_reset_of_an_empty_store_is_refused(self, store):
        with pytest.raises(Conflict, match="nothing was ever written"):
            store.reset()

    def test_reset_takes_less_than_30_ms(self, store):
        store.write(put(account())).result()
        taken = []
        for _ in range(5):
            fill_events(store)
            store.write(put(user(1))).result()
            start = time.perf_counter()
            store.reset()
            taken.append(time.perf_counter() - start)
        assert min(taken) < 0.03

    def test_closed_store_writes_no_more(self, store):
        store.close()
        with pytest.raises(Unavailable, match="closed"):
            store.write(put(user(1)))

    def test_works_that_wait_are_written_when_the_store_closes(self, store):
        futures = [store.write(put(user(number))) for number in range(300)]
        store.close()
        assert [future.result() for future in futures] == list(range(300))

    def test_cancelled_work_is_not_run(self, store):
        started, go = threading.Event(), threading.Event()
        store.write(lambda change: (started.set(), go.wait()))
        started.wait()
        cancelled = store.write(put(user(1)))
        assert cancelled.cancel()
        go.set()
        store.flush()
        assert users(store) == []

    def test_foreign_access_key_is_found_in_its_account(self, store):
        def key(status):
            return AccessKey(
                access_key_id="AKIDEXAMPLE", user_id=None, sealed_secret=b"\x00\xff", status=status, created=1
            )

        store.write(put(key("Active"))).result()
        assert store.snapshot().access_key("AKIDEXAMPLE")[1].sealed_secret == b"\x00\xff"
        store = self.reopened(store)
        assert store.snapshot().access_key("AKIDEXAMPLE")[0].id == ACCOUNT
        store.write(lambda change: change.delete(ACCOUNT, key("Active"))).result()
        assert store.snapshot().access_key("AKIDEXAMPLE") is None

    def test_streams_of_every_start_hold(self, store):
        fill_events(store)
        store = self.reopened(store)
        store.write(lambda change: change.record_event(event(50))).result()
        assert audit(store) == []

    def reopened(self, store):
        raise TypeError(type(self).__name__)


def together(store, works) -> list[Future]:
    """The futures of works that all waited when the writer came to them."""
    started, go = threading.Event(), threading.Event()
    store.write(lambda change: (started.set(), go.wait()))
    started.wait()
    futures = [store.write(work) for work in works]
    go.set()
    return futures


def in_threads(functions) -> None:
    threads = [threading.Thread(target=function) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def failing(number):
    def work(change):
        change.put(ACCOUNT, user(number))
        raise Conflict(str(number))

    return work


def append_name(name):
    def work(change):
        change.put(ACCOUNT, user(name))
        return change.account(ACCOUNT).count(User) - 1

    return work


def event_with(number, document):
    plain = event(number)
    fields = {name: getattr(plain, name) for name in plain.__slots__ if name != "document"}
    return type(plain)(**fields, document=document)


def fill_events(store) -> None:
    for number in (1, 2, 4, 5):
        shown = (resource("AWS::IAM::User", "M"), resource("AWS::IAM::Role", "arn")) if number == 2 else ()
        store.record_event(event(number, resources=shown))
    store.record_event(
        event(
            3,
            name="DeleteUser",
            source="sts.amazonaws.com",
            user_name="bond",
            access_key_id="AKIA1",
            read_only=True,
            resources=(resource("AWS::IAM::User", "bond"),),
        )
    )
    store.flush()


def ids(store, **fields):
    query = {"account": ACCOUNT, "equal": {}} | fields
    return [found.facts.event_id for found in store.look_up(Query(**query))]


def audit(store):
    with store._log.reading() as reading:
        return verify(reading, KEY)
