"""KeyUses: whether a caller may use the keys that a service uses for it, with the events of those uses.

AWS: IAM User Guide, "Forward access sessions" (access_forward_access_sessions); KMS Developer Guide, "kms:ViaService".
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Final

from msgspec.structs import replace

from iamd import ids, pipeline
from iamd.auth.identity import ANONYMOUS, Identity, of_service
from iamd.authz.authorize import Denied
from iamd.authz.target import Target
from iamd.errors import AWSError, Common, CommonError
from iamd.gateway.answer import Answer
from iamd.gateway.asking import NotToldError
from iamd.gateway.backends import Backends, Place
from iamd.gateway.deciding import Decider, Step
from iamd.gateway.instances import whole
from iamd.gateway.key_uses import (
    copied_tables,
    databases,
    ebs,
    environments,
    functions,
    given_keys,
    invocations,
    keys,
    log_groups,
    messages,
    parameters,
    refusals,
    s3,
    secrets,
    several,
    streams,
    tables,
)
from iamd.gateway.key_uses.invocations import Variables
from iamd.gateway.key_uses.keys import Found
from iamd.gateway.key_uses.remembered import Remembered
from iamd.gateway.key_uses.use import CREATE_GRANT, ENCRYPT, GENERATE, Use, Work
from iamd.gateway.knowing import fully_known
from iamd.gateway.ledger import Ledger
from iamd.gateway.resources import Facts
from iamd.runtime import Runtime
from iamd.services.cloudtrail.events import Outcome, events_of

_BEFORE: Final[Mapping[str, Callable[[Work], Awaitable[list[Use]]]]] = {
    "dynamodb": copied_tables.of_tables,
    "dynamodbstreams": tables.of_tables,
    "ec2": ebs.before,
    "efs": given_keys.of_file_system,
    "firehose": given_keys.of_delivery_stream,
    "kinesis": streams.of_stream,
    "lambda": functions.before,
    "logs": log_groups.of_group,
    "rds": databases.before,
    "s3": s3.before,
    "secretsmanager": secrets.before,
    "sns": messages.of_topic,
    "sqs": messages.of_queue,
    "ssm": parameters.before,
}
_AFTER: Final[Mapping[str, Callable[[Work, bytes], Awaitable[list[Use]]]]] = {
    "dynamodb": copied_tables.after,
    "secretsmanager": secrets.after,
    "ssm": parameters.after,
}
_WRITING: Final = frozenset({ENCRYPT, GENERATE})
_UNTOLD: Final = "The backend does not tell by which key this is encrypted."


class KeyUses:
    """Decides what services ask of KMS for their callers."""

    def __init__(self, runtime: Runtime, decider: Decider, ledger: Ledger, backends: Backends) -> None:
        self._runtime = runtime
        self._decider = decider
        self._ledger = ledger
        self._backends = backends
        self._remembered = Remembered()

    async def check(self, step: Step, identity: Identity) -> None:
        """Refuse a request whose caller may not use a key that its service needs."""
        work = self._work(step, identity)
        try:
            uses = await _BEFORE[step.asked.operation.service](work)
        except NotToldError as error:
            # SECURITY: what can't be known is not decided on.
            raise CommonError(Common.ACCESS_DENIED, _UNTOLD) from error
        for use in uses:
            await self._decide(use, work)

    async def check_answer(self, step: Step, identity: Identity, answer: Answer) -> Answer:
        """The answer, unless it shows what the caller may not decrypt: nothing of it has been passed on yet."""
        if answer.status >= 300 or s3.is_plain(step.asked, answer):
            return answer
        work, service = self._work(step, identity), step.asked.operation.service
        try:
            if service == "lambda":
                return await environments.shown(work, await whole(answer), self._refusal)
            if service == "s3":
                uses = await s3.after(work, answer)
            elif step.asked.operation.name == "BatchGetSecretValue":
                return await several.shown(work, await whole(answer), self._decide)
            else:
                answer = await whole(answer)
                uses = await _AFTER[service](work, answer.whole or b"")
            for use in uses:
                await self._decide(use, work)
        except NotToldError as error:
            answer.close()
            raise CommonError(Common.ACCESS_DENIED, _UNTOLD) from error
        except BaseException:
            answer.close()
            raise
        return answer

    async def check_variables(self, variables: Variables, place: Place, facts: Facts) -> None:
        """Refuse to run a function whose environment variables can't be decrypted."""
        identity = invocations.session(variables, facts.view, self._runtime.clock.seconds())
        if identity is None:
            return
        work = self._work(invocations.step(variables, place, facts, self._runtime), identity)
        refusal = await self._refusal(invocations.use(variables, identity), work)
        if refusal is not None:
            raise invocations.refused(refusal) from refusal

    def _work(self, step: Step, identity: Identity) -> Work:
        clock = self._runtime.clock
        now, second = clock.machine_timestamp(), clock.seconds()
        return Work(step, identity, self._backends, self._ledger, self._remembered, now, second)

    async def _decide(self, use: Use, work: Work) -> None:
        refusal = await self._refusal(use, work)
        if refusal is not None:
            raise refusals.of(refusal, use, work.asked) from refusal

    async def _refusal(self, use: Use, work: Work) -> AWSError | None:
        """KMS's own refusal of a use, None when there is none; it is recorded either way."""
        if work.identity is ANONYMOUS:
            raise refusals.unsigned(use, work.asked)
        key: Found | None = None
        work.step.untold_context = use.untold_context
        identity, before = _through(use, work), len(work.step.progress.verdicts)
        try:
            key = await keys.found(use, work)
            await self._authorize(work, identity, keys.targets(use, key, work), use)
            keys.check_state(use, key, work)
        except AWSError as error:
            self._record(use, key, work, identity, before, error)
            return error
        sealing = work.step.sealing
        if sealing is not None and use.action == GENERATE and not key.arn.endswith("/*"):
            sealing.arn = key.arn
        if use.action in _WRITING and use.region == work.asked.region:
            work.step.encrypted_by = "" if key.own else key.arn
        self._record(use, key, work, identity, before)
        return None

    async def _authorize(self, work: Work, identity: Identity, targets: Sequence[Target], use: Use) -> None:
        step, progress = work.step, work.step.progress
        try:
            found = await fully_known(step, identity, targets, self._decider, self._backends, self._runtime)
        except Denied:
            self._decider.authorize(step, identity, targets, _worded(use))
        else:
            progress.verdicts = [*progress.verdicts, *found]

    def _record(
        self, use: Use, key: Found | None, work: Work, identity: Identity, before: int, error: AWSError | None = None
    ) -> None:
        """The event of the use (KMS Developer Guide, "Logging AWS KMS API calls with AWS CloudTrail")."""
        progress = work.step.progress
        outcome = Outcome(
            request=replace(progress.request, id=ids.request_id()),
            time=self._runtime.clock.seconds(),
            service="kms",
            source="kms.amazonaws.com",
            name=keys.event_name(use),
            region=use.region,
            identity=identity,
            read_only=use.action != CREATE_GRANT,
            parameters=keys.parameters(use, key) if key is not None else {"KeyId": use.key},
            verdicts=list(progress.verdicts[before:]),
            error_code=refusals.code(error) if error is not None else None,
            error_message=error.message if error is not None else None,
            notes={"resources": [_resource(key)]} if key is not None else {},
            recipient=pipeline.recipient(self._runtime, progress),
            view=progress.view,
        )
        for event in events_of(outcome):
            self._runtime.store.record_event(event)


def _worded(use: Use) -> Callable[[Denied], AWSError]:
    return partial(refusals.denied, use)


def _resource(key: Found) -> dict[str, str]:
    return {"accountId": key.account, "type": "AWS::KMS::Key", "ARN": key.arn}


def _through(use: Use, work: Work) -> Identity:
    """The caller as KMS sees it, through the service; a service that asks for itself is itself."""
    identity = work.identity
    if use.itself is not None:
        return of_service(use.itself)
    if identity.service is not None:
        return identity
    services = [work.step.traits.source, *([f"{use.through}.amazonaws.com"] if use.through is not None else [])]
    return replace(identity, invoked_by=services[-1], called_via=(*identity.called_via, *services))
