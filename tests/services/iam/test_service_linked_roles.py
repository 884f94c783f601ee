"""Service-linked roles through boto3: made for a service, protected, deleted by a task."""

import json
from typing import Any

import pytest

SERVICE = "autoscaling.amazonaws.com"
NAME = "AWSServiceRoleForAutoScaling"
PATH = f"/aws-service-role/{SERVICE}/"
POLICY = "arn:aws:iam::aws:policy/aws-service-role/AutoScalingServiceRolePolicy"
DOCUMENT = json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}})
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"},
    },
)
READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"


def create(iam: Any, **parameters: Any) -> Any:
    return iam.create_service_linked_role(AWSServiceName=SERVICE, **parameters)["Role"]


def test_the_role_has_its_services_name_trust_and_policy(iam, arn_of):
    created = create(iam)
    role = iam.get_role(RoleName=NAME)["Role"]
    assert (role["Path"], role["Arn"]) == (PATH, arn_of(f"role{PATH}{NAME}"))
    assert role["RoleId"] == created["RoleId"]
    [statement] = role["AssumeRolePolicyDocument"]["Statement"]
    assert statement == {"Effect": "Allow", "Principal": {"Service": SERVICE}, "Action": "sts:AssumeRole"}
    [attached] = iam.list_attached_role_policies(RoleName=NAME)["AttachedPolicies"]
    assert attached["PolicyArn"] == POLICY


def test_a_role_has_no_description_but_that_which_was_given(iam):
    """AWS's answers to CreateServiceLinkedRole and GetRole, recorded in September 2026."""
    [statement] = create(iam)["AssumeRolePolicyDocument"]["Statement"]
    assert list(statement.items()) == [
        ("Action", ["sts:AssumeRole"]),
        ("Effect", "Allow"),
        ("Principal", {"Service": [SERVICE]}),
    ]
    assert "Description" not in iam.get_role(RoleName=NAME)["Role"]


def test_a_description_and_a_suffix_may_be_chosen(iam):
    create(iam)
    made = create(iam, CustomSuffix="blue", Description="mine")
    assert not {"Description", "MaxSessionDuration"} & made.keys()
    assert iam.get_role(RoleName=f"{NAME}_blue")["Role"]["Description"] == "mine"
    assert len(iam.list_roles(PathPrefix=PATH)["Roles"]) == 2


def test_a_name_is_taken_once(iam, refused):
    create(iam)
    words = f"Service role name {NAME} has been taken in this account, please try a different suffix."
    with refused("InvalidInput", words):
        create(iam)


def test_few_services_let_a_suffix_be_chosen(iam, refused):
    with refused("InvalidInput", "Custom suffix is not allowed for es.amazonaws.com"):
        iam.create_service_linked_role(AWSServiceName="es.amazonaws.com", CustomSuffix="x")


def test_a_suffix_leaves_the_name_within_64_characters(iam, refused):
    room = 64 - len(NAME) - 1
    create(iam, CustomSuffix="x" * room)
    with refused("InvalidInput"):
        create(iam, CustomSuffix="x" * (room + 1))


@pytest.mark.parametrize("service", ["account.amazonaws.com", "AutoScaling.amazonaws.com"])
def test_other_services_have_no_such_role(iam, refused, service):
    with refused("AccessDenied", f"Cannot find Service Linked Role template for {service}"):
        iam.create_service_linked_role(AWSServiceName=service)


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("update_assume_role_policy", {"PolicyDocument": TRUST}),
        ("attach_role_policy", {"PolicyArn": READ_ONLY}),
        ("detach_role_policy", {"PolicyArn": POLICY}),
        ("put_role_policy", {"PolicyName": "p", "PolicyDocument": DOCUMENT}),
        ("delete_role_policy", {"PolicyName": "p"}),
        ("put_role_permissions_boundary", {"PermissionsBoundary": READ_ONLY}),
        ("delete_role_permissions_boundary", {}),
        ("add_role_to_instance_profile", {"InstanceProfileName": "box"}),
        ("remove_role_from_instance_profile", {"InstanceProfileName": "box"}),
        ("delete_role", {}),
    ],
)
def test_the_role_is_the_services_own(iam, refused, operation, parameters):
    create(iam)
    iam.create_instance_profile(InstanceProfileName="box")
    before = iam.get_account_authorization_details(Filter=["Role"])["RoleDetailList"]
    words = f"Cannot perform the operation on the protected role '{NAME}' - this role is only modifiable by AWS"
    with refused("UnmodifiableEntity", words):
        getattr(iam, operation)(RoleName=NAME, **parameters)
    assert iam.get_account_authorization_details(Filter=["Role"])["RoleDetailList"] == before


