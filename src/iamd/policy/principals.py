"""Whether a statement's Principal or NotPrincipal element names the caller, and how directly.

AWS: IAM User Guide, "Principal" and "NotPrincipal" (reference_policies_elements_principal,
reference_policies_elements_notprincipal).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from iamd.policy.request import Principal, PrincipalKind

ACCOUNT_ID = re.compile(r"[0-9]{12}")
ROOT_ARN = re.compile(r"arn:[a-z0-9-]+:iam::([0-9]{12}):root")

MEMBERS = ("AWS", "Service", "Federated", "CanonicalUser")


class Named(IntEnum):
    """How a Principal element names a caller; the higher, the less else the caller needs in the same account."""

    NOT = 0
    ACCOUNT = 1
    """Only the caller's account is named: it delegates to that account's identity policies."""
    ENTITY = 2
    """The role or user behind the caller's session is named."""
    DIRECT = 3
    """The caller itself is named, or everyone."""


@dataclass(frozen=True, slots=True)
class Principals:
    """A Principal element, or with `inverted` a NotPrincipal."""

    everyone: bool = False
    """`"*"`"""
    every_aws: bool = False
    """`{"AWS": "*"}`"""
    aws: frozenset[str] = frozenset()
    accounts: frozenset[str] = frozenset()
    """Twelve digits, or the ARN of a root user, which means the whole account."""
    services: frozenset[str] = frozenset()
    federated: frozenset[str] = frozenset()
    canonical: frozenset[str] = frozenset()
    inverted: bool = False


NOBODY = Principals()


def principals(entries: list[tuple[str, str]], *, inverted: bool) -> Principals:
    """The compiled element from its (member, value) pairs; the bare `"*"` comes as ("*", "*")."""

    def of(member: str) -> frozenset[str]:
        return frozenset(value for name, value in entries if name == member)

    aws = of("AWS")
    accounts = frozenset(value for value in aws if ACCOUNT_ID.fullmatch(value) or ROOT_ARN.fullmatch(value))
    return Principals(
        everyone=("*", "*") in entries,
        every_aws="*" in aws,
        aws=aws - accounts - {"*"},
        accounts=accounts,
        services=of("Service"),
        federated=of("Federated"),
        canonical=of("CanonicalUser"),
        inverted=inverted,
    )


def named(element: Principals, caller: Principal, *, strict: bool, deny: bool, has_boundary: bool) -> Named:
    """How `element` names `caller` in a statement that allows, or with `deny` in one that denies.

    With `strict`, which a trust policy's Allow is read with, everyone does not mean a caller with a token alone.
    """
    if element.inverted:
        return Named.DIRECT if _hits(element, caller, deny=deny, has_boundary=has_boundary) else Named.NOT
    match caller.kind:
        case PrincipalKind.ANONYMOUS:
            return _direct_if(element.everyone or element.every_aws)
        case PrincipalKind.SERVICE:
            return _direct_if(_names_service(element, caller))
        case PrincipalKind.FEDERATED:
            return _direct_if(_names_provider(element, caller, strict=strict))
        case PrincipalKind.ROOT:
            named_root = element.everyone or element.every_aws or _names_account(element, caller)
            return Named.DIRECT if named_root else _by_canonical_id(element, caller)
        case PrincipalKind.USER:
            return _named_user(element, caller)
        case PrincipalKind.ROLE_SESSION | PrincipalKind.FEDERATED_USER:
            return _named_session(element, caller)


def _direct_if(condition: bool) -> Named:
    return Named.DIRECT if condition else Named.NOT


def _names_service(element: Principals, caller: Principal) -> bool:
    # AWS leaves open whether {"AWS": "*"} names service principals. It does not here; "*" does.
    return element.everyone or not element.services.isdisjoint(caller.service_names)


def _names_provider(element: Principals, caller: Principal, *, strict: bool) -> bool:
    # SECURITY: a role whose trust policy allows "*" must not be open to every token of every identity provider, so an
    # unsigned federated caller is allowed only through its provider's own entry; a Deny for "*" does hit it.
    return caller.provider in element.federated or (not strict and (element.everyone or element.every_aws))


def _named_user(element: Principals, caller: Principal) -> Named:
    if element.everyone or element.every_aws or caller.arn in element.aws or caller.unique_id in element.aws:
        return Named.DIRECT
    return _by_account(element, caller)


def _named_session(element: Principals, caller: Principal) -> Named:
    if element.everyone or element.every_aws or caller.arn in element.aws:
        return Named.DIRECT
    if caller.entity_arn in element.aws or caller.unique_id in element.aws:
        return Named.ENTITY
    return _by_account(element, caller)


def _by_account(element: Principals, caller: Principal) -> Named:
    return Named.ACCOUNT if _names_account(element, caller) else _by_canonical_id(element, caller)


def _by_canonical_id(element: Principals, caller: Principal) -> Named:
    return Named.ACCOUNT if caller.canonical_id in element.canonical else Named.NOT


def _names_account(element: Principals, caller: Principal) -> bool:
    if not element.accounts:
        return False
    if caller.account in element.accounts:
        return True
    return f"arn:{caller.partition}:iam::{caller.account}:root" in element.accounts


def _hits(element: Principals, caller: Principal, *, deny: bool, has_boundary: bool) -> bool:
    """Whether a NotPrincipal statement applies to `caller`.

    AWS: it checks the account, then the role or user, then the session, and says that all must be listed. It leaves
    open what a shorter list does: a Deny then applies here. With a permissions boundary a Deny always applies
    (access_policies_boundaries).
    """
    if deny and has_boundary:
        return True
    listed = list(_chain(element, caller))
    return not all(listed) if deny else not any(listed)


def _chain(element: Principals, caller: Principal) -> Iterator[bool]:
    """For each name in the caller's chain, from account to session: is it listed?"""
    match caller.kind:
        case PrincipalKind.ANONYMOUS:
            yield element.everyone or element.every_aws
        case PrincipalKind.SERVICE:
            yield _names_service(element, caller)
        case PrincipalKind.FEDERATED:
            yield element.everyone or caller.provider in element.federated
        case _:
            everyone = element.everyone or element.every_aws
            yield everyone or _names_account(element, caller) or caller.canonical_id in element.canonical
            if caller.kind is not PrincipalKind.ROOT:
                yield everyone or caller.unique_id in element.aws or (caller.entity_arn or caller.arn) in element.aws
            if caller.kind in {PrincipalKind.ROLE_SESSION, PrincipalKind.FEDERATED_USER}:
                yield everyone or caller.arn in element.aws
