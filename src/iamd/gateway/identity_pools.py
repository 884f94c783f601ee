"""Cognito's identity pools as iamd knows them: where they are, whom they let in, and the roles that they give.

What a pool is set to is what was asked for through iamd; its identities are those that were made through iamd.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from iamd import arn as arns
from iamd.authz.target import Target
from iamd.gateway.actions.asked import Asked
from iamd.gateway.actions.forms import InvalidParameter
from iamd.gateway.actions.given_arn import own
from iamd.gateway.answer import Answer
from iamd.gateway.effect import Effect, Kind, Learned, Of
from iamd.gateway.own_answers import written
from iamd.gateway.resources import Facts
from iamd.gateway.user_pools import Home, Named, ResourceNotFound
from iamd.wire.models import Operation
from iamd.wire.validate import validate

SERVICE: Final = "cognito-identity"
Told = Mapping[str, Any]


def _text(value: Any) -> str:
    return msgspec.json.encode(value).decode()


_ROLES: Final = "roles"
_MAPPINGS: Final = "role mappings"
_LETS_GUESTS: Final = "lets guests"
_CLASSIC: Final = "classic flow"
_PROVIDERS: Final = "user pools"
_LOGINS: Final = "logins"
_IDENTITY: Final = "identity"


class Provider(msgspec.Struct, frozen=True, rename="pascal"):
    """A user pool that an identity pool trusts, for one of its clients (API Reference, CognitoIdentityProvider)."""

    provider_name: str = ""
    client_id: str = ""
    server_side_token_check: bool = False


class Rule(msgspec.Struct, frozen=True):
    """A role for whoever has a claim (API Reference, MappingRule)."""

    claim: str = msgspec.field(name="Claim")
    match_type: str = msgspec.field(name="MatchType")
    value: str = msgspec.field(name="Value")
    role_arn: str = msgspec.field(name="RoleARN")


class Rules(msgspec.Struct, frozen=True):
    """Rules in their order (API Reference, RulesConfigurationType)."""

    rules: tuple[Rule, ...] = msgspec.field(name="Rules")


class RoleMapping(msgspec.Struct, frozen=True, rename="pascal"):
    """How the roles of a provider's users are found (API Reference, RoleMapping)."""

    type: str
    ambiguous_role_resolution: str | None = None
    rules_configuration: Rules | None = None


class Pool(msgspec.Struct, frozen=True):
    """An identity pool."""

    id: str
    arn: str
    home: Home
    lets_guests: bool
    is_classic: bool
    """Whether it gives tokens with which its users assume roles themselves."""
    providers: Sequence[Provider]
    roles: Mapping[str, str]
    mappings: Mapping[str, RoleMapping]


class Identity(msgspec.Struct, frozen=True):
    """One of a pool's users: whom each provider calls them, nobody for a guest."""

    id: str
    pool: Pool
    logins: Mapping[str, str]


def home(operation: Operation, parameters: Mapping[str, Any], named: Named) -> Home:
    """Where the identity pool is that a user's request is for; refused when that is not known."""
    validate(operation, parameters)
    if "IdentityId" in parameters:
        identity = str(parameters["IdentityId"])
        return _home_of(named(_identity_name(identity)), f"Identity '{identity}' not found.")
    pool = str(parameters["IdentityPoolId"])
    missing = f"IdentityPool '{pool}' not found."
    found = _home_of(named(_pool_name(pool)), missing)
    if parameters.get("AccountId", found.account) != found.account:
        raise ResourceNotFound(missing)
    return found


def _home_of(arn: str | None, missing: str) -> Home:
    parsed = arns.parse(arn) if arn is not None else None
    if parsed is None:
        raise ResourceNotFound(missing)
    return Home(parsed.account, parsed.region, parsed.resource.split("/")[1])


