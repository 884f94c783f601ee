"""Every operation of the services that are exact, through boto3 before a backend that counts.

Allowed: decided on an action and a resource of the reference, recorded, forwarded. Denied: the service's own error, and
not one byte reaches the backend.
"""

import json
import struct
import zlib
from dataclasses import replace

import pytest
from gateway import parameters, reference
from gateway.counting import answer
from gateway.row_requests import TOLD, questions

from iamd.gateway.actions.table import table

SERVICES = (
    "acm", "apigateway", "apigatewayv2", "athena", "autoscaling", "batch", "bedrock", "cloudwatch", "codecommit",
    "cognito-identity", "cognito-idp", "dynamodb", "dynamodbstreams", "ec2", "ecr", "ecs", "elbv2", "events", "firehose",
    "glue", "keyspaces", "kinesis", "kms", "lambda", "logs", "rds", "route53", "s3", "s3control",
    "s3vectors", "scheduler", "secretsmanager", "sns",    "sqs", "ssm", "stepfunctions",
)  # fmt: skip
# Requests of these names are those of the newer ones on the wire.
SUPERSEDED = {
    "GetBucketLifecycle": "GetBucketLifecycleConfiguration",
    "GetBucketNotification": "GetBucketNotificationConfiguration",
    "PutBucketLifecycle": "PutBucketLifecycleConfiguration",
    "PutBucketNotification": "PutBucketNotificationConfiguration",
}


def event(kind: str) -> bytes:
    """One event of a stream (Amazon Transcribe Developer Guide, "Event stream encoding")."""
    pairs = {":event-type": kind, ":message-type": "event", ":content-type": "application/x-amz-json-1.1"}
    headers = b"".join(
        bytes([len(name)]) + name.encode() + b"\x07" + struct.pack(">H", len(value)) + value.encode()
        for name, value in pairs.items()
    )
    prelude = struct.pack(">II", 16 + len(headers) + 2, len(headers))
    told = prelude + struct.pack(">I", zlib.crc32(prelude)) + headers + b"{}"
    return told + struct.pack(">I", zlib.crc32(told))


