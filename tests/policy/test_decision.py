"""AWS's words for a denial (IAM User Guide, troubleshoot_access-denied), and what an explanation tells."""

import importlib
import json
import pkgutil
from dataclasses import replace

import pytest
from policy.worlds import ANA, HERE, PROVIDER, USER

import iamd.policy as policy_engine
from iamd.policy import operators
from iamd.policy.decision import Decision, Layer, Outcome, denial_message
from iamd.policy.document import PolicyType, load
from iamd.policy.evaluate import Gate, Layers, decide
from iamd.policy.explain import LayerResult, explain
from iamd.policy.request import ANONYMOUS, NONE, Principal, PrincipalKind, Request, lower
from iamd.policy.sets import policy_set
from iamd.policy.wildcard import cached_typed_matcher

GET = Request(USER, "s3:GetObject", "arn:aws:s3:::data/x", HERE, {})
LIST = Request(USER, "codecommit:ListRepositories", "*", HERE, {})
SUBJECT = f"User: {ANA} is not authorized to perform: "


@pytest.mark.parametrize(
    ("layer", "reason"),
    [
        (Layer.IDENTITY, "because no identity-based policy allows the codecommit:ListRepositories action"),
        (Layer.BOUNDARY, "because no permissions boundary allows the codecommit:ListRepositories action"),
        (Layer.SESSION, "because no session policy allows the codecommit:ListRepositories action"),
        (Layer.RESOURCE, "because no resource-based policy allows the codecommit:ListRepositories action"),
        (Layer.TRUST, "because no role trust policy allows the codecommit:ListRepositories action"),
        (Layer.ENDPOINT, "because no VPC endpoint policy allows the codecommit:ListRepositories action"),
        (Layer.RCP, "because no resource control policy allows the codecommit:ListRepositories action"),
        (Layer.SCP, "because no service control policy allows the codecommit:ListRepositories action"),
    ],
)
def test_implicit_denials(layer, reason):
    decision = Decision(Outcome.IMPLICITLY_DENIED, layer)
    assert denial_message(decision, LIST) == f"{SUBJECT}codecommit:ListRepositories {reason}"


@pytest.mark.parametrize(
    ("layer", "reason"),
    [
        (Layer.IDENTITY, "with an explicit deny in an identity-based policy"),
        (Layer.BOUNDARY, "with an explicit deny in a permissions boundary"),
        (Layer.SESSION, "with an explicit deny in a session policy"),
        (Layer.RESOURCE, "with an explicit deny in a resource-based policy"),
        (Layer.TRUST, "with an explicit deny in the role trust policy"),
        (Layer.ENDPOINT, "with an explicit deny in a VPC endpoint policy"),
        (Layer.RCP, "with an explicit deny in a resource control policy"),
        (Layer.SCP, "with an explicit deny in a service control policy"),
    ],
)
def test_explicit_denials(layer, reason):
    decision = Decision(Outcome.EXPLICITLY_DENIED, layer)
    assert denial_message(decision, GET) == f"{SUBJECT}s3:GetObject on resource: arn:aws:s3:::data/x {reason}"


def test_an_explicit_denial_names_the_policy_that_denies_where_it_has_an_arn():
    """AWS Security Blog, "Enhanced access denied error messages with policy ARNs"; an implicit one names none."""
    arn = f"arn:aws:iam::{HERE}:policy/guard"
    words = denial_message(Decision(Outcome.EXPLICITLY_DENIED, Layer.BOUNDARY), LIST, arn)
    assert words == f"{SUBJECT}codecommit:ListRepositories with an explicit deny in a permissions boundary: {arn}"
    words = denial_message(Decision(Outcome.IMPLICITLY_DENIED, Layer.BOUNDARY), LIST, arn)
    assert words.endswith("because no permissions boundary allows the codecommit:ListRepositories action")


def test_callers_without_an_arn():
    anonymous = replace(GET, principal=ANONYMOUS)
    assert denial_message(decide(anonymous, Layers()), anonymous) == (
        "User: anonymous is not authorized to perform: s3:GetObject on resource: arn:aws:s3:::data/x "
        "because no resource-based policy allows the s3:GetObject action"
    )
    service = replace(GET, principal=Principal(PrincipalKind.SERVICE, service_names=("logs.amazonaws.com",)))
    assert denial_message(decide(service, Layers()), service).startswith("User: logs.amazonaws.com is not")
    web = Request(
        Principal(PrincipalKind.FEDERATED, provider=PROVIDER),
        "sts:AssumeRoleWithSAML",
        f"arn:aws:iam::{HERE}:role/r",
        HERE,
        {},
    )
    assert (
        denial_message(decide(web, Layers(gate=Gate.TRUST)), web) == "Not authorized to perform sts:AssumeRoleWithSAML"
    )


