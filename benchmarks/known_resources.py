"""The gateway before a backend of 100,000 known resources, beside one that knows 10: G4.

Each has an owner, a policy and a name; the store itself writes them: by requests it would take an hour.
"""

import tempfile
import time
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import servers
from rounds import Subject, measure
from signed import Callers

from iamd import start
from iamd.settings import Settings
from iamd.store.records import GLOBAL, Resource

FEW, MANY = 10, 100_000
PIECE = 5_000
ROUNDS = 20
COUNT = 960
BOOT = None
"""A backend at a URL forgets nothing, so that what is known of it holds for all its lives."""
POLICY = (
    '{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"{owner}"}},"Action":"*",'
    '"Resource":"{arn}"}}]}}'
)
FORMS = (
    "arn:aws:s3:::known-{}",
    "arn:aws:sqs:us-east-1:{owner}:known-{}",
    "arn:aws:dynamodb:us-east-1:{owner}:table/{}",
)


def run(report, folder):
    """Measure, and tell the report."""
    with ExitStack() as stack:
        backend = stack.enter_context(servers.app("backend"))
        subjects = []
        for known in (FEW, MANY):
            data = Path(tempfile.mkdtemp(dir=folder, prefix="known-"))
            _fill(data, known)
            url = f"http://127.0.0.1:{backend.port}"
            server = stack.enter_context(servers.iamd(folder, data=data, backend=url))
            callers = Callers(server.port, servers.ADMIN)
            callers.put_objects()
            subjects.append(Subject(server, callers.get_object(), COUNT))
        measure(subjects, ROUNDS)
        few, many = (subject.cpu for subject in subjects)
        report.tell("G4", many / few)
        report.note(f"S3 GET of 1 KiB before {FEW} known resources {few:.0f} us, before {MANY:,} {many:.0f} us")


def _fill(data, known):
    settings = Settings(
        data=data, backend="none", admin_access_key_id=servers.ADMIN[0], admin_secret_access_key=servers.ADMIN[1]
    )
    with start.data_folder(settings):
        runtime = start.open_runtime(settings)
        start.first_start(runtime)
        for begin in range(0, known, PIECE):
            numbers = range(begin, min(begin + PIECE, known))
            runtime.store.write(partial(_add, numbers=numbers, owner=settings.account)).result()
        runtime.store.close()


def _add(change, numbers, owner):
    now = int(time.time())
    for number in numbers:
        arn = FORMS[number % len(FORMS)].format(number, owner=owner)
        policy = POLICY.format(owner=owner, arn=arn)
        change.put(GLOBAL, Resource(arn=arn, owner=owner, backend_boot=BOOT, policy=policy, created=now))
