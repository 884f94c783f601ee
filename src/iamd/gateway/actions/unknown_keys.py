"""Condition keys that AWS knows of a request and the gateway does not: tags of resources, and what services know alone.

A statement that rests on one allows nothing and denies, for nobody can tell what it says. The keys of an action are
those of the Service Authorization Reference, less those that are known here and those that no request through iamd has.
"""

import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Final

from iamd.authz.partly_known import NONE, Unknowns
from iamd.data import service_reference
from iamd.gateway.actions import table as tables
from iamd.policy.request import lower

_KNOWN: Final = ("iam:passedtoservice", "s3:resourceaccount")
_OF_REQUEST: Final = ("aws:requesttag/", "aws:tagkeys")
"""Known but where a launch template may say more."""
# Only requests through an access point, by a function's URL or of an identity pool's users have the keys of these, and
# such a one is given them.
# iamd serves no access grants or S3 on Local Zones, and clients speak to it without TLS or through a proxy that ends
# TLS, so that AWS too would find these keys missing.
_ABSENT: Final = (
    "cognito-identity-auth:", "cognito-identity-unauth:", "kms:viaservice",
    "lambda:eventsourcetoken", "lambda:invokedviafunctionurl", "s3-object-lambda:", "s3:accessgrantsinstancearn",
    "s3:accesspointnetworkorigin", "s3:dataaccesspointaccount", "s3:dataaccesspointarn",
    "s3:tlsversion", "s3express:accesspointtag/", "s3express:allaccessrestrictedtolocalzonegroup",
    "s3express:permissions", "s3express:tlsversion",
)  # fmt: skip
# AWS: "S3 evaluates this condition key only after you enable ABAC on your bucket" (S3 User Guide, "Using tags with S3
# general purpose buckets").
_OF_TAGS: Final = ("aws:resourcetag/", "s3:buckettag/")
_OF_POINT: Final = ("s3:accesspointtag/",)
# What only a service's call on somebody's behalf has (KMS Developer Guide, "kms:ViaService") is absent above. These are
# known of keys that iamd has seen made or described; the reference leaves out the last ones, the guide has them.
_OF_KEY: Final = ("kms:keyorigin", "kms:keyspec", "kms:keyusage", "kms:multiregion", "kms:multiregionkeytype")
_UNLISTED: Final = {
    "kms:GetKeyPolicy": ("kms:policyname",),
    "kms:PutKeyPolicy": ("kms:policyname",),
    # AWS: they are there when an authorizer is made or changed, and at imports (Service Authorization Reference,
    # "Condition keys for Amazon API Gateway Management V2"); the list of actions has them nowhere.
    **dict.fromkeys(
        ("apigateway:DELETE", "apigateway:PATCH", "apigateway:POST", "apigateway:PUT"),
        ("apigateway:request/authorizeruri", "apigateway:resource/authorizeruri"),
    ),
}
# What is known of a grant that is asked for, and not of one that a service makes for its caller.
_OF_GRANT: Final = frozenset(
    {"kms:grantconstrainttype", "kms:granteeprincipal", "kms:grantoperations", "kms:retiringprincipal"}
)
# The encryption context has the id of what is made (KMS Developer Guide, services-ebs and services-rds), which nobody
# knows before it is.
_OF_NEW: Final = {
    "ec2": frozenset({"kms:encryptioncontext:aws:ebs:id", "kms:encryptioncontextkeys"}),
    "efs": frozenset({"kms:encryptioncontext:aws:elasticfilesystem:filesystem:id", "kms:encryptioncontextkeys"}),
    "firehose": frozenset({"kms:encryptioncontext:aws:firehose:arn", "kms:encryptioncontextkeys"}),
    "rds": frozenset(
        {
            "kms:encryptioncontext:aws:ebs:id",
            "kms:encryptioncontext:aws:rds:db-id",
            "kms:encryptioncontext:aws:rds:dbc-id",
            "kms:encryptioncontext:secretarn",
            "kms:encryptioncontext:secretversionid",
            "kms:encryptioncontextkeys",
        }
    ),
}
# Known of a request that makes the resource or sets the value, and of the resource itself nothing tells them.
_OF_STATE: Final = {
    "acm:ExportCertificate": ("acm:domainnames",),
    "acm:RevokeCertificate": ("acm:domainnames",),
    "acm:UpdateCertificateOptions": ("acm:validationmethod",),
    "codecommit:CreateUnreferencedMergeCommit": ("codecommit:references",),
    "codecommit:GetMergeCommit": ("codecommit:references",),
    **dict.fromkeys(
        (
            "s3:DeleteAccessPoint",
            "s3:DeleteAccessPointPolicy",
            "s3:GetAccessPoint",
            "s3:GetAccessPointPolicy",
            "s3:GetAccessPointPolicyStatus",
            "s3:PutAccessPointPolicy",
        ),
        ("s3:accesspointnetworkorigin",),
    ),
}
_OF_RESOURCE: Final = ("resourcetag/", "existingobjecttag/", "buckettag/")
_PLACEHOLDER: Final = re.compile(r"\$\{.*|<.*|(?<=tag/)tag-key\Z", re.DOTALL)


