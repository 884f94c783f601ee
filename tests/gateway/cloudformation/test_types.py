"""Every row of types.toml is made of operations, parameters and actions that exist."""

import pytest

from iamd.data import service_reference
from iamd.data.action_prefixes import action_prefix
from iamd.gateway.cloudformation import types
from iamd.wire.models import service


@pytest.mark.parametrize("name", types.names())
def test_a_row_names_what_exists(name):
    row = types.of(name)
    assert row is not None
    if row.create is None:
        assert (row.given, row.also, row.update) == ({}, {}, ())
        return
    model = service(row.service)
    assert row.delete is not None
    assert row.delete.partition(":")[0] == row.service
    for operation in (row.create, row.delete):
        assert model.has(operation.partition(":")[2])
    prefix = action_prefix(row.service, model.signing_name, row.create.partition(":")[2])
    named = [row.delete.partition(":")[2], *row.update, *(text.partition(" on ")[0] for text in row.also.values())]
    for action in named:
        assert service_reference.action(prefix, action) is not None, action
    members = model.operation(row.create.partition(":")[2]).input.members
    for parameter in row.given.values():
        assert parameter.partition(".")[0] in members, parameter
    assert row.name is None or row.name in row.given


def test_iam_has_no_row():
    assert not [name for name in types.names() if name.startswith("AWS::IAM::")]


def test_no_row_sets_a_policy():
    named = [(name, given) for name in types.names() for given in (*types.of(name).given, *types.of(name).free)]
    assert not [pair for pair in named if "PolicyDocument" in pair[1] or pair[1] == "ResourcePolicy"]