@pytest.mark.parametrize("everyone", ["*", {"AWS": "*"}])
def test_a_resource_control_policy_binds_services_however_it_names_everyone(everyone):
    """AWS: RCPs apply to service principals (orgs_manage_policies_rcps)."""
    statement = {"Effect": "Deny", "Principal": everyone, "Action": "s3:*", "Resource": "*"}
    policy = load(json.dumps({"Version": "2012-10-17", "Statement": [statement]}), PolicyType.RCP)
    service = replace(GET, principal=Principal(PrincipalKind.SERVICE, service_names=("logs.amazonaws.com",)))
    decision = decide(service, Layers(rcp=((policy,),)))
    assert (decision.outcome, decision.layer) == (Outcome.EXPLICITLY_DENIED, Layer.RCP)


TEXT = """{
  "Version": "2012-10-17", "Id": "p",
  "Statement": [
    {"Sid": "One", "Effect": "Allow", "Action": "s3:*", "Resource": "*",
     "Condition": {"StringEquals": {"aws:PrincipalTag/Team": "red"}, "Bool": {"aws:SecureTransport": "true"}}},
    {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::data/x"},
    {"Sid": "Other", "Effect": "Allow", "Action": "sqs:*", "Resource": "*"}
  ]
}"""


def test_a_policy_keeps_where_its_statements_stand():
    policy = load(TEXT, PolicyType.IDENTITY)
    assert (policy.version, policy.id, policy.unreadable) == ("2012-10-17", "p", None)
    assert [(one.index, one.sid) for one in policy.statements] == [(0, "One"), (1, None), (2, "Other")]
    for statement in policy.statements:
        found = json.loads(TEXT[statement.start : statement.end])
        assert found.get("Sid") == statement.sid
        assert found["Effect"] == statement.effect
    single = '{"Statement" : {"Effect":"Deny","Action":"*","Resource":"*"} , "Version":"2012-10-17"}'
    (only,) = load(single, PolicyType.IDENTITY).statements
    assert single[only.start : only.end] == '{"Effect":"Deny","Action":"*","Resource":"*"}'


def test_an_explanation_lists_what_applied_and_what_nearly_did():
    layers = Layers(identity=(load(TEXT, PolicyType.IDENTITY),))
    explanation = explain(replace(GET, context={"aws:securetransport": "true"}), layers)
    assert explanation.decision.allowed
    assert [(match.layer, match.policy, match.statement.index) for match in explanation.applying] == [
        (Layer.IDENTITY, 0, 1),
    ]
    (near,) = explanation.near_misses
    assert near.match.statement.sid == "One"
    assert [(failed.operator, failed.key, failed.values) for failed in near.failed] == [
        ("StringEquals", "aws:principaltag/team", ("red",)),
    ]
    assert explanation.missing_keys == ("aws:principaltag/team",)
    assert explanation.results == {Layer.IDENTITY: LayerResult(denied=False, allowed=True)}


def test_an_explanation_tells_what_each_layer_says():
    """As SimulatePrincipalPolicy's PermissionsBoundaryDecisionDetail and OrganizationsDecisionDetail need it."""
    layers = Layers(
        identity=(load(TEXT, PolicyType.IDENTITY),),
        boundary=load('{"Statement":{"Effect":"Allow","Action":"ec2:*","Resource":"*"}}', PolicyType.BOUNDARY),
        scp=((load('{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}', PolicyType.SCP),), ()),
    )
    explanation = explain(GET, layers)
    assert explanation.decision == Decision(Outcome.IMPLICITLY_DENIED, Layer.SCP)
    assert explanation.results == {
        Layer.IDENTITY: LayerResult(denied=False, allowed=True),
        Layer.BOUNDARY: LayerResult(denied=False, allowed=False),
        Layer.SCP: LayerResult(denied=False, allowed=False),
    }


def test_equal_texts_share_one_compiled_policy():
    assert load(TEXT, PolicyType.IDENTITY) is load("".join(list(TEXT)), PolicyType.IDENTITY)
    assert load(TEXT, PolicyType.IDENTITY) is not load(TEXT, PolicyType.BOUNDARY)


def test_a_caller_cannot_grow_a_policys_memory_without_bound():
    policy = load(TEXT, PolicyType.IDENTITY)
    policies = policy_set((policy,), Layer.IDENTITY)
    assert policies.of("s3:GetObject") is policies.of("s3:GetObject")
    for number in range(5000):
        policies.of(f"s{number}:a{number}")
        assert len(policies.by_action) <= 512
        assert len(policy._by_service) <= 256