def of(
    service: str,
    action: str,
    *,
    creates: bool,
    unseen: bool = False,
    tagged: bool = True,
    through: bool = False,
    templated: bool = False,
) -> Unknowns:
    """The keys that are not known when an operation of a service asks for an action.

    `creates` says that it makes the resource, which has no tags yet; `unseen`, that iamd knows nothing of a KMS key;
    `tagged`, that the resource's tags are condition keys, which those of a bucket without ABAC are not; `through`, that
    the request is made through an access point; `templated`, that a launch template may bring tags of its own.
    """
    return _of_action(service, action, creates, unseen, tagged, through, templated)


@cache
def of_use(service: str, action: str) -> frozenset[str]:
    """The keys that are not known of what a service asks of KMS for its caller, where they are not told."""
    of_same = frozenset({"kms:reencryptonsamekey"} if action.startswith("kms:ReEncrypt") else ())
    return _OF_NEW.get(service, frozenset()) | of_same | (_OF_GRANT if action == "kms:CreateGrant" else frozenset())


@cache
def _of_action(
    service: str, action: str, creates: bool, unseen: bool, tagged: bool, through: bool, templated: bool
) -> Unknowns:
    prefix, _, name = action.partition(":")
    reference = service_reference.service(prefix)
    entry = reference.action(name) if reference is not None else None
    if reference is None or entry is None:
        return NONE
    types = [reference.resource_type(resource.name) for resource in entry.resources]
    named = entry.every_condition_key.union(*(found.condition_keys for found in types if found is not None))
    keys = {_without_placeholder(lower(key)) for key in (*named, *_UNLISTED.get(action, ()))}
    known = [
        *_KNOWN,
        *_ABSENT,
        *(() if templated else _OF_REQUEST),
        *(() if tagged else _OF_TAGS),
        *(() if through or service != "s3" else _OF_POINT),
        *_mapped(service),
    ]
    known = [key for key in known if key not in _OF_STATE.get(action, ())]
    if unseen:
        known = [key for key in known if key not in _OF_KEY]
    found = [key for key in keys if not _is_among(key, known) and not (creates and key.endswith(_OF_RESOURCE))]
    return Unknowns.of(found) if found else NONE


def _without_placeholder(key: str) -> str:
    """`aws:resourcetag/` of `aws:resourcetag/${tagkey}`, however the reference writes what is filled in."""
    return _PLACEHOLDER.sub("", key)


def _is_among(key: str, known: Iterable[str]) -> bool:
    return any(key == one or (one.endswith(("/", ":")) and key.startswith(one)) for one in known)


def _mapped(service: str) -> Iterator[str]:
    found = tables.table(service)
    return map(lower, found.keys.keys() - found.partly_known if found is not None else ())
