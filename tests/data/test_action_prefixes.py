import pytest
from botocore.loaders import Loader

from iamd.data import service_reference
from iamd.data.action_prefixes import EXCEPTIONS, OPERATION_EXCEPTIONS, action_prefix

LOADER = Loader()
SERVICES = LOADER.list_available_services("service-2")

# Services that botocore still has and the reference no longer or not yet has; their requests are refused.
WITHOUT_ACTIONS = {"applicationcostprofiler", "connectparticipant", "iotthingsgraph", "opensearchmemory"}


def signing_name(name):
    metadata = LOADER.load_service_model(name, "service-2")["metadata"]
    return metadata.get("signingName") or metadata["endpointPrefix"]


@pytest.fixture(scope="module")
def mapped():
    return {name: action_prefix(name, signing_name(name)) for name in SERVICES}


def test_every_service_of_botocore_has_a_known_prefix_or_is_named_here(mapped):
    assert {name for name, prefix in mapped.items() if prefix is None} == WITHOUT_ACTIONS
    assert all(service_reference.service(prefix) for prefix in mapped.values() if prefix)


@pytest.mark.parametrize(
    ("name", "prefix"),
    [
        ("s3", "s3"),
        ("s3control", "s3"),
        ("elb", "elasticloadbalancing"),
        ("elbv2", "elasticloadbalancing"),
        ("logs", "logs"),
        ("cloudwatch", "cloudwatch"),
        ("dynamodbstreams", "dynamodb"),
        ("emr", "elasticmapreduce"),
        ("stepfunctions", "states"),
        ("efs", "elasticfilesystem"),
        ("iot-data", "iot"),
        ("resourcegroupstaggingapi", "tag"),
        ("cloudcontrol", "cloudformation"),
        ("mturk", "mechanicalturk"),
        ("sesv2", "ses"),
        ("opensearch", "es"),
        ("apigatewayv2", "apigateway"),
    ],
)
def test_prefixes_are_those_of_the_reference(mapped, name, prefix):
    assert mapped[name] == prefix


def test_every_exception_is_needed_and_has_the_operations_as_actions():
    for name, prefix in EXCEPTIONS.items():
        assert signing_name(name) != prefix
        operations = LOADER.load_service_model(name, "service-2")["operations"]
        known = [operation for operation in operations if service_reference.action(prefix, operation)]
        assert len(known) >= 0.8 * len(operations), name


def test_operation_exceptions_are_actions_there_and_not_elsewhere():
    for (name, operation), prefix in OPERATION_EXCEPTIONS.items():
        assert action_prefix(name, signing_name(name), operation) == prefix
        assert service_reference.action(prefix, operation)
        assert not service_reference.action(action_prefix(name, signing_name(name)), operation)


def test_a_service_nobody_knows_has_no_prefix():
    assert action_prefix("newthing", "newthing") is None


def test_a_service_that_is_new_goes_by_its_signing_name():
    assert action_prefix("s3newdoor", "s3") == "s3"
