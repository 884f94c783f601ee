"""Checks of Resource and NotResource: whole ARNs, and ARNs that some resource type can have.

AWS: IAM User Guide, "Resource" (reference_policies_elements_resource) and "Amazon Resource Names" (reference-arns).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from iamd.policy.lint import arns
from iamd.policy.lint.arns import FIELDS, Arn, Format
from iamd.policy.lint.finding import Note, note
from iamd.policy.lint.subject import AttachedTo, Document, DocumentType, Text
from iamd.policy.request import lower
from iamd.policy.values import PARTITIONS
from iamd.policy.wildcard import has_wildcard

NAMES: Final[Mapping[AttachedTo, str]] = {
    AttachedTo.BUCKET: "S3 Bucket",
    AttachedTo.ACCESS_POINT: "S3 Access Point",
    AttachedTo.MULTI_REGION_ACCESS_POINT: "S3 Multi-Region Access Point",
    AttachedTo.OBJECT_LAMBDA_ACCESS_POINT: "S3 Object Lambda Access Point",
    AttachedTo.ROLE_TRUST: "IAM Role Trust Policy",
    AttachedTo.TABLE: "DynamoDB Table",
}
"""What messages call the resources; the first is a recorded answer's word, the others are made like it."""

OWN_ACCOUNTS: Final = frozenset({"aws", "amazon"})
"""What stands for the account in ARNs of what AWS itself owns: `arn:aws:iam::aws:policy/...`."""

SHORT: Final = "execute-api:/"
"""API Gateway takes ARNs without their beginning in an API's policy (API Gateway, apigateway-resource-policies)."""

_ATTACHED: Final[Mapping[AttachedTo, str]] = {
    AttachedTo.BUCKET: "arn:*:s3:::*",
    AttachedTo.ACCESS_POINT: "arn:*:s3:*:*:accesspoint/*",
    AttachedTo.MULTI_REGION_ACCESS_POINT: "arn:*:s3::*:accesspoint/*",
    AttachedTo.OBJECT_LAMBDA_ACCESS_POINT: "arn:*:s3-object-lambda:*:*:accesspoint/*",
    AttachedTo.TABLE: "arn:*:dynamodb:*:*:table/*",
}
_ACCOUNT: Final = re.compile(r"[0-9]{12}")
_OF_AWS: Final = re.compile(r"(?:^|[/:])(?:aws|amazon)", re.IGNORECASE | re.ASCII)
"""What belongs to AWS and no account, by its name: Systems Manager's documents and parameters (recorded answers)."""


def check(document: Document) -> Iterator[Note]:
    """What is wrong with each resource of each statement."""
    for statement in document.statements:
        for text in (*statement.resources, *statement.not_resources):
            yield from _of_text(document, text)
        for text in statement.resources:
            yield from _attached(document, text)


def _of_text(document: Document, text: Text) -> Iterator[Note]:
    is_short = document.type is DocumentType.RESOURCE and text.value.startswith(SHORT)
    if text.value == "*" or is_short:
        return
    arn = arns.parse(text.value, substitute=document.substitutes)
    if arn.fields[0] != "arn":
        yield note("INVALID_ARN_PREFIX", text.place)
    elif not arn.is_whole:
        yield note("MISSING_ARN_FIELD", text.place, fields=FIELDS)
    else:
        yield from _of_arn(document, text, arn)


def _of_arn(document: Document, text: Text, arn: Arn) -> Iterator[Note]:
    partitions = [name for name in PARTITIONS if arns.matches(arn.partition, name)]
    if not partitions:
        listed = ", ".join(PARTITIONS)
        yield note("INVALID_PARTITION", text.place, service=arn.service, partition=arn.partition, partitions=listed)
    service = arn.service
    if has_wildcard(service):
        yield note("WILDCARD_IN_SERVICE_NAME", text.place)
    elif service != lower(service) and document.reference.knows_arn_service(lower(service)):
        yield note("INVALID_ARN_SERVICE_CASE", text.place, service=service)
    elif not document.reference.knows_arn_service(service):
        yield note("INVALID_SERVICE", text.place, service=service)
    else:
        yield from _of_service(document, text, arn, partitions)


def _of_service(document: Document, text: Text, arn: Arn, partitions: Sequence[str]) -> Iterator[Note]:
    formats = document.reference.formats(arn.service)
    document.work.compare(arn.resource, formats)
    fitting = [form for form in formats if arns.may_meet(form.resource, arn.resource)]
    if not arn.resource or (formats and not fitting and not has_wildcard(":".join(arn.fields))):
        # AWS finds nothing wrong with patterns that fit no resource type (recorded answers).
        yield note("INVALID_ARN_RESOURCE", text.place)
    yield from _region(document, text, arn, fitting, partitions)
    yield from _account(text, arn, fitting)


def _region(
    document: Document, text: Text, arn: Arn, fitting: Sequence[Format], partitions: Sequence[str]
) -> Iterator[Note]:
    region = arn.region
    if fitting and all(not form.region for form in fitting):
        if not arns.matches(region, ""):
            yield note("ARN_REGION_NOT_ALLOWED", text.place, service=arn.service)
    elif fitting and not region and all(form.region for form in fitting):
        yield note("MISSING_ARN_REGION", text.place, service=arn.service)
    elif region and not _is_region(document, region, partitions, fitting):
        yield note("INVALID_ARN_REGION", text.place, region=region)


def _is_region(document: Document, region: str, partitions: Sequence[str], fitting: Sequence[Format]) -> bool:
    if not partitions or arns.matches(region, ""):
        return True
    named = any(document.reference.has_region(region, partition, document.work) for partition in partitions)
    return named or any(form.region != "*" and arns.may_meet(form.region, region) for form in fitting)


def _account(text: Text, arn: Arn, fitting: Sequence[Format]) -> Iterator[Note]:
    account = arn.account
    if account in OWN_ACCOUNTS:
        return
    if fitting and all(not form.account for form in fitting):
        if not arns.matches(account, ""):
            yield note("ARN_ACCOUNT_NOT_ALLOWED", text.place, service=arn.service)
    elif fitting and not account and all(form.account for form in fitting) and not _OF_AWS.search(arn.resource):
        yield note("MISSING_ARN_ACCOUNT", text.place, resourceName=arn.resource)
    elif account and not has_wildcard(account) and not _ACCOUNT.fullmatch(account):
        yield note("INVALID_ARN_ACCOUNT", text.place, account=account)


def _attached(document: Document, text: Text) -> Iterator[Note]:
    """Resources that are not the one whose policy this is; AWS's finding takes in `*` (a recorded answer)."""
    attached_to = document.attached_to
    if attached_to is None or attached_to not in _ATTACHED:
        return
    wanted = _ATTACHED[attached_to].split(":", FIELDS - 1)
    found = arns.parse(text.value, substitute=document.substitutes).fields
    fits = len(found) == FIELDS and all(map(arns.may_meet, wanted, found))
    if not fits:
        yield note("UNSUPPORTED_RESOURCE_ARN_IN_POLICY", text.place, resourceType=NAMES[attached_to])
