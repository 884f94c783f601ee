"""The index finds what trying every statement in turn would find, and looks at few of them."""

import json

import pytest
from decisions import workload
from hypothesis import given, settings
from hypothesis import strategies as st

from iamd.policy.decision import Decision, Layer, Match, Outcome
from iamd.policy.document import PolicyType, load
from iamd.policy.elements import EVERYTHING
from iamd.policy.evaluate import Layers, decide
from iamd.policy.index import Entry, Index, Places
from iamd.policy.request import NONE, Principal, PrincipalKind, Request

HERE = "111122223333"
USER = Principal(PrincipalKind.USER, HERE, f"arn:aws:iam::{HERE}:user/ana")
SHAPES = (
    "data/a",
    "data/ab*",
    "data/*b",
    "da?a/a*",
    "*",
    "data/${aws:username}/*",
    "*ab",
    "x*ab",
    "*",
    "data/*",
    "data/a*",
    "y/*/ab",
    "data/*/b*",
)
resources = st.builds(
    lambda shape, n: f"arn:aws:s3:::{n}{shape}", st.sampled_from(SHAPES), st.sampled_from(("", "b", "bb"))
)
statements = st.fixed_dictionaries(
    {
        "Effect": st.sampled_from(("Allow", "Allow", "Deny")),
        "Action": st.sampled_from(("s3:GetObject", "s3:Get*", "s3:*", "*")),
        "Resource": st.lists(st.one_of(resources, st.just("*")), min_size=1, max_size=2),
    },
    optional={"Condition": st.just({"StringEquals": {"aws:username": "ana"}})},
)
asked = st.builds(
    lambda n, path: f"arn:aws:s3:::{n}{path}",
    st.sampled_from(("", "b", "bb")),
    st.sampled_from(("data/a", "data/ab", "data/xb", "data/ana/x", "daxa/ab", "xxab", "y/1/ab", "data/1/b2")),
)


def layers(made):
    text = json.dumps({"Version": "2012-10-17", "Statement": made})
    return Layers(identity=(load(text, PolicyType.IDENTITY),))


@settings(max_examples=300, deadline=None)
@given(made=st.lists(statements, min_size=8, max_size=40), resource=asked, name=st.sampled_from(("ana", "bob")))
def test_an_indexed_policy_decides_as_its_statements_one_by_one(made, resource, name):
    request = Request(USER, "s3:GetObject", resource, HERE, {"aws:username": name})
    alone = [decide(request, layers([one])).outcome for one in made]
    whole = decide(request, layers(made))
    expected = next((o for o in ("ExplicitlyDenied", "Allowed") if o in alone), "ImplicitlyDenied")
    assert whole.outcome == expected
    if whole.matched:
        assert alone[whole.matched[0].statement.index] == expected


BY = {
    "exact": ("arn:aws:s3:::data/{}", "arn:aws:s3:::data/{}"),
    "head": ("arn:aws:s3:::data/{}/*", "arn:aws:s3:::data/{}/x"),
    "head and tail": ("arn:aws:s3:::{}*end", "arn:aws:s3:::{}/x/end"),
    "tail": ("arn:aws:s3:::*/{}", "arn:aws:s3:::x/y/{}"),
    "tail of all services": ("arn:*:*:*:*:*/{}", "arn:aws:s3:::x/y/{}"),
    "none": ("arn:aws:s3:::*{}*", "arn:aws:s3:::x/{}/y"),
}


@pytest.mark.parametrize("way", BY)
@pytest.mark.parametrize("layer", ["identity", "session", "boundary", "resource"])
@pytest.mark.parametrize("effect", ["Allow", "Deny"])
def test_each_of_many_statements_is_found(way, layer, effect):
    """By the whole ARN, its beginning, its end, or in turn, whichever way the layer looks."""
    pattern, asked_for = BY[way]
    names = [f"name{number:02}" for number in range(20)]
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    made = [{"Effect": effect, "Action": "s3:GetObject", "Resource": pattern.format(name)} for name in names]
    if effect == "Deny":
        made.append(everything)
    if layer == "resource":
        made = [{**one, "Principal": "*"} for one in made]
    policy = load(json.dumps({"Version": "2012-10-17", "Statement": made}), PolicyType(layer))
    allow = load(json.dumps({"Version": "2012-10-17", "Statement": everything}), PolicyType.IDENTITY)
    found = {
        "identity": lambda: Layers(identity=(policy,)),
        "session": lambda: Layers(identity=(allow,), session=(policy,)),
        "boundary": lambda: Layers(identity=(allow,), boundary=policy),
        "resource": lambda: Layers(resource=(policy,)),
    }[layer]()
    for number, name in enumerate(names):
        decision = decide(Request(USER, "s3:GetObject", asked_for.format(name), HERE, {}), found)
        assert decision.allowed is (effect == "Allow")
        if layer in {"identity", "resource"} or effect == "Deny":
            assert decision.matched[0].statement.index == number
    other = decide(Request(USER, "s3:GetObject", asked_for.format("nobody"), HERE, {}), found)
    assert other.allowed is (effect == "Deny")


