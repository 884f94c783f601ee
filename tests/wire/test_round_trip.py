"""Every operation of iamd's own services: botocore's client on the other side understands us, and we it."""

import pytest
from wire.samples import Samples, model, parsed, request

from iamd.wire import models, parse, route, serialize

OWN = (
    "iam",
    "sts",
    "cloudtrail",
    "organizations",
    "sso-admin",
    "identitystore",
    "sso",
    "sso-oidc",
    "rolesanywhere",
    "accessanalyzer",
    "signin",
)
SEEDS = range(5)


@pytest.mark.parametrize("name", OWN)
def test_requests_of_botocore_are_routed_and_parsed_to_the_same_parameters(name):
    described = model(name)
    for operation_name in described.operation_names:
        operation = described.operation_model(operation_name)
        for seed in SEEDS:
            given = Samples(seed).structure(operation.input_shape) if operation.input_shape else {}
            sent = request(operation, given, protocol=described.protocol)
            found = route.operation_of(sent, described.signing_name)
            assert (found.service, found.operation.name) == (name, operation_name)
            assert parse.parameters(found, sent) == given, (operation_name, seed)


@pytest.mark.parametrize("name", OWN)
def test_results_are_read_by_botocore_as_they_were(name):
    described = model(name)
    for operation_name in described.operation_names:
        operation = described.operation_model(operation_name)
        for seed in SEEDS:
            result = Samples(seed).structure(operation.output_shape) if operation.output_shape else {}
            spoken = models.service(name).operation(operation_name)
            response = serialize.response(spoken, result, "a-request-id")
            read = parsed(operation, response, protocol=described.protocol)
            metadata = read.pop("ResponseMetadata")
            assert metadata["RequestId"] == "a-request-id"
            assert read == result, (operation_name, seed)
