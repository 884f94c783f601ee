"""Whom the policies of a resource may let in besides the account's users and roles: all who stand in them, one by one.

Other accounts and their principals, AWS's services, callers for whom an identity provider vouches, and everybody. Of
other accounts' principals the account that the server was started with is told as they are decided, by both sides;
an account that was added is told what its resource says, for what other accounts let their principals do is theirs.
"""

from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from iamd import arn
from iamd.auth import credentials
from iamd.auth.identity import ANONYMOUS, TAKING_UNSIGNED, Identity, Service, federated, of_service, root_user
from iamd.authz import acls, canonical_ids, context, organizations
from iamd.authz.context import Context
from iamd.authz.organization_arns import are_together
from iamd.authz.policies import EVERYTHING
from iamd.call import Call
from iamd.federation.proof import Federation
from iamd.policy.document import Effect, PolicyType, Statement, load
from iamd.policy.evaluate import Layers
from iamd.policy.other_circumstances import NO_BOUNDS
from iamd.policy.principals import ROOT_ARN, Principals
from iamd.policy.request import PrincipalKind, lower
from iamd.policy.telling_texts import Glob, arn_glob, glob
from iamd.policy.trial_values import Bound
from iamd.policy.wildcard import tokens
from iamd.services.iam import entities, principal_ids
from iamd.services.iam.principal_ids import UNIQUE_ID
from iamd.services.iamd.accounts import is_of_first_account
from iamd.services.iamd.decisions import SESSION_NAME, Imagined, Supposed, user_identity
from iamd.store.account import Account
from iamd.store.federation_records import OpenIDConnectProvider, SAMLProvider
from iamd.store.records import Role, User

NO_ACCOUNT: Final = "000000000000"
"""The number of no account, which stands for all that are named nowhere."""
ALL: Final = "*"

_PROVEN: Final = {
    "sts:assumerolewithsaml": True,
    "sts:assumerolewithwebidentity": False,
    "sts:tagsession": None,
    "sts:setsourceidentity": None,
}
"""What callers ask for whom a provider vouches, and whether the provider is one of SAML; None for both kinds."""
_UNSIGNED: Final = frozenset({"lambda:invokefunction", "lambda:invokefunctionurl"})
"""AWS: a function's URL takes unsigned requests, which need both (Lambda Developer Guide, urls-auth)."""

_OF_PRINCIPAL: Final = (
    "aws:principalarn", "aws:principalorgid", "aws:principalorgpaths", "aws:principaltag/", "aws:principaltype",
    "aws:userid", "aws:username",
)  # fmt: skip
_OF_ACCOUNT: Final = ("aws:principalaccount", "kms:calleraccount")
_OF_SOURCE: Final = ("aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid", "aws:sourceorgpaths", "aws:sourceowner")
_OF_SERVICE: Final = ("aws:principalservicename", "aws:principalservicenameslist")


class Outsider(msgspec.Struct, frozen=True):
    """One who may be let in. `supposed` is what is known of who is not decided by both sides."""

    kind: str
    name: str
    identity: Identity
    supposed: Supposed | None = None
    if_its_account_allows: bool = False
    bounds: Mapping[str, Bound] = NO_BOUNDS
    """What is known of keys whose values are not."""

    @property
    def key(self) -> str:
        """Its place in the order; behind all ARNs."""
        return f"~{self.kind} {self.name}"


def found(call: Call, imagined: Imagined) -> list[Outsider]:
    """All whom the policies of the caller's resource name, be it in an Allow, or as who is spared by a Deny."""
    # SECURITY: whom another account's resource lets in is that account's own.
    if imagined.owner not in {None, call.identity.account_id}:
        return []
    reader = _Reader(call, imagined)
    listed = {one.key: one for one in reader.outsiders()}
    return list(listed.values())


