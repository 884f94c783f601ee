"""Cedar: a rule is a policy; actions are entities, and what else is asked about stands in the context."""

import json

from .rules import Glob, keys, rules

COMPARED = {"at most": "<=", "below": "<"}


def policies(statements):
    """The statements as Cedar's text."""
    return "\n".join(map(_policy, rules(statements)))


def request(ask):
    """The request in cedarpy's form, its context already JSON."""
    return {
        "principal": 'User::"ana"',
        "action": f"Action::{_text(ask.action)}",
        "resource": 'Resource::"any"',
        "context": json.dumps({"arn": ask.resource, **keys(ask.context)}),
    }


def _policy(rule):
    listed = ", ".join(f"Action::{_text(action)}" for action in rule.actions)
    scope = f"action == {listed}" if len(rule.actions) == 1 else f"action in [{listed}]"
    tests = [_any(_like("context.arn", one) for one in rule.resources), *map(_test, rule.tests)]
    effect = "forbid" if rule.denies else "permit"
    return f"{effect} (principal, {scope}, resource) when {{ {' && '.join(tests)} }};"


def _test(test):
    key = f"context[{_text(test.key)}]"
    here = f"context has {_text(test.key)}"
    return f"(!({here}) || {_asked(test, key)})" if test.optional else f"({here} && {_asked(test, key)})"


def _asked(test, key):
    match test.kind:
        case "in":
            return _any(f"{key} == {_text(value)}" for value in test.values)
        case "not in":
            return f"!{_any(f'{key} == {_text(value)}' for value in test.values)}"
        case "same":
            other = _text(test.values[0])
            return f"(context has {other} && {key} == context[{other}])"
        case "between":
            return _any(f"({key} >= {low} && {key} <= {high})" for low, high in test.values)
        case "like":
            return _any(_like(key, Glob(text)) for text in test.values)
        case "each in":
            return f"{json.dumps(test.values)}.containsAll({key})"
        case _:
            return f"{key} {COMPARED[test.kind]} {test.values[0]}"


def _like(key, glob):
    return f"{key} {'==' if glob.exact else 'like'} {_text(glob.text)}"


def _any(tests):
    return f"({' || '.join(tests)})"


def _text(text):
    return json.dumps(text)


class Cedar:
    """cedarpy with policies and entities parsed once."""

    def __init__(self):
        import cedarpy

        self._library = cedarpy
        self._entities = cedarpy.Entities.from_json_str("[]")
        self._policies = None

    def translate(self, statements):
        return policies(statements)

    def load(self, text):
        self._policies = self._library.PolicySet.from_str(text)

    def prepare(self, ask):
        return request(ask)

    def decide(self, asked):
        return self._library.is_authorized(asked, self._policies, self._entities).allowed


class CedarParsing(Cedar):
    """cedarpy as its simplest call is: policies are parsed for each request."""

    def load(self, text):
        self._policies = text
        self._entities = "[]"