def test_every_memo_is_bounded():
    """No caller, policy or request can make the engine remember without bound."""
    memos = [
        memo
        for module in pkgutil.iter_modules(policy_engine.__path__)
        for memo in vars(importlib.import_module(f"iamd.policy.{module.name}")).values()
        if hasattr(memo, "cache_parameters")
    ]
    assert len(memos) > 10
    assert all(0 < memo.cache_parameters()["maxsize"] <= 16_384 for memo in memos)


@pytest.mark.parametrize("remembering", [lower, operators.arn_segments, operators.number, cached_typed_matcher])
def test_long_texts_are_not_remembered(remembering):
    remembering.cache_clear()
    remembering("a" * 1_024)
    remembering("a" * 1_025)
    assert remembering.cache_info().currsize == 1


def test_a_gateway_endpoint_means_the_root_user_by_an_account():
    """VPC guide, vpc-endpoints-access."""
    endpoint = load(
        json.dumps({"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", "Principal": {"AWS": HERE}}}),
        PolicyType.ENDPOINT,
    )
    allow = load('{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}', PolicyType.IDENTITY)
    interface = Layers(identity=(allow,), endpoint=(endpoint,))
    gateway = Layers(identity=(allow,), endpoint=(endpoint,), gateway_endpoint=True)
    root = Principal(PrincipalKind.ROOT, HERE, f"arn:aws:iam::{HERE}:root")
    assert decide(GET, interface).allowed
    assert decide(GET, gateway) == Decision(Outcome.IMPLICITLY_DENIED, Layer.ENDPOINT)
    assert decide(replace(GET, principal=root), gateway).allowed


def test_a_gateway_endpoint_changes_nothing_about_other_policies():
    text = json.dumps({"Statement": {"Effect": "Deny", "Action": "*", "Resource": "*", "Principal": {"AWS": HERE}}})
    layers = Layers(resource=(load(text, PolicyType.RESOURCE),), gateway_endpoint=True)
    assert decide(GET, layers).outcome is Outcome.EXPLICITLY_DENIED


def test_a_denial_of_an_organization_tells_its_level():
    everything = load('{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}', PolicyType.SCP)
    nothing = load('{"Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}', PolicyType.SCP)
    (match,) = decide(GET, Layers(scp=((everything,), (everything, nothing)))).matched
    assert (match.layer, match.level, match.policy) == (Layer.SCP, 1, 1)


def test_a_caller_tells_its_partition_and_whose_resources_its_own_policies_reach():
    assert (USER.partition, USER.own_account) == ("aws", HERE)
    session = Principal(PrincipalKind.ROLE_SESSION, HERE, f"arn:aws-cn:sts::{HERE}:assumed-role/app/one")
    assert (session.partition, session.own_account) == ("aws-cn", HERE)
    root = Principal(PrincipalKind.ROOT, HERE, f"arn:aws:iam::{HERE}:root")
    assert (root.partition, root.own_account) == ("aws", NONE)
    assert (ANONYMOUS.partition, ANONYMOUS.own_account) == ("", NONE)


@pytest.mark.parametrize("own", ["aws", "aws-cn", "aws-us-gov"])
@pytest.mark.parametrize("other", ["aws", "aws-cn", "aws-us-gov"])
def test_partitions_never_mix(own, other):
    """IAM User Guide, "IAM ARNs" (reference_identifiers): names that begin alike are different partitions too."""
    everything = load('{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}', PolicyType.IDENTITY)
    caller = Principal(PrincipalKind.USER, HERE, f"arn:{own}:iam::{HERE}:user/ana")
    request = replace(GET, principal=caller, resource=f"arn:{other}:s3:::data/x")
    assert decide(request, Layers(identity=(everything,))).allowed is (own == other)
    session = Layers(identity=(everything,), session=(everything,))
    assert decide(request, session).allowed is (own == other)


def test_an_explicit_deny_is_one_on_another_partitions_resource_too():
    nothing = load('{"Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}', PolicyType.IDENTITY)
    request = replace(GET, resource="arn:aws-cn:s3:::data/x")
    assert decide(request, Layers(identity=(nothing,))).outcome is Outcome.EXPLICITLY_DENIED


def allowing(kind, sid):
    statement = {"Sid": sid, "Effect": "Allow", "Action": "*", "Resource": "*"}
    everyone = {"Principal": "*"} if kind in {PolicyType.RESOURCE, PolicyType.TRUST, PolicyType.ENDPOINT} else {}
    everyone = {"Principal": "*"} if kind is PolicyType.RCP else everyone
    return load(json.dumps({"Version": "2012-10-17", "Statement": {**statement, **everyone}}), kind)


