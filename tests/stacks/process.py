"""An iamd within the test's process, for what no client reaches: the client that stacks have."""

import asyncio
from pathlib import Path
from typing import Any

from running import ACCOUNT, REGION, Credentials

from iamd import start
from iamd.auth import credentials
from iamd.configuration import load
from iamd.gateway.proxy import Gateway
from iamd.stacks.acting import AsCaller, AsRole
from iamd.stacks.client import RequestFailed
from iamd.stacks.requests import ServiceClient
from iamd.store.account import GLOBAL
from iamd.store.records import Quarantine

STACK = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/orders/4b9f1a2c-0000-4000-8000-000000000000"


class Process:
    """A server without a listener, and the clients of stacks in it."""

    def __init__(self, folder: Path, backend: str = "moto") -> None:
        self.runner = asyncio.Runner()
        settings = load({"data": str(folder), "backend": backend, "dev": True}, {})
        self.runtime = start.open_runtime(settings)
        found = start.first_start(self.runtime)
        self.administrator = Credentials(found.access_key_id, found.secret_access_key)
        if backend != "none":
            self.runtime.gateway = self.runner.run(Gateway.start(self.runtime))

    def close(self) -> None:
        if self.runtime.gateway is not None:
            self.runner.run(self.runtime.gateway.close())
        self.runner.close()
        self.runtime.store.close()

    def reset(self) -> None:
        """Forget what was made."""
        self.runtime.clock.reset()
        self.runtime.store.reset()
        if self.runtime.gateway is not None:
            self.runner.run(self.runtime.gateway.reset())

    def cut(self, subject: str) -> None:
        """Quarantine an access key or a principal's unique id, with all that derives from it."""
        record = Quarantine(subject=subject, account_id=ACCOUNT, time=self.runtime.clock.seconds())
        self.runtime.store.write(lambda change: change.put(GLOBAL, record)).result()

    def client(self, of: Credentials | None = None, host: str = "127.0.0.1:4566") -> ServiceClient:
        """The client of a stack that acts for these credentials; the administrator's unless others are given."""
        of, runtime = of or self.administrator, self.runtime
        found = credentials.identify(
            of.access_key_id, of.session_token, runtime.store.snapshot(), runtime.keyring, runtime.clock.seconds()
        )
        return ServiceClient(runtime, AsCaller(runtime, found.identity), account=ACCOUNT, region=REGION, host=host)

    def role_client(self, role_arn: str, ancestors: tuple[str, ...] = ()) -> ServiceClient:
        """The client of a stack with a service role."""
        acting = AsRole(self.runtime, role_arn, STACK, ancestors)
        return ServiceClient(self.runtime, acting, account=ACCOUNT, region=REGION, host="127.0.0.1:4566")

    def call(self, client: ServiceClient, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        return self.runner.run(client.call(service, operation, parameters))

    def code(self, client: ServiceClient, service: str, operation: str, **parameters: Any) -> str:
        """The code of the error that a call ends with."""
        try:
            self.call(client, service, operation, **parameters)
        except RequestFailed as error:
            return error.code
        return "none"