BEGINNINGS = [
    "",
    "a",
    "ab",
    "abc",
    "abd",
    "b",
    "ba",
    "bb",
    "a~",
    "ab*",
    "b?",
    "b\U0010ffff",
    "\U0010ffff",
    "\U0010ffff\U0010ffffa",
]


@pytest.mark.parametrize(
    "asked",
    [
        "",
        "a",
        "ab",
        "abb",
        "abc",
        "abcd",
        "abe",
        "ac",
        "b",
        "baz",
        "bz",
        "a~~",
        "c",
        "ab*x",
        "b?",
        "b\U0010ffffa",
        "\U0010ffff",
        "\U0010ffff\U0010ffffab",
    ],
)
def test_the_place_of_a_text_is_that_of_its_longest_beginning(asked):
    entry = Entry(EVERYTHING[0], (), None, None, Decision(Outcome.ALLOWED, Layer.IDENTITY))
    place = Places({text: [entry] for text in BEGINNINGS}, is_open=False).of(asked)
    assert place.text == max((text for text in BEGINNINGS if asked.startswith(text)), key=len)


DENY = {"Effect": "Deny", "Action": "*"}
ALLOW = {"Effect": "Allow", "Action": "*", "Resource": "*"}
A, B = "arn:aws:s3:::data/ana", "arn:aws:s3:::data/bob"


@pytest.mark.parametrize("versions", [("2008-10-17", "2012-10-17"), ("2012-10-17", "2008-10-17")])
def test_a_text_means_what_its_own_version_makes_of_it(versions):
    """Of equal entries one is kept; entries with a variable, and with the text of one, are not equal."""
    deny = {**DENY, "Resource": "arn:aws:s3:::data/${aws:username}"}
    texts = [json.dumps({"Version": version, "Statement": [deny, ALLOW]}) for version in versions]
    found = Layers(identity=tuple(load(text, PolicyType.IDENTITY) for text in texts))
    for resource in (A, "arn:aws:s3:::data/${aws:username}"):
        request = Request(USER, "s3:GetObject", resource, HERE, {"aws:username": "ana"})
        assert decide(request, found).outcome == "ExplicitlyDenied"
    assert decide(Request(USER, "s3:GetObject", B, HERE, {"aws:username": "ana"}), found).allowed


@pytest.mark.parametrize("lists", [([A, B], [f"{A}\n{B}"]), ([f"{A}\n{B}"], [A, B]), ([A], [B]), ([A, B], [B])])
def test_lists_of_not_resource_are_told_apart(lists):
    """However they are written, a Deny for all but a list stays beside one for all but another."""
    found = layers([*({**DENY, "NotResource": one} for one in lists), ALLOW])
    for resource in (A, B):
        outcome = decide(Request(USER, "s3:GetObject", resource, HERE, {}), found).outcome
        expected = "Allowed" if all(resource in one for one in lists) else "ExplicitlyDenied"
        assert outcome == expected


def test_a_not_resource_is_no_resource_that_is_written_as_its_list():
    """Both denials stay, though an index tells equal entries by their texts."""
    found = layers([{**DENY, "Resource": repr([A])}, {**DENY, "NotResource": A}, ALLOW])
    assert decide(Request(USER, "s3:GetObject", A, HERE, {}), found).allowed
    assert decide(Request(USER, "s3:GetObject", B, HERE, {}), found).outcome == "ExplicitlyDenied"


def entry_of(resource):
    (statement,) = load(
        json.dumps({"Version": "2012-10-17", "Statement": {**ALLOW, "Resource": resource}}), PolicyType.IDENTITY
    ).statements
    (pattern,) = statement.patterns
    match = Match(Layer.IDENTITY, 0, statement)
    return Entry(pattern, (), None, None, Decision(Outcome.ALLOWED, Layer.IDENTITY, (match,)))


def test_what_a_place_settles_leaves_nothing_to_look_at():
    index = Index(allows=[entry_of("arn:aws:s3:::data/*"), entry_of("arn:aws:s3:::data/a*b")])
    (place,) = index.places("arn:aws:s3:::data/axb")
    assert place.allowed is not None
    assert place.allows == ()


@pytest.mark.parametrize(("number", "end", "places"), [(4, "end", 1), (5, "end", 2), (5, "nd", 1)])
def test_of_a_crowd_those_with_an_end_go_by_it(number, end, places):
    index = Index(allows=[entry_of(f"arn:aws:s3:::*{n}{'x' * n}*{end}") for n in range(number)])
    assert len(index.places(f"arn:aws:s3:::0{end}")) == places
    assert len(index.places("arn:aws:s3:::other")) == 1


def crowd(*made):
    """Six statements whose resources begin alike, so that they go by their ends, and others."""
    common = f"arn:aws:dynamodb:us-east-1:{HERE}:table/"
    return layers(
        [
            *(
                {"Effect": "Allow", "Action": "*", "Resource": f"{common}*{number}-end"}
                | ({"Condition": {"StringEquals": {"aws:username": "ana"}}} if number == 5 else {})
                for number in range(6)
            ),
            *made,
        ]
    )


