"""Starting: the data folder, the sealing key, the first account, the runtime, and the socket it serves on."""

import fcntl
import logging
import os
import resource
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

from iamd import accounts, ids
from iamd.accounts import Administrator
from iamd.auth import fido_metadata, key_file
from iamd.auth.fido_metadata import InvalidMetadata, Models
from iamd.auth.key_file import KeyFileError
from iamd.auth.sealing import Keyring
from iamd.clock import Clock, SharedAdvance
from iamd.federation.hosts import Hosts
from iamd.federation.issuers import Issuers
from iamd.refusals import Refusals
from iamd.runtime import Runtime
from iamd.settings import Settings, StartError
from iamd.store.chain import Chain
from iamd.store.change import Change
from iamd.store.errors import DamagedStore
from iamd.store.loading import Loading
from iamd.store.sqlite import DATABASE, existing_log, is_database
from iamd.store.store import Store
from iamd.vpc_endpoints import Endpoints

log = logging.getLogger(__name__)

CLIENT_FILES: Final = "aws"
AUDIT_PURPOSE: Final = "audit"
CLOCK: Final = "clock"
LOCK: Final = "lock"
BACKLOG: Final = 2048

OTHER_FILES: Final = 256
"""Open files that are no connections: databases, logs, pipes, and what is spooled."""

LOCK_SECONDS: Final = 3.0
"""How long a start waits for one before it that is just ending."""


@contextmanager
def data_folder(settings: Settings) -> Iterator[None]:
    """Within the block the data folder is this server's alone; it is made when it is not there."""
    # SECURITY: all that is made from here on, by libraries too, is its owner's alone (SEC-04).
    os.umask(0o077)
    try:
        settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(settings.data / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise _unusable(settings, error) from error
    try:
        _lock(descriptor, settings)
        with usable(settings):
            # What `--dev` advanced ends with the server that was told to.
            (settings.data / CLOCK).unlink(missing_ok=True)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, settings: Settings) -> None:
    deadline = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if time.monotonic() > deadline:
                raise StartError(
                    f"another iamd serves the data folder `{settings.data}`; "
                    "give another `--data`, or more `--workers` to that one"
                ) from error
            time.sleep(0.05)
        else:
            return


@contextmanager
def usable(settings: Settings) -> Iterator[None]:
    """Within the block, a file that can't be used in the data folder is why the server can't start."""
    try:
        yield
    except OSError as error:
        raise _unusable(settings, error) from error


def _unusable(settings: Settings, error: OSError) -> StartError:
    return StartError(f"cannot use the data folder `{settings.data}`: {error.strerror}; give another `--data`")


def open_runtime(settings: Settings, worker: int = 0, loading: Loading | None = None) -> Runtime:
    """The runtime on a data folder that is this server's; `loading` says how far it has come."""
    try:
        keyring = _keyring(settings)
        clock = Clock(shared=SharedAdvance(settings.data / CLOCK) if settings.dev else None)
        store = _store(settings, clock, keyring, loading)
    except KeyFileError as error:
        raise StartError(str(error)) from error
    except DamagedStore as error:
        raise StartError(
            f"{error}; see `iamd fsck --data {settings.data}`, or give a new `--data` to `iamd restore`"
        ) from error
    except OSError as error:
        raise _unusable(settings, error) from error
    models = _security_key_models(settings)
    refusals = Refusals(settings.refusals_per_second)
    return Runtime(
        settings=settings,
        clock=clock,
        keyring=keyring,
        store=store,
        refusals=refusals,
        issuers=Issuers(Hosts(frozenset(settings.federation_hosts))),
        security_key_models=models,
        vpc_endpoints=Endpoints(settings.vpc_endpoints) if settings.vpc_endpoints else None,
        worker=worker,
    )


def _security_key_models(settings: Settings) -> Models:
    path = settings.fido_metadata
    if path is None:
        return {}
    try:
        return fido_metadata.read(path)
    except OSError as error:
        raise StartError(f"cannot read `{path}`: {error.strerror}; give another `--fido-metadata`") from error
    except InvalidMetadata as error:
        raise StartError(f"{error}; give another `--fido-metadata`") from error


def _keyring(settings: Settings) -> Keyring:
    """The sealing keys; they are made for a new store only, for no other key opens what one has sealed."""
    path = settings.key_path()
    try:
        if _is_new(settings):
            return key_file.load_or_create(path)
        keyring = key_file.load(path)
    except FileNotFoundError as error:
        if not path.parent.is_dir():
            raise StartError(
                f"cannot use the sealing key `{path}`: {error.strerror}; give another `--key-file`"
            ) from error
        raise StartError(
            f"the sealing key `{path}` of the store in `{settings.data}` is missing: "
            "put it back, or name it with `--key-file`"
        ) from error
    except OSError as error:
        raise StartError(f"cannot use the sealing key `{path}`: {error.strerror}; give another `--key-file`") from error
    _check_key(settings, keyring)
    return keyring