# CloudTrail's names of the services (the services' own guides, "Logging ... API calls using AWS CloudTrail").
SOURCES = {service: f"{service}.amazonaws.com" for service in SERVICES} | {
    "dynamodbstreams": "dynamodb.amazonaws.com",
    "cloudwatch": "monitoring.amazonaws.com",
    "stepfunctions": "states.amazonaws.com",
    "elbv2": "elasticloadbalancing.amazonaws.com",
    "apigatewayv2": "apigateway.amazonaws.com",
    "keyspaces": "cassandra.amazonaws.com",
    "s3control": "s3.amazonaws.com",
}
# What the backend has to say for botocore to take the answer.
ANSWERS = {
    **{
        ("s3", name): b"<ListBucketResult><Name>bucket</Name></ListBucketResult>"
        for name in (
            "DeleteBucketOwnershipControls",
            "DeletePublicAccessBlock",
            "GetBucketAbac",
            "GetBucketAcl",
            "GetBucketOwnershipControls",
            "GetPublicAccessBlock",
            "PutBucketAbac",
            "PutBucketAcl",
            "PutBucketOwnershipControls",
            "PutPublicAccessBlock",
        )
    },
    ("s3", "GetBucketLocation"): b"<LocationConstraint/>",
    ("kinesis", "SubscribeToShard"): event("initial-response"),
    ("codecommit", "PostCommentForComparedCommit"): b'{"repositoryName":"rep","comment":{"commentId":"c0"}}',
    ("logs", "StartLiveTail"): event("initial-response"),
}
# What iamd has to have seen before it knows what an operation touches.
BEFORE = {
    # What streams were encrypted by before, as others of these requests have it, is none of this stream's.
    ("kinesis", "SubscribeToShard"): "DeleteStream",
    **{
        ("codecommit", name): "PostCommentForComparedCommit"
        for name in (
            "DeleteCommentContent",
            "GetComment",
            "GetCommentReactions",
            "PostCommentReply",
            "PutCommentReaction",
            "UpdateComment",
        )
    },
    ("kms", "DeleteAlias"): "CreateAlias",
    ("kms", "UpdateAlias"): "CreateAlias",
    ("s3", "GetBucketOwnershipControls"): "PutBucketOwnershipControls",
    ("s3", "GetPublicAccessBlock"): "PutPublicAccessBlock",
    ("s3control", "GetPublicAccessBlock"): "PutPublicAccessBlock",
}
# The denials of their entries are told in an answer (test_multi_delete.py, test_refused_entries.py).
EACH_BY_ITSELF = {"BatchExecuteStatement", "DeleteObjects"}
# What iamd answers by itself, and no backend is asked about.
OWN = {("s3control", f"{verb}PublicAccessBlock") for verb in ("Delete", "Get", "Put")}
# Status, code, and how the error is told: S3 API Reference, "Error responses"; SQS Developer Guide, "Making requests";
# "Common errors" of DynamoDB, Secrets Manager and CloudWatch Logs; Lambda API Reference, "Common errors".
DENIED = {
    "cloudwatch": (400, "AccessDenied", "application/x-amz-json-1.0"),
    "apigateway": (403, "AccessDeniedException", "application/json"),
    "apigatewayv2": (403, "AccessDeniedException", "application/json"),
    "cognito-identity": (400, "AccessDeniedException", "application/x-amz-json-1.1"),
    "cognito-idp": (400, "AccessDeniedException", "application/x-amz-json-1.1"),
    "autoscaling": (403, "AccessDenied", "text/xml"),
    "ec2": (403, "UnauthorizedOperation", "text/xml;charset=UTF-8"),
    "rds": (403, "AccessDenied", "text/xml"),
    "ecr": (400, "AccessDeniedException", "application/x-amz-json-1.1"),
    "ecs": (400, "AccessDeniedException", "application/x-amz-json-1.1"),
    "elbv2": (403, "AccessDenied", "text/xml"),
    "dynamodb": (400, "AccessDeniedException", "application/x-amz-json-1.0"),
    "dynamodbstreams": (400, "AccessDeniedException", "application/x-amz-json-1.0"),
    "events": (400, "AccessDeniedException", "application/x-amz-json-1.1"),
    "firehose": (400, "AccessDeniedException", "application/x-amz-json-1.1"),
    "kinesis": (400, "AccessDeniedException", "application/x-amz-json-1.1"),
    "acm": (400, "AccessDeniedException", "application/x-amz-json-1.1"),
    "athena": (400, "AccessDeniedException", "application/x-amz-json-1.1"),
    "batch": (403, "AccessDeniedException", "application/json"),
    "bedrock": (403, "AccessDeniedException", "application/json"),
    "codecommit": (400, "AccessDeniedException", "application/x-amz-json-1.1"),
    "glue": (400, "AccessDeniedException", "application/x-amz-json-1.1"),
    "keyspaces": (403, "AccessDeniedException", "application/x-amz-json-1.0"),
    "kms": (400, "AccessDeniedException", "application/x-amz-json-1.1"),
    "lambda": (403, "AccessDeniedException", "application/json"),
    "logs": (400, "AccessDeniedException", "application/x-amz-json-1.1"),
    "route53": (403, "AccessDenied", "text/xml"),
    "s3": (403, "AccessDenied", "application/xml"),
    "scheduler": (403, "AccessDeniedException", "application/json"),
    "s3control": (403, "AccessDenied", "text/xml"),
    "s3vectors": (403, "AccessDeniedException", "application/json"),
    "secretsmanager": (400, "AccessDeniedException", "application/x-amz-json-1.1"),
    "sns": (403, "AuthorizationError", "text/xml"),
    "sqs": (400, "AccessDenied", "application/x-amz-json-1.0"),
    "ssm": (400, "AccessDeniedException", "application/x-amz-json-1.1"),
    "stepfunctions": (400, "AccessDeniedException", "application/x-amz-json-1.0"),
}


# Decided, and then refused: nobody would decide by the policy that they set (resource_policies.toml).
POLICIES_NOT_KEPT = {
    "apigatewayv2": ["PutPortalProductSharingPolicy"],
    "s3control": ["PutAccessPointPolicyForObjectLambda", "PutMultiRegionAccessPointPolicy"],
}


@pytest.mark.usefixtures("unknown_bucket")
@pytest.mark.parametrize("service", SERVICES)
def test_an_operation_is_decided_as_the_reference_says_and_not_one_byte_of_a_denied_one_is_sent(counted, service):
    refused = {*reference.REFUSED.get(service, ()), *table(service).refused, *POLICIES_NOT_KEPT.get(service, ())}
    names = [name for name in parameters.operations(service) if name not in refused and is_signed(service, name)]
    called = {name: called_by_both(counted, service, name) for name in names}
    wrong = {}
    for name, (allowed, denied) in called.items():
        found = [*wrong_if_allowed(service, name, allowed), *wrong_if_denied(service, name, denied, allowed.asked[0])]
        if found:
            wrong[name] = found
    assert wrong == {}


