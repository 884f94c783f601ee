"""Whatever an operation of IAM names must be there, and in the caller's own account.

Names of users, groups, roles and instance profiles are found in any case (AWS: recorded answers of September 2026);
all else is named in exactly these letters. What is not there is NoSuchEntity (IAM API Reference, each operation's
errors).
"""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError
from running import ACCOUNT, allow
from services.iam.world import World, build_world
from services.test_bad_input import NAMES, fitting, model

ELSEWHERE = "210987654321"
MAKERS = ("Create", "Upload")
NAMING = {
    "UserName": "ann",
    "GroupName": "devs",
    "RoleName": "app",
    "InstanceProfileName": "box",
    "ServerCertificateName": "site",
    "PolicyArn": "policy_arn",
    "OpenIDConnectProviderArn": "oidc_arn",
    "SAMLProviderArn": "saml_arn",
    "SerialNumber": "phone",
    "AccessKeyId": "access_key_id",
    "ServiceSpecificCredentialId": "credential_id",
    "PermissionsBoundary": "policy_arn",
    "PolicySourceArn": "ann_arn",
}
"""What names an entity that is there already, and its value or the member of the world that has it."""

ANY_CASE = {"UserName", "GroupName", "RoleName", "InstanceProfileName"}

IDEMPOTENT = {"DeleteOpenIDConnectProvider"}
"""AWS: "does not fail or return an error if you attempt to delete a provider that does not exist" (IAM API Reference)."""

REFUSED_OTHERWISE = {
    # AWS answers so for every key that it does not know or that is another account's.
    ("GetAccessKeyLastUsed", "AccessKeyId"): ("AccessDenied", 403),
    # It is of security keys alone, and the device here is a virtual one.
    ("GetMFADevice", "SerialNumber"): ("ValidationError", 400),
    ("GetMFADevice", "UserName"): ("ValidationError", 400),
}
REFUSED_ELSEWHERE = {
    ("GetMFADevice", "SerialNumber"): ("ValidationError", 400),
    **dict.fromkeys(
        (("SimulatePrincipalPolicy", "PolicySourceArn"), ("GetContextKeysForPrincipalPolicy", "PolicySourceArn")),
        ("InvalidInput", 400),
    ),
    # Whose policy it is decides before anything is looked up: nobody may change another account's.
    **dict.fromkeys(
        (
            (name, "PolicyArn")
            for name in ("DeletePolicy", "DeletePolicyVersion", "SetDefaultPolicyVersion", "TagPolicy", "UntagPolicy")
        ),
        ("AccessDenied", 403),
    ),
}
"""What operations answer to another account's ARN, where that is no NoSuchEntity."""


def members_of(name: str) -> set[str]:
    shape = model("iam").operation_model(name).input_shape
    return set(shape.members) if shape is not None else set()


CASES = sorted(
    (name, member)
    for service, _, name in (one.partition(":") for one in NAMES)
    if service == "iam" and not name.startswith(MAKERS) and name not in IDEMPOTENT
    for member in members_of(name) & NAMING.keys()
)
"""Each operation with each entity that it names."""


@pytest.fixture(scope="module")
def world(shared_aws) -> World:
    shared_aws.server.post("/_iamd/reset")
    return build_world(shared_aws.client("iam"))


def named(world: World, member: str) -> str:
    given = NAMING[member]
    if given == "ann_arn":
        return f"arn:aws:iam::{ACCOUNT}:user/team/ann"
    return getattr(world, given, given)


def near(member: str, value: str) -> Iterator[str]:
    """What is nearly the entity's name, and names nothing."""
    head, slash, name = value.rpartition("/")
    yield value[:-1] + ("Y" if value[-1] in "xX" else "X")
    if member not in ANY_CASE:
        yield head + slash + name.swapcase()


@pytest.fixture
def told(shared_aws, world):
    """`told(name, member, value)` is the code and status that an operation refuses that value with."""

    def ask(name: str, member: str, value: str) -> tuple[str, int]:
        parameters: dict[str, Any] = fitting(model("iam").operation_model(name).input_shape)
        parameters |= {key: named(world, key) for key in parameters.keys() & NAMING.keys()}
        client = shared_aws.client("iam", parameter_validation=False)
        with pytest.raises(ClientError) as caught:
            getattr(client, xform_name(name))(**{**parameters, member: value})
        error = caught.value.response
        return error["Error"]["Code"], error["ResponseMetadata"]["HTTPStatusCode"]

    return ask


