"""What requests to Systems Manager are decided on: parameters and paths, documents on nodes, sessions, automations.

AWS: Systems Manager User Guide, "Restricting access to Parameter Store parameters using IAM policies"; API Reference,
GetParametersByPath.
"""

import pytest
from gateway.condition_keys import Caller, Key, check
from gateway.parameters import ACCOUNT, REGION, ROLE, SSM
from running import allow

PASSWORD, USER = f"{SSM}:parameter/shop/password", f"{SSM}:parameter/user"
DOCUMENT, OWNED = f"{SSM}:document/Clean", f"arn:aws:ssm:{REGION}::document/AWS-RunShellScript"
EC2, NODE = f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/i-0123456789abcdef0", f"{SSM}:managed-instance/mi-0123"
EVERY = [EC2.replace("i-0123456789abcdef0", "*"), NODE.replace("mi-0123", "*")]
RUNS = f"{SSM}:automation-execution/*"
ASSOCIATION = "11111111-2222-3333-4444-555555555555"
INSTANCE = EC2.rpartition("/")[2]
TAGS = [{"Key": "team", "Value": "blue"}]
SECRET = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:db-??????"


def on(action, *resources):
    return [(f"ssm:{action}", resource) for resource in resources]


CASES = [
    *[
        ("GetParameter", {"Name": name}, on("GetParameter", PASSWORD))
        for name in ("/shop/password", "/shop/password:3", PASSWORD, f"{PASSWORD}:prod")
    ],
    ("GetParameters", {"Names": ["/shop/password", "user"]}, on("GetParameters", PASSWORD, USER)),
    ("DeleteParameters", {"Names": ["user", "user"]}, on("DeleteParameters", USER)),
    ("GetParametersByPath", {"Path": "/shop/"}, on("GetParametersByPath", f"{SSM}:parameter/shop/")),
    (
        "GetParameter",
        {"Name": "/aws/reference/secretsmanager/db:1"},
        [*on("GetParameter", f"{SSM}:parameter/aws/reference/secretsmanager/db"), ("secretsmanager:GetSecretValue", SECRET)],
    ),
    (
        "PutParameter",
        {"Name": "/shop/password", "Value": "v", "Tags": TAGS},
        [*on("PutParameter", PASSWORD), *on("AddTagsToResource", PASSWORD)],
    ),
    ("GetDocument", {"Name": "AWS-RunShellScript"}, on("GetDocument", OWNED)),
    ("DescribeDocument", {"Name": DOCUMENT}, on("DescribeDocument", DOCUMENT)),
    (
        "SendCommand",
        {"DocumentName": "AWS-RunShellScript", "InstanceIds": [INSTANCE, "mi-0123"], "OutputS3BucketName": "logs-bucket"},
        on("SendCommand", OWNED, EC2, NODE, "arn:aws:s3:::logs-bucket"),
    ),
    (
        "SendCommand",
        {"DocumentName": "Clean", "Targets": [{"Key": "InstanceIds", "Values": [INSTANCE]}]},
        on("SendCommand", DOCUMENT, EC2),
    ),
    (
        "SendCommand",
        {"DocumentName": "Clean", "Targets": [{"Key": "tag:team", "Values": ["blue"]}]},
        on("SendCommand", DOCUMENT, *EVERY),
    ),
    ("StartSession", {"Target": INSTANCE}, on("StartSession", EC2, f"{SSM}:document/SSM-SessionManagerRunShell")),
    (
        "StartSession",
        {"Target": "ecs:main_0123_0123-456", "DocumentName": "Clean"},
        on("StartSession", f"arn:aws:ecs:{REGION}:{ACCOUNT}:task/main/0123", DOCUMENT),
    ),
    (
        "StartAutomationExecution",
        {"DocumentName": "Clean", "DocumentVersion": "3"},
        on("StartAutomationExecution", RUNS, DOCUMENT, f"{SSM}:automation-definition/Clean:3"),
    ),
    (
        "CreateAssociation",
        {"Name": "Clean", "InstanceId": INSTANCE},
        on("CreateAssociation", f"{SSM}:association/*", DOCUMENT, EC2),
    ),
    ("DeleteAssociation", {"Name": "Clean", "InstanceId": INSTANCE}, on("DeleteAssociation", f"{SSM}:association/*")),
    (
        "UpdateAssociation",
        {"AssociationId": ASSOCIATION},
        [*on("UpdateAssociation", f"{SSM}:association/{ASSOCIATION}"), *on("DescribeAssociation", f"{SSM}:association/{ASSOCIATION}")],
    ),
    ("AddTagsToResource", {"ResourceType": "Parameter", "ResourceId": "/shop/password", "Tags": TAGS},
     on("AddTagsToResource", PASSWORD)),
    ("AddTagsToResource", {"ResourceType": "PatchBaseline", "ResourceId": "pb-0123", "Tags": TAGS},
     on("AddTagsToResource", f"{SSM}:patchbaseline/pb-0123")),
    ("GetServiceSetting", {"SettingId": "/ssm/parameter-store/high-throughput-enabled"},
     on("GetServiceSetting", f"{SSM}:servicesetting/ssm/parameter-store/high-throughput-enabled")),
    ("GetOpsSummary", {}, on("GetOpsSummary", f"{SSM}:resource-data-sync/*")),
    ("DescribeParameters", {}, on("DescribeParameters", "*")),
]  # fmt: skip


