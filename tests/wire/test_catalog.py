"""The generated file says what botocore's models say, and names are spelt as botocore spells them."""

import importlib.util
from pathlib import Path

from botocore import xform_name
from botocore.loaders import create_loader

from iamd.wire import models
from iamd.wire.catalog import CATALOG, FURTHER_PROTOCOLS

ROOT = Path(__file__).resolve().parents[2]


def test_the_file_is_what_the_tool_writes_from_botocore():
    spec = importlib.util.spec_from_file_location("tool", ROOT / "tools" / "write_service_catalog.py")
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    written = (ROOT / "src" / "iamd" / "wire" / "services.json").read_text("utf-8")
    loader = create_loader()
    of_botocore = [name for name, entry in CATALOG.by_name.items() if entry.folder != "own"]
    assert of_botocore == sorted(loader.list_available_services("service-2"))
    names = ("iam", "sts", "s3", "sqs", "cloudwatch", "logs", "sso-oidc", "ec2", "signin", "timestream-write")
    for name in names:
        assert tool.line(loader, name) in written


def test_every_model_has_the_protocols_the_file_says():
    for name in ("iam", "sqs", "cloudwatch", "logs", "secretsmanager", "ec2", "s3"):
        said = create_loader().load_service_model(name, "service-2")["metadata"]
        further = FURTHER_PROTOCOLS.get(name, ())
        assert set(CATALOG.by_name[name].protocols) == {said["protocol"], *said.get("protocols", ()), *further}
        assert models.service(name).protocol == said["protocol"]


def test_operations_and_members_are_spelt_as_botocore_spells_them():
    for name in ("iam", "sts", "s3", "dynamodb", "signin", "storagegateway"):
        service = models.service(name)
        for operation in service.operation_names:
            assert models.to_snake(operation) == xform_name(operation)
            shape = service.operation(operation).input
            for member in shape.members if shape else ():
                assert models.to_snake(member) == xform_name(member)


def test_an_operation_is_one_object():
    service = models.service("sqs")
    assert service.operation("SendMessage") is service.operation("SendMessage", models.Protocol.JSON)
    assert service.operation("SendMessage", models.Protocol.QUERY) is not service.operation("SendMessage")


def test_operations_without_a_signature_are_those_of_the_models():
    unsigned = {
        f"{name}:{operation}"
        for name in ("iam", "sts", "sso", "sso-oidc", "signin", "organizations", "sso-admin", "cloudtrail")
        for operation in models.service(name).operation_names
        if models.service(name).operation(operation).unsigned
    }
    assert unsigned == {
        "sts:AssumeRoleWithSAML",
        "sts:AssumeRoleWithWebIdentity",
        "sso:GetRoleCredentials",
        "sso:ListAccountRoles",
        "sso:ListAccounts",
        "sso:Logout",
        "sso-oidc:CreateToken",
        "sso-oidc:RegisterClient",
        "sso-oidc:StartDeviceAuthorization",
        "signin:CreateOAuth2Token",
        "signin:CreateOAuth2TokenWithTokenExchange",
    }


def test_shapes_that_hold_themselves_are_built_once():
    operation = models.service("dynamodb").operation("PutItem")
    value = operation.input.members["Item"].shape.value.shape
    assert value.members["M"].shape.value.shape is value
