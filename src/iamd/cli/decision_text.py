"""A decision as people read it: the answer, the statement that made it, what nearly made another, what to change."""

import os
import shlex
import shutil
import sys
import textwrap
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import click

from iamd.cli.text import plain
from iamd.data import service_reference
from iamd.policy.lint import global_keys

Told = Mapping[str, Any]
"""A decision, statement or near miss as the API of iamd has it."""

INDENT: Final = 2
LABEL: Final = 11
"""The width of the column that says what a line is about."""
NEAR: Final = 5
"""The near misses that are shown; `-o json` has them all."""

COLOURS: Final = {"Allowed": "green", "ExplicitlyDenied": "red", "ImplicitlyDenied": "red"}

GRANTS: Final = {
    "identity-based policy": "Allow {action} on this resource in an identity-based policy of {principal}.",
    "permissions boundary": "Allow {action} on this resource in the permissions boundary, too: it limits what other "
    "policies grant.",
    "session policy": "Allow {action} on this resource in the policy that is passed when the session is made (Policy, "
    "PolicyArns), or pass none.",
    "resource-based policy": "Allow {action} to {principal} in the policy of the resource.",
    "role trust policy": "Name {principal} as Principal in the role's trust policy.",
    "service control policy": "Allow {action} in a service control policy of every level, from the organization's root "
    "to the account.",
    "resource control policy": "Allow {action} in a resource control policy of every level, from the organization's "
    "root to the account.",
    "VPC endpoint policy": "Allow {action} in the policy of the VPC endpoint.",
}
"""What lets a request pass that a layer does not allow."""

WITHOUT_POLICY: Final = {
    "root user": "the root user has full access to its account",
    "always allowed": "policies cannot control this action",
}


def decision_text(decision: Told, principal: str, *, message: bool = True) -> Iterator[str]:
    """The lines on one decision, wrapped to the terminal; `message` adds AWS's words for a denial."""
    outcome = decision["Outcome"]
    yield _coloured(f"{outcome}:", COLOURS.get(outcome)) + plain(f" {decision['Action']} on {decision['Resource']}")
    for label, text in _parts(decision, principal):
        yield from labelled(label, text)
    if message and decision.get("Message"):
        yield from labelled("message", decision["Message"])


def labelled(label: str, text: str) -> Iterator[str]:
    """A text behind its label, continued below itself where the terminal ends; nothing is wrapped for a pipe."""
    lead = " " * INDENT + label.ljust(LABEL)
    text = plain(text)
    if sys.stdout.isatty():
        width = max(40, shutil.get_terminal_size().columns) - len(lead)
        first, *others = textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False) or [""]
    else:
        first, others = text, []
    yield _coloured(lead, None, dim=True) + first
    yield from (" " * len(lead) + other for other in others)


def _parts(decision: Told, principal: str) -> Iterator[tuple[str, str]]:
    match decision["Outcome"]:
        case "Allowed":
            yield from allowed_parts(decision)
        case "ExplicitlyDenied":
            yield from _of_explicit_denial(decision)
        case _:
            yield from _of_implicit_denial(decision, principal)


def allowed_parts(decision: Told) -> Iterator[tuple[str, str]]:
    """What says why something is allowed, each part behind its label."""
    reason = WITHOUT_POLICY.get(decision["Layer"])
    if reason is not None:
        yield "because", reason
        return
    yield from _statements("by", _first_of(decision["Statements"], decision["Layer"]), "which applies while")
    yield from _near(decision, "Deny")


def missed_parts(decision: Told) -> Iterator[tuple[str, str]]:
    """The same of conditions that keep something from being allowed."""
    for effect, label in (("Allow", "allowed by"), ("Deny", "denied by")):
        found = [one for one in decision["Statements"] if one.get("Effect") == effect]
        yield from _statements(label, found, "which applies while", decision.get("UnknownKeys", ()))
    yield from _near(decision, "Allow")
    yield from _unknown(decision, "what rests on it allows nothing, and denies")
    example = decision.get("Example")
    if example is None:
        yield "not known", "whether there are circumstances in which all that must hold does"
    elif example:
        yield "example", _example(example)


def _of_explicit_denial(decision: Told) -> Iterator[tuple[str, str]]:
    denies = [one for one in decision["Statements"] if one.get("Effect", "Deny") == "Deny"]
    if not denies:
        # What stands in another account's policies is not told.
        yield "by", f"a Deny in a {decision['Layer']} of the resource's account"
        return
    yield from _statements("by", _first_of(denies, decision["Layer"]))
    yield from _unknown(decision, "a Deny that asks for it applies")
    what = "this Deny" if len(denies) == 1 else "these Denies"
    yield "to allow", f"Narrow {what} or take it out: a Deny wins over every Allow."