class _Reader:
    """One reading of the policies of a resource."""

    def __init__(self, call: Call, imagined: Imagined) -> None:
        self._call = call
        self._imagined = imagined
        self._action = lower(imagined.action)
        self._tells_all = is_of_first_account(call)
        self._others = [one for one in call.view.account_ids() if one != call.account.id]

    def outsiders(self) -> Iterator[Outsider]:
        for policy in self._imagined.policies:
            for statement in policy.fitting(self._action):
                principals = statement.principals
                if principals is not None and _may_let_in(statement):
                    yield from self._of(principals, inverted=principals.inverted and statement.effect is Effect.ALLOW)
        for acl in self._imagined.acls:
            for grant in acl.grants:
                yield from self._of_grantee(grant.grantee, acl.owner)

    def _of(self, principals: Principals, *, inverted: bool) -> Iterator[Outsider]:
        everyone = principals.everyone or inverted
        if everyone or principals.every_aws:
            yield from self._everybody()
        if everyone:
            yield self._every_service()
        for named in sorted(principals.accounts):
            match = ROOT_ARN.fullmatch(named)
            yield from self._account(match[1] if match is not None else named)
        for named in sorted(principals.aws):
            yield from self._principal(named)
        for named in sorted(principals.services):
            yield self._service(named)
        for named in sorted(principals.federated):
            yield from self._federated(named)

    def _everybody(self) -> Iterator[Outsider]:
        if self._action.partition(":")[0] in TAKING_UNSIGNED or self._action in _UNSIGNED:
            yield Outsider("Anonymous", ALL, ANONYMOUS)
        unknown = (*_OF_PRINCIPAL, *_OF_ACCOUNT)
        supposed = Supposed(_may_all(), {"aws:principalisawsservice": "false"}, unknown)
        bounds = _not_of(self._call.account.id)
        yield Outsider("EveryAccount", ALL, _somebody(NO_ACCOUNT), supposed, if_its_account_allows=True, bounds=bounds)
        for account_id in self._others if self._tells_all else ():
            yield from self._principals(account_id)

    def _account(self, account_id: str, name: str = "") -> Iterator[Outsider]:
        if account_id == self._call.account.id:
            return
        supposed = Supposed(_may_all(), self._keys(account_id), self._unknown(account_id))
        bounds = {"aws:principalarn": Bound(_principals_of(account_id))}
        somebody = _somebody(account_id)
        yield Outsider("Account", name or account_id, somebody, supposed, if_its_account_allows=True, bounds=bounds)
        if self._tells_all:
            yield from self._principals(account_id)

    def _principals(self, account_id: str) -> Iterator[Outsider]:
        """The principals of another account, as they are."""
        account = self._call.view.account(account_id)
        if account is None:
            return
        yield Outsider("Principal", arn.root(account_id), root_user(account_id))
        for user in account.all(User):
            yield Outsider("Principal", entities.user_arn(account, user), user_identity(account, user))
        for role in account.all(Role):
            yield Outsider("Principal", entities.role_arn(account, role), self._session(account, role, SESSION_NAME))

    def _session(self, account: Account, role: Role, name: str) -> Identity:
        return credentials.session_now(account, role, name, self._call.now)

    def _principal(self, named: str) -> Iterator[Outsider]:
        """A user, a role, or a session of one, by a unique id or an ARN."""
        shown = principal_ids.entity_arn(self._call.view, named) if UNIQUE_ID.fullmatch(named) else named
        parsed = arn.parse(shown) if shown is not None else None
        # Whoever is gone is nobody any more.
        if shown is None or parsed is None:
            return
        is_own, is_session = parsed.account == self._call.account.id, parsed.service == "sts"
        if is_own and not is_session:
            return
        account = self._call.view.account(parsed.account)
        identity = self._identity(account, parsed, named) if account is not None else None
        if account is None or identity is None:
            return
        if identity.kind is not PrincipalKind.FEDERATED_USER and (is_own or self._tells_all):
            yield Outsider("Session" if is_session else "Principal", shown, identity)
            return
        keys = self._keys(parsed.account)
        if identity.kind is PrincipalKind.USER:
            keys |= {"aws:principalarn": shown, "aws:username": str(identity.name), "aws:principaltype": "User"}
        elif identity.entity_arn is not None:
            keys |= {"aws:principalarn": identity.entity_arn, "aws:principaltype": "AssumedRole"}
        elif identity.kind is PrincipalKind.FEDERATED_USER:
            keys |= {"aws:principalarn": shown, "aws:principaltype": "FederatedUser", "aws:userid": identity.user_id}
        unknown = tuple(one for one in self._unknown(parsed.account) if one not in keys)
        supposed = Supposed(_may_all(), keys, unknown)
        kind = "Session" if is_session else "Principal"
        yield Outsider(kind, shown, identity, supposed, if_its_account_allows=True)

    def _identity(self, account: Account, parsed: arn.Arn, named: str) -> Identity | None:
        kind, _, rest = parsed.resource.partition("/")
        if kind == "federated-user":
            return Identity(PrincipalKind.FEDERATED_USER, account.id, str(parsed), f"{account.id}:{rest}")
        if kind == "assumed-role":
            role_name, _, session_name = rest.partition("/")
            found_role = entities.role_in(account, role_name)
            return self._session(account, found_role, session_name) if found_role is not None else None
        user, role = account.get(User, named), account.get(Role, named)
        if user is not None:
            return user_identity(account, user)
        return self._session(account, role, SESSION_NAME) if role is not None else None

    def _keys(self, account_id: str) -> dict[str, context.Value]:
        """What is known of every principal of another account."""
        keys: dict[str, context.Value] = {"aws:principalaccount": account_id, "aws:principalisawsservice": "false"}
        standing = organizations.standing_of(account_id, self._call.view)
        if standing is not None and self._is_near(account_id):
            keys |= {"aws:principalorgid": standing.organization_id, "aws:principalorgpaths": (standing.path,)}
        return keys

    def _unknown(self, account_id: str) -> tuple[str, ...]:
        if not self._is_near(account_id):
            return _OF_PRINCIPAL
        return tuple(key for key in _OF_PRINCIPAL if not key.startswith("aws:principalorg"))

    def _is_near(self, account_id: str) -> bool:
        # SECURITY: in which organization another account is, is told within that organization.
        return are_together(self._call.account.id, account_id, self._call.view)

    def _service(self, named: str) -> Outsider:
        service = Service(named, "")
        keys: Context = {
            "aws:principalisawsservice": "true",
            "aws:principalservicename": named,
            "aws:principalservicenameslist": service.names,
        }
        return Outsider("Service", named, of_service(service), Supposed(Layers(), keys, _OF_SOURCE))

    def _every_service(self) -> Outsider:
        unknown = (*_OF_SOURCE, *_OF_SERVICE)
        supposed = Supposed(Layers(), {"aws:principalisawsservice": "true"}, unknown)
        return Outsider("EveryService", ALL, of_service(Service(ALL, "")), supposed)

    def _federated(self, provider: str) -> Iterator[Outsider]:
        is_saml = ":saml-provider/" in provider
        # Such callers have signed nothing, and ask for nothing else.
        if _PROVEN.get(self._action, not is_saml) not in {None, is_saml}:
            return
        parsed, account = arn.parse(provider), self._call.account
        name = parsed.resource.partition("/")[2] if parsed is not None else provider
        record = account.get(SAMLProvider, name) if is_saml else account.get(OpenIDConnectProvider, name)
        if parsed is not None and (record is None or parsed.account != account.id):
            return
        federation = Federation(
            user_type="", provider=provider, record=record, identity_provider="", name="", session_name="", context={},
            session_context={}, answer={},
        )  # fmt: skip
        identity = federated(federation, self._call.account.id, "")
        keys = context.of_caller(identity, self._call.view, self._call.now)
        unknown = ("saml:",) if is_saml else (f"{lower(name)}:",)
        yield Outsider("Federated", provider, identity, Supposed(Layers(), keys, unknown))

    def _of_grantee(self, grantee: str, owner: str) -> Iterator[Outsider]:
        """Whom an access control list gives something."""
        if grantee in acls.PUBLIC:
            yield from self._everybody()
        elif grantee not in acls.GROUPS and grantee != owner:
            account_id = canonical_ids.account_of(grantee, self._call.view)
            if account_id is not None:
                # SECURITY: which account of this server has an id is not told to others.
                yield from self._account(account_id, "" if self._tells_all else grantee)


def _may_let_in(statement: Statement) -> bool:
    """Whether it allows, or spares those whom it names."""
    if statement.effect is Effect.ALLOW:
        return not statement.defective
    return statement.principals is not None and statement.principals.inverted


def _may_all() -> Layers:
    return Layers(identity=(load(EVERYTHING, PolicyType.IDENTITY),))


_ANY_ACCOUNT: Final = "?" * 12


def _principals_of(account_id: str) -> Glob:
    """What the ARNs of an account's principals are like."""
    return arn_glob([tokens(part) for part in (*arn.root(account_id).split(":")[:2], "*", "", account_id, "?*")])


def _not_of(account_id: str) -> dict[str, Bound]:
    """What the keys of principals are like that are of another account."""
    number = Bound(glob(tokens(_ANY_ACCOUNT)), glob([account_id]))
    named = Bound(_principals_of(_ANY_ACCOUNT), _principals_of(account_id))
    return {"aws:principalaccount": number, "kms:calleraccount": number, "aws:principalarn": named}


def _somebody(account_id: str) -> Identity:
    """Any user or role of an account."""
    return Identity(PrincipalKind.USER, account_id, arn.iam(account_id, "user", "/", ALL), "")
