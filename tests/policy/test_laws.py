"""Laws of the decision, each for any request and any policies."""

import copy
import json
import random
from dataclasses import replace
from itertools import chain

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from policy import worlds as w
from policy.worlds import compiled, documents, gates, layers, requests, statements, worlds

from iamd.policy import syntax
from iamd.policy.decision import Layer, Outcome
from iamd.policy.document import Effect, PolicyType, load
from iamd.policy.evaluate import Gate, Layers, decide
from iamd.policy.explain import explain
from iamd.policy.request import ALWAYS, SIGNED, PrincipalKind

law = settings(max_examples=100, deadline=None)
LISTED = ["identity", "session", "endpoint", "resource"]
LEVELS = ["scp", "rcp"]


def with_policy(world, name, document):
    """The world with one more document in a layer; a layer that was not in play stays so."""
    changed = copy.deepcopy(world)
    if name in LEVELS:
        for level in changed[name] or []:
            level.append(document)
    elif name == "boundary":
        if changed["boundary"] is not None:
            changed["boundary"]["Statement"] += document["Statement"]
    elif changed[name] is not None:
        changed[name].append(document)
    return changed


@st.composite
def additions(draw, effect):
    """A layer's name and a document with statements of one effect for it."""
    name = draw(st.sampled_from(sorted(w.KINDS)))
    return name, draw(documents(w.KINDS[name], (effect,)))


@law
@given(requests, worlds(), gates)
def test_default_deny(request, world, gate):
    """AUZ-01: without any Allow nobody but a root user is allowed."""
    without = json.loads(json.dumps(world).replace('"Allow"', '"Deny"'))
    decision = decide(request, layers(without, gate))
    assert not decision.allowed or request.principal.kind is PrincipalKind.ROOT


@law
@given(requests, worlds(), gates)
def test_allowed_only_if_explicitly_permitted(request, world, gate):
    """AUZ-01: an Allowed names the statement of an identity or resource policy that allows, a root user's aside."""
    decision = decide(request, layers(world, gate))
    if decision.allowed and decision.layer is not Layer.ROOT_USER:
        (match,) = decision.matched
        assert match.statement.effect is Effect.ALLOW
        assert match.layer in {Layer.IDENTITY, Layer.RESOURCE, Layer.TRUST}
        assert request.principal.kind in SIGNED or match.layer is not Layer.IDENTITY


@law
@given(requests, worlds(("Allow",)), gates, st.sampled_from(sorted(w.KINDS)))
def test_deny_trumps_allow(request, world, gate, name):
    """AUZ-02: a Deny that applies, in whatever layer is in play, decides."""
    deny = {"Effect": "Deny", "Action": "*", "Resource": "*"}
    if w.KINDS[name] in {PolicyType.RESOURCE, PolicyType.ENDPOINT, PolicyType.RCP}:
        deny["Principal"] = "*"
    assume(world[name] is not None)
    changed = with_policy(world, name, {"Version": "2012-10-17", "Statement": [deny]})
    assume(name not in LEVELS or world[name])
    decision = decide(request, layers(changed, gate))
    assert decision.outcome is Outcome.EXPLICITLY_DENIED


@law
@given(requests, worlds(), gates, additions("Deny"))
def test_adding_a_deny_never_allows(request, world, gate, addition):
    """AUZ-03."""
    if not decide(request, layers(world, gate)).allowed:
        assert not decide(request, layers(with_policy(world, *addition), gate)).allowed


@law
@given(requests, worlds(), gates, additions("Allow"))
def test_removing_an_allow_never_allows(request, world, gate, addition):
    """AUZ-04: what is allowed stays so when an Allow is added."""
    if decide(request, layers(world, gate)).allowed:
        assert decide(request, layers(with_policy(world, *addition), gate)).allowed


@law
@given(requests, worlds(), gates, documents(PolicyType.BOUNDARY))
def test_a_boundary_never_widens(request, world, gate, boundary):
    """AUZ-05."""
    bounded = layers({**world, "boundary": boundary}, gate)
    if decide(request, bounded).allowed:
        assert decide(request, layers({**world, "boundary": None}, gate)).allowed


@law
@given(requests, worlds(), gates, st.lists(documents(PolicyType.SESSION), max_size=2))
def test_a_session_policy_never_widens_a_role_session(request, world, gate, session):
    """AUZ-05; a federated user alone gains by session policies, and never beyond the user's own rights (AUZ-06)."""
    assume(request.principal.kind is not PrincipalKind.FEDERATED_USER)
    if decide(request, layers({**world, "session": session}, gate)).allowed:
        assert decide(request, layers({**world, "session": None}, gate)).allowed


