"""What the embedded backend would pass over is refused by its name, whatever asks for it."""

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError
from gateway import parameters
from gateway.pools import a_pool, signed_up, unsigned
from gateway.two_accounts import code_of, policy

from iamd.gateway import passed_over

ROWS = [
    (service, operation, path, usual)
    for service, operations in passed_over.table().items()
    for operation, members in operations.items()
    for path, usual in members.items()
]
BY_USERS = {"ConfirmSignUp", "SetUserMFAPreference"}
"""What has no signature, and so belongs to a pool that is there."""
VALUES = {
    "ConditionalOperator": "OR",
    "EmailMfaConfiguration": {"Message": "{####}", "Subject": "code"},
    "WebAuthnConfiguration": {"RelyingPartyId": "example.com"},
    "GlobalTableSettingsReplicationMode": "ENABLED",
    "LambdaConfig.PreTokenGenerationConfig": {"LambdaVersion": "V2_0", "LambdaArn": parameters.FUNCTION},
    "MultiRegionConsistency": "STRONG",
    "MutualAuthentication.Mode": "verify",
    "Policies.PasswordPolicy.PasswordHistorySize": 3,
    "RefreshTokenRotation.Feature": "ENABLED",
    "ResourceOwners": ["OTHER_ACCOUNTS_VIA_RAM"],
    "UserPoolAddOns.AdvancedSecurityMode": "ENFORCED",
    "policyScope": "RESOURCE",
    "EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic": "off",
}


def shape_at(service, operation, path):
    shape = parameters.model(service).operation_model(operation).input_shape
    for name in path.split("."):
        shape = shape.members[name]
    return shape


def asking(service, operation, path):
    """A value that asks for something."""
    shape = shape_at(service, operation, path)
    if path in VALUES:
        return VALUES[path]
    return True if shape.type_name == "boolean" else parameters.value(service, path.rpartition(".")[2], shape)


def with_member(given, path, value):
    """The parameters with a member set, wherever it is."""
    name, _, rest = path.partition(".")
    return {**given, name: with_member(given.get(name) or {}, rest, value) if rest else value}


@pytest.mark.parametrize(("service", "operation", "path", "usual"), ROWS)
def test_what_asks_for_nothing_is_of_its_members_kind(service, operation, path, usual):
    kinds = {"boolean": bool, "string": str, "list": list, "structure": dict, "integer": int}
    shape = shape_at(service, operation, path)
    assert all(type(value) is kinds[shape.type_name] for value in usual)
    assert not getattr(shape, "enum", None) or set(usual) <= set(shape.enum)


@pytest.fixture
def there(cloud):
    """What requests have to be about for them to be decided, by their members."""
    cloud.client("s3").create_bucket(Bucket="bkt")
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = cloud.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=policy(trust))["Role"]["Arn"]
    key = cloud.client("kms").create_key()["KeyMetadata"]["Arn"]
    dynamodb = cloud.client("dynamodb")
    dynamodb.create_table(**TABLE)
    backup = dynamodb.create_backup(TableName="tbl", BackupName="backup")["BackupDetails"]["BackupArn"]
    return {"Role": role, "KeyId": key, "SourceKeyId": key, "DestinationKeyId": key, "BackupArn": backup}


TABLE = {
    "TableName": "tbl",
    "KeySchema": [{"AttributeName": "k", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "k", "AttributeType": "S"}],
    "BillingMode": "PAY_PER_REQUEST",
}


@pytest.mark.parametrize(("service", "operation", "path"), [row[:3] for row in ROWS if row[1] not in BY_USERS])
def test_a_member_that_asks_for_something_is_refused_by_its_name(cloud, there, service, operation, path):
    given = parameters.whole(service, operation)
    given |= {name: value for name, value in there.items() if name in given}
    client = cloud.client(service)
    asked = with_member(given, path, asking(service, operation, path))
    with pytest.raises(ClientError, match=rf"does not implement {path} of {operation}\.") as caught:
        getattr(client, METHODS[service][operation])(**asked)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501


METHODS = {
    service: {operation: xform_name(operation) for operation in operations}
    for service, operations in passed_over.table().items()
}


def test_what_asks_for_nothing_is_taken(cloud):
    dynamodb = cloud.client("dynamodb")
    dynamodb.create_table(**TABLE)
    expected = {"Expected": {"k": {"Exists": False}}}
    dynamodb.put_item(TableName="tbl", Item={"k": {"S": "1"}}, ConditionalOperator="AND", **expected)
    given = {"TableName": "tbl", "Item": {"k": {"S": "1"}}, **expected}
    assert code_of(dynamodb.put_item, **given, ConditionalOperator="OR") == "NotImplemented"
    logs = cloud.client("logs")
    assert logs.describe_resource_policies(policyScope="ACCOUNT")["resourcePolicies"] == []


def test_a_user_has_no_second_factor_that_is_not_asked_for(cloud):
    _, client = a_pool(cloud)
    users = unsigned(cloud, "cognito-idp")
    token = signed_up(users, client)["AccessToken"]
    for name in ("EmailMfaSettings", "WebAuthnMfaSettings"):
        settings = {name: {"Enabled": True}}
        words = f"does not implement {name}.Enabled of SetUserMFAPreference"
        with pytest.raises(ClientError, match=words):
            users.set_user_mfa_preference(AccessToken=token, **settings)
    confirmed = {"ClientId": client, "Username": "ann", "ConfirmationCode": "1", "ForceAliasCreation": True}
    assert code_of(users.confirm_sign_up, **confirmed) == "NotImplemented"
