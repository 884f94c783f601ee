"""Rego: one module that says what a rule means, and the rules as data, by effect and action."""

import json
from pathlib import Path

from .rules import Glob, keys, rules

MODULE = Path(__file__).with_name("iam.rego")
QUERY = "data.iam.allow"
REGOPY_ALLOWS = '{"expressions":[true]}'


def data(statements):
    """The data document: for each effect and action the rules that are about it."""
    found = {"allow": {}, "deny": {}}
    for rule in rules(statements):
        said = {
            "exact": [glob.text for glob in rule.resources if glob.exact],
            "like": [glob.parts() for glob in rule.resources if not glob.exact],
            "tests": [_test(test) for test in rule.tests],
        }
        by_action = found["deny" if rule.denies else "allow"]
        for action in rule.actions:
            by_action.setdefault(action, []).append(said)
    return {"rules": found}


def request(ask):
    """The input document."""
    return {"action": ask.action, "resource": ask.resource, "keys": keys(ask.context)}


def _test(test):
    values = [Glob(text).parts() for text in test.values] if test.kind == "like" else list(test.values)
    return {"kind": test.kind, "key": test.key, "values": values, "optional": test.optional}


class Regorus:
    """regorus by opa-eval, which holds policy and data and takes JSON."""

    def __init__(self):
        import opa_eval

        self._library = opa_eval
        self._engine = None

    def translate(self, statements):
        return json.dumps(data(statements))

    def load(self, text):
        self._engine = self._library.OpaEval(str(MODULE), text, QUERY)

    def prepare(self, ask):
        return json.dumps(request(ask))

    def decide(self, asked):
        return self._engine.evaluate_parsed(asked)


class Regopy:
    """rego-cpp by regopy, with module and data compiled into a bundle."""

    def __init__(self):
        import regopy

        self._library = regopy
        self._engine = self._bundle = None

    def translate(self, statements):
        return json.dumps(data(statements))

    def load(self, text):
        self._engine = self._library.Interpreter()
        self._engine.add_module("iam", MODULE.read_text())
        self._engine.add_data_json(text)
        self._bundle = self._engine.build(QUERY)

    def prepare(self, ask):
        return self._library.Input(request(ask))

    def decide(self, asked):
        self._engine.set_input(asked)
        # Where nothing allows, rego-cpp says `undefined` instead of the rule's default value.
        return str(self._engine.query_bundle(self._bundle)) == REGOPY_ALLOWS
