"""Service-specific credentials: two per user and service, shown with their secret once.

Names, forms, codes and words are AWS's recorded answers (September 2026).
"""

import base64
from datetime import timedelta

import pytest
from running import ACCOUNT, allow

ANN = {"UserName": "ann"}
CODECOMMIT, CASSANDRA = "codecommit.amazonaws.com", "cassandra.amazonaws.com"
API_KEYS = {
    "bedrock.amazonaws.com": "ABSK",
    "logs.amazonaws.com": "ACWL",
    "cloudwatch.amazonaws.com": "APIAACWM",
    "aws-external-anthropic.amazonaws.com": "AEAA",
}
SECRETS = {"ServicePassword", "ServiceCredentialSecret"}
UNKNOWN = "ACCA" + "A" * 17


@pytest.fixture
def ann(iam):
    iam.create_user(**ANN, Path="/team/")


def create(iam, service=CODECOMMIT, user="ann", **parameters):
    answer = iam.create_service_specific_credential(UserName=user, ServiceName=service, **parameters)
    return answer["ServiceSpecificCredential"]


def listed(iam, **parameters):
    return iam.list_service_specific_credentials(**(parameters or ANN))["ServiceSpecificCredentials"]


def named(credential, user="ann"):
    return {"UserName": user, "ServiceSpecificCredentialId": credential["ServiceSpecificCredentialId"]}


def without_secret(credential):
    return {name: value for name, value in credential.items() if name not in SECRETS}


@pytest.mark.parametrize("service", [CODECOMMIT, CASSANDRA])
@pytest.mark.usefixtures("ann")
def test_a_name_and_a_password_are_made_and_the_password_is_shown_once(iam, service):
    made = create(iam, service)
    assert (made["UserName"], made["ServiceName"], made["Status"]) == ("ann", service, "Active")
    assert made["ServiceUserName"] == f"ann-at-{ACCOUNT}"
    assert len(base64.b64decode(made["ServicePassword"], validate=True)) == 45
    assert made["ServiceSpecificCredentialId"].startswith("ACCA")
    assert "ExpirationDate" not in made
    assert listed(iam) == [without_secret(made)]


@pytest.mark.parametrize("service", API_KEYS)
@pytest.mark.usefixtures("ann")
def test_an_api_key_holds_its_alias_and_a_password(iam, service):
    made = create(iam, service)
    assert made["ServiceCredentialAlias"] == f"ann-at-{ACCOUNT}"
    prefix = API_KEYS[service]
    assert made["ServiceCredentialSecret"].startswith(prefix)
    alias, _, password = base64.b64decode(made["ServiceCredentialSecret"].removeprefix(prefix)).decode().partition(":")
    assert (alias, len(password)) == (f"ann-at-{ACCOUNT}", 60)
    assert not {"ServiceUserName", "ServicePassword"} & made.keys()
    assert listed(iam) == [without_secret(made)]


@pytest.mark.usefixtures("ann")
def test_a_service_is_named_in_any_case(iam, refused):
    assert create(iam, "CodeCommit.AmazonAWS.com")["ServiceName"] == CODECOMMIT
    assert [shown["ServiceName"] for shown in listed(iam, **ANN, ServiceName="CODECOMMIT.amazonaws.com")] == [
        CODECOMMIT
    ]
    for service in ("sqs.amazonaws.com", "codecommit.amazonaws.com.cn"):
        with refused("NoSuchEntity", f"No such service {service} is supported for Service Specific Credentials"):
            create(iam, service)
        with refused("NoSuchEntity", f"No such service {service} is supported for Service Specific Credentials"):
            listed(iam, **ANN, ServiceName=service)
    with refused("ValidationError", "ServiceName must match [a-zA-Z0-9.-]*"):
        listed(iam, **ANN, ServiceName="code commit")


