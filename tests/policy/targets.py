"""What is fuzzed: each target takes any bytes, raises only when the engine is wrong, and says nothing otherwise.

`tools/fuzz.py` sends what libFuzzer thinks up, and `test_corpus.py` what is kept in `corpus/`.
"""

import importlib
import time
from collections.abc import Callable
from contextlib import suppress

from iamd.policy import operators, trust, values
from iamd.policy.conditions import condition
from iamd.policy.decision import Outcome
from iamd.policy.document import MalformedPolicy, PolicyType, load, validate
from iamd.policy.elements import is_action, patterns
from iamd.policy.evaluate import Layers, decide
from iamd.policy.explain import explain
from iamd.policy.kinds import WITHOUT_PRINCIPAL
from iamd.policy.principals import Named, named, principals
from iamd.policy.request import ANONYMOUS, Principal, PrincipalKind, Request
from iamd.policy.rewriting import rewrite_principals
from iamd.policy.syntax import SyntaxProblem
from iamd.policy.wildcard import matcher, matches

HERE = "111122223333"
USER = Principal(PrincipalKind.USER, HERE, f"arn:aws:iam::{HERE}:user/ana", unique_id="AIDAANA")
KINDS = list(PolicyType)
CONTEXT = {"aws:username": "ana", "aws:tagkeys": ("a", "b*"), "aws:sourceip": "10.0.0.1", "aws:principaltag/x": "*"}
REQUESTS = [
    Request(USER, "s3:GetObject", "arn:aws:s3:::data/a", HERE, CONTEXT),
    Request(ANONYMOUS, "sts:AssumeRole", f"arn:aws:iam::{HERE}:role/r", HERE, {}),
]
LIMIT = 0.05
"""LIM-02, in seconds of CPU; what libFuzzer needs to see which lines run is in it."""

Target = Callable[[bytes], None]


class Slow(Exception):
    """A case that takes more work than any may."""


def text_of(data: bytes) -> str:
    """Any text: what is no UTF-8 becomes halves of surrogate pairs."""
    return data.decode("utf-8", "surrogateescape")


def documents(data: bytes) -> None:
    """The first byte is the kind of policy, the rest its text."""
    kind, text = KINDS[(data or b"0")[0] % len(KINDS)], text_of(data[1:])
    is_stored = False
    with suppress(MalformedPolicy):
        validate(text, kind)
        is_stored = True
    policy = load.__wrapped__(text, kind)
    assert policy.unreadable is None or not is_stored
    in_play = {"identity": (policy,)} if kind in WITHOUT_PRINCIPAL else {"resource": (policy,)}
    for request in REQUESTS:
        decision = decide(request, Layers(**in_play))
        assert policy.unreadable is None or decision.outcome is Outcome.EXPLICITLY_DENIED
        assert explain(request, Layers(**in_play)).decision == decision
    with suppress(SyntaxProblem):
        assert rewrite_principals(text, lambda _member, value: value) == text


def arns(data: bytes) -> None:
    """The first line is a policy's entry, the rest a request's ARN."""
    entry, _, resource = text_of(data).partition("\n")
    for check in (values.check_resource, values.check_arn_format, values.check_long_or_open_arn, values.check_action):
        with suppress(MalformedPolicy):
            check(entry)
    for member in ("AWS", "Service", "Federated", "CanonicalUser"):
        with suppress(MalformedPolicy):
            trust.check_principal(member, entry)
    is_action(entry)
    named_how = named(principals([("AWS", entry)], inverted=False), USER, strict=True, deny=False, has_boundary=False)
    assert named_how is Named.NOT or entry in {"*", USER.arn, USER.unique_id, HERE, f"arn:aws:iam::{HERE}:root"}
    for kind in (PolicyType.IDENTITY, PolicyType.SCP, PolicyType.RESOURCE):
        (pattern,) = patterns([entry], kind, inverted=False, substitute=True)
        (opposite,) = patterns([entry], kind, inverted=True, substitute=True)
        fits = pattern.test(resource, CONTEXT)
        assert opposite.test(resource, CONTEXT) is not fits
        if fits:
            assert pattern.exact in {None, resource}
            assert resource.startswith(pattern.head)
            assert resource.endswith(pattern.tail)
    for name in ("ArnLike", "ArnNotLike"):
        condition(name, "k", [entry], substitute=True).test({**CONTEXT, "k": resource})


def defined(pattern: str, text: str) -> bool:
    """The definition of `*` and `?`: which beginnings of the text match, for each character of the pattern."""
    row = [True] + [False] * len(text)
    for token in pattern:
        if token == "*":
            row = [any(row[: end + 1]) for end in range(len(text) + 1)]
        else:
            row = [False] + [row[end] and token in ("?", text[end]) for end in range(len(text))]
    return row[-1]


def wildcards(data: bytes) -> None:
    """The first line is a pattern, the rest a text."""
    pattern, _, text = text_of(data).partition("\n")
    found = matches(pattern, text)
    if len(pattern) * len(text) ** 2 < 20_000:
        assert found is defined(pattern, text)
    assert matches("*".join(text.replace("*", "?")), text)
    assert matcher([text])(text)
    assert matcher([pattern])(text) is (pattern == text)


def conditions(data: bytes) -> None:
    """The first line is an operator, the second the policy's value, the rest the request's values, one a line."""
    name, _, rest = text_of(data).partition("\n")
    wanted, *given = rest.split("\n", 12)
    for context in ({}, {"k": "\n".join(given)}, {"k": tuple(given)}, {**CONTEXT, "k": given[0] if given else ""}):
        for substitute in (True, False):
            held = condition(name, "k", [wanted], substitute=substitute).test(context)
            assert held is not True or (name.split(":")[-1].removesuffix("IfExists") in {*operators.OPERATORS, "Null"})
        if isinstance(context.get("k"), str) and name in operators.OPERATORS and name.startswith("String"):
            opposite = name.replace("Not", "") if "Not" in name else name.replace("String", "StringNot")
            other = condition(opposite, "k", [wanted], substitute=True).test(context)
            assert other is not condition(name, "k", [wanted], substitute=True).test(context)


TARGETS: dict[str, Target] = {
    "documents": documents, "arns": arns, "patterns": wildcards, "conditions": conditions,
}  # fmt: skip
MODULES = ("conditions", "document", "elements", "operators", "request", "sets", "variables", "wildcard")


def forget() -> None:
    """Empty every memo of the engine."""
    for module in MODULES:
        for value in vars(importlib.import_module(f"iamd.policy.{module}")).values():
            if hasattr(value, "cache_clear"):
                value.cache_clear()


def within_limit(target: Target, data: bytes) -> None:
    """Run a target, or raise Slow when it takes too much CPU, four times in a row and with nothing remembered."""
    for _ in range(4):
        begun = time.process_time()
        target(data)
        if time.process_time() - begun <= LIMIT:
            return
        forget()
    raise Slow(f"more than {LIMIT * 1000:.0f} ms")