@pytest.mark.parametrize(
    ("resource", "name", "outcome"),
    [
        (f"arn:aws:dynamodb:us-east-1:{HERE}:table/x3-end", "bob", "Allowed"),
        (f"arn:aws:dynamodb:us-east-1:{HERE}:table/x5-end", "ana", "Allowed"),
        (f"arn:aws:dynamodb:us-east-1:{HERE}:table/x5-end", "bob", "ImplicitlyDenied"),
        (f"arn:aws:dynamodb:us-east-1:{HERE}:table/x6-end", "ana", "ImplicitlyDenied"),
        # What they all begin with is looked at, too: regions and accounts have as many characters.
        (f"arn:aws:dynamodb:us-west-1:{HERE}:table/x3-end", "ana", "ImplicitlyDenied"),
        ("arn:aws:dynamodb:us-east-1:444455556666:table/x3-end", "ana", "ImplicitlyDenied"),
        (f"arn:aws:dynamodb:us-east-1:{HERE}:tabel/x3-end", "ana", "ImplicitlyDenied"),
        # Of the place by the beginning and that by the end, each may deny.
        (f"arn:aws:dynamodb:us-east-1:{HERE}:table/no3-end", "ana", "ExplicitlyDenied"),
        (f"arn:aws:dynamodb:us-east-1:{HERE}:table/exactly3-end", "ana", "ExplicitlyDenied"),
        (f"arn:aws:dynamodb:us-east-1:{HERE}:table/never3-end", "bob", "ExplicitlyDenied"),
        (f"arn:aws:dynamodb:us-east-1:{HERE}:table/never3-end", "ana", "Allowed"),
    ],
)
def test_what_goes_by_its_end_is_told_by_its_beginning_too(resource, name, outcome):
    common = f"arn:aws:dynamodb:us-east-1:{HERE}:table/"
    bob = {"Condition": {"StringEquals": {"aws:username": "bob"}}}
    found = crowd(
        {**DENY, "Resource": f"{common}no*"},
        {**DENY, "Resource": f"{common}exactly3-end"},
        {**DENY, "Resource": f"{common}never*"} | bob,
    )
    index = found.identity.of("dynamodb:GetItem")
    assert index.ends is not None
    request = Request(USER, "dynamodb:GetItem", resource, HERE, {"aws:username": name})
    assert decide(request, found).outcome == outcome
    denial = found.identity.denial(request, has_boundary=False)
    assert (denial is not None) is (outcome == "ExplicitlyDenied")
    assert (found.identity.allowance(request) is not None) is (outcome != "ImplicitlyDenied")


@pytest.mark.parametrize(
    ("kind", "outcome"), [(PrincipalKind.USER, "Allowed"), (PrincipalKind.FEDERATED, "ExplicitlyDenied")]
)
def test_what_no_policy_can_refuse_is_allowed_where_entries_go_by_their_ends(kind, outcome):
    resource = f"arn:aws:dynamodb:us-east-1:{HERE}:table/no3-end"
    found = crowd({**DENY, "Action": "sts:*", "Resource": f"arn:aws:dynamodb:us-east-1:{HERE}:table/no*"})
    assert found.identity.of("sts:GetCallerIdentity").ends is not None
    caller = Principal(kind, HERE, USER.arn)
    assert decide(Request(caller, "sts:GetCallerIdentity", resource, HERE, {}), found).outcome == outcome


def test_a_place_tells_what_its_text_does():
    """A decision that finds it so has nothing to call."""
    found = layers([{**ALLOW, "Resource": ["arn:aws:s3:::data/a", "arn:aws:s3:::data/b*", "arn:aws-cn:s3:::*"]}])
    index = found.identity.of("s3:GetObject")
    for resource, partition, allowed in (
        ("arn:aws:s3:::data/a", "aws", True),
        ("arn:aws:s3:::data/bc", "aws", True),
        ("arn:aws:s3:::other", "aws", False),
        ("arn:aws-cn:s3:::data", "aws-cn", True),
        ("arn:aws-us-gov:s3:::data", NONE, False),
    ):
        (place,) = index.places(resource)
        assert (place.partition, place.answer.allowed) == (partition, allowed)


def visited(found, request):
    """How many entries a decision may look at."""
    places = found.identity.of(request.action).places(request.resource)
    return sum(len(bucket) for place in places for bucket in (*place.denies, *place.allows))


def test_a_decision_looks_at_few_of_ten_thousand_statements():
    made = workload.statements(10_000)
    found = Layers(identity=tuple(load(json.dumps(one), PolicyType.IDENTITY) for one in workload.policies(made)))
    counts = [
        visited(found, Request(USER, ask.action, ask.resource, HERE, {})) for ask in workload.requests(made, 2_000)
    ]
    assert max(counts) <= 64
    assert sorted(counts)[len(counts) // 2] <= 16
