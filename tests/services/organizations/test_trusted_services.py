"""Services with access to an organization, and the accounts that administer them."""

from running import ACCOUNT, allow

BACKUP, CONFIG = "backup.amazonaws.com", "config.amazonaws.com"


def test_services_get_access_and_lose_it(organizations, root_id, paged):
    for service in (CONFIG, BACKUP, BACKUP):
        organizations.enable_aws_service_access(ServicePrincipal=service)
    listed = paged(organizations.list_aws_service_access_for_organization, "EnabledServicePrincipals")
    assert [one["ServicePrincipal"] for one in listed] == [BACKUP, CONFIG]
    assert all(one["DateEnabled"] for one in listed)
    organizations.disable_aws_service_access(ServicePrincipal=BACKUP)
    organizations.disable_aws_service_access(ServicePrincipal=BACKUP)
    [left] = organizations.list_aws_service_access_for_organization()["EnabledServicePrincipals"]
    assert left["ServicePrincipal"] == CONFIG


def test_only_services_that_work_with_organizations_get_access(organizations, root_id, refused):
    for operation in (organizations.enable_aws_service_access, organizations.disable_aws_service_access):
        with refused("InvalidInputException", Reason="UNRECOGNIZED_SERVICE_PRINCIPAL"):
            operation(ServicePrincipal="nobody.amazonaws.com")
    assert organizations.list_aws_service_access_for_organization()["EnabledServicePrincipals"] == []


def test_the_service_is_a_condition_key(aws, organizations, member, refused):
    account_id = member().account_id
    backup = {"StringEquals": {"organizations:ServicePrincipal": BACKUP}}
    keeper = aws.client("organizations", aws.user("keeper", allow("organizations:*", **backup)))
    organizations.enable_aws_service_access(ServicePrincipal=CONFIG)
    keeper.enable_aws_service_access(ServicePrincipal=BACKUP)
    keeper.register_delegated_administrator(AccountId=account_id, ServicePrincipal=BACKUP)
    keeper.list_delegated_administrators(ServicePrincipal=BACKUP)
    keeper.deregister_delegated_administrator(AccountId=account_id, ServicePrincipal=BACKUP)
    keeper.disable_aws_service_access(ServicePrincipal=BACKUP)
    for operation in (keeper.enable_aws_service_access, keeper.disable_aws_service_access):
        with refused("AccessDeniedException"):
            operation(ServicePrincipal=CONFIG)
    for operation in (keeper.register_delegated_administrator, keeper.deregister_delegated_administrator):
        with refused("AccessDeniedException"):
            operation(AccountId=account_id, ServicePrincipal=CONFIG)
    with refused("AccessDeniedException"):
        keeper.list_delegated_administrators(ServicePrincipal=CONFIG)


def test_administrators_are_listed_with_their_services(organizations, member, paged):
    first, second = member(AccountName="first").account_id, member().account_id
    for service in (BACKUP, CONFIG):
        organizations.enable_aws_service_access(ServicePrincipal=service)
    organizations.register_delegated_administrator(AccountId=first, ServicePrincipal=BACKUP)
    organizations.register_delegated_administrator(AccountId=first, ServicePrincipal=CONFIG)
    organizations.register_delegated_administrator(AccountId=second, ServicePrincipal=CONFIG)
    everyone = paged(organizations.list_delegated_administrators, "DelegatedAdministrators")
    assert [one["Id"] for one in everyone] == sorted([first, second])
    [of_backup] = organizations.list_delegated_administrators(ServicePrincipal=BACKUP)["DelegatedAdministrators"]
    described = organizations.describe_account(AccountId=first)["Account"]
    del described["Paths"]
    assert of_backup.pop("DelegationEnabledDate")
    assert of_backup == described
    services = paged(organizations.list_delegated_services_for_account, "DelegatedServices", AccountId=first)
    assert [one["ServicePrincipal"] for one in services] == [BACKUP, CONFIG]
    organizations.deregister_delegated_administrator(AccountId=first, ServicePrincipal=BACKUP)
    assert organizations.list_delegated_administrators(ServicePrincipal=BACKUP)["DelegatedAdministrators"] == []


def test_who_can_not_administer_a_service(organizations, member, refused):
    account_id, closed = member().account_id, member().account_id
    organizations.close_account(AccountId=closed)
    with refused("ConstraintViolationException", Reason="SERVICE_ACCESS_NOT_ENABLED"):
        organizations.register_delegated_administrator(AccountId=account_id, ServicePrincipal=BACKUP)
    organizations.enable_aws_service_access(ServicePrincipal=BACKUP)
    with refused("ConstraintViolationException", Reason="CANNOT_REGISTER_MASTER_AS_DELEGATED_ADMINISTRATOR"):
        organizations.register_delegated_administrator(AccountId=ACCOUNT, ServicePrincipal=BACKUP)
    with refused("ConstraintViolationException", Reason="CANNOT_REGISTER_SUSPENDED_ACCOUNT_AS_DELEGATED_ADMINISTRATOR"):
        organizations.register_delegated_administrator(AccountId=closed, ServicePrincipal=BACKUP)
    with refused("AccountNotFoundException"):
        organizations.register_delegated_administrator(AccountId="999999999999", ServicePrincipal=BACKUP)
    organizations.register_delegated_administrator(AccountId=account_id, ServicePrincipal=BACKUP)
    with refused("AccountAlreadyRegisteredException"):
        organizations.register_delegated_administrator(AccountId=account_id, ServicePrincipal=BACKUP)
    assert len(organizations.list_delegated_administrators()["DelegatedAdministrators"]) == 1


def test_who_administers_nothing(organizations, member, refused):
    account_id = member().account_id
    with refused("AccountNotRegisteredException"):
        organizations.deregister_delegated_administrator(AccountId=account_id, ServicePrincipal=BACKUP)
    with refused("AccountNotRegisteredException"):
        organizations.list_delegated_services_for_account(AccountId=account_id)
    for operation in (
        lambda: organizations.deregister_delegated_administrator(AccountId="999999999999", ServicePrincipal=BACKUP),
        lambda: organizations.list_delegated_services_for_account(AccountId="999999999999"),
    ):
        with refused("AccountNotFoundException"):
            operation()


def test_a_billing_organization_trusts_no_service(organizations, refused):
    organizations.create_organization(FeatureSet="CONSOLIDATED_BILLING")
    all_features = "ORGANIZATION_NOT_IN_ALL_FEATURES_MODE"
    with refused("ConstraintViolationException", Reason=all_features):
        organizations.enable_aws_service_access(ServicePrincipal=BACKUP)
    with refused("ConstraintViolationException", Reason=all_features):
        organizations.disable_aws_service_access(ServicePrincipal=BACKUP)
    with refused("ConstraintViolationException", Reason=all_features):
        organizations.list_delegated_administrators(ServicePrincipal=BACKUP)
    with refused("ConstraintViolationException", Reason=all_features):
        organizations.deregister_delegated_administrator(AccountId=ACCOUNT, ServicePrincipal=BACKUP)
    assert organizations.list_aws_service_access_for_organization()["EnabledServicePrincipals"] == []
