"""casbin: a row for each rule and action, found by the action; resources and tests are told by functions of ours."""

import json
import logging
from functools import cache

from .rules import Glob, Test, keys, rules

MODEL = """
[request_definition]
r = act, res, keys

[policy_definition]
p = act, res, tests, eft

[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))

[matchers]
m = concerns(r.res, p.res) && holds(r.keys, p.tests)
"""


def rows(statements):
    """The policy's rows: action, resources and tests as JSON, and effect."""
    return [
        [
            action,
            json.dumps([glob.text for glob in rule.resources]),
            json.dumps([(test.kind, test.key, test.values, test.optional) for test in rule.tests]),
            "deny" if rule.denies else "allow",
        ]
        for rule in rules(statements)
        for action in rule.actions
    ]


def concerns(resource, listed):
    """Whether one of the resources of a row is like this one."""
    return any(glob.matches(resource) for glob in _globs(listed))


def holds(found, listed):
    """Whether every test of a row holds."""
    return all(test.holds(found) for test in _tests(listed))


@cache
def _globs(listed):
    # The matcher is tried with empty values where no row is about an action.
    return [Glob(text) for text in json.loads(listed or "[]")]


@cache
def _tests(listed):
    return [
        Test(kind, key, tuple(tuple(one) if isinstance(one, list) else one for one in values), optional)
        for kind, key, values, optional in json.loads(listed or "[]")
    ]


class Casbin:
    """casbin's FastEnforcer, which keeps rows by a column."""

    def __init__(self):
        import casbin
        from casbin.model import FastModel

        self._library, self._model = casbin, FastModel
        self._enforcer = None
        logging.disable(logging.WARNING)

    def translate(self, statements):
        return rows(statements)

    def load(self, found):
        model = self._model([0])
        model.load_model_from_text(MODEL)
        enforcer = self._library.FastEnforcer(model, cache_key_order=[0])
        enforcer.add_function("concerns", concerns)
        enforcer.add_function("holds", holds)
        enforcer.add_policies(found)
        self._enforcer = enforcer

    def prepare(self, ask):
        return ask.action, ask.resource, keys(ask.context)

    def decide(self, asked):
        return self._enforcer.enforce(*asked)