@law
@given(requests, worlds(), st.lists(documents(PolicyType.SESSION), max_size=2))
def test_a_federated_user_has_at_most_the_users_rights(request, world, session):
    """AUZ-06: what identity policies give through a session, they give to the user itself."""
    federated = replace(request, principal=w.PRINCIPALS[4])
    user = replace(request, principal=w.USER)
    alone = {**world, "resource": [], "session": session}
    if decide(federated, layers(alone)).allowed:
        assert decide(user, layers({**alone, "session": None})).allowed
    assert not decide(federated, layers({**alone, "session": None})).allowed


@law
@given(requests, worlds(), gates, st.sampled_from(LEVELS), st.data())
def test_a_level_never_widens(request, world, gate, name, data):
    """AUZ-07."""
    level = data.draw(st.lists(documents(w.KINDS[name]), max_size=2))
    more = {**world, name: [*(world[name] or []), level]}
    if decide(request, layers(more, gate)).allowed:
        assert decide(request, layers(world, gate)).allowed


@law
@given(requests, worlds())
def test_a_root_user_is_bound_by_guardrails_and_resource_denies_only(request, world):
    """AUZ-08: identity policies, boundaries and session policies that do not allow change nothing for a root user."""
    root = replace(request, principal=w.PRINCIPALS[5])
    everything = document({"Effect": "Allow", "Action": "*", "Resource": "*"})
    bare = {**world, "identity": [everything], "boundary": everything, "session": None}
    outcome = decide(root, layers(bare)).outcome
    nothing = document({"Effect": "Allow", "Action": "none:x", "Resource": "*"})
    assert decide(root, layers({**bare, "identity": [], "boundary": nothing, "session": [nothing]})).outcome is outcome


@law
@given(requests, worlds(("Allow",)))
def test_a_direct_grant_ignores_identity_boundary_and_session(request, world):
    """AUZ-09: in the same account, for a user or a session that is named itself."""
    assume(request.principal.kind in {PrincipalKind.USER, PrincipalKind.ROLE_SESSION})
    assume(request.principal.account == w.HERE)
    grant = {"Effect": "Allow", "Action": "*", "Resource": "*", "Principal": {"AWS": request.principal.arn}}
    world = {**world, "scp": None, "rcp": None, "endpoint": None}
    world["resource"] = [{"Version": "2012-10-17", "Statement": [grant]}]
    assert decide(request, layers(world)).allowed


@law
@given(requests, worlds(), st.sampled_from(["boundary", "session"]))
def test_a_grant_to_a_role_is_limited_by_boundary_and_session(request, world, limit):
    """AUZ-09: in the same account, for a session whose role is named and not the session itself."""
    session = replace(request, principal=w.PRINCIPALS[2])
    grant = {"Effect": "Allow", "Action": "*", "Resource": "*", "Principal": {"AWS": [w.ROLE, "AROAWORKER"]}}
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    open_world = {**NOTHING, "identity": world["identity"], "resource": [document(grant)]}
    assume(decide(session, layers(open_world)).allowed)
    for limits, allowed in [(everything, True), ({**everything, "Action": "none:x"}, False)]:
        limited = {**open_world, limit: document(limits) if limit == "boundary" else [document(limits)]}
        assert decide(session, layers(limited)).allowed is allowed


@law
@given(requests, worlds(), gates, st.sampled_from([w.PRINCIPALS[6], w.PRINCIPALS[7]]))
def test_across_accounts_both_sides_must_allow(request, world, gate, stranger):
    """AUZ-09; a root user has all that its account has, so only the other side is asked of it."""
    across = replace(request, principal=stranger)
    if decide(across, layers(world, gate)).allowed:
        assert not decide(across, layers({**world, "resource": []}, gate)).allowed
        alone = decide(across, layers({**world, "identity": []}, gate))
        assert alone.allowed is (stranger.kind is PrincipalKind.ROOT)


@law
@given(requests, worlds(("Allow",)), st.sampled_from([Gate.TRUST, Gate.KMS_KEY]))
def test_a_trust_or_key_policy_must_name_the_caller(request, world, gate):
    """AUZ-10: whatever the caller's own policies allow."""
    strangers = copy.deepcopy(world)
    for one in chain.from_iterable(document["Statement"] for document in strangers["resource"]):
        one.pop("NotPrincipal", None)
        one["Principal"] = {"AWS": "AIDAGONE"}
    everything = document({"Effect": "Allow", "Action": "*", "Resource": "*"})
    found = layers({**strangers, "identity": [everything]}, gate)
    assert not decide(request, found).allowed


