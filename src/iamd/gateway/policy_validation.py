"""ValidateResourcePolicy of Secrets Manager, before the embedded backend: iamd says what is wrong with a policy.

AWS: Secrets Manager API Reference, ValidateResourcePolicy: the policy does not allow broad access, its syntax is
correct, and it does not lock out its caller. How the checks are called, and their words, are iamd's.
"""

from typing import Final

from iamd.auth.identity import Identity
from iamd.authz.authorize import Caller, caller_of
from iamd.authz.policies import EVERYTHING
from iamd.authz.public_policies import is_public
from iamd.errors import AWSError, Common
from iamd.gateway import policy_principals
from iamd.gateway.actions.asked import Asked
from iamd.gateway.actions.by_rule import account_of
from iamd.gateway.answer import Answer
from iamd.gateway.asking import NotToldError, ask
from iamd.gateway.backend import Backend
from iamd.gateway.effect import checked
from iamd.gateway.logins import BackendUnavailable
from iamd.gateway.own_answers import written
from iamd.gateway.policy_errors import MalformedPolicyDocument
from iamd.gateway.resources import Facts
from iamd.policy.document import PolicyType, load
from iamd.policy.evaluate import Layers, decide
from iamd.policy.request import Request
from iamd.policy.trust import InvalidPrincipal
from iamd.wire.models import Operation

_BROAD: Final = {
    "CheckName": "BROAD_ACCESS",
    "ErrorMessage": "The resource policy gives access to the secret to more than fixed principals.",
}
_LOCKOUT: Final = {
    "CheckName": "LOCKOUT",
    "ErrorMessage": "The resource policy would keep its caller from changing it again.",
}


class NoSuchSecret(AWSError):
    """A secret that is not there."""

    code = "ResourceNotFoundException"
    status = 400


def may_be_answered(operation: Operation) -> bool:
    """Whether an operation only asks what is wrong with a policy."""
    return (operation.service, operation.name) == ("secretsmanager", "ValidateResourcePolicy")


async def answer(asked: Asked, arn: str, identity: Identity, facts: Facts, backend: Backend, now: float) -> Answer:
    """What is wrong with the policy; MalformedPolicyDocumentException when it is none, or names nobody."""
    text = str(asked.parameters["ResourcePolicy"])
    await _check_there(asked, arn, backend, now)
    try:
        policy_principals.stored(checked(text, MalformedPolicyDocument), asked, facts.view)
    except InvalidPrincipal as problem:
        raise policy_principals.refused(problem.member, problem.value, asked) from None
    found = [_BROAD] if is_public(text) else []
    if _locks_out(text, asked, arn, caller_of(identity, facts.view, int(now))):
        found.append(_LOCKOUT)
    return written(asked.operation, {"PolicyValidationPassed": not found, "ValidationErrors": found})


async def _check_there(asked: Asked, arn: str, backend: Backend, now: float) -> None:
    secret = asked.parameters.get("SecretId")
    if secret is None:
        return
    owner, region = account_of(arn) or asked.account, asked.region
    try:
        there = await ask(
            backend, "secretsmanager", "DescribeSecret", {"SecretId": secret}, account=owner, region=region, now=now
        )
    except NotToldError as error:
        words = "The backend does not tell whether the secret is there."
        raise BackendUnavailable(Common.UNAVAILABLE, words) from error
    if there is None:
        raise NoSuchSecret("Secrets Manager can't find the specified secret.")


def _locks_out(text: str, asked: Asked, arn: str, caller: Caller) -> bool:
    """Whether the policy would keep its caller from changing it, whatever else the caller may do."""
    request = Request(caller.principal, "secretsmanager:PutResourcePolicy", arn, asked.account, caller.context)
    everything = (load(EVERYTHING, PolicyType.IDENTITY),)
    return not decide(request, Layers(identity=everything, resource=(load(text, PolicyType.RESOURCE),))).allowed
