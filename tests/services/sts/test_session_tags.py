"""Session tags: passed, required, handed on in a chain of roles, and never overridden there."""

import pytest
from running import ACCOUNT, allow
from services.sts.conftest import trusting

ANN = f"arn:aws:iam::{ACCOUNT}:user/ann"
KELVIN_SIGN = {"Key": "\u212a", "Value": "1"}
TAGGED = ("sts:AssumeRole", "sts:TagSession")


def tags(**values):
    return [{"Key": key, "Value": value} for key, value in values.items()]


@pytest.fixture
def ann(aws):
    """A user without policies, whom the roles trust by name."""
    return aws.user("ann")


def lists_as(aws, session):
    aws.client("iam", session).list_users()


def test_a_session_tag_is_a_tag_of_the_caller(aws, role, assume, ann, refused):
    wanted = {"StringEquals": {"aws:PrincipalTag/Team": "blue"}}
    app = role("app", trusting(ANN, *TAGGED), allow("iam:ListUsers", **wanted))
    lists_as(aws, assume(ann, app, Tags=tags(Team="blue")))
    lists_as(aws, assume(ann, app, Tags=tags(TEAM="blue", Other="")))
    for other in ({}, {"Tags": tags(Team="red")}, {"Tags": tags(Team="Blue")}):
        with refused("AccessDenied"):
            lists_as(aws, assume(ann, app, **other))


def test_a_session_tag_wins_over_the_roles_tag_of_the_same_key(aws, role, assume, ann, refused):
    """AWS: STS API Reference, AssumeRole, Tags; whatever their case."""
    wanted = {"StringEquals": {"aws:PrincipalTag/Team": "blue"}}
    app = role("app", trusting(ANN, *TAGGED), allow("iam:ListUsers", **wanted), Tags=tags(Team="blue"))
    lists_as(aws, assume(ann, app))
    with refused("AccessDenied"):
        lists_as(aws, assume(ann, app, Tags=tags(team="red")))


def test_who_passes_tags_needs_permission_for_that(aws, role, assume, ann, refused):
    app = role("app", trusting(ANN))
    assume(ann, app)
    with refused("AccessDenied", f"sts:TagSession on resource: {app} because no role trust policy allows"):
        assume(ann, app, Tags=tags(Team="blue"))
    assert [event.get("errorCode") for event in aws.events("AssumeRole")] == ["AccessDenied", None]


def test_across_accounts_both_must_let_tags_be_passed(aws, other, role, assume, refused):
    ann = aws.user("ann", allow("sts:AssumeRole"))
    shared = role("shared", trusting(ACCOUNT, *TAGGED), credentials=other)
    with refused("AccessDenied", "because no identity-based policy allows the sts:TagSession action"):
        assume(ann, shared, Tags=tags(Team="blue"))
    assume(aws.user("bob", allow(list(TAGGED))), shared, Tags=tags(Team="blue"))


@pytest.mark.parametrize(
    ("condition", "good", "bad"),
    [
        ({"StringEquals": {"aws:RequestTag/Team": "blue"}}, {"Tags": tags(Team="blue")}, {"Tags": tags(Team="red")}),
        (
            {"ForAllValues:StringEquals": {"aws:TagKeys": ["Team", "Stage"]}},
            {"Tags": tags(Stage="a", Team="b")},
            {"Tags": tags(Team="a", Owner="b")},
        ),
        (
            {"ForAllValues:StringEquals": {"sts:TransitiveTagKeys": ["Team"]}},
            {"Tags": tags(Team="a", Owner="b"), "TransitiveTagKeys": ["Team"]},
            {"Tags": tags(Team="a", Owner="b"), "TransitiveTagKeys": ["Team", "Owner"]},
        ),
        (
            {"Null": {"sts:TransitiveTagKeys": "false"}},
            {"Tags": tags(Team="a"), "TransitiveTagKeys": ["Team"]},
            {"Tags": tags(Team="a")},
        ),
    ],
    ids=["value", "keys", "transitive keys", "some transitive key"],
)
def test_a_trust_policy_chooses_among_tags(role, assume, ann, refused, condition, good, bad):
    """As the example of id_session-tags, "Permissions required to add session tags", does."""
    app = role("app", [trusting(ANN), trusting(ANN, "sts:TagSession", **condition)])
    assume(ann, app, **good)
    with refused("AccessDenied", "sts:TagSession on resource"):
        assume(ann, app, **bad)


def test_a_trust_policy_can_require_tags(role, assume, ann, refused):
    app = role(
        "app",
        [trusting(ANN, StringLike={"aws:RequestTag/Project": "*"}), trusting(ANN, "sts:TagSession")],
    )
    assume(ann, app, Tags=tags(Project="x"))
    with refused("AccessDenied", "sts:AssumeRole on resource"):
        assume(ann, app)


@pytest.mark.parametrize(
    ("passed", "words"),
    [
        (tags(Team="a", team="b"), "Duplicate tag keys found. Please note that Tag keys are case insensitive."),
        (tags(**{"aws:team": "a"}), "System tags cannot be added by a session."),
        (tags(**{"AWS:team": "a"}), "System tags cannot be added by a session."),
        (tags(team="aws:a"), "System tags cannot be added by a session."),
    ],
)
def test_tags_that_no_session_can_have_are_refused(role, assume, ann, refused, passed, words):
    app = role("app", trusting(ANN, *TAGGED))
    with refused("InvalidParameterValue", words):
        assume(ann, app, Tags=passed)


