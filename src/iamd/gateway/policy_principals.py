"""Whom resource policies name: iamd keeps users and roles by their unique ids, and refuses whom nobody finds.

AWS: IAM User Guide, "Principal" (reference_policies_elements_principal): the ARN of a user or role becomes its unique
id when the policy is saved, a later namesake gains nothing, and a policy that names whom there is not can't be saved.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final

from iamd.data.aws_accounts import LOAD_BALANCER_LOGS
from iamd.errors import AWSError
from iamd.gateway import kms_keys, named_policies, resource_policies, statement_policies
from iamd.gateway.actions.apigateway import InvalidApiPolicy
from iamd.gateway.actions.asked import Asked
from iamd.gateway.actions.forms import InvalidParameter as InvalidParameterException
from iamd.gateway.actions.glue_catalog import InvalidInput
from iamd.gateway.policy_errors import (
    InvalidArgument,
    InvalidAttributeValue,
    InvalidParameter,
    InvalidParameterValue,
    InvalidParameterValueException,
    InvalidPolicy,
)
from iamd.policy import syntax
from iamd.policy.rewriting import Place, places, rewrite_principals
from iamd.policy.syntax import SyntaxProblem
from iamd.services.iam import principal_ids
from iamd.services.iam.principal_ids import ACCOUNT_ID, UNIQUE_ID, View
from iamd.store.records import AccountRecord

NOBODY: Final = {"user": "AIDA" + "0" * 17, "role": "AROA" + "0" * 17}
"""Ids that nobody has or gets: they stand where a policy was kept by ARNs, and the entity is no more."""
_ENTITY: Final = re.compile(r"arn:[^:]*:iam::[^:]*:(user|role)/.*", re.DOTALL)


class MalformedPolicyDocument(AWSError):
    """A policy of KMS or Secrets Manager that names whom there is not."""

    code = "MalformedPolicyDocumentException"
    status = 400


class InvalidPolicyDocument(AWSError):
    """A VPC endpoint's policy that names whom there is not."""

    code = "InvalidPolicyDocument"
    status = 400


class ValidationException(AWSError):
    """A policy of DynamoDB, EventBridge or Bedrock that names whom there is not."""

    code = "ValidationException"
    status = 400


Refusal = Callable[[str, str], AWSError]
"""The error for a member of Principal and a value that is nobody."""


def stored(text: str, asked: Asked, view: View) -> str:
    """A policy as it is kept; the service's own error when it names whom there is not."""

    def kept(member: str, value: str) -> str:
        found = _kept(view, member, value)
        if found is None:
            raise refused(member, value, asked)
        return found

    return rewrite_principals(text, kept)


def check_account(account: str, asked: Asked, view: View) -> None:
    """The service's own error when there is no account of this number."""
    if not ACCOUNT_ID.fullmatch(account) or view.account(account) is None:
        raise refused("AWS", account, asked)


def settled(text: str, view: View) -> str:
    """A policy that is in force already, as it is kept: it lets in nobody in place of those whom there is not."""
    return _rewritten(text, lambda member, value: settled_one(value, view) if member == "AWS" else value)


def settled_one(value: str, view: View) -> str:
    """An `AWS` principal of a policy or grant that is in force already, as it is kept."""
    found = principal_ids.kept(view, value)
    if found is not None:
        return found if UNIQUE_ID.fullmatch(found) else value
    # SECURITY: left as an ARN it would let in whoever is made under that name later.
    return nobody(value) or value


def nobody(value: str) -> str | None:
    """What stands where the ARN of a user or role did that is no more; None for what is no such ARN."""
    named = _ENTITY.fullmatch(value)
    return NOBODY[named[1]] if named is not None else None


def names_entities(text: str) -> bool:
    """Whether a kept policy may name users or roles by their ids."""
    return "AIDA" in text or "AROA" in text


def names_the_gone(kept: str, view: View) -> bool:
    """Whether a kept policy names a user or role that is no more."""
    return any(
        UNIQUE_ID.fullmatch(place.value) and principal_ids.entity_arn(view, place.value) is None
        for place in places(kept)
    )


def told_as_kept(told: str, kept: str, view: View) -> str:
    """A policy as a backend tells it, with those whom iamd keeps by their ids as AWS shows them now.

    Those who live have their ARNs of today, others their ids. Where the two are not one policy it stays as it is told.
    """
    try:
        inside, outside = places(kept), places(told)
        are_like = _sids(kept) == _sids(told) and list(map(_member, inside)) == list(map(_member, outside))
    except SyntaxProblem:
        return told
    if not are_like:
        return told
    own = iter(inside)

    def shown(_: str, value: str) -> str:
        place = next(own)
        return principal_ids.shown(view, place.value) if UNIQUE_ID.fullmatch(place.value) else value

    return rewrite_principals(told, shown)


def _sids(text: str) -> list[object]:
    """The names of the statements: a backend may have them in another order."""
    return [statement.members.get("Sid") for statement in syntax.read(text).statements]