def _is_new(settings: Settings) -> bool:
    """Whether the data folder has no store yet; StartError when it had one, and that is gone."""
    database = settings.data / DATABASE
    if database.exists() and (not database.is_file() or is_database(database)):
        return False
    # SECURITY: a store that is lost must not be taken for one that never was: a new one would take its place, with
    # another administrator, and SQLite would throw away what its journal still holds.
    if (settings.data / CLIENT_FILES / "credentials").exists():
        raise StartError(
            f"the store `{database}` is missing or empty, and the data folder was used before: "
            "put it back, `iamd restore` a backup to a new folder, or give another `--data`"
        )
    return True


def _check_key(settings: Settings, keyring: Keyring) -> None:
    # SECURITY: a server with another key would refuse every caller, and seal new secrets beside those it can't open.
    log = existing_log(settings.data)
    try:
        with log.reading() as reading:
            newest = max((stream.number for stream in reading.streams()), default=0)
            seal = reading.roster_seal()
    finally:
        log.close()
    if seal is not None and seal != Chain("", "", audit_key(keyring)).roster_seal(newest):
        raise StartError(
            f"the sealing key `{settings.key_path()}` does not belong to the store in `{settings.data}`: "
            "put its own back, or name it with `--key-file`"
        )


def _store(settings: Settings, clock: Clock, keyring: Keyring, loading: Loading | None) -> Store:
    return Store.open(
        settings.data,
        clock=clock,
        node=socket.gethostname(),
        audit_key=audit_key(keyring),
        max_staleness=settings.max_staleness_seconds,
        retention=settings.audit_retention_days * 86400,
        loading=loading,
    )


def audit_key(keyring: Keyring) -> bytes:
    """The key that seals the audit streams."""
    return keyring.derived_key(AUDIT_PURPOSE)


def first_start(runtime: Runtime) -> Administrator | None:
    """Make the first account in an empty store; None when there is one already."""
    if runtime.store.snapshot().account_ids():
        return None
    settings, now = runtime.settings, int(runtime.clock.timestamp())
    administrator = Administrator(
        settings.account,
        accounts.ADMINISTRATOR_NAME,
        settings.admin_access_key_id or ids.access_key_id(ids.LONG_TERM_KEY, settings.account),
        settings.admin_secret_access_key or ids.secret_access_key(),
    )

    def write(change: Change) -> None:
        accounts.add_account(
            change,
            runtime.keyring,
            account_id=settings.account,
            name="iamd",
            now=now,
            access_key_id=administrator.access_key_id,
            secret_access_key=administrator.secret_access_key,
        )

    # The file comes first: a start that ends between the two is made again, and no key is lost that nobody has read.
    with usable(settings):
        accounts.write_client_credentials(settings.data / CLIENT_FILES, administrator)
    # The store's first write is the state that its reset goes back to.
    runtime.store.write(write).result()
    return administrator


def allow_open_files(settings: Settings) -> None:
    """Have this process open a file for each connection and each one behind it; a system that forbids it is told of."""
    wanted = 2 * settings.connections + OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    if allowed < wanted:
        log.warning("%d connections need %d open files, and the system allows %d", settings.connections, wanted, hard)


def listening_socket(settings: Settings) -> socket.socket:
    """A socket on the address that was asked for; StartError when it is taken."""
    try:
        return listen(settings.host, settings.port)
    except (OSError, UnicodeError, TypeError) as error:
        raise StartError(
            f"cannot listen on {settings.host}:{settings.port}: {_why(error)}; give another `--port` or `--host`"
        ) from error


def metadata_socket(settings: Settings) -> socket.socket:
    """A socket for instance metadata; StartError when the address that was asked for is taken."""
    host, port = settings.metadata_address
    try:
        return listen(host, port)
    except (OSError, UnicodeError, TypeError) as error:
        if settings.metadata is None:
            return listen(host, 0)
        raise StartError(f"cannot listen on {settings.metadata}: {_why(error)}; give another `--metadata`") from error


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there; TypeError and UnicodeError are a name that can't be encoded."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with ExitStack() as undo:
        listening = undo.enter_context(socket.socket(family, socket.SOCK_STREAM))
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(BACKLOG)
        listening.setblocking(False)
        undo.pop_all()
    return listening


def _why(error: Exception) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else "no name of a host"


def url_of(listening: socket.socket) -> str:
    """The URL of what listens there."""
    host, port = listening.getsockname()[:2]
    return f"http://{host if ':' not in host else f'[{host}]'}:{port}"
