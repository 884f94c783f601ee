"""100,000 users in one store: how long they take to load, what they take up, and what a decision costs: P1 to P3.

Each has an access key, an inline policy of its own, and two managed policies that the others have too. The store itself
writes them: by requests it would take an hour.
"""

import tempfile
import time
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import servers
from rounds import Subject, measure
from signed import POLICY, Callers, caught, client

from iamd import accounts, ids, start
from iamd.accounts import Administrator
from iamd.settings import Settings
from iamd.store.records import InlinePolicy, User

ACCOUNTS = 20
USERS = 5000
CALLERS = 50
"""How many users of each account ask, in turn."""

MANAGED = ("arn:aws:iam::aws:policy/AmazonSQSReadOnlyAccess", "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess")
ROUNDS = 5
COUNT = 2 * ACCOUNTS * CALLERS


def run(report, folder):
    """Measure, and tell the report."""
    data = Path(tempfile.mkdtemp(dir=folder, prefix="many-"))
    callers = _fill(data)
    with ExitStack() as stack:
        large = stack.enter_context(servers.iamd(folder, data=data))
        client("sts", large.port, servers.ADMIN).get_caller_identity()
        report.tell("P1", time.monotonic() - large.started)
        report.tell("P2", large.memory())
        small = stack.enter_context(servers.iamd(folder))
        few = Callers(small.port, servers.ADMIN).get_user()
        many = [_get_user(large.port, caller) for caller in callers]
        subjects = Subject(large, many, COUNT), Subject(small, few, COUNT)
        measure(subjects, ROUNDS)
        report.tell("P3", subjects[0].cpu / subjects[1].cpu)
        report.note(
            f"GetUser decided a second: {subjects[0].per_second:.0f} for {len(many)} of {ACCOUNTS * USERS} users, "
            f"{subjects[1].per_second:.0f} for 8 of 8; memory then {large.memory():.0f} MiB"
        )


def _fill(data):
    """Write the users; gives those who ask, as administrators of nothing."""
    settings = Settings(
        data=data, backend="none", admin_access_key_id=servers.ADMIN[0], admin_secret_access_key=servers.ADMIN[1]
    )
    callers = []
    with start.data_folder(settings):
        runtime = start.open_runtime(settings)
        start.first_start(runtime)
        for number in range(ACCOUNTS):
            made = runtime.store.write(partial(_add_account, keyring=runtime.keyring, number=number)).result()
            callers += made[:CALLERS]
        runtime.store.close()
    return callers


def _add_account(change, keyring, number):
    """One account with its users; gives them with their keys."""
    account_id, now, made = f"{number + 1:012d}", int(time.time()), []
    accounts.add_account(change, keyring, account_id=account_id, name=f"account-{number}", now=now)
    for user_number in range(USERS):
        name = f"bench-{number}-{user_number}"
        policy = InlinePolicy("work", POLICY.replace("team-*", f"team-{name}-*"))
        user = User(
            user_name=name,
            user_id=ids.unique_id(ids.USER),
            created=now,
            inline_policies=(policy,),
            attached_policies=MANAGED,
        )
        key_id = ids.access_key_id(ids.LONG_TERM_KEY, account_id)
        caller = Administrator(account_id, name, key_id, ids.secret_access_key())
        change.put(account_id, user)
        change.put(account_id, accounts.access_key(keyring, caller, user.user_id, now))
        made.append(caller)
    return made


def _get_user(port, caller):
    """GetUser of one who asks for itself, with what the answer must hold."""
    asked = client("iam", port, (caller.access_key_id, caller.secret_access_key))
    wanted = f"<UserName>{caller.user_name}</UserName>"
    return caught(asked, "get_user", {"UserName": caller.user_name}), wanted.encode()
