"""From a request to what must be allowed: its targets, by the service's table, or by the general rule."""

from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any, Final

from iamd.authz.target import Target
from iamd.gateway.actions import (
    by_rule,
    cloudformation,
    cloudwatch,
    dynamodb,
    events,
    firehose,
    keys,
    kinesis,
    kms,
    lambda_,
    logs,
    s3,
    scheduler,
    secretsmanager,
    sns,
    sqs,
    ssm,
    ssm_several,
    stepfunctions,
    table,
    tags,
)
from iamd.gateway.actions.asked import Asked, Value, invalid
from iamd.gateway.actions.table import Row, Table
from iamd.wire import validate
from iamd.wire.models import Operation

Values = Callable[[Asked], Mapping[str, Any]]
Computed = Callable[[Asked], list[Target]]

# What a service's templates and keys may name beyond the parameters themselves.
VALUES: Final[Mapping[str, Values]] = {
    "cloudformation": cloudformation.values,
    "cloudwatch": cloudwatch.values,
    "dynamodb": dynamodb.values,
    "dynamodbstreams": dynamodb.values,
    "events": events.values,
    "firehose": firehose.values,
    "kinesis": kinesis.values,
    "kms": kms.values,
    "lambda": lambda_.values,
    "logs": logs.values,
    "s3": s3.values,
    "scheduler": scheduler.values,
    "secretsmanager": secretsmanager.values,
    "sns": sns.values,
    "sqs": sqs.values,
    "ssm": ssm.values,
    "stepfunctions": stepfunctions.values,
}
COMPUTED: Final[Mapping[str, Mapping[str, Computed]]] = {
    "cloudwatch": cloudwatch.COMPUTED,
    "dynamodb": dynamodb.COMPUTED,
    "events": events.COMPUTED,
    "kinesis": kinesis.COMPUTED,
    "kms": kms.COMPUTED,
    "lambda": lambda_.COMPUTED,
    "logs": logs.COMPUTED,
    "s3": s3.COMPUTED,
    "secretsmanager": secretsmanager.COMPUTED,
    "ssm": ssm_several.COMPUTED,
}


def targets(asked: Asked) -> list[Target]:
    """Everything that the request must be allowed on; at least one, else the request is refused."""
    try:
        mapped = _way(asked.operation)(asked)
    except KeyError as missing:
        # The operation's own words for a required member that is missing; else nothing says what is touched.
        validate.validate(asked.operation, asked.parameters)
        raise invalid(f"The request does not name the resource that it is for: {missing.args[0]}") from missing
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
        return by_rule.targets
    if name in found.computed:
        return COMPUTED[found.service][found.computed[name]]
    return partial(_of_rows, found, found.rows[name], VALUES.get(operation.service, _nothing))


def _nothing(_: Asked) -> Mapping[str, Any]:
    return {}


def _check_region(arn: str, asked: Asked) -> None:
    # SECURITY: the backend works in the region of the signature; an ARN of another region would be decided on and not
    # be what is touched.
    parts = arn.split(":", 5)
    if len(parts) == 6 and parts[3] not in {"", "*", asked.region}:
        raise invalid(f"{arn} is not in the region {asked.region}.")


def _of_rows(found: Table, rows: tuple[Row, ...], compute: Values, asked: Asked) -> list[Target]:
    # What is worked out stands above what the client gave under the same name.
    values = {**asked.parameters, **asked.place, **compute(asked)}
    tagged = tags.of(asked.parameters)
    counting = [row for row in rows if row.condition is None or row.condition.holds(values)]
    return [_target(found, row, values, tagged) for row in counting]


def _target(found: Table, row: Row, values: Mapping[str, Any], tagged: Mapping[str, Value]) -> Target:
    context = keys.of(found.service, row.action, values)
    arn = row.template.format_map(values)
    return Target(arn=arn, action=row.action, context={**tagged, **context} if tagged else context)
