"""Layers of other accounts: whom they are shared with, the function that has them, and whose code it gets.

AWS: Lambda Developer Guide, "Granting layer access to other accounts".
"""

import pytest
from botocore.exceptions import ClientError
from functions.conftest import ROLE, code, package
from gateway.two_accounts import OTHER, error_of, policy
from running import ACCOUNT, REGION, allow, deny

SHARED = f"arn:aws:lambda:{REGION}:{OTHER}:layer:lay:1"
SOURCE = "import shared\n\ndef handler(event, context):\n    return shared.NAME\n"
FUNCTION = {"Runtime": "python3.12", "Handler": "app.handler", "Role": ROLE, "Code": {"ZipFile": code(SOURCE)}}


def layer(name):
    return {"ZipFile": package({"python/shared.py": f"NAME = {name!r}\n"})}


@pytest.fixture
def theirs(cloud, other):
    """Lambda of the other account, where there is a layer `lay`, as there is one in this account."""
    client = cloud.client("lambda", other)
    for one, name in ((client, "theirs"), (cloud.client("lambda"), "ours")):
        one.publish_layer_version(LayerName="lay", Content=layer(name))
    return client


def share(theirs, principal=ACCOUNT, version=1):
    theirs.add_layer_version_permission(
        LayerName="lay", VersionNumber=version, StatementId="s", Action="lambda:GetLayerVersion", Principal=principal
    )


def test_a_layer_that_is_shared_is_the_functions(functions, theirs):
    share(theirs)
    client = functions.cloud.client("lambda")
    made = client.create_function(FunctionName="fn", **FUNCTION, Layers=[SHARED])
    assert made["FunctionArn"] == f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:fn"
    assert [one["Arn"] for one in made["Layers"]] == [SHARED]
    # The layer of the same name in the function's own account is another one.
    assert functions.invoke().value == "theirs"
    assert theirs.list_functions()["Functions"] == []


@pytest.mark.parametrize("principal", [None, "444455556666"])
def test_a_layer_that_is_not_shared_is_nobody_elses(functions, theirs, principal):
    client = functions.cloud.client("lambda")
    if principal is not None:
        functions.cloud.iamd("CreateAccount", Name="third", AccountId=principal)
        share(theirs, principal)
    error = error_of(client.create_function, FunctionName="fn", **FUNCTION, Layers=[SHARED])
    assert error["Code"] == "AccessDeniedException"
    assert "lambda:GetLayerVersion on resource: " + SHARED in error["Message"]
    client.create_function(FunctionName="fn", **FUNCTION)
    error = error_of(client.update_function_configuration, FunctionName="fn", Layers=[SHARED])
    assert error["Code"] == "AccessDeniedException"
    assert not client.get_function_configuration(FunctionName="fn").get("Layers")


def test_the_callers_own_policy_must_allow_it_too(functions, theirs):
    share(theirs)
    cloud, may = functions.cloud, [allow("lambda:*", f"arn:aws:lambda:*:{ACCOUNT}:*"), allow("iam:PassRole")]
    mary = cloud.user("mary", *may)
    client = cloud.client("lambda", mary)
    error = error_of(client.create_function, FunctionName="fn", **FUNCTION, Layers=[SHARED])
    assert "no identity-based policy allows the lambda:GetLayerVersion action" in error["Message"]
    may.append(allow("lambda:GetLayerVersion", SHARED))
    cloud.client("iam").put_user_policy(UserName="mary", PolicyName="test", PolicyDocument=policy(*may))
    client.create_function(FunctionName="fn", **FUNCTION, Layers=[SHARED])
    may.append(deny("lambda:GetLayerVersion", SHARED))
    cloud.client("iam").put_user_policy(UserName="mary", PolicyName="test", PolicyDocument=policy(*may))
    error = error_of(client.update_function_configuration, FunctionName="fn", Layers=[SHARED])
    assert "explicit deny in an identity-based policy" in error["Message"]


def test_a_function_gets_shared_layers_later_and_keeps_them(functions, theirs):
    client, own = functions.cloud.client("lambda"), f"arn:aws:lambda:{REGION}:{ACCOUNT}:layer:lay:1"
    client.create_function(FunctionName="fn", **FUNCTION, Layers=[own])
    assert functions.invoke().value == "ours"
    share(theirs)
    client.update_function_configuration(FunctionName="fn", Layers=[SHARED])
    assert functions.invoke().value == "theirs"
    # AWS: who has a layer in a function keeps it, and gets it for no other one.
    theirs.remove_layer_version_permission(LayerName="lay", VersionNumber=1, StatementId="s")
    client.update_function_configuration(FunctionName="fn", Timeout=9)
    assert functions.invoke().value == "theirs"
    with pytest.raises(ClientError, match="AccessDenied"):
        client.create_function(FunctionName="more", **FUNCTION, Layers=[SHARED])


def test_a_permission_is_for_one_version(functions, theirs):
    share(theirs)
    theirs.publish_layer_version(LayerName="lay", Content=layer("newer"))
    client, newer = functions.cloud.client("lambda"), SHARED[:-1] + "2"
    assert newer in error_of(client.create_function, FunctionName="fn", **FUNCTION, Layers=[SHARED, newer])["Message"]
    share(theirs, version=2)
    client.create_function(FunctionName="fn", **FUNCTION, Layers=[SHARED, newer])
    assert functions.invoke().value == "newer"


def test_a_layer_that_is_deleted_stays_with_the_functions_that_have_it(functions, theirs):
    share(theirs)
    client = functions.cloud.client("lambda")
    client.create_function(FunctionName="fn", **FUNCTION, Layers=[SHARED])
    theirs.delete_layer_version(LayerName="lay", VersionNumber=1)
    assert functions.invoke().value == "theirs"
    theirs.publish_layer_version(LayerName="lay", Content=layer("newer"))
    client.update_function_configuration(FunctionName="fn", Timeout=9)
    assert functions.invoke().value == "theirs"
    with pytest.raises(ClientError):
        client.update_function_configuration(FunctionName="fn", Layers=[SHARED])
    with pytest.raises(ClientError):
        client.create_function(FunctionName="more", **FUNCTION, Layers=[SHARED])
    assert functions.invoke().value == "theirs"


@pytest.mark.parametrize("arn", [SHARED.replace(OTHER, "*"), SHARED.replace(REGION, ""), SHARED.replace(OTHER, "")])
def test_an_arn_that_names_no_account_or_region_is_none(functions, theirs, arn):
    share(theirs)
    error = error_of(functions.cloud.client("lambda").create_function, FunctionName="fn", **FUNCTION, Layers=[arn])
    assert error["Code"] in {"ValidationException", "InvalidParameterValueException"}
