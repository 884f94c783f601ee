"""Lambda's use of KMS keys: for who configures functions and looks at them, and for functions that run.

AWS: Lambda Developer Guide, "Securing Lambda environment variables" (configuration-envvars-encryption): kms:CreateGrant
and kms:Encrypt to configure a key, kms:Decrypt to see variables, nothing for Lambda's own key; "Encrypting Lambda .zip
deployment packages" (encrypt-zip-package).
"""

import pytest
from functions.conftest import ROLE, code
from gateway.two_accounts import code_of, error_of, policy, to
from running import ACCOUNT, REGION, allow, deny

FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:fn"
SHOWS = "import os\n\n\ndef handler(event, context):\n    return os.environ['NAME']\n"
MADE = {"Runtime": "python3.12", "Handler": "app.handler", "Role": ROLE, "Code": {"ZipFile": code(SHOWS)}}
VARIABLES = {"Variables": {"NAME": "secret"}}
CONTEXT = {"kms:EncryptionContext:aws:lambda:FunctionArn": FUNCTION, "kms:ViaService": f"lambda.{REGION}.amazonaws.com"}
GRANT = "Lambda was unable to configure access to your environment variables because the KMS key is invalid for"


@pytest.fixture
def key(cloud):
    """The ARN of a customer key with the default policy."""
    return cloud.client("kms").create_key()["KeyMetadata"]["Arn"]


@pytest.fixture
def user(cloud):
    """Makes a client of Lambda for a user who may do all of Lambda, pass the role, and what is said besides."""

    def make(name, *statements):
        given = [allow("lambda:*"), allow("iam:PassRole"), *statements]
        return cloud.client("lambda", cloud.user(name, *given))

    return make


