"""What comes of a request that a test asks about, with its explanation."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from click import unstyle

from iamd.cli.decision_text import decision_text
from iamd.policy.decision import Layer, Match, denial_message
from iamd.policy.document import Policy
from iamd.policy.evaluate import Layers
from iamd.policy.explain import Explanation, LayerResult, NearMiss, determining, explain
from iamd.policy.positions import position
from iamd.policy.request import Request


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a request: Allowed, ExplicitlyDenied or ImplicitlyDenied, by which type of policy, and why.

    `message` is AWS's words for a denial; `explanation` is what `iamd can` prints.
    """

    outcome: str
    layer: str
    message: str
    explanation: str

    @property
    def allowed(self) -> bool:
        """Whether the request may pass."""
        return self.outcome == "Allowed"

    def __str__(self) -> str:
        return self.explanation


def answer(request: Request, layers: Layers, files: Mapping[str, str], principal: str) -> Answer:
    """The answer to a request; `files` names the policies that stand in files, by text."""
    found = explain(request, layers)
    message = "" if found.decision.allowed else denial_message(found.decision, request)
    told = _Telling(request, layers, files).told(found, message)
    text = "\n".join(map(unstyle, decision_text(told, principal)))
    return Answer(str(found.decision.outcome), str(found.decision.layer), message, text)


@dataclass(frozen=True, slots=True)
class _Telling:
    """Tells an explanation in the form that the API of iamd has."""

    request: Request
    layers: Layers
    files: Mapping[str, str]

    def told(self, found: Explanation, message: str) -> dict[str, Any]:
        return {
            "Action": self.request.action,
            "Resource": self.request.resource,
            "Outcome": str(found.decision.outcome),
            "Layer": str(found.decision.layer),
            "Message": message,
            "Statements": [self._statement(match) for match in determining(found)],
            "NearMisses": [self._near(near) for near in found.near_misses],
            "Layers": list(self._layers(found.results)),
        }

    def _statement(self, match: Match) -> dict[str, Any]:
        policy = self.layers.policy_of(match)
        place = position(policy.text, match.statement.start)
        return {
            "Layer": str(match.layer),
            "Policy": policy_name(policy, match.layer, match.policy, self.files),
            "Index": match.statement.index,
            "Sid": match.statement.sid or "",
            "Effect": str(match.statement.effect),
            **({"Line": place.line, "Column": place.column} if policy.text in self.files else {}),
        }

    def _near(self, near: NearMiss) -> dict[str, Any]:
        conditions = [
            {"Operator": one.operator, "Key": one.key, "Values": list(one.values), "Found": self._found(one.key)}
            for one in near.failed
        ]
        return self._statement(near.match) | {"Conditions": conditions}

    def _found(self, key: str) -> list[str]:
        value = self.request.context.get(key, ())
        return [value] if isinstance(value, str) else list(value)

    def _layers(self, results: Mapping[Layer, LayerResult]) -> Iterator[dict[str, Any]]:
        for layer in results:
            policies = [policy for found in self.layers.sets() if found.layer is layer for policy in found.policies]
            names = [policy_name(policy, layer, number, self.files) for number, policy in enumerate(policies)]
            yield {"Layer": str(layer), "Policies": names}


def policy_name(policy: Policy, layer: Layer, number: int, files: Mapping[str, str]) -> str:
    """A policy by its file, or by its number, from 0, among those of its type."""
    return files.get(policy.text) or f"{layer} {number + 1}"