@pytest.mark.parametrize("service", [CODECOMMIT, "bedrock.amazonaws.com"])
@pytest.mark.usefixtures("ann")
def test_a_credential_expires_after_its_days(aws, iam, service):
    made = create(iam, service, CredentialAgeDays=30)
    assert made["ExpirationDate"] - made["CreateDate"] == timedelta(days=30)
    aws.advance(30 * 86400 - 60)
    assert listed(iam)[0]["Status"] == "Active"
    aws.advance(61)
    [shown] = listed(iam)
    assert (shown["Status"], shown["ExpirationDate"]) == ("Expired", made["ExpirationDate"])
    again = iam.reset_service_specific_credential(**named(made))["ServiceSpecificCredential"]
    assert (again["Status"], again["ExpirationDate"]) == ("Expired", made["ExpirationDate"])


@pytest.mark.parametrize("days", [0, -1, 36601])
@pytest.mark.usefixtures("ann")
def test_days_stay_in_awss_bounds(aws, iam, refused, days):
    with refused("ValidationError"):
        create(aws.client("iam", parameter_validation=False), CredentialAgeDays=days)
    assert listed(iam) == []
    create(iam, CredentialAgeDays=36600)


@pytest.mark.usefixtures("ann")
def test_a_user_has_two_for_each_service(iam, refused):
    first, second = create(iam), create(iam)
    assert (first["ServiceUserName"], second["ServiceUserName"]) == (f"ann-at-{ACCOUNT}", f"ann+1-at-{ACCOUNT}")
    iam.update_service_specific_credential(**named(first), Status="Inactive")
    with refused("LimitExceeded", "Cannot exceed quota for ContextSpecificCredentialsPerUserPerContext: 2"):
        create(iam)
    assert create(iam, CASSANDRA)["ServiceUserName"] == f"ann-at-{ACCOUNT}"
    assert len(listed(iam)) == 3


@pytest.mark.usefixtures("ann")
def test_a_name_is_free_again_after_its_credential_is_deleted(iam):
    first = create(iam)
    create(iam)
    iam.delete_service_specific_credential(**named(first))
    assert [shown["ServiceUserName"] for shown in listed(iam)] == [f"ann+1-at-{ACCOUNT}"]
    assert create(iam)["ServiceUserName"] == f"ann-at-{ACCOUNT}"


@pytest.mark.usefixtures("ann")
def test_a_renamed_user_keeps_credentials_and_their_names(iam):
    made = create(iam)
    iam.update_user(UserName="ann", NewUserName="anna")
    [shown] = listed(iam, UserName="anna")
    assert (shown["UserName"], shown["ServiceUserName"]) == ("anna", f"ann-at-{ACCOUNT}")
    iam.create_user(**ANN)
    assert listed(iam) == []
    assert create(iam)["ServiceUserName"] == f"ann+1-at-{ACCOUNT}"
    iam.delete_service_specific_credential(**named(made, "anna"))


@pytest.mark.parametrize("service", [CODECOMMIT, "bedrock.amazonaws.com"])
@pytest.mark.usefixtures("ann")
def test_a_reset_changes_the_secret_and_nothing_else(iam, service):
    made = create(iam, service, CredentialAgeDays=1)
    iam.update_service_specific_credential(**named(made), Status="Inactive")
    [before] = listed(iam)
    again = iam.reset_service_specific_credential(**named(made))["ServiceSpecificCredential"]
    assert without_secret(again) == before
    assert before["Status"] == "Inactive"
    [secret] = SECRETS & made.keys()
    assert len(again[secret]) == len(made[secret])
    assert again[secret] != made[secret]
    assert listed(iam) == [before]


@pytest.mark.usefixtures("ann")
def test_a_credential_is_made_inactive_and_active_again(iam, refused):
    made = create(iam)
    iam.update_service_specific_credential(**named(made), Status="Inactive")
    assert listed(iam)[0]["Status"] == "Inactive"
    with refused("InvalidInput", "Operation does not support status Expired"):
        iam.update_service_specific_credential(**named(made), Status="Expired")
    iam.update_service_specific_credential(**named(made), Status="Active")
    assert listed(iam) == [without_secret(made)]


