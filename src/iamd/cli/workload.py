"""The environment of a command that runs as a role: an endpoint of its credentials, and nothing else to find."""

import os
import secrets
import time
import uuid
from collections.abc import Callable
from typing import Final

from iamd.cli.assuming import assume_role, of_service
from iamd.cli.companion import Folder, serve_beside
from iamd.cli.connection import USAGE, Connection, Failure, exit_code
from iamd.cli.endpoint import LOOPBACK, Address, Answer, Endpoint
from iamd.framing import Head
from iamd.http import HttpResponse
from iamd.metadata import containers, imds, tasks
from iamd.metadata.containers import Container
from iamd.metadata.instance import Instance, Options, Profile, credentials_document, failure_document
from iamd.metadata.session_tokens import SessionTokens
from iamd.metadata.tasks import Task
from iamd.metadata.temporary import Renewing, Temporary, Unobtainable

HARMLESS: Final = frozenset(
    {
        "AWS_CA_BUNDLE",
        "AWS_DEFAULT_OUTPUT",
        "AWS_MAX_ATTEMPTS",
        "AWS_PAGER",
        "AWS_REQUEST_CHECKSUM_CALCULATION",
        "AWS_RESPONSE_CHECKSUM_VALIDATION",
        "AWS_RETRY_MODE",
        "AWS_SDK_UA_APP_ID",
    }
)
"""Variables of AWS's that lead to no credentials and no other server; all others of theirs, known or not, are left out.

AWS: SDKs and Tools Reference Guide, "Environment variables list" (environment-variables).
"""

_OTHERS: Final = ("AWS_", "IAMD_", "ECS_CONTAINER_METADATA_URI")
_BOTO: Final = "BOTO_CONFIG"


def of_role(connection: Connection, role_arn: str, session_name: str, seconds: int) -> dict[str, str]:
    """The environment of a command that runs as a role that the caller assumes."""

    def obtain() -> Temporary:
        return assume_role(connection, role_arn, session_name, seconds)

    try:
        # A command whose role is refused does not begin.
        return _of_container(connection, _after(obtain(), obtain))
    except Unobtainable as error:
        raise Failure(error.message, exit_code(error.status, error.code)) from error


def of_task(connection: Connection, role_arn: str, program: str, address: Address | None = None) -> dict[str, str]:
    """The environment of a command that runs as a task of ECS does, with the agent at this address."""
    asked = {"Service": "ecs-tasks.amazonaws.com", "RoleArn": role_arn, "ClientToken": str(uuid.uuid4())}
    first, told = _told(connection, asked)
    task = Task(
        id=told["WorkloadId"],
        account_id=first.account_id,
        region=connection.region,
        program=program,
        created=first.last_updated,
    )
    obtain = _after(first, lambda: of_service(connection, asked)[0])
    return _of_container(connection, obtain, task) if address is None else _of_agent(connection, obtain, task, address)


def of_instance(connection: Connection, profile_name: str) -> dict[str, str]:
    """The environment of a command that runs as on an instance with this instance profile."""
    asked = {
        "Service": "ec2.amazonaws.com",
        "InstanceProfileName": profile_name,
        "ClientToken": str(uuid.uuid4()),
    }
    first, told = _told(connection, asked)
    renewing = Renewing(_after(first, lambda: of_service(connection, asked)[0]))
    instance = Instance(
        id=told["WorkloadId"],
        account_id=first.account_id,
        region=connection.region,
        zone=f"{connection.region}a",
        private_ip="127.0.0.1",
        launched=first.last_updated,
    )
    profile = Profile(told["InstanceProfileArn"], told["InstanceProfileId"], first.role_arn, first.last_updated)
    metadata = Metadata(instance, profile, renewing)

    def variables(_: Folder, url: str) -> dict[str, str]:
        return {"AWS_EC2_METADATA_SERVICE_ENDPOINT": f"{url}/"}

    return clean() | place(connection) | _served(metadata.answer, variables)