def _of_implicit_denial(decision: Told, principal: str) -> Iterator[tuple[str, str]]:
    yield "because", f"no {decision['Layer']} allows it{_looked_at(decision)}"
    others = [one for one in decision["Statements"] if one["Layer"] != decision["Layer"]]
    yield from _statements("allowed by", others)
    near = list(_near(decision, "Allow"))
    yield from near
    yield from _unknown(decision, "an Allow that asks for it does not apply")
    grant = GRANTS.get(decision["Layer"])
    if grant is not None:
        text = grant.format(action=decision["Action"], principal=principal)
        yield "to allow", f"Make the conditions above hold, or: {text}" if near else text


def _unknown(decision: Told, therefore: str) -> Iterator[tuple[str, str]]:
    """The condition keys that AWS would know and iamd does not, and what follows."""
    keys = decision.get("UnknownKeys", [])
    if keys:
        yield (
            "unknown",
            f"iamd cannot know {', '.join(map(spelled, keys))} of this request, which AWS would: {therefore}",
        )


def _looked_at(decision: Told) -> str:
    """The policies of the layer that does not allow."""
    found = next((one for one in decision.get("Layers", []) if one["Layer"] == decision["Layer"]), None)
    if found is None:
        return ""
    return f"; looked at: {', '.join(found['Policies'])}" if found["Policies"] else "; there is none"


def _first_of(statements: Sequence[Told], layer: str) -> list[Told]:
    """The statements, those of the deciding layer first."""
    return sorted(statements, key=lambda one: one["Layer"] != layer)


def _example(example: Mapping[str, Sequence[str]]) -> str:
    """Condition keys as they are given to a command, and those that the request must lack."""
    given = [f"--context {shlex.quote(f'{spelled(key)}={one}')}" for key, values in example.items() for one in values]
    lacking = [f"without {spelled(key)}" for key, values in example.items() if not values]
    return ", ".join([" ".join(given), *lacking] if given else lacking)


def _statements(
    label: str, statements: Iterable[Told], conditions: str = "", unknown: Collection[str] = ()
) -> Iterator[tuple[str, str]]:
    """The statements, and the conditions of those that come with them."""
    for number, one in enumerate(statements):
        yield label if number == 0 else "and by", statement_text(one)
        yield from _conditions(one, conditions, unknown)


def _conditions(one: Told, beginning: str, unknown: Collection[str]) -> Iterator[tuple[str, str]]:
    for number, condition in enumerate(one.get("Conditions", ())):
        words = beginning if number == 0 else f"and {beginning.rpartition(' ')[2]}"
        yield "", f"{words} {_condition(condition, unknown=condition['Key'] in unknown)}"


def statement_text(one: Told) -> str:
    """Which statement it is: its effect, number and Sid, its place, and the policy that it stands in."""
    sid = f" `{one['Sid']}`" if one.get("Sid") else ""
    place = f" (line {one['Line']}, column {one['Column']})" if "Line" in one else ""
    effect = f"{one['Effect']}, " if "Effect" in one else ""
    return f"{effect}statement {one['Index'] + 1}{sid}{place} of {_policy(one)}"


def _policy(one: Told) -> str:
    """A statement's policy by its name, and its type where the name does not tell it."""
    policy, layer = one.get("Policy", ""), str(one["Layer"])
    if layer in policy:
        return str(policy)
    return f"{policy}, {layer}" if policy else layer


def _near(decision: Told, effect: str) -> Iterator[tuple[str, str]]:
    """The statements of an effect that missed by their conditions."""
    misses = [one for one in decision.get("NearMisses", []) if one.get("Effect") == effect]
    for one in misses[:NEAR]:
        yield "near miss", statement_text(one)
        yield from _conditions(one, "would apply if", decision.get("UnknownKeys", ()))
    if len(misses) > NEAR:
        yield "", f"and {len(misses) - NEAR} more, which `-o json` shows"


def _condition(failed: Told, *, unknown: bool) -> str:
    wanted, key = " or ".join(failed["Values"]) or "nothing", spelled(failed["Key"])
    if unknown:
        return f"{failed['Operator']} {key} {wanted}; the request's value is not known"
    found = f"the request has {', '.join(failed['Found'])}" if failed["Found"] else "the request has no such key"
    return f"{failed['Operator']} {key} {wanted}; {found}"


def spelled(key: str) -> str:
    """A condition key, which decisions have in lower case, as AWS spells it."""
    reference = service_reference.service(key.partition(":")[0])
    return global_keys.spelling(key) if reference is None else reference.spelling(key)


def _coloured(text: str, colour: str | None, *, dim: bool = False) -> str:
    """The text as a terminal shows it; click takes the colours out again for a pipe."""
    if "NO_COLOR" in os.environ:  # no-color.org
        return text
    return click.style(text, fg=colour, bold=colour is not None or None, dim=dim or None)
