"""Whose policies a simulation reads, and who it takes to call: users, groups and roles by their ARNs.

AWS: IAM API Reference, SimulatePrincipalPolicy, PolicySourceArn and CallerArn; the words of the refusals, and the keys
that a caller brings, are seen in AWS's answers.
"""

import re
from dataclasses import dataclass
from typing import Any, Final

from iamd import arn
from iamd.authz import policies
from iamd.authz.context import resource_tags
from iamd.call import Call
from iamd.policy.request import Principal, PrincipalKind
from iamd.services.iam import arns, entities
from iamd.services.iam.context_entries import Keys
from iamd.services.iam.errors import InvalidInput, NoSuchEntity
from iamd.services.registry import Target
from iamd.store.account import Account
from iamd.store.records import Group, Role, User

_ENTITY: Final = re.compile(r"arn:aws:iam::([0-9]{12}):(user|group|role)/(?:.*/)?([^/]+)", re.DOTALL)

_ACCOUNT: Final = re.compile(r"[0-9]{12}")

NOBODY: Final = "STUB_PRINCIPAL_FOR_POLICY_SIMULATOR"
"""What AWS's simulator gives as `aws:userid` when no caller is named."""

Source = User | Group | Role


@dataclass(frozen=True, slots=True)
class Caller:
    """A user, group or role that makes the simulated requests; it need not exist."""

    arn: str
    account: str
    kind: str
    name: str
    unique_id: str | None = None

    @property
    def principal(self) -> Principal:
        """The caller as the policy engine knows it; of a role, a session whose name nobody can give."""
        if self.kind == Role.kind:
            session = arn.assumed_role(self.account, self.name, "")
            return Principal(PrincipalKind.ROLE_SESSION, self.account, session, self.arn, self.unique_id)
        return Principal(PrincipalKind.USER, self.account, self.arn, self.arn, self.unique_id)

    @property
    def keys(self) -> Keys:
        """The condition keys that come with the caller."""
        named: Keys = {"aws:username": self.name} if self.kind == User.kind else {}
        return {
            "aws:principalarn": self.arn,
            "aws:principalaccount": self.account,
            "aws:userid": self.arn,
            **named,
        }


def keys_of_nobody(account_id: str) -> Keys:
    """The condition keys of a simulation in an account without a caller."""
    return {"aws:principalaccount": account_id, "aws:userid": NOBODY}


def nobody(account_id: str, partition: str) -> Principal:
    """Who calls in an account when no caller is named; the ARN only says of which partition."""
    return Principal(PrincipalKind.USER, account_id, f"arn:{partition}:iam::{account_id}:user/{NOBODY}")


def is_none(entity_arn: str) -> bool:
    """Whether this is no ARN of a user, group or role."""
    return _ENTITY.fullmatch(entity_arn) is None


def is_account(text: str) -> bool:
    """Whether the account of an ARN is the number of one, and neither left out nor `aws`."""
    return _ACCOUNT.fullmatch(text) is not None


def caller(caller_arn: str) -> Caller:
    """The caller of an ARN, whoever's it is; InvalidInput for what is no user, group or role."""
    found = _ENTITY.fullmatch(caller_arn)
    if found is None:
        raise InvalidInput("Invalid caller - Caller must be an IAM user, role or group in this context.")
    return Caller(caller_arn, *found.groups())


def caller_from(account: Account, entity: Source) -> Caller:
    """The caller that an entity of the account itself is."""
    return Caller(_arn(account, entity), account.id, entity.kind, policies.name(entity), entity.key)


def source(call: Call, policy_source_arn: str) -> Source:
    """The entity whose policies are simulated; its name alone finds it, whatever path is given."""
    found = _ENTITY.fullmatch(policy_source_arn)
    if found is None:
        raise InvalidInput(f"Invalid ARN provided in the request: {policy_source_arn}")
    if found[1] != call.account.id:
        raise InvalidInput(
            f"Invalid Policy Source Arn: caller's account {call.account.id} does not have access to policies in "
            f"account {found[1]}."
        )
    entity = _entity(call.account, found[2], found[3])
    if entity is None:
        raise NoSuchEntity("Unable to retrieve specified IAM entity.")
    return entity


def simulated(call: Call, *, policy_source_arn: str, **_: Any) -> Target:
    """The `on` of operations that read an entity's policies.

    SECURITY: the resource is the ARN that the entity has, so that no other path gets around a policy for it.
    """
    found = _ENTITY.fullmatch(policy_source_arn)
    entity = _entity(call.account, found[2], found[3]) if found is not None and found[1] == call.account.id else None
    if entity is None:
        return Target(arn=policy_source_arn)
    tags = () if isinstance(entity, Group) else entity.tags
    return Target(arn=_arn(call.account, entity), context=resource_tags(tags, arns.ENTITY_TAGS))


def _entity(account: Account, kind: str, name: str) -> Source | None:
    found = _named(account, kind, name)
    return found if found is not None and policies.name(found) == name else None


def _named(account: Account, kind: str, name: str) -> Source | None:
    match kind:
        case User.kind:
            return entities.user_in(account, name)
        case Group.kind:
            return entities.group_in(account, name)
        case _:
            return entities.role_in(account, name)


def _arn(account: Account, entity: Source) -> str:
    return arn.iam(account.id, entity.kind, entity.path, policies.name(entity))