class Metadata:
    """The instance metadata of one program."""

    def __init__(self, instance: Instance, profile: Profile, credentials: Renewing) -> None:
        self._instance, self._profile, self._credentials = instance, profile, credentials
        self._tokens = SessionTokens(secrets.token_bytes(32), instance.id, time.time)

    def answer(self, head: Head) -> HttpResponse:
        """Answer one request."""
        options = Options()
        admitted = imds.admit(head, self._tokens, options)
        if isinstance(admitted, HttpResponse):
            return admitted
        profile = self._profile
        role = imds.role_asked(head.path)
        if role is not None:
            if role != profile.role_name:
                return imds.error(404)
            try:
                return imds.text(credentials_document(self._credentials.current()), admitted)
            except Unobtainable as error:
                return imds.text(failure_document(error), admitted)
        return imds.found(head.path, self._instance, profile, options, admitted)


def _told(connection: Connection, asked: dict[str, str]) -> tuple[Temporary, dict[str, str]]:
    try:
        return of_service(connection, asked)
    except Unobtainable as error:
        raise Failure(error.message, exit_code(error.status, error.code)) from error


def _of_container(connection: Connection, obtain: Callable[[], Temporary], task: Task | None = None) -> dict[str, str]:
    token = secrets.token_urlsafe(32)
    container = Container(str(uuid.uuid4()), token, Renewing(obtain).current)

    def answer(head: Head) -> HttpResponse:
        told = tasks.metadata(head, task) if task is not None else None
        return told or containers.credentials(head, container)

    def serve(folder: Folder, url: str) -> dict[str, str]:
        return {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{url}{containers.TASKS.decode()}{container.id}",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": folder.write("token", token),
            # SDKs that find nothing at one place look at the next.
            "AWS_EC2_METADATA_DISABLED": "true",
            **({"ECS_CONTAINER_METADATA_URI_V4": f"{url}{tasks.PREFIX.decode()}{task.id}"} if task else {}),
        }

    return clean() | place(connection) | _served(answer, serve)


def _of_agent(connection: Connection, obtain: Callable[[], Temporary], task: Task, address: Address) -> dict[str, str]:
    """As ECS's agent at its own address has it: by a path whose id is the secret, and without a token."""
    container = Container(str(uuid.uuid4()), None, Renewing(obtain).current)

    def answer(head: Head) -> HttpResponse:
        return tasks.metadata(head, task) or containers.credentials(head, container)

    def serve(_: Folder, url: str) -> dict[str, str]:
        return {
            "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": f"{containers.TASKS.decode()}{container.id}",
            "AWS_EC2_METADATA_DISABLED": "true",
            "ECS_CONTAINER_METADATA_URI_V4": f"{url}{tasks.PREFIX.decode()}{task.id}",
        }

    return clean() | place(connection) | _served(answer, serve, address)


def _after(first: Temporary, obtain: Callable[[], Temporary]) -> Callable[[], Temporary]:
    """`obtain`, after what was obtained already."""
    waiting = [first]
    return lambda: waiting.pop() if waiting else obtain()


def _served(
    answer: Answer, variables: Callable[[Folder, str], dict[str, str]], address: Address = LOOPBACK
) -> dict[str, str]:
    """Serve an endpoint until the command ends, and give the variables that point there."""
    endpoint, folder = _listening(answer, address), Folder()
    try:
        found = variables(folder, endpoint.url)
        serve_beside(endpoint, folder)
    except BaseException:
        folder.remove()
        raise
    return found


def _listening(answer: Answer, address: Address) -> Endpoint:
    host, port = address
    try:
        return Endpoint(answer, address)
    except OSError as error:
        way_out = "; add the address to the loopback of a network namespace" if host.startswith("169.254.") else ""
        raise Failure(f"cannot listen on {host}:{port}: {error.strerror}{way_out}", USAGE) from error


def clean() -> dict[str, str]:
    """The environment without anything of AWS's and of iamd's that could lead elsewhere."""
    kept = {name: value for name, value in os.environ.items() if name in HARMLESS or not name.startswith(_OTHERS)}
    # SECURITY: SDKs look into the home folder before they ask a container's endpoint: these files are read in place of
    # those there. boto's old configuration too, which botocore still reads.
    nowhere = dict.fromkeys(("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE", _BOTO), os.devnull)
    return kept | nowhere


def place(connection: Connection) -> dict[str, str]:
    """The variables that say where the server is."""
    return {
        "AWS_ENDPOINT_URL": connection.endpoint,
        "AWS_REGION": connection.region,
        "AWS_DEFAULT_REGION": connection.region,
    }