@law
@given(requests, worlds(("Allow",)), st.sampled_from(["boundary", "session", "scp"]))
def test_ones_own_limits_hold_before_a_role_that_trusts_one(request, world, limit):
    """AUZ-10: SCP, boundary and session policy block AssumeRole, chaining included, by saying nothing of it."""
    assume(request.principal.kind in {PrincipalKind.USER, PrincipalKind.ROLE_SESSION})
    trust = document({"Effect": "Allow", "Action": "*", "Resource": "*", "Principal": {"AWS": request.principal.arn}})
    trusted = {
        **world,
        "resource": [trust],
        "identity": [document({"Effect": "Allow", "Action": "*", "Resource": "*"})],
    }
    nothing = document({"Effect": "Allow", "Action": "none:x", "Resource": "*"})
    limited = {**trusted, limit: {"boundary": nothing, "session": [nothing], "scp": [[nothing]]}[limit]}
    assert decide(request, layers({**NOTHING, **{n: trusted[n] for n in ("resource", "identity")}}, Gate.TRUST)).allowed
    assert not decide(request, layers(limited, Gate.TRUST)).allowed


@law
@given(requests, worlds(("Allow",)), gates, st.sampled_from(LEVELS))
def test_an_organization_never_grants(request, world, gate, name):
    """AUZ-07: what it allows is nothing to a caller whom no other policy allows."""
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    level = document({**everything, "Principal": "*"} if name == "rcp" else everything)
    alone = {**NOTHING, name: [[level], *(world[name] or [])]}
    decision = decide(request, layers(alone, gate))
    assert not decision.allowed or decision.layer is Layer.ROOT_USER


@law
@given(requests, worlds(), gates, st.randoms(use_true_random=False))
def test_order_and_repetition_do_not_matter(request, world, gate, shuffler):
    """AUZ-11: policies, statements, list items and keys in another order, and some of them twice."""
    shuffled = {name: shuffle(value, shuffler) for name, value in world.items()}
    before, after = decide(request, layers(world, gate)), decide(request, layers(shuffled, gate))
    assert (before.outcome, before.layer) == (after.outcome, after.layer)


def shuffle(value, shuffler: random.Random):
    if isinstance(value, dict):
        items = [(name, shuffle(item, shuffler)) for name, item in value.items()]
        shuffler.shuffle(items)
        return dict(items)
    if isinstance(value, list):
        items = [shuffle(item, shuffler) for item in value]
        if items:
            items.append(copy.deepcopy(shuffler.choice(items)))
        shuffler.shuffle(items)
        return items
    return value


@law
@given(requests, worlds(), gates)
def test_a_statement_with_several_actions_is_several_statements(request, world, gate):
    """AUZ-12, for Action and Resource; also a list of one is its item."""
    split = copy.deepcopy(world)
    for document in every_document(split):
        document["Statement"] = list(chain.from_iterable(map(taken_apart, document["Statement"])))
    before, after = decide(request, layers(world, gate)), decide(request, layers(split, gate))
    assert (before.outcome, before.layer) == (after.outcome, after.layer)


@law
@given(requests, worlds(), gates)
def test_a_policy_with_several_statements_is_several_policies(request, world, gate):
    """AUZ-12: it makes no difference in which of a caller's policies, inline, managed or a group's, a statement is."""

    def apart(documents):
        return [{**one, "Statement": [statement]} for one in documents for statement in one["Statement"]]

    split = {**world, **{name: world[name] and apart(world[name]) for name in LISTED}}
    for name in LEVELS:
        split[name] = world[name] and [apart(level) for level in world[name]]
    before, after = decide(request, layers(world, gate)), decide(request, layers(split, gate))
    assert (before.outcome, before.layer) == (after.outcome, after.layer)


def every_document(world):
    for name in LISTED:
        yield from world[name] or []
    for name in LEVELS:
        yield from chain.from_iterable(world[name] or [])
    if world["boundary"] is not None:
        yield world["boundary"]


def taken_apart(statement):
    for element in ("Action", "Resource"):
        values = statement.get(element)
        if isinstance(values, list):
            for value in values:
                yield from taken_apart({**statement, element: value})
            return
    yield statement


