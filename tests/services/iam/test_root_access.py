"""Central root access: which features an organization has enabled, and who may say so."""

import pytest
from running import ACCOUNT, Credentials
from services.organizations.world import new_member

CREDENTIALS, SESSIONS = "RootCredentialsManagement", "RootSessions"
IAM = "iam.amazonaws.com"

ENABLING = ("enable_organizations_root_credentials_management", "enable_organizations_root_sessions")
DISABLING = ("disable_organizations_root_credentials_management", "disable_organizations_root_sessions")
EVERY = (*ENABLING, *DISABLING, "list_organizations_features")


@pytest.fixture
def organizations(aws):
    return aws.client("organizations")


@pytest.fixture
def organization_id(organizations):
    """An organization that the administrator's account manages, and that trusts IAM."""
    organization_id = organizations.create_organization()["Organization"]["Id"]
    organizations.enable_aws_service_access(ServicePrincipal=IAM)
    return organization_id


@pytest.fixture
def member(aws, organization_id):
    return new_member(aws, "member")


@pytest.fixture
def delegated(organizations, member):
    """IAM as the delegated administrator of IAM calls it."""
    organizations.register_delegated_administrator(AccountId=member.account_id, ServicePrincipal=IAM)
    return member.client("iam")


def told(answer):
    return answer["OrganizationId"], answer["EnabledFeatures"]


def test_features_are_enabled_and_disabled_one_by_one(iam, organization_id):
    assert told(iam.list_organizations_features()) == (organization_id, [])
    assert told(iam.enable_organizations_root_sessions()) == (organization_id, [SESSIONS])
    assert told(iam.enable_organizations_root_credentials_management()) == (organization_id, [CREDENTIALS, SESSIONS])
    assert told(iam.enable_organizations_root_sessions()) == (organization_id, [CREDENTIALS, SESSIONS])
    assert told(iam.disable_organizations_root_sessions()) == (organization_id, [CREDENTIALS])
    assert told(iam.disable_organizations_root_sessions()) == (organization_id, [CREDENTIALS])
    assert told(iam.list_organizations_features()) == (organization_id, [CREDENTIALS])
    assert told(iam.disable_organizations_root_credentials_management()) == (organization_id, [])
    assert told(iam.list_organizations_features()) == (organization_id, [])


def test_a_delegated_administrator_sees_and_disables_and_does_not_enable(iam, delegated, organization_id, refused):
    iam.enable_organizations_root_sessions()
    iam.enable_organizations_root_credentials_management()
    assert told(delegated.list_organizations_features()) == (organization_id, [CREDENTIALS, SESSIONS])
    with refused("CallerIsNotManagementAccountException"):
        delegated.enable_organizations_root_sessions()
    with refused("CallerIsNotManagementAccountException"):
        delegated.enable_organizations_root_credentials_management()
    assert told(delegated.disable_organizations_root_sessions()) == (organization_id, [CREDENTIALS])
    assert told(delegated.disable_organizations_root_credentials_management()) == (organization_id, [])
    assert told(iam.list_organizations_features()) == (organization_id, [])


@pytest.mark.parametrize("operation", EVERY)
def test_a_member_that_does_not_administer_iam_is_refused(organizations, iam, member, refused, operation):
    organizations.enable_aws_service_access(ServicePrincipal="backup.amazonaws.com")
    organizations.register_delegated_administrator(AccountId=member.account_id, ServicePrincipal="backup.amazonaws.com")
    before = told(iam.enable_organizations_root_sessions())
    client = member.client("iam")
    with refused("AccountNotManagementOrDelegatedAdministratorException"):
        getattr(client, operation)()
    assert told(iam.list_organizations_features()) == before


@pytest.mark.parametrize("operation", EVERY)
def test_an_account_needs_an_organization_with_all_features_that_trusts_iam(aws, organizations, refused, operation):
    alone = aws.client("iam", Credentials.of(aws.iamd("CreateAccount", Name="alone")))
    with refused("OrganizationNotFoundException"):
        getattr(alone, operation)()
    organizations.create_organization(FeatureSet="CONSOLIDATED_BILLING")
    iam = aws.client("iam")
    with refused("OrganizationNotInAllFeaturesModeException"):
        getattr(iam, operation)()
    organizations.delete_organization()
    organizations.create_organization()
    words = f"Trusted Access for IAM not enabled by organization of input account {ACCOUNT}."
    with refused("ServiceAccessNotEnabledException", words):
        getattr(iam, operation)()


def test_without_trusted_access_nothing_is_told(organizations, iam, organization_id, refused):
    iam.enable_organizations_root_sessions()
    organizations.disable_aws_service_access(ServicePrincipal=IAM)
    with refused("ServiceAccessNotEnabledException"):
        iam.list_organizations_features()
    with refused("ServiceAccessNotEnabledException"):
        iam.disable_organizations_root_sessions()


def test_each_is_denied_without_permission(denied, iam, organization_id):
    denied("ListOrganizationsFeatures", "*")
    denied("EnableOrganizationsRootSessions", "*")
    denied("DisableOrganizationsRootSessions", "*")
    denied("EnableOrganizationsRootCredentialsManagement", "*")
    denied("DisableOrganizationsRootCredentialsManagement", "*")
    assert told(iam.list_organizations_features()) == (organization_id, [])


def test_each_is_an_event(iam, organization_id, event_of):
    for operation in EVERY:
        event = event_of(getattr(iam, operation)())
        assert event["eventSource"] == "iam.amazonaws.com"
        assert event["eventName"].lower() == operation.replace("_", "")
        assert event["readOnly"] is operation.startswith("list")
        assert event["recipientAccountId"] == ACCOUNT
        features = {"organizationId": organization_id, "enabledFeatures": [CREDENTIALS]}
        if operation == ENABLING[0]:
            assert event["responseElements"] == features
