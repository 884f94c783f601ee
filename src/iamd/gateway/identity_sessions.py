"""The sessions that an identity pool gives its users: AssumeRoleWithWebIdentity by Cognito, decided and recorded.

AWS: Cognito Developer Guide, "Identity pools authentication flow" (authentication-flow), enhanced flow, and "IAM roles"
(iam-roles).
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from msgspec.structs import replace

from iamd import arn as arns
from iamd import ids, pipeline
from iamd.auth.cognito_tokens import NAME as COGNITO
from iamd.auth.identity import federated
from iamd.errors import AWSError
from iamd.federation.proof import Federation
from iamd.gateway.identity_pools import Identity
from iamd.gateway.identity_roles import UNFIT, InvalidIdentityPoolConfiguration
from iamd.gateway.user_pool_tokens import Login
from iamd.http import HttpRequest
from iamd.pipeline import Progress, Work
from iamd.runtime import Runtime
from iamd.services import registry
from iamd.services.sts.web_identity import USER_TYPE
from iamd.wire import models
from iamd.wire.route import Route

_SESSION: Final = "CognitoIdentityCredentials"
_SECONDS: Final = 3600
# AWS: iam-roles, "Services that unauthenticated enhanced flow users can access", by the services' action prefixes; the
# table after it has those of which there are but some actions.
_GUESTS_SERVICES: Final = (
    "appsync", "cloudwatch", "codewhisperer", "cognito-identity", "cognito-idp", "cognito-sync", "comprehend",
    "dynamodb", "execute-api", "firehose", "gamelift", "geo", "iot", "kinesis", "kinesisanalytics", "lambda", "lex",
    "logs", "machinelearning", "mobileanalytics", "mobiletargeting", "personalize", "polly", "rekognition", "s3",
    "sdb", "ses", "sns", "sqs", "transcribe", "translate",
)  # fmt: skip
_GUESTS_ACTIONS: Final = (
    "kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey", "kms:ReEncrypt*", "sagemaker:InvokeEndpoint", "sumerian:View*",
    "textract:AnalyzeDocument", "textract:DetectDocumentText",
)  # fmt: skip
_GUESTS_POLICY: Final = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": [*(f"{prefix}:*" for prefix in _GUESTS_SERVICES), *_GUESTS_ACTIONS],
                "Resource": "*",
            }
        ],
    },
    separators=(",", ":"),
)
_GUESTS_MANAGED: Final = "arn:aws:iam::aws:policy/AmazonCognitoUnAuthedIdentitiesSessionPolicy"


async def assumed(runtime: Runtime, identity: Identity, login: Login | None, role_arn: str) -> Mapping[str, Any]:
    """The credentials of the role's session; refused where its trust policy does not let the identity in."""
    role = arns.parse(role_arn)
    if role is None:
        raise InvalidIdentityPoolConfiguration(UNFIT)
    operation = models.service("sts").operation("AssumeRoleWithWebIdentity")
    proof = _proof(identity, login)
    caller = replace(federated(proof, role.account, f"{COGNITO}:{identity.pool.id}:{identity.id}"), invoked_by=COGNITO)
    parameters = {
        "RoleArn": role_arn,
        "RoleSessionName": _SESSION,
        "WebIdentityToken": "",
        "DurationSeconds": _SECONDS,
        # SECURITY: guests get no more than Cognito lets them have, whatever their role may do.
        **({} if login is not None else {"Policy": _GUESTS_POLICY, "PolicyArns": [{"arn": _GUESTS_MANAGED}]}),
    }
    request = HttpRequest(ids.request_id(), "POST", b"/", b"", [], b"", "", counts_as_secure=True)
    progress = Progress(request, None, Route(operation), caller, parameters, region=identity.pool.home.region)
    registered = registry.find("sts", operation.name)
    try:
        work = Work(runtime, progress, operation, registered, caller, pipeline.arguments(parameters))
        told = await work.write() or {}
    except AWSError as error:
        pipeline.refused(runtime, progress, error)
        raise InvalidIdentityPoolConfiguration(UNFIT) from error
    credentials: Mapping[str, Any] = told["Credentials"]
    return credentials


def _proof(identity: Identity, login: Login | None) -> Federation:
    """What Cognito vouches for, as its tokens say it (role-trust-and-permissions: `aud`, `sub` and `amr`)."""
    keys: dict[str, str | tuple[str, ...]] = {
        f"{COGNITO}:aud": identity.pool.id,
        f"{COGNITO}:sub": identity.id,
        f"{COGNITO}:amr": methods(login),
    }
    return Federation(
        user_type=USER_TYPE,
        provider=COGNITO,
        record=None,
        identity_provider=COGNITO,
        name=identity.id,
        session_name=_SESSION,
        context=keys,
        session_context=keys,
        answer={"SubjectFromWebIdentityToken": identity.id, "Provider": COGNITO, "Audience": identity.pool.id},
        federated_provider=COGNITO,
    )


def methods(login: Login | None) -> tuple[str, ...]:
    """How a user has proven who they are (role-trust-and-permissions: `amr`)."""
    if login is None:
        return ("unauthenticated",)
    return ("authenticated", login.provider, f"{login.provider}:CognitoSignIn:{login.user}")