@law
@given(requests, worlds(), gates)
def test_the_same_question_has_the_same_answer(request, world, gate):
    """AUZ-13: and the compiled policies keep nothing of other requests."""
    found = layers(world, gate)
    first = decide(request, found)
    for principal in w.PRINCIPALS:
        decide(replace(request, principal=principal, context={}), found)
    assert decide(request, found) == first


@law
@given(documents(PolicyType.RESOURCE), st.text(), st.sampled_from([None, 0, 3]), st.booleans())
def test_a_policy_that_is_printed_reads_as_it_was(policy, identifier, indent, ascii_only):
    """However it is printed; and each statement stands where it is said to stand."""
    whole = {**policy, "Id": identifier.encode("utf-8", "ignore").decode()}
    text = json.dumps(whole, indent=indent, ensure_ascii=ascii_only)
    read = syntax.read(text)
    assert {**read.members, "Statement": [one.members for one in read.statements]} == whole
    assert [json.loads(text[one.start : one.end]) for one in read.statements] == whole["Statement"]
    again = syntax.read(json.dumps({**read.members, "Statement": [one.members for one in read.statements]}))
    assert [one.members for one in again.statements] == [one.members for one in read.statements]


UNREADABLE = [
    "",
    "{",
    '{"Statement": []}',
    '{"Version": "2099-01-01", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}',
    '{"Version": "2012-10-17", "Statement": {"Effect": "allow", "Action": "*", "Resource": "*"}}',
    '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Effect": "Allow", "Action": "*", "Resource": "*"}}',
    '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": 5, "Resource": "*"}}',
    '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "NotAction": "*", "Resource": "*"}}',
    '{"Version": "2012-10-17", "Other": 1, "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}',
    '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": []}}',
    '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"Null": 1}}}',
    (
        '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", '
        '"Condition": {"Null": {"a": {}}}}}'
    ),
]


@law
@given(requests, worlds(), gates, st.sampled_from(sorted(w.KINDS)), st.sampled_from(UNREADABLE))
def test_a_policy_that_cannot_be_read_denies_everything(request, world, gate, name, text):
    """AUZ-14: it is never skipped, whatever layer it stands in, and a root user does not pass it either."""
    assert load(text, w.KINDS[name]).unreadable is not None
    spoilt = {**world, name: text if name == "boundary" else [[text]] if name in LEVELS else [text]}
    assert decide(request, layers(spoilt, gate)).outcome is Outcome.EXPLICITLY_DENIED


STRANGE = [
    {"Mood": "bright"},
    {"Condition": {"StringMatches": {"aws:username": "a"}}},
    {"Condition": {"ForAllValues:Unheard": {"aws:username": "a"}}},
    {"Condition": {"NoSuchIfExists": {"aws:username": "a"}}},
    {"Principal": {"Tribe": "x"}},
    {"Action": "s3GetObject"},
    {"Action": "s*:*"},
]


@law
@given(requests, st.sampled_from(STRANGE))
def test_what_is_not_understood_denies_and_never_allows(request, strange):
    """AUZ-14, element by element: an Allow does not apply and a Deny does."""
    kind = PolicyType.RESOURCE
    everything = {"Principal": "*", "Action": "*", "Resource": "*"}
    for effect, outcome in [("Allow", Outcome.IMPLICITLY_DENIED), ("Deny", Outcome.EXPLICITLY_DENIED)]:
        text = {"Version": "2012-10-17", "Statement": [{"Effect": effect, **everything, **strange}]}
        policy = compiled(text, kind)
        user = replace(request, principal=w.USER)
        allow = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
        identity = (compiled(allow, PolicyType.IDENTITY),) if effect == "Deny" else ()
        found = Layers(identity=identity, resource=(policy,))
        assert decide(user, found).outcome is outcome


NOTHING = {
    "identity": [],
    "boundary": None,
    "session": None,
    "scp": None,
    "rcp": None,
    "endpoint": None,
    "resource": [],
}


@law
@given(requests, statements(PolicyType.IDENTITY), statements(PolicyType.IDENTITY))
def test_a_principal_or_missing_element_never_allows_in_an_identity_policy(request, statement, other):
    """AUZ-14: a Principal may not stand there, so an Allow that has one allows nothing."""
    wrong = {**statement, "Effect": "Allow", "Principal": "*"}
    world = {**NOTHING, "identity": [{"Version": "2012-10-17", "Statement": [wrong]}]}
    assert not decide(replace(request, principal=w.USER), layers(world)).allowed