CHANGES = [
    ("update_service_specific_credential", {"Status": "Inactive"}),
    ("reset_service_specific_credential", {}),
    ("delete_service_specific_credential", {}),
]


@pytest.mark.parametrize(("operation", "parameters"), CHANGES)
@pytest.mark.usefixtures("ann")
def test_a_credential_is_reached_through_its_own_user_only(iam, refused, operation, parameters):
    made = create(iam)
    iam.create_user(UserName="bob")
    credential_id = made["ServiceSpecificCredentialId"]
    words = f"User bob does not have a service specific credential with id {credential_id}"
    with refused("ValidationError", words):
        getattr(iam, operation)(**named(made, "bob"), **parameters)
    with refused("NoSuchEntity", f"No such credential {UNKNOWN} exists"):
        getattr(iam, operation)(**ANN, ServiceSpecificCredentialId=UNKNOWN, **parameters)
    assert listed(iam) == [without_secret(made)]


def test_the_user_must_exist(iam, refused):
    words = "The user with name ann cannot be found."
    with refused("NoSuchEntity", words):
        create(iam)
    with refused("NoSuchEntity", words):
        listed(iam)


def test_without_a_name_they_are_those_of_the_user_who_calls(aws, iam):
    own = aws.client(
        "iam", aws.user("cid", allow("iam:*ServiceSpecificCredential*", f"arn:aws:iam::{ACCOUNT}:user/cid"))
    )
    made = create(own, user="cid")
    one = {"ServiceSpecificCredentialId": made["ServiceSpecificCredentialId"]}
    assert own.list_service_specific_credentials()["ServiceSpecificCredentials"] == [without_secret(made)]
    own.update_service_specific_credential(**one, Status="Inactive")
    assert listed(iam, UserName="cid")[0]["Status"] == "Inactive"
    again = own.reset_service_specific_credential(**one)["ServiceSpecificCredential"]
    assert again["ServicePassword"] != made["ServicePassword"]
    own.delete_service_specific_credential(**one)
    assert listed(iam, UserName="cid") == []


@pytest.mark.usefixtures("ann")
def test_those_of_all_users_are_listed_together(iam, refused, paged):
    iam.create_user(UserName="bob")
    made = [create(iam), create(iam, CASSANDRA, "bob"), create(iam, user="bob")]
    everybodys = sorted(map(without_secret, made), key=lambda shown: shown["ServiceSpecificCredentialId"])
    assert listed(iam, AllUsers=True) == everybodys
    assert listed(iam, AllUsers=True, ServiceName="") == everybodys
    assert listed(iam, AllUsers=True, ServiceName=CASSANDRA) == [without_secret(made[1])]
    assert paged(iam.list_service_specific_credentials, "ServiceSpecificCredentials", AllUsers=True) == everybodys
    assert listed(iam, **ANN, AllUsers=False) == [without_secret(made[0])]
    with refused("InvalidInput", "Cannot list credentials for all users if a username is given"):
        listed(iam, **ANN, AllUsers=True)


@pytest.mark.usefixtures("ann")
def test_a_user_with_a_credential_is_not_deleted(iam, refused):
    made = create(iam)
    with refused("DeleteConflict", "Cannot delete entity, must remove referenced objects first."):
        iam.delete_user(**ANN)
    iam.delete_service_specific_credential(**named(made))
    iam.delete_user(**ANN)


@pytest.mark.usefixtures("ann")
def test_each_operation_is_denied_on_the_user(iam, denied, arn_of):
    made, user = create(iam), arn_of("user/team/ann")
    denied("CreateServiceSpecificCredential", user, **ANN, ServiceName=CODECOMMIT)
    denied("ListServiceSpecificCredentials", user, **ANN)
    denied("UpdateServiceSpecificCredential", user, **named(made), Status="Inactive")
    denied("ResetServiceSpecificCredential", user, **named(made))
    denied("DeleteServiceSpecificCredential", user, **named(made))
    assert listed(iam) == [without_secret(made)]


