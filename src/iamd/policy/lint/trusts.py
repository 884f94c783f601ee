"""Checks of role trust policies: who may assume the role, by which action.

AWS: IAM User Guide, "Roles terms and concepts" (id_roles) and "Create a role for OpenID Connect federation"
(id_roles_create_for-idp_oidc).
"""

import re
from collections.abc import Iterator
from typing import Final

from iamd.policy.lint import actions
from iamd.policy.lint.finding import Note, note
from iamd.policy.lint.subject import Document, Entry, Principal, Statement, Text
from iamd.policy.request import lower
from iamd.policy.wildcard import has_wildcard

ROLES_ANYWHERE: Final = "rolesanywhere.amazonaws.com"
ROLES_ANYWHERE_ACTIONS: Final = ("sts:assumerole", "sts:setsourceidentity", "sts:tagsession")
GITHUB: Final = "token.actions.githubusercontent.com"
WEB_IDENTITY: Final = "sts:assumerolewithwebidentity"

_SESSION: Final = re.compile(r"arn:([a-z0-9-]+):sts::([0-9]{12}):assumed-role/([^/]+)/.+", re.DOTALL)
_ROLE: Final = re.compile(r"arn:([a-z0-9-]+):iam::([0-9]{12}):role/(?:.+/)?([^/]+)", re.DOTALL)

SETTING: Final = (
    ("sts:sourceidentity", "sts:SetSourceIdentity"),
    ("sts:transitivetagkeys", "sts:TagSession"),
    ("aws:requesttag/", "sts:TagSession"),
    ("aws:tagkeys", "sts:TagSession"),
)
"""Condition keys of assuming a role, and the action that lets a session be given what they speak of.

AWS: "Pass session tags" (id_session-tags) and "Monitor and control actions taken with assumed roles"
(id_credentials_temp_control-access_monitor).
"""


def check(document: Document) -> Iterator[Note]:
    """What is wrong with statements of trust."""
    trusting = [statement for statement in document.statements if document.trusts(statement)]
    for statement in trusting:
        if document.is_trust:
            yield from _resource(statement)
        yield from _mismatched(document, statement)
        yield from _redundant(statement)
        if statement.allows:
            yield from _setting(document, statement)
            yield from _web_identity(document, statement)
        yield from _audience(document, statement)
    yield from _roles_anywhere([statement for statement in trusting if statement.allows])


def provider_of(principal: Principal) -> str | None:
    """The host of an OpenID Connect provider, which its condition keys begin with, or None."""
    if principal.member != "Federated" or is_saml(principal):
        return None
    return principal.value.partition(":oidc-provider/")[2] or principal.value


def is_saml(principal: Principal) -> bool:
    return principal.member == "Federated" and ":saml-provider/" in principal.value


def _resource(statement: Statement) -> Iterator[Note]:
    for name in ("Resource", "NotResource"):
        member = statement.node.member(name)
        if member is not None:
            yield note("ROLE_TRUST_POLICY_SYNTAX_ERROR_RESOURCE", member.key)


def _suits(action: str, principal: Principal) -> bool:
    match action:
        case "sts:assumerole":
            return principal.member != "Federated"
        case "sts:assumerolewithsaml":
            return is_saml(principal)
        case "sts:assumerolewithwebidentity":
            return provider_of(principal) is not None
        case _:
            return True


def _mismatched(document: Document, statement: Statement) -> Iterator[Note]:
    """An action that none of the statement's principals can call."""
    named = statement.principals
    for action in statement.actions if named else ():
        document.work.spend(len(named))
        if not any(_suits(action.lower, principal) for principal in named):
            names = ", ".join(principal.value for principal in named)
            places = (principal.place for principal in named)
            yield note(
                "MISMATCHED_ACTION_FOR_PRINCIPAL",
                action.place,
                *places,
                actionName=action.value,
                principalNames=names,
            )


def _redundant(statement: Statement) -> Iterator[Note]:
    roles = {found.groups(): found[0] for found in map(_ROLE.fullmatch, _aws(statement)) if found}
    for principal in statement.principals:
        session = _SESSION.fullmatch(principal.value)
        parent = roles.get(session.groups()) if session else None
        if principal.member == "AWS" and parent is not None:
            yield note(
                "REDUNDANT_PRINCIPAL_IN_ROLE_TRUST_POLICY",
                principal.place,
                redundant_principal=principal.value,
                parent_role=parent,
            )


