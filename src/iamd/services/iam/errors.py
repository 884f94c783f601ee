"""IAM's own errors, by the codes of the IAM API Reference; the model gives their HTTP statuses."""

from iamd.errors import AWSError


class NoSuchEntity(AWSError):
    """The request names an entity that does not exist."""

    code = "NoSuchEntity"


class EntityAlreadyExists(AWSError):
    """The request would create an entity that exists."""

    code = "EntityAlreadyExists"


class EntityTemporarilyUnmodifiable(AWSError):
    """The entity cannot be changed now, and can be later."""

    code = "EntityTemporarilyUnmodifiable"


class DeleteConflict(AWSError):
    """Something depends on the entity that the request would delete."""

    code = "DeleteConflict"


class LimitExceeded(AWSError):
    """The request would go beyond a quota."""

    code = "LimitExceeded"


class MalformedPolicyDocument(AWSError):
    """A policy document says something that IAM does not take."""

    code = "MalformedPolicyDocument"


class InvalidInput(AWSError):
    """A parameter is well formed and still wrong."""

    code = "InvalidInput"


class InvalidUserType(AWSError):
    """The operation is not for this kind of user, as ChangePassword for root."""

    code = "InvalidUserType"


class PasswordPolicyViolation(AWSError):
    """A password does not follow the account's password policy."""

    code = "PasswordPolicyViolation"


class PolicyNotAttachable(AWSError):
    """Only a service-linked role can have this AWS managed policy."""

    code = "PolicyNotAttachable"


class UnmodifiableEntity(AWSError):
    """Only the service that owns the entity can change it."""

    code = "UnmodifiableEntity"


class InvalidAuthenticationCode(AWSError):
    """A code is not what the MFA device shows."""

    code = "InvalidAuthenticationCode"


class OpenIdIdpCommunicationError(AWSError):
    """An OIDC provider could not be asked for its certificate."""

    code = "OpenIdIdpCommunicationError"


class FeatureEnabled(AWSError):
    """The feature is enabled already."""

    code = "FeatureEnabled"


class FeatureDisabled(AWSError):
    """The feature is not enabled."""

    code = "FeatureDisabled"


class InvalidPublicKey(AWSError):
    """A public key is readable and may not be used."""

    code = "InvalidPublicKey"


class UnrecognizedPublicKeyEncoding(AWSError):
    """What was given as a public key cannot be read as one."""

    code = "UnrecognizedPublicKeyEncoding"


class DuplicateSSHPublicKey(AWSError):
    """The user has this SSH public key already."""

    code = "DuplicateSSHPublicKey"


class MalformedCertificate(AWSError):
    """A certificate, its private key or its chain cannot be read, or is not valid now."""

    code = "MalformedCertificate"


class KeyPairMismatch(AWSError):
    """A private key is not that of the certificate."""

    code = "KeyPairMismatch"


class DuplicateCertificate(AWSError):
    """Another user of the account has this signing certificate."""

    code = "DuplicateCertificate"


class NameConflict(AWSError):
    """A role that a template makes would have the name of another one."""

    code = "NameConflict"


class RoleModified(AWSError):
    """A role that a template made is no longer as the template made it."""

    code = "RoleModified"


class RoleTemplateDisabled(AWSError):
    """No roles are made from the template, or from this version of it."""

    code = "RoleTemplateDisabled"


class ReportNotPresent(AWSError):
    """No credential report was made yet."""

    code = "ReportNotPresent"


class ReportGenerationLimitExceeded(AWSError):
    """Another report of the organization is being made."""

    code = "ReportGenerationLimitExceeded"


class ReportExpired(AWSError):
    """The newest credential report is older than four hours."""

    code = "ReportExpired"


class OrganizationNotFound(AWSError):
    """The caller's account is in no organization."""

    code = "OrganizationNotFoundException"


class OrganizationNotInAllFeaturesMode(AWSError):
    """The caller's organization has billing features alone."""

    code = "OrganizationNotInAllFeaturesModeException"


class ServiceAccessNotEnabled(AWSError):
    """IAM has no access to the caller's organization."""

    code = "ServiceAccessNotEnabledException"


class AccountNotManagementOrDelegatedAdministrator(AWSError):
    """The caller's account does not administer IAM for its organization."""

    code = "AccountNotManagementOrDelegatedAdministratorException"


class CallerIsNotManagementAccount(AWSError):
    """The caller's account administers IAM for its organization, and does not manage it."""

    code = "CallerIsNotManagementAccountException"


class ValidationError(AWSError):
    """What the model cannot express about parameters does not hold; common to all operations."""

    code = "ValidationError"


class AccessDenied(AWSError):
    """IAM itself refuses the request, whatever the policies say."""

    code = "AccessDenied"
    status = 403
