"""Organizations' errors, by the codes of the Organizations API Reference, and the words that go with each."""

from typing import ClassVar

from iamd.errors import AWSError
from iamd.wire.organizations import InvalidInput

__all__ = ["InvalidInput"]


class OrganizationsError(AWSError):
    """An error whose words are the same whatever the request."""

    words: ClassVar[str] = ""

    def __init__(self) -> None:
        super().__init__(self.words)


class ConstraintViolation(AWSError):
    """A quota or another rule of an organization; `reason` is AWS's name for it."""

    code = "ConstraintViolationException"

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message, members={"Reason": reason})


class AccessDeniedForDependency(AWSError):
    """The caller may not make the service-linked role that an organization needs."""

    code = "AccessDeniedForDependencyException"

    def __init__(self, message: str) -> None:
        super().__init__(message, members={"Reason": "ACCESS_DENIED_DURING_CREATE_SERVICE_LINKED_ROLE"})


class AccessDenied(OrganizationsError):
    """The caller's account is not the one that may ask this, whatever its policies say."""

    code = "AccessDeniedException"
    words = "You don't have permissions to access this resource."


class OrganizationsNotInUse(OrganizationsError):
    """The caller's account is in no organization."""

    code = "AWSOrganizationsNotInUseException"
    words = "Your account is not a member of an organization."


class AlreadyInOrganization(OrganizationsError):
    """The caller's account is in an organization."""

    code = "AlreadyInOrganizationException"
    words = "The AWS account is already a member of an organization."


class OrganizationNotEmpty(OrganizationsError):
    """There are accounts beside the management account."""

    code = "OrganizationNotEmptyException"
    words = "To delete an organization you must first remove all member accounts (except the master)."


class MasterCannotLeaveOrganization(OrganizationsError):
    """The management account can't leave its organization."""

    code = "MasterCannotLeaveOrganizationException"
    words = "You can't remove a management account from an organization."


class HandshakeConstraintViolation(AWSError):
    """A handshake that can't be; `reason` is AWS's name for why."""

    code = "HandshakeConstraintViolationException"

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message, members={"Reason": reason})


class HandshakeNotFound(OrganizationsError):
    """No handshake of this id has anything to do with the caller's account."""

    code = "HandshakeNotFoundException"
    words = "You specified a handshake that doesn't exist."


class HandshakeAlreadyInState(OrganizationsError):
    """The handshake is what the request would make it."""

    code = "HandshakeAlreadyInStateException"
    words = "The handshake is already in the requested state."


class InvalidHandshakeTransition(OrganizationsError):
    """The handshake has ended otherwise."""

    code = "InvalidHandshakeTransitionException"
    words = (
        "You cannot perform this operation on a handshake in its current state, such as attempting to cancel a"
        " handshake that was previously accepted or attempting to accept a handshake that was declined."
    )


class DuplicateHandshake(OrganizationsError):
    """Whom the invitation is for has one already."""

    code = "DuplicateHandshakeException"
    words = "A handshake with the specified type and parameters already exists for the given parties."


class AccountNotFound(OrganizationsError):
    """No account of this number is in the organization."""

    code = "AccountNotFoundException"
    words = "You specified an account that doesn't exist."


class AccountAlreadyClosed(OrganizationsError):
    """The account was closed before."""

    code = "AccountAlreadyClosedException"
    words = "The account is already closed."


class AccountAlreadyRegistered(OrganizationsError):
    """The account administers the service."""

    code = "AccountAlreadyRegisteredException"
    words = "The provided account is already a delegated administrator for your organization."


class AccountNotRegistered(OrganizationsError):
    """The account does not administer the service."""

    code = "AccountNotRegisteredException"
    words = "The provided account is not a registered delegated administrator for your organization."


class CreateAccountStatusNotFound(OrganizationsError):
    """No request to create an account has this id."""

    code = "CreateAccountStatusNotFoundException"
    words = "You specified a create account request that doesn't exist."


class RootNotFound(OrganizationsError):
    """The organization has no such root."""

    code = "RootNotFoundException"
    words = "You specified a root that doesn't exist."


class ParentNotFound(OrganizationsError):
    """The organization has no such root or unit."""

    code = "ParentNotFoundException"
    words = "You specified a parent that doesn't exist."


class SourceParentNotFound(OrganizationsError):
    """The account is not where it is said to be."""

    code = "SourceParentNotFoundException"
    words = "You specified a source parent that doesn't exist."


class DestinationParentNotFound(OrganizationsError):
    """The organization has no such root or unit to move an account to."""

    code = "DestinationParentNotFoundException"
    words = "You specified a destination parent that doesn't exist."


class DuplicateAccount(OrganizationsError):
    """The account is where it would be moved to."""

    code = "DuplicateAccountException"
    words = "The account is already present in the specified destination."


class ChildNotFound(OrganizationsError):
    """The organization has no such unit or account."""

    code = "ChildNotFoundException"
    words = "You specified a child that doesn't exist."


class TargetNotFound(OrganizationsError):
    """The organization has nothing of this id."""

    code = "TargetNotFoundException"
    words = "You specified a target that doesn't exist."


class OrganizationalUnitNotFound(OrganizationsError):
    """The organization has no such unit."""

    code = "OrganizationalUnitNotFoundException"
    words = "You specified an organizational unit that doesn't exist."


class OrganizationalUnitNotEmpty(OrganizationsError):
    """There are accounts or units in the unit."""

    code = "OrganizationalUnitNotEmptyException"
    words = "The specified organizational unit is not empty."


class DuplicateOrganizationalUnit(OrganizationsError):
    """A unit of this name has the same parent."""

    code = "DuplicateOrganizationalUnitException"
    words = "An OU with the same name already exists."


class PolicyNotFound(OrganizationsError):
    """The organization has no such policy."""

    code = "PolicyNotFoundException"
    words = "You specified a policy that doesn't exist."


class DuplicatePolicy(OrganizationsError):
    """A policy of this name is there."""

    code = "DuplicatePolicyException"
    words = "A policy with the same name already exists."


class PolicyInUse(OrganizationsError):
    """The policy is attached to something."""

    code = "PolicyInUseException"
    words = "The policy is attached to one or more entities."


class DuplicatePolicyAttachment(OrganizationsError):
    """The policy is attached to this already."""

    code = "DuplicatePolicyAttachmentException"
    words = "The selected policy is already attached to the specified target."


class PolicyNotAttached(OrganizationsError):
    """The policy is not attached to this."""

    code = "PolicyNotAttachedException"
    words = "The policy isn't attached to the specified target in the specified root."


class PolicyTypeNotEnabled(OrganizationsError):
    """The policy type is not enabled in the root."""

    code = "PolicyTypeNotEnabledException"
    words = "This operation can be performed only for enabled policy types."


class PolicyTypeAlreadyEnabled(OrganizationsError):
    """The policy type is enabled in the root."""

    code = "PolicyTypeAlreadyEnabledException"
    words = "The specified policy type is already enabled."


class PolicyTypeNotAvailable(OrganizationsError):
    """Policies of this type can't be used here."""

    code = "PolicyTypeNotAvailableForOrganizationException"
    words = "You can't use the specified policy type with the feature set currently enabled for this organization."


class MalformedPolicyDocument(AWSError):
    """A document that is no policy of its type."""

    code = "MalformedPolicyDocumentException"
