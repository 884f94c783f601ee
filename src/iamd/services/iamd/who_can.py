"""Who may do something with a resource: `can`, asked of each principal of the account, and of all whom it lets in."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from iamd import arn
from iamd.auth import credentials
from iamd.auth.identity import Identity, root_user
from iamd.authz import explanations
from iamd.authz.authorize import Verdict
from iamd.call import Call
from iamd.policy import other_circumstances
from iamd.policy.decision import Layer
from iamd.policy.request import lower
from iamd.policy.trial_values import Value
from iamd.services.iam import entities
from iamd.services.iamd import outsiders
from iamd.services.iamd.decisions import SESSION_NAME, Imagined, nothing, told, user_identity
from iamd.services.iamd.outsiders import Outsider
from iamd.services.paging import page
from iamd.services.registry import reading
from iamd.store.records import Role, User

Given = Mapping[str, Sequence[str]]


class Principal(msgspec.Struct, frozen=True):
    """A principal of the caller's account: an ARN with the user or role, None for the root user."""

    key: str
    entity: User | Role | None


@reading(on=nothing, is_long=True)
def who_can(
    call: Call,
    *,
    action: str,
    resource_arn: str,
    context: Given | None = None,
    max_items: int | None = None,
    marker: str | None = None,
) -> dict[str, Any]:
    """List the principals of the caller's account that may do something, and those that conditions alone keep from it.

    Those are who might in other circumstances (`other_circumstances.allowing`). Of a resource of the account, who else
    stands in its policies is listed too (`outsiders.found`), from outside the account or as a session.

    A page looks at `max_items` of both, the account's principals first, so it may list none. Raises what `can` raises
    for an action or a resource that there is not.
    """
    imagined = Imagined(call, action, resource_arn, context)
    query = [action, resource_arn, repr(sorted((context or {}).items()))]
    everybody: list[Principal | Outsider] = [*_principals(call), *outsiders.found(call, imagined)]
    asked, more = page(call, everybody, key=lambda one: one.key, max_items=max_items, marker=marker, query=query)
    question = _Question(call, imagined, action, resource_arn, context or {})
    own = [one for one in asked if isinstance(one, Principal)]
    others = [one for one in asked if isinstance(one, Outsider)]
    return {
        "Principals": [shown for one in own if (shown := question.of_own(one)) is not None],
        "Others": [shown for one in others if (shown := question.of_other(one)) is not None],
        "LookedAt": len(own),
        **more,
    }


def _principals(call: Call) -> Iterator[Principal]:
    account = call.account
    yield Principal(arn.root(account.id), None)
    for user in account.all(User):
        yield Principal(entities.user_arn(account, user), user)
    for role in account.all(Role):
        yield Principal(entities.role_arn(account, role), role)


def _identity(call: Call, entity: User | Role | None) -> Identity:
    """The principal as a caller; a role stands for a session of it."""
    match entity:
        case User():
            return user_identity(call.account, entity)
        case Role():
            return credentials.session_now(call.account, entity, SESSION_NAME, call.now)
        case _:
            return root_user(call.account.id)


class _Question:
    """What is asked, to be asked of each."""

    def __init__(self, call: Call, imagined: Imagined, action: str, resource_arn: str, context: Given) -> None:
        self._call = call
        self._imagined = imagined
        self._action = action
        self._resource = resource_arn
        self._context = context

    def of_own(self, one: Principal) -> dict[str, Any] | None:
        """A principal of the account who may, or whom conditions alone keep from it; None for all others."""
        who = Outsider("", one.key, _identity(self._call, one.entity))
        shown = self._shown(who, self._imagined.by(who.identity))
        return {"PrincipalArn": one.key, **shown} if shown is not None else None

    def of_other(self, one: Outsider) -> dict[str, Any] | None:
        """The same of another one, without what is another account's own."""
        verdict = self._imagined.by(one.identity, one.supposed)
        # SECURITY: the account is told of its own policies, and never of those of whom it lets in.
        verdict = msgspec.structs.replace(verdict, told_to=self._call.account.id)
        shown = self._shown(one, verdict)
        if shown is None:
            return None
        if verdict.decision.layer in explanations.hidden(verdict) | {Layer.ROOT_USER}:
            shown["Layer"] = verdict.layers.resource.layer
        return {"Kind": one.kind, "Name": one.name, "IfItsAccountAllows": one.if_its_account_allows, **shown}

    def _shown(self, who: Outsider, verdict: Verdict) -> dict[str, Any] | None:
        decision = told(explanations.explained(verdict, self._call.view, conditions=True))
        shown = {"Layer": decision["Layer"], "Statements": decision["Statements"]}
        if verdict.decision.allowed:
            return {"Allowed": True, **shown}
        # SECURITY: what the conditions of another account's policies are is told no more than `can` tells it.
        found = other_circumstances.allowing(verdict.request, verdict.layers, explanations.hidden(verdict), who.bounds)
        if found is None:
            return None
        example = self._example(who, found.changes)
        return {
            "Allowed": False,
            **shown,
            "NearMisses": [one for one in decision["NearMisses"] if one["Effect"] == "Allow"],
            "MissingKeys": decision["MissingKeys"],
            "UnknownKeys": decision["UnknownKeys"],
            **({"Example": example} if example is not None else {}),
        }

    def _example(self, who: Outsider, changes: Mapping[str, Value] | None) -> dict[str, list[str]] | None:
        """Values that allow it, once they are asked with; a key without one is one that the request must lack."""
        if changes is None:
            return None
        given = {key: _values(value) for key, value in changes.items()}
        own = {key: values for key, values in self._context.items() if lower(key) not in given}
        imagined = Imagined(self._call, self._action, self._resource, {**own, **given})
        return given if imagined.by(who.identity, who.supposed).decision.allowed else None


def _values(value: Value) -> list[str]:
    if value is None:
        return []
    return [value] if isinstance(value, str) else list(value)