@law
@given(requests, worlds(), gates)
def test_case_of_actions_and_keys_does_not_matter(request, world, gate):
    """AUZ-17."""
    upper = copy.deepcopy(world)
    for document in every_document(upper):
        for statement in document["Statement"]:
            for element in ("Action", "NotAction"):
                if element in statement:
                    statement[element] = json.loads(json.dumps(statement[element]).upper())
            statement["Condition"] = {
                operator: {key.upper(): value for key, value in entries.items()}
                for operator, entries in statement.get("Condition", {}).items()
            }
    before = decide(request, layers(world, gate))
    after = decide(replace(request, action=request.action.swapcase()), layers(upper, gate))
    assert (before.outcome, before.layer) == (after.outcome, after.layer)


def test_auz_17_only_ascii_letters_fold():
    """KELVIN SIGN is no `k`, and LATIN SMALL LETTER LONG S is no `s`."""
    allow = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "kms:*", "Resource": "*"}]}
    policy = compiled(allow, PolicyType.IDENTITY)
    found = Layers(identity=(policy,))
    for action, allowed in [("KMS:Decrypt", True), ("\u212aMS:Decrypt", False), ("KM\u017f:Decrypt", False)]:
        assert decide(w.Request(w.USER, action, "*", w.HERE, {}), found).allowed is allowed


@law
@given(requests, worlds(), gates)
def test_a_policy_without_variables_decides_alike_in_both_versions(request, world, gate):
    text = json.dumps(world).replace("${aws:username}", "a")
    old, new = (json.loads(text.replace(a, b)) for a, b in [("2012-10-17", "2008-10-17"), ("2008-10-17", "2012-10-17")])
    assert decide(request, layers(old, gate)).outcome is decide(request, layers(new, gate)).outcome


@law
@given(requests, statements(PolicyType.IDENTITY), st.sampled_from(["Action", "Resource"]))
def test_a_not_element_is_the_complement(request, statement, element):
    """Of Action and NotAction (Resource and NotResource) with the same list, one applies; the rest being the same."""
    values = statement.pop(element, None) or statement.pop(f"Not{element}")
    base = {**statement, "Effect": "Allow", "Condition": {}}
    user = replace(request, principal=w.USER, context={"aws:username": "a"})
    outcomes = {
        name: decide(user, layers({**NOTHING, "identity": [document({**base, name: values})]})).allowed
        for name in (element, f"Not{element}")
    }
    other = "Resource" if element == "Action" else "Action"
    base_alone = {**base, element: "*"}
    applies = decide(user, layers({**NOTHING, "identity": [document(base_alone)]})).allowed
    assert other in base or f"Not{other}" in base
    assert sum(outcomes.values()) == (1 if applies else 0)


def document(*body):
    return {"Version": "2012-10-17", "Statement": list(body)}


@law
@given(requests, worlds(), gates)
def test_an_explanation_bears_its_decision_out(request, world, gate):
    """AUZ-19: the slow way has the fast way's outcome, and its statements are those that decide."""
    found = layers(world, gate)
    decision, explanation = decide(request, found), explain(request, found)
    assert explanation.decision == decision
    denies = [match for match in explanation.applying if match.statement.effect is Effect.DENY]
    assert bool(denies) is (decision.outcome is Outcome.EXPLICITLY_DENIED)
    assert set(decision.matched) <= set(explanation.applying)
    if not decision.allowed:
        result = explanation.results.get(decision.layer)
        if decision.outcome is Outcome.EXPLICITLY_DENIED:
            assert result is not None
            assert result.denied
        elif decision.layer in {Layer.SCP, Layer.RCP, Layer.BOUNDARY, Layer.ENDPOINT, Layer.IDENTITY}:
            assert result is not None
            assert not result.allowed


@law
@given(requests, worlds())
def test_an_action_that_is_always_allowed_meets_no_policy(request, world):
    for action, kinds in ALWAYS.items():
        asked = replace(request, action=action.upper(), resource="*")
        if asked.principal.kind in kinds:
            assert decide(asked, layers(world)).layer is Layer.ALWAYS


@pytest.mark.parametrize("kind", [kind for kind in PrincipalKind if kind not in SIGNED])
def test_only_signed_callers_are_always_told_who_they_are(kind):
    principal = next(one for one in w.PRINCIPALS if one.kind is kind)
    request = w.Request(principal, "sts:GetCallerIdentity", "*", w.HERE, {})
    assert not decide(request, layers(NOTHING)).allowed
