"""What a request does to the facts of resources: makes one, ends one, sets or clears its policy."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from iamd import arn as arns
from iamd.errors import AWSError
from iamd.gateway import (
    bucket_abac,
    bucket_ownership,
    bucket_policies,
    bucket_tags,
    endpoint_effects,
    events_effects,
    identity_pools,
    kms_effects,
    kms_keys,
    log_policies,
    named_policies,
    point_effects,
    policy_principals,
    public_access,
    repository_policies,
    resource_policies,
    statement_policies,
    user_pools,
)
from iamd.gateway.actions import bedrock
from iamd.gateway.actions.asked import Asked
from iamd.gateway.actions.forms import InvalidParameter as InvalidParameterException
from iamd.gateway.actions.glue_catalog import InvalidInput
from iamd.gateway.effect import Effect, Kind, Of, checked, clear, end, make, put_policy
from iamd.gateway.key_uses import defaults as key_defaults
from iamd.gateway.key_uses import ebs_effects, former
from iamd.gateway.key_uses.named import keyed, nothing, of_attribute, of_attributes, of_stream
from iamd.gateway.policy_errors import (
    InvalidArgument,
    InvalidAttributeValue,
    InvalidParameter,
    InvalidParameterValue,
    InvalidPolicy,
    MalformedPolicyDocument,
)
from iamd.gateway.policy_errors import (
    InvalidParameterValueException as InvalidFunctionParameter,
)
from iamd.gateway.resources import Facts
from iamd.gateway.statement_policies import document
from iamd.policy.trust import InvalidPrincipal
from iamd.wire.models import Operation
from iamd.wire.validate import validate as validate_parameters


class ResourceConflict(AWSError):
    """A statement id that Lambda's policy has already (Lambda API Reference, AddPermission)."""

    code = "ResourceConflictException"
    status = 409


class PolicyLengthExceededException(AWSError):
    """A function's policy that has grown too large (Lambda API Reference, AddPermission)."""

    code = "PolicyLengthExceededException"
    status = 400


class MissingRequestBody(AWSError):
    """A request that says nothing where it must (S3 API Reference, "Error responses")."""

    code = "MissingRequestBodyError"
    status = 400


_ECR_POLICY: Final = 10_240
# S3 User Guide, "Bucket policies", and DynamoDB's and Secrets Manager's quotas: 20 KB. SQS Developer Guide, "Amazon SQS
# policy quotas"; SNS, "Amazon SNS endpoints and quotas"; Lambda Developer Guide, "Lambda quotas".
_LARGEST: Final[Mapping[str, tuple[int, type[AWSError]]]] = {
    **{row.service: (20_480, row.refusal) for row in resource_policies.TABLE.policy},
    **{row.service: (row.largest * 4, row.refusal) for row in named_policies.ROWS},
    **dict.fromkeys(statement_policies.SERVICES, (20_480, statement_policies.ValidationException)),
    # Entity Resolution API Reference, PutPolicy: policy.
    "entityresolution": (40_960, statement_policies.ValidationException),
    "sqs": (8_192, InvalidAttributeValue),
    "sns": (30_720, InvalidParameter),
    "lambda": (20_480, PolicyLengthExceededException),
    "kinesis": (20_480, InvalidArgument),
    # ECR API Reference, SetRepositoryPolicy: 10,240, before the repository stands in each statement.
    "ecr": (_ECR_POLICY * 8, InvalidParameterException),
    "bedrock": (20_480, bedrock.ValidationError),
    # Glue Developer Guide, "Resource-based policies within AWS Glue": 10 KB.
    "glue": (10_240, InvalidInput),
    "ec2": (endpoint_effects.LARGEST_POLICY * 4, endpoint_effects.InvalidPolicyDocument),
    "events": (events_effects.LARGEST_POLICY, events_effects.PolicyLengthExceeded),
    "kms": (kms_keys.LARGEST_POLICY, kms_keys.LimitExceeded),
    "logs": (log_policies.LARGEST_POLICY, log_policies.InvalidLogPolicy),
}


