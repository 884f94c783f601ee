"""What can't be shown of an operation, and why: no request brings it about here."""

from collections.abc import Mapping
from typing import Final

_BY_THE_MODEL: Final = "the model's own constraints refuse such a value first, with the validation error"
_NO_QUOTA: Final = "the code stands for too many requests here: there is no quota that the operation could exceed"
_NO_CASE: Final = "the model lists the code, and no input that the operation's page describes leads to it here"
_BY_POLICY: Final = "the code is that of a denial by policies alone, which the table of denials shows"
_BY_PREFIX: Final = "the model's pattern refuses a wrong PathPrefix first, and the entity is named, not given as an ARN"

_NO_ARN: Final = "AWS's recorded answer to a policy that is named by no ARN is ValidationError"
_NO_SUCH_SERVICE: Final = "AWS's recorded answer to a service that has no such credentials is NoSuchEntity"

EXEMPT: Final[Mapping[str, Mapping[str, str]]] = {
    "accessanalyzer:ValidatePolicy": {
        "effect of validatePolicyResourceType": "it changes what the answer finds; nothing is kept to be read back",
        "error AccessDeniedException": "the code of a denial, which is shown as such",
    },
    "cloudformation:CreateChangeSet": {
        "error LimitExceededException": "stacks have no quota of change sets here",
    },
    "cloudformation:CreateStack": {"error LimitExceededException": "the quota is 2,000 stacks, too many for a test"},
    "cloudformation:DeleteChangeSet": {
        "error InvalidChangeSetStatus": "a change set is made within the request, so none is ever in progress",
    },
    "cloudformation:ExecuteChangeSet": {
        "error InsufficientCapabilitiesException": "what a change set needs is acknowledged when it is made",
    },
    "cloudformation:GetTemplateSummary": {"error StackSetNotFoundException": "stack sets are refused"},
    "cloudtrail:LookupEvents": {
        "error InvalidEventCategoryException": _BY_THE_MODEL,
        "error InvalidMaxResultsException": _BY_THE_MODEL,
        "error OperationNotPermittedException": _NO_CASE,
        "error UnsupportedOperationException": _NO_CASE,
    },
    "iam:AcquireRole": {
        "error EntityAlreadyExists": "a name that is taken is NameConflict, the code for just that",
    },
    "iam:AddRoleToInstanceProfile": {
        "error EntityAlreadyExists": "a profile holds one role, so a second one, the same too, is LimitExceeded",
    },
    "iam:AttachGroupPolicy": {"error InvalidInput": _NO_ARN},
    "iam:AttachRolePolicy": {"error InvalidInput": _NO_ARN},
    "iam:CreateAccountAlias": {"error LimitExceeded": _NO_QUOTA},
    "iam:CreateLoginProfile": {"error LimitExceeded": _NO_QUOTA},
    "iam:CreateServiceLinkedRole": {
        "error NoSuchEntity": "a service without such a role is AccessDenied, as on AWS; nothing else is named",
    },
    "iam:DeleteServerCertificate": {
        "error DeleteConflict": "no service is asked which certificates it uses (docs/divergences.md)",
    },
    "iam:GetAccountProperties": {"error InvalidInput": "it has no parameter"},
    "iam:GetCredentialReport": {"error ReportInProgress": "a report is made within the request that starts it"},
    "iam:GetMFADevice": {
        "effect of SerialNumber": "it answers for security keys, which pages register (tests/web/)",
    },
    "iam:GetServiceLastAccessedDetails": {"error InvalidInput": "a job's id is refused by the model, or is of no job"},
    "iam:GetSSHPublicKey": {"error UnrecognizedPublicKeyEncoding": _BY_THE_MODEL},
    "iam:GetRoleTemplateVersion": {"error InvalidInput": "an ARN of any form that is no template's is NoSuchEntity"},
    "iam:ListAccountAliases": {"effect of Marker": "an account has one alias, so no page follows the first"},
    "iam:ListAttachedGroupPolicies": {"error InvalidInput": _BY_PREFIX},
    "iam:ListAttachedRolePolicies": {"error InvalidInput": _BY_PREFIX},
    "iam:ListAttachedUserPolicies": {"error InvalidInput": _BY_PREFIX},
    "iam:ListDelegationRequests": {
        "error InvalidInput": "an OwnerId of any form that owns nothing is an empty list",
        "error NoSuchEntity": "an OwnerId that nobody has, or had, is an empty list",
    },
    "iam:ListMFADeviceTags": {"error InvalidInput": "a serial number of any form that no device has is NoSuchEntity"},
    "iam:SimulateCustomPolicy": {"error PolicyEvaluation": _NO_CASE},
    "iam:SimulatePrincipalPolicy": {"error PolicyEvaluation": _NO_CASE},
    "iam:UntagInstanceProfile": {"error InvalidInput": "a key that is not there, of any form, is passed over"},
    "iam:UntagMFADevice": {"error InvalidInput": "a key that is not there, of any form, is passed over"},
    "iam:UpdateAccountPasswordPolicy": {
        "error MalformedPolicyDocument": "the policy is given in members, each checked by the model, not as a document",
        "error NoSuchEntity": "an account is always there",
    },
    "iam:UpdateRoleDescription": {
        "error UnmodifiableEntity": "only roles of IAM Identity Center keep theirs, and nothing makes those yet",
    },
    "iamd:GetMetadataEndpoint": {
        "effect of InstanceId": "an instance needs a backend; tests/metadata/test_imds.py shows it",
    },
    "iamd:GetWorkloadCredentials": {
        "denial": "its action is iam:PassRole, whose denial test_workloads.py shows",
    },
    "iamd:ListUserCodes": {
        "effect of Username": "users are Cognito's, which is another service: test_user_codes.py makes and deletes one",
    },
    "organizations:CloseAccount": {"error ConflictException": _NO_CASE},
    "organizations:CreateOrganization": {
        "error AccessDeniedException": _BY_POLICY,
        "error ConstraintViolationException": "its reasons are billing's and contact information's, which are not here",
    },
    "organizations:DeleteOrganization": {
        "error ConstraintViolationException": "its reason is a transfer of billing, which is not here",
        "error InvalidInputException": "it has no parameter",
    },
    "organizations:DescribeOrganization": {"error AccessDeniedException": _BY_POLICY},
    "organizations:DisablePolicyType": {"error ConstraintViolationException": _NO_CASE},
    "organizations:EnableAllFeatures": {
        "error ConstraintViolationException": "its reasons are billing's and contact information's, which are not here",
        "error InvalidInputException": "it has no parameter",
    },
    "organizations:InviteAccountToOrganization": {
        "error AccountOwnerNotVerifiedException": "no mail is sent, so no address is verified",
    },
    "organizations:ListHandshakesForAccount": {"error AccessDeniedException": _BY_POLICY},
    "organizations:LeaveOrganization": {
        "error AccountNotFoundException": "the caller's account is always there",
        "error InvalidInputException": "it has no parameter",
    },
    "organizations:ListAWSServiceAccessForOrganization": {"error ConstraintViolationException": _NO_CASE},
    "organizations:ListDelegatedServicesForAccount": {"error ConstraintViolationException": _NO_CASE},
    "organizations:UntagResource": {"error ConstraintViolationException": _NO_CASE},
    "iam:CreateServiceSpecificCredential": {"error NotSupportedService": _NO_SUCH_SERVICE},
    "iam:ListServiceSpecificCredentials": {"error NotSupportedService": _NO_SUCH_SERVICE},
    "iam:UploadSigningCertificate": {
        "error EntityAlreadyExists": "what the user has is answered again; what another has is a duplicate",
        "error InvalidCertificate": "what is not valid is MalformedCertificate, and weak keys pass, as on AWS",
    },
    "sts:AssumeRole": {
        "error ExpiredTokenException": "the code is for an assertion in ProvidedContexts, which is refused",
        "error RegionDisabledException": "every region is enabled",
    },
    "sts:AssumeRoot": {
        "error ExpiredTokenException": "the code is for a web identity token, which no parameter holds",
        "error RegionDisabledException": "every region is enabled",
    },
    "sts:AssumeRoleWithSAML": {"error RegionDisabledException": "every region is enabled"},
    "sts:AssumeRoleWithWebIdentity": {"error RegionDisabledException": "every region is enabled"},
    "sts:GetCallerIdentity": {
        "denial": "no policy can refuse it (STS API Reference, GetCallerIdentity)",
    },
    "sts:GetDelegatedAccessToken": {
        "error PackedPolicyTooLarge": "a policy of 2,048 characters, the longest of a request, packs into the room",
        "error RegionDisabledException": "every region is enabled",
    },
    "sts:GetFederationToken": {"error RegionDisabledException": "every region is enabled"},
    "sts:GetSessionToken": {
        "denial": "no policy can refuse it (IAM User Guide, Permissions for GetSessionToken)",
        "error RegionDisabledException": "every region is enabled",
    },
}
"""By operation, what of `evidence.missing` is not asked for, with the reason."""

