"""What users ask of Cognito's identity pools: who they are there, and credentials, which iamd itself gives."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import msgspec

from iamd.auth import cognito_tokens
from iamd.errors import Common, CommonError
from iamd.gateway import identity_pools, identity_roles, identity_sessions, user_pool_tokens
from iamd.gateway.actions.asked import Asked
from iamd.gateway.actions.forms import InvalidParameter
from iamd.gateway.answer import Answer
from iamd.gateway.backends import Backends
from iamd.gateway.deciding import Step
from iamd.gateway.effect import Learned
from iamd.gateway.identity_pools import Identity, Pool
from iamd.gateway.ledger import Ledger
from iamd.gateway.own_answers import written
from iamd.gateway.placing import living
from iamd.gateway.user_pool_tokens import Login
from iamd.gateway.user_pools import NotAuthorized, ResourceNotFound
from iamd.runtime import Runtime
from iamd.store.records import Resource

Forward = Callable[[], Awaitable[Answer]]
_TOKEN_SECONDS: Final = 600
_NO_GUESTS: Final = "Unauthenticated access is not supported for this identity pool."


class Identities:
    """The identities of identity pools."""

    def __init__(self, runtime: Runtime, backends: Backends, ledger: Ledger) -> None:
        self._runtime = runtime
        self._backends = backends
        self._ledger = ledger

    async def answer(self, step: Step, forward: Forward) -> Answer:
        """The answer to a user; `forward` asks the backend."""
        asked = step.asked
        pool = identity_pools.pool_of(asked)
        step.progress.notes = {**step.progress.notes, "resources": [_told_of(pool)]}
        match asked.operation.name:
            case "GetId":
                return await self._id(step, pool, forward)
            case "GetCredentialsForIdentity":
                return await self._credentials(step, pool)
            case "GetOpenIdToken":
                return await self._token(step, pool)
            case name:
                raise CommonError(Common.NOT_IMPLEMENTED, f"iamd does not implement {name} of identity pools.")

    async def _id(self, step: Step, pool: Pool, forward: Forward) -> Answer:
        """The identity that logs in so, or a new one, which the backend names."""
        login = await self._login(step.asked, pool)
        if login is not None:
            known = identity_pools.identity_with(step.asked, login.provider, login.user, pool)
            if known is not None:
                return written(step.asked.operation, {"IdentityId": known.id})
        elif not pool.lets_guests:
            raise NotAuthorized(_NO_GUESTS)
        answer = await forward()
        identity = _named(answer)
        if identity is not None:
            logins = {login.provider: login.user} if login is not None else {}
            await self._learn(identity_pools.made(step.asked, identity, logins, pool), step)
        return answer

    async def _credentials(self, step: Step, pool: Pool) -> Answer:
        asked = step.asked
        identity, login = await self._who(step, pool)
        role = identity_roles.role_of(pool, login, asked.parameters.get("CustomRoleArn"))
        given = await identity_sessions.assumed(self._runtime, identity, login, role)
        credentials = {
            "AccessKeyId": given["AccessKeyId"],
            "SecretKey": given["SecretAccessKey"],
            "SessionToken": given["SessionToken"],
            "Expiration": given["Expiration"],
        }
        return written(asked.operation, {"IdentityId": identity.id, "Credentials": credentials})

    async def _token(self, step: Step, pool: Pool) -> Answer:
        """A token to assume a role with (API Reference, GetOpenIdToken: it is valid for ten minutes)."""
        if not pool.is_classic:
            raise InvalidParameter("Basic (classic) flow is not enabled, please use enhanced flow.")
        if pool.mappings:
            raise InvalidParameter("Basic (classic) flow is not supported with RoleMappings, please use enhanced flow.")
        identity, login = await self._who(step, pool)
        now = int(self._runtime.clock.machine_timestamp())
        times = {"iat": now, "exp": now + _TOKEN_SECONDS}
        claims = {"sub": identity.id, "aud": pool.id, "amr": identity_sessions.methods(login), **times}
        token = cognito_tokens.sealed(claims, self._runtime.keyring)
        return written(step.asked.operation, {"IdentityId": identity.id, "Token": token})

    async def _who(self, step: Step, pool: Pool) -> tuple[Identity, Login | None]:
        """The identity that is asked for, once it is proven to be the user's."""
        asked = step.asked
        identity = identity_pools.identity_of(asked, str(asked.parameters["IdentityId"]), pool)
        if identity is None:
            raise ResourceNotFound(f"Identity '{asked.parameters['IdentityId']}' not found.")
        login = await self._login(asked, pool)
        if login is None:
            _check_guest(identity)
        else:
            await self._link(identity, login, step)
        return identity, login

    async def _link(self, identity: Identity, login: Login, step: Step) -> None:
        """A guest who logs in for the first time stays who they are; nobody becomes somebody else.

        AWS: Cognito Developer Guide, authentication-flow, "Linking logins".
        """
        known = identity_pools.identity_with(step.asked, login.provider, login.user, identity.pool)
        if known is None and not identity.logins:
            logins = {login.provider: login.user}
            await self._learn(identity_pools.made(step.asked, identity.id, logins, identity.pool), step)
        elif known is None or known.id != identity.id:
            raise NotAuthorized(
                "Logins don't match. Please include at least one valid login for this identity or identity pool."
            )

    async def _login(self, asked: Asked, pool: Pool) -> Login | None:
        """Who the token of the request says that they are; None for a guest."""
        given: Mapping[str, str] = asked.parameters.get("Logins") or {}
        if not given:
            return None
        if len(given) > 1:
            raise CommonError(Common.NOT_IMPLEMENTED, "iamd takes one login at a time.")
        ((provider, token),) = given.items()
        snapshot = self._runtime.store.snapshot()
        return await user_pool_tokens.verified(
            provider,
            token,
            pool.providers,
            lambda name: living(name, snapshot, self._backends),
            self._backends,
            self._runtime.clock.machine_timestamp(),
        )

    async def _learn(self, learned: list[Learned], step: Step) -> None:
        now, boot, owner = self._runtime.clock.seconds(), step.facts.boot, step.asked.account
        records = [
            Resource(arn=one.arn, owner=owner, created=now, backend_boot=boot, facts=one.facts) for one in learned
        ]
        await self._ledger.learn_all(records)


def _check_guest(identity: Identity) -> None:
    if identity.logins:
        # SECURITY: who has logged in once is nobody's guest: the id alone proves nothing.
        raise NotAuthorized(f"Access to Identity '{identity.id}' is forbidden.")
    if not identity.pool.lets_guests:
        raise NotAuthorized(_NO_GUESTS)


def _named(answer: Answer) -> str | None:
    """The identity that an answer names."""
    if answer.status != 200 or answer.whole is None:
        return None
    try:
        return msgspec.json.decode(answer.whole, type=_Named).identity_id
    except msgspec.DecodeError:
        return None


class _Named(msgspec.Struct):
    """What GetId answers."""

    identity_id: str = msgspec.field(name="IdentityId")


def _told_of(pool: Pool) -> dict[str, str]:
    """The pool, as events name it (Developer Guide, "Example Amazon Cognito events", GetCredentialsForIdentity)."""
    return {"accountId": pool.home.account, "type": "AWS::Cognito::IdentityPool", "ARN": pool.arn}