# What is left of a policy may name who is gone; AddPermission to it is refused, as Lambda's is on AWS.
_LEAVING: Final = frozenset({"RemoveLayerVersionPermission", "RemovePermission", *statement_policies.REMOVES})


def may_change(operation: Operation) -> bool:
    """Whether requests for an operation may change what is known of resources."""
    return (operation.service, operation.name) in _EFFECTS or (operation.service, operation.name) in former.CHANGING


def of(asked: Asked, arn: str, facts: Facts) -> list[Effect]:
    """What the request will do to the facts of its first target; nothing for nearly all."""
    found = _EFFECTS.get((asked.operation.service, asked.operation.name))
    effect = _effect(found, asked, arn, facts) if found is not None else None
    more = former.effects(asked, arn, facts)
    if effect is None:
        return more
    if effect.policy is not None:
        check_size(asked.operation.service, effect.policy)
        if asked.operation.name not in _LEAVING:
            effect = replace(effect, policy=policy_principals.stored(effect.policy, asked, facts.view))
    return [effect, *more]


def _effect(found: Of, asked: Asked, arn: str, facts: Facts) -> Effect | None:
    try:
        return found(asked, arn, facts)
    except InvalidPrincipal as problem:
        raise policy_principals.refused(problem.member, problem.value, asked) from None
    except KeyError as missing:
        if asked.operation.service == "s3":
            raise MissingRequestBody("Request Body is empty") from missing
        # The operation's own words for a required member that is missing.
        validate_parameters(asked.operation, asked.parameters)
        raise


def check_size(service: str, policy: str) -> None:
    """Raise the answer of a service that keeps no resource policy as large as this one."""
    largest, error = _LARGEST.get(service, (20_480, InvalidPolicy))
    if len(policy.encode()) > largest:
        raise error(f"The policy is larger than {largest} bytes.")


def _make_with_attributes(error: type[AWSError]) -> Of:
    def make(asked: Asked, arn: str, _: Facts) -> Effect:
        text = (asked.parameters.get("Attributes") or {}).get("Policy")
        return Effect(Kind.MAKE, arn, checked(text, error), has_policy=True) if text else Effect(Kind.MAKE, arn)

    return make


def _repository_policy(asked: Asked, arn: str, _: Facts) -> Effect:
    text = str(asked.parameters["policyText"])
    if len(text) > _ECR_POLICY:
        raise InvalidParameterException(f"The policy is larger than {_ECR_POLICY} characters.")
    return Effect(Kind.SET_POLICY, arn, repository_policies.checked(text, arn), has_policy=True)


def _make_table(asked: Asked, arn: str, _: Facts) -> Effect:
    policy = asked.parameters.get("ResourcePolicy")
    if not policy:
        return Effect(Kind.MAKE, arn)
    return Effect(Kind.MAKE, arn, checked(policy, InvalidPolicy), has_policy=True)


def _end_with_parts(_: Asked, arn: str, __: Facts) -> Effect:
    return Effect(Kind.END, arn, within=f"{arn}/")


def _end_function(_: Asked, arn: str, __: Facts) -> Effect:
    return Effect(Kind.END, arn, within=f"{arn}:")


def _end_alias(asked: Asked, arn: str, _: Facts) -> Effect:
    return Effect(Kind.END, f"{arn}:{asked.parameters['Name']}")


def _set_attributes(asked: Asked, arn: str, _: Facts) -> Effect | None:
    attributes = asked.parameters.get("Attributes") or {}
    if "Policy" not in attributes:
        return None
    return _policy_or_none(attributes["Policy"], arn, InvalidAttributeValue)


def _set_attribute(asked: Asked, arn: str, _: Facts) -> Effect | None:
    if asked.parameters.get("AttributeName") != "Policy":
        return None
    return _policy_or_none(asked.parameters.get("AttributeValue") or "", arn, InvalidParameter)


def _policy_or_none(text: str, arn: str, error: type[AWSError]) -> Effect:
    policy = checked(text, error) if text else None
    return Effect(Kind.SET_POLICY, arn, policy, has_policy=True)