_EVERYBODY: Final = _text(
    {
        "Version": "2012-10-17",
        "Statement": [{"Sid": "PublicApi", "Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}],
    }
)


def target(asked: Asked) -> Target:
    """The pool, open to everybody: what an organization's resource control policies may forbid all the same.

    AWS: Service Authorization Reference, list_amazoncognitoidentity, whose condition keys are for that.
    """
    pool = _pool_arn(_pool_named(asked), asked)
    kind = "auth" if asked.parameters.get("Logins") else "unauth"
    context = {
        f"cognito-identity-{kind}:accountid": asked.account,
        f"cognito-identity-{kind}:identitypoolarn": pool,
    }
    return Target(arn=pool, account=asked.account, context=context, policies=(_EVERYBODY,))


def _pool_named(asked: Asked) -> str:
    """The pool that a request is for, by its own id or an identity's."""
    named = asked.named(_identity_name(str(asked.parameters.get("IdentityId"))))
    return named.split("/")[1] if named is not None else str(asked.parameters["IdentityPoolId"])


def pool_of(asked: Asked) -> Pool:
    """The pool that a request is for, as it is known."""
    pool = _pool_named(asked)
    arn = _pool_arn(pool, asked)
    known = asked.known(arn)
    return Pool(
        pool,
        arn,
        Home(asked.account, asked.region, pool),
        _LETS_GUESTS in known,
        _CLASSIC in known,
        _read(known.get(_PROVIDERS, "[]"), tuple[Provider, ...]),
        _read(known.get(_ROLES, "{}"), dict[str, str]),
        _read(known.get(_MAPPINGS, "{}"), dict[str, RoleMapping]),
    )


def _read(text: str, kind: Any) -> Any:
    return msgspec.json.decode(text, type=kind)


def identity_of(asked: Asked, identity: str, pool: Pool) -> Identity | None:
    """An identity of a pool; None when there is none such."""
    known = asked.known(_identity_arn(identity, pool.arn))
    return Identity(identity, pool, _read(known.get(_LOGINS, "{}"), dict[str, str])) if known else None


def identity_with(asked: Asked, provider: str, user: str, pool: Pool) -> Identity | None:
    """The identity of a pool that is a provider's user; None when there is none yet."""
    known = asked.known(_login_arn(provider, user, pool.arn))
    return identity_of(asked, known[_IDENTITY], pool) if known else None


def made(asked: Asked, identity: str, logins: Mapping[str, str], pool: Pool) -> list[Learned]:
    """What is known of an identity that has these logins from now on; nothing where another pool has it."""
    name, arn = _identity_name(identity), _identity_arn(identity, pool.arn)
    if asked.named(name) not in {None, arn}:
        return []
    return [
        Learned(arn, {"name": name, _LOGINS: _text(logins)}),
        *(Learned(_login_arn(*login, pool.arn), {_IDENTITY: identity}) for login in logins.items()),
    ]


def _pool_arn(pool: str, asked: Asked) -> str:
    return own(SERVICE, f"identitypool/{pool}", asked)


def _identity_arn(identity: str, pool_arn: str) -> str:
    return f"{pool_arn}/identity/{identity}"


def _login_arn(provider: str, user: str, pool_arn: str) -> str:
    """What the login of a user is known by; of what providers call them nothing stands in it."""
    return f"{pool_arn}/login/{hashlib.sha256(f'{provider} {user}'.encode()).hexdigest()}"


def _pool_name(pool: str) -> str:
    return f"identity pool {pool}"


def _identity_name(identity: str) -> str:
    return f"identity {identity}"


# What requests set, and what answers tell.


def _settings(parameters: Mapping[str, Any]) -> dict[str, str]:
    """What a pool is set to by CreateIdentityPool or UpdateIdentityPool; what is not named is as by default.

    AWS: Cognito Federated Identities API Reference, UpdateIdentityPool: "If you don't provide a value for a parameter,
    Amazon Cognito sets it to its default value."
    """
    allowed = {_LETS_GUESTS: parameters["AllowUnauthenticatedIdentities"], _CLASSIC: parameters.get("AllowClassicFlow")}
    providers = _converted(parameters.get("CognitoIdentityProviders") or [], tuple[Provider, ...])
    return {_PROVIDERS: providers, **{name: "true" for name, given in allowed.items() if given is True}}


def _converted(value: Any, kind: Any) -> str:
    """A parameter as it is kept; refused where it is nothing of the kind."""
    try:
        return _text(msgspec.convert(value, kind))
    except msgspec.ValidationError as error:
        raise InvalidParameter(str(error)) from error


def _created(asked: Asked, told: Told) -> list[Learned]:
    return _known(str(told["IdentityPoolId"]), asked.parameters, asked)


def _described(asked: Asked, told: Told) -> list[Learned]:
    pool = str(told["IdentityPoolId"])
    # What was asked for through iamd is known already, and better: backends may keep what was to be gone.
    return [] if "name" in asked.known(_pool_arn(pool, asked)) else _known(pool, told, asked)


def _known(pool: str, settings: Mapping[str, Any], asked: Asked) -> list[Learned]:
    # SECURITY: as for user pools' clients, what is known by this id already stays.
    if asked.named(_pool_name(pool)) not in {None, _pool_arn(pool, asked)}:
        return []
    return [Learned(_pool_arn(pool, asked), {"name": _pool_name(pool), **_settings(settings)})]


def _update(asked: Asked, arn: str, _: Facts) -> Effect:
    settings = _settings(asked.parameters)

    def changed(known: Mapping[str, str]) -> Mapping[str, str]:
        kept = {name: value for name, value in known.items() if name not in {_LETS_GUESTS, _CLASSIC}}
        return {**kept, **settings}

    return Effect(Kind.NOTE, arn, done=changed)


def _set_roles(asked: Asked, _: str, facts: Facts) -> Effect:
    pool = str(asked.parameters["IdentityPoolId"])
    arn = _pool_arn(pool, asked)
    if facts.forgets:
        validate(asked.operation, asked.parameters)
        if not facts.known(arn):
            raise ResourceNotFound(f"IdentityPool '{pool}' not found.")
    roles = {
        _ROLES: _converted(asked.parameters["Roles"], dict[str, str]),
        _MAPPINGS: _converted(asked.parameters.get("RoleMappings") or {}, dict[str, RoleMapping]),
    }
    return Effect(Kind.NOTE, arn, done=lambda known: {**known, **roles})


def _end(_: Asked, arn: str, __: Facts) -> Effect:
    return Effect(Kind.END, arn, within=f"{arn}/")


EFFECTS: Final[Mapping[tuple[str, str], Of]] = {
    (SERVICE, "DeleteIdentityPool"): _end,
    (SERVICE, "SetIdentityPoolRoles"): _set_roles,
    (SERVICE, "UpdateIdentityPool"): _update,
}
LEARNED: Final[Mapping[tuple[str, str], Callable[[Asked, Told], list[Learned]]]] = {
    (SERVICE, "CreateIdentityPool"): _created,
    (SERVICE, "DescribeIdentityPool"): _described,
}


# What the embedded backend does not have, and iamd answers.


def may_be_kept(operation: Operation) -> bool:
    """Whether iamd answers an operation in the embedded backend's place."""
    return operation.service == SERVICE and operation.name in {"GetIdentityPoolRoles", "SetIdentityPoolRoles"}


def answer(asked: Asked) -> Answer:
    """The answer about a pool's roles, which iamd keeps."""
    validate(asked.operation, asked.parameters)
    pool = str(asked.parameters["IdentityPoolId"])
    known = asked.known(_pool_arn(pool, asked))
    if not known:
        raise ResourceNotFound(f"IdentityPool '{pool}' not found.")
    if asked.operation.name == "SetIdentityPoolRoles":
        return written(asked.operation, {})
    told = {"Roles": _read(known.get(_ROLES, "{}"), dict), "RoleMappings": _read(known.get(_MAPPINGS, "{}"), dict)}
    return written(asked.operation, {"IdentityPoolId": pool, **{name: found for name, found in told.items() if found}})
