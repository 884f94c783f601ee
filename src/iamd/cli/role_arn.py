"""Options that name a role."""

import click

from iamd import arn


def role_arn(_context: click.Context, _option: click.Parameter, value: str | None) -> str | None:
    """Refuse what is not the ARN of an IAM role; a name alone says of no account."""
    named = arn.parse(value) if value is not None else None
    if value is not None and (named is None or named.service != "iam" or not named.resource.startswith("role/")):
        raise click.BadParameter(f"`{value}` is not a role's ARN, such as arn:aws:iam::123456789012:role/name")
    return value