@pytest.mark.usefixtures("ann")
def test_those_of_all_users_need_a_policy_for_all_users(aws, iam, denied, arn_of):
    made = create(iam)
    only_ann = allow("iam:ListServiceSpecificCredentials", arn_of("user/team/ann"))
    denied("ListServiceSpecificCredentials", arn_of("user/*"), only_ann, AllUsers=True)
    client = aws.client("iam", aws.user("reader", allow("iam:ListServiceSpecificCredentials", arn_of("user/*"))))
    assert listed(client, AllUsers=True) == [without_secret(made)]


SERVICE_KEY, AGE_KEY = "iam:ServiceSpecificCredentialServiceName", "iam:ServiceSpecificCredentialAgeDays"


@pytest.mark.usefixtures("ann")
def test_policies_tell_services_apart(aws, iam, refused):
    """Service Authorization Reference: the key's value is the service's name in small letters, whatever was asked."""
    statement = allow("iam:*ServiceSpecificCredential", StringEquals={SERVICE_KEY: CODECOMMIT})
    client = aws.client("iam", aws.user("limited", statement))
    made, other = create(client, CODECOMMIT.upper()), create(iam, CASSANDRA)
    with refused("AccessDenied"):
        create(client, CASSANDRA)
    for operation, parameters in CHANGES:
        getattr(client, operation)(**named(made), **parameters)
        with refused("AccessDenied"):
            getattr(client, operation)(**named(other), **parameters)
    assert listed(iam) == [without_secret(other)]


@pytest.mark.usefixtures("ann")
def test_policies_bound_the_age_and_an_age_that_is_not_given_is_no_age(aws, iam, refused):
    statement = allow("iam:CreateServiceSpecificCredential", NumericLessThanEquals={AGE_KEY: "90"})
    client = aws.client("iam", aws.user("limited", statement))
    create(client, CredentialAgeDays=90)
    with refused("AccessDenied"):
        create(client, CredentialAgeDays=91)
    with refused("AccessDenied"):
        create(client)
    assert len(listed(iam)) == 1


@pytest.mark.usefixtures("ann")
def test_each_operation_is_recorded_without_its_secret(aws, iam, parameters_of):
    made = create(iam, CredentialAgeDays=1)
    again = iam.reset_service_specific_credential(**named(made))["ServiceSpecificCredential"]
    listed(iam, **ANN, ServiceName=CODECOMMIT)
    iam.update_service_specific_credential(**named(made), Status="Inactive")
    iam.delete_service_specific_credential(**named(made))
    one = {"userName": "ann", "serviceSpecificCredentialId": made["ServiceSpecificCredentialId"]}
    asked = {"userName": "ann", "serviceName": CODECOMMIT, "credentialAgeDays": 1}
    assert parameters_of("CreateServiceSpecificCredential") == asked
    assert parameters_of("ResetServiceSpecificCredential") == one
    assert parameters_of("ListServiceSpecificCredentials") == {"userName": "ann", "serviceName": CODECOMMIT}
    assert parameters_of("UpdateServiceSpecificCredential") == {**one, "status": "Inactive"}
    assert parameters_of("DeleteServiceSpecificCredential") == one
    [event] = aws.events("CreateServiceSpecificCredential")
    shown = event["responseElements"]["serviceSpecificCredential"]
    assert shown["servicePassword"] == "HIDDEN_DUE_TO_SECURITY_REASONS"
    assert shown["serviceUserName"] == f"ann-at-{ACCOUNT}"
    told = repr(aws.events())
    assert made["ServicePassword"] not in told
    assert again["ServicePassword"] not in told
