"""What the peers of the decision benchmark are told, and that they then answer as iamd does."""

import json
import sys
from fnmatch import fnmatchcase

import pytest
from decisions import engines, in_aws, in_casbin, in_cedar, in_rego, workload
from decisions.rules import ACTIONS, Glob, keys, rules

STATEMENT = {
    "Effect": "Deny",
    "Action": ["sqs:Send*", "sqs:DeleteMessage"],
    "Resource": ["arn:aws:sqs:us-east-1:111122223333:a", "arn:aws:sqs:us-east-1:111122223333:b-*"],
    "Condition": {
        "NumericLessThanEquals": {"s3:max-keys": "100"},
        "ForAllValues:StringEquals": {"aws:TagKeys": ["team"]},
    },
}
REACHED = tuple(engine for engine in engines.PEER_ENGINES if engine.name not in {"moto", "ministack"})
"""moto knows no conditions of identity policies, and ministack's time is the real one: the benchmark counts how often
their answers differ."""


def asked(size, count):
    """So many statements, requests near them, and iamd's answers."""
    made = workload.statements(size)
    ours = in_aws.Iamd()
    ours.load(in_aws.documents(made))
    asks = workload.balanced(made, count, lambda ask: ours.decide(ours.prepare(ask)))
    return made, asks, [ours.decide(ours.prepare(ask)) for ask in asks]


@pytest.mark.parametrize("size", [1, 10, 100, 1_000])
def test_rules_say_what_the_statements_say(size):
    made, asks, answers = asked(size, 200)
    stated = rules(made)
    assert [_allowed(stated, ask) for ask in asks] == answers


def _allowed(stated, ask):
    found = keys(ask.context)
    effects = {
        rule.denies
        for rule in stated
        if ask.action in rule.actions
        and any(glob.matches(ask.resource) for glob in rule.resources)
        and all(test.holds(found) for test in rule.tests)
    }
    return effects == {False}


@pytest.mark.parametrize("size", [1, 10, 100])
def test_casbins_functions_find_the_rows_that_apply(size):
    made, asks, answers = asked(size, 100)
    table = in_casbin.rows(made)
    assert [_by_rows(table, ask) for ask in asks] == answers


def _by_rows(table, ask):
    found = keys(ask.context)
    effects = {
        effect
        for action, resources, tests, effect in table
        if action == ask.action and in_casbin.concerns(ask.resource, resources) and in_casbin.holds(found, tests)
    }
    return effects == {"allow"}


def test_not_action_means_every_other_action():
    (rule,) = rules([{"Effect": "Allow", "NotAction": ["s3:*"], "Resource": ["*"]}])
    assert set(rule.actions) == {action for action in ACTIONS if not action.startswith("s3:")}


@pytest.mark.parametrize("text", ["a", "a*", "*a", "a*b", "a*b*", "a*b*a", "*", "aa*aa"])
def test_a_glob_matches_what_its_text_means(text):
    for other in ("", "a", "ab", "ba", "aa", "aaa", "aaaa", "abba", "aba", "axbxa", "b"):
        assert Glob(text).matches(other) == fnmatchcase(other, text), other


def test_a_cedar_policy_says_what_the_statement_says():
    assert in_cedar.policies([STATEMENT]) == (
        'forbid (principal, action in [Action::"sqs:SendMessage", Action::"sqs:DeleteMessage"], resource) when { '
        '(context.arn == "arn:aws:sqs:us-east-1:111122223333:a" || '
        'context.arn like "arn:aws:sqs:us-east-1:111122223333:b-*") && '
        '(context has "s3:max-keys" && context["s3:max-keys"] <= 100) && '
        '(!(context has "aws:TagKeys") || ["team"].containsAll(context["aws:TagKeys"])) };'
    )


def test_rego_finds_a_statement_by_effect_and_action():
    found = in_rego.data([STATEMENT])["rules"]
    assert found["allow"] == {}
    assert found["deny"].keys() == {"sqs:SendMessage", "sqs:DeleteMessage"}
    (said,) = found["deny"]["sqs:SendMessage"]
    assert said["exact"] == ["arn:aws:sqs:us-east-1:111122223333:a"]
    assert said["like"][0]["head"] == "arn:aws:sqs:us-east-1:111122223333:b-"
    assert [test["kind"] for test in said["tests"]] == ["at most", "each in"]


@pytest.mark.parametrize("engine", REACHED, ids=lambda engine: engine.name)
def test_a_peer_answers_as_iamd_does(engine):
    made, asks, answers = asked(10, 60)
    try:
        with engines.Running(engine) as running:
            running.load(made, in_aws.documents(made), asks)
            said = running.answers(30)
    except engines.NotRunError as why:
        pytest.skip(f"{engine.name} is not run: {why}")
    assert said == "".join("1" if answer else "0" for answer in answers)


def test_iamd_answers_in_its_process_as_it_does_here():
    made, asks, answers = asked(10, 60)
    with engines.Running(engines.OURS) as running:
        load, first = running.load(made, in_aws.documents(made), asks)
        said = running.answers(30)
        times = running.times(0.01)
        memory = running.memory()
    assert said == "".join("1" if answer else "0" for answer in answers)
    assert load > 0
    assert first > 0
    assert 0 < times.p50 <= times.p99
    assert times.cpu > 0
    assert times.count > 0
    assert memory > 1


def test_a_peer_that_is_not_installed_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(engines, "PEERS", tmp_path)
    for engine in (engines.CEDAR, engines.SIMULATE):
        with pytest.raises(engines.NotRunError, match=r"not installed|no Node"):
            engines.Running(engine)


def test_a_peer_whose_library_is_missing_says_so():
    unknown = engines.Engine("unknown", "unknown", "in_nothing", "Nothing", own=True)
    with engines.Running(unknown) as running, pytest.raises(engines.NotRunError, match="ModuleNotFoundError"):
        running.load([], [], [])


class Script(engines.Engine):
    """An engine whose process runs the script that stands for its module."""

    def command(self):
        return [sys.executable, "-c", self.module]


def test_a_peer_that_ends_says_what_it_said_last():
    ending = Script("ending", "", "import sys; sys.exit('out of range')", "")
    with engines.Running(ending) as running, pytest.raises(engines.NotRunError, match=r"ended: out of range$"):
        running.load([], [], [])


def test_a_peer_that_hangs_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(engines, "PATIENCE_SECONDS", 0.2)
    hanging = Script("hanging", "", "import time; time.sleep(60)", "")
    with engines.Running(hanging) as running, pytest.raises(engines.NotRunError, match=r"no answer in 0\.2 s"):
        running.load([], [], [])


def test_a_request_carries_its_context_as_json_to_cedar():
    _, asks, _ = asked(1, 2)
    told = json.loads(in_cedar.request(asks[0])["context"])
    assert told["arn"] == asks[0].resource
    assert told["aws:SourceIp"] > 0
