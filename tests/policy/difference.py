"""The engine against the reference model, case by case; a case on which they differ is made as small as it gets."""

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from policy import near_misses, reference

from iamd.policy import cases
from iamd.policy.evaluate import decide
from iamd.policy.request import lower

Case = dict[str, Any]


@dataclass(frozen=True)
class Difference:
    """A case, and what engine and model say of it."""

    case: Case
    engine: str
    model: str

    def __str__(self) -> str:
        return f"engine: {self.engine}\nmodel: {self.model}\n{json.dumps(self.case, indent=1, ensure_ascii=False)}"


def difference(case: Case) -> Difference | None:
    """Where they differ: on the outcome, or on the type of policy whose explicit deny is named."""
    engine, model = of_engine(case), of_model(case)
    return Difference(case, engine, model) if engine != model else None


def of_engine(case: Case) -> str:
    read = cases.read({**case, "expected": ""})
    decision = decide(read.request, read.layers)
    return _said(str(decision.outcome), str(decision.layer))


def of_model(case: Case) -> str:
    verdict = reference.decide(case)
    return _said(verdict.outcome, verdict.layer)


def _said(outcome: str, layer: str) -> str:
    """AWS does not say in which order it looks at what does not allow, so implicit denials count alike."""
    return f"{outcome} by {layer}" if outcome == "ExplicitlyDenied" else outcome


def differences(seed: int, count: int) -> Iterator[Difference]:
    """The differences among so many near-misses."""
    for case in near(seed, count):
        found = difference(case)
        if found is not None:
            yield smallest(found)


def near(seed: int, count: int) -> Iterator[Case]:
    """So many near-misses, in a form that says all that engine and model would have to guess."""
    made = (case for case in near_misses.cases(seed) if _is_plain(case))
    return (_complete(case) for case in islice(made, count))


def _is_plain(case: Case) -> bool:
    """Keys that differ by case only are never in one request of iamd's: it writes them all in lower case."""
    keys = case["request"]["context"]
    return len({lower(key) for key in keys}) == len(keys)


def _complete(case: Case) -> Case:
    request = case["request"]
    if ":assumed-role/" not in request["principal"] or "entity" in request:
        return case
    told = request["context"].get("aws:PrincipalArn", "")
    parts, name = request["principal"].split(":"), request["principal"].split("/")[1]
    entity = told if ":role/" in told else f"arn:{parts[1]}:iam::{parts[4]}:role/{name}"
    return {**case, "request": {**request, "entity": entity}}


def smallest(found: Difference) -> Difference:
    """The same kind of difference with as little as it takes."""
    while True:
        smaller = next((d for case in _smaller(found.case) if (d := _differs(case)) is not None), None)
        if smaller is None:
            return found
        found = smaller


def _differs(case: Case) -> Difference | None:
    try:
        return difference(case)
    except (KeyError, ValueError, TypeError, AttributeError):
        # What was taken away was needed: this is no case any more.
        return None


def _smaller(case: Case) -> Iterator[Case]:
    for path in _paths({"context": case["request"]["context"], "policies": case["policies"]}, ()):
        smaller = copy.deepcopy(case)
        holder: Any = {"context": smaller["request"]["context"], "policies": smaller["policies"]}
        for step in path[:-1]:
            holder = holder[step]
        del holder[path[-1]]
        yield smaller


def _paths(value: Any, path: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    """Where something can be left out, the greatest parts first."""
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else []
    deeper = [(*path, key) for key in keys]
    yield from (one for one in deeper if len(one) > 1)
    for one in deeper:
        yield from _paths(value[one[-1]], one)