@pytest.mark.parametrize(("name", "given", "wanted"), CASES)
def test_each_request_is_decided_on_what_it_touches(counted, name, given, wanted):
    told = counted.call("ssm", name, given)
    assert told.asked == wanted
    assert told.sent > 0


@pytest.mark.parametrize(
    ("name", "given"),
    [("GetParameter", {"Name": one})
     for one in ("/shop/*", "a?", "a:b:c", PASSWORD.replace(REGION, "eu-west-1"), PASSWORD.replace(":ssm:", ":s3:"))]
    + [("GetParametersByPath", {"Path": "shop"}), ("GetParametersByPath", {"Path": "/shop/*"}),
       ("StartSession", {"Target": "i-0*"}), ("GetMaintenanceWindow", {"WindowId": "mw-0123456789abcde/*"}),
       ("GetResourcePolicies", {"ResourceArn": "arn:aws:ssm:us-east-1:123456789012:parameter/*"})],
)  # fmt: skip
def test_what_names_nothing_plainly_is_refused(counted, name, given):
    told = counted.call("ssm", name, given)
    assert (told.status, told.code, told.sent) == (400, "ValidationException", 0)


def test_resource_policies_are_refused_by_name(counted):
    told = counted.call("ssm", "PutResourcePolicy", {"ResourceArn": PASSWORD, "Policy": "{}"})
    assert (told.code, told.sent) == ("AccessDeniedException", 0)
    assert "does not keep resource policies" in told.message


def test_one_denied_parameter_of_a_list_denies_the_request(counted):
    caller = Caller.new(counted, "ssm-list")
    caller.may(allow("ssm:GetParameters", PASSWORD))
    assert caller.call("ssm", "GetParameters", {"Names": ["/shop/password"]}).sent > 0
    told = caller.call("ssm", "GetParameters", {"Names": ["/shop/password", "user"]})
    assert (told.sent, told.code) == (0, "AccessDeniedException")


def test_a_secret_behind_a_parameter_needs_the_right_to_the_secret(counted):
    caller = Caller.new(counted, "ssm-secret")
    caller.may(allow("ssm:*"))
    for name in ("/aws/reference/secretsmanager/db", f"{SSM}:parameter/aws/reference/secretsmanager/db"):
        assert caller.call("ssm", "GetParameter", {"Name": name}).sent == 0


@pytest.mark.parametrize(
    ("name", "given"),
    [("CreateActivation", {"IamRole": "app"}),
     ("SendCommand", {"DocumentName": "Clean", "InstanceIds": [INSTANCE], "ServiceRoleArn": ROLE}),
     ("StartAutomationExecution", {"DocumentName": "Clean", "Parameters": {"AutomationAssumeRole": [ROLE]}})],
)  # fmt: skip
def test_a_role_is_handed_over_by_who_may(counted, name, given):
    told = counted.call("ssm", name, given)
    assert ("iam:PassRole", ROLE) in told.asked
    assert told.context("iam:PassRole")["iam:passedtoservice"] == "ssm.amazonaws.com"
    caller = Caller.new(counted, f"ssm-roles-{name}")
    caller.may(allow("ssm:*"))
    assert caller.call("ssm", name, given).sent == 0


PUT = ("ssm:PutParameter", "PutParameter")
VALUE = {"Name": "user", "Value": "v"}
KEYS = [
    Key("ssm:Overwrite", "false", *PUT, VALUE, VALUE | {"Overwrite": True}),
    Key("ssm:Recursive", "true", "ssm:GetParametersByPath", "GetParametersByPath", {"Path": "/a", "Recursive": True},
        {"Path": "/a"}),
    Key("ssm:Policies", "[]", *PUT, VALUE | {"Policies": "[]"}, VALUE),
    Key("ssm:SyncType", "SyncToDestination", "ssm:DeleteResourceDataSync", "DeleteResourceDataSync", {"SyncName": "s"},
        {"SyncName": "s", "SyncType": "SyncFromSource"}),
    Key("ssm:InventoryTypeName", "Custom:A", "ssm:PutInventory", "PutInventory",
        {"InstanceId": INSTANCE, "Items": [{"TypeName": "Custom:A", "SchemaVersion": "1.0", "CaptureTime": "2026-01-01T00:00:00Z"}]},
        {"InstanceId": INSTANCE, "Items": [{"TypeName": "Custom:B", "SchemaVersion": "1.0", "CaptureTime": "2026-01-01T00:00:00Z"}]},
        "ForAllValues:StringEquals"),
    Key("aws:RequestTag/team", "blue", *PUT, VALUE | {"Tags": TAGS}, VALUE),
]  # fmt: skip


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_a_key_has_its_value_and_decides(counted, key):
    name = f"ssm-{key.name.rpartition(':')[2].replace('/', '-')}-{key.operation}"
    check(Caller.new(counted, name), "ssm", key)
