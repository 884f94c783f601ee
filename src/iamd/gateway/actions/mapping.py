"""From a request to what must be allowed: its targets, by the service's table, or by the general rule."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final

from iamd.authz.target import Target
from iamd.gateway.actions import (
    acm,
    apigateway,
    athena,
    autoscaling,
    batch,
    bedrock,
    by_rule,
    cloudwatch,
    codecommit,
    cognito,
    dynamodb,
    ec2,
    ec2_launches,
    ecr,
    ecs,
    elbv2,
    events,
    firehose,
    glue,
    keyspaces,
    kinesis,
    kms,
    lambda_,
    logs,
    rds,
    route53,
    s3,
    s3control,
    s3vectors,
    scheduler,
    secretsmanager,
    sns,
    sqs,
    ssm,
    ssm_several,
    stepfunctions,
    table,
    tagging,
    tags,
    untabled,
)
from iamd.gateway.actions.asked import Asked, Question, invalid
from iamd.gateway.actions.rows import Rows, Values
from iamd.wire import validate
from iamd.wire.models import Operation

Computed = Callable[[Asked], list[Target]]

# What a service's templates and keys may name beyond the parameters themselves.
VALUES: Final[Mapping[str, Values]] = {
    "apigateway": apigateway.values,
    "apigatewayv2": apigateway.values,
    "autoscaling": autoscaling.values,
    "cloudwatch": cloudwatch.values,
    "cognito-identity": cognito.values,
    "cognito-idp": cognito.values,
    "acm": acm.values,
    "athena": athena.values,
    "batch": batch.values,
    "bedrock": bedrock.values,
    "codecommit": codecommit.values,
    "dynamodb": dynamodb.values,
    "dynamodbstreams": dynamodb.values,
    "ec2": ec2.values,
    "ecr": ecr.values,
    "ecs": ecs.values,
    "elbv2": elbv2.values,
    "events": events.values,
    "firehose": firehose.values,
    "kinesis": kinesis.values,
    "kms": kms.values,
    "lambda": lambda_.values,
    "logs": logs.values,
    "rds": rds.values,
    "glue": glue.values,
    "keyspaces": keyspaces.values,
    "route53": route53.values,
    "s3": s3.values,
    "scheduler": scheduler.values,
    "s3control": s3control.values,
    "s3vectors": s3vectors.values,
    "secretsmanager": secretsmanager.values,
    "sns": sns.values,
    "sqs": sqs.values,
    "ssm": ssm.values,
    "stepfunctions": stepfunctions.values,
}
COMPUTED: Final[Mapping[str, Mapping[str, Computed]]] = {
    "cloudwatch": cloudwatch.COMPUTED,
    "autoscaling": autoscaling.COMPUTED,
    "athena": athena.COMPUTED,
    "batch": batch.COMPUTED,
    "bedrock": bedrock.COMPUTED,
    "codecommit": codecommit.COMPUTED,
    "dynamodb": dynamodb.COMPUTED,
    "ec2": {**ec2.COMPUTED, **ec2_launches.COMPUTED},
    "ecs": ecs.COMPUTED,
    "events": events.COMPUTED,
    "kinesis": kinesis.COMPUTED,
    "glue": glue.COMPUTED,
    "kms": kms.COMPUTED,
    "lambda": lambda_.COMPUTED,
    "logs": logs.COMPUTED,
    "resourcegroupstaggingapi": tagging.COMPUTED,
    "route53": route53.COMPUTED,
    "s3": s3.COMPUTED,
    "secretsmanager": secretsmanager.COMPUTED,
    "ssm": ssm_several.COMPUTED,
}
# What becomes of all targets of a service's requests: tags of each kind of what is made, and the right to set them.
EXTENDED: Final[Mapping[str, Callable[[Asked, list[Target]], list[Target]]]] = {"ec2": ec2.extended}

# What the backend is to be asked about a request's ids before the mapping can be told; None when nothing is.
QUESTIONS: Final[Mapping[str, Callable[[Asked], Question | None]]] = {
    "athena": athena.question,
    "bedrock": bedrock.question,
    "codecommit": codecommit.question,
    "glue": glue.question,
    "secretsmanager": secretsmanager.question,
}


def targets(asked: Asked) -> list[Target]:
    """Everything that the request must be allowed on; at least one, else the request is refused."""
    try:
        mapped = _way(asked.operation)(asked)
    except tags.TaggedTwice as twice:
        raise tags.worded(twice, asked.operation.service) from twice
    except KeyError as missing:
        # The operation's own words for a required member that is missing; else nothing says what is touched.
        validate.validate(asked.operation, asked.parameters)
        raise invalid(f"The request does not name the resource that it is for: {missing.args[0]}") from missing
    extended = EXTENDED.get(asked.operation.service)
    if extended is not None:
        mapped = extended(asked, mapped)
    if not mapped:
        raise by_rule.Unmapped(f"{asked.operation.service}:{asked.operation.name}")
    for target in mapped:
        if not target.arn.startswith(_WITHOUT_REGION):
            _check_region(target.arn, asked)
    return mapped


_WITHOUT_REGION: Final = "arn:aws:s3:::"


@cache
def _way(operation: Operation) -> Computed:
    """How the targets of an operation's requests are found."""
    found, name = table.table(operation.service), operation.name
    if found is not None and name in found.refused:
        raise by_rule.Unmapped(f"{operation.service}:{name}", found.refused[name])
    if found is None or not found.has(name):
        return untabled.COMPUTED.get((operation.service, name), by_rule.targets)
    if name in found.computed:
        return COMPUTED[found.service][found.computed[name]]
    compute = VALUES.get(operation.service, _nothing)
    return Rows(found, name, compute, extended=found.service in EXTENDED).targets


def _nothing(_: Asked) -> Mapping[str, Any]:
    return {}


def _check_region(arn: str, asked: Asked) -> None:
    # SECURITY: the backend works in the region of the signature; an ARN of another region would be decided on and not
    # be what is touched.
    parts = arn.split(":", 5)
    if len(parts) != 6 or parts[3] in {"", "*", asked.region}:
        return
    if (asked.operation.service, asked.operation.name) not in _FROM_ELSEWHERE:
        raise invalid(f"{arn} is not in the region {asked.region}.")


_FROM_ELSEWHERE: Final = frozenset({("ec2", "CopyImage"), ("ec2", "CopySnapshot")})
"""What copies from the Region that its `SourceRegion` names."""