def is_signed(service, name):
    return parameters.model(service).operation_model(name).auth_type != "none"


@pytest.mark.parametrize("service", ["cognito-identity", "cognito-idp"])
def test_not_a_byte_of_what_users_ask_is_sent_where_their_pool_is_not_known(counted, service):
    unsigned = [name for name in parameters.operations(service) if not is_signed(service, name)]
    assert unsigned
    for name in unsigned:
        told = counted.call(service, name, parameters.whole(service, name))
        assert (told.status, told.sent) == (400, 0)
        # What a device is asked about has no token where the model does not ask for one.
        assert told.code in {"InvalidParameterException", "NotAuthorizedException", "ResourceNotFoundException"}


def called_by_both(counted, service, name):
    """The outcome of one request for the administrator and for a user without a policy."""
    given = parameters.whole(service, name)
    if (service, name) in BEFORE:
        before = BEFORE[service, name]
        counted.backend.answers += said(service, before)
        counted.call(service, before, parameters.whole(service, before))
    told = [answer(json.dumps(TOLD[service][one]).encode()) for one in questions(service, name, given)]
    received = len(counted.backend.raw.heads)
    counted.backend.answers += told
    denied = counted.call(service, name, given, counted.nobody)
    if told:
        # What it asked about ids is all that came.
        denied = replace(denied, sent=len(counted.backend.raw.heads) - received - len(told))
    counted.backend.answers += [*told, *said(service, name)]
    return counted.call(service, name, given), denied


def said(service, name):
    """What the backend answers to an operation that it does not answer like others."""
    return [answer(ANSWERS[service, name])] if (service, name) in ANSWERS else []


def wrong_if_allowed(service, name, allowed):
    if allowed.status not in {200, 201, 202, 204} or bool(allowed.sent) is ((service, name) in OWN):
        yield allowed.status, allowed.message, allowed.sent
    if allowed.event != (SOURCES[service], SUPERSEDED.get(name, name)):
        yield allowed.event
    for decision in allowed.decisions:
        action, resource = decision["Action"], decision["Resource"]
        if decision["Outcome"] != "Allowed":
            yield decision
        if action == "iam:PassRole":
            continue
        if not reference.agrees(service, name, action, resource) or reference.strange_keys(action, decision["Context"]):
            yield decision


def wrong_if_denied(service, name, denied, first):
    if denied.sent or denied.asked != [first]:
        yield denied.sent, denied.asked
    if name in EACH_BY_ITSELF:
        return
    code = "403" if name.startswith("Head") else DENIED[service][1]
    wanted = (DENIED[service][0], code, DENIED[service][2])
    if (denied.status, denied.code, denied.headers["content-type"]) != wanted:
        yield denied.status, denied.code, denied.headers["content-type"]
    message, encoded, _ = denied.message.partition(". Encoded authorization failure message: ")
    if not name.startswith("Head") and message != words(service, *first):
        yield denied.message
    # AWS: EC2 adds a message to be decoded, but not to denials of actions without resources.
    if bool(encoded) != (service == "ec2" and reference.arn_forms(first[0]) != []):
        yield denied.message


def words(service, action, resource):
    """The denial (IAM User Guide, "Troubleshoot access denied error messages").

    S3 quotes the resource, SNS writes its prefix in capitals, SQS the action in small letters.
    """
    action = action.lower() if service == "sqs" else action.replace("sns:", "SNS:")
    quoted = f'"{resource}"' if service == "s3" else resource
    on = f" on resource: {quoted}" if resource != "*" else ""
    begun = "You are not authorized to perform this operation. " if service == "ec2" else ""
    return (
        f"{begun}User: arn:aws:iam::{parameters.ACCOUNT}:user/nobody is not authorized to perform: {action}{on} because no "
        f"identity-based policy allows the {action} action"
    )


@pytest.mark.parametrize("service", [service for service in SERVICES if service in reference.REFUSED])
def test_an_operation_without_an_action_is_refused_to_everybody_with_a_clear_message(counted, service):
    for name in reference.REFUSED[service]:
        if not is_signed(service, name):
            continue
        told = counted.call(service, name, parameters.whole(service, name))
        assert (told.status, told.code, told.headers["content-type"], told.sent) == (*DENIED[service], 0)
        assert told.message == f"iamd knows no IAM action for {service}:{name}, so the request cannot be decided."
