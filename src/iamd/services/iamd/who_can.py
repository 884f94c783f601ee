"""Who of an account may do something: `can`, asked of each of its principals."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from iamd import arn
from iamd.auth import credentials
from iamd.auth.identity import Identity, root_user
from iamd.authz import explanations
from iamd.authz.authorize import Verdict
from iamd.call import Call
from iamd.policy import other_circumstances
from iamd.services.iam import entities
from iamd.services.iamd.decisions import SESSION_NAME, Imagined, nothing, told, user_identity
from iamd.services.paging import page
from iamd.services.registry import reading
from iamd.store.records import Role, User

Principal = tuple[str, User | Role | None]
"""An ARN with the user or role, None for the root user."""


@reading(on=nothing, is_long=True)
def who_can(
    call: Call,
    *,
    action: str,
    resource_arn: str,
    context: Mapping[str, Sequence[str]] | None = None,
    max_items: int | None = None,
    marker: str | None = None,
) -> dict[str, Any]:
    """List the principals of the caller's account that may do something, and those that conditions alone keep from it.

    Those are who might in other circumstances (`other_circumstances.may_allow`): an Allow would have to apply that does
    not, or a Deny not to apply.

    A page looks at `max_items` principals, in the order of their ARNs, so it may list none. Principals of other
    accounts are those accounts' own. Raises what `can` raises for an action or a resource that there is not.
    """
    imagined = Imagined(call, action, resource_arn, context)
    query = [action, resource_arn, repr(sorted((context or {}).items()))]
    principals, more = page(
        call, list(_principals(call)), key=lambda one: one[0], max_items=max_items, marker=marker, query=query
    )
    listed = [_shown(call, name, imagined.by(_identity(call, name, entity))) for name, entity in principals]
    return {"Principals": [one for one in listed if one is not None], "LookedAt": len(principals), **more}


def _principals(call: Call) -> Iterator[Principal]:
    account = call.account
    yield arn.root(account.id), None
    for user in account.all(User):
        yield entities.user_arn(account, user), user
    for role in account.all(Role):
        yield entities.role_arn(account, role), role


def _identity(call: Call, name: str, entity: User | Role | None) -> Identity:
    """The principal as a caller; a role stands for a session of it."""
    match entity:
        case User():
            return user_identity(call.account, entity)
        case Role():
            return credentials.session_now(call.account, entity, SESSION_NAME, call.now)
        case _:
            return root_user(call.account.id)


def _shown(call: Call, name: str, verdict: Verdict) -> dict[str, Any] | None:
    """One who may, or whom conditions alone keep from it; None for all others."""
    decision = told(explanations.explained(verdict, call.view))
    if verdict.decision.allowed:
        return {"PrincipalArn": name, "Allowed": True, "Layer": decision["Layer"], "Statements": decision["Statements"]}
    # SECURITY: what the conditions of another account's policies are is told no more than `can` tells it.
    if not other_circumstances.may_allow(verdict.request, verdict.layers, explanations.hidden(verdict)):
        return None
    return {
        "PrincipalArn": name,
        "Allowed": False,
        "Layer": decision["Layer"],
        "Statements": decision["Statements"],
        "NearMisses": [one for one in decision["NearMisses"] if one["Effect"] == "Allow"],
        "MissingKeys": decision["MissingKeys"],
        "UnknownKeys": decision["UnknownKeys"],
    }
