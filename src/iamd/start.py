"""Starting: the data folder, the sealing key, the first account, the runtime, and the server around it."""

import os
import socket

from iamd import accounts
from iamd.accounts import Administrator
from iamd.auth import key_file
from iamd.clock import Clock
from iamd.runtime import Runtime
from iamd.services import registry
from iamd.settings import Settings, StartError
from iamd.store.change import Change
from iamd.store.store import Store

CLIENT_FILES = "aws"
AUDIT_PURPOSE = "audit"
BACKLOG = 2048


def open_runtime(settings: Settings) -> Runtime:
    """The runtime on the data folder, which is made when it is not there; the first account too."""
    os.umask(0o077)
    try:
        settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        keyring = key_file.load_or_create(settings.key_path())
    except OSError as error:
        raise StartError(f"cannot use the data folder `{settings.data}`: {error.strerror}") from error
    clock = Clock()
    store = Store.open(
        settings.data,
        clock=clock,
        node=socket.gethostname(),
        audit_key=keyring.derived_key(AUDIT_PURPOSE),
        max_staleness=settings.max_staleness_seconds,
        retention=settings.audit_retention_days * 86400,
    )
    registry.load()
    return Runtime(settings=settings, clock=clock, keyring=keyring, store=store)


def first_start(runtime: Runtime) -> Administrator | None:
    """Make the first account in an empty store; None when there is one already."""
    if runtime.store.snapshot().account_ids():
        return None
    settings, now = runtime.settings, int(runtime.clock.timestamp())

    def write(change: Change) -> Administrator:
        return accounts.add_account(
            change,
            runtime.keyring,
            account_id=settings.account,
            name="iamd",
            now=now,
            access_key_id=settings.admin_access_key_id,
            secret_access_key=settings.admin_secret_access_key,
        )

    # The store's first write is the state that its reset goes back to.
    administrator = runtime.store.write(write).result()
    accounts.write_client_credentials(settings.data / CLIENT_FILES, administrator)
    return administrator


def listening_socket(settings: Settings) -> socket.socket:
    """A socket on the address that was asked for; StartError when it is taken."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((settings.host, settings.port))
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        raise StartError(
            f"cannot listen on {settings.host}:{settings.port}: {error.strerror}; give another `--port`"
        ) from error
    listening.setblocking(False)
    return listening
