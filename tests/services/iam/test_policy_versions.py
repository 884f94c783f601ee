"""Versions of managed policies through boto3."""

import json
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iamd.services.iam import policies, policy_versions
from iamd.services.iam.errors import DeleteConflict, LimitExceeded, NoSuchEntity
from iamd.store.account import Snapshot
from iamd.store.change import Change
from iamd.store.records import ManagedPolicy

ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"


def document(action):
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}]}


@pytest.fixture
def arn(iam):
    """A policy whose version v1 allows sqs:*."""
    return iam.create_policy(PolicyName="send", PolicyDocument=json.dumps(document("sqs:*")))["Policy"]["Arn"]


def add(iam, arn, action="sns:*", **parameters):
    parameters |= {"PolicyArn": arn, "PolicyDocument": json.dumps(document(action))}
    return iam.create_policy_version(**parameters)["PolicyVersion"]


def ids(iam, arn):
    return [version["VersionId"] for version in iam.list_policy_versions(PolicyArn=arn)["Versions"]]


def test_a_new_version_is_in_force_only_when_asked(aws, iam, arn):
    aws.advance(100)
    added = add(iam, arn)
    assert (added["VersionId"], added["IsDefaultVersion"]) == ("v2", False)
    assert "Document" not in added
    assert iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"] == "v1"
    assert add(iam, arn, "s3:*", SetAsDefault=True)["IsDefaultVersion"] is True
    policy = iam.get_policy(PolicyArn=arn)["Policy"]
    assert policy["DefaultVersionId"] == "v3"
    assert (policy["UpdateDate"] - policy["CreateDate"]).total_seconds() >= 100


def test_a_version_is_shown_with_its_document(iam, arn):
    add(iam, arn, "s3:*", SetAsDefault=True)
    first = iam.get_policy_version(PolicyArn=arn, VersionId="v1")["PolicyVersion"]
    second = iam.get_policy_version(PolicyArn=arn, VersionId="v2")["PolicyVersion"]
    assert (first["Document"], first["IsDefaultVersion"]) == (document("sqs:*"), False)
    assert (second["Document"], second["IsDefaultVersion"]) == (document("s3:*"), True)
    assert second["CreateDate"].tzinfo is not None


def test_what_is_in_force_decides(aws, iam, arn):
    """The default version is what those who have the policy may do, from the next request on."""
    ann = aws.user("ann")
    iam.attach_user_policy(UserName="ann", PolicyArn=arn)
    as_ann = aws.client("iam", ann)
    add(iam, arn, "iam:ListRoles", SetAsDefault=True)
    assert as_ann.list_roles()["Roles"] == []
    iam.set_default_policy_version(PolicyArn=arn, VersionId="v1")
    with pytest.raises(as_ann.exceptions.ClientError, match="is not authorized to perform: iam:ListRoles"):
        as_ann.list_roles()


def test_versions_are_listed_newest_first_and_in_pages(iam, arn, paged):
    add(iam, arn)
    add(iam, arn)
    listed = paged(iam.list_policy_versions, "Versions", PolicyArn=arn)
    assert [version["VersionId"] for version in listed] == ["v3", "v2", "v1"]
    assert [version["IsDefaultVersion"] for version in listed] == [False, False, True]
    assert all("Document" not in version for version in listed)


def test_awss_versions_are_shown_too(iam):
    version = iam.get_policy_version(PolicyArn=ADMINISTRATOR, VersionId="v1")["PolicyVersion"]
    assert version["IsDefaultVersion"] is True
    assert version["Document"]["Statement"] == [{"Effect": "Allow", "Action": "*", "Resource": "*"}]
    default = iam.get_policy(PolicyArn=READ_ONLY)["Policy"]["DefaultVersionId"]
    listed = iam.list_policy_versions(PolicyArn=READ_ONLY)["Versions"]
    assert [version["VersionId"] for version in listed if version["IsDefaultVersion"]] == [default]
    shown = iam.get_policy_version(PolicyArn=READ_ONLY, VersionId=default)["PolicyVersion"]
    assert shown["Document"]["Version"] == "2012-10-17"


def test_there_are_at_most_five_versions_and_numbers_are_never_used_again(iam, arn, refused):
    for _ in range(4):
        add(iam, arn)
    words = "A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing version."
    with refused("LimitExceeded", words):
        add(iam, arn)
    iam.delete_policy_version(PolicyArn=arn, VersionId="v5")
    iam.delete_policy_version(PolicyArn=arn, VersionId="v2")
    assert add(iam, arn)["VersionId"] == "v6"
    assert ids(iam, arn) == ["v6", "v4", "v3", "v1"]