def test_look_alikes_of_a_key_are_other_keys(aws, role, assume, ann, refused):
    wanted = {"StringEquals": {"aws:PrincipalTag/k": "1"}}
    app = role("app", trusting(ANN, *TAGGED), allow("iam:ListUsers", **wanted))
    lists_as(aws, assume(ann, app, Tags=[*tags(k="1"), KELVIN_SIGN]))
    with refused("AccessDenied"):
        lists_as(aws, assume(ann, app, Tags=[KELVIN_SIGN]))


def test_what_is_transitive_must_be_passed(role, assume, ann, refused):
    app = role("app", trusting(ANN, *TAGGED))
    with refused("InvalidParameterValue", "The specified transitive tag key must be included in the requested tags."):
        assume(ann, app, Tags=tags(Team="a"), TransitiveTagKeys=["Stage"])
    assume(ann, app, Tags=tags(Team="a"), TransitiveTagKeys=["TEAM"])


@pytest.mark.parametrize(("key", "value", "fits"), [(128, 256, True), (129, 256, False), (128, 257, False)])
def test_keys_and_values_have_a_longest_form(aws, role, ann, refused, key, value, fits):
    app = role("app", trusting(ANN, *TAGGED))
    sts = aws.client("sts", ann, parameter_validation=False)
    asked = {"RoleArn": app, "RoleSessionName": "test", "Tags": tags(**{"k" * key: "v" * value})}
    if fits:
        sts.assume_role(**asked)
    else:
        with refused("ValidationError", "failed to satisfy constraint: Member must have length less than"):
            sts.assume_role(**asked)


@pytest.fixture
def chain(aws, ann, role):
    """Three roles, each of which trusts the one before; the first one trusts ann."""
    arns = [f"arn:aws:iam::{ACCOUNT}:role/{name}" for name in ("one", "two", "three")]
    trusted = [aws.client("sts", ann).get_caller_identity()["Arn"], arns[0], arns[1]]
    wanted = {"StringEquals": {"aws:PrincipalTag/Team": "blue"}}
    for name, who in zip(("one", "two"), trusted, strict=False):
        role(name, trusting(who, *TAGGED))
    role("three", trusting(trusted[2], *TAGGED), allow("iam:ListUsers", **wanted), Tags=tags(Team="red"))
    return arns


def test_transitive_tags_go_on_through_the_chain_and_win_over_the_roles_own(aws, chain, assume, ann, refused):
    """As the example of id_session-tags, "Chaining roles with session tags"."""
    one = assume(ann, chain[0], Tags=tags(Team="blue", Stage="test"), TransitiveTagKeys=["Team"])
    three = assume(assume(one, chain[1]), chain[2])
    lists_as(aws, three)
    record = aws.events("AssumeRole")[0]
    assert record["requestParameters"]["incomingTransitiveTags"] == {"Team": "blue"}
    not_transitive = assume(ann, chain[0], Tags=tags(Team="blue"))
    with refused("AccessDenied"):
        lists_as(aws, assume(assume(not_transitive, chain[1]), chain[2]))


def test_sts_11_a_transitive_tag_is_not_overridden(chain, assume, ann, refused):
    one = assume(ann, chain[0], Tags=tags(Team="blue"), TransitiveTagKeys=["Team"])
    for key in ("Team", "team", "TEAM"):
        with refused("InvalidParameterValue", "it conflicts with a transitive tag key from the calling session."):
            assume(one, chain[1], Tags=tags(**{key: "red"}))
    two = assume(one, chain[1], Tags=tags(Stage="test"))
    with refused("InvalidParameterValue", "it conflicts with a transitive tag key from the calling session."):
        assume(two, chain[2], Tags=tags(Team="red"))
    assume(two, chain[2], Tags=tags(Stage="live"))


def test_inherited_tags_need_permission_in_each_roles_trust_policy(aws, role, assume, ann, refused):
    one = role("one", trusting(ANN, *TAGGED))
    two = role("two", trusting(one))
    assume(assume(ann, one, Tags=tags(Team="blue")), two)
    with refused("AccessDenied", f"sts:TagSession on resource: {two} because no role trust policy allows"):
        assume(assume(ann, one, Tags=tags(Team="blue"), TransitiveTagKeys=["Team"]), two)
    assert aws.events("AssumeRole")[0]["errorCode"] == "AccessDenied"


def test_a_chain_gathers_fifty_tags_at_most(chain, assume, ann, refused):
    first = {f"a{number}": "" for number in range(30)}
    one = assume(ann, chain[0], Tags=tags(**first), TransitiveTagKeys=list(first))
    assume(one, chain[1], Tags=tags(**{f"b{number}": "" for number in range(20)}))
    with refused("ValidationError", "A session can have 50 tags at most, those of the calling session included."):
        assume(one, chain[1], Tags=tags(**{f"b{number}": "" for number in range(21)}))