def _aws(statement: Statement) -> list[str]:
    return [principal.value for principal in statement.principals if principal.member == "AWS"]


def _setting(document: Document, statement: Statement) -> Iterator[Note]:
    """Keys of what only another action may set, in a statement that lets a role be assumed."""
    assuming = [action for action in statement.actions if action.lower.startswith("sts:assumerole")]
    for entry in statement.conditions if assuming else ():
        document.work.spend(len(statement.actions))
        for key, action in SETTING:
            if entry.lower.startswith(key) and not actions.covered(statement, lower(action)):
                yield note(
                    "MISSING_ACTION_FOR_CONDITION_KEY",
                    *(text.place for text in assuming),
                    entry.key.key,
                    actionName=action,
                    keyName=entry.key.name,
                )


def _roles_anywhere(statements: list[Statement]) -> Iterator[Note]:
    named = [statement for statement in statements if _names_roles_anywhere(statement)]
    missing = any(
        not any(actions.covered(statement, action) for statement in named) for action in ROLES_ANYWHERE_ACTIONS
    )
    if named and missing:
        listed = [text.place for statement in named for text in statement.actions]
        yield note("MISSING_ACTION_FOR_ROLES_ANYWHERE_TRUST_POLICY", *listed)


def _names_roles_anywhere(statement: Statement) -> bool:
    return any(
        principal.member == "Service" and principal.value == ROLES_ANYWHERE for principal in statement.principals
    )


def _web_identity(document: Document, statement: Statement) -> Iterator[Note]:
    """What a statement asks of the tokens of its OpenID Connect providers."""
    if not actions.covered(statement, WEB_IDENTITY):
        return
    for principal in statement.principals:
        provider = provider_of(principal)
        if provider is None:
            continue
        document.work.spend(len(statement.condition_keys))
        if not any(key.startswith(f"{lower(provider)}:") for key in statement.condition_keys):
            yield note("MISSING_CONDITION_KEY_FOR_OIDC_PRINCIPAL", principal.place)
        if provider == GITHUB:
            yield from _github(document, statement, principal)


def _github(document: Document, statement: Statement, principal: Principal) -> Iterator[Note]:
    subjects = list(statement.entries(f"{GITHUB}:sub"))
    if not subjects:
        yield note("MISSING_GITHUB_REPO_CONDITION_KEY", principal.place)
    has_branch = any(statement.entries(f"{GITHUB}:ref"))
    for entry in subjects:
        document.work.spend(len(entry.values))
        for value in entry.values:
            if entry.is_like and _is_broad(value, has_branch=has_branch):
                yield note("SPECIFIC_GITHUB_REPO_AND_BRANCH_RECOMMENDED", value.place)


def _is_broad(value: Text, *, has_branch: bool) -> bool:
    """Whether a subject (`repo:organization/repository:ref:refs/heads/branch`) leaves repository or branch open."""
    kind, _, rest = value.value.partition(":")
    repository, _, branch = rest.partition(":")
    return has_wildcard(kind) or has_wildcard(repository) or (has_wildcard(branch) and not has_branch)


def _audience(document: Document, statement: Statement) -> Iterator[Note]:
    """Set operators on the audience, which of the providers that AWS knows is one value."""
    for entry in statement.conditions:
        provider, _, claim = entry.lower.rpartition(":")
        if claim != "aud" or "." not in provider or not entry.name.quantifier:
            continue
        if not _is_known(document, entry):
            yield note("CONFIRM_AUDIENCE_CLAIM_TYPE", entry.key.key, key=entry.key.name, audienceType=claim)
        elif entry.name.quantifier == "ForAnyValue":
            yield note("FORANYVALUE_WITH_AUDIENCE_CLAIM_TYPE", entry.key.key, key=entry.key.name)


def _is_known(document: Document, entry: Entry) -> bool:
    sts = document.reference.service("sts")
    return sts is not None and sts.condition_key(entry.key.name) is not None
