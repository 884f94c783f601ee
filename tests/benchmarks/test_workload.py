"""The workload of the decision benchmark: what its statements and requests are."""

import pytest
from decisions import in_aws, workload

from iamd.policy.document import PolicyType, validate

SIZES = (1, 10, 100, 1_000, 10_000)


def allows(statements):
    ours = in_aws.Iamd()
    ours.load(in_aws.documents(statements))
    return lambda ask: ours.decide(ours.prepare(ask))


@pytest.mark.parametrize("size", SIZES)
def test_half_of_the_requests_are_allowed(size):
    made = workload.statements(size)
    is_allowed = allows(made)
    asks = workload.balanced(made, 100, is_allowed)
    assert len(asks) == 100
    assert sum(map(is_allowed, asks)) == 50


def test_requests_are_the_same_each_time():
    made = workload.statements(10)
    assert made == workload.statements(10)
    assert workload.balanced(made, 20, allows(made)) == workload.balanced(made, 20, allows(made))


def test_statements_that_allow_nothing_are_no_workload():
    made = workload.statements(10)
    with pytest.raises(ValueError, match="of 10 statements, 5 allowed and 0 denied requests are missing"):
        workload.balanced(made, 10, lambda _: False)


def test_policies_have_every_statement_once():
    made = workload.statements(100)
    policies = workload.policies(made)
    assert [one for policy in policies for one in policy["Statement"]] == made
    assert max(len(policy["Statement"]) for policy in policies) == workload.STATEMENTS_PER_POLICY


def test_aws_would_store_the_policies():
    for text in in_aws.documents(workload.statements(1_000)):
        validate(text, PolicyType.IDENTITY)


def test_statements_are_a_mixture():
    made = workload.statements(1_000)
    assert 100 < sum(one["Effect"] == "Deny" for one in made) < 200
    assert 250 < sum("Condition" in one for one in made) < 380
    assert any("NotAction" in one for one in made)
    assert any("${aws:username}" in text for one in made for text in one["Resource"])


def test_no_statement_is_for_every_resource_where_none_shall_be():
    assert any("*" in one["Resource"] for one in workload.statements(1_000))
    assert not any("*" in one["Resource"] for one in workload.statements(1_000, wide=False))


def test_statements_can_be_of_one_service_and_without_whole_arns():
    made = workload.statements(200, services=("s3",), whole=0.0)
    assert {action.partition(":")[0] for one in made for action in one.get("Action", one.get("NotAction"))} == {"s3"}
    assert all("*" in text for one in made for text in one["Resource"])