_UNWATCHED: Final = "no alarm is watched for stacks"
_UNTOLD: Final = "no topic is told of a stack's events"
_NO_VALIDATION: Final = "there is no validation beforehand that could be left out"
_STACK_PARAMETERS: Final = {
    "RollbackConfiguration": _UNWATCHED,
    "NotificationARNs": _UNTOLD,
    "DisableValidation": _NO_VALIDATION,
}

REFUSED_PARAMETERS: Final[Mapping[str, Mapping[str, str]]] = {
    "cloudformation:ContinueUpdateRollback": {"ForceRollback": "a rollback goes on, or leaves what is named"},
    "cloudformation:CreateChangeSet": {
        **_STACK_PARAMETERS,
        "ResourcesToImport": "resources that are there already are not taken into stacks",
        "DeploymentMode": "its only value reverts drift, which is not detected",
    },
    "cloudformation:CreateStack": _STACK_PARAMETERS,
    "cloudformation:GetTemplateSummary": {
        "StackSetName": "there are no stack sets here",
        "CallAs": "there are no stack sets here",
    },
    "cloudformation:UpdateStack": _STACK_PARAMETERS,
    "sts:AssumeRoleWithWebIdentity": {
        "ProviderId": "it stands for access tokens that only Amazon and Facebook themselves can verify",
    },
    "sts:AssumeRole": {"ProvidedContexts": "no context provider is here that could have signed one"},
}
"""Parameters that are refused whatever they hold (docs/divergences.md); a test shows the refusal."""
