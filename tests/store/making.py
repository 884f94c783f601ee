"""Small records and events that the store's tests write."""

from iamd.clock import Clock
from iamd.store.events import Event, EventResource
from iamd.store.records import AccountRecord, User
from iamd.store.store import Store

ACCOUNT = "111111111111"
KEY = b"k" * 32


def open_store(place, **options):
    options.setdefault("clock", Clock())
    options.setdefault("audit_key", KEY)
    return Store.open(place, node="node", **options)


def account(name="first"):
    return AccountRecord(account_id=ACCOUNT, name=name, created=1)


def user(number, name=None, **fields):
    return User(user_name=name or f"user-{number}", user_id=f"AIDA{number}", created=1, **fields)


def put(record, account_id=ACCOUNT):
    """A work that writes one record and returns the revision it builds on."""

    def work(change):
        change.put(account_id, record)
        return change.revision

    return work


def event(number, **fields):
    fields = {"time": float(number), "account": ACCOUNT, "name": "GetUser", "source": "iam.amazonaws.com"} | fields
    return Event(event_id=f"event-{number}", request_id=f"request-{number}", document={"number": number}, **fields)


def resource(type, name):
    return EventResource(type, name)


def users(store):
    found = store.snapshot().account(ACCOUNT)
    return [] if found is None else [record.user_name for record in found.all(User)]