def test_its_sessions_are_as_long_as_the_service_has_them(iam, refused):
    create(iam)
    words = f"{NAME} is an AWS service linked role, max session duration cannot be changed."
    with refused("UnmodifiableEntity", words):
        iam.update_role(RoleName=NAME, Description="new", MaxSessionDuration=7200)
    role = iam.get_role(RoleName=NAME)["Role"]
    assert (role["MaxSessionDuration"], role.get("Description") != "new") == (3600, True)


def test_its_description_and_tags_may_be_changed(iam):
    create(iam)
    iam.update_role(RoleName=NAME, Description="one")
    assert iam.get_role(RoleName=NAME)["Role"]["Description"] == "one"
    iam.update_role_description(RoleName=NAME, Description="two")
    iam.tag_role(RoleName=NAME, Tags=[{"Key": "Team", "Value": "blue"}])
    role = iam.get_role(RoleName=NAME)["Role"]
    assert (role["Description"], role["Tags"]) == ("two", [{"Key": "Team", "Value": "blue"}])


def test_a_task_deletes_the_role(iam, refused):
    create(iam)
    task_id = iam.delete_service_linked_role(RoleName=NAME)["DeletionTaskId"]
    assert task_id.startswith(f"task{PATH}{NAME}/")
    status = iam.get_service_linked_role_deletion_status(DeletionTaskId=task_id)
    assert status["Status"] == "SUCCEEDED"
    assert "Reason" not in status
    with refused("NoSuchEntity"):
        iam.get_role(RoleName=NAME)


def test_an_ordinary_role_is_not_deleted_so(iam, refused):
    iam.create_role(RoleName="app", AssumeRolePolicyDocument=TRUST)
    """AWS's answer, recorded in September 2026."""
    with refused("NoSuchEntity", "app exists but is not a service role."):
        iam.delete_service_linked_role(RoleName="app")
    with refused("NoSuchEntity", "The role with name none cannot be found."):
        iam.delete_service_linked_role(RoleName="none")
    assert iam.get_role(RoleName="app")["Role"]["RoleName"] == "app"


def test_tasks_are_forgotten_after_a_week(aws, iam, refused):
    create(iam)
    create(iam, CustomSuffix="blue")
    first = iam.delete_service_linked_role(RoleName=NAME)["DeletionTaskId"]
    aws.advance(8 * 24 * 3600)
    second = iam.delete_service_linked_role(RoleName=f"{NAME}_blue")["DeletionTaskId"]
    assert iam.get_service_linked_role_deletion_status(DeletionTaskId=second)["Status"] == "SUCCEEDED"
    with refused("NoSuchEntity"):
        iam.get_service_linked_role_deletion_status(DeletionTaskId=first)


def test_what_is_no_task_is_refused(iam, refused):
    with refused("InvalidInput", "Invalid task id"):
        iam.get_service_linked_role_deletion_status(DeletionTaskId="task/app/1")
    with refused("NoSuchEntity", "Cannot find deletion status for given id."):
        iam.get_service_linked_role_deletion_status(DeletionTaskId=f"task{PATH}{NAME}/1")


def test_operations_are_denied_on_the_roles_arn(iam, denied, arn_of):
    arn = arn_of(f"role{PATH}{NAME}")
    denied("CreateServiceLinkedRole", f"{arn}_blue", AWSServiceName=SERVICE, CustomSuffix="blue")
    create(iam)
    denied("DeleteServiceLinkedRole", arn, RoleName=NAME)
    denied("GetServiceLinkedRoleDeletionStatus", arn, DeletionTaskId=f"task{PATH}{NAME}/1")


def test_the_service_is_a_condition_key(aws, refused):
    """Policies that AWS publishes allow CreateServiceLinkedRole for one value of iam:AWSServiceName."""
    allowed = {
        "Effect": "Allow",
        "Action": "iam:CreateServiceLinkedRole",
        "Resource": "*",
        "Condition": {"StringEquals": {"iam:AWSServiceName": SERVICE}},
    }
    ann = aws.client("iam", aws.user("ann", allowed))
    with refused("AccessDenied"):
        ann.create_service_linked_role(AWSServiceName="ecs.amazonaws.com")
    assert create(ann)["RoleName"] == NAME


def test_each_operation_is_recorded_with_its_parameters(iam, parameters_of):
    create(iam, Description="d")
    task_id = iam.delete_service_linked_role(RoleName=NAME)["DeletionTaskId"]
    iam.get_service_linked_role_deletion_status(DeletionTaskId=task_id)
    assert parameters_of("CreateServiceLinkedRole") == {"aWSServiceName": SERVICE, "description": "d"}
    assert parameters_of("DeleteServiceLinkedRole") == {"roleName": NAME}
    assert parameters_of("GetServiceLinkedRoleDeletionStatus") == {"deletionTaskId": task_id}
