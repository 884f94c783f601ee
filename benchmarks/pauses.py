"""A large account: how long another's request waits while its users, roles and policies are read page by page: P4, P5.

The account has 5,000 users, 1,000 roles and 1,500 policies; the store itself writes them.
"""

import re
import tempfile
import time
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path

import servers
from load import Connection
from signed import POLICY, caught, client

from iamd import ids, start
from iamd.settings import Settings
from iamd.store.records import InlinePolicy, ManagedPolicy, PolicyVersion, Role, User

USERS, ROLES, POLICIES = 5000, 1000, 1500
STATEMENTS = 20
"""Of each policy: some 2 KB, as policies often are."""
PAGE = 1000
HEAD_START = 0.0005
"""Seconds that the page is asked for before the other request."""

MARKER = re.compile(rb"<Marker>(.*?)</Marker>")
STATEMENT = '{{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":"arn:aws:s3:::bucket-{}/*"}}'
DOCUMENT = '{{"Version":"2012-10-17","Statement":[{}]}}'
TRUST = (
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},'
    '"Action":"sts:AssumeRole"}]}'
)


def run(report, folder):
    """Measure, and tell the report."""
    data = Path(tempfile.mkdtemp(dir=folder, prefix="large-"))
    _fill(data)
    with ExitStack() as stack:
        server = stack.enter_context(servers.iamd(folder, data=data))
        connections = [stack.enter_context(closing(Connection(server.port))) for _ in range(2)]
        client("sts", server.port, servers.ADMIN).get_caller_identity()
        measured = partial(_longest_wait, server.port, *connections)
        listing, pages = measured("list_users")
        report.tell("P4", listing)
        details, more = measured("get_account_authorization_details")
        report.tell("P5", details)
        report.note(f"pages of {PAGE}: {pages} of ListUsers, {more} of GetAccountAuthorizationDetails")


def _longest_wait(port, long, short, operation):
    """The milliseconds that another's GetCallerIdentity took at most while the pages were made, and their number."""
    iam, sts = (client(service, port, servers.ADMIN) for service in ("iam", "sts"))
    asked, worst, pages, marker = caught(sts, "get_caller_identity", {}), 0.0, 0, None
    while pages == 0 or marker is not None:
        given = {"MaxItems": PAGE} | ({"Marker": marker} if marker else {})
        long.send(caught(iam, operation, given))
        time.sleep(HEAD_START)
        begun = time.perf_counter()
        short.send(asked)
        short.receive(b"<Arn>")
        worst = max(worst, time.perf_counter() - begun)
        found = MARKER.search(long.receive(b"IsTruncated"))
        marker, pages = found and found[1].decode(), pages + 1
    return worst * 1e3, pages


def _fill(data):
    settings = Settings(
        data=data, backend="none", admin_access_key_id=servers.ADMIN[0], admin_secret_access_key=servers.ADMIN[1]
    )
    with start.data_folder(settings):
        runtime = start.open_runtime(settings)
        start.first_start(runtime)
        runtime.store.write(partial(_add, account=settings.account)).result()
        runtime.store.close()


def _add(change, account):
    now, arns = int(time.time()), []
    for number in range(POLICIES):
        statements = ",".join(STATEMENT.format(number * STATEMENTS + one) for one in range(STATEMENTS))
        version = PolicyVersion(version_id="v1", document=DOCUMENT.format(statements), created=now)
        arns.append(f"arn:aws:iam::{account}:policy/bench-{number}")
        policy = ManagedPolicy(
            policy_id=ids.unique_id(ids.MANAGED_POLICY), policy_name=f"bench-{number}", arn=arns[-1], created=now,
            updated=now, versions=(version,), default_version_id="v1", last_version=1,
        )  # fmt: skip
        change.put(account, policy)
    own = (InlinePolicy("work", POLICY),)
    for number in range(USERS):
        user = User(
            user_name=f"bench-{number}", user_id=ids.unique_id(ids.USER), created=now, inline_policies=own,
            attached_policies=(arns[number % POLICIES], arns[number * 7 % POLICIES]),
        )  # fmt: skip
        change.put(account, user)
    for number in range(ROLES):
        role = Role(
            role_name=f"bench-{number}", role_id=ids.unique_id(ids.ROLE), created=now, trust_policy=TRUST,
            inline_policies=own, attached_policies=(arns[number % POLICIES],),
        )  # fmt: skip
        change.put(account, role)
