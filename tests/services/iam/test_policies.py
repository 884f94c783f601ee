"""Managed policies through boto3: the customer's own, and AWS's."""

import json

import pytest
from running import allow

DOCUMENT = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}]}
TEXT = json.dumps(DOCUMENT)
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"
SERVICE_ROLE = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"


def create(iam, name="send", **parameters):
    return iam.create_policy(PolicyName=name, PolicyDocument=TEXT, **parameters)["Policy"]


def test_a_policy_is_shown_as_it_was_created(iam, arn_of):
    created = create(iam, Path="/team/", Description="sends", Tags=[{"Key": "Team", "Value": "blue"}])
    policy = iam.get_policy(PolicyArn=arn_of("policy/team/send"))["Policy"]
    assert policy == created | {"Description": "sends"}
    assert policy["PolicyId"].startswith("ANPA")
    assert policy["CreateDate"] == policy["UpdateDate"]
    assert policy == {
        "PolicyName": "send",
        "PolicyId": policy["PolicyId"],
        "Arn": arn_of("policy/team/send"),
        "Path": "/team/",
        "DefaultVersionId": "v1",
        "AttachmentCount": 0,
        "PermissionsBoundaryUsageCount": 0,
        "IsAttachable": True,
        "Description": "sends",
        "CreateDate": policy["CreateDate"],
        "UpdateDate": policy["UpdateDate"],
        "Tags": [{"Key": "Team", "Value": "blue"}],
    }
    version = iam.get_policy_version(PolicyArn=policy["Arn"], VersionId="v1")["PolicyVersion"]
    assert version["Document"] == DOCUMENT


def test_a_new_policy_is_answered_without_description_and_with_the_tags_that_it_has(iam):
    """AWS's answers to CreatePolicy, recorded in February and September 2026; GetPolicy has both members."""
    created = create(iam, Description="sends")
    assert not {"Description", "Tags"} & created.keys()
    policy = iam.get_policy(PolicyArn=created["Arn"])["Policy"]
    assert (policy["Description"], policy["Tags"]) == ("sends", [])


def test_tags_are_answered_as_they_were_given_and_shown_by_key(iam):
    """AWS's answers, recorded in February 2026."""
    tags = [{"Key": "a", "Value": "lowercase"}, {"Key": "A", "Value": "uppercase"}]
    created = create(iam, Tags=tags)
    assert created["Tags"] == tags
    assert iam.get_policy(PolicyArn=created["Arn"])["Policy"]["Tags"] == tags[::-1]


def test_attachments_and_boundaries_are_counted(iam):
    arn = create(iam)["Arn"]
    iam.create_user(UserName="ann", PermissionsBoundary=arn)
    iam.create_group(GroupName="devs")
    iam.attach_user_policy(UserName="ann", PolicyArn=arn)
    iam.attach_group_policy(GroupName="devs", PolicyArn=arn)
    policy = iam.get_policy(PolicyArn=arn)["Policy"]
    assert (policy["AttachmentCount"], policy["PermissionsBoundaryUsageCount"]) == (2, 1)


def test_awss_policies_are_shown_with_the_accounts_counts(iam):
    """The administrator who asks has AdministratorAccess."""
    policy = iam.get_policy(PolicyArn=ADMINISTRATOR)["Policy"]
    assert (policy["PolicyName"], policy["Path"], policy["AttachmentCount"]) == ("AdministratorAccess", "/", 1)
    assert policy["Description"] == "Provides full access to AWS services and resources."
    service = iam.get_policy(PolicyArn=SERVICE_ROLE)["Policy"]
    assert (service["Path"], "Description" in service) == ("/service-role/", False)


def test_a_root_task_has_the_id_and_description_that_aws_shows(iam):
    """AWS's answer to GetPolicy, recorded in September 2026."""
    arn = "arn:aws:iam::aws:policy/root-task/SQSUnlockQueuePolicy"
    policy = iam.get_policy(PolicyArn=arn)["Policy"]
    assert (policy["PolicyId"], policy["Arn"], policy["DefaultVersionId"]) == ("ANPAZKAPJZG4HPZI4FDUV", arn, "v1")
    assert policy["Description"].startswith("Provides access required to unlock a SQS queue policy using the Security")
    [listed] = iam.list_policies(PathPrefix="/root-task/", MaxItems=1000)["Policies"][-1:]
    assert (listed["PolicyId"], "Description" in listed) == (policy["PolicyId"], False)


