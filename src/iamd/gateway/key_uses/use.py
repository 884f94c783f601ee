"""Use: one request that a service makes of KMS for its caller; Work: what is known where uses are looked for."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from iamd.auth.identity import Identity, Service
from iamd.gateway import deciding
from iamd.gateway.actions.asked import Asked
from iamd.gateway.actions.by_rule import account_of
from iamd.gateway.asking import ask
from iamd.gateway.backend import Backend
from iamd.gateway.backends import Backends
from iamd.gateway.deciding import Step
from iamd.gateway.key_uses.remembered import Remembered
from iamd.gateway.ledger import Ledger
from iamd.gateway.resources import Facts
from iamd.store.records import Resource

CREATE_GRANT: Final = "CreateGrant"
DECRYPT: Final = "Decrypt"
DESCRIBE: Final = "DescribeKey"
ENCRYPT: Final = "Encrypt"
GENERATE: Final = "GenerateDataKey"
GENERATE_UNSEEN: Final = "GenerateDataKeyWithoutPlaintext"
RE_ENCRYPT_FROM: Final = "ReEncryptFrom"
RE_ENCRYPT_TO: Final = "ReEncryptTo"


class Use(msgspec.Struct, frozen=True, kw_only=True):
    """One request of a service to KMS.

    `key` is the key as it is named: its id, its ARN or an alias; None is the service's own key in an account, the AWS
    managed one. `account` is whose ids and aliases are meant. `context` is the encryption context. `any_key` says that
    nobody can tell which key of the account it is.
    """

    action: str
    key: str | None
    account: str
    region: str
    context: Mapping[str, str]
    any_key: bool = False
    through: str | None = None
    """Another service that asks KMS, for that of the request: `secretsmanager`."""
    untold_context: bool = False
    """Whether the encryption context may hold more than is known of it."""
    itself: Service | None = None
    """The service that asks for itself, not for the caller."""
    own_alias: str | None = None
    """What the service's own key is called where that is not the service's name: `ebs`."""
    own_service: str | None = None
    """The service that the service's own key is open through, where that is not the one that asks."""
    granted: str | None = None
    """Whom a grant that the service has made lets use the key: the ARN of a session."""


class Work(msgspec.Struct):
    """One decided request whose service may use keys; `now` is the machine's time, `second` that of records."""

    step: Step
    identity: Identity
    backends: Backends
    ledger: Ledger
    remembered: Remembered
    now: float
    second: int

    @property
    def asked(self) -> Asked:
        """The request."""
        return self.step.asked

    @property
    def facts(self) -> Facts:
        """What is known of resources."""
        return self.step.facts

    @property
    def given(self) -> Mapping[str, Any]:
        """The request's parameters."""
        return self.step.asked.parameters

    @property
    def name(self) -> str:
        """The operation."""
        return self.step.asked.operation.name

    @property
    def is_embedded(self) -> bool:
        """Whether the embedded backend does the work, which nobody reaches but through iamd."""
        return self.step.place.backend.embedded is not None

    @property
    def owner(self) -> str:
        """The account in which the backend does the work."""
        return deciding.owner(self.step)

    async def told(
        self,
        operation: str,
        parameters: Mapping[str, Any],
        *,
        backend: Backend | None = None,
        account: str | None = None,
        service: str | None = None,
        region: str | None = None,
    ) -> Mapping[str, Any] | None:
        """What a backend says: that of the request, as whose account does the work, unless it is told otherwise."""
        return await ask(
            backend or self.step.place.backend,
            service or self.asked.operation.service,
            operation,
            parameters,
            account=account or self.owner,
            region=region or self.asked.region,
            now=self.now,
        )

    async def note(self, arn: str, facts: Mapping[str, str], policy: str | None = None) -> None:
        """Remember more of a resource; whose it is stays as it is known."""
        known = self.facts.get(arn)
        owner = known.owner if known is not None else account_of(arn) or self.owner
        record = Resource(
            arn=arn, owner=owner, created=self.second, backend_boot=self.facts.boot, facts=facts, policy=policy
        )
        await self.ledger.learn(record)

    def in_account(self, account: str, region: str) -> Asked:
        """The request as if it were asked by an account in a Region: whose ids and aliases are meant."""
        return replace(self.asked, account=account, region=region)