def _member(place: Place) -> str:
    """What kind a principal is of; moto's Lambda tells a user's ARN without its member."""
    return "AWS" if place.member == "*" and place.value != "*" else place.member


def shown(kept: str, view: View) -> str:
    """A kept policy as AWS shows it: with the ARNs of users and roles who live, and the ids of others."""
    return _rewritten(kept, lambda member, value: principal_ids.shown(view, value) if member == "AWS" else value)


def masked(text: str) -> str:
    """A policy without the users and roles that it names, to tell whether two are else the same."""

    def hidden(member: str, value: str) -> str:
        is_entity = UNIQUE_ID.fullmatch(value) or _ENTITY.fullmatch(value)
        return "entity" if member == "AWS" and is_entity else value

    return _rewritten(text, hidden)


def _rewritten(text: str, mapping: Callable[[str, str], str]) -> str:
    try:
        return rewrite_principals(text, mapping)
    except SyntaxProblem:
        return text


def _kept(view: View, member: str, value: str) -> str | None:
    """What is kept for a principal; None for nobody. Services and providers are known by their form alone."""
    match member:
        case "AWS":
            found = principal_ids.kept(view, value)
            if found is None:
                return value if _account_of(value) in LOAD_BALANCER_LOGS else None
            return found if UNIQUE_ID.fullmatch(found) else value
        case "CanonicalUser":
            return value if _has_canonical_id(view, value) else None
        case _:
            return value


def _account_of(value: str) -> str:
    """The number of the account that a principal is; another text for any other."""
    return value.removeprefix("arn:aws:iam::").removesuffix(":root")


def _has_canonical_id(view: View, value: str) -> bool:
    for account_id in view.account_ids():
        account = view.account(account_id)
        record = account.get(AccountRecord, account_id) if account is not None else None
        if record is not None and record.canonical_id == value:
            return True
    return False


def refused(member: str, value: str, asked: Asked) -> AWSError:
    """The service's own error for a principal that is nobody."""
    operation = asked.operation
    refusal = _REFUSALS.get((operation.service, operation.name)) or _REFUSALS_OF[operation.service]
    return refusal(member, value)


def _of_s3(member: str, value: str) -> AWSError:
    return InvalidPolicy("Invalid principal in policy", members={"Detail": f'"{member}" : "{value}"'})


def _of_sqs_account(_: str, value: str) -> AWSError:
    account = value.split(":")[4] if value.startswith("arn:") else value
    return InvalidParameterValue(f"Value [{account}] for parameter PrincipalId is invalid. Reason: Unable to verify.")


def _plain(error: type[AWSError], words: str) -> Refusal:
    return lambda _, __: error(words)


_REFUSALS: Final[Mapping[tuple[str, str], Refusal]] = {
    ("sqs", "AddPermission"): _of_sqs_account,
}
# AWS: the words of S3, SQS, SNS, KMS, Lambda, Secrets Manager and ECR as many have met them; DynamoDB's are those that
# it has for a service which there is not. What the others say is unknown.
_REFUSALS_OF: Final[Mapping[str, Refusal]] = {
    **{row.service: _plain(row.refusal, "Invalid principal in policy") for row in resource_policies.TABLE.policy},
    **{row.service: _plain(row.refusal, "Invalid principal in policy") for row in named_policies.ROWS},
    **dict.fromkeys(
        statement_policies.SERVICES, _plain(statement_policies.ValidationException, "Invalid principal in policy")
    ),
    "apigateway": _plain(InvalidApiPolicy, ""),
    "s3": _of_s3,
    "s3control": _of_s3,
    "sqs": _plain(InvalidAttributeValue, "Invalid value for the parameter Policy."),
    "sns": _plain(InvalidParameter, "Invalid parameter: Policy Error: PrincipalNotFound"),
    "kms": _plain(MalformedPolicyDocument, kms_keys.INVALID_PRINCIPALS),
    "lambda": _plain(
        InvalidParameterValueException,
        "The provided principal was invalid. Please check the principal and try again.",
    ),
    "secretsmanager": _plain(MalformedPolicyDocument, "This resource policy contains an unsupported principal."),
    "ecr": _plain(
        InvalidParameterException,
        "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Principal not found'",
    ),
    "dynamodb": _plain(
        ValidationException,
        "One or more parameter values were invalid: Invalid policy document: Policy contains invalid principal",
    ),
    "ec2": _plain(InvalidPolicyDocument, "Invalid principal in policy"),
    "kinesis": _plain(InvalidArgument, "Invalid principal in policy"),
    "glue": _plain(InvalidInput, "Invalid principal in policy"),
    "events": _plain(ValidationException, "Invalid principal in policy"),
    "logs": _plain(InvalidParameterException, "Invalid principal in policy"),
    "bedrock": _plain(ValidationException, "Invalid principal in policy"),
}
