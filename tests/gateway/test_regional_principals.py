"""Services whose principal has the name of their Region too are let in by either; by another Region's by neither.

AWS: IAM User Guide, reference_policies_condition-keys, aws:PrincipalServiceName and aws:PrincipalServiceNamesList; the
services' pages that `iamd.data.regional_principals` names.
"""

import json

import pytest
from botocore.exceptions import ClientError
from gateway.counting import trusting
from running import ACCOUNT, AWS, REGION

DEFINITION = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}})
OTHER = "eu-west-1"


def machine(cloud: AWS, *principals: str, region: str = REGION) -> str:
    """The code of what Step Functions answers when a state machine gets a role that trusts these; empty for success."""
    iam, name = cloud.client("iam"), "".join(one[0] for one in principals) + region
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trusting(*principals))["Role"]["Arn"]
    client = cloud.client("stepfunctions", region=region)
    try:
        client.create_state_machine(name="orders", definition=DEFINITION, roleArn=arn)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return ""


@pytest.mark.parametrize("region", [REGION, OTHER])
def test_a_state_machine_has_a_role_that_trusts_its_own_region(cloud, region):
    assert machine(cloud, f"states.{region}.amazonaws.com", region=region) == ""


def test_a_role_that_trusts_another_region_is_refused(cloud):
    assert machine(cloud, f"states.{OTHER}.amazonaws.com") != ""


@pytest.mark.parametrize(
    ("operator", "key", "value", "is_taken"),
    [
        ("StringEquals", "aws:PrincipalServiceName", "states.amazonaws.com", True),
        ("StringEquals", "aws:PrincipalServiceName", "lambda.amazonaws.com", False),
        ("ForAnyValue:StringEquals", "aws:PrincipalServiceNamesList", f"states.{REGION}.amazonaws.com", True),
        ("ForAnyValue:StringEquals", "aws:PrincipalServiceNamesList", f"states.{OTHER}.amazonaws.com", False),
    ],
)
def test_a_trust_policy_may_ask_for_a_name(cloud, operator, key, value, is_taken):
    trust = json.loads(trusting("states.amazonaws.com"))
    trust["Statement"][0]["Condition"] = {operator: {key: value}}
    made = cloud.client("iam").create_role(RoleName="asking", AssumeRolePolicyDocument=json.dumps(trust))
    given = {"name": "orders", "definition": DEFINITION, "roleArn": made["Role"]["Arn"]}
    if is_taken:
        cloud.client("stepfunctions").create_state_machine(**given)
    else:
        with pytest.raises(ClientError, match="nor the regional one is authorized"):
            cloud.client("stepfunctions").create_state_machine(**given)


def test_a_service_without_regional_names_has_none(cloud):
    role = cloud.client("iam").create_role(
        RoleName="fn", AssumeRolePolicyDocument=trusting(f"lambda.{REGION}.amazonaws.com")
    )
    with pytest.raises(ClientError, match="cannot be assumed by Lambda"):
        cloud.client("lambda").create_function(
            FunctionName="f", Role=role["Role"]["Arn"], Runtime="python3.13", Handler="i.h", Code={"ZipFile": b"x"}
        )


LISTED = [
    # AWS: CloudWatch Logs User Guide, encrypt-log-data-kms: to KMS it is the principal of its Region.
    ("StringEquals", "aws:PrincipalServiceName", f"logs.{REGION}.amazonaws.com", True),
    ("StringEquals", "aws:PrincipalServiceName", "logs.amazonaws.com", False),
    ("ForAnyValue:StringEquals", "aws:PrincipalServiceNamesList", "logs.amazonaws.com", True),
    ("ForAnyValue:StringEquals", "aws:PrincipalServiceNamesList", f"logs.{REGION}.amazonaws.com", True),
    ("ForAnyValue:StringEquals", "aws:PrincipalServiceNamesList", f"logs.{OTHER}.amazonaws.com", False),
]
OWN = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "kms:*", "Resource": "*"}
USE = {"Action": ["kms:GenerateDataKey*", "kms:Decrypt"], "Resource": "*"}


def encrypted(cloud: AWS, *statements: dict[str, object]) -> bool:
    """Whether CloudWatch Logs may use a key with these statements in its policy."""
    policy = json.dumps({"Version": "2012-10-17", "Statement": [OWN, *statements]})
    key = cloud.client("kms").create_key(Policy=policy)["KeyMetadata"]["Arn"]
    try:
        cloud.client("logs").create_log_group(logGroupName="app", kmsKeyId=key)
    except ClientError as error:
        return "not allowed to be used" not in error.response["Error"]["Message"]
    return True


@pytest.mark.parametrize(("operator", "key", "value", "is_let"), LISTED)
def test_the_list_of_names_has_both(cloud, operator, key, value, is_let):
    one = {"Effect": "Allow", "Principal": "*", "Condition": {operator: {key: value}}, **USE}
    assert encrypted(cloud, one) is is_let


@pytest.mark.parametrize("denied", ["", "logs.amazonaws.com", f"logs.{REGION}.amazonaws.com"])
def test_a_denial_of_either_name_holds(cloud, denied):
    let_in = {"Effect": "Allow", "Principal": {"Service": "logs.amazonaws.com"}, **USE}
    kept_out = [{"Effect": "Deny", "Principal": {"Service": denied}, **USE}] if denied else []
    assert encrypted(cloud, let_in, *kept_out) is not bool(denied)


def log_function(cloud: AWS) -> str:
    """A function, and a log group that could send to it."""
    iam = cloud.client("iam")
    role = iam.create_role(RoleName="fn", AssumeRolePolicyDocument=trusting("lambda.amazonaws.com"))["Role"]["Arn"]
    cloud.client("logs").create_log_group(logGroupName="app")
    made = cloud.client("lambda").create_function(
        FunctionName="f", Role=role, Runtime="python3.13", Handler="i.h", Code={"ZipFile": b"x"}
    )
    return str(made["FunctionArn"])


def subscribed(cloud: AWS, **given: str) -> str:
    """The code of what CloudWatch Logs answers to a subscription; empty for success."""
    try:
        cloud.client("logs").put_subscription_filter(logGroupName="app", filterName="f", filterPattern="", **given)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return ""


@pytest.mark.parametrize(
    ("principal", "is_let"),
    [
        ("logs.amazonaws.com", True),
        (f"logs.{REGION}.amazonaws.com", True),
        (f"logs.{OTHER}.amazonaws.com", False),
        (f"events.{REGION}.amazonaws.com", False),
    ],
)
def test_a_function_lets_logs_of_its_region_invoke_it(cloud, principal, is_let):
    function = log_function(cloud)
    source = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:app:*"
    cloud.client("lambda").add_permission(
        FunctionName="f", StatementId="l", Action="lambda:InvokeFunction", Principal=principal, SourceArn=source
    )
    assert subscribed(cloud, destinationArn=function) == ("" if is_let else "InvalidParameterException")