def _add_permission(prefix: str, accounts: str, actions: str) -> Of:
    """SQS's and SNS's AddPermission: a statement named by the label (SQS API Reference, AddPermission)."""

    def add(asked: Asked, arn: str, facts: Facts) -> Effect:
        given = asked.parameters
        for account in given[accounts]:
            policy_principals.check_account(account, asked, facts.view)
        names = [_action(prefix, name) for name in given[actions]]
        principals = [arns.root(account) for account in given[accounts]]
        statement = {
            "Sid": given["Label"],
            "Effect": "Allow",
            "Principal": {"AWS": principals},
            "Action": names,
            "Resource": arn,
        }
        return _with_statement(statement, arn, facts)

    return add


def _action(prefix: str, name: str) -> str:
    return f"{prefix}:{name}"


def _lambda_permission(asked: Asked, arn: str, facts: Facts) -> Effect:
    """Lambda's AddPermission (Lambda API Reference, AddPermission)."""
    given = asked.parameters
    principal = given["Principal"]
    like = {"AWS:SourceArn": given.get("SourceArn")}
    equals = {
        "AWS:SourceAccount": given.get("SourceAccount"),
        "aws:PrincipalOrgID": given.get("PrincipalOrgID"),
        "lambda:FunctionUrlAuthType": given.get("FunctionUrlAuthType"),
        "lambda:EventSourceToken": given.get("EventSourceToken"),
    }
    conditions = {
        "ArnLike": {key: value for key, value in like.items() if value},
        "StringEquals": {key: value for key, value in equals.items() if value},
        "Bool": {"lambda:InvokedViaFunctionUrl": "true"} if given.get("InvokedViaFunctionUrl") else {},
    }
    statement: dict[str, Any] = {
        "Sid": given["StatementId"],
        "Effect": "Allow",
        "Principal": _lambda_principal(principal),
        "Action": given["Action"],
        "Resource": arn,
    }
    used = {operator: entries for operator, entries in conditions.items() if entries}
    return _with_statement(statement | ({"Condition": used} if used else {}), arn, facts)


def _layer_permission(asked: Asked, arn: str, facts: Facts) -> Effect:
    """Lambda's AddLayerVersionPermission (Lambda API Reference, AddLayerVersionPermission)."""
    given = asked.parameters
    statement: dict[str, Any] = {
        "Sid": given["StatementId"],
        "Effect": "Allow",
        "Principal": _lambda_principal(given["Principal"]),
        "Action": given["Action"],
        "Resource": arn,
    }
    organization = given.get("OrganizationId")
    within = {"Condition": {"StringEquals": {"aws:PrincipalOrgID": organization}}} if organization else {}
    return _with_statement(statement | within, arn, facts)


def _lambda_principal(principal: str) -> Any:
    if principal == "*":
        return "*"
    if "." in principal and not principal.startswith("arn:"):
        return {"Service": principal}
    return {"AWS": arns.root(principal) if principal.isascii() and principal.isdigit() else principal}


def _with_statement(statement: Mapping[str, Any], arn: str, facts: Facts) -> Effect:
    whole, sid = document(arn, facts), statement["Sid"]
    if any(known.get("Sid") == sid for known in whole["Statement"]):
        if ":lambda:" in arn:
            raise ResourceConflict(
                f"The statement id ({sid}) provided already exists. Please provide a new statement id, or remove the "
                "existing statement."
            )
        if ":sns:" in arn:
            raise InvalidParameter("Invalid parameter: Statement already exists")
        raise InvalidParameterValue(f"Value {sid} for parameter Label is invalid. Reason: Already exists.")
    text = json.dumps({**whole, "Statement": [*whole["Statement"], statement]})
    refusal = InvalidFunctionParameter if ":lambda:" in arn else InvalidParameterValue
    return Effect(Kind.SET_POLICY, arn, checked(text, refusal), has_policy=True)


def _remove_permission(member: str) -> Of:
    def remove(asked: Asked, arn: str, facts: Facts) -> Effect | None:
        whole = document(arn, facts)
        label = asked.parameters[member]
        kept = [known for known in whole["Statement"] if known.get("Sid") != label]
        if len(kept) == len(whole["Statement"]):
            # The service has its own words for a statement that is not there.
            return None
        policy = json.dumps({**whole, "Statement": kept}) if kept else None
        return Effect(Kind.SET_POLICY, arn, policy, has_policy=True)

    return remove


