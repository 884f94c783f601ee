"""Source identity: who began a chain of sessions, for good."""

import pytest
from running import ACCOUNT, allow
from services.sts.conftest import trusting

ANN = f"arn:aws:iam::{ACCOUNT}:user/ann"
NAMED = ("sts:AssumeRole", "sts:SetSourceIdentity")


@pytest.fixture
def ann(aws):
    """A user without policies, whom the roles trust by name."""
    return aws.user("ann")


@pytest.fixture
def chain(aws, ann, role):
    """Two roles, the second trusting the first; whoever is james may list users as the second."""
    one = role("one", trusting(aws.client("sts", ann).get_caller_identity()["Arn"], *NAMED))
    wanted = {"StringEquals": {"aws:SourceIdentity": "james"}}
    return one, role("two", trusting(one, *NAMED), allow("iam:ListUsers", **wanted))


def test_sts_11_a_source_identity_goes_on_through_the_chain(aws, chain, assume, ann, refused):
    one, two = chain
    james = assume(assume(ann, one, SourceIdentity="james"), two)
    aws.client("iam", james).list_users()
    record = aws.events("ListUsers")[0]
    assert record["userIdentity"]["sessionContext"]["sourceIdentity"] == "james"
    for nobody in (assume(assume(ann, one), two), assume(assume(ann, one, SourceIdentity="James"), two)):
        with refused("AccessDenied"):
            aws.client("iam", nobody).list_users()


def test_the_answer_says_whose_session_it_is(aws, chain, assume, ann):
    one, two = chain
    first = aws.client("sts", ann).assume_role(RoleArn=one, RoleSessionName="test", SourceIdentity="james")
    assert first["SourceIdentity"] == "james"
    session = assume(ann, one, SourceIdentity="james")
    second = aws.client("sts", session).assume_role(RoleArn=two, RoleSessionName="test")
    assert second["SourceIdentity"] == "james"
    assert "SourceIdentity" not in aws.client("sts", ann).assume_role(RoleArn=one, RoleSessionName="test")


def test_sts_11_a_source_identity_is_not_changed(chain, assume, ann, refused):
    one, two = chain
    session = assume(ann, one, SourceIdentity="james")
    assume(session, two, SourceIdentity="james")
    for other in ("jane", "JAMES"):
        with refused("AccessDenied", f"is not authorized to perform: sts:SetSourceIdentity on resource: {two}"):
            assume(session, two, SourceIdentity=other)
    assume(assume(ann, one), two, SourceIdentity="jane")


def test_who_sets_it_needs_permission_for_that(role, assume, ann, refused):
    app = role("app", trusting(ANN))
    assume(ann, app)
    with refused("AccessDenied", f"sts:SetSourceIdentity on resource: {app} because no role trust policy allows"):
        assume(ann, app, SourceIdentity="james")


def test_each_role_of_a_chain_must_let_it_be_handed_on(role, assume, ann, refused):
    """AWS: id_credentials_temp_control-access_monitor, on the permission that chaining needs."""
    one = role("one", trusting(ANN, *NAMED))
    two = role("two", trusting(one))
    assume(assume(ann, one), two)
    with refused("AccessDenied", f"sts:SetSourceIdentity on resource: {two} because no role trust policy allows"):
        assume(assume(ann, one, SourceIdentity="james"), two)


@pytest.mark.parametrize(
    ("condition", "fits"),
    [
        ({"StringEquals": {"sts:SourceIdentity": "${aws:username}"}}, {"ann"}),
        ({"StringLike": {"sts:SourceIdentity": "j*"}}, {"james"}),
        ({"Null": {"sts:SourceIdentity": "true"}}, {None}),
    ],
)
def test_a_trust_policy_chooses_who_it_may_be(role, assume, ann, refused, condition, fits):
    app = role("app", [trusting(ANN, **condition), trusting(ANN, "sts:SetSourceIdentity")])
    for name in ("ann", "james", None):
        parameters = {} if name is None else {"SourceIdentity": name}
        if name in fits:
            assume(ann, app, **parameters)
        else:
            with refused("AccessDenied", "sts:AssumeRole on resource"):
                assume(ann, app, **parameters)


@pytest.mark.parametrize("name", ["j", "j" * 65, "aws:james", "j j", "jé", "james\n"])
def test_what_it_cannot_be_is_refused(aws, role, ann, refused, name):
    app = role("app", trusting(ANN, *NAMED))
    sts = aws.client("sts", ann, parameter_validation=False)
    with refused("ValidationError", "at 'sourceIdentity' failed to satisfy constraint"):
        sts.assume_role(RoleArn=app, RoleSessionName="test", SourceIdentity=name)