def test_listings_leave_out_description_and_tags(iam):
    create(iam, Description="sends", Tags=[{"Key": "a", "Value": "b"}])
    [policy] = iam.list_policies(Scope="Local")["Policies"]
    assert policy["PolicyName"] == "send"
    assert not {"Description", "Tags"} & policy.keys()


def test_policies_are_listed_by_owner(iam):
    own = create(iam)["Arn"]

    def arns(**parameters):
        pages = iam.get_paginator("list_policies").paginate(PaginationConfig={"PageSize": 1000}, **parameters)
        return {policy["Arn"] for page in pages for policy in page["Policies"]}

    assert arns(Scope="Local") == {own}
    assert own not in arns(Scope="AWS")
    assert ADMINISTRATOR in arns(Scope="AWS")
    assert arns() == arns(Scope="All") == arns(Scope="AWS") | {own}


def test_policies_are_listed_by_path_and_in_pages(iam, paged):
    create(iam, "b", Path="/team/")
    create(iam, "a", Path="/team/x/")
    create(iam, "c")
    listed = paged(iam.list_policies, "Policies", Scope="Local", PathPrefix="/team/")
    assert sorted(policy["PolicyName"] for policy in listed) == ["a", "b"]


def test_policies_are_listed_by_use(iam):
    attached, limiting = create(iam, "attached")["Arn"], create(iam, "limiting")["Arn"]
    create(iam, "idle")
    iam.create_user(UserName="ann", PermissionsBoundary=limiting)
    iam.attach_user_policy(UserName="ann", PolicyArn=attached)

    def names(**parameters):
        return {policy["PolicyName"] for policy in iam.list_policies(**parameters)["Policies"]}

    assert names(Scope="Local", OnlyAttached=True) == {"attached", "limiting"}
    assert names(Scope="Local", OnlyAttached=False) == {"attached", "limiting", "idle"}
    for usage, used in (("PermissionsPolicy", "attached"), ("PermissionsBoundary", "limiting")):
        assert names(Scope="Local", OnlyAttached=True, PolicyUsageFilter=usage) == {used}
        assert names(Scope="Local", PolicyUsageFilter=usage) == {"attached", "limiting", "idle"}
    assert names(OnlyAttached=True) == {"attached", "limiting", "AdministratorAccess"}


def test_a_deleted_policy_is_gone(iam, refused):
    arn = create(iam)["Arn"]
    iam.delete_policy(PolicyArn=arn)
    with refused("NoSuchEntity", f"Policy {arn} was not found."):
        iam.get_policy(PolicyArn=arn)
    with refused("NoSuchEntity", f"Policy {arn} was not found."):
        iam.delete_policy(PolicyArn=arn)


def test_a_policy_in_use_is_not_deleted(iam, refused):
    arn = create(iam)["Arn"]
    iam.create_user(UserName="ann")
    iam.attach_user_policy(UserName="ann", PolicyArn=arn)
    with refused("DeleteConflict", "Cannot delete a policy attached to entities."):
        iam.delete_policy(PolicyArn=arn)
    iam.detach_user_policy(UserName="ann", PolicyArn=arn)
    iam.put_user_permissions_boundary(UserName="ann", PermissionsBoundary=arn)
    with refused("DeleteConflict", "Cannot delete a policy attached to entities."):
        iam.delete_policy(PolicyArn=arn)


def test_a_policy_with_further_versions_is_not_deleted(iam, refused):
    arn = create(iam)["Arn"]
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=TEXT)
    words = (
        "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. "
        "The default version is deleted with the policy."
    )
    with refused("DeleteConflict", words):
        iam.delete_policy(PolicyArn=arn)


def test_names_that_differ_in_case_alone_collide_whatever_the_path(iam, refused):
    create(iam)
    with refused("EntityAlreadyExists", "A policy called Send already exists. Duplicate names are not allowed."):
        create(iam, "Send", Path="/team/")


def test_a_policy_may_have_the_name_of_one_of_awss(iam, arn_of):
    assert create(iam, "AdministratorAccess")["Arn"] == arn_of("policy/AdministratorAccess")


