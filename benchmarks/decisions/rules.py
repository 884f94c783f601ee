"""Rules: the workload's statements in the plain form from which they are translated into the peers' languages.

Who translates AWS's policies knows the principal, so its name stands where the variable stood, and knows which actions
there are, so wildcards in actions are written out. Times and addresses are numbers, which every peer can compare.
"""

import ipaddress
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase

from .workload import SERVICES, USER

ACTIONS = tuple(f"{service}:{name}" for service, (_, names) in SERVICES.items() for name in names)
USERNAME = "${aws:username}"


@dataclass(frozen=True)
class Glob:
    """A text in which `*` stands for anything; `exact` where there is none."""

    text: str

    @property
    def exact(self):
        return "*" not in self.text

    def parts(self):
        """How it begins and ends, what stands between two `*`, and the least length; ValueError for more of these."""
        head, *middles, tail = self.text.split("*")
        middles = [part for part in middles if part]
        if len(middles) > 1:
            raise ValueError(f"{self.text} has more than one middle")
        return {
            "head": head,
            "middle": middles[0] if middles else "",
            "tail": tail,
            "least": len(self.text.replace("*", "")),
        }

    def matches(self, text):
        """Whether `text` has the parts, one after the other."""
        if self.exact:
            return text == self.text
        parts = self.parts()
        head, middle, tail = parts["head"], parts["middle"], parts["tail"]
        return (
            len(text) >= parts["least"]
            and text.startswith(head)
            and text.endswith(tail)
            and middle in text[len(head) : len(text) - len(tail)]
        )


@dataclass(frozen=True)
class Test:
    """One condition: what is asked of a key, and the values; an `optional` one holds where the key is absent.

    `kind` is `in`, `not in`, `same` (as another key's value), `between` (pairs of numbers), `at most`, `below`, `like`
    (texts with `*`) or `each in` (of a list).
    """

    kind: str
    key: str
    values: tuple
    optional: bool = False

    def holds(self, keys):
        """Whether it holds for what `keys` made of a request's context."""
        value = keys.get(self.key)
        if value is None:
            return self.optional
        return HOLDS[self.kind](value, self.values, keys)


HOLDS = {
    "in": lambda value, values, _: value in values,
    "not in": lambda value, values, _: value not in values,
    "same": lambda value, values, keys: value == keys.get(values[0]),
    "between": lambda value, values, _: any(low <= value <= high for low, high in values),
    "at most": lambda value, values, _: value <= values[0],
    "below": lambda value, values, _: value < values[0],
    "like": lambda value, values, _: any(Glob(text).matches(value) for text in values),
    "each in": lambda value, values, _: all(one in values for one in value),
}


@dataclass(frozen=True)
class Rule:
    """One statement: it applies to these actions, to resources like one of these, where every test holds."""

    denies: bool
    actions: tuple
    resources: tuple
    tests: tuple


def rules(statements):
    """The statements' rules, in their order."""
    return [_rule(statement) for statement in statements]


def keys(context):
    """The condition keys of a request, with numbers where `Test` compares numbers."""
    return {name: NUMBERS.get(name, _same)(value) for name, value in context.items()}


def _rule(statement):
    return Rule(
        denies=statement["Effect"] == "Deny",
        actions=_actions(statement),
        resources=tuple(Glob(_named(text)) for text in statement["Resource"]),
        tests=tuple(
            _test(operator, key, values if isinstance(values, list) else [values])
            for operator, entries in statement.get("Condition", {}).items()
            for key, values in entries.items()
        ),
    )


def _actions(statement):
    inverted = "NotAction" in statement
    patterns = statement["NotAction" if inverted else "Action"]
    return tuple(action for action in ACTIONS if any(fnmatchcase(action, one) for one in patterns) != inverted)


def _test(operator, key, values):
    kind, optional, read = OPERATORS[operator]
    if kind == "in" and values[0].startswith("${"):
        return Test("same", key, (values[0][2:-1],))
    return Test(kind, key, tuple(read(value) for value in values), optional)


def _named(text):
    return text.replace(USERNAME, USER)


def _same(value):
    return value


def _time(text):
    return int(datetime.fromisoformat(text).timestamp())


def _address(text):
    return int(ipaddress.ip_address(text))


def _range(text):
    network = ipaddress.ip_network(text)
    return int(network[0]), int(network[-1])


NUMBERS = {"aws:CurrentTime": _time, "aws:SourceIp": _address, "s3:max-keys": int}
OPERATORS = {
    "StringEquals": ("in", False, _same),
    "StringNotEquals": ("not in", True, _same),
    "Bool": ("in", False, _same),
    "IpAddress": ("between", False, _range),
    "StringLike": ("like", False, _named),
    "StringLikeIfExists": ("like", True, _named),
    "NumericLessThanEquals": ("at most", False, int),
    "DateLessThan": ("below", False, _time),
    "ForAllValues:StringEquals": ("each in", True, _same),
}
"""AWS's operators that the workload uses: the kind of test, whether an absent key passes, and how a value is read."""