def test_the_version_in_force_is_not_deleted(iam, arn, refused):
    add(iam, arn)
    with refused("DeleteConflict", "Cannot delete the default version of a policy."):
        iam.delete_policy_version(PolicyArn=arn, VersionId="v1")
    iam.set_default_policy_version(PolicyArn=arn, VersionId="v2")
    iam.delete_policy_version(PolicyArn=arn, VersionId="v1")
    assert ids(iam, arn) == ["v2"]


@pytest.mark.parametrize("operation", ["get_policy_version", "set_default_policy_version", "delete_policy_version"])
def test_a_version_that_is_not_there_is_not_found(iam, arn, refused, operation):
    with refused("NoSuchEntity", f"Policy {arn} version v2 does not exist or is not attachable."):
        getattr(iam, operation)(PolicyArn=arn, VersionId="v2")


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("create_policy_version", {"PolicyDocument": json.dumps(document("sqs:*"))}),
        ("get_policy_version", {"VersionId": "v1"}),
        ("list_policy_versions", {}),
        ("set_default_policy_version", {"VersionId": "v1"}),
        ("delete_policy_version", {"VersionId": "v1"}),
    ],
)
def test_a_policy_that_is_not_there_is_not_found(iam, refused, arn_of, operation, parameters):
    """AWS's answers to GetPolicyVersion and SetDefaultPolicyVersion, recorded in February 2026, name the version."""
    none = arn_of("policy/none")
    of_version = f"Policy {none} version v1 does not exist or is not attachable."
    with refused("NoSuchEntity", of_version if "VersionId" in parameters else f"Policy {none} was not found."):
        getattr(iam, operation)(PolicyArn=none, **parameters)


def test_a_malformed_version_is_not_kept(iam, arn, refused):
    with refused("MalformedPolicyDocument"):
        iam.create_policy_version(PolicyArn=arn, PolicyDocument="{")
    assert ids(iam, arn) == ["v1"]


CALLS = {
    "CreatePolicyVersion": {"PolicyDocument": json.dumps(document("sqs:*"))},
    "GetPolicyVersion": {"VersionId": "v1"},
    "ListPolicyVersions": {},
    "SetDefaultPolicyVersion": {"VersionId": "v1"},
    "DeletePolicyVersion": {"VersionId": "v1"},
}


@pytest.mark.parametrize("operation", CALLS)
def test_operations_are_denied_on_the_policys_arn(arn, denied, operation):
    denied(operation, arn, PolicyArn=arn, **CALLS[operation])


def test_each_operation_is_recorded_with_its_parameters(iam, arn, parameters_of):
    add(iam, arn, SetAsDefault=True)
    iam.get_policy_version(PolicyArn=arn, VersionId="v2")
    iam.list_policy_versions(PolicyArn=arn)
    iam.set_default_policy_version(PolicyArn=arn, VersionId="v1")
    iam.delete_policy_version(PolicyArn=arn, VersionId="v2")
    added = {"policyArn": arn, "policyDocument": json.dumps(document("sns:*")), "setAsDefault": True}
    assert parameters_of("CreatePolicyVersion") == added
    assert parameters_of("GetPolicyVersion") == {"policyArn": arn, "versionId": "v2"}
    assert parameters_of("ListPolicyVersions") == {"policyArn": arn}
    assert parameters_of("SetDefaultPolicyVersion") == {"policyArn": arn, "versionId": "v1"}
    assert parameters_of("DeletePolicyVersion") == {"policyArn": arn, "versionId": "v2"}


ACCOUNT = "123456789012"
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("create"), st.booleans()),
        st.tuples(st.sampled_from(["delete", "set default"]), st.integers(1, 8)),
    ),
    max_size=20,
)


@given(STEPS)
def test_whatever_is_done_one_of_at_most_five_versions_is_in_force_and_no_number_comes_twice(steps):
    change = Change(Snapshot(0, {}, {}))
    call = SimpleNamespace(account=change.draft(ACCOUNT), now=0, put=lambda record: change.put(ACCOUNT, record))
    text = json.dumps(document("sqs:*"))
    arn = policies.create_policy(call, policy_name="send", policy_document=text)["Policy"]["Arn"]
    given_numbers = ["v1"]
    for what, value in steps:
        try:
            if what == "create":
                added = policy_versions.create_policy_version(
                    call, policy_arn=arn, policy_document=text, set_as_default=value
                )
                given_numbers.append(added["PolicyVersion"]["VersionId"])
            elif what == "delete":
                policy_versions.delete_policy_version(call, policy_arn=arn, version_id=f"v{value}")
            else:
                policy_versions.set_default_policy_version(call, policy_arn=arn, version_id=f"v{value}")
        except (DeleteConflict, LimitExceeded, NoSuchEntity):
            continue
        [policy] = call.account.all(ManagedPolicy)
        assert 1 <= len(policy.versions) <= 5
        assert policy.document == text
        assert policy.last_version == len(given_numbers)
    assert given_numbers == [f"v{number}" for number in range(1, len(given_numbers) + 1)]
