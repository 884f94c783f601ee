"""Where the server is, and who asks it: what every command that talks to a server begins with."""

import configparser
import http.client
import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import click
import platformdirs

from iamd.auth.signer import sign

DENIED = 1
USAGE = 2
UNREACHABLE = 3
TIMEOUT_SECONDS = 60

HERE = Path(".iamd")
"""The data folder of `make serve`, taken when the command runs beside it."""


class Failure(click.ClickException):
    """An error in one line, with the exit code that belongs to it."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.code = exit_code


@dataclass(frozen=True, slots=True)
class Connection:
    """A server and the credentials to ask it with."""

    endpoint: str
    region: str
    access_key_id: str
    secret_access_key: str
    session_token: str | None = None

    def __repr__(self) -> str:
        return f"Connection({self.endpoint}, {self.access_key_id})"

    def environment(self) -> dict[str, str]:
        """The variables that point AWS clients at the server."""
        variables = {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": self.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
        }
        return variables | ({"AWS_SESSION_TOKEN": self.session_token} if self.session_token else {})

    def call(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """Call an operation of the service `iamd`; a refusal or an unreachable server is a Failure."""
        target = (b"x-amz-target", f"iamd.{operation}".encode())
        status, content = self.signed("iamd", b"application/x-amz-json-1.1", json.dumps(parameters).encode(), target)
        answer = self._json(content)
        if status == 200:
            return answer
        code = str(answer.get("__type", status)).rpartition("#")[2]
        message = answer.get("message") or answer.get("Message") or code
        raise Failure(str(message), exit_code(status, code))

    def signed(self, service: str, kind: bytes, body: bytes, *more: tuple[bytes, bytes]) -> tuple[int, bytes]:
        """Send a body of this content type to a service, signed, and give the answer's status and body."""
        headers = [(b"host", urlsplit(self.endpoint).netloc.encode()), (b"content-type", kind), *more]
        signed = sign(
            "POST",
            b"/",
            b"",
            headers,
            sha256(body).hexdigest(),
            access_key_id=self.access_key_id,
            secret_access_key=self.secret_access_key,
            session_token=self.session_token,
            region=self.region,
            service=service,
            now=time.time(),
        )
        sent = {name.decode(): value.decode() for name, value in [*headers, *signed]}
        return fetch(self.endpoint, "POST", "/", body, sent)

    def request(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """Send a request, and give the answer's status and JSON."""
        status, content = fetch(self.endpoint, method, path, body, headers)
        return status, self._json(content)

    def _json(self, content: bytes) -> dict[str, Any]:
        answer = _read_json(content)
        if answer is None:
            raise Failure(f"{self.endpoint} is no iamd: its answer is not JSON", UNREACHABLE)
        return answer


def fetch(endpoint: str, method: str, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
    """Send a request, and give the answer's status and body; a server that does not answer is a Failure."""
    parts = urlsplit(endpoint)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.netloc, timeout=TIMEOUT_SECONDS)
    try:
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        return response.status, response.read()
    except TimeoutError as error:
        raise Failure(f"{endpoint} did not answer within {TIMEOUT_SECONDS} seconds", UNREACHABLE) from error
    except (OSError, http.client.HTTPException) as error:
        raise Failure(f"no server at {endpoint}: is `iamd serve` running?", UNREACHABLE) from error
    finally:
        connection.close()


# How each protocol's callers who are not known, or may not, are told (wire/common_faults.py), beside the status 403.
_REFUSED = frozenset(
    {
        "AccessDeniedException",
        "ExpiredTokenException",
        "IncompleteSignatureException",
        "InvalidSignatureException",
        "MissingAuthenticationTokenException",
        "UnrecognizedClientException",
    }
)


def exit_code(status: int, code: str) -> int:
    """The exit code of a command whose request was refused so."""
    if status == 403 or code in _REFUSED:
        return DENIED
    return UNREACHABLE if status >= 500 else USAGE


def _read_json(content: bytes) -> dict[str, Any] | None:
    try:
        answer = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return answer if isinstance(answer, dict) else None


def find(data: Path | None) -> Connection:
    """The server of a data folder; without one, what the environment points at, else the default folder's."""
    environment = os.environ
    if data is None and {"AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} <= environment.keys():
        found = Connection(
            environment["AWS_ENDPOINT_URL"],
            _region(environment),
            environment["AWS_ACCESS_KEY_ID"],
            environment["AWS_SECRET_ACCESS_KEY"],
            environment.get("AWS_SESSION_TOKEN"),
        )
    elif data is None and {"AWS_ENDPOINT_URL", CONTAINER} <= environment.keys():
        # SECURITY: what runs as a role asks as that role, and not as the administrator whose files lie about.
        found = _of_container(environment)
    else:
        found = _of_folder(data_folder(data))
    _check(found)
    return found


CONTAINER = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
"""Where a program in `iamd exec --role` has its credentials."""


def _region(environment: Mapping[str, str]) -> str:
    return environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION", "us-east-1")


def _of_container(environment: Mapping[str, str]) -> Connection:
    """The credentials of a container (SDKs and Tools Reference Guide, feature-container-credentials)."""
    url, token = environment[CONTAINER], environment.get("AWS_CONTAINER_AUTHORIZATION_TOKEN", "")
    if not _is_endpoint(url):
        raise Failure(f"`{url}` is no URL of container credentials", USAGE)
    file = environment.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")
    if file:
        try:
            token = Path(file).read_text()
        except (OSError, UnicodeDecodeError) as error:
            raise Failure(f"cannot read `{file}`", USAGE) from error
    parts = urlsplit(url)
    status, content = fetch(url, "GET", parts.path or "/", b"", {"Authorization": token})
    told = _read_json(content) or {}
    try:
        keys = (told["AccessKeyId"], told["SecretAccessKey"], told["Token"])
    except KeyError as error:
        code = str(told.get("code", status))
        raise Failure(str(told.get("message", f"`{url}` gave no credentials")), exit_code(status, code)) from error
    return Connection(environment["AWS_ENDPOINT_URL"], _region(environment), *keys)


def _check(connection: Connection) -> None:
    if not _is_endpoint(connection.endpoint):
        raise Failure(f"`{connection.endpoint}` is no endpoint: it has the form `http://host:port`", USAGE)
    # What is no header would be refused by Python's client, in its own words.
    for text in (connection.access_key_id, connection.region, connection.session_token or "-"):
        if not (text.isascii() and text.isprintable() and text.strip()):
            raise Failure("access key id, region and session token are printable ASCII", USAGE)


def _is_endpoint(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def data_folder(data: Path | None) -> Path:
    """The data folder that a command works on: the one given, `IAMD_DATA`'s, `.iamd` here, or the user's."""
    if data is not None:
        return data
    if os.environ.get("IAMD_DATA"):
        return Path(os.environ["IAMD_DATA"])
    return HERE if HERE.is_dir() else Path(platformdirs.user_data_dir("iamd"))


def _of_folder(folder: Path) -> Connection:
    config, credentials = (_profile(folder / "aws" / name) for name in ("config", "credentials"))
    if config is None:
        raise Failure(
            f"no server was started with the data folder `{folder}`; start one, or name its folder with --data", USAGE
        )
    if credentials is None:
        raise Failure(
            f"there are no credentials in `{folder / 'aws'}`; give AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY",
            USAGE,
        )
    try:
        return Connection(
            config["endpoint_url"],
            config["region"],
            credentials["aws_access_key_id"],
            credentials["aws_secret_access_key"],
        )
    except KeyError as error:
        raise Failure(f"`{folder / 'aws'}` lacks {error}; start the server once more", USAGE) from error


def _profile(path: Path) -> Mapping[str, str] | None:
    """The default profile of one of the AWS CLI's files; None when there is no such file."""
    # A secret may hold a percent sign, which ConfigParser would take for a place to put another value in.
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(path.read_text("utf-8"))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Failure(f"cannot read `{path}`: {error.strerror}", USAGE) from error
    except (configparser.Error, UnicodeDecodeError) as error:
        raise Failure(f"`{path}` is damaged; start the server once more, or mend it", USAGE) from error
    return parser["default"] if parser.has_section("default") else {}


Command = TypeVar("Command", bound=Callable[..., Any])


def data_option(function: Command) -> Command:
    """The option `--data` of a command that talks to a server."""
    text = "Data folder of the server; else the environment's server, that of `.iamd` here, or the user's own."
    return click.option("--data", type=click.Path(path_type=Path), help=text)(function)