@pytest.mark.parametrize(("name", "member"), CASES)
def test_what_is_not_there_is_no_such_entity(world, told, name, member):
    expected = REFUSED_OTHERWISE.get((name, member), ("NoSuchEntity", 404))
    found = {other: told(name, member, other) for other in near(member, named(world, member))}
    assert set(found.values()) == {expected}, found


@pytest.mark.parametrize(("name", "member"), [case for case in CASES if case[1].endswith(("Arn", "SerialNumber"))])
def test_what_is_another_accounts_is_not_there(world, told, name, member):
    expected = REFUSED_ELSEWHERE.get((name, member), ("NoSuchEntity", 404))
    assert told(name, member, named(world, member).replace(ACCOUNT, ELSEWHERE)) == expected


@pytest.fixture(scope="module")
def nobody(shared_aws, world) -> Any:
    """IAM as a user without policies calls it."""
    return shared_aws.client("iam", shared_aws.user("nobody"), parameter_validation=False)


@pytest.mark.parametrize(("name", "member"), [case for case in CASES if case[1] in ANY_CASE])
def test_what_is_named_in_another_case_is_decided_on_the_entity_that_is_there(shared_aws, world, nobody, name, member):
    parameters: dict[str, Any] = fitting(model("iam").operation_model(name).input_shape)
    parameters |= {key: named(world, key) for key in parameters.keys() & NAMING.keys()}

    def decided(value: str) -> list[str]:
        with pytest.raises(ClientError) as caught:
            getattr(nobody, xform_name(name))(**{**parameters, member: value})
        assert caught.value.response["Error"]["Code"] == "AccessDenied"
        found = shared_aws.explain(caught.value.response["ResponseMetadata"]["RequestId"])
        return [decision["Resource"] for decision in found["Decisions"]]

    assert decided(named(world, member).swapcase()) == decided(named(world, member))


def test_what_is_named_in_another_case_is_shown_as_it_is(world, shared_aws):
    iam = shared_aws.client("iam")
    assert iam.get_user(UserName="ANN")["User"]["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/team/ann"
    assert iam.get_group(GroupName="Devs")["Group"]["GroupName"] == "devs"
    assert iam.get_role(RoleName="APP")["Role"]["RoleName"] == "app"
    profile = iam.get_instance_profile(InstanceProfileName="BOX")["InstanceProfile"]
    assert profile["InstanceProfileName"] == "box"


def test_what_is_named_in_another_case_is_changed(aws):
    iam = aws.client("iam")
    build_world(iam)
    iam.add_user_to_group(GroupName="DEVS", UserName="BOB")
    assert [user["UserName"] for user in iam.get_group(GroupName="devs")["Users"]] == ["bob"]
    iam.add_role_to_instance_profile(InstanceProfileName="Box", RoleName="App")
    [role] = iam.get_instance_profile(InstanceProfileName="box")["InstanceProfile"]["Roles"]
    assert role["RoleName"] == "app"
    iam.remove_user_from_group(GroupName="Devs", UserName="Bob")
    iam.delete_user(UserName="Bob")
    assert "bob" not in {user["UserName"] for user in iam.list_users()["Users"]}


@pytest.mark.parametrize("kind", ["user", "group"])
def test_who_moves_an_entity_named_in_another_case_leaves_it_its_name(aws, kind):
    iam = aws.client("iam")
    member = f"{kind.capitalize()}Name"
    getattr(iam, f"create_{kind}")(**{member: "ann", "Path": "/team/"})
    places = [f"arn:aws:iam::{ACCOUNT}:{kind}{path}ann" for path in ("/team/", "/new/")]
    mover = aws.client("iam", aws.user("mover", allow(f"iam:Update{kind.capitalize()}", places)))
    getattr(mover, f"update_{kind}")(**{member: "ANN", "NewPath": "/new/"})
    assert getattr(iam, f"get_{kind}")(**{member: "ann"})[kind.capitalize()]["Arn"] == places[1]