def test_a_document_has_at_most_6144_characters_that_are_not_white_space(iam, refused):
    statement = {**DOCUMENT["Statement"][0], "Sid": ""}
    room = 6144 - len(json.dumps({**DOCUMENT, "Statement": [statement]}, separators=(",", ":")))

    def document(length):
        return json.dumps({**DOCUMENT, "Statement": [{**statement, "Sid": "s" * length}]}, indent=8)

    arn = iam.create_policy(PolicyName="big", PolicyDocument=document(room))["Policy"]["Arn"]
    for call, named in ((iam.create_policy, {"PolicyName": "bigger"}), (iam.create_policy_version, {"PolicyArn": arn})):
        with refused("LimitExceeded", "Cannot exceed quota for PolicySize: 6144"):
            call(PolicyDocument=document(room + 1), **named)


@pytest.mark.parametrize("document", ["{", json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow"}]})])
def test_what_is_no_policy_is_malformed(iam, refused, document):
    with refused("MalformedPolicyDocument"):
        iam.create_policy(PolicyName="send", PolicyDocument=document)
    assert iam.list_policies(Scope="Local")["Policies"] == []


def test_a_policy_without_a_proper_arn_is_invalid(iam, refused):
    with refused("InvalidInput", "ARN twenty-characters-at-least is not valid."):
        iam.get_policy(PolicyArn="twenty-characters-at-least")


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("delete_policy", {}),
        ("create_policy_version", {"PolicyDocument": TEXT, "SetAsDefault": True}),
        ("set_default_policy_version", {"VersionId": "v1"}),
        ("delete_policy_version", {"VersionId": "v1"}),
        ("tag_policy", {"Tags": [{"Key": "a", "Value": "b"}]}),
        ("untag_policy", {"TagKeys": ["a"]}),
    ],
)
def test_nobody_changes_policies_of_aws_or_of_another_account(iam, refused, operation, parameters):
    before = iam.get_policy(PolicyArn=READ_ONLY)["Policy"]
    for arn in (READ_ONLY, "arn:aws:iam::999999999999:policy/send"):
        with refused("AccessDenied"):
            getattr(iam, operation)(PolicyArn=arn, **parameters)
    assert iam.get_policy(PolicyArn=READ_ONLY)["Policy"] == before


def test_creating_a_policy_is_denied_on_the_arn_it_would_have(denied, arn_of):
    denied("CreatePolicy", arn_of("policy/team/send"), PolicyName="send", Path="/team/", PolicyDocument=TEXT)


@pytest.mark.parametrize("operation", ["GetPolicy", "DeletePolicy"])
def test_operations_on_a_policy_are_denied_on_its_arn(iam, denied, operation):
    arn = create(iam, Path="/team/")["Arn"]
    denied(operation, arn, PolicyArn=arn)


def test_awss_policies_are_shown_to_whom_it_is_allowed(denied):
    denied("GetPolicy", READ_ONLY, PolicyArn=READ_ONLY)


def test_listing_policies_is_denied_on_the_path(denied):
    denied("ListPolicies", "policy path /team/", PathPrefix="/team/")


def test_policies_are_listed_by_who_may_do_so_on_every_resource(aws, refused, arn_of):
    with refused("AccessDenied"):
        aws.client("iam", aws.user("some", allow("iam:ListPolicies", arn_of("policy/*")))).list_policies()
    every = aws.client("iam", aws.user("every", allow("iam:ListPolicies")))
    assert every.list_policies(Scope="Local")["Policies"] == []


def test_each_operation_is_recorded_with_its_parameters(iam, parameters_of):
    arn = create(iam, Description="sends")["Arn"]
    iam.get_policy(PolicyArn=arn)
    iam.list_policies(Scope="Local", OnlyAttached=True)
    iam.delete_policy(PolicyArn=arn)
    created = {"policyName": "send", "policyDocument": TEXT, "description": "sends"}
    assert parameters_of("CreatePolicy") == created
    assert parameters_of("GetPolicy") == parameters_of("DeletePolicy") == {"policyArn": arn}
    assert parameters_of("ListPolicies") == {"scope": "Local", "onlyAttached": True}