def full_layers():
    """Layers with a policy of its own in every place."""
    return Layers(
        identity=(allowing(PolicyType.IDENTITY, "i0"), allowing(PolicyType.IDENTITY, "i1")),
        boundary=allowing(PolicyType.BOUNDARY, "b"),
        session=(allowing(PolicyType.SESSION, "s"),),
        scp=((allowing(PolicyType.SCP, "s0"),), (allowing(PolicyType.SCP, "s1"),)),
        rcp=((allowing(PolicyType.RCP, "r0"),), (allowing(PolicyType.RCP, "r1"),)),
        endpoint=(allowing(PolicyType.ENDPOINT, "e"),),
        resource=(allowing(PolicyType.RESOURCE, "r"),),
        gateway_endpoint=True,
    )


SLOTS = (
    "boundary", "endpoint", "gate", "gateway_endpoint", "identity", "indexes", "rcp", "resource", "scp", "session",
)  # fmt: skip


def changed(before, after):
    return {name for name in SLOTS if getattr(before, name) is not getattr(after, name)}


def test_layers_are_as_before_but_for_what_is_exchanged():
    layers = full_layers()
    levels = (policy_set((allowing(PolicyType.SCP, "new"),), Layer.SCP, 0),)
    assert changed(layers, layers.with_scp(levels)) == {"scp"}
    assert changed(layers, layers.with_rcp(levels)) == {"rcp"}
    assert layers.with_scp(levels).scp is levels
    assert layers.with_rcp(levels).rcp is levels
    assert layers.with_scp(None) is layers.with_rcp(None) is layers
    trust = layers.with_resource((allowing(PolicyType.TRUST, "t"),), Gate.TRUST)
    assert changed(layers, trust) == {"resource", "gate"}
    assert (trust.resource.layer, trust.gate) == (Layer.TRUST, Gate.TRUST)
    plain = Layers((allowing(PolicyType.IDENTITY, "i"),))
    assert plain.indexes is plain.with_resource(()).indexes is plain.identity.by_action
    assert changed(plain, plain.with_scp(levels)) == {"scp", "indexes"}
    assert changed(plain, plain.with_rcp(levels)) == {"rcp", "indexes"}
    assert plain.with_resource((allowing(PolicyType.RESOURCE, "r"),)).indexes is None
    assert plain.with_resource((), Gate.KMS_KEY).indexes is None


def test_what_changes_layers_changes_every_set_of_them():
    layers = full_layers()
    made = {id(one): policy_set(one.policies[:1], one.layer, one.level) for one in layers.sets()}
    found = layers.changed(lambda one: made[id(one)])
    assert [id(one) for one in found.sets()] == [id(made[id(one)]) for one in layers.sets()]
    assert len(list(layers.sets())) == 9
    assert changed(layers, found) <= {"identity", "boundary", "session", "endpoint", "resource", "scp", "rcp"}
    plain = Layers((allowing(PolicyType.IDENTITY, "i"),))
    other = policy_set((allowing(PolicyType.IDENTITY, "j"),), Layer.IDENTITY)
    found = plain.changed(lambda one: other if one.layer is Layer.IDENTITY else one)
    assert found.identity is other
    assert found.indexes is other.by_action
    assert (found.boundary, found.session, found.endpoint, found.scp, found.rcp) == (None,) * 5


def test_an_explanation_leaves_out_statements_for_others():
    theirs = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    named = [("mine", ANA), ("theirs", ANA.replace("ana", "bob")), ("account", f"arn:aws:iam::{HERE}:root")]
    made = [{**theirs, "Sid": sid, "Principal": {"AWS": arn}} for sid, arn in named]
    policy = load(json.dumps({"Version": "2012-10-17", "Statement": made}), PolicyType.RESOURCE)
    told = explain(GET, Layers(resource=(policy,))).applying
    assert [match.statement.sid for match in told] == ["mine", "account"]


def test_every_statement_is_found_in_its_policy():
    layers = full_layers()
    found = {match.statement.sid: layers.policy_of(match) for match in explain(GET, layers).applying}
    assert found.keys() == {"i0", "i1", "b", "s", "s0", "s1", "r0", "r1", "e", "r"}
    assert all(f'"Sid": "{sid}"' in policy.text for sid, policy in found.items())
    strange = explain(GET, Layers(scp=(), resource=(allowing(PolicyType.TRUST, "t"),), gate=Gate.TRUST)).applying
    with pytest.raises(LookupError):
        layers.policy_of(strange[0])


def test_of_statements_that_grant_alike_the_first_is_told():
    """Of those that name the caller, the most direct one; of equal ones, the one that stands first."""

    def granting(*principals):
        made = [{"Effect": "Allow", "Principal": {"AWS": one}, "Action": "*", "Resource": "*"} for one in principals]
        text = json.dumps({"Version": "2012-10-17", "Statement": made})
        (match,) = decide(GET, Layers(resource=(load(text, PolicyType.RESOURCE),))).matched
        return match.statement.index

    assert granting(HERE, ANA, [ANA, HERE]) == 1
    assert granting(HERE, "AIDAANA", ANA) == 1