def test_who_gives_a_function_a_key_may_use_it(user, key):
    grants = allow("kms:CreateGrant", key, Bool={"kms:GrantIsForAWSResource": "true"})
    plain, half = user("plain"), user("half", grants)
    whole = user("whole", grants, allow("kms:Encrypt", key, StringEquals=CONTEXT))
    given = {**MADE, "FunctionName": "fn", "KMSKeyArn": key, "Environment": VARIABLES}
    error = error_of(plain.create_function, **given)
    assert error["Code"] == "InvalidParameterValueException"
    assert error["Message"].startswith(
        f"{GRANT} CreateGrant. Please check your KMS key settings. KMS Exception: AccessDeniedException KMS Message: "
        f"User: arn:aws:iam::{ACCOUNT}:user/plain is not authorized to perform: kms:CreateGrant on resource: {key} "
    )
    error = error_of(half.create_function, **given)
    assert "unable to encrypt your environment variables because the KMS access was denied." in error["Message"]
    whole.create_function(**given)
    assert code_of(half.update_function_configuration, FunctionName="fn", Environment=VARIABLES) == error["Code"]
    plain.update_function_configuration(FunctionName="fn", Timeout=5)
    whole.update_function_configuration(FunctionName="fn", Environment=VARIABLES)
    words = error_of(whole.create_function, **{**given, "KMSKeyArn": f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/mine"})
    assert words["Message"].endswith(
        "KMS Exception: InvalidArnException KMS Message: Key Aliases are not supported for this operation."
    )


def test_variables_are_shown_to_who_may_decrypt(cloud, user, key):
    cloud.client("lambda").create_function(**MADE, FunctionName="fn", KMSKeyArn=key, Environment=VARIABLES)
    reads, plain = user("reads", allow("kms:Decrypt", key, StringEquals=CONTEXT)), user("plain")
    asked = {"FunctionName": "fn"}
    for client, shown in ((reads, True), (plain, False)):
        found = [
            client.get_function_configuration(**asked),
            client.get_function(**asked)["Configuration"],
            client.update_function_configuration(**asked, Timeout=9),
            client.update_function_code(**asked, ZipFile=code(SHOWS)),
            client.publish_version(**asked),
            *client.list_functions()["Functions"],
            *client.list_versions_by_function(**asked)["Versions"],
        ]
        assert len(found) >= 7
        for one in found:
            told = one["Environment"]
            assert told == VARIABLES if shown else told["Error"]["ErrorCode"] == "AccessDeniedException"
    assert told["Error"]["Message"].startswith(
        "Lambda was unable to decrypt your environment variables because the KMS access was denied. Please check your "
        "KMS permissions. KMS Exception: AccessDeniedException KMS Message: "
        f"User: arn:aws:iam::{ACCOUNT}:user/plain is not authorized to perform: kms:Decrypt"
    )
    denied = [one for one in cloud.events("Decrypt") if one.get("errorCode") == "AccessDenied"]
    assert denied[0]["userIdentity"]["invokedBy"] == "lambda.amazonaws.com"
    assert denied[0]["requestParameters"]["encryptionContext"] == {"aws:lambda:FunctionArn": FUNCTION}
    assert not any("errorCode" in one for one in cloud.events("GetFunctionConfiguration20150331v2"))


def test_another_key_needs_the_one_that_the_variables_have(cloud, user, key):
    cloud.client("lambda").create_function(**MADE, FunctionName="fn", KMSKeyArn=key, Environment=VARIABLES)
    second = cloud.client("kms").create_key()["KeyMetadata"]["Arn"]
    thief = user("thief", allow("kms:*", second))
    error = error_of(thief.update_function_configuration, FunctionName="fn", KMSKeyArn=second)
    assert "unable to decrypt your environment variables" in error["Message"]
    cloud.client("lambda").update_function_configuration(FunctionName="fn", KMSKeyArn=second)
    assert thief.get_function_configuration(FunctionName="fn")["Environment"] == VARIABLES


def test_the_own_key_of_lambda_needs_no_permissions_and_can_be_denied(cloud, user):
    plain, refused = user("plain"), user("refused", deny("kms:Decrypt"))
    plain.create_function(**MADE, FunctionName="fn", Environment=VARIABLES)
    assert plain.get_function(FunctionName="fn")["Configuration"]["Environment"] == VARIABLES
    assert "Error" in refused.get_function(FunctionName="fn")["Configuration"]["Environment"]
    refused.create_function(**MADE, FunctionName="bare")
    nothing = user("nothing", deny("kms:*"))
    nothing.create_function(**MADE, FunctionName="none")
    error = error_of(nothing.create_function, **MADE, FunctionName="some", Environment=VARIABLES)
    assert "with an explicit deny" in error["Message"]


def test_a_function_runs_while_its_variables_can_be_decrypted(functions, key):
    cloud = functions.cloud
    functions.make(SHOWS, Environment=VARIABLES, KMSKeyArn=key)
    # Lambda's grant is all that the role needs.
    assert functions.invoke().value == "secret"
    asked, client, kms = {"FunctionName": "fn"}, cloud.client("lambda"), cloud.client("kms")
    used = cloud.events("Decrypt")[0]
    assert used["userIdentity"]["arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/worker/fn"

    def refused():
        client.update_function_code(**asked, ZipFile=code(SHOWS))
        return error_of(client.invoke, **asked)

    functions.permit(deny("kms:Decrypt", key))
    error = refused()
    assert error["Code"] == "KMSAccessDeniedException"
    assert error["Message"].startswith(
        "Lambda was unable to decrypt the environment variables because KMS access was denied. Please check the "
        "function's KMS key settings. KMS Exception: AccessDeniedException KMS Message: "
        f"User: arn:aws:sts::{ACCOUNT}:assumed-role/worker/fn is not authorized to perform: kms:Decrypt"
    )
    functions.permit(allow("sqs:ListQueues"))
    kms.disable_key(KeyId=key)
    assert refused()["Code"] == "KMSDisabledException"
    kms.schedule_key_deletion(KeyId=key)
    assert refused()["Code"] == "KMSInvalidStateException"


def test_the_key_of_a_package_lets_lambda_in(cloud, user):
    own, kms = to({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, allow("kms:*")), cloud.client("kms")
    key = kms.create_key(Policy=policy(own))["KeyMetadata"]["Arn"]
    given = {**MADE, "FunctionName": "fn", "Code": {**MADE["Code"], "SourceKMSKeyArn": key}}
    client = user("plain")
    words = "Lambda was unable to use the KMS key. KMS Exception: AccessDeniedException KMS Message: "
    assert error_of(client.create_function, **given)["Message"].startswith(words)
    scoped = {"kms:EncryptionContext:aws:lambda:FunctionArn": FUNCTION}
    let_in = to({"Service": "lambda.amazonaws.com"}, allow(["kms:GenerateDataKey", "kms:Decrypt"], StringEquals=scoped))
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=policy(own, let_in))
    client.create_function(**given)
    assert code_of(client.create_function, **{**given, "FunctionName": "other"}) == "InvalidParameterValueException"
    client.update_function_code(FunctionName="fn", ZipFile=code(SHOWS), SourceKMSKeyArn=key)
    kms.disable_key(KeyId=key)
    asked = {"FunctionName": "fn", "ZipFile": code(SHOWS), "SourceKMSKeyArn": key}
    assert "DisabledException" in error_of(client.update_function_code, **asked)["Message"]
