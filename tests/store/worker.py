"""A process with a store of its own, told what to do line by line; `load` forks ones that write until they are killed."""

import os
import sys
from pathlib import Path

from store.making import ACCOUNT, event, open_store, put, user, users

from iamd.store.log import Query


def write(number):
    def work(change):
        change.put(ACCOUNT, user(number))
        change.record_event(event(number))

    return work


def load(folder: Path) -> None:
    """For each line with a number, fork a process that writes that user and the next ones and prints what it did."""
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            store = open_store(folder)
            number = int(line)
            while True:
                futures = [(n, store.write(write(n))) for n in range(number, number + 3)]
                number += 3
                for n, future in futures:
                    future.result()
                    os.write(1, b"%d\n" % n)
        os.write(1, b"pid %d\n" % child)
        os.waitpid(child, 0)
        os.write(1, b"end\n")


def serve(folder: Path) -> None:
    """Do what each line says, and print one line when it is done."""
    store = open_store(folder)
    commands = {
        "write": lambda number: store.write(put(user(int(number)))).result(),
        "writes": lambda first, count: [
            f.result() for f in [store.write(write(n)) for n in range(int(first), int(first) + int(count))]
        ],
        "delete": lambda number: store.write(lambda change: change.delete(ACCOUNT, user(int(number)))).result(),
        "users": lambda: ",".join(users(store)),
        "revision": lambda: store.snapshot().revision,
        "record": lambda number: store.record_event(event(int(number))),
        "use": lambda key: store.write(lambda change: change.use_once("totp", key, 2**40)).result(),
        "flush": store.flush,
        "reset": store.reset,
        "events": lambda: ",".join(f.facts.event_id for f in store.look_up(Query(account=ACCOUNT, equal={}))),
    }
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for line in sys.stdin:
        name, *arguments = line.split()
        sys.stdout.write(f"{commands[name](*arguments)}\n")
        sys.stdout.flush()
    store.close()


if __name__ == "__main__":
    {"load": load, "serve": serve}[sys.argv[1]](Path(sys.argv[2]))