_EFFECTS: Final[Mapping[tuple[str, str], Of]] = {
    **events_effects.EFFECTS,
    **endpoint_effects.EFFECTS,
    **identity_pools.EFFECTS,
    **kms_effects.EFFECTS,
    **bucket_abac.EFFECTS,
    **bucket_ownership.EFFECTS,
    **log_policies.EFFECTS,
    **named_policies.EFFECTS,
    **point_effects.EFFECTS,
    **public_access.EFFECTS,
    **key_defaults.EFFECTS,
    **ebs_effects.EFFECTS,
    **resource_policies.EFFECTS,
    **statement_policies.EFFECTS,
    **user_pools.EFFECTS,
    ("s3", "CreateBucket"): bucket_tags.make,
    ("s3", "PutBucketPolicy"): bucket_policies.put,
    ("s3", "DeleteBucketPolicy"): clear,
    ("sqs", "CreateQueue"): keyed(_make_with_attributes(InvalidAttributeValue), of_attributes),
    ("sqs", "DeleteQueue"): end,
    ("sqs", "SetQueueAttributes"): keyed(_set_attributes, of_attributes),
    ("sqs", "AddPermission"): _add_permission("sqs", "AWSAccountIds", "Actions"),
    ("sqs", "RemovePermission"): _remove_permission("Label"),
    ("sns", "CreateTopic"): keyed(_make_with_attributes(InvalidParameter), of_attributes),
    ("sns", "DeleteTopic"): end,
    ("sns", "SetTopicAttributes"): keyed(_set_attribute, of_attribute),
    ("sns", "AddPermission"): _add_permission("sns", "AWSAccountId", "ActionName"),
    ("sns", "RemovePermission"): _remove_permission("Label"),
    ("dynamodb", "CreateTable"): _make_table,
    ("dynamodb", "DeleteTable"): _end_with_parts,
    ("dynamodb", "PutResourcePolicy"): put_policy("Policy", InvalidPolicy),
    ("dynamodb", "DeleteResourcePolicy"): clear,
    ("kinesis", "CreateStream"): make,
    ("kinesis", "DeleteStream"): _end_with_parts,
    ("kinesis", "DeregisterStreamConsumer"): end,
    ("kinesis", "StartStreamEncryption"): keyed(nothing, of_stream),
    ("kinesis", "StopStreamEncryption"): keyed(nothing, of_stream),
    ("kinesis", "PutResourcePolicy"): put_policy("Policy", InvalidArgument),
    ("kinesis", "DeleteResourcePolicy"): clear,
    ("lambda", "CreateFunction"): make,
    ("lambda", "DeleteFunction"): _end_function,
    ("lambda", "DeleteAlias"): _end_alias,
    ("lambda", "AddLayerVersionPermission"): _layer_permission,
    ("lambda", "RemoveLayerVersionPermission"): _remove_permission("StatementId"),
    ("lambda", "DeleteLayerVersion"): end,
    ("lambda", "PutResourcePolicy"): put_policy("Policy", InvalidFunctionParameter),
    ("lambda", "DeleteResourcePolicy"): clear,
    ("lambda", "AddPermission"): _lambda_permission,
    ("lambda", "RemovePermission"): _remove_permission("StatementId"),
    ("ecr", "CreateRepository"): make,
    ("ecr", "DeleteRepository"): end,
    ("ecr", "SetRepositoryPolicy"): _repository_policy,
    ("ecr", "DeleteRepositoryPolicy"): clear,
    ("bedrock", "PutResourcePolicy"): put_policy("resourcePolicy", bedrock.ValidationError),
    ("bedrock", "DeleteResourcePolicy"): clear,
    ("glue", "PutResourcePolicy"): put_policy("PolicyInJson", InvalidInput),
    ("glue", "DeleteResourcePolicy"): clear,
    ("secretsmanager", "PutResourcePolicy"): put_policy("ResourcePolicy", MalformedPolicyDocument),
    ("secretsmanager", "DeleteResourcePolicy"): clear,
}
