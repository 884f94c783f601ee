"""The keys that Lambda uses for its callers: those of functions' environment variables, code and filters.

AWS: Lambda Developer Guide, "Securing Lambda environment variables" (configuration-envvars-encryption): who gives a
function a key needs kms:CreateGrant and kms:Encrypt, who looks at its variables kms:Decrypt, and without a key of one's
own it is `aws/lambda`; "Encrypting Lambda .zip deployment packages" (encrypt-zip-package): Lambda itself generates and
decrypts data keys; "Control which events Lambda sends to your function" (invocation-eventfiltering,
filter-criteria-encryption): kms:DescribeKey and kms:GenerateDataKey for who encrypts filters.
"""

from typing import Any, Final

from iamd.auth.identity import Service
from iamd.gateway.actions import lambda_
from iamd.gateway.actions.by_rule import account_of
from iamd.gateway.actions.kms import InvalidArn
from iamd.gateway.key_uses import code_objects, refusals
from iamd.gateway.key_uses.log_groups import is_decided_by_backend
from iamd.gateway.key_uses.use import CREATE_GRANT, DECRYPT, DESCRIBE, ENCRYPT, GENERATE, Use, Work

FUNCTION: Final = "aws:lambda:FunctionArn"
"""What the encryption context of all that belongs to a function has."""
SERVICE: Final = "lambda.amazonaws.com"
_SOURCE: Final = "aws:lambda:EventSourceArn"
_LAYER: Final = "PublishLayerVersion"
_MAPPINGS: Final = frozenset({"CreateEventSourceMapping", "UpdateEventSourceMapping"})


async def before(work: Work) -> list[Use]:
    """What Lambda asks of KMS before it answers, and S3 of what Lambda reads for its caller."""
    if work.name in _MAPPINGS:
        return _of_filters(work)
    code = await code_objects.before(work)
    return code if work.name == _LAYER else [*code, *await _of_function(work)]


async def _of_function(work: Work) -> list[Use]:
    given = work.given
    arn = _arn(work)
    if work.name == "UpdateFunctionCode":
        return _of_code(given.get("SourceKMSKeyArn"), arn, work)
    if work.name == "UpdateFunctionConfiguration":
        return await _of_change(arn, work)
    key, variables = given.get("KMSKeyArn") or None, _variables(given)
    code = _of_code((given.get("Code") or {}).get("SourceKMSKeyArn"), arn, work)
    return [*(_configured(key, arn, work) if key or variables else []), *code]


async def _of_change(arn: str, work: Work) -> list[Use]:
    given = work.given
    names_key, has_variables = given.get("KMSKeyArn") is not None, given.get("Environment") is not None
    if not names_key and not has_variables:
        return []
    known = await work.told("GetFunctionConfiguration", {"FunctionName": arn.rpartition(":")[2]})
    if known is None:
        # There is no such function.
        return []
    present: str | None = known.get("KMSKeyArn") or None
    key = (given["KMSKeyArn"] or None) if names_key else present
    variables = _variables(given if has_variables else known)
    found = _configured(key, arn, work) if key or variables else []
    if key != present and variables and not has_variables:
        # SECURITY: what is there is encrypted anew, and nobody gets at it by a key of their own.
        return [_use(DECRYPT, present, arn, work), *found]
    return found


def _variables(told: Any) -> Any:
    return (told.get("Environment") or {}).get("Variables")


def _configured(key: str | None, arn: str, work: Work) -> list[Use]:
    """The key that a function's configuration is encrypted by from now on."""
    found = [_use(action, key, arn, work) for action in (CREATE_GRANT, ENCRYPT)]
    if key is not None and ":alias/" in key:
        # AWS: KMS makes no grants on aliases (KMS API Reference, CreateGrant: KeyId).
        raise refusals.of(InvalidArn("Key Aliases are not supported for this operation."), found[0], work.asked)
    return found


def shown(key: str | None, arn: str, work: Work) -> Use:
    """What is asked for who looks at the variables of a function, or of a version of it."""
    return _use(DECRYPT, key, ":".join(arn.split(":")[:7]), work)


def _of_code(key: str | None, arn: str, work: Work) -> list[Use]:
    """The key of a package: it is Lambda that its policy must let in."""
    if not key or is_decided_by_backend(key, work):
        return []
    itself = Service(SERVICE, account_of(arn) or work.owner, arn)
    return [_use(action, key, arn, work, itself=itself) for action in (GENERATE, DECRYPT)]


def _of_filters(work: Work) -> list[Use]:
    key = work.given.get("KMSKeyArn")
    if not key:
        return []
    context = {FUNCTION: _arn(work)} if work.given.get("FunctionName") else {}
    if work.given.get("EventSourceArn"):
        context[_SOURCE] = work.given["EventSourceArn"]
    account, region = work.owner, work.asked.region
    return [
        Use(action=action, key=key, account=account, region=region, context=context) for action in (DESCRIBE, GENERATE)
    ]


def _arn(work: Work) -> str:
    """The function, without a version."""
    return lambda_.function_arn(work.given["FunctionName"], None, work.asked)[0]


def _use(action: str, key: str | None, arn: str, work: Work, *, itself: Service | None = None) -> Use:
    account = account_of(arn) or work.asked.account
    return Use(
        action=action, key=key, account=account, region=work.asked.region, context={FUNCTION: arn}, itself=itself
    )
