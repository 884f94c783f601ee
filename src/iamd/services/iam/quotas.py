"""IAM's quotas, and the refusal of what would go beyond one.

AWS: the numbers are the default quotas (IAM User Guide, "IAM and AWS STS quotas", reference_iam-quotas); the names are
those that LimitExceeded and GetAccountSummary use.
"""

from iamd.call import Call
from iamd.services.iam.errors import LimitExceeded
from iamd.store.federation_records import OpenIDConnectProvider, SAMLProvider
from iamd.store.records import Group, InstanceProfile, ManagedPolicy, MFADevice, Record, Role, ServerCertificate, User

USERS_PER_ACCOUNT = 5000
GROUPS_PER_ACCOUNT = 300
ROLES_PER_ACCOUNT = 1000
POLICIES_PER_ACCOUNT = 1500
INSTANCE_PROFILES_PER_ACCOUNT = 1000
SERVER_CERTIFICATES_PER_ACCOUNT = 20
POLICY_VERSIONS_IN_USE = 10000
VIRTUAL_MFA_DEVICES_PER_ACCOUNT = USERS_PER_ACCOUNT

OIDC_PROVIDERS_PER_ACCOUNT = 100
SAML_PROVIDERS_PER_ACCOUNT = 100
CLIENT_IDS_PER_PROVIDER = 100
THUMBPRINTS_PER_PROVIDER = 5

GROUPS_PER_USER = 10
ACCESS_KEYS_PER_USER = 2
SIGNING_CERTIFICATES_PER_USER = 2
SSH_PUBLIC_KEYS_PER_USER = 5
# AWS: two of each user for each service (IAM API Reference, CreateServiceSpecificCredential).
SERVICE_SPECIFIC_CREDENTIALS_PER_SERVICE = 2
# AWS: eight devices of any kind since November 2022 (IAM User Guide, "AWS Multi-factor authentication in IAM").
MFA_DEVICES_PER_USER = 8
ATTACHED_POLICIES = 10
VERSIONS_PER_POLICY = 5
TAGS_PER_RESOURCE = 50

USER_POLICY_SIZE = 2048
GROUP_POLICY_SIZE = 5120
ROLE_POLICY_SIZE = 10240
MANAGED_POLICY_SIZE = 6144
ASSUME_ROLE_POLICY_SIZE = 2048


def check(name: str, wanted: int, quota: int) -> None:
    """Raise LimitExceeded when there would be more of something than its quota."""
    if wanted > quota:
        raise LimitExceeded(f"Cannot exceed quota for {name}: {quota}")


def check_tags(wanted: int) -> None:
    """Raise LimitExceeded, in words of their own, when a resource would have more tags than it can."""
    if wanted > TAGS_PER_RESOURCE:
        raise LimitExceeded("The number of tags has reached the maximum limit.")


def _check_one_more(call: Call, kind: type[Record], name: str, quota: int) -> None:
    check(name, call.account.count(kind) + 1, quota)


def check_users(call: Call) -> None:
    """Raise LimitExceeded when the account has all its users."""
    _check_one_more(call, User, "UsersPerAccount", USERS_PER_ACCOUNT)


def check_groups(call: Call) -> None:
    """Raise LimitExceeded when the account has all its groups."""
    _check_one_more(call, Group, "GroupsPerAccount", GROUPS_PER_ACCOUNT)


def check_roles(call: Call) -> None:
    """Raise LimitExceeded when the account has all its roles."""
    _check_one_more(call, Role, "RolesPerAccount", ROLES_PER_ACCOUNT)


def check_policies(call: Call) -> None:
    """Raise LimitExceeded when the account has all its customer managed policies."""
    _check_one_more(call, ManagedPolicy, "PoliciesPerAccount", POLICIES_PER_ACCOUNT)


def check_instance_profiles(call: Call) -> None:
    """Raise LimitExceeded when the account has all its instance profiles."""
    _check_one_more(call, InstanceProfile, "InstanceProfilesPerAccount", INSTANCE_PROFILES_PER_ACCOUNT)


def check_server_certificates(call: Call) -> None:
    """Raise LimitExceeded when the account has all its server certificates."""
    _check_one_more(call, ServerCertificate, "ServerCertificatesPerAccount", SERVER_CERTIFICATES_PER_ACCOUNT)


def check_virtual_mfa_devices(call: Call) -> None:
    """Raise LimitExceeded when the account has all its virtual MFA devices, assigned or not."""
    _check_one_more(call, MFADevice, "VirtualMFADevicesPerAccount", VIRTUAL_MFA_DEVICES_PER_ACCOUNT)


def check_oidc_providers(call: Call) -> None:
    """Raise LimitExceeded when the account has all its OIDC providers."""
    _check_one_more(call, OpenIDConnectProvider, "OpenIdConnectProvidersPerAccount", OIDC_PROVIDERS_PER_ACCOUNT)


def check_saml_providers(call: Call) -> None:
    """Raise LimitExceeded when the account has all its SAML providers."""
    _check_one_more(call, SAMLProvider, "SAMLProvidersPerAccount", SAML_PROVIDERS_PER_ACCOUNT)
